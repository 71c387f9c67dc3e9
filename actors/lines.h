/* actors/lines.h: long lists, shown a page at a time.
 *
 * Memory: lives in the arena given to lines_init.
 * Units:  pages and lines are counted from 1.
 */
#ifndef GITTERD_ACTORS_LINES_H
#define GITTERD_ACTORS_LINES_H

#include "codecs/texts.h"
#include "runtime/base/buf.h"

struct lines {
    struct arena *arena;
    struct buf plain;
    struct buf html;
    int64_t page;
    int64_t page_lines;
    int64_t count; /* asked for so far */
};

/* A page below 1 is the first. */
void lines_init(struct lines *lines, struct arena *arena, int64_t page, int64_t page_lines);
/* Is the next line on the page? Ask once for each line there is. */
bool lines_wants(struct lines *lines);
/* A line of the page. */
void lines_put(struct lines *lines, const struct text_pair *line);
#define LINES_PUT(lines, text, ...)                                                                \
    do {                                                                                           \
        const struct text_pair line_ = TEXT_RENDER((lines)->arena, (text), __VA_ARGS__);           \
        lines_put((lines), &line_);                                                                \
    } while (false)
/* After the last: are there pages behind this one? */
bool lines_has_more(const struct lines *lines);
/* The page, with a word on where it stands if there is more than one; or that there is no such
 * page. */
struct text_pair lines_end(const struct lines *lines);

/* The id at a place of a list of ids with blanks between; empty if there is none. */
struct slice lines_id(struct slice ids, int64_t place);

#endif
