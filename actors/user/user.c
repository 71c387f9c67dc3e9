/* One Matrix user: what they may do depends on whether they have a token of Gitter, and whether
 * Gitter still takes it. The way to a token is the login actor's; rooms are the room actors'. */
#include "actors/user/user.h"

#include "runtime/base/buf.h"

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
static fsm_action user_do_pass_on, user_do_log_out, user_do_open_chat;
static fsm_action user_do_say_wait, user_do_say_leaving, user_do_take_token, user_do_refuse_token;
static fsm_action user_do_say_login_failed, user_do_finish_login, user_do_fail_login;
static fsm_action user_do_expire, user_do_finish_logout, user_do_read_account;

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

static struct slice user_lane(struct turn *turn, const struct user *user)
{
    return lane_of(turn_arena(turn), "user", user->key);
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

static const struct slice link_path = SLICE_INIT("/auth_gitter/");

/* What was to be said while there was no chat. A login link in it is of no use behind a greeting
 * that has a newer one. */
static void say_unsaid(struct turn *turn, struct user *user)
{
    if (user->unsaid.len > 0 && slice_find(user->unsaid, link_path) == user->unsaid.len) {
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

/* The login */

static struct slice random_hex(struct turn *turn, size_t bytes)
{
    unsigned char random[32];
    struct buf hex;
    buf_init(&hex, turn_arena(turn));
    bytes = bytes < sizeof random ? bytes : sizeof random;
    turn_random(turn, random, bytes);
    for (size_t i = 0; i < bytes; i++) {
        buf_printf(&hex, "%02x", random[i]);
    }
    return buf_slice(&hex);
}

/* A new link; the one given before stops working. */
static struct slice fresh_link(struct user *user, struct turn *turn)
{
    const struct slice secret = turn_secret(turn, 20);
    if (user->login.len > 0) {
        turn_send(turn, (struct actor_ref){ACTOR_LOGIN, user->login}, MSG_LOGIN_CANCELLED,
                  &nothing);
    }
    user->login = random_hex(turn, 8);
    const struct msg_offer offer = {.user = user->key, .secret = secret};
    turn_send(turn, (struct actor_ref){ACTOR_LOGIN, user->login}, MSG_LOGIN_OFFERED, &offer);
    return arena_printf(turn_arena(turn), "%.*s%.*s%.*s.%.*s",
                        SLICE_ARGS(settings_of(turn)->login_url), SLICE_ARGS(link_path),
                        SLICE_ARGS(user->login), SLICE_ARGS(secret));
}

static void user_do_greet_stranger(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    adopt(user, ((const struct msg_chat *)msg->body)->room, turn);
    USER_SAY(turn, user, TEXT_GREETING_STRANGER, {"user", short_name(user)},
             {"link", fresh_link(user, turn)});
    say_unsaid(turn, user);
}

static void say_expired(struct turn *turn, struct user *user)
{
    USER_SAY(turn, user, TEXT_TOKEN_EXPIRED, {"name", user->gitter_name},
             {"link", fresh_link(user, turn)});
}

static void user_do_greet_expired(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    adopt(user, ((const struct msg_chat *)msg->body)->room, turn);
    say_expired(turn, user);
    say_unsaid(turn, user);
}

void user_offer_login(struct turn *turn, struct user *user)
{
    USER_SAY(turn, user, TEXT_NOT_LOGGED_IN, {"link", fresh_link(user, turn)});
}

static void user_do_say_login_failed(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct msg_login_failed *failed = msg->body;
    user->login = SLICE_EMPTY;
    USER_SAY(turn, user, TEXT_LOGIN_FAILED, {"why", failed->why}, {"link", fresh_link(user, turn)});
}

struct slice user_of_owner(struct slice owner)
{
    const struct slice mark = SLICE(USER_NEW_TOKEN);
    return slice_ends_with(owner, mark) ? slice_first(owner, owner.len - mark.len) : owner;
}

struct slice user_token(const struct user *user, struct slice owner)
{
    return slice_equal(user->key, owner) ? user->token : user->new_token;
}

static void user_do_take_token(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    user->new_token = ((const struct msg_granted *)msg->body)->token;
    const struct slice owner =
        arena_printf(turn_arena(turn), "%.*s" USER_NEW_TOKEN, SLICE_ARGS(user->key));
    const struct gitter_request request = gitter_user_request(turn_arena(turn));
    /* a lane of its own: what waits in another may wait for the end of this */
    const struct slice lane = lane_of(turn_arena(turn), "user", owner);
    struct call call = call_gitter(MSG_USER_WHOAMI_ENDED, &request, lane, owner);
    call.takes_401 = true;
    call.patience_ms = CALL_PATIENCE_MS;
    turn_call(turn, &call);
}

static void user_do_read_account(void *next, const struct msg *msg, struct turn *turn)
{
    const struct user *user = next;
    struct gitter_user account = {0};
    if (!ended_is_done(msg) ||
        gitter_user_parse(turn_arena(turn), ended_of(msg)->body, &account) != RC_OK) {
        account = (struct gitter_user){0};
    }
    const struct msg_account known = {.gitter_id = account.id, .gitter_name = account.username};
    turn_send(turn, (struct actor_ref){ACTOR_USER, user->key}, MSG_USER_ACCOUNT, &known);
}

static void answer_login(struct turn *turn, struct slice login, bool is_done, struct slice name)
{
    const struct msg_login_result result = {.is_done = is_done, .gitter_name = name};
    turn_send(turn, (struct actor_ref){ACTOR_LOGIN, login}, MSG_LOGIN_RESULT, &result);
}

static void user_do_refuse_token(void *next, const struct msg *msg, struct turn *turn)
{
    (void)next;
    answer_login(turn, ((const struct msg_granted *)msg->body)->login, false, SLICE_EMPTY);
}

static void user_do_fail_login(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct slice why = text_template(TEXT_WHY_ACCOUNT);
    (void)msg;
    answer_login(turn, user->login, false, SLICE_EMPTY);
    user->new_token = SLICE_EMPTY;
    user->login = SLICE_EMPTY;
    USER_SAY(turn, user, TEXT_LOGIN_FAILED, {"why", why}, {"link", fresh_link(user, turn)});
}

/* The rooms of an earlier account cannot be served with this one's token. */
static void unbridge_all(struct user *user, struct turn *turn)
{
    struct actor_entry *rooms = NULL;
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", user->key, &rooms);
    const struct msg_unbridge unbridge = {.why = text_template(TEXT_LOGGED_OUT_REASON),
                                          .kick = true};
    for (size_t i = 0; i < count; i++) {
        turn_send(turn, (struct actor_ref){ACTOR_ROOM, rooms[i].key}, MSG_ROOM_UNBRIDGE, &unbridge);
    }
}

static void user_do_finish_login(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct msg_account *account = msg->body;
    if (user->gitter_id.len > 0 && !slice_equal(user->gitter_id, account->gitter_id)) {
        unbridge_all(user, turn);
    }
    user->token = user->new_token;
    user->new_token = SLICE_EMPTY;
    user->gitter_id = account->gitter_id;
    user->gitter_name = account->gitter_name;
    answer_login(turn, user->login, true, account->gitter_name);
    user->login = SLICE_EMPTY;
    user->seen = SLICE_EMPTY;
    user->inviting = 0; /* of an earlier login */
    user->invited = 0;
    USER_SAY(turn, user, TEXT_LOGGED_IN, {"name", account->gitter_name});
    turn_send(turn, (struct actor_ref){ACTOR_FEED, user->key}, MSG_FEED_START, &nothing);
    user_offer_rooms(turn, user);
}

static void user_do_expire(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    (void)msg;
    user->token = SLICE_EMPTY;
    user_cancel_errands(turn, user);
    turn_send(turn, (struct actor_ref){ACTOR_FEED, user->key}, MSG_FEED_STOP, &nothing);
    say_expired(turn, user);
}

/* The logout */

/* Gitter has one token for each user and client: two Matrix users logged in as the same Gitter user
 * hold the same string, and taking it back for one would throw out the other. */
static bool is_token_shared(const struct user *user, struct turn *turn)
{
    struct actor_entry *users = NULL;
    const size_t count = turn_find(turn, ACTOR_USER, "gitter_id", user->gitter_id, &users);
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal(users[i].key, user->key) && users[i].state == USER_AUTHED) {
            return true;
        }
    }
    return false;
}

static void user_do_log_out(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    (void)msg;
    turn_forget(turn, user->key); /* here it is known which rooms are theirs */
    user_cancel_errands(turn, user);
    unbridge_all(user, turn);
    turn_send(turn, (struct actor_ref){ACTOR_FEED, user->key}, MSG_FEED_STOP, &nothing);
    if (user->token.len == 0 || is_token_shared(user, turn)) {
        turn_send(turn, (struct actor_ref){ACTOR_USER, user->key}, MSG_USER_LOGGED_OUT, &nothing);
        return;
    }
    const struct call call = {
        .purpose = MSG_USER_REVOKE_ENDED,
        .api = CALL_GITTER_WEB,
        .auth = CALL_AUTH_OWNER,
        .repeat = CALL_REPEAT_FREELY,
        .lane = user_lane(turn, user),
        .owner = user->key,
        .method = SLICE("POST"),
        .path = SLICE("/logout"),
        .takes_401 = true,
    };
    turn_call(turn, &call);
}

static void user_do_finish_logout(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    (void)msg;
    turn_forget(turn, user->key); /* and here nothing more is said */
    user->token = SLICE_EMPTY;
    user->gitter_id = SLICE_EMPTY;
    user->gitter_name = SLICE_EMPTY;
    user->listed = SLICE_EMPTY;
    user->more = SLICE_EMPTY;
    user->trouble = SLICE_EMPTY;
    user_say_plain(turn, user, TEXT_LOGGED_OUT);
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
