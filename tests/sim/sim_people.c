/* Who says what on both sides. */
#include "tests/sim/sim.h"

#include "tests/trace/flow.h"

enum {
    OPEN_MS = 5 * 1000,
    GITTER_MESSAGES_MAX = 512,
    FEW_CALLS_MAX = 16,
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

const char *sim_room_id(size_t room)
{
    return room_ids[room];
}

const char *sim_room_name(size_t room)
{
    return room_names[room];
}

void sim_list_people(struct sim *sim)
{
    struct buf list;
    struct peers *peers = &sim->world.peers;
    buf_init(&list, sim->world.arena);
    for (size_t i = 0; i < 2; i++) {
        const struct slice name = peers_name(peers, slice_from_cstr(outsiders[i]));
        buf_printf(&list, "%s{\"id\":\"%s\",\"username\":\"%s\",\"displayName\":\"%.*s\"}",
                   i == 0 ? "[" : ",", outsiders[i], outsiders[i], SLICE_ARGS(name));
    }
    BUF_PUT(&list, "]");
    peers->people = arena_cstr(sim->world.arena, buf_slice(&list));
}

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

/* In each third run an owner may have but a few calls waiting for the homeserver. */
static int64_t few_calls(uint64_t seed)
{
    return seed % 3 == 2 ? (int64_t)(seed / 3 % FEW_CALLS_MAX) + 1 : 0;
}

void sim_people_begin(struct sim *sim)
{
    struct world *world = &sim->world;
    world->peers.rooms = rooms_json;
    sim_list_people(sim);
    world->settings.room_members_max = 30;
    world->settings.owner_incoming_max = few_calls(sim->seed);
    world->is_peopled = true;
    for (size_t user = 0; user < sim->users_count; user++) {
        log_in(sim, user);
        for (size_t room = 0; room < sim->rooms_count; room++) {
            bridge(sim, user, room);
        }
    }
    world_wait(world, OPEN_MS);
    sim->now_ms = world->now_ms;
    sim->matrix_events_count = world->peers.events_count;
    sim->joins_seen = world->peers.facts_count;
}

/* What is said */

static struct sim_said *
keep_said(struct sim *sim, size_t bridge, struct slice event_id, struct slice text)
{
    struct sim_said *said = &sim->said[sim->said_count];
    *said = (struct sim_said){
        .event_id = event_id, .bridge = bridge, .text = text, .edits = sim->said_count};
    sim->said_count++;
    return said;
}

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
    const struct slice id =
        sim_push_content(sim, bridge->matrix_room, sim->users[bridge->user].mxid, content);
    (void)keep_said(sim, b, id, slice_from_cstr(text));
}

/* Something the owner has said, often the last, so that its post is still under way. */
static size_t some_said(struct sim *sim)
{
    const size_t last = sim->said_count < 4 || sim_chance(sim, 40) ? sim->said_count : 4;
    return sim->said_count - 1 - (size_t)sim_random(sim, last);
}

static void change_on_matrix(struct sim *sim)
{
    struct arena *arena = sim->world.arena;
    if (sim->said_count == 0 || sim->said_count == SIM_SAID_MAX) {
        return;
    }
    const size_t changed = some_said(sim);
    const struct sim_said *said = &sim->said[changed];
    const struct sim_bridge *bridge = &sim->bridges[said->bridge];
    const struct slice owner = sim->users[bridge->user].mxid;
    if (said->edits != changed || said->is_left || said->is_removed || bridge->is_free) {
        return;
    }
    const bool is_removal = sim_chance(sim, 30);
    const char *text = is_removal ? "" : arena_printf(arena, "edit %zu", sim->said_count).ptr;
    const struct slice content = arena_printf(
        arena,
        "{\"msgtype\":\"m.text\",\"body\":\"* %s\",\"m.new_content\":{\"msgtype\":\"m.text\","
        "\"body\":\"%s\"},\"m.relates_to\":{\"rel_type\":\"m.replace\",\"event_id\":\"%.*s\"}}",
        text, text, SLICE_ARGS(said->event_id));
    const struct slice id =
        is_removal ? sim_push_redaction(sim, bridge->matrix_room, owner, said->event_id)
                   : sim_push_content(sim, bridge->matrix_room, owner, content);
    struct sim_said *change = keep_said(sim, said->bridge, id, slice_from_cstr(text));
    change->edits = changed;
    change->is_removal = is_removal;
    sim->said[changed].is_edited = true;
    sim->said[changed].is_removed = is_removal;
}

static void say_on_gitter(struct sim *sim, const char *user)
{
    struct world *world = &sim->world;
    const char *room = room_ids[sim_random(sim, sim->rooms_count)];
    const char *text = some_text(sim);
    const bool is_banned =
        peers_have_barred(&world->peers, "banned", slice_from_cstr(room), slice_from_cstr(user));
    if (!is_banned && world->peers.messages_count < GITTER_MESSAGES_MAX) {
        (void)peers_say(&world->peers, room, user, text, sim->now_ms);
    }
}

/* Somebody changes what they said; often the last, while it is still on its way. What stands for
 * an event may have been written by its owner here too. */
static void change_on_gitter(struct sim *sim)
{
    struct peers *peers = &sim->world.peers;
    if (peers->messages_count == 0) {
        return;
    }
    const size_t last =
        peers->messages_count < 5 || sim_chance(sim, 40) ? peers->messages_count : 5;
    const size_t i = peers->messages_count - 1 - (size_t)sim_random(sim, last);
    struct peer_message *message = &peers->messages[i];
    if (message->is_removed) {
        return;
    }
    sim->messages[i].is_touched = true;
    if (sim_chance(sim, 40)) {
        message->is_removed = true;
    } else {
        message->text = slice_from_cstr(some_text(sim));
        peers_stamp_edit(message, sim->now_ms);
    }
}

/* Who is in the room on Gitter: they come and go, whether they speak or not. */
static void come_or_go(struct sim *sim)
{
    struct arena *arena = sim->world.arena;
    const char *room = room_ids[sim_random(sim, sim->rooms_count)];
    const char *user = outsiders[sim_random(sim, sizeof outsiders / sizeof *outsiders)];
    const struct slice name = peers_name(&sim->world.peers, slice_from_cstr(user));
    sim_tell_channel(
        sim, arena_printf(arena, "/api/v1/rooms/%s/users", room),
        arena_printf(arena,
                     "{\"operation\":\"%s\",\"model\":{\"id\":\"%s\",\"username\":\"%s\","
                     "\"displayName\":\"%.*s\"}}",
                     sim_chance(sim, 50) ? "create" : "remove", user, user, SLICE_ARGS(name)));
}

void sim_people_act(struct sim *sim)
{
    const uint64_t acts = sim_random(sim, 4);
    for (uint64_t i = 0; i < acts; i++) {
        const uint64_t what = sim_random(sim, 100);
        if (what < 36) {
            speak_on_matrix(sim);
        } else if (what < 66) {
            say_on_gitter(sim, outsiders[sim_random(sim, sizeof outsiders / sizeof *outsiders)]);
        } else if (what < 78) {
            say_on_gitter(sim, accounts[sim_random(sim, sim->users_count)]);
        } else if (what < 87) {
            change_on_gitter(sim);
        } else if (what < 96) {
            change_on_matrix(sim);
        } else {
            come_or_go(sim);
        }
        sim_notice(sim);
    }
}

void sim_people_say_goodbye(struct sim *sim)
{
    for (size_t i = 0; i < sizeof outsiders / sizeof *outsiders; i++) {
        (void)peers_say(&sim->world.peers, room_ids[0], outsiders[i], "bye", sim->now_ms);
        sim_notice(sim);
    }
}
