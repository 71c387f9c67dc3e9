/* db/lock.h: keeps a second instance out.
 *
 * A file that is locked as long as the holder lives: the kernel lets go of it on close and on any
 * crash, and a file that was left behind locks nobody out. It holds the process id of the holder,
 * for people.
 *
 * Memory: `error` lives in the given arena.
 */
#ifndef GITTERD_DB_LOCK_H
#define GITTERD_DB_LOCK_H

#include "runtime/base/arena.h"

struct lock;

/* Gives *lock. RC_BUSY: held by another process (or by this one, on another struct lock), RC_IO:
 * the file cannot be made or locked; *error then says what and who. */
NODISCARD enum rc
lock_open(struct slice path, struct arena *arena, struct lock **lock, struct slice *error);
/* Lets go; the file stays. NULL is fine. */
void lock_close(struct lock *lock);

#endif
