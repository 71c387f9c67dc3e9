/* Who says what on both sides, and what befalls them. */
#include "tests/sim/sim.h"

#include "actors/room/room.h"
#include "tests/trace/flow.h"

enum {
    LOGIN_STEPS_MAX = 100,
    AGAIN_MS = 120 * 1000,
    OPEN_MS = 5 * 1000,
};

static const char rooms_json[] =
    "[{\"id\":\"r1\",\"name\":\"acme/one\",\"uri\":\"acme/one\",\"url\":\"/acme/one\","
    "\"roomMember\":true},{\"id\":\"r2\",\"name\":\"acme/two\",\"uri\":\"acme/two\","
    "\"url\":\"/acme/two\",\"roomMember\":true},{\"id\":\"r3\",\"name\":\"acme/three\","
    "\"uri\":\"acme/three\",\"url\":\"/acme/three\",\"roomMember\":true},{\"id\":\"r4\","
    "\"name\":\"acme/four\",\"uri\":\"acme/four\",\"url\":\"/acme/four\",\"roomMember\":true}]";
static const char *const room_ids[SIM_ROOMS_MAX] = {"r1", "r2", "r3", "r4"};
static const char *const room_names[SIM_ROOMS_MAX] = {"one", "two", "three", "four"};
static const char *const mxids[SIM_USERS_MAX] = {"@alice:hs", "@bea:hs", "@cleo:hs"};
static const char *const accounts[SIM_USERS_MAX] = {"ann", "ben", "cat"};
static const char *const chats[SIM_USERS_MAX] = {"!chat1", "!chat2", "!chat3"};
static const char *const outsiders[] = {"dan", "eve", "fay"};
static const char *const words[] = {"ok", "yes", "ok", "thanks", "hello there", "ok"};

static const char *some_text(struct sim *sim)
{
    if (sim_chance(sim, 30)) {
        return arena_printf(sim->world.arena, "text %u", (unsigned)sim_random(sim, 100000)).ptr;
    }
    return words[sim_random(sim, sizeof words / sizeof *words)];
}

/* The beginning, without faults */

static void bridge(struct sim *sim, size_t user, size_t room)
{
    struct world *world = &sim->world;
    struct sim_bridge *made = &sim->bridges[sim->bridges_count++];
    *made = (struct sim_bridge){
        .user = user,
        .room = room,
        .key = arena_printf(world->arena, "%s|%s", mxids[user], room_ids[room]),
    };
    const char *command = arena_printf(world->arena, "invite acme/%s", room_names[room]).ptr;
    (void)world_text(world, chats[user], mxids[user], command);
    world_settle(world);
    made->matrix_room = arena_printf(world->arena, "!made%d", world->peers.rooms_made);
    made->rooms[made->rooms_count++] = made->matrix_room;
    world_member(world, arena_cstr(world->arena, made->matrix_room), mxids[user], mxids[user],
                 "invite>join");
    world_settle(world);
    ck_assert_str_eq(world_state(world, ACTOR_ROOM, made->key), "JOINED");
}

static void log_in(struct sim *sim, size_t user)
{
    struct world *world = &sim->world;
    sim->users[user] = (struct sim_user){
        .mxid = slice_from_cstr(mxids[user]),
        .account = slice_from_cstr(accounts[user]),
        .chat = slice_from_cstr(chats[user]),
    };
    world->peers.account = accounts[user];
    flow_chat(world, chats[user], mxids[user]);
    const struct slice state = flow_state(world);
    const struct slice cookie = flow_begin(world);
    ck_assert_int_eq(flow_callback(world, state, cookie)->status, 200);
}

void sim_people_begin(struct sim *sim)
{
    struct world *world = &sim->world;
    world->peers.rooms = rooms_json;
    for (size_t user = 0; user < sim->users_count; user++) {
        log_in(sim, user);
        for (size_t room = 0; room < sim->rooms_count; room++) {
            bridge(sim, user, room);
        }
    }
    world_wait(world, OPEN_MS);
    sim->matrix_events_count = world->peers.events_count;
    sim->joins_seen = world->peers.facts_count;
}

/* What is said */

static void speak_on_matrix(struct sim *sim)
{
    const size_t b = (size_t)sim_random(sim, sim->bridges_count);
    const struct sim_bridge *bridge = &sim->bridges[b];
    const char *text = some_text(sim);
    if (bridge->is_free || sim->said_count == SIM_SAID_MAX) {
        return;
    }
    const struct slice content =
        arena_printf(sim->world.arena, "{\"msgtype\":\"m.text\",\"body\":\"%s\"}", text);
    sim->said[sim->said_count] = (struct sim_said){
        .event_id =
            sim_push_content(sim, bridge->matrix_room, sim->users[bridge->user].mxid, content),
        .bridge = b,
        .text = slice_from_cstr(text),
    };
    sim->said_count++;
}

static void edit_on_matrix(struct sim *sim)
{
    if (sim->said_count == 0 || sim->said_count == SIM_SAID_MAX) {
        return;
    }
    const struct sim_said *edited = &sim->said[sim_random(sim, sim->said_count)];
    const struct sim_bridge *bridge = &sim->bridges[edited->bridge];
    if (edited->is_excused || bridge->is_free) {
        return;
    }
    const struct slice content = arena_printf(
        sim->world.arena,
        "{\"msgtype\":\"m.text\",\"body\":\"* edited\",\"m.new_content\":{\"msgtype\":\"m.text\","
        "\"body\":\"edited\"},\"m.relates_to\":{\"rel_type\":\"m.replace\",\"event_id\":\"%.*s\"}}",
        SLICE_ARGS(edited->event_id));
    sim->said[sim->said_count] = (struct sim_said){
        .event_id =
            sim_push_content(sim, bridge->matrix_room, sim->users[bridge->user].mxid, content),
        .bridge = edited->bridge,
        .text = SLICE("edited"),
        .is_excused = true,
    };
    sim->said_count++;
}

static void say_on_gitter(struct sim *sim, const char *user)
{
    struct world *world = &sim->world;
    const char *room = room_ids[sim_random(sim, sim->rooms_count)];
    const char *text = some_text(sim);
    if (world->peers.messages_count < PEERS_ITEMS_MAX - SIM_SAID_MAX) {
        (void)peers_say(&world->peers, room, user, text, world->now_ms);
    }
}

/* Outsiders change what they said. */
static void change_on_gitter(struct sim *sim)
{
    struct world *world = &sim->world;
    if (world->peers.messages_count == 0) {
        return;
    }
    const size_t i = (size_t)sim_random(sim, world->peers.messages_count);
    struct peer_message *message = &world->peers.messages[i];
    if (message->is_removed || message->user.len == 0 || message->user.ptr[0] < 'd') {
        return;
    }
    if (sim_chance(sim, 40)) {
        message->is_removed = true;
        sim->messages[i].excused = UINT32_MAX; /* gone before it was read */
    } else {
        message->text = slice_from_cstr(some_text(sim));
        message->edited_ms = world->now_ms;
    }
}

/* What befalls them */

static void cut_a_link(struct sim *sim)
{
    struct world *world = &sim->world;
    struct world_link *link = &world->links[sim_random(sim, world->links_count)];
    const struct msg_link_down down = {
        .owner = link->owner, .session = link->session, .why = SLICE("ENDED")};
    if (link->session != 0) {
        link->session = 0;
        world_queue(world, MSG_LINK_DOWN, &down);
    }
}

static void forget_transactions(struct sim *sim)
{
    struct peers *peers = &sim->world.peers;
    for (size_t i = 0; i < peers->events_count; i++) {
        peers->events[i].txn = SLICE("(forgotten)");
    }
    sim->forgotten_at = peers->events_count;
}

/* From now on nothing of this bridge is promised, neither what is on its way. */
static void leave_room(struct sim *sim)
{
    const size_t b = (size_t)sim_random(sim, sim->bridges_count);
    struct sim_bridge *bridge = &sim->bridges[b];
    if (bridge->is_free || bridge->rooms_count == SIM_REBRIDGED_MAX) {
        return;
    }
    bridge->is_free = true;
    bridge->again_at_ms = sim->world.now_ms + 1 + (int64_t)sim_random(sim, 60 * 1000);
    bridge->open_at_ms = 0;
    sim_push_member(sim, bridge->matrix_room, sim->users[bridge->user].mxid, "join>leave");
    for (size_t i = 0; i < sim->said_count; i++) {
        sim->said[i].is_left = sim->said[i].is_left || sim->said[i].bridge == b;
        sim->said[i].is_excused = sim->said[i].is_excused || sim->said[i].is_left;
    }
    for (size_t i = 0; i < sim->world.peers.messages_count; i++) {
        sim->messages[i].excused |= 1U << b;
    }
}

static void revoke(struct sim *sim)
{
    struct sim_user *user = &sim->users[sim_random(sim, sim->users_count)];
    if (!user->is_revoked) {
        user->is_revoked = true;
        user->login_at_ms = sim->world.now_ms + 1 + (int64_t)sim_random(sim, 90 * 1000);
    }
}

static void befall(struct sim *sim)
{
    if (sim_strikes(sim, SIM_CUT)) {
        cut_a_link(sim);
    }
    if (sim_strikes(sim, SIM_DOWN)) {
        sim->world.is_gitter_down = !sim->world.is_gitter_down;
    }
    if (sim_chance(sim, 30) && sim_strikes(sim, SIM_FORGOTTEN)) {
        forget_transactions(sim);
    }
    if (sim_chance(sim, 30) && sim_strikes(sim, SIM_REVOKED)) {
        revoke(sim);
    }
    if (sim_chance(sim, 30) && sim_strikes(sim, SIM_LEFT)) {
        leave_room(sim);
    }
}

void sim_people_act(struct sim *sim)
{
    const uint64_t acts = sim_random(sim, 4);
    for (uint64_t i = 0; i < acts; i++) {
        const uint64_t what = sim_random(sim, 100);
        if (what < 40) {
            speak_on_matrix(sim);
        } else if (what < 75) {
            say_on_gitter(sim, outsiders[sim_random(sim, sizeof outsiders / sizeof *outsiders)]);
        } else if (what < 88) {
            say_on_gitter(sim, accounts[sim_random(sim, sim->users_count)]);
        } else if (what < 95) {
            change_on_gitter(sim);
        } else {
            edit_on_matrix(sim);
        }
        sim_notice(sim);
    }
    befall(sim);
}

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
    user->is_revoked = false;
    world->peers.account = arena_cstr(world->arena, user->account);
    (void)page_is_got(
        sim, (struct msg_web){
                 .method = SLICE("GET"),
                 .path = SLICE("/callback"),
                 .query = arena_printf(world->arena, "code=abc&state=%.*s", SLICE_ARGS(state)),
                 .cookie = web.cookie,
             });
}

static void log_in_again(struct sim *sim, struct sim_user *user)
{
    const bool was_calm = sim->is_calm;
    const int fuse = sim->world.fuse;
    size_t before = 0;
    size_t after = 0;
    (void)link_of(sim, user, &before);
    sim->is_calm = true;
    sim->world.fuse = -1;
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
    sim->is_calm = was_calm;
    sim->world.fuse = fuse;
}

static void mind_login(struct sim *sim, struct sim_user *user)
{
    const char *state = world_state(&sim->world, ACTOR_USER, user->mxid);
    if (slice_equal(slice_from_cstr(state), SLICE("AUTHED"))) {
        if (sim->is_calm) {
            user->is_revoked = false; /* nobody has noticed */
        }
        return;
    }
    if (user->login_at_ms == 0) {
        user->login_at_ms = sim->world.now_ms + AGAIN_MS;
    }
    if (user->login_at_ms <= sim->world.now_ms &&
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

static void mind_bridge(struct sim *sim, struct sim_bridge *bridge)
{
    struct world *world = &sim->world;
    const struct sim_user *user = &sim->users[bridge->user];
    const struct room *room = world_peek(world, ACTOR_ROOM, bridge->key);
    const bool is_joined =
        slice_equal(slice_from_cstr(world_state(world, ACTOR_ROOM, bridge->key)), SLICE("JOINED"));
    if (is_joined && !slice_equal(room->matrix_room, bridge->matrix_room)) {
        bridge->matrix_room = arena_copy(world->arena, room->matrix_room);
        bridge->rooms[bridge->rooms_count++] = bridge->matrix_room;
        bridge->open_at_ms = world->now_ms + OPEN_MS;
    } else if (bridge->open_at_ms != 0 && bridge->open_at_ms <= world->now_ms) {
        bridge->is_free = false;
    } else if (bridge->open_at_ms == 0 && bridge->again_at_ms <= world->now_ms) {
        bridge->again_at_ms = world->now_ms + AGAIN_MS;
        (void)sim_push_content(sim, user->chat, user->mxid,
                               arena_printf(world->arena,
                                            "{\"msgtype\":\"m.text\",\"body\":\"invite acme/%s\"}",
                                            room_names[bridge->room]));
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
        if (sim->users[i].is_revoked) {
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
