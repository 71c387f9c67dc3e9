/* runtime/faye_subs.h: the subscriptions a Bayeux client has asked for and not got yet.
 *
 * First those under way, at most LINK_SUBSCRIBES_MAX, in the order they were sent; then those that
 * wait, in the order they were asked for. One that is answered is dropped.
 *
 * Memory: texts are copied; faye_sub_free frees what a take gave.
 */
#ifndef GITTERD_RUNTIME_FAYE_SUBS_H
#define GITTERD_RUNTIME_FAYE_SUBS_H

#include "runtime/base/slice.h"

#include <sys/queue.h>

struct faye_sub {
    TAILQ_ENTRY(faye_sub) entry;
    struct slice channel;
    struct slice snapshot; /* raw JSON, never empty */
    int64_t id;            /* of the request; under way only */
    int64_t deadline_ms;   /* for its answer; under way only */
    char texts[];          /* what the slices point to */
};

TAILQ_HEAD(faye_sub_queue, faye_sub);

struct faye_subs {
    struct faye_sub_queue sent;
    struct faye_sub_queue waiting;
    size_t sent_count;
};

void faye_subs_init(struct faye_subs *subs);
void faye_subs_clear(struct faye_subs *subs);

void faye_subs_add(struct faye_subs *subs, struct slice channel, struct slice snapshot);
/* Drops the waiting ones of a channel; true if there were any. */
bool faye_subs_drop(struct faye_subs *subs, struct slice channel);

/* The next one to send, moved to those under way; NULL if none waits or too many are under way. */
struct faye_sub *faye_subs_send(struct faye_subs *subs, int64_t id, int64_t deadline_ms);
/* Takes out the one that an answer belongs to: by the request's id, or by the channel if the
 * answer bears none. NULL if there is none. */
struct faye_sub *faye_subs_take(struct faye_subs *subs, struct slice id, struct slice channel);
/* Takes out one whose time is over; NULL if there is none. */
struct faye_sub *faye_subs_take_late(struct faye_subs *subs, int64_t now_ms);
void faye_sub_free(struct faye_sub *sub);

/* The deadline of the oldest under way; INT64_MAX if there is none. */
int64_t faye_subs_deadline(const struct faye_subs *subs);

#endif
