/* From Matrix to Gitter: what the owner says in the bridged room. */
#include "actors/room/room.h"
#include "runtime/base/limits.h"
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

static struct slice say(const char *body)
{
    return world_text(&world, "!made1", ALICE, body);
}

static struct slice say_content(const char *content)
{
    return world_content(&world, "!made1", ALICE, content);
}

START_TEST(text_of_the_owner_is_posted)
{
    say("hello");
    say("world");
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: hello\n"
                         "gitter r1 ann: world\n");
    ck_assert_uint_eq(world_outbox(&world), 0);
    ck_assert_int_eq(flow_posts(&world), 0);
}
END_TEST

START_TEST(text_of_the_owner_leaves_a_readable_trace)
{
    say("hello");
    world_settle(&world);
    world_expect_trace(&world, "MATRIX_EVENT; room @alice:hs|r1: JOINED on ROOM_MATRIX_TEXT -> "
                               "JOINED post call:ROOM_POST_ENDED\n"
                               "ROOM_POST_ENDED; room @alice:hs|r1: JOINED on ROOM_POST_ENDED -> "
                               "(same) end_post\n");
}
END_TEST

START_TEST(event_that_comes_twice_is_posted_once)
{
    const struct slice raw =
        SLICE("{\"event_id\":\"$twice\",\"type\":\"m.room.message\",\"room_id\":\"!made1\","
              "\"sender\":\"" ALICE "\",\"content\":{\"msgtype\":\"m.text\",\"body\":\"once\"}}");
    world_event(&world, raw);
    world_event(&world, raw);
    world_settle(&world);
    world_event(&world, raw);
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: once\n");
    ck_assert(world.events[world.events_count - 1].is_done);
}
END_TEST

START_TEST(notice_and_markup_become_markdown)
{
    say_content("{\"msgtype\":\"m.notice\",\"body\":\"beep\"}");
    say_content("{\"msgtype\":\"m.text\",\"body\":\"a b\",\"format\":\"org.matrix.custom.html\","
                "\"formatted_body\":\"a <strong>b</strong>\"}");
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: beep\n"
                         "gitter r1 ann: a __b__\n");
}
END_TEST

START_TEST(emote_becomes_a_status)
{
    say_content("{\"msgtype\":\"m.emote\",\"body\":\"waves\"}");
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: @ann_g waves\n");
    ck_assert(world.peers.messages[0].is_status);
}
END_TEST

START_TEST(picture_is_answered_as_not_bridged)
{
    const struct slice id = say_content("{\"msgtype\":\"m.image\",\"body\":\"cat.png\"}");
    world_settle(&world);
    world_expect(&world, arena_printf(world.arena,
                                      "!made1 @bot:hs m.notice: Only text is brought to Gitter; "
                                      "this message was not. (replies to %.*s)\n",
                                      SLICE_ARGS(id))
                             .ptr);
}
END_TEST

START_TEST(long_text_is_split_and_its_parts_stay_in_order)
{
    char text[9000];
    for (size_t i = 0; i < sizeof text - 1; i++) {
        text[i] = i % 50 == 49 ? ' ' : (char)('a' + (char)(i / 3000));
    }
    text[sizeof text - 1] = '\0';
    say(text);
    say("behind");
    world_settle(&world);
    ck_assert_uint_ge(world.peers.messages_count, 4);
    const size_t last = world.peers.messages_count - 1;
    ck_assert(slice_equal(world.peers.messages[last].text, SLICE("behind")));
    ck_assert_int_eq(world.peers.messages[0].text.ptr[0], 'a');
    for (size_t i = 0; i < last; i++) {
        ck_assert_uint_le(world.peers.messages[i].text.len, GITTER_TEXT_UNITS_MAX);
    }
    ck_assert_int_eq(world.peers.messages[last - 1].text.ptr[5], 'c');
}
END_TEST

START_TEST(edit_changes_the_message)
{
    const struct slice id = say("helo");
    world_settle(&world);
    (void)world_edit(&world, "!made1", ALICE, id, "hello");
    world_settle(&world);
    world_record(&world, "r1", "update",
                 peers_message_json(&world.peers, &world.peers.messages[0]));
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: helo\n"
                         "gitter r1 ann edits: hello\n");
}
END_TEST

START_TEST(edit_of_what_never_arrived_is_posted)
{
    (void)world_edit(&world, "!made1", ALICE, SLICE("$unknown"), "new");
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: new\n");
}
END_TEST

START_TEST(redaction_removes_the_message)
{
    const struct slice id = say("oops");
    world_settle(&world);
    world_redact(&world, "!made1", ALICE, id);
    world_redact(&world, "!made1", ALICE, SLICE("$unknown"));
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: oops\n"
                         "gitter r1 ann removes: oops\n");
}
END_TEST

START_TEST(removal_that_finds_nothing_any_more_is_none_to_tell)
{
    const struct slice id = say("oops");
    world_settle(&world);
    world_forget(&world);
    world.is_held[MSG_ROOM_EDIT_ENDED] = true;
    world_redact(&world, "!made1", ALICE, id);
    world_end(&world, MSG_ROOM_EDIT_ENDED, CALL_END_FAILED, 404, "");
    world_settle(&world);
    world_expect(&world, "");
}
END_TEST

START_TEST(failed_removal_is_told_under_it)
{
    const struct slice id = say("oops");
    world_settle(&world);
    world_forget(&world);
    world.is_held[MSG_ROOM_EDIT_ENDED] = true;
    world_redact(&world, "!made1", ALICE, id);
    world_end(&world, MSG_ROOM_EDIT_ENDED, CALL_END_FAILED, 403, "");
    world_settle(&world);
    ck_assert(
        world_said(&world, "This could not be removed on Gitter: you may not do that there."));
}
END_TEST

START_TEST(late_edit_is_told_under_it)
{
    const struct slice id = say("helo");
    world_settle(&world);
    world.is_held[MSG_ROOM_EDIT_ENDED] = true;
    (void)world_edit(&world, "!made1", ALICE, id, "hello");
    world_end(&world, MSG_ROOM_EDIT_ENDED, CALL_END_FAILED, 400, "");
    world_settle(&world);
    ck_assert(world_said(&world, "it takes edits of messages for ten minutes only."));
}
END_TEST

START_TEST(removal_of_what_is_gone_is_done)
{
    const struct slice id = say("oops");
    world_settle(&world);
    world_forget(&world);
    world.peers.messages[0].is_removed = true;
    world_redact(&world, "!made1", ALICE, id);
    world_settle(&world);
    world_expect(&world, "");
}
END_TEST

START_TEST(somebody_else_is_told_once_that_nothing_is_bridged)
{
    world_text(&world, "!made1", "@eve:hs", "hi");
    world_text(&world, "!made1", "@eve:hs", "hello?");
    world_text(&world, "!made1", "@dave:hs", "hm");
    world_redact(&world, "!made1", "@eve:hs", SLICE("$in1"));
    world_settle(&world);
    ck_assert(world_said(&world, "Only the messages of @alice:hs are brought to Gitter."));
    ck_assert_uint_eq(world.peers.messages_count, 0);
    world_forget(&world);
    world_text(&world, "!made1", "@eve:hs", "nobody?");
    world_settle(&world);
    world_expect(&world, "");
}
END_TEST

START_TEST(what_bot_and_ghosts_say_is_no_input)
{
    world_text(&world, "!made1", BOT, "a notice of ours");
    world_text(&world, "!made1", "@gitter_bob:hs", "an echo");
    world_settle(&world);
    world_expect(&world, "");
}
END_TEST

START_TEST(refused_post_is_answered_and_the_next_goes_on)
{
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    const struct slice id = say("one");
    say("two");
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_FAILED, 403, "{\"error\":\"Forbidden\"}");
    world.is_held[MSG_ROOM_POST_ENDED] = false;
    world_settle(&world);
    const struct slice notice =
        arena_printf(world.arena, "you may not do that there. (replies to %.*s)\n", SLICE_ARGS(id));
    ck_assert(world_said(&world, notice.ptr));
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "one"), 0);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "two"), 1);
    ck_assert_int_eq(flow_posts(&world), 0);
}
END_TEST

START_TEST(shadow_ban_is_told)
{
    world.peers.is_shadow_banned = true;
    say("buy now");
    world_settle(&world);
    ck_assert(world_said(&world, "its spam filter has hidden your account"));
    ck_assert_int_eq(flow_posts(&world), 0);
    ck_assert_uint_eq(world_outbox(&world), 0); /* it is not tried again */
}
END_TEST

/* Lost answers */

START_TEST(lost_answer_of_a_post_that_worked_is_found_by_looking)
{
    const struct slice id = say("mine");
    world_lose_answer(&world, MSG_ROOM_POST_ENDED);
    say("next");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "next"), 0);
    world_wait(&world, 5000);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "mine"), 1);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "next"), 1);
    world_record(&world, "r1", "create",
                 peers_message_json(&world.peers, &world.peers.messages[0]));
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "mine"), 0);
    world_forget(&world);
    world_redact(&world, "!made1", ALICE, id);
    world_settle(&world);
    world_expect(&world, "gitter r1 ann removes: mine\n");
}
END_TEST

START_TEST(lost_post_behind_more_than_a_page_is_found)
{
    for (int i = 0; i < 230; i++) {
        (void)peers_say(&world.peers, "r1", "bob", "talks a lot", world.now_ms);
    }
    say("mine");
    world_lose_answer(&world, MSG_ROOM_POST_ENDED);
    world_forget(&world);
    world_wait(&world, 5000);
    world_expect(&world, "gitter r1 read\n"
                         "gitter r1 read\n"
                         "gitter r1 read\n");
    world_wait(&world, 60 * 1000);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "mine"), 1);
    ck_assert_int_eq(flow_posts(&world), 0);
}
END_TEST

START_TEST(lost_post_whose_echo_came_first_is_adopted)
{
    say("mine");
    world_lose_answer(&world, MSG_ROOM_POST_ENDED);
    world_record(&world, "r1", "create",
                 peers_message_json(&world.peers, &world.peers.messages[0]));
    world_says(&world, "r1", "bob", "behind");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "behind"), 0);
    world_wait(&world, 5000);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "mine"), 0);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "behind"), 1);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "mine"), 1);
    ck_assert_int_eq(flow_posts(&world), 0);
}
END_TEST

START_TEST(post_that_never_arrived_is_looked_for_twice_and_posted_again)
{
    say("mine");
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, "");
    say("next");
    world_wait(&world, 5000);
    world_expect(&world, "gitter r1 read\n");
    world_wait(&world, 59 * 1000);
    world_expect(&world, "");
    world_wait(&world, 1000);
    world_expect(&world, "gitter r1 read\n"
                         "gitter r1 ann: mine\n"
                         "gitter r1 ann: next\n");
    ck_assert_int_eq(flow_posts(&world), 0);
}
END_TEST

START_TEST(post_that_is_lost_again_and_again_is_given_up)
{
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    say("mine");
    for (int i = 0; i <= 20; i++) {
        world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, "");
        world_wait(&world, 5000);
        world_wait(&world, 60 * 1000);
    }
    ck_assert(!world_has_head(&world, MSG_ROOM_POST_ENDED));
    ck_assert(world_said(&world, "This message did not reach Gitter"));
    ck_assert_int_eq(flow_posts(&world), 0);
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(look_that_fails_is_told_as_undelivered)
{
    say("mine");
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, "");
    world.is_held[MSG_ROOM_LOOK_ENDED] = true;
    world_wait(&world, 5000);
    world_end(&world, MSG_ROOM_LOOK_ENDED, CALL_END_FAILED, 500, "");
    world_settle(&world);
    ck_assert(world_said(&world, "This message did not reach Gitter"));
    ck_assert_int_eq(flow_posts(&world), 0);
}
END_TEST

START_TEST(same_text_twice_is_not_taken_for_the_lost_one)
{
    say("yes");
    world_settle(&world);
    say("yes");
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, "");
    world_wait(&world, 5000);
    world_wait(&world, 60 * 1000);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "yes"), 2);
}
END_TEST

START_TEST(same_text_on_its_way_to_matrix_is_not_taken_for_the_lost_one)
{
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    world_says(&world, "r1", "ann", "yes");
    const struct slice id = say("yes");
    world_lose_answer(&world, MSG_ROOM_POST_ENDED);
    world_record(&world, "r1", "create",
                 peers_message_json(&world.peers, &world.peers.messages[1]));
    world_wait(&world, 5000);
    world.is_held[MSG_ROOM_SEND_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "yes"), 1);
    world_redact(&world, "!made1", ALICE, id);
    world_settle(&world);
    ck_assert(!world.peers.messages[0].is_removed);
    ck_assert(world.peers.messages[1].is_removed);
}
END_TEST

START_TEST(message_held_for_an_earlier_post_is_not_taken_for_the_lost_one)
{
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    say("first");
    world_says(&world, "r1", "ann", "yes");
    world_make(&world, MSG_ROOM_POST_ENDED);
    world_settle(&world);
    world.suspects[world.suspects_count++] = world_head(&world, MSG_ROOM_SEND_ENDED).id;
    say("yes");
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, "");
    world.is_held[MSG_ROOM_POST_ENDED] = false;
    world_wait(&world, 5000);
    world_wait(&world, 60 * 1000);
    world.suspects_count = 0;
    world.is_held[MSG_ROOM_SEND_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "yes"), 2);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "yes"), 1);
    ck_assert_int_eq(flow_posts(&world), 0);
}
END_TEST

START_TEST(message_before_the_join_was_seen_is_posted)
{
    (void)world_text(&world, CHAT, ALICE, "invite Beta/dev");
    world_settle(&world);
    world_assert_state(&world, ACTOR_ROOM, "@alice:hs|r2", "INVITED");
    (void)world_text(&world, "!made2", ALICE, "early");
    world_settle(&world);
    world_assert_state(&world, ACTOR_ROOM, "@alice:hs|r2", "JOINED");
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r2", "early"), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("to_gitter");
    TCase *tests = tcase_create("to_gitter");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, text_of_the_owner_is_posted);
    tcase_add_test(tests, text_of_the_owner_leaves_a_readable_trace);
    tcase_add_test(tests, event_that_comes_twice_is_posted_once);
    tcase_add_test(tests, notice_and_markup_become_markdown);
    tcase_add_test(tests, emote_becomes_a_status);
    tcase_add_test(tests, picture_is_answered_as_not_bridged);
    tcase_add_test(tests, long_text_is_split_and_its_parts_stay_in_order);
    tcase_add_test(tests, edit_changes_the_message);
    tcase_add_test(tests, edit_of_what_never_arrived_is_posted);
    tcase_add_test(tests, redaction_removes_the_message);
    tcase_add_test(tests, removal_that_finds_nothing_any_more_is_none_to_tell);
    tcase_add_test(tests, failed_removal_is_told_under_it);
    tcase_add_test(tests, late_edit_is_told_under_it);
    tcase_add_test(tests, removal_of_what_is_gone_is_done);
    tcase_add_test(tests, somebody_else_is_told_once_that_nothing_is_bridged);
    tcase_add_test(tests, what_bot_and_ghosts_say_is_no_input);
    tcase_add_test(tests, refused_post_is_answered_and_the_next_goes_on);
    tcase_add_test(tests, shadow_ban_is_told);
    tcase_add_test(tests, lost_answer_of_a_post_that_worked_is_found_by_looking);
    tcase_add_test(tests, lost_post_behind_more_than_a_page_is_found);
    tcase_add_test(tests, lost_post_whose_echo_came_first_is_adopted);
    tcase_add_test(tests, post_that_never_arrived_is_looked_for_twice_and_posted_again);
    tcase_add_test(tests, post_that_is_lost_again_and_again_is_given_up);
    tcase_add_test(tests, look_that_fails_is_told_as_undelivered);
    tcase_add_test(tests, same_text_twice_is_not_taken_for_the_lost_one);
    tcase_add_test(tests, same_text_on_its_way_to_matrix_is_not_taken_for_the_lost_one);
    tcase_add_test(tests, message_held_for_an_earlier_post_is_not_taken_for_the_lost_one);
    tcase_add_test(tests, message_before_the_join_was_seen_is_posted);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
