/* One Matrix user: what they may do depends on whether they have a token of Gitter, and whether
 * Gitter still takes it. The way to a token is the login actor's; rooms are the room actors'. */
#include "actors/user/user.h"

#include "actors/login/login.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        USER_##FROM, MSG_USER_##ON, user_if_##GUARD, USER_##TO, user_do_##ACTION, #GUARD, #ACTION  \
    }
#define user_if_always NULL
#define user_do_nothing NULL

static fsm_guard user_if_is_current_login, user_if_had_account;
static fsm_guard user_if_is_known, user_if_wants_logout;
static fsm_action user_do_greet_stranger, user_do_greet_account, user_do_greet_expired,
    user_do_adopt_chat, user_do_forget_chat;
static fsm_action user_do_pass_on, user_do_open_chat, user_do_say_wait, user_do_say_leaving;

static const char *const user_states[] = {"UNAUTHENTICATED", "AUTHORISING", "AUTHED", "EXPIRED",
                                          "LEAVING"};

// clang-format off
static const struct fsm_row user_rows[] = {
    /*  from             on              guard             to               action           */
    ROW(AUTHED,          CHAT_READY,     always,           AUTHED,          greet_account),
    ROW(EXPIRED,         CHAT_READY,     always,           EXPIRED,         greet_expired),
    ROW(AUTHORISING,     CHAT_READY,     always,           AUTHORISING,     adopt_chat),
    ROW(LEAVING,         CHAT_READY,     always,           LEAVING,         adopt_chat),
    ROW(ANY,             CHAT_READY,     always,           SAME,            greet_stranger),
    ROW(ANY,             CHAT_LOST,      always,           SAME,            forget_chat),
    ROW(ANY,             TELL,           always,           SAME,            pass_on),

    ROW(AUTHED,          COMMAND,        wants_logout,     LEAVING,         log_out),
    ROW(EXPIRED,         COMMAND,        wants_logout,     LEAVING,         log_out),
    ROW(AUTHED,          COMMAND,        always,           AUTHED,          obey),
    ROW(AUTHORISING,     COMMAND,        always,           AUTHORISING,     say_wait),
    ROW(LEAVING,         COMMAND,        always,           LEAVING,         say_leaving),
    ROW(ANY,             COMMAND,        always,           SAME,            obey_stranger),

    ROW(UNAUTHENTICATED, LOGIN_GRANTED,  is_current_login, AUTHORISING,     take_token),
    ROW(EXPIRED,         LOGIN_GRANTED,  is_current_login, AUTHORISING,     take_token),
    ROW(ANY,             LOGIN_GRANTED,  always,           SAME,            refuse_token),
    ROW(ANY,             LOGIN_FAILED,   is_current_login, SAME,            say_login_failed),
    ROW(ANY,             LOGIN_FAILED,   always,           SAME,            nothing),

    ROW(AUTHORISING,     WHOAMI_ENDED,   always,           AUTHORISING,     read_account),
    ROW(AUTHORISING,     ACCOUNT,        is_known,         AUTHED,          finish_login),
    ROW(AUTHORISING,     ACCOUNT,        had_account,      EXPIRED,         fail_login),
    ROW(AUTHORISING,     ACCOUNT,        always,           UNAUTHENTICATED, fail_login),

    ROW(AUTHED,          TOKEN_REFUSED,  always,           EXPIRED,         expire),

    ROW(AUTHED,          REVIEW,         always,           AUTHED,          review_rooms),
    ROW(AUTHED,          LISTED,         always,           AUTHED,          note_list),
    ROW(ANY,             ERRAND_OVER,    always,           SAME,            go_on),
    ROW(ANY,             TROUBLE,        always,           SAME,            note_trouble),
    ROW(AUTHED,          ASKED,          always,           AUTHED,          note_question),
    ROW(AUTHED,          INVITING,       always,           AUTHED,          note_inviting),
    ROW(AUTHED,          ROOM_MADE,      always,           AUTHED,          note_room),
    ROW(AUTHED,          ROOM_SEEN,      always,           AUTHED,          offer_seen),
    ROW(ANY,             ROOM_PARTED,    always,           SAME,            forget_seen),
    ROW(ANY,             CHAT_MADE_ENDED, always,          SAME,            open_chat),

    ROW(LEAVING,         REVOKE_ENDED,   always,           UNAUTHENTICATED, finish_logout),
    ROW(LEAVING,         LOGGED_OUT,     always,           UNAUTHENTICATED, finish_logout),
};

/* Answers to what was asked before a logout or an expiry are of no use any more. */
#define NOT_AUTHED (STATE_BIT(USER_UNAUTHENTICATED) | STATE_BIT(USER_AUTHORISING) | \
                    STATE_BIT(USER_EXPIRED) | STATE_BIT(USER_LEAVING))
static const struct fsm_pairs user_ignored[] = {
    {MSG_USER_TOKEN_REFUSED, NOT_AUTHED},
    {MSG_USER_REVIEW, NOT_AUTHED},
    {MSG_USER_LISTED, NOT_AUTHED},
    {MSG_USER_ASKED, NOT_AUTHED},
    {MSG_USER_INVITING, NOT_AUTHED},
    {MSG_USER_ROOM_MADE, NOT_AUTHED},
    {MSG_USER_ROOM_SEEN, NOT_AUTHED},
};

#define NOT_AUTHORISING (STATE_BIT(USER_UNAUTHENTICATED) | STATE_BIT(USER_AUTHED) | \
                         STATE_BIT(USER_EXPIRED) | STATE_BIT(USER_LEAVING))
#define NOT_LEAVING (STATE_BIT(USER_UNAUTHENTICATED) | STATE_BIT(USER_AUTHORISING) | \
                     STATE_BIT(USER_AUTHED) | STATE_BIT(USER_EXPIRED))
static const struct fsm_pairs user_refused[] = {
    {MSG_USER_WHOAMI_ENDED, NOT_AUTHORISING},
    {MSG_USER_ACCOUNT, NOT_AUTHORISING},
    {MSG_USER_REVOKE_ENDED, NOT_LEAVING},
    {MSG_USER_LOGGED_OUT, NOT_LEAVING},
};
// clang-format on

/* Guards */

static bool user_if_is_current_login(const void *state, const struct msg *msg)
{
    const struct user *user = state;
    const struct slice login = msg->kind == MSG_USER_LOGIN_GRANTED
                                   ? ((const struct msg_granted *)msg->body)->login
                                   : ((const struct msg_login_failed *)msg->body)->login;
    return login.len > 0 && slice_equal(user->login, login);
}

static bool user_if_had_account(const void *state, const struct msg *msg)
{
    const struct user *user = state;
    (void)msg;
    return user->gitter_id.len > 0;
}

static bool user_if_is_known(const void *state, const struct msg *msg)
{
    (void)state;
    return ((const struct msg_account *)msg->body)->gitter_id.len > 0;
}

static bool user_if_wants_logout(const void *state, const struct msg *msg)
{
    (void)state;
    return slice_equal_fold(((const struct msg_command *)msg->body)->verb, SLICE("logout"));
}

/* Speaking */

static void call_homeserver(struct turn *turn,
                            const struct user *user,
                            int purpose,
                            const struct matrix_request *request)
{
    const struct slice lane = lane_of(turn_arena(turn), "user-chat", user->key);
    struct call call = call_matrix(purpose, request, lane, user->key);
    call.repeat = CALL_REPEAT_NEVER;
    turn_call(turn, &call);
}

/* The chat is a room of ours, then; it becomes the private chat when the user has joined it. */
static void say_in_new_chat(struct turn *turn, struct user *user, const struct text_pair *text)
{
    user->unsaid = text->plain;
    user->unsaid_html = text->html;
    if (!user->is_opening && user->opened.len == 0) {
        const struct matrix_request request = matrix_create_chat_request(
            turn_arena(turn), text_template(TEXT_CHAT_NAME), user->key, user->key);
        call_homeserver(turn, user, MSG_USER_CHAT_MADE_ENDED, &request);
        user->is_opening = true;
    }
}

static void say_in_chat(struct turn *turn, const struct user *user, const struct text_pair *text)
{
    const struct msg_say say = {.text = text->plain, .html = text->html};
    turn_send(turn, (struct actor_ref){ACTOR_CHAT, user->private_room}, MSG_CHAT_SAY, &say);
}

void user_say(struct turn *turn, struct user *user, const struct text_pair *text)
{
    if (user->private_room.len > 0) {
        say_in_chat(turn, user, text);
    } else {
        say_in_new_chat(turn, user, text);
    }
}

void user_say_plain(struct turn *turn, struct user *user, enum text text)
{
    const struct text_pair said = TEXT_PLAIN(turn_arena(turn), text);
    user_say(turn, user, &said);
}

static void replace_chat(struct turn *turn, struct slice room)
{
    turn_send(turn, (struct actor_ref){ACTOR_CHAT, room}, MSG_CHAT_REPLACED, &nothing);
}

/* Not made, or nobody knows: what was to be said may be said the next time. Meanwhile the user may
 * have begun a chat, where it was said. */
static void user_do_open_chat(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    struct slice room = SLICE_EMPTY;
    user->is_opening = false;
    if (ended_is_done(msg) &&
        matrix_room_id_parse(turn_arena(turn), ended_of(msg)->body, &room) == RC_OK) {
        const struct msg_sender opened = {.sender = user->key};
        turn_send(turn, (struct actor_ref){ACTOR_CHAT, room}, MSG_CHAT_OPENED, &opened);
        user->opened = user->private_room.len == 0 ? room : SLICE_EMPTY;
        if (user->private_room.len > 0) {
            replace_chat(turn, room);
        }
    }
}

static void user_do_pass_on(void *next, const struct msg *msg, struct turn *turn)
{
    const struct msg_say *say = msg->body;
    user_say(turn, next, &(struct text_pair){say->text, say->html});
}

static void user_do_say_wait(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    user_say_plain(turn, next, TEXT_LOGGING_IN);
}

static void user_do_say_leaving(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    user_say_plain(turn, next, TEXT_LOGGING_OUT);
}

/* The private chat */

static void adopt(struct user *user, struct slice room, struct turn *turn)
{
    if (user->private_room.len > 0 && !slice_equal(user->private_room, room)) {
        replace_chat(turn, user->private_room);
    }
    if (user->opened.len > 0 && !slice_equal(user->opened, room)) {
        replace_chat(turn, user->opened);
    }
    user->opened = SLICE_EMPTY;
    user->private_room = room;
}

/* What was to be said while there was no chat. A login link in it is of no use behind a greeting
 * that has a newer one. */
static void say_unsaid(struct turn *turn, struct user *user)
{
    if (user->unsaid.len > 0 &&
        slice_find(user->unsaid, SLICE(LOGIN_LINK_PATH)) == user->unsaid.len) {
        say_in_chat(turn, user, &(struct text_pair){user->unsaid, user->unsaid_html});
    }
    user->unsaid = SLICE_EMPTY;
    user->unsaid_html = SLICE_EMPTY;
}

static void user_do_adopt_chat(void *next, const struct msg *msg, struct turn *turn)
{
    adopt(next, ((const struct msg_chat *)msg->body)->room, turn);
    say_unsaid(turn, next);
}

static void user_do_forget_chat(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct slice room = ((const struct msg_chat *)msg->body)->room;
    (void)turn;
    if (slice_equal(user->private_room, room)) {
        user->private_room = SLICE_EMPTY;
    }
    if (slice_equal(user->opened, room)) {
        user->opened = SLICE_EMPTY;
    }
}

/* A name to greet by: the localpart. */
static struct slice short_name(const struct user *user)
{
    struct slice rest = slice_from(user->key, 1);
    return slice_cut(&rest, ':');
}

static void user_do_greet_account(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    adopt(user, ((const struct msg_chat *)msg->body)->room, turn);
    USER_SAY(turn, user, TEXT_GREETING_ACCOUNT, {"user", short_name(user)},
             {"name", user->gitter_name});
    say_unsaid(turn, user);
}

static void user_do_greet_stranger(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    adopt(user, ((const struct msg_chat *)msg->body)->room, turn);
    USER_SAY(turn, user, TEXT_GREETING_STRANGER, {"user", short_name(user)},
             {"link", user_fresh_link(user, turn)});
    say_unsaid(turn, user);
}

static void user_do_greet_expired(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    adopt(user, ((const struct msg_chat *)msg->body)->room, turn);
    user_say_expired(turn, user);
    say_unsaid(turn, user);
}

FIELD_RECORD(user, USER_FIELDS);

const struct fsm user_fsm = {
    .kind = ACTOR_USER,
    .name = "user",
    .table = "users",
    .states = user_states,
    .states_count = MACHINE_COUNT(user_states),
    .first = USER_UNAUTHENTICATED,
    .last = FSM_STATE_NONE,
    .rows = user_rows,
    .rows_count = MACHINE_COUNT(user_rows),
    .ignored = user_ignored,
    .ignored_count = MACHINE_COUNT(user_ignored),
    .refused = user_refused,
    .refused_count = MACHINE_COUNT(user_refused),
    .record = &user_record,
    .key_offset = offsetof(struct user, key),
};
