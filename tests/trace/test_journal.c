/* What the journal has, and what it must not have. world_close replays it in every other test. */
#include "codecs/journal.h"
#include "tests/trace/flow.h"

static struct world world;

static void set_up(void)
{
    world_open(&world);
}

static void tear_down(void)
{
    world_close(&world);
}

static int64_t first_turn(void)
{
    struct slice rest = store_memory_journal(world.store, world.arena);
    struct journal_entry entry;
    struct journal_turn turn = {0};
    size_t len = 0;
    while (turn.number == 0) {
        ck_assert_int_eq(journal_entry_read(rest, &entry, &len), RC_OK);
        rest = slice_from(rest, len);
        ck_assert(entry.kind != JOURNAL_TURN || journal_turn_read(&entry, &turn) == RC_OK);
    }
    return turn.number;
}

START_TEST(log_that_begins_in_mid_life_replays)
{
    store_memory_keep_journal(world.store, (size_t)_i);
    size_t turns = 0;
    flow_bridge(&world);
    for (int i = 0; i < 4; i++) {
        (void)world_says(&world, "r1", "bob", "hello");
        world_settle(&world);
        (void)world_text(&world, "!1:hs", "@alice:hs", "hi");
        world_settle(&world);
        turns += world_replay(&world);
    }
    ck_assert_uint_gt(turns, 0);
    ck_assert_int_gt(first_turn(), 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *tcase = tcase_create("journal");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, log_that_begins_in_mid_life_replays, 12, 27);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
