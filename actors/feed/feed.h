/* actors/feed/feed.h: one connection to Gitter, for one owner and all their bridged rooms.
 *
 * Key: the owner's Matrix user id. A feed declares whether it wants a link; connecting, reading and
 * watching is the runtime's, when to try again is decided here.
 */
#ifndef GITTERD_ACTORS_FEED_FEED_H
#define GITTERD_ACTORS_FEED_FEED_H

#include "actors/calls.h"

enum feed_state {
    FEED_ANY = FSM_ANY,
    FEED_SAME = FSM_SAME,
    FEED_OFF = 0,
    FEED_CONNECTING,
    FEED_LIVE,
    FEED_WAITING, /* until deadline_ms, before the next try */
};

#define FEED_FIELDS(F, S)                                                                          \
    F(S, NUM, session)                                                                             \
    F(S, NUM, failures) /* in a row */                                                             \
    F(S, NUM, deadline_ms)

struct feed {
    struct slice key;
    FEED_FIELDS(FIELD_MEMBER, feed)
};

extern const struct fsm feed_fsm;

#endif
