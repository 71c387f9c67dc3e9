#include "runtime/websocket.h"

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/base/limits.h"
#include "runtime/websocket_upgrade.h"
#include "runtime/websocket_wire.h"

#include <wslay/wslay.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    /* More than this unsent means that the peer does not read (or floods us with pings). */
    WEBSOCKET_UNSENT_BYTES_MAX = 1024 * 1024,
    WEBSOCKET_DETAIL_BYTES = 200,
    FRAME_FIN = 0x80,
    FRAME_MASKED = 0x80,
    FRAME_LEN_16 = 126,
    FRAME_MASK_BYTES = 4,
    FRAME_HEADER_BYTES_MAX = 2 + 2 + FRAME_MASK_BYTES,
};

struct websocket {
    struct ev_loop *loop;
    struct websocket_wire wire;
    const struct websocket_events *events;
    void *context;
    struct upgrade *upgrade;        /* until its last early byte was taken */
    wslay_event_context_ptr frames; /* NULL until upgraded */
    struct slice early;             /* frames that came with the answer to the upgrade */
    ev_io io;
    ev_timer again; /* armed when a read stopped before the socket was empty */
    uint64_t message_bytes_max;
    size_t read_budget; /* bytes until others have their turn */
    int64_t ping_ms;
    int64_t pong_ms;
    int64_t ping_at_ms; /* of the last ping, or a time that stands for it */
    bool is_ping_sent;
    bool is_ended;
};

int64_t websocket_now_ms(void)
{
    return clock_read_ms(CLOCK_MONOTONIC);
}

static void websocket_unwatch(struct websocket *socket)
{
    ev_io_stop(socket->loop, &socket->io);
    ev_timer_stop(socket->loop, &socket->again);
}

static void websocket_end(struct websocket *socket, enum websocket_end why, struct slice detail)
{
    if (socket->is_ended) {
        return;
    }
    socket->is_ended = true;
    websocket_unwatch(socket);
    socket->events->on_end(socket->context, why, detail);
}

static void websocket_end_network(struct websocket *socket)
{
    const struct websocket_wire *wire = &socket->wire;
    const char *reason =
        wire->is_eof ? "connection closed without a close frame" : curl_easy_strerror(wire->error);
    websocket_end(socket, socket->frames == NULL ? WEBSOCKET_END_REFUSED : WEBSOCKET_END_CLOSED,
                  slice_from_cstr(reason));
}

static ssize_t websocket_on_frame_recv(
    wslay_event_context_ptr frames, uint8_t *buf, size_t len, int flags, void *context)
{
    struct websocket *socket = context;
    (void)flags;
    if (socket->early.len > 0) {
        const struct slice part = slice_first(socket->early, len);
        memcpy(buf, part.ptr, part.len);
        socket->early = slice_from(socket->early, part.len);
        return (ssize_t)part.len;
    }
    size_t got = 0;
    enum rc rc = RC_AGAIN;
    if (socket->read_budget == 0) {
        ev_timer_set(&socket->again, 0., 0.);
        ev_timer_start(socket->loop, &socket->again);
    } else {
        rc = websocket_wire_read(&socket->wire, (char *)buf, len, &got);
    }
    if (rc != RC_OK) {
        wslay_event_set_error(frames,
                              rc == RC_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    socket->read_budget -= got < socket->read_budget ? got : socket->read_budget;
    return (ssize_t)got;
}

static ssize_t websocket_on_frame_send(
    wslay_event_context_ptr frames, const uint8_t *data, size_t len, int flags, void *context)
{
    struct websocket *socket = context;
    (void)flags;
    enum rc rc = websocket_wire_write(&socket->wire);
    if (rc == RC_OK && len > 0) {
        websocket_wire_hold(&socket->wire, data, len);
        rc = websocket_wire_write(&socket->wire);
        rc = rc == RC_AGAIN ? RC_OK : rc;
    }
    if (rc != RC_OK) {
        wslay_event_set_error(frames,
                              rc == RC_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)len;
}

static int
websocket_on_mask(wslay_event_context_ptr frames, uint8_t *buf, size_t len, void *context)
{
    (void)frames;
    (void)context;
    CHECK(getrandom(buf, len, 0) == (ssize_t)len);
    return 0;
}

static void websocket_on_message(wslay_event_context_ptr frames,
                                 const struct wslay_event_on_msg_recv_arg *arg,
                                 void *context)
{
    struct websocket *socket = context;
    (void)frames;
    if (arg->opcode == WSLAY_TEXT_FRAME && !socket->is_ended) {
        socket->events->on_text(socket->context, slice_make(arg->msg, arg->msg_length));
    }
}

static void websocket_watch(struct websocket *socket)
{
    if (socket->is_ended) {
        return;
    }
    const bool wants_write =
        socket->wire.unsent != NULL ||
        (socket->frames != NULL && wslay_event_want_write(socket->frames) != 0);
    const int wanted = EV_READ | (wants_write ? EV_WRITE : 0);
    if (ev_is_active(&socket->io) && (socket->io.events & (EV_READ | EV_WRITE)) == wanted) {
        return;
    }
    ev_io_stop(socket->loop, &socket->io);
    ev_io_set(&socket->io, socket->io.fd, wanted);
    ev_io_start(socket->loop, &socket->io);
}

/* Gives the queued frames to the connection as far as it takes them. */
static void websocket_flush(struct websocket *socket)
{
    if (websocket_wire_write(&socket->wire) == RC_OK &&
        wslay_event_want_write(socket->frames) != 0) {
        (void)wslay_event_send(socket->frames);
    }
}

/* Why frames are not read any more: closed by the peer, or by wslay over a frame it refused. */
static void websocket_end_frames(struct websocket *socket)
{
    char detail[WEBSOCKET_DETAIL_BYTES];
    const bool is_closed = wslay_event_get_close_received(socket->frames) != 0;
    const unsigned int code = is_closed ? wslay_event_get_status_code_received(socket->frames)
                                        : wslay_event_get_status_code_sent(socket->frames);
    (void)snprintf(detail, sizeof(detail), "%s, code %u",
                   is_closed ? "closed by the peer" : "closed over a bad frame", code);
    websocket_end(socket, is_closed ? WEBSOCKET_END_CLOSED : WEBSOCKET_END_PROTOCOL,
                  slice_from_cstr(detail));
}

static void websocket_run(struct websocket *socket)
{
    socket->read_budget = LINK_READ_BYTES_MAX;
    const bool is_read = wslay_event_recv(socket->frames) == 0;
    if (socket->early.len == 0) {
        upgrade_close(socket->upgrade);
        socket->upgrade = NULL;
    }
    websocket_flush(socket);
    if (wslay_event_get_close_received(socket->frames) != 0) {
        websocket_end_frames(socket);
    } else if (websocket_wire_is_broken(&socket->wire)) {
        websocket_end_network(socket);
    } else if (!is_read || wslay_event_get_read_enabled(socket->frames) == 0) {
        websocket_end_frames(socket);
    } else if (wslay_event_get_queued_msg_length(socket->frames) > WEBSOCKET_UNSENT_BYTES_MAX) {
        websocket_end(socket, WEBSOCKET_END_PROTOCOL, SLICE("the peer does not read"));
    }
}

static void websocket_begin_frames(struct websocket *socket)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = websocket_on_frame_recv,
        .send_callback = websocket_on_frame_send,
        .genmask_callback = websocket_on_mask,
        .on_msg_recv_callback = websocket_on_message,
    };
    CHECK(wslay_event_context_client_init(&socket->frames, &callbacks, socket) == 0);
    wslay_event_config_set_max_recv_msg_length(socket->frames, socket->message_bytes_max);
    socket->early = upgrade_rest(socket->upgrade);
    /* the first ping comes after half an interval to one, so that links started together do not
     * ping together for ever */
    uint16_t jitter = 0;
    CHECK(getrandom(&jitter, sizeof(jitter), 0) == (ssize_t)sizeof(jitter));
    socket->ping_at_ms = websocket_now_ms() - socket->ping_ms / 2 * jitter / UINT16_MAX;
    socket->events->on_open(socket->context);
    websocket_run(socket);
}

static enum rc websocket_read_upgrade(struct websocket *socket)
{
    enum rc rc = websocket_wire_write(&socket->wire);
    size_t got = 1;
    while (rc != RC_IO && got > 0) {
        size_t len = 0;
        char *space = upgrade_space(socket->upgrade, &len);
        rc = websocket_wire_read(&socket->wire, space, len, &got);
        if (rc == RC_OK) {
            rc = upgrade_read(socket->upgrade, got);
            if (rc != RC_AGAIN) {
                return rc;
            }
        }
    }
    return rc;
}

static void websocket_do_upgrade(struct websocket *socket)
{
    const enum rc rc = websocket_read_upgrade(socket);
    if (rc == RC_OK && socket->wire.unsent != NULL) {
        websocket_end(socket, WEBSOCKET_END_REFUSED, SLICE("answered before it was asked"));
    } else if (rc == RC_OK) {
        websocket_begin_frames(socket);
    } else if (rc == RC_IO) {
        websocket_end_network(socket);
    } else if (rc != RC_AGAIN) {
        websocket_end(socket, WEBSOCKET_END_REFUSED, upgrade_detail(socket->upgrade));
    }
}

static void websocket_proceed(struct websocket *socket)
{
    if (socket->frames == NULL) {
        websocket_do_upgrade(socket);
    } else {
        websocket_run(socket);
    }
    websocket_watch(socket);
}

static void websocket_on_io(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    websocket_proceed(io->data);
}

static void websocket_on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    websocket_proceed(timer->data);
}

struct websocket *websocket_open(const struct websocket_options *options)
{
    struct websocket *socket = calloc(1, sizeof(*socket));
    CHECK(socket != NULL);
    curl_socket_t fd = CURL_SOCKET_BAD;
    CHECK(curl_easy_getinfo(options->curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK);
    socket->loop = options->loop;
    socket->wire.curl = options->curl;
    socket->events = options->events;
    socket->context = options->context;
    socket->message_bytes_max = options->message_bytes_max;
    socket->ping_ms = options->ping_ms;
    socket->pong_ms = options->pong_ms;
    socket->upgrade = upgrade_open(options->target, options->host);
    ev_io_init(&socket->io, websocket_on_io, fd, EV_READ);
    socket->io.data = socket;
    ev_timer_init(&socket->again, websocket_on_again, 0., 0.);
    socket->again.data = socket;
    const struct slice request = upgrade_request(socket->upgrade);
    websocket_wire_hold(&socket->wire, request.ptr, request.len);
    websocket_watch(socket);
    return socket;
}

void websocket_close(struct websocket *socket)
{
    if (socket == NULL) {
        return;
    }
    websocket_unwatch(socket);
    wslay_event_context_free(socket->frames);
    upgrade_close(socket->upgrade);
    websocket_wire_drop(&socket->wire);
    free(socket);
}

static bool websocket_is_open(const struct websocket *socket)
{
    return socket->frames != NULL && !socket->is_ended;
}

void websocket_send(struct websocket *socket, struct slice text)
{
    if (!websocket_is_open(socket)) {
        return;
    }
    const struct wslay_event_msg message = {
        .opcode = WSLAY_TEXT_FRAME, .msg = (const uint8_t *)text.ptr, .msg_length = text.len};
    CHECK(wslay_event_queue_msg(socket->frames, &message) != WSLAY_ERR_NOMEM);
    websocket_watch(socket);
}

/* The header of a masked text frame (RFC 6455 5.2) without the mask; gives its length. */
static size_t websocket_put_header(uint8_t *out, size_t len)
{
    const uint16_t len_16 = htons((uint16_t)len);
    out[0] = FRAME_FIN | WSLAY_TEXT_FRAME;
    if (len < FRAME_LEN_16) {
        out[1] = (uint8_t)(FRAME_MASKED | len);
        return 2;
    }
    out[1] = FRAME_MASKED | FRAME_LEN_16;
    memcpy(out + 2, &len_16, sizeof(len_16));
    return 2 + sizeof(len_16);
}

/* wslay would keep a copy of the text and free it as it is. */
void websocket_send_secret(struct websocket *socket, struct slice text)
{
    if (!websocket_is_open(socket)) {
        return;
    }
    CHECK(text.len <= UINT16_MAX && wslay_event_want_write(socket->frames) == 0);
    uint8_t mask[FRAME_MASK_BYTES];
    uint8_t *frame = malloc(FRAME_HEADER_BYTES_MAX + text.len);
    CHECK(frame != NULL && getrandom(mask, sizeof(mask), 0) == (ssize_t)sizeof(mask));
    size_t len = websocket_put_header(frame, text.len);
    memcpy(frame + len, mask, sizeof(mask));
    len += sizeof(mask);
    for (size_t i = 0; i < text.len; i++) {
        frame[len + i] = (uint8_t)text.ptr[i] ^ mask[i % FRAME_MASK_BYTES];
    }
    websocket_wire_hold(&socket->wire, frame, len + text.len);
    explicit_bzero(frame, len + text.len);
    free(frame);
    websocket_watch(socket);
}

void websocket_end_quietly(struct websocket *socket, bool with_goodbye)
{
    if (with_goodbye && websocket_is_open(socket)) {
        websocket_flush(socket);
        /* a close frame overtakes all that is queued, and nothing follows it */
        (void)wslay_event_queue_close(socket->frames, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
        websocket_flush(socket);
    }
    socket->is_ended = true;
    websocket_unwatch(socket);
}

static void websocket_ping(struct websocket *socket, int64_t now_ms)
{
    const struct wslay_event_msg ping = {.opcode = WSLAY_PING};
    CHECK(wslay_event_queue_msg(socket->frames, &ping) != WSLAY_ERR_NOMEM);
    socket->is_ping_sent = true;
    socket->wire.is_heard = false;
    socket->ping_at_ms = now_ms;
}

void websocket_tick(struct websocket *socket)
{
    if (socket->is_ended) {
        return;
    }
    /* a loop that was held up finds the deadline and the pong at once: the pong counts */
    websocket_proceed(socket);
    if (!websocket_is_open(socket)) {
        return;
    }
    const int64_t now_ms = websocket_now_ms();
    if (now_ms < websocket_deadline(socket)) {
        return;
    }
    if (socket->is_ping_sent && !socket->wire.is_heard) {
        websocket_end(socket, WEBSOCKET_END_SILENT, SLICE("no answer to a ping"));
        return;
    }
    websocket_ping(socket, now_ms);
    websocket_watch(socket);
}

int64_t websocket_deadline(const struct websocket *socket)
{
    if (!websocket_is_open(socket)) {
        return INT64_MAX;
    }
    const bool is_waiting = socket->is_ping_sent && !socket->wire.is_heard;
    return socket->ping_at_ms + (is_waiting ? socket->pong_ms : socket->ping_ms);
}
