/* The far end of a benchmark, as dumb as can be: takes every POST and PUT, counts and orders the
 * messages in them, and answers at once. It stands for Gitter's REST interface, for a homeserver,
 * and for whatever the other bridges forward to.
 *
 * Usage: sink PORT OWNERS        port 0: any free one; its first line is the port
 *
 * A message is a body that holds bench<room>x<number>e, numbers from 0 up in each room, rooms below
 * ROOMS_MAX. Asked for a Gitter room's messages, it gives the last one, from the owner that seed.c
 * gives the room: what a bridge finds that looks for a post whose answer it lost. GET /stats gives
 * the counts as JSON, GET /times how long messages took since the time that stands in their text,
 * GET /reset begins anew.
 */
#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/http.h"

#include <ev.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOMS_MAX = 200 * 1000,
    TEXT_BYTES_MAX = 64,
    NUMBER_MAX = 100 * 1000 * 1000,
    ANSWER_BYTES = 512,
    TIMES_MAX = 1000 * 1000,
};

struct room {
    unsigned char *seen; /* a bit for each number */
    size_t bytes;
    int64_t highest;
    uint64_t last; /* id of the last message; 0: there is none */
    char text[TEXT_BYTES_MAX];
    size_t text_len;
};

struct sink {
    struct http_server *server;
    struct arena *arena;
    int64_t owners;
    struct room rooms[ROOMS_MAX];
    int64_t requests;
    int64_t messages;   /* distinct */
    int64_t doubled;    /* came before */
    int64_t disordered; /* came behind a later one of their room */
    int64_t first_us;
    int64_t last_us;
    int64_t times_us[TIMES_MAX]; /* of the first of them */
    size_t times_count;
};

static struct sink sink;

static int64_t now_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

static void answer(uint64_t request, int status, struct slice body)
{
    const struct http_answer answer = {
        .status = status, .content_type = SLICE("application/json"), .body = body};
    http_server_answer(sink.server, request, &answer);
}

static bool read_number(struct slice *text, char end, int64_t *number)
{
    return slice_to_int(slice_cut(text, end), number) == RC_OK && text->ptr != NULL;
}

/* The mark of a message. */
static bool find_mark(struct slice body, int64_t *room, int64_t *number)
{
    const struct slice mark = SLICE("bench");
    for (size_t at = slice_find(body, mark); at < body.len; at = slice_find(body, mark)) {
        body = slice_from(body, at + mark.len);
        struct slice rest = slice_first(body, 32);
        if (read_number(&rest, 'x', room) && read_number(&rest, 'e', number)) {
            return true;
        }
    }
    return false;
}

/* Marks a number of a room as seen; true if it was before. */
static bool was_seen(struct room *room, size_t number)
{
    if (number / 8 >= room->bytes) {
        const size_t bytes = number / 4 + 64;
        room->seen = realloc(room->seen, bytes);
        CHECK(room->seen != NULL);
        memset(room->seen + room->bytes, 0, bytes - room->bytes);
        room->bytes = bytes;
    }
    const unsigned char bit = (unsigned char)(1U << (number % 8));
    const bool is_seen = (room->seen[number / 8] & bit) != 0;
    room->seen[number / 8] |= bit;
    return is_seen;
}

/* {"text":"..."}, as bridges here write it. */
static void keep_text(struct room *room, struct slice body)
{
    const struct slice start = SLICE("\"text\":\"");
    struct slice text = slice_from(body, slice_find(body, start));
    text = slice_from(text, start.len);
    text = slice_first(slice_cut(&text, '"'), TEXT_BYTES_MAX);
    memcpy(room->text, text.ptr, text.len);
    room->text_len = text.len;
    room->last = (uint64_t)sink.requests;
}

/* "... at <time>u", as load.c and faye_end.c write it. */
static void note_time(struct slice body)
{
    const struct slice mark = SLICE("e says the ");
    struct slice rest = slice_from(body, slice_find(body, mark));
    int64_t time_us = 0;
    rest = slice_first(rest, TEXT_BYTES_MAX);
    rest = slice_from(rest, slice_find(rest, SLICE(" at ")));
    rest = slice_from(rest, 4);
    if (read_number(&rest, 'u', &time_us) && sink.times_count < TIMES_MAX) {
        sink.times_us[sink.times_count++] = now_us() - time_us;
    }
}

static void count_message(struct slice body)
{
    int64_t number = 0;
    int64_t index = 0;
    if (!find_mark(body, &index, &number) || index < 0 || index >= ROOMS_MAX || number < 0 ||
        number > NUMBER_MAX) {
        return;
    }
    struct room *room = &sink.rooms[index];
    keep_text(room, body);
    sink.last_us = now_us();
    sink.first_us = sink.first_us == 0 ? sink.last_us : sink.first_us;
    if (was_seen(room, (size_t)number)) {
        sink.doubled++;
        return;
    }
    note_time(body);
    sink.messages++;
    sink.disordered += number < room->highest;
    room->highest = number > room->highest ? number : room->highest;
}

static struct slice stats(void)
{
    return arena_printf(
        sink.arena,
        "{\"requests\":%" PRId64 ",\"messages\":%" PRId64 ",\"doubled\":%" PRId64
        ",\"disordered\":%" PRId64 ",\"first_us\":%" PRId64 ",\"last_us\":%" PRId64 "}",
        sink.requests, sink.messages, sink.doubled, sink.disordered, sink.first_us, sink.last_us);
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return (*left > *right) - (*left < *right);
}

static int64_t percentile(size_t percent)
{
    return sink.times_count == 0 ? 0 : sink.times_us[(sink.times_count - 1) * percent / 100];
}

static struct slice times(void)
{
    qsort(sink.times_us, sink.times_count, sizeof sink.times_us[0], compare_times);
    return arena_printf(sink.arena, "{\"count\":%zu,\"p50_us\":%" PRId64 ",\"p99_us\":%" PRId64 "}",
                        sink.times_count, percentile(50), percentile(99));
}

static void reset(void)
{
    struct http_server *server = sink.server;
    struct arena *arena = sink.arena;
    const int64_t owners = sink.owners;
    for (size_t i = 0; i < ROOMS_MAX; i++) {
        free(sink.rooms[i].seen);
    }
    memset(&sink, 0, sizeof sink);
    sink.server = server;
    sink.arena = arena;
    sink.owners = owners;
}

static struct slice message_json(uint64_t id, struct slice text, int64_t owner)
{
    return arena_printf(sink.arena,
                        "{\"id\":\"6%023" PRIx64 "\",\"text\":\"%.*s\",\"html\":\"\","
                        "\"sent\":\"2026-01-01T00:00:00.000Z\",\"v\":1,"
                        "\"fromUser\":{\"id\":\"5e%022" PRIx64 "\",\"username\":\"owner\"}}",
                        id, SLICE_ARGS(text), (uint64_t)owner);
}

/* What Gitter and a homeserver would say to it. */
static struct slice thing_made(struct slice path)
{
    if (slice_find(path, SLICE("/chatMessages")) < path.len) {
        return message_json((uint64_t)sink.requests, SLICE("t"), 0);
    }
    if (slice_find(path, SLICE("/send/")) < path.len) {
        return arena_printf(sink.arena, "{\"event_id\":\"$%" PRId64 "\"}", sink.requests);
    }
    return SLICE("{}");
}

/* The last message of a Gitter room, /rooms/5f<22 hex digits>/chatMessages. */
static struct slice last_message(struct slice path)
{
    const struct slice start = SLICE("/rooms/5f");
    const size_t at = slice_find(path, start);
    const struct slice digits = slice_first(slice_from(path, at + start.len), 22);
    char text[23] = "";
    memcpy(text, digits.ptr, digits.len);
    const unsigned long index = strtoul(text, NULL, 16);
    if (at == path.len || index >= ROOMS_MAX || sink.rooms[index].last == 0) {
        return SLICE("[]");
    }
    const struct room *room = &sink.rooms[index];
    const struct slice message = message_json(room->last, slice_make(room->text, room->text_len),
                                              (int64_t)index % sink.owners);
    return arena_printf(sink.arena, "[%.*s]", SLICE_ARGS(message));
}

static struct slice thing_asked(struct slice path)
{
    if (slice_ends_with(path, SLICE("/chatMessages"))) {
        return last_message(path);
    }
    if (slice_ends_with(path, SLICE("/whoami"))) {
        return SLICE("{\"user_id\":\"@gitter:bench.test\"}");
    }
    if (slice_ends_with(path, SLICE("/versions"))) {
        return SLICE("{\"versions\":[\"v1.11\"]}");
    }
    if (slice_ends_with(path, SLICE("/joined_rooms"))) {
        return SLICE("{\"joined_rooms\":[]}");
    }
    return SLICE("[]");
}

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    (void)context;
    arena_reset(sink.arena);
    if (slice_equal(head->method, SLICE("GET"))) {
        if (slice_equal(head->path, SLICE("/stats"))) {
            answer(head->request_id, 200, stats());
        } else if (slice_equal(head->path, SLICE("/times"))) {
            answer(head->request_id, 200, times());
        } else if (slice_equal(head->path, SLICE("/reset"))) {
            reset();
            answer(head->request_id, 200, SLICE("{}"));
        } else {
            answer(head->request_id, 200, thing_asked(head->path));
        }
        return;
    }
    sink.requests++;
    count_message(body);
    answer(head->request_id, 200, thing_made(head->path));
}

int main(int argc, char **argv)
{
    int64_t port = 0;
    if (argc != 3 || slice_to_int(slice_from_cstr(argv[1]), &port) != RC_OK ||
        slice_to_int(slice_from_cstr(argv[2]), &sink.owners) != RC_OK || sink.owners < 1) {
        (void)fprintf(stderr, "usage: sink PORT OWNERS\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    sink.arena = arena_open(ANSWER_BYTES);
    const struct http_server_options options = {
        .loop = ev_default_loop(EVFLAG_AUTO),
        .port = (int)port,
        .handler = {.on_request = on_request},
    };
    CHECK(http_server_open(&options, &sink.server) == RC_OK);
    (void)printf("%d\n", http_server_port(sink.server));
    (void)fflush(stdout);
    ev_run(options.loop, 0);
    return 0;
}
