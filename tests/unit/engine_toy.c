#include "tests/unit/engine_toy.h"

#include "runtime/base/check.h"

#include <inttypes.h>
#include <string.h>

enum {
    ARENA_CHUNK_BYTES = 64 * 1024,
    BODY_TOO_BIG = 1024 * 1024 + 1,
    LANE_CALLS_MAX = 32,
    ROUNDS_MAX = 100000,
};

/* Messages */

#define FIELDS_toy_script(F, S) F(S, TEXT, text)
#define FIELDS_toy_order(F, S) F(S, TEXT, what) F(S, TEXT, argument)
#define FIELDS_toy_nothing(F, S) F(S, FLAG, unused)
#define FIELDS_toy_ended(F, S) F(S, NUM, end) F(S, TEXT, ref)

struct toy_script {
    FIELDS_toy_script(FIELD_MEMBER, toy_script)
};
struct toy_order {
    FIELDS_toy_order(FIELD_MEMBER, toy_order)
};
struct toy_nothing {
    FIELDS_toy_nothing(FIELD_MEMBER, toy_nothing)
};
struct toy_ended {
    FIELDS_toy_ended(FIELD_MEMBER, toy_ended)
};
FIELD_RECORD(toy_script, FIELDS_toy_script);
FIELD_RECORD(toy_order, FIELDS_toy_order);
FIELD_RECORD(toy_nothing, FIELDS_toy_nothing);
FIELD_RECORD(toy_ended, FIELDS_toy_ended);
FIELD_RECORD(toy, TOY_FIELDS);

static const struct msg_type messages[] = {
    [TOY_SCRIPT] = {"SCRIPT", -1, &toy_script_record},
    [TOY_DO] = {"DO", 0, &toy_order_record},
    [TOY_ENDED] = {"ENDED", 0, &toy_ended_record},
    [TOY_DEADLINE] = {"DEADLINE", 0, &toy_nothing_record},
};

/* The actor */

static struct actor_ref toy_ref(struct slice key)
{
    return (struct actor_ref){0, key};
}

static void note(struct toy *toy, struct turn *turn, struct slice text)
{
    toy->noted = toy->noted.len == 0 ? text
                                     : arena_printf(turn_arena(turn), "%.*s %.*s",
                                                    SLICE_ARGS(toy->noted), SLICE_ARGS(text));
}

static struct call make_call(struct slice lane, struct slice ref)
{
    return (struct call){
        .purpose = TOY_ENDED,
        .lane = lane,
        .ref = ref,
        .owner = lane,
        .method = SLICE("GET"),
        .path = SLICE("/"),
    };
}

static void obey_call(struct toy *toy, struct slice argument, struct turn *turn)
{
    const struct slice lane = slice_cut(&argument, ' ');
    const struct call call = make_call(lane, argument);
    (void)toy;
    turn_call(turn, &call);
}

static void obey_cancel(struct toy *toy, struct slice argument, struct turn *turn)
{
    const struct slice lane = slice_cut(&argument, ' ');
    (void)toy;
    turn_cancel(turn, lane, argument);
}

static void obey_boom(struct toy *toy, struct slice argument, struct turn *turn)
{
    struct call call = make_call(SLICE("boom"), SLICE_EMPTY);
    (void)toy;
    (void)argument;
    call.body = slice_make(arena_alloc(turn_arena(turn), BODY_TOO_BIG), BODY_TOO_BIG);
    turn_call(turn, &call);
}

static void obey_add(struct toy *toy, struct slice argument, struct turn *turn)
{
    int64_t number = 0;
    (void)turn;
    CHECK(slice_to_int(argument, &number) == RC_OK);
    toy->sum += number;
}

static void obey_tag(struct toy *toy, struct slice argument, struct turn *turn)
{
    (void)turn;
    toy->tag = argument;
}

static void obey_wake(struct toy *toy, struct slice argument, struct turn *turn)
{
    (void)turn;
    CHECK(slice_to_int(argument, &toy->wake_ms) == RC_OK);
}

static void obey_again(struct toy *toy, struct slice argument, struct turn *turn)
{
    (void)turn;
    (void)argument;
    toy->again = true;
}

static void obey_find(struct toy *toy, struct slice argument, struct turn *turn)
{
    struct actor_entry *found = NULL;
    const size_t count = turn_find(turn, 0, "tag", argument, &found);
    note(toy, turn, arena_printf(turn_arena(turn), "%zu:", count));
    for (size_t i = 0; i < count; i++) {
        note(toy, turn, found[i].key);
    }
}

static void obey_exists(struct toy *toy, struct slice argument, struct turn *turn)
{
    int state = 0;
    const bool is_there = turn_exists(turn, toy_ref(argument), &state);
    note(toy, turn, is_there ? slice_from_cstr(toy_fsm.states[state]) : SLICE("-"));
}

static void obey_relate(struct toy *toy, struct slice argument, struct turn *turn)
{
    const struct slice left = slice_cut(&argument, ' ');
    const struct slice right = slice_cut(&argument, ' ');
    (void)toy;
    turn_relate(turn, RELATION_MESSAGE_MAP, left, right, argument);
}

static void obey_unrelate(struct toy *toy, struct slice argument, struct turn *turn)
{
    const struct slice left = slice_cut(&argument, ' ');
    (void)toy;
    turn_unrelate(turn, RELATION_MESSAGE_MAP, left, argument);
}

static void obey_related(struct toy *toy, struct slice argument, struct turn *turn)
{
    const struct slice left = slice_cut(&argument, ' ');
    struct slice value = SLICE_EMPTY;
    const bool is_there = turn_related(turn, RELATION_MESSAGE_MAP, left, argument, &value);
    note(toy, turn, is_there ? value : SLICE("-"));
}

static void obey_by_value(struct toy *toy, struct slice argument, struct turn *turn)
{
    const struct slice left = slice_cut(&argument, ' ');
    struct slice right = SLICE_EMPTY;
    const bool is_there = turn_related_by_value(turn, RELATION_MESSAGE_MAP, left, argument, &right);
    note(toy, turn, is_there ? right : SLICE("-"));
}

static void obey_relations(struct toy *toy, struct slice argument, struct turn *turn)
{
    struct slice *rights = NULL;
    const size_t count = turn_relations(turn, RELATION_MESSAGE_MAP, argument, &rights);
    note(toy, turn, arena_printf(turn_arena(turn), "%zu:", count));
    for (size_t i = 0; i < count && i < 8; i++) {
        note(toy, turn, rights[i]);
    }
}

static void tell(struct turn *turn, struct slice key, const char *what, const char *argument)
{
    const struct toy_order order = {.what = slice_from_cstr(what),
                                    .argument = slice_from_cstr(argument)};
    turn_send(turn, toy_ref(key), TOY_DO, &order);
}

static void obey_tell(struct toy *toy, struct slice argument, struct turn *turn)
{
    (void)toy;
    tell(turn, argument, "add", "1");
}

static void obey_spin(struct toy *toy, struct slice argument, struct turn *turn)
{
    (void)argument;
    tell(turn, toy->key, "spin", "");
}

static void obey_answer(struct toy *toy, struct slice argument, struct turn *turn)
{
    int64_t request = 0;
    (void)toy;
    CHECK(slice_to_int(argument, &request) == RC_OK);
    turn_answer(turn, request, &(struct answer){.status = 200});
}

static void obey_link(struct toy *toy, struct slice argument, struct turn *turn)
{
    (void)argument;
    turn_link(turn, &(struct link_order){.verb = LINK_OPEN, .owner = toy->key});
}

static void obey_nothing(struct toy *toy, struct slice argument, struct turn *turn)
{
    (void)toy;
    (void)argument;
    (void)turn;
}

static const struct {
    const char *what;
    void (*obey)(struct toy *toy, struct slice argument, struct turn *turn);
} orders[] = {
    {"add", obey_add},         {"tag", obey_tag},           {"call", obey_call},
    {"cancel", obey_cancel},   {"again", obey_again},       {"find", obey_find},
    {"exists", obey_exists},   {"relate", obey_relate},     {"unrelate", obey_unrelate},
    {"related", obey_related}, {"by-value", obey_by_value}, {"relations", obey_relations},
    {"wake", obey_wake},       {"tell", obey_tell},         {"spin", obey_spin},
    {"answer", obey_answer},   {"link", obey_link},         {"boom", obey_boom},
    {"nothing", obey_nothing}, {"close", obey_nothing},
};

static void toy_do_obey(void *next, const struct msg *msg, struct turn *turn)
{
    const struct toy_order *order = msg->body;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (slice_equal(order->what, slice_from_cstr(orders[i].what))) {
            orders[i].obey(next, order->argument, turn);
            return;
        }
    }
    CHECK(order->what.len == 0);
}

static void boom_if_broken(struct toy *toy, struct turn *turn)
{
    if (slice_equal(toy->tag, SLICE("broken"))) {
        obey_boom(toy, SLICE_EMPTY, turn);
    }
}

static void toy_do_note_end(void *next, const struct msg *msg, struct turn *turn)
{
    struct toy *toy = next;
    const struct toy_ended *ended = msg->body;
    boom_if_broken(toy, turn);
    toy->ends++;
    note(toy, turn, ended->ref);
    if (toy->again) {
        toy->again = false;
        const struct call call = make_call(
            SLICE("lane"), arena_printf(turn_arena(turn), "%.*s'", SLICE_ARGS(ended->ref)));
        turn_call_instead(turn, &call);
    }
}

static void toy_do_wake(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    boom_if_broken(next, turn);
    ((struct toy *)next)->sum += 1000;
}

static bool toy_if_closes(const void *state, const struct msg *msg)
{
    (void)state;
    return slice_equal(((const struct toy_order *)msg->body)->what, SLICE("close"));
}

static bool toy_if_works(const void *state, const struct msg *msg)
{
    (void)state;
    return !slice_equal(((const struct toy_order *)msg->body)->what, SLICE("nothing"));
}

enum {
    TOY_NEW,
    TOY_OPEN,
    TOY_GONE
};
static const char *const toy_states[] = {"NEW", "OPEN", "GONE"};
static const struct fsm_row toy_rows[] = {
    {FSM_ANY, TOY_DO, toy_if_closes, TOY_GONE, NULL, "closes", "-"},
    {FSM_ANY, TOY_DO, toy_if_works, TOY_OPEN, toy_do_obey, "works", "obey"},
    {FSM_ANY, TOY_DO, NULL, FSM_SAME, NULL, "always", "-"},
    {FSM_ANY, TOY_ENDED, NULL, FSM_SAME, toy_do_note_end, "always", "note_end"},
    {FSM_ANY, TOY_DEADLINE, NULL, FSM_SAME, toy_do_wake, "always", "wake"},
};

const struct fsm toy_fsm = {
    .kind = 0,
    .name = "toy",
    .table = "toys",
    .states = toy_states,
    .states_count = 3,
    .first = TOY_NEW,
    .last = TOY_GONE,
    .rows = toy_rows,
    .rows_count = sizeof toy_rows / sizeof toy_rows[0],
    .record = &toy_record,
    .key_offset = offsetof(struct toy, key),
    .deadline_offset = offsetof(struct toy, wake_ms),
    .deadline_message = TOY_DEADLINE,
};

static const char *const toy_columns[] = {"tag"};
const struct store_table toy_table = {.name = "toys", .columns = toy_columns, .columns_count = 1};

static void toy_route(const struct msg *input, struct turn *turn)
{
    struct slice script = ((const struct toy_script *)input->body)->text;
    while (script.ptr != NULL) {
        struct slice rest = slice_trim(slice_cut(&script, ';'));
        const struct slice key = slice_cut(&rest, ' ');
        const struct slice what = slice_cut(&rest, ' ');
        const struct toy_order order = {.what = what, .argument = rest};
        turn_send(turn, toy_ref(key), TOY_DO, &order);
    }
}

/* Effects */

static void on_calls(void *context, const struct outbox_call *calls, size_t count)
{
    struct bench *bench = context;
    for (size_t i = 0; i < count; i++) {
        buf_printf(&bench->log, "call %.*s %.*s\n", SLICE_ARGS(calls[i].call.lane),
                   SLICE_ARGS(calls[i].call.ref));
    }
}

static void on_ended(void *context, const int64_t *ids, const struct slice *lanes, size_t count)
{
    struct bench *bench = context;
    for (size_t i = 0; i < count; i++) {
        CHECK(ids[i] > 0);
        buf_printf(&bench->log, "ended %.*s\n", SLICE_ARGS(lanes[i]));
    }
}

static void on_answer(void *context, int64_t request, const struct answer *answer)
{
    struct bench *bench = context;
    buf_printf(&bench->log, "answer %" PRId64 " %d\n", request, answer->status);
}

static void on_link(void *context, const struct link_order *order)
{
    struct bench *bench = context;
    buf_printf(&bench->log, "link %.*s\n", SLICE_ARGS(order->owner));
}

static void on_changed(void *context, struct actor_ref ref)
{
    struct bench *bench = context;
    buf_printf(&bench->log, "changed %.*s\n", SLICE_ARGS(ref.key));
}

static void on_store(void *context, enum rc rc)
{
    struct bench *bench = context;
    bench->store_said++;
    bench->store_rc = rc;
}

static void on_failed(void *context, const char *message, struct slice whose, enum rc rc)
{
    struct bench *bench = context;
    buf_printf(&bench->log, "failed %s %.*s %s\n", message, SLICE_ARGS(whose), rc_name(rc));
}

static bool on_is_sent(void *context, int64_t call_id)
{
    return ((const struct bench *)context)->sent == call_id;
}

static int64_t on_now_ms(void *context)
{
    struct bench *bench = context;
    bench->now_ms += bench->tick_ms;
    return bench->now_ms;
}

static void on_random(void *context, void *out, size_t len)
{
    (void)context;
    memset(out, 7, len);
}

static void input_is_done(void *context, enum rc rc)
{
    struct bench *bench = context;
    CHECK(bench->done < TOY_DONE_MAX);
    bench->done_rc[bench->done++] = rc;
}

/* The bench */

static void open_engine(struct bench *bench)
{
    static const struct fsm *const machines_of_toys[] = {&toy_fsm};
    static const struct application application = {
        .machines = machines_of_toys,
        .machines_count = 1,
        .messages = messages,
        .messages_count = TOY_KINDS,
        .route = toy_route,
    };
    const struct engine_options options = {
        .application = &application,
        .store = bench->store,
        .effects = {.context = bench,
                    .calls = on_calls,
                    .ended = on_ended,
                    .answer = on_answer,
                    .link = on_link,
                    .changed = on_changed,
                    .store = on_store,
                    .failed = on_failed,
                    .is_sent = on_is_sent},
        .now_ms = on_now_ms,
        .random = on_random,
        .context = bench,
        .epoch = SLICE("e"),
    };
    ck_assert_int_eq(engine_open(&options, &bench->engine), RC_OK);
}

void bench_open(struct bench *bench)
{
    *bench = (struct bench){.arena = arena_open(ARENA_CHUNK_BYTES), .now_ms = 1000};
    bench->store = store_memory_open(&toy_table, 1);
    buf_init(&bench->log, bench->arena);
    open_engine(bench);
}

void bench_close(struct bench *bench)
{
    engine_close(bench->engine);
    bench->store->methods->close(bench->store);
    arena_close(bench->arena);
}

void bench_crash(struct bench *bench)
{
    engine_close(bench->engine);
    store_memory_crash(bench->store);
    open_engine(bench);
}

static void post(struct bench *bench, const char *script, const char *event_id, bool repeats)
{
    const struct toy_script body = {.text = slice_from_cstr(script)};
    engine_post(bench->engine, &(struct input){
                                   .msg = {TOY_SCRIPT, &body},
                                   .event_id = slice_from_cstr(event_id),
                                   .done = input_is_done,
                                   .context = bench,
                                   .is_repeatable = repeats,
                               });
}

void bench_post(struct bench *bench, const char *script)
{
    post(bench, script, NULL, false);
}

void bench_post_event(struct bench *bench, const char *script, const char *event_id)
{
    post(bench, script, event_id, true);
}

void bench_run(struct bench *bench)
{
    bool is_busy = true;
    for (int round = 0; is_busy; round++) {
        ck_assert_int_lt(round, ROUNDS_MAX);
        is_busy = engine_run(bench->engine);
        if (store_memory_is_pending(bench->store)) {
            store_memory_poll(bench->store);
            is_busy = true;
        }
    }
}

void bench_do(struct bench *bench, const char *script)
{
    bench_post(bench, script);
    bench_run(bench);
}

void bench_wait(struct bench *bench, int64_t ms)
{
    bench->now_ms += ms;
    bench_run(bench);
}

void bench_end(struct bench *bench, const char *lane)
{
    struct outbox_call row = {0};
    ck_assert_int_eq(
        bench->store->methods->lane_head(bench->store, slice_from_cstr(lane), bench->arena, &row),
        RC_OK);
    const struct toy_ended ended = {.ref = row.call.ref};
    engine_post(bench->engine, &(struct input){.msg = {TOY_ENDED, &ended}, .ended = &row});
}

/* Looking */

const struct toy *bench_peek(struct bench *bench, const char *key)
{
    int state = 0;
    return engine_peek(bench->engine, toy_ref(slice_from_cstr(key)), &state);
}

const char *bench_actor(struct bench *bench, const char *key)
{
    int state = 0;
    const struct toy *toy = engine_peek(bench->engine, toy_ref(slice_from_cstr(key)), &state);
    if (toy == NULL) {
        return "-";
    }
    const struct slice text = state == TOY_OPEN ? arena_printf(bench->arena, "%" PRId64, toy->sum)
                                                : arena_printf(bench->arena, "%" PRId64 "(%s)",
                                                               toy->sum, toy_states[state]);
    return text.ptr;
}

const char *bench_lane(struct bench *bench, const char *lane)
{
    /* a copy is emptied head by head */
    struct store *copy = store_memory_copy(bench->store);
    struct outbox_call head = {0};
    struct buf refs;
    buf_init(&refs, bench->arena);
    for (int i = 0; i < LANE_CALLS_MAX && copy->methods->lane_head(copy, slice_from_cstr(lane),
                                                                   bench->arena, &head) == RC_OK;
         i++) {
        const struct store_batch batch = {
            .now_ms = bench->now_ms, .next_turn = INT64_MAX, .ended = &head.id, .ended_count = 1};
        buf_printf(&refs, "%s%.*s", i > 0 ? " " : "", SLICE_ARGS(head.call.ref));
        copy->methods->commit(copy, &batch, NULL, NULL);
        store_memory_crash(copy);
    }
    copy->methods->close(copy);
    return arena_copy(bench->arena, buf_slice(&refs)).ptr;
}

void bench_expect(struct bench *bench, const char *expected)
{
    const struct slice seen = buf_slice(&bench->log);
    ck_assert_msg(slice_equal(seen, slice_from_cstr(expected)), "effects:\n%.*sexpected:\n%s",
                  SLICE_ARGS(seen), expected);
    bench->log.len = 0;
}
