#include "runtime/stream_lines.h"

#include "runtime/base/check.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINES_FIRST_BYTES = 2048
};

void stream_lines_clear(struct stream_lines *lines)
{
    free(lines->ptr);
    *lines = (struct stream_lines){.bytes_max = lines->bytes_max};
}

static void lines_keep(struct stream_lines *lines, struct slice part)
{
    const size_t len = lines->len + part.len;
    size_t cap = lines->cap == 0 ? LINES_FIRST_BYTES : lines->cap;
    while (cap < len) {
        cap *= 2;
    }
    if (cap != lines->cap) {
        lines->ptr = realloc(lines->ptr, cap);
        CHECK(lines->ptr != NULL);
        lines->cap = cap;
    }
    memcpy(lines->ptr + lines->len, part.ptr, part.len);
    lines->len = len;
}

/* A line with what was kept of it and its last part, without white space around it. */
static struct slice lines_finish(struct stream_lines *lines, struct slice last)
{
    if (lines->len == 0) {
        return slice_trim(last);
    }
    lines_keep(lines, last);
    lines->is_taken = true;
    return slice_trim(slice_make(lines->ptr, lines->len));
}

enum rc stream_lines_take(struct stream_lines *lines, struct slice *bytes, struct slice *record)
{
    if (lines->is_taken) {
        stream_lines_clear(lines);
    }
    while (bytes->len > 0) {
        const size_t end = slice_find_byte(*bytes, '\n');
        const bool is_whole = end < bytes->len;
        const struct slice part = slice_first(*bytes, end);
        if (part.len > lines->bytes_max - lines->len) {
            return RC_TOO_BIG;
        }
        *bytes = slice_from(*bytes, is_whole ? end + 1 : end);
        if (!is_whole) {
            lines_keep(lines, part);
            return RC_AGAIN;
        }
        const struct slice line = lines_finish(lines, part);
        if (line.len > 0) {
            *record = line;
            return RC_OK;
        }
        stream_lines_clear(lines);
    }
    return RC_AGAIN;
}
