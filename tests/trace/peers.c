#include "tests/trace/peers_rooms.h"

#include "codecs/gitter.h"
#include "codecs/json.h"
#include "codecs/url.h"
#include "runtime/base/check.h"

enum {
    SHOWN_BYTES = 100,
    SEGMENTS_MAX = 12,
    GITTER_PAGE_MAX = 100,
};

void peers_init(struct peers *peers, struct arena *arena, struct slice bot)
{
    *peers = (struct peers){
        .arena = arena,
        .bot = bot,
        .members = "{}",
        .rooms = "[]",
        .account = "ann",
    };
    buf_init(&peers->log, arena);
}

bool peers_know(const struct peers *peers, struct slice fact)
{
    for (size_t i = 0; i < peers->facts_count; i++) {
        if (slice_equal(peers->facts[i], fact)) {
            return true;
        }
    }
    return false;
}

void peers_note(struct peers *peers, struct slice fact)
{
    if (!peers_know(peers, fact)) {
        CHECK(peers->facts_count < PEERS_ITEMS_MAX);
        peers->facts[peers->facts_count++] = arena_copy(peers->arena, fact);
    }
}

void peers_unlearn(struct peers *peers, struct slice fact)
{
    for (size_t i = 0; i < peers->facts_count; i++) {
        if (slice_equal(peers->facts[i], fact)) {
            peers->facts[i] = SLICE("(unlearned)");
        }
    }
}

/* A request, taken apart. */
struct asked {
    struct peers *peers;
    const struct outbox_call *row;
    struct slice segments[SEGMENTS_MAX]; /* of the path, decoded */
    size_t count;
    struct slice query;
    struct slice user; /* who acts on Matrix; on Gitter whose token it is */
    struct json *body;
    int64_t now_ms;
};

static struct slice decoded(struct peers *peers, struct slice text)
{
    struct slice plain = SLICE_EMPTY;
    CHECK(url_decode(peers->arena, text, &plain) == RC_OK);
    return plain;
}

static void take_apart(struct asked *asked)
{
    struct slice path = asked->row->call.path;
    asked->query = path;
    path = slice_cut(&asked->query, '?');
    CHECK(slice_starts_with(path, SLICE("/")));
    path = slice_from(path, 1);
    while (path.ptr != NULL) {
        CHECK(asked->count < SEGMENTS_MAX);
        asked->segments[asked->count++] = decoded(asked->peers, slice_cut(&path, '/'));
    }
    if (asked->row->call.body.len > 0 && asked->row->call.content_type.len == 0) {
        CHECK(json_parse(asked->peers->arena, asked->row->call.body, &asked->body) == RC_OK);
    }
}

static struct slice query_value(const struct asked *asked, struct slice name)
{
    struct slice value = SLICE_EMPTY;
    size_t count = 0;
    const enum rc rc = url_form_find(asked->peers->arena, asked->query, name, &value, &count);
    return rc == RC_OK ? value : SLICE_EMPTY;
}

static struct slice segment(const struct asked *asked, size_t i)
{
    return i < asked->count ? asked->segments[i] : SLICE_EMPTY;
}

static bool is_segment(const struct asked *asked, size_t i, const char *text)
{
    return slice_equal(segment(asked, i), slice_from_cstr(text));
}

/* The first line, cut where it gets long. */
static struct slice shown(struct slice text)
{
    return slice_first(slice_first(text, slice_find_byte(text, '\n')), SHOWN_BYTES);
}

static struct peer_answer answer_ok(void)
{
    return (struct peer_answer){200, SLICE("{}")};
}

/* The homeserver */

static struct slice fact_invited(struct peers *peers, struct slice room, struct slice user)
{
    return arena_printf(peers->arena, "invited %.*s %.*s", SLICE_ARGS(room), SLICE_ARGS(user));
}

static bool may_speak(const struct asked *asked, struct slice room)
{
    struct peers *peers = asked->peers;
    return slice_equal(asked->user, peers->bot) ||
           peers_know(peers, peers_fact_joined(peers, room, asked->user));
}

static struct peer_answer give_event(struct peers *peers, const struct peer_event *event)
{
    return (struct peer_answer){
        200, arena_printf(peers->arena, "{\"event_id\":\"%.*s\"}", SLICE_ARGS(event->id))};
}

static const struct peer_event *find_txn(const struct asked *asked, struct slice txn)
{
    for (size_t i = 0; i < asked->peers->events_count; i++) {
        if (slice_equal(asked->peers->events[i].txn, txn) &&
            slice_equal(asked->peers->events[i].room, segment(asked, 4))) {
            return &asked->peers->events[i];
        }
    }
    return NULL;
}

static const struct peer_event *keep_event(struct asked *asked, struct slice txn)
{
    struct peers *peers = asked->peers;
    CHECK(peers->events_count < PEERS_ITEMS_MAX);
    struct peer_event *event = &peers->events[peers->events_count++];
    *event = (struct peer_event){
        .id = arena_printf(peers->arena, "$sent%zu", peers->events_count),
        .room = segment(asked, 4),
        .txn = txn,
        .sender = asked->user,
        .body = json_get_text(asked->body, SLICE("body")),
        .content = arena_copy(peers->arena, asked->row->call.body),
    };
    return event;
}

static void log_send(struct asked *asked)
{
    const struct json *relation = json_get(asked->body, SLICE("m.relates_to"));
    const struct slice edited = json_get_text(relation, SLICE("event_id"));
    const struct slice replied =
        json_get_text(json_get(relation, SLICE("m.in_reply_to")), SLICE("event_id"));
    const struct slice body = shown(json_get_text(asked->body, SLICE("body")));
    buf_printf(&asked->peers->log, "%.*s %.*s %.*s: %.*s", SLICE_ARGS(segment(asked, 4)),
               SLICE_ARGS(asked->user), SLICE_ARGS(json_get_text(asked->body, SLICE("msgtype"))),
               SLICE_ARGS(body));
    if (edited.len > 0) {
        buf_printf(&asked->peers->log, " (edits %.*s)", SLICE_ARGS(edited));
    }
    if (replied.len > 0) {
        buf_printf(&asked->peers->log, " (replies to %.*s)", SLICE_ARGS(replied));
    }
    BUF_PUT(&asked->peers->log, "\n");
}

/* /_matrix/client/v3/rooms/R/send/TYPE/TXN and /rooms/R/redact/EVENT/TXN */
static struct peer_answer take_send(struct asked *asked)
{
    const struct slice txn = segment(asked, 7);
    const struct peer_event *before = find_txn(asked, txn);
    if (before != NULL) {
        return give_event(asked->peers, before);
    }
    if (!may_speak(asked, segment(asked, 4))) {
        buf_printf(&asked->peers->log, "%.*s %.*s may not speak\n", SLICE_ARGS(segment(asked, 4)),
                   SLICE_ARGS(asked->user));
        return peers_forbid();
    }
    if (is_segment(asked, 5, "redact")) {
        buf_printf(&asked->peers->log, "%.*s %.*s removes %.*s\n", SLICE_ARGS(segment(asked, 4)),
                   SLICE_ARGS(asked->user), SLICE_ARGS(segment(asked, 6)));
    } else {
        log_send(asked);
    }
    return give_event(asked->peers, keep_event(asked, txn));
}

static struct peer_answer take_create(struct asked *asked)
{
    struct peers *peers = asked->peers;
    peers->rooms_made++;
    peers_note_made(peers, json_get_text(json_get(asked->body, SLICE("creation_content")),
                                         SLICE("gitterd.room")));
    buf_printf(&peers->log, "create \"%.*s\" as !made%d\n",
               SLICE_ARGS(json_get_text(asked->body, SLICE("name"))), peers->rooms_made);
    return (struct peer_answer){
        200, arena_printf(peers->arena, "{\"room_id\":\"!made%d\"}", peers->rooms_made)};
}

static struct peer_answer take_register(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice name = json_get_text(asked->body, SLICE("username"));
    const struct slice fact = arena_printf(peers->arena, "registered @%.*s:hs", SLICE_ARGS(name));
    buf_printf(&peers->log, "register %.*s\n", SLICE_ARGS(name));
    if (peers_know(peers, fact)) {
        return (struct peer_answer){400, SLICE("{\"errcode\":\"M_USER_IN_USE\"}")};
    }
    peers_note(peers, fact);
    return answer_ok();
}

static struct peer_answer take_invite(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice room = segment(asked, 4);
    const struct slice user = json_get_text(asked->body, SLICE("user_id"));
    const bool is_ghost = slice_starts_with(user, SLICE("@gitter_"));
    buf_printf(&peers->log, "%.*s invite %.*s\n", SLICE_ARGS(room), SLICE_ARGS(user));
    const struct slice registered = arena_printf(peers->arena, "registered %.*s", SLICE_ARGS(user));
    if ((is_ghost && !peers_know(peers, registered)) ||
        peers_know(peers, peers_fact_joined(peers, room, user))) {
        return peers_forbid();
    }
    peers_note(peers, fact_invited(peers, room, user));
    return answer_ok();
}

static struct peer_answer take_join(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice room = segment(asked, 4);
    buf_printf(&peers->log, "%.*s join %.*s\n", SLICE_ARGS(room), SLICE_ARGS(asked->user));
    if (!slice_equal(asked->user, peers->bot) &&
        !peers_know(peers, fact_invited(peers, room, asked->user))) {
        return peers_forbid();
    }
    peers_note(peers, peers_fact_joined(peers, room, asked->user));
    return (struct peer_answer){
        200, arena_printf(peers->arena, "{\"room_id\":\"%.*s\"}", SLICE_ARGS(room))};
}

/* What every room has is noted alone, so that it does not stand in each log. */
static struct peer_answer take_state(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice type = segment(asked, 6);
    const struct slice fact =
        arena_printf(peers->arena, "%.*s %.*s %.*s", SLICE_ARGS(segment(asked, 4)),
                     SLICE_ARGS(type), SLICE_ARGS(asked->row->call.body));
    peers_note(peers, fact);
    if (slice_equal(type, SLICE("m.room.name")) || slice_equal(type, SLICE("m.room.topic")) ||
        slice_equal(type, SLICE("m.room.member"))) {
        buf_printf(&peers->log, "%.*s\n", SLICE_ARGS(fact));
    }
    return answer_ok();
}

static struct peer_answer take_room_call(struct asked *asked)
{
    struct peers *peers = asked->peers;
    if (is_segment(asked, 5, "send") || is_segment(asked, 5, "redact")) {
        return take_send(asked);
    }
    if (is_segment(asked, 5, "invite")) {
        return take_invite(asked);
    }
    if (is_segment(asked, 5, "join")) {
        return take_join(asked);
    }
    if (is_segment(asked, 5, "joined_members")) {
        return peers_tell_members(peers, segment(asked, 4), asked->user);
    }
    if (is_segment(asked, 5, "state") && slice_equal(asked->row->call.method, SLICE("GET"))) {
        return peers_tell_create(peers, segment(asked, 4), asked->user);
    }
    if (is_segment(asked, 5, "receipt")) {
        peers->receipts++;
        peers->read_to = segment(asked, 7);
        return answer_ok();
    }
    if (is_segment(asked, 5, "state")) {
        return take_state(asked);
    }
    const struct slice target = json_get_text(asked->body, SLICE("user_id"));
    buf_printf(&peers->log, "%.*s %.*s %.*s\n", SLICE_ARGS(segment(asked, 4)),
               SLICE_ARGS(segment(asked, 5)), SLICE_ARGS(target.len > 0 ? target : asked->user));
    peers_unlearn(peers, peers_fact_joined(peers, segment(asked, 4), asked->user));
    return answer_ok();
}

static struct peer_answer answer_homeserver(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice user = query_value(asked, SLICE("user_id"));
    asked->user = user.len > 0 ? user : peers->bot;
    CHECK(is_segment(asked, 0, "_matrix") && is_segment(asked, 2, "v3"));
    if (is_segment(asked, 3, "rooms")) {
        return take_room_call(asked);
    }
    if (is_segment(asked, 3, "joined_rooms")) {
        return peers_tell_rooms(peers, asked->user);
    }
    if (is_segment(asked, 3, "createRoom")) {
        return take_create(asked);
    }
    if (is_segment(asked, 3, "register")) {
        return take_register(asked);
    }
    CHECK(is_segment(asked, 3, "profile"));
    buf_printf(&peers->log, "name %.*s \"%.*s\"\n", SLICE_ARGS(segment(asked, 4)),
               SLICE_ARGS(json_get_text(asked->body, SLICE("displayname"))));
    return answer_ok();
}

/* Gitter */

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

struct peer_message *peers_find(struct peers *peers, struct slice id)
{
    for (size_t i = 0; i < peers->messages_count; i++) {
        if (slice_equal(peers->messages[i].id, id) && !peers->messages[i].is_removed) {
            return &peers->messages[i];
        }
    }
    return NULL;
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
    json_put_member(&writer, SLICE("displayName"),
                    arena_printf(peers->arena, "%.*s Name", SLICE_ARGS(message->user)));
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
    buf_printf(&peers->log, "gitter %.*s %.*s: %.*s\n", SLICE_ARGS(segment(asked, 1)),
               SLICE_ARGS(asked->user), SLICE_ARGS(shown(text)));
    struct peer_message *message = peers_say(peers, arena_cstr(peers->arena, segment(asked, 1)),
                                             arena_cstr(peers->arena, asked->user),
                                             arena_cstr(peers->arena, text), asked->now_ms);
    message->is_status = json_get_bool(asked->body, SLICE("status"), false);
    if (peers->is_shadow_banned) {
        message->is_removed = true;
    }
    return (struct peer_answer){200, peers_message_json(peers, message)};
}

static struct peer_answer take_change(struct asked *asked, bool is_removal)
{
    struct peers *peers = asked->peers;
    struct peer_message *message = peers_find(peers, segment(asked, 3));
    if (message == NULL) {
        return (struct peer_answer){404, SLICE("{\"error\":\"Not Found\"}")};
    }
    if (is_removal) {
        buf_printf(&peers->log, "gitter %.*s %.*s removes: %.*s\n", SLICE_ARGS(message->room),
                   SLICE_ARGS(asked->user), SLICE_ARGS(shown(message->text)));
        message->is_removed = true;
        return (struct peer_answer){204, SLICE_EMPTY};
    }
    message->text = json_get_text(asked->body, SLICE("text"));
    message->edited_ms = asked->now_ms;
    buf_printf(&peers->log, "gitter %.*s %.*s edits: %.*s\n", SLICE_ARGS(message->room),
               SLICE_ARGS(asked->user), SLICE_ARGS(shown(message->text)));
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
    const struct slice after = query_value(asked, SLICE("afterId"));
    int64_t skip = 0;
    if (slice_to_int(query_value(asked, SLICE("skip")), &skip) == RC_OK && skip > 0) {
        buf_printf(&peers->log, "gitter %.*s read behind %d\n", SLICE_ARGS(segment(asked, 1)),
                   (int)skip);
        return (struct peer_answer){200, page_of_one(peers, segment(asked, 1), skip)};
    }
    buf_printf(&peers->log, "gitter %.*s read\n", SLICE_ARGS(segment(asked, 1)));
    return (struct peer_answer){200, peers_page(peers, segment(asked, 1), after, GITTER_PAGE_MAX)};
}

static struct peer_answer take_web_call(struct asked *asked)
{
    struct peers *peers = asked->peers;
    if (is_segment(asked, 0, "logout")) {
        buf_printf(&peers->log, "gitter revokes the token of %.*s\n", SLICE_ARGS(asked->user));
        return answer_ok();
    }
    CHECK(is_segment(asked, 2, "token") && asked->row->call.auth == CALL_AUTH_OAUTH);
    buf_printf(&peers->log, "gitter gives a token of %s\n", peers->account);
    return (struct peer_answer){
        200, arena_printf(peers->arena, "{\"access_token\":\"token-%s\",\"token_type\":\"Bearer\"}",
                          peers->account)};
}

static struct peer_answer answer_gitter_room(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const bool is_get = slice_equal(asked->row->call.method, SLICE("GET"));
    if (is_segment(asked, 2, "users") && is_get) {
        return (struct peer_answer){200,
                                    slice_from_cstr(peers->people == NULL ? "[]" : peers->people)};
    }
    if (is_segment(asked, 2, "users")) {
        buf_printf(&peers->log, "gitter %.*s %.*s leaves\n", SLICE_ARGS(segment(asked, 1)),
                   SLICE_ARGS(asked->user));
        return answer_ok();
    }
    return (struct peer_answer){
        200, arena_printf(peers->arena, "{\"id\":\"%.*s\",\"roomMember\":%s}",
                          SLICE_ARGS(segment(asked, 1)), peers->is_owner_out ? "false" : "true")};
}

/* What is not among the user's rooms: a name is a person's, a room's or nobody's. */
static struct peer_answer answer_gitter_name(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const char *found = is_segment(asked, 0, "users") ? peers->person : peers->resolved;
    if (found == NULL) {
        return (struct peer_answer){404, SLICE("{\"error\":\"Not Found\"}")};
    }
    return (struct peer_answer){200, slice_from_cstr(found)};
}

static struct peer_answer answer_gitter(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice method = asked->row->call.method;
    if (asked->row->call.api == CALL_GITTER_WEB) {
        return take_web_call(asked);
    }
    if (is_segment(asked, 0, "users") || (is_segment(asked, 0, "rooms") && asked->count == 1 &&
                                          slice_equal(method, SLICE("POST")))) {
        return answer_gitter_name(asked);
    }
    if (is_segment(asked, 0, "user") && slice_equal(method, SLICE("POST"))) {
        buf_printf(&peers->log, "gitter %.*s joins\n", SLICE_ARGS(asked->user));
        return answer_ok();
    }
    if (is_segment(asked, 0, "user")) {
        return (struct peer_answer){
            200, arena_printf(peers->arena, "[{\"id\":\"%.*s\",\"username\":\"%.*s_g\"}]",
                              SLICE_ARGS(asked->user), SLICE_ARGS(asked->user))};
    }
    if (query_value(asked, SLICE("q")).len > 0) {
        return peers->found == NULL ? (struct peer_answer){500, SLICE("{}")}
                                    : (struct peer_answer){200, slice_from_cstr(peers->found)};
    }
    if (is_segment(asked, 0, "rooms") && asked->count == 1) {
        return (struct peer_answer){200, slice_from_cstr(peers->rooms)};
    }
    if (!is_segment(asked, 2, "chatMessages")) {
        return answer_gitter_room(asked);
    }
    if (slice_equal(method, SLICE("POST"))) {
        return take_post(asked);
    }
    return slice_equal(method, SLICE("GET"))
               ? take_page(asked)
               : take_change(asked, slice_equal(method, SLICE("DELETE")));
}

struct peer_answer
peers_answer(struct peers *peers, const struct outbox_call *row, struct slice token, int64_t now_ms)
{
    struct asked asked = {.peers = peers, .row = row, .now_ms = now_ms};
    take_apart(&asked);
    if (row->call.api == CALL_MATRIX) {
        return answer_homeserver(&asked);
    }
    const struct slice prefix = SLICE("token-");
    asked.user = slice_starts_with(token, prefix) ? slice_from(token, prefix.len) : SLICE_EMPTY;
    return answer_gitter(&asked);
}

size_t peers_count_matrix(const struct peers *peers, const char *room, const char *body)
{
    size_t count = 0;
    for (size_t i = 0; i < peers->events_count; i++) {
        count += slice_equal(peers->events[i].room, slice_from_cstr(room)) &&
                         slice_equal(peers->events[i].body, slice_from_cstr(body))
                     ? 1
                     : 0;
    }
    return count;
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
