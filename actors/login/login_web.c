/* A login link as browsers see it: from requests to messages, cookies, and the pages. */
#include "actors/login/login.h"

#include "codecs/url.h"

enum {
    HANDLE_LEN_MAX = 64
};

/* Cookies */

struct slice login_cookie_name(struct turn *turn, struct slice handle)
{
    return arena_printf(turn_arena(turn), "%sgitterd_%.*s",
                        settings_of(turn)->is_login_https ? "__Host-" : "", SLICE_ARGS(handle));
}

/* All values of that name, with blanks between: another host of the same domain may have set one
 * of the same name, and must not be able to lock out who holds the right one. */
static struct slice find_cookies(struct turn *turn, struct slice cookies, struct slice name)
{
    struct buf values;
    buf_init(&values, turn_arena(turn));
    while (cookies.len > 0) {
        struct slice value = slice_trim(slice_cut(&cookies, ';'));
        if (slice_equal(slice_cut(&value, '='), name) && login_is_cookie_value(value)) {
            buf_put(&values, value);
            buf_put_byte(&values, ' ');
        }
    }
    return buf_slice(&values);
}

bool login_is_cookie_value(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        const char byte = value.ptr[i];
        if (!(byte >= '0' && byte <= '9') && !(byte >= 'a' && byte <= 'f')) {
            return false;
        }
    }
    return value.len == LOGIN_COOKIE_LEN;
}

bool login_holds(struct slice cookies, struct slice value)
{
    bool found = false;
    while (cookies.len > 0 && value.len > 0) {
        found = slice_equal_secret(slice_cut(&cookies, ' '), value) || found;
    }
    return found;
}

struct slice login_cookie_value(struct turn *turn, struct slice cookies)
{
    if (cookies.len > 0) { /* another tab shows the page already, and must go on working */
        return slice_cut(&cookies, ' ');
    }
    return turn_secret(turn, LOGIN_COOKIE_LEN / 2);
}

/* Lax, since the browser has to show it when Gitter sends it back. */
static struct slice set_cookie(struct turn *turn, const struct login *login, struct slice value)
{
    return arena_printf(turn_arena(turn), "%.*s=%.*s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
                        SLICE_ARGS(login_cookie_name(turn, login->key)), SLICE_ARGS(value),
                        LOGIN_LIFE_MS / 1000, settings_of(turn)->is_login_https ? "; Secure" : "");
}

/* Requests */

/* The login actor of a state "<handle>.<secret>"; false answers that the link does not work. */
static bool
find_login(struct turn *turn, int64_t request, struct slice state, struct actor_ref *login)
{
    int at = 0;
    *login = (struct actor_ref){ACTOR_LOGIN, slice_first(state, slice_find_byte(state, '.'))};
    if (login->key.len > 0 && login->key.len <= HANDLE_LEN_MAX && turn_exists(turn, *login, &at)) {
        return true;
    }
    login_answer_notice(turn, request, 404, PAGE_NOTICE(STOP, INVALID));
    return false;
}

static struct slice secret_of(struct slice state)
{
    return slice_from(state, slice_find_byte(state, '.') + 1);
}

/* The value of a field that is there once. */
static struct slice single_value(struct turn *turn, struct slice form, struct slice name)
{
    struct slice value = SLICE_EMPTY;
    size_t count = 0;
    const enum rc rc = url_form_find(turn_arena(turn), form, name, &value, &count);
    return rc == RC_OK && count == 1 ? value : SLICE_EMPTY;
}

static void
route_link(struct turn *turn, const struct msg_web *web, struct slice state, bool is_begin)
{
    struct actor_ref login;
    if (!find_login(turn, web->request, state, &login)) {
        return;
    }
    const struct msg_login msg = {
        .request = web->request,
        .secret = secret_of(state),
        .cookie = find_cookies(turn, web->cookie, login_cookie_name(turn, login.key)),
        .proof = is_begin ? single_value(turn, web->body, SLICE("proof")) : SLICE_EMPTY,
    };
    turn_send(turn, login, is_begin ? MSG_LOGIN_BEGIN : MSG_LOGIN_VIEW, &msg);
}

static void route_callback(struct turn *turn, const struct msg_web *web, struct slice state)
{
    struct actor_ref login;
    if (!find_login(turn, web->request, state, &login)) {
        return;
    }
    const struct msg_callback msg = {
        .request = web->request,
        .secret = secret_of(state),
        .cookie = find_cookies(turn, web->cookie, login_cookie_name(turn, login.key)),
        .code = single_value(turn, web->query, SLICE("code")),
        .error = single_value(turn, web->query, SLICE("error")),
    };
    turn_send(turn, login, MSG_LOGIN_CALLBACK, &msg);
}

/* HEAD changes nothing: at the callback it is told what the link's own page would say. */
void login_route(struct turn *turn, const struct msg_web *web)
{
    const struct slice link = SLICE(LOGIN_LINK_PATH);
    if (slice_starts_with(web->path, link)) {
        route_link(turn, web, slice_from(web->path, link.len),
                   slice_equal(web->method, SLICE("POST")));
        return;
    }
    const struct slice state = single_value(turn, web->query, SLICE("state"));
    if (slice_equal(web->method, SLICE("GET"))) {
        route_callback(turn, web, state);
    } else {
        route_link(turn, web, state, false);
    }
}

/* Pages */

static struct page_site site_of(struct turn *turn)
{
    const struct settings *settings = settings_of(turn);
    return (struct page_site){
        .bot = settings->bot,
        .login_url = settings->login_url,
        .gitter_url = settings->gitter_url,
    };
}

static struct answer page_answer(int status, struct slice page)
{
    return (struct answer){
        .status = status, .content_type = SLICE("text/html; charset=utf-8"), .body = page};
}

void login_answer_notice(struct turn *turn,
                         int64_t request,
                         int status,
                         const struct page_notice *notice)
{
    const struct page_site site = site_of(turn);
    const struct answer answer = page_answer(status, page_notice(turn_arena(turn), &site, notice));
    turn_answer(turn, request, &answer);
}

void login_answer_button(struct turn *turn, const struct login *login, const struct msg_login *msg)
{
    struct arena *arena = turn_arena(turn);
    const struct page_site site = site_of(turn);
    const struct slice proof =
        login->cookie.len > 0 ? login->cookie : login_cookie_value(turn, msg->cookie);
    const struct page page = {
        .mark = PAGE_MARK_LINK,
        .title = text_template(TEXT_PAGE_LOGIN_TITLE),
        .text_html = TEXT_PLAIN(arena, TEXT_PAGE_LOGIN).html,
        .rows = {{text_template(TEXT_PAGE_MATRIX_ACCOUNT), login->user},
                 {text_template(TEXT_PAGE_GITTER_ACCOUNT),
                  TEXT_RENDER(arena, TEXT_PAGE_GITTER_LATER,
                              {"server", page_gitter_host(arena, &site)})
                      .plain}},
        .button = text_template(TEXT_PAGE_LOGIN_BUTTON),
        .proof = proof,
        .note_html = TEXT_PLAIN(arena, TEXT_PAGE_LOGIN_NOTE).html,
    };
    struct answer answer = page_answer(200, page_render(arena, &site, &page));
    answer.set_cookie = set_cookie(turn, login, proof);
    turn_answer(turn, msg->request, &answer);
}

static struct slice link_path(struct turn *turn, const struct login *login)
{
    return arena_printf(turn_arena(turn), "auth_gitter/%.*s.%.*s", SLICE_ARGS(login->key),
                        SLICE_ARGS(login->secret));
}

void login_answer_unproven(struct turn *turn,
                           const struct login *login,
                           const struct msg_login *msg)
{
    struct arena *arena = turn_arena(turn);
    const struct page_site site = site_of(turn);
    const struct page page = {
        .mark = PAGE_MARK_STOP,
        .title = text_template(TEXT_PAGE_UNPROVEN_TITLE),
        .text_html = TEXT_PLAIN(arena, TEXT_PAGE_UNPROVEN).html,
        .link_label = text_template(TEXT_PAGE_UNPROVEN_LINK),
        .link_url = url_join(arena, site.login_url, link_path(turn, login)),
    };
    const struct answer answer = page_answer(403, page_render(arena, &site, &page));
    turn_answer(turn, msg->request, &answer);
}

void login_answer_account(struct turn *turn, const struct login *login, int64_t request)
{
    struct arena *arena = turn_arena(turn);
    const struct page_site site = site_of(turn);
    const struct page page = {
        .mark = PAGE_MARK_DONE,
        .title = text_template(TEXT_PAGE_DONE_TITLE),
        .text_html = TEXT_PLAIN(arena, TEXT_PAGE_DONE).html,
        .rows = {{text_template(TEXT_PAGE_MATRIX_ACCOUNT), login->user},
                 {text_template(TEXT_PAGE_GITTER_ACCOUNT), login->name}},
        .link_label = text_template(TEXT_PAGE_BOT_LINK),
        .link_url = page_bot_url(arena, &site),
    };
    const struct answer answer = page_answer(200, page_render(arena, &site, &page));
    turn_answer(turn, request, &answer);
}

struct slice login_callback_url(struct turn *turn)
{
    return url_join(turn_arena(turn), settings_of(turn)->login_url, SLICE("callback"));
}

void login_answer_redirect(struct turn *turn, const struct login *login, int64_t request)
{
    const struct settings *settings = settings_of(turn);
    struct arena *arena = turn_arena(turn);
    const struct slice page = url_join(arena, settings->gitter_url, SLICE("login/oauth/authorize"));
    struct buf query;
    buf_init(&query, arena);
    url_form_put(&query, SLICE("client_id"), settings->oauth_key);
    url_form_put(&query, SLICE("response_type"), SLICE("code"));
    url_form_put(&query, SLICE("redirect_uri"), login_callback_url(turn));
    url_form_put(
        &query, SLICE("state"),
        arena_printf(arena, "%.*s.%.*s", SLICE_ARGS(login->key), SLICE_ARGS(login->secret)));
    const struct answer answer = {
        .status = 303,
        .location =
            arena_printf(arena, "%.*s?%.*s", SLICE_ARGS(page), SLICE_ARGS(buf_slice(&query))),
        .set_cookie = set_cookie(turn, login, login->cookie),
    };
    turn_answer(turn, request, &answer);
}
