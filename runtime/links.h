/* runtime/links.h: the connections to Gitter's Faye server, one WebSocket for each owner.
 *
 * A link is started with its owner's token, shakes hands, keeps a /meta/connect outstanding,
 * carries any number of subscriptions and reports what arrives. It never reconnects: a link that
 * ends is gone, reported once by on_down, and whoever wants another starts one. That is also what
 * happens when the server has forgotten the client ("401:C:Unknown client"): on_down with
 * LINK_END_CLOSED and the server's wish for a delay, since everything must be subscribed again
 * and read up to date anyway.
 *
 * Events come from the loop alone, never from inside a call of this interface, so a caller may
 * call anything but links_close from within one. Each carries the session number of its link:
 * numbers only grow, so an event whose session is not the latest that links_start gave for the
 * owner is late and can be dropped.
 *
 * Thread: loop thread only; nothing blocks.
 * Memory: arguments are borrowed until return; slices in events until the event returns. The
 *         token is copied, and wiped when the handshake has been sent or the link ends.
 * Errors: whatever goes wrong with a link is its on_down; only links_open can fail.
 * Units:  times in ms, sizes in bytes.
 */
#ifndef GITTERD_RUNTIME_LINKS_H
#define GITTERD_RUNTIME_LINKS_H

#include "runtime/base/rc.h"
#include "runtime/base/slice.h"

#include <stddef.h>
#include <stdint.h>

struct ev_loop;
struct links;

/* X(name, what it means to whoever reads a log line) */
#define LINK_END_LIST(X)                                                                           \
    X(CLOSED, "closed by the peer or the network, or the server forgot the client")                \
    X(REFUSED, "token refused: 401 with the advice not to come back")                              \
    X(SILENT, "no sign of life within the time the server promised")                               \
    X(UNREACHABLE, "could not connect or upgrade to WebSocket")                                    \
    X(PROTOCOL, "the peer broke the rules of WebSocket or Bayeux, or a limit")                     \
    X(STOPPED, "stopped by links_stop")

enum link_end {
#define LINK_END_ENUM(name, text) LINK_END_##name,
    LINK_END_LIST(LINK_END_ENUM)
#undef LINK_END_ENUM
};

/* The name ("CLOSED") of an end; static text, never NULL. */
const char *link_end_name(enum link_end end);

/* Whose link an event is about, and which one of them. */
struct link_id {
    struct slice owner;
    int64_t session;
};

struct link_events {
    void *context;
    /* The handshake is done; subscriptions made so far are sent now. gitter_user_id is ext.userId
     * of the answer, empty if the server did not give it. */
    void (*on_up)(void *context, struct link_id id, struct slice gitter_user_id);
    /* The link is gone, the last event of its session. detail is for logs (an error text of the
     * server, a status, a libcurl message; no token). retry_ms is the server's advice.interval,
     * or 0 if it gave none. */
    void (*on_down)(
        void *context, struct link_id id, enum link_end why, struct slice detail, int64_t retry_ms);
    /* The server's answer to one links_subscribe. snapshot is raw JSON or empty; error is empty
     * if accepted, else like "403 Authorisation denied." or "no answer". */
    void (*on_subscribed)(void *context,
                          struct link_id id,
                          struct slice channel,
                          struct slice snapshot,
                          struct slice error);
    /* One delivery; data is the raw JSON of its `data`. */
    void (*on_record)(void *context, struct link_id id, struct slice channel, struct slice data);
    /* Gitter counts the deliveries to a client in ext.c; a number was left out, so something was
     * lost on this link, on any of its channels. Comes before the on_record that showed it. */
    void (*on_gap)(void *context, struct link_id id);
};

/* Times and sizes of 0 mean the default in brackets. */
struct links_options {
    struct ev_loop *loop;
    /* ws, wss, http or https; the path as it is, e.g. wss://ws.gitter.im/bayeux */
    struct slice faye_url;
    /* The first session number (1). */
    int64_t session_first;
    /* From leaving the start queue to a connected socket, TLS included (15,000). */
    int64_t connect_ms;
    /* From the connected socket to the answered Bayeux handshake (30,000). */
    int64_t handshake_ms;
    /* For the answer to a subscription (60,000): it may carry a snapshot made from a database. */
    int64_t subscribe_ms;
    /* Between our WebSocket pings (30,000), and how long nothing may come after one (20,000). */
    int64_t ping_ms;
    int64_t pong_ms;
    /* How much longer than advice.timeout the answer to a /meta/connect may take (30,000). */
    int64_t grace_ms;
    /* Largest message we read (LINK_MESSAGE_BYTES_MAX). */
    size_t message_bytes_max;
    /* A PEM file of the authorities that may vouch for the server; empty = the system's. The
     * server's certificate is always verified. */
    struct slice ca_file;
    struct link_events events;
};

/* RC_BAD_INPUT: not a URL of these schemes. RC_IO: libcurl did not start. Gives *out to the
 * caller. SIGPIPE must be ignored by the process. */
NODISCARD enum rc links_open(const struct links_options *options, struct links **out);
/* Ends all links without an event and frees everything; NULL is fine. */
void links_close(struct links *links);

/* Starts the owner's link and returns its session number. If the owner has a link that has not
 * ended, that one stays as it is and its number is returned. At most LINK_STARTS_MAX links
 * connect at a time, the others wait in order. */
int64_t links_start(struct links *links, struct slice owner, struct slice token);
/* Says good-bye to the server as far as that goes at once and ends the owner's link; on_down with
 * LINK_END_STOPPED follows. Nothing happens if there is none. */
void links_stop(struct links *links, struct slice owner);

/* Asks for a channel, now or as soon as the link is up; every call is one request and gets one
 * on_subscribed unless the link ends first. snapshot is the raw JSON of ext.snapshot; empty means
 * false: none wanted. Asking again for a subscribed channel is sent again: after being removed
 * from a room and joining again the old subscription is dead. Nothing happens without a link. */
void links_subscribe(struct links *links,
                     struct slice owner,
                     struct slice channel,
                     struct slice snapshot);
/* Takes back what has not been sent, or tells the server. Records under way still arrive. */
void links_unsubscribe(struct links *links, struct slice owner, struct slice channel);

/* Links that have not ended, and those of them that are up. */
size_t links_count(const struct links *links);
size_t links_count_up(const struct links *links);

/* Links of either kind, Faye or the HTTP streams of runtime/streams.h, to whoever need not know
 * which. Each function is what the one named like it says above, with the context first; `close`
 * frees what the context points to. */
struct transport {
    void *context;
    int64_t (*start)(void *context, struct slice owner, struct slice token);
    void (*stop)(void *context, struct slice owner);
    void (*subscribe)(void *context,
                      struct slice owner,
                      struct slice channel,
                      struct slice snapshot);
    void (*unsubscribe)(void *context, struct slice owner, struct slice channel);
    size_t (*count)(const void *context);
    void (*close)(void *context);
};

struct transport links_transport(struct links *links);

#endif
