/* The owner's messages that do not get to Gitter: all are counted, and of many in a row the first
 * and the last are answered. */
#include "actors/room/room_post.h"

#include <inttypes.h>

static struct slice number(struct turn *turn, int64_t count)
{
    return arena_printf(turn_arena(turn), "%" PRId64, count);
}

/* Of a single one there is nothing more to say: it was answered. */
static void
end_row(struct turn *turn, const struct room *room, int64_t *count, struct slice *last_event)
{
    if (*count > 1) {
        ROOM_NOTICE(turn, room, *last_event, TEXT_POSTS_FAILED, {"count", number(turn, *count)});
    }
    *count = 0;
    *last_event = SLICE_EMPTY;
}

/* Once refused, messages are taken again when a tenth of the queue is free: else each that leaves
 * it would let one in, and the refusal of the next would be news again. */
static bool is_full(const struct turn *turn, const struct room *room, int64_t waiting)
{
    const int64_t max = settings_of(turn)->owner_outbox_max;
    return waiting >= max || (room->refused > 0 && waiting > max - max / 10);
}

bool room_refuses(struct turn *turn, struct room *room, struct slice event_id)
{
    const int64_t waiting = turn_waiting(turn, room->owner, CALL_AUTH_OWNER);
    if (!is_full(turn, room, waiting)) {
        end_row(turn, room, &room->refused, &room->last_refused);
        return false;
    }
    room->refused++;
    room->last_refused = event_id;
    if (room->refused == 1) {
        const struct slice why =
            TEXT_RENDER(turn_arena(turn), TEXT_WHY_FULL, {"count", number(turn, waiting)}).plain;
        ROOM_NOTICE(turn, room, event_id, TEXT_POST_FAILED, {"why", why});
    }
    return true;
}

static struct slice why_undelivered(struct turn *turn, const struct call_ended *ended)
{
    return ended->status == 0 ? text_template(TEXT_WHY_OLD) : why_failed(turn_arena(turn), ended);
}

void room_post_failed(struct turn *turn,
                      struct room *room,
                      struct slice event_id,
                      const struct call_ended *ended)
{
    room->posts -= room->posts > 0 ? 1 : 0;
    room->ended++;
    if (!slice_equal(event_id, room->last_undelivered)) { /* else another part of it */
        room->undelivered++;
        room->last_undelivered = event_id;
        if (room->undelivered == 1) {
            const struct slice why = why_undelivered(turn, ended);
            ROOM_NOTICE(turn, room, event_id, TEXT_POST_FAILED, {"why", why});
            NOTE_TROUBLE(turn, room->owner, TEXT_TROUBLE_POST, {"room", room->label}, {"why", why});
        }
    }
    if (room->posts == 0) {
        end_row(turn, room, &room->undelivered, &room->last_undelivered);
    }
    room_make_kept_change(turn, room, event_id);
}

void room_post_delivered(struct turn *turn, struct room *room, struct slice event_id)
{
    room->posts -= room->posts > 0 ? 1 : 0;
    room->ended++;
    end_row(turn, room, &room->undelivered, &room->last_undelivered);
    room_make_kept_change(turn, room, event_id);
}

void room_mark_read(struct turn *turn, const struct room *room, struct slice event_id)
{
    if (room->matrix_room.len > 0) {
        turn_order(turn, &(struct order){ORDER_READ, room->matrix_room, event_id});
    }
}
