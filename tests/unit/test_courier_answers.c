#include "runtime/base/limits.h"
#include "tests/unit/courier_rig.h"
#include "tests/unit/slice_check.h"

#include <stdio.h>
#include <string.h>

static struct rig rig;

static void setup(void)
{
    rig_open(&rig);
    rig_listen(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

static struct call gitter_call(const char *lane, const char *path)
{
    struct call call = rig_call(lane, path);
    call.api = CALL_GITTER;
    call.auth = CALL_AUTH_OWNER;
    return call;
}

static struct call never_call(const char *lane, const char *path)
{
    struct call call = gitter_call(lane, path);
    call.repeat = CALL_REPEAT_NEVER;
    return call;
}

static void end_is(int64_t id, enum call_end end, int status)
{
    const struct rig_end *found = rig_end_of(&rig, id);
    ck_assert_msg(found != NULL, "call %d has not ended", (int)id);
    ck_assert_int_eq(found->end, end);
    ck_assert_int_eq(found->status, status);
}

static bool is_idle(const struct rig *r)
{
    return courier_is_idle(r->courier);
}

/* Calls that end by one answer, whether or not they may be repeated. */
static const struct {
    int status;
    enum call_end freely; /* for UNKNOWN: is repeated and ends DONE */
    enum call_end never;
} verdicts[] = {
    {200, CALL_END_DONE, CALL_END_DONE},       {201, CALL_END_DONE, CALL_END_DONE},
    {204, CALL_END_DONE, CALL_END_DONE},       {301, CALL_END_FAILED, CALL_END_FAILED},
    {302, CALL_END_FAILED, CALL_END_FAILED},   {400, CALL_END_FAILED, CALL_END_FAILED},
    {403, CALL_END_FAILED, CALL_END_FAILED},   {404, CALL_END_FAILED, CALL_END_FAILED},
    {408, CALL_END_FAILED, CALL_END_FAILED},   {413, CALL_END_FAILED, CALL_END_FAILED},
    {500, CALL_END_UNKNOWN, CALL_END_UNKNOWN}, {501, CALL_END_FAILED, CALL_END_FAILED},
    {502, CALL_END_UNKNOWN, CALL_END_UNKNOWN}, {503, CALL_END_UNKNOWN, CALL_END_UNKNOWN},
    {504, CALL_END_UNKNOWN, CALL_END_UNKNOWN}, {505, CALL_END_FAILED, CALL_END_FAILED},
    {520, CALL_END_UNKNOWN, CALL_END_UNKNOWN},
};

START_TEST(courier_status_decides_the_end)
{
    const int status = verdicts[_i].status;
    const bool is_repeated = verdicts[_i].freely == CALL_END_UNKNOWN;
    const struct rig_reply reply = {.status = status, .body = status == 204 ? "" : "{\"e\":1}"};
    rig_script(&rig, "/freely", reply);
    rig_script(&rig, "/never", reply);
    rig_start(&rig);
    const int64_t freely = rig_declare(&rig, gitter_call("a", "/freely"));
    const int64_t never = rig_declare(&rig, never_call("b", "/never"));
    rig_run_ends(&rig, 2);
    end_is(freely, is_repeated ? CALL_END_DONE : verdicts[_i].freely, is_repeated ? 200 : status);
    end_is(never, verdicts[_i].never, status);
    ck_assert_uint_eq(rig_requests_of(&rig, "/freely"), is_repeated ? 2 : 1);
    ck_assert_uint_eq(rig_requests_of(&rig, "/never"), 1);
    ck_assert_str_eq(rig_end_of(&rig, never)->body, reply.body);
}
END_TEST

START_TEST(courier_server_error_fails_at_the_fifth_attempt)
{
    for (int i = 0; i < 8; i++) {
        rig_script(&rig, "/500", (struct rig_reply){.status = 500});
        rig_script(&rig, "/503", (struct rig_reply){.status = 503});
    }
    rig_start(&rig);
    rig_declare(&rig, gitter_call("a", "/500"));
    rig_declare(&rig, gitter_call("b", "/503"));
    rig_run_ends(&rig, 2);
    end_is(1, CALL_END_FAILED, 500);
    end_is(2, CALL_END_DONE, 200);
    ck_assert_uint_eq(rig_requests_of(&rig, "/500"), 5);
    ck_assert_uint_eq(rig_requests_of(&rig, "/503"), 9);
    ck_assert_int_eq(courier_counts(rig.courier).retries, 12);
}
END_TEST

START_TEST(courier_waits_without_a_token_until_woken)
{
    rig.token[0] = '\0';
    rig_start(&rig);
    rig_declare(&rig, gitter_call("a", "/a"));
    rig_declare(&rig, gitter_call("b", "/b"));
    rig_declare(&rig, rig_call("m", "/m"));
    rig_run_ends(&rig, 1);
    rig_run_ms(&rig, 20);
    ck_assert_uint_eq(rig.requests_count, 1);
    ck_assert_int_eq(rig.tokens_refused, 0);
    (void)snprintf(rig.token, sizeof rig.token, "new");
    courier_wake(rig.courier, SLICE("@somebody-else:h"));
    rig_run_ms(&rig, 20);
    ck_assert_uint_eq(rig.requests_count, 1);
    courier_wake(rig.courier, SLICE("@owner:h"));
    rig_run_ends(&rig, 3);
    ck_assert(strstr(rig.requests[1].head, "Bearer new") != NULL);
}
END_TEST

START_TEST(courier_unusable_token_counts_as_none)
{
    (void)snprintf(rig.token, sizeof rig.token, "a\r\nX-Evil: 1");
    rig_start(&rig);
    rig_declare(&rig, gitter_call("a", "/a"));
    rig_run_ms(&rig, 20);
    ck_assert_uint_eq(rig.requests_count, 0);
}
END_TEST

START_TEST(courier_refused_token_is_told_once_and_the_lanes_wait)
{
    for (int i = 0; i < 2; i++) {
        rig_script(&rig, "/a", (struct rig_reply){.status = 401, .delay_ms = 5});
        rig_script(&rig, "/b", (struct rig_reply){.status = 401, .delay_ms = 5});
    }
    rig_start(&rig);
    rig_declare(&rig, gitter_call("a", "/a"));
    rig_declare(&rig, never_call("b", "/b"));
    rig_run_requests(&rig, 2);
    rig_run_until(&rig, is_idle);
    rig_declare(&rig, gitter_call("c", "/c"));
    rig_run_ms(&rig, 20);
    ck_assert_uint_eq(rig.requests_count, 2);
    ck_assert_int_eq(rig.tokens_refused, 1);
    ck_assert_uint_eq(rig.ends_count, 0);
    courier_wake(rig.courier, SLICE("@owner:h")); /* still bad for two of them */
    rig_run_requests(&rig, 5);
    rig_run_until(&rig, is_idle);
    ck_assert_int_eq(rig.tokens_refused, 2);
    courier_wake(rig.courier, SLICE("@owner:h"));
    rig_run_ends(&rig, 3);
    end_is(1, CALL_END_DONE, 200);
    end_is(2, CALL_END_DONE, 200);
    end_is(3, CALL_END_DONE, 200);
    ck_assert_int_eq(rig.tokens_refused, 2);
}
END_TEST

static void log_in_again(struct rig *r, const struct rig_request *request)
{
    if (r->requests_count == 1) {
        ck_assert(strstr(request->head, "Bearer secret") != NULL);
        (void)snprintf(r->token, sizeof r->token, "new");
        courier_wake(r->courier, SLICE("@owner:h"));
    }
}

START_TEST(courier_refusal_of_an_old_token_is_no_refusal_of_the_new)
{
    rig_script(&rig, "/a", (struct rig_reply){.status = 401});
    rig.on_request = log_in_again;
    rig_start(&rig);
    rig_declare(&rig, gitter_call("a", "/a"));
    rig_run_ends(&rig, 1);
    end_is(1, CALL_END_DONE, 200);
    ck_assert(strstr(rig.requests[1].head, "Bearer new") != NULL);
    ck_assert_int_eq(rig.tokens_refused, 0);
}
END_TEST

START_TEST(courier_call_that_takes_401_fails_by_it)
{
    struct call logout = gitter_call("a", "/logout");
    logout.api = CALL_GITTER_WEB;
    logout.takes_401 = true;
    logout.body = SLICE_EMPTY;
    rig_script(&rig, "/logout", (struct rig_reply){.status = 401});
    rig_start(&rig);
    rig_declare(&rig, logout);
    rig_declare(&rig, gitter_call("a", "/next"));
    rig_run_ends(&rig, 2);
    end_is(1, CALL_END_FAILED, 401);
    end_is(2, CALL_END_DONE, 200);
    ck_assert_int_eq(rig.tokens_refused, 0);
}
END_TEST

/* A call that is limited, with what pauses and what does not; the clock stands still. */
static void limit(struct call limited, struct call same, struct call other, int64_t wait_ms)
{
    rig.clock_ms = 1700000000000;
    rig_start(&rig);
    rig_declare(&rig, limited);
    rig_run_requests(&rig, 1);
    rig_run_until(&rig, is_idle);
    rig_declare(&rig, same);
    rig_declare(&rig, other);
    rig_run_ends(&rig, 1);
    ck_assert_str_eq(rig.requests[1].path, "/other");
    rig_advance(&rig, wait_ms - 1);
    rig_run_ms(&rig, 20);
    ck_assert_uint_eq(rig.requests_count, 2);
    rig_advance(&rig, 1);
    rig_run_ends(&rig, 3);
    end_is(1, CALL_END_DONE, 200);
    ck_assert_uint_eq(rig_requests_of(&rig, "/limited"), 2);
    ck_assert_uint_eq(rig_requests_of(&rig, "/same"), 1);
}

START_TEST(courier_refused_as_token_pauses_the_homeserver)
{
    rig_script(&rig, "/limited", (struct rig_reply){.status = 401});
    rig.options.retry_last_ms = 70000;
    limit(rig_call("m", "/limited"), rig_call("n", "/same"), gitter_call("g", "/other"), 70000);
    ck_assert_int_eq(rig.tokens_refused, 0);
}
END_TEST

/* The homeserver's limit is for all of us. */
static const struct {
    struct rig_reply reply;
    int64_t wait_ms;
} homeserver_limits[] = {
    {{.status = 429, .headers = "Retry-After: 2\r\n", .body = "{\"retry_after_ms\":90000}"}, 2000},
    {{.status = 429, .body = "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"retry_after_ms\":1400}"}, 1400},
    {{.status = 429,
      .headers = "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
                 "Retry-After: Tue, 14 Nov 2023 22:14:20 GMT\r\n"},
     60000},
    {{.status = 429, .headers = "Retry-After: 999999999999\r\n"}, 3600000},
    {{.status = 429, .headers = "Retry-After: -1\r\n", .body = "[[[[not json"}, 5},
    {{.status = 503, .headers = "Retry-After: 3\r\n"}, 3000},
};

START_TEST(courier_limited_homeserver_call_pauses_the_host)
{
    struct call same = rig_call("n", "/same");
    same.owner = SLICE("@other:h");
    rig_script(&rig, "/limited", homeserver_limits[_i].reply);
    limit(rig_call("m", "/limited"), same, gitter_call("g", "/other"),
          homeserver_limits[_i].wait_ms);
}
END_TEST

/* Gitter's is for the user it counts, by its own clock, in ms. */
static const struct {
    struct rig_reply reply;
    int64_t wait_ms;
} gitter_limits[] = {
    {{.status = 429, .headers = "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1700000042000\r\n"},
     42000},
    {{.status = 429,
      .headers = "Date: Tue, 14 Nov 2023 22:13:10 GMT\r\nX-RateLimit-Reset: 1700000042000\r\n"},
     52000},
    {{.status = 429, .headers = "X-RateLimit-Reset: 1800000000000\r\n"}, 300000},
    {{.status = 429, .headers = "X-RateLimit-Reset: 1600000000000\r\n"}, 5},
    {{.status = 429}, 5},
};

START_TEST(courier_limited_gitter_call_pauses_its_owner)
{
    struct call other = gitter_call("o", "/other");
    other.owner = SLICE("@other:h");
    rig_script(&rig, "/limited", gitter_limits[_i].reply);
    limit(never_call("g", "/limited"), gitter_call("h", "/same"), other, gitter_limits[_i].wait_ms);
}
END_TEST

START_TEST(courier_used_up_budget_pauses_its_owner)
{
    const struct rig_reply last = {
        .headers = "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1700000042000\r\n"};
    struct call other = gitter_call("o", "/other");
    other.owner = SLICE("@other:h");
    rig.clock_ms = 1700000000000;
    rig_script(&rig, "/last", last);
    rig_start(&rig);
    rig_declare(&rig, gitter_call("g", "/last"));
    rig_run_ends(&rig, 1);
    rig_declare(&rig, gitter_call("h", "/same"));
    rig_declare(&rig, other);
    rig_run_ends(&rig, 2);
    rig_advance(&rig, 41999);
    rig_run_ms(&rig, 20);
    ck_assert_uint_eq(rig.requests_count, 2);
    ck_assert_str_eq(rig.requests[1].path, "/other");
    rig_advance(&rig, 1);
    rig_run_ends(&rig, 3);
    ck_assert_str_eq(rig.requests[2].path, "/same");
}
END_TEST

START_TEST(courier_lost_answer_is_repeated_or_unknown)
{
    const enum rig_manner manners[] = {RIG_CLOSE, RIG_CUT, RIG_HANG};
    const struct rig_reply reply = {.manner = manners[_i]};
    rig.options.answer_ms = 1000;
    rig_script(&rig, "/freely", reply);
    rig_script(&rig, "/never", reply);
    rig_start(&rig);
    const int64_t freely = rig_declare(&rig, gitter_call("a", "/freely"));
    const int64_t never = rig_declare(&rig, never_call("b", "/never"));
    rig_declare(&rig, gitter_call("b", "/next"));
    rig_run_ends(&rig, 3);
    end_is(freely, CALL_END_DONE, 200);
    ck_assert_int_eq(rig_end_of(&rig, never)->end, CALL_END_UNKNOWN);
    ck_assert_int_gt((int)strlen(rig_end_of(&rig, never)->detail), 0);
    ck_assert_uint_eq(rig_requests_of(&rig, "/freely"), 2);
    ck_assert_uint_eq(rig_requests_of(&rig, "/never"), 1);
    ck_assert_uint_eq(rig_requests_of(&rig, "/next"), 1);
}
END_TEST

/* The connection is kept alive, so the request goes out on it; then it dies. libcurl would repeat
 * it by itself on a new one, and nobody would know. */
START_TEST(courier_request_on_a_connection_that_dies_is_seen_once_if_it_must)
{
    struct call empty = never_call("l", "/empty");
    empty.body = SLICE_EMPTY;
    struct call delete = empty;
    delete.method = SLICE("DELETE");
    rig_script(&rig, "/never", (struct rig_reply){.manner = RIG_CLOSE});
    rig_script(&rig, "/freely", (struct rig_reply){.manner = RIG_CLOSE});
    rig_script(&rig, "/empty", (struct rig_reply){.manner = RIG_CLOSE});
    rig_script(&rig, "/empty", (struct rig_reply){.manner = RIG_CLOSE});
    rig_start(&rig);
    rig_declare(&rig, gitter_call("l", "/warm"));
    const int64_t never = rig_declare(&rig, never_call("l", "/never"));
    rig_declare(&rig, gitter_call("l", "/warm"));
    const int64_t freely = rig_declare(&rig, gitter_call("l", "/freely"));
    rig_declare(&rig, gitter_call("l", "/warm"));
    const int64_t no_body = rig_declare(&rig, empty);
    rig_declare(&rig, gitter_call("l", "/warm"));
    const int64_t deleted = rig_declare(&rig, delete);
    rig_run_ends(&rig, 8);
    ck_assert_int_eq(rig.requests[0].connection, rig.requests[1].connection);
    ck_assert_int_eq(rig_end_of(&rig, never)->end, CALL_END_UNKNOWN);
    ck_assert_int_eq(rig_end_of(&rig, no_body)->end, CALL_END_UNKNOWN);
    ck_assert_int_eq(rig_end_of(&rig, deleted)->end, CALL_END_UNKNOWN);
    end_is(freely, CALL_END_DONE, 200);
    ck_assert_uint_eq(rig_requests_of(&rig, "/never"), 1);
    ck_assert_uint_eq(rig_requests_of(&rig, "/empty"), 2);
    ck_assert_uint_eq(rig_requests_of(&rig, "/freely"), 2);
}
END_TEST

START_TEST(courier_connection_closed_between_calls_does_no_harm)
{
    for (int i = 0; i < 5; i++) {
        rig_script(&rig, "/x", (struct rig_reply){.manner = RIG_ANSWER_AND_CLOSE});
    }
    rig_start(&rig);
    for (int i = 0; i < 6; i++) {
        rig_declare(&rig, never_call("l", "/x"));
        rig_run_ends(&rig, (size_t)i + 1);
        rig_run_ms(&rig, 5);
        end_is(i + 1, CALL_END_DONE, 200);
    }
    ck_assert_uint_eq(rig.requests_count, 6);
}
END_TEST

START_TEST(courier_reads_chunked_answers)
{
    rig_script(&rig, "/x",
               (struct rig_reply){.manner = RIG_ANSWER_CHUNKED, .body = "{\"event_id\":\"$1\"}"});
    rig_start(&rig);
    rig_declare(&rig, rig_call("l", "/x"));
    rig_run_ends(&rig, 1);
    ck_assert_str_eq(rig.ends[0].body, "{\"event_id\":\"$1\"}");
}
END_TEST

START_TEST(courier_answer_over_the_limit_is_not_kept)
{
    rig_script(&rig, "/limit", (struct rig_reply){.filler = CALL_ANSWER_BYTES_MAX});
    rig_script(&rig, "/freely", (struct rig_reply){.filler = CALL_ANSWER_BYTES_MAX + 1});
    rig_script(&rig, "/never", (struct rig_reply){.filler = CALL_ANSWER_BYTES_MAX + 1});
    rig_start(&rig);
    rig_declare(&rig, gitter_call("a", "/limit"));
    rig_declare(&rig, gitter_call("a", "/freely"));
    rig_declare(&rig, never_call("a", "/never"));
    rig_run_ends(&rig, 3);
    ck_assert_uint_eq(strlen(rig_end_of(&rig, 1)->body), CALL_ANSWER_BYTES_MAX);
    end_is(1, CALL_END_DONE, 200);
    ck_assert_int_eq(rig_end_of(&rig, 2)->end, CALL_END_FAILED);
    ck_assert_int_eq(rig_end_of(&rig, 3)->end, CALL_END_UNKNOWN);
    ck_assert_str_eq(rig_end_of(&rig, 2)->body, "");
    ck_assert_str_eq(rig_end_of(&rig, 2)->detail, "the answer is larger than the limit");
    ck_assert_uint_eq(rig.requests_count, 3);
}
END_TEST

START_TEST(courier_call_grown_too_old_fails)
{
    struct call late = gitter_call("late", "/late");
    rig.clock_ms = 1000000000;
    rig.options.age_max_ms = 60000;
    rig.token[0] = '\0';
    late.not_before_ms = rig.clock_ms + 70000;
    rig_start(&rig);
    rig_declare(&rig, gitter_call("waits", "/waits"));
    rig_declare(&rig, gitter_call("waits", "/behind"));
    rig_declare(&rig, late);
    rig_run_ms(&rig, 20);
    rig_advance(&rig, 59999);
    rig_run_ms(&rig, 20);
    ck_assert_uint_eq(rig.ends_count, 0);
    rig_advance(&rig, 1);
    rig_run_ends(&rig, 2);
    rig_advance(&rig, 10000);
    rig_run_ends(&rig, 3);
    end_is(1, CALL_END_FAILED, 0);
    end_is(2, CALL_END_FAILED, 0);
    end_is(3, CALL_END_FAILED, 0);
    ck_assert_str_eq(rig.ends[0].detail, "the call could not be made in time");
    ck_assert_uint_eq(rig.requests_count, 0);
}
END_TEST

START_TEST(courier_body_larger_than_a_socket_takes_arrives_whole)
{
    static char body[CALL_BODY_BYTES_MAX];
    memset(body, 'b', sizeof body);
    struct call call = never_call("l", "/x");
    call.body = slice_make(body, sizeof body);
    rig_start(&rig);
    rig_declare(&rig, call);
    rig_run_ends(&rig, 1);
    end_is(1, CALL_END_DONE, 200);
    ck_assert_uint_eq(strlen(rig.requests[0].body), sizeof body);
}
END_TEST

static void open_without_server(void)
{
    rig_open(&rig);
}

static bool has_tried_often(const struct rig *r)
{
    return courier_counts(r->courier).requests >= 15;
}

START_TEST(courier_tries_an_unreachable_host_until_it_is_there)
{
    char path[32];
    rig_start(&rig);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(path, sizeof path, "/%d", i);
        struct call call = rig_call(path, path);
        call.repeat = i % 2 == 0 ? CALL_REPEAT_NEVER : CALL_REPEAT_FREELY;
        rig_declare(&rig, call);
    }
    rig_run_until(&rig, has_tried_often);
    ck_assert_uint_eq(rig.ends_count, 0);
    int sent = 0; /* at most the one that tries whether the host is back */
    for (int64_t id = 1; id <= 10; id++) {
        sent += courier_is_sent(rig.courier, id);
    }
    ck_assert_int_le(sent, 1);
    rig_listen(&rig);
    rig_run_ends(&rig, 10);
    ck_assert_uint_eq(rig.requests_count, 10);
    ck_assert_int_eq(courier_counts(rig.courier).done, 10);
}
END_TEST

static bool have_failed_10(const struct rig *r)
{
    return courier_counts(r->courier).requests >= 10 && courier_is_idle(r->courier);
}

static bool have_failed_11(const struct rig *r)
{
    return courier_counts(r->courier).requests >= 11 && courier_is_idle(r->courier);
}

START_TEST(courier_many_calls_failing_at_once_are_one_failure_of_the_host)
{
    char lane[32];
    rig.clock_ms = 1000000;
    rig.options.retry_first_ms = 1000;
    rig.options.retry_last_ms = 300000;
    rig_start(&rig);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(lane, sizeof lane, "l%d", i);
        rig_declare(&rig, rig_call(lane, "/x"));
    }
    rig_run_until(&rig, have_failed_10);
    rig_advance(&rig, 999);
    rig_run_ms(&rig, 20);
    ck_assert_int_eq(courier_counts(rig.courier).requests, 10);
    rig_advance(&rig, 1);
    rig_run_until(&rig, have_failed_11);
    rig_run_ms(&rig, 20);
    ck_assert_int_eq(courier_counts(rig.courier).requests, 11);
    rig_listen(&rig);
    rig_advance(&rig, 2000);
    rig_run_ends(&rig, 10);
    ck_assert_int_eq(courier_counts(rig.courier).requests, 21);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("courier_answers");
    TCase *tc = tcase_create("answers");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, courier_status_decides_the_end, 0,
                        sizeof verdicts / sizeof verdicts[0]);
    tcase_add_test(tc, courier_server_error_fails_at_the_fifth_attempt);
    tcase_add_test(tc, courier_waits_without_a_token_until_woken);
    tcase_add_test(tc, courier_unusable_token_counts_as_none);
    tcase_add_test(tc, courier_refused_token_is_told_once_and_the_lanes_wait);
    tcase_add_test(tc, courier_refusal_of_an_old_token_is_no_refusal_of_the_new);
    tcase_add_test(tc, courier_call_that_takes_401_fails_by_it);
    tcase_add_test(tc, courier_refused_as_token_pauses_the_homeserver);
    tcase_add_loop_test(tc, courier_limited_homeserver_call_pauses_the_host, 0,
                        sizeof homeserver_limits / sizeof homeserver_limits[0]);
    tcase_add_loop_test(tc, courier_limited_gitter_call_pauses_its_owner, 0,
                        sizeof gitter_limits / sizeof gitter_limits[0]);
    tcase_add_test(tc, courier_used_up_budget_pauses_its_owner);
    tcase_add_loop_test(tc, courier_lost_answer_is_repeated_or_unknown, 0, 3);
    tcase_add_test(tc, courier_request_on_a_connection_that_dies_is_seen_once_if_it_must);
    tcase_add_test(tc, courier_connection_closed_between_calls_does_no_harm);
    tcase_add_test(tc, courier_reads_chunked_answers);
    tcase_add_test(tc, courier_answer_over_the_limit_is_not_kept);
    tcase_add_test(tc, courier_call_grown_too_old_fails);
    tcase_add_test(tc, courier_body_larger_than_a_socket_takes_arrives_whole);
    suite_add_tcase(suite, tc);
    TCase *absent = tcase_create("absent");
    tcase_set_timeout(absent, 60);
    tcase_add_checked_fixture(absent, open_without_server, teardown);
    tcase_add_test(absent, courier_tries_an_unreachable_host_until_it_is_there);
    tcase_add_test(absent, courier_many_calls_failing_at_once_are_one_failure_of_the_host);
    suite_add_tcase(suite, absent);
    return run_suite(suite);
}
