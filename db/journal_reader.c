#include "db/journal_reader.h"

#include "db/schema.h"
#include "db/sql.h"
#include "runtime/base/check.h"

#include <stdlib.h>

enum {
    BUSY_MS = 2000
};

struct journal_reader {
    sqlite3 *db;
    sqlite3_stmt *next;
    int64_t first; /* id of the first row */
    int64_t end;   /* behind the last, as it was at the beginning */
    int64_t last;  /* id of the row read last */
};

static enum rc find_span(struct journal_reader *reader)
{
    enum rc rc = sql_number(reader->db, "SELECT coalesce(min(id), 0) FROM journal", &reader->first);
    if (rc == RC_OK) {
        rc = sql_number(reader->db, "SELECT coalesce(max(id + length(entry)), 0) FROM journal",
                        &reader->end);
    }
    reader->last = reader->first - 1;
    return rc;
}

static enum rc connect(struct arena *arena, struct journal_reader *reader, struct slice path)
{
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(arena_cstr(arena, path), &reader->db, flags, NULL);
    if (code != SQLITE_OK) {
        return code == SQLITE_CANTOPEN ? RC_ABSENT : sql_rc(code);
    }
    (void)sqlite3_busy_timeout(reader->db, BUSY_MS);
    return RC_OK;
}

enum rc journal_reader_open(struct arena *arena,
                            struct slice path,
                            struct journal_reader **out,
                            struct slice *error)
{
    struct journal_reader *reader = calloc(1, sizeof *reader);
    CHECK(reader != NULL);
    enum rc rc = connect(arena, reader, path);
    *error = SLICE_EMPTY;
    if (rc == RC_OK) {
        rc = schema_examine(reader->db, arena, error);
    }
    if (rc == RC_OK) {
        rc = sql_prepare(reader->db,
                         SLICE("SELECT id, entry FROM journal WHERE id > ?1 ORDER BY id LIMIT 1"),
                         &reader->next);
    }
    if (rc == RC_OK) {
        rc = find_span(reader);
    }
    if (rc != RC_OK) {
        *error = error->len > 0 ? *error : slice_from_cstr(rc_text(rc));
        journal_reader_close(reader);
        return rc;
    }
    *out = reader;
    return RC_OK;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (reader != NULL) {
        if (reader->db != NULL) {
            sql_close(reader->db);
        }
        free(reader);
    }
}

enum rc
journal_reader_next(struct journal_reader *reader, struct arena *arena, struct slice *entries)
{
    struct query query = query_begin(reader->next);
    query_int(&query, reader->last);
    const bool is_there = query_row(&query);
    if (is_there) {
        reader->last = query_get_int(&query, 0);
        *entries = query_get_text(&query, 1, arena);
    }
    const enum rc rc = query_end(&query);
    return rc == RC_OK && !is_there ? RC_ABSENT : rc;
}

int journal_reader_percent(const struct journal_reader *reader)
{
    const int64_t all = reader->end - reader->first;
    const int64_t done = reader->last - reader->first;
    return all <= 0 || done >= all ? 100 : (int)(done * 100 / all);
}
