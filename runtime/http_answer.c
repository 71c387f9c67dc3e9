#include "runtime/http_conn.h"

#include "runtime/base/check.h"
#include "runtime/log.h"
#include "runtime/tls.h"

#include <errno.h>
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The first line of an answer, or the text of a refusal. */
#define LINE_BYTES 96
#define OUT_PUT(out, literal) out_put((out), SLICE(literal))

struct out {
    char *ptr;
    size_t len;
    size_t cap;
};

static void out_put(struct out *out, struct slice text)
{
    CHECK(text.len <= out->cap - out->len);
    if (text.len > 0) {
        memcpy(out->ptr + out->len, text.ptr, text.len);
        out->len += text.len;
    }
}

/* A value with a line end in it would be a header of somebody else's making. */
static void out_put_value(struct out *out, struct slice text)
{
    size_t start = out->len;

    out_put(out, text);
    for (size_t i = start; i < out->len; i++) {
        if ((unsigned char)out->ptr[i] < ' ' || out->ptr[i] == 0x7F) {
            out->ptr[i] = ' ';
        }
    }
}

static void out_put_header(struct out *out, struct slice name, struct slice value)
{
    out_put(out, name);
    OUT_PUT(out, ": ");
    out_put_value(out, value);
    OUT_PUT(out, "\r\n");
}

static size_t answer_bytes_max(const struct http_answer *answer)
{
    size_t bytes = 256 + answer->content_type.len + answer->body.len;

    for (size_t i = 0; i < answer->headers_count; i++) {
        bytes += answer->headers[i].name.len + answer->headers[i].value.len + 4;
    }
    return bytes;
}

static bool status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void
out_put_answer(struct out *out, const struct http_conn *conn, const struct http_answer *answer)
{
    char line[LINE_BYTES];
    int len = snprintf(line, sizeof(line), "HTTP/1.1 %d %s\r\n", answer->status,
                       http_status_str((enum http_status)answer->status));

    out_put(out, slice_make(line, (size_t)len));
    if (answer->content_type.len > 0) {
        out_put_header(out, SLICE("Content-Type"), answer->content_type);
    }
    if (status_has_body(answer->status)) {
        len = snprintf(line, sizeof(line), "Content-Length: %zu\r\n", answer->body.len);
        out_put(out, slice_make(line, (size_t)len));
    }
    for (size_t i = 0; i < answer->headers_count; i++) {
        out_put_header(out, answer->headers[i].name, answer->headers[i].value);
    }
    if (!conn->keep_alive) {
        OUT_PUT(out, "Connection: close\r\n");
    } else if (conn->is_http_1_0) {
        OUT_PUT(out, "Connection: keep-alive\r\n");
    }
    OUT_PUT(out, "\r\n");
    if (status_has_body(answer->status) && !conn->is_head) {
        out_put(out, answer->body);
    }
}

/* Output that is still on its way (100 Continue) goes first. */
static void start_output(struct http_conn *conn, struct out *out, size_t bytes_max)
{
    size_t waiting = conn->out_len - conn->out_off;

    *out = (struct out){malloc(bytes_max + waiting), 0, bytes_max + waiting};
    CHECK(out->ptr != NULL);
    if (waiting > 0) {
        out_put(out, slice_make(conn->out + conn->out_off, waiting));
    }
}

static void set_output(struct http_conn *conn, const struct out *out)
{
    free(conn->out);
    conn->out = out->ptr;
    conn->out_off = 0;
    conn->out_len = out->len;
    conn_flush(conn);
}

void conn_answer(struct http_conn *conn, const struct http_answer *answer)
{
    struct out out;

    if (conn->server->is_draining) {
        conn->keep_alive = false;
    }
    start_output(conn, &out, answer_bytes_max(answer));
    out_put_answer(&out, conn, answer);
    conn_enter(conn, CONN_FLUSHING);
    set_output(conn, &out);
}

void conn_refuse_with(struct http_conn *conn, const struct http_answer *answer)
{
    conn_drop_request(conn);
    conn->keep_alive = false;
    conn->server->stats.refused++;
    log_event(conn->server->log, LOG_DEBUG, "http_refused", LOG_INT("status", answer->status),
              LOG_CSTR("remote", conn->remote));
    conn_answer(conn, answer);
}

/* `line` is room for the plain text of it. */
static struct http_answer
refusal_of(const struct http_server *server, int status, char *line, size_t size)
{
    static const struct http_header come_back = {SLICE_INIT("Retry-After"), SLICE_INIT("5")};
    const int len =
        snprintf(line, size, "%d %s\n", status, http_status_str((enum http_status)status));
    struct http_answer answer = {
        .status = status,
        .content_type = SLICE("text/plain"),
        .body = slice_make(line, (size_t)len),
        .headers = &come_back,
        .headers_count = status == 503 ? 1 : 0,
    };

    if (server->handler.on_refuse != NULL) {
        server->handler.on_refuse(server->handler.context, &answer);
    }
    return answer;
}

void conn_refuse(struct http_conn *conn, int status)
{
    char line[LINE_BYTES];
    const struct http_answer answer = refusal_of(conn->server, status, line, sizeof(line));

    conn_refuse_with(conn, &answer);
}

void conn_send_continue(struct http_conn *conn)
{
    struct out out;

    start_output(conn, &out, 32);
    OUT_PUT(&out, "HTTP/1.1 100 Continue\r\n\r\n");
    set_output(conn, &out);
}

void http_refuse_overload(const struct http_server *server, int fd)
{
    static const struct http_conn unopened = {0}; /* HTTP/1.1, and not kept alive */
    char line[LINE_BYTES];
    const struct http_answer answer = refusal_of(server, 503, line, sizeof(line));
    struct out out = {.cap = answer_bytes_max(&answer)};

    out.ptr = malloc(out.cap);
    CHECK(out.ptr != NULL);
    out_put_answer(&out, &unopened, &answer);
    (void)send(fd, out.ptr, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    free(out.ptr);
}

static enum rc send_some(struct http_conn *conn, size_t *sent)
{
    struct slice left = slice_make(conn->out + conn->out_off, conn->out_len - conn->out_off);
    ssize_t n;

    if (conn->tls != NULL) {
        return tls_write(conn->tls, left, sent);
    }
    n = send(conn->fd, left.ptr, left.len, MSG_NOSIGNAL);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? RC_AGAIN : RC_IO;
    }
    *sent = (size_t)n;
    return RC_OK;
}

static void output_done(struct http_conn *conn)
{
    free(conn->out);
    conn->out = NULL;
    conn->out_off = 0;
    conn->out_len = 0;
    if (conn->state == CONN_FLUSHING) {
        conn_enter(conn, conn->keep_alive ? CONN_REST : CONN_LINGER);
    }
}

void conn_flush(struct http_conn *conn)
{
    while (conn->out_off < conn->out_len) {
        size_t sent = 0;
        enum rc rc = send_some(conn, &sent);

        if (rc == RC_AGAIN) {
            return;
        }
        if (rc != RC_OK) {
            conn_end(conn);
            return;
        }
        conn->out_off += sent;
        conn->rearm = conn->rearm || conn->state == CONN_FLUSHING;
    }
    if (conn->out != NULL) {
        output_done(conn);
    }
}
