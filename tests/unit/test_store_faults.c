/* The SQLite store when memory, disk or file system fail: the Nth time they are asked for N = 1, 2,
 * 3 and so on until a pass is clean, once and from then on. After each: all of a batch or nothing,
 * the store goes on, and the file is sound. */
#include "db/sql.h"
#include "tests/unit/store_fixture.h"

#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>

enum fault_kind {
    FAULT_ALLOC,
    FAULT_WRITE,
    FAULT_FULL,
    FAULT_SYNC,
    FAULT_READ,
    FAULT_KINDS
};

/* The first start asks for memory more than 9,000 times, nearly all of it to prepare statements: of
 * those only a sample fails. Everything else has fewer than this. */
enum {
    ALL_UP_TO = 300,
    STRIDE = 41
};

struct faults {
    enum fault_kind kind;
    int countdown; /* 0: off; 1: the next one fails */
    bool is_sticky;
    bool is_hit;
};

static struct faults faults;

static void faults_arm(enum fault_kind kind, int at, bool is_sticky)
{
    faults = (struct faults){.kind = kind, .countdown = at, .is_sticky = is_sticky};
}

/* True if the pass was clean. */
static bool faults_disarm(void)
{
    faults.countdown = 0;
    return !faults.is_hit;
}

static bool faults_strike(enum fault_kind kind)
{
    if (faults.countdown == 0 || faults.kind != kind) {
        return false;
    }
    if (faults.countdown > 1) {
        faults.countdown--;
        return false;
    }
    faults.is_hit = true;
    if (!faults.is_sticky) {
        faults.countdown = 0;
    }
    return true;
}

/* Memory. */

static sqlite3_mem_methods real_mem;

static void *mem_malloc(int size)
{
    return faults_strike(FAULT_ALLOC) ? NULL : real_mem.xMalloc(size);
}

static void *mem_realloc(void *old, int size)
{
    return faults_strike(FAULT_ALLOC) ? NULL : real_mem.xRealloc(old, size);
}

/* Files: a VFS that stands before the real one. */

struct shim_file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct shim_file *)file)->real;
}

static int shim_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int shim_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    if (faults_strike(FAULT_READ)) {
        return SQLITE_IOERR_READ;
    }
    return real_of(file)->pMethods->xRead(real_of(file), out, len, at);
}

static int shim_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    if (faults_strike(FAULT_WRITE)) {
        return SQLITE_IOERR_WRITE;
    }
    if (faults_strike(FAULT_FULL)) {
        /* half of it still found room */
        (void)real_of(file)->pMethods->xWrite(real_of(file), bytes, len / 2, at);
        return SQLITE_FULL;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, len, at);
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return faults_strike(FAULT_WRITE) ? SQLITE_IOERR_TRUNCATE
                                      : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

/* Nothing here pulls the plug, and thousands of passes have no time to wait for the disk. */
static int shim_sync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return faults_strike(FAULT_SYNC) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int shim_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int shim_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int shim_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int shim_check_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int shim_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int shim_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int shim_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int shim_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    if (extend != 0 && (faults_strike(FAULT_WRITE) || faults_strike(FAULT_FULL))) {
        return SQLITE_IOERR_SHMSIZE;
    }
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int shim_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void shim_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int shim_shm_unmap(sqlite3_file *file, int is_delete)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), is_delete);
}

static const sqlite3_io_methods shim_methods = {
    .iVersion = 2,
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_check_lock,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_device,
    .xShmMap = shim_shm_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier,
    .xShmUnmap = shim_shm_unmap,
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs shim_vfs;

static int
shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs;
    struct shim_file *shim = (struct shim_file *)file;
    shim->base.pMethods = NULL;
    shim->real = (sqlite3_file *)(shim + 1);
    const int code = real_vfs->xOpen(real_vfs, name, shim->real, flags, out_flags);
    if (code == SQLITE_OK) {
        shim->base.pMethods = &shim_methods;
    }
    return code;
}

static int shim_delete(sqlite3_vfs *vfs, const char *name, int is_synced)
{
    (void)vfs;
    (void)is_synced;
    return real_vfs->xDelete(real_vfs, name, 0);
}

static void set_up(void)
{
    sqlite3_mem_methods mem;
    ck_assert_int_eq(sqlite3_shutdown(), SQLITE_OK);
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_mem), SQLITE_OK);
    mem = real_mem;
    mem.xMalloc = mem_malloc;
    mem.xRealloc = mem_realloc;
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &mem), SQLITE_OK);
    /* without the pool of small blocks more requests come to us */
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
    ck_assert_int_eq(sqlite3_initialize(), SQLITE_OK);
    real_vfs = sqlite3_vfs_find(NULL);
    shim_vfs = *real_vfs;
    shim_vfs.pNext = NULL;
    shim_vfs.zName = "shim";
    shim_vfs.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
    shim_vfs.xOpen = shim_open;
    shim_vfs.xDelete = shim_delete;
    ck_assert_int_eq(sqlite3_vfs_register(&shim_vfs, 1), SQLITE_OK);
}

static void check_integrity(const struct fixture *fixture)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open(fixture->path.ptr, &db), SQLITE_OK);
    ck_assert_rc(sql_prepare(db, SLICE("PRAGMA integrity_check"), &statement), RC_OK);
    struct query query = query_begin(statement);
    ck_assert(query_row(&query));
    ck_assert_slice(query_peek_text(&query, 0), SLICE("ok"));
    ck_assert_rc(query_end(&query), RC_OK);
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
    ck_assert_rc(store->methods->load(store, USER, text, fixture->arena, &actor), expected);
    ck_assert_rc(store->methods->load(store, FEED, text, fixture->arena, &actor), expected);
    ck_assert_rc(store->methods->related(store, RELATION_MESSAGE_MAP, SLICE("!r"), text,
                                         fixture->arena, &value),
                 expected);
    ck_assert_rc(store->methods->seen(store, text), expected);
    ck_assert_rc(store->methods->lane_head(store, text, fixture->arena, &call), expected);
}

static void check_turn(const struct fixture *fixture, int64_t expected)
{
    int64_t turn = 0;
    ck_assert_rc(fixture->store->methods->next_turn(fixture->store, &turn), RC_OK);
    ck_assert_int_eq(turn, expected);
}

/* One commit under the Nth fault; true if it was not reached. */
static bool commit_with_fault(enum fault_kind kind, int at, bool is_sticky)
{
    struct fixture fixture;
    fixture_init(&fixture, FIXTURE_SQLITE);
    ck_assert_rc(commit_named(&fixture, "before", 1), RC_OK);
    faults_arm(kind, at, is_sticky);
    const enum rc rc = commit_named(&fixture, "during", 2);
    const bool is_clean = faults_disarm();
    if (rc != RC_OK) {
        ck_assert(!is_clean);
        ck_assert(rc == RC_FULL || rc == RC_IO);
        ck_assert(kind != FAULT_ALLOC || rc == RC_FULL);
    }
    check_named(&fixture, "during", rc == RC_OK);
    check_turn(&fixture, rc == RC_OK ? 3 : 2);
    ck_assert_rc(commit_named(&fixture, "after", 3), RC_OK);
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
    ck_assert_rc(commit_named(&fixture, "row", 1), RC_OK);
    fixture_reopen(&fixture, false);
    struct store *store = fixture.store;
    faults_arm(kind, at, is_sticky);
    const enum rc load = store->methods->load(store, USER, SLICE("row"), fixture.arena, &actor);
    const enum rc due = store->methods->due(store, 9, fixture.arena, &actor, 1, &count);
    const enum rc head = store->methods->lane_head(store, SLICE("row"), fixture.arena, &call);
    const bool is_clean = faults_disarm();
    ck_assert(load == RC_OK || load == RC_FULL || load == RC_IO);
    ck_assert(due == RC_OK || due == RC_FULL || due == RC_IO);
    ck_assert(head == RC_OK || head == RC_FULL || head == RC_IO);
    ck_assert(!is_clean || (load == RC_OK && due == RC_OK && head == RC_OK));
    if (load == RC_OK && due == RC_OK) {
        ck_assert_uint_eq(count, 1);
        ck_assert_uint_eq(actor.body.len, 9000);
        ck_assert_slice(actor.secrets, SLICE("secret"));
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
    faults_arm(kind, at, is_sticky);
    enum rc rc = store_sqlite_open(&options, fixture.arena, &fixture.store, &error);
    const bool is_clean = faults_disarm();
    if (rc != RC_OK) {
        ck_assert(!is_clean);
        ck_assert(rc == RC_FULL || rc == RC_IO);
        ck_assert(slice_starts_with(error, fixture.path));
        rc = store_sqlite_open(&options, fixture.arena, &fixture.store, &error);
        ck_assert_msg(rc == RC_OK, "%.*s", SLICE_ARGS(error));
    }
    check_turn(&fixture, 1);
    ck_assert_rc(commit_named(&fixture, "first", 1), RC_OK);
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

int main(void)
{
    Suite *suite = suite_create("store_faults");
    TCase *tcase = tcase_create("faults");
    tcase_add_unchecked_fixture(tcase, set_up, NULL);
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, sqlite_commit_under_faults_is_all_or_nothing, 0, FAULT_KINDS);
    tcase_add_loop_test(tcase, sqlite_read_under_faults_is_right_or_fails, 0, FAULT_KINDS);
    tcase_add_loop_test(tcase, sqlite_first_start_under_faults_can_be_repeated, 0, FAULT_KINDS);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
