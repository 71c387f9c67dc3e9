/* runtime/daemon/bridge.h: the running daemon: everything opened, wired and driven by one libev
 * loop.
 *
 * Thread: the calling thread is the loop thread.
 */
#ifndef GITTERD_DAEMON_BRIDGE_H
#define GITTERD_DAEMON_BRIDGE_H

#include "runtime/daemon/config.h"

/* Runs until SIGTERM or SIGINT and then ends what is under way. Returns the exit status; what went
 * wrong is on stderr. */
int bridge_run(const struct config *config);

#endif
