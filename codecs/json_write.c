/* The writing half of codecs/json.h. */
#include "codecs/json.h"

#include "runtime/base/check.h"

void json_writer_init(struct json_writer *writer, struct arena *arena)
{
    *writer = (struct json_writer){.replace_nul = false};
    buf_init(&writer->buf, arena);
}

struct slice json_writer_end(struct json_writer *writer)
{
    CHECK(writer->depth == 0);
    CHECK(writer->buf.len > 0);
    return buf_slice(&writer->buf);
}

static bool is_in_object(const struct json_writer *writer)
{
    return writer->depth > 0 && (writer->objects >> (writer->depth - 1) & 1U) != 0;
}

static void put_comma(struct json_writer *writer)
{
    if (writer->needs_comma) {
        buf_put_byte(&writer->buf, ',');
    }
}

static void begin_value(struct json_writer *writer)
{
    if (is_in_object(writer)) {
        CHECK(writer->has_key);
        writer->has_key = false;
    } else {
        CHECK(writer->depth > 0 || writer->buf.len == 0);
        put_comma(writer);
    }
    writer->needs_comma = true;
}

static void open_container(struct json_writer *writer, char brace, bool is_object)
{
    CHECK(writer->depth < JSON_DEPTH_MAX);
    begin_value(writer);
    buf_put_byte(&writer->buf, brace);
    const uint64_t bit = UINT64_C(1) << writer->depth;
    writer->objects = is_object ? writer->objects | bit : writer->objects & ~bit;
    writer->depth++;
    writer->needs_comma = false;
}

static void close_container(struct json_writer *writer, char brace)
{
    CHECK(!writer->has_key);
    writer->depth--;
    buf_put_byte(&writer->buf, brace);
    writer->needs_comma = true;
}

void json_open_object(struct json_writer *writer)
{
    open_container(writer, '{', true);
}

void json_close_object(struct json_writer *writer)
{
    CHECK(is_in_object(writer));
    close_container(writer, '}');
}

void json_open_array(struct json_writer *writer)
{
    open_container(writer, '[', false);
}

void json_close_array(struct json_writer *writer)
{
    CHECK(writer->depth > 0 && !is_in_object(writer));
    close_container(writer, ']');
}

/* Length of the well-formed UTF-8 character at the start of text; 0 if there is none. */
static size_t character_length(struct slice text)
{
    const unsigned char lead = (unsigned char)text.ptr[0];
    const size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return len <= text.len && slice_is_utf8(slice_first(text, len)) ? len : 0;
}

/* Length of the malformed sequence there: a byte and the continuation bytes behind it. */
static size_t malformed_length(struct slice text)
{
    size_t len = 1;
    while (len < text.len && ((unsigned char)text.ptr[len] & 0xc0U) == 0x80U) {
        len++;
    }
    return len;
}

static void put_escaped(struct json_writer *writer, unsigned char c)
{
    struct buf *buf = &writer->buf;
    switch (c) {
    case '"':
        BUF_PUT(buf, "\\\"");
        break;
    case '\\':
        BUF_PUT(buf, "\\\\");
        break;
    case '\n':
        BUF_PUT(buf, "\\n");
        break;
    case '\r':
        BUF_PUT(buf, "\\r");
        break;
    case '\t':
        BUF_PUT(buf, "\\t");
        break;
    default:
        if (c == 0 && writer->replace_nul) {
            buf_put_char(buf, 0xfffdU);
        } else {
            buf_printf(buf, "\\u%04x", c);
        }
        break;
    }
}

/* Length of the run at the start of text that can be written as it is. */
static size_t plain_length(struct slice text)
{
    size_t at = 0;
    while (at < text.len) {
        const unsigned char c = (unsigned char)text.ptr[at];
        if (c < 0x20 || c == '"' || c == '\\') {
            break;
        }
        const size_t len = c < 0x80 ? 1 : character_length(slice_from(text, at));
        if (len == 0) {
            break;
        }
        at += len;
    }
    return at;
}

static void put_quoted(struct json_writer *writer, struct slice text)
{
    struct buf *buf = &writer->buf;
    buf_put_byte(buf, '"');
    while (text.len > 0) {
        const size_t plain = plain_length(text);
        buf_put(buf, slice_first(text, plain));
        text = slice_from(text, plain);
        if (text.len == 0) {
            break;
        }
        if ((unsigned char)text.ptr[0] < 0x80) {
            put_escaped(writer, (unsigned char)text.ptr[0]);
            text = slice_from(text, 1);
        } else {
            buf_put_char(buf, 0xfffdU);
            text = slice_from(text, malformed_length(text));
        }
    }
    buf_put_byte(buf, '"');
}

void json_put_key(struct json_writer *writer, struct slice key)
{
    CHECK(is_in_object(writer) && !writer->has_key);
    put_comma(writer);
    put_quoted(writer, key);
    buf_put_byte(&writer->buf, ':');
    writer->has_key = true;
}

void json_put_text(struct json_writer *writer, struct slice text)
{
    begin_value(writer);
    put_quoted(writer, text);
}

void json_put_int(struct json_writer *writer, int64_t num)
{
    begin_value(writer);
    buf_printf(&writer->buf, "%lld", (long long)num);
}

void json_put_bool(struct json_writer *writer, bool flag)
{
    begin_value(writer);
    buf_put(&writer->buf, flag ? SLICE("true") : SLICE("false"));
}

void json_put_null(struct json_writer *writer)
{
    begin_value(writer);
    BUF_PUT(&writer->buf, "null");
}

void json_put_raw(struct json_writer *writer, struct slice raw)
{
    CHECK(raw.len > 0);
    begin_value(writer);
    buf_put(&writer->buf, raw);
}

void json_put_member(struct json_writer *writer, struct slice key, struct slice text)
{
    json_put_key(writer, key);
    json_put_text(writer, text);
}

void json_put_member_int(struct json_writer *writer, struct slice key, int64_t num)
{
    json_put_key(writer, key);
    json_put_int(writer, num);
}

void json_put_member_bool(struct json_writer *writer, struct slice key, bool flag)
{
    json_put_key(writer, key);
    json_put_bool(writer, flag);
}
