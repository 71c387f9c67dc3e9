#include "runtime/daemon/web.h"

#include "actors/messages.h"
#include "codecs/page.h"
#include "codecs/texts.h"
#include "runtime/base/check.h"
#include "runtime/base/limits.h"

#include <stdlib.h>

struct web {
    struct web_options options;
    struct http_server *server;
    struct arena *arena;
};

/* A request whose turn may fail. */
struct waiting {
    struct web *web;
    uint64_t request_id;
};

struct web *web_open(const struct web_options *options)
{
    struct web *web = calloc(1, sizeof *web);
    CHECK(web != NULL);
    web->options = *options;
    web->arena = arena_open(HTTP_FORM_BYTES_MAX);
    return web;
}

void web_close(struct web *web)
{
    if (web != NULL) {
        arena_close(web->arena);
        free(web);
    }
}

void web_serve(struct web *web, struct http_server *server)
{
    web->server = server;
}

static enum rc on_head(void *context,
                       const struct http_head *head,
                       size_t *body_bytes_max,
                       struct http_answer *refusal)
{
    (void)context;
    (void)head;
    (void)refusal;
    *body_bytes_max = HTTP_FORM_BYTES_MAX;
    return RC_OK;
}

/* Nothing here is to be kept, framed, sniffed or told to the next site: login links are secrets. */
static void send_answer(struct web *web, uint64_t request_id, const struct answer *answer)
{
    struct http_header headers[8] = {
        {SLICE("Cache-Control"), SLICE("no-store")},
        {SLICE("Referrer-Policy"), SLICE("no-referrer")},
        {SLICE("X-Content-Type-Options"), SLICE("nosniff")},
        {SLICE("X-Frame-Options"), SLICE("DENY")},
        {SLICE("Content-Security-Policy"), slice_from_cstr(page_security_policy)},
    };
    size_t count = 5;
    if (answer->location.len > 0) {
        headers[count++] = (struct http_header){SLICE("Location"), answer->location};
    }
    if (answer->set_cookie.len > 0) {
        headers[count++] = (struct http_header){SLICE("Set-Cookie"), answer->set_cookie};
    }
    const struct http_answer reply = {
        .status = answer->status,
        .content_type = answer->content_type,
        .body = answer->body,
        .headers = headers,
        .headers_count = count,
    };
    http_server_answer(web->server, request_id, &reply);
}

static void
send_trouble(struct web *web, uint64_t request_id, int status, enum text title, enum text text)
{
    arena_reset(web->arena);
    const struct page page = {
        .title = text_template(title),
        .text_html = TEXT_RENDER(web->arena, text, {"bot", SLICE("the bot")}).html,
    };
    const struct answer answer = {
        .status = status,
        .content_type = SLICE("text/html; charset=utf-8"),
        .body = page_render(web->arena, &page),
    };
    send_answer(web, request_id, &answer);
}

static void input_is_done(void *context, enum rc rc)
{
    struct waiting *waiting = context;
    if (rc != RC_OK) {
        send_trouble(waiting->web, waiting->request_id, 503, TEXT_PAGE_FAILED_TITLE,
                     TEXT_PAGE_FAILED);
    }
    free(waiting);
}

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    struct web *web = context;
    const bool is_known = slice_equal(head->method, SLICE("GET")) ||
                          slice_equal(head->method, SLICE("HEAD")) ||
                          slice_equal(head->method, SLICE("POST"));
    if (!is_known) {
        send_trouble(web, head->request_id, 405, TEXT_PAGE_ABSENT_TITLE, TEXT_PAGE_ABSENT);
        return;
    }
    const struct msg_web request = {
        .request = web->options.first_request + (int64_t)head->request_id,
        .method = head->method,
        .path = head->path,
        .query = head->query,
        .body = body,
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

struct http_handler web_handler(struct web *web)
{
    return (struct http_handler){.context = web, .on_head = on_head, .on_request = on_request};
}

void web_answer(struct web *web, int64_t request, const struct answer *answer)
{
    if (request > web->options.first_request) {
        send_answer(web, (uint64_t)(request - web->options.first_request), answer);
    }
}
