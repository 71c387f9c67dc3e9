/* db/store_memory_parts.h: the insides of the store in memory, shared by store_memory.c and
 * store_memory_apply.c. */
#ifndef GITTERD_DB_STORE_MEMORY_PARTS_H
#define GITTERD_DB_STORE_MEMORY_PARTS_H

#include "db/rows.h"

enum {
    RELATIONS_COUNT = RELATION_MESSAGE_MAP + 1
};

struct memory_store {
    struct store store; /* first, so that the methods find it */
    const struct store_table *tables;
    size_t tables_count;
    int64_t next_turn;
    int64_t last_ms;
    bool is_clean;
    struct rows *actors;                    /* by kind; a: key */
    struct rows relations[RELATIONS_COUNT]; /* a: left, b: right */
    struct rows seen;                       /* a: event id */
    struct rows calls;                      /* a: lane, place, id */
    struct rows journal;                    /* id: first turn; value: entries */
    size_t journal_rows_max;                /* 0: as many as there are */
    /* of the commit under way */
    const struct store_batch *batch; /* not NULL: held */
    void (*done)(void *context, enum rc rc);
    void *context;
    enum rc rc;
    bool is_pending;
    /* hooks */
    enum rc fail_next;
    int chores;
    bool is_held;
};

/* Does what the batch says. */
void memory_apply(struct memory_store *self, const struct store_batch *batch);

#endif
