/* codecs/markdown_html.h: Matrix HTML as Gitter's Markdown; one half of codecs/markdown.h.
 *
 * Memory: the result lives in the arena.
 */
#ifndef GITTERD_CODECS_MARKDOWN_HTML_H
#define GITTERD_CODECS_MARKDOWN_HTML_H

#include "codecs/html_walk.h"

struct slice
markdown_html_write(struct arena *arena, struct html_walk *walk, struct slice ghost_prefix);

#endif
