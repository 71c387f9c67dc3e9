/* Any JSON: what was read says the same when it is read again from its own text. */
#include "codecs/json.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(struct arena *arena, struct slice input)
{
    struct json *json = NULL;
    struct json *again = NULL;
    struct json *outline = NULL;
    const bool is_outline = json_parse_outline(arena, input, 2, &outline) == RC_OK;
    if (json_parse(arena, input, &json) != RC_OK) {
        return;
    }
    CHECK(is_outline);
    CHECK(json_parse(arena, json_raw(json), &again) == RC_OK);
    CHECK(json_is_object(json) == json_is_object(again));
    CHECK(slice_equal(json_text(json), json_text(again)));
    CHECK(slice_equal(json_get_text(json, SLICE("a")), json_get_text(again, SLICE("a"))));
    CHECK(json_is_object(json) == json_is_object(outline));
}
