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
