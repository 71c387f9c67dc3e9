#include "db/store_sqlite.h"

#include "db/committer.h"
#include "db/key_check.h"
#include "db/lock.h"
#include "db/reader.h"
#include "db/schema.h"
#include "db/store_rules.h"
#include "db/waiting.h"
#include "runtime/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* Another process that holds the file for a moment (a backup, an operator's shell). */
    BUSY_MS = 2000
};

struct sqlite_store {
    struct reader reader;        /* first: begins with the struct store */
    struct reader near;          /* by the writer's connection; all zero when reading only */
    struct writer writer;        /* all zero when reading only */
    struct committer *committer; /* NULL when reading only */
    struct lock *lock;           /* NULL when reading only */
    struct waiting *waiting;
    const struct store_batch *batch; /* of the last commit */
    /* of the commit under way or ended; NULL: there is none */
    void (*done)(void *context, enum rc rc);
    void *context;
};

/* What opening passes along. */
struct opening {
    const struct store_sqlite_options *options;
    struct arena *arena;
    struct slice *error;
    const char *path;
};

static const struct store_methods sqlite_methods;

static struct sqlite_store *sqlite_of(struct store *store)
{
    CHECK(store->methods == &sqlite_methods);
    return (struct sqlite_store *)store;
}

/* The writer's connection is the thread's during a commit, and the loop's else. */
static void read_near(struct sqlite_store *self, bool is_near)
{
    if (self->near.db != NULL) {
        self->reader.through = is_near ? &self->near : &self->reader;
    }
}

/* What it reads by is the writer's and the other reader's. */
static void clear_near(struct reader *near)
{
    near->db = NULL;
    near->secrets = NULL;
    reader_clear(near);
}

static void sqlite_close(struct store *store)
{
    struct sqlite_store *self = sqlite_of(store);
    committer_close(self->committer);
    clear_near(&self->near);
    reader_clear(&self->reader);
    writer_clear(&self->writer);
    lock_close(self->lock);
    waiting_close(self->waiting);
    free(self);
}

static enum rc
sqlite_waiting(struct store *store, struct slice owner, enum call_auth auth, int64_t *calls)
{
    *calls = waiting_of(sqlite_of(store)->waiting, owner, auth);
    return RC_OK;
}

static enum rc sqlite_all_waiting(struct store *store, int64_t *calls)
{
    *calls = waiting_of_all(sqlite_of(store)->waiting);
    return RC_OK;
}

static void sqlite_commit(struct store *store,
                          const struct store_batch *batch,
                          void (*done)(void *context, enum rc rc),
                          void *context)
{
    struct sqlite_store *self = sqlite_of(store);
    CHECK(self->done == NULL && done != NULL);
    CHECK(self->writer.db == NULL || sqlite3_get_autocommit(self->writer.db) != 0); /* not held */
    self->done = done;
    self->context = context;
    self->batch = batch;
    if (self->committer != NULL) {
        read_near(self, false);
        committer_begin(self->committer, batch);
    }
}

static enum rc sqlite_mark_clean(struct store *store)
{
    struct sqlite_store *self = sqlite_of(store);
    CHECK(self->done == NULL);
    return self->writer.db == NULL ? RC_REFUSED : writer_mark_clean(&self->writer);
}

static enum rc sqlite_take_clean_mark(struct store *store, bool *was_clean)
{
    struct sqlite_store *self = sqlite_of(store);
    CHECK(self->done == NULL);
    return self->writer.db == NULL ? RC_REFUSED : writer_take_clean_mark(&self->writer, was_clean);
}

static bool sqlite_has_chores(struct store *store)
{
    const struct sqlite_store *self = sqlite_of(store);
    return self->done == NULL && self->committer != NULL && self->writer.forgetting.has_more;
}

/* How the commit went; the counts follow it. */
static enum rc take_commit(struct sqlite_store *self)
{
    const enum rc rc = committer_take(self->committer);
    for (size_t i = 0; rc == RC_OK && i < self->batch->calls_count; i++) {
        const struct call *call = &self->batch->calls[i].call;
        waiting_more(self->waiting, call->owner, call->auth);
    }
    for (size_t i = 0; rc == RC_OK && i < self->writer.ends_count; i++) {
        const struct waiting_end *end = &self->writer.ends[i];
        waiting_less(self->waiting, end->owner, end->auth);
    }
    return rc;
}

static void sqlite_abandon(struct store *store)
{
    struct sqlite_store *self = sqlite_of(store);
    if (self->done != NULL && self->committer != NULL) {
        committer_wait(self->committer);
        (void)take_commit(self);
        read_near(self, true);
    }
    self->done = NULL;
}

bool store_sqlite_is_pending(struct store *store)
{
    const struct sqlite_store *self = sqlite_of(store);
    return self->done != NULL && (self->committer == NULL || committer_is_ended(self->committer));
}

void store_sqlite_wait(struct store *store)
{
    const struct sqlite_store *self = sqlite_of(store);
    if (self->committer != NULL) {
        committer_wait(self->committer);
    }
}

void store_sqlite_poll(struct store *store)
{
    struct sqlite_store *self = sqlite_of(store);
    if (store_sqlite_is_pending(store)) {
        const enum rc rc = self->committer == NULL ? RC_REFUSED : take_commit(self);
        void (*done)(void *context, enum rc rc) = self->done;
        read_near(self, true);
        /* cleared first: `done` may begin the next commit */
        self->done = NULL;
        done(self->context, rc);
    }
}

static const struct store_methods sqlite_methods = {
    .close = sqlite_close,
    .hold = reader_hold,
    .next_turn = reader_next_turn,
    .last_ms = reader_last_ms,
    .load = reader_load,
    .find = reader_find,
    .list = reader_list,
    .related = reader_related,
    .related_by_value = reader_related_by_value,
    .relations = reader_relations,
    .seen = reader_seen,
    .due = reader_due,
    .next_deadline = reader_next_deadline,
    .lane_heads = reader_lane_heads,
    .lane_head = reader_lane_head,
    .lane_find = reader_lane_find,
    .waiting = sqlite_waiting,
    .all_waiting = sqlite_all_waiting,
    .has_chores = sqlite_has_chores,
    .commit = sqlite_commit,
    .mark_clean = sqlite_mark_clean,
    .take_clean_mark = sqlite_take_clean_mark,
    .abandon = sqlite_abandon,
};

/* Puts the path in front of what is wrong. */
static enum rc fail(const struct opening *opening, enum rc rc, const char *what)
{
    *opening->error = arena_printf(opening->arena, "%s: %s", opening->path, what);
    return rc;
}

static enum rc fail_sqlite(const struct opening *opening, sqlite3 *db, enum rc rc)
{
    return fail(opening, rc, sqlite3_errmsg(db));
}

/* SQLite gives its -wal and -shm files the mode of the database, so 0600 is said once, here. */
static enum rc make_file(const struct opening *opening)
{
    const int fd = open(opening->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(opening, errno == ENOSPC ? RC_FULL : RC_IO, strerror(errno));
    }
    (void)close(fd);
    return RC_OK;
}

static enum rc connect(const struct opening *opening, int flags, sqlite3 **db)
{
    *db = NULL;
    const int code = sqlite3_open_v2(opening->path, db,
                                     flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code != SQLITE_OK) {
        const enum rc rc = *db == NULL ? fail(opening, RC_FULL, "out of memory")
                                       : fail_sqlite(opening, *db, sql_rc(code));
        (void)sqlite3_close(*db);
        *db = NULL;
        return rc;
    }
    (void)sqlite3_busy_timeout(*db, BUSY_MS);
    const enum rc rc = sql_run(*db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; "
                                    "PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY");
    return rc == RC_OK ? RC_OK : fail_sqlite(opening, *db, rc);
}

static enum rc ask_for_wal(sqlite3 *db, bool *is_wal)
{
    sqlite3_stmt *statement = NULL;
    enum rc rc = sql_prepare(db, SLICE("PRAGMA journal_mode = WAL"), &statement);
    if (rc == RC_OK) {
        struct query query = query_begin(statement);
        *is_wal = query_row(&query) && slice_equal(query_peek_text(&query, 0), SLICE("wal"));
        rc = query_end(&query);
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

static enum rc set_wal(const struct opening *opening, sqlite3 *db)
{
    bool is_wal = false;
    enum rc rc = ask_for_wal(db, &is_wal);
    if (rc == RC_OK) {
        /* a WAL that once grew large is cut back to this at the next checkpoint; up to then pages
         * that are written again and again, such as those of seen_events, are copied once */
        rc = sql_run(db, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216; "
                         "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8192");
    }
    if (rc != RC_OK) {
        return fail_sqlite(opening, db, rc);
    }
    return is_wal ? RC_OK : fail(opening, RC_IO, "this file system cannot hold a WAL");
}

/* Examines before anything is changed, so that the file of another program stays as it is. */
static enum rc prepare_file(const struct opening *opening, sqlite3 *db)
{
    struct slice text = SLICE_EMPTY;
    enum rc rc = schema_examine(db, opening->arena, &text);
    if (!opening->options->is_read_only && (rc == RC_OK || rc == RC_ABSENT)) {
        const enum rc wal = set_wal(opening, db);
        if (wal != RC_OK) {
            return wal;
        }
        if (rc == RC_ABSENT) {
            rc = schema_migrate(db, opening->arena, &text);
        }
    }
    if (rc == RC_OK) {
        rc = schema_check_tables(db, opening->options->tables, opening->options->tables_count,
                                 opening->arena, &text);
    }
    return rc == RC_OK ? RC_OK : fail(opening, rc, arena_cstr(opening->arena, text));
}

static enum rc open_secrets(const struct opening *opening, struct secrets **secrets)
{
    const enum rc rc = secrets_open(opening->options->secret_key, secrets);
    return rc == RC_OK ? RC_OK : fail(opening, rc, "cannot make the key that seals secrets");
}

static struct outbox_names names_of(const struct store_sqlite_options *options)
{
    return (struct outbox_names){
        .tables = options->tables,
        .tables_count = options->tables_count,
        .purposes = options->purposes,
        .purposes_count = options->purposes_count,
    };
}

static enum rc check_key(const struct opening *opening, sqlite3 *db, struct secrets *secrets)
{
    const enum rc rc = key_check(db, secrets, opening->options->takes_new_key);
    if (rc == RC_REFUSED) {
        return fail(opening, rc,
                    "the logins in it are sealed under another unique_secret_key; put that one "
                    "back, or begin with --new-secret-key, and everybody has to log in again");
    }
    return rc == RC_OK ? RC_OK : fail_sqlite(opening, db, rc);
}

static enum rc open_writer(const struct opening *opening, struct writer *writer)
{
    const struct outbox_names names = names_of(opening->options);
    sqlite3 *db = NULL;
    struct secrets *secrets = NULL;
    enum rc rc = connect(opening, SQLITE_OPEN_READWRITE, &db);
    if (rc == RC_OK) {
        rc = prepare_file(opening, db);
    }
    if (rc == RC_OK) {
        rc = open_secrets(opening, &secrets);
    }
    if (rc == RC_OK) {
        rc = check_key(opening, db, secrets);
    }
    if (rc != RC_OK) {
        secrets_close(secrets);
        (void)sqlite3_close(db);
        return rc;
    }
    rc = writer_init(writer, db, secrets, &names);
    writer->journal.limits = opening->options->journal;
    writer->forgetting.empty = opening->options->journal.empty;
    writer->forgetting.has_more = opening->options->journal.empty != NULL; /* it will turn out */
    return rc == RC_OK ? RC_OK : fail_sqlite(opening, db, rc);
}

static enum rc open_reader(const struct opening *opening, struct reader *reader)
{
    const struct outbox_names names = names_of(opening->options);
    sqlite3 *db = NULL;
    struct secrets *secrets = NULL;
    enum rc rc = connect(opening, SQLITE_OPEN_READONLY, &db);
    if (rc == RC_OK && opening->options->is_read_only) {
        rc = prepare_file(opening, db);
    }
    if (rc == RC_OK) {
        rc = open_secrets(opening, &secrets);
    }
    if (rc != RC_OK) {
        (void)sqlite3_close(db);
        return rc;
    }
    struct arena *scratch = arena_open(STORE_SCRATCH_BYTES);
    rc = reader_init(reader, db, secrets, &names, scratch);
    arena_close(scratch);
    return rc == RC_OK ? RC_OK : fail_sqlite(opening, db, rc);
}

static enum rc open_near(const struct opening *opening, struct sqlite_store *self)
{
    const struct outbox_names names = names_of(opening->options);
    struct arena *scratch = arena_open(STORE_SCRATCH_BYTES);
    const enum rc rc =
        reader_init(&self->near, self->writer.db, self->reader.secrets, &names, scratch);
    arena_close(scratch);
    read_near(self, rc == RC_OK);
    return rc == RC_OK ? RC_OK : fail_sqlite(opening, self->writer.db, rc);
}

static enum rc open_for_writing(const struct opening *opening, struct sqlite_store *self)
{
    if (opening->options->secret_key.len == 0) {
        return fail(opening, RC_BAD_INPUT, "needs unique_secret_key");
    }
    const struct slice lock = arena_printf(opening->arena, "%s.lock", opening->path);
    enum rc rc = lock_open(lock, opening->arena, &self->lock, opening->error);
    if (rc == RC_OK) {
        rc = make_file(opening);
    }
    if (rc == RC_OK) {
        rc = open_writer(opening, &self->writer);
    }
    if (rc == RC_OK) {
        const struct store_sqlite_options *options = opening->options;
        rc = committer_open(&self->writer, options->wake, options->wake_context, &self->committer);
        rc = rc == RC_OK ? RC_OK : fail(opening, rc, "no thread for the commits");
    }
    return rc;
}

enum rc store_sqlite_open(const struct store_sqlite_options *options,
                          struct arena *arena,
                          struct store **store,
                          struct slice *error)
{
    const struct opening opening = {
        .options = options,
        .arena = arena,
        .error = error,
        .path = arena_cstr(arena, options->path),
    };
    if (options->is_read_only && access(opening.path, F_OK) != 0) {
        return fail(&opening, errno == ENOENT ? RC_ABSENT : RC_IO, strerror(errno));
    }
    sql_configure();
    struct sqlite_store *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return fail(&opening, RC_FULL, "out of memory");
    }
    self->reader.store.methods = &sqlite_methods;
    enum rc rc = options->is_read_only ? RC_OK : open_for_writing(&opening, self);
    if (rc == RC_OK) {
        rc = open_reader(&opening, &self->reader);
    }
    if (rc == RC_OK && !options->is_read_only) {
        rc = open_near(&opening, self);
    }
    if (rc == RC_OK) {
        rc = waiting_open(self->reader.db, &self->waiting);
        rc = rc == RC_OK ? RC_OK : fail_sqlite(&opening, self->reader.db, rc);
    }
    if (rc != RC_OK) {
        sqlite_close(&self->reader.store);
        return rc;
    }
    *store = &self->reader.store;
    return RC_OK;
}
