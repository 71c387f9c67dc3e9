#include "runtime/base/arena.h"

#include "runtime/base/check.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define POISON(ptr, size) __asan_poison_memory_region((ptr), (size))
#define UNPOISON(ptr, size) __asan_unpoison_memory_region((ptr), (size))
#else
#define POISON(ptr, size) ((void)(ptr), (void)(size))
#define UNPOISON(ptr, size) ((void)(ptr), (void)(size))
#endif

#ifdef GITTERD_ARENA_MALLOC
static const bool one_malloc_each = true;
#else
static const bool one_malloc_each = false;
#endif

struct chunk {
    struct chunk *next;
    size_t size;
    size_t used;
    max_align_t data[];
};

struct arena {
    struct chunk *newest;
    size_t chunk_bytes;
    size_t used;
};

static const size_t alignment = sizeof(max_align_t);

static struct chunk *chunk_open(struct chunk *next, size_t size)
{
    struct chunk *chunk = malloc(sizeof *chunk + size);
    CHECK(chunk != NULL);
    *chunk = (struct chunk){.next = next, .size = size};
    POISON(chunk->data, size);
    return chunk;
}

static void chunk_close(struct chunk *chunk)
{
    UNPOISON(chunk->data, chunk->size);
    free(chunk);
}

struct arena *arena_open(size_t chunk_bytes)
{
    struct arena *arena = malloc(sizeof *arena);
    CHECK(arena != NULL);
    *arena = (struct arena){.chunk_bytes = chunk_bytes};
    return arena;
}

void arena_close(struct arena *arena)
{
    if (arena == NULL) {
        return;
    }
    while (arena->newest != NULL) {
        struct chunk *next = arena->newest->next;
        chunk_close(arena->newest);
        arena->newest = next;
    }
    free(arena);
}

void arena_reset(struct arena *arena)
{
    while (arena->newest != NULL && (arena->newest->next != NULL || one_malloc_each ||
                                     arena->newest->size > arena->chunk_bytes)) {
        struct chunk *next = arena->newest->next;
        chunk_close(arena->newest);
        arena->newest = next;
    }
    if (arena->newest != NULL) {
        arena->newest->used = 0;
        POISON(arena->newest->data, arena->newest->size);
    }
    arena->used = 0;
}

size_t arena_used_bytes(const struct arena *arena)
{
    return arena->used;
}

static size_t chunk_size_for(const struct arena *arena, size_t size)
{
    return one_malloc_each || size > arena->chunk_bytes ? size : arena->chunk_bytes;
}

void *arena_alloc_raw(struct arena *arena, size_t size)
{
    CHECK(size <= SIZE_MAX / 2);
    const size_t wanted = size == 0 ? alignment : (size + alignment - 1) / alignment * alignment;
    struct chunk *chunk = arena->newest;
    if (chunk == NULL || one_malloc_each || chunk->size - chunk->used < wanted) {
        chunk = chunk_open(arena->newest, chunk_size_for(arena, wanted));
        arena->newest = chunk;
    }
    char *given = (char *)chunk->data + chunk->used;
    chunk->used += wanted;
    arena->used += wanted;
    UNPOISON(given, size);
    return given;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc_raw(arena, size), 0, size);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes = 0;
    CHECK(!__builtin_mul_overflow(count, size, &bytes));
    return arena_alloc(arena, bytes);
}

void *arena_grow(struct arena *arena, const void *old, size_t old_size, size_t new_size)
{
    CHECK(new_size >= old_size);
    char *grown = arena_alloc_raw(arena, new_size);
    if (old_size > 0) {
        memcpy(grown, old, old_size);
    }
    memset(grown + old_size, 0, new_size - old_size);
    return grown;
}

struct slice arena_copy(struct arena *arena, struct slice text)
{
    char *copy = arena_alloc_raw(arena, text.len + 1);
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    copy[text.len] = '\0';
    return (struct slice){copy, text.len};
}

const char *arena_cstr(struct arena *arena, struct slice text)
{
    return arena_copy(arena, text).ptr;
}

struct slice arena_join(struct arena *arena, const struct slice *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += parts[i].len;
    }
    char *text = arena_alloc_raw(arena, len + 1);
    char *end = text;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0) {
            memcpy(end, parts[i].ptr, parts[i].len);
            end += parts[i].len;
        }
    }
    *end = '\0';
    return (struct slice){text, len};
}

enum {
    PRINTED_BYTES = 256
};

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
    char most[PRINTED_BYTES]; /* nearly all fit, and are then formatted once */
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(most, sizeof most, format, args);
    va_end(args);
    CHECK(len >= 0);
    if ((size_t)len < sizeof most) {
        return arena_copy(arena, (struct slice){most, (size_t)len});
    }
    char *text = arena_alloc_raw(arena, (size_t)len + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return (struct slice){text, (size_t)len};
}
