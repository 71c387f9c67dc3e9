/* Every machine: no hole, no row that cannot be reached, nothing out of bounds. */
#include "actors/machine.h"
#include "runtime/base/buf.h"
#include "tests/unit/slice_check.h"

#include <check.h>

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_open(16 * 1024);
}

static void close_arena(void)
{
    arena_close(arena);
}

START_TEST(machine_has_neither_hole_nor_dead_row)
{
    struct buf out;
    buf_init(&out, arena);
    const size_t complaints = fsm_examine(machines[_i], message_types, MSG_KINDS, &out);
    ck_assert_msg(complaints == 0, "%.*s", SLICE_ARGS(buf_slice(&out)));
}
END_TEST

/* Where actors may stay for good: a ghost is ready for ever, and a crowded room is remembered. */
static bool is_resting_place(const struct fsm *fsm, size_t state)
{
    const struct slice name = slice_from_cstr(fsm->states[state]);
    return (fsm->kind == ACTOR_GHOST && slice_equal(name, SLICE("READY"))) ||
           (fsm->kind == ACTOR_CHAT && slice_equal(name, SLICE("LEFT")));
}

/* Any other state that cannot be left by any message would keep an actor for ever. */
START_TEST(machine_can_leave_each_state)
{
    const struct fsm *fsm = machines[_i];
    for (size_t state = 0; state < fsm->states_count; state++) {
        bool has_way_out = (int)state == fsm->last;
        for (size_t i = 0; i < fsm->rows_count; i++) {
            const struct fsm_row *row = &fsm->rows[i];
            has_way_out = has_way_out || ((row->from == FSM_ANY || row->from == (int)state) &&
                                          row->to != FSM_SAME && row->to != (int)state);
        }
        ck_assert_msg(has_way_out || is_resting_place(fsm, state), "%s stays in %s", fsm->name,
                      fsm->states[state]);
    }
}
END_TEST

START_TEST(machine_knows_its_kind_and_its_states_by_name)
{
    const struct fsm *fsm = machines[_i];
    ck_assert_int_eq(fsm->kind, _i);
    for (size_t state = 0; state < fsm->states_count; state++) {
        ck_assert_int_eq(fsm_state_by_name(fsm, slice_from_cstr(fsm->states[state])), (int)state);
    }
}
END_TEST

START_TEST(message_is_found_by_its_name)
{
    for (int kind = 0; kind < MSG_KINDS; kind++) {
        ck_assert_int_eq(message_by_name(slice_from_cstr(message_types[kind].name)), kind);
    }
    ck_assert_int_eq(message_by_name(SLICE("NO_SUCH_MESSAGE")), -1);
}
END_TEST

/* The examination itself finds what it is there for. */
static const char *const toy_states[] = {"A", "B"};

static bool toy_guard(const void *state, const struct msg *msg)
{
    (void)state;
    (void)msg;
    return true;
}

static size_t complaints_about(const struct fsm_row *rows, size_t count)
{
    const struct fsm toy = {
        .kind = ACTOR_GHOST,
        .name = "toy",
        .states = toy_states,
        .states_count = 2,
        .last = FSM_STATE_NONE,
        .rows = rows,
        .rows_count = count,
        .record = machines[ACTOR_GHOST]->record,
    };
    const struct msg_type message = {"PING", ACTOR_GHOST, message_types[0].record};
    struct buf out;
    buf_init(&out, arena);
    return fsm_examine(&toy, &message, 1, &out);
}

START_TEST(examination_finds_holes_dead_rows_and_open_guards)
{
    const struct fsm_row whole[] = {{0, 0, NULL, 1, NULL, "", ""}, {1, 0, NULL, 0, NULL, "", ""}};
    const struct fsm_row hole[] = {{0, 0, NULL, 1, NULL, "", ""}};
    const struct fsm_row dead[] = {{FSM_ANY, 0, NULL, 1, NULL, "", ""},
                                   {1, 0, toy_guard, 0, NULL, "", ""}};
    const struct fsm_row open[] = {{0, 0, toy_guard, 1, NULL, "", ""},
                                   {1, 0, NULL, 0, NULL, "", ""}};
    const struct fsm_row unreached[] = {{FSM_ANY, 0, NULL, 0, NULL, "", ""}};
    ck_assert_uint_eq(complaints_about(whole, 2), 0);
    ck_assert_uint_eq(complaints_about(hole, 1), 1);
    ck_assert_uint_eq(complaints_about(dead, 2), 1);
    ck_assert_uint_eq(complaints_about(open, 2), 1);
    ck_assert_uint_eq(complaints_about(unreached, 1), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("machines");
    TCase *tests = tcase_create("machines");
    tcase_add_checked_fixture(tests, open_arena, close_arena);
    tcase_add_loop_test(tests, machine_has_neither_hole_nor_dead_row, 0, ACTOR_KINDS);
    tcase_add_loop_test(tests, machine_can_leave_each_state, 0, ACTOR_KINDS);
    tcase_add_loop_test(tests, machine_knows_its_kind_and_its_states_by_name, 0, ACTOR_KINDS);
    tcase_add_test(tests, message_is_found_by_its_name);
    tcase_add_test(tests, examination_finds_holes_dead_rows_and_open_guards);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
