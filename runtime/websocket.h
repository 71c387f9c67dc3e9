/* runtime/websocket.h: the client side of one WebSocket (RFC 6455) on a connected libcurl handle.
 *
 * libcurl 7.88 as Debian 12 builds it has no WebSocket, so the upgrade is written and read here
 * over curl_easy_send and curl_easy_recv, and wslay does the frames: pings are answered, fragments
 * put together, text checked for UTF-8, close frames answered. Binary messages are passed over.
 *
 * Our own pings find a dead peer: websocket_tick sends them when due and ends the socket if
 * nothing at all came within pong_ms after one.
 *
 * Thread: loop thread only. Events come from the loop only, from websocket_tick too;
 *         websocket_close must not be called from within one.
 * Memory: options are borrowed until return, except curl, which must outlive the socket. Texts in
 *         events are borrowed until the event returns.
 * Errors: each socket reports its end once, by on_end; nothing comes after it.
 * Units:  ms of websocket_now_ms, bytes.
 */
#ifndef GITTERD_RUNTIME_WEBSOCKET_H
#define GITTERD_RUNTIME_WEBSOCKET_H

#include "runtime/base/slice.h"

#include <curl/curl.h>
#include <ev.h>

struct websocket;

enum websocket_end {
    WEBSOCKET_END_CLOSED,   /* the peer closed, or the network broke */
    WEBSOCKET_END_REFUSED,  /* the upgrade was not accepted */
    WEBSOCKET_END_PROTOCOL, /* RFC 6455 or a limit of ours was broken */
    WEBSOCKET_END_SILENT,   /* no answer to a ping */
};

struct websocket_events {
    void (*on_open)(void *context);
    void (*on_text)(void *context, struct slice text);
    void (*on_end)(void *context, enum websocket_end why, struct slice detail);
};

struct websocket_options {
    struct ev_loop *loop;
    CURL *curl;          /* connected */
    struct slice target; /* path and query, beginning with '/' */
    struct slice host;   /* of the Host header: with the port unless it is the scheme's own */
    size_t message_bytes_max;
    int64_t ping_ms;
    int64_t pong_ms;
    const struct websocket_events *events; /* static */
    void *context;
};

/* A clock that only runs forward; its zero is arbitrary. */
int64_t websocket_now_ms(void);

/* Sends the upgrade; on_open follows, or on_end. Gives the socket to the caller. */
struct websocket *websocket_open(const struct websocket_options *options);
/* Frees it without a word to the peer; curl is not touched. NULL is fine. */
void websocket_close(struct websocket *socket);

/* Queues a text message; it leaves from the loop. After the end nothing happens. */
void websocket_send(struct websocket *socket, struct slice text);
/* The same for a text of at most 65,535 bytes of which no copy stays behind once it was written.
 * Only as the first text. */
void websocket_send_secret(struct websocket *socket, struct slice text);
/* No events any more. With a good-bye, what is queued and a close frame are written as far as that
 * goes without waiting. Not from within an event of this socket. */
void websocket_end_quietly(struct websocket *socket, bool with_goodbye);

/* Reads what is there and does what is due; call it when websocket_deadline has passed. */
void websocket_tick(struct websocket *socket);
/* INT64_MAX if there is none. */
int64_t websocket_deadline(const struct websocket *socket);

#endif
