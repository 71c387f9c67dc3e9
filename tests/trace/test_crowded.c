/* What is said on Gitter while the homeserver is away: it waits there, and not in our outbox, and
 * is brought whole and in order afterwards. */
#include "actors/room/room.h"
#include "tests/trace/flow.h"
#include "tests/trace/world_parts.h"
#include "tests/unit/slice_check.h"

#define CARLA "@carla:hs"

enum {
    MOST = 20, /* calls to the homeserver that may wait for one owner */
    SLACK = 6, /* those of one message, and of a change */
    HOUR_MS = 3600 * 1000
};

static struct world world;
static int said; /* "m0", "m1", ... */

static void setup(void)
{
    said = 0;
    world_open(&world);
    flow_bridge(&world);
    world.settings.owner_incoming_max = MOST;
}

static void teardown(void)
{
    world_close(&world);
}

static void homeserver_is_away(bool is_away)
{
    static const int purposes[] = {MSG_ROOM_SEND_ENDED, MSG_ROOM_GHOST_ENDED, MSG_ROOM_JOIN_ENDED,
                                   MSG_GHOST_REGISTER_ENDED, MSG_ROOM_CHANGE_ENDED};
    for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++) {
        world.is_held[purposes[i]] = is_away;
    }
}

static int64_t waiting(const char *owner)
{
    int64_t calls = 0;
    ck_rc_eq(world.store->methods->waiting(world.store, slice_from_cstr(owner),
                                           CALL_AUTH_APPSERVICE, &calls),
             RC_OK);
    return calls;
}

static void pour(const char *user, int count)
{
    for (int i = 0; i < count; i++) {
        world.now_ms += 200;
        world_says(&world, "r1", user, arena_printf(world.arena, "m%d", said).ptr);
        world_settle(&world);
        said++;
        ck_assert_int_le(waiting(ALICE), MOST + SLACK);
    }
}

/* All that was poured is in the room, once and in this order. */
static void assert_all_brought(const char *matrix_room)
{
    int next = 0;
    for (size_t i = 0; i < world.peers.events_count; i++) {
        const struct peer_event *event = &world.peers.events[i];
        if (slice_equal_cstr(event->room, matrix_room) &&
            slice_starts_with(event->body, SLICE("m")) &&
            slice_starts_with(event->sender, SLICE("@gitter_"))) {
            ck_slice_eq(event->body, arena_printf(world.arena, "m%d", next));
            next++;
        }
    }
    ck_assert_int_eq(next, said);
}

static const struct room *room(void)
{
    return world_peek(&world, ACTOR_ROOM, SLICE(ROOM_KEY));
}

static void come_to_rest(void)
{
    homeserver_is_away(false);
    for (int i = 0; i < 40 && (room()->is_crowded || world_outbox(&world) > 0); i++) {
        world_wait(&world, 30 * 1000);
        ck_assert_int_le(waiting(ALICE), MOST + SLACK);
    }
    ck_assert(!room()->is_crowded && !room()->is_behind);
    ck_assert_uint_eq(world_outbox(&world), 0);
}

START_TEST(what_is_poured_while_the_homeserver_is_away_waits_on_gitter)
{
    homeserver_is_away(true);
    pour("bob", 60);
    ck_assert_int_ge(waiting(ALICE), MOST);
    ck_assert(room()->is_crowded);
    world_forget(&world);
    world_wait(&world, HOUR_MS);
    ck_assert(!world_said(&world, "read")); /* not even asked for */
    pour("eve", 200);
    come_to_rest();
    assert_all_brought("!made1");
    world_forget(&world);
    pour("bob", 1);
    ck_assert(world_said(&world, "!made1 @gitter_bob:hs m.text: m260\n"));
    ck_assert(!world_said(&world, "read"));
}
END_TEST

/* That limit is for what was missed, not for what was put off. */
START_TEST(nothing_that_was_put_off_is_left_out)
{
    world.settings.catch_up_messages = 50;
    homeserver_is_away(true);
    pour("bob", 300);
    come_to_rest();
    assert_all_brought("!made1");
    ck_assert(!world_said(&world, "More than"));
}
END_TEST

START_TEST(new_connection_changes_nothing_of_it)
{
    homeserver_is_away(true);
    pour("bob", 50);
    world_unlink(&world, ALICE, "LOST");
    world_wait(&world, 5000);
    ck_assert_int_le(waiting(ALICE), MOST + SLACK);
    pour("bob", 150);
    come_to_rest();
    assert_all_brought("!made1");
}
END_TEST

START_TEST(crash_in_the_middle_changes_nothing_of_it)
{
    homeserver_is_away(true);
    pour("bob", 70);
    world_crash(&world);
    world_settle(&world);
    world_wait(&world, 5000);
    pour("bob", 80);
    world_crash(&world);
    world_settle(&world);
    come_to_rest();
    assert_all_brought("!made1");
}
END_TEST

START_TEST(snapshot_of_a_connection_is_taken_as_far_as_there_is_room)
{
    world.settings.owner_incoming_max = 10;
    homeserver_is_away(true);
    pour("bob", 1);
    world_unlink(&world, ALICE, "LOST");
    for (; said < 25; said++) {
        world.now_ms += 1000;
        peers_say(&world.peers, "r1", "bob", arena_printf(world.arena, "m%d", said).ptr,
                  world.now_ms);
    }
    world_wait(&world, 5000);
    ck_assert_int_ge(waiting(ALICE), 10);
    ck_assert_int_le(waiting(ALICE), 10 + SLACK);
    come_to_rest();
    assert_all_brought("!made1");
}
END_TEST

START_TEST(owner_is_told_by_status)
{
    homeserver_is_away(true);
    pour("bob", 60);
    world_text(&world, CHAT, ALICE, "status");
    world_settle(&world);
    ck_assert(slice_find(flow_last_event(&world)->body,
                         SLICE("; what else is said on Gitter is brought when these are.\n")) <
              flow_last_event(&world)->body.len);
    come_to_rest();
    flow_command(&world, "status");
    ck_assert(slice_find(flow_last_event(&world)->body, SLICE("Waiting for Matrix: 0.\n")) <
              flow_last_event(&world)->body.len);
}
END_TEST

START_TEST(other_owner_is_not_concerned)
{
    flow_chat(&world, "!other", CARLA);
    flow_follow_link(&world, "ben");
    world_text(&world, "!other", CARLA, "invite Beta/dev");
    world_settle(&world);
    world_member(&world, "!made2", CARLA, CARLA, "invite>join");
    world_settle(&world);
    homeserver_is_away(true);
    pour("bob", 40);
    ck_assert(room()->is_crowded);
    homeserver_is_away(false);
    world_says(&world, "r2", "eve", "for carla");
    world_run(&world);
    const struct room *other = world_peek(&world, ACTOR_ROOM, SLICE(CARLA "|r2"));
    ck_assert(!other->is_behind && !other->is_crowded);
    ck_assert_int_gt(waiting(CARLA), 0);
    come_to_rest();
    assert_all_brought("!made1");
}
END_TEST

START_TEST(without_a_limit_everything_is_taken_at_once)
{
    world.settings.owner_incoming_max = 0;
    homeserver_is_away(true);
    for (; said < 60; said++) {
        world_says(&world, "r1", "bob", arena_printf(world.arena, "m%d", said).ptr);
    }
    world_settle(&world);
    ck_assert_int_ge(waiting(ALICE), 60);
    come_to_rest();
    assert_all_brought("!made1");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("crowded");
    TCase *tests = tcase_create("crowded");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, what_is_poured_while_the_homeserver_is_away_waits_on_gitter);
    tcase_add_test(tests, nothing_that_was_put_off_is_left_out);
    tcase_add_test(tests, new_connection_changes_nothing_of_it);
    tcase_add_test(tests, crash_in_the_middle_changes_nothing_of_it);
    tcase_add_test(tests, snapshot_of_a_connection_is_taken_as_far_as_there_is_room);
    tcase_add_test(tests, owner_is_told_by_status);
    tcase_add_test(tests, other_owner_is_not_concerned);
    tcase_add_test(tests, without_a_limit_everything_is_taken_at_once);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
