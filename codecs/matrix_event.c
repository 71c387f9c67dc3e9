/* Reading what the homeserver pushes: transactions and their events. */
#include "codecs/matrix.h"

#include "codecs/json.h"
#include "runtime/base/limits.h"

/* An id of an event or room that is only pointed to: one that cannot exist is as good as none. */
static struct slice id_of(const struct json *object, struct slice name)
{
    const struct slice id = json_get_text(object, name);
    return id.len <= MATRIX_ID_BYTES_MAX ? id : SLICE_EMPTY;
}

/* Levels of a transaction that are read: the object, the array, the events, and their members. */
enum {
    LEVELS_OF_EVENTS = 3,
    LEVELS_OF_MEMBERS = 4
};

static struct slice id_alone(struct arena *arena, struct slice raw)
{
    struct json *event = NULL;
    const enum rc rc = json_parse_outline(arena, raw, 2, &event);
    return rc == RC_OK ? id_of(event, SLICE("event_id")) : SLICE_EMPTY;
}

/* Members without end in one event must not spoil the others: then each is read by itself. */
static enum rc
read_transaction(struct arena *arena, struct slice body, bool *has_members, struct json **root)
{
    const enum rc rc = json_parse_outline(arena, body, LEVELS_OF_MEMBERS, root);
    *has_members = rc != RC_TOO_BIG;
    return *has_members ? rc : json_parse_outline(arena, body, LEVELS_OF_EVENTS, root);
}

enum rc matrix_transaction_split(struct arena *arena,
                                 struct slice body,
                                 struct matrix_raw_event **events,
                                 size_t *count)
{
    struct json *root = NULL;
    bool has_members = false;
    const enum rc rc = read_transaction(arena, body, &has_members, &root);
    if (rc != RC_OK) {
        return rc;
    }
    const struct json *list = json_get(root, SLICE("events"));
    if (!json_is_array(list)) {
        return RC_BAD_INPUT;
    }
    *events = ARENA_ARRAY(arena, json_count(list), struct matrix_raw_event);
    *count = 0;
    for (const struct json *event = json_first(list); event != NULL; event = event->next) {
        const struct slice raw = json_raw(event);
        (*events)[*count] = (struct matrix_raw_event){
            raw, has_members ? id_of(event, SLICE("event_id")) : id_alone(arena, raw)};
        (*count)++;
    }
    return RC_OK;
}

static bool read_ids(const struct json *event, struct matrix_event *out)
{
    out->event_id = id_of(event, SLICE("event_id"));
    out->type = id_of(event, SLICE("type"));
    out->room_id = id_of(event, SLICE("room_id"));
    out->sender = id_of(event, SLICE("sender"));
    return out->event_id.len > 0 && out->type.len > 0 && out->room_id.len > 0 &&
           out->sender.len > 0;
}

static struct matrix_message read_message(const struct json *content)
{
    struct matrix_message message = {
        .msgtype = json_get_text(content, SLICE("msgtype")),
        .body = json_get_text(content, SLICE("body")),
        .format = json_get_text(content, SLICE("format")),
    };
    if (slice_equal(message.format, SLICE("org.matrix.custom.html"))) {
        message.html = json_get_text(content, SLICE("formatted_body"));
    }
    return message;
}

static void read_relation(const struct json *content, struct matrix_event *out)
{
    const struct json *relation = json_get(content, SLICE("m.relates_to"));
    out->rel_type = json_get_text(relation, SLICE("rel_type"));
    out->relates_to = id_of(relation, SLICE("event_id"));
    out->in_reply_to = id_of(json_get(relation, SLICE("m.in_reply_to")), SLICE("event_id"));
    out->is_falling_back = json_get_bool(relation, SLICE("is_falling_back"), false);
}

static bool has_encryption(const struct json *stripped_state)
{
    for (const struct json *event = json_first(stripped_state); event != NULL;
         event = event->next) {
        if (slice_equal(json_get_text(event, SLICE("type")), SLICE("m.room.encryption"))) {
            return true;
        }
    }
    return false;
}

static void
read_member(const struct json *content, const struct json *unsigned_data, struct matrix_event *out)
{
    const struct json *before = json_get(unsigned_data, SLICE("prev_content"));
    out->membership = json_get_text(content, SLICE("membership"));
    out->prev_membership = json_get_text(before, SLICE("membership"));
    out->displayname = json_get_text(content, SLICE("displayname"));
    out->is_direct = json_get_bool(content, SLICE("is_direct"), false);
    out->is_invite_to_encrypted =
        has_encryption(json_get(unsigned_data, SLICE("invite_room_state")));
}

/* Room versions up to 10 have it outside of the content, later ones inside. */
static struct slice read_redacts(const struct json *event, const struct json *content)
{
    const struct slice inside = id_of(content, SLICE("redacts"));
    return inside.len > 0 ? inside : id_of(event, SLICE("redacts"));
}

static void
read_by_type(const struct json *event, const struct json *content, struct matrix_event *out)
{
    if (slice_equal(out->type, SLICE("m.room.member"))) {
        read_member(content, json_get(event, SLICE("unsigned")), out);
    } else if (slice_equal(out->type, SLICE("m.room.message")) ||
               slice_equal(out->type, SLICE("m.sticker"))) {
        out->message = read_message(content);
        out->gitter_id = json_get_text(content, SLICE(MATRIX_MARKER_MESSAGE));
    } else if (slice_equal(out->type, SLICE("m.room.redaction"))) {
        out->redacts = read_redacts(event, content);
    } else if (slice_equal(out->type, SLICE("m.room.encrypted"))) {
        out->is_encrypted = true;
    } else if (slice_equal(out->type, SLICE("m.room.create"))) {
        out->room_marker = json_get_text(content, SLICE(MATRIX_MARKER_ROOM));
    } else if (slice_equal(out->type, SLICE("m.room.tombstone"))) {
        out->replacement_room = id_of(content, SLICE("replacement_room"));
    }
    if (slice_equal(out->rel_type, SLICE("m.replace"))) {
        out->edited = read_message(json_get(content, SLICE("m.new_content")));
    }
}

enum rc matrix_event_parse(struct arena *arena, struct slice raw, struct matrix_event *out)
{
    struct json *event = NULL;
    const enum rc rc = json_parse(arena, raw, &event);
    if (rc != RC_OK) {
        return rc;
    }
    struct matrix_event parsed = {.has_state_key = false};
    if (!read_ids(event, &parsed)) {
        return RC_BAD_INPUT;
    }
    const struct json *content = json_get(event, SLICE("content"));
    const struct json *redacted = json_get2(event, SLICE("unsigned"), SLICE("redacted_because"));
    const int64_t ts_ms = json_get_int(event, SLICE("origin_server_ts"), 0);

    parsed.has_state_key = json_get(event, SLICE("state_key")) != NULL;
    parsed.state_key = id_of(event, SLICE("state_key"));
    parsed.origin_ts_ms = ts_ms > 0 ? ts_ms : 0;
    parsed.content = json_is_object(content) ? json_raw(content) : SLICE("{}");
    parsed.is_redacted = json_is_object(redacted);
    read_relation(content, &parsed);
    read_by_type(event, content, &parsed);
    *out = parsed;
    return RC_OK;
}
