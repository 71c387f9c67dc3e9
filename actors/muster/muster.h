/* actors/muster/muster.h: after each start, whether the rooms the homeserver has the bot in are
 * those we know.
 *
 * They differ when one side was restored from a backup, or when events were lost. A room that only
 * the homeserver knows is taken for a private chat if it is one, else left by the ghosts that are
 * in it and then by the bot; a bridged room that the bot is no longer in is made anew. Nothing is
 * done on the word of the list alone, which is older than the answer that brings it: each room that
 * differs is asked about first.
 *
 * The bot's pending invites are in no list that an application service may have: Synapse (1.163)
 * answers 500 to its /sync. But an invite is a notification, and those of the bot can be read
 * (Client-Server API, 13.13; Synapse keeps them for a day): one whose event was never handled is
 * taken as if it came now. Where the bot is in no exclusive namespace of the registration, they are
 * among notifications of all that is said in its rooms, and only the latest are looked through.
 *
 * The list is read again for each stretch of it that is looked at, so that a turn stays short and
 * the state small however many rooms there are.
 *
 * Key: the Matrix id of the bot; there is one.
 */
#ifndef GITTERD_ACTORS_MUSTER_MUSTER_H
#define GITTERD_ACTORS_MUSTER_MUSTER_H

#include "actors/calls.h"

enum muster_state {
    MUSTER_ANY = FSM_ANY,
    MUSTER_SAME = FSM_SAME,
    MUSTER_IDLE = 0,
    MUSTER_LISTING,  /* which rooms is the bot in? */
    MUSTER_CHECKING, /* those that differ, one by one */
};

enum muster_phase {
    MUSTER_STRAYS, /* rooms of the homeserver that we do not know */
    MUSTER_ROOMS,  /* bridged rooms that it does not know */
    MUSTER_CHATS,  /* private chats likewise */
    MUSTER_INVITES,
    MUSTER_OVER,
};

#define MUSTER_FIELDS(F, S)                                                                        \
    F(S, NUM, phase)                                                                               \
    F(S, TEXT, after)  /* the last that was looked at in this phase */                             \
    F(S, NUM, pending) /* rooms that are being asked about */                                      \
    F(S, NUM, pages)   /* of notifications that were asked for */

struct muster {
    struct slice key;
    MUSTER_FIELDS(FIELD_MEMBER, muster)
};

extern const struct fsm muster_fsm;

enum {
    MUSTER_LOOKS_MAX = 4096, /* rooms looked up in one turn */
    MUSTER_PENDING_MAX = 64,
    MUSTER_INVITES_PAGE = 100,
    MUSTER_PAGES_MAX = 10,
    /* An older invite is not taken: it may have been handled so long ago that it is forgotten. */
    MUSTER_INVITE_DAYS_MAX = 7,
};

/* Something said that the bot is not in this room: asks the homeserver. */
void muster_doubt(struct turn *turn, struct slice matrix_room);

#endif
