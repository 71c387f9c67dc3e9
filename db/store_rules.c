#include "db/store_rules.h"

#include "runtime/base/check.h"
#include "runtime/base/limits.h"

_Static_assert(STORE_PRUNED_MAX > BATCH_TURNS_MAX, "pruning keeps up: a turn has one event");

static void
check_actor(const struct store_actor *actor, const struct store_table *tables, size_t tables_count)
{
    CHECK(actor->kind >= 0 && (size_t)actor->kind < tables_count);
    CHECK(actor->key.len > 0);
    for (size_t i = tables[actor->kind].columns_count; i < STORE_COLUMNS_MAX; i++) {
        CHECK(actor->columns[i].len == 0);
    }
}

void store_check_batch(const struct store_batch *batch,
                       const struct store_table *tables,
                       size_t tables_count)
{
    for (size_t i = 0; i < batch->actors_count; i++) {
        check_actor(&batch->actors[i], tables, tables_count);
    }
    for (size_t i = 0; i < batch->relations_count; i++) {
        CHECK(batch->relations[i].left.len > 0);
        CHECK(batch->relations[i].right.len > 0 || batch->relations[i].is_gone);
    }
    for (size_t i = 0; i < batch->seen_count; i++) {
        CHECK(batch->seen[i].len > 0);
    }
    for (size_t i = 0; i < batch->calls_count; i++) {
        const struct outbox_call *call = &batch->calls[i];
        CHECK(call->actor_kind >= 0 && (size_t)call->actor_kind < tables_count);
        CHECK(call->id > 0);
        CHECK(call->call.lane.len > 0);
    }
}
