/* Names of others in lines of ours. */
#include "codecs/names.h"

#include "tests/unit/slice_check.h"

static struct arena *arena;

static void setup(void)
{
    arena = arena_open(4096);
}

static void teardown(void)
{
    arena_close(arena);
}

#define ck_name_eq(name, wanted) ck_text_eq(name_in_line(arena, SLICE(name)), wanted)

START_TEST(plain_name_stays_as_it_is)
{
    const struct slice name = SLICE("acme/ops & <b>`x`</b>");
    ck_assert_ptr_eq(name_in_line(arena, name).ptr, name.ptr);
    ck_name_eq("", "");
    ck_name_eq("caf\xc3\xa9", "caf\xc3\xa9");
}
END_TEST

START_TEST(breaks_and_controls_become_one_blank)
{
    ck_name_eq("a\nb\r\n\tc", "a b c");
    ck_name_eq("  a  ", "a");
    ck_name_eq("a\xe2\x80\xa8"
               "b\xc2\x85"
               "c\x7f",
               "a b c");
    ck_name_eq("\n", "");
    ck_text_eq(name_in_line(arena, slice_make("a\0b", 3)), "a b");
}
END_TEST

START_TEST(what_is_malformed_is_replaced)
{
    ck_name_eq("a\xff"
               "b",
               "a\xef\xbf\xbd"
               "b");
    ck_name_eq("a\xc3", "a\xef\xbf\xbd");
    ck_name_eq("\xef\xbf\xbd!", "\xef\xbf\xbd!");
}
END_TEST

START_TEST(marks_of_direction_are_left_out)
{
    ck_name_eq("a\xe2\x80\xae"
               "b\xe2\x81\xa6",
               "ab");
}
END_TEST

START_TEST(letters_from_right_to_left_are_isolated)
{
    ck_name_eq("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
               "\xe2\x81\xa8\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\xe2\x81\xa9");
    ck_name_eq("acme/\xd8\xb9", "\xe2\x81\xa8"
                                "acme/\xd8\xb9\xe2\x81\xa9");
}
END_TEST

static struct slice many(const char *what, size_t count)
{
    struct slice text = SLICE_EMPTY;
    for (size_t i = 0; i < count; i++) {
        text = arena_printf(arena, "%.*s%s", SLICE_ARGS(text), what);
    }
    return text;
}

START_TEST(long_name_ends_in_an_ellipsis)
{
    const struct slice longest = many("x", NAME_CHARACTERS_MAX);
    ck_slice_eq(name_in_line(arena, longest), longest);
    ck_slice_eq(name_in_line(arena, many("x", NAME_CHARACTERS_MAX + 1)),
                arena_printf(arena, "%.*s\xe2\x80\xa6", SLICE_ARGS(longest)));
    const struct slice smiles = many("\xf0\x9f\x98\x80", NAME_CHARACTERS_MAX + 1);
    ck_assert_uint_eq(name_in_line(arena, smiles).len, smiles.len - 4 + 3);
    ck_assert(slice_is_utf8(name_in_line(arena, smiles)));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("names");
    TCase *tests = tcase_create("names");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, plain_name_stays_as_it_is);
    tcase_add_test(tests, breaks_and_controls_become_one_blank);
    tcase_add_test(tests, what_is_malformed_is_replaced);
    tcase_add_test(tests, marks_of_direction_are_left_out);
    tcase_add_test(tests, letters_from_right_to_left_are_isolated);
    tcase_add_test(tests, long_name_ends_in_an_ellipsis);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
