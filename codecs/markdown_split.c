#include "codecs/markdown.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"

enum {
    UNITS_MIN = 64,
    PARTS_FIRST = 4
};

struct split {
    struct arena *arena;
    size_t units_max;
    struct buf part;
    struct slice fence; /* the line that opened the code at hand; empty outside of code */
    bool has_text;      /* the part holds more than a reopened fence */
    struct slice *parts;
    size_t count;
    size_t cap;
};

static size_t units_of_lead(unsigned char byte)
{
    if ((byte & 0xc0U) == 0x80U) {
        return 0;
    }
    return byte >= 0xf0 ? 2 : 1;
}

size_t markdown_utf16_units(struct slice text)
{
    size_t units = 0;
    for (size_t i = 0; i < text.len; i++) {
        units += units_of_lead((unsigned char)text.ptr[i]);
    }
    return units;
}

/* The back quotes or tildes a fence line consists of, behind what quotes and lists put before
 * them; empty if the line is none. */
static struct slice fence_marks(struct slice line)
{
    while (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '>' || line.ptr[0] == '-')) {
        line = slice_from(line, 1);
    }
    size_t len = 0;
    while (len < line.len && (line.ptr[0] == '`' || line.ptr[0] == '~') &&
           line.ptr[len] == line.ptr[0]) {
        len++;
    }
    return len >= 3 ? slice_first(line, len) : SLICE_EMPTY;
}

/* What closes the open fence: its line up to the marks, list bullets as blanks. */
static struct slice closing_line(const struct split *split)
{
    struct buf out;
    buf_init(&out, split->arena);
    const struct slice marks = fence_marks(split->fence);
    for (const char *at = split->fence.ptr; at < marks.ptr; at++) {
        buf_put_byte(&out, *at == '-' ? ' ' : *at);
    }
    buf_put(&out, marks);
    return buf_slice(&out);
}

/* Units of the part once another line is begun, and of what would close it. */
static size_t units_used(const struct split *split)
{
    const size_t used = markdown_utf16_units(buf_slice(&split->part)) + 1;
    return used + (split->fence.len > 0 ? markdown_utf16_units(closing_line(split)) + 1 : 0);
}

static void put_line(struct split *split, struct slice line)
{
    if (split->part.len > 0) {
        BUF_PUT(&split->part, "\n");
    }
    buf_put(&split->part, line);
}

static void end_part(struct split *split)
{
    if (split->fence.len > 0) {
        put_line(split, closing_line(split));
    }
    if (split->count == split->cap) {
        const size_t cap = split->cap == 0 ? PARTS_FIRST : 2 * split->cap;
        split->parts = arena_grow(split->arena, split->parts, split->count * sizeof *split->parts,
                                  cap * sizeof *split->parts);
        split->cap = cap;
    }
    if (split->has_text) {
        split->parts[split->count++] = arena_copy(split->arena, buf_slice(&split->part));
    }
    split->has_text = false;
    split->part.len = 0;
    if (split->fence.len > 0) {
        put_line(split, split->fence);
    }
}

/* How much of a line goes into that many units: up to a blank if one is in its last half, and
 * never between a backslash and what it escapes. */
static size_t cut_length(struct slice line, size_t units)
{
    size_t at = 0;
    size_t used = 0;
    size_t blank = 0;
    while (at < line.len) {
        used += units_of_lead((unsigned char)line.ptr[at]);
        if (used > units) {
            break;
        }
        blank = line.ptr[at] == ' ' ? at : blank;
        at++;
    }
    if (at == line.len || blank > at / 2) {
        return at == line.len ? at : blank;
    }
    size_t backslashes = 0;
    while (backslashes < at && line.ptr[at - 1 - backslashes] == '\\') {
        backslashes++;
    }
    return at - backslashes % 2;
}

/* What goes on in a new message begins a line there, where a few marks mean something. */
static struct slice begin_rest(struct split *split, struct slice rest)
{
    if (split->fence.len > 0) {
        return rest;
    }
    while (slice_starts_with(rest, SLICE(" "))) {
        rest = slice_from(rest, 1);
    }
    const char first = rest.len > 0 ? rest.ptr[0] : ' ';
    if (first == '#' || first == '>' || first == '-' || first == '+') {
        return arena_printf(split->arena, "\\%.*s", SLICE_ARGS(rest));
    }
    return rest;
}

static void take_line(struct split *split, struct slice line)
{
    while (units_used(split) + markdown_utf16_units(line) > split->units_max) {
        const size_t used = units_used(split);
        const size_t room = used < split->units_max ? split->units_max - used : 0;
        const bool fits_another = markdown_utf16_units(line) <= split->units_max / 2;
        /* a part full of blank lines says nothing: end_part drops it */
        if ((split->has_text && fits_another) || room < split->units_max / 2) {
            end_part(split);
            continue;
        }
        const size_t len = cut_length(line, room);
        put_line(split, slice_first(line, len));
        split->has_text = true;
        line = begin_rest(split, slice_from(line, len));
        end_part(split);
    }
    put_line(split, line);
    split->has_text = split->has_text || slice_trim(line).len > 0;
}

/* Fences whose line alone would fill a part are no reason to keep them. */
static void follow_fence(struct split *split, struct slice line)
{
    const struct slice marks = fence_marks(line);
    if (marks.len == 0) {
        return;
    }
    if (split->fence.len == 0) {
        const bool is_short = markdown_utf16_units(line) <= split->units_max / 8;
        split->fence = is_short ? line : SLICE_EMPTY;
    } else if (slice_equal(marks, fence_marks(split->fence))) {
        split->fence = SLICE_EMPTY;
    }
}

/* A fence is opened only where something of its code and its end fit too. */
static void make_room_for_fence(struct split *split, struct slice line)
{
    const bool is_opening = split->fence.len == 0 && fence_marks(line).len > 0;
    const size_t wanted = 2 * markdown_utf16_units(line) + split->units_max / 8;
    if (is_opening && split->has_text && units_used(split) + wanted > split->units_max) {
        end_part(split);
    }
}

size_t
markdown_split(struct arena *arena, struct slice markdown, size_t units_max, struct slice **parts)
{
    CHECK(units_max >= UNITS_MIN);
    struct split split = {.arena = arena, .units_max = units_max};
    buf_init(&split.part, arena);
    *parts = NULL;
    if (slice_trim(markdown).len == 0) {
        return 0;
    }
    if (markdown_utf16_units(markdown) <= units_max) {
        *parts = ARENA_NEW(arena, struct slice);
        **parts = markdown;
        return 1;
    }
    while (markdown.ptr != NULL) {
        const struct slice line = slice_cut(&markdown, '\n');
        make_room_for_fence(&split, line);
        take_line(&split, line);
        follow_fence(&split, line);
    }
    split.fence = SLICE_EMPTY;
    end_part(&split);
    *parts = split.parts;
    return split.count;
}
