/* What becomes of the calls that bring a Gitter message into the Matrix room.
 *
 * The homeserver knows the transaction id of a message for half an hour at least, but not over its
 * own restart. So when the answer to a send is lost, the end of the room is looked at first: the
 * message is there if the ghost has sent an event that carries its Gitter id. Only if it is not, it
 * is sent once more, under the same transaction id. */
#include "actors/face/face.h"
#include "actors/ghost/ghost.h"
#include "actors/muster/muster.h"
#include "actors/room/room.h"
#include "codecs/ghostid.h"
#include "codecs/url.h"

enum {
    /* a message is given up when it fails so often with 500, which may be its own fault ... */
    FAULTS_MAX = 5,
    /* ... or is lost so often: for a day, at the longest pause */
    SENDS_MAX = 300,
    PAUSE_FIRST_MS = 1000,
    PAUSE_LAST_MS = 5 * 60 * 1000,
    PAGE_EVENTS = 50,
    /* Behind the last event of the lane there is only what the owner and the bot said since. */
    PAGES_MAX = 20,
};

struct slice room_ghost(struct turn *turn, struct slice gitter_user)
{
    return ghostid_mxid(turn_arena(turn), gitter_user, settings_of(turn)->domain);
}

struct slice room_txn_id(struct arena *arena, struct slice message, int64_t edit)
{
    return arena_printf(arena, "g.%.*s.0.%lld", SLICE_ARGS(message), (long long)edit);
}

/* "<message>|<user>|<what>", and of a message whose answer was lost "|<sends>.<faults>|<pages>|
 * <from>|<content>" as far as it is needed. */
static struct slice
send_ref_print(struct arena *arena, const struct room_send *send, bool has_content)
{
    const struct slice ref =
        room_ref(arena, send->message, send->user, arena_cstr(arena, send->what));
    const struct slice sends =
        send->faults == 0 ? arena_printf(arena, "%d", (int)send->sends)
                          : arena_printf(arena, "%d.%d", (int)send->sends, (int)send->faults);
    if (!has_content) {
        return send->sends == 0
                   ? ref
                   : arena_printf(arena, "%.*s|%.*s", SLICE_ARGS(ref), SLICE_ARGS(sends));
    }
    return arena_printf(arena, "%.*s|%.*s|%d|%.*s|%.*s", SLICE_ARGS(ref), SLICE_ARGS(sends),
                        (int)send->pages, SLICE_ARGS(url_encode(arena, send->from)),
                        SLICE_ARGS(send->content));
}

static int64_t cut_number(struct slice *rest, char end)
{
    int64_t number = 0;
    return slice_to_int(slice_cut(rest, end), &number) == RC_OK ? number : 0;
}

static struct room_send send_ref_read(struct arena *arena, struct slice ref)
{
    struct room_send send = {.message = slice_cut(&ref, '|')};
    send.user = slice_cut(&ref, '|');
    send.what = slice_cut(&ref, '|');
    struct slice edited = send.what;
    (void)slice_cut(&edited, ' ');
    if (slice_to_int(edited, &send.edited_ms) != RC_OK) {
        send.edited_ms = 0;
    }
    struct slice sends = slice_cut(&ref, '|');
    send.sends = cut_number(&sends, '.');
    send.faults = cut_number(&sends, '.');
    send.pages = cut_number(&ref, '|');
    if (url_decode(arena, slice_cut(&ref, '|'), &send.from) != RC_OK) {
        send.from = SLICE_EMPTY;
    }
    send.content = ref;
    send.ts_ms = gitter_id_time_ms(send.message) > 0 ? gitter_id_time_ms(send.message) : 0;
    return send;
}

struct call room_send_call(struct turn *turn, const struct room *room, const struct room_send *send)
{
    struct arena *arena = turn_arena(turn);
    const struct matrix_send event = {
        .room_id = room->matrix_room,
        .txn_id = room_txn_id(arena, send->message, send->edited_ms),
        .user_id = room_ghost(turn, send->user),
        .ts_ms = send->edited_ms > 0 ? send->edited_ms : send->ts_ms,
        .content = send->content,
    };
    const struct matrix_request request = matrix_send_request(arena, &event);
    struct call call =
        call_matrix(MSG_ROOM_SEND_ENDED, &request, room_lane_in(turn, room), room->owner);
    if (send->edited_ms == 0) { /* an edit that comes twice changes nothing */
        call.repeat = CALL_REPEAT_NEVER;
    }
    call.ref = send_ref_print(arena, send, false);
    return call;
}

void room_do_note_joined(void *next, const struct msg *msg, struct turn *turn)
{
    const struct room *room = next;
    const struct slice ghost =
        room_ghost(turn, send_ref_read(turn_arena(turn), ended_of(msg)->ref).user);
    if (ended_is_done(msg)) {
        turn_relate(turn, RELATION_GHOST_ROOM, room->matrix_room, ghost, SLICE_EMPTY);
    } else {
        turn_unrelate(turn, RELATION_GHOST_ROOM, room->matrix_room, ghost);
    }
}

/* The homeserver says that the ghost is not in the room, or not registered, which was believed.
 * Once for each message or edit everything is done again from the beginning, in its place, and
 * behind a leave that was asked for before and may have been repeated after its ghost came in. */
static void repair(struct turn *turn, const struct room *room, struct room_send *send)
{
    struct arena *arena = turn_arena(turn);
    const struct slice ghost = room_ghost(turn, send->user);
    const struct slice domain = settings_of(turn)->domain;
    const struct matrix_request steps[] = {
        matrix_register_request(arena, ghostid_localpart(arena, send->user, domain)),
        matrix_invite_request(arena, room->matrix_room, ghost, SLICE_EMPTY),
        matrix_join_request(arena, room->matrix_room, ghost),
    };
    static const int purposes[] = {MSG_ROOM_GHOST_ENDED, MSG_ROOM_GHOST_ENDED, MSG_ROOM_JOIN_ENDED};
    send->what = send->edited_ms > 0 ? SLICE("edited-again") : SLICE("again");
    turn_unrelate(turn, RELATION_GHOST_ROOM, room->matrix_room, ghost);
    turn_send(turn, (struct actor_ref){ACTOR_GHOST, send->user}, MSG_GHOST_LOST, &nothing);
    for (size_t i = 0; i < MACHINE_COUNT(steps); i++) {
        struct call call =
            call_matrix(purposes[i], &steps[i], room_lane_in(turn, room), room->owner);
        call.ref = send_ref_print(arena, send, false);
        call.after_lane = i == 0 ? face_lane(arena, room->key) : SLICE_EMPTY;
        turn_call_instead(turn, &call);
    }
    const struct call call = room_send_call(turn, room, send);
    turn_call_instead(turn, &call);
}

static void report(struct turn *turn, const struct room *room, const struct call_ended *ended)
{
    const struct slice why = why_failed(turn_arena(turn), ended);
    ROOM_NOTICE(turn, room, SLICE_EMPTY, TEXT_SEND_FAILED, {"why", why});
    NOTE_TROUBLE(turn, room->owner, TEXT_TROUBLE_SEND, {"room", room->label}, {"why", why});
    if (ended->status == 403) { /* perhaps the bot cannot invite there either */
        muster_doubt(turn, room->matrix_room);
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
        room_relay_change(turn, room, &record, &message);
    }
}

/* Looking for a message whose answer was lost */

/* At once the first time; a homeserver that loses answer after answer is given time. */
static int64_t pause_ms(const struct room_send *send)
{
    int64_t pause = send->sends == 0 || send->pages > 0 ? 0 : PAUSE_FIRST_MS;
    for (int64_t i = 1; i < send->sends && pause > 0 && pause < PAUSE_LAST_MS; i++) {
        pause *= 2;
    }
    return pause < PAUSE_LAST_MS ? pause : PAUSE_LAST_MS;
}

static void seek(struct turn *turn, const struct room *room, const struct room_send *send)
{
    struct arena *arena = turn_arena(turn);
    const int64_t wait_ms = pause_ms(send);
    const struct matrix_request request =
        matrix_messages_request(arena, room->matrix_room, send->from, PAGE_EVENTS);
    struct call call =
        call_matrix(MSG_ROOM_SEND_ENDED, &request, room_lane_in(turn, room), room->owner);
    call.ref = send_ref_print(arena, send, true);
    call.not_before_ms = wait_ms > 0 ? turn_now_ms(turn) + wait_ms : 0;
    turn_call_instead(turn, &call);
}

/* An edit carries the id as well; that of another sender is forged. */
static bool is_sought(const struct matrix_event *event, struct slice ghost, struct slice message)
{
    return slice_equal(event->sender, ghost) && slice_equal(event->gitter_id, message) &&
           !slice_equal(event->rel_type, SLICE("m.replace"));
}

/* The lane brings one message after the other: behind one that is known to be there, the one that
 * is sought can only be nearer. */
static bool is_known(struct turn *turn, const struct room *room, struct slice event_id)
{
    struct slice message = SLICE_EMPTY;
    return turn_related_by_value(turn, RELATION_MESSAGE_MAP, room->matrix_room, event_id, &message);
}

/* The event, if it is on the page; if not, *from is where to go on, or empty when it cannot be
 * there. */
static struct slice find_sent(struct turn *turn,
                              const struct room *room,
                              const struct room_send *send,
                              struct slice body,
                              struct slice *from)
{
    const struct slice ghost = room_ghost(turn, send->user);
    struct matrix_page page = {0};
    *from = SLICE_EMPTY;
    if (matrix_messages_parse(turn_arena(turn), body, &page) != RC_OK) {
        return SLICE_EMPTY;
    }
    for (size_t i = 0; i < page.count; i++) {
        struct matrix_event event = {0};
        if (matrix_event_parse(turn_arena(turn), page.events[i], &event) != RC_OK) {
            continue;
        }
        if (is_sought(&event, ghost, send->message)) {
            return event.event_id;
        }
        if (is_known(turn, room, event.event_id)) {
            return SLICE_EMPTY;
        }
    }
    *from = page.count > 0 && send->pages + 1 < PAGES_MAX ? page.end : SLICE_EMPTY;
    return SLICE_EMPTY;
}

static void take_page(struct turn *turn,
                      struct room *room,
                      struct room_send *send,
                      const struct call_ended *ended)
{
    if (ended->end != CALL_END_DONE) {
        report(turn, room, ended);
        return;
    }
    const struct slice event_id = find_sent(turn, room, send, ended->body, &send->from);
    if (event_id.len > 0) {
        note_event(turn, room, send->message, event_id);
    } else if (send->from.len > 0) {
        send->pages++;
        seek(turn, room, send);
    } else {
        send->sends++;
        const struct call again = room_send_call(turn, room, send);
        turn_call_instead(turn, &again);
    }
}

static bool is_hopeless(const struct room_send *send, const struct call_ended *ended)
{
    return send->sends >= SENDS_MAX || (ended->status == 500 && send->faults + 1 >= FAULTS_MAX);
}

static void take_answer(struct turn *turn,
                        struct room *room,
                        struct room_send *send,
                        const struct call_ended *ended)
{
    struct slice event_id = SLICE_EMPTY;
    const bool is_done = ended->end == CALL_END_DONE;
    send->content = ended->request;
    if (is_done && slice_starts_with(send->what, SLICE("edit"))) {
        return;
    }
    if (is_done && matrix_event_id_parse(turn_arena(turn), ended->body, &event_id) == RC_OK) {
        note_event(turn, room, send->message, event_id);
    } else if ((is_done || ended->end == CALL_END_UNKNOWN) && !is_hopeless(send, ended)) {
        send->faults += ended->status == 500;
        seek(turn, room, send);
    } else if (ended->status == 403 && !slice_ends_with(send->what, SLICE("again"))) {
        repair(turn, room, send);
    } else {
        report(turn, room, ended);
    }
}

void room_do_note_sent(void *next, const struct msg *msg, struct turn *turn)
{
    struct room_send send = send_ref_read(turn_arena(turn), ended_of(msg)->ref);
    if (send.content.len > 0) {
        take_page(turn, next, &send, ended_of(msg));
    } else {
        take_answer(turn, next, &send, ended_of(msg));
    }
    room_goes_on(turn, next);
}
