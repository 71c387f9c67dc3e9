/* Edits and removals by the owner of what they said before. Both may be repeated freely.
 *
 * While posts of the event have not ended nobody knows which messages on Gitter it is: the change
 * is kept beside the room (MESSAGE_MAP, under the room's key) and made when the last of them has. A
 * later change takes the place of an earlier one: Matrix sends the text whole each time. A removal
 * takes back what has not been sent yet. */
#include "actors/room/room_post.h"

#include "codecs/json.h"
#include "codecs/markdown.h"
#include "runtime/base/limits.h"

enum {
    /* An event has at most 64 KiB, and escaping doubles them at the most. */
    PARTS_MAX = 40
};

struct change {
    bool is_removal;
    struct slice event_id; /* that asks for it */
    struct slice text;
};

/* {"event": ..., "text": ...}, a removal without the text. As JSON, since the text is a body that a
 * log may have to leave out, and these are found in JSON. */
static struct slice change_print(struct arena *arena, const struct change *change)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_object(&writer);
    json_put_member(&writer, SLICE("event"), change->event_id);
    if (!change->is_removal) {
        json_put_member(&writer, SLICE("text"), change->text);
    }
    json_close_object(&writer);
    return json_writer_end(&writer);
}

/* "edit <event> <text>", "remove <event> ": the first layout of it. */
static struct change change_read_words(struct slice text)
{
    struct change change = {.is_removal = slice_equal(slice_cut(&text, ' '), SLICE("remove"))};
    change.event_id = slice_cut(&text, ' ');
    change.text = text;
    return change;
}

static struct change change_read(struct arena *arena, struct slice text)
{
    struct json *json = NULL;
    if (json_parse(arena, text, &json) != RC_OK) {
        return change_read_words(text);
    }
    return (struct change){.is_removal = json_get(json, SLICE("text")) == NULL,
                           .event_id = json_get_text(json, SLICE("event")),
                           .text = json_get_text(json, SLICE("text"))};
}

/* What an event is on Gitter. */
struct parts {
    struct slice ids[PARTS_MAX];
    size_t count;
    int64_t next; /* number of the part that would come next */
};

static void
find_parts(struct turn *turn, const struct room *room, struct slice event_id, struct parts *parts)
{
    *parts = (struct parts){0};
    for (int64_t part = 0; part < PARTS_MAX; part++) {
        const struct slice value = room_own_value(turn_arena(turn), event_id, part);
        if (turn_related_by_value(turn, RELATION_MESSAGE_MAP, room->matrix_room, value,
                                  &parts->ids[parts->count])) {
            parts->count++;
            parts->next = part + 1;
        }
    }
}

static void call_change(struct turn *turn,
                        const struct room *room,
                        const struct gitter_request *request,
                        struct slice event_id)
{
    struct call call =
        call_gitter(MSG_ROOM_EDIT_ENDED, request, room_lane_out(turn, room), room->owner);
    call.repeat = CALL_REPEAT_FREELY;
    call.ref = event_id;
    turn_call(turn, &call);
}

static void remove_part(struct turn *turn,
                        const struct room *room,
                        struct slice id,
                        const struct change *change)
{
    const struct gitter_request request =
        gitter_delete_request(turn_arena(turn), room->gitter_room, id);
    call_change(turn, room, &request, change->event_id);
    turn_relate(turn, RELATION_MESSAGE_MAP, room->matrix_room, id, room_value_gone);
}

static void edit_part(struct turn *turn,
                      const struct room *room,
                      struct slice id,
                      const struct change *change,
                      struct slice text)
{
    const struct gitter_request request =
        gitter_edit_request(turn_arena(turn), room->gitter_room, id, text);
    call_change(turn, room, &request, change->event_id);
}

/* Of what is not on Gitter the new text is said. */
static void make_change(struct turn *turn,
                        struct room *room,
                        struct slice event_id,
                        const struct change *change)
{
    struct parts parts;
    struct slice *texts = NULL;
    find_parts(turn, room, event_id, &parts);
    const size_t count = change->is_removal ? 0
                                            : markdown_split(turn_arena(turn), change->text,
                                                             GITTER_TEXT_UNITS_MAX, &texts);
    for (size_t i = 0; i < parts.count; i++) {
        if (i < count) {
            edit_part(turn, room, parts.ids[i], change, texts[i]);
        } else {
            remove_part(turn, room, parts.ids[i], change);
        }
    }
    for (size_t i = parts.count; i < count; i++) {
        const struct room_post part = {.event_id = event_id, .part = parts.next++};
        room_post_part(turn, room, &part, texts[i], false);
    }
}

void room_make_kept_change(struct turn *turn, struct room *room, struct slice event_id)
{
    struct slice value = SLICE_EMPTY;
    if (!turn_related(turn, RELATION_MESSAGE_MAP, room->key, event_id, &value) ||
        turn_count_calls(turn, room_lane_out(turn, room), event_id) > 0) {
        return;
    }
    const struct change change = change_read(turn_arena(turn), value);
    turn_unrelate(turn, RELATION_MESSAGE_MAP, room->key, event_id);
    make_change(turn, room, event_id, &change);
}

void room_drop_kept_change(struct turn *turn, const struct room *room, struct slice event_id)
{
    turn_unrelate(turn, RELATION_MESSAGE_MAP, room->key, event_id);
}

void room_drop_kept_changes(struct turn *turn, const struct room *room)
{
    turn_unrelate(turn, RELATION_MESSAGE_MAP, room->key, SLICE_EMPTY);
}

static bool is_known(struct turn *turn, const struct room *room, struct slice event_id)
{
    struct parts parts;
    find_parts(turn, room, event_id, &parts);
    return parts.count > 0 || turn_count_calls(turn, room_lane_out(turn, room), event_id) > 0;
}

/* Posts of the event that wait in the lane are not made. */
static bool take_back(struct turn *turn, struct room *room, struct slice event_id)
{
    struct arena *arena = turn_arena(turn);
    const struct slice lane = room_lane_out(turn, room);
    const char *const kinds[] = {"1|post", "0|post"};
    size_t count = 0;
    for (size_t i = 0; i < MACHINE_COUNT(kinds); i++) {
        const struct slice ref = arena_printf(arena, "%.*s|%s", SLICE_ARGS(event_id), kinds[i]);
        count += turn_cancel(turn, lane, ref);
    }
    room->posts = room->posts > (int64_t)count ? room->posts - (int64_t)count : 0;
    room->ended += room->posts == 0;
    return count > 0;
}

static void change_event(struct turn *turn,
                         struct room *room,
                         struct slice event_id,
                         const struct change *change)
{
    turn_relate(turn, RELATION_MESSAGE_MAP, room->key, event_id,
                change_print(turn_arena(turn), change));
    room_make_kept_change(turn, room, event_id);
}

void room_do_edit(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_matrix_text *text = msg->body;
    if (!room_is_text(text->msgtype)) {
        ROOM_NOTICE(turn, room, text->event_id, TEXT_NOT_BRIDGED_KIND, {"room", room->label});
        return;
    }
    if (room_refuses(turn, room, text->event_id)) {
        return;
    }
    const struct change edit = {
        .event_id = text->event_id,
        .text = room_markdown_of(turn, room, text),
    };
    change_event(turn, room, text->replaces, &edit);
}

void room_do_remove(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_matrix_redaction *redaction = msg->body;
    const struct change removal = {.is_removal = true, .event_id = redaction->event_id};
    if (take_back(turn, room, redaction->redacts) ||
        (is_known(turn, room, redaction->redacts) &&
         !room_refuses(turn, room, redaction->event_id))) {
        change_event(turn, room, redaction->redacts, &removal);
    }
}

/* A removal of what is not there has come true, perhaps by an attempt before. */
void room_do_report_edit(void *next, const struct msg *msg, struct turn *turn)
{
    const struct call_ended *ended = ended_of(msg);
    const bool is_removal = ended->request.len == 0;
    if (is_removal && ended->status == 404) {
        return;
    }
    const struct slice why = !is_removal && ended->status == 400
                                 ? text_template(TEXT_WHY_EDITED_LATE)
                                 : why_failed(turn_arena(turn), ended);
    ROOM_NOTICE(turn, next, ended->ref, is_removal ? TEXT_REMOVAL_FAILED : TEXT_POST_FAILED,
                {"why", why});
}
