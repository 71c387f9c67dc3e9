#include "tests/unit/samples.h"

#include "runtime/base/buf.h"

#include <check.h>
#include <stdio.h>

struct slice sample_read(struct arena *arena, const char *path)
{
    struct buf out;
    char block[4096];
    size_t len = 0;
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    buf_init(&out, arena);
    while ((len = fread(block, 1, sizeof block, file)) > 0) {
        buf_put(&out, slice_make(block, len));
    }
    ck_assert_int_eq(fclose(file), 0);
    return buf_slice(&out);
}

struct slice sample_repeat(struct arena *arena, struct slice text, size_t count)
{
    struct buf out;
    buf_init(&out, arena);
    for (size_t i = 0; i < count; i++) {
        buf_put(&out, text);
    }
    return buf_slice(&out);
}
