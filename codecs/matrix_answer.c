/* Answers of the homeserver. */
#include "codecs/json.h"
#include "codecs/matrix.h"

#include "runtime/base/limits.h"

static enum rc
parse_text(struct arena *arena, struct slice text, struct slice name, struct slice *out)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct slice found = json_get_text(root, name);
    if (found.len == 0) {
        return RC_BAD_INPUT;
    }
    *out = found;
    return RC_OK;
}

enum rc matrix_room_id_parse(struct arena *arena, struct slice text, struct slice *room_id)
{
    return parse_text(arena, text, SLICE("room_id"), room_id);
}

enum rc matrix_event_id_parse(struct arena *arena, struct slice text, struct slice *event_id)
{
    return parse_text(arena, text, SLICE("event_id"), event_id);
}

enum rc matrix_user_id_parse(struct arena *arena, struct slice text, struct slice *user_id)
{
    return parse_text(arena, text, SLICE("user_id"), user_id);
}

/* The keys of an object, or the texts of an array. */
static void
collect(struct arena *arena, const struct json *container, struct slice **texts, size_t *count)
{
    const bool is_object = json_is_object(container);
    struct slice *found = ARENA_ARRAY(arena, json_count(container), struct slice);
    size_t used = 0;
    for (const struct json *node = json_first(container); node != NULL; node = node->next) {
        const struct slice text = is_object ? node->key : json_text(node);
        if (text.len > 0) {
            found[used] = text;
            used++;
        }
    }
    *texts = found;
    *count = used;
}

enum rc matrix_joined_members_parse(struct arena *arena,
                                    struct slice text,
                                    struct slice **user_ids,
                                    size_t *count)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct json *joined = json_get(root, SLICE("joined"));
    if (!json_is_object(joined)) {
        return RC_BAD_INPUT;
    }
    collect(arena, joined, user_ids, count);
    return RC_OK;
}

enum rc matrix_joined_rooms_parse(struct arena *arena,
                                  struct slice text,
                                  struct slice **room_ids,
                                  size_t *count)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct json *joined = json_get(root, SLICE("joined_rooms"));
    if (!json_is_array(joined)) {
        return RC_BAD_INPUT;
    }
    collect(arena, joined, room_ids, count);
    return RC_OK;
}

static bool is_of_member(const struct json *notice)
{
    const struct json *event = json_get(notice, SLICE("event"));
    return slice_equal(json_get_text(event, SLICE("type")), SLICE("m.room.member"));
}

static bool read_invite(const struct json *notice, struct slice user_id, struct matrix_invite *out)
{
    const struct json *event = json_get(notice, SLICE("event"));
    const struct slice membership =
        json_get_text(json_get(event, SLICE("content")), SLICE("membership"));
    *out = (struct matrix_invite){
        .room_id = json_get_text(notice, SLICE("room_id")),
        .event_id = json_get_text(event, SLICE("event_id")),
        .sender = json_get_text(event, SLICE("sender")),
        .time_ms = json_get_int(notice, SLICE("ts"), 0),
    };
    return is_of_member(notice) && slice_equal(json_get_text(event, SLICE("state_key")), user_id) &&
           slice_equal(membership, SLICE("invite")) && out->room_id.len > 0 &&
           out->room_id.len <= MATRIX_ID_BYTES_MAX && out->event_id.len > 0 &&
           out->event_id.len <= MATRIX_ID_BYTES_MAX && out->sender.len > 0 &&
           out->sender.len <= MATRIX_ID_BYTES_MAX;
}

enum rc matrix_invites_parse(struct arena *arena,
                             struct slice text,
                             struct slice user_id,
                             struct matrix_invites *out)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct json *notices = json_get(root, SLICE("notifications"));
    if (!json_is_array(notices)) {
        return RC_BAD_INPUT;
    }
    struct matrix_invites found = {
        .invites = ARENA_ARRAY(arena, json_count(notices), struct matrix_invite),
        .next = json_get_text(root, SLICE("next_token")),
    };
    for (const struct json *notice = json_first(notices); notice != NULL; notice = notice->next) {
        found.count += read_invite(notice, user_id, &found.invites[found.count]) ? 1 : 0;
    }
    *out = found;
    return RC_OK;
}

struct slice matrix_notifications_reduce(struct arena *arena, struct slice text)
{
    struct json *root = NULL;
    struct json_writer out;
    if (json_parse(arena, text, &root) != RC_OK ||
        !json_is_array(json_get(root, SLICE("notifications")))) {
        return SLICE_EMPTY;
    }
    json_writer_init(&out, arena);
    json_open_object(&out);
    json_put_member(&out, SLICE("next_token"), json_get_text(root, SLICE("next_token")));
    json_put_key(&out, SLICE("notifications"));
    json_open_array(&out);
    for (const struct json *notice = json_first(json_get(root, SLICE("notifications")));
         notice != NULL; notice = notice->next) {
        if (is_of_member(notice)) {
            json_put_raw(&out, json_raw(notice));
        }
    }
    json_close_array(&out);
    json_close_object(&out);
    return json_writer_end(&out);
}

enum rc matrix_messages_parse(struct arena *arena, struct slice text, struct matrix_page *out)
{
    struct json *root = NULL;
    const enum rc rc = json_parse_outline(arena, text, 3, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct json *chunk = json_get(root, SLICE("chunk"));
    if (!json_is_array(chunk)) {
        return RC_BAD_INPUT;
    }
    struct matrix_page page = {
        .events = ARENA_ARRAY(arena, json_count(chunk), struct slice),
        .end = json_get_text(root, SLICE("end")),
    };
    for (const struct json *event = json_first(chunk); event != NULL; event = event->next) {
        page.events[page.count] = json_raw(event);
        page.count++;
    }
    *out = page;
    return RC_OK;
}

enum rc matrix_error_parse(struct arena *arena, struct slice text, struct matrix_error *out)
{
    struct json *root = NULL;
    const enum rc rc = json_parse(arena, text, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct slice errcode = json_get_text(root, SLICE("errcode"));
    const int64_t retry_after_ms = json_get_int(root, SLICE("retry_after_ms"), -1);
    if (errcode.len == 0) {
        return RC_BAD_INPUT;
    }
    *out = (struct matrix_error){
        .errcode = errcode,
        .error = json_get_text(root, SLICE("error")),
        .retry_after_ms = retry_after_ms < 0 ? -1 : retry_after_ms,
    };
    return RC_OK;
}
