/* From Matrix to Gitter: the owner's messages become posts in the lane room-out, each once, in
 * order. What is done when the answer to one is lost is in room_look.c, what when the owner changes
 * one in room_change.c. */
#include "actors/room/room_post.h"

#include "codecs/ghostid.h"
#include "codecs/markdown.h"
#include "runtime/base/limits.h"

/* The second field tells the first part at a glance; a third that is a number is of the first
 * layout of this text: "<event>|<is first>|<looks>|<cursor>|<read>|<body>". */
struct slice room_post_print(struct arena *arena, const struct room_post *post)
{
    return arena_printf(arena, "%.*s|%d|%s|%d|%.*s|%d.%d|%.*s|%.*s|%.*s",
                        SLICE_ARGS(post->event_id), post->part == 0 ? 1 : 0,
                        post->body.len > 0 ? "look" : "post", (int)post->part,
                        SLICE_ARGS(post->life), (int)post->looks, (int)post->repeats,
                        SLICE_ARGS(post->cursor), SLICE_ARGS(post->read), SLICE_ARGS(post->body));
}

static int64_t number_of(struct slice text)
{
    int64_t number = 0;
    return slice_to_int(text, &number) == RC_OK ? number : 0;
}

struct room_post room_post_read(struct slice ref)
{
    struct room_post post = {.event_id = slice_cut(&ref, '|')};
    post.part = slice_equal(slice_cut(&ref, '|'), SLICE("1")) ? 0 : 1;
    const struct slice what = slice_cut(&ref, '|');
    if (slice_equal(what, SLICE("post")) || slice_equal(what, SLICE("look"))) {
        post.part = number_of(slice_cut(&ref, '|'));
        post.life = slice_cut(&ref, '|');
        struct slice counts = slice_cut(&ref, '|');
        post.looks = number_of(slice_cut(&counts, '.'));
        post.repeats = number_of(counts);
    } else {
        post.looks = number_of(what);
    }
    post.cursor = slice_cut(&ref, '|');
    post.read = slice_cut(&ref, '|');
    post.body = ref;
    return post;
}

struct call room_post_call(struct turn *turn,
                           const struct room *room,
                           struct slice body,
                           const struct room_post *post)
{
    struct arena *arena = turn_arena(turn);
    struct gitter_request request =
        gitter_send_request(arena, room->gitter_room, SLICE("-"), false, SLICE_EMPTY);
    request.body = body;
    struct call call =
        call_gitter(MSG_ROOM_POST_ENDED, &request, room_lane_out(turn, room), room->owner);
    call.ref = room_post_print(arena, post);
    return call;
}

/* Posting */

bool room_is_text(struct slice msgtype)
{
    return slice_equal(msgtype, SLICE("m.text")) || slice_equal(msgtype, SLICE("m.notice")) ||
           slice_equal(msgtype, SLICE("m.emote"));
}

struct slice
room_markdown_of(struct turn *turn, const struct room *room, const struct msg_matrix_text *text)
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

void room_post_part(struct turn *turn,
                    struct room *room,
                    const struct room_post *part,
                    struct slice text,
                    bool is_status)
{
    const struct gitter_request request =
        gitter_send_request(turn_arena(turn), room->gitter_room, text, is_status, SLICE_EMPTY);
    const struct room_post post = {
        .event_id = part->event_id,
        .part = part->part,
        .life = room->life,
        .cursor = room->cursor,
    };
    const struct call call = room_post_call(turn, room, request.body, &post);
    turn_call(turn, &call);
    room->posts++;
}

void room_do_post(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_matrix_text *text = msg->body;
    struct slice *parts = NULL;
    if (!room_is_text(text->msgtype)) {
        ROOM_NOTICE(turn, room, text->event_id, TEXT_NOT_BRIDGED_KIND, {"room", room->label});
        return;
    }
    if (room_refuses(turn, room, text->event_id)) {
        return;
    }
    const bool is_emote = slice_equal(text->msgtype, SLICE("m.emote"));
    const size_t count = markdown_split(turn_arena(turn), room_markdown_of(turn, room, text),
                                        GITTER_TEXT_UNITS_MAX, &parts);
    for (size_t i = 0; i < count; i++) {
        const struct room_post part = {.event_id = text->event_id, .part = (int64_t)i};
        room_post_part(turn, room, &part, parts[i], i == 0 && is_emote);
    }
}

/* Ends */

static void note_post(struct turn *turn,
                      struct room *room,
                      const struct room_post *post,
                      const struct gitter_message *message)
{
    if (message->has_version) {
        room_claim(turn, room, message->id,
                   room_own_value(turn_arena(turn), post->event_id, post->part));
        room_mark_read(turn, room, post->event_id);
    } else {
        ROOM_NOTICE(turn, room, post->event_id, TEXT_SHADOW_BANNED, {"room", room->label});
    }
    room_post_delivered(turn, room, post->event_id);
}

void room_do_end_post(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct call_ended *ended = ended_of(msg);
    const struct room_post post = room_post_read(ended->ref);
    struct gitter_message message = {0};
    if (ended->end == CALL_END_FAILED) {
        room_post_failed(turn, room, post.event_id, ended);
    } else if (ended_is_done(msg) &&
               gitter_message_parse(turn_arena(turn), ended->body, &message) == RC_OK) {
        note_post(turn, room, &post, &message);
    } else { /* also a 2xx that says nothing */
        room_do_look(next, msg, turn);
    }
}

void room_do_explain(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct msg_matrix_text *text = msg->body;
    room->was_explained = true;
    ROOM_NOTICE(turn, room, text->event_id, TEXT_NOT_OWNER, {"owner", room->owner});
}
