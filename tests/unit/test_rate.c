/* How much each client may ask. */
#include "runtime/rate.h"
#include "tests/unit/slice_check.h"

#include <stdio.h>

#define BURST 6
#define PER_MINUTE 60

static struct rate *rate;

static void setup(void)
{
    rate = rate_open(BURST, PER_MINUTE);
}

static void teardown(void)
{
    rate_close(rate);
}

static int64_t take(const char *address, int64_t now_ms)
{
    return rate_take(rate, slice_from_cstr(address), now_ms);
}

static void spend(const char *address, int64_t now_ms)
{
    for (int i = 0; i < BURST; i++) {
        ck_assert_int_eq(take(address, now_ms), 0);
    }
    ck_assert_int_gt(take(address, now_ms), 0);
}

START_TEST(burst_is_granted_and_then_one_a_second)
{
    spend("192.0.2.1", 5000);
    ck_assert_int_eq(take("192.0.2.1", 5000), 1000);
    ck_assert_int_eq(take("192.0.2.1", 5400), 600);
    ck_assert_int_eq(take("192.0.2.1", 5999), 1);
    ck_assert_int_eq(take("192.0.2.1", 6000), 0);
    ck_assert_int_eq(take("192.0.2.1", 6000), 1000);
}
END_TEST

START_TEST(what_is_told_to_wait_is_granted_then)
{
    rate_close(rate);
    rate = rate_open(1, 7); /* a request every 8571.43 ms */
    ck_assert_int_eq(take("192.0.2.1", 0), 0);
    const int64_t wait_ms = take("192.0.2.1", 0);
    ck_assert_int_eq(wait_ms, 8572);
    ck_assert_int_eq(take("192.0.2.1", wait_ms - 1), 1);
    ck_assert_int_eq(take("192.0.2.1", wait_ms), 0);
}
END_TEST

START_TEST(quiet_client_gets_no_more_than_the_burst)
{
    spend("192.0.2.1", 1000);
    spend("192.0.2.1", INT64_C(1) << 60);
}
END_TEST

START_TEST(clients_do_not_spend_for_each_other)
{
    spend("192.0.2.1", 1000);
    spend("192.0.2.2", 1000);
    spend("2001:db8::1", 1000);
    ck_assert_int_eq(take("2001:db8:0:1::1", 1000), 0);
}
END_TEST

START_TEST(network_of_an_ipv6_address_is_one_client)
{
    spend("2001:db8:1:2::1", 1000);
    ck_assert_int_gt(take("2001:db8:1:2:ffff:ffff:ffff:ffff", 1000), 0);
    ck_assert_int_gt(take("2001:DB8:1:2:0::7", 1000), 0);
    ck_assert_int_eq(take("2001:db8:1:3::1", 1000), 0);
}
END_TEST

START_TEST(ipv4_on_a_socket_for_both_is_the_same_client)
{
    spend("192.0.2.1", 1000);
    ck_assert_int_gt(take("::ffff:192.0.2.1", 1000), 0);
    ck_assert_int_eq(take("::ffff:192.0.2.2", 1000), 0);
    ck_assert_int_eq(take("::", 1000), 0);
    ck_assert_int_eq(take("c000:201::", 1000), 0); /* the same first bytes, another family */
}
END_TEST

START_TEST(what_is_no_address_is_one_client)
{
    spend("", 1000);
    ck_assert_int_gt(take("nonsense", 1000), 0);
    ck_assert_int_gt(take("1.2.3.4.5", 1000), 0);
    ck_assert_int_gt(take("a very long text that no numeric address is as long as", 1000), 0);
    ck_assert_int_gt(rate_take(rate, SLICE_EMPTY, 1000), 0);
}
END_TEST

START_TEST(clock_that_goes_back_gives_nothing)
{
    spend("192.0.2.1", 100000);
    ck_assert_int_eq(take("192.0.2.1", 1000), 1000);
    ck_assert_int_eq(take("192.0.2.1", 1500), 500);
    ck_assert_int_eq(take("192.0.2.1", 2000), 0);
}
END_TEST

START_TEST(full_table_forgets_who_was_quiet_longest)
{
    char address[32];
    for (int i = 0; i < RATE_CLIENTS_MAX; i++) {
        ck_assert_int_gt(snprintf(address, sizeof address, "10.0.%d.%d", i / 256, i % 256), 0);
        spend(address, 1000 + i / 4); /* all within the second that would bring one back */
    }
    const int64_t now_ms = 1000 + RATE_CLIENTS_MAX / 4;
    ck_assert_int_gt(take("10.0.0.0", now_ms), 0);  /* and thereby speaks again */
    ck_assert_int_eq(take("192.0.2.1", now_ms), 0); /* in the place of 10.0.0.1 */
    ck_assert_int_gt(take("10.0.0.2", now_ms), 0);
    ck_assert_int_gt(take("10.0.0.0", now_ms), 0);
    ck_assert_int_eq(take("10.0.0.1", now_ms), 0);
}
END_TEST

START_TEST(addresses_are_told_from_other_text)
{
    static const char *const good[] = {"192.0.2.1", "::1", "2001:db8::1", "::ffff:1.2.3.4"};
    static const char *const bad[] = {
        "", "unknown", "192.0.2.1:80", "[::1]", "192.0.2.01x", "192.0.2.256", "_hidden", " ::1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert(rate_is_address(slice_from_cstr(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert(!rate_is_address(slice_from_cstr(bad[i])));
    }
    ck_assert(!rate_is_address(SLICE("::1\0x")));
}
END_TEST

START_TEST(addresses_are_the_same_however_they_are_written)
{
    ck_assert(rate_is_same_address(SLICE("2001:DB8::1"), SLICE("2001:db8:0:0:0:0:0:1")));
    ck_assert(rate_is_same_address(SLICE("192.0.2.1"), SLICE("::ffff:192.0.2.1")));
    ck_assert(!rate_is_same_address(SLICE("192.0.2.1"), SLICE("192.0.2.10")));
    ck_assert(!rate_is_same_address(SLICE("2001:db8::1"), SLICE("2001:db8::2")));
    ck_assert(!rate_is_same_address(SLICE("x"), SLICE("x")));
    ck_assert(!rate_is_same_address(SLICE("::"), SLICE("")));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("rate");
    TCase *tests = tcase_create("rate");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, burst_is_granted_and_then_one_a_second);
    tcase_add_test(tests, what_is_told_to_wait_is_granted_then);
    tcase_add_test(tests, quiet_client_gets_no_more_than_the_burst);
    tcase_add_test(tests, clients_do_not_spend_for_each_other);
    tcase_add_test(tests, network_of_an_ipv6_address_is_one_client);
    tcase_add_test(tests, ipv4_on_a_socket_for_both_is_the_same_client);
    tcase_add_test(tests, what_is_no_address_is_one_client);
    tcase_add_test(tests, clock_that_goes_back_gives_nothing);
    tcase_add_test(tests, full_table_forgets_who_was_quiet_longest);
    tcase_add_test(tests, addresses_are_told_from_other_text);
    tcase_add_test(tests, addresses_are_the_same_however_they_are_written);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
