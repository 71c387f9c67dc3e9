/* codecs/page.h: the HTML pages of the login port.
 *
 * One small page: a title, a paragraph, and perhaps one button or one link. No script, no external
 * resource; style is inline, so that a strict content security policy with one hash suffices.
 *
 * Memory: the result lives in the arena.
 */
#ifndef GITTERD_CODECS_PAGE_H
#define GITTERD_CODECS_PAGE_H

#include "runtime/base/arena.h"

struct page {
    struct slice title;
    struct slice text_html; /* of the paragraph; HTML already */
    struct slice button;   /* label of a button that posts to the page's own address; empty: none */
    struct slice link_url; /* empty: none */
    struct slice link_label;
};

struct slice page_render(struct arena *arena, const struct page *page);

/* Value of the header Content-Security-Policy that fits these pages. */
extern const char page_security_policy[];

#endif
