/* The Matrix side of one Gitter user: registered on first need, renamed when their name changes. */
#include "actors/ghost/ghost.h"

#include "codecs/ghostid.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        GHOST_##FROM, MSG_GHOST_##ON, ghost_if_##GUARD, GHOST_##TO, ghost_do_##ACTION, #GUARD,     \
            #ACTION                                                                                \
    }
#define ghost_if_always NULL
#define ghost_do_nothing NULL

static fsm_guard ghost_if_exists, ghost_if_is_renamed;
static fsm_action ghost_do_register, ghost_do_register_again, ghost_do_rename, ghost_do_forget_name;

static const char *const ghost_states[] = {"UNKNOWN", "REGISTERING", "READY"};

// clang-format off
static const struct fsm_row ghost_rows[] = {
    /*  from         on              guard       to           action        */
    ROW(UNKNOWN,     WANTED,         always,     REGISTERING, register),
    ROW(REGISTERING, WANTED,         is_renamed, REGISTERING, rename),
    ROW(READY,       WANTED,         is_renamed, READY,       rename),
    ROW(READY,       LOST,           always,     REGISTERING, register_again),
    ROW(REGISTERING, REGISTER_ENDED, exists,     READY,       nothing),
    ROW(REGISTERING, REGISTER_ENDED, always,     UNKNOWN,     forget_name),
    ROW(ANY,         NAME_ENDED,     exists,     SAME,        nothing),
    ROW(ANY,         NAME_ENDED,     always,     SAME,        forget_name),
};

static const struct fsm_pairs ghost_ignored[] = {
    /* the name is right already */
    {MSG_GHOST_WANTED, STATE_BIT(GHOST_REGISTERING) | STATE_BIT(GHOST_READY)},
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

static bool ghost_if_is_renamed(const void *state, const struct msg *msg)
{
    const struct ghost *ghost = state;
    const struct msg_wanted *wanted = msg->body;
    return wanted->name.len > 0 && !slice_equal(ghost->name, wanted->name);
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

static void ghost_do_rename(void *next, const struct msg *msg, struct turn *turn)
{
    struct ghost *ghost = next;
    ghost->name = ((const struct msg_wanted *)msg->body)->name;
    call_rename(turn, ghost);
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
}

static void ghost_do_register(void *next, const struct msg *msg, struct turn *turn)
{
    ((struct ghost *)next)->name = ((const struct msg_wanted *)msg->body)->name;
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
