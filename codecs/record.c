#include "codecs/record.h"

#include "codecs/json.h"
#include "codecs/pack.h"
#include "runtime/base/check.h"

#include <string.h>

static const void *field_at(const struct field *field, const void *value)
{
    return (const char *)value + field->offset;
}

static void *field_into(const struct field *field, void *value)
{
    return (char *)value + field->offset;
}

static bool field_is_text(const struct field *field)
{
    return field->type == FIELD_TEXT || field->type == FIELD_SECRET;
}

static struct slice field_text(const struct field *field, const void *value)
{
    struct slice text;
    memcpy(&text, field_at(field, value), sizeof text);
    return text;
}

static int64_t field_num(const struct field *field, const void *value)
{
    int64_t num = 0;
    memcpy(&num, field_at(field, value), sizeof num);
    return num;
}

static bool field_flag(const struct field *field, const void *value)
{
    bool flag = false;
    memcpy(&flag, field_at(field, value), sizeof flag);
    return flag;
}

static bool field_is_zero(const struct field *field, const void *value)
{
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_SECRET:
        return field_text(field, value).len == 0;
    case FIELD_NUM:
        return field_num(field, value) == 0;
    case FIELD_FLAG:
        return !field_flag(field, value);
    }
    CHECK(false);
}

static bool field_is_packed(const struct field *field, const void *value, enum record_part part)
{
    const bool is_secret = field->type == FIELD_SECRET;
    const bool is_in_part = part == RECORD_ALL || (part == RECORD_SECRETS ? is_secret : !is_secret);
    return is_in_part && !field_is_zero(field, value);
}

static void pack_field(struct buf *buf, const struct field *field, const void *value)
{
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_SECRET:
        pack_put_text(buf, field_text(field, value));
        break;
    case FIELD_NUM:
        pack_put_int(buf, field_num(field, value));
        break;
    case FIELD_FLAG:
        pack_put_flag(buf, field_flag(field, value));
        break;
    }
}

struct slice record_pack(struct arena *arena,
                         const struct record_type *type,
                         const void *value,
                         enum record_part part)
{
    size_t count = 0;
    for (size_t i = 0; i < type->fields_count; i++) {
        count += field_is_packed(&type->fields[i], value, part) ? 1 : 0;
    }
    if (count == 0 && part == RECORD_SECRETS) {
        return SLICE_EMPTY;
    }
    struct buf buf;
    buf_init(&buf, arena);
    pack_put_map(&buf, count);
    for (size_t i = 0; i < type->fields_count; i++) {
        if (field_is_packed(&type->fields[i], value, part)) {
            pack_put_text(&buf, slice_from_cstr(type->fields[i].name));
            pack_field(&buf, &type->fields[i], value);
        }
    }
    return buf_slice(&buf);
}

static bool field_is_equal(const struct field *field, const void *a, const void *b);

static bool field_differs(const struct field *field, const void *before, const void *after)
{
    return before == NULL ? !field_is_zero(field, after) : !field_is_equal(field, before, after);
}

size_t record_put_changes(struct buf *buf,
                          const struct record_type *type,
                          const void *before,
                          const void *after,
                          const struct record_veil *veil)
{
    size_t count = 0;
    for (size_t i = 0; i < type->fields_count; i++) {
        count += field_differs(&type->fields[i], before, after) ? 1 : 0;
    }
    pack_put_map(buf, count);
    for (size_t i = 0; count > 0 && i < type->fields_count; i++) {
        const struct field *field = &type->fields[i];
        if (!field_differs(field, before, after)) {
            continue;
        }
        pack_put_text(buf, slice_from_cstr(field->name));
        if (field_is_text(field) && veil != NULL) {
            const struct slice text = field_text(field, after);
            pack_put_text(buf, veil->text(veil->context, buf->arena, field, text));
        } else {
            pack_field(buf, field, after);
        }
    }
    return count;
}

void *record_copy(struct arena *arena, const struct record_type *type, const void *value)
{
    void *copy = arena_alloc(arena, type->size);
    memcpy(copy, value, type->size);
    for (size_t i = 0; i < type->fields_count; i++) {
        const struct field *field = &type->fields[i];
        if (field_is_text(field)) {
            const struct slice text = field_text(field, value);
            const struct slice own = text.len == 0 ? SLICE_EMPTY : arena_copy(arena, text);
            memcpy(field_into(field, copy), &own, sizeof own);
        }
    }
    return copy;
}

static bool is_plain_word(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c == '"' || c == 0x7f) {
            return false;
        }
    }
    return slice_is_utf8(text);
}

static void print_text(struct buf *buf, struct slice text)
{
    if (is_plain_word(text)) {
        buf_put(buf, text);
        return;
    }
    struct json_writer writer;
    json_writer_init(&writer, buf->arena);
    json_put_text(&writer, text);
    buf_put(buf, json_writer_end(&writer));
}

static void print_field(struct buf *buf, const struct field *field, const void *value)
{
    if (buf->len > 0) {
        buf_put_byte(buf, ' ');
    }
    buf_put(buf, slice_from_cstr(field->name));
    buf_put_byte(buf, '=');
    switch (field->type) {
    case FIELD_TEXT:
        print_text(buf, field_text(field, value));
        break;
    case FIELD_SECRET:
        BUF_PUT(buf, "(secret)");
        break;
    case FIELD_NUM:
        buf_printf(buf, "%lld", (long long)field_num(field, value));
        break;
    case FIELD_FLAG:
        BUF_PUT(buf, "true");
        break;
    }
}

struct slice record_print(struct arena *arena, const struct record_type *type, const void *value)
{
    struct buf buf;
    buf_init(&buf, arena);
    for (size_t i = 0; i < type->fields_count; i++) {
        if (!field_is_zero(&type->fields[i], value)) {
            print_field(&buf, &type->fields[i], value);
        }
    }
    return buf_slice(&buf);
}

struct slice record_print_field(struct arena *arena,
                                const struct record_type *type,
                                const void *value,
                                struct slice name)
{
    struct buf buf;
    buf_init(&buf, arena);
    for (size_t i = 0; i < type->fields_count; i++) {
        const struct field *field = &type->fields[i];
        if (slice_equal(slice_from_cstr(field->name), name) && !field_is_zero(field, value)) {
            print_field(&buf, field, value);
        }
    }
    return buf_slice(&buf);
}

static bool field_is_equal(const struct field *field, const void *a, const void *b)
{
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_SECRET:
        return slice_equal(field_text(field, a), field_text(field, b));
    case FIELD_NUM:
        return field_num(field, a) == field_num(field, b);
    case FIELD_FLAG:
        return field_flag(field, a) == field_flag(field, b);
    }
    CHECK(false);
}

bool record_equal(const struct record_type *type, const void *a, const void *b)
{
    for (size_t i = 0; i < type->fields_count; i++) {
        if (!field_is_equal(&type->fields[i], a, b)) {
            return false;
        }
    }
    return true;
}
