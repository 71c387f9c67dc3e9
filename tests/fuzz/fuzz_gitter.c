/* Gitter's answers and records, and its times and ids. */
#include "codecs/gitter.h"
#include "tests/fuzz/fuzz.h"

static void read_time(struct arena *arena, struct slice input)
{
    int64_t ms = 0;
    int64_t again = 0;
    if (gitter_time_parse(input, &ms) == RC_OK) {
        CHECK(gitter_time_parse(gitter_time_print(arena, ms), &again) == RC_OK && again == ms);
    }
}

static void read_id(struct arena *arena, struct slice input)
{
    if (gitter_is_object_id(input)) {
        const struct slice before = gitter_id_before(arena, input, 10 * 1000);
        CHECK(gitter_is_object_id(before) && slice_compare(before, input) <= 0);
        CHECK(gitter_id_time_ms(input) >= 0);
    }
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct gitter_user user = {0};
    struct gitter_room room = {0};
    struct gitter_room *rooms = NULL;
    struct gitter_message message = {0};
    struct gitter_message *messages = NULL;
    struct gitter_record record = {0};
    struct slice text = SLICE_EMPTY;
    size_t count = 0;
    bool needs_login = false;
    CHECK(gitter_user_parse(arena, input, &user) != RC_OK || user.id.len > 0);
    CHECK(gitter_room_parse(arena, input, &room) != RC_OK || gitter_room_label(&room).len > 0);
    CHECK(gitter_rooms_parse(arena, input, &rooms, &count) != RC_OK || count <= input.len);
    CHECK(gitter_message_parse(arena, input, &message) != RC_OK || message.id.len > 0);
    CHECK(gitter_messages_parse(arena, input, &messages, &count) != RC_OK || count <= input.len);
    CHECK(gitter_record_parse(arena, input, &record) != RC_OK || record.model.len <= input.len);
    CHECK(gitter_error_parse(arena, input, &text, &needs_login) != RC_OK || text.len <= input.len);
    CHECK(gitter_token_parse(arena, input, &text) != RC_OK || text.len > 0);
    read_time(arena, input);
    read_id(arena, input);
}
