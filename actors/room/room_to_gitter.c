/* From Matrix to Gitter: the owner's messages become posts in the lane room-out, each once, in
 * order.
 *
 * Gitter takes no id of ours with a post. When its answer is lost, nobody knows whether the message
 * is there: then the place in the lane is taken by a look at what was said since, soon and once
 * more after Gitter's own time-outs, and only if it is in neither list it is posted again. */
#include "actors/room/room.h"

#include "codecs/ghostid.h"
#include "codecs/json.h"
#include "codecs/markdown.h"

static const struct slice own_mark = SLICE_INIT("own ");
static const struct slice part_mark = SLICE_INIT("part ");
static const struct slice held_mark = SLICE_INIT("held ");

enum {
    LOOKS = 2,
    FIRST_LOOK_MS = 5 * 1000,
    SECOND_LOOK_MS = 60 * 1000,
    LOOK_MESSAGES = 100,
    LOOK_BACK_MS = 10 * 1000,
};

struct slice room_own_value(struct arena *arena, struct slice event_id, bool is_first)
{
    return arena_printf(arena, "%.*s%.*s", SLICE_ARGS(is_first ? own_mark : part_mark),
                        SLICE_ARGS(event_id));
}

bool room_value_is_own(struct slice value)
{
    return slice_starts_with(value, own_mark) || slice_starts_with(value, part_mark);
}

bool room_value_is_held(struct slice value)
{
    return slice_starts_with(value, held_mark);
}

struct slice room_value_when_free(struct slice value)
{
    return room_value_is_held(value) ? slice_from(value, held_mark.len) : value;
}

bool room_value_is_pending(struct slice value)
{
    value = room_value_when_free(value);
    return value.len == 0 || slice_starts_with(value, SLICE("later "));
}

struct slice room_value_event(struct slice value)
{
    if (slice_starts_with(value, own_mark)) {
        return slice_from(value, own_mark.len);
    }
    return slice_starts_with(value, part_mark) ? slice_from(value, part_mark.len) : value;
}

/* What a post must remember: the part of which event it is, how often was looked for it, where
 * Gitter's list stood when it was declared, and, while it is being looked for, how far this look
 * has read and its own body. */
struct post_ref {
    struct slice event_id;
    bool is_first;
    int64_t looks;
    struct slice cursor;
    struct slice read; /* last message of the page before; empty: none was read */
    struct slice body;
};

static struct slice post_ref_print(struct arena *arena, const struct post_ref *ref)
{
    return arena_printf(arena, "%.*s|%d|%d|%.*s|%.*s|%.*s", SLICE_ARGS(ref->event_id),
                        ref->is_first ? 1 : 0, (int)ref->looks, SLICE_ARGS(ref->cursor),
                        SLICE_ARGS(ref->read), SLICE_ARGS(ref->body));
}

static struct post_ref post_ref_read(struct slice text)
{
    struct post_ref ref = {.event_id = slice_cut(&text, '|')};
    ref.is_first = slice_equal(slice_cut(&text, '|'), SLICE("1"));
    if (slice_to_int(slice_cut(&text, '|'), &ref.looks) != RC_OK) {
        ref.looks = 0;
    }
    ref.cursor = slice_cut(&text, '|');
    ref.read = slice_cut(&text, '|');
    ref.body = text;
    return ref;
}

static struct call
post_call(struct turn *turn, const struct room *room, struct slice body, const struct post_ref *ref)
{
    struct arena *arena = turn_arena(turn);
    struct gitter_request request =
        gitter_send_request(arena, room->gitter_room, SLICE("-"), false, SLICE_EMPTY);
    request.body = body;
    struct call call =
        call_gitter(MSG_ROOM_POST_ENDED, &request, room_lane_out(turn, room), room->owner);
    call.ref = post_ref_print(arena, ref);
    return call;
}

/* Posting */

static bool is_text(struct slice msgtype)
{
    return slice_equal(msgtype, SLICE("m.text")) || slice_equal(msgtype, SLICE("m.notice")) ||
           slice_equal(msgtype, SLICE("m.emote"));
}

static struct slice
markdown_of(struct turn *turn, const struct room *room, const struct msg_matrix_text *text)
{
    const bool is_emote = slice_equal(text->msgtype, SLICE("m.emote"));
    const struct matrix_text source = {
        .body = text->body,
        .formatted_body = text->html,
        .kind = is_emote ? MATRIX_EMOTE : MATRIX_TEXT,
        .has_reply = text->is_reply,
        .ghost_prefix = SLICE("@" GHOSTID_PREFIX),
    };
    const struct slice markdown = markdown_from_matrix(turn_arena(turn), &source);
    /* Gitter's own clients say `/me waves` as "@name waves" */
    return is_emote ? arena_printf(turn_arena(turn), "@%.*s %.*s", SLICE_ARGS(room->gitter_name),
                                   SLICE_ARGS(markdown))
                    : markdown;
}

void room_do_post(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_matrix_text *text = msg->body;
    struct arena *arena = turn_arena(turn);
    struct slice *parts = NULL;
    if (!is_text(text->msgtype)) {
        ROOM_NOTICE(turn, room, text->event_id, TEXT_NOT_BRIDGED_KIND, {"room", room->label});
        return;
    }
    if (room_refuses(turn, room, text->event_id)) {
        return;
    }
    const size_t count =
        markdown_split(arena, markdown_of(turn, room, text), GITTER_TEXT_UNITS_MAX, &parts);
    for (size_t i = 0; i < count; i++) {
        const struct gitter_request request = gitter_send_request(
            arena, room->gitter_room, parts[i],
            i == 0 && slice_equal(text->msgtype, SLICE("m.emote")), SLICE_EMPTY);
        const struct post_ref ref = {
            .event_id = text->event_id, .is_first = i == 0, .cursor = room->cursor};
        const struct call call = post_call(turn, room, request.body, &ref);
        turn_call(turn, &call);
        room->posts++;
    }
}

void room_do_note_post(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct post_ref ref = post_ref_read(ended_of(msg)->ref);
    struct gitter_message message = {0};
    room_post_delivered(turn, room);
    if (gitter_message_parse(turn_arena(turn), ended_of(msg)->body, &message) != RC_OK) {
        return; /* a 2xx that says nothing: it is there, under an id that its echo will tell */
    }
    if (!message.has_version) {
        ROOM_NOTICE(turn, room, ref.event_id, TEXT_SHADOW_BANNED, {"room", room->label});
        return;
    }
    room_claim(turn, room, message.id,
               room_own_value(turn_arena(turn), ref.event_id, ref.is_first));
}

void room_do_report_post(void *next, const struct msg *msg, struct turn *turn)
{
    room_post_failed(turn, next, post_ref_read(ended_of(msg)->ref).event_id, ended_of(msg));
}

/* Looking for a post whose answer was lost */

static struct slice look_after(struct arena *arena, const struct post_ref *ref)
{
    if (ref->read.len > 0) {
        return ref->read;
    }
    return ref->cursor.len > 0 ? gitter_id_before(arena, ref->cursor, LOOK_BACK_MS) : SLICE_EMPTY;
}

static void look(struct turn *turn, const struct room *room, const struct post_ref *ref)
{
    struct arena *arena = turn_arena(turn);
    const struct gitter_page page = {
        .after_id = look_after(arena, ref),
        .limit = LOOK_MESSAGES,
        .with_threads = true,
    };
    const struct gitter_request request = gitter_messages_request(arena, room->gitter_room, &page);
    struct call call =
        call_gitter(MSG_ROOM_LOOK_ENDED, &request, room_lane_out(turn, room), room->owner);
    call.ref = post_ref_print(arena, ref);
    if (ref->read.len == 0) {
        call.not_before_ms = turn_now_ms(turn) + (ref->looks == 0 ? FIRST_LOOK_MS : SECOND_LOOK_MS);
    }
    turn_call_instead(turn, &call);
}

void room_do_look(void *next, const struct msg *msg, struct turn *turn)
{
    const struct room *room = next;
    struct post_ref ref = post_ref_read(ended_of(msg)->ref);
    ref.body = ended_of(msg)->request;
    ref.looks = 0;
    look(turn, room, &ref);
}

/* Ours is an own message with the same text that stands for nothing yet: neither for another post
 * of ours nor for a message that is or was brought over because the owner wrote it elsewhere. One
 * that came while posts were under way is held until they have ended, and may be ours. */
static bool is_lost_post(struct turn *turn,
                         const struct room *room,
                         const struct gitter_message *message,
                         struct slice text)
{
    struct slice value = SLICE_EMPTY;
    return slice_equal(message->from.id, room->gitter_user) && slice_equal(message->text, text) &&
           (!turn_related(turn, RELATION_MESSAGE_MAP, room->matrix_room, message->id, &value) ||
            room_value_is_held(value));
}

/* `last` is the last message of a page behind which there may be more, else empty. */
static const struct gitter_message *find_lost_post(struct turn *turn,
                                                   const struct room *room,
                                                   const struct call_ended *ended,
                                                   struct slice body,
                                                   struct slice *last)
{
    struct gitter_message *messages = NULL;
    struct json *posted = NULL;
    size_t count = 0;
    if (json_parse(turn_arena(turn), body, &posted) != RC_OK ||
        gitter_messages_parse(turn_arena(turn), ended->body, &messages, &count) != RC_OK) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_lost_post(turn, room, &messages[i], json_get_text(posted, SLICE("text")))) {
            return &messages[i];
        }
    }
    *last = count >= LOOK_MESSAGES ? messages[count - 1].id : SLICE_EMPTY;
    return NULL;
}

/* It is in neither look: Gitter does not have it. */
static void post_again(struct turn *turn, const struct room *room, struct post_ref *ref)
{
    const struct slice body = ref->body;
    ref->body = SLICE_EMPTY;
    ref->looks = 0;
    const struct call again = post_call(turn, room, body, ref);
    turn_call_instead(turn, &again);
}

void room_do_compare(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct call_ended *ended = ended_of(msg);
    struct post_ref ref = post_ref_read(ended->ref);
    if (!ended_is_done(msg)) {
        room_post_failed(turn, room, ref.event_id, ended);
        return;
    }
    struct slice last = SLICE_EMPTY;
    const struct gitter_message *found = find_lost_post(turn, room, ended, ref.body, &last);
    if (found != NULL) {
        room_post_delivered(turn, room);
        room_claim(turn, room, found->id,
                   room_own_value(turn_arena(turn), ref.event_id, ref.is_first));
        return;
    }
    ref.read = last;
    ref.looks += last.len == 0;
    if (ref.looks < LOOKS) {
        look(turn, room, &ref);
    } else {
        post_again(turn, room, &ref);
    }
}

/* Edits and removals: both may be repeated freely. */

static bool gitter_message_of(struct turn *turn,
                              const struct room *room,
                              struct slice event_id,
                              struct slice *id)
{
    const struct slice value = room_own_value(turn_arena(turn), event_id, true);
    return turn_related_by_value(turn, RELATION_MESSAGE_MAP, room->matrix_room, value, id);
}

static void change(struct turn *turn,
                   struct room *room,
                   const struct gitter_request *request,
                   struct slice event_id)
{
    if (room_refuses(turn, room, event_id)) {
        return;
    }
    struct call call =
        call_gitter(MSG_ROOM_EDIT_ENDED, request, room_lane_out(turn, room), room->owner);
    call.repeat = CALL_REPEAT_FREELY;
    call.ref = event_id;
    turn_call(turn, &call);
}

void room_do_edit(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_matrix_text *text = msg->body;
    struct slice id = SLICE_EMPTY;
    if (!gitter_message_of(turn, room, text->replaces, &id)) {
        room_do_post(next, msg, turn); /* nothing to edit there: say the new text */
        return;
    }
    const struct slice markdown = markdown_of(turn, room, text);
    const struct gitter_request request =
        gitter_edit_request(turn_arena(turn), room->gitter_room, id, markdown);
    change(turn, room, &request, text->event_id);
}

void room_do_remove(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_matrix_redaction *redaction = msg->body;
    struct slice id = SLICE_EMPTY;
    if (gitter_message_of(turn, room, redaction->redacts, &id)) {
        const struct gitter_request request =
            gitter_delete_request(turn_arena(turn), room->gitter_room, id);
        change(turn, room, &request, redaction->event_id);
    }
}

void room_do_report_edit(void *next, const struct msg *msg, struct turn *turn)
{
    ROOM_NOTICE(turn, next, ended_of(msg)->ref, TEXT_POST_FAILED,
                {"why", why_failed(turn_arena(turn), ended_of(msg))});
}

void room_do_explain(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_matrix_text *text = msg->body;
    room->was_explained = true;
    ROOM_NOTICE(turn, room, text->event_id, TEXT_NOT_OWNER, {"owner", room->owner});
}
