#include "runtime/http_conn.h"

#include "runtime/base/check.h"
#include "runtime/log.h"
#include "runtime/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads of one connection before the others get their turn. */
#define READS_MAX 8

static void queue_leave(struct http_conn *conn)
{
    struct conn_queue *queue = conn->queue;

    if (queue == NULL) {
        return;
    }
    *(conn->previous != NULL ? &conn->previous->next : &queue->first) = conn->next;
    *(conn->next != NULL ? &conn->next->previous : &queue->last) = conn->previous;
    conn->queue = NULL;
}

static struct conn_queue *queue_of(struct http_conn *conn)
{
    struct conn_queue *queues = conn->server->queues;

    switch (conn->state) {
    case CONN_HANDSHAKE:
    case CONN_HEAD:
    case CONN_LINGER:
        return &queues[CONN_QUEUE_UNPROVEN];
    case CONN_REST:
        return &queues[conn->had_request ? CONN_QUEUE_REST : CONN_QUEUE_UNPROVEN];
    case CONN_BODY:
        return &queues[CONN_QUEUE_BODY];
    case CONN_WAITING:
    case CONN_FLUSHING:
        return NULL;
    }
    CHECK(false);
}

static void queue_enter(struct http_conn *conn)
{
    struct conn_queue *queue = queue_of(conn);

    conn->queue = queue;
    if (queue == NULL) {
        return;
    }
    conn->previous = queue->last;
    conn->next = NULL;
    *(queue->last != NULL ? &queue->last->next : &queue->first) = conn;
    queue->last = conn;
}

struct http_conn *conn_find_expendable(struct http_server *server)
{
    for (int i = 0; i < CONN_QUEUES; i++) {
        if (server->queues[i].first != NULL) {
            return server->queues[i].first;
        }
    }
    return NULL;
}

/* Closing with unread bytes in the socket would reset the connection and could take the answer from
 * the peer before it was read (RFC 9112, section 9.6): so our side closes and we read on a bit. */
static void start_linger(struct http_conn *conn)
{
    if (conn->peer_closed) {
        conn_end(conn);
        return;
    }
    if (conn->tls != NULL) {
        tls_end(conn->tls);
    }
    if (shutdown(conn->fd, SHUT_WR) != 0) {
        conn_end(conn);
        return;
    }
    conn->is_paused = false;
    conn->linger_left = HTTP_LINGER_BYTES_MAX;
}

void conn_enter(struct http_conn *conn, enum conn_state state)
{
    queue_leave(conn);
    conn->state = state;
    conn->rearm = true;
    queue_enter(conn);
    if (state == CONN_REST) {
        conn->is_paused = false;
    } else if (state == CONN_LINGER) {
        start_linger(conn);
    }
}

void conn_end(struct http_conn *conn)
{
    struct http_server *server = conn->server;

    if (conn->is_dead) {
        return;
    }
    queue_leave(conn);
    conn->is_dead = true;
    ev_io_stop(server->loop, &conn->io);
    ev_timer_stop(server->loop, &conn->timer);
    tls_close(conn->tls);
    conn->tls = NULL;
    (void)close(conn->fd);
    server->slots[conn->slot] = NULL;
    server->free_slots[server->free_count++] = conn->slot;
    server->stats.connections--;
}

static void conn_free(struct http_conn *conn)
{
    conn_drop_request(conn);
    free(conn->in);
    free(conn->out);
    free(conn);
}

static int64_t state_ms(const struct http_conn *conn)
{
    const struct http_limits *limits = &conn->server->limits;

    switch (conn->state) {
    case CONN_HANDSHAKE:
    case CONN_HEAD:
        return limits->header_ms;
    case CONN_REST:
        return conn->had_request ? limits->idle_ms : limits->header_ms;
    case CONN_BODY:
        return limits->body_ms;
    case CONN_WAITING:
        return 0;
    case CONN_FLUSHING:
        return limits->write_ms;
    case CONN_LINGER:
        return limits->linger_ms;
    }
    CHECK(false);
}

static bool wants_read(const struct http_conn *conn)
{
    if (conn->state == CONN_LINGER) {
        return conn->linger_left > 0;
    }
    return !conn->is_paused && !conn->peer_closed;
}

static void watch(struct http_conn *conn)
{
    struct ev_loop *loop = conn->server->loop;
    bool wants_write =
        conn->out_off < conn->out_len || (conn->tls != NULL && tls_wants_write(conn->tls));
    int events = (wants_read(conn) ? EV_READ : 0) | (wants_write ? EV_WRITE : 0);

    if (events != (conn->io.events & (EV_READ | EV_WRITE)) || !ev_is_active(&conn->io)) {
        ev_io_stop(loop, &conn->io);
        ev_io_set(&conn->io, conn->fd, events);
        if (events != 0) {
            ev_io_start(loop, &conn->io);
        }
    }
}

void conn_settle(struct http_conn *conn)
{
    struct ev_loop *loop = conn->server->loop;
    bool has_more =
        conn->in != NULL || (!conn->is_dead && conn->tls != NULL && tls_is_pending(conn->tls));

    if (conn->state == CONN_REST && (conn->peer_closed || conn->server->is_draining) && !has_more) {
        conn_end(conn);
    }
    if (conn->is_dead) {
        if (!conn->is_busy) {
            conn_free(conn);
        }
        return;
    }
    watch(conn);
    if (conn->rearm) {
        conn->rearm = false;
        conn->timer.repeat = (ev_tstamp)state_ms(conn) / 1000.;
        ev_timer_again(loop, &conn->timer);
    }
    if (has_more && (conn->state == CONN_REST || (conn->in == NULL && conn_is_reading(conn)))) {
        ev_feed_event(loop, &conn->io, EV_CUSTOM);
    }
}

static enum rc receive(struct http_conn *conn, size_t *got)
{
    ssize_t n;

    if (conn->tls != NULL && conn->state != CONN_LINGER) {
        return tls_read(conn->tls, conn->server->scratch, HTTP_READ_BYTES, got);
    }
    n = recv(conn->fd, conn->server->scratch, HTTP_READ_BYTES, 0);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? RC_AGAIN : RC_IO;
    }
    *got = (size_t)n;
    return n == 0 ? RC_ABSENT : RC_OK;
}

static void read_request(struct http_conn *conn)
{
    for (int i = 0; i < READS_MAX && conn_is_reading(conn); i++) {
        size_t got = 0;
        enum rc rc = receive(conn, &got);

        if (rc == RC_AGAIN) {
            return;
        }
        if (rc != RC_OK) {
            conn_end(conn);
            return;
        }
        conn_feed(conn, slice_make(conn->server->scratch, got));
        if (conn->is_dead || (conn->tls == NULL && got < HTTP_READ_BYTES)) {
            return;
        }
    }
}

static void read_linger(struct http_conn *conn)
{
    size_t got = 0;
    enum rc rc = receive(conn, &got);

    if (rc == RC_ABSENT || rc == RC_IO) {
        conn_end(conn);
        return;
    }
    conn->linger_left = got < conn->linger_left ? conn->linger_left - got : 0;
}

static void tell_gone(struct http_conn *conn)
{
    struct http_handler *handler = &conn->server->handler;

    if (conn->state == CONN_WAITING && !conn->gone_told && handler->on_gone != NULL) {
        conn->gone_told = true;
        handler->on_gone(handler->context, conn->request_id);
    }
}

/* While a request is answered nothing is read, only looked at: to learn that the peer left. */
static void look(struct http_conn *conn)
{
    char byte;
    ssize_t n = recv(conn->fd, &byte, 1, MSG_PEEK);

    if (n > 0) {
        conn->is_paused = true;
    } else if (n == 0) {
        conn->peer_closed = true;
        tell_gone(conn);
    } else if (errno != EAGAIN && errno != EINTR) {
        tell_gone(conn);
        conn_end(conn);
    }
}

static void shake_hands(struct http_conn *conn)
{
    enum rc rc = tls_handshake(conn->tls);

    if (rc == RC_OK) {
        conn_enter(conn, CONN_REST);
    } else if (rc != RC_AGAIN) {
        log_event(conn->server->log, LOG_DEBUG, "tls_handshake_failed",
                  LOG_CSTR("remote", conn->remote));
        conn_end(conn);
    }
}

static void take_input(struct http_conn *conn)
{
    if (conn->state == CONN_REST && conn->in != NULL) {
        conn_feed_kept(conn);
    }
    if (conn_is_reading(conn)) {
        if (!conn->peer_closed || conn->tls != NULL) {
            read_request(conn);
        } else if (conn->state != CONN_REST) {
            conn_end(conn); /* nothing can follow the part of a request that came */
        }
    } else if (!conn->is_dead && conn->state == CONN_LINGER) {
        read_linger(conn);
    } else if (!conn->is_dead && !conn->is_paused && !conn->peer_closed) {
        look(conn);
    }
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct http_conn *conn = io->data;

    (void)loop;
    conn->is_busy = true;
    if (conn->state == CONN_HANDSHAKE) {
        shake_hands(conn);
    }
    if (!conn->is_dead && (events & EV_WRITE) != 0) {
        conn_flush(conn);
    }
    if (!conn->is_dead && conn->state != CONN_HANDSHAKE) {
        take_input(conn);
    }
    conn->is_busy = false;
    conn_settle(conn);
}

static void give_up(struct http_conn *conn)
{
    if (conn->state == CONN_HEAD || conn->state == CONN_BODY) {
        conn_refuse(conn, 408);
    } else {
        conn_end(conn);
    }
}

/* When the loop was held up (a slow disk), what the peer did in time still waits in the socket:
 * that counts first. */
static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct http_conn *conn = timer->data;

    (void)loop;
    (void)events;
    conn->is_busy = true;
    if (conn->state == CONN_FLUSHING) {
        conn_flush(conn);
    } else if (conn_is_reading(conn)) {
        take_input(conn);
    }
    if (!conn->is_dead && !conn->rearm) {
        give_up(conn);
    }
    conn->is_busy = false;
    conn_settle(conn);
}

void conn_open(struct http_server *server, int fd, const char *remote)
{
    struct http_conn *conn = calloc(1, sizeof(*conn));

    CHECK(conn != NULL && server->free_count > 0);
    conn->server = server;
    conn->fd = fd;
    conn->slot = server->free_slots[--server->free_count];
    server->slots[conn->slot] = conn;
    server->stats.connections++;
    (void)snprintf(conn->remote, sizeof(conn->remote), "%s", remote);
    ev_io_init(&conn->io, on_io, fd, EV_READ);
    conn->io.data = conn;
    ev_timer_init(&conn->timer, on_timer, 0., 0.);
    conn->timer.data = conn;
    if (server->tls == NULL) {
        conn_enter(conn, CONN_REST);
    } else {
        conn_enter(conn, CONN_HANDSHAKE);
        conn->tls = tls_open(server->tls, fd);
        if (conn->tls == NULL) {
            conn_end(conn);
        }
    }
    conn_settle(conn);
}
