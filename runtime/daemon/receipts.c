#include "runtime/daemon/receipts.h"

#include "codecs/matrix.h"
#include "codecs/url.h"
#include "runtime/base/check.h"
#include "runtime/curl_loop.h"

#include <ev.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    FLIGHTS_MAX = 4,
    ROOMS_MAX = 4096,
    GATHER_MS_DEFAULT = 250,
    PATIENCE_S = 30, /* after 429, or without an answer */
    ARENA_BYTES = 1024,
};

/* A room whose receipt waits; both texts lie behind the struct. */
struct place {
    struct slice room; /* first, so that the tree finds it by a room alone */
    struct slice event;
    TAILQ_ENTRY(place) order;
};

struct flight {
    struct receipts *receipts;
    CURL *easy;
    struct arena *arena;
    bool is_under_way;
};

struct receipts {
    struct receipts_options options;
    struct curl_loop *calls;
    struct curl_slist *headers;
    struct flight flights[FLIGHTS_MAX];
    void *tree; /* places by room */
    TAILQ_HEAD(, place) order;
    size_t count;
    ev_timer timer;
};

static int compare_places(const void *a, const void *b)
{
    return slice_compare(((const struct place *)a)->room, ((const struct place *)b)->room);
}

static void drop(struct receipts *receipts, struct place *place)
{
    (void)tdelete(place, &receipts->tree, compare_places);
    TAILQ_REMOVE(&receipts->order, place, order);
    receipts->count--;
    free(place);
}

static void wait_for(struct receipts *receipts, int64_t ms)
{
    ev_timer_stop(receipts->options.loop, &receipts->timer);
    ev_timer_set(&receipts->timer, (double)ms / 1000.0, 0.0);
    ev_timer_start(receipts->options.loop, &receipts->timer);
}

static size_t drop_answer(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static void begin(struct flight *flight, const struct place *place)
{
    const struct receipts_options *options = &flight->receipts->options;
    struct arena *arena = flight->arena;
    CURL *easy = flight->easy;
    arena_reset(arena);
    const struct matrix_request request =
        matrix_receipt_request(arena, arena_copy(arena, place->room), place->event);
    curl_easy_reset(easy);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, flight);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, flight->receipts->headers);
    (void)curl_easy_setopt(easy, CURLOPT_URL,
                           url_join(arena, options->homeserver_url, request.path).ptr);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request.body.len);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.ptr);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_answer);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)PATIENCE_S);
    curl_loop_trust(easy, options->ca_file.len == 0 ? NULL : arena_cstr(arena, options->ca_file));
    flight->is_under_way = curl_loop_add(flight->receipts->calls, easy) == RC_OK;
}

static void begin_all(struct receipts *receipts)
{
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        struct place *first = TAILQ_FIRST(&receipts->order);
        if (first == NULL) {
            return;
        }
        if (!receipts->flights[i].is_under_way) {
            begin(&receipts->flights[i], first);
            drop(receipts, first);
        }
    }
}

/* What is in flight together ends together, more or less: then the next ones may go. */
static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    begin_all(watcher->data);
}

static void on_done(void *context, CURL *easy, CURLcode code)
{
    struct receipts *receipts = context;
    struct flight *flight = NULL;
    long status = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&flight);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    flight->is_under_way = false;
    const bool is_trouble = code != CURLE_OK || status == 429 || status >= 500;
    if (is_trouble) {
        wait_for(receipts, (int64_t)PATIENCE_S * 1000);
    } else if (!TAILQ_EMPTY(&receipts->order) && !ev_is_active(&receipts->timer)) {
        wait_for(receipts, receipts->options.gather_ms);
    }
}

static struct place *place_open(struct slice room, struct slice event)
{
    struct place *place = malloc(sizeof *place + room.len + event.len);
    CHECK(place != NULL);
    char *texts = (char *)(place + 1);
    memcpy(texts, room.ptr, room.len);
    memcpy(texts + room.len, event.ptr, event.len);
    *place = (struct place){.room = slice_make(texts, room.len),
                            .event = slice_make(texts + room.len, event.len)};
    return place;
}

void receipts_move(struct receipts *receipts, struct slice room, struct slice event)
{
    const struct place wanted = {.room = room};
    struct place *const *found = tfind(&wanted, &receipts->tree, compare_places);
    CHECK(room.len > 0 && event.len > 0);
    if (found != NULL) {
        drop(receipts, *found);
    } else if (receipts->count == ROOMS_MAX) {
        drop(receipts, TAILQ_FIRST(&receipts->order));
    }
    struct place *place = place_open(room, event);
    CHECK(tsearch(place, &receipts->tree, compare_places) != NULL);
    TAILQ_INSERT_TAIL(&receipts->order, place, order);
    receipts->count++;
    if (!ev_is_active(&receipts->timer)) {
        wait_for(receipts, receipts->options.gather_ms);
    }
}

static struct curl_slist *make_headers(const struct receipts_options *options)
{
    struct arena *arena = arena_open(ARENA_BYTES);
    struct curl_slist *headers = curl_slist_append(
        NULL, arena_printf(arena, "Authorization: Bearer %.*s", SLICE_ARGS(options->as_token)).ptr);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    CHECK(headers != NULL);
    arena_close(arena);
    return headers;
}

enum rc receipts_open(const struct receipts_options *options, struct receipts **out)
{
    struct receipts *receipts = calloc(1, sizeof *receipts);
    CHECK(receipts != NULL);
    receipts->options = *options;
    if (receipts->options.gather_ms == 0) {
        receipts->options.gather_ms = GATHER_MS_DEFAULT;
    }
    TAILQ_INIT(&receipts->order);
    ev_timer_init(&receipts->timer, on_timer, 0.0, 0.0);
    receipts->timer.data = receipts;
    receipts->headers = make_headers(options);
    bool is_whole = true;
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        receipts->flights[i] = (struct flight){
            .receipts = receipts, .easy = curl_easy_init(), .arena = arena_open(ARENA_BYTES)};
        is_whole = is_whole && receipts->flights[i].easy != NULL;
    }
    const struct curl_loop_options calls = {.loop = options->loop,
                                            .done = on_done,
                                            .context = receipts,
                                            .idle_connections_max = FLIGHTS_MAX};
    *out = receipts;
    return is_whole ? curl_loop_open(&calls, &receipts->calls) : RC_FULL;
}

void receipts_close(struct receipts *receipts)
{
    if (receipts == NULL) {
        return;
    }
    ev_timer_stop(receipts->options.loop, &receipts->timer);
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        struct flight *flight = &receipts->flights[i];
        if (flight->is_under_way) {
            curl_loop_remove(receipts->calls, flight->easy);
        }
        curl_easy_cleanup(flight->easy);
        arena_close(flight->arena);
    }
    curl_loop_close(receipts->calls);
    curl_slist_free_all(receipts->headers);
    while (!TAILQ_EMPTY(&receipts->order)) {
        drop(receipts, TAILQ_FIRST(&receipts->order));
    }
    free(receipts);
}
