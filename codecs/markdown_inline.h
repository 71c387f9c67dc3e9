/* codecs/markdown_inline.h: the state of writing HTML as Markdown, and all that stands in lines.
 *
 * Text is collected in `run` and escaped when markup or a block ends it, since how a character must
 * be escaped depends on its neighbours. The renderer's patterns know neither escapes nor nesting,
 * so emphasis is put with different marks (*, __, ~~) and taken back where its text would end it.
 *
 * Memory: everything lives in the arena.
 */
#ifndef GITTERD_CODECS_MARKDOWN_INLINE_H
#define GITTERD_CODECS_MARKDOWN_INLINE_H

#include "codecs/html_layout.h"
#include "codecs/html_walk.h"

enum mark_kind {
    MARK_EM,
    MARK_STRONG,
    MARK_DEL,
    MARKS
};

/* Emphasis whose end is not yet known to be sound: its opening mark can be taken back. */
struct mark {
    size_t open;    /* how many elements of the kind are open */
    bool is_put;    /* the opening mark stands in the output */
    bool is_first;  /* nothing but marks stands before it in its line */
    size_t at;      /* where */
    size_t text_at; /* and what is behind it */
    size_t end;     /* behind the closing mark of the last one, 0 if there is none */
    size_t last_at; /* where that one's opening mark stands */
};

struct md {
    struct arena *arena;
    struct html_walk *walk;
    struct slice ghost_prefix;
    struct layout layout;
    struct buf run; /* text not yet escaped */
    bool is_glued;  /* a mark was taken back where text may follow */
    struct mark marks[MARKS];
    int64_t numbers[HTML_DEPTH_MAX]; /* next number of each open list; 0 for bullets */
    size_t lists;
    size_t pre;
    size_t code;
    size_t headings;
    size_t tables;
    size_t cells;    /* of the row at hand */
    bool is_in_cell; /* of a table written with pipes */
    size_t rows;     /* of the table at hand, begun */
    struct slice language;
    struct buf verbatim; /* code */
    size_t links;
    bool is_bracketed; /* the link at hand is written as [text](address) */
    size_t link_at;    /* and stands there in the output */
    struct slice href;
    bool is_pill; /* the link at hand is a user */
};

/* Where a URL or @name stands at the end of the output, markup would be read as part of it: a blank
 * comes between. */
void md_detach(struct md *md);
/* Takes text of the HTML; runs of blanks show as one. */
void md_put_text(struct md *md, struct slice text);
/* Writes what was taken so far. */
void md_flush(struct md *md);
/* Removes blanks at the end of the line. */
void md_trim_output(struct md *md);
/* Ends the block: at least that many newlines. */
void md_gap(struct md *md, size_t newlines);
void md_put_break(struct md *md);

void md_open_mark(struct md *md, enum mark_kind kind);
void md_close_mark(struct md *md, enum mark_kind kind);
/* Blocks end all emphasis: the renderer looks for its end within a block only. */
void md_take_back_all(struct md *md);

void md_open_link(struct md *md, const struct html_event *event);
void md_close_link(struct md *md);
void md_put_image(struct md *md, const struct html_event *event);

/* The collected code as a span or, where a block may stand, as a fence. */
void md_put_code(struct md *md);
void md_put_fence(struct md *md);
void md_put_math(struct md *md, struct slice tex);

#endif
