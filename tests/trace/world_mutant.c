/* Machines with one row changed, to see whether a test misses what it did (tests/mutation/run).
 *
 * GITTERD_MUTANT="room 12 3" gives row 12 of the room's table the target 3, a number of a state.
 * The tables of the program itself stay as they are.
 */
#include "runtime/base/check.h"
#include "tests/trace/world_parts.h"

#include <stdlib.h>
#include <string.h>

static struct fsm mutant;
static struct fsm_row rows[FSM_ROWS_MAX];
static const struct fsm *changed[ACTOR_KINDS];

static int number(struct slice *text)
{
    int64_t value = 0;
    CHECK(slice_to_int(slice_cut(text, ' '), &value) == RC_OK);
    return (int)value;
}

static void change(const struct fsm *fsm, struct slice text)
{
    const int row = number(&text);
    const int target = number(&text);
    CHECK(row >= 0 && (size_t)row < fsm->rows_count);
    CHECK(target >= 0 && (size_t)target < fsm->states_count);
    memcpy(rows, fsm->rows, fsm->rows_count * sizeof rows[0]);
    rows[row].to = target;
    mutant = *fsm;
    mutant.rows = rows;
}

const struct fsm *const *world_machines(void)
{
    struct slice text = slice_from_cstr(getenv("GITTERD_MUTANT"));
    if (text.len == 0) {
        return machines;
    }
    const struct slice name = slice_cut(&text, ' ');
    bool is_found = false;
    for (int kind = 0; kind < ACTOR_KINDS; kind++) {
        const bool is_it = slice_equal(name, slice_from_cstr(machines[kind]->name));
        if (is_it) {
            change(machines[kind], text);
        }
        changed[kind] = is_it ? &mutant : machines[kind];
        is_found = is_found || is_it;
    }
    CHECK(is_found);
    return changed;
}
