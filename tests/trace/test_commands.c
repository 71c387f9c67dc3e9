/* What the bot tells about itself and its user, search, pages, and the order of answers. */
#include "actors/errand/errand.h"
#include "actors/user/user.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

static struct world world;

static void setup(void)
{
    world_open(&world);
    world.peers.rooms = flow_rooms;
}

static void teardown(void)
{
    world_close(&world);
}

static bool is_in(struct slice text, const char *needle)
{
    return slice_find(text, slice_from_cstr(needle)) < text.len;
}

/* Before a login */

START_TEST(strangers_get_help_status_and_version)
{
    flow_chat(&world, CHAT, ALICE);
    world_forget(&world);
    flow_command(&world, "help");
    ck_assert(world_said(&world, "This bridge is controlled"));
    ck_assert(is_in(flow_last_event(&world)->body, "You are not logged in to Gitter."));
    flow_ask(&world, "version", "This is gitterd 1.2.3.");
    flow_ask(&world, "status",
             "Here you are @alice:hs.\n"
             "On Gitter: not logged in.\n"
             "Rooms: 0 bridged, 0 on their way or waiting for you to take the invite.\n"
             "Connection to Gitter: none.\n"
             "Waiting for Gitter: 0.\n"
             "Waiting for Matrix: 0.\n"
             "Last trouble: none.");
    flow_command(&world, "unbridge acme/ops");
    ck_assert(is_in(flow_last_event(&world)->body, "You are not logged in to Gitter."));
    flow_command(&world, "logout");
    ck_assert(is_in(flow_last_event(&world)->body, "You are not logged in to Gitter."));
}
END_TEST

START_TEST(login_gives_a_link_until_there_is_one)
{
    flow_chat(&world, CHAT, ALICE);
    flow_command(&world, "login");
    ck_assert(is_in(flow_last_event(&world)->body, "You are not logged in to Gitter."));
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    flow_ask(&world, "login",
             "You are logged in as ann_g. To use another account, `logout` first.");
}
END_TEST

/* help COMMAND */

static const char *const verbs[] = {"list",   "invite", "gjoin",  "gpart", "logout",  "help",
                                    "search", "login",  "status", "more",  "version", "unbridge"};

START_TEST(each_command_is_explained)
{
    flow_login(&world);
    flow_command(&world, arena_printf(world.arena, "help %s", verbs[_i]).ptr);
    ck_assert(slice_starts_with(flow_last_event(&world)->body,
                                arena_printf(world.arena, "`%s", verbs[_i])));
}
END_TEST

/* status */

START_TEST(status_counts_rooms_and_tells_the_last_trouble)
{
    flow_bridge(&world);
    flow_command(&world, "invite Beta/dev");
    flow_ask(&world, "status",
             "Here you are @alice:hs.\n"
             "On Gitter: logged in as ann_g.\n"
             "Rooms: 1 bridged, 1 on their way or waiting for you to take the invite.\n"
             "Connection to Gitter: up.\n"
             "Waiting for Gitter: 0.\n"
             "Waiting for Matrix: 0.\n"
             "Last trouble: none.");
    world.is_held[MSG_ROOM_POST_ENDED] = true;
    world_text(&world, "!made1", ALICE, "hello");
    world_settle(&world);
    flow_command(&world, "status");
    ck_assert(is_in(flow_last_event(&world)->body, "Waiting for Gitter: 1.\n"
                                                   "Waiting for Matrix: 0.\n"));
    world_end(&world, MSG_ROOM_POST_ENDED, CALL_END_FAILED, 403, "{}");
    world_settle(&world);
    flow_command(&world, "status");
    ck_assert(is_in(flow_last_event(&world)->body,
                    "Last trouble: 2023-11-14 22:13 UTC: a message for acme/ops did not reach "
                    "Gitter (you may not do that there)."));
}
END_TEST

START_TEST(status_tells_of_a_lost_connection)
{
    flow_bridge(&world);
    world.is_gitter_down = true;
    world_unlink(&world, ALICE, "LOST");
    world_settle(&world);
    flow_command(&world, "status");
    ck_assert(is_in(flow_last_event(&world)->body,
                    "Connection to Gitter: down, tried again at 2023-11-14 "));
    world_wait(&world, 2000);
    flow_command(&world, "status");
    ck_assert(is_in(flow_last_event(&world)->body, "the connection to Gitter was lost ("));
}
END_TEST

START_TEST(status_of_an_expired_login)
{
    const struct msg_owner owner = {.owner = SLICE(ALICE)};
    flow_bridge(&world);
    world_post(&world, MSG_TOKEN_REFUSED, &owner);
    world_settle(&world);
    flow_command(&world, "status");
    ck_assert(is_in(flow_last_event(&world)->body,
                    "On Gitter: Gitter no longer accepts the login as ann_g.\n"));
    flow_ask(&world, "unbridge acme/ops",
             "I have closed the room acme/ops here. On Gitter you are "
             "still in it; `invite acme/ops` brings it back.");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
}
END_TEST

/* unbridge */

START_TEST(unbridge_closes_here_and_leaves_gitter_alone)
{
    flow_bridge(&world);
    flow_command(&world, "Unbridge /ACME/ops");
    ck_assert(is_in(flow_last_event(&world)->body, "I have closed the room acme/ops here."));
    ck_assert(world_said(&world, "!made1 kick @alice:hs\n!made1 leave @bot:hs\n"));
    ck_assert(!world_said(&world, "gitter r1 ann leaves"));
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
    flow_command(&world, "invite acme/ops");
    ck_assert(world_said(&world, "create \"acme/ops (Gitter)\" as !made2"));
}
END_TEST

START_TEST(unbridge_takes_numbers_of_the_list)
{
    flow_bridge(&world);
    flow_command(&world, "list");
    flow_ask(&world, "unbridge 2", "You have no room called 2 here. `list` shows your rooms.");
    flow_ask(&world, "unbridge 1",
             "I have closed the room acme/ops here. On Gitter you are still in "
             "it; `invite acme/ops` brings it back.");
    flow_ask(&world, "unbridge",
             "Please say which room: `unbridge ROOM`, by name or by its number in the list.");
}
END_TEST

/* Pages */

static void give_rooms(int count)
{
    struct buf rooms;
    buf_init(&rooms, world.arena);
    for (int i = 1; i <= count; i++) {
        buf_printf(&rooms,
                   "%s{\"id\":\"m%03d\",\"name\":\"many/%03d\",\"url\":\"/many/%03d\","
                   "\"roomMember\":true}",
                   i == 1 ? "[" : ",", i, i, i);
    }
    BUF_PUT(&rooms, "]");
    world.peers.rooms = arena_cstr(world.arena, buf_slice(&rooms));
}

START_TEST(long_list_comes_in_pages)
{
    give_rooms(120);
    flow_login(&world);
    flow_command(&world, "list");
    ck_assert(is_in(flow_last_event(&world)->body,
                    "\n50. many/050\nPage 1 of 3; `more` shows the next."));
    ck_assert(is_in(flow_last_event(&world)->content,
                    "<br>50. many/050<br>Page 1 of 3; <code>more</code>"));
    flow_command(&world, "more");
    ck_assert(is_in(flow_last_event(&world)->body, ":\n51. many/051\n"));
    ck_assert(is_in(flow_last_event(&world)->body, "\nPage 2 of 3; `more` shows the next."));
    flow_command(&world, "more");
    ck_assert(is_in(flow_last_event(&world)->body, "\n120. many/120\nPage 3 of 3."));
    flow_ask(&world, "more", "There is nothing more to show.");
    flow_command(&world, "list 2");
    ck_assert(is_in(flow_last_event(&world)->body, ":\n51. many/051\n"));
    flow_command(&world, "list 4");
    ck_assert(is_in(flow_last_event(&world)->body, "There is no page 4; the last is 3."));
    flow_command(&world, "invite 117");
    ck_assert(is_in(flow_last_event(&world)->body, "many/117"));
}
END_TEST

START_TEST(names_of_others_break_no_line)
{
    world.peers.rooms = "[{\"id\":\"x1\",\"name\":\"two\\nlines\",\"roomMember\":true},"
                        "{\"id\":\"x2\",\"name\":\"<b>`bold`</b>\",\"roomMember\":true},"
                        "{\"id\":\"x3\",\"name\":\"\\u05e9\\u05dc\",\"roomMember\":true}]";
    flow_login(&world);
    flow_ask(&world, "list",
             "The rooms you are in on Gitter (* = also in your Matrix client):\n"
             "1. <b>`bold`</b>\n"
             "2. two lines\n"
             "3. \xe2\x81\xa8\xd7\xa9\xd7\x9c\xe2\x81\xa9");
    ck_assert(is_in(flow_last_event(&world)->content,
                    "<br>1. &lt;b&gt;`bold`&lt;/b&gt;<br>2. two lines<br>"));
}
END_TEST

/* search */

#define RESULT(id, name, topic)                                                                    \
    "{\"id\":\"" id "\",\"name\":\"" name "\",\"uri\":\"" name "\",\"url\":\"/" name               \
    "\",\"topic\":\"" topic "\",\"userCount\":7,\"roomMember\":false}"

START_TEST(search_lists_rooms_whose_numbers_can_be_joined)
{
    world.peers.found = "{\"results\":[" RESULT("r9", "other/room",
                                                "All else") "," RESULT("r1", "acme/ops", "") "]}";
    flow_bridge(&world);
    flow_ask(&world, "search  some <words>",
             "Rooms on Gitter (* = also in your Matrix client):\n"
             "1. other/room (7 people): All else\n"
             "2. acme/ops (7 people) *");
    flow_ask(&world, "invite 1",
             "Number 1 of the list is a room that you are not in on Gitter. "
             "`gjoin 1` joins it.");
    flow_ask(&world, "invite 3", "There is no number 3 in the last list. `list` shows a new one.");
    flow_command(&world, "gjoin 1");
    ck_assert(world_said(&world, "gitter ann joins\n"));
    ck_assert(is_in(flow_last_event(&world)->body, "You have joined the room r9 on Gitter."));
}
END_TEST

static void find_ten(void)
{
    struct buf found;
    buf_init(&found, world.arena);
    for (int i = 0; i < 10; i++) {
        buf_printf(&found, "%s{\"id\":\"f%d\",\"name\":\"f/%d\",\"url\":\"/f/%d\"}",
                   i == 0 ? "{\"results\":[" : ",", i, i, i);
    }
    BUF_PUT(&found, "]}");
    world.peers.found = arena_cstr(world.arena, buf_slice(&found));
}

START_TEST(search_goes_on_with_its_numbers)
{
    flow_login(&world);
    find_ten();
    world.is_held[MSG_ERRAND_SEARCH_ENDED] = true;
    flow_command(&world, "search a b");
    ck_assert(is_in(world_head(&world, MSG_ERRAND_SEARCH_ENDED).call.path,
                    "/rooms?q=a%20b&limit=10&skip=0"));
    world_make(&world, MSG_ERRAND_SEARCH_ENDED);
    world_settle(&world);
    ck_assert(
        is_in(flow_last_event(&world)->body, "\n10. f/9 (0 people)\n`more` shows further ones."));
    world.peers.found = "{\"results\":[" RESULT("r9", "other/room", "") "]}";
    flow_command(&world, "more");
    ck_assert(is_in(world_head(&world, MSG_ERRAND_SEARCH_ENDED).call.path,
                    "/rooms?q=a%20b&limit=10&skip=10"));
    world_make(&world, MSG_ERRAND_SEARCH_ENDED);
    world_settle(&world);
    ck_assert(is_in(flow_last_event(&world)->body, ":\n11. other/room (7 people)"));
    flow_ask(&world, "more", "There is nothing more to show.");
    flow_ask(&world, "invite 11",
             "Number 11 of the list is a room that you are not in on Gitter. "
             "`gjoin 11` joins it.");
}
END_TEST

START_TEST(search_that_finds_nothing_or_is_not_there)
{
    flow_login(&world);
    flow_ask(&world, "search quokka",
             "This Gitter server has no search. If you know the name of a "
             "room, `gjoin ROOM` joins it.");
    world.peers.found = "{\"results\":[]}";
    flow_ask(&world, "search quokka", "There is no room on Gitter that fits quokka.");
    world.peers.found = "[]";
    flow_ask(&world, "search quokka", "Sorry, that did not work: it was refused as malformed.");
    flow_ask(&world, "search", "Please say what to look for: `search WORDS`.");
}
END_TEST

/* The order of answers */

START_TEST(answers_keep_the_order_of_what_was_said)
{
    flow_login(&world);
    world.is_held[MSG_ERRAND_ROOMS_ENDED] = true;
    flow_command(&world, "list");
    flow_command(&world, "version");
    flow_command(&world, "frobnicate");
    flow_command(&world, "list");
    flow_command(&world, "gjoin");
    world_expect(&world, "");
    world_make(&world, MSG_ERRAND_ROOMS_ENDED);
    world_settle(&world);
    world_expect(&world,
                 "!chat @bot:hs m.notice: The rooms you are in on Gitter (* = also in your Matrix "
                 "client):\n"
                 "!chat @bot:hs m.notice: This is gitterd 1.2.3.\n"
                 "!chat @bot:hs m.notice: Sorry, I do not know the command `frobnicate`.\n");
    world_crash(&world);
    world_settle(&world);
    world.is_held[MSG_ERRAND_ROOMS_ENDED] = false;
    world_settle(&world);
    ck_assert(world_said(&world, "The rooms you are in on Gitter"));
    ck_assert(is_in(flow_last_event(&world)->body, "Please say which room: `gjoin ROOM`"));
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(yes_behind_a_slow_question_is_its_answer)
{
    flow_login(&world);
    world.peers.person = "{\"id\":\"u8\",\"username\":\"bob\",\"displayName\":\"Bob\"}";
    world.peers.resolved = "{\"id\":\"r8\",\"name\":\"Bob\",\"url\":\"/bob\",\"oneToOne\":true,"
                           "\"roomMember\":true}";
    world.is_held[MSG_ERRAND_PERSON_ENDED] = true;
    flow_command(&world, "invite bob");
    flow_command(&world, "yes");
    flow_command(&world, "version");
    world.is_held[MSG_ERRAND_PERSON_ENDED] = false;
    world_settle(&world);
    ck_assert_int_eq(world.peers.rooms_made, 1);
    ck_assert(is_in(flow_last_event(&world)->body, "This is gitterd"));
}
END_TEST

START_TEST(much_that_waits_is_refused_and_logout_waits_for_nothing)
{
    flow_login(&world);
    world.is_held[MSG_ERRAND_ROOMS_ENDED] = true;
    flow_command(&world, "list");
    for (int i = 0; i < 21; i++) {
        flow_command(&world, "version");
    }
    ck_assert(is_in(flow_last_event(&world)->body, "Please say `version` again later."));
    world_forget(&world);
    flow_command(&world, "logout");
    world.is_held[MSG_ERRAND_ROOMS_ENDED] = false;
    world_settle(&world);
    world_expect(&world, "link @alice:hs close\n"
                         "gitter revokes the token of ann\n"
                         "!chat @bot:hs m.notice: You have been logged out.\n");
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("commands");
    TCase *tests = tcase_create("commands");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, strangers_get_help_status_and_version);
    tcase_add_test(tests, login_gives_a_link_until_there_is_one);
    tcase_add_loop_test(tests, each_command_is_explained, 0, MACHINE_COUNT(verbs));
    tcase_add_test(tests, status_counts_rooms_and_tells_the_last_trouble);
    tcase_add_test(tests, status_tells_of_a_lost_connection);
    tcase_add_test(tests, status_of_an_expired_login);
    tcase_add_test(tests, unbridge_closes_here_and_leaves_gitter_alone);
    tcase_add_test(tests, unbridge_takes_numbers_of_the_list);
    tcase_add_test(tests, long_list_comes_in_pages);
    tcase_add_test(tests, names_of_others_break_no_line);
    tcase_add_test(tests, search_lists_rooms_whose_numbers_can_be_joined);
    tcase_add_test(tests, search_goes_on_with_its_numbers);
    tcase_add_test(tests, search_that_finds_nothing_or_is_not_there);
    tcase_add_test(tests, answers_keep_the_order_of_what_was_said);
    tcase_add_test(tests, yes_behind_a_slow_question_is_its_answer);
    tcase_add_test(tests, much_that_waits_is_refused_and_logout_waits_for_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
