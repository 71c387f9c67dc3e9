/* Calls to URLs that strangers may have chosen. */
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

static int64_t declare_picture(const char *url)
{
    struct call call = rig_call("l", url);
    call.api = CALL_ELSEWHERE;
    call.auth = CALL_AUTH_NONE;
    call.method = SLICE("GET");
    call.body = SLICE_EMPTY;
    return rig_declare(&rig, call);
}

START_TEST(courier_elsewhere_is_gitter_or_public_https)
{
    char below[128];
    char beside[128];
    rig_start(&rig);
    const struct slice base = rig.options.bases[CALL_GITTER_WEB];
    (void)snprintf(below, sizeof below, "%.*s/picture", SLICE_ARGS(base));
    (void)snprintf(beside, sizeof beside, "%.*s.example/picture", SLICE_ARGS(base));
    const char *const refused[] = {beside,
                                   "http://1.1.1.1/x",
                                   "https://127.0.0.1:1/x",
                                   "https://[::1]:1/x",
                                   "https://[::ffff:127.0.0.1]:1/x",
                                   "file:///etc/passwd"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const int64_t id = declare_picture(refused[i]);
        rig_run_ends(&rig, i + 1);
        ck_assert_int_eq(rig_end_of(&rig, id)->end, CALL_END_FAILED);
        ck_assert_int_eq(rig_end_of(&rig, id)->status, 0);
    }
    ck_assert_uint_eq(rig.requests_count, 0);
    const int64_t id = declare_picture(below);
    rig_run_requests(&rig, 1);
    rig_run_ends(&rig, sizeof refused / sizeof refused[0] + 1);
    ck_assert_int_eq(rig_end_of(&rig, id)->end, CALL_END_DONE);
    ck_assert(strstr(rig.requests[0].head, "Authorization") == NULL);
    ck_assert(strstr(rig.requests[0].head, "\r\nAccept: image/*") != NULL);
}
END_TEST

START_TEST(courier_elsewhere_takes_no_large_answer)
{
    char url[128];
    rig_script(&rig, "/large", (struct rig_reply){.filler = 1024 * 1024 + 1});
    rig_script(&rig, "/fits", (struct rig_reply){.filler = 1024 * 1024});
    rig_start(&rig);
    const struct slice base = rig.options.bases[CALL_GITTER_WEB];
    (void)snprintf(url, sizeof url, "%.*s/large", SLICE_ARGS(base));
    int64_t id = declare_picture(url);
    rig_run_ends(&rig, 1);
    ck_assert_int_eq(rig_end_of(&rig, id)->end, CALL_END_FAILED);
    (void)snprintf(url, sizeof url, "%.*s/fits", SLICE_ARGS(base));
    id = declare_picture(url);
    rig_run_ends(&rig, 2);
    ck_assert_int_eq(rig_end_of(&rig, id)->end, CALL_END_DONE);
}
END_TEST

START_TEST(courier_elsewhere_follows_no_redirect)
{
    char url[128];
    rig_script(&rig, "/moved",
               (struct rig_reply){.status = 302, .headers = "Location: /secret\r\n"});
    rig_start(&rig);
    const struct slice base = rig.options.bases[CALL_GITTER_WEB];
    (void)snprintf(url, sizeof url, "%.*s/moved", SLICE_ARGS(base));
    const int64_t id = declare_picture(url);
    rig_run_ends(&rig, 1);
    ck_assert_int_eq(rig_end_of(&rig, id)->end, CALL_END_FAILED);
    ck_assert_int_eq(rig_end_of(&rig, id)->status, 302);
    ck_assert_uint_eq(rig.requests_count, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("courier_elsewhere");
    TCase *tests = tcase_create("courier_elsewhere");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, courier_elsewhere_is_gitter_or_public_https);
    tcase_add_test(tests, courier_elsewhere_takes_no_large_answer);
    tcase_add_test(tests, courier_elsewhere_follows_no_redirect);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
