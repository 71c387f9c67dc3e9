/* runtime/links_dial.h: makes the TCP and TLS connections of links, with libcurl.
 *
 * Each connection is an easy handle with CURLOPT_CONNECT_ONLY on a multi of the links' own: with
 * links among the courier's handles its caps on connections for a host would starve REST. A multi
 * holds some hundreds of them, since what it does for one takes longer the more there are. At most
 * LINK_STARTS_MAX are made at a time, since each may hold a resolver thread; the others wait in the
 * order they came. Connections are HTTP/1.1 in ALPN, verified against the given or the system's
 * authorities, without a proxy.
 *
 * Thread: loop thread only.
 * Memory: options are borrowed until return; the handle given by on_done stays the dial's.
 * Units:  ms.
 */
#ifndef GITTERD_RUNTIME_LINKS_DIAL_H
#define GITTERD_RUNTIME_LINKS_DIAL_H

#include "runtime/base/rc.h"
#include "runtime/base/slice.h"

#include <curl/curl.h>
#include <ev.h>

struct dialer;
struct dial;

struct dialer_options {
    struct ev_loop *loop;
    struct slice url; /* http or https */
    struct slice ca_file;
    int64_t connect_ms;
    /* A dial came to its end: curl is connected, or NULL and detail says why. Comes once, not
     * after dial_close; only in the rare case that libcurl refuses to begin from within a call of
     * this interface. dial_close must not be called from within. */
    void (*on_done)(void *context, CURL *curl, struct slice detail);
};

NODISCARD enum rc dialer_open(const struct dialer_options *options, struct dialer **out);
/* After all its dials have been closed. NULL is fine. */
void dialer_close(struct dialer *dialer);

/* Starts or queues one connection; context goes to on_done. */
struct dial *dial_open(struct dialer *dialer, void *context);
/* Gives up, or closes the connection. NULL is fine. */
void dial_close(struct dial *dial);

#endif
