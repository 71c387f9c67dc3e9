/* db/journal_reader.h: the journal of a database, beside a daemon that may be running.
 *
 * Each row is a read of its own, so that no reader holds up the daemon's write-ahead log.
 *
 * Thread: one thread for each reader.
 */
#ifndef GITTERD_DB_JOURNAL_READER_H
#define GITTERD_DB_JOURNAL_READER_H

#include "runtime/base/arena.h"

struct journal_reader;

/* *error says, in the arena, what is wrong: RC_ABSENT (no such file, or older than this program),
 * RC_NEWER, RC_REFUSED (no database of ours), RC_CORRUPT, RC_IO. */
NODISCARD enum rc journal_reader_open(struct arena *arena,
                                      struct slice path,
                                      struct journal_reader **reader,
                                      struct slice *error);
void journal_reader_close(struct journal_reader *reader);

/* The entries of the next commit, in the arena; RC_ABSENT behind the last. */
NODISCARD enum rc
journal_reader_next(struct journal_reader *reader, struct arena *arena, struct slice *entries);
/* How much of the journal has been read, in percent. */
int journal_reader_percent(const struct journal_reader *reader);

#endif
