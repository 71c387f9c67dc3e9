/* codecs/page.h: the HTML pages of the login port.
 *
 * A page is a heading, some text, and one way on: a button or a link. No script, nothing from
 * elsewhere; the style (page.css) and the pictures stand inside, so that a content security policy
 * can allow exactly this style, by its hash, and nothing else.
 *
 * Memory: results live in the arena; arguments are borrowed.
 */
#ifndef GITTERD_CODECS_PAGE_H
#define GITTERD_CODECS_PAGE_H

#include "codecs/texts.h"
#include "runtime/base/arena.h"

/* What all pages of one bridge have in common. */
struct page_site {
    struct slice bot;        /* full Matrix id */
    struct slice login_url;  /* public address of these pages, without a slash at the end */
    struct slice gitter_url; /* of Gitter's web pages */
};

/* The picture above the heading. */
enum page_mark {
    PAGE_MARK_NONE,
    PAGE_MARK_LINK,
    PAGE_MARK_DONE,
    PAGE_MARK_CLOCK,
    PAGE_MARK_STOP
};

/* A line of the table that says which accounts a page is about. */
struct page_row {
    struct slice label;
    struct slice value;
};

enum {
    PAGE_STEPS_MAX = 3,
    PAGE_ROWS_MAX = 2
};

/* What is called _html is HTML already, everything else is plain text. Empty parts are left out. */
struct page {
    enum page_mark mark;
    struct slice title;
    struct slice text_html;
    struct slice steps_html[PAGE_STEPS_MAX];
    struct page_row rows[PAGE_ROWS_MAX];
    struct slice button; /* its label; it posts `proof` to the page's own address */
    struct slice proof;
    struct slice link_label; /* of a link that looks like a button */
    struct slice link_url;
    struct slice note_html; /* in small print, at the end */
};

struct slice
page_render(struct arena *arena, const struct page_site *site, const struct page *page);

/* What this is and how to begin. */
struct slice page_home(struct arena *arena, const struct page_site *site);

/* A page that only says something; its way on is the chat with the bot. {bot} may stand in the
 * text, and {seconds} for what has to be waited. */
struct page_notice {
    enum page_mark mark;
    enum text title;
    enum text text;
    int64_t seconds;
};

/* PAGE_NOTICE(STOP, ABSENT): one without number. */
#define PAGE_NOTICE(MARK, NAME)                                                                    \
    &(const struct page_notice)                                                                    \
    {                                                                                              \
        PAGE_MARK_##MARK, TEXT_PAGE_##NAME##_TITLE, TEXT_PAGE_##NAME, 0                            \
    }

struct slice
page_notice(struct arena *arena, const struct page_site *site, const struct page_notice *notice);

/* Leads to the chat with the bot, in whatever Matrix client there is (the spec's appendix
 * "matrix.to navigation"). */
struct slice page_bot_url(struct arena *arena, const struct page_site *site);

/* The host of Gitter's web pages, with its port if one is given; for people. */
struct slice page_gitter_host(struct arena *arena, const struct page_site *site);

/* Value of the header Content-Security-Policy that fits these pages. */
struct slice page_policy(struct arena *arena, const struct page_site *site);

#endif
