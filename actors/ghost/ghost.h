/* actors/ghost/ghost.h: the virtual Matrix user that stands for one Gitter user.
 *
 * Key: the Gitter user id. The Matrix id derives from it once and for ever; names come and go.
 */
#ifndef GITTERD_ACTORS_GHOST_GHOST_H
#define GITTERD_ACTORS_GHOST_GHOST_H

#include "actors/calls.h"

enum ghost_state {
    GHOST_ANY = FSM_ANY,
    GHOST_SAME = FSM_SAME,
    GHOST_UNKNOWN = 0,
    GHOST_REGISTERING,
    GHOST_READY,
};

#define GHOST_FIELDS(F, S)                                                                         \
    F(S, TEXT, name)   /* the display name it was last given */                                    \
    F(S, TEXT, avatar) /* URL of the picture that it shows, or that is on its way */

struct ghost {
    struct slice key;
    GHOST_FIELDS(FIELD_MEMBER, ghost)
};

extern const struct fsm ghost_fsm;

/* The lane of a ghost's own calls. A call that needs the ghost registered waits for this lane to be
 * empty, by call.after_lane. */
struct slice ghost_lane(struct arena *arena, struct slice gitter_user);

#endif
