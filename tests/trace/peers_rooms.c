#include "tests/trace/peers_rooms.h"

struct slice peers_fact_joined(struct peers *peers, struct slice room, struct slice user)
{
    return arena_printf(peers->arena, "joined %.*s %.*s", SLICE_ARGS(room), SLICE_ARGS(user));
}

static struct slice beginning_of_made(struct peers *peers, struct slice room)
{
    return arena_printf(peers->arena, "made %.*s for ", SLICE_ARGS(room));
}

void peers_note_made(struct peers *peers, struct slice marker)
{
    const struct slice room = arena_printf(peers->arena, "!made%d", peers->rooms_made);
    peers_note(peers, peers_fact_joined(peers, room, peers->bot));
    peers_note(peers, arena_printf(peers->arena, "%.*s%.*s",
                                   SLICE_ARGS(beginning_of_made(peers, room)), SLICE_ARGS(marker)));
}

struct peer_answer peers_forbid(void)
{
    return (struct peer_answer){403, SLICE("{\"errcode\":\"M_FORBIDDEN\",\"error\":\"no\"}")};
}

struct peer_answer peers_tell_rooms(struct peers *peers, struct slice user)
{
    const struct slice beginning = SLICE("joined ");
    struct buf out;
    bool is_first = true;
    buf_init(&out, peers->arena);
    BUF_PUT(&out, "{\"joined_rooms\":[");
    for (size_t i = 0; i < peers->facts_count; i++) {
        struct slice rest = peers->facts[i];
        if (!slice_starts_with(rest, beginning)) {
            continue;
        }
        rest = slice_from(rest, beginning.len);
        const struct slice room = slice_cut(&rest, ' ');
        if (slice_equal(rest, user)) {
            buf_printf(&out, "%s\"%.*s\"", is_first ? "" : ",", SLICE_ARGS(room));
            is_first = false;
        }
    }
    BUF_PUT(&out, "]}");
    return (struct peer_answer){200, buf_slice(&out)};
}

/* The rest of the first fact that begins so. */
static struct slice find_fact(const struct peers *peers, struct slice beginning)
{
    for (size_t i = 0; i < peers->facts_count; i++) {
        if (slice_starts_with(peers->facts[i], beginning)) {
            return slice_from(peers->facts[i], beginning.len);
        }
    }
    return SLICE_EMPTY;
}

struct peer_answer peers_tell_create(struct peers *peers, struct slice room, struct slice user)
{
    if (!peers_know(peers, peers_fact_joined(peers, room, user))) {
        return peers_forbid();
    }
    const struct slice marker = find_fact(peers, beginning_of_made(peers, room));
    return (struct peer_answer){
        200, arena_printf(peers->arena, "{\"gitterd.room\":\"%.*s\"}", SLICE_ARGS(marker))};
}

struct peer_answer peers_tell_members(struct peers *peers, struct slice room, struct slice user)
{
    if (!peers_know(peers, peers_fact_joined(peers, room, user))) {
        return peers_forbid();
    }
    return (struct peer_answer){200, arena_printf(peers->arena, "{\"joined\":%s}", peers->members)};
}

struct peer_answer peers_tell_notices(struct peers *peers, struct slice from)
{
    const char *notices = peers->notices[from.len > 0 ? 1 : 0];
    const bool has_more =
        peers->has_endless_notices || (from.len == 0 && peers->notices[1] != NULL);
    const char *next = has_more ? ",\"next_token\":\"1\"" : "";
    peers->notices_read++;
    if (notices == NULL) {
        return (struct peer_answer){404, SLICE("{\"errcode\":\"M_UNRECOGNIZED\"}")};
    }
    return (struct peer_answer){
        200, arena_printf(peers->arena, "{\"notifications\":%s%s}", notices, next)};
}

struct peer_answer
peers_tell_messages(struct peers *peers, struct slice room, struct slice from, size_t limit)
{
    int64_t behind = (int64_t)peers->events_count;
    size_t count = 0;
    struct buf out;
    buf_init(&out, peers->arena);
    if (from.len > 0 && slice_to_int(from, &behind) != RC_OK) {
        return (struct peer_answer){400, SLICE("{}")};
    }
    buf_printf(&peers->log, "%.*s is read\n", SLICE_ARGS(room));
    BUF_PUT(&out, "{\"chunk\":[");
    for (; behind > 0 && count < limit; behind--) {
        const struct peer_event *event = &peers->events[behind - 1];
        if (slice_equal(event->room, room)) {
            buf_printf(&out,
                       "%s{\"event_id\":\"%.*s\",\"type\":\"m.room.message\",\"room_id\":\"%.*s\","
                       "\"sender\":\"%.*s\",\"content\":%.*s}",
                       count == 0 ? "" : ",", SLICE_ARGS(event->id), SLICE_ARGS(event->room),
                       SLICE_ARGS(event->sender), SLICE_ARGS(event->content));
            count++;
        }
    }
    BUF_PUT(&out, "]");
    if (behind > 0) {
        buf_printf(&out, ",\"end\":\"%lld\"", (long long)behind);
    }
    BUF_PUT(&out, "}");
    return (struct peer_answer){200, buf_slice(&out)};
}
