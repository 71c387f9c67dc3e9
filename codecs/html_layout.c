#include "codecs/html_layout.h"

#include "runtime/base/check.h"

void layout_init(struct layout *layout, struct arena *arena)
{
    *layout = (struct layout){.is_line_start = true};
    buf_init(&layout->out, arena);
}

static struct slice trim_right(struct slice text)
{
    while (text.len > 0 && text.ptr[text.len - 1] == ' ') {
        text.len--;
    }
    return text;
}

/* The prefix of a line without text: quotes go on through it, items that only begin do not. */
static void put_empty_line(struct layout *layout)
{
    size_t used = 0;
    size_t last = 0;
    for (size_t i = 0; i < layout->count; i++) {
        used = layout->prefixes[i].is_used ? i + 1 : used;
    }
    for (size_t i = 0; i < used; i++) {
        last = trim_right(layout->prefixes[i].rest).len > 0 ? i + 1 : last;
    }
    for (size_t i = 0; i < last; i++) {
        const struct slice rest = layout->prefixes[i].rest;
        buf_put(&layout->out, i + 1 == last ? trim_right(rest) : rest);
    }
}

static void put_newlines(struct layout *layout)
{
    const size_t wanted = layout->gap > layout->breaks ? layout->gap : layout->breaks;
    const size_t newlines = layout->out.len == 0 ? 0 : wanted;
    for (size_t i = 0; i < newlines; i++) {
        if (i > 0) {
            put_empty_line(layout);
        }
        buf_put_byte(&layout->out, '\n');
        layout->is_line_start = true;
    }
    layout->gap = 0;
    layout->breaks = 0;
}

static void begin_line(struct layout *layout)
{
    put_newlines(layout);
    if (!layout->is_line_start) {
        return;
    }
    for (size_t i = 0; i < layout->count; i++) {
        struct layout_prefix *prefix = &layout->prefixes[i];
        buf_put(&layout->out, prefix->is_used ? prefix->rest : prefix->first);
        prefix->is_used = true;
    }
    layout->is_line_start = false;
}

void layout_put(struct layout *layout, struct slice text)
{
    if (text.len > 0) {
        begin_line(layout);
        buf_put(&layout->out, text);
    }
}

void layout_break(struct layout *layout)
{
    layout->breaks++;
}

void layout_gap(struct layout *layout, size_t newlines)
{
    const bool is_empty = layout->count > 0 && !layout->prefixes[layout->count - 1].is_used;
    if (!is_empty && newlines > layout->gap) {
        layout->gap = newlines;
    }
}

bool layout_is_line_start(const struct layout *layout)
{
    return layout->is_line_start || layout->gap > 0 || layout->breaks > 0;
}

void layout_push(struct layout *layout, struct slice first, struct slice rest)
{
    CHECK(layout->count < HTML_DEPTH_MAX);
    layout->prefixes[layout->count++] = (struct layout_prefix){.first = first, .rest = rest};
}

void layout_pop(struct layout *layout)
{
    CHECK(layout->count > 0);
    if (!layout->prefixes[layout->count - 1].is_used) {
        begin_line(layout);
    }
    layout->count--;
}

struct slice layout_slice(const struct layout *layout)
{
    return buf_slice(&layout->out);
}
