/* What every store promises of relations and of the outbox, asked of both. */
#include "tests/unit/store_fixture.h"

#include <check.h>
#include <stdlib.h>

static struct fixture fixture;

static void relate(const char *left, const char *right, const char *value)
{
    ck_rc_eq(fixture_relate(&fixture, (struct store_relation){.relation = RELATION_MESSAGE_MAP,
                                                              .left = slice_from_cstr(left),
                                                              .right = slice_from_cstr(right),
                                                              .value = slice_from_cstr(value)}),
             RC_OK);
}

STORE_TEST(store_relation_is_found_both_ways)
{
    struct slice text = SLICE_EMPTY;
    relate("!a", "m2", "$2");
    relate("!a", "m1", "$1");
    relate("!b", "m1", "$9");
    ck_rc_eq(
        is->related(store, RELATION_MESSAGE_MAP, SLICE("!a"), SLICE("m1"), fixture.arena, &text),
        RC_OK);
    ck_slice_eq(text, SLICE("$1"));
    ck_rc_eq(is->related_by_value(store, RELATION_MESSAGE_MAP, SLICE("!b"), SLICE("$9"),
                                  fixture.arena, &text),
             RC_OK);
    ck_slice_eq(text, SLICE("m1"));
    ck_rc_eq(is->related_by_value(store, RELATION_MESSAGE_MAP, SLICE("!a"), SLICE("$9"),
                                  fixture.arena, &text),
             RC_ABSENT);
    ck_rc_eq(
        is->related(store, RELATION_GHOST_ROOM, SLICE("!a"), SLICE("m1"), fixture.arena, &text),
        RC_ABSENT);
    relate("!a", "m1", "$3");
    ck_rc_eq(
        is->related(store, RELATION_MESSAGE_MAP, SLICE("!a"), SLICE("m1"), fixture.arena, &text),
        RC_OK);
    ck_slice_eq(text, SLICE("$3"));
    ck_rc_eq(is->related_by_value(store, RELATION_MESSAGE_MAP, SLICE("!a"), SLICE("$1"),
                                  fixture.arena, &text),
             RC_ABSENT);
}

STORE_TEST(store_relation_by_value_gives_the_first)
{
    struct slice text = SLICE_EMPTY;
    relate("!a", "m3", "$same");
    relate("!a", "m1", "$same");
    relate("!a", "m2", "$same");
    ck_rc_eq(is->related_by_value(store, RELATION_MESSAGE_MAP, SLICE("!a"), SLICE("$same"),
                                  fixture.arena, &text),
             RC_OK);
    ck_slice_eq(text, SLICE("m1"));
}

STORE_TEST(store_relation_without_a_value_is_found_once_it_has_one)
{
    struct slice text = SLICE_EMPTY;
    relate("!a", "m1", "");
    ck_rc_eq(
        is->related(store, RELATION_MESSAGE_MAP, SLICE("!a"), SLICE("m1"), fixture.arena, &text),
        RC_OK);
    ck_slice_eq(text, SLICE_EMPTY);
    ck_rc_eq(is->related_by_value(store, RELATION_MESSAGE_MAP, SLICE("!a"), SLICE_EMPTY,
                                  fixture.arena, &text),
             RC_ABSENT);
    relate("!a", "m1", "$1");
    ck_rc_eq(is->related_by_value(store, RELATION_MESSAGE_MAP, SLICE("!a"), SLICE("$1"),
                                  fixture.arena, &text),
             RC_OK);
    ck_slice_eq(text, SLICE("m1"));
    relate("!a", "m1", "");
    ck_rc_eq(is->related_by_value(store, RELATION_MESSAGE_MAP, SLICE("!a"), SLICE("$1"),
                                  fixture.arena, &text),
             RC_ABSENT);
}

static void ghost_in(const char *room, const char *ghost, bool is_gone)
{
    ck_rc_eq(fixture_relate(&fixture, (struct store_relation){.relation = RELATION_GHOST_ROOM,
                                                              .left = slice_from_cstr(room),
                                                              .right = slice_from_cstr(ghost),
                                                              .is_gone = is_gone}),
             RC_OK);
}

STORE_TEST(store_relations_go_on_after_one)
{
    struct slice out[4];
    size_t count = 0;
    struct slice text = SLICE("unchanged");
    ghost_in("!a", "g3", false);
    ghost_in("!a", "g1", false);
    ghost_in("!a", "g2", false);
    ghost_in("!b", "g0", false);
    ck_rc_eq(
        is->related(store, RELATION_GHOST_ROOM, SLICE("!a"), SLICE("g1"), fixture.arena, &text),
        RC_OK);
    ck_slice_eq(text, SLICE_EMPTY);
    ck_rc_eq(is->relations(store, RELATION_GHOST_ROOM, SLICE("!a"), SLICE_EMPTY, fixture.arena, out,
                           2, &count),
             RC_OK);
    ck_assert_uint_eq(count, 2);
    ck_slice_eq(out[0], SLICE("g1"));
    ck_slice_eq(out[1], SLICE("g2"));
    ck_rc_eq(is->relations(store, RELATION_GHOST_ROOM, SLICE("!a"), out[1], fixture.arena, out, 2,
                           &count),
             RC_OK);
    ck_assert_uint_eq(count, 1);
    ck_slice_eq(out[0], SLICE("g3"));
}

STORE_TEST(store_relation_deletes_one_or_all_of_left)
{
    struct slice out[4];
    struct slice text = SLICE_EMPTY;
    size_t count = 0;
    ghost_in("!a", "g1", false);
    ghost_in("!a", "g2", false);
    ghost_in("!a", "g3", false);
    ghost_in("!aa", "g4", false);
    relate("!a", "m1", "$1");
    ghost_in("!a", "g2", true);
    ghost_in("!a", "never", true);
    ck_rc_eq(is->relations(store, RELATION_GHOST_ROOM, SLICE("!a"), SLICE_EMPTY, fixture.arena, out,
                           4, &count),
             RC_OK);
    ck_assert_uint_eq(count, 2);
    ghost_in("!a", "", true);
    ck_rc_eq(is->relations(store, RELATION_GHOST_ROOM, SLICE("!a"), SLICE_EMPTY, fixture.arena, out,
                           4, &count),
             RC_OK);
    ck_assert_uint_eq(count, 0);
    ck_rc_eq(is->relations(store, RELATION_GHOST_ROOM, SLICE("!aa"), SLICE_EMPTY, fixture.arena,
                           out, 4, &count),
             RC_OK);
    ck_assert_uint_eq(count, 1);
    ck_rc_eq(
        is->related(store, RELATION_MESSAGE_MAP, SLICE("!a"), SLICE("m1"), fixture.arena, &text),
        RC_OK);
}

STORE_TEST(store_relations_of_one_batch_go_in_order)
{
    const struct store_relation relations[] = {
        {.left = SLICE("!a"), .right = SLICE("g1")},
        {.left = SLICE("!a"), .is_gone = true},
        {.left = SLICE("!a"), .right = SLICE("g2")},
        {.left = SLICE("!a"), .right = SLICE("g3")},
        {.left = SLICE("!a"), .right = SLICE("g3"), .is_gone = true},
    };
    struct slice out[4];
    size_t count = 0;
    ck_rc_eq(fixture_commit(&fixture,
                            (struct store_batch){.relations = relations, .relations_count = 5}),
             RC_OK);
    ck_rc_eq(is->relations(store, RELATION_GHOST_ROOM, SLICE("!a"), SLICE_EMPTY, fixture.arena, out,
                           4, &count),
             RC_OK);
    ck_assert_uint_eq(count, 1);
    ck_slice_eq(out[0], SLICE("g2"));
}

STORE_TEST(store_call_comes_back_whole)
{
    const struct outbox_call call = {
        .id = 7,
        .place = 5,
        .turn = 3,
        .created_ms = 1234,
        .actor_kind = CHAT,
        .actor_key = SLICE("!c\0:x"),
        .call =
            {
                .purpose = 12,
                .api = CALL_GITTER_WEB,
                .auth = CALL_AUTH_OAUTH,
                .repeat = CALL_REPEAT_NEVER,
                .lane = SLICE("lane\0x"),
                .owner = SLICE("@a:x"),
                .after_lane = SLICE("other"),
                .method = SLICE("POST"),
                .path = SLICE("/logout?x=%00"),
                .body = SLICE("a\0b\xff"),
                .content_type = SLICE("text/plain"),
                .ref = SLICE("ref"),
                .not_before_ms = 99,
                .patience_ms = 77,
                .is_catch_up = true,
                .takes_401 = true,
            },
    };
    struct outbox_call back;
    ck_rc_eq(fixture_call(&fixture, call), RC_OK);
    ck_rc_eq(is->lane_head(store, SLICE("lane\0x"), fixture.arena, &back), RC_OK);
    ck_assert_int_eq(back.id, 7);
    ck_assert_int_eq(back.place, 5);
    ck_assert_int_eq(back.turn, 3);
    ck_assert_int_eq(back.created_ms, 1234);
    ck_assert_int_eq(back.actor_kind, CHAT);
    ck_slice_eq(back.actor_key, call.actor_key);
    ck_assert_int_eq(back.call.purpose, 12);
    ck_assert_int_eq(back.call.api, CALL_GITTER_WEB);
    ck_assert_int_eq(back.call.auth, CALL_AUTH_OAUTH);
    ck_assert_int_eq(back.call.repeat, CALL_REPEAT_NEVER);
    ck_slice_eq(back.call.lane, call.call.lane);
    ck_slice_eq(back.call.owner, call.call.owner);
    ck_slice_eq(back.call.after_lane, call.call.after_lane);
    ck_slice_eq(back.call.method, call.call.method);
    ck_slice_eq(back.call.path, call.call.path);
    ck_slice_eq(back.call.body, call.call.body);
    ck_slice_eq(back.call.content_type, call.call.content_type);
    ck_slice_eq(back.call.ref, call.call.ref);
    ck_assert_int_eq(back.call.not_before_ms, 99);
    ck_assert_int_eq(back.call.patience_ms, 77);
    ck_assert(back.call.is_catch_up);
    ck_assert(back.call.takes_401);
}

STORE_TEST(store_lane_is_ordered_by_place_then_id)
{
    (void)is;
    (void)store;
    const struct outbox_call calls[] = {
        fixture_make_call(1, 1, "l", "a"),
        fixture_make_call(2, 2, "l", "b"),
        fixture_make_call(3, 3, "other", "a"),
        fixture_make_call(4, 4, "l", "a"),
        /* succeeds call 1: goes before 2 */
        fixture_make_call(10, 1, "l", "a"),
    };
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.calls = calls, .calls_count = 5}),
             RC_OK);
    fixture_reopen(&fixture, false);
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE_EMPTY, 8), "1 10 2 4");
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE_EMPTY, 2), "1 10");
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE("a"), 8), "1 10 4");
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE("b"), 8), "2");
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE("c"), 8), "");
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("other"), SLICE_EMPTY, 8), "3");
}

STORE_TEST(store_finds_calls_by_the_beginning_of_their_ref)
{
    (void)is;
    (void)store;
    const struct outbox_call calls[] = {
        fixture_make_call(1, 1, "l", "$é"),       fixture_make_call(2, 2, "l", "$é|post|1"),
        fixture_make_call(3, 3, "l", "$é|post"),  fixture_make_call(4, 4, "l", "$éa|post"),
        fixture_make_call(5, 5, "l", "$|é|post"), fixture_make_call(6, 6, "l", "$é|poste"),
    };
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.calls = calls, .calls_count = 6}),
             RC_OK);
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE("$é"), 8), "1 2 3 6");
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE("$é|post"), 8), "2 3");
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE("$"), 8), "5");
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE("é"), 8), "");
}

STORE_TEST(store_ended_call_gives_way_to_its_successor)
{
    struct outbox_call head;
    const struct outbox_call first[] = {
        fixture_make_call(1, 1, "l", ""),
        fixture_make_call(2, 2, "l", ""),
    };
    const struct outbox_call again = fixture_make_call(3, 1, "l", "");
    const int64_t one = 1;
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.calls = first, .calls_count = 2}),
             RC_OK);
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.calls = &again,
                                                           .calls_count = 1,
                                                           .ended = &one,
                                                           .ended_count = 1}),
             RC_OK);
    ck_rc_eq(is->lane_head(store, SLICE("l"), fixture.arena, &head), RC_OK);
    ck_assert_int_eq(head.id, 3);
    const int64_t rest[] = {3, 2, 99};
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.ended = rest, .ended_count = 3}),
             RC_OK);
    ck_rc_eq(is->lane_head(store, SLICE("l"), fixture.arena, &head), RC_ABSENT);
}

STORE_TEST(store_call_declared_and_ended_in_one_batch_is_gone)
{
    (void)is;
    (void)store;
    const struct outbox_call call = fixture_make_call(1, 1, "l", "");
    const int64_t one = 1;
    ck_rc_eq(fixture_commit(&fixture,
                            (struct store_batch){
                                .calls = &call, .calls_count = 1, .ended = &one, .ended_count = 1}),
             RC_OK);
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE_EMPTY, 8), "");
}

STORE_TEST(store_lane_heads_go_on_after_a_lane)
{
    const struct outbox_call calls[] = {
        fixture_make_call(1, 9, "b", ""), fixture_make_call(2, 2, "b", ""),
        fixture_make_call(3, 3, "a", ""), fixture_make_call(4, 4, "c", ""),
        fixture_make_call(5, 5, "c", ""), fixture_make_call(6, 6, "bb", ""),
    };
    struct outbox_call heads[8];
    size_t count = 0;
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.calls = calls, .calls_count = 6}),
             RC_OK);
    ck_rc_eq(is->lane_heads(store, SLICE_EMPTY, fixture.arena, heads, 3, &count), RC_OK);
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(heads[0].id, 3);
    ck_assert_int_eq(heads[1].id, 2);
    ck_assert_int_eq(heads[2].id, 6);
    ck_rc_eq(is->lane_heads(store, heads[2].call.lane, fixture.arena, heads, 3, &count), RC_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(heads[0].id, 4);
}

static int64_t waiting_as(struct store *store, const char *owner, enum call_auth auth)
{
    int64_t waiting = -1;
    ck_rc_eq(store->methods->waiting(store, slice_from_cstr(owner), auth, &waiting), RC_OK);
    return waiting;
}

static int64_t waiting_of(struct store *store, const char *owner)
{
    return waiting_as(store, owner, CALL_AUTH_OWNER);
}

static int64_t all_waiting(struct store *store)
{
    int64_t waiting = -1;
    ck_rc_eq(store->methods->all_waiting(store, &waiting), RC_OK);
    return waiting;
}

static struct outbox_call call_of(int64_t id, const char *owner, enum call_auth auth)
{
    struct outbox_call call = fixture_make_call(id, id, "l", "");
    call.call.owner = slice_from_cstr(owner);
    call.call.auth = auth;
    return call;
}

STORE_TEST(store_counts_the_calls_that_wait_for_each_owner)
{
    (void)is;
    const struct outbox_call calls[] = {
        call_of(1, "@a:hs", CALL_AUTH_OWNER), call_of(2, "@a:hs", CALL_AUTH_OWNER),
        call_of(3, "@b:hs", CALL_AUTH_OWNER), call_of(4, "@a:hs", CALL_AUTH_APPSERVICE),
        call_of(5, "@c:hs", CALL_AUTH_OWNER), call_of(6, "@a:hs", CALL_AUTH_APPSERVICE),
        call_of(7, "@a:hs", CALL_AUTH_NONE),
    };
    const int64_t ended[] = {2, 5, 99, 6};
    ck_assert_int_eq(waiting_of(store, "@a:hs"), 0);
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.calls = calls,
                                                           .calls_count = 7,
                                                           .ended = &ended[1],
                                                           .ended_count = 1}),
             RC_OK);
    ck_assert_int_eq(waiting_of(store, "@a:hs"), 2);
    ck_assert_int_eq(waiting_of(store, "@b:hs"), 1);
    ck_assert_int_eq(waiting_of(store, "@c:hs"), 0);
    ck_assert_int_eq(waiting_as(store, "@a:hs", CALL_AUTH_APPSERVICE), 2);
    ck_assert_int_eq(waiting_as(store, "@b:hs", CALL_AUTH_APPSERVICE), 0);
    ck_assert_int_eq(all_waiting(store), 5);
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.ended = ended, .ended_count = 4}),
             RC_OK);
    ck_assert_int_eq(waiting_of(store, "@a:hs"), 1);
    ck_assert_int_eq(waiting_as(store, "@a:hs", CALL_AUTH_APPSERVICE), 1);
    ck_assert_int_eq(all_waiting(store), 3);
    if (fixture.kind == FIXTURE_SQLITE) {
        fixture_reopen(&fixture, false);
        ck_assert_int_eq(waiting_of(fixture.store, "@a:hs"), 1);
        ck_assert_int_eq(waiting_as(fixture.store, "@a:hs", CALL_AUTH_APPSERVICE), 1);
        ck_assert_int_eq(all_waiting(fixture.store), 3);
    }
}

static void hold(struct store *store, bool is_held)
{
    if (store->methods->hold != NULL) { /* where it makes a difference */
        store->methods->hold(store, is_held);
    }
}

STORE_TEST(store_that_was_held_sees_the_next_commit)
{
    const struct slice event_id = SLICE("$e");
    hold(store, true);
    hold(store, true);
    ck_rc_eq(is->seen(store, event_id), RC_ABSENT);
    hold(store, false);
    hold(store, false);
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.seen = &event_id, .seen_count = 1}),
             RC_OK);
    hold(store, true);
    ck_rc_eq(is->seen(store, event_id), RC_OK);
    hold(store, false);
    ck_rc_eq(is->seen(store, event_id), RC_OK);
}

STORE_TEST(store_clean_mark_is_taken_once)
{
    bool was_clean = true;
    (void)is;
    ck_rc_eq(store->methods->take_clean_mark(store, &was_clean), RC_OK);
    ck_assert(!was_clean);
    ck_rc_eq(store->methods->mark_clean(store), RC_OK);
    ck_rc_eq(store->methods->mark_clean(store), RC_OK);
    fixture_reopen(&fixture, false);
    store = fixture.store;
    ck_rc_eq(store->methods->take_clean_mark(store, &was_clean), RC_OK);
    ck_assert(was_clean);
    fixture_reopen(&fixture, false); /* the process died right after its start */
    store = fixture.store;
    ck_rc_eq(store->methods->take_clean_mark(store, &was_clean), RC_OK);
    ck_assert(!was_clean);
}

int main(void)
{
    Suite *suite = suite_create("store_calls");
    TCase *both = tcase_create("both");
    tcase_set_timeout(both, 60);
    tcase_add_loop_test(both, store_that_was_held_sees_the_next_commit, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_clean_mark_is_taken_once, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_relation_is_found_both_ways, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_relation_by_value_gives_the_first, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_relation_without_a_value_is_found_once_it_has_one, 0,
                        FIXTURE_KINDS);
    tcase_add_loop_test(both, store_relations_go_on_after_one, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_relation_deletes_one_or_all_of_left, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_relations_of_one_batch_go_in_order, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_call_comes_back_whole, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_lane_is_ordered_by_place_then_id, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_finds_calls_by_the_beginning_of_their_ref, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_ended_call_gives_way_to_its_successor, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_call_declared_and_ended_in_one_batch_is_gone, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_lane_heads_go_on_after_a_lane, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_counts_the_calls_that_wait_for_each_owner, 0, FIXTURE_KINDS);
    suite_add_tcase(suite, both);
    return run_suite(suite);
}
