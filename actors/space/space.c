/* A user's space: a room of rooms, which only the bot may fill. Nothing waits for it, and what
 * cannot be done in it is done with the next room. */
#include "actors/space/space.h"

#include "actors/room/room.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        SPACE_##FROM, MSG_SPACE_##ON, space_if_##GUARD, SPACE_##TO, space_do_##ACTION, #GUARD,     \
            #ACTION                                                                                \
    }
#define space_if_always NULL
#define space_do_nothing NULL

static fsm_guard space_if_is_done, space_if_is_lost, space_if_user_is_out;
static fsm_action space_do_create, space_do_fill, space_do_add, space_do_remove, space_do_forget,
    space_do_leave, space_do_close, space_do_leave_created;

static const char *const space_states[] = {"NONE", "CREATING", "READY", "DECLINED", "CLOSED"};

// clang-format off
static const struct fsm_row space_rows[] = {
    /*  from      on            guard        to        action         */
    ROW(NONE,     ADDED,        always,      CREATING, create),
    ROW(CLOSED,   ADDED,        always,      CREATING, create),
    ROW(CREATING, CREATE_ENDED, is_done,     READY,    fill),
    ROW(CREATING, CREATE_ENDED, always,      CLOSED,   nothing),
    ROW(READY,    ADDED,        always,      READY,    add),
    ROW(ANY,      REMOVED,      always,      SAME,     remove),
    ROW(READY,    CHILD_ENDED,  is_lost,     CLOSED,   forget),
    ROW(READY,    MEMBER,       user_is_out, DECLINED, leave),
    ROW(ANY,      EMPTY,        always,      CLOSED,   close),
    ROW(CLOSED,   CREATE_ENDED, is_done,     CLOSED,   leave_created),
};

#define ALL_STATES (STATE_BIT(SPACE_CLOSED + 1) - 1)
static const struct fsm_pairs space_ignored[] = {
    /* found when the space is there */
    {MSG_SPACE_ADDED, STATE_BIT(SPACE_CREATING) | STATE_BIT(SPACE_DECLINED)},
    {MSG_SPACE_CREATE_ENDED, STATE_BIT(SPACE_CLOSED)},
    {MSG_SPACE_CHILD_ENDED, ALL_STATES},
    {MSG_SPACE_MEMBER, ALL_STATES},
    {MSG_SPACE_INVITE_ENDED, ALL_STATES},
    {MSG_SPACE_LEAVE_ENDED, ALL_STATES},
};

static const struct fsm_pairs space_refused[] = {
    {MSG_SPACE_CREATE_ENDED, STATE_BIT(SPACE_NONE) | STATE_BIT(SPACE_READY) |
                             STATE_BIT(SPACE_DECLINED)},
};
// clang-format on

void space_add(struct turn *turn, struct slice user, struct slice matrix_room)
{
    const struct msg_chat added = {.room = matrix_room};
    if (settings_of(turn)->makes_spaces) {
        turn_send(turn, (struct actor_ref){ACTOR_SPACE, user}, MSG_SPACE_ADDED, &added);
    }
}

void space_remove(struct turn *turn, struct slice user, struct slice matrix_room)
{
    const struct actor_ref space = {ACTOR_SPACE, user};
    const struct msg_chat removed = {.room = matrix_room};
    int state = 0;
    if (turn_exists(turn, space, &state)) {
        turn_send(turn, space, MSG_SPACE_REMOVED, &removed);
    }
}

/* Guards */

static bool space_if_is_done(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_done(msg);
}

static bool space_if_is_lost(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_of(msg)->status == 403 || ended_of(msg)->status == 404;
}

static bool space_if_user_is_out(const void *state, const struct msg *msg)
{
    const struct msg_member *member = msg->body;
    return slice_equal(member->user, ((const struct space *)state)->key) && member_is_out(member);
}

/* Calls */

static void call_homeserver(struct turn *turn,
                            const struct space *space,
                            int purpose,
                            const struct matrix_request *request)
{
    struct call call =
        call_matrix(purpose, request, lane_of(turn_arena(turn), "space", space->key), space->key);
    call.is_catch_up = true;
    call.repeat = purpose == MSG_SPACE_CREATE_ENDED ? CALL_REPEAT_NEVER : CALL_REPEAT_FREELY;
    turn_call(turn, &call);
}

/* Its marker has the form of a room's, and stands for none: a space whose answer was lost is left
 * after the next start. */
static void space_do_create(void *next, const struct msg *msg, struct turn *turn)
{
    const struct space *space = next;
    const struct matrix_new_room wanted = {
        .name = text_template(TEXT_SPACE_NAME),
        .marker = arena_printf(turn_arena(turn), "space|%.*s", SLICE_ARGS(space->key)),
        .federates = !is_local_user(turn, space->key),
    };
    const struct matrix_request request = matrix_create_space_request(turn_arena(turn), &wanted);
    (void)msg;
    call_homeserver(turn, space, MSG_SPACE_CREATE_ENDED, &request);
}

static void
put_child(struct turn *turn, const struct space *space, struct slice room, bool is_there)
{
    struct arena *arena = turn_arena(turn);
    const struct slice content =
        matrix_space_child_json(arena, is_there ? settings_of(turn)->domain : SLICE_EMPTY);
    const struct matrix_request request =
        matrix_put_state_request(arena, space->matrix_room, SLICE("m.space.child"), room, content);
    call_homeserver(turn, space, MSG_SPACE_CHILD_ENDED, &request);
}

static void space_do_add(void *next, const struct msg *msg, struct turn *turn)
{
    put_child(turn, next, ((const struct msg_chat *)msg->body)->room, true);
}

static void space_do_fill(void *next, const struct msg *msg, struct turn *turn)
{
    struct space *space = next;
    struct actor_entry *rooms = NULL;
    if (matrix_room_id_parse(turn_arena(turn), ended_of(msg)->body, &space->matrix_room) != RC_OK) {
        return;
    }
    const struct matrix_request invite =
        matrix_invite_request(turn_arena(turn), space->matrix_room, space->key, SLICE_EMPTY);
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", space->key, &rooms);
    for (size_t i = 0; i < count; i++) {
        int state = 0;
        const struct room *room =
            turn_peek(turn, (struct actor_ref){ACTOR_ROOM, rooms[i].key}, &state);
        if (room != NULL && room_state_has_feed(state) && room->matrix_room.len > 0) {
            put_child(turn, space, room->matrix_room, true);
        }
    }
    call_homeserver(turn, space, MSG_SPACE_INVITE_ENDED, &invite);
}

/* The last one closes it: looked for when the room has come to its next state. */
static void space_do_remove(void *next, const struct msg *msg, struct turn *turn)
{
    const struct space *space = next;
    struct actor_entry *rooms = NULL;
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", space->key, &rooms);
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        left += room_state_is_bridged(rooms[i].state) ? 1 : 0;
    }
    if (left == 0) {
        turn_send(turn, (struct actor_ref){ACTOR_SPACE, space->key}, MSG_SPACE_EMPTY, &nothing);
    } else if (space->matrix_room.len > 0) {
        put_child(turn, space, ((const struct msg_chat *)msg->body)->room, false);
    }
}

static void space_do_forget(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    (void)turn;
    ((struct space *)next)->matrix_room = SLICE_EMPTY;
}

static void leave(struct turn *turn, const struct space *space, struct slice matrix_room)
{
    struct arena *arena = turn_arena(turn);
    const struct matrix_request leave = matrix_leave_request(arena, matrix_room, SLICE_EMPTY);
    const struct matrix_request forget = matrix_forget_request(arena, matrix_room, SLICE_EMPTY);
    call_homeserver(turn, space, MSG_SPACE_LEAVE_ENDED, &leave);
    call_homeserver(turn, space, MSG_SPACE_LEAVE_ENDED, &forget);
}

static void space_do_leave(void *next, const struct msg *msg, struct turn *turn)
{
    struct space *space = next;
    (void)msg;
    leave(turn, space, space->matrix_room);
    space->matrix_room = SLICE_EMPTY;
}

static void space_do_close(void *next, const struct msg *msg, struct turn *turn)
{
    struct space *space = next;
    if (space->matrix_room.len > 0) {
        const struct matrix_request kick =
            matrix_kick_request(turn_arena(turn), space->matrix_room, space->key, SLICE_EMPTY);
        call_homeserver(turn, space, MSG_SPACE_LEAVE_ENDED, &kick);
        space_do_leave(space, msg, turn);
    }
}

static void space_do_leave_created(void *next, const struct msg *msg, struct turn *turn)
{
    struct slice room = SLICE_EMPTY;
    if (matrix_room_id_parse(turn_arena(turn), ended_of(msg)->body, &room) == RC_OK) {
        leave(turn, next, room);
    }
}

FIELD_RECORD(space, SPACE_FIELDS);

const struct fsm space_fsm = {
    .kind = ACTOR_SPACE,
    .name = "space",
    .table = "spaces",
    .states = space_states,
    .states_count = MACHINE_COUNT(space_states),
    .first = SPACE_NONE,
    .last = SPACE_CLOSED,
    .rows = space_rows,
    .rows_count = MACHINE_COUNT(space_rows),
    .ignored = space_ignored,
    .ignored_count = MACHINE_COUNT(space_ignored),
    .refused = space_refused,
    .refused_count = MACHINE_COUNT(space_refused),
    .record = &space_record,
    .key_offset = offsetof(struct space, key),
};
