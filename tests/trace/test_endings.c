/* The end of a Matrix room while much is under way: nothing is lost, and nobody stays behind. */
#include "actors/face/face.h"
#include "actors/room/room.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

static struct world world;

static void setup(void)
{
    world_open(&world);
    world.settings.room_members_max = 30;
    world.peers.rooms = flow_rooms;
    flow_login(&world);
}

static void teardown(void)
{
    world_close(&world);
}

/* Ghosts in a room, or in all whose names begin so. */
static int count_in(const char *room)
{
    const struct slice before = arena_printf(world.arena, "joined %s", room);
    const struct slice ghost = SLICE(" @gitter_");
    int count = 0;
    for (size_t i = 0; i < world.peers.facts_count; i++) {
        const struct slice fact = world.peers.facts[i];
        count += slice_starts_with(fact, before) && slice_find(fact, ghost) < fact.len ? 1 : 0;
    }
    return count;
}

static const char three_people[] =
    "[{\"id\":\"cy\",\"username\":\"cy\",\"displayName\":\"Cy\"},"
    "{\"id\":\"ann\",\"username\":\"ann_g\",\"displayName\":\"Ann\"},"
    "{\"id\":\"dee\",\"username\":\"dee\",\"displayName\":\"\"},"
    "{\"id\":\"bob\",\"username\":\"bob\",\"displayName\":\"Bob\"}]";

/* The Matrix room is replaced */

START_TEST(replaced_room_goes_on_in_a_new_one)
{
    flow_invite(&world);
    world_says(&world, "r1", "bob", "before");
    world_settle(&world);
    flow_put_tombstone(&world);
    const struct room *room = world_peek(&world, ACTOR_ROOM, SLICE(ROOM_KEY));
    ck_slice_eq(room->matrix_room, SLICE("!made2"));
    ck_assert(world_said(&world, "!made2 invite @alice:hs\n"));
    ck_assert(!world_said(&world, "kick"));
    ck_assert_int_eq(count_in("!made1"), 0);
    world_member(&world, "!made2", ALICE, ALICE, "invite>join");
    world_says(&world, "r1", "bob", "after");
    world_text(&world, "!made2", ALICE, "from alice");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "before"), 0);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "after"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "after"), 0);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "from alice"), 1);
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(replaced_room_loses_nothing_that_was_under_way)
{
    flow_invite(&world);
    world_says(&world, "r1", "bob", "delivered");
    world_settle(&world);
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    world_wait(&world, 1000);
    world_says(&world, "r1", "bob", "waiting");
    world_text(&world, "!made1", ALICE, "posting");
    world_settle(&world);
    flow_put_tombstone(&world);
    world_says(&world, "r1", "bob", "meanwhile");
    world.is_held[MSG_ROOM_SEND_ENDED] = false;
    world.is_held[MSG_ROOM_POST_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "delivered"), 0);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "waiting"), 0);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "waiting"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "meanwhile"), 1);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "posting"), 1);
}
END_TEST

/* Leaving while people are coming */

static size_t count_relations(void)
{
    struct slice rights[8];
    size_t count = 0;
    ck_assert_int_eq(world.store->methods->relations(world.store, RELATION_GHOST_ROOM,
                                                     SLICE("!made1"), SLICE_EMPTY, world.arena,
                                                     rights, 8, &count),
                     RC_OK);
    return count;
}

START_TEST(nobody_stays_behind_when_the_room_ends_while_it_fills)
{
    flow_say_before(&world);
    world.is_held[MSG_FACE_JOIN_ENDED] = true;
    flow_invite(&world);
    ck_assert(world_has_head(&world, MSG_FACE_JOIN_ENDED));
    if (_i == 0) {
        world_member(&world, "!made1", ALICE, ALICE, "join>leave");
    } else {
        world_text(&world, CHAT, ALICE, "gpart acme/ops");
    }
    world_settle(&world);
    world.is_held[MSG_FACE_JOIN_ENDED] = false;
    world_settle(&world);
    ck_assert_int_eq(count_in("!made1"), 0);
    ck_assert_uint_eq(count_relations(), 0);
    ck_assert_uint_eq(world_outbox(&world), 0);
    world_assert_state(&world, ACTOR_FACE, ROOM_KEY, "-");
}
END_TEST

START_TEST(ghosts_do_not_stay_where_the_bot_was_removed)
{
    flow_say_before(&world);
    flow_invite(&world);
    ck_assert_int_eq(count_in("!made1"), 3);
    world_forget(&world);
    world_member(&world, "!made1", ALICE, BOT, "join>leave");
    world_settle(&world);
    world_expect(&world, "link @alice:hs unsubscribe r1\n"
                         "!made1 leave @gitter_bob:hs\n"
                         "!made1 leave @gitter_eve:hs\n"
                         "!made1 leave @gitter_zoe:hs\n");
    ck_assert_int_eq(count_in("!made1"), 0);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

/* A join that is on the wire cannot be taken back: the leave waits for it. */
START_TEST(ghost_whose_join_is_on_the_wire_leaves_behind_it)
{
    flow_say_before(&world);
    world.is_held[MSG_FACE_JOIN_ENDED] = true;
    flow_invite(&world);
    world.suspects[world.suspects_count++] = world_head(&world, MSG_FACE_JOIN_ENDED).id;
    world_member(&world, "!made1", ALICE, ALICE, "join>leave");
    world_settle(&world);
    ck_assert(!world_said(&world, "!made1 leave @gitter_eve:hs\n"));
    world.suspects_count = 0;
    world_make(&world, MSG_FACE_JOIN_ENDED);
    world_settle(&world);
    ck_assert(world_said(&world, "!made1 leave @gitter_eve:hs\n"));
    ck_assert_int_eq(count_in("!made1"), 0);
    ck_assert_uint_eq(count_relations(), 0);
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

enum {
    STEPS_MAX = 400
};

/* The process dies at each step of filling a room and leaving it; nobody stays behind. */
START_TEST(nobody_stays_behind_after_dying_at_each_step)
{
    int fuse = 0;
    for (bool is_burnt = true; is_burnt && fuse < STEPS_MAX; fuse++) {
        setup();
        flow_say_before(&world);
        world.peers.people = three_people;
        world.fuse = fuse;
        world.is_burnt = false;
        flow_command(&world, "invite acme/ops");
        world_says(&world, "r1", "dee", "hello");
        flow_command(&world, "gpart acme/ops");
        is_burnt = world.is_burnt;
        world.fuse = -1;
        for (int i = 0; i < 10; i++) {
            world_wait(&world, 10 * 1000);
        }
        ck_assert_msg(count_in("!made") == 0, "dying at %d leaves ghosts", fuse);
        ck_assert_msg(world_outbox(&world) == 0, "dying at %d leaves calls", fuse);
        world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
        world_assert_state(&world, ACTOR_FACE, ROOM_KEY, "-");
        teardown();
    }
    ck_assert_int_gt(fuse, 50);
    ck_assert_int_lt(fuse, STEPS_MAX);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("endings");
    TCase *tests = tcase_create("endings");
    TCase *deaths = tcase_create("deaths");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, replaced_room_goes_on_in_a_new_one);
    tcase_add_test(tests, replaced_room_loses_nothing_that_was_under_way);
    tcase_add_loop_test(tests, nobody_stays_behind_when_the_room_ends_while_it_fills, 0, 2);
    tcase_add_test(tests, ghosts_do_not_stay_where_the_bot_was_removed);
    tcase_add_test(tests, ghost_whose_join_is_on_the_wire_leaves_behind_it);
    tcase_set_timeout(deaths, 120);
    tcase_add_test(deaths, nobody_stays_behind_after_dying_at_each_step);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, deaths);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
