/* runtime/links_url.h: what of a Faye URL the connection, the request line and the Host header
 * need.
 *
 * Memory: links_url_parse gives texts that links_url_clear frees.
 */
#ifndef GITTERD_RUNTIME_LINKS_URL_H
#define GITTERD_RUNTIME_LINKS_URL_H

#include "runtime/base/slice.h"

struct links_url {
    char *base;   /* the same URL as http or https, for libcurl */
    char *host;   /* with the port unless it is the scheme's own */
    char *target; /* path and query */
};

/* RC_BAD_INPUT unless it is a ws, wss, http or https URL without user and password. */
NODISCARD enum rc links_url_parse(struct slice url, struct links_url *out);
void links_url_clear(struct links_url *url);

#endif
