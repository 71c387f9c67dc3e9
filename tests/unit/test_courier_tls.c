#include "runtime/base/arena.h"
#include "runtime/http.h"
#include "tests/unit/courier_rig.h"
#include "tests/unit/slice_check.h"

#define CERTIFICATE "tests/faye/cert.pem"

static struct rig rig;
static struct http_server *server;
static struct arena *arena;
static int requests;

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    const struct http_answer answer = {
        .status = 200,
        .content_type = SLICE("application/json"),
        .body = body,
    };
    (void)context;
    ck_assert(head->is_tls);
    ck_text_eq(head->authorization, "Bearer as-secret");
    requests++;
    http_server_answer(server, head->request_id, &answer);
}

static void setup(void)
{
    requests = 0;
    server = NULL;
    arena = arena_open(1024);
    rig_open(&rig);
}

static void teardown(void)
{
    http_server_close(server); /* the rig's loop goes with the rig */
    rig_close(&rig);
    arena_close(arena);
}

static void start_at(const char *host, struct slice address)
{
    const struct http_server_options options = {
        .loop = rig.loop,
        .bind = address,
        .tls_certificate = CERTIFICATE,
        .tls_key = "tests/faye/key.pem",
        .handler = {.on_request = on_request},
    };
    ck_rc_eq(http_server_open(&options, &server), RC_OK);
    rig.options.bases[CALL_MATRIX] =
        arena_printf(arena, "https://%s:%d", host, http_server_port(server));
    rig_start(&rig);
}

START_TEST(courier_speaks_tls_to_a_host_it_can_verify)
{
    rig.options.ca_file = SLICE(CERTIFICATE);
    start_at("localhost", SLICE("127.0.0.1"));
    for (int i = 0; i < 5; i++) {
        struct call call = rig_call("l", "/x");
        call.repeat = i % 2 == 0 ? CALL_REPEAT_NEVER : CALL_REPEAT_FREELY;
        call.body = SLICE("{\"n\":1}");
        rig_declare(&rig, call);
    }
    rig_run_ends(&rig, 5);
    ck_assert_int_eq(courier_counts(rig.courier).done, 5);
    ck_assert_str_eq(rig.ends[4].body, "{\"n\":1}");
    ck_assert_uint_eq(http_server_stats(server).accepted, 1);
}
END_TEST

static bool has_tried_thrice(const struct rig *r)
{
    return courier_counts(r->courier).requests >= 3;
}

static void is_never_sent(void)
{
    struct call call = rig_call("l", "/x");
    call.repeat = CALL_REPEAT_NEVER;
    rig_declare(&rig, call);
    rig_run_until(&rig, has_tried_thrice);
    ck_assert_uint_ge(http_server_stats(server).accepted, 2);
    ck_assert_int_eq(requests, 0);
    ck_assert_uint_eq(rig.ends_count, 0);
}

START_TEST(courier_sends_nothing_to_a_host_of_an_unknown_authority)
{
    start_at("localhost", SLICE("127.0.0.1"));
    is_never_sent();
}
END_TEST

START_TEST(courier_sends_nothing_to_a_host_of_another_name)
{
    rig.options.ca_file = SLICE(CERTIFICATE);
    start_at("127.0.0.2", SLICE("127.0.0.2"));
    is_never_sent();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("courier_tls");
    TCase *tc = tcase_create("tls");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, courier_speaks_tls_to_a_host_it_can_verify);
    tcase_add_test(tc, courier_sends_nothing_to_a_host_of_an_unknown_authority);
    tcase_add_test(tc, courier_sends_nothing_to_a_host_of_another_name);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
