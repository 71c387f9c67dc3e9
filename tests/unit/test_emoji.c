#include "codecs/emoji.h"

#include "tests/unit/slice_check.h"

#include <string.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_open(4096);
}

static void teardown(void)
{
    arena_close(arena);
}

#define ck_emoji_eq(input, wanted) ck_text_eq(emoji_expand(arena, SLICE(input)), wanted)

START_TEST(emoji_names_become_characters)
{
    ck_emoji_eq(":smile:", "😄");
    ck_emoji_eq("a :+1: b :-1:", "a 👍 b 👎");
    ck_emoji_eq(":smile::tada:", "😄🎉");
    ck_emoji_eq("(:smile:y", "(😄y");
    ck_emoji_eq(":100: :1234:", "💯 🔢");
    ck_emoji_eq(":de: :family_man_woman_girl_boy:", "🇩🇪 👨‍👩‍👧‍👦");
    ck_emoji_eq(":hash:", "#️⃣");
}
END_TEST

START_TEST(emoji_first_and_last_names_of_the_table_are_found)
{
    ck_emoji_eq(":+1:", "👍");
    ck_emoji_eq(":zzz:", "💤");
    ck_emoji_eq(":1st_place_medal:", "🥇");
    ck_emoji_eq(":non-potable_water:", "🚱");
}
END_TEST

START_TEST(emoji_unknown_names_stay_as_typed)
{
    ck_emoji_eq(":octocat: :shipit: :not_an_emoji:", ":octocat: :shipit: :not_an_emoji:");
    ck_emoji_eq(":Smile: : smile : :smile", ":Smile: : smile : :smile");
    ck_emoji_eq(":)", ":)");
    ck_emoji_eq("::", "::");
    ck_emoji_eq(":", ":");
    ck_emoji_eq("", "");
    ck_emoji_eq("http://e.org:80/:x:", "http://e.org:80/:x:");
}
END_TEST

START_TEST(emoji_names_within_words_are_none)
{
    ck_emoji_eq("10:100:20", "10:100:20");
    ck_emoji_eq("12:30:45", "12:30:45");
    ck_emoji_eq("now :100:", "now 💯");
    ck_emoji_eq("a:b:c x:smile:", "a:b:c x:smile:");
}
END_TEST

START_TEST(emoji_colon_before_a_name_is_kept)
{
    ck_emoji_eq("::smile::", ":😄:");
    ck_emoji_eq(": :smile:", ": 😄");
}
END_TEST

START_TEST(emoji_long_and_strange_text_is_kept)
{
    char colons[65536];
    memset(colons, ':', sizeof colons);
    const struct slice many = slice_make(colons, sizeof colons);
    ck_slice_eq(emoji_expand(arena, many), many);
    memset(colons + 1, 'a', sizeof colons - 2);
    ck_slice_eq(emoji_expand(arena, many), many);
    ck_emoji_eq("\xff:smile:\0:\xc3", "\xff😄\0:\xc3");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("emoji");
    TCase *tcase = tcase_create("emoji");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, emoji_names_become_characters);
    tcase_add_test(tcase, emoji_first_and_last_names_of_the_table_are_found);
    tcase_add_test(tcase, emoji_unknown_names_stay_as_typed);
    tcase_add_test(tcase, emoji_names_within_words_are_none);
    tcase_add_test(tcase, emoji_colon_before_a_name_is_kept);
    tcase_add_test(tcase, emoji_long_and_strange_text_is_kept);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
