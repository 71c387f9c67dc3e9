/* db/journal.h: the table `journal`: one row for each commit, with the entries of its turns.
 *
 * The id of a row is the place of its first byte in the stream of all entries that were ever
 * written: so the first and the last row say how large the journal is.
 *
 * Errors: as SQLite's codes say (db/sql.h).
 */
#ifndef GITTERD_DB_JOURNAL_H
#define GITTERD_DB_JOURNAL_H

#include "db/sql.h"
#include "runtime/store.h"

enum {
    /* Rows that one commit deletes at most: more than it adds. */
    JOURNAL_PRUNED_MAX = 64
};

/* What is kept. */
struct journal_limits {
    int64_t age_ms;
    int64_t bytes_max;
    /* Takes what a user said out of entries, in place, and what was said in these rooms (ids with
     * blanks between); gives how many entries it changed. NULL: nobody is forgotten. */
    size_t (*empty)(
        struct arena *arena, char *entries, size_t len, struct slice user, struct slice rooms);
};

struct journal_writing {
    struct journal_limits limits;
    sqlite3_stmt *add;
    sqlite3_stmt *end;
    sqlite3_stmt *oldest;
    sqlite3_stmt *prune;
};

NODISCARD enum rc journal_prepare_writing(sqlite3 *db, struct journal_writing *writing);
/* Inside the transaction of the batch: adds its entries and deletes what is too old or too much. */
NODISCARD enum rc journal_write(const struct journal_writing *writing,
                                const struct store_batch *batch);

#endif
