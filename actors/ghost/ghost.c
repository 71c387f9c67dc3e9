/* The Matrix side of one Gitter user: registered on first need, renamed when their name changes. */
#include "actors/ghost/ghost.h"

#include "actors/avatar/avatar.h"
#include "codecs/ghostid.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        GHOST_##FROM, MSG_GHOST_##ON, ghost_if_##GUARD, GHOST_##TO, ghost_do_##ACTION, #GUARD,     \
            #ACTION                                                                                \
    }
#define ghost_if_always NULL
#define ghost_do_nothing NULL

static fsm_guard ghost_if_exists, ghost_if_is_current;
static fsm_action ghost_do_register, ghost_do_register_again, ghost_do_look, ghost_do_forget_name,
    ghost_do_show, ghost_do_forget_avatar;

static const char *const ghost_states[] = {"UNKNOWN", "REGISTERING", "READY"};

// clang-format off
static const struct fsm_row ghost_rows[] = {
    /*  from         on              guard       to           action        */
    ROW(UNKNOWN,     WANTED,         always,     REGISTERING, register),
    ROW(ANY,         WANTED,         always,     SAME,        look),
    ROW(READY,       LOST,           always,     REGISTERING, register_again),
    ROW(REGISTERING, REGISTER_ENDED, exists,     READY,       nothing),
    ROW(REGISTERING, REGISTER_ENDED, always,     UNKNOWN,     forget_name),
    ROW(ANY,         NAME_ENDED,     exists,     SAME,        nothing),
    ROW(ANY,         NAME_ENDED,     always,     SAME,        forget_name),
    ROW(ANY,         AVATAR,         is_current, SAME,        show),
    ROW(ANY,         AVATAR_ENDED,   exists,     SAME,        nothing),
    ROW(ANY,         AVATAR_ENDED,   always,     SAME,        forget_avatar),
};

static const struct fsm_pairs ghost_ignored[] = {
    /* of a picture that it does not show any more */
    {MSG_GHOST_AVATAR, STATE_BIT(GHOST_UNKNOWN) | STATE_BIT(GHOST_REGISTERING) | STATE_BIT(GHOST_READY)},
    {MSG_GHOST_LOST, STATE_BIT(GHOST_UNKNOWN) | STATE_BIT(GHOST_REGISTERING)},
};

static const struct fsm_pairs ghost_refused[] = {
    {MSG_GHOST_REGISTER_ENDED, STATE_BIT(GHOST_UNKNOWN) | STATE_BIT(GHOST_READY)},
};
// clang-format on

/* A name that is taken is taken by us: the namespace is exclusive. */
static bool ghost_if_exists(const void *state, const struct msg *msg)
{
    const struct call_ended *ended = ended_of(msg);
    (void)state;
    return ended->end == CALL_END_DONE ||
           (ended->status == 400 &&
            slice_find(ended->body, SLICE("M_USER_IN_USE")) < ended->body.len);
}

static bool ghost_if_is_current(const void *state, const struct msg *msg)
{
    return slice_equal(((const struct ghost *)state)->avatar,
                       ((const struct msg_avatar *)msg->body)->url);
}

struct slice ghost_lane(struct arena *arena, struct slice gitter_user)
{
    return lane_of(arena, "ghost", gitter_user);
}

static void call_as_ghost(struct turn *turn,
                          const struct ghost *ghost,
                          int purpose,
                          const struct matrix_request *request)
{
    const struct slice lane = ghost_lane(turn_arena(turn), ghost->key);
    const struct call call = call_matrix(purpose, request, lane, lane);
    turn_call(turn, &call);
}

static void call_rename(struct turn *turn, const struct ghost *ghost)
{
    struct arena *arena = turn_arena(turn);
    const struct slice shown = name_on_matrix(arena, ghost->name);
    const struct slice mxid = ghostid_mxid(arena, ghost->key, settings_of(turn)->domain);
    const struct matrix_request request = matrix_displayname_request(arena, mxid, shown);
    call_as_ghost(turn, ghost, MSG_GHOST_NAME_ENDED, &request);
}

static void want_avatar(struct turn *turn, struct ghost *ghost, struct slice named)
{
    const struct slice url = avatar_url(turn, named);
    if (url.len > 0 && !slice_equal(url, ghost->avatar)) {
        ghost->avatar = url;
        avatar_want(turn, url, ghost->key, SLICE_EMPTY);
    }
}

/* Names and pictures change: whoever saw somebody says how they look now. */
static void ghost_do_look(void *next, const struct msg *msg, struct turn *turn)
{
    struct ghost *ghost = next;
    const struct msg_wanted *wanted = msg->body;
    if (wanted->name.len > 0 && !slice_equal(ghost->name, wanted->name)) {
        ghost->name = wanted->name;
        call_rename(turn, ghost);
    }
    want_avatar(turn, ghost, wanted->avatar);
}

static void ghost_do_show(void *next, const struct msg *msg, struct turn *turn)
{
    const struct ghost *ghost = next;
    struct arena *arena = turn_arena(turn);
    const struct slice mxid = ghostid_mxid(arena, ghost->key, settings_of(turn)->domain);
    const struct matrix_request request =
        matrix_avatar_request(arena, mxid, ((const struct msg_avatar *)msg->body)->mxc);
    call_as_ghost(turn, ghost, MSG_GHOST_AVATAR_ENDED, &request);
}

static void ghost_do_forget_avatar(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    (void)turn;
    ((struct ghost *)next)->avatar = SLICE_EMPTY;
}

/* A homeserver that has forgotten the ghost has forgotten its name too. */
static void ghost_do_register_again(void *next, const struct msg *msg, struct turn *turn)
{
    const struct ghost *ghost = next;
    struct arena *arena = turn_arena(turn);
    const struct slice localpart = ghostid_localpart(arena, ghost->key, settings_of(turn)->domain);
    const struct matrix_request request = matrix_register_request(arena, localpart);
    (void)msg;
    call_as_ghost(turn, ghost, MSG_GHOST_REGISTER_ENDED, &request);
    if (ghost->name.len > 0) {
        call_rename(turn, ghost);
    }
    if (ghost->avatar.len > 0) {
        avatar_want(turn, ghost->avatar, ghost->key, SLICE_EMPTY);
    }
}

static void ghost_do_register(void *next, const struct msg *msg, struct turn *turn)
{
    struct ghost *ghost = next;
    const struct msg_wanted *wanted = msg->body;
    ghost->name = wanted->name;
    ghost->avatar = avatar_url(turn, wanted->avatar);
    ghost_do_register_again(next, msg, turn);
}

/* Tried again the next time the ghost is wanted. */
static void ghost_do_forget_name(void *next, const struct msg *msg, struct turn *turn)
{
    struct ghost *ghost = next;
    (void)msg;
    (void)turn;
    ghost->name = SLICE_EMPTY;
}

FIELD_RECORD(ghost, GHOST_FIELDS);

const struct fsm ghost_fsm = {
    .kind = ACTOR_GHOST,
    .name = "ghost",
    .table = "ghosts",
    .states = ghost_states,
    .states_count = MACHINE_COUNT(ghost_states),
    .first = GHOST_UNKNOWN,
    .last = FSM_STATE_NONE,
    .rows = ghost_rows,
    .rows_count = MACHINE_COUNT(ghost_rows),
    .ignored = ghost_ignored,
    .ignored_count = MACHINE_COUNT(ghost_ignored),
    .refused = ghost_refused,
    .refused_count = MACHINE_COUNT(ghost_refused),
    .record = &ghost_record,
    .key_offset = offsetof(struct ghost, key),
};
