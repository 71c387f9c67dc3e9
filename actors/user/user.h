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
    F(S, SECRET, token)                                                                            \
    F(S, SECRET, new_token) /* while AUTHORISING: whose it is, is being asked */                   \
    F(S, TEXT, listed)      /* ids of the rooms of the last list, with blanks between */           \
    F(S, TEXT, asking)      /* the errand that waits for yes or no */                              \
    F(S, NUM, inviting)     /* rooms that are being made, and how many of them are */              \
    F(S, NUM, invited)                                                                             \
    F(S, TEXT, seen)       /* the Gitter room they joined last */                                  \
    F(S, FLAG, is_opening) /* a chat is being made, to say: */                                     \
    F(S, TEXT, opened)     /* it is made, and waits for the user */                                \
    F(S, TEXT, unsaid)                                                                             \
    F(S, TEXT, unsaid_html)

struct user {
    struct slice key;
    USER_FIELDS(FIELD_MEMBER, user)
};

extern const struct fsm user_fsm;

/* The owner of the call that asks whose a new token is: the user's key and this. So that nothing
 * else goes with that token: what waits in the lanes may be another account's. */
#define USER_NEW_TOKEN "|new"

/* The user whom an owner of calls stands for, and the token that goes with it. */
struct slice user_of_owner(struct slice owner);
struct slice user_token(const struct user *user, struct slice owner);

/* Shared by the files of this actor. */

/* Says a text of the table in the private chat. If there is none, a new one is opened, where the
 * latest such text is said as soon as the user has come. */
void user_say(struct turn *turn, struct user *user, const struct text_pair *text);
/* user_say with arguments in place. */
#define USER_SAY(turn, user, text, ...)                                                            \
    do {                                                                                           \
        const struct text_pair said_ = TEXT_RENDER(turn_arena(turn), (text), __VA_ARGS__);         \
        user_say((turn), (user), &said_);                                                          \
    } while (false)

/* user_commands.c */
fsm_action user_do_explain, user_do_run_errand, user_do_confirm, user_do_decline,
    user_do_say_unknown;
fsm_action user_do_note_list, user_do_note_question, user_do_note_inviting, user_do_note_room;
fsm_action user_do_offer_seen, user_do_forget_seen;
/* Rooms to invite to after a login. */
void user_offer_rooms(struct turn *turn, struct user *user);
/* Ends what the user has under way, without a word. */
void user_cancel_errands(struct turn *turn, struct user *user);

#endif
