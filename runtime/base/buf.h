/* runtime/base/buf.h: text or bytes that grow at the end.
 *
 * Memory: lives in the arena given to buf_init; nothing to free. buf_slice borrows the buffer until
 *         the next put. What is in it is always followed by a NUL that the length does not count.
 */
#ifndef GITTERD_BASE_BUF_H
#define GITTERD_BASE_BUF_H

#include "runtime/base/arena.h"

struct buf {
    struct arena *arena;
    char *ptr;
    size_t len;
    size_t cap;
};

void buf_init(struct buf *buf, struct arena *arena);
void buf_put(struct buf *buf, struct slice text);
void buf_put_byte(struct buf *buf, char byte);
/* One Unicode character as UTF-8; what is no character becomes U+FFFD. */
void buf_put_char(struct buf *buf, uint32_t character);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct slice buf_slice(const struct buf *buf);

#define BUF_PUT(buf, literal) buf_put((buf), SLICE(literal))

#endif
