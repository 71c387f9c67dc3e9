/* The calls behind the head of a lane: in memory as long as there is room, else in the store. */
#include "tests/unit/courier_rig.h"
#include "tests/unit/slice_check.h"

#include <stdio.h>
#include <string.h>

enum {
    LARGE_BYTES = 64 * 1024,
    LARGE_CALLS = 30, /* more than is kept in memory */
    PATH_BYTES = 16
};

static struct rig rig;
static char filler[LARGE_BYTES];
static char paths[LARGE_CALLS][PATH_BYTES];

static void setup(void)
{
    rig_open(&rig);
    rig_listen(&rig);
    memset(filler, 'x', sizeof filler);
    for (int i = 0; i < LARGE_CALLS; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "/%d", i);
    }
}

static void teardown(void)
{
    rig_close(&rig);
}

static struct call large_call(int number)
{
    struct call call = rig_call("l", paths[number]);
    call.method = SLICE("PUT");
    call.body = slice_make(filler, sizeof filler);
    return call;
}

/* Gives the id of one that only the store has. */
static int64_t declare_large(void)
{
    int64_t id = 0;
    for (int i = 0; i < LARGE_CALLS; i++) {
        id = rig_declare(&rig, large_call(i));
    }
    return id;
}

START_TEST(lane_longer_than_memory_goes_in_order)
{
    rig_start(&rig);
    declare_large();
    rig_declare(&rig, rig_call("other", "/other"));
    rig_run_ends(&rig, LARGE_CALLS + 1);
    int next = 0;
    for (size_t i = 0; i < rig.requests_count; i++) {
        if (strcmp(rig.requests[i].path, "/other") != 0) {
            ck_assert_str_eq(rig.requests[i].path, paths[next]);
            next++;
        }
    }
    ck_assert_int_eq(next, LARGE_CALLS);
    ck_assert_int_eq(courier_counts(rig.courier).lanes, 0);
}
END_TEST

START_TEST(call_behind_is_cancelled_in_memory_and_in_the_store)
{
    rig_start(&rig);
    const int64_t last = declare_large();
    rig_cancel(&rig, last);
    rig_cancel(&rig, last - LARGE_CALLS + 2);
    rig_run_ends(&rig, LARGE_CALLS - 2);
    rig_run_ms(&rig, 5);
    ck_assert_uint_eq(rig.requests_count, LARGE_CALLS - 2);
    ck_assert_uint_eq(rig_requests_of(&rig, paths[1]), 0);
    ck_assert_uint_eq(rig_requests_of(&rig, paths[LARGE_CALLS - 1]), 0);
    ck_assert_str_eq(rig.requests[1].path, paths[2]);
}
END_TEST

static void look_for_the_first(struct rig *r, const struct rig_end *end)
{
    if (end->end == CALL_END_UNKNOWN) {
        rig_declare_instead(r, end, rig_call(end->lane, "/look"));
    }
}

/* Also when there is no room for it: then what waits behind it is left to the store. */
START_TEST(successor_goes_before_all_that_waits)
{
    struct call first = rig_call("l", "/first");
    first.method = SLICE("PUT");
    first.body = SLICE("{}");
    first.repeat = CALL_REPEAT_NEVER;
    rig_script(&rig, "/first", (struct rig_reply){.manner = RIG_CLOSE});
    rig.on_end = look_for_the_first;
    rig_start(&rig);
    rig_declare(&rig, first);
    declare_large();
    rig_run_ends(&rig, LARGE_CALLS + 2);
    ck_assert_str_eq(rig.requests[0].path, "/first");
    ck_assert_str_eq(rig.requests[1].path, "/look");
    for (size_t i = 0; i < LARGE_CALLS; i++) {
        ck_assert_str_eq(rig.requests[i + 2].path, paths[i]);
    }
}
END_TEST

START_TEST(lane_that_fits_in_memory_is_not_read)
{
    rig_start(&rig);
    rig.store_errors = 1;
    rig_declare(&rig, rig_call("l", "/1"));
    rig_declare(&rig, rig_call("l", "/2"));
    rig_declare(&rig, rig_call("l", "/3"));
    rig_run_ends(&rig, 3);
    ck_assert_int_eq(rig.store_errors, 1);
    ck_assert_str_eq(rig.requests[1].path, "/2");
    ck_assert_str_eq(rig.requests[2].path, "/3");
}
END_TEST

START_TEST(what_the_process_before_left_is_read)
{
    rig_store(&rig, rig_call("l", "/1"));
    rig_store(&rig, rig_call("l", "/2"));
    rig_start(&rig);
    rig_declare(&rig, rig_call("l", "/3"));
    rig_run_ends(&rig, 3);
    ck_assert_str_eq(rig.requests[0].path, "/1");
    ck_assert_str_eq(rig.requests[1].path, "/2");
    ck_assert_str_eq(rig.requests[2].path, "/3");
}
END_TEST

START_TEST(head_is_read_again_when_the_store_failed)
{
    rig.clock_ms = 1000000;
    rig_store(&rig, rig_call("l", "/1"));
    rig_store(&rig, rig_call("l", "/2"));
    rig_start(&rig);
    rig.store_errors = 2;
    rig_run_ends(&rig, 1);
    rig_advance(&rig, 1000);
    rig_run_ms(&rig, 5);
    rig_advance(&rig, 1000);
    rig_run_ends(&rig, 2);
    ck_assert_int_eq(rig.store_errors, 0);
    ck_assert_str_eq(rig.requests[1].path, "/2");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("courier tail");
    TCase *tcase = tcase_create("tail");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, lane_longer_than_memory_goes_in_order);
    tcase_add_test(tcase, call_behind_is_cancelled_in_memory_and_in_the_store);
    tcase_add_test(tcase, successor_goes_before_all_that_waits);
    tcase_add_test(tcase, lane_that_fits_in_memory_is_not_read);
    tcase_add_test(tcase, what_the_process_before_left_is_read);
    tcase_add_test(tcase, head_is_read_again_when_the_store_failed);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
