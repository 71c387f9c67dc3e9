#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"

#include "tests/unit/slice_check.h"

#include <signal.h>
#include <string.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_open(1024);
}

static void teardown(void)
{
    arena_close(arena);
}

START_TEST(clock_follows_a_jump_forwards_and_none_back)
{
    struct clock clock = {0};
    ck_assert_int_eq(clock_tell(&clock, 1000000, 50), 1000000);
    ck_assert_int_eq(clock_tell(&clock, 1000010, 60), 1000010);
    ck_assert_int_eq(clock_tell(&clock, 400000, 61), 1000011); /* set back by ten minutes */
    ck_assert_int_eq(clock_tell(&clock, 400010, 71), 1000019);
    ck_assert_int_eq(clock_tell(&clock, 2000000, 90), 2000000); /* set forward */
    ck_assert_int_eq(clock_tell(&clock, 1999990, 90), 2000000);
}
END_TEST

START_TEST(clock_that_is_ahead_goes_slower_until_it_is_level)
{
    struct clock clock = {0};
    ck_assert_int_eq(clock_tell(&clock, 1000, 0), 1000);
    int64_t before_ms = 1000;
    for (int64_t ms = 1; ms < 400; ms++) { /* set back by 100 ms */
        const int64_t now_ms = clock_tell(&clock, 900 + ms, ms);
        ck_assert_int_eq(now_ms, 1000 + ms - ms / 4);
        ck_assert_int_ge(now_ms, before_ms);
        before_ms = now_ms;
    }
    ck_assert_int_eq(clock_tell(&clock, 1300, 400), 1300);
    ck_assert_int_eq(clock_tell(&clock, 1500, 600), 1500);
}
END_TEST

START_TEST(clock_begins_no_earlier_than_the_process_before_ended)
{
    struct clock clock = {0};
    clock_raise(&clock, 5000, 10);
    ck_assert_int_eq(clock_tell(&clock, 3000, 10), 5000);
    ck_assert_int_eq(clock_tell(&clock, 3010, 18), 5006);
    clock_raise(&clock, 4000, 18); /* long past */
    ck_assert_int_eq(clock_tell(&clock, 3010, 18), 5006);
    ck_assert_int_eq(clock_tell(&clock, 9000, 18), 9000);
}
END_TEST

START_TEST(slices_are_made_from_strings)
{
    ck_text_eq(slice_from_cstr("abc"), "abc");
    ck_assert_ptr_null(slice_from_cstr(NULL).ptr);
    ck_assert_uint_eq(SLICE("a\0b").len, 3);
    ck_assert_uint_eq(slice_make("abc", 2).len, 2);
}
END_TEST

START_TEST(slices_are_equal_by_their_bytes)
{
    const char other[] = {'a', 'b'};
    ck_assert(slice_equal(SLICE("ab"), slice_make(other, 2)));
    ck_assert(slice_equal(SLICE_EMPTY, SLICE("")));
    ck_assert(!slice_equal(SLICE("ab"), SLICE("abc")));
    ck_assert(!slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    ck_assert(slice_equal_fold(SLICE("Content-Length"), SLICE("content-lENGTH")));
    ck_assert(!slice_equal_fold(SLICE("@"), SLICE("`")));
    ck_assert(!slice_equal_fold(SLICE("\xc3\x89"), SLICE("\xc3\xa9")));
    ck_assert(slice_equal_secret(SLICE("t0ken"), SLICE("t0ken")));
    ck_assert(!slice_equal_secret(SLICE("t0ken"), SLICE("t0keN")));
    ck_assert(!slice_equal_secret(SLICE("t0ken"), SLICE("t0ke")));
    ck_assert(!slice_equal_secret(SLICE("tt"), SLICE("t")));
    ck_assert(!slice_equal_secret(SLICE("\0"), SLICE_EMPTY));
    ck_assert(!slice_equal_secret(SLICE_EMPTY, SLICE("t")));
    ck_assert(slice_equal_secret(SLICE_EMPTY, SLICE_EMPTY));
}
END_TEST

START_TEST(slices_are_ordered_by_bytes)
{
    ck_assert_int_eq(slice_compare(SLICE("a"), SLICE("b")), -1);
    ck_assert_int_eq(slice_compare(SLICE("b"), SLICE("a")), 1);
    ck_assert_int_eq(slice_compare(SLICE("a"), SLICE("a")), 0);
    ck_assert_int_eq(slice_compare(SLICE("a"), SLICE("aa")), -1);
    ck_assert_int_eq(slice_compare(SLICE("\xff"), SLICE("a")), 1);
    ck_assert_int_eq(slice_compare(SLICE_EMPTY, SLICE("a")), -1);
    ck_assert_int_eq(slice_compare(SLICE_EMPTY, SLICE_EMPTY), 0);
    ck_assert_int_eq(slice_compare_fold(SLICE("B"), SLICE("a")), 1);
    ck_assert_int_eq(slice_compare_fold(SLICE("a"), SLICE("B")), -1);
    ck_assert_int_eq(slice_compare_fold(SLICE("A"), SLICE("a")), -1);
    ck_assert_int_eq(slice_compare_fold(SLICE("a"), SLICE("A")), 1);
    ck_assert_int_eq(slice_compare_fold(SLICE("AB"), SLICE("a")), 1);
    ck_assert_int_eq(slice_compare_fold(SLICE("x"), SLICE("x")), 0);
}
END_TEST

START_TEST(slices_are_searched)
{
    ck_assert(slice_starts_with(SLICE("abc"), SLICE("ab")));
    ck_assert(!slice_starts_with(SLICE("a"), SLICE("ab")));
    ck_assert(slice_starts_with(SLICE_EMPTY, SLICE_EMPTY));
    ck_assert(slice_ends_with(SLICE("abc"), SLICE("bc")));
    ck_assert(!slice_ends_with(SLICE("c"), SLICE("bc")));
    ck_assert_uint_eq(slice_find_byte(SLICE("a:b:"), ':'), 1);
    ck_assert_uint_eq(slice_find_byte(SLICE("ab"), ':'), 2);
    ck_assert_uint_eq(slice_find_byte(SLICE("ab\xe9"), '\xe9'), 2);
    ck_assert_uint_eq(slice_find_byte(SLICE_EMPTY, ':'), 0);
    ck_assert_uint_eq(slice_find(SLICE("a://b"), SLICE("://")), 1);
    ck_assert_uint_eq(slice_find(SLICE("abc"), SLICE("cd")), 3);
    ck_assert_uint_eq(slice_find(SLICE("abc"), SLICE_EMPTY), 0);
    ck_assert_uint_eq(slice_find(SLICE_EMPTY, SLICE("a")), 0);
}
END_TEST

START_TEST(slices_are_cut_within_their_bounds)
{
    ck_text_eq(slice_from(SLICE("abc"), 1), "bc");
    ck_text_empty(slice_from(SLICE("abc"), 3));
    ck_text_empty(slice_from(SLICE("abc"), 99));
    ck_text_empty(slice_from(SLICE_EMPTY, 1));
    ck_text_eq(slice_first(SLICE("abc"), 2), "ab");
    ck_text_eq(slice_first(SLICE("abc"), 99), "abc");
    ck_text_eq(slice_trim(SLICE(" \t\r\n\v\fa b\n")), "a b");
    ck_text_empty(slice_trim(SLICE(" \n ")));
    ck_text_eq(slice_trim(SLICE("\0 ")), "\0");
}
END_TEST

START_TEST(slice_cut_tells_an_empty_last_part_from_the_end)
{
    struct slice text = SLICE("a,,b,");
    ck_text_eq(slice_cut(&text, ','), "a");
    ck_text_eq(slice_cut(&text, ','), "");
    ck_text_eq(slice_cut(&text, ','), "b");
    ck_assert_ptr_nonnull(text.ptr);
    ck_text_eq(slice_cut(&text, ','), "");
    ck_assert_ptr_null(text.ptr);
}
END_TEST

START_TEST(slices_are_read_as_integers)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"007", 7},
        {"-42", -42},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    static const char *const wrong[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "0x1",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999",
        "--1",
        "1-",
        "\xd9\xa1",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t value = 5;
        ck_rc_eq(slice_to_int(slice_from_cstr(good[i].text), &value), RC_OK);
        ck_assert_int_eq(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t value = 5;
        ck_rc_eq(slice_to_int(slice_from_cstr(wrong[i]), &value), RC_BAD_INPUT);
        ck_assert_int_eq(value, 5);
    }
}
END_TEST

/* Written by the table of the Unicode standard (3-7), as a second opinion on slice_is_utf8. */
static bool is_three_byte_character(const unsigned char *b)
{
    const bool has_tail = b[2] >= 0x80 && b[2] <= 0xbf;
    const unsigned char low = b[0] == 0xe0 ? 0xa0 : 0x80;
    const unsigned char high = b[0] == 0xed ? 0x9f : 0xbf;
    return b[0] >= 0xe0 && b[0] <= 0xef && b[1] >= low && b[1] <= high && has_tail;
}

START_TEST(utf8_of_every_character_is_accepted_and_cut_refused)
{
    size_t wrong = 0;
    for (uint32_t c = 0x80; c < 0x110000; c++) {
        struct buf buf;
        buf_init(&buf, arena);
        buf_put_char(&buf, c);
        const struct slice text = buf_slice(&buf);
        wrong += slice_is_utf8(text) ? 0 : 1;
        wrong += slice_is_utf8(slice_from(text, 1)) ? 1 : 0;
        wrong += slice_is_utf8(slice_first(text, text.len - 1)) ? 1 : 0;
        if (c % 1024 == 0) {
            arena_reset(arena);
        }
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(utf8_of_three_bytes_follows_the_table)
{
    size_t wrong = 0;
    for (unsigned int lead = 0xe0; lead < 0xf0; lead++) {
        for (unsigned int rest = 0; rest < 0x10000; rest++) {
            const unsigned char bytes[] = {(unsigned char)lead, (unsigned char)(rest >> 8U),
                                           (unsigned char)rest};
            const bool accepted = slice_is_utf8(slice_make(bytes, 3));
            wrong += accepted == is_three_byte_character(bytes) ? 0 : 1;
        }
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(utf8_malformed_is_refused)
{
    static const struct slice wrong[] = {
        SLICE_INIT("\x80"),
        SLICE_INIT("\xbf"),
        SLICE_INIT("\xc0\x80"),
        SLICE_INIT("\xc1\xbf"),
        SLICE_INIT("\xc3"),
        SLICE_INIT("\xc3("),
        SLICE_INIT("\xe0\x80\x80"),
        SLICE_INIT("\xed\xa0\x80"),
        SLICE_INIT("\xed\xbf\xbf"),
        SLICE_INIT("\xf0\x80\x80\x80"),
        SLICE_INIT("\xf0\x8f\xbf\xbf"),
        SLICE_INIT("\xf4\x90\x80\x80"),
        SLICE_INIT("\xf5\x80\x80\x80"),
        SLICE_INIT("\xf8\x88\x80\x80\x80"),
        SLICE_INIT("\xfe"),
        SLICE_INIT("\xff"),
        SLICE_INIT("ok\xf0\x9f\x98"),
    };
    ck_assert(slice_is_utf8(SLICE_EMPTY));
    ck_assert(slice_is_utf8(SLICE("a\0b")));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert(!slice_is_utf8(wrong[i]));
    }
}
END_TEST

static bool is_zeroed(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

START_TEST(arena_gives_zeroed_aligned_memory_of_any_size)
{
    for (size_t size = 0; size < 5000; size += 7) {
        char *given = arena_alloc(arena, size);
        ck_assert_uint_eq((uintptr_t)given % _Alignof(max_align_t), 0);
        ck_assert(is_zeroed(given, size));
        memset(given, 0xff, size);
    }
}
END_TEST

START_TEST(arena_reset_forgets_and_gives_zeroed_memory_again)
{
    memset(arena_alloc(arena, 100), 0xff, 100);
    memset(arena_alloc(arena, 5000), 0xff, 5000);
    ck_assert_uint_ge(arena_used_bytes(arena), 5100);
    arena_reset(arena);
    ck_assert_uint_eq(arena_used_bytes(arena), 0);
    ck_assert(is_zeroed(arena_alloc(arena, 1000), 1000));
    ck_assert_uint_ge(arena_used_bytes(arena), 1000);
    arena_reset(arena);
    arena_reset(arena);
    arena_close(NULL);
}
END_TEST

START_TEST(arena_grows_a_copy_and_keeps_the_old)
{
    const char *old = arena_copy(arena, SLICE("abc")).ptr;
    char *grown = arena_grow(arena, old, 3, 2000);
    ck_assert_int_eq(memcmp(grown, "abc\0", 4), 0);
    grown[0] = 'x';
    ck_assert_str_eq(old, "abc");
    ck_assert_ptr_nonnull(arena_grow(arena, NULL, 0, 10));
}
END_TEST

START_TEST(arena_copies_end_in_nul)
{
    const struct slice copy = arena_copy(arena, slice_first(SLICE("abcdef"), 3));
    ck_text_eq(copy, "abc");
    ck_assert_str_eq(copy.ptr, "abc");
    ck_assert_str_eq(arena_cstr(arena, SLICE_EMPTY), "");
    ck_text_eq(arena_printf(arena, "%s %.*s %d", "a", SLICE_ARGS(SLICE("bc")), 7), "a bc 7");
    ck_text_eq(arena_printf(arena, "%.*s", SLICE_ARGS(SLICE_EMPTY)), "");
    ck_assert_uint_eq(arena_printf(arena, "%3000d", 7).len, 3000);
    int64_t *numbers = ARENA_ARRAY(arena, 3, int64_t);
    ck_assert_int_eq(numbers[2], 0);
}
END_TEST

START_TEST(arena_array_too_large_is_our_bug)
{
    (void)arena_alloc_array(arena, SIZE_MAX / 4, 8);
}
END_TEST

START_TEST(arena_alloc_too_large_is_our_bug)
{
    (void)arena_alloc(arena, SIZE_MAX);
}
END_TEST

START_TEST(buf_grows_and_always_ends_in_nul)
{
    struct buf buf;
    buf_init(&buf, arena);
    ck_text_empty(buf_slice(&buf));
    ck_assert_str_eq(buf_slice(&buf).ptr, "");
    for (size_t i = 0; i < 3000; i++) {
        BUF_PUT(&buf, "ab");
        buf_put_byte(&buf, 'c');
        ck_assert_int_eq(buf.ptr[buf.len], 0);
    }
    ck_assert_uint_eq(buf.len, 9000);
    ck_assert(slice_ends_with(buf_slice(&buf), SLICE("abcabc")));
    buf_put(&buf, SLICE_EMPTY);
    ck_assert_uint_eq(buf.len, 9000);
}
END_TEST

START_TEST(buf_prints_at_every_fill)
{
    for (size_t filled = 0; filled < 140; filled++) {
        struct buf buf;
        buf_init(&buf, arena);
        for (size_t i = 0; i < filled; i++) {
            buf_put_byte(&buf, '.');
        }
        buf_printf(&buf, "%d-%s", 42, "x");
        ck_assert_uint_eq(buf.len, filled + 4);
        ck_assert(slice_ends_with(buf_slice(&buf), SLICE("42-x")));
        ck_assert_int_eq(buf.ptr[buf.len], 0);
    }
}
END_TEST

START_TEST(buf_puts_characters_as_utf8)
{
    struct buf buf;
    buf_init(&buf, arena);
    static const uint32_t characters[] = {0x41,    0x7f,     0x80,   0x7ff,  0x800,    0xffff,
                                          0x10000, 0x10ffff, 0xd800, 0xdfff, 0x110000, 0};
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        buf_put_char(&buf, characters[i]);
    }
    ck_text_eq(buf_slice(&buf),
               "A\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"
               "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\0");
}
END_TEST

START_TEST(results_have_names_and_texts)
{
    ck_assert_str_eq(rc_name(RC_OK), "OK");
    ck_assert_int_eq(RC_OK, 0);
    for (int rc = RC_OK; rc <= RC_TIMEOUT; rc++) {
        ck_assert_uint_gt(strlen(rc_name((enum rc)rc)), 0);
        ck_assert_uint_gt(strlen(rc_text((enum rc)rc)), 0);
        for (int other = RC_OK; other < rc; other++) {
            ck_assert_str_ne(rc_name((enum rc)rc), rc_name((enum rc)other));
        }
    }
}
END_TEST

START_TEST(check_failed_stops_the_process)
{
    const bool invariant_holds = arena == NULL;
    CHECK(arena != NULL);
    CHECK(invariant_holds);
}
END_TEST

static TCase *slices(void)
{
    TCase *tc = tcase_create("slice");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, slices_are_made_from_strings);
    tcase_add_test(tc, slices_are_equal_by_their_bytes);
    tcase_add_test(tc, slices_are_ordered_by_bytes);
    tcase_add_test(tc, slices_are_searched);
    tcase_add_test(tc, slices_are_cut_within_their_bounds);
    tcase_add_test(tc, slice_cut_tells_an_empty_last_part_from_the_end);
    tcase_add_test(tc, slices_are_read_as_integers);
    tcase_add_test(tc, utf8_of_every_character_is_accepted_and_cut_refused);
    tcase_add_test(tc, utf8_of_three_bytes_follows_the_table);
    tcase_add_test(tc, utf8_malformed_is_refused);
    return tc;
}

static TCase *memory(void)
{
    TCase *tc = tcase_create("memory");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, arena_gives_zeroed_aligned_memory_of_any_size);
    tcase_add_test(tc, arena_reset_forgets_and_gives_zeroed_memory_again);
    tcase_add_test(tc, arena_grows_a_copy_and_keeps_the_old);
    tcase_add_test(tc, arena_copies_end_in_nul);
    tcase_add_test_raise_signal(tc, arena_array_too_large_is_our_bug, SIGABRT);
    tcase_add_test_raise_signal(tc, arena_alloc_too_large_is_our_bug, SIGABRT);
    tcase_add_test(tc, buf_grows_and_always_ends_in_nul);
    tcase_add_test(tc, buf_prints_at_every_fill);
    tcase_add_test(tc, buf_puts_characters_as_utf8);
    tcase_add_test(tc, results_have_names_and_texts);
    tcase_add_test(tc, clock_follows_a_jump_forwards_and_none_back);
    tcase_add_test(tc, clock_that_is_ahead_goes_slower_until_it_is_level);
    tcase_add_test(tc, clock_begins_no_earlier_than_the_process_before_ended);
    tcase_add_test_raise_signal(tc, check_failed_stops_the_process, SIGABRT);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("base");
    suite_add_tcase(suite, slices());
    suite_add_tcase(suite, memory());
    return run_suite(suite);
}
