#include "tests/trace/flow.h"

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

void flow_login(struct world *world)
{
    flow_chat(world, CHAT, ALICE);
    const struct slice state = flow_state(world);
    const struct slice cookie = flow_begin(world);
    ck_assert_int_eq(flow_callback(world, state, cookie)->status, 200);
    world_forget(world);
}

void flow_bridge(struct world *world)
{
    world->peers.rooms = flow_rooms;
    flow_login(world);
    (void)world_text(world, CHAT, ALICE, "invite acme/ops");
    world_settle(world);
    world_member(world, "!made1", ALICE, ALICE, "invite>join");
    world_settle(world);
    world_assert_state(world, ACTOR_ROOM, ROOM_KEY, "JOINED");
    world_forget(world);
}
