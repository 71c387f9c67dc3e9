/* codecs/nearest.h: which of a few words was meant.
 *
 * Memory: the result is one of the given words.
 */
#ifndef GITTERD_CODECS_NEAREST_H
#define GITTERD_CODECS_NEAREST_H

#include "runtime/base/slice.h"

#include <stddef.h>

/* The word that differs least, without regard to case: by at most two letters put in, left out or
 * changed, and fewer than half of it. The first of equals; empty if none is near. */
struct slice nearest_word(struct slice typed, const struct slice *words, size_t count);

#endif
