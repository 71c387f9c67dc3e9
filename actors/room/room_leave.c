/* Leaving the room: what waits in its lanes is dropped, everybody of ours goes, nothing of it is
 * kept. */
#include "actors/room/room_post.h"

#include "actors/face/face.h"
#include "actors/space/space.h"

static void forget_relations(struct turn *turn, const struct room *room)
{
    turn_unrelate(turn, RELATION_GHOST_ROOM, room->matrix_room, SLICE_EMPTY);
    turn_unrelate(turn, RELATION_MESSAGE_MAP, room->matrix_room, SLICE_EMPTY);
}

static void drop_posts(struct turn *turn, const struct room *room)
{
    turn_cancel(turn, room_lane_out(turn, room), SLICE_EMPTY);
    room_drop_kept_changes(turn, room);
}

static void close_down(struct turn *turn, struct room *room, bool keeps_posts)
{
    forget_relations(turn, room);
    if (!keeps_posts) {
        drop_posts(turn, room);
    }
    turn_cancel(turn, room_lane_read(turn, room), SLICE_EMPTY);
    room_tell_feed(turn, room, MSG_FEED_ROOM_REMOVED);
    turn_send(turn, room_face(room), MSG_FACE_END, &nothing);
    space_remove(turn, room->owner, room->matrix_room);
    room->matrix_room = SLICE_EMPTY;
    room->deadline_ms = 0;
}

static void leave_ghosts(struct turn *turn, const struct room *room)
{
    struct arena *arena = turn_arena(turn);
    struct slice *ghosts = NULL;
    const size_t count = turn_relations(turn, RELATION_GHOST_ROOM, room->matrix_room, &ghosts);
    for (size_t i = 0; i < count; i++) {
        const struct matrix_request request =
            matrix_leave_request(arena, room->matrix_room, ghosts[i]);
        struct call call =
            call_matrix(MSG_ROOM_LEAVE_ENDED, &request, room_lane_in(turn, room), room->owner);
        call.after_lane = face_lane(arena, room->key); /* a join there may be on the wire */
        turn_call(turn, &call);
    }
}

static void leave_with_ghosts(struct turn *turn, const struct room *room)
{
    leave_ghosts(turn, room);
    const struct matrix_request leave =
        matrix_leave_request(turn_arena(turn), room->matrix_room, SLICE_EMPTY);
    const struct matrix_request forget =
        matrix_forget_request(turn_arena(turn), room->matrix_room, SLICE_EMPTY);
    room_call_homeserver(turn, room, MSG_ROOM_LEAVE_ENDED, &leave);
    room_call_homeserver(turn, room, MSG_ROOM_FORGET_ENDED, &forget);
}

void room_do_leave(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    (void)msg;
    turn_cancel(turn, room_lane_in(turn, room), SLICE_EMPTY);
    leave_with_ghosts(turn, room);
    close_down(turn, room, false);
}

/* A new Matrix room for the same Gitter room, which goes on where the old one stopped, with the
 * posts that are on their way. */
static void bridge_again(struct turn *turn, const struct room *room, struct slice cursor)
{
    const struct msg_bridge bridge = {
        .owner = room->owner,
        .gitter_room = room->gitter_room,
        .label = room->label,
        .name = room->name,
        .topic = room->topic,
        .gitter_user = room->gitter_user,
        .gitter_name = room->gitter_name,
        .is_direct = room->is_direct,
        .avatar = room->avatar,
        .cursor = cursor,
        .life = room->life,
        .posts = room->posts,
    };
    turn_send(turn, (struct actor_ref){ACTOR_ROOM, room->key}, MSG_ROOM_BRIDGE, &bridge);
}

void room_do_unbridge(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_unbridge *unbridge = msg->body;
    turn_cancel(turn, room_lane_in(turn, room), SLICE_EMPTY);
    if (unbridge->kick) {
        const struct matrix_request kick =
            matrix_kick_request(turn_arena(turn), room->matrix_room, room->owner, unbridge->why);
        room_call_homeserver(turn, room, MSG_ROOM_LEAVE_ENDED, &kick);
    }
    leave_with_ghosts(turn, room);
    if (unbridge->is_lost) {
        room_tell_owner(turn, room, TEXT_ROOM_LOST, SLICE_EMPTY);
    }
    const struct slice cursor = unbridge->again ? room_last_brought(turn, room) : SLICE_EMPTY;
    close_down(turn, room, unbridge->again);
    if (unbridge->again) {
        bridge_again(turn, room, cursor);
    }
}

/* Said before anybody leaves; the owner stays in the room and can read it. */
void room_do_say_gone(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    (void)msg;
    turn_cancel(turn, room_lane_in(turn, room), SLICE_EMPTY);
    ROOM_NOTICE(turn, room, SLICE_EMPTY, TEXT_OWNER_GONE, {"room", room->label});
    leave_with_ghosts(turn, room);
    close_down(turn, room, false);
}

void room_do_tell_not_invited(void *next, const struct msg *msg, struct turn *turn)
{
    room_tell_owner(turn, next, TEXT_OWNER_NOT_INVITED,
                    why_failed(turn_arena(turn), ended_of(msg)));
    room_do_leave(next, msg, turn);
}

/* Without the bot nothing can be brought there any more; ghosts leave by themselves. */
void room_do_abandon(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    (void)msg;
    turn_cancel(turn, room_lane_in(turn, room), SLICE_EMPTY);
    leave_ghosts(turn, room);
    close_down(turn, room, false);
}

void room_do_leave_created(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    struct slice matrix_room = SLICE_EMPTY;
    if (matrix_room_id_parse(turn_arena(turn), ended_of(msg)->body, &matrix_room) == RC_OK) {
        room_leave_empty(turn, room, matrix_room);
    }
    if (room->matrix_room.len == 0) { /* LEAVING: over when nothing more can come */
        room->deadline_ms = turn_now_ms(turn) + ROOM_ECHO_WAIT_MS;
    }
}

/* The room may be there although its answer is not, and its create event came or may still come. */
void room_do_leave_candidate(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    (void)msg;
    if (room->candidate.len > 0) {
        room_leave_empty(turn, room, room->candidate);
        room->candidate = SLICE_EMPTY;
    }
    room->deadline_ms = turn_now_ms(turn) + ROOM_ECHO_WAIT_MS;
}

/* A second room, from a createRoom that was thought lost. */
void room_do_leave_orphan(void *next, const struct msg *msg, struct turn *turn)
{
    const struct room *room = next;
    const struct msg_chat *seen = msg->body;
    if (!slice_equal(seen->room, room->matrix_room)) {
        room_leave_empty(turn, room, seen->room);
    }
}

/* It was not made yet; posts of the one it was to go on from may wait. */
void room_do_report_unmade(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    drop_posts(turn, next);
    turn_cancel(turn, room_lane_read(turn, next), SLICE_EMPTY);
    room_report_made(turn, next, false);
}
