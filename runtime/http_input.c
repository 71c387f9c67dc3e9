#include "runtime/http_conn.h"

#include "runtime/base/check.h"

#include <stdlib.h>
#include <string.h>

void conn_drop_request(struct http_conn *conn)
{
    if (conn->request != NULL) {
        free(conn->request->body);
        free(conn->request);
        conn->request = NULL;
    }
}

bool conn_is_reading(const struct http_conn *conn)
{
    return !conn->is_dead &&
           (conn->state == CONN_REST || conn->state == CONN_HEAD || conn->state == CONN_BODY);
}

/* Hands the whole request over; its memory ends with the call. */
static void dispatch(struct http_conn *conn, struct slice body)
{
    struct http_server *server = conn->server;
    struct http_request *request = conn->request;

    conn->request = NULL;
    conn->request_id = request->head.request_id;
    conn->gone_told = false;
    server->stats.requests++;
    conn_enter(conn, CONN_WAITING);
    server->handler.on_request(server->handler.context, &request->head, body);
    free(request->body);
    free(request);
}

static void start_body(struct http_conn *conn)
{
    struct http_request *request = conn->request;

    if (!request->is_chunked && request->content_length > request->body_bytes_max) {
        conn_refuse(conn, 413);
        return;
    }
    if (request->is_chunked) {
        body_reader_init_chunked(&conn->reader);
    } else {
        body_reader_init_length(&conn->reader, request->content_length);
    }
    if (conn->reader.state == BODY_DONE) {
        dispatch(conn, SLICE_EMPTY);
        return;
    }
    conn->progress = 0;
    conn_enter(conn, CONN_BODY);
    if (request->expects_continue) {
        conn_send_continue(conn);
    }
}

static void judge_head(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    struct http_request *request = conn->request;
    struct http_answer refusal = {.status = 403};

    conn->had_request = true;
    request->body_bytes_max = server->limits.body_bytes_max;
    request->head.request_id = ++server->next_sequence << 16 | conn->slot;
    if (server->handler.on_head != NULL) {
        size_t body_bytes_max = request->body_bytes_max;

        if (server->handler.on_head(server->handler.context, &request->head, &body_bytes_max,
                                    &refusal) != RC_OK) {
            conn_refuse_with(conn, &refusal);
            return;
        }
        if (body_bytes_max < request->body_bytes_max) {
            request->body_bytes_max = body_bytes_max;
        }
    }
    start_body(conn);
}

static size_t step_head(struct http_conn *conn, struct slice bytes)
{
    int status = 0;
    size_t len;

    if (conn->scanned == 0 && slice_starts_with(bytes, SLICE("\r\n"))) {
        return 2; /* old clients send one too many (RFC 9112, section 2.2) */
    }
    if (conn->state == CONN_REST) {
        conn_enter(conn, CONN_HEAD);
    }
    if (bytes.len == 1 && bytes.ptr[0] == '\r') {
        return 0;
    }
    conn->keep_alive = false;
    conn->is_head = false;
    len = head_scan(conn, bytes, &status);
    if (len == 0) {
        if (status != 0) {
            conn_refuse(conn, status);
        }
        return 0;
    }
    conn->scanned = 0;
    conn->line_start = 0;
    conn->lines = 0;
    status = head_parse(conn, slice_first(bytes, len), &conn->request);
    if (status != 0) {
        conn_refuse(conn, status);
    } else {
        judge_head(conn);
    }
    return len;
}

static bool body_put(struct http_request *request, struct slice piece)
{
    if (request->body_len + piece.len > request->body_cap) {
        size_t cap = request->body_cap < 4096 ? 4096 : request->body_cap;
        char *grown;

        while (cap < request->body_len + piece.len) {
            cap *= 2;
        }
        if (!request->is_chunked && cap > request->content_length) {
            cap = (size_t)request->content_length;
        }
        grown = realloc(request->body, cap);
        if (grown == NULL) {
            return false;
        }
        request->body = grown;
        request->body_cap = cap;
    }
    memcpy(request->body + request->body_len, piece.ptr, piece.len);
    request->body_len += piece.len;
    return true;
}

static void note_progress(struct http_conn *conn, size_t bytes)
{
    conn->progress += bytes;
    if (conn->progress >= HTTP_PROGRESS_BYTES) {
        conn->progress = 0;
        conn->rearm = true;
    }
}

/* 0, or the status that ends it. */
static int take_piece(struct http_conn *conn, struct slice *left, struct slice *piece)
{
    struct http_request *request = conn->request;
    enum rc rc = body_reader_next(&conn->reader, left, piece);
    uint64_t announced = piece->len;

    if (rc != RC_OK) {
        return rc == RC_TOO_BIG ? 431 : 400;
    }
    if (conn->reader.state == BODY_DATA) {
        announced += conn->reader.left; /* no need to wait for the rest of the chunk */
    }
    return announced > request->body_bytes_max - request->body_len ? 413 : 0;
}

static size_t step_body(struct http_conn *conn, struct slice bytes)
{
    struct http_request *request = conn->request;
    struct slice left = bytes;

    while (left.len > 0 && conn->reader.state != BODY_DONE) {
        struct slice piece;
        int status = take_piece(conn, &left, &piece);

        if (status == 0 && !request->is_chunked && request->body_len == 0 &&
            conn->reader.state == BODY_DONE) {
            dispatch(conn, piece); /* all in one read: no copy */
            return bytes.len - left.len;
        }
        if (status == 0 && piece.len > 0 && !body_put(request, piece)) {
            status = 503;
        }
        if (status != 0) {
            conn_refuse(conn, status);
            return bytes.len - left.len;
        }
        note_progress(conn, piece.len);
    }
    if (conn->reader.state == BODY_DONE) {
        dispatch(conn, slice_make(request->body, request->body_len));
    }
    return bytes.len - left.len;
}

/* Bytes used of those given. */
static size_t run(struct http_conn *conn, struct slice bytes)
{
    size_t used = 0;

    while (used < bytes.len && conn_is_reading(conn)) {
        struct slice left = slice_from(bytes, used);
        size_t step = conn->state == CONN_BODY ? step_body(conn, left) : step_head(conn, left);

        if (step == 0) {
            break;
        }
        used += step;
    }
    return used;
}

static void keep(struct http_conn *conn, struct slice bytes)
{
    size_t kept = conn->in_len - conn->in_off;

    if (bytes.len == 0) {
        return;
    }
    if (kept + bytes.len > conn->in_cap - conn->in_off) {
        size_t cap = kept + bytes.len < 512 ? 512 : (kept + bytes.len) * 2;
        char *grown = malloc(cap);

        CHECK(grown != NULL);
        if (kept > 0) {
            memcpy(grown, conn->in + conn->in_off, kept);
        }
        free(conn->in);
        conn->in = grown;
        conn->in_cap = cap;
        conn->in_off = 0;
        conn->in_len = kept;
    }
    memcpy(conn->in + conn->in_len, bytes.ptr, bytes.len);
    conn->in_len += bytes.len;
}

void conn_feed_kept(struct http_conn *conn)
{
    conn->in_off += run(conn, slice_make(conn->in + conn->in_off, conn->in_len - conn->in_off));
    if (conn->in_off == conn->in_len || conn->is_dead) {
        free(conn->in);
        conn->in = NULL;
        conn->in_off = 0;
        conn->in_len = 0;
        conn->in_cap = 0;
    }
}

void conn_feed(struct http_conn *conn, struct slice fresh)
{
    if (conn->in_len > conn->in_off) {
        keep(conn, fresh);
        conn_feed_kept(conn);
        return;
    }
    fresh = slice_from(fresh, run(conn, fresh));
    if (conn_is_reading(conn) || (!conn->is_dead && conn->keep_alive)) {
        keep(conn, fresh);
    }
}
