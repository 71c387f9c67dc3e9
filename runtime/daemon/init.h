/* runtime/daemon/init.h: `gitterd init`: a configuration with fresh secrets, and the registration
 * beside it. */
#ifndef GITTERD_DAEMON_INIT_H
#define GITTERD_DAEMON_INIT_H

#include "runtime/base/arena.h"

/* The exit status: 0, or 1 when one of them is there already or cannot be written, which is said.
 */
int init_run(struct arena *arena, const char *config_path);

#endif
