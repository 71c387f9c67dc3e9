#include "codecs/emoji.h"

#include "runtime/base/buf.h"

struct emoji {
    struct slice name;
    struct slice text;
};

static const struct emoji table[] = {
#define EMOJI(name, text) {SLICE_INIT(name), SLICE_INIT(text)},
#include "codecs/emoji_table.def"
#undef EMOJI
};

enum {
    NAME_BYTES_MAX = 48
};

static struct slice find(struct slice name)
{
    size_t low = 0;
    size_t high = sizeof table / sizeof table[0];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = slice_compare(table[middle].name, name);
        if (order == 0) {
            return table[middle].text;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return SLICE_EMPTY;
}

/* Within "10:100:20", "a:b:c" or a path no emoji was meant. */
static bool is_within_word(struct slice text, size_t colon)
{
    const char before = colon == 0 ? ' ' : text.ptr[colon - 1];
    return before == '/' || (before >= '0' && before <= '9') || (before >= 'a' && before <= 'z') ||
           (before >= 'A' && before <= 'Z');
}

struct slice emoji_expand(struct arena *arena, struct slice text)
{
    struct buf out;
    size_t done = 0;
    size_t at = slice_find_byte(text, ':');

    buf_init(&out, arena);
    while (at < text.len) {
        const struct slice rest = slice_first(slice_from(text, at + 1), NAME_BYTES_MAX + 1);
        const size_t len = slice_find_byte(rest, ':');
        const struct slice found = len == rest.len ? SLICE_EMPTY : find(slice_first(rest, len));
        if (found.len > 0 && !is_within_word(text, at)) {
            buf_put(&out, slice_make(text.ptr + done, at - done));
            buf_put(&out, found);
            done = at + len + 2;
            at = done;
        } else {
            at++;
        }
        at += slice_find_byte(slice_from(text, at), ':');
    }
    if (done == 0) {
        return text;
    }
    buf_put(&out, slice_from(text, done));
    return buf_slice(&out);
}
