/* runtime/daemon/control.h: the socket by which `gitterd status` asks a running daemon.
 *
 * A Unix socket of mode 0600 beside the database (or where control_socket says). Who connects sends
 * one line, "status", and gets one JSON object (runtime/daemon/report.h) and the end of the stream;
 * anything else gets {"error":...}. A few clients at a time, each for a few seconds.
 *
 * Thread: loop thread only.
 * Errors: RC_TOO_BIG: a path that no socket can have. RC_BUSY: another program listens there.
 *         RC_REFUSED: something that is no socket of ours lies there. RC_IO: anything else.
 */
#ifndef GITTERD_DAEMON_CONTROL_H
#define GITTERD_DAEMON_CONTROL_H

#include "runtime/base/arena.h"

struct control;
struct ev_loop;

struct control_options {
    struct ev_loop *loop;
    struct slice path;
    /* The answer to "status", in the arena. */
    struct slice (*report)(void *context, struct arena *arena);
    void *context;
};

/* Listens. A socket that a dead process left behind is taken over. */
NODISCARD enum rc control_open(const struct control_options *options, struct control **control);
/* Removes the socket; NULL is fine. */
void control_close(struct control *control);

/* The other end: connects, asks and gives the whole answer; waits at most 10 s. RC_ABSENT: nobody
 * listens. RC_REFUSED: this user may not. RC_TIMEOUT: no answer. */
NODISCARD enum rc control_ask(struct slice path, struct arena *arena, struct slice *answer);

#endif
