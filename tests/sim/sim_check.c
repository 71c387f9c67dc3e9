/* What must hold: at every moment, and when all has come to rest. */
#include "tests/sim/sim.h"

#include "codecs/json.h"
#include "codecs/matrix.h"

#include <stdio.h>

enum {
    ACTORS_MAX = 256
};

/* At every moment */

static int64_t calls_of_kind(struct sim *sim, int kind)
{
    static struct store_found found[ACTORS_MAX];
    struct store *store = sim->world.store;
    size_t count = 0;
    int64_t calls = 0;
    ck_assert_int_eq(
        store->methods->list(store, kind, SLICE_EMPTY, sim->scratch, found, ACTORS_MAX, &count),
        RC_OK);
    ck_assert_uint_lt(count, ACTORS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct store_actor actor = {0};
        ck_assert_int_eq(store->methods->load(store, kind, found[i].key, sim->scratch, &actor),
                         RC_OK);
        ck_assert_msg(slice_find(actor.body, SLICE("token-")) == actor.body.len,
                      "a token is stored in clear with %.*s", SLICE_ARGS(actor.key));
        calls += actor.calls;
    }
    return calls;
}

static void expect_no_token(struct sim *sim)
{
    static struct outbox_call heads[WORLD_HEADS_MAX];
    const size_t count = world_heads(&sim->world, sim->scratch, heads);
    for (size_t i = 0; i < count; i++) {
        const struct slice texts[] = {heads[i].call.path, heads[i].call.body, heads[i].call.ref};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            ck_assert_msg(slice_find(texts[k], SLICE("token-")) == texts[k].len,
                          "a token is in a call of lane %.*s", SLICE_ARGS(heads[i].call.lane));
        }
    }
}

void sim_check_now(struct sim *sim)
{
    int64_t calls = 0;
    arena_reset(sim->scratch);
    for (int kind = 0; kind < ACTOR_KINDS; kind++) {
        calls += calls_of_kind(sim, kind);
    }
    ck_assert_int_eq(calls, (int64_t)world_outbox(&sim->world));
    expect_no_token(sim);
    const struct engine_counts counts = engine_counts(sim->world.engine);
    ck_assert_int_eq(counts.refused, 0);
    ck_assert_int_eq(counts.turns_failed, 0);
}

/* At the end */

struct look {
    struct sim *sim;
    struct sim_result *result;
    bool is_told;                             /* each finding is printed */
    struct slice gitter_ids[PEERS_ITEMS_MAX]; /* of Matrix events; empty: an edit or a notice */
};

static void read_events(struct look *look)
{
    const struct peers *peers = &look->sim->world.peers;
    for (size_t i = 0; i < peers->events_count; i++) {
        struct json *content = NULL;
        look->gitter_ids[i] = SLICE_EMPTY;
        if (json_parse(look->sim->scratch, peers->events[i].content, &content) == RC_OK &&
            json_get(content, SLICE("m.relates_to")) == NULL) {
            look->gitter_ids[i] = json_get_text(content, SLICE(MATRIX_MARKER_MESSAGE));
        }
    }
}

static void
tell(const struct look *look, const char *what, const struct sim_bridge *bridge, struct slice id)
{
    if (look->is_told) {
        printf("%s: %.*s in %.*s\n", what, SLICE_ARGS(id), SLICE_ARGS(bridge->key));
    }
}

static bool is_in_room(const struct sim_bridge *bridge, const struct peer_message *message)
{
    return message->room.len == 2 && message->room.ptr[1] == (char)('1' + (int)bridge->room);
}

/* The owner wrote the same elsewhere while nobody knew of a post: Gitter cannot tell the two apart.
 */
static bool is_ambiguous(const struct sim *sim, size_t b, struct slice text)
{
    const struct sim_bridge *bridge = &sim->bridges[b];
    const struct peers *peers = &sim->world.peers;
    bool is_unknown = false;
    bool is_elsewhere = false;
    for (size_t i = 0; i < sim->said_count; i++) {
        is_unknown = is_unknown || (sim->said[i].bridge == b && sim->said[i].was_unknown &&
                                    slice_equal(sim->said[i].text, text));
    }
    for (size_t i = 0; i < peers->messages_count; i++) {
        is_elsewhere =
            is_elsewhere ||
            (sim->messages[i].event_id.len == 0 && is_in_room(bridge, &peers->messages[i]) &&
             slice_equal(peers->messages[i].user, sim->users[bridge->user].account) &&
             slice_equal(sim->messages[i].text, text));
    }
    return is_unknown && is_elsewhere;
}

static void look_for_posts(struct look *look, size_t s)
{
    const struct sim *sim = look->sim;
    const struct sim_said *said = &sim->said[s];
    const struct sim_bridge *bridge = &sim->bridges[said->bridge];
    size_t count = 0;
    for (size_t i = 0; i < sim->messages_count; i++) {
        count += sim->messages[i].is_first && slice_equal(sim->messages[i].event_id, said->event_id)
                     ? 1
                     : 0;
    }
    look->result->messages++;
    if (count == 1) {
        return;
    }
    if (count == 0 && said->is_excused) {
        look->result->excused++;
    } else if (is_ambiguous(sim, said->bridge, said->text)) {
        look->result->adopted++;
    } else if (count == 0) {
        look->result->lost++;
        tell(look, "lost on the way to Gitter", bridge, said->event_id);
    } else {
        look->result->doubled++;
        tell(look, "doubled on Gitter", bridge, said->event_id);
    }
}

/* How often a message is in one room, and whether the homeserver forgot in between. */
static size_t
count_in_room(const struct look *look, struct slice room, struct slice id, bool *is_forgotten)
{
    const struct peers *peers = &look->sim->world.peers;
    size_t count = 0;
    bool was_before = false;
    for (size_t i = 0; i < peers->events_count; i++) {
        if (slice_equal(look->gitter_ids[i], id) && slice_equal(peers->events[i].room, room)) {
            *is_forgotten = *is_forgotten || (was_before && i >= look->sim->forgotten_at) ||
                            (count > 0 && slice_equal(peers->events[i].txn, SLICE("(forgotten)")));
            was_before = was_before || i < look->sim->forgotten_at;
            count++;
        }
    }
    return count;
}

static void look_for_message(struct look *look, size_t b, size_t m)
{
    const struct sim *sim = look->sim;
    const struct sim_bridge *bridge = &sim->bridges[b];
    const struct peer_message *message = &sim->world.peers.messages[m];
    const bool is_own = sim->messages[m].event_id.len > 0 && sim->messages[m].user == bridge->user;
    size_t most = 0;
    bool is_forgotten = false;
    for (size_t i = 0; i < bridge->rooms_count; i++) {
        const size_t count = count_in_room(look, bridge->rooms[i], message->id, &is_forgotten);
        most = count > most ? count : most;
    }
    look->result->messages++;
    const bool is_excused = (sim->messages[m].excused & (1U << b)) != 0;
    if (most == (is_own ? 0 : 1)) {
        return;
    }
    if (is_ambiguous(sim, b, sim->messages[m].text) &&
        slice_equal(message->user, sim->users[bridge->user].account)) {
        look->result->adopted++;
    } else if (is_own && is_excused) { /* it was said in the room before */
        look->result->excused++;
    } else if (is_own) {
        look->result->echoed++;
        tell(look, "echoed", bridge, message->id);
    } else if (most > 1 && is_forgotten) {
        look->result->resent++;
    } else if (most > 1) {
        look->result->doubled++;
        tell(look, "doubled on Matrix", bridge, message->id);
    } else if (is_excused) {
        look->result->excused++;
    } else {
        look->result->lost++;
        tell(look, "lost on the way to Matrix", bridge, message->id);
    }
}

static bool was_earlier(const struct look *look, size_t event)
{
    const struct peers *peers = &look->sim->world.peers;
    for (size_t i = 0; i < event; i++) {
        if (slice_equal(look->gitter_ids[i], look->gitter_ids[event]) &&
            slice_equal(peers->events[i].room, peers->events[event].room)) {
            return true;
        }
    }
    return false;
}

/* A removed message is in no page any more, but may still be on its way on a link. */
static bool is_removed(const struct sim *sim, struct slice id)
{
    const struct peers *peers = &sim->world.peers;
    for (size_t i = 0; i < peers->messages_count; i++) {
        if (slice_equal(peers->messages[i].id, id)) {
            return peers->messages[i].is_removed;
        }
    }
    return false;
}

static void look_for_order_on_matrix(struct look *look, const struct sim_bridge *bridge)
{
    const struct peers *peers = &look->sim->world.peers;
    for (size_t r = 0; r < bridge->rooms_count; r++) {
        struct slice last = SLICE_EMPTY;
        for (size_t i = 0; i < peers->events_count; i++) {
            const struct slice id = look->gitter_ids[i];
            if (id.len == 0 || is_removed(look->sim, id) ||
                !slice_equal(peers->events[i].room, bridge->rooms[r]) || was_earlier(look, i)) {
                continue;
            }
            if (slice_compare(id, last) < 0) {
                look->result->disordered++;
                tell(look, "out of order on Matrix", bridge, id);
            }
            last = id;
        }
    }
}

static size_t said_at(const struct sim *sim, struct slice event_id)
{
    size_t i = 0;
    while (i < sim->said_count && !slice_equal(sim->said[i].event_id, event_id)) {
        i++;
    }
    return i;
}

static void look_for_order_on_gitter(struct look *look, size_t b)
{
    const struct sim *sim = look->sim;
    size_t last = 0;
    for (size_t i = 0; i < sim->messages_count; i++) {
        const size_t s = said_at(sim, sim->messages[i].event_id);
        if (s == sim->said_count || sim->said[s].bridge != b) {
            continue;
        }
        if (s + 1 < last && is_ambiguous(sim, b, sim->said[s].text)) {
            look->result->adopted++;
        } else if (s + 1 < last) {
            look->result->disordered++;
            tell(look, "out of order on Gitter", &sim->bridges[b], sim->said[s].event_id);
        }
        last = s + 1 > last ? s + 1 : last;
    }
}

static void look_at_all(struct look *look)
{
    struct sim *sim = look->sim;
    arena_reset(sim->scratch);
    read_events(look);
    for (size_t i = 0; i < sim->said_count; i++) {
        look_for_posts(look, i);
    }
    for (size_t b = 0; b < sim->bridges_count; b++) {
        for (size_t m = 0; m < sim->messages_count; m++) {
            if (is_in_room(&sim->bridges[b], &sim->world.peers.messages[m])) {
                look_for_message(look, b, m);
            }
        }
        look_for_order_on_matrix(look, &sim->bridges[b]);
        look_for_order_on_gitter(look, b);
    }
    look->result->stuck = (int64_t)world_outbox(&sim->world) +
                          (int64_t)(sim->events_count - sim->events_next) +
                          (sim_people_are_well(sim) ? 0 : 1) + (sim_calls_are_over(sim) ? 0 : 1);
}

bool sim_is_level(struct sim *sim)
{
    static struct look look;
    struct sim_result result = {0};
    look = (struct look){.sim = sim, .result = &result};
    look_at_all(&look);
    return result.stuck + result.lost == 0;
}

void sim_check_end(struct sim *sim, struct sim_result *result)
{
    static struct look look;
    look = (struct look){.sim = sim, .result = result, .is_told = true};
    look_at_all(&look);
    if (result->stuck > 0) {
        printf("%lld calls, events or people are still waiting\n", (long long)result->stuck);
    }
}
