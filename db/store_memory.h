/* db/store_memory.h: the store in memory, for the simulator, replay and tests.
 *
 * Behaves as the SQLite store does, by the same contract suite, and never fails by itself. What was
 * committed lasts as long as the store; store_memory_crash drops what a crash would drop.
 *
 * A commit applies at once and its `done` is delivered by store_memory_poll, unless it is held:
 * then nothing is applied until store_memory_finish.
 *
 * Thread: one.
 */
#ifndef GITTERD_DB_STORE_MEMORY_H
#define GITTERD_DB_STORE_MEMORY_H

#include "runtime/store.h"

/* Gives a store, to be closed by its method. `tables` is kept by pointer. */
struct store *store_memory_open(const struct store_table *tables, size_t tables_count);
/* A snapshot: gives another store with all that is committed in this one and no commit under way.
 */
struct store *store_memory_copy(struct store *store);

/* A commit has ended and its `done` is to be called: by store_memory_poll, which does nothing if
 * there is none. Closing the store drops it. */
bool store_memory_is_pending(const struct store *store);
void store_memory_poll(struct store *store);

/* The next commit changes nothing and ends with this rc. */
void store_memory_fail_next(struct store *store, enum rc rc);
/* Whether commits from now on are held. */
void store_memory_hold(struct store *store, bool is_held);
/* Applies the held commit and makes it pending; without one nothing happens. */
void store_memory_finish(struct store *store);
/* As after a crash: a held commit never was, and a `done` not yet delivered never comes. */
void store_memory_crash(struct store *store);
/* As after a change of unique_secret_key: all secrets kept so far are lost. */
void store_memory_lose_secrets(struct store *store);
/* The journal, entries only, one behind the other. */
struct slice store_memory_journal(struct store *store, struct arena *arena);
/* So many commits from now on, it has chores. */
void store_memory_give_chores(struct store *store, int count);
/* From now on the entries of at most so many commits are kept. */
void store_memory_keep_journal(struct store *store, size_t rows_max);

#endif
