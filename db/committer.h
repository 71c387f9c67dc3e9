/* db/committer.h: a thread that carries the commits of a writer, one at a time, so that a slow disk
 * holds up nobody but those who wait for the commit.
 *
 * Thread: all functions from the loop thread. The writer belongs to the committer's thread from
 *         committer_begin until committer_is_ended is true. All signals are blocked in it.
 */
#ifndef GITTERD_DB_COMMITTER_H
#define GITTERD_DB_COMMITTER_H

#include "db/writer.h"

struct committer;

/* Gives *committer; the writer is borrowed until it is closed. `wake` is called from the thread
 * when a commit has ended; NULL: nobody sleeps. RC_FULL: no thread to be had. */
NODISCARD enum rc committer_open(struct writer *writer,
                                 void (*wake)(void *context),
                                 void *context,
                                 struct committer **committer);
/* Waits for the commit under way. NULL is fine. */
void committer_close(struct committer *committer);

/* Hands over a batch, borrowed until the commit has ended. None may be under way or not taken. */
void committer_begin(struct committer *committer, const struct store_batch *batch);
/* True from the end of a commit until committer_take. */
bool committer_is_ended(struct committer *committer);
/* Waits until the commit under way has ended; without one it returns at once. */
void committer_wait(struct committer *committer);
/* How the commit that has ended went. */
enum rc committer_take(struct committer *committer);

#endif
