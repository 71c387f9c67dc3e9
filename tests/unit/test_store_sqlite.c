/* What only a file has: modes, versions, locks, damage, other processes. */
#include "db/schema.h"
#include "db/sql.h"
#include "tests/unit/store_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fixture;

static void set_up(void)
{
    fixture_init_closed(&fixture);
}

static void tear_down(void)
{
    fixture_clear(&fixture);
}

static enum rc open_with(const struct store_sqlite_options *options, struct slice *error)
{
    return store_sqlite_open(options, fixture.arena, &fixture.store, error);
}

static void open_store(void)
{
    const struct store_sqlite_options options = fixture_options(&fixture);
    struct slice error = SLICE_EMPTY;
    const enum rc rc = open_with(&options, &error);
    ck_assert_msg(rc == RC_OK, "%.*s", SLICE_ARGS(error));
}

static void close_store(void)
{
    fixture.store->methods->close(fixture.store);
    fixture.store = NULL;
}

/* The store refuses the file and says why. */
static void check_refused(enum rc expected, const char *why)
{
    const struct store_sqlite_options options = fixture_options(&fixture);
    struct slice error = SLICE_EMPTY;
    ck_rc_eq(open_with(&options, &error), expected);
    ck_assert_ptr_null(fixture.store);
    ck_slice_eq(error, arena_printf(fixture.arena, "%s: %s", fixture.path.ptr, why));
}

static void run_sql(const char *text)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(fixture.path.ptr, &db), SQLITE_OK);
    ck_rc_eq(sql_run(db, text), RC_OK);
    sql_close(db);
}

static struct slice read_file(const char *suffix)
{
    const struct slice path = arena_printf(fixture.arena, "%s%s", fixture.path.ptr, suffix);
    const int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    struct stat info;
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &info), 0);
    char *bytes = arena_alloc(fixture.arena, (size_t)info.st_size);
    ck_assert_int_eq(read(fd, bytes, (size_t)info.st_size), info.st_size);
    (void)close(fd);
    return slice_make(bytes, (size_t)info.st_size);
}

static void write_file(struct slice bytes, off_t at)
{
    const int fd = open(fixture.path.ptr, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes.ptr, bytes.len, at), (ssize_t)bytes.len);
    (void)close(fd);
}

static enum rc put_user(struct slice key, struct slice secrets)
{
    return fixture_put(&fixture, (struct store_actor){.kind = USER,
                                                      .key = key,
                                                      .state = SLICE("AUTHED"),
                                                      .body = SLICE("body"),
                                                      .secrets = secrets});
}

START_TEST(sqlite_files_are_private)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    (void)umask(0);
    open_store();
    ck_rc_eq(put_user(SLICE("@a:x"), SLICE_EMPTY), RC_OK);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        const struct slice path =
            arena_printf(fixture.arena, "%s%s", fixture.path.ptr, suffixes[i]);
        struct stat info;
        ck_assert_int_eq(stat(path.ptr, &info), 0);
        ck_assert_msg((info.st_mode & 07777) == 0600, "%s is %o", path.ptr, info.st_mode);
    }
}
END_TEST

START_TEST(sqlite_secrets_are_not_in_the_files)
{
    const struct slice token = SLICE("very-secret-token");
    open_store();
    ck_rc_eq(put_user(SLICE("@visible:x"), token), RC_OK);
    struct slice wal = read_file("-wal");
    ck_assert_uint_lt(slice_find(wal, SLICE("@visible:x")), wal.len);
    ck_assert_uint_eq(slice_find(wal, token), wal.len);
    close_store();
    const struct slice file = read_file("");
    ck_assert_uint_lt(slice_find(file, SLICE("@visible:x")), file.len);
    ck_assert_uint_eq(slice_find(file, token), file.len);
}
END_TEST

START_TEST(sqlite_secrets_moved_to_another_row_are_lost)
{
    struct store_actor actor;
    open_store();
    ck_rc_eq(put_user(SLICE("@a:x"), SLICE("token")), RC_OK);
    ck_rc_eq(put_user(SLICE("@b:x"), SLICE_EMPTY), RC_OK);
    close_store();
    run_sql("UPDATE users SET sealed = (SELECT sealed FROM users WHERE key = '@a:x') "
            "WHERE key = '@b:x'");
    open_store();
    ck_rc_eq(
        fixture.store->methods->load(fixture.store, USER, SLICE("@b:x"), fixture.arena, &actor),
        RC_OK);
    ck_assert(actor.secrets_are_lost);
    ck_rc_eq(
        fixture.store->methods->load(fixture.store, USER, SLICE("@a:x"), fixture.arena, &actor),
        RC_OK);
    ck_slice_eq(actor.secrets, SLICE("token"));
}
END_TEST

START_TEST(sqlite_ids_and_names_are_text_for_people)
{
    static const char *const purposes[] = {"P0", "P1", "P2", "SENT"};
    struct store_sqlite_options options = fixture_options(&fixture);
    struct slice error = SLICE_EMPTY;
    options.purposes = purposes;
    options.purposes_count = 4;
    ck_rc_eq(open_with(&options, &error), RC_OK);
    ck_rc_eq(put_user(SLICE("@a:x"), SLICE_EMPTY), RC_OK);
    ck_rc_eq(fixture_call(&fixture, fixture_make_call(1, 1, "l", "")), RC_OK);
    ck_assert_int_eq(
        fixture_ask(&fixture, "SELECT count(*) FROM users WHERE key = '@a:x' AND state = 'AUTHED'"),
        1);
    ck_assert_int_eq(fixture_ask(&fixture,
                                 "SELECT count(*) FROM outbox WHERE purpose = 'SENT' "
                                 "AND api = 'MATRIX' AND auth = 'APPSERVICE' AND repeat = 'FREELY' "
                                 "AND actor = 'rooms' AND lane = 'l'"),
                     1);
}
END_TEST

START_TEST(sqlite_purposes_may_be_numbered_otherwise_later)
{
    static const char *const old[] = {"P0", "P1", "P2", "SENT"};
    static const char *const new[] = {"NEW", "SENT"};
    static const char *const gone[] = {"NEW"};
    struct store_sqlite_options options = fixture_options(&fixture);
    struct slice error = SLICE_EMPTY;
    struct outbox_call call;
    options.purposes = old;
    options.purposes_count = 4;
    ck_rc_eq(open_with(&options, &error), RC_OK);
    ck_rc_eq(fixture_call(&fixture, fixture_make_call(1, 1, "l", "")), RC_OK);
    close_store();
    options.purposes = new;
    options.purposes_count = 2;
    ck_rc_eq(open_with(&options, &error), RC_OK);
    ck_rc_eq(fixture.store->methods->lane_head(fixture.store, SLICE("l"), fixture.arena, &call),
             RC_OK);
    ck_assert_int_eq(call.call.purpose, 1);
    close_store();
    options.purposes = gone;
    options.purposes_count = 1;
    ck_rc_eq(open_with(&options, &error), RC_OK);
    ck_rc_eq(fixture.store->methods->lane_head(fixture.store, SLICE("l"), fixture.arena, &call),
             RC_CORRUPT);
}
END_TEST

START_TEST(sqlite_empty_file_becomes_a_new_database)
{
    write_file(SLICE_EMPTY, 0);
    open_store();
    ck_rc_eq(put_user(SLICE("@a:x"), SLICE_EMPTY), RC_OK);
    ck_assert_int_eq(fixture_ask(&fixture, "PRAGMA user_version"), schema_version());
}
END_TEST

/* A file of each version before, with calls in flight: they go on and drain. */
START_TEST(sqlite_older_file_is_brought_up_to_date)
{
    static const int64_t ids[] = {1, 2};
    int64_t waiting = 0;
    for (int step = 0; step < _i; step++) {
        run_sql(schema_step(step));
    }
    run_sql(arena_printf(fixture.arena,
                         "PRAGMA application_id = 1735684708; PRAGMA user_version = %d", _i)
                .ptr);
    run_sql("WITH ids (id) AS (VALUES (1), (2)) INSERT INTO outbox SELECT id, id, 1, 5, 'rooms', "
            "'@a:x !r', '3', 'GITTER', 'OWNER', 'NEVER', 'l', '@a:x', '', 'POST', '/p', '', '', 0, "
            "0, 0, 0, x'' FROM ids");
    open_store();
    ck_assert_int_eq(fixture_ask(&fixture, "PRAGMA user_version"), schema_version());
    ck_rc_eq(
        fixture.store->methods->waiting(fixture.store, SLICE("@a:x"), CALL_AUTH_OWNER, &waiting),
        RC_OK);
    ck_assert_int_eq(waiting, 2);
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE_EMPTY, 8), "1 2");
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.ended = ids, .ended_count = 2}), RC_OK);
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE_EMPTY, 8), "");
    ck_rc_eq(
        fixture.store->methods->waiting(fixture.store, SLICE("@a:x"), CALL_AUTH_OWNER, &waiting),
        RC_OK);
    ck_assert_int_eq(waiting, 0);
}
END_TEST

START_TEST(sqlite_newer_file_is_refused_and_left_alone)
{
    const long long known = schema_version();
    open_store();
    close_store();
    run_sql(arena_printf(fixture.arena, "PRAGMA user_version = %lld", known + 1).ptr);
    const struct slice before = read_file("");
    check_refused(RC_NEWER,
                  arena_printf(fixture.arena,
                               "written by a newer gitterd (version %lld, this one knows %lld)",
                               known + 1, known)
                      .ptr);
    ck_assert(slice_equal(read_file(""), before));
}
END_TEST

START_TEST(sqlite_file_of_another_program_is_refused_and_left_alone)
{
    run_sql("CREATE TABLE users (matrix_username TEXT PRIMARY KEY)");
    const struct slice before = read_file("");
    check_refused(RC_REFUSED, "the database of another program");
    ck_assert(slice_equal(read_file(""), before));
}
END_TEST

START_TEST(sqlite_file_that_is_no_database_is_refused_and_left_alone)
{
    const struct slice text = SLICE("unique_secret_key: not a database, and longer than a header\n"
                                    "so that it is read as one and found to be something else\n");
    write_file(text, 0);
    check_refused(RC_CORRUPT, "file is not a database");
    ck_slice_eq(read_file(""), text);
}
END_TEST

static void damage_page(int64_t page)
{
    char garbage[4096];
    memset(garbage, 0xa5, sizeof garbage);
    write_file(slice_make(garbage, sizeof garbage), (off_t)((page - 1) * 4096));
}

START_TEST(sqlite_damaged_rows_are_an_error_not_a_crash)
{
    open_store();
    for (int i = 0; i < 50; i++) {
        ck_rc_eq(put_user(arena_printf(fixture.arena, "@%d:x", i), SLICE("token")), RC_OK);
    }
    close_store();
    damage_page(fixture_ask(&fixture, "SELECT rootpage FROM sqlite_schema WHERE name = 'users'"));
    damage_page(fixture_ask(&fixture,
                            "SELECT rootpage FROM sqlite_schema WHERE name = 'users_by_deadline'"));
    open_store();
    struct store_actor actor;
    size_t count = 0;
    struct store *store = fixture.store;
    ck_rc_eq(store->methods->load(store, USER, SLICE("@1:x"), fixture.arena, &actor), RC_CORRUPT);
    ck_rc_eq(store->methods->due(store, 1, fixture.arena, &actor, 1, &count), RC_CORRUPT);
    ck_rc_eq(put_user(SLICE("@1:x"), SLICE_EMPTY), RC_CORRUPT);
    ck_rc_eq(store->methods->load(store, FEED, SLICE("@1:x"), fixture.arena, &actor), RC_ABSENT);
}
END_TEST

START_TEST(sqlite_damaged_schema_is_refused)
{
    open_store();
    close_store();
    const size_t pages = read_file("").len / 4096;
    for (size_t page = 2; page <= pages; page++) {
        damage_page((int64_t)page);
    }
    check_refused(RC_CORRUPT, "database disk image is malformed");
}
END_TEST

START_TEST(sqlite_missing_column_is_named)
{
    static const char *const columns[] = {"private_room", "nickname"};
    const struct store_table table = {"users", columns, 2};
    struct store_sqlite_options options = fixture_options(&fixture);
    struct slice error = SLICE_EMPTY;
    options.tables = &table;
    options.tables_count = 1;
    ck_rc_eq(open_with(&options, &error), RC_CORRUPT);
    ck_slice_eq(error, arena_printf(fixture.arena, "%s: table users has no column nickname",
                                    fixture.path.ptr));
}
END_TEST

static enum rc open_with_key(struct slice key, bool takes_new_key)
{
    struct store_sqlite_options options = fixture_options(&fixture);
    struct slice error = SLICE_EMPTY;
    options.secret_key = key;
    options.takes_new_key = takes_new_key;
    const enum rc rc = open_with(&options, &error);
    ck_assert(rc == RC_OK ||
              slice_find(error, SLICE("under another unique_secret_key")) < error.len);
    return rc;
}

static bool is_token_lost(void)
{
    struct store_actor user = {0};
    ck_rc_eq(fixture.store->methods->load(fixture.store, USER, SLICE("@a:x"), fixture.arena, &user),
             RC_OK);
    return user.secrets_are_lost;
}

START_TEST(sqlite_other_secret_key_is_refused_and_changes_nothing)
{
    open_store();
    ck_rc_eq(put_user(SLICE("@a:x"), SLICE("token")), RC_OK);
    close_store();
    ck_rc_eq(open_with_key(SLICE("another"), false), RC_REFUSED);
    open_store();
    ck_assert(!is_token_lost());
}
END_TEST

START_TEST(sqlite_other_secret_key_is_refused_before_anybody_has_logged_in)
{
    open_store();
    close_store();
    ck_rc_eq(open_with_key(SLICE("another"), false), RC_REFUSED);
}
END_TEST

START_TEST(sqlite_other_secret_key_is_taken_when_that_is_wanted)
{
    open_store();
    ck_rc_eq(put_user(SLICE("@a:x"), SLICE("token")), RC_OK);
    close_store();
    ck_rc_eq(open_with_key(SLICE("another"), true), RC_OK);
    ck_assert(is_token_lost());
    close_store();
    ck_rc_eq(open_with_key(SLICE("another"), false), RC_OK);
    close_store();
    ck_rc_eq(open_with_key(SLICE("a key for tests"), false), RC_REFUSED);
}
END_TEST

START_TEST(sqlite_file_that_never_knew_its_key_is_judged_by_a_login)
{
    open_store();
    ck_rc_eq(put_user(SLICE("@a:x"), SLICE("token")), RC_OK);
    close_store();
    run_sql("DELETE FROM meta WHERE key = 'key_check'");
    ck_rc_eq(open_with_key(SLICE("another"), false), RC_REFUSED);
    open_store();
    ck_assert(!is_token_lost());
    ck_assert_int_eq(fixture_ask(&fixture, "SELECT count(*) FROM meta WHERE key = 'key_check'"), 1);
}
END_TEST

START_TEST(sqlite_without_secret_key_is_refused)
{
    struct store_sqlite_options options = fixture_options(&fixture);
    struct slice error = SLICE_EMPTY;
    options.secret_key = SLICE_EMPTY;
    ck_rc_eq(open_with(&options, &error), RC_BAD_INPUT);
    ck_assert_int_ne(access(fixture.path.ptr, F_OK), 0);
}
END_TEST

START_TEST(sqlite_second_instance_is_told_who_holds_the_file)
{
    open_store();
    struct store *second = NULL;
    struct slice error = SLICE_EMPTY;
    const struct store_sqlite_options options = fixture_options(&fixture);
    ck_rc_eq(store_sqlite_open(&options, fixture.arena, &second, &error), RC_BUSY);
    ck_slice_eq(error, arena_printf(fixture.arena, "%s.lock: held by process %d", fixture.path.ptr,
                                    (int)getpid()));
    close_store();
    open_store();
}
END_TEST

START_TEST(sqlite_commit_survives_a_kill)
{
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        open_store();
        if (put_user(SLICE("@a:x"), SLICE("token")) == RC_OK) {
            (void)raise(SIGKILL);
        }
        _exit(1);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct store_actor actor;
    open_store();
    ck_rc_eq(
        fixture.store->methods->load(fixture.store, USER, SLICE("@a:x"), fixture.arena, &actor),
        RC_OK);
    ck_slice_eq(actor.secrets, SLICE("token"));
}
END_TEST

START_TEST(sqlite_reading_only_follows_a_running_instance)
{
    struct store_sqlite_options options = fixture_options(&fixture);
    struct slice error = SLICE_EMPTY;
    struct store *reading = NULL;
    struct store_actor actor;
    options.is_read_only = true;
    options.secret_key = SLICE_EMPTY;
    open_store();
    ck_rc_eq(store_sqlite_open(&options, fixture.arena, &reading, &error), RC_OK);
    ck_rc_eq(reading->methods->load(reading, USER, SLICE("@a:x"), fixture.arena, &actor),
             RC_ABSENT);
    ck_rc_eq(put_user(SLICE("@a:x"), SLICE("token")), RC_OK);
    ck_rc_eq(reading->methods->load(reading, USER, SLICE("@a:x"), fixture.arena, &actor), RC_OK);
    ck_assert(actor.secrets_are_lost);
    ck_slice_eq(actor.body, SLICE("body"));

    struct store *running = fixture.store;
    fixture.store = reading;
    ck_rc_eq(put_user(SLICE("@b:x"), SLICE_EMPTY), RC_REFUSED);
    reading->methods->close(reading);
    fixture.store = running;
    ck_rc_eq(put_user(SLICE("@b:x"), SLICE_EMPTY), RC_OK);
}
END_TEST

START_TEST(sqlite_reading_only_makes_nothing)
{
    struct store_sqlite_options options = fixture_options(&fixture);
    struct slice error = SLICE_EMPTY;
    options.is_read_only = true;
    ck_rc_eq(open_with(&options, &error), RC_ABSENT);
    ck_assert_int_ne(access(fixture.path.ptr, F_OK), 0);
    write_file(SLICE_EMPTY, 0);
    ck_rc_eq(open_with(&options, &error), RC_ABSENT);
    ck_assert_uint_eq(read_file("").len, 0);
}
END_TEST

START_TEST(sqlite_in_a_folder_without_write_permission_says_so)
{
    ck_assert_int_eq(chmod(fixture.folder, 0555), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        /* permissions do not bind root */
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(2);
        }
        const struct store_sqlite_options options = fixture_options(&fixture);
        struct slice error = SLICE_EMPTY;
        const enum rc rc = open_with(&options, &error);
        const bool is_told = slice_find(error, SLICE("Permission denied")) < error.len;
        _exit(rc == RC_IO && is_told ? 0 : 1);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_int_eq(chmod(fixture.folder, 0700), 0);
}
END_TEST

/* What each message costs must not grow with the tables: these queries have one step, which walks
 * through none, and nothing to sort. */
START_TEST(sqlite_look_ups_use_indexes)
{
    static const char *const queries[] = {
        "SELECT key, state FROM rooms WHERE matrix_room = '!r' ORDER BY key LIMIT 9",
        "SELECT id FROM outbox WHERE lane > 'l' ORDER BY lane, place, id LIMIT 1",
        "SELECT id FROM outbox WHERE lane = 'l' ORDER BY place, id LIMIT 1",
        "SELECT gitter_id FROM message_map WHERE matrix_room = '!r' AND event_id = '$e' "
        "AND event_id <> '' ORDER BY gitter_id LIMIT 1",
        "SELECT 1 FROM seen_events WHERE event_id = '$e'",
        "SELECT event_id FROM seen_events WHERE event_id > '$e' ORDER BY event_id "
        "LIMIT 1 OFFSET 9",
        "SELECT gitter_id, created_day FROM message_map WHERE matrix_room = '!r' "
        "ORDER BY gitter_id LIMIT 9",
        "DELETE FROM message_map WHERE matrix_room = '!r' AND gitter_id <= '5' AND created_day < 9",
        "SELECT matrix_room FROM message_map WHERE matrix_room > '!r' ORDER BY matrix_room LIMIT 1",
        "SELECT deadline_ms, key FROM users WHERE deadline_ms <> 0 AND deadline_ms <= 9 "
        "ORDER BY deadline_ms, key LIMIT 9",
    };
    open_store();
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        sqlite3 *db = NULL;
        sqlite3_stmt *statement = NULL;
        ck_assert_int_eq(sqlite3_open(fixture.path.ptr, &db), SQLITE_OK);
        ck_rc_eq(sql_prepare(db, arena_printf(fixture.arena, "EXPLAIN QUERY PLAN %s", queries[i]),
                             &statement),
                 RC_OK);
        struct query query = query_begin(statement);
        ck_assert(query_row(&query));
        const struct slice plan = query_peek_text(&query, 3);
        ck_assert_msg(slice_starts_with(plan, SLICE("SEARCH ")), "%s: %.*s", queries[i],
                      SLICE_ARGS(plan));
        ck_assert_msg(!query_row(&query), "%s: sorts", queries[i]);
        ck_rc_eq(query_end(&query), RC_OK);
        sql_close(db);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_sqlite");
    TCase *tcase = tcase_create("sqlite");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, sqlite_files_are_private);
    tcase_add_test(tcase, sqlite_secrets_are_not_in_the_files);
    tcase_add_test(tcase, sqlite_secrets_moved_to_another_row_are_lost);
    tcase_add_test(tcase, sqlite_ids_and_names_are_text_for_people);
    tcase_add_test(tcase, sqlite_purposes_may_be_numbered_otherwise_later);
    tcase_add_test(tcase, sqlite_empty_file_becomes_a_new_database);
    tcase_add_loop_test(tcase, sqlite_older_file_is_brought_up_to_date, 1, (int)schema_version());
    tcase_add_test(tcase, sqlite_newer_file_is_refused_and_left_alone);
    tcase_add_test(tcase, sqlite_file_of_another_program_is_refused_and_left_alone);
    tcase_add_test(tcase, sqlite_file_that_is_no_database_is_refused_and_left_alone);
    tcase_add_test(tcase, sqlite_damaged_rows_are_an_error_not_a_crash);
    tcase_add_test(tcase, sqlite_damaged_schema_is_refused);
    tcase_add_test(tcase, sqlite_missing_column_is_named);
    tcase_add_test(tcase, sqlite_other_secret_key_is_refused_and_changes_nothing);
    tcase_add_test(tcase, sqlite_other_secret_key_is_refused_before_anybody_has_logged_in);
    tcase_add_test(tcase, sqlite_other_secret_key_is_taken_when_that_is_wanted);
    tcase_add_test(tcase, sqlite_file_that_never_knew_its_key_is_judged_by_a_login);
    tcase_add_test(tcase, sqlite_without_secret_key_is_refused);
    tcase_add_test(tcase, sqlite_second_instance_is_told_who_holds_the_file);
    tcase_add_test(tcase, sqlite_commit_survives_a_kill);
    tcase_add_test(tcase, sqlite_reading_only_follows_a_running_instance);
    tcase_add_test(tcase, sqlite_reading_only_makes_nothing);
    tcase_add_test(tcase, sqlite_in_a_folder_without_write_permission_says_so);
    tcase_add_test(tcase, sqlite_look_ups_use_indexes);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
