#include "tests/unit/store_fixture.h"

#include "db/sql.h"
#include "runtime/base/buf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const user_columns[] = {"private_room", "gitter_id"};
static const char *const room_columns[] = {"owner", "matrix_room", "gitter_room"};
static const char *const chat_columns[] = {"user"};

const struct store_table fixture_tables[TABLES_COUNT] = {
    [USER] = {"users", user_columns, 2}, [ROOM] = {"rooms", room_columns, 3},
    [CHAT] = {"chats", chat_columns, 1}, [GHOST] = {"ghosts", NULL, 0},
    [FEED] = {"feeds", NULL, 0},         [LOGIN] = {"logins", NULL, 0},
};

struct report {
    bool is_there;
    enum rc rc;
};

struct store_sqlite_options fixture_options(const struct fixture *fixture)
{
    return (struct store_sqlite_options){
        .path = fixture->path,
        .tables = fixture_tables,
        .tables_count = TABLES_COUNT,
        .secret_key = SLICE("a key for tests"),
    };
}

static void open_sqlite(struct fixture *fixture, bool is_other_key)
{
    struct store_sqlite_options options = fixture_options(fixture);
    if (is_other_key) {
        options.secret_key = SLICE("another key");
        options.takes_new_key = true;
    }
    struct slice error = SLICE_EMPTY;
    const enum rc rc = store_sqlite_open(&options, fixture->arena, &fixture->store, &error);
    ck_assert_msg(rc == RC_OK, "%s: %.*s", rc_name(rc), SLICE_ARGS(error));
}

void fixture_init(struct fixture *fixture, enum fixture_kind kind)
{
    if (kind == FIXTURE_MEMORY) {
        *fixture = (struct fixture){.kind = kind, .arena = arena_open(4096), .turn = 2};
        fixture->store = store_memory_open(fixture_tables, TABLES_COUNT);
        return;
    }
    fixture_init_closed(fixture);
    open_sqlite(fixture, false);
}

void fixture_init_closed(struct fixture *fixture)
{
    *fixture = (struct fixture){.kind = FIXTURE_SQLITE, .arena = arena_open(4096), .turn = 2};
    /* in memory if there is such a place: these tests sync thousands of files */
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(fixture->folder, sizeof fixture->folder, "%s/gitterd-store-XXXXXX", parent);
    ck_assert_ptr_nonnull(mkdtemp(fixture->folder));
    fixture->path = arena_printf(fixture->arena, "%s/database.sqlite", fixture->folder);
}

void fixture_clear(struct fixture *fixture)
{
    if (fixture->store != NULL) {
        fixture->store->methods->close(fixture->store);
    }
    if (fixture->kind == FIXTURE_SQLITE) {
        fixture_remove_folder(fixture->folder);
    }
    arena_close(fixture->arena);
}

void fixture_remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            ck_assert_int_eq(unlinkat(dirfd(dir), entry->d_name, 0), 0);
        }
    }
    (void)closedir(dir);
    ck_assert_int_eq(rmdir(folder), 0);
}

void fixture_reopen(struct fixture *fixture, bool is_other_key)
{
    if (fixture->kind == FIXTURE_MEMORY) {
        store_memory_crash(fixture->store);
        if (is_other_key) {
            store_memory_lose_secrets(fixture->store);
        }
        return;
    }
    fixture->store->methods->close(fixture->store);
    fixture->store = NULL;
    open_sqlite(fixture, is_other_key);
}

static void note_report(void *context, enum rc rc)
{
    struct report *report = context;
    ck_assert(!report->is_there);
    *report = (struct report){.is_there = true, .rc = rc};
}

static bool is_pending(const struct fixture *fixture)
{
    return fixture->kind == FIXTURE_SQLITE ? store_sqlite_is_pending(fixture->store)
                                           : store_memory_is_pending(fixture->store);
}

void fixture_poll(const struct fixture *fixture)
{
    if (fixture->kind == FIXTURE_SQLITE) {
        store_sqlite_wait(fixture->store);
        store_sqlite_poll(fixture->store);
    } else {
        store_memory_poll(fixture->store);
    }
}

enum rc fixture_commit(struct fixture *fixture, struct store_batch batch)
{
    if (batch.now_ms == 0) {
        batch.now_ms = 1000;
    }
    if (batch.next_turn == 0) {
        batch.next_turn = fixture->turn++;
    }
    struct report report = {.is_there = false};
    fixture->store->methods->commit(fixture->store, &batch, note_report, &report);
    ck_assert_msg(!report.is_there, "the report comes from the loop");
    fixture_poll(fixture);
    ck_assert(report.is_there);
    ck_assert(!is_pending(fixture));
    fixture_poll(fixture);
    return report.rc;
}

enum rc fixture_put(struct fixture *fixture, struct store_actor actor)
{
    return fixture_commit(fixture, (struct store_batch){.actors = &actor, .actors_count = 1});
}

enum rc fixture_relate(struct fixture *fixture, struct store_relation relation)
{
    return fixture_commit(fixture,
                          (struct store_batch){.relations = &relation, .relations_count = 1});
}

enum rc fixture_call(struct fixture *fixture, struct outbox_call call)
{
    return fixture_commit(fixture, (struct store_batch){.calls = &call, .calls_count = 1});
}

struct outbox_call fixture_make_call(int64_t id, int64_t place, const char *lane, const char *ref)
{
    return (struct outbox_call){
        .id = id,
        .place = place,
        .turn = 1,
        .created_ms = 5,
        .actor_kind = ROOM,
        .actor_key = SLICE("@a:x !r"),
        .call =
            {
                .purpose = 3,
                .api = CALL_MATRIX,
                .auth = CALL_AUTH_APPSERVICE,
                .repeat = CALL_REPEAT_FREELY,
                .lane = slice_from_cstr(lane),
                .method = SLICE("PUT"),
                .path = SLICE("/p"),
                .ref = slice_from_cstr(ref),
            },
    };
}

int64_t fixture_ask(const struct fixture *fixture, const char *sql)
{
    sqlite3 *db = NULL;
    int64_t number = -1;
    ck_assert_int_eq(sqlite3_open(fixture->path.ptr, &db), SQLITE_OK);
    ck_rc_eq(sql_number(db, sql, &number), RC_OK);
    sql_close(db);
    return number;
}

const char *fixture_lane(struct fixture *fixture, struct slice lane, struct slice ref, size_t max)
{
    int64_t *ids = ARENA_ARRAY(fixture->arena, max, int64_t);
    size_t count = 0;
    ck_rc_eq(fixture->store->methods->lane_find(fixture->store, lane, ref, fixture->arena, ids, max,
                                                &count),
             RC_OK);
    ck_assert_uint_le(count, max);
    struct buf text;
    buf_init(&text, fixture->arena);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&text, "%s%lld", i == 0 ? "" : " ", (long long)ids[i]);
    }
    return arena_cstr(fixture->arena, buf_slice(&text));
}

const char *fixture_keys(struct fixture *fixture, const struct store_found *found, size_t count)
{
    struct buf text;
    buf_init(&text, fixture->arena);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&text, "%s%.*s", i == 0 ? "" : " ", SLICE_ARGS(found[i].key));
    }
    return arena_cstr(fixture->arena, buf_slice(&text));
}
