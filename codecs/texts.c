#include "codecs/texts.h"

#include "codecs/names.h"
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

/* A text on its way, twice. */
struct text_pair_buf {
    struct buf plain;
    struct buf html;
    bool in_code;
};

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
static void put_argument(struct text_pair_buf *out, struct slice name, struct slice value)
{
    struct buf *html = &out->html;
    const bool is_link = slice_equal(name, SLICE("link"));
    value = is_link ? value : name_in_line(html->arena, value);
    buf_put(&out->plain, value);
    if (is_link) {
        BUF_PUT(html, "<a href=\"");
        put_escaped(html, value);
        BUF_PUT(html, "\">");
        put_escaped(html, value);
        BUF_PUT(html, "</a>");
    } else {
        put_escaped(html, value);
    }
}

/* False if no argument has that name. */
static bool
put_named(struct text_pair_buf *out, struct slice name, const struct text_arg *args, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(slice_from_cstr(args[i].name), name)) {
            put_argument(out, name, args[i].value);
            return true;
        }
    }
    return false;
}

static void put_byte(struct text_pair_buf *out, struct slice byte)
{
    if (byte.ptr[0] == '`') {
        out->in_code = !out->in_code;
        buf_put(&out->html, out->in_code ? SLICE("<code>") : SLICE("</code>"));
    } else {
        put_escaped(&out->html, byte);
    }
    buf_put(&out->plain, byte);
}

struct text_pair
text_render(struct arena *arena, enum text text, const struct text_arg *args, size_t count)
{
    struct slice rest = text_template(text);
    struct slice behind_help = SLICE_EMPTY; /* HELP is put in like a text of its own, one deep */
    struct text_pair_buf out = {.in_code = false};
    buf_init(&out.plain, arena);
    buf_init(&out.html, arena);
    while (rest.len > 0 || behind_help.len > 0) {
        if (rest.len == 0) {
            rest = behind_help;
            behind_help = SLICE_EMPTY;
        }
        const struct slice byte = slice_first(rest, 1);
        rest = slice_from(rest, 1);
        if (byte.ptr[0] != '{') {
            put_byte(&out, byte);
            continue;
        }
        const struct slice name = slice_cut(&rest, '}');
        if (!put_named(&out, name, args, count)) {
            CHECK(slice_equal(name, SLICE("help")) && behind_help.len == 0);
            behind_help = rest;
            rest = text_template(TEXT_HELP);
        }
    }
    return (struct text_pair){buf_slice(&out.plain), buf_slice(&out.html)};
}

struct text_pair text_join(struct arena *arena, struct text_pair first, struct text_pair second)
{
    return (struct text_pair){
        arena_printf(arena, "%.*s\n%.*s", SLICE_ARGS(first.plain), SLICE_ARGS(second.plain)),
        arena_printf(arena, "%.*s<br>%.*s", SLICE_ARGS(first.html), SLICE_ARGS(second.html)),
    };
}
