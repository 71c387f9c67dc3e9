/* A homeserver's answers to our calls. */
#include "codecs/matrix.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(struct arena *arena, struct slice input)
{
    struct slice id = SLICE_EMPTY;
    struct slice *ids = NULL;
    struct matrix_page page = {0};
    struct matrix_invites invites = {0};
    struct matrix_error error = {0};
    size_t count = 0;
    CHECK(matrix_room_id_parse(arena, input, &id) != RC_OK || id.len > 0);
    CHECK(matrix_event_id_parse(arena, input, &id) != RC_OK || id.len > 0);
    CHECK(matrix_user_id_parse(arena, input, &id) != RC_OK || id.len > 0);
    CHECK(matrix_joined_members_parse(arena, input, &ids, &count) != RC_OK || count <= input.len);
    CHECK(matrix_joined_rooms_parse(arena, input, &ids, &count) != RC_OK || count <= input.len);
    CHECK(matrix_invites_parse(arena, input, SLICE("@b:h"), &invites) != RC_OK ||
          invites.count <= input.len);
    CHECK(matrix_messages_parse(arena, input, &page) != RC_OK || page.count <= input.len);
    CHECK(matrix_error_parse(arena, input, &error) != RC_OK || error.errcode.len <= input.len);
}
