#include "tests/unit/http_peer.h"
#include "tests/unit/slice_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct bed bed;
static struct peer peer;

static void setup(void)
{
    bed_open(&bed, NULL);
    peer_open(&peer, &bed);
}

static void teardown(void)
{
    peer_close(&peer);
    bed_close(&bed);
}

START_TEST(get_is_answered_and_the_connection_kept)
{
    peer_send(&peer, "GET /users/%40a:b?access_token=x HTTP/1.1\r\nHost: a\r\n"
                     "authorization: Bearer t \r\n\r\n");
    UNTIL(&bed, peer_has(&peer, "GET /users/%40a:b 0"));
    ck_assert(slice_starts_with(slice_from_cstr(peer.got),
                                SLICE("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                      "Content-Length: 19\r\n\r\n")));
    ck_assert_str_eq(bed.query, "access_token=x");
    ck_assert_str_eq(bed.authorization, "Bearer t");
    ck_assert_str_eq(bed.remote, "127.0.0.1");
    peer_send(&peer, "GET /again HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, peer_has(&peer, "GET /again 0"));
    ck_assert(!peer.is_closed);
}
END_TEST

START_TEST(body_with_length_arrives)
{
    peer_send(&peer, "PUT /t HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello");
    UNTIL(&bed, bed.heads == 1);
    peer_send(&peer, " world");
    UNTIL(&bed, peer_has(&peer, "PUT /t 11"));
    ck_assert_str_eq(bed.body, "hello world");
}
END_TEST

START_TEST(everything_may_come_byte_by_byte)
{
    static const char text[] =
        "\r\nPOST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;a=\"b\"\r\nhello\r\n06\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
        "PUT /y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";

    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        ck_assert(peer_send_bytes(&peer, text + i, 1));
        for (int turn = 0; turn < 3; turn++) {
            (void)ev_run(bed.loop, EVRUN_NOWAIT);
        }
    }
    UNTIL(&bed, peer_has(&peer, "PUT /y 3"));
    ck_assert(peer_has(&peer, "POST /x 11"));
    ck_assert_str_eq(bed.body, "abc");
    ck_assert_int_eq(bed.requests, 2);
}
END_TEST

START_TEST(chunks_may_be_cut_anywhere)
{
    static const char text[] = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                               "1\r\na\r\nA\r\n0123456789\r\n000b\r\nhello\r\nworl\r\n0\r\n\r\n";

    for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
        ck_assert(peer_send_bytes(&peer, text, cut));
        for (int turn = 0; turn < 3; turn++) {
            (void)ev_run(bed.loop, EVRUN_NOWAIT);
        }
        ck_assert(peer_send_bytes(&peer, text + cut, sizeof(text) - 1 - cut));
        UNTIL(&bed, bed.requests == (int)cut);
        ck_assert_str_eq(bed.body, "a0123456789hello\r\nworl");
    }
}
END_TEST

START_TEST(hundred_pipelined_requests_are_answered_in_order)
{
    char text[16384] = "";
    char wanted[64];
    const char *at;

    for (int i = 0; i < 100; i++) {
        size_t len = strlen(text);

        (void)snprintf(text + len, sizeof(text) - len,
                       "POST /n%03d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", i);
    }
    peer_send(&peer, text);
    UNTIL(&bed, peer_has(&peer, "POST /n099 2"));
    at = peer.got;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(wanted, sizeof(wanted), "POST /n%03d 2", i);
        at = strstr(at, wanted);
        ck_assert_ptr_nonnull(at);
    }
    ck_assert_int_eq(peer_count(&peer, "HTTP/1.1 200 OK"), 100);
}
END_TEST

START_TEST(pipelined_requests_wait_for_a_late_answer)
{
    bed.is_late = true;
    peer_send(&peer, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    peer_send(&peer, "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        UNTIL(&bed, bed.requests == i + 1);
        for (int turn = 0; turn < 20; turn++) {
            (void)ev_run(bed.loop, EVRUN_NOWAIT);
        }
        ck_assert_int_eq(bed.requests, i + 1);
        bed_answer(&bed, bed.ids[i]);
    }
    UNTIL(&bed, peer_count(&peer, "200 OK") == 3);
    ck_assert_int_eq(bed.gone, 0);
}
END_TEST

START_TEST(reading_stops_while_a_request_is_answered)
{
    char *flood = calloc(1, 65536);
    size_t sent = 0;
    ssize_t n = 0;

    ck_assert_ptr_nonnull(flood);
    memset(flood, 'x', 65536);
    bed.is_late = true;
    peer_send(&peer, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    /* buffers of the kernel fill up and nobody empties them */
    for (int quiet = 0; quiet < 50;) {
        n = send(peer.fd, flood, 65536, MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        quiet = n > 0 ? 0 : quiet + 1;
        (void)ev_run(bed.loop, EVRUN_NOWAIT);
        ck_assert_uint_lt(sent, 64U * 1024 * 1024);
    }
    free(flood);
}
END_TEST

START_TEST(answer_twice_or_to_an_unknown_id_is_ignored)
{
    bed.is_late = true;
    peer_send(&peer, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    bed_answer(&bed, bed.ids[0] + 65536);
    bed_answer(&bed, 0);
    bed_answer(&bed, UINT64_MAX);
    bed_answer(&bed, bed.ids[0]);
    bed_answer(&bed, bed.ids[0]);
    peer_send(&peer, "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 2);
    bed_answer(&bed, bed.ids[0]);
    bed_answer(&bed, bed.ids[1]);
    UNTIL(&bed, peer_has(&peer, "GET /2 0"));
    ck_assert_int_eq(peer_count(&peer, "200 OK"), 2);
}
END_TEST

START_TEST(head_gets_the_length_without_the_body)
{
    peer_send(&peer, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, peer_has(&peer, "GET /y 0"));
    ck_assert(peer_has(&peer, "Content-Length: 9\r\n\r\nHTTP/1.1 200 OK"));
    ck_assert(!peer_has(&peer, "HEAD /x 0"));
}
END_TEST

START_TEST(http_1_0_closes_unless_asked_to_keep)
{
    peer_send(&peer, "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    UNTIL(&bed, peer_has(&peer, "GET /x 0"));
    ck_assert(peer_has(&peer, "Connection: keep-alive\r\n"));
    peer_send(&peer, "GET /y HTTP/1.0\r\n\r\n");
    UNTIL(&bed, peer.is_closed);
    ck_assert(peer_has(&peer, "Connection: close\r\n"));
    ck_assert(peer_has(&peer, "GET /y 0"));
}
END_TEST

START_TEST(connection_close_is_obeyed)
{
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                     "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, peer.is_closed);
    ck_assert(peer_has(&peer, "Connection: close\r\n"));
    ck_assert(!peer_has(&peer, "/never"));
    ck_assert_int_eq(bed.requests, 1);
}
END_TEST

START_TEST(expect_continue_is_answered_before_the_body)
{
    peer_send(&peer, "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                     "Content-Length: 2\r\n\r\n");
    UNTIL(&bed, peer_has(&peer, "HTTP/1.1 100 Continue\r\n\r\n"));
    ck_assert_int_eq(bed.requests, 0);
    peer_send(&peer, "hi");
    UNTIL(&bed, peer_has(&peer, "PUT /x 2"));
    peer_send(&peer, "PUT /small HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                     "Content-Length: 11\r\n\r\n");
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_count(&peer, "100 Continue"), 1);
    ck_assert(peer_has(&peer, "413 Payload Too Large"));
}
END_TEST

START_TEST(refusal_comes_before_the_body)
{
    peer_send(&peer,
              "PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\nonly this");
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_status(&peer), 403);
    ck_assert(peer_has(&peer, "Connection: close\r\n"));
    ck_assert(peer_has(&peer, "\r\n\r\n{\"errcode\":\"M_FORBIDDEN\"}"));
    ck_assert_int_eq(bed.requests, 0);
}
END_TEST

START_TEST(refusal_reaches_a_peer_that_sends_on)
{
    char *flood = calloc(1, 65536);

    ck_assert_ptr_nonnull(flood);
    peer_send(&peer, "PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
    peer_send_bytes(&peer, flood, 65536);
    peer_send_bytes(&peer, flood, 65536);
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_status(&peer), 403);
    free(flood);
}
END_TEST

START_TEST(body_over_the_limit_of_the_request_is_413)
{
    peer_send(&peer, "PUT /small HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
    UNTIL(&bed, peer_has(&peer, "PUT /small 10"));
    peer_send(&peer, "PUT /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "5\r\n01234\r\n6\r\n012345\r\n0\r\n\r\n");
    UNTIL(&bed, peer.is_closed);
    ck_assert(peer_has(&peer, "413 Payload Too Large"));
    ck_assert_int_eq(bed.requests, 1);
}
END_TEST

START_TEST(large_body_arrives_whole)
{
    size_t len = 20U * 1024 * 1024;
    char *body = malloc(len);
    char head[128];

    ck_assert_ptr_nonnull(body);
    for (size_t i = 0; i < len; i++) {
        body[i] = (char)(i * 7 + i / 4096);
    }
    (void)snprintf(head, sizeof(head), "PUT /t HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                   len);
    peer_send(&peer, head);
    ck_assert(peer_send_bytes(&peer, body, len));
    UNTIL(&bed, peer_has(&peer, "PUT /t 20971520"));
    ck_assert_mem_eq(bed.body, body, len);
    free(body);
}
END_TEST

START_TEST(large_answer_waits_for_a_slow_reader)
{
    size_t len = 16U * 1024 * 1024;
    char *body = malloc(len);

    ck_assert_ptr_nonnull(body);
    memset(body, 'b', len);
    bed.answer_body = slice_make(body, len);
    peer_deaf(&peer, true);
    peer_send(&peer, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    for (int turn = 0; turn < 20; turn++) {
        (void)ev_run(bed.loop, EVRUN_NOWAIT);
    }
    ck_assert_int_eq(bed.requests, 1); /* one answer in memory, not two */
    peer_deaf(&peer, false);
    UNTIL(&bed, peer_count(&peer, "200 OK") == 2 && peer.got_len > 2 * len);
    free(body);
}
END_TEST

START_TEST(half_closed_peer_still_gets_its_answers)
{
    bed.is_late = true;
    peer_send(&peer, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    (void)shutdown(peer.fd, SHUT_WR);
    UNTIL(&bed, bed.requests == 1 && bed.gone == 1);
    bed_answer(&bed, bed.ids[0]);
    UNTIL(&bed, bed.requests == 2);
    bed_answer(&bed, bed.ids[1]);
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_count(&peer, "200 OK"), 2);
    UNTIL(&bed, http_server_is_idle(bed.server));
}
END_TEST

static void reset_on_close(void)
{
    const struct linger hard = {1, 0};

    (void)setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    ev_io_stop(bed.loop, &peer.io);
    (void)close(peer.fd);
    peer.fd = -1;
}

START_TEST(peer_lost_before_the_answer_is_told)
{
    bed.is_late = true;
    peer_send(&peer, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    reset_on_close();
    UNTIL(&bed, bed.gone == 1 && http_server_is_idle(bed.server));
    bed_answer(&bed, bed.ids[0]);
}
END_TEST

START_TEST(peer_lost_inside_its_request_is_forgotten)
{
    peer_send(&peer, "PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\npart");
    UNTIL(&bed, bed.heads == 1);
    reset_on_close();
    UNTIL(&bed, http_server_is_idle(bed.server));
    ck_assert_int_eq(bed.requests, 0);
    ck_assert_int_eq(bed.gone, 0);
}
END_TEST

START_TEST(peer_lost_inside_the_answer_is_forgotten)
{
    size_t len = 16U * 1024 * 1024;
    char *body = calloc(1, len);

    ck_assert_ptr_nonnull(body);
    bed.answer_body = slice_make(body, len);
    peer_deaf(&peer, true);
    peer_send(&peer, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    reset_on_close();
    UNTIL(&bed, http_server_is_idle(bed.server));
    free(body);
}
END_TEST

START_TEST(drain_answers_what_is_in_flight)
{
    struct peer quiet;
    struct peer sending;

    peer_open(&quiet, &bed);
    peer_open(&sending, &bed);
    bed.is_late = true;
    peer_send(&peer, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    peer_send(&sending, "PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh");
    UNTIL(&bed, bed.heads == 2 && http_server_stats(bed.server).connections == 3);
    http_server_drain(bed.server);
    UNTIL(&bed, quiet.is_closed);
    ck_assert(!http_server_is_idle(bed.server));
    bed_answer(&bed, bed.ids[0]);
    UNTIL(&bed, peer.is_closed && peer_has(&peer, "Connection: close"));
    peer_send(&sending, "i");
    UNTIL(&bed, bed.requests == 2);
    bed_answer(&bed, bed.ids[1]);
    UNTIL(&bed, sending.is_closed);
    ck_assert(peer_has(&sending, "PUT /2 2"));
    peer_close(&quiet);
    peer_close(&sending);
    (void)shutdown(peer.fd, SHUT_RDWR);
    UNTIL(&bed, http_server_is_idle(bed.server));
    ck_assert(!peer_try(&bed));
}
END_TEST

START_TEST(absolute_target_is_taken_apart)
{
    peer_send(&peer, "GET HTTP://example.org:1/a/b?c=d?e HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    ck_assert_str_eq(bed.path, "/a/b");
    ck_assert_str_eq(bed.query, "c=d?e");
}
END_TEST

START_TEST(upgrade_is_passed_over)
{
    peer_send(&peer,
              "GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
              "PUT /y HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
              "Content-Length: 2\r\n\r\nhi");
    UNTIL(&bed, peer_has(&peer, "PUT /y 2"));
    ck_assert_int_eq(bed.requests, 2);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("http");
    TCase *tcase = tcase_create("listener");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, get_is_answered_and_the_connection_kept);
    tcase_add_test(tcase, body_with_length_arrives);
    tcase_add_test(tcase, everything_may_come_byte_by_byte);
    tcase_add_test(tcase, chunks_may_be_cut_anywhere);
    tcase_add_test(tcase, hundred_pipelined_requests_are_answered_in_order);
    tcase_add_test(tcase, pipelined_requests_wait_for_a_late_answer);
    tcase_add_test(tcase, reading_stops_while_a_request_is_answered);
    tcase_add_test(tcase, answer_twice_or_to_an_unknown_id_is_ignored);
    tcase_add_test(tcase, head_gets_the_length_without_the_body);
    tcase_add_test(tcase, http_1_0_closes_unless_asked_to_keep);
    tcase_add_test(tcase, connection_close_is_obeyed);
    tcase_add_test(tcase, expect_continue_is_answered_before_the_body);
    tcase_add_test(tcase, refusal_comes_before_the_body);
    tcase_add_test(tcase, refusal_reaches_a_peer_that_sends_on);
    tcase_add_test(tcase, body_over_the_limit_of_the_request_is_413);
    tcase_add_test(tcase, large_body_arrives_whole);
    tcase_add_test(tcase, large_answer_waits_for_a_slow_reader);
    tcase_add_test(tcase, half_closed_peer_still_gets_its_answers);
    tcase_add_test(tcase, peer_lost_before_the_answer_is_told);
    tcase_add_test(tcase, peer_lost_inside_its_request_is_forgotten);
    tcase_add_test(tcase, peer_lost_inside_the_answer_is_forgotten);
    tcase_add_test(tcase, drain_answers_what_is_in_flight);
    tcase_add_test(tcase, absolute_target_is_taken_apart);
    tcase_add_test(tcase, upgrade_is_passed_over);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
