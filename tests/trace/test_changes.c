/* From Matrix to Gitter: the owner edits or removes what has not arrived there yet. */
#include "actors/room/room.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

#include <string.h>

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

static void edit(struct slice id, const char *body)
{
    (void)world_edit(&world, "!made1", ALICE, id, body);
}

static void redact(struct slice id)
{
    world_redact(&world, "!made1", ALICE, id);
}

static void hold_posts(bool is_held)
{
    world.is_held[MSG_ROOM_POST_ENDED] = is_held;
    world_settle(&world);
}

/* Nothing waits any more, neither here nor there. */
static void expect_rest(void)
{
    struct slice changes[1];
    size_t count = 0;
    const struct room *room = world_peek(&world, ACTOR_ROOM, SLICE(ROOM_KEY));
    ck_assert_int_eq(room->posts, 0);
    ck_assert_uint_eq(world_outbox(&world), 0);
    ck_assert_int_eq(world.store->methods->relations(world.store, RELATION_MESSAGE_MAP,
                                                     SLICE(ROOM_KEY), SLICE_EMPTY, world.arena,
                                                     changes, 1, &count),
                     RC_OK);
    ck_assert_uint_eq(count, 0);
}

/* A text that fills so many messages on Gitter, each of one letter. */
static const char *long_text(char first, size_t parts)
{
    const size_t words = 4090 / 10;
    char *text = arena_alloc(world.arena, parts * words * 10 + 1);
    for (size_t i = 0; i < parts * words * 10; i++) {
        text[i] = i % 10 == 9 ? ' ' : (char)(first + (char)(i / (words * 10)));
    }
    text[parts * words * 10] = '\0';
    return text;
}

/* First letters of what is on Gitter now. */
static const char *on_gitter(void)
{
    char *letters = arena_alloc(world.arena, PEERS_ITEMS_MAX + 1);
    size_t count = 0;
    for (size_t i = 0; i < world.peers.messages_count; i++) {
        if (!world.peers.messages[i].is_removed) {
            letters[count++] = world.peers.messages[i].text.ptr[0];
        }
    }
    letters[count] = '\0';
    return letters;
}

START_TEST(edit_of_a_post_under_way_is_made_when_it_is_there)
{
    hold_posts(true);
    const struct slice id = say("helo");
    edit(id, "hello");
    say("next");
    world_expect(&world, "");
    hold_posts(false);
    world_expect(&world, "gitter r1 ann: helo\n"
                         "gitter r1 ann: next\n"
                         "gitter r1 ann edits: hello\n");
    expect_rest();
}
END_TEST

START_TEST(last_of_two_edits_is_made)
{
    hold_posts(true);
    const struct slice id = say("helo");
    edit(id, "hallo");
    edit(id, "hello");
    hold_posts(false);
    edit(id, "hello!");
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: helo\n"
                         "gitter r1 ann edits: hello\n"
                         "gitter r1 ann edits: hello!\n");
    expect_rest();
}
END_TEST

/* As when its request has left: it is not taken back any more. */
static void send_head(void)
{
    const struct outbox_call head = world_head(&world, MSG_ROOM_POST_ENDED);
    world.suspects[world.suspects_count++] = head.id;
}

START_TEST(removal_of_a_post_under_way_is_made_when_it_is_there)
{
    hold_posts(true);
    const struct slice id = say("oops");
    send_head();
    redact(id);
    world_lose_answer(&world, MSG_ROOM_POST_ENDED);
    hold_posts(false);
    world_wait(&world, 5000);
    ck_assert_str_eq(on_gitter(), "");
    ck_assert(world_said(&world, "gitter r1 ann removes: oops\n"));
    expect_rest();
}
END_TEST

START_TEST(removal_after_edits_is_all_that_is_made)
{
    hold_posts(true);
    const struct slice id = say("helo");
    send_head();
    edit(id, "hello");
    redact(id);
    world.suspects_count = 0;
    hold_posts(false);
    world_expect(&world, "gitter r1 ann: helo\n"
                         "gitter r1 ann removes: helo\n");
    expect_rest();
}
END_TEST

START_TEST(removal_takes_back_a_post_that_was_not_sent)
{
    hold_posts(true);
    say("one");
    const struct slice id = say("two");
    edit(id, "zwei");
    redact(id);
    say("three");
    hold_posts(false);
    world_expect(&world, "gitter r1 ann: one\n"
                         "gitter r1 ann: three\n");
    expect_rest();
}
END_TEST

START_TEST(echo_of_a_removal_is_no_news)
{
    const struct slice id = say("oops");
    world_settle(&world);
    redact(id);
    world_settle(&world);
    world_forget(&world);
    world_record(
        &world, "r1", "remove",
        arena_printf(world.arena, "{\"id\":\"%.*s\"}", SLICE_ARGS(world.peers.messages[0].id)));
    world_settle(&world);
    world_expect(&world, "");
}
END_TEST

/* Lost answers */

START_TEST(edit_of_a_lost_post_is_made_when_it_is_found)
{
    const struct slice id = say("helo");
    world_lose_answer(&world, MSG_ROOM_POST_ENDED);
    edit(id, "hello");
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: helo\n");
    world_wait(&world, 5000);
    world_expect(&world, "gitter r1 read\n"
                         "gitter r1 ann edits: hello\n");
    expect_rest();
}
END_TEST

START_TEST(edit_of_a_post_that_never_arrived_is_made_after_it_was_posted_again)
{
    const struct slice id = say("helo");
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, "");
    edit(id, "hello");
    world_wait(&world, 5000);
    world_wait(&world, 60 * 1000);
    world_expect(&world, "gitter r1 read\n"
                         "gitter r1 read\n"
                         "gitter r1 ann: helo\n"
                         "gitter r1 ann edits: hello\n");
    expect_rest();
}
END_TEST

START_TEST(removal_of_a_post_that_never_arrived_waits_for_both_looks)
{
    const struct slice id = say("oops");
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_UNKNOWN, 0, "");
    world_wait(&world, 5000);
    redact(id);
    world_wait(&world, 60 * 1000);
    world_expect(&world, "gitter r1 read\n"
                         "gitter r1 read\n"
                         "gitter r1 ann: oops\n"
                         "gitter r1 ann removes: oops\n");
    expect_rest();
}
END_TEST

START_TEST(answer_that_says_nothing_is_looked_into)
{
    const struct slice id = say("mine");
    (void)peers_say(&world.peers, "r1", "ann", "mine", world.now_ms);
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_DONE, 200, "OK");
    redact(id);
    world_wait(&world, 5000);
    world_expect(&world, "gitter r1 read\n"
                         "gitter r1 ann removes: mine\n");
    expect_rest();
}
END_TEST

START_TEST(edit_of_a_post_that_cannot_be_looked_for_is_not_said)
{
    const struct slice id = say("helo");
    world_lose_answer(&world, MSG_ROOM_POST_ENDED);
    edit(id, "hello");
    world.is_held[MSG_ROOM_LOOK_ENDED] = true;
    world_wait(&world, 5000);
    world_end(&world, MSG_ROOM_LOOK_ENDED, CALL_END_FAILED, 403, "");
    world_settle(&world);
    ck_assert(world_said(&world, "This message did not reach Gitter"));
    ck_assert_uint_eq(world.peers.messages_count, 1);
    expect_rest();
}
END_TEST

/* Refused posts */

START_TEST(edit_of_a_post_that_is_refused_is_said_as_new)
{
    hold_posts(true);
    const struct slice id = say("bad");
    edit(id, "good");
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_FAILED, 400, "");
    hold_posts(false);
    ck_assert(world_said(&world, "This message did not reach Gitter"));
    ck_assert_str_eq(on_gitter(), "g");
    edit(id, "better");
    world_settle(&world);
    ck_assert_str_eq(on_gitter(), "b");
    expect_rest();
}
END_TEST

START_TEST(removal_of_a_post_that_is_refused_is_over)
{
    hold_posts(true);
    const struct slice id = say("bad");
    send_head();
    redact(id);
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_FAILED, 400, "");
    hold_posts(false);
    ck_assert_str_eq(on_gitter(), "");
    expect_rest();
}
END_TEST

/* Long texts */

START_TEST(shorter_text_removes_the_parts_that_are_left_over)
{
    hold_posts(true);
    const struct slice id = say(long_text('a', 3));
    world_make(&world, MSG_ROOM_POST_ENDED);
    edit(id, long_text('x', 2));
    hold_posts(false);
    ck_assert_str_eq(on_gitter(), "xy");
    edit(id, "z");
    world_settle(&world);
    ck_assert_str_eq(on_gitter(), "z");
    expect_rest();
}
END_TEST

START_TEST(longer_text_posts_the_parts_that_are_missing)
{
    hold_posts(true);
    const struct slice id = say("short");
    edit(id, long_text('a', 3));
    hold_posts(false);
    ck_assert_str_eq(on_gitter(), "abc");
    edit(id, long_text('x', 3));
    world_settle(&world);
    ck_assert_str_eq(on_gitter(), "xyz");
    expect_rest();
}
END_TEST

START_TEST(removal_of_a_long_text_removes_all_of_it)
{
    hold_posts(true);
    const struct slice first = say(long_text('a', 3));
    world_make(&world, MSG_ROOM_POST_ENDED);
    redact(first);
    hold_posts(false);
    ck_assert_str_eq(on_gitter(), "");
    ck_assert_uint_eq(world.peers.messages_count, 1);
    const struct slice second = say(long_text('x', 3));
    world_settle(&world);
    ck_assert_str_eq(on_gitter(), "xyz");
    redact(second);
    world_settle(&world);
    ck_assert_str_eq(on_gitter(), "");
    expect_rest();
}
END_TEST

/* Rooms that end meanwhile */

START_TEST(edit_waits_for_its_post_in_a_room_that_is_replaced)
{
    hold_posts(true);
    const struct slice id = say("helo");
    edit(id, "hello");
    (void)world_event(&world,
                      SLICE("{\"event_id\":\"$tomb\",\"type\":\"m.room.tombstone\",\"room_id\":"
                            "\"!made1\",\"sender\":\"" ALICE "\",\"state_key\":\"\",\"content\":"
                            "{\"replacement_room\":\"!other\"}}"));
    world_settle(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "INVITED");
    hold_posts(false);
    ck_assert_str_eq(on_gitter(), "h");
    ck_assert(slice_equal(world.peers.messages[0].text, SLICE("hello")));
    expect_rest();
}
END_TEST

START_TEST(edit_that_waits_is_dropped_when_the_owner_leaves)
{
    hold_posts(true);
    const struct slice id = say("helo");
    send_head();
    edit(id, "hello");
    world_member(&world, "!made1", ALICE, ALICE, "join>leave");
    world_make(&world, MSG_ROOM_POST_ENDED);
    world_settle(&world);
    ck_assert(!world_said(&world, "edits"));
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("changes");
    TCase *tests = tcase_create("changes");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, edit_of_a_post_under_way_is_made_when_it_is_there);
    tcase_add_test(tests, last_of_two_edits_is_made);
    tcase_add_test(tests, removal_of_a_post_under_way_is_made_when_it_is_there);
    tcase_add_test(tests, removal_after_edits_is_all_that_is_made);
    tcase_add_test(tests, removal_takes_back_a_post_that_was_not_sent);
    tcase_add_test(tests, echo_of_a_removal_is_no_news);
    tcase_add_test(tests, edit_of_a_lost_post_is_made_when_it_is_found);
    tcase_add_test(tests, edit_of_a_post_that_never_arrived_is_made_after_it_was_posted_again);
    tcase_add_test(tests, removal_of_a_post_that_never_arrived_waits_for_both_looks);
    tcase_add_test(tests, answer_that_says_nothing_is_looked_into);
    tcase_add_test(tests, edit_of_a_post_that_cannot_be_looked_for_is_not_said);
    tcase_add_test(tests, edit_of_a_post_that_is_refused_is_said_as_new);
    tcase_add_test(tests, removal_of_a_post_that_is_refused_is_over);
    tcase_add_test(tests, shorter_text_removes_the_parts_that_are_left_over);
    tcase_add_test(tests, longer_text_posts_the_parts_that_are_missing);
    tcase_add_test(tests, removal_of_a_long_text_removes_all_of_it);
    tcase_add_test(tests, edit_waits_for_its_post_in_a_room_that_is_replaced);
    tcase_add_test(tests, edit_that_waits_is_dropped_when_the_owner_leaves);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
