/* A frame of Bayeux messages, and the names of channels. */
#include "codecs/bayeux.h"
#include "codecs/gitter.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(struct arena *arena, struct slice input)
{
    struct bayeux_message *messages = NULL;
    size_t count = 0;
    CHECK(bayeux_parse(arena, input, &messages, &count) != RC_OK || count <= input.len);
    const struct slice room = bayeux_channel_room_id(input);
    if (gitter_is_object_id(room)) {
        CHECK(slice_equal(bayeux_room_messages_channel(arena, room), input));
    }
    const struct slice people = bayeux_channel_people_room_id(input);
    if (gitter_is_object_id(people)) {
        CHECK(slice_equal(bayeux_room_people_channel(arena, people), input));
    }
    const struct slice user = bayeux_channel_user_id(input);
    if (gitter_is_object_id(user)) {
        CHECK(slice_equal(bayeux_user_rooms_channel(arena, user), input));
    }
}
