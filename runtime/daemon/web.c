#include "runtime/daemon/web.h"

#include "actors/login/login.h"
#include "codecs/url.h"
#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/base/limits.h"
#include "runtime/log.h"
#include "runtime/rate.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    HEADERS_MAX = 16,
    SECOND_MS = 1000
};

struct web {
    struct web_options options;
    struct http_server *server;
    struct arena *arena;  /* of one answer */
    struct arena *always; /* lives as long as the web */
    struct rate *rate;    /* NULL: no limit */
    struct slice policy;
    struct slice origin; /* of our own pages, as browsers write it */
    struct http_header headers[HEADERS_MAX];
    bool is_https;
    bool is_proxy_told; /* that it does not say who asks */
};

/* A request whose turn may fail. */
struct waiting {
    struct web *web;
    uint64_t request_id;
};

static void set_origin(struct web *web)
{
    struct url url;
    if (url_split(web->options.site.login_url, &url) != RC_OK) {
        return;
    }
    web->is_https = url.is_https;
    const char *scheme = url.is_https ? "https" : "http";
    const bool is_usual = url.port == (url.is_https ? 443 : 80);
    web->origin = is_usual ? arena_printf(web->always, "%s://%.*s", scheme, SLICE_ARGS(url.host))
                           : arena_printf(web->always, "%s://%.*s:%u", scheme, SLICE_ARGS(url.host),
                                          url.port);
}

struct web *web_open(const struct web_options *options)
{
    struct web *web = calloc(1, sizeof *web);
    CHECK(web != NULL);
    web->options = *options;
    web->arena = arena_open(HTTP_FORM_BYTES_MAX);
    web->always = arena_open(1024);
    web->policy = page_policy(web->always, &web->options.site);
    web->rate = options->rate > 0 ? rate_open(options->rate, options->rate) : NULL;
    set_origin(web);
    return web;
}

void web_close(struct web *web)
{
    if (web != NULL) {
        rate_close(web->rate);
        arena_close(web->always);
        arena_close(web->arena);
        free(web);
    }
}

void web_serve(struct web *web, struct http_server *server)
{
    web->server = server;
}

/* Answers */

static size_t put_header(struct web *web, size_t count, struct slice name, struct slice value)
{
    if (value.len == 0) {
        return count;
    }
    CHECK(count < HEADERS_MAX);
    web->headers[count] = (struct http_header){name, value};
    return count + 1;
}

/* Nothing here is to be kept, framed, sniffed, opened by another site's window or told to the next
 * one: login links are secrets. `more` is one further header. */
static struct http_answer
dress(struct web *web, const struct answer *answer, const struct http_header *more)
{
    const struct http_header common[] = {
        {SLICE("Cache-Control"), SLICE("no-store")},
        {SLICE("Referrer-Policy"), SLICE("no-referrer")},
        {SLICE("X-Content-Type-Options"), SLICE("nosniff")},
        {SLICE("X-Frame-Options"), SLICE("DENY")},
        {SLICE("Cross-Origin-Opener-Policy"), SLICE("same-origin")},
        {SLICE("Cross-Origin-Resource-Policy"), SLICE("same-origin")},
        {SLICE("Permissions-Policy"), SLICE("accelerometer=(), camera=(), geolocation=(), "
                                            "gyroscope=(), magnetometer=(), microphone=(), "
                                            "payment=(), usb=()")},
        {SLICE("Content-Security-Policy"), web->policy},
        {SLICE("Strict-Transport-Security"),
         web->is_https ? SLICE("max-age=31536000") : SLICE_EMPTY},
        {SLICE("Location"), answer->location},
        {SLICE("Set-Cookie"), answer->set_cookie},
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        count = put_header(web, count, common[i].name, common[i].value);
    }
    if (more != NULL) {
        count = put_header(web, count, more->name, more->value);
    }
    return (struct http_answer){
        .status = answer->status,
        .content_type = answer->content_type,
        .body = answer->body,
        .headers = web->headers,
        .headers_count = count,
    };
}

static struct http_answer
dress_page(struct web *web, int status, struct slice page, const struct http_header *more)
{
    const struct answer answer = {
        .status = status, .content_type = SLICE("text/html; charset=utf-8"), .body = page};
    return dress(web, &answer, more);
}

static void send_notice(struct web *web,
                        uint64_t request_id,
                        int status,
                        const struct page_notice *notice,
                        const struct http_header *more)
{
    arena_reset(web->arena);
    const struct slice page = page_notice(web->arena, &web->options.site, notice);
    const struct http_answer answer = dress_page(web, status, page, more);
    http_server_answer(web->server, request_id, &answer);
}

/* Who asks */

static bool is_proxy(const struct web *web, struct slice remote)
{
    if (web->options.proxies_count == 0) {
        return slice_starts_with(remote, SLICE("127.")) || slice_equal(remote, SLICE("::1")) ||
               slice_starts_with(remote, SLICE("::ffff:127."));
    }
    for (size_t i = 0; i < web->options.proxies_count; i++) {
        if (rate_is_same_address(web->options.proxies[i], remote)) {
            return true;
        }
    }
    return false;
}

/* The last address of the last X-Forwarded-For is what the proxy itself saw; all before it is what
 * the client said. */
static struct slice forwarded_for(const struct http_head *head)
{
    struct slice list = SLICE_EMPTY;
    struct slice last = SLICE_EMPTY;
    for (size_t i = 0; i < head->headers_count; i++) {
        if (slice_equal_fold(head->headers[i].name, SLICE("X-Forwarded-For"))) {
            list = head->headers[i].value;
        }
    }
    while (list.len > 0) {
        last = slice_trim(slice_cut(&list, ','));
    }
    return last;
}

static struct slice client_of(struct web *web, const struct http_head *head)
{
    if (!is_proxy(web, head->remote)) {
        return head->remote;
    }
    const struct slice client = forwarded_for(head);
    if (rate_is_address(client)) {
        return client;
    }
    if (web->is_https && !head->is_tls && !web->is_proxy_told) {
        web->is_proxy_told = true;
        log_event(web->options.log, LOG_WARN, "clients_not_told_apart",
                  LOG_TEXT("proxy", head->remote),
                  LOG_CSTR("hint", "let the proxy set X-Forwarded-For: without it everybody shares "
                                   "one gitter_login_rate"));
    }
    return head->remote;
}

static enum rc on_head(void *context,
                       const struct http_head *head,
                       size_t *body_bytes_max,
                       struct http_answer *refusal)
{
    struct web *web = context;
    *body_bytes_max = HTTP_FORM_BYTES_MAX;
    const int64_t wait_ms =
        web->rate == NULL ? 0
                          : rate_take(web->rate, client_of(web, head), web->options.now_ms(NULL));
    if (wait_ms == 0) {
        return RC_OK;
    }
    arena_reset(web->arena);
    struct page_notice notice = *PAGE_NOTICE(CLOCK, LIMIT);
    notice.seconds = (wait_ms + SECOND_MS - 1) / SECOND_MS;
    const struct http_header retry = {SLICE("Retry-After"),
                                      arena_printf(web->arena, "%" PRId64, notice.seconds)};
    *refusal = dress_page(web, 429, page_notice(web->arena, &web->options.site, &notice), &retry);
    return RC_REFUSED;
}

/* What the listener refuses by itself: people meet it in a browser, too. */
static struct page_notice refusal_notice(int status)
{
    switch (status) {
    case 408:
        return *PAGE_NOTICE(CLOCK, SLOW);
    case 413:
    case 431:
        return *PAGE_NOTICE(STOP, LARGE);
    case 503:
        return *PAGE_NOTICE(STOP, TROUBLE);
    default:
        return *PAGE_NOTICE(STOP, GARBLED);
    }
}

static void on_refuse(void *context, struct http_answer *answer)
{
    struct web *web = context;
    const struct http_header *more = answer->headers_count > 0 ? answer->headers : NULL;
    arena_reset(web->arena);
    const struct page_notice notice = refusal_notice(answer->status);
    const struct slice page = page_notice(web->arena, &web->options.site, &notice);
    *answer = dress_page(web, answer->status, page, more);
}

/* Requests */

static void input_is_done(void *context, enum rc rc)
{
    struct waiting *waiting = context;
    if (rc != RC_OK) {
        send_notice(waiting->web, waiting->request_id, 503, PAGE_NOTICE(STOP, TROUBLE), NULL);
    }
    free(waiting);
}

static void ask_actors(struct web *web, const struct http_head *head, struct slice body)
{
    const bool is_form =
        slice_equal_fold(slice_first(head->content_type, slice_find_byte(head->content_type, ';')),
                         SLICE("application/x-www-form-urlencoded"));
    const struct msg_web request = {
        .request = web->options.first_request + (int64_t)head->request_id,
        .method = head->method,
        .path = head->path,
        .query = head->query,
        .body = is_form ? body : SLICE_EMPTY,
        .cookie = head->cookie,
    };
    struct waiting *waiting = malloc(sizeof *waiting);
    CHECK(waiting != NULL);
    *waiting = (struct waiting){web, head->request_id};
    engine_post(web->options.engine, &(struct input){
                                         .msg = {MSG_WEB_REQUEST, &request},
                                         .done = input_is_done,
                                         .context = waiting,
                                         .is_repeatable = true,
                                     });
}

/* What browsers say themselves about where a form was sent from (W3C Fetch Metadata; Fetch, section
 * "Origin header"); "null" is what they say for pages like ours that tell nobody about themselves.
 */
static bool is_from_elsewhere(const struct web *web, const struct http_head *head)
{
    const struct slice site = http_head_find(head, SLICE("Sec-Fetch-Site"));
    const struct slice origin = http_head_find(head, SLICE("Origin"));
    if (site.ptr != NULL && !slice_equal(site, SLICE("same-origin"))) {
        return true;
    }
    return origin.ptr != NULL && !slice_equal(origin, SLICE("null")) &&
           !slice_equal_fold(origin, web->origin);
}

enum place {
    PLACE_HOME,
    PLACE_ICON,
    PLACE_LINK,
    PLACE_CALLBACK,
    PLACE_NONE
};

static enum place place_of(struct slice path)
{
    if (slice_equal(path, SLICE("/"))) {
        return PLACE_HOME;
    }
    if (slice_equal(path, SLICE("/favicon.ico"))) {
        return PLACE_ICON;
    }
    if (slice_equal(path, SLICE("/callback"))) {
        return PLACE_CALLBACK;
    }
    return slice_starts_with(path, SLICE(LOGIN_LINK_PATH)) ? PLACE_LINK : PLACE_NONE;
}

static void on_place(struct web *web, enum place place, const struct http_head *head)
{
    const struct answer none = {.status = 204};
    struct http_answer answer;
    switch (place) {
    case PLACE_HOME:
        arena_reset(web->arena);
        answer = dress_page(web, 200, page_home(web->arena, &web->options.site), NULL);
        http_server_answer(web->server, head->request_id, &answer);
        return;
    case PLACE_ICON: /* it stands in the pages */
        answer = dress(web, &none, NULL);
        http_server_answer(web->server, head->request_id, &answer);
        return;
    case PLACE_LINK:
    case PLACE_CALLBACK:
    case PLACE_NONE:
        break;
    }
    send_notice(web, head->request_id, 404, PAGE_NOTICE(STOP, ABSENT), NULL);
}

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    struct web *web = context;
    const enum place place = place_of(head->path);
    const bool is_get =
        slice_equal(head->method, SLICE("GET")) || slice_equal(head->method, SLICE("HEAD"));
    const bool is_post = slice_equal(head->method, SLICE("POST")) && place == PLACE_LINK;
    const struct http_header allow = {SLICE("Allow"), place == PLACE_LINK ? SLICE("GET, HEAD, POST")
                                                                          : SLICE("GET, HEAD")};
    if (place == PLACE_NONE) {
        on_place(web, place, head);
    } else if (!is_get && !is_post) {
        send_notice(web, head->request_id, 405, PAGE_NOTICE(STOP, METHOD), &allow);
    } else if (is_post && is_from_elsewhere(web, head)) {
        send_notice(web, head->request_id, 403, PAGE_NOTICE(STOP, ELSEWHERE), NULL);
    } else if (place == PLACE_LINK || place == PLACE_CALLBACK) {
        ask_actors(web, head, body);
    } else {
        on_place(web, place, head);
    }
}

struct http_handler web_handler(struct web *web)
{
    return (struct http_handler){
        .context = web, .on_head = on_head, .on_request = on_request, .on_refuse = on_refuse};
}

void web_answer(struct web *web, int64_t request, const struct answer *answer)
{
    if (request > web->options.first_request) {
        const struct http_answer reply = dress(web, answer, NULL);
        http_server_answer(web->server, (uint64_t)(request - web->options.first_request), &reply);
    }
}
