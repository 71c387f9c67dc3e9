#include "runtime/courier_parts.h"

#include "runtime/base/arena.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"

#include <search.h>
#include <stdlib.h>

enum {
    STORE_RETRY_MS = 1000
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

void courier_forget_job(struct courier *courier, struct job *job)
{
    CHECK(tdelete(job, &courier->jobs, job_compare) != NULL);
    job_close(job);
}

void courier_set_head(struct courier *courier,
                      struct lane *lane,
                      const struct outbox_call *row,
                      bool inherited)
{
    const int64_t wall = courier_wall_ms(courier);
    const int64_t steady = courier_steady_ms(courier);
    struct job *job = job_open(row);
    const struct call *call = &job->row.call;
    const bool is_early = call->not_before_ms > wall;
    job->lane = lane;
    job->is_inherited = inherited && !is_early;
    job->may_be_sent = job->is_inherited;
    struct job *const *node = tsearch(job, &courier->jobs, job_compare);
    CHECK(node != NULL && *node == job);
    const int64_t patience_ms =
        call->patience_ms > 0 ? call->patience_ms : courier->options.age_max_ms;
    job->expires_ms = steady + row->created_ms + patience_ms - wall;
    const struct lanes_head head = {
        .place = row->place,
        .turn = row->turn,
        .host = (int)call->api,
        .owner = call->owner,
        .after_lane = call->after_lane,
        .is_catch_up = call->is_catch_up,
        .needs_token = call->auth == CALL_AUTH_OWNER,
        .start_ms = is_early ? steady + call->not_before_ms - wall : 0,
        .expires_ms = job->expires_ms,
        .data = job,
    };
    lanes_set_head(courier->lanes, lane, &head);
    courier_run_soon(courier);
}

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

void courier_read_head(struct courier *courier, struct lane *lane)
{
    struct store *store = courier->options.store;
    struct outbox_call row = {0};
    const enum rc rc = store->methods->lane_head(store, lane_name(lane), courier->arena, &row);
    if (rc == RC_OK) {
        courier_set_head(courier, lane, &row, false);
    } else if (rc == RC_ABSENT) {
        lanes_remove(courier->lanes, lane);
    } else {
        read_later(courier, lane);
    }
    arena_reset(courier->arena);
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
        courier_read_head(courier, lanes[i]);
    }
    free(lanes);
}
