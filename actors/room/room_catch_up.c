/* Reading from Gitter what was missed: in snapshots of the live channel, and in pages when those do
 * not reach back to the cursor.
 *
 * Of a very long gap only the newest `catch_up_messages` are brought. Whether there are more is
 * asked when a first page is full: the list from the newest back, less so many, begins behind the
 * cursor or in front of it. Of what was put off since too much waited for the homeserver nothing is
 * left out. */
#include "actors/room/room.h"

#include "actors/face/face.h"
#include "codecs/url.h"

enum {
    SNAPSHOT_MESSAGES = 30,
    PAGE_MESSAGES = 100,
    /* A message with a smaller id can become visible this much later than one with a greater. */
    OVERLAP_MS = 10 * 1000,
    READ_AGAIN_MS = 30 * 1000,
    /* Gitter itself remembers for so long who may read a room. */
    READ_SHUT_MS = 5 * 60 * 1000,
    /* Requests are counted, 100 a minute for all rooms of an owner: reading takes half of them. */
    POLL_MS = 30 * 1000,
    POLL_ROOM_MS = 1200,
};

/* Where to page from: a little before the cursor, but not in a room that was quiet for so long that
 * nobody remembers any more which messages were brought over. */
static struct slice read_from(struct turn *turn, const struct room *room)
{
    const int64_t age_ms = turn_now_ms(turn) - gitter_id_time_ms(room->cursor);
    const int64_t remembered_ms = (int64_t)24 * 60 * 60 * 1000;
    return age_ms < remembered_ms ? gitter_id_before(turn_arena(turn), room->cursor, OVERLAP_MS)
                                  : room->cursor;
}

/* What a page is, as the ref of its call. */
static const struct slice first_page = SLICE_INIT("first");
static const struct slice next_page = SLICE_INIT("");
static const struct slice probe = SLICE_INIT("probe");

static void
read_page(struct turn *turn, struct room *room, const struct gitter_page *page, struct slice what)
{
    const struct gitter_request request =
        gitter_messages_request(turn_arena(turn), room->gitter_room, page);
    struct call call =
        call_gitter(MSG_ROOM_CATCH_UP_ENDED, &request, room_lane_read(turn, room), room->owner);
    call.ref = what;
    call.is_catch_up = true;
    turn_call(turn, &call);
    room->is_reading = true;
}

static void read_after(struct turn *turn, struct room *room, struct slice after, struct slice what)
{
    const struct gitter_page page = {
        .after_id = after, .limit = PAGE_MESSAGES, .with_threads = true};
    read_page(turn, room, &page, what);
}

/* The message in front of the newest that are to be brought at the most. */
static void read_probe(struct turn *turn, struct room *room)
{
    const struct gitter_page page = {
        .skip = settings_of(turn)->catch_up_messages, .limit = 1, .with_threads = true};
    read_page(turn, room, &page, probe);
}

/* The beginning: "begin|<life>". */
static const struct slice begin_mark = SLICE_INIT("begin|");

void room_read_beginning(struct turn *turn, const struct room *room)
{
    const struct gitter_page page = {.limit = 1, .with_threads = true};
    const struct gitter_request request =
        gitter_messages_request(turn_arena(turn), room->gitter_room, &page);
    struct call call =
        call_gitter(MSG_ROOM_CATCH_UP_ENDED, &request, room_lane_read(turn, room), room->owner);
    call.ref =
        arena_printf(turn_arena(turn), "%.*s%.*s", SLICE_ARGS(begin_mark), SLICE_ARGS(room->life));
    call.is_catch_up = !room->is_asked;
    turn_call(turn, &call);
}

bool room_page_is_beginning(const struct call_ended *ended)
{
    return slice_starts_with(ended->ref, begin_mark);
}

/* In an empty room all is new. */
static void take_beginning(struct turn *turn, struct room *room, const struct call_ended *ended)
{
    struct gitter_message *messages = NULL;
    size_t count = 0;
    const bool is_ours = room->matrix_room.len == 0 &&
                         slice_equal(slice_from(ended->ref, begin_mark.len), room->life);
    if (is_ours && ended->end == CALL_END_DONE &&
        gitter_messages_parse(turn_arena(turn), ended->body, &messages, &count) == RC_OK) {
        room->since = count > 0 ? messages[count - 1].id : SLICE("000000000000000000000000");
        room->cursor = room->since;
    }
}

static int64_t poll_pause_ms(struct turn *turn, const struct room *room)
{
    struct actor_entry *rooms = NULL;
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", room->owner, &rooms);
    const int64_t fair_ms = (int64_t)count * POLL_ROOM_MS;
    return fair_ms > POLL_MS ? fair_ms : POLL_MS;
}

static void read_later(struct turn *turn, struct room *room)
{
    room->is_behind = true;
    room->deadline_ms = turn_now_ms(turn) + READ_AGAIN_MS;
}

bool room_puts_off(struct turn *turn, struct room *room)
{
    if (!is_crowded(turn, room->owner)) {
        return false;
    }
    room->is_crowded = true;
    read_later(turn, room);
    return true;
}

static void read_first(struct turn *turn, struct room *room)
{
    if (room->is_polling) {
        room->deadline_ms = turn_now_ms(turn) + poll_pause_ms(turn, room);
    }
    if (room->is_reading) {
        room->is_behind = true;
        return;
    }
    if (room_puts_off(turn, room)) {
        return;
    }
    room->is_behind = false;
    read_after(turn, room, read_from(turn, room), room->is_crowded ? next_page : first_page);
}

void room_goes_on(struct turn *turn, struct room *room)
{
    if (room->is_crowded && room->is_behind && !room->is_reading && is_roomy(turn, room->owner)) {
        read_first(turn, room);
    }
}

void room_do_read(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    read_first(turn, next);
}

/* Gitter does not let us read the room: told once, and tried again every now and then. What came
 * meanwhile is read when it does. */
static void shut(struct turn *turn, struct room *room, struct slice why)
{
    if (!room->is_shut) {
        ROOM_NOTICE(turn, room, SLICE_EMPTY, TEXT_ROOM_GONE, {"why", why});
    }
    room->is_shut = true;
    room->is_behind = true;
    room->deadline_ms = turn_now_ms(turn) + READ_SHUT_MS;
}

static bool open_again(struct turn *turn, struct room *room)
{
    const bool was_shut = room->is_shut;
    if (was_shut) {
        ROOM_NOTICE(turn, room, SLICE_EMPTY, TEXT_ROOM_BACK, {"room", room->label});
    }
    room->is_shut = false;
    return was_shut;
}

static void take_failure(struct turn *turn, struct room *room, const struct call_ended *ended)
{
    if (ended->status == 403 || ended->status == 404) {
        shut(turn, room, why_failed(turn_arena(turn), ended));
    } else if (slice_equal(ended->ref, probe) && ended->status == 400) {
        read_after(turn, room, read_from(turn, room), next_page);
    } else {
        read_later(turn, room);
    }
}

/* If there is a message behind the cursor in front of the newest that are to be brought, so many
 * and more were missed: what lies between is left out. */
static void take_probe(struct turn *turn,
                       struct room *room,
                       const struct gitter_message *messages,
                       size_t count)
{
    struct arena *arena = turn_arena(turn);
    if (count == 0 || slice_compare(messages[0].id, room->cursor) <= 0) {
        read_after(turn, room, read_from(turn, room), next_page);
        return;
    }
    const struct settings *settings = settings_of(turn);
    const struct slice most = arena_printf(arena, "%lld", (long long)settings->catch_up_messages);
    ROOM_NOTICE(turn, room, SLICE_EMPTY, TEXT_CATCH_UP_CUT, {"count", most},
                {"link", url_join(arena, settings->gitter_url, room->label)});
    room->cursor = messages[0].id;
    read_after(turn, room, room->cursor, next_page);
}

static void take_messages(struct turn *turn,
                          struct room *room,
                          const struct gitter_message *messages,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (room_puts_off(turn, room)) {
            return;
        }
        room_relay_read(turn, room, &messages[i]);
    }
    if (count >= PAGE_MESSAGES) {
        read_after(turn, room, messages[count - 1].id, next_page);
    } else if (room->is_behind) {
        read_first(turn, room);
    } else {
        room->is_crowded = false;
    }
}

void room_do_take_page(void *next, const struct msg *msg, struct turn *turn)
{
    struct room *room = next;
    const struct call_ended *ended = ended_of(msg);
    struct gitter_message *messages = NULL;
    size_t count = 0;
    if (room_page_is_beginning(ended)) {
        take_beginning(turn, room, ended);
        return;
    }
    room->is_reading = false;
    if (!ended_is_done(msg) ||
        gitter_messages_parse(turn_arena(turn), ended->body, &messages, &count) != RC_OK) {
        take_failure(turn, room, ended);
        return;
    }
    if (open_again(turn, room)) {
        room_tell_feed(turn, room, MSG_FEED_ROOM_ADDED); /* it may have been refused as well */
    }
    if (slice_equal(ended->ref, probe)) {
        take_probe(turn, room, messages, count);
    } else if (slice_equal(ended->ref, first_page) && count >= PAGE_MESSAGES &&
               settings_of(turn)->catch_up_messages > 0) {
        read_probe(turn, room);
    } else {
        take_messages(turn, room, messages, count);
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
            .avatar = from->avatar_url,
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
        shut(turn, room, text_template(why));
    } else if (slice_starts_with(error, SLICE("lost"))) {
        if (!room->is_polling) {
            room->is_polling = true;
            read_first(turn, room);
        }
    } else {
        room_tell_feed(turn, room, MSG_FEED_ROOM_ADDED);
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
    (void)open_again(turn, room);
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
        read_first(turn, room);
        return;
    }
    const struct slice from = read_from(turn, room);
    for (size_t i = 0; i < count && !room_puts_off(turn, room); i++) {
        if (slice_compare(messages[i].id, from) > 0) {
            room_relay_read(turn, room, &messages[i]);
        }
    }
}
