/* Reading Gitter's answers and live records. */
#include "codecs/gitter.h"

#include "codecs/json.h"

static struct gitter_user read_user(const struct json *node)
{
    return (struct gitter_user){
        .id = json_get_text(node, SLICE("id")),
        .username = json_get_text(node, SLICE("username")),
        .display_name = json_get_text(node, SLICE("displayName")),
        .avatar_url = json_get_text(node, SLICE("avatarUrl")),
    };
}

/* A time; 0 if it is missing or unreadable. */
static int64_t read_time(const struct json *node, struct slice name)
{
    int64_t ms = 0;
    return gitter_time_parse(json_get_text(node, name), &ms) == RC_OK ? ms : 0;
}

static struct gitter_room read_room(const struct json *node)
{
    const struct json *member = json_get(node, SLICE("roomMember"));
    const struct json *topic = json_get(node, SLICE("topic"));
    return (struct gitter_room){
        .id = json_get_text(node, SLICE("id")),
        .name = json_get_text(node, SLICE("name")),
        .uri = json_get_text(node, SLICE("uri")),
        .url = json_get_text(node, SLICE("url")),
        .topic = json_text(topic),
        .avatar_url = json_get_text(node, SLICE("avatarUrl")),
        .has_topic = topic != NULL && topic->type == JSON_TEXT,
        .is_one_to_one = json_get_bool(node, SLICE("oneToOne"), false),
        .user = read_user(json_get(node, SLICE("user"))),
        .is_member = json_bool(member, false),
        .has_is_member = member != NULL && member->type == JSON_BOOL,
        .is_public = json_get_bool(node, SLICE("public"), false),
        .has_activity = json_get_bool(node, SLICE("activity"), false),
        .last_access_ms = read_time(node, SLICE("lastAccessTime")),
        .users_count = json_get_int(node, SLICE("userCount"), 0),
    };
}

static struct gitter_message read_message(const struct json *node)
{
    const struct json *version = json_get(node, SLICE("v"));
    return (struct gitter_message){
        .id = json_get_text(node, SLICE("id")),
        .text = json_get_text(node, SLICE("text")),
        .html = json_get_text(node, SLICE("html")),
        .is_status = json_get_bool(node, SLICE("status"), false),
        .sent_ms = read_time(node, SLICE("sent")),
        .edited_ms = read_time(node, SLICE("editedAt")),
        .parent_id = json_get_text(node, SLICE("parentId")),
        .thread_count = json_get_int(node, SLICE("threadMessageCount"), 0),
        .version = json_int(version, 0),
        .has_version = json_is_int(version),
        .from = read_user(json_get(node, SLICE("fromUser"))),
        .is_virtual = json_is_object(json_get(node, SLICE("virtualUser"))),
    };
}

enum rc gitter_user_parse(struct arena *arena, struct slice text, struct gitter_user *out)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct gitter_user user = read_user(json_is_array(root) ? json_first(root) : root);
    if (user.id.len == 0) {
        return RC_BAD_INPUT;
    }
    *out = user;
    return RC_OK;
}

enum rc gitter_room_parse(struct arena *arena, struct slice text, struct gitter_room *out)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct gitter_room room = read_room(root);
    if (room.id.len == 0) {
        return RC_BAD_INPUT;
    }
    *out = room;
    return RC_OK;
}

static enum rc parse_array(struct arena *arena, struct slice text, struct json **out)
{
    const enum rc rc = json_parse(arena, text, out);
    return rc != RC_OK || json_is_array(*out) ? rc : RC_BAD_INPUT;
}

enum rc gitter_rooms_parse(struct arena *arena,
                           struct slice text,
                           struct gitter_room **rooms,
                           size_t *count)
{
    struct json *root = NULL;
    const enum rc rc = parse_array(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    struct gitter_room *found = ARENA_ARRAY(arena, json_count(root), struct gitter_room);
    size_t used = 0;
    for (const struct json *node = json_first(root); node != NULL; node = node->next) {
        found[used] = read_room(node);
        used += found[used].id.len > 0 ? 1 : 0;
    }
    *rooms = found;
    *count = used;
    return RC_OK;
}

enum rc gitter_message_parse(struct arena *arena, struct slice text, struct gitter_message *out)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct gitter_message message = read_message(root);
    if (message.id.len == 0) {
        return RC_BAD_INPUT;
    }
    *out = message;
    return RC_OK;
}

enum rc gitter_messages_parse(struct arena *arena,
                              struct slice text,
                              struct gitter_message **messages,
                              size_t *count)
{
    struct json *root = NULL;
    const enum rc rc = parse_array(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    struct gitter_message *found = ARENA_ARRAY(arena, json_count(root), struct gitter_message);
    size_t used = 0;
    for (const struct json *node = json_first(root); node != NULL; node = node->next) {
        found[used] = read_message(node);
        used += found[used].id.len > 0 ? 1 : 0;
    }
    *messages = found;
    *count = used;
    return RC_OK;
}

static enum gitter_operation read_operation(struct slice name)
{
    static const struct {
        struct slice name;
        enum gitter_operation operation;
    } names[] = {
        {SLICE_INIT("create"), GITTER_OPERATION_CREATE},
        {SLICE_INIT("update"), GITTER_OPERATION_UPDATE},
        {SLICE_INIT("patch"), GITTER_OPERATION_PATCH},
        {SLICE_INIT("remove"), GITTER_OPERATION_REMOVE},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_equal(names[i].name, name)) {
            return names[i].operation;
        }
    }
    return GITTER_OPERATION_OTHER;
}

enum rc gitter_record_parse(struct arena *arena, struct slice text, struct gitter_record *out)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    if (!json_is_object(root)) {
        return RC_BAD_INPUT;
    }
    const struct json *model = json_get(root, SLICE("model"));
    *out = (struct gitter_record){
        .operation = read_operation(json_get_text(root, SLICE("operation"))),
        .model = json_is_object(model) ? json_raw(model) : SLICE_EMPTY,
        .id = json_get_text(model, SLICE("id")),
        .notification = json_get_text(root, SLICE("notification")),
    };
    return RC_OK;
}

enum rc
gitter_error_parse(struct arena *arena, struct slice text, struct slice *error, bool *needs_login)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct slice found = json_get_text(root, SLICE("error"));
    const bool is_logged_out = json_get_bool(root, SLICE("loginRequired"), false);
    if (found.len == 0 && !is_logged_out) {
        return RC_BAD_INPUT;
    }
    *error = found;
    *needs_login = is_logged_out;
    return RC_OK;
}

enum rc gitter_token_parse(struct arena *arena, struct slice text, struct slice *token)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct slice found = json_get_text(root, SLICE("access_token"));
    const struct slice type = json_get_text(root, SLICE("token_type"));
    if (found.len == 0 || !slice_equal_fold(type, SLICE("bearer"))) {
        return RC_BAD_INPUT;
    }
    *token = found;
    return RC_OK;
}

struct slice gitter_room_label(const struct gitter_room *room)
{
    if (room->uri.len > 0) {
        return room->uri;
    }
    if (room->user.username.len > 0) {
        return room->user.username;
    }
    return room->name.len > 0 ? room->name : room->id;
}
