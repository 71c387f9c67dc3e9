/* The SQLite store when memory, disk or file system fail: the Nth time they are asked for N = 1, 2,
 * 3 and so on until a pass is clean, once and from then on. After each: all of a batch or nothing,
 * the store goes on, and the file is sound. */
#include "db/sql.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/store_shim.h"

#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>

/* The first start asks for memory more than 9,000 times, nearly all of it to prepare statements: of
 * those only a sample fails. Everything else has fewer than this. */
enum {
    ALL_UP_TO = 300,
    STRIDE = 41
};

static void check_integrity(const struct fixture *fixture)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open(fixture->path.ptr, &db), SQLITE_OK);
    ck_rc_eq(sql_prepare(db, SLICE("PRAGMA integrity_check"), &statement), RC_OK);
    struct query query = query_begin(statement);
    ck_assert(query_row(&query));
    ck_slice_eq(query_peek_text(&query, 0), SLICE("ok"));
    ck_rc_eq(query_end(&query), RC_OK);
    sql_close(db);
}

/* Rows of every kind that bear the name; some larger than a page. */
static struct store_batch make_batch(struct arena *arena, const char *name, int64_t turn)
{
    const struct slice text = slice_from_cstr(name);
    struct store_actor *actors = ARENA_ARRAY(arena, 2, struct store_actor);
    actors[0] = (struct store_actor){.kind = USER, .key = text, .state = SLICE("S")};
    actors[0].deadline_ms = turn;
    actors[0].columns[0] = text;
    actors[0].secrets = SLICE("secret");
    actors[0].body = slice_make(arena_alloc(arena, 9000), 9000);
    actors[1] = (struct store_actor){.kind = FEED, .key = text, .state = SLICE("S")};
    struct store_relation *relation = ARENA_NEW(arena, struct store_relation);
    *relation = (struct store_relation){
        .relation = RELATION_MESSAGE_MAP, .left = SLICE("!r"), .right = text, .value = SLICE("$1")};
    struct slice *seen = ARENA_NEW(arena, struct slice);
    *seen = text;
    struct outbox_call *call = ARENA_NEW(arena, struct outbox_call);
    *call = fixture_make_call(turn, turn, name, "");
    return (struct store_batch){
        .now_ms = 1,
        .next_turn = turn + 1,
        .actors = actors,
        .actors_count = 2,
        .relations = relation,
        .relations_count = 1,
        .seen = seen,
        .seen_count = 1,
        .calls = call,
        .calls_count = 1,
    };
}

static enum rc commit_named(struct fixture *fixture, const char *name, int64_t turn)
{
    return fixture_commit(fixture, make_batch(fixture->arena, name, turn));
}

/* All that a batch of that name holds is there, or nothing of it. */
static void check_named(const struct fixture *fixture, const char *name, bool is_there)
{
    struct store *store = fixture->store;
    const struct slice text = slice_from_cstr(name);
    const enum rc expected = is_there ? RC_OK : RC_ABSENT;
    struct store_actor actor;
    struct outbox_call call;
    struct slice value;
    ck_rc_eq(store->methods->load(store, USER, text, fixture->arena, &actor), expected);
    ck_rc_eq(store->methods->load(store, FEED, text, fixture->arena, &actor), expected);
    ck_rc_eq(store->methods->related(store, RELATION_MESSAGE_MAP, SLICE("!r"), text, fixture->arena,
                                     &value),
             expected);
    ck_rc_eq(store->methods->seen(store, text), expected);
    ck_rc_eq(store->methods->lane_head(store, text, fixture->arena, &call), expected);
}

static void check_turn(const struct fixture *fixture, int64_t expected)
{
    int64_t turn = 0;
    ck_rc_eq(fixture->store->methods->next_turn(fixture->store, &turn), RC_OK);
    ck_assert_int_eq(turn, expected);
}

/* One commit under the Nth fault; true if it was not reached. */
static bool commit_with_fault(enum fault_kind kind, int at, bool is_sticky)
{
    struct fixture fixture;
    fixture_init(&fixture, FIXTURE_SQLITE);
    ck_rc_eq(commit_named(&fixture, "before", 1), RC_OK);
    fixture_reopen(&fixture, false); /* the first commit of a run prunes */
    shim_arm(kind, at, is_sticky);
    const enum rc rc = commit_named(&fixture, "during", 2);
    const bool is_clean = shim_disarm();
    if (rc != RC_OK) {
        ck_assert(!is_clean);
        ck_assert(rc == RC_FULL || rc == RC_IO);
        ck_assert(kind != FAULT_ALLOC || rc == RC_FULL);
    }
    check_named(&fixture, "during", rc == RC_OK);
    check_turn(&fixture, rc == RC_OK ? 3 : 2);
    ck_rc_eq(commit_named(&fixture, "after", 3), RC_OK);
    fixture_reopen(&fixture, false);
    check_named(&fixture, "before", true);
    check_named(&fixture, "during", rc == RC_OK);
    check_named(&fixture, "after", true);
    check_turn(&fixture, 4);
    check_integrity(&fixture);
    fixture_clear(&fixture);
    return is_clean;
}

static bool read_with_fault(enum fault_kind kind, int at, bool is_sticky)
{
    struct fixture fixture;
    struct store_actor actor = {.kind = -1};
    struct outbox_call call;
    size_t count = 0;
    fixture_init(&fixture, FIXTURE_SQLITE);
    ck_rc_eq(commit_named(&fixture, "row", 1), RC_OK);
    fixture_reopen(&fixture, false);
    struct store *store = fixture.store;
    shim_arm(kind, at, is_sticky);
    const enum rc load = store->methods->load(store, USER, SLICE("row"), fixture.arena, &actor);
    const enum rc due = store->methods->due(store, 9, fixture.arena, &actor, 1, &count);
    const enum rc head = store->methods->lane_head(store, SLICE("row"), fixture.arena, &call);
    const bool is_clean = shim_disarm();
    ck_assert(load == RC_OK || load == RC_FULL || load == RC_IO);
    ck_assert(due == RC_OK || due == RC_FULL || due == RC_IO);
    ck_assert(head == RC_OK || head == RC_FULL || head == RC_IO);
    ck_assert(!is_clean || (load == RC_OK && due == RC_OK && head == RC_OK));
    if (load == RC_OK && due == RC_OK) {
        ck_assert_uint_eq(count, 1);
        ck_assert_uint_eq(actor.body.len, 9000);
        ck_slice_eq(actor.secrets, SLICE("secret"));
    }
    check_named(&fixture, "row", true);
    fixture_clear(&fixture);
    return is_clean;
}

/* The first start under the Nth fault. */
static bool open_with_fault(enum fault_kind kind, int at, bool is_sticky)
{
    struct fixture fixture;
    fixture_init_closed(&fixture);
    const struct store_sqlite_options options = fixture_options(&fixture);
    struct slice error = SLICE_EMPTY;
    shim_arm(kind, at, is_sticky);
    enum rc rc = store_sqlite_open(&options, fixture.arena, &fixture.store, &error);
    const bool is_clean = shim_disarm();
    if (rc != RC_OK) {
        ck_assert(!is_clean);
        ck_assert(rc == RC_FULL || rc == RC_IO);
        ck_assert(slice_starts_with(error, fixture.path));
        rc = store_sqlite_open(&options, fixture.arena, &fixture.store, &error);
        ck_assert_msg(rc == RC_OK, "%.*s", SLICE_ARGS(error));
    }
    check_turn(&fixture, 1);
    ck_rc_eq(commit_named(&fixture, "first", 1), RC_OK);
    check_named(&fixture, "first", true);
    check_integrity(&fixture);
    fixture_clear(&fixture);
    return is_clean;
}

/* Until a pass is clean; the loop must have met at least one fault, or it proves nothing. */
static void every_fault(bool (*pass)(enum fault_kind kind, int at, bool is_sticky),
                        enum fault_kind kind)
{
    for (int is_sticky = 0; is_sticky < 2; is_sticky++) {
        int at = 1;
        while (!pass(kind, at, is_sticky != 0)) {
            at += at < ALL_UP_TO ? 1 : STRIDE;
            ck_assert_int_lt(at, 20000);
        }
        ck_assert_int_gt(at, 1);
    }
}

START_TEST(sqlite_commit_under_faults_is_all_or_nothing)
{
    if (_i != FAULT_READ) {
        every_fault(commit_with_fault, (enum fault_kind)_i);
    }
}
END_TEST

START_TEST(sqlite_read_under_faults_is_right_or_fails)
{
    if (_i == FAULT_ALLOC || _i == FAULT_READ) {
        every_fault(read_with_fault, (enum fault_kind)_i);
    }
}
END_TEST

START_TEST(sqlite_first_start_under_faults_can_be_repeated)
{
    every_fault(open_with_fault, (enum fault_kind)_i);
}
END_TEST

START_TEST(sqlite_time_of_a_failed_commit_is_not_taken_for_written)
{
    int64_t ms = 0;
    struct fixture fixture;
    struct store_batch batch = {.next_turn = 2, .now_ms = 5000};
    fixture_init(&fixture, FIXTURE_SQLITE);
    shim_arm(FAULT_WRITE, 1, true);
    ck_assert(fixture_commit(&fixture, batch) != RC_OK);
    ck_assert(!shim_disarm());
    batch.now_ms += 500;
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
    ck_rc_eq(fixture.store->methods->last_ms(fixture.store, &ms), RC_OK);
    ck_assert_int_eq(ms, 5500);
    fixture_clear(&fixture);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_faults");
    TCase *tcase = tcase_create("faults");
    tcase_add_unchecked_fixture(tcase, shim_install, NULL);
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, sqlite_commit_under_faults_is_all_or_nothing, 0, FAULT_KINDS);
    tcase_add_loop_test(tcase, sqlite_read_under_faults_is_right_or_fails, 0, FAULT_KINDS);
    tcase_add_loop_test(tcase, sqlite_first_start_under_faults_can_be_repeated, 0, FAULT_KINDS);
    tcase_add_test(tcase, sqlite_time_of_a_failed_commit_is_not_taken_for_written);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
