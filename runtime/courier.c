#include "runtime/courier.h"

#include "runtime/base/arena.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/courier_parts.h"

#include <search.h>
#include <stdlib.h>

_Static_assert(CALL_ELSEWHERE + 1 == LANES_HOSTS, "each base URL is a host of the lanes");

enum {
    HEADS_PAGE = 64,
    UNDECIDED_MS = 20,
    RUN_CALLS_MAX = 256,
    ARENA_CHUNK_BYTES = 64 * 1024,
    TEXTS_CHUNK_BYTES = 1024
};

static struct slice find_token(const struct courier *courier, const struct call *call)
{
    const struct courier_options *options = &courier->options;
    if (call->auth != CALL_AUTH_OWNER || options->owner_token == NULL) {
        return SLICE_EMPTY;
    }
    const struct slice token = options->owner_token(options->context, call->owner);
    return wire_is_token(token) ? token : SLICE_EMPTY;
}

static void send_call(struct courier *courier, struct job *job)
{
    const struct call *call = &job->row.call;
    const struct slice token = find_token(courier, call);
    if (call->auth == CALL_AUTH_OWNER && token.len == 0) {
        courier_wait_for_token(courier, job, false);
        return;
    }
    const enum rc rc = wire_begin(courier->wire, call, token, job);
    if (rc == RC_BAD_INPUT) {
        courier_finish(courier, job, CALL_END_FAILED, NULL, "the call cannot be put on the wire");
        return;
    }
    courier->counts.retries += job->attempts > 0;
    job->attempts++;
    if (rc != RC_OK) {
        lanes_again(courier->lanes, job->lane,
                    courier_steady_ms(courier) + courier_back_off_ms(courier, job->attempts));
        return;
    }
    courier->counts.requests++;
}

static bool is_undecided(const struct courier *courier, const struct job *job)
{
    const struct courier_options *options = &courier->options;
    return options->is_undecided != NULL && options->is_undecided(options->context, job->id);
}

static void begin_call(struct courier *courier, struct job *job)
{
    if (is_undecided(courier, job)) {
        lanes_again(courier->lanes, job->lane, courier_steady_ms(courier) + UNDECIDED_MS);
        return;
    }
    /* a barrier that was seen to hold since the start held before it too: it was never sent */
    const bool was_waiting = lane_was_barred(job->lane);
    if (job->is_inherited && was_waiting) {
        job->may_be_sent = false;
    } else if (job->is_inherited && job->row.call.repeat == CALL_REPEAT_NEVER) {
        courier_finish(courier, job, CALL_END_UNKNOWN, NULL,
                       "the process ended while this call may have been under way");
        return;
    }
    job->is_inherited = false;
    if (job->expires_ms <= courier_steady_ms(courier)) {
        courier_finish(courier, job, CALL_END_FAILED, NULL, "the call could not be made in time");
        return;
    }
    send_call(courier, job);
}

static void run(struct courier *courier)
{
    courier_look_at_clocks(courier);
    if (courier->unread_at_ms != 0 && courier->unread_at_ms <= courier_steady_ms(courier)) {
        courier_read_again(courier);
    }
    const int64_t now_ms = courier_steady_ms(courier);
    struct lane *lane = lanes_next(courier->lanes, now_ms);
    for (int i = 1; lane != NULL && i < RUN_CALLS_MAX; i++) {
        begin_call(courier, lane_data(lane));
        lane = lanes_next(courier->lanes, now_ms);
    }
    if (lane != NULL) { /* others in the loop have their turn first */
        begin_call(courier, lane_data(lane));
        courier_run_soon(courier);
        return;
    }
    const int64_t next_ms = clock_earlier(lanes_next_ms(courier->lanes), courier->unread_at_ms);
    ev_timer_stop(courier->options.loop, &courier->timer);
    if (next_ms != 0) {
        courier_run_after(courier, next_ms - now_ms);
    }
}

static void on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    struct courier *courier = timer->data;
    (void)loop;
    (void)revents;
    if (!courier->is_draining) {
        run(courier);
    }
}

/* The interface. */

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value == 0 ? otherwise : value;
}

static void copy_options(struct courier *courier, const struct courier_options *options)
{
    struct courier_options *copy = &courier->options;
    *copy = *options;
    struct slice *texts[] = {&copy->bases[0],   &copy->bases[1],  &copy->bases[2],
                             &copy->as_token,   &copy->oauth_key, &copy->oauth_secret,
                             &copy->user_agent, &copy->ca_file};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = arena_copy(courier->texts, *texts[i]);
    }
    copy->connect_ms = or_default(copy->connect_ms, 15 * 1000);
    copy->answer_ms = or_default(copy->answer_ms, 60 * 1000);
    copy->retry_first_ms = or_default(copy->retry_first_ms, 1000);
    copy->retry_last_ms = or_default(copy->retry_last_ms, 300 * 1000);
    copy->age_max_ms = or_default(copy->age_max_ms, 24 * 60 * 60 * 1000);
    copy->host_calls_max = copy->host_calls_max == 0 ? 64 : copy->host_calls_max;
}

enum rc courier_open(const struct courier_options *options, struct courier **out)
{
    CHECK(options->loop != NULL && options->store != NULL && options->post != NULL &&
          options->random != NULL && wire_is_token(options->as_token));
    struct courier *courier = calloc(1, sizeof *courier);
    CHECK(courier != NULL);
    courier->texts = arena_open(TEXTS_CHUNK_BYTES);
    courier->arena = arena_open(ARENA_CHUNK_BYTES);
    copy_options(courier, options);
    courier->begun_ms = courier_steady_ms(courier);
    courier->begun_wall_ms = courier_wall_ms(courier);
    courier->offset_ms = courier->begun_wall_ms - courier->begun_ms;
    courier->lanes = lanes_open(courier->options.host_calls_max);
    ev_timer_init(&courier->timer, on_timer, 0.0, 0.0);
    courier->timer.data = courier;
    const enum rc rc = wire_open(&courier->options, courier_take_answer, courier, &courier->wire);
    if (rc != RC_OK) {
        courier_close(courier);
        return rc;
    }
    *out = courier;
    return RC_OK;
}

enum rc courier_start(struct courier *courier, bool was_clean)
{
    struct store *store = courier->options.store;
    struct slice after = SLICE_EMPTY;
    size_t count = 0;
    do {
        struct outbox_call *rows = ARENA_ARRAY(courier->arena, HEADS_PAGE, struct outbox_call);
        const enum rc rc =
            store->methods->lane_heads(store, after, courier->arena, rows, HEADS_PAGE, &count);
        if (rc != RC_OK) {
            return rc;
        }
        for (size_t i = 0; i < count; i++) {
            const bool is_suspect = !was_clean || rows[i].call.repeat != CALL_REPEAT_NEVER;
            courier_inherit_call(courier, &rows[i], is_suspect);
            after = lane_name(lanes_find(courier->lanes, rows[i].call.lane));
        }
        arena_reset(courier->arena);
    } while (count == HEADS_PAGE);
    return RC_OK;
}

void courier_drain(struct courier *courier)
{
    courier->is_draining = true;
    ev_timer_stop(courier->options.loop, &courier->timer);
}

bool courier_is_idle(const struct courier *courier)
{
    return lanes_in_flight(courier->lanes) == 0;
}

static void look_for_suspect(const void *node, VISIT visit, void *found)
{
    const struct job *job = *(struct job *const *)node;
    if ((visit == postorder || visit == leaf) && job->may_be_sent &&
        job->row.call.repeat == CALL_REPEAT_NEVER) {
        *(bool *)found = true;
    }
}

bool courier_is_clean(const struct courier *courier)
{
    bool has_suspect = false;
    twalk_r(courier->jobs, look_for_suspect, &has_suspect);
    return courier_is_idle(courier) && !has_suspect;
}

static void free_job(void *job)
{
    job_close(job);
}

void courier_close(struct courier *courier)
{
    if (courier == NULL) {
        return;
    }
    ev_timer_stop(courier->options.loop, &courier->timer);
    wire_close(courier->wire);
    lanes_close(courier->lanes);
    tdestroy(courier->jobs, free_job);
    free(courier->unread);
    arena_close(courier->arena);
    arena_close(courier->texts);
    free(courier);
}

void courier_add(struct courier *courier, const struct outbox_call *calls, size_t count)
{
    courier_look_at_clocks(courier);
    for (size_t i = 0; i < count; i++) {
        courier_take_call(courier, &calls[i]);
    }
}

void courier_ended(struct courier *courier,
                   const int64_t *ids,
                   const struct slice *lanes,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct job *job = courier_find_job(courier, ids[i]);
        if (job == NULL) {
            continue;
        }
        CHECK(slice_equal(lane_name(job->lane), lanes[i]));
        if (job->is_behind) {
            courier_drop_behind(courier, job);
        } else if (lane_state(job->lane) == LANE_RUNNING) {
            job->is_dropped = true;
        } else {
            lanes_clear_head(courier->lanes, job->lane);
            courier_drop_head(courier, job);
        }
    }
}

bool courier_is_sent(const struct courier *courier, int64_t call_id)
{
    const struct job *job = courier_find_job(courier, call_id);
    if (job == NULL || job->is_behind) {
        return false;
    }
    const enum lane_state state = lane_state(job->lane);
    /* what a barrier holds back now, it held back in the process before */
    const bool is_back = lane_is_held_back(courier->lanes, job->lane);
    return job->is_posted || state == LANE_RUNNING ||
           (job->may_be_sent && state != LANE_LOCKED && !is_back);
}

void courier_wake(struct courier *courier, struct slice owner)
{
    lanes_wake(courier->lanes, owner);
    courier_run_soon(courier);
}

void courier_hurry(struct courier *courier)
{
    for (int i = 0; i < LANES_HOSTS; i++) {
        courier->reach[i].paused_until_ms = 0;
    }
    lanes_hurry(courier->lanes, courier_steady_ms(courier));
    courier_run_soon(courier);
}

struct courier_counts courier_counts(const struct courier *courier)
{
    struct courier_counts counts = courier->counts;
    counts.lanes = (int64_t)lanes_count(courier->lanes);
    counts.in_flight = lanes_in_flight(courier->lanes);
    return counts;
}
