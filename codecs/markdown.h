/* codecs/markdown.h: Matrix messages as the Markdown that Gitter renders.
 *
 * Gitter's renderer is a marked of 2014 with rules of its own: every newline counts, `#word` is a
 * heading, `#12` an issue anywhere, `_` and `*` work within words, raw HTML is shown as text.
 * What a Matrix user wrote shall be read as written, so text is escaped: with a backslash where
 * the renderer knows that (\ ` * _ { } [ ] ( ) # + - . ! > ~ |), else with a named reference, since
 * a numbered one would become an issue. URLs, mail addresses, @names and emoji names stay bare so
 * that Gitter links them. Tabs, runs of blank lines and blanks at line ends are not kept by Gitter.
 *
 * Memory: results live in the arena; they may borrow the text given.
 * Errors: none: any bytes give some valid UTF-8 without control characters.
 * Units:  Gitter counts UTF-16 units, at most GITTER_TEXT_UNITS_MAX in one message.
 */
#ifndef GITTERD_CODECS_MARKDOWN_H
#define GITTERD_CODECS_MARKDOWN_H

#include "runtime/base/arena.h"
#include "runtime/base/slice.h"

enum matrix_text_kind {
    MATRIX_TEXT,
    MATRIX_EMOTE, /* the caller puts "@sender " before it: a block in front gets a line of its own
                   */
    MATRIX_NOTICE,
};

struct matrix_text {
    struct slice body;
    struct slice formatted_body; /* of format org.matrix.custom.html; empty if there is none */
    enum matrix_text_kind kind;
    bool has_reply; /* leading "> " lines of body are the fallback of a reply: left out */
    /* Links to Matrix users whose id begins so ("@gitter_") become "@" and their text, others
     * their text alone; empty: all of them their text. */
    struct slice ghost_prefix;
};

/* HTML that is over a limit (codecs/html_walk.h) is passed over in favour of the body. */
struct slice markdown_from_matrix(struct arena *arena, const struct matrix_text *in);

/* Markdown that reads as this text. */
struct slice markdown_from_plain(struct arena *arena, struct slice text);

/* The length of valid UTF-8 in UTF-16. */
size_t markdown_utf16_units(struct slice text);

/* Cuts Markdown into parts of at most units_max (at least 64) units: between lines if that makes
 * parts of half that at least, else between words, else between characters. A fenced code block
 * is closed at a cut and opened again. Gives the number of parts, 0 for blank text. */
size_t
markdown_split(struct arena *arena, struct slice markdown, size_t units_max, struct slice **parts);

#endif
