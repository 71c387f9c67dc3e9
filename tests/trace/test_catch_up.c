/* What was said on Gitter while nobody listened: how much of it is brought, and rooms that cannot
 * be read for a while. */
#include "actors/room/room.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

enum {
    CAP = 150,
    AHEAD_MS = 60 * 60 * 1000,
};

static struct world world;

static void setup(void)
{
    world_open(&world);
    flow_bridge(&world);
    world_says(&world, "r1", "bob", "before");
    world_settle(&world);
    world_forget(&world);
}

static void teardown(void)
{
    world_close(&world);
}

/* Without a connection: "m0", "m1", ... */
static void miss(int count)
{
    world_unlink(&world, ALICE, "LOST");
    for (int i = 0; i < count; i++) {
        world.now_ms += 1000;
        peers_say(&world.peers, "r1", "bob", arena_printf(world.arena, "m%d", i).ptr, world.now_ms);
    }
    world_forget(&world);
}

/* Of those the last so many, in order, and nothing else of Gitter behind the first `events`. */
static void expect_last(size_t events, int missed, int brought)
{
    int next = missed - brought;
    for (size_t i = events; i < world.peers.events_count; i++) {
        const struct peer_event *event = &world.peers.events[i];
        if (slice_starts_with(event->sender, SLICE("@gitter_"))) {
            const struct slice wanted = arena_printf(world.arena, "m%d", next);
            ck_slice_eq(event->body, wanted);
            next++;
        }
    }
    ck_assert_int_eq(next, missed);
    ck_assert_uint_eq(world_outbox(&world), 0);
}

static const char notice[] =
    "More than 150 messages were written here on Gitter while I was not connected to it. I bring "
    "the newest 150; those before them are only there: https://gitter.example/acme/ops";

START_TEST(very_many_missed_messages_are_cut_and_told)
{
    const size_t before = world.peers.events_count;
    world.settings.catch_up_messages = CAP;
    miss(260);
    world_wait(&world, 5000);
    ck_assert(slice_starts_with(buf_slice(&world.peers.log), SLICE("link @alice:hs open\n"
                                                                   "link @alice:hs subscribe r1\n"
                                                                   "gitter r1 read\n"
                                                                   "gitter r1 read behind 150\n")));
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", notice), 1);
    ck_slice_eq(world.peers.events[before].body, slice_from_cstr(notice));
    expect_last(before, 260, CAP);
    world_says(&world, "r1", "bob", "live");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "live"), 1);
}
END_TEST

START_TEST(as_many_as_are_brought_at_most_are_brought_whole)
{
    const size_t before = world.peers.events_count;
    world.settings.catch_up_messages = CAP;
    miss(CAP);
    world_wait(&world, 5000);
    ck_assert(!world_said(&world, "More than"));
    expect_last(before, CAP, CAP);
}
END_TEST

START_TEST(less_than_a_page_is_brought_without_asking)
{
    const size_t before = world.peers.events_count;
    world.settings.catch_up_messages = 50;
    miss(80);
    world_wait(&world, 5000);
    ck_assert(!world_said(&world, "read behind"));
    expect_last(before, 80, 80);
}
END_TEST

START_TEST(missed_message_bears_its_own_time)
{
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    miss(40);
    const struct slice ts = arena_printf(world.arena, "&ts=%lld", (long long)world.now_ms - 39000);
    world_wait(&world, 60 * 60 * 1000);
    const struct slice path = world_head(&world, MSG_ROOM_SEND_ENDED).call.path;
    ck_assert(slice_find(path, ts) < path.len);
}
END_TEST

START_TEST(without_a_limit_all_is_brought)
{
    const size_t before = world.peers.events_count;
    world.settings.catch_up_messages = 0;
    miss(350);
    world_wait(&world, 5000);
    ck_assert(!world_said(&world, "read behind"));
    expect_last(before, 350, 350);
}
END_TEST

/* Up to the question how much it is, which ends like this. */
static void ask_in_vain(int status)
{
    world.settings.catch_up_messages = CAP;
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = true;
    miss(260);
    world_wait(&world, 5000);
    world_make(&world, MSG_ROOM_CATCH_UP_ENDED);
    world_end(&world, MSG_ROOM_CATCH_UP_ENDED, CALL_END_FAILED, status, "");
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = false;
    world_settle(&world);
}

START_TEST(server_that_does_not_say_how_much_it_is_is_read_whole)
{
    const size_t before = world.peers.events_count;
    ask_in_vain(400);
    expect_last(before, 260, 260);
}
END_TEST

START_TEST(question_that_fails_is_asked_again)
{
    const size_t before = world.peers.events_count;
    ask_in_vain(502);
    ck_assert_uint_eq(world.peers.events_count, before);
    world_wait(&world, 30 * 1000);
    expect_last(before, 260, CAP);
}
END_TEST

/* Rooms that cannot be read */

static void be_refused(int status)
{
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = true;
    const struct msg_link gap = {.owner = SLICE(ALICE), .session = world.sessions};
    world_post(&world, MSG_LINK_GAP, &gap);
    world_end(&world, MSG_ROOM_CATCH_UP_ENDED, CALL_END_FAILED, status, "");
    world_settle(&world);
}

START_TEST(room_that_is_closed_for_a_while_is_told_once_and_read_again)
{
    const size_t before = world.peers.events_count;
    be_refused(403);
    world_expect(&world, "!made1 @bot:hs m.notice: This room can no longer be read on Gitter: you "
                         "may not do that there. I try again every few minutes.\n");
    peers_say(&world.peers, "r1", "bob", "m0", world.now_ms);
    for (int i = 0; i < 3; i++) {
        world_wait(&world, 5 * 60 * 1000);
        world_end(&world, MSG_ROOM_CATCH_UP_ENDED, CALL_END_FAILED, 404, "");
        world_settle(&world);
    }
    world_expect(&world, "");
    world_says(&world, "r1", "bob", "m1");
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = false;
    world_wait(&world, 5 * 60 * 1000);
    world_expect(&world, "gitter r1 read\n"
                         "link @alice:hs subscribe r1\n"
                         "!made1 @bot:hs m.notice: This room can be read on Gitter again.\n"
                         "!made1 @gitter_bob:hs m.text: m0\n"
                         "!made1 @gitter_bob:hs m.text: m1\n");
    expect_last(before, 2, 2);
}
END_TEST

START_TEST(closed_room_that_has_a_live_channel_again_is_open)
{
    const size_t before = world.peers.events_count;
    be_refused(403);
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = false;
    miss(3);
    world_wait(&world, 5000);
    ck_assert(world_said(&world, "This room can be read on Gitter again."));
    expect_last(before, 3, 3);
    world_forget(&world);
    world_wait(&world, 10 * 60 * 1000);
    ck_assert(!world_said(&world, "notice"));
}
END_TEST

/* Where a room begins, while our clock is ahead of Gitter's */

static void setup_ahead(void)
{
    world_open(&world);
    world.peers.rooms = flow_rooms;
    world.is_gitter_down = true; /* of its links */
    flow_login(&world);
}

static void say_behind(const char *text)
{
    (void)peers_say(&world.peers, "r1", "bob", text, world.now_ms - AHEAD_MS);
}

static void invite(void)
{
    (void)world_text(&world, CHAT, ALICE, "invite acme/ops");
    world_settle(&world);
}

static void join(void)
{
    world_member(&world, "!made1", ALICE, ALICE, "invite>join");
    world_settle(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}

static size_t count_of(const char *text)
{
    return peers_count_matrix(&world.peers, "!made1", text);
}

START_TEST(room_begins_behind_the_last_message)
{
    say_behind("old");
    invite();
    say_behind("new");
    join();
    world_wait(&world, 40 * 1000);
    ck_assert_uint_eq(count_of("old"), 0);
    ck_assert_uint_eq(count_of("new"), 1);
    world.is_gitter_down = false;
    world_wait(&world, 400 * 1000);
    world_unlink(&world, ALICE, "LOST");
    say_behind("missed");
    world_wait(&world, 10 * 1000);
    ck_assert_uint_eq(count_of("missed"), 1);
    ck_assert_uint_eq(count_of("old"), 0);
}
END_TEST

START_TEST(all_that_comes_to_an_empty_room_is_new)
{
    invite();
    join();
    say_behind("first");
    world_wait(&world, 40 * 1000);
    ck_assert_uint_eq(count_of("first"), 1);
}
END_TEST

START_TEST(room_is_made_when_its_beginning_is_known)
{
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = true;
    invite();
    world_wait(&world, 40 * 1000);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "CREATING");
    ck_assert_int_eq(world.peers.rooms_made, 0);
    say_behind("before");
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = false;
    world_settle(&world);
    say_behind("new");
    join();
    world_wait(&world, 40 * 1000);
    ck_assert_uint_eq(count_of("before"), 0);
    ck_assert_uint_eq(count_of("new"), 1);
}
END_TEST

START_TEST(room_of_which_gitter_does_not_tell_begins_by_our_clock)
{
    say_behind("old");
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = true;
    invite();
    world_end(&world, MSG_ROOM_CATCH_UP_ENDED, CALL_END_FAILED, 404, "");
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = false;
    world_settle(&world);
    join();
    (void)peers_say(&world.peers, "r1", "bob", "new", world.now_ms + 1000);
    world_wait(&world, 40 * 1000);
    ck_assert_uint_eq(count_of("old"), 0);
    ck_assert_uint_eq(count_of("new"), 1);
}
END_TEST

START_TEST(room_that_waits_for_its_beginning_can_be_given_up)
{
    world.is_held[MSG_ROOM_CATCH_UP_ENDED] = true;
    invite();
    (void)world_text(&world, CHAT, ALICE, "logout");
    world_settle(&world);
    world_wait(&world, 40 * 1000);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("catch_up");
    TCase *tests = tcase_create("catch_up");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, very_many_missed_messages_are_cut_and_told);
    tcase_add_test(tests, as_many_as_are_brought_at_most_are_brought_whole);
    tcase_add_test(tests, less_than_a_page_is_brought_without_asking);
    tcase_add_test(tests, missed_message_bears_its_own_time);
    tcase_add_test(tests, without_a_limit_all_is_brought);
    tcase_add_test(tests, server_that_does_not_say_how_much_it_is_is_read_whole);
    tcase_add_test(tests, question_that_fails_is_asked_again);
    tcase_add_test(tests, room_that_is_closed_for_a_while_is_told_once_and_read_again);
    tcase_add_test(tests, closed_room_that_has_a_live_channel_again_is_open);
    suite_add_tcase(suite, tests);
    TCase *ahead = tcase_create("ahead");
    tcase_add_checked_fixture(ahead, setup_ahead, teardown);
    tcase_add_test(ahead, room_begins_behind_the_last_message);
    tcase_add_test(ahead, all_that_comes_to_an_empty_room_is_new);
    tcase_add_test(ahead, room_is_made_when_its_beginning_is_known);
    tcase_add_test(ahead, room_of_which_gitter_does_not_tell_begins_by_our_clock);
    tcase_add_test(ahead, room_that_waits_for_its_beginning_can_be_given_up);
    suite_add_tcase(suite, ahead);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
