/* Which addresses are of the public internet. */
#include "runtime/address.h"

#include "tests/unit/slice_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool is_public(const char *text)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(&storage, &v4, sizeof v4);
    } else {
        ck_assert_msg(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1, "%s", text);
        memcpy(&storage, &v6, sizeof v6);
    }
    return address_is_public((const struct sockaddr *)&storage);
}

static const char *const open_ones[] = {
    "1.1.1.1",         "9.255.255.255", "11.0.0.0",        "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0",     "169.253.255.255", "172.15.255.255", "172.32.0.0",
    "192.167.255.255", "192.169.0.0",   "198.17.255.255",  "198.20.0.0",     "223.255.255.255",
    "2600::1",         "2a00:1450::1",  "::ffff:1.1.1.1"};

static const char *const closed_ones[] = {"0.0.0.0",
                                          "10.0.0.1",
                                          "10.255.255.255",
                                          "100.64.0.0",
                                          "100.127.255.255",
                                          "127.0.0.1",
                                          "127.255.0.1",
                                          "169.254.169.254",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.0.0.1",
                                          "192.168.1.1",
                                          "198.18.0.1",
                                          "198.19.255.1",
                                          "203.0.113.1",
                                          "224.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "fe80::1",
                                          "fc00::1",
                                          "fd12::1",
                                          "ff02::1",
                                          "64:ff9b::7f00:1",
                                          "2002:7f00:1::",
                                          "2001::1",
                                          "2001:db8::1",
                                          "::ffff:127.0.0.1",
                                          "::ffff:10.0.0.1",
                                          "::7f00:1",
                                          "3fff::1"};

START_TEST(address_of_the_internet_is_public)
{
    ck_assert_msg(is_public(open_ones[_i]), "%s", open_ones[_i]);
}
END_TEST

START_TEST(address_of_our_own_is_not_public)
{
    ck_assert_msg(!is_public(closed_ones[_i]), "%s", closed_ones[_i]);
}
END_TEST

START_TEST(address_of_another_family_is_not_public)
{
    const struct sockaddr path = {.sa_family = AF_UNIX};
    ck_assert(!address_is_public(&path));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("address");
    TCase *tests = tcase_create("address");
    tcase_add_loop_test(tests, address_of_the_internet_is_public, 0,
                        (int)(sizeof open_ones / sizeof open_ones[0]));
    tcase_add_loop_test(tests, address_of_our_own_is_not_public, 0,
                        (int)(sizeof closed_ones / sizeof closed_ones[0]));
    tcase_add_test(tests, address_of_another_family_is_not_public);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
