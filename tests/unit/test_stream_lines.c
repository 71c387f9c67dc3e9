#include "runtime/stream_lines.h"

#include "runtime/base/buf.h"
#include "tests/unit/slice_check.h"

#include <string.h>

enum {
    MANY = 1000,
    BIG = 100 * 1000,
};

static struct arena *arena;
static struct stream_lines lines;
static struct buf taken; /* the records, each in brackets */

static void setup(void)
{
    arena = arena_open(4096);
    lines = (struct stream_lines){.bytes_max = SIZE_MAX};
    buf_init(&taken, arena);
}

static void teardown(void)
{
    stream_lines_clear(&lines);
    arena_close(arena);
}

/* Every piece is a copy of its own size, so that AddressSanitizer sees a read beyond it. */
static enum rc feed(struct slice piece)
{
    char *copy = malloc(piece.len + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, piece.ptr, piece.len);
    struct slice bytes = slice_make(copy, piece.len);
    struct slice record = SLICE_EMPTY;
    enum rc rc = stream_lines_take(&lines, &bytes, &record);
    while (rc == RC_OK) {
        buf_printf(&taken, "[%.*s]", SLICE_ARGS(record));
        rc = stream_lines_take(&lines, &bytes, &record);
    }
    free(copy);
    return rc;
}

#define feed_text(literal) ck_rc_eq(feed(SLICE(literal)), RC_AGAIN)
#define ck_taken(literal) ck_text_eq(buf_slice(&taken), literal)

START_TEST(lines_several_records_in_one_piece_come_in_order)
{
    feed_text("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    ck_taken("[{\"n\":1}][{\"n\":2}][{\"n\":3}]");
}
END_TEST

START_TEST(lines_every_two_cuts_give_the_same_records)
{
    static const struct slice text = SLICE_INIT(" \n{\"a\":1}\r\n \n\n\r\n\r{ \"b\":2}\n{\"c\"");
    for (size_t first = 0; first <= text.len; first++) {
        for (size_t second = first; second <= text.len; second++) {
            teardown();
            setup();
            ck_rc_eq(feed(slice_first(text, first)), RC_AGAIN);
            ck_rc_eq(feed(slice_from(slice_first(text, second), first)), RC_AGAIN);
            ck_rc_eq(feed(slice_from(text, second)), RC_AGAIN);
            ck_taken("[{\"a\":1}][{ \"b\":2}]");
            feed_text(":3}\n");
            ck_assert(slice_ends_with(buf_slice(&taken), SLICE("[{\"c\":3}]")));
        }
    }
}
END_TEST

START_TEST(lines_white_space_alone_is_nothing)
{
    feed_text(" \n \n\n\r\n\r \r\n\t\n \r");
    feed_text("\n");
    feed_text("");
    ck_taken("");
    ck_assert_ptr_null(lines.ptr);
}
END_TEST

START_TEST(lines_carriage_return_inside_stays)
{
    feed_text("{}\r{}\r\n");
    ck_taken("[{}\r{}]");
}
END_TEST

START_TEST(lines_of_exactly_the_limit_are_taken)
{
    lines.bytes_max = 4;
    feed_text("1234\n56");
    feed_text("78\n 9\r\n");
    ck_taken("[1234][5678][9]");
}
END_TEST

START_TEST(lines_over_the_limit_in_one_piece_are_refused)
{
    lines.bytes_max = 4;
    ck_rc_eq(feed(SLICE("1\n12345\n")), RC_TOO_BIG);
    ck_taken("[1]");
}
END_TEST

START_TEST(lines_over_the_limit_in_several_pieces_are_refused)
{
    lines.bytes_max = 4;
    feed_text("12");
    feed_text("34");
    ck_rc_eq(feed(SLICE("5")), RC_TOO_BIG);
    ck_taken("");
}
END_TEST

START_TEST(lines_spaces_count_as_well)
{
    lines.bytes_max = 4;
    feed_text("    ");
    ck_rc_eq(feed(SLICE(" ")), RC_TOO_BIG);
}
END_TEST

START_TEST(lines_after_clear_begin_anew)
{
    feed_text("{\"half\":");
    stream_lines_clear(&lines);
    feed_text("{}\n");
    ck_taken("[{}]");
}
END_TEST

START_TEST(lines_big_record_in_bytes_is_whole)
{
    struct buf all;
    buf_init(&all, arena);
    for (size_t i = 0; i < BIG; i++) {
        buf_put_byte(&all, (char)('a' + i % 26));
    }
    for (size_t i = 0; i < BIG; i++) {
        ck_rc_eq(feed(slice_make(all.ptr + i, 1)), RC_AGAIN);
    }
    feed_text("\n");
    ck_slice_eq(buf_slice(&taken), arena_printf(arena, "[%.*s]", SLICE_ARGS(buf_slice(&all))));
    ck_assert_ptr_null(lines.ptr);
}
END_TEST

START_TEST(lines_many_records_in_odd_pieces_come_in_order)
{
    struct buf all;
    struct buf expected;
    buf_init(&all, arena);
    buf_init(&expected, arena);
    for (int i = 0; i < MANY; i++) {
        buf_printf(&all, "{\"n\":%d}\n", i);
        buf_printf(&expected, "[{\"n\":%d}]", i);
    }
    struct slice rest = buf_slice(&all);
    for (size_t size = 1; rest.len > 0; size = size % 97 + 1) {
        ck_rc_eq(feed(slice_first(rest, size)), RC_AGAIN);
        rest = slice_from(rest, size);
    }
    ck_slice_eq(buf_slice(&taken), buf_slice(&expected));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream_lines");
    TCase *tcase = tcase_create("lines");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, lines_several_records_in_one_piece_come_in_order);
    tcase_add_test(tcase, lines_every_two_cuts_give_the_same_records);
    tcase_add_test(tcase, lines_white_space_alone_is_nothing);
    tcase_add_test(tcase, lines_carriage_return_inside_stays);
    tcase_add_test(tcase, lines_of_exactly_the_limit_are_taken);
    tcase_add_test(tcase, lines_over_the_limit_in_one_piece_are_refused);
    tcase_add_test(tcase, lines_over_the_limit_in_several_pieces_are_refused);
    tcase_add_test(tcase, lines_spaces_count_as_well);
    tcase_add_test(tcase, lines_after_clear_begin_anew);
    tcase_add_test(tcase, lines_big_record_in_bytes_is_whole);
    tcase_add_test(tcase, lines_many_records_in_odd_pieces_come_in_order);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
