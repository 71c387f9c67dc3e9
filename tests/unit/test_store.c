/* What every store promises, asked of both: SQLite and memory. */
#include "tests/unit/store_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct fixture fixture;

static struct slice filled(size_t len)
{
    char *bytes = arena_alloc(fixture.arena, len);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)(i * 31 + i / 251);
    }
    return slice_make(bytes, len);
}

static struct store_actor load(int kind, struct slice key)
{
    struct store_actor actor = {.kind = -1};
    ck_rc_eq(fixture.store->methods->load(fixture.store, kind, key, fixture.arena, &actor), RC_OK);
    return actor;
}

STORE_TEST(store_new_is_empty)
{
    struct store_actor actor;
    struct store_found found[4];
    struct outbox_call calls[4];
    struct slice text = SLICE_EMPTY;
    int64_t number = -1;
    size_t count = 9;
    ck_rc_eq(is->next_turn(store, &number), RC_OK);
    ck_assert_int_eq(number, 1);
    for (int kind = 0; kind < TABLES_COUNT; kind++) {
        ck_rc_eq(is->load(store, kind, SLICE("x"), fixture.arena, &actor), RC_ABSENT);
        ck_rc_eq(is->list(store, kind, SLICE_EMPTY, fixture.arena, found, 4, &count), RC_OK);
        ck_assert_uint_eq(count, 0);
    }
    count = 9;
    ck_rc_eq(is->find(store, USER, 0, SLICE("x"), fixture.arena, found, 4, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
    ck_rc_eq(is->related(store, RELATION_GHOST_ROOM, SLICE("a"), SLICE("b"), fixture.arena, &text),
             RC_ABSENT);
    ck_rc_eq(is->seen(store, SLICE("$e")), RC_ABSENT);
    ck_rc_eq(is->next_deadline(store, 0, &number), RC_OK);
    ck_assert_int_eq(number, 0);
    count = 9;
    ck_rc_eq(is->due(store, INT64_MAX, fixture.arena, &actor, 1, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
    count = 9;
    ck_rc_eq(is->lane_heads(store, SLICE_EMPTY, fixture.arena, calls, 4, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
    ck_rc_eq(is->lane_head(store, SLICE("l"), fixture.arena, calls), RC_ABSENT);
    ck_assert_str_eq(fixture_lane(&fixture, SLICE("l"), SLICE_EMPTY, 4), "");
}

STORE_TEST(store_actor_comes_back_whole)
{
    (void)store;
    (void)is;
    const struct store_actor user = {
        .kind = USER,
        .key = SLICE("@a:x"),
        .state = SLICE("AUTHED"),
        .deadline_ms = 77,
        .calls = 3,
        .body = SLICE("\x81\0\xff"),
        .secrets = SLICE("token"),
        .columns = {SLICE("!chat:x"), SLICE("")},
    };
    ck_rc_eq(fixture_put(&fixture, user), RC_OK);
    fixture_reopen(&fixture, false);
    const struct store_actor back = load(USER, SLICE("@a:x"));
    ck_assert_int_eq(back.kind, USER);
    ck_slice_eq(back.key, user.key);
    ck_slice_eq(back.state, user.state);
    ck_assert_int_eq(back.deadline_ms, 77);
    ck_assert_int_eq(back.calls, 3);
    ck_slice_eq(back.body, user.body);
    ck_slice_eq(back.secrets, user.secrets);
    ck_slice_eq(back.columns[USER_PRIVATE_ROOM], user.columns[USER_PRIVATE_ROOM]);
    ck_slice_eq(back.columns[USER_GITTER_ID], SLICE_EMPTY);
    ck_assert(!back.is_gone);
    ck_assert(!back.secrets_are_lost);
}

STORE_TEST(store_actor_put_again_replaces_all_of_it)
{
    struct store_found found[2];
    size_t count = 0;
    ck_rc_eq(fixture_put(&fixture, (struct store_actor){.kind = USER,
                                                        .key = SLICE("@a:x"),
                                                        .state = SLICE("AUTHED"),
                                                        .deadline_ms = 9,
                                                        .body = SLICE("b"),
                                                        .secrets = SLICE("s"),
                                                        .columns = {SLICE("!r")}}),
             RC_OK);
    ck_rc_eq(fixture_put(&fixture, (struct store_actor){.kind = USER,
                                                        .key = SLICE("@a:x"),
                                                        .state = SLICE("UNAUTHENTICATED")}),
             RC_OK);
    const struct store_actor back = load(USER, SLICE("@a:x"));
    ck_slice_eq(back.state, SLICE("UNAUTHENTICATED"));
    ck_assert_int_eq(back.deadline_ms, 0);
    ck_slice_eq(back.body, SLICE_EMPTY);
    ck_slice_eq(back.secrets, SLICE_EMPTY);
    ck_slice_eq(back.columns[0], SLICE_EMPTY);
    ck_rc_eq(is->find(store, USER, 0, SLICE("!r"), fixture.arena, found, 2, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
}

STORE_TEST(store_later_actor_of_one_batch_wins)
{
    const struct store_actor actors[] = {
        {.kind = FEED, .key = SLICE("k"), .state = SLICE("OFF")},
        {.kind = FEED, .key = SLICE("k"), .state = SLICE("LIVE")},
        {.kind = GHOST, .key = SLICE("k"), .state = SLICE("READY")},
        {.kind = GHOST, .key = SLICE("k"), .is_gone = true},
    };
    struct store_actor actor;
    ck_rc_eq(fixture_commit(&fixture, (struct store_batch){.actors = actors, .actors_count = 4}),
             RC_OK);
    ck_slice_eq(load(FEED, SLICE("k")).state, SLICE("LIVE"));
    ck_rc_eq(is->load(store, GHOST, SLICE("k"), fixture.arena, &actor), RC_ABSENT);
}

STORE_TEST(store_gone_actor_is_absent)
{
    struct store_actor actor = {.kind = CHAT, .key = SLICE("!c:x"), .state = SLICE("LEFT")};
    ck_rc_eq(fixture_put(&fixture, actor), RC_OK);
    actor.is_gone = true;
    ck_rc_eq(fixture_put(&fixture, actor), RC_OK);
    ck_rc_eq(is->load(store, CHAT, actor.key, fixture.arena, &actor), RC_ABSENT);
    actor = (struct store_actor){.kind = CHAT, .key = SLICE("!never:x"), .is_gone = true};
    ck_rc_eq(fixture_put(&fixture, actor), RC_OK);
}

STORE_TEST(store_keys_may_hold_any_bytes)
{
    (void)is;
    (void)store;
    const struct slice keys[] = {
        SLICE("a"),
        SLICE("a\0"),
        SLICE("a\0b"),
        SLICE("a\0c"),
        SLICE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
        SLICE("\xff\xfe"),
        SLICE("'; DROP TABLE users; --"),
        SLICE("12"),
        SLICE("12.0"),
    };
    const size_t count = sizeof keys / sizeof keys[0];
    for (size_t i = 0; i < count; i++) {
        struct store_actor actor = {.kind = ROOM, .key = keys[i], .state = SLICE("JOINED")};
        actor.calls = (int64_t)i;
        actor.columns[ROOM_OWNER] = keys[i];
        ck_rc_eq(fixture_put(&fixture, actor), RC_OK);
    }
    fixture_reopen(&fixture, false);
    for (size_t i = 0; i < count; i++) {
        struct store_found found[4];
        size_t found_count = 0;
        const struct store_actor actor = load(ROOM, keys[i]);
        ck_assert_int_eq(actor.calls, (int64_t)i);
        ck_slice_eq(actor.columns[ROOM_OWNER], keys[i]);
        ck_rc_eq(fixture.store->methods->find(fixture.store, ROOM, ROOM_OWNER, keys[i],
                                              fixture.arena, found, 4, &found_count),
                 RC_OK);
        ck_assert_uint_eq(found_count, 1);
        ck_slice_eq(found[0].key, keys[i]);
    }
}

STORE_TEST(store_large_bodies_come_back)
{
    (void)is;
    (void)store;
    const struct slice large = filled(100 * 1024);
    struct store_actor actor = {.kind = USER, .key = SLICE("@a:x"), .state = SLICE("AUTHED")};
    actor.body = large;
    actor.secrets = large;
    ck_rc_eq(fixture_put(&fixture, actor), RC_OK);
    struct outbox_call call = fixture_make_call(1, 1, "lane", "");
    call.call.body = large;
    ck_rc_eq(fixture_call(&fixture, call), RC_OK);
    fixture_reopen(&fixture, false);
    const struct store_actor back = load(USER, actor.key);
    ck_assert(slice_equal(back.body, large));
    ck_assert(slice_equal(back.secrets, large));
    ck_rc_eq(fixture.store->methods->lane_head(fixture.store, SLICE("lane"), fixture.arena, &call),
             RC_OK);
    ck_assert(slice_equal(call.call.body, large));
}

STORE_TEST(store_list_goes_on_after_a_key)
{
    static const char *const keys[] = {"b", "c", "a", "B", "\xc3\xa9", "ab"};
    struct store_found found[8];
    size_t count = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct store_actor actor = {
            .kind = GHOST, .key = slice_from_cstr(keys[i]), .state = SLICE("READY")};
        ck_rc_eq(fixture_put(&fixture, actor), RC_OK);
    }
    ck_rc_eq(is->list(store, GHOST, SLICE_EMPTY, fixture.arena, found, 3, &count), RC_OK);
    ck_assert_str_eq(fixture_keys(&fixture, found, count), "B a ab");
    ck_slice_eq(found[0].state, SLICE("READY"));
    ck_rc_eq(is->list(store, GHOST, found[2].key, fixture.arena, found, 3, &count), RC_OK);
    ck_assert_str_eq(fixture_keys(&fixture, found, count), "b c \xc3\xa9");
    ck_rc_eq(is->list(store, GHOST, found[2].key, fixture.arena, found, 3, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
    ck_rc_eq(is->list(store, GHOST, SLICE("aa"), fixture.arena, found, 8, &count), RC_OK);
    ck_assert_str_eq(fixture_keys(&fixture, found, count), "ab b c \xc3\xa9");
    ck_rc_eq(is->list(store, FEED, SLICE_EMPTY, fixture.arena, found, 8, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
}

STORE_TEST(store_find_gives_keys_in_order)
{
    static const char *const keys[] = {"z", "y", "x", "w"};
    struct store_found found[8];
    size_t count = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct store_actor actor = {
            .kind = ROOM, .key = slice_from_cstr(keys[i]), .state = SLICE("JOINED")};
        actor.columns[ROOM_GITTER_ROOM] = i == 1 ? SLICE("h") : SLICE("g");
        ck_rc_eq(fixture_put(&fixture, actor), RC_OK);
    }
    ck_rc_eq(is->find(store, ROOM, ROOM_GITTER_ROOM, SLICE("g"), fixture.arena, found, 8, &count),
             RC_OK);
    ck_assert_str_eq(fixture_keys(&fixture, found, count), "w x z");
    ck_rc_eq(is->find(store, ROOM, ROOM_GITTER_ROOM, SLICE("g"), fixture.arena, found, 2, &count),
             RC_OK);
    ck_assert_str_eq(fixture_keys(&fixture, found, count), "w x");
    ck_rc_eq(is->find(store, ROOM, ROOM_MATRIX_ROOM, SLICE("g"), fixture.arena, found, 8, &count),
             RC_OK);
    ck_assert_uint_eq(count, 0);
    ck_rc_eq(is->find(store, ROOM, ROOM_MATRIX_ROOM, SLICE_EMPTY, fixture.arena, found, 8, &count),
             RC_OK);
    ck_assert_uint_eq(count, 0);
}

STORE_TEST(store_seen_event_is_known)
{
    (void)is;
    (void)store;
    const struct slice events[] = {SLICE("$1"), SLICE("$\0"), SLICE("$1")};
    const struct store_batch batch = {.seen = events, .seen_count = 3};
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
    fixture_reopen(&fixture, false);
    ck_rc_eq(fixture.store->methods->seen(fixture.store, SLICE("$1")), RC_OK);
    ck_rc_eq(fixture.store->methods->seen(fixture.store, SLICE("$\0")), RC_OK);
    ck_rc_eq(fixture.store->methods->seen(fixture.store, SLICE("$")), RC_ABSENT);
}

static void put_deadline(int kind, const char *key, int64_t deadline_ms)
{
    const struct store_actor actor = {
        .kind = kind, .key = slice_from_cstr(key), .state = SLICE("S"), .deadline_ms = deadline_ms};
    ck_rc_eq(fixture_put(&fixture, actor), RC_OK);
}

STORE_TEST(store_due_actors_come_by_deadline_kind_and_key)
{
    struct store_actor due[8];
    size_t count = 0;
    put_deadline(FEED, "a", 50);
    put_deadline(USER, "z", 50);
    put_deadline(USER, "y", 50);
    put_deadline(ROOM, "r", 20);
    put_deadline(ROOM, "later", 51);
    put_deadline(GHOST, "never", 0);
    ck_rc_eq(is->due(store, 50, fixture.arena, due, 8, &count), RC_OK);
    ck_assert_uint_eq(count, 4);
    ck_slice_eq(due[0].key, SLICE("r"));
    ck_slice_eq(due[1].key, SLICE("y"));
    ck_slice_eq(due[2].key, SLICE("z"));
    ck_slice_eq(due[3].key, SLICE("a"));
    ck_assert_int_eq(due[0].kind, ROOM);
    ck_assert_int_eq(due[3].kind, FEED);
    ck_assert_int_eq(due[3].deadline_ms, 50);
    ck_slice_eq(due[3].state, SLICE("S"));
    ck_rc_eq(is->due(store, 50, fixture.arena, due, 2, &count), RC_OK);
    ck_assert_uint_eq(count, 2);
    ck_slice_eq(due[1].key, SLICE("y"));
    ck_rc_eq(is->due(store, 19, fixture.arena, due, 8, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
}

STORE_TEST(store_next_deadline_follows_the_rows)
{
    int64_t deadline_ms = -1;
    put_deadline(FEED, "a", 50);
    put_deadline(USER, "b", 40);
    ck_rc_eq(is->next_deadline(store, 0, &deadline_ms), RC_OK);
    ck_assert_int_eq(deadline_ms, 40);
    ck_rc_eq(is->next_deadline(store, 40, &deadline_ms), RC_OK);
    ck_assert_int_eq(deadline_ms, 50);
    put_deadline(USER, "b", 0);
    ck_rc_eq(is->next_deadline(store, 0, &deadline_ms), RC_OK);
    ck_assert_int_eq(deadline_ms, 50);
    put_deadline(FEED, "a", 60);
    ck_rc_eq(is->next_deadline(store, 0, &deadline_ms), RC_OK);
    ck_assert_int_eq(deadline_ms, 60);
}

STORE_TEST(store_next_turn_and_last_time_are_kept)
{
    int64_t turn = 0;
    int64_t ms = -1;
    struct store_batch batch = {.next_turn = INT64_C(1) << 40, .now_ms = INT64_C(1) << 41};
    ck_rc_eq(is->last_ms(store, &ms), RC_OK);
    ck_assert_int_eq(ms, 0);
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
    fixture_reopen(&fixture, false);
    ck_rc_eq(fixture.store->methods->next_turn(fixture.store, &turn), RC_OK);
    ck_assert_int_eq(turn, INT64_C(1) << 40);
    ck_rc_eq(fixture.store->methods->last_ms(fixture.store, &ms), RC_OK);
    ck_assert_int_eq(ms, INT64_C(1) << 41);
    batch.now_ms += 999;
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
    batch.now_ms++;
    ck_rc_eq(fixture_commit(&fixture, batch), RC_OK);
    ck_rc_eq(fixture.store->methods->last_ms(fixture.store, &ms), RC_OK);
    ck_assert_int_eq(ms, (INT64_C(1) << 41) + 1000);
}

STORE_TEST(store_secrets_under_another_key_are_lost)
{
    (void)is;
    (void)store;
    struct store_actor user = {.kind = USER, .key = SLICE("@a:x"), .state = SLICE("AUTHED")};
    ck_rc_eq(fixture_put(&fixture, user), RC_OK);
    user.key = SLICE("@b:x");
    user.secrets = SLICE("token");
    ck_rc_eq(fixture_put(&fixture, user), RC_OK);
    fixture_reopen(&fixture, true);
    const struct store_actor lost = load(USER, SLICE("@b:x"));
    ck_assert(lost.secrets_are_lost);
    ck_slice_eq(lost.secrets, SLICE_EMPTY);
    ck_slice_eq(lost.state, SLICE("AUTHED"));
    ck_assert(!load(USER, SLICE("@a:x")).secrets_are_lost);
    ck_rc_eq(fixture_put(&fixture, user), RC_OK);
    ck_assert(!load(USER, SLICE("@b:x")).secrets_are_lost);
    ck_slice_eq(load(USER, SLICE("@b:x")).secrets, SLICE("token"));
}

static struct store_batch every_kind_of_change(void)
{
    struct arena *arena = fixture.arena;
    struct store_actor *actor = ARENA_NEW(arena, struct store_actor);
    *actor = (struct store_actor){.kind = GHOST, .key = SLICE("5"), .state = SLICE("READY")};
    struct store_relation *relation = ARENA_NEW(arena, struct store_relation);
    *relation = (struct store_relation){
        .relation = RELATION_GHOST_ROOM, .left = SLICE("!a"), .right = SLICE("@g:x")};
    struct slice *seen = ARENA_NEW(arena, struct slice);
    *seen = SLICE("$e");
    struct outbox_call *call = ARENA_NEW(arena, struct outbox_call);
    *call = fixture_make_call(1, 1, "l", "");
    return (struct store_batch){
        .now_ms = 1,
        .next_turn = 40,
        .actors = actor,
        .actors_count = 1,
        .relations = relation,
        .relations_count = 1,
        .seen = seen,
        .seen_count = 1,
        .calls = call,
        .calls_count = 1,
    };
}

static void check_every_change(enum rc expected)
{
    struct store *store = fixture.store;
    const struct store_methods *is = store->methods;
    struct store_actor actor;
    struct outbox_call call;
    struct slice text;
    int64_t turn = 0;
    ck_rc_eq(is->load(store, GHOST, SLICE("5"), fixture.arena, &actor), expected);
    ck_rc_eq(
        is->related(store, RELATION_GHOST_ROOM, SLICE("!a"), SLICE("@g:x"), fixture.arena, &text),
        expected);
    ck_rc_eq(is->seen(store, SLICE("$e")), expected);
    ck_rc_eq(is->lane_head(store, SLICE("l"), fixture.arena, &call), expected);
    ck_rc_eq(is->next_turn(store, &turn), RC_OK);
    ck_assert_int_eq(turn, expected == RC_OK ? 40 : 1);
}

STORE_TEST(store_batch_is_committed_as_a_whole)
{
    (void)is;
    (void)store;
    check_every_change(RC_ABSENT);
    ck_rc_eq(fixture_commit(&fixture, every_kind_of_change()), RC_OK);
    check_every_change(RC_OK);
    fixture_reopen(&fixture, false);
    check_every_change(RC_OK);
}

struct chain {
    struct store *store;
    int reports;
};

static const struct store_batch second_batch = {.next_turn = 3};

static void commit_once_more(void *context, enum rc rc)
{
    struct chain *chain = context;
    ck_rc_eq(rc, RC_OK);
    if (chain->reports++ == 0) {
        chain->store->methods->commit(chain->store, &second_batch, commit_once_more, chain);
    }
}

STORE_TEST(store_commit_may_begin_in_the_report_of_another)
{
    struct chain chain = {.store = store};
    const struct store_batch first = {.next_turn = 2};
    int64_t turn = 0;
    is->commit(store, &first, commit_once_more, &chain);
    for (int reports = 1; reports <= 3; reports++) {
        fixture_poll(&fixture);
        ck_assert_int_eq(chain.reports, reports < 2 ? reports : 2);
    }
    ck_rc_eq(is->next_turn(store, &turn), RC_OK);
    ck_assert_int_eq(turn, 3);
}

START_TEST(memory_failed_commit_changes_nothing)
{
    fixture_init(&fixture, FIXTURE_MEMORY);
    store_memory_fail_next(fixture.store, RC_FULL);
    ck_rc_eq(fixture_commit(&fixture, every_kind_of_change()), RC_FULL);
    check_every_change(RC_ABSENT);
    ck_rc_eq(fixture_commit(&fixture, every_kind_of_change()), RC_OK);
    check_every_change(RC_OK);
    fixture_clear(&fixture);
}
END_TEST

static void count_report(void *context, enum rc rc)
{
    ck_rc_eq(rc, RC_OK);
    (*(int *)context)++;
}

START_TEST(memory_held_commit_waits_and_a_crash_drops_it)
{
    fixture_init(&fixture, FIXTURE_MEMORY);
    struct store *store = fixture.store;
    const struct store_batch batch = every_kind_of_change();
    int reports = 0;
    store_memory_hold(store, true);
    store->methods->commit(store, &batch, count_report, &reports);
    store_memory_poll(store);
    ck_assert_int_eq(reports, 0);
    check_every_change(RC_ABSENT);
    store_memory_crash(store);
    store_memory_finish(store);
    store_memory_poll(store);
    ck_assert_int_eq(reports, 0);
    check_every_change(RC_ABSENT);

    store->methods->commit(store, &batch, count_report, &reports);
    store_memory_finish(store);
    check_every_change(RC_OK);
    store_memory_crash(store);
    store_memory_poll(store);
    ck_assert_int_eq(reports, 0);
    check_every_change(RC_OK);

    const struct store_batch next = {.next_turn = 40};
    store->methods->commit(store, &next, count_report, &reports);
    store_memory_finish(store);
    store_memory_poll(store);
    ck_assert_int_eq(reports, 1);
    fixture_clear(&fixture);
}
END_TEST

START_TEST(memory_copy_is_apart)
{
    fixture_init(&fixture, FIXTURE_MEMORY);
    struct store *original = fixture.store;
    ck_rc_eq(fixture_commit(&fixture, every_kind_of_change()), RC_OK);
    struct store *copy = store_memory_copy(original);
    ck_rc_eq(fixture_put(&fixture,
                         (struct store_actor){.kind = GHOST, .key = SLICE("5"), .is_gone = true}),
             RC_OK);
    fixture.store = copy;
    check_every_change(RC_OK);
    original->methods->close(original);
    check_every_change(RC_OK);
    fixture_clear(&fixture);
}
END_TEST

static void add_contract(TCase *both)
{
    tcase_add_loop_test(both, store_new_is_empty, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_actor_comes_back_whole, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_actor_put_again_replaces_all_of_it, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_later_actor_of_one_batch_wins, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_gone_actor_is_absent, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_keys_may_hold_any_bytes, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_large_bodies_come_back, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_list_goes_on_after_a_key, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_find_gives_keys_in_order, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_seen_event_is_known, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_due_actors_come_by_deadline_kind_and_key, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_next_deadline_follows_the_rows, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_next_turn_and_last_time_are_kept, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_secrets_under_another_key_are_lost, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_batch_is_committed_as_a_whole, 0, FIXTURE_KINDS);
    tcase_add_loop_test(both, store_commit_may_begin_in_the_report_of_another, 0, FIXTURE_KINDS);
}

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *both = tcase_create("both");
    tcase_set_timeout(both, 60);
    add_contract(both);
    suite_add_tcase(suite, both);
    TCase *memory = tcase_create("memory");
    tcase_add_test(memory, memory_failed_commit_changes_nothing);
    tcase_add_test(memory, memory_held_commit_waits_and_a_crash_drops_it);
    tcase_add_test(memory, memory_copy_is_apart);
    suite_add_tcase(suite, memory);
    return run_suite(suite);
}
