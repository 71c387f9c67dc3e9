/* The homeserver's side: a real listener on loopback, the real application on a store in memory. */
#include "actors/ghost/ghost.h"
#include "db/store_memory.h"
#include "runtime/daemon/appservice.h"
#include "runtime/daemon/tables.h"
#include "tests/unit/port_rig.h"
#include "tests/unit/slice_check.h"

#include <stdio.h>
#include <string.h>

#define TOKEN "Authorization: Bearer secret-hs-token\r\n"
#define INVITE                                                                                     \
    "{\"event_id\":\"$1\",\"type\":\"m.room.member\",\"room_id\":\"!chat\",\"sender\":"            \
    "\"@alice:hs\",\"state_key\":\"@bot:hs\",\"content\":{\"membership\":\"invite\"}}"

static struct port_rig rig;
static struct peer peer;
static struct appservice *appservice;

static bool everybody(const void *context, struct slice user)
{
    (void)context;
    (void)user;
    return true;
}

static void open_all(bool is_legacy)
{
    port_open(&rig);
    rig.settings = (struct settings){
        .domain = SLICE("hs"), .bot = SLICE("@bot:hs"), .is_permitted = everybody};
    rig.store = store_memory_open(store_tables(), ACTOR_KINDS);
    rig.poll = store_memory_poll;
    port_open_engine(&rig);
    const struct appservice_options options = {
        .engine = rig.engine,
        .hs_token = SLICE("secret-hs-token"),
        .domain = SLICE("hs"),
        .bot = SLICE("@bot:hs"),
        .is_legacy = is_legacy,
    };
    appservice = appservice_open(&options);
    port_listen(&rig, appservice_handler(appservice));
    appservice_serve(appservice, rig.bed.server);
    peer_open(&peer, &rig.bed);
}

static void setup(void)
{
    open_all(false);
}

static void setup_legacy(void)
{
    open_all(true);
}

static void teardown(void)
{
    peer_close(&peer);
    bed_close(&rig.bed);
    appservice_close(appservice);
    engine_close(rig.engine);
    rig.store->methods->close(rig.store);
}

/* Sends a request with the right token and waits for this answer. */
static void expect(const char *request, const char *body, const char *status, const char *answer)
{
    char text[4096];
    (void)snprintf(text, sizeof text,
                   "%s HTTP/1.1\r\nHost: a\r\n" TOKEN "Content-Length: %zu\r\n\r\n%s", request,
                   strlen(body), body);
    const int before = peer_count(&peer, "HTTP/1.1 ");
    ck_assert(peer_send(&peer, text));
    UNTIL_TURNED(&rig, peer_count(&peer, "HTTP/1.1 ") > before &&
                           (peer_has(&peer, "\r\n\r\n{") || peer.is_closed));
    ck_assert_msg(peer_has(&peer, status) && peer_has(&peer, answer), "%s: %s", request, peer.got);
    peer_close(&peer);
    peer_open(&peer, &rig.bed);
}

/* Sends a head that announces a body which never comes. */
static void expect_before_body(const char *head, const char *status, const char *answer)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "%s\r\nContent-Length: 1000\r\n\r\n", head);
    ck_assert(peer_send(&peer, text));
    UNTIL_TURNED(&rig, peer_has(&peer, answer));
    ck_assert_msg(peer_has(&peer, status), "%s: %s", head, peer.got);
    UNTIL_TURNED(&rig, peer.is_closed);
    peer_close(&peer);
    peer_open(&peer, &rig.bed);
}

START_TEST(token_is_checked_before_the_body)
{
    expect_before_body("PUT /_matrix/app/v1/transactions/1 HTTP/1.1\r\nHost: a", "HTTP/1.1 401 ",
                       "M_MISSING_TOKEN");
    expect_before_body("PUT /_matrix/app/v1/transactions/1 HTTP/1.1\r\nHost: a\r\n"
                       "Authorization: Basic secret-hs-token",
                       "HTTP/1.1 401 ", "M_MISSING_TOKEN");
    expect_before_body("PUT /_matrix/app/v1/transactions/1 HTTP/1.1\r\nHost: a\r\n"
                       "Authorization: Bearer wrong",
                       "HTTP/1.1 403 ", "M_FORBIDDEN");
    expect_before_body("PUT /_matrix/app/v1/transactions/1?access_token=secret-hs-token "
                       "HTTP/1.1\r\nHost: a",
                       "HTTP/1.1 401 ", "M_MISSING_TOKEN");
    expect_before_body("PUT /nowhere HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret-hs-toke",
                       "HTTP/1.1 403 ", "M_FORBIDDEN");
    ck_assert_int_eq(appservice_counts(appservice).transactions, 0);
}
END_TEST

START_TEST(token_in_the_query_must_be_the_same)
{
    expect("PUT /_matrix/app/v1/transactions/1?access_token=secret-hs-token", "{\"events\":[]}",
           "HTTP/1.1 200 OK\r\n", "\r\n\r\n{}");
    ck_assert(peer_send(
        &peer, "PUT /_matrix/app/v1/transactions/1?access_token=other HTTP/1.1\r\nHost: a\r\n" TOKEN
               "Content-Length: 0\r\n\r\n"));
    UNTIL_TURNED(&rig, peer_has(&peer, "M_FORBIDDEN"));
    ck_assert_int_eq(peer_status(&peer), 403);
}
END_TEST

START_TEST(transaction_is_answered_when_it_is_durable)
{
    char text[1024];
    static const char body[] = "{\"events\":[" INVITE "]}";
    (void)snprintf(text, sizeof text,
                   "PUT /_matrix/app/v1/transactions/7 HTTP/1.1\r\nHost: a\r\n" TOKEN
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    store_memory_hold(rig.store, true);
    ck_assert(peer_send(&peer, text));
    UNTIL_TURNED(&rig, !engine_is_quiet(rig.engine));
    for (int i = 0; i < 20; i++) {
        port_turn(&rig);
    }
    ck_assert_int_eq(peer_status(&peer), 0);
    store_memory_finish(rig.store);
    UNTIL_TURNED(&rig, peer_has(&peer, "\r\n\r\n{}"));
    ck_assert_int_eq(peer_status(&peer), 200);
    ck_assert(peer_has(&peer, "Content-Type: application/json\r\n"));
    ck_assert_uint_eq(rig.calls, 1);
}
END_TEST

START_TEST(transaction_that_comes_again_is_handled_once)
{
    expect("PUT /_matrix/app/v1/transactions/1", "{\"events\":[" INVITE "," INVITE "]}",
           "HTTP/1.1 200 OK\r\n", "\r\n\r\n{}");
    expect("PUT /_matrix/app/v1/transactions/1", "{\"events\":[" INVITE "]}", "HTTP/1.1 200 OK\r\n",
           "\r\n\r\n{}");
    expect("PUT /_matrix/app/v1/transactions/another", "{\"events\":[" INVITE "],\"ephemeral\":[]}",
           "HTTP/1.1 200 OK\r\n", "\r\n\r\n{}");
    ck_assert_uint_eq(rig.calls, 1);
}
END_TEST

START_TEST(malformed_transaction_is_refused_and_changes_nothing)
{
    static const char *const bodies[] = {"",
                                         "{",
                                         "[]",
                                         "17",
                                         "{}",
                                         "{\"events\":{}}",
                                         "{\"events\":[" INVITE "]",
                                         "{\"events\":[" INVITE "]}x",
                                         "{\"events\":[" INVITE ",]}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        expect("PUT /_matrix/app/v1/transactions/1", bodies[i], "HTTP/1.1 400 ", "M_BAD_JSON");
    }
    ck_assert_uint_eq(rig.calls, 0);
    ck_assert_int_eq(appservice_counts(appservice).transactions, 0);
}
END_TEST

START_TEST(bad_events_are_counted_and_passed_over)
{
    expect("PUT /_matrix/app/v1/transactions/1",
           "{\"events\":[17,null,{},{\"event_id\":9},{\"event_id\":\"\"},"
           "{\"event_id\":\"$x\"},{\"event_id\":\"$y\",\"type\":5}," INVITE "]}",
           "HTTP/1.1 200 OK\r\n", "\r\n\r\n{}");
    ck_assert_int_eq(appservice_counts(appservice).events, 8);
    ck_assert_int_eq(appservice_counts(appservice).bad_events, 5);
    ck_assert_uint_eq(rig.calls, 1);
    expect("PUT /_matrix/app/v1/transactions/2", "{\"events\":[]}", "HTTP/1.1 200 OK\r\n",
           "\r\n\r\n{}");
}
END_TEST

START_TEST(failing_store_is_told_and_the_repetition_works)
{
    store_memory_fail_next(rig.store, RC_FULL);
    expect("PUT /_matrix/app/v1/transactions/1", "{\"events\":[" INVITE "]}", "HTTP/1.1 503 ",
           "M_UNKNOWN");
    ck_assert_uint_eq(rig.calls, 0);
    rig.clock_ms += 1000;
    expect("PUT /_matrix/app/v1/transactions/1", "{\"events\":[" INVITE "]}", "HTTP/1.1 200 OK\r\n",
           "\r\n\r\n{}");
    ck_assert_uint_eq(rig.calls, 1);
}
END_TEST

static void put_ghost(const char *key, const char *state)
{
    const struct store_actor ghost = {.kind = ACTOR_GHOST,
                                      .key = slice_from_cstr(key),
                                      .state = slice_from_cstr(state),
                                      .calls = 1};
    const struct store_batch batch = {.next_turn = 5, .actors = &ghost, .actors_count = 1};
    rig.store->methods->commit(rig.store, &batch, NULL, NULL);
    store_memory_crash(rig.store);
}

START_TEST(users_are_those_that_are_there)
{
    put_ghost("bob", "READY");
    put_ghost("carol", "REGISTERING");
    expect("GET /_matrix/app/v1/users/%40bot%3Ahs", "", "HTTP/1.1 200 OK\r\n", "\r\n\r\n{}");
    expect("GET /_matrix/app/v1/users/@gitter_bob:hs", "", "HTTP/1.1 200 OK\r\n", "\r\n\r\n{}");
    static const char *const unknown[] = {"GET /_matrix/app/v1/users/@gitter_carol:hs",
                                          "GET /_matrix/app/v1/users/@gitter_nobody:hs",
                                          "GET /_matrix/app/v1/users/@gitter_bob:other",
                                          "GET /_matrix/app/v1/users/@alice:hs",

                                          "GET /_matrix/app/v1/users/%ff",
                                          "GET /_matrix/app/v1/users/@gitter_bob:hs/more"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        expect(unknown[i], "", "HTTP/1.1 404 ", "M_NOT_FOUND");
    }
}
END_TEST

START_TEST(rooms_are_never_there)
{
    expect("GET /_matrix/app/v1/rooms/%23gitter_x%3Ahs", "", "HTTP/1.1 404 ", "M_NOT_FOUND");
    expect("GET /_matrix/app/v1/rooms/x", "", "HTTP/1.1 404 ", "M_NOT_FOUND");
}
END_TEST

START_TEST(ping_is_answered)
{
    expect("POST /_matrix/app/v1/ping", "{\"transaction_id\":\"x\"}", "HTTP/1.1 200 OK\r\n",
           "\r\n\r\n{}");
    expect("POST /_matrix/app/v1/ping", "{}", "HTTP/1.1 200 OK\r\n", "\r\n\r\n{}");
    expect("POST /_matrix/app/v1/ping", "pong", "HTTP/1.1 400 ", "M_NOT_JSON");
    expect("POST /_matrix/app/v1/ping", "[]", "HTTP/1.1 400 ", "M_NOT_JSON");
}
END_TEST

START_TEST(unknown_paths_and_methods_are_told)
{
    static const char *const unknown[] = {"GET /",
                                          "GET /_matrix/app/v1/",
                                          "PUT /_matrix/app/v1/transactions/",
                                          "PUT /_matrix/app/v2/transactions/1",
                                          "GET /_matrix/app/v1/users/",
                                          "POST /_matrix/app/v1/ping/more"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        expect(unknown[i], "", "HTTP/1.1 404 ", "M_UNRECOGNIZED");
    }
    static const char *const wrong[] = {
        "POST /_matrix/app/v1/transactions/1", "GET /_matrix/app/v1/transactions/1",
        "PUT /_matrix/app/v1/users/x", "DELETE /_matrix/app/v1/rooms/x",
        "GET /_matrix/app/v1/ping"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        expect(wrong[i], "", "HTTP/1.1 405 ", "M_UNRECOGNIZED");
    }
}
END_TEST

START_TEST(old_paths_and_tokens_are_taken_behind_the_switch_alone)
{
    expect("PUT /transactions/1", "{\"events\":[]}", "HTTP/1.1 404 ", "M_UNRECOGNIZED");
    expect("GET /users/@bot:hs", "", "HTTP/1.1 404 ", "M_UNRECOGNIZED");
}
END_TEST

START_TEST(old_homeservers_are_answered)
{
    put_ghost("bob", "READY");
    expect("PUT /transactions/1", "{\"events\":[" INVITE "]}", "HTTP/1.1 200 OK\r\n", "\r\n\r\n{}");
    ck_assert_uint_eq(rig.calls, 1);
    expect("GET /users/@gitter_bob:hs", "", "HTTP/1.1 200 OK\r\n", "\r\n\r\n{}");
    expect("GET /rooms/x", "", "HTTP/1.1 404 ", "M_NOT_FOUND");
    ck_assert(peer_send(&peer, "GET /users/@gitter_bob:hs?access_token=secret-hs-token "
                               "HTTP/1.1\r\nHost: a\r\n\r\n"));
    UNTIL_TURNED(&rig, peer_status(&peer) == 200);
    peer_close(&peer);
    peer_open(&peer, &rig.bed);
    expect_before_body("PUT /transactions/1?access_token=wrong HTTP/1.1\r\nHost: a",
                       "HTTP/1.1 403 ", "M_FORBIDDEN");
}
END_TEST

START_TEST(large_body_where_none_belongs_is_refused)
{
    ck_assert(peer_send(&peer, "POST /_matrix/app/v1/ping HTTP/1.1\r\nHost: a\r\n" TOKEN
                               "Content-Length: 70000\r\n\r\n"));
    UNTIL_TURNED(&rig, peer_status(&peer) == 413);
    ck_assert(peer_has(&peer, "Content-Type: application/json\r\n"));
    ck_assert(peer_has(&peer, "{\"errcode\":\"M_TOO_LARGE\","));
}
END_TEST

START_TEST(what_is_no_http_is_refused_in_json)
{
    ck_assert(peer_send(&peer, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"));
    UNTIL_TURNED(&rig, peer_has(&peer, "{\"errcode\":\"M_UNKNOWN\","));
    ck_assert_int_eq(peer_status(&peer), 400);
    ck_assert(peer_has(&peer, "Content-Type: application/json\r\n"));
    ck_assert(!peer_has(&peer, "<html"));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("appservice");
    TCase *tests = tcase_create("appservice");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, token_is_checked_before_the_body);
    tcase_add_test(tests, token_in_the_query_must_be_the_same);
    tcase_add_test(tests, transaction_is_answered_when_it_is_durable);
    tcase_add_test(tests, transaction_that_comes_again_is_handled_once);
    tcase_add_test(tests, malformed_transaction_is_refused_and_changes_nothing);
    tcase_add_test(tests, bad_events_are_counted_and_passed_over);
    tcase_add_test(tests, failing_store_is_told_and_the_repetition_works);
    tcase_add_test(tests, users_are_those_that_are_there);
    tcase_add_test(tests, rooms_are_never_there);
    tcase_add_test(tests, ping_is_answered);
    tcase_add_test(tests, unknown_paths_and_methods_are_told);
    tcase_add_test(tests, large_body_where_none_belongs_is_refused);
    tcase_add_test(tests, what_is_no_http_is_refused_in_json);
    tcase_add_test(tests, old_paths_and_tokens_are_taken_behind_the_switch_alone);
    suite_add_tcase(suite, tests);
    TCase *legacy = tcase_create("legacy");
    tcase_set_timeout(legacy, 60);
    tcase_add_checked_fixture(legacy, setup_legacy, teardown);
    tcase_add_test(legacy, old_homeservers_are_answered);
    suite_add_tcase(suite, legacy);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
