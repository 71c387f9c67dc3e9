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

static void end_is(int64_t id, enum call_end end)
{
    const struct rig_end *found = rig_end_of(&rig, id);
    ck_assert_msg(found != NULL, "call %d has not ended", (int)id);
    ck_assert_int_eq(found->end, end);
}

static bool is_idle(const struct rig *r)
{
    return courier_is_idle(r->courier);
}

START_TEST(courier_request_is_as_the_wire_wants_it)
{
    struct call call = rig_call("l", "/rooms/a%2Fb/send?ts=1");
    call.method = SLICE("PUT");
    call.body = SLICE("{\"a\":1}");
    call.ref = SLICE("ref");
    rig_start(&rig);
    const int64_t id = rig_declare(&rig, call);
    rig_run_ends(&rig, 1);
    const char *head = rig.requests[0].head;
    ck_assert(strncmp(head, "PUT /rooms/a%2Fb/send?ts=1 HTTP/1.1\r\n", 37) == 0);
    ck_assert(strstr(head, "\r\nAuthorization: Bearer as-secret") != NULL);
    ck_assert(strstr(head, "\r\nAccept: application/json") != NULL);
    ck_assert(strstr(head, "\r\nContent-Type: application/json") != NULL);
    ck_assert(strstr(head, "\r\nContent-Length: 7") != NULL);
    ck_assert(strstr(head, "\r\nUser-Agent: gitterd-test") != NULL);
    ck_assert(strstr(head, "Expect") == NULL && strstr(head, "Transfer-Encoding") == NULL);
    ck_assert_str_eq(rig.requests[0].body, "{\"a\":1}");
    end_is(id, CALL_END_DONE);
    ck_assert_int_eq(rig.ends[0].status, 200);
    ck_assert_str_eq(rig.ends[0].body, "{}");
    ck_assert_str_eq(rig.ends[0].ref, "ref");
    ck_assert_str_eq(rig.ends[0].request, "{\"a\":1}");
    ck_assert_int_eq(courier_counts(rig.courier).lanes, 0);
}
END_TEST

START_TEST(courier_never_call_has_a_length_and_is_not_chunked)
{
    struct call call = rig_call("l", "/x");
    call.repeat = CALL_REPEAT_NEVER;
    call.auth = CALL_AUTH_OWNER;
    call.api = CALL_GITTER;
    call.body = SLICE("{\"text\":\"hello\"}");
    struct call empty = call;
    empty.body = SLICE_EMPTY;
    rig_start(&rig);
    rig_declare(&rig, call);
    rig_declare(&rig, empty);
    rig_run_ends(&rig, 2);
    ck_assert(strstr(rig.requests[0].head, "\r\nContent-Length: 16") != NULL);
    ck_assert(strstr(rig.requests[0].head, "\r\nAuthorization: Bearer secret") != NULL);
    ck_assert(strstr(rig.requests[0].head, "Expect") == NULL);
    ck_assert(strstr(rig.requests[0].head, "Transfer-Encoding") == NULL);
    ck_assert(strstr(rig.requests[1].head, "\r\nContent-Length: 0") != NULL);
    ck_assert(strstr(rig.requests[1].head, "Content-Type") == NULL);
    ck_assert_str_eq(rig.requests[0].body, "{\"text\":\"hello\"}");
}
END_TEST

START_TEST(courier_oauth_call_gets_the_client_in_its_form)
{
    struct call call = rig_call("l", "/token");
    call.auth = CALL_AUTH_OAUTH;
    call.api = CALL_GITTER_WEB;
    call.body = SLICE("code=1");
    call.content_type = SLICE("application/x-www-form-urlencoded");
    rig_start(&rig);
    rig_declare(&rig, call);
    rig_run_ends(&rig, 1);
    ck_assert_str_eq(rig.requests[0].body, "code=1&client_id=key&client_secret=a%26b");
    ck_assert(strstr(rig.requests[0].head, "Authorization") == NULL);
    ck_assert(strstr(rig.requests[0].head, "\r\nContent-Type: application/x-www-form-urlenc") !=
              NULL);
    ck_assert_str_eq(rig.ends[0].request, "code=1");
}
END_TEST

START_TEST(courier_get_and_delete_have_no_body)
{
    struct call get = rig_call("l", "/get");
    struct call delete = rig_call("l", "/delete");
    get.method = SLICE("GET");
    delete.method = SLICE("DELETE");
    get.body = SLICE_EMPTY;
    delete.body = SLICE_EMPTY;
    rig_start(&rig);
    rig_declare(&rig, get);
    rig_declare(&rig, delete);
    rig_run_ends(&rig, 2);
    ck_assert(strncmp(rig.requests[0].head, "GET /get ", 9) == 0);
    ck_assert(strncmp(rig.requests[1].head, "DELETE /delete ", 15) == 0);
    ck_assert(strstr(rig.requests[0].head, "Content-") == NULL);
    ck_assert(strstr(rig.requests[1].head, "Transfer-Encoding") == NULL);
}
END_TEST

START_TEST(courier_keeps_the_order_of_a_lane_and_reuses_its_connection)
{
    char path[32];
    rig.is_slow = true;
    rig_start(&rig);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(path, sizeof path, "/%d", i);
        rig_declare(&rig, rig_call("l", path));
    }
    rig_run_ends(&rig, 200);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(path, sizeof path, "/%d", i);
        ck_assert_str_eq(rig.requests[i].path, path);
        ck_assert_int_eq(rig.ends[i].id, i + 1);
    }
    ck_assert_int_eq(rig.connections, 1);
    ck_assert_int_eq(rig.in_flight_max, 1);
}
END_TEST

START_TEST(courier_runs_lanes_side_by_side_under_the_cap)
{
    char lane[32];
    rig.is_slow = true;
    rig.options.host_calls_max = 8;
    rig_start(&rig);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(lane, sizeof lane, "l%d", i % 50);
        rig_declare(&rig, rig_call(lane, "/x"));
    }
    rig_run_ends(&rig, 200);
    ck_assert_int_eq(rig.in_flight_max, 8);
    ck_assert_int_le(rig.connections, 8);
    ck_assert_uint_eq(rig.requests_count, 200);
    ck_assert_int_eq(courier_counts(rig.courier).done, 200);
    ck_assert_int_eq(courier_counts(rig.courier).lanes, 0);
    ck_assert_int_eq(courier_counts(rig.courier).in_flight, 0);
}
END_TEST

START_TEST(courier_serves_a_quiet_owner_beside_a_flooding_one)
{
    char lane[32];
    rig.options.host_calls_max = 1;
    rig_start(&rig);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(lane, sizeof lane, "flood%d", i);
        rig_declare(&rig, rig_call(lane, "/flood"));
    }
    struct call quiet = rig_call("quiet", "/quiet");
    quiet.owner = SLICE("@quiet:h");
    rig_declare(&rig, quiet);
    rig_run_ends(&rig, 101);
    ck_assert_str_eq(rig.requests[1].path, "/quiet");
}
END_TEST

START_TEST(courier_makes_live_calls_before_catch_up)
{
    struct call old = rig_call("old", "/old");
    old.is_catch_up = true;
    rig.options.host_calls_max = 1;
    rig_start(&rig);
    rig_declare(&rig, old);
    rig_declare(&rig, rig_call("live", "/live"));
    rig_run_ends(&rig, 2);
    ck_assert_str_eq(rig.requests[0].path, "/live");
    ck_assert_str_eq(rig.requests[1].path, "/old");
}
END_TEST

START_TEST(courier_barrier_waits_for_all_earlier_calls_of_the_other_lane)
{
    struct call waiting = rig_call("waiting", "/waiting");
    waiting.after_lane = SLICE("other");
    rig.is_slow = true;
    rig_start(&rig);
    for (int i = 0; i < 5; i++) {
        rig_declare(&rig, rig_call("other", "/before"));
    }
    rig_declare(&rig, waiting);
    for (int i = 0; i < 5; i++) {
        rig_declare(&rig, rig_call("other", "/behind"));
    }
    rig_run_ends(&rig, 11);
    size_t at = 0;
    while (strcmp(rig.requests[at].path, "/waiting") != 0) {
        at++;
    }
    ck_assert_uint_ge(at, 5);
    ck_assert_uint_le(at, 6);
    ck_assert_str_eq(rig.requests[4].path, "/before");
}
END_TEST

START_TEST(courier_barrier_sees_a_call_declared_behind_it_in_the_same_turn)
{
    struct call calls[] = {rig_call("waiting", "/waiting"), rig_call("other", "/other")};
    calls[0].after_lane = SLICE("other");
    rig_start(&rig);
    rig_declare_all(&rig, calls, 2);
    rig_run_ends(&rig, 2);
    ck_assert_str_eq(rig.requests[0].path, "/other");
    ck_assert_str_eq(rig.requests[1].path, "/waiting");
}
END_TEST

static void say_again(struct rig *r, const struct rig_end *end)
{
    if (end->end == CALL_END_UNKNOWN) {
        rig_declare_instead(r, end, rig_call(end->lane, "/look"));
    }
}

START_TEST(courier_call_declared_instead_goes_before_what_waits_behind)
{
    struct call send = rig_call("l", "/send");
    struct call waiting = rig_call("waiting", "/waiting");
    send.repeat = CALL_REPEAT_NEVER;
    waiting.after_lane = SLICE("l");
    rig.on_end = say_again;
    rig_script(&rig, "/send", (struct rig_reply){.manner = RIG_CLOSE});
    rig_start(&rig);
    rig_declare(&rig, send);
    rig_declare(&rig, waiting);
    rig_declare(&rig, rig_call("l", "/next"));
    rig_run_ends(&rig, 4);
    ck_assert_str_eq(rig.requests[0].path, "/send");
    ck_assert_str_eq(rig.requests[1].path, "/look");
    ck_assert_uint_eq(rig_requests_of(&rig, "/waiting"), 1);
    ck_assert_uint_eq(rig_requests_of(&rig, "/next"), 1);
}
END_TEST

START_TEST(courier_call_waits_for_its_time_and_the_lane_with_it)
{
    struct call late = rig_call("l", "/late");
    rig.clock_ms = 1000000;
    late.not_before_ms = rig.clock_ms + 5000;
    rig_start(&rig);
    rig_declare(&rig, late);
    rig_declare(&rig, rig_call("l", "/behind"));
    rig_declare(&rig, rig_call("other", "/other"));
    rig_run_ends(&rig, 1);
    rig_advance(&rig, 4999);
    rig_run_ms(&rig, 20);
    ck_assert_uint_eq(rig.requests_count, 1);
    ck_assert_str_eq(rig.requests[0].path, "/other");
    rig_advance(&rig, 1);
    rig_run_ends(&rig, 3);
    ck_assert_str_eq(rig.requests[1].path, "/late");
    ck_assert_str_eq(rig.requests[2].path, "/behind");
}
END_TEST

START_TEST(courier_next_call_of_a_lane_waits_for_the_commit)
{
    rig.holds_ends = true;
    rig_start(&rig);
    const int64_t id = rig_declare(&rig, rig_call("l", "/1"));
    rig_declare(&rig, rig_call("l", "/2"));
    ck_assert(!courier_is_sent(rig.courier, id));
    rig_run_ends(&rig, 1);
    ck_assert(courier_is_sent(rig.courier, id));
    rig_run_ms(&rig, 20);
    ck_assert_uint_eq(rig.requests_count, 1);
    rig_commit(&rig);
    rig_run_ends(&rig, 2);
    ck_assert_str_eq(rig.requests[1].path, "/2");
}
END_TEST

START_TEST(courier_cancelled_head_makes_way_for_the_next)
{
    struct call owned = rig_call("l", "/owned");
    owned.auth = CALL_AUTH_OWNER;
    owned.api = CALL_GITTER;
    rig.token[0] = '\0';
    rig_start(&rig);
    const int64_t first = rig_declare(&rig, owned);
    const int64_t second = rig_declare(&rig, owned);
    rig_declare(&rig, rig_call("l", "/free"));
    rig_run_ms(&rig, 20);
    ck_assert(!courier_is_sent(rig.courier, first));
    rig_cancel(&rig, second);
    rig_cancel(&rig, first);
    rig_run_ends(&rig, 1);
    ck_assert_uint_eq(rig.requests_count, 1);
    ck_assert_str_eq(rig.requests[0].path, "/free");
}
END_TEST

static void cancel_it(struct rig *r, const struct rig_request *request)
{
    if (strcmp(request->path, "/first") == 0) {
        ck_assert(courier_is_sent(r->courier, 1));
        rig_cancel(r, 1);
    }
}

START_TEST(courier_call_cancelled_in_flight_ends_without_a_word)
{
    rig.on_request = cancel_it;
    rig_start(&rig);
    rig_declare(&rig, rig_call("l", "/first"));
    rig_declare(&rig, rig_call("l", "/second"));
    rig_run_ends(&rig, 1);
    end_is(2, CALL_END_DONE);
    ck_assert_uint_eq(rig.requests_count, 2);
    ck_assert_int_eq(courier_counts(rig.courier).lanes, 0);
}
END_TEST

static int undecided_asked;

static bool first_is_undecided(void *context, int64_t call_id)
{
    (void)context;
    undecided_asked += call_id == 1 ? 1 : 0;
    return call_id == 1 && undecided_asked <= 3;
}

static bool always_undecided(void *context, int64_t call_id)
{
    (void)context;
    undecided_asked += call_id == 1 ? 1 : 0;
    return call_id == 1;
}

static bool is_asked_twice(const struct rig *r)
{
    (void)r;
    return undecided_asked >= 2;
}

START_TEST(courier_call_waits_while_a_commit_may_cancel_it)
{
    rig.options.is_undecided = first_is_undecided;
    rig_start(&rig);
    rig_declare(&rig, rig_call("l", "/first"));
    rig_declare(&rig, rig_call("other", "/other"));
    rig_run_ends(&rig, 2);
    ck_assert_str_eq(rig.requests[0].path, "/other");
    ck_assert_str_eq(rig.requests[1].path, "/first");
    ck_assert_int_eq(undecided_asked, 4);
}
END_TEST

START_TEST(courier_call_that_a_commit_cancels_is_not_begun)
{
    rig.options.is_undecided = always_undecided;
    rig_start(&rig);
    const int64_t first = rig_declare(&rig, rig_call("l", "/first"));
    rig_declare(&rig, rig_call("l", "/second"));
    rig_run_until(&rig, is_asked_twice);
    ck_assert(!courier_is_sent(rig.courier, first));
    rig_cancel(&rig, first);
    rig_run_ends(&rig, 1);
    ck_assert_uint_eq(rig.requests_count, 1);
    ck_assert_str_eq(rig.requests[0].path, "/second");
}
END_TEST

START_TEST(courier_draining_begins_nothing_and_ends_what_is_in_flight)
{
    rig_script(&rig, "/1", (struct rig_reply){.delay_ms = 30});
    rig_start(&rig);
    rig_declare(&rig, rig_call("a", "/1"));
    rig_run_requests(&rig, 1);
    ck_assert(!courier_is_idle(rig.courier));
    courier_drain(rig.courier);
    rig_declare(&rig, rig_call("a", "/2"));
    rig_declare(&rig, rig_call("b", "/3"));
    rig_run_ends(&rig, 1);
    rig_run_until(&rig, is_idle);
    rig_run_ms(&rig, 20);
    ck_assert_uint_eq(rig.requests_count, 1);
    rig_stop(&rig);
    rig_start(&rig);
    rig_run_ends(&rig, 3);
    ck_assert_uint_eq(rig.requests_count, 3);
}
END_TEST

START_TEST(courier_start_repeats_free_heads_and_gives_up_the_others)
{
    char lane[32];
    struct call never = rig_call("never", "/never");
    struct call early = rig_call("early", "/early");
    struct call barred = rig_call("barred", "/barred");
    never.repeat = CALL_REPEAT_NEVER;
    early.repeat = CALL_REPEAT_NEVER;
    barred.repeat = CALL_REPEAT_NEVER;
    rig.clock_ms = 1000000;
    early.not_before_ms = rig.clock_ms + 5000;
    barred.after_lane = SLICE("free0");
    for (int i = 0; i < 150; i++) { /* more than two pages */
        (void)snprintf(lane, sizeof lane, "free%d", i);
        rig_store(&rig, rig_call(lane, "/free"));
    }
    const int64_t lost = rig_store(&rig, never);
    const int64_t second = rig_store(&rig, never);
    rig_store(&rig, early);
    rig_store(&rig, barred);
    rig_start(&rig);
    ck_assert(courier_is_sent(rig.courier, 1));
    rig_run_ends(&rig, 153);
    ck_assert_uint_eq(rig_requests_of(&rig, "/early"), 0);
    rig_advance(&rig, 5000);
    rig_run_ends(&rig, 154);
    end_is(lost, CALL_END_UNKNOWN);
    ck_assert_str_eq(rig_end_of(&rig, lost)->detail,
                     "the process ended while this call may have been under way");
    end_is(second, CALL_END_DONE);
    ck_assert_uint_eq(rig_requests_of(&rig, "/never"), 1);
    ck_assert_uint_eq(rig_requests_of(&rig, "/free"), 150);
    ck_assert_uint_eq(rig_requests_of(&rig, "/early"), 1);
    ck_assert_uint_eq(rig_requests_of(&rig, "/barred"), 1);
}
END_TEST

START_TEST(courier_start_after_a_clean_stop_makes_all_heads)
{
    struct call never = rig_call("never", "/never");
    never.repeat = CALL_REPEAT_NEVER;
    const int64_t post = rig_store(&rig, never);
    const int64_t free = rig_store(&rig, rig_call("free", "/free"));
    rig.was_clean = true;
    rig_start(&rig);
    ck_assert(!courier_is_sent(rig.courier, post));
    ck_assert(courier_is_sent(rig.courier, free)); /* an answer may have been lost long before */
    rig_run_ends(&rig, 2);
    end_is(post, CALL_END_DONE);
    end_is(free, CALL_END_DONE);
}
END_TEST

START_TEST(courier_is_not_clean_while_a_post_may_have_been_sent)
{
    struct call never = rig_call("never", "/never");
    never.repeat = CALL_REPEAT_NEVER;
    never.auth = CALL_AUTH_OWNER;
    rig_script(&rig, "/never", (struct rig_reply){.manner = RIG_HANG});
    rig_start(&rig);
    ck_assert(courier_is_clean(rig.courier));
    rig_declare(&rig, never);
    ck_assert(courier_is_clean(rig.courier)); /* it is in the outbox, and no byte has left */
    rig_run_requests(&rig, 1);
    ck_assert(!courier_is_clean(rig.courier));
    rig_stop(&rig);
    rig_start(&rig);
    ck_assert(courier_is_idle(rig.courier));
    ck_assert(!courier_is_clean(rig.courier)); /* left from before, and nobody has looked yet */
    rig_run_ends(&rig, 1);
    end_is(1, CALL_END_UNKNOWN);
    ck_assert(courier_is_clean(rig.courier));
}
END_TEST

START_TEST(courier_start_lets_what_a_barrier_holds_be_cancelled)
{
    struct call out = rig_call("out", "/out");
    struct call in = rig_call("in", "/in");
    rig.clock_ms = 1000000;
    out.not_before_ms = rig.clock_ms + 5000;
    in.after_lane = SLICE("out");
    rig_store(&rig, out);
    const int64_t held = rig_store(&rig, in);
    rig_start(&rig);
    ck_assert(!courier_is_sent(rig.courier, held));
    rig_run_ms(&rig, 20);
    ck_assert(!courier_is_sent(rig.courier, held));
    rig_cancel(&rig, held);
    rig_advance(&rig, 5000);
    rig_run_ends(&rig, 1);
    ck_assert_uint_eq(rig_requests_of(&rig, "/out"), 1);
    ck_assert_uint_eq(rig_requests_of(&rig, "/in"), 0);
}
END_TEST

START_TEST(courier_stopped_in_flight_goes_on_after_the_next_start)
{
    struct call never = rig_call("never", "/never");
    never.repeat = CALL_REPEAT_NEVER;
    rig_script(&rig, "/never", (struct rig_reply){.manner = RIG_HANG});
    rig_script(&rig, "/free", (struct rig_reply){.manner = RIG_HANG});
    rig_start(&rig);
    rig_declare(&rig, never);
    rig_declare(&rig, rig_call("free", "/free"));
    rig_run_requests(&rig, 2);
    rig_stop(&rig);
    ck_assert_uint_eq(rig.ends_count, 0);
    rig_start(&rig);
    rig_run_ends(&rig, 2);
    end_is(1, CALL_END_UNKNOWN);
    end_is(2, CALL_END_DONE);
    ck_assert_uint_eq(rig_requests_of(&rig, "/never"), 1);
    ck_assert_uint_eq(rig_requests_of(&rig, "/free"), 2);
}
END_TEST

START_TEST(courier_malformed_call_fails_and_does_not_block_its_lane)
{
    struct call bad_path = rig_call("l", "/a b");
    struct call bad_type = rig_call("l", "/x");
    bad_type.content_type = SLICE("text/plain\r\nX-Evil: 1");
    rig_start(&rig);
    rig_declare(&rig, bad_path);
    rig_declare(&rig, bad_type);
    rig_declare(&rig, rig_call("l", "/good"));
    rig_run_ends(&rig, 3);
    end_is(1, CALL_END_FAILED);
    end_is(2, CALL_END_FAILED);
    end_is(3, CALL_END_DONE);
    ck_assert_uint_eq(rig.requests_count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("courier");
    TCase *tc = tcase_create("courier");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, courier_request_is_as_the_wire_wants_it);
    tcase_add_test(tc, courier_never_call_has_a_length_and_is_not_chunked);
    tcase_add_test(tc, courier_oauth_call_gets_the_client_in_its_form);
    tcase_add_test(tc, courier_get_and_delete_have_no_body);
    tcase_add_test(tc, courier_keeps_the_order_of_a_lane_and_reuses_its_connection);
    tcase_add_test(tc, courier_runs_lanes_side_by_side_under_the_cap);
    tcase_add_test(tc, courier_serves_a_quiet_owner_beside_a_flooding_one);
    tcase_add_test(tc, courier_makes_live_calls_before_catch_up);
    tcase_add_test(tc, courier_barrier_waits_for_all_earlier_calls_of_the_other_lane);
    tcase_add_test(tc, courier_barrier_sees_a_call_declared_behind_it_in_the_same_turn);
    tcase_add_test(tc, courier_call_declared_instead_goes_before_what_waits_behind);
    tcase_add_test(tc, courier_call_waits_for_its_time_and_the_lane_with_it);
    tcase_add_test(tc, courier_next_call_of_a_lane_waits_for_the_commit);
    tcase_add_test(tc, courier_cancelled_head_makes_way_for_the_next);
    tcase_add_test(tc, courier_call_cancelled_in_flight_ends_without_a_word);
    tcase_add_test(tc, courier_call_waits_while_a_commit_may_cancel_it);
    tcase_add_test(tc, courier_call_that_a_commit_cancels_is_not_begun);
    tcase_add_test(tc, courier_draining_begins_nothing_and_ends_what_is_in_flight);
    tcase_add_test(tc, courier_start_repeats_free_heads_and_gives_up_the_others);
    tcase_add_test(tc, courier_start_after_a_clean_stop_makes_all_heads);
    tcase_add_test(tc, courier_is_not_clean_while_a_post_may_have_been_sent);
    tcase_add_test(tc, courier_start_lets_what_a_barrier_holds_be_cancelled);
    tcase_add_test(tc, courier_stopped_in_flight_goes_on_after_the_next_start);
    tcase_add_test(tc, courier_malformed_call_fails_and_does_not_block_its_lane);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
