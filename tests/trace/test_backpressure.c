/* Messages of an owner whom Gitter does not let in: they wait, up to a number and an age, and cost
 * nobody else anything. */
#include "actors/room/room.h"
#include "actors/user/user.h"
#include "tests/trace/flow.h"
#include "tests/trace/world_parts.h"
#include "tests/unit/slice_check.h"

#define CARLA "@carla:hs"

static struct world world;

static void setup(void)
{
    world_open(&world);
    world.settings.owner_outbox_max = 10;
    flow_bridge(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static struct slice say(const char *body)
{
    const struct slice id = world_text(&world, "!made1", ALICE, body);
    world_settle(&world);
    return id;
}

static void say_many(int count)
{
    for (int i = 0; i < count; i++) {
        (void)say(arena_printf(world.arena, "text %d", i).ptr);
    }
}

static void expire(void)
{
    const struct msg_owner owner = {.owner = SLICE(ALICE)};
    world_post(&world, MSG_TOKEN_REFUSED, &owner);
    world_settle(&world);
    world_forget(&world);
}

static const struct room *room(void)
{
    return world_peek(&world, ACTOR_ROOM, SLICE(ROOM_KEY));
}

static size_t notices(const char *needle)
{
    size_t count = 0;
    for (size_t i = 0; i < world.peers.events_count; i++) {
        const struct slice body = world.peers.events[i].body;
        count += slice_find(body, slice_from_cstr(needle)) < body.len ? 1 : 0;
    }
    return count;
}

static void carla_bridges(void)
{
    flow_chat(&world, "!other", CARLA);
    flow_follow_link(&world, "ben");
    world_text(&world, "!other", CARLA, "invite acme/ops");
    world_settle(&world);
    world_member(&world, "!made2", CARLA, CARLA, "invite>join");
    world_settle(&world);
}

START_TEST(message_over_the_limit_is_refused_with_one_reply)
{
    expire();
    say_many(10);
    world_expect(&world, "");
    const struct slice first = say("one too many");
    say_many(20);
    world_expect(
        &world,
        arena_printf(
            world.arena,
            "!made1 @bot:hs m.notice: This message did not reach Gitter: 10 of "
            "your messages are waiting for Gitter, and no more are taken (replies to %.*s)\n",
            SLICE_ARGS(first))
            .ptr);
    ck_assert_int_eq(room()->refused, 21);
    ck_assert_int_eq(room()->posts, 10);
}
END_TEST

START_TEST(queue_drains_in_order_after_the_login_and_messages_are_taken_again)
{
    expire();
    say_many(12);
    const struct slice last = say("the last refused");
    flow_follow_link(&world, "ann");
    for (int i = 0; i < 10; i++) {
        ck_slice_eq(world.peers.messages[i].text, arena_printf(world.arena, "text %d", i));
    }
    ck_assert_uint_eq(world.peers.messages_count, 10);
    ck_assert_uint_eq(world_outbox(&world), 0);
    world_forget(&world);
    (void)say("taken again");
    world_expect(&world, arena_printf(world.arena,
                                      "!made1 @bot:hs m.notice: 3 of your messages, up to this "
                                      "one, did not reach Gitter. (replies to %.*s)\n"
                                      "gitter r1 ann: taken again\n",
                                      SLICE_ARGS(last))
                             .ptr);
    ck_assert_int_eq(room()->refused, 0);
}
END_TEST

START_TEST(nothing_is_said_at_the_end_of_a_single_refusal)
{
    expire();
    say_many(11);
    flow_follow_link(&world, "ann");
    world_forget(&world);
    (void)say("taken again");
    world_expect(&world, "gitter r1 ann: taken again\n");
}
END_TEST

START_TEST(messages_are_taken_again_when_a_tenth_of_the_queue_is_free)
{
    world.settings.owner_outbox_max = 20;
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    say_many(21);
    ck_assert_int_eq(room()->refused, 1);
    world_make(&world, MSG_ROOM_POST_ENDED);
    (void)say("not yet");
    ck_assert_int_eq(room()->refused, 2);
    world_make(&world, MSG_ROOM_POST_ENDED);
    (void)say("now");
    ck_assert_int_eq(room()->refused, 0);
    ck_assert_int_eq(room()->posts, 19);
}
END_TEST

START_TEST(edits_and_removals_are_refused_as_well)
{
    const struct slice id = say("before");
    expire();
    say_many(10);
    world_redact(&world, "!made1", ALICE, id);
    world_settle(&world);
    ck_assert(world_said(&world, "This message did not reach Gitter: 10 of your messages"));
    ck_assert_uint_eq(world_outbox(&world), 10);
}
END_TEST

START_TEST(events_of_one_transaction_are_counted_as_they_come)
{
    expire();
    for (int i = 0; i < 12; i++) { /* one batch: nothing of it is in the store yet */
        const struct msg_event event = {
            .raw = arena_printf(world.arena,
                                "{\"event_id\":\"$b%d\",\"type\":\"m.room.message\",\"room_id\":"
                                "\"!made1\",\"sender\":\"" ALICE "\",\"content\":{\"msgtype\":"
                                "\"m.text\",\"body\":\"b\"}}",
                                i)};
        engine_post(world.engine, &(struct input){.msg = {MSG_MATRIX_EVENT, &event}});
    }
    world_settle(&world);
    ck_assert_int_eq(room()->refused, 2);
    ck_assert_int_eq(room()->posts, 10);
}
END_TEST

START_TEST(rooms_of_one_owner_share_the_limit)
{
    world_text(&world, CHAT, ALICE, "invite Beta/dev");
    world_settle(&world);
    world_member(&world, "!made2", ALICE, ALICE, "invite>join");
    world_settle(&world);
    expire();
    say_many(10);
    (void)world_text(&world, "!made2", ALICE, "one too many");
    world_settle(&world);
    ck_assert(world_said(&world, "!made2 @bot:hs m.notice: This message did not reach Gitter"));
}
END_TEST

START_TEST(other_owner_is_not_concerned)
{
    carla_bridges();
    expire();
    say_many(15);
    world_forget(&world);
    (void)world_text(&world, "!made2", CARLA, "at once");
    world_settle(&world);
    world_expect(&world, "gitter r1 ben: at once\n");
}
END_TEST

START_TEST(owner_with_a_full_queue_can_still_talk_to_the_bot)
{
    expire();
    say_many(15);
    world_forget(&world);
    (void)world_text(&world, CHAT, ALICE, "list");
    world_settle(&world);
    ck_assert(world_said(&world, "You are not logged in to Gitter."));
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    flow_follow_link(&world, "ann");
    world_assert_state(&world, ACTOR_USER, ALICE, "AUTHED");
    world_forget(&world);
    (void)world_text(&world, CHAT, ALICE, "list");
    world_settle(&world);
    ck_assert(world_said(&world, "The rooms you are in on Gitter"));
}
END_TEST

/* As the courier ends calls that are too old, one after the other. */
static void grow_old(int count)
{
    static const struct call_ended old = {.end = CALL_END_FAILED};
    for (int i = 0; i < count; i++) {
        struct outbox_call row = {0};
        ck_assert_int_eq(world.store->methods->lane_head(world.store, SLICE("room-out/" ROOM_KEY),
                                                         world.arena, &row),
                         RC_OK);
        world_post_end(&world, &row, old);
        world_settle(&world);
    }
}

START_TEST(messages_too_old_are_told_once_and_counted)
{
    expire();
    const struct slice first = say("first");
    say_many(7);
    const struct slice last = say("last");
    grow_old(9);
    world_expect(&world,
                 arena_printf(world.arena,
                              "!made1 @bot:hs m.notice: This message did not reach Gitter: it had "
                              "to wait for too long. (replies to %.*s)\n"
                              "!made1 @bot:hs m.notice: 9 of your messages, up to this one, did "
                              "not reach Gitter. (replies to %.*s)\n",
                              SLICE_ARGS(first), SLICE_ARGS(last))
                     .ptr);
    ck_assert_int_eq(room()->undelivered, 0);
    ck_assert_int_eq(room()->posts, 0);
}
END_TEST

START_TEST(delivery_ends_a_row_of_failures)
{
    expire();
    (void)say("old 1");
    const struct slice second = say("old 2");
    (void)say("young");
    grow_old(2);
    world_forget(&world);
    flow_follow_link(&world, "ann");
    ck_assert(world_said(&world, "gitter r1 ann: young\n"));
    ck_assert(world_said(&world, arena_printf(world.arena,
                                              "2 of your messages, up to this one, did not reach "
                                              "Gitter. (replies to %.*s)\n",
                                              SLICE_ARGS(second))
                                     .ptr));
}
END_TEST

START_TEST(single_failure_is_told_once)
{
    expire();
    (void)say("old");
    grow_old(1);
    ck_assert_uint_eq(notices("did not reach"), 1);
}
END_TEST

START_TEST(logout_with_a_full_queue_leaves_nothing_of_it)
{
    expire();
    say_many(15);
    (void)world_text(&world, CHAT, ALICE, "logout");
    world_settle(&world);
    ck_assert_uint_eq(world_outbox(&world), 0);
    int64_t waiting = -1;
    ck_assert_int_eq(
        world.store->methods->waiting(world.store, SLICE(ALICE), CALL_AUTH_OWNER, &waiting), RC_OK);
    ck_assert_int_eq(waiting, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("backpressure");
    TCase *tests = tcase_create("backpressure");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, message_over_the_limit_is_refused_with_one_reply);
    tcase_add_test(tests, queue_drains_in_order_after_the_login_and_messages_are_taken_again);
    tcase_add_test(tests, nothing_is_said_at_the_end_of_a_single_refusal);
    tcase_add_test(tests, messages_are_taken_again_when_a_tenth_of_the_queue_is_free);
    tcase_add_test(tests, edits_and_removals_are_refused_as_well);
    tcase_add_test(tests, events_of_one_transaction_are_counted_as_they_come);
    tcase_add_test(tests, rooms_of_one_owner_share_the_limit);
    tcase_add_test(tests, other_owner_is_not_concerned);
    tcase_add_test(tests, owner_with_a_full_queue_can_still_talk_to_the_bot);
    tcase_add_test(tests, messages_too_old_are_told_once_and_counted);
    tcase_add_test(tests, delivery_ends_a_row_of_failures);
    tcase_add_test(tests, single_failure_is_told_once);
    tcase_add_test(tests, logout_with_a_full_queue_leaves_nothing_of_it);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
