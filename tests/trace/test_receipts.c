/* The bot's read receipt: it stands at the newest message that Gitter has. */
#include "actors/room/room.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

static struct world world;

static void setup(void)
{
    world_open(&world);
    flow_bridge(&world);
    world.is_held[MSG_ROOM_POST_ENDED] = true;
}

static void teardown(void)
{
    world_close(&world);
}

static struct slice say(const char *body)
{
    const struct slice id = arena_copy(world.arena, world_text(&world, "!made1", ALICE, body));
    world_settle(&world);
    return id;
}

static void deliver(void)
{
    world_make(&world, MSG_ROOM_POST_ENDED);
    world_settle(&world);
}

static void refuse(void)
{
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_FAILED, 403, "{}");
    world_settle(&world);
}

START_TEST(receipt_moves_when_gitter_has_the_message)
{
    const struct slice first = say("one");
    ck_assert_int_eq(world.peers.receipts, 0);
    deliver();
    ck_assert_int_eq(world.peers.receipts, 1);
    ck_slice_eq(world.peers.read_to, first);
    const struct slice second = say("two");
    deliver();
    ck_slice_eq(world.peers.read_to, second);
}
END_TEST

START_TEST(receipt_follows_each_of_several)
{
    const struct slice first = say("one");
    const struct slice last = say("two");
    deliver();
    ck_slice_eq(world.peers.read_to, first);
    deliver();
    ck_slice_eq(world.peers.read_to, last);
    ck_assert_int_eq(world.peers.receipts, 2);
}
END_TEST

START_TEST(what_failed_is_not_read)
{
    const struct slice first = say("one");
    say("two");
    deliver();
    refuse();
    ck_slice_eq(world.peers.read_to, first);
    say("three");
    refuse();
    ck_assert_int_eq(world.peers.receipts, 1);
}
END_TEST

START_TEST(what_nobody_sees_is_not_read)
{
    world.peers.is_shadow_banned = true;
    say("one");
    deliver();
    ck_assert_int_eq(world.peers.receipts, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("receipts");
    TCase *tests = tcase_create("receipts");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, receipt_moves_when_gitter_has_the_message);
    tcase_add_test(tests, receipt_follows_each_of_several);
    tcase_add_test(tests, what_failed_is_not_read);
    tcase_add_test(tests, what_nobody_sees_is_not_read);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
