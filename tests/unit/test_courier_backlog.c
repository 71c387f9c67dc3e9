/* 100,000 calls of one owner who has no token, in the real store: what they cost the courier and
 * everybody else. Counted, not timed. */
#include "tests/unit/courier_rig.h"
#include "tests/unit/store_fixture.h"

#include <check.h>
#include <string.h>

#define EXPIRED "@expired:h"
#define OTHER "@other:h"

enum {
    BACKLOG = 100 * 1000,
    LANES = 20,
    DRAINED = 300,
    ENDS_MAX = 1024,
    HOST_CALLS = 2
};

/* The store of the fixture, with its rows counted as they are read. */
struct counting_store {
    struct store store;
    struct store_methods methods;
    int64_t rows_read;
};

static struct fixture fixture;
static struct rig rig;
static struct counting_store counting;
static struct ev_timer commit_timer;
static int64_t ends[ENDS_MAX];
static struct slice lanes[ENDS_MAX];
static size_t ends_count;
static size_t committed;
static int64_t next_id;
static bool is_logged_in;

static enum rc count_heads(struct store *store,
                           struct slice after,
                           struct arena *arena,
                           struct outbox_call *out,
                           size_t max,
                           size_t *count)
{
    (void)store;
    const enum rc rc =
        fixture.store->methods->lane_heads(fixture.store, after, arena, out, max, count);
    counting.rows_read += (int64_t)*count;
    return rc;
}

static enum rc
count_head(struct store *store, struct slice lane, struct arena *arena, struct outbox_call *out)
{
    (void)store;
    counting.rows_read++;
    return fixture.store->methods->lane_head(fixture.store, lane, arena, out);
}

static struct slice give_token(void *context, struct slice owner)
{
    (void)context;
    return is_logged_in || !slice_equal(owner, SLICE(EXPIRED)) ? SLICE("token") : SLICE_EMPTY;
}

static void note_end(void *context, const struct outbox_call *call, const struct call_ended *ended)
{
    (void)context;
    ck_assert_uint_lt(ends_count, ENDS_MAX);
    /* the heads that were there at the start may have been sent before it */
    ck_assert_int_eq(ended->end, call->id <= LANES ? CALL_END_UNKNOWN : CALL_END_DONE);
    ends[ends_count] = call->id;
    lanes[ends_count] = arena_copy(fixture.arena, call->call.lane);
    ends_count++;
    ev_timer_set(&commit_timer, 0.0, 0.0);
    ev_timer_start(rig.loop, &commit_timer);
}

static void commit_ends(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    const size_t count = ends_count - committed;
    (void)loop;
    (void)timer;
    (void)revents;
    ck_rc_eq(fixture_commit(&fixture,
                            (struct store_batch){.ended = &ends[committed], .ended_count = count}),
             RC_OK);
    courier_ended(rig.courier, &ends[committed], &lanes[committed], count);
    committed = ends_count;
}

static struct outbox_call gitter_call(const char *owner, const char *lane)
{
    next_id++;
    struct outbox_call call = fixture_make_call(next_id, next_id, lane, "");
    call.turn = next_id;
    call.created_ms = (int64_t)(ev_time() * 1000.0);
    call.call.api = CALL_GITTER;
    call.call.auth = CALL_AUTH_OWNER;
    call.call.repeat = CALL_REPEAT_NEVER;
    call.call.owner = slice_from_cstr(owner);
    call.call.method = SLICE("POST");
    call.call.body = SLICE("{}");
    call.call.path = arena_printf(fixture.arena, "/%lld", (long long)next_id);
    return call;
}

static const char *lane_name_of(int number)
{
    return arena_printf(fixture.arena, "room-out/" EXPIRED "|%d", number).ptr;
}

static void fill(void)
{
    struct outbox_call *calls = ARENA_ARRAY(fixture.arena, BACKLOG, struct outbox_call);
    for (int i = 0; i < BACKLOG; i++) {
        calls[i] = gitter_call(EXPIRED, lane_name_of(i % LANES));
    }
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.calls = calls, .calls_count = BACKLOG}),
             RC_OK);
}

/* What a turn of the other owner declares: in the store, then to the courier. */
static int64_t say(const char *lane)
{
    const struct outbox_call call = gitter_call(OTHER, lane);
    ck_rc_eq(fixture_call(&fixture, call), RC_OK);
    courier_add(rig.courier, &call, 1);
    return call.id;
}

static void run_committed(size_t count)
{
    while (committed < count) {
        ev_run(rig.loop, EVRUN_ONCE);
    }
}

static size_t place_of(int64_t id)
{
    size_t i = 0;
    while (i < ends_count && ends[i] != id) {
        i++;
    }
    ck_assert_uint_lt(i, ends_count);
    return i;
}

static void setup(void)
{
    fixture_init(&fixture, FIXTURE_SQLITE);
    fill();
    rig_open(&rig);
    rig_listen(&rig);
    counting = (struct counting_store){.rows_read = 0};
    counting.methods = *fixture.store->methods;
    counting.methods.lane_heads = count_heads;
    counting.methods.lane_head = count_head;
    counting.store.methods = &counting.methods;
    rig.options.store = &counting.store;
    rig.options.post = note_end;
    rig.options.owner_token = give_token;
    rig.options.host_calls_max = HOST_CALLS;
    ev_timer_init(&commit_timer, commit_ends, 0.0, 0.0);
    rig_start(&rig);
    ck_assert_int_eq(counting.rows_read, LANES);
    run_committed(LANES); /* of the heads nobody knows whether they were sent */
    ck_assert_uint_eq(rig.requests_count, 0);
}

static void teardown(void)
{
    ev_timer_stop(rig.loop, &commit_timer);
    rig_close(&rig);
    fixture_clear(&fixture);
}

START_TEST(only_the_heads_of_a_backlog_are_read_and_kept)
{
    ck_assert_int_eq(counting.rows_read, 2 * LANES);
    ck_assert_int_eq(courier_counts(rig.courier).lanes, LANES);
}
END_TEST

START_TEST(another_owner_goes_first_come_first_served)
{
    static const char *const names[] = {"a", "b", "a", "c", "b", "a"};
    int64_t ids[6];
    for (size_t i = 0; i < 6; i++) {
        ids[i] = say(names[i]);
    }
    run_committed(LANES + 6);
    ck_assert_uint_eq(ends_count, LANES + 6);
    /* of each lane in order; nothing of the other owner in between */
    ck_assert_uint_lt(place_of(ids[0]), place_of(ids[2]));
    ck_assert_uint_lt(place_of(ids[2]), place_of(ids[5]));
    ck_assert_uint_lt(place_of(ids[1]), place_of(ids[4]));
    ck_assert_uint_eq(rig.requests_count, 6);
    /* what was declared since is in memory, however much lies in the store */
    ck_assert_int_eq(counting.rows_read, 2 * LANES);
}
END_TEST

/* The backlog's own lanes stay in order, and the other owner waits for those in flight at most. */
START_TEST(after_the_login_the_backlog_drains_in_order_and_nobody_waits_behind_it)
{
    is_logged_in = true;
    courier_wake(rig.courier, SLICE(EXPIRED));
    run_committed(DRAINED / 2);
    const size_t before = ends_count;
    const int64_t id = say("a");
    run_committed(DRAINED);
    ck_assert_uint_le(place_of(id), before + 3 * HOST_CALLS);
    int64_t last[LANES] = {0};
    for (size_t i = 0; i < ends_count; i++) {
        if (ends[i] != id) {
            const size_t lane = (size_t)((ends[i] - 1) % LANES);
            ck_assert_int_eq(ends[i], last[lane] == 0 ? (int64_t)lane + 1 : last[lane] + LANES);
            last[lane] = ends[i];
        }
    }
    ck_assert_int_le(counting.rows_read, LANES + (int64_t)ends_count);
    ck_assert_int_le(courier_counts(rig.courier).lanes, LANES + 1);
    is_logged_in = false;
}
END_TEST

START_TEST(how_much_waits_is_known_without_reading_it)
{
    int64_t waiting = 0;
    ck_rc_eq(
        fixture.store->methods->waiting(fixture.store, SLICE(EXPIRED), CALL_AUTH_OWNER, &waiting),
        RC_OK);
    ck_assert_int_eq(waiting, BACKLOG - LANES);
    ck_rc_eq(
        fixture.store->methods->waiting(fixture.store, SLICE(OTHER), CALL_AUTH_OWNER, &waiting),
        RC_OK);
    ck_assert_int_eq(waiting, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("courier_backlog");
    TCase *tests = tcase_create("courier_backlog");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, only_the_heads_of_a_backlog_are_read_and_kept);
    tcase_add_test(tests, another_owner_goes_first_come_first_served);
    tcase_add_test(tests, after_the_login_the_backlog_drains_in_order_and_nobody_waits_behind_it);
    tcase_add_test(tests, how_much_waits_is_known_without_reading_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
