/* What the user asks about their Gitter rooms: list, invite, and the invitations after a login. */
#include "actors/room/room.h"
#include "actors/user/user.h"
#include "runtime/base/buf.h"

#include <inttypes.h>
#include <stdlib.h>

static void fetch_rooms(struct turn *turn, const struct user *user, int purpose, struct slice ref)
{
    const struct gitter_request request = gitter_rooms_request(turn_arena(turn));
    struct call call = call_gitter(purpose, &request, user_lane(turn, user), user->key);
    call.ref = ref;
    turn_call(turn, &call);
}

void user_do_list(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    fetch_rooms(turn, next, MSG_USER_LIST_ENDED, SLICE_EMPTY);
}

void user_do_fetch_offer(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    fetch_rooms(turn, next, MSG_USER_OFFER_ENDED, SLICE_EMPTY);
}

void user_do_invite(void *next, const struct msg *msg, struct turn *turn)
{
    const struct msg_command *command = msg->body;
    if (command->argument.len == 0) {
        const struct text_pair usage = TEXT_PLAIN(turn_arena(turn), TEXT_INVITE_USAGE);
        user_say(turn, next, &usage);
        return;
    }
    fetch_rooms(turn, next, MSG_USER_INVITE_ENDED, command->argument);
}

void user_do_say_failed(void *next, const struct msg *msg, struct turn *turn)
{
    USER_SAY(turn, next, TEXT_GITTER_FAILED, {"why", why_failed(turn_arena(turn), ended_of(msg))});
}

/* The rooms the user is in: not those where they were only mentioned. */
struct own_rooms {
    struct gitter_room *rooms;
    size_t count;
};

static bool own_rooms_read(struct turn *turn, const struct msg *msg, struct own_rooms *out)
{
    size_t kept = 0;
    if (gitter_rooms_parse(turn_arena(turn), ended_of(msg)->body, &out->rooms, &out->count) !=
        RC_OK) {
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        if (out->rooms[i].is_member || !out->rooms[i].has_is_member) {
            out->rooms[kept] = out->rooms[i];
            kept++;
        }
    }
    out->count = kept;
    return true;
}

static void say_unreadable(struct turn *turn, const struct user *user)
{
    USER_SAY(turn, user, TEXT_GITTER_FAILED, {"why", text_template(TEXT_WHY_BAD)});
}

static bool is_bridged(struct turn *turn, const struct user *user, const struct gitter_room *room)
{
    int state = 0;
    const struct slice key = key_of_room(turn_arena(turn), user->key, room->id);
    return turn_exists(turn, (struct actor_ref){ACTOR_ROOM, key}, &state) &&
           room_state_is_bridged(state);
}

static int by_label(const void *a, const void *b)
{
    const struct gitter_room *left = a;
    const struct gitter_room *right = b;
    const int order = slice_compare_fold(gitter_room_label(left), gitter_room_label(right));
    return order != 0 ? order : slice_compare(left->id, right->id);
}

static int by_activity(const void *a, const void *b)
{
    const struct gitter_room *left = a;
    const struct gitter_room *right = b;
    if (left->last_access_ms != right->last_access_ms) {
        return left->last_access_ms > right->last_access_ms ? -1 : 1;
    }
    return by_label(a, b);
}

static void sort_rooms(struct own_rooms *own, int (*compare)(const void *, const void *))
{
    if (own->count > 1) {
        qsort(own->rooms, own->count, sizeof own->rooms[0], compare);
    }
}

void user_do_show_list(void *next, const struct msg *msg, struct turn *turn)
{
    const struct user *user = next;
    struct own_rooms own = {0};
    struct buf lines;
    buf_init(&lines, turn_arena(turn));
    if (!own_rooms_read(turn, msg, &own)) {
        say_unreadable(turn, user);
        return;
    }
    sort_rooms(&own, by_label);
    for (size_t i = 0; i < own.count; i++) {
        const struct slice label = gitter_room_label(&own.rooms[i]);
        buf_printf(&lines, "%s - %.*s%s", i == 0 ? "" : "\n", SLICE_ARGS(label),
                   is_bridged(turn, user, &own.rooms[i]) ? " *" : "");
    }
    if (own.count == 0) {
        const struct text_pair empty = TEXT_PLAIN(turn_arena(turn), TEXT_LIST_EMPTY);
        user_say(turn, user, &empty);
        return;
    }
    USER_SAY(turn, user, TEXT_LIST_HEADER, {"rooms", buf_slice(&lines)});
}

static void
bridge(struct turn *turn, const struct user *user, const struct gitter_room *room, bool is_asked)
{
    const struct msg_bridge msg = {
        .owner = user->key,
        .gitter_room = room->id,
        .label = gitter_room_label(room),
        .name = room->name.len > 0 ? room->name : gitter_room_label(room),
        .topic = room->topic,
        .gitter_user = user->gitter_id,
        .gitter_name = user->gitter_name,
        .is_asked = is_asked,
    };
    const struct slice key = key_of_room(turn_arena(turn), user->key, room->id);
    turn_send(turn, (struct actor_ref){ACTOR_ROOM, key}, MSG_ROOM_BRIDGE, &msg);
}

/* Bridges the first `max` of the rooms that are not bridged yet; returns how many. */
static size_t
bridge_some(struct turn *turn, const struct user *user, const struct own_rooms *own, size_t max)
{
    size_t bridged = 0;
    for (size_t i = 0; i < own->count && bridged < max; i++) {
        if (!is_bridged(turn, user, &own->rooms[i])) {
            bridge(turn, user, &own->rooms[i], false);
            bridged++;
        }
    }
    return bridged;
}

static struct slice number(struct turn *turn, size_t count)
{
    return arena_printf(turn_arena(turn), "%zu", count);
}

void user_do_offer_rooms(void *next, const struct msg *msg, struct turn *turn)
{
    const struct user *user = next;
    const size_t max = (size_t)settings_of(turn)->login_invites_max;
    struct own_rooms own = {0};
    size_t missing = 0;
    if (!own_rooms_read(turn, msg, &own)) {
        say_unreadable(turn, user);
        return;
    }
    for (size_t i = 0; i < own.count; i++) {
        missing += is_bridged(turn, user, &own.rooms[i]) ? 0 : 1;
    }
    if (missing == 0) {
        return;
    }
    if (max == 0) {
        USER_SAY(turn, user, TEXT_OFFERING_ROOMS, {"total", number(turn, own.count)});
        return;
    }
    sort_rooms(&own, by_activity);
    const size_t bridged = bridge_some(turn, user, &own, max);
    if (bridged < missing) {
        USER_SAY(turn, user, TEXT_INVITING_FIRST, {"count", number(turn, bridged)},
                 {"total", number(turn, own.count)});
    } else {
        USER_SAY(turn, user, TEXT_INVITING_SOME, {"count", number(turn, bridged)});
    }
}

static void invite_all(struct turn *turn, const struct user *user, struct own_rooms *own)
{
    sort_rooms(own, by_activity);
    const size_t bridged = bridge_some(turn, user, own, own->count);
    if (bridged == 0) {
        const struct text_pair none = TEXT_PLAIN(turn_arena(turn), TEXT_INVITING_NONE);
        user_say(turn, user, &none);
        return;
    }
    USER_SAY(turn, user, TEXT_INVITING_SOME, {"count", number(turn, bridged)});
}

static bool is_called(const struct gitter_room *room, struct slice name)
{
    const struct slice bare = slice_starts_with(name, SLICE("/")) ? slice_from(name, 1) : name;
    return slice_equal_fold(gitter_room_label(room), bare) || slice_equal_fold(room->name, bare) ||
           slice_equal_fold(room->uri, bare);
}

void user_do_invite_found(void *next, const struct msg *msg, struct turn *turn)
{
    const struct user *user = next;
    const struct slice name = ended_of(msg)->ref;
    struct own_rooms own = {0};
    if (!own_rooms_read(turn, msg, &own)) {
        say_unreadable(turn, user);
        return;
    }
    if (slice_equal_fold(name, SLICE("all"))) {
        invite_all(turn, user, &own);
        return;
    }
    sort_rooms(&own, by_label);
    for (size_t i = 0; i < own.count; i++) {
        if (is_called(&own.rooms[i], name)) {
            bridge(turn, user, &own.rooms[i], true);
            return;
        }
    }
    USER_SAY(turn, user, TEXT_NO_SUCH_ROOM, {"room", slice_first(name, 255)});
}
