#include "runtime/base/buf.h"

#include "runtime/base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    BUF_FIRST_BYTES = 64
};

void buf_init(struct buf *buf, struct arena *arena)
{
    *buf = (struct buf){.arena = arena};
}

static void grow(struct buf *buf, size_t more)
{
    size_t cap = buf->cap == 0 ? BUF_FIRST_BYTES : buf->cap;
    while (cap - buf->len <= more) {
        CHECK(!__builtin_mul_overflow(cap, 2, &cap));
    }
    char *grown = arena_alloc_raw(buf->arena, cap);
    if (buf->len > 0) {
        memcpy(grown, buf->ptr, buf->len);
    }
    buf->ptr = grown;
    buf->cap = cap;
}

/* Room for so many bytes and the NUL behind them. */
static void buf_reserve(struct buf *buf, size_t more)
{
    if (buf->cap - buf->len <= more) {
        grow(buf, more);
    }
}

void buf_put(struct buf *buf, struct slice text)
{
    buf_reserve(buf, text.len);
    if (text.len > 0) {
        memcpy(buf->ptr + buf->len, text.ptr, text.len);
    }
    buf->len += text.len;
    buf->ptr[buf->len] = '\0';
}

void buf_put_byte(struct buf *buf, char byte)
{
    buf_reserve(buf, 1);
    buf->ptr[buf->len++] = byte;
    buf->ptr[buf->len] = '\0';
}

void buf_put_char(struct buf *buf, uint32_t character)
{
    const bool is_character =
        character <= 0x10ffffU && (character < 0xd800U || character > 0xdfffU);
    const uint32_t c = is_character ? character : 0xfffdU;

    if (c < 0x80U) {
        buf_put_byte(buf, (char)c);
    } else if (c < 0x800U) {
        buf_put_byte(buf, (char)(0xc0U | (c >> 6U)));
        buf_put_byte(buf, (char)(0x80U | (c & 0x3fU)));
    } else if (c < 0x10000U) {
        buf_put_byte(buf, (char)(0xe0U | (c >> 12U)));
        buf_put_byte(buf, (char)(0x80U | ((c >> 6U) & 0x3fU)));
        buf_put_byte(buf, (char)(0x80U | (c & 0x3fU)));
    } else {
        buf_put_byte(buf, (char)(0xf0U | (c >> 18U)));
        buf_put_byte(buf, (char)(0x80U | ((c >> 12U) & 0x3fU)));
        buf_put_byte(buf, (char)(0x80U | ((c >> 6U) & 0x3fU)));
        buf_put_byte(buf, (char)(0x80U | (c & 0x3fU)));
    }
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    int len = 0;
    buf_reserve(buf, 4 * BUF_FIRST_BYTES - 1); /* nearly all that is printed fits, the first time */
    for (int pass = 0; pass < 2; pass++) {
        const size_t room = buf->cap - buf->len;
        va_start(args, format);
        len = vsnprintf(buf->ptr + buf->len, room, format, args);
        va_end(args);
        CHECK(len >= 0);
        if ((size_t)len < room) {
            break;
        }
        buf_reserve(buf, (size_t)len);
    }
    buf->len += (size_t)len;
}

struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){buf->len == 0 ? "" : buf->ptr, buf->len};
}
