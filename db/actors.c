#include "db/actors.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"

/* Places in the row that actors_load reads. */
enum {
    LOAD_STATE,
    LOAD_DEADLINE,
    LOAD_CALLS,
    LOAD_BODY,
    LOAD_SEALED,
    LOAD_COLUMNS
};

static enum rc prepare(sqlite3 *db, const struct buf *text, sqlite3_stmt **out)
{
    return sql_prepare(db, buf_slice(text), out);
}

static void put_columns(struct buf *text, const struct store_table *table, const char *format)
{
    for (size_t i = 0; i < table->columns_count; i++) {
        const char *name = table->columns[i];
        for (const char *at = format; *at != '\0'; at++) {
            if (*at == '$') {
                buf_put(text, slice_from_cstr(name));
            } else {
                buf_put_byte(text, *at);
            }
        }
    }
}

static enum rc prepare_find(sqlite3 *db,
                            const char *table,
                            const char *condition,
                            struct arena *scratch,
                            sqlite3_stmt **out)
{
    struct buf text;
    buf_init(&text, scratch);
    buf_printf(&text, "SELECT key, state FROM %s WHERE %s ?1 ORDER BY key LIMIT ?2", table,
               condition);
    return prepare(db, &text, out);
}

enum rc actors_prepare_reading(sqlite3 *db,
                               const struct store_table *table,
                               struct arena *scratch,
                               struct actors_reading *out)
{
    struct buf text;
    buf_init(&text, scratch);
    BUF_PUT(&text, "SELECT state, deadline_ms, calls, body, sealed");
    put_columns(&text, table, ", $");
    buf_printf(&text, " FROM %s WHERE key = ?1", table->name);
    enum rc rc = prepare(db, &text, &out->load);
    if (rc == RC_OK) {
        rc = prepare_find(db, table->name, "key >", scratch, &out->list);
    }
    for (size_t i = 0; rc == RC_OK && i < table->columns_count; i++) {
        const struct slice condition = arena_printf(scratch, "%s =", table->columns[i]);
        rc = prepare_find(db, table->name, condition.ptr, scratch, &out->find[i]);
    }
    return rc;
}

enum rc actors_prepare_writing(sqlite3 *db,
                               const struct store_table *table,
                               struct arena *scratch,
                               struct actors_writing *out)
{
    struct buf text;
    buf_init(&text, scratch);
    buf_printf(&text, "INSERT INTO %s (key, state, deadline_ms, calls, body, sealed", table->name);
    put_columns(&text, table, ", $");
    BUF_PUT(&text, ") VALUES (?, ?, ?, ?, ?, ?");
    put_columns(&text, table, ", ?");
    BUF_PUT(&text, ") ON CONFLICT (key) DO UPDATE SET state = excluded.state, "
                   "deadline_ms = excluded.deadline_ms, calls = excluded.calls, "
                   "body = excluded.body, sealed = excluded.sealed");
    put_columns(&text, table, ", $ = excluded.$");
    enum rc rc = prepare(db, &text, &out->put);
    if (rc == RC_OK) {
        buf_init(&text, scratch);
        buf_printf(&text,
                   "UPDATE %s SET state = ?2, deadline_ms = ?3, calls = ?4, body = ?5, "
                   "sealed = ?6 WHERE key = ?1",
                   table->name);
        put_columns(&text, table, " AND $ IS ?");
        rc = prepare(db, &text, &out->change);
    }
    if (rc == RC_OK) {
        buf_init(&text, scratch);
        buf_printf(&text, "DELETE FROM %s WHERE key = ?1", table->name);
        rc = prepare(db, &text, &out->remove);
    }
    return rc;
}

enum rc actors_prepare_due(sqlite3 *db,
                           const struct store_table *tables,
                           size_t count,
                           struct arena *scratch,
                           sqlite3_stmt **due)
{
    struct buf text;
    buf_init(&text, scratch);
    for (size_t kind = 0; kind < count; kind++) {
        buf_printf(&text,
                   "%sSELECT deadline_ms AS at, %zu AS kind, key FROM %s "
                   "WHERE deadline_ms <> 0 AND deadline_ms <= ?1",
                   kind == 0 ? "" : " UNION ALL ", kind, tables[kind].name);
    }
    BUF_PUT(&text, " ORDER BY at, kind, key LIMIT ?2");
    return prepare(db, &text, due);
}

enum rc actors_prepare_next(sqlite3 *db,
                            const struct store_table *tables,
                            size_t count,
                            struct arena *scratch,
                            sqlite3_stmt **next)
{
    struct buf text;
    buf_init(&text, scratch);
    BUF_PUT(&text, "SELECT ifnull(min(at), 0) FROM (");
    for (size_t kind = 0; kind < count; kind++) {
        buf_printf(&text,
                   "%sSELECT min(deadline_ms) AS at FROM %s "
                   "WHERE deadline_ms <> 0 AND deadline_ms > ?1",
                   kind == 0 ? "" : " UNION ALL ", tables[kind].name);
    }
    BUF_PUT(&text, ")");
    return prepare(db, &text, next);
}

enum rc actors_load(const struct actors_reading *reading,
                    const struct store_table *table,
                    struct secrets *secrets,
                    struct arena *arena,
                    struct store_actor *actor)
{
    struct slice sealed = SLICE_EMPTY;
    struct query query = query_begin(reading->load);
    query_text(&query, actor->key);
    const bool is_there = query_row(&query);
    if (is_there) {
        actor->state = query_get_text(&query, LOAD_STATE, arena);
        actor->deadline_ms = query_get_int(&query, LOAD_DEADLINE);
        actor->calls = query_get_int(&query, LOAD_CALLS);
        actor->body = query_get_text(&query, LOAD_BODY, arena);
        sealed = query_get_text(&query, LOAD_SEALED, arena);
        for (size_t i = 0; i < table->columns_count; i++) {
            actor->columns[i] = query_get_text(&query, LOAD_COLUMNS + (int)i, arena);
        }
    }
    const enum rc rc = query_end(&query);
    if (rc != RC_OK || !is_there) {
        return rc == RC_OK ? RC_ABSENT : rc;
    }
    if (sealed.len > 0) {
        const struct slice owner = secrets_owner(arena, table->name, actor->key);
        actor->secrets_are_lost =
            secrets_unseal(secrets, owner, sealed, arena, &actor->secrets) != RC_OK;
    }
    return RC_OK;
}

enum rc actors_find(sqlite3_stmt *statement,
                    struct slice value,
                    struct arena *arena,
                    struct store_found *out,
                    size_t max,
                    size_t *count)
{
    *count = 0;
    struct query query = query_begin(statement);
    query_text(&query, value);
    query_size(&query, max);
    while (query_row(&query)) {
        CHECK(*count < max);
        out[*count].key = query_get_text(&query, 0, arena);
        out[*count].state = query_get_text(&query, 1, arena);
        (*count)++;
    }
    return query_end(&query);
}

static enum rc actors_remove(const struct actors_writing *writing, struct slice key)
{
    struct query query = query_begin(writing->remove);
    query_text(&query, key);
    return query_run(&query);
}

/* Runs `change` or `put`, which have the same parameters. */
static enum rc actors_write(sqlite3_stmt *statement,
                            const struct store_table *table,
                            const struct store_actor *actor,
                            struct slice sealed)
{
    struct query query = query_begin(statement);
    query_text(&query, actor->key);
    query_text(&query, actor->state);
    query_int(&query, actor->deadline_ms);
    query_int(&query, actor->calls);
    query_blob(&query, actor->body);
    query_blob_or_null(&query, sealed);
    for (size_t i = 0; i < table->columns_count; i++) {
        query_text_or_null(&query, actor->columns[i]);
    }
    return query_run(&query);
}

enum rc actors_put(const struct actors_writing *writing,
                   const struct store_table *table,
                   struct secrets *secrets,
                   struct arena *scratch,
                   const struct store_actor *actor)
{
    if (actor->is_gone) {
        return actors_remove(writing, actor->key);
    }
    struct slice sealed = SLICE_EMPTY;
    if (actor->secrets.len > 0) {
        const struct slice owner = secrets_owner(scratch, table->name, actor->key);
        const enum rc rc = secrets_seal(secrets, owner, actor->secrets, scratch, &sealed);
        if (rc != RC_OK) {
            return rc;
        }
    }
    const enum rc rc = actors_write(writing->change, table, actor, sealed);
    if (rc != RC_OK || sqlite3_changes(sqlite3_db_handle(writing->change)) > 0) {
        return rc;
    }
    return actors_write(writing->put, table, actor, sealed);
}
