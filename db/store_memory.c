#include "db/store_memory.h"

#include "db/store_memory_parts.h"
#include "db/store_rules.h"
#include "runtime/base/check.h"

#include <stdlib.h>

static const struct store_methods memory_methods;

static struct memory_store *memory_of(struct store *store)
{
    CHECK(store->methods == &memory_methods);
    return (struct memory_store *)store;
}

static const struct rows *actors_of(struct store *store, int kind)
{
    const struct memory_store *self = memory_of(store);
    CHECK(kind >= 0 && (size_t)kind < self->tables_count);
    return &self->actors[kind];
}

static struct slice give(struct arena *arena, struct slice text)
{
    return text.len == 0 ? SLICE_EMPTY : arena_copy(arena, text);
}

/* Index of the first row whose `a` lies behind. */
static size_t rows_after(const struct rows *rows, struct slice a)
{
    size_t index = rows_from(rows, &(struct row_key){.a = a});
    while (index < rows->count && slice_equal(rows->at[index].row->key.a, a)) {
        index++;
    }
    return index;
}

static void memory_close(struct store *store)
{
    struct memory_store *self = memory_of(store);
    for (size_t kind = 0; kind < self->tables_count; kind++) {
        rows_clear(&self->actors[kind]);
    }
    for (size_t i = 0; i < RELATIONS_COUNT; i++) {
        rows_clear(&self->relations[i]);
    }
    rows_clear(&self->seen);
    rows_clear(&self->calls);
    rows_clear(&self->journal);
    free(self->actors);
    free(self);
}

static enum rc memory_next_turn(struct store *store, int64_t *turn)
{
    *turn = memory_of(store)->next_turn;
    return RC_OK;
}

static enum rc memory_last_ms(struct store *store, int64_t *ms)
{
    *ms = memory_of(store)->last_ms;
    return RC_OK;
}

static enum rc memory_load(
    struct store *store, int kind, struct slice key, struct arena *arena, struct store_actor *out)
{
    const struct row *row = rows_get(actors_of(store, kind), &(struct row_key){.a = key});
    if (row == NULL) {
        return RC_ABSENT;
    }
    *out = store_actor_copy(arena, &row->actor);
    return RC_OK;
}

static void
put_found(struct arena *arena, const struct row *row, struct store_found *out, size_t *count)
{
    out[*count].key = give(arena, row->actor.key);
    out[*count].state = give(arena, row->actor.state);
    (*count)++;
}

static enum rc memory_find(struct store *store,
                           int kind,
                           int column,
                           struct slice value,
                           struct arena *arena,
                           struct store_found *out,
                           size_t max,
                           size_t *count)
{
    const struct rows *rows = actors_of(store, kind);
    CHECK(column >= 0 && (size_t)column < memory_of(store)->tables[kind].columns_count);
    *count = 0;
    for (size_t i = 0; value.len > 0 && *count < max && i < rows->count; i++) {
        if (slice_equal(rows->at[i].row->actor.columns[column], value)) {
            put_found(arena, rows->at[i].row, out, count);
        }
    }
    return RC_OK;
}

static enum rc memory_list(struct store *store,
                           int kind,
                           struct slice after,
                           struct arena *arena,
                           struct store_found *out,
                           size_t max,
                           size_t *count)
{
    const struct rows *rows = actors_of(store, kind);
    *count = 0;
    for (size_t i = rows_after(rows, after); *count < max && i < rows->count; i++) {
        put_found(arena, rows->at[i].row, out, count);
    }
    return RC_OK;
}

static enum rc memory_related(struct store *store,
                              enum relation relation,
                              struct slice left,
                              struct slice right,
                              struct arena *arena,
                              struct slice *value)
{
    const struct row *row =
        rows_get(&memory_of(store)->relations[relation], &(struct row_key){.a = left, .b = right});
    if (row == NULL) {
        return RC_ABSENT;
    }
    *value = give(arena, row->value);
    return RC_OK;
}

static enum rc memory_related_by_value(struct store *store,
                                       enum relation relation,
                                       struct slice left,
                                       struct slice value,
                                       struct arena *arena,
                                       struct slice *right)
{
    const struct rows *rows = &memory_of(store)->relations[relation];
    size_t i = rows_from(rows, &(struct row_key){.a = left});
    for (; value.len > 0 && i < rows->count && slice_equal(rows->at[i].row->key.a, left); i++) {
        if (slice_equal(rows->at[i].row->value, value)) {
            *right = give(arena, rows->at[i].row->key.b);
            return RC_OK;
        }
    }
    return RC_ABSENT;
}

static enum rc memory_relations(struct store *store,
                                enum relation relation,
                                struct slice left,
                                struct slice after,
                                struct arena *arena,
                                struct slice *out,
                                size_t max,
                                size_t *count)
{
    const struct rows *rows = &memory_of(store)->relations[relation];
    size_t i = rows_from(rows, &(struct row_key){.a = left, .b = after});
    *count = 0;
    for (; *count < max && i < rows->count && slice_equal(rows->at[i].row->key.a, left); i++) {
        if (!slice_equal(rows->at[i].row->key.b, after)) {
            out[(*count)++] = give(arena, rows->at[i].row->key.b);
        }
    }
    return RC_OK;
}

static enum rc memory_seen(struct store *store, struct slice event_id)
{
    const struct row *row = rows_get(&memory_of(store)->seen, &(struct row_key){.a = event_id});
    return row == NULL ? RC_ABSENT : RC_OK;
}

struct due {
    const struct store_actor *actor;
};

static int compare_due(const void *left, const void *right)
{
    const struct store_actor *a = ((const struct due *)left)->actor;
    const struct store_actor *b = ((const struct due *)right)->actor;
    if (a->deadline_ms != b->deadline_ms) {
        return a->deadline_ms < b->deadline_ms ? -1 : 1;
    }
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return slice_compare(a->key, b->key);
}

/* All that is due, unsorted, in the arena. */
static struct due *
collect_due(const struct memory_store *self, int64_t now_ms, struct arena *arena, size_t *count)
{
    size_t all = 0;
    for (size_t kind = 0; kind < self->tables_count; kind++) {
        all += self->actors[kind].count;
    }
    struct due *due = ARENA_ARRAY(arena, all, struct due);
    *count = 0;
    for (size_t kind = 0; kind < self->tables_count; kind++) {
        for (size_t i = 0; i < self->actors[kind].count; i++) {
            const struct store_actor *actor = &self->actors[kind].at[i].row->actor;
            if (actor->deadline_ms != 0 && actor->deadline_ms <= now_ms) {
                due[(*count)++].actor = actor;
            }
        }
    }
    return due;
}

static enum rc memory_due(struct store *store,
                          int64_t now_ms,
                          struct arena *arena,
                          struct store_actor *out,
                          size_t max,
                          size_t *count)
{
    size_t all = 0;
    struct due *due = collect_due(memory_of(store), now_ms, arena, &all);
    if (all > 1) {
        qsort(due, all, sizeof *due, compare_due);
    }
    *count = all < max ? all : max;
    for (size_t i = 0; i < *count; i++) {
        out[i] = store_actor_copy(arena, due[i].actor);
    }
    return RC_OK;
}

static enum rc memory_next_deadline(struct store *store, int64_t after_ms, int64_t *deadline_ms)
{
    const struct memory_store *self = memory_of(store);
    *deadline_ms = 0;
    for (size_t kind = 0; kind < self->tables_count; kind++) {
        for (size_t i = 0; i < self->actors[kind].count; i++) {
            const int64_t at = self->actors[kind].at[i].row->actor.deadline_ms;
            if (at != 0 && at > after_ms && (*deadline_ms == 0 || at < *deadline_ms)) {
                *deadline_ms = at;
            }
        }
    }
    return RC_OK;
}

static enum rc memory_lane_heads(struct store *store,
                                 struct slice after,
                                 struct arena *arena,
                                 struct outbox_call *out,
                                 size_t max,
                                 size_t *count)
{
    const struct rows *rows = &memory_of(store)->calls;
    size_t i = rows_after(rows, after);
    *count = 0;
    while (*count < max && i < rows->count) {
        out[(*count)++] = outbox_call_copy(arena, &rows->at[i].row->call);
        i = rows_after(rows, rows->at[i].row->key.a);
    }
    return RC_OK;
}

static enum rc memory_lane_head(struct store *store,
                                struct slice lane,
                                struct arena *arena,
                                struct outbox_call *out)
{
    const struct rows *rows = &memory_of(store)->calls;
    const size_t i = rows_from(rows, &(struct row_key){.a = lane, .place = INT64_MIN});
    if (i == rows->count || !slice_equal(rows->at[i].row->key.a, lane)) {
        return RC_ABSENT;
    }
    *out = outbox_call_copy(arena, &rows->at[i].row->call);
    return RC_OK;
}

static enum rc memory_lane_find(struct store *store,
                                struct slice lane,
                                struct slice ref,
                                struct arena *arena,
                                int64_t *out,
                                size_t max,
                                size_t *count)
{
    (void)arena;
    const struct rows *rows = &memory_of(store)->calls;
    size_t i = rows_from(rows, &(struct row_key){.a = lane, .place = INT64_MIN});
    *count = 0;
    for (; *count < max && i < rows->count && slice_equal(rows->at[i].row->key.a, lane); i++) {
        const struct outbox_call *call = &rows->at[i].row->call;
        if (store_ref_matches(call->call.ref, ref)) {
            out[(*count)++] = call->id;
        }
    }
    return RC_OK;
}

static enum rc
memory_waiting(struct store *store, struct slice owner, enum call_auth auth, int64_t *calls)
{
    const struct rows *rows = &memory_of(store)->calls;
    *calls = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct call *call = &rows->at[i].row->call.call;
        *calls += call->auth == auth && slice_equal(call->owner, owner) ? 1 : 0;
    }
    return RC_OK;
}

static enum rc memory_all_waiting(struct store *store, int64_t *calls)
{
    const struct rows *rows = &memory_of(store)->calls;
    *calls = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const enum call_auth auth = rows->at[i].row->call.call.auth;
        *calls += auth == CALL_AUTH_OWNER || auth == CALL_AUTH_APPSERVICE ? 1 : 0;
    }
    return RC_OK;
}

struct slice store_memory_journal(struct store *store, struct arena *arena)
{
    return rows_join(&memory_of(store)->journal, arena);
}

void store_memory_keep_journal(struct store *store, size_t rows_max)
{
    memory_of(store)->journal_rows_max = rows_max;
}

static void memory_commit(struct store *store,
                          const struct store_batch *batch,
                          void (*done)(void *context, enum rc rc),
                          void *context)
{
    struct memory_store *self = memory_of(store);
    CHECK(!self->is_pending && self->batch == NULL);
    store_check_batch(batch, self->tables, self->tables_count);
    self->batch = batch;
    self->done = done;
    self->context = context;
    if (!self->is_held) {
        store_memory_finish(store);
    }
}

static bool memory_has_chores(struct store *store)
{
    const struct memory_store *self = memory_of(store);
    return self->chores > 0 && !self->is_pending && self->batch == NULL;
}

void store_memory_give_chores(struct store *store, int count)
{
    memory_of(store)->chores = count;
}

static enum rc memory_mark_clean(struct store *store)
{
    memory_of(store)->is_clean = true;
    return RC_OK;
}

static enum rc memory_take_clean_mark(struct store *store, bool *was_clean)
{
    *was_clean = memory_of(store)->is_clean;
    memory_of(store)->is_clean = false;
    return RC_OK;
}

static void memory_abandon(struct store *store)
{
    struct memory_store *self = memory_of(store);
    self->batch = NULL;
    self->is_pending = false;
}

static const struct store_methods memory_methods = {
    .close = memory_close,
    .next_turn = memory_next_turn,
    .last_ms = memory_last_ms,
    .load = memory_load,
    .find = memory_find,
    .list = memory_list,
    .related = memory_related,
    .related_by_value = memory_related_by_value,
    .relations = memory_relations,
    .seen = memory_seen,
    .due = memory_due,
    .next_deadline = memory_next_deadline,
    .lane_heads = memory_lane_heads,
    .lane_head = memory_lane_head,
    .lane_find = memory_lane_find,
    .waiting = memory_waiting,
    .all_waiting = memory_all_waiting,
    .has_chores = memory_has_chores,
    .commit = memory_commit,
    .mark_clean = memory_mark_clean,
    .take_clean_mark = memory_take_clean_mark,
    .abandon = memory_abandon,
};

struct store *store_memory_open(const struct store_table *tables, size_t tables_count)
{
    struct memory_store *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    self->store.methods = &memory_methods;
    self->tables = tables;
    self->tables_count = tables_count;
    self->next_turn = 1;
    self->actors = calloc(tables_count, sizeof *self->actors);
    CHECK(self->actors != NULL);
    return &self->store;
}

struct store *store_memory_copy(struct store *store)
{
    const struct memory_store *self = memory_of(store);
    struct memory_store *copy = memory_of(store_memory_open(self->tables, self->tables_count));
    copy->next_turn = self->next_turn;
    copy->last_ms = self->last_ms;
    for (size_t kind = 0; kind < self->tables_count; kind++) {
        rows_copy(&copy->actors[kind], &self->actors[kind]);
    }
    for (size_t i = 0; i < RELATIONS_COUNT; i++) {
        rows_copy(&copy->relations[i], &self->relations[i]);
    }
    rows_copy(&copy->seen, &self->seen);
    rows_copy(&copy->calls, &self->calls);
    rows_copy(&copy->journal, &self->journal);
    return &copy->store;
}

bool store_memory_is_pending(const struct store *store)
{
    CHECK(store->methods == &memory_methods);
    return ((const struct memory_store *)store)->is_pending;
}

void store_memory_poll(struct store *store)
{
    struct memory_store *self = memory_of(store);
    if (self->is_pending) {
        /* cleared first: `done` may begin the next commit */
        self->is_pending = false;
        self->done(self->context, self->rc);
    }
}

void store_memory_fail_next(struct store *store, enum rc rc)
{
    memory_of(store)->fail_next = rc;
}

void store_memory_hold(struct store *store, bool is_held)
{
    memory_of(store)->is_held = is_held;
}

void store_memory_finish(struct store *store)
{
    struct memory_store *self = memory_of(store);
    if (self->batch == NULL) {
        return;
    }
    self->rc = self->fail_next;
    self->fail_next = RC_OK;
    if (self->rc == RC_OK) {
        memory_apply(self, self->batch);
    }
    self->batch = NULL;
    self->is_pending = true;
}

void store_memory_crash(struct store *store)
{
    memory_abandon(store);
    memory_of(store)->fail_next = RC_OK;
}

void store_memory_lose_secrets(struct store *store)
{
    struct memory_store *self = memory_of(store);
    for (size_t kind = 0; kind < self->tables_count; kind++) {
        for (size_t i = 0; i < self->actors[kind].count; i++) {
            struct store_actor *actor = &self->actors[kind].at[i].row->actor;
            if (actor->secrets.len > 0) {
                actor->secrets = SLICE_EMPTY;
                actor->secrets_are_lost = true;
            }
        }
    }
}
