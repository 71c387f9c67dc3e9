/* runtime/daemon/version.h: which gitterd this is. */
#ifndef GITTERD_DAEMON_VERSION_H
#define GITTERD_DAEMON_VERSION_H

#define GITTERD_VERSION "0.1.0"

#endif
