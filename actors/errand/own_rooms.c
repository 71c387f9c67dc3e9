#include "actors/errand/own_rooms.h"

#include "actors/lines.h"

#include <stdlib.h>

bool own_rooms_read(struct turn *turn, const struct msg *msg, struct own_rooms *out)
{
    size_t kept = 0;
    if (gitter_rooms_parse(turn_arena(turn), ended_of(msg)->body, &out->rooms, &out->count) !=
        RC_OK) {
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        if (out->rooms[i].is_member || !out->rooms[i].has_is_member) {
            out->rooms[kept] = out->rooms[i];
            kept++;
        }
    }
    out->count = kept;
    return true;
}

static int by_label(const void *a, const void *b)
{
    const struct gitter_room *left = a;
    const struct gitter_room *right = b;
    const int order = slice_compare_fold(gitter_room_label(left), gitter_room_label(right));
    return order != 0 ? order : slice_compare(left->id, right->id);
}

static int by_activity(const void *a, const void *b)
{
    const struct gitter_room *left = a;
    const struct gitter_room *right = b;
    if (left->last_access_ms != right->last_access_ms) {
        return left->last_access_ms > right->last_access_ms ? -1 : 1;
    }
    return by_label(a, b);
}

static void sort(struct own_rooms *own, int (*compare)(const void *, const void *))
{
    if (own->count > 1) {
        qsort(own->rooms, own->count, sizeof own->rooms[0], compare);
    }
}

void own_rooms_sort_by_label(struct own_rooms *own)
{
    sort(own, by_label);
}

void own_rooms_sort_by_activity(struct own_rooms *own)
{
    sort(own, by_activity);
}

static bool is_called(const struct gitter_room *room, struct slice name)
{
    const struct slice bare = slice_starts_with(name, SLICE("/")) ? slice_from(name, 1) : name;
    return slice_equal_fold(gitter_room_label(room), bare) || slice_equal_fold(room->name, bare) ||
           slice_equal_fold(room->uri, bare);
}

const struct gitter_room *own_rooms_find_id(const struct own_rooms *own, struct slice id)
{
    for (size_t i = 0; i < own->count; i++) {
        if (slice_equal(own->rooms[i].id, id)) {
            return &own->rooms[i];
        }
    }
    return NULL;
}

const struct gitter_room *
own_rooms_find(const struct own_rooms *own, struct slice numbers, struct slice name)
{
    int64_t place = 0;
    if (slice_to_int(name, &place) == RC_OK && place > 0) {
        return own_rooms_find_id(own, lines_id(numbers, place));
    }
    for (size_t i = 0; i < own->count; i++) {
        if (is_called(&own->rooms[i], name)) {
            return &own->rooms[i];
        }
    }
    return NULL;
}
