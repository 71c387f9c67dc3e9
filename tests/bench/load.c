/* A homeserver that does nothing but send: transactions one after the other over one connection,
 * each when the one before is answered, as Synapse sends them.
 *
 * Usage: load PORT OWNERS ROOMS EVENTS_PER_TRANSACTION TRANSACTIONS SECONDS FIRST_TRANSACTION
 * [RATE]
 *
 * With a RATE there are at most so many transactions a second, evenly spaced. Event k goes to room
 * k modulo ROOMS with the next number of that room and the time at which it was made, which the
 * sink takes from what arrives; texts, rooms and senders are those of seed.c. Ends after so many
 * transactions, or so many seconds, or when the other end is gone; prints one JSON object: events
 * answered with 200, seconds, and how long transactions took.
 */
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ANSWER_BYTES = 64 * 1024,
    ARENA_BYTES = 1024 * 1024,
    TIMES_MAX = 4 * 1000 * 1000,
};

struct load {
    int fd;
    int64_t port;
    int64_t rooms;
    int64_t events; /* in a transaction */
    int64_t owners;
    int64_t sent; /* events */
    int64_t answered;
    int64_t times_us[TIMES_MAX];
    size_t times_count;
};

static struct load load;

static int64_t now_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

static void connect_to(int64_t port)
{
    const int on = 1;
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    load.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(load.fd >= 0);
    CHECK(connect(load.fd, (const struct sockaddr *)&address, sizeof address) == 0);
    CHECK(setsockopt(load.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
}

/* An event as Synapse sends it, with what nobody reads. */
static void put_event(struct buf *body, int64_t k)
{
    const int64_t room = k % load.rooms;
    buf_printf(body,
               "{\"age\":12,\"content\":{\"body\":\"bench%" PRId64 "x%" PRId64
               "e says the owner at %" PRId64 "u\",\"m.mentions\":{},\"msgtype\":\"m.text\"},"
               "\"event_id\":\"$%" PRId64 "-%" PRId64 "-AbCdEfGhIjKlMnOpQrStUvWxYz0123456\","
               "\"origin_server_ts\":1763935200000,\"room_id\":\"!bench%" PRId64 ":bench.test\","
               "\"sender\":\"@owner%" PRId64 ":bench.test\",\"type\":\"m.room.message\","
               "\"unsigned\":{\"age\":12,\"membership\":\"join\"},"
               "\"user_id\":\"@owner%" PRId64 ":bench.test\"}",
               room, k / load.rooms, now_us(), room, k / load.rooms, room, room % load.owners,
               room % load.owners);
}

static struct slice make_request(struct arena *arena, int64_t transaction, int64_t first)
{
    struct buf body;
    buf_init(&body, arena);
    BUF_PUT(&body, "{\"events\":[");
    for (int64_t i = 0; i < load.events; i++) {
        if (i > 0) {
            BUF_PUT(&body, ",");
        }
        put_event(&body, first + i);
    }
    BUF_PUT(&body, "]}");
    struct buf request;
    buf_init(&request, arena);
    buf_printf(
        &request,
        "PUT /_matrix/app/v1/transactions/%" PRId64 " HTTP/1.1\r\nHost: localhost\r\n"
        "Authorization: Bearer hs_token_of_the_benchmark\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n",
        transaction, buf_slice(&body).len);
    buf_put(&request, buf_slice(&body));
    return buf_slice(&request);
}

static bool send_all(struct slice bytes)
{
    while (bytes.len > 0) {
        const ssize_t sent = send(load.fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent < 0) {
            return false;
        }
        bytes = slice_from(bytes, (size_t)sent);
    }
    return true;
}

/* Where the body of an answer begins, and how long it is; -1 without a length (chunked). */
static bool read_head(struct slice got, size_t *body_at, int64_t *length)
{
    const size_t end = slice_find(got, SLICE("\r\n\r\n"));
    if (end == got.len) {
        return false;
    }
    struct slice head = slice_first(got, end);
    *body_at = end + 4;
    *length = -1;
    while (head.len > 0) {
        struct slice line = slice_cut(&head, '\n');
        const struct slice name = slice_cut(&line, ':');
        if (slice_equal_fold(name, SLICE("content-length"))) {
            CHECK(slice_to_int(slice_trim(line), length) == RC_OK);
        }
    }
    return true;
}

/* Reads one answer; true if it is a 200. */
static bool read_answer(void)
{
    static char bytes[ANSWER_BYTES];
    size_t len = 0;
    size_t body_at = 0;
    int64_t length = 0;
    for (;;) {
        const ssize_t n = recv(load.fd, bytes + len, sizeof bytes - len, 0);
        if (n <= 0) {
            return false;
        }
        len += (size_t)n;
        const struct slice got = slice_make(bytes, len);
        if (!read_head(got, &body_at, &length)) {
            continue;
        }
        const bool is_whole = length >= 0 ? len - body_at >= (size_t)length
                                          : slice_ends_with(got, SLICE("0\r\n\r\n"));
        if (is_whole) {
            return slice_equal(slice_first(slice_from(got, 9), 3), SLICE("200"));
        }
    }
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return (*left > *right) - (*left < *right);
}

static int64_t percentile(size_t percent)
{
    return load.times_count == 0 ? 0 : load.times_us[(load.times_count - 1) * percent / 100];
}

static void sleep_until(int64_t time_us)
{
    const struct timespec time = {.tv_sec = time_us / 1000000, .tv_nsec = time_us % 1000000 * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
    }
}

static void run(int64_t transactions, int64_t seconds, int64_t first, int64_t rate)
{
    struct arena *arena = arena_open(ARENA_BYTES);
    const int64_t start_us = now_us();
    const int64_t end_us = start_us + seconds * 1000000;
    int64_t spent_us = 0;
    for (int64_t i = 0; i < transactions && now_us() < end_us && i < TIMES_MAX; i++) {
        arena_reset(arena);
        if (rate > 0) {
            sleep_until(start_us + i * 1000000 / rate);
        }
        const struct slice request = make_request(arena, first + i, (first + i) * load.events);
        const int64_t begin_us = now_us(); /* making the request is not theirs to pay */
        load.sent += load.events;
        if (!send_all(request) || !read_answer()) {
            break;
        }
        load.times_us[load.times_count] = now_us() - begin_us;
        spent_us += load.times_us[load.times_count++];
        load.answered += load.events;
    }
    arena_close(arena);
    qsort(load.times_us, load.times_count, sizeof load.times_us[0], compare_times);
    (void)printf("{\"sent\":%" PRId64 ",\"answered\":%" PRId64 ",\"us\":%" PRId64
                 ",\"p50_us\":%" PRId64 ",\"p99_us\":%" PRId64 "}\n",
                 load.sent, load.answered, spent_us, percentile(50), percentile(99));
}

int main(int argc, char **argv)
{
    int64_t numbers[8] = {0};
    if (argc != 8 && argc != 9) {
        (void)fprintf(stderr, "usage: load PORT OWNERS ROOMS EVENTS_PER_TRANSACTION TRANSACTIONS "
                              "SECONDS FIRST_TRANSACTION [RATE]\n");
        return 2;
    }
    for (int i = 0; i < argc - 1; i++) {
        CHECK(slice_to_int(slice_from_cstr(argv[i + 1]), &numbers[i]) == RC_OK);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    load.owners = numbers[1];
    load.rooms = numbers[2];
    load.events = numbers[3];
    connect_to(numbers[0]);
    run(numbers[4], numbers[5], numbers[6], numbers[7]);
    return 0;
}
