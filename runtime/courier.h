/* runtime/courier.h: makes the calls of the outbox, lane by lane.
 *
 * A lane's calls are made one at a time in order; lanes with work are served round-robin between
 * owners, live traffic before catch-up, under a cap of calls in flight for each base URL. The heads
 * of the lanes are in memory, and of what waits behind them up to 1 MiB; the rest is read from the
 * store when its time comes. A call ends once: its end is posted, and when that is durable the
 * engine says so (courier_ended) and the next call of the lane may go. The exact rules of lanes and
 * barriers are in runtime/lanes.h, what an answer means for a call in runtime/courier_judge.h.
 *
 * A call that must not be repeated (CALL_REPEAT_NEVER) is sent so that libcurl cannot repeat it by
 * itself either, and ends UNKNOWN when the answer was lost after the request may have left. At
 * start the head of each lane may have been sent before: FREELY ones are made again, NEVER ones end
 * UNKNOWN, unless they were still waiting for their time or behind a barrier, or the process before
 * stopped while courier_is_clean was true.
 *
 * A call ELSEWHERE is made to https on public addresses alone, or below the base URL GITTER_WEB,
 * with no token; one that cannot be made ends FAILED at once. Its answer is at most
 * CALL_BODY_BYTES_MAX.
 *
 * Rates: a limit of the homeserver pauses all calls to it, one of Gitter those of the owner it
 * counted. A base URL that cannot be reached pauses as a whole and is tried with one call at a
 * time. Proxies named in the environment are not used.
 *
 * Thread: loop thread only. The callbacks are called from the loop, never from inside a function of
 *         this interface.
 * Memory: the texts of the options are copied; calls are copied.
 * Units:  ms; times of calls since the epoch.
 */
#ifndef GITTERD_RUNTIME_COURIER_H
#define GITTERD_RUNTIME_COURIER_H

#include "runtime/call.h"
#include "runtime/store.h"

struct courier;
struct ev_loop;
struct log;

struct courier_options {
    struct ev_loop *loop;
    struct log *log; /* may be NULL */
    struct store *store;
    /* A call has ended; texts are borrowed until return. */
    void (*post)(void *context, const struct outbox_call *call, const struct call_ended *end);
    /* Base URLs by enum call_api, without a slash at the end; ELSEWHERE has none. */
    struct slice bases[4];
    struct slice as_token;
    struct slice oauth_key;
    struct slice oauth_secret;
    struct slice user_agent;
    struct slice ca_file; /* empty: the system's */
    /* The Gitter token of an owner, valid until the next call; empty: none, and the owner's calls
     * wait for courier_wake. */
    struct slice (*owner_token)(void *context, struct slice owner);
    /* Gitter answered 401 to a call with this owner's token: the owner's calls wait for
     * courier_wake. Said once, not again until then. */
    void (*token_refused)(void *context, struct slice owner);
    /* True while a commit that is under way declares or cancels this call: it is not begun then.
     * NULL: there are no such commits. */
    bool (*is_undecided)(void *context, int64_t call_id);
    void (*random)(void *context, void *out, size_t len);
    int64_t (*now_ms)(void *context);    /* NULL: the system's clock */
    int64_t (*steady_ms)(void *context); /* a clock that is never set; NULL: as now_ms */
    void *context;
    int64_t connect_ms;     /* 0: 15,000 */
    int64_t answer_ms;      /* 0: 60,000; without a whole answer by then it counts as lost */
    int64_t retry_first_ms; /* 0: 1,000; doubled each time, with jitter */
    int64_t retry_last_ms;  /* 0: 300,000 */
    int64_t age_max_ms;     /* 0: 24 hours; a call that is older ends FAILED */
    int host_calls_max;     /* in flight for each base URL; 0: 64 */
};

NODISCARD enum rc courier_open(const struct courier_options *options, struct courier **courier);
/* Reads the head of each lane and begins. `was_clean`: the process before stopped so. */
NODISCARD enum rc courier_start(struct courier *courier, bool was_clean);
/* Begins no more calls; those in flight may end. */
void courier_drain(struct courier *courier);
/* Nothing is in flight. */
bool courier_is_idle(const struct courier *courier);
/* Nothing is in flight, and no call that must not be repeated may have been sent. What was posted
 * must be durable as well before the process may say that it stopped clean. */
bool courier_is_clean(const struct courier *courier);
/* Drops what is in flight without posting an end: the store knows these calls. */
void courier_close(struct courier *courier);

/* From the engine, after a commit: calls that were declared, and ids of calls that have ended or
 * were cancelled, with their lanes. Of one commit the calls come first, since one of them may stand
 * in the place of one that has ended. A call that is in flight when it is cancelled runs to its
 * end, of which nobody hears. */
void courier_add(struct courier *courier, const struct outbox_call *calls, size_t count);
void courier_ended(struct courier *courier,
                   const int64_t *ids,
                   const struct slice *lanes,
                   size_t count);
/* True if the call may have taken effect or may do so any moment, so that it must not be cancelled.
 * One that waits for its owner's login may be, even if an attempt before was lost: else a logout
 * would wait for a login. */
bool courier_is_sent(const struct courier *courier, int64_t call_id);
/* The owner's token changed: lanes that waited for it go on. */
void courier_wake(struct courier *courier, struct slice owner);

/* Somebody mended something: nothing waits any more for a pause or a next attempt. */
void courier_hurry(struct courier *courier);

struct courier_counts {
    int64_t calls; /* ended, one way or another */
    int64_t done;
    int64_t failed;
    int64_t unknown;
    int64_t requests; /* begun */
    int64_t retries;  /* of them not the first of their call */
    int64_t lanes;    /* with calls */
    int64_t in_flight;
};
struct courier_counts courier_counts(const struct courier *courier);

#endif
