#include "codecs/names.h"

#include "runtime/base/buf.h"

struct range {
    uint32_t first;
    uint32_t last;
};

static bool is_among(uint32_t c, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

#define IS_AMONG(c, ranges) is_among((c), (ranges), sizeof(ranges) / sizeof((ranges)[0]))

/* Controls, and the separators of lines and paragraphs. */
static const struct range blanks[] = {
    {0x00, 0x20}, {0x7f, 0xa0}, {0x2028, 0x2029}, {0x3000, 0x3000}};
/* Marks of direction, embeddings, overrides and isolates. */
static const struct range turns[] = {
    {0x61c, 0x61c}, {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}};
/* Blocks whose letters run from right to left (Unicode, DerivedBidiClass: R and AL). */
static const struct range leftwards[] = {
    {0x590, 0x8ff}, {0xfb1d, 0xfdff}, {0xfe70, 0xfefe}, {0x10800, 0x10fff}, {0x1e800, 0x1efff}};

static bool is_ascii_line(struct slice name)
{
    bool was_blank = true;
    for (size_t i = 0; i < name.len; i++) {
        const unsigned char c = (unsigned char)name.ptr[i];
        if (c < ' ' || c >= 0x7f || (c == ' ' && was_blank)) {
            return false;
        }
        was_blank = c == ' ';
    }
    return name.len <= NAME_CHARACTERS_MAX && (name.len == 0 || !was_blank);
}

struct slice name_in_line(struct arena *arena, struct slice name)
{
    struct buf out;
    size_t characters = 0;
    bool is_blank_due = false;
    bool runs_left = false;
    if (is_ascii_line(name)) {
        return name;
    }
    buf_init(&out, arena);
    while (name.len > 0 && characters < NAME_CHARACTERS_MAX) {
        const uint32_t c = slice_cut_character(&name);
        if (IS_AMONG(c, blanks)) {
            is_blank_due = out.len > 0;
        } else if (!IS_AMONG(c, turns)) {
            buf_put(&out, is_blank_due ? SLICE(" ") : SLICE_EMPTY);
            buf_put_char(&out, c);
            runs_left = runs_left || IS_AMONG(c, leftwards);
            characters += is_blank_due ? 2 : 1;
            is_blank_due = false;
        }
    }
    if (slice_trim(name).len > 0) {
        buf_put_char(&out, 0x2026);
    }
    return runs_left
               ? arena_printf(arena, "\xe2\x81\xa8%.*s\xe2\x81\xa9", SLICE_ARGS(buf_slice(&out)))
               : buf_slice(&out);
}
