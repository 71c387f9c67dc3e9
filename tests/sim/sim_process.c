/* The parts of a process that the world does not have: the courier, and of libev the one timer that
 * the courier uses. ev_timer_start and ev_timer_stop are defined here, so that the loop it is given
 * can be the simulator. */
#include "tests/sim/sim.h"

#include <math.h>

void ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
    struct sim *sim = (void *)loop;
    timer->active = 1;
    sim->timer = timer;
    sim->timer_ms = sim->now_ms + (int64_t)llround(timer->at * 1000.0);
}

void ev_timer_stop(struct ev_loop *loop, ev_timer *timer)
{
    struct sim *sim = (void *)loop;
    timer->active = 0;
    sim->timer = NULL;
}

void sim_loop_run(struct sim *sim)
{
    while (sim->timer != NULL && sim->timer_ms <= sim->now_ms) {
        ev_timer *const timer = sim->timer;
        ev_timer_stop((void *)sim, timer);
        timer->cb((void *)sim, timer, EV_TIMER);
    }
}

void sim_clock_tell(struct sim *sim)
{
    sim->world.now_ms = clock_tell(&sim->clock, sim->now_ms + sim->clock_ms, sim->now_ms);
}

static int64_t on_now_ms(void *context)
{
    return ((const struct sim *)context)->world.now_ms;
}

static int64_t on_steady_ms(void *context)
{
    return ((const struct sim *)context)->now_ms;
}

static void on_random(void *context, void *out, size_t len)
{
    unsigned char *const bytes = out;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (unsigned char)sim_random(context, 256);
    }
}

static struct slice on_owner_token(void *context, struct slice owner)
{
    struct sim *sim = context;
    return world_token(&sim->world, owner);
}

static void on_token_refused(void *context, struct slice owner)
{
    struct sim *sim = context;
    const struct msg_owner refused = {.owner = owner};
    world_queue(&sim->world, MSG_TOKEN_REFUSED, &refused);
}

static void note_unknown(struct sim *sim, const struct outbox_call *row)
{
    struct slice ref = row->call.ref;
    const size_t said = sim_said_at(sim, slice_cut(&ref, '|'));
    if (row->call.purpose == MSG_ROOM_POST_ENDED && said < sim->said_count) {
        sim->said[said].was_unknown = true;
    }
}

static void on_post(void *context, const struct outbox_call *row, const struct call_ended *ended)
{
    struct sim *sim = context;
    engine_post(sim->world.engine,
                &(struct input){.msg = {row->call.purpose, ended}, .ended = row});
    if (ended->end == CALL_END_UNKNOWN) {
        note_unknown(sim, row);
    }
    if (sim->is_end_fatal) {
        sim->is_end_fatal = false;
        sim->world.fuse = 0;
    }
}

static void begin(void *context)
{
    struct sim *sim = context;
    const struct courier_options options = {
        .loop = context,
        .store = sim->world.store,
        .post = on_post,
        .as_token = SLICE("as"),
        .owner_token = on_owner_token,
        .token_refused = on_token_refused,
        .random = on_random,
        .now_ms = on_now_ms,
        .steady_ms = on_steady_ms,
        .context = sim,
    };
    struct store *store = sim->world.store;
    int64_t last_ms = 0;
    ck_assert_int_eq(store->methods->last_ms(store, &last_ms), RC_OK);
    clock_raise(&sim->clock, last_ms, sim->now_ms);
    sim_clock_tell(sim);
    bool was_clean = false;
    ck_assert_int_eq(store->methods->take_clean_mark(store, &was_clean), RC_OK);
    ck_assert_int_eq(courier_open(&options, &sim->courier), RC_OK);
    ck_assert_int_eq(courier_start(sim->courier, was_clean), RC_OK);
}

static void end(void *context)
{
    struct sim *sim = context;
    courier_close(sim->courier);
    sim->courier = NULL;
    sim->clock = (struct clock){0};
}

static void on_calls(void *context, const struct outbox_call *calls, size_t count)
{
    courier_add(((struct sim *)context)->courier, calls, count);
}

static void on_ended(void *context, const int64_t *ids, const struct slice *lanes, size_t count)
{
    courier_ended(((struct sim *)context)->courier, ids, lanes, count);
}

static void on_changed(void *context, struct actor_ref ref)
{
    if (ref.kind == ACTOR_USER) {
        courier_wake(((struct sim *)context)->courier, ref.key);
    }
}

static bool on_is_sent(void *context, int64_t call_id)
{
    return courier_is_sent(((const struct sim *)context)->courier, call_id);
}

void sim_process_begin(struct sim *sim)
{
    sim->carrier = (struct world_carrier){
        .context = sim,
        .begin = begin,
        .end = end,
        .calls = on_calls,
        .ended = on_ended,
        .changed = on_changed,
        .is_sent = on_is_sent,
    };
    sim->world.carrier = &sim->carrier;
    begin(sim);
}
