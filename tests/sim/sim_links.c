/* Gitter's links, as far as they bring things. Each record travels as text and is taken apart as
 * the daemon does it. */
#include "tests/sim/sim.h"

#include "actors/room/room.h"
#include "codecs/bayeux.h"
#include "codecs/json.h"

#include <inttypes.h>

enum {
    RECORDS_AT_ONCE_MAX = 6,
};

/* The bridge of a link's owner and the room of a channel, or bridges_count. */
static size_t bridge_of(const struct sim *sim, const struct world_link *link, struct slice room)
{
    size_t i = 0;
    while (i < sim->bridges_count &&
           !(slice_equal(sim->users[sim->bridges[i].user].mxid, link->owner) &&
             slice_equal(slice_from_cstr(sim_room_id(sim->bridges[i].room)), room))) {
        i++;
    }
    return i;
}

static void add_record(
    struct sim *sim, size_t link, struct slice channel, struct slice data, struct sim_record record)
{
    ck_assert_uint_lt(sim->records_count, SIM_RECORDS_MAX);
    record.link = link;
    record.session = sim->world.links[link].session;
    /* that somebody was removed while a link lost records is found when the link is made anew */
    const bool is_list = bayeux_channel_user_id(channel).len > 0;
    if (is_list || !sim_strikes(sim, SIM_GAP)) {
        record.channel = channel;
        record.data = data;
    }
    sim->records[sim->records_count++] = record;
}

static const struct slice *find_channel(const struct world_link *link, struct slice channel)
{
    for (size_t i = 0; link->session != 0 && i < link->channels_count; i++) {
        if (slice_equal(link->channels[i], channel)) {
            return &link->channels[i];
        }
    }
    return NULL;
}

void sim_tell_channel(struct sim *sim, struct slice channel, struct slice data)
{
    for (size_t i = 0; i < sim->world.links_count; i++) {
        const struct slice *found = find_channel(&sim->world.links[i], channel);
        if (found != NULL) {
            add_record(sim, i, *found, data, (struct sim_record){.change = 0});
        }
    }
}

static void tell_message(struct sim *sim, size_t m, const char *operation, int change)
{
    struct world *world = &sim->world;
    const struct peer_message *message = &world->peers.messages[m];
    const struct slice data =
        arena_printf(world->arena, "{\"operation\":\"%s\",\"model\":%.*s}", operation,
                     SLICE_ARGS(peers_message_json(&world->peers, message)));
    const struct slice channel = bayeux_room_messages_channel(world->arena, message->room);
    buf_printf(&world->trace, "gitter: %s of %.*s in %.*s by %.*s: %.*s\n", operation,
               SLICE_ARGS(message->id), SLICE_ARGS(message->room), SLICE_ARGS(message->user),
               SLICE_ARGS(message->text));
    for (size_t i = 0; i < world->links_count; i++) {
        const struct slice *found = find_channel(&world->links[i], channel);
        const size_t bridge = bridge_of(sim, &world->links[i], message->room);
        if (found != NULL && bridge < sim->bridges_count) {
            add_record(sim, i, *found, data,
                       (struct sim_record){.message = m, .bridge = bridge, .change = change});
        }
    }
}

/* Till the record of the last change has come on a link, it is not sure that it does. */
static void tell_change(struct sim *sim, size_t m, const char *operation)
{
    struct sim_message *message = &sim->messages[m];
    if (message->changes < SIM_TEXTS_MAX) {
        message->texts[message->changes] = message->shown;
    }
    message->changes++;
    message->unsure = UINT32_MAX;
    tell_message(sim, m, operation, message->changes);
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
            tell_message(sim, i, "create", 0);
        } else if (message->is_removed && !known->was_removed) {
            known->was_removed = true;
            tell_change(sim, i, "remove");
        } else if (!slice_equal(message->text, known->shown)) {
            known->shown = message->text;
            tell_change(sim, i, "update");
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
                                  "\"event_id\":\"%.*s\",\"type\":\"m.room.message\",\"room_id\":"
                                  "\"%.*s\",\"sender\":\"%.*s\",\"content\":%.*s",
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

/* Delivery */

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

static struct slice frame_of(struct sim *sim, const struct sim_record *record)
{
    return arena_printf(sim->world.arena, "[{\"channel\":\"%.*s\",\"data\":%.*s}]",
                        SLICE_ARGS(record->channel), SLICE_ARGS(record->data));
}

static void
post_record(struct sim *sim, const struct world_link *link, const struct sim_record *record)
{
    struct bayeux_message *messages = NULL;
    size_t count = 0;
    const struct slice frame = frame_of(sim, record);
    ck_assert_int_eq(bayeux_parse(sim->world.arena, frame, &messages, &count), RC_OK);
    ck_assert_uint_eq(count, 1);
    const struct msg_link_record msg = {
        .owner = link->owner,
        .session = link->session,
        .channel = messages[0].channel,
        .data = messages[0].data,
    };
    world_queue(&sim->world, MSG_LINK_RECORD, &msg);
}

/* While a room reads what it missed, it may read a message as it was before a change, and not know
 * yet what the change is of. */
static bool
is_level(struct sim *sim, const struct world_link *link, const struct sim_record *record)
{
    const struct room *room = world_peek(&sim->world, ACTOR_ROOM, sim->bridges[record->bridge].key);
    return room != NULL && !room->is_reading && !room->is_behind && room->session == link->session;
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
    post_record(sim, link, record);
    buf_printf(&world->trace, "link of %.*s: change %d of %.*s\n", SLICE_ARGS(link->owner),
               record->change, SLICE_ARGS(world->peers.messages[record->message].id));
    if (record->change > 0 && is_level(sim, link, record)) {
        sim->undurable[sim->undurable_count++] = (size_t)(record - sim->records);
    }
}

void sim_settle_records(struct sim *sim, bool is_lost)
{
    for (size_t i = 0; i < sim->undurable_count && !is_lost; i++) {
        const struct sim_record *record = &sim->records[sim->undurable[i]];
        struct sim_message *message = &sim->messages[record->message];
        if (message->changes == record->change) {
            message->unsure &= ~(1U << record->bridge);
        }
    }
    sim->undurable_count = 0;
}

/* The oldest that is under way comes in part: it is no record. */
void sim_cut_link(struct sim *sim, size_t i)
{
    struct world *world = &sim->world;
    struct world_link *link = &world->links[i];
    struct bayeux_message *messages = NULL;
    size_t count = 0;
    if (link->session == 0) {
        return;
    }
    for (size_t k = sim->records_next; k < sim->records_count; k++) {
        const struct sim_record *record = &sim->records[k];
        if (record->link == i && !record->is_gone && record->channel.len > 0) {
            const struct slice frame = frame_of(sim, record);
            const struct slice part =
                slice_first(frame, 1 + (size_t)sim_random(sim, frame.len - 1));
            ck_assert_int_ne(bayeux_parse(sim->world.arena, part, &messages, &count), RC_OK);
            break;
        }
    }
    const struct msg_link_down down = {
        .owner = link->owner, .session = link->session, .why = SLICE("ENDED")};
    link->session = 0;
    world_queue(world, MSG_LINK_DOWN, &down);
}

void sim_end_subscription(struct sim *sim, const struct sim_bridge *bridge)
{
    struct world_link *link = world_link_of(&sim->world, sim->users[bridge->user].mxid);
    const struct slice channel =
        bayeux_room_messages_channel(sim->world.arena, slice_from_cstr(sim_room_id(bridge->room)));
    size_t kept = 0;
    for (size_t i = 0; i < link->channels_count; i++) {
        if (!slice_equal(link->channels[i], channel)) {
            link->channels[kept++] = link->channels[i];
        }
    }
    link->channels_count = kept;
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
