/* codecs/names.h: names that other people chose, fit to stand in a line of ours.
 *
 * Memory: results borrow the argument or live in the arena.
 */
#ifndef GITTERD_CODECS_NAMES_H
#define GITTERD_CODECS_NAMES_H

#include "runtime/base/arena.h"

enum {
    NAME_CHARACTERS_MAX = 120 /* longer ones end in an ellipsis */
};

/* One line: control characters and line breaks are blanks, several blanks one, none at the ends;
 * marks that would turn the text around them are left out, and what is malformed is U+FFFD. A name
 * with letters that are written from right to left stands in isolates (U+2068, U+2069), so that
 * punctuation and numbers beside it keep their places. */
struct slice name_in_line(struct arena *arena, struct slice name);

#endif
