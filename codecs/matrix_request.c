/* Requests to the homeserver. */
#include "codecs/json.h"
#include "codecs/matrix.h"
#include "codecs/url.h"

#include "runtime/base/check.h"

enum {
    DISPLAYNAME_CHARS_MAX = 256, /* Synapse refuses longer ones */
};

/* "/_matrix/client/v3", what is fixed, and one encoded segment. */
static struct buf path_init(struct arena *arena, struct slice fixed, struct slice segment)
{
    struct buf path;
    buf_init(&path, arena);
    BUF_PUT(&path, "/_matrix/client/v3/");
    buf_put(&path, fixed);
    url_put_encoded(&path, segment);
    return path;
}

static void path_put_segment(struct buf *path, struct slice segment)
{
    buf_put_byte(path, '/');
    url_put_encoded(path, segment);
}

/* Segments are encoded: a question mark can only be the beginning of the query. */
static void path_put_query(struct buf *path, struct slice name, struct slice value)
{
    const bool is_first = slice_find_byte(buf_slice(path), '?') == path->len;
    buf_put_byte(path, is_first ? '?' : '&');
    url_put_encoded(path, name);
    buf_put_byte(path, '=');
    url_put_encoded(path, value);
}

static void path_put_user(struct buf *path, struct slice user_id)
{
    if (user_id.len > 0) {
        path_put_query(path, SLICE("user_id"), user_id);
    }
}

static struct matrix_request request_get(const struct buf *path)
{
    return (struct matrix_request){.method = SLICE("GET"), .path = buf_slice(path)};
}

static struct matrix_request
request_with_body(struct slice method, const struct buf *path, struct slice body)
{
    return (struct matrix_request){.method = method, .path = buf_slice(path), .body = body};
}

/* {"key":"text"} */
static struct slice body_of(struct arena *arena, struct slice key, struct slice text)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    writer.replace_nul = true;
    json_open_object(&writer);
    json_put_member(&writer, key, text);
    json_close_object(&writer);
    return json_writer_end(&writer);
}

struct matrix_request matrix_versions_request(struct arena *arena)
{
    (void)arena;
    return (struct matrix_request){
        .method = SLICE("GET"),
        .path = SLICE("/_matrix/client/versions"),
    };
}

struct matrix_request matrix_whoami_request(struct arena *arena)
{
    const struct buf path = path_init(arena, SLICE("account/whoami"), SLICE_EMPTY);
    return request_get(&path);
}

struct matrix_request matrix_ping_request(struct arena *arena, struct slice appservice_id)
{
    struct buf path;
    buf_init(&path, arena);
    BUF_PUT(&path, "/_matrix/client/v1/appservice");
    path_put_segment(&path, appservice_id);
    BUF_PUT(&path, "/ping");
    return request_with_body(SLICE("POST"), &path, SLICE("{}"));
}

struct matrix_request matrix_register_request(struct arena *arena, struct slice localpart)
{
    const struct buf path = path_init(arena, SLICE("register"), SLICE_EMPTY);
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_object(&writer);
    json_put_member(&writer, SLICE("type"), SLICE("m.login.application_service"));
    json_put_member(&writer, SLICE("username"), localpart);
    json_put_member_bool(&writer, SLICE("inhibit_login"), true);
    json_close_object(&writer);
    return request_with_body(SLICE("POST"), &path, json_writer_end(&writer));
}

static struct matrix_request
profile_request(struct arena *arena, struct slice user_id, struct slice key, struct slice value)
{
    struct buf path = path_init(arena, SLICE("profile/"), user_id);
    path_put_segment(&path, key);
    path_put_user(&path, user_id);
    return request_with_body(SLICE("PUT"), &path, body_of(arena, key, value));
}

static struct slice first_characters(struct slice text, size_t characters_max)
{
    size_t characters = 0;
    for (size_t i = 0; i < text.len; i++) {
        const bool begins_one = ((unsigned char)text.ptr[i] & 0xc0U) != 0x80U;
        if (begins_one && characters == characters_max) {
            return slice_first(text, i);
        }
        characters += begins_one ? 1 : 0;
    }
    return text;
}

struct matrix_request
matrix_displayname_request(struct arena *arena, struct slice user_id, struct slice name)
{
    return profile_request(arena, user_id, SLICE("displayname"),
                           first_characters(name, DISPLAYNAME_CHARS_MAX));
}

struct matrix_request
matrix_avatar_request(struct arena *arena, struct slice user_id, struct slice mxc_url)
{
    return profile_request(arena, user_id, SLICE("avatar_url"), mxc_url);
}

/* What every room of ours has: nobody finds it, no guest enters, only the bot may invite. */
static void put_private_room(struct json_writer *writer, struct slice name)
{
    json_put_member(writer, SLICE("preset"), SLICE("private_chat"));
    json_put_member(writer, SLICE("visibility"), SLICE("private"));
    if (name.len > 0) {
        json_put_member(writer, SLICE("name"), name);
    }
    json_put_key(writer, SLICE("power_level_content_override"));
    json_open_object(writer);
    json_put_member_int(writer, SLICE("invite"), 50);
    json_close_object(writer);
    json_put_key(writer, SLICE("initial_state"));
    json_put_raw(writer, SLICE("[{\"type\":\"m.room.guest_access\",\"state_key\":\"\","
                               "\"content\":{\"guest_access\":\"forbidden\"}}]"));
}

static void
put_creation_content(struct json_writer *writer, struct slice marker, bool federates, bool is_space)
{
    json_put_key(writer, SLICE("creation_content"));
    json_open_object(writer);
    if (!federates) {
        json_put_member_bool(writer, SLICE("m.federate"), false);
    }
    if (is_space) {
        json_put_member(writer, SLICE("type"), SLICE("m.space"));
    }
    json_put_member(writer, SLICE(MATRIX_MARKER_ROOM), marker);
    json_close_object(writer);
}

static struct matrix_request
create_room(struct arena *arena, const struct matrix_new_room *room, bool is_space)
{
    const struct buf path = path_init(arena, SLICE("createRoom"), SLICE_EMPTY);
    struct json_writer writer;
    json_writer_init(&writer, arena);
    writer.replace_nul = true;
    json_open_object(&writer);
    put_private_room(&writer, room->name);
    if (room->topic.len > 0) {
        json_put_member(&writer, SLICE("topic"), room->topic);
    }
    put_creation_content(&writer, room->marker, room->federates, is_space);
    json_close_object(&writer);
    return request_with_body(SLICE("POST"), &path, json_writer_end(&writer));
}

struct matrix_request matrix_create_bridged_room_request(struct arena *arena,
                                                         const struct matrix_new_room *room)
{
    return create_room(arena, room, false);
}

struct matrix_request matrix_create_space_request(struct arena *arena,
                                                  const struct matrix_new_room *room)
{
    return create_room(arena, room, true);
}

struct matrix_request matrix_create_chat_request(struct arena *arena,
                                                 struct slice name,
                                                 struct slice invitee,
                                                 struct slice marker)
{
    const struct buf path = path_init(arena, SLICE("createRoom"), SLICE_EMPTY);
    struct json_writer writer;
    json_writer_init(&writer, arena);
    writer.replace_nul = true;
    json_open_object(&writer);
    put_private_room(&writer, name);
    put_creation_content(&writer, marker, true, false);
    json_put_member_bool(&writer, SLICE("is_direct"), true);
    json_put_key(&writer, SLICE("invite"));
    json_open_array(&writer);
    json_put_text(&writer, invitee);
    json_close_array(&writer);
    json_close_object(&writer);
    return request_with_body(SLICE("POST"), &path, json_writer_end(&writer));
}

/* /rooms/ID/action with the acting user */
static struct buf
room_path(struct arena *arena, struct slice room_id, struct slice action, struct slice user_id)
{
    struct buf path = path_init(arena, SLICE("rooms/"), room_id);
    path_put_segment(&path, action);
    path_put_user(&path, user_id);
    return path;
}

struct matrix_request matrix_invite_request(struct arena *arena,
                                            struct slice room_id,
                                            struct slice invitee,
                                            struct slice user_id)
{
    const struct buf path = room_path(arena, room_id, SLICE("invite"), user_id);
    return request_with_body(SLICE("POST"), &path, body_of(arena, SLICE("user_id"), invitee));
}

struct matrix_request
matrix_join_request(struct arena *arena, struct slice room_id, struct slice user_id)
{
    const struct buf path = room_path(arena, room_id, SLICE("join"), user_id);
    return request_with_body(SLICE("POST"), &path, SLICE("{}"));
}

struct matrix_request
matrix_leave_request(struct arena *arena, struct slice room_id, struct slice user_id)
{
    const struct buf path = room_path(arena, room_id, SLICE("leave"), user_id);
    return request_with_body(SLICE("POST"), &path, SLICE("{}"));
}

struct matrix_request
matrix_forget_request(struct arena *arena, struct slice room_id, struct slice user_id)
{
    const struct buf path = room_path(arena, room_id, SLICE("forget"), user_id);
    return request_with_body(SLICE("POST"), &path, SLICE("{}"));
}

struct matrix_request matrix_kick_request(struct arena *arena,
                                          struct slice room_id,
                                          struct slice target,
                                          struct slice reason)
{
    const struct buf path = room_path(arena, room_id, SLICE("kick"), SLICE_EMPTY);
    struct json_writer writer;
    json_writer_init(&writer, arena);
    writer.replace_nul = true;
    json_open_object(&writer);
    json_put_member(&writer, SLICE("user_id"), target);
    if (reason.len > 0) {
        json_put_member(&writer, SLICE("reason"), reason);
    }
    json_close_object(&writer);
    return request_with_body(SLICE("POST"), &path, json_writer_end(&writer));
}

struct matrix_request
matrix_joined_members_request(struct arena *arena, struct slice room_id, struct slice user_id)
{
    const struct buf path = room_path(arena, room_id, SLICE("joined_members"), user_id);
    return request_get(&path);
}

struct matrix_request matrix_joined_rooms_request(struct arena *arena, struct slice user_id)
{
    struct buf path = path_init(arena, SLICE("joined_rooms"), SLICE_EMPTY);
    path_put_user(&path, user_id);
    return request_get(&path);
}

struct matrix_request
matrix_notifications_request(struct arena *arena, struct slice from, int limit)
{
    CHECK(limit > 0);
    struct buf path = path_init(arena, SLICE("notifications"), SLICE_EMPTY);
    path_put_query(&path, SLICE("limit"), arena_printf(arena, "%d", limit));
    if (from.len > 0) {
        path_put_query(&path, SLICE("from"), from);
    }
    return request_get(&path);
}

struct matrix_request
matrix_messages_request(struct arena *arena, struct slice room_id, struct slice from, int limit)
{
    CHECK(limit > 0);
    struct buf path = room_path(arena, room_id, SLICE("messages"), SLICE_EMPTY);
    path_put_query(&path, SLICE("dir"), SLICE("b"));
    path_put_query(&path, SLICE("limit"), arena_printf(arena, "%d", limit));
    if (from.len > 0) {
        path_put_query(&path, SLICE("from"), from);
    }
    return request_get(&path);
}

struct matrix_request matrix_send_request(struct arena *arena, const struct matrix_send *send)
{
    CHECK(send->txn_id.len > 0 && send->content.len > 0);
    struct buf path = path_init(arena, SLICE("rooms/"), send->room_id);
    BUF_PUT(&path, "/send");
    path_put_segment(&path, send->type.len > 0 ? send->type : SLICE("m.room.message"));
    path_put_segment(&path, send->txn_id);
    path_put_user(&path, send->user_id);
    if (send->ts_ms > 0) {
        path_put_query(&path, SLICE("ts"), arena_printf(arena, "%lld", (long long)send->ts_ms));
    }
    return request_with_body(SLICE("PUT"), &path, send->content);
}

struct matrix_request matrix_redact_request(struct arena *arena, const struct matrix_redact *redact)
{
    CHECK(redact->txn_id.len > 0);
    struct buf path = path_init(arena, SLICE("rooms/"), redact->room_id);
    BUF_PUT(&path, "/redact");
    path_put_segment(&path, redact->event_id);
    path_put_segment(&path, redact->txn_id);
    path_put_user(&path, redact->user_id);
    const struct slice body =
        redact->reason.len > 0 ? body_of(arena, SLICE("reason"), redact->reason) : SLICE("{}");
    return request_with_body(SLICE("PUT"), &path, body);
}

struct matrix_request
matrix_receipt_request(struct arena *arena, struct slice room_id, struct slice event_id)
{
    struct buf path = path_init(arena, SLICE("rooms/"), room_id);
    BUF_PUT(&path, "/receipt/m.read");
    path_put_segment(&path, event_id);
    return request_with_body(SLICE("POST"), &path, SLICE("{}"));
}

static struct buf
state_path(struct arena *arena, struct slice room_id, struct slice type, struct slice state_key)
{
    struct buf path = path_init(arena, SLICE("rooms/"), room_id);
    BUF_PUT(&path, "/state");
    path_put_segment(&path, type);
    path_put_segment(&path, state_key);
    return path;
}

struct matrix_request matrix_get_state_request(struct arena *arena,
                                               struct slice room_id,
                                               struct slice type,
                                               struct slice state_key)
{
    const struct buf path = state_path(arena, room_id, type, state_key);
    return request_get(&path);
}

struct matrix_request matrix_put_state_request(struct arena *arena,
                                               struct slice room_id,
                                               struct slice type,
                                               struct slice state_key,
                                               struct slice content)
{
    CHECK(content.len > 0);
    const struct buf path = state_path(arena, room_id, type, state_key);
    return request_with_body(SLICE("PUT"), &path, content);
}
