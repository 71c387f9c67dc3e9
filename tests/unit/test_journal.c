/* The form of the journal, and the table it lies in. */
#include "codecs/journal.h"
#include "codecs/journal_redact.h"
#include "db/journal_forget.h"
#include "db/sql.h"
#include "tests/unit/store_fixture.h"

#include <check.h>
#include <string.h>

static struct fixture fixture;
static struct arena *arena;

static void set_up(void)
{
    arena = arena_open(4096);
}

static void tear_down(void)
{
    arena_close(arena);
}

static struct slice ended_input(void)
{
    struct buf buf;
    struct buf body;
    buf_init(&buf, arena);
    buf_init(&body, arena);
    pack_put_map(&body, 1);
    pack_put_text(&body, SLICE("status"));
    pack_put_int(&body, 200);
    const struct journal_input input = {
        .how = JOURNAL_ENDED,
        .message = SLICE("ROOM_SEND_ENDED"),
        .body = buf_slice(&body),
        .call_id = 70001,
        .call_place = 70000,
        .call_turn = 4,
        .lane = SLICE("room-in:k"),
        .machine = SLICE("room"),
        .key = SLICE("k"),
    };
    journal_input_put(&buf, &input);
    return buf_slice(&buf);
}

static struct slice list_of(const char *name)
{
    struct buf buf;
    buf_init(&buf, arena);
    pack_put_array(&buf, 1);
    pack_put_array(&buf, 2);
    pack_put_text(&buf, slice_from_cstr(name));
    pack_put_text(&buf, SLICE("what"));
    return buf_slice(&buf);
}

static struct slice turn_entry(int64_t number)
{
    struct buf buf;
    buf_init(&buf, arena);
    const struct journal_turn turn = {
        .number = number,
        .now_ms = 1700000000000,
        .input = ended_input(),
        .reads = list_of("secret"),
        .decisions = list_of("step"),
    };
    journal_turn_put(&buf, &turn);
    return buf_slice(&buf);
}

START_TEST(turn_is_read_as_it_was_written)
{
    struct journal_entry entry;
    struct journal_turn turn;
    struct journal_input input;
    struct journal_item item;
    size_t len = 0;
    const struct slice bytes = turn_entry(17);
    ck_rc_eq(journal_entry_read(bytes, &entry, &len), RC_OK);
    ck_assert_uint_eq(len, bytes.len);
    ck_rc_eq(journal_turn_read(&entry, &turn), RC_OK);
    ck_assert_int_eq(turn.number, 17);
    ck_assert_int_eq(turn.now_ms, 1700000000000);
    ck_assert(!turn.is_emptied);
    ck_rc_eq(journal_input_read(turn.input, &input), RC_OK);
    ck_assert_int_eq(input.how, JOURNAL_ENDED);
    ck_slice_eq(input.message, SLICE("ROOM_SEND_ENDED"));
    ck_assert_int_eq(input.call_id, 70001);
    ck_assert_int_eq(input.call_place, 70000);
    ck_assert_int_eq(input.call_turn, 4);
    ck_slice_eq(input.lane, SLICE("room-in:k"));
    ck_slice_eq(input.machine, SLICE("room"));
    ck_slice_eq(input.key, SLICE("k"));
    struct slice items = slice_from(turn.reads, 1);
    ck_rc_eq(journal_item_read(&items, &item), RC_OK);
    ck_slice_eq(item.name, SLICE("secret"));
    ck_assert_uint_eq(item.count, 1);
    ck_assert_uint_eq(items.len, 0);
}
END_TEST

START_TEST(process_is_read_as_it_was_written)
{
    struct buf buf;
    struct journal_entry entry;
    struct journal_process process;
    size_t len = 0;
    buf_init(&buf, arena);
    journal_process_put(&buf, &(struct journal_process){3, 5, SLICE("ab12"), SLICE_EMPTY});
    ck_rc_eq(journal_entry_read(buf_slice(&buf), &entry, &len), RC_OK);
    ck_rc_eq(journal_process_read(&entry, &process), RC_OK);
    ck_assert_int_eq(process.turn, 3);
    ck_assert_int_eq(process.now_ms, 5);
    ck_slice_eq(process.epoch, SLICE("ab12"));
    ck_assert_uint_eq(process.settings.len, 1); /* an empty map */
}
END_TEST

START_TEST(log_of_a_newer_version_is_told)
{
    struct buf buf;
    struct journal_entry entry;
    size_t len = 0;
    buf_init(&buf, arena);
    const size_t start = journal_entry_open(&buf, JOURNAL_LOG, 3);
    pack_put_int(&buf, JOURNAL_VERSION + 1);
    pack_put_text(&buf, SLICE("something"));
    pack_put_nil(&buf);
    (void)journal_entry_close(&buf, start);
    ck_rc_eq(journal_entry_read(buf_slice(&buf), &entry, &len), RC_OK);
    ck_rc_eq(journal_log_read(&entry), RC_NEWER);
}
END_TEST

START_TEST(entry_that_is_cut_off_anywhere_is_told)
{
    const struct slice bytes = turn_entry(17);
    for (size_t cut = 0; cut < bytes.len; cut++) {
        struct journal_entry entry;
        size_t len = 0;
        ck_assert_msg(journal_entry_read(slice_first(bytes, cut), &entry, &len) == RC_AGAIN,
                      "cut at %zu", cut);
    }
}
END_TEST

START_TEST(byte_that_is_another_is_found_wherever_it_is)
{
    const struct slice bytes = turn_entry(17);
    char *damaged = arena_alloc(arena, bytes.len);
    for (size_t at = 0; at < bytes.len; at++) {
        struct journal_entry entry;
        struct journal_turn turn;
        size_t len = 0;
        memcpy(damaged, bytes.ptr, bytes.len);
        damaged[at] = (char)(damaged[at] ^ 0x11);
        const enum rc rc = journal_entry_read(slice_make(damaged, bytes.len), &entry, &len);
        ck_assert_msg(rc != RC_OK || journal_turn_read(&entry, &turn) != RC_OK, "at %zu", at);
    }
}
END_TEST

START_TEST(checksum_is_that_of_everybody)
{
    ck_assert_uint_eq(journal_adler(SLICE("")), 1);
    ck_assert_uint_eq(journal_adler(SLICE("Wikipedia")), 0x11E60398);
}
END_TEST

/* The table */

static void commit(int64_t turn, int64_t now_ms, struct slice entries)
{
    const struct store_batch batch = {.now_ms = now_ms, .journal = entries, .journal_turn = turn};
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
}

static int64_t oldest_turn(void)
{
    return fixture_ask(&fixture, "SELECT min(turn) FROM journal");
}

static void open_file(struct journal_limits limits)
{
    struct slice error = SLICE_EMPTY;
    struct store_sqlite_options options = fixture_options(&fixture);
    options.journal = limits;
    ck_rc_eq(store_sqlite_open(&options, fixture.arena, &fixture.store, &error), RC_OK);
}

static void open_with(struct journal_limits limits)
{
    fixture_init_closed(&fixture);
    open_file(limits);
}

START_TEST(entries_that_are_too_old_go)
{
    open_with((struct journal_limits){.age_ms = 100, .bytes_max = 1000000});
    commit(1, 1000, SLICE("one"));
    commit(4, 1050, SLICE("two"));
    commit(5, 1100, SLICE_EMPTY);
    ck_assert_int_eq(oldest_turn(), 1);
    commit(9, 1101, SLICE("three"));
    ck_assert_int_eq(oldest_turn(), 4);
    commit(12, 5000, SLICE_EMPTY);
    ck_assert_int_eq(oldest_turn(), 9); /* the newest stays until there is a newer one */
    fixture_clear(&fixture);
}
END_TEST

START_TEST(entries_go_when_there_are_too_many_bytes)
{
    open_with((struct journal_limits){.age_ms = 1000000, .bytes_max = 25});
    for (int64_t turn = 1; turn <= 300; turn++) {
        commit(turn, 1000, SLICE("ten bytes."));
    }
    ck_assert_int_eq(oldest_turn(), 299);
    ck_assert_int_eq(fixture_ask(&fixture, "SELECT max(id) FROM journal"), 2990);
    fixture_clear(&fixture);
}
END_TEST

START_TEST(much_goes_in_small_steps)
{
    open_with((struct journal_limits){.age_ms = 100, .bytes_max = 1000000});
    for (int64_t turn = 1; turn <= 200; turn++) {
        commit(turn, 1000, SLICE("entry"));
    }
    commit(201, 9000, SLICE("entry"));
    ck_assert_int_eq(oldest_turn(), 65);
    commit(202, 9000, SLICE("entry"));
    ck_assert_int_eq(oldest_turn(), 129);
    commit(203, 9000, SLICE("entry"));
    commit(204, 9000, SLICE("entry"));
    ck_assert_int_eq(oldest_turn(), 201);
    fixture_clear(&fixture);
}
END_TEST

/* Somebody logs out */

static void put_text_map(struct buf *buf, const char *name, struct slice text)
{
    pack_put_map(buf, 1);
    pack_put_text(buf, slice_from_cstr(name));
    pack_put_text(buf, text);
}

static struct slice reads_with_a_secret(void)
{
    struct buf buf;
    buf_init(&buf, arena);
    pack_put_array(&buf, 1);
    pack_put_array(&buf, 3);
    pack_put_text(&buf, SLICE("value"));
    pack_put_int(&buf, 7);
    pack_put_text(&buf, SLICE("{\"text\":\"a secret\"}"));
    return buf_slice(&buf);
}

static struct slice said_in(int64_t number, const char *room, const char *key)
{
    struct buf body;
    struct buf input;
    struct buf decisions;
    struct buf entry;
    buf_init(&body, arena);
    buf_init(&input, arena);
    buf_init(&decisions, arena);
    buf_init(&entry, arena);
    put_text_map(
        &body, "raw",
        arena_printf(arena, "{\"room_id\":\"%s\",\"content\":{\"body\":\"a secret\"}}", room));
    const struct journal_input event = {.how = JOURNAL_EVENT,
                                        .message = SLICE("MATRIX_EVENT"),
                                        .body = buf_slice(&body),
                                        .event_id = SLICE("$e")};
    journal_input_put(&input, &event);
    pack_put_array(&decisions, key == NULL ? 0 : 1);
    const char *const step[] = {"step", "room", key, "ROOM_MATRIX_TEXT", "JOINED", "JOINED"};
    for (size_t i = 0; key != NULL && i < 6; i++) {
        if (i == 0) {
            pack_put_array(&decisions, 6);
        }
        pack_put_text(&decisions, slice_from_cstr(step[i]));
    }
    const struct journal_turn turn = {.number = number,
                                      .now_ms = 1700000000000,
                                      .input = buf_slice(&input),
                                      .reads = reads_with_a_secret(),
                                      .decisions = buf_slice(&decisions)};
    journal_turn_put(&entry, &turn);
    return buf_slice(&entry);
}

/* The turn that the only row of that turn holds. */
static struct journal_turn stored_turn(int64_t number)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    struct journal_entry entry;
    struct journal_turn turn = {0};
    size_t len = 0;
    ck_assert_int_eq(sqlite3_open(fixture.path.ptr, &db), SQLITE_OK);
    ck_rc_eq(sql_prepare(db, SLICE("SELECT entry FROM journal WHERE turn = ?1"), &statement),
             RC_OK);
    struct query query = query_begin(statement);
    query_int(&query, number);
    ck_assert(query_row(&query));
    const struct slice bytes = query_get_text(&query, 0, arena);
    ck_rc_eq(query_end(&query), RC_OK);
    sql_close(db);
    ck_rc_eq(journal_entry_read(bytes, &entry, &len), RC_OK);
    ck_rc_eq(journal_turn_read(&entry, &turn), RC_OK);
    return turn;
}

static void check_said_in(struct slice part, bool is_emptied)
{
    ck_assert_int_eq(slice_find(part, SLICE("a secret")) == part.len, is_emptied);
    ck_assert_int_eq(slice_find(part, SLICE("\"xxxxxxxx\"")) < part.len, is_emptied);
}

static void check_said(int64_t number, bool is_emptied)
{
    const struct journal_turn turn = stored_turn(number);
    ck_assert_int_eq(turn.is_emptied, is_emptied);
    check_said_in(turn.input, is_emptied);
    check_said_in(turn.reads, is_emptied);
}

static void forget(int64_t turn, const char *user)
{
    const struct slice users[] = {slice_from_cstr(user)};
    const struct store_batch batch = {
        .now_ms = 1000, .journal_turn = turn, .forgotten = users, .forgotten_count = 1};
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
}

START_TEST(what_somebody_said_goes_when_they_have_logged_out)
{
    open_with(
        (struct journal_limits){.age_ms = 100000, .bytes_max = 1000000, .empty = journal_empty});
    ck_rc_eq(fixture_put(&fixture, (struct store_actor){.kind = ROOM,
                                                        .key = SLICE("@a:x|r"),
                                                        .state = SLICE("JOINED"),
                                                        .body = SLICE("b"),
                                                        .columns = {SLICE("@a:x"), SLICE("!ours"),
                                                                    SLICE("r")}}),
             RC_OK);
    commit(1, 1000, said_in(1, "!ours", "@a:x|r"));
    commit(2, 1000, said_in(2, "!ours", NULL)); /* the echo of a ghost */
    commit(3, 1000, said_in(3, "!others", "@b:x|r"));
    commit(4, 1000, said_in(4, "!others", "@a:xy|r"));
    forget(5, "@a:x");
    commit(6, 1000, said_in(6, "!ours", "@a:x|r"));
    check_said(1, false); /* not before the logout has ended */
    forget(7, "@a:x");
    for (int64_t turn = 8; turn < 12; turn++) {
        commit(turn, 1000, SLICE_EMPTY);
    }
    check_said(1, true);
    check_said(2, true);
    check_said(3, false);
    check_said(4, false);
    check_said(6, true);
    ck_assert_int_eq(fixture_ask(&fixture, "SELECT count(*) FROM meta WHERE key LIKE 'forget%'"),
                     0);
    fixture_clear(&fixture);
}
END_TEST

/* So much that one commit does not get through it. */
static void fill_journal(int64_t *turn)
{
    struct buf entries;
    buf_init(&entries, arena);
    for (int i = 0; i < 400; i++) {
        buf_put(&entries, said_in(*turn, "!ours", "@a:x|r"));
    }
    for (size_t bytes = 0; bytes < 4 * (size_t)JOURNAL_FORGET_BYTES; bytes += entries.len) {
        commit(*turn, 1000, buf_slice(&entries));
        (*turn)++;
    }
}

START_TEST(much_that_was_said_goes_by_commits_without_anything_in_them)
{
    const struct journal_limits limits = {
        .age_ms = 100000, .bytes_max = 100000000, .empty = journal_empty};
    int64_t turn = 1;
    open_with(limits);
    commit(turn++, 1000, said_in(1, "!others", "@b:x|r"));
    ck_assert(!fixture.store->methods->has_chores(fixture.store));
    fill_journal(&turn);
    forget(turn++, "@a:x");
    ck_assert(!fixture.store->methods->has_chores(fixture.store));
    forget(turn++, "@a:x");
    ck_assert(fixture.store->methods->has_chores(fixture.store));
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.now_ms = 1000}), RC_OK);
    ck_assert(fixture.store->methods->has_chores(fixture.store));
    fixture.store->methods->close(fixture.store);
    open_file(limits); /* another process, which does not know of it yet */
    int commits = 0;
    for (; fixture.store->methods->has_chores(fixture.store); commits++) {
        ck_assert_int_lt(commits, 10);
        ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.now_ms = 1000}), RC_OK);
    }
    ck_assert_int_ge(commits, 2);
    ck_assert_int_eq(fixture_ask(&fixture, "SELECT count(*) FROM meta WHERE key LIKE 'forget%'"),
                     0);
    ck_assert_int_eq(fixture_ask(&fixture, "SELECT count(*) FROM journal WHERE instr(entry, "
                                           "CAST('a secret' AS BLOB)) > 0"),
                     1);
    fixture_clear(&fixture);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *form = tcase_create("form");
    tcase_add_checked_fixture(form, set_up, tear_down);
    tcase_add_test(form, turn_is_read_as_it_was_written);
    tcase_add_test(form, process_is_read_as_it_was_written);
    tcase_add_test(form, log_of_a_newer_version_is_told);
    tcase_add_test(form, entry_that_is_cut_off_anywhere_is_told);
    tcase_add_test(form, byte_that_is_another_is_found_wherever_it_is);
    tcase_add_test(form, checksum_is_that_of_everybody);
    suite_add_tcase(suite, form);
    TCase *table = tcase_create("table");
    tcase_add_test(table, entries_that_are_too_old_go);
    tcase_add_test(table, entries_go_when_there_are_too_many_bytes);
    tcase_add_test(table, much_goes_in_small_steps);
    tcase_add_checked_fixture(table, set_up, tear_down);
    tcase_add_test(table, what_somebody_said_goes_when_they_have_logged_out);
    tcase_add_test(table, much_that_was_said_goes_by_commits_without_anything_in_them);
    suite_add_tcase(suite, table);
    return run_suite(suite);
}
