/* runtime/daemon/bridge_parts.h: the parts of the running daemon, shared by bridge.c (running),
 * bridge_open.c (opening in the order of need, closing), bridge_ports.c (listening) and
 * bridge_wires.c (what goes from one part to another).
 *
 * Thread: loop thread only.
 */
#ifndef GITTERD_DAEMON_BRIDGE_PARTS_H
#define GITTERD_DAEMON_BRIDGE_PARTS_H

#include "actors/machine.h"
#include "runtime/courier.h"
#include "runtime/daemon/config.h"
#include "runtime/daemon/journal_veil.h"
#include "runtime/daemon/web.h"
#include "runtime/engine.h"
#include "runtime/http.h"
#include "runtime/links.h"

#include <ev.h>

struct appservice;
struct control;
struct hello;
struct log;
struct metrics;
struct receipts;
struct secrets;

struct bridge {
    const struct config *config;
    bool takes_new_key;
    struct arena *arena; /* lives as long as the bridge */
    struct log *log;
    struct ev_loop *loop;
    struct secrets *secrets;
    struct store *store;
    struct settings settings;
    struct journal_veil veil;
    struct application application;
    struct engine *engine;
    struct courier *courier;
    struct transport transport; /* Faye or streams; all NULL when there is neither */
    struct appservice *appservice;
    struct web *web;
    struct hello *hello;
    struct receipts *receipts;
    struct http_server *appservice_server;
    struct http_server *web_server;
    struct metrics *metrics; /* NULL with metrics_server: nobody watches */
    struct http_server *metrics_server;
    struct control *control; /* NULL: the socket could not be made */
    ev_prepare prepare;
    ev_idle idle;       /* active while there is work, so that the loop does not sleep on it */
    ev_timer timer;     /* for the engine's next deadline */
    ev_async committed; /* sent from the thread of the commits */
    ev_timer drain;
    ev_signal terminate;
    ev_signal interrupt;
    int64_t drain_until_ms;
    int64_t started_ms;
};

/* Opens and starts all parts; what cannot be is said on standard error. Close in any case. */
NODISCARD enum rc bridge_open(struct bridge *bridge);
void bridge_close(struct bridge *bridge);
NODISCARD enum rc bridge_open_ports(struct bridge *bridge);
/* Says on standard error what went wrong, unless it is RC_OK; gives the rc. */
NODISCARD enum rc bridge_tell(enum rc rc, const char *what, struct slice detail);

/* The clock of the process (runtime/base/clock.h), ms since the epoch; takes no context. */
int64_t bridge_now_ms(void *context);
/* From now on it is not behind what the store last heard of it. */
NODISCARD enum rc bridge_begin_clock(const struct bridge *bridge);
/* Random bytes; the context is the bridge. */
void bridge_random(void *context, void *out, size_t len);
/* An input for the router. */
void bridge_post(struct bridge *bridge, int kind, const void *body);

/* From the engine to the other parts, from the courier and the links to the engine. */
struct engine_effects bridge_effects(struct bridge *bridge);
struct link_events bridge_link_events(struct bridge *bridge);
void bridge_wire_courier(struct bridge *bridge, struct courier_options *options);

#endif
