#include "runtime/links.h"

#include "runtime/base/limits.h"
#include "runtime/links_url.h"
#include "tests/unit/slice_check.h"
#include "tests/unit/websocket_fake.h"

#include <sys/socket.h>
#include <unistd.h>

static const struct {
    const char *url;
    const char *base;
    const char *host;
    const char *target;
} good_urls[] = {
    {"wss://ws.gitter.im/bayeux", "https://ws.gitter.im/bayeux", "ws.gitter.im", "/bayeux"},
    {"ws://localhost:5000/bayeux", "http://localhost:5000/bayeux", "localhost:5000", "/bayeux"},
    {"https://[::1]:8443/faye?a=b&c", "https://[::1]:8443/faye?a=b&c", "[::1]:8443", "/faye?a=b&c"},
    {"WS://gitter.test:80", "http://gitter.test:80/", "gitter.test", "/"},
    {"http://gitter.test:443/x/", "http://gitter.test:443/x/", "gitter.test:443", "/x/"},
};

START_TEST(links_url_gives_base_host_and_target)
{
    struct links_url url;
    ck_rc_eq(links_url_parse(slice_from_cstr(good_urls[_i].url), &url), RC_OK);
    ck_assert_str_eq(url.base, good_urls[_i].base);
    ck_assert_str_eq(url.host, good_urls[_i].host);
    ck_assert_str_eq(url.target, good_urls[_i].target);
    links_url_clear(&url);
}
END_TEST

static const char *const bad_urls[] = {
    "", "gitter.im", "ftp://gitter.im/bayeux", "ws://", "wss://u:p@gitter.im/bayeux", "ws:// /"};

START_TEST(links_open_refuses_what_is_no_faye_url)
{
    struct links *links = NULL;
    const struct links_options options = {.faye_url = slice_from_cstr(bad_urls[_i])};
    ck_rc_eq(links_open(&options, &links), RC_BAD_INPUT);
    ck_assert_ptr_null(links);
}
END_TEST

static void ignore_down(
    void *context, struct link_id id, enum link_end why, struct slice detail, int64_t retry_ms)
{
    (void)context;
    (void)id;
    (void)detail;
    (void)retry_ms;
    ck_assert_int_eq(why, LINK_END_STOPPED);
}

static void start(struct links *links, struct slice owner)
{
    (void)links_start(links, owner, SLICE("token"));
}

/* A listener that accepts and says nothing, so that TLS never gets anywhere. */
static int silent_fds[2 * LINK_STARTS_MAX];
static size_t silent_count;

static void silent_accept(struct ev_loop *of, ev_io *io, int events)
{
    (void)of;
    (void)events;
    ck_assert_uint_lt(silent_count, sizeof(silent_fds) / sizeof(silent_fds[0]));
    silent_fds[silent_count++] = accept(io->fd, NULL, NULL);
}

static bool has_all_starts(void *context)
{
    return silent_count == *(const size_t *)context;
}

START_TEST(links_starts_under_way_are_bounded_and_the_others_wait)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct arena *arena = arena_open(4096);
    struct links *links = NULL;
    struct fake_server server;
    ev_io io;
    fake_open(&server, loop);
    ev_io_stop(loop, &server.io);
    ev_io_init(&io, silent_accept, server.fd, EV_READ);
    ev_io_start(loop, &io);
    silent_count = 0;
    const struct links_options options = {
        .loop = loop,
        .faye_url = arena_printf(arena, "wss://127.0.0.1:%d/bayeux", server.port),
        .ca_file = SLICE("tests/faye/cert.pem"),
        .connect_ms = 3600 * 1000,
        .events = {.on_down = ignore_down},
    };
    ck_rc_eq(links_open(&options, &links), RC_OK);
    for (int i = 0; i < LINK_STARTS_MAX + 5; i++) {
        start(links, arena_printf(arena, "@owner%02d:example.org", i));
    }
    size_t count = LINK_STARTS_MAX;
    fake_run_until(loop, has_all_starts, &count);
    fake_run_rounds(loop, 5);
    ck_assert_uint_eq(silent_count, LINK_STARTS_MAX);
    links_stop(links, SLICE("@owner00:example.org")); /* one under way */
    links_stop(links, SLICE("@owner36:example.org")); /* one that waits */
    count++;
    fake_run_until(loop, has_all_starts, &count);
    fake_run_rounds(loop, 5);
    ck_assert_uint_eq(silent_count, LINK_STARTS_MAX + 1);
    ck_assert_uint_eq(links_count(links), LINK_STARTS_MAX + 3);
    ev_io_stop(loop, &io);
    for (size_t i = 0; i < silent_count; i++) {
        close(silent_fds[i]);
    }
    links_close(links);
    fake_close(&server);
    arena_close(arena);
    ev_loop_destroy(loop);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("links_start");
    TCase *tcase = tcase_create("start");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, links_url_gives_base_host_and_target, 0, COUNT(good_urls));
    tcase_add_loop_test(tcase, links_open_refuses_what_is_no_faye_url, 0, COUNT(bad_urls));
    tcase_add_test(tcase, links_starts_under_way_are_bounded_and_the_others_wait);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
