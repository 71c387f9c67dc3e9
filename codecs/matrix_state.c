/* State of bridged rooms: who may do what in them, and what they are bridged to. */
#include "codecs/json.h"
#include "codecs/matrix.h"

static void put_levels(struct json_writer *writer, const struct matrix_levels *levels)
{
    json_put_key(writer, SLICE("users"));
    json_open_object(writer);
    json_put_member_int(writer, levels->owner, MATRIX_LEVEL_OWNER);
    if (levels->bot.len > 0) {
        json_put_member_int(writer, levels->bot, MATRIX_LEVEL_BOT);
    }
    json_close_object(writer);
}

struct slice matrix_power_levels_json(struct arena *arena, const struct matrix_levels *levels)
{
    static const struct slice bots_alone[] = {SLICE_INIT("state_default"), SLICE_INIT("invite"),
                                              SLICE_INIT("kick"), SLICE_INIT("ban")};
    static const struct slice owners_too[] = {SLICE_INIT("m.room.name"), SLICE_INIT("m.room.topic"),
                                              SLICE_INIT("m.room.avatar"),
                                              SLICE_INIT("m.room.pinned_events")};
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_object(&writer);
    put_levels(&writer, levels);
    json_put_member_int(&writer, SLICE("users_default"), 0);
    json_put_member_int(&writer, SLICE("events_default"), 0);
    json_put_member_int(&writer, SLICE("redact"), MATRIX_LEVEL_OWNER);
    for (size_t i = 0; i < sizeof bots_alone / sizeof bots_alone[0]; i++) {
        json_put_member_int(&writer, bots_alone[i], MATRIX_LEVEL_BOT);
    }
    json_put_key(&writer, SLICE("events"));
    json_open_object(&writer);
    for (size_t i = 0; i < sizeof owners_too / sizeof owners_too[0]; i++) {
        json_put_member_int(&writer, owners_too[i], MATRIX_LEVEL_OWNER);
    }
    json_close_object(&writer);
    json_close_object(&writer);
    return json_writer_end(&writer);
}

static void put_place(struct json_writer *writer,
                      struct slice key,
                      struct slice id,
                      struct slice name,
                      struct slice url)
{
    json_put_key(writer, key);
    json_open_object(writer);
    json_put_member(writer, SLICE("id"), id);
    json_put_member(writer, SLICE("displayname"), name);
    json_put_member(writer, SLICE("external_url"), url);
    json_close_object(writer);
}

struct slice matrix_bridge_json(struct arena *arena, const struct matrix_bridge *bridge)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    writer.replace_nul = true;
    json_open_object(&writer);
    json_put_member(&writer, SLICE("bridgebot"), bridge->bot);
    json_put_member(&writer, SLICE("creator"), bridge->owner);
    put_place(&writer, SLICE("protocol"), SLICE("gitter"), SLICE("Gitter"), bridge->gitter_url);
    put_place(&writer, SLICE("network"), bridge->gitter_url, bridge->gitter_url,
              bridge->gitter_url);
    put_place(&writer, SLICE("channel"), bridge->gitter_room, bridge->name, bridge->url);
    json_close_object(&writer);
    return json_writer_end(&writer);
}

struct slice matrix_direct_invite_json(struct arena *arena)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_object(&writer);
    json_put_member(&writer, SLICE("membership"), SLICE("invite"));
    json_put_member_bool(&writer, SLICE("is_direct"), true);
    json_close_object(&writer);
    return json_writer_end(&writer);
}

struct slice matrix_space_child_json(struct arena *arena, struct slice domain)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_object(&writer);
    if (domain.len > 0) {
        json_put_key(&writer, SLICE("via"));
        json_open_array(&writer);
        json_put_text(&writer, domain);
        json_close_array(&writer);
    }
    json_close_object(&writer);
    return json_writer_end(&writer);
}
