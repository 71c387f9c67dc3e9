/* runtime/base/arena.h: memory that is dropped as a whole.
 *
 * Thread: one thread for each arena.
 * Memory: what an arena gives is valid until arena_reset or arena_close. Running out of memory is
 *         a CHECK: an allocation never returns NULL.
 * Tests:  under AddressSanitizer dropped memory is poisoned, and with GITTERD_ARENA_MALLOC defined
 *         at build time every request is a malloc of its own, so that no bug hides in the chunks.
 */
#ifndef GITTERD_BASE_ARENA_H
#define GITTERD_BASE_ARENA_H

#include "runtime/base/slice.h"

#include <stddef.h>

struct arena;

/* Opens an arena that grows by chunks of at least chunk_bytes; gives it to the caller. */
struct arena *arena_open(size_t chunk_bytes);
/* Frees it and all it ever gave; NULL is fine. */
void arena_close(struct arena *arena);
/* Drops all it gave and keeps one chunk for what comes next. */
void arena_reset(struct arena *arena);

/* Bytes given out since the last reset, rounding included. */
size_t arena_used_bytes(const struct arena *arena);

/* Zeroed memory, aligned for any type; size 0 gives a pointer that must not be followed. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same, but of any content. */
void *arena_alloc_raw(struct arena *arena, size_t size);
/* Zeroed array; an overflowing product is a CHECK. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);
/* A grown copy of an earlier allocation of this arena, zeroed behind the old; which stays valid. */
void *arena_grow(struct arena *arena, const void *old, size_t old_size, size_t new_size);

/* Copies; the copy of a slice is followed by a NUL that its length does not count. */
struct slice arena_copy(struct arena *arena, struct slice text);
const char *arena_cstr(struct arena *arena, struct slice text);
/* Texts one behind the other. */
struct slice arena_join(struct arena *arena, const struct slice *parts, size_t count);
#define ARENA_JOIN(arena, ...)                                                                     \
    arena_join((arena), (const struct slice[]){__VA_ARGS__},                                       \
               sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice))
struct slice arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

#endif
