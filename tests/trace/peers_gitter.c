/* Gitter's side of the peers. */
#include "tests/trace/peers_parts.h"

#include "codecs/gitter.h"
#include "codecs/json.h"
#include "runtime/base/check.h"

enum {
    GITTER_PAGE_MAX = 100,
};

struct peer_message *
peers_say(struct peers *peers, const char *room, const char *user, const char *text, int64_t now_ms)
{
    CHECK(peers->messages_count < PEERS_ITEMS_MAX);
    struct peer_message *message = &peers->messages[peers->messages_count++];
    peers->message_ids++;
    *message = (struct peer_message){
        .id = arena_printf(peers->arena, "%08llx%016llx", (unsigned long long)(now_ms / 1000),
                           (unsigned long long)peers->message_ids),
        .room = arena_copy(peers->arena, slice_from_cstr(room)),
        .user = arena_copy(peers->arena, slice_from_cstr(user)),
        .text = arena_copy(peers->arena, slice_from_cstr(text)),
        .sent_ms = now_ms,
    };
    return message;
}

void peers_stamp_edit(struct peer_message *message, int64_t now_ms)
{
    message->edited_ms = now_ms > message->edited_ms ? now_ms : message->edited_ms + 1;
}

struct peer_message *peers_find(struct peers *peers, struct slice id)
{
    for (size_t i = 0; i < peers->messages_count; i++) {
        if (slice_equal(peers->messages[i].id, id) && !peers->messages[i].is_removed) {
            return &peers->messages[i];
        }
    }
    return NULL;
}

struct slice peers_name(struct peers *peers, struct slice user)
{
    const struct slice name =
        peers_setting(peers, arena_printf(peers->arena, "name %.*s", SLICE_ARGS(user)));
    return name.len > 0 ? name : arena_printf(peers->arena, "%.*s Name", SLICE_ARGS(user));
}

struct slice peers_message_json(struct peers *peers, const struct peer_message *message)
{
    struct json_writer writer;
    json_writer_init(&writer, peers->arena);
    json_open_object(&writer);
    json_put_member(&writer, SLICE("id"), message->id);
    json_put_member(&writer, SLICE("text"), message->text);
    json_put_member(&writer, SLICE("html"), message->html.len > 0 ? message->html : message->text);
    if (message->is_status) {
        json_put_member_bool(&writer, SLICE("status"), true);
    }
    json_put_member(&writer, SLICE("sent"), gitter_time_print(peers->arena, message->sent_ms));
    if (message->edited_ms > 0) {
        json_put_member(&writer, SLICE("editedAt"),
                        gitter_time_print(peers->arena, message->edited_ms));
    }
    json_put_key(&writer, SLICE("fromUser"));
    json_open_object(&writer);
    json_put_member(&writer, SLICE("id"), message->user);
    json_put_member(&writer, SLICE("username"), message->user);
    json_put_member(&writer, SLICE("displayName"), peers_name(peers, message->user));
    if (peers->avatar != NULL) {
        json_put_member(&writer, SLICE("avatarUrl"), slice_from_cstr(peers->avatar));
    }
    json_close_object(&writer);
    if (!peers->is_shadow_banned) {
        json_put_member_int(&writer, SLICE("v"), message->edited_ms > 0 ? 2 : 1);
    }
    json_close_object(&writer);
    return json_writer_end(&writer);
}

struct slice peers_page(struct peers *peers, struct slice room, struct slice after, size_t limit)
{
    const struct peer_message *page[PEERS_ITEMS_MAX];
    size_t count = 0;
    struct buf out;
    buf_init(&out, peers->arena);
    for (size_t i = 0; i < peers->messages_count; i++) {
        const struct peer_message *message = &peers->messages[i];
        if (!message->is_removed && slice_equal(message->room, room) &&
            slice_compare(message->id, after) > 0) {
            page[count++] = message;
        }
    }
    const size_t skipped = after.len == 0 && count > limit ? count - limit : 0;
    BUF_PUT(&out, "[");
    for (size_t i = skipped; i < count && i < skipped + limit; i++) {
        buf_printf(&out, "%s%.*s", i > skipped ? "," : "",
                   SLICE_ARGS(peers_message_json(peers, page[i])));
    }
    BUF_PUT(&out, "]");
    return buf_slice(&out);
}

static struct peer_answer take_post(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice text = json_get_text(asked->body, SLICE("text"));
    buf_printf(&peers->log, "gitter %.*s %.*s: %.*s\n", SLICE_ARGS(asked_segment(asked, 1)),
               SLICE_ARGS(asked->user), SLICE_ARGS(asked_shown(text)));
    struct peer_message *message = peers_say(
        peers, arena_cstr(peers->arena, asked_segment(asked, 1)),
        arena_cstr(peers->arena, asked->user), arena_cstr(peers->arena, text), asked->now_ms);
    message->is_status = json_get_bool(asked->body, SLICE("status"), false);
    if (peers->is_shadow_banned) {
        message->is_removed = true;
    }
    return (struct peer_answer){200, peers_message_json(peers, message)};
}

static struct peer_answer take_change(struct asked *asked, bool is_removal)
{
    struct peers *peers = asked->peers;
    struct peer_message *message = peers_find(peers, asked_segment(asked, 3));
    if (message == NULL) {
        return (struct peer_answer){404, SLICE("{\"error\":\"Not Found\"}")};
    }
    if (is_removal) {
        buf_printf(&peers->log, "gitter %.*s %.*s removes: %.*s\n", SLICE_ARGS(message->room),
                   SLICE_ARGS(asked->user), SLICE_ARGS(asked_shown(message->text)));
        message->is_removed = true;
        return (struct peer_answer){204, SLICE_EMPTY};
    }
    message->text = json_get_text(asked->body, SLICE("text"));
    peers_stamp_edit(message, asked->now_ms);
    buf_printf(&peers->log, "gitter %.*s %.*s edits: %.*s\n", SLICE_ARGS(message->room),
               SLICE_ARGS(asked->user), SLICE_ARGS(asked_shown(message->text)));
    return (struct peer_answer){200, peers_message_json(peers, message)};
}

/* The message of a room in front of its `skip` newest. */
static struct slice page_of_one(struct peers *peers, struct slice room, int64_t skip)
{
    for (size_t i = peers->messages_count; i-- > 0;) {
        const struct peer_message *message = &peers->messages[i];
        if (message->is_removed || !slice_equal(message->room, room)) {
            continue;
        }
        if (skip == 0) {
            return arena_printf(peers->arena, "[%.*s]",
                                SLICE_ARGS(peers_message_json(peers, message)));
        }
        skip--;
    }
    return SLICE("[]");
}

static struct peer_answer take_page(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice room = asked_segment(asked, 1);
    const struct slice after = asked_query(asked, SLICE("afterId"));
    int64_t skip = 0;
    if (slice_to_int(asked_query(asked, SLICE("skip")), &skip) == RC_OK && skip > 0) {
        buf_printf(&peers->log, "gitter %.*s read behind %d\n", SLICE_ARGS(room), (int)skip);
        return (struct peer_answer){200, page_of_one(peers, room, skip)};
    }
    buf_printf(&peers->log, "gitter %.*s read\n", SLICE_ARGS(room));
    return (struct peer_answer){200, peers_page(peers, room, after, GITTER_PAGE_MAX)};
}

/* Of the code "abc-<account>"; any other code is of who logs in next. */
static struct slice account_of_code(const struct asked *asked)
{
    const struct slice mark = SLICE("abc-");
    const struct slice body = asked->row->call.body;
    const size_t at = slice_find(body, mark);
    size_t len = 0;
    if (at == body.len) {
        return slice_from_cstr(asked->peers->account);
    }
    const struct slice account = slice_from(body, at + mark.len);
    while (len < account.len && account.ptr[len] >= 'a' && account.ptr[len] <= 'z') {
        len++;
    }
    return slice_first(account, len);
}

static struct peer_answer take_web_call(struct asked *asked)
{
    struct peers *peers = asked->peers;
    if (asked_is(asked, 0, "logout")) {
        buf_printf(&peers->log, "gitter revokes the token of %.*s\n", SLICE_ARGS(asked->user));
        return peer_answer_ok();
    }
    CHECK(asked_is(asked, 2, "token") && asked->row->call.auth == CALL_AUTH_OAUTH);
    const struct slice account = account_of_code(asked);
    buf_printf(&peers->log, "gitter gives a token of %.*s\n", SLICE_ARGS(account));
    return (struct peer_answer){
        200,
        arena_printf(peers->arena, "{\"access_token\":\"token-%.*s\",\"token_type\":\"Bearer\"}",
                     SLICE_ARGS(account))};
}

static struct peer_answer answer_gitter_room(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const bool is_get = slice_equal(asked->row->call.method, SLICE("GET"));
    if (asked_is(asked, 2, "users") && is_get) {
        return (struct peer_answer){200,
                                    slice_from_cstr(peers->people == NULL ? "[]" : peers->people)};
    }
    if (asked_is(asked, 2, "users")) {
        buf_printf(&peers->log, "gitter %.*s %.*s leaves\n", SLICE_ARGS(asked_segment(asked, 1)),
                   SLICE_ARGS(asked->user));
        return peer_answer_ok();
    }
    const bool is_out = peers->is_owner_out ||
                        peers_have_barred(peers, "out", asked_segment(asked, 1), asked->user);
    return (struct peer_answer){
        200, arena_printf(peers->arena, "{\"id\":\"%.*s\",\"roomMember\":%s}",
                          SLICE_ARGS(asked_segment(asked, 1)), is_out ? "false" : "true")};
}

/* What is not among the user's rooms: a name is a person's, a room's or nobody's. */
static struct peer_answer answer_gitter_name(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const char *found = asked_is(asked, 0, "users") ? peers->person : peers->resolved;
    if (found == NULL) {
        return (struct peer_answer){404, SLICE("{\"error\":\"Not Found\"}")};
    }
    return (struct peer_answer){200, slice_from_cstr(found)};
}

struct peer_answer peers_answer_gitter(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice method = asked->row->call.method;
    if (asked->row->call.api == CALL_GITTER_WEB) {
        return take_web_call(asked);
    }
    if (peers_have_revoked(peers, asked->user)) {
        return (struct peer_answer){401, SLICE("{\"error\":\"Unauthorized\"}")};
    }
    if (asked_is(asked, 0, "rooms") && asked->count > 1 &&
        peers_have_barred(peers, "banned", asked_segment(asked, 1), asked->user)) {
        return (struct peer_answer){403, SLICE("{\"error\":\"Forbidden\"}")};
    }
    if (asked_is(asked, 0, "users") ||
        (asked_is(asked, 0, "rooms") && asked->count == 1 && slice_equal(method, SLICE("POST")))) {
        return answer_gitter_name(asked);
    }
    if (asked_is(asked, 0, "user") && slice_equal(method, SLICE("POST"))) {
        buf_printf(&peers->log, "gitter %.*s joins\n", SLICE_ARGS(asked->user));
        return peer_answer_ok();
    }
    if (asked_is(asked, 0, "user")) {
        return (struct peer_answer){
            200, arena_printf(peers->arena, "[{\"id\":\"%.*s\",\"username\":\"%.*s_g\"}]",
                              SLICE_ARGS(asked->user), SLICE_ARGS(asked->user))};
    }
    if (asked_query(asked, SLICE("q")).len > 0) {
        return peers->found == NULL ? (struct peer_answer){500, SLICE("{}")}
                                    : (struct peer_answer){200, slice_from_cstr(peers->found)};
    }
    if (asked_is(asked, 0, "rooms") && asked->count == 1) {
        return (struct peer_answer){200, slice_from_cstr(peers->rooms)};
    }
    if (!asked_is(asked, 2, "chatMessages")) {
        return answer_gitter_room(asked);
    }
    if (slice_equal(method, SLICE("POST"))) {
        return take_post(asked);
    }
    return slice_equal(method, SLICE("GET"))
               ? take_page(asked)
               : take_change(asked, slice_equal(method, SLICE("DELETE")));
}

size_t peers_count_gitter(const struct peers *peers, const char *room, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < peers->messages_count; i++) {
        count += slice_equal(peers->messages[i].room, slice_from_cstr(room)) &&
                         slice_equal(peers->messages[i].text, slice_from_cstr(text)) &&
                         !peers->messages[i].is_removed
                     ? 1
                     : 0;
    }
    return count;
}
