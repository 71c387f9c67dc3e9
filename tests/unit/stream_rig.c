#include "tests/unit/stream_rig.h"

#include "runtime/base/check.h"
#include "runtime/log.h"
#include "tests/unit/slice_check.h"
#include "tests/unit/websocket_fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    RIG_READ_BYTES = 65536,
    RIG_BACKLOG = 512,
    RIG_ROUNDS = 5,
};

struct stream_rig flow;

static struct slice wanted;
static size_t wanted_count;
static const struct stream_peer *wanted_peer;

/* Events */

static void note(struct link_id id, struct slice text)
{
    ck_assert(!flow.is_in_call);
    buf_printf(&flow.told, "%.*s %lld %.*s\n", SLICE_ARGS(slice_first(id.owner, 4)),
               (long long)id.session, SLICE_ARGS(text));
}

static struct slice short_channel(struct slice channel)
{
    static const struct slice head = SLICE_INIT("/api/v1/rooms/");
    static const struct slice tail = SLICE_INIT("/chatMessages");
    ck_assert(slice_starts_with(channel, head) && slice_ends_with(channel, tail));
    return slice_first(slice_from(channel, head.len), channel.len - head.len - tail.len);
}

static void run(void (*hook)(void))
{
    if (hook != NULL) {
        hook();
    }
}

static void note_up(void *context, struct link_id id, struct slice user_id)
{
    ck_assert_ptr_eq(context, &flow);
    ck_text_empty(user_id);
    note(id, SLICE("up"));
    run(flow.in_up);
}

static void note_down(
    void *context, struct link_id id, enum link_end why, struct slice detail, int64_t retry_ms)
{
    ck_assert_ptr_eq(context, &flow);
    ck_assert_int_eq(retry_ms, 0);
    note(id, arena_printf(flow.arena, "down %s %.*s", link_end_name(why), SLICE_ARGS(detail)));
    run(flow.in_down);
}

static void note_subscribed(void *context,
                            struct link_id id,
                            struct slice channel,
                            struct slice snapshot,
                            struct slice error)
{
    ck_assert_ptr_eq(context, &flow);
    ck_text_empty(snapshot);
    note(id, arena_printf(flow.arena, "subscribed %.*s %.*s", SLICE_ARGS(short_channel(channel)),
                          SLICE_ARGS(error)));
    run(flow.in_subscribed);
}

static void note_record(void *context, struct link_id id, struct slice channel, struct slice data)
{
    static const struct slice head = SLICE_INIT("{\"operation\":\"create\",\"model\":");
    ck_assert_ptr_eq(context, &flow);
    ck_assert(slice_starts_with(data, head) && slice_ends_with(data, SLICE("}")));
    const struct slice model = slice_first(slice_from(data, head.len), data.len - head.len - 1);
    note(id, arena_printf(flow.arena, "record %.*s %.*s", SLICE_ARGS(short_channel(channel)),
                          SLICE_ARGS(model)));
    run(flow.in_record);
}

static void note_gap(void *context, struct link_id id)
{
    (void)context;
    (void)id;
    ck_abort_msg("streams count nothing");
}

static void fill(void *context, void *out, size_t len)
{
    ck_assert_ptr_eq(context, &flow);
    memset(out, flow.random_byte, len);
}

/* The server */

static void peer_close(struct stream_peer *peer)
{
    if (peer->fd >= 0) {
        ev_io_stop(flow.loop, &peer->io);
        ev_timer_stop(flow.loop, &peer->next_piece);
        close(peer->fd);
        peer->fd = -1;
    }
}

void stream_peer_cut(struct stream_peer *peer)
{
    peer_close(peer);
}

void stream_peer_reset(struct stream_peer *peer)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    ck_assert_int_eq(setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    peer_close(peer);
}

static void peer_write(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct stream_peer *peer = timer->data;
    const size_t left = peer->out.len - peer->out_from;
    const size_t len = peer->piece == 0 || peer->piece > left ? left : peer->piece;
    (void)events;
    const ssize_t written =
        send(peer->fd, peer->out.ptr + peer->out_from, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && errno != EAGAIN) {
        peer_close(peer);
        return;
    }
    peer->out_from += written < 0 ? 0 : (size_t)written;
    if (peer->out_from < peer->out.len) {
        ev_timer_set(timer, 0.0002, 0.);
        ev_timer_start(loop, timer);
    } else if (peer->is_last) {
        peer_close(peer);
    }
}

void stream_peer_say(struct stream_peer *peer, struct slice bytes)
{
    buf_put(&peer->out, bytes);
    if (peer->fd >= 0 && !ev_is_active(&peer->next_piece)) {
        ev_timer_set(&peer->next_piece, 0., 0.);
        ev_timer_start(flow.loop, &peer->next_piece);
    }
}

void stream_peer_say_chunks(struct stream_peer *peer, struct slice bytes, size_t size)
{
    while (bytes.len > 0) {
        const struct slice chunk = slice_first(bytes, size);
        stream_peer_say(peer, arena_printf(flow.arena, "%zx\r\n", chunk.len));
        stream_peer_say(peer, chunk);
        stream_peer_say(peer, SLICE("\r\n"));
        bytes = slice_from(bytes, chunk.len);
    }
}

static void peer_take_head(struct stream_peer *peer)
{
    const struct slice all = buf_slice(&peer->in);
    const size_t end = slice_find(all, SLICE("\r\n\r\n"));
    if (end == all.len || peer->head.len > 0) {
        return;
    }
    peer->head = arena_copy(flow.arena, slice_first(all, end + 4));
    struct slice line = peer->head;
    (void)slice_cut(&line, ' ');
    peer->path = slice_cut(&line, ' ');
    flow.requests++;
    if (flow.on_request != NULL) {
        flow.on_request(peer);
    } else if (flow.answer != NULL) {
        stream_peer_say(peer, slice_from_cstr(flow.answer));
    }
}

static void peer_read(struct ev_loop *loop, ev_io *io, int events)
{
    static char bytes[RIG_READ_BYTES];
    struct stream_peer *peer = io->data;
    (void)loop;
    (void)events;
    const ssize_t got = recv(peer->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got <= 0) {
        peer_close(peer);
        return;
    }
    buf_put(&peer->in, slice_make(bytes, (size_t)got));
    peer_take_head(peer);
}

static void flow_accept(struct ev_loop *loop, ev_io *io, int events)
{
    const int on = 1;
    struct stream_peer *peer = arena_alloc(flow.arena, sizeof(*peer));
    (void)events;
    peer->fd = accept(io->fd, NULL, NULL);
    ck_assert_int_ge(peer->fd, 0);
    (void)setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    buf_init(&peer->in, flow.arena);
    buf_init(&peer->out, flow.arena);
    ev_io_init(&peer->io, peer_read, peer->fd, EV_READ);
    peer->io.data = peer;
    ev_timer_init(&peer->next_piece, peer_write, 0., 0.);
    peer->next_piece.data = peer;
    ev_io_start(loop, &peer->io);
    TAILQ_INSERT_TAIL(&flow.peers, peer, entry);
    flow.accepted++;
}

static void flow_listen(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    flow.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(flow.listen_fd, 0);
    ck_assert_int_eq(bind(flow.listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(flow.listen_fd, RIG_BACKLOG), 0);
    ck_assert_int_eq(getsockname(flow.listen_fd, (struct sockaddr *)&address, &len), 0);
    flow.port = ntohs(address.sin_port);
    ev_io_init(&flow.accept_io, flow_accept, flow.listen_fd, EV_READ);
    ev_io_start(flow.loop, &flow.accept_io);
}

struct stream_peer *flow_peer(const char *room)
{
    struct stream_peer *peer = NULL;
    const struct slice path = arena_printf(flow.arena, "/v1/rooms/%s/chatMessages", room);
    TAILQ_FOREACH_REVERSE(peer, &flow.peers, stream_peers, entry)
    {
        if (slice_equal(peer->path, path)) {
            return peer;
        }
    }
    return NULL;
}

/* Everything */

void flow_open(void)
{
    streams_close(flow.streams);
    ck_rc_eq(streams_open(&flow.options, &flow.streams), RC_OK);
}

void flow_setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    flow = (struct stream_rig){.loop = ev_loop_new(EVFLAG_AUTO), .arena = arena_open(65536)};
    TAILQ_INIT(&flow.peers);
    buf_init(&flow.told, flow.arena);
    flow.log_fd = memfd_create("log", MFD_CLOEXEC);
    flow.log = log_open(flow.log_fd, LOG_DEBUG, false);
    flow.answer = HEAD_PLAIN;
    flow_listen();
    flow.options = (struct streams_options){
        .loop = flow.loop,
        .log = flow.log,
        .stream_url = arena_printf(flow.arena, "http://127.0.0.1:%d/v1", flow.port),
        .retry_first_ms = 2,
        .retry_last_ms = 16,
        .random = fill,
        .random_context = &flow,
        .events = {.context = &flow,
                   .on_up = note_up,
                   .on_down = note_down,
                   .on_subscribed = note_subscribed,
                   .on_record = note_record,
                   .on_gap = note_gap},
    };
    flow_open();
}

/* Nothing that was told or logged may contain a token, in any test. */
void flow_teardown(void)
{
    struct stream_peer *peer = NULL;
    ck_assert(!flow_has(buf_slice(&flow.told), "secret"));
    ck_assert(!flow_has(flow_log_text(), "secret"));
    streams_close(flow.streams);
    TAILQ_FOREACH(peer, &flow.peers, entry)
    {
        peer_close(peer);
    }
    ev_io_stop(flow.loop, &flow.accept_io);
    close(flow.listen_fd);
    log_close(flow.log);
    close(flow.log_fd);
    arena_close(flow.arena);
    ev_loop_destroy(flow.loop);
}

int64_t flow_start(struct slice owner)
{
    flow.is_in_call = true;
    const int64_t session = streams_start(flow.streams, owner, SLICE(TOKEN));
    flow.is_in_call = false;
    return session;
}

void flow_stop(struct slice owner)
{
    flow.is_in_call = true;
    streams_stop(flow.streams, owner);
    flow.is_in_call = false;
}

void flow_subscribe(struct slice owner, struct slice channel)
{
    flow.is_in_call = true;
    streams_subscribe(flow.streams, owner, channel, SLICE("{\"limit\":30}"));
    flow.is_in_call = false;
}

void flow_unsubscribe(struct slice owner, struct slice channel)
{
    flow.is_in_call = true;
    streams_unsubscribe(flow.streams, owner, channel);
    flow.is_in_call = false;
}

void flow_go(void)
{
    ck_assert_int_gt(flow_start(ALICE), 0);
    flow_subscribe(ALICE, ROOM_A);
    flow_await("subscribed a \n");
    buf_init(&flow.told, flow.arena);
}

bool flow_has(struct slice text, const char *part)
{
    return slice_find(text, slice_from_cstr(part)) < text.len;
}

size_t flow_count(struct slice text, const char *part)
{
    const struct slice needle = slice_from_cstr(part);
    size_t count = 0;
    for (size_t at = slice_find(text, needle); at < text.len; at = slice_find(text, needle)) {
        text = slice_from(text, at + needle.len);
        count++;
    }
    return count;
}

struct slice flow_log_text(void)
{
    struct stat status;
    ck_assert_int_eq(fstat(flow.log_fd, &status), 0);
    char *text = arena_alloc(flow.arena, (size_t)status.st_size + 1);
    ck_assert_int_eq(pread(flow.log_fd, text, (size_t)status.st_size, 0), status.st_size);
    return slice_make(text, (size_t)status.st_size);
}

static bool is_told(void *context)
{
    (void)context;
    return flow_has(buf_slice(&flow.told), wanted.ptr);
}

static bool is_logged(void *context)
{
    (void)context;
    return flow_has(flow_log_text(), wanted.ptr);
}

static bool is_requested(void *context)
{
    (void)context;
    return flow.requests >= wanted_count;
}

static bool is_accepted(void *context)
{
    (void)context;
    return flow.accepted >= wanted_count;
}

static bool is_gone(void *context)
{
    (void)context;
    return wanted_peer->fd < 0;
}

void flow_await(const char *text)
{
    wanted = slice_from_cstr(text);
    fake_run_until(flow.loop, is_told, NULL);
}

void flow_await_log(const char *text)
{
    wanted = slice_from_cstr(text);
    fake_run_until(flow.loop, is_logged, NULL);
}

void flow_await_requests(size_t count)
{
    wanted_count = count;
    fake_run_until(flow.loop, is_requested, NULL);
}

void flow_await_accepted(size_t count)
{
    wanted_count = count;
    fake_run_until(flow.loop, is_accepted, NULL);
}

void flow_await_gone(const struct stream_peer *peer)
{
    wanted_peer = peer;
    fake_run_until(flow.loop, is_gone, NULL);
}

void flow_rounds(void)
{
    fake_run_rounds(flow.loop, RIG_ROUNDS);
}
