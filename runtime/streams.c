#include "runtime/streams.h"

#include "codecs/json.h"
#include "codecs/url.h"
#include "runtime/base/check.h"
#include "runtime/base/limits.h"
#include "runtime/courier_wire.h"
#include "runtime/curl_loop.h"
#include "runtime/log.h"
#include "runtime/stream.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum {
    STREAMS_CONNECT_MS = 15 * 1000,
    STREAMS_SILENCE_MS = 120 * 1000,
    STREAMS_RETRY_FIRST_MS = 1000,
    STREAMS_RETRY_LAST_MS = 5 * 60 * 1000,
    STREAMS_STEADY_MS = 60 * 1000,
    STREAMS_IDLE_CONNECTIONS = 1,
    STREAMS_ARENA_BYTES = 8 * 1024,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
};

struct stream_owner {
    struct slice name; /* first: the key it is looked up by */
    TAILQ_ENTRY(stream_owner) entry;
    int64_t session;
    bool is_up;
    struct curl_slist *headers; /* one holds the token, until the end */
    void *by_channel;           /* tsearch: struct stream */
    struct stream_queue rooms;  /* the same in the order of subscription */
    enum link_end end;
    struct slice detail; /* static */
    char text[];         /* what the name points to */
};

TAILQ_HEAD(stream_owners, stream_owner);

struct streams {
    struct stream_settings settings;
    struct link_events events;
    struct arena *arena; /* for one event */
    struct arena *texts; /* of the settings */
    void *by_name;       /* tsearch: struct stream_owner, without the ended ones */
    size_t count;
    int64_t session_next;
    struct stream_owners fresh; /* on_up is to come */
    struct stream_owners up;
    struct stream_owners ended; /* on_down is to come */
    struct stream_queue dropped;
    ev_timer soon; /* armed when there is anything to do from the loop */
};

static void *tree_find(void *const *root, struct slice key)
{
    void *const *node = tfind(&key, root, slice_compare_items);
    return node == NULL ? NULL : *node;
}

static void tree_add(void **root, void *item)
{
    void *const *node = tsearch(item, root, slice_compare_items);
    CHECK(node != NULL && *node == item);
}

static void streams_wake(struct streams *streams)
{
    if (!ev_is_active(&streams->soon)) {
        ev_timer_set(&streams->soon, 0., 0.);
        ev_timer_start(streams->settings.loop, &streams->soon);
    }
}

static struct link_id owner_id(const struct stream_owner *owner)
{
    return (struct link_id){.owner = owner->name, .session = owner->session};
}

/* Headers */

static void headers_add(struct curl_slist **headers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*headers, line);
    CHECK(longer != NULL);
    *headers = longer;
}

static struct curl_slist *headers_make(struct slice token)
{
    static const struct slice name = SLICE_INIT("Authorization: Bearer ");
    struct curl_slist *headers = NULL;
    const size_t len = name.len + token.len;
    char *line = calloc(1, len + 1);
    CHECK(line != NULL);
    memcpy(line, name.ptr, name.len);
    memcpy(line + name.len, token.ptr, token.len);
    headers_add(&headers, "Accept: application/json");
    headers_add(&headers, line);
    explicit_bzero(line, len);
    free(line);
    return headers;
}

/* They stay where they are until the handles that point to them are gone. */
static void headers_wipe(struct curl_slist *headers)
{
    for (struct curl_slist *header = headers; header != NULL; header = header->next) {
        explicit_bzero(header->data, strlen(header->data));
    }
}

/* Owners */

static struct stream_owner *owner_open(struct streams *streams, struct slice name)
{
    struct stream_owner *owner = calloc(1, sizeof(*owner) + name.len);
    CHECK(owner != NULL);
    memcpy(owner->text, name.len == 0 ? "" : name.ptr, name.len);
    owner->name = slice_make(owner->text, name.len);
    owner->session = streams->session_next++;
    TAILQ_INIT(&owner->rooms);
    return owner;
}

static void owner_drop_room(struct streams *streams, struct stream *room)
{
    struct stream_owner *owner = room->owner;
    CHECK(tdelete(room, &owner->by_channel, slice_compare_items) != NULL);
    TAILQ_REMOVE(&owner->rooms, room, entry);
    stream_end(room);
    TAILQ_INSERT_TAIL(&streams->dropped, room, entry);
    streams_wake(streams);
}

static void owner_end(struct streams *streams,
                      struct stream_owner *owner,
                      enum link_end why,
                      struct slice detail)
{
    CHECK(tdelete(owner, &streams->by_name, slice_compare_items) != NULL);
    streams->count--;
    TAILQ_REMOVE(owner->is_up ? &streams->up : &streams->fresh, owner, entry);
    TAILQ_INSERT_TAIL(&streams->ended, owner, entry);
    owner->end = why;
    owner->detail = detail;
    while (!TAILQ_EMPTY(&owner->rooms)) {
        owner_drop_room(streams, TAILQ_FIRST(&owner->rooms));
    }
    headers_wipe(owner->headers);
    streams_wake(streams);
}

/* After its dropped rooms have been closed: their handles point to the headers. */
static void owner_close(struct stream_owner *owner)
{
    curl_slist_free_all(owner->headers);
    free(owner);
}

static void streams_close_dropped(struct streams *streams)
{
    while (!TAILQ_EMPTY(&streams->dropped)) {
        struct stream *room = TAILQ_FIRST(&streams->dropped);
        TAILQ_REMOVE(&streams->dropped, room, entry);
        stream_close(room);
    }
}

/* What streams tell */

static void streams_on_open(void *context, struct stream *room)
{
    const struct streams *streams = context;
    const struct link_events *events = &streams->events;
    events->on_subscribed(events->context, owner_id(room->owner), room->channel, SLICE_EMPTY,
                          SLICE_EMPTY);
}

static void streams_on_record(void *context, struct stream *room, struct slice record)
{
    const struct streams *streams = context;
    const struct link_events *events = &streams->events;
    struct json *model = NULL;
    struct buf data;
    arena_reset(streams->arena);
    if (json_parse_outline(streams->arena, record, 1, &model) != RC_OK || !json_is_object(model)) {
        log_event(streams->settings.log, LOG_WARN, "stream_record_dropped",
                  LOG_TEXT("owner", room->owner->name), LOG_TEXT("gitter_room", room->room),
                  LOG_INT("bytes", record.len));
        return;
    }
    buf_init(&data, streams->arena);
    BUF_PUT(&data, "{\"operation\":\"create\",\"model\":");
    buf_put(&data, record);
    BUF_PUT(&data, "}");
    events->on_record(events->context, owner_id(room->owner), room->channel, buf_slice(&data));
}

static void streams_on_refused(void *context, struct stream *room, int status)
{
    struct streams *streams = context;
    const struct link_events *events = &streams->events;
    struct stream_owner *owner = room->owner;
    if (status == HTTP_UNAUTHORIZED) {
        owner_end(streams, owner, LINK_END_REFUSED, SLICE("401 Unauthorized."));
        return;
    }
    owner_drop_room(streams, room);
    events->on_subscribed(events->context, owner_id(owner), room->channel, SLICE_EMPTY,
                          status == HTTP_FORBIDDEN ? SLICE("403 Forbidden.")
                                                   : SLICE("404 Not Found."));
}

static void streams_on_away(void *context, struct stream *room)
{
    const struct streams *streams = context;
    const struct link_events *events = &streams->events;
    events->on_subscribed(events->context, owner_id(room->owner), room->channel, SLICE_EMPTY,
                          SLICE("lost"));
}

static void streams_on_due(void *context)
{
    streams_wake(context);
}

/* Those that end or start during an event have their turn in the next round of the loop. */
static void streams_tell_down(struct streams *streams)
{
    const struct link_events *events = &streams->events;
    struct stream_owners ended = TAILQ_HEAD_INITIALIZER(ended);
    TAILQ_CONCAT(&ended, &streams->ended, entry);
    while (!TAILQ_EMPTY(&ended)) {
        struct stream_owner *owner = TAILQ_FIRST(&ended);
        TAILQ_REMOVE(&ended, owner, entry);
        events->on_down(events->context, owner_id(owner), owner->end, owner->detail, 0);
        owner_close(owner);
    }
}

static void streams_tell_up(struct streams *streams)
{
    const struct link_events *events = &streams->events;
    const int64_t end = streams->session_next;
    struct stream_owner *owner = TAILQ_FIRST(&streams->fresh);
    while (owner != NULL && owner->session < end) {
        TAILQ_REMOVE(&streams->fresh, owner, entry);
        TAILQ_INSERT_TAIL(&streams->up, owner, entry);
        owner->is_up = true;
        events->on_up(events->context, owner_id(owner), SLICE_EMPTY);
        owner = TAILQ_FIRST(&streams->fresh);
    }
}

static void streams_on_soon(struct ev_loop *loop, ev_timer *timer, int events_seen)
{
    struct streams *streams = timer->data;
    (void)loop;
    (void)events_seen;
    streams_close_dropped(streams);
    streams_tell_down(streams);
    streams_tell_up(streams);
    stream_pump(&streams->settings);
}

/* Opening and closing */

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static const char *text_or_null(struct arena *arena, struct slice text)
{
    return text.len == 0 ? NULL : arena_cstr(arena, text);
}

static void streams_set(struct streams *streams, const struct streams_options *options)
{
    streams->settings = (struct stream_settings){
        .loop = options->loop,
        .log = options->log,
        .base = arena_copy(streams->texts, options->stream_url),
        .ca_file = text_or_null(streams->texts, options->ca_file),
        .user_agent = text_or_null(streams->texts, options->user_agent),
        .connect_ms = or_default(options->connect_ms, STREAMS_CONNECT_MS),
        .silence_ms = or_default(options->silence_ms, STREAMS_SILENCE_MS),
        .retry_first_ms = or_default(options->retry_first_ms, STREAMS_RETRY_FIRST_MS),
        .retry_last_ms = or_default(options->retry_last_ms, STREAMS_RETRY_LAST_MS),
        .steady_ms = or_default(options->steady_ms, STREAMS_STEADY_MS),
        .record_bytes_max =
            options->record_bytes_max == 0 ? LINK_MESSAGE_BYTES_MAX : options->record_bytes_max,
        .random = options->random,
        .random_context = options->random_context,
        .events = {.context = streams,
                   .on_open = streams_on_open,
                   .on_record = streams_on_record,
                   .on_refused = streams_on_refused,
                   .on_away = streams_on_away,
                   .on_due = streams_on_due},
    };
    streams->events = options->events;
    streams->session_next = or_default(options->session_first, 1);
    TAILQ_INIT(&streams->settings.waiting);
    TAILQ_INIT(&streams->fresh);
    TAILQ_INIT(&streams->up);
    TAILQ_INIT(&streams->ended);
    TAILQ_INIT(&streams->dropped);
    ev_timer_init(&streams->soon, streams_on_soon, 0., 0.);
    streams->soon.data = streams;
}

enum rc streams_open(const struct streams_options *options, struct streams **out)
{
    struct url url;
    CHECK(options->random != NULL);
    if (url_split(options->stream_url, &url) != RC_OK || url.query.len > 0 ||
        slice_find_byte(options->stream_url, '?') < options->stream_url.len) {
        return RC_BAD_INPUT;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return RC_IO;
    }
    struct streams *streams = calloc(1, sizeof(*streams));
    CHECK(streams != NULL);
    streams->arena = arena_open(STREAMS_ARENA_BYTES);
    streams->texts = arena_open(STREAMS_ARENA_BYTES);
    streams_set(streams, options);
    const struct curl_loop_options loop_options = {
        .loop = options->loop,
        .done = stream_on_done,
        .idle_connections_max = STREAMS_IDLE_CONNECTIONS,
    };
    if (curl_loop_open(&loop_options, &streams->settings.curl_loop) != RC_OK) {
        streams_close(streams);
        return RC_IO;
    }
    *out = streams;
    return RC_OK;
}

static void streams_end_all(struct streams *streams, const struct stream_owners *owners)
{
    while (!TAILQ_EMPTY(owners)) {
        owner_end(streams, TAILQ_FIRST(owners), LINK_END_STOPPED, SLICE_EMPTY);
    }
}

void streams_close(struct streams *streams)
{
    if (streams == NULL) {
        return;
    }
    streams_end_all(streams, &streams->fresh);
    streams_end_all(streams, &streams->up);
    streams_close_dropped(streams);
    while (!TAILQ_EMPTY(&streams->ended)) {
        struct stream_owner *owner = TAILQ_FIRST(&streams->ended);
        TAILQ_REMOVE(&streams->ended, owner, entry);
        owner_close(owner);
    }
    ev_timer_stop(streams->settings.loop, &streams->soon);
    curl_loop_close(streams->settings.curl_loop);
    arena_close(streams->arena);
    arena_close(streams->texts);
    free(streams);
    curl_global_cleanup();
}

/* The interface */

int64_t streams_start(struct streams *streams, struct slice owner, struct slice token)
{
    struct stream_owner *found = tree_find(&streams->by_name, owner);
    if (found != NULL) {
        return found->session;
    }
    struct stream_owner *made = owner_open(streams, owner);
    const int64_t session = made->session;
    tree_add(&streams->by_name, made);
    streams->count++;
    TAILQ_INSERT_TAIL(&streams->fresh, made, entry);
    streams_wake(streams);
    if (token.len > 0 && wire_is_token(token)) {
        made->headers = headers_make(token);
    } else {
        owner_end(streams, made, LINK_END_REFUSED, SLICE("the token cannot be a header"));
    }
    return session;
}

void streams_stop(struct streams *streams, struct slice owner)
{
    struct stream_owner *found = tree_find(&streams->by_name, owner);
    if (found != NULL) {
        owner_end(streams, found, LINK_END_STOPPED, SLICE("stopped"));
    }
}

/* The room's id in a channel; empty if it is no room's messages. */
static struct slice channel_room(struct slice channel)
{
    static const struct slice head = SLICE_INIT("/api/v1/rooms/");
    static const struct slice tail = SLICE_INIT("/chatMessages");
    if (channel.len <= head.len + tail.len || !slice_starts_with(channel, head) ||
        !slice_ends_with(channel, tail)) {
        return SLICE_EMPTY;
    }
    const struct slice room =
        slice_first(slice_from(channel, head.len), channel.len - head.len - tail.len);
    return slice_find_byte(room, '/') < room.len ? SLICE_EMPTY : room;
}

void streams_subscribe(struct streams *streams,
                       struct slice owner,
                       struct slice channel,
                       struct slice snapshot)
{
    struct stream_owner *found = tree_find(&streams->by_name, owner);
    const struct slice id = channel_room(channel);
    (void)snapshot;
    if (found == NULL || id.len == 0) {
        return;
    }
    struct stream *room = tree_find(&found->by_channel, channel);
    if (room != NULL && room->state != STREAM_OPEN) {
        return;
    }
    if (room != NULL) {
        owner_drop_room(streams, room);
    }
    const struct stream_whose whose = {
        .owner = found, .name = found->name, .headers = found->headers};
    room = stream_open(&streams->settings, &whose, channel, id);
    TAILQ_INSERT_TAIL(&found->rooms, room, entry);
    tree_add(&found->by_channel, room);
}

void streams_unsubscribe(struct streams *streams, struct slice owner, struct slice channel)
{
    const struct stream_owner *found = tree_find(&streams->by_name, owner);
    struct stream *room = found == NULL ? NULL : tree_find(&found->by_channel, channel);
    if (room != NULL) {
        owner_drop_room(streams, room);
    }
}

size_t streams_count(const struct streams *streams)
{
    return streams->count;
}
