/* What the bot and the pages say. */
#include "codecs/texts.h"
#include "tests/unit/slice_check.h"

static struct arena *arena;

static void setup(void)
{
    arena = arena_open(16 * 1024);
}

static void teardown(void)
{
    arena_close(arena);
}

/* Every name that a text may have between braces, with a value that would break HTML. */
static const struct text_arg all_args[] = {
    {"user", SLICE_INIT("<user>")},
    {"name", SLICE_INIT("<name>")},
    {"verb", SLICE_INIT("<verb>")},
    {"nearest", SLICE_INIT("<nearest>")},
    {"room", SLICE_INIT("<room>")},
    {"version", SLICE_INIT("<1.2>")},
    {"page", SLICE_INIT("<5>")},
    {"query", SLICE_INIT("<query>\n")},
    {"topic", SLICE_INIT("<topic>")},
    {"account", SLICE_INIT("<account>")},
    {"bridged", SLICE_INIT("<6>")},
    {"pending", SLICE_INIT("<7>")},
    {"queued", SLICE_INIT("<8>")},
    {"incoming", SLICE_INIT("<9>")},
    {"connection", SLICE_INIT("<connection>")},
    {"trouble", SLICE_INIT("<trouble>")},
    {"when", SLICE_INIT("<when>")},
    {"state", SLICE_INIT("<state>")},
    {"why", SLICE_INIT("<why>")},
    {"owner", SLICE_INIT("<owner>")},
    {"count", SLICE_INIT("<1>")},
    {"total", SLICE_INIT("<2>")},
    {"done", SLICE_INIT("<3>")},
    {"number", SLICE_INIT("<4>")},
    {"status", SLICE_INIT("<500>")},
    {"bot", SLICE_INIT("<bot>")},
    {"link", SLICE_INIT("https://a.example/?x=1&y=\"2\"")},
    {"server", SLICE_INIT("<server>")},
    {"seconds", SLICE_INIT("<60>")},
    {"max", SLICE_INIT("<30>")},
};

static size_t count(struct slice text, struct slice what)
{
    size_t found = 0;
    while (text.len > 0) {
        const size_t at = slice_find(text, what);
        found += at < text.len ? 1 : 0;
        text = slice_from(text, at + what.len);
    }
    return found;
}

START_TEST(every_text_renders_without_braces_and_with_balanced_markup)
{
    const struct text_pair text =
        text_render(arena, (enum text)_i, all_args, sizeof all_args / sizeof all_args[0]);
    ck_assert_uint_gt(text.plain.len, 0);
    ck_assert_uint_gt(text.html.len, 0);
    ck_assert_uint_eq(slice_find_byte(text.plain, '{'), text.plain.len);
    ck_assert_uint_eq(slice_find_byte(text.plain, '}'), text.plain.len);
    ck_assert_uint_eq(slice_find_byte(text.html, '`'), text.html.len);
    ck_assert_uint_eq(count(text.html, SLICE("<code>")), count(text.html, SLICE("</code>")));
    ck_assert_uint_eq(count(text.html, SLICE("<a href=\"")), count(text.html, SLICE("</a>")));
    ck_assert(slice_is_utf8(text.plain));
}
END_TEST

START_TEST(arguments_are_taken_literally_in_every_text)
{
    static const struct slice ours[] = {SLICE_INIT("<code>"), SLICE_INIT("</code>"),
                                        SLICE_INIT("<a href=\""), SLICE_INIT("</a>"),
                                        SLICE_INIT("<br>")};
    const struct slice html =
        text_render(arena, (enum text)_i, all_args, sizeof all_args / sizeof all_args[0]).html;
    size_t tags = 0;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        tags += count(html, ours[i]);
    }
    ck_assert_uint_eq(count(html, SLICE("<")), tags);
}
END_TEST

START_TEST(code_breaks_and_links_become_html)
{
    const struct text_pair text =
        TEXT_RENDER(arena, TEXT_NOT_LOGGED_IN, {"link", SLICE("https://a.example/x?a=1&b=2")});
    ck_text_eq(text.plain, "You are not logged in to Gitter. To log in, open this link within 10 "
                           "minutes: https://a.example/x?a=1&b=2");
    ck_text_eq(text.html, "You are not logged in to Gitter. To log in, open this link within 10 "
                          "minutes: <a href=\"https://a.example/x?a=1&amp;b=2\">"
                          "https://a.example/x?a=1&amp;b=2</a>");
    const struct text_pair joined = text_join(arena, text, TEXT_PLAIN(arena, TEXT_HELP_MORE));
    ck_assert(
        slice_ends_with(joined.plain, SLICE("b=2\n`more` shows the next page of the last list "
                                            "or search.")));
    ck_assert(slice_ends_with(joined.html, SLICE("</a><br><code>more</code> shows the next page of "
                                                 "the last list or search.")));
}
END_TEST

START_TEST(help_stands_in_texts_that_name_it)
{
    const struct text_pair help = TEXT_PLAIN(arena, TEXT_HELP);
    const struct text_pair text = TEXT_RENDER(arena, TEXT_LOGGED_IN, {"name", SLICE("ann")});
    ck_assert(slice_ends_with(text.plain, help.plain));
    ck_assert(slice_ends_with(text.html, help.html));
    ck_assert(slice_find(help.html, SLICE("<code>invite ROOM</code>")) < help.html.len);
    ck_assert(slice_find(help.plain, SLICE("`invite ROOM`")) < help.plain.len);
}
END_TEST

START_TEST(braces_and_backquotes_of_an_argument_stay_as_they_are)
{
    const struct text_pair text =
        TEXT_RENDER(arena, TEXT_INVITING, {"room", SLICE("{help} `x` {room}")});
    ck_text_eq(text.plain, "I am inviting you to {help} `x` {room}.");
    ck_text_eq(text.html, "I am inviting you to {help} `x` {room}.");
}
END_TEST

START_TEST(arguments_that_are_not_named_are_passed_over)
{
    const struct text_pair text =
        TEXT_RENDER(arena, TEXT_LOGGED_OUT, {"room", SLICE("x")}, {"why", SLICE("y")});
    ck_text_eq(text.plain, "You have been logged out.");
}
END_TEST

START_TEST(escaping_leaves_nothing_that_html_reads)
{
    ck_text_eq(text_escape_html(arena, SLICE("a<b>&\"c'\nd\xc3\xa9")),
               "a&lt;b&gt;&amp;&quot;c&#39;<br>d\xc3\xa9");
    ck_assert_uint_eq(text_escape_html(arena, SLICE_EMPTY).len, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("texts");
    TCase *tests = tcase_create("texts");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, every_text_renders_without_braces_and_with_balanced_markup, 0,
                        TEXT_COUNT);
    tcase_add_loop_test(tests, arguments_are_taken_literally_in_every_text, 0, TEXT_COUNT);
    tcase_add_test(tests, code_breaks_and_links_become_html);
    tcase_add_test(tests, help_stands_in_texts_that_name_it);
    tcase_add_test(tests, braces_and_backquotes_of_an_argument_stay_as_they_are);
    tcase_add_test(tests, arguments_that_are_not_named_are_passed_over);
    tcase_add_test(tests, escaping_leaves_nothing_that_html_reads);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
