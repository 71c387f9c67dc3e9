/* actors/login/login.h: one login link, from the moment the bot gives it out until it has led to a
 * token or to nothing; and a day longer, so that who opens it again is told what became of it.
 *
 * Key: a random handle, the first half of the link's state; the second is `secret`.
 */
#ifndef GITTERD_ACTORS_LOGIN_LOGIN_H
#define GITTERD_ACTORS_LOGIN_LOGIN_H

#include "actors/calls.h"
#include "codecs/page.h"

enum login_state {
    LOGIN_ANY = FSM_ANY,
    LOGIN_SAME = FSM_SAME,
    LOGIN_OFFERED = 0,
    LOGIN_BOUND,      /* to the browser that pressed the button */
    LOGIN_EXCHANGING, /* Gitter's code for a token */
    LOGIN_ASKING,     /* the user actor finds out whose token it is */
    LOGIN_DONE,       /* has led to an account */
    LOGIN_SPENT,      /* was denied, or has failed */
    LOGIN_EXPIRED,
    LOGIN_ENDED,
};

#define LOGIN_FIELDS(F, S)                                                                         \
    F(S, TEXT, user)                                                                               \
    F(S, SECRET, secret)                                                                           \
    F(S, SECRET, cookie)                                                                           \
    F(S, TEXT, name)   /* of the account on Gitter */                                              \
    F(S, NUM, request) /* the browser that waits for its page */                                   \
    F(S, NUM, deadline_ms)

struct login {
    struct slice key;
    LOGIN_FIELDS(FIELD_MEMBER, login)
};

extern const struct fsm login_fsm;

/* The path of a link, in front of "<key>.<secret>". */
#define LOGIN_LINK_PATH "/auth_gitter/"

/* A request to a link or to the address that Gitter sends browsers back to. */
void login_route(struct turn *turn, const struct msg_web *web);

/* The rest is shared by the files of this folder. */

enum {
    LOGIN_LIFE_MS = 10 * 60 * 1000,
    LOGIN_REMEMBERED_MS = 24 * 60 * 60 * 1000,
    LOGIN_COOKIE_LEN = 40, /* hex digits of 160 random bits */
};

/* The cookie of one link. Over https its name says that no other host may have set it and that it
 * came over https (RFC 6265bis, section 4.1.3.2). */
struct slice login_cookie_name(struct turn *turn, struct slice handle);

/* True if one of the values that the browser holds is this one; none is like an empty one. */
bool login_holds(struct slice cookies, struct slice value);

/* What the browser holds for a link already, or something new. */
struct slice login_cookie_value(struct turn *turn, struct slice cookies);

bool login_is_cookie_value(struct slice value);

/* Pages */
void login_answer_notice(struct turn *turn,
                         int64_t request,
                         int status,
                         const struct page_notice *notice);
void login_answer_button(struct turn *turn, const struct login *login, const struct msg_login *msg);
void login_answer_unproven(struct turn *turn,
                           const struct login *login,
                           const struct msg_login *msg);
void login_answer_account(struct turn *turn, const struct login *login, int64_t request);
void login_answer_redirect(struct turn *turn, const struct login *login, int64_t request);
/* The redirect URI that is registered at Gitter. */
struct slice login_callback_url(struct turn *turn);

#endif
