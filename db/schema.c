#include "db/schema.h"

#include "db/sql.h"
#include "runtime/base/check.h"

/* db/schema.sql and so on, written as C strings by the build. */
extern const char schema_sql[];
extern const char schema_2_sql[];
extern const char schema_3_sql[];
extern const char schema_4_sql[];
extern const char schema_5_sql[];
extern const char schema_6_sql[];
extern const char schema_7_sql[];
extern const char schema_8_sql[];
extern const char schema_9_sql[];
extern const char schema_10_sql[];
extern const char schema_11_sql[];

/* Only ever append: files in the world have taken the first of these. */
static const char *const schema_steps[] = {schema_sql,   schema_2_sql,  schema_3_sql, schema_4_sql,
                                           schema_5_sql, schema_6_sql,  schema_7_sql, schema_8_sql,
                                           schema_9_sql, schema_10_sql, schema_11_sql};

enum {
    STEPS_COUNT = sizeof schema_steps / sizeof schema_steps[0],
    APPLICATION_ID = 0x67747264 /* "gtrd" */
};

int64_t schema_version(void)
{
    return STEPS_COUNT;
}

const char *schema_step(int64_t step)
{
    CHECK(step >= 0 && step < schema_version());
    return schema_steps[step];
}

static enum rc schema_fail(sqlite3 *db, enum rc rc, struct arena *arena, struct slice *error)
{
    *error = arena_printf(arena, "%s", sqlite3_errmsg(db));
    return rc;
}

enum rc schema_examine(sqlite3 *db, struct arena *arena, struct slice *error)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t objects = 0;
    enum rc rc = sql_number(db, "PRAGMA application_id", &application);
    if (rc == RC_OK) {
        rc = sql_number(db, "PRAGMA user_version", &version);
    }
    if (rc == RC_OK) {
        rc = sql_number(db, "SELECT count(*) FROM sqlite_schema", &objects);
    }
    if (rc != RC_OK) {
        return schema_fail(db, rc, arena, error);
    }
    const bool is_empty = application == 0 && version == 0 && objects == 0;
    if (!is_empty && application != APPLICATION_ID) {
        *error = arena_printf(arena, "the database of another program");
        return RC_REFUSED;
    }
    if (version > schema_version()) {
        *error =
            arena_printf(arena, "written by a newer gitterd (version %lld, this one knows %lld)",
                         (long long)version, (long long)schema_version());
        return RC_NEWER;
    }
    if (version < 0) {
        *error = arena_printf(arena, "has the impossible version %lld", (long long)version);
        return RC_CORRUPT;
    }
    if (version < schema_version()) {
        *error = arena_printf(arena, "empty, or written by an older gitterd; run this one once");
        return RC_ABSENT;
    }
    return RC_OK;
}

static enum rc schema_take_steps(sqlite3 *db, struct arena *arena)
{
    int64_t version = 0;
    enum rc rc = sql_number(db, "PRAGMA user_version", &version);
    for (int64_t step = version; rc == RC_OK && step < schema_version(); step++) {
        rc = sql_run(db, schema_steps[step]);
    }
    if (rc == RC_OK) {
        const struct slice marks = arena_printf(arena,
                                                "PRAGMA application_id = %d; "
                                                "PRAGMA user_version = %lld; COMMIT",
                                                APPLICATION_ID, (long long)schema_version());
        rc = sql_run(db, marks.ptr);
    }
    return rc;
}

enum rc schema_migrate(sqlite3 *db, struct arena *arena, struct slice *error)
{
    enum rc rc = sql_run(db, "BEGIN EXCLUSIVE");
    if (rc == RC_OK) {
        rc = schema_take_steps(db, arena);
    }
    if (rc != RC_OK) {
        rc = schema_fail(db, rc, arena, error);
        if (sqlite3_get_autocommit(db) == 0) {
            (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    return rc;
}

static enum rc schema_check_column(sqlite3_stmt *statement, const char *table, const char *column)
{
    struct query query = query_begin(statement);
    query_text(&query, slice_from_cstr(table));
    query_text(&query, slice_from_cstr(column));
    const bool is_there = query_row(&query);
    const enum rc rc = query_end(&query);
    return rc == RC_OK && !is_there ? RC_CORRUPT : rc;
}

static enum rc schema_check_table(sqlite3_stmt *statement,
                                  const struct store_table *table,
                                  struct arena *arena,
                                  struct slice *error)
{
    CHECK(table->columns_count <= STORE_COLUMNS_MAX);
    const char *column = "key";
    enum rc rc = schema_check_column(statement, table->name, column);
    for (size_t i = 0; rc == RC_OK && i < table->columns_count; i++) {
        column = table->columns[i];
        rc = schema_check_column(statement, table->name, column);
    }
    if (rc == RC_CORRUPT) {
        *error = arena_printf(arena, "table %s has no column %s", table->name, column);
    }
    return rc;
}

enum rc schema_check_tables(sqlite3 *db,
                            const struct store_table *tables,
                            size_t count,
                            struct arena *arena,
                            struct slice *error)
{
    sqlite3_stmt *statement = NULL;
    enum rc rc =
        sql_prepare(db, SLICE("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2"), &statement);
    for (size_t i = 0; rc == RC_OK && i < count; i++) {
        rc = schema_check_table(statement, &tables[i], arena, error);
    }
    if (rc != RC_OK && rc != RC_CORRUPT) {
        rc = schema_fail(db, rc, arena, error);
    }
    (void)sqlite3_finalize(statement);
    return rc;
}
