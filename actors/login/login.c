/* One login link: it works once, for ten minutes, in one browser, for one Matrix user. Opening it
 * binds nothing, since chat programs open links to show previews of them; its button does, if it is
 * pressed on our own page. */
#include "actors/login/login.h"

#include "codecs/url.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        LOGIN_##FROM, MSG_LOGIN_##ON, login_if_##GUARD, LOGIN_##TO, login_do_##ACTION, #GUARD,     \
            #ACTION                                                                                \
    }
#define login_if_always NULL
#define login_do_nothing NULL

static fsm_guard login_if_is_ours, login_if_is_browsers, login_if_is_pressed;
static fsm_guard login_if_is_pressed_again, login_if_is_denied, login_if_is_granted;
static fsm_guard login_if_is_done, login_if_has_account;
static fsm_action login_do_keep, login_do_show_button, login_do_bind_browser,
    login_do_send_to_gitter, login_do_ask_again;
static fsm_action login_do_refuse_browser, login_do_refuse_link, login_do_say_used,
    login_do_say_expired;
static fsm_action login_do_deny, login_do_fetch_token, login_do_hand_over, login_do_fail;
static fsm_action login_do_show_account, login_do_finish, login_do_show_failure, login_do_drop,
    login_do_expire;

static const char *const login_states[] = {"OFFERED", "BOUND", "EXCHANGING", "ASKING",
                                           "DONE",    "SPENT", "EXPIRED",    "ENDED"};

// clang-format off
static const struct fsm_row login_rows[] = {
    /*  from        on           guard             to          action           */
    ROW(OFFERED,    OFFERED,     always,           OFFERED,    keep),

    ROW(OFFERED,    VIEW,        is_ours,          OFFERED,    show_button),
    ROW(BOUND,      VIEW,        is_browsers,      BOUND,      show_button),
    ROW(BOUND,      VIEW,        is_ours,          BOUND,      refuse_browser),
    ROW(DONE,       VIEW,        is_browsers,      DONE,       show_account),
    ROW(EXPIRED,    VIEW,        is_ours,          EXPIRED,    say_expired),
    ROW(ANY,        VIEW,        is_ours,          SAME,       say_used),
    ROW(ANY,        VIEW,        always,           SAME,       refuse_link),

    ROW(OFFERED,    BEGIN,       is_pressed,       BOUND,      bind_browser),
    ROW(OFFERED,    BEGIN,       is_ours,          OFFERED,    ask_again),
    ROW(BOUND,      BEGIN,       is_pressed_again, BOUND,      send_to_gitter),
    ROW(BOUND,      BEGIN,       is_browsers,      BOUND,      ask_again),
    ROW(BOUND,      BEGIN,       is_ours,          BOUND,      refuse_browser),
    ROW(EXPIRED,    BEGIN,       is_ours,          EXPIRED,    say_expired),
    ROW(ANY,        BEGIN,       is_ours,          SAME,       say_used),
    ROW(ANY,        BEGIN,       always,           SAME,       refuse_link),

    ROW(BOUND,      CALLBACK,    is_denied,        SPENT,      deny),
    ROW(BOUND,      CALLBACK,    is_granted,       EXCHANGING, fetch_token),
    ROW(BOUND,      CALLBACK,    is_ours,          BOUND,      refuse_browser),
    ROW(DONE,       CALLBACK,    is_browsers,      DONE,       show_account),
    ROW(EXPIRED,    CALLBACK,    is_ours,          EXPIRED,    say_expired),
    ROW(OFFERED,    CALLBACK,    always,           OFFERED,    refuse_link),
    ROW(ANY,        CALLBACK,    is_ours,          SAME,       say_used),
    ROW(ANY,        CALLBACK,    always,           SAME,       refuse_link),

    ROW(EXCHANGING, TOKEN_ENDED, is_done,          ASKING,     hand_over),
    ROW(EXCHANGING, TOKEN_ENDED, always,           SPENT,      fail),
    ROW(ASKING,     RESULT,      has_account,      DONE,       finish),
    ROW(ASKING,     RESULT,      always,           SPENT,      show_failure),

    ROW(DONE,       CANCELLED,   always,           SPENT,      nothing),
    ROW(SPENT,      CANCELLED,   always,           SPENT,      nothing),
    ROW(ANY,        CANCELLED,   always,           ENDED,      drop),
    ROW(DONE,       DEADLINE,    always,           ENDED,      nothing),
    ROW(SPENT,      DEADLINE,    always,           ENDED,      nothing),
    ROW(EXPIRED,    DEADLINE,    always,           ENDED,      nothing),
    ROW(ANY,        DEADLINE,    always,           EXPIRED,    expire),
};

#define OVER (STATE_BIT(LOGIN_DONE) | STATE_BIT(LOGIN_SPENT) | STATE_BIT(LOGIN_EXPIRED) | \
              STATE_BIT(LOGIN_ENDED))
#define UNDER_WAY (STATE_BIT(LOGIN_BOUND) | STATE_BIT(LOGIN_EXCHANGING) | STATE_BIT(LOGIN_ASKING))
static const struct fsm_pairs login_ignored[] = {
    /* cancelled or too old while the call was under way */
    {MSG_LOGIN_TOKEN_ENDED, STATE_BIT(LOGIN_EXPIRED) | STATE_BIT(LOGIN_ENDED)},
    {MSG_LOGIN_RESULT, STATE_BIT(LOGIN_OFFERED) | STATE_BIT(LOGIN_EXPIRED) | STATE_BIT(LOGIN_ENDED)},
};

static const struct fsm_pairs login_refused[] = {
    {MSG_LOGIN_OFFERED, UNDER_WAY | OVER},
    {MSG_LOGIN_TOKEN_ENDED, STATE_BIT(LOGIN_OFFERED) | STATE_BIT(LOGIN_BOUND) | STATE_BIT(LOGIN_ASKING) |
                            STATE_BIT(LOGIN_DONE) | STATE_BIT(LOGIN_SPENT)},
    {MSG_LOGIN_RESULT, STATE_BIT(LOGIN_BOUND) | STATE_BIT(LOGIN_EXCHANGING) | STATE_BIT(LOGIN_DONE) |
                       STATE_BIT(LOGIN_SPENT)},
};
// clang-format on

/* Guards */

/* What of a request the guards look at, whichever it is. */
struct shown {
    int64_t request;
    struct slice secret;
    struct slice cookies;
};

static struct shown shown_by(const struct msg *msg)
{
    if (msg->kind == MSG_LOGIN_CALLBACK) {
        const struct msg_callback *callback = msg->body;
        return (struct shown){callback->request, callback->secret, callback->cookie};
    }
    const struct msg_login *login = msg->body;
    return (struct shown){login->request, login->secret, login->cookie};
}

static bool login_if_is_ours(const void *state, const struct msg *msg)
{
    const struct login *login = state;
    return login->secret.len > 0 && slice_equal_secret(login->secret, shown_by(msg).secret);
}

static bool login_if_is_browsers(const void *state, const struct msg *msg)
{
    const struct login *login = state;
    return login_if_is_ours(state, msg) && login_holds(shown_by(msg).cookies, login->cookie);
}

/* What our page had the browser send is what the page gave it as a cookie: another site can have
 * its visitors send the one, but neither read nor set the other. */
static bool login_if_is_pressed(const void *state, const struct msg *msg)
{
    const struct msg_login *begin = msg->body;
    return login_if_is_ours(state, msg) && login_is_cookie_value(begin->proof) &&
           login_holds(begin->cookie, begin->proof);
}

static bool login_if_is_pressed_again(const void *state, const struct msg *msg)
{
    const struct login *login = state;
    const struct msg_login *begin = msg->body;
    return login_if_is_browsers(state, msg) && slice_equal_secret(begin->proof, login->cookie);
}

static bool login_if_is_denied(const void *state, const struct msg *msg)
{
    const struct msg_callback *callback = msg->body;
    return login_if_is_browsers(state, msg) && callback->code.len == 0;
}

static bool login_if_is_granted(const void *state, const struct msg *msg)
{
    const struct msg_callback *callback = msg->body;
    return login_if_is_browsers(state, msg) && callback->code.len > 0;
}

static bool login_if_is_done(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_done(msg);
}

static bool login_if_has_account(const void *state, const struct msg *msg)
{
    (void)state;
    return ((const struct msg_login_result *)msg->body)->is_done;
}

/* Before Gitter */

static void login_do_keep(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    const struct msg_offer *offer = msg->body;
    login->user = offer->user;
    login->secret = offer->secret;
    login->deadline_ms = turn_now_ms(turn) + LOGIN_LIFE_MS;
}

static void login_do_show_button(void *next, const struct msg *msg, struct turn *turn)
{
    login_answer_button(turn, next, msg->body);
}

static void login_do_ask_again(void *next, const struct msg *msg, struct turn *turn)
{
    login_answer_unproven(turn, next, msg->body);
}

static void login_do_send_to_gitter(void *next, const struct msg *msg, struct turn *turn)
{
    login_answer_redirect(turn, next, shown_by(msg).request);
}

static void login_do_bind_browser(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    login->cookie = ((const struct msg_login *)msg->body)->proof;
    login_do_send_to_gitter(login, msg, turn);
}

/* Refusals */

static void login_do_refuse_link(void *next, const struct msg *msg, struct turn *turn)
{
    (void)next;
    login_answer_notice(turn, shown_by(msg).request, 404, PAGE_NOTICE(STOP, INVALID));
}

static void login_do_refuse_browser(void *next, const struct msg *msg, struct turn *turn)
{
    (void)next;
    login_answer_notice(turn, shown_by(msg).request, 403, PAGE_NOTICE(STOP, BROWSER));
}

static void login_do_say_used(void *next, const struct msg *msg, struct turn *turn)
{
    (void)next;
    login_answer_notice(turn, shown_by(msg).request, 410, PAGE_NOTICE(CLOCK, USED));
}

static void answer_expired(struct turn *turn, int64_t request)
{
    login_answer_notice(turn, request, 410, PAGE_NOTICE(CLOCK, EXPIRED));
}

static void login_do_say_expired(void *next, const struct msg *msg, struct turn *turn)
{
    (void)next;
    answer_expired(turn, shown_by(msg).request);
}

/* After Gitter */

static void remember(struct login *login, struct turn *turn)
{
    login->request = 0;
    login->deadline_ms = turn_now_ms(turn) + LOGIN_REMEMBERED_MS;
}

static void tell_failure(struct turn *turn, const struct login *login, enum text why)
{
    const struct msg_login_failed failed = {.login = login->key, .why = text_template(why)};
    turn_send(turn, (struct actor_ref){ACTOR_USER, login->user}, MSG_USER_LOGIN_FAILED, &failed);
}

static void login_do_deny(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    login_answer_notice(turn, shown_by(msg).request, 200, PAGE_NOTICE(STOP, DENIED));
    tell_failure(turn, login, TEXT_WHY_DENIED);
    remember(login, turn);
}

static void login_do_fetch_token(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    const struct msg_callback *callback = msg->body;
    struct buf form;
    buf_init(&form, turn_arena(turn));
    url_form_put(&form, SLICE("grant_type"), SLICE("authorization_code"));
    url_form_put(&form, SLICE("code"), callback->code);
    url_form_put(&form, SLICE("redirect_uri"), login_callback_url(turn));
    const struct call call = {
        .purpose = MSG_LOGIN_TOKEN_ENDED,
        .api = CALL_GITTER_WEB,
        .auth = CALL_AUTH_OAUTH,
        .repeat = CALL_REPEAT_NEVER,
        .lane = lane_of(turn_arena(turn), "login", login->key),
        .owner = login->user,
        .method = SLICE("POST"),
        .path = SLICE("/login/oauth/token"),
        .body = buf_slice(&form),
        .content_type = SLICE("application/x-www-form-urlencoded"),
        .takes_401 = true,
        .patience_ms = CALL_PATIENCE_MS,
    };
    turn_call(turn, &call);
    login->request = callback->request;
}

static void login_do_show_failure(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    (void)msg;
    login_answer_notice(turn, login->request, 502, PAGE_NOTICE(STOP, FAILED));
    remember(login, turn);
}

static void login_do_fail(void *next, const struct msg *msg, struct turn *turn)
{
    tell_failure(turn, next, TEXT_WHY_TOKEN);
    login_do_show_failure(next, msg, turn);
}

static void login_do_hand_over(void *next, const struct msg *msg, struct turn *turn)
{
    const struct login *login = next;
    struct msg_granted granted = {.login = login->key};
    if (gitter_token_parse(turn_arena(turn), ended_of(msg)->body, &granted.token) == RC_OK) {
        turn_send(turn, (struct actor_ref){ACTOR_USER, login->user}, MSG_USER_LOGIN_GRANTED,
                  &granted);
        return;
    }
    const struct msg_login_result result = {.is_done = false};
    turn_send(turn, (struct actor_ref){ACTOR_LOGIN, login->key}, MSG_LOGIN_RESULT, &result);
    tell_failure(turn, login, TEXT_WHY_TOKEN);
}

static void login_do_finish(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    login->name = ((const struct msg_login_result *)msg->body)->gitter_name;
    login_answer_account(turn, login, login->request);
    remember(login, turn);
}

static void login_do_show_account(void *next, const struct msg *msg, struct turn *turn)
{
    login_answer_account(turn, next, shown_by(msg).request);
}

/* The end */

static void login_do_drop(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    (void)msg;
    if (login->request != 0) {
        login_answer_notice(turn, login->request, 404, PAGE_NOTICE(STOP, INVALID));
    }
    login->request = 0;
    login->deadline_ms = 0; /* it stays as long as its call is under way */
}

static void login_do_expire(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    (void)msg;
    if (login->request != 0) {
        answer_expired(turn, login->request);
    }
    remember(login, turn);
}

FIELD_RECORD(login, LOGIN_FIELDS);

const struct fsm login_fsm = {
    .kind = ACTOR_LOGIN,
    .name = "login",
    .table = "logins",
    .states = login_states,
    .states_count = MACHINE_COUNT(login_states),
    .first = LOGIN_OFFERED,
    .last = LOGIN_ENDED,
    .rows = login_rows,
    .rows_count = MACHINE_COUNT(login_rows),
    .ignored = login_ignored,
    .ignored_count = MACHINE_COUNT(login_ignored),
    .refused = login_refused,
    .refused_count = MACHINE_COUNT(login_refused),
    .record = &login_record,
    .key_offset = offsetof(struct login, key),
    .deadline_offset = offsetof(struct login, deadline_ms),
    .deadline_message = MSG_LOGIN_DEADLINE,
};
