/* runtime/courier_parts.h: what the files of the courier share.
 *
 * Private to runtime/courier*.c.
 */
#ifndef GITTERD_RUNTIME_COURIER_PARTS_H
#define GITTERD_RUNTIME_COURIER_PARTS_H

#include "runtime/courier.h"
#include "runtime/courier_job.h"
#include "runtime/courier_wire.h"
#include "runtime/lanes.h"

#include <ev.h>

/* Whether the host of a base URL can be reached. */
struct reach {
    int failures; /* in a row */
    int64_t paused_until_ms;
};

struct courier {
    struct courier_options options;
    struct arena *texts; /* of the options */
    struct arena *arena; /* for what is read from the store, reset after use */
    struct lanes *lanes;
    struct wire *wire;
    void *jobs;         /* tree by id */
    size_t tails_bytes; /* of the jobs that are not heads */
    struct ev_timer timer;
    struct reach reach[LANES_HOSTS];
    struct lane **unread; /* empty lanes whose next head could not be read */
    size_t unread_count;
    size_t unread_cap;
    int64_t unread_at_ms;
    /* the wall clock was set forward: what is written in times before that is off by so much */
    int64_t offset_ms;     /* of the wall clock, ahead of the steady one */
    int64_t set_at_ms;     /* what it had said then, had it not been set; 0: it was not */
    int64_t set_by_ms;     /* that time and all times before */
    int64_t begun_ms;      /* on the steady clock */
    int64_t begun_wall_ms; /* what is older is from before the start */
    bool is_draining;
    struct courier_counts counts;
};

/* Lanes wait on a clock that is never set; ages and times of calls are wall time. */
int64_t courier_wall_ms(const struct courier *courier);
/* Sees whether the wall clock was set forward. */
void courier_look_at_clocks(struct courier *courier);
int64_t courier_steady_ms(const struct courier *courier);

/* Something changed: look from the loop what may go. */
void courier_run_soon(struct courier *courier);
void courier_run_after(struct courier *courier, int64_t wait_ms);

/* The wait after so many failures: between half and the whole of what doubling gives, so that many
 * do not come back at once. */
int64_t courier_back_off_ms(const struct courier *courier, int failures);

struct job *courier_find_job(const struct courier *courier, int64_t id);

/* courier_heads.c: the calls of a lane in their order. The first is its head; those behind it are
 * kept in memory while there is room, so that they need not be read again. */

/* A call that was declared. */
void courier_take_call(struct courier *courier, const struct outbox_call *row);
/* Those at the heads of the lanes when the process began. */
void courier_inherit_call(struct courier *courier, const struct outbox_call *row, bool is_suspect);
/* The call at the head of a lane that is not running is over: the next one stands there, and
 * without one the lane goes. */
void courier_drop_head(struct courier *courier, struct job *job);
/* A call behind the head is not to be made. */
void courier_drop_behind(struct courier *courier, struct job *job);
/* Reads heads for which the store failed before. */
void courier_read_again(struct courier *courier);

/* The call of a running lane has ended: posts it. `answer` and `detail` may be NULL. */
void courier_finish(struct courier *courier,
                    struct job *job,
                    enum call_end end,
                    const struct wire_answer *answer,
                    const char *detail);
/* The call of a running lane needs a token that is not there, or was refused. */
void courier_wait_for_token(struct courier *courier, struct job *job, bool was_refused);
/* The wire's report; `context` is the courier, `tag` the job. */
void courier_take_answer(void *context, void *tag, const struct wire_answer *answer);

#endif
