/* One login link: it works once, for ten minutes, in one browser, for one Matrix user. Opening it
 * binds nothing, since chat programs open links to show previews of them; its button does. */
#include "actors/login/login.h"

#include "codecs/page.h"
#include "codecs/url.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        LOGIN_##FROM, MSG_LOGIN_##ON, login_if_##GUARD, LOGIN_##TO, login_do_##ACTION, #GUARD,     \
            #ACTION                                                                                \
    }
#define login_if_always NULL
#define login_do_nothing NULL

static fsm_guard login_if_is_ours, login_if_is_ours_and_browsers, login_if_is_denied,
    login_if_is_granted;
static fsm_guard login_if_is_done;
static fsm_action login_do_keep, login_do_show_button, login_do_bind_browser,
    login_do_send_to_gitter;
static fsm_action login_do_refuse_browser, login_do_refuse_link, login_do_deny,
    login_do_fetch_token;
static fsm_action login_do_hand_over, login_do_fail, login_do_show_result, login_do_drop;

static const char *const login_states[] = {"OFFERED", "BOUND", "EXCHANGING", "ASKING", "ENDED"};

// clang-format off
static const struct fsm_row login_rows[] = {
    /*  from        on           guard                 to          action           */
    ROW(OFFERED,    OFFERED,     always,               OFFERED,    keep),
    ROW(OFFERED,    VIEW,        is_ours,              OFFERED,    show_button),
    ROW(BOUND,      VIEW,        is_ours,              BOUND,      show_button),
    ROW(ANY,        VIEW,        always,               SAME,       refuse_link),
    ROW(OFFERED,    BEGIN,       is_ours,              BOUND,      bind_browser),
    ROW(BOUND,      BEGIN,       is_ours_and_browsers, BOUND,      send_to_gitter),
    ROW(BOUND,      BEGIN,       is_ours,              BOUND,      refuse_browser),
    ROW(ANY,        BEGIN,       always,               SAME,       refuse_link),
    ROW(BOUND,      CALLBACK,    is_denied,            ENDED,      deny),
    ROW(BOUND,      CALLBACK,    is_granted,           EXCHANGING, fetch_token),
    ROW(BOUND,      CALLBACK,    is_ours,              BOUND,      refuse_browser),
    ROW(ANY,        CALLBACK,    always,               SAME,       refuse_link),
    ROW(EXCHANGING, TOKEN_ENDED, is_done,              ASKING,     hand_over),
    ROW(EXCHANGING, TOKEN_ENDED, always,               ENDED,      fail),
    ROW(ASKING,     RESULT,      always,               ENDED,      show_result),
    ROW(ANY,        CANCELLED,   always,               ENDED,      drop),
    ROW(ANY,        DEADLINE,    always,               ENDED,      drop),
};

#define NOT_OFFERED (STATE_BIT(LOGIN_BOUND) | STATE_BIT(LOGIN_EXCHANGING) | \
                     STATE_BIT(LOGIN_ASKING) | STATE_BIT(LOGIN_ENDED))
static const struct fsm_pairs login_ignored[] = {
    /* cancelled or too old while the call was under way */
    {MSG_LOGIN_TOKEN_ENDED, STATE_BIT(LOGIN_ENDED)},
    {MSG_LOGIN_RESULT, STATE_BIT(LOGIN_OFFERED) | STATE_BIT(LOGIN_ENDED)},
};

static const struct fsm_pairs login_refused[] = {
    {MSG_LOGIN_OFFERED, NOT_OFFERED},
    {MSG_LOGIN_TOKEN_ENDED, STATE_BIT(LOGIN_OFFERED) | STATE_BIT(LOGIN_BOUND) | STATE_BIT(LOGIN_ASKING)},
    {MSG_LOGIN_RESULT, STATE_BIT(LOGIN_BOUND) | STATE_BIT(LOGIN_EXCHANGING)},
};
// clang-format on

enum {
    LOGIN_LIFE_MS = 10 * 60 * 1000
};

/* Guards */

static bool is_ours(const struct login *login, struct slice secret)
{
    return login->secret.len > 0 && slice_equal_secret(login->secret, secret);
}

static bool is_browsers(const struct login *login, struct slice cookie)
{
    return login->cookie.len > 0 && slice_equal_secret(login->cookie, cookie);
}

static bool login_if_is_ours(const void *state, const struct msg *msg)
{
    const struct slice secret = msg->kind == MSG_LOGIN_CALLBACK
                                    ? ((const struct msg_callback *)msg->body)->secret
                                    : ((const struct msg_login *)msg->body)->secret;
    return is_ours(state, secret);
}

static bool login_if_is_ours_and_browsers(const void *state, const struct msg *msg)
{
    const struct msg_login *login = msg->body;
    return is_ours(state, login->secret) && is_browsers(state, login->cookie);
}

static bool is_returned(const struct login *login, const struct msg_callback *callback)
{
    return is_ours(login, callback->secret) && is_browsers(login, callback->cookie);
}

static bool login_if_is_denied(const void *state, const struct msg *msg)
{
    const struct msg_callback *callback = msg->body;
    return is_returned(state, callback) && callback->code.len == 0;
}

static bool login_if_is_granted(const void *state, const struct msg *msg)
{
    const struct msg_callback *callback = msg->body;
    return is_returned(state, callback) && callback->code.len > 0;
}

static bool login_if_is_done(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_done(msg);
}

/* Pages */

static void answer_with(struct turn *turn, int64_t request, int status, const struct page *page)
{
    const struct answer answer = {
        .status = status,
        .content_type = SLICE("text/html; charset=utf-8"),
        .body = page_render(turn_arena(turn), page),
    };
    turn_answer(turn, request, &answer);
}

void answer_page(struct turn *turn, int64_t request, int status, enum text title, enum text text)
{
    const struct settings *settings = settings_of(turn);
    const struct page page = {
        .title = text_template(title),
        .text_html = TEXT_RENDER(turn_arena(turn), text, {"bot", settings->bot}).html,
    };
    answer_with(turn, request, status, &page);
}

static void login_do_refuse_link(void *next, const struct msg *msg, struct turn *turn)
{
    const int64_t request = msg->kind == MSG_LOGIN_CALLBACK
                                ? ((const struct msg_callback *)msg->body)->request
                                : ((const struct msg_login *)msg->body)->request;
    (void)next;
    answer_page(turn, request, 404, TEXT_PAGE_INVALID_TITLE, TEXT_PAGE_INVALID);
}

static void login_do_refuse_browser(void *next, const struct msg *msg, struct turn *turn)
{
    const int64_t request = msg->kind == MSG_LOGIN_CALLBACK
                                ? ((const struct msg_callback *)msg->body)->request
                                : ((const struct msg_login *)msg->body)->request;
    (void)next;
    answer_page(turn, request, 403, TEXT_PAGE_BROWSER_TITLE, TEXT_PAGE_BROWSER);
}

static void login_do_show_button(void *next, const struct msg *msg, struct turn *turn)
{
    const struct login *login = next;
    const struct page page = {
        .title = text_template(TEXT_PAGE_LOGIN_TITLE),
        .text_html = TEXT_RENDER(turn_arena(turn), TEXT_PAGE_LOGIN, {"user", login->user}).html,
        .button = text_template(TEXT_PAGE_LOGIN_BUTTON),
    };
    answer_with(turn, ((const struct msg_login *)msg->body)->request, 200, &page);
}

/* Life of the link */

static void login_do_keep(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    const struct msg_offer *offer = msg->body;
    login->user = offer->user;
    login->secret = offer->secret;
    login->deadline_ms = turn_now_ms(turn) + LOGIN_LIFE_MS;
}

static struct slice callback_url(struct turn *turn)
{
    return url_join(turn_arena(turn), settings_of(turn)->login_url, SLICE("callback"));
}

static void login_do_send_to_gitter(void *next, const struct msg *msg, struct turn *turn)
{
    const struct login *login = next;
    const struct settings *settings = settings_of(turn);
    struct arena *arena = turn_arena(turn);
    struct buf query;
    buf_init(&query, arena);
    url_form_put(&query, SLICE("client_id"), settings->oauth_key);
    url_form_put(&query, SLICE("response_type"), SLICE("code"));
    url_form_put(&query, SLICE("redirect_uri"), callback_url(turn));
    url_form_put(
        &query, SLICE("state"),
        arena_printf(arena, "%.*s.%.*s", SLICE_ARGS(login->key), SLICE_ARGS(login->secret)));
    const struct slice page = url_join(arena, settings->gitter_url, SLICE("login/oauth/authorize"));
    const struct answer answer = {
        .status = 303,
        .location =
            arena_printf(arena, "%.*s?%.*s", SLICE_ARGS(page), SLICE_ARGS(buf_slice(&query))),
        .set_cookie =
            arena_printf(arena, "gitterd_%.*s=%.*s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
                         SLICE_ARGS(login->key), SLICE_ARGS(login->cookie), LOGIN_LIFE_MS / 1000,
                         settings->is_login_https ? "; Secure" : ""),
    };
    turn_answer(turn, ((const struct msg_login *)msg->body)->request, &answer);
}

static void login_do_bind_browser(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    unsigned char random[20];
    struct buf hex;
    buf_init(&hex, turn_arena(turn));
    turn_random(turn, random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        buf_printf(&hex, "%02x", random[i]);
    }
    login->cookie = buf_slice(&hex);
    login_do_send_to_gitter(login, msg, turn);
}

static void tell_failure(struct turn *turn, const struct login *login, enum text why)
{
    const struct msg_login_failed failed = {.login = login->key, .why = text_template(why)};
    turn_send(turn, (struct actor_ref){ACTOR_USER, login->user}, MSG_USER_LOGIN_FAILED, &failed);
}

static void login_do_deny(void *next, const struct msg *msg, struct turn *turn)
{
    const struct login *login = next;
    answer_page(turn, ((const struct msg_callback *)msg->body)->request, 200,
                TEXT_PAGE_DENIED_TITLE, TEXT_PAGE_DENIED);
    tell_failure(turn, login, TEXT_WHY_DENIED);
}

static void login_do_fetch_token(void *next, const struct msg *msg, struct turn *turn)
{
    struct login *login = next;
    const struct msg_callback *callback = msg->body;
    struct buf form;
    buf_init(&form, turn_arena(turn));
    url_form_put(&form, SLICE("grant_type"), SLICE("authorization_code"));
    url_form_put(&form, SLICE("code"), callback->code);
    url_form_put(&form, SLICE("redirect_uri"), callback_url(turn));
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

static void login_do_fail(void *next, const struct msg *msg, struct turn *turn)
{
    const struct login *login = next;
    (void)msg;
    answer_page(turn, login->request, 502, TEXT_PAGE_FAILED_TITLE, TEXT_PAGE_FAILED);
    tell_failure(turn, login, TEXT_WHY_TOKEN);
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

static void login_do_show_result(void *next, const struct msg *msg, struct turn *turn)
{
    const struct login *login = next;
    const struct msg_login_result *result = msg->body;
    if (!result->is_done) {
        answer_page(turn, login->request, 502, TEXT_PAGE_FAILED_TITLE, TEXT_PAGE_FAILED);
        return;
    }
    const struct page page = {
        .title = text_template(TEXT_PAGE_DONE_TITLE),
        .text_html = TEXT_RENDER(turn_arena(turn), TEXT_PAGE_DONE, {"user", login->user},
                                 {"name", result->gitter_name})
                         .html,
    };
    answer_with(turn, login->request, 200, &page);
}

static void login_do_drop(void *next, const struct msg *msg, struct turn *turn)
{
    const struct login *login = next;
    (void)msg;
    if (login->request != 0) {
        answer_page(turn, login->request, 404, TEXT_PAGE_INVALID_TITLE, TEXT_PAGE_INVALID);
    }
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
