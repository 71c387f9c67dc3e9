#include "runtime/courier_parts.h"

#include "runtime/base/arena.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"

#include <search.h>
#include <stdlib.h>

enum {
    STORE_RETRY_MS = 1000,
    TAILS_BYTES_MAX = 1024 * 1024,
    /* a step of the wall clock that changes what was written before it */
    STEP_MS = 1000,
    /* what waits for a server that goes on with a request whose sender is gone waits for so long
     * again behind a restart */
    WAIT_AGAIN_MS_MAX = 60 * 1000,
    /* what is too old when the process starts is given up no sooner than so long behind that */
    GRACE_MS = 60 * 60 * 1000
};

int64_t courier_wall_ms(const struct courier *courier)
{
    const struct courier_options *options = &courier->options;
    return options->now_ms != NULL ? options->now_ms(options->context)
                                   : clock_read_ms(CLOCK_REALTIME);
}

int64_t courier_steady_ms(const struct courier *courier)
{
    const struct courier_options *options = &courier->options;
    if (options->steady_ms != NULL) {
        return options->steady_ms(options->context);
    }
    return options->now_ms != NULL ? options->now_ms(options->context)
                                   : clock_read_ms(CLOCK_MONOTONIC);
}

void courier_look_at_clocks(struct courier *courier)
{
    const int64_t steady = courier_steady_ms(courier);
    const int64_t offset_ms = courier_wall_ms(courier) - steady;
    if (offset_ms - courier->offset_ms >= STEP_MS) {
        courier->set_at_ms = steady + courier->offset_ms;
        courier->set_by_ms += offset_ms - courier->offset_ms;
    }
    courier->offset_ms = offset_ms;
}

void courier_run_after(struct courier *courier, int64_t wait_ms)
{
    ev_timer_stop(courier->options.loop, &courier->timer);
    ev_timer_set(&courier->timer, (double)(wait_ms < 0 ? 0 : wait_ms) / 1000.0, 0.0);
    ev_timer_start(courier->options.loop, &courier->timer);
}

void courier_run_soon(struct courier *courier)
{
    if (!courier->is_draining) {
        courier_run_after(courier, 0);
    }
}

struct job *courier_find_job(const struct courier *courier, int64_t id)
{
    struct job *const *node = tfind(&id, &courier->jobs, job_compare);
    return node == NULL ? NULL : *node;
}

static void forget_job(struct courier *courier, struct job *job)
{
    CHECK(tdelete(job, &courier->jobs, job_compare) != NULL);
    job_close(job);
}

/* A call of before the wall clock was set forward is so much younger than it looks. */
static int64_t age_ms(const struct courier *courier, const struct outbox_call *row)
{
    const bool is_before = courier->set_at_ms != 0 && row->created_ms <= courier->set_at_ms;
    const int64_t age_ms =
        courier_wall_ms(courier) - row->created_ms - (is_before ? courier->set_by_ms : 0);
    return age_ms > 0 ? age_ms : 0;
}

/* How long the call has to wait for its time; never longer than it had when it was declared. After
 * a start nobody can tell how the clock was set meanwhile: it waits again. */
static int64_t rest_ms(const struct courier *courier, const struct job *job)
{
    const struct outbox_call *row = &job->row;
    const int64_t declared_ms = row->call.not_before_ms - row->created_ms;
    if (row->call.not_before_ms == 0 || declared_ms <= 0) {
        return 0;
    }
    const int64_t again_ms =
        declared_ms < WAIT_AGAIN_MS_MAX ? declared_ms : (int64_t)WAIT_AGAIN_MS_MAX;
    const int64_t least_ms = job->is_inherited ? again_ms : 0;
    const int64_t rest_ms = declared_ms - age_ms(courier, row);
    const int64_t most_ms = rest_ms < declared_ms ? rest_ms : declared_ms;
    return most_ms > least_ms ? most_ms : least_ms;
}

/* Until when the call is made. One of before the start may be old because nothing ran for so long,
 * or because the clock was set meanwhile: it is given some time in any case. */
static int64_t expiry_ms(const struct courier *courier, const struct outbox_call *row)
{
    const int64_t patience_ms =
        row->call.patience_ms > 0 ? row->call.patience_ms : courier->options.age_max_ms;
    const int64_t grace_ms = patience_ms < GRACE_MS ? patience_ms : (int64_t)GRACE_MS;
    const int64_t expiry_ms = courier_steady_ms(courier) + patience_ms - age_ms(courier, row);
    const int64_t least_ms =
        row->created_ms < courier->begun_wall_ms ? courier->begun_ms + grace_ms : 0;
    return expiry_ms > least_ms ? expiry_ms : least_ms;
}

/* The job stands at the head of its lane. */
static void set_head(struct courier *courier, struct job *job)
{
    courier_look_at_clocks(courier);
    const int64_t steady = courier_steady_ms(courier);
    const int64_t wait_ms = rest_ms(courier, job);
    const struct call *call = &job->row.call;
    job->is_inherited = job->is_inherited && call->not_before_ms <= courier_wall_ms(courier);
    job->may_be_sent = job->is_inherited;
    job->expires_ms = expiry_ms(courier, &job->row);
    const struct lanes_head head = {
        .place = job->row.place,
        .turn = job->row.turn,
        .host = (int)call->api,
        .owner = call->owner,
        .after_lane = call->after_lane,
        .is_catch_up = call->is_catch_up,
        .needs_token = call->auth == CALL_AUTH_OWNER,
        .start_ms = wait_ms > 0 ? steady + wait_ms : 0,
        .expires_ms = job->expires_ms,
        .data = job,
    };
    lanes_set_head(courier->lanes, job->lane, &head);
    courier_run_soon(courier);
}

static struct job *
open_job(struct courier *courier, struct lane *lane, const struct outbox_call *row)
{
    struct job *job = job_open(row);
    job->lane = lane;
    struct job *const *node = tsearch(job, &courier->jobs, job_compare);
    CHECK(node != NULL && *node == job);
    return job;
}

static struct tail *tail_of(struct lane *lane)
{
    struct tail *tail = lane_tail(lane);
    if (tail == NULL) {
        tail = calloc(1, sizeof *tail);
        CHECK(tail != NULL);
        TAILQ_INIT(&tail->jobs);
        lane_set_tail(lane, tail);
    }
    return tail;
}

void courier_inherit_call(struct courier *courier, const struct outbox_call *row, bool is_suspect)
{
    struct lane *lane = lanes_add(courier->lanes, row->call.lane);
    struct job *job = open_job(courier, lane, row);
    job->is_inherited = is_suspect;
    tail_of(lane)->is_cut = true;
    set_head(courier, job);
}

/* The tail */

static bool is_before(const struct outbox_call *a, const struct outbox_call *b)
{
    return a->place != b->place ? a->place < b->place : a->id < b->id;
}

static void take_out(struct courier *courier, struct job *job)
{
    struct tail *tail = lane_tail(job->lane);
    TAILQ_REMOVE(&tail->jobs, job, next);
    courier->tails_bytes -= job->size;
    job->is_behind = false;
}

void courier_drop_behind(struct courier *courier, struct job *job)
{
    take_out(courier, job);
    forget_job(courier, job);
}

/* Those that come behind the row are left to the store, where they are as well. */
static void cut(struct courier *courier, struct tail *tail, const struct outbox_call *row)
{
    struct job *last = TAILQ_LAST(&tail->jobs, job_queue);
    while (last != NULL && is_before(row, &last->row)) {
        courier_drop_behind(courier, last);
        last = TAILQ_LAST(&tail->jobs, job_queue);
    }
    tail->is_cut = true;
}

/* At the end; further to the front if it was declared instead of a call that came earlier. */
static void put_behind(struct courier *courier, struct lane *lane, const struct outbox_call *row)
{
    struct tail *tail = tail_of(lane);
    struct job *before = TAILQ_LAST(&tail->jobs, job_queue);
    const bool is_last = before == NULL || is_before(&before->row, row);
    if (is_last && tail->is_cut) {
        return;
    }
    if (courier->tails_bytes >= TAILS_BYTES_MAX) {
        cut(courier, tail, row);
        return;
    }
    struct job *job = open_job(courier, lane, row);
    job->is_behind = true;
    courier->tails_bytes += job->size;
    while (before != NULL && !is_before(&before->row, row)) {
        before = TAILQ_PREV(before, job_queue, next);
    }
    if (before == NULL) {
        TAILQ_INSERT_HEAD(&tail->jobs, job, next);
    } else {
        TAILQ_INSERT_AFTER(&tail->jobs, before, job, next);
    }
}

void courier_take_call(struct courier *courier, const struct outbox_call *row)
{
    struct lane *lane = lanes_find(courier->lanes, row->call.lane);
    if (lane == NULL) {
        lane = lanes_add(courier->lanes, row->call.lane);
        set_head(courier, open_job(courier, lane, row));
    } else {
        put_behind(courier, lane, row);
    }
}

/* The next head */

static void read_later(struct courier *courier, struct lane *lane)
{
    if (courier->unread_count == courier->unread_cap) {
        courier->unread_cap = courier->unread_cap == 0 ? 16 : 2 * courier->unread_cap;
        courier->unread = reallocarray(courier->unread, courier->unread_cap, sizeof(struct lane *));
        CHECK(courier->unread != NULL);
    }
    courier->unread[courier->unread_count] = lane;
    courier->unread_count++;
    courier->unread_at_ms = courier_steady_ms(courier) + STORE_RETRY_MS;
}

/* Of a lane without a head whose tail is cut. */
static void read_head(struct courier *courier, struct lane *lane)
{
    struct store *store = courier->options.store;
    struct outbox_call row = {0};
    const enum rc rc = store->methods->lane_head(store, lane_name(lane), courier->arena, &row);
    if (rc == RC_OK) {
        set_head(courier, open_job(courier, lane, &row));
    } else if (rc == RC_ABSENT) {
        lanes_remove(courier->lanes, lane);
    } else {
        read_later(courier, lane);
    }
    arena_reset(courier->arena);
}

void courier_drop_head(struct courier *courier, struct job *job)
{
    struct lane *lane = job->lane;
    const struct tail *tail = lane_tail(lane);
    struct job *next = tail == NULL ? NULL : TAILQ_FIRST(&tail->jobs);
    forget_job(courier, job);
    if (next != NULL) {
        take_out(courier, next);
        set_head(courier, next);
    } else if (tail != NULL && tail->is_cut) {
        read_head(courier, lane);
    } else {
        lanes_remove(courier->lanes, lane);
    }
    courier_run_soon(courier);
}

void courier_read_again(struct courier *courier)
{
    const size_t count = courier->unread_count;
    struct lane **lanes = courier->unread;
    courier->unread = NULL;
    courier->unread_count = 0;
    courier->unread_cap = 0;
    courier->unread_at_ms = 0;
    for (size_t i = 0; i < count; i++) {
        read_head(courier, lanes[i]);
    }
    free(lanes);
}
