/* The connection to Gitter, a login that expires, and the logout. */
#include "actors/feed/feed.h"
#include "actors/user/user.h"
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

/* The feed */

START_TEST(lost_link_is_opened_again_with_growing_pauses)
{
    int64_t pauses[12];
    world_unlink(&world, ALICE, "LOST");
    world.is_gitter_down = true;
    for (int i = 0; i < 12; i++) {
        const struct feed *feed = world_peek(&world, ACTOR_FEED, SLICE(ALICE));
        world_assert_state(&world, ACTOR_FEED, ALICE, "WAITING");
        pauses[i] = feed->deadline_ms - world.now_ms;
        world_wait(&world, pauses[i]);
    }
    for (int i = 0; i < 8; i++) {
        ck_assert_int_ge(pauses[i], 500 << i);
        ck_assert_int_le(pauses[i], 1000 << i);
    }
    ck_assert_int_ge(pauses[11], 150 * 1000);
    ck_assert_int_le(pauses[11], 300 * 1000);
    world.is_gitter_down = false;
    world_wait(&world, 300 * 1000);
    world_assert_state(&world, ACTOR_FEED, ALICE, "LIVE");
    world_unlink(&world, ALICE, "LOST");
    const struct feed *feed = world_peek(&world, ACTOR_FEED, SLICE(ALICE));
    ck_assert_int_le(feed->deadline_ms - world.now_ms, 1000);
}
END_TEST

START_TEST(server_may_ask_for_a_longer_pause)
{
    const struct msg_link_down down = {.owner = SLICE(ALICE),
                                       .session = world.sessions,
                                       .why = SLICE("LOST"),
                                       .retry_ms = 42 * 1000};
    world_post(&world, MSG_LINK_DOWN, &down);
    const struct feed *feed = world_peek(&world, ACTOR_FEED, SLICE(ALICE));
    ck_assert_int_eq(feed->deadline_ms - world.now_ms, 42 * 1000);
}
END_TEST

START_TEST(word_of_an_earlier_link_is_passed_over)
{
    const struct msg_link_down down = {
        .owner = SLICE(ALICE), .session = world.sessions - 1, .why = SLICE("LOST")};
    world_post(&world, MSG_LINK_DOWN, &down);
    world_assert_state(&world, ACTOR_FEED, ALICE, "LIVE");
    const struct msg_link gap = {.owner = SLICE(ALICE), .session = world.sessions - 1};
    world_forget(&world);
    world_post(&world, MSG_LINK_GAP, &gap);
    world_settle(&world);
    world_expect(&world, "");
}
END_TEST

START_TEST(restart_opens_the_links_again)
{
    world_crash(&world);
    world_settle(&world);
    world_forget(&world);
    world_wait(&world, 2000);
    world_expect(&world, "link @alice:hs open\n"
                         "link @alice:hs subscribe r1\n");
    world_assert_state(&world, ACTOR_FEED, ALICE, "LIVE");
}
END_TEST

START_TEST(restart_opens_links_that_were_due)
{
    world_unlink(&world, ALICE, "LOST");
    world.now_ms += 10 * 1000;
    world_crash(&world);
    world_settle(&world);
    world_wait(&world, 2000);
    world_assert_state(&world, ACTOR_FEED, ALICE, "LIVE");
}
END_TEST

START_TEST(restart_with_lost_secrets_asks_for_a_login)
{
    store_memory_lose_secrets(world.store);
    world_crash(&world);
    world_settle(&world);
    world_wait(&world, 2000);
    world_assert_state(&world, ACTOR_USER, ALICE, "EXPIRED");
    ck_assert(world_said(&world, "Gitter no longer accepts your login as ann_g."));
}
END_TEST

/* Expiry */

START_TEST(refused_link_expires_the_login_with_one_notice)
{
    world_unlink(&world, ALICE, "LOST");
    world.is_hand_linked = true;
    world_wait(&world, 1000);
    const struct msg_link_down down = {.owner = SLICE(ALICE), .why = SLICE("REFUSED")};
    world_forget(&world);
    world_post(&world, MSG_LINK_DOWN, &down);
    world_post(&world, MSG_LINK_DOWN, &down);
    flow_refuse_token(&world);
    world_assert_state(&world, ACTOR_USER, ALICE, "EXPIRED");
    world_expect(&world, "link @alice:hs close\n"
                         "!chat @bot:hs m.notice: Gitter no longer accepts your login as ann_g. "
                         "Your rooms are kept, and what is said in "
                         "them waits. T\n");
}
END_TEST

START_TEST(expired_login_keeps_the_rooms_and_what_is_said_waits)
{
    flow_refuse_token(&world);
    world_text(&world, "!made1", ALICE, "meanwhile");
    world_settle(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "meanwhile"), 0);
    peers_say(&world.peers, "r1", "bob", "there", world.now_ms);
    flow_command(&world, "list");
    ck_assert(world_said(&world, "You are not logged in to Gitter."));
    flow_follow_link(&world, "ann");
    world_assert_state(&world, ACTOR_USER, ALICE, "AUTHED");
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "meanwhile"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "there"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "meanwhile"), 0);
}
END_TEST

START_TEST(login_as_another_account_unbridges_the_rooms_of_the_first)
{
    flow_refuse_token(&world);
    world_forget(&world);
    flow_follow_link(&world, "ben");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
    ck_assert(world_said(&world, "!made1 kick @alice:hs\n"));
    ck_assert(world_said(&world, "You are now logged in as ben_g."));
    world_assert_state(&world, ACTOR_FEED, ALICE, "LIVE");
}
END_TEST

START_TEST(what_waited_for_one_account_is_not_posted_as_another)
{
    flow_refuse_token(&world);
    world_text(&world, "!made1", ALICE, "as ann");
    world_settle(&world);
    flow_follow_link(&world, "ben");
    ck_assert_uint_eq(peers_count_gitter(&world.peers, "r1", "as ann"), 0);
}
END_TEST

START_TEST(login_is_not_held_up_by_what_waits_for_it)
{
    world.is_held[MSG_ERRAND_ROOMS_ENDED] = true;
    flow_command(&world, "list");
    flow_refuse_token(&world);
    world.is_held[MSG_ERRAND_ROOMS_ENDED] = false;
    world_settle(&world);
    flow_follow_link(&world, "ann");
    world_assert_state(&world, ACTOR_USER, ALICE, "AUTHED");
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(login_that_fails_after_an_expiry_stays_expired)
{
    flow_refuse_token(&world);
    world.is_held[MSG_USER_WHOAMI_ENDED] = true;
    const struct slice state = arena_copy(world.arena, flow_state(&world));
    const struct slice cookie = flow_begin(&world);
    flow_callback(&world, state, cookie);
    world_end(&world, MSG_USER_WHOAMI_ENDED, CALL_END_FAILED, 500, "");
    world_settle(&world);
    world_assert_state(&world, ACTOR_USER, ALICE, "EXPIRED");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}
END_TEST

START_TEST(logout_after_an_expiry_needs_no_token)
{
    flow_refuse_token(&world);
    world_text(&world, "!made1", ALICE, "never");
    world_forget(&world);
    flow_command(&world, "logout");
    ck_assert(world_said(&world, "You have been logged out."));
    ck_assert(!world_said(&world, "revokes"));
    world_assert_state(&world, ACTOR_USER, ALICE, "UNAUTHENTICATED");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

/* Logout */

START_TEST(logout_ends_everything)
{
    world_says(&world, "r1", "bob", "hello");
    world_settle(&world);
    world_forget(&world);
    flow_command(&world, "logout");
    world_expect(&world, "link @alice:hs close\n"
                         "gitter revokes the token of ann\n"
                         "!made1 kick @alice:hs\n"
                         "!made1 leave @gitter_bob:hs\n"
                         "!made1 leave @bot:hs\n"
                         "!made1 forget @bot:hs\n"
                         "!chat @bot:hs m.notice: You have been logged out.\n");
    const struct user *user = world_peek(&world, ACTOR_USER, SLICE(ALICE));
    ck_assert_uint_eq(user->token.len + user->gitter_id.len + user->gitter_name.len, 0);
    ck_slice_eq(user->private_room, SLICE(CHAT));
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(logout_twice_is_answered)
{
    world.is_held[MSG_USER_REVOKE_ENDED] = true;
    flow_command(&world, "logout");
    world_forget(&world);
    flow_command(&world, "logout");
    world_expect(&world, "!chat @bot:hs m.notice: You are being logged out. Please wait a "
                         "moment.\n");
    world.is_held[MSG_USER_REVOKE_ENDED] = false;
    world_settle(&world);
    flow_command(&world, "logout");
    ck_assert(world_said(&world, "You are not logged in to Gitter."));
}
END_TEST

START_TEST(logout_whose_revocation_fails_forgets_the_token_all_the_same)
{
    world.is_held[MSG_USER_REVOKE_ENDED] = true;
    flow_command(&world, "logout");
    world_end(&world, MSG_USER_REVOKE_ENDED, CALL_END_FAILED, 401, "");
    world_settle(&world);
    world_assert_state(&world, ACTOR_USER, ALICE, "UNAUTHENTICATED");
    ck_assert(world_said(&world, "You have been logged out."));
}
END_TEST

START_TEST(shared_token_is_not_revoked)
{
    flow_chat(&world, "!other", "@carla:hs");
    flow_follow_link(&world, "ann");
    world_forget(&world);
    flow_command(&world, "logout");
    ck_assert(!world_said(&world, "revokes"));
    ck_assert(world_said(&world, "You have been logged out."));
    world_assert_state(&world, ACTOR_USER, "@carla:hs", "AUTHED");
    world_assert_state(&world, ACTOR_FEED, "@carla:hs", "LIVE");
    world_text(&world, "!other", "@carla:hs", "logout");
    world_settle(&world);
    ck_assert(world_said(&world, "gitter revokes the token of ann\n"));
}
END_TEST

START_TEST(login_after_a_logout_begins_afresh)
{
    flow_command(&world, "logout");
    flow_command(&world, "hello");
    flow_follow_link(&world, "ann");
    flow_command(&world, "invite acme/ops");
    ck_assert_int_eq(world.peers.rooms_made, 2);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "INVITED");
}
END_TEST

START_TEST(two_owners_of_one_room_have_one_each)
{
    flow_chat(&world, "!other", "@carla:hs");
    flow_follow_link(&world, "ben");
    world_text(&world, "!other", "@carla:hs", "invite acme/ops");
    world_settle(&world);
    world_member(&world, "!made2", "@carla:hs", "@carla:hs", "invite>join");
    world_says(&world, "r1", "bob", "to both");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "to both"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "to both"), 1);
    world_text(&world, "!made1", ALICE, "from alice");
    world_settle(&world);
    const size_t last = world.peers.messages_count - 1;
    world_record(&world, "r1", "create",
                 peers_message_json(&world.peers, &world.peers.messages[last]));
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "from alice"), 0);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made2", "from alice"), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("account");
    TCase *tests = tcase_create("account");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, lost_link_is_opened_again_with_growing_pauses);
    tcase_add_test(tests, server_may_ask_for_a_longer_pause);
    tcase_add_test(tests, word_of_an_earlier_link_is_passed_over);
    tcase_add_test(tests, restart_opens_the_links_again);
    tcase_add_test(tests, restart_opens_links_that_were_due);
    tcase_add_test(tests, restart_with_lost_secrets_asks_for_a_login);
    tcase_add_test(tests, refused_link_expires_the_login_with_one_notice);
    tcase_add_test(tests, expired_login_keeps_the_rooms_and_what_is_said_waits);
    tcase_add_test(tests, login_as_another_account_unbridges_the_rooms_of_the_first);
    tcase_add_test(tests, what_waited_for_one_account_is_not_posted_as_another);
    tcase_add_test(tests, login_is_not_held_up_by_what_waits_for_it);
    tcase_add_test(tests, login_that_fails_after_an_expiry_stays_expired);
    tcase_add_test(tests, logout_after_an_expiry_needs_no_token);
    tcase_add_test(tests, logout_ends_everything);
    tcase_add_test(tests, logout_twice_is_answered);
    tcase_add_test(tests, logout_whose_revocation_fails_forgets_the_token_all_the_same);
    tcase_add_test(tests, shared_token_is_not_revoked);
    tcase_add_test(tests, login_after_a_logout_begins_afresh);
    tcase_add_test(tests, two_owners_of_one_room_have_one_each);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
