/* tests/unit/port_rig.h: the real machines on an engine, behind a real listener on loopback: what
 * the tests of the daemon's ports have in common. The application of the port and the store are
 * the test's.
 *
 * The test opens the store and closes it, the engine and the bed.
 */
#ifndef GITTERD_TESTS_PORT_RIG_H
#define GITTERD_TESTS_PORT_RIG_H

#include "actors/machine.h"
#include "runtime/engine.h"
#include "tests/unit/http_peer.h"

struct port_rig {
    struct bed bed;
    struct settings settings;
    struct application application;
    struct store *store;
    void (*poll)(struct store *store); /* lets it report what it has committed */
    void (*route)(const struct msg *input, struct turn *turn);
    void (*answer)(void *context, int64_t request, const struct answer *answer);
    struct engine *engine;
    struct http_limits limits; /* of the listener */
    int64_t clock_ms;
    size_t calls; /* declared since it was opened */
};

/* The loop, without a listener. The clock stands at one second, inputs go the way of router_route,
 * and answers to web requests nowhere. */
void port_open(struct port_rig *rig);

/* Opens the engine on the rig's settings, store, route and answer; all its random bytes are ones.
 */
void port_open_engine(struct port_rig *rig);

void port_listen(struct port_rig *rig, struct http_handler handler);

/* One turn of the loop, and what the engine and the store have to do after it. */
void port_turn(struct port_rig *rig);

/* Turns the rig until the condition holds; ten seconds without it are a failure. */
#define UNTIL_TURNED(rig, condition)                                                               \
    do {                                                                                           \
        const double until_end = ev_time() + 10;                                                   \
        while (!(condition)) {                                                                     \
            ck_assert_msg(ev_time() < until_end, "never: %s", #condition);                         \
            port_turn(rig);                                                                        \
        }                                                                                          \
    } while (0)

#endif
