#include "runtime/http_body.h"
#include "tests/unit/slice_check.h"

#include <check.h>
#include <string.h>

struct outcome {
    enum rc rc;
    enum body_state state;
    size_t left;
    char body[64];
};

/* Reads the text in pieces of at most `step` bytes. */
static struct outcome read_all(struct body_reader *reader, struct slice text, size_t step)
{
    struct outcome outcome = {.rc = RC_OK};
    size_t len = 0;

    while (text.len > 0 && outcome.rc == RC_OK && reader->state != BODY_DONE) {
        struct slice part = slice_first(text, step < text.len ? step : text.len);
        size_t before = part.len;

        while (part.len > 0 && outcome.rc == RC_OK && reader->state != BODY_DONE) {
            struct slice piece;

            outcome.rc = body_reader_next(reader, &part, &piece);
            ck_assert_uint_lt(len + piece.len, sizeof(outcome.body));
            if (piece.len > 0) {
                memcpy(outcome.body + len, piece.ptr, piece.len);
            }
            len += piece.len;
        }
        text = slice_from(text, before - part.len);
    }
    outcome.left = text.len;
    outcome.state = reader->state;
    return outcome;
}

START_TEST(chunks_come_out_whole_however_they_are_cut)
{
    static const char text[] =
        "3\r\nabc\r\n1;x\r\n\n\r\n0A;y=\"z\"\r\n0123456789\r\n0\r\nT: u\r\n\r\nnext";
    struct outcome outcome;
    struct body_reader reader;

    for (size_t step = 1; step < sizeof(text); step++) {
        body_reader_init_chunked(&reader);
        outcome = read_all(&reader, slice_make(text, sizeof(text) - 1), step);
        ck_assert_int_eq(outcome.rc, RC_OK);
        ck_assert_int_eq(outcome.state, BODY_DONE);
        ck_assert_str_eq(outcome.body, "abc\n0123456789");
        ck_assert_uint_eq(outcome.left, 4);
    }
}
END_TEST

START_TEST(length_ends_where_it_says)
{
    struct body_reader reader;
    struct outcome outcome;

    for (size_t step = 1; step < 9; step++) {
        body_reader_init_length(&reader, 5);
        outcome = read_all(&reader, SLICE("hellonext"), step);
        ck_assert_int_eq(outcome.state, BODY_DONE);
        ck_assert_str_eq(outcome.body, "hello");
        ck_assert_uint_eq(outcome.left, 4);
    }
    body_reader_init_length(&reader, 0);
    ck_assert_int_eq(reader.state, BODY_DONE);
}
END_TEST

START_TEST(unfinished_chunks_are_never_done)
{
    static const char text[] = "2\r\nab\r\n0\r\n\r\n";
    struct body_reader reader;

    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        struct outcome outcome;

        body_reader_init_chunked(&reader);
        outcome = read_all(&reader, slice_make(text, len), 64);
        ck_assert_int_eq(outcome.rc, RC_OK);
        ck_assert_int_ne(outcome.state, BODY_DONE);
    }
}
END_TEST

START_TEST(every_changed_byte_of_the_framing_is_noticed)
{
    static const char text[] = "2\r\nab\r\n0\r\n\r\n";
    struct body_reader reader;

    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        char changed[sizeof(text)];
        struct outcome outcome;

        if (at == 3 || at == 4) {
            continue; /* the body itself */
        }
        memcpy(changed, text, sizeof(text));
        changed[at] = '!';
        body_reader_init_chunked(&reader);
        outcome = read_all(&reader, slice_make(changed, sizeof(text) - 1), 64);
        ck_assert(outcome.rc == RC_BAD_INPUT || outcome.state != BODY_DONE);
    }
}
END_TEST

START_TEST(extensions_and_trailers_have_an_end)
{
    static const char *const starts[] = {"1;", "0\r\n", "0\r\nA: "};
    static char filler[65536];

    memset(filler, 'x', sizeof(filler));
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        struct body_reader reader;
        struct slice text = slice_from_cstr(starts[i]);
        struct slice piece;

        body_reader_init_chunked(&reader);
        ck_assert_int_eq(body_reader_next(&reader, &text, &piece), RC_OK);
        text = slice_make(filler, sizeof(filler) - 3);
        ck_assert_int_eq(body_reader_next(&reader, &text, &piece), RC_OK);
        text = slice_make(filler, 4);
        ck_assert_int_eq(body_reader_next(&reader, &text, &piece), RC_TOO_BIG);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("http_body");
    TCase *tcase = tcase_create("framing");

    tcase_add_test(tcase, chunks_come_out_whole_however_they_are_cut);
    tcase_add_test(tcase, length_ends_where_it_says);
    tcase_add_test(tcase, unfinished_chunks_are_never_done);
    tcase_add_test(tcase, every_changed_byte_of_the_framing_is_noticed);
    tcase_add_test(tcase, extensions_and_trailers_have_an_end);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
