#include "codecs/page.h"

#include "codecs/url.h"
#include "runtime/base/buf.h"
#include "runtime/base/check.h"

#include <inttypes.h>

/* page.css and the base64 of its SHA-256, made by the build. */
extern const char page_css[];
extern const char page_css_sha256[];

#define BRIDGE_PATH                                                                                \
    "M1.5 17h21M7 4.5v15.5M17 4.5v15.5M1.5 13C4.5 12 6.5 8.5 7 5c1.5 8 8.5 8 10 0c.5 3.5 2.5 7 "   \
    "5.5 8"

static const char *const mark_paths[] = {
    [PAGE_MARK_NONE] = "",
    [PAGE_MARK_LINK] =
        ("M9 15l6-6M11 6.5l1.5-1.5a4.6 4.6 0 0 1 6.5 6.5L17.5 13M13 17.5L11.5 19a4.6 4.6 0 0 1-6.5"
         "-6.5L6.5 11"),
    [PAGE_MARK_DONE] = "M4.5 12.5l5 5 10-11",
    [PAGE_MARK_CLOCK] = "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M12 7.5V12l3 2",
    [PAGE_MARK_STOP] = "M12 4.5v9.5M12 18.5v.5",
};

/* The picture of a browser's tab; the only image, and part of the page. */
static const char icon[] =
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='-4 -4 32 32'%3E"
    "%3Crect x='-4' y='-4' width='32' height='32' rx='8' fill='%230a6a4d'/%3E"
    "%3Cpath fill='none' stroke='%23fff' stroke-width='2.2' stroke-linecap='round' d='" BRIDGE_PATH
    "'/%3E%3C/svg%3E";

/* The button's form is answered with a redirect to Gitter, and Chromium holds every redirect behind
 * a form to form-action: also one of Gitter's own to a single sign-on, whose host nobody can name
 * here. With Gitter alone on the list such a login ends at a button that does nothing. */
struct slice page_policy(struct arena *arena, const struct page_site *site)
{
    struct url url;
    struct slice plain = SLICE_EMPTY;
    if (url_split(site->gitter_url, &url) == RC_OK && !url.is_https) {
        plain = arena_printf(arena, " http://%.*s", SLICE_ARGS(page_gitter_host(arena, site)));
    }
    return arena_printf(arena,
                        "default-src 'none'; style-src 'sha256-%s'; img-src data:; "
                        "form-action 'self' https:%.*s; frame-ancestors 'none'; base-uri 'none'",
                        page_css_sha256, SLICE_ARGS(plain));
}

struct slice page_gitter_host(struct arena *arena, const struct page_site *site)
{
    struct url url;
    if (url_split(site->gitter_url, &url) != RC_OK) {
        return SLICE_EMPTY;
    }
    return url.has_port ? arena_printf(arena, "%.*s:%u", SLICE_ARGS(url.host), url.port) : url.host;
}

struct slice page_bot_url(struct arena *arena, const struct page_site *site)
{
    return arena_printf(arena, "https://matrix.to/#/%.*s",
                        SLICE_ARGS(url_encode(arena, site->bot)));
}

/* The parts of a page, top to bottom */

static void put_escaped(struct buf *out, struct arena *arena, struct slice text)
{
    buf_put(out, text_escape_html(arena, text));
}

static void put_picture(struct buf *out, const char *class, const char *path)
{
    buf_printf(out,
               "<svg%s viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" "
               "stroke-width=\"2\" stroke-linecap=\"round\" stroke-linejoin=\"round\" "
               "aria-hidden=\"true\"><path d=\"%s\"/></svg>",
               class, path);
}

static void put_head(struct buf *out, struct arena *arena, struct slice title)
{
    BUF_PUT(out, "<!DOCTYPE html>\n<html lang=\"");
    put_escaped(out, arena, text_template(TEXT_PAGE_LANGUAGE));
    BUF_PUT(out, "\" dir=\"");
    put_escaped(out, arena, text_template(TEXT_PAGE_DIRECTION));
    BUF_PUT(out, "\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    put_escaped(out, arena, title);
    BUF_PUT(out, " - ");
    put_escaped(out, arena, text_template(TEXT_PAGE_NAME));
    BUF_PUT(out, "</title>\n<meta name=\"viewport\" content=\"width=device-width, "
                 "initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n");
    buf_printf(out, "<link rel=\"icon\" href=\"%s\">\n<style>%s</style>\n</head>\n<body>\n", icon,
               page_css);
}

static void put_header(struct buf *out, struct arena *arena, const struct page_site *site)
{
    BUF_PUT(out, "<header><a href=\"");
    put_escaped(out, arena, site->login_url);
    BUF_PUT(out, "/\">");
    put_picture(out, "", BRIDGE_PATH);
    put_escaped(out, arena, text_template(TEXT_PAGE_NAME));
    BUF_PUT(out, "</a></header>\n");
}

static void put_steps(struct buf *out, const struct page *page)
{
    if (page->steps_html[0].len == 0) {
        return;
    }
    BUF_PUT(out, "<ol>\n");
    for (size_t i = 0; i < PAGE_STEPS_MAX && page->steps_html[i].len > 0; i++) {
        buf_printf(out, "<li>%.*s</li>\n", SLICE_ARGS(page->steps_html[i]));
    }
    BUF_PUT(out, "</ol>\n");
}

static void put_rows(struct buf *out, struct arena *arena, const struct page *page)
{
    if (page->rows[0].label.len == 0) {
        return;
    }
    BUF_PUT(out, "<dl>\n");
    for (size_t i = 0; i < PAGE_ROWS_MAX && page->rows[i].label.len > 0; i++) {
        BUF_PUT(out, "<div><dt>");
        put_escaped(out, arena, page->rows[i].label);
        BUF_PUT(out, "</dt><dd>");
        put_escaped(out, arena, page->rows[i].value);
        BUF_PUT(out, "</dd></div>\n");
    }
    BUF_PUT(out, "</dl>\n");
}

static void put_way_on(struct buf *out, struct arena *arena, const struct page *page)
{
    if (page->button.len > 0) {
        BUF_PUT(out, "<form method=\"post\">\n<input type=\"hidden\" name=\"proof\" value=\"");
        put_escaped(out, arena, page->proof);
        BUF_PUT(out, "\">\n<button class=\"button\" type=\"submit\">");
        put_escaped(out, arena, page->button);
        BUF_PUT(out, "</button>\n</form>\n");
    }
    if (page->link_url.len > 0) {
        BUF_PUT(out, "<p><a class=\"button\" href=\"");
        put_escaped(out, arena, page->link_url);
        BUF_PUT(out, "\">");
        put_escaped(out, arena, page->link_label);
        BUF_PUT(out, "</a></p>\n");
    }
}

struct slice page_render(struct arena *arena, const struct page_site *site, const struct page *page)
{
    struct buf out;
    buf_init(&out, arena);
    CHECK((size_t)page->mark < sizeof mark_paths / sizeof mark_paths[0]);
    put_head(&out, arena, page->title);
    put_header(&out, arena, site);
    buf_printf(&out, "<main%s>\n", page->mark >= PAGE_MARK_CLOCK ? " class=\"alarm\"" : "");
    if (page->mark != PAGE_MARK_NONE) {
        put_picture(&out, " class=\"mark\"", mark_paths[page->mark]);
    }
    BUF_PUT(&out, "\n<h1>");
    put_escaped(&out, arena, page->title);
    buf_printf(&out, "</h1>\n<p>%.*s</p>\n", SLICE_ARGS(page->text_html));
    put_steps(&out, page);
    put_rows(&out, arena, page);
    put_way_on(&out, arena, page);
    if (page->note_html.len > 0) {
        buf_printf(&out, "<p class=\"note\">%.*s</p>\n", SLICE_ARGS(page->note_html));
    }
    BUF_PUT(&out, "</main>\n<footer><p>");
    put_escaped(&out, arena, text_template(TEXT_PAGE_FOOTER));
    BUF_PUT(&out, "</p></footer>\n</body>\n</html>\n");
    return buf_slice(&out);
}

/* Pages that need to know nothing of a login */

struct slice page_home(struct arena *arena, const struct page_site *site)
{
    const struct slice server = page_gitter_host(arena, site);
    const struct page page = {
        .mark = PAGE_MARK_NONE,
        .title = text_template(TEXT_PAGE_HOME_TITLE),
        .text_html = TEXT_RENDER(arena, TEXT_PAGE_HOME, {"server", server}).html,
        .steps_html = {TEXT_RENDER(arena, TEXT_PAGE_HOME_CHAT, {"bot", site->bot}).html,
                       TEXT_PLAIN(arena, TEXT_PAGE_HOME_LOGIN).html,
                       TEXT_PLAIN(arena, TEXT_PAGE_HOME_ROOMS).html},
        .link_label = text_template(TEXT_PAGE_BOT_LINK),
        .link_url = page_bot_url(arena, site),
        .note_html = TEXT_PLAIN(arena, TEXT_PAGE_HOME_NOTE).html,
    };
    return page_render(arena, site, &page);
}

struct slice
page_notice(struct arena *arena, const struct page_site *site, const struct page_notice *notice)
{
    const struct slice seconds = arena_printf(arena, "%" PRId64, notice->seconds);
    const struct page page = {
        .mark = notice->mark,
        .title = text_template(notice->title),
        .text_html =
            TEXT_RENDER(arena, notice->text, {"bot", site->bot}, {"seconds", seconds}).html,
        .link_label = text_template(TEXT_PAGE_BOT_LINK),
        .link_url = page_bot_url(arena, site),
    };
    return page_render(arena, site, &page);
}
