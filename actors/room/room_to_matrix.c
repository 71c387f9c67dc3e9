/* From Gitter to Matrix: records of the link, snapshots and pages of what was missed become calls
 * in the lane room-in, each message once, in order.
 *
 * A room is level on the link `session` once it has a snapshot that reaches back to its cursor.
 * While it is not, or while pages are being read, live records are not kept anywhere: is_behind is
 * set, and what they said is read again from Gitter afterwards. So nothing waits in memory, and the
 * order is Gitter's.
 *
 * An own message may come back from Gitter before the answer to our post says which it is. Its
 * calls are then declared with a barrier on room-out: when the post ends, they are cancelled if it
 * was that message (room_claim), or go on if the owner wrote it in another client. */
#include "actors/room/room.h"

#include "actors/face/face.h"
#include "actors/ghost/ghost.h"
#include "actors/muster/muster.h"
#include "codecs/ghostid.h"
#include "codecs/html.h"
#include "codecs/url.h"

enum {
    SNAPSHOT_MESSAGES = 30,
    PAGE_MESSAGES = 100,
    /* A message with a smaller id can become visible this much later than one with a greater. */
    OVERLAP_MS = 10 * 1000,
    READ_AGAIN_MS = 30 * 1000,
    /* Requests are counted, 100 a minute for all rooms of an owner: reading takes half of them. */
    POLL_MS = 30 * 1000,
    POLL_ROOM_MS = 1200,
};

/* Sending one message */

static struct slice ghost_of(struct turn *turn, struct slice gitter_user)
{
    return ghostid_mxid(turn_arena(turn), gitter_user, settings_of(turn)->domain);
}

struct relay {
    struct room *room;
    struct turn *turn;
    const struct gitter_message *message;
    struct slice user;  /* Gitter id of the sender; the sender's account may be gone */
    struct slice ghost; /* Matrix id */
    bool is_held;       /* may be the echo of an own post that is under way */
};

static void relay_call(const struct relay *relay,
                       int purpose,
                       const struct matrix_request *request,
                       const char *what)
{
    struct turn *turn = relay->turn;
    struct call call =
        call_matrix(purpose, request, room_lane_in(turn, relay->room), relay->room->owner);
    call.ref = room_ref(turn_arena(turn), relay->message->id, relay->user, what);
    if (relay->is_held) {
        call.after_lane = room_lane_out(turn, relay->room);
    } else if (purpose == MSG_ROOM_GHOST_ENDED) {
        call.after_lane = ghost_lane(turn_arena(turn), relay->user);
    }
    turn_call(turn, &call);
}

/* Has the ghost registered, named, invited and joined, as far as that is not known to be so. */
static void relay_ghost(const struct relay *relay)
{
    struct turn *turn = relay->turn;
    const struct slice matrix_room = relay->room->matrix_room;
    const struct gitter_user *from = &relay->message->from;
    const struct msg_wanted wanted = {
        .name = from->display_name.len > 0 ? from->display_name : from->username,
    };
    struct slice value = SLICE_EMPTY;
    turn_send(turn, (struct actor_ref){ACTOR_GHOST, relay->user}, MSG_GHOST_WANTED, &wanted);
    if (turn_related(turn, RELATION_GHOST_ROOM, matrix_room, relay->ghost, &value) &&
        !slice_equal(value, face_coming)) {
        return;
    }
    const struct matrix_request invite =
        matrix_invite_request(turn_arena(turn), matrix_room, relay->ghost, SLICE_EMPTY);
    const struct matrix_request join =
        matrix_join_request(turn_arena(turn), matrix_room, relay->ghost);
    relay_call(relay, MSG_ROOM_GHOST_ENDED, &invite, "invite");
    relay_call(relay, MSG_ROOM_JOIN_ENDED, &join, "join");
    if (!relay->is_held) { /* those may be cancelled */
        turn_relate(turn, RELATION_GHOST_ROOM, matrix_room, relay->ghost, SLICE_EMPTY);
    }
}

static struct slice permalink(const struct relay *relay)
{
    struct arena *arena = turn_arena(relay->turn);
    const struct slice page =
        url_join(arena, settings_of(relay->turn)->gitter_url, relay->room->label);
    return arena_printf(arena, "%.*s?at=%.*s", SLICE_ARGS(page), SLICE_ARGS(relay->message->id));
}

static struct matrix_content relay_content(const struct relay *relay)
{
    struct arena *arena = turn_arena(relay->turn);
    const struct gitter_message *message = relay->message;
    struct html_text text = {0};
    const struct slice html =
        message->is_status ? html_drop_leading_mention(arena, message->html, message->from.username)
                           : message->html;
    /* over a limit only the markup is lost */
    const enum rc rc = html_gitter_to_matrix(arena, html, &text);
    if (rc != RC_OK && rc != RC_TOO_BIG) {
        text.plain = message->text;
        text.is_plain = true;
    }
    return (struct matrix_content){
        .msgtype = message->is_status ? SLICE("m.emote") : SLICE("m.text"),
        .body = text.plain.len > 0 ? text.plain : message->text,
        .html = text.is_plain ? SLICE_EMPTY : text.html,
        .gitter_id = message->id,
        .external_url = permalink(relay),
    };
}

static struct slice transaction_id(struct arena *arena, struct slice message, int64_t edit)
{
    return arena_printf(arena, "g.%.*s.0.%lld", SLICE_ARGS(message), (long long)edit);
}

static void relay_send(const struct relay *relay)
{
    struct arena *arena = turn_arena(relay->turn);
    const struct matrix_content content = relay_content(relay);
    const struct matrix_send send = {
        .room_id = relay->room->matrix_room,
        .txn_id = transaction_id(arena, relay->message->id, 0),
        .user_id = relay->ghost,
        .ts_ms = relay->message->sent_ms,
        .content = matrix_content_json(arena, &content),
    };
    const struct matrix_request request = matrix_send_request(arena, &send);
    relay_call(relay, MSG_ROOM_SEND_ENDED, &request, "send");
}

static void advance(struct room *room, struct slice id)
{
    if (slice_compare(id, room->cursor) > 0) {
        room->cursor = id;
    }
}

/* Brings a message over, unless it was before. */
static void
relay_message(struct turn *turn, struct room *room, const struct gitter_message *message)
{
    struct slice event_id = SLICE_EMPTY;
    if (turn_related(turn, RELATION_MESSAGE_MAP, room->matrix_room, message->id, &event_id)) {
        advance(room, message->id);
        return;
    }
    const struct slice user = message->from.id.len > 0 ? message->from.id : SLICE("deleted");
    const struct relay relay = {
        .room = room,
        .turn = turn,
        .message = message,
        .user = user,
        .ghost = ghost_of(turn, user),
        .is_held = room->posts > 0 && slice_equal(user, room->gitter_user),
    };
    relay_ghost(&relay);
    relay_send(&relay);
    turn_relate(turn, RELATION_MESSAGE_MAP, room->matrix_room, message->id,
                relay.is_held ? room_held_value(turn_arena(turn), room->ended, SLICE_EMPTY)
                              : SLICE_EMPTY);
    advance(room, message->id);
}

/* The same for what was read, which may be older than the bridging. What comes live is new,
 * whatever the clocks say. */
static void relay_read(struct turn *turn, struct room *room, const struct gitter_message *message)
{
    if (slice_compare(message->id, room->since) > 0) {
        relay_message(turn, room, message);
    }
    advance(room, message->id);
}

void room_claim(struct turn *turn, struct room *room, struct slice message, struct slice event_id)
{
    struct arena *arena = turn_arena(turn);
    const struct slice lane = room_lane_in(turn, room);
    struct slice known = SLICE_EMPTY;
    if (turn_related(turn, RELATION_MESSAGE_MAP, room->matrix_room, message, &known)) {
        turn_cancel(turn, lane, room_ref(arena, message, room->gitter_user, "invite"));
        turn_cancel(turn, lane, room_ref(arena, message, room->gitter_user, "join"));
        turn_cancel(turn, lane, room_ref(arena, message, room->gitter_user, "send"));
    }
    turn_relate(turn, RELATION_MESSAGE_MAP, room->matrix_room, message, event_id);
}

/* Reading what was missed */

/* Where to page from: a little before the cursor, but not in a room that was quiet for so long that
 * nobody remembers any more which messages were brought over. */
static struct slice read_from(struct turn *turn, const struct room *room)
{
    const int64_t age_ms = turn_now_ms(turn) - gitter_id_time_ms(room->cursor);
    const int64_t remembered_ms = (int64_t)24 * 60 * 60 * 1000;
    return age_ms < remembered_ms ? gitter_id_before(turn_arena(turn), room->cursor, OVERLAP_MS)
                                  : room->cursor;
}

static void read_page(struct turn *turn, struct room *room, struct slice after)
{
    const struct gitter_page page = {
        .after_id = after, .limit = PAGE_MESSAGES, .with_threads = true};
    const struct gitter_request request =
        gitter_messages_request(turn_arena(turn), room->gitter_room, &page);
    struct call call =
        call_gitter(MSG_ROOM_CATCH_UP_ENDED, &request, room_lane_read(turn, room), room->owner);
    call.is_catch_up = true;
    turn_call(turn, &call);
    room->is_reading = true;
}

static int64_t poll_pause_ms(struct turn *turn, const struct room *room)
{
    struct actor_entry *rooms = NULL;
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", room->owner, &rooms);
    const int64_t fair_ms = (int64_t)count * POLL_ROOM_MS;
    return fair_ms > POLL_MS ? fair_ms : POLL_MS;
}

void room_do_read(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    (void)msg;
    if (room->is_polling) {
        room->deadline_ms = turn_now_ms(turn) + poll_pause_ms(turn, room);
    }
    if (room->is_reading) {
        room->is_behind = true;
        return;
    }
    room->is_behind = false;
    read_page(turn, room, read_from(turn, room));
}

static void read_later(struct turn *turn, struct room *room)
{
    room->is_behind = true;
    room->deadline_ms = turn_now_ms(turn) + READ_AGAIN_MS;
}

static void page_is_read(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    if (room->is_behind) {
        room_do_read(room, msg, turn);
    }
}

void room_do_take_page(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct call_ended *ended = ended_of(msg);
    struct gitter_message *messages = NULL;
    size_t count = 0;
    room->is_reading = false;
    if (!ended_is_done(msg) ||
        gitter_messages_parse(turn_arena(turn), ended->body, &messages, &count) != RC_OK) {
        if (ended->status == 403 || ended->status == 404) {
            room->is_behind = false;
            ROOM_NOTICE(turn, room, SLICE_EMPTY, TEXT_ROOM_GONE,
                        {"why", why_failed(turn_arena(turn), ended)});
        } else {
            read_later(turn, room);
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        relay_read(turn, room, &messages[i]);
    }
    if (count >= PAGE_MESSAGES) {
        read_page(turn, room, messages[count - 1].id);
    } else {
        page_is_read(room, msg, turn);
    }
}

/* The latest speakers are the first whose ghosts are shown in a new room. */
static void tell_speakers(struct turn *turn,
                          const struct room *room,
                          const struct gitter_message *messages,
                          size_t count)
{
    const struct actor_ref face = {ACTOR_FACE, room->key};
    for (size_t i = count; i-- > 0;) {
        const struct gitter_user *from = &messages[i].from;
        const struct msg_person person = {
            .what = SLICE("spoke"),
            .gitter_user = from->id,
            .name = from->display_name.len > 0 ? from->display_name : from->username,
        };
        turn_send(turn, face, MSG_FACE_PERSON, &person);
    }
    turn_send(turn, face, MSG_FACE_SPOKEN, &nothing);
}

/* The first snapshot of a room tells who spoke last. A list that ends before the room's beginning
 * by our clock shows that our clock is ahead: then the room begins where the list ends. */
static void take_first(struct turn *turn,
                       struct room *room,
                       const struct gitter_message *messages,
                       size_t count)
{
    const struct slice newest = count > 0 ? messages[count - 1].id : SLICE_EMPTY;
    tell_speakers(turn, room, messages, count);
    if (newest.len > 0 && slice_compare(newest, room->since) < 0 &&
        slice_equal(room->since, room->cursor)) {
        room->since = newest;
        room->cursor = newest;
    }
}

/* A subscription that was refused for good is told; one that got no answer is tried again. While
 * there is none to be had the room is read every now and then. */
static void take_refusal(struct turn *turn, struct room *room, const struct msg *msg)
{
    const struct slice error = ((const struct msg_subscribed *)msg->body)->error;
    if (slice_starts_with(error, SLICE("403")) || slice_starts_with(error, SLICE("404"))) {
        const enum text why =
            slice_starts_with(error, SLICE("403")) ? TEXT_WHY_FORBIDDEN : TEXT_WHY_ABSENT;
        ROOM_NOTICE(turn, room, SLICE_EMPTY, TEXT_ROOM_GONE, {"why", text_template(why)});
    } else if (slice_starts_with(error, SLICE("lost"))) {
        if (!room->is_polling) {
            room->is_polling = true;
            room_do_read(room, msg, turn);
        }
    } else {
        const struct msg_room again = {.gitter_room = room->gitter_room};
        turn_send(turn, (struct actor_ref){ACTOR_FEED, room->owner}, MSG_FEED_ROOM_ADDED, &again);
    }
}

void room_do_take_snapshot(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_subscribed *subscribed = msg->body;
    struct gitter_message *messages = NULL;
    size_t count = 0;
    if (subscribed->error.len > 0) {
        take_refusal(turn, room, msg);
        return;
    }
    const bool is_first = room->session == 0;
    const bool is_readable =
        gitter_messages_parse(turn_arena(turn), subscribed->snapshot, &messages, &count) == RC_OK;
    count = is_readable ? count : 0;
    room->session = subscribed->session;
    room->is_polling = false;
    if (is_first) {
        take_first(turn, room, messages, count);
    }
    if (room->is_reading) {
        room->is_behind = true;
        return;
    }
    const bool reaches_back = count > 0 && slice_compare(messages[0].id, room->cursor) <= 0;
    if (room->is_behind || !is_readable || (count >= SNAPSHOT_MESSAGES && !reaches_back)) {
        room_do_read(room, msg, turn);
        return;
    }
    const struct slice from = read_from(turn, room);
    for (size_t i = 0; i < count; i++) {
        if (slice_compare(messages[i].id, from) > 0) {
            relay_read(turn, room, &messages[i]);
        }
    }
}

/* Live records */

static void
change_call(struct turn *turn, const struct room *room, const struct matrix_request *request)
{
    const struct call call =
        call_matrix(MSG_ROOM_CHANGE_ENDED, request, room_lane_in(turn, room), room->owner);
    turn_call(turn, &call);
}

/* An edit has an `editedAt`; other updates count replies and readers. Own edits made on Matrix come
 * back as well, but their message stands for the owner's own event, which no ghost may replace. */
static void relay_edit(struct turn *turn,
                       struct room *room,
                       const struct gitter_message *message,
                       struct slice event_id)
{
    const struct slice user = message->from.id;
    if (message->edited_ms == 0 || user.len == 0 || room_value_is_own(event_id)) {
        return;
    }
    struct arena *arena = turn_arena(turn);
    const struct relay relay = {.room = room,
                                .turn = turn,
                                .message = message,
                                .user = user,
                                .ghost = ghost_of(turn, user)};
    struct matrix_content content = relay_content(&relay);
    content.replaces = event_id;
    const struct matrix_send send = {
        .room_id = room->matrix_room,
        .txn_id = transaction_id(arena, message->id, message->edited_ms),
        .user_id = relay.ghost,
        .ts_ms = message->edited_ms,
        .content = matrix_content_json(arena, &content),
    };
    const struct matrix_request request = matrix_send_request(arena, &send);
    change_call(turn, room, &request);
}

/* What the owner had removed comes back as well. */
static void relay_removal(struct turn *turn, struct room *room, struct slice id, struct slice value)
{
    if (slice_equal(value, room_value_gone)) {
        return;
    }
    const struct matrix_redact redact = {
        .room_id = room->matrix_room,
        .event_id = room_value_event(value),
        .txn_id = arena_printf(turn_arena(turn), "g.%.*s.0.removed", SLICE_ARGS(id)),
    };
    const struct matrix_request request = matrix_redact_request(turn_arena(turn), &redact);
    change_call(turn, room, &request);
}

/* A change of a message that is on its way to Matrix waits for its event id, beside the message. A
 * later change takes the place of an earlier one: Gitter sends the message whole each time. */
static void relay_change(struct turn *turn,
                         struct room *room,
                         const struct msg_record *record,
                         const struct gitter_message *message)
{
    struct slice value = SLICE_EMPTY;
    const bool is_removal = slice_equal(record->operation, SLICE("remove"));
    if (!turn_related(turn, RELATION_MESSAGE_MAP, room->matrix_room, message->id, &value)) {
        return;
    }
    if (room_value_is_pending(value)) {
        const struct slice mark = slice_first(value, value.len - room_value_when_free(value).len);
        const struct slice later =
            arena_printf(turn_arena(turn), "%.*slater %.*s %.*s", SLICE_ARGS(mark),
                         SLICE_ARGS(record->operation), SLICE_ARGS(record->model));
        turn_relate(turn, RELATION_MESSAGE_MAP, room->matrix_room, message->id, later);
    } else if (is_removal) {
        relay_removal(turn, room, message->id, value);
    } else {
        relay_edit(turn, room, message, value);
    }
}

void room_do_take_record(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_record *record = msg->body;
    struct gitter_message message = {0};
    if (gitter_message_parse(turn_arena(turn), record->model, &message) != RC_OK) {
        return;
    }
    if (slice_equal(record->operation, SLICE("remove")) ||
        slice_equal(record->operation, SLICE("update"))) {
        relay_change(turn, room, record, &message);
    } else if (slice_equal(record->operation, SLICE("create"))) {
        if (record->session != room->session || room->is_reading || room->is_behind) {
            room->is_behind = true;
        } else {
            relay_message(turn, room, &message);
        }
    }
}

/* Ends */

/* The parts of a room_ref. */
static void cut_ref(struct slice ref, struct slice *message, struct slice *user, struct slice *what)
{
    *message = slice_cut(&ref, '|');
    *user = slice_cut(&ref, '|');
    *what = ref;
}

void room_do_note_joined(void *next, const struct msg *msg, struct turn *turn)
{
    const struct room *room = next;
    struct slice message;
    struct slice user;
    struct slice what;
    cut_ref(ended_of(msg)->ref, &message, &user, &what);
    if (ended_is_done(msg)) {
        turn_relate(turn, RELATION_GHOST_ROOM, room->matrix_room, ghost_of(turn, user),
                    SLICE_EMPTY);
    } else {
        turn_unrelate(turn, RELATION_GHOST_ROOM, room->matrix_room, ghost_of(turn, user));
    }
}

/* The homeserver says that the ghost is not in the room, or not registered, which was believed.
 * Once for each message everything is done again from the beginning, in the place of the message.
 */
static void send_again(struct turn *turn, struct room *room, const struct call_ended *ended)
{
    struct arena *arena = turn_arena(turn);
    struct slice message;
    struct slice user;
    struct slice what;
    cut_ref(ended->ref, &message, &user, &what);
    const struct slice ghost = ghost_of(turn, user);
    const struct slice domain = settings_of(turn)->domain;
    const struct matrix_send send = {
        .room_id = room->matrix_room,
        .txn_id = transaction_id(arena, message, 0),
        .user_id = ghost,
        .ts_ms = gitter_id_time_ms(message) > 0 ? gitter_id_time_ms(message) : 0,
        .content = ended->request,
    };
    const struct matrix_request steps[] = {
        matrix_register_request(arena, ghostid_localpart(arena, user, domain)),
        matrix_invite_request(arena, room->matrix_room, ghost, SLICE_EMPTY),
        matrix_join_request(arena, room->matrix_room, ghost),
        matrix_send_request(arena, &send),
    };
    turn_send(turn, (struct actor_ref){ACTOR_GHOST, user}, MSG_GHOST_LOST, &nothing);
    static const int purposes[] = {MSG_ROOM_GHOST_ENDED, MSG_ROOM_GHOST_ENDED, MSG_ROOM_JOIN_ENDED,
                                   MSG_ROOM_SEND_ENDED};
    for (size_t i = 0; i < MACHINE_COUNT(steps); i++) {
        struct call call =
            call_matrix(purposes[i], &steps[i], room_lane_in(turn, room), room->owner);
        call.ref = room_ref(arena, message, user, "again");
        turn_call_instead(turn, &call);
    }
}

/* The event id is known: what was changed on Gitter meanwhile is due. */
static void note_event(struct turn *turn, struct room *room, struct slice id, struct slice event_id)
{
    struct slice value = SLICE_EMPTY;
    struct gitter_message message = {0};
    const bool is_known = turn_related(turn, RELATION_MESSAGE_MAP, room->matrix_room, id, &value);
    turn_relate(turn, RELATION_MESSAGE_MAP, room->matrix_room, id, event_id);
    if (!is_known || !room_value_is_pending(value)) {
        return;
    }
    value = room_value_when_free(value);
    if (value.len == 0) {
        return;
    }
    (void)slice_cut(&value, ' '); /* "later" */
    const struct msg_record record = {.operation = slice_cut(&value, ' '), .model = value};
    if (gitter_message_parse(turn_arena(turn), record.model, &message) == RC_OK) {
        relay_change(turn, room, &record, &message);
    }
}

void room_do_note_sent(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct call_ended *ended = ended_of(msg);
    struct slice event_id = SLICE_EMPTY;
    struct slice message;
    struct slice user;
    struct slice what;
    cut_ref(ended->ref, &message, &user, &what);
    if (ended_is_done(msg)) {
        if (matrix_event_id_parse(turn_arena(turn), ended->body, &event_id) == RC_OK) {
            note_event(turn, room, message, event_id);
        }
    } else if (ended->status == 403 && !slice_equal(what, SLICE("again"))) {
        turn_unrelate(turn, RELATION_GHOST_ROOM, room->matrix_room, ghost_of(turn, user));
        send_again(turn, room, ended);
    } else {
        const struct slice why = why_failed(turn_arena(turn), ended);
        ROOM_NOTICE(turn, room, SLICE_EMPTY, TEXT_SEND_FAILED, {"why", why});
        NOTE_TROUBLE(turn, room->owner, TEXT_TROUBLE_SEND, {"room", room->label}, {"why", why});
        if (ended->status == 403) { /* perhaps the bot cannot invite there either */
            muster_doubt(turn, room->matrix_room);
        }
    }
}
