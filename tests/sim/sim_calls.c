/* Calls in flight, and what can befall them. */
#include "tests/sim/sim.h"

#include "codecs/matrix.h"

enum {
    EFFECT_MS = 300,
    SLOW_MS = 20 * 1000,
    /* how long a server goes on with a request whose sender is gone: less than the bridge waits
     * before it looks for the last time */
    LATE_MS = 25 * 1000,
    PAUSE_MS = 8 * 1000,
    REDIRECT = 300,
    UNAUTHORIZED = 401,
};

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

static bool is_flying(const struct sim *sim, const struct outbox_call *row)
{
    for (size_t i = 0; i < sim->posted_count; i++) {
        if (sim->posted[i] == row->id) {
            return true;
        }
    }
    for (size_t i = 0; i < sim->flights_count; i++) {
        if (sim->flights[i].end_ms != 0 && sim->flights[i].row.id == row->id) {
            return true;
        }
    }
    return false;
}

static bool is_paused(const struct sim *sim, struct slice lane)
{
    for (size_t i = 0; i < sim->pauses_count; i++) {
        if (slice_equal(sim->pauses[i].lane, lane)) {
            return sim->pauses[i].until_ms > sim->world.now_ms;
        }
    }
    return false;
}

static void pause_lane(struct sim *sim, struct slice lane, int64_t ms)
{
    size_t i = 0;
    while (i < sim->pauses_count && !slice_equal(sim->pauses[i].lane, lane)) {
        i++;
    }
    ck_assert_uint_lt(i, SIM_PAUSES_MAX);
    sim->pauses_count += i == sim->pauses_count ? 1 : 0;
    sim->pauses[i] = (struct sim_pause){lane, sim->world.now_ms + ms};
}

/* The world takes calls among its suspects for sent. */
static bool is_suspect(const struct sim *sim, int64_t id)
{
    for (size_t i = 0; i < sim->world.suspects_count; i++) {
        if (sim->world.suspects[i] == id) {
            return true;
        }
    }
    return false;
}

static void suspect(struct sim *sim, int64_t id)
{
    struct world *world = &sim->world;
    if (!is_suspect(sim, id)) {
        ck_assert_uint_lt(world->suspects_count, WORLD_SUSPECTS_MAX);
        world->suspects[world->suspects_count++] = id;
    }
}

static void clear_suspect(struct sim *sim, int64_t id)
{
    struct world *world = &sim->world;
    size_t kept = 0;
    for (size_t i = 0; i < world->suspects_count; i++) {
        if (world->suspects[i] != id) {
            world->suspects[kept++] = world->suspects[i];
        }
    }
    world->suspects_count = kept;
}

static bool is_post(const struct outbox_call *row)
{
    return row->call.purpose == MSG_ROOM_POST_ENDED;
}

static struct slice event_of_post(const struct outbox_call *row)
{
    struct slice ref = row->call.ref;
    return slice_cut(&ref, '|');
}

static void note_unknown(struct sim *sim, const struct outbox_call *row)
{
    for (size_t i = 0; is_post(row) && i < sim->said_count; i++) {
        if (slice_equal(sim->said[i].event_id, event_of_post(row))) {
            sim->said[i].was_unknown = true;
        }
    }
}

/* The end is known, but not durable yet: till then the call is not to be made again. */
static void post_end(struct sim *sim, const struct outbox_call *row, struct call_ended ended)
{
    world_post_end(&sim->world, row, ended);
    suspect(sim, row->id);
    ck_assert_uint_lt(sim->posted_count, SIM_FLIGHTS_MAX);
    sim->posted[sim->posted_count++] = row->id;
}

static void forget_posted(struct sim *sim)
{
    for (size_t i = 0; engine_is_quiet(sim->world.engine) && i < sim->posted_count; i++) {
        clear_suspect(sim, sim->posted[i]);
    }
    sim->posted_count = engine_is_quiet(sim->world.engine) ? 0 : sim->posted_count;
}

/* Start */

static const struct sim_user *owner_of(const struct sim *sim, struct slice owner)
{
    const struct slice mxid = slice_cut(&owner, '|');
    for (size_t i = 0; i < sim->users_count; i++) {
        if (slice_equal(sim->users[i].mxid, mxid)) {
            return &sim->users[i];
        }
    }
    ck_abort_msg("a call of nobody: %.*s", SLICE_ARGS(mxid));
    return NULL;
}

static void lose(struct sim *sim, struct sim_flight *flight, bool has_effect)
{
    const bool is_never = flight->row.call.repeat == CALL_REPEAT_NEVER;
    flight->is_lost = true;
    flight->pause_ms = is_never ? 0 : 1 + (int64_t)sim_random(sim, PAUSE_MS);
    if (!has_effect) {
        flight->effect_ms = 0;
    } else if (is_never && sim_chance(sim, 50)) {
        flight->effect_ms = flight->end_ms + (int64_t)sim_random(sim, LATE_MS);
    }
}

static void decide(struct sim *sim, struct sim_flight *flight)
{
    const int64_t slow_ms = sim_strikes(sim, SIM_SLOW) ? SLOW_MS : EFFECT_MS;
    flight->effect_ms = sim->world.now_ms + 1 + (int64_t)sim_random(sim, (uint64_t)slow_ms);
    flight->end_ms = flight->effect_ms + 1 + (int64_t)sim_random(sim, (uint64_t)slow_ms);
    if (sim_strikes(sim, SIM_REFUSED) || sim_strikes(sim, SIM_TOO_MANY)) {
        flight->effect_ms = 0;
        flight->pause_ms = 1 + (int64_t)sim_random(sim, PAUSE_MS);
    } else if (sim_strikes(sim, SIM_LOST_REQUEST)) {
        lose(sim, flight, false);
    } else if (sim_strikes(sim, SIM_LOST_ANSWER)) {
        lose(sim, flight, true);
    } else if (sim_strikes(sim, SIM_SERVER_ERROR)) {
        lose(sim, flight, sim_chance(sim, 50));
    } else if (flight->row.call.repeat == CALL_REPEAT_FREELY) {
        flight->is_twice = sim_strikes(sim, SIM_DUPLICATED);
    }
}

static void start(struct sim *sim, const struct outbox_call *head)
{
    struct world *world = &sim->world;
    ck_assert_uint_lt(sim->flights_count, SIM_FLIGHTS_MAX);
    struct sim_flight *flight = &sim->flights[sim->flights_count];
    *flight = (struct sim_flight){.row = kept_row(world->arena, head)};
    if (head->call.repeat == CALL_REPEAT_NEVER && is_suspect(sim, head->id)) {
        note_unknown(sim, &flight->row);
        post_end(sim, &flight->row, (struct call_ended){.end = CALL_END_UNKNOWN});
        return;
    }
    flight->token = world_token(world, head->call.owner);
    decide(sim, flight);
    suspect(sim, head->id);
    sim->flights_count++;
}

/* Heads that may go, from a place of the list that the seed chooses. */
static void start_some(struct sim *sim)
{
    static struct outbox_call heads[WORLD_HEADS_MAX];
    arena_reset(sim->scratch);
    const size_t count = world_heads(&sim->world, sim->scratch, heads);
    const size_t first = count == 0 ? 0 : (size_t)sim_random(sim, count);
    for (size_t i = 0; i < count; i++) {
        const struct outbox_call *head = &heads[(first + i) % count];
        if (!is_flying(sim, head) && !is_paused(sim, head->call.lane) &&
            world_may_go(&sim->world, head) && (sim->is_calm || sim_chance(sim, 70))) {
            start(sim, head);
        }
    }
}

/* Effect and end */

static void note_message(struct sim *sim, const struct sim_flight *flight, size_t before)
{
    const struct outbox_call *row = &flight->row;
    if (sim->world.peers.messages_count == before) {
        return;
    }
    struct slice ref = row->call.ref;
    struct sim_message *message = &sim->messages[before];
    message->event_id = slice_cut(&ref, '|');
    message->is_first = slice_equal(slice_cut(&ref, '|'), SLICE("1"));
    message->user = (size_t)(owner_of(sim, row->call.owner) - sim->users);
    for (size_t i = 0; i < sim->said_count; i++) {
        if (sim->said[i].is_left && slice_equal(sim->said[i].event_id, message->event_id)) {
            message->excused |= 1U << sim->said[i].bridge;
        }
    }
}

static void take_effect(struct sim *sim, struct sim_flight *flight)
{
    struct world *world = &sim->world;
    const struct outbox_call *row = &flight->row;
    const size_t before = world->peers.messages_count;
    const int rooms_before = world->peers.rooms_made;
    flight->effect_ms = 0;
    buf_printf(&world->trace, "call %lld of %.*s takes effect: %.*s\n", (long long)row->id,
               SLICE_ARGS(row->call.lane),
               SLICE_ARGS(slice_first(row->call.ref, slice_find_byte(row->call.ref, '|'))));
    /* "@alice:hs|new" is a token of a login that goes on: a good one */
    if (row->call.auth == CALL_AUTH_OWNER &&
        slice_find_byte(row->call.owner, '|') == row->call.owner.len &&
        owner_of(sim, row->call.owner)->is_revoked) {
        flight->is_refused = true;
        return;
    }
    for (int i = 0; i < (flight->is_twice ? 2 : 1); i++) {
        flight->answer = peers_answer(&world->peers, row, flight->token, world->now_ms);
    }
    note_message(sim, flight, before);
    if (world->peers.rooms_made > rooms_before) {
        struct slice room = SLICE_EMPTY;
        ck_assert_int_eq(matrix_room_id_parse(world->arena, flight->answer.body, &room), RC_OK);
        world->ids++;
        const struct slice id = arena_printf(world->arena, "$made%d", world->peers.rooms_made);
        sim_push(sim, id,
                 arena_printf(world->arena,
                              "{\"event_id\":\"%.*s\",\"type\":\"m.room.create\",\"room_id\":\"%.*s"
                              "\",\"sender\":\"@bot:hs\",\"state_key\":\"\",\"content\":{\"gitterd."
                              "room\":\"%.*s\"}}",
                              SLICE_ARGS(id), SLICE_ARGS(room), SLICE_ARGS(row->actor_key)));
    }
    sim_notice(sim);
}

/* Gitter said that it does not know the token: the call stays, and its owner is asked to log in. */
static void refuse_token(struct sim *sim, struct sim_flight *flight)
{
    const struct msg_owner owner = {.owner = flight->row.call.owner};
    clear_suspect(sim, flight->row.id);
    if (flight->row.call.takes_401) {
        post_end(sim, &flight->row,
                 (struct call_ended){.end = CALL_END_FAILED, .status = UNAUTHORIZED});
        return;
    }
    pause_lane(sim, flight->row.call.lane, 1000);
    world_queue(&sim->world, MSG_TOKEN_REFUSED, &owner);
}

static void end(struct sim *sim, struct sim_flight *flight)
{
    flight->end_ms = 0;
    buf_printf(&sim->world.trace, "call %lld of %.*s ends%s%s\n", (long long)flight->row.id,
               SLICE_ARGS(flight->row.call.lane), flight->is_lost ? ", lost" : "",
               flight->pause_ms > 0 ? ", again" : "");
    if (flight->is_lost && flight->pause_ms == 0) {
        note_unknown(sim, &flight->row);
        post_end(sim, &flight->row, (struct call_ended){.end = CALL_END_UNKNOWN});
    } else if (flight->pause_ms > 0) {
        pause_lane(sim, flight->row.call.lane, flight->pause_ms);
        if (!flight->is_lost) { /* it is known not to have been made: it may be cancelled */
            clear_suspect(sim, flight->row.id);
        }
    } else if (flight->is_refused) {
        refuse_token(sim, flight);
    } else {
        post_end(sim, &flight->row,
                 (struct call_ended){
                     .end = flight->answer.status < REDIRECT ? CALL_END_DONE : CALL_END_FAILED,
                     .status = flight->answer.status,
                     .body = flight->answer.body,
                 });
    }
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

void sim_calls_go(struct sim *sim)
{
    const int64_t now_ms = sim->world.now_ms;
    forget_posted(sim);
    for (size_t i = 0; i < sim->flights_count; i++) {
        struct sim_flight *flight = &sim->flights[i];
        if (flight->effect_ms != 0 && flight->effect_ms <= now_ms) {
            take_effect(sim, flight);
        }
        if (flight->end_ms != 0 && flight->end_ms <= now_ms) {
            end(sim, flight);
        }
    }
    drop_finished(sim);
    start_some(sim);
}

bool sim_calls_are_over(const struct sim *sim)
{
    return sim->flights_count == 0;
}

/* Nobody waits for the answers any more. What was not done yet is done late, at once or never. */
void sim_calls_crash(struct sim *sim)
{
    for (size_t i = 0; i < sim->flights_count; i++) {
        struct sim_flight *flight = &sim->flights[i];
        flight->end_ms = 0;
        note_unknown(sim, &flight->row);
        if (flight->effect_ms == 0) {
            continue;
        }
        if (sim_chance(sim, 50)) {
            flight->effect_ms = 0;
        } else if (flight->row.call.repeat == CALL_REPEAT_NEVER) {
            flight->effect_ms = sim->world.now_ms + 1 + (int64_t)sim_random(sim, LATE_MS);
        } else {
            take_effect(sim, flight);
        }
    }
    drop_finished(sim);
    sim->pauses_count = 0;
    sim->posted_count = 0;
}
