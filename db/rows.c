#include "db/rows.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROW_CHUNK_BYTES = 256,
    ROWS_FIRST = 16
};

static int compare_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b ? 1 : 0;
}

static int row_key_compare(const struct row_key *a, const struct row_key *b)
{
    int order = slice_compare(a->a, b->a);
    if (order == 0) {
        order = slice_compare(a->b, b->b);
    }
    if (order == 0) {
        order = compare_numbers(a->place, b->place);
    }
    if (order == 0) {
        order = compare_numbers(a->id, b->id);
    }
    return order;
}

static struct slice keep(struct arena *arena, struct slice text)
{
    return text.len == 0 ? SLICE_EMPTY : arena_copy(arena, text);
}

struct store_actor store_actor_copy(struct arena *arena, const struct store_actor *actor)
{
    struct store_actor copy = *actor;
    copy.key = keep(arena, actor->key);
    copy.state = keep(arena, actor->state);
    copy.body = keep(arena, actor->body);
    copy.secrets = keep(arena, actor->secrets);
    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++) {
        copy.columns[i] = keep(arena, actor->columns[i]);
    }
    return copy;
}

struct outbox_call outbox_call_copy(struct arena *arena, const struct outbox_call *call)
{
    struct outbox_call copy = *call;
    copy.actor_key = keep(arena, call->actor_key);
    copy.call.lane = keep(arena, call->call.lane);
    copy.call.owner = keep(arena, call->call.owner);
    copy.call.after_lane = keep(arena, call->call.after_lane);
    copy.call.method = keep(arena, call->call.method);
    copy.call.path = keep(arena, call->call.path);
    copy.call.body = keep(arena, call->call.body);
    copy.call.content_type = keep(arena, call->call.content_type);
    copy.call.ref = keep(arena, call->call.ref);
    return copy;
}

static struct row *row_copy(const struct row *row)
{
    struct arena *arena = arena_open(ROW_CHUNK_BYTES);
    struct row *copy = ARENA_NEW(arena, struct row);
    *copy = *row;
    copy->arena = arena;
    copy->key.a = keep(arena, row->key.a);
    copy->key.b = keep(arena, row->key.b);
    copy->actor = store_actor_copy(arena, &row->actor);
    copy->call = outbox_call_copy(arena, &row->call);
    copy->value = keep(arena, row->value);
    return copy;
}

void rows_clear(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        arena_close(rows->at[i].row->arena);
    }
    free(rows->at);
    *rows = (struct rows){.at = NULL};
}

size_t rows_from(const struct rows *rows, const struct row_key *key)
{
    size_t low = 0;
    size_t high = rows->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (row_key_compare(&rows->at[middle].row->key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct rows *rows, size_t index, const struct row_key *key)
{
    return index < rows->count && row_key_compare(&rows->at[index].row->key, key) == 0;
}

struct row *rows_get(const struct rows *rows, const struct row_key *key)
{
    const size_t index = rows_from(rows, key);
    return is_at(rows, index, key) ? rows->at[index].row : NULL;
}

static void rows_grow(struct rows *rows)
{
    rows->cap = rows->cap == 0 ? ROWS_FIRST : rows->cap * 2;
    rows->at = realloc(rows->at, rows->cap * sizeof *rows->at);
    CHECK(rows->at != NULL);
}

void rows_put(struct rows *rows, const struct row *row)
{
    const size_t index = rows_from(rows, &row->key);
    struct row *copy = row_copy(row);
    if (is_at(rows, index, &row->key)) {
        arena_close(rows->at[index].row->arena);
        rows->at[index].row = copy;
        return;
    }
    if (rows->count == rows->cap) {
        rows_grow(rows);
    }
    memmove(&rows->at[index + 1], &rows->at[index], (rows->count - index) * sizeof *rows->at);
    rows->at[index].row = copy;
    rows->count++;
}

void rows_remove(struct rows *rows, size_t index)
{
    CHECK(index < rows->count);
    arena_close(rows->at[index].row->arena);
    rows->count--;
    memmove(&rows->at[index], &rows->at[index + 1], (rows->count - index) * sizeof *rows->at);
}

void rows_prune(struct rows *rows, int64_t time_ms)
{
    for (size_t i = rows->count; i > 0; i--) {
        if (rows->at[i - 1].row->time_ms < time_ms) {
            rows_remove(rows, i - 1);
        }
    }
}

struct slice rows_join(const struct rows *rows, struct arena *arena)
{
    struct buf joined;
    buf_init(&joined, arena);
    for (size_t i = 0; i < rows->count; i++) {
        buf_put(&joined, rows->at[i].row->value);
    }
    return buf_slice(&joined);
}

void rows_copy(struct rows *to, const struct rows *from)
{
    for (size_t i = 0; i < from->count; i++) {
        rows_put(to, from->at[i].row);
    }
}
