#include "tests/unit/http_peer.h"
#include "tests/unit/slice_check.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct bed bed;
static struct peer peer;

static void setup(struct http_limits limits)
{
    struct http_server_options options = {.limits = limits};

    bed_open(&bed, &options);
    peer_open(&peer, &bed);
}

static void teardown(void)
{
    peer_close(&peer);
    bed_close(&bed);
}

START_TEST(slow_head_is_408)
{
    setup((struct http_limits){.header_ms = 50});
    peer_send(&peer, "GET / HTTP/1.1\r\nHos");
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_status(&peer), 408);
    ck_assert(peer_has(&peer, "Connection: close\r\n"));
    teardown();
}
END_TEST

START_TEST(dripping_head_is_408)
{
    setup((struct http_limits){.header_ms = 50});
    peer_send(&peer, "GET / HTTP/1.1\r\nX: ");
    while (!peer.is_closed) {
        (void)peer_send(&peer, "y"); /* each byte in time, the head never */
        bed_turn(&bed);
    }
    ck_assert_int_eq(peer_status(&peer), 408);
    teardown();
}
END_TEST

START_TEST(slow_body_is_408)
{
    setup((struct http_limits){.body_ms = 50});
    peer_send(&peer, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_status(&peer), 408);
    ck_assert_int_eq(bed.requests, 0);
    teardown();
}
END_TEST

START_TEST(dripping_body_is_408)
{
    setup((struct http_limits){.body_ms = 50});
    peer_send(&peer, "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (!peer.is_closed) {
        (void)peer_send(&peer, "1\r\na\r\n");
        bed_turn(&bed);
        bed_turn(&bed);
        bed_turn(&bed);
    }
    ck_assert_int_eq(peer_status(&peer), 408);
    teardown();
}
END_TEST

START_TEST(connection_without_request_ends_silently)
{
    setup((struct http_limits){.header_ms = 50});
    UNTIL(&bed, peer.is_closed);
    ck_assert_uint_eq(peer.got_len, 0);
    teardown();
}
END_TEST

START_TEST(idle_connection_ends_silently_after_its_answer)
{
    setup((struct http_limits){.idle_ms = 50});
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_count(&peer, "HTTP/1.1"), 1);
    ck_assert(!peer_has(&peer, "Connection: close"));
    teardown();
}
END_TEST

START_TEST(waiting_for_the_handler_has_no_deadline)
{
    setup((struct http_limits){.header_ms = 20, .body_ms = 20, .idle_ms = 20, .write_ms = 20});
    bed.is_late = true;
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    for (double end = ev_now(bed.loop) + 0.2; ev_now(bed.loop) < end;) {
        bed_turn(&bed);
        ck_assert(!peer.is_closed);
    }
    bed_answer(&bed, bed.ids[0]);
    UNTIL(&bed, peer_has(&peer, "200 OK"));
    teardown();
}
END_TEST

START_TEST(peer_that_never_reads_is_dropped)
{
    size_t len = 16U * 1024 * 1024;
    char *body = calloc(1, len);

    ck_assert_ptr_nonnull(body);
    setup((struct http_limits){.write_ms = 50});
    bed.answer_body = slice_make(body, len);
    peer_deaf(&peer, true);
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    UNTIL(&bed, http_server_is_idle(bed.server));
    teardown();
    free(body);
}
END_TEST

START_TEST(refused_peer_that_never_closes_is_dropped)
{
    setup((struct http_limits){.linger_ms = 50});
    peer_send(&peer, "PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(peer_status(&peer), 403);
    UNTIL(&bed, http_server_is_idle(bed.server));
    teardown();
}
END_TEST

START_TEST(refused_flood_is_read_only_a_little)
{
    static char flood[65536];
    size_t sent = 0;
    bool is_over = false;

    setup((struct http_limits){.linger_ms = 1000});
    peer_send(&peer, "PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n");
    while (!is_over) {
        ssize_t n = send(peer.fd, flood, sizeof(flood), MSG_NOSIGNAL | MSG_DONTWAIT);

        sent += n > 0 ? (size_t)n : 0;
        bed_turn(&bed);
        is_over = http_server_is_idle(bed.server);
    }
    ck_assert_uint_lt(sent, 28000000);
    ck_assert_int_eq(peer_status(&peer), 403);
    teardown();
}
END_TEST

START_TEST(longest_idle_connection_makes_room)
{
    struct peer second;
    struct peer third;

    setup((struct http_limits){.connections_max = 2});
    peer_open(&second, &bed);
    UNTIL(&bed, http_server_stats(bed.server).connections == 2);
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"); /* now the second is the older */
    UNTIL(&bed, peer_has(&peer, "200 OK"));
    peer_open(&third, &bed);
    UNTIL(&bed, second.is_closed);
    peer_send(&third, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, peer_has(&third, "200 OK"));
    ck_assert(!peer.is_closed);
    peer_close(&second);
    peer_close(&third);
    teardown();
}
END_TEST

START_TEST(slow_peers_do_not_keep_others_out)
{
    static const char *const starts[] = {
        "GET /x HTTP/1.1\r\nHo",
        "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
        "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET",
    };
    struct peer slow[4];
    struct peer next[4];

    setup((struct http_limits){.connections_max = 5});
    bed.is_late = true;
    peer_send(&peer, "GET /kept HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    bed.is_late = false;
    for (int i = 0; i < 4; i++) {
        peer_open(&slow[i], &bed);
        peer_send(&slow[i], starts[i]);
    }
    UNTIL(&bed, bed.heads == 4 && http_server_stats(bed.server).connections == 5);
    bed.is_late = true;
    for (int i = 0; i < 4; i++) {
        peer_open(&next[i], &bed);
        peer_send(&next[i], "GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
        UNTIL(&bed, bed.requests == 4 + i);
    }
    for (int i = 0; i < 4; i++) {
        UNTIL(&bed, slow[i].is_closed);
        bed_answer(&bed, bed.ids[3 + i]);
        UNTIL(&bed, peer_has(&next[i], "200 OK"));
        peer_close(&slow[i]);
        peer_close(&next[i]);
    }
    bed_answer(&bed, bed.ids[0]);
    UNTIL(&bed, peer_has(&peer, "200 OK"));
    teardown();
}
END_TEST

START_TEST(connection_over_the_limit_is_503)
{
    struct peer second;
    struct peer third;

    setup((struct http_limits){.connections_max = 1});
    bed.is_late = true;
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    peer_open(&second, &bed);
    UNTIL(&bed, second.is_closed);
    ck_assert_int_eq(peer_status(&second), 503);
    bed_answer(&bed, bed.ids[0]);
    UNTIL(&bed, peer_has(&peer, "200 OK"));
    peer_open(&third, &bed);
    bed.is_late = false;
    peer_send(&third, "GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, peer_has(&third, "200 OK"));
    ck_assert_uint_eq(http_server_stats(bed.server).overloads, 2);
    peer_close(&second);
    peer_close(&third);
    teardown();
}
END_TEST

/* The lowest limit at which nothing more can be opened. */
static void use_up_descriptors(void)
{
    struct rlimit limit;
    int probe = dup(0);

    ck_assert_int_ge(probe, 0);
    (void)close(probe);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = (rlim_t)probe;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_lt(dup(0), 0);
}

static void allow_descriptors(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 1024 ? limit.rlim_max : 1024;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(no_descriptor_left_pauses_accepting_and_recovers)
{
    struct peer second;
    struct peer third;

    setup((struct http_limits){.accept_pause_ms = 20});
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, peer_has(&peer, "200 OK"));
    peer_open(&second, &bed); /* in the backlog, not yet accepted */
    use_up_descriptors();
    UNTIL(&bed, second.is_closed);
    ck_assert_uint_ge(http_server_stats(bed.server).overloads, 1);
    peer_send(&peer, "GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, peer_has(&peer, "GET /y 0"));
    allow_descriptors();
    peer_open(&third, &bed);
    peer_send(&third, "GET /z HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, peer_has(&third, "GET /z 0"));
    peer_close(&second);
    peer_close(&third);
    teardown();
}
END_TEST

START_TEST(many_connections_live_side_by_side)
{
    static struct peer peers[200];

    setup((struct http_limits){0});
    for (int i = 0; i < 200; i++) {
        peer_open(&peers[i], &bed);
        peer_send(&peers[i], "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
    }
    UNTIL(&bed, bed.heads == 200);
    for (int i = 199; i >= 0; i--) {
        peer_send(&peers[i], "cd");
    }
    UNTIL(&bed, bed.requests == 200);
    for (int i = 0; i < 200; i++) {
        UNTIL(&bed, peer_has(&peers[i], "PUT /x 4"));
        peer_close(&peers[i]);
    }
    UNTIL(&bed, http_server_stats(bed.server).connections == 1);
    teardown();
}
END_TEST

START_TEST(close_with_requests_everywhere_leaks_nothing)
{
    struct peer second;
    struct peer third;

    setup((struct http_limits){0});
    bed.is_late = true;
    peer_open(&second, &bed);
    peer_open(&third, &bed);
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\n");
    peer_send(&second, "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab");
    peer_send(&third, "PUT /x HTTP/1.1\r\nHost:");
    UNTIL(&bed, bed.heads == 2 && http_server_stats(bed.server).connections == 3);
    peer_close(&second);
    peer_close(&third);
    teardown();
    ck_assert_int_eq(bed.gone, 0);
}
END_TEST

static enum rc try_open(struct slice address, int port, const char *certificate, const char *key)
{
    struct http_server_options options = bed.options;
    struct http_server *server = NULL;
    enum rc rc;

    options.bind = address;
    options.port = port;
    options.tls_certificate = certificate;
    options.tls_key = key;
    rc = http_server_open(&options, &server);
    if (rc == RC_OK) {
        ck_assert_int_gt(http_server_port(server), 0);
        http_server_close(server);
    }
    return rc;
}

START_TEST(open_tells_what_is_wrong)
{
    setup((struct http_limits){0});
    ck_assert_int_eq(try_open(SLICE("127.0.0.1"), http_server_port(bed.server), NULL, NULL),
                     RC_BUSY);
    ck_assert_int_eq(try_open(SLICE("example.org"), 0, NULL, NULL), RC_BAD_INPUT);
    ck_assert_int_eq(try_open(SLICE("300.1.1.1"), 0, NULL, NULL), RC_BAD_INPUT);
    ck_assert_int_eq(try_open(SLICE("192.0.2.1"), 0, NULL, NULL), RC_BAD_INPUT);
    ck_assert_int_eq(try_open(SLICE("127.0.0.1"), 65536, NULL, NULL), RC_BAD_INPUT);
    ck_assert_int_eq(try_open(SLICE("127.0.0.1"), -1, NULL, NULL), RC_BAD_INPUT);
    ck_assert_int_eq(try_open(SLICE("127.0.0.1"), 0, "/nonexistent", ""), RC_BAD_INPUT);
    ck_assert_int_eq(try_open(SLICE("127.0.0.1"), 0, "/nonexistent", "/nonexistent"), RC_BAD_INPUT);
    ck_assert_int_eq(try_open(SLICE("localhost"), 0, "", ""), RC_OK);
    ck_assert_int_eq(try_open(SLICE("0.0.0.0"), 0, NULL, NULL), RC_OK);
    teardown();
}
END_TEST

/* True if this machine has an IPv6 loopback. */
static bool has_ipv6(void)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                         .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return has;
}

START_TEST(ipv6_listener_serves_both_families)
{
    struct http_server_options options = {.bind = SLICE_INIT("[::]")};

    if (!has_ipv6()) {
        setup((struct http_limits){0});
        ck_assert_int_ne(try_open(SLICE("::1"), 0, NULL, NULL), RC_OK);
        teardown();
        return;
    }
    bed_open(&bed, &options);
    peer_open(&peer, &bed);
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    ck_assert_str_eq(bed.remote, "127.0.0.1");
    peer_close(&peer);
    peer_open_ipv6(&peer, &bed);
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 2);
    ck_assert_str_eq(bed.remote, "::1");
    teardown();
}
END_TEST

START_TEST(drain_ends_what_comes_to_rest_later)
{
    size_t len = 16U * 1024 * 1024;
    char *body = calloc(1, len);

    ck_assert_ptr_nonnull(body);
    setup((struct http_limits){0});
    bed.answer_body = slice_make(body, len);
    peer_deaf(&peer, true);
    peer_send(&peer, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, bed.requests == 1);
    http_server_drain(bed.server); /* too late for "Connection: close" */
    ck_assert(!http_server_is_idle(bed.server));
    peer_deaf(&peer, false);
    UNTIL(&bed, peer.is_closed && http_server_is_idle(bed.server));
    ck_assert_uint_gt(peer.got_len, len);
    teardown();
    free(body);
}
END_TEST

START_TEST(stalled_loop_does_not_punish_the_peer)
{
    setup((struct http_limits){.header_ms = 20, .body_ms = 20, .idle_ms = 20});
    UNTIL(&bed, http_server_stats(bed.server).connections == 1);
    peer_send(&peer, "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    for (double end = ev_time() + 0.06; ev_time() < end;) {
        /* the loop is held up for longer than any deadline */
    }
    UNTIL(&bed, peer_has(&peer, "PUT /x 2"));
    teardown();
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("http_limits");
    TCase *tcase = tcase_create("limits");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, slow_head_is_408);
    tcase_add_test(tcase, dripping_head_is_408);
    tcase_add_test(tcase, slow_body_is_408);
    tcase_add_test(tcase, dripping_body_is_408);
    tcase_add_test(tcase, connection_without_request_ends_silently);
    tcase_add_test(tcase, idle_connection_ends_silently_after_its_answer);
    tcase_add_test(tcase, waiting_for_the_handler_has_no_deadline);
    tcase_add_test(tcase, peer_that_never_reads_is_dropped);
    tcase_add_test(tcase, refused_peer_that_never_closes_is_dropped);
    tcase_add_test(tcase, refused_flood_is_read_only_a_little);
    tcase_add_test(tcase, longest_idle_connection_makes_room);
    tcase_add_test(tcase, slow_peers_do_not_keep_others_out);
    tcase_add_test(tcase, connection_over_the_limit_is_503);
    tcase_add_test(tcase, no_descriptor_left_pauses_accepting_and_recovers);
    tcase_add_test(tcase, many_connections_live_side_by_side);
    tcase_add_test(tcase, close_with_requests_everywhere_leaks_nothing);
    tcase_add_test(tcase, open_tells_what_is_wrong);
    tcase_add_test(tcase, ipv6_listener_serves_both_families);
    tcase_add_test(tcase, drain_ends_what_comes_to_rest_later);
    tcase_add_test(tcase, stalled_loop_does_not_punish_the_peer);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
