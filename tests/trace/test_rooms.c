/* Commands about rooms, and a bridged room from its making to its end. */
#include "actors/room/room.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

#include <string.h>

static struct world world;

static void setup(void)
{
    world_open(&world);
    world.peers.rooms = flow_rooms;
    flow_login(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static const char *room_state(void)
{
    return world_state(&world, ACTOR_ROOM, SLICE(ROOM_KEY));
}

static struct slice matrix_room(void)
{
    const struct room *room = world_peek(&world, ACTOR_ROOM, SLICE(ROOM_KEY));
    return room == NULL ? SLICE_EMPTY : room->matrix_room;
}

static void join(void)
{
    world_member(&world, "!made1", ALICE, ALICE, "invite>join");
    world_settle(&world);
}

/* Commands */

START_TEST(list_is_sorted_and_marks_what_is_bridged)
{
    flow_command(&world, "invite beta/DEV");
    flow_command(&world, "list");
    ck_text_eq(flow_last_event(&world)->body,
               "The rooms you are in on Gitter (* = also in your Matrix client):\n"
               "1. acme/ops\n"
               "2. alpha/all\n"
               "3. Beta/dev *");
}
END_TEST

START_TEST(list_of_no_rooms_says_so)
{
    world.peers.rooms = "[]";
    flow_command(&world, "LIST");
    world_expect(&world, "!chat @bot:hs m.notice: You are in no room on Gitter.\n");
}
END_TEST

START_TEST(list_that_fails_is_told)
{
    world.is_held[MSG_ERRAND_ROOMS_ENDED] = true;
    flow_command(&world, "list");
    world_end(&world, MSG_ERRAND_ROOMS_ENDED, CALL_END_FAILED, 500, "");
    world_settle(&world);
    flow_command(&world, "list");
    world_end(&world, MSG_ERRAND_ROOMS_ENDED, CALL_END_DONE, 200, "{\"rooms\":1}");
    world_settle(&world);
    world_expect(
        &world, "!chat @bot:hs m.notice: Sorry, that did not work: the server has trouble (status "
                "500).\n"
                "!chat @bot:hs m.notice: Sorry, that did not work: it was refused as malformed.\n");
}
END_TEST

START_TEST(invite_makes_the_room_and_invites_its_owner)
{
    flow_command(&world, "invite acme/ops");
    world_expect(&world, "gitter r1 read\n"
                         "create \"acme/ops (Gitter)\" as !made1\n"
                         "link @alice:hs subscribe r1\n"
                         "!chat @bot:hs m.notice: I am inviting you to acme/ops.\n"
                         "!made1 invite @alice:hs\n");
    ck_assert_str_eq(room_state(), "INVITED");
    join();
    ck_assert_str_eq(room_state(), "JOINED");
    world_expect(&world, "");
}
END_TEST

START_TEST(invite_again_while_invited_invites_again)
{
    flow_command(&world, "invite acme/ops");
    world_forget(&world);
    flow_command(&world, "invite /acme/ops");
    ck_assert(world_said(&world, "I am inviting you to acme/ops."));
    ck_assert(world_said(&world, "!made1 invite @alice:hs\n"));
    ck_assert_int_eq(world.peers.rooms_made, 1);
}
END_TEST

START_TEST(invite_to_a_joined_room_says_already)
{
    flow_command(&world, "invite acme/ops");
    join();
    world_forget(&world);
    flow_command(&world, "invite acme/ops");
    world_expect(&world, "!chat @bot:hs m.notice: You are already in the room acme/ops.\n");
}
END_TEST

START_TEST(invite_all_makes_the_missing_ones_only)
{
    flow_command(&world, "invite acme/ops");
    flow_command(&world, "invite all");
    ck_assert_int_eq(world.peers.rooms_made, 3);
    ck_assert(world_said(&world, "I am inviting you to 2 of your Gitter rooms."));
    world_forget(&world);
    flow_command(&world, "invite ALL");
    world_expect(&world, "!chat @bot:hs m.notice: All your Gitter rooms are bridged already.\n");
}
END_TEST

START_TEST(invite_without_or_with_unknown_room_is_answered)
{
    flow_command(&world, "invite");
    flow_command(&world, "invite nowhere/at all");
    flow_command(&world, "invite seen/only");
    ck_assert(world_said(&world, "Please say which room: `invite ROOM`"));
    ck_assert(world_said(&world, "There is no room or person called nowhere/at all on Gitter"));
    ck_assert(world_said(&world, "There is no room or person called seen/only on Gitter"));
    ck_assert_int_eq(world.peers.rooms_made, 0);
}
END_TEST

START_TEST(help_and_unknown_commands_are_answered)
{
    flow_command(&world, "help");
    flow_command(&world, "  HELP  me ");
    flow_command(&world, "frobnicate <b>");
    flow_command(&world, "   ");
    world_expect(&world,
                 "!chat @bot:hs m.notice: This bridge is controlled by private messages to me:\n"
                 "!chat @bot:hs m.notice: Sorry, I do not know the command `me`.\n"
                 "!chat @bot:hs m.notice: Sorry, I do not know the command `frobnicate`.\n"
                 "!chat @bot:hs m.notice: Sorry, I do not know the command ``.\n");
}
END_TEST

START_TEST(very_long_command_is_answered)
{
    char text[60000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    flow_command(&world, text);
    memcpy(text, "invite ", 7);
    flow_command(&world, text);
    ck_assert(world_said(&world, "Sorry, I do not know the command `xxxx"));
    ck_assert(world_said(&world, "There is no room or person called xxxx"));
}
END_TEST

/* Making the room */

START_TEST(echo_before_a_lost_answer_is_the_room)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_created(&world, "!made1", BOT, ROOM_KEY);
    world_lose_answer(&world, MSG_ROOM_CREATE_ENDED);
    world_settle(&world);
    ck_assert_str_eq(room_state(), "INVITED");
    ck_text_eq(matrix_room(), "!made1");
}
END_TEST

START_TEST(echo_behind_a_lost_answer_is_the_room)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_lose_answer(&world, MSG_ROOM_CREATE_ENDED);
    ck_assert_str_eq(room_state(), "CREATING");
    world_wait(&world, 29 * 1000);
    world_created(&world, "!made1", BOT, ROOM_KEY);
    world_settle(&world);
    ck_text_eq(matrix_room(), "!made1");
    world_wait(&world, 60 * 1000);
    ck_assert_int_eq(world.peers.rooms_made, 1);
}
END_TEST

START_TEST(marker_of_somebody_else_is_not_believed)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_created(&world, "!trap", "@eve:hs", ROOM_KEY);
    world_lose_answer(&world, MSG_ROOM_CREATE_ENDED);
    world_settle(&world);
    ck_assert_uint_eq(matrix_room().len, 0);
}
END_TEST

START_TEST(lost_answer_without_echo_makes_another_and_leaves_the_late_one)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_lose_answer(&world, MSG_ROOM_CREATE_ENDED);
    world.is_held[MSG_ROOM_CREATE_ENDED] = false;
    world_wait(&world, 30 * 1000);
    ck_text_eq(matrix_room(), "!made2");
    world_created(&world, "!made2", BOT, ROOM_KEY);
    world_forget(&world);
    world_created(&world, "!made1", BOT, ROOM_KEY);
    world_settle(&world);
    world_expect(&world, "!made1 leave @bot:hs\n"
                         "!made1 forget @bot:hs\n");
    ck_text_eq(matrix_room(), "!made2");
}
END_TEST

START_TEST(late_echo_during_the_second_attempt_is_left_as_well)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_lose_answer(&world, MSG_ROOM_CREATE_ENDED);
    world_wait(&world, 30 * 1000);
    world_created(&world, "!made1", BOT, ROOM_KEY);
    world_forget(&world);
    world.is_held[MSG_ROOM_CREATE_ENDED] = false;
    world_settle(&world);
    ck_text_eq(matrix_room(), "!made2");
    ck_assert(world_said(&world, "!made1 leave @bot:hs\n"));
    ck_assert(world_said(&world, "!made1 forget @bot:hs\n"));
}
END_TEST

START_TEST(five_lost_answers_give_up)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    for (int i = 0; i < 5; i++) {
        world_end(&world, MSG_ROOM_CREATE_ENDED, CALL_END_UNKNOWN, 0, "");
        world_wait(&world, 30 * 1000);
    }
    ck_assert(world_said(&world, "Sorry, I could not make a room for acme/ops: the server cannot "
                                 "be reached."));
    ck_assert_str_eq(room_state(), "-");
    ck_assert(!world_has_head(&world, MSG_ROOM_CREATE_ENDED));
}
END_TEST

START_TEST(refused_creation_is_told_and_may_be_asked_again)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_end(&world, MSG_ROOM_CREATE_ENDED, CALL_END_FAILED, 403, "{}");
    world_settle(&world);
    ck_assert(world_said(&world, "Sorry, I could not make a room for acme/ops: you may not do that "
                                 "there."));
    ck_assert_str_eq(room_state(), "-");
    world.is_held[MSG_ROOM_CREATE_ENDED] = false;
    flow_command(&world, "invite acme/ops");
    ck_assert_str_eq(room_state(), "INVITED");
}
END_TEST

START_TEST(creation_answered_without_a_room_waits_for_the_echo)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_end(&world, MSG_ROOM_CREATE_ENDED, CALL_END_DONE, 200, "{}");
    world_created(&world, "!made1", BOT, ROOM_KEY);
    ck_text_eq(matrix_room(), "!made1");
}
END_TEST

START_TEST(owner_who_cannot_be_invited_is_told)
{
    world.is_held[MSG_ROOM_INVITE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_end(&world, MSG_ROOM_INVITE_ENDED, CALL_END_FAILED, 403, "{}");
    world_settle(&world);
    ck_assert(world_said(&world, "Sorry, I could not invite you to the room for acme/ops"));
    ck_assert(world_said(&world, "!made1 leave @bot:hs\n"));
    ck_assert_str_eq(room_state(), "-");
}
END_TEST

START_TEST(owner_who_came_in_before_the_invite_was_repeated_stays)
{
    world.is_held[MSG_ROOM_INVITE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_end(&world, MSG_ROOM_INVITE_ENDED, CALL_END_FAILED, 403,
              "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"@alice:hs is already in the room.\"}");
    world_settle(&world);
    ck_assert_str_eq(room_state(), "INVITED");
    world_member(&world, "!made1", ALICE, ALICE, "invite>join");
    world_settle(&world);
    ck_assert_str_eq(room_state(), "JOINED");
}
END_TEST

START_TEST(logout_while_the_room_is_made_leaves_it)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    flow_command(&world, "logout");
    ck_assert_str_eq(room_state(), "LEAVING");
    world.is_held[MSG_ROOM_CREATE_ENDED] = false;
    world_settle(&world);
    world_wait(&world, 30 * 1000);
    ck_assert(world_said(&world, "!made1 leave @bot:hs\n"));
    ck_assert(!world_said(&world, "!made1 invite @alice:hs"));
    ck_assert_str_eq(room_state(), "-");
}
END_TEST

START_TEST(logout_while_the_room_is_made_and_was_seen_leaves_it)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_created(&world, "!made1", BOT, ROOM_KEY);
    flow_command(&world, "logout");
    world_lose_answer(&world, MSG_ROOM_CREATE_ENDED);
    world_settle(&world);
    world_wait(&world, 30 * 1000);
    ck_assert(world_said(&world, "!made1 leave @bot:hs\n"));
    ck_assert_str_eq(room_state(), "-");
}
END_TEST

START_TEST(first_snapshot_begins_the_room_and_keeps_a_record_that_came_first)
{
    peers_say(&world.peers, "r1", "bob", "long ago", world.now_ms - 1000 * 1000);
    world.is_hand_linked = true;
    flow_command(&world, "invite acme/ops");
    const struct slice snapshot = peers_page(&world.peers, SLICE("r1"), SLICE_EMPTY, 30);
    struct world_link *link = &world.links[0];
    link->channels[0] = SLICE("/api/v1/rooms/r1/chatMessages");
    link->channels_count = 1;
    world_says(&world, "r1", "bob", "just now");
    const struct msg_link_subscribed subscribed = {.owner = link->owner,
                                                   .session = link->session,
                                                   .channel = link->channels[0],
                                                   .snapshot = snapshot};
    world_post(&world, MSG_LINK_SUBSCRIBED, &subscribed);
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "long ago"), 0);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "just now"), 1);
    world_says(&world, "r1", "bob", "later");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "later"), 1);
}
END_TEST

START_TEST(refused_subscription_is_told_and_a_lost_one_repeated)
{
    world.is_hand_linked = true;
    flow_command(&world, "invite acme/ops");
    struct msg_link_subscribed subscribed = {.owner = SLICE(ALICE),
                                             .session = world.sessions,
                                             .channel = SLICE("/api/v1/rooms/r1/chatMessages"),
                                             .error = SLICE("timeout")};
    world_forget(&world);
    world_post(&world, MSG_LINK_SUBSCRIBED, &subscribed);
    world_settle(&world);
    world_expect(&world, "link @alice:hs subscribe r1\n");
    subscribed.error = SLICE("403::Forbidden");
    world_post(&world, MSG_LINK_SUBSCRIBED, &subscribed);
    world_settle(&world);
    world_expect(&world, "!made1 @bot:hs m.notice: This room can no longer be read on Gitter: you "
                         "may not do that there. I try again every few minutes.\n");
}
END_TEST

/* The end of the room */

START_TEST(owner_who_leaves_ends_the_room_with_its_ghosts)
{
    flow_command(&world, "invite acme/ops");
    join();
    world_says(&world, "r1", "bob", "hello");
    world_settle(&world);
    world_forget(&world);
    world_member(&world, "!made1", ALICE, ALICE, "join>leave");
    world_settle(&world);
    world_expect(&world, "link @alice:hs unsubscribe r1\n"
                         "!made1 leave @gitter_bob:hs\n"
                         "!made1 leave @bot:hs\n"
                         "!made1 forget @bot:hs\n");
    ck_assert_str_eq(room_state(), "-");
    world_says(&world, "r1", "bob", "anybody?");
    world_settle(&world);
    world_expect(&world, "");
    flow_command(&world, "list");
    ck_assert(!slice_ends_with(flow_last_event(&world)->body, SLICE("*")));
}
END_TEST

START_TEST(declined_invitation_ends_the_room)
{
    flow_command(&world, "invite acme/ops");
    world_member(&world, "!made1", ALICE, ALICE, "invite>leave");
    world_settle(&world);
    ck_assert(world_said(&world, "!made1 leave @bot:hs\n"));
    ck_assert_str_eq(room_state(), "-");
}
END_TEST

START_TEST(room_that_was_left_can_be_invited_to_again)
{
    flow_command(&world, "invite acme/ops");
    join();
    world_member(&world, "!made1", ALICE, ALICE, "join>leave");
    flow_command(&world, "invite acme/ops");
    ck_text_eq(matrix_room(), "!made2");
    world_says(&world, "r1", "bob", "hello");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "hello"), 1);
}
END_TEST

START_TEST(room_invited_to_again_while_it_is_left_is_made_anew)
{
    flow_command(&world, "invite acme/ops");
    join();
    world.is_held[MSG_ROOM_LEAVE_ENDED] = true;
    world_member(&world, "!made1", ALICE, ALICE, "join>leave");
    flow_command(&world, "invite acme/ops");
    world.is_held[MSG_ROOM_LEAVE_ENDED] = false;
    world_settle(&world);
    ck_assert_str_eq(room_state(), "INVITED");
    ck_text_eq(matrix_room(), "!made2");
}
END_TEST

START_TEST(bot_that_is_kicked_gives_the_room_up)
{
    flow_command(&world, "invite acme/ops");
    join();
    world_forget(&world);
    world_member(&world, "!made1", ALICE, BOT, "join>ban");
    world_settle(&world);
    world_expect(&world, "link @alice:hs unsubscribe r1\n");
    ck_assert_str_eq(room_state(), "-");
}
END_TEST

START_TEST(owner_who_leaves_drops_what_was_not_sent)
{
    flow_command(&world, "invite acme/ops");
    join();
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    world_text(&world, "!made1", ALICE, "never");
    world_member(&world, "!made1", ALICE, ALICE, "join>leave");
    world.is_held[MSG_ROOM_POST_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "never"), 0);
    ck_assert_uint_eq(world_outbox(&world), 0);
    ck_assert_str_eq(room_state(), "-");
}
END_TEST

static void add_endings(TCase *tests)
{
    tcase_add_test(tests, owner_who_leaves_ends_the_room_with_its_ghosts);
    tcase_add_test(tests, declined_invitation_ends_the_room);
    tcase_add_test(tests, room_that_was_left_can_be_invited_to_again);
    tcase_add_test(tests, room_invited_to_again_while_it_is_left_is_made_anew);
    tcase_add_test(tests, bot_that_is_kicked_gives_the_room_up);
    tcase_add_test(tests, owner_who_leaves_drops_what_was_not_sent);
}

static Suite *suite(void)
{
    Suite *suite = suite_create("rooms");
    TCase *tests = tcase_create("rooms");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, list_is_sorted_and_marks_what_is_bridged);
    tcase_add_test(tests, list_of_no_rooms_says_so);
    tcase_add_test(tests, list_that_fails_is_told);
    tcase_add_test(tests, invite_makes_the_room_and_invites_its_owner);
    tcase_add_test(tests, invite_again_while_invited_invites_again);
    tcase_add_test(tests, invite_to_a_joined_room_says_already);
    tcase_add_test(tests, invite_all_makes_the_missing_ones_only);
    tcase_add_test(tests, invite_without_or_with_unknown_room_is_answered);
    tcase_add_test(tests, help_and_unknown_commands_are_answered);
    tcase_add_test(tests, very_long_command_is_answered);
    tcase_add_test(tests, echo_before_a_lost_answer_is_the_room);
    tcase_add_test(tests, echo_behind_a_lost_answer_is_the_room);
    tcase_add_test(tests, marker_of_somebody_else_is_not_believed);
    tcase_add_test(tests, lost_answer_without_echo_makes_another_and_leaves_the_late_one);
    tcase_add_test(tests, late_echo_during_the_second_attempt_is_left_as_well);
    tcase_add_test(tests, five_lost_answers_give_up);
    tcase_add_test(tests, refused_creation_is_told_and_may_be_asked_again);
    tcase_add_test(tests, creation_answered_without_a_room_waits_for_the_echo);
    tcase_add_test(tests, owner_who_cannot_be_invited_is_told);
    tcase_add_test(tests, owner_who_came_in_before_the_invite_was_repeated_stays);
    tcase_add_test(tests, logout_while_the_room_is_made_leaves_it);
    tcase_add_test(tests, logout_while_the_room_is_made_and_was_seen_leaves_it);
    tcase_add_test(tests, first_snapshot_begins_the_room_and_keeps_a_record_that_came_first);
    tcase_add_test(tests, refused_subscription_is_told_and_a_lost_one_repeated);
    add_endings(tests);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
