#include "runtime/daemon/tables.h"
#include "tests/trace/world_parts.h"

enum {
    ARENA_CHUNK_BYTES = 256 * 1024,
    LANE_CHUNK_BYTES = 4 * 1024,
    ROUNDS_MAX = 20000,
};

/* Effects */

/* What acts comes behind its commit. */
static void expect_stored(struct world *world, const struct outbox_call *call)
{
    int64_t ids[WORLD_LANE_MAX];
    size_t count = 0;
    bool is_stored = false;
    struct arena *arena = arena_open(LANE_CHUNK_BYTES);
    ck_assert_int_eq(world->store->methods->lane_find(world->store, call->call.lane, call->call.ref,
                                                      arena, ids, WORLD_LANE_MAX, &count),
                     RC_OK);
    for (size_t i = 0; i < count; i++) {
        is_stored = is_stored || ids[i] == call->id;
    }
    arena_close(arena);
    ck_assert_msg(is_stored, "call %lld of %.*s is made known before it is stored",
                  (long long)call->id, SLICE_ARGS(call->call.lane));
}

static void on_calls(void *context, const struct outbox_call *calls, size_t count)
{
    struct world *world = context;
    for (size_t i = 0; i < count; i++) {
        expect_stored(world, &calls[i]);
    }
    if (world->carrier != NULL) {
        world->carrier->calls(world->carrier->context, calls, count);
    }
}

static void on_ended(void *context, const int64_t *ids, const struct slice *lanes, size_t count)
{
    const struct world *world = context;
    if (world->carrier != NULL) {
        world->carrier->ended(world->carrier->context, ids, lanes, count);
    }
}

static void on_answer(void *context, int64_t request, const struct answer *answer)
{
    struct world *world = context;
    ck_assert_msg(world->page.request != request, "a request is answered twice");
    world->page = (struct world_page){
        .request = request,
        .status = answer->status,
        .body = arena_copy(world->arena, answer->body),
        .location = arena_copy(world->arena, answer->location),
        .set_cookie = arena_copy(world->arena, answer->set_cookie),
    };
}

static void on_changed(void *context, struct actor_ref ref)
{
    const struct world *world = context;
    if (world->carrier != NULL) {
        world->carrier->changed(world->carrier->context, ref);
    }
}

static void on_turn(void *context, int64_t turn, struct slice trace)
{
    struct world *world = context;
    (void)turn;
    buf_put(&world->trace, trace);
    BUF_PUT(&world->trace, "\n");
}

/* A call is made and ended in one go here, so none is ever under way while a turn runs; those in
 * doubt after a crash are. */
static bool on_is_sent(void *context, int64_t call_id)
{
    const struct world *world = context;
    if (world->carrier != NULL) {
        return world->carrier->is_sent(world->carrier->context, call_id);
    }
    for (size_t i = 0; i < world->suspects_count; i++) {
        if (world->suspects[i] == call_id) {
            return true;
        }
    }
    return false;
}

static int64_t on_now_ms(void *context)
{
    return ((const struct world *)context)->now_ms;
}

static void on_random(void *context, void *out, size_t len)
{
    struct world *world = context;
    unsigned char *bytes = out;
    for (size_t i = 0; i < len; i++) { /* links are remembered: no handle may come twice */
        world->random = world->random * UINT64_C(6364136223846793005) + UINT64_C(1);
        bytes[i] = (unsigned char)(world->random >> 56);
    }
}

static bool only_root(const void *context, struct slice user)
{
    (void)context;
    return slice_equal(user, SLICE("@root:hs"));
}

static bool everybody_but_mallory(const void *context, struct slice user)
{
    (void)context;
    return !slice_starts_with(user, SLICE("@mallory"));
}

/* Life */

static void begin_process(struct world *world)
{
    const struct journal_options journal = {.section_bytes = 4000, .veil = world->veil};
    const struct engine_options options = {
        .application = &world->application,
        .store = world->store,
        .effects = {.context = world,
                    .calls = on_calls,
                    .ended = on_ended,
                    .answer = on_answer,
                    .link = world_on_link,
                    .order = world_on_order,
                    .changed = on_changed,
                    .turn = on_turn,
                    .is_sent = on_is_sent},
        .now_ms = on_now_ms,
        .random = on_random,
        .context = world,
        .epoch = SLICE("e"),
        .journal = world->has_other_store ? NULL : &journal,
    };
    ck_assert_int_eq(engine_open(&options, &world->engine), RC_OK);
    ck_assert_int_eq(world->store->methods->next_turn(world->store, &world->first_turn), RC_OK);
    if (world->carrier != NULL) {
        world->carrier->begin(world->carrier->context);
    }
}

static struct store *crash_memory(struct store *store)
{
    store_memory_crash(store);
    store_memory_hold(store, false);
    return store;
}

static const struct world_store memory_hands = {
    .hold = store_memory_hold,
    .finish = store_memory_finish,
    .poll = store_memory_poll,
    .crash = crash_memory,
};

void world_open(struct world *world)
{
    world_open_on(world, store_memory_open(store_tables(), ACTOR_KINDS), NULL);
}

void world_open_on(struct world *world, struct store *store, const struct world_store *hands)
{
    *world = (struct world){.arena = arena_open(ARENA_CHUNK_BYTES), .fuse = -1};
    world->now_ms = WORLD_BEGIN_MS;
    world->settings = (struct settings){
        .domain = SLICE("hs"),
        .bot = SLICE("@bot:hs"),
        .login_url = SLICE("https://login.example"),
        .gitter_url = SLICE("https://gitter.example"),
        .oauth_key = SLICE("client"),
        .login_invites_max = 0,
        .owner_outbox_max = 1000,
        .is_login_https = true,
        .is_permitted = everybody_but_mallory,
        .is_admin = only_root,
        .shows_avatars = true,
        .version = SLICE("1.2.3"),
    };
    world->application = (struct application){
        .machines = world_machines(),
        .machines_count = ACTOR_KINDS,
        .messages = message_types,
        .messages_count = MSG_KINDS,
        .route = router_route,
        .settings = &world->settings,
    };
    world->store = store;
    world->store_hands = hands == NULL ? &memory_hands : hands;
    world->has_other_store = hands != NULL;
    peers_init(&world->peers, world->arena, world->settings.bot);
    buf_init(&world->trace, world->arena);
    begin_process(world);
}

void world_close(struct world *world)
{
    if (!world->has_other_settings && !world->has_other_store) {
        (void)world_replay(world);
    }
    engine_close(world->engine);
    world->store->methods->close(world->store);
    arena_close(world->arena);
}

/* Calls */

size_t world_heads(struct world *world, struct arena *arena, struct outbox_call *heads)
{
    size_t count = 0;
    const struct store_methods *methods = world->store->methods;
    ck_assert_int_eq(
        methods->lane_heads(world->store, SLICE_EMPTY, arena, heads, WORLD_HEADS_MAX, &count),
        RC_OK);
    ck_assert_uint_lt(count, WORLD_HEADS_MAX);
    return count;
}

static bool is_barred(struct world *world, const struct outbox_call *head)
{
    struct outbox_call before = {0};
    const struct slice lane = head->call.after_lane;
    return lane.len > 0 && !slice_equal(lane, head->call.lane) &&
           world->store->methods->lane_head(world->store, lane, world->arena, &before) == RC_OK &&
           (before.place < head->place || before.turn == head->turn);
}

static bool is_due(struct world *world, const struct outbox_call *head)
{
    return head->call.not_before_ms <= world->now_ms && !is_barred(world, head);
}

bool world_may_go(struct world *world, const struct outbox_call *head)
{
    const bool has_token =
        head->call.auth != CALL_AUTH_OWNER || world_token(world, head->call.owner).len > 0;
    return has_token && is_due(world, head);
}

static void note_suspects(struct world *world)
{
    struct outbox_call heads[WORLD_HEADS_MAX];
    const size_t count = world_heads(world, world->arena, heads);
    world->suspects_count = 0;
    for (size_t i = 0; i < count; i++) {
        /* whether there is a token now says nothing of what was sent with the one before */
        if (heads[i].call.repeat == CALL_REPEAT_NEVER && is_due(world, &heads[i])) {
            world->suspects[world->suspects_count++] = heads[i].id;
        }
    }
}

static void resume_feeds(struct world *world)
{
    struct store_found found[WORLD_LINKS_MAX];
    size_t count = 0;
    ck_assert_int_eq(world->store->methods->list(world->store, ACTOR_FEED, SLICE_EMPTY,
                                                 world->arena, found, WORLD_LINKS_MAX, &count),
                     RC_OK);
    for (size_t i = 0; i < count; i++) {
        const struct msg_owner owner = {.owner = found[i].key};
        world_queue(world, MSG_FEED_RESTARTED, &owner);
    }
}

void world_crash(struct world *world)
{
    world->fuse = -1;
    world->is_burnt = true;
    if (world->carrier != NULL) {
        world->carrier->end(world->carrier->context);
    }
    engine_close(world->engine);
    world->store = world->store_hands->crash(world->store);
    for (size_t i = 0; i < world->links_count; i++) {
        world->links[i].session = 0;
    }
    begin_process(world);
    note_suspects(world);
    world_queue(world, MSG_STARTED, &nothing);
    resume_feeds(world);
    world_repeat_events(world);
}

/* True if this was the last thing the process did. */
static bool burn(struct world *world)
{
    if (world->fuse < 0) {
        return false;
    }
    world->fuse--;
    if (world->fuse >= 0) {
        return false;
    }
    world_crash(world);
    return true;
}

static bool is_at_rest(struct world *world)
{
    const int64_t next_ms = engine_next_ms(world->engine);
    return next_ms > world->now_ms || (next_ms == 0 && engine_is_quiet(world->engine));
}

void world_run(struct world *world)
{
    for (int round = 0; !is_at_rest(world); round++) {
        ck_assert_int_lt(round, ROUNDS_MAX);
        world->store_hands->hold(world->store, true);
        (void)engine_run(world->engine);
        if (burn(world)) {
            continue;
        }
        world->store_hands->finish(world->store);
        world->store_hands->hold(world->store, false);
        if (burn(world)) {
            continue;
        }
        world->store_hands->poll(world->store);
    }
}

void world_post_end(struct world *world, const struct outbox_call *row, struct call_ended ended)
{
    size_t kept = 0;
    for (size_t i = 0; i < world->suspects_count; i++) {
        if (world->suspects[i] != row->id) {
            world->suspects[kept++] = world->suspects[i];
        }
    }
    world->suspects_count = kept;
    ended.ref = row->call.ref;
    ended.request = row->call.body;
    engine_post(world->engine, &(struct input){.msg = {row->call.purpose, &ended}, .ended = row});
}

static struct call_ended made(struct world *world, const struct outbox_call *row)
{
    const struct peer_answer answer =
        peers_answer(&world->peers, row, world_token(world, row->call.owner), world->now_ms);
    return (struct call_ended){
        .end = answer.status < 300 ? CALL_END_DONE : CALL_END_FAILED,
        .status = answer.status,
        .body = answer.body,
    };
}

static void make(struct world *world, const struct outbox_call *row)
{
    if (on_is_sent(world, row->id)) {
        world_post_end(world, row, (struct call_ended){.end = CALL_END_UNKNOWN});
        return;
    }
    if (burn(world)) {
        return;
    }
    const struct call_ended ended = made(world, row);
    if (!burn(world)) { /* it took effect, and nobody knows */
        world_post_end(world, row, ended);
    }
}

/* The oldest head that may go. */
static bool next_call(struct world *world, int purpose, struct outbox_call *out)
{
    struct outbox_call heads[WORLD_HEADS_MAX];
    const size_t count = world_heads(world, world->arena, heads);
    bool is_found = false;
    for (size_t i = 0; i < count; i++) {
        const bool is_wanted =
            purpose < 0 ? !world->is_held[heads[i].call.purpose] : heads[i].call.purpose == purpose;
        if (is_wanted && world_may_go(world, &heads[i]) && (!is_found || heads[i].id < out->id)) {
            *out = heads[i];
            is_found = true;
        }
    }
    return is_found;
}

void world_settle(struct world *world)
{
    struct outbox_call row = {0};
    world_run(world);
    for (int round = 0; next_call(world, -1, &row); round++) {
        ck_assert_int_lt(round, ROUNDS_MAX);
        make(world, &row);
        world_run(world);
    }
}

void world_wait(struct world *world, int64_t ms)
{
    world->now_ms += ms;
    world_settle(world);
}

bool world_has_head(struct world *world, int purpose)
{
    struct outbox_call row = {0};
    return next_call(world, purpose, &row);
}

struct outbox_call world_head(struct world *world, int purpose)
{
    struct outbox_call row = {0};
    ck_assert_msg(next_call(world, purpose, &row), "no %s may be made",
                  message_types[purpose].name);
    return row;
}

void world_end(struct world *world, int purpose, enum call_end end, int status, const char *body)
{
    const struct outbox_call row = world_head(world, purpose);
    world_post_end(
        world, &row,
        (struct call_ended){.end = (int64_t)end, .status = status, .body = slice_from_cstr(body)});
    world_run(world);
}

void world_lose_answer(struct world *world, int purpose)
{
    const struct outbox_call row = world_head(world, purpose);
    (void)made(world, &row);
    world_post_end(world, &row, (struct call_ended){.end = CALL_END_UNKNOWN});
    world_run(world);
}

void world_make(struct world *world, int purpose)
{
    const struct outbox_call row = world_head(world, purpose);
    make(world, &row);
    world_run(world);
}

size_t world_outbox(struct world *world)
{
    struct outbox_call heads[WORLD_HEADS_MAX];
    const size_t lanes = world_heads(world, world->arena, heads);
    size_t all = 0;
    for (size_t i = 0; i < lanes; i++) {
        int64_t ids[WORLD_LANE_MAX];
        size_t count = 0;
        ck_assert_int_eq(world->store->methods->lane_find(world->store, heads[i].call.lane,
                                                          SLICE_EMPTY, world->arena, ids,
                                                          WORLD_LANE_MAX, &count),
                         RC_OK);
        all += count;
    }
    return all;
}
