#include "codecs/markdown.h"

#include "codecs/html_walk.h"
#include "codecs/markdown_escape.h"
#include "codecs/markdown_html.h"

/* Carriage returns would become U+FFFD like other controls. */
static struct slice unify_newlines(struct arena *arena, struct slice text)
{
    if (slice_find_byte(text, '\r') == text.len) {
        return text;
    }
    struct buf out;
    buf_init(&out, arena);
    for (size_t i = 0; i < text.len; i++) {
        const bool is_pair = text.ptr[i] == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n';
        if (!is_pair) {
            buf_put_byte(&out, text.ptr[i] == '\r' ? '\n' : text.ptr[i]);
        }
    }
    return buf_slice(&out);
}

struct slice markdown_from_plain(struct arena *arena, struct slice text)
{
    struct buf out;
    buf_init(&out, arena);
    const struct slice clean = html_clean_text(arena, unify_newlines(arena, text));
    markdown_put_escaped(&out, clean, MARKDOWN_LINE_START);
    return buf_slice(&out);
}

/* Without the quoted lines in front and the blank line behind them (client-server API, replies
 * before v1.13). */
static struct slice drop_reply(struct slice body)
{
    struct slice rest = body;
    while (slice_starts_with(rest, SLICE("> ")) || slice_equal(rest, SLICE(">")) ||
           slice_starts_with(rest, SLICE(">\n"))) {
        (void)slice_cut(&rest, '\n');
    }
    const bool is_changed = rest.len != body.len;
    return slice_from(rest, is_changed && slice_starts_with(rest, SLICE("\n")) ? 1 : 0);
}

static bool is_blank(struct slice text)
{
    return slice_trim(text).len == 0;
}

/* True if the Markdown begins with a quote, list, heading, table, rule or code: as text those
 * would have been escaped. */
static bool begins_with_block(struct slice markdown)
{
    struct slice rest = markdown;
    while (rest.len > 0 && rest.ptr[0] >= '0' && rest.ptr[0] <= '9') {
        rest = slice_from(rest, 1);
    }
    if (rest.len < markdown.len) {
        return slice_starts_with(rest, SLICE(". "));
    }
    return slice_starts_with(rest, SLICE(">")) || slice_starts_with(rest, SLICE("#")) ||
           slice_starts_with(rest, SLICE("- ")) || slice_starts_with(rest, SLICE("---")) ||
           slice_starts_with(rest, SLICE("|")) || slice_starts_with(rest, SLICE("```"));
}

struct slice markdown_from_matrix(struct arena *arena, const struct matrix_text *in)
{
    struct html_walk *walk = NULL;
    struct slice markdown = SLICE_EMPTY;
    if (!is_blank(in->formatted_body) &&
        html_walk_open(arena, in->formatted_body, &walk) == RC_OK) {
        markdown = markdown_html_write(arena, walk, in->ghost_prefix);
    }
    if (is_blank(markdown)) {
        return markdown_from_plain(arena, in->has_reply ? drop_reply(in->body) : in->body);
    }
    if (in->kind == MATRIX_EMOTE && begins_with_block(markdown)) {
        return arena_printf(arena, "\n%.*s", SLICE_ARGS(markdown));
    }
    return markdown;
}
