/* The connections to Gitter, and what they carry. */
#include "actors/user/user.h"
#include "tests/trace/world_parts.h"

struct world_link *world_link_of(struct world *world, struct slice owner)
{
    for (size_t i = 0; i < world->links_count; i++) {
        if (slice_equal(world->links[i].owner, owner)) {
            return &world->links[i];
        }
    }
    ck_assert_uint_lt(world->links_count, WORLD_LINKS_MAX);
    struct world_link *link = &world->links[world->links_count++];
    *link = (struct world_link){.owner = arena_copy(world->arena, owner)};
    return link;
}

void world_queue(struct world *world, int kind, const void *body)
{
    engine_post(world->engine, &(struct input){.msg = {kind, body}});
}

struct slice world_token(struct world *world, struct slice owner)
{
    int state = 0;
    const struct user *user =
        engine_peek(world->engine, (struct actor_ref){ACTOR_USER, user_of_owner(owner)}, &state);
    return user == NULL ? SLICE_EMPTY : arena_copy(world->arena, user_token(user, owner));
}

static void open_link(struct world *world, struct world_link *link)
{
    const struct slice token = world_token(world, link->owner);
    const struct slice account = peers_account(token);
    const bool is_refused = token.len == 0 || peers_have_revoked(&world->peers, account);
    if (world->is_gitter_down || is_refused) {
        const struct msg_link_down down = {
            .owner = link->owner,
            .why = is_refused && !world->is_gitter_down ? SLICE("REFUSED") : SLICE("FAILED"),
        };
        world_queue(world, MSG_LINK_DOWN, &down);
        return;
    }
    if (link->session != 0) {
        return; /* it was said to be up once */
    }
    world->sessions++;
    link->session = world->sessions;
    link->channels_count = 0;
    const struct msg_link_up up = {
        .owner = link->owner,
        .session = link->session,
        .gitter_user = world->is_peopled ? account : SLICE_EMPTY,
    };
    world_queue(world, MSG_LINK_UP, &up);
}

static struct slice room_of(struct slice channel)
{
    channel = slice_from(channel, sizeof "/api/v1/rooms/" - 1);
    return slice_first(channel, slice_find_byte(channel, '/'));
}

static void unsubscribe(struct world_link *link, struct slice channel)
{
    size_t kept = 0;
    for (size_t i = 0; i < link->channels_count; i++) {
        if (!slice_equal(link->channels[i], channel)) {
            link->channels[kept++] = link->channels[i];
        }
    }
    link->channels_count = kept;
}

static bool is_of_messages(struct slice channel)
{
    return slice_ends_with(channel, SLICE("/chatMessages"));
}

static void subscribe(struct world *world, struct world_link *link, struct slice channel)
{
    if (link->session == 0) {
        return;
    }
    unsubscribe(link, channel);
    ck_assert_uint_lt(link->channels_count, WORLD_CHANNELS_MAX);
    link->channels[link->channels_count++] = arena_copy(world->arena, channel);
    if (!is_of_messages(channel)) {
        return; /* nobody waits for the answers to these */
    }
    const struct msg_link_subscribed subscribed = {
        .owner = link->owner,
        .session = link->session,
        .channel = channel,
        .snapshot = peers_page(&world->peers, room_of(channel), SLICE_EMPTY, 30),
    };
    world_queue(world, MSG_LINK_SUBSCRIBED, &subscribed);
}

static void log_link(struct world *world, const char *verb, const struct link_order *order)
{
    buf_printf(&world->peers.log, "link %.*s %s", SLICE_ARGS(order->owner), verb);
    if (order->channel.len > 0) {
        buf_printf(&world->peers.log, " %.*s", SLICE_ARGS(room_of(order->channel)));
    }
    BUF_PUT(&world->peers.log, "\n");
}

void world_on_link(void *context, const struct link_order *order)
{
    static const char *const verbs[] = {[LINK_OPEN] = "open",
                                        [LINK_CLOSE] = "close",
                                        [LINK_SUBSCRIBE] = "subscribe",
                                        [LINK_UNSUBSCRIBE] = "unsubscribe"};
    struct world *world = context;
    struct world_link *link = world_link_of(world, order->owner);
    const bool is_logged = order->channel.len == 0 || is_of_messages(order->channel);
    if (!is_logged && !world->is_peopled) {
        return; /* people and lists of rooms: said by hand where a test is about them */
    }
    if (is_logged) {
        log_link(world, verbs[order->verb], order);
    }
    if (world->is_hand_linked) {
        return;
    }
    switch (order->verb) {
    case LINK_OPEN:
        open_link(world, link);
        break;
    case LINK_CLOSE:
        link->session = 0;
        break;
    case LINK_SUBSCRIBE:
        subscribe(world, link, order->channel);
        break;
    case LINK_UNSUBSCRIBE:
        unsubscribe(link, order->channel);
        break;
    }
}

/* Gitter's live channels */

void world_record(struct world *world, const char *room, const char *operation, struct slice model)
{
    for (size_t i = 0; i < world->links_count; i++) {
        const struct world_link *link = &world->links[i];
        for (size_t k = 0; link->session != 0 && k < link->channels_count; k++) {
            if (!slice_equal(room_of(link->channels[k]), slice_from_cstr(room))) {
                continue;
            }
            const struct msg_link_record record = {
                .owner = link->owner,
                .session = link->session,
                .channel = link->channels[k],
                .data = arena_printf(world->arena, "{\"operation\":\"%s\",\"model\":%.*s}",
                                     operation, SLICE_ARGS(model)),
            };
            world_queue(world, MSG_LINK_RECORD, &record);
        }
    }
    world_run(world);
}

struct slice world_says(struct world *world, const char *room, const char *user, const char *text)
{
    const struct peer_message *message = peers_say(&world->peers, room, user, text, world->now_ms);
    world_record(world, room, "create", peers_message_json(&world->peers, message));
    return message->id;
}

void world_unlink(struct world *world, const char *owner, const char *why)
{
    struct world_link *link = world_link_of(world, slice_from_cstr(owner));
    const struct msg_link_down down = {
        .owner = link->owner, .session = link->session, .why = slice_from_cstr(why)};
    link->session = 0;
    world_post(world, MSG_LINK_DOWN, &down);
}

void world_on_order(void *context, const struct order *order)
{
    struct world *world = context;
    if (order->verb == ORDER_RETRY) {
        BUF_PUT(&world->peers.log, "order: try again\n");
    } else if (order->verb == ORDER_READ) {
        world->peers.receipts++;
        world->peers.read_to = arena_copy(world->arena, order->what);
    } else {
        buf_printf(&world->peers.log, "audit %.*s: %.*s\n", SLICE_ARGS(order->who),
                   SLICE_ARGS(order->what));
    }
}
