/* The face of one bridged room. A new room is filled with the ghosts of its Gitter members, latest
 * speakers first, in the background and up to a limit; after that they come and go with their
 * people on Gitter. */
#include "actors/face/face.h"

#include "actors/ghost/ghost.h"
#include "actors/room/room.h"
#include "codecs/ghostid.h"
#include "codecs/json.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        FACE_##FROM, MSG_FACE_##ON, face_if_##GUARD, FACE_##TO, face_do_##ACTION, #GUARD, #ACTION  \
    }
#define face_if_always NULL
#define face_do_nothing NULL

static fsm_guard face_if_is_done, face_if_is_here, face_if_went, face_if_changed, face_if_is_open;
static fsm_action face_do_begin, face_do_bring, face_do_fetch_list, face_do_bring_list,
    face_do_take_away;
static fsm_action face_do_rename_ghost, face_do_note_joined, face_do_check, face_do_judge;
static fsm_action face_do_end;

static const char *const face_states[] = {"NEW", "SPEAKERS", "LISTING", "KEPT", "OVER"};

// clang-format off
static const struct fsm_row face_rows[] = {
    /*  from      on            guard    to        action        */
    ROW(NEW,      BEGIN,        always,  SPEAKERS, begin),
    ROW(OVER,     BEGIN,        always,  SPEAKERS, begin),
    ROW(SPEAKERS, SPOKEN,       always,  LISTING,  fetch_list),
    ROW(LISTING,  LIST_ENDED,   is_done, KEPT,     bring_list),
    ROW(KEPT,     LIST_ENDED,   is_done, KEPT,     bring_list),
    ROW(LISTING,  LIST_ENDED,   always,  KEPT,     nothing),
    ROW(ANY,      PERSON,       went,    SAME,     take_away),
    ROW(ANY,      PERSON,       changed, SAME,     rename_ghost),
    ROW(ANY,      PERSON,       is_open, SAME,     bring),
    ROW(ANY,      JOIN_ENDED,   is_here, SAME,     note_joined),
    ROW(ANY,      DETAILS,      is_open, SAME,     show_details),
    ROW(ANY,      AVATAR,       is_open, SAME,     show_avatar),
    ROW(ANY,      DEADLINE,     is_open, SAME,     furnish),
    ROW(ANY,      OWNER_GONE,   is_open, SAME,     check),
    ROW(ANY,      CHECK_ENDED,  is_open, SAME,     judge),
    ROW(ANY,      END,          always,  OVER,     end),
};

#define ALL_STATES (STATE_BIT(FACE_OVER + 1) - 1)
#define BUT(state) (ALL_STATES & ~STATE_BIT(state))
static const struct fsm_pairs face_ignored[] = {
    {MSG_FACE_SPOKEN, BUT(FACE_SPEAKERS)},
    {MSG_FACE_LIST_ENDED, BUT(FACE_LISTING)}, /* left meanwhile, or a further page that failed */
    {MSG_FACE_PERSON, ALL_STATES},
    {MSG_FACE_JOIN_ENDED, ALL_STATES},
    {MSG_FACE_DETAILS, ALL_STATES},
    {MSG_FACE_AVATAR, ALL_STATES},
    {MSG_FACE_OWNER_GONE, ALL_STATES},
    {MSG_FACE_CHECK_ENDED, ALL_STATES},
    {MSG_FACE_INVITE_ENDED, ALL_STATES},
    {MSG_FACE_LEAVE_ENDED, ALL_STATES},
    {MSG_FACE_STATE_ENDED, ALL_STATES},
    {MSG_FACE_DEADLINE, ALL_STATES},
};

static const struct fsm_pairs face_refused[] = {
    {MSG_FACE_BEGIN, STATE_BIT(FACE_SPEAKERS) | STATE_BIT(FACE_LISTING) | STATE_BIT(FACE_KEPT)},
};
// clang-format on

enum {
    LIST_PEOPLE = 100,
    CHECK_AGAIN_MS = 5 * 60 * 1000,
};

/* Guards */

static bool is_what(const struct msg *msg, struct slice what)
{
    return slice_equal(((const struct msg_person *)msg->body)->what, what);
}

static bool face_if_is_open(const void *state, const struct msg *msg)
{
    (void)msg;
    return ((const struct face *)state)->matrix_room.len > 0;
}

static bool face_if_is_done(const void *state, const struct msg *msg)
{
    return face_if_is_open(state, msg) && ended_is_done(msg);
}

/* Not the end of a join into an earlier Matrix room. */
static bool face_if_is_here(const void *state, const struct msg *msg)
{
    struct slice ref = ended_of(msg)->ref;
    return face_if_is_open(state, msg) &&
           slice_equal(slice_cut(&ref, ' '), ((const struct face *)state)->matrix_room);
}

static bool face_if_went(const void *state, const struct msg *msg)
{
    return face_if_is_open(state, msg) && is_what(msg, SLICE("remove"));
}

static bool face_if_changed(const void *state, const struct msg *msg)
{
    return face_if_is_open(state, msg) &&
           (is_what(msg, SLICE("update")) || is_what(msg, SLICE("patch")));
}

/* Calls: behind live messages, and a ghost's own lane first */

struct slice face_lane(struct arena *arena, struct slice key)
{
    return lane_of(arena, "face", key);
}

struct call face_call(struct turn *turn,
                      const struct face *face,
                      int purpose,
                      const struct matrix_request *request)
{
    const struct slice lane = face_lane(turn_arena(turn), face->key);
    struct call call = call_matrix(purpose, request, lane, face->owner);
    call.is_catch_up = true;
    return call;
}

static void face_do_begin(void *next, const struct msg *msg, struct turn *turn)
{
    struct face *face = next;
    const struct msg_bridge_face *begin = msg->body;
    *face = (struct face){
        .key = face->key,
        .owner = begin->owner,
        .matrix_room = begin->matrix_room,
        .gitter_room = begin->gitter_room,
        .gitter_user = begin->gitter_user,
        .label = begin->label,
        .name = begin->name,
        .topic = begin->topic,
    };
    face_do_furnish(face, msg, turn);
    face_want_avatar(turn, face, begin->avatar);
}

/* People */

static void bring(struct turn *turn, struct face *face, const struct msg_person *person)
{
    const struct slice gitter_user = person->gitter_user;
    struct slice value = SLICE_EMPTY;
    if (gitter_user.len == 0 || slice_equal(gitter_user, face->gitter_user) ||
        face->people >= settings_of(turn)->room_members_max) {
        return;
    }
    const struct slice ghost = room_ghost(turn, gitter_user);
    if (turn_related(turn, RELATION_GHOST_ROOM, face->matrix_room, ghost, &value)) {
        return;
    }
    const struct msg_wanted wanted = {.name = person->name, .avatar = person->avatar};
    turn_send(turn, (struct actor_ref){ACTOR_GHOST, gitter_user}, MSG_GHOST_WANTED, &wanted);
    const struct matrix_request invite =
        matrix_invite_request(turn_arena(turn), face->matrix_room, ghost, SLICE_EMPTY);
    const struct matrix_request join =
        matrix_join_request(turn_arena(turn), face->matrix_room, ghost);
    struct call call = face_call(turn, face, MSG_FACE_INVITE_ENDED, &invite);
    call.after_lane = ghost_lane(turn_arena(turn), gitter_user);
    turn_call(turn, &call);
    call = face_call(turn, face, MSG_FACE_JOIN_ENDED, &join);
    call.ref = arena_printf(turn_arena(turn), "%.*s %.*s", SLICE_ARGS(face->matrix_room),
                            SLICE_ARGS(ghost));
    turn_call(turn, &call);
    turn_relate(turn, RELATION_GHOST_ROOM, face->matrix_room, ghost, face_coming);
    face->people++;
}

static void face_do_bring(void *next, const struct msg *msg, struct turn *turn)
{
    bring(turn, next, msg->body);
}

/* Pages of a list without order may overlap or miss somebody: those who are missed come when they
 * speak. */
static void fetch_page(struct turn *turn, const struct face *face, int64_t skip)
{
    struct arena *arena = turn_arena(turn);
    const struct gitter_request request = {
        .method = SLICE("GET"),
        .path = arena_printf(arena, "/rooms/%.*s/users?limit=%d&skip=%lld",
                             SLICE_ARGS(face->gitter_room), LIST_PEOPLE, (long long)skip),
    };
    struct call call = call_gitter(MSG_FACE_LIST_ENDED, &request,
                                   lane_of(arena, "face-read", face->key), face->owner);
    call.is_catch_up = true;
    call.ref = arena_printf(arena, "%lld", (long long)skip);
    turn_call(turn, &call);
}

static void face_do_fetch_list(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    fetch_page(turn, next, 0);
}

static void face_do_bring_list(void *next, const struct msg *msg, struct turn *turn)
{
    struct face *face = next;
    struct json *list = NULL;
    int64_t skip = 0;
    if (json_parse(turn_arena(turn), ended_of(msg)->body, &list) != RC_OK ||
        slice_to_int(ended_of(msg)->ref, &skip) != RC_OK) {
        return;
    }
    for (const struct json *person = json_first(list); person != NULL; person = person->next) {
        struct gitter_user user = {0};
        if (gitter_user_parse(turn_arena(turn), person->raw, &user) == RC_OK) {
            const struct msg_person shown = {
                .gitter_user = user.id,
                .name = user.display_name.len > 0 ? user.display_name : user.username,
                .avatar = user.avatar_url,
            };
            bring(turn, face, &shown);
        }
    }
    if (json_count(list) >= LIST_PEOPLE && face->people < settings_of(turn)->room_members_max) {
        fetch_page(turn, face, skip + LIST_PEOPLE);
    }
}

static void face_do_note_joined(void *next, const struct msg *msg, struct turn *turn)
{
    const struct face *face = next;
    struct slice ghost = ended_of(msg)->ref;
    struct slice value = SLICE_EMPTY;
    (void)slice_cut(&ghost, ' ');
    if (!turn_related(turn, RELATION_GHOST_ROOM, face->matrix_room, ghost, &value) ||
        !slice_equal(value, face_coming)) {
        return; /* gone meanwhile, or brought by the room because it spoke */
    }
    if (ended_is_done(msg)) {
        turn_relate(turn, RELATION_GHOST_ROOM, face->matrix_room, ghost, SLICE_EMPTY);
    } else {
        turn_unrelate(turn, RELATION_GHOST_ROOM, face->matrix_room, ghost);
    }
}

/* Only those who are here can go. */
static void face_do_take_away(void *next, const struct msg *msg, struct turn *turn)
{
    struct face *face = next;
    const struct msg_person *person = msg->body;
    struct slice value = SLICE_EMPTY;
    if (person->gitter_user.len == 0) {
        return;
    }
    const struct slice ghost = room_ghost(turn, person->gitter_user);
    if (!turn_related(turn, RELATION_GHOST_ROOM, face->matrix_room, ghost, &value)) {
        return;
    }
    const struct matrix_request leave =
        matrix_leave_request(turn_arena(turn), face->matrix_room, ghost);
    const struct room room = {.key = face->key};
    struct call call = face_call(turn, face, MSG_FACE_LEAVE_ENDED, &leave);
    call.after_lane = room_lane_in(turn, &room); /* what they said last is brought first */
    turn_call(turn, &call);
    turn_unrelate(turn, RELATION_GHOST_ROOM, face->matrix_room, ghost);
    face->people -= face->people > 0 ? 1 : 0;
}

static void face_do_rename_ghost(void *next, const struct msg *msg, struct turn *turn)
{
    const struct msg_person *person = msg->body;
    int state = 0;
    (void)next;
    if (turn_exists(turn, (struct actor_ref){ACTOR_GHOST, person->gitter_user}, &state)) {
        const struct msg_wanted wanted = {.name = person->name, .avatar = person->avatar};
        turn_send(turn, (struct actor_ref){ACTOR_GHOST, person->gitter_user}, MSG_GHOST_WANTED,
                  &wanted);
    }
}

/* Is the owner still there? Gitter's push says the same for a room that was only hidden. */

static void check(struct turn *turn, const struct face *face, int64_t not_before_ms)
{
    const struct gitter_request request = gitter_room_request(turn_arena(turn), face->gitter_room);
    const struct slice lane = lane_of(turn_arena(turn), "face-read", face->key);
    struct call call = call_gitter(MSG_FACE_CHECK_ENDED, &request, lane, face->owner);
    call.not_before_ms = not_before_ms;
    turn_call(turn, &call);
}

static void face_do_check(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    check(turn, next, 0);
}

static void face_do_judge(void *next, const struct msg *msg, struct turn *turn)
{
    const struct face *face = next;
    const struct call_ended *ended = ended_of(msg);
    struct gitter_room room = {0};
    const bool is_readable =
        ended_is_done(msg) && gitter_room_parse(turn_arena(turn), ended->body, &room) == RC_OK;
    const bool is_out = ended->status == 403 || ended->status == 404 ||
                        (is_readable && room.has_is_member && !room.is_member);
    const bool is_trouble = ended->status == 0 || ended->status >= 500;
    if (is_out) {
        turn_send(turn, (struct actor_ref){ACTOR_ROOM, face->key}, MSG_ROOM_OWNER_GONE, &nothing);
    } else if (is_trouble) {
        check(turn, face, turn_now_ms(turn) + CHECK_AGAIN_MS);
    } else { /* back again: Gitter ended the subscription when the owner went */
        const struct msg_room again = {.gitter_room = face->gitter_room};
        turn_send(turn, (struct actor_ref){ACTOR_FEED, face->owner}, MSG_FEED_ROOM_ADDED, &again);
    }
}

static void face_do_end(void *next, const struct msg *msg, struct turn *turn)
{
    struct face *face = next;
    (void)msg;
    turn_cancel(turn, face_lane(turn_arena(turn), face->key), SLICE_EMPTY);
    turn_cancel(turn, lane_of(turn_arena(turn), "face-read", face->key), SLICE_EMPTY);
    *face = (struct face){.key = face->key};
}

FIELD_RECORD(face, FACE_FIELDS);

const struct fsm face_fsm = {
    .kind = ACTOR_FACE,
    .name = "face",
    .table = "faces",
    .states = face_states,
    .states_count = MACHINE_COUNT(face_states),
    .first = FACE_NEW,
    .last = FACE_OVER,
    .rows = face_rows,
    .rows_count = MACHINE_COUNT(face_rows),
    .ignored = face_ignored,
    .ignored_count = MACHINE_COUNT(face_ignored),
    .refused = face_refused,
    .refused_count = MACHINE_COUNT(face_refused),
    .record = &face_record,
    .key_offset = offsetof(struct face, key),
    .deadline_offset = offsetof(struct face, deadline_ms),
    .deadline_message = MSG_FACE_DEADLINE,
};
