/* What becomes too old leaves the store, wherever it is in its table. */
#include "tests/unit/store_fixture.h"

#include <check.h>

enum {
    OLD_ROWS = 6000,
    COMMIT_ROWS = 50,
    /* half of the old ones, and what was owed when the process ended */
    COMMITS = OLD_ROWS / 2 / COMMIT_ROWS + 5,
    COMMITS_OF_A_RUN = 10,
    ROOMS = 5,
    ROOMS_AT_LAST = 2,
    /* each row of a small table has been looked at */
    MANY = 100
};

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

static struct fixture fixture;

static void see(int64_t now_ms, const char *prefix, size_t count)
{
    struct slice *events = ARENA_ARRAY(fixture.arena, count, struct slice);
    for (size_t i = 0; i < count; i++) {
        events[i] = arena_printf(fixture.arena, "$%s%zu", prefix, i);
    }
    const struct store_batch batch = {.now_ms = now_ms, .seen = events, .seen_count = count};
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
}

STORE_TEST(store_seen_event_is_forgotten_after_thirty_days)
{
    see(10 * day_ms, "old", 1);
    see(40 * day_ms, "young", MANY);
    ck_rc_eq(is->seen(store, SLICE("$old0")), RC_OK);
    see(40 * day_ms + 1, "new", MANY);
    ck_rc_eq(is->seen(store, SLICE("$old0")), RC_ABSENT);
    ck_rc_eq(is->seen(store, SLICE("$young0")), RC_OK);
    ck_rc_eq(is->seen(store, SLICE("$new0")), RC_OK);
}

static void map(int64_t now_ms, const char *prefix, struct slice value, size_t count)
{
    struct store_relation *relations = ARENA_ARRAY(fixture.arena, count, struct store_relation);
    for (size_t i = 0; i < count; i++) {
        relations[i] =
            (struct store_relation){.relation = RELATION_MESSAGE_MAP,
                                    .left = SLICE("!r"),
                                    .right = arena_printf(fixture.arena, "%s%zu", prefix, i),
                                    .value = value};
    }
    const struct store_batch batch = {
        .now_ms = now_ms, .relations = relations, .relations_count = count};
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
}

STORE_TEST(store_message_is_forgotten_after_sixty_days)
{
    const enum relation relation = RELATION_MESSAGE_MAP;
    const struct slice room = SLICE("!r");
    struct slice value;
    map(10 * day_ms, "old", SLICE("$a"), 1);
    map(69 * day_ms, "old", SLICE("$b"), 1); /* a change makes it no younger */
    map(71 * day_ms - 1, "young", SLICE("$c"), MANY);
    ck_rc_eq(is->related(store, relation, room, SLICE("old0"), fixture.arena, &value), RC_OK);
    ck_slice_eq(value, SLICE("$b"));
    map(71 * day_ms, "new", SLICE("$d"), MANY);
    ck_rc_eq(is->related(store, relation, room, SLICE("old0"), fixture.arena, &value), RC_ABSENT);
    ck_rc_eq(is->related(store, relation, room, SLICE("young0"), fixture.arena, &value), RC_OK);
    ck_rc_eq(is->related(store, relation, room, SLICE("new0"), fixture.arena, &value), RC_OK);
}

static void set_up(void)
{
    fixture_init(&fixture, FIXTURE_SQLITE);
}

static void tear_down(void)
{
    fixture_clear(&fixture);
}

/* As many events as messages. The events of a day are spread over their table, the messages over
 * so many rooms, in each in the order of time. */
static void put_rows(int64_t day, size_t first, size_t count, size_t rooms)
{
    struct arena *arena = fixture.arena;
    struct slice *events = ARENA_ARRAY(arena, count, struct slice);
    struct store_relation *messages = ARENA_ARRAY(arena, count, struct store_relation);
    for (size_t i = 0; i < count; i++) {
        const size_t number = first + i;
        events[i] = arena_printf(arena, "$%zu %lld %zu", number % 100, (long long)day, number);
        messages[i] = (struct store_relation){
            .relation = RELATION_MESSAGE_MAP,
            .left = arena_printf(arena, "!%zu", number % rooms),
            .right = arena_printf(arena, "%lld %06zu", (long long)day, number),
            .value = events[i]};
    }
    const struct store_batch batch = {.now_ms = day * day_ms,
                                      .seen = events,
                                      .seen_count = count,
                                      .relations = messages,
                                      .relations_count = count};
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
}

static void check_counts(const char *day, int64_t expected)
{
    struct arena *arena = fixture.arena;
    const struct slice events =
        arena_printf(arena, "SELECT count(*) FROM seen_events WHERE event_id LIKE '%% %s %%'", day);
    const struct slice messages =
        arena_printf(arena, "SELECT count(*) FROM message_map WHERE gitter_id LIKE '%s %%'", day);
    ck_assert_int_eq(fixture_ask(&fixture, events.ptr), expected);
    ck_assert_int_eq(fixture_ask(&fixture, messages.ptr), expected);
}

/* Also those of rooms in which nobody speaks any more, and when no process lives long. */
START_TEST(prune_reaches_every_old_row_and_no_young_one)
{
    put_rows(10, 0, OLD_ROWS, ROOMS);
    put_rows(41, 0, COMMIT_ROWS, ROOMS);
    for (size_t i = 0; i < COMMITS; i++) {
        put_rows(71, i * COMMIT_ROWS, COMMIT_ROWS, ROOMS_AT_LAST);
        if (i % COMMITS_OF_A_RUN == 0) {
            fixture_reopen(&fixture, false);
        }
    }
    check_counts("10", 0);
    check_counts("41", COMMIT_ROWS);
    check_counts("71", COMMITS * COMMIT_ROWS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_prune");
    TCase *both = tcase_create("both");
    tcase_add_loop_test(both, store_seen_event_is_forgotten_after_thirty_days, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_message_is_forgotten_after_sixty_days, 0, FIXTURE_KINDS);
    suite_add_tcase(suite, both);
    TCase *tcase = tcase_create("sqlite");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, prune_reaches_every_old_row_and_no_young_one);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
