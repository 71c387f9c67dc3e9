/* Gitter's HTML: what goes to Matrix keeps the promise of html_scan, whatever came in. */
#include "codecs/html.h"
#include "runtime/base/limits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/html_scan.h"

void fuzz_one(struct arena *arena, struct slice input)
{
    struct html_text text = {0};
    const enum rc rc = html_gitter_to_matrix(arena, input, &text);
    CHECK(rc == RC_OK || (rc == RC_TOO_BIG && text.is_plain && text.html.len == 0));
    CHECK(html_scan(text.html) == NULL);
    CHECK(text.html.len <= MATRIX_HTML_BYTES_MAX && text.plain.len <= MATRIX_BODY_BYTES_MAX);
    CHECK(slice_is_utf8(text.plain));
    CHECK(html_drop_leading_mention(arena, input, SLICE("alice")).len <= input.len);
}
