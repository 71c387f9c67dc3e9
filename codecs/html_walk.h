/* codecs/html_walk.h: a piece of HTML as a flat row of events.
 *
 * gumbo parses; the walk hands out only elements of the list below, in the order of the text, each
 * OPEN with its CLOSE. An element that is not on the list vanishes and its text stays, except for
 * those that hold no text for readers (script, style, template, ...), which vanish whole, and so
 * does mx-reply. What lies deeper than HTML_DEPTH_MAX listed elements is reported as text alone.
 * Mathematics (KaTeX output, MathML with a TeX annotation, data-mx-maths) is one MATH event with
 * the TeX source as its text.
 *
 * Memory: all of it, gumbo's too, is from the arena; texts of events live as long as it does.
 * Errors: html_walk_open gives RC_TOO_BIG for more than HTML_BYTES_MAX or for HTML that gumbo
 *         would need more than HTML_PARSE_BYTES_MAX for: a few KiB of unclosed formatting
 *         elements make any conforming parser copy them into each paragraph that follows.
 * Text:   valid UTF-8 without control characters but tab and newline, whatever the input was.
 */
#ifndef GITTERD_CODECS_HTML_WALK_H
#define GITTERD_CODECS_HTML_WALK_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/limits.h"
#include "runtime/base/slice.h"

/* What the specification of Matrix suggests for messages (client-server API, m.room.message), with
 * synonyms of old (strike, font, ins) mapped away. */
#define HTML_TAGS(X)                                                                               \
    X(DEL, "del")                                                                                  \
    X(H1, "h1")                                                                                    \
    X(H2, "h2")                                                                                    \
    X(H3, "h3")                                                                                    \
    X(H4, "h4")                                                                                    \
    X(H5, "h5")                                                                                    \
    X(H6, "h6")                                                                                    \
    X(BLOCKQUOTE, "blockquote")                                                                    \
    X(P, "p")                                                                                      \
    X(A, "a")                                                                                      \
    X(UL, "ul")                                                                                    \
    X(OL, "ol")                                                                                    \
    X(SUP, "sup")                                                                                  \
    X(SUB, "sub")                                                                                  \
    X(LI, "li")                                                                                    \
    X(B, "b")                                                                                      \
    X(I, "i")                                                                                      \
    X(U, "u")                                                                                      \
    X(STRONG, "strong")                                                                            \
    X(EM, "em")                                                                                    \
    X(S, "s")                                                                                      \
    X(CODE, "code")                                                                                \
    X(HR, "hr")                                                                                    \
    X(BR, "br")                                                                                    \
    X(DIV, "div")                                                                                  \
    X(TABLE, "table")                                                                              \
    X(THEAD, "thead")                                                                              \
    X(TBODY, "tbody")                                                                              \
    X(TR, "tr")                                                                                    \
    X(TH, "th")                                                                                    \
    X(TD, "td")                                                                                    \
    X(CAPTION, "caption")                                                                          \
    X(PRE, "pre")                                                                                  \
    X(SPAN, "span")                                                                                \
    X(IMG, "img")                                                                                  \
    X(DETAILS, "details")                                                                          \
    X(SUMMARY, "summary")

enum html_tag {
    HTML_TAG_NONE,
#define HTML_TAG_ENUM(name, text) HTML_TAG_##name,
    HTML_TAGS(HTML_TAG_ENUM)
#undef HTML_TAG_ENUM
};

/* The name as it is written between < and >. */
struct slice html_tag_name(enum html_tag tag);

enum html_event_kind {
    HTML_OPEN,
    HTML_CLOSE,
    HTML_TEXT,
    HTML_MATH,
    HTML_END,
};

struct html_event {
    enum html_event_kind kind;
    enum html_tag tag;   /* of OPEN and CLOSE */
    struct slice text;   /* of TEXT and MATH */
    const void *element; /* of OPEN; for html_event_attribute */
};

struct html_walk;

NODISCARD enum rc html_walk_open(struct arena *arena, struct slice html, struct html_walk **out);
/* The next event; HTML_END for ever when there is none left. */
struct html_event html_walk_next(struct html_walk *walk);
/* Starts the same HTML again. */
void html_walk_rewind(struct html_walk *walk);

struct arena *html_walk_arena(const struct html_walk *walk);

/* An attribute of the element that an OPEN event opens; *out is written if it is there. */
bool html_event_attribute(const struct html_walk *walk,
                          const struct html_event *event,
                          const char *name,
                          struct slice *out);
/* A link in that attribute, blanks around and within it taken care of; empty unless its scheme is
 * https, http, ftp, mailto or magnet. */
struct slice
html_event_link(const struct html_walk *walk, const struct html_event *event, const char *name);
/* The language of a code element: its first class without the prefix `language-`; empty unless it
 * consists of letters, digits and + # . _ - alone. */
struct slice html_event_language(const struct html_walk *walk, const struct html_event *event);

/* The number that an ol element starts with; 1 unless it says something between 1 and 999999999. */
int64_t html_event_start(const struct html_walk *walk, const struct html_event *event);

/* Valid UTF-8 without control characters but tab and newline: others become U+FFFD. Borrows the
 * text if it is fine as it is. */
struct slice html_clean_text(struct arena *arena, struct slice text);
/* Puts a text with & < > " ' as references, good within an element and within quotes. */
void html_put_escaped(struct buf *buf, struct slice text);
/* True if a reader of the link's text sees its address: the same, or the same without http(s)://
 * or mailto:. */
bool html_link_is_shown(struct slice text, struct slice href);

#endif
