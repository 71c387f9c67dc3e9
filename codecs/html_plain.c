#include "codecs/html_plain.h"

#include "codecs/emoji.h"
#include "codecs/html_layout.h"

struct plain {
    struct arena *arena;
    struct html_walk *walk;
    struct layout layout;
    bool is_plain;
    bool is_blank_due; /* a newline of the source, which shows as a blank inside a line */
    bool is_row_begun;
    size_t pre;
    size_t code;
    size_t links;
    struct slice language;
    struct buf pre_text;
    struct slice href; /* of the link at hand, empty if it has none */
    struct buf link_text;
    int64_t numbers[HTML_DEPTH_MAX]; /* next number of each open list; 0 for bullets */
    size_t lists;
};

static void put(struct plain *plain, struct slice text)
{
    layout_put(&plain->layout, text);
    if (plain->links > 0) {
        buf_put(&plain->link_text, text);
    }
}

static bool is_blank(struct slice text)
{
    return slice_trim(text).len == 0;
}

/* Newlines in Gitter's HTML stand between blocks, or come from code that ran over lines; all other
 * blanks are the writer's own and stay. */
static void put_flow(struct plain *plain, struct slice text)
{
    while (text.ptr != NULL) {
        const struct slice line = slice_cut(&text, '\n');
        const bool is_start = layout_is_line_start(&plain->layout);
        if (!(is_start && is_blank(line)) && line.len > 0) {
            if (plain->is_blank_due && !is_start) {
                put(plain, SLICE(" "));
            }
            plain->is_blank_due = false;
            put(plain, line);
        }
        plain->is_blank_due = plain->is_blank_due || text.ptr != NULL;
    }
}

static void put_text(struct plain *plain, struct slice text)
{
    if (plain->pre > 0) {
        buf_put(&plain->pre_text, text);
    } else if (plain->code > 0 || plain->links > 0) {
        put_flow(plain, text);
    } else {
        put_flow(plain, emoji_expand(plain->arena, text));
    }
}

static void gap(struct plain *plain, size_t newlines)
{
    plain->is_blank_due = false;
    layout_gap(&plain->layout, newlines);
}

static void put_fence(struct plain *plain)
{
    struct slice text = buf_slice(&plain->pre_text);
    while (text.len > 0 && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    gap(plain, 2);
    put(plain, SLICE("```"));
    put(plain, plain->language);
    layout_break(&plain->layout);
    while (text.ptr != NULL) {
        put(plain, slice_cut(&text, '\n'));
        layout_break(&plain->layout);
    }
    put(plain, SLICE("```"));
    gap(plain, 2);
}

static void open_item(struct plain *plain)
{
    int64_t *number = plain->lists == 0 ? NULL : &plain->numbers[plain->lists - 1];
    gap(plain, 1);
    if (number == NULL || *number == 0) {
        layout_push(&plain->layout, SLICE("- "), SLICE("  "));
        return;
    }
    const struct slice first = arena_printf(plain->arena, "%lld. ", (long long)*number);
    const struct slice blanks = SLICE("                        ");
    layout_push(&plain->layout, first, slice_first(blanks, first.len));
    ++*number;
}

static void open_list(struct plain *plain, const struct html_event *event)
{
    gap(plain, plain->lists > 0 ? 1 : 2);
    plain->numbers[plain->lists++] =
        event->tag == HTML_TAG_OL ? html_event_start(plain->walk, event) : 0;
}

static void put_image(struct plain *plain, const struct html_event *event)
{
    struct slice alt = SLICE_EMPTY;
    const struct slice src = html_event_link(plain->walk, event, "src");
    (void)html_event_attribute(plain->walk, event, "alt", &alt);
    if (plain->links > 0 || src.len == 0) {
        put_flow(plain, alt);
        return;
    }
    if (!is_blank(alt)) {
        put_flow(plain, alt);
        put(plain, SLICE(" ("));
    }
    put(plain, src);
    put(plain, is_blank(alt) ? SLICE_EMPTY : SLICE(")"));
}

static void open_link(struct plain *plain, const struct html_event *event)
{
    plain->links++;
    plain->href = html_event_link(plain->walk, event, "href");
    plain->link_text.len = 0;
}

static void close_link(struct plain *plain)
{
    const struct slice shown = slice_trim(buf_slice(&plain->link_text));
    plain->links--;
    if (plain->href.len == 0 || html_link_is_shown(shown, plain->href)) {
        return;
    }
    plain->is_plain = false;
    const bool has_text = shown.len > 0;
    put(plain, has_text ? SLICE(" (") : SLICE_EMPTY);
    put(plain, plain->href);
    put(plain, has_text ? SLICE(")") : SLICE_EMPTY);
}

static void put_heading(struct plain *plain, enum html_tag tag)
{
    gap(plain, 2);
    put(plain, slice_first(SLICE("######"), (size_t)(tag - HTML_TAG_H1) + 1));
    put(plain, SLICE(" "));
}

static void open_cell(struct plain *plain)
{
    plain->is_blank_due = false;
    put(plain, plain->is_row_begun ? SLICE(" | ") : SLICE_EMPTY);
    plain->is_row_begun = true;
}

static void open_code(struct plain *plain, const struct html_event *event)
{
    plain->code++;
    if (plain->pre > 0) {
        plain->language = html_event_language(plain->walk, event);
    } else {
        put_flow(plain, SLICE("`"));
    }
}

static void open_pre(struct plain *plain)
{
    plain->pre++;
    plain->language = SLICE_EMPTY;
    plain->pre_text.len = 0;
}

static void open_quote(struct plain *plain)
{
    gap(plain, 2);
    layout_push(&plain->layout, SLICE("> "), SLICE("> "));
}

/* The writer typed these marks, and where they were no markup (2*3*4) they are even needed. */
static void put_mark(struct plain *plain, enum html_tag tag)
{
    if (tag == HTML_TAG_B || tag == HTML_TAG_STRONG) {
        put_flow(plain, SLICE("**"));
    } else if (tag == HTML_TAG_I || tag == HTML_TAG_EM) {
        put_flow(plain, SLICE("*"));
    } else if (tag == HTML_TAG_DEL || tag == HTML_TAG_S) {
        put_flow(plain, SLICE("~~"));
    }
}

/* Elements that need no more than a distance or a mark, the same at both ends. */
static void put_simple(struct plain *plain, enum html_tag tag)
{
    if (tag == HTML_TAG_P || tag == HTML_TAG_TABLE) {
        gap(plain, 2);
    } else if (tag == HTML_TAG_DIV || tag == HTML_TAG_TR || tag == HTML_TAG_CAPTION ||
               tag == HTML_TAG_DETAILS || tag == HTML_TAG_SUMMARY) {
        gap(plain, 1);
    } else if (plain->pre == 0) {
        put_mark(plain, tag);
    }
}

static void open_block(struct plain *plain, const struct html_event *event)
{
    const enum html_tag tag = event->tag;
    if (tag >= HTML_TAG_H1 && tag <= HTML_TAG_H6) {
        put_heading(plain, tag);
    } else if (tag == HTML_TAG_BLOCKQUOTE) {
        open_quote(plain);
    } else if (tag == HTML_TAG_UL || tag == HTML_TAG_OL) {
        open_list(plain, event);
    } else if (tag == HTML_TAG_LI) {
        open_item(plain);
    } else if (tag == HTML_TAG_PRE) {
        open_pre(plain);
    } else if (tag == HTML_TAG_HR) {
        gap(plain, 2);
        put(plain, SLICE("---"));
        gap(plain, 2);
    } else {
        plain->is_row_begun = plain->is_row_begun && tag != HTML_TAG_TR;
        put_simple(plain, tag);
    }
}

static void open_element(struct plain *plain, const struct html_event *event)
{
    const enum html_tag tag = event->tag;
    plain->is_plain =
        plain->is_plain && (tag == HTML_TAG_P || tag == HTML_TAG_BR || tag == HTML_TAG_A ||
                            tag == HTML_TAG_SPAN || tag == HTML_TAG_DIV);
    if (tag == HTML_TAG_BR) {
        plain->is_blank_due = false;
        layout_break(&plain->layout);
    } else if (tag == HTML_TAG_A) {
        open_link(plain, event);
    } else if (tag == HTML_TAG_IMG) {
        put_image(plain, event);
    } else if (tag == HTML_TAG_CODE) {
        open_code(plain, event);
    } else if (tag == HTML_TAG_TD || tag == HTML_TAG_TH) {
        open_cell(plain);
    } else {
        open_block(plain, event);
    }
}

static void close_code(struct plain *plain)
{
    plain->code--;
    if (plain->pre == 0) {
        plain->is_blank_due = false;
        put(plain, SLICE("`"));
    }
}

static void close_pre(struct plain *plain)
{
    if (--plain->pre == 0) {
        put_fence(plain);
    }
}

static void close_element(struct plain *plain, enum html_tag tag)
{
    if (tag == HTML_TAG_A) {
        close_link(plain);
    } else if (tag == HTML_TAG_CODE) {
        close_code(plain);
    } else if (tag == HTML_TAG_PRE) {
        close_pre(plain);
    } else if (tag == HTML_TAG_BLOCKQUOTE || tag == HTML_TAG_LI) {
        plain->is_blank_due = false;
        layout_pop(&plain->layout);
        gap(plain, tag == HTML_TAG_LI ? 1 : 2);
    } else if (tag == HTML_TAG_UL || tag == HTML_TAG_OL) {
        plain->lists--;
        gap(plain, plain->lists > 0 ? 1 : 2);
    } else if (tag >= HTML_TAG_H1 && tag <= HTML_TAG_H6) {
        gap(plain, 2);
    } else {
        put_simple(plain, tag);
    }
}

static void put_math(struct plain *plain, struct slice tex)
{
    plain->is_plain = false;
    put_flow(plain, SLICE("$"));
    put_flow(plain, tex);
    put_flow(plain, SLICE("$"));
}

struct slice html_plain_write(struct arena *arena, struct html_walk *walk, bool *is_plain)
{
    struct plain *plain = ARENA_NEW(arena, struct plain);
    plain->arena = arena;
    plain->walk = walk;
    plain->is_plain = true;
    layout_init(&plain->layout, arena);
    buf_init(&plain->pre_text, arena);
    buf_init(&plain->link_text, arena);

    struct html_event event = html_walk_next(walk);
    for (; event.kind != HTML_END; event = html_walk_next(walk)) {
        if (event.kind == HTML_OPEN) {
            open_element(plain, &event);
        } else if (event.kind == HTML_CLOSE) {
            close_element(plain, event.tag);
        } else if (event.kind == HTML_TEXT) {
            put_text(plain, event.text);
        } else {
            put_math(plain, event.text);
        }
    }
    *is_plain = plain->is_plain;
    return layout_slice(&plain->layout);
}

static struct slice reference_text(struct slice name)
{
    static const struct {
        struct slice name;
        struct slice text;
    } references[] = {
        {SLICE_INIT("amp"), SLICE_INIT("&")}, {SLICE_INIT("lt"), SLICE_INIT("<")},
        {SLICE_INIT("gt"), SLICE_INIT(">")},  {SLICE_INIT("quot"), SLICE_INIT("\"")},
        {SLICE_INIT("#39"), SLICE_INIT("'")},
    };
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        if (slice_equal(references[i].name, name)) {
            return references[i].text;
        }
    }
    return SLICE_EMPTY;
}

struct slice html_plain_strip(struct arena *arena, struct slice html)
{
    struct buf out;
    buf_init(&out, arena);
    for (size_t i = 0; i < html.len; i++) {
        const struct slice rest = slice_from(html, i + 1);
        const char end = html.ptr[i] == '<' ? '>' : ';';
        const size_t len =
            slice_find_byte(slice_first(rest, html.ptr[i] == '<' ? rest.len : 5), end);
        const struct slice reference = reference_text(slice_first(rest, len));
        if (html.ptr[i] == '<') {
            buf_put(&out, slice_starts_with(rest, SLICE("br>")) ? SLICE("\n") : SLICE_EMPTY);
            i += len + 1;
        } else if (html.ptr[i] == '&' && reference.len > 0) {
            buf_put(&out, reference);
            i += len + 1;
        } else {
            buf_put_byte(&out, html.ptr[i]);
        }
    }
    return slice_trim(html_clean_text(arena, buf_slice(&out)));
}
