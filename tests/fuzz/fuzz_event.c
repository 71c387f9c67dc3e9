/* A homeserver's transaction, and each of its events. */
#include "codecs/matrix.h"
#include "runtime/base/limits.h"
#include "tests/fuzz/fuzz.h"

static void check_id(struct slice id)
{
    CHECK(id.len > 0 && id.len <= MATRIX_ID_BYTES_MAX);
}

static bool read_event(struct arena *arena, struct slice raw, struct matrix_event *event)
{
    if (matrix_event_parse(arena, raw, event) != RC_OK) {
        return false;
    }
    check_id(event->event_id);
    check_id(event->room_id);
    check_id(event->sender);
    return true;
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct matrix_raw_event *events = NULL;
    struct matrix_event event = {0};
    size_t count = 0;
    (void)read_event(arena, input, &event);
    if (matrix_transaction_split(arena, input, &events, &count) == RC_OK) {
        for (size_t i = 0; i < count; i++) {
            CHECK(events[i].raw.ptr >= input.ptr);
            CHECK(events[i].raw.ptr + events[i].raw.len <= input.ptr + input.len);
            CHECK(events[i].event_id.len <= MATRIX_ID_BYTES_MAX);
            if (read_event(arena, events[i].raw, &event)) {
                CHECK(slice_equal(event.event_id, events[i].event_id));
            }
        }
    }
}
