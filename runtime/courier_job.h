/* runtime/courier_job.h: a call of a lane, with what the courier knows about it.
 *
 * Memory: a job owns a copy of the row in one piece; the caller frees it with job_close.
 */
#ifndef GITTERD_RUNTIME_COURIER_JOB_H
#define GITTERD_RUNTIME_COURIER_JOB_H

#include "runtime/call.h"
#include "runtime/lanes.h"

#include <sys/queue.h>

struct job {
    int64_t id; /* first, as the key of the tree of jobs */
    struct outbox_call row;
    size_t size; /* bytes in memory */
    struct lane *lane;
    TAILQ_ENTRY(job) next; /* in the tail */
    bool is_behind;        /* in the tail: not the head of its lane */
    int64_t expires_ms;    /* on the lanes' clock: too old to be made */
    int attempts;          /* requests begun */
    int server_errors;     /* answers of 500 */
    bool is_inherited;     /* from before the start: may have been sent then */
    bool may_be_sent;      /* an attempt may have had its effect */
    bool is_dropped;       /* cancelled while in flight: nobody wants to hear of its end */
    bool is_posted;        /* has ended; the engine has been told */
};

TAILQ_HEAD(job_queue, job);

/* The calls behind the head of a lane, by (place, id). */
struct tail {
    struct job_queue jobs;
    bool is_cut; /* those that come next are in the store only, or that is not known */
};

struct job *job_open(const struct outbox_call *row);
void job_close(struct job *job);
/* For tsearch. */
int job_compare(const void *a, const void *b);

#endif
