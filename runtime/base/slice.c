#include "runtime/base/slice.h"

#include <string.h>

static unsigned char fold_byte(char byte)
{
    const unsigned char c = (unsigned char)byte;
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static int compare_fold(struct slice a, struct slice b)
{
    const size_t shorter = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < shorter; i++) {
        const unsigned char x = fold_byte(a.ptr[i]);
        const unsigned char y = fold_byte(b.ptr[i]);
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool slice_equal_fold(struct slice a, struct slice b)
{
    return a.len == b.len && compare_fold(a, b) == 0;
}

bool slice_equal_secret(struct slice a, struct slice b)
{
    /* volatile keeps the compiler from leaving the loop at the first difference */
    volatile unsigned char difference = a.len == b.len ? 0 : 1;
    for (size_t i = 0; i < a.len; i++) {
        const unsigned char other = b.len == 0 ? 0 : (unsigned char)b.ptr[i % b.len];
        difference = (unsigned char)(difference | ((unsigned char)a.ptr[i] ^ other));
    }
    return difference == 0;
}

int slice_compare(struct slice a, struct slice b)
{
    const size_t shorter = a.len < b.len ? a.len : b.len;
    const int order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);
    if (order != 0) {
        return order < 0 ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

int slice_compare_items(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

int slice_compare_fold(struct slice a, struct slice b)
{
    const int order = compare_fold(a, b);
    return order != 0 ? order : slice_compare(a, b);
}

bool slice_starts_with(struct slice text, struct slice prefix)
{
    return text.len >= prefix.len && slice_equal(slice_first(text, prefix.len), prefix);
}

bool slice_ends_with(struct slice text, struct slice suffix)
{
    return text.len >= suffix.len && slice_equal(slice_from(text, text.len - suffix.len), suffix);
}

unsigned int slice_hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned int)(c - '0');
    }
    return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10U : 16U;
}

size_t slice_find_byte(struct slice text, char byte)
{
    const char *found = text.len == 0 ? NULL : memchr(text.ptr, byte, text.len);
    return found == NULL ? text.len : (size_t)(found - text.ptr);
}

size_t slice_find(struct slice text, struct slice needle)
{
    if (needle.len == 0) {
        return 0;
    }
    const char *found = text.len == 0 ? NULL : memmem(text.ptr, text.len, needle.ptr, needle.len);
    return found == NULL ? text.len : (size_t)(found - text.ptr);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice slice_trim(struct slice text)
{
    while (text.len > 0 && is_space(text.ptr[0])) {
        text = slice_from(text, 1);
    }
    while (text.len > 0 && is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

struct slice slice_cut(struct slice *text, char byte)
{
    const size_t at = slice_find_byte(*text, byte);
    const struct slice before = slice_first(*text, at);
    *text = at < text->len ? slice_from(*text, at + 1) : SLICE_EMPTY;
    return before;
}

enum rc slice_to_int(struct slice text, int64_t *out)
{
    const bool negative = text.len > 0 && text.ptr[0] == '-';
    int64_t value = 0;

    if (text.len == (negative ? 1U : 0U)) {
        return RC_BAD_INPUT;
    }
    for (size_t i = negative ? 1 : 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, c - '0', &value)) {
            return RC_BAD_INPUT;
        }
    }
    if (!negative && __builtin_sub_overflow(0, value, &value)) {
        return RC_BAD_INPUT;
    }
    *out = value;
    return RC_OK;
}

/* How many bytes the character that starts with `lead` has; 0 if none starts so. */
static size_t utf8_length(unsigned char lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead < 0xe0) {
        return 2;
    }
    if (lead >= 0xe0 && lead < 0xf0) {
        return 3;
    }
    return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

static bool utf8_second_is_allowed(unsigned char lead, unsigned char second)
{
    switch (lead) {
    case 0xe0: /* overlong */
        return second >= 0xa0;
    case 0xed: /* surrogates */
        return second < 0xa0;
    case 0xf0: /* overlong */
        return second >= 0x90;
    case 0xf4: /* beyond U+10FFFF */
        return second < 0x90;
    default:
        return true;
    }
}

/* Most text is ASCII for long: eight bytes at once. */
static size_t pass_ascii(struct slice text, size_t at)
{
    uint64_t eight = 0;
    while (text.len - at >= sizeof eight) {
        memcpy(&eight, text.ptr + at, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
        at += sizeof eight;
    }
    return at;
}

bool slice_is_utf8(struct slice text)
{
    size_t at = 0;
    while ((at = pass_ascii(text, at)) < text.len) {
        const unsigned char lead = (unsigned char)text.ptr[at];
        const size_t len = utf8_length(lead);
        if (len == 0 || len > text.len - at) {
            return false;
        }
        for (size_t i = 1; i < len; i++) {
            if (((unsigned char)text.ptr[at + i] & 0xc0U) != 0x80U) {
                return false;
            }
        }
        if (len > 1 && !utf8_second_is_allowed(lead, (unsigned char)text.ptr[at + 1])) {
            return false;
        }
        at += len;
    }
    return true;
}

uint32_t slice_cut_character(struct slice *text)
{
    const unsigned char lead = (unsigned char)text->ptr[0];
    const size_t len = utf8_length(lead);
    if (len == 0 || len > text->len || !slice_is_utf8(slice_first(*text, len))) {
        *text = slice_from(*text, 1);
        return 0xfffd;
    }
    uint32_t character = len == 1 ? lead : lead & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        character = (character << 6) | ((unsigned char)text->ptr[i] & 0x3fU);
    }
    *text = slice_from(*text, len);
    return character;
}
