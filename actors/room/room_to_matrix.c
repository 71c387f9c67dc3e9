/* From Gitter to Matrix: records of the link, and what room_catch_up.c reads, become calls in the
 * lane room-in, each message once, in order.
 *
 * A room is level on the link `session` once it has a snapshot that reaches back to its cursor.
 * While it is not, or while pages are being read, live records are not kept anywhere: is_behind is
 * set, and what they said is read again from Gitter afterwards. So nothing waits in memory, and the
 * order is Gitter's.
 *
 * The same is done when an owner has owner_incoming_max calls waiting for the homeserver: the
 * outbox does not grow with what is said while that is away.
 *
 * An own message may come back from Gitter before the answer to our post says which it is. Its
 * calls are then declared with a barrier on room-out: when the post ends, they are cancelled if it
 * was that message (room_claim), or go on if the owner wrote it in another client. */
#include "actors/room/room.h"

#include "actors/face/face.h"
#include "actors/ghost/ghost.h"
#include "codecs/ghostid.h"
#include "codecs/html.h"
#include "codecs/url.h"

/* Sending one message */

struct relay {
    struct room *room;
    struct turn *turn;
    const struct gitter_message *message;
    struct slice user;  /* Gitter id of the sender; the sender's account may be gone */
    struct slice ghost; /* Matrix id */
    bool is_held;       /* may be the echo of an own post that is under way */
};

static void relay_declare(const struct relay *relay, struct call call)
{
    struct turn *turn = relay->turn;
    if (relay->is_held) {
        call.after_lane = room_lane_out(turn, relay->room);
    }
    turn_call(turn, &call);
}

static void relay_call(const struct relay *relay,
                       int purpose,
                       const struct matrix_request *request,
                       const char *what)
{
    struct turn *turn = relay->turn;
    struct call call =
        call_matrix(purpose, request, room_lane_in(turn, relay->room), relay->room->owner);
    call.ref = room_ref(turn_arena(turn), relay->message->id, relay->user, what);
    if (purpose == MSG_ROOM_GHOST_ENDED) {
        call.after_lane = ghost_lane(turn_arena(turn), relay->user);
    }
    relay_declare(relay, call);
}

/* Has the ghost invited and joined, unless that is known to be so. */
static void relay_join(const struct relay *relay)
{
    struct turn *turn = relay->turn;
    const struct slice matrix_room = relay->room->matrix_room;
    struct slice value = SLICE_EMPTY;
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

/* And registered and named before. */
static void relay_ghost(const struct relay *relay)
{
    const struct gitter_user *from = &relay->message->from;
    const struct msg_wanted wanted = {
        .name = from->display_name.len > 0 ? from->display_name : from->username,
        .avatar = from->avatar_url,
    };
    turn_send(relay->turn, (struct actor_ref){ACTOR_GHOST, relay->user}, MSG_GHOST_WANTED, &wanted);
    relay_join(relay);
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

static void relay_send(const struct relay *relay)
{
    struct arena *arena = turn_arena(relay->turn);
    const struct matrix_content content = relay_content(relay);
    const struct room_send send = {
        .message = relay->message->id,
        .user = relay->user,
        .what = SLICE("send"),
        .ts_ms = relay->message->sent_ms,
        .content = matrix_content_json(arena, &content),
    };
    relay_declare(relay, room_send_call(relay->turn, relay->room, &send));
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
        .ghost = room_ghost(turn, user),
        .is_held = room->posts > 0 && slice_equal(user, room->gitter_user),
    };
    relay_ghost(&relay);
    relay_send(&relay);
    turn_relate(turn, RELATION_MESSAGE_MAP, room->matrix_room, message->id,
                relay.is_held ? room_held_value(turn_arena(turn), room->ended, SLICE_EMPTY)
                              : SLICE_EMPTY);
    advance(room, message->id);
}

/* What comes live is new, whatever the clocks say. */
void room_relay_read(struct turn *turn, struct room *room, const struct gitter_message *message)
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
                                .ghost = room_ghost(turn, user)};
    struct matrix_content content = relay_content(&relay);
    content.replaces = event_id;
    const struct matrix_send send = {
        .room_id = room->matrix_room,
        .txn_id = room_txn_id(arena, message->id, message->edited_ms),
        .user_id = relay.ghost,
        .ts_ms = message->edited_ms,
        .content = matrix_content_json(arena, &content),
    };
    const struct matrix_request request = matrix_send_request(arena, &send);
    relay_join(&relay); /* who has left the Gitter room still edits */
    relay_call(&relay, MSG_ROOM_SEND_ENDED, &request,
               arena_printf(arena, "edit %lld", (long long)message->edited_ms).ptr);
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
void room_relay_change(struct turn *turn,
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
        room_relay_change(turn, room, record, &message);
    } else if (slice_equal(record->operation, SLICE("create"))) {
        if (record->session != room->session || room->is_reading || room->is_behind) {
            room->is_behind = true;
        } else if (!room_puts_off(turn, room)) {
            relay_message(turn, room, &message);
        }
    }
}
