/* Events that are malformed, hostile or merely odd: nothing happens that should not, and each is
 * taken, since the homeserver would repeat it for ever. */
#include "actors/room/room.h"
#include "actors/user/user.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

#include <string.h>

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

static void expect_taken(void)
{
    ck_assert(world.events[world.events_count - 1].is_done);
}

#define EVENT(id, room, rest)                                                                      \
    "{\"event_id\":\"" id "\",\"room_id\":\"" room "\",\"sender\":\"" ALICE "\"," rest "}"
#define MESSAGE(id, content) EVENT(id, "!made1", "\"type\":\"m.room.message\",\"content\":" content)
#define MEMBER(id, rest) EVENT(id, "!made1", "\"type\":\"m.room.member\"," rest)

static const char *const silent[] = {
    "",
    "null",
    "[]",
    "{",
    "{}",
    "{\"event_id\":\"$a\"}",
    "{\"event_id\":7,\"type\":\"m.room.message\",\"room_id\":\"!made1\",\"sender\":\"" ALICE "\"}",
    "{\"event_id\":\"$b\",\"type\":[],\"room_id\":\"!made1\",\"sender\":\"" ALICE "\"}",
    "{\"event_id\":\"$c\",\"type\":\"m.room.message\",\"room_id\":{},\"sender\":\"" ALICE "\"}",
    "{\"event_id\":\"$d\",\"type\":\"m.room.message\",\"room_id\":\"!made1\",\"sender\":null}",
    EVENT("$e", "!made1", "\"type\":\"m.room.message\""),
    EVENT("$f", "!made1", "\"type\":\"org.example.unheard\",\"content\":{\"body\":\"x\"}"),
    EVENT("$g", "!made1", "\"type\":\"m.room.topic\",\"state_key\":\"\",\"content\":{}"),
    EVENT("$h", "!made1", "\"type\":\"m.room.redaction\",\"content\":{}"),
    EVENT("$i", "!made1", "\"type\":\"m.room.redaction\",\"redacts\":17,\"content\":{}"),
    EVENT("$j", "!made1", "\"type\":\"m.room.create\",\"state_key\":\"\",\"content\":17"),
    EVENT("$k",
          "!nowhere",
          "\"type\":\"m.room.message\",\"content\":{\"body\":\"x\","
          "\"msgtype\":\"m.text\"}"),
    EVENT("$l",
          "no-room-id-at-all",
          "\"type\":\"m.room.message\",\"content\":{\"body\":\"x\","
          "\"msgtype\":\"m.text\"}"),
    MESSAGE("$m", "null"),
    MESSAGE("$n", "\"text\""),
    MESSAGE("$o", "{}"),
    MESSAGE("$p", "{\"msgtype\":\"m.text\"}"),
    MESSAGE("$q", "{\"msgtype\":\"m.text\",\"body\":{\"a\":1}}"),
    MESSAGE("$r", "{\"msgtype\":7,\"body\":\"x\"}"),
    MESSAGE("$s", "{\"msgtype\":\"m.text\",\"body\":\"\"}"),
    MESSAGE("$t",
            "{\"msgtype\":\"m.text\",\"body\":\"x\",\"m.relates_to\":{\"rel_type\":"
            "\"m.replace\",\"event_id\":7}}"),
    MEMBER("$u", "\"state_key\":7,\"content\":{\"membership\":\"leave\"}"),
    MEMBER("$v", "\"content\":{\"membership\":\"leave\"}"),
    MEMBER("$w", "\"state_key\":\"" ALICE "\",\"content\":{\"membership\":[]}"),
    MEMBER("$x", "\"state_key\":\"" ALICE "\",\"content\":{}"),
    MEMBER("$y", "\"state_key\":\"@h\\u00e9/\\u00fc:hs\",\"content\":{\"membership\":\"join\"}"),
};

START_TEST(event_that_says_nothing_does_nothing)
{
    world_event(&world, slice_from_cstr(silent[_i]));
    world_settle(&world);
    expect_taken();
    world_expect(&world, "");
    world_assert_state(&world, ACTOR_ROOM, ROOM_KEY, "JOINED");
    ck_assert_uint_eq(world_outbox(&world), 0);
    world_text(&world, "!made1", ALICE, "still here");
    world_settle(&world);
    world_expect(&world, "gitter r1 ann: still here\n");
}
END_TEST

START_TEST(redacted_event_does_nothing)
{
    world_event(&world,
                SLICE(EVENT("$z", "!made1",
                            "\"type\":\"m.room.message\",\"content\":{\"msgtype\":\"m.text\","
                            "\"body\":\"x\"},\"unsigned\":{\"redacted_because\":{}}")));
    world_settle(&world);
    expect_taken();
    world_expect(&world, "");
}
END_TEST

START_TEST(nul_and_lone_surrogates_in_a_text_are_posted_without_harm)
{
    world_event(&world, SLICE(MESSAGE("$z", "{\"msgtype\":\"m.text\",\"body\":\"a\\u0000b\\ud800c"
                                            "\"}")));
    world_settle(&world);
    expect_taken();
    ck_assert_uint_eq(world.peers.messages_count, 1);
    const struct slice text = world.peers.messages[0].text;
    ck_assert(slice_is_utf8(text));
    ck_assert_uint_eq(slice_find_byte(text, '\0'), text.len);
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_taken_as_a_bad_event)
{
    world_event(&world, SLICE(MESSAGE("$z", "{\"msgtype\":\"m.text\",\"body\":\"\xff\xfe\"}")));
    world_settle(&world);
    expect_taken();
    world_expect(&world, "");
}
END_TEST

START_TEST(nesting_without_end_is_taken_as_a_bad_event)
{
    char raw[4096];
    memset(raw, '[', sizeof raw);
    raw[sizeof raw - 1] = '\0';
    world_event(&world, slice_from_cstr(raw));
    world_settle(&world);
    expect_taken();
    world_expect(&world, "");
}
END_TEST

START_TEST(text_of_64_kib_is_posted_in_parts)
{
    char text[64 * 1024];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    world_text(&world, "!made1", ALICE, text);
    world_settle(&world);
    expect_taken();
    size_t units = 0;
    for (size_t i = 0; i < world.peers.messages_count; i++) {
        ck_assert_uint_le(world.peers.messages[i].text.len, 4096);
        units += world.peers.messages[i].text.len;
    }
    ck_assert_uint_eq(units, sizeof text - 1);
}
END_TEST

START_TEST(ids_that_are_too_long_are_no_ids)
{
    char id[400];
    memset(id, 'r', sizeof id);
    id[0] = '!';
    id[sizeof id - 1] = '\0';
    world_text(&world, id, ALICE, "hello");
    world_member(&world, id, ALICE, BOT, "invite");
    world_settle(&world);
    expect_taken();
    world_expect(&world, "");
}
END_TEST

START_TEST(user_with_slash_and_foreign_letters_can_use_the_bot)
{
    flow_chat(&world, "!odd", "@j\xc3\xb6rg/b:hs");
    ck_assert(world_said(&world, "!odd @bot:hs m.notice: Hi j\xc3\xb6rg/b!"));
    ck_assert_int_eq(world_web(&world, "GET", flow_link(&world), SLICE_EMPTY)->status, 200);
    const struct slice name = SLICE("@j\xc3\xb6rg/b:hs");
    ck_assert(slice_find(world.page.body, name) < world.page.body.len);
}
END_TEST

START_TEST(user_whose_name_is_markup_is_shown_as_text)
{
    flow_chat(&world, "!odd", "@<b>x</b>&:hs");
    const struct peer_event *event = &world.peers.events[world.peers.events_count - 1];
    ck_assert(slice_find(event->content, SLICE("Hi &lt;b&gt;x&lt;/b&gt;&amp;!")) <
              event->content.len);
    world_web(&world, "GET", flow_link(&world), SLICE_EMPTY);
    ck_assert(slice_find(world.page.body, SLICE("<b>")) == world.page.body.len);
}
END_TEST

START_TEST(forged_marks_of_ours_are_not_believed)
{
    world_content(&world, "!made1", "@eve:hs",
                  "{\"msgtype\":\"m.text\",\"body\":\"x\",\"gitterd.gitter_id\":\"1\"}");
    world_created(&world, "!trap", ALICE, ROOM_KEY);
    world_settle(&world);
    ck_assert(!world_said(&world, "!trap"));
    const struct room *room = world_peek(&world, ACTOR_ROOM, SLICE(ROOM_KEY));
    ck_text_eq(room->matrix_room, "!made1");
}
END_TEST

START_TEST(links_of_unknown_owners_and_odd_channels_do_nothing)
{
    const struct msg_link_record record = {.owner = SLICE(ALICE),
                                           .session = world.sessions,
                                           .channel = SLICE("/api/v1/rooms/"),
                                           .data = SLICE("{\"operation\":\"create\"}")};
    world_post(&world, MSG_LINK_RECORD, &record);
    const struct msg_link_record stranger = {
        .owner = SLICE("@nobody:hs"),
        .session = 1,
        .channel = SLICE("/api/v1/rooms/r1/chatMessages"),
        .data = SLICE("{\"operation\":\"create\",\"model\":{\"id\":\"x\"}}")};
    world_post(&world, MSG_LINK_RECORD, &stranger);
    const struct msg_link_up up = {.owner = SLICE("@nobody:hs"), .session = 1};
    world_post(&world, MSG_LINK_UP, &up);
    const struct msg_owner nobody = {.owner = SLICE("@nobody:hs")};
    world_post(&world, MSG_TOKEN_REFUSED, &nobody);
    world_post(&world, MSG_FEED_RESTARTED, &nobody);
    world_settle(&world);
    world_expect(&world, "");
    world_assert_state(&world, ACTOR_USER, "@nobody:hs", "-");
    world_assert_state(&world, ACTOR_FEED, "@nobody:hs", "-");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("bad_input");
    TCase *tests = tcase_create("bad_input");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, event_that_says_nothing_does_nothing, 0,
                        (int)(sizeof silent / sizeof silent[0]));
    tcase_add_test(tests, redacted_event_does_nothing);
    tcase_add_test(tests, nul_and_lone_surrogates_in_a_text_are_posted_without_harm);
    tcase_add_test(tests, bytes_that_are_not_utf8_are_taken_as_a_bad_event);
    tcase_add_test(tests, nesting_without_end_is_taken_as_a_bad_event);
    tcase_add_test(tests, text_of_64_kib_is_posted_in_parts);
    tcase_add_test(tests, ids_that_are_too_long_are_no_ids);
    tcase_add_test(tests, user_with_slash_and_foreign_letters_can_use_the_bot);
    tcase_add_test(tests, user_whose_name_is_markup_is_shown_as_text);
    tcase_add_test(tests, forged_marks_of_ours_are_not_believed);
    tcase_add_test(tests, links_of_unknown_owners_and_odd_channels_do_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
