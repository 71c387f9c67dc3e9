#include "runtime/websocket_upgrade.h"

#include "runtime/base/limits.h"
#include "tests/unit/slice_check.h"
#include "tests/unit/websocket_fake.h"

#include <string.h>

static struct arena *arena;
static struct upgrade *upgrade;

static void setup(void)
{
    arena = arena_open(4096);
    upgrade = upgrade_open(SLICE("/bayeux"), SLICE("gitter.test"));
}

static void teardown(void)
{
    upgrade_close(upgrade);
    arena_close(arena);
}

/* Feeds it in pieces of that many bytes until it says something else than RC_AGAIN. */
static enum rc feed(struct slice text, size_t piece)
{
    enum rc rc = RC_AGAIN;
    while (rc == RC_AGAIN && text.len > 0) {
        size_t space_len = 0;
        char *space = upgrade_space(upgrade, &space_len);
        ck_assert_uint_gt(space_len, 0);
        const struct slice part = slice_first(slice_first(text, piece), space_len);
        memcpy(space, part.ptr, part.len);
        text = slice_from(text, part.len);
        rc = upgrade_read(upgrade, part.len);
    }
    return rc;
}

#define SWITCHING "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADED SWITCHING "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static struct slice good_answer(const char *more)
{
    const struct slice key = fake_header(upgrade_request(upgrade), SLICE("sec-websocket-key"));
    return arena_printf(arena, "%sSec-WebSocket-Accept: %.*s\r\n%s\r\n", UPGRADED,
                        SLICE_ARGS(fake_accept(arena, key)), more);
}

START_TEST(upgrade_request_has_what_rfc_6455_asks_for)
{
    const struct slice request = upgrade_request(upgrade);
    ck_assert(slice_starts_with(request, SLICE("GET /bayeux HTTP/1.1\r\n")));
    ck_assert(slice_ends_with(request, SLICE("\r\n\r\n")));
    ck_text_eq(fake_header(request, SLICE("host")), "gitter.test");
    ck_text_eq(fake_header(request, SLICE("upgrade")), "websocket");
    ck_text_eq(fake_header(request, SLICE("connection")), "Upgrade");
    ck_text_eq(fake_header(request, SLICE("sec-websocket-version")), "13");
    ck_assert_uint_eq(fake_header(request, SLICE("sec-websocket-key")).len, 24);
    /* "Token/word" in it would be read as an access token */
    const struct slice agent = fake_header(request, SLICE("user-agent"));
    ck_assert_uint_eq(slice_find_byte(agent, '/'), agent.len);
}
END_TEST

/* The worked example of RFC 6455, 1.3: the fake server is no proof of itself. */
START_TEST(upgrade_fake_accept_is_that_of_the_rfc)
{
    ck_text_eq(fake_accept(arena, SLICE("dGhlIHNhbXBsZSBub25jZQ==")),
               "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
END_TEST

START_TEST(upgrade_keys_of_two_requests_differ)
{
    struct upgrade *other = upgrade_open(SLICE("/bayeux"), SLICE("gitter.test"));
    ck_assert(!slice_equal(fake_header(upgrade_request(upgrade), SLICE("sec-websocket-key")),
                           fake_header(upgrade_request(other), SLICE("sec-websocket-key"))));
    upgrade_close(other);
}
END_TEST

START_TEST(upgrade_answer_in_pieces_of_any_size_is_accepted)
{
    const struct slice answer = good_answer("X-Long: value\r\n");
    for (size_t piece = 1; piece <= answer.len; piece++) {
        struct upgrade *fresh = upgrade;
        ck_rc_eq(feed(good_answer("X-Long: value\r\n"), piece), RC_OK);
        ck_text_empty(upgrade_rest(upgrade));
        upgrade_close(fresh);
        upgrade = upgrade_open(SLICE("/bayeux"), SLICE("gitter.test"));
    }
}
END_TEST

START_TEST(upgrade_bytes_behind_the_answer_are_kept)
{
    const struct slice answer = good_answer("");
    const struct slice all = arena_printf(arena, "%.*s\x81\x02hi", SLICE_ARGS(answer));
    ck_rc_eq(feed(all, all.len), RC_OK);
    ck_text_eq(upgrade_rest(upgrade), "\x81\x02hi");
}
END_TEST

START_TEST(upgrade_header_names_and_tokens_are_read_without_case)
{
    const struct slice key = fake_header(upgrade_request(upgrade), SLICE("sec-websocket-key"));
    const struct slice answer = arena_printf(arena,
                                             "HTTP/1.1 101 ok\r\n"
                                             "UPGRADE: WebSocket\r\n"
                                             "connection:keep-alive ,  uPgrade\r\n"
                                             "sec-websocket-accept:  %.*s \r\n\r\n",
                                             SLICE_ARGS(fake_accept(arena, key)));
    ck_rc_eq(feed(answer, answer.len), RC_OK);
}
END_TEST

/* Answers that do not open a WebSocket; none has the right accept value, which is per request. */
static const struct {
    struct slice answer;
    enum rc rc;
    const char *detail; /* NULL: any */
} bad_answers[] = {
    {SLICE_INIT("SSH-2.0-OpenSSH_9.2\r\n\r\n"), RC_BAD_INPUT, NULL},
    {SLICE_INIT("\r\n\r\n"), RC_REFUSED, NULL},
    {SLICE_INIT("HTTP/1.1 101 x\r\nbad header\r\n\r\n"), RC_BAD_INPUT, NULL},
    {SLICE_INIT("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"), RC_REFUSED,
     "HTTP 401"},
    {SLICE_INIT("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), RC_REFUSED, "HTTP 404"},
    {SLICE_INIT("HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n"), RC_REFUSED,
     "HTTP 502"},
    {SLICE_INIT("HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n"), RC_REFUSED, "HTTP 301"},
    {SLICE_INIT("HTTP/1.1 200 OK\r\n\r\n"), RC_REFUSED, "HTTP 200"},
    {SLICE_INIT(UPGRADED "\r\n"), RC_BAD_INPUT, "wrong Sec-WebSocket-Accept"},
    {SLICE_INIT(UPGRADED "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
     RC_BAD_INPUT, "wrong Sec-WebSocket-Accept"},
    {SLICE_INIT(SWITCHING "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), RC_BAD_INPUT,
     "upgraded to something else"},
    {SLICE_INIT(SWITCHING "Upgrade: websocket\r\nConnection: close\r\n\r\n"), RC_BAD_INPUT,
     "upgraded to something else"},
};

START_TEST(upgrade_answer_that_does_not_upgrade_says_why)
{
    ck_rc_eq(feed(bad_answers[_i].answer, SIZE_MAX), bad_answers[_i].rc);
    ck_assert_uint_gt(upgrade_detail(upgrade).len, 0);
    if (bad_answers[_i].detail != NULL) {
        ck_slice_eq(upgrade_detail(upgrade), slice_from_cstr(bad_answers[_i].detail));
    }
}
END_TEST

START_TEST(upgrade_extension_nobody_asked_for_is_refused)
{
    ck_rc_eq(feed(good_answer("Sec-WebSocket-Extensions: permessage-deflate\r\n"), SIZE_MAX),
             RC_BAD_INPUT);
    ck_text_eq(upgrade_detail(upgrade), "an extension nobody asked for");
}
END_TEST

START_TEST(upgrade_answer_without_end_is_too_big)
{
    const size_t len = (size_t)LINK_UPGRADE_BYTES_MAX;
    char *text = arena_alloc(arena, len);
    memset(text, 'x', len);
    ck_rc_eq(feed(slice_make(text, len - 1), SIZE_MAX), RC_AGAIN);
    ck_rc_eq(feed(SLICE("x"), SIZE_MAX), RC_TOO_BIG);
}
END_TEST

static Suite *upgrade_suite(void)
{
    Suite *suite = suite_create("websocket_upgrade");
    TCase *tcase = tcase_create("answers");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, upgrade_request_has_what_rfc_6455_asks_for);
    tcase_add_test(tcase, upgrade_fake_accept_is_that_of_the_rfc);
    tcase_add_test(tcase, upgrade_keys_of_two_requests_differ);
    tcase_add_test(tcase, upgrade_answer_in_pieces_of_any_size_is_accepted);
    tcase_add_test(tcase, upgrade_bytes_behind_the_answer_are_kept);
    tcase_add_test(tcase, upgrade_header_names_and_tokens_are_read_without_case);
    tcase_add_loop_test(tcase, upgrade_answer_that_does_not_upgrade_says_why, 0,
                        (int)(sizeof(bad_answers) / sizeof(bad_answers[0])));
    tcase_add_test(tcase, upgrade_extension_nobody_asked_for_is_refused);
    tcase_add_test(tcase, upgrade_answer_without_end_is_too_big);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(upgrade_suite());
}
