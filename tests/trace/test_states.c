/* Where machines stand afterwards, where what they say alone does not tell it. */
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

enum {
    HOUR_MS = 3600 * 1000
};

static struct world world;

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static void invite(const char *room)
{
    world_member(&world, room, ALICE, BOT, "invite");
}

/* The chat: gone means that nothing of it is kept, once its calls have ended. */

START_TEST(crowded_room_is_declined_again_and_again)
{
    world.peers.members = "{\"" BOT "\":{},\"" ALICE "\":{},\"@eve:hs\":{}}";
    invite(CHAT);
    world_settle(&world);
    for (int i = 0; i < 2; i++) {
        world_forget(&world);
        invite(CHAT);
        world_settle(&world);
        world_expect(&world, "!chat leave @bot:hs\n");
        world_assert_state(&world, ACTOR_CHAT, CHAT, "LEFT");
    }
}
END_TEST

START_TEST(chat_that_became_crowded_is_declined_from_then_on)
{
    flow_chat(&world, CHAT, ALICE);
    world_member(&world, CHAT, "@eve:hs", "@eve:hs", "invite>join");
    world_settle(&world);
    world_forget(&world);
    invite(CHAT);
    world_settle(&world);
    world_expect(&world, "!chat leave @bot:hs\n");
}
END_TEST

START_TEST(kicked_bot_is_invited_again_while_it_still_speaks)
{
    world.is_held[MSG_CHAT_SAY_ENDED] = true;
    flow_chat(&world, CHAT, ALICE);
    world_member(&world, CHAT, ALICE, BOT, "join>leave");
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, CHAT, "GONE");
    invite(CHAT);
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, CHAT, "JOINING");
    world.is_held[MSG_CHAT_SAY_ENDED] = false;
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, CHAT, "PRIVATE");
}
END_TEST

START_TEST(invitation_taken_back_while_joining_is_forgotten)
{
    world.is_held[MSG_CHAT_JOIN_ENDED] = true;
    invite(CHAT);
    world_settle(&world);
    world_member(&world, CHAT, ALICE, BOT, "invite>leave");
    world_settle(&world);
    world.is_held[MSG_CHAT_JOIN_ENDED] = false;
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, CHAT, "-");
}
END_TEST

static void hold_members(void)
{
    world.peers.members = "{\"" BOT "\":{},\"" ALICE "\":{}}";
    world.is_held[MSG_CHAT_MEMBERS_ENDED] = true;
    invite(CHAT);
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, CHAT, "CHECKING");
}

START_TEST(room_whose_members_cannot_be_read_is_forgotten)
{
    hold_members();
    world_end(&world, MSG_CHAT_MEMBERS_ENDED, CALL_END_FAILED, 403, "{}");
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, CHAT, "-");
}
END_TEST

START_TEST(bot_thrown_out_while_it_counts_forgets_the_room)
{
    hold_members();
    world_member(&world, CHAT, ALICE, BOT, "join>leave");
    world.is_held[MSG_CHAT_MEMBERS_ENDED] = false;
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, CHAT, "-");
}
END_TEST

START_TEST(user_who_leaves_takes_the_chat_along)
{
    flow_chat(&world, CHAT, ALICE);
    world_member(&world, CHAT, ALICE, ALICE, "join>leave");
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, CHAT, "-");
}
END_TEST

START_TEST(encrypted_message_does_not_end_the_chat)
{
    flow_chat(&world, CHAT, ALICE);
    world_event(&world, SLICE("{\"event_id\":\"$enc\",\"type\":\"m.room.encrypted\",\"room_id\":"
                              "\"" CHAT "\",\"sender\":\"" ALICE "\",\"content\":{}}"));
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, CHAT, "PRIVATE");
}
END_TEST

/* The feed */

START_TEST(link_that_is_refused_is_off_until_the_next_login)
{
    flow_bridge(&world);
    peers_note(&world.peers, SLICE("revoked ann"));
    world_unlink(&world, ALICE, "ENDED");
    world_wait(&world, 60 * 1000);
    world_assert_state(&world, ACTOR_FEED, ALICE, "-"); /* nothing of it needs keeping */
    ck_assert(world_said(&world, "link @alice:hs open\n"));
}
END_TEST

START_TEST(link_that_an_admin_hurries_comes_up)
{
    flow_bridge(&world);
    world.is_gitter_down = true;
    world_unlink(&world, ALICE, "ENDED");
    world_wait(&world, 10 * 1000);
    world_assert_state(&world, ACTOR_FEED, ALICE, "WAITING");
    world.is_gitter_down = false;
    flow_chat(&world, "!root", "@root:hs");
    world_text(&world, "!root", "@root:hs", "admin retry");
    world_settle(&world);
    world_assert_state(&world, ACTOR_FEED, ALICE, "LIVE");
    ck_assert(world_said(&world, "link @alice:hs subscribe r1\n"));
}
END_TEST

/* Ghosts */

START_TEST(ghost_that_the_homeserver_forgot_is_registered_anew)
{
    flow_bridge(&world);
    world_says(&world, "r1", "bob", "one");
    world_settle(&world);
    world_assert_state(&world, ACTOR_GHOST, "bob", "READY");
    peers_unlearn(&world.peers, SLICE("registered @gitter_bob:hs"));
    peers_unlearn(&world.peers, SLICE("joined !made1 @gitter_bob:hs"));
    world.is_held[MSG_GHOST_REGISTER_ENDED] = true;
    world_says(&world, "r1", "bob", "two");
    world_settle(&world);
    world_assert_state(&world, ACTOR_GHOST, "bob", "REGISTERING");
    world.is_held[MSG_GHOST_REGISTER_ENDED] = false;
    world_settle(&world);
    world_assert_state(&world, ACTOR_GHOST, "bob", "READY");
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "two"), 1);
}
END_TEST

/* The face */

START_TEST(face_is_kept_when_its_list_was_read)
{
    world.is_held[MSG_FACE_LIST_ENDED] = true;
    flow_bridge(&world);
    world_assert_state(&world, ACTOR_FACE, ROOM_KEY, "LISTING");
    world.is_held[MSG_FACE_LIST_ENDED] = false;
    world_settle(&world);
    world_assert_state(&world, ACTOR_FACE, ROOM_KEY, "KEPT");
}
END_TEST

START_TEST(face_is_kept_whatever_people_do)
{
    static const char *const operations[] = {"create", "update", "remove"};
    world.settings.room_members_max = 10;
    flow_bridge(&world);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        flow_record(&world, "/api/v1/rooms/r1/users", operations[i],
                    "{\"id\":\"flo\",\"username\":\"flo\",\"displayName\":\"Flo\"}");
        world_assert_state(&world, ACTOR_FACE, ROOM_KEY, "KEPT");
    }
    flow_record(&world, "/api/v1/user/ann/rooms", "patch", "{\"id\":\"r1\",\"name\":\"acme/new\"}");
    world_assert_state(&world, ACTOR_FACE, ROOM_KEY, "KEPT");
}
END_TEST

START_TEST(face_goes_with_its_room)
{
    flow_bridge(&world);
    flow_record(&world, "/api/v1/user/ann/rooms", "remove", "{\"id\":\"r1\"}");
    world_assert_state(&world, ACTOR_FACE, ROOM_KEY, "KEPT"); /* it was only hidden */
    world_wait(&world, 3 * HOUR_MS);
    world_assert_state(&world, ACTOR_FACE, ROOM_KEY, "KEPT");
    world_member(&world, "!made1", ALICE, ALICE, "join>leave");
    world_settle(&world);
    world_assert_state(&world, ACTOR_FACE, ROOM_KEY, "-");
}
END_TEST

/* Login links */

static const char *login_state(struct slice state)
{
    return world_state(&world, ACTOR_LOGIN, slice_first(state, slice_find_byte(state, '.')));
}

static struct slice offered(void)
{
    flow_chat(&world, CHAT, ALICE);
    return arena_copy(world.arena, flow_state(&world));
}

START_TEST(link_whose_code_gitter_refuses_is_spent)
{
    const struct slice state = offered();
    const struct slice cookie = flow_begin(&world);
    world.is_held[MSG_LOGIN_TOKEN_ENDED] = true;
    (void)flow_callback(&world, state, cookie);
    ck_assert_str_eq(login_state(state), "EXCHANGING");
    world_end(&world, MSG_LOGIN_TOKEN_ENDED, CALL_END_FAILED, 400, "{}");
    ck_assert_str_eq(login_state(state), "SPENT");
    world_wait(&world, 30 * INT64_C(24) * HOUR_MS);
    ck_assert_str_eq(login_state(state), "-");
}
END_TEST

START_TEST(link_whose_account_nobody_tells_is_spent)
{
    const struct slice state = offered();
    const struct slice cookie = flow_begin(&world);
    world.is_held[MSG_USER_WHOAMI_ENDED] = true;
    (void)flow_callback(&world, state, cookie);
    ck_assert_str_eq(login_state(state), "ASKING");
    world_end(&world, MSG_USER_WHOAMI_ENDED, CALL_END_FAILED, 401, "{}");
    world_settle(&world);
    ck_assert_str_eq(login_state(state), "SPENT");
}
END_TEST

START_TEST(link_that_has_done_its_work_is_kept_for_a_while)
{
    const struct slice state = offered();
    const struct slice link = arena_copy(world.arena, flow_link(&world));
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    ck_assert_str_eq(login_state(state), "DONE");
    (void)world_web(&world, "GET", link, cookie);
    (void)flow_callback(&world, state, cookie);
    ck_assert_str_eq(login_state(state), "DONE");
    world_wait(&world, 30 * INT64_C(24) * HOUR_MS);
    ck_assert_str_eq(login_state(state), "-");
}
END_TEST

START_TEST(link_stays_what_it_is_whatever_browsers_ask)
{
    const struct slice state = offered();
    (void)flow_callback(&world, state, SLICE_EMPTY);
    ck_assert_str_eq(login_state(state), "OFFERED");
    const struct slice cookie = flow_begin(&world);
    (void)world_submit(&world, flow_link(&world), cookie, SLICE("proof=none"));
    ck_assert_str_eq(login_state(state), "BOUND");
    world_wait(&world, HOUR_MS / 2);
    ck_assert_str_eq(login_state(state), "EXPIRED");
    (void)flow_callback(&world, state, cookie);
    ck_assert_str_eq(login_state(state), "EXPIRED");
}
END_TEST

/* Errands */

static size_t count_errands(void)
{
    struct store_found found[4];
    size_t count = 0;
    ck_assert_int_eq(world.store->methods->list(world.store, ACTOR_ERRAND, SLICE_EMPTY, world.arena,
                                                found, 4, &count),
                     RC_OK);
    return count;
}

START_TEST(search_is_over_when_it_was_answered)
{
    static const char *const found[] = {NULL, "[]"};
    flow_bridge(&world);
    const size_t before = count_errands();
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        world.peers.found = found[i];
        world_text(&world, CHAT, ALICE, "search words");
        world_settle(&world);
        ck_assert_uint_eq(count_errands(), before);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("states");
    TCase *tests = tcase_create("states");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, crowded_room_is_declined_again_and_again);
    tcase_add_test(tests, chat_that_became_crowded_is_declined_from_then_on);
    tcase_add_test(tests, kicked_bot_is_invited_again_while_it_still_speaks);
    tcase_add_test(tests, invitation_taken_back_while_joining_is_forgotten);
    tcase_add_test(tests, room_whose_members_cannot_be_read_is_forgotten);
    tcase_add_test(tests, bot_thrown_out_while_it_counts_forgets_the_room);
    tcase_add_test(tests, user_who_leaves_takes_the_chat_along);
    tcase_add_test(tests, encrypted_message_does_not_end_the_chat);
    tcase_add_test(tests, link_that_is_refused_is_off_until_the_next_login);
    tcase_add_test(tests, link_that_an_admin_hurries_comes_up);
    tcase_add_test(tests, ghost_that_the_homeserver_forgot_is_registered_anew);
    tcase_add_test(tests, face_is_kept_when_its_list_was_read);
    tcase_add_test(tests, face_is_kept_whatever_people_do);
    tcase_add_test(tests, face_goes_with_its_room);
    tcase_add_test(tests, link_whose_code_gitter_refuses_is_spent);
    tcase_add_test(tests, link_whose_account_nobody_tells_is_spent);
    tcase_add_test(tests, link_that_has_done_its_work_is_kept_for_a_while);
    tcase_add_test(tests, link_stays_what_it_is_whatever_browsers_ask);
    tcase_add_test(tests, search_is_over_when_it_was_answered);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
