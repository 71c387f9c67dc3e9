/* db/store_rules.h: what all stores have in common. */
#ifndef GITTERD_DB_STORE_RULES_H
#define GITTERD_DB_STORE_RULES_H

#include "runtime/store.h"

enum {
    /* Homeservers give up on a transaction long before. */
    STORE_SEEN_DAYS = 30,
    /* What was said before is not read again, and edits of it are said anew. */
    STORE_MAP_DAYS = 60,
    /* Old event ids deleted along with one commit, and old messages likewise: more than one commit
     * can add. */
    STORE_PRUNED_MAX = 2048,
    /* First chunk of the arena of one commit. */
    STORE_SCRATCH_BYTES = 16 * 1024
};

/* Our bugs: a kind that is none, an empty key, lane, left or event id, more columns than the table
 * has. */
void store_check_batch(const struct store_batch *batch,
                       const struct store_table *tables,
                       size_t tables_count);

#endif
