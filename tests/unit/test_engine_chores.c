/* What a store has to do for itself is done with commits, and by commits of its own where nothing
 * else happens. */
#include "tests/unit/engine_toy.h"
#include "tests/unit/slice_check.h"

static struct bench bench;

static void setup(void)
{
    bench_open(&bench);
    bench_do(&bench, "a call lane one; a add 1");
}

static void teardown(void)
{
    bench_close(&bench);
}

static bool has_chores(void)
{
    return bench.store->methods->has_chores(bench.store);
}

START_TEST(chores_are_done_one_after_the_other_while_nothing_happens)
{
    store_memory_give_chores(bench.store, 3);
    ck_assert_int_eq(engine_next_ms(bench.engine), bench.now_ms + 100);
    bench_run(&bench);
    for (int left = 3; left > 0; left--) {
        ck_assert(has_chores());
        bench_wait(&bench, 100);
    }
    ck_assert(!has_chores());
    ck_assert_int_eq(engine_next_ms(bench.engine), 0);
    bench_do(&bench, "a add 1");
    ck_assert_int_eq(bench_peek(&bench, "a")->sum, 2);
    ck_assert(engine_is_quiet(bench.engine));
}
END_TEST

START_TEST(chores_go_on_in_the_next_process)
{
    store_memory_give_chores(bench.store, 1);
    bench_crash(&bench);
    bench_wait(&bench, 100);
    ck_assert(!has_chores());
}
END_TEST

START_TEST(turns_do_the_chores_as_well)
{
    store_memory_give_chores(bench.store, 2);
    bench_do(&bench, "a add 1");
    bench_do(&bench, "a add 1");
    ck_assert(!has_chores());
}
END_TEST

START_TEST(turn_waits_for_a_chore_and_calls_do_not)
{
    struct outbox_call row = {0};
    ck_rc_eq(bench.store->methods->lane_head(bench.store, SLICE("lane"), bench.arena, &row), RC_OK);
    store_memory_give_chores(bench.store, 1);
    store_memory_hold(bench.store, true);
    bench_wait(&bench, 100);
    ck_assert(!engine_is_quiet(bench.engine));
    ck_assert(!engine_is_undecided(bench.engine, row.id));
    bench_post(&bench, "b add 1");
    ck_assert(!engine_run(bench.engine));
    store_memory_hold(bench.store, false);
    store_memory_finish(bench.store);
    bench_run(&bench);
    ck_assert_int_eq(bench_peek(&bench, "b")->sum, 1);
    ck_assert(!has_chores());
}
END_TEST

START_TEST(chore_that_fails_is_tried_again_after_a_pause)
{
    store_memory_give_chores(bench.store, 1);
    store_memory_fail_next(bench.store, RC_FULL);
    bench_wait(&bench, 100);
    ck_assert(has_chores());
    ck_assert_int_eq(bench.store_rc, RC_FULL);
    ck_assert_int_eq(engine_next_ms(bench.engine), bench.now_ms + 1000);
    bench_wait(&bench, 1000);
    ck_assert(!has_chores());
    ck_assert_int_eq(bench.store_rc, RC_OK);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("engine_chores");
    TCase *tests = tcase_create("engine_chores");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, chores_are_done_one_after_the_other_while_nothing_happens);
    tcase_add_test(tests, chores_go_on_in_the_next_process);
    tcase_add_test(tests, turns_do_the_chores_as_well);
    tcase_add_test(tests, turn_waits_for_a_chore_and_calls_do_not);
    tcase_add_test(tests, chore_that_fails_is_tried_again_after_a_pause);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
