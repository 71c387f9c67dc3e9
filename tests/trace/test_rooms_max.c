/* owner_rooms_max: how many rooms one user may have bridged. */
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

static struct world world;

#define FULL                                                                                       \
    "!chat @bot:hs m.notice: You may have 2 Gitter rooms here, and that is how many you have; "    \
    "`unbridge ROOM`"

static void setup(void)
{
    world_open(&world);
    world.settings.owner_rooms_max = 2;
    flow_bridge(&world); /* one of three */
}

static void teardown(void)
{
    world_close(&world);
}

static void command(const char *text)
{
    world_forget(&world);
    world_text(&world, CHAT, ALICE, text);
    world_settle(&world);
}

START_TEST(room_over_the_limit_is_refused_by_name)
{
    command("invite Beta/dev");
    ck_assert_int_eq(world.peers.rooms_made, 2);
    ck_assert(!world_said(&world, FULL));
    command("invite alpha/all");
    ck_assert(world_said(&world, FULL));
    ck_assert_int_eq(world.peers.rooms_made, 2);
}
END_TEST

START_TEST(room_that_is_bridged_already_is_not_over_the_limit)
{
    command("invite Beta/dev");
    command("invite acme/ops");
    ck_assert(world_said(&world, "You are already in the room acme/ops."));
}
END_TEST

START_TEST(invite_all_makes_as_many_as_there_may_be)
{
    command("invite all");
    ck_assert(world_said(&world, "I am inviting you to 1 of your Gitter rooms."));
    ck_assert(world_said(&world, FULL));
    ck_assert_int_eq(world.peers.rooms_made, 2);
    command("invite all");
    ck_assert(world_said(&world, FULL));
    ck_assert(!world_said(&world, "All your Gitter rooms are bridged already."));
    ck_assert_int_eq(world.peers.rooms_made, 2);
}
END_TEST

START_TEST(numbers_are_taken_until_the_limit_is_reached)
{
    command("list");
    command("invite 1 2 3");
    ck_assert_int_eq(world.peers.rooms_made, 2);
    ck_assert(world_said(&world, FULL));
}
END_TEST

START_TEST(room_that_is_closed_makes_place_for_another)
{
    command("invite Beta/dev");
    command("unbridge Beta/dev");
    command("invite alpha/all");
    ck_assert(!world_said(&world, FULL));
    ck_assert_int_eq(world.peers.rooms_made, 3);
}
END_TEST

START_TEST(other_users_have_their_own)
{
    command("invite Beta/dev");
    flow_chat(&world, "!other", "@carla:hs");
    world.peers.account = "ben";
    const struct slice state = arena_copy(world.arena, flow_state(&world));
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    world_text(&world, "!other", "@carla:hs", "invite acme/ops");
    world_settle(&world);
    ck_assert_int_eq(world.peers.rooms_made, 3);
}
END_TEST

START_TEST(login_invites_no_more_than_there_may_be)
{
    world_close(&world);
    world_open(&world);
    world.settings.owner_rooms_max = 2;
    world.settings.login_invites_max = 20;
    world.peers.rooms = flow_rooms;
    flow_chat(&world, CHAT, ALICE);
    const struct slice state = arena_copy(world.arena, flow_state(&world));
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    ck_assert_int_eq(world.peers.rooms_made, 2);
    ck_assert(world_said(&world, "I am inviting you to the 2 most recently used of your 3"));
}
END_TEST

START_TEST(without_a_limit_all_are_made)
{
    world_close(&world);
    world_open(&world);
    flow_bridge(&world);
    command("invite all");
    ck_assert_int_eq(world.peers.rooms_made, 3);
    command("invite all");
    ck_assert(world_said(&world, "All your Gitter rooms are bridged already."));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rooms_max");
    TCase *tests = tcase_create("rooms_max");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, room_over_the_limit_is_refused_by_name);
    tcase_add_test(tests, room_that_is_bridged_already_is_not_over_the_limit);
    tcase_add_test(tests, invite_all_makes_as_many_as_there_may_be);
    tcase_add_test(tests, numbers_are_taken_until_the_limit_is_reached);
    tcase_add_test(tests, room_that_is_closed_makes_place_for_another);
    tcase_add_test(tests, other_users_have_their_own);
    tcase_add_test(tests, login_invites_no_more_than_there_may_be);
    tcase_add_test(tests, without_a_limit_all_are_made);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
