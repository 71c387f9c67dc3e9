/* actors/settings.h: what of the configuration the actors know. No token and no secret is in it.
 *
 * Memory: borrowed for the life of the process.
 */
#ifndef GITTERD_ACTORS_SETTINGS_H
#define GITTERD_ACTORS_SETTINGS_H

#include "runtime/turn.h"

struct settings {
    struct slice domain;     /* matrix_homeserver_domain */
    struct slice bot;        /* full Matrix id of the bot */
    struct slice login_url;  /* gitter_login_url, without a slash at the end */
    struct slice gitter_url; /* gitter_url: web pages and OAuth, likewise */
    struct slice oauth_key;  /* the public client id */
    int64_t login_invites_max;
    int64_t room_members_max;
    int64_t owner_outbox_max;
    int64_t catch_up_messages; /* at most so many missed ones of a room are brought; 0: all */
    bool makes_spaces;         /* a Matrix space for each user's rooms */
    bool shows_avatars;        /* pictures of people and rooms are brought over */
    bool is_login_https;       /* cookies are then for https alone */
    /* May this Matrix user use the bridge? */
    bool (*is_permitted)(const void *context, struct slice user);
    /* May they ask what `admin` shows, and do what it does? NULL: nobody may. */
    bool (*is_admin)(const void *context, struct slice user);
    const void *permissions; /* the context of both */
    struct slice version;
};

static inline const struct settings *settings_of(const struct turn *turn)
{
    return turn_settings(turn);
}

#endif
