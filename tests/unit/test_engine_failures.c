/* The engine when the turns of one actor fail again and again: nobody else is concerned. */
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

START_TEST(deadline_that_fails_is_tried_again_after_growing_pauses)
{
    bench_do(&bench, "a tag broken; a wake 5000");
    bench_expect(&bench, "changed a\n");
    bench_wait(&bench, 4000);
    bench_expect(&bench, "failed DEADLINE a TOO_BIG\n");
    ck_assert_int_eq(engine_next_ms(bench.engine), 6000);
    bench_wait(&bench, 999);
    bench_expect(&bench, "");
    bench_wait(&bench, 1);
    bench_expect(&bench, "failed DEADLINE a TOO_BIG\n");
    ck_assert_int_eq(engine_next_ms(bench.engine), 8000);
    bench_wait(&bench, 2000);
    bench_expect(&bench, "failed DEADLINE a TOO_BIG\n");
    ck_assert_int_eq(engine_next_ms(bench.engine), 12000);
    ck_assert_int_eq(engine_counts(bench.engine).turns_failed, 3);
    ck_assert_int_eq(engine_counts(bench.engine).commits_failed, 0);
}
END_TEST

START_TEST(deadline_that_fails_holds_up_nobody)
{
    bench_do(&bench, "a tag broken; a wake 5000; b wake 5000; c wake 5500");
    bench_wait(&bench, 4000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "0");
    ck_assert_str_eq(bench_actor(&bench, "b"), "1000");
    ck_assert_int_eq(engine_next_ms(bench.engine), 5500);
    bench_do(&bench, "d add 1");
    ck_assert_str_eq(bench_actor(&bench, "d"), "1");
    bench_wait(&bench, 500);
    ck_assert_str_eq(bench_actor(&bench, "c"), "1000");
    ck_assert_int_eq(engine_next_ms(bench.engine), 6000);
}
END_TEST

START_TEST(deadline_that_failed_works_again_when_it_can)
{
    bench_do(&bench, "a tag broken; a wake 5000");
    bench_wait(&bench, 4000);
    bench_do(&bench, "a tag whole");
    ck_assert_str_eq(bench_actor(&bench, "a"), "0");
    bench_wait(&bench, 1000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1000");
    ck_assert_int_eq(engine_next_ms(bench.engine), 0);
    bench_do(&bench, "a tag broken; a wake 20000");
    bench_wait(&bench, 14000);
    ck_assert_int_eq(engine_next_ms(bench.engine), 21000); /* the pauses begin small again */
}
END_TEST

START_TEST(deadlines_behind_many_that_fail_come)
{
    char script[64];
    for (int i = 0; i < 150; i++) {
        (void)snprintf(script, sizeof script, "a%d tag broken; a%d wake 5000", i, i);
        bench_do(&bench, script);
        bench.done = 0;
    }
    bench_do(&bench, "z wake 5001");
    bench_wait(&bench, 4001);
    ck_assert_str_eq(bench_actor(&bench, "z"), "1000");
    ck_assert_int_eq(engine_counts(bench.engine).turns_failed, 150);
    ck_assert_int_eq(engine_next_ms(bench.engine), 6001);
}
END_TEST

START_TEST(end_whose_turn_fails_is_consumed)
{
    bench_do(&bench, "b tag broken; b call other one; b call other two");
    bench_expect(&bench, "call other one\ncall other two\nchanged b\n");
    bench_end(&bench, "other");
    bench_run(&bench);
    bench_expect(&bench, "failed ENDED b TOO_BIG\nended other\nchanged b\n");
    ck_assert_int_eq(bench_peek(&bench, "b")->ends, 0);
    ck_assert_str_eq(bench_lane(&bench, "other"), "two");
    bench_end(&bench, "other");
    bench_run(&bench);
    ck_assert_str_eq(bench_lane(&bench, "other"), "");
    bench_crash(&bench);
    bench_do(&bench, "b tag whole; b close");
    ck_assert_str_eq(bench_actor(&bench, "b"), "-"); /* with calls left it would be GONE */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine_failures");
    TCase *tests = tcase_create("engine_failures");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, deadline_that_fails_is_tried_again_after_growing_pauses);
    tcase_add_test(tests, deadline_that_fails_holds_up_nobody);
    tcase_add_test(tests, deadline_that_failed_works_again_when_it_can);
    tcase_add_test(tests, deadlines_behind_many_that_fail_come);
    tcase_add_test(tests, end_whose_turn_fails_is_consumed);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
