/* tests/unit/links_peer.h: servers in Node that nobody here wrote, as child processes of a test.
 *
 * Calls block; what is tested gets its turn when the test runs the loop again. A failure, as a
 * missing node or tests/gitter/node_modules (etc/setup installs both), fails the test.
 */
#ifndef GITTERD_TESTS_LINKS_PEER_H
#define GITTERD_TESTS_LINKS_PEER_H

#include "runtime/base/arena.h"

#include <sys/types.h>

struct peer {
    struct arena *arena;
    pid_t pid; /* 0: none */
    int port;
};

/* Starts `node argv[0] ...` (NULL at the end) and waits for its line {"port":N}. */
void peer_start(struct peer *peer, struct arena *arena, const char *const *argv);
/* Ends it, whatever it is doing. */
void peer_stop(struct peer *peer);

/* POSTs JSON to a path of the side for tests; gives the answer's body. */
struct slice peer_post(const struct peer *peer, const char *path, struct slice json);
/* GETs one. */
struct slice peer_get(const struct peer *peer, const char *path);

#endif
