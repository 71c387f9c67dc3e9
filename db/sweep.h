/* db/sweep.h: deletes what has become too old from a table that is not ordered by time.
 *
 * Each row put in makes the sweep owe a look at some of the others. It walks through the table in
 * the order of its key, notes in the file where it is, and begins anew at the end. So a row goes
 * some time after it became too old, and no index by time has to be kept.
 *
 * Thread: that of the writer.
 */
#ifndef GITTERD_DB_SWEEP_H
#define GITTERD_DB_SWEEP_H

#include "db/sql.h"

struct sweep {
    struct slice table; /* its name in `sweeps` */
    int key_columns;    /* 1 or 2 */
    int64_t owed;       /* rows to look at */
    sqlite3_stmt *load;
    sqlite3_stmt *find;
    sqlite3_stmt *remove;
    sqlite3_stmt *keep;
};

/* Of `seen_events` by the ms, and of `message_map` by the day. */
NODISCARD enum rc sweep_prepare_seen(sqlite3 *db, struct sweep *sweep);
NODISCARD enum rc sweep_prepare_map(sqlite3 *db, struct sweep *sweep);

/* So many rows are put in, by this transaction; those of before `first` may go. */
NODISCARD enum rc
sweep_go_on(struct sweep *sweep, struct arena *scratch, size_t rows, int64_t first);

#endif
