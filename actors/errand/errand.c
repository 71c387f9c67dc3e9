/* One command that takes several steps. It begins with the rooms the user is in, and asks Gitter
 * further only about what is not among them: a name there may be a room's or a person's, and asking
 * Gitter to resolve a person's name makes a one-to-one room at once, so people are looked up first
 * and the user is asked. */
#include "actors/errand/errand.h"

#include "codecs/url.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        ERRAND_##FROM, MSG_ERRAND_##ON, errand_if_##GUARD, ERRAND_##TO, errand_do_##ACTION,        \
            #GUARD, #ACTION                                                                        \
    }
#define errand_if_always NULL
#define errand_do_nothing NULL

static fsm_guard errand_if_is_done, errand_if_is_absent, errand_if_is_out, errand_if_is_search;
static fsm_guard errand_if_to_look, errand_if_to_resolve, errand_if_to_join, errand_if_to_part,
    errand_if_to_stop;
static fsm_action errand_do_fetch_rooms, errand_do_look, errand_do_resolve, errand_do_join,
    errand_do_part;
static fsm_action errand_do_ask, errand_do_use_room, errand_do_say_joined, errand_do_say_parted;
static fsm_action errand_do_say_failed, errand_do_drop_calls, errand_do_end, errand_do_keep,
    errand_do_hand_back;

static const char *const errand_states[] = {"LISTING",   "LOOKING", "ASKING",
                                            "RESOLVING", "JOINING", "PARTING",
                                            "SEARCHING", "WAITING", "DONE"};

// clang-format off
static const struct fsm_row errand_rows[] = {
    /*  from       on             guard       to         action       */
    ROW(LISTING,   BEGIN,         is_search,  SEARCHING, search),
    ROW(LISTING,   BEGIN,         always,     LISTING,   fetch_rooms),
    ROW(LISTING,   WAIT,          always,     WAITING,   keep),
    ROW(WAITING,   DUE,           always,     DONE,      hand_back),
    ROW(LISTING,   ROOMS_ENDED,   is_done,    LISTING,   use_rooms),
    ROW(LISTING,   ROOMS_ENDED,   always,     DONE,      say_failed),
    ROW(LISTING,   NEXT,          to_look,    LOOKING,   look),
    ROW(LISTING,   NEXT,          to_resolve, RESOLVING, resolve),
    ROW(LISTING,   NEXT,          to_part,    PARTING,   part),
    ROW(RESOLVING, NEXT,          to_join,    JOINING,   join),
    ROW(RESOLVING, NEXT,          to_stop,    DONE,      end),
    ROW(LISTING,   NEXT,          always,     DONE,      end),
    ROW(LOOKING,   PERSON_ENDED,  is_done,    ASKING,    ask),
    ROW(LOOKING,   PERSON_ENDED,  is_absent,  RESOLVING, resolve),
    ROW(LOOKING,   PERSON_ENDED,  always,     DONE,      say_failed),
    ROW(ASKING,    CONFIRMED,     always,     RESOLVING, resolve),
    ROW(RESOLVING, RESOLVE_ENDED, is_done,    RESOLVING, use_room),
    ROW(RESOLVING, RESOLVE_ENDED, always,     DONE,      say_failed),
    ROW(JOINING,   JOIN_ENDED,    is_done,    DONE,      say_joined),
    ROW(JOINING,   JOIN_ENDED,    always,     DONE,      say_failed),
    ROW(PARTING,   PART_ENDED,    is_out,     DONE,      say_parted),
    ROW(PARTING,   PART_ENDED,    always,     DONE,      say_failed),
    ROW(SEARCHING, SEARCH_ENDED,  is_done,    DONE,      show_found),
    ROW(SEARCHING, SEARCH_ENDED,  always,     DONE,      say_no_search),
    ROW(ANY,       CANCELLED,     always,     DONE,      drop_calls),
    ROW(ANY,       DEADLINE,      always,     DONE,      nothing),
};

#define ALL_STATES (STATE_BIT(ERRAND_DONE + 1) - 1)
#define BUT(state) (ALL_STATES & ~STATE_BIT(state))
static const struct fsm_pairs errand_ignored[] = {
    /* the step that was asked for before it has begun */
    {MSG_ERRAND_NEXT, BUT(ERRAND_LISTING)},
    /* answered twice, or too late */
    {MSG_ERRAND_CONFIRMED, BUT(ERRAND_ASKING)},
    /* cancelled while a call was under way that could not be taken back */
    {MSG_ERRAND_ROOMS_ENDED, STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_PERSON_ENDED, STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_RESOLVE_ENDED, STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_JOIN_ENDED, STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_PART_ENDED, STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_SEARCH_ENDED, STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_DUE, STATE_BIT(ERRAND_DONE)},
};

static const struct fsm_pairs errand_refused[] = {
    {MSG_ERRAND_BEGIN, BUT(ERRAND_LISTING)},
    {MSG_ERRAND_WAIT, BUT(ERRAND_LISTING)},
    {MSG_ERRAND_DUE, BUT(ERRAND_WAITING) - STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_SEARCH_ENDED, BUT(ERRAND_SEARCHING) - STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_ROOMS_ENDED, BUT(ERRAND_LISTING) - STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_PERSON_ENDED, BUT(ERRAND_LOOKING) - STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_RESOLVE_ENDED, BUT(ERRAND_RESOLVING) - STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_JOIN_ENDED, BUT(ERRAND_JOINING) - STATE_BIT(ERRAND_DONE)},
    {MSG_ERRAND_PART_ENDED, BUT(ERRAND_PARTING) - STATE_BIT(ERRAND_DONE)},
};
// clang-format on

/* A question that nobody answers is let go. */
enum {
    QUESTION_LIFE_MS = 60 * 60 * 1000
};

/* Guards */

static bool errand_if_is_done(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_done(msg);
}

static bool errand_if_is_search(const void *state, const struct msg *msg)
{
    (void)state;
    return slice_equal(((const struct msg_errand *)msg->body)->verb, SLICE("search"));
}

static bool errand_if_is_absent(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_of(msg)->status == 404;
}

/* Gitter answers 404 to somebody who is not in the room: that is what was asked for. */
static bool errand_if_is_out(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_done(msg) || ended_of(msg)->status == 404;
}

static bool next_is(const struct msg *msg, struct slice what)
{
    return slice_equal(((const struct msg_text *)msg->body)->text, what);
}

static bool errand_if_to_look(const void *state, const struct msg *msg)
{
    (void)state;
    return next_is(msg, SLICE("look"));
}

static bool errand_if_to_resolve(const void *state, const struct msg *msg)
{
    (void)state;
    return next_is(msg, SLICE("resolve"));
}

static bool errand_if_to_join(const void *state, const struct msg *msg)
{
    (void)state;
    return next_is(msg, SLICE("join"));
}

static bool errand_if_to_stop(const void *state, const struct msg *msg)
{
    (void)state;
    return next_is(msg, SLICE("stop"));
}

static bool errand_if_to_part(const void *state, const struct msg *msg)
{
    (void)state;
    return next_is(msg, SLICE("part"));
}

/* Helpers */

bool errand_is(const struct errand *errand, struct slice verb)
{
    return slice_equal(errand->verb, verb);
}

void errand_say(struct turn *turn, const struct errand *errand, const struct text_pair *text)
{
    tell_user(turn, errand->user, text);
}

/* Commands wait for those before them, not for what nobody asked for. */
static struct slice errand_lane(struct arena *arena, const struct errand *errand)
{
    return lane_of(arena, errand_is(errand, SLICE("review")) ? "user-review" : "user",
                   errand->user);
}

void errand_call(struct turn *turn,
                 const struct errand *errand,
                 int purpose,
                 const struct gitter_request *request)
{
    struct call call =
        call_gitter(purpose, request, errand_lane(turn_arena(turn), errand), errand->user);
    /* resolving, joining and leaving twice is the same as once */
    call.repeat = CALL_REPEAT_FREELY;
    if (errand_is(errand, SLICE("review"))) { /* nobody waits for it */
        call.is_catch_up = true;
    } else {
        call.patience_ms = CALL_PATIENCE_MS;
    }
    call.ref = errand->key;
    turn_call(turn, &call);
}

void errand_go_on(struct turn *turn, const struct errand *errand, int kind, struct slice text)
{
    const struct msg_text next = {.text = text};
    turn_send(turn, (struct actor_ref){ACTOR_ERRAND, errand->key}, kind, &next);
}

void errand_over(struct turn *turn, const struct errand *errand)
{
    const struct msg_text over = {.text = errand->key};
    turn_send(turn, (struct actor_ref){ACTOR_USER, errand->user}, MSG_USER_ERRAND_OVER, &over);
}

/* Steps */

static void errand_do_keep(void *next, const struct msg *msg, struct turn *turn)
{
    struct errand *errand = next;
    const struct msg_errand *begin = msg->body;
    (void)turn;
    errand->user = begin->user;
    errand->verb = begin->verb;
    errand->argument = begin->argument;
    errand->numbers = begin->numbers;
    errand->gitter_user = begin->gitter_user;
    errand->gitter_name = begin->gitter_name;
    errand->page = begin->page;
}

/* It is the user's turn again to see what it is. */
static void errand_do_hand_back(void *next, const struct msg *msg, struct turn *turn)
{
    const struct errand *errand = next;
    const struct msg_command command = {
        .verb = errand->verb, .argument = errand->argument, .is_due = true};
    (void)msg;
    turn_send(turn, (struct actor_ref){ACTOR_USER, errand->user}, MSG_USER_COMMAND, &command);
}

static void errand_do_end(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    errand_over(turn, next);
}

static void errand_do_fetch_rooms(void *next, const struct msg *msg, struct turn *turn)
{
    struct errand *errand = next;
    errand_do_keep(errand, msg, turn);
    const struct gitter_request request = gitter_rooms_request(turn_arena(turn));
    errand_call(turn, errand, MSG_ERRAND_ROOMS_ENDED, &request);
}

static void errand_do_look(void *next, const struct msg *msg, struct turn *turn)
{
    const struct errand *errand = next;
    struct arena *arena = turn_arena(turn);
    (void)msg;
    const struct gitter_request request = {
        .method = SLICE("GET"),
        .path = arena_printf(arena, "/users/%.*s", SLICE_ARGS(url_encode(arena, errand->argument))),
    };
    errand_call(turn, errand, MSG_ERRAND_PERSON_ENDED, &request);
}

static void errand_do_ask(void *next, const struct msg *msg, struct turn *turn)
{
    struct errand *errand = next;
    const struct msg_text asked = {.text = errand->key};
    (void)msg;
    errand->deadline_ms = turn_now_ms(turn) + QUESTION_LIFE_MS;
    turn_send(turn, (struct actor_ref){ACTOR_USER, errand->user}, MSG_USER_ASKED, &asked);
    ERRAND_SAY(turn, errand, TEXT_ASK_PERSON, {"name", errand->argument});
}

static void errand_do_resolve(void *next, const struct msg *msg, struct turn *turn)
{
    struct errand *errand = next;
    (void)msg;
    errand->deadline_ms = 0;
    const struct gitter_request request =
        errand->gitter_room.len > 0 ? gitter_room_request(turn_arena(turn), errand->gitter_room)
                                    : gitter_resolve_request(turn_arena(turn), errand->argument);
    errand_call(turn, errand, MSG_ERRAND_RESOLVE_ENDED, &request);
}

/* The room of a name that is not among the user's rooms. */
static void errand_do_use_room(void *next, const struct msg *msg, struct turn *turn)
{
    struct errand *errand = next;
    struct gitter_room room = {0};
    if (gitter_room_parse(turn_arena(turn), ended_of(msg)->body, &room) != RC_OK) {
        ERRAND_SAY(turn, errand, TEXT_GITTER_FAILED, {"why", text_template(TEXT_WHY_BAD)});
        errand_go_on(turn, errand, MSG_ERRAND_NEXT, SLICE("stop"));
        return;
    }
    errand->gitter_room = room.id;
    errand->label = gitter_room_label(&room);
    if (room.is_one_to_one || (errand_is(errand, SLICE("invite")) && room.is_member)) {
        size_t left = errand_rooms_left(turn, errand);
        (void)errand_bridge_asked(turn, errand, &room, &left);
        errand_go_on(turn, errand, MSG_ERRAND_NEXT, SLICE("stop"));
    } else if (errand_is(errand, SLICE("gjoin"))) {
        errand_go_on(turn, errand, MSG_ERRAND_NEXT, SLICE("join"));
    } else {
        ERRAND_SAY(turn, errand, TEXT_NOT_MEMBER, {"room", errand->label});
        errand_go_on(turn, errand, MSG_ERRAND_NEXT, SLICE("stop"));
    }
}

static void errand_do_join(void *next, const struct msg *msg, struct turn *turn)
{
    const struct errand *errand = next;
    const struct msg_seen expected = {.gitter_room = errand->gitter_room};
    (void)msg;
    turn_send(turn, (struct actor_ref){ACTOR_USER, errand->user}, MSG_USER_ROOM_SEEN, &expected);
    const struct gitter_request request =
        gitter_join_request(turn_arena(turn), errand->gitter_room);
    errand_call(turn, errand, MSG_ERRAND_JOIN_ENDED, &request);
}

static void errand_do_say_joined(void *next, const struct msg *msg, struct turn *turn)
{
    const struct errand *errand = next;
    (void)msg;
    ERRAND_SAY(turn, errand, TEXT_JOINED, {"room", errand->label});
    errand_over(turn, errand);
}

/* Should the user come into the room elsewhere from now on, that is news. */
static void tell_parted(struct turn *turn, const struct errand *errand)
{
    const struct msg_room parted = {.gitter_room = errand->gitter_room};
    turn_send(turn, (struct actor_ref){ACTOR_USER, errand->user}, MSG_USER_ROOM_PARTED, &parted);
}

static void errand_do_part(void *next, const struct msg *msg, struct turn *turn)
{
    const struct errand *errand = next;
    (void)msg;
    const struct gitter_request request =
        gitter_leave_request(turn_arena(turn), errand->gitter_room, errand->gitter_user);
    errand_call(turn, errand, MSG_ERRAND_PART_ENDED, &request);
}

static void errand_do_say_parted(void *next, const struct msg *msg, struct turn *turn)
{
    const struct errand *errand = next;
    const struct actor_ref room = {
        ACTOR_ROOM, key_of_room(turn_arena(turn), errand->user, errand->gitter_room)};
    int state = 0;
    (void)msg;
    if (turn_exists(turn, room, &state)) {
        const struct msg_unbridge unbridge = {.why = text_template(TEXT_PARTED_REASON),
                                              .kick = true};
        turn_send(turn, room, MSG_ROOM_UNBRIDGE, &unbridge);
    }
    tell_parted(turn, errand);
    ERRAND_SAY(turn, errand, TEXT_PARTED, {"room", errand->label});
    errand_over(turn, errand);
}

static void errand_do_say_failed(void *next, const struct msg *msg, struct turn *turn)
{
    const struct errand *errand = next;
    const struct call_ended *ended = ended_of(msg);
    const struct slice why = why_failed(turn_arena(turn), ended);
    const bool is_parting = msg->kind == MSG_ERRAND_PART_ENDED;
    if (errand_is(errand, SLICE("review"))) {
        return;
    }
    if (msg->kind == MSG_ERRAND_JOIN_ENDED) {
        tell_parted(turn, errand);
    }
    if (is_parting && ended->status == 400) { /* the one thing Gitter refuses so */
        ERRAND_SAY(turn, errand, TEXT_CANNOT_PART, {"room", errand->label});
    } else if (msg->kind == MSG_ERRAND_RESOLVE_ENDED &&
               (ended->status == 404 || ended->status == 301)) {
        ERRAND_SAY(turn, errand, ended->status == 404 ? TEXT_NOWHERE : TEXT_MOVED,
                   {"room", errand->argument});
    } else {
        ERRAND_SAY(turn, errand, TEXT_GITTER_FAILED, {"why", why});
        NOTE_TROUBLE(turn, errand->user, TEXT_TROUBLE_COMMAND, {"verb", errand->verb},
                     {"why", why});
    }
    errand_over(turn, errand);
}

static void errand_do_drop_calls(void *next, const struct msg *msg, struct turn *turn)
{
    const struct errand *errand = next;
    (void)msg;
    turn_cancel(turn, errand_lane(turn_arena(turn), errand), errand->key);
}

FIELD_RECORD(errand, ERRAND_FIELDS);

const struct fsm errand_fsm = {
    .kind = ACTOR_ERRAND,
    .name = "errand",
    .table = "errands",
    .states = errand_states,
    .states_count = MACHINE_COUNT(errand_states),
    .first = ERRAND_LISTING,
    .last = ERRAND_DONE,
    .rows = errand_rows,
    .rows_count = MACHINE_COUNT(errand_rows),
    .ignored = errand_ignored,
    .ignored_count = MACHINE_COUNT(errand_ignored),
    .refused = errand_refused,
    .refused_count = MACHINE_COUNT(errand_refused),
    .record = &errand_record,
    .key_offset = offsetof(struct errand, key),
    .deadline_offset = offsetof(struct errand, deadline_ms),
    .deadline_message = MSG_ERRAND_DEADLINE,
};
