#include "codecs/url.h"

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

START_TEST(url_encoded_keeps_unreserved_characters_alone)
{
    ck_text_eq(url_encode(arena, SLICE("Az09-._~")), "Az09-._~");
    ck_text_eq(url_encode(arena, SLICE("@gitter_1/2:test.example")),
               "%40gitter_1%2F2%3Atest.example");
    ck_text_eq(url_encode(arena, SLICE("$a+b/c ?&=%#!\0\xc3\xa9")),
               "%24a%2Bb%2Fc%20%3F%26%3D%25%23%21%00%C3%A9");
    ck_text_eq(url_encode(arena, SLICE_EMPTY), "");
}
END_TEST

START_TEST(url_encoded_dots_alone_are_no_path_step)
{
    ck_text_eq(url_encode(arena, SLICE(".")), "%2E");
    ck_text_eq(url_encode(arena, SLICE("..")), "%2E%2E");
    ck_text_eq(url_encode(arena, SLICE("...")), "...");
}
END_TEST

START_TEST(url_decoded_after_encoded_is_the_same)
{
    char every[128];
    for (size_t i = 0; i < sizeof every; i++) {
        every[i] = (char)i;
    }
    struct slice out = SLICE_EMPTY;
    const struct slice text = slice_make(every, sizeof every);
    ck_rc_eq(url_decode(arena, url_encode(arena, text), &out), RC_OK);
    ck_slice_eq(out, text);
}
END_TEST

START_TEST(url_decoded_takes_either_case_and_leaves_plus)
{
    struct slice out = SLICE_EMPTY;
    ck_rc_eq(url_decode(arena, SLICE("%40a%3ab+c/%C3%a9"), &out), RC_OK);
    ck_text_eq(out, "@a:b+c/\xc3\xa9");
    ck_rc_eq(url_decode(arena, SLICE("%2540"), &out), RC_OK);
    ck_text_eq(out, "%40");
}
END_TEST

START_TEST(url_bad_escapes_are_bad_input)
{
    static const struct slice wrong[] = {
        SLICE_INIT("%"),    SLICE_INIT("a%4"),  SLICE_INIT("%g0"),    SLICE_INIT("%0g"),
        SLICE_INIT("%%41"), SLICE_INIT("% 41"), SLICE_INIT("%u0041"), SLICE_INIT("%-1"),
        SLICE_INIT("%ff"),  SLICE_INIT("%c3"),  SLICE_INIT("%C0%80"), SLICE_INIT("\xff"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct slice out = SLICE("before");
        ck_rc_eq(url_decode(arena, wrong[i], &out), RC_BAD_INPUT);
        ck_text_eq(out, "before");
    }
}
END_TEST

START_TEST(form_built_is_found_again)
{
    struct buf buf;
    buf_init(&buf, arena);
    url_form_put(&buf, SLICE("code"), SLICE("a b&c=d"));
    url_form_put(&buf, SLICE("st\xc3\xa9"), SLICE("1+1"));
    url_form_put(&buf, SLICE("empty"), SLICE_EMPTY);
    ck_text_eq(buf_slice(&buf), "code=a%20b%26c%3Dd&st%C3%A9=1%2B1&empty=");

    struct slice value = SLICE_EMPTY;
    ck_rc_eq(url_form_find(arena, buf_slice(&buf), SLICE("code"), &value, NULL), RC_OK);
    ck_text_eq(value, "a b&c=d");
    ck_rc_eq(url_form_find(arena, buf_slice(&buf), SLICE("st\xc3\xa9"), &value, NULL), RC_OK);
    ck_text_eq(value, "1+1");
    ck_rc_eq(url_form_find(arena, buf_slice(&buf), SLICE("empty"), &value, NULL), RC_OK);
    ck_text_empty(value);
}
END_TEST

START_TEST(form_fields_are_found_first_and_counted)
{
    const struct slice form = SLICE("a=1+2&&b&a=3&=x&%61=%34&c==&bad%=1");
    struct slice value = SLICE_EMPTY;
    size_t count = 0;
    ck_rc_eq(url_form_find(arena, form, SLICE("a"), &value, &count), RC_OK);
    ck_text_eq(value, "1 2");
    ck_assert_uint_eq(count, 3);
    ck_rc_eq(url_form_find(arena, form, SLICE("b"), &value, &count), RC_OK);
    ck_text_empty(value);
    ck_assert_uint_eq(count, 1);
    ck_rc_eq(url_form_find(arena, form, SLICE("c"), &value, NULL), RC_OK);
    ck_text_eq(value, "=");
    ck_rc_eq(url_form_find(arena, form, SLICE("A"), &value, &count), RC_ABSENT);
    ck_assert_uint_eq(count, 0);
    ck_rc_eq(url_form_find(arena, SLICE_EMPTY, SLICE("a"), &value, NULL), RC_ABSENT);
    ck_rc_eq(url_form_find(arena, SLICE(""), SLICE("a"), &value, NULL), RC_ABSENT);
    ck_rc_eq(url_form_find(arena, SLICE("a=%zz"), SLICE("a"), &value, NULL), RC_BAD_INPUT);
}
END_TEST

START_TEST(url_query_is_cut_at_the_first_question_mark)
{
    struct slice path = SLICE_EMPTY;
    struct slice query = SLICE_EMPTY;
    url_cut_query(SLICE("/callback?code=1?2"), &path, &query);
    ck_text_eq(path, "/callback");
    ck_text_eq(query, "code=1?2");
    url_cut_query(SLICE("/"), &path, &query);
    ck_text_eq(path, "/");
    ck_text_empty(query);
    url_cut_query(SLICE("?"), &path, &query);
    ck_text_empty(path);
    ck_text_empty(query);
}
END_TEST

static struct url split(struct slice text)
{
    struct url url = {.port = 0};
    ck_rc_eq(url_split(text, &url), RC_OK);
    return url;
}

START_TEST(url_split_gives_the_parts)
{
    struct url url = split(SLICE("https://gitter.im"));
    ck_assert(url.is_https && !url.has_port);
    ck_text_eq(url.host, "gitter.im");
    ck_assert_uint_eq(url.port, 443);
    ck_text_empty(url.path);

    url = split(SLICE("HTTP://127.0.0.1:8008/a/b?x=y"));
    ck_assert(!url.is_https && url.has_port);
    ck_text_eq(url.host, "127.0.0.1");
    ck_assert_uint_eq(url.port, 8008);
    ck_text_eq(url.path, "/a/b");
    ck_text_eq(url.query, "x=y");

    url = split(SLICE("http://[2001:db8::1]:81/"));
    ck_text_eq(url.host, "[2001:db8::1]");
    ck_assert_uint_eq(url.port, 81);
    ck_text_eq(url.path, "/");

    url = split(SLICE("http://[::1]?q:1"));
    ck_text_eq(url.host, "[::1]");
    ck_assert_uint_eq(url.port, 80);
    ck_text_empty(url.path);
    ck_text_eq(url.query, "q:1");
}
END_TEST

START_TEST(url_split_refuses_what_is_no_http_url)
{
    static const struct slice wrong[] = {
        SLICE_INIT(""),
        SLICE_INIT("gitter.im"),
        SLICE_INIT("//gitter.im"),
        SLICE_INIT("ftp://gitter.im"),
        SLICE_INIT("wss://gitter.im"),
        SLICE_INIT("http:/gitter.im"),
        SLICE_INIT("http://"),
        SLICE_INIT("http:///path"),
        SLICE_INIT("http://:80"),
        SLICE_INIT("http://h:"),
        SLICE_INIT("http://h:0"),
        SLICE_INIT("http://h:65536"),
        SLICE_INIT("http://h:-1"),
        SLICE_INIT("http://h:8o"),
        SLICE_INIT("http://h:80:80"),
        SLICE_INIT("http://user@h"),
        SLICE_INIT("http://user:pw@h/"),
        SLICE_INIT("http://h/#part"),
        SLICE_INIT("http://h /"),
        SLICE_INIT("http://h/a b"),
        SLICE_INIT("http://h/\n"),
        SLICE_INIT("http://h/\0"),
        SLICE_INIT("http://h\xc3\xa9/"),
        SLICE_INIT("http://[::1"),
        SLICE_INIT("http://[]"),
        SLICE_INIT("http://[::1]x"),
        SLICE_INIT("http://[g::1]"),
        SLICE_INIT("http://::1/"),
        SLICE_INIT(" http://h"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct url url = {.port = 7};
        ck_assert_msg(url_split(wrong[i], &url) == RC_BAD_INPUT, "accepted %s", wrong[i].ptr);
        ck_assert_uint_eq(url.port, 7);
    }
}
END_TEST

START_TEST(url_joined_has_one_slash_between)
{
    ck_text_eq(url_join(arena, SLICE("http://h"), SLICE("a")), "http://h/a");
    ck_text_eq(url_join(arena, SLICE("http://h/"), SLICE("a")), "http://h/a");
    ck_text_eq(url_join(arena, SLICE("http://h"), SLICE("/a")), "http://h/a");
    ck_text_eq(url_join(arena, SLICE("http://h/v1/"), SLICE("/a/?b")), "http://h/v1/a/?b");
    ck_text_eq(url_join(arena, SLICE("http://h/v1/"), SLICE_EMPTY), "http://h/v1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("url");
    TCase *tc = tcase_create("url");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, url_encoded_keeps_unreserved_characters_alone);
    tcase_add_test(tc, url_encoded_dots_alone_are_no_path_step);
    tcase_add_test(tc, url_decoded_after_encoded_is_the_same);
    tcase_add_test(tc, url_decoded_takes_either_case_and_leaves_plus);
    tcase_add_test(tc, url_bad_escapes_are_bad_input);
    tcase_add_test(tc, form_built_is_found_again);
    tcase_add_test(tc, form_fields_are_found_first_and_counted);
    tcase_add_test(tc, url_query_is_cut_at_the_first_question_mark);
    tcase_add_test(tc, url_split_gives_the_parts);
    tcase_add_test(tc, url_split_refuses_what_is_no_http_url);
    tcase_add_test(tc, url_joined_has_one_slash_between);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
