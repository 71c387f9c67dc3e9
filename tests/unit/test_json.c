#include "codecs/json.h"

#include "tests/unit/slice_check.h"

#include <signal.h>
#include <string.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_open(4096);
}

static void teardown(void)
{
    arena_close(arena);
}

/* Parses a copy without a byte behind it, so that the sanitizer sees a read past the end. */
static enum rc parse(struct slice text, struct json **out)
{
    char *copy = malloc(text.len == 0 ? 1 : text.len);
    ck_assert_ptr_nonnull(copy);
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    struct json *ignored = NULL;
    const enum rc rc = json_parse(arena, slice_make(copy, text.len), &ignored);
    free(copy);
    return rc == RC_OK ? json_parse(arena, text, out) : rc;
}

static const struct json *parsed(struct slice text)
{
    struct json *node = NULL;
    ck_rc_eq(parse(text, &node), RC_OK);
    ck_assert_ptr_nonnull(node);
    return node;
}

static struct slice text_of(struct slice json)
{
    const struct json *node = parsed(json);
    ck_assert(json_is_text(node));
    return json_text(node);
}

START_TEST(json_scalars_are_read_with_their_types)
{
    ck_assert_int_eq(parsed(SLICE("null"))->type, JSON_NULL);
    ck_assert(json_is_true(parsed(SLICE(" true\n"))));
    ck_assert(!json_bool(parsed(SLICE("false")), true));
    ck_assert_int_eq(json_int(parsed(SLICE("42")), 0), 42);
    ck_assert_int_eq(json_int(parsed(SLICE("\t42 ")), 0), 42);
    ck_assert_int_eq(json_int(parsed(SLICE("-0")), 5), 0);
    ck_text_eq(text_of(SLICE("\"hi\"")), "hi");
    ck_text_eq(text_of(SLICE("\"\"")), "");
}
END_TEST

START_TEST(json_integers_are_exact_and_others_are_real)
{
    ck_assert_int_eq(json_int(parsed(SLICE("9007199254740993")), 0), 9007199254740993);
    ck_assert_int_eq(json_int(parsed(SLICE("9223372036854775807")), 0), INT64_MAX);
    ck_assert_int_eq(json_int(parsed(SLICE("-9223372036854775808")), 0), INT64_MIN);
    static const struct slice reals[] = {
        SLICE_INIT("9223372036854775808"),
        SLICE_INIT("1.5"),
        SLICE_INIT("1e3"),
        SLICE_INIT("-0.0"),
        SLICE_INIT("1E400"),
        SLICE_INIT("123456789012345678901234567890"),
    };
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        const struct json *node = parsed(reals[i]);
        ck_assert_int_eq(node->type, JSON_REAL);
        ck_assert_int_eq(json_int(node, -5), -5);
        ck_slice_eq(json_raw(node), reals[i]);
    }
}
END_TEST

START_TEST(json_escapes_are_undone)
{
    ck_text_eq(text_of(SLICE("\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\te\"")), "a\"b\\c/d\b\f\n\r\te");
    ck_text_eq(text_of(SLICE("\"\\u00e9\\u20ac\\uD83D\\ude00x\"")), "\xc3\xa9\xe2\x82\xac"
                                                                    "\xf0\x9f\x98\x80x");
    ck_text_eq(text_of(SLICE("\"\\n\"")), "\n");
}
END_TEST

START_TEST(json_nul_escape_is_kept)
{
    ck_text_eq(text_of(SLICE("\"a\\u0000b\"")), "a\0b");
}
END_TEST

START_TEST(json_lone_surrogates_become_the_replacement_character)
{
    ck_text_eq(text_of(SLICE("\"\\ud800\"")), "\xef\xbf\xbd");
    ck_text_eq(text_of(SLICE("\"a\\udc00b\"")), "a\xef\xbf\xbd"
                                                "b");
    ck_text_eq(text_of(SLICE("\"\\ud800\\ud83d\\ude00\"")), "\xef\xbf\xbd\xf0\x9f\x98\x80");
    ck_text_eq(text_of(SLICE("\"\\ud800\\n\"")), "\xef\xbf\xbd\n");
    ck_text_eq(text_of(SLICE("\"\\ud800\\u0041\"")), "\xef\xbf\xbd"
                                                     "A");
    ck_text_eq(text_of(SLICE("\"\\ud800u0041xxxx\"")), "\xef\xbf\xbdu0041xxxx");
}
END_TEST

START_TEST(json_raw_is_the_source_of_each_value)
{
    const struct slice text =
        SLICE(" { \"a\" : [ 1 , {\"b\":\"\\n\"} ,\"x\" ] ,\"c\":true,\"d\":{ } } ");
    const struct json *root = parsed(text);
    const struct json *a = json_get(root, SLICE("a"));
    ck_slice_eq(json_raw(root), slice_trim(text));
    ck_text_eq(json_raw(a), "[ 1 , {\"b\":\"\\n\"} ,\"x\" ]");
    ck_text_eq(json_raw(json_first(a)), "1");
    ck_text_eq(json_raw(json_first(a)->next), "{\"b\":\"\\n\"}");
    ck_text_eq(json_raw(json_first(a)->next->next), "\"x\"");
    ck_text_eq(json_raw(json_get(root, SLICE("c"))), "true");
    ck_text_eq(json_raw(json_get(root, SLICE("d"))), "{ }");
    ck_assert_uint_eq(json_count(a), 3);
    ck_assert_uint_eq(json_count(root), 3);
}
END_TEST

START_TEST(json_members_come_in_source_order_and_the_last_double_counts)
{
    const struct json *root = parsed(SLICE("{\"z\":1,\"a\":2,\"z\":3,\"\\u0061\":4}"));
    const struct json *member = json_first(root);
    ck_text_eq(member->key, "z");
    ck_text_eq(member->next->key, "a");
    ck_assert_uint_eq(json_count(root), 4);
    ck_assert_int_eq(json_get_int(root, SLICE("z"), 0), 3);
    ck_assert_int_eq(json_get_int(root, SLICE("a"), 0), 4);
    ck_assert_ptr_null(json_get(root, SLICE("b")));
}
END_TEST

START_TEST(json_accessors_take_anything)
{
    const struct json *root = parsed(SLICE("{\"a\":[1],\"b\":\"t\",\"c\":{\"d\":\"e\"}}"));
    ck_assert_ptr_null(json_get(NULL, SLICE("a")));
    ck_assert_ptr_null(json_get(json_get(root, SLICE("a")), SLICE("a")));
    ck_text_empty(json_text(json_get(root, SLICE("a"))));
    ck_text_empty(json_text(NULL));
    ck_text_empty(json_raw(NULL));
    ck_assert_int_eq(json_int(json_get(root, SLICE("b")), 9), 9);
    ck_assert(json_bool(json_get(root, SLICE("b")), true));
    ck_assert(!json_get_bool(root, SLICE("b"), false));
    ck_assert_ptr_null(json_first(json_get(root, SLICE("b"))));
    ck_assert_ptr_null(json_first(NULL));
    ck_assert_uint_eq(json_count(NULL), 0);
    ck_assert(!json_is_int(NULL) && !json_is_array(NULL) && !json_is_true(NULL));
    ck_assert(json_is_array(json_get(root, SLICE("a"))));
    ck_assert(json_is_int(json_first(json_get(root, SLICE("a")))));
    ck_text_eq(json_text(json_get2(root, SLICE("c"), SLICE("d"))), "e");
    ck_assert_ptr_null(json_get2(root, SLICE("b"), SLICE("d")));
    ck_text_eq(json_get_text(root, SLICE("b")), "t");
}
END_TEST

START_TEST(json_malformed_is_bad_input)
{
    static const struct slice wrong[] = {
        SLICE_INIT(""),
        SLICE_INIT(" \n"),
        SLICE_INIT("{"),
        SLICE_INIT("[1,"),
        SLICE_INIT("[1,]"),
        SLICE_INIT("{\"a\":1,}"),
        SLICE_INIT("{\"a\"}"),
        SLICE_INIT("{a:1}"),
        SLICE_INIT("{'a':1}"),
        SLICE_INIT("{1:1}"),
        SLICE_INIT("[1 2]"),
        SLICE_INIT("[1]]"),
        SLICE_INIT("]"),
        SLICE_INIT("[1}"),
        SLICE_INIT("1 2"),
        SLICE_INIT("{} {}"),
        SLICE_INIT("{}x"),
        SLICE_INIT("{}tru"),
        SLICE_INIT("{}\""),
        SLICE_INIT("{} \"a"),
        SLICE_INIT("12\"[3"),
        SLICE_INIT("{}-"),
        SLICE_INIT("{}\xc3"),
        SLICE_INIT("{}\0"),
        SLICE_INIT("\xef\xbb\xbf{}"),
        SLICE_INIT("// no\n1"),
        SLICE_INIT("/* no */ 1"),
        SLICE_INIT("tru"),
        SLICE_INIT("nulll"),
        SLICE_INIT("True"),
        SLICE_INIT("NaN"),
        SLICE_INIT("Infinity"),
        SLICE_INIT("+1"),
        SLICE_INIT("01"),
        SLICE_INIT("1."),
        SLICE_INIT(".5"),
        SLICE_INIT("1e"),
        SLICE_INIT("-"),
        SLICE_INIT("0x1"),
        SLICE_INIT("\"a"),
        SLICE_INIT("\"a\nb\""),
        SLICE_INIT("\"a\0b\""),
        SLICE_INIT("\"\\x41\""),
        SLICE_INIT("\"\\u12\""),
        SLICE_INIT("\"\\u12g4\""),
        SLICE_INIT("\"\\ud800\\u\""),
        SLICE_INIT("\"\\ud800\\u12\""),
        SLICE_INIT("\"\\"),
        SLICE_INIT("\"\xff\""),
        SLICE_INIT("\"\xc0\x80\""),
        SLICE_INIT("\"\xed\xa0\x80\""),
        SLICE_INIT("\"\xe2\x82\""),
        SLICE_INIT("\xff"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct json *node = NULL;
        ck_assert_msg(parse(wrong[i], &node) == RC_BAD_INPUT, "accepted: %s", wrong[i].ptr);
        ck_assert_ptr_null(node);
    }
}
END_TEST

START_TEST(json_cut_short_anywhere_is_bad_input)
{
    const struct slice text =
        SLICE("{\"a\":[1,-2.5e+3,true,null,\"\\ud83d\\ude00\xc3\xa9\"],\"b\":{\"c\":{}}}");
    for (size_t len = 0; len < text.len; len++) {
        struct json *node = NULL;
        ck_rc_eq(parse(slice_first(text, len), &node), RC_BAD_INPUT);
    }
}
END_TEST

static struct slice nested(size_t depth, char open, char close)
{
    struct buf buf;
    buf_init(&buf, arena);
    for (size_t i = 0; i < depth; i++) {
        buf_put_byte(&buf, open);
    }
    for (size_t i = 0; i < depth; i++) {
        buf_put_byte(&buf, close);
    }
    return buf_slice(&buf);
}

START_TEST(json_nested_to_the_limit_is_read_and_over_it_too_big)
{
    struct json *node = NULL;
    ck_rc_eq(json_parse(arena, nested(JSON_DEPTH_MAX, '[', ']'), &node), RC_OK);
    ck_rc_eq(json_parse(arena, nested(JSON_DEPTH_MAX + 1, '[', ']'), &node), RC_TOO_BIG);
    ck_rc_eq(json_parse(arena, nested(1000000, '[', ']'), &node), RC_TOO_BIG);
}
END_TEST

START_TEST(json_with_too_many_values_is_too_big)
{
    struct buf buf;
    struct json *node = NULL;
    buf_init(&buf, arena);
    BUF_PUT(&buf, "[0");
    for (size_t i = 0; i < JSON_NODES_MAX; i++) {
        BUF_PUT(&buf, ",0");
    }
    BUF_PUT(&buf, "]");
    ck_rc_eq(json_parse(arena, buf_slice(&buf), &node), RC_TOO_BIG);
}
END_TEST

START_TEST(json_long_text_is_borrowed)
{
    struct buf buf;
    buf_init(&buf, arena);
    buf_put_byte(&buf, '"');
    for (size_t i = 0; i < 65536; i++) {
        buf_put_byte(&buf, 'x');
    }
    buf_put_byte(&buf, '"');
    const struct slice text = buf_slice(&buf);
    struct json *node = NULL;
    ck_rc_eq(json_parse(arena, text, &node), RC_OK);
    ck_assert_uint_eq(json_text(node).len, 65536);
    ck_assert_ptr_eq(json_text(node).ptr, text.ptr + 1);
}
END_TEST

START_TEST(json_outline_keeps_the_inner_values_raw)
{
    const struct slice text =
        SLICE("{\"events\":[ {\"a\":{\"b\":[1]}} , 7,\"\xff\",[[]] ],\"x\":[[1]]}");
    struct json *root = NULL;
    ck_rc_eq(json_parse_outline(arena, text, 3, &root), RC_OK);
    const struct json *events = json_get(root, SLICE("events"));
    ck_assert_uint_eq(json_count(events), 4);
    const struct json *event = json_first(events);
    ck_text_eq(json_raw(event), "{\"a\":{\"b\":[1]}}");
    ck_assert(json_is_object(event));
    ck_assert_ptr_null(json_first(event));
    ck_text_eq(json_raw(event->next), "7");
    ck_text_eq(json_raw(event->next->next), "\"\xff\"");
    ck_text_eq(json_raw(event->next->next->next), "[[]]");
    ck_text_eq(json_raw(json_first(json_get(root, SLICE("x")))), "[1]");

    ck_rc_eq(json_parse_outline(arena, text, 1, &root), RC_OK);
    ck_slice_eq(json_raw(root), text);
    ck_assert_ptr_null(json_first(root));
}
END_TEST

START_TEST(json_outline_of_deep_nesting_is_read_in_bounded_memory)
{
    struct json *root = NULL;
    const struct slice text = nested(1000000, '[', ']');
    const size_t before = arena_used_bytes(arena);
    ck_rc_eq(json_parse_outline(arena, text, 2, &root), RC_OK);
    ck_assert_uint_lt(arena_used_bytes(arena) - before, 4 * text.len);
    ck_assert_uint_eq(json_raw(root).len, text.len);
    ck_assert_uint_eq(json_raw(json_first(root)).len, text.len - 2);
    ck_rc_eq(json_parse_outline(arena, slice_first(text, text.len - 1), 2, &root), RC_BAD_INPUT);
}
END_TEST

START_TEST(json_written_has_commas_and_escapes_where_they_belong)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_object(&writer);
    json_put_member(&writer, SLICE("k\"\n"), SLICE("v\\\t\r\x01\x7f/\xc3\xa9"));
    json_put_key(&writer, SLICE("list"));
    json_open_array(&writer);
    json_put_int(&writer, INT64_MIN);
    json_put_bool(&writer, true);
    json_put_null(&writer);
    json_open_object(&writer);
    json_close_object(&writer);
    json_open_array(&writer);
    json_close_array(&writer);
    json_close_array(&writer);
    json_put_key(&writer, SLICE("raw"));
    json_put_raw(&writer, SLICE("{\"x\":1}"));
    json_put_member_int(&writer, SLICE("n"), 5);
    json_put_member_bool(&writer, SLICE("b"), false);
    json_close_object(&writer);
    ck_text_eq(json_writer_end(&writer),
               "{\"k\\\"\\n\":\"v\\\\\\t\\r\\u0001\x7f/\xc3\xa9\",\"list\":[-9223372036854775808,"
               "true,null,{},[]],\"raw\":{\"x\":1},\"n\":5,\"b\":false}");
}
END_TEST

static struct slice written(struct slice text, bool replace_nul)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    writer.replace_nul = replace_nul;
    json_put_text(&writer, text);
    return json_writer_end(&writer);
}

START_TEST(json_written_is_always_utf8)
{
    ck_text_eq(written(SLICE("a\xff"
                             "b"),
                       false),
               "\"a\xef\xbf\xbd"
               "b\"");
    ck_text_eq(written(SLICE("\xe2\x82"), false), "\"\xef\xbf\xbd\"");
    ck_text_eq(written(SLICE("\xed\xa0\x80z"), false), "\"\xef\xbf\xbdz\"");
    ck_text_eq(written(SLICE("\xf0\x9f\x98\x80"), false), "\"\xf0\x9f\x98\x80\"");
    for (unsigned int a = 0; a < 256; a++) {
        for (unsigned int b = 0; b < 256; b++) {
            const char text[] = {(char)a, (char)b, 'x', (char)b, (char)a};
            const struct slice json = written(slice_make(text, sizeof text), false);
            ck_assert(slice_is_utf8(json));
            struct json *node = NULL;
            ck_rc_eq(json_parse(arena, json, &node), RC_OK);
        }
        arena_reset(arena);
    }
}
END_TEST

START_TEST(json_written_nul_is_replaced_on_demand)
{
    ck_text_eq(written(SLICE("a\0b"), false), "\"a\\u0000b\"");
    ck_text_eq(written(SLICE("a\0b"), true), "\"a\xef\xbf\xbd"
                                             "b\"");
}
END_TEST

START_TEST(json_written_and_read_is_the_same_text)
{
    const struct slice texts[] = {SLICE("plain"), SLICE("\0\x01\x1f\"\\/\b\f\n\r\t\x7f"),
                                  SLICE("\xf0\x9f\x98\x80\xe2\x80\xa8")};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_slice_eq(text_of(written(texts[i], false)), texts[i]);
    }
}
END_TEST

static struct json_writer misused(void)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_object(&writer);
    return writer;
}

START_TEST(json_value_without_key_is_our_bug)
{
    struct json_writer writer = misused();
    json_put_int(&writer, 1);
}
END_TEST

START_TEST(json_two_keys_in_a_row_are_our_bug)
{
    struct json_writer writer = misused();
    json_put_key(&writer, SLICE("a"));
    json_put_key(&writer, SLICE("b"));
}
END_TEST

START_TEST(json_key_without_value_is_our_bug)
{
    struct json_writer writer = misused();
    json_put_key(&writer, SLICE("a"));
    json_close_object(&writer);
}
END_TEST

START_TEST(json_wrong_close_is_our_bug)
{
    struct json_writer writer = misused();
    json_close_array(&writer);
}
END_TEST

START_TEST(json_end_with_something_open_is_our_bug)
{
    struct json_writer writer = misused();
    (void)json_writer_end(&writer);
}
END_TEST

START_TEST(json_two_values_are_our_bug)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_put_null(&writer);
    json_put_null(&writer);
}
END_TEST

START_TEST(json_key_in_an_array_is_our_bug)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_array(&writer);
    json_put_key(&writer, SLICE("a"));
}
END_TEST

static TCase *reading(void)
{
    TCase *tc = tcase_create("reading");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, json_scalars_are_read_with_their_types);
    tcase_add_test(tc, json_integers_are_exact_and_others_are_real);
    tcase_add_test(tc, json_escapes_are_undone);
    tcase_add_test(tc, json_nul_escape_is_kept);
    tcase_add_test(tc, json_lone_surrogates_become_the_replacement_character);
    tcase_add_test(tc, json_raw_is_the_source_of_each_value);
    tcase_add_test(tc, json_members_come_in_source_order_and_the_last_double_counts);
    tcase_add_test(tc, json_accessors_take_anything);
    tcase_add_test(tc, json_malformed_is_bad_input);
    tcase_add_test(tc, json_cut_short_anywhere_is_bad_input);
    tcase_add_test(tc, json_nested_to_the_limit_is_read_and_over_it_too_big);
    tcase_add_test(tc, json_with_too_many_values_is_too_big);
    tcase_add_test(tc, json_long_text_is_borrowed);
    tcase_add_test(tc, json_outline_keeps_the_inner_values_raw);
    tcase_add_test(tc, json_outline_of_deep_nesting_is_read_in_bounded_memory);
    return tc;
}

static TCase *writing(void)
{
    TCase *tc = tcase_create("writing");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, json_written_has_commas_and_escapes_where_they_belong);
    tcase_add_test(tc, json_written_is_always_utf8);
    tcase_add_test(tc, json_written_nul_is_replaced_on_demand);
    tcase_add_test(tc, json_written_and_read_is_the_same_text);
    tcase_add_test_raise_signal(tc, json_value_without_key_is_our_bug, SIGABRT);
    tcase_add_test_raise_signal(tc, json_two_keys_in_a_row_are_our_bug, SIGABRT);
    tcase_add_test_raise_signal(tc, json_key_without_value_is_our_bug, SIGABRT);
    tcase_add_test_raise_signal(tc, json_wrong_close_is_our_bug, SIGABRT);
    tcase_add_test_raise_signal(tc, json_end_with_something_open_is_our_bug, SIGABRT);
    tcase_add_test_raise_signal(tc, json_two_values_are_our_bug, SIGABRT);
    tcase_add_test_raise_signal(tc, json_key_in_an_array_is_our_bug, SIGABRT);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("json");
    suite_add_tcase(suite, reading());
    suite_add_tcase(suite, writing());
    return run_suite(suite);
}
