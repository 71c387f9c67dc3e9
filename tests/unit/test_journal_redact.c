/* What a redacted turn still says, and what it does not. */
#include "codecs/journal_redact.h"
#include "runtime/base/buf.h"
#include "tests/unit/slice_check.h"

#include <check.h>

static struct arena *arena;
static struct buf items;
static size_t items_count;

static void set_up(void)
{
    arena = arena_open(4096);
    buf_init(&items, arena);
    items_count = 0;
}

static void tear_down(void)
{
    arena_close(arena);
}

static void put_texts(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pack_put_text(&items, slice_from_cstr(texts[i]));
    }
}

/* ["actor", machine, "k", state, 0, fields]; fields are names and values by turns. */
static void put_actor(const char *machine, const char *const *fields, size_t count)
{
    const char *const head[] = {"actor", machine, "k", "STATE"};
    items_count++;
    pack_put_array(&items, 6);
    put_texts(head, 4);
    pack_put_int(&items, 0);
    pack_put_map(&items, count / 2);
    put_texts(fields, count);
}

/* ["call", 0, purpose, lane, method, path, 0, 0] */
static void put_call(const char *path)
{
    const char *const texts[] = {"PURPOSE", "lane", "GET", path};
    items_count++;
    pack_put_array(&items, 8);
    pack_put_text(&items, SLICE("call"));
    pack_put_int(&items, 0);
    put_texts(texts, 4);
    pack_put_int(&items, 0);
    pack_put_int(&items, 0);
}

/* ["value", 7, value] */
static void put_value(const char *value)
{
    items_count++;
    pack_put_array(&items, 3);
    pack_put_text(&items, SLICE("value"));
    pack_put_int(&items, 7);
    pack_put_text(&items, slice_from_cstr(value));
}

static struct slice all_items(void)
{
    struct buf list;
    buf_init(&list, arena);
    pack_put_array(&list, items_count);
    buf_put(&list, buf_slice(&items));
    return buf_slice(&list);
}

static void check_said(struct slice bytes, const char *text)
{
    ck_assert_msg(slice_find(bytes, slice_from_cstr(text)) < bytes.len, "no %s", text);
}

static void check_kept_secret(struct slice bytes)
{
    ck_assert_msg(slice_find(bytes, SLICE("quokka")) == bytes.len, "the secret is there");
}

/* The items put before, redacted as reads; as decisions they are the same. */
static struct slice redacted_items(void)
{
    const struct slice list = all_items();
    struct journal_turn turn = {.input = list, .reads = list, .decisions = list};
    journal_redact(arena, &turn);
    ck_assert_uint_eq(turn.reads.len, list.len);
    ck_slice_eq(turn.reads, turn.decisions);
    check_kept_secret(turn.reads);
    return turn.reads;
}

/* An event with that body, of a turn in which a machine made a step. */
static struct slice redacted_event(const char *machine, const char *body)
{
    const char *const step[] = {"step", machine, "k", "MESSAGE", "FROM", "TO"};
    struct buf input;
    buf_init(&input, arena);
    pack_put_text(&input, arena_printf(arena, "{\"room\":\"!r\",\"body\" : \"%s\"}", body));
    items_count++;
    pack_put_array(&items, 6);
    put_texts(step, 6);
    struct journal_turn turn = {
        .input = buf_slice(&input), .reads = SLICE("\x90"), .decisions = all_items()};
    journal_redact(arena, &turn);
    ck_assert_uint_eq(turn.input.len, input.len);
    check_said(turn.input, "\"room\":\"!r\"");
    return turn.input;
}

START_TEST(body_of_an_event_goes)
{
    check_said(redacted_event("room", "quokka \\\"q\\\""), "\"xxxxxxxxxxxx\"");
}
END_TEST

START_TEST(command_to_the_bot_stays)
{
    check_said(redacted_event("chat", "Invite quokka/room"), "\"Invite quokka/room\"");
}
END_TEST

START_TEST(command_anywhere_else_is_a_body)
{
    check_kept_secret(redacted_event("room", "invite quokka"));
}
END_TEST

START_TEST(what_else_is_said_to_the_bot_goes)
{
    check_kept_secret(redacted_event("chat", "inviting quokka"));
}
END_TEST

START_TEST(words_of_a_search_go)
{
    const struct slice input = redacted_event("chat", "Search quokka lists");
    check_said(input, "\"Search xxxxxxxxxxxx\"");
    check_kept_secret(input);
}
END_TEST

START_TEST(words_of_a_search_go_from_its_errand)
{
    static const char *const fields[] = {"user", "@a:x", "verb", "search", "argument", "quokka"};
    put_actor("errand", fields, 6);
    check_said(redacted_items(), "xxxxxx");
}
END_TEST

START_TEST(words_of_a_search_go_from_what_is_shown_next)
{
    static const char *const fields[] = {"name", "a", "more", "2 search quokka"};
    put_actor("user", fields, 4);
    check_said(redacted_items(), "2 search xxxxxx");
}
END_TEST

START_TEST(words_of_a_search_go_from_its_call)
{
    put_call("/rooms?q=quokka%20lists&limit=10");
    check_said(redacted_items(), "/rooms?q=xxxxxxxxxxxxxx&limit=10");
}
END_TEST

START_TEST(arguments_of_other_commands_stay)
{
    static const char *const fields[] = {"verb", "invite", "argument", "a/room"};
    static const char *const more[] = {"more", "2 list "};
    put_actor("errand", fields, 4);
    put_actor("user", more, 2);
    put_call("/rooms/1/users?q=somebody");
    const struct slice items_left = redacted_items();
    ck_slice_eq(items_left, all_items());
}
END_TEST

START_TEST(change_that_waits_for_its_post_has_a_body)
{
    put_value("{\"event\":\"$e\",\"text\":\"quokka\"}");
    check_said(redacted_items(), "{\"event\":\"$e\",\"text\":\"xxxxxx\"}");
}
END_TEST

START_TEST(items_cut_off_anywhere_are_only_shortened)
{
    static const char *const fields[] = {"verb", "search", "argument", "words"};
    put_actor("errand", fields, 4);
    put_call("/rooms?q=words&limit=10");
    const struct slice whole = all_items();
    for (size_t len = 0; len < whole.len; len++) {
        const struct slice cut = arena_copy(arena, slice_first(whole, len));
        struct journal_turn turn = {.input = cut, .reads = cut, .decisions = cut};
        journal_redact(arena, &turn);
        ck_assert_uint_eq(turn.reads.len, len);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal redact");
    TCase *tcase = tcase_create("redact");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, body_of_an_event_goes);
    tcase_add_test(tcase, command_to_the_bot_stays);
    tcase_add_test(tcase, command_anywhere_else_is_a_body);
    tcase_add_test(tcase, what_else_is_said_to_the_bot_goes);
    tcase_add_test(tcase, words_of_a_search_go);
    tcase_add_test(tcase, words_of_a_search_go_from_its_errand);
    tcase_add_test(tcase, words_of_a_search_go_from_what_is_shown_next);
    tcase_add_test(tcase, words_of_a_search_go_from_its_call);
    tcase_add_test(tcase, arguments_of_other_commands_stay);
    tcase_add_test(tcase, change_that_waits_for_its_post_has_a_body);
    tcase_add_test(tcase, items_cut_off_anywhere_are_only_shortened);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
