/* The process dies at each point of a message's way: nothing is lost, nothing comes twice. */
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

#include <string.h>

enum {
    FUSES_MAX = 400,
    SETTLE_ROUNDS = 40,
    SETTLE_STEP_MS = 5 * 1000,
};

static struct world world;

/* Runs a scenario again and again, dying one step later each time, until it ends by itself. */
static void die_everywhere(void (*scenario)(void), void (*check)(int fuse))
{
    int fuse = 0;
    for (; fuse < FUSES_MAX; fuse++) {
        world_open(&world);
        flow_bridge(&world);
        world.fuse = fuse;
        world.is_burnt = false;
        scenario();
        const bool is_whole = !world.is_burnt;
        world.fuse = -1;
        for (int i = 0; i < SETTLE_ROUNDS; i++) {
            world_wait(&world, SETTLE_STEP_MS);
        }
        check(fuse);
        ck_assert_msg(world_outbox(&world) == 0, "dying at %d leaves calls", fuse);
        world_close(&world);
        if (is_whole) {
            break;
        }
    }
    ck_assert_int_gt(fuse, 10);
    ck_assert_int_lt(fuse, FUSES_MAX);
}

static void expect_matrix(int fuse, const char *body, size_t wanted)
{
    const size_t count = peers_count_matrix(&world.peers, "!made1", body);
    ck_assert_msg(count == wanted, "dying at %d: \"%s\" is there %zu times, not %zu", fuse, body,
                  count, wanted);
}

static void expect_gitter(int fuse, const char *text, size_t wanted)
{
    const size_t count = peers_count_gitter(&world.peers, "r1", text);
    ck_assert_msg(count == wanted, "dying at %d: \"%s\" is on Gitter %zu times, not %zu", fuse,
                  text, count, wanted);
}

static void say_on_gitter(void)
{
    world_says(&world, "r1", "bob", "one");
    world_settle(&world);
    world_says(&world, "r1", "carol", "two");
    world_says(&world, "r1", "bob", "three");
    world_settle(&world);
}

static void check_on_matrix(int fuse)
{
    expect_matrix(fuse, "one", 1);
    expect_matrix(fuse, "two", 1);
    expect_matrix(fuse, "three", 1);
    size_t last = 0;
    for (size_t i = 0; i < world.peers.events_count; i++) {
        const struct slice body = world.peers.events[i].body;
        const size_t at = slice_equal(body, SLICE("one"))     ? 1
                          : slice_equal(body, SLICE("two"))   ? 2
                          : slice_equal(body, SLICE("three")) ? 3
                                                              : 0;
        ck_assert_msg(at == 0 || at > last, "dying at %d: out of order", fuse);
        last = at == 0 ? last : at;
    }
}

START_TEST(message_to_matrix_survives_death_at_each_step)
{
    die_everywhere(say_on_gitter, check_on_matrix);
}
END_TEST

static void say_on_matrix(void)
{
    world_text(&world, "!made1", ALICE, "one");
    world_settle(&world);
    world_text(&world, "!made1", ALICE, "two");
    world_text(&world, "!made1", ALICE, "three");
    world_settle(&world);
}

static void check_on_gitter(int fuse)
{
    expect_gitter(fuse, "one", 1);
    expect_gitter(fuse, "two", 1);
    expect_gitter(fuse, "three", 1);
    expect_matrix(fuse, "one", 0);
    expect_matrix(fuse, "two", 0);
    expect_matrix(fuse, "three", 0);
}

START_TEST(message_to_gitter_survives_death_at_each_step)
{
    die_everywhere(say_on_matrix, check_on_gitter);
}
END_TEST

static void say_both_ways(void)
{
    world_text(&world, "!made1", ALICE, "mine");
    world_says(&world, "r1", "bob", "his");
    world_settle(&world);
    world_says(&world, "r1", "ann", "from my phone");
    world_settle(&world);
}

static void check_both_ways(int fuse)
{
    expect_gitter(fuse, "mine", 1);
    expect_matrix(fuse, "mine", 0);
    expect_matrix(fuse, "his", 1);
    expect_matrix(fuse, "from my phone", 1);
}

START_TEST(messages_both_ways_survive_death_at_each_step)
{
    die_everywhere(say_both_ways, check_both_ways);
}
END_TEST

static void change_on_matrix(void)
{
    const struct slice one = world_text(&world, "!made1", ALICE, "one");
    const struct slice two = world_text(&world, "!made1", ALICE, "two");
    (void)world_edit(&world, "!made1", ALICE, one, "eins");
    world_redact(&world, "!made1", ALICE, two);
    const struct slice three = world_text(&world, "!made1", ALICE, "three");
    world_settle(&world);
    (void)world_edit(&world, "!made1", ALICE, one, "uno");
    world_redact(&world, "!made1", ALICE, three);
    world_text(&world, "!made1", ALICE, "four");
    world_settle(&world);
}

static void check_changes(int fuse)
{
    expect_gitter(fuse, "one", 0);
    expect_gitter(fuse, "eins", 0);
    expect_gitter(fuse, "uno", 1);
    expect_gitter(fuse, "two", 0);
    expect_gitter(fuse, "three", 0);
    expect_gitter(fuse, "four", 1);
    expect_matrix(fuse, "uno", 0);
}

START_TEST(changes_before_their_posts_have_ended_survive_death_at_each_step)
{
    die_everywhere(change_on_matrix, check_changes);
}
END_TEST

static void invite_another_room(void)
{
    world_text(&world, CHAT, ALICE, "invite Beta/dev");
    world_settle(&world);
}

static void check_another_room(int fuse)
{
    const char *state = world_state(&world, ACTOR_ROOM, SLICE("@alice:hs|r2"));
    ck_assert_msg(strcmp(state, "INVITED") == 0, "dying at %d: the room is %s", fuse, state);
}

START_TEST(room_is_made_whatever_happens)
{
    die_everywhere(invite_another_room, check_another_room);
}
END_TEST

static void log_out(void)
{
    world_text(&world, CHAT, ALICE, "logout");
    world_settle(&world);
}

static void check_logged_out(int fuse)
{
    const char *user = world_state(&world, ACTOR_USER, SLICE(ALICE));
    const char *room = world_state(&world, ACTOR_ROOM, SLICE(ROOM_KEY));
    ck_assert_msg(strcmp(user, "UNAUTHENTICATED") == 0, "dying at %d: the user is %s", fuse, user);
    ck_assert_msg(strcmp(room, "-") == 0, "dying at %d: the room is %s", fuse, room);
    ck_assert_msg(world_said(&world, "You have been logged out."), "dying at %d: not told", fuse);
    ck_assert_msg(world_said(&world, "!made1 kick @alice:hs"), "dying at %d: not kicked", fuse);
}

START_TEST(logout_survives_death_at_each_step)
{
    die_everywhere(log_out, check_logged_out);
}
END_TEST

START_TEST(missed_messages_come_after_a_restart)
{
    world_open(&world);
    flow_bridge(&world);
    world_says(&world, "r1", "bob", "one");
    world_settle(&world);
    world.now_ms += 3600 * 1000;
    peers_say(&world.peers, "r1", "bob", "two", world.now_ms);
    world_crash(&world);
    world_settle(&world);
    world_wait(&world, 10 * 1000);
    expect_matrix(0, "one", 1);
    expect_matrix(0, "two", 1);
    world_assert_state(&world, ACTOR_FEED, ALICE, "LIVE");
    world_close(&world);
}
END_TEST

START_TEST(failed_commit_is_told_to_the_homeserver_and_repeated)
{
    world_open(&world);
    flow_bridge(&world);
    store_memory_fail_next(world.store, RC_FULL);
    world_text(&world, "!made1", ALICE, "one");
    const struct world_event *event = &world.events[world.events_count - 1];
    ck_assert(!event->is_done);
    ck_assert_int_eq(event->rc, RC_FULL);
    world_settle(&world);
    expect_gitter(0, "one", 0);
    world_event(&world, event->raw);
    world_wait(&world, 2000);
    expect_gitter(0, "one", 1);
    world_close(&world);
}
END_TEST

START_TEST(end_of_a_call_outlives_a_failed_commit)
{
    world_open(&world);
    flow_bridge(&world);
    world_text(&world, "!made1", ALICE, "one");
    store_memory_fail_next(world.store, RC_IO);
    world_make(&world, MSG_ROOM_POST_ENDED);
    ck_assert_uint_eq(world_outbox(&world), 1);
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    world_wait(&world, 2000);
    ck_assert_uint_eq(world_outbox(&world), 0);
    expect_gitter(0, "one", 1);
    world_close(&world);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("crash");
    TCase *tests = tcase_create("crash");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, message_to_matrix_survives_death_at_each_step);
    tcase_add_test(tests, message_to_gitter_survives_death_at_each_step);
    tcase_add_test(tests, messages_both_ways_survive_death_at_each_step);
    tcase_add_test(tests, changes_before_their_posts_have_ended_survive_death_at_each_step);
    tcase_add_test(tests, room_is_made_whatever_happens);
    tcase_add_test(tests, logout_survives_death_at_each_step);
    tcase_add_test(tests, missed_messages_come_after_a_restart);
    tcase_add_test(tests, failed_commit_is_told_to_the_homeserver_and_repeated);
    tcase_add_test(tests, end_of_a_call_outlives_a_failed_commit);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
