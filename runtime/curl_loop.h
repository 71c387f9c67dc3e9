/* runtime/curl_loop.h: a libcurl multi handle driven by libev.
 *
 * libcurl tells which sockets and which time it waits for; both become watchers of the loop.
 *
 * Thread: loop thread only. `done` is called from the loop, never from inside curl_loop_add, with
 *         the handle already taken out of the multi; it may add and remove handles.
 * Memory: easy handles are borrowed; the caller removes all before curl_loop_close.
 */
#ifndef GITTERD_RUNTIME_CURL_LOOP_H
#define GITTERD_RUNTIME_CURL_LOOP_H

#include "runtime/base/rc.h"

#include <curl/curl.h>

struct curl_loop;
struct ev_loop;

struct curl_loop_options {
    struct ev_loop *loop;
    void (*done)(void *context, CURL *easy, CURLcode code);
    void *context;
    long idle_connections_max; /* kept open for later */
};

/* RC_FULL when libcurl cannot set itself up. */
NODISCARD enum rc curl_loop_open(const struct curl_loop_options *options, struct curl_loop **out);
void curl_loop_close(struct curl_loop *curl_loop);

/* Begins the transfer of a handle; RC_FULL when libcurl has no room for it. */
NODISCARD enum rc curl_loop_add(struct curl_loop *curl_loop, CURL *easy);
/* Takes a handle out before its end; `done` is not called for it. */
void curl_loop_remove(struct curl_loop *curl_loop, CURL *easy);

/* Who may vouch for a server: the PEM file, or the system's authorities if it is NULL. */
void curl_loop_trust(CURL *easy, const char *ca_file);

#endif
