#include "db/sql.h"

#include "runtime/base/check.h"

enum rc sql_rc(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return RC_OK;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
        return RC_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return RC_CORRUPT;
    default:
        CHECK((code & 0xff) != SQLITE_MISUSE);
        CHECK((code & 0xff) != SQLITE_CONSTRAINT);
        return RC_IO;
    }
}

void sql_configure(void)
{
    /* it counts what it allocates, twice for each piece and under a lock, and nobody asks */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum rc sql_prepare(sqlite3 *db, struct slice text, sqlite3_stmt **statement)
{
    return sql_rc(sqlite3_prepare_v3(db, text.ptr, (int)text.len, SQLITE_PREPARE_PERSISTENT,
                                     statement, NULL));
}

enum rc sql_prepare_all(sqlite3 *db, const struct sql_wanted *wanted, size_t count)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < count; i++) {
        rc = sql_prepare(db, wanted[i].text, wanted[i].statement);
    }
    return rc;
}

enum rc sql_run(sqlite3 *db, const char *text)
{
    return sql_rc(sqlite3_exec(db, text, NULL, NULL, NULL));
}

enum rc sql_number(sqlite3 *db, const char *text, int64_t *number)
{
    sqlite3_stmt *statement = NULL;
    enum rc rc = sql_rc(sqlite3_prepare_v2(db, text, -1, &statement, NULL));
    if (rc != RC_OK) {
        return rc;
    }
    const int code = sqlite3_step(statement);
    rc = code == SQLITE_DONE ? RC_ABSENT : sql_rc(code);
    if (rc == RC_OK) {
        *number = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

void sql_close(sqlite3 *db)
{
    sqlite3_stmt *statement = sqlite3_next_stmt(db, NULL);
    while (statement != NULL) {
        (void)sqlite3_finalize(statement);
        statement = sqlite3_next_stmt(db, NULL);
    }
    CHECK(sqlite3_close(db) == SQLITE_OK);
}

struct query query_begin(sqlite3_stmt *statement)
{
    return (struct query){.statement = statement, .next = 1, .code = SQLITE_OK};
}

static void query_keep(struct query *query, int code)
{
    if (query->code == SQLITE_OK) {
        query->code = code;
    }
}

static const char *slice_start(struct slice text)
{
    /* SQLite takes a NULL pointer for NULL, whatever the length */
    return text.ptr == NULL ? "" : text.ptr;
}

void query_text(struct query *query, struct slice text)
{
    query_keep(query, sqlite3_bind_text64(query->statement, query->next++, slice_start(text),
                                          text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void query_text_or_null(struct query *query, struct slice text)
{
    if (text.len == 0) {
        query_keep(query, sqlite3_bind_null(query->statement, query->next++));
    } else {
        query_text(query, text);
    }
}

void query_blob(struct query *query, struct slice bytes)
{
    query_keep(query, sqlite3_bind_blob64(query->statement, query->next++, slice_start(bytes),
                                          bytes.len, SQLITE_STATIC));
}

void query_blob_or_null(struct query *query, struct slice bytes)
{
    if (bytes.len == 0) {
        query_keep(query, sqlite3_bind_null(query->statement, query->next++));
    } else {
        query_blob(query, bytes);
    }
}

void query_int(struct query *query, int64_t number)
{
    query_keep(query, sqlite3_bind_int64(query->statement, query->next++, number));
}

void query_size(struct query *query, size_t number)
{
    query_int(query, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

bool query_row(struct query *query)
{
    if (query->code != SQLITE_OK && query->code != SQLITE_ROW) {
        return false;
    }
    query->code = sqlite3_step(query->statement);
    return query->code == SQLITE_ROW;
}

struct slice query_peek_text(struct query *query, int column)
{
    /* as a blob: as text SQLite would allocate to put a NUL behind it */
    const void *bytes = sqlite3_column_blob(query->statement, column);
    const int len = sqlite3_column_bytes(query->statement, column);
    if (bytes == NULL && sqlite3_errcode(sqlite3_db_handle(query->statement)) == SQLITE_NOMEM) {
        query->code = SQLITE_NOMEM;
    }
    if (bytes == NULL || len == 0) {
        return SLICE_EMPTY;
    }
    return slice_make(bytes, (size_t)len);
}

struct slice query_get_text(struct query *query, int column, struct arena *arena)
{
    const struct slice text = query_peek_text(query, column);
    return text.len == 0 ? text : arena_copy(arena, text);
}

int64_t query_get_int(struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

enum rc query_end(struct query *query)
{
    const int code = sqlite3_reset(query->statement);
    (void)sqlite3_clear_bindings(query->statement);
    const enum rc rc = sql_rc(query->code);
    return rc == RC_OK ? sql_rc(code) : rc;
}

enum rc query_run(struct query *query)
{
    CHECK(!query_row(query));
    return query_end(query);
}
