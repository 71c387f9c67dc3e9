#include "db/store_rules.h"

#include "runtime/base/check.h"

static void
check_actor(const struct store_actor *actor, const struct store_table *tables, size_t tables_count)
{
    CHECK(actor->kind >= 0 && (size_t)actor->kind < tables_count);
    CHECK(actor->key.len > 0);
    for (size_t i = tables[actor->kind].columns_count; i < STORE_COLUMNS_MAX; i++) {
        CHECK(actor->columns[i].len == 0);
    }
}

static void check_relation(const struct store_relation *relation)
{
    CHECK(relation->left.len > 0);
    CHECK(relation->right.len > 0 || relation->is_gone);
}

static void check_call(const struct outbox_call *call, size_t tables_count)
{
    CHECK(call->actor_kind >= 0 && (size_t)call->actor_kind < tables_count);
    CHECK(call->id > 0);
    CHECK(call->call.lane.len > 0);
}

void store_check_batch(const struct store_batch *batch,
                       const struct store_table *tables,
                       size_t tables_count)
{
    for (size_t i = 0; i < batch->actors_count; i++) {
        check_actor(&batch->actors[i], tables, tables_count);
    }
    for (size_t i = 0; i < batch->relations_count; i++) {
        check_relation(&batch->relations[i]);
    }
    for (size_t i = 0; i < batch->seen_count; i++) {
        CHECK(batch->seen[i].len > 0);
    }
    for (size_t i = 0; i < batch->calls_count; i++) {
        check_call(&batch->calls[i], tables_count);
    }
}
