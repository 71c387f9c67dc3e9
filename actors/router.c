/* From an outside input to the actors it concerns. Nothing is decided here but whose business it
 * is. */
#include "actors/avatar/avatar.h"
#include "actors/chat/chat.h"
#include "actors/errand/errand.h"
#include "actors/face/face.h"
#include "actors/feed/feed.h"
#include "actors/ghost/ghost.h"
#include "actors/login/login.h"
#include "actors/muster/muster.h"
#include "actors/room/room.h"
#include "actors/space/space.h"
#include "actors/user/user.h"
#include "codecs/bayeux.h"
#include "codecs/ghostid.h"

const struct fsm *const machines[] = {
    [ACTOR_USER] = &user_fsm,     [ACTOR_LOGIN] = &login_fsm, [ACTOR_ERRAND] = &errand_fsm,
    [ACTOR_CHAT] = &chat_fsm,     [ACTOR_ROOM] = &room_fsm,   [ACTOR_FACE] = &face_fsm,
    [ACTOR_GHOST] = &ghost_fsm,   [ACTOR_FEED] = &feed_fsm,   [ACTOR_MUSTER] = &muster_fsm,
    [ACTOR_AVATAR] = &avatar_fsm, [ACTOR_SPACE] = &space_fsm,
};
_Static_assert(MACHINE_COUNT(machines) == ACTOR_KINDS, "a machine for each kind of actor");

/* Homeserver events */

static bool is_bot(struct turn *turn, struct slice user)
{
    return slice_equal(user, settings_of(turn)->bot);
}

static bool is_ours(struct turn *turn, struct slice user)
{
    return is_bot(turn, user) || ghostid_is_ghost(user, settings_of(turn)->domain);
}

/* The bridged room that lies in a Matrix room. */
static bool find_room(struct turn *turn, struct slice matrix_room, struct actor_ref *ref)
{
    struct actor_entry *rooms = NULL;
    if (turn_find(turn, ACTOR_ROOM, "matrix_room", matrix_room, &rooms) == 0) {
        return false;
    }
    *ref = (struct actor_ref){ACTOR_ROOM, rooms[0].key};
    return true;
}

static void route_member(struct turn *turn, const struct matrix_event *event)
{
    const struct msg_member member = {
        .user = event->state_key,
        .by = event->sender,
        .membership = event->membership,
        .before = event->prev_membership,
        .is_bot = is_bot(turn, event->state_key),
    };
    const struct actor_ref chat = {ACTOR_CHAT, event->room_id};
    struct actor_ref room;
    struct actor_entry *spaces = NULL;
    int state = 0;
    if (find_room(turn, event->room_id, &room)) {
        turn_send(turn, room, MSG_ROOM_MEMBER, &member);
    } else if (member.is_bot && slice_equal(event->membership, SLICE("invite"))) {
        chat_tell_invited(turn, event->room_id, event->sender, event->is_invite_to_encrypted);
    } else if (turn_exists(turn, chat, &state)) {
        turn_send(turn, chat, MSG_CHAT_MEMBER, &member);
    } else if (turn_find(turn, ACTOR_SPACE, "matrix_room", event->room_id, &spaces) > 0) {
        turn_send(turn, (struct actor_ref){ACTOR_SPACE, spaces[0].key}, MSG_SPACE_MEMBER, &member);
    }
}

static void
route_room_text(struct turn *turn, struct actor_ref room, const struct matrix_event *event)
{
    const bool is_edit = slice_equal(event->rel_type, SLICE("m.replace"));
    const struct matrix_message *message = is_edit ? &event->edited : &event->message;
    const struct msg_matrix_text text = {
        .event_id = event->event_id,
        .sender = event->sender,
        .msgtype = message->msgtype,
        .body = message->body,
        .html = message->html,
        .replaces = is_edit ? event->relates_to : SLICE_EMPTY,
        .is_reply = event->in_reply_to.len > 0 && !event->is_falling_back,
    };
    if (text.msgtype.len > 0 && text.body.len > 0) {
        turn_send(turn, room, MSG_ROOM_MATRIX_TEXT, &text);
    }
}

static void route_message(struct turn *turn, const struct matrix_event *event)
{
    const struct actor_ref chat = {ACTOR_CHAT, event->room_id};
    const bool is_edit = slice_equal(event->rel_type, SLICE("m.replace"));
    struct actor_ref room;
    int state = 0;
    if (find_room(turn, event->room_id, &room)) {
        route_room_text(turn, room, event);
    } else if (!is_edit && event->message.msgtype.len > 0 && turn_exists(turn, chat, &state)) {
        const struct msg_chat_text text = {
            .sender = event->sender,
            .msgtype = event->message.msgtype,
            .body = event->message.body,
            .is_permitted =
                settings_of(turn)->is_permitted(settings_of(turn)->permissions, event->sender),
        };
        turn_send(turn, chat, MSG_CHAT_TEXT, &text);
    }
}

static void route_redaction(struct turn *turn, const struct matrix_event *event)
{
    struct actor_ref room;
    if (event->redacts.len > 0 && find_room(turn, event->room_id, &room)) {
        const struct msg_matrix_redaction redaction = {
            .event_id = event->event_id,
            .sender = event->sender,
            .redacts = event->redacts,
        };
        turn_send(turn, room, MSG_ROOM_MATRIX_REDACTION, &redaction);
    }
}

/* The room was replaced by another, where nobody of ours is: the Gitter room gets a new one of
 * ours. */
static void route_tombstone(struct turn *turn, const struct matrix_event *event)
{
    struct actor_ref room;
    if (find_room(turn, event->room_id, &room)) {
        const struct msg_unbridge unbridge = {.again = true};
        turn_send(turn, room, MSG_ROOM_UNBRIDGE, &unbridge);
    }
}

static void route_encrypted(struct turn *turn, const struct matrix_event *event)
{
    const struct actor_ref chat = {ACTOR_CHAT, event->room_id};
    int state = 0;
    if (turn_exists(turn, chat, &state)) {
        const struct msg_sender sender = {.sender = event->sender};
        turn_send(turn, chat, MSG_CHAT_ENCRYPTED, &sender);
    }
}

/* Our own create events come back with the key of the room they were made for. Only in events of
 * the bot is the marker to be believed. */
static void route_created(struct turn *turn, const struct matrix_event *event)
{
    const struct actor_ref room = {ACTOR_ROOM, event->room_marker};
    int state = 0;
    if (event->room_marker.len > 0 && is_bot(turn, event->sender) &&
        turn_exists(turn, room, &state)) {
        const struct msg_chat seen = {.room = event->room_id};
        turn_send(turn, room, MSG_ROOM_SEEN, &seen);
    }
}

static void route_event(struct turn *turn, const struct msg_event *msg)
{
    struct matrix_event event = {0};
    if (matrix_event_parse(turn_arena(turn), msg->raw, &event) != RC_OK || event.is_redacted) {
        return;
    }
    if (event.has_state_key && slice_equal(event.type, SLICE("m.room.member"))) {
        route_member(turn, &event);
    } else if (event.has_state_key && slice_equal(event.type, SLICE("m.room.create"))) {
        route_created(turn, &event);
    } else if (event.has_state_key && slice_equal(event.type, SLICE("m.room.tombstone"))) {
        route_tombstone(turn, &event);
    } else if (event.has_state_key && slice_equal(event.type, SLICE("m.room.encryption"))) {
        route_encrypted(turn, &event);
    } else if (event.has_state_key || is_ours(turn, event.sender)) {
        return; /* other state, and the echo of what bot and ghosts say */
    } else if (slice_equal(event.type, SLICE("m.room.message"))) {
        route_message(turn, &event);
    } else if (slice_equal(event.type, SLICE("m.room.redaction"))) {
        route_redaction(turn, &event);
    } else if (event.is_encrypted) {
        route_encrypted(turn, &event);
    }
}

/* The connection to Gitter */

static struct actor_ref feed_of(struct slice owner)
{
    return (struct actor_ref){ACTOR_FEED, owner};
}

static void route_subscribed(struct turn *turn, const struct msg_link_subscribed *link)
{
    const struct slice gitter_room = bayeux_channel_room_id(link->channel);
    if (gitter_room.len > 0) {
        const struct slice key = key_of_room(turn_arena(turn), link->owner, gitter_room);
        const struct msg_subscribed msg = {
            .session = link->session, .snapshot = link->snapshot, .error = link->error};
        turn_send(turn, (struct actor_ref){ACTOR_ROOM, key}, MSG_ROOM_SUBSCRIBED, &msg);
    }
}

static const char *operation_name(enum gitter_operation operation)
{
    switch (operation) {
    case GITTER_OPERATION_CREATE:
        return "create";
    case GITTER_OPERATION_UPDATE:
        return "update";
    case GITTER_OPERATION_PATCH:
        return "patch";
    case GITTER_OPERATION_REMOVE:
        return "remove";
    case GITTER_OPERATION_OTHER:
        break;
    }
    return "";
}

static void route_message_record(struct turn *turn,
                                 const struct msg_link_record *link,
                                 struct slice gitter_room,
                                 const struct gitter_record *record)
{
    const struct slice key = key_of_room(turn_arena(turn), link->owner, gitter_room);
    const struct msg_record msg = {
        .session = link->session,
        .operation = slice_from_cstr(operation_name(record->operation)),
        .model = record->model,
    };
    turn_send(turn, (struct actor_ref){ACTOR_ROOM, key}, MSG_ROOM_RECORD, &msg);
}

static void route_person_record(struct turn *turn,
                                const struct msg_link_record *link,
                                struct slice gitter_room,
                                const struct gitter_record *record)
{
    const struct slice key = key_of_room(turn_arena(turn), link->owner, gitter_room);
    struct gitter_user user = {0};
    if (gitter_user_parse(turn_arena(turn), record->model, &user) != RC_OK) {
        return;
    }
    const struct msg_person person = {
        .what = slice_from_cstr(operation_name(record->operation)),
        .gitter_user = user.id,
        .name = user.display_name.len > 0 ? user.display_name : user.username,
        .avatar = user.avatar_url,
    };
    turn_send(turn, (struct actor_ref){ACTOR_FACE, key}, MSG_FACE_PERSON, &person);
}

static void
route_list_removal(struct turn *turn, const struct msg_link_record *link, struct slice gitter_room)
{
    const struct slice key = key_of_room(turn_arena(turn), link->owner, gitter_room);
    const struct msg_room parted = {.gitter_room = gitter_room};
    int state = 0;
    turn_send(turn, (struct actor_ref){ACTOR_USER, link->owner}, MSG_USER_ROOM_PARTED, &parted);
    if (turn_exists(turn, (struct actor_ref){ACTOR_ROOM, key}, &state)) {
        turn_send(turn, (struct actor_ref){ACTOR_FACE, key}, MSG_FACE_OWNER_GONE, &nothing);
    }
}

/* The owner's list of rooms: joined or left elsewhere, renamed, a new topic. */
static void route_list_record(struct turn *turn,
                              const struct msg_link_record *link,
                              const struct gitter_record *record)
{
    const struct slice key = key_of_room(turn_arena(turn), link->owner, record->id);
    const struct actor_ref face = {ACTOR_FACE, key};
    struct gitter_room room = {0};
    int state = 0;
    const bool is_bridged = turn_exists(turn, (struct actor_ref){ACTOR_ROOM, key}, &state) &&
                            room_state_is_bridged(state);
    if (gitter_room_parse(turn_arena(turn), record->model, &room) != RC_OK) {
        return;
    }
    if (record->operation == GITTER_OPERATION_REMOVE) {
        route_list_removal(turn, link, room.id);
    } else if (record->operation == GITTER_OPERATION_CREATE && !is_bridged && room.is_member) {
        const struct msg_seen seen = {.gitter_room = room.id, .label = gitter_room_label(&room)};
        turn_send(turn, (struct actor_ref){ACTOR_USER, link->owner}, MSG_USER_ROOM_SEEN, &seen);
    } else if (is_bridged && (room.name.len > 0 || room.has_topic)) {
        const struct msg_details details = {
            .name = room.name,
            .topic = room.topic,
            .has_topic = room.has_topic,
            .avatar = room.avatar_url,
        };
        turn_send(turn, face, MSG_FACE_DETAILS, &details);
    }
}

static void route_record(struct turn *turn, const struct msg_link_record *link)
{
    const struct slice said_in = bayeux_channel_room_id(link->channel);
    const struct slice people_of = bayeux_channel_people_room_id(link->channel);
    struct gitter_record record = {0};
    if (gitter_record_parse(turn_arena(turn), link->data, &record) != RC_OK) {
        return;
    }
    if (said_in.len > 0) {
        route_message_record(turn, link, said_in, &record);
    } else if (people_of.len > 0) {
        route_person_record(turn, link, people_of, &record);
    } else if (bayeux_channel_user_id(link->channel).len > 0 && record.id.len > 0) {
        route_list_record(turn, link, &record);
    }
}

static void route_down(struct turn *turn, const struct msg_link_down *link)
{
    if (!slice_equal(link->why, SLICE("STOPPED"))) { /* that was the feed's own wish */
        turn_send(turn, feed_of(link->owner), MSG_FEED_DOWN, link);
    }
}

static void route_restarted(struct turn *turn, struct slice owner)
{
    turn_send(turn, feed_of(owner), MSG_FEED_BEGUN_ANEW, &nothing);
    turn_send(turn, (struct actor_ref){ACTOR_USER, owner}, MSG_USER_REVIEW, &nothing);
}

void router_route(const struct msg *input, struct turn *turn)
{
    switch ((enum msg_kind)input->kind) {
    case MSG_MATRIX_EVENT:
        route_event(turn, input->body);
        break;
    case MSG_WEB_REQUEST:
        login_route(turn, input->body);
        break;
    case MSG_LINK_UP:
        turn_send(turn, feed_of(((const struct msg_link_up *)input->body)->owner), MSG_FEED_UP,
                  input->body);
        break;
    case MSG_LINK_DOWN:
        route_down(turn, input->body);
        break;
    case MSG_LINK_GAP:
        turn_send(turn, feed_of(((const struct msg_link *)input->body)->owner), MSG_FEED_GAP,
                  input->body);
        break;
    case MSG_LINK_SUBSCRIBED:
        route_subscribed(turn, input->body);
        break;
    case MSG_LINK_RECORD:
        route_record(turn, input->body);
        break;
    case MSG_STARTED:
        turn_send(turn, (struct actor_ref){ACTOR_MUSTER, settings_of(turn)->bot}, MSG_MUSTER_BEGIN,
                  &nothing);
        break;
    case MSG_FEED_RESTARTED:
        route_restarted(turn, ((const struct msg_owner *)input->body)->owner);
        break;
    case MSG_TOKEN_REFUSED:
        turn_send(turn,
                  (struct actor_ref){ACTOR_USER, ((const struct msg_owner *)input->body)->owner},
                  MSG_USER_TOKEN_REFUSED, &nothing);
        break;
    default: /* messages between actors: an input of that kind is a mistake of ours */
        break;
    }
}
