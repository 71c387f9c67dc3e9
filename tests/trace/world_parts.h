/* tests/trace/world_parts.h: what the files of the world share. */
#ifndef GITTERD_TESTS_WORLD_PARTS_H
#define GITTERD_TESTS_WORLD_PARTS_H

#include "tests/trace/world.h"

/* Posts an input and runs nothing. */
void world_queue(struct world *world, int kind, const void *body);
/* The Gitter token of an owner, as committed. */
struct slice world_token(struct world *world, struct slice owner);
struct world_link *world_link_of(struct world *world, struct slice owner);
/* engine_effects.link */
void world_on_link(void *context, const struct link_order *order);
/* engine_effects.order */
void world_on_order(void *context, const struct order *order);
/* Heads of lanes, in the order of their names; at most WORLD_HEADS_MAX. */
size_t world_heads(struct world *world, struct arena *arena, struct outbox_call *heads);
/* Its time has come, it has its token and no barrier holds it. */
bool world_may_go(struct world *world, const struct outbox_call *head);
/* The end of a call comes in; runs nothing. */
void world_post_end(struct world *world, const struct outbox_call *row, struct call_ended ended);
/* What the homeserver was not told to be durable comes again. */
void world_repeat_events(struct world *world);

/* The machines, or with GITTERD_MUTANT in the environment a change of them (world_mutant.c). */
const struct fsm *const *world_machines(void);

#endif
