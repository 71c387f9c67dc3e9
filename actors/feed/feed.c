/* The connection to Gitter of one owner: wanted while they are logged in, opened again with growing
 * pauses when it fails, and told about each bridged room whenever it comes up. */
#include "actors/feed/feed.h"

#include "actors/room/room.h"
#include "codecs/bayeux.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        FEED_##FROM, MSG_FEED_##ON, feed_if_##GUARD, FEED_##TO, feed_do_##ACTION, #GUARD, #ACTION  \
    }
#define feed_if_always NULL
#define feed_do_nothing NULL

static fsm_guard feed_if_is_refused, feed_if_is_current;
static fsm_action feed_do_tell_room_lost;
static fsm_action feed_do_open, feed_do_close, feed_do_subscribe_all, feed_do_report_refusal;
static fsm_action feed_do_back_off, feed_do_catch_up_all, feed_do_subscribe, feed_do_unsubscribe,
    feed_do_resume;

static const char *const feed_states[] = {"OFF", "CONNECTING", "LIVE", "WAITING"};

// clang-format off
static const struct fsm_row feed_rows[] = {
    /*  from        on            guard       to          action          */
    ROW(OFF,        START,        always,     CONNECTING, open),
    ROW(CONNECTING, UP,           always,     LIVE,       subscribe_all),
    ROW(CONNECTING, DOWN,         is_refused, OFF,        report_refusal),
    ROW(CONNECTING, DOWN,         always,     WAITING,    back_off),
    ROW(LIVE,       DOWN,         is_current, WAITING,    back_off),
    ROW(LIVE,       GAP,          is_current, LIVE,       catch_up_all),
    ROW(LIVE,       ROOM_ADDED,   always,     LIVE,       subscribe),
    ROW(LIVE,       ROOM_REMOVED, always,     LIVE,       unsubscribe),
    ROW(WAITING,    ROOM_ADDED,   always,     WAITING,    tell_room_lost),
    ROW(WAITING,    DEADLINE,     always,     CONNECTING, open),
    ROW(WAITING,    RETRY,        always,     CONNECTING, open),
    ROW(CONNECTING, BEGUN_ANEW,   always,     WAITING,    resume),
    ROW(LIVE,       BEGUN_ANEW,   always,     WAITING,    resume),
    ROW(WAITING,    BEGUN_ANEW,   always,     WAITING,    resume),
    ROW(ANY,        STOP,         always,     OFF,        close),
};

#define NOT_LIVE (STATE_BIT(FEED_OFF) | STATE_BIT(FEED_CONNECTING) | STATE_BIT(FEED_WAITING))
static const struct fsm_pairs feed_ignored[] = {
    {MSG_FEED_START, STATE_BIT(FEED_CONNECTING) | STATE_BIT(FEED_LIVE) | STATE_BIT(FEED_WAITING)},
    {MSG_FEED_UP, STATE_BIT(FEED_OFF) | STATE_BIT(FEED_WAITING)},
    {MSG_FEED_DOWN, STATE_BIT(FEED_OFF) | STATE_BIT(FEED_LIVE) | STATE_BIT(FEED_WAITING)},
    {MSG_FEED_GAP, NOT_LIVE | STATE_BIT(FEED_LIVE)},
    /* the rooms are looked up when the link comes up */
    {MSG_FEED_ROOM_ADDED, STATE_BIT(FEED_OFF) | STATE_BIT(FEED_CONNECTING)},
    {MSG_FEED_ROOM_REMOVED, NOT_LIVE},
    {MSG_FEED_BEGUN_ANEW, STATE_BIT(FEED_OFF)},
    {MSG_FEED_RETRY, STATE_BIT(FEED_OFF) | STATE_BIT(FEED_CONNECTING) | STATE_BIT(FEED_LIVE)},
};

static const struct fsm_pairs feed_refused[] = {
    {MSG_FEED_UP, STATE_BIT(FEED_LIVE)},
    {MSG_FEED_DEADLINE, STATE_BIT(FEED_OFF) | STATE_BIT(FEED_CONNECTING) | STATE_BIT(FEED_LIVE)},
};
// clang-format on

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_LAST_MS = 5 * 60 * 1000,
    RETRY_DOUBLINGS = 9,
    /* After a restart all links come back within this time, not at once. */
    RESUME_SPREAD_MS = 2000,
};

/* Guards */

static bool feed_if_is_refused(const void *state, const struct msg *msg)
{
    (void)state;
    return slice_equal(((const struct msg_link_down *)msg->body)->why, SLICE("REFUSED"));
}

static bool feed_if_is_current(const void *state, const struct msg *msg)
{
    const struct feed *feed = state;
    const int64_t session = msg->kind == MSG_FEED_DOWN
                                ? ((const struct msg_link_down *)msg->body)->session
                                : ((const struct msg_link *)msg->body)->session;
    return feed->session == session;
}

/* Orders */

static void order(struct turn *turn, const struct feed *feed, enum link_verb verb)
{
    turn_link(turn, &(struct link_order){.verb = verb, .owner = feed->key});
}

static void feed_do_open(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    ((struct feed *)next)->deadline_ms = 0;
    order(turn, next, LINK_OPEN);
}

static void feed_do_close(void *next, const struct msg *msg, struct turn *turn)
{
    struct feed *feed = next;
    (void)msg;
    *feed = (struct feed){.key = feed->key};
    order(turn, feed, LINK_CLOSE);
}

/* The snapshot that comes with the messages tells a room whether it is level, mostly without a
 * request of its own: requests are counted, 100 a minute. */
static void subscribe_room(struct turn *turn, const struct feed *feed, struct slice gitter_room)
{
    turn_link(turn, &(struct link_order){
                        .verb = LINK_SUBSCRIBE,
                        .owner = feed->key,
                        .channel = bayeux_room_messages_channel(turn_arena(turn), gitter_room),
                        .snapshot = SLICE("{\"limit\":30,\"includeThreads\":true}"),
                    });
    turn_link(turn, &(struct link_order){
                        .verb = LINK_SUBSCRIBE,
                        .owner = feed->key,
                        .channel = bayeux_room_people_channel(turn_arena(turn), gitter_room),
                    });
}

static void feed_do_subscribe(void *next, const struct msg *msg, struct turn *turn)
{
    subscribe_room(turn, next, ((const struct msg_room *)msg->body)->gitter_room);
}

static void feed_do_unsubscribe(void *next, const struct msg *msg, struct turn *turn)
{
    const struct feed *feed = next;
    const struct slice gitter_room = ((const struct msg_room *)msg->body)->gitter_room;
    const struct slice channels[] = {bayeux_room_messages_channel(turn_arena(turn), gitter_room),
                                     bayeux_room_people_channel(turn_arena(turn), gitter_room)};
    for (size_t i = 0; i < MACHINE_COUNT(channels); i++) {
        turn_link(turn, &(struct link_order){
                            .verb = LINK_UNSUBSCRIBE, .owner = feed->key, .channel = channels[i]});
    }
}

static void feed_do_subscribe_all(void *next, const struct msg *msg, struct turn *turn)
{
    struct feed *feed = next;
    const struct msg_link_up *up = msg->body;
    struct actor_entry *rooms = NULL;
    feed->session = up->session;
    feed->failures = 0;
    if (up->gitter_user.len > 0) {
        turn_link(turn, &(struct link_order){
                            .verb = LINK_SUBSCRIBE,
                            .owner = feed->key,
                            .channel = bayeux_user_rooms_channel(turn_arena(turn), up->gitter_user),
                        });
    }
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", feed->key, &rooms);
    for (size_t i = 0; i < count; i++) {
        if (room_state_has_feed(rooms[i].state)) {
            subscribe_room(turn, feed, room_key_gitter_room(rooms[i].key));
        }
    }
}

static void feed_do_catch_up_all(void *next, const struct msg *msg, struct turn *turn)
{
    const struct feed *feed = next;
    struct actor_entry *rooms = NULL;
    (void)msg;
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", feed->key, &rooms);
    for (size_t i = 0; i < count; i++) {
        if (room_state_has_feed(rooms[i].state)) {
            turn_send(turn, (struct actor_ref){ACTOR_ROOM, rooms[i].key}, MSG_ROOM_BEHIND,
                      &nothing);
        }
    }
}

/* Failures */

static void feed_do_report_refusal(void *next, const struct msg *msg, struct turn *turn)
{
    struct feed *feed = next;
    (void)msg;
    *feed = (struct feed){.key = feed->key};
    turn_send(turn, (struct actor_ref){ACTOR_USER, feed->key}, MSG_USER_TOKEN_REFUSED, &nothing);
}

/* A pause between half of `most` and all of it, so that a server that comes back is not met by
 * everybody at once. */
static int64_t jittered(struct turn *turn, int64_t most)
{
    uint32_t random = 0;
    turn_random(turn, &random, sizeof random);
    return most / 2 + (int64_t)(random % (uint32_t)(most / 2 + 1));
}

/* Rooms go on without a live channel when the first try to get it back has failed too. */
static const struct msg_subscribed lost = {.error = SLICE_INIT("lost")};

static void feed_do_tell_room_lost(void *next, const struct msg *msg, struct turn *turn)
{
    const struct feed *feed = next;
    const struct slice key =
        key_of_room(turn_arena(turn), feed->key, ((const struct msg_room *)msg->body)->gitter_room);
    turn_send(turn, (struct actor_ref){ACTOR_ROOM, key}, MSG_ROOM_SUBSCRIBED, &lost);
}

static void tell_lost(struct turn *turn, const struct feed *feed)
{
    struct actor_entry *rooms = NULL;
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", feed->key, &rooms);
    for (size_t i = 0; i < count; i++) {
        if (room_state_has_feed(rooms[i].state)) {
            turn_send(turn, (struct actor_ref){ACTOR_ROOM, rooms[i].key}, MSG_ROOM_SUBSCRIBED,
                      &lost);
        }
    }
}

static void feed_do_back_off(void *next, const struct msg *msg, struct turn *turn)
{
    struct feed *feed = next;
    const struct msg_link_down *down = msg->body;
    const int64_t doublings = feed->failures < RETRY_DOUBLINGS ? feed->failures : RETRY_DOUBLINGS;
    const int64_t doubled = (int64_t)RETRY_FIRST_MS << doublings;
    int64_t pause_ms = jittered(turn, doubled < RETRY_LAST_MS ? doubled : RETRY_LAST_MS);
    if (down->retry_ms > pause_ms && down->retry_ms < RETRY_LAST_MS) {
        pause_ms = down->retry_ms;
    }
    if (feed->failures > 0) {
        tell_lost(turn, feed);
    }
    if (feed->failures == 1) { /* not for one that comes back at once, and once for the others */
        NOTE_TROUBLE(turn, feed->key, TEXT_TROUBLE_LINK,
                     {"why", down->detail.len > 0 ? down->detail : down->why});
    }
    feed->failures++;
    feed->session = 0;
    feed->deadline_ms = turn_now_ms(turn) + pause_ms;
}

static void feed_do_resume(void *next, const struct msg *msg, struct turn *turn)
{
    struct feed *feed = next;
    (void)msg;
    feed->session = 0;
    feed->failures = 0;
    feed->deadline_ms = turn_now_ms(turn) + jittered(turn, RESUME_SPREAD_MS) - RESUME_SPREAD_MS / 2;
    /* a deadline that was over when the process began may have been before us: a link that is open
     * already would never be said to be up again */
    order(turn, feed, LINK_CLOSE);
}

FIELD_RECORD(feed, FEED_FIELDS);

const struct fsm feed_fsm = {
    .kind = ACTOR_FEED,
    .name = "feed",
    .table = "feeds",
    .states = feed_states,
    .states_count = MACHINE_COUNT(feed_states),
    .first = FEED_OFF,
    .last = FSM_STATE_NONE,
    .rows = feed_rows,
    .rows_count = MACHINE_COUNT(feed_rows),
    .ignored = feed_ignored,
    .ignored_count = MACHINE_COUNT(feed_ignored),
    .refused = feed_refused,
    .refused_count = MACHINE_COUNT(feed_refused),
    .record = &feed_record,
    .key_offset = offsetof(struct feed, key),
    .deadline_offset = offsetof(struct feed, deadline_ms),
    .deadline_message = MSG_FEED_DEADLINE,
};
