/* Stored rows of every machine: what can be read is the same after it was written again. */
#include "actors/machine.h"
#include "codecs/record.h"
#include "tests/fuzz/fuzz.h"

static void unpack(struct arena *arena, const struct record_type *type, struct slice input)
{
    void *value = arena_alloc(arena, type->size);
    void *again = arena_alloc(arena, type->size);
    if (record_unpack(type, input, value) != RC_OK) {
        return;
    }
    const struct slice packed = record_pack(arena, type, value, RECORD_ALL);
    CHECK(record_unpack(type, packed, again) == RC_OK && record_equal(type, value, again));
    CHECK(slice_equal(record_print(arena, type, value), record_print(arena, type, again)));
}

void fuzz_one(struct arena *arena, struct slice input)
{
    for (size_t i = 0; i < ACTOR_KINDS; i++) {
        unpack(arena, machines[i]->record, input);
    }
}
