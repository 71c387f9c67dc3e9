/* runtime/daemon/web.h: the port for people's browsers.
 *
 * Requests to login links and to the address that Gitter sends browsers back to become inputs, and
 * their answers come from the actors. What needs no actor is answered here: the first page, what is
 * not there, methods that are not taken, forms sent from other sites, clients that ask too
 * much, and what the listener itself refuses.
 *
 * Thread: loop thread only.
 */
#ifndef GITTERD_DAEMON_WEB_H
#define GITTERD_DAEMON_WEB_H

#include "codecs/page.h"
#include "runtime/engine.h"
#include "runtime/http.h"

struct log;
struct web;

struct web_options {
    struct engine *engine;
    struct log *log; /* NULL: silent */
    /* Added to the listener's request ids, so that an id an actor has kept over a restart is nobody
     * else's: larger than all ids of earlier processes. */
    int64_t first_request;
    struct page_site site; /* borrowed for as long as the web is open */
    /* Requests a minute from one client, and at once; 0: no limit. */
    int64_t rate;
    /* Addresses whose X-Forwarded-For is believed, borrowed likewise; none: this machine's own. */
    const struct slice *proxies;
    size_t proxies_count;
    int64_t (*now_ms)(void *context);
};

struct web *web_open(const struct web_options *options);
void web_close(struct web *web);
struct http_handler web_handler(struct web *web);
void web_serve(struct web *web, struct http_server *server);

/* An actor's answer; a request that is gone, or another process's, is ignored. */
void web_answer(struct web *web, int64_t request, const struct answer *answer);

#endif
