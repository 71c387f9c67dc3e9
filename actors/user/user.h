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
    F(S, TEXT, more)        /* "<page> <verb> <argument>" of the next page of what was shown */    \
    F(S, NUM, errands)      /* begun so far: errands are in the order of their numbers */          \
    F(S, TEXT, running)     /* the errand whose answer what is said meanwhile waits for */         \
    F(S, TEXT, asking)      /* the errand that waits for yes or no */                              \
    F(S, NUM, inviting)     /* rooms that are being made, and how many of them are */              \
    F(S, NUM, invited)                                                                             \
    F(S, TEXT, seen)       /* the Gitter room they joined last */                                  \
    F(S, FLAG, is_opening) /* a chat is being made, to say: */                                     \
    F(S, TEXT, opened)     /* it is made, and waits for the user */                                \
    F(S, TEXT, unsaid)                                                                             \
    F(S, TEXT, unsaid_html)                                                                        \
    F(S, TEXT, trouble) /* what went wrong last */                                                 \
    F(S, NUM, trouble_ms)

struct user {
    struct slice key;
    USER_FIELDS(FIELD_MEMBER, user)
};

extern const struct fsm user_fsm;

/* Logged in, or was until Gitter refused the token. */
static inline bool user_state_has_account(int state)
{
    return state == USER_AUTHED || state == USER_EXPIRED;
}

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

void user_say_plain(struct turn *turn, struct user *user, enum text text);

/* A command, taken apart. `page` is 0 unless a further page is wanted. */
struct command_line {
    struct slice verb;
    struct slice argument;
    int64_t page;
};
typedef void command_run(struct turn *turn, struct user *user, const struct command_line *line);

/* user_login.c */
fsm_action user_do_take_token, user_do_refuse_token, user_do_read_account, user_do_finish_login;
fsm_action user_do_say_login_failed, user_do_fail_login, user_do_expire;
fsm_action user_do_log_out, user_do_finish_logout;
/* A new link to log in; the one given before stops working. */
struct slice user_fresh_link(struct user *user, struct turn *turn);
/* Says that there is no login, or not any more, with such a link. */
void user_offer_login(struct turn *turn, struct user *user);
void user_say_expired(struct turn *turn, struct user *user);

/* user_commands.c */
fsm_action user_do_obey, user_do_obey_stranger;

/* user_errands.c */
fsm_action user_do_go_on, user_do_note_question, user_do_review_rooms;
command_run user_run_errand, user_run_yes, user_run_no;
/* Rooms to invite to after a login. */
void user_offer_rooms(struct turn *turn, struct user *user);
/* Ends what the user has under way, without a word. */
void user_cancel_errands(struct turn *turn, struct user *user);
/* A question is about the last thing that was said: anything else answers it with no. */
void user_drop_question(struct turn *turn, struct user *user);
/* Is there an errand whose answer comes first? */
bool user_is_busy(struct turn *turn, const struct user *user);
/* Keeps a command until the answers to those before it are given. */
void user_queue_command(struct turn *turn, struct user *user, const struct msg_command *command);
/* The next of those that wait, unless an errand is running. */
void user_run_next(struct turn *turn, struct user *user);

/* user_news.c */
fsm_action user_do_note_list, user_do_note_inviting, user_do_note_room;
fsm_action user_do_offer_seen, user_do_forget_seen, user_do_note_trouble;

/* user_reports.c */
command_run user_run_status, user_run_unbridge;
/* What `status` says of a user. */
struct text_pair user_report(struct turn *turn, const struct user *user, int state);
/* How somebody stands with Gitter, as part of a sentence. */
struct slice user_account_words(struct turn *turn, const struct user *user, int state);

/* user_admin.c */
bool user_is_admin(struct turn *turn, const struct user *user);
command_run user_run_admin;

#endif
