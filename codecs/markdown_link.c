/* Links and pictures of Matrix HTML, and what Gitter's renderer takes for one. */
#include "codecs/markdown_escape.h"
#include "codecs/markdown_inline.h"

/* https://matrix.to/#/@user:server, the sign perhaps as %40 */
static struct slice pill_user(struct slice href)
{
    const struct slice prefix = SLICE("https://matrix.to/#/");
    const struct slice target = slice_from(href, prefix.len);
    if (!slice_starts_with(href, prefix)) {
        return SLICE_EMPTY;
    }
    if (slice_starts_with(target, SLICE("%40"))) {
        return slice_from(target, 3);
    }
    return slice_starts_with(target, SLICE("@")) ? slice_from(target, 1) : SLICE_EMPTY;
}

/* Gitter puts http:// in front of all but http and https. */
static bool is_linkable(struct slice href)
{
    return slice_starts_with(href, SLICE("http://")) || slice_starts_with(href, SLICE("https://"));
}

static void open_pill(struct md *md, struct slice user)
{
    const struct slice ghost = slice_from(md->ghost_prefix, 1);
    md->is_pill = user.len > 0;
    if (md->is_pill && ghost.len > 0 && slice_starts_with(user, ghost)) {
        md_put_text(md, SLICE("@"));
    }
}

void md_open_link(struct md *md, const struct html_event *event)
{
    if (md->links++ > 0) {
        return;
    }
    md->href = html_event_link(md->walk, event, "href");
    open_pill(md, pill_user(md->href));
    if (md->is_pill || !is_linkable(md->href)) {
        return;
    }
    md_flush(md);
    md_detach(md);
    layout_put(&md->layout, SLICE("["));
    md->link_at = layout_slice(&md->layout).len - 1;
    md->is_bracketed = true;
}

static struct slice encode_address(struct md *md, struct slice href)
{
    struct buf out;
    buf_init(&out, md->arena);
    for (size_t i = 0; i < href.len; i++) {
        const char c = href.ptr[i];
        if (c == '(' || c == ')' || c == '<' || c == '>' || c == '"' || c == '\'' || c == '|' ||
            c == '*' || c == '`' || c == '\\') {
            buf_printf(&out, "%%%02X", (unsigned)(unsigned char)c);
        } else {
            buf_put_byte(&out, c);
        }
    }
    return buf_slice(&out);
}

static void put_address(struct md *md)
{
    struct buf address;
    buf_init(&address, md->arena);
    markdown_put_address(&address, encode_address(md, md->href));
    layout_put(&md->layout, SLICE("]("));
    layout_put(&md->layout, buf_slice(&address));
    layout_put(&md->layout, SLICE(")"));
}

/* A link of a scheme that Gitter spoils: its address as text, unless it is there already. */
static void put_plain_address(struct md *md)
{
    const struct slice text = slice_trim(buf_slice(&md->run));
    const struct slice mailto = SLICE("mailto:");
    const bool is_mail = slice_starts_with(md->href, mailto);
    if (md->href.len > 0 &&
        !slice_ends_with(text, slice_from(md->href, is_mail ? mailto.len : 0))) {
        md_put_text(md, SLICE(" ("));
        md_put_text(md, slice_from(md->href, is_mail ? mailto.len : 0));
        md_put_text(md, SLICE(")"));
    }
}

void md_close_link(struct md *md)
{
    if (md->links > 1 || md->is_pill || !is_linkable(md->href)) {
        md->links--;
        if (md->links == 0 && !md->is_pill) {
            put_plain_address(md);
        }
        return;
    }
    const struct slice raw = slice_trim(arena_copy(md->arena, buf_slice(&md->run)));
    const bool is_text_alone = layout_slice(&md->layout).len == md->link_at + 1;
    if (is_text_alone && (raw.len == 0 || slice_equal(raw, md->href))) {
        /* bare, so that Gitter links it by itself */
        md->links--;
        md->is_bracketed = false;
        md->run.len = 0;
        md->layout.out.len = md->link_at;
        md_put_text(md, md->href);
        return;
    }
    md_flush(md);
    md->links--;
    md->is_bracketed = false;
    put_address(md);
}

void md_put_image(struct md *md, const struct html_event *event)
{
    struct slice alt = SLICE_EMPTY;
    (void)html_event_attribute(md->walk, event, "alt", &alt);
    if (slice_trim(alt).len == 0) {
        (void)html_event_attribute(md->walk, event, "title", &alt);
    }
    const struct slice text = slice_trim(alt).len == 0 ? SLICE("image") : alt;
    const struct slice src = html_event_link(md->walk, event, "src");
    md_put_text(md, text);
    if (src.len > 0 && md->links == 0) {
        md_put_text(md, SLICE(" ("));
        md_put_text(md, src);
        md_put_text(md, SLICE(")"));
    }
}
