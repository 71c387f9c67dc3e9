/* One bridged room from its making on; its end is in room_leave.c. What is said in it is in
 * room_to_matrix.c and room_to_gitter.c. */
#include "actors/room/room_post.h"

#include "actors/face/face.h"
#include "actors/space/space.h"
#include "codecs/ghostid.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        ROOM_##FROM, MSG_ROOM_##ON, room_if_##GUARD, ROOM_##TO, room_do_##ACTION, #GUARD, #ACTION  \
    }
#define room_if_always NULL
#define room_do_nothing NULL

static fsm_guard room_if_is_new, room_if_is_done, room_if_is_unknown, room_if_has_attempts,
    room_if_is_open;
static fsm_guard room_if_owner_came, room_if_owner_went, room_if_bot_went, room_if_from_owner;
static fsm_guard room_if_owner_edits, room_if_owner_speaks, room_if_not_explained,
    room_if_is_shut_out, room_if_is_unchanged, room_if_is_kept, room_if_is_ours, room_if_is_wanted;
static fsm_action room_do_create, room_do_say_inviting, room_do_note_candidate,
    room_do_read_created;
static fsm_action room_do_await_echo, room_do_give_up, room_do_invite_owner, room_do_create_again;
static fsm_action room_do_invite_again, room_do_say_already;

static const char *const room_states[] = {"CREATING", "INVITED", "JOINED", "LEAVING", "LEFT"};

// clang-format off
static const struct fsm_row room_rows[] = {
    /*  from      on                guard          to        action          */
    ROW(CREATING, BRIDGE,           is_new,        CREATING, create),
    ROW(CREATING, BRIDGE,           always,        CREATING, say_inviting),
    ROW(CREATING, SEEN,             always,        CREATING, note_candidate),
    ROW(CREATING, CREATE_ENDED,     is_done,       CREATING, read_created),
    ROW(CREATING, CREATE_ENDED,     is_unknown,    CREATING, await_echo),
    ROW(CREATING, CREATE_ENDED,     always,        LEFT,     give_up),
    ROW(CREATING, MADE,             always,        INVITED,  invite_owner),
    ROW(CREATING, DEADLINE,         has_attempts,  CREATING, create_again),
    ROW(CREATING, DEADLINE,         always,        LEFT,     give_up),
    ROW(CREATING, UNBRIDGE,         always,        LEAVING,  report_unmade),
    ROW(CREATING, POST_ENDED,       is_kept,       CREATING, look),
    ROW(CREATING, LOOK_ENDED,       is_kept,       CREATING, look),

    ROW(INVITED,  BRIDGE,           always,        INVITED,  invite_again),
    ROW(JOINED,   BRIDGE,           always,        JOINED,   say_already),
    ROW(ANY,      BRIDGE,           always,        CREATING, create),
    ROW(INVITED,  INVITE_ENDED,     is_shut_out,   LEAVING,  tell_not_invited),
    ROW(INVITED,  MEMBER,           owner_came,    JOINED,   nothing),
    ROW(ANY,      MEMBER,           owner_went,    LEAVING,  leave),
    ROW(ANY,      MEMBER,           bot_went,      LEFT,     abandon),
    ROW(ANY,      UNBRIDGE,         is_open,       LEAVING,  unbridge),
    ROW(ANY,      OWNER_GONE,       is_open,       LEAVING,  say_gone),
    ROW(ANY,      SEEN,             always,        SAME,     leave_orphan),

    ROW(JOINED,   MATRIX_TEXT,      owner_edits,   JOINED,   edit),
    ROW(ANY,      MATRIX_TEXT,      owner_speaks,  JOINED,   post),
    ROW(JOINED,   MATRIX_TEXT,      not_explained, JOINED,   explain),
    ROW(JOINED,   MATRIX_REDACTION, from_owner,    JOINED,   remove),
    ROW(JOINED,   EDIT_ENDED,       is_unchanged,  JOINED,   report_edit),
    ROW(ANY,      POST_ENDED,       is_ours,       SAME,     end_post),
    ROW(ANY,      LOOK_ENDED,       is_ours,       SAME,     compare),

    ROW(ANY,      SUBSCRIBED,       is_open,       SAME,     take_snapshot),
    ROW(ANY,      RECORD,           is_open,       SAME,     take_record),
    ROW(ANY,      BEHIND,           is_open,       SAME,     read),
    ROW(ANY,      DEADLINE,         is_open,       SAME,     read),
    ROW(ANY,      CATCH_UP_ENDED,   is_wanted,     SAME,     take_page),
    ROW(ANY,      JOIN_ENDED,       is_open,       SAME,     note_joined),
    ROW(ANY,      SEND_ENDED,       is_open,       SAME,     note_sent),

    ROW(ANY,      CREATE_ENDED,     is_done,       SAME,     leave_created),
    ROW(LEAVING,  CREATE_ENDED,     always,        LEAVING,  leave_candidate),
    ROW(LEAVING,  DEADLINE,         always,        LEFT,     nothing),
    ROW(LEAVING,  FORGET_ENDED,     always,        LEFT,     nothing),
};

#define ALL_STATES (STATE_BIT(ROOM_LEFT + 1) - 1)
#define BUT(state) (ALL_STATES & ~STATE_BIT(state))
static const struct fsm_pairs room_ignored[] = {
    {MSG_ROOM_UNBRIDGE, BUT(ROOM_CREATING)},
    {MSG_ROOM_INVITE_ENDED, ALL_STATES},
    {MSG_ROOM_OWNER_GONE, ALL_STATES},
    {MSG_ROOM_MEMBER, ALL_STATES},
    /* others' messages after the first, and whatever is said while there is no owner in the room */
    {MSG_ROOM_MATRIX_TEXT, ALL_STATES},
    {MSG_ROOM_MATRIX_REDACTION, ALL_STATES},
    /* what a link says of a room that is not there yet, or not any more */
    {MSG_ROOM_SUBSCRIBED, ALL_STATES},
    {MSG_ROOM_RECORD, ALL_STATES},
    {MSG_ROOM_BEHIND, ALL_STATES},
    {MSG_ROOM_CATCH_UP_ENDED, ALL_STATES},
    /* ends of calls that were under way when the room was left */
    {MSG_ROOM_JOIN_ENDED, ALL_STATES},
    {MSG_ROOM_SEND_ENDED, ALL_STATES},
    {MSG_ROOM_POST_ENDED, ALL_STATES},
    {MSG_ROOM_LOOK_ENDED, ALL_STATES},
    {MSG_ROOM_EDIT_ENDED, ALL_STATES},
    {MSG_ROOM_GHOST_ENDED, ALL_STATES},
    {MSG_ROOM_CHANGE_ENDED, ALL_STATES},
    {MSG_ROOM_NOTICE_ENDED, ALL_STATES},
    {MSG_ROOM_LEAVE_ENDED, ALL_STATES},
    {MSG_ROOM_FORGET_ENDED, BUT(ROOM_LEAVING)},
};

static const struct fsm_pairs room_refused[] = {
    /* an attempt that was given up and failed after another had worked */
    {MSG_ROOM_CREATE_ENDED, STATE_BIT(ROOM_INVITED) | STATE_BIT(ROOM_JOINED) | STATE_BIT(ROOM_LEFT)},
    {MSG_ROOM_MADE, BUT(ROOM_CREATING)},
    {MSG_ROOM_DEADLINE, STATE_BIT(ROOM_INVITED) | STATE_BIT(ROOM_JOINED) | STATE_BIT(ROOM_LEFT)},
};
// clang-format on

enum {
    CREATES_MAX = 5,
};

/* Guards */

static bool room_if_is_new(const void *state, const struct msg *msg)
{
    (void)msg;
    return ((const struct room *)state)->owner.len == 0;
}

static bool room_if_is_open(const void *state, const struct msg *msg)
{
    (void)msg;
    return ((const struct room *)state)->matrix_room.len > 0;
}

/* A post of this bridging, or of one that it goes on from. */
static bool room_if_is_kept(const void *state, const struct msg *msg)
{
    return slice_equal(room_post_read(ended_of(msg)->ref).life, ((const struct room *)state)->life);
}

static bool room_if_is_ours(const void *state, const struct msg *msg)
{
    return room_if_is_open(state, msg) && room_if_is_kept(state, msg);
}

static bool room_if_is_done(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_done(msg);
}

static bool room_if_is_unknown(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_unknown(msg);
}

/* An invite that is made again after a lost answer is refused when its owner came in meanwhile:
 * 403 M_FORBIDDEN "... is already in the room". */
static bool room_if_is_shut_out(const void *state, const struct msg *msg)
{
    const struct slice body = ended_of(msg)->body;
    (void)state;
    return !ended_is_done(msg) && slice_find(body, SLICE("is already in the room")) == body.len;
}

/* A removal, which has no body, that is made again after a lost answer finds nothing any more. */
static bool room_if_is_unchanged(const void *state, const struct msg *msg)
{
    (void)state;
    return !ended_is_done(msg) &&
           !(ended_of(msg)->status == 404 && ended_of(msg)->request.len == 0);
}

static bool room_if_has_attempts(const void *state, const struct msg *msg)
{
    (void)msg;
    return ((const struct room *)state)->creates < CREATES_MAX;
}

static bool room_if_owner_came(const void *state, const struct msg *msg)
{
    const struct msg_member *member = msg->body;
    return slice_equal(member->user, ((const struct room *)state)->owner) &&
           slice_equal(member->membership, SLICE("join"));
}

static bool room_if_owner_went(const void *state, const struct msg *msg)
{
    const struct room *room = state;
    const struct msg_member *member = msg->body;
    return room->matrix_room.len > 0 && slice_equal(member->user, room->owner) &&
           member_is_out(member);
}

static bool room_if_bot_went(const void *state, const struct msg *msg)
{
    const struct room *room = state;
    const struct msg_member *member = msg->body;
    return room->matrix_room.len > 0 && member->is_bot && member_is_out(member);
}

static bool room_if_from_owner(const void *state, const struct msg *msg)
{
    const struct slice sender = msg->kind == MSG_ROOM_MATRIX_TEXT
                                    ? ((const struct msg_matrix_text *)msg->body)->sender
                                    : ((const struct msg_matrix_redaction *)msg->body)->sender;
    return slice_equal(sender, ((const struct room *)state)->owner);
}

/* Whoever speaks is there, even if the event of their joining was lost. */
static bool room_if_owner_speaks(const void *state, const struct msg *msg)
{
    return room_if_is_open(state, msg) && room_if_from_owner(state, msg);
}

static bool room_if_owner_edits(const void *state, const struct msg *msg)
{
    return room_if_from_owner(state, msg) &&
           ((const struct msg_matrix_text *)msg->body)->replaces.len > 0;
}

static bool room_if_not_explained(const void *state, const struct msg *msg)
{
    (void)msg;
    return !((const struct room *)state)->was_explained;
}

static bool room_if_is_wanted(const void *state, const struct msg *msg)
{
    return room_if_is_open(state, msg) || room_page_is_beginning(ended_of(msg));
}

/* Making the room */

/* Not before it is known where it begins on Gitter. */
static void room_do_create_again(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    (void)msg;
    room->creates++;
    const struct matrix_new_room wanted = {
        .name = name_on_matrix(turn_arena(turn), room->name),
        .topic = room->topic,
        .marker = room->key,
        .federates = !is_local_user(turn, room->owner),
    };
    const struct matrix_request request =
        matrix_create_bridged_room_request(turn_arena(turn), &wanted);
    struct call call =
        call_matrix(MSG_ROOM_CREATE_ENDED, &request, room_lane_in(turn, room), room->owner);
    call.repeat = CALL_REPEAT_NEVER;
    call.is_catch_up = !room->is_asked;
    call.after_lane = room_lane_read(turn, room);
    turn_call(turn, &call);
}

/* What is said on Gitter from now on is brought over. If Gitter does not tell the last message:
 * the smallest id of this second, by our clock. Should it be ahead of Gitter's, the first snapshot
 * sets that right. */
static struct slice id_of_now(struct turn *turn)
{
    const long long seconds = (long long)(turn_now_ms(turn) / 1000);
    return arena_printf(turn_arena(turn), "%08llx0000000000000000", seconds);
}

static void room_do_create(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_bridge *bridge = msg->body;
    *room = (struct room){
        .key = room->key,
        .owner = bridge->owner,
        .gitter_room = bridge->gitter_room,
        .label = bridge->label,
        .name = bridge->name,
        .topic = bridge->topic,
        .gitter_user = bridge->gitter_user,
        .gitter_name = bridge->gitter_name,
        .is_asked = bridge->is_asked,
        .life = bridge->life.len > 0 ? bridge->life : turn_unique_id(turn),
        .posts = bridge->posts,
        .is_direct = bridge->is_direct,
        .avatar = bridge->avatar,
        .since = bridge->cursor.len > 0 ? bridge->cursor : id_of_now(turn),
    };
    room->cursor = room->since;
    if (bridge->is_asked) {
        room_tell_owner(turn, room, TEXT_INVITING, SLICE_EMPTY);
    }
    room_do_create_again(room, msg, turn);
    if (bridge->cursor.len == 0) {
        room_read_beginning(turn, room);
    }
}

static void room_do_say_inviting(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    room_tell_owner(turn, next, TEXT_INVITING, SLICE_EMPTY);
}

static void settle(struct turn *turn, struct room *room, struct slice matrix_room)
{
    const struct msg_chat made = {.room = matrix_room};
    room->deadline_ms = 0;
    turn_send(turn, (struct actor_ref){ACTOR_ROOM, room->key}, MSG_ROOM_MADE, &made);
}

/* The room's create event is pushed before the answer to createRoom arrives, or instead of it. */
static void room_do_note_candidate(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    room->candidate = ((const struct msg_chat *)msg->body)->room;
    if (room->deadline_ms != 0) { /* the answer was lost, this is what it would have said */
        settle(turn, room, room->candidate);
    }
}

static void room_do_await_echo(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    (void)msg;
    if (room->candidate.len > 0) {
        settle(turn, room, room->candidate);
    } else {
        room->deadline_ms = turn_now_ms(turn) + ROOM_ECHO_WAIT_MS;
    }
}

static void room_do_read_created(void *next, const struct msg *msg, struct turn *turn)
{
    struct slice matrix_room = SLICE_EMPTY;
    if (matrix_room_id_parse(turn_arena(turn), ended_of(msg)->body, &matrix_room) == RC_OK) {
        settle(turn, next, matrix_room);
    } else {
        room_do_await_echo(next, msg, turn);
    }
}

static void room_do_give_up(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct slice why = msg->kind == MSG_ROOM_CREATE_ENDED
                                 ? why_failed(turn_arena(turn), ended_of(msg))
                                 : text_template(TEXT_WHY_SILENT);
    room_tell_owner(turn, room, TEXT_CREATE_FAILED, why);
    room_report_made(turn, room, false);
}

static void invite(struct turn *turn, const struct room *room)
{
    struct arena *arena = turn_arena(turn);
    const struct matrix_request request =
        room->is_direct ? matrix_put_state_request(arena, room->matrix_room, SLICE("m.room.member"),
                                                   room->owner, matrix_direct_invite_json(arena))
                        : matrix_invite_request(arena, room->matrix_room, room->owner, SLICE_EMPTY);
    room_call_homeserver(turn, room, MSG_ROOM_INVITE_ENDED, &request);
}

static void begin_face(struct turn *turn, const struct room *room)
{
    const struct msg_bridge_face face = {
        .owner = room->owner,
        .matrix_room = room->matrix_room,
        .gitter_room = room->gitter_room,
        .gitter_user = room->gitter_user,
        .label = room->label,
        .name = room->name,
        .topic = room->topic,
        .avatar = room->avatar,
    };
    turn_send(turn, room_face(room), MSG_FACE_BEGIN, &face);
}

static void room_do_invite_owner(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    room->matrix_room = ((const struct msg_chat *)msg->body)->room;
    if (room->candidate.len > 0 && !slice_equal(room->candidate, room->matrix_room)) {
        room_leave_empty(turn, room,
                         room->candidate); /* of an attempt before, whose answer was lost */
    }
    room->candidate = SLICE_EMPTY;
    invite(turn, room);
    begin_face(turn, room);
    room_tell_feed(turn, room, MSG_FEED_ROOM_ADDED);
    space_add(turn, room->owner, room->matrix_room);
    room_report_made(turn, room, true);
}

static void room_do_invite_again(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    room_tell_owner(turn, next, TEXT_INVITING, SLICE_EMPTY);
    invite(turn, next);
}

static void room_do_say_already(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    room_tell_owner(turn, next, TEXT_ALREADY_BRIDGED, SLICE_EMPTY);
}

FIELD_RECORD(room, ROOM_FIELDS);

const struct fsm room_fsm = {
    .kind = ACTOR_ROOM,
    .name = "room",
    .table = "rooms",
    .states = room_states,
    .states_count = MACHINE_COUNT(room_states),
    .first = ROOM_CREATING,
    .last = ROOM_LEFT,
    .rows = room_rows,
    .rows_count = MACHINE_COUNT(room_rows),
    .ignored = room_ignored,
    .ignored_count = MACHINE_COUNT(room_ignored),
    .refused = room_refused,
    .refused_count = MACHINE_COUNT(room_refused),
    .record = &room_record,
    .key_offset = offsetof(struct room, key),
    .deadline_offset = offsetof(struct room, deadline_ms),
    .deadline_message = MSG_ROOM_DEADLINE,
};
