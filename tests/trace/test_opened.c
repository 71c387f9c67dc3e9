/* A private chat that the bot opens because it must speak and has none. */
#include "actors/user/user.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

static struct world world;

static void setup(void)
{
    world_open(&world);
    flow_bridge(&world);
    world.peers.members = "{\"" BOT "\":{}}";
    world_member(&world, CHAT, ALICE, ALICE, "join>leave");
    world_settle(&world);
    world_forget(&world);
}

static void teardown(void)
{
    world_close(&world);
}

/* Something to say: a room that was joined in another client. */
static void give_news(const char *room)
{
    const struct msg_link_record record = {
        .owner = SLICE(ALICE),
        .session = world.sessions,
        .channel = SLICE("/api/v1/user/ann/rooms"),
        .data =
            arena_printf(world.arena,
                         "{\"operation\":\"create\",\"model\":{\"id\":\"id-%s\",\"name\":\"%s\","
                         "\"roomMember\":true}}",
                         room, room),
    };
    world_post(&world, MSG_LINK_RECORD, &record);
    world_settle(&world);
}

static void come(const char *room)
{
    world.peers.members = "{\"" BOT "\":{},\"" ALICE "\":{}}";
    world_member(&world, room, ALICE, ALICE, "invite>join");
    world_settle(&world);
}

static const struct user *alice(void)
{
    return world_peek(&world, ACTOR_USER, SLICE(ALICE));
}

START_TEST(chat_is_opened_once_and_says_the_latest)
{
    give_news("first");
    give_news("second");
    world_expect(&world, "create \"Gitter bridge\" as !made2\n");
    world_assert_state(&world, ACTOR_CHAT, "!made2", "CHECKING");
    give_news("third");
    world_expect(&world, "");
    come("!made2");
    world_expect(&world, "!made2 @bot:hs m.notice: Hi alice! I am your interface to Gitter.\n"
                         "!made2 @bot:hs m.notice: You have joined the room third on Gitter. "
                         "`invite third` brings it here.\n");
    ck_slice_eq(alice()->private_room, SLICE("!made2"));
    world_text(&world, "!made2", ALICE, "help");
    world_settle(&world);
    ck_assert(world_said(&world, "!made2 @bot:hs m.notice: This bridge is controlled"));
}
END_TEST

START_TEST(expiry_without_a_chat_is_told_with_a_link_that_works)
{
    flow_refuse_token(&world);
    world_expect(&world, "link @alice:hs close\n"
                         "create \"Gitter bridge\" as !made2\n");
    world_wait(&world, 60 * 60 * 1000);
    come("!made2");
    world_expect(&world, "!made2 @bot:hs m.notice: Gitter no longer accepts your login as ann_g. "
                         "Your rooms are kept, and what is said in them waits. T\n");
    ck_assert_int_eq(world_web(&world, "GET", flow_link(&world), SLICE_EMPTY)->status, 200);
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(flow_callback(&world, flow_state(&world), cookie)->status, 200);
    world_assert_state(&world, ACTOR_USER, ALICE, "AUTHED");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}
END_TEST

START_TEST(news_and_an_expiry_without_a_chat_are_one_word)
{
    give_news("first");
    flow_refuse_token(&world);
    come("!made2");
    ck_assert_int_eq(world.peers.rooms_made, 2);
    ck_assert(world_said(&world, "Gitter no longer accepts your login"));
    ck_assert(!world_said(&world, "You have joined the room first"));
    ck_assert(!world_said(&world, "Hi alice!"));
}
END_TEST

START_TEST(declined_chat_is_left_and_another_opened_when_there_is_news)
{
    give_news("first");
    world_forget(&world);
    world_member(&world, "!made2", ALICE, ALICE, "invite>leave");
    world_settle(&world);
    world_expect(&world, "!made2 leave @bot:hs\n"
                         "!made2 forget @bot:hs\n");
    give_news("second");
    world_expect(&world, "create \"Gitter bridge\" as !made3\n");
    come("!made3");
    ck_assert(world_said(&world, "!made3 @bot:hs m.notice: You have joined the room second"));
}
END_TEST

START_TEST(third_person_ends_a_chat_that_the_bot_opened)
{
    give_news("first");
    if (_i == 1) { /* else before the user has come */
        come("!made2");
    }
    world_forget(&world);
    world.peers.members = "{\"" BOT "\":{},\"" ALICE "\":{},\"@eve:hs\":{}}";
    world_member(&world, "!made2", "@eve:hs", "@eve:hs", "invite>join");
    world_settle(&world);
    world_expect(&world,
                 "!made2 @bot:hs m.notice: There are more than two people in this room, and "
                 "I only talk in private. I am leaving.\n"
                 "!made2 leave @bot:hs\n"
                 "!made2 forget @bot:hs\n");
    world.peers.members = "{\"" BOT "\":{}}";
    give_news("second");
    world_expect(&world, "create \"Gitter bridge\" as !made3\n");
}
END_TEST

START_TEST(bot_that_is_kicked_opens_another)
{
    give_news("first");
    world_member(&world, "!made2", ALICE, BOT, "join>leave");
    world_settle(&world);
    world_forget(&world);
    give_news("second");
    world_expect(&world, "create \"Gitter bridge\" as !made3\n");
}
END_TEST

START_TEST(chat_begun_by_the_user_takes_the_place_of_the_opened_one)
{
    give_news("first");
    world_forget(&world);
    flow_chat(&world, "!own", ALICE);
    world_expect(&world, "!own join @bot:hs\n"
                         "!made2 leave @bot:hs\n"
                         "!made2 forget @bot:hs\n"
                         "!own @bot:hs m.notice: Hi alice! I am your interface to Gitter.\n"
                         "!own @bot:hs m.notice: You have joined the room first on Gitter. `invite "
                         "first` brings it here.\n");
    world_assert_state(&world, ACTOR_CHAT, "!made2", "-");
}
END_TEST

START_TEST(chat_begun_by_the_user_while_one_is_made_wins)
{
    world.is_held[MSG_USER_CHAT_MADE_ENDED] = true;
    give_news("first");
    flow_chat(&world, "!own", ALICE);
    ck_assert(world_said(&world, "!own @bot:hs m.notice: You have joined the room first"));
    world.is_held[MSG_USER_CHAT_MADE_ENDED] = false;
    world_settle(&world);
    ck_assert(world_said(&world, "!made2 leave @bot:hs\n"));
    ck_slice_eq(alice()->private_room, SLICE("!own"));
    world_assert_state(&world, ACTOR_CHAT, "!made2", "-");
}
END_TEST

START_TEST(chat_that_could_not_be_made_is_tried_again_with_the_next_word)
{
    world.is_held[MSG_USER_CHAT_MADE_ENDED] = true;
    give_news("first");
    world_end(&world, MSG_USER_CHAT_MADE_ENDED, _i == 0 ? CALL_END_FAILED : CALL_END_UNKNOWN, 0,
              "");
    world.is_held[MSG_USER_CHAT_MADE_ENDED] = false;
    world_settle(&world);
    world_expect(&world, "");
    give_news("second");
    world_expect(&world, "create \"Gitter bridge\" as !made2\n");
}
END_TEST

START_TEST(opened_chat_survives_a_restart)
{
    give_news("first");
    world_crash(&world);
    world_settle(&world);
    give_news("second");
    ck_assert_int_eq(world.peers.rooms_made, 2);
    come("!made2");
    ck_assert(world_said(&world, "!made2 @bot:hs m.notice: You have joined the room"));
}
END_TEST

START_TEST(stranger_who_leaves_before_a_word_was_said_is_not_remembered)
{
    world_member(&world, "!zed", "@zed:hs", BOT, "invite");
    world_settle(&world);
    world_member(&world, "!zed", "@zed:hs", "@zed:hs", "join>leave");
    world_settle(&world);
    ck_assert(world_said(&world, "!zed leave @bot:hs\n"));
    world_assert_state(&world, ACTOR_USER, "@zed:hs", "-");
    world_assert_state(&world, ACTOR_CHAT, "!zed", "-");
}
END_TEST

START_TEST(friend_of_the_inviter_who_may_not_use_the_bot_is_left)
{
    world_forget(&world);
    world.peers.members = "{\"" BOT "\":{},\"@mallory:hs\":{}}";
    world_member(&world, "!trap", "@zed:hs", BOT, "invite");
    world_settle(&world);
    world_expect(&world, "!trap join @bot:hs\n"
                         "!trap leave @bot:hs\n"
                         "!trap forget @bot:hs\n");
    world_assert_state(&world, ACTOR_USER, "@mallory:hs", "-");
    world_assert_state(&world, ACTOR_CHAT, "!trap", "-");
}
END_TEST

START_TEST(logout_while_a_chat_is_opened_forgets_what_was_to_be_said)
{
    give_news("first");
    come("!made2");
    world_text(&world, "!made2", ALICE, "logout");
    world_settle(&world);
    world_member(&world, "!made2", ALICE, ALICE, "join>leave");
    world_settle(&world);
    world_forget(&world);
    flow_chat(&world, "!again", ALICE);
    ck_assert(world_said(&world, "Hi alice!"));
    ck_assert(!world_said(&world, "You have joined the room"));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("opened");
    TCase *tests = tcase_create("opened");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, chat_is_opened_once_and_says_the_latest);
    tcase_add_test(tests, expiry_without_a_chat_is_told_with_a_link_that_works);
    tcase_add_test(tests, news_and_an_expiry_without_a_chat_are_one_word);
    tcase_add_test(tests, declined_chat_is_left_and_another_opened_when_there_is_news);
    tcase_add_loop_test(tests, third_person_ends_a_chat_that_the_bot_opened, 0, 2);
    tcase_add_test(tests, bot_that_is_kicked_opens_another);
    tcase_add_test(tests, chat_begun_by_the_user_takes_the_place_of_the_opened_one);
    tcase_add_test(tests, chat_begun_by_the_user_while_one_is_made_wins);
    tcase_add_loop_test(tests, chat_that_could_not_be_made_is_tried_again_with_the_next_word, 0, 2);
    tcase_add_test(tests, opened_chat_survives_a_restart);
    tcase_add_test(tests, stranger_who_leaves_before_a_word_was_said_is_not_remembered);
    tcase_add_test(tests, friend_of_the_inviter_who_may_not_use_the_bot_is_left);
    tcase_add_test(tests, logout_while_a_chat_is_opened_forgets_what_was_to_be_said);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
