/* The private chat with the bot: invited, alone with somebody, in a crowd. */
#include "actors/user/user.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

static struct world world;

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static void invite_into_crowd(const char *room)
{
    world.peers.members = "{\"" BOT "\":{},\"" ALICE "\":{},\"@eve:hs\":{}}";
    world_member(&world, room, ALICE, BOT, "invite");
    world_settle(&world);
}

static struct slice private_room(void)
{
    const struct user *user = world_peek(&world, ACTOR_USER, SLICE(ALICE));
    return user == NULL ? SLICE_EMPTY : user->private_room;
}

START_TEST(invited_bot_joins_and_greets_with_a_link)
{
    flow_chat(&world, CHAT, ALICE);
    world_expect(&world, "!chat join @bot:hs\n"
                         "!chat @bot:hs m.notice: Hi alice! I am your interface to Gitter.\n");
    ck_assert(slice_starts_with(flow_link(&world), SLICE("/auth_gitter/")));
    world_assert_state(&world, ACTOR_CHAT, CHAT, "PRIVATE");
}
END_TEST

START_TEST(invitation_leaves_a_readable_trace)
{
    flow_chat(&world, CHAT, ALICE);
    world_expect_trace(
        &world,
        "MATRIX_EVENT; chat !chat: INVITED on CHAT_INVITED -> JOINING join call:CHAT_JOIN_ENDED\n"
        "CHAT_JOIN_ENDED; chat !chat: JOINING on CHAT_JOIN_ENDED -> CHECKING check "
        "call:CHAT_MEMBERS_ENDED\n"
        "CHAT_MEMBERS_ENDED; chat !chat: CHECKING on CHAT_MEMBERS_ENDED -> CHECKING count; "
        "chat !chat: CHECKING on CHAT_COUNTED -> PRIVATE open; "
        "user @alice:hs: UNAUTHENTICATED on USER_CHAT_READY -> (same) greet_stranger; "
        "login 406faa58c7ae046d: OFFERED on LOGIN_OFFERED -> OFFERED keep; "
        "chat !chat: PRIVATE on CHAT_SAY -> PRIVATE say call:CHAT_SAY_ENDED\n"
        "CHAT_SAY_ENDED; chat !chat: PRIVATE on CHAT_SAY_ENDED -> (passed over)\n");
}
END_TEST

START_TEST(invitation_of_who_may_not_is_declined)
{
    world_member(&world, CHAT, "@mallory:hs", BOT, "invite");
    world_settle(&world);
    world_expect(&world, "!chat leave @bot:hs\n");
    world_assert_state(&world, ACTOR_CHAT, CHAT, "-");
}
END_TEST

START_TEST(invitation_by_a_ghost_is_declined)
{
    world_member(&world, CHAT, "@gitter_bob:hs", BOT, "invite");
    world_settle(&world);
    world_expect(&world, "!chat leave @bot:hs\n");
}
END_TEST

START_TEST(crowded_room_is_told_and_left_and_declined_from_then_on)
{
    invite_into_crowd("!crowd");
    world_expect(&world, "!crowd join @bot:hs\n"
                         "!crowd @bot:hs m.notice: There are more than two people in this room, "
                         "and I only talk in private. I am leaving.\n"
                         "!crowd leave @bot:hs\n"
                         "!crowd forget @bot:hs\n");
    world_member(&world, "!crowd", ALICE, BOT, "invite");
    world_settle(&world);
    world_expect(&world, "!crowd leave @bot:hs\n");
    world_assert_state(&world, ACTOR_USER, ALICE, "-");
}
END_TEST

START_TEST(third_person_ends_the_private_chat)
{
    flow_chat(&world, CHAT, ALICE);
    world_forget(&world);
    world_member(&world, CHAT, ALICE, "@eve:hs", "invite");
    world_settle(&world);
    world_expect(&world, "");
    world_member(&world, CHAT, "@eve:hs", "@eve:hs", "invite>join");
    world_settle(&world);
    ck_assert(world_said(&world, "There are more than two people in this room"));
    ck_assert(world_said(&world, "!chat leave @bot:hs\n!chat forget @bot:hs\n"));
    ck_assert_uint_eq(private_room().len, 0);
    world_forget(&world);
    world_text(&world, CHAT, ALICE, "help");
    world_settle(&world);
    world_expect(&world, "");
}
END_TEST

START_TEST(change_of_name_does_not_make_a_crowd)
{
    flow_chat(&world, CHAT, ALICE);
    world_forget(&world);
    world_member(&world, CHAT, ALICE, ALICE, "join>join");
    world_settle(&world);
    world_expect(&world, "");
    world_assert_state(&world, ACTOR_CHAT, CHAT, "PRIVATE");
}
END_TEST

START_TEST(alone_in_the_room_the_bot_waits_for_its_user)
{
    world.peers.members = "{\"" BOT "\":{}}";
    world_member(&world, CHAT, ALICE, BOT, "invite");
    world_settle(&world);
    world_expect(&world, "!chat join @bot:hs\n");
    world.peers.members = "{\"" BOT "\":{},\"" ALICE "\":{}}";
    world_member(&world, CHAT, ALICE, ALICE, "leave>join");
    world_settle(&world);
    ck_assert(world_said(&world, "Hi alice!"));
}
END_TEST

START_TEST(second_private_chat_replaces_the_first)
{
    flow_chat(&world, CHAT, ALICE);
    world_forget(&world);
    flow_chat(&world, "!second", ALICE);
    ck_assert(world_said(&world, "!chat leave @bot:hs\n"));
    ck_assert(world_said(&world, "!chat forget @bot:hs\n"));
    ck_assert(world_said(&world, "!second @bot:hs m.notice: Hi alice!"));
    ck_assert(slice_equal(private_room(), SLICE("!second")));
    world_assert_state(&world, ACTOR_CHAT, CHAT, "-");
}
END_TEST

START_TEST(user_who_leaves_is_left)
{
    flow_chat(&world, CHAT, ALICE);
    world_forget(&world);
    world_member(&world, CHAT, ALICE, ALICE, "join>leave");
    world_settle(&world);
    world_expect(&world, "!chat leave @bot:hs\n"
                         "!chat forget @bot:hs\n");
    ck_assert_uint_eq(private_room().len, 0);
}
END_TEST

START_TEST(bot_that_is_kicked_can_be_invited_again)
{
    flow_chat(&world, CHAT, ALICE);
    world_member(&world, CHAT, ALICE, BOT, "join>leave");
    world_settle(&world);
    ck_assert_uint_eq(private_room().len, 0);
    world_forget(&world);
    flow_chat(&world, CHAT, ALICE);
    ck_assert(world_said(&world, "!chat join @bot:hs\n"));
    ck_assert(world_said(&world, "Hi alice!"));
}
END_TEST

START_TEST(join_that_fails_is_forgotten)
{
    world.is_held[MSG_CHAT_JOIN_ENDED] = true;
    world_member(&world, CHAT, ALICE, BOT, "invite");
    world_end(&world, MSG_CHAT_JOIN_ENDED, CALL_END_FAILED, 403, "{}");
    world_settle(&world);
    world_expect(&world, "");
    world_assert_state(&world, ACTOR_CHAT, CHAT, "-");
}
END_TEST

START_TEST(encrypted_message_is_answered_once)
{
    flow_chat(&world, CHAT, ALICE);
    world_forget(&world);
    for (int i = 0; i < 2; i++) {
        world_event(&world, arena_printf(world.arena,
                                         "{\"event_id\":\"$enc%d\",\"type\":\"m.room.encrypted\","
                                         "\"room_id\":\"" CHAT "\",\"sender\":\"" ALICE "\","
                                         "\"content\":{\"algorithm\":\"m.megolm.v1.aes-sha2\"}}",
                                         i));
    }
    world_settle(&world);
    world_expect(&world, "!chat @bot:hs m.notice: I cannot read encrypted messages. Please talk to "
                         "me in a room without encryption.\n");
}
END_TEST

START_TEST(notices_and_strangers_are_no_commands)
{
    flow_chat(&world, CHAT, ALICE);
    world_forget(&world);
    world_content(&world, CHAT, ALICE, "{\"msgtype\":\"m.notice\",\"body\":\"help\"}");
    world_text(&world, CHAT, "@eve:hs", "help");
    world_text(&world, CHAT, BOT, "help");
    world_text(&world, "!elsewhere", ALICE, "help");
    world_settle(&world);
    world_expect(&world, "");
}
END_TEST

static bool is_alice_in;

static bool perhaps_alice(const void *context, struct slice user)
{
    (void)context;
    return is_alice_in && slice_equal(user, SLICE(ALICE));
}

START_TEST(user_who_may_no_longer_is_told_once_and_logged_out)
{
    flow_login(&world);
    is_alice_in = false;
    world.settings.is_permitted = perhaps_alice;
    world.has_other_settings = true;
    world_text(&world, CHAT, ALICE, "list");
    world_settle(&world);
    world_text(&world, CHAT, ALICE, "login");
    world_settle(&world);
    world_expect(&world, "link @alice:hs close\n"
                         "!chat @bot:hs m.notice: You may not use this bridge any more; please ask "
                         "whoever runs it.\n"
                         "gitter revokes the token of ann\n"
                         "!chat @bot:hs m.notice: You have been logged out.\n");
    is_alice_in = true;
    world_text(&world, CHAT, ALICE, "login");
    world_settle(&world);
    ck_assert(world_said(&world, "You are not logged in to Gitter."));
}
END_TEST

START_TEST(command_before_the_login_gives_a_fresh_link)
{
    flow_chat(&world, CHAT, ALICE);
    const struct slice first = arena_copy(world.arena, flow_link(&world));
    world_forget(&world);
    world_text(&world, CHAT, ALICE, "list");
    world_settle(&world);
    ck_assert(world_said(&world, "You are not logged in to Gitter."));
    const struct slice second = flow_link(&world);
    ck_assert(!slice_equal(first, second));
    ck_assert_int_eq(world_web(&world, "GET", first, SLICE_EMPTY)->status, 404);
    ck_assert_int_eq(world_web(&world, "GET", second, SLICE_EMPTY)->status, 200);
}
END_TEST

START_TEST(command_of_spaces_is_answered)
{
    flow_chat(&world, CHAT, ALICE);
    world_forget(&world);
    world_text(&world, CHAT, ALICE, " \t\n ");
    world_settle(&world);
    ck_assert(world_said(&world, "You are not logged in to Gitter."));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("chat");
    TCase *tests = tcase_create("chat");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, invited_bot_joins_and_greets_with_a_link);
    tcase_add_test(tests, invitation_leaves_a_readable_trace);
    tcase_add_test(tests, invitation_of_who_may_not_is_declined);
    tcase_add_test(tests, invitation_by_a_ghost_is_declined);
    tcase_add_test(tests, crowded_room_is_told_and_left_and_declined_from_then_on);
    tcase_add_test(tests, third_person_ends_the_private_chat);
    tcase_add_test(tests, change_of_name_does_not_make_a_crowd);
    tcase_add_test(tests, alone_in_the_room_the_bot_waits_for_its_user);
    tcase_add_test(tests, second_private_chat_replaces_the_first);
    tcase_add_test(tests, user_who_leaves_is_left);
    tcase_add_test(tests, bot_that_is_kicked_can_be_invited_again);
    tcase_add_test(tests, join_that_fails_is_forgotten);
    tcase_add_test(tests, encrypted_message_is_answered_once);
    tcase_add_test(tests, notices_and_strangers_are_no_commands);
    tcase_add_test(tests, user_who_may_no_longer_is_told_once_and_logged_out);
    tcase_add_test(tests, command_before_the_login_gives_a_fresh_link);
    tcase_add_test(tests, command_of_spaces_is_answered);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
