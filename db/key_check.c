#include "db/key_check.h"

enum {
    ARENA_BYTES = 1024
};

static const struct slice word = SLICE_INIT("gitterd");

/* The key of a row and what is sealed in it; RC_ABSENT without a row. */
static enum rc read_sealed(
    sqlite3 *db, struct slice text, struct arena *arena, struct slice *key, struct slice *sealed)
{
    sqlite3_stmt *statement = NULL;
    enum rc rc = sql_prepare(db, text, &statement);
    if (rc == RC_OK) {
        struct query query = query_begin(statement);
        const bool is_there = query_row(&query);
        if (is_there) {
            *key = query_get_text(&query, 0, arena);
            *sealed = query_get_text(&query, 1, arena);
        }
        rc = query_end(&query);
        rc = rc == RC_OK && !is_there ? RC_ABSENT : rc;
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

static enum rc write_word(sqlite3 *db, struct secrets *secrets, struct arena *arena)
{
    const struct slice owner = secrets_owner(arena, "meta", SLICE("key_check"));
    sqlite3_stmt *statement = NULL;
    struct slice sealed = SLICE_EMPTY;
    enum rc rc = secrets_seal(secrets, owner, word, arena, &sealed);
    if (rc == RC_OK) {
        rc = sql_prepare(db,
                         SLICE("INSERT INTO meta (key, value) VALUES ('key_check', ?1) "
                               "ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
                         &statement);
    }
    if (rc == RC_OK) {
        struct query query = query_begin(statement);
        query_blob(&query, sealed);
        rc = query_run(&query);
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

/* RC_OK, RC_REFUSED, or RC_ABSENT when nothing is sealed. */
static enum rc try_row(
    sqlite3 *db, struct secrets *secrets, struct arena *arena, const char *table, struct slice text)
{
    struct slice key = SLICE_EMPTY;
    struct slice sealed = SLICE_EMPTY;
    struct slice plain = SLICE_EMPTY;
    enum rc rc = read_sealed(db, text, arena, &key, &sealed);
    if (rc == RC_OK) {
        rc = secrets_unseal(secrets, secrets_owner(arena, table, key), sealed, arena, &plain);
        rc = rc == RC_CORRUPT ? RC_REFUSED : rc;
    }
    return rc;
}

enum rc key_check(sqlite3 *db, struct secrets *secrets, bool takes_new_key)
{
    struct arena *arena = arena_open(ARENA_BYTES);
    enum rc rc = try_row(db, secrets, arena, "meta",
                         SLICE("SELECT key, value FROM meta WHERE key = 'key_check'"));
    const bool is_there = rc != RC_ABSENT;
    if (!is_there) {
        rc = try_row(db, secrets, arena, "users",
                     SLICE("SELECT key, sealed FROM users WHERE sealed IS NOT NULL "
                           "ORDER BY key LIMIT 1"));
    }
    const bool is_new = rc == RC_ABSENT || (rc == RC_REFUSED && takes_new_key);
    if (is_new || (rc == RC_OK && !is_there)) {
        rc = write_word(db, secrets, arena);
    }
    arena_close(arena);
    return rc;
}
