/* codecs/texts.h: what the bot and the pages say, from the table texts.def.
 *
 * Memory: results live in the given arena.
 */
#ifndef GITTERD_CODECS_TEXTS_H
#define GITTERD_CODECS_TEXTS_H

#include "codecs/texts.def"
#include "runtime/base/arena.h"

enum text {
#define TEXT_ENUM(name, text) TEXT_##name,
    TEXT_LIST(TEXT_ENUM)
#undef TEXT_ENUM
    TEXT_COUNT,
};

/* An argument {name} of a text. Its value is taken literally and stands in one line, as
 * name_in_line makes it; but {link} is a whole URL of ours. */
struct text_arg {
    const char *name;
    struct slice value;
};

struct text_pair {
    struct slice plain;
    struct slice html; /* the same as Matrix HTML */
};

/* The template as it stands in the table. */
struct slice text_template(enum text text);

/* The text with its arguments put in. An argument that the text does not name is passed over; a
 * {name} without argument is a CHECK. {help} stands for the text HELP and needs no argument. */
struct text_pair
text_render(struct arena *arena, enum text text, const struct text_arg *args, size_t count);

/* text_render with the arguments in place: TEXT_RENDER(arena, TEXT_X, {"room", label}). */
#define TEXT_RENDER(arena, text, ...)                                                              \
    text_render((arena), (text), (const struct text_arg[]){__VA_ARGS__, {NULL, {NULL, 0}}},        \
                sizeof((const struct text_arg[]){__VA_ARGS__, {NULL, {NULL, 0}}}) /                \
                        sizeof(struct text_arg) -                                                  \
                    1)
#define TEXT_PLAIN(arena, text) text_render((arena), (text), NULL, 0)

/* The second on a line of its own behind the first. */
struct text_pair text_join(struct arena *arena, struct text_pair first, struct text_pair second);

/* Text as HTML: &, <, >, " and ' escaped. */
struct slice text_escape_html(struct arena *arena, struct slice text);

#endif
