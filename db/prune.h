/* db/prune.h: deletes events and messages that have become too old, without an index by time.
 *
 * Each row put in makes it owe a look at some that are there. Of events it looks at a few hundred
 * at a time, in the order of their ids, begins anew at the end, and notes in the file where it is.
 * Of messages it looks at the first ones of a room, since Gitter's ids are in the order of time: of
 * a room that is spoken in, and of the next one in turn. So a row goes some time after it became
 * too old, and what is kept grows no further.
 *
 * Thread: that of the writer.
 */
#ifndef GITTERD_DB_PRUNE_H
#define GITTERD_DB_PRUNE_H

#include "db/sql.h"
#include "runtime/store.h"

struct prune {
    int64_t events_owed; /* to be looked at */
    int64_t messages;    /* put in since a room was looked at */
    sqlite3_stmt *load;
    sqlite3_stmt *keep;
    sqlite3_stmt *find_event;
    sqlite3_stmt *remove_events;
    sqlite3_stmt *next_room;
    sqlite3_stmt *first_messages;
    sqlite3_stmt *remove_messages;
};

NODISCARD enum rc prune_prepare(sqlite3 *db, struct prune *prune);

/* Within the transaction of the batch, before its rows are put in: they are young, whatever was
 * there before. */
NODISCARD enum rc
prune_go_on(struct prune *prune, struct arena *scratch, const struct store_batch *batch);

#endif
