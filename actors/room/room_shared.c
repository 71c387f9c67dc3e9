/* What the files of this actor share: the names a room goes by, and the word of the bot in it. */
#include "actors/room/room.h"

struct slice room_key_gitter_room(struct slice key)
{
    size_t at = key.len;
    while (at > 0 && key.ptr[at - 1] != '|') {
        at--;
    }
    return slice_from(key, at);
}

static const struct slice channel_before = SLICE_INIT("/api/v1/rooms/");
static const struct slice channel_messages = SLICE_INIT("/chatMessages");
static const struct slice channel_people = SLICE_INIT("/users");

static struct slice channel_of(struct arena *arena, struct slice gitter_room, struct slice after)
{
    return arena_printf(arena, "%.*s%.*s%.*s", SLICE_ARGS(channel_before), SLICE_ARGS(gitter_room),
                        SLICE_ARGS(after));
}

static enum rc cut_channel(struct slice channel, struct slice after, struct slice *gitter_room)
{
    if (!slice_starts_with(channel, channel_before) || !slice_ends_with(channel, after) ||
        channel.len <= channel_before.len + after.len) {
        return RC_ABSENT;
    }
    *gitter_room = slice_first(slice_from(channel, channel_before.len),
                               channel.len - channel_before.len - after.len);
    return RC_OK;
}

struct slice room_channel(struct arena *arena, struct slice gitter_room)
{
    return channel_of(arena, gitter_room, channel_messages);
}

struct slice room_people_channel(struct arena *arena, struct slice gitter_room)
{
    return channel_of(arena, gitter_room, channel_people);
}

enum rc room_of_channel(struct slice channel, struct slice *gitter_room)
{
    return cut_channel(channel, channel_messages, gitter_room);
}

enum rc room_of_people_channel(struct slice channel, struct slice *gitter_room)
{
    return cut_channel(channel, channel_people, gitter_room);
}

struct slice room_last_brought(struct turn *turn, const struct room *room)
{
    struct slice *messages = NULL;
    struct slice value = SLICE_EMPTY;
    struct slice last = room->since;
    const size_t count =
        turn_relations(turn, RELATION_MESSAGE_MAP, room->matrix_room, &messages); /* by id */
    for (size_t i = 0; i < count; i++) {
        const bool is_known =
            turn_related(turn, RELATION_MESSAGE_MAP, room->matrix_room, messages[i], &value);
        if (is_known && room_value_is_pending(value)) {
            return last;
        }
        last = slice_compare(messages[i], last) > 0 ? messages[i] : last;
    }
    return room->cursor;
}

struct slice room_lane_in(struct turn *turn, const struct room *room)
{
    return lane_of(turn_arena(turn), "room-in", room->key);
}

struct slice room_lane_out(struct turn *turn, const struct room *room)
{
    return lane_of(turn_arena(turn), "room-out", room->key);
}

struct slice room_lane_read(struct turn *turn, const struct room *room)
{
    return lane_of(turn_arena(turn), "room-read", room->key);
}

struct slice
room_ref(struct arena *arena, struct slice message, struct slice user, const char *what)
{
    return arena_printf(arena, "%.*s|%.*s|%s", SLICE_ARGS(message), SLICE_ARGS(user), what);
}

void room_notice(struct turn *turn,
                 const struct room *room,
                 const struct text_pair *text,
                 struct slice reply_to)
{
    const struct matrix_content content = {
        .msgtype = SLICE("m.notice"),
        .body = text->plain,
        .html = text->html,
        .reply_to = reply_to,
    };
    const struct matrix_send send = {
        .room_id = room->matrix_room,
        .txn_id = turn_unique_id(turn),
        .content = matrix_content_json(turn_arena(turn), &content),
    };
    const struct matrix_request request = matrix_send_request(turn_arena(turn), &send);
    const struct call call =
        call_matrix(MSG_ROOM_NOTICE_ENDED, &request, room_lane_in(turn, room), room->owner);
    turn_call(turn, &call);
}
