/* codecs/html_plain.h: HTML as text to read, the plain half of codecs/html.h.
 *
 * Memory: results live in the arena.
 */
#ifndef GITTERD_CODECS_HTML_PLAIN_H
#define GITTERD_CODECS_HTML_PLAIN_H

#include "codecs/html_walk.h"

/* The whole walk as text; *is_plain tells whether all of the markup can be seen in it. */
struct slice html_plain_write(struct arena *arena, struct html_walk *walk, bool *is_plain);

/* What is left of HTML too big for a parser when everything between < and > is taken away. */
struct slice html_plain_strip(struct arena *arena, struct slice html);

#endif
