/* What a bridged room looks like on Matrix: who is shown in it and how it is called; and what
 * becomes of it when its owner goes. */
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

static bool is_in(const char *room, const char *user)
{
    return peers_know(&world.peers,
                      arena_printf(world.arena, "joined %s @gitter_%s:hs", room, user));
}

static int count_in(const char *room)
{
    const struct slice before = arena_printf(world.arena, "joined %s @gitter_", room);
    int count = 0;
    for (size_t i = 0; i < world.peers.facts_count; i++) {
        count += slice_starts_with(world.peers.facts[i], before) ? 1 : 0;
    }
    return count;
}

static void people_record(const char *operation, const char *model)
{
    flow_record(&world, "/api/v1/rooms/r1/users", operation, model);
}

static void list_record(const char *operation, const char *model)
{
    flow_record(&world, "/api/v1/user/ann/rooms", operation, model);
}

static const char three_people[] =
    "[{\"id\":\"cy\",\"username\":\"cy\",\"displayName\":\"Cy\"},"
    "{\"id\":\"ann\",\"username\":\"ann_g\",\"displayName\":\"Ann\"},"
    "{\"id\":\"dee\",\"username\":\"dee\",\"displayName\":\"\"},"
    "{\"id\":\"bob\",\"username\":\"bob\",\"displayName\":\"Bob\"}]";

/* Who is there from the beginning */

START_TEST(latest_speakers_come_first_each_once_then_the_list)
{
    flow_say_before(&world);
    world.peers.people = three_people;
    flow_command(&world, "invite acme/ops");
    world_expect(&world, "gitter r1 read\n"
                         "create \"acme/ops (Gitter)\" as !made1\n"
                         "link @alice:hs subscribe r1\n"
                         "!chat @bot:hs m.notice: I am inviting you to acme/ops.\n"
                         "!made1 invite @alice:hs\n"
                         "register gitter_eve\n"
                         "name @gitter_eve:hs \"eve Name (Gitter)\"\n"
                         "!made1 invite @gitter_eve:hs\n"
                         "!made1 join @gitter_eve:hs\n"
                         "register gitter_bob\n"
                         "name @gitter_bob:hs \"bob Name (Gitter)\"\n"
                         "!made1 invite @gitter_bob:hs\n"
                         "!made1 join @gitter_bob:hs\n"
                         "register gitter_zoe\n"
                         "name @gitter_zoe:hs \"zoe Name (Gitter)\"\n"
                         "!made1 invite @gitter_zoe:hs\n"
                         "!made1 join @gitter_zoe:hs\n"
                         "register gitter_cy\n"
                         "name @gitter_cy:hs \"Cy (Gitter)\"\n"
                         "!made1 invite @gitter_cy:hs\n"
                         "!made1 join @gitter_cy:hs\n"
                         "register gitter_dee\n"
                         "name @gitter_dee:hs \"dee (Gitter)\"\n"
                         "!made1 invite @gitter_dee:hs\n"
                         "!made1 join @gitter_dee:hs\n");
    ck_assert(!is_in("!made1", "ann"));
}
END_TEST

START_TEST(no_more_than_the_limit_are_shown)
{
    static const char *const shown[] = {"eve", "bob", "zoe", "cy", "dee"};
    flow_say_before(&world);
    world.peers.people = three_people;
    world.settings.room_members_max = _i;
    flow_command(&world, "invite acme/ops");
    ck_assert_int_eq(count_in("!made1"), _i);
    for (int i = 0; i < _i; i++) {
        ck_assert_msg(is_in("!made1", shown[i]), "%s is not there", shown[i]);
    }
}
END_TEST

START_TEST(list_that_fails_leaves_the_speakers)
{
    flow_say_before(&world);
    world.is_held[MSG_FACE_LIST_ENDED] = true;
    flow_command(&world, "invite acme/ops");
    world_end(&world, MSG_FACE_LIST_ENDED, CALL_END_FAILED, 403, "{}");
    world_settle(&world);
    ck_assert_int_eq(count_in("!made1"), 3);
    world_assert_state(&world, ACTOR_FACE, ROOM_KEY, "KEPT");
}
END_TEST

START_TEST(those_over_the_limit_come_when_they_speak)
{
    world.settings.room_members_max = 0;
    world.peers.people = three_people;
    flow_invite(&world);
    ck_assert_int_eq(count_in("!made1"), 0);
    world_says(&world, "r1", "cy", "here I am");
    world_settle(&world);
    ck_assert(is_in("!made1", "cy"));
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "here I am"), 1);
}
END_TEST

START_TEST(speaking_before_being_shown_is_not_held_up)
{
    world.peers.people = three_people;
    world.is_held[MSG_FACE_INVITE_ENDED] = true;
    flow_invite(&world);
    world_says(&world, "r1", "cy", "already here");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "already here"), 1);
    ck_assert(!world_said(&world, "may not speak"));
    world.is_held[MSG_FACE_INVITE_ENDED] = false;
    world_settle(&world);
    ck_assert_int_eq(count_in("!made1"), 3);
}
END_TEST

START_TEST(ghost_that_could_not_join_comes_when_it_speaks)
{
    world.peers.people = "[{\"id\":\"cy\",\"username\":\"cy\"}]";
    world.is_held[MSG_FACE_JOIN_ENDED] = true;
    flow_invite(&world);
    world_end(&world, MSG_FACE_JOIN_ENDED, CALL_END_FAILED, 403, "{}");
    world_settle(&world);
    ck_assert(!is_in("!made1", "cy"));
    world_says(&world, "r1", "cy", "hello");
    world_settle(&world);
    ck_assert(is_in("!made1", "cy"));
    ck_assert(!world_said(&world, "may not speak"));
}
END_TEST

/* People come and go */

START_TEST(people_come_change_their_name_and_go)
{
    flow_invite(&world);
    world_forget(&world);
    people_record("create", "{\"id\":\"flo\",\"username\":\"flo\",\"displayName\":\"Flo\"}");
    world_expect(&world, "register gitter_flo\n"
                         "name @gitter_flo:hs \"Flo (Gitter)\"\n"
                         "!made1 invite @gitter_flo:hs\n"
                         "!made1 join @gitter_flo:hs\n");
    people_record("update", "{\"id\":\"flo\",\"username\":\"flo\",\"displayName\":\"Florence\"}");
    world_expect(&world, "name @gitter_flo:hs \"Florence (Gitter)\"\n");
    people_record("patch", "{\"id\":\"flo\",\"displayName\":\"Florence\"}");
    world_expect(&world, "");
    people_record("remove", "{\"id\":\"flo\"}");
    world_expect(&world, "!made1 leave @gitter_flo:hs\n");
    people_record("remove", "{\"id\":\"flo\"}");
    people_record("remove", "{\"id\":\"nobody\"}");
    people_record("update", "{\"id\":\"nobody\",\"displayName\":\"No\"}");
    people_record("remove", "{}");
    world_expect(&world, "");
}
END_TEST

START_TEST(who_goes_while_coming_does_not_stay)
{
    flow_invite(&world);
    world.is_held[MSG_FACE_JOIN_ENDED] = true;
    people_record("create", "{\"id\":\"flo\",\"username\":\"flo\"}");
    people_record("remove", "{\"id\":\"flo\"}");
    world.is_held[MSG_FACE_JOIN_ENDED] = false;
    world_settle(&world);
    ck_assert(!is_in("!made1", "flo"));
    people_record("create", "{\"id\":\"flo\",\"username\":\"flo\"}");
    ck_assert(is_in("!made1", "flo"));
}
END_TEST

START_TEST(who_goes_while_speaking_is_heard_and_does_not_stay)
{
    flow_invite(&world);
    world.is_held[MSG_ROOM_JOIN_ENDED] = true;
    world_says(&world, "r1", "flo", "bye");
    world_settle(&world);
    people_record("remove", "{\"id\":\"flo\"}");
    world.is_held[MSG_ROOM_JOIN_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "bye"), 1);
    ck_assert(!is_in("!made1", "flo"));
}
END_TEST

static void edit(struct slice id, const char *text)
{
    struct peer_message *message = peers_find(&world.peers, id);
    message->text = slice_from_cstr(text);
    peers_stamp_edit(message, world.now_ms);
    world_record(&world, "r1", "update", peers_message_json(&world.peers, message));
    world_settle(&world);
}

START_TEST(who_has_gone_edits_all_the_same)
{
    flow_invite(&world);
    const struct slice id = world_says(&world, "r1", "flo", "bye");
    world_settle(&world);
    people_record("remove", "{\"id\":\"flo\"}");
    ck_assert(!is_in("!made1", "flo"));
    world_forget(&world);
    edit(id, "goodbye");
    ck_assert(world_said(&world, "!made1 @gitter_flo:hs m.text: * goodbye (edits"));
    /* the homeserver knows that the ghost is out, and the bridge does not */
    peers_unlearn(&world.peers, SLICE("joined !made1 @gitter_flo:hs"));
    edit(id, "farewell");
    ck_assert(world_said(&world, "!made1 @gitter_flo:hs m.text: * farewell (edits"));
    edit(id, "so long");
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "farewell"), 1);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "so long"), 1);
}
END_TEST

START_TEST(who_speaks_while_going_comes_in_behind_the_leave)
{
    flow_invite(&world);
    world_says(&world, "r1", "flo", "hello");
    world_settle(&world);
    world.is_held[MSG_FACE_LEAVE_ENDED] = true;
    people_record("remove", "{\"id\":\"flo\"}");
    world.is_held[MSG_ROOM_SEND_ENDED] = true;
    world_says(&world, "r1", "flo", "bye");
    world_settle(&world);
    /* the leave has an effect, and is made again because nobody heard of it */
    peers_unlearn(&world.peers, SLICE("joined !made1 @gitter_flo:hs"));
    world.is_held[MSG_ROOM_SEND_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "bye"), 0);
    world.is_held[MSG_FACE_LEAVE_ENDED] = false;
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "bye"), 1);
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

/* Name and topic */

START_TEST(new_name_and_topic_are_shown_once)
{
    static const char renamed[] = "{\"id\":\"r1\",\"name\":\"acme/devops\",\"topic\":\"New\"}";
    flow_invite(&world);
    world_forget(&world);
    list_record("patch", renamed);
    world_expect(&world, "!made1 m.room.name {\"name\":\"acme/devops (Gitter)\"}\n"
                         "!made1 m.room.topic {\"topic\":\"New\"}\n");
    list_record("update", renamed);
    list_record("patch", "{\"id\":\"r1\",\"lastAccessTime\":null}");
    list_record("patch", "{\"id\":\"r1\",\"topic\":null}");
    list_record("patch", "{\"id\":\"other\",\"name\":\"else/where\"}");
    world_expect(&world, "");
    list_record("patch", "{\"id\":\"r1\",\"topic\":\"\"}");
    list_record("patch", "{\"id\":\"r1\",\"topic\":\"\"}");
    world_expect(&world, "!made1 m.room.topic {\"topic\":\"\"}\n");
}
END_TEST

START_TEST(list_tells_of_names_that_changed_silently)
{
    flow_invite(&world);
    world.peers.rooms = "[{\"id\":\"r1\",\"name\":\"acme/moved\",\"uri\":\"acme/moved\","
                        "\"topic\":\"\",\"roomMember\":true}]";
    world_forget(&world);
    flow_command(&world, "list");
    ck_assert(world_said(&world, "!made1 m.room.name {\"name\":\"acme/moved (Gitter)\"}\n"));
    ck_assert(world_said(&world, "!made1 m.room.topic {\"topic\":\"\"}\n"));
    world_says(&world, "r1", "bob", "still here");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "still here"), 1);
}
END_TEST

/* The owner on Gitter */

START_TEST(room_that_was_only_hidden_goes_on)
{
    flow_invite(&world);
    world_forget(&world);
    list_record("remove", "{\"id\":\"r1\"}");
    /* who was out for a moment has no subscription any more */
    world_expect(&world, "link @alice:hs subscribe r1\n");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}
END_TEST

/* How Gitter says that the owner is out: not a member, may not see the room, no such room. */
static const int out_statuses[] = {200, 403, 404};

START_TEST(owner_who_is_out_on_gitter_is_told_and_stays)
{
    const int status = out_statuses[_i];
    world.peers.people = "[{\"id\":\"cy\",\"username\":\"cy\"}]";
    flow_invite(&world);
    world.is_held[MSG_FACE_CHECK_ENDED] = true;
    list_record("remove", "{\"id\":\"r1\"}");
    world_forget(&world);
    world_end(&world, MSG_FACE_CHECK_ENDED, status == 200 ? CALL_END_DONE : CALL_END_FAILED, status,
              "{\"id\":\"r1\",\"roomMember\":false}");
    world_settle(&world);
    world_expect(&world, "link @alice:hs unsubscribe r1\n"
                         "!made1 @bot:hs m.notice: You are no longer in this room on Gitter. "
                         "Nothing is carried between here and there any more; `invit\n"
                         "!made1 leave @gitter_cy:hs\n"
                         "!made1 leave @bot:hs\n"
                         "!made1 forget @bot:hs\n");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
    ck_assert_uint_eq(world_outbox(&world), 0);
    flow_command(&world, "invite acme/ops");
    ck_assert_int_eq(world.peers.rooms_made, 2);
}
END_TEST

START_TEST(trouble_of_gitter_is_no_reason_to_leave)
{
    flow_invite(&world);
    world.is_held[MSG_FACE_CHECK_ENDED] = true;
    list_record("remove", "{\"id\":\"r1\"}");
    world_forget(&world);
    world_end(&world, MSG_FACE_CHECK_ENDED, CALL_END_FAILED, 500, "");
    world_settle(&world);
    world_expect(&world, "");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
    ck_assert(!world_has_head(&world, MSG_FACE_CHECK_ENDED));
    world_wait(&world, 5 * 60 * 1000);
    world_end(&world, MSG_FACE_CHECK_ENDED, CALL_END_FAILED, 404, "");
    world_settle(&world);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "-");
}
END_TEST

static const char joined_room[] = "{\"id\":\"r9\",\"name\":\"other/room\",\"uri\":\"other/room\","
                                  "\"url\":\"/other/room\",\"roomMember\":true}";

START_TEST(room_joined_elsewhere_is_offered_once)
{
    list_record("create", joined_room);
    world_expect(&world, "!chat @bot:hs m.notice: You have joined the room other/room on Gitter. "
                         "`invite other/room` brings it here.\n");
    list_record("create", joined_room);
    list_record("patch", joined_room);
    list_record("create", "{\"id\":\"r7\",\"name\":\"only/seen\",\"roomMember\":false}");
    world_expect(&world, "");
    list_record("remove", "{\"id\":\"r9\"}");
    list_record("create", joined_room);
    ck_assert(world_said(&world, "You have joined the room other/room"));
}
END_TEST

START_TEST(room_joined_by_command_is_offered_once)
{
    world.peers.resolved = joined_room;
    world.is_held[MSG_ERRAND_JOIN_ENDED] = true;
    flow_command(&world, "gjoin other/room");
    if (_i == 0) { /* the push may come before the answer, or after it */
        list_record("create", joined_room);
    }
    world.is_held[MSG_ERRAND_JOIN_ENDED] = false;
    world_settle(&world);
    list_record("create", joined_room);
    world_expect(&world, "gitter ann joins\n"
                         "!chat @bot:hs m.notice: You have joined the room other/room on Gitter. "
                         "`invite other/room` brings it here.\n");
}
END_TEST

START_TEST(room_joined_again_while_it_is_left_is_offered)
{
    flow_invite(&world);
    world.is_held[MSG_ROOM_LEAVE_ENDED] = true;
    flow_command(&world, "gpart acme/ops");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "LEAVING");
    world_forget(&world);
    list_record("create", "{\"id\":\"r1\",\"name\":\"acme/ops\",\"roomMember\":true}");
    world_expect(&world, "!chat @bot:hs m.notice: You have joined the room acme/ops on Gitter. "
                         "`invite acme/ops` brings it here.\n");
}
END_TEST

/* Others in the Matrix room */

START_TEST(third_person_who_comes_and_goes_changes_nothing)
{
    flow_invite(&world);
    world_forget(&world);
    world_member(&world, "!made1", "@eve:hs", "@eve:hs", "invite>join");
    world_member(&world, "!made1", "@eve:hs", "@eve:hs", "join>join");
    world_member(&world, "!made1", ALICE, ALICE, "join>join");
    world_member(&world, "!made1", BOT, "@eve:hs", _i == 0 ? "join>leave" : "join>ban");
    world_settle(&world);
    world_expect(&world, "");
    world_says(&world, "r1", "bob", "on we go");
    world_settle(&world);
    ck_assert_uint_eq(peers_count_matrix(&world.peers, "!made1", "on we go"), 1);
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}
END_TEST

static void add_endings(TCase *tests)
{
    tcase_add_test(tests, room_that_was_only_hidden_goes_on);
    tcase_add_loop_test(tests, owner_who_is_out_on_gitter_is_told_and_stays, 0,
                        MACHINE_COUNT(out_statuses));
    tcase_add_test(tests, trouble_of_gitter_is_no_reason_to_leave);
    tcase_add_test(tests, room_joined_elsewhere_is_offered_once);
    tcase_add_loop_test(tests, room_joined_by_command_is_offered_once, 0, 2);
    tcase_add_test(tests, room_joined_again_while_it_is_left_is_offered);
    tcase_add_loop_test(tests, third_person_who_comes_and_goes_changes_nothing, 0, 2);
}

/* Furniture */

static int count_state(const char *room, const char *type)
{
    const struct slice before = arena_printf(world.arena, "%s %s ", room, type);
    int count = 0;
    for (size_t i = 0; i < world.peers.facts_count; i++) {
        count += slice_starts_with(world.peers.facts[i], before) ? 1 : 0;
    }
    return count;
}

static bool has_state(const char *needle)
{
    for (size_t i = 0; i < world.peers.facts_count; i++) {
        if (slice_find(world.peers.facts[i], slice_from_cstr(needle)) < world.peers.facts[i].len) {
            return true;
        }
    }
    return false;
}

START_TEST(new_room_says_what_it_is_bridged_to_and_who_may_what)
{
    flow_invite(&world);
    ck_assert_int_eq(count_state("!made1", "m.bridge"), 1);
    ck_assert_int_eq(count_state("!made1", "uk.half-shot.bridge"), 1);
    ck_assert(has_state("\"channel\":{\"id\":\"r1\",\"displayname\":\"acme/ops\","
                        "\"external_url\":\"https://gitter.example/acme/ops\"}"));
    ck_assert(has_state("!made1 m.room.power_levels {\"users\":{\"@alice:hs\":50},"));
}
END_TEST

START_TEST(renamed_room_tells_so_to_bridge_lists_too)
{
    flow_invite(&world);
    list_record("update", "{\"id\":\"r1\",\"name\":\"acme/all\"}");
    ck_assert_int_eq(count_state("!made1", "m.bridge"), 2);
    ck_assert(has_state("\"displayname\":\"acme/all\""));
    ck_assert_int_eq(count_state("!made1", "m.room.power_levels"), 1);
}
END_TEST

/* As a room of an older gitterd was stored. */
static void forget_furniture(void)
{
    const struct face *face = world_peek(&world, ACTOR_FACE, SLICE(ROOM_KEY));
    ck_assert_int_eq(face->furniture, FACE_FURNITURE);
    ((struct face *)(void *)(uintptr_t)face)->furniture = 0;
    for (size_t i = 0; i < world.peers.facts_count; i++) {
        if (slice_starts_with(world.peers.facts[i], SLICE("!made1 m.bridge "))) {
            world.peers.facts[i] = SLICE("(forgotten)");
        }
    }
}

START_TEST(older_room_is_brought_up_to_date_in_its_time)
{
    flow_invite(&world);
    forget_furniture();
    flow_command(&world, "list");
    ck_assert_int_eq(count_state("!made1", "m.bridge"), 0);
    world_wait(&world, 10 * 60 * 1000);
    ck_assert_int_eq(count_state("!made1", "m.bridge"), 1);
    flow_command(&world, "list");
    world_wait(&world, 10 * 60 * 1000);
    ck_assert_int_eq(count_state("!made1", "m.bridge"), 1);
}
END_TEST

START_TEST(owner_of_another_homeserver_can_come_in)
{
    flow_chat(&world, "!far", "@far:elsewhere");
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    world.peers.account = "ben";
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    world.is_held[MSG_ROOM_CREATE_ENDED] = true;
    world_text(&world, "!far", "@far:elsewhere", "invite acme/ops");
    world_settle(&world);
    const struct slice body = world_head(&world, MSG_ROOM_CREATE_ENDED).call.body;
    ck_assert_uint_eq(slice_find(body, SLICE("m.federate")), body.len);
    world_make(&world, MSG_ROOM_CREATE_ENDED);
    flow_command(&world, "invite acme/ops");
    const struct slice own = world_head(&world, MSG_ROOM_CREATE_ENDED).call.body;
    ck_assert_uint_lt(slice_find(own, SLICE("\"m.federate\":false")), own.len);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("face");
    TCase *tests = tcase_create("face");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, latest_speakers_come_first_each_once_then_the_list);
    tcase_add_loop_test(tests, no_more_than_the_limit_are_shown, 0, 6);
    tcase_add_test(tests, list_that_fails_leaves_the_speakers);
    tcase_add_test(tests, those_over_the_limit_come_when_they_speak);
    tcase_add_test(tests, speaking_before_being_shown_is_not_held_up);
    tcase_add_test(tests, ghost_that_could_not_join_comes_when_it_speaks);
    tcase_add_test(tests, people_come_change_their_name_and_go);
    tcase_add_test(tests, who_goes_while_coming_does_not_stay);
    tcase_add_test(tests, who_goes_while_speaking_is_heard_and_does_not_stay);
    tcase_add_test(tests, who_has_gone_edits_all_the_same);
    tcase_add_test(tests, who_speaks_while_going_comes_in_behind_the_leave);
    tcase_add_test(tests, new_name_and_topic_are_shown_once);
    tcase_add_test(tests, list_tells_of_names_that_changed_silently);
    add_endings(tests);
    tcase_add_test(tests, new_room_says_what_it_is_bridged_to_and_who_may_what);
    tcase_add_test(tests, renamed_room_tells_so_to_bridge_lists_too);
    tcase_add_test(tests, older_room_is_brought_up_to_date_in_its_time);
    tcase_add_test(tests, owner_of_another_homeserver_can_come_in);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
