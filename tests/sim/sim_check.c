/* What must hold at every moment. */
#include "tests/sim/sim.h"

#include "actors/room/room.h"
#include "runtime/roster.h"

enum {
    ACTORS_MAX = 256,
    /* what is no message: notices, changes, people and names of a room */
    OTHER_CALLS_MAX = 64
};

/* Stored state equals live state; `stored` has just been read from the store. */
static void compare_actor(struct sim *sim, struct roster *stored, struct actor_ref ref)
{
    int state = 0;
    struct actor *actor = NULL;
    const void *live = engine_peek(sim->world.engine, ref, &state);
    ck_assert_int_eq(roster_find(stored, ref, sim->scratch, &actor), RC_OK);
    ck_assert_msg(live != NULL, "%.*s is stored, but not live", SLICE_ARGS(ref.key));
    const struct actor_form *form = &actor->committed;
    ck_assert_msg(form->state == state &&
                      record_equal(machines[ref.kind]->record, form->value, live),
                  "%.*s is stored otherwise than it lives", SLICE_ARGS(ref.key));
    ck_assert_msg(form->calls == (int64_t)sim_store_calls(sim, &ref),
                  "%.*s counts %lld calls, the outbox %zu", SLICE_ARGS(ref.key),
                  (long long)form->calls, sim_store_calls(sim, &ref));
}

/* What an actor counts of its own work is what is there. Posts of a bridging before this
 * one may still be on their way, and are no concern of it. */
static void check_room(struct sim *sim, struct actor_ref ref)
{
    int state = 0;
    const struct room *room = engine_peek(sim->world.engine, ref, &state);
    if (state == ROOM_JOINED) {
        const size_t posts = sim_store_posts(sim, ref.key, room->life);
        ck_assert_msg(room->posts == (int64_t)posts, "%.*s counts %lld posts, the outbox %zu",
                      SLICE_ARGS(ref.key), (long long)room->posts, posts);
        ck_assert_msg(slice_compare(room->cursor, room->since) >= 0,
                      "%.*s has a cursor before its beginning", SLICE_ARGS(ref.key));
    }
}

static size_t check_kind(struct sim *sim, struct roster *stored, int kind)
{
    static struct store_found found[ACTORS_MAX];
    struct store *store = sim->world.store;
    size_t count = 0;
    size_t calls = 0;
    ck_assert_int_eq(
        store->methods->list(store, kind, SLICE_EMPTY, sim->scratch, found, ACTORS_MAX, &count),
        RC_OK);
    ck_assert_uint_lt(count, ACTORS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct actor_ref ref = {kind, found[i].key};
        compare_actor(sim, stored, ref);
        calls += sim_store_calls(sim, &ref);
        if (kind == ACTOR_ROOM) {
            check_room(sim, ref);
        }
    }
    return calls;
}

/* However long the homeserver is away, what is said on Gitter does not fill the outbox. */
static void check_incoming(struct sim *sim)
{
    const int64_t max = sim->world.settings.owner_incoming_max;
    struct store *store = sim->world.store;
    for (size_t user = 0; max > 0 && user < sim->users_count; user++) {
        int64_t waiting = 0;
        ck_assert_int_eq(
            store->methods->waiting(store, sim->users[user].mxid, CALL_AUTH_APPSERVICE, &waiting),
            RC_OK);
        ck_assert_int_le(waiting, max + OTHER_CALLS_MAX);
    }
}

void sim_check_now(struct sim *sim)
{
    size_t calls = 0;
    arena_reset(sim->scratch);
    struct roster *stored = roster_open(machines, ACTOR_KINDS, sim->world.store);
    for (int kind = 0; kind < ACTOR_KINDS; kind++) {
        calls += check_kind(sim, stored, kind);
    }
    roster_close(stored);
    ck_assert_uint_eq(calls, sim_store_calls(sim, NULL));
    int64_t waiting = 0;
    ck_assert_int_eq(sim->world.store->methods->all_waiting(sim->world.store, &waiting), RC_OK);
    ck_assert_int_eq(waiting, (int64_t)sim_store_counted(sim));
    check_incoming(sim);
    const struct engine_counts counts = engine_counts(sim->world.engine);
    ck_assert_int_eq(counts.refused, 0);
    ck_assert_int_eq(counts.turns_failed, 0);
}
