/* Gitter's Faye server as far as a benchmark needs it: takes any number of links, keeps their
 * /meta/connect for as long as Gitter does, pings them as often, grants every subscription with an
 * empty snapshot, and lets guests speak in the rooms when it is told to.
 *
 * Usage: faye_end ROOMS [CERTIFICATE KEY]      its first line: the port of the links, that to tell
 *
 * GET /stats gives the counts of links, of rooms whose messages were subscribed to, and of messages
 * sent, as JSON. GET /speak?rate=R&count=N has N messages said, in one room after the other, R of
 * them a second; with rate=0 as fast as links take them. A message reads bench<ROOMS + room>
 * x<number>e says the guest at <time>u, as the sink wants it, so that it is not taken for one that
 * the owner says in the same room; owners, rooms and guests are those of seed.c.
 */
#include "codecs/bayeux.h"
#include "codecs/json.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/http.h"
#include "runtime/tls.h"

#include <ev.h>
#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wslay/wslay.h>

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ARENA_BYTES = 16 * 1024,
    HEAD_BYTES = 2048,
    REQUEST_ID_BYTES = 24,
    SHA1_BYTES = 20,
    BASE64_BYTES = 32,
    BACKLOG = 1024,
    GUESTS = 100, /* as seed.c has it */
    AT_ONCE_MAX = 1000,
};

/* Gitter's: how long a /meta/connect is kept, and how often a WebSocket is pinged. */
static const double connect_s = 120.;
static const double ping_s = 40.;
static const double tick_s = 0.005;

struct link {
    int fd;
    ev_io io;
    ev_timer ping;
    ev_timer answer;                /* of the /meta/connect that is kept */
    struct tls *tls;                /* NULL: plain */
    bool is_secure;                 /* the TLS handshake is over, or there is none */
    wslay_event_context_ptr frames; /* NULL before the WebSocket is open */
    size_t head_len;
    char head[HEAD_BYTES]; /* of the request that opens it */
    char connect_id[REQUEST_ID_BYTES];
    int64_t owner;
    int64_t deliveries;
};

struct room {
    struct link *link; /* NULL: nobody listens */
    int64_t said;
};

struct faye_end {
    struct ev_loop *loop;
    struct http_server *control;
    struct tls_context *tls;
    struct arena *arena;
    ev_io listener;
    ev_timer tick;
    struct room *rooms;
    size_t rooms_count;
    size_t next_room;
    int64_t links;
    int64_t subscribed;
    int64_t published;
    int64_t rate;
    int64_t wanted; /* to be published since began_us */
    int64_t done;
    int64_t began_us;
};

static struct faye_end end;

static int64_t now_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

/* Bytes in and out */

static enum rc link_read(struct link *link, void *bytes, size_t len, size_t *got)
{
    if (link->tls != NULL) {
        return tls_read(link->tls, bytes, len, got);
    }
    const ssize_t n = recv(link->fd, bytes, len, 0);
    if (n < 0) {
        return errno == EAGAIN ? RC_AGAIN : RC_IO;
    }
    *got = (size_t)n;
    return n == 0 ? RC_ABSENT : RC_OK;
}

static enum rc link_write(struct link *link, struct slice bytes, size_t *sent)
{
    if (link->tls != NULL) {
        return tls_write(link->tls, bytes, sent);
    }
    const ssize_t n = send(link->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    if (n < 0) {
        return errno == EAGAIN ? RC_AGAIN : RC_IO;
    }
    *sent = (size_t)n;
    return RC_OK;
}

static ssize_t
on_recv(wslay_event_context_ptr frames, uint8_t *bytes, size_t len, int flags, void *context)
{
    size_t got = 0;
    (void)flags;
    const enum rc rc = link_read(context, bytes, len, &got);
    if (rc != RC_OK) {
        wslay_event_set_error(frames,
                              rc == RC_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)got;
}

static ssize_t
on_send(wslay_event_context_ptr frames, const uint8_t *bytes, size_t len, int flags, void *context)
{
    size_t sent = 0;
    (void)flags;
    const enum rc rc = link_write(context, slice_make(bytes, len), &sent);
    if (rc != RC_OK) {
        wslay_event_set_error(frames,
                              rc == RC_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)sent;
}

static void link_close(struct link *link)
{
    for (size_t i = 0; i < end.rooms_count; i++) {
        if (end.rooms[i].link == link) {
            end.rooms[i].link = NULL;
            end.subscribed--;
        }
    }
    ev_io_stop(end.loop, &link->io);
    ev_timer_stop(end.loop, &link->ping);
    ev_timer_stop(end.loop, &link->answer);
    end.links -= link->frames != NULL;
    if (link->frames != NULL) {
        wslay_event_context_free(link->frames);
    }
    tls_close(link->tls);
    (void)close(link->fd);
    free(link);
}

static bool is_full(const struct link *link)
{
    return wslay_event_want_write(link->frames) != 0;
}

static void watch(struct link *link)
{
    const bool wants_write = (link->frames != NULL && is_full(link)) ||
                             (link->tls != NULL && tls_wants_write(link->tls));
    ev_io_stop(end.loop, &link->io);
    ev_io_set(&link->io, link->fd, EV_READ | (wants_write ? EV_WRITE : 0));
    ev_io_start(end.loop, &link->io);
}

static void link_send(struct link *link, uint8_t opcode, struct slice text)
{
    const struct wslay_event_msg message = {
        .opcode = opcode, .msg = (const uint8_t *)text.ptr, .msg_length = text.len};
    const bool was_full = is_full(link);
    if (wslay_event_queue_msg(link->frames, &message) == 0 && !was_full) {
        (void)wslay_event_send(link->frames); /* what goes wrong is seen when it is read */
        if (is_full(link)) {
            watch(link);
        }
    }
}

/* Bayeux */

static struct slice client_id(const struct link *link)
{
    return arena_printf(end.arena, "client%" PRId64, link->owner);
}

static void answer_handshake(struct link *link, const struct json *request)
{
    struct slice token = json_text(json_get2(request, SLICE("ext"), SLICE("token")));
    token = slice_from(token, strlen("token"));
    CHECK(slice_to_int(token, &link->owner) == RC_OK);
    link_send(link, WSLAY_TEXT_FRAME,
              arena_printf(end.arena,
                           "[{\"id\":%.*s,\"channel\":\"/meta/handshake\",\"successful\":true,"
                           "\"version\":\"1.0\",\"supportedConnectionTypes\":[\"websocket\"],"
                           "\"clientId\":\"%.*s\","
                           "\"advice\":{\"reconnect\":\"retry\",\"interval\":500,\"timeout\":%d},"
                           "\"ext\":{\"userId\":\"5e%022" PRIx64 "\"}}]",
                           SLICE_ARGS(json_raw(json_get(request, SLICE("id")))),
                           SLICE_ARGS(client_id(link)), (int)(connect_s * 1000),
                           (uint64_t)link->owner));
}

static void on_answer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct link *link = timer->data;
    (void)loop;
    (void)events;
    arena_reset(end.arena);
    link_send(link, WSLAY_TEXT_FRAME,
              arena_printf(end.arena,
                           "[{\"id\":%s,\"channel\":\"/meta/connect\",\"successful\":true,"
                           "\"clientId\":\"%.*s\"}]",
                           link->connect_id, SLICE_ARGS(client_id(link))));
}

static void keep_connect(struct link *link, const struct json *request)
{
    const struct slice id = json_raw(json_get(request, SLICE("id")));
    (void)snprintf(link->connect_id, sizeof link->connect_id, "%.*s", SLICE_ARGS(id));
    ev_timer_stop(end.loop, &link->answer);
    ev_timer_set(&link->answer, connect_s, 0.);
    ev_timer_start(end.loop, &link->answer);
}

static void note_listener(struct link *link, struct slice gitter_room)
{
    char digits[25] = "";
    memcpy(digits, gitter_room.ptr, gitter_room.len < 24 ? gitter_room.len : 24);
    const unsigned long room = strtoul(digits + 2, NULL, 16);
    CHECK(gitter_room.len == 24 && room < end.rooms_count);
    end.subscribed += end.rooms[room].link == NULL;
    end.rooms[room].link = link;
}

static void grant_subscription(struct link *link, const struct json *request)
{
    const struct slice channel = json_get_text(request, SLICE("subscription"));
    const struct slice gitter_room = bayeux_channel_room_id(channel);
    if (gitter_room.len > 0) {
        note_listener(link, gitter_room);
    }
    link_send(link, WSLAY_TEXT_FRAME,
              arena_printf(end.arena,
                           "[{\"id\":%.*s,\"channel\":\"/meta/subscribe\",\"successful\":true,"
                           "\"clientId\":\"%.*s\",\"subscription\":\"%.*s\"%s}]",
                           SLICE_ARGS(json_raw(json_get(request, SLICE("id")))),
                           SLICE_ARGS(client_id(link)), SLICE_ARGS(channel),
                           gitter_room.len > 0 ? ",\"ext\":{\"snapshot\":[]}" : ""));
}

static void on_message(wslay_event_context_ptr frames,
                       const struct wslay_event_on_msg_recv_arg *message,
                       void *context)
{
    struct link *link = context;
    struct json *root = NULL;
    (void)frames;
    if (message->opcode != WSLAY_TEXT_FRAME) {
        return;
    }
    arena_reset(end.arena);
    CHECK(json_parse(end.arena, slice_make(message->msg, message->msg_length), &root) == RC_OK);
    for (const struct json *request = json_first(root); request != NULL; request = request->next) {
        const struct slice channel = json_get_text(request, SLICE("channel"));
        if (slice_equal(channel, SLICE(BAYEUX_HANDSHAKE))) {
            answer_handshake(link, request);
        } else if (slice_equal(channel, SLICE(BAYEUX_CONNECT))) {
            keep_connect(link, request);
        } else if (slice_equal(channel, SLICE(BAYEUX_SUBSCRIBE))) {
            grant_subscription(link, request);
        }
    }
}

/* The opening of a WebSocket (RFC 6455, section 4.2.2) */

static void on_ping(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    link_send(timer->data, WSLAY_PING, SLICE_EMPTY);
}

static struct slice accept_value(struct slice key)
{
    unsigned char hash[SHA1_BYTES];
    unsigned char text[BASE64_BYTES];
    word32 len = sizeof text;
    const struct slice joined =
        arena_printf(end.arena, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", SLICE_ARGS(key));
    CHECK(wc_ShaHash((const unsigned char *)joined.ptr, (word32)joined.len, hash) == 0);
    CHECK(Base64_Encode_NoNl(hash, sizeof hash, text, &len) == 0);
    return arena_copy(end.arena, slice_make(text, len));
}

static struct slice find_key(struct slice head)
{
    while (head.len > 0) {
        struct slice line = slice_cut(&head, '\n');
        const struct slice name = slice_cut(&line, ':');
        if (slice_equal_fold(name, SLICE("sec-websocket-key"))) {
            return slice_trim(line);
        }
    }
    return SLICE_EMPTY;
}

static enum rc open_websocket(struct link *link, struct slice head)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv, .send_callback = on_send, .on_msg_recv_callback = on_message};
    size_t sent = 0;
    arena_reset(end.arena);
    const struct slice answer =
        arena_printf(end.arena,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %.*s\r\n\r\n",
                     SLICE_ARGS(accept_value(find_key(head))));
    if (link_write(link, answer, &sent) != RC_OK || sent != answer.len) {
        return RC_IO;
    }
    CHECK(wslay_event_context_server_init(&link->frames, &callbacks, link) == 0);
    end.links++;
    ev_timer_init(&link->answer, on_answer, connect_s, 0.);
    ev_timer_init(&link->ping, on_ping, ping_s, ping_s);
    link->answer.data = link;
    link->ping.data = link;
    ev_timer_start(end.loop, &link->ping);
    return RC_OK;
}

/* RC_AGAIN until the whole head is there. A client waits for the answer: nothing comes behind. */
static enum rc read_head(struct link *link)
{
    size_t got = 0;
    enum rc rc =
        link_read(link, link->head + link->head_len, sizeof link->head - link->head_len, &got);
    if (rc != RC_OK) {
        return rc;
    }
    link->head_len += got;
    const struct slice head = slice_make(link->head, link->head_len);
    return slice_ends_with(head, SLICE("\r\n\r\n")) ? open_websocket(link, head) : RC_AGAIN;
}

static enum rc link_go_on(struct link *link)
{
    if (!link->is_secure) {
        const enum rc rc = tls_handshake(link->tls);
        if (rc != RC_OK) {
            return rc;
        }
        link->is_secure = true;
    }
    if (link->frames == NULL) {
        const enum rc rc = read_head(link);
        if (rc != RC_OK) {
            return rc;
        }
    }
    const bool is_well = wslay_event_recv(link->frames) == 0 && wslay_event_send(link->frames) == 0;
    return is_well && wslay_event_want_read(link->frames) != 0 ? RC_OK : RC_IO;
}

static void on_link(struct ev_loop *loop, ev_io *io, int events)
{
    struct link *link = io->data;
    (void)loop;
    (void)events;
    const enum rc rc = link_go_on(link);
    if (rc == RC_OK || rc == RC_AGAIN) {
        watch(link);
    } else {
        link_close(link);
    }
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
    const int on = 1;
    (void)events;
    const int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    struct link *link = calloc(1, sizeof *link);
    CHECK(link != NULL);
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    link->fd = fd;
    link->tls = end.tls == NULL ? NULL : tls_open(end.tls, fd);
    link->is_secure = link->tls == NULL;
    ev_io_init(&link->io, on_link, fd, EV_READ);
    link->io.data = link;
    ev_io_start(loop, &link->io);
}

/* What is said */

/* As Gitter writes it, with what nobody reads. */
static void say(size_t index)
{
    struct room *room = &end.rooms[index];
    const unsigned guest = (unsigned)(index % GUESTS);
    arena_reset(end.arena);
    const struct slice text =
        arena_printf(end.arena, "bench%zux%" PRId64 "e says the guest at %" PRId64 "u",
                     index + end.rooms_count, room->said++, now_us());
    const struct slice from = arena_printf(
        end.arena,
        "{\"id\":\"5c%022x\",\"username\":\"guest%u\",\"displayName\":\"Guest %u\","
        "\"url\":\"/guest%u\",\"avatarUrl\":\"https://avatars.bench.test/g/u/guest%u\","
        "\"avatarUrlSmall\":\"https://avatars.bench.test/u/%u?v=4&s=60\","
        "\"avatarUrlMedium\":\"https://avatars.bench.test/u/%u?v=4&s=128\",\"v\":9,\"gv\":\"4\"}",
        guest, guest, guest, guest, guest, guest, guest);
    link_send(room->link, WSLAY_TEXT_FRAME,
              arena_printf(
                  end.arena,
                  "[{\"channel\":\"/api/v1/rooms/5f%022zx/chatMessages\",\"id\":\"m%" PRId64 "\","
                  "\"data\":{\"operation\":\"create\",\"model\":{\"id\":\"61%022" PRIx64 "\","
                  "\"text\":\"%.*s\",\"html\":\"%.*s\",\"sent\":\"2026-01-01T00:00:00.000Z\","
                  "\"readBy\":0,\"urls\":[],\"mentions\":[],\"issues\":[],\"meta\":[],\"v\":1,"
                  "\"fromUser\":%.*s}},\"ext\":{\"c\":%" PRId64 "}}]",
                  index, end.published, (uint64_t)end.published, SLICE_ARGS(text), SLICE_ARGS(text),
                  SLICE_ARGS(from), ++room->link->deliveries));
    end.published++;
}

static bool can_say(size_t index)
{
    const struct link *link = end.rooms[index].link;
    return link != NULL && !is_full(link);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    int64_t due = end.rate == 0 ? end.wanted : (now_us() - end.began_us) * end.rate / 1000000;
    due = due < end.wanted ? due : end.wanted;
    due = due - end.done < AT_ONCE_MAX ? due - end.done : AT_ONCE_MAX;
    for (size_t i = 0; i < end.rooms_count && due > 0; i++) {
        const size_t index = end.next_room++ % end.rooms_count;
        if (can_say(index)) {
            say(index);
            end.done++;
            due--;
        }
    }
    if (end.done == end.wanted) {
        ev_timer_stop(loop, timer);
    }
}

static int64_t parameter(struct slice query, struct slice name)
{
    int64_t value = 0;
    while (query.len > 0) {
        struct slice pair = slice_cut(&query, '&');
        if (slice_equal(slice_cut(&pair, '='), name)) {
            CHECK(slice_to_int(pair, &value) == RC_OK);
        }
    }
    return value;
}

static void speak(struct slice query)
{
    end.rate = parameter(query, SLICE("rate"));
    end.wanted = parameter(query, SLICE("count"));
    end.done = 0;
    end.began_us = now_us();
    ev_timer_stop(end.loop, &end.tick);
    ev_timer_set(&end.tick, 0., end.rate == 0 ? tick_s / 5 : tick_s);
    ev_timer_start(end.loop, &end.tick);
}

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    (void)context;
    (void)body;
    arena_reset(end.arena);
    if (slice_equal(head->path, SLICE("/speak"))) {
        speak(head->query);
    }
    const struct http_answer answer = {
        .status = 200,
        .content_type = SLICE("application/json"),
        .body = arena_printf(end.arena,
                             "{\"links\":%" PRId64 ",\"subscribed\":%" PRId64
                             ",\"published\":%" PRId64 "}",
                             end.links, end.subscribed, end.published),
    };
    http_server_answer(end.control, head->request_id, &answer);
}

static int listen_for_links(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&address, len) == 0);
    CHECK(listen(fd, BACKLOG) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    ev_io_init(&end.listener, on_accept, fd, EV_READ);
    ev_io_start(end.loop, &end.listener);
    return ntohs(address.sin_port);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

int main(int argc, char **argv)
{
    int64_t rooms = 0;
    if ((argc != 2 && argc != 4) || slice_to_int(slice_from_cstr(argv[1]), &rooms) != RC_OK ||
        rooms < 1) {
        (void)fprintf(stderr, "usage: faye_end ROOMS [CERTIFICATE KEY]\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    end.loop = ev_default_loop(EVFLAG_AUTO);
    end.arena = arena_open(ARENA_BYTES);
    end.rooms_count = (size_t)rooms;
    end.rooms = calloc(end.rooms_count, sizeof *end.rooms);
    CHECK(end.rooms != NULL);
    if (argc == 4) {
        CHECK(tls_context_open(argv[2], argv[3], &end.tls) == RC_OK);
    }
    const struct http_server_options options = {.loop = end.loop,
                                                .handler = {.on_request = on_request}};
    CHECK(http_server_open(&options, &end.control) == RC_OK);
    ev_timer_init(&end.tick, on_tick, 0., tick_s);
    (void)printf("%d %d\n", listen_for_links(), http_server_port(end.control));
    (void)fflush(stdout);
    ev_run(end.loop, 0);
    return 0;
}
