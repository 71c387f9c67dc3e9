#include "codecs/html.h"
#include "codecs/html_walk.h"
#include "codecs/json.h"

#include "tests/unit/html_scan.h"
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

/* Converts a copy without a byte behind it, so that the sanitizer sees a read past the end, and
 * has every result judged. */
static enum rc convert(struct slice html, struct html_text *out)
{
    char *copy = malloc(html.len == 0 ? 1 : html.len);
    ck_assert_ptr_nonnull(copy);
    if (html.len > 0) {
        memcpy(copy, html.ptr, html.len);
    }
    const enum rc rc = html_gitter_to_matrix(arena, slice_make(copy, html.len), out);
    out->html = arena_copy(arena, out->html);
    out->plain = arena_copy(arena, out->plain);
    free(copy);
    const char *wrong = html_scan(out->html);
    ck_assert_msg(wrong == NULL, "%s: %.*s", wrong, SLICE_ARGS(out->html));
    ck_assert(slice_is_utf8(out->plain));
    ck_assert_uint_le(out->html.len, MATRIX_HTML_BYTES_MAX);
    ck_assert_uint_le(out->plain.len, MATRIX_BODY_BYTES_MAX);
    return rc;
}

static struct html_text converted(struct slice html)
{
    struct html_text out;
    ck_rc_eq(convert(html, &out), RC_OK);
    return out;
}

#define ck_html_eq(input, wanted) ck_text_eq(converted(SLICE(input)).html, wanted)
#define ck_plain_eq(input, wanted) ck_text_eq(converted(SLICE(input)).plain, wanted)

static void put_entry(struct buf *out, struct slice text, const struct html_text *got)
{
    struct json_writer quoted;
    json_writer_init(&quoted, arena);
    json_put_text(&quoted, text);
    BUF_PUT(out, "=== ");
    buf_put(out, json_writer_end(&quoted));
    buf_printf(out, "\n--- html%s\n", got->is_plain ? ", not needed" : "");
    buf_put(out, got->html);
    BUF_PUT(out, "\n--- plain\n");
    buf_put(out, got->plain);
    BUF_PUT(out, "\n");
}

/* A changed output is read by somebody and then stored: GOLDEN_WRITE=1 writes what we make now. */
static void compare_with_file(struct slice got, const char *path)
{
    if (getenv("GOLDEN_WRITE") != NULL) {
        FILE *file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(got.ptr, 1, got.len, file), got.len);
        ck_assert_int_eq(fclose(file), 0);
    }
    struct slice wanted = sample_read(arena, path);
    for (size_t line = 1; got.ptr != NULL || wanted.ptr != NULL; line++) {
        const struct slice got_line = slice_cut(&got, '\n');
        const struct slice wanted_line = slice_cut(&wanted, '\n');
        ck_assert_msg(slice_equal(got_line, wanted_line), "%s:%zu: got \"%.*s\"", path, line,
                      SLICE_ARGS(got_line));
    }
}

START_TEST(html_corpus_of_the_real_renderer_gives_the_golden_output)
{
    struct json *corpus = NULL;
    struct buf out;
    buf_init(&out, arena);
    ck_rc_eq(json_parse(arena, sample_read(arena, TEST_DATA "/rendered.json"), &corpus), RC_OK);
    ck_assert_uint_gt(json_count(corpus), 200);
    for (const struct json *entry = json_first(corpus); entry != NULL; entry = entry->next) {
        const struct html_text got = converted(json_get_text(entry, SLICE("html")));
        put_entry(&out, json_get_text(entry, SLICE("text")), &got);
    }
    compare_with_file(buf_slice(&out), TEST_DATA "/html.golden");
}
END_TEST

START_TEST(html_corpus_cut_anywhere_stays_clean)
{
    struct json *corpus = NULL;
    ck_rc_eq(json_parse(arena, sample_read(arena, TEST_DATA "/rendered.json"), &corpus), RC_OK);
    for (const struct json *entry = json_first(corpus); entry != NULL; entry = entry->next) {
        const struct slice html = json_get_text(entry, SLICE("html"));
        const size_t step = 1 + html.len / 16;
        for (size_t cut = 0; cut < html.len; cut += step) {
            (void)converted(slice_first(html, cut));
            (void)converted(slice_from(html, cut));
        }
    }
}
END_TEST

START_TEST(html_hostile_markup_loses_all_that_is_not_on_the_list)
{
    ck_html_eq("<script>alert(1)</script>x", "x");
    ck_html_eq("<ScRiPt src=//e.vil>a</sCrIpT >x", "x");
    ck_html_eq("<style>*{}</style><template><b>t</b></template>x", "x");
    ck_html_eq("<noscript><p title=\"</noscript><img src=x onerror=a()>\">x", "");
    ck_html_eq("<iframe srcdoc='<b>x'></iframe><object data=x>o</object>x", "x");
    ck_html_eq("<b onclick=a() style='x' id=y data-mx-color=z>x</b>", "<b>x</b>");
    ck_html_eq("<img src=x onerror=alert(1)>", "");
    ck_html_eq("<img src=x onerror=alert(1) alt='&lt;b&gt;'>", "&lt;b&gt;");
    ck_html_eq("<svg><script>a()</script><style><b>x</style></svg>y", "y");
    ck_html_eq("<svg><desc><b onclick=a()>x</b></desc></svg>y", "y");
    ck_html_eq("<math><mtext><table><mglyph><style><img src=x onerror=a()>", "");
    ck_html_eq("<form><input value=x><button>b</button></form>", "b");
    ck_html_eq("<!-- <b>c</b> --><![CDATA[x]]><?php x ?><!DOCTYPE x>y", "y");
    ck_html_eq("<plaintext><b>x", "&lt;b&gt;x");
    ck_html_eq("<textarea><b>x</textarea>", "&lt;b&gt;x");
    ck_html_eq("<xmp><b>x</xmp>", "&lt;b&gt;x");
    ck_html_eq("<mx-reply>gone<b>too</b></mx-reply>x", "x");
    ck_html_eq("<strike>a</strike><font color=red>b</font><ins>c</ins>", "<del>a</del>b<u>c</u>");
}
END_TEST

START_TEST(html_broken_markup_comes_out_well_formed)
{
    ck_html_eq("<b><i>x</b>y</i>", "<b><i>x</i></b><i>y</i>");
    ck_html_eq("</p>x</div></b>", "<p></p>x");
    ck_html_eq("<b", "");
    ck_html_eq("<b title=\"x", "");
    ck_html_eq("x<", "x&lt;");
    ck_html_eq("&", "&amp;");
    ck_html_eq("&amp;lt;b&#62; &bogus; &#x41", "&amp;lt;b&gt; &amp;bogus; A");
    ck_html_eq("<a href=\"http://a\"><a href=\"http://b\">x</a>",
               "<a href=\"http://a\"></a><a href=\"http://b\">x</a>");
    ck_html_eq("<html><head><title>t</title></head><body class=x>y</body></html>", "y");
    ck_html_eq("<table><b>x</b><tr><td>y",
               "<b>x</b><table><tbody><tr><td>y</td></tr></tbody></table>");
    ck_html_eq("<div><span>x</span></div>", "x");
    ck_html_eq("", "");
}
END_TEST

START_TEST(html_links_of_other_schemes_become_text)
{
    ck_html_eq("<a href='javascript:alert(1)'>x</a>", "x");
    ck_html_eq("<a href=' JaVa&#9;Script&colon;alert(1)'>x</a>", "x");
    ck_html_eq("<a href='&#1;javascript:alert(1)'>x</a>", "x");
    ck_html_eq("<a href='java\nscript:alert(1)'>x</a>", "x");
    ck_html_eq("<a href='data:text/html,x'>x</a>", "x");
    ck_html_eq("<a href='vbscript:x'>x</a><a href='file:///etc'>y</a>", "xy");
    ck_html_eq("<a href='/relative'>x</a><a href='//host/'>y</a><a href='#z'>z</a>", "xyz");
    ck_html_eq("<a href=''>x</a><a name=y>y</a>", "xy");
    ck_html_eq("<a href='http:'>x</a>", "x");
    ck_html_eq("<a href=' HTTPS://Ex.org/ '>x</a>", "<a href=\"HTTPS://Ex.org/\">x</a>");
    ck_html_eq("<a href='http://a/b c&#10;d'>x</a>", "<a href=\"http://a/b%20cd\">x</a>");
    ck_html_eq("<a href='http://a/\"><b>'>x</a>", "<a href=\"http://a/&quot;&gt;&lt;b&gt;\">x</a>");
    ck_html_eq("<a href='magnet:?xt=1'>m</a> <a href='ftp://f/'>f</a>",
               "<a href=\"magnet:?xt=1\">m</a> <a href=\"ftp://f/\">f</a>");
    ck_html_eq("<a href='mailto:a@b' target=_blank rel=x class=link>x</a>",
               "<a href=\"mailto:a@b\">x</a>");
    ck_html_eq("<img src='data:image/png;base64,x' alt=a>", "a");
}
END_TEST

START_TEST(html_of_gitter_keeps_what_matrix_knows)
{
    ck_html_eq("<pre><code class=\"js\"><span class=\"keyword\">var</span> x</code></pre>",
               "<pre><code class=\"language-js\">var x</code></pre>");
    ck_html_eq("<pre><code class='a\"b'>x</code></pre>", "<pre><code>x</code></pre>");
    ck_html_eq("<code class=js>x</code>", "<code>x</code>");
    ck_html_eq("<ol start=3><li>x</ol>", "<ol start=\"3\"><li>x</li></ol>");
    ck_html_eq("<ol start='1\" onclick=a()'><li>x</ol>", "<ol><li>x</li></ol>");
    ck_html_eq("<span data-link-type=\"mention\" class=\"mention\">@bob</span> hi", "@bob hi");
    ck_html_eq("<a data-link-type=issue data-issue=11 class=issue>#11</a>", "#11");
    ck_html_eq("<img src='http://e.org/i.png' alt='a b'>",
               "<a href=\"http://e.org/i.png\">a b</a>");
    ck_html_eq("<a href='http://e.org'><img src='http://e.org/i.png' alt=a></a>",
               "<a href=\"http://e.org\">a</a>");
    ck_html_eq(":smile: <code>:smile:</code> <a href='http://e'>:smile:</a>",
               "😄 <code>:smile:</code> <a href=\"http://e\">:smile:</a>");
    ck_html_eq("<span data-mx-maths='x^2'>x<sup>2</sup></span>",
               "<span data-mx-maths=\"x^2\"><code>x^2</code></span>");
    ck_html_eq("<math><mi>x</mi></math>", "x");
}
END_TEST

START_TEST(html_as_plain_text_reads_like_what_was_typed)
{
    ck_plain_eq("<p>a</p><p>b<br>c</p>", "a\n\nb\nc");
    ck_plain_eq("<ol start=9><li>a</li><li><p>b</p><ul><li>c</li></ul></li></ol>d",
                "9. a\n10. b\n\n    - c\n\nd");
    ck_plain_eq("<blockquote>\na<br>b</blockquote>\n<p>c</p>", "> a\n> b\n\nc");
    ck_plain_eq("<ul>\n<li></li>\n<li>x</li>\n</ul>", "- \n- x");
    ck_plain_eq("<a href='http://e.org/x'>e.org/x</a>", "e.org/x");
    ck_plain_eq("<a href='http://e.org/x'>here</a>", "here (http://e.org/x)");
    ck_plain_eq("<a href='http://e.org/x'></a>", "http://e.org/x");
    ck_plain_eq("<pre><code>a\n\n  b\n</code></pre>x", "```\na\n\n  b\n```\n\nx");
    ck_plain_eq("a <b>b</b> <i>c</i> <del>d</del> <code>e</code>", "a **b** *c* ~~d~~ `e`");
    ck_plain_eq("<details><summary>s</summary>t</details>", "s\nt");
    ck_plain_eq("<h2>t</h2>\n<hr>\nx", "## t\n\n---\n\nx");
}
END_TEST

START_TEST(html_that_plain_text_says_too_is_not_needed)
{
    ck_assert(converted(SLICE("a &lt; b<br>c")).is_plain);
    ck_assert(converted(SLICE("<p>a</p><p>b</p>")).is_plain);
    ck_assert(converted(SLICE("<a href='http://e.org'>http://e.org</a>")).is_plain);
    ck_assert(converted(SLICE("<span class=mention>@bob</span>")).is_plain);
    ck_assert(!converted(SLICE("<b>a</b>")).is_plain);
    ck_assert(!converted(SLICE("<a href='http://e.org'>here</a>")).is_plain);
    ck_assert(!converted(SLICE("<span data-mx-maths='x'></span>")).is_plain);
}
END_TEST

START_TEST(html_text_is_valid_whatever_the_bytes)
{
    ck_html_eq("a\x01\x1b\x7f"
               "b&#27;c&#x80;",
               "a���b�c€");
    ck_html_eq("\xff\xfe\xc0\xafx\xed\xa0\x80", "����x���");
    ck_html_eq("a\0b", "ab");
    ck_html_eq("<b title='\xff\0'>\xf0\x9f\x98\x80\xf0\x9f</b>", "<b>😀�</b>");
    for (unsigned byte = 0; byte < 256; byte++) {
        const char text[] = {'<', 'b', '>', (char)byte, '<', (char)byte, 'a', (char)byte, '='};
        (void)converted(slice_make(text, sizeof text));
    }
}
END_TEST

static size_t count_of(struct slice text, struct slice needle)
{
    size_t count = 0;
    for (size_t at = slice_find(text, needle); at < text.len; at = slice_find(text, needle)) {
        text = slice_from(text, at + needle.len);
        count++;
    }
    return count;
}

START_TEST(html_deeper_than_the_limit_keeps_its_text_alone)
{
    const struct slice deep = sample_repeat(arena, SLICE("<blockquote>x"), HTML_DEPTH_MAX + 20);
    const struct html_text out = converted(deep);
    ck_assert_uint_eq(count_of(out.html, SLICE("<blockquote>")), HTML_DEPTH_MAX);
    ck_assert_uint_eq(count_of(out.html, SLICE("x")), HTML_DEPTH_MAX + 20);
}
END_TEST

START_TEST(html_of_many_nested_tags_ends_soon)
{
    static const struct slice tags[] = {
        SLICE_INIT("<b>"),         SLICE_INIT("<div>"), SLICE_INIT("<ul><li>"),
        SLICE_INIT("<table><td>"), SLICE_INIT("<a>"),   SLICE_INIT("<p>"),
        SLICE_INIT("<font a=b>"),  SLICE_INIT("</x>"),  SLICE_INIT("<svg>"),
        SLICE_INIT("<math>"),
    };
    static const size_t counts[] = {10000, 100000};
    for (size_t i = 0; i < 2 * sizeof tags / sizeof tags[0]; i++) {
        struct html_text out;
        const struct slice nested = sample_repeat(arena, tags[i / 2], counts[i % 2]);
        const enum rc rc = convert(arena_printf(arena, "%.*sx", SLICE_ARGS(nested)), &out);
        ck_assert(rc == RC_OK || rc == RC_TOO_BIG);
        arena_reset(arena);
    }
}
END_TEST

START_TEST(html_that_makes_the_parser_copy_is_too_big)
{
    struct buf bomb;
    struct html_text out;
    buf_init(&bomb, arena);
    BUF_PUT(&bomb, "<p>");
    for (size_t i = 0; i < 2000; i++) {
        buf_printf(&bomb, "<b id=%zu>", i);
    }
    buf_put(&bomb, sample_repeat(arena, SLICE("<p>x"), 5000));
    ck_rc_eq(convert(buf_slice(&bomb), &out), RC_TOO_BIG);
    ck_text_empty(out.html);
    ck_assert(out.is_plain);
    ck_slice_eq(out.plain, sample_repeat(arena, SLICE("x"), 5000));
}
END_TEST

START_TEST(html_over_the_limit_gives_plain_alone)
{
    struct html_text out;
    const struct slice bold =
        sample_repeat(arena, SLICE("<b>12345678</b>"), MATRIX_HTML_BYTES_MAX / 15);
    ck_rc_eq(convert(bold, &out), RC_OK);
    ck_rc_eq(convert(arena_printf(arena, "%.*sxxxxxxxxxxxxxxxx", SLICE_ARGS(bold)), &out),
             RC_TOO_BIG);
    ck_text_empty(out.html);
    ck_assert(slice_starts_with(out.plain, SLICE("**12345678**")));

    const struct slice euros = sample_repeat(arena, SLICE("€"), 20000);
    ck_rc_eq(convert(euros, &out), RC_TOO_BIG);
    ck_slice_eq(out.plain, slice_first(euros, MATRIX_BODY_BYTES_MAX / 3 * 3));

    ck_rc_eq(convert(sample_repeat(arena, SLICE("a&lt;<i>&bc</i><br>"), HTML_BYTES_MAX / 10), &out),
             RC_TOO_BIG);
    ck_assert(slice_starts_with(out.plain, SLICE("a<&bc\na<&bc\n")));
}
END_TEST

START_TEST(html_of_64_kib_pieces_is_handled)
{
    struct html_text out;
    const struct slice name = sample_repeat(arena, SLICE("a"), 65536);
    const struct slice attributes = sample_repeat(arena, SLICE(" a=1 b c='"), 6500);
    ck_rc_eq(convert(name, &out), RC_TOO_BIG);
    ck_assert_uint_eq(out.plain.len, MATRIX_BODY_BYTES_MAX);
    ck_rc_eq(convert(arena_printf(arena, "<%.*s>x", SLICE_ARGS(name)), &out), RC_OK);
    ck_text_eq(out.html, "x");
    ck_rc_eq(convert(arena_printf(arena, "<b %.*s>x", SLICE_ARGS(name)), &out), RC_OK);
    ck_text_eq(out.html, "<b>x</b>");
    ck_rc_eq(convert(arena_printf(arena, "<b %.*s'>x", SLICE_ARGS(attributes)), &out), RC_OK);
    ck_text_eq(out.html, "<b>x</b>");
    ck_rc_eq(convert(arena_printf(arena, "<a href='http://%.*s'>x", SLICE_ARGS(name)), &out),
             RC_TOO_BIG);
    ck_rc_eq(convert(sample_repeat(arena, SLICE("&"), 65536), &out), RC_TOO_BIG);
    ck_rc_eq(convert(sample_repeat(arena, SLICE("<"), 65536), &out), RC_TOO_BIG);
}
END_TEST

static const struct slice pieces[] = {
    SLICE_INIT("<b>"),
    SLICE_INIT("</b>"),
    SLICE_INIT("<i title='"),
    SLICE_INIT("</i>"),
    SLICE_INIT("<p>"),
    SLICE_INIT("<a href=\"http://x/"),
    SLICE_INIT("<a href='java&#10;script:a()'>"),
    SLICE_INIT("</a>"),
    SLICE_INIT("<ul><li>"),
    SLICE_INIT("</ul>"),
    SLICE_INIT("<ol start=5>"),
    SLICE_INIT("<pre><code class=\"language-x\">"),
    SLICE_INIT("</pre>"),
    SLICE_INIT("<table><tr><td>"),
    SLICE_INIT("</table>"),
    SLICE_INIT("<blockquote>"),
    SLICE_INIT("<img src='http://i/' alt=\"a"),
    SLICE_INIT("<svg>"),
    SLICE_INIT("</svg>"),
    SLICE_INIT("<foreignObject>"),
    SLICE_INIT("<math>"),
    SLICE_INIT("<mtext>"),
    SLICE_INIT("<annotation encoding=\"application/x-tex\">"),
    SLICE_INIT("</math>"),
    SLICE_INIT("<span data-mx-maths=\"x"),
    SLICE_INIT("<span class=\"katex-html\">"),
    SLICE_INIT("</span>"),
    SLICE_INIT("<template>"),
    SLICE_INIT("<select><option>"),
    SLICE_INIT("<script>"),
    SLICE_INIT("</script>"),
    SLICE_INIT("<style>"),
    SLICE_INIT("<!--"),
    SLICE_INIT("-->"),
    SLICE_INIT("<![CDATA["),
    SLICE_INIT("]]>"),
    SLICE_INIT("<textarea>"),
    SLICE_INIT("<title>"),
    SLICE_INIT("<frameset>"),
    SLICE_INIT("<isindex>"),
    SLICE_INIT("<body onload=a()>"),
    SLICE_INIT("&"),
    SLICE_INIT("&#0;"),
    SLICE_INIT(";"),
    SLICE_INIT("\xff"),
    SLICE_INIT("\0"),
    SLICE_INIT("\xe2\x82"),
    SLICE_INIT("text"),
    SLICE_INIT("\n"),
    SLICE_INIT(":+1:"),
    SLICE_INIT("\""),
    SLICE_INIT("'"),
    SLICE_INIT("="),
    SLICE_INIT(">"),
    SLICE_INIT("<"),
    SLICE_INIT("/"),
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16U;
}

START_TEST(html_of_random_pieces_of_markup_stays_clean)
{
    uint32_t state = 1;
    for (size_t round = 0; round < 3000; round++) {
        struct html_text out;
        struct buf html;
        buf_init(&html, arena);
        const size_t count = 1 + next_random(&state) % 30;
        for (size_t i = 0; i < count; i++) {
            buf_put(&html, pieces[next_random(&state) % (sizeof pieces / sizeof pieces[0])]);
        }
        ck_rc_eq(convert(buf_slice(&html), &out), RC_OK);
        arena_reset(arena);
    }
}
END_TEST

START_TEST(html_leading_mention_of_the_sender_is_dropped)
{
    const struct slice mention =
        SLICE("<span data-link-type=\"mention\" data-screen-name=\"alice\" "
              "class=\"mention\">@alice</span> waves");
    const struct slice in_p = arena_printf(arena, "<p>%.*s</p>", SLICE_ARGS(mention));
    ck_text_eq(html_drop_leading_mention(arena, mention, SLICE("alice")), "waves");
    ck_text_eq(html_drop_leading_mention(arena, mention, SLICE("Alice")), "waves");
    ck_slice_eq(html_drop_leading_mention(arena, mention, SLICE("bob")), mention);
    ck_slice_eq(html_drop_leading_mention(arena, mention, SLICE("alic")), mention);
    ck_text_eq(html_drop_leading_mention(arena, in_p, SLICE("alice")), "<p>waves</p>");
    ck_text_eq(html_drop_leading_mention(arena, SLICE("hi"), SLICE("alice")), "hi");
    ck_text_eq(html_drop_leading_mention(arena, SLICE("<p>"), SLICE("alice")), "<p>");
    ck_text_empty(html_drop_leading_mention(arena, SLICE_EMPTY, SLICE("alice")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("html");
    TCase *tcase = tcase_create("html");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, html_corpus_of_the_real_renderer_gives_the_golden_output);
    tcase_add_test(tcase, html_corpus_cut_anywhere_stays_clean);
    tcase_add_test(tcase, html_hostile_markup_loses_all_that_is_not_on_the_list);
    tcase_add_test(tcase, html_broken_markup_comes_out_well_formed);
    tcase_add_test(tcase, html_links_of_other_schemes_become_text);
    tcase_add_test(tcase, html_of_gitter_keeps_what_matrix_knows);
    tcase_add_test(tcase, html_as_plain_text_reads_like_what_was_typed);
    tcase_add_test(tcase, html_that_plain_text_says_too_is_not_needed);
    tcase_add_test(tcase, html_text_is_valid_whatever_the_bytes);
    tcase_add_test(tcase, html_deeper_than_the_limit_keeps_its_text_alone);
    tcase_add_test(tcase, html_of_many_nested_tags_ends_soon);
    tcase_add_test(tcase, html_that_makes_the_parser_copy_is_too_big);
    tcase_add_test(tcase, html_over_the_limit_gives_plain_alone);
    tcase_add_test(tcase, html_of_64_kib_pieces_is_handled);
    tcase_add_test(tcase, html_of_random_pieces_of_markup_stays_clean);
    tcase_add_test(tcase, html_leading_mention_of_the_sender_is_dropped);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
