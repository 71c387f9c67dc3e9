#include "runtime/daemon/journal_settings.h"

#include "actors/fields.h"
#include "runtime/base/buf.h"
#include "runtime/daemon/config.h"

#define RECORDED_FIELDS(F, S)                                                                      \
    SETTINGS_FIELDS(F, S)                                                                          \
    F(S, TEXT, permissions)                                                                        \
    F(S, TEXT, admins)

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
    struct recorded_settings recorded = {
        .permissions = join(arena, &config->permissions),
        .admins = join(arena, &config->admins),
    };
#define SETTING_RECORD(S, TYPE, NAME) recorded.NAME = settings->NAME;
    SETTINGS_FIELDS(SETTING_RECORD, settings)
#undef SETTING_RECORD
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
        .is_permitted = config_is_permitted, .is_admin = config_is_admin, .permissions = config};
#define SETTING_RESTORE(S, TYPE, NAME) out->NAME = recorded.NAME;
    SETTINGS_FIELDS(SETTING_RESTORE, settings)
#undef SETTING_RESTORE
    return RC_OK;
}
