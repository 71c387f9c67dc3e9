#include "codecs/ghostid.h"

#include "runtime/base/buf.h"
#include "tests/unit/samples.h"
#include "tests/unit/slice_check.h"

#include <signal.h>

static struct arena *arena;
static const struct slice domain = SLICE_INIT("example.org");

static void setup(void)
{
    arena = arena_open(4096);
}

static void teardown(void)
{
    arena_close(arena);
}

START_TEST(ghostid_of_an_object_id_is_plain)
{
    ck_text_eq(ghostid_mxid(arena, SLICE("53307831c3599d1de448e19a"), domain),
               "@gitter_53307831c3599d1de448e19a:example.org");
    ck_text_eq(ghostid_localpart(arena, SLICE("53307831c3599d1de448e19a"), domain),
               "gitter_53307831c3599d1de448e19a");
}
END_TEST

START_TEST(ghostid_of_a_virtual_user_is_escaped)
{
    ck_text_eq(ghostid_mxid(arena, SLICE("matrix-Ad_a=/+~:m.org"), domain),
               "@gitter_matrix-_ad__a=3d=2f=2b=7e=3am.org:example.org");
    ck_text_eq(ghostid_localpart(arena, SLICE("\xc3\xa1#\0"), domain), "gitter_=c3=a1=23=00");
}
END_TEST

START_TEST(ghostid_parsed_gives_the_gitter_id)
{
    static const struct slice ids[] = {
        SLICE_INIT("53307831c3599d1de448e19a"),
        SLICE_INIT("matrix-Ad_a=/+~:m.org"),
        SLICE_INIT("_"),
        SLICE_INIT("__A_a"),
        SLICE_INIT("A"),
        SLICE_INIT("=3a"),
        SLICE_INIT("=-00000000000000000000000000000000"),
        SLICE_INIT("\xf0\x9f\x98\x80 x"),
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        const struct slice mxid = ghostid_mxid(arena, ids[i], domain);
        struct slice id = SLICE_EMPTY;
        ck_assert(mxid_is_valid(mxid));
        ck_rc_eq(ghostid_parse(arena, mxid, domain, &id), RC_OK);
        ck_slice_eq(id, ids[i]);
    }
}
END_TEST

START_TEST(ghostid_of_every_byte_is_valid_and_its_own)
{
    struct slice seen[256];
    for (unsigned int byte = 0; byte < 256; byte++) {
        const char c = (char)byte;
        seen[byte] = ghostid_mxid(arena, slice_make(&c, 1), domain);
        ck_assert(mxid_is_valid(seen[byte]));
        for (unsigned int other = 0; other < byte; other++) {
            ck_assert(!slice_equal(seen[byte], seen[other]));
        }
    }
}
END_TEST

START_TEST(ghostid_too_long_is_cut_and_ends_in_a_hash)
{
    struct buf id;
    buf_init(&id, arena);
    BUF_PUT(&id, "matrix-");
    buf_put(&id, sample_repeat(arena, SLICE("x"), 300));
    BUF_PUT(&id, ":example.org");
    const struct slice mxid = ghostid_mxid(arena, buf_slice(&id), domain);
    ck_assert_uint_eq(mxid.len, 255);
    ck_assert(slice_ends_with(mxid, SLICE("x=-922c75b3cd013647aa21bb06ac91dc33:example.org")));
    ck_assert(mxid_is_valid(mxid));
    ck_assert(ghostid_is_ghost(mxid, domain));
    struct slice out = SLICE_EMPTY;
    ck_rc_eq(ghostid_parse(arena, mxid, domain, &out), RC_ABSENT);
}
END_TEST

START_TEST(ghostid_is_cut_between_escapes_only)
{
    const struct slice upper = ghostid_mxid(arena, sample_repeat(arena, SLICE("Z"), 130), domain);
    ck_assert(slice_ends_with(upper, SLICE("_z=-ce77454f519d965cade560e322d59d8d:example.org")));
    const struct slice foreign =
        ghostid_mxid(arena, sample_repeat(arena, SLICE("\xc3\xa9"), 100), domain);
    ck_assert_uint_le(foreign.len, 255);
    ck_assert(
        slice_ends_with(foreign, SLICE("=c3=-b050e958d2e07bdc21639d9c20d50dfd:example.org")) ||
        slice_ends_with(foreign, SLICE("=a9=-b050e958d2e07bdc21639d9c20d50dfd:example.org")));
}
END_TEST

START_TEST(ghostid_at_the_limit_is_whole_and_beyond_it_cut)
{
    const size_t room = 255 - 2 - domain.len - 7;
    struct slice id = SLICE_EMPTY;
    const struct slice whole = ghostid_mxid(arena, sample_repeat(arena, SLICE("a"), room), domain);
    ck_assert_uint_eq(whole.len, 255);
    ck_rc_eq(ghostid_parse(arena, whole, domain, &id), RC_OK);
    const struct slice cut =
        ghostid_mxid(arena, sample_repeat(arena, SLICE("a"), room + 1), domain);
    ck_assert_uint_eq(cut.len, 255);
    ck_rc_eq(ghostid_parse(arena, cut, domain, &id), RC_ABSENT);
    const struct slice longest_domain = sample_repeat(arena, SLICE("d"), 200);
    ck_assert_uint_eq(
        ghostid_mxid(arena, sample_repeat(arena, SLICE("a"), 400), longest_domain).len, 255);
}
END_TEST

START_TEST(ghostid_is_ghost_means_prefix_and_exact_domain)
{
    ck_assert(ghostid_is_ghost(SLICE("@gitter_53307831c3599d1de448e19a:example.org"), domain));
    ck_assert(ghostid_is_ghost(SLICE("@gitter_X y:example.org"), domain));
    ck_assert(ghostid_is_ghost(SLICE("@gitter_1:h:8448"), SLICE("h:8448")));
    ck_assert(!ghostid_is_ghost(SLICE("@gitter:example.org"), domain));
    ck_assert(!ghostid_is_ghost(SLICE("@Gitter_1:example.org"), domain));
    ck_assert(!ghostid_is_ghost(SLICE("@gitter_1:example.org.evil"), domain));
    ck_assert(!ghostid_is_ghost(SLICE("@gitter_1:Example.org"), domain));
    ck_assert(!ghostid_is_ghost(SLICE("@gitter_1:evil:example.org"), domain));
    ck_assert(!ghostid_is_ghost(SLICE("gitter_1:example.org"), domain));
    ck_assert(!ghostid_is_ghost(SLICE("@gitter_1"), domain));
    ck_assert(!ghostid_is_ghost(SLICE_EMPTY, domain));
}
END_TEST

START_TEST(ghostid_parsed_refuses_what_it_did_not_make)
{
    static const struct slice wrong[] = {
        SLICE_INIT("@gitter_:example.org"),
        SLICE_INIT("@gitter_A:example.org"),
        SLICE_INIT("@gitter__:example.org"),
        SLICE_INIT("@gitter__5:example.org"),
        SLICE_INIT("@gitter_=:example.org"),
        SLICE_INIT("@gitter_=3:example.org"),
        SLICE_INIT("@gitter_=3A:example.org"),
        SLICE_INIT("@gitter_=61:example.org"),
        SLICE_INIT("@gitter_=zz:example.org"),
        SLICE_INIT("@gitter_a/b:example.org"),
        SLICE_INIT("@gitter_=ff:example.org"),
        SLICE_INIT("@gitter_a=-922c75b3cd013647aa21bb06ac91dcXX:example.org"),
        SLICE_INIT("@gitter_a=-922c75b3cd013647aa21bb06ac91dc3:example.org"),
        SLICE_INIT("@gitter_1:example.com"),
        SLICE_INIT("@somebody:example.org"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct slice id = SLICE("before");
        ck_rc_eq(ghostid_parse(arena, wrong[i], domain, &id), RC_BAD_INPUT);
        ck_text_eq(id, "before");
    }
}
END_TEST

START_TEST(ghostid_of_nobody_is_our_bug)
{
    (void)ghostid_mxid(arena, SLICE_EMPTY, domain);
}
END_TEST

START_TEST(mxid_is_split_at_the_first_colon)
{
    struct slice localpart = SLICE_EMPTY;
    struct slice server = SLICE_EMPTY;
    ck_rc_eq(mxid_split(SLICE("@a/b\xc3\xa9 C:[::1]:8448"), &localpart, &server), RC_OK);
    ck_text_eq(localpart, "a/b\xc3\xa9 C");
    ck_text_eq(server, "[::1]:8448");
    ck_rc_eq(mxid_split(SLICE("@:h"), &localpart, &server), RC_OK);
    ck_text_empty(localpart);
    ck_rc_eq(mxid_split(SLICE("@a:"), &localpart, &server), RC_BAD_INPUT);
    ck_rc_eq(mxid_split(SLICE("@a"), &localpart, &server), RC_BAD_INPUT);
    ck_rc_eq(mxid_split(SLICE("a:h"), &localpart, &server), RC_BAD_INPUT);
    ck_rc_eq(mxid_split(SLICE_EMPTY, &localpart, &server), RC_BAD_INPUT);
    struct buf buf;
    buf_init(&buf, arena);
    BUF_PUT(&buf, "@a:");
    buf_put(&buf, sample_repeat(arena, SLICE("h"), 252));
    ck_rc_eq(mxid_split(buf_slice(&buf), &localpart, &server), RC_OK);
    buf_put_byte(&buf, 'h');
    ck_rc_eq(mxid_split(buf_slice(&buf), &localpart, &server), RC_BAD_INPUT);
}
END_TEST

START_TEST(mxid_given_out_is_strict)
{
    ck_assert(mxid_is_valid(SLICE("@a-z.0_9=/+:Example.org:8448")));
    ck_assert(mxid_is_valid(SLICE("@a:[2001:db8::1]:8448")));
    ck_assert(!mxid_is_valid(SLICE("@A:h")));
    ck_assert(!mxid_is_valid(SLICE("@:h")));
    ck_assert(!mxid_is_valid(SLICE("@a b:h")));
    ck_assert(!mxid_is_valid(SLICE("@\xc3\xa9:h")));
    ck_assert(!mxid_is_valid(SLICE("@a:h/x")));
    ck_assert(!mxid_is_valid(SLICE("@a:h\x10")));
    ck_assert(!mxid_is_valid(SLICE("@a\0:h")));
    ck_assert(!mxid_is_valid_domain(SLICE_EMPTY));
    ck_assert(!mxid_is_valid_localpart(SLICE("a:b")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ghostid");
    TCase *tc = tcase_create("ghostid");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, ghostid_of_an_object_id_is_plain);
    tcase_add_test(tc, ghostid_of_a_virtual_user_is_escaped);
    tcase_add_test(tc, ghostid_parsed_gives_the_gitter_id);
    tcase_add_test(tc, ghostid_of_every_byte_is_valid_and_its_own);
    tcase_add_test(tc, ghostid_too_long_is_cut_and_ends_in_a_hash);
    tcase_add_test(tc, ghostid_is_cut_between_escapes_only);
    tcase_add_test(tc, ghostid_at_the_limit_is_whole_and_beyond_it_cut);
    tcase_add_test(tc, ghostid_is_ghost_means_prefix_and_exact_domain);
    tcase_add_test(tc, ghostid_parsed_refuses_what_it_did_not_make);
    tcase_add_test_raise_signal(tc, ghostid_of_nobody_is_our_bug, SIGABRT);
    tcase_add_test(tc, mxid_is_split_at_the_first_colon);
    tcase_add_test(tc, mxid_given_out_is_strict);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
