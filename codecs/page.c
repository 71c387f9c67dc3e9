#include "codecs/page.h"

#include "codecs/texts.h"
#include "runtime/base/buf.h"

/* form-action must name where the button leads: the page itself answers with a redirect to Gitter,
 * and Chromium holds redirects after a form to the same list, so it stays open. */
const char page_security_policy[] = "default-src 'none'; style-src 'unsafe-inline'; "
                                    "frame-ancestors 'none'; base-uri 'none'";

static const char page_style[] =
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;padding:1.5rem;"
    "background:Canvas;color:CanvasText}"
    "main{max-width:34rem;margin:8vh auto}"
    "p{overflow-wrap:anywhere}"
    "button{font:inherit;padding:.7rem 1.4rem;border:0;border-radius:.4rem;"
    "background:#0b6b4f;color:#fff;cursor:pointer}"
    "a{color:LinkText}";

struct slice page_render(struct arena *arena, const struct page *page)
{
    struct buf out;
    const struct slice title = text_escape_html(arena, page->title);
    buf_init(&out, arena);
    BUF_PUT(&out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    BUF_PUT(&out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    buf_printf(&out, "<title>%.*s</title>\n<style>%s</style>\n</head>\n", SLICE_ARGS(title),
               page_style);
    buf_printf(&out, "<body>\n<main>\n<h1>%.*s</h1>\n<p>", SLICE_ARGS(title));
    buf_put(&out, page->text_html);
    BUF_PUT(&out, "</p>\n");
    if (page->button.len > 0) {
        const struct slice label = text_escape_html(arena, page->button);
        buf_printf(&out, "<form method=\"post\"><button type=\"submit\">%.*s</button></form>\n",
                   SLICE_ARGS(label));
    }
    if (page->link_url.len > 0) {
        const struct slice url = text_escape_html(arena, page->link_url);
        const struct slice label = text_escape_html(arena, page->link_label);
        buf_printf(&out, "<p><a href=\"%.*s\">%.*s</a></p>\n", SLICE_ARGS(url), SLICE_ARGS(label));
    }
    BUF_PUT(&out, "</main>\n</body>\n</html>\n");
    return buf_slice(&out);
}
