#include "tests/trace/peers_looks.h"
#include "tests/trace/peers_parts.h"
#include "tests/trace/peers_rooms.h"

#include "codecs/json.h"
#include "codecs/url.h"
#include "runtime/base/check.h"

enum {
    SHOWN_BYTES = 100,
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

struct slice peers_account(struct slice token)
{
    const struct slice prefix = SLICE("token-");
    return slice_starts_with(token, prefix) ? slice_from(token, prefix.len) : SLICE_EMPTY;
}

bool peers_have_revoked(const struct peers *peers, struct slice account)
{
    return peers_know(peers, arena_printf(peers->arena, "revoked %.*s", SLICE_ARGS(account)));
}

bool peers_have_barred(struct peers *peers, const char *how, struct slice room, struct slice user)
{
    return peers_know(
        peers, arena_printf(peers->arena, "%s %.*s %.*s", how, SLICE_ARGS(room), SLICE_ARGS(user)));
}

static size_t setting_at(const struct peers *peers, struct slice of)
{
    size_t i = 0;
    while (i < peers->settings_count && !slice_equal(peers->settings[i].of, of)) {
        i++;
    }
    return i;
}

struct slice peers_setting(const struct peers *peers, struct slice of)
{
    const size_t i = setting_at(peers, of);
    return i < peers->settings_count ? peers->settings[i].value : SLICE_EMPTY;
}

void peers_set(struct peers *peers, struct slice of, struct slice value)
{
    const size_t i = setting_at(peers, of);
    CHECK(i < PEERS_ITEMS_MAX);
    peers->settings[i] =
        (struct peer_setting){arena_copy(peers->arena, of), arena_copy(peers->arena, value)};
    peers->settings_count += i == peers->settings_count ? 1 : 0;
}

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

struct slice asked_query(const struct asked *asked, struct slice name)
{
    struct slice value = SLICE_EMPTY;
    size_t count = 0;
    const enum rc rc = url_form_find(asked->peers->arena, asked->query, name, &value, &count);
    return rc == RC_OK ? value : SLICE_EMPTY;
}

struct slice asked_segment(const struct asked *asked, size_t i)
{
    return i < asked->count ? asked->segments[i] : SLICE_EMPTY;
}

bool asked_is(const struct asked *asked, size_t i, const char *text)
{
    return slice_equal(asked_segment(asked, i), slice_from_cstr(text));
}

/* The first line, cut where it gets long. */
struct slice asked_shown(struct slice text)
{
    return slice_first(slice_first(text, slice_find_byte(text, '\n')), SHOWN_BYTES);
}

struct peer_answer peer_answer_ok(void)
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
            slice_equal(asked->peers->events[i].room, asked_segment(asked, 4))) {
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
    const struct json *edit = json_get(asked->body, SLICE("m.new_content"));
    const struct json *relation = json_get(asked->body, SLICE("m.relates_to"));
    *event = (struct peer_event){
        .id = arena_printf(peers->arena, "$sent%zu", peers->events_count),
        .room = asked_segment(asked, 4),
        .txn = txn,
        .sender = asked->user,
        .body = json_get_text(edit != NULL ? edit : asked->body, SLICE("body")),
        .content = arena_copy(peers->arena, asked->row->call.body),
        .replaces = json_get_text(edit != NULL ? relation : NULL, SLICE("event_id")),
        .is_redaction = asked_is(asked, 5, "redact"),
    };
    for (size_t i = 0; event->is_redaction && i < peers->events_count; i++) {
        peers->events[i].is_redacted = peers->events[i].is_redacted ||
                                       slice_equal(peers->events[i].id, asked_segment(asked, 6));
    }
    return event;
}

static void log_send(struct asked *asked)
{
    const struct json *relation = json_get(asked->body, SLICE("m.relates_to"));
    const struct slice edited = json_get_text(relation, SLICE("event_id"));
    const struct slice replied =
        json_get_text(json_get(relation, SLICE("m.in_reply_to")), SLICE("event_id"));
    const struct slice body = asked_shown(json_get_text(asked->body, SLICE("body")));
    buf_printf(&asked->peers->log, "%.*s %.*s %.*s: %.*s", SLICE_ARGS(asked_segment(asked, 4)),
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
    const struct slice txn = asked_segment(asked, 7);
    const struct peer_event *before = find_txn(asked, txn);
    if (before != NULL) {
        return give_event(asked->peers, before);
    }
    if (!may_speak(asked, asked_segment(asked, 4))) {
        buf_printf(&asked->peers->log, "%.*s %.*s may not speak\n",
                   SLICE_ARGS(asked_segment(asked, 4)), SLICE_ARGS(asked->user));
        return peers_forbid();
    }
    if (asked_is(asked, 5, "redact")) {
        buf_printf(&asked->peers->log, "%.*s %.*s removes %.*s\n",
                   SLICE_ARGS(asked_segment(asked, 4)), SLICE_ARGS(asked->user),
                   SLICE_ARGS(asked_segment(asked, 6)));
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
    return peer_answer_ok();
}

static struct peer_answer take_invite(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice room = asked_segment(asked, 4);
    const struct slice user = json_get_text(asked->body, SLICE("user_id"));
    const bool is_ghost = slice_starts_with(user, SLICE("@gitter_"));
    buf_printf(&peers->log, "%.*s invite %.*s\n", SLICE_ARGS(room), SLICE_ARGS(user));
    const struct slice registered = arena_printf(peers->arena, "registered %.*s", SLICE_ARGS(user));
    if ((is_ghost && !peers_know(peers, registered)) ||
        peers_know(peers, peers_fact_joined(peers, room, user))) {
        return peers_forbid();
    }
    peers_note(peers, fact_invited(peers, room, user));
    return peer_answer_ok();
}

static struct peer_answer take_join(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice room = asked_segment(asked, 4);
    buf_printf(&peers->log, "%.*s join %.*s\n", SLICE_ARGS(room), SLICE_ARGS(asked->user));
    if (!slice_equal(asked->user, peers->bot) &&
        !peers_know(peers, fact_invited(peers, room, asked->user))) {
        return peers_forbid();
    }
    peers_note(peers, peers_fact_joined(peers, room, asked->user));
    return (struct peer_answer){
        200, arena_printf(peers->arena, "{\"room_id\":\"%.*s\"}", SLICE_ARGS(room))};
}

static struct peer_answer take_room_call(struct asked *asked)
{
    struct peers *peers = asked->peers;
    if (asked_is(asked, 5, "send") || asked_is(asked, 5, "redact")) {
        return take_send(asked);
    }
    if (asked_is(asked, 5, "invite")) {
        return take_invite(asked);
    }
    if (asked_is(asked, 5, "join")) {
        return take_join(asked);
    }
    if (asked_is(asked, 5, "messages")) {
        int64_t limit = 10;
        CHECK(slice_to_int(asked_query(asked, SLICE("limit")), &limit) == RC_OK);
        return peers_tell_messages(peers, asked_segment(asked, 4),
                                   asked_query(asked, SLICE("from")), (size_t)limit);
    }
    if (asked_is(asked, 5, "joined_members")) {
        return peers_tell_members(peers, asked_segment(asked, 4), asked->user);
    }
    if (asked_is(asked, 5, "state") && slice_equal(asked->row->call.method, SLICE("GET"))) {
        return peers_tell_create(peers, asked_segment(asked, 4), asked->user);
    }
    if (asked_is(asked, 5, "state")) {
        return peers_take_state(peers, asked->row, asked_segment(asked, 4), asked_segment(asked, 6),
                                asked_segment(asked, 7));
    }
    const struct slice target = json_get_text(asked->body, SLICE("user_id"));
    buf_printf(&peers->log, "%.*s %.*s %.*s\n", SLICE_ARGS(asked_segment(asked, 4)),
               SLICE_ARGS(asked_segment(asked, 5)),
               SLICE_ARGS(target.len > 0 ? target : asked->user));
    peers_unlearn(peers, peers_fact_joined(peers, asked_segment(asked, 4), asked->user));
    return peer_answer_ok();
}

static struct peer_answer answer_homeserver(struct asked *asked)
{
    struct peers *peers = asked->peers;
    const struct slice user = asked_query(asked, SLICE("user_id"));
    asked->user = user.len > 0 ? user : peers->bot;
    CHECK(asked_is(asked, 0, "_matrix") && asked_is(asked, 2, "v3"));
    if (asked_is(asked, 3, "rooms")) {
        return take_room_call(asked);
    }
    if (asked_is(asked, 3, "joined_rooms")) {
        return peers_tell_rooms(peers, asked->user);
    }
    if (asked_is(asked, 3, "notifications")) {
        return peers_tell_notices(peers, asked_query(asked, SLICE("from")));
    }
    if (asked_is(asked, 3, "createRoom")) {
        return take_create(asked);
    }
    if (asked_is(asked, 3, "register")) {
        return take_register(asked);
    }
    if (asked_is(asked, 3, "upload")) {
        return peers_take_upload(peers, asked->row);
    }
    CHECK(asked_is(asked, 3, "profile"));
    if (asked_is(asked, 5, "avatar_url")) {
        buf_printf(&peers->log, "picture %.*s %.*s\n", SLICE_ARGS(asked_segment(asked, 4)),
                   SLICE_ARGS(json_get_text(asked->body, SLICE("avatar_url"))));
        return peer_answer_ok();
    }
    const struct slice name = json_get_text(asked->body, SLICE("displayname"));
    buf_printf(&peers->log, "name %.*s \"%.*s\"\n", SLICE_ARGS(asked_segment(asked, 4)),
               SLICE_ARGS(name));
    peers_set(peers,
              arena_printf(peers->arena, "profile %.*s", SLICE_ARGS(asked_segment(asked, 4))),
              name);
    return peer_answer_ok();
}

struct peer_answer
peers_answer(struct peers *peers, const struct outbox_call *row, struct slice token, int64_t now_ms)
{
    struct asked asked = {.peers = peers, .row = row, .now_ms = now_ms};
    if (row->call.api == CALL_ELSEWHERE) {
        return peers_take_fetch(peers, row);
    }
    take_apart(&asked);
    if (row->call.api == CALL_MATRIX) {
        return answer_homeserver(&asked);
    }
    asked.user = peers_account(token);
    return peers_answer_gitter(&asked);
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
