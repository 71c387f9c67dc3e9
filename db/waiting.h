/* db/waiting.h: how many calls of each owner wait in the outbox, so that nobody has to count them:
 * those with their Gitter token, and those to the homeserver.
 *
 * The counts change with the rows of the outbox, in the same transaction.
 */
#ifndef GITTERD_DB_WAITING_H
#define GITTERD_DB_WAITING_H

#include "db/sql.h"
#include "runtime/call.h"

struct waiting_writing {
    sqlite3_stmt *find;
    sqlite3_stmt *more;
    sqlite3_stmt *last;
    sqlite3_stmt *less;
};

NODISCARD enum rc waiting_prepare(sqlite3 *db, struct waiting_writing *writing);
/* The call is put into the outbox. */
NODISCARD enum rc waiting_add(const struct waiting_writing *writing, const struct call *call);
/* The call leaves it, and is still there; fine if it is not. */
NODISCARD enum rc
waiting_remove(const struct waiting_writing *writing, struct arena *scratch, int64_t id);

#endif
