/* Addresses, forms, request targets and Matrix user ids. */
#include "codecs/ghostid.h"
#include "codecs/url.h"
#include "runtime/base/limits.h"
#include "tests/fuzz/fuzz.h"

static void ids(struct arena *arena, struct slice input)
{
    const struct slice domain = SLICE("hs.example");
    struct slice found = SLICE_EMPTY;
    struct slice local = SLICE_EMPTY;
    const struct slice ghost = ghostid_mxid(arena, input, domain);
    CHECK(mxid_is_valid(ghost) && ghostid_is_ghost(ghost, domain));
    CHECK(ghostid_parse(arena, ghost, domain, &found) != RC_OK || slice_equal(found, input));
    if (mxid_split(input, &local, &found) == RC_OK) {
        CHECK(is_within(local, input) && is_within(found, input));
    }
    if (ghostid_parse(arena, input, domain, &found) == RC_OK) {
        CHECK(slice_equal(ghostid_mxid(arena, found, domain), input));
    }
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct slice decoded = SLICE_EMPTY;
    struct slice path = SLICE_EMPTY;
    struct slice query = SLICE_EMPTY;
    struct url url = {0};
    size_t count = 0;
    const bool is_text = url_decode(arena, url_encode(arena, input), &decoded) == RC_OK;
    CHECK(is_text == slice_is_utf8(input) && (!is_text || slice_equal(decoded, input)));
    CHECK(url_decode(arena, input, &decoded) != RC_OK || decoded.len <= input.len);
    CHECK(url_form_find(arena, input, SLICE("code"), &decoded, &count) != RC_OK || count > 0);
    url_cut_query(input, &path, &query);
    CHECK(is_within(path, input) && is_within(query, input));
    if (url_split(input, &url) == RC_OK) {
        CHECK(url.host.len > 0 && is_within(url.host, input));
    }
    if (input.len > 0) {
        ids(arena, input);
    }
}
