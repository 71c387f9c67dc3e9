/* The engine: batches, failures, repetition, deadlines. */
#include "runtime/base/limits.h"
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

START_TEST(turns_of_one_batch_see_what_earlier_ones_did)
{
    bench_post(&bench, "a add 1; a tag x");
    bench_post(&bench, "a add 2; b find x; b exists a");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "3");
    ck_text_eq(bench_peek(&bench, "b")->noted, "1: a OPEN");
    ck_assert_int_eq(engine_counts(bench.engine).batches, 1);
    ck_assert_int_eq(engine_counts(bench.engine).turns, 2);
}
END_TEST

START_TEST(messages_of_a_turn_come_first_in_first_out)
{
    bench_do(&bench, "a tell b; b exists a; b add 5");
    ck_assert_str_eq(bench_actor(&bench, "b"), "6");
    ck_assert_int_eq(engine_counts(bench.engine).steps, 4);
}
END_TEST

START_TEST(effects_leave_after_the_commit_and_in_order)
{
    store_memory_hold(bench.store, true);
    bench_post(&bench, "a call lane one; a answer 7; a link; a call lane two");
    bench_run(&bench);
    bench_expect(&bench, "");
    ck_assert_uint_eq(bench.done, 0);
    ck_assert(!engine_is_quiet(bench.engine));
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
    store_memory_finish(bench.store);
    bench_expect(&bench, "");
    bench_run(&bench);
    bench_expect(&bench, "call lane one\n"
                         "call lane two\n"
                         "changed a\n"
                         "link a\n"
                         "answer 7 200\n");
    ck_assert_uint_eq(bench.done, 1);
    ck_assert_int_eq(bench.done_rc[0], RC_OK);
    ck_assert(engine_is_quiet(bench.engine));
}
END_TEST

START_TEST(inputs_posted_during_a_commit_wait_for_the_next)
{
    store_memory_hold(bench.store, true);
    bench_post(&bench, "a add 1");
    bench_run(&bench);
    bench_post(&bench, "a add 2");
    ck_assert(!engine_run(bench.engine));
    store_memory_hold(bench.store, false);
    store_memory_finish(bench.store);
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "3");
    ck_assert_int_eq(engine_counts(bench.engine).batches, 2);
}
END_TEST

START_TEST(turn_that_fails_leaves_no_trace)
{
    bench_post(&bench, "a add 1");
    bench_post_event(&bench,
                     "a add 10; b add 1; a call lane x; a relate l r v; a answer 1; a link; a boom",
                     "$e");
    bench_post(&bench, "a add 2; a related l r; a find x");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "3");
    ck_assert_str_eq(bench_actor(&bench, "b"), "-");
    ck_assert_str_eq(bench_lane(&bench, "lane"), "");
    ck_text_eq(bench_peek(&bench, "a")->noted, "- 0:");
    bench_expect(&bench, "failed SCRIPT $e TOO_BIG\nchanged a\n");
    ck_assert_uint_eq(bench.done, 3);
    ck_assert_int_eq(bench.done_rc[1], RC_OK); /* it is over: nobody shall repeat it */
    ck_assert_int_eq(engine_counts(bench.engine).turns_failed, 1);
    ck_assert_int_eq(bench.store->methods->seen(bench.store, SLICE("$e")), RC_ABSENT);
}
END_TEST

START_TEST(turn_without_end_is_stopped)
{
    bench_do(&bench, "a add 1; a spin");
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
    ck_assert_int_eq(engine_counts(bench.engine).turns_failed, 1);
    bench_do(&bench, "a add 1");
    ck_assert_str_eq(bench_actor(&bench, "a"), "1");
}
END_TEST

/* Failed commits */

START_TEST(failed_commit_gives_up_what_is_repeated_and_runs_the_rest_again)
{
    bench_do(&bench, "a add 1");
    bench.done = 0;
    bench_expect(&bench, "changed a\n");
    store_memory_fail_next(bench.store, RC_FULL);
    bench_post(&bench, "a add 10");
    bench_post_event(&bench, "a add 100; a answer 1", "$e");
    bench_post(&bench, "a add 1000");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1");
    ck_assert_uint_eq(bench.done, 1);
    ck_assert_int_eq(bench.done_rc[0], RC_FULL);
    bench_expect(&bench, "");
    ck_assert_int_eq(engine_counts(bench.engine).commits_failed, 1);
    ck_assert_int_eq(engine_next_ms(bench.engine), bench.now_ms + 1000);
    bench_wait(&bench, 999);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1");
    bench_wait(&bench, 1);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1011");
    ck_assert_uint_eq(bench.done, 3);
    bench_expect(&bench, "changed a\n");
    bench_post_event(&bench, "a add 100", "$e");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1111");
}
END_TEST

START_TEST(commit_that_fails_again_and_again_is_tried_again)
{
    bench_post(&bench, "a add 1");
    for (int i = 0; i < 3; i++) {
        store_memory_fail_next(bench.store, RC_IO);
        bench_wait(&bench, 1000);
    }
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
    ck_assert_int_eq(engine_counts(bench.engine).commits_failed, 3);
    bench_wait(&bench, 1000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1");
    ck_assert(engine_is_quiet(bench.engine));
}
END_TEST

START_TEST(failing_store_is_told_once_and_once_that_it_works)
{
    bench_do(&bench, "a add 1");
    ck_assert_uint_eq(bench.store_said, 0);
    bench_post(&bench, "a add 1");
    for (int i = 0; i < 3; i++) {
        store_memory_fail_next(bench.store, RC_CORRUPT);
        bench_wait(&bench, 1000);
        bench_do(&bench, "b nothing");
    }
    ck_assert_uint_eq(bench.store_said, 1);
    ck_assert_int_eq(bench.store_rc, RC_CORRUPT);
    bench_wait(&bench, 1000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "2");
    ck_assert_uint_eq(bench.store_said, 2);
    ck_assert_int_eq(bench.store_rc, RC_OK);
}
END_TEST

START_TEST(event_that_comes_while_the_store_fails_is_given_up_too)
{
    bench_post(&bench, "a add 1");
    store_memory_fail_next(bench.store, RC_FULL);
    bench_run(&bench);
    bench_post_event(&bench, "a add 10", "$e");
    bench_run(&bench);
    ck_assert_uint_eq(bench.done, 0);
    store_memory_fail_next(bench.store, RC_FULL);
    bench_wait(&bench, 1000);
    ck_assert_uint_eq(bench.done, 1);
    ck_assert_int_eq(bench.done_rc[0], RC_FULL);
    bench_wait(&bench, 1000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1");
}
END_TEST

START_TEST(end_of_a_call_is_never_given_up)
{
    bench_do(&bench, "a call lane one");
    bench_end(&bench, "lane");
    store_memory_fail_next(bench.store, RC_IO);
    bench_run(&bench);
    ck_assert_str_eq(bench_lane(&bench, "lane"), "one");
    bench_wait(&bench, 1000);
    ck_assert_str_eq(bench_lane(&bench, "lane"), "");
    ck_assert_int_eq(bench_peek(&bench, "a")->ends, 1);
}
END_TEST

/* Repetition */

START_TEST(event_is_handled_once_in_one_batch_and_over_batches)
{
    bench_post_event(&bench, "a add 1", "$e");
    bench_post_event(&bench, "a add 1", "$e");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1");
    ck_assert_uint_eq(bench.done, 2);
    bench_post_event(&bench, "a add 1", "$e");
    bench_run(&bench);
    bench_crash(&bench);
    bench_post_event(&bench, "a add 1", "$e");
    bench_post_event(&bench, "a add 1", "$f");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "2");
    ck_assert_uint_eq(bench.done, 5);
    ck_assert_int_eq(engine_counts(bench.engine).inputs_repeated, 1);
}
END_TEST

START_TEST(event_that_changes_nothing_is_remembered_all_the_same)
{
    bench_post_event(&bench, "a nothing", "$e");
    bench_run(&bench);
    ck_assert_int_eq(bench.store->methods->seen(bench.store, SLICE("$e")), RC_OK);
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
}
END_TEST

/* Beginning and ending */

START_TEST(beginner_that_stays_blank_is_not_stored)
{
    bench_do(&bench, "a nothing");
    bench_expect(&bench, "");
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
    bench_do(&bench, "a add 0");
    ck_assert_str_eq(bench_actor(&bench, "a"), "0");
    bench_do(&bench, "a add 0");
    bench_expect(&bench, "changed a\n");
}
END_TEST

START_TEST(actor_in_its_last_state_is_gone)
{
    bench_do(&bench, "a add 3; a tag x");
    bench_do(&bench, "a close; b exists a; b find x");
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
    ck_text_eq(bench_peek(&bench, "b")->noted, "- 0:");
    bench_crash(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
    bench_do(&bench, "a add 1");
    ck_assert_str_eq(bench_actor(&bench, "a"), "1");
}
END_TEST

START_TEST(actor_with_calls_stays_in_its_last_state_until_they_ended)
{
    bench_do(&bench, "a add 1; a call lane one; a call lane two; a close");
    ck_assert_str_eq(bench_actor(&bench, "a"), "1(GONE)");
    bench_end(&bench, "lane");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1(GONE)");
    bench_end(&bench, "lane");
    bench_run(&bench);
    ck_assert_str_eq(bench_actor(&bench, "a"), "-");
}
END_TEST

/* Deadlines */

START_TEST(deadline_comes_once_at_its_time)
{
    bench_do(&bench, "a wake 5000");
    ck_assert_int_eq(engine_next_ms(bench.engine), 5000);
    bench_wait(&bench, 3999);
    ck_assert_str_eq(bench_actor(&bench, "a"), "0");
    bench_wait(&bench, 1);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1000");
    ck_assert_int_eq(engine_next_ms(bench.engine), 0);
    bench_wait(&bench, 100000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1000");
}
END_TEST

START_TEST(deadline_that_was_moved_or_cleared_does_not_come_at_the_old_time)
{
    bench_do(&bench, "a wake 5000; b wake 5000; c wake 5000");
    bench_do(&bench, "a wake 9000; b wake 0");
    bench_wait(&bench, 5000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "0");
    ck_assert_str_eq(bench_actor(&bench, "b"), "0");
    ck_assert_str_eq(bench_actor(&bench, "c"), "1000");
    ck_assert_int_eq(engine_next_ms(bench.engine), 9000);
    bench_wait(&bench, 4000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1000");
}
END_TEST

START_TEST(earlier_deadline_of_another_is_noticed)
{
    bench_do(&bench, "a wake 9000");
    bench_do(&bench, "b wake 4000");
    ck_assert_int_eq(engine_next_ms(bench.engine), 4000);
}
END_TEST

START_TEST(deadlines_survive_a_restart_and_may_be_many)
{
    char script[32];
    for (int i = 0; i < 200; i++) {
        (void)snprintf(script, sizeof script, "a%d wake 5000", i);
        bench_post(&bench, script);
        if (i % 50 == 49) {
            bench_run(&bench);
            bench.done = 0;
        }
    }
    bench_crash(&bench);
    ck_assert_int_eq(engine_next_ms(bench.engine), 5000);
    bench_wait(&bench, 60000);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(script, sizeof script, "a%d", i);
        ck_assert_str_eq(bench_actor(&bench, script), "1000");
    }
    ck_assert_int_eq(engine_next_ms(bench.engine), 0);
}
END_TEST

START_TEST(deadline_of_a_failed_commit_comes_again)
{
    bench_do(&bench, "a wake 5000");
    store_memory_fail_next(bench.store, RC_IO);
    bench_wait(&bench, 4000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "0");
    bench_wait(&bench, 1000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1000");
}
END_TEST

/* Bounds */

START_TEST(batch_takes_so_many_turns_at_most)
{
    for (int i = 0; i < BATCH_TURNS_MAX + 10; i++) {
        engine_post(bench.engine, &(struct input){.msg = {TOY_SCRIPT, &SLICE("a add 1")}});
    }
    ck_assert(engine_run(bench.engine) || store_memory_is_pending(bench.store));
    store_memory_poll(bench.store);
    ck_assert_int_eq(bench_peek(&bench, "a")->sum, BATCH_TURNS_MAX);
    bench_run(&bench);
    ck_assert_int_eq(bench_peek(&bench, "a")->sum, BATCH_TURNS_MAX + 10);
}
END_TEST

START_TEST(batch_takes_so_much_time_at_most)
{
    for (int i = 0; i < 10; i++) {
        bench_post(&bench, "a add 1");
    }
    bench.tick_ms = BATCH_MS_MAX;
    (void)engine_run(bench.engine);
    store_memory_poll(bench.store);
    ck_assert_int_eq(bench_peek(&bench, "a")->sum, 1);
    bench_run(&bench);
    ck_assert_int_eq(bench_peek(&bench, "a")->sum, 10);
}
END_TEST

/* Runs the engine as the loop does until it commits; gives how often it let the loop go on. */
static int run_to_commit(void)
{
    int rounds = 1;
    while (engine_run(bench.engine)) {
        rounds++;
    }
    return rounds;
}

static void commit_that_takes(int64_t ms)
{
    store_memory_hold(bench.store, true);
    bench_post(&bench, "a add 1");
    (void)run_to_commit();
    bench.now_ms += ms;
    store_memory_hold(bench.store, false);
    store_memory_finish(bench.store);
    store_memory_poll(bench.store);
}

START_TEST(batch_after_a_slow_commit_may_take_as_long)
{
    commit_that_takes(200);
    for (int i = 0; i < 30; i++) {
        bench_post(&bench, "a add 1");
    }
    bench.tick_ms = BATCH_MS_MAX; /* so long takes each look at the clock, and each turn has two */
    ck_assert_int_gt(run_to_commit(), 5);
    store_memory_poll(bench.store);
    const int64_t first = bench_peek(&bench, "a")->sum;
    ck_assert_int_gt(first, 5);
    ck_assert_int_lt(first, 31);
    ck_assert_int_eq(engine_counts(bench.engine).batches, 2);
    bench_run(&bench);
    ck_assert_int_eq(bench_peek(&bench, "a")->sum, 31);
}
END_TEST

START_TEST(batch_that_grew_fails_as_a_whole)
{
    commit_that_takes(200);
    for (int i = 0; i < 3; i++) {
        bench_post(&bench, "a add 1");
    }
    bench.tick_ms = BATCH_MS_MAX;
    store_memory_fail_next(bench.store, RC_FULL);
    ck_assert_int_gt(run_to_commit(), 1);
    store_memory_poll(bench.store);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1");
    bench_wait(&bench, 1000);
    bench_wait(&bench, 1000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "4");
}
END_TEST

START_TEST(inputs_that_came_during_a_failing_commit_are_given_up_too)
{
    store_memory_hold(bench.store, true);
    store_memory_fail_next(bench.store, RC_FULL);
    bench_post(&bench, "a add 1");
    bench_run(&bench);
    bench_post_event(&bench, "a add 10", "$e");
    store_memory_hold(bench.store, false);
    store_memory_finish(bench.store);
    bench_run(&bench);
    ck_assert_uint_eq(bench.done, 1);
    ck_assert_int_eq(bench.done_rc[0], RC_FULL);
    bench_wait(&bench, 1000);
    ck_assert_str_eq(bench_actor(&bench, "a"), "1");
    ck_assert_uint_eq(bench.done, 2);
    ck_assert(engine_is_quiet(bench.engine));
}
END_TEST

START_TEST(calls_of_a_commit_under_way_are_undecided)
{
    struct outbox_call row = {0};
    bench_do(&bench, "a call lane one; a call other two");
    const struct store_methods *methods = bench.store->methods;
    ck_assert_int_eq(methods->lane_head(bench.store, SLICE("lane"), bench.arena, &row), RC_OK);
    const int64_t one = row.id;
    ck_assert_int_eq(methods->lane_head(bench.store, SLICE("other"), bench.arena, &row), RC_OK);
    const int64_t two = row.id;
    ck_assert(!engine_is_undecided(bench.engine, one));
    store_memory_hold(bench.store, true);
    bench_post(&bench, "a cancel lane; a call third three");
    bench_run(&bench);
    ck_assert(engine_is_undecided(bench.engine, one));
    ck_assert(!engine_is_undecided(bench.engine, two));
    store_memory_hold(bench.store, false);
    store_memory_finish(bench.store);
    ck_assert_int_eq(methods->lane_head(bench.store, SLICE("third"), bench.arena, &row), RC_OK);
    ck_assert(engine_is_undecided(bench.engine, row.id)); /* the store has it, and nobody heard */
    bench_run(&bench);
    ck_assert(!engine_is_undecided(bench.engine, one));
    ck_assert(!engine_is_undecided(bench.engine, row.id));
}
END_TEST

START_TEST(actors_at_rest_are_put_away_and_come_back)
{
    char text[32];
    const int all = ACTORS_CACHED_MAX + 500;
    for (int i = 0; i < all; i++) {
        (void)snprintf(text, sizeof text, "a%d add %d", i, i + 1);
        const struct slice script = slice_from_cstr(text);
        engine_post(bench.engine, &(struct input){.msg = {TOY_SCRIPT, &script}});
    }
    bench_run(&bench);
    ck_assert_int_le(engine_counts(bench.engine).actors_cached, ACTORS_CACHED_MAX);
    for (int i = 0; i < all; i += 100) {
        (void)snprintf(text, sizeof text, "a%d", i);
        ck_assert_int_eq(bench_peek(&bench, text)->sum, i + 1);
    }
    bench_do(&bench, "a0 add 1");
    ck_assert_str_eq(bench_actor(&bench, "a0"), "2");
    ck_assert_int_le(engine_counts(bench.engine).actors_cached, ACTORS_CACHED_MAX);
}
END_TEST

START_TEST(turn_numbers_and_call_ids_grow_over_a_restart)
{
    struct outbox_call first = {0};
    struct outbox_call second = {0};
    bench_do(&bench, "a call one x");
    bench_crash(&bench);
    bench_do(&bench, "a call two x");
    const struct store_methods *methods = bench.store->methods;
    ck_assert_int_eq(methods->lane_head(bench.store, SLICE("one"), bench.arena, &first), RC_OK);
    ck_assert_int_eq(methods->lane_head(bench.store, SLICE("two"), bench.arena, &second), RC_OK);
    ck_assert_int_gt(second.id, first.id);
    ck_assert_int_gt(second.turn, first.turn);
}
END_TEST

static void add_later_tests(TCase *tests)
{
    tcase_add_test(tests, deadline_comes_once_at_its_time);
    tcase_add_test(tests, deadline_that_was_moved_or_cleared_does_not_come_at_the_old_time);
    tcase_add_test(tests, earlier_deadline_of_another_is_noticed);
    tcase_add_test(tests, deadlines_survive_a_restart_and_may_be_many);
    tcase_add_test(tests, deadline_of_a_failed_commit_comes_again);
    tcase_add_test(tests, batch_takes_so_many_turns_at_most);
    tcase_add_test(tests, batch_takes_so_much_time_at_most);
    tcase_add_test(tests, batch_after_a_slow_commit_may_take_as_long);
    tcase_add_test(tests, batch_that_grew_fails_as_a_whole);
    tcase_add_test(tests, inputs_that_came_during_a_failing_commit_are_given_up_too);
    tcase_add_test(tests, calls_of_a_commit_under_way_are_undecided);
    tcase_add_test(tests, actors_at_rest_are_put_away_and_come_back);
    tcase_add_test(tests, turn_numbers_and_call_ids_grow_over_a_restart);
}

static Suite *suite(void)
{
    Suite *suite = suite_create("engine");
    TCase *tests = tcase_create("engine");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, turns_of_one_batch_see_what_earlier_ones_did);
    tcase_add_test(tests, messages_of_a_turn_come_first_in_first_out);
    tcase_add_test(tests, effects_leave_after_the_commit_and_in_order);
    tcase_add_test(tests, inputs_posted_during_a_commit_wait_for_the_next);
    tcase_add_test(tests, turn_that_fails_leaves_no_trace);
    tcase_add_test(tests, turn_without_end_is_stopped);
    tcase_add_test(tests, failed_commit_gives_up_what_is_repeated_and_runs_the_rest_again);
    tcase_add_test(tests, commit_that_fails_again_and_again_is_tried_again);
    tcase_add_test(tests, failing_store_is_told_once_and_once_that_it_works);
    tcase_add_test(tests, event_that_comes_while_the_store_fails_is_given_up_too);
    tcase_add_test(tests, end_of_a_call_is_never_given_up);
    tcase_add_test(tests, event_is_handled_once_in_one_batch_and_over_batches);
    tcase_add_test(tests, event_that_changes_nothing_is_remembered_all_the_same);
    tcase_add_test(tests, beginner_that_stays_blank_is_not_stored);
    tcase_add_test(tests, actor_in_its_last_state_is_gone);
    tcase_add_test(tests, actor_with_calls_stays_in_its_last_state_until_they_ended);
    add_later_tests(tests);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
