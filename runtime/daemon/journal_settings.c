#include "runtime/daemon/journal_settings.h"

#include "actors/fields.h"
#include "runtime/base/buf.h"
#include "runtime/daemon/config.h"

#define RECORDED_FIELDS(F, S)                                                                      \
    F(S, TEXT, domain)                                                                             \
    F(S, TEXT, bot)                                                                                \
    F(S, TEXT, login_url)                                                                          \
    F(S, TEXT, gitter_url)                                                                         \
    F(S, TEXT, oauth_key)                                                                          \
    F(S, NUM, login_invites_max)                                                                   \
    F(S, NUM, room_members_max)                                                                    \
    F(S, NUM, owner_outbox_max)                                                                    \
    F(S, FLAG, is_login_https)                                                                     \
    F(S, TEXT, permissions)                                                                        \
    F(S, TEXT, admins)                                                                             \
    F(S, TEXT, version)

struct recorded_settings {
    RECORDED_FIELDS(FIELD_MEMBER, recorded_settings)
};
FIELD_RECORD(recorded_settings, RECORDED_FIELDS);

static struct slice join(struct arena *arena, const struct config_list *list)
{
    struct buf joined;
    buf_init(&joined, arena);
    for (size_t i = 0; i < list->count; i++) {
        buf_put(&joined, i > 0 ? SLICE(" ") : SLICE(""));
        buf_put(&joined, list->items[i]);
    }
    return buf_slice(&joined);
}

static struct config_list split(struct arena *arena, struct slice joined)
{
    struct config_list list = {.items = ARENA_ARRAY(arena, joined.len + 1, struct slice)};
    while (joined.len > 0) {
        list.items[list.count++] = slice_cut(&joined, ' ');
    }
    return list;
}

struct slice journal_settings_pack(struct arena *arena,
                                   const struct settings *settings,
                                   const struct config *config)
{
    const struct recorded_settings recorded = {
        .domain = settings->domain,
        .bot = settings->bot,
        .login_url = settings->login_url,
        .gitter_url = settings->gitter_url,
        .oauth_key = settings->oauth_key,
        .login_invites_max = settings->login_invites_max,
        .room_members_max = settings->room_members_max,
        .owner_outbox_max = settings->owner_outbox_max,
        .is_login_https = settings->is_login_https,
        .permissions = join(arena, &config->permissions),
        .admins = join(arena, &config->admins),
        .version = settings->version,
    };
    return record_pack(arena, &recorded_settings_record, &recorded, RECORD_OPEN);
}

enum rc journal_settings_unpack(struct arena *arena, struct slice map, struct settings *out)
{
    struct recorded_settings recorded = {0};
    const enum rc rc = record_unpack(&recorded_settings_record, map, &recorded);
    struct config *config = ARENA_NEW(arena, struct config);
    if (rc != RC_OK) {
        return rc;
    }
    config->matrix_homeserver_domain = recorded.domain;
    config->permissions = split(arena, recorded.permissions);
    config->admins = split(arena, recorded.admins);
    *out = (struct settings){
        .domain = recorded.domain,
        .bot = recorded.bot,
        .login_url = recorded.login_url,
        .gitter_url = recorded.gitter_url,
        .oauth_key = recorded.oauth_key,
        .login_invites_max = recorded.login_invites_max,
        .room_members_max = recorded.room_members_max,
        .owner_outbox_max = recorded.owner_outbox_max,
        .is_login_https = recorded.is_login_https,
        .is_permitted = config_is_permitted,
        .is_admin = config_is_admin,
        .permissions = config,
        .version = recorded.version,
    };
    return RC_OK;
}
