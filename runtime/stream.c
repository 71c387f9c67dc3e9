#include "runtime/stream.h"

#include "codecs/url.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/base/limits.h"
#include "runtime/curl_loop.h"
#include "runtime/log.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* most messages are smaller; libcurl keeps it as long as the stream is open */
    STREAM_BUFFER_BYTES = 2048,
    STREAM_URL_BYTES = 512,
    STREAM_DOUBLINGS_MAX = 30,
    MS_PER_S = 1000,
    HTTP_FINAL_FIRST = 200,
    HTTP_OK = 200,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
};

static void stream_enter(struct stream *stream, enum stream_state state)
{
    struct stream_settings *settings = stream->settings;
    if (stream->state == STREAM_WAITING) {
        TAILQ_REMOVE(&settings->waiting, stream, turn);
    }
    if (stream->state == STREAM_CONNECTING) {
        CHECK(settings->connecting > 0);
        settings->connecting--;
    }
    ev_timer_stop(settings->loop, &stream->timer);
    stream->state = state;
    if (state == STREAM_WAITING) {
        TAILQ_INSERT_TAIL(&settings->waiting, stream, turn);
    }
    if (state == STREAM_CONNECTING) {
        settings->connecting++;
    }
    if (!TAILQ_EMPTY(&settings->waiting) && settings->connecting < LINK_STARTS_MAX) {
        settings->events.on_due(settings->events.context);
    }
}

/* From now on, or from the latest byte on, the peer has its time. */
static void stream_watch(struct stream *stream)
{
    stream->timer.repeat = (double)stream->settings->silence_ms / MS_PER_S;
    ev_timer_again(stream->settings->loop, &stream->timer);
}

static void stream_unplug(struct stream *stream)
{
    if (stream->is_running) {
        curl_loop_remove(stream->settings->curl_loop, stream->easy);
        stream->is_running = false;
    }
    curl_easy_cleanup(stream->easy);
    stream->easy = NULL;
    stream_lines_clear(&stream->lines);
}

/* Between half of what the doubling gives and all of it: a server that comes back is not met by
 * everybody at once. */
static int64_t stream_pause_ms(const struct stream *stream)
{
    const struct stream_settings *settings = stream->settings;
    uint32_t random = 0;
    int64_t most_ms = settings->retry_first_ms;
    for (unsigned int i = 0; i < stream->failures && most_ms < settings->retry_last_ms; i++) {
        most_ms *= 2;
    }
    most_ms = most_ms < settings->retry_last_ms ? most_ms : settings->retry_last_ms;
    settings->random(settings->random_context, &random, sizeof(random));
    return most_ms / 2 + (int64_t)random % (most_ms / 2 + 1);
}

static void stream_lose(struct stream *stream, struct slice why)
{
    const struct stream_settings *settings = stream->settings;
    stream_unplug(stream);
    if (stream->state == STREAM_OPEN &&
        clock_read_ms(CLOCK_MONOTONIC) - stream->opened_ms >= settings->steady_ms) {
        stream->failures = 0;
    }
    const int64_t pause_ms = stream_pause_ms(stream);
    stream->failures += stream->failures < STREAM_DOUBLINGS_MAX ? 1 : 0;
    log_event(settings->log, LOG_WARN, "stream_lost", LOG_TEXT("owner", stream->owner_name),
              LOG_TEXT("gitter_room", stream->room), LOG_TEXT("why", why),
              LOG_INT("status", stream->status), LOG_INT("again_ms", pause_ms));
    stream_enter(stream, STREAM_PAUSED);
    ev_timer_set(&stream->timer, (double)pause_ms / MS_PER_S, 0.);
    ev_timer_start(settings->loop, &stream->timer);
    if (stream->failures == 2) {
        settings->events.on_away(settings->events.context, stream);
    }
}

static void stream_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct stream *stream = timer->data;
    (void)loop;
    (void)events;
    if (stream->state == STREAM_PAUSED) {
        stream_enter(stream, STREAM_WAITING);
    } else {
        stream_lose(stream, SLICE("silent"));
    }
}

/* What libcurl tells. */

static int stream_on_connected(
    void *context, char *peer_address, char *own_address, int peer_port, int own_port)
{
    struct stream *stream = context;
    (void)peer_address;
    (void)own_address;
    (void)peer_port;
    (void)own_port;
    if (stream->state != STREAM_CONNECTING) {
        return CURL_PREREQFUNC_ABORT;
    }
    stream_enter(stream, STREAM_ASKING);
    stream_watch(stream);
    return CURL_PREREQFUNC_OK;
}

/* The empty line behind the header fields. Anything but 200 ends the transfer right there. */
static void stream_take_head(struct stream *stream)
{
    const struct stream_events *events = &stream->settings->events;
    long status = 0;
    CHECK(curl_easy_getinfo(stream->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK);
    if (status < HTTP_FINAL_FIRST) {
        return;
    }
    stream->status = status;
    if (status != HTTP_OK) {
        stream->lost = SLICE("status");
        return;
    }
    stream_enter(stream, STREAM_OPEN);
    stream_watch(stream);
    stream->opened_ms = clock_read_ms(CLOCK_MONOTONIC);
    events->on_open(events->context, stream);
}

static bool stream_is_wanted(const struct stream *stream)
{
    return stream->state != STREAM_OVER && stream->lost.len == 0;
}

static size_t stream_on_head_line(char *line, size_t size, size_t count, void *context)
{
    struct stream *stream = context;
    const size_t len = size * count;
    if (stream->state == STREAM_ASKING) {
        stream_watch(stream);
        if (slice_trim(slice_make(line, len)).len == 0) {
            stream_take_head(stream);
        }
    }
    return stream_is_wanted(stream) ? len : 0;
}

static size_t stream_on_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct stream *stream = context;
    const struct stream_events *events = &stream->settings->events;
    const size_t len = size * count;
    struct slice rest = slice_make(bytes, len);
    struct slice record = SLICE_EMPTY;
    enum rc rc = RC_OK;
    while (stream->state == STREAM_OPEN && rc == RC_OK) {
        rc = stream_lines_take(&stream->lines, &rest, &record);
        if (rc == RC_OK) {
            events->on_record(events->context, stream, record);
        }
    }
    if (stream->state == STREAM_OPEN) {
        stream_watch(stream);
    }
    if (rc == RC_TOO_BIG) {
        stream->lost = SLICE("record over the limit");
    }
    return stream_is_wanted(stream) ? len : 0;
}

void stream_on_done(void *context, CURL *easy, CURLcode code)
{
    char *private = NULL;
    (void)context;
    CHECK(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private) == CURLE_OK);
    struct stream *stream = (struct stream *)(void *)private;
    const struct stream_events *events = &stream->settings->events;
    stream->is_running = false;
    if (stream->state == STREAM_OVER) {
        return;
    }
    if (stream->status == HTTP_UNAUTHORIZED || stream->status == HTTP_FORBIDDEN ||
        stream->status == HTTP_NOT_FOUND) {
        events->on_refused(events->context, stream, (int)stream->status);
    } else if (stream->lost.len > 0) {
        stream_lose(stream, stream->lost);
    } else if (code == CURLE_OK) {
        stream_lose(stream, SLICE("ended by the server"));
    } else {
        stream_lose(stream, slice_from_cstr(stream->error[0] != '\0' ? stream->error
                                                                     : curl_easy_strerror(code)));
    }
}

/* The request. */

#define SET(stream, option, value)                                                                 \
    CHECK(curl_easy_setopt((stream)->easy, option, value) == CURLE_OK)

static void stream_set_url(struct stream *stream)
{
    struct arena *arena = arena_open(STREAM_URL_BYTES);
    const struct slice room = url_encode(arena, stream->room);
    const struct slice path = arena_printf(arena, "/rooms/%.*s/chatMessages", SLICE_ARGS(room));
    const struct slice url = url_join(arena, stream->settings->base, path);
    SET(stream, CURLOPT_URL, arena_cstr(arena, url));
    arena_close(arena);
}

static void stream_set_options(struct stream *stream)
{
    const struct stream_settings *settings = stream->settings;
    stream_set_url(stream);
    SET(stream, CURLOPT_PATH_AS_IS, 1L);
    SET(stream, CURLOPT_PRIVATE, stream);
    SET(stream, CURLOPT_ERRORBUFFER, stream->error);
    SET(stream, CURLOPT_NOSIGNAL, 1L);
    SET(stream, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(stream, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(stream, CURLOPT_FOLLOWLOCATION, 0L);
    SET(stream, CURLOPT_PROXY, "");
    SET(stream, CURLOPT_FRESH_CONNECT, 1L);
    SET(stream, CURLOPT_FORBID_REUSE, 1L);
    SET(stream, CURLOPT_BUFFERSIZE, (long)STREAM_BUFFER_BYTES);
    SET(stream, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_ms);
    /* else dropping a handle waits for the resolver's thread, and all else with it */
    SET(stream, CURLOPT_QUICK_EXIT, 1L);
    SET(stream, CURLOPT_HTTPHEADER, stream->headers);
    SET(stream, CURLOPT_USERAGENT, settings->user_agent);
    SET(stream, CURLOPT_PREREQFUNCTION, stream_on_connected);
    SET(stream, CURLOPT_PREREQDATA, stream);
    SET(stream, CURLOPT_HEADERFUNCTION, stream_on_head_line);
    SET(stream, CURLOPT_HEADERDATA, stream);
    SET(stream, CURLOPT_WRITEFUNCTION, stream_on_bytes);
    SET(stream, CURLOPT_WRITEDATA, stream);
    curl_loop_trust(stream->easy, settings->ca_file);
}

static void stream_begin(struct stream *stream)
{
    stream_enter(stream, STREAM_CONNECTING);
    stream->status = 0;
    stream->lost = SLICE_EMPTY;
    stream->error[0] = '\0';
    stream->easy = curl_easy_init();
    CHECK(stream->easy != NULL);
    stream_set_options(stream);
    stream->is_running = curl_loop_add(stream->settings->curl_loop, stream->easy) == RC_OK;
    if (!stream->is_running) {
        stream_lose(stream, SLICE("libcurl takes no more"));
    }
}

void stream_pump(struct stream_settings *settings)
{
    while (settings->connecting < LINK_STARTS_MAX && !TAILQ_EMPTY(&settings->waiting)) {
        stream_begin(TAILQ_FIRST(&settings->waiting));
    }
}

struct stream *stream_open(struct stream_settings *settings,
                           const struct stream_whose *whose,
                           struct slice channel,
                           struct slice room)
{
    struct stream *stream = calloc(1, sizeof(*stream) + channel.len + room.len);
    CHECK(stream != NULL);
    memcpy(stream->texts, channel.ptr, channel.len);
    memcpy(stream->texts + channel.len, room.ptr, room.len);
    stream->channel = slice_make(stream->texts, channel.len);
    stream->room = slice_make(stream->texts + channel.len, room.len);
    stream->settings = settings;
    stream->owner = whose->owner;
    stream->owner_name = whose->name;
    stream->headers = whose->headers;
    stream->lines.bytes_max = settings->record_bytes_max;
    ev_timer_init(&stream->timer, stream_on_timer, 0., 0.);
    /* after what has come: a loop that stood still is not the peer's silence */
    ev_set_priority(&stream->timer, EV_MINPRI);
    stream->timer.data = stream;
    stream->state = STREAM_PAUSED;
    stream_enter(stream, STREAM_WAITING);
    return stream;
}

void stream_end(struct stream *stream)
{
    stream_enter(stream, STREAM_OVER);
}

void stream_close(struct stream *stream)
{
    stream_enter(stream, STREAM_OVER);
    stream_unplug(stream);
    free(stream);
}
