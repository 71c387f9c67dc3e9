/* actors/chat/chat.h: one Matrix room that somebody invited the bot to.
 *
 * Key: the Matrix room id.
 */
#ifndef GITTERD_ACTORS_CHAT_CHAT_H
#define GITTERD_ACTORS_CHAT_CHAT_H

#include "actors/calls.h"

enum chat_state {
    CHAT_ANY = FSM_ANY,
    CHAT_SAME = FSM_SAME,
    CHAT_INVITED = 0,
    CHAT_JOINING,
    CHAT_CHECKING, /* who is in the room? */
    CHAT_PRIVATE,  /* exactly the user and the bot */
    CHAT_LEFT,     /* was crowded: later invites are declined */
    CHAT_GONE,
};

#define CHAT_FIELDS(F, S)                                                                          \
    F(S, COLUMN, user)       /* whose private chat it is, or who invited the bot */                \
    F(S, FLAG, is_ours)      /* the bot made it and invited the user */                            \
    F(S, FLAG, is_encrypted) /* was when the bot was invited */                                    \
    F(S, FLAG, was_told_of_encryption)                                                             \
    F(S, FLAG, was_turned_away) /* may not use the bridge any more, and knows it */

struct chat {
    struct slice key;
    CHAT_FIELDS(FIELD_MEMBER, chat)
};

extern const struct fsm chat_fsm;

/* That user has invited the bot to the room. */
void chat_tell_invited(struct turn *turn,
                       struct slice matrix_room,
                       struct slice by,
                       bool is_encrypted);

#endif
