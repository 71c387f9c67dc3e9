#include "tests/unit/http_peer.h"
#include "tests/unit/slice_check.h"

#include <stdlib.h>
#include <string.h>

#define H "Host: a\r\n"
#define CHUNKED "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"

struct sample {
    struct slice text;
    int status;
};

// clang-format off
static const struct sample bad[] = {
    /* the request line */
    {SLICE_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400},
    {SLICE_INIT("\0\0\0\0"), 400},
    {SLICE_INIT("get / HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT(" GET / HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("\nGET / HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("HELLO / HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET\r\n\r\n"), 400},
    {SLICE_INIT("GET /\r\n\r\n"), 505},
    {SLICE_INIT("GET / HTTP\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET / HTTP/x.y\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1 more\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET / FTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET / HTTP/2.0\r\n" H "\r\n"), 505},
    {SLICE_INIT("GET / HTTP/0.9\r\n" H "\r\n"), 505},
    {SLICE_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400},
    {SLICE_INIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 400},
    /* the target */
    {SLICE_INIT("GET x HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("OPTIONS * HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("CONNECT a:443 HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET http://host HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET ftp://host/x HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET /a\tb HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET /a\x01 HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET /a\0b HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET /a#b HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET /a%zz HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET /a%4 HTTP/1.1\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET /a%00b HTTP/1.1\r\n" H "\r\n"), 400},
    /* lines and names */
    {SLICE_INIT("GET / HTTP/1.1\n" H "\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n X: a\r\n" H "\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X : a\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H ": a\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "nocolon\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X\xe9: a\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\x01\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H H "\r\n"), 400},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "Authorization: Bearer a\r\n"
                "Authorization: Bearer b\r\n\r\n"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Expect: a-miracle\r\n\r\n"), 417},
    /* lengths */
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: \r\n\r\n"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: x\r\n\r\n"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\na"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\na"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 1,1\r\n\r\na"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\na"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 1.0\r\n\r\na"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\na"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length : 1\r\n\r\na"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\n"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 33554433\r\n\r\n"), 413},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 18446744073709551614\r\n\r\n"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 999999999999999999\r\n\r\n"), 413},
    /* transfer encodings */
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                "0\r\n\r\n"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
                "0\r\n\r\n"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n"), 501},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n"), 501},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n"), 501},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Transfer-Encoding: \r\n\r\n"), 501},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
                "Transfer-Encoding: chunked\r\n\r\n"), 400},
    {SLICE_INIT("PUT / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"), 400},
    /* chunks */
    {SLICE_INIT(CHUNKED "x\r\n"), 400},
    {SLICE_INIT(CHUNKED "\r\n"), 400},
    {SLICE_INIT(CHUNKED ";a\r\n"), 400},
    {SLICE_INIT(CHUNKED "-1\r\na\r\n"), 400},
    {SLICE_INIT(CHUNKED "0x1\r\na\r\n"), 400},
    {SLICE_INIT(CHUNKED " 1\r\na\r\n"), 400},
    {SLICE_INIT(CHUNKED "1 \r\na\r\n"), 400},
    {SLICE_INIT(CHUNKED "1\na\r\n"), 400},
    {SLICE_INIT(CHUNKED "1;a\nb\r\na\r\n"), 400},
    {SLICE_INIT(CHUNKED "1\rXa\r\n"), 400},
    {SLICE_INIT(CHUNKED "1\r\nabc\r\n"), 400},
    {SLICE_INIT(CHUNKED "1\r\na\n0\r\n\r\n"), 400},
    {SLICE_INIT(CHUNKED "1\r\naXX0\r\n\r\n"), 400},
    {SLICE_INIT(CHUNKED "1\r\na\r\n0\r\n\rX"), 400},
    {SLICE_INIT(CHUNKED "0\r\nX: a\nY: b\r\n\r\n"), 400},
    {SLICE_INIT(CHUNKED "10000000000000000\r\na"), 400},
    {SLICE_INIT(CHUNKED "2000001\r\na"), 413},
};

static const struct sample odd[] = {
    {SLICE_INIT("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 200},
    {SLICE_INIT("GET / HTTP/1.1\r\nhOsT: \t a \t \r\n\r\n"), 200},
    {SLICE_INIT("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"), 200},
    {SLICE_INIT("GET / HTTP/1.9\r\n" H "\r\n"), 200},
    {SLICE_INIT("GET / HTTP/1.0\r\n\r\n"), 200},
    {SLICE_INIT("GET //a//?%zz HTTP/1.1\r\n" H "\r\n"), 200},
    {SLICE_INIT("GET /a:b@c(d)*e!'$&,;=~ HTTP/1.1\r\n" H "\r\n"), 200},
    {SLICE_INIT("GET /\"<>|{}^`\\[] HTTP/1.1\r\n" H "\r\n"), 200},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: \xc3\xa9\xff\r\nX:\r\n\r\n"), 200},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "Cookie: a=1\r\nCookie: b=2\r\n\r\n"), 200},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Content-Length: 0003\r\n\r\nabc"), 200},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"), 200},
    {SLICE_INIT("PUT / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n"), 200},
    {SLICE_INIT("MKCALENDAR / HTTP/1.1\r\n" H "\r\n"), 200},
    {SLICE_INIT(CHUNKED "000000000000001;x=\"\xff;\"\r\na\r\n0;y\r\nA: b\r\nC: d\r\n\r\n"), 200},
};
// clang-format on

static struct bed bed;

static void setup(void)
{
    bed_open(&bed, NULL);
}

static void teardown(void)
{
    bed_close(&bed);
}

START_TEST(bad_request_is_refused_and_ends_the_connection)
{
    const struct sample *sample = &bad[_i];
    struct peer peer;

    peer_open(&peer, &bed);
    (void)peer_send_bytes(&peer, sample->text.ptr, sample->text.len);
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_status(&peer), sample->status);
    ck_assert(peer_has(&peer, "Connection: close\r\n"));
    ck_assert_int_eq(peer_count(&peer, "HTTP/1.1"), 1);
    ck_assert_int_eq(bed.requests, 0);
    peer_close(&peer);
    UNTIL(&bed, http_server_is_idle(bed.server));
}
END_TEST

START_TEST(bad_request_cut_in_pieces_is_refused_the_same)
{
    const struct sample *sample = &bad[_i];
    struct peer peer;

    peer_open(&peer, &bed);
    for (size_t i = 0; i < sample->text.len; i++) {
        if (!peer_send_bytes(&peer, sample->text.ptr + i, 1)) {
            break;
        }
        (void)ev_run(bed.loop, EVRUN_NOWAIT);
        (void)ev_run(bed.loop, EVRUN_NOWAIT);
    }
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_status(&peer), sample->status);
    ck_assert_int_eq(bed.requests, 0);
    peer_close(&peer);
}
END_TEST

START_TEST(odd_but_good_request_is_answered)
{
    const struct sample *sample = &odd[_i];
    struct peer peer;

    peer_open(&peer, &bed);
    ck_assert(peer_send_bytes(&peer, sample->text.ptr, sample->text.len));
    UNTIL(&bed, bed.requests == 1 && peer.got_len > 0);
    ck_assert(peer_has(&peer, "HTTP/1.1 200 OK"));
    peer_close(&peer);
}
END_TEST

/* "X: aaa..." with that many bytes in all. */
static char *request_of(size_t bytes)
{
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    char *text = malloc(bytes + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'a', bytes);
    memcpy(text, start, sizeof(start) - 1);
    memcpy(text + bytes - 4, "\r\n\r\n", 5);
    return text;
}

START_TEST(head_up_to_the_limit_is_taken_and_one_byte_more_is_431)
{
    struct peer peer;
    char *text = request_of(65536);

    peer_open(&peer, &bed);
    ck_assert(peer_send(&peer, text));
    UNTIL(&bed, bed.requests == 1);
    free(text);
    text = request_of(65537);
    (void)peer_send(&peer, text);
    UNTIL(&bed, peer.is_closed);
    ck_assert(peer_has(&peer, "HTTP/1.1 431 "));
    ck_assert_int_eq(bed.requests, 1);
    free(text);
    peer_close(&peer);
}
END_TEST

START_TEST(head_without_end_is_431)
{
    struct peer peer;
    char *text = request_of(200000);

    text[199996] = 'a';
    peer_open(&peer, &bed);
    (void)peer_send_bytes(&peer, text, 199997);
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_status(&peer), 431);
    free(text);
    peer_close(&peer);
}
END_TEST

START_TEST(hundred_headers_are_taken_and_one_more_is_431)
{
    struct peer peer;

    peer_open(&peer, &bed);
    for (int count = 100; count <= 101; count++) {
        peer_send(&peer, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (int i = 1; i < count; i++) {
            (void)peer_send(&peer, "X: y\r\n");
        }
        (void)peer_send(&peer, "\r\n");
    }
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(bed.requests, 1);
    ck_assert(peer_has(&peer, "HTTP/1.1 431 "));
    peer_close(&peer);
}
END_TEST

START_TEST(trailers_without_end_are_431)
{
    struct peer peer;
    char *text = request_of(70000);

    memcpy(text, "X: ", 3);
    peer_open(&peer, &bed);
    peer_send(&peer, CHUNKED "0\r\n");
    (void)peer_send(&peer, text + 3);
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_status(&peer), 431);
    ck_assert_int_eq(bed.requests, 0);
    free(text);
    peer_close(&peer);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("http_bad");
    TCase *tcase = tcase_create("requests");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, bad_request_is_refused_and_ends_the_connection, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(tcase, bad_request_cut_in_pieces_is_refused_the_same, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(tcase, odd_but_good_request_is_answered, 0, sizeof(odd) / sizeof(odd[0]));
    tcase_add_test(tcase, head_up_to_the_limit_is_taken_and_one_byte_more_is_431);
    tcase_add_test(tcase, head_without_end_is_431);
    tcase_add_test(tcase, hundred_headers_are_taken_and_one_more_is_431);
    tcase_add_test(tcase, trailers_without_end_are_431);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
