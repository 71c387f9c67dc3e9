/* db/rows.h: an ordered table in memory, for the store without a file.
 *
 * Rows are sorted by (a, b, place, id), each compared in turn; parts that a table does not need
 * stay empty or 0.
 *
 * Memory: a row is copied whole when it is put.
 */
#ifndef GITTERD_DB_ROWS_H
#define GITTERD_DB_ROWS_H

#include "runtime/store.h"

struct row_key {
    struct slice a;
    struct slice b;
    int64_t place;
    int64_t id;
};

/* Of the last four each table uses one. */
struct row {
    struct arena *arena; /* holds all texts of the row */
    struct row_key key;
    struct store_actor actor;
    struct outbox_call call;
    struct slice value;
    int64_t time_ms;
};

struct row_slot {
    struct row *row;
};

/* All zero is an empty table. */
struct rows {
    struct row_slot *at;
    size_t count;
    size_t cap;
};

void rows_clear(struct rows *rows);

/* Index of the first row that is not before the key; rows->count if there is none. */
size_t rows_from(const struct rows *rows, const struct row_key *key);
/* NULL if there is none. */
struct row *rows_get(const struct rows *rows, const struct row_key *key);
/* Takes the place of a row with the same key. */
void rows_put(struct rows *rows, const struct row *row);
void rows_remove(struct rows *rows, size_t index);
/* Those that are older. */
void rows_prune(struct rows *rows, int64_t time_ms);
/* Their values, one behind the other. */
struct slice rows_join(const struct rows *rows, struct arena *arena);
void rows_copy(struct rows *to, const struct rows *from);

/* Deep copies. */
struct store_actor store_actor_copy(struct arena *arena, const struct store_actor *actor);
struct outbox_call outbox_call_copy(struct arena *arena, const struct outbox_call *call);

#endif
