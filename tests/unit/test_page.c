/* The pages of the login port. */
#include "codecs/page.h"
#include "tests/unit/slice_check.h"

#include <gumbo.h>
#include <stdint.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/hash.h>

static struct arena *arena;
static const struct page_site site = {
    SLICE_INIT("@bot:hs"),
    SLICE_INIT("https://login.example"),
    SLICE_INIT("https://gitter.example:8443/sub"),
};

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

static struct slice between(struct slice text, const char *from, const char *to)
{
    const struct slice begin = slice_from_cstr(from);
    text = slice_from(text, slice_find(text, begin) + begin.len);
    return slice_first(text, slice_find(text, slice_from_cstr(to)));
}

/* Parsed as a browser would, without an error. */
static void check_well_formed(struct slice html)
{
    GumboOutput *output = gumbo_parse_with_options(&kGumboDefaultOptions, html.ptr, html.len);
    ck_assert_ptr_nonnull(output);
    ck_assert_uint_eq(output->errors.length, 0);
    gumbo_destroy_output(&kGumboDefaultOptions, output);
}

static struct slice render(const struct page *page)
{
    const struct slice html = page_render(arena, &site, page);
    check_well_formed(html);
    return html;
}

START_TEST(plain_page_has_title_and_text_and_nothing_to_press)
{
    const struct slice html =
        render(&(struct page){.title = SLICE("Title"), .text_html = SLICE("Some <b>text</b>")});
    ck_assert(slice_starts_with(html, SLICE("<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">")));
    ck_assert(has(html, "<title>Title - Gitter bridge</title>") && has(html, "<h1>Title</h1>"));
    ck_assert(has(html, "<p>Some <b>text</b></p>"));
    ck_assert(has(html, "<header><a href=\"https://login.example/\">"));
    ck_assert(!has(html, "<form") && !has(html, "class=\"button\"") && !has(html, "<script"));
    ck_assert(!has(html, "<ol") && !has(html, "<dl") && !has(html, "class=\"note\""));
}
END_TEST

START_TEST(button_posts_its_proof_to_the_page_itself)
{
    const struct slice html = render(&(struct page){.title = SLICE("T"),
                                                    .text_html = SLICE("x"),
                                                    .button = SLICE("Go & see"),
                                                    .proof = SLICE("c0ffee")});
    ck_assert(has(html, "<form method=\"post\">\n"
                        "<input type=\"hidden\" name=\"proof\" value=\"c0ffee\">\n"
                        "<button class=\"button\" type=\"submit\">Go &amp; see</button>"));
    ck_assert(!has(html, "action="));
}
END_TEST

START_TEST(whatever_is_no_html_is_escaped)
{
    const struct slice evil = SLICE("\"'></title></h1><script>alert(1)</script>&");
    const struct page page = {
        .title = evil,
        .text_html = SLICE("x"),
        .rows = {{evil, evil}, {evil, evil}},
        .button = evil,
        .proof = evil,
        .link_url = evil,
        .link_label = evil,
    };
    const struct page_site bad = {evil, evil, SLICE("https://gitter.example")};
    const struct slice html = page_render(arena, &bad, &page);
    check_well_formed(html);
    ck_assert(!has(html, "<script") && !has(html, "\"'>"));
    check_well_formed(page_home(arena, &bad));
    ck_assert(!has(page_home(arena, &bad), "<script"));
    const struct slice notice = page_notice(arena, &bad, PAGE_NOTICE(STOP, EXPIRED));
    check_well_formed(notice);
    ck_assert(!has(notice, "<script"));
}
END_TEST

START_TEST(rows_and_steps_stand_in_their_order)
{
    const struct slice html = render(&(struct page){
        .title = SLICE("T"),
        .text_html = SLICE("x"),
        .steps_html = {SLICE("one"), SLICE("two")},
        .rows = {{SLICE("Matrix"), SLICE("@a:hs")}, {SLICE("Gitter"), SLICE("ann & bob")}},
        .note_html = SLICE("small"),
    });
    ck_assert(has(html, "<ol>\n<li>one</li>\n<li>two</li>\n</ol>"));
    ck_assert(has(html, "<div><dt>Matrix</dt><dd>@a:hs</dd></div>\n"
                        "<div><dt>Gitter</dt><dd>ann &amp; bob</dd></div>"));
    ck_assert(has(html, "<p class=\"note\">small</p>"));
}
END_TEST

START_TEST(home_says_what_this_is_and_leads_to_the_bot)
{
    const struct slice html = page_home(arena, &site);
    check_well_formed(html);
    ck_assert(has(html, "gitter.example:8443") && has(html, "@bot:hs"));
    ck_assert(has(html, "href=\"https://matrix.to/#/%40bot%3Ahs\""));
}
END_TEST

START_TEST(notice_says_how_long_to_wait_and_leads_to_the_bot)
{
    struct page_notice notice = *PAGE_NOTICE(CLOCK, LIMIT);
    notice.seconds = 17;
    const struct slice html = page_notice(arena, &site, &notice);
    check_well_formed(html);
    ck_assert(has(html, "in 17 s.") && has(html, "href=\"https://matrix.to/#/%40bot%3Ahs\""));
    ck_assert(has(html, "<main class=\"alarm\">"));
}
END_TEST

START_TEST(policy_names_the_style_that_the_page_has)
{
    const struct slice html = page_home(arena, &site);
    const struct slice style = between(html, "<style>", "</style>");
    unsigned char digest[WC_SHA256_DIGEST_SIZE];
    unsigned char base64[64];
    word32 len = sizeof base64;
    ck_assert_uint_gt(style.len, 1000);
    ck_assert_int_eq(wc_Sha256Hash((const unsigned char *)style.ptr, (word32)style.len, digest), 0);
    ck_assert_int_eq(Base64_Encode_NoNl(digest, sizeof digest, base64, &len), 0);
    const struct slice policy = page_policy(arena, &site);
    ck_slice_eq(between(policy, "style-src 'sha256-", "'"), slice_make(base64, len));
}
END_TEST

START_TEST(policy_allows_no_script_no_frame_and_no_form_in_the_clear)
{
    const struct slice policy = page_policy(arena, &site);
    ck_assert(slice_starts_with(policy, SLICE("default-src 'none'; ")));
    ck_assert(has(policy, "frame-ancestors 'none'") && has(policy, "base-uri 'none'"));
    ck_assert(has(policy, "; form-action 'self' https:; "));
    ck_assert(!has(policy, "script-src") && !has(policy, "unsafe") && !has(policy, "\n"));
    const struct page_site plain = {site.bot, site.login_url, SLICE("http://127.0.0.1:8080/sub")};
    ck_assert(
        has(page_policy(arena, &plain), "; form-action 'self' https: http://127.0.0.1:8080; "));
}
END_TEST

START_TEST(page_needs_nothing_from_elsewhere)
{
    const struct slice html = render(&(struct page){
        .title = SLICE("T"), .text_html = SLICE("x"), .button = SLICE("b"), .proof = SLICE("p")});
    ck_assert(!has(html, "src=") && !has(html, "url(") && !has(html, "@import"));
    ck_assert(!has(html, "style=") && !has(html, "onclick"));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("page");
    TCase *tests = tcase_create("page");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, plain_page_has_title_and_text_and_nothing_to_press);
    tcase_add_test(tests, button_posts_its_proof_to_the_page_itself);
    tcase_add_test(tests, whatever_is_no_html_is_escaped);
    tcase_add_test(tests, rows_and_steps_stand_in_their_order);
    tcase_add_test(tests, home_says_what_this_is_and_leads_to_the_bot);
    tcase_add_test(tests, notice_says_how_long_to_wait_and_leads_to_the_bot);
    tcase_add_test(tests, policy_names_the_style_that_the_page_has);
    tcase_add_test(tests, policy_allows_no_script_no_frame_and_no_form_in_the_clear);
    tcase_add_test(tests, page_needs_nothing_from_elsewhere);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
