/* actors/space/space.h: the Matrix space that holds one user's bridged rooms.
 *
 * Key: the user's Matrix id. It is made with the first room, and closed when none is left. A user
 * who leaves it is let be until then.
 */
#ifndef GITTERD_ACTORS_SPACE_SPACE_H
#define GITTERD_ACTORS_SPACE_SPACE_H

#include "actors/calls.h"

enum space_state {
    SPACE_ANY = FSM_ANY,
    SPACE_SAME = FSM_SAME,
    SPACE_NONE = 0,
    SPACE_CREATING,
    SPACE_READY,
    SPACE_DECLINED, /* the user has left it */
    SPACE_CLOSED,
};

#define SPACE_FIELDS(F, S) F(S, COLUMN, matrix_room) /* the space; empty while there is none */

struct space {
    struct slice key;
    SPACE_FIELDS(FIELD_MEMBER, space)
};

extern const struct fsm space_fsm;

/* A room of this user is bridged, or is not any more. */
void space_add(struct turn *turn, struct slice user, struct slice matrix_room);
void space_remove(struct turn *turn, struct slice user, struct slice matrix_room);

#endif
