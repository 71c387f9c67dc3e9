/* actors/errand/own_rooms.h: the rooms that a user is in on Gitter, as GET /rooms lists them.
 *
 * Memory: they live in the turn's arena.
 */
#ifndef GITTERD_ACTORS_ERRAND_OWN_ROOMS_H
#define GITTERD_ACTORS_ERRAND_OWN_ROOMS_H

#include "actors/machine.h"
#include "codecs/gitter.h"

struct own_rooms {
    struct gitter_room *rooms;
    size_t count;
};

/* Of the answer to that call, without rooms where the user was only mentioned. False: it cannot be
 * read. */
bool own_rooms_read(struct turn *turn, const struct msg *msg, struct own_rooms *out);

void own_rooms_sort_by_label(struct own_rooms *own);
/* The one last used comes first. */
void own_rooms_sort_by_activity(struct own_rooms *own);

/* NULL: the user is not in such a room. */
const struct gitter_room *own_rooms_find_id(const struct own_rooms *own, struct slice id);
/* By its place in the list that was shown last, of which `numbers` has the ids, else by name, label
 * or uri, without regard to case. */
const struct gitter_room *
own_rooms_find(const struct own_rooms *own, struct slice numbers, struct slice name);

#endif
