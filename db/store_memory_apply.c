/* What a batch does to the store in memory. */
#include "db/store_memory_parts.h"
#include "db/store_rules.h"
#include "runtime/base/check.h"

static const int64_t day_ms = 24 * INT64_C(3600) * 1000;
static const int64_t seen_ms_max = STORE_SEEN_DAYS * 24 * INT64_C(3600) * 1000;

static void apply_actor(struct memory_store *self, const struct store_actor *actor)
{
    struct rows *rows = &self->actors[actor->kind];
    const struct row_key key = {.a = actor->key};
    if (!actor->is_gone) {
        struct row row = {.key = key, .actor = *actor};
        row.actor.secrets_are_lost = false;
        rows_put(rows, &row);
    } else if (rows_get(rows, &key) != NULL) {
        rows_remove(rows, rows_from(rows, &key));
    }
}

/* By whole days, as the column of the other store counts them. */
static void prune_map(struct memory_store *self, int64_t now_ms)
{
    const int64_t first_day = now_ms / day_ms - STORE_MAP_DAYS;
    rows_prune(&self->relations[RELATION_MESSAGE_MAP], first_day * day_ms);
}

static void
apply_relation(struct memory_store *self, const struct store_relation *relation, int64_t now_ms)
{
    struct rows *rows = &self->relations[relation->relation];
    const struct row_key key = {.a = relation->left, .b = relation->right};
    if (!relation->is_gone) {
        const struct row *before = rows_get(rows, &key);
        const int64_t time_ms = before == NULL ? now_ms : before->time_ms;
        rows_put(rows, &(struct row){.key = key, .value = relation->value, .time_ms = time_ms});
        return;
    }
    const size_t i = rows_from(rows, &key);
    while (i < rows->count && slice_equal(rows->at[i].row->key.a, relation->left) &&
           (relation->right.len == 0 || slice_equal(rows->at[i].row->key.b, relation->right))) {
        rows_remove(rows, i);
    }
}

static void apply_seen(struct memory_store *self, const struct store_batch *batch)
{
    rows_prune(&self->seen, batch->now_ms - seen_ms_max);
    for (size_t i = 0; i < batch->seen_count; i++) {
        const struct row row = {.key = {.a = batch->seen[i]}, .time_ms = batch->now_ms};
        if (rows_get(&self->seen, &row.key) == NULL) {
            rows_put(&self->seen, &row);
        }
    }
}

static void apply_call(struct memory_store *self, const struct outbox_call *call)
{
    for (size_t i = 0; i < self->calls.count; i++) {
        CHECK(self->calls.at[i].row->call.id != call->id);
    }
    const struct row_key key = {.a = call->call.lane, .place = call->place, .id = call->id};
    rows_put(&self->calls, &(struct row){.key = key, .call = *call});
}

static void apply_end(struct memory_store *self, int64_t id)
{
    for (size_t i = 0; i < self->calls.count; i++) {
        if (self->calls.at[i].row->call.id == id) {
            rows_remove(&self->calls, i);
            return;
        }
    }
}

static void apply_journal(struct memory_store *self, const struct store_batch *batch)
{
    struct rows *rows = &self->journal;
    if (batch->journal.len == 0) {
        return;
    }
    rows_put(rows, &(struct row){.key = {.id = batch->journal_turn}, .value = batch->journal});
    while (self->journal_rows_max > 0 && rows->count > self->journal_rows_max) {
        rows_remove(rows, 0);
    }
}

void memory_apply(struct memory_store *self, const struct store_batch *batch)
{
    self->next_turn = batch->next_turn;
    if (batch->now_ms - self->last_ms >= STORE_LAST_MS_STEP) {
        self->last_ms = batch->now_ms;
    }
    self->chores -= self->chores > 0 ? 1 : 0;
    for (size_t i = 0; i < batch->actors_count; i++) {
        apply_actor(self, &batch->actors[i]);
    }
    if (batch->relations_count > 0) {
        prune_map(self, batch->now_ms);
    }
    for (size_t i = 0; i < batch->relations_count; i++) {
        apply_relation(self, &batch->relations[i], batch->now_ms);
    }
    apply_seen(self, batch);
    for (size_t i = 0; i < batch->calls_count; i++) {
        apply_call(self, &batch->calls[i]);
    }
    for (size_t i = 0; i < batch->ended_count; i++) {
        apply_end(self, batch->ended[i]);
    }
    apply_journal(self, batch);
}
