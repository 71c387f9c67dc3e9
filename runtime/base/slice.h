/* runtime/base/slice.h: text and bytes by pointer and length.
 *
 * Thread: any.
 * Memory: a slice borrows what it points to and never owns it. It need not end in NUL and may
 *         contain NUL. An empty slice may have any pointer, NULL as well.
 * Units:  lengths in bytes. Text is UTF-8, checked once where it enters the process.
 */
#ifndef GITTERD_BASE_SLICE_H
#define GITTERD_BASE_SLICE_H

#include "runtime/base/rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal; also usable as an initialiser of static data. */
#define SLICE_INIT(literal)                                                                        \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define SLICE(literal) ((struct slice)SLICE_INIT(literal))
#define SLICE_EMPTY ((struct slice){NULL, 0})

/* For printf's "%.*s". */
#define SLICE_ARGS(s) (int)(s).len, (s).ptr == NULL ? "" : (s).ptr

/* A slice of a NUL-terminated string; NULL gives the empty slice. */
static inline struct slice slice_from_cstr(const char *text)
{
    return text == NULL ? SLICE_EMPTY : (struct slice){text, strlen(text)};
}

static inline struct slice slice_make(const void *ptr, size_t len)
{
    return (struct slice){ptr, len};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The same of a NUL-terminated string. Most differ in the first byte, which tells without their
 * length. */
static inline bool slice_equal_cstr(struct slice a, const char *b)
{
    return a.len == 0 ? *b == '\0'
                      : *b == *a.ptr && strncmp(b, a.ptr, a.len) == 0 && b[a.len] == '\0';
}

/* Without case, for ASCII letters only: what commands, header names and schemes need. */
bool slice_equal_fold(struct slice a, struct slice b);
/* In a time that depends on the lengths alone; for tokens and login states. */
bool slice_equal_secret(struct slice a, struct slice b);
/* Byte order, shorter first on a tie: -1, 0 or 1. */
int slice_compare(struct slice a, struct slice b);
/* The same of two `struct slice *`, or of what begins with a slice: for qsort and tsearch. */
int slice_compare_items(const void *a, const void *b);
/* The same without regard to the case of ASCII letters, ties broken by slice_compare. */
int slice_compare_fold(struct slice a, struct slice b);

bool slice_starts_with(struct slice text, struct slice prefix);
bool slice_ends_with(struct slice text, struct slice suffix);

/* The value of a lower-case hex digit; 16 for anything else. */
unsigned int slice_hex_value(char c);

/* Index of the first byte, or of the first needle; text.len if there is none. */
size_t slice_find_byte(struct slice text, char byte);
size_t slice_find(struct slice text, struct slice needle);

/* The part from `from` (at most text.len) on, and the first `len` bytes (at most text.len). */
static inline struct slice slice_from(struct slice text, size_t from)
{
    const size_t skip = from < text.len ? from : text.len;
    return skip == 0 ? text : (struct slice){text.ptr + skip, text.len - skip};
}

static inline struct slice slice_first(struct slice text, size_t len)
{
    return (struct slice){text.ptr, len < text.len ? len : text.len};
}

/* Without ASCII white space (space, tab, CR, LF, VT, FF) at both ends. */
struct slice slice_trim(struct slice text);

/* Cuts *text at the first `byte`: gives what lies before it and leaves in *text what lies behind.
 * Without such a byte gives all of *text and leaves it empty with a NULL pointer, by which a loop
 * can tell "nothing left" from "an empty last part". */
struct slice slice_cut(struct slice *text, char byte);

/* A decimal integer, optional '-', nothing else; RC_BAD_INPUT leaves *out alone. */
NODISCARD enum rc slice_to_int(struct slice text, int64_t *out);

/* True if the bytes are well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF). */
bool slice_is_utf8(struct slice text);
/* Takes the first character of a text that is not empty; U+FFFD for a byte that begins none. */
uint32_t slice_cut_character(struct slice *text);

#endif
