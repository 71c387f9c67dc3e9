/* What a turn may do: calls, their cancelling and succession, and the directory with what is not
 * committed yet. */
#include "tests/unit/engine_toy.h"
#include "tests/unit/slice_check.h"

#include <stdio.h>

static struct bench bench;

static void setup(void)
{
    bench_open(&bench);
}

static void teardown(void)
{
    bench_close(&bench);
}

static struct outbox_call head(const char *lane)
{
    struct outbox_call row = {0};
    ck_assert_int_eq(
        bench.store->methods->lane_head(bench.store, slice_from_cstr(lane), bench.arena, &row),
        RC_OK);
    return row;
}

/* What a fresh actor noted when it was told so. */
static struct slice noted(const char *what)
{
    static int asked;
    char script[128];
    char key[16];
    (void)snprintf(key, sizeof key, "asker%d", asked++);
    (void)snprintf(script, sizeof script, "%s %s", key, what);
    bench_do(&bench, script);
    return bench_peek(&bench, key)->noted;
}

/* Calls */

START_TEST(calls_of_a_lane_end_in_order_and_leave)
{
    bench_do(&bench, "a call lane one; a call lane two");
    bench_do(&bench, "a call lane three");
    ck_assert_str_eq(bench_lane(&bench, "lane"), "one two three");
    bench_end(&bench, "lane");
    bench_run(&bench);
    ck_assert_str_eq(bench_lane(&bench, "lane"), "two three");
    ck_text_eq(bench_peek(&bench, "a")->noted, "one");
    bench_expect(&bench, "call lane one\n"
                         "call lane two\n"
                         "changed a\n"
                         "call lane three\n"
                         "changed a\n"
                         "ended lane\n"
                         "changed a\n");
}
END_TEST

START_TEST(call_that_was_declared_and_cancelled_in_one_turn_never_was)
{
    bench_do(&bench, "a add 1; a call lane one; a call other two; a cancel lane; a close");
    ck_assert_str_eq(bench_lane(&bench, "lane"), "");
    ck_assert_str_eq(bench_lane(&bench, "other"), "two");
    bench_end(&bench, "other");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
}
END_TEST

START_TEST(call_of_an_earlier_turn_of_the_batch_can_be_cancelled)
{
    bench_post(&bench, "a add 1; a call lane one; a call lane two");
    bench_post(&bench, "a cancel lane one");
    bench_run(&bench);
    ck_assert_str_eq(bench_lane(&bench, "lane"), "two");
    bench_do(&bench, "a cancel lane; a close");
    ck_assert_str_eq(bench_lane(&bench, "lane"), "");
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
}
END_TEST

START_TEST(committed_calls_are_cancelled_by_ref_or_all)
{
    bench_do(&bench, "a add 1; a call lane one; a call lane two; a call lane one");
    bench_do(&bench, "a cancel lane one");
    ck_assert_str_eq(bench_lane(&bench, "lane"), "two");
    bench_do(&bench, "a cancel lane; a cancel lane");
    ck_assert_str_eq(bench_lane(&bench, "lane"), "");
    bench_do(&bench, "a close");
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
}
END_TEST

START_TEST(call_that_may_have_been_sent_is_not_cancelled)
{
    bench_do(&bench, "a add 1; a call lane one; a call lane two");
    bench.sent = head("lane").id;
    bench_do(&bench, "a cancel lane; a close");
    ck_assert_str_eq(bench_lane(&bench, "lane"), "one");
    ck_assert_str_eq(bench_actor(&bench, "a"), "1(GONE)");
    bench_end(&bench, "lane");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
}
END_TEST

START_TEST(many_calls_are_cancelled_at_once)
{
    for (int i = 0; i < 300; i++) {
        const struct slice script = SLICE("a call lane x");
        engine_post(bench.engine, &(struct input){.msg = {TOY_SCRIPT, &script}});
    }
    bench_run(&bench);
    bench_do(&bench, "a cancel lane; a close");
    ck_assert_str_eq(bench_lane(&bench, "lane"), "");
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
}
END_TEST

START_TEST(successor_stands_where_its_call_stood)
{
    bench_do(&bench, "a again; a call lane one; a call lane two");
    const struct outbox_call first = head("lane");
    bench_end(&bench, "lane");
    bench_run(&bench);
    ck_assert_str_eq(bench_lane(&bench, "lane"), "one' two");
    const struct outbox_call second = head("lane");
    ck_assert_int_eq(second.place, first.place);
    ck_assert_int_eq(second.turn, first.turn);
    ck_assert_int_gt(second.id, first.id);
    bench_do(&bench, "a again");
    bench_end(&bench, "lane");
    bench_run(&bench);
    ck_assert_str_eq(bench_lane(&bench, "lane"), "one'' two");
}
END_TEST

START_TEST(end_of_a_call_of_nobody_is_counted_and_its_row_goes)
{
    const struct outbox_call call = {.id = 9,
                                     .place = 9,
                                     .turn = 1,
                                     .actor_key = SLICE("ghost"),
                                     .call = {.purpose = TOY_ENDED,
                                              .lane = SLICE("lane"),
                                              .method = SLICE("GET"),
                                              .path = SLICE("/")}};
    const struct store_batch batch = {.next_turn = 5, .calls = &call, .calls_count = 1};
    bench.store->methods->commit(bench.store, &batch, NULL, NULL);
    store_memory_crash(bench.store);
    bench_end(&bench, "lane");
    bench_run(&bench);
    ck_assert_str_eq(bench_lane(&bench, "lane"), "");
    ck_assert_int_eq(engine_counts(bench.engine).absent, 1);
    ck_assert_str_eq(bench_actor(&bench, "ghost"), "-");
}
END_TEST

START_TEST(calls_of_a_failed_turn_are_not_counted)
{
    bench_do(&bench, "a add 1");
    bench_do(&bench, "a call lane one; a boom");
    bench_do(&bench, "a close");
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
}
END_TEST

/* Finding actors */

START_TEST(find_sees_what_is_committed_and_what_is_not)
{
    bench_do(&bench, "b tag x; d tag x; e tag y");
    bench_post(&bench, "c tag x; d tag y");
    bench_post(&bench, "a tag x; z find x; z find y");
    bench_run(&bench);
    ck_text_eq(bench_peek(&bench, "z")->noted, "3: a b c 2: d e");
    ck_text_eq(noted("find x"), "3: a b c");
    ck_text_eq(noted("find nothing"), "0:");
}
END_TEST

START_TEST(find_does_not_see_who_is_gone_or_of_a_failed_turn)
{
    bench_do(&bench, "a tag x; b tag x");
    bench_post(&bench, "a close");
    bench_post(&bench, "c tag x; c boom");
    bench_post(&bench, "z find x");
    bench_run(&bench);
    ck_text_eq(bench_peek(&bench, "z")->noted, "1: b");
}
END_TEST

START_TEST(find_sees_actors_that_are_not_in_memory)
{
    bench_do(&bench, "a tag x; b tag x");
    bench_crash(&bench);
    ck_text_eq(noted("find x"), "2: a b");
    bench_crash(&bench);
    bench_post(&bench, "a tag y");
    bench_post(&bench, "z find x; z find y; z exists b; z exists q");
    bench_run(&bench);
    ck_text_eq(bench_peek(&bench, "z")->noted, "1: b 1: a OPEN -");
}
END_TEST

START_TEST(find_gives_more_than_a_page)
{
    for (int i = 0; i < 600; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "a%d tag x", i);
        const struct slice script = slice_from_cstr(text);
        engine_post(bench.engine, &(struct input){.msg = {TOY_SCRIPT, &script}});
    }
    bench_run(&bench);
    ck_assert(slice_starts_with(noted("find x"), SLICE("600: a0 a1 a10 a100 ")));
}
END_TEST

/* Relations */

START_TEST(relations_see_what_is_committed_and_what_is_not)
{
    bench_do(&bench, "a relate l r1 v1; a relate l r2 v2; a relate other r1 v9");
    bench_post(&bench, "a relate l r3 v3; a relate l r1 new");
    bench_post(&bench, "z related l r1; z related l r2; z related l r3; z related l r4; z "
                       "relations l; z by-value l v2; z by-value l v3; z by-value l new; z "
                       "by-value l v1");
    bench_run(&bench);
    ck_text_eq(bench_peek(&bench, "z")->noted, "new v2 v3 - 3: r1 r2 r3 r2 r3 r1 -");
    ck_text_eq(noted("by-value l v1"), "-");
    ck_text_eq(noted("by-value l new"), "r1");
}
END_TEST

START_TEST(unrelated_ones_are_gone_at_once)
{
    bench_do(&bench, "a relate l r1 v1; a relate l r2 v2");
    bench_do(&bench, "a unrelate l r1; z related l r1; z relations l; z by-value l v1");
    ck_text_eq(bench_peek(&bench, "z")->noted, "- 1: r2 -");
    ck_text_eq(noted("relations l"), "1: r2");
}
END_TEST

START_TEST(all_of_one_side_are_unrelated_at_once_and_may_come_back)
{
    bench_do(&bench, "a relate l r1 v1; a relate l r2 v2; a relate m r1 v1");
    bench_do(&bench, "a relate l r3 v3; a unrelate l ; a relate l r2 back; z relations l; z "
                     "related l r1; z related l r2; z related l r3; z relations m");
    ck_text_eq(bench_peek(&bench, "z")->noted, "1: r2 - back - 1: r1");
    ck_text_eq(noted("relations l"), "1: r2");
    ck_text_eq(noted("related l r2"), "back");
}
END_TEST

START_TEST(relations_give_more_than_a_page)
{
    for (int i = 0; i < 600; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "a relate l r%03d v", i);
        const struct slice script = slice_from_cstr(text);
        engine_post(bench.engine, &(struct input){.msg = {TOY_SCRIPT, &script}});
    }
    bench_run(&bench);
    ck_assert(slice_starts_with(noted("relations l"), SLICE("600: r000 r001 r002 ")));
}
END_TEST

/* Damage */

START_TEST(actor_of_an_unknown_state_fails_its_turns_alone)
{
    const struct store_actor odd = {.key = SLICE("odd"), .state = SLICE("UNHEARD"), .calls = 1};
    const struct store_batch batch = {.next_turn = 5, .actors = &odd, .actors_count = 1};
    bench.store->methods->commit(bench.store, &batch, NULL, NULL);
    store_memory_crash(bench.store);
    bench_post(&bench, "odd add 1; a add 1");
    bench_post(&bench, "a add 5");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "5");
    ck_assert_str_eq(bench_actor(&bench, "odd"), "-");
    ck_assert_int_eq(engine_counts(bench.engine).turns_failed, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("turn");
    TCase *tests = tcase_create("turn");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, calls_of_a_lane_end_in_order_and_leave);
    tcase_add_test(tests, call_that_was_declared_and_cancelled_in_one_turn_never_was);
    tcase_add_test(tests, call_of_an_earlier_turn_of_the_batch_can_be_cancelled);
    tcase_add_test(tests, committed_calls_are_cancelled_by_ref_or_all);
    tcase_add_test(tests, call_that_may_have_been_sent_is_not_cancelled);
    tcase_add_test(tests, many_calls_are_cancelled_at_once);
    tcase_add_test(tests, successor_stands_where_its_call_stood);
    tcase_add_test(tests, end_of_a_call_of_nobody_is_counted_and_its_row_goes);
    tcase_add_test(tests, calls_of_a_failed_turn_are_not_counted);
    tcase_add_test(tests, find_sees_what_is_committed_and_what_is_not);
    tcase_add_test(tests, find_does_not_see_who_is_gone_or_of_a_failed_turn);
    tcase_add_test(tests, find_sees_actors_that_are_not_in_memory);
    tcase_add_test(tests, find_gives_more_than_a_page);
    tcase_add_test(tests, relations_see_what_is_committed_and_what_is_not);
    tcase_add_test(tests, unrelated_ones_are_gone_at_once);
    tcase_add_test(tests, all_of_one_side_are_unrelated_at_once_and_may_come_back);
    tcase_add_test(tests, relations_give_more_than_a_page);
    tcase_add_test(tests, actor_of_an_unknown_state_fails_its_turns_alone);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
