/* Messages that were taken for posts of which nobody knew.
 *
 * When the answer to a post is lost, the bridge looks for it and takes the first own message with
 * its text that stands for nothing yet. The owner may have written the same in another client, or
 * something between may have repeated an earlier post: no wire tells that apart. What the bridge
 * took for what is seen as it is stored. */
#include "tests/sim/sim.h"

/* Gitter message ids have this length. */
enum {
    ID_BYTES = 24
};

static size_t message_at(const struct sim *sim, struct slice id)
{
    const struct peers *peers = &sim->world.peers;
    size_t m = 0;
    while (m < peers->messages_count && !slice_equal(peers->messages[m].id, id)) {
        m++;
    }
    return m;
}

static bool is_claimed_for(const struct sim_message *message, struct slice event_id)
{
    for (size_t i = 0; i < message->claims_count; i++) {
        if (slice_equal(message->claims[i], event_id)) {
            return true;
        }
    }
    return false;
}

void sim_note_claim(struct sim *sim, struct slice message, struct slice value)
{
    const struct slice mark = SLICE("own ");
    const size_t m = message_at(sim, message);
    if (!slice_starts_with(value, mark) || m == sim->world.peers.messages_count) {
        return;
    }
    struct sim_message *known = &sim->messages[m];
    const struct slice event_id = slice_from(value, mark.len);
    if (!is_claimed_for(known, event_id)) {
        ck_assert_uint_lt(known->claims_count, SIM_CLAIMS_MAX);
        known->claims[known->claims_count++] = arena_copy(sim->world.arena, event_id);
    }
}

void sim_note_look(struct sim *sim, const struct outbox_call *row)
{
    const struct slice mark = SLICE("afterId=");
    struct slice ref = row->call.ref;
    const size_t s = sim_said_at(sim, slice_cut(&ref, '|'));
    const size_t at = slice_find(row->call.path, mark);
    if (row->call.purpose != MSG_ROOM_LOOK_ENDED || s == sim->said_count ||
        at == row->call.path.len) {
        return;
    }
    const struct slice after =
        slice_first(slice_from(row->call.path, at + mark.len), (size_t)ID_BYTES);
    struct sim_said *said = &sim->said[s];
    if (said->looked_after.len == 0 || slice_compare(after, said->looked_after) < 0) {
        said->looked_after = arena_copy(sim->world.arena, after);
    }
}

bool sim_was_repeated(const struct sim *sim, size_t m)
{
    return sim->messages[m].is_repeat ||
           (m + 1 < sim->messages_count && sim->messages[m + 1].is_repeat);
}

static bool had_text(const struct sim_message *message, struct slice text)
{
    bool had = slice_equal(message->text, text);
    for (int i = 0; i < message->changes && i < SIM_TEXTS_MAX; i++) {
        had = had || slice_equal(message->texts[i], text);
    }
    return had;
}

/* Another message was taken for the post that this one is. */
static bool was_passed_over(const struct sim *sim, size_t m)
{
    const struct slice event_id = sim->messages[m].event_id;
    for (size_t i = 0; i < sim->messages_count; i++) {
        if (i != m && !slice_equal(sim->messages[i].event_id, event_id) &&
            is_claimed_for(&sim->messages[i], event_id)) {
            return true;
        }
    }
    return false;
}

/* It was changed on Gitter before it was found as the post that it is. */
static bool was_hidden(const struct sim *sim, size_t m)
{
    const struct sim_message *message = &sim->messages[m];
    const size_t s = sim_said_at(sim, message->event_id);
    return s < sim->said_count && sim->said[s].was_unknown && message->is_touched &&
           !is_claimed_for(message, message->event_id);
}

/* It stands for nothing that the bridge could know. */
static bool is_free(const struct sim *sim, size_t m)
{
    return sim->messages[m].event_id.len == 0 || sim_was_repeated(sim, m) ||
           was_passed_over(sim, m) || was_hidden(sim, m);
}

static bool is_mistaken_for(const struct sim *sim, size_t m, size_t s)
{
    const struct sim_said *said = &sim->said[s];
    const struct sim_bridge *bridge = &sim->bridges[said->bridge];
    const struct peer_message *message = &sim->world.peers.messages[m];
    return is_claimed_for(&sim->messages[m], said->event_id) &&
           !slice_equal(sim->messages[m].event_id, said->event_id) && said->was_unknown &&
           sim_is_in_room(bridge, message) &&
           slice_equal(message->user, sim->users[bridge->user].account) &&
           had_text(&sim->messages[m], said->text) &&
           slice_compare(message->id, said->looked_after) > 0 && is_free(sim, m);
}

size_t sim_mistaken_for(const struct sim *sim, size_t said)
{
    size_t m = 0;
    while (m < sim->messages_count && !is_mistaken_for(sim, m, said)) {
        m++;
    }
    return m < sim->messages_count ? m : sim->messages_count;
}

bool sim_is_mistaken(const struct sim *sim, size_t m)
{
    for (size_t i = 0; i < sim->messages[m].claims_count; i++) {
        const size_t s = sim_said_at(sim, sim->messages[m].claims[i]);
        if (s < sim->said_count && is_mistaken_for(sim, m, s)) {
            return true;
        }
    }
    return false;
}
