#include "codecs/markdown_inline.h"

#include "codecs/markdown_escape.h"

enum {
    WORD_BYTES_MAX = 2048 /* how far back a URL is looked for */
};

static const struct slice mark_text[MARKS] = {
    [MARK_EM] = SLICE_INIT("*"),
    [MARK_STRONG] = SLICE_INIT("__"),
    [MARK_DEL] = SLICE_INIT("~~"),
};

static struct slice output(const struct md *md)
{
    return layout_slice(&md->layout);
}

static bool is_line_start(const struct md *md)
{
    return layout_is_line_start(&md->layout) || output(md).len == 0;
}

/* Marks may be taken back, so what comes first behind them must do without. */
static bool is_first_in_line(const struct md *md)
{
    if (is_line_start(md)) {
        return true;
    }
    for (size_t i = 0; i < MARKS; i++) {
        const struct mark *mark = &md->marks[i];
        if (mark->is_put && mark->is_first && mark->text_at == output(md).len) {
            return true;
        }
    }
    return false;
}

static unsigned places(const struct md *md)
{
    unsigned result = MARKDOWN_RUN;
    result |=
        is_first_in_line(md) && md->headings == 0 && !md->is_in_cell ? MARKDOWN_LINE_START : 0;
    result |= md->is_bracketed ? MARKDOWN_IN_LINK : 0;
    result |= md->headings > 0 ? MARKDOWN_IN_HEADING : 0;
    result |= md->is_in_cell ? MARKDOWN_IN_CELL : 0;
    return result;
}

void md_detach(struct md *md)
{
    const struct slice text = output(md);
    size_t at = text.len;
    if (is_line_start(md)) {
        return;
    }
    while (at > 0 && text.len - at < WORD_BYTES_MAX && text.ptr[at - 1] != ' ' &&
           text.ptr[at - 1] != '\n') {
        at--;
    }
    const struct slice word = slice_from(text, at);
    if (slice_find(word, SLICE("://")) < word.len || slice_find_byte(word, '@') < word.len) {
        layout_put(&md->layout, SLICE(" "));
    }
}

void md_flush(struct md *md)
{
    struct slice text = buf_slice(&md->run);
    if (is_line_start(md)) {
        while (slice_starts_with(text, SLICE(" "))) {
            text = slice_from(text, 1);
        }
    }
    if (md->is_glued && text.len > 0 && text.ptr[0] != ' ') {
        md_detach(md);
    }
    md->is_glued = md->is_glued && text.len == 0;
    struct buf escaped;
    buf_init(&escaped, md->arena);
    markdown_put_escaped(&escaped, text, places(md));
    layout_put(&md->layout, buf_slice(&escaped));
    md->run.len = 0;
}

void md_trim_output(struct md *md)
{
    struct buf *out = &md->layout.out;
    while (out->len > 0 && out->ptr[out->len - 1] == ' ' && !md->layout.is_line_start) {
        out->len--;
    }
}

static void remove_bytes(struct md *md, size_t at, size_t len)
{
    struct buf *out = &md->layout.out;
    const struct slice tail = arena_copy(md->arena, slice_from(output(md), at + len));
    out->len = at;
    buf_put(out, tail);
    for (size_t i = 0; i < MARKS; i++) {
        struct mark *mark = &md->marks[i];
        mark->at -= mark->is_put && mark->at > at ? len : 0;
        mark->text_at -= mark->is_put && mark->text_at > at ? len : 0;
        mark->end = 0;
    }
    md->link_at -= md->is_bracketed && md->link_at > at ? len : 0;
}

static void take_back(struct md *md, enum mark_kind kind)
{
    struct mark *mark = &md->marks[kind];
    if (mark->is_put) {
        mark->is_put = false;
        remove_bytes(md, mark->at, mark_text[kind].len);
    }
}

void md_take_back_all(struct md *md)
{
    for (size_t i = 0; i < MARKS; i++) {
        take_back(md, (enum mark_kind)i);
    }
}

void md_open_mark(struct md *md, enum mark_kind kind)
{
    struct mark *mark = &md->marks[kind];
    if (mark->open++ > 0) {
        return;
    }
    md_flush(md);
    if (mark->end > 0 && mark->end == output(md).len && !layout_is_line_start(&md->layout)) {
        /* directly behind another of its kind: one goes on */
        md->layout.out.len -= mark_text[kind].len;
        mark->at = mark->last_at;
        md->is_glued = true;
    } else {
        md_detach(md);
        if (!layout_is_line_start(&md->layout) && slice_ends_with(output(md), mark_text[kind])) {
            layout_put(&md->layout, SLICE(" "));
        }
        mark->is_first = is_first_in_line(md);
        layout_put(&md->layout, mark_text[kind]);
        mark->at = output(md).len - mark_text[kind].len;
    }
    mark->text_at = mark->at + mark_text[kind].len;
    mark->is_put = true;
    mark->end = 0;
}

/* The renderer's patterns do not know escapes: a mark within the text would be the end. */
static bool mark_is_sound(enum mark_kind kind, struct slice text)
{
    const struct slice trimmed = slice_trim(text);
    if (trimmed.len == 0 || slice_find(text, mark_text[kind]) < text.len) {
        return false;
    }
    if (kind == MARK_DEL) {
        return trimmed.len == text.len && !slice_ends_with(text, SLICE("~"));
    }
    return kind == MARK_STRONG || trimmed.ptr == text.ptr;
}

/* To the renderer all marks are good in the name of a mail address. */
static bool mark_is_in_mail(const struct md *md, enum mark_kind kind, struct slice text)
{
    const size_t at = md->marks[kind].at;
    const char before = at == 0 ? ' ' : output(md).ptr[at - 1];
    const struct slice word = slice_first(text, slice_find_byte(text, ' '));
    return (kind == MARK_DEL || (before != ' ' && before != '\n')) &&
           slice_find_byte(word, '@') < word.len;
}

void md_close_mark(struct md *md, enum mark_kind kind)
{
    struct mark *mark = &md->marks[kind];
    if (--mark->open > 0 || !mark->is_put) {
        return;
    }
    md_flush(md);
    const struct slice text = slice_from(output(md), mark->text_at);
    if (!mark_is_sound(kind, text) || mark_is_in_mail(md, kind, text)) {
        take_back(md, kind);
        md->is_glued = true;
        return;
    }
    mark->is_put = false;
    mark->last_at = mark->at;
    layout_put(&md->layout, mark_text[kind]);
    mark->end = output(md).len;
}

void md_gap(struct md *md, size_t newlines)
{
    md_flush(md);
    if (md->is_in_cell || md->is_bracketed || md->headings > 0) {
        buf_put_byte(&md->run, ' ');
        return;
    }
    md_trim_output(md);
    md_take_back_all(md);
    layout_gap(&md->layout, newlines);
}

void md_put_break(struct md *md)
{
    if (md->is_in_cell || md->headings > 0 || md->is_bracketed) {
        buf_put_byte(&md->run, ' ');
        return;
    }
    md_flush(md);
    md_trim_output(md);
    if (md->layout.breaks > 0) {
        md_take_back_all(md);
    }
    layout_break(&md->layout);
}

void md_put_text(struct md *md, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        const bool is_blank = c == ' ' || c == '\n' || c == '\t';
        const char before = md->run.len == 0 ? '\0' : md->run.ptr[md->run.len - 1];
        if (!is_blank) {
            buf_put_byte(&md->run, c);
        } else if (before != ' ') {
            buf_put_byte(&md->run, ' ');
        }
    }
}

static size_t longest_run(struct slice text, char byte)
{
    size_t longest = 0;
    size_t run = 0;
    for (size_t i = 0; i < text.len; i++) {
        run = text.ptr[i] == byte ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static struct slice ticks(struct md *md, size_t count)
{
    struct buf out;
    buf_init(&out, md->arena);
    for (size_t i = 0; i < count; i++) {
        BUF_PUT(&out, "`");
    }
    return buf_slice(&out);
}

static struct slice one_line(struct md *md, struct slice text)
{
    struct buf out;
    buf_init(&out, md->arena);
    for (size_t i = 0; i < text.len; i++) {
        buf_put_byte(&out, text.ptr[i] == '\n' || text.ptr[i] == '\t' ? ' ' : text.ptr[i]);
    }
    return slice_trim(buf_slice(&out));
}

/* Two spans in a row would be one, and back quotes are good in the name of a mail address. */
static bool code_needs_distance(const struct md *md, struct slice code)
{
    const struct slice word = slice_first(code, slice_find_byte(code, ' '));
    return !is_line_start(md) &&
           (slice_ends_with(output(md), SLICE("`")) || slice_find_byte(word, '@') < word.len);
}

void md_put_code(struct md *md)
{
    const struct slice code = one_line(md, buf_slice(&md->verbatim));
    const struct slice fence = ticks(md, longest_run(code, '`') + 1);
    if (code.len == 0) {
        return;
    }
    if (md->is_bracketed || (md->is_in_cell && slice_find_byte(code, '|') < code.len)) {
        md_put_text(md, code);
        return;
    }
    md_flush(md);
    md_detach(md);
    if (code_needs_distance(md, code)) {
        layout_put(&md->layout, SLICE(" "));
    }
    const bool needs_blanks = code.ptr[0] == '`' || code.ptr[code.len - 1] == '`';
    layout_put(&md->layout, fence);
    layout_put(&md->layout, needs_blanks ? SLICE(" ") : SLICE_EMPTY);
    layout_put(&md->layout, code);
    layout_put(&md->layout, needs_blanks ? SLICE(" ") : SLICE_EMPTY);
    layout_put(&md->layout, fence);
}

void md_put_fence(struct md *md)
{
    struct slice text = buf_slice(&md->verbatim);
    while (text.len > 0 && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    if (slice_trim(text).len == 0) {
        return;
    }
    if (md->is_in_cell || md->is_bracketed || md->headings > 0) {
        md_put_code(md);
        return;
    }
    const size_t longest = longest_run(text, '`');
    const struct slice fence = ticks(md, longest < 3 ? 3 : longest + 1);
    md_gap(md, 2);
    layout_put(&md->layout, fence);
    layout_put(&md->layout, md->language);
    layout_break(&md->layout);
    while (text.ptr != NULL) {
        layout_put(&md->layout, slice_cut(&text, '\n'));
        layout_break(&md->layout);
    }
    layout_put(&md->layout, fence);
    md_gap(md, 2);
}

void md_put_math(struct md *md, struct slice tex)
{
    const struct slice line = one_line(md, tex);
    if (line.len == 0) {
        return;
    }
    md_flush(md);
    if (slice_find_byte(line, '$') < line.len || md->is_bracketed || md->is_in_cell) {
        md->verbatim.len = 0;
        buf_put(&md->verbatim, line);
        md_put_code(md);
        return;
    }
    md_detach(md);
    layout_put(&md->layout, SLICE("$$"));
    layout_put(&md->layout, line);
    layout_put(&md->layout, SLICE("$$"));
}
