/* db/sql.h: prepared statements of SQLite, with slices and `enum rc`.
 *
 * A query is one run of a statement: begin, bind in the order of the parameters, step, end. The
 * first thing that goes wrong is kept and comes out of query_end, so that binding and reading need
 * no checks of their own. Text is bound and read by length: a NUL in it survives.
 *
 * Memory: what is bound is borrowed until query_end; what is read lives in the given arena.
 */
#ifndef GITTERD_DB_SQL_H
#define GITTERD_DB_SQL_H

#include "runtime/base/arena.h"

#include <sqlite3.h>

struct query {
    sqlite3_stmt *statement;
    int next; /* number of the next parameter */
    int code; /* SQLITE_OK, or the first failure */
};

/* What a code of SQLite means to a caller of the store. A misuse or a row that
 * breaks a constraint (an id used twice) is a CHECK. */
enum rc sql_rc(int code);

/* What concerns all connections of the process. Before the first of them; later it does nothing. */
void sql_configure(void);

NODISCARD enum rc sql_prepare(sqlite3 *db, struct slice text, sqlite3_stmt **statement);
/* The same for some, up to the first that cannot be. */
struct sql_wanted {
    sqlite3_stmt **statement;
    struct slice text;
};
NODISCARD enum rc sql_prepare_all(sqlite3 *db, const struct sql_wanted *wanted, size_t count);
/* Runs statements that give no rows. */
NODISCARD enum rc sql_run(sqlite3 *db, const char *text);
/* The one number that a statement gives; RC_ABSENT without a row. */
NODISCARD enum rc sql_number(sqlite3 *db, const char *text, int64_t *number);
/* Closes the connection with its statements; NULL is fine. */
void sql_close(sqlite3 *db);

struct query query_begin(sqlite3_stmt *statement);
void query_text(struct query *query, struct slice text);
/* An empty slice is bound as NULL. */
void query_text_or_null(struct query *query, struct slice text);
void query_blob(struct query *query, struct slice bytes);
void query_blob_or_null(struct query *query, struct slice bytes);
void query_int(struct query *query, int64_t number);
void query_size(struct query *query, size_t number);
/* True if there is a (next) row. */
bool query_row(struct query *query);
/* A column of the row at hand; NULL reads as empty or 0. */
struct slice query_get_text(struct query *query, int column, struct arena *arena);
/* The same without a copy: borrowed from the row, until the next query_row or query_end. */
struct slice query_peek_text(struct query *query, int column);
int64_t query_get_int(struct query *query, int column);
enum rc query_end(struct query *query);
/* Runs a statement that gives no rows, and ends it. */
enum rc query_run(struct query *query);

#endif
