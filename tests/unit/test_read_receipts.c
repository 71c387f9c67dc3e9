/* Read receipts on their way to a homeserver: the newest of a room, once, and never again. */
#include "runtime/daemon/receipts.h"

#include "runtime/base/arena.h"
#include "runtime/http.h"
#include "tests/unit/slice_check.h"

#include <check.h>
#include <curl/curl.h>
#include <ev.h>
#include <signal.h>
#include <stdlib.h>

enum {
    REQUESTS_MAX = 64,
    ROUNDS_MAX = 5000,
};

static struct ev_loop *loop;
static struct arena *arena;
static struct http_server *server;
static struct receipts *receipts;
static struct slice paths[REQUESTS_MAX];
static size_t requests;
static int status;
static bool is_silent; /* requests get no answer */

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    (void)context;
    ck_assert(slice_equal(body, SLICE("{}")));
    ck_assert(slice_equal(head->method, SLICE("POST")));
    ck_assert(slice_equal(head->authorization, SLICE("Bearer token")));
    ck_assert_uint_lt(requests, REQUESTS_MAX);
    paths[requests++] = arena_copy(arena, head->path);
    if (!is_silent) {
        const struct http_answer answer = {.status = status, .body = SLICE("{}")};
        http_server_answer(server, head->request_id, &answer);
    }
}

static void set_up(void)
{
    ck_assert_int_eq(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    (void)signal(SIGPIPE, SIG_IGN);
    loop = ev_loop_new(EVFLAG_AUTO);
    arena = arena_open(4096);
    requests = 0;
    status = 200;
    is_silent = false;
    const struct http_server_options options = {.loop = loop,
                                                .handler = {.on_request = on_request}};
    ck_assert_int_eq(http_server_open(&options, &server), RC_OK);
    const struct receipts_options wanted = {
        .loop = loop,
        .homeserver_url = arena_printf(arena, "http://127.0.0.1:%d", http_server_port(server)),
        .as_token = SLICE("token"),
        .gather_ms = 1,
    };
    ck_assert_int_eq(receipts_open(&wanted, &receipts), RC_OK);
}

static void tear_down(void)
{
    receipts_close(receipts);
    http_server_close(server);
    arena_close(arena);
    ev_loop_destroy(loop);
    curl_global_cleanup();
}

static void on_tick(struct ev_loop *its, ev_timer *watcher, int events)
{
    (void)its;
    (void)watcher;
    (void)events;
}

/* Runs the loop until there were so many requests, and some rounds more. */
static void run_until(size_t count)
{
    ev_timer tick;
    ev_timer_init(&tick, on_tick, 0.002, 0.002);
    ev_timer_start(loop, &tick);
    for (int i = 0; i < ROUNDS_MAX && requests < count; i++) {
        ev_run(loop, EVRUN_ONCE);
    }
    for (int i = 0; i < 20; i++) {
        ev_run(loop, EVRUN_ONCE);
    }
    ev_timer_stop(loop, &tick);
    ck_assert_uint_eq(requests, count);
}

static void check_told(const char *room, const char *event)
{
    const struct slice wanted =
        arena_printf(arena, "/_matrix/client/v3/rooms/%s/receipt/m.read/%s", room, event);
    for (size_t i = 0; i < requests; i++) {
        if (slice_equal(paths[i], wanted)) {
            return;
        }
    }
    ck_abort_msg("%s was not asked for; %.*s was", wanted.ptr, SLICE_ARGS(paths[0]));
}

START_TEST(newest_of_a_room_is_told_once)
{
    receipts_move(receipts, SLICE("!a:hs"), SLICE("$1"));
    receipts_move(receipts, SLICE("!b:hs"), SLICE("$2"));
    receipts_move(receipts, SLICE("!a:hs"), SLICE("$3"));
    run_until(2);
    check_told("%21b%3Ahs", "%242"); /* in any order: they go together */
    check_told("%21a%3Ahs", "%243");
    receipts_move(receipts, SLICE("!a:hs"), SLICE("$4"));
    run_until(3);
}
END_TEST

START_TEST(all_rooms_have_their_turn)
{
    for (int i = 0; i < 40; i++) {
        receipts_move(receipts, arena_printf(arena, "!%d:hs", i), SLICE("$1"));
    }
    run_until(40);
}
END_TEST

START_TEST(refused_receipt_is_not_repeated)
{
    status = 403;
    receipts_move(receipts, SLICE("!a:hs"), SLICE("$1"));
    run_until(1);
    status = 200;
    receipts_move(receipts, SLICE("!a:hs"), SLICE("$2"));
    run_until(2);
}
END_TEST

START_TEST(busy_homeserver_is_left_alone)
{
    status = 429;
    receipts_move(receipts, SLICE("!a:hs"), SLICE("$1"));
    run_until(1);
    receipts_move(receipts, SLICE("!b:hs"), SLICE("$2"));
    run_until(1);
}
END_TEST

START_TEST(closing_drops_what_is_in_flight_and_what_waits)
{
    is_silent = true;
    for (int i = 0; i < 8; i++) {
        receipts_move(receipts, arena_printf(arena, "!%d:hs", i), SLICE("$1"));
    }
    run_until(4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("read_receipts");
    TCase *tests = tcase_create("read_receipts");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, newest_of_a_room_is_told_once);
    tcase_add_test(tests, all_rooms_have_their_turn);
    tcase_add_test(tests, refused_receipt_is_not_repeated);
    tcase_add_test(tests, busy_homeserver_is_left_alone);
    tcase_add_test(tests, closing_drops_what_is_in_flight_and_what_waits);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
