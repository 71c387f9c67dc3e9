/* runtime/daemon/receipts.h: moves the bot's read receipt to what Gitter has.
 *
 * A receipt is a courtesy: it is not in the outbox, one that fails is not sent again, and after a
 * crash the next message brings the next one. So it costs no row, and what comes within a moment in
 * one room becomes one call. A few calls are in flight at a time; when the homeserver is slow, or
 * asks for patience, receipts wait, and of too many rooms the ones that waited longest go.
 *
 * Thread: loop thread only.
 * Memory: texts are copied.
 */
#ifndef GITTERD_DAEMON_RECEIPTS_H
#define GITTERD_DAEMON_RECEIPTS_H

#include "runtime/base/slice.h"

struct ev_loop;
struct receipts;

struct receipts_options {
    struct ev_loop *loop;
    struct slice homeserver_url;
    struct slice as_token;
    struct slice ca_file; /* empty: the system's */
    int64_t gather_ms;    /* how long a room's receipt waits for a newer one; 0: 250 */
};

/* Texts of the options are borrowed until receipts_close. RC_FULL when libcurl cannot set itself
 * up. */
NODISCARD enum rc receipts_open(const struct receipts_options *options, struct receipts **receipts);
/* Drops what waits; NULL is fine. */
void receipts_close(struct receipts *receipts);

/* The bot has read this room up to this event. */
void receipts_move(struct receipts *receipts, struct slice room, struct slice event);

#endif
