#include "tests/unit/http_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void note(char *place, size_t size, struct slice text)
{
    (void)snprintf(place, size, "%.*s", SLICE_ARGS(text));
}

static enum rc on_head(void *context,
                       const struct http_head *head,
                       size_t *body_bytes_max,
                       struct http_answer *refusal)
{
    struct bed *bed = context;

    bed->heads++;
    if (slice_starts_with(head->path, SLICE("/refuse"))) {
        refusal->status = 403;
        refusal->content_type = SLICE("application/json");
        refusal->body = SLICE("{\"errcode\":\"M_FORBIDDEN\"}");
        return RC_REFUSED;
    }
    if (slice_starts_with(head->path, SLICE("/small"))) {
        *body_bytes_max = 10;
    }
    return RC_OK;
}

void bed_answer(struct bed *bed, uint64_t id)
{
    char text[320];
    struct http_answer answer = {.status = 200, .content_type = SLICE("text/plain")};

    (void)snprintf(text, sizeof(text), "%s %s %zu", bed->method, bed->path, bed->body_len);
    answer.body = bed->answer_body.len > 0 ? bed->answer_body : slice_from_cstr(text);
    http_server_answer(bed->server, id, &answer);
}

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    struct bed *bed = context;

    note(bed->method, sizeof(bed->method), head->method);
    note(bed->path, sizeof(bed->path), head->path);
    note(bed->query, sizeof(bed->query), head->query);
    note(bed->authorization, sizeof(bed->authorization), head->authorization);
    note(bed->remote, sizeof(bed->remote), head->remote);
    free(bed->body);
    bed->body = malloc(body.len + 1);
    ck_assert_ptr_nonnull(bed->body);
    if (body.len > 0) {
        memcpy(bed->body, body.ptr, body.len);
    }
    bed->body[body.len] = '\0';
    bed->body_len = body.len;
    bed->ids[bed->requests % BED_IDS_MAX] = head->request_id;
    bed->requests++;
    if (!bed->is_late) {
        bed_answer(bed, head->request_id);
    }
}

static void on_gone(void *context, uint64_t request_id)
{
    struct bed *bed = context;

    ck_assert_uint_eq(request_id, bed->ids[(bed->requests - 1) % BED_IDS_MAX]);
    bed->gone++;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct bed *bed = timer->data;
    (void)loop;
    (void)events;
    bed->ticks++;
}

void bed_open_loop(struct bed *bed)
{
    *bed = (struct bed){.loop = ev_loop_new(EVFLAG_AUTO)};
    ck_assert_ptr_nonnull(bed->loop);
    ev_timer_init(&bed->tick, on_tick, 0.002, 0.002);
    bed->tick.data = bed;
    ev_timer_start(bed->loop, &bed->tick);
}

void bed_open(struct bed *bed, const struct http_server_options *options)
{
    bed_open_loop(bed);
    if (options != NULL) {
        bed->options = *options;
    }
    bed->options.loop = bed->loop;
    bed->options.handler = (struct http_handler){
        .context = bed, .on_head = on_head, .on_request = on_request, .on_gone = on_gone};
    ck_assert_int_eq(http_server_open(&bed->options, &bed->server), RC_OK);
    ck_assert_int_gt(http_server_port(bed->server), 0);
}

void bed_close(struct bed *bed)
{
    http_server_close(bed->server);
    ev_timer_stop(bed->loop, &bed->tick);
    ev_loop_destroy(bed->loop);
    free(bed->body);
}

void bed_turn(struct bed *bed)
{
    (void)ev_run(bed->loop, EVRUN_ONCE);
}

static void on_peer(struct ev_loop *loop, ev_io *io, int events)
{
    struct peer *peer = io->data;
    ssize_t n;

    (void)events;
    if (peer->got_cap - peer->got_len < 65536) {
        peer->got_cap = peer->got_cap * 2 + 65536;
        peer->got = realloc(peer->got, peer->got_cap);
        ck_assert_ptr_nonnull(peer->got);
    }
    n = recv(peer->fd, peer->got + peer->got_len, peer->got_cap - peer->got_len - 1, MSG_DONTWAIT);
    if (n > 0) {
        peer->got_len += (size_t)n;
        peer->got[peer->got_len] = '\0';
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        peer->is_closed = true;
        ev_io_stop(loop, io);
    }
}

/* A connected socket, or -1. */
static int try_connect(const struct bed *bed)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)http_server_port(bed->server)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

bool peer_try(const struct bed *bed)
{
    int fd = try_connect(bed);

    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

static void peer_start(struct peer *peer, struct bed *bed, int fd)
{
    ck_assert_int_ge(fd, 0);
    *peer = (struct peer){.bed = bed, .fd = fd};
    ev_io_init(&peer->io, on_peer, peer->fd, EV_READ);
    peer->io.data = peer;
    ev_io_start(bed->loop, &peer->io);
}

void peer_open(struct peer *peer, struct bed *bed)
{
    peer_start(peer, bed, try_connect(bed));
}

void peer_open_ipv6(struct peer *peer, struct bed *bed)
{
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6,
        .sin6_port = htons((uint16_t)http_server_port(bed->server)),
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
    };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    peer_start(peer, bed, fd);
}

void peer_close(struct peer *peer)
{
    ev_io_stop(peer->bed->loop, &peer->io);
    (void)close(peer->fd);
    free(peer->got);
    *peer = (struct peer){.bed = peer->bed, .fd = -1};
}

bool peer_send_bytes(struct peer *peer, const char *bytes, size_t len)
{
    double end = ev_time() + 10;

    while (len > 0) {
        ssize_t n = send(peer->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        ck_assert_msg(ev_time() < end, "the listener takes nothing");
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        } else if (peer->is_closed) {
            return false;
        } else {
            bed_turn(peer->bed);
        }
    }
    return true;
}

bool peer_send(struct peer *peer, const char *text)
{
    return peer_send_bytes(peer, text, strlen(text));
}

void peer_deaf(struct peer *peer, bool is_deaf)
{
    peer->is_deaf = is_deaf;
    if (is_deaf) {
        ev_io_stop(peer->bed->loop, &peer->io);
    } else {
        ev_io_start(peer->bed->loop, &peer->io);
    }
}

int peer_count(const struct peer *peer, const char *text)
{
    const char *at = peer->got;
    size_t left = peer->got_len;
    size_t len = strlen(text);
    int count = 0;

    while (at != NULL && (at = memmem(at, left, text, len)) != NULL) {
        at += len;
        left = peer->got_len - (size_t)(at - peer->got);
        count++;
    }
    return count;
}

bool peer_has(const struct peer *peer, const char *text)
{
    return peer_count(peer, text) > 0;
}

int peer_status(const struct peer *peer)
{
    int64_t status = 0;

    if (peer->got_len < 12 || memcmp(peer->got, "HTTP/1.1 ", 9) != 0 ||
        slice_to_int(slice_make(peer->got + 9, 3), &status) != RC_OK) {
        return 0;
    }
    return (int)status;
}
