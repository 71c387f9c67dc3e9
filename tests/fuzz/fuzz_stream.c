/* A stream cut into records: the same, whatever the pieces in which it comes. */
#include "runtime/stream_lines.h"
#include "tests/fuzz/fuzz.h"

enum {
    LINE_BYTES_MAX = 64
};

/* A hash of the records up to the end or a line that is too long. */
static uint64_t read_in_pieces(struct slice input, size_t piece)
{
    struct stream_lines lines = {.bytes_max = LINE_BYTES_MAX};
    uint64_t hash = 0;
    enum rc rc = RC_AGAIN;
    while (input.len > 0 && rc == RC_AGAIN) {
        struct slice bytes = slice_first(input, piece);
        struct slice record = SLICE_EMPTY;
        input = slice_from(input, bytes.len);
        do {
            rc = stream_lines_take(&lines, &bytes, &record);
            for (size_t i = 0; rc == RC_OK && i <= record.len; i++) {
                hash = hash * 31 + (i == record.len ? 256 : (unsigned char)record.ptr[i]);
            }
        } while (rc == RC_OK);
    }
    stream_lines_clear(&lines);
    return rc == RC_TOO_BIG ? hash + 1 : hash;
}

void fuzz_one(struct arena *arena, struct slice input)
{
    (void)arena;
    const uint64_t whole = read_in_pieces(input, input.len);
    CHECK(read_in_pieces(input, 1) == whole);
    CHECK(read_in_pieces(input, 7) == whole);
}
