#include "runtime/daemon/tables.h"

#include "actors/machine.h"
#include "runtime/base/check.h"

/* Filled once from tables that never change; the daemon is the one folder that may keep such a
 * thing. */
static struct store_table tables[ACTOR_KINDS];
static const char *columns[ACTOR_KINDS][STORE_COLUMNS_MAX];
static const char *names[MSG_KINDS];

static void fill_table(int kind)
{
    const struct fsm *fsm = machines[kind];
    size_t count = 0;
    for (size_t i = 0; i < fsm->record->fields_count; i++) {
        if (fsm->record->fields[i].is_column) {
            CHECK(count < STORE_COLUMNS_MAX);
            columns[kind][count++] = fsm->record->fields[i].name;
        }
    }
    tables[kind] =
        (struct store_table){.name = fsm->table, .columns = columns[kind], .columns_count = count};
}

const struct store_table *store_tables(void)
{
    for (int kind = 0; kind < ACTOR_KINDS; kind++) {
        fill_table(kind);
    }
    return tables;
}

const char *const *message_names(void)
{
    for (int kind = 0; kind < MSG_KINDS; kind++) {
        names[kind] = message_types[kind].name;
    }
    return names;
}
