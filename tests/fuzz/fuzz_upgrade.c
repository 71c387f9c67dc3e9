/* The answer to the request that opens a WebSocket: the same, whatever the pieces in which it
 * comes. */
#include "runtime/websocket_upgrade.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static enum rc read_in_pieces(struct slice input, size_t piece)
{
    struct upgrade *upgrade = upgrade_open(SLICE("/bayeux"), SLICE("gitter.test"));
    enum rc rc = RC_AGAIN;
    while (rc == RC_AGAIN && input.len > 0) {
        size_t space = 0;
        char *at = upgrade_space(upgrade, &space);
        const struct slice bytes = slice_first(input, space < piece ? space : piece);
        CHECK(bytes.len > 0);
        memcpy(at, bytes.ptr, bytes.len);
        input = slice_from(input, bytes.len);
        rc = upgrade_read(upgrade, bytes.len);
    }
    CHECK(rc == RC_AGAIN || rc == RC_OK || upgrade_detail(upgrade).len > 0);
    upgrade_close(upgrade);
    return rc;
}

void fuzz_one(struct arena *arena, struct slice input)
{
    (void)arena;
    const enum rc whole = read_in_pieces(input, SIZE_MAX);
    CHECK(read_in_pieces(input, 1) == whole);
}
