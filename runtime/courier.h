/* runtime/courier.h: makes the calls of the outbox, lane by lane.
 *
 * A lane's calls are made one at a time in order; lanes with work are served round-robin between
 * owners, live traffic before catch-up, under a cap of calls in flight for each host. Only the head
 * of a lane is in memory. A call ends once: its end is posted to the engine, and when that is
 * durable the engine says so (courier_ended) and the next call of the lane may go.
 *
 * A call that must not be repeated (CALL_REPEAT_NEVER) is sent so that libcurl cannot repeat it by
 * itself either, and ends UNKNOWN when the answer was lost after the request may have left. At
 * start the head of each lane may have been sent before: FREELY ones are made again, NEVER ones end
 * UNKNOWN.
 *
 * Thread: loop thread only. Never calls the engine back from inside a function of this interface,
 * but from the loop.
 */
#ifndef GITTERD_RUNTIME_COURIER_H
#define GITTERD_RUNTIME_COURIER_H

#include "runtime/engine.h"

struct courier;
struct ev_loop;
struct log;

struct courier_options {
    struct ev_loop *loop;
    struct log *log; /* may be NULL */
    struct store *store;
    struct engine *engine;
    /* Base URLs by enum call_api, without a slash at the end. */
    struct slice bases[3];
    struct slice as_token;
    struct slice oauth_key;
    struct slice oauth_secret;
    struct slice user_agent;
    struct slice ca_file; /* empty: the system's */
    /* The Gitter token of an owner; empty: none, the call waits. Valid until the next call. */
    struct slice (*owner_token)(void *context, struct slice owner);
    /* Gitter answered 401 to a call with this owner's token: the lane waits for courier_wake. */
    void (*token_refused)(void *context, struct slice owner);
    void (*random)(void *context, void *out, size_t len);
    void *context;
    int64_t connect_ms;     /* 0: 15,000 */
    int64_t answer_ms;      /* 0: 60,000; without an answer by then the call is given up */
    int64_t retry_first_ms; /* 0: 1,000; doubled each time, with jitter */
    int64_t retry_last_ms;  /* 0: 300,000 */
    int64_t age_max_ms;     /* 0: 24 hours; a call that is older ends FAILED */
    int host_calls_max;     /* in flight for each base URL; 0: 16 */
};

NODISCARD enum rc courier_open(const struct courier_options *options, struct courier **courier);
/* Reads the head of each lane and begins. */
NODISCARD enum rc courier_start(struct courier *courier);
/* Begins no more calls; those in flight may end. */
void courier_drain(struct courier *courier);
bool courier_is_idle(const struct courier *courier);
void courier_close(struct courier *courier);

/* From the engine, after a commit. */
void courier_add(struct courier *courier, const struct outbox_call *calls, size_t count);
void courier_ended(struct courier *courier,
                   const int64_t *ids,
                   const struct slice *lanes,
                   size_t count);
bool courier_is_sent(const struct courier *courier, int64_t call_id);
/* The owner's token changed: lanes that waited for it go on. */
void courier_wake(struct courier *courier, struct slice owner);

struct courier_counts {
    int64_t calls;
    int64_t done;
    int64_t failed;
    int64_t unknown;
    int64_t retries;
    int64_t lanes;
    int64_t in_flight;
};
struct courier_counts courier_counts(const struct courier *courier);

#endif
