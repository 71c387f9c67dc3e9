#include "codecs/html.h"

#include "codecs/emoji.h"
#include "codecs/html_plain.h"
#include "codecs/html_walk.h"

struct writer {
    struct arena *arena;
    struct html_walk *walk;
    struct buf out;
    bool written[HTML_DEPTH_MAX]; /* which of the open elements were written */
    size_t depth;
    size_t code;
    size_t pre;
    size_t links; /* open ones, whether or not they have an address we write */
};

static void put_attribute(struct writer *writer, struct slice name, struct slice value)
{
    BUF_PUT(&writer->out, " ");
    buf_put(&writer->out, name);
    BUF_PUT(&writer->out, "=\"");
    html_put_escaped(&writer->out, value);
    BUF_PUT(&writer->out, "\"");
}

static void put_link_start(struct writer *writer, struct slice href)
{
    BUF_PUT(&writer->out, "<a");
    put_attribute(writer, SLICE("href"), href);
    BUF_PUT(&writer->out, ">");
}

static void put_image(struct writer *writer, const struct html_event *event)
{
    struct slice alt = SLICE_EMPTY;
    const struct slice src = html_event_link(writer->walk, event, "src");
    (void)html_event_attribute(writer->walk, event, "alt", &alt);
    if (writer->links > 0 || src.len == 0) {
        html_put_escaped(&writer->out, alt);
        return;
    }
    put_link_start(writer, src);
    html_put_escaped(&writer->out, slice_trim(alt).len > 0 ? alt : src);
    BUF_PUT(&writer->out, "</a>");
}

static void put_start_tag(struct writer *writer, const struct html_event *event)
{
    BUF_PUT(&writer->out, "<");
    buf_put(&writer->out, html_tag_name(event->tag));
    if (event->tag == HTML_TAG_CODE && writer->pre > 0) {
        const struct slice language = html_event_language(writer->walk, event);
        if (language.len > 0) {
            const struct slice value =
                arena_printf(writer->arena, "language-%.*s", SLICE_ARGS(language));
            put_attribute(writer, SLICE("class"), value);
        }
    }
    if (event->tag == HTML_TAG_OL && html_event_start(writer->walk, event) > 1) {
        const long long start = html_event_start(writer->walk, event);
        put_attribute(writer, SLICE("start"), arena_printf(writer->arena, "%lld", start));
    }
    BUF_PUT(&writer->out, ">");
}

/* True if something was opened that needs an end tag. */
static bool open_element(struct writer *writer, const struct html_event *event)
{
    if (event->tag == HTML_TAG_SPAN || event->tag == HTML_TAG_DIV) {
        return false;
    }
    if (event->tag == HTML_TAG_IMG) {
        put_image(writer, event);
        return false;
    }
    if (event->tag == HTML_TAG_A) {
        const struct slice href = html_event_link(writer->walk, event, "href");
        const bool is_written = href.len > 0 && writer->links == 1;
        if (is_written) {
            put_link_start(writer, href);
        }
        return is_written;
    }
    put_start_tag(writer, event);
    return event->tag != HTML_TAG_BR && event->tag != HTML_TAG_HR;
}

static void count_open(struct writer *writer, enum html_tag tag)
{
    writer->links += tag == HTML_TAG_A ? 1 : 0;
    writer->code += tag == HTML_TAG_CODE ? 1 : 0;
    writer->pre += tag == HTML_TAG_PRE ? 1 : 0;
}

static void close_element(struct writer *writer, enum html_tag tag)
{
    writer->links -= tag == HTML_TAG_A ? 1 : 0;
    writer->code -= tag == HTML_TAG_CODE ? 1 : 0;
    writer->pre -= tag == HTML_TAG_PRE ? 1 : 0;
    if (writer->written[--writer->depth]) {
        BUF_PUT(&writer->out, "</");
        buf_put(&writer->out, html_tag_name(tag));
        BUF_PUT(&writer->out, ">");
    }
}

static void put_text(struct writer *writer, struct slice text)
{
    const bool as_is = writer->code > 0 || writer->pre > 0 || writer->links > 0;
    html_put_escaped(&writer->out, as_is ? text : emoji_expand(writer->arena, text));
}

/* The code inside is for clients that do not draw mathematics. */
static void put_math(struct writer *writer, struct slice tex)
{
    BUF_PUT(&writer->out, "<span");
    put_attribute(writer, SLICE("data-mx-maths"), tex);
    BUF_PUT(&writer->out, "><code>");
    html_put_escaped(&writer->out, tex);
    BUF_PUT(&writer->out, "</code></span>");
}

static struct slice write_html(struct arena *arena, struct html_walk *walk)
{
    struct writer *writer = ARENA_NEW(arena, struct writer);
    writer->arena = arena;
    writer->walk = walk;
    buf_init(&writer->out, arena);

    struct html_event event = html_walk_next(walk);
    for (; event.kind != HTML_END; event = html_walk_next(walk)) {
        if (event.kind == HTML_OPEN) {
            count_open(writer, event.tag);
            const bool is_written = open_element(writer, &event);
            writer->written[writer->depth++] = is_written;
        } else if (event.kind == HTML_CLOSE) {
            close_element(writer, event.tag);
        } else if (event.kind == HTML_TEXT) {
            put_text(writer, event.text);
        } else {
            put_math(writer, event.text);
        }
    }
    return slice_trim(buf_slice(&writer->out));
}

/* Cuts between characters. */
static struct slice cut_body(struct slice text)
{
    struct slice cut = slice_first(text, MATRIX_BODY_BYTES_MAX);
    while (cut.len < text.len && ((unsigned char)text.ptr[cut.len] & 0xc0U) == 0x80U) {
        cut.len--;
    }
    return cut;
}

enum rc html_gitter_to_matrix(struct arena *arena, struct slice html, struct html_text *out)
{
    struct html_walk *walk = NULL;
    const enum rc rc = html_walk_open(arena, html, &walk);
    *out = (struct html_text){.is_plain = true};
    if (rc != RC_OK) {
        out->plain = cut_body(html_plain_strip(arena, slice_first(html, HTML_BYTES_MAX)));
        return rc;
    }
    bool is_plain = true;
    out->plain = cut_body(html_plain_write(arena, walk, &is_plain));
    html_walk_rewind(walk);
    const struct slice written = write_html(arena, walk);
    if (written.len > MATRIX_HTML_BYTES_MAX) {
        return RC_TOO_BIG;
    }
    out->is_plain = is_plain;
    out->html = written;
    return RC_OK;
}

struct slice html_drop_leading_mention(struct arena *arena, struct slice html, struct slice name)
{
    const struct slice paragraph =
        slice_starts_with(html, SLICE("<p>")) ? SLICE("<p>") : SLICE_EMPTY;
    const struct slice start = SLICE("<span data-link-type=\"mention\" ");
    const struct slice rest = slice_from(html, paragraph.len);
    if (!slice_starts_with(rest, start)) {
        return html;
    }
    const struct slice inside = slice_from(rest, slice_find_byte(rest, '>') + 1);
    const struct slice wanted = arena_printf(arena, "@%.*s</span>", SLICE_ARGS(name));
    if (!slice_equal_fold(slice_first(inside, wanted.len), wanted)) {
        return html;
    }
    struct slice left = slice_from(inside, wanted.len);
    left = slice_from(left, slice_starts_with(left, SLICE(" ")) ? 1 : 0);
    return arena_printf(arena, "%.*s%.*s", SLICE_ARGS(paragraph), SLICE_ARGS(left));
}
