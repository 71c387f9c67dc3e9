/* codecs/markdown_escape.h: text that Gitter's renderer shows as it is.
 *
 * Memory: writes into the given buffer.
 */
#ifndef GITTERD_CODECS_MARKDOWN_ESCAPE_H
#define GITTERD_CODECS_MARKDOWN_ESCAPE_H

#include "runtime/base/buf.h"

enum markdown_place {
    MARKDOWN_LINE_START = 1, /* the text begins a line */
    MARKDOWN_RUN = 2,        /* markup may stand right before and behind it */
    MARKDOWN_IN_LINK = 4,    /* between [ and ](address) */
    MARKDOWN_IN_HEADING = 8, /* it may end the heading */
    MARKDOWN_IN_CELL = 16,   /* of a table */
};

/* Puts clean UTF-8 (html_clean_text); `places` is a sum of enum markdown_place. */
void markdown_put_escaped(struct buf *out, struct slice text, unsigned places);

/* Puts text in which only what looks like a reference (&amp;) is escaped, for addresses. */
void markdown_put_address(struct buf *out, struct slice text);

/* Bytes of the blank at the start of the text, as JavaScript's \s knows it; 0 if there is none. */
size_t markdown_blank_length(struct slice text);

#endif
