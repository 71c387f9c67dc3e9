/* db/store_rules.h: what all stores have in common. */
#ifndef GITTERD_DB_STORE_RULES_H
#define GITTERD_DB_STORE_RULES_H

#include "runtime/store.h"

enum {
    /* For so long a row stays at least; in a file somewhat longer (db/prune.h).
     * Homeservers give up on a transaction long before. */
    STORE_SEEN_DAYS = 30,
    /* What was said before is not read again, and edits of it are said anew. */
    STORE_MAP_DAYS = 60,
    /* The time of the last batch is not written anew with each. */
    STORE_LAST_MS_STEP = 1000,
    /* First chunk of the arena of one commit. */
    STORE_SCRATCH_BYTES = 16 * 1024
};

/* Our bugs: a kind that is none, an empty key, lane, left or event id, more columns than the table
 * has. */
void store_check_batch(const struct store_batch *batch,
                       const struct store_table *tables,
                       size_t tables_count);

#endif
