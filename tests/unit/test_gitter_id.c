#include "codecs/gitter.h"

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

static int64_t time_of(struct slice text)
{
    int64_t ms = -1;
    ck_rc_eq(gitter_time_parse(text, &ms), RC_OK);
    return ms;
}

START_TEST(time_is_read)
{
    ck_assert_int_eq(time_of(SLICE("1970-01-01T00:00:00.000Z")), 0);
    ck_assert_int_eq(time_of(SLICE("2014-03-25T11:51:32.289Z")), 1395748292289);
    ck_assert_int_eq(time_of(SLICE("2014-03-25T11:51:32Z")), 1395748292000);
    ck_assert_int_eq(time_of(SLICE("2014-03-25T11:51:32.2Z")), 1395748292200);
    ck_assert_int_eq(time_of(SLICE("2014-03-25T11:51:32.289999Z")), 1395748292289);
    ck_assert_int_eq(time_of(SLICE("2014-03-25T11:51:32.289+00:00")), 1395748292289);
    ck_assert_int_eq(time_of(SLICE("2000-02-29T23:59:59.999Z")), 951868799999);
    ck_assert_int_eq(time_of(SLICE("2100-03-01T00:00:00Z")), 4107542400000);
    ck_assert_int_eq(time_of(SLICE("9999-12-31T23:59:59.999Z")), 253402300799999);
}
END_TEST

START_TEST(time_malformed_is_bad_input)
{
    static const struct slice wrong[] = {
        SLICE_INIT(""),
        SLICE_INIT("null"),
        SLICE_INIT("2014-03-25"),
        SLICE_INIT("2014-03-25T11:51:32"),
        SLICE_INIT("2014-03-25 11:51:32Z"),
        SLICE_INIT("2014-03-25T11:51:32.Z"),
        SLICE_INIT("2014-03-25T11:51:32.289"),
        SLICE_INIT("2014-03-25T11:51:32.289Z "),
        SLICE_INIT("2014-03-25T11:51:32.289+02:00"),
        SLICE_INIT("2014-3-25T11:51:32.289Z"),
        SLICE_INIT("2014-13-25T11:51:32Z"),
        SLICE_INIT("2014-00-25T11:51:32Z"),
        SLICE_INIT("2014-02-29T11:51:32Z"),
        SLICE_INIT("2100-02-29T11:51:32Z"),
        SLICE_INIT("2014-04-31T11:51:32Z"),
        SLICE_INIT("2014-04-00T11:51:32Z"),
        SLICE_INIT("2014-03-25T24:00:00Z"),
        SLICE_INIT("2014-03-25T11:60:32Z"),
        SLICE_INIT("2014-03-25T11:51:60Z"),
        SLICE_INIT("2014-03-25T11:51:-2Z"),
        SLICE_INIT("-014-03-25T11:51:32Z"),
        SLICE_INIT("1969-12-31T23:59:59Z"),
        SLICE_INIT("12014-03-25T11:51:32Z"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t ms = 7;
        ck_assert_msg(gitter_time_parse(wrong[i], &ms) == RC_BAD_INPUT, "accepted %s",
                      wrong[i].ptr);
        ck_assert_int_eq(ms, 7);
    }
}
END_TEST

START_TEST(time_printed_is_read_back)
{
    ck_text_eq(gitter_time_print(arena, 0), "1970-01-01T00:00:00.000Z");
    ck_text_eq(gitter_time_print(arena, 1395748292289), "2014-03-25T11:51:32.289Z");
    ck_text_eq(gitter_time_print(arena, 253402300799999), "9999-12-31T23:59:59.999Z");
    /* a step of 11 days and some, so that every month and both kinds of February are met */
    for (int64_t ms = 0; ms < 4200000000000; ms += 999999937) {
        ck_assert_int_eq(time_of(gitter_time_print(arena, ms)), ms);
    }
}
END_TEST

START_TEST(object_id_is_24_lower_case_hex_digits)
{
    ck_assert(gitter_is_object_id(SLICE("53307860c3599d1de448e19d")));
    ck_assert(!gitter_is_object_id(SLICE("53307860C3599D1DE448E19D")));
    ck_assert(!gitter_is_object_id(SLICE("53307860c3599d1de448e19")));
    ck_assert(!gitter_is_object_id(SLICE("53307860c3599d1de448e19d0")));
    ck_assert(!gitter_is_object_id(SLICE("53307860c3599d1de448e19g")));
    ck_assert(!gitter_is_object_id(SLICE("matrix-ada:m.org")));
    ck_assert(!gitter_is_object_id(SLICE_EMPTY));
}
END_TEST

START_TEST(object_id_holds_its_time)
{
    ck_assert_int_eq(gitter_id_time_ms(SLICE("5331a3f4c3599d1de448e1a0")), 1395762164000);
    ck_assert_int_eq(gitter_id_time_ms(SLICE("ffffffff0000000000000000")), 4294967295000);
    ck_assert_int_eq(gitter_id_time_ms(SLICE("matrix-ada:m.org")), -1);
}
END_TEST

START_TEST(object_id_earlier_is_the_smallest_of_its_second)
{
    const struct slice id = SLICE("5331a3f4c3599d1de448e1a0");
    ck_text_eq(gitter_id_before(arena, id, 0), "5331a3f40000000000000000");
    ck_text_eq(gitter_id_before(arena, id, 4000), "5331a3f00000000000000000");
    ck_text_eq(gitter_id_before(arena, id, 3001), "5331a3f00000000000000000");
    ck_text_eq(gitter_id_before(arena, id, INT64_MAX), "000000000000000000000000");
    ck_text_eq(gitter_id_before(arena, SLICE("x"), 1), "x");
    ck_assert(slice_compare(gitter_id_before(arena, id, 0), id) < 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gitter_id");
    TCase *tc = tcase_create("gitter_id");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, time_is_read);
    tcase_add_test(tc, time_malformed_is_bad_input);
    tcase_add_test(tc, time_printed_is_read_back);
    tcase_add_test(tc, object_id_is_24_lower_case_hex_digits);
    tcase_add_test(tc, object_id_holds_its_time);
    tcase_add_test(tc, object_id_earlier_is_the_smallest_of_its_second);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
