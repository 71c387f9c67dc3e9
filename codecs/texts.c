#include "codecs/texts.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"

static const struct slice templates[] = {
#define TEXT_TEMPLATE(name, text) SLICE_INIT(text),
    TEXT_LIST(TEXT_TEMPLATE)
#undef TEXT_TEMPLATE
};

struct slice text_template(enum text text)
{
    CHECK((size_t)text < TEXT_COUNT);
    return templates[text];
}

static void put_escaped(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&':
            BUF_PUT(out, "&amp;");
            break;
        case '<':
            BUF_PUT(out, "&lt;");
            break;
        case '>':
            BUF_PUT(out, "&gt;");
            break;
        case '"':
            BUF_PUT(out, "&quot;");
            break;
        case '\'':
            BUF_PUT(out, "&#39;");
            break;
        case '\n':
            BUF_PUT(out, "<br>");
            break;
        default:
            buf_put_byte(out, text.ptr[i]);
        }
    }
}

struct slice text_escape_html(struct arena *arena, struct slice text)
{
    struct buf out;
    buf_init(&out, arena);
    put_escaped(&out, text);
    return buf_slice(&out);
}

/* Only whole http(s) URLs of ours are arguments called "link". */
static void put_argument(struct buf *html, struct slice name, struct slice value)
{
    if (slice_equal(name, SLICE("link"))) {
        BUF_PUT(html, "<a href=\"");
        put_escaped(html, value);
        BUF_PUT(html, "\">");
        put_escaped(html, value);
        BUF_PUT(html, "</a>");
    } else {
        put_escaped(html, value);
    }
}

static void put_named(struct buf *plain,
                      struct buf *html,
                      struct slice name,
                      const struct text_arg *args,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(slice_from_cstr(args[i].name), name)) {
            buf_put(plain, args[i].value);
            put_argument(html, name, args[i].value);
            return;
        }
    }
    CHECK(slice_equal(name, SLICE("help")));
    const struct text_pair help = TEXT_PLAIN(plain->arena, TEXT_HELP);
    buf_put(plain, help.plain);
    buf_put(html, help.html);
}

struct text_pair
text_render(struct arena *arena, enum text text, const struct text_arg *args, size_t count)
{
    struct slice rest = text_template(text);
    bool in_code = false;
    struct buf plain;
    struct buf html;
    buf_init(&plain, arena);
    buf_init(&html, arena);
    while (rest.len > 0) {
        const struct slice byte = slice_first(rest, 1);
        rest = slice_from(rest, 1);
        if (byte.ptr[0] == '{') {
            put_named(&plain, &html, slice_cut(&rest, '}'), args, count);
        } else if (byte.ptr[0] == '`') {
            in_code = !in_code;
            buf_put(&html, in_code ? SLICE("<code>") : SLICE("</code>"));
            buf_put(&plain, byte);
        } else {
            buf_put(&plain, byte);
            put_escaped(&html, byte);
        }
    }
    return (struct text_pair){buf_slice(&plain), buf_slice(&html)};
}
