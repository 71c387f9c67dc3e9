#include "runtime/lanes.h"
#include "tests/unit/slice_check.h"

#include <stdio.h>

static struct lanes *lanes;

static void setup(void)
{
    lanes = lanes_open(4);
}

static void teardown(void)
{
    lanes_close(lanes);
}

static struct lanes_head head(const char *owner, int64_t place)
{
    return (struct lanes_head){
        .place = place, .turn = place, .owner = slice_from_cstr(owner), .expires_ms = INT64_MAX};
}

static struct lane *put(const char *name, struct lanes_head head)
{
    const struct slice text = slice_from_cstr(name);
    struct lane *lane = lanes_find(lanes, text);
    if (lane == NULL) {
        lane = lanes_add(lanes, text);
    }
    lanes_set_head(lanes, lane, &head);
    return lane;
}

static struct lane *get(const char *name)
{
    return lanes_find(lanes, slice_from_cstr(name));
}

/* The head of the lane has ended and there is no other. */
static void end(const char *name)
{
    lanes_done(lanes, get(name));
    lanes_remove(lanes, get(name));
}

static void next_is(int64_t now_ms, const char *name)
{
    struct lane *lane = lanes_next(lanes, now_ms);
    if (name == NULL) {
        ck_assert_msg(lane == NULL, "a lane goes");
        return;
    }
    ck_assert_msg(lane != NULL, "%s does not go", name);
    ck_slice_eq(lane_name(lane), slice_from_cstr(name));
    ck_assert_int_eq(lane_state(lane), LANE_RUNNING);
}

START_TEST(lanes_of_one_owner_go_first_come_first_served)
{
    put("b", head("o", 1));
    put("a", head("o", 2));
    put("c", head("o", 3));
    next_is(0, "b");
    next_is(0, "a");
    next_is(0, "c");
    next_is(0, NULL);
    ck_assert_int_eq(lanes_in_flight(lanes), 3);
}
END_TEST

START_TEST(lanes_running_does_not_go_twice_and_goes_again_when_told)
{
    put("a", head("o", 1));
    next_is(0, "a");
    next_is(0, NULL);
    lanes_again(lanes, get("a"), 50);
    next_is(49, NULL);
    ck_assert_int_eq(lanes_next_ms(lanes), 50);
    next_is(50, "a");
    lanes_again(lanes, get("a"), 0);
    next_is(50, "a");
}
END_TEST

START_TEST(lanes_quiet_owner_waits_for_one_lane_of_a_flooding_one)
{
    char name[32];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "flood%d", i);
        put(name, head("loud", i + 1));
    }
    put("quiet1", head("quiet", 200));
    put("quiet2", head("quiet", 201));
    next_is(0, "flood0");
    next_is(0, "quiet1");
    next_is(0, "flood1");
    next_is(0, "quiet2");
    end("flood0");
    next_is(0, "flood2");
}
END_TEST

START_TEST(lanes_live_go_before_catch_up_of_any_owner)
{
    struct lanes_head old = head("a", 1);
    old.is_catch_up = true;
    put("old1", old);
    put("old2", old);
    put("live1", head("b", 2));
    put("live2", head("a", 3));
    next_is(0, "live1");
    next_is(0, "live2");
    next_is(0, "old1");
    next_is(0, "old2");
}
END_TEST

START_TEST(lanes_catch_up_has_a_share_of_a_busy_host)
{
    struct lanes_head old = head("a", 1);
    old.is_catch_up = true;
    put("old1", old);
    put("old2", old);
    for (int i = 0; i < 3 * LANES_LIVE_IN_A_ROW_MAX; i++) {
        put("live", head("b", i + 1));
        if (i == LANES_LIVE_IN_A_ROW_MAX) {
            next_is(0, "old1");
        } else if (i == 2 * LANES_LIVE_IN_A_ROW_MAX) {
            next_is(0, "old2");
        }
        next_is(0, "live");
        end("live");
    }
    next_is(0, NULL);
}
END_TEST

START_TEST(lanes_cap_holds_for_each_host)
{
    char name[32];
    for (int i = 0; i < 6; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        put(name, head("o", i + 1));
    }
    struct lanes_head other = head("o", 10);
    other.host = 1;
    put("g", other);
    next_is(0, "m0");
    next_is(0, "m1");
    next_is(0, "m2");
    next_is(0, "m3");
    next_is(0, "g");
    next_is(0, NULL);
    ck_assert_int_eq(lanes_next_ms(lanes), 0);
    end("m1");
    next_is(0, "m4");
    next_is(0, NULL);
}
END_TEST

START_TEST(lanes_doubtful_host_is_tried_with_one_call)
{
    put("a", head("o", 1));
    put("b", head("o", 2));
    lanes_doubt_host(lanes, 0, true);
    next_is(0, "a");
    next_is(0, NULL);
    lanes_doubt_host(lanes, 0, false);
    next_is(0, "b");
}
END_TEST

START_TEST(lanes_head_waits_for_its_time)
{
    struct lanes_head late = head("o", 1);
    late.start_ms = 100;
    put("late", late);
    put("now", head("o", 2));
    next_is(10, "now");
    next_is(99, NULL);
    ck_assert_int_eq(lanes_next_ms(lanes), 100);
    next_is(100, "late");
}
END_TEST

START_TEST(lanes_paused_host_holds_its_calls_only)
{
    struct lanes_head other = head("o", 2);
    other.host = 2;
    put("a", head("o", 1));
    put("b", other);
    lanes_pause_host(lanes, 0, 500);
    lanes_pause_host(lanes, 0, 400);
    next_is(10, "b");
    next_is(499, NULL);
    ck_assert_int_eq(lanes_next_ms(lanes), 500);
    next_is(500, "a");
    ck_assert_int_eq(lanes_next_ms(lanes), 0);
}
END_TEST

START_TEST(lanes_paused_owner_does_not_hold_others)
{
    struct lane *a = put("a", head("o", 1));
    put("b", head("o", 2));
    put("c", head("p", 3));
    next_is(0, "a");
    lanes_pause_owner(lanes, a, 300);
    lanes_again(lanes, a, 0);
    next_is(0, "c");
    next_is(299, NULL);
    ck_assert_int_eq(lanes_next_ms(lanes), 300);
    next_is(300, "b");
    next_is(300, "a");
}
END_TEST

START_TEST(lanes_that_are_hurried_wait_for_their_own_time_only)
{
    struct lanes_head later = head("c", 3);
    later.start_ms = 900;
    put("failed", head("a", 1));
    struct lane *limited = put("limited", head("b", 2));
    put("later", later);
    next_is(0, "failed");
    lanes_again(lanes, get("failed"), 500);
    lanes_pause_owner(lanes, limited, 600);
    lanes_pause_host(lanes, 0, 700);
    next_is(0, NULL);
    lanes_hurry(lanes, 10);
    next_is(10, "limited");
    next_is(10, "failed");
    next_is(10, NULL);
    next_is(900, "later");
}
END_TEST

START_TEST(lanes_pause_of_an_owner_outlives_its_lanes)
{
    struct lane *a = put("a", head("o", 1));
    next_is(0, "a");
    lanes_pause_owner(lanes, a, 300);
    end("a");
    put("b", head("o", 2));
    next_is(299, NULL);
    next_is(300, "b");
}
END_TEST

START_TEST(lanes_refused_token_holds_what_needs_one_until_woken)
{
    struct lanes_head needs = head("o", 1);
    needs.needs_token = true;
    needs.expires_ms = 1000;
    put("a", needs);
    put("b", needs);
    put("c", needs);
    put("free", head("o", 2));
    next_is(0, "a");
    next_is(0, "b");
    ck_assert(lanes_refuse(lanes, get("a")));
    ck_assert(!lanes_refuse(lanes, get("b")));
    next_is(0, "free");
    next_is(0, NULL);
    ck_assert_int_eq(lane_state(get("c")), LANE_LOCKED);
    ck_assert_int_eq(lanes_next_ms(lanes), 1000);
    lanes_wake(lanes, SLICE("o"));
    next_is(0, "a");
    next_is(0, "b");
    next_is(0, "c");
}
END_TEST

START_TEST(lanes_refusal_of_an_older_token_means_again)
{
    struct lanes_head needs = head("o", 1);
    needs.needs_token = true;
    put("a", needs);
    next_is(0, "a");
    lanes_wake(lanes, SLICE("o"));
    ck_assert(!lanes_refuse(lanes, get("a")));
    next_is(0, "a");
    ck_assert(lanes_refuse(lanes, get("a")));
    next_is(0, NULL);
}
END_TEST

START_TEST(lanes_expired_head_goes_without_a_token)
{
    struct lanes_head needs = head("o", 1);
    needs.needs_token = true;
    needs.expires_ms = 70;
    put("a", needs);
    next_is(0, "a");
    ck_assert(lanes_refuse(lanes, get("a")));
    next_is(69, NULL);
    next_is(70, "a");
}
END_TEST

static struct lanes_head after(const char *lane, int64_t place)
{
    struct lanes_head waiting = head("o", place);
    waiting.after_lane = slice_from_cstr(lane);
    return waiting;
}

START_TEST(lanes_barrier_waits_for_calls_of_earlier_turns_only)
{
    put("other", head("o", 5));
    put("waiting", after("other", 7));
    next_is(0, "other");
    next_is(0, NULL);
    ck_assert_int_eq(lane_state(get("waiting")), LANE_BARRED);
    lanes_done(lanes, get("other"));
    next_is(0, NULL);
    put("other", head("o", 6));
    next_is(0, "other");
    next_is(0, NULL);
    lanes_done(lanes, get("other"));
    put("other", head("o", 8));
    next_is(0, "other");
    next_is(0, "waiting");
    ck_assert(lane_was_barred(get("waiting")));
    ck_assert(!lane_was_barred(get("other")));
}
END_TEST

START_TEST(lanes_barrier_holds_for_a_call_declared_behind_in_the_same_turn)
{
    struct lanes_head other = head("o", 8);
    other.turn = 7;
    put("waiting", after("other", 7));
    put("other", other);
    next_is(0, "other");
    next_is(0, NULL);
    end("other");
    next_is(0, "waiting");
}
END_TEST

START_TEST(lanes_barrier_holds_for_a_successor_of_an_earlier_call)
{
    struct lanes_head successor = head("o", 5);
    successor.turn = 9;
    put("other", successor);
    put("waiting", after("other", 7));
    next_is(0, "other");
    next_is(0, NULL);
    end("other");
    next_is(0, "waiting");
}
END_TEST

START_TEST(lanes_successor_waits_in_the_stead_of_the_call_it_succeeds)
{
    struct lanes_head successor = after("other", 5);
    successor.turn = 9;
    put("waiting", successor);
    put("other", after("waiting", 7));
    next_is(0, "waiting");
    next_is(0, NULL);
    end("waiting");
    next_is(0, "other");
}
END_TEST

START_TEST(lanes_barrier_of_an_unknown_or_the_own_lane_is_none)
{
    put("a", after("nowhere", 1));
    put("b", after("b", 2));
    next_is(0, "a");
    next_is(0, "b");
}
END_TEST

START_TEST(lanes_many_waiting_for_one_go_in_the_order_of_their_places)
{
    char name[32];
    put("gate", head("o", 1));
    for (int i = 50; i > 0; i--) {
        (void)snprintf(name, sizeof name, "w%d", i);
        put(name, after("gate", i + 1));
    }
    next_is(0, "gate");
    next_is(0, NULL);
    lanes_done(lanes, get("gate"));
    put("gate", head("o", 25));
    next_is(0, "gate");
    next_is(0, "w1");
    next_is(0, "w2");
    next_is(0, "w3");
    end("w1");
    next_is(0, "w4");
    ck_assert_int_eq(lane_state(get("w24")), LANE_BARRED);
    ck_assert_int_eq(lane_state(get("w23")), LANE_READY);
}
END_TEST

START_TEST(lanes_head_cleared_is_gone_wherever_it_waits)
{
    struct lanes_head timed = head("o", 1);
    struct lanes_head needs = head("o", 2);
    timed.start_ms = 5;
    needs.needs_token = true;
    put("gate", head("o", 1));
    put("timed", timed);
    put("needs", needs);
    next_is(0, "gate");
    next_is(0, "needs");
    ck_assert(lanes_refuse(lanes, get("needs")));
    put("barred", after("gate", 3));
    next_is(0, NULL);
    put("ready", head("o", 4));
    const char *names[] = {"timed", "needs", "barred", "ready"};
    for (size_t i = 0; i < 4; i++) {
        lanes_clear_head(lanes, get(names[i]));
        ck_assert(lane_data(get(names[i])) == NULL);
        lanes_remove(lanes, get(names[i]));
    }
    end("gate");
    next_is(1000000, NULL);
    ck_assert_uint_eq(lanes_count(lanes), 0);
}
END_TEST

START_TEST(lanes_owner_may_change_with_the_head)
{
    put("a", head("o", 1));
    next_is(0, "a");
    lanes_done(lanes, get("a"));
    struct lanes_head other = head("p", 2);
    other.host = 1;
    put("a", other);
    next_is(0, "a");
    ck_assert_int_eq(lanes_in_flight(lanes), 1);
}
END_TEST

/* Whatever happens, a lane that may go goes, none goes twice, and the caps hold. */

enum {
    RANDOM_LANES = 40,
    RANDOM_STEPS = 20000
};

struct chaos {
    char names[RANDOM_LANES][16];
    struct lane *every[RANDOM_LANES];
    uint32_t seed;
    int64_t place;
    int64_t now;
    int ends;
};

static uint32_t draw(struct chaos *chaos, uint32_t bound)
{
    chaos->seed = chaos->seed * 1664525U + 1013904223U;
    return (chaos->seed >> 8) % bound;
}

static struct lanes_head draw_head(struct chaos *chaos)
{
    struct lanes_head some = head(draw(chaos, 2) == 0 ? "o" : "p", ++chaos->place);
    some.host = (int)draw(chaos, LANES_HOSTS);
    some.needs_token = draw(chaos, 2) == 0;
    some.is_catch_up = draw(chaos, 3) == 0;
    some.start_ms = draw(chaos, 8) == 0 ? chaos->now + 3 : 0;
    if (draw(chaos, 3) == 0) {
        some.after_lane = slice_from_cstr(chaos->names[draw(chaos, RANDOM_LANES)]);
    }
    return some;
}

static void disturb_running(struct chaos *chaos, struct lane *lane)
{
    switch (draw(chaos, 8)) {
    case 0:
        (void)lanes_refuse(lanes, lane);
        break;
    case 1:
        lanes_again(lanes, lane, chaos->now + 2);
        break;
    case 2:
        lanes_pause_owner(lanes, lane, chaos->now + 5);
        break;
    case 3:
        lanes_pause_host(lanes, (int)draw(chaos, LANES_HOSTS), chaos->now + 2);
        break;
    default:
        lanes_done(lanes, lane);
        chaos->ends++;
        break;
    }
}

static void disturb(struct chaos *chaos)
{
    struct lane *lane = chaos->every[draw(chaos, RANDOM_LANES)];
    chaos->now += draw(chaos, 2);
    if (lane_state(lane) == LANE_EMPTY) {
        const struct lanes_head some = draw_head(chaos);
        lanes_set_head(lanes, lane, &some);
    } else if (lane_state(lane) == LANE_RUNNING) {
        disturb_running(chaos, lane);
    } else if (draw(chaos, 16) == 0) {
        lanes_clear_head(lanes, lane);
    }
    if (draw(chaos, 8) == 0) {
        lanes_wake(lanes, draw(chaos, 2) == 0 ? SLICE("o") : SLICE("p"));
    }
    (void)lanes_next(lanes, chaos->now);
}

/* Nothing new comes: all that is there must come to its end. */
static size_t settle(struct chaos *chaos)
{
    size_t left = 0;
    chaos->now += 10;
    while (lanes_next(lanes, chaos->now) != NULL) {
        ck_assert_int_le(lanes_in_flight(lanes), 4 * LANES_HOSTS);
    }
    for (size_t i = 0; i < RANDOM_LANES; i++) {
        struct lane *lane = chaos->every[i];
        if (lane != NULL && lane_state(lane) == LANE_RUNNING) {
            lanes_done(lanes, lane);
        }
        if (lane != NULL && lane_state(lane) == LANE_EMPTY) {
            lanes_remove(lanes, lane);
            chaos->every[i] = NULL;
        }
        left += chaos->every[i] != NULL;
    }
    return left;
}

START_TEST(lanes_random_operations_lose_nothing)
{
    struct chaos chaos = {.seed = (uint32_t)_i, .now = 1};
    for (size_t i = 0; i < RANDOM_LANES; i++) {
        (void)snprintf(chaos.names[i], sizeof chaos.names[i], "l%zu", i);
        chaos.every[i] = lanes_add(lanes, slice_from_cstr(chaos.names[i]));
    }
    for (int step = 0; step < RANDOM_STEPS; step++) {
        disturb(&chaos);
        ck_assert_int_le(lanes_in_flight(lanes), 4 * LANES_HOSTS);
    }
    ck_assert_int_gt(chaos.ends, RANDOM_STEPS / 20);
    lanes_wake(lanes, SLICE("o"));
    lanes_wake(lanes, SLICE("p"));
    int rounds = 0;
    while (settle(&chaos) > 0) {
        ck_assert_int_le(++rounds, RANDOM_LANES);
    }
    ck_assert_uint_eq(lanes_count(lanes), 0);
    ck_assert_int_eq(lanes_in_flight(lanes), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lanes");
    TCase *tc = tcase_create("lanes");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, lanes_of_one_owner_go_first_come_first_served);
    tcase_add_test(tc, lanes_running_does_not_go_twice_and_goes_again_when_told);
    tcase_add_test(tc, lanes_quiet_owner_waits_for_one_lane_of_a_flooding_one);
    tcase_add_test(tc, lanes_live_go_before_catch_up_of_any_owner);
    tcase_add_test(tc, lanes_catch_up_has_a_share_of_a_busy_host);
    tcase_add_test(tc, lanes_cap_holds_for_each_host);
    tcase_add_test(tc, lanes_doubtful_host_is_tried_with_one_call);
    tcase_add_test(tc, lanes_head_waits_for_its_time);
    tcase_add_test(tc, lanes_paused_host_holds_its_calls_only);
    tcase_add_test(tc, lanes_paused_owner_does_not_hold_others);
    tcase_add_test(tc, lanes_that_are_hurried_wait_for_their_own_time_only);
    tcase_add_test(tc, lanes_pause_of_an_owner_outlives_its_lanes);
    tcase_add_test(tc, lanes_refused_token_holds_what_needs_one_until_woken);
    tcase_add_test(tc, lanes_refusal_of_an_older_token_means_again);
    tcase_add_test(tc, lanes_expired_head_goes_without_a_token);
    tcase_add_test(tc, lanes_barrier_waits_for_calls_of_earlier_turns_only);
    tcase_add_test(tc, lanes_barrier_holds_for_a_call_declared_behind_in_the_same_turn);
    tcase_add_test(tc, lanes_barrier_holds_for_a_successor_of_an_earlier_call);
    tcase_add_test(tc, lanes_successor_waits_in_the_stead_of_the_call_it_succeeds);
    tcase_add_test(tc, lanes_barrier_of_an_unknown_or_the_own_lane_is_none);
    tcase_add_test(tc, lanes_many_waiting_for_one_go_in_the_order_of_their_places);
    tcase_add_test(tc, lanes_head_cleared_is_gone_wherever_it_waits);
    tcase_add_test(tc, lanes_owner_may_change_with_the_head);
    tcase_add_loop_test(tc, lanes_random_operations_lose_nothing, 0, 10);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
