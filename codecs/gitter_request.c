/* Requests to Gitter's REST interface. */
#include "codecs/gitter.h"

#include "codecs/json.h"
#include "codecs/url.h"
#include "runtime/base/check.h"

static struct gitter_request request_plain(struct slice method, struct slice path)
{
    return (struct gitter_request){.method = method, .path = path};
}

/* Method, path and {"key":"text"}. */
static struct gitter_request request_with_text(struct arena *arena,
                                               struct slice method,
                                               struct slice path,
                                               struct slice key,
                                               struct slice text)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_object(&writer);
    json_put_member(&writer, key, text);
    json_close_object(&writer);
    return (struct gitter_request){method, path, json_writer_end(&writer)};
}

/* /rooms/ID, and below it /what and /ID2 unless they are empty */
static struct buf
room_path(struct arena *arena, struct slice room_id, struct slice what, struct slice id)
{
    struct buf path;
    buf_init(&path, arena);
    BUF_PUT(&path, "/rooms/");
    url_put_encoded(&path, room_id);
    if (what.len > 0) {
        buf_put_byte(&path, '/');
        buf_put(&path, what);
    }
    if (id.len > 0) {
        buf_put_byte(&path, '/');
        url_put_encoded(&path, id);
    }
    return path;
}

static struct slice messages_path(struct arena *arena, struct slice room_id, struct slice id)
{
    const struct buf path = room_path(arena, room_id, SLICE("chatMessages"), id);
    return buf_slice(&path);
}

struct gitter_request gitter_user_request(struct arena *arena)
{
    (void)arena;
    return request_plain(SLICE("GET"), SLICE("/user"));
}

struct gitter_request gitter_rooms_request(struct arena *arena)
{
    (void)arena;
    return request_plain(SLICE("GET"), SLICE("/rooms"));
}

struct gitter_request gitter_room_request(struct arena *arena, struct slice room_id)
{
    const struct buf path = room_path(arena, room_id, SLICE_EMPTY, SLICE_EMPTY);
    return request_plain(SLICE("GET"), buf_slice(&path));
}

struct gitter_request gitter_resolve_request(struct arena *arena, struct slice uri)
{
    const struct slice name = slice_starts_with(uri, SLICE("/")) ? slice_from(uri, 1) : uri;
    return request_with_text(arena, SLICE("POST"), SLICE("/rooms"), SLICE("uri"), name);
}

struct gitter_request gitter_join_request(struct arena *arena, struct slice room_id)
{
    return request_with_text(arena, SLICE("POST"), SLICE("/user/me/rooms"), SLICE("id"), room_id);
}

struct gitter_request
gitter_leave_request(struct arena *arena, struct slice room_id, struct slice user_id)
{
    const struct buf path = room_path(arena, room_id, SLICE("users"), user_id);
    return request_plain(SLICE("DELETE"), buf_slice(&path));
}

struct gitter_request
gitter_messages_request(struct arena *arena, struct slice room_id, const struct gitter_page *page)
{
    struct buf query;
    buf_init(&query, arena);
    if (page->limit > 0) {
        const struct slice limit = arena_printf(arena, "%lld", (long long)page->limit);
        url_form_put(&query, SLICE("limit"), limit);
    }
    if (page->skip > 0) {
        const struct slice skip = arena_printf(arena, "%lld", (long long)page->skip);
        url_form_put(&query, SLICE("skip"), skip);
    }
    if (page->after_id.len > 0) {
        url_form_put(&query, SLICE("afterId"), page->after_id);
    }
    if (page->before_id.len > 0) {
        url_form_put(&query, SLICE("beforeId"), page->before_id);
    }
    if (page->with_threads) {
        url_form_put(&query, SLICE("includeThreads"), SLICE("true"));
    }
    struct buf path = room_path(arena, room_id, SLICE("chatMessages"), SLICE_EMPTY);
    if (query.len > 0) {
        buf_put_byte(&path, '?');
        buf_put(&path, buf_slice(&query));
    }
    return request_plain(SLICE("GET"), buf_slice(&path));
}

struct gitter_request
gitter_message_request(struct arena *arena, struct slice room_id, struct slice message_id)
{
    CHECK(message_id.len > 0);
    return request_plain(SLICE("GET"), messages_path(arena, room_id, message_id));
}

struct gitter_request gitter_send_request(struct arena *arena,
                                          struct slice room_id,
                                          struct slice text,
                                          bool is_status,
                                          struct slice parent_id)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_object(&writer);
    json_put_member(&writer, SLICE("text"), text);
    if (is_status) {
        json_put_member_bool(&writer, SLICE("status"), true);
    }
    if (parent_id.len > 0) {
        json_put_member(&writer, SLICE("parentId"), parent_id);
    }
    json_close_object(&writer);
    return (struct gitter_request){
        .method = SLICE("POST"),
        .path = messages_path(arena, room_id, SLICE_EMPTY),
        .body = json_writer_end(&writer),
    };
}

struct gitter_request gitter_edit_request(struct arena *arena,
                                          struct slice room_id,
                                          struct slice message_id,
                                          struct slice text)
{
    CHECK(message_id.len > 0);
    const struct slice path = messages_path(arena, room_id, message_id);
    return request_with_text(arena, SLICE("PUT"), path, SLICE("text"), text);
}

struct gitter_request
gitter_delete_request(struct arena *arena, struct slice room_id, struct slice message_id)
{
    CHECK(message_id.len > 0);
    return request_plain(SLICE("DELETE"), messages_path(arena, room_id, message_id));
}
