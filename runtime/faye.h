/* runtime/faye.h: one client of a Bayeux server as Gitter runs it (gitter-faye), without any I/O.
 *
 * Texts come in by faye_feed and go out by `send`, time comes as an argument; what it means is
 * told by events. The client shakes hands, keeps a /meta/connect outstanding by the server's
 * advice, sends at most LINK_SUBSCRIBES_MAX subscriptions at a time, and watches for holes in
 * ext.c. A client that the server has forgotten is at its end, as is one refused or silent.
 *
 * Thread: any, one at a time. Events come from within faye_feed and faye_tick only; any function
 *         but faye_close may be called from one. `send` also comes from within other calls.
 * Memory: options, texts: borrowed until return. Slices in events: until the event returns.
 * Errors: the end is told once, by on_end; after it, or after faye_stop, nothing comes.
 * Units:  ms of any one clock that runs forward.
 */
#ifndef GITTERD_RUNTIME_FAYE_H
#define GITTERD_RUNTIME_FAYE_H

#include "runtime/base/slice.h"

struct faye;

enum faye_end {
    FAYE_END_LOST,     /* the server forgot the client or refused it for the time being */
    FAYE_END_REFUSED,  /* 401 with the advice not to come back, or with none, to the token */
    FAYE_END_SILENT,   /* nothing came for longer than the server promised */
    FAYE_END_PROTOCOL, /* what came was no Bayeux */
};

struct faye_events {
    /* A text to send; of a secret one no copy may stay behind. */
    void (*send)(void *context, struct slice text, bool is_secret);
    void (*on_up)(void *context, struct slice user_id);
    void (*on_subscribed)(void *context,
                          struct slice channel,
                          struct slice snapshot,
                          struct slice error);
    void (*on_record)(void *context, struct slice channel, struct slice data);
    void (*on_gap)(void *context);
    void (*on_end)(void *context, enum faye_end why, struct slice detail, int64_t retry_ms);
};

struct faye_options {
    int64_t subscribe_ms;
    int64_t grace_ms;
    const struct faye_events *events; /* static */
    void *context;
};

/* Gives the client to the caller; it says nothing before faye_begin. */
struct faye *faye_open(const struct faye_options *options);
/* NULL is fine. */
void faye_close(struct faye *faye);

/* Sends the handshake. Its own deadline is the caller's affair. */
void faye_begin(struct faye *faye, struct slice token);
/* Says good-bye if there is something to leave; no event follows. */
void faye_stop(struct faye *faye);

/* One text message of the server: an array of Bayeux messages, handled in order. */
void faye_feed(struct faye *faye, struct slice text, int64_t now_ms);
/* Does what is due. */
void faye_tick(struct faye *faye, int64_t now_ms);
/* When faye_tick is due next; INT64_MAX before the client is up and after its end. */
int64_t faye_deadline(const struct faye *faye);

bool faye_is_up(const struct faye *faye);

/* See links_subscribe and links_unsubscribe. */
void faye_subscribe(struct faye *faye, struct slice channel, struct slice snapshot, int64_t now_ms);
void faye_unsubscribe(struct faye *faye, struct slice channel);

#endif
