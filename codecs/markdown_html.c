#include "codecs/markdown_html.h"

#include "codecs/markdown_inline.h"

static bool is_piped(const struct md *md)
{
    return md->lists == 0 && md->tables == 1 && md->headings == 0 && !md->is_bracketed;
}

static void drop_blank_run(struct md *md)
{
    if (slice_trim(buf_slice(&md->run)).len == 0) {
        md->run.len = 0;
    }
}

static void open_item(struct md *md)
{
    int64_t *number = md->lists == 0 ? NULL : &md->numbers[md->lists - 1];
    md_gap(md, 1);
    if (number == NULL || *number == 0) {
        layout_push(&md->layout, SLICE("- "), SLICE("  "));
        return;
    }
    const struct slice first = arena_printf(md->arena, "%lld. ", (long long)*number);
    const struct slice blanks = SLICE("                        ");
    layout_push(&md->layout, first, slice_first(blanks, first.len));
    ++*number;
}

static void open_list(struct md *md, const struct html_event *event)
{
    md_gap(md, md->lists > 0 ? 1 : 2);
    md->numbers[md->lists++] = event->tag == HTML_TAG_OL ? html_event_start(md->walk, event) : 0;
}

static void open_heading(struct md *md, enum html_tag tag)
{
    md_gap(md, 2);
    if (!md->is_in_cell && !md->is_bracketed && md->headings++ == 0) {
        const size_t level = (size_t)(tag - HTML_TAG_H1) + 1;
        layout_put(&md->layout, slice_first(SLICE("######"), level));
        layout_put(&md->layout, SLICE(" "));
    }
}

/* Without a second row the renderer sees no table. */
static void put_head_line(struct md *md)
{
    for (size_t i = 0; i < md->cells; i++) {
        layout_put(&md->layout, SLICE("|---"));
    }
    layout_put(&md->layout, SLICE("|"));
    md_gap(md, 1);
}

static void open_row(struct md *md)
{
    drop_blank_run(md);
    md_gap(md, 1);
    if (md->rows++ == 1 && is_piped(md)) {
        put_head_line(md);
    }
    md->cells = 0;
}

static void close_row(struct md *md)
{
    drop_blank_run(md);
    if (is_piped(md)) {
        md_flush(md);
        layout_put(&md->layout, SLICE("|"));
    }
    md_gap(md, 1);
}

static void open_cell(struct md *md)
{
    drop_blank_run(md);
    if (is_piped(md)) {
        md_flush(md);
        layout_put(&md->layout, SLICE("| "));
        md->is_in_cell = true;
    } else if (md->cells > 0) {
        md_put_text(md, SLICE(" | "));
    }
    md->cells++;
}

static void close_cell(struct md *md)
{
    if (is_piped(md)) {
        md_flush(md);
        md_take_back_all(md);
        md_trim_output(md);
        layout_put(&md->layout, SLICE(" "));
        md->is_in_cell = false;
    }
}

/* Blocks of which only the prefix of their lines counts. Within a cell they have none. */
static void open_prefixed(struct md *md, const struct html_event *event)
{
    if (event->tag == HTML_TAG_BLOCKQUOTE) {
        md_gap(md, 2);
        layout_push(&md->layout, SLICE("> "), SLICE("> "));
    } else if (event->tag == HTML_TAG_LI) {
        open_item(md);
    } else {
        open_list(md, event);
    }
}

static void close_prefixed(struct md *md, enum html_tag tag)
{
    if (tag == HTML_TAG_UL || tag == HTML_TAG_OL) {
        md->lists--;
        md_gap(md, md->lists > 0 ? 1 : 2);
        return;
    }
    md_gap(md, 1);
    layout_pop(&md->layout);
    md_gap(md, tag == HTML_TAG_LI ? 1 : 2);
}

static bool is_prefixed(enum html_tag tag)
{
    return tag == HTML_TAG_BLOCKQUOTE || tag == HTML_TAG_LI || tag == HTML_TAG_UL ||
           tag == HTML_TAG_OL;
}

static bool is_flat(const struct md *md)
{
    return md->is_in_cell || md->is_bracketed || md->headings > 0;
}

static void put_rule(struct md *md)
{
    md_gap(md, 2);
    layout_put(&md->layout, is_flat(md) ? SLICE_EMPTY : SLICE("---"));
    md_gap(md, 2);
}

static void put_spoiler(struct md *md, const struct html_event *event)
{
    struct slice reason = SLICE_EMPTY;
    if (!html_event_attribute(md->walk, event, "data-mx-spoiler", &reason)) {
        return;
    }
    md_put_text(md, SLICE("(spoiler"));
    md_put_text(md, reason.len > 0 ? SLICE(": ") : SLICE_EMPTY);
    md_put_text(md, reason);
    md_put_text(md, SLICE(") "));
}

static bool mark_of(enum html_tag tag, enum mark_kind *kind)
{
    if (tag == HTML_TAG_B || tag == HTML_TAG_STRONG) {
        *kind = MARK_STRONG;
    } else if (tag == HTML_TAG_I || tag == HTML_TAG_EM) {
        *kind = MARK_EM;
    } else if (tag == HTML_TAG_DEL || tag == HTML_TAG_S) {
        *kind = MARK_DEL;
    } else {
        return false;
    }
    return true;
}

static bool is_table_part(enum html_tag tag)
{
    return tag == HTML_TAG_TR || tag == HTML_TAG_TD || tag == HTML_TAG_TH;
}

static bool is_heading(enum html_tag tag)
{
    return tag >= HTML_TAG_H1 && tag <= HTML_TAG_H6;
}

static void open_table(struct md *md)
{
    md_gap(md, 2);
    if (md->tables++ == 0) {
        md->rows = 0;
    }
}

/* What is left: distances, the same at both ends. */
static void put_distance(struct md *md, enum html_tag tag)
{
    if (tag == HTML_TAG_P) {
        md_gap(md, 2);
    } else if (tag == HTML_TAG_DIV || tag == HTML_TAG_CAPTION || tag == HTML_TAG_DETAILS ||
               tag == HTML_TAG_SUMMARY) {
        md_gap(md, 1);
    }
}

static void open_block(struct md *md, const struct html_event *event)
{
    const enum html_tag tag = event->tag;
    if (is_heading(tag)) {
        open_heading(md, tag);
    } else if (is_prefixed(tag) && is_flat(md)) {
        md_gap(md, 1);
    } else if (is_prefixed(tag)) {
        open_prefixed(md, event);
    } else if (tag == HTML_TAG_TABLE) {
        open_table(md);
    } else if (is_table_part(tag) && md->tables > 1) {
        md_put_text(md, SLICE(" "));
    } else if (tag == HTML_TAG_TR) {
        open_row(md);
    } else if (tag == HTML_TAG_TD || tag == HTML_TAG_TH) {
        open_cell(md);
    } else if (tag == HTML_TAG_HR) {
        put_rule(md);
    } else {
        put_distance(md, tag);
    }
}

static void open_element(struct md *md, const struct html_event *event)
{
    enum mark_kind kind = MARK_EM;
    if (mark_of(event->tag, &kind)) {
        md_open_mark(md, kind);
    } else if (event->tag == HTML_TAG_BR) {
        md_put_break(md);
    } else if (event->tag == HTML_TAG_A) {
        md_open_link(md, event);
    } else if (event->tag == HTML_TAG_IMG) {
        md_put_image(md, event);
    } else if (event->tag == HTML_TAG_SPAN) {
        put_spoiler(md, event);
    } else {
        open_block(md, event);
    }
}

static void close_heading(struct md *md)
{
    md_flush(md);
    md_trim_output(md);
    md->headings -= md->is_in_cell || md->is_bracketed ? 0 : 1;
    md_gap(md, 2);
}

static void close_element(struct md *md, enum html_tag tag)
{
    enum mark_kind kind = MARK_EM;
    if (mark_of(tag, &kind)) {
        md_close_mark(md, kind);
    } else if (tag == HTML_TAG_A) {
        md_close_link(md);
    } else if (is_heading(tag)) {
        close_heading(md);
    } else if (is_prefixed(tag) && is_flat(md)) {
        md_gap(md, 1);
    } else if (is_prefixed(tag)) {
        close_prefixed(md, tag);
    } else if (tag == HTML_TAG_TABLE) {
        md->tables--;
        md_gap(md, 2);
    } else if (is_table_part(tag) && md->tables > 1) {
        md_put_text(md, SLICE(" "));
    } else if (tag == HTML_TAG_TR) {
        close_row(md);
    } else if (tag == HTML_TAG_TD || tag == HTML_TAG_TH) {
        close_cell(md);
    } else {
        put_distance(md, tag);
    }
}

static bool is_code(enum html_tag tag)
{
    return tag == HTML_TAG_PRE || tag == HTML_TAG_CODE;
}

static void open_code(struct md *md, const struct html_event *event)
{
    if (md->pre + md->code == 0) {
        md->verbatim.len = 0;
        md->language = SLICE_EMPTY;
    }
    if (event->tag == HTML_TAG_PRE) {
        md->pre++;
        return;
    }
    if (md->pre > 0) {
        md->language = html_event_language(md->walk, event);
    }
    md->code++;
}

static void close_code(struct md *md, enum html_tag tag)
{
    const bool had_pre = md->pre > 0;
    md->pre -= tag == HTML_TAG_PRE ? 1 : 0;
    md->code -= tag == HTML_TAG_CODE ? 1 : 0;
    if (md->pre + md->code > 0) {
        return;
    }
    if (had_pre) {
        md_put_fence(md);
    } else {
        md_put_code(md);
    }
}

/* Within code markup means nothing to Gitter. */
static void take_verbatim(struct md *md, const struct html_event *event)
{
    if (event->kind == HTML_TEXT || event->kind == HTML_MATH) {
        buf_put(&md->verbatim, event->text);
    } else if (event->kind == HTML_OPEN && event->tag == HTML_TAG_BR) {
        BUF_PUT(&md->verbatim, "\n");
    }
}

static void take_event(struct md *md, const struct html_event *event)
{
    if (event->kind == HTML_OPEN && is_code(event->tag)) {
        open_code(md, event);
    } else if (event->kind == HTML_CLOSE && is_code(event->tag)) {
        close_code(md, event->tag);
    } else if (md->pre + md->code > 0) {
        take_verbatim(md, event);
    } else if (event->kind == HTML_OPEN) {
        open_element(md, event);
    } else if (event->kind == HTML_CLOSE) {
        close_element(md, event->tag);
    } else if (event->kind == HTML_TEXT) {
        md_put_text(md, event->text);
    } else {
        md_put_math(md, event->text);
    }
}

struct slice
markdown_html_write(struct arena *arena, struct html_walk *walk, struct slice ghost_prefix)
{
    struct md *md = ARENA_NEW(arena, struct md);
    md->arena = arena;
    md->walk = walk;
    md->ghost_prefix = ghost_prefix;
    layout_init(&md->layout, arena);
    buf_init(&md->run, arena);
    buf_init(&md->verbatim, arena);

    struct html_event event = html_walk_next(walk);
    for (; event.kind != HTML_END; event = html_walk_next(walk)) {
        take_event(md, &event);
    }
    md_gap(md, 1);
    return layout_slice(&md->layout);
}
