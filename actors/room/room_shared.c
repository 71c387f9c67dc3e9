/* What the files of this actor share: the names a room goes by, the values of MESSAGE_MAP, and
 * whom a room talks to. */
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

static const struct slice own_mark = SLICE_INIT("own ");
static const struct slice part_mark = SLICE_INIT("part ");
static const struct slice held_mark = SLICE_INIT("held ");
const struct slice room_value_gone = SLICE_INIT("gone");

static bool begins_with_digit(struct slice text)
{
    return text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9';
}

struct slice room_own_value(struct arena *arena, struct slice event_id, int64_t part)
{
    return part == 0 ? arena_printf(arena, "%.*s%.*s", SLICE_ARGS(own_mark), SLICE_ARGS(event_id))
                     : arena_printf(arena, "%.*s%d %.*s", SLICE_ARGS(part_mark), (int)part,
                                    SLICE_ARGS(event_id));
}

bool room_value_is_own(struct slice value)
{
    return slice_starts_with(value, own_mark) || slice_starts_with(value, part_mark) ||
           slice_equal(value, room_value_gone);
}

/* The first layouts of "held" and "part" had no number. */
static struct slice without_number(struct slice text)
{
    if (begins_with_digit(text)) {
        (void)slice_cut(&text, ' ');
    }
    return text;
}

struct slice room_held_value(struct arena *arena, int64_t ended, struct slice value)
{
    return arena_printf(arena, "%.*s%lld %.*s", SLICE_ARGS(held_mark), (long long)ended,
                        SLICE_ARGS(value));
}

bool room_value_is_held_behind(struct slice value, int64_t ended)
{
    int64_t behind = 0;
    if (!slice_starts_with(value, held_mark)) {
        return false;
    }
    struct slice rest = slice_from(value, held_mark.len);
    return !begins_with_digit(rest) ||
           (slice_to_int(slice_cut(&rest, ' '), &behind) == RC_OK && behind == ended);
}

struct slice room_value_when_free(struct slice value)
{
    return slice_starts_with(value, held_mark) ? without_number(slice_from(value, held_mark.len))
                                               : value;
}

bool room_value_is_pending(struct slice value)
{
    value = room_value_when_free(value);
    return value.len == 0 || slice_starts_with(value, SLICE("later "));
}

struct slice room_value_event(struct slice value)
{
    if (slice_starts_with(value, own_mark)) {
        return slice_from(value, own_mark.len);
    }
    return slice_starts_with(value, part_mark) ? without_number(slice_from(value, part_mark.len))
                                               : value;
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
    return ARENA_JOIN(arena, message, SLICE("|"), user, SLICE("|"), slice_from_cstr(what));
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

void room_call_homeserver(struct turn *turn,
                          const struct room *room,
                          int purpose,
                          const struct matrix_request *request)
{
    const struct call call = call_matrix(purpose, request, room_lane_in(turn, room), room->owner);
    turn_call(turn, &call);
}

void room_tell_owner(struct turn *turn, const struct room *room, enum text text, struct slice why)
{
    const struct text_pair words =
        TEXT_RENDER(turn_arena(turn), text, {"room", room->label}, {"why", why});
    tell_user(turn, room->owner, &words);
}

void room_report_made(struct turn *turn, const struct room *room, bool is_done)
{
    const struct msg_made made = {.gitter_room = room->gitter_room, .is_done = is_done};
    turn_send(turn, (struct actor_ref){ACTOR_USER, room->owner}, MSG_USER_ROOM_MADE, &made);
}

void room_tell_feed(struct turn *turn, const struct room *room, int kind)
{
    const struct msg_room msg = {.gitter_room = room->gitter_room};
    turn_send(turn, (struct actor_ref){ACTOR_FEED, room->owner}, kind, &msg);
}

struct actor_ref room_face(const struct room *room)
{
    return (struct actor_ref){ACTOR_FACE, room->key};
}

void room_leave_empty(struct turn *turn, const struct room *room, struct slice matrix_room)
{
    const struct matrix_request leave =
        matrix_leave_request(turn_arena(turn), matrix_room, SLICE_EMPTY);
    const struct matrix_request forget =
        matrix_forget_request(turn_arena(turn), matrix_room, SLICE_EMPTY);
    room_call_homeserver(turn, room, MSG_ROOM_LEAVE_ENDED, &leave);
    room_call_homeserver(turn, room, MSG_ROOM_LEAVE_ENDED, &forget);
}
