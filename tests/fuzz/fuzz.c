#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>

/* libFuzzer calls it; it has no header. */
__attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena = arena_open(4096);
    fuzz_one(arena, slice_make((const char *)bytes, len));
    arena_close(arena);
    return 0;
}
