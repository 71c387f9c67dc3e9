/* runtime/daemon/hello.h: what is said to the homeserver at every start.
 *
 * Asks who the as_token belongs to, registers the bot (an unregistered one can join and send, but
 * its profile cannot be set), names it, and has the homeserver ping us, which also makes it try
 * again at once what it could not deliver while we were away. Each step is repeated until the
 * homeserver answers; a homeserver that is down keeps nothing else from running.
 *
 * Thread: loop thread only.
 */
#ifndef GITTERD_DAEMON_HELLO_H
#define GITTERD_DAEMON_HELLO_H

#include "runtime/base/slice.h"

struct ev_loop;
struct hello;
struct log;

struct hello_options {
    struct ev_loop *loop;
    struct log *log;
    struct slice homeserver_url;
    struct slice as_token;
    struct slice bot;
    struct slice bot_localpart;
    struct slice ca_file;
};

/* Begins; texts are borrowed until hello_close. RC_FULL when libcurl cannot set itself up. */
NODISCARD enum rc hello_open(const struct hello_options *options, struct hello **hello);
void hello_close(struct hello *hello);

#endif
