#include "runtime/courier_parts.h"

#include "runtime/base/check.h"
#include "runtime/courier_judge.h"
#include "runtime/log.h"

enum {
    BACK_OFF_DOUBLINGS_MAX = 30,
    /* asking once in a while whether a host is back costs little, and its users wait */
    UNREACHABLE_MS_MAX = 30 * 1000
};

int64_t courier_back_off_ms(const struct courier *courier, int failures)
{
    const struct courier_options *options = &courier->options;
    int64_t wait_ms = options->retry_first_ms;
    for (int i = 1; i < failures && i < BACK_OFF_DOUBLINGS_MAX && wait_ms < options->retry_last_ms;
         i++) {
        wait_ms *= 2;
    }
    if (wait_ms > options->retry_last_ms) {
        wait_ms = options->retry_last_ms;
    }
    uint32_t random = 0;
    options->random(options->context, &random, sizeof random);
    return wait_ms - (int64_t)(random % (uint64_t)(wait_ms / 2 + 1));
}

static struct slice api_name(int api)
{
    static const struct slice names[] = {
#define API_NAME(name) SLICE_INIT(#name),
        CALL_API_LIST(API_NAME)
#undef API_NAME
    };
    return names[api];
}

static struct slice end_name(enum call_end end)
{
    static const struct slice names[] = {
#define END_NAME(name) SLICE_INIT(#name),
        CALL_END_LIST(END_NAME)
#undef END_NAME
    };
    return names[end];
}

static void count_end(struct courier_counts *counts, enum call_end end)
{
    counts->calls++;
    switch (end) {
    case CALL_END_DONE:
        counts->done++;
        break;
    case CALL_END_FAILED:
        counts->failed++;
        break;
    case CALL_END_UNKNOWN:
        counts->unknown++;
        break;
    }
}

void courier_finish(struct courier *courier,
                    struct job *job,
                    enum call_end end,
                    const struct wire_answer *answer,
                    const char *detail)
{
    const struct call *call = &job->row.call;
    const bool has_answer = answer != NULL && answer->outcome == WIRE_ANSWERED;
    const struct call_ended ended = {
        .end = (int64_t)end,
        .status = answer == NULL ? 0 : answer->status,
        .body = has_answer ? answer->body : SLICE_EMPTY,
        .ref = call->ref,
        .request = call->body,
        .detail = slice_from_cstr(detail),
    };
    if (end != CALL_END_DONE) {
        log_event(courier->options.log, end == CALL_END_UNKNOWN ? LOG_WARN : LOG_INFO, "call_ended",
                  LOG_TEXT("end", end_name(end)), LOG_TEXT("lane", call->lane),
                  LOG_INT("call", job->id), LOG_INT("status", ended.status),
                  LOG_TEXT("detail", ended.detail));
    }
    lanes_done(courier->lanes, job->lane);
    job->is_posted = true;
    count_end(&courier->counts, end);
    courier->options.post(courier->options.context, &job->row, &ended);
}

void courier_wait_for_token(struct courier *courier, struct job *job, bool was_refused)
{
    const struct courier_options *options = &courier->options;
    if (lanes_refuse(courier->lanes, job->lane) && was_refused && options->token_refused != NULL) {
        options->token_refused(options->context, job->row.call.owner);
    }
}

static void pause_limited(struct courier *courier, const struct job *job, int64_t wait_ms)
{
    const int64_t until_ms = courier_steady_ms(courier) + wait_ms;
    if (job->row.call.api == CALL_MATRIX) {
        lanes_pause_host(courier->lanes, (int)job->row.call.api, until_ms);
    } else {
        lanes_pause_owner(courier->lanes, job->lane, until_ms);
    }
}

/* All that was in flight fails at once when a host goes: that is one failure, not many. */
static void reach_failed(struct courier *courier, int api, const char *error)
{
    struct reach *reach = &courier->reach[api];
    const int64_t now_ms = courier_steady_ms(courier);
    if (reach->failures == 0) {
        log_event(courier->options.log, LOG_WARN, "host_unreachable",
                  LOG_TEXT("api", api_name(api)), LOG_CSTR("error", error));
    }
    if (reach->paused_until_ms > now_ms) {
        return;
    }
    reach->failures++;
    const int64_t wait_ms = courier_back_off_ms(courier, reach->failures);
    reach->paused_until_ms = now_ms + (wait_ms < UNREACHABLE_MS_MAX ? wait_ms : UNREACHABLE_MS_MAX);
    lanes_pause_host(courier->lanes, api, reach->paused_until_ms);
    lanes_doubt_host(courier->lanes, api, true);
}

static void note_reach(struct courier *courier, int api, const struct wire_answer *answer)
{
    struct reach *reach = &courier->reach[api];
    if (api == CALL_ELSEWHERE) { /* many hosts */
        return;
    }
    if (answer->outcome == WIRE_UNREACHABLE) {
        reach_failed(courier, api, answer->error);
    } else if (reach->failures > 0) {
        *reach = (struct reach){0};
        lanes_doubt_host(courier->lanes, api, false);
        log_event(courier->options.log, LOG_INFO, "host_reachable", LOG_TEXT("api", api_name(api)));
    }
}

/* Does what the judgement says with a call that goes on. */
static void go_on(struct courier *courier, struct job *job, const struct judgement *judgement)
{
    const int64_t wait_ms =
        judgement->wait_ms > 0 ? judgement->wait_ms : courier_back_off_ms(courier, job->attempts);
    int64_t again_at_ms = 0;
    switch (judgement->action) {
    case JUDGE_LOGIN:
        courier_wait_for_token(courier, job, true);
        return;
    case JUDGE_AGAIN:
        again_at_ms = courier_steady_ms(courier) + wait_ms;
        break;
    case JUDGE_PAUSE:
        pause_limited(courier, job, wait_ms);
        break;
    case JUDGE_AS_TOKEN:
        log_event(courier->options.log, LOG_ERROR, "as_token_refused",
                  LOG_TEXT("api", api_name((int)job->row.call.api)));
        lanes_pause_host(courier->lanes, (int)job->row.call.api,
                         courier_steady_ms(courier) + courier->options.retry_last_ms);
        break;
    case JUDGE_UNREACHABLE:
    case JUDGE_END:
        break;
    }
    lanes_again(courier->lanes, job->lane, again_at_ms);
}

static void judge(struct courier *courier, struct job *job, const struct wire_answer *answer)
{
    const struct call *call = &job->row.call;
    const int64_t wall = courier_wall_ms(courier);
    const struct judgement judgement = judge_answer(call, answer, job->server_errors, wall);
    const int64_t budget_ms = call->api == CALL_MATRIX ? 0 : judge_budget_ms(answer, wall);
    if (budget_ms > 0) {
        pause_limited(courier, job, budget_ms);
    }
    if (judgement.action == JUDGE_END) {
        courier_finish(courier, job, judgement.end, answer, judgement.detail);
        return;
    }
    job->may_be_sent = job->may_be_sent || !judgement.has_no_effect;
    job->server_errors += answer->outcome == WIRE_ANSWERED && answer->status == 500;
    go_on(courier, job, &judgement);
}

void courier_take_answer(void *context, void *tag, const struct wire_answer *answer)
{
    struct courier *courier = context;
    struct job *job = tag;
    note_reach(courier, (int)job->row.call.api, answer);
    if (job->is_dropped) {
        lanes_done(courier->lanes, job->lane);
        courier_drop_head(courier, job);
    } else {
        judge(courier, job, answer);
    }
    courier_run_soon(courier);
}
