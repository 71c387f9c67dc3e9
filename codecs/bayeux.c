/* Reading Bayeux messages. */
#include "codecs/bayeux.h"

#include "codecs/json.h"

#define CHANNEL_PREFIX "/api/v1/"

static enum bayeux_reconnect read_reconnect(struct slice name)
{
    if (slice_equal(name, SLICE("retry"))) {
        return BAYEUX_RECONNECT_RETRY;
    }
    if (slice_equal(name, SLICE("handshake"))) {
        return BAYEUX_RECONNECT_HANDSHAKE;
    }
    return slice_equal(name, SLICE("none")) ? BAYEUX_RECONNECT_NONE : BAYEUX_RECONNECT_ABSENT;
}

static void read_error(struct slice error, struct bayeux_message *out)
{
    struct slice rest = error;
    const struct slice code = slice_cut(&rest, ':');
    out->error_text = error;
    if (rest.ptr != NULL && slice_to_int(code, &out->error_code) == RC_OK) {
        (void)slice_cut(&rest, ':');
        out->error_text = rest;
    }
}

static struct slice read_id(const struct json *id)
{
    return json_is_int(id) ? json_raw(id) : json_text(id);
}

static enum bayeux_success read_success(const struct json *successful)
{
    if (successful == NULL || successful->type != JSON_BOOL) {
        return BAYEUX_SUCCESS_ABSENT;
    }
    return successful->flag ? BAYEUX_SUCCESS_YES : BAYEUX_SUCCESS_NO;
}

static struct bayeux_message read_message(const struct json *node)
{
    const struct json *advice = json_get(node, SLICE("advice"));
    const struct json *ext = json_get(node, SLICE("ext"));
    const struct json *count = json_get(ext, SLICE("c"));
    struct bayeux_message message = {
        .channel = json_get_text(node, SLICE("channel")),
        .id = read_id(json_get(node, SLICE("id"))),
        .successful = read_success(json_get(node, SLICE("successful"))),
        .client_id = json_get_text(node, SLICE("clientId")),
        .subscription = json_get_text(node, SLICE("subscription")),
        .reconnect = read_reconnect(json_get_text(advice, SLICE("reconnect"))),
        .interval_ms = json_get_int(advice, SLICE("interval"), -1),
        .timeout_ms = json_get_int(advice, SLICE("timeout"), -1),
        .data = json_raw(json_get(node, SLICE("data"))),
        .count = json_int(count, 0),
        .has_count = json_is_int(count),
        .user_id = json_get_text(ext, SLICE("userId")),
        .snapshot = json_raw(json_get(ext, SLICE("snapshot"))),
    };
    read_error(json_get_text(node, SLICE("error")), &message);
    return message;
}

enum rc bayeux_parse(struct arena *arena,
                     struct slice text,
                     struct bayeux_message **messages,
                     size_t *count)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    if (!json_is_array(root) && !json_is_object(root)) {
        return RC_BAD_INPUT;
    }
    const bool is_array = json_is_array(root);
    const struct json *node = is_array ? json_first(root) : root;
    struct bayeux_message *found =
        ARENA_ARRAY(arena, is_array ? json_count(root) : 1, struct bayeux_message);
    size_t used = 0;
    for (; node != NULL; node = node->next) {
        if (json_is_object(node)) {
            found[used] = read_message(node);
            used++;
        }
    }
    *messages = found;
    *count = used;
    return RC_OK;
}

/* What lies between the two; empty if channel does not begin and end so or has a slash between. */
static struct slice channel_part(struct slice channel, struct slice before, struct slice behind)
{
    if (!slice_starts_with(channel, before) || !slice_ends_with(channel, behind) ||
        channel.len <= before.len + behind.len) {
        return SLICE_EMPTY;
    }
    const struct slice part =
        slice_first(slice_from(channel, before.len), channel.len - before.len - behind.len);
    return slice_find_byte(part, '/') == part.len ? part : SLICE_EMPTY;
}

struct slice bayeux_channel_room_id(struct slice channel)
{
    return channel_part(channel, SLICE(CHANNEL_PREFIX "rooms/"), SLICE("/chatMessages"));
}

struct slice bayeux_channel_people_room_id(struct slice channel)
{
    return channel_part(channel, SLICE(CHANNEL_PREFIX "rooms/"), SLICE("/users"));
}

struct slice bayeux_channel_user_id(struct slice channel)
{
    return channel_part(channel, SLICE(CHANNEL_PREFIX "user/"), SLICE("/rooms"));
}

struct slice bayeux_room_messages_channel(struct arena *arena, struct slice room_id)
{
    return arena_printf(arena, CHANNEL_PREFIX "rooms/%.*s/chatMessages", SLICE_ARGS(room_id));
}

struct slice bayeux_room_people_channel(struct arena *arena, struct slice room_id)
{
    return arena_printf(arena, CHANNEL_PREFIX "rooms/%.*s/users", SLICE_ARGS(room_id));
}

struct slice bayeux_user_rooms_channel(struct arena *arena, struct slice user_id)
{
    return arena_printf(arena, CHANNEL_PREFIX "user/%.*s/rooms", SLICE_ARGS(user_id));
}
