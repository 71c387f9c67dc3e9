/* Reading the stored form of codecs/record.h. msgpack-c's own unpacker allocates what the counts in
 * the bytes promise before it looks whether they are there, so damaged bytes could ask for
 * gigabytes; this reader allocates nothing and only borrows. */
#include "codecs/record.h"

#include <string.h>

enum value_kind {
    VALUE_OTHER, /* nil, float: known, of no use to a field */
    VALUE_NUM,
    VALUE_FLAG,
    VALUE_TEXT,
    VALUE_BYTES,
    VALUE_ARRAY,
    VALUE_MAP,
};

struct value {
    enum value_kind kind;
    int64_t num;       /* VALUE_NUM; VALUE_FLAG */
    bool is_too_large; /* a number above INT64_MAX */
    struct slice text; /* VALUE_TEXT */
    uint64_t count;    /* VALUE_ARRAY, VALUE_MAP: members, pairs */
};

static enum rc take_bytes(struct slice *bytes, uint64_t len, struct slice *out)
{
    if (len > bytes->len) {
        return RC_CORRUPT;
    }
    *out = slice_first(*bytes, (size_t)len);
    *bytes = slice_from(*bytes, (size_t)len);
    return RC_OK;
}

/* A big-endian number of 1, 2, 4 or 8 bytes. */
static enum rc take_number(struct slice *bytes, size_t len, uint64_t *out)
{
    struct slice digits = SLICE_EMPTY;
    const enum rc rc = take_bytes(bytes, len, &digits);
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        number = number << 8U | (unsigned char)digits.ptr[i];
    }
    *out = number;
    return rc;
}

static int64_t sign_extend(uint64_t number, size_t len)
{
    const unsigned int shift = 64U - 8U * (unsigned int)len;
    return (int64_t)(number << shift) >> shift;
}

static enum rc take_text(struct slice *bytes, uint64_t len, struct value *out)
{
    out->kind = VALUE_TEXT;
    return take_bytes(bytes, len, &out->text);
}

/* The forms whose length, count or value stands in 1, 2, 4 or 8 bytes behind the first. */
static enum rc take_long_form(struct slice *bytes, unsigned char first, struct value *out)
{
    static const struct {
        unsigned char first;
        unsigned char last; /* one form for each power of two */
        unsigned char bytes;
        enum value_kind kind;
    } forms[] = {
        {0xc4, 0xc6, 1, VALUE_BYTES}, {0xcc, 0xcf, 1, VALUE_NUM},   {0xd0, 0xd3, 1, VALUE_NUM},
        {0xd9, 0xdb, 1, VALUE_TEXT},  {0xdc, 0xdd, 2, VALUE_ARRAY}, {0xde, 0xdf, 2, VALUE_MAP},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (first < forms[i].first || first > forms[i].last) {
            continue;
        }
        const size_t len = (size_t)forms[i].bytes << (first - forms[i].first);
        uint64_t number = 0;
        const enum rc rc = take_number(bytes, len, &number);
        if (rc != RC_OK) {
            return rc;
        }
        out->kind = forms[i].kind;
        out->count = number;
        out->is_too_large = first == 0xcf && number > INT64_MAX;
        out->num = first >= 0xd0 ? sign_extend(number, len) : (int64_t)number;
        const bool has_body = out->kind == VALUE_TEXT || out->kind == VALUE_BYTES;
        return has_body ? take_bytes(bytes, number, &out->text) : RC_OK;
    }
    return RC_CORRUPT;
}

/* Float, double and the extension types, which we never write but may have to pass over. */
static enum rc take_foreign(struct slice *bytes, unsigned char first, struct value *out)
{
    struct slice ignored = SLICE_EMPTY;
    uint64_t len = 0;
    out->kind = VALUE_OTHER;
    if (first == 0xca || first == 0xcb) {
        return take_bytes(bytes, first == 0xca ? 4 : 8, &ignored);
    }
    if (first >= 0xd4 && first <= 0xd8) {
        return take_bytes(bytes, 1U + (UINT64_C(1) << (first - 0xd4U)), &ignored);
    }
    const enum rc rc = take_number(bytes, (size_t)1 << (first - 0xc7U), &len);
    return rc == RC_OK ? take_bytes(bytes, len + 1, &ignored) : rc;
}

static enum rc take_value(struct slice *bytes, struct value *out)
{
    uint64_t number = 0;
    const enum rc rc = take_number(bytes, 1, &number);
    const unsigned char first = (unsigned char)number;

    *out = (struct value){.kind = VALUE_OTHER};
    if (rc != RC_OK) {
        return rc;
    }
    if (first < 0x80 || first >= 0xe0) {
        out->kind = VALUE_NUM;
        out->num = sign_extend(first, 1);
        return RC_OK;
    }
    if (first < 0xa0) {
        out->kind = first < 0x90 ? VALUE_MAP : VALUE_ARRAY;
        out->count = first & 0x0fU;
        return RC_OK;
    }
    if (first < 0xc0) {
        return take_text(bytes, first & 0x1fU, out);
    }
    if (first == 0xc0) {
        return RC_OK;
    }
    if (first == 0xc2 || first == 0xc3) {
        out->kind = VALUE_FLAG;
        out->num = first == 0xc3;
        return RC_OK;
    }
    const bool is_foreign = (first >= 0xc7 && first <= 0xcb) || (first >= 0xd4 && first <= 0xd8);
    return is_foreign ? take_foreign(bytes, first, out) : take_long_form(bytes, first, out);
}

/* Passes over the members of a container; their own members add to what is left to pass. */
static enum rc skip_members(struct slice *bytes, const struct value *container)
{
    uint64_t left = container->count * (container->kind == VALUE_MAP ? 2U : 1U);
    while (left > 0) {
        struct value value;
        const enum rc rc = take_value(bytes, &value);
        if (rc != RC_OK) {
            return rc;
        }
        left--;
        if (value.kind == VALUE_ARRAY || value.kind == VALUE_MAP) {
            left += value.count * (value.kind == VALUE_MAP ? 2U : 1U);
        }
        if (left > bytes->len) {
            return RC_CORRUPT;
        }
    }
    return RC_OK;
}

static const struct field *find_field(const struct record_type *type, struct slice name)
{
    for (size_t i = 0; i < type->fields_count; i++) {
        if (slice_equal(slice_from_cstr(type->fields[i].name), name)) {
            return &type->fields[i];
        }
    }
    return NULL;
}

static enum rc set_field(const struct field *field, const struct value *value, void *out)
{
    void *place = (char *)out + field->offset;
    const bool flag = value->num != 0;
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_SECRET:
        if (value->kind != VALUE_TEXT) {
            return RC_CORRUPT;
        }
        memcpy(place, &value->text, sizeof value->text);
        return RC_OK;
    case FIELD_NUM:
        if (value->kind != VALUE_NUM || value->is_too_large) {
            return RC_CORRUPT;
        }
        memcpy(place, &value->num, sizeof value->num);
        return RC_OK;
    case FIELD_FLAG:
        if (value->kind != VALUE_FLAG) {
            return RC_CORRUPT;
        }
        memcpy(place, &flag, sizeof flag);
        return RC_OK;
    }
    return RC_CORRUPT;
}

static enum rc take_pair(const struct record_type *type, struct slice *bytes, void *out)
{
    struct value name;
    struct value value;
    enum rc rc = take_value(bytes, &name);
    if (rc != RC_OK || name.kind != VALUE_TEXT) {
        return RC_CORRUPT;
    }
    rc = take_value(bytes, &value);
    if (rc != RC_OK) {
        return rc;
    }
    const struct field *field = find_field(type, name.text);
    if (field != NULL) {
        return set_field(field, &value, out);
    }
    return value.kind == VALUE_ARRAY || value.kind == VALUE_MAP ? skip_members(bytes, &value)
                                                                : RC_OK;
}

enum rc record_unpack(const struct record_type *type, struct slice bytes, void *out)
{
    if (bytes.len == 0) {
        return RC_OK;
    }
    struct value map;
    enum rc rc = take_value(&bytes, &map);
    if (rc != RC_OK || map.kind != VALUE_MAP) {
        return RC_CORRUPT;
    }
    for (uint64_t i = 0; i < map.count; i++) {
        rc = take_pair(type, &bytes, out);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return bytes.len == 0 ? RC_OK : RC_CORRUPT;
}
