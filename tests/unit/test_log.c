#include "runtime/log.h"
#include "tests/unit/slice_check.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#define STAMP_LEN 24

static int ends[2];
static char text[3 * LOG_LINE_BYTES_MAX];
static struct log *log_text;
static struct log *log_json;

static void setup(void)
{
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    log_text = log_open(ends[1], LOG_INFO, false);
    log_json = log_open(ends[1], LOG_DEBUG, true);
}

static void teardown(void)
{
    log_close(log_text);
    log_close(log_json);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* What was written since the last call. */
static const char *written(void)
{
    ssize_t n = read(ends[0], text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* The same behind the time stamp. */
static const char *behind_stamp(void)
{
    static const char shape[] = "0000-00-00T00:00:00.000Z";
    const char *line = written();

    ck_assert_uint_gt(strlen(line), STAMP_LEN);
    for (size_t i = 0; i < STAMP_LEN; i++) {
        if (shape[i] == '0') {
            ck_assert(line[i] >= '0' && line[i] <= '9');
        } else {
            ck_assert_int_eq(line[i], shape[i]);
        }
    }
    return line + STAMP_LEN;
}

START_TEST(text_line_has_level_event_and_fields)
{
    log_event(log_text, LOG_WARN, "room_joined", LOG_TEXT("room", SLICE("!a:example.org")),
              LOG_INT("tries", -2), LOG_BOOL("again", true), LOG_RC("rc", RC_BAD_INPUT));
    ck_assert_str_eq(behind_stamp(),
                     " warn room_joined room=!a:example.org tries=-2 again=true rc=BAD_INPUT\n");
    log_event(log_text, LOG_ERROR, "alone");
    ck_assert_str_eq(behind_stamp(), " error alone\n");
}
END_TEST

START_TEST(level_filters)
{
    log_event(log_text, LOG_DEBUG, "hidden");
    log_event(NULL, LOG_ERROR, "nowhere", LOG_INT("a", 1));
    ck_assert_str_eq(written(), "");
    ck_assert(!log_is_on(log_text, LOG_DEBUG));
    ck_assert(log_is_on(log_text, LOG_INFO));
    ck_assert(log_is_on(log_json, LOG_DEBUG));
    ck_assert(!log_is_on(NULL, LOG_ERROR));
}
END_TEST

START_TEST(levels_are_parsed)
{
    enum log_level level = LOG_ERROR;

    ck_assert_int_eq(log_level_parse(SLICE("debug"), &level), RC_OK);
    ck_assert_int_eq(level, LOG_DEBUG);
    ck_assert_int_eq(log_level_parse(SLICE("error"), &level), RC_OK);
    ck_assert_int_eq(level, LOG_ERROR);
    ck_assert_int_eq(log_level_parse(SLICE("Warn"), &level), RC_BAD_INPUT);
    ck_assert_int_eq(log_level_parse(SLICE(""), &level), RC_BAD_INPUT);
}
END_TEST

START_TEST(text_value_is_quoted_and_escaped)
{
    static const struct {
        struct slice value;
        const char *wanted;
    } samples[] = {
        {SLICE_INIT(""), "\"\""},
        {SLICE_INIT("a b"), "\"a b\""},
        {SLICE_INIT("a=b"), "\"a=b\""},
        {SLICE_INIT("a\"\\b"), "\"a\\\"\\\\b\""},
        {SLICE_INIT("a\nb\r\x1b[31m\x7f"), "\"a\\nb\\u000d\\u001b[31m\\u007f\""},
        {SLICE_INIT("a\0b"), "\"a\\u0000b\""},
        {SLICE_INIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
         "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {SLICE_INIT("\xc2\x9b"), "\"\\u009b\""},
        {SLICE_INIT("a\xff\xc3"), "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
        {SLICE_INIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };

    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        char wanted[128];

        (void)snprintf(wanted, sizeof(wanted), " info e v=%s\n", samples[i].wanted);
        log_event(log_text, LOG_INFO, "e", LOG_TEXT("v", samples[i].value));
        ck_assert_str_eq(behind_stamp(), wanted);
    }
}
END_TEST

static const char *json_text(yajl_val tree, const char *key)
{
    const char *path[] = {key, NULL};
    yajl_val value = yajl_tree_get(tree, path, yajl_t_string);

    ck_assert_ptr_nonnull(value);
    return YAJL_GET_STRING(value);
}

START_TEST(json_line_is_json_whatever_the_value)
{
    char error[128];
    char value[300];
    yajl_val tree;

    for (size_t i = 0; i < sizeof(value); i++) {
        value[i] = (char)i;
    }
    log_event(log_json, LOG_DEBUG, "any", LOG_TEXT("v", slice_make(value, sizeof(value))),
              LOG_CSTR("c", "a\"b"), LOG_INT("n", INT64_MIN));
    tree = yajl_tree_parse(written(), error, sizeof(error));
    ck_assert_msg(tree != NULL, "%s", error);
    ck_assert_str_eq(json_text(tree, "level"), "debug");
    ck_assert_str_eq(json_text(tree, "event"), "any");
    ck_assert_str_eq(json_text(tree, "c"), "a\"b");
    ck_assert_uint_eq(strlen(json_text(tree, "time")), STAMP_LEN);
    ck_assert_ptr_nonnull(strstr(text, "\"n\":-9223372036854775808}"));
    yajl_tree_free(tree);
}
END_TEST

START_TEST(long_value_is_cut_at_a_character)
{
    char value[LOG_VALUE_BYTES_MAX * 2] = "";
    const char *line;

    memset(value, 'a', sizeof(value));
    memcpy(value + LOG_VALUE_BYTES_MAX - 2, "\xe2\x82\xac", 3);
    log_event(log_text, LOG_INFO, "e", LOG_TEXT("v", slice_make(value, sizeof(value))));
    line = behind_stamp();
    ck_assert_uint_eq(strlen(line),
                      strlen(" info e v=\"") + LOG_VALUE_BYTES_MAX - 2 + strlen("...\"\n"));
    ck_assert_str_eq(line + strlen(line) - 6, "a...\"\n");
}
END_TEST

START_TEST(line_over_the_limit_leaves_fields_out_and_stays_one_line)
{
    char value[LOG_VALUE_BYTES_MAX] = "";
    char error[128];
    struct slice slice = slice_make(value, sizeof(value));
    yajl_val tree;

    memset(value, 1, sizeof(value)); /* six bytes each when escaped */
    log_event(log_json, LOG_INFO, "e", LOG_TEXT("a", slice), LOG_TEXT("b", slice),
              LOG_INT("last", 7));
    ck_assert_uint_lt(strlen(written()), LOG_LINE_BYTES_MAX);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    tree = yajl_tree_parse(text, error, sizeof(error));
    ck_assert_msg(tree != NULL, "%s", error);
    ck_assert_ptr_nonnull(strstr(text, "\"a\":"));
    ck_assert_ptr_null(strstr(text, "\"b\":"));
    ck_assert_ptr_nonnull(strstr(text, "\"last\":7}"));
    yajl_tree_free(tree);
}
END_TEST

START_TEST(last_warnings_and_errors_are_kept)
{
    struct slice recent[LOG_KEPT_MAX];
    struct arena *arena = arena_open(1024);
    char value[2 * LOG_KEPT_BYTES_MAX];

    log_event(log_text, LOG_INFO, "not_kept");
    ck_assert_uint_eq(log_recent(log_text, arena, recent), 0);
    for (int i = 0; i < LOG_KEPT_MAX + 3; i++) {
        log_event(log_text, i % 2 == 0 ? LOG_WARN : LOG_ERROR, "kept", LOG_INT("i", i));
    }
    ck_assert_uint_eq(log_recent(log_text, arena, recent), LOG_KEPT_MAX);
    ck_assert(slice_ends_with(recent[0], SLICE(" error kept i=3")));
    ck_assert(slice_ends_with(recent[LOG_KEPT_MAX - 1], SLICE(" warn kept i=18")));
    memset(value, 'x', sizeof(value));
    log_event(log_text, LOG_WARN, "long", LOG_TEXT("a", slice_make(value, LOG_VALUE_BYTES_MAX)),
              LOG_TEXT("b", slice_make(value, LOG_VALUE_BYTES_MAX)));
    ck_assert_uint_eq(log_recent(log_text, arena, recent), LOG_KEPT_MAX);
    ck_assert_uint_eq(recent[LOG_KEPT_MAX - 1].len, LOG_KEPT_BYTES_MAX);
    arena_close(arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("lines");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, text_line_has_level_event_and_fields);
    tcase_add_test(tcase, level_filters);
    tcase_add_test(tcase, levels_are_parsed);
    tcase_add_test(tcase, text_value_is_quoted_and_escaped);
    tcase_add_test(tcase, json_line_is_json_whatever_the_value);
    tcase_add_test(tcase, long_value_is_cut_at_a_character);
    tcase_add_test(tcase, line_over_the_limit_leaves_fields_out_and_stays_one_line);
    tcase_add_test(tcase, last_warnings_and_errors_are_kept);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
