/* What must hold when all has come to rest: each message once, in order. */
#include "tests/sim/sim.h"

#include "codecs/json.h"
#include "codecs/matrix.h"

#include <stdio.h>

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

bool sim_is_in_room(const struct sim_bridge *bridge, const struct peer_message *message)
{
    return message->room.len == 2 && message->room.ptr[1] == (char)('1' + (int)bridge->room);
}

/* The bot said why it is not there, under the event. */
static bool is_told(const struct sim *sim, struct slice event_id)
{
    const struct peers *peers = &sim->world.peers;
    for (size_t i = 0; i < peers->events_count; i++) {
        if (slice_equal(peers->events[i].sender, peers->bot) &&
            slice_find(peers->events[i].content, event_id) < peers->events[i].content.len) {
            return true;
        }
    }
    return false;
}

/* A post of which nobody knew was changed on Gitter before it was found there, as often as there is
 * one more of it. */
static bool is_hidden(const struct sim *sim, const struct sim_said *said, size_t posts)
{
    size_t touched = 0;
    for (size_t i = 0; i < sim->messages_count; i++) {
        const struct sim_message *message = &sim->messages[i];
        touched += message->is_first && !message->is_repeat && message->is_touched &&
                           slice_equal(message->event_id, said->event_id)
                       ? 1
                       : 0;
    }
    return said->was_unknown && posts > 1 && posts - 1 <= touched;
}

static size_t count_posts(const struct sim *sim, struct slice event_id)
{
    size_t count = 0;
    for (size_t i = 0; i < sim->messages_count; i++) {
        const struct sim_message *message = &sim->messages[i];
        count +=
            message->is_first && !message->is_repeat && slice_equal(message->event_id, event_id)
                ? 1
                : 0;
    }
    return count;
}

static void look_for_posts(struct look *look, size_t s)
{
    const struct sim *sim = look->sim;
    const struct sim_said *said = &sim->said[s];
    const struct sim_bridge *bridge = &sim->bridges[said->bridge];
    const size_t count = count_posts(sim, said->event_id);
    const bool is_change = said->edits != s;
    look->result->messages += is_change ? 0 : 1;
    look->result->repeated += (int64_t)said->repeated;
    if ((count == 1 && !is_change) || (count == 0 && (is_change || said->is_removed))) {
        return;
    }
    if (count == 0 && said->is_excused) {
        look->result->excused++;
    } else if (count == 0 && sim_mistaken_for(sim, s) < sim->messages_count) {
        return; /* counted once, in count_mistakes */
    } else if (is_hidden(sim, said, count)) {
        look->result->hidden++;
    } else if (count == 0 && bridge->was_banned && is_told(sim, said->event_id)) {
        look->result->told++;
    } else if (count == 0) {
        look->result->lost++;
        tell(look, "lost on the way to Gitter", bridge, said->event_id);
    } else {
        look->result->doubled++;
        tell(look, "doubled on Gitter", bridge, said->event_id);
    }
}

/* How often a message is in one room, and whether nobody could know of the first: it came when its
 * sender had looked for it already, and then the homeserver forgot its transaction. */
static size_t
count_in_room(const struct look *look, struct slice room, struct slice id, bool *is_unknowable)
{
    const struct peers *peers = &look->sim->world.peers;
    size_t count = 0;
    bool was_late = false;
    for (size_t i = 0; i < peers->events_count; i++) {
        if (slice_equal(look->gitter_ids[i], id) && slice_equal(peers->events[i].room, room)) {
            const bool is_forgotten = i >= look->sim->forgotten_at ||
                                      slice_equal(peers->events[i].txn, SLICE("(forgotten)"));
            *is_unknowable = *is_unknowable || (was_late && is_forgotten);
            was_late = was_late || look->sim->is_late[i];
            count++;
        }
    }
    return count;
}

struct found {
    size_t most; /* copies in one room */
    bool is_own; /* the owner said it on Matrix */
    bool is_unknowable;
    bool is_excused;
};

static struct found find_message(struct look *look, size_t b, size_t m)
{
    const struct sim *sim = look->sim;
    const struct sim_bridge *bridge = &sim->bridges[b];
    const struct sim_message *known = &sim->messages[m];
    struct found found = {
        .is_own = known->event_id.len > 0 && known->user == bridge->user,
        .is_excused = (known->excused & (1U << b)) != 0 || sim->world.peers.messages[m].is_removed,
    };
    for (size_t i = 0; i < bridge->rooms_count; i++) {
        const size_t count = count_in_room(look, bridge->rooms[i], sim->world.peers.messages[m].id,
                                           &found.is_unknowable);
        found.most = count > found.most ? count : found.most;
    }
    return found;
}

/* Another one was taken for the post that it is: it came as what the owner wrote elsewhere. */
static bool is_passed_over(const struct sim *sim, size_t m)
{
    const size_t s = sim_said_at(sim, sim->messages[m].event_id);
    return s < sim->said_count && sim_mistaken_for(sim, s) < sim->messages_count;
}

/* It was taken for a post, or another one was taken for the post that it is. */
static bool is_exchanged(const struct sim *sim, size_t b, size_t m, const struct found *found)
{
    const struct slice account = sim->users[sim->bridges[b].user].account;
    if (found->is_own) {
        return found->most == 1 && is_passed_over(sim, m);
    }
    return found->most == 0 && sim_is_mistaken(sim, m) &&
           slice_equal(sim->world.peers.messages[m].user, account);
}

static void look_for_message(struct look *look, size_t b, size_t m)
{
    const struct sim *sim = look->sim;
    const struct sim_bridge *bridge = &sim->bridges[b];
    const struct peer_message *message = &sim->world.peers.messages[m];
    const struct found found = find_message(look, b, m);
    struct sim_result *result = look->result;
    result->messages++;
    const size_t wanted = found.is_own && (found.most == 0 || !sim_was_repeated(sim, m)) ? 0 : 1;
    if (found.most == wanted || is_exchanged(sim, b, m, &found)) {
        return;
    }
    if (found.is_own && (found.is_excused || sim->messages[m].is_touched)) {
        result->excused++; /* it was said in the room before, or changed before it was found */
    } else if (found.is_own && wanted == 0) {
        result->echoed++;
        tell(look, "echoed", bridge, message->id);
    } else if (found.most > 1 && found.is_unknowable) {
        result->resent++;
    } else if (found.most > 1) {
        result->doubled++;
        tell(look, "doubled on Matrix", bridge, message->id);
    } else if (found.is_excused) {
        result->excused++;
    } else {
        result->lost++;
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

/* A removed message is in no page any more, but may still be on its way on a link; of what was said
 * while the owner was out some may be read behind what was said later. */
static bool is_unpromised(const struct sim *sim, size_t b, struct slice id)
{
    const struct peers *peers = &sim->world.peers;
    for (size_t i = 0; i < peers->messages_count; i++) {
        if (slice_equal(peers->messages[i].id, id)) {
            return peers->messages[i].is_removed || (sim->messages[i].excused & (1U << b)) != 0;
        }
    }
    return false;
}

static void look_for_order_on_matrix(struct look *look, size_t b)
{
    const struct sim_bridge *bridge = &look->sim->bridges[b];
    const struct peers *peers = &look->sim->world.peers;
    for (size_t r = 0; r < bridge->rooms_count; r++) {
        struct slice last = SLICE_EMPTY;
        for (size_t i = 0; i < peers->events_count; i++) {
            const struct slice id = look->gitter_ids[i];
            if (id.len == 0 || is_unpromised(look->sim, b, id) ||
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

size_t sim_said_at(const struct sim *sim, struct slice event_id)
{
    size_t i = 0;
    while (i < sim->said_count && !slice_equal(sim->said[i].event_id, event_id)) {
        i++;
    }
    return i;
}

/* Nobody knew of its post, and it came late. It was not looked for, as its room had been left, or
 * could not be, as the room was closed to the owner, who was told. */
static bool is_given_up(const struct sim *sim, const struct sim_said *said)
{
    const bool was_banned = sim->bridges[said->bridge].was_banned;
    return said->was_unknown && (said->is_left || (was_banned && is_told(sim, said->event_id)));
}

static void look_for_order_on_gitter(struct look *look, size_t b)
{
    const struct sim *sim = look->sim;
    size_t last = 0;
    for (size_t i = 0; i < sim->messages_count; i++) {
        const size_t s = sim_said_at(sim, sim->messages[i].event_id);
        if (s == sim->said_count || sim->said[s].bridge != b || sim->said[s].edits != s) {
            continue;
        }
        if (s + 1 < last && is_passed_over(sim, i)) {
            continue;
        }
        if (s + 1 < last && sim->bridges[b].was_banned && sim->said[s].is_edited) {
            look->result->told++; /* refused, and said again by its edit */
        } else if (s + 1 < last && is_given_up(sim, &sim->said[s])) {
            look->result->told++;
        } else if (s + 1 < last) {
            look->result->disordered++;
            tell(look, "out of order on Gitter", &sim->bridges[b], sim->said[s].event_id);
        }
        last = s + 1 > last ? s + 1 : last;
    }
}

static void count_mistakes(struct look *look)
{
    const struct sim *sim = look->sim;
    for (size_t s = 0; s < sim->said_count; s++) {
        look->result->adopted += sim_mistaken_for(sim, s) < sim->messages_count ? 1 : 0;
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
            if (sim_is_in_room(&sim->bridges[b], &sim->world.peers.messages[m])) {
                look_for_message(look, b, m);
            }
        }
        look_for_order_on_matrix(look, b);
        look_for_order_on_gitter(look, b);
    }
    count_mistakes(look);
    sim_look_at_changes(sim, look->is_told, look->result);
    look->result->stuck = (int64_t)sim_store_calls(sim, NULL) +
                          (int64_t)(sim->events_count - sim->events_next) +
                          (sim_people_are_well(sim) ? 0 : 1) + (sim_wire_is_idle(sim) ? 0 : 1);
}

bool sim_is_level(struct sim *sim)
{
    static struct look look;
    struct sim_result result = {0};
    look = (struct look){.sim = sim, .result = &result};
    look_at_all(&look);
    return result.stuck + result.lost + result.stale == 0;
}

void sim_look_at_end(struct sim *sim, struct sim_result *result)
{
    static struct look look;
    look = (struct look){.sim = sim, .result = result, .is_told = true};
    look_at_all(&look);
    if (result->stuck > 0) {
        printf("%lld calls, events or people are still waiting\n", (long long)result->stuck);
    }
}
