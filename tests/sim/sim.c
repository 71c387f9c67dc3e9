#include "tests/sim/sim.h"

#include <stdio.h>

enum {
    ACTS_MIN = 30,
    ACTS_MAX = 120,
    STEP_MS_MAX = 2500,
    CHECK_EVERY = 8,
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

bool sim_chance(struct sim *sim, uint64_t percent)
{
    return sim_random(sim, 100) < percent;
}

bool sim_strikes(struct sim *sim, enum sim_fault fault)
{
    static const char *const names[] = {
#define FAULT_NAME(name) #name,
        SIM_FAULT_LIST(FAULT_NAME)
#undef FAULT_NAME
    };
    if (sim->is_calm || (sim->faults & (1U << fault)) == 0 || !sim_chance(sim, sim->percent)) {
        return false;
    }
    sim->struck[fault]++;
    buf_printf(&sim->world.trace, "fault %s\n", names[fault]);
    return true;
}

void sim_crash(struct sim *sim)
{
    world_crash(&sim->world);
}

static void after_crash(struct sim *sim)
{
    BUF_PUT(&sim->world.trace, "crash\n");
    sim->world.is_burnt = false;
    sim_calls_crash(sim);
    for (size_t i = sim->events_next; i < sim->events_sent; i++) {
        sim->events[i].is_failed = !sim->events[i].is_done;
    }
}

static void turns(struct sim *sim)
{
    world_run(&sim->world);
    if (sim->world.is_burnt) {
        after_crash(sim);
    }
}

/* What is new since the last look, told as it happens. */
static void tell_new(struct sim *sim)
{
    const struct slice turns = buf_slice(&sim->world.trace);
    const struct slice seen = buf_slice(&sim->world.peers.log);
    if (sim->is_told) {
        printf("at %lld\n%.*s%.*s", (long long)(sim->world.now_ms - WORLD_BEGIN_MS),
               SLICE_ARGS(slice_from(turns, sim->told_turns)),
               SLICE_ARGS(slice_from(seen, sim->told_seen)));
        sim->told_turns = turns.len;
        sim->told_seen = seen.len;
    }
}

void sim_step(struct sim *sim, int64_t ms)
{
    sim->world.now_ms += ms;
    sim_deliver_events(sim);
    sim_deliver_records(sim);
    if (sim_chance(sim, 50)) {
        turns(sim);
    }
    sim_calls_go(sim);
    turns(sim);
    sim_people_mind(sim);
    turns(sim);
    tell_new(sim);
}

static void choose(struct sim *sim)
{
    sim->users_count = 1 + (size_t)sim_random(sim, SIM_USERS_MAX);
    sim->rooms_count = 1 + (size_t)sim_random(sim, SIM_ROOMS_MAX);
    sim->percent = 1 + sim_random(sim, 20);
    for (int fault = 0; fault < SIM_FAULTS; fault++) {
        sim->faults |= sim_chance(sim, 40) ? 1U << fault : 0;
    }
}

static void strike_process(struct sim *sim)
{
    if (sim_chance(sim, 30) && sim_strikes(sim, SIM_COMMIT)) {
        store_memory_fail_next(sim->world.store, sim_chance(sim, 50) ? RC_IO : RC_FULL);
    }
    if (sim_chance(sim, 50) && sim_strikes(sim, SIM_CRASH)) {
        if (sim_chance(sim, 30)) {
            sim_crash(sim);
            after_crash(sim);
            sim->world.now_ms += (int64_t)sim_random(sim, 60 * 1000);
        } else {
            sim->world.fuse = (int)sim_random(sim, 8);
        }
    }
}

static void live(struct sim *sim)
{
    const uint64_t acts = ACTS_MIN + sim_random(sim, ACTS_MAX - ACTS_MIN);
    for (uint64_t i = 0; i < acts; i++) {
        sim_people_act(sim);
        sim_notice(sim);
        strike_process(sim);
        sim_step(sim, 1 + (int64_t)sim_random(sim, STEP_MS_MAX));
        if (i % CHECK_EVERY == 0) {
            sim_check_now(sim);
        }
    }
}

static void drain(struct sim *sim)
{
    sim->is_calm = true;
    sim->world.fuse = -1;
    sim->world.is_gitter_down = false;
    const int64_t until_ms = sim->world.now_ms + SIM_DRAIN_MS;
    while (sim->world.now_ms < until_ms && !sim_is_level(sim)) {
        for (int i = 0; i < CHECK_EVERY; i++) {
            sim_step(sim, DRAIN_STEP_MS);
        }
    }
    for (int64_t ms = 0; ms < REST_MS; ms += DRAIN_STEP_MS) {
        sim_step(sim, DRAIN_STEP_MS);
    }
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
        .is_told = sim->is_told,
        .scratch = arena_open(SCRATCH_CHUNK_BYTES),
    };
    choose(sim);
    world_open(&sim->world);
    sim_people_begin(sim);
    live(sim);
    drain(sim);
    sim_check_now(sim);
    sim_check_end(sim, result);
    hash_text(&result->hash, buf_slice(&sim->world.trace));
    hash_text(&result->hash, buf_slice(&sim->world.peers.log));
    for (int fault = 0; fault < SIM_FAULTS; fault++) {
        result->faults += sim->struck[fault];
    }
    int64_t next_turn = 0;
    ck_assert_int_eq(sim->world.store->methods->next_turn(sim->world.store, &next_turn), RC_OK);
    result->turns = next_turn - 1;
}
