/* Calls of the courier when the clock is set. */
#include "tests/unit/courier_rig.h"
#include "tests/unit/slice_check.h"

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

/* Beside the clock that the test sets, one that nobody sets. */
static int64_t steady_ms;

static int64_t get_steady_ms(void *context)
{
    (void)context;
    return steady_ms;
}

static void open_clocks(void)
{
    rig.clock_ms = 1000000;
    steady_ms = 500;
    rig.options.steady_ms = get_steady_ms;
}

static void let_pass(int64_t ms)
{
    steady_ms += ms;
    rig_advance(&rig, ms);
    rig_run_ms(&rig, 5);
}

static void set_clock(int64_t by_ms)
{
    rig_advance(&rig, by_ms);
    rig_run_ms(&rig, 5);
}

START_TEST(courier_call_is_no_older_because_the_clock_was_set_forward)
{
    struct call impatient = rig_call("l", "/impatient");
    struct call held = rig_call("l", "/held");
    open_clocks();
    impatient.patience_ms = 60 * 1000;
    held.not_before_ms = rig.clock_ms + 40 * 1000;
    rig_start(&rig);
    rig_declare(&rig, held);
    const int64_t young = rig_declare(&rig, impatient);
    let_pass(10 * 1000);
    set_clock(2 * 3600 * 1000);
    set_clock(3600 * 1000);
    let_pass(29 * 1000);
    ck_assert_uint_eq(rig.requests_count, 0);
    let_pass(1000);
    rig_run_ends(&rig, 2);
    ck_assert_int_eq(rig_end_of(&rig, young)->end, CALL_END_DONE);
}
END_TEST

START_TEST(courier_call_grows_old_behind_a_clock_that_was_set_forward)
{
    struct call impatient = rig_call("l", "/impatient");
    struct call held = rig_call("l", "/held");
    open_clocks();
    impatient.patience_ms = 60 * 1000;
    held.not_before_ms = rig.clock_ms + 70 * 1000;
    rig_start(&rig);
    set_clock(2 * 3600 * 1000); /* before it is declared */
    held.not_before_ms += 2 * 3600 * 1000;
    rig_declare(&rig, held);
    const int64_t old = rig_declare(&rig, impatient);
    let_pass(69 * 1000);
    let_pass(1000);
    rig_run_ends(&rig, 2);
    ck_assert_int_eq(rig_end_of(&rig, old)->end, CALL_END_FAILED);
}
END_TEST

START_TEST(courier_call_waits_no_longer_because_the_clock_was_set_back)
{
    struct call late = rig_call("l", "/late");
    open_clocks();
    late.not_before_ms = rig.clock_ms + 20 * 1000;
    rig_store(&rig, late);
    rig.clock_ms -= 2 * 3600 * 1000;
    rig_start(&rig);
    let_pass(19 * 1000);
    ck_assert_uint_eq(rig.requests_count, 0);
    let_pass(1000);
    rig_run_ends(&rig, 1);
}
END_TEST

START_TEST(courier_call_waits_again_behind_a_start)
{
    struct call late = rig_call("l", "/late");
    struct call later = rig_call("m", "/later");
    open_clocks();
    late.not_before_ms = rig.clock_ms + 20 * 1000;
    later.not_before_ms = rig.clock_ms + 600 * 1000;
    rig_store(&rig, late);
    rig_store(&rig, later);
    rig.clock_ms += 2 * 3600 * 1000; /* or was it set? */
    rig_start(&rig);
    let_pass(19 * 1000);
    ck_assert_uint_eq(rig.requests_count, 0);
    let_pass(1000);
    rig_run_ends(&rig, 1);
    let_pass(39 * 1000);
    ck_assert_uint_eq(rig.requests_count, 1);
    let_pass(1000);
    rig_run_ends(&rig, 2);
}
END_TEST

START_TEST(courier_call_that_is_too_old_at_the_start_has_an_hour)
{
    rig.options.age_max_ms = 24 * 3600 * 1000;
    open_clocks();
    struct call late = rig_call("l", "/late");
    struct call locked = rig_call("m", "/locked");
    locked.auth = CALL_AUTH_OWNER;
    rig.token[0] = '\0'; /* none: it waits */
    const int64_t made = rig_store(&rig, late);
    const int64_t kept = rig_store(&rig, locked);
    rig.clock_ms += INT64_C(72) * 3600 * 1000;
    rig_start(&rig);
    rig_run_ends(&rig, 1);
    ck_assert_int_eq(rig_end_of(&rig, made)->end, CALL_END_DONE);
    let_pass(3599 * 1000);
    ck_assert_ptr_null(rig_end_of(&rig, kept));
    let_pass(1000);
    courier_wake(rig.courier, locked.owner);
    rig_run_ends(&rig, 2);
    ck_assert_int_eq(rig_end_of(&rig, kept)->end, CALL_END_FAILED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("courier_clocks");
    TCase *tc = tcase_create("clocks");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, courier_call_is_no_older_because_the_clock_was_set_forward);
    tcase_add_test(tc, courier_call_grows_old_behind_a_clock_that_was_set_forward);
    tcase_add_test(tc, courier_call_waits_no_longer_because_the_clock_was_set_back);
    tcase_add_test(tc, courier_call_waits_again_behind_a_start);
    tcase_add_test(tc, courier_call_that_is_too_old_at_the_start_has_an_hour);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
