/* A room is bridged again while posts to Gitter are under way: those of a room that was left are no
 * concern of the new one, those of a room that was replaced go on in it. */
#include "actors/room/room.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

static struct world world;

static void setup(void)
{
    world_open(&world);
    flow_bridge(&world);
}

static void teardown(void)
{
    world_close(&world);
}

/* The head of that purpose is under way: it is not cancelled any more. */
static void begin(int purpose)
{
    const struct outbox_call head = world_head(&world, purpose);
    world.suspects[world.suspects_count++] = head.id;
    world.is_held[purpose] = true;
}

static void invite_again(void)
{
    world_text(&world, CHAT, ALICE, "invite acme/ops");
    world_settle(&world);
    world_member(&world, "!made2", ALICE, ALICE, "invite>join");
    world_settle(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}

static void leave(void)
{
    world_member(&world, "!made1", ALICE, ALICE, "join>leave");
    world_settle(&world);
}

static void free_calls(void)
{
    world.is_held[MSG_ROOM_POST_ENDED] = false;
    world.is_held[MSG_ROOM_LOOK_ENDED] = false;
    world.is_held[MSG_ROOM_CREATE_ENDED] = false;
    world_settle(&world);
    for (int i = 0; i < 4; i++) {
        world_wait(&world, 60 * 1000);
    }
}

/* Left by its owner */

START_TEST(lost_post_of_a_room_that_was_left_is_not_posted_again)
{
    world_text(&world, "!made1", ALICE, "mine");
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, "");
    world.is_held[MSG_ROOM_LOOK_ENDED] = true;
    world_wait(&world, 5000);
    begin(MSG_ROOM_LOOK_ENDED);
    leave();
    invite_again();
    world_says(&world, "r1", "ann", "mine"); /* so late it took effect */
    world_settle(&world);
    world_end(&world, MSG_ROOM_LOOK_ENDED, CALL_END_DONE, 200, "[]");
    free_calls();
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "mine"), 1);
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(end_of_a_post_of_a_room_that_was_left_is_not_counted)
{
    world_text(&world, "!made1", ALICE, "old");
    begin(MSG_ROOM_POST_ENDED);
    leave();
    invite_again();
    world_text(&world, "!made2", ALICE, "new");
    ck_assert_int_eq(flow_posts(&world), 1);
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, "");
    ck_assert_int_eq(flow_posts(&world), 1);
    world_says(&world, "r1", "ann", "new");
    free_calls();
    ck_assert_int_eq(flow_posts(&world), 0);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "old"), 0);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "new"), 2);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "new"), 1);
}
END_TEST

START_TEST(lost_post_is_not_found_among_what_was_posted_from_the_room_before)
{
    world.is_held[MSG_ROOM_POST_ENDED] = false;
    world_text(&world, "!made1", ALICE, "ok");
    world_settle(&world);
    leave();
    invite_again();
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    world_text(&world, "!made2", ALICE, "ok");
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, ""); /* nothing was done */
    free_calls();
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "ok"), 2);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "ok"), 0);
}
END_TEST

/* Replaced by another Matrix room */

static void replace_while_posting(void)
{
    world_text(&world, "!made1", ALICE, "mine");
    world_text(&world, "!made1", ALICE, "next");
    begin(MSG_ROOM_POST_ENDED);
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_put_tombstone(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "CREATING");
}

static void expect_each_once(void)
{
    free_calls();
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "mine"), 1);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "next"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "mine"), 0);
    ck_assert_uint_eq(world_outbox(&world), 0);
    ck_assert_int_eq(flow_posts(&world), 0);
}

START_TEST(lost_post_of_a_replaced_room_is_looked_for_from_the_new_one)
{
    replace_while_posting();
    world_lose_answer(&world, MSG_ROOM_POST_ENDED);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "CREATING");
    expect_each_once();
}
END_TEST

START_TEST(look_that_ends_before_there_is_a_room_is_repeated)
{
    replace_while_posting();
    world_lose_answer(&world, MSG_ROOM_POST_ENDED);
    world_wait(&world, 5000);
    world_wait(&world, 5000);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "CREATING");
    expect_each_once();
}
END_TEST

START_TEST(post_of_a_replaced_room_that_never_arrived_is_posted_from_the_new_one)
{
    replace_while_posting();
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, "");
    expect_each_once();
}
END_TEST

START_TEST(post_that_arrives_before_there_is_a_room_does_not_come_back)
{
    replace_while_posting();
    world.suspects_count = 0;
    world_make(&world, MSG_ROOM_POST_ENDED);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "CREATING");
    expect_each_once();
}
END_TEST

START_TEST(post_that_fails_before_there_is_a_room_is_tried_again)
{
    replace_while_posting();
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_FAILED, 500, "");
    expect_each_once();
}
END_TEST

START_TEST(room_that_is_replaced_and_then_left_drops_its_posts)
{
    replace_while_posting();
    world.suspects_count = 0;
    world_text(&world, CHAT, ALICE, "gpart acme/ops");
    world_settle(&world);
    world.is_held[MSG_ROOM_POST_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "mine"), 0);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "next"), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("again");
    TCase *tests = tcase_create("again");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, lost_post_of_a_room_that_was_left_is_not_posted_again);
    tcase_add_test(tests, end_of_a_post_of_a_room_that_was_left_is_not_counted);
    tcase_add_test(tests, lost_post_is_not_found_among_what_was_posted_from_the_room_before);
    tcase_add_test(tests, lost_post_of_a_replaced_room_is_looked_for_from_the_new_one);
    tcase_add_test(tests, look_that_ends_before_there_is_a_room_is_repeated);
    tcase_add_test(tests, post_of_a_replaced_room_that_never_arrived_is_posted_from_the_new_one);
    tcase_add_test(tests, post_that_arrives_before_there_is_a_room_does_not_come_back);
    tcase_add_test(tests, post_that_fails_before_there_is_a_room_is_tried_again);
    tcase_add_test(tests, room_that_is_replaced_and_then_left_drops_its_posts);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
