/* After a start: the homeserver's rooms and Gitter's against ours, when one side was restored from
 * a backup or events were lost. */
#include "actors/chat/chat.h"
#include "actors/muster/muster.h"
#include "actors/room/room.h"
#include "actors/user/user.h"
#include "tests/trace/flow.h"
#include "tests/trace/world_parts.h"
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

/* The homeserver has the bot in a room of which we know nothing. */
static void stray(const char *room, const char *marker)
{
    peers_note(&world.peers, flow_fact(&world, "joined", room, BOT));
    if (marker != NULL) {
        peers_note(&world.peers, arena_printf(world.arena, "made %s for %s", room, marker));
    }
}

static void homeserver_loses(const char *room)
{
    peers_unlearn(&world.peers, flow_fact(&world, "joined", room, BOT));
    peers_unlearn(&world.peers, flow_fact(&world, "joined", room, "@gitter_bob:hs"));
    peers_unlearn(&world.peers, flow_fact(&world, "invited", room, "@gitter_bob:hs"));
}

static bool is_bot_in(const char *room)
{
    return peers_know(&world.peers, flow_fact(&world, "joined", room, BOT));
}

/* Our database is what it was when the copy was made. */
static void restore(struct store *copy)
{
    struct store *newer = world.store;
    world.store = copy;
    flow_restart(&world);
    newer->methods->close(newer);
}

START_TEST(nothing_happens_when_all_is_well)
{
    flow_restart(&world);
    world_expect(&world, "link @alice:hs close\n"
                         "link @alice:hs open\n"
                         "link @alice:hs subscribe r1\n");
    flow_assert_mustered(&world);
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

/* What the homeserver lost */

START_TEST(bridged_room_that_is_gone_is_made_anew_and_goes_on)
{
    world_says(&world, "r1", "bob", "before");
    world_settle(&world);
    homeserver_loses("!made1");
    flow_restart(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "INVITED");
    ck_assert(world_said(&world, "The Matrix room for acme/ops is gone. I am making a new one"));
    ck_assert(world_said(&world, "!made2 invite @alice:hs\n"));
    ck_assert_int_eq(world.peers.rooms_made, 2);
    world_says(&world, "r1", "bob", "after");
    world_settle(&world);
    world_member(&world, "!made2", ALICE, ALICE, "invite>join");
    world_text(&world, "!made2", ALICE, "from me");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "after"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "before"), 0);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "from me"), 1);
    world_forget(&world);
    flow_restart(&world);
    ck_assert_int_eq(world.peers.rooms_made, 2);
}
END_TEST

START_TEST(what_waited_for_a_room_that_is_gone_comes_into_the_new_one)
{
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    world_says(&world, "r1", "bob", "on its way");
    world_settle(&world);
    homeserver_loses("!made1");
    world_crash(&world);
    world_settle(&world);
    world.is_held[MSG_ROOM_SEND_ENDED] = false;
    world_wait(&world, 2000);
    world_wait(&world, 60 * 1000);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "on its way"), 1);
}
END_TEST

START_TEST(private_chat_that_is_gone_is_opened_anew_when_there_is_something_to_say)
{
    homeserver_loses(CHAT);
    flow_restart(&world);
    world_assert_state(&world, ACTOR_CHAT, CHAT, "-");
    const struct user *user = world_peek(&world, ACTOR_USER, SLICE(ALICE));
    ck_assert_uint_eq(user->private_room.len, 0);
    world_forget(&world);
    const struct msg_owner owner = {.owner = SLICE(ALICE)};
    world_post(&world, MSG_TOKEN_REFUSED, &owner);
    world_settle(&world);
    ck_assert(world_said(&world, "create \"Gitter bridge\" as !made2\n"));
}
END_TEST

START_TEST(ghosts_that_are_gone_are_registered_named_and_joined_anew)
{
    world_says(&world, "r1", "bob", "before");
    world_settle(&world);
    peers_unlearn(&world.peers, SLICE("registered @gitter_bob:hs"));
    peers_unlearn(&world.peers, flow_fact(&world, "joined", "!made1", "@gitter_bob:hs"));
    world_forget(&world);
    world_says(&world, "r1", "bob", "after");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "after"), 1);
    ck_assert(peers_know(&world.peers, SLICE("registered @gitter_bob:hs")));
    ck_assert(world_said(&world, "name @gitter_bob:hs \"bob Name (Gitter)\"\n"));
}
END_TEST

START_TEST(room_that_refuses_even_the_ghosts_is_asked_about_at_once)
{
    homeserver_loses("!made1");
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    world_says(&world, "r1", "bob", "refused");
    world_settle(&world);
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_FAILED, 403, "");
    world_settle(&world);
    world_end(&world, MSG_ROOM_SEND_ENDED, CALL_END_FAILED, 403, "");
    world.is_held[MSG_ROOM_SEND_ENDED] = false;
    world_settle(&world);
    ck_assert(world_said(&world, "The Matrix room for acme/ops is gone."));
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "INVITED");
    flow_assert_mustered(&world);
}
END_TEST

/* The list may be older than what we know. */
START_TEST(room_that_is_only_missing_in_the_list_stays)
{
    world.is_held[MSG_MUSTER_ROOMS_ENDED] = true;
    world_crash(&world);
    world_settle(&world);
    world_end(&world, MSG_MUSTER_ROOMS_ENDED, CALL_END_DONE, 200, "{\"joined_rooms\":[]}");
    world.is_held[MSG_MUSTER_ROOMS_ENDED] = false;
    world_settle(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
    world_assert_state(&world, ACTOR_CHAT, CHAT, "PRIVATE");
    flow_assert_mustered(&world);
}
END_TEST

START_TEST(list_that_cannot_be_had_changes_nothing)
{
    static const char *const bodies[] = {"", "[]", "{\"joined_rooms\":3}"};
    for (size_t i = 0; i < 3; i++) {
        world.is_held[MSG_MUSTER_ROOMS_ENDED] = true;
        world_crash(&world);
        world_settle(&world);
        world_end(&world, MSG_MUSTER_ROOMS_ENDED, i == 0 ? CALL_END_FAILED : CALL_END_DONE,
                  i == 0 ? 500 : 200, bodies[i]);
        world.is_held[MSG_MUSTER_ROOMS_ENDED] = false;
        world_settle(&world);
        world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
        flow_assert_mustered(&world);
    }
    homeserver_loses("!made1");
    flow_restart(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "INVITED");
}
END_TEST

/* What we lost */

START_TEST(bridged_room_we_know_nothing_of_is_left_with_a_word)
{
    stray("!old", "@alice:hs|r9");
    flow_restart(&world);
    ck_assert(world_said(&world, "!old @bot:hs m.notice: I have lost what I knew about this room"));
    ck_assert(world_said(&world, "!old leave @bot:hs\n!old forget @bot:hs\n"));
    ck_assert(!is_bot_in("!old"));
}
END_TEST

/* Else they would stay for ever, and all that is said there would go on coming to us. */
START_TEST(ghosts_leave_a_room_we_know_nothing_of_before_the_bot_does)
{
    stray("!old", "@alice:hs|r9");
    peers_note(&world.peers, flow_fact(&world, "joined", "!old", "@gitter_bob:hs"));
    peers_note(&world.peers, flow_fact(&world, "joined", "!old", "@gitter_carl:hs"));
    world.peers.members = "{\"@alice:hs\":{},\"" BOT "\":{},\"@gitter_bob:elsewhere\":{},"
                          "\"@gitter_bob:hs\":{},\"@gitter_carl:hs\":{}}";
    world_forget(&world);
    flow_restart(&world);
    ck_assert(world_said(&world, "!old @bot:hs m.notice: I have lost what I knew about this room"));
    ck_assert(world_said(&world, "!old leave @gitter_bob:hs\n!old leave @gitter_carl:hs\n"
                                 "!old leave @bot:hs\n!old forget @bot:hs\n"));
    ck_assert(!world_said(&world, "leave @alice:hs"));
    ck_assert(!world_said(&world, "elsewhere"));
    flow_assert_mustered(&world);
}
END_TEST

START_TEST(room_whose_people_cannot_be_read_is_left_at_a_later_start)
{
    stray("!old", "@alice:hs|r9");
    for (int i = 0; i < 2; i++) {
        world.is_held[MSG_MUSTER_PEOPLE_ENDED] = true;
        flow_restart(&world);
        world_end(&world, MSG_MUSTER_PEOPLE_ENDED, i == 0 ? CALL_END_FAILED : CALL_END_DONE,
                  i == 0 ? 500 : 200, "{}");
        world.is_held[MSG_MUSTER_PEOPLE_ENDED] = false;
        world_settle(&world);
        ck_assert(is_bot_in("!old"));
        flow_assert_mustered(&world);
    }
    flow_restart(&world);
    ck_assert(!is_bot_in("!old"));
}
END_TEST

/* Its create event comes late, and tells that it is the room that was being made. */
START_TEST(room_that_is_found_out_to_be_ours_meanwhile_stays)
{
    world.is_held[MSG_MUSTER_PEOPLE_ENDED] = true;
    stray("!late", "@alice:hs|r2");
    flow_restart(&world);
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    world_text(&world, CHAT, ALICE, "invite Beta/dev");
    world_settle(&world);
    world_created(&world, "!late", BOT, "@alice:hs|r2");
    world_end(&world, MSG_ROOM_CREATE_ENDED, CALL_END_UNKNOWN, 0, "");
    world_settle(&world);
    world.is_held[MSG_MUSTER_PEOPLE_ENDED] = false;
    world_settle(&world);
    ck_assert(is_bot_in("!late"));
    ck_assert(!world_said(&world, "I have lost what I knew"));
}
END_TEST

START_TEST(second_room_for_what_is_bridged_is_left)
{
    stray("!second", ROOM_KEY);
    flow_restart(&world);
    ck_assert(!is_bot_in("!second"));
    ck_assert(is_bot_in("!made1"));
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}
END_TEST

START_TEST(room_that_is_being_made_is_left_alone)
{
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    world_text(&world, CHAT, ALICE, "invite Beta/dev");
    world_settle(&world);
    stray("!coming", "@alice:hs|r2");
    world_crash(&world);
    world_settle(&world);
    ck_assert(is_bot_in("!coming"));
    world_created(&world, "!coming", BOT, "@alice:hs|r2");
    world_end(&world, MSG_ROOM_CREATE_ENDED, CALL_END_UNKNOWN, 0, "");
    world_settle(&world);
    const struct room *room = world_peek(&world, ACTOR_ROOM, SLICE("@alice:hs|r2"));
    ck_slice_eq(room->matrix_room, SLICE("!coming"));
}
END_TEST

START_TEST(private_chat_we_know_nothing_of_is_taken_up)
{
    stray("!lost", NULL);
    world.peers.members = "{\"" BOT "\":{},\"@carla:hs\":{}}";
    flow_restart(&world);
    world_assert_state(&world, ACTOR_CHAT, "!lost", "PRIVATE");
    ck_assert(world_said(&world, "!lost @bot:hs m.notice: Hi carla!"));
}
END_TEST

START_TEST(room_of_many_we_know_nothing_of_is_left)
{
    stray("!crowd", NULL);
    world.peers.members = "{\"" BOT "\":{},\"@carla:hs\":{},\"@dave:hs\":{}}";
    flow_restart(&world);
    ck_assert(world_said(&world, "!crowd leave @bot:hs\n"));
}
END_TEST

START_TEST(room_with_somebody_who_may_not_use_the_bridge_is_left)
{
    stray("!theirs", NULL);
    world.peers.members = "{\"" BOT "\":{},\"@mallory:hs\":{}}";
    flow_restart(&world);
    ck_assert(world_said(&world, "!theirs leave @bot:hs\n"));
    world_assert_state(&world, ACTOR_CHAT, "!theirs", "-");
}
END_TEST

START_TEST(empty_room_we_know_nothing_of_is_left)
{
    stray("!empty", NULL);
    world.peers.members = "{\"" BOT "\":{}}";
    flow_restart(&world);
    ck_assert(world_said(&world, "!empty leave @bot:hs\n"));
}
END_TEST

START_TEST(chat_the_bot_had_opened_still_waits_for_its_user)
{
    stray("!opened", "@carla:hs");
    world.peers.members = "{\"" BOT "\":{}}";
    flow_restart(&world);
    world_assert_state(&world, ACTOR_CHAT, "!opened", "CHECKING");
    world.peers.members = "{\"" BOT "\":{},\"@carla:hs\":{}}";
    world_member(&world, "!opened", "@carla:hs", "@carla:hs", "invite>join");
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, "!opened", "PRIVATE");
}
END_TEST

START_TEST(room_that_cannot_be_asked_about_is_left_alone)
{
    stray("!mute", NULL);
    world.is_held[MSG_MUSTER_CREATE_ENDED] = true;
    world_crash(&world);
    world_settle(&world);
    world_end(&world, MSG_MUSTER_CREATE_ENDED, CALL_END_FAILED, 404, "");
    world_settle(&world);
    ck_assert(is_bot_in("!mute"));
    flow_assert_mustered(&world);
}
END_TEST

START_TEST(many_rooms_are_looked_at_a_few_at_a_time)
{
    for (int i = 0; i < 200; i++) {
        stray(arena_printf(world.arena, "!old%03d", i).ptr, "@alice:hs|r9");
    }
    world.is_held[MSG_MUSTER_CREATE_ENDED] = true;
    world_crash(&world);
    world_settle(&world);
    const struct muster *muster = world_peek(&world, ACTOR_MUSTER, SLICE(BOT));
    ck_assert_int_eq(muster->pending, MUSTER_PENDING_MAX);
    world.is_held[MSG_MUSTER_CREATE_ENDED] = false;
    world_settle(&world);
    for (int i = 0; i < 200; i++) {
        ck_assert(!is_bot_in(arena_printf(world.arena, "!old%03d", i).ptr));
    }
    flow_assert_mustered(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}
END_TEST

START_TEST(crash_in_the_middle_begins_anew)
{
    for (int i = 0; i < 100; i++) {
        stray(arena_printf(world.arena, "!old%03d", i).ptr, "@alice:hs|r9");
    }
    for (int fuse = 1; fuse < 60; fuse += 7) {
        world_crash(&world);
        world.fuse = fuse;
        world_settle(&world);
    }
    world.fuse = -1;
    world_settle(&world);
    for (int i = 0; i < 100; i++) {
        ck_assert(!is_bot_in(arena_printf(world.arena, "!old%03d", i).ptr));
    }
    flow_assert_mustered(&world);
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

/* An older database of ours */

START_TEST(older_database_without_the_room_loses_nothing_that_comes_after)
{
    world_text(&world, CHAT, ALICE, "hello"); /* so that the room is not yet in the copy */
    world_settle(&world);
    struct store *copy = store_memory_copy(world.store);
    world_text(&world, CHAT, ALICE, "invite Beta/dev");
    world_settle(&world);
    world_member(&world, "!made2", ALICE, ALICE, "invite>join");
    world_settle(&world);
    restore(copy);
    ck_assert(!is_bot_in("!made2"));
    world_text(&world, CHAT, ALICE, "invite Beta/dev");
    world_settle(&world);
    world_member(&world, "!made3", ALICE, ALICE, "invite>join");
    world_settle(&world);
    world_says(&world, "r2", "bob", "after");
    world_text(&world, "!made3", ALICE, "from me");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made3", "after"), 1);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r2", "from me"), 1);
}
END_TEST

START_TEST(older_database_reads_what_was_said_since_and_doubles_nothing_the_homeserver_remembers)
{
    world_says(&world, "r1", "bob", "in both");
    world_settle(&world);
    struct store *copy = store_memory_copy(world.store);
    world_says(&world, "r1", "bob", "since");
    world_text(&world, "!made1", ALICE, "my own");
    world_settle(&world);
    restore(copy);
    world_says(&world, "r1", "bob", "after");
    world_text(&world, "!made1", ALICE, "my next");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "in both"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "since"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "after"), 1);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "my own"), 1);
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "my next"), 1);
}
END_TEST

/* Gitter */

static const char without_r1[] =
    "[{\"id\":\"r2\",\"name\":\"Beta/dev\",\"uri\":\"Beta/dev\",\"url\":\"/Beta/dev\","
    "\"roomMember\":true}]";

START_TEST(room_left_on_gitter_meanwhile_is_unbridged_with_a_word)
{
    world.peers.rooms = without_r1;
    world.peers.is_owner_out = true;
    flow_restart(&world);
    ck_assert(world_said(&world, "You are no longer in this room on Gitter."));
    ck_assert(world_said(&world, "!made1 leave @bot:hs\n"));
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
    world_forget(&world);
    flow_restart(&world);
    ck_assert(!world_said(&world, "no longer"));
}
END_TEST

START_TEST(room_that_is_only_hidden_on_gitter_stays)
{
    world.peers.rooms = without_r1;
    flow_restart(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}
END_TEST

START_TEST(room_list_that_cannot_be_had_is_not_mentioned)
{
    world.is_held[MSG_ERRAND_ROOMS_ENDED] = true;
    world_crash(&world);
    world_settle(&world);
    world_forget(&world);
    world_end(&world, MSG_ERRAND_ROOMS_ENDED, CALL_END_FAILED, 500, "");
    world_settle(&world);
    world_crash(&world);
    world_settle(&world);
    world_end(&world, MSG_ERRAND_ROOMS_ENDED, CALL_END_DONE, 200, "nonsense");
    world_settle(&world);
    ck_assert(!world_said(&world, "!chat"));
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}
END_TEST

START_TEST(room_list_is_asked_for_once_however_often_the_process_begins)
{
    world.is_held[MSG_ERRAND_ROOMS_ENDED] = true;
    for (int i = 0; i < 3; i++) {
        world_crash(&world);
        world_settle(&world);
    }
    ck_assert_str_eq(world_state(&world, ACTOR_ERRAND, SLICE(ALICE "|review")), "LISTING");
    world_text(&world, CHAT, ALICE, "help");
    world_settle(&world);
    int64_t waiting = 0;
    ck_assert_int_eq(
        world.store->methods->waiting(world.store, SLICE(ALICE), CALL_AUTH_OWNER, &waiting), RC_OK);
    ck_assert_int_eq(waiting, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("muster");
    TCase *tests = tcase_create("muster");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, nothing_happens_when_all_is_well);
    tcase_add_test(tests, bridged_room_that_is_gone_is_made_anew_and_goes_on);
    tcase_add_test(tests, what_waited_for_a_room_that_is_gone_comes_into_the_new_one);
    tcase_add_test(tests, private_chat_that_is_gone_is_opened_anew_when_there_is_something_to_say);
    tcase_add_test(tests, ghosts_that_are_gone_are_registered_named_and_joined_anew);
    tcase_add_test(tests, room_that_refuses_even_the_ghosts_is_asked_about_at_once);
    tcase_add_test(tests, room_that_is_only_missing_in_the_list_stays);
    tcase_add_test(tests, list_that_cannot_be_had_changes_nothing);
    tcase_add_test(tests, bridged_room_we_know_nothing_of_is_left_with_a_word);
    tcase_add_test(tests, ghosts_leave_a_room_we_know_nothing_of_before_the_bot_does);
    tcase_add_test(tests, room_whose_people_cannot_be_read_is_left_at_a_later_start);
    tcase_add_test(tests, room_that_is_found_out_to_be_ours_meanwhile_stays);
    tcase_add_test(tests, second_room_for_what_is_bridged_is_left);
    tcase_add_test(tests, room_that_is_being_made_is_left_alone);
    tcase_add_test(tests, private_chat_we_know_nothing_of_is_taken_up);
    tcase_add_test(tests, room_of_many_we_know_nothing_of_is_left);
    tcase_add_test(tests, room_with_somebody_who_may_not_use_the_bridge_is_left);
    tcase_add_test(tests, empty_room_we_know_nothing_of_is_left);
    tcase_add_test(tests, chat_the_bot_had_opened_still_waits_for_its_user);
    tcase_add_test(tests, room_that_cannot_be_asked_about_is_left_alone);
    tcase_add_test(tests, many_rooms_are_looked_at_a_few_at_a_time);
    tcase_add_test(tests, crash_in_the_middle_begins_anew);
    tcase_add_test(tests, older_database_without_the_room_loses_nothing_that_comes_after);
    tcase_add_test(
        tests,
        older_database_reads_what_was_said_since_and_doubles_nothing_the_homeserver_remembers);
    tcase_add_test(tests, room_left_on_gitter_meanwhile_is_unbridged_with_a_word);
    tcase_add_test(tests, room_that_is_only_hidden_on_gitter_stays);
    tcase_add_test(tests, room_list_that_cannot_be_had_is_not_mentioned);
    tcase_add_test(tests, room_list_is_asked_for_once_however_often_the_process_begins);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
