/* tests/unit/samples.h: long texts and those of files, for tests.
 *
 * Memory: results live in the arena.
 */
#ifndef GITTERD_TESTS_SAMPLES_H
#define GITTERD_TESTS_SAMPLES_H

#include "runtime/base/arena.h"

/* The whole of a file, which must be there. */
struct slice sample_read(struct arena *arena, const char *path);
struct slice sample_repeat(struct arena *arena, struct slice text, size_t count);

#endif
