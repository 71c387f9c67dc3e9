#include "codecs/url.h"

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void put_escape(struct buf *buf, char c)
{
    buf_printf(buf, "%%%02X", (unsigned int)(unsigned char)c);
}

void url_put_encoded(struct buf *buf, struct slice text)
{
    const bool is_dots = slice_equal(text, SLICE(".")) || slice_equal(text, SLICE(".."));
    for (size_t i = 0; i < text.len; i++) {
        if (is_unreserved(text.ptr[i]) && !is_dots) {
            buf_put_byte(buf, text.ptr[i]);
        } else {
            put_escape(buf, text.ptr[i]);
        }
    }
}

struct slice url_encode(struct arena *arena, struct slice text)
{
    struct buf buf;
    buf_init(&buf, arena);
    url_put_encoded(&buf, text);
    return buf_slice(&buf);
}

/* The value of a hex digit of either case; 16 for anything else. */
static unsigned int hex_value(char c)
{
    return slice_hex_value(c >= 'A' && c <= 'F' ? (char)(c | 0x20) : c);
}

static enum rc decode(struct arena *arena, struct slice text, bool plus_is_space, struct slice *out)
{
    struct buf buf;
    buf_init(&buf, arena);
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c != '%') {
            buf_put_byte(&buf, c == '+' && plus_is_space ? ' ' : c);
            continue;
        }
        const unsigned int high = text.len - i < 3 ? 16U : hex_value(text.ptr[i + 1]);
        const unsigned int low = text.len - i < 3 ? 16U : hex_value(text.ptr[i + 2]);
        if (high > 15 || low > 15) {
            return RC_BAD_INPUT;
        }
        buf_put_byte(&buf, (char)(high << 4U | low));
        i += 2;
    }
    if (!slice_is_utf8(buf_slice(&buf))) {
        return RC_BAD_INPUT;
    }
    *out = buf_slice(&buf);
    return RC_OK;
}

enum rc url_decode(struct arena *arena, struct slice text, struct slice *out)
{
    return decode(arena, text, false, out);
}

void url_form_put(struct buf *buf, struct slice name, struct slice value)
{
    if (buf->len > 0) {
        buf_put_byte(buf, '&');
    }
    url_put_encoded(buf, name);
    buf_put_byte(buf, '=');
    url_put_encoded(buf, value);
}

enum rc url_form_find(
    struct arena *arena, struct slice form, struct slice name, struct slice *value, size_t *count)
{
    struct slice first = SLICE_EMPTY;
    size_t found = 0;
    while (form.ptr != NULL) {
        struct slice field_value = slice_cut(&form, '&');
        const struct slice raw_name = slice_cut(&field_value, '=');
        struct slice field_name = SLICE_EMPTY;
        if (decode(arena, raw_name, true, &field_name) != RC_OK || !slice_equal(field_name, name)) {
            continue;
        }
        if (found == 0) {
            first = field_value;
        }
        found++;
    }
    if (count != NULL) {
        *count = found;
    }
    return found == 0 ? RC_ABSENT : decode(arena, first, true, value);
}

void url_cut_query(struct slice target, struct slice *path, struct slice *query)
{
    const size_t at = slice_find_byte(target, '?');
    *path = slice_first(target, at);
    *query = slice_from(target, at + 1);
}

static bool has_forbidden_byte(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '#' || c == '\\' || c == '"' || c == '<' || c == '>') {
            return true;
        }
    }
    return false;
}

static bool is_host(struct slice host)
{
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        for (size_t i = 1; i < host.len - 1; i++) {
            if (hex_value(host.ptr[i]) > 15 && host.ptr[i] != ':' && host.ptr[i] != '.') {
                return false;
            }
        }
        return true;
    }
    for (size_t i = 0; i < host.len; i++) {
        if (!is_unreserved(host.ptr[i])) {
            return false;
        }
    }
    return host.len > 0;
}

static enum rc split_authority(struct slice authority, struct url *out)
{
    const size_t bracket = slice_find_byte(authority, ']');
    const size_t host_min = bracket == authority.len ? 0 : bracket;
    const size_t colon = host_min + slice_find_byte(slice_from(authority, host_min), ':');
    const struct slice port = slice_from(authority, colon + 1);
    int64_t number = out->is_https ? 443 : 80;

    out->host = slice_first(authority, colon);
    out->has_port = colon < authority.len;
    if (out->has_port && (slice_to_int(port, &number) != RC_OK || number < 1 || number > 65535)) {
        return RC_BAD_INPUT;
    }
    out->port = (uint16_t)number;
    return is_host(out->host) ? RC_OK : RC_BAD_INPUT;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

enum rc url_split(struct slice text, struct url *out)
{
    const size_t scheme_len = slice_find(text, SLICE("://"));
    const struct slice scheme = slice_first(text, scheme_len);
    const struct slice rest = slice_from(text, scheme_len + 3);
    struct url url = {.is_https = slice_equal_fold(scheme, SLICE("https"))};

    if ((!url.is_https && !slice_equal_fold(scheme, SLICE("http"))) || has_forbidden_byte(text)) {
        return RC_BAD_INPUT;
    }
    const size_t authority_len = smaller(slice_find_byte(rest, '/'), slice_find_byte(rest, '?'));
    url_cut_query(slice_from(rest, authority_len), &url.path, &url.query);
    const enum rc rc = split_authority(slice_first(rest, authority_len), &url);
    if (rc == RC_OK) {
        *out = url;
    }
    return rc;
}

struct slice url_join(struct arena *arena, struct slice base, struct slice path)
{
    struct buf buf;
    buf_init(&buf, arena);
    while (slice_ends_with(base, SLICE("/"))) {
        base.len--;
    }
    while (slice_starts_with(path, SLICE("/"))) {
        path = slice_from(path, 1);
    }
    buf_put(&buf, base);
    if (path.len > 0) {
        buf_put_byte(&buf, '/');
        buf_put(&buf, path);
    }
    return buf_slice(&buf);
}
