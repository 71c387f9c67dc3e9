/* Tables of machines: looking a row up, and what is said against a table. */
#include "runtime/base/buf.h"
#include "runtime/fsm.h"
#include "tests/unit/slice_check.h"

static struct arena *arena;

enum {
    SHUT,
    OPEN,
    GONE
};

enum {
    PUSH,
    PULL,
    LOOK,
    MESSAGES
};

static const char *const states[] = {"SHUT", "OPEN", "GONE"};
static const struct record_type nothing_record = {.name = "nothing"};
static const struct msg_type messages[] = {
    {"PUSH", 0, &nothing_record}, {"PULL", 0, &nothing_record}, {"LOOK", 0, &nothing_record}};

static bool if_locked(const void *state, const struct msg *msg)
{
    (void)msg;
    return *(const bool *)state;
}

static void do_creak(void *next, const struct msg *msg, struct turn *turn)
{
    (void)next;
    (void)msg;
    (void)turn;
}

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        FROM, ON, GUARD, TO, ACTION, (GUARD) == NULL ? "always" : "locked",                        \
            (ACTION) == NULL ? "nothing" : "creak"                                                 \
    }

static const struct fsm_row good_rows[] = {
    ROW(SHUT, PUSH, if_locked, FSM_SAME, NULL),
    ROW(SHUT, PUSH, NULL, OPEN, do_creak),
    ROW(OPEN, PULL, NULL, SHUT, do_creak),
    ROW(FSM_ANY, LOOK, if_locked, GONE, NULL),
};
static const struct fsm_pairs good_ignored[] = {{PUSH, 1U << OPEN | 1U << GONE},
                                                {PULL, 1U << SHUT},
                                                {LOOK, 1U << SHUT | 1U << OPEN | 1U << GONE}};
static const struct fsm_pairs good_refused[] = {{PULL, 1U << GONE}};

static struct fsm door(const struct fsm_row *rows, size_t count)
{
    return (struct fsm){
        .name = "door",
        .table = "doors",
        .states = states,
        .states_count = 3,
        .first = SHUT,
        .last = GONE,
        .rows = rows,
        .rows_count = count,
        .ignored = good_ignored,
        .ignored_count = 3,
        .refused = good_refused,
        .refused_count = 1,
    };
}

static void setup(void)
{
    arena = arena_open(4096);
}

static void teardown(void)
{
    arena_close(arena);
}

static struct fsm good(void)
{
    return door(good_rows, sizeof good_rows / sizeof good_rows[0]);
}

static struct slice examine(const struct fsm *fsm, size_t *count)
{
    struct buf out;
    buf_init(&out, arena);
    *count = fsm_examine(fsm, messages, MESSAGES, &out);
    return buf_slice(&out);
}

static void expect_complaint(const struct fsm *fsm, const char *complaint)
{
    size_t count = 0;
    const struct slice said = examine(fsm, &count);
    ck_assert_uint_eq(count, 1);
    ck_slice_eq(said, slice_from_cstr(complaint));
}

START_TEST(first_row_whose_guard_agrees_is_taken)
{
    const struct fsm fsm = good();
    const struct msg push = {.kind = PUSH};
    enum fsm_verdict verdict = FSM_HOLE;
    bool is_locked = true;
    ck_assert_ptr_eq(fsm_find(&fsm, SHUT, &is_locked, &push, &verdict), &good_rows[0]);
    is_locked = false;
    ck_assert_ptr_eq(fsm_find(&fsm, SHUT, &is_locked, &push, &verdict), &good_rows[1]);
    ck_assert_int_eq(verdict, FSM_ROW);
}
END_TEST

START_TEST(row_for_any_state_is_taken_in_each)
{
    const struct fsm fsm = good();
    const struct msg look = {.kind = LOOK};
    enum fsm_verdict verdict = FSM_HOLE;
    const bool is_locked = true;
    for (int state = SHUT; state <= GONE; state++) {
        ck_assert_ptr_eq(fsm_find(&fsm, state, &is_locked, &look, &verdict), &good_rows[3]);
    }
}
END_TEST

START_TEST(pair_without_row_is_ignored_refused_or_a_hole)
{
    struct fsm fsm = good();
    const struct msg pull = {.kind = PULL};
    enum fsm_verdict verdict = FSM_ROW;
    const bool is_locked = false;
    ck_assert_ptr_null(fsm_find(&fsm, SHUT, &is_locked, &pull, &verdict));
    ck_assert_int_eq(verdict, FSM_IGNORED);
    ck_assert_ptr_null(fsm_find(&fsm, GONE, &is_locked, &pull, &verdict));
    ck_assert_int_eq(verdict, FSM_REFUSED);
    fsm.refused_count = 0;
    ck_assert_ptr_null(fsm_find(&fsm, GONE, &is_locked, &pull, &verdict));
    ck_assert_int_eq(verdict, FSM_HOLE);
}
END_TEST

START_TEST(good_table_has_nothing_said_against_it)
{
    const struct fsm fsm = good();
    size_t count = 1;
    ck_text_empty(examine(&fsm, &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(hole_is_found)
{
    struct fsm fsm = good();
    fsm.refused_count = 0;
    expect_complaint(&fsm, "door: PULL in GONE: a hole\n");
}
END_TEST

START_TEST(guards_with_nothing_behind_them_are_found)
{
    struct fsm_row rows[4];
    for (size_t i = 0; i < 4; i++) {
        rows[i] = good_rows[i];
    }
    rows[2].guard = if_locked;
    const struct fsm fsm = door(rows, 4);
    expect_complaint(&fsm, "door: PULL in OPEN: nothing behind the guards\n");
}
END_TEST

START_TEST(dead_row_is_found)
{
    const struct fsm_row rows[] = {good_rows[0], good_rows[1], good_rows[2], good_rows[3],
                                   ROW(SHUT, PUSH, if_locked, GONE, NULL)};
    const struct fsm fsm = door(rows, 5);
    expect_complaint(&fsm, "door: row 5, for PUSH, can never be reached\n");
}
END_TEST

START_TEST(pair_named_twice_is_found)
{
    struct fsm fsm = good();
    static const struct fsm_pairs refused[] = {{PULL, 1U << GONE | 1U << SHUT}};
    fsm.refused = refused;
    expect_complaint(&fsm, "door: PULL in SHUT: named twice\n");
}
END_TEST

START_TEST(state_without_a_way_in_is_found)
{
    const struct fsm_row rows[] = {good_rows[0], good_rows[1], good_rows[2]};
    const struct fsm fsm = door(rows, 3);
    expect_complaint(&fsm, "door: no way into GONE\n");
}
END_TEST

START_TEST(states_have_names_both_ways)
{
    const struct fsm fsm = good();
    ck_assert_str_eq(fsm_state_name(&fsm, OPEN), "OPEN");
    ck_assert_str_eq(fsm_state_name(&fsm, FSM_SAME), "(same)");
    ck_assert_int_eq(fsm_state_by_name(&fsm, SLICE("GONE")), GONE);
    ck_assert_int_eq(fsm_state_by_name(&fsm, SLICE("gone")), FSM_STATE_NONE);
    ck_assert_int_eq(fsm_state_by_name(&fsm, SLICE_EMPTY), FSM_STATE_NONE);
}
END_TEST

START_TEST(table_is_printed_as_it_is)
{
    const struct fsm fsm = good();
    struct buf out;
    buf_init(&out, arena);
    fsm_print(&fsm, messages, &out);
    ck_text_eq(buf_slice(&out), "door: begins SHUT, gone in GONE\n"
                                "  from   on    guard   to      action\n"
                                "  SHUT   PUSH  locked  (same)  -\n"
                                "  SHUT   PUSH  always  OPEN    creak\n"
                                "  OPEN   PULL  always  SHUT    creak\n"
                                "  (any)  LOOK  locked  GONE    -\n"
                                "  ignores PUSH in OPEN GONE\n"
                                "  ignores PULL in SHUT\n"
                                "  ignores LOOK in SHUT OPEN GONE\n"
                                "  refuses PULL in GONE\n");
}
END_TEST

START_TEST(diagram_has_each_state_and_each_row)
{
    const struct fsm fsm = good();
    struct buf out;
    buf_init(&out, arena);
    fsm_print_dot(&fsm, messages, &out);
    static const char *const parts[] = {"digraph",      "SHUT -> OPEN", "OPEN -> SHUT",
                                        "SHUT -> GONE", "OPEN -> GONE", "PUSH",
                                        "[locked]"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct slice dot = buf_slice(&out);
        ck_assert_msg(slice_find(dot, slice_from_cstr(parts[i])) < dot.len, "no %s in\n%.*s",
                      parts[i], SLICE_ARGS(dot));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("fsm");
    TCase *tests = tcase_create("fsm");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, first_row_whose_guard_agrees_is_taken);
    tcase_add_test(tests, row_for_any_state_is_taken_in_each);
    tcase_add_test(tests, pair_without_row_is_ignored_refused_or_a_hole);
    tcase_add_test(tests, good_table_has_nothing_said_against_it);
    tcase_add_test(tests, hole_is_found);
    tcase_add_test(tests, guards_with_nothing_behind_them_are_found);
    tcase_add_test(tests, dead_row_is_found);
    tcase_add_test(tests, pair_named_twice_is_found);
    tcase_add_test(tests, state_without_a_way_in_is_found);
    tcase_add_test(tests, states_have_names_both_ways);
    tcase_add_test(tests, table_is_printed_as_it_is);
    tcase_add_test(tests, diagram_has_each_state_and_each_row);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
