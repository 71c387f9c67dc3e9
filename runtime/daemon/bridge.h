/* runtime/daemon/bridge.h: the running daemon: everything opened, wired and driven by one libev
 * loop.
 *
 * Thread: the calling thread is the loop thread.
 */
#ifndef GITTERD_DAEMON_BRIDGE_H
#define GITTERD_DAEMON_BRIDGE_H

#include "runtime/daemon/config.h"

/* Runs until SIGTERM or SIGINT and then ends what is under way. `takes_new_key`: logins that were
 * sealed under another unique_secret_key are given up, else that is an error. Returns the exit
 * status; what went wrong is on stderr. */
int bridge_run(const struct config *config, bool takes_new_key);

#endif
