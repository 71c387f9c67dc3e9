/* The homeserver's transactions and Gitter's links, as far as they bring things. */
#include "tests/sim/sim.h"

#include "codecs/json.h"

#include <inttypes.h>

enum {
    TRANSACTION_EVENTS_MAX = 5,
    RECORDS_AT_ONCE_MAX = 6,
};

/* The homeserver */

void sim_push(struct sim *sim, struct slice id, struct slice raw)
{
    ck_assert_uint_lt(sim->events_count, SIM_EVENTS_MAX);
    sim->events[sim->events_count++] = (struct sim_event){.id = id, .raw = raw};
}

struct slice
sim_push_content(struct sim *sim, struct slice room, struct slice sender, struct slice content)
{
    struct world *world = &sim->world;
    world->ids++;
    const struct slice id = arena_printf(world->arena, "$said%" PRId64, world->ids);
    sim_push(sim, id,
             arena_printf(world->arena,
                          "{\"event_id\":\"%.*s\",\"type\":\"m.room.message\",\"room_id\":\"%.*s\","
                          "\"sender\":\"%.*s\",\"content\":%.*s}",
                          SLICE_ARGS(id), SLICE_ARGS(room), SLICE_ARGS(sender),
                          SLICE_ARGS(content)));
    return id;
}

void sim_push_member(struct sim *sim, struct slice room, struct slice user, const char *change)
{
    struct world *world = &sim->world;
    struct slice after = slice_from_cstr(change);
    const struct slice before = slice_cut(&after, '>');
    world->ids++;
    const struct slice id = arena_printf(world->arena, "$member%" PRId64, world->ids);
    sim_push(sim, id,
             arena_printf(world->arena,
                          "{\"event_id\":\"%.*s\",\"type\":\"m.room.member\",\"room_id\":\"%.*s\","
                          "\"sender\":\"%.*s\",\"state_key\":\"%.*s\",\"content\":{\"membership\":"
                          "\"%.*s\"},\"unsigned\":{\"prev_content\":{\"membership\":\"%.*s\"}}}",
                          SLICE_ARGS(id), SLICE_ARGS(room), SLICE_ARGS(user), SLICE_ARGS(user),
                          SLICE_ARGS(after), SLICE_ARGS(before)));
}

static void event_is_done(void *context, enum rc rc)
{
    struct sim_event *event = context;
    event->is_done = event->is_done || rc == RC_OK;
    event->is_failed = rc != RC_OK;
}

static void post_event(struct sim *sim, struct sim_event *event)
{
    const struct msg_event msg = {.raw = event->raw};
    event->is_failed = false;
    engine_post(sim->world.engine, &(struct input){
                                       .msg = {MSG_MATRIX_EVENT, &msg},
                                       .event_id = event->id,
                                       .done = event_is_done,
                                       .context = event,
                                       .is_repeatable = true,
                                   });
}

static void post_transaction(struct sim *sim)
{
    for (size_t i = sim->events_next; i < sim->events_sent; i++) {
        post_event(sim, &sim->events[i]);
    }
}

/* One transaction at a time, until all of it is acknowledged. */
void sim_deliver_events(struct sim *sim)
{
    bool is_failed = false;
    bool is_done = true;
    for (size_t i = sim->events_next; i < sim->events_sent; i++) {
        is_done = is_done && sim->events[i].is_done;
        is_failed = is_failed || sim->events[i].is_failed;
    }
    if (!is_done) {
        if (is_failed) {
            post_transaction(sim);
        }
        return;
    }
    const size_t begin = sim->events_next;
    if (sim->events_sent > begin && sim_strikes(sim, SIM_REPEATED)) {
        post_transaction(sim); /* its answer was lost */
    }
    const size_t waiting = sim->events_count - sim->events_sent;
    sim->events_next = sim->events_sent;
    if (waiting > 0) {
        const size_t most = waiting < TRANSACTION_EVENTS_MAX ? waiting : TRANSACTION_EVENTS_MAX;
        sim->events_sent += 1 + (size_t)sim_random(sim, most);
        post_transaction(sim);
    }
}

/* Gitter's links */

static void add_record(struct sim *sim, const struct sim_record *record)
{
    ck_assert_uint_lt(sim->records_count, SIM_RECORDS_MAX);
    sim->records[sim->records_count++] = *record;
}

static void
send_record(struct sim *sim, size_t i, const struct peer_message *message, struct slice data)
{
    const struct world_link *link = &sim->world.links[i];
    for (size_t k = 0; link->session != 0 && k < link->channels_count; k++) {
        struct slice room = slice_from(link->channels[k], sizeof "/api/v1/rooms/" - 1);
        if (!slice_equal(slice_cut(&room, '/'), message->room)) {
            continue;
        }
        struct sim_record record = {.link = i, .session = link->session};
        if (!sim_strikes(sim, SIM_GAP)) {
            record.channel = link->channels[k];
            record.data = data;
        }
        add_record(sim, &record);
    }
}

static void tell_links(struct sim *sim, const struct peer_message *message, const char *operation)
{
    struct world *world = &sim->world;
    const struct slice data =
        arena_printf(world->arena, "{\"operation\":\"%s\",\"model\":%.*s}", operation,
                     SLICE_ARGS(peers_message_json(&world->peers, message)));
    for (size_t i = 0; i < world->links_count; i++) {
        send_record(sim, i, message, data);
    }
}

static void notice_gitter(struct sim *sim)
{
    const struct peers *peers = &sim->world.peers;
    for (size_t i = 0; i < peers->messages_count; i++) {
        const struct peer_message *message = &peers->messages[i];
        struct sim_message *known = &sim->messages[i];
        if (i >= sim->messages_count) {
            for (size_t b = 0; b < sim->bridges_count; b++) {
                known->excused |= sim->bridges[b].is_free ? 1U << b : 0;
            }
            known->text = message->text;
            known->shown = message->text;
            sim->messages_count = i + 1;
            tell_links(sim, message, "create");
        } else if (message->is_removed && !known->was_removed) {
            known->was_removed = true;
            tell_links(sim, message, "remove");
        } else if (!slice_equal(message->text, known->shown)) {
            known->shown = message->text;
            tell_links(sim, message, "update");
        }
    }
}

/* What ghosts and the bot say comes back: they are in the bridge's own namespace. */
static void notice_matrix(struct sim *sim)
{
    const struct peers *peers = &sim->world.peers;
    for (; sim->matrix_events_count < peers->events_count; sim->matrix_events_count++) {
        const struct peer_event *event = &peers->events[sim->matrix_events_count];
        if (event->body.len > 0) {
            sim_push(sim, event->id,
                     arena_printf(sim->world.arena,
                                  "{\"event_id\":\"%.*s\",\"type\":\"m.room.message\",\"room_id\":"
                                  "\"%.*s\",\"sender\":\"%.*s\",\"content\":%.*s}",
                                  SLICE_ARGS(event->id), SLICE_ARGS(event->room),
                                  SLICE_ARGS(event->sender), SLICE_ARGS(event->content)));
        }
    }
}

void sim_notice(struct sim *sim)
{
    notice_gitter(sim);
    notice_matrix(sim);
}

/* The answer to a subscription comes behind what was sent before it: such records are not brought
 * after it, but with it. */
static bool is_of_subscription(const struct world_link *link, const struct sim_record *record)
{
    for (size_t i = 0; i < link->channels_count; i++) {
        if (link->channels[i].ptr == record->channel.ptr) { /* each has a text of its own */
            return true;
        }
    }
    return false;
}

static void deliver_record(struct sim *sim, struct sim_record *record)
{
    struct world *world = &sim->world;
    const struct world_link *link = &world->links[record->link];
    record->is_gone = true;
    if (link->session != record->session) {
        return;
    }
    if (record->channel.len == 0) {
        const struct msg_link gap = {.owner = link->owner, .session = link->session};
        world_queue(world, MSG_LINK_GAP, &gap);
        return;
    }
    if (!is_of_subscription(link, record)) {
        return;
    }
    const struct msg_link_record msg = {
        .owner = link->owner,
        .session = link->session,
        .channel = record->channel,
        .data = record->data,
    };
    world_queue(world, MSG_LINK_RECORD, &msg);
}

/* Of each link the oldest first; the links do not wait for each other. */
void sim_deliver_records(struct sim *sim)
{
    bool is_stopped[WORLD_LINKS_MAX] = {false};
    size_t delivered = 0;
    for (size_t i = sim->records_next; i < sim->records_count && delivered < RECORDS_AT_ONCE_MAX;
         i++) {
        struct sim_record *record = &sim->records[i];
        if (record->is_gone || is_stopped[record->link]) {
            continue;
        }
        if (!sim->is_calm && sim_chance(sim, 40)) {
            is_stopped[record->link] = true;
            continue;
        }
        deliver_record(sim, record);
        delivered++;
    }
    while (sim->records_next < sim->records_count && sim->records[sim->records_next].is_gone) {
        sim->records_next++;
    }
}
