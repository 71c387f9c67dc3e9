/* db/journal_forget.h: takes what somebody said and was told out of the journal, after their
 * logout.
 *
 * A user is noted twice, in a row of `meta` each time: when the logout begins, while it is known
 * which rooms are theirs, and when it has ended, up to where the journal then is. From there on
 * each commit goes through some more of it; a crash in between loses nothing. Where nothing happens
 * there are commits for it alone (`has_chores` in runtime/store.h).
 */
#ifndef GITTERD_DB_JOURNAL_FORGET_H
#define GITTERD_DB_JOURNAL_FORGET_H

#include "db/sql.h"
#include "runtime/store.h"

enum {
    /* Of the journal, for one commit. */
    JOURNAL_FORGET_BYTES = 8 * 1024 * 1024
};

struct journal_forgetting {
    sqlite3 *db;
    size_t (*empty)(
        struct arena *arena, char *entries, size_t len, struct slice user, struct slice rooms);
    bool has_more; /* another step may find something to do */
    sqlite3_stmt *find;
    sqlite3_stmt *rooms;
    sqlite3_stmt *put;
    sqlite3_stmt *drop;
    sqlite3_stmt *first;
    sqlite3_stmt *end;
    sqlite3_stmt *row;
    sqlite3_stmt *write;
};

NODISCARD enum rc journal_prepare_forgetting(sqlite3 *db, struct journal_forgetting *forgetting);

/* Inside the transaction of the batch: first the users it names, before its actors are written, so
 * that the rooms are those from before; at its end one step further. */
NODISCARD enum rc journal_forget_note(struct journal_forgetting *forgetting,
                                      struct arena *scratch,
                                      const struct store_batch *batch);
NODISCARD enum rc journal_forget_step(struct journal_forgetting *forgetting, struct arena *scratch);

#endif
