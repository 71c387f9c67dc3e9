/* runtime/engine_parts.h: the insides of the engine, shared by engine.c, step.c, turn.c and
 * directory.c.
 *
 * Thread: loop thread only.
 * Memory: batch and turn live in the batch's arena, which is dropped once the commit has been acted
 * on.
 */
#ifndef GITTERD_RUNTIME_ENGINE_PARTS_H
#define GITTERD_RUNTIME_ENGINE_PARTS_H

#include "codecs/journal.h"
#include "runtime/base/buf.h"
#include "runtime/base/limits.h"
#include "runtime/engine.h"
#include "runtime/roster.h"

enum {
    /* Call ids are turn * CALLS_PER_TURN + position, so that they grow with the turns. */
    CALLS_PER_TURN = JOURNAL_CALLS_PER_TURN
};
_Static_assert(TURN_STEPS_MAX < CALLS_PER_TURN, "each step can declare a call");

/* A list that grows at the end and can be cut back to an earlier length when a turn fails. */
struct list {
    void *items;
    size_t count;
    size_t cap;
};

void *list_add(struct list *list, struct arena *arena, size_t item_size);
#define LIST_ADD(list, arena, type) ((type *)list_add((list), (arena), sizeof(type)))
#define LIST_AT(list, type, i) (&((type *)(list)->items)[i])

struct queued_msg {
    struct actor_ref to;
    struct msg msg;
};

struct batch_answer {
    int64_t request;
    struct answer answer;
};

/* Which places of `batch.seen` hold an id, by its hash: places + 1, 0 is free. A place behind the
 * end of the list is that of a turn that failed. */
struct seen_places {
    size_t *slots;
    size_t cap; /* a power of two */
    size_t count;
};

struct batch {
    struct arena *arena;
    struct list actors;      /* struct actor *: those with a draft of this batch */
    struct list calls;       /* struct outbox_call */
    struct list ended;       /* int64_t: ids of calls that ended or were cancelled */
    struct list ended_lanes; /* struct slice, one for each of `ended` */
    struct list relations;   /* struct store_relation */
    struct list seen;        /* struct slice */
    struct seen_places seen_places;
    struct list answers;   /* struct batch_answer */
    struct list links;     /* struct link_order */
    struct list orders;    /* struct order */
    struct list traces;    /* struct slice, one for each turn that succeeded */
    struct list forgotten; /* struct slice: users whose messages leave the journal */
    struct list noted;     /* struct actor *: those whose state stands in the journal's entries */
    struct buf journal;    /* the entries of its turns */
    int64_t first_turn;    /* of those entries */
    int64_t all_waiting;   /* calls of all owners in the store; -1: nobody has asked */
};

/* The lengths of a batch's lists, to go back to. */
struct batch_mark {
    size_t actors, calls, ended, relations, seen, answers, links, orders, traces, forgotten, noted;
};

struct turn {
    struct engine *engine;
    struct batch *batch;
    int64_t number;
    int64_t now_ms;
    int64_t positions; /* of unique ids given */
    int64_t calls;     /* declared */
    size_t steps;
    struct actor *self;              /* whose step is running; NULL: the router's */
    const struct outbox_call *ended; /* the call whose end this turn handles */
    struct list queue;               /* struct queued_msg */
    size_t queue_next;
    struct list touched; /* struct actor *: those with a draft of this turn */
    struct buf *trace;   /* NULL: nobody reads it */
    enum rc failed;      /* RC_OK, or why the turn leaves no trace */
};

struct queued_input {
    struct msg msg;
    struct slice event_id;
    const struct outbox_call *ended;
    void (*done)(void *context, enum rc rc);
    void *context;
    bool is_repeatable;
    bool is_given_up;
};

/* Inputs wait in one inbox while the other is worked off, so that an arena can be dropped as soon
 * as everything in it is durable. */
struct inbox {
    struct arena *arena;
    struct list inputs; /* struct queued_input */
};

/* Actors whose deadline has come and whose turn failed; in memory alone. */
struct snoozes {
    struct snooze *items;
    size_t count;
    size_t cap;
};

struct engine {
    struct engine_options options;
    struct roster *roster;
    struct inbox inboxes[2];
    struct inbox *filling;
    struct inbox *working;
    size_t working_next; /* first input of `working` that is not in a committed batch */
    size_t batch_end;    /* first input behind the batch at hand */
    struct batch batch;
    struct journal *journal;       /* NULL: none is kept */
    struct store_actor *described; /* of batch.actors, in the batch's arena */
    bool is_stepping;              /* the batch has turns, and may get more before its commit */
    bool is_committing;
    enum rc store_rc; /* how the last batch ended; said when it changes */
    size_t batch_turns;
    int64_t batch_began_ms;
    int64_t commit_began_ms;
    int64_t commit_ms; /* how long the last one took */
    int64_t next_turn;
    int64_t pause_until_ms;
    int64_t chores_ms;        /* not before: the store's own work */
    int64_t next_deadline_ms; /* engine_run has something to do then */
    struct snoozes snoozes;
    struct engine_counts counts;
};

/* An empty batch, on the arena it has. */
void batch_reset(struct batch *batch);

/* Runs one turn on the batch. RC_OK also when the input was handled before. RC_IO, RC_FULL, RC_BUSY
 * and RC_CORRUPT are the store's trouble: the batch cannot go on. Anything else: the turn left no
 * trace.
 */
NODISCARD enum rc turn_run_input(struct engine *engine, const struct queued_input *input);
NODISCARD enum rc turn_run_deadline(struct engine *engine, struct actor_ref ref);

/* Homeserver events that were handled, in this batch or before. */
bool engine_has_seen(struct engine *engine, struct slice event_id, enum rc *rc);
/* The id is borrowed until the commit. */
void batch_add_seen(struct batch *batch, struct slice event_id);

/* Whether it is the store that failed, and not the turn. */
bool engine_is_store_trouble(enum rc rc);

/* Runs turns for the deadlines that have come, and finds the next when none of them is left. RC_OK
 * or the store's trouble. */
NODISCARD enum rc deadlines_run(struct engine *engine, int64_t now_ms);
/* A deadline is durable; 0: none. */
void deadlines_note(struct engine *engine, int64_t deadline_ms);
void deadlines_clear(struct engine *engine);

/* The entry of an actor for the turn; NULL when the store fails, which fails the turn. */
struct actor *turn_actor(struct turn *turn, struct actor_ref ref);
/* A draft that the turn may change. */
struct actor_form *turn_draft(struct turn *turn, struct actor *actor);

#endif
