/* How a bridged room looks: its name and topic, who may do what in it, and what it is bridged to.
 */
#include "actors/face/face.h"

#include "actors/avatar/avatar.h"
#include "codecs/json.h"

enum {
    /* Rooms of an older gitterd are brought up to date within this time, not all at once. */
    FURNISH_SPREAD_MS = 10 * 60 * 1000
};

void face_put_state(struct turn *turn,
                    const struct face *face,
                    struct slice type,
                    struct slice state_key,
                    struct slice content)
{
    const struct matrix_request request =
        matrix_put_state_request(turn_arena(turn), face->matrix_room, type, state_key, content);
    const struct call call = face_call(turn, face, MSG_FACE_STATE_ENDED, &request);
    turn_call(turn, &call);
}

static void put_text(struct turn *turn,
                     const struct face *face,
                     struct slice type,
                     struct slice key,
                     struct slice text)
{
    struct json_writer content;
    json_writer_init(&content, turn_arena(turn));
    content.replace_nul = true;
    json_open_object(&content);
    json_put_member(&content, key, text);
    json_close_object(&content);
    face_put_state(turn, face, type, SLICE_EMPTY, json_writer_end(&content));
}

/* Under the name it is to have, and the one that clients know today (MSC2346). */
static void put_bridge(struct turn *turn, const struct face *face)
{
    struct arena *arena = turn_arena(turn);
    const struct settings *settings = settings_of(turn);
    const struct matrix_bridge bridge = {
        .bot = settings->bot,
        .owner = face->owner,
        .gitter_url = settings->gitter_url,
        .gitter_room = face->gitter_room,
        .name = face->name,
        .url = arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(settings->gitter_url),
                            SLICE_ARGS(face->label)),
    };
    const struct slice key = arena_printf(arena, "gitterd/%.*s", SLICE_ARGS(face->gitter_room));
    const struct slice content = matrix_bridge_json(arena, &bridge);
    face_put_state(turn, face, SLICE("m.bridge"), key, content);
    face_put_state(turn, face, SLICE("uk.half-shot.bridge"), key, content);
}

/* Ids of rooms have no domain from room version 12 on (Matrix 1.16). */
static bool has_creators_above_levels(struct slice matrix_room)
{
    return slice_find_byte(matrix_room, ':') == matrix_room.len;
}

static void put_levels(struct turn *turn, const struct face *face)
{
    const struct matrix_levels levels = {
        .owner = face->owner,
        .bot = has_creators_above_levels(face->matrix_room) ? SLICE_EMPTY : settings_of(turn)->bot,
    };
    face_put_state(turn, face, SLICE("m.room.power_levels"), SLICE_EMPTY,
                   matrix_power_levels_json(turn_arena(turn), &levels));
}

void face_do_furnish(void *next, const struct msg *msg, struct turn *turn)
{
    struct face *face = next;
    (void)msg;
    face->deadline_ms = 0;
    face->furniture = FACE_FURNITURE;
    put_levels(turn, face);
    put_bridge(turn, face);
}

void face_want_avatar(struct turn *turn, struct face *face, struct slice named)
{
    const struct slice url = avatar_url(turn, named);
    if (url.len > 0 && !slice_equal(url, face->avatar)) {
        face->avatar = url;
        avatar_want(turn, url, SLICE_EMPTY, face->key);
    }
}

void face_do_show_avatar(void *next, const struct msg *msg, struct turn *turn)
{
    const struct face *face = next;
    const struct msg_avatar *shown = msg->body;
    if (slice_equal(shown->url, face->avatar)) {
        put_text(turn, face, SLICE("m.room.avatar"), SLICE("url"), shown->mxc);
    }
}

static void furnish_later(struct turn *turn, struct face *face)
{
    uint32_t random = 0;
    if (face->deadline_ms == 0) {
        turn_random(turn, &random, sizeof random);
        face->deadline_ms = turn_now_ms(turn) + (int64_t)(random % FURNISH_SPREAD_MS);
    }
}

void face_do_show_details(void *next, const struct msg *msg, struct turn *turn)
{
    struct face *face = next;
    const struct msg_details *details = msg->body;
    const bool is_renamed = details->name.len > 0 && !slice_equal(details->name, face->name);
    const bool is_moved = details->label.len > 0 && !slice_equal(details->label, face->label);
    face->name = is_renamed ? details->name : face->name;
    face->label = is_moved ? details->label : face->label;
    if (is_renamed) {
        put_text(turn, face, SLICE("m.room.name"), SLICE("name"),
                 name_on_matrix(turn_arena(turn), face->name));
    }
    if (details->has_topic && !slice_equal(details->topic, face->topic)) {
        face->topic = details->topic;
        put_text(turn, face, SLICE("m.room.topic"), SLICE("topic"), details->topic);
    }
    face_want_avatar(turn, face, details->avatar);
    if (face->furniture < FACE_FURNITURE) {
        furnish_later(turn, face);
    } else if (is_renamed || is_moved) {
        put_bridge(turn, face);
    }
}
