/* Matrix messages as Markdown for Gitter: the input is the kind in a byte, then body and HTML with
 * a NUL between. */
#include "codecs/markdown.h"
#include "runtime/base/limits.h"
#include "tests/fuzz/fuzz.h"

static void split(struct arena *arena, struct slice markdown, size_t units_max)
{
    struct slice *parts = NULL;
    const size_t count = markdown_split(arena, markdown, units_max, &parts);
    for (size_t i = 0; i < count; i++) {
        const size_t units = markdown_utf16_units(parts[i]);
        CHECK(units > 0 && units <= units_max && slice_is_utf8(parts[i]));
    }
}

void fuzz_one(struct arena *arena, struct slice input)
{
    if (input.len == 0) {
        return;
    }
    const unsigned char kind = (unsigned char)input.ptr[0];
    struct slice html = slice_from(input, 1);
    const struct slice body = slice_cut(&html, '\0');
    const struct matrix_text text = {
        .body = body,
        .formatted_body = html,
        .kind = (enum matrix_text_kind)(kind % (MATRIX_NOTICE + 1)),
        .has_reply = (kind & 4U) != 0,
        .ghost_prefix = (kind & 8U) != 0 ? SLICE("@gitter_") : SLICE_EMPTY,
    };
    const struct slice markdown = markdown_from_matrix(arena, &text);
    CHECK(slice_is_utf8(markdown));
    split(arena, markdown, GITTER_TEXT_UNITS_MAX);
    split(arena, markdown, 64);
    CHECK(slice_is_utf8(markdown_from_plain(arena, body)));
}
