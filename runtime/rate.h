/* runtime/rate.h: how much each client may ask of us: a token bucket for each network address.
 *
 * A client has `burst` requests at once and gets them back at `per_minute`. IPv6 clients are told
 * apart by the first 64 bits, since whoever has one address of a network has all of them. The table
 * is bounded; when it is full, who has been quiet longest is forgotten, which can only be in their
 * favour.
 *
 * Thread: the caller's alone.
 * Units:  times in ms on the caller's clock; one that goes back gives nobody anything.
 */
#ifndef GITTERD_RATE_H
#define GITTERD_RATE_H

#include "runtime/base/slice.h"

struct rate;

enum {
    RATE_CLIENTS_MAX = 1024
};

/* Both at least 1. */
struct rate *rate_open(int64_t burst, int64_t per_minute);
void rate_close(struct rate *rate);

/* One request of a client; `address` is numeric, and what is none counts as one client. 0: granted.
 * Otherwise refused, and after so many ms one would be granted. */
int64_t rate_take(struct rate *rate, struct slice address, int64_t now_ms);

/* True if text is a numeric IPv4 or IPv6 address and nothing else. */
bool rate_is_address(struct slice text);

/* True if both are the same address, however they are written; ::ffff:1.2.3.4 is 1.2.3.4. */
bool rate_is_same_address(struct slice a, struct slice b);

#endif
