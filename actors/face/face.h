/* actors/face/face.h: what a bridged Gitter room looks like in Matrix: its name, its topic, its
 * people.
 *
 * Key: that of the room. Nothing here holds up a message: its calls go through a lane of their own,
 * and a ghost that speaks before it was shown here is brought in by the room itself.
 */
#ifndef GITTERD_ACTORS_FACE_FACE_H
#define GITTERD_ACTORS_FACE_FACE_H

#include "actors/calls.h"

enum face_state {
    FACE_ANY = FSM_ANY,
    FACE_SAME = FSM_SAME,
    FACE_NEW = 0,
    FACE_SPEAKERS, /* the latest speakers come first */
    FACE_LISTING,  /* then others of the list of members */
    FACE_KEPT,     /* people come and go as on Gitter */
    FACE_OVER,
};

#define FACE_FIELDS(F, S)                                                                          \
    F(S, TEXT, owner)                                                                              \
    F(S, TEXT, matrix_room)                                                                        \
    F(S, TEXT, gitter_room)                                                                        \
    F(S, TEXT, gitter_user) /* the owner's: their ghost is not shown beside them */                \
    F(S, TEXT, name)                                                                               \
    F(S, TEXT, topic)                                                                              \
    F(S, TEXT, avatar) /* URL of the picture that it shows, or that is on its way */               \
    F(S, TEXT, label)                                                                              \
    F(S, NUM, people)    /* brought in so far */                                                   \
    F(S, NUM, furniture) /* FACE_FURNITURE when it was put in last */                              \
    F(S, NUM, deadline_ms)

/* Grows when rooms get something new beside name, topic and people; older ones are then brought up
 * to date. */
enum {
    FACE_FURNITURE = 1
};

struct face {
    struct slice key;
    FACE_FIELDS(FIELD_MEMBER, face)
};

extern const struct fsm face_fsm;

/* Shared by the files of this actor. */
struct call face_call(struct turn *turn,
                      const struct face *face,
                      int purpose,
                      const struct matrix_request *request);
void face_put_state(struct turn *turn,
                    const struct face *face,
                    struct slice type,
                    struct slice state_key,
                    struct slice content);

/* face_looks.c: what is neither people nor messages */
fsm_action face_do_show_details, face_do_furnish, face_do_show_avatar;
/* The room has that picture on Gitter. */
void face_want_avatar(struct turn *turn, struct face *face, struct slice named);

/* The lane in which people are brought into the Matrix room and taken out of it. */
struct slice face_lane(struct arena *arena, struct slice key);

/* The value of GHOST_ROOM for a ghost that is on its way into a room in the background; that of one
 * that is there, or will be before anything it says, is empty. */
static const struct slice face_coming = SLICE_INIT("coming");

#endif
