/* Messages from Gitter whose sending to Matrix ended without an answer. */
#include "actors/room/room.h"
#include "tests/trace/flow.h"
#include "tests/trace/world_parts.h"
#include "tests/unit/slice_check.h"

#define BOB "@gitter_bob:hs"

static struct world world;

static void setup(void)
{
    world_open(&world);
    flow_bridge(&world);
    world_says(&world, "r1", "bob", "first");
    world_settle(&world);
    world_forget(&world);
}

static void teardown(void)
{
    world_close(&world);
}

/* The homeserver was restarted: no transaction id of before means anything to it. */
static void forget_transactions(void)
{
    for (size_t i = 0; i < world.peers.events_count; i++) {
        world.peers.events[i].txn = SLICE("(forgotten)");
    }
}

static struct slice hold_and_say(const char *text)
{
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    const struct slice id = world_says(&world, "r1", "bob", text);
    world_settle(&world);
    return id;
}

static void release(void)
{
    world.is_held[MSG_ROOM_SEND_ENDED] = false;
    world_settle(&world);
}

static size_t count_of(const char *text)
{
    return peers_count_matrix(&world.peers, "!made1", text);
}

/* An event in the room that is none of our calls' doing. */
static struct peer_event *
put_event(const char *sender, const char *body, const char *gitter_id, const char *rest)
{
    ck_assert_uint_lt(world.peers.events_count, PEERS_ITEMS_MAX);
    struct peer_event *event = &world.peers.events[world.peers.events_count++];
    *event = (struct peer_event){
        .id = arena_printf(world.arena, "$put%zu", world.peers.events_count),
        .room = SLICE("!made1"),
        .sender = slice_from_cstr(sender),
        .body = slice_from_cstr(body),
        .content = arena_printf(world.arena,
                                "{\"msgtype\":\"m.text\",\"body\":\"%s\",\"gitterd.gitter_id\":"
                                "\"%s\"%s}",
                                body, gitter_id, rest),
    };
    return event;
}

static int reads(void)
{
    int count = 0;
    struct slice rest = buf_slice(&world.peers.log);
    const struct slice read = SLICE("!made1 is read\n");
    for (size_t at = slice_find(rest, read); at < rest.len; at = slice_find(rest, read)) {
        rest = slice_from(rest, at + read.len);
        count++;
    }
    return count;
}

START_TEST(message_that_is_there_is_not_sent_again)
{
    (void)hold_and_say("lost answer");
    world_lose_answer(&world, MSG_ROOM_SEND_ENDED);
    forget_transactions();
    release();
    ck_assert_uint_eq(count_of("lost answer"), 1);
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(message_that_is_not_there_is_sent_again_under_its_id)
{
    const struct slice id = hold_and_say("lost request");
    const struct slice path =
        arena_copy(world.arena, world_head(&world, MSG_ROOM_SEND_ENDED).call.path);
    ck_assert_uint_lt(slice_find(path, id), path.len);
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_UNKNOWN, 0, "");
    world_make(&world, MSG_ROOM_SEND_ENDED); /* the look */
    ck_slice_eq(world_head(&world, MSG_ROOM_SEND_ENDED).call.path, path);
    release();
    ck_assert_uint_eq(count_of("lost request"), 1);
}
END_TEST

/* The request is still on its way when it is looked for, and is done before it is repeated. */
START_TEST(message_that_comes_late_is_known_by_its_transaction)
{
    (void)hold_and_say("late");
    const struct outbox_call row = world_head(&world, MSG_ROOM_SEND_ENDED);
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_UNKNOWN, 0, "");
    world_make(&world, MSG_ROOM_SEND_ENDED); /* the look */
    (void)peers_answer(&world.peers, &row, SLICE_EMPTY, world.now_ms);
    release();
    ck_assert_uint_eq(count_of("late"), 1);
}
END_TEST

START_TEST(what_comes_behind_waits_until_it_was_looked_for)
{
    (void)hold_and_say("one");
    world_says(&world, "r1", "carol", "two");
    world_settle(&world);
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_UNKNOWN, 0, "");
    ck_assert(slice_equal(world_head(&world, MSG_ROOM_SEND_ENDED).call.method, SLICE("GET")));
    ck_assert_uint_eq(count_of("two"), 0);
    release();
    ck_assert_uint_eq(count_of("one"), 1);
    ck_assert_uint_eq(count_of("two"), 1);
    const size_t last = world.peers.events_count - 1;
    ck_slice_eq(world.peers.events[last].body, SLICE("two"));
    ck_slice_eq(world.peers.events[last - 1].body, SLICE("one"));
}
END_TEST

START_TEST(neither_a_forgery_nor_an_edit_is_taken_for_it)
{
    const char *id = hold_and_say("real").ptr;
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_UNKNOWN, 0, "");
    (void)put_event(ALICE, "forged", id, "");
    (void)put_event("@gitter_carol:hs", "another ghost", id, "");
    (void)put_event(BOB, "another message", "0123456789abcdef01234567", "");
    (void)put_event(BOB, "* edit", id,
                    ",\"m.relates_to\":{\"rel_type\":\"m.replace\",\"event_id\":\"$sent1\"}");
    release();
    ck_assert_uint_eq(count_of("real"), 1);
}
END_TEST

START_TEST(room_is_read_up_to_the_last_message_that_is_known)
{
    (void)hold_and_say("far up");
    world_lose_answer(&world, MSG_ROOM_SEND_ENDED);
    forget_transactions();
    for (int i = 0; i < 120; i++) { /* two pages and a half */
        (void)put_event(ALICE, "chatter", "", "");
    }
    world_forget(&world);
    release();
    ck_assert_uint_eq(count_of("far up"), 1);
    ck_assert_int_eq(reads(), 3);
}
END_TEST

START_TEST(nothing_is_read_behind_the_last_message_that_is_known)
{
    for (int i = 0; i < 120; i++) {
        (void)put_event(ALICE, "old chatter", "", "");
    }
    world_says(&world, "r1", "bob", "known");
    world_settle(&world);
    (void)hold_and_say("not there");
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_UNKNOWN, 0, "");
    world_forget(&world);
    release();
    ck_assert_int_eq(reads(), 1);
    ck_assert_uint_eq(count_of("not there"), 1);
}
END_TEST

START_TEST(change_that_waited_is_made_when_it_was_found)
{
    (void)hold_and_say("typo");
    world_lose_answer(&world, MSG_ROOM_SEND_ENDED);
    struct peer_message *message = &world.peers.messages[world.peers.messages_count - 1];
    message->text = SLICE("typed");
    message->edited_ms = world.now_ms;
    world_record(&world, "r1", "update", peers_message_json(&world.peers, message));
    release();
    ck_assert(world_said(&world, "(edits $sent"));
}
END_TEST

START_TEST(head_that_was_under_way_in_a_crash_is_looked_for)
{
    (void)hold_and_say("crashed");
    const struct outbox_call row = world_head(&world, MSG_ROOM_SEND_ENDED);
    (void)peers_answer(&world.peers, &row, SLICE_EMPTY, world.now_ms);
    world_crash(&world);
    forget_transactions();
    release();
    world_wait(&world, 2000);
    ck_assert_uint_eq(count_of("crashed"), 1);
}
END_TEST

START_TEST(answer_without_an_event_id_is_as_good_as_none)
{
    (void)hold_and_say("mute");
    const struct outbox_call row = world_head(&world, MSG_ROOM_SEND_ENDED);
    (void)peers_answer(&world.peers, &row, SLICE_EMPTY, world.now_ms);
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_DONE, 200, "<html>");
    forget_transactions();
    release();
    ck_assert_uint_eq(count_of("mute"), 1);
}
END_TEST

START_TEST(homeserver_that_loses_every_answer_is_given_time)
{
    (void)hold_and_say("patient");
    int64_t waited = 0;
    for (int i = 0; i < 12; i++) {
        world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_UNKNOWN, 502, "");
        for (waited = 0; !world_has_head(&world, MSG_ROOM_SEND_ENDED); waited += 500) {
            ck_assert_int_lt(waited, 301 * 1000);
            world_wait(&world, 500);
        }
        ck_assert_int_eq(waited, i == 0 ? 0 : i < 10 ? 1000 << (i - 1) : 300 * 1000);
        world_make(&world, MSG_ROOM_SEND_ENDED); /* the look */
    }
    release();
    ck_assert_uint_eq(count_of("patient"), 1);
    ck_assert(!world_said(&world, "could not be brought here"));
}
END_TEST

START_TEST(message_that_breaks_the_homeserver_is_given_up)
{
    (void)hold_and_say("poison");
    for (int i = 0; i < 5; i++) {
        world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_UNKNOWN, 500, "");
        world_wait(&world, 60 * 1000);
        if (i < 4) {
            world_make(&world, MSG_ROOM_SEND_ENDED); /* the look */
        }
    }
    ck_assert(world_said(&world, "A message on Gitter could not be brought here"));
    world_says(&world, "r1", "bob", "next");
    release();
    ck_assert_uint_eq(count_of("next"), 1);
    ck_assert_uint_eq(count_of("poison"), 0);
}
END_TEST

START_TEST(lost_answers_do_not_count_as_faults_of_the_message)
{
    (void)hold_and_say("unlucky");
    for (int i = 0; i < 8; i++) {
        world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_UNKNOWN, i < 5 ? 0 : 500, "");
        world_wait(&world, 300 * 1000);
        world_make(&world, MSG_ROOM_SEND_ENDED); /* the look */
    }
    release();
    ck_assert_uint_eq(count_of("unlucky"), 1);
    ck_assert(!world_said(&world, "could not be brought here"));
}
END_TEST

START_TEST(look_that_fails_is_told)
{
    (void)hold_and_say("unseen");
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_UNKNOWN, 0, "");
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_FAILED, 400, "");
    release();
    ck_assert(world_said(&world, "A message on Gitter could not be brought here"));
}
END_TEST

START_TEST(room_that_was_left_meanwhile_is_not_looked_into)
{
    (void)hold_and_say("left");
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_UNKNOWN, 0, "");
    world_member(&world, "!made1", ALICE, ALICE, "join>leave");
    release();
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("sent");
    TCase *tests = tcase_create("sent");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, message_that_is_there_is_not_sent_again);
    tcase_add_test(tests, message_that_is_not_there_is_sent_again_under_its_id);
    tcase_add_test(tests, message_that_comes_late_is_known_by_its_transaction);
    tcase_add_test(tests, what_comes_behind_waits_until_it_was_looked_for);
    tcase_add_test(tests, neither_a_forgery_nor_an_edit_is_taken_for_it);
    tcase_add_test(tests, room_is_read_up_to_the_last_message_that_is_known);
    tcase_add_test(tests, nothing_is_read_behind_the_last_message_that_is_known);
    tcase_add_test(tests, change_that_waited_is_made_when_it_was_found);
    tcase_add_test(tests, head_that_was_under_way_in_a_crash_is_looked_for);
    tcase_add_test(tests, answer_without_an_event_id_is_as_good_as_none);
    tcase_add_test(tests, homeserver_that_loses_every_answer_is_given_time);
    tcase_add_test(tests, message_that_breaks_the_homeserver_is_given_up);
    tcase_add_test(tests, lost_answers_do_not_count_as_faults_of_the_message);
    tcase_add_test(tests, look_that_fails_is_told);
    tcase_add_test(tests, room_that_was_left_meanwhile_is_not_looked_into);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
