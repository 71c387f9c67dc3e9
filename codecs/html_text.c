#include "codecs/html_walk.h"

/* Length of the well-formed UTF-8 character at the start of a text that is not empty, else 0. */
static size_t character_length(struct slice text)
{
    for (size_t len = 1; len <= 4 && len <= text.len; len++) {
        if (slice_is_utf8(slice_first(text, len))) {
            return len;
        }
    }
    return 0;
}

/* C0 and C1 controls and DEL, given one well-formed character. */
static bool is_control(struct slice character)
{
    const unsigned char first = (unsigned char)character.ptr[0];
    if (character.len == 2) {
        return first == 0xc2 && (unsigned char)character.ptr[1] < 0xa0;
    }
    return first == 0x7f || (first < 0x20 && first != '\t' && first != '\n');
}

static bool is_clean(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char byte = (unsigned char)text.ptr[i];
        const bool may_be_c1 = byte == 0xc2 && i + 1 < text.len;
        if (is_control(slice_first(slice_from(text, i), may_be_c1 ? 2 : 1))) {
            return false;
        }
    }
    return slice_is_utf8(text);
}

struct slice html_clean_text(struct arena *arena, struct slice text)
{
    if (is_clean(text)) {
        return text;
    }
    struct buf out;
    buf_init(&out, arena);
    while (text.len > 0) {
        const size_t len = character_length(text);
        if (len == 0 || is_control(slice_first(text, len))) {
            buf_put_char(&out, 0xfffd);
        } else {
            buf_put(&out, slice_first(text, len));
        }
        text = slice_from(text, len == 0 ? 1 : len);
    }
    return buf_slice(&out);
}

static struct slice escape_of(char byte)
{
    switch (byte) {
    case '&':
        return SLICE("&amp;");
    case '<':
        return SLICE("&lt;");
    case '>':
        return SLICE("&gt;");
    case '"':
        return SLICE("&quot;");
    case '\'':
        return SLICE("&#39;");
    default:
        return SLICE_EMPTY;
    }
}

void html_put_escaped(struct buf *buf, struct slice text)
{
    size_t done = 0;
    for (size_t i = 0; i < text.len; i++) {
        const struct slice escape = escape_of(text.ptr[i]);
        if (escape.len > 0) {
            buf_put(buf, slice_make(text.ptr + done, i - done));
            buf_put(buf, escape);
            done = i + 1;
        }
    }
    buf_put(buf, slice_from(text, done));
}

static bool scheme_is_allowed(struct slice link)
{
    static const struct slice schemes[] = {
        SLICE_INIT("https"),  SLICE_INIT("http"),   SLICE_INIT("ftp"),
        SLICE_INIT("mailto"), SLICE_INIT("magnet"),
    };
    const size_t colon = slice_find_byte(link, ':');
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (slice_equal_fold(slice_first(link, colon), schemes[i])) {
            return colon + 1 < link.len;
        }
    }
    return false;
}

struct slice
html_event_link(const struct html_walk *walk, const struct html_event *event, const char *name)
{
    struct slice link = SLICE_EMPTY;
    if (!html_event_attribute(walk, event, name, &link) || !scheme_is_allowed(slice_trim(link))) {
        return SLICE_EMPTY;
    }
    link = slice_trim(link);
    struct buf out;
    buf_init(&out, html_walk_arena(walk));
    for (size_t i = 0; i < link.len; i++) {
        if (link.ptr[i] == ' ') {
            BUF_PUT(&out, "%20");
        } else if (link.ptr[i] != '\t' && link.ptr[i] != '\n') {
            buf_put_byte(&out, link.ptr[i]);
        }
    }
    return buf_slice(&out);
}

static struct slice without_prefix(struct slice text, struct slice prefix)
{
    return slice_starts_with(text, prefix) ? slice_from(text, prefix.len) : text;
}

bool html_link_is_shown(struct slice text, struct slice href)
{
    return slice_equal(text, href) || slice_equal(text, without_prefix(href, SLICE("http://"))) ||
           slice_equal(text, without_prefix(href, SLICE("https://"))) ||
           slice_equal(text, without_prefix(href, SLICE("mailto:")));
}
