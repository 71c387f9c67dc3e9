#include "tests/unit/websocket_fake.h"

#include "runtime/base/check.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/hash.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    FAKE_READ_BYTES = 65536,
    FAKE_PATIENCE_S = 20,
    FAKE_MASK_BYTES = 4,
    FAKE_LEN_16 = 126,
    FAKE_LEN_64 = 127,
    FAKE_ROUND_MS = 1,
};

static struct slice part(struct slice text, size_t from, size_t len)
{
    return slice_first(slice_from(text, from), len);
}

struct slice fake_header(struct slice head, struct slice name)
{
    while (head.ptr != NULL) {
        struct slice line = slice_cut(&head, '\n');
        const struct slice field = slice_cut(&line, ':');
        if (slice_equal_fold(slice_trim(field), name)) {
            return slice_trim(line);
        }
    }
    return SLICE_EMPTY;
}

struct slice fake_accept(struct arena *arena, struct slice key)
{
    unsigned char hash[20];
    unsigned char text[32];
    word32 len = sizeof(text);
    const struct slice all =
        arena_printf(arena, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", SLICE_ARGS(key));
    CHECK(wc_ShaHash((const unsigned char *)all.ptr, (word32)all.len, hash) == 0);
    CHECK(Base64_Encode_NoNl(hash, sizeof(hash), text, &len) == 0);
    return arena_copy(arena, slice_make(text, len));
}

struct slice fake_answer(struct fake_peer *peer, struct slice head)
{
    struct arena *arena = peer->server->arena;
    const struct slice accept = fake_accept(arena, fake_header(head, SLICE("sec-websocket-key")));
    return arena_printf(arena,
                        "HTTP/1.1 101 Switching Protocols\r\n"
                        "Upgrade: websocket\r\n"
                        "Connection: keep-alive, Upgrade\r\n"
                        "Sec-WebSocket-Accept: %.*s\r\n\r\n",
                        SLICE_ARGS(accept));
}

struct slice
fake_frame(struct arena *arena, bool is_last, enum fake_opcode opcode, struct slice payload)
{
    struct buf frame;
    buf_init(&frame, arena);
    buf_put_byte(&frame, (char)((is_last ? 0x80U : 0U) | (unsigned int)opcode));
    int len_bytes = 0;
    if (payload.len < FAKE_LEN_16) {
        buf_put_byte(&frame, (char)payload.len);
    } else if (payload.len <= UINT16_MAX) {
        buf_put_byte(&frame, FAKE_LEN_16);
        len_bytes = 2;
    } else {
        buf_put_byte(&frame, FAKE_LEN_64);
        len_bytes = 8;
    }
    for (int i = len_bytes - 1; i >= 0; i--) {
        buf_put_byte(&frame, (char)((payload.len >> (8 * i)) & 0xffU));
    }
    buf_put(&frame, payload);
    return buf_slice(&frame);
}

void fake_cut(struct fake_peer *peer)
{
    if (peer->fd >= 0) {
        ev_io_stop(peer->server->loop, &peer->io);
        ev_timer_stop(peer->server->loop, &peer->next_piece);
        close(peer->fd);
        peer->fd = -1;
    }
}

static size_t peer_piece(struct fake_peer *peer)
{
    const size_t left = peer->out.len - peer->out_from;
    size_t piece = peer->piece == 0 ? left : peer->piece;
    if (peer->pieces_cut > 0) {
        piece = peer->pieces_cut;
        peer->pieces_cut = 0;
    }
    return piece < left ? piece : left;
}

static void peer_write(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct fake_peer *peer = timer->data;
    (void)events;
    const size_t piece = peer_piece(peer);
    const ssize_t written =
        send(peer->fd, peer->out.ptr + peer->out_from, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && errno != EAGAIN) {
        fake_cut(peer);
        return;
    }
    peer->out_from += written < 0 ? 0 : (size_t)written;
    if (peer->out_from < peer->out.len) {
        /* a round or two later, after the client has read */
        ev_timer_set(timer, (double)FAKE_ROUND_MS / 1000., 0.);
        ev_timer_start(loop, timer);
    }
}

void fake_send(struct fake_peer *peer, struct slice bytes)
{
    buf_put(&peer->out, bytes);
    if (peer->fd >= 0 && !ev_is_active(&peer->next_piece)) {
        ev_timer_set(&peer->next_piece, 0., 0.);
        ev_timer_start(peer->server->loop, &peer->next_piece);
    }
}

void fake_send_text(struct fake_peer *peer, struct slice text)
{
    fake_send(peer, fake_frame(peer->server->arena, true, FAKE_TEXT, text));
}

static void peer_take_head(struct fake_peer *peer)
{
    struct fake_server *server = peer->server;
    const struct slice all = buf_slice(&peer->in);
    const size_t end = slice_find(all, SLICE("\r\n\r\n"));
    if (end == all.len) {
        return;
    }
    server->head = arena_copy(server->arena, slice_first(all, end + 4));
    peer->in.len = 0;
    peer->is_upgraded = true;
    if (server->on_head != NULL) {
        server->on_head(peer, server->head);
    } else {
        fake_send(peer, fake_answer(peer, server->head));
    }
}

/* The length of the first frame's header and payload; 0 as long as it is not all there. */
static size_t frame_measure(struct slice all, size_t *payload_len)
{
    if (all.len < 2) {
        return 0;
    }
    const unsigned char code = (unsigned char)all.ptr[1];
    CHECK((code & 0x80U) != 0); /* RFC 6455 5.1: a client masks every frame */
    size_t len = code & 0x7fU;
    const size_t len_bytes = len == FAKE_LEN_16 ? 2 : (len == FAKE_LEN_64 ? 8 : 0);
    const size_t head_len = 2 + len_bytes + FAKE_MASK_BYTES;
    if (all.len < head_len) {
        return 0;
    }
    if (len_bytes > 0) {
        len = 0;
        for (size_t i = 0; i < len_bytes; i++) {
            len = len << 8U | (unsigned char)all.ptr[2 + i];
        }
    }
    *payload_len = len;
    return all.len < head_len + len ? 0 : head_len;
}

static bool peer_take_frame(struct fake_peer *peer)
{
    struct fake_server *server = peer->server;
    size_t len = 0;
    const struct slice all = buf_slice(&peer->in);
    const size_t head_len = frame_measure(all, &len);
    if (head_len == 0) {
        return false;
    }
    const enum fake_opcode opcode = (enum fake_opcode)((unsigned char)all.ptr[0] & 0x0fU);
    const struct slice mask = part(all, head_len - FAKE_MASK_BYTES, FAKE_MASK_BYTES);
    char *payload = arena_alloc(server->arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        payload[i] = (char)(all.ptr[head_len + i] ^ mask.ptr[i % FAKE_MASK_BYTES]);
    }
    memmove(peer->in.ptr, peer->in.ptr + head_len + len, all.len - head_len - len);
    peer->in.len -= head_len + len;
    if (opcode == FAKE_PING && !server->has_no_pong) {
        fake_send(peer, fake_frame(server->arena, true, FAKE_PONG, slice_make(payload, len)));
    }
    if (server->on_frame != NULL) {
        server->on_frame(peer, opcode, slice_make(payload, len));
    }
    return true;
}

static void peer_read(struct ev_loop *loop, ev_io *io, int events)
{
    static char bytes[FAKE_READ_BYTES];
    struct fake_peer *peer = io->data;
    (void)loop;
    (void)events;
    if (peer->is_deaf) {
        ev_io_stop(loop, io);
        return;
    }
    const ssize_t got = recv(peer->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got <= 0) {
        fake_cut(peer);
        return;
    }
    buf_put(&peer->in, slice_make(bytes, (size_t)got));
    if (!peer->is_upgraded) {
        peer_take_head(peer);
    }
    while (peer->is_upgraded && peer->fd >= 0 && peer_take_frame(peer)) {
    }
}

static void server_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct fake_server *server = io->data;
    struct fake_peer *peer = &server->peer;
    const int on = 1;
    (void)events;
    const int fd = accept(io->fd, NULL, NULL);
    CHECK(fd >= 0);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fake_cut(peer);
    server->accepted++;
    peer->fd = fd;
    peer->is_upgraded = false;
    peer->out_from = 0;
    buf_init(&peer->in, server->arena);
    buf_init(&peer->out, server->arena);
    ev_io_init(&peer->io, peer_read, fd, EV_READ);
    peer->io.data = peer;
    ev_timer_init(&peer->next_piece, peer_write, 0., 0.);
    peer->next_piece.data = peer;
    ev_io_start(loop, &peer->io);
}

void fake_open(struct fake_server *server, struct ev_loop *loop)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    memset(server, 0, sizeof(*server));
    server->loop = loop;
    server->arena = arena_open(FAKE_READ_BYTES);
    server->peer.server = server;
    server->peer.fd = -1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(server->fd >= 0);
    CHECK(bind(server->fd, (const struct sockaddr *)&address, len) == 0);
    CHECK(listen(server->fd, SOMAXCONN) == 0);
    CHECK(getsockname(server->fd, (struct sockaddr *)&address, &len) == 0);
    server->port = ntohs(address.sin_port);
    ev_io_init(&server->io, server_accept, server->fd, EV_READ);
    server->io.data = server;
    ev_io_start(loop, &server->io);
}

void fake_close(struct fake_server *server)
{
    fake_cut(&server->peer);
    ev_io_stop(server->loop, &server->io);
    close(server->fd);
    arena_close(server->arena);
}

static void on_impatient(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    *(bool *)timer->data = true;
    ev_break(loop, EVBREAK_ONE);
}

void fake_run_until(struct ev_loop *loop, bool (*is_done)(void *context), void *context)
{
    bool is_late = false;
    ev_timer patience;
    ev_timer_init(&patience, on_impatient, FAKE_PATIENCE_S, 0.);
    patience.data = &is_late;
    ev_now_update(loop);
    ev_timer_start(loop, &patience);
    while (!is_done(context)) {
        CHECK(!is_late);
        ev_run(loop, EVRUN_ONCE);
    }
    ev_timer_stop(loop, &patience);
}

static void on_round(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    ++*(int *)timer->data;
}

void fake_run_rounds(struct ev_loop *loop, int rounds)
{
    int seen = 0;
    ev_timer round;
    ev_timer_init(&round, on_round, (double)FAKE_ROUND_MS / 1000., (double)FAKE_ROUND_MS / 1000.);
    round.data = &seen;
    ev_timer_start(loop, &round);
    while (seen < rounds) {
        ev_run(loop, EVRUN_ONCE);
    }
    ev_timer_stop(loop, &round);
}
