/* What the user is told about themselves and the bridge, and the closing of rooms: nothing of it
 * asks Gitter. */
#include "actors/feed/feed.h"
#include "actors/lines.h"
#include "actors/room/room.h"
#include "actors/user/user.h"

/* "2026-11-23 22:13 UTC" */
static struct slice print_when(struct turn *turn, int64_t ms)
{
    struct slice day = gitter_time_print(turn_arena(turn), ms);
    const struct slice time = slice_first(slice_from(day, sizeof "2026-11-23T" - 1), 5);
    day = slice_first(day, sizeof "2026-11-23" - 1);
    return arena_printf(turn_arena(turn), "%.*s %.*s UTC", SLICE_ARGS(day), SLICE_ARGS(time));
}

static enum text account_text(int state)
{
    switch ((enum user_state)state) {
    case USER_AUTHORISING:
        return TEXT_ACCOUNT_PENDING;
    case USER_AUTHED:
        return TEXT_ACCOUNT_LIVE;
    case USER_EXPIRED:
        return TEXT_ACCOUNT_EXPIRED;
    case USER_LEAVING:
        return TEXT_ACCOUNT_LEAVING;
    case USER_UNAUTHENTICATED:
    case USER_ANY:
        break;
    }
    return TEXT_ACCOUNT_NONE;
}

struct slice user_account_words(struct turn *turn, const struct user *user, int state)
{
    return TEXT_RENDER(turn_arena(turn), account_text(state), {"name", user->gitter_name}).plain;
}

static struct slice connection_words(struct turn *turn, struct slice owner)
{
    struct arena *arena = turn_arena(turn);
    int state = FEED_OFF;
    const struct feed *feed = turn_peek(turn, (struct actor_ref){ACTOR_FEED, owner}, &state);
    if (feed == NULL || state == FEED_OFF) {
        return text_template(TEXT_FEED_IS_OFF);
    }
    if (state == FEED_WAITING) {
        return TEXT_RENDER(arena, TEXT_FEED_IS_WAITING,
                           {"when", print_when(turn, feed->deadline_ms)})
            .plain;
    }
    return text_template(state == FEED_LIVE ? TEXT_FEED_IS_LIVE : TEXT_FEED_IS_CONNECTING);
}

static struct slice trouble_words(struct turn *turn, const struct user *user)
{
    if (user->trouble.len == 0) {
        return text_template(TEXT_TROUBLE_NONE);
    }
    return TEXT_RENDER(turn_arena(turn), TEXT_TROUBLE_AT,
                       {"when", print_when(turn, user->trouble_ms)}, {"why", user->trouble})
        .plain;
}

static struct slice number(struct turn *turn, size_t value)
{
    return arena_printf(turn_arena(turn), "%zu", value);
}

static struct slice incoming_words(struct turn *turn, struct slice owner)
{
    const struct slice count =
        number(turn, (size_t)turn_waiting(turn, owner, CALL_AUTH_APPSERVICE));
    return is_crowded(turn, owner)
               ? TEXT_RENDER(turn_arena(turn), TEXT_STATUS_CROWDED, {"count", count}).plain
               : count;
}

struct text_pair user_report(struct turn *turn, const struct user *user, int state)
{
    struct actor_entry *rooms = NULL;
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", user->key, &rooms);
    size_t joined = 0;
    size_t pending = 0;
    for (size_t i = 0; i < count; i++) {
        joined += rooms[i].state == ROOM_JOINED ? 1 : 0;
        pending += rooms[i].state != ROOM_JOINED && room_state_is_bridged(rooms[i].state) ? 1 : 0;
    }
    return TEXT_RENDER(
        turn_arena(turn), TEXT_STATUS, {"user", user->key},
        {"account", user_account_words(turn, user, state)}, {"bridged", number(turn, joined)},
        {"pending", number(turn, pending)}, {"connection", connection_words(turn, user->key)},
        {"queued", number(turn, (size_t)turn_waiting(turn, user->key, CALL_AUTH_OWNER))},
        {"incoming", incoming_words(turn, user->key)}, {"trouble", trouble_words(turn, user)});
}

void user_run_status(struct turn *turn, struct user *user, const struct command_line *line)
{
    int state = USER_UNAUTHENTICATED;
    (void)line;
    (void)turn_exists(turn, (struct actor_ref){ACTOR_USER, user->key}, &state);
    const struct text_pair report = user_report(turn, user, state);
    user_say(turn, user, &report);
}

/* unbridge */

static bool is_called(const struct user *user, const struct room *room, struct slice name)
{
    const struct slice bare = slice_starts_with(name, SLICE("/")) ? slice_from(name, 1) : name;
    int64_t place = 0;
    if (slice_to_int(name, &place) == RC_OK) {
        return place > 0 && slice_equal(room->gitter_room, lines_id(user->listed, place));
    }
    return slice_equal_fold(room->label, bare) || slice_equal_fold(room->name, bare);
}

void user_run_unbridge(struct turn *turn, struct user *user, const struct command_line *line)
{
    const struct msg_unbridge unbridge = {.why = text_template(TEXT_UNBRIDGED_REASON),
                                          .kick = true};
    struct actor_entry *rooms = NULL;
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", user->key, &rooms);
    for (size_t i = 0; i < count; i++) {
        const struct actor_ref ref = {ACTOR_ROOM, rooms[i].key};
        int state = 0;
        const struct room *room = turn_peek(turn, ref, &state);
        if (room != NULL && room_state_is_bridged(state) && is_called(user, room, line->argument)) {
            turn_send(turn, ref, MSG_ROOM_UNBRIDGE, &unbridge);
            USER_SAY(turn, user, TEXT_UNBRIDGED, {"room", room->label});
            return;
        }
    }
    USER_SAY(turn, user, TEXT_NOT_BRIDGED, {"room", line->argument});
}
