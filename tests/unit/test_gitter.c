#include "codecs/gitter.h"

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

#define ADA                                                                                        \
    "{\"id\":\"53307734c3599d1de448e192\",\"username\":\"ada_gitlab\",\"displayName\":\"Ada L.\"," \
    "\"url\":\"/ada_gitlab\",\"avatarUrl\":\"http://g/ada.png\",\"avatarUrlSmall\":"               \
    "\"/api/private/user-avatar/ada_gitlab?s=60\",\"v\":30}"

START_TEST(user_is_read_from_an_object_or_an_array_of_one)
{
    static const struct slice texts[] = {SLICE_INIT(ADA), SLICE_INIT("[" ADA "]")};
    for (size_t i = 0; i < 2; i++) {
        struct gitter_user user = {.id = SLICE_EMPTY};
        ck_rc_eq(gitter_user_parse(arena, texts[i], &user), RC_OK);
        ck_text_eq(user.id, "53307734c3599d1de448e192");
        ck_text_eq(user.username, "ada_gitlab");
        ck_text_eq(user.display_name, "Ada L.");
        ck_text_eq(user.avatar_url, "http://g/ada.png");
    }
}
END_TEST

START_TEST(user_without_id_is_bad_input)
{
    static const struct slice wrong[] = {
        SLICE_INIT("OK"),
        SLICE_INIT("[]"),
        SLICE_INIT("{}"),
        SLICE_INIT("[{\"id\":7}]"),
        SLICE_INIT("{\"id\":\"\"}"),
        SLICE_INIT("null"),
        SLICE_INIT(""),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct gitter_user user = {.id = SLICE("before")};
        ck_rc_eq(gitter_user_parse(arena, wrong[i], &user), RC_BAD_INPUT);
        ck_text_eq(user.id, "before");
    }
}
END_TEST

#define ROOM                                                                                       \
    "{\"id\":\"53307860c3599d1de448e19d\",\"name\":\"Group Name/room\",\"topic\":\"\",\"uri\":"    \
    "\"group/room\",\"oneToOne\":false,\"userCount\":2,\"unreadItems\":0,\"mentions\":0,"          \
    "\"lastAccessTime\":\"2014-03-24T18:22:28.105Z\",\"lurk\":true,\"activity\":true,\"url\":"     \
    "\"/group/room\",\"githubType\":\"REPO_CHANNEL\",\"security\":\"PUBLIC\",\"noindex\":false,"   \
    "\"tags\":[],\"permissions\":{\"admin\":false},\"roomMember\":true,\"groupId\":"               \
    "\"57542c12c43b8c601976fa66\",\"public\":true,\"v\":1}"
#define ONE_TO_ONE                                                                                 \
    "{\"id\":\"5330777dc3599d1de448e194\",\"name\":\"Ada L.\",\"topic\":\"\",\"url\":"             \
    "\"/ada_gitlab\",\"oneToOne\":true,\"user\":" ADA ",\"userCount\":0,\"roomMember\":false,"     \
    "\"groupId\":null,\"public\":false}"

START_TEST(room_is_read)
{
    struct gitter_room room = {.id = SLICE_EMPTY};
    ck_rc_eq(gitter_room_parse(arena, SLICE(ROOM), &room), RC_OK);
    ck_text_eq(room.id, "53307860c3599d1de448e19d");
    ck_text_eq(room.name, "Group Name/room");
    ck_text_eq(room.uri, "group/room");
    ck_text_eq(room.url, "/group/room");
    ck_text_empty(room.topic);
    ck_assert(!room.is_one_to_one && room.is_public && room.has_activity);
    ck_assert(room.is_member && room.has_is_member);
    ck_assert_int_eq(room.last_access_ms, 1395685348105);
    ck_assert_int_eq(room.users_count, 2);
    ck_text_eq(gitter_room_label(&room), "group/room");
}
END_TEST

START_TEST(room_one_to_one_is_called_after_the_other)
{
    struct gitter_room room = {.id = SLICE_EMPTY};
    ck_rc_eq(gitter_room_parse(arena, SLICE(ONE_TO_ONE), &room), RC_OK);
    ck_assert(room.is_one_to_one && !room.is_member && room.has_is_member);
    ck_text_empty(room.uri);
    ck_text_eq(room.user.id, "53307734c3599d1de448e192");
    ck_assert_int_eq(room.last_access_ms, 0);
    ck_text_eq(gitter_room_label(&room), "ada_gitlab");
}
END_TEST

START_TEST(room_label_falls_back_to_name_and_id)
{
    struct gitter_room room = {.id = SLICE("i"), .name = SLICE("n")};
    ck_text_eq(gitter_room_label(&room), "n");
    room.name = SLICE_EMPTY;
    ck_text_eq(gitter_room_label(&room), "i");
}
END_TEST

START_TEST(room_patch_does_not_say_whether_member)
{
    struct gitter_room room = {.id = SLICE_EMPTY};
    ck_rc_eq(gitter_room_parse(arena, SLICE("{\"id\":\"i\",\"topic\":\"new\"}"), &room), RC_OK);
    ck_assert(!room.has_is_member && !room.is_member);
    ck_rc_eq(gitter_room_parse(arena, SLICE("{\"topic\":\"new\"}"), &room), RC_BAD_INPUT);
    ck_rc_eq(gitter_room_parse(arena, SLICE("OK"), &room), RC_BAD_INPUT);
}
END_TEST

START_TEST(room_list_passes_over_members_without_id)
{
    struct gitter_room *rooms = NULL;
    size_t count = 0;
    const struct slice text = SLICE("[" ROOM ",null,{},7,{\"id\":null}," ONE_TO_ONE "]");
    ck_rc_eq(gitter_rooms_parse(arena, text, &rooms, &count), RC_OK);
    ck_assert_uint_eq(count, 2);
    ck_text_eq(rooms[0].uri, "group/room");
    ck_text_eq(rooms[1].name, "Ada L.");
    ck_rc_eq(gitter_rooms_parse(arena, SLICE("[]"), &rooms, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
    ck_rc_eq(gitter_rooms_parse(arena, SLICE("{\"results\":[]}"), &rooms, &count), RC_BAD_INPUT);
    ck_rc_eq(gitter_rooms_parse(arena, SLICE("[" ROOM), &rooms, &count), RC_BAD_INPUT);
}
END_TEST

#define MESSAGE                                                                                    \
    "{\"id\":\"5331a3f4c3599d1de448e1a0\",\"text\":\"Hello **you**\",\"html\":"                    \
    "\"Hello <strong>you</strong>\",\"sent\":\"2014-03-25T11:51:32.289Z\",\"editedAt\":null,"      \
    "\"readBy\":7,\"urls\":[],\"mentions\":[],\"issues\":[],\"meta\":[],\"unread\":false,\"v\":1," \
    "\"fromUser\":" ADA "}"

START_TEST(message_is_read)
{
    struct gitter_message message = {.version = 0};
    ck_rc_eq(gitter_message_parse(arena, SLICE(MESSAGE), &message), RC_OK);
    ck_text_eq(message.id, "5331a3f4c3599d1de448e1a0");
    ck_text_eq(message.text, "Hello **you**");
    ck_text_eq(message.html, "Hello <strong>you</strong>");
    ck_assert_int_eq(message.sent_ms, 1395748292289);
    ck_assert_int_eq(message.edited_ms, 0);
    ck_assert(!message.is_status && !message.is_virtual);
    ck_assert(message.has_version);
    ck_assert_int_eq(message.version, 1);
    ck_text_empty(message.parent_id);
    ck_text_eq(message.from.id, "53307734c3599d1de448e192");
}
END_TEST

START_TEST(message_of_a_virtual_user_in_a_thread_is_read)
{
    struct gitter_message message = {.version = 0};
    const struct slice text =
        SLICE("{\"id\":\"5331a3f4c3599d1de448e1a1\",\"text\":\"@ada waves\",\"status\":true,"
              "\"sent\":\"2014-03-25T11:51:32.289Z\",\"editedAt\":\"2014-03-25T11:51:33Z\","
              "\"parentId\":\"5331a3f4c3599d1de448e1a0\",\"threadMessageCount\":3,\"virtualUser\":{"
              "\"type\":\"matrix\",\"externalId\":\"ada:m.org\",\"displayName\":\"Ada\"},"
              "\"fromUser\":{\"id\":\"matrix-ada:m.org\",\"username\":\"ada:m.org\"},\"v\":2}");
    ck_rc_eq(gitter_message_parse(arena, text, &message), RC_OK);
    ck_assert(message.is_status && message.is_virtual);
    ck_assert_int_eq(message.edited_ms, 1395748293000);
    ck_text_eq(message.parent_id, "5331a3f4c3599d1de448e1a0");
    ck_assert_int_eq(message.thread_count, 3);
    ck_text_eq(message.from.id, "matrix-ada:m.org");
    ck_text_empty(message.from.display_name);
}
END_TEST

START_TEST(message_without_version_or_sender_is_read)
{
    struct gitter_message message = {.version = 9};
    const struct slice text = SLICE("{\"id\":\"5331a3f4c3599d1de448e1a1\",\"text\":\"x\"}");
    ck_rc_eq(gitter_message_parse(arena, text, &message), RC_OK);
    ck_assert(!message.has_version);
    ck_text_empty(message.from.id);
    ck_assert_int_eq(message.sent_ms, 0);
}
END_TEST

START_TEST(message_with_wrong_types_is_read_as_empty)
{
    struct gitter_message message = {.version = 9};
    const struct slice text =
        SLICE("{\"id\":\"i\",\"text\":{},\"html\":1,\"status\":\"true\",\"sent\":5,\"editedAt\":"
              "\"yesterday\",\"parentId\":[],\"threadMessageCount\":\"3\",\"v\":\"1\","
              "\"fromUser\":\"53307734c3599d1de448e192\",\"virtualUser\":7}");
    ck_rc_eq(gitter_message_parse(arena, text, &message), RC_OK);
    ck_text_empty(message.text);
    ck_text_empty(message.html);
    ck_assert(!message.is_status && !message.has_version && !message.is_virtual);
    ck_assert_int_eq(message.sent_ms + message.edited_ms + message.thread_count, 0);
    ck_text_empty(message.from.id);
}
END_TEST

START_TEST(message_list_is_read_in_order)
{
    struct gitter_message *messages = NULL;
    size_t count = 0;
    const struct slice text = SLICE("[{\"id\":\"a\"},{\"text\":\"none\"},{\"id\":\"b\"}]");
    ck_rc_eq(gitter_messages_parse(arena, text, &messages, &count), RC_OK);
    ck_assert_uint_eq(count, 2);
    ck_text_eq(messages[0].id, "a");
    ck_text_eq(messages[1].id, "b");
    ck_rc_eq(gitter_messages_parse(arena, SLICE("{\"items\":[]}"), &messages, &count),
             RC_BAD_INPUT);
}
END_TEST

START_TEST(record_of_a_live_channel_is_read)
{
    static const struct {
        const char *name;
        enum gitter_operation operation;
    } operations[] = {
        {"create", GITTER_OPERATION_CREATE}, {"update", GITTER_OPERATION_UPDATE},
        {"patch", GITTER_OPERATION_PATCH},   {"remove", GITTER_OPERATION_REMOVE},
        {"upsert", GITTER_OPERATION_OTHER},
    };
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        struct gitter_record record = {.id = SLICE_EMPTY};
        const struct slice text = arena_printf(
            arena, "{\"operation\":\"%s\",\"model\":{\"id\": \"x\"}}", operations[i].name);
        ck_rc_eq(gitter_record_parse(arena, text, &record), RC_OK);
        ck_assert_int_eq(record.operation, operations[i].operation);
        ck_text_eq(record.id, "x");
        ck_text_eq(record.model, "{\"id\": \"x\"}");
        ck_text_empty(record.notification);
    }
}
END_TEST

START_TEST(record_of_a_notification_is_read)
{
    struct gitter_record record = {.id = SLICE_EMPTY};
    const struct slice text = SLICE("{\"notification\":\"presence\",\"userId\":\"u\",\"model\":7}");
    ck_rc_eq(gitter_record_parse(arena, text, &record), RC_OK);
    ck_assert_int_eq(record.operation, GITTER_OPERATION_OTHER);
    ck_text_eq(record.notification, "presence");
    ck_text_empty(record.model);
    ck_rc_eq(gitter_record_parse(arena, SLICE("[]"), &record), RC_BAD_INPUT);
    ck_rc_eq(gitter_record_parse(arena, SLICE_EMPTY, &record), RC_BAD_INPUT);
}
END_TEST

START_TEST(errors_of_both_shapes_are_read)
{
    struct slice error = SLICE_EMPTY;
    bool needs_login = true;
    ck_rc_eq(gitter_error_parse(arena, SLICE("{\"error\":\"Not Found\"}"), &error, &needs_login),
             RC_OK);
    ck_text_eq(error, "Not Found");
    ck_assert(!needs_login);
    ck_rc_eq(gitter_error_parse(arena, SLICE("{\"success\":false,\"loginRequired\":true}"), &error,
                                &needs_login),
             RC_OK);
    ck_text_empty(error);
    ck_assert(needs_login);
    ck_rc_eq(gitter_error_parse(arena, SLICE("{}"), &error, &needs_login), RC_BAD_INPUT);
    ck_rc_eq(gitter_error_parse(arena, SLICE("<html>"), &error, &needs_login), RC_BAD_INPUT);
}
END_TEST

START_TEST(token_is_read_if_it_is_a_bearer_token)
{
    struct slice token = SLICE_EMPTY;
    ck_rc_eq(gitter_token_parse(
                 arena, SLICE("{\"access_token\":\"t0k\",\"token_type\":\"Bearer\"}"), &token),
             RC_OK);
    ck_text_eq(token, "t0k");
    ck_rc_eq(gitter_token_parse(arena, SLICE("{\"access_token\":\"t1\",\"token_type\":\"bearer\"}"),
                                &token),
             RC_OK);
    static const struct slice wrong[] = {
        SLICE_INIT("{\"access_token\":\"t\",\"token_type\":\"mac\"}"),
        SLICE_INIT("{\"access_token\":\"t\"}"),
        SLICE_INIT("{\"access_token\":\"\",\"token_type\":\"bearer\"}"),
        SLICE_INIT("{\"token_type\":\"bearer\"}"),
        SLICE_INIT("access_token=t&token_type=bearer"),
        SLICE_INIT("{\"error\":\"invalid_grant\"}"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_rc_eq(gitter_token_parse(arena, wrong[i], &token), RC_BAD_INPUT);
    }
    ck_text_eq(token, "t1");
}
END_TEST

static void check_request(struct gitter_request request,
                          struct slice method,
                          struct slice path,
                          struct slice body)
{
    ck_slice_eq(request.method, method);
    ck_slice_eq(request.path, path);
    ck_slice_eq(request.body, body);
}

#define PATH "/rooms/53307860c3599d1de448e19d"
#define GET SLICE("GET")
#define POST SLICE("POST")
#define DELETE SLICE("DELETE")

START_TEST(requests_of_rooms)
{
    const struct slice room = SLICE("53307860c3599d1de448e19d");
    check_request(gitter_user_request(arena), GET, SLICE("/user"), SLICE_EMPTY);
    check_request(gitter_rooms_request(arena), GET, SLICE("/rooms"), SLICE_EMPTY);
    check_request(gitter_room_request(arena, room), GET, SLICE(PATH), SLICE_EMPTY);
    check_request(gitter_room_request(arena, SLICE("../x?")), GET, SLICE("/rooms/..%2Fx%3F"),
                  SLICE_EMPTY);
    check_request(gitter_resolve_request(arena, SLICE("/a/\"b\"")), POST, SLICE("/rooms"),
                  SLICE("{\"uri\":\"a/\\\"b\\\"\"}"));
    check_request(gitter_join_request(arena, room), POST, SLICE("/user/me/rooms"),
                  SLICE("{\"id\":\"53307860c3599d1de448e19d\"}"));
    check_request(gitter_leave_request(arena, room, SLICE("53307734c3599d1de448e192")), DELETE,
                  SLICE(PATH "/users/53307734c3599d1de448e192"), SLICE_EMPTY);
}
END_TEST

START_TEST(requests_of_messages)
{
    const struct slice room = SLICE("53307860c3599d1de448e19d");
    const struct slice id = SLICE("5331a3f4c3599d1de448e1a0");
    struct gitter_page page = {.limit = 0};
    check_request(gitter_messages_request(arena, room, &page), GET, SLICE(PATH "/chatMessages"),
                  SLICE_EMPTY);
    page = (struct gitter_page){.after_id = id, .limit = 100, .with_threads = true};
    check_request(
        gitter_messages_request(arena, room, &page), GET,
        SLICE(PATH "/chatMessages?limit=100&afterId=5331a3f4c3599d1de448e1a0&includeThreads=true"),
        SLICE_EMPTY);
    page = (struct gitter_page){.skip = 2000, .limit = 1};
    check_request(gitter_messages_request(arena, room, &page), GET,
                  SLICE(PATH "/chatMessages?limit=1&skip=2000"), SLICE_EMPTY);
    page = (struct gitter_page){.before_id = SLICE("a&b")};
    check_request(gitter_messages_request(arena, room, &page), GET,
                  SLICE(PATH "/chatMessages?beforeId=a%26b"), SLICE_EMPTY);
    check_request(gitter_message_request(arena, room, id), GET,
                  SLICE(PATH "/chatMessages/5331a3f4c3599d1de448e1a0"), SLICE_EMPTY);
    check_request(gitter_send_request(arena, room, SLICE("hi\n\"x\""), false, SLICE_EMPTY), POST,
                  SLICE(PATH "/chatMessages"), SLICE("{\"text\":\"hi\\n\\\"x\\\"\"}"));
    check_request(gitter_send_request(arena, room, SLICE("@ada waves"), true, id), POST,
                  SLICE(PATH "/chatMessages"),
                  SLICE("{\"text\":\"@ada waves\",\"status\":true,\"parentId\":"
                        "\"5331a3f4c3599d1de448e1a0\"}"));
    check_request(gitter_edit_request(arena, room, id, SLICE("new")), SLICE("PUT"),
                  SLICE(PATH "/chatMessages/5331a3f4c3599d1de448e1a0"),
                  SLICE("{\"text\":\"new\"}"));
    check_request(gitter_delete_request(arena, room, id), DELETE,
                  SLICE(PATH "/chatMessages/5331a3f4c3599d1de448e1a0"), SLICE_EMPTY);
}
END_TEST

START_TEST(request_to_delete_no_message_is_our_bug)
{
    (void)gitter_delete_request(arena, SLICE("r"), SLICE_EMPTY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gitter");
    TCase *tc = tcase_create("gitter");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, user_is_read_from_an_object_or_an_array_of_one);
    tcase_add_test(tc, user_without_id_is_bad_input);
    tcase_add_test(tc, room_is_read);
    tcase_add_test(tc, room_one_to_one_is_called_after_the_other);
    tcase_add_test(tc, room_label_falls_back_to_name_and_id);
    tcase_add_test(tc, room_patch_does_not_say_whether_member);
    tcase_add_test(tc, room_list_passes_over_members_without_id);
    tcase_add_test(tc, message_is_read);
    tcase_add_test(tc, message_of_a_virtual_user_in_a_thread_is_read);
    tcase_add_test(tc, message_without_version_or_sender_is_read);
    tcase_add_test(tc, message_with_wrong_types_is_read_as_empty);
    tcase_add_test(tc, message_list_is_read_in_order);
    tcase_add_test(tc, record_of_a_live_channel_is_read);
    tcase_add_test(tc, record_of_a_notification_is_read);
    tcase_add_test(tc, errors_of_both_shapes_are_read);
    tcase_add_test(tc, token_is_read_if_it_is_a_bearer_token);
    tcase_add_test(tc, requests_of_rooms);
    tcase_add_test(tc, requests_of_messages);
    tcase_add_test_raise_signal(tc, request_to_delete_no_message_is_our_bug, SIGABRT);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
