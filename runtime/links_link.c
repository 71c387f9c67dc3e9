#include "runtime/links_link.h"

#include "runtime/base/check.h"
#include "runtime/faye.h"
#include "runtime/websocket.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINK_DETAIL_BYTES_MAX = 200,
    MS_PER_S = 1000,
    ASCII_PRINTABLE_FIRST = 0x20,
    ASCII_PRINTABLE_LAST = 0x7e,
};

/* The peer's words in a log line: short, and nothing but printable ASCII. */
static void link_set_detail(struct link *link, struct slice text)
{
    const struct slice part = slice_first(text, LINK_DETAIL_BYTES_MAX);
    link->detail = calloc(1, part.len + 1);
    CHECK(link->detail != NULL);
    for (size_t i = 0; i < part.len; i++) {
        const bool is_plain =
            part.ptr[i] >= ASCII_PRINTABLE_FIRST && part.ptr[i] <= ASCII_PRINTABLE_LAST;
        link->detail[i] = is_plain ? part.ptr[i] : (char)'?';
    }
}

static void link_set_token(struct link *link, struct slice token)
{
    link->token = malloc(token.len + 1);
    CHECK(link->token != NULL);
    memcpy(link->token, token.len == 0 ? "" : token.ptr, token.len);
    link->token_len = token.len;
}

static void link_forget_token(struct link *link)
{
    if (link->token != NULL) {
        explicit_bzero(link->token, link->token_len);
        free(link->token);
        link->token = NULL;
    }
}

static void link_end(struct link *link, enum link_end why, struct slice detail, int64_t retry_ms)
{
    if (link->is_ended) {
        return;
    }
    link->is_ended = true;
    link->end = why;
    link_set_detail(link, detail);
    link->retry_ms = retry_ms;
    link_forget_token(link);
    ev_timer_stop(link->settings->loop, &link->timer);
    link->settings->on_ended(link->settings->context, link);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t link_deadline(const struct link *link)
{
    const int64_t socket_ms = link->socket == NULL ? INT64_MAX : websocket_deadline(link->socket);
    return earlier(earlier(socket_ms, faye_deadline(link->faye)), link->handshake_at_ms);
}

/* Deadlines mostly move away; the timer then stays and finds nothing to do when it fires. */
static void link_arm(struct link *link)
{
    const int64_t deadline_ms = link_deadline(link);
    if (link->is_ended || deadline_ms >= link->timer_ms) {
        return;
    }
    const int64_t wait_ms = deadline_ms - websocket_now_ms();
    link->timer_ms = deadline_ms;
    ev_timer_stop(link->settings->loop, &link->timer);
    ev_timer_set(&link->timer, wait_ms <= 0 ? 0. : (double)wait_ms / MS_PER_S, 0.);
    ev_timer_start(link->settings->loop, &link->timer);
}

static void link_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct link *link = timer->data;
    (void)loop;
    (void)events;
    link->timer_ms = INT64_MAX;
    if (link->socket != NULL) {
        websocket_tick(link->socket);
    }
    if (!link->is_ended) {
        faye_tick(link->faye, websocket_now_ms());
    }
    if (link->handshake_at_ms <= websocket_now_ms()) {
        link_end(link, link->is_open ? LINK_END_SILENT : LINK_END_UNREACHABLE,
                 link->is_open ? SLICE("no answer to the handshake")
                               : SLICE("no answer to the upgrade"),
                 0);
    }
    link_arm(link);
}

static void link_on_faye_send(void *context, struct slice text, bool is_secret)
{
    struct link *link = context;
    if (is_secret) {
        websocket_send_secret(link->socket, text);
    } else {
        websocket_send(link->socket, text);
    }
}

static void link_on_faye_up(void *context, struct slice user_id)
{
    struct link *link = context;
    const struct link_events *events = &link->settings->events;
    link->is_up = true;
    link->handshake_at_ms = INT64_MAX;
    events->on_up(events->context, link->id, user_id);
}

static void link_on_faye_subscribed(void *context,
                                    struct slice channel,
                                    struct slice snapshot,
                                    struct slice error)
{
    const struct link *link = context;
    const struct link_events *events = &link->settings->events;
    events->on_subscribed(events->context, link->id, channel, snapshot, error);
}

static void link_on_faye_record(void *context, struct slice channel, struct slice data)
{
    const struct link *link = context;
    const struct link_events *events = &link->settings->events;
    events->on_record(events->context, link->id, channel, data);
}

static void link_on_faye_gap(void *context)
{
    const struct link *link = context;
    const struct link_events *events = &link->settings->events;
    events->on_gap(events->context, link->id);
}

static void
link_on_faye_end(void *context, enum faye_end why, struct slice detail, int64_t retry_ms)
{
    static const enum link_end ends[] = {
        [FAYE_END_LOST] = LINK_END_CLOSED,
        [FAYE_END_REFUSED] = LINK_END_REFUSED,
        [FAYE_END_SILENT] = LINK_END_SILENT,
        [FAYE_END_PROTOCOL] = LINK_END_PROTOCOL,
    };
    link_end(context, ends[why], detail, retry_ms);
}

static void link_on_socket_open(void *context)
{
    struct link *link = context;
    link->is_open = true;
    if (!link->is_ended) {
        faye_begin(link->faye, slice_make(link->token, link->token_len));
        link_forget_token(link);
    }
}

static void link_on_socket_text(void *context, struct slice text)
{
    struct link *link = context;
    if (!link->is_ended) {
        faye_feed(link->faye, text, websocket_now_ms());
        link_arm(link);
    }
}

static void link_on_socket_end(void *context, enum websocket_end why, struct slice detail)
{
    static const enum link_end ends[] = {
        [WEBSOCKET_END_CLOSED] = LINK_END_CLOSED,
        [WEBSOCKET_END_REFUSED] = LINK_END_UNREACHABLE,
        [WEBSOCKET_END_PROTOCOL] = LINK_END_PROTOCOL,
        [WEBSOCKET_END_SILENT] = LINK_END_SILENT,
    };
    link_end(context, ends[why], detail, 0);
}

void link_on_dialled(void *context, CURL *curl, struct slice detail)
{
    static const struct websocket_events events = {
        .on_open = link_on_socket_open,
        .on_text = link_on_socket_text,
        .on_end = link_on_socket_end,
    };
    struct link *link = context;
    const struct link_settings *settings = link->settings;
    if (link->is_ended) {
        return;
    }
    if (curl == NULL) {
        link_end(link, LINK_END_UNREACHABLE, detail, 0);
        return;
    }
    const struct websocket_options options = {
        .loop = settings->loop,
        .curl = curl,
        .target = slice_from_cstr(settings->url.target),
        .host = slice_from_cstr(settings->url.host),
        .message_bytes_max = settings->message_bytes_max,
        .ping_ms = settings->ping_ms,
        .pong_ms = settings->pong_ms,
        .events = &events,
        .context = link,
    };
    link->socket = websocket_open(&options);
    link->handshake_at_ms = websocket_now_ms() + settings->handshake_ms;
    link_arm(link);
}

struct link *link_open(const struct link_settings *settings,
                       struct slice owner,
                       int64_t session,
                       struct slice token)
{
    static const struct faye_events events = {
        .send = link_on_faye_send,
        .on_up = link_on_faye_up,
        .on_subscribed = link_on_faye_subscribed,
        .on_record = link_on_faye_record,
        .on_gap = link_on_faye_gap,
        .on_end = link_on_faye_end,
    };
    struct link *link = calloc(1, sizeof(*link) + owner.len);
    CHECK(link != NULL);
    memcpy(link->owner, owner.len == 0 ? "" : owner.ptr, owner.len);
    link->settings = settings;
    link->id.owner = slice_make(link->owner, owner.len);
    link->id.session = session;
    link_set_token(link, token);
    link->handshake_at_ms = INT64_MAX;
    link->timer_ms = INT64_MAX;
    ev_timer_init(&link->timer, link_on_timer, 0., 0.);
    link->timer.data = link;
    const struct faye_options options = {
        .subscribe_ms = settings->subscribe_ms,
        .grace_ms = settings->grace_ms,
        .events = &events,
        .context = link,
    };
    link->faye = faye_open(&options);
    return link;
}

void link_dial(struct link *link)
{
    link->dial = dial_open(link->settings->dialer, link);
}

void link_close(struct link *link)
{
    if (link->socket != NULL) {
        websocket_end_quietly(link->socket, true);
    }
    websocket_close(link->socket);
    dial_close(link->dial);
    faye_close(link->faye);
    link_forget_token(link);
    ev_timer_stop(link->settings->loop, &link->timer);
    free(link->detail);
    free(link);
}

void link_stop(struct link *link)
{
    if (!link->is_ended) {
        faye_stop(link->faye);
        link_end(link, LINK_END_STOPPED, SLICE("stopped"), 0);
    }
}

void link_subscribe(struct link *link, struct slice channel, struct slice snapshot)
{
    faye_subscribe(link->faye, channel, snapshot, websocket_now_ms());
    link_arm(link);
}

void link_unsubscribe(struct link *link, struct slice channel)
{
    faye_unsubscribe(link->faye, channel);
}
