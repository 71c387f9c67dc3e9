/* What befalls people, links, servers and the process, apart from single requests. */
#include "tests/sim/sim.h"

enum {
    BUDGET_MIN = 12,
    BUDGET_MAX = 40,
    CLOCK_JUMP_MS = 2 * 3600 * 1000,
    CLOCK_LEAP_MS = 72 * 3600 * 1000, /* more than the age at which calls are given up */
    AWAY_MS = 60 * 1000,
    STEPS_MAX = 4,
    CALLS_MAX = 12,
};

/* From now on nothing of this bridge is promised, neither what is on its way. */
static struct sim_bridge *free_some_bridge(struct sim *sim)
{
    const size_t b = (size_t)sim_random(sim, sim->bridges_count);
    struct sim_bridge *bridge = &sim->bridges[b];
    if (bridge->is_free || bridge->rooms_count == SIM_REBRIDGED_MAX) {
        return NULL;
    }
    bridge->is_free = true;
    bridge->again_at_ms = sim->now_ms + 1 + sim_random_ms(sim, AWAY_MS);
    bridge->open_at_ms = 0;
    bridge->kept_at_ms = 0;
    for (size_t i = 0; i < sim->said_count; i++) {
        sim->said[i].is_left = sim->said[i].is_left || sim->said[i].bridge == b;
        sim->said[i].is_excused = sim->said[i].is_excused || sim->said[i].is_left;
    }
    for (size_t i = 0; i < sim->world.peers.messages_count; i++) {
        sim->messages[i].excused |= 1U << b;
    }
    return bridge;
}

static void leave_room(struct sim *sim)
{
    const struct sim_bridge *bridge = free_some_bridge(sim);
    if (bridge != NULL) {
        sim_push_member(sim, bridge->matrix_room, sim->users[bridge->user].mxid, "join>leave");
    }
}

/* Gitter's list says so, and the room falls silent on a link that stays. */
static void remove_owner(struct sim *sim, bool is_banned)
{
    struct arena *arena = sim->world.arena;
    struct sim_bridge *bridge = free_some_bridge(sim);
    if (bridge == NULL) {
        return;
    }
    const struct slice account = sim->users[bridge->user].account;
    const char *room = sim_room_id(bridge->room);
    bridge->is_out = true;
    bridge->was_banned = bridge->was_banned || is_banned;
    peers_note(&sim->world.peers, arena_printf(arena, "out %s %.*s", room, SLICE_ARGS(account)));
    if (is_banned) {
        peers_note(&sim->world.peers,
                   arena_printf(arena, "banned %s %.*s", room, SLICE_ARGS(account)));
    }
    sim_end_subscription(sim, bridge);
    sim_tell_channel(
        sim, arena_printf(arena, "/api/v1/user/%.*s/rooms", SLICE_ARGS(account)),
        arena_printf(arena, "{\"operation\":\"remove\",\"model\":{\"id\":\"%s\"}}", room));
}

static void rename_person(struct sim *sim)
{
    static const char *const people[] = {"dan", "eve", "fay"};
    struct arena *arena = sim->world.arena;
    const char *user = people[sim_random(sim, sizeof people / sizeof *people)];
    const struct slice name = arena_printf(arena, "%s %u", user, (unsigned)sim_random(sim, 1000));
    peers_set(&sim->world.peers, arena_printf(arena, "name %s", user), name);
    sim_list_people(sim);
    for (size_t room = 0; room < sim->rooms_count; room++) {
        sim_tell_channel(
            sim, arena_printf(arena, "/api/v1/rooms/%s/users", sim_room_id(room)),
            arena_printf(arena,
                         "{\"operation\":\"update\",\"model\":{\"id\":\"%s\",\"username\":\"%s\","
                         "\"displayName\":\"%.*s\"}}",
                         user, user, SLICE_ARGS(name)));
    }
}

static void rename_room(struct sim *sim)
{
    struct arena *arena = sim->world.arena;
    const char *room = sim_room_id((size_t)sim_random(sim, sim->rooms_count));
    const unsigned number = (unsigned)sim_random(sim, 1000);
    for (size_t i = 0; i < sim->users_count; i++) {
        sim_tell_channel(
            sim, arena_printf(arena, "/api/v1/user/%.*s/rooms", SLICE_ARGS(sim->users[i].account)),
            arena_printf(arena,
                         "{\"operation\":\"patch\",\"model\":{\"id\":\"%s\","
                         "\"name\":\"acme/new %u\",\"topic\":\"Topic %u\"}}",
                         room, number, number));
    }
}

static void revoke_token(struct sim *sim)
{
    struct sim_user *user = &sim->users[sim_random(sim, sim->users_count)];
    if (!peers_have_revoked(&sim->world.peers, user->account)) {
        peers_note(&sim->world.peers,
                   arena_printf(sim->world.arena, "revoked %.*s", SLICE_ARGS(user->account)));
        user->login_at_ms = sim->now_ms + 1 + sim_random_ms(sim, 90 * 1000);
    }
}

static void forget_transactions(struct sim *sim)
{
    struct peers *peers = &sim->world.peers;
    for (size_t i = 0; i < peers->events_count; i++) {
        peers->events[i].txn = SLICE("(forgotten)");
    }
    sim->forgotten_at = peers->events_count;
    sim_wire_homeserver_ends(sim);
}

static bool strikes_sometimes(struct sim *sim, enum sim_fault fault)
{
    return sim_chance(sim, 30) && sim_strikes(sim, fault);
}

static void befall_people(struct sim *sim)
{
    if (strikes_sometimes(sim, SIM_REVOKED)) {
        revoke_token(sim);
    }
    if (strikes_sometimes(sim, SIM_LEFT)) {
        leave_room(sim);
    }
    if (strikes_sometimes(sim, SIM_REMOVED)) {
        remove_owner(sim, false);
    }
    if (strikes_sometimes(sim, SIM_BANNED)) {
        remove_owner(sim, true);
    }
    if (sim_strikes(sim, SIM_RENAMED)) {
        if (sim_chance(sim, 50)) {
            rename_person(sim);
        } else {
            rename_room(sim);
        }
    }
}

static void befall_servers(struct sim *sim)
{
    if (sim->world.links_count > 0 && sim_strikes(sim, SIM_CUT)) {
        sim_cut_link(sim, (size_t)sim_random(sim, sim->world.links_count));
    }
    if (sim_strikes(sim, SIM_DOWN)) {
        sim->world.is_gitter_down = !sim->world.is_gitter_down;
        sim->is_rest_down = sim->world.is_gitter_down && sim_chance(sim, 50);
    }
    if (strikes_sometimes(sim, SIM_FORGOTTEN)) {
        forget_transactions(sim);
    }
    if (strikes_sometimes(sim, SIM_RESTARTED)) {
        sim_restart_homeserver(sim);
    }
    if (strikes_sometimes(sim, SIM_BUDGET)) {
        sim->budget = BUDGET_MIN + (int)sim_random(sim, BUDGET_MAX);
    }
}

static void befall_process(struct sim *sim)
{
    if (strikes_sometimes(sim, SIM_CLOCK)) {
        const int64_t most_ms = sim_chance(sim, 30) ? CLOCK_LEAP_MS : CLOCK_JUMP_MS;
        sim->clock_ms = sim_random_ms(sim, 2 * most_ms) - most_ms;
    }
    if (strikes_sometimes(sim, SIM_COMMIT)) {
        sim_fail_commit(sim, sim_chance(sim, 50) ? RC_IO : RC_FULL);
    }
    if (strikes_sometimes(sim, SIM_CRASH)) {
        sim->is_doomed = true;
    }
    /* a small step is half of a batch: before its commit, or behind it */
    if (strikes_sometimes(sim, SIM_CRASH_STEP)) {
        sim->world.fuse = 2 * (int)sim_random(sim, STEPS_MAX);
    }
    if (strikes_sometimes(sim, SIM_CRASH_COMMIT)) {
        sim->world.fuse = 2 * (int)sim_random(sim, STEPS_MAX) + 1;
    }
    if (strikes_sometimes(sim, SIM_CRASH_CALL)) {
        sim->calls_to_live = (int)sim_random(sim, CALLS_MAX);
    }
    sim->is_end_fatal = sim->is_end_fatal || strikes_sometimes(sim, SIM_CRASH_END);
}

void sim_befall(struct sim *sim)
{
    befall_people(sim);
    befall_servers(sim);
    befall_process(sim);
}
