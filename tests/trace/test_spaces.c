/* The space of a user's bridged rooms, where it is configured. */
#include "actors/room/room.h"
#include "actors/space/space.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

static struct world world;

static void setup(void)
{
    world_open(&world);
    world.settings.makes_spaces = true;
    world.peers.rooms = flow_rooms;
    flow_login(&world);
}

static void teardown(void)
{
    world_close(&world);
}

START_TEST(first_room_makes_a_space_and_others_join_it)
{
    flow_command(&world, "invite acme/ops");
    ck_assert(world_said(&world, "create \"acme/ops (Gitter)\" as !made1\n"));
    ck_assert(world_said(&world, "create \"Gitter\" as !made2\n"));
    ck_assert(world_said(&world, "!made2 invite @alice:hs\n"));
    flow_command(&world, "invite Beta/dev");
    flow_command(&world, "invite alpha/all");
    ck_assert_int_eq(world.peers.rooms_made, 4);
    world_assert_state(&world, ACTOR_SPACE, ALICE, "READY");
    ck_assert(world_said(&world, "!made2 m.space.child !made1 {\"via\":[\"hs\"]}\n"));
    ck_assert(world_said(&world, "!made2 m.space.child !made3 {\"via\":[\"hs\"]}\n"));
    ck_assert(world_said(&world, "!made2 m.space.child !made4 {\"via\":[\"hs\"]}\n"));
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(rooms_made_while_the_space_is_made_are_in_it)
{
    world.is_held[MSG_SPACE_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    flow_command(&world, "invite Beta/dev");
    world_forget(&world);
    world.is_held[MSG_SPACE_CREATE_ENDED] = false;
    world_settle(&world);
    ck_assert(world_said(&world, "!made3 m.space.child !made1 {\"via\":[\"hs\"]}\n"));
    ck_assert(world_said(&world, "!made3 m.space.child !made2 {\"via\":[\"hs\"]}\n"));
}
END_TEST

START_TEST(closed_room_leaves_the_space_and_the_last_closes_it)
{
    flow_command(&world, "invite acme/ops");
    flow_command(&world, "invite Beta/dev");
    world_forget(&world);
    flow_command(&world, "unbridge acme/ops");
    ck_assert(world_said(&world, "!made2 m.space.child !made1 {}\n"));
    ck_assert(!world_said(&world, "!made2 leave"));
    flow_command(&world, "unbridge Beta/dev");
    ck_assert(world_said(&world, "!made2 kick @alice:hs\n!made2 leave @bot:hs\n"));
    world_assert_state(&world, ACTOR_SPACE, ALICE, "-");
    flow_command(&world, "invite acme/ops");
    ck_assert(world_said(&world, "create \"Gitter\" as !made5\n"));
}
END_TEST

START_TEST(user_who_leaves_the_space_is_let_be)
{
    flow_command(&world, "invite acme/ops");
    world_member(&world, "!made2", ALICE, ALICE, "join>leave");
    world_settle(&world);
    ck_assert(world_said(&world, "!made2 leave @bot:hs\n"));
    world_assert_state(&world, ACTOR_SPACE, ALICE, "DECLINED");
    flow_command(&world, "invite Beta/dev");
    ck_assert_int_eq(world.peers.rooms_made, 3);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "INVITED");
}
END_TEST

START_TEST(space_that_is_gone_is_made_again_with_the_next_room)
{
    flow_command(&world, "invite acme/ops");
    world.is_held[MSG_SPACE_CHILD_ENDED] = true;
    flow_command(&world, "invite Beta/dev");
    world_end(&world, MSG_SPACE_CHILD_ENDED, CALL_END_FAILED, 403, "{}");
    world.is_held[MSG_SPACE_CHILD_ENDED] = false;
    world_settle(&world);
    world_forget(&world);
    flow_command(&world, "invite alpha/all");
    ck_assert(world_said(&world, "create \"Gitter\" as !made5\n"));
    ck_assert(world_said(&world, "!made5 m.space.child !made1 {\"via\":[\"hs\"]}\n"));
}
END_TEST

START_TEST(space_that_cannot_be_made_keeps_nobody_from_anything)
{
    world.is_held[MSG_SPACE_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_end(&world, MSG_SPACE_CREATE_ENDED, CALL_END_FAILED, 403, "{}");
    world_settle(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "INVITED");
    world_assert_state(&world, ACTOR_SPACE, ALICE, "-");
}
END_TEST

START_TEST(room_that_ends_before_its_space_is_there_leaves_none)
{
    world.is_held[MSG_SPACE_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    flow_command(&world, "unbridge acme/ops");
    world_forget(&world);
    world.is_held[MSG_SPACE_CREATE_ENDED] = false;
    world_settle(&world);
    ck_assert(world_said(&world, "!made2 leave @bot:hs\n"));
    world_assert_state(&world, ACTOR_SPACE, ALICE, "-");
}
END_TEST

START_TEST(without_the_key_there_is_none)
{
    world.settings.makes_spaces = false;
    world.has_other_settings = true;
    flow_command(&world, "invite acme/ops");
    ck_assert_int_eq(world.peers.rooms_made, 1);
    world_assert_state(&world, ACTOR_SPACE, ALICE, "-");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("spaces");
    TCase *tests = tcase_create("spaces");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, first_room_makes_a_space_and_others_join_it);
    tcase_add_test(tests, rooms_made_while_the_space_is_made_are_in_it);
    tcase_add_test(tests, closed_room_leaves_the_space_and_the_last_closes_it);
    tcase_add_test(tests, user_who_leaves_the_space_is_let_be);
    tcase_add_test(tests, space_that_is_gone_is_made_again_with_the_next_room);
    tcase_add_test(tests, space_that_cannot_be_made_keeps_nobody_from_anything);
    tcase_add_test(tests, room_that_ends_before_its_space_is_there_leaves_none);
    tcase_add_test(tests, without_the_key_there_is_none);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
