/* From Gitter to Matrix: what others say there, and what the owner says in another client. */
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

/* Said on Gitter while no link carries it. */
static void say_unseen(const char *user, const char *text)
{
    (void)peers_say(&world.peers, "r1", user, text, world.now_ms);
}

static void say(const char *user, const char *text)
{
    (void)world_says(&world, "r1", user, text);
    world_settle(&world);
}

static bool content_has(const char *text)
{
    const struct slice content = flow_last_event(&world)->content;
    return slice_find(content, slice_from_cstr(text)) < content.len;
}

static const struct room *room(void)
{
    return world_peek(&world, ACTOR_ROOM, SLICE(ROOM_KEY));
}

START_TEST(first_message_registers_names_invites_joins_and_sends)
{
    say("bob", "hello");
    world_expect(&world, "register gitter_bob\n"
                         "name @gitter_bob:hs \"bob Name (Gitter)\"\n"
                         "!made1 invite @gitter_bob:hs\n"
                         "!made1 join @gitter_bob:hs\n"
                         "!made1 @gitter_bob:hs m.text: hello\n");
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(first_message_leaves_a_readable_trace)
{
    world_says(&world, "r1", "bob", "hello");
    world_expect_trace(&world,
                       "LINK_RECORD; room @alice:hs|r1: JOINED on ROOM_RECORD -> (same) "
                       "take_record call:ROOM_GHOST_ENDED call:ROOM_JOIN_ENDED "
                       "call:ROOM_SEND_ENDED; ghost bob: UNKNOWN on GHOST_WANTED -> REGISTERING "
                       "register call:GHOST_REGISTER_ENDED call:GHOST_NAME_ENDED\n");
    world_settle(&world);
    world_expect_trace(
        &world, "GHOST_REGISTER_ENDED; ghost bob: REGISTERING on GHOST_REGISTER_ENDED -> READY\n"
                "GHOST_NAME_ENDED; ghost bob: READY on GHOST_NAME_ENDED -> (same)\n"
                "ROOM_GHOST_ENDED; room @alice:hs|r1: JOINED on ROOM_GHOST_ENDED -> (passed over)\n"
                "ROOM_JOIN_ENDED; room @alice:hs|r1: JOINED on ROOM_JOIN_ENDED -> (same) "
                "note_joined\n"
                "ROOM_SEND_ENDED; room @alice:hs|r1: JOINED on ROOM_SEND_ENDED -> (same) "
                "note_sent\n");
}
END_TEST

START_TEST(second_message_of_a_ghost_only_sends)
{
    say("bob", "hello");
    world_forget(&world);
    say("bob", "again");
    world_expect(&world, "!made1 @gitter_bob:hs m.text: again\n");
}
END_TEST

START_TEST(messages_of_three_arrive_in_order)
{
    world.is_held[MSG_GHOST_REGISTER_ENDED] = true; /* a homeserver that takes its time */
    world_says(&world, "r1", "bob", "one");
    world_says(&world, "r1", "carol", "two");
    world_says(&world, "r1", "dan", "three");
    world_says(&world, "r1", "bob", "four");
    world_settle(&world);
    ck_assert(!world_said(&world, "m.text"));
    world.is_held[MSG_GHOST_REGISTER_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(world.peers.events_count, 8);
    ck_assert(slice_equal(world.peers.events[4].body, SLICE("one")));
    ck_assert(slice_equal(world.peers.events[5].body, SLICE("two")));
    ck_assert(slice_equal(world.peers.events[6].body, SLICE("three")));
    ck_assert(slice_equal(world.peers.events[7].body, SLICE("four")));
}
END_TEST

START_TEST(markup_comes_as_html_and_plain)
{
    say("bob", "a <strong>bold</strong> word");
    ck_assert(content_has("\"formatted_body\":\"a <strong>bold</strong> word\""));
    ck_assert(slice_equal(flow_last_event(&world)->body, SLICE("a bold word")) ||
              slice_equal(flow_last_event(&world)->body, SLICE("a **bold** word")));
    say("bob", "plain");
    ck_assert(!content_has("formatted_body"));
    ck_assert(content_has("\"external_url\":\"https://gitter.example/acme/ops?at="));
    ck_assert(content_has("\"m.mentions\":{}"));
}
END_TEST

START_TEST(message_bears_its_own_time)
{
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    say("bob", "late");
    const struct slice path = world_head(&world, MSG_ROOM_SEND_ENDED).call.path;
    ck_assert(slice_find(path, SLICE("&ts=1700000000000")) < path.len);
}
END_TEST

START_TEST(status_comes_as_emote)
{
    struct peer_message *message = peers_say(&world.peers, "r1", "bob", "@bob waves", world.now_ms);
    message->is_status = true;
    message->html = SLICE("<span data-link-type=\"mention\" data-screen-name=\"bob\" "
                          "class=\"mention\">@bob</span> waves");
    world_record(&world, "r1", "create", peers_message_json(&world.peers, message));
    world_settle(&world);
    ck_assert(world_said(&world, "!made1 @gitter_bob:hs m.emote: waves\n"));
}
END_TEST

START_TEST(edit_replaces_the_first_event)
{
    const struct slice id = world_says(&world, "r1", "bob", "helo");
    world_settle(&world);
    world_forget(&world);
    struct peer_message *message = peers_find(&world.peers, id);
    message->text = SLICE("hello");
    message->edited_ms = world.now_ms + 1000;
    world_record(&world, "r1", "update", peers_message_json(&world.peers, message));
    world_settle(&world);
    message->text = SLICE("hello!");
    message->edited_ms += 1000;
    world_record(&world, "r1", "update", peers_message_json(&world.peers, message));
    world_settle(&world);
    world_expect(&world, "!made1 @gitter_bob:hs m.text: * hello (edits $sent5)\n"
                         "!made1 @gitter_bob:hs m.text: * hello! (edits $sent5)\n");
}
END_TEST

START_TEST(update_that_is_no_edit_says_nothing)
{
    const struct slice id = world_says(&world, "r1", "bob", "hello");
    world_settle(&world);
    world_forget(&world);
    const struct slice model = peers_message_json(&world.peers, peers_find(&world.peers, id));
    world_record(&world, "r1", "update", model);
    world_record(&world, "r1", "patch", model);
    world_settle(&world);
    world_expect(&world, "");
}
END_TEST

START_TEST(removal_takes_the_event_away)
{
    const struct slice id = world_says(&world, "r1", "bob", "oops");
    world_settle(&world);
    world_forget(&world);
    world_record(&world, "r1", "remove",
                 arena_printf(world.arena, "{\"id\":\"%.*s\"}", SLICE_ARGS(id)));
    world_settle(&world);
    world_expect(&world, "!made1 @bot:hs removes $sent5\n");
}
END_TEST

START_TEST(record_that_comes_twice_is_brought_once)
{
    const struct slice id = world_says(&world, "r1", "bob", "hello");
    const struct slice model = peers_message_json(&world.peers, peers_find(&world.peers, id));
    world_record(&world, "r1", "create", model);
    world_settle(&world);
    world_record(&world, "r1", "create", model);
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "hello"), 1);
}
END_TEST

START_TEST(records_that_cannot_be_read_change_nothing)
{
    world_record(&world, "r1", "create", SLICE("{}"));
    world_record(&world, "r1", "create", SLICE("{\"id\":7}"));
    world_record(&world, "r1", "explode", SLICE("{\"id\":\"x\"}"));
    world_record(&world, "r1", "create", SLICE("[1,2"));
    world_record(&world, "r1", "remove", SLICE("{\"id\":\"unknown\"}"));
    world_settle(&world);
    world_expect(&world, "");
}
END_TEST

START_TEST(deleted_account_has_a_ghost_too)
{
    world_record(&world, "r1", "create",
                 SLICE("{\"id\":\"6553f100ffffffffffffffff\",\"text\":\"bye\",\"html\":\"bye\"}"));
    world_settle(&world);
    ck_assert(world_said(&world, "!made1 @gitter_deleted:hs m.text: bye\n"));
}
END_TEST

/* The owner's own messages */

START_TEST(own_message_of_another_client_is_bridged)
{
    say("ann", "from my phone");
    ck_assert(world_said(&world, "!made1 @gitter_ann:hs m.text: from my phone\n"));
}
END_TEST

START_TEST(own_echo_behind_the_answer_is_dropped)
{
    world_text(&world, "!made1", ALICE, "mine");
    world_settle(&world);
    world_record(&world, "r1", "create",
                 peers_message_json(&world.peers, &world.peers.messages[0]));
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: mine\n");
}
END_TEST

START_TEST(own_echo_before_the_answer_is_held_and_cancelled)
{
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    world_text(&world, "!made1", ALICE, "mine");
    const struct slice id = world_says(&world, "r1", "ann", "mine");
    const struct slice model = peers_message_json(&world.peers, peers_find(&world.peers, id));
    world_says(&world, "r1", "bob", "behind");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "mine"), 0);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "behind"), 0);
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_DONE, 200, model.ptr);
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "mine"), 0);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "behind"), 1);
    ck_assert_uint_eq(world_outbox(&world), 0);
    ck_assert_int_eq(room()->posts, 0);
}
END_TEST

START_TEST(other_own_message_while_a_post_is_pending_goes_on_after_it)
{
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    world_text(&world, "!made1", ALICE, "mine");
    world_says(&world, "r1", "ann", "from my phone");
    world_settle(&world);
    ck_assert(!world_said(&world, "phone"));
    world.is_held[MSG_ROOM_POST_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "from my phone"), 1);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "mine"), 1);
    say("ann", "once more");
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "once more"), 1);
}
END_TEST

/* Trouble with the homeserver */

START_TEST(ghost_that_was_thrown_out_is_brought_back_once)
{
    say("bob", "hello");
    peers_unlearn(&world.peers, SLICE("joined !made1 @gitter_bob:hs"));
    peers_unlearn(&world.peers, SLICE("invited !made1 @gitter_bob:hs"));
    world_forget(&world);
    world_says(&world, "r1", "bob", "again");
    world_says(&world, "r1", "carol", "behind");
    world_settle(&world);
    world_expect(&world, "!made1 @gitter_bob:hs may not speak\n"
                         "register gitter_carol\n"
                         "name @gitter_carol:hs \"carol Name (Gitter)\"\n"
                         "register gitter_bob\n"
                         "!made1 invite @gitter_bob:hs\n"
                         "!made1 join @gitter_bob:hs\n"
                         "!made1 @gitter_bob:hs m.text: again\n"
                         "!made1 invite @gitter_carol:hs\n"
                         "!made1 join @gitter_carol:hs\n"
                         "!made1 @gitter_carol:hs m.text: behind\n"
                         "register gitter_bob\n"
                         "name @gitter_bob:hs \"bob Name (Gitter)\"\n");
}
END_TEST

START_TEST(message_that_is_refused_twice_is_told)
{
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    say("bob", "hello");
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_FAILED, 403, "{}");
    world_settle(&world);
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_FAILED, 403, "{}");
    world_forget(&world);
    world_settle(&world);
    world_expect(&world, "!made1 @bot:hs m.notice: A message on Gitter could not be brought here: "
                         "you may not do that there.\n");
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(message_that_is_refused_as_too_large_does_not_stop_the_next)
{
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    world_says(&world, "r1", "bob", "big");
    world_says(&world, "r1", "bob", "small");
    world_settle(&world);
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_FAILED, 413, "{}");
    world.is_held[MSG_ROOM_SEND_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "small"), 1);
}
END_TEST

START_TEST(ghost_whose_registration_failed_is_tried_again)
{
    world.is_held[MSG_GHOST_REGISTER_ENDED] = true;
    world_says(&world, "r1", "bob", "hello");
    world_end(&world, MSG_GHOST_REGISTER_ENDED, CALL_END_FAILED, 500, "{}");
    world.is_held[MSG_GHOST_REGISTER_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "hello"), 1);
    say("bob", "again");
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "again"), 1);
    world_assert_state(&world, ACTOR_GHOST, "bob", "READY");
}
END_TEST

START_TEST(new_name_on_gitter_is_given_to_the_ghost)
{
    say("bob", "hello");
    world_forget(&world);
    world_record(&world, "r1", "create",
                 SLICE("{\"id\":\"6553f100ffffffffffffffff\",\"text\":\"x\",\"html\":\"x\","
                       "\"fromUser\":{\"id\":\"bob\",\"username\":\"bobby\"}}"));
    world_settle(&world);
    world_expect(&world, "!made1 @gitter_bob:hs m.text: x\n"
                         "name @gitter_bob:hs \"bobby (Gitter)\"\n");
}
END_TEST

/* What was missed */

START_TEST(few_missed_messages_come_with_the_snapshot)
{
    say("bob", "one");
    world_unlink(&world, ALICE, "LOST");
    say_unseen("bob", "two");
    say_unseen("carol", "three");
    world_forget(&world);
    world_wait(&world, 5000);
    ck_assert(!world_said(&world, "gitter r1 read"));
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "one"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "two"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "three"), 1);
}
END_TEST

START_TEST(many_missed_messages_are_read_page_by_page_in_order)
{
    say("bob", "first");
    const size_t before = world.peers.events_count;
    world_unlink(&world, ALICE, "LOST");
    for (int i = 0; i < 230; i++) {
        world.now_ms += 1000;
        say_unseen("bob", arena_printf(world.arena, "m%d", i).ptr);
    }
    world_forget(&world);
    world_wait(&world, 5000);
    ck_assert_uint_eq(world.peers.events_count - before, 230);
    for (size_t i = 0; i < 230; i++) {
        ck_assert(
            slice_equal(world.peers.events[before + i].body, arena_printf(world.arena, "m%zu", i)));
    }
    say("bob", "live");
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "live"), 1);
}
END_TEST

START_TEST(live_records_while_reading_come_behind_what_was_missed)
{
    say("bob", "first");
    const size_t before = world.peers.events_count;
    world_unlink(&world, ALICE, "LOST");
    for (int i = 0; i < 40; i++) {
        world.now_ms += 1000;
        say_unseen("bob", arena_printf(world.arena, "m%d", i).ptr);
    }
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = true;
    world_wait(&world, 5000);
    const struct slice page = peers_page(&world.peers, SLICE("r1"), room()->cursor, 100);
    world_says(&world, "r1", "bob", "live");
    world_settle(&world);
    ck_assert_uint_eq(world.peers.events_count, before);
    world_end(&world, MSG_ROOM_CATCH_UP_ENDED, CALL_END_DONE, 200, page.ptr);
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(world.peers.events_count, before + 41);
    ck_assert(slice_equal(flow_last_event(&world)->body, SLICE("live")));
}
END_TEST

START_TEST(hole_in_the_link_is_read_again)
{
    say("bob", "one");
    world.now_ms += 60 * 1000;
    say_unseen("bob", "lost");
    const struct msg_link gap = {.owner = SLICE(ALICE), .session = world.sessions};
    world_post(&world, MSG_LINK_GAP, &gap);
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "lost"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "one"), 1);
}
END_TEST

START_TEST(message_that_became_visible_late_is_found_by_the_overlap)
{
    const struct peer_message *late = peers_say(&world.peers, "r1", "bob", "late", world.now_ms);
    world.now_ms += 3000;
    say("bob", "early");
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "late"), 0);
    const struct msg_link gap = {.owner = SLICE(ALICE), .session = world.sessions};
    world_post(&world, MSG_LINK_GAP, &gap);
    world_settle(&world);
    ck_assert(late->id.len > 0);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "late"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "early"), 1);
}
END_TEST

START_TEST(record_before_the_snapshot_of_a_new_link_is_not_lost)
{
    say("bob", "one");
    world_unlink(&world, ALICE, "LOST");
    world.is_hand_linked = true;
    world_wait(&world, 5000);
    struct world_link *link = &world.links[0];
    link->session = 77;
    link->channels[0] = SLICE("/api/v1/rooms/r1/chatMessages");
    link->channels_count = 1;
    const struct msg_link_up up = {.owner = SLICE(ALICE), .session = 77};
    world_post(&world, MSG_LINK_UP, &up);
    const struct slice snapshot = peers_page(&world.peers, SLICE("r1"), SLICE_EMPTY, 30);
    world_says(&world, "r1", "bob", "between");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "between"), 0);
    const struct msg_link_subscribed subscribed = {
        .owner = SLICE(ALICE), .session = 77, .channel = link->channels[0], .snapshot = snapshot};
    world_post(&world, MSG_LINK_SUBSCRIBED, &subscribed);
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "between"), 1);
}
END_TEST

START_TEST(live_record_after_a_failed_reading_waits_for_what_was_missed)
{
    say("bob", "one");
    world.now_ms += 60 * 1000;
    say_unseen("bob", "missed");
    world.now_ms += 60 * 1000;
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = true;
    const struct msg_link gap = {.owner = SLICE(ALICE), .session = world.sessions};
    world_post(&world, MSG_LINK_GAP, &gap);
    world_end(&world, MSG_ROOM_CATCH_UP_ENDED, CALL_END_FAILED, 500, "");
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = false;
    say("bob", "live");
    world_wait(&world, 60 * 1000);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "missed"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "live"), 1);
    ck_assert(slice_equal(flow_last_event(&world)->body, SLICE("live")));
}
END_TEST

START_TEST(room_that_is_closed_on_gitter_is_told)
{
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = true;
    const struct msg_link gap = {.owner = SLICE(ALICE), .session = world.sessions};
    world_post(&world, MSG_LINK_GAP, &gap);
    world_end(&world, MSG_ROOM_CATCH_UP_ENDED, CALL_END_FAILED, 404, "");
    world_settle(&world);
    ck_assert(world_said(&world,
                         "This room can no longer be read on Gitter: the room or message is "
                         "not there any more."));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("to_matrix");
    TCase *tests = tcase_create("to_matrix");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, first_message_registers_names_invites_joins_and_sends);
    tcase_add_test(tests, first_message_leaves_a_readable_trace);
    tcase_add_test(tests, second_message_of_a_ghost_only_sends);
    tcase_add_test(tests, messages_of_three_arrive_in_order);
    tcase_add_test(tests, markup_comes_as_html_and_plain);
    tcase_add_test(tests, message_bears_its_own_time);
    tcase_add_test(tests, status_comes_as_emote);
    tcase_add_test(tests, edit_replaces_the_first_event);
    tcase_add_test(tests, update_that_is_no_edit_says_nothing);
    tcase_add_test(tests, removal_takes_the_event_away);
    tcase_add_test(tests, record_that_comes_twice_is_brought_once);
    tcase_add_test(tests, records_that_cannot_be_read_change_nothing);
    tcase_add_test(tests, deleted_account_has_a_ghost_too);
    tcase_add_test(tests, own_message_of_another_client_is_bridged);
    tcase_add_test(tests, own_echo_behind_the_answer_is_dropped);
    tcase_add_test(tests, own_echo_before_the_answer_is_held_and_cancelled);
    tcase_add_test(tests, other_own_message_while_a_post_is_pending_goes_on_after_it);
    tcase_add_test(tests, ghost_that_was_thrown_out_is_brought_back_once);
    tcase_add_test(tests, message_that_is_refused_twice_is_told);
    tcase_add_test(tests, message_that_is_refused_as_too_large_does_not_stop_the_next);
    tcase_add_test(tests, ghost_whose_registration_failed_is_tried_again);
    tcase_add_test(tests, new_name_on_gitter_is_given_to_the_ghost);
    tcase_add_test(tests, few_missed_messages_come_with_the_snapshot);
    tcase_add_test(tests, many_missed_messages_are_read_page_by_page_in_order);
    tcase_add_test(tests, live_records_while_reading_come_behind_what_was_missed);
    tcase_add_test(tests, hole_in_the_link_is_read_again);
    tcase_add_test(tests, message_that_became_visible_late_is_found_by_the_overlap);
    tcase_add_test(tests, record_before_the_snapshot_of_a_new_link_is_not_lost);
    tcase_add_test(tests, live_record_after_a_failed_reading_waits_for_what_was_missed);
    tcase_add_test(tests, room_that_is_closed_on_gitter_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
