/* actors/errand/errand.h: one command of a user that takes several steps: list, invite, gjoin,
 * gpart, search, the offer of rooms after a login, and the review of those that are bridged after a
 * start; or any command that waits for the answers to those before it.
 *
 * Key: "<user>|<number>", in the order in which they were begun. The calls go through the user's
 * lane, so errands are run in the order in which they were asked for.
 */
#ifndef GITTERD_ACTORS_ERRAND_ERRAND_H
#define GITTERD_ACTORS_ERRAND_ERRAND_H

#include "actors/calls.h"

enum errand_state {
    ERRAND_ANY = FSM_ANY,
    ERRAND_SAME = FSM_SAME,
    ERRAND_LISTING = 0, /* which rooms is the user in? */
    ERRAND_LOOKING,     /* is there a person of that name? */
    ERRAND_ASKING,      /* the user must say yes first */
    ERRAND_RESOLVING,   /* a name to a room */
    ERRAND_JOINING,
    ERRAND_PARTING,
    ERRAND_SEARCHING,
    ERRAND_WAITING, /* a command that was said while another ran */
    ERRAND_DONE,
};

#define ERRAND_FIELDS(F, S)                                                                        \
    F(S, COLUMN, user)                                                                             \
    F(S, TEXT, verb) /* in lower case */                                                           \
    F(S, TEXT, argument)                                                                           \
    F(S, TEXT, numbers) /* ids of the last list */                                                 \
    F(S, TEXT, gitter_user)                                                                        \
    F(S, TEXT, gitter_name)                                                                        \
    F(S, TEXT, gitter_room) /* the one that is joined or left */                                   \
    F(S, TEXT, label)                                                                              \
    F(S, NUM, page) /* of a list; 0: the first */                                                  \
    F(S, NUM, deadline_ms)

struct errand {
    struct slice key;
    ERRAND_FIELDS(FIELD_MEMBER, errand)
};

extern const struct fsm errand_fsm;

/* Shared by the files of this actor. */

bool errand_is(const struct errand *errand, struct slice verb);
void errand_say(struct turn *turn, const struct errand *errand, const struct text_pair *text);
#define ERRAND_SAY(turn, errand, text, ...)                                                        \
    do {                                                                                           \
        const struct text_pair said_ = TEXT_RENDER(turn_arena(turn), (text), __VA_ARGS__);         \
        errand_say((turn), (errand), &said_);                                                      \
    } while (false)
void errand_call(struct turn *turn,
                 const struct errand *errand,
                 int purpose,
                 const struct gitter_request *request);
/* It has said what there was to say. */
void errand_over(struct turn *turn, const struct errand *errand);
/* The next step is a message to itself. */
void errand_go_on(struct turn *turn, const struct errand *errand, int kind, struct slice text);

/* errand_rooms.c */
fsm_action errand_do_use_rooms;
/* Is the room in the owner's Matrix client too? */
bool errand_is_bridged(struct turn *turn,
                       const struct errand *errand,
                       const struct gitter_room *room);
/* How many rooms the user may have bridged beside those that are; SIZE_MAX: as many as they like.
 */
size_t errand_rooms_left(struct turn *turn, const struct errand *errand);
/* Brings over one room that was asked for by name, and counts it off `left` if it is new. False:
 * the user has as many as they may; they were told. */
bool errand_bridge_asked(struct turn *turn,
                         const struct errand *errand,
                         const struct gitter_room *room,
                         size_t *left);

/* errand_search.c */
fsm_action errand_do_search, errand_do_show_found, errand_do_say_no_search;

#endif
