/* No token, login state, cookie or code is to be read in the journal, in whatever form it comes. */
#include "actors/messages.h"
#include "codecs/url.h"
#include "db/secrets.h"
#include "runtime/daemon/journal_settings.h"
#include "runtime/daemon/journal_veil.h"
#include "tests/unit/store_fixture.h"

#include <check.h>

static struct arena *arena;
static struct secrets *secrets;
static struct journal_veil veil;

static void set_up(void)
{
    arena = arena_open(4096);
    ck_rc_eq(secrets_open(SLICE("key"), &secrets), RC_OK);
    veil = journal_veil(secrets);
}

static void tear_down(void)
{
    secrets_close(secrets);
    arena_close(arena);
}

#define SECRET "5f2c1d0e9b8a7f6e5d4c3b2a19080716ffeeddcc"

static struct slice stand_in(void)
{
    return veil.secret(veil.context, arena, SLICE(SECRET));
}

START_TEST(stand_in_has_the_length_and_is_always_the_same)
{
    struct secrets *others = NULL;
    const struct slice once = stand_in();
    ck_assert_uint_eq(once.len, strlen(SECRET));
    ck_slice_eq(stand_in(), once);
    ck_assert(!slice_equal(once, SLICE(SECRET)));
    ck_assert(!slice_equal(veil.secret(veil.context, arena, SLICE("5")), SLICE_EMPTY));
    ck_rc_eq(secrets_open(SLICE("another key"), &others), RC_OK);
    ck_assert(!slice_equal(secrets_stand_in(others, arena, SLICE(SECRET)), once));
    secrets_close(others);
    const struct slice longer = secrets_stand_in(secrets, arena, SLICE(SECRET SECRET SECRET));
    ck_assert_uint_eq(longer.len, 3 * strlen(SECRET));
}
END_TEST

/* Before and behind the secret in each text; ours is put between. */
static const char *const texts[][2] = {
    {"Follow https://login.example/auth_gitter/0a1b.", " please"},
    {"{\"body\":\"https:\\/\\/x.y\\/auth_gitter\\/0a1b.", "\"}"},
    {"state=https%3A%2F%2Fx.y%2Fauth_gitter%2F0a1b%2E", "&x"},
    {"{\"access_token\":\"", "\",\"token_type\":\"bearer\"}"},
    {"{ \"access_token\" : \"", "\" }"},
    {"access_token=", "&scope="},
    {"{\"refresh_token\":\"", "\"}"},
    {"two links auth_gitter/1.1 and auth_gitter/0a1b.", ""},
};

START_TEST(secret_in_a_text_is_replaced_and_nothing_else)
{
    const struct slice text = arena_printf(arena, "%s%s%s", texts[_i][0], SECRET, texts[_i][1]);
    const struct slice seen = veil.text(veil.context, arena, text);
    ck_assert_uint_eq(slice_find(seen, SLICE(SECRET)), seen.len);
    ck_assert_uint_lt(slice_find(seen, stand_in()), seen.len);
    ck_assert_uint_eq(seen.len, text.len);
    ck_assert(slice_ends_with(seen, slice_from_cstr(texts[_i][1])));
}
END_TEST

START_TEST(text_without_a_secret_stays_as_it_is)
{
    static const char *const plain[] = {
        "",
        "_",
        "auth_gitter",
        "auth_gitter/",
        "auth_gitter/abc",
        "auth_gitter/.",
        "my_token is",
        "{\"token_type\":\"bearer\"}",
        "_gitter/a.b",
        "room_id sender event_id",
    };
    const struct slice text = slice_from_cstr(plain[_i]);
    const struct slice seen = veil.text(veil.context, arena, text);
    ck_slice_eq(seen, text);
}
END_TEST

START_TEST(web_request_keeps_its_form_without_its_secrets)
{
    const struct msg_web web = {
        .request = 7,
        .method = SLICE("GET"),
        .path = SLICE("/callback"),
        .query = SLICE("state=0a1b%2E" SECRET "&code=" SECRET "&st%61te=0a1b." SECRET
                       "&error=denied&hint=" SECRET),
        .body = SLICE("pin=" SECRET "&proof=" SECRET),
        .cookie = SLICE("other=" SECRET "; gitterd_0a1b=" SECRET " ;session=" SECRET
                        "; __Host-gitterd_0a1b=" SECRET),
    };
    const struct msg msg = {MSG_WEB_REQUEST, &web};
    const struct msg_web *seen = veil.input(veil.context, arena, &msg);
    const struct slice twin = stand_in();
    struct slice value = SLICE_EMPTY;
    size_t count = 0;
    ck_assert_int_eq(seen->request, 7);
    ck_assert_uint_eq(slice_find(seen->query, SLICE(SECRET)), seen->query.len);
    ck_assert_uint_eq(slice_find(seen->body, SLICE(SECRET)), seen->body.len);
    ck_rc_eq(url_form_find(arena, seen->query, SLICE("state"), &value, &count), RC_OK);
    ck_slice_eq(value, arena_printf(arena, "0a1b.%.*s", SLICE_ARGS(twin)));
    ck_assert_uint_eq(count, 2);
    ck_rc_eq(url_form_find(arena, seen->query, SLICE("code"), &value, &count), RC_OK);
    ck_slice_eq(value, twin);
    ck_rc_eq(url_form_find(arena, seen->query, SLICE("error"), &value, &count), RC_OK);
    ck_slice_eq(value, SLICE("denied"));
    ck_rc_eq(url_form_find(arena, seen->body, SLICE("proof"), &value, &count), RC_OK);
    ck_slice_eq(value, twin);
    ck_slice_eq(seen->cookie, arena_printf(arena, "gitterd_0a1b=%.*s; __Host-gitterd_0a1b=%.*s",
                                           SLICE_ARGS(twin), SLICE_ARGS(twin)));
}
END_TEST

START_TEST(exchange_of_the_code_is_journalled_without_it)
{
    const struct call_ended ended = {.status = 200, .request = SLICE("code=" SECRET)};
    const struct msg msg = {MSG_LOGIN_TOKEN_ENDED, &ended};
    const struct call_ended *seen = veil.input(veil.context, arena, &msg);
    ck_assert_uint_eq(slice_find(seen->request, SLICE(SECRET)), seen->request.len);
    ck_assert_uint_eq(seen->request.len, ended.request.len);
    ck_assert_int_eq(seen->status, 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal_veil");
    TCase *tcase = tcase_create("journal_veil");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, stand_in_has_the_length_and_is_always_the_same);
    tcase_add_loop_test(tcase, secret_in_a_text_is_replaced_and_nothing_else, 0, 8);
    tcase_add_loop_test(tcase, text_without_a_secret_stays_as_it_is, 0, 10);
    tcase_add_test(tcase, web_request_keeps_its_form_without_its_secrets);
    tcase_add_test(tcase, exchange_of_the_code_is_journalled_without_it);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
