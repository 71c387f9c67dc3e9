/* Every command and every refusal of the private chat, and what becomes of a command when the login
 * ends under it. */
#include "actors/errand/errand.h"
#include "actors/user/user.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

#include <inttypes.h>

static struct world world;

static void setup(void)
{
    world_open(&world);
    world.peers.rooms = flow_rooms;
    flow_login(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static size_t errands(void)
{
    struct store_found found[8];
    size_t count = 0;
    ck_assert_int_eq(world.store->methods->list(world.store, ACTOR_ERRAND, SLICE_EMPTY, world.arena,
                                                found, 8, &count),
                     RC_OK);
    return count;
}

static void assert_over(void)
{
    ck_assert_uint_eq(errands(), 0);
    ck_assert_uint_eq(world_outbox(&world), 0);
}

static void log_in_again(void)
{
    const struct slice state = arena_copy(world.arena, flow_state(&world));
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    world_forget(&world);
}

/* What Gitter has besides the rooms of the list. */
static const char found_room[] = "{\"id\":\"r9\",\"name\":\"other/room\",\"uri\":\"other/room\","
                                 "\"url\":\"/other/room\",\"roomMember\":false}";
static const char bobs_room[] =
    "{\"id\":\"r8\",\"name\":\"Bob\",\"url\":\"/bob\",\"oneToOne\":true,"
    "\"roomMember\":true}";

/* Names and numbers */

START_TEST(rooms_are_found_by_label_name_and_uri_in_any_case)
{
    static const char *const names[] = {"/ACME/Chat", "the ACME room", "Acme/chat", "2"};
    world.peers.rooms =
        "[{\"id\":\"r0\",\"name\":\"aaa/one\",\"url\":\"/aaa/one\",\"roomMember\":true},"
        "{\"id\":\"r1\",\"name\":\"The acme room\",\"uri\":\"acme/chat\",\"url\":\"/acme/chat\","
        "\"roomMember\":true}]";
    flow_command(&world, "list");
    for (size_t i = 0; i < MACHINE_COUNT(names); i++) {
        const char *text = arena_printf(world.arena, "iNViTE %s", names[i]).ptr;
        flow_ask(&world, text, "I am inviting you to acme/chat.");
    }
    ck_assert_int_eq(world.peers.rooms_made, 1);
}
END_TEST

START_TEST(numbers_are_those_of_the_last_list)
{
    flow_ask(&world, "invite 1", "There is no number 1 in the last list. `list` shows a new one.");
    flow_command(&world, "list");
    /* another room comes first on Gitter now: the numbers the user saw still count */
    world.peers.rooms =
        "[{\"id\":\"r0\",\"name\":\"aaa/one\",\"url\":\"/aaa/one\",\"roomMember\":true},"
        "{\"id\":\"r1\",\"name\":\"acme/ops\",\"url\":\"/acme/ops\",\"roomMember\":true}]";
    flow_ask(&world, "invite 1", "I am inviting you to acme/ops.");
    flow_ask(&world, "invite 0", "There is no number 0 in the last list. `list` shows a new one.");
    flow_ask(&world, "invite -1",
             "There is no number -1 in the last list. `list` shows a new one.");
    flow_ask(&world, "gjoin 7", "There is no number 7 in the last list. `list` shows a new one.");
    flow_ask(&world, "gpart 7", "You are in no room called 7 on Gitter. `list` shows your rooms.");
    assert_over();
}
END_TEST

START_TEST(several_numbers_are_invited_in_one_go)
{
    flow_command(&world, "list");
    world_forget(&world);
    flow_command(&world, "invite 1  3 9 3");
    ck_assert_int_eq(world.peers.rooms_made, 2);
    ck_assert(world_said(&world, "I am inviting you to acme/ops."));
    ck_assert(world_said(&world, "I am inviting you to Beta/dev."));
    ck_assert(world_said(&world, "There is no number 9 in the last list."));
    assert_over();
}
END_TEST

START_TEST(missing_arguments_are_explained)
{
    flow_ask(&world, "invite",
             "Please say which room: `invite ROOM`, or `invite all`. `list` shows "
             "your rooms.");
    flow_ask(&world, "GJOIN  ",
             "Please say which room: `gjoin ROOM`, for example `gjoin "
             "gitterHQ/gitter`.");
    flow_ask(&world, " gpart",
             "Please say which room: `gpart ROOM`, by name or by its number in the "
             "list.");
    assert_over();
}
END_TEST

START_TEST(nearest_command_is_named)
{
    flow_command(&world, "ivnite acme/ops");
    ck_assert(slice_starts_with(flow_last_event(&world)->body,
                                SLICE("Sorry, I do not know the command `ivnite`. Did you mean "
                                      "`invite`?\nThis bridge is controlled")));
    flow_command(&world, "Logot");
    ck_assert(slice_find(flow_last_event(&world)->body, SLICE("Did you mean `logout`?")) <
              flow_last_event(&world)->body.len);
    flow_command(&world, "frobnicate");
    ck_assert(slice_find(flow_last_event(&world)->body, SLICE("Did you mean")) ==
              flow_last_event(&world)->body.len);
    world_assert_state(&world, ACTOR_USER, ALICE, "AUTHED");
}
END_TEST

/* gjoin */

START_TEST(gjoin_joins_by_name_and_says_how_to_go_on)
{
    world.peers.resolved = found_room;
    flow_command(&world, "GJoin Other/ROOM");
    world_expect(&world, "gitter ann joins\n"
                         "!chat @bot:hs m.notice: You have joined the room other/room on Gitter. "
                         "`invite other/room` brings it here.\n");
    assert_over();
}
END_TEST

START_TEST(gjoin_of_a_room_one_is_in_joins_nothing)
{
    world.peers.resolved = found_room;
    flow_ask(&world, "gjoin ACME/ops",
             "You are in the room acme/ops on Gitter already. `invite "
             "acme/ops` brings it here.");
    ck_assert(!world_said(&world, "joins"));
}
END_TEST

START_TEST(gjoin_again_after_leaving_is_answered_again)
{
    world.peers.resolved = found_room;
    flow_command(&world, "gjoin other/room");
    world.peers.rooms = arena_printf(world.arena, "[%s]",
                                     "{\"id\":\"r9\",\"name\":\"other/room\",\"url\":"
                                     "\"/other/room\",\"roomMember\":true}")
                            .ptr;
    flow_ask(&world, "gpart other/room", "You have left the room other/room on Gitter.");
    world.peers.rooms = "[]";
    flow_ask(&world, "gjoin other/room",
             "You have joined the room other/room on Gitter. `invite "
             "other/room` brings it here.");
}
END_TEST

START_TEST(gjoin_is_refused_in_words)
{
    flow_ask(&world, "gjoin no/where",
             "There is no room or person called no/where on Gitter, or you may not see it.");
    world.is_held[MSG_ERRAND_RESOLVE_ENDED] = true;
    flow_command(&world, "gjoin old/name");
    world_end(&world, MSG_ERRAND_RESOLVE_ENDED, CALL_END_FAILED, 301, "");
    world_settle(&world);
    ck_text_eq(flow_last_event(&world)->body,
               "The room old/name has another name on Gitter now. `list` shows it, if "
               "you are in it.");
    flow_command(&world, "gjoin closed/room");
    world_end(&world, MSG_ERRAND_RESOLVE_ENDED, CALL_END_FAILED, 403, "");
    world_settle(&world);
    ck_text_eq(flow_last_event(&world)->body,
               "Sorry, that did not work: you may not do that there.");
    world.is_held[MSG_ERRAND_RESOLVE_ENDED] = false;
    world.is_held[MSG_ERRAND_JOIN_ENDED] = true;
    world.peers.resolved = found_room;
    flow_command(&world, "gjoin other/room");
    world_end(&world, MSG_ERRAND_JOIN_ENDED, CALL_END_FAILED, 403, "");
    world_settle(&world);
    ck_text_eq(flow_last_event(&world)->body,
               "Sorry, that did not work: you may not do that there.");
    ck_assert(!world_said(&world, "You have joined"));
    assert_over();
}
END_TEST

START_TEST(gjoin_answered_with_nonsense_is_told)
{
    world.peers.resolved = "[]";
    flow_ask(&world, "gjoin some/room", "Sorry, that did not work: it was refused as malformed.");
    assert_over();
}
END_TEST

START_TEST(invite_of_a_room_one_is_not_in_says_to_join_it)
{
    world.peers.resolved = found_room;
    flow_ask(&world, "invite other/room",
             "You are not in the room other/room on Gitter. `gjoin "
             "other/room` joins it.");
    ck_assert_int_eq(world.peers.rooms_made, 0);
}
END_TEST

/* gpart */

START_TEST(gpart_leaves_there_and_here)
{
    flow_command(&world, "invite acme/ops");
    world_member(&world, "!made1", ALICE, ALICE, "invite>join");
    world_says(&world, "r1", "bob", "hello");
    world_settle(&world);
    world_forget(&world);
    flow_command(&world, "GPART Acme/OPS");
    world_expect(&world, "gitter r1 ann leaves\n"
                         "link @alice:hs unsubscribe r1\n"
                         "!made1 kick @alice:hs\n"
                         "!made1 leave @gitter_bob:hs\n"
                         "!made1 leave @bot:hs\n"
                         "!made1 forget @bot:hs\n"
                         "!chat @bot:hs m.notice: You have left the room acme/ops on Gitter.\n");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
    assert_over();
}
END_TEST

START_TEST(gpart_by_number_of_a_room_that_is_not_bridged)
{
    flow_command(&world, "list");
    world_forget(&world);
    flow_command(&world, "gpart 3");
    world_expect(&world, "gitter r2 ann leaves\n"
                         "!chat @bot:hs m.notice: You have left the room Beta/dev on Gitter.\n");
}
END_TEST

START_TEST(gpart_is_refused_in_words)
{
    flow_ask(&world, "gpart seen/only",
             "You are in no room called seen/only on Gitter. `list` shows "
             "your rooms.");
    flow_command(&world, "invite acme/ops");
    world.is_held[MSG_ERRAND_PART_ENDED] = true;
    flow_command(&world, "gpart acme/ops");
    world_end(&world, MSG_ERRAND_PART_ENDED, CALL_END_FAILED, 400, "");
    world_settle(&world);
    ck_text_eq(flow_last_event(&world)->body,
               "acme/ops is a one-to-one chat; Gitter lets nobody leave those.");
    flow_command(&world, "gpart acme/ops");
    world_end(&world, MSG_ERRAND_PART_ENDED, CALL_END_FAILED, 500, "");
    world_settle(&world);
    ck_text_eq(flow_last_event(&world)->body,
               "Sorry, that did not work: the server has trouble (status 500).");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "INVITED");
    assert_over();
}
END_TEST

START_TEST(gpart_when_gitter_has_one_out_already_unbridges)
{
    flow_command(&world, "invite acme/ops");
    world.is_held[MSG_ERRAND_PART_ENDED] = true;
    flow_command(&world, "gpart acme/ops");
    world_end(&world, MSG_ERRAND_PART_ENDED, CALL_END_FAILED, 404, "");
    world_settle(&world);
    ck_text_eq(flow_last_event(&world)->body, "You have left the room acme/ops on Gitter.");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
}
END_TEST

/* People */

static void ask_for_bob(const char *text)
{
    world.peers.person = "{\"id\":\"u8\",\"username\":\"bob\",\"displayName\":\"Bob\"}";
    world.peers.resolved = bobs_room;
    flow_ask(&world, text,
             "bob is a person on Gitter. Shall I open a one-to-one chat with them? Say "
             "`yes` or `no`.");
    world_forget(&world);
}

START_TEST(person_is_asked_about_and_yes_opens_the_chat)
{
    ask_for_bob("invite bob");
    world.is_held[MSG_ERRAND_RESOLVE_ENDED] = true;
    flow_command(&world, "YES");
    ck_assert(slice_find(world_head(&world, MSG_ERRAND_RESOLVE_ENDED).call.body, SLICE("bob")) > 0);
    world.is_held[MSG_ERRAND_RESOLVE_ENDED] = false;
    world_settle(&world);
    world_expect(&world, "gitter r8 read\n"
                         "create \"Bob (Gitter)\" as !made1\n"
                         "link @alice:hs subscribe r8\n"
                         "!chat @bot:hs m.notice: I am inviting you to Bob.\n"
                         "!made1 m.room.member {\"membership\":\"invite\",\"is_direct\":true}\n");
    flow_ask(&world, "yes", "There is nothing to say yes or no to.");
    assert_over();
}
END_TEST

START_TEST(person_is_not_bothered_after_no)
{
    ask_for_bob("gjoin bob");
    flow_ask(&world, "n", "All right, I leave it.");
    flow_ask(&world, "no", "There is nothing to say yes or no to.");
    flow_ask(&world, "y", "There is nothing to say yes or no to.");
    ck_assert_int_eq(world.peers.rooms_made, 0);
    assert_over();
}
END_TEST

/* Whatever else is said. */
static const char *const other_commands[] = {"list", "help", "bananas", "gpart", "invite no/where"};

START_TEST(any_other_command_means_no)
{
    ask_for_bob("invite bob");
    world.peers.resolved = NULL;
    flow_command(&world, other_commands[_i]);
    flow_ask(&world, "yes", "There is nothing to say yes or no to.");
    ck_assert_int_eq(world.peers.rooms_made, 0);
    assert_over();
}
END_TEST

START_TEST(newer_question_takes_the_place_of_the_older)
{
    ask_for_bob("invite bob");
    ask_for_bob("invite bob");
    ck_assert_uint_eq(errands(), 1);
    flow_command(&world, "yes");
    ck_assert_int_eq(world.peers.rooms_made, 1);
    assert_over();
}
END_TEST

START_TEST(question_is_let_go_after_an_hour)
{
    ask_for_bob("invite bob");
    world_wait(&world, 60 * 60 * 1000);
    world_expect(&world, "");
    assert_over();
    flow_ask(&world, "yes", "There is nothing to say yes or no to.");
    flow_ask(&world, "no", "There is nothing to say yes or no to.");
    ck_assert_int_eq(world.peers.rooms_made, 0);
}
END_TEST

START_TEST(question_survives_a_restart)
{
    ask_for_bob("invite bob");
    world_crash(&world);
    world_settle(&world);
    flow_command(&world, "yes");
    ck_assert_int_eq(world.peers.rooms_made, 1);
    assert_over();
}
END_TEST

START_TEST(answers_without_a_question_are_answered)
{
    flow_ask(&world, "yes", "There is nothing to say yes or no to.");
    flow_ask(&world, "No", "There is nothing to say yes or no to.");
}
END_TEST

/* Gitter is silent: the courier ends a call that is older than its patience. */

static const int silent_calls[] = {MSG_ERRAND_ROOMS_ENDED, MSG_ERRAND_PERSON_ENDED,
                                   MSG_ERRAND_RESOLVE_ENDED, MSG_ERRAND_JOIN_ENDED,
                                   MSG_ERRAND_PART_ENDED};

START_TEST(silence_of_gitter_is_told_after_a_minute)
{
    static const char *const commands[] = {"list", "gjoin somebody", "gjoin other/room",
                                           "gjoin other/room", "gpart acme/ops"};
    const int purpose = silent_calls[_i];
    world.peers.resolved = found_room;
    world.is_held[purpose] = true;
    flow_command(&world, commands[_i]);
    ck_assert_int_eq(world_head(&world, purpose).call.patience_ms, 60 * 1000);
    world_forget(&world);
    world_end(&world, purpose, CALL_END_FAILED, 0, "");
    world_settle(&world);
    world_expect(&world, "!chat @bot:hs m.notice: Sorry, that did not work: the server cannot be "
                         "reached.\n");
    assert_over();
}
END_TEST

/* The login ends under a command */

START_TEST(expiry_in_the_middle_is_told_once_and_ends_the_command)
{
    static const char *const commands[] = {"list", "gjoin somebody", "gjoin other/room",
                                           "gjoin other/room", "gpart acme/ops"};
    world.peers.resolved = found_room;
    world.is_held[silent_calls[_i]] = true;
    flow_command(&world, commands[_i]);
    world_forget(&world);
    flow_refuse_token(&world);
    ck_assert(world_said(&world, "Gitter no longer accepts your login as ann_g."));
    assert_over();
    world.is_held[silent_calls[_i]] = false;
    log_in_again();
    ck_assert(!world_said(&world, "!chat"));
    flow_command(&world, "help");
    ck_assert(world_said(&world, "This bridge is controlled"));
}
END_TEST

START_TEST(logout_in_the_middle_says_logged_out_and_no_more)
{
    world.peers.resolved = found_room;
    world.is_held[silent_calls[_i]] = true;
    flow_command(&world, _i == 0   ? "list"
                         : _i == 1 ? "gjoin somebody"
                         : _i == 4 ? "gpart acme/ops"
                                   : "gjoin o/r");
    world_forget(&world);
    flow_command(&world, "logout");
    world.is_held[silent_calls[_i]] = false;
    world_settle(&world);
    world_expect(&world, "link @alice:hs close\n"
                         "gitter revokes the token of ann\n"
                         "!chat @bot:hs m.notice: You have been logged out.\n");
    assert_over();
}
END_TEST

START_TEST(logout_or_expiry_drops_the_question)
{
    ask_for_bob("invite bob");
    if (_i == 0) {
        flow_command(&world, "logout");
        flow_command(&world, "hello");
    } else {
        flow_refuse_token(&world);
    }
    log_in_again();
    flow_ask(&world, "yes", "There is nothing to say yes or no to.");
    ck_assert_int_eq(world.peers.rooms_made, 0);
}
END_TEST

/* Many rooms */

static void give_many_rooms(int count)
{
    struct buf rooms;
    buf_init(&rooms, world.arena);
    for (int i = 0; i < count; i++) {
        buf_printf(&rooms,
                   "%s{\"id\":\"m%02d\",\"name\":\"many/%02d\",\"url\":\"/many/%02d\","
                   "\"roomMember\":true}",
                   i == 0 ? "[" : ",", i, i, i);
    }
    BUF_PUT(&rooms, "]");
    world.peers.rooms = arena_cstr(world.arena, buf_slice(&rooms));
    world.is_hand_linked = true;
}

START_TEST(progress_of_many_rooms_is_told)
{
    give_many_rooms(12);
    flow_command(&world, "invite all");
    ck_assert(world_said(&world, "I am inviting you to 12 of your Gitter rooms."));
    ck_assert(world_said(&world, "10 of 12 rooms are ready."));
    ck_assert(world_said(&world, "12 of 12 rooms are ready."));
    ck_assert(!world_said(&world, "11 of 12"));
}
END_TEST

START_TEST(progress_counts_rooms_that_could_not_be_made)
{
    give_many_rooms(11);
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite all");
    world_end(&world, MSG_ROOM_CREATE_ENDED, CALL_END_FAILED, 403, "{}");
    world.is_held[MSG_ROOM_CREATE_ENDED] = false;
    world_settle(&world);
    ck_assert(world_said(&world, "11 of 11 rooms are ready."));
}
END_TEST

START_TEST(progress_counts_rooms_that_were_parted_before_they_were_made)
{
    give_many_rooms(11);
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    flow_command(&world, "invite all");
    flow_command(&world, "gpart many/03");
    world.is_held[MSG_ROOM_CREATE_ENDED] = false;
    world_settle(&world);
    ck_assert(world_said(&world, "11 of 11 rooms are ready."));
}
END_TEST

START_TEST(few_rooms_need_no_word_of_progress)
{
    flow_command(&world, "invite all");
    ck_assert(world_said(&world, "I am inviting you to 3 of your Gitter rooms."));
    ck_assert(!world_said(&world, "are ready"));
}
END_TEST

static void add_people(TCase *tests)
{
    tcase_add_test(tests, person_is_asked_about_and_yes_opens_the_chat);
    tcase_add_test(tests, person_is_not_bothered_after_no);
    tcase_add_loop_test(tests, any_other_command_means_no, 0, MACHINE_COUNT(other_commands));
    tcase_add_test(tests, newer_question_takes_the_place_of_the_older);
    tcase_add_test(tests, question_is_let_go_after_an_hour);
    tcase_add_test(tests, question_survives_a_restart);
    tcase_add_test(tests, answers_without_a_question_are_answered);
    tcase_add_loop_test(tests, logout_or_expiry_drops_the_question, 0, 2);
}

static Suite *suite(void)
{
    Suite *suite = suite_create("errands");
    TCase *tests = tcase_create("errands");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rooms_are_found_by_label_name_and_uri_in_any_case);
    tcase_add_test(tests, numbers_are_those_of_the_last_list);
    tcase_add_test(tests, several_numbers_are_invited_in_one_go);
    tcase_add_test(tests, missing_arguments_are_explained);
    tcase_add_test(tests, nearest_command_is_named);
    tcase_add_test(tests, gjoin_joins_by_name_and_says_how_to_go_on);
    tcase_add_test(tests, gjoin_of_a_room_one_is_in_joins_nothing);
    tcase_add_test(tests, gjoin_again_after_leaving_is_answered_again);
    tcase_add_test(tests, gjoin_is_refused_in_words);
    tcase_add_test(tests, gjoin_answered_with_nonsense_is_told);
    tcase_add_test(tests, invite_of_a_room_one_is_not_in_says_to_join_it);
    tcase_add_test(tests, gpart_leaves_there_and_here);
    tcase_add_test(tests, gpart_by_number_of_a_room_that_is_not_bridged);
    tcase_add_test(tests, gpart_is_refused_in_words);
    tcase_add_test(tests, gpart_when_gitter_has_one_out_already_unbridges);
    add_people(tests);
    tcase_add_loop_test(tests, silence_of_gitter_is_told_after_a_minute, 0,
                        MACHINE_COUNT(silent_calls));
    tcase_add_loop_test(tests, expiry_in_the_middle_is_told_once_and_ends_the_command, 0,
                        MACHINE_COUNT(silent_calls));
    tcase_add_loop_test(tests, logout_in_the_middle_says_logged_out_and_no_more, 0,
                        MACHINE_COUNT(silent_calls));
    tcase_add_test(tests, progress_of_many_rooms_is_told);
    tcase_add_test(tests, progress_counts_rooms_that_could_not_be_made);
    tcase_add_test(tests, progress_counts_rooms_that_were_parted_before_they_were_made);
    tcase_add_test(tests, few_rooms_need_no_word_of_progress);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
