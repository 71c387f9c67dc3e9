/* tests/unit/slice_check.h: comparing slices in Check tests, and a main() for one suite. */
#ifndef GITTERD_TESTS_SLICE_CHECK_H
#define GITTERD_TESTS_SLICE_CHECK_H

#include "runtime/base/slice.h"

#include <check.h>
#include <stdlib.h>

#define ck_slice_eq(got, wanted)                                                                   \
    do {                                                                                           \
        const struct slice ck_got = (got);                                                         \
        const struct slice ck_wanted = (wanted);                                                   \
        ck_assert_msg(slice_equal(ck_got, ck_wanted),                                              \
                      "%s is \"%.*s\" (%zu bytes), not \"%.*s\" (%zu bytes)", #got,                \
                      SLICE_ARGS(ck_got), ck_got.len, SLICE_ARGS(ck_wanted), ck_wanted.len);       \
    } while (0)

#define ck_text_eq(got, literal) ck_slice_eq(got, SLICE(literal))
#define ck_text_empty(got) ck_slice_eq(got, SLICE_EMPTY)
#define ck_rc_eq(got, wanted) ck_assert_str_eq(rc_name(got), rc_name(wanted))

/* Runs the one suite of a test program; gives its exit status. */
static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
