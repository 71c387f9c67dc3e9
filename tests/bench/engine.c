/* Messages a second between actors, through a real table and the real turn engine, with a store
 * that keeps nothing; and how often memory is allocated meanwhile.
 *
 * Usage: engine [SECONDS [TURNS]]        until one of them is over
 *
 * Each input sends a message round a ring of actors, STEPS_EACH of them in one turn; every actor
 * changes its state at each. Prints one JSON object.
 */
#include "runtime/engine.h"
#include "actors/fields.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RING = 1000,
    STEPS_EACH = 1000,
    SECONDS_DEFAULT = 3,
};

/* malloc, counted. */

void *__libc_malloc(size_t size);
void *malloc(size_t size);

static int64_t allocations;

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

/* The ring */

enum {
    PUSH, /* an input */
    PASS,
    DEADLINE,
    KINDS
};

enum {
    EVEN,
    ODD
};

#define FIELDS_push(F, S) F(S, TEXT, first)
#define FIELDS_pass(F, S) F(S, NUM, left)
#define FIELDS_member(F, S) F(S, TEXT, next) F(S, NUM, passed) F(S, NUM, wake_ms)

struct push {
    FIELDS_push(FIELD_MEMBER, push)
};
struct pass {
    FIELDS_pass(FIELD_MEMBER, pass)
};
struct member {
    struct slice key;
    FIELDS_member(FIELD_MEMBER, member)
};

extern const struct record_type push_record;
extern const struct record_type pass_record;
extern const struct record_type member_record;
FIELD_RECORD(push, FIELDS_push);
FIELD_RECORD(pass, FIELDS_pass);
FIELD_RECORD(member, FIELDS_member);

static const struct msg_type messages[] = {
    [PUSH] = {"PUSH", -1, &push_record},
    [PASS] = {"PASS", 0, &pass_record},
    [DEADLINE] = {"DEADLINE", 0, &pass_record},
};

static bool is_last(const void *state, const struct msg *msg)
{
    (void)state;
    return ((const struct pass *)msg->body)->left == 0;
}

static void pass_on(void *next, const struct msg *msg, struct turn *turn)
{
    struct member *member = next;
    const struct pass *got = msg->body;
    const struct pass pass = {.left = got->left - 1};
    member->passed++;
    turn_send(turn, (struct actor_ref){0, member->next}, PASS, &pass);
}

static const char *const states[] = {"EVEN", "ODD"};
static const struct fsm_row rows[] = {
    {FSM_ANY, PASS, is_last, FSM_SAME, NULL, "is_last", NULL},
    {EVEN, PASS, NULL, ODD, pass_on, NULL, "pass_on"},
    {ODD, PASS, NULL, EVEN, pass_on, NULL, "pass_on"},
};
static const struct fsm_pairs refused[] = {{DEADLINE, 3}};
static const struct fsm ring = {
    .kind = 0,
    .name = "member",
    .table = "members",
    .states = states,
    .states_count = 2,
    .first = EVEN,
    .last = FSM_STATE_NONE,
    .rows = rows,
    .rows_count = sizeof rows / sizeof rows[0],
    .refused = refused,
    .refused_count = 1,
    .record = &member_record,
    .key_offset = offsetof(struct member, key),
    .deadline_offset = offsetof(struct member, wake_ms),
    .deadline_message = DEADLINE,
};
static const struct fsm *const machines_of_ring[] = {&ring};

static void route(const struct msg *input, struct turn *turn)
{
    const struct push *push = input->body;
    const struct pass pass = {.left = STEPS_EACH - 1};
    turn_send(turn, (struct actor_ref){0, push->first}, PASS, &pass);
}

/* A store that gives every member when it is asked for and keeps nothing. */

struct null_store {
    struct store store;
    void (*done)(void *context, enum rc rc);
    void *context;
};

static enum rc no_turn(struct store *store, int64_t *turn)
{
    (void)store;
    *turn = 1;
    return RC_OK;
}

static enum rc no_deadline(struct store *store, int64_t after_ms, int64_t *deadline_ms)
{
    (void)store;
    (void)after_ms;
    *deadline_ms = 0;
    return RC_OK;
}

static enum rc give_member(
    struct store *store, int kind, struct slice key, struct arena *arena, struct store_actor *out)
{
    int64_t number = 0;
    (void)store;
    CHECK(slice_to_int(key, &number) == RC_OK);
    const struct member member = {.key = key,
                                  .next = arena_printf(arena, "%" PRId64, (number + 1) % RING)};
    *out = (struct store_actor){.kind = kind,
                                .key = arena_copy(arena, key),
                                .state = SLICE("EVEN"),
                                .body = record_pack(arena, &member_record, &member, RECORD_OPEN)};
    return RC_OK;
}

static void note_commit(struct store *store,
                        const struct store_batch *batch,
                        void (*done)(void *context, enum rc rc),
                        void *context)
{
    struct null_store *self = (struct null_store *)store;
    (void)batch;
    self->done = done;
    self->context = context;
}

static void abandon(struct store *store)
{
    ((struct null_store *)store)->done = NULL;
}

static const struct store_methods null_methods = {
    .next_turn = no_turn,
    .load = give_member,
    .next_deadline = no_deadline,
    .commit = note_commit,
    .abandon = abandon,
};

/* Effects: there are none but news of actors. */

static void note_change(void *context, struct actor_ref ref)
{
    (void)context;
    (void)ref;
}

static int64_t now_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

static int64_t now_ms(void *context)
{
    (void)context;
    return now_us() / 1000;
}

static void no_random(void *context, void *out, size_t len)
{
    (void)context;
    (void)out;
    (void)len;
}

static void run_batch(struct engine *engine, struct null_store *store)
{
    (void)engine_run(engine);
    if (store->done != NULL) {
        void (*done)(void *context, enum rc rc) = store->done;
        store->done = NULL;
        done(store->context, RC_OK);
    }
}

static void measure(struct engine *engine, struct null_store *store, int64_t seconds, int64_t turns)
{
    const struct push push = {.first = SLICE("0")};
    const struct input input = {.msg = {PUSH, &push}};
    int64_t steps = 0;
    for (int i = 0; i < 10; i++) { /* everybody is in memory, arenas have their size */
        engine_post(engine, &input);
        run_batch(engine, store);
    }
    const int64_t allocated = allocations;
    const int64_t before = engine_counts(engine).steps;
    const int64_t begin_us = now_us();
    for (int64_t i = 0; i < turns && now_us() - begin_us < seconds * 1000000; i++) {
        engine_post(engine, &input);
        run_batch(engine, store);
    }
    const int64_t spent_us = now_us() - begin_us;
    steps = engine_counts(engine).steps - before;
    (void)printf("{\"messages_per_s\":%" PRId64 ",\"allocations_per_message\":%.6f}\n",
                 steps * 1000000 / spent_us, (double)(allocations - allocated) / (double)steps);
}

int main(int argc, char **argv)
{
    int64_t seconds = SECONDS_DEFAULT;
    int64_t turns = INT64_MAX;
    struct engine *engine = NULL;
    struct null_store store = {.store = {&null_methods}};
    const struct application application = {
        .machines = machines_of_ring,
        .machines_count = 1,
        .messages = messages,
        .messages_count = KINDS,
        .route = route,
    };
    const struct engine_options options = {
        .application = &application,
        .store = &store.store,
        .effects = {.changed = note_change},
        .now_ms = now_ms,
        .random = no_random,
        .epoch = SLICE("bench"),
    };
    if ((argc > 1 && slice_to_int(slice_from_cstr(argv[1]), &seconds) != RC_OK) ||
        (argc > 2 && slice_to_int(slice_from_cstr(argv[2]), &turns) != RC_OK)) {
        (void)fprintf(stderr, "usage: engine [SECONDS [TURNS]]\n");
        return 2;
    }
    CHECK(engine_open(&options, &engine) == RC_OK);
    measure(engine, &store, seconds, turns);
    engine_close(engine);
    return 0;
}
