/* Gitter takes no id of ours with a post. When its answer is lost, nobody knows whether the message
 * is there: then the place in the lane is taken by a look at what was said since, soon and once
 * more after Gitter's own time-outs, and only if it is in neither list it is posted again. */
#include "actors/room/room_post.h"

#include "codecs/json.h"

enum {
    LOOKS = 2,
    REPEATS_MAX = 20,
    FIRST_LOOK_MS = 5 * 1000,
    SECOND_LOOK_MS = 60 * 1000,
    LOOK_MESSAGES = 100,
    LOOK_BACK_MS = 10 * 1000,
};

static struct slice look_after(struct arena *arena, const struct room_post *post)
{
    if (post->read.len > 0) {
        return post->read;
    }
    return post->cursor.len > 0 ? gitter_id_before(arena, post->cursor, LOOK_BACK_MS) : SLICE_EMPTY;
}

static void look(struct turn *turn, const struct room *room, const struct room_post *post)
{
    struct arena *arena = turn_arena(turn);
    const struct gitter_page page = {
        .after_id = look_after(arena, post),
        .limit = LOOK_MESSAGES,
        .with_threads = true,
    };
    const struct gitter_request request = gitter_messages_request(arena, room->gitter_room, &page);
    struct call call =
        call_gitter(MSG_ROOM_LOOK_ENDED, &request, room_lane_out(turn, room), room->owner);
    call.ref = room_post_print(arena, post);
    if (post->read.len == 0) {
        call.not_before_ms =
            turn_now_ms(turn) + (post->looks == 0 ? FIRST_LOOK_MS : SECOND_LOOK_MS);
    }
    turn_call_instead(turn, &call);
}

/* The end of a post, or of a look that came while there was no room to tell what it found. */
void room_do_look(void *next, const struct msg *msg, struct turn *turn)
{
    struct room_post post = room_post_read(ended_of(msg)->ref);
    post.body = post.body.len > 0 ? post.body : ended_of(msg)->request;
    post.read = SLICE_EMPTY;
    post.looks = 0;
    look(turn, next, &post);
}

/* A post that was declared in this room is not among what was said before the room began. That may
 * stand for what was posted from a room before it, of which nothing is known any more. */
static bool is_of_before(const struct room *room,
                         const struct room_post *post,
                         const struct gitter_message *message)
{
    return slice_compare(post->cursor, room->since) >= 0 &&
           slice_compare(message->id, room->since) <= 0;
}

/* Ours is an own message with the same text that stands for nothing yet: neither for another post
 * of ours nor for a message that is or was brought over because the owner wrote it elsewhere. One
 * that came while this post was under way is held until it has ended, and may be ours; one that
 * came when another was under way may not. */
static bool is_lost_post(struct turn *turn,
                         const struct room *room,
                         const struct room_post *post,
                         const struct gitter_message *message,
                         struct slice text)
{
    struct slice value = SLICE_EMPTY;
    return !is_of_before(room, post, message) && slice_equal(message->from.id, room->gitter_user) &&
           slice_equal(message->text, text) &&
           (!turn_related(turn, RELATION_MESSAGE_MAP, room->matrix_room, message->id, &value) ||
            room_value_is_held_behind(value, room->ended));
}

/* `last` is the last message of a page behind which there may be more, else empty. */
static const struct gitter_message *find_lost_post(struct turn *turn,
                                                   const struct room *room,
                                                   const struct room_post *post,
                                                   const struct call_ended *ended,
                                                   struct slice *last)
{
    struct gitter_message *messages = NULL;
    struct json *posted = NULL;
    size_t count = 0;
    if (json_parse(turn_arena(turn), post->body, &posted) != RC_OK ||
        gitter_messages_parse(turn_arena(turn), ended->body, &messages, &count) != RC_OK) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_lost_post(turn, room, post, &messages[i], json_get_text(posted, SLICE("text")))) {
            return &messages[i];
        }
    }
    *last = count >= LOOK_MESSAGES ? messages[count - 1].id : SLICE_EMPTY;
    return NULL;
}

/* It is in neither look: Gitter does not have it. */
static void post_again(struct turn *turn, const struct room *room, struct room_post *post)
{
    const struct slice body = post->body;
    post->body = SLICE_EMPTY;
    post->looks = 0;
    post->repeats++;
    const struct call again = room_post_call(turn, room, body, post);
    turn_call_instead(turn, &again);
}

void room_do_compare(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct call_ended *ended = ended_of(msg);
    struct room_post post = room_post_read(ended->ref);
    if (!ended_is_done(msg)) { /* it may be there all the same: an edit would say it twice */
        room_drop_kept_change(turn, room, post.event_id);
        room_post_failed(turn, room, post.event_id, ended);
        return;
    }
    struct slice last = SLICE_EMPTY;
    const struct gitter_message *found = find_lost_post(turn, room, &post, ended, &last);
    if (found != NULL) {
        room_claim(turn, room, found->id,
                   room_own_value(turn_arena(turn), post.event_id, post.part));
        room_mark_read(turn, room, post.event_id);
        room_post_delivered(turn, room, post.event_id);
        return;
    }
    post.read = last;
    post.looks += last.len == 0;
    if (post.looks < LOOKS) {
        look(turn, room, &post);
    } else if (post.repeats < REPEATS_MAX) {
        post_again(turn, room, &post);
    } else { /* the messages behind it have waited for long enough */
        const struct call_ended silent = {.end = CALL_END_FAILED};
        room_post_failed(turn, room, post.event_id, &silent);
    }
}
