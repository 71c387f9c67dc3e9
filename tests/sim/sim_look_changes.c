/* Edits, removals and names, when all has come to rest. */
#include "tests/sim/sim.h"

#include "codecs/json.h"
#include "codecs/matrix.h"

#include <stdio.h>

struct look {
    struct sim *sim;
    struct sim_result *result;
    bool is_told;
};

static void tell(
    const struct look *look, const char *what, struct slice where, struct slice id, struct slice is)
{
    look->result->stale++;
    if (look->is_told) {
        printf("%s: %.*s in %.*s is \"%.*s\"\n", what, SLICE_ARGS(id), SLICE_ARGS(where),
               SLICE_ARGS(is));
    }
}

/* From Gitter */

/* The event that stands for a message in a room; NULL unless there is one. */
static const struct peer_event *
event_of(const struct look *look, struct slice room, struct slice message)
{
    const struct peers *peers = &look->sim->world.peers;
    const struct peer_event *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < peers->events_count; i++) {
        const struct peer_event *event = &peers->events[i];
        if (slice_equal(event->room, room) && event->replaces.len == 0 &&
            slice_find(event->content, message) < event->content.len) {
            found = event;
            count++;
        }
    }
    return count == 1 ? found : NULL;
}

static struct slice last_body(const struct look *look, const struct peer_event *event)
{
    const struct peers *peers = &look->sim->world.peers;
    struct slice body = event->body;
    for (size_t i = 0; i < peers->events_count; i++) {
        if (slice_equal(peers->events[i].replaces, event->id)) {
            body = peers->events[i].body;
        }
    }
    return body;
}

static void look_at_message(const struct look *look, size_t b, size_t m)
{
    const struct sim *sim = look->sim;
    const struct peer_message *message = &sim->world.peers.messages[m];
    const struct peer_event *event = event_of(look, sim->bridges[b].matrix_room, message->id);
    const unsigned bit = 1U << b;
    if (event == NULL || (sim->messages[m].excused & bit) != 0 || sim->messages[m].changes == 0) {
        return;
    }
    const struct slice body = last_body(look, event);
    const bool is_well =
        message->is_removed ? event->is_redacted : slice_equal(body, message->text);
    look->result->changes++;
    if (!is_well && (sim->messages[m].unsure & bit) != 0) {
        look->result->gaps++;
    } else if (!is_well) {
        tell(look, message->is_removed ? "still on Matrix" : "not edited on Matrix",
             sim->bridges[b].key, message->id, body);
    }
}

/* From Matrix */

/* What was said is on Gitter as it should be; once, or as often as something between repeated it,
 * of which one is known to the bridge. */
static bool is_as(const struct sim *sim, size_t said, const struct sim_said *change, bool *is_there)
{
    bool is = false;
    *is_there = false;
    for (size_t i = 0; i < sim->messages_count; i++) {
        const struct peer_message *message = &sim->world.peers.messages[i];
        if (!sim->messages[i].is_first ||
            !slice_equal(sim->messages[i].event_id, sim->said[said].event_id)) {
            continue;
        }
        *is_there = true;
        is = is || sim->messages[i].is_touched || message->is_removed ||
             (!change->is_removal && slice_equal(message->text, change->text));
    }
    return is;
}

/* Another message was taken for its post, and was changed in its stead. */
static bool was_mistaken(const struct sim *sim, size_t said, const struct sim_said *change)
{
    const size_t m = sim_mistaken_for(sim, said);
    const struct peer_message *message = &sim->world.peers.messages[m];
    return m < sim->messages_count &&
           (sim->messages[m].is_touched || message->is_removed ||
            (!change->is_removal && slice_equal(message->text, change->text)));
}

/* The last change of what was said; itself if there is none. */
static size_t last_change(const struct sim *sim, size_t said)
{
    size_t last = said;
    for (size_t i = said + 1; i < sim->said_count; i++) {
        if (sim->said[i].edits == said && !sim->said[last].is_removal) {
            last = i;
        }
    }
    return last;
}

static void look_at_said(const struct look *look, size_t s)
{
    const struct sim *sim = look->sim;
    const struct slice key = sim->bridges[sim->said[s].bridge].key;
    const struct sim_said *change = &sim->said[last_change(sim, s)];
    bool is_there = false;
    if (change == &sim->said[s] || sim->said[s].is_excused) {
        return;
    }
    const bool is_well = is_as(sim, s, change, &is_there) || was_mistaken(sim, s, change);
    look->result->changes++;
    if (is_there && !is_well) {
        tell(look, change->is_removal ? "still on Gitter" : "not edited on Gitter", key,
             change->event_id, sim->said[s].event_id);
    }
}

/* Names */

static void look_at_name(const struct look *look, const char *user)
{
    struct peers *peers = &look->sim->world.peers;
    const struct slice shown =
        peers_setting(peers, arena_printf(peers->arena, "profile @gitter_%s:hs", user));
    const struct slice name = peers_name(peers, slice_from_cstr(user));
    if (!slice_equal(shown, arena_printf(peers->arena, "%.*s (Gitter)", SLICE_ARGS(name)))) {
        tell(look, "an old name", SLICE("all"), slice_from_cstr(user), shown);
    }
}

void sim_look_at_changes(struct sim *sim, bool is_told, struct sim_result *result)
{
    static const char *const people[] = {"dan", "eve", "fay"};
    const struct look look = {sim, result, is_told};
    for (size_t b = 0; b < sim->bridges_count; b++) {
        for (size_t m = 0; m < sim->messages_count; m++) {
            if (sim_is_in_room(&sim->bridges[b], &sim->world.peers.messages[m])) {
                look_at_message(&look, b, m);
            }
        }
    }
    for (size_t s = 0; s < sim->said_count; s++) {
        if (sim->said[s].edits == s) {
            look_at_said(&look, s);
        }
    }
    for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
        look_at_name(&look, people[i]);
    }
}
