/* `admin`: for those whom the configuration names. */
#include "actors/user/user.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

#define ROOT "@root:hs"
#define ROOT_CHAT "!root"

static struct world world;

static void setup(void)
{
    world_open(&world);
    flow_bridge(&world);
    flow_chat(&world, ROOT_CHAT, ROOT);
    world_forget(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static void command(const char *text)
{
    world_text(&world, ROOT_CHAT, ROOT, text);
    world_settle(&world);
}

static void expect_answer(const char *text, const char *answer)
{
    flow_ask_as(&world, ROOT_CHAT, ROOT, text, answer);
}

START_TEST(users_and_rooms_are_listed)
{
    expect_answer("admin users", "@alice:hs: logged in as ann_g; rooms: 1\n"
                                 "@root:hs: not logged in; rooms: 0");
    expect_answer("ADMIN Rooms", "@alice:hs: acme/ops, bridged");
    expect_answer("admin users 2", "There is no page 2; the last is 1.");
}
END_TEST

START_TEST(many_users_come_in_pages)
{
    for (int i = 10; i < 40; i++) {
        const char *user = arena_printf(world.arena, "@u%d:hs", i).ptr;
        flow_chat(&world, arena_printf(world.arena, "!c%d", i).ptr, user);
    }
    command("admin users");
    ck_assert(slice_ends_with(flow_last_event(&world)->body,
                              SLICE("Page 1 of 2; `more` shows the next.")));
    command("more");
    ck_assert(slice_ends_with(flow_last_event(&world)->body,
                              SLICE("@u39:hs: not logged in; rooms: 0\nPage 2 of 2.")));
}
END_TEST

START_TEST(one_user_is_shown_as_status_shows_them)
{
    command("admin user " ALICE);
    ck_assert(
        slice_starts_with(flow_last_event(&world)->body, SLICE("Here you are @alice:hs.\n"
                                                               "On Gitter: logged in as ann_g.\n"
                                                               "Rooms: 1 bridged, 0 ")));
    expect_answer("admin user @nobody:hs", "I do not know @nobody:hs.");
    expect_answer("admin user", "I do not know .");
}
END_TEST

START_TEST(retry_tries_what_waits_and_is_audited)
{
    world.is_gitter_down = true;
    world_unlink(&world, ALICE, "LOST");
    world_settle(&world);
    world_assert_state(&world, ACTOR_FEED, ALICE, "WAITING");
    world.is_gitter_down = false;
    world_forget(&world);
    command("admin retry");
    ck_assert(world_said(&world, "order: try again\n"));
    ck_assert(world_said(&world, "audit @root:hs: retry\n"));
    world_assert_state(&world, ACTOR_FEED, ALICE, "LIVE");
    world_wait(&world, 10 * 60 * 1000); /* the deadline of before is gone */
    world_assert_state(&world, ACTOR_FEED, ALICE, "LIVE");
}
END_TEST

START_TEST(logout_of_another_tells_them)
{
    command("admin logout " ALICE);
    ck_assert(world_said(&world, "audit @root:hs: logout @alice:hs\n"));
    ck_assert(world_said(&world, "!chat @bot:hs m.notice: An administrator of this bridge is "
                                 "logging you out of Gitter.\n"));
    ck_assert(world_said(&world, "!chat @bot:hs m.notice: You have been logged out.\n"));
    ck_assert(world_said(&world, "!root @bot:hs m.notice: @alice:hs is logged out.\n"));
    ck_assert(world_said(&world, "gitter revokes the token of ann\n"));
    world_assert_state(&world, ACTOR_USER, ALICE, "UNAUTHENTICATED");
    expect_answer("admin logout " ALICE, "@alice:hs is not logged in.");
    expect_answer("admin logout @nobody:hs", "I do not know @nobody:hs.");
}
END_TEST

START_TEST(anything_else_shows_what_there_is)
{
    command("admin");
    ck_assert(
        slice_starts_with(flow_last_event(&world)->body, SLICE("`admin users`, `admin rooms`")));
    command("admin dance");
    ck_assert(
        slice_starts_with(flow_last_event(&world)->body, SLICE("`admin users`, `admin rooms`")));
    command("help");
    const struct slice help = world.peers.events[world.peers.events_count - 2].body;
    ck_assert(slice_find(help, SLICE("`admin users`")) < help.len);
}
END_TEST

START_TEST(others_are_told_that_there_is_no_such_command)
{
    world_text(&world, CHAT, ALICE, "admin users");
    world_settle(&world);
    ck_assert(slice_starts_with(flow_last_event(&world)->body,
                                SLICE("Sorry, I do not know the command `admin`.")));
    ck_assert(!world_said(&world, "audit"));
    world_text(&world, CHAT, ALICE, "help admin");
    world_settle(&world);
    ck_assert(slice_starts_with(flow_last_event(&world)->body,
                                SLICE("Sorry, I do not know the command `admin`.")));
    world_text(&world, CHAT, ALICE, "admn");
    world_settle(&world);
    ck_assert(slice_find(flow_last_event(&world)->body, SLICE("Did you mean")) ==
              flow_last_event(&world)->body.len);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("admin");
    TCase *tests = tcase_create("admin");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, users_and_rooms_are_listed);
    tcase_add_test(tests, many_users_come_in_pages);
    tcase_add_test(tests, one_user_is_shown_as_status_shows_them);
    tcase_add_test(tests, retry_tries_what_waits_and_is_audited);
    tcase_add_test(tests, logout_of_another_tells_them);
    tcase_add_test(tests, anything_else_shows_what_there_is);
    tcase_add_test(tests, others_are_told_that_there_is_no_such_command);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
