/* db/store_sqlite.h: the store of production: one SQLite file, WAL, synchronous=FULL.
 *
 * A missing file is made (mode 0600) and an older one brought up to date. A lock file beside it
 * (<path>.lock) keeps a second instance out, except from reading only.
 *
 * A commit runs in a thread of its own, on a connection of its own, and its result is kept;
 * store_sqlite_poll, called from the loop, delivers it. Reads therefore may see a commit whose
 * `done` was not called yet.
 *
 * Thread: loop thread only, except `wake`.
 */
#ifndef GITTERD_DB_STORE_SQLITE_H
#define GITTERD_DB_STORE_SQLITE_H

#include "db/journal.h"
#include "runtime/store.h"

struct store_sqlite_options {
    struct slice path; /* "database.sqlite" */
    /* By actor kind; kept by pointer until the store is closed. */
    const struct store_table *tables;
    size_t tables_count;
    /* Names of the message kinds a call's `purpose` counts, kept by pointer. The outbox holds the
     * name, so that the kinds may be numbered otherwise in a later version. NULL: numbers. */
    const char *const *purposes;
    size_t purposes_count;
    /* unique_secret_key; not kept. Empty only if is_read_only: no secret can then be opened. */
    struct slice secret_key;
    bool takes_new_key;            /* what was sealed under another key is given up */
    struct journal_limits journal; /* all 0: what was written before goes, bit by bit */
    bool is_read_only;             /* beside a running daemon; a commit ends RC_REFUSED */
    /* Called from the thread of the commits when one has ended, to wake the loop, which then calls
     * store_sqlite_poll. NULL: nobody sleeps. */
    void (*wake)(void *context);
    void *wake_context;
};

/* Gives *store, to be closed by its method. *error says, in the given arena, what is wrong:
 * RC_BUSY (another instance), RC_NEWER (written by a newer version), RC_REFUSED (the file of
 * another program, or sealed under another key), RC_CORRUPT, RC_FULL, RC_IO, RC_BAD_INPUT (no
 * secret key), and when reading only RC_ABSENT (no file, or one that has to be brought up to date
 * first). */
NODISCARD enum rc store_sqlite_open(const struct store_sqlite_options *options,
                                    struct arena *arena,
                                    struct store **store,
                                    struct slice *error);

/* A commit has ended and its `done` is to be called: by store_sqlite_poll, which does nothing if
 * there is none. Closing the store waits for a commit under way and drops it. */
bool store_sqlite_is_pending(struct store *store);
void store_sqlite_poll(struct store *store);
/* Waits until no commit is under way. */
void store_sqlite_wait(struct store *store);

#endif
