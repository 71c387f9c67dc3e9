#include "tests/trace/peers_looks.h"

#include "runtime/base/check.h"

static bool is_logged(struct slice type)
{
    return slice_equal(type, SLICE("m.room.name")) || slice_equal(type, SLICE("m.room.topic")) ||
           slice_equal(type, SLICE("m.room.avatar")) || slice_equal(type, SLICE("m.room.member"));
}

struct peer_answer peers_take_state(struct peers *peers,
                                    const struct outbox_call *row,
                                    struct slice room,
                                    struct slice type,
                                    struct slice state_key)
{
    const struct slice fact = arena_printf(peers->arena, "%.*s %.*s %.*s", SLICE_ARGS(room),
                                           SLICE_ARGS(type), SLICE_ARGS(row->call.body));
    peers_note(peers, fact);
    if (slice_equal(type, SLICE("m.space.child"))) {
        buf_printf(&peers->log, "%.*s m.space.child %.*s %.*s\n", SLICE_ARGS(room),
                   SLICE_ARGS(state_key), SLICE_ARGS(row->call.body));
    }
    if (is_logged(type)) {
        buf_printf(&peers->log, "%.*s\n", SLICE_ARGS(fact));
    }
    return (struct peer_answer){200, SLICE("{}")};
}

struct peer_answer peers_take_fetch(struct peers *peers, const struct outbox_call *row)
{
    peers->pictures_fetched++;
    buf_printf(&peers->log, "fetch %.*s\n", SLICE_ARGS(row->call.path));
    return (struct peer_answer){peers->picture.len > 0 ? 200 : 404, peers->picture};
}

struct peer_answer peers_take_upload(struct peers *peers, const struct outbox_call *row)
{
    peers->pictures_uploaded++;
    buf_printf(&peers->log, "upload %.*s\n", SLICE_ARGS(row->call.content_type));
    CHECK(slice_equal(row->call.body, peers->picture));
    return (struct peer_answer){
        200,
        arena_printf(peers->arena, "{\"content_uri\":\"mxc://hs/p%d\"}", peers->pictures_uploaded)};
}
