/* runtime/links_link.h: one link: a connection, a WebSocket on it, a Bayeux client on that.
 *
 * Inner part of runtime/links.h, which says what a link means to its owner. Events go straight to
 * the link_events of the settings, except the end, which is told to on_ended at once and from
 * anywhere; whoever is told frees the link later, from the loop.
 *
 * Memory: settings are borrowed for the life of the link; link_open gives, link_close frees.
 * Units:  ms.
 */
#ifndef GITTERD_RUNTIME_LINKS_LINK_H
#define GITTERD_RUNTIME_LINKS_LINK_H

#include "runtime/links.h"
#include "runtime/links_dial.h"
#include "runtime/links_url.h"

#include <ev.h>
#include <sys/queue.h>

struct faye;
struct link;
struct websocket;

/* What all links of a process share; no field is 0. */
struct link_settings {
    struct ev_loop *loop;
    struct dialer *dialer;
    struct links_url url;
    int64_t handshake_ms;
    int64_t subscribe_ms;
    int64_t ping_ms;
    int64_t pong_ms;
    int64_t grace_ms;
    size_t message_bytes_max;
    struct link_events events;
    /* The link is over: no event comes any more, but link_close must wait. */
    void (*on_ended)(void *context, struct link *link);
    void *context;
};

struct link {
    TAILQ_ENTRY(link) entry; /* for whoever was told of the end */
    const struct link_settings *settings;
    struct link_id id;
    bool is_up;
    bool is_ended;
    enum link_end end;
    char *detail; /* printable ASCII; NULL before the end */
    int64_t retry_ms;

    char *token; /* until the handshake is sent */
    size_t token_len;
    struct dial *dial;
    struct websocket *socket; /* once connected */
    struct faye *faye;
    bool is_open;            /* the WebSocket is */
    int64_t handshake_at_ms; /* when the handshake must be done; INT64_MAX before and after */
    ev_timer timer;          /* at the earliest of all deadlines, or before it */
    int64_t timer_ms;        /* when that is; INT64_MAX if it is not armed */
    char owner[];            /* what id.owner points to */
};

struct link *link_open(const struct link_settings *settings,
                       struct slice owner,
                       int64_t session,
                       struct slice token);
/* Begins to connect. Apart from link_open, since even this may end the link at once. */
void link_dial(struct link *link);
/* What the dialer of the settings tells, with the link as context. */
void link_on_dialled(void *context, CURL *curl, struct slice detail);
/* Writes what good-byes there are as far as that goes without waiting, and frees the link. Not
 * from within one of its events or calls. */
void link_close(struct link *link);

/* Ends it with LINK_END_STOPPED unless it has ended. */
void link_stop(struct link *link);
void link_subscribe(struct link *link, struct slice channel, struct slice snapshot);
void link_unsubscribe(struct link *link, struct slice channel);

#endif
