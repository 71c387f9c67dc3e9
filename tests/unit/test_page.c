/* The pages of the login port. */
#include "codecs/page.h"
#include "tests/unit/slice_check.h"

#include <gumbo.h>
#include <string.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_open(16 * 1024);
}

static void teardown(void)
{
    arena_close(arena);
}

static bool has(struct slice text, const char *what)
{
    return slice_find(text, slice_from_cstr(what)) < text.len;
}

/* Parsed as a browser would, without an error. */
static void check_well_formed(struct slice html)
{
    GumboOutput *output = gumbo_parse_with_options(&kGumboDefaultOptions, html.ptr, html.len);
    ck_assert_ptr_nonnull(output);
    ck_assert_uint_eq(output->errors.length, 0);
    gumbo_destroy_output(&kGumboDefaultOptions, output);
}

START_TEST(plain_page_has_title_and_text_and_nothing_to_press)
{
    const struct page page = {.title = SLICE("Title"), .text_html = SLICE("Some <b>text</b>")};
    const struct slice html = page_render(arena, &page);
    check_well_formed(html);
    ck_assert(slice_starts_with(html, SLICE("<!DOCTYPE html>")));
    ck_assert(has(html, "<title>Title</title>") && has(html, "<h1>Title</h1>"));
    ck_assert(has(html, "<p>Some <b>text</b></p>"));
    ck_assert(!has(html, "<form") && !has(html, "<a ") && !has(html, "<script"));
}
END_TEST

START_TEST(button_posts_to_the_page_itself)
{
    const struct page page = {
        .title = SLICE("T"), .text_html = SLICE("x"), .button = SLICE("Go & see")};
    const struct slice html = page_render(arena, &page);
    check_well_formed(html);
    ck_assert(has(html, "<form method=\"post\"><button type=\"submit\">Go &amp; see</button>"));
    ck_assert(!has(html, "action="));
}
END_TEST

START_TEST(titles_labels_and_addresses_are_escaped)
{
    const struct page page = {
        .title = SLICE("</title><script>alert(1)</script>"),
        .text_html = SLICE("x"),
        .button = SLICE("</button><script>"),
        .link_url = SLICE("https://a.example/\"onclick=\"x"),
        .link_label = SLICE("<i>"),
    };
    const struct slice html = page_render(arena, &page);
    check_well_formed(html);
    ck_assert(!has(html, "<script") && !has(html, "\"onclick") && !has(html, "<i>"));
    ck_assert(has(html, "<a href=\"https://a.example/&quot;onclick=&quot;x\">&lt;i&gt;</a>"));
}
END_TEST

START_TEST(policy_allows_no_script_and_no_frame)
{
    ck_assert_ptr_nonnull(strstr(page_security_policy, "default-src 'none'"));
    ck_assert_ptr_nonnull(strstr(page_security_policy, "frame-ancestors 'none'"));
    ck_assert_ptr_null(strstr(page_security_policy, "script-src"));
    ck_assert_ptr_null(strchr(page_security_policy, '\n'));
}
END_TEST

START_TEST(page_needs_nothing_from_elsewhere)
{
    const struct page page = {.title = SLICE("T"), .text_html = SLICE("x"), .button = SLICE("b")};
    const struct slice html = page_render(arena, &page);
    ck_assert(!has(html, "src=") && !has(html, "url(") && !has(html, "@import"));
    ck_assert(!has(html, "http://") && !has(html, "https://"));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("page");
    TCase *tests = tcase_create("page");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, plain_page_has_title_and_text_and_nothing_to_press);
    tcase_add_test(tests, button_posts_to_the_page_itself);
    tcase_add_test(tests, titles_labels_and_addresses_are_escaped);
    tcase_add_test(tests, policy_allows_no_script_and_no_frame);
    tcase_add_test(tests, page_needs_nothing_from_elsewhere);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
