/* runtime/daemon/web.h: the login pages: requests become inputs, answers come from the actors.
 *
 * Thread: loop thread only.
 */
#ifndef GITTERD_DAEMON_WEB_H
#define GITTERD_DAEMON_WEB_H

#include "runtime/engine.h"
#include "runtime/http.h"

struct web;

struct web_options {
    struct engine *engine;
    /* Added to the listener's request ids, so that an id an actor has kept over a restart is nobody
     * else's: larger than all ids of earlier processes. */
    int64_t first_request;
};

struct web *web_open(const struct web_options *options);
void web_close(struct web *web);
struct http_handler web_handler(struct web *web);
void web_serve(struct web *web, struct http_server *server);

/* An actor's answer; a request that is gone, or another process's, is ignored. */
void web_answer(struct web *web, int64_t request, const struct answer *answer);

#endif
