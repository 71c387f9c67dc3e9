#include "codecs/matrix.h"

#include "runtime/base/buf.h"
#include "runtime/base/limits.h"
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

static struct slice repeat(char c, size_t times)
{
    struct buf buf;
    buf_init(&buf, arena);
    for (size_t i = 0; i < times; i++) {
        buf_put_byte(&buf, c);
    }
    return buf_slice(&buf);
}

static size_t split(struct slice body, struct matrix_raw_event **events)
{
    size_t count = 0;
    ck_rc_eq(matrix_transaction_split(arena, body, events, &count), RC_OK);
    return count;
}

static struct matrix_event event_of(struct slice raw)
{
    struct matrix_event event = {.has_state_key = false};
    ck_rc_eq(matrix_event_parse(arena, raw, &event), RC_OK);
    return event;
}

/* An event of that type with these members (each with its comma in front) beside the ids. */
static struct matrix_event event_with(const char *type, const char *members)
{
    return event_of(arena_printf(arena,
                                 "{\"event_id\":\"$e\",\"type\":\"%s\",\"room_id\":\"!r\","
                                 "\"sender\":\"@u:h\"%s}",
                                 type, members));
}

START_TEST(transaction_is_split_into_raw_events)
{
    struct matrix_raw_event *events = NULL;
    const struct slice body =
        SLICE("{\"ephemeral\":[{\"type\":\"m.typing\"}],\"events\":[{\"a\": 1} ,{\"b\":[]}],"
              "\"de.sorunome.msc2409.to_device\":[]}");
    ck_assert_uint_eq(split(body, &events), 2);
    ck_text_eq(events[0].raw, "{\"a\": 1}");
    ck_text_eq(events[1].raw, "{\"b\":[]}");
    ck_assert_uint_eq(split(SLICE("{\"events\":[]}"), &events), 0);
}
END_TEST

START_TEST(transaction_gives_the_ids_of_its_events)
{
    struct matrix_raw_event *events = NULL;
    const struct slice body =
        SLICE("{\"events\":[{\"event_id\":\"$a\",\"content\":{\"event_id\":\"$inner\"}},{},7,"
              "{\"event_id\":8},{\"event_id\":\"$b\",\"event_id\":\"$\\u0063\"}]}");
    ck_assert_uint_eq(split(body, &events), 5);
    ck_text_eq(events[0].event_id, "$a");
    ck_text_empty(events[1].event_id);
    ck_text_empty(events[2].event_id);
    ck_text_empty(events[3].event_id);
    ck_text_eq(events[4].event_id, "$c");
}
END_TEST

START_TEST(transaction_with_an_event_of_too_many_members_gives_the_others)
{
    struct matrix_raw_event *events = NULL;
    struct buf body;
    buf_init(&body, arena);
    BUF_PUT(&body, "{\"events\":[{\"event_id\":\"$a\"},{\"event_id\":\"$b\"");
    for (size_t i = 0; i < JSON_NODES_MAX; i++) {
        BUF_PUT(&body, ",\"\":0");
    }
    BUF_PUT(&body, "},{\"event_id\":\"$c\"}]}");
    ck_assert_uint_eq(split(buf_slice(&body), &events), 3);
    ck_text_eq(events[0].event_id, "$a");
    ck_text_empty(events[1].event_id);
    ck_text_eq(events[2].event_id, "$c");
}
END_TEST

START_TEST(transaction_with_bad_events_is_split_all_the_same)
{
    struct matrix_raw_event *events = NULL;
    struct buf body;
    buf_init(&body, arena);
    BUF_PUT(&body, "{\"events\":[7,null,\"x\",[{}],{\"body\":\"\xff\"},{\"body\":\"\\ud800\"},");
    for (size_t i = 0; i < 5000; i++) {
        BUF_PUT(&body, "{\"a\":");
    }
    BUF_PUT(&body, "1");
    for (size_t i = 0; i < 5000; i++) {
        BUF_PUT(&body, "}");
    }
    BUF_PUT(&body, "]}");
    ck_assert_uint_eq(split(buf_slice(&body), &events), 7);
    static const enum rc wanted[] = {RC_BAD_INPUT, RC_BAD_INPUT, RC_BAD_INPUT, RC_BAD_INPUT,
                                     RC_BAD_INPUT, RC_BAD_INPUT, RC_TOO_BIG};
    for (size_t i = 0; i < 7; i++) {
        struct matrix_event event;
        ck_rc_eq(matrix_event_parse(arena, events[i].raw, &event), wanted[i]);
    }
}
END_TEST

START_TEST(transaction_malformed_is_bad_input)
{
    static const struct slice wrong[] = {
        SLICE_INIT(""),
        SLICE_INIT("{"),
        SLICE_INIT("[]"),
        SLICE_INIT("null"),
        SLICE_INIT("{}"),
        SLICE_INIT("{\"events\":{}}"),
        SLICE_INIT("{\"events\":null}"),
        SLICE_INIT("{\"events\":[{]}"),
        SLICE_INIT("{\"events\":[]}x"),
        SLICE_INIT("[{\"events\":[]}]"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct matrix_raw_event *events = NULL;
        size_t count = 0;
        ck_rc_eq(matrix_transaction_split(arena, wrong[i], &events, &count), RC_BAD_INPUT);
    }
}
END_TEST

/* The shape Synapse sends: sorted keys, copies of members of `unsigned` at the top. */
START_TEST(event_message_of_synapse_is_read)
{
    const struct matrix_event event = event_of(
        SLICE("{\"age\":75,\"content\":{\"body\":\"hi "
              "\xf0\x9f\x98\x80\",\"format\":\"org.matrix.custom.html\","
              "\"formatted_body\":\"<b>hi</b>\",\"m.mentions\":{},\"msgtype\":\"m.text\"},"
              "\"event_id\":\"$pZ_w-1\",\"origin_server_ts\":1763900000123,"
              "\"room_id\":\"!43base64urlcharacters_without_a_domain\",\"sender\":\"@ada/"
              "1=\xc3\xa9:test.example\","
              "\"type\":\"m.room.message\",\"unsigned\":{\"age\":75},\"user_id\":\"@other:h\"}"));
    ck_text_eq(event.event_id, "$pZ_w-1");
    ck_text_eq(event.type, "m.room.message");
    ck_text_eq(event.room_id, "!43base64urlcharacters_without_a_domain");
    ck_text_eq(event.sender, "@ada/1=\xc3\xa9:test.example");
    ck_assert(!event.has_state_key);
    ck_assert_int_eq(event.origin_ts_ms, 1763900000123);
    ck_text_eq(event.message.msgtype, "m.text");
    ck_text_eq(event.message.body, "hi \xf0\x9f\x98\x80");
    ck_text_eq(event.message.html, "<b>hi</b>");
    ck_assert(slice_starts_with(event.content, SLICE("{\"body\"")));
    ck_assert(!event.is_redacted && !event.is_encrypted);
}
END_TEST

START_TEST(event_html_counts_with_the_right_format_only)
{
    const struct matrix_event event =
        event_with("m.room.message",
                   ",\"content\":{\"body\":\"b\",\"formatted_body\":\"<b>\",\"format\":\"x\"}");
    ck_text_eq(event.message.format, "x");
    ck_text_empty(event.message.html);
}
END_TEST

START_TEST(event_member_is_read)
{
    const struct matrix_event event = event_with(
        "m.room.member",
        ",\"state_key\":\"@bot:h\",\"prev_content\":{\"membership\":\"join\"},"
        "\"content\":{\"membership\":\"invite\",\"displayname\":\"Bot\",\"is_direct\":true},"
        "\"unsigned\":{\"prev_content\":{\"membership\":\"leave\"},\"invite_room_state\":["
        "7,{\"type\":\"m.room.name\"},{\"type\":\"m.room.encryption\",\"state_key\":\"\"}]}");
    ck_assert(event.has_state_key);
    ck_text_eq(event.state_key, "@bot:h");
    ck_text_eq(event.membership, "invite");
    ck_text_eq(event.prev_membership, "leave");
    ck_text_eq(event.displayname, "Bot");
    ck_assert(event.is_direct);
    ck_assert(event.is_invite_to_encrypted);
}
END_TEST

START_TEST(event_member_without_unsigned_was_out_before)
{
    const struct matrix_event event = event_with(
        "m.room.member", ",\"state_key\":\"\",\"prev_content\":{\"membership\":\"join\"},"
                         "\"content\":{\"membership\":\"join\",\"displayname\":null}");
    ck_assert(event.has_state_key);
    ck_text_empty(event.state_key);
    ck_text_empty(event.prev_membership);
    ck_text_empty(event.displayname);
    ck_assert(!event.is_direct && !event.is_invite_to_encrypted);
}
END_TEST

START_TEST(event_edit_is_read)
{
    const struct matrix_event event = event_with(
        "m.room.message",
        ",\"content\":{\"msgtype\":\"m.text\",\"body\":\"* new\",\"m.new_content\":{\"msgtype\":"
        "\"m.emote\",\"body\":\"new\",\"format\":\"org.matrix.custom.html\",\"formatted_body\":"
        "\"<i>new</i>\"},\"m.relates_to\":{\"rel_type\":\"m.replace\",\"event_id\":\"$o\"}}");
    ck_text_eq(event.rel_type, "m.replace");
    ck_text_eq(event.relates_to, "$o");
    ck_text_eq(event.message.body, "* new");
    ck_text_eq(event.edited.body, "new");
    ck_text_eq(event.edited.msgtype, "m.emote");
    ck_text_eq(event.edited.html, "<i>new</i>");
    ck_text_empty(event.in_reply_to);
}
END_TEST

START_TEST(event_replies_and_threads_are_read)
{
    struct matrix_event event =
        event_with("m.room.message",
                   ",\"content\":{\"m.relates_to\":{\"m.in_reply_to\":{\"event_id\":\"$a+b/c\"}}}");
    ck_text_eq(event.in_reply_to, "$a+b/c");
    ck_text_empty(event.rel_type);
    event = event_with("m.room.message",
                       ",\"content\":{\"m.new_content\":{\"body\":\"no edit\"},\"m.relates_to\":{"
                       "\"rel_type\":\"m.thread\",\"event_id\":\"$root\",\"is_falling_back\":true,"
                       "\"m.in_reply_to\":{\"event_id\":\"$last\"}}}");
    ck_text_eq(event.rel_type, "m.thread");
    ck_text_eq(event.relates_to, "$root");
    ck_text_eq(event.in_reply_to, "$last");
    ck_assert(event.is_falling_back);
    ck_text_empty(event.edited.body);
}
END_TEST

START_TEST(event_redaction_prefers_the_content)
{
    struct matrix_event event = event_with(
        "m.room.redaction", ",\"redacts\":\"$top\",\"content\":{\"redacts\":\"$inside\"}");
    ck_text_eq(event.redacts, "$inside");
    event = event_with("m.room.redaction", ",\"redacts\":\"$top\",\"content\":{}");
    ck_text_eq(event.redacts, "$top");
    event = event_with("m.room.redaction", ",\"redacts\":\"$top\",\"content\":{\"redacts\":5}");
    ck_text_eq(event.redacts, "$top");
    event = event_with("m.room.message", ",\"redacts\":\"$top\"");
    ck_text_empty(event.redacts);
}
END_TEST

START_TEST(event_redacted_before_delivery_says_so)
{
    struct matrix_event event = event_with(
        "m.room.message", ",\"content\":{},\"unsigned\":{\"redacted_because\":{\"type\":\"x\"}}");
    ck_assert(event.is_redacted);
    ck_text_eq(event.content, "{}");
    event = event_with("m.room.message", ",\"redacted_because\":{},\"unsigned\":{}");
    ck_assert(!event.is_redacted);
}
END_TEST

START_TEST(event_markers_and_special_types_are_read)
{
    struct matrix_event event = event_with(
        "m.room.create", ",\"state_key\":\"\",\"content\":{\"gitterd.room\":\"@u:h 53307831\","
                         "\"gitterd.gitter_id\":\"no\"}");
    ck_text_eq(event.room_marker, "@u:h 53307831");
    ck_text_empty(event.gitter_id);
    event = event_with("m.room.message", ",\"content\":{\"gitterd.gitter_id\":\"5330\"}");
    ck_text_eq(event.gitter_id, "5330");
    event = event_with("m.room.encrypted", ",\"content\":{\"algorithm\":\"m.megolm.v1.aes-sha2\"}");
    ck_assert(event.is_encrypted);
    event = event_with("m.room.tombstone",
                       ",\"state_key\":\"\",\"content\":{\"replacement_room\":\"!new\"}");
    ck_text_eq(event.replacement_room, "!new");
    event = event_with("m.sticker", ",\"content\":{\"body\":\"cat\"}");
    ck_text_eq(event.message.body, "cat");
    event = event_with("org.example.unknown", ",\"content\":{\"body\":\"x\"}");
    ck_text_eq(event.type, "org.example.unknown");
    ck_text_empty(event.message.body);
}
END_TEST

START_TEST(event_with_wrong_types_is_read_as_empty)
{
    const struct matrix_event message = event_with(
        "m.room.message",
        ",\"state_key\":null,\"origin_server_ts\":\"soon\",\"unsigned\":[],\"content\":{\"body\":7,"
        "\"msgtype\":{},\"format\":true,\"formatted_body\":[],\"m.new_content\":\"x\","
        "\"gitterd.gitter_id\":1,\"m.relates_to\":{\"rel_type\":\"m.replace\",\"event_id\":5,"
        "\"m.in_reply_to\":\"$x\",\"is_falling_back\":\"yes\"}}");
    ck_assert(message.has_state_key);
    ck_text_empty(message.state_key);
    ck_assert_int_eq(message.origin_ts_ms, 0);
    ck_text_empty(message.message.body);
    ck_text_empty(message.message.msgtype);
    ck_text_empty(message.edited.body);
    ck_text_empty(message.gitter_id);
    ck_text_empty(message.relates_to);
    ck_text_empty(message.in_reply_to);
    ck_assert(!message.is_falling_back);

    const struct matrix_event member = event_with(
        "m.room.member", ",\"content\":[],\"origin_server_ts\":-5,\"unsigned\":{\"prev_content\":7,"
                         "\"invite_room_state\":{\"type\":\"m.room.encryption\"}}");
    ck_text_eq(member.content, "{}");
    ck_assert_int_eq(member.origin_ts_ms, 0);
    ck_text_empty(member.membership);
    ck_text_empty(member.prev_membership);
    ck_assert(!member.is_invite_to_encrypted);
    ck_text_empty(event_with("m.room.message", ",\"content\":null").rel_type);
    ck_text_eq(event_with("m.room.message", "").content, "{}");
}
END_TEST

START_TEST(event_without_usable_ids_is_bad_input)
{
    static const char *const wrong[] = {
        "{}",
        "{\"type\":\"t\",\"room_id\":\"!r\",\"sender\":\"@u:h\"}",
        "{\"event_id\":\"$e\",\"room_id\":\"!r\",\"sender\":\"@u:h\"}",
        "{\"event_id\":\"$e\",\"type\":\"t\",\"sender\":\"@u:h\"}",
        "{\"event_id\":\"$e\",\"type\":\"t\",\"room_id\":\"!r\"}",
        "{\"event_id\":\"\",\"type\":\"t\",\"room_id\":\"!r\",\"sender\":\"@u:h\"}",
        "{\"event_id\":5,\"type\":\"t\",\"room_id\":\"!r\",\"sender\":\"@u:h\"}",
        "{\"event_id\":\"$e\",\"type\":null,\"room_id\":\"!r\",\"sender\":\"@u:h\"}",
        "{\"event_id\":\"$e\",\"type\":\"t\",\"room_id\":[],\"sender\":\"@u:h\"}",
        "{\"event_id\":\"$e\",\"type\":\"t\",\"room_id\":\"!r\",\"sender\":{}}",
        "[]",
        "\"x\"",
        "{",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct matrix_event event = {.origin_ts_ms = 7};
        ck_rc_eq(matrix_event_parse(arena, slice_from_cstr(wrong[i]), &event), RC_BAD_INPUT);
        ck_assert_int_eq(event.origin_ts_ms, 7);
    }
}
END_TEST

START_TEST(event_ids_are_bounded_by_255_bytes)
{
    static const char format[] =
        "{\"event_id\":\"%.*s\",\"type\":\"t\",\"room_id\":\"!r\",\"sender\":\"@u:h\"}";
    struct matrix_event event;
    const struct slice most = arena_printf(arena, format, SLICE_ARGS(repeat('$', 255)));
    ck_rc_eq(matrix_event_parse(arena, most, &event), RC_OK);
    const struct slice over = arena_printf(arena, format, SLICE_ARGS(repeat('$', 256)));
    ck_rc_eq(matrix_event_parse(arena, over, &event), RC_BAD_INPUT);
}
END_TEST

START_TEST(event_text_may_be_large_and_contain_nul_and_half_surrogates)
{
    struct buf raw;
    buf_init(&raw, arena);
    BUF_PUT(&raw, "{\"event_id\":\"$e\",\"type\":\"m.room.message\",\"room_id\":\"!r\",\"sender\":"
                  "\"@u:h\",\"content\":{\"body\":\"\\u0000\\udead");
    buf_put(&raw, repeat('x', 65536));
    BUF_PUT(&raw, "\"}}");
    const struct matrix_event event = event_of(buf_slice(&raw));
    ck_assert_uint_eq(event.message.body.len, 65540);
    ck_assert(slice_starts_with(event.message.body, SLICE("\0\xef\xbf\xbdx")));
    ck_assert(slice_is_utf8(event.message.body));
}
END_TEST

START_TEST(content_built_is_read_back_as_an_event)
{
    const struct matrix_content content = {
        .msgtype = SLICE("m.emote"),
        .body = SLICE("waves \"\\\n\xf0\x9f\x98\x80"),
        .html = SLICE("<i>waves</i>"),
        .gitter_id = SLICE("5330"),
        .replaces = SLICE("$o"),
    };
    struct buf members;
    buf_init(&members, arena);
    BUF_PUT(&members, ",\"content\":");
    buf_put(&members, matrix_content_json(arena, &content));
    const struct matrix_event event =
        event_with("m.room.message", arena_cstr(arena, buf_slice(&members)));
    ck_slice_eq(event.edited.body, content.body);
    ck_slice_eq(event.edited.html, content.html);
    ck_slice_eq(event.edited.msgtype, content.msgtype);
    ck_slice_eq(event.gitter_id, content.gitter_id);
    ck_slice_eq(event.relates_to, content.replaces);
}
END_TEST

static TCase *events(void)
{
    TCase *tc = tcase_create("events");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, transaction_is_split_into_raw_events);
    tcase_add_test(tc, transaction_gives_the_ids_of_its_events);
    tcase_add_test(tc, transaction_with_an_event_of_too_many_members_gives_the_others);
    tcase_add_test(tc, transaction_with_bad_events_is_split_all_the_same);
    tcase_add_test(tc, transaction_malformed_is_bad_input);
    tcase_add_test(tc, event_message_of_synapse_is_read);
    tcase_add_test(tc, event_html_counts_with_the_right_format_only);
    tcase_add_test(tc, event_member_is_read);
    tcase_add_test(tc, event_member_without_unsigned_was_out_before);
    tcase_add_test(tc, event_edit_is_read);
    tcase_add_test(tc, event_replies_and_threads_are_read);
    tcase_add_test(tc, event_redaction_prefers_the_content);
    tcase_add_test(tc, event_redacted_before_delivery_says_so);
    tcase_add_test(tc, event_markers_and_special_types_are_read);
    tcase_add_test(tc, event_with_wrong_types_is_read_as_empty);
    tcase_add_test(tc, event_without_usable_ids_is_bad_input);
    tcase_add_test(tc, event_ids_are_bounded_by_255_bytes);
    tcase_add_test(tc, event_text_may_be_large_and_contain_nul_and_half_surrogates);
    tcase_add_test(tc, content_built_is_read_back_as_an_event);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("matrix_event");
    suite_add_tcase(suite, events());
    return run_suite(suite);
}
