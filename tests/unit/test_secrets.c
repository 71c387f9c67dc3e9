#include "db/secrets.h"
#include "tests/unit/store_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct secrets *secrets;

static void set_up(void)
{
    arena = arena_open(4096);
    ck_rc_eq(secrets_open(SLICE("unique"), &secrets), RC_OK);
}

static void tear_down(void)
{
    secrets_close(secrets);
    arena_close(arena);
}

static struct slice seal(const char *table, struct slice key, struct slice plain)
{
    struct slice sealed = SLICE_EMPTY;
    ck_rc_eq(secrets_seal(secrets, secrets_owner(arena, table, key), plain, arena, &sealed), RC_OK);
    return sealed;
}

static enum rc unseal(const char *table, struct slice key, struct slice sealed, struct slice *plain)
{
    return secrets_unseal(secrets, secrets_owner(arena, table, key), sealed, arena, plain);
}

START_TEST(secrets_sealed_opens_again)
{
    const struct slice texts[] = {SLICE(""), SLICE("t"), SLICE("a token\0with a NUL")};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct slice sealed = seal("users", SLICE("@a:x"), texts[i]);
        struct slice plain = SLICE("unset");
        ck_assert_uint_eq(sealed.len, 29 + texts[i].len);
        ck_rc_eq(unseal("users", SLICE("@a:x"), sealed, &plain), RC_OK);
        ck_slice_eq(plain, texts[i]);
    }
}
END_TEST

START_TEST(secrets_sealed_shows_nothing_and_differs_each_time)
{
    const struct slice token = SLICE("a-token-to-be-hidden");
    const struct slice once = seal("users", SLICE("@a:x"), token);
    const struct slice again = seal("users", SLICE("@a:x"), token);
    ck_assert_uint_eq(slice_find(once, SLICE("a-token")), once.len);
    ck_assert(!slice_equal(once, again));
    /* with another nonce the text differs too, not the nonce alone */
    ck_assert(!slice_equal(slice_from(once, 29), slice_from(again, 29)));
}
END_TEST

START_TEST(secrets_of_another_owner_do_not_open)
{
    const struct slice sealed = seal("users", SLICE("@a:x"), SLICE("token"));
    struct slice plain = SLICE_EMPTY;
    ck_rc_eq(unseal("users", SLICE("@b:x"), sealed, &plain), RC_CORRUPT);
    ck_rc_eq(unseal("rooms", SLICE("@a:x"), sealed, &plain), RC_CORRUPT);
    /* the border between table and key counts */
    ck_rc_eq(unseal("users@", SLICE("a:x"), sealed, &plain), RC_CORRUPT);
    ck_rc_eq(unseal("users", SLICE("@a:x"), sealed, &plain), RC_OK);
}
END_TEST

START_TEST(secrets_under_another_key_do_not_open)
{
    const struct slice sealed = seal("users", SLICE("@a:x"), SLICE("token"));
    struct secrets *other = NULL;
    struct slice plain = SLICE_EMPTY;
    ck_rc_eq(secrets_open(SLICE("uniquf"), &other), RC_OK);
    ck_rc_eq(
        secrets_unseal(other, secrets_owner(arena, "users", SLICE("@a:x")), sealed, arena, &plain),
        RC_CORRUPT);
    secrets_close(other);
    ck_rc_eq(secrets_open(SLICE("unique"), &other), RC_OK);
    ck_rc_eq(
        secrets_unseal(other, secrets_owner(arena, "users", SLICE("@a:x")), sealed, arena, &plain),
        RC_OK);
    ck_slice_eq(plain, SLICE("token"));
    secrets_close(other);
}
END_TEST

START_TEST(secrets_changed_anywhere_do_not_open)
{
    const struct slice sealed = seal("users", SLICE("@a:x"), SLICE("token"));
    struct slice plain = SLICE_EMPTY;
    for (size_t i = 0; i < sealed.len; i++) {
        char *bytes = arena_alloc(arena, sealed.len);
        memcpy(bytes, sealed.ptr, sealed.len);
        bytes[i] = (char)(bytes[i] ^ 1);
        ck_rc_eq(unseal("users", SLICE("@a:x"), slice_make(bytes, sealed.len), &plain), RC_CORRUPT);
        ck_rc_eq(unseal("users", SLICE("@a:x"), slice_first(sealed, i), &plain), RC_CORRUPT);
    }
}
END_TEST

/* Made apart from this code, with Python's cryptography: HKDF(SHA256, 32, no salt, info "gitterd
 * sealed rows 1") of "unique", AESGCM with nonce 00..0b over "token" and "users\0@a:x". */
START_TEST(secrets_of_version_one_open_for_ever)
{
    const struct slice sealed =
        SLICE("\001\000\001\002\003\004\005\006\007\010\011\012\013\307\136\112\307"
              "\040\272\345\207\171\363\050\306\304\244\326\232\015\340\052\333\122");
    struct slice plain = SLICE_EMPTY;
    ck_rc_eq(unseal("users", SLICE("@a:x"), sealed, &plain), RC_OK);
    ck_slice_eq(plain, SLICE("token"));
}
END_TEST

START_TEST(secrets_random_bytes_differ)
{
    static unsigned char once[100000];
    static unsigned char again[100000];
    ck_rc_eq(secrets_random(secrets, once, sizeof once), RC_OK);
    ck_rc_eq(secrets_random(secrets, again, sizeof again), RC_OK);
    ck_assert_int_ne(memcmp(once, again, sizeof once), 0);
    /* all of it is filled: the last 32 bytes are zero once in 2^256 times */
    static const unsigned char zero[32] = {0};
    ck_assert_int_ne(memcmp(once + sizeof once - sizeof zero, zero, sizeof zero), 0);
    ck_rc_eq(secrets_random(secrets, once, 0), RC_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("secrets");
    TCase *tcase = tcase_create("secrets");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, secrets_sealed_opens_again);
    tcase_add_test(tcase, secrets_sealed_shows_nothing_and_differs_each_time);
    tcase_add_test(tcase, secrets_of_another_owner_do_not_open);
    tcase_add_test(tcase, secrets_under_another_key_do_not_open);
    tcase_add_test(tcase, secrets_changed_anywhere_do_not_open);
    tcase_add_test(tcase, secrets_of_version_one_open_for_ever);
    tcase_add_test(tcase, secrets_random_bytes_differ);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
