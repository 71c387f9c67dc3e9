/* The homeserver's side over the SQLite store when the disk is slow, fails or is full: a real
 * listener, the real application, the commits in their thread. */
#include "actors/machine.h"
#include "db/store_sqlite.h"
#include "runtime/daemon/appservice.h"
#include "runtime/daemon/tables.h"
#include "tests/unit/port_rig.h"
#include "tests/unit/slice_check.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/store_shim.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define INVITE(id)                                                                                 \
    "{\"event_id\":\"$" id "\",\"type\":\"m.room.member\",\"room_id\":\"!chat" id                  \
    "\",\"sender\":\"@" id                                                                         \
    ":hs\",\"state_key\":\"@bot:hs\",\"content\":{\"membership\":\"invite\"}}"

enum {
    PEERS = 3,
    PAUSE_MS = 1000
};

static struct fixture folder;
static struct port_rig rig;
static struct peer peers[PEERS];
static struct appservice *appservice;
static ev_async committed;
static size_t reports;
static enum rc reported;

static bool everybody(const void *context, struct slice user)
{
    (void)context;
    (void)user;
    return true;
}

static void on_report(void *context, enum rc rc)
{
    (void)context;
    reports++;
    reported = rc;
}

static void on_committed(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

static void wake(void *context)
{
    (void)context;
    ev_async_send(rig.bed.loop, &committed);
}

static void open_store(void)
{
    struct slice error = SLICE_EMPTY;
    const struct store_sqlite_options options = {
        .path = folder.path,
        .tables = store_tables(),
        .tables_count = ACTOR_KINDS,
        .purposes = message_names(),
        .purposes_count = MSG_KINDS,
        .secret_key = SLICE("a key for tests"),
        .wake = wake,
    };
    ck_rc_eq(store_sqlite_open(&options, folder.arena, &folder.store, &error), RC_OK);
}

static void open_engine(void)
{
    open_store();
    rig.store = folder.store;
    port_open_engine(&rig);
}

static void open_listener(void)
{
    const struct appservice_options options = {.engine = rig.engine,
                                               .hs_token = SLICE("secret-hs-token"),
                                               .domain = SLICE("hs"),
                                               .bot = SLICE("@bot:hs")};
    appservice = appservice_open(&options);
    port_listen(&rig, appservice_handler(appservice));
    appservice_serve(appservice, rig.bed.server);
    for (size_t i = 0; i < PEERS; i++) {
        peer_open(&peers[i], &rig.bed);
    }
}

static void setup(void)
{
    port_open(&rig);
    rig.settings = (struct settings){
        .domain = SLICE("hs"), .bot = SLICE("@bot:hs"), .is_permitted = everybody};
    rig.poll = store_sqlite_poll;
    ev_async_init(&committed, on_committed);
    ev_async_start(rig.bed.loop, &committed);
    fixture_init_closed(&folder);
    open_engine();
    open_listener();
}

static void teardown(void)
{
    for (size_t i = 0; i < PEERS; i++) {
        peer_close(&peers[i]);
    }
    engine_close(rig.engine);
    appservice_close(appservice);
    fixture_clear(&folder);
    ev_async_stop(rig.bed.loop, &committed);
    bed_close(&rig.bed);
}

static void request(struct peer *peer, const char *line, const char *body)
{
    char text[2048];
    (void)snprintf(text, sizeof text,
                   "%s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret-hs-token\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   line, strlen(body), body);
    ck_assert(peer_send(peer, text));
}

static void send_transaction(struct peer *peer, const char *body)
{
    request(peer, "PUT /_matrix/app/v1/transactions/1", body);
}

/* The answer, which a new connection then makes room for. */
static int answer_of(struct peer *peer)
{
    UNTIL_TURNED(&rig, peer_has(peer, "\r\n\r\n{"));
    const int status = peer_status(peer);
    peer_close(peer);
    peer_open(peer, &rig.bed);
    return status;
}

static int transact(const char *body)
{
    send_transaction(&peers[0], body);
    return answer_of(&peers[0]);
}

/* It waits in the engine, which has not run. */
static void send_and_take(const char *body)
{
    const int64_t before = appservice_counts(appservice).transactions;
    send_transaction(&peers[0], body);
    UNTIL(&rig.bed, appservice_counts(appservice).transactions > before);
}

/* An input that nobody says again, such as a record of Gitter's. */
static void post_once_said(void)
{
    const struct msg_event event = {.raw = SLICE(INVITE("once"))};
    engine_post(rig.engine, &(struct input){.msg = {MSG_MATRIX_EVENT, &event},
                                            .event_id = SLICE("$once"),
                                            .done = on_report});
}

static bool is_seen(struct slice event_id)
{
    return folder.store->methods->seen(folder.store, event_id) == RC_OK;
}

START_TEST(slow_sync_delays_answers_and_nothing_else)
{
    shim_hold_syncs();
    send_transaction(&peers[0], "{\"events\":[" INVITE("a") "]}");
    UNTIL_TURNED(&rig, shim_syncs_waiting() == 1);
    send_transaction(&peers[1], "{\"events\":[" INVITE("b") "]}");
    const size_t before = rig.bed.ticks;
    request(&peers[2], "GET /_matrix/app/v1/users/@gitter_nobody:hs", "");
    ck_assert_int_eq(answer_of(&peers[2]), 404);
    request(&peers[2], "GET /_matrix/app/v1/users/@bot:hs", "");
    ck_assert_int_eq(answer_of(&peers[2]), 200);
    send_transaction(&peers[2], "{\"events\":[" INVITE("c") "]}");
    UNTIL_TURNED(&rig,
                 appservice_counts(appservice).transactions == 3 && rig.bed.ticks > before + 10);
    ck_assert_int_eq(shim_syncs_waiting(), 1);
    for (size_t i = 0; i < PEERS; i++) {
        ck_assert_int_eq(peer_status(&peers[i]), 0);
    }
    ck_assert_uint_eq(rig.calls, 0);
    ck_assert_int_eq(engine_counts(rig.engine).batches, 1);
    while (engine_counts(rig.engine).batches == 1) { /* the first commit may sync more than once */
        shim_release_one_sync();
        UNTIL_TURNED(&rig, shim_syncs_waiting() == 1);
    }
    UNTIL_TURNED(&rig, peer_status(&peers[0]) == 200);
    ck_assert_uint_eq(rig.calls, 1);
    ck_assert_int_eq(peer_status(&peers[1]), 0);
    ck_assert_int_eq(peer_status(&peers[2]), 0);
    shim_release_syncs();
    UNTIL_TURNED(&rig, peer_status(&peers[1]) == 200 && peer_status(&peers[2]) == 200);
    ck_assert_uint_eq(rig.calls, 3);
    ck_assert_int_eq(engine_counts(rig.engine).batches, 2); /* what waited went together */
}
END_TEST

START_TEST(failed_sync_is_told_and_nothing_is_lost)
{
    ck_assert_int_eq(transact("{\"events\":[" INVITE("a") "]}"), 200);
    shim_arm(FAULT_SYNC, 1, false);
    post_once_said();
    send_and_take("{\"events\":[" INVITE("b") "]}");
    ck_assert_int_eq(answer_of(&peers[0]), 503);
    ck_assert(!shim_disarm());
    ck_assert_uint_eq(reports, 0);
    ck_assert_uint_eq(rig.calls, 1);
    ck_assert(!is_seen(SLICE("$b")) && !is_seen(SLICE("$once")));
    ck_assert_int_eq(engine_counts(rig.engine).commits_failed, 1);
    ck_assert_int_eq(engine_next_ms(rig.engine), rig.clock_ms + PAUSE_MS);
    rig.clock_ms += PAUSE_MS;
    UNTIL_TURNED(&rig, reports == 1);
    ck_rc_eq(reported, RC_OK);
    ck_assert_uint_eq(rig.calls, 2);
    ck_assert_int_eq(transact("{\"events\":[" INVITE("b") "]}"), 200);
    ck_assert_uint_eq(rig.calls, 3);
}
END_TEST

START_TEST(full_disk_is_told_until_there_is_room_again)
{
    post_once_said();
    shim_arm(FAULT_FULL, 1, true);
    for (int i = 1; i <= 3; i++) {
        send_and_take("{\"events\":[" INVITE("a") "," INVITE("b") "]}");
        rig.clock_ms += PAUSE_MS;
        ck_assert_int_eq(answer_of(&peers[0]), 503);
        ck_assert_int_eq(engine_counts(rig.engine).commits_failed, i);
        ck_assert(!is_seen(SLICE("$a")) && !is_seen(SLICE("$b")));
        request(&peers[1], "GET /_matrix/app/v1/users/@gitter_nobody:hs", "");
        ck_assert_int_eq(answer_of(&peers[1]), 404);
    }
    ck_assert_uint_eq(rig.calls + reports, 0);
    ck_assert(!shim_disarm());
    rig.clock_ms += PAUSE_MS;
    UNTIL_TURNED(&rig, reports == 1);
    ck_rc_eq(reported, RC_OK);
    ck_assert_uint_eq(rig.calls, 1);
    ck_assert_int_eq(transact("{\"events\":[" INVITE("a") "," INVITE("b") "]}"), 200);
    ck_assert_uint_eq(rig.calls, 3);
    engine_close(rig.engine);
    folder.store->methods->close(folder.store);
    open_engine();
    ck_assert(is_seen(SLICE("$a")) && is_seen(SLICE("$b")) && is_seen(SLICE("$once")));
}
END_TEST

static void *release_later(void *argument)
{
    (void)argument;
    shim_release_syncs();
    return NULL;
}

START_TEST(closing_waits_for_the_commit_under_way)
{
    pthread_t thread;
    shim_hold_syncs();
    post_once_said();
    UNTIL_TURNED(&rig, shim_syncs_waiting() == 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, release_later, NULL), 0);
    engine_close(rig.engine);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    folder.store->methods->close(folder.store);
    ck_assert_uint_eq(rig.calls + reports, 0);
    open_engine();
    ck_assert(is_seen(SLICE("$once")));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("slow_disk");
    TCase *tests = tcase_create("slow_disk");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, shim_install, NULL);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, slow_sync_delays_answers_and_nothing_else);
    tcase_add_test(tests, failed_sync_is_told_and_nothing_is_lost);
    tcase_add_test(tests, full_disk_is_told_until_there_is_room_again);
    tcase_add_test(tests, closing_waits_for_the_commit_under_way);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
