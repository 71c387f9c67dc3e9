#include "codecs/bayeux.h"

#include "tests/unit/slice_check.h"

static struct arena *arena;

static void setup(void)
{
    arena = arena_open(4096);
}

static void teardown(void)
{
    arena_close(arena);
}

static struct bayeux_message one(struct slice text)
{
    struct bayeux_message *messages = NULL;
    size_t count = 0;
    ck_rc_eq(bayeux_parse(arena, text, &messages, &count), RC_OK);
    ck_assert_uint_eq(count, 1);
    return messages[0];
}

START_TEST(handshake_answer_is_read)
{
    const struct bayeux_message message = one(
        SLICE("[{\"id\":\"1\",\"channel\":\"/meta/handshake\",\"successful\":true,\"version\":"
              "\"1.0\",\"supportedConnectionTypes\":[\"long-polling\",\"websocket\"],\"clientId\":"
              "\"c1\",\"advice\":{\"reconnect\":\"retry\",\"interval\":500,\"timeout\":120000},"
              "\"ext\":{\"appVersion\":\"x\",\"userId\":\"53307734c3599d1de448e192\",\"context\":{"
              "\"user\":{}}}}]"));
    ck_text_eq(message.channel, BAYEUX_HANDSHAKE);
    ck_text_eq(message.id, "1");
    ck_assert_int_eq(message.successful, BAYEUX_SUCCESS_YES);
    ck_text_eq(message.client_id, "c1");
    ck_assert_int_eq(message.reconnect, BAYEUX_RECONNECT_RETRY);
    ck_assert_int_eq(message.interval_ms, 500);
    ck_assert_int_eq(message.timeout_ms, 120000);
    ck_text_eq(message.user_id, "53307734c3599d1de448e192");
    ck_assert(!message.has_count);
    ck_text_empty(message.data);
    ck_text_empty(message.error_text);
}
END_TEST

START_TEST(refusals_are_read)
{
    struct bayeux_message message =
        one(SLICE("[{\"channel\":\"/meta/handshake\",\"successful\":false,\"error\":\"401::Invalid "
                  "access token\",\"advice\":{\"reconnect\":\"none\",\"interval\":864000000}}]"));
    ck_assert_int_eq(message.successful, BAYEUX_SUCCESS_NO);
    ck_assert_int_eq(message.error_code, 401);
    ck_text_eq(message.error_text, "Invalid access token");
    ck_assert_int_eq(message.reconnect, BAYEUX_RECONNECT_NONE);
    ck_assert_int_eq(message.interval_ms, 864000000);
    ck_assert_int_eq(message.timeout_ms, -1);

    message = one(SLICE("[{\"channel\":\"/meta/connect\",\"successful\":false,\"error\":"
                        "\"401:C:Unknown client\",\"advice\":{\"reconnect\":\"handshake\"}}]"));
    ck_text_eq(message.error_text, "Unknown client");
    ck_assert_int_eq(message.reconnect, BAYEUX_RECONNECT_HANDSHAKE);
    ck_assert_int_eq(message.interval_ms, -1);
}
END_TEST

START_TEST(errors_without_a_code_are_kept_whole)
{
    struct bayeux_message message = one(SLICE("[{\"error\":\"Server: trouble\"}]"));
    ck_assert_int_eq(message.error_code, 0);
    ck_text_eq(message.error_text, "Server: trouble");
    message = one(SLICE("[{\"error\":\"400::Invalid ID: x\"}]"));
    ck_assert_int_eq(message.error_code, 400);
    ck_text_eq(message.error_text, "Invalid ID: x");
    message = one(SLICE("[{\"error\":\"oops\"}]"));
    ck_text_eq(message.error_text, "oops");
    message = one(SLICE("[{\"error\":\"403:x\"}]"));
    ck_assert_int_eq(message.error_code, 403);
    ck_text_empty(message.error_text);
}
END_TEST

START_TEST(subscribe_answer_has_its_snapshot)
{
    const struct bayeux_message message = one(
        SLICE("[{\"id\":\"3\",\"clientId\":\"c1\",\"channel\":\"/meta/subscribe\",\"successful\":"
              "true,\"subscription\":\"/api/v1/rooms/53307860c3599d1de448e19d/chatMessages\","
              "\"ext\":{\"snapshot\":[{\"id\":\"m\"} ]}}]"));
    ck_text_eq(message.subscription, "/api/v1/rooms/53307860c3599d1de448e19d/chatMessages");
    ck_text_eq(message.snapshot, "[{\"id\":\"m\"} ]");
}
END_TEST

START_TEST(deliveries_are_read_with_their_count)
{
    struct bayeux_message *messages = NULL;
    size_t count = 0;
    const struct slice text = SLICE(
        "[{\"channel\":\"/api/v1/rooms/r/chatMessages\",\"id\":\"a\",\"data\":{\"operation\":"
        "\"create\",\"model\":{\"id\":\"m\"}},\"ext\":{\"c\":7}},null,\"x\",[],"
        "{\"channel\":\"/api/v1/user/u/rooms\",\"data\":null,\"id\":12,\"ext\":{\"c\":\"8\"}}]");
    ck_rc_eq(bayeux_parse(arena, text, &messages, &count), RC_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(messages[0].successful, BAYEUX_SUCCESS_ABSENT);
    ck_text_eq(messages[0].data, "{\"operation\":\"create\",\"model\":{\"id\":\"m\"}}");
    ck_assert(messages[0].has_count);
    ck_assert_int_eq(messages[0].count, 7);
    ck_assert_int_eq(messages[0].reconnect, BAYEUX_RECONNECT_ABSENT);
    ck_text_eq(messages[1].id, "12");
    ck_text_eq(messages[1].data, "null");
    ck_assert(!messages[1].has_count);
}
END_TEST

START_TEST(keep_alives_and_single_objects_are_read)
{
    struct bayeux_message *messages = NULL;
    size_t count = 7;
    ck_rc_eq(bayeux_parse(arena, SLICE("[]"), &messages, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
    ck_text_eq(one(SLICE("{\"channel\":\"/meta/connect\"}")).channel, "/meta/connect");
}
END_TEST

START_TEST(wrong_types_are_read_as_absent)
{
    const struct bayeux_message message =
        one(SLICE("[{\"channel\":1,\"id\":{},\"successful\":\"true\",\"clientId\":[],\"error\":5,"
                  "\"advice\":{\"reconnect\":\"sometimes\",\"interval\":\"1\",\"timeout\":1.5},"
                  "\"subscription\":[\"/a\"],\"ext\":7}]"));
    ck_text_empty(message.channel);
    ck_text_empty(message.id);
    ck_assert_int_eq(message.successful, BAYEUX_SUCCESS_ABSENT);
    ck_text_empty(message.client_id);
    ck_text_empty(message.error_text);
    ck_assert_int_eq(message.reconnect, BAYEUX_RECONNECT_ABSENT);
    ck_assert_int_eq(message.interval_ms, -1);
    ck_assert_int_eq(message.timeout_ms, -1);
    ck_text_empty(message.subscription);
    ck_assert(!message.has_count);
}
END_TEST

START_TEST(what_is_no_array_is_bad_input)
{
    static const struct slice wrong[] = {
        SLICE_INIT(""),     SLICE_INIT("\"x\""), SLICE_INIT("7"),
        SLICE_INIT("null"), SLICE_INIT("[{]"),   SLICE_INIT("[{\"channel\":\"\xff\"}]"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct bayeux_message *messages = NULL;
        size_t count = 0;
        ck_rc_eq(bayeux_parse(arena, wrong[i], &messages, &count), RC_BAD_INPUT);
    }
}
END_TEST

START_TEST(frames_are_built)
{
    const struct slice client = SLICE("c1");
    const struct slice channel = SLICE("/api/v1/user/u/rooms");
    ck_text_eq(bayeux_handshake(arena, 1, SLICE("t0k"), SLICE("gitterd")),
               "[{\"channel\":\"/meta/handshake\",\"id\":\"1\",\"version\":\"1.0\","
               "\"supportedConnectionTypes\":[\"websocket\"],\"ext\":{\"token\":\"t0k\","
               "\"client\":\"gitterd\"}}]");
    ck_text_eq(bayeux_connect(arena, 2, client),
               "[{\"channel\":\"/meta/connect\",\"id\":\"2\",\"clientId\":\"c1\","
               "\"connectionType\":\"websocket\"}]");
    ck_text_eq(bayeux_subscribe(arena, 3, client, channel, SLICE("false")),
               "[{\"channel\":\"/meta/subscribe\",\"id\":\"3\",\"clientId\":\"c1\","
               "\"subscription\":\"/api/v1/user/u/rooms\",\"ext\":{\"snapshot\":false}}]");
    ck_text_eq(bayeux_subscribe(arena, 4, client, channel, SLICE("{\"limit\":50}")),
               "[{\"channel\":\"/meta/subscribe\",\"id\":\"4\",\"clientId\":\"c1\","
               "\"subscription\":\"/api/v1/user/u/rooms\",\"ext\":{\"snapshot\":{\"limit\":50}}}]");
    ck_text_eq(bayeux_subscribe(arena, 5, client, channel, SLICE_EMPTY),
               "[{\"channel\":\"/meta/subscribe\",\"id\":\"5\",\"clientId\":\"c1\","
               "\"subscription\":\"/api/v1/user/u/rooms\"}]");
    ck_text_eq(bayeux_unsubscribe(arena, 6, client, channel),
               "[{\"channel\":\"/meta/unsubscribe\",\"id\":\"6\",\"clientId\":\"c1\","
               "\"subscription\":\"/api/v1/user/u/rooms\"}]");
    ck_text_eq(bayeux_disconnect(arena, 7, client),
               "[{\"channel\":\"/meta/disconnect\",\"id\":\"7\",\"clientId\":\"c1\"}]");
}
END_TEST

START_TEST(frame_built_is_read_back)
{
    const struct bayeux_message message = one(bayeux_subscribe(
        arena, 9, SLICE("c\"1"), SLICE("/api/v1/rooms/r/chatMessages"), SLICE("false")));
    ck_text_eq(message.channel, BAYEUX_SUBSCRIBE);
    ck_text_eq(message.id, "9");
    ck_text_eq(message.client_id, "c\"1");
    ck_text_eq(message.subscription, "/api/v1/rooms/r/chatMessages");
    ck_text_eq(message.snapshot, "false");
}
END_TEST

START_TEST(channels_are_made_and_recognised)
{
    const struct slice room = bayeux_room_messages_channel(arena, SLICE("5330"));
    const struct slice user = bayeux_user_rooms_channel(arena, SLICE("5331"));
    ck_text_eq(room, "/api/v1/rooms/5330/chatMessages");
    ck_text_eq(user, "/api/v1/user/5331/rooms");
    ck_text_eq(bayeux_channel_room_id(room), "5330");
    ck_text_eq(bayeux_channel_user_id(user), "5331");
    ck_text_empty(bayeux_channel_room_id(user));
    ck_text_empty(bayeux_channel_user_id(room));
    ck_text_empty(bayeux_channel_room_id(SLICE("/api/v1/rooms//chatMessages")));
    ck_text_empty(bayeux_channel_room_id(SLICE("/api/v1/rooms/chatMessages")));
    ck_text_empty(bayeux_channel_room_id(SLICE("/api/v1/rooms/a/b/chatMessages")));
    ck_text_empty(bayeux_channel_room_id(SLICE("/api/v1/rooms/5330/events")));
    ck_text_empty(bayeux_channel_user_id(SLICE("/api/v1/user/5331")));
    ck_text_empty(bayeux_channel_user_id(SLICE_EMPTY));
    const struct slice people = bayeux_room_people_channel(arena, SLICE("5330"));
    ck_text_eq(people, "/api/v1/rooms/5330/users");
    ck_text_eq(bayeux_channel_people_room_id(people), "5330");
    ck_text_empty(bayeux_channel_people_room_id(room));
    ck_text_empty(bayeux_channel_room_id(people));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bayeux");
    TCase *tc = tcase_create("bayeux");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, handshake_answer_is_read);
    tcase_add_test(tc, refusals_are_read);
    tcase_add_test(tc, errors_without_a_code_are_kept_whole);
    tcase_add_test(tc, subscribe_answer_has_its_snapshot);
    tcase_add_test(tc, deliveries_are_read_with_their_count);
    tcase_add_test(tc, keep_alives_and_single_objects_are_read);
    tcase_add_test(tc, wrong_types_are_read_as_absent);
    tcase_add_test(tc, what_is_no_array_is_bad_input);
    tcase_add_test(tc, frames_are_built);
    tcase_add_test(tc, frame_built_is_read_back);
    tcase_add_test(tc, channels_are_made_and_recognised);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
