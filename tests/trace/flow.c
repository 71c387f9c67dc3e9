#include "tests/trace/flow.h"

#include "actors/room/room.h"
#include "tests/unit/slice_check.h"

const char flow_rooms[] =
    "[{\"id\":\"r1\",\"name\":\"acme/ops\",\"uri\":\"acme/ops\",\"url\":\"/acme/ops\","
    "\"topic\":\"Operations\",\"roomMember\":true,\"lastAccessTime\":\"2023-01-02T00:00:00.000Z\"},"
    "{\"id\":\"r2\",\"name\":\"Beta/dev\",\"uri\":\"Beta/dev\",\"url\":\"/Beta/dev\","
    "\"roomMember\":true,\"lastAccessTime\":\"2023-01-03T00:00:00.000Z\"},"
    "{\"id\":\"r3\",\"name\":\"alpha/all\",\"uri\":\"alpha/all\",\"url\":\"/alpha/all\","
    "\"roomMember\":true,\"lastAccessTime\":\"2023-01-01T00:00:00.000Z\"},"
    "{\"id\":\"r4\",\"name\":\"seen/only\",\"uri\":\"seen/only\",\"url\":\"/seen/only\","
    "\"roomMember\":false}]";

void flow_chat(struct world *world, const char *room, const char *user)
{
    world->peers.members = arena_printf(world->arena, "{\"" BOT "\":{},\"%s\":{}}", user).ptr;
    world_member(world, room, user, BOT, "invite");
    world_settle(world);
}

/* Of the last login link in what the bot sent. */
struct slice flow_link(struct world *world)
{
    const struct slice path = SLICE("/auth_gitter/");
    for (size_t i = world->peers.events_count; i-- > 0;) {
        struct slice body = world->peers.events[i].body;
        const size_t at = slice_find(body, path);
        if (at < body.len) {
            body = slice_from(body, at);
            size_t len = path.len;
            while (len < body.len && body.ptr[len] > ' ') {
                len++;
            }
            return slice_first(body, len);
        }
    }
    ck_abort_msg("no link was given");
    return SLICE_EMPTY;
}

struct slice flow_state(struct world *world)
{
    return slice_from(flow_link(world), sizeof "/auth_gitter/" - 1);
}

struct slice flow_open(struct world *world)
{
    const struct world_page *page = world_web(world, "GET", flow_link(world), SLICE_EMPTY);
    ck_assert_int_eq(page->status, 200);
    return slice_first(page->set_cookie, slice_find_byte(page->set_cookie, ';'));
}

struct world_page *flow_press(struct world *world, struct slice cookie)
{
    struct slice value = cookie;
    (void)slice_cut(&value, '=');
    const struct slice form = arena_printf(world->arena, "proof=%.*s", SLICE_ARGS(value));
    return world_submit(world, flow_link(world), cookie, form);
}

struct slice flow_begin(struct world *world)
{
    const struct slice cookie = flow_open(world);
    ck_assert_int_eq(flow_press(world, cookie)->status, 303);
    return cookie;
}

struct world_page *flow_callback(struct world *world, struct slice state, struct slice cookie)
{
    const struct slice target =
        arena_printf(world->arena, "/callback?code=abc&state=%.*s", SLICE_ARGS(state));
    return world_web(world, "GET", target, cookie);
}

void flow_follow_link(struct world *world, const char *account)
{
    world->peers.account = account;
    const struct slice state = arena_copy(world->arena, flow_state(world));
    const struct slice cookie = flow_begin(world);
    ck_assert_int_eq(flow_callback(world, state, cookie)->status, 200);
}

void flow_command(struct world *world, const char *text)
{
    world_text(world, CHAT, ALICE, text);
    world_settle(world);
}

void flow_ask(struct world *world, const char *text, const char *answer)
{
    flow_ask_as(world, CHAT, ALICE, text, answer);
}

void flow_ask_as(
    struct world *world, const char *room, const char *user, const char *text, const char *answer)
{
    const size_t before = world->peers.events_count;
    world_text(world, room, user, text);
    world_settle(world);
    ck_assert_uint_eq(world->peers.events_count, before + 1);
    ck_slice_eq(flow_last_event(world)->body, slice_from_cstr(answer));
}

const struct peer_event *flow_last_event(const struct world *world)
{
    ck_assert_uint_gt(world->peers.events_count, 0);
    return &world->peers.events[world->peers.events_count - 1];
}

void flow_invite(struct world *world)
{
    flow_command(world, "invite acme/ops");
    world_member(world, "!made1", ALICE, ALICE, "invite>join");
    world_settle(world);
    world_assert_state(world, ACTOR_ROOM, ROOM_KEY, "JOINED");
}

void flow_login(struct world *world)
{
    flow_chat(world, CHAT, ALICE);
    flow_follow_link(world, world->peers.account);
    world_forget(world);
}

void flow_bridge(struct world *world)
{
    world->peers.rooms = flow_rooms;
    flow_login(world);
    flow_invite(world);
    world_forget(world);
}

void flow_restart(struct world *world)
{
    world_crash(world);
    world_settle(world);
    world_wait(world, 2000);
}

void flow_assert_mustered(struct world *world)
{
    const char *state = world_state(world, ACTOR_MUSTER, SLICE(BOT));
    ck_assert_msg(*state == '-' || *state == 'I', "it is %s", state);
}

struct slice flow_fact(struct world *world, const char *what, const char *room, const char *rest)
{
    return arena_printf(world->arena, "%s %s %s", what, room, rest);
}

void flow_record(struct world *world, const char *channel, const char *operation, const char *model)
{
    const struct msg_link_record record = {
        .owner = SLICE(ALICE),
        .session = world->sessions,
        .channel = slice_from_cstr(channel),
        .data = arena_printf(world->arena, "{\"operation\":\"%s\",\"model\":%s}", operation, model),
    };
    world_post(world, MSG_LINK_RECORD, &record);
    world_settle(world);
}

void flow_refuse_token(struct world *world)
{
    const struct msg_owner owner = {.owner = SLICE(ALICE)};
    world_post(world, MSG_TOKEN_REFUSED, &owner);
    world_settle(world);
}

void flow_put_tombstone(struct world *world)
{
    (void)world_event(world,
                      SLICE("{\"event_id\":\"$tomb\",\"type\":\"m.room.tombstone\",\"room_id\":"
                            "\"!made1\",\"sender\":\"" ALICE "\",\"state_key\":\"\",\"content\":"
                            "{\"replacement_room\":\"!other\"}}"));
    world_settle(world);
}

void flow_say_before(struct world *world)
{
    static const char *const speakers[] = {"zoe", "bob", "eve", "bob", "eve", "eve"};
    for (size_t i = 0; i < MACHINE_COUNT(speakers); i++) {
        peers_say(&world->peers, "r1", speakers[i], "long ago", world->now_ms - 60 * 60 * 1000);
    }
}

int64_t flow_posts(struct world *world)
{
    return ((const struct room *)world_peek(world, ACTOR_ROOM, SLICE(ROOM_KEY)))->posts;
}
