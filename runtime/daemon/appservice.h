/* runtime/daemon/appservice.h: the homeserver's side of us, the application service API.
 *
 * Transactions become inputs of the engine, one for each event, and are answered 200 {} when all of
 * them are durable. A bad event is counted and passed over, since the homeserver would repeat the
 * transaction for ever. 503 is only for trouble of our own store.
 *
 * Thread: loop thread only.
 */
#ifndef GITTERD_DAEMON_APPSERVICE_H
#define GITTERD_DAEMON_APPSERVICE_H

#include "runtime/engine.h"
#include "runtime/http.h"

struct appservice;
struct log;

struct appservice_options {
    struct engine *engine;
    struct log *log;
    struct slice hs_token;
    struct slice domain;
    struct slice bot;
    bool is_legacy; /* takes paths without prefix, and the token in the query alone */
};

struct appservice *appservice_open(const struct appservice_options *options);
void appservice_close(struct appservice *appservice);
/* What the listener is opened with; then the server itself. */
struct http_handler appservice_handler(struct appservice *appservice);
void appservice_serve(struct appservice *appservice, struct http_server *server);

struct appservice_counts {
    int64_t transactions;
    int64_t events;
    int64_t bad_events;
};
struct appservice_counts appservice_counts(const struct appservice *appservice);

#endif
