#include "codecs/matrix.h"

#include "codecs/json.h"
#include "runtime/base/buf.h"
#include "tests/unit/slice_check.h"

#include <signal.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_open(4096);
}

static void teardown(void)
{
    arena_close(arena);
}

static void
check_request(struct matrix_request request, const char *method, const char *path, const char *body)
{
    ck_slice_eq(request.method, slice_from_cstr(method));
    ck_slice_eq(request.path, slice_from_cstr(path));
    ck_slice_eq(request.body, slice_from_cstr(body));
}

#define ROOM SLICE("!a/b:h")
#define ROOM_PATH "/_matrix/client/v3/rooms/%21a%2Fb%3Ah"
#define GHOST SLICE("@gitter_1=2f:h")
#define GHOST_QUERY "user_id=%40gitter_1%3D2f%3Ah"

START_TEST(requests_of_accounts)
{
    check_request(matrix_versions_request(arena), "GET", "/_matrix/client/versions", "");
    check_request(matrix_whoami_request(arena), "GET", "/_matrix/client/v3/account/whoami", "");
    check_request(matrix_ping_request(arena, SLICE("git ter")), "POST",
                  "/_matrix/client/v1/appservice/git%20ter/ping", "{}");
    check_request(matrix_register_request(arena, SLICE("gitter_1")), "POST",
                  "/_matrix/client/v3/register",
                  "{\"type\":\"m.login.application_service\",\"username\":\"gitter_1\","
                  "\"inhibit_login\":true}");
    check_request(matrix_displayname_request(arena, GHOST, SLICE("A\"\0\xff")), "PUT",
                  "/_matrix/client/v3/profile/%40gitter_1%3D2f%3Ah/displayname?" GHOST_QUERY,
                  "{\"displayname\":\"A\\\"\xef\xbf\xbd\xef\xbf\xbd\"}");
    check_request(matrix_avatar_request(arena, GHOST, SLICE("mxc://h/1")), "PUT",
                  "/_matrix/client/v3/profile/%40gitter_1%3D2f%3Ah/avatar_url?" GHOST_QUERY,
                  "{\"avatar_url\":\"mxc://h/1\"}");
}
END_TEST

START_TEST(request_displayname_is_cut_at_256_characters)
{
    struct buf name;
    buf_init(&name, arena);
    for (size_t i = 0; i < 300; i++) {
        BUF_PUT(&name, "\xc3\xa9");
    }
    const struct matrix_request request =
        matrix_displayname_request(arena, GHOST, buf_slice(&name));
    struct json *root = NULL;
    ck_rc_eq(json_parse(arena, request.body, &root), RC_OK);
    ck_slice_eq(json_get_text(root, SLICE("displayname")), slice_first(buf_slice(&name), 512));
}
END_TEST

START_TEST(requests_that_create_rooms)
{
    struct matrix_new_room room = {SLICE("a/b"), SLICE("T"), SLICE("@u:h 5"), false};
    check_request(
        matrix_create_bridged_room_request(arena, &room), "POST", "/_matrix/client/v3/createRoom",
        "{\"preset\":\"private_chat\",\"visibility\":\"private\",\"name\":\"a/b\","
        "\"power_level_content_override\":{\"invite\":50},\"initial_state\":[{\"type\":"
        "\"m.room.guest_access\",\"state_key\":\"\",\"content\":{\"guest_access\":\"forbidden\"}}],"
        "\"topic\":\"T\",\"creation_content\":{\"m.federate\":false,\"gitterd.room\":\"@u:h 5\"}}");
    room.federates = true;
    const struct slice open = matrix_create_bridged_room_request(arena, &room).body;
    ck_assert_uint_eq(slice_find(open, SLICE("m.federate")), open.len);
    check_request(
        matrix_create_chat_request(arena, SLICE("Gitter"), SLICE("@u:h"), SLICE("chat")), "POST",
        "/_matrix/client/v3/createRoom",
        "{\"preset\":\"private_chat\",\"visibility\":\"private\",\"name\":\"Gitter\","
        "\"power_level_content_override\":{\"invite\":50},\"initial_state\":[{\"type\":"
        "\"m.room.guest_access\",\"state_key\":\"\",\"content\":{\"guest_access\":\"forbidden\"}}],"
        "\"creation_content\":{\"gitterd.room\":\"chat\"},\"is_direct\":true,\"invite\":["
        "\"@u:h\"]}");
}
END_TEST

START_TEST(levels_leave_to_the_owner_what_breaks_nothing)
{
#define LEVELS(users)                                                                              \
    "{\"users\":{" users "},\"users_default\":0,\"events_default\":0,\"redact\":50,"               \
    "\"state_default\":100,\"invite\":100,\"kick\":100,\"ban\":100,\"events\":{"                   \
    "\"m.room.name\":50,\"m.room.topic\":50,\"m.room.avatar\":50,\"m.room.pinned_events\":50}}"
    struct matrix_levels levels = {.owner = SLICE("@u:h")};
    ck_text_eq(matrix_power_levels_json(arena, &levels), LEVELS("\"@u:h\":50"));
    levels.bot = SLICE("@bot:h");
    ck_text_eq(matrix_power_levels_json(arena, &levels), LEVELS("\"@u:h\":50,\"@bot:h\":100"));
}
END_TEST

START_TEST(bridge_is_told_in_full)
{
    const struct matrix_bridge bridge = {
        SLICE("@bot:h"), SLICE("@u:h"), SLICE("https://g.example"),
        SLICE("5a"),     SLICE("A\"b"), SLICE("https://g.example/a")};
    ck_text_eq(
        matrix_bridge_json(arena, &bridge),
        "{\"bridgebot\":\"@bot:h\",\"creator\":\"@u:h\",\"protocol\":{\"id\":\"gitter\","
        "\"displayname\":\"Gitter\",\"external_url\":\"https://g.example\"},\"network\":{"
        "\"id\":\"https://g.example\",\"displayname\":\"https://g.example\",\"external_url\":"
        "\"https://g.example\"},\"channel\":{\"id\":\"5a\",\"displayname\":\"A\\\"b\","
        "\"external_url\":\"https://g.example/a\"}}");
}
END_TEST

START_TEST(request_of_a_receipt)
{
    check_request(matrix_receipt_request(arena, ROOM, SLICE("$a/b")), "POST",
                  ROOM_PATH "/receipt/m.read/%24a%2Fb", "{}");
}
END_TEST

START_TEST(requests_of_membership)
{
    check_request(matrix_invite_request(arena, ROOM, SLICE("@u:h"), SLICE_EMPTY), "POST",
                  ROOM_PATH "/invite", "{\"user_id\":\"@u:h\"}");
    check_request(matrix_invite_request(arena, ROOM, SLICE("@u:h"), GHOST), "POST",
                  ROOM_PATH "/invite?" GHOST_QUERY, "{\"user_id\":\"@u:h\"}");
    check_request(matrix_join_request(arena, ROOM, GHOST), "POST", ROOM_PATH "/join?" GHOST_QUERY,
                  "{}");
    check_request(matrix_leave_request(arena, ROOM, SLICE_EMPTY), "POST", ROOM_PATH "/leave", "{}");
    check_request(matrix_forget_request(arena, ROOM, SLICE_EMPTY), "POST", ROOM_PATH "/forget",
                  "{}");
    check_request(matrix_kick_request(arena, ROOM, SLICE("@u:h"), SLICE_EMPTY), "POST",
                  ROOM_PATH "/kick", "{\"user_id\":\"@u:h\"}");
    check_request(matrix_kick_request(arena, ROOM, SLICE("@u:h"), SLICE("logged out")), "POST",
                  ROOM_PATH "/kick", "{\"user_id\":\"@u:h\",\"reason\":\"logged out\"}");
    check_request(matrix_joined_members_request(arena, ROOM, SLICE_EMPTY), "GET",
                  ROOM_PATH "/joined_members", "");
    check_request(matrix_joined_rooms_request(arena, GHOST), "GET",
                  "/_matrix/client/v3/joined_rooms?" GHOST_QUERY, "");
    check_request(matrix_notifications_request(arena, SLICE_EMPTY, 100), "GET",
                  "/_matrix/client/v3/notifications?limit=100", "");
    check_request(matrix_notifications_request(arena, SLICE("a&b"), 5), "GET",
                  "/_matrix/client/v3/notifications?limit=5&from=a%26b", "");
    check_request(matrix_messages_request(arena, ROOM, SLICE("t1-2_3"), 50), "GET",
                  ROOM_PATH "/messages?dir=b&limit=50&from=t1-2_3", "");
}
END_TEST

START_TEST(requests_that_send)
{
    struct matrix_send send = {
        .room_id = ROOM,
        .txn_id = SLICE("g.5330.0.0"),
        .content = SLICE("{\"body\":\"x\"}"),
    };
    check_request(matrix_send_request(arena, &send), "PUT",
                  ROOM_PATH "/send/m.room.message/g.5330.0.0", "{\"body\":\"x\"}");
    send.user_id = GHOST;
    send.ts_ms = 1395748292289;
    send.type = SLICE("m.reaction");
    check_request(matrix_send_request(arena, &send), "PUT",
                  ROOM_PATH "/send/m.reaction/g.5330.0.0?" GHOST_QUERY "&ts=1395748292289",
                  "{\"body\":\"x\"}");
    struct matrix_redact redact = {
        .room_id = ROOM,
        .event_id = SLICE("$a/b+c"),
        .txn_id = SLICE("1.2.3"),
        .user_id = GHOST,
    };
    check_request(matrix_redact_request(arena, &redact), "PUT",
                  ROOM_PATH "/redact/%24a%2Fb%2Bc/1.2.3?" GHOST_QUERY, "{}");
    redact.reason = SLICE("gone");
    redact.user_id = SLICE_EMPTY;
    check_request(matrix_redact_request(arena, &redact), "PUT",
                  ROOM_PATH "/redact/%24a%2Fb%2Bc/1.2.3", "{\"reason\":\"gone\"}");
    check_request(matrix_get_state_request(arena, ROOM, SLICE("m.room.encryption"), SLICE_EMPTY),
                  "GET", ROOM_PATH "/state/m.room.encryption/", "");
    check_request(matrix_put_state_request(arena, ROOM, SLICE("m.room.member"), SLICE("@u:h"),
                                           SLICE("{\"a\":1}")),
                  "PUT", ROOM_PATH "/state/m.room.member/%40u%3Ah", "{\"a\":1}");
}
END_TEST

START_TEST(request_send_without_transaction_id_is_our_bug)
{
    const struct matrix_send send = {.room_id = ROOM, .content = SLICE("{}")};
    (void)matrix_send_request(arena, &send);
}
END_TEST

START_TEST(content_of_messages)
{
    ck_text_eq(matrix_notice_json(arena, SLICE("a\0b\n"), SLICE_EMPTY),
               "{\"msgtype\":\"m.notice\",\"body\":\"a\xef\xbf\xbd"
               "b\\n\",\"m.mentions\":{}}");
    struct matrix_content content = {
        .msgtype = SLICE("m.text"),
        .body = SLICE("b\xff"),
        .html = SLICE("<b>b</b>"),
        .gitter_id = SLICE("5330"),
        .external_url = SLICE("https://gitter.im/a?at=5330"),
        .reply_to = SLICE("$r"),
    };
    ck_text_eq(matrix_content_json(arena, &content),
               "{\"msgtype\":\"m.text\",\"body\":\"b\xef\xbf\xbd\",\"format\":"
               "\"org.matrix.custom.html\",\"formatted_body\":\"<b>b</b>\",\"m.mentions\":{},"
               "\"gitterd.gitter_id\":\"5330\",\"external_url\":\"https://gitter.im/a?at=5330\","
               "\"m.relates_to\":{\"m.in_reply_to\":{\"event_id\":\"$r\"}}}");
    content.replaces = SLICE("$o");
    content.external_url = SLICE_EMPTY;
    content.body = SLICE("b");
    ck_text_eq(matrix_content_json(arena, &content),
               "{\"msgtype\":\"m.text\",\"body\":\"* b\",\"format\":\"org.matrix.custom.html\","
               "\"formatted_body\":\"* <b>b</b>\",\"m.mentions\":{},\"gitterd.gitter_id\":\"5330\","
               "\"m.new_content\":{\"msgtype\":\"m.text\",\"body\":\"b\",\"format\":"
               "\"org.matrix.custom.html\",\"formatted_body\":\"<b>b</b>\",\"m.mentions\":{}},"
               "\"m.relates_to\":{\"rel_type\":\"m.replace\",\"event_id\":\"$o\"}}");
}
END_TEST

START_TEST(answers_with_one_id)
{
    struct slice id = SLICE_EMPTY;
    ck_rc_eq(matrix_room_id_parse(arena, SLICE("{\"room_id\":\"!r\",\"x\":1}"), &id), RC_OK);
    ck_text_eq(id, "!r");
    ck_rc_eq(matrix_event_id_parse(arena, SLICE("{\"event_id\":\"$e\"}"), &id), RC_OK);
    ck_text_eq(id, "$e");
    ck_rc_eq(matrix_user_id_parse(arena, SLICE("{\"is_guest\":false,\"user_id\":\"@b:h\"}"), &id),
             RC_OK);
    ck_text_eq(id, "@b:h");
    ck_rc_eq(matrix_room_id_parse(arena, SLICE("{}"), &id), RC_BAD_INPUT);
    ck_rc_eq(matrix_room_id_parse(arena, SLICE("{\"room_id\":\"\"}"), &id), RC_BAD_INPUT);
    ck_rc_eq(matrix_room_id_parse(arena, SLICE("{\"room_id\":7}"), &id), RC_BAD_INPUT);
    ck_rc_eq(matrix_room_id_parse(arena, SLICE("[]"), &id), RC_BAD_INPUT);
    ck_rc_eq(matrix_room_id_parse(arena, SLICE("<html>"), &id), RC_BAD_INPUT);
    ck_rc_eq(matrix_room_id_parse(arena, SLICE_EMPTY, &id), RC_BAD_INPUT);
    ck_text_eq(id, "@b:h");
}
END_TEST

START_TEST(answers_with_lists)
{
    struct slice *ids = NULL;
    size_t count = 0;
    ck_rc_eq(matrix_joined_members_parse(
                 arena, SLICE("{\"joined\":{\"@b:h\":{\"display_name\":null},\"@a:h\":null}}"),
                 &ids, &count),
             RC_OK);
    ck_assert_uint_eq(count, 2);
    ck_text_eq(ids[0], "@b:h");
    ck_text_eq(ids[1], "@a:h");
    ck_rc_eq(matrix_joined_rooms_parse(arena, SLICE("{\"joined_rooms\":[\"!a\",7,\"\",\"!b\"]}"),
                                       &ids, &count),
             RC_OK);
    ck_assert_uint_eq(count, 2);
    ck_text_eq(ids[1], "!b");
    ck_rc_eq(matrix_joined_rooms_parse(arena, SLICE("{\"joined_rooms\":[]}"), &ids, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
    ck_rc_eq(matrix_joined_members_parse(arena, SLICE("{\"joined\":[]}"), &ids, &count),
             RC_BAD_INPUT);
    ck_rc_eq(matrix_joined_rooms_parse(arena, SLICE("{}"), &ids, &count), RC_BAD_INPUT);
    ck_rc_eq(matrix_joined_rooms_parse(arena, SLICE("x"), &ids, &count), RC_BAD_INPUT);
}
END_TEST

#define NOTICE(room, id, type, key, membership)                                                    \
    "{\"room_id\":\"" room "\",\"ts\":17,\"event\":{\"type\":\"" type "\",\"event_id\":\"" id      \
    "\",\"sender\":\"@a:h\",\"state_key\":\"" key "\",\"content\":{\"membership\":\"" membership   \
    "\"}}}"

START_TEST(answer_with_notifications_of_which_some_are_invites)
{
    struct matrix_invites invites = {.count = 9};
    const struct slice bot = SLICE("@b:h");
    ck_rc_eq(
        matrix_invites_parse(
            arena,
            SLICE(
                "{\"next_token\":\"n\",\"notifications\":["
                "7,{},{\"event\":{}}," NOTICE("!r", "$e", "m.room.member", "@b:h", "invite") "," NOTICE(
                    "!s", "$f", "m.room.member", "@c:h",
                    "invite") "," NOTICE("!s", "$f", "m.room.member", "@b:h",
                                         "leave") "," NOTICE("!s", "$f", "m.room.name", "@b:h",
                                                             "invite") "," NOTICE("", "$f",
                                                                                  "m.room.member",
                                                                                  "@b:h",
                                                                                  "invite") "," NOTICE("!s",
                                                                                                       "",
                                                                                                       "m.room.member",
                                                                                                       "@b:h",
                                                                                                       "invite") "," NOTICE("!s",
                                                                                                                            "$g",
                                                                                                                            "m.room.member",
                                                                                                                            "@b:h",
                                                                                                                            "invite") "]}"),
            bot, &invites),
        RC_OK);
    ck_assert_uint_eq(invites.count, 2);
    ck_text_eq(invites.invites[0].room_id, "!r");
    ck_text_eq(invites.invites[0].event_id, "$e");
    ck_text_eq(invites.invites[0].sender, "@a:h");
    ck_assert_int_eq(invites.invites[0].time_ms, 17);
    ck_text_eq(invites.invites[1].event_id, "$g");
    ck_text_eq(invites.next, "n");
    const struct slice reduced = matrix_notifications_reduce(
        arena, SLICE("{\"next_token\":\"n\",\"notifications\":[7,{\"event\":{\"type\":"
                     "\"m.room.message\",\"content\":{\"body\":\"said\"}}}," NOTICE(
                         "!r", "$e", "m.room.member", "@b:h", "invite") "]}"));
    ck_rc_eq(matrix_invites_parse(arena, reduced, bot, &invites), RC_OK);
    ck_assert_uint_eq(invites.count, 1);
    ck_text_eq(invites.next, "n");
    ck_assert_uint_eq(slice_find(reduced, SLICE("said")), reduced.len);
    ck_text_empty(matrix_notifications_reduce(arena, SLICE("{\"notifications\":7}")));
    ck_text_empty(matrix_notifications_reduce(arena, SLICE("{")));
    ck_rc_eq(matrix_invites_parse(arena, SLICE("{\"notifications\":[]}"), bot, &invites), RC_OK);
    ck_assert_uint_eq(invites.count, 0);
    ck_text_empty(invites.next);
    ck_rc_eq(matrix_invites_parse(arena, SLICE("{\"notifications\":{}}"), bot, &invites),
             RC_BAD_INPUT);
    ck_rc_eq(matrix_invites_parse(arena, SLICE("{"), bot, &invites), RC_BAD_INPUT);
}
END_TEST

START_TEST(answers_with_pages_of_events)
{
    struct matrix_page page = {.count = 9};
    ck_rc_eq(matrix_messages_parse(
                 arena, SLICE("{\"start\":\"s\",\"end\":\"e\",\"chunk\":[{\"a\":{}},{}]}"), &page),
             RC_OK);
    ck_assert_uint_eq(page.count, 2);
    ck_text_eq(page.events[0], "{\"a\":{}}");
    ck_text_eq(page.end, "e");
    ck_rc_eq(matrix_messages_parse(arena, SLICE("{\"chunk\":[]}"), &page), RC_OK);
    ck_text_empty(page.end);
    ck_rc_eq(matrix_messages_parse(arena, SLICE("{\"chunk\":{}}"), &page), RC_BAD_INPUT);
    ck_rc_eq(matrix_messages_parse(arena, SLICE("{\"chunk\""), &page), RC_BAD_INPUT);
}
END_TEST

START_TEST(answers_with_errors)
{
    struct matrix_error error = {.retry_after_ms = 0};
    ck_rc_eq(matrix_error_parse(arena,
                                SLICE("{\"errcode\":\"M_LIMIT_EXCEEDED\",\"error\":\"Too Many "
                                      "Requests\",\"retry_after_ms\":4534}"),
                                &error),
             RC_OK);
    ck_text_eq(error.errcode, "M_LIMIT_EXCEEDED");
    ck_text_eq(error.error, "Too Many Requests");
    ck_assert_int_eq(error.retry_after_ms, 4534);
    ck_rc_eq(
        matrix_error_parse(arena, SLICE("{\"errcode\":\"M_X\",\"retry_after_ms\":-1e3}"), &error),
        RC_OK);
    ck_assert_int_eq(error.retry_after_ms, -1);
    ck_text_empty(error.error);
    ck_rc_eq(matrix_error_parse(arena, SLICE("{\"error\":\"x\"}"), &error), RC_BAD_INPUT);
    ck_rc_eq(matrix_error_parse(arena, SLICE("502 Bad Gateway"), &error), RC_BAD_INPUT);
}
END_TEST

static TCase *requests(void)
{
    TCase *tc = tcase_create("requests");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, requests_of_accounts);
    tcase_add_test(tc, request_displayname_is_cut_at_256_characters);
    tcase_add_test(tc, requests_that_create_rooms);
    tcase_add_test(tc, requests_of_membership);
    tcase_add_test(tc, request_of_a_receipt);
    tcase_add_test(tc, levels_leave_to_the_owner_what_breaks_nothing);
    tcase_add_test(tc, bridge_is_told_in_full);
    tcase_add_test(tc, requests_that_send);
    tcase_add_test_raise_signal(tc, request_send_without_transaction_id_is_our_bug, SIGABRT);
    tcase_add_test(tc, content_of_messages);
    tcase_add_test(tc, answers_with_one_id);
    tcase_add_test(tc, answers_with_lists);
    tcase_add_test(tc, answer_with_notifications_of_which_some_are_invites);
    tcase_add_test(tc, answers_with_pages_of_events);
    tcase_add_test(tc, answers_with_errors);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("matrix");
    suite_add_tcase(suite, requests());
    return run_suite(suite);
}
