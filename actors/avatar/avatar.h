/* actors/avatar/avatar.h: one picture that Gitter names, brought to the homeserver's media once.
 *
 * Key: its URL. Whoever shows the picture asks for it, and is told its mxc URL when that is there,
 * or at once if it is already. Who has been told needs it no more: a picture that nobody has asked
 * for in AVATAR_KEPT_DAYS is forgotten, and fetched again for the next who does.
 */
#ifndef GITTERD_ACTORS_AVATAR_AVATAR_H
#define GITTERD_ACTORS_AVATAR_AVATAR_H

#include "actors/calls.h"

enum avatar_state {
    AVATAR_ANY = FSM_ANY,
    AVATAR_SAME = FSM_SAME,
    AVATAR_NEW = 0,
    AVATAR_FETCHING,
    AVATAR_UPLOADING,
    AVATAR_READY,
    AVATAR_FAILED, /* until deadline_ms */
    AVATAR_GONE,
};

enum {
    AVATAR_KEPT_DAYS = 30
};

#define AVATAR_FIELDS(F, S)                                                                        \
    F(S, TEXT, mxc)                                                                                \
    F(S, TEXT, waiting) /* lines "<ghost>|<face>" of those that want it */                         \
    F(S, NUM, failures)                                                                            \
    F(S, NUM, deadline_ms)

struct avatar {
    struct slice key;
    AVATAR_FIELDS(FIELD_MEMBER, avatar)
};

extern const struct fsm avatar_fsm;

/* The URL of a picture as Gitter names it, perhaps below its site; empty if it is none that is
 * fetched. */
struct slice avatar_url(struct turn *turn, struct slice named);
/* Asks for a picture, for a ghost or for a face: the other is empty. */
void avatar_want(struct turn *turn, struct slice url, struct slice ghost, struct slice face);

#endif
