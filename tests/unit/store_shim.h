/* tests/unit/store_shim.h: makes memory, disk and file system fail or wait under SQLite.
 *
 * Thread: any; the store commits in one of its own.
 */
#ifndef GITTERD_TESTS_STORE_SHIM_H
#define GITTERD_TESTS_STORE_SHIM_H

#include <stdbool.h>

enum fault_kind {
    FAULT_ALLOC,
    FAULT_WRITE,
    FAULT_FULL,
    FAULT_SYNC,
    FAULT_READ,
    FAULT_KINDS
};

/* Puts itself between SQLite and memory and files; once a process, before any database is opened.
 */
void shim_install(void);

/* The at-th request of that kind from now on fails, and all after it if is_sticky. */
void shim_arm(enum fault_kind kind, int at, bool is_sticky);
/* True if none failed. */
bool shim_disarm(void);

/* From now on whoever syncs a file waits. */
void shim_hold_syncs(void);
/* How many are waiting. */
int shim_syncs_waiting(void);
/* Lets the one that waits go on. */
void shim_release_one_sync(void);
void shim_release_syncs(void);

#endif
