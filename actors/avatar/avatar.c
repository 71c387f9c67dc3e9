/* One picture: fetched from where Gitter says it is, looked at, and uploaded to the homeserver.
 * What is no picture of a known kind, too large or not to be had is tried again a few times, hours
 * apart, and then when somebody asks for it after it was forgotten. */
#include "actors/avatar/avatar.h"

#include "codecs/picture.h"
#include "runtime/base/limits.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        AVATAR_##FROM, MSG_AVATAR_##ON, avatar_if_##GUARD, AVATAR_##TO, avatar_do_##ACTION,        \
            #GUARD, #ACTION                                                                        \
    }
#define avatar_if_always NULL
#define avatar_do_nothing NULL

static fsm_guard avatar_if_is_picture, avatar_if_is_stored, avatar_if_has_attempts;
static fsm_action avatar_do_fetch, avatar_do_fetch_again, avatar_do_note, avatar_do_upload,
    avatar_do_hand_out, avatar_do_give, avatar_do_give_up;

static const char *const avatar_states[] = {"NEW",   "FETCHING", "UPLOADING",
                                            "READY", "FAILED",   "GONE"};

// clang-format off
static const struct fsm_row avatar_rows[] = {
    /*  from       on            guard       to         action       */
    ROW(NEW,       WANTED,       always,     FETCHING,  fetch),
    ROW(READY,     WANTED,       always,     READY,     give),
    ROW(ANY,       WANTED,       always,     SAME,      note),
    ROW(FETCHING,  FETCH_ENDED,  is_picture, UPLOADING, upload),
    ROW(FETCHING,  FETCH_ENDED,  always,     FAILED,    give_up),
    ROW(UPLOADING, UPLOAD_ENDED, is_stored,  READY,     hand_out),
    ROW(UPLOADING, UPLOAD_ENDED, always,     FAILED,    give_up),
    ROW(FAILED,    DEADLINE,     has_attempts, FETCHING, fetch_again),
    ROW(FAILED,    DEADLINE,     always,     GONE,      nothing),
    ROW(READY,     DEADLINE,     always,     GONE,      nothing),
};

#define BUT(state) ((STATE_BIT(AVATAR_GONE + 1) - 1) & ~STATE_BIT(state))
static const struct fsm_pairs avatar_refused[] = {
    {MSG_AVATAR_FETCH_ENDED, BUT(AVATAR_FETCHING)},
    {MSG_AVATAR_UPLOAD_ENDED, BUT(AVATAR_UPLOADING)},
    {MSG_AVATAR_DEADLINE, BUT(AVATAR_FAILED) & ~STATE_BIT(AVATAR_READY)},
};
// clang-format on

enum {
    URL_BYTES_MAX = 1024,
    WAITING_BYTES_MAX = 16 * 1024,
    FAILURES_MAX = 4,
    AGAIN_MS = 6 * 60 * 60 * 1000,
};

static const int64_t day_ms = 24 * INT64_C(3600) * 1000;

/* Asking for it */

struct slice avatar_url(struct turn *turn, struct slice named)
{
    const struct settings *settings = settings_of(turn);
    const bool is_below =
        slice_starts_with(named, SLICE("/")) && !slice_starts_with(named, SLICE("//"));
    const struct slice url = is_below
                                 ? arena_printf(turn_arena(turn), "%.*s%.*s",
                                                SLICE_ARGS(settings->gitter_url), SLICE_ARGS(named))
                                 : named;
    const struct slice site =
        arena_printf(turn_arena(turn), "%.*s/", SLICE_ARGS(settings->gitter_url));
    const bool is_fetched =
        settings->shows_avatars && url.len <= URL_BYTES_MAX &&
        (slice_starts_with(url, SLICE("https://")) || slice_starts_with(url, site));
    return is_fetched ? url : SLICE_EMPTY;
}

void avatar_want(struct turn *turn, struct slice url, struct slice ghost, struct slice face)
{
    const struct msg_avatar_wanted wanted = {.ghost = ghost, .face = face};
    turn_send(turn, (struct actor_ref){ACTOR_AVATAR, url}, MSG_AVATAR_WANTED, &wanted);
}

/* Guards */

static bool avatar_if_is_picture(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_done(msg) && picture_type(ended_of(msg)->body).len > 0 &&
           ended_of(msg)->body.len <= CALL_BODY_BYTES_MAX;
}

static bool avatar_if_is_stored(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_done(msg) && picture_content_uri(ended_of(msg)->body).len > 0;
}

static bool avatar_if_has_attempts(const void *state, const struct msg *msg)
{
    (void)msg;
    return ((const struct avatar *)state)->failures < FAILURES_MAX;
}

static void keep(struct turn *turn, struct avatar *avatar)
{
    avatar->deadline_ms = turn_now_ms(turn) + AVATAR_KEPT_DAYS * day_ms;
}

/* Fetching and uploading: behind everything that people wait for */

static struct call avatar_call(struct turn *turn, const struct avatar *avatar, int purpose)
{
    return (struct call){
        .purpose = purpose,
        .repeat = CALL_REPEAT_FREELY,
        .lane = lane_of(turn_arena(turn), "avatar", avatar->key),
        .owner = SLICE("avatar"),
        .patience_ms = CALL_PATIENCE_MS,
        .is_catch_up = true,
        .takes_401 = true,
    };
}

static void avatar_do_fetch_again(void *next, const struct msg *msg, struct turn *turn)
{
    struct avatar *avatar = next;
    struct call call = avatar_call(turn, avatar, MSG_AVATAR_FETCH_ENDED);
    (void)msg;
    avatar->deadline_ms = 0;
    call.api = CALL_ELSEWHERE;
    call.auth = CALL_AUTH_NONE;
    call.method = SLICE("GET");
    call.path = avatar->key;
    turn_call(turn, &call);
}

static void avatar_do_note(void *next, const struct msg *msg, struct turn *turn)
{
    struct avatar *avatar = next;
    const struct msg_avatar_wanted *wanted = msg->body;
    const struct slice line = arena_printf(turn_arena(turn), "%.*s|%.*s\n",
                                           SLICE_ARGS(wanted->ghost), SLICE_ARGS(wanted->face));
    const bool is_there = slice_find(avatar->waiting, line) < avatar->waiting.len;
    if (!is_there && avatar->waiting.len + line.len <= WAITING_BYTES_MAX) {
        avatar->waiting = arena_printf(turn_arena(turn), "%.*s%.*s", SLICE_ARGS(avatar->waiting),
                                       SLICE_ARGS(line));
    }
}

static void avatar_do_fetch(void *next, const struct msg *msg, struct turn *turn)
{
    avatar_do_note(next, msg, turn);
    avatar_do_fetch_again(next, msg, turn);
}

static void avatar_do_upload(void *next, const struct msg *msg, struct turn *turn)
{
    const struct avatar *avatar = next;
    struct call call = avatar_call(turn, avatar, MSG_AVATAR_UPLOAD_ENDED);
    call.api = CALL_MATRIX;
    call.auth = CALL_AUTH_APPSERVICE;
    call.method = SLICE("POST");
    call.path = SLICE("/_matrix/media/v3/upload");
    call.body = ended_of(msg)->body;
    call.content_type = picture_type(call.body);
    turn_call(turn, &call);
}

/* Telling who asked */

static void
give(struct turn *turn, const struct avatar *avatar, struct slice ghost, struct slice face)
{
    const struct msg_avatar shown = {.url = avatar->key, .mxc = avatar->mxc};
    if (ghost.len > 0) {
        turn_send(turn, (struct actor_ref){ACTOR_GHOST, ghost}, MSG_GHOST_AVATAR, &shown);
    }
    if (face.len > 0) {
        turn_send(turn, (struct actor_ref){ACTOR_FACE, face}, MSG_FACE_AVATAR, &shown);
    }
}

static void avatar_do_give(void *next, const struct msg *msg, struct turn *turn)
{
    struct avatar *avatar = next;
    const struct msg_avatar_wanted *wanted = msg->body;
    if (avatar->deadline_ms - turn_now_ms(turn) < (AVATAR_KEPT_DAYS - 1) * day_ms) {
        keep(turn, avatar);
    }
    give(turn, avatar, wanted->ghost, wanted->face);
}

static void avatar_do_hand_out(void *next, const struct msg *msg, struct turn *turn)
{
    struct avatar *avatar = next;
    struct slice rest = avatar->waiting;
    avatar->mxc = picture_content_uri(ended_of(msg)->body);
    avatar->failures = 0;
    while (rest.len > 0) {
        struct slice face = slice_cut(&rest, '\n');
        const struct slice ghost = slice_cut(&face, '|');
        give(turn, avatar, ghost, face);
    }
    avatar->waiting = SLICE_EMPTY;
    keep(turn, avatar);
}

static void avatar_do_give_up(void *next, const struct msg *msg, struct turn *turn)
{
    struct avatar *avatar = next;
    (void)msg;
    avatar->failures++;
    if (avatar->failures < FAILURES_MAX) {
        avatar->deadline_ms = turn_now_ms(turn) + AGAIN_MS;
    } else {
        keep(turn, avatar);
    }
}

FIELD_RECORD(avatar, AVATAR_FIELDS);

const struct fsm avatar_fsm = {
    .kind = ACTOR_AVATAR,
    .name = "avatar",
    .table = "avatars",
    .states = avatar_states,
    .states_count = MACHINE_COUNT(avatar_states),
    .first = AVATAR_NEW,
    .last = AVATAR_GONE,
    .rows = avatar_rows,
    .rows_count = MACHINE_COUNT(avatar_rows),
    .refused = avatar_refused,
    .refused_count = MACHINE_COUNT(avatar_refused),
    .record = &avatar_record,
    .key_offset = offsetof(struct avatar, key),
    .deadline_offset = offsetof(struct avatar, deadline_ms),
    .deadline_message = MSG_AVATAR_DEADLINE,
};
