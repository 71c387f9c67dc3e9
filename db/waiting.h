/* db/waiting.h: how many calls of each owner wait in the outbox, counted in memory.
 *
 * Those with the owner's Gitter token and those to the homeserver are counted, each for itself. The
 * counts are read from the outbox once and follow each commit after that: a table of them beside
 * the outbox would have to be written twice for each call.
 *
 * Thread: one.
 * Memory: owners are copied.
 */
#ifndef GITTERD_DB_WAITING_H
#define GITTERD_DB_WAITING_H

#include "db/outbox.h"

struct waiting;

/* A call that has left the outbox. */
struct waiting_end {
    struct slice owner;
    enum call_auth auth;
};

/* Counts what is in the outbox. RC_FULL, or what the database says. */
NODISCARD enum rc waiting_open(sqlite3 *db, struct waiting **out);
/* NULL is fine. */
void waiting_close(struct waiting *waiting);

void waiting_more(struct waiting *waiting, struct slice owner, enum call_auth auth);
void waiting_less(struct waiting *waiting, struct slice owner, enum call_auth auth);

int64_t waiting_of(const struct waiting *waiting, struct slice owner, enum call_auth auth);
/* Of all owners together. */
int64_t waiting_of_all(const struct waiting *waiting);

#endif
