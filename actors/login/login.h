/* actors/login/login.h: one login link, from the moment the bot gives it out until it has led to a
 * token or to nothing.
 *
 * Key: a random handle, the first half of the link's state; the second is `secret`.
 */
#ifndef GITTERD_ACTORS_LOGIN_LOGIN_H
#define GITTERD_ACTORS_LOGIN_LOGIN_H

#include "actors/calls.h"

enum login_state {
    LOGIN_ANY = FSM_ANY,
    LOGIN_SAME = FSM_SAME,
    LOGIN_OFFERED = 0,
    LOGIN_BOUND,      /* to the browser that pressed the button */
    LOGIN_EXCHANGING, /* Gitter's code for a token */
    LOGIN_ASKING,     /* the user actor finds out whose token it is */
    LOGIN_ENDED,
};

#define LOGIN_FIELDS(F, S)                                                                         \
    F(S, TEXT, user)                                                                               \
    F(S, SECRET, secret)                                                                           \
    F(S, SECRET, cookie)                                                                           \
    F(S, NUM, request) /* the browser that waits for its page */                                   \
    F(S, NUM, deadline_ms)

struct login {
    struct slice key;
    LOGIN_FIELDS(FIELD_MEMBER, login)
};

extern const struct fsm login_fsm;

/* A page as an answer. */
void answer_page(struct turn *turn, int64_t request, int status, enum text title, enum text text);

#endif
