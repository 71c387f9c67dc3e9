#include "tests/unit/html_scan.h"

#include <string.h>

enum {
    DEPTH_MAX = 256
};

struct scan {
    struct slice rest;
    struct slice open[DEPTH_MAX];
    size_t depth;
    const char *wrong;
};

static bool take(struct scan *scan, struct slice text)
{
    if (!slice_starts_with(scan->rest, text)) {
        return false;
    }
    scan->rest = slice_from(scan->rest, text.len);
    return true;
}

static struct slice take_name(struct scan *scan)
{
    size_t len = 0;
    while (len < scan->rest.len &&
           strchr("abcdefghijklmnopqrstuvwxyz-123456", scan->rest.ptr[len])) {
        len++;
    }
    const struct slice name = slice_first(scan->rest, len);
    scan->rest = slice_from(scan->rest, len);
    return name;
}

static bool is_listed(const char *const list[], struct slice name)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (slice_equal(slice_from_cstr(list[i]), name)) {
            return true;
        }
    }
    return false;
}

static bool tag_is_allowed(struct slice name)
{
    static const char *const tags[] = {
        "del",    "h1", "h2", "h3",      "h4",  "h5",   "h6",      "blockquote", "p",
        "a",      "ul", "ol", "sup",     "sub", "li",   "b",       "i",          "u",
        "strong", "em", "s",  "code",    "hr",  "br",   "table",   "thead",      "tbody",
        "tr",     "th", "td", "caption", "pre", "span", "details", "summary",    NULL,
    };
    return is_listed(tags, name);
}

static bool link_is_allowed(struct slice link)
{
    static const char *const schemes[] = {"https", "http", "ftp", "mailto", "magnet", NULL};
    const struct slice scheme = slice_first(link, slice_find_byte(link, ':'));
    char lower[8] = {0};
    if (scheme.len >= sizeof lower || scheme.len == link.len) {
        return false;
    }
    for (size_t i = 0; i < scheme.len; i++) {
        lower[i] = (char)(scheme.ptr[i] | 0x20);
    }
    return is_listed(schemes, slice_from_cstr(lower));
}

static bool all_of(struct slice text, const char *allowed)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\0' || strchr(allowed, text.ptr[i]) == NULL) {
            return false;
        }
    }
    return text.len > 0;
}

static bool attribute_is_allowed(struct slice tag, struct slice name, struct slice value)
{
    if (slice_equal(tag, SLICE("a")) && slice_equal(name, SLICE("href"))) {
        return link_is_allowed(value);
    }
    if (slice_equal(tag, SLICE("code")) && slice_equal(name, SLICE("class"))) {
        return slice_starts_with(value, SLICE("language-")) &&
               all_of(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+#._-");
    }
    if (slice_equal(tag, SLICE("ol")) && slice_equal(name, SLICE("start"))) {
        return all_of(value, "0123456789");
    }
    return slice_equal(tag, SLICE("span")) && slice_equal(name, SLICE("data-mx-maths"));
}

static void scan_reference(struct scan *scan)
{
    static const char *const references[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", NULL};
    for (size_t i = 0; references[i] != NULL; i++) {
        if (take(scan, slice_from_cstr(references[i]))) {
            return;
        }
    }
    scan->wrong = "a bare ampersand";
}

static void scan_text(struct scan *scan, const char *stop)
{
    while (scan->wrong == NULL && scan->rest.len > 0) {
        const unsigned char byte = (unsigned char)scan->rest.ptr[0];
        if (byte != 0 && strchr(stop, byte) != NULL) {
            return;
        }
        if (byte == '&') {
            scan_reference(scan);
        } else if (byte == '>' || byte == '<' || byte == '"' || byte == '\'') {
            scan->wrong = "a mark that is not escaped";
        } else if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) {
            scan->wrong = "a control character";
        } else {
            scan->rest = slice_from(scan->rest, 1);
        }
    }
}

static void scan_attribute(struct scan *scan, struct slice tag)
{
    const struct slice name = take_name(scan);
    if (!take(scan, SLICE("=\""))) {
        scan->wrong = "an attribute without quoted value";
        return;
    }
    const char *start = scan->rest.ptr;
    scan_text(scan, "\"");
    const struct slice value = slice_make(start, (size_t)(scan->rest.ptr - start));
    if (scan->wrong == NULL && !take(scan, SLICE("\""))) {
        scan->wrong = "a value that does not end";
    } else if (scan->wrong == NULL && !attribute_is_allowed(tag, name, value)) {
        scan->wrong = "an attribute that is not allowed";
    }
}

static void scan_end_tag(struct scan *scan)
{
    const struct slice name = take_name(scan);
    if (scan->depth == 0 || !slice_equal(scan->open[scan->depth - 1], name)) {
        scan->wrong = "an end tag that closes something else";
    } else if (!take(scan, SLICE(">"))) {
        scan->wrong = "a broken end tag";
    } else {
        scan->depth--;
    }
}

static void scan_start_tag(struct scan *scan)
{
    const struct slice name = take_name(scan);
    if (!tag_is_allowed(name)) {
        scan->wrong = "an element that is not allowed";
    }
    while (scan->wrong == NULL && take(scan, SLICE(" "))) {
        scan_attribute(scan, name);
    }
    if (scan->wrong != NULL) {
        return;
    }
    const bool is_void = slice_equal(name, SLICE("br")) || slice_equal(name, SLICE("hr"));
    if (!take(scan, SLICE(">"))) {
        scan->wrong = "a broken start tag";
    } else if (!is_void && scan->depth == DEPTH_MAX) {
        scan->wrong = "too deep";
    } else if (!is_void) {
        scan->open[scan->depth++] = name;
    }
}

const char *html_scan(struct slice html)
{
    struct scan scan = {.rest = html};
    while (scan.wrong == NULL && scan.rest.len > 0) {
        scan_text(&scan, "<");
        if (scan.wrong == NULL && take(&scan, SLICE("</"))) {
            scan_end_tag(&scan);
        } else if (scan.wrong == NULL && take(&scan, SLICE("<"))) {
            scan_start_tag(&scan);
        }
    }
    if (scan.wrong == NULL && scan.depth > 0) {
        return "an element that is not closed";
    }
    return scan.wrong == NULL && !slice_is_utf8(html) ? "no UTF-8" : scan.wrong;
}
