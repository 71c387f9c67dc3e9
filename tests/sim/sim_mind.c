/* What people do of necessity: log in again, accept invitations, ask for a room again. */
#include "tests/sim/sim.h"

#include "actors/room/room.h"

enum {
    LOGIN_STEPS_MAX = 100,
    AGAIN_MS = 120 * 1000,
    OPEN_MS = 5 * 1000,
    /* whether a room that Gitter took away was left is known by then */
    KEPT_MS = 150 * 1000,
};

/* Logging in again, without faults meanwhile */

/* The last login link that was said to a user, and how many there were. */
static struct slice link_of(const struct sim *sim, const struct sim_user *user, size_t *count)
{
    const struct peers *peers = &sim->world.peers;
    const struct slice path = SLICE("/auth_gitter/");
    struct slice link = SLICE_EMPTY;
    *count = 0;
    for (size_t i = 0; i < peers->events_count; i++) {
        struct slice body = peers->events[i].body;
        const size_t at = slice_find(body, path);
        if (at < body.len && slice_equal(peers->events[i].room, user->chat)) {
            link = slice_from(body, at);
            (*count)++;
        }
    }
    size_t len = link.len > 0 ? path.len : 0;
    while (len < link.len && link.ptr[len] > ' ') {
        len++;
    }
    return slice_first(link, len);
}

static bool page_is_got(struct sim *sim, struct msg_web web)
{
    struct world *world = &sim->world;
    world->ids++;
    web.request = world->ids;
    world->page = (struct world_page){0};
    engine_post(world->engine,
                &(struct input){.msg = {MSG_WEB_REQUEST, &web}, .is_repeatable = true});
    for (int i = 0; world->page.status == 0 && i < LOGIN_STEPS_MAX; i++) {
        sim_step(sim, 200);
    }
    return world->page.status == 200 || world->page.status == 303;
}

static struct slice revoked(struct sim *sim, const struct sim_user *user)
{
    return arena_printf(sim->world.arena, "revoked %.*s", SLICE_ARGS(user->account));
}

static void follow_link(struct sim *sim, struct sim_user *user, struct slice link)
{
    struct world *world = &sim->world;
    const struct slice state = slice_from(link, sizeof "/auth_gitter/" - 1);
    struct msg_web web = {.method = SLICE("GET"), .path = link};
    if (!page_is_got(sim, web)) {
        return;
    }
    web.method = SLICE("POST");
    web.cookie = slice_first(world->page.set_cookie, slice_find_byte(world->page.set_cookie, ';'));
    struct slice value = web.cookie;
    (void)slice_cut(&value, '=');
    web.body = arena_printf(world->arena, "proof=%.*s", SLICE_ARGS(value));
    if (!page_is_got(sim, web)) {
        return;
    }
    peers_unlearn(&world->peers, revoked(sim, user));
    (void)page_is_got(sim, (struct msg_web){
                               .method = SLICE("GET"),
                               .path = SLICE("/callback"),
                               .query = arena_printf(world->arena, "code=abc-%.*s&state=%.*s",
                                                     SLICE_ARGS(user->account), SLICE_ARGS(state)),
                               .cookie = web.cookie,
                           });
}

static void log_in_again(struct sim *sim, struct sim_user *user)
{
    const bool was_calm = sim->is_calm;
    const bool was_down = sim->is_rest_down;
    const int fuse = sim->world.fuse;
    const int calls_to_live = sim->calls_to_live;
    size_t before = 0;
    size_t after = 0;
    (void)link_of(sim, user, &before);
    sim->is_at_login = true;
    sim->is_calm = true;
    sim->is_rest_down = false;
    sim->world.fuse = -1;
    sim->calls_to_live = -1;
    user->login_at_ms = 0;
    (void)sim_push_content(sim, user->chat, user->mxid,
                           SLICE("{\"msgtype\":\"m.text\",\"body\":\"login\"}"));
    for (int i = 0; i < LOGIN_STEPS_MAX; i++) { /* one may have been on its way already */
        sim_step(sim, 200);
    }
    const struct slice link = link_of(sim, user, &after);
    if (after > before) {
        follow_link(sim, user, link);
    }
    sim->is_at_login = false;
    sim->is_calm = was_calm;
    sim->is_rest_down = was_down;
    sim->world.fuse = fuse;
    sim->calls_to_live = calls_to_live;
}

static void mind_login(struct sim *sim, struct sim_user *user)
{
    const char *state = world_state(&sim->world, ACTOR_USER, user->mxid);
    if (slice_equal(slice_from_cstr(state), SLICE("AUTHED"))) {
        if (sim->is_calm) { /* nobody has noticed */
            peers_unlearn(&sim->world.peers, revoked(sim, user));
        }
        return;
    }
    if (user->login_at_ms == 0) {
        user->login_at_ms = sim->now_ms + AGAIN_MS;
    }
    if (!sim->is_at_login && user->login_at_ms <= sim->now_ms &&
        slice_equal(slice_from_cstr(state), SLICE("EXPIRED"))) {
        log_in_again(sim, user);
    }
}

/* Rooms again */

static void accept_invitations(struct sim *sim)
{
    const struct peers *peers = &sim->world.peers;
    for (; sim->joins_seen < peers->facts_count; sim->joins_seen++) {
        struct slice fact = peers->facts[sim->joins_seen];
        if (!slice_equal(slice_cut(&fact, ' '), SLICE("invited"))) {
            continue;
        }
        const struct slice room = slice_cut(&fact, ' ');
        for (size_t i = 0; i < sim->users_count; i++) {
            if (slice_equal(fact, sim->users[i].mxid)) {
                sim_push_member(sim, room, fact, "invite>join");
            }
        }
    }
}

/* Gitter has them in the room again; its list says so. */
static void come_back(struct sim *sim, struct sim_bridge *bridge)
{
    struct world *world = &sim->world;
    const struct sim_user *user = &sim->users[bridge->user];
    const char *room = sim_room_id(bridge->room);
    bridge->is_out = false;
    bridge->kept_at_ms = sim->now_ms + KEPT_MS;
    peers_unlearn(&world->peers,
                  arena_printf(world->arena, "out %s %.*s", room, SLICE_ARGS(user->account)));
    peers_unlearn(&world->peers,
                  arena_printf(world->arena, "banned %s %.*s", room, SLICE_ARGS(user->account)));
    sim_tell_channel(
        sim, arena_printf(world->arena, "/api/v1/user/%.*s/rooms", SLICE_ARGS(user->account)),
        arena_printf(world->arena,
                     "{\"operation\":\"create\",\"model\":{\"id\":\"%s\",\"name\":"
                     "\"acme/%s\",\"uri\":\"acme/%s\",\"roomMember\":true}}",
                     room, sim_room_name(bridge->room), sim_room_name(bridge->room)));
}

static void ask_again(struct sim *sim, struct sim_bridge *bridge)
{
    const struct sim_user *user = &sim->users[bridge->user];
    bridge->again_at_ms = sim->now_ms + AGAIN_MS;
    (void)sim_push_content(sim, user->chat, user->mxid,
                           arena_printf(sim->world.arena,
                                        "{\"msgtype\":\"m.text\",\"body\":\"invite acme/%s\"}",
                                        sim_room_name(bridge->room)));
}

static void mind_bridge(struct sim *sim, struct sim_bridge *bridge)
{
    struct world *world = &sim->world;
    const struct room *room = world_peek(world, ACTOR_ROOM, bridge->key);
    const bool is_joined =
        slice_equal(slice_from_cstr(world_state(world, ACTOR_ROOM, bridge->key)), SLICE("JOINED"));
    const bool is_new = is_joined && !slice_equal(room->matrix_room, bridge->matrix_room);
    if (is_new) {
        bridge->matrix_room = arena_copy(world->arena, room->matrix_room);
        bridge->rooms[bridge->rooms_count++] = bridge->matrix_room;
        bridge->open_at_ms = sim->now_ms + OPEN_MS;
    } else if (bridge->open_at_ms != 0 && bridge->open_at_ms <= sim->now_ms) {
        bridge->is_free = false;
    } else if (bridge->is_out && bridge->again_at_ms <= sim->now_ms) {
        come_back(sim, bridge);
    } else if (is_joined && bridge->kept_at_ms != 0 && bridge->kept_at_ms <= sim->now_ms) {
        bridge->open_at_ms = sim->now_ms; /* the bridge never heard of it */
    } else if (bridge->open_at_ms == 0 && bridge->again_at_ms <= sim->now_ms) {
        ask_again(sim, bridge);
    }
}

void sim_people_mind(struct sim *sim)
{
    accept_invitations(sim);
    for (size_t i = 0; i < sim->users_count; i++) {
        mind_login(sim, &sim->users[i]);
    }
    for (size_t i = 0; i < sim->bridges_count; i++) {
        if (sim->bridges[i].is_free) {
            mind_bridge(sim, &sim->bridges[i]);
        }
    }
}

bool sim_people_are_well(const struct sim *sim)
{
    for (size_t i = 0; i < sim->users_count; i++) {
        if (peers_have_revoked(&sim->world.peers, sim->users[i].account)) {
            return false;
        }
    }
    for (size_t i = 0; i < sim->bridges_count; i++) {
        if (sim->bridges[i].is_free) {
            return false;
        }
    }
    return true;
}
