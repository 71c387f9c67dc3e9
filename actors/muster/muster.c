/* Compares the rooms of the homeserver with ours, both ways, and asks about each that differs. */
#include "actors/muster/muster.h"

#include "actors/chat/chat.h"
#include "actors/room/room.h"
#include "actors/space/space.h"
#include "codecs/ghostid.h"
#include "codecs/json.h"

#include <stdlib.h>

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        MUSTER_##FROM, MSG_MUSTER_##ON, muster_if_##GUARD, MUSTER_##TO, muster_do_##ACTION,        \
            #GUARD, #ACTION                                                                        \
    }
#define muster_if_always NULL
#define muster_do_nothing NULL

static fsm_guard muster_if_is_done, muster_if_is_pending, muster_if_is_over;
static fsm_action muster_do_begin, muster_do_begin_again, muster_do_list, muster_do_compare;
static fsm_action muster_do_take_invites;
static fsm_action muster_do_check, muster_do_judge_stray, muster_do_judge_missing, muster_do_leave;

static const char *const muster_states[] = {"IDLE", "LISTING", "CHECKING"};

// clang-format off
static const struct fsm_row muster_rows[] = {
    /*  from      on             guard       to        action         */
    ROW(IDLE,     BEGIN,         always,     LISTING,  begin),
    ROW(ANY,      BEGIN,         always,     SAME,     begin_again),
    ROW(LISTING,  ROOMS_ENDED,   is_done,    CHECKING, compare),
    ROW(LISTING,  ROOMS_ENDED,   always,     IDLE,     nothing),
    ROW(CHECKING, NEXT,          is_pending, CHECKING, nothing),
    ROW(CHECKING, NEXT,          is_over,    IDLE,     nothing),
    ROW(CHECKING, NEXT,          always,     LISTING,  list),
    ROW(CHECKING, PEOPLE_ENDED,  always,     CHECKING, leave),
    ROW(CHECKING, INVITES_ENDED, always,     CHECKING, take_invites),
    ROW(ANY,      DOUBT,         always,     SAME,     check),
    ROW(ANY,      CREATE_ENDED,  always,     SAME,     judge_stray),
    ROW(ANY,      MEMBERS_ENDED, always,     SAME,     judge_missing),
};

#define ALL_STATES (STATE_BIT(MUSTER_CHECKING + 1) - 1)
static const struct fsm_pairs muster_ignored[] = {
    /* a room that was doubted meanwhile */
    {MSG_MUSTER_NEXT, STATE_BIT(MUSTER_IDLE) | STATE_BIT(MUSTER_LISTING)},
    {MSG_MUSTER_LEAVE_ENDED, ALL_STATES},
};

static const struct fsm_pairs muster_refused[] = {
    {MSG_MUSTER_ROOMS_ENDED, STATE_BIT(MUSTER_IDLE) | STATE_BIT(MUSTER_CHECKING)},
    {MSG_MUSTER_PEOPLE_ENDED, STATE_BIT(MUSTER_IDLE) | STATE_BIT(MUSTER_LISTING)},
    {MSG_MUSTER_INVITES_ENDED, STATE_BIT(MUSTER_IDLE) | STATE_BIT(MUSTER_LISTING)},
};
// clang-format on

enum {
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404
};

static bool muster_if_is_done(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_done(msg);
}

static bool muster_if_is_pending(const void *state, const struct msg *msg)
{
    (void)msg;
    return ((const struct muster *)state)->pending > 0;
}

static bool muster_if_is_over(const void *state, const struct msg *msg)
{
    (void)msg;
    return ((const struct muster *)state)->phase == MUSTER_OVER;
}

/* Calls: one after the other, and behind what people wait for. */

static void call_homeserver(struct turn *turn,
                            const struct muster *muster,
                            int purpose,
                            const struct matrix_request *request,
                            struct slice matrix_room)
{
    struct call call = call_matrix(purpose, request, SLICE("muster"), muster->key);
    call.ref = matrix_room;
    call.is_catch_up = true;
    turn_call(turn, &call);
}

static void muster_do_list(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    const struct matrix_request request =
        matrix_joined_rooms_request(turn_arena(turn), SLICE_EMPTY);
    call_homeserver(turn, next, MSG_MUSTER_ROOMS_ENDED, &request, SLICE_EMPTY);
}

static void muster_do_begin_again(void *next, const struct msg *msg, struct turn *turn)
{
    struct muster *muster = next;
    (void)msg;
    (void)turn;
    muster->phase = MUSTER_STRAYS;
    muster->after = SLICE_EMPTY;
    muster->pages = 0;
}

static void muster_do_begin(void *next, const struct msg *msg, struct turn *turn)
{
    muster_do_begin_again(next, msg, turn);
    muster_do_list(next, msg, turn);
}

static void go_on(struct turn *turn, const struct muster *muster)
{
    turn_send(turn, (struct actor_ref){ACTOR_MUSTER, muster->key}, MSG_MUSTER_NEXT, &nothing);
}

static void count_answer(struct turn *turn, struct muster *muster)
{
    muster->pending -= muster->pending > 0 ? 1 : 0;
    go_on(turn, muster);
}

/* Asking about a room that differs */

static void ask_what(struct turn *turn, struct muster *muster, struct slice matrix_room)
{
    const struct matrix_request request = matrix_get_state_request(
        turn_arena(turn), matrix_room, SLICE("m.room.create"), SLICE_EMPTY);
    call_homeserver(turn, muster, MSG_MUSTER_CREATE_ENDED, &request, matrix_room);
    muster->pending++;
}

static void ask_who(struct turn *turn, struct muster *muster, int purpose, struct slice matrix_room)
{
    const struct matrix_request request =
        matrix_joined_members_request(turn_arena(turn), matrix_room, SLICE_EMPTY);
    call_homeserver(turn, muster, purpose, &request, matrix_room);
    muster->pending++;
}

static void ask_whether(struct turn *turn, struct muster *muster, struct slice matrix_room)
{
    ask_who(turn, muster, MSG_MUSTER_MEMBERS_ENDED, matrix_room);
}

static void ask_for_invites(struct turn *turn, struct muster *muster)
{
    const struct matrix_request request =
        matrix_notifications_request(turn_arena(turn), muster->after, MUSTER_INVITES_PAGE);
    call_homeserver(turn, muster, MSG_MUSTER_INVITES_ENDED, &request, SLICE_EMPTY);
    muster->pending++;
    muster->pages++;
}

void muster_doubt(struct turn *turn, struct slice matrix_room)
{
    const struct msg_chat doubt = {.room = matrix_room};
    turn_send(turn, (struct actor_ref){ACTOR_MUSTER, settings_of(turn)->bot}, MSG_MUSTER_DOUBT,
              &doubt);
}

static void muster_do_check(void *next, const struct msg *msg, struct turn *turn)
{
    ask_whether(turn, next, ((const struct msg_chat *)msg->body)->room);
}

/* Comparing */

struct comparison {
    struct turn *turn;
    struct muster *muster;
    struct slice *rooms; /* of the homeserver, sorted */
    size_t count;
    size_t looks;
};

static bool is_full(const struct comparison *comparison)
{
    return comparison->looks >= MUSTER_LOOKS_MAX ||
           comparison->muster->pending >= MUSTER_PENDING_MAX;
}

static void next_phase(struct muster *muster)
{
    muster->phase++;
    muster->after = SLICE_EMPTY;
    muster->pages = 0;
}

static bool is_known(struct turn *turn, struct slice matrix_room)
{
    struct actor_entry *rooms = NULL;
    int state = 0;
    if (turn_exists(turn, (struct actor_ref){ACTOR_CHAT, matrix_room}, &state)) {
        return state != CHAT_LEFT;
    }
    return turn_find(turn, ACTOR_ROOM, "matrix_room", matrix_room, &rooms) > 0 ||
           turn_find(turn, ACTOR_SPACE, "matrix_room", matrix_room, &rooms) > 0;
}

static void find_strays(struct comparison *comparison)
{
    struct muster *muster = comparison->muster;
    size_t i = 0;
    while (i < comparison->count && slice_compare(comparison->rooms[i], muster->after) <= 0) {
        i++;
    }
    for (; i < comparison->count && !is_full(comparison); i++) {
        comparison->looks++;
        muster->after = comparison->rooms[i];
        if (!is_known(comparison->turn, comparison->rooms[i])) {
            ask_what(comparison->turn, muster, comparison->rooms[i]);
        }
    }
    if (i == comparison->count) {
        next_phase(muster);
    }
}

static void look_at(struct comparison *comparison, struct slice matrix_room)
{
    comparison->looks++;
    if (comparison->count == 0 || bsearch(&matrix_room, comparison->rooms, comparison->count,
                                          sizeof matrix_room, slice_compare_items) == NULL) {
        ask_whether(comparison->turn, comparison->muster, matrix_room);
    }
}

static bool is_missed(const struct actor_entry *entry, bool is_room)
{
    return is_room ? room_state_has_feed(entry->state)
                   : entry->state == CHAT_PRIVATE || entry->state == CHAT_CHECKING;
}

static void find_missing(struct comparison *comparison)
{
    struct muster *muster = comparison->muster;
    const bool is_room = muster->phase == MUSTER_ROOMS;
    struct actor_entry *entries = NULL;
    const size_t count = turn_page(comparison->turn, is_room ? ACTOR_ROOM : ACTOR_CHAT,
                                   is_room ? "matrix_room" : "user", muster->after, &entries);
    for (size_t i = 0; i < count && !is_full(comparison); i++) {
        muster->after = entries[i].key;
        if (is_missed(&entries[i], is_room)) {
            look_at(comparison, is_room ? entries[i].value : entries[i].key);
        }
    }
    if (count == 0) {
        next_phase(muster);
    }
}

static void muster_do_compare(void *next, const struct msg *msg, struct turn *turn)
{
    struct muster *muster = next;
    struct comparison comparison = {.turn = turn, .muster = muster};
    if (matrix_joined_rooms_parse(turn_arena(turn), ended_of(msg)->body, &comparison.rooms,
                                  &comparison.count) != RC_OK) {
        muster->phase = MUSTER_OVER;
    }
    if (comparison.count > 1) {
        qsort(comparison.rooms, comparison.count, sizeof comparison.rooms[0], slice_compare_items);
    }
    while (muster->phase < MUSTER_INVITES && !is_full(&comparison)) {
        if (muster->phase == MUSTER_STRAYS) {
            find_strays(&comparison);
        } else {
            find_missing(&comparison);
        }
    }
    if (muster->phase == MUSTER_INVITES) {
        ask_for_invites(turn, muster);
    }
    go_on(turn, muster);
}

/* What came of asking */

/* Whoever of ours is in it goes as well: it is asked who that is. */
static void begin_to_leave(struct turn *turn, struct muster *muster, struct slice matrix_room)
{
    ask_who(turn, muster, MSG_MUSTER_PEOPLE_ENDED, matrix_room);
}

static void say_forgotten(struct turn *turn, const struct muster *muster, struct slice matrix_room)
{
    struct arena *arena = turn_arena(turn);
    const struct text_pair text = TEXT_PLAIN(arena, TEXT_ROOM_FORGOTTEN);
    const struct matrix_send send = {
        .room_id = matrix_room,
        .txn_id = turn_unique_id(turn),
        .content = matrix_notice_json(arena, text.plain, text.html),
    };
    const struct matrix_request request = matrix_send_request(arena, &send);
    call_homeserver(turn, muster, MSG_MUSTER_LEAVE_ENDED, &request, matrix_room);
}

static void leave_as(struct turn *turn,
                     const struct muster *muster,
                     struct slice matrix_room,
                     struct slice user)
{
    const struct matrix_request request = matrix_leave_request(turn_arena(turn), matrix_room, user);
    call_homeserver(turn, muster, MSG_MUSTER_LEAVE_ENDED, &request, matrix_room);
}

/* The bot is the last to go: while it is there, a start after this one finds the room again. */
static void muster_do_leave(void *next, const struct msg *msg, struct turn *turn)
{
    struct muster *muster = next;
    const struct call_ended *ended = ended_of(msg);
    struct slice *people = NULL;
    size_t count = 0;
    count_answer(turn, muster);
    if (!ended_is_done(msg) ||
        matrix_joined_members_parse(turn_arena(turn), ended->body, &people, &count) != RC_OK ||
        is_known(turn, ended->ref)) {
        return;
    }
    say_forgotten(turn, muster, ended->ref);
    for (size_t i = 0; i < count; i++) {
        if (ghostid_is_ghost(people[i], settings_of(turn)->domain)) {
            leave_as(turn, muster, ended->ref, people[i]);
        }
    }
    leave_as(turn, muster, ended->ref, SLICE_EMPTY);
    const struct matrix_request forget =
        matrix_forget_request(turn_arena(turn), ended->ref, SLICE_EMPTY);
    call_homeserver(turn, muster, MSG_MUSTER_LEAVE_ENDED, &forget, ended->ref);
}

/* It may be a private chat: the chat actor counts who is there, and leaves if it is none. */
static void
try_as_chat(struct turn *turn, struct muster *muster, struct slice matrix_room, struct slice user)
{
    const struct actor_ref chat = {ACTOR_CHAT, matrix_room};
    const struct msg_sender opened = {.sender = user};
    const struct settings *settings = settings_of(turn);
    int state = 0;
    if (turn_exists(turn, chat, &state)) {
        if (state == CHAT_LEFT) { /* it said so, and the homeserver has it in again */
            begin_to_leave(turn, muster, matrix_room);
        }
    } else if (user.len > 0 && settings->is_permitted(settings->permissions, user)) {
        turn_send(turn, chat, MSG_CHAT_OPENED, &opened);
    } else {
        turn_send(turn, chat, MSG_CHAT_FOUND, &nothing);
    }
}

/* A room made for the bridging of `key`, and not the one that is bridged. While that one is being
 * made this may be it: its own create event or the answer tells. */
static void
judge_bridged(struct turn *turn, struct muster *muster, struct slice matrix_room, struct slice key)
{
    int state = 0;
    if (!turn_exists(turn, (struct actor_ref){ACTOR_ROOM, key}, &state) ||
        room_state_has_feed(state)) {
        begin_to_leave(turn, muster, matrix_room);
    }
}

/* Others can forge the marker; what that does to their room is their affair. */
static void muster_do_judge_stray(void *next, const struct msg *msg, struct turn *turn)
{
    struct muster *muster = next;
    const struct call_ended *ended = ended_of(msg);
    struct json *content = NULL;
    count_answer(turn, muster);
    if (!ended_is_done(msg) || json_parse(turn_arena(turn), ended->body, &content) != RC_OK ||
        is_known(turn, ended->ref)) {
        return;
    }
    const struct slice marker = json_get_text(content, SLICE(MATRIX_MARKER_ROOM));
    if (slice_find_byte(marker, '|') < marker.len) {
        judge_bridged(turn, muster, ended->ref, marker);
    } else {
        try_as_chat(turn, muster, ended->ref, marker);
    }
}

static void muster_do_judge_missing(void *next, const struct msg *msg, struct turn *turn)
{
    struct muster *muster = next;
    const struct call_ended *ended = ended_of(msg);
    struct actor_entry *rooms = NULL;
    count_answer(turn, muster);
    if (ended->status != HTTP_FORBIDDEN && ended->status != HTTP_NOT_FOUND) {
        return;
    }
    if (turn_find(turn, ACTOR_ROOM, "matrix_room", ended->ref, &rooms) > 0) {
        const struct msg_unbridge unbridge = {.again = true, .is_lost = true};
        turn_send(turn, (struct actor_ref){ACTOR_ROOM, rooms[0].key}, MSG_ROOM_UNBRIDGE, &unbridge);
    } else {
        const struct msg_member gone = {
            .user = settings_of(turn)->bot, .membership = SLICE("leave"), .is_bot = true};
        turn_send(turn, (struct actor_ref){ACTOR_CHAT, ended->ref}, MSG_CHAT_MEMBER, &gone);
    }
}

/* False when one of them is known or too old: so are those behind it. */
static bool take_invites(struct turn *turn, const struct matrix_invites *invites)
{
    const int64_t oldest_ms =
        turn_now_ms(turn) - MUSTER_INVITE_DAYS_MAX * 24 * INT64_C(3600) * 1000;
    bool goes_on = true;
    for (size_t i = 0; i < invites->count; i++) {
        const struct matrix_invite *invite = &invites->invites[i];
        if (invite->time_ms >= oldest_ms && turn_take_event(turn, invite->event_id)) {
            chat_tell_invited(turn, invite->room_id, invite->sender, false);
        } else {
            goes_on = false;
        }
    }
    return goes_on;
}

static void muster_do_take_invites(void *next, const struct msg *msg, struct turn *turn)
{
    struct muster *muster = next;
    const struct call_ended *ended = ended_of(msg);
    struct matrix_invites invites = {0};
    const bool goes_on =
        ended_is_done(msg) &&
        matrix_invites_parse(turn_arena(turn), ended->body, muster->key, &invites) == RC_OK &&
        take_invites(turn, &invites);
    if (muster->phase == MUSTER_INVITES && goes_on && invites.next.len > 0 &&
        muster->pages < MUSTER_PAGES_MAX) {
        muster->after = invites.next;
        ask_for_invites(turn, muster);
    } else if (muster->phase == MUSTER_INVITES) { /* else it has begun again meanwhile */
        next_phase(muster);
    }
    count_answer(turn, muster);
}

FIELD_RECORD(muster, MUSTER_FIELDS);

const struct fsm muster_fsm = {
    .kind = ACTOR_MUSTER,
    .name = "muster",
    .table = "musters",
    .states = muster_states,
    .states_count = MACHINE_COUNT(muster_states),
    .first = MUSTER_IDLE,
    .last = FSM_STATE_NONE,
    .rows = muster_rows,
    .rows_count = MACHINE_COUNT(muster_rows),
    .ignored = muster_ignored,
    .ignored_count = MACHINE_COUNT(muster_ignored),
    .refused = muster_refused,
    .refused_count = MACHINE_COUNT(muster_refused),
    .record = &muster_record,
    .key_offset = offsetof(struct muster, key),
};
