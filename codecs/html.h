/* codecs/html.h: what Gitter made of a message, as Matrix HTML and as plain text.
 *
 * The HTML that comes out is written anew from an allow-list of elements and attributes (a href,
 * code class, ol start, span data-mx-maths); nothing of the input passes but text, addresses of
 * the allowed schemes, language names and TeX. It is always well-formed and valid UTF-8. Mentions
 * and links without address (Gitter's issues) become text, images become links since Matrix shows
 * none from the web, KaTeX becomes its TeX source, emoji names become emoji except in code and
 * links.
 *
 * Memory: results live in the arena.
 * Errors: RC_TOO_BIG when the HTML is over a limit: then out->html is empty, is_plain is true and
 *         out->plain holds what could be had, so a caller that goes on loses only markup.
 * Units:  plain is at most MATRIX_BODY_BYTES_MAX bytes, html at most MATRIX_HTML_BYTES_MAX.
 */
#ifndef GITTERD_CODECS_HTML_H
#define GITTERD_CODECS_HTML_H

#include "runtime/base/arena.h"
#include "runtime/base/slice.h"

struct html_text {
    struct slice html;
    /* For a body: marks of emphasis and headings as in Markdown, quotes with "> ", items with "- "
     * or "1. ", code in back quotes, links as "text (address)". Empty if the message shows nothing
     * (a Markdown comment). */
    struct slice plain;
    bool is_plain; /* the HTML says nothing that plain does not: send plain alone */
};

NODISCARD enum rc
html_gitter_to_matrix(struct arena *arena, struct slice html, struct html_text *out);

/* The HTML without the mention of `name` it begins with and the blank behind that. Gitter's own
 * clients send `/me waves` as "@name waves" with status true. HTML without it comes back as is. */
struct slice html_drop_leading_mention(struct arena *arena, struct slice html, struct slice name);

#endif
