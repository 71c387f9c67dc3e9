#include "codecs/pack.h"

static enum rc take_bytes(struct slice *bytes, uint64_t len, struct slice *out)
{
    if (len > bytes->len) {
        return RC_CORRUPT;
    }
    *out = (struct slice){bytes->ptr, (size_t)len};
    bytes->ptr += len;
    bytes->len -= (size_t)len;
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

static enum rc take_text(struct slice *bytes, uint64_t len, struct pack_value *out)
{
    out->kind = PACK_TEXT;
    return take_bytes(bytes, len, &out->text);
}

/* The forms whose length, count or value stands in 1, 2, 4 or 8 bytes behind the first. */
static enum rc take_long_form(struct slice *bytes, unsigned char first, struct pack_value *out)
{
    static const struct {
        unsigned char first;
        unsigned char last; /* one form for each power of two */
        unsigned char bytes;
        enum pack_kind kind;
    } forms[] = {
        {0xc4, 0xc6, 1, PACK_BYTES}, {0xcc, 0xcf, 1, PACK_NUM},   {0xd0, 0xd3, 1, PACK_NUM},
        {0xd9, 0xdb, 1, PACK_TEXT},  {0xdc, 0xdd, 2, PACK_ARRAY}, {0xde, 0xdf, 2, PACK_MAP},
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
        const bool has_body = out->kind == PACK_TEXT || out->kind == PACK_BYTES;
        return has_body ? take_bytes(bytes, number, &out->text) : RC_OK;
    }
    return RC_CORRUPT;
}

/* Float, double and the extension types, which we never write but may have to pass over. */
static enum rc take_foreign(struct slice *bytes, unsigned char first, struct pack_value *out)
{
    struct slice ignored = SLICE_EMPTY;
    uint64_t len = 0;
    out->kind = PACK_OTHER;
    if (first == 0xca || first == 0xcb) {
        return take_bytes(bytes, first == 0xca ? 4 : 8, &ignored);
    }
    if (first >= 0xd4 && first <= 0xd8) {
        return take_bytes(bytes, 1U + (UINT64_C(1) << (first - 0xd4U)), &ignored);
    }
    const enum rc rc = take_number(bytes, (size_t)1 << (first - 0xc7U), &len);
    return rc == RC_OK ? take_bytes(bytes, len + 1, &ignored) : rc;
}

enum rc pack_take(struct slice *bytes, struct pack_value *out)
{
    *out = (struct pack_value){.kind = PACK_OTHER};
    if (bytes->len == 0) {
        return RC_CORRUPT;
    }
    const unsigned char first = (unsigned char)*bytes->ptr;
    bytes->ptr++;
    bytes->len--;
    if (first < 0x80 || first >= 0xe0) {
        out->kind = PACK_NUM;
        out->num = sign_extend(first, 1);
        return RC_OK;
    }
    if (first < 0xa0) {
        out->kind = first < 0x90 ? PACK_MAP : PACK_ARRAY;
        out->count = first & 0x0fU;
        return RC_OK;
    }
    if (first < 0xc0) {
        return take_text(bytes, first & 0x1fU, out);
    }
    if (first == 0xc0) {
        out->kind = PACK_NIL;
        return RC_OK;
    }
    if (first == 0xc2 || first == 0xc3) {
        out->kind = PACK_FLAG;
        out->num = first == 0xc3;
        return RC_OK;
    }
    const bool is_foreign = (first >= 0xc7 && first <= 0xcb) || (first >= 0xd4 && first <= 0xd8);
    return is_foreign ? take_foreign(bytes, first, out) : take_long_form(bytes, first, out);
}

/* Passes over the members of a container; their own members add to what is left to pass. */
enum rc pack_skip_members(struct slice *bytes, const struct pack_value *container)
{
    uint64_t left = container->count * (container->kind == PACK_MAP ? 2U : 1U);
    while (left > 0) {
        struct pack_value value;
        const enum rc rc = pack_take(bytes, &value);
        if (rc != RC_OK) {
            return rc;
        }
        left--;
        if (value.kind == PACK_ARRAY || value.kind == PACK_MAP) {
            left += value.count * (value.kind == PACK_MAP ? 2U : 1U);
        }
        if (left > bytes->len) {
            return RC_CORRUPT;
        }
    }
    return RC_OK;
}

enum rc pack_skip(struct slice *bytes)
{
    struct pack_value value;
    const enum rc rc = pack_take(bytes, &value);
    const bool is_container = value.kind == PACK_ARRAY || value.kind == PACK_MAP;
    return rc == RC_OK && is_container ? pack_skip_members(bytes, &value) : rc;
}

enum rc pack_take_text(struct slice *bytes, struct slice *out)
{
    struct pack_value value;
    const enum rc rc = pack_take(bytes, &value);
    const bool is_text =
        value.kind == PACK_TEXT || value.kind == PACK_BYTES || value.kind == PACK_NIL;
    *out = value.text;
    return rc == RC_OK && is_text ? RC_OK : RC_CORRUPT;
}

enum rc pack_take_int(struct slice *bytes, int64_t *out)
{
    struct pack_value value;
    const enum rc rc = pack_take(bytes, &value);
    *out = value.num;
    return rc == RC_OK && value.kind == PACK_NUM && !value.is_too_large ? RC_OK : RC_CORRUPT;
}

enum rc pack_take_array(struct slice *bytes, uint64_t *count)
{
    struct pack_value value;
    const enum rc rc = pack_take(bytes, &value);
    *count = value.count;
    /* each member takes a byte at least */
    return rc == RC_OK && value.kind == PACK_ARRAY && value.count <= bytes->len ? RC_OK
                                                                                : RC_CORRUPT;
}

enum rc pack_take_whole(struct slice *bytes, struct slice *out)
{
    const struct slice before = *bytes;
    const enum rc rc = pack_skip(bytes);
    *out = slice_first(before, before.len - bytes->len);
    return rc;
}
