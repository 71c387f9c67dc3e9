/* The wire below the courier: requests in flight, and what can befall them. Stands in for
 * runtime/courier_wire.c. */
#include "tests/sim/sim.h"

#include "codecs/matrix.h"
#include "runtime/courier_job.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    EFFECT_MS = 300,
    SLOW_MS = 20 * 1000,
    /* the courier's own limit, after which the wire gives up */
    ANSWER_MS = 60 * 1000,
    TOO_SLOW_MS = 75 * 1000,
    /* how long a server goes on with a request whose sender is gone: less than the bridge waits
     * before it looks for the last time */
    LATE_MS = 25 * 1000,
    PAUSE_S = 8,
    BUDGET_MS = 60 * 1000,
    TOO_MANY = 429,
};

struct wire {
    struct sim *sim;
    wire_done *done;
    void *context;
};

enum rc
wire_open(const struct courier_options *options, wire_done *done, void *context, struct wire **out)
{
    struct wire *wire = malloc(sizeof *wire);
    ck_assert_ptr_nonnull(wire);
    *wire = (struct wire){options->context, done, context};
    wire->sim->wire = wire;
    *out = wire;
    return RC_OK;
}

bool wire_is_token(struct slice text)
{
    return text.len > 0;
}

/* Nobody waits for the answers any more. What was not done yet is done at once, late or never. */
void wire_close(struct wire *wire)
{
    struct sim *sim = wire->sim;
    for (size_t i = 0; i < sim->flights_count; i++) {
        struct sim_flight *flight = &sim->flights[i];
        if (flight->tag == NULL) { /* one whose sender had gone before: it does not take longer */
            continue;
        }
        flight->tag = NULL;
        flight->end_ms = 0;
        if (flight->effect_ms == 0 || sim_chance(sim, 50)) {
            flight->effect_ms = 0;
        } else if (flight->row.call.repeat == CALL_REPEAT_NEVER) {
            flight->effect_ms = sim->now_ms + 1 + sim_random_ms(sim, LATE_MS);
        } else {
            flight->effect_ms = sim->now_ms;
        }
    }
    sim->wire = NULL;
    free(wire);
}

/* Start */

static struct outbox_call kept_row(struct arena *arena, const struct outbox_call *row)
{
    struct outbox_call kept = *row;
    struct slice *const texts[] = {&kept.actor_key,       &kept.call.lane,         &kept.call.owner,
                                   &kept.call.after_lane, &kept.call.method,       &kept.call.path,
                                   &kept.call.body,       &kept.call.content_type, &kept.call.ref};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = arena_copy(arena, *texts[i]);
    }
    return kept;
}

static void fix(struct sim_flight *flight, enum wire_outcome outcome, int status)
{
    flight->is_fixed = true;
    flight->answer =
        (struct wire_answer){.outcome = outcome, .status = status, .error = "simulated"};
}

/* Nobody learns what came of it. One that may be repeated can arrive behind its repetition; but not
 * a name, which would undo a newer one, as nobody could see. */
/* An older name that comes late stays: nobody can see that. */
static bool is_name(const struct sim_flight *flight)
{
    return flight->row.call.purpose == MSG_GHOST_NAME_ENDED;
}

static void lose(struct sim *sim, struct sim_flight *flight, bool has_effect)
{
    const bool is_never = flight->row.call.repeat == CALL_REPEAT_NEVER;
    if (!has_effect) {
        flight->effect_ms = 0;
    } else if (is_never ? sim_chance(sim, 50)
                        : !is_name(flight) && sim_strikes(sim, SIM_REORDERED)) {
        flight->effect_ms = flight->end_ms + sim_random_ms(sim, LATE_MS);
    }
}

static void set_header(struct sim_flight *flight, enum wire_header header, struct slice value)
{
    flight->answer.headers[header] = value;
}

/* The forms of a delay: seconds, ms in the body, the end of a window by the server's clock, none.
 */
static void refuse_too_many(struct sim *sim, struct sim_flight *flight)
{
    struct arena *arena = sim->world.arena;
    const long long seconds = 1 + (long long)sim_random(sim, PAUSE_S);
    fix(flight, WIRE_ANSWERED, TOO_MANY);
    flight->effect_ms = 0;
    switch (sim_random(sim, 4)) {
    case 0:
        set_header(flight, WIRE_RETRY_AFTER, arena_printf(arena, "%lld", seconds));
        break;
    case 1:
        flight->answer.body =
            arena_printf(arena, "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"retry_after_ms\":%lld}",
                         seconds * 1000 - 500);
        break;
    case 2:
        set_header(flight, WIRE_RATE_RESET,
                   arena_printf(arena, "%lld", sim->now_ms + seconds * 1000));
        break;
    default:
        break;
    }
}

static void fail_at_server(struct sim *sim, struct sim_flight *flight)
{
    /* 500 to what may be repeated ends it after some, rightly: that would be a loss */
    const bool is_never = flight->row.call.repeat == CALL_REPEAT_NEVER;
    lose(sim, flight, sim_chance(sim, 50));
    fix(flight, WIRE_ANSWERED,
        is_never && sim_chance(sim, 30) ? 500 : 502 + (int)sim_random(sim, 3));
    if (sim_chance(sim, 30)) {
        set_header(flight, WIRE_RETRY_AFTER, SLICE("3"));
    }
}

static bool is_unreachable(struct sim *sim, const struct sim_flight *flight)
{
    if (flight->row.call.api == CALL_MATRIX) {
        return sim->homeserver_down_until_ms > sim->now_ms;
    }
    return sim->is_rest_down;
}

static void strike(struct sim *sim, struct sim_flight *flight)
{
    const bool is_never = flight->row.call.repeat == CALL_REPEAT_NEVER;
    if (is_unreachable(sim, flight) || sim_strikes(sim, SIM_REFUSED)) {
        fix(flight, WIRE_UNREACHABLE, 0);
        flight->effect_ms = 0;
    } else if (sim_strikes(sim, SIM_TOO_MANY)) {
        refuse_too_many(sim, flight);
    } else if (sim_strikes(sim, SIM_LOST_REQUEST)) {
        fix(flight, WIRE_LOST, 0);
        lose(sim, flight, false);
    } else if (sim_strikes(sim, SIM_LOST_ANSWER)) {
        fix(flight, WIRE_LOST, 0);
        lose(sim, flight, true);
    } else if (sim_strikes(sim, SIM_SERVER_ERROR)) {
        fail_at_server(sim, flight);
    } else if (sim_strikes(sim, is_never ? SIM_HTTP_REPEAT : SIM_DUPLICATED)) {
        flight->times = 2;
    }
}

static void decide(struct sim *sim, struct sim_flight *flight)
{
    const bool is_slow = sim_strikes(sim, SIM_SLOW);
    const int64_t most_ms = is_slow && sim_chance(sim, 10) ? TOO_SLOW_MS
                            : is_slow                      ? SLOW_MS
                                                           : EFFECT_MS;
    flight->effect_ms = sim->now_ms + 1 + sim_random_ms(sim, most_ms);
    flight->end_ms = flight->effect_ms + 1 + sim_random_ms(sim, most_ms);
    if (flight->end_ms - sim->now_ms > ANSWER_MS) { /* it may be done all the same */
        flight->end_ms = sim->now_ms + ANSWER_MS;
        fix(flight, WIRE_LOST, 0);
        if (is_name(flight) && flight->effect_ms > flight->end_ms) {
            flight->effect_ms = flight->end_ms;
        }
    } else {
        strike(sim, flight);
    }
}

enum rc wire_begin(struct wire *wire, const struct call *call, struct slice token, void *tag)
{
    struct sim *sim = wire->sim;
    const struct job *job = tag;
    ck_assert_uint_lt(sim->flights_count, SIM_FLIGHTS_MAX);
    struct sim_flight *flight = &sim->flights[sim->flights_count++];
    *flight = (struct sim_flight){
        .row = kept_row(sim->world.arena, &job->row),
        .token = arena_copy(sim->world.arena, token),
        .tag = tag,
        .times = 1,
    };
    ck_assert_ptr_eq(call, &job->row.call);
    decide(sim, flight);
    return RC_OK;
}

/* Effect */

static struct sim_user *user_of(struct sim *sim, struct slice token)
{
    for (size_t i = 0; i < sim->users_count; i++) {
        if (slice_equal(sim->users[i].account, peers_account(token))) {
            return &sim->users[i];
        }
    }
    return NULL;
}

/* Gitter counts the requests of a user; what is over is refused, and each answer tells the rest. */
static bool is_over_budget(struct sim *sim, struct sim_flight *flight)
{
    struct sim_user *user = user_of(sim, flight->token);
    if (user == NULL || flight->row.call.api != CALL_GITTER || flight->is_fixed) {
        return false;
    }
    if (user->window_ms + BUDGET_MS <= sim->now_ms) {
        user->window_ms = sim->now_ms;
        user->requests = 0;
    }
    user->requests++;
    const int rest = sim->budget - user->requests;
    set_header(flight, WIRE_RATE_REMAINING,
               arena_printf(sim->world.arena, "%d", rest < 0 ? 0 : rest));
    set_header(flight, WIRE_RATE_RESET,
               arena_printf(sim->world.arena, "%" PRId64, user->window_ms + BUDGET_MS));
    if (rest >= 0) {
        return false;
    }
    sim->struck[SIM_BUDGET]++;
    flight->is_fixed = true;
    flight->answer.outcome = WIRE_ANSWERED;
    flight->answer.status = TOO_MANY;
    return true;
}

static bool is_post(const struct outbox_call *row)
{
    return row->call.purpose == MSG_ROOM_POST_ENDED;
}

static void note_messages(struct sim *sim, const struct sim_flight *flight, size_t before)
{
    struct slice rest = flight->row.call.ref;
    const struct slice event_id = slice_cut(&rest, '|');
    const bool is_first = slice_equal(slice_cut(&rest, '|'), SLICE("1"));
    const size_t said = sim_said_at(sim, event_id);
    ck_assert_uint_lt(said, sim->said_count);
    for (size_t i = before; i < sim->world.peers.messages_count; i++) {
        struct sim_message *message = &sim->messages[i];
        message->event_id = event_id;
        message->is_first = is_first;
        message->is_repeat = i > before;
        message->user = sim->bridges[sim->said[said].bridge].user;
        message->excused |= sim->said[said].is_left ? 1U << sim->said[said].bridge : 0;
    }
    sim->said[said].repeated += sim->world.peers.messages_count - before - 1;
}

/* An edit that comes late undoes a newer one: Gitter has no way to see that. */
static void note_late_change(struct sim *sim, const struct sim_flight *flight)
{
    struct slice path = flight->row.call.path;
    while (flight->tag == NULL && flight->row.call.purpose == MSG_ROOM_EDIT_ENDED && path.len > 0) {
        const struct slice id = slice_cut(&path, '/');
        for (size_t i = 0; i < sim->messages_count; i++) {
            sim->messages[i].is_touched =
                sim->messages[i].is_touched || slice_equal(sim->world.peers.messages[i].id, id);
        }
    }
}

static void take_answer(struct sim *sim, struct sim_flight *flight)
{
    struct peers *peers = &sim->world.peers;
    const int rooms_before = peers->rooms_made;
    const size_t events_before = peers->events_count;
    const struct peer_answer answer = peers_answer(peers, &flight->row, flight->token, sim->now_ms);
    for (size_t i = events_before; i < peers->events_count; i++) {
        sim->is_late[i] = flight->tag == NULL;
    }
    if (!flight->is_fixed) {
        flight->answer.outcome = WIRE_ANSWERED;
        flight->answer.status = answer.status;
        flight->answer.body = answer.body;
    }
    if (peers->rooms_made > rooms_before && flight->row.actor_kind == ACTOR_ROOM) {
        struct slice room = SLICE_EMPTY;
        ck_assert_int_eq(matrix_room_id_parse(sim->world.arena, answer.body, &room), RC_OK);
        sim_push_created(sim, room, flight->row.actor_key);
    }
}

static void take_effect(struct sim *sim, struct sim_flight *flight)
{
    const struct outbox_call *row = &flight->row;
    const size_t before = sim->world.peers.messages_count;
    flight->effect_ms = 0;
    buf_printf(&sim->world.trace, "call %" PRId64 " of %.*s takes effect: %s %.*s\n", row->id,
               SLICE_ARGS(row->call.lane), message_types[row->call.purpose].name,
               SLICE_ARGS(slice_first(row->call.ref, slice_find_byte(row->call.ref, '|'))));
    if (is_over_budget(sim, flight)) {
        return;
    }
    for (int i = 0; i < flight->times; i++) {
        take_answer(sim, flight);
    }
    if (is_post(row) && sim->world.peers.messages_count > before) {
        note_messages(sim, flight, before);
    }
    note_late_change(sim, flight);
    sim_notice(sim);
    sim->is_doomed = sim->is_doomed || sim->calls_to_live == 0;
    sim->calls_to_live -= sim->calls_to_live >= 0 ? 1 : 0;
}

static void end(struct sim *sim, const struct sim_flight *flight)
{
    buf_printf(&sim->world.trace, "call %" PRId64 " of %.*s ends: %d, %d\n", flight->row.id,
               SLICE_ARGS(flight->row.call.lane), (int)flight->answer.outcome,
               flight->answer.status);
    sim->wire->done(sim->wire->context, flight->tag, &flight->answer);
}

/* What comes next of all that is in flight; NULL if nothing is due. */
static struct sim_flight *next_due(struct sim *sim)
{
    struct sim_flight *next = NULL;
    int64_t next_ms = sim->now_ms + 1;
    for (size_t i = 0; i < sim->flights_count; i++) {
        struct sim_flight *flight = &sim->flights[i];
        const int64_t at_ms =
            flight->effect_ms != 0 && (flight->end_ms == 0 || flight->effect_ms < flight->end_ms)
                ? flight->effect_ms
                : flight->end_ms;
        if (at_ms != 0 && at_ms < next_ms) {
            next = flight;
            next_ms = at_ms;
        }
    }
    return next;
}

static void drop_finished(struct sim *sim)
{
    size_t kept = 0;
    for (size_t i = 0; i < sim->flights_count; i++) {
        if (sim->flights[i].effect_ms != 0 || sim->flights[i].end_ms != 0) {
            sim->flights[kept++] = sim->flights[i];
        }
    }
    sim->flights_count = kept;
}

void sim_wire_go(struct sim *sim)
{
    struct sim_flight *flight = next_due(sim);
    while (flight != NULL && !sim->is_doomed) {
        const bool is_effect =
            flight->effect_ms != 0 && (flight->end_ms == 0 || flight->effect_ms < flight->end_ms);
        if (is_effect) {
            take_effect(sim, flight);
        } else {
            const struct sim_flight ended = *flight;
            flight->end_ms = 0;
            flight->tag = NULL;
            end(sim, &ended);
        }
        flight = next_due(sim);
    }
    drop_finished(sim);
}

void sim_wire_homeserver_ends(struct sim *sim)
{
    for (size_t i = 0; i < sim->flights_count; i++) {
        struct sim_flight *flight = &sim->flights[i];
        if (flight->tag == NULL && flight->row.call.api == CALL_MATRIX) {
            flight->effect_ms = 0;
        }
    }
}

bool sim_wire_is_idle(const struct sim *sim)
{
    return sim->flights_count == 0;
}
