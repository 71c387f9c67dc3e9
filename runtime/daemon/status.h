/* runtime/daemon/status.h: `gitterd status`: what a running daemon is doing, for people and tools.
 *
 * Counts actors and waiting calls in the database by a connection of its own, and asks the daemon
 * for the rest, so that looking costs the daemon next to nothing.
 */
#ifndef GITTERD_DAEMON_STATUS_H
#define GITTERD_DAEMON_STATUS_H

#include "runtime/daemon/config.h"

/* Prints, as text or as one JSON object. The exit status: 0, or 1 when no daemon answered or the
 * database cannot be read. */
int status_run(struct arena *arena, const struct config *config, bool is_json);

/* Where the control socket is: control_socket, or "<database>.socket". */
struct slice status_socket(struct arena *arena, const struct config *config);

#endif
