#include "tests/sim/sim.h"

#include <stdio.h>

enum {
    ACTS_MIN = 30,
    ACTS_MAX = 120,
    STEP_MS_MAX = 2500,
    LOOK_EVERY = 8,
    BUDGET = 100,
    DRAIN_STEP_MS = 2500,
    /* after all is there: what is repeated or brought twice would come by then */
    REST_MS = 150 * 1000,
    SCRATCH_CHUNK_BYTES = 256 * 1024,
};

uint64_t sim_random(struct sim *sim, uint64_t below)
{
    sim->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = sim->random;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    mixed ^= mixed >> 31;
    return below == 0 ? 0 : mixed % below;
}

int64_t sim_random_ms(struct sim *sim, int64_t most)
{
    return (int64_t)sim_random(sim, (uint64_t)most);
}

bool sim_chance(struct sim *sim, uint64_t percent)
{
    return sim_random(sim, 100) < percent;
}

const char *sim_fault_name(enum sim_fault fault)
{
    static const char *const names[] = {
#define FAULT_NAME(name) #name,
        SIM_FAULT_LIST(FAULT_NAME)
#undef FAULT_NAME
    };
    return names[fault];
}

bool sim_strikes(struct sim *sim, enum sim_fault fault)
{
    if (sim->is_calm || (sim->faults & (1U << fault)) == 0 || !sim_chance(sim, sim->percent)) {
        return false;
    }
    sim->struck[fault]++;
    buf_printf(&sim->world.trace, "fault %s\n", sim_fault_name(fault));
    return true;
}

static void after_crash(struct sim *sim)
{
    BUF_PUT(&sim->world.trace, "crash\n");
    sim->world.is_burnt = false;
    sim->is_doomed = false;
    sim->calls_to_live = -1;
    sim_forget_answers(sim);
    sim_settle_records(sim, true);
}

/* Some ends are orderly: the process says so if nothing is under way. */
static void stop_clean(struct sim *sim)
{
    struct store *store = sim->world.store;
    if (sim_chance(sim, 30) && engine_is_quiet(sim->world.engine) &&
        courier_is_clean(sim->courier)) {
        ck_assert_int_eq(store->methods->mark_clean(store), RC_OK);
    }
}

static void turns(struct sim *sim)
{
    if (sim->is_doomed) {
        stop_clean(sim);
        world_crash(&sim->world);
    }
    world_run(&sim->world);
    if (sim->world.is_burnt) {
        after_crash(sim);
    }
    if (engine_is_quiet(sim->world.engine)) {
        sim_settle_records(sim, false);
    }
}

/* What is new since the last look, told as it happens. */
static void tell_new(struct sim *sim)
{
    const struct slice turns = buf_slice(&sim->world.trace);
    const struct slice seen = buf_slice(&sim->world.peers.log);
    if (sim->is_told) {
        printf("at %lld\n%.*s%.*s", (long long)(sim->now_ms - WORLD_BEGIN_MS),
               SLICE_ARGS(slice_from(turns, sim->told_turns)),
               SLICE_ARGS(slice_from(seen, sim->told_seen)));
        sim->told_turns = turns.len;
        sim->told_seen = seen.len;
    }
}

void sim_step(struct sim *sim, int64_t ms)
{
    sim->now_ms += ms;
    sim_clock_tell(sim);
    sim_deliver_events(sim);
    sim_deliver_records(sim);
    if (sim_chance(sim, 50)) {
        turns(sim);
    }
    sim_wire_go(sim);
    turns(sim);
    sim_people_mind(sim);
    turns(sim);
    sim_loop_run(sim);
    turns(sim);
    tell_new(sim);
    sim_check_now(sim);
}

static void choose(struct sim *sim)
{
    sim->users_count = 1 + (size_t)sim_random(sim, SIM_USERS_MAX);
    sim->rooms_count = 1 + (size_t)sim_random(sim, SIM_ROOMS_MAX);
    sim->percent = 1 + sim_random(sim, 20);
    for (int fault = 0; fault < SIM_FAULTS; fault++) {
        sim->faults |= sim_chance(sim, 30) ? 1U << fault : 0;
    }
    sim->faults &= sim->allowed;
}

static void live(struct sim *sim)
{
    const uint64_t acts = ACTS_MIN + sim_random(sim, ACTS_MAX - ACTS_MIN);
    for (uint64_t i = 0; i < acts; i++) {
        sim_people_act(sim);
        sim_befall(sim);
        sim_step(sim, 1 + sim_random_ms(sim, STEP_MS_MAX));
    }
}

static void stop_faults(struct sim *sim)
{
    sim->is_calm = true;
    sim->world.fuse = -1;
    sim->calls_to_live = -1;
    sim->is_end_fatal = false;
    sim->world.is_gitter_down = false;
    sim->is_rest_down = false;
    sim->budget = BUDGET;
}

static void wait_until_level(struct sim *sim, int64_t most_ms)
{
    const int64_t until_ms = sim->now_ms + most_ms;
    while (sim->now_ms < until_ms && !sim_is_level(sim)) {
        for (int i = 0; i < LOOK_EVERY; i++) {
            sim_step(sim, DRAIN_STEP_MS);
        }
    }
}

static void drain(struct sim *sim)
{
    stop_faults(sim);
    sim_people_say_goodbye(sim);
    wait_until_level(sim, SIM_DRAIN_MS);
    for (int64_t ms = 0; ms < REST_MS; ms += DRAIN_STEP_MS) {
        sim_step(sim, DRAIN_STEP_MS);
    }
    wait_until_level(sim, REST_MS); /* something may just have been read again */
}

static void hash_text(uint64_t *hash, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        *hash = (*hash ^ (unsigned char)text.ptr[i]) * UINT64_C(0x100000001b3);
    }
}

void sim_run(struct sim *sim, uint64_t seed, struct sim_result *result)
{
    *result = (struct sim_result){.hash = UINT64_C(0xcbf29ce484222325)};
    *sim = (struct sim){
        .seed = seed,
        .random = seed,
        .budget = BUDGET,
        .calls_to_live = -1,
        .is_told = sim->is_told,
        .allowed = sim->allowed,
        .is_on_disk = sim->is_on_disk,
        .scratch = arena_open(SCRATCH_CHUNK_BYTES),
    };
    choose(sim);
    sim_store_open(sim);
    sim_people_begin(sim);
    sim_process_begin(sim);
    live(sim);
    drain(sim);
    sim_look_at_end(sim, result);
    hash_text(&result->hash, buf_slice(&sim->world.trace));
    hash_text(&result->hash, buf_slice(&sim->world.peers.log));
    for (int fault = 0; fault < SIM_FAULTS; fault++) {
        result->struck[fault] = sim->struck[fault];
    }
    int64_t next_turn = 0;
    ck_assert_int_eq(sim->world.store->methods->next_turn(sim->world.store, &next_turn), RC_OK);
    result->turns = next_turn - 1;
}
