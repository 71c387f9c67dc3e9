/* actors/settings.h: what of the configuration the actors know. No token and no secret is in it.
 *
 * Memory: borrowed for the life of the process.
 */
#ifndef GITTERD_ACTORS_SETTINGS_H
#define GITTERD_ACTORS_SETTINGS_H

#include "actors/fields.h"
#include "runtime/turn.h"

/* All but who may do what. A journal has them, so that a replay knows them. */
#define SETTINGS_FIELDS(F, S)                                                                      \
    F(S, TEXT, domain)     /* matrix_homeserver_domain */                                          \
    F(S, TEXT, bot)        /* full Matrix id of the bot */                                         \
    F(S, TEXT, login_url)  /* gitter_login_url, without a slash at the end */                      \
    F(S, TEXT, gitter_url) /* gitter_url: web pages and OAuth, likewise */                         \
    F(S, TEXT, oauth_key)  /* the public client id */                                              \
    F(S, NUM, login_invites_max)                                                                   \
    F(S, NUM, room_members_max)                                                                    \
    F(S, NUM, owner_outbox_max)                                                                    \
    F(S, NUM, owner_incoming_max) /* calls that bring to Matrix; 0: as many as there are */        \
    F(S, NUM, owner_rooms_max)    /* 0: as many as they like */                                    \
    F(S, NUM, catch_up_messages)  /* at most so many missed ones of a room are brought; 0: all */  \
    F(S, FLAG, makes_spaces)      /* a Matrix space for each user's rooms */                       \
    F(S, FLAG, shows_avatars)     /* pictures of people and rooms are brought over */              \
    F(S, FLAG, is_login_https)    /* cookies are then for https alone */                           \
    F(S, TEXT, version)

struct settings {
    SETTINGS_FIELDS(FIELD_MEMBER, settings)
    /* May this Matrix user use the bridge? */
    bool (*is_permitted)(const void *context, struct slice user);
    /* May they ask what `admin` shows, and do what it does? NULL: nobody may. */
    bool (*is_admin)(const void *context, struct slice user);
    const void *permissions; /* the context of both */
};

static inline const struct settings *settings_of(const struct turn *turn)
{
    return turn_settings(turn);
}

#endif
