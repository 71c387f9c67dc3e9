/* What is counted in a database, beside the store that is writing it. */
#include "db/census.h"

#include "tests/unit/store_fixture.h"

static struct fixture fixture;

static void set_up(void)
{
    fixture_init(&fixture, FIXTURE_SQLITE);
}

static void tear_down(void)
{
    fixture_clear(&fixture);
}

static enum rc take(struct slice path, struct census *census, struct slice *error)
{
    return census_take(path, fixture_tables, TABLES_COUNT, fixture.arena, census, error);
}

static void put(int kind, const char *key, const char *state)
{
    ck_rc_eq(fixture_put(&fixture, (struct store_actor){.kind = kind,
                                                        .key = slice_from_cstr(key),
                                                        .state = slice_from_cstr(state)}),
             RC_OK);
}

START_TEST(actors_are_counted_by_state_most_first)
{
    struct census census;
    struct slice error = SLICE_EMPTY;
    put(ROOM, "a", "LEFT");
    put(ROOM, "b", "JOINED");
    put(ROOM, "c", "JOINED");
    put(USER, "@u:x", "AUTHED");
    ck_rc_eq(take(fixture.path, &census, &error), RC_OK);
    ck_assert_uint_eq(census.kinds_count, TABLES_COUNT);
    const struct census_kind *rooms = &census.kinds[ROOM];
    ck_slice_eq(rooms->table, SLICE("rooms"));
    ck_assert_int_eq(rooms->count, 3);
    ck_assert_uint_eq(rooms->states_count, 2);
    ck_slice_eq(rooms->states[0].state, SLICE("JOINED"));
    ck_assert_int_eq(rooms->states[0].count, 2);
    ck_assert_int_eq(rooms->states[1].count, 1);
    ck_assert_int_eq(census.kinds[CHAT].count, 0);
    ck_assert_int_eq(census.calls, 0);
}
END_TEST

START_TEST(calls_are_counted_by_lane_longest_first)
{
    struct census census;
    struct slice error = SLICE_EMPTY;
    for (int64_t id = 1; id <= CENSUS_LANES_MAX + 1; id++) {
        const char *lane = arena_printf(fixture.arena, "lane%02d", (int)id).ptr;
        ck_rc_eq(fixture_call(&fixture, fixture_make_call(id, id, lane, "")), RC_OK);
    }
    ck_rc_eq(fixture_call(&fixture, fixture_make_call(90, 90, "lane07", "")), RC_OK);
    ck_rc_eq(take(fixture.path, &census, &error), RC_OK);
    ck_assert_int_eq(census.calls, CENSUS_LANES_MAX + 2);
    ck_assert_int_eq(census.lanes_count, CENSUS_LANES_MAX + 1);
    ck_assert_uint_eq(census.lanes_shown, CENSUS_LANES_MAX);
    ck_slice_eq(census.lanes[0].lane, SLICE("lane07"));
    ck_assert_int_eq(census.lanes[0].calls, 2);
    ck_slice_eq(census.lanes[1].lane, SLICE("lane01"));
}
END_TEST

START_TEST(what_is_no_database_of_ours_is_said)
{
    struct census census;
    struct slice error = SLICE_EMPTY;
    ck_rc_eq(take(SLICE("/nonexistent/database"), &census, &error), RC_ABSENT);
    ck_slice_eq(error, SLICE("/nonexistent/database: No such file or directory"));
    ck_rc_eq(take(SLICE("tests/unit/test_census.c"), &census, &error), RC_CORRUPT);
    ck_assert(slice_starts_with(error, SLICE("tests/unit/test_census.c: ")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("census");
    TCase *tcase = tcase_create("census");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, actors_are_counted_by_state_most_first);
    tcase_add_test(tcase, calls_are_counted_by_lane_longest_first);
    tcase_add_test(tcase, what_is_no_database_of_ours_is_said);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
