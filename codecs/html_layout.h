/* codecs/html_layout.h: text in lines with prefixes, for what has quotes and lists in it.
 *
 * Blocks ask for the distance they want before and behind them, quotes and list items push a
 * prefix; newlines and prefixes are written only when text follows, so that none dangles.
 *
 * Memory: the output grows in the arena of layout_init.
 */
#ifndef GITTERD_CODECS_HTML_LAYOUT_H
#define GITTERD_CODECS_HTML_LAYOUT_H

#include "runtime/base/buf.h"
#include "runtime/base/limits.h"

#include <stdbool.h>

struct layout_prefix {
    struct slice first; /* on the first line, for example "- " */
    struct slice rest;  /* on the others, for example "  " */
    bool is_used;       /* the first line has been begun */
};

struct layout {
    struct buf out;
    struct layout_prefix prefixes[HTML_DEPTH_MAX];
    size_t count;
    size_t gap;    /* newlines wanted by blocks before the next text */
    size_t breaks; /* newlines wanted one by one before the next text */
    bool is_line_start;
};

void layout_init(struct layout *layout, struct arena *arena);
/* Text without newlines; empty text changes nothing. */
void layout_put(struct layout *layout, struct slice text);
/* One more newline. */
void layout_break(struct layout *layout);
/* At least that many newlines, unless nothing stands before in this quote or list item. */
void layout_gap(struct layout *layout, size_t newlines);
/* True if the next text begins a line. */
bool layout_is_line_start(const struct layout *layout);
/* Both slices must outlive the layout; at most HTML_DEPTH_MAX at a time. */
void layout_push(struct layout *layout, struct slice first, struct slice rest);
/* Ends a quote or item; one without any text shows its prefix alone. */
void layout_pop(struct layout *layout);
struct slice layout_slice(const struct layout *layout);

#endif
