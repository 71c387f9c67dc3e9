#include "codecs/json.h"
#include "codecs/markdown.h"

#include "tests/unit/samples.h"
#include "tests/unit/slice_check.h"

#include <stdio.h>
#include <string.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_open(64 * 1024);
}

static void teardown(void)
{
    arena_close(arena);
}

static struct slice from_body(struct slice body)
{
    const struct matrix_text in = {.body = body};
    const struct slice out = markdown_from_matrix(arena, &in);
    ck_assert(slice_is_utf8(out));
    return out;
}

static struct slice from_html(struct slice html)
{
    const struct matrix_text in = {.formatted_body = html, .ghost_prefix = SLICE("@gitter_")};
    const struct slice out = markdown_from_matrix(arena, &in);
    ck_assert(slice_is_utf8(out));
    return out;
}

#define ck_body_eq(input, wanted) ck_text_eq(from_body(SLICE(input)), wanted)
#define ck_html_eq(input, wanted) ck_text_eq(from_html(SLICE(input)), wanted)

/* A Node test renders the Markdown of the same file with Gitter's own renderer and compares what
 * one reads there with the body. */
START_TEST(markdown_of_the_samples_is_what_the_real_renderer_was_shown)
{
    struct json *samples = NULL;
    ck_rc_eq(json_parse(arena, sample_read(arena, TEST_DATA "/markdown.json"), &samples), RC_OK);
    ck_assert_uint_gt(json_count(samples), 200);
    for (const struct json *sample = json_first(samples); sample != NULL; sample = sample->next) {
        const struct slice wanted = json_get_text(sample, SLICE("markdown"));
        if (json_get(sample, SLICE("html")) != NULL) {
            const struct matrix_text in = {.formatted_body = json_get_text(sample, SLICE("html"))};
            ck_slice_eq(markdown_from_matrix(arena, &in), wanted);
        } else {
            ck_slice_eq(from_body(json_get_text(sample, SLICE("body"))), wanted);
        }
    }
}
END_TEST

START_TEST(markdown_of_a_body_is_escaped_where_it_would_change)
{
    ck_body_eq("#word #12 C#", "\\#word \\#12 C#");
    ck_body_eq("*a* _b_ ~~c~~ `d`", "\\*a\\* \\_b\\_ \\~\\~c\\~\\~ \\`d\\`");
    ck_body_eq("> q\n- i\n+ i\n1. n\n# h", "\\> q\n\\- i\n\\+ i\n1\\. n\n\\# h");
    ck_body_eq("a > b - c + d 1. e", "a > b - c + d 1. e");
    ck_body_eq("[a](b) ![c](d)", "\\[a](b) !\\[c](d)");
    ck_body_eq("<b> < c &amp; & d", "&lt;b> < c &amp;amp; & d");
    ck_body_eq("t\n===\nt\n---", "t\n&equals;==\nt\n\\---");
    ck_body_eq("a|b\n-|-", "a|b\n\\-\\|-");
    ck_body_eq("$$x$$ $5", "$&dollar;x$&dollar; $5");
    ck_body_eq("\\* \\a \\", "\\\\\\* \\a \\");
    ck_body_eq("    code\n    more", "&nbsp;   code\n    more");
}
END_TEST

START_TEST(markdown_of_a_body_leaves_links_and_names_alone)
{
    ck_body_eq("http://e.org/a_b*c see @a_b_c and x_y@e.org *",
               "http://e.org/a_b*c see @a_b_c and x_y@e.org \\*");
    ck_body_eq("snake_case :stuck_out_tongue:", "snake_case :stuck_out_tongue:");
    ck_body_eq("<http://e.org/_>", "&lt;<http://e.org/_>>");
    ck_body_eq("http://u@e.org<b", "http&colon;//u@e.org&lt;b");
    ck_body_eq("o/r@0123456789", "o/r&commat;0123456789");
}
END_TEST

START_TEST(markdown_of_html_has_the_marks_of_gitter)
{
    ck_html_eq("<b>b</b> <i>i</i> <s>s</s> <code>c</code>", "__b__ *i* ~~s~~ `c`");
    ck_html_eq("<h2>t</h2><p>a<br>b</p><hr>", "## t\n\na\nb\n\n---");
    ck_html_eq("<ul><li>a<ol><li>b</ol><li>c</ul>", "- a\n  1. b\n- c");
    ck_html_eq("<blockquote><p>a</p><p>b</p></blockquote>c", "> a\n>\n> b\n\nc");
    ck_html_eq("<pre><code class=\"language-c\">int *a;\n</code></pre>", "```c\nint *a;\n```");
    ck_html_eq("<table><tr><th>a<th>b<tr><td>1|<td>2</table>",
               "| a | b |\n|---|---|\n| 1&vert; | 2 |");
    ck_html_eq("<mx-reply>x</mx-reply>y", "y");
    ck_html_eq("<span data-mx-spoiler>s</span>", "(spoiler) s");
    ck_html_eq("<script>x</script>y<img src=x onerror=z>", "yimage");
}
END_TEST

START_TEST(markdown_of_html_links_what_gitter_can_link)
{
    ck_html_eq("<a href='http://e.org/(x)'>t]</a>", "[t&rbrack;](http://e.org/%28x%29)");
    ck_html_eq("<a href='http://e.org/_x'>http://e.org/_x</a>", "http://e.org/_x");
    ck_html_eq("<a href='mailto:a@b.c'>me</a>", "me (a@b.c)");
    ck_html_eq("<a href='javascript:x'>t</a>", "t");
    ck_html_eq("<a href='https://matrix.to/#/@gitter_1:e.org'>bob_x</a>: hi", "@bob_x: hi");
    ck_html_eq("<a href='https://matrix.to/#/@eve:e.org'>Eve</a>: hi", "Eve: hi");
}
END_TEST

START_TEST(markdown_emphasis_that_would_end_early_is_left_out)
{
    ck_html_eq("<i>a*b</i>", "a\\*b");
    ck_html_eq("<b><p>a</p><p>b</p></b>", "a\n\nb");
    ck_html_eq("<i></i><b> </b>x", "x");
    ck_html_eq("<b>a</b><b>b</b>", "__ab__");
    ck_html_eq("<i>- x</i>", "*\\- x*");
}
END_TEST

START_TEST(markdown_reply_fallback_is_left_out)
{
    struct matrix_text in = {.body = SLICE("> <@a:b> q\n> r\n\nanswer\n> own"), .has_reply = true};
    ck_text_eq(markdown_from_matrix(arena, &in), "answer\n\\> own");
    in.has_reply = false;
    ck_text_eq(markdown_from_matrix(arena, &in), "\\> &lt;@a:b> q\n\\> r\n\nanswer\n\\> own");
}
END_TEST

START_TEST(markdown_without_good_html_is_made_of_the_body)
{
    struct matrix_text in = {.body = SLICE("b*"), .formatted_body = SLICE(" <p></p> ")};
    ck_text_eq(markdown_from_matrix(arena, &in), "b\\*");
    in.formatted_body = SLICE("<script>x</script>");
    ck_text_eq(markdown_from_matrix(arena, &in), "b\\*");
}
END_TEST

START_TEST(markdown_emote_that_begins_with_a_block_gets_its_own_line)
{
    struct matrix_text in = {.formatted_body = SLICE("<ul><li>x"), .kind = MATRIX_EMOTE};
    ck_text_eq(markdown_from_matrix(arena, &in), "\n- x");
    in.formatted_body = SLICE("- <b>x</b>");
    ck_text_eq(markdown_from_matrix(arena, &in), "\\- __x__");
}
END_TEST

START_TEST(markdown_of_bad_bytes_is_valid_text)
{
    ck_body_eq("a\0b\x1b\xff\r\nc\rd", "a�b��\nc\nd");
    ck_html_eq("<b>\xff\x01</b>", "__��__");
    ck_body_eq("", "");
    ck_body_eq(" \n ", "\n");
}
END_TEST

START_TEST(markdown_units_are_those_of_utf16)
{
    ck_assert_uint_eq(markdown_utf16_units(SLICE("")), 0);
    ck_assert_uint_eq(markdown_utf16_units(SLICE("aé€😀")), 5);
}
END_TEST

static void check_parts(struct slice text, const struct slice *parts, size_t count, size_t max)
{
    size_t letters = 0;
    size_t found = 0;
    for (size_t i = 0; i < text.len; i++) {
        letters += text.ptr[i] != ' ' && text.ptr[i] != '\n' ? 1 : 0;
    }
    for (size_t part = 0; part < count; part++) {
        ck_assert(slice_is_utf8(parts[part]));
        ck_assert_uint_le(markdown_utf16_units(parts[part]), max);
        for (size_t i = 0; i < parts[part].len; i++) {
            found += parts[part].ptr[i] != ' ' && parts[part].ptr[i] != '\n' ? 1 : 0;
        }
    }
    ck_assert_uint_ge(found, letters);
}

static size_t split(struct slice text, struct slice **parts)
{
    const size_t count = markdown_split(arena, text, 64, parts);
    check_parts(text, *parts, count, 64);
    return count;
}

START_TEST(markdown_is_split_between_lines_then_words_then_characters)
{
    struct slice *parts = NULL;
    ck_assert_uint_eq(split(SLICE(""), &parts), 0);
    ck_assert_uint_eq(split(SLICE(" \n"), &parts), 0);
    ck_assert_uint_eq(split(sample_repeat(arena, SLICE("a"), 64), &parts), 1);
    ck_assert_uint_eq(split(SLICE("123456789012345678901234567890123456789\nabcdefghijklmnopqrst\n"
                                  "0123456789"),
                            &parts),
                      2);
    ck_text_eq(parts[1], "0123456789");
    ck_assert_uint_eq(split(sample_repeat(arena, SLICE("word "), 20), &parts), 2);
    ck_assert(slice_ends_with(parts[0], SLICE("word")));
    ck_assert(slice_starts_with(parts[1], SLICE("word")));
    ck_assert_uint_eq(split(sample_repeat(arena, SLICE("😀"), 100), &parts), 4);
    ck_assert_uint_eq(split(sample_repeat(arena, SLICE("€"), 1000), &parts), 16);
}
END_TEST

START_TEST(markdown_split_keeps_escapes_whole)
{
    struct slice *parts = NULL;
    const struct slice escapes = sample_repeat(arena, SLICE("\\*"), 100);
    const size_t count = split(arena_printf(arena, "x%.*s", SLICE_ARGS(escapes)), &parts);
    for (size_t i = 0; i < count; i++) {
        ck_assert(slice_ends_with(parts[i], SLICE("\\*")));
    }
    const struct slice long_line = sample_repeat(arena, SLICE("aaaa "), 12);
    ck_assert_uint_eq(split(arena_printf(arena, "%.*s- b", SLICE_ARGS(long_line)), &parts), 1);
    ck_assert_uint_eq(split(arena_printf(arena, "%.*saa - b #c", SLICE_ARGS(long_line)), &parts),
                      2);
    ck_text_eq(parts[1], "\\- b #c");
}
END_TEST

START_TEST(markdown_split_closes_and_opens_code)
{
    struct slice *parts = NULL;
    const struct slice lines = sample_repeat(arena, SLICE("> 34567890\n"), 12);
    const struct slice code = arena_printf(arena, "> ```js\n%.*s> ```\nend", SLICE_ARGS(lines));
    const size_t count = split(code, &parts);
    ck_assert_uint_gt(count, 2);
    for (size_t i = 0; i + 1 < count; i++) {
        ck_assert(slice_starts_with(parts[i], SLICE("> ```js\n> 3")));
        ck_assert(slice_ends_with(parts[i], SLICE("\n> ```")));
    }
    ck_assert(slice_ends_with(parts[count - 1], SLICE("\n> ```\nend")));
    ck_assert_uint_gt(
        split(arena_printf(arena, "```\n%.*s", SLICE_ARGS(sample_repeat(arena, SLICE("x"), 500))),
              &parts),
        8);
    ck_assert_uint_gt(split(sample_repeat(arena, SLICE("```\n"), 300), &parts), 1);
    ck_assert_uint_gt(split(sample_repeat(arena, SLICE("`"), 500), &parts), 7);
}
END_TEST

START_TEST(markdown_split_drops_a_part_of_blank_lines)
{
    struct slice *parts = NULL;
    const struct slice blank = sample_repeat(arena, SLICE("\n"), 100);
    const struct slice code = arena_printf(arena, "- ```\n  a%.*s  b\n  ```", SLICE_ARGS(blank));
    const size_t count = split(code, &parts);
    ck_assert_uint_eq(count, 2);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_le(markdown_utf16_units(parts[i]), 64);
    }
    ck_assert_uint_eq(split(arena_printf(arena, "a%.*sb", SLICE_ARGS(blank)), &parts), 2);
    ck_text_eq(slice_trim(parts[1]), "b");
}
END_TEST

START_TEST(markdown_split_at_the_very_limit_stays_within_it)
{
    struct slice *parts = NULL;
    const struct slice head = sample_repeat(arena, SLICE("a"), 50);
    for (size_t fill = 0; fill < 20; fill++) {
        const struct slice line = arena_printf(arena, "%.*s%.*s", SLICE_ARGS(head),
                                               SLICE_ARGS(sample_repeat(arena, SLICE("b"), fill)));
        ck_assert_uint_gt(split(arena_printf(arena, "%.*s\n\n\nend", SLICE_ARGS(line)), &parts), 0);
        ck_assert_uint_gt(
            split(arena_printf(arena, "%.*s\n```c\nx\n```", SLICE_ARGS(line)), &parts), 0);
    }
}
END_TEST

START_TEST(markdown_of_hostile_html_ends_and_is_valid)
{
    static const struct slice pieces[] = {
        SLICE_INIT("<b>*"),
        SLICE_INIT("<ul><li>"),
        SLICE_INIT("<blockquote>"),
        SLICE_INIT("<table><td>"),
        SLICE_INIT("<a href=http://x>"),
        SLICE_INIT("<h1>"),
        SLICE_INIT("<del>~</del>"),
        SLICE_INIT("<code>`</code>"),
        SLICE_INIT("<pre>"),
        SLICE_INIT("</p>_"),
        SLICE_INIT("<i>a</i>"),
        SLICE_INIT("http://x_"),
        SLICE_INIT("@a"),
        SLICE_INIT("\\"),
        SLICE_INIT("&amp;"),
    };
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        (void)from_html(sample_repeat(arena, pieces[i], 2000));
        (void)from_body(sample_repeat(arena, pieces[i], 2000));
        arena_reset(arena);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("markdown");
    TCase *tcase = tcase_create("markdown");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, markdown_of_the_samples_is_what_the_real_renderer_was_shown);
    tcase_add_test(tcase, markdown_of_a_body_is_escaped_where_it_would_change);
    tcase_add_test(tcase, markdown_of_a_body_leaves_links_and_names_alone);
    tcase_add_test(tcase, markdown_of_html_has_the_marks_of_gitter);
    tcase_add_test(tcase, markdown_of_html_links_what_gitter_can_link);
    tcase_add_test(tcase, markdown_emphasis_that_would_end_early_is_left_out);
    tcase_add_test(tcase, markdown_reply_fallback_is_left_out);
    tcase_add_test(tcase, markdown_without_good_html_is_made_of_the_body);
    tcase_add_test(tcase, markdown_emote_that_begins_with_a_block_gets_its_own_line);
    tcase_add_test(tcase, markdown_of_bad_bytes_is_valid_text);
    tcase_add_test(tcase, markdown_units_are_those_of_utf16);
    tcase_add_test(tcase, markdown_is_split_between_lines_then_words_then_characters);
    tcase_add_test(tcase, markdown_split_keeps_escapes_whole);
    tcase_add_test(tcase, markdown_split_closes_and_opens_code);
    tcase_add_test(tcase, markdown_split_drops_a_part_of_blank_lines);
    tcase_add_test(tcase, markdown_split_at_the_very_limit_stays_within_it);
    tcase_add_test(tcase, markdown_of_hostile_html_ends_and_is_valid);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
