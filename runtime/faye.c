#include "runtime/faye.h"

#include "codecs/bayeux.h"
#include "runtime/base/arena.h"
#include "runtime/base/check.h"
#include "runtime/faye_subs.h"

#include <stdlib.h>
#include <string.h>

enum {
    FAYE_ARENA_BYTES = 1024,
    /* holds every copy made of a token, so that all are wiped */
    FAYE_SECRET_ARENA_BYTES = 16 * 1024,
    FAYE_CLIENT_ID_BYTES_MAX = 256,
    FAYE_UNAUTHORISED = 401,
    /* Gitter's advice; what holds until the server has given its own. */
    FAYE_TIMEOUT_MS = 120 * 1000,
    FAYE_INTERVAL_MS = 500,
    /* A server that promises more cannot be told from a dead one. */
    FAYE_TIMEOUT_MS_MAX = 600 * 1000,
    /* A longer pause between two connects would make the server forget the client, which it does
     * 1.6 times the timeout after the last one. */
    FAYE_INTERVAL_MS_MAX = 30 * 1000,
};

enum faye_state {
    FAYE_NEW,
    FAYE_SHAKING,
    FAYE_UP,
    FAYE_OVER,
};

struct faye {
    const struct faye_events *events;
    void *context;
    enum faye_state state;
    char *client_id;
    size_t client_id_len;
    int64_t id_last; /* of requests */
    int64_t timeout_ms;
    int64_t interval_ms;
    int64_t grace_ms;
    int64_t subscribe_ms;
    int64_t heard_ms;   /* when a message came last */
    int64_t connect_ms; /* when to send the next connect; INT64_MAX while one is outstanding */
    int64_t count;      /* the last ext.c; -1 before the first */
    struct faye_subs subs;
};

struct faye *faye_open(const struct faye_options *options)
{
    struct faye *faye = calloc(1, sizeof(*faye));
    CHECK(faye != NULL);
    faye->events = options->events;
    faye->context = options->context;
    faye->grace_ms = options->grace_ms;
    faye->subscribe_ms = options->subscribe_ms;
    faye->timeout_ms = FAYE_TIMEOUT_MS;
    faye->interval_ms = FAYE_INTERVAL_MS;
    faye->connect_ms = INT64_MAX;
    faye->count = -1;
    faye_subs_init(&faye->subs);
    return faye;
}

void faye_close(struct faye *faye)
{
    if (faye == NULL) {
        return;
    }
    faye_subs_clear(&faye->subs);
    free(faye->client_id);
    free(faye);
}

bool faye_is_up(const struct faye *faye)
{
    return faye->state == FAYE_UP;
}

static struct slice faye_client_id(const struct faye *faye)
{
    return slice_make(faye->client_id, faye->client_id_len);
}

static void faye_end(struct faye *faye, enum faye_end why, struct slice detail, int64_t retry_ms)
{
    if (faye->state != FAYE_OVER) {
        faye->state = FAYE_OVER;
        faye->events->on_end(faye->context, why, detail, retry_ms < 0 ? 0 : retry_ms);
    }
}

void faye_begin(struct faye *faye, struct slice token)
{
    CHECK(faye->state == FAYE_NEW);
    faye->state = FAYE_SHAKING;
    struct arena *arena = arena_open(FAYE_SECRET_ARENA_BYTES);
    const struct slice text = bayeux_handshake(arena, ++faye->id_last, token, SLICE("gitterd"));
    faye->events->send(faye->context, text, true);
    /* what the arena gives next from the same memory comes zeroed */
    const size_t used = arena_used_bytes(arena);
    arena_reset(arena);
    (void)arena_alloc(arena, used);
    arena_close(arena);
}

static void faye_send_connect(struct faye *faye)
{
    struct arena *arena = arena_open(FAYE_ARENA_BYTES);
    faye->connect_ms = INT64_MAX;
    faye->events->send(faye->context, bayeux_connect(arena, ++faye->id_last, faye_client_id(faye)),
                       false);
    arena_close(arena);
}

/* Sends waiting subscriptions as far as there may be more under way. */
static void faye_send_subscribes(struct faye *faye, int64_t now_ms)
{
    if (faye->state != FAYE_UP) {
        return;
    }
    struct arena *arena = arena_open(FAYE_ARENA_BYTES);
    const struct faye_sub *sub =
        faye_subs_send(&faye->subs, faye->id_last + 1, now_ms + faye->subscribe_ms);
    while (sub != NULL) {
        faye->id_last = sub->id;
        faye->events->send(
            faye->context,
            bayeux_subscribe(arena, sub->id, faye_client_id(faye), sub->channel, sub->snapshot),
            false);
        sub = faye_subs_send(&faye->subs, faye->id_last + 1, now_ms + faye->subscribe_ms);
    }
    arena_close(arena);
}

void faye_subscribe(struct faye *faye, struct slice channel, struct slice snapshot, int64_t now_ms)
{
    if (faye->state != FAYE_OVER) {
        faye_subs_add(&faye->subs, channel, snapshot);
        faye_send_subscribes(faye, now_ms);
    }
}

void faye_unsubscribe(struct faye *faye, struct slice channel)
{
    if (faye_subs_drop(&faye->subs, channel) || faye->state != FAYE_UP) {
        return;
    }
    struct arena *arena = arena_open(FAYE_ARENA_BYTES);
    faye->events->send(faye->context,
                       bayeux_unsubscribe(arena, ++faye->id_last, faye_client_id(faye), channel),
                       false);
    arena_close(arena);
}

void faye_stop(struct faye *faye)
{
    if (faye->state == FAYE_UP) {
        struct arena *arena = arena_open(FAYE_ARENA_BYTES);
        faye->events->send(faye->context,
                           bayeux_disconnect(arena, ++faye->id_last, faye_client_id(faye)), false);
        arena_close(arena);
    }
    faye->state = FAYE_OVER;
}

static int64_t clamp(int64_t value, int64_t max)
{
    return value < max ? value : max;
}

static void faye_take_advice(struct faye *faye, const struct bayeux_message *message)
{
    if (message->timeout_ms >= 0) {
        faye->timeout_ms = clamp(message->timeout_ms, FAYE_TIMEOUT_MS_MAX);
    }
    if (message->interval_ms >= 0) {
        faye->interval_ms = clamp(message->interval_ms, FAYE_INTERVAL_MS_MAX);
    }
}

static struct slice faye_error(struct arena *arena, const struct bayeux_message *message)
{
    if (message->error_code != 0) {
        return arena_printf(arena, "%lld %.*s", (long long)message->error_code,
                            SLICE_ARGS(message->error_text));
    }
    return message->error_text.len > 0 ? message->error_text : SLICE("refused without a reason");
}

/* The end, for a meta message that was refused. */
static void
faye_end_refused(struct faye *faye, struct arena *arena, const struct bayeux_message *message)
{
    const bool is_for_ever =
        message->reconnect == BAYEUX_RECONNECT_NONE ||
        (message->reconnect == BAYEUX_RECONNECT_ABSENT && faye->state == FAYE_SHAKING);
    faye_end(faye,
             message->error_code == FAYE_UNAUTHORISED && is_for_ever ? FAYE_END_REFUSED
                                                                     : FAYE_END_LOST,
             faye_error(arena, message), message->interval_ms);
}

static void faye_on_handshake(struct faye *faye,
                              struct arena *arena,
                              const struct bayeux_message *message,
                              int64_t now_ms)
{
    if (faye->state != FAYE_SHAKING) {
        return;
    }
    if (message->successful != BAYEUX_SUCCESS_YES) {
        faye_end_refused(faye, arena, message);
        return;
    }
    if (message->client_id.len == 0 || message->client_id.len > FAYE_CLIENT_ID_BYTES_MAX) {
        faye_end(faye, FAYE_END_PROTOCOL, SLICE("handshake without a client id"), 0);
        return;
    }
    faye->client_id = malloc(message->client_id.len);
    CHECK(faye->client_id != NULL);
    memcpy(faye->client_id, message->client_id.ptr, message->client_id.len);
    faye->client_id_len = message->client_id.len;
    faye->state = FAYE_UP;
    faye_send_connect(faye);
    faye->events->on_up(faye->context, message->user_id);
    faye_send_subscribes(faye, now_ms);
}

static void faye_on_connect(struct faye *faye,
                            struct arena *arena,
                            const struct bayeux_message *message,
                            int64_t now_ms)
{
    if (message->successful != BAYEUX_SUCCESS_YES) {
        faye_end_refused(faye, arena, message);
    } else if (faye->connect_ms == INT64_MAX) {
        faye->connect_ms = now_ms + faye->interval_ms;
    }
}

static void faye_on_subscribe(struct faye *faye,
                              struct arena *arena,
                              const struct bayeux_message *message,
                              int64_t now_ms)
{
    struct faye_sub *sub = faye_subs_take(&faye->subs, message->id, message->subscription);
    const bool is_ok = message->successful == BAYEUX_SUCCESS_YES;
    if (sub != NULL) {
        faye->events->on_subscribed(faye->context, sub->channel,
                                    is_ok ? message->snapshot : SLICE_EMPTY,
                                    is_ok ? SLICE_EMPTY : faye_error(arena, message));
        faye_sub_free(sub);
    }
    faye_send_subscribes(faye, now_ms);
    /* "401 Client ... not authenticated" comes with the advice to shake hands anew; other refusals
     * concern the channel alone */
    if (!is_ok && (message->reconnect == BAYEUX_RECONNECT_HANDSHAKE ||
                   (message->reconnect == BAYEUX_RECONNECT_NONE &&
                    message->error_code == FAYE_UNAUTHORISED))) {
        faye_end_refused(faye, arena, message);
    }
}

static void faye_on_delivery(struct faye *faye, const struct bayeux_message *message)
{
    if (faye->state != FAYE_UP) {
        return;
    }
    if (message->has_count) {
        const bool is_hole = faye->count >= 0 && message->count > faye->count + 1;
        if (message->count > faye->count) {
            faye->count = message->count;
        }
        if (is_hole) {
            faye->events->on_gap(faye->context);
        }
    }
    if (message->data.len > 0 && faye->state == FAYE_UP) {
        faye->events->on_record(faye->context, message->channel, message->data);
    }
}

static void faye_take(struct faye *faye,
                      struct arena *arena,
                      const struct bayeux_message *message,
                      int64_t now_ms)
{
    const struct slice channel = message->channel;
    const bool is_meta = slice_starts_with(channel, SLICE("/meta/"));
    if (is_meta && message->successful == BAYEUX_SUCCESS_YES) {
        faye_take_advice(faye, message);
    }
    if (slice_equal(channel, SLICE(BAYEUX_HANDSHAKE))) {
        faye_on_handshake(faye, arena, message, now_ms);
    } else if (slice_equal(channel, SLICE(BAYEUX_CONNECT))) {
        faye_on_connect(faye, arena, message, now_ms);
    } else if (slice_equal(channel, SLICE(BAYEUX_SUBSCRIBE))) {
        faye_on_subscribe(faye, arena, message, now_ms);
    } else if (!is_meta && channel.len > 0) {
        faye_on_delivery(faye, message);
    }
}

void faye_feed(struct faye *faye, struct slice text, int64_t now_ms)
{
    struct bayeux_message *messages = NULL;
    size_t count = 0;
    if (faye->state == FAYE_OVER) {
        return;
    }
    struct arena *arena = arena_open(FAYE_ARENA_BYTES);
    faye->heard_ms = now_ms;
    const enum rc rc = bayeux_parse(arena, text, &messages, &count);
    if (rc != RC_OK) {
        faye_end(faye, FAYE_END_PROTOCOL, slice_from_cstr(rc_text(rc)), 0);
    }
    for (size_t i = 0; i < count && faye->state != FAYE_OVER; i++) {
        faye_take(faye, arena, &messages[i], now_ms);
    }
    arena_close(arena);
}

static void faye_expire_subscribes(struct faye *faye, int64_t now_ms)
{
    struct faye_sub *sub = faye_subs_take_late(&faye->subs, now_ms);
    while (sub != NULL) {
        faye->events->on_subscribed(faye->context, sub->channel, SLICE_EMPTY, SLICE("no answer"));
        faye_sub_free(sub);
        sub = faye->state == FAYE_UP ? faye_subs_take_late(&faye->subs, now_ms) : NULL;
    }
    faye_send_subscribes(faye, now_ms);
}

static int64_t faye_silent_ms(const struct faye *faye)
{
    return faye->heard_ms + faye->timeout_ms + faye->grace_ms;
}

void faye_tick(struct faye *faye, int64_t now_ms)
{
    if (faye->state == FAYE_UP && faye_silent_ms(faye) <= now_ms) {
        faye_end(faye, FAYE_END_SILENT, SLICE("no answer to /meta/connect"), 0);
    }
    if (faye->state == FAYE_UP && faye->connect_ms <= now_ms) {
        faye_send_connect(faye);
    }
    if (faye->state == FAYE_UP) {
        faye_expire_subscribes(faye, now_ms);
    }
}

int64_t faye_deadline(const struct faye *faye)
{
    if (faye->state != FAYE_UP) {
        return INT64_MAX;
    }
    const int64_t silent_ms = faye_silent_ms(faye);
    const int64_t subscribe_ms = faye_subs_deadline(&faye->subs);
    const int64_t first_ms = silent_ms < subscribe_ms ? silent_ms : subscribe_ms;
    return faye->connect_ms < first_ms ? faye->connect_ms : first_ms;
}
