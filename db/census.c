#include "db/census.h"

#include "db/schema.h"
#include "db/sql.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    STATES_MAX = 16,
    BUSY_MS = 5000,
};

static enum rc count_states(sqlite3 *db,
                            const struct store_table *table,
                            struct arena *arena,
                            struct census_kind *kind)
{
    sqlite3_stmt *statement = NULL;
    const struct slice text = arena_printf(
        arena, "SELECT state, count(*) FROM %s GROUP BY state ORDER BY 2 DESC, 1", table->name);
    *kind = (struct census_kind){.table = slice_from_cstr(table->name),
                                 .states = ARENA_ARRAY(arena, STATES_MAX, struct census_state)};
    enum rc rc = sql_prepare(db, text, &statement);
    if (rc != RC_OK) {
        return rc;
    }
    struct query query = query_begin(statement);
    while (query_row(&query)) {
        const int64_t count = query_get_int(&query, 1);
        kind->count += count;
        if (kind->states_count < STATES_MAX) {
            kind->states[kind->states_count++] =
                (struct census_state){query_get_text(&query, 0, arena), count};
        }
    }
    rc = query_end(&query);
    (void)sqlite3_finalize(statement);
    return rc;
}

static enum rc count_lanes(sqlite3 *db, struct arena *arena, struct census *census)
{
    sqlite3_stmt *statement = NULL;
    enum rc rc = sql_prepare(db,
                             SLICE("SELECT lane, max(owner), count(*), min(created_ms) FROM outbox "
                                   "GROUP BY lane ORDER BY 3 DESC, 1"),
                             &statement);
    if (rc != RC_OK) {
        return rc;
    }
    struct query query = query_begin(statement);
    while (query_row(&query)) {
        const int64_t calls = query_get_int(&query, 2);
        census->calls += calls;
        census->lanes_count++;
        if (census->lanes_shown < CENSUS_LANES_MAX) {
            census->lanes[census->lanes_shown++] = (struct census_lane){
                .lane = query_get_text(&query, 0, arena),
                .owner = query_get_text(&query, 1, arena),
                .calls = calls,
                .oldest_ms = query_get_int(&query, 3),
            };
        }
    }
    rc = query_end(&query);
    (void)sqlite3_finalize(statement);
    return rc;
}

static enum rc
count_all(sqlite3 *db, const struct store_table *tables, struct arena *arena, struct census *census)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < census->kinds_count; i++) {
        rc = count_states(db, &tables[i], arena, &census->kinds[i]);
    }
    return rc == RC_OK ? count_lanes(db, arena, census) : rc;
}

enum rc census_take(struct slice path,
                    const struct store_table *tables,
                    size_t tables_count,
                    struct arena *arena,
                    struct census *census,
                    struct slice *error)
{
    const char *file = arena_cstr(arena, path);
    sqlite3 *db = NULL;
    *census = (struct census){.kinds = ARENA_ARRAY(arena, tables_count, struct census_kind),
                              .kinds_count = tables_count};
    if (access(file, F_OK) != 0) {
        *error = arena_printf(arena, "%s: %s", file, strerror(errno));
        return errno == ENOENT ? RC_ABSENT : RC_IO;
    }
    enum rc rc =
        sql_rc(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL));
    if (rc == RC_OK) {
        (void)sqlite3_busy_timeout(db, BUSY_MS);
        rc = schema_examine(db, arena, error);
    }
    if (rc == RC_OK) {
        rc = schema_check_tables(db, tables, tables_count, arena, error);
    }
    if (rc == RC_OK) {
        rc = count_all(db, tables, arena, census);
        *error = rc == RC_OK ? SLICE_EMPTY : arena_copy(arena, slice_from_cstr(sqlite3_errmsg(db)));
    }
    if (rc != RC_OK) {
        *error = arena_printf(arena, "%s: %.*s", file, SLICE_ARGS(*error));
    }
    (void)sqlite3_close(db);
    return rc;
}
