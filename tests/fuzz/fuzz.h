/* tests/fuzz/fuzz.h: what a fuzz target is.
 *
 * Each fuzz_*.c is one program: libFuzzer (clang) hands it bytes, and it CHECKs what must hold for
 * any bytes. Sanitizers see the rest. etc/fuzz runs them; tests/fuzz/run replays the corpora in
 * tests/fuzz/corpus/<target>/.
 *
 * Memory: the arena is fresh for each input; the input is a block of exactly its length.
 */
#ifndef GITTERD_TESTS_FUZZ_H
#define GITTERD_TESTS_FUZZ_H

#include "runtime/base/arena.h"
#include "runtime/base/check.h"
#include "runtime/base/slice.h"

static inline bool is_within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/* The target. */
void fuzz_one(struct arena *arena, struct slice input);

#endif
