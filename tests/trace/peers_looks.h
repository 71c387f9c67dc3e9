/* tests/trace/peers_looks.h: what rooms and people look like, as the peers keep it.
 *
 * Memory: texts live in the arena of the peers.
 */
#ifndef GITTERD_TESTS_PEERS_LOOKS_H
#define GITTERD_TESTS_PEERS_LOOKS_H

#include "tests/trace/peers.h"

/* State of a room. What every room has is noted alone, so that it does not stand in each log. */
struct peer_answer peers_take_state(struct peers *peers,
                                    const struct outbox_call *row,
                                    struct slice room,
                                    struct slice type,
                                    struct slice state_key);
/* A picture, from wherever it is, and to the homeserver's media. */
struct peer_answer peers_take_fetch(struct peers *peers, const struct outbox_call *row);
struct peer_answer peers_take_upload(struct peers *peers, const struct outbox_call *row);

#endif
