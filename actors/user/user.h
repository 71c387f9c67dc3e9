/* actors/user/user.h: one Matrix user: their login, their account on Gitter, their commands.
 *
 * Key: the Matrix user id.
 */
#ifndef GITTERD_ACTORS_USER_USER_H
#define GITTERD_ACTORS_USER_USER_H

#include "actors/calls.h"

enum user_state {
    USER_ANY = FSM_ANY,
    USER_SAME = FSM_SAME,
    USER_UNAUTHENTICATED = 0,
    USER_AUTHORISING, /* there is a token; whose it is, is being asked */
    USER_AUTHED,
    USER_EXPIRED, /* was AUTHED until Gitter refused the token; rooms are kept */
    USER_LEAVING, /* the token is being taken back */
};

#define USER_FIELDS(F, S)                                                                          \
    F(S, COLUMN, private_room) /* where the bot talks to them; empty: nowhere */                   \
    F(S, COLUMN, gitter_id)    /* also while EXPIRED */                                            \
    F(S, TEXT, gitter_name)                                                                        \
    F(S, TEXT, login) /* the login actor whose link counts */                                      \
    F(S, SECRET, token)

struct user {
    struct slice key;
    USER_FIELDS(FIELD_MEMBER, user)
};

extern const struct fsm user_fsm;

/* Shared by the files of this actor. */

/* Says a text of the table in the private chat, if there is one. */
void user_say(struct turn *turn, const struct user *user, const struct text_pair *text);
/* user_say with arguments in place. */
#define USER_SAY(turn, user, text, ...)                                                            \
    do {                                                                                           \
        const struct text_pair said_ = TEXT_RENDER(turn_arena(turn), (text), __VA_ARGS__);         \
        user_say((turn), (user), &said_);                                                          \
    } while (false)

/* The lane of a user's own calls. */
struct slice user_lane(struct turn *turn, const struct user *user);

fsm_action user_do_list;
fsm_action user_do_show_list;
fsm_action user_do_invite;
fsm_action user_do_invite_found;
fsm_action user_do_fetch_offer;
fsm_action user_do_offer_rooms;
fsm_action user_do_say_failed;

#endif
