/* The port for browsers: a real listener on loopback before the real login actor, on a store in
 * memory, and what people who mean no good may send to it. */
#include "actors/login/login.h"
#include "db/store_memory.h"
#include "runtime/daemon/tables.h"
#include "runtime/daemon/web.h"
#include "runtime/log.h"
#include "tests/unit/port_rig.h"
#include "tests/unit/slice_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINK "/auth_gitter/handle.secret"
/* what the rig's random bytes make */
#define PROOF "0101010101010101010101010101010101010101"
#define COOKIE "Cookie: gitterd_handle=" PROOF "\r\n"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define RATE 20

static struct port_rig rig;
static struct peer peer;
static struct arena *arena;
static struct web *web;

static void on_answer(void *context, int64_t request, const struct answer *answer)
{
    (void)context;
    web_answer(web, request, answer);
}

/* Any event stands for: the bot has given out the link. */
static void route(const struct msg *input, struct turn *turn)
{
    if (input->kind == MSG_WEB_REQUEST) {
        login_route(turn, input->body);
    } else {
        const struct msg_offer offer = {.user = SLICE("@alice:hs"), .secret = SLICE("secret")};
        turn_send(turn, (struct actor_ref){ACTOR_LOGIN, SLICE("handle")}, MSG_LOGIN_OFFERED,
                  &offer);
    }
}

static int64_t on_now_ms(void *context)
{
    (void)context;
    return rig.clock_ms;
}

static void open_web(struct web_options options)
{
    options.engine = rig.engine;
    options.first_request = 1000;
    options.site.bot = rig.settings.bot;
    options.site.gitter_url = rig.settings.gitter_url;
    options.now_ms = on_now_ms;
    web = web_open(&options);
    port_listen(&rig, web_handler(web));
    web_serve(web, rig.bed.server);
    peer_open(&peer, &rig.bed);
}

static void reopen_web(const struct web_options *options)
{
    peer_close(&peer);
    http_server_close(rig.bed.server);
    web_close(web);
    open_web(*options);
}

static void setup(void)
{
    arena = arena_open(4096);
    port_open(&rig);
    rig.settings = (struct settings){
        .bot = SLICE("@bot:hs"),
        .login_url = SLICE("http://login.example"),
        .gitter_url = SLICE("https://gitter.example"),
    };
    rig.store = store_memory_open(store_tables(), ACTOR_KINDS);
    rig.poll = store_memory_poll;
    rig.route = route;
    rig.answer = on_answer;
    port_open_engine(&rig);
    open_web((struct web_options){.site.login_url = rig.settings.login_url});
    const struct msg_event event = {.raw = SLICE("{}")};
    engine_post(rig.engine, &(struct input){.msg = {MSG_MATRIX_EVENT, &event}});
}

static void teardown(void)
{
    peer_close(&peer);
    bed_close(&rig.bed);
    web_close(web);
    engine_close(rig.engine);
    rig.store->methods->close(rig.store);
    arena_close(arena);
}

/* Sends a request and gives the whole answer. */
static const char *send_text(const char *text, size_t len)
{
    const double end = ev_time() + 10;
    peer_close(&peer);
    peer_open(&peer, &rig.bed);
    (void)peer_send_bytes(&peer, text, len); /* what is refused early is not read to its end */
    while (!peer.is_closed) {
        ck_assert_msg(ev_time() < end, "no end of the answer to: %s", text);
        port_turn(&rig);
    }
    ck_assert_uint_gt(peer.got_len, 0);
    return peer.got;
}

static const char *ask(const char *line, const char *headers, const char *body)
{
    const struct slice text =
        arena_printf(arena,
                     "%s HTTP/1.1\r\nHost: login.example\r\nConnection: close\r\n%sContent-Length: "
                     "%zu\r\n\r\n%s",
                     line, headers, strlen(body), body);
    return send_text(text.ptr, text.len);
}

static int status(const char *line, const char *headers, const char *body)
{
    (void)ask(line, headers, body);
    return peer_status(&peer);
}

static const char *const common[] = {
    "\r\nCache-Control: no-store\r\n",
    "\r\nReferrer-Policy: no-referrer\r\n",
    "\r\nX-Content-Type-Options: nosniff\r\n",
    "\r\nX-Frame-Options: DENY\r\n",
    "\r\nCross-Origin-Opener-Policy: same-origin\r\n",
    "\r\nCross-Origin-Resource-Policy: same-origin\r\n",
    "\r\nPermissions-Policy: accelerometer=(), ",
    "\r\nContent-Security-Policy: default-src 'none'; style-src 'sha256-",
};

START_TEST(every_answer_has_the_headers)
{
    static const char *const lines[] = {
        "GET /",    "GET /nothing", "GET " LINK,        "GET /callback",          "POST " LINK,
        "DELETE /", "HEAD /",       "GET /favicon.ico", "GET /auth_gitter/forged"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *answer = ask(lines[i], "", "");
        for (size_t j = 0; j < sizeof common / sizeof common[0]; j++) {
            ck_assert_msg(strstr(answer, common[j]) != NULL, "%s without%s:\n%s", lines[i],
                          common[j], answer);
        }
        ck_assert_ptr_null(strstr(answer, "Strict-Transport-Security"));
    }
}
END_TEST

START_TEST(https_is_to_be_kept_where_it_is)
{
    reopen_web(&(const struct web_options){.site.login_url = SLICE("https://login.example")});
    const char *answer = ask("GET /", "", "");
    ck_assert_ptr_nonnull(strstr(answer, "\r\nStrict-Transport-Security: max-age="));
}
END_TEST

START_TEST(pages_that_need_no_actor_are_there)
{
    ck_assert_int_eq(status("GET /", "", ""), 200);
    ck_assert(peer_has(&peer, "https://matrix.to/#/%40bot%3Ahs"));
    ck_assert_int_eq(status("HEAD /", "", ""), 200);
    ck_assert(!peer_has(&peer, "<html") && !peer_has(&peer, "Content-Length: 0\r\n"));
    ck_assert_int_eq(status("GET /favicon.ico", "", ""), 204);
    ck_assert_int_eq(status("GET /nothing", "", ""), 404);
    ck_assert(peer_has(&peer, "Nothing here"));
}
END_TEST

START_TEST(other_methods_are_told_which_ones_there_are)
{
    ck_assert_int_eq(status("POST /", "", ""), 405);
    ck_assert(peer_has(&peer, "\r\nAllow: GET, HEAD\r\n"));
    ck_assert_int_eq(status("POST /callback", "", ""), 405);
    ck_assert(peer_has(&peer, "\r\nAllow: GET, HEAD\r\n"));
    ck_assert_int_eq(status("PUT " LINK, "", ""), 405);
    ck_assert(peer_has(&peer, "\r\nAllow: GET, HEAD, POST\r\n"));
    ck_assert_int_eq(status("TRACE /", "Cookie: a=secret\r\n", ""), 405);
    ck_assert(!peer_has(&peer, "a=secret"));
    ck_assert_int_eq(status("OPTIONS /nothing", "", ""), 404);
}
END_TEST

START_TEST(button_leads_to_gitter)
{
    ck_assert_int_eq(status("GET " LINK, "", ""), 200);
    ck_assert(peer_has(&peer, "@alice:hs") && peer_has(&peer, "value=\"" PROOF "\""));
    ck_assert(peer_has(&peer, "\r\nSet-Cookie: gitterd_handle=" PROOF "; Path=/; Max-Age=600"));
    ck_assert_int_eq(status("POST " LINK, COOKIE FORM, "proof=" PROOF), 303);
    ck_assert(peer_has(&peer, "\r\nLocation: https://gitter.example/login/oauth/authorize?"));
}
END_TEST

START_TEST(form_needs_its_content_type_and_its_body)
{
    ck_assert_int_eq(status("POST " LINK, COOKIE, "proof=" PROOF), 403);
    ck_assert_int_eq(status("POST " LINK, COOKIE "Content-Type: text/plain\r\n", "proof=" PROOF),
                     403);
    ck_assert_int_eq(
        status("POST " LINK, COOKIE "Content-Type: application/json\r\n", "{\"proof\":1}"), 403);
    ck_assert_int_eq(status("POST " LINK, COOKIE FORM, ""), 403);
    ck_assert_int_eq(status("POST " LINK "?proof=" PROOF, COOKIE FORM, ""), 403);
    ck_assert_int_eq(status("POST " LINK, COOKIE FORM, "proof=%zz&proof=%ff"), 403);
    ck_assert_int_eq(status("POST " LINK, FORM, "proof=" PROOF), 403);
    ck_assert_int_eq(status("POST " LINK,
                            COOKIE
                            "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n",
                            "a=b&proof=" PROOF),
                     303);
}
END_TEST

START_TEST(form_of_another_site_does_nothing)
{
    static const char *const foreign[] = {
        "Origin: https://evil.example\r\n",
        "Origin: http://login.example.evil.example\r\n",
        "Origin: https://login.example\r\n",
        "Origin: http://login.example:8080\r\n",
        "Origin: \r\n",
        "Sec-Fetch-Site: cross-site\r\nOrigin: null\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Sec-Fetch-Site: \r\n",
        "sec-fetch-site: cross-site\r\nOrigin: http://login.example\r\n",
    };
    char headers[512];
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        (void)snprintf(headers, sizeof headers, "%s%s", foreign[i], COOKIE FORM);
        ck_assert_msg(status("POST " LINK, headers, "proof=" PROOF) == 403, "%s", foreign[i]);
        ck_assert(peer_has(&peer, "Sent from another site") && !peer_has(&peer, "\r\nLocation"));
    }
    ck_assert_int_eq(status("GET " LINK, "Sec-Fetch-Site: cross-site\r\n", ""), 200);
    ck_assert_int_eq(status("POST " LINK,
                            "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n" COOKIE FORM,
                            "proof=" PROOF),
                     303);
    ck_assert_int_eq(
        status("POST " LINK, "Origin: http://LOGIN.example\r\n" COOKIE FORM, "proof=" PROOF), 303);
}
END_TEST

START_TEST(paths_that_are_not_exactly_ours_lead_nowhere)
{
    static const char *const paths[] = {
        "//",
        "/./",
        "/callback/",
        "/callback%20",
        "/Callback",
        "/auth_gitter",
        "/auth_gitter%2Fhandle.secret",
        "/%61uth_gitter/handle.secret",
        "/x/../auth_gitter/handle.secret",
        "/../../../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/auth_gitter\\handle.secret",
        "/favicon.ico/",
    };
    char line[128];
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        (void)snprintf(line, sizeof line, "GET %s", paths[i]);
        ck_assert_msg(status(line, "", "") == 404, "%s gave %d", paths[i], peer_status(&peer));
        ck_assert(peer_has(&peer, "Nothing here"));
    }
}
END_TEST

START_TEST(links_that_are_not_exactly_ours_do_not_work)
{
    static const char *const links[] = {
        "handle",
        "handle.",
        ".secret",
        "handle.secre",
        "handle.secret.",
        "handle.secret%20",
        "handle.%73ecret",
        "handle%2Esecret",
        "HANDLE.secret",
        "handle.secret/",
        "handle..secret",
        "../callback",
        "%2e%2e/handle.secret",
        "handle.secret;a=b",
        "",
    };
    char line[128];
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        (void)snprintf(line, sizeof line, "GET /auth_gitter/%s", links[i]);
        ck_assert_msg(status(line, COOKIE, "") == 404, "%s gave %d", links[i], peer_status(&peer));
        ck_assert(peer_has(&peer, "This link does not work"));
        ck_assert(!peer_has(&peer, "@alice:hs") && !peer_has(&peer, "Set-Cookie"));
    }
}
END_TEST

/* Whatever of a request comes back in an answer could be a header of the sender's making. */
START_TEST(nothing_of_a_request_comes_back)
{
    static const char *const lines[] = {
        "GET /%0d%0aX-Evil:%20evil1",
        "GET /auth_gitter/%0d%0aX-Evil:evil1",
        "GET /callback?state=%0d%0aX-Evil:evil1&code=evil1",
        "GET /callback?state=handle.secret&error=%3Cscript%3Eevil1",
        "POST /auth_gitter/handle.secret?evil1=%3Cscript%3Eevil1",
        "GET /?evil1",
        "GET http://evil1.example/",
        "GET /<script>evil1</script>",
    };
    static const char headers[] =
        "Cookie: gitterd_handle=evil1; evil1\r\nX-Forwarded-For: evil1\r\n"
        "X-Forwarded-Host: evil1\r\nUser-Agent: evil1\r\n"
        "Referer: http://evil1.example/\r\n" FORM;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *answer = ask(lines[i], headers, "");
        ck_assert_msg(strstr(answer, "evil1") == NULL && strstr(answer, "X-Evil") == NULL,
                      "%s:\n%s", lines[i], answer);
    }
}
END_TEST

/* The listener answers these before anybody here is asked. */
static void check_refusal(int status, const char *title)
{
    ck_assert_int_eq(peer_status(&peer), status);
    ck_assert_msg(peer_has(&peer, title), "%d without \"%s\": %s", status, title, peer.got);
    ck_assert(peer_has(&peer, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
    ck_assert(peer_has(&peer, "\r\nConnection: close\r\n") && peer_has(&peer, "</html>\n"));
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        ck_assert_msg(peer_has(&peer, common[i]), "%d without%s", status, common[i]);
    }
    ck_assert_int_eq(peer_count(&peer, "HTTP/1.1 "), 1);
}

START_TEST(what_is_too_large_is_refused)
{
    const size_t size = 200 * 1024;
    char *filler = malloc(size + 1);
    ck_assert_ptr_nonnull(filler);
    memset(filler, 'a', size);
    filler[size] = '\0';
    struct slice text =
        arena_printf(arena, "GET /callback?state=%s HTTP/1.1\r\nHost: a\r\n\r\n", filler);
    (void)send_text(text.ptr, text.len);
    check_refusal(431, "Too much at once");
    text = arena_printf(arena, "GET " LINK " HTTP/1.1\r\nHost: a\r\nCookie: %s\r\n\r\n", filler);
    (void)send_text(text.ptr, text.len);
    ck_assert_int_eq(peer_status(&peer), 431);
    text = arena_printf(
        arena, "POST " LINK " HTTP/1.1\r\nHost: a\r\n" FORM "Content-Length: %zu\r\n\r\n%s", size,
        filler);
    (void)send_text(text.ptr, text.len);
    ck_assert_int_eq(peer_status(&peer), 413);
    filler[60 * 1000] = '\0'; /* this much is taken, and means nothing */
    ck_assert_int_eq(status(arena_printf(arena, "GET /callback?state=%s", filler).ptr, "", ""),
                     404);
    ck_assert_int_eq(status("GET " LINK, arena_printf(arena, "Cookie: %s\r\n", filler).ptr, ""),
                     200);
    for (size_t i = 0; i + 1 < 60 * 1000; i += 2) {
        filler[i] = ';';
        filler[i + 1] = '=';
    }
    ck_assert_int_eq(status("GET " LINK, arena_printf(arena, "Cookie: %s\r\n", filler).ptr, ""),
                     200);
    free(filler);
}
END_TEST

START_TEST(what_the_listener_refuses_has_a_page)
{
    static const struct {
        const char *text;
        int status;
        const char *title;
    } refused[] = {
        {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Not understood"},
        {"\x16\x03\x01", 400, "Not understood"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413, "Too much at once"},
        {"GET / HTTP/1.1\r\nHost: a\r\nExpect: a cake\r\n\r\n", 417, "Not understood"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "Not understood"},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "Not understood"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        (void)send_text(refused[i].text, strlen(refused[i].text));
        check_refusal(refused[i].status, refused[i].title);
    }
}
END_TEST

START_TEST(half_a_request_gets_a_page_in_the_end)
{
    rig.limits.header_ms = 50;
    reopen_web(&(const struct web_options){.site.login_url = rig.settings.login_url});
    (void)send_text("GET / HT", 8);
    check_refusal(408, "That took too long");
}
END_TEST

/* Two that are being answered cannot be given up for a third. */
START_TEST(crowd_gets_a_page_that_says_when_to_come_back)
{
    struct peer others[2];
    rig.limits.connections_max = 2;
    reopen_web(&(const struct web_options){.site.login_url = rig.settings.login_url});
    peer_close(&peer);
    store_memory_hold(rig.store, true);
    for (size_t i = 0; i < 2; i++) {
        peer_open(&others[i], &rig.bed);
        ck_assert(peer_send(&others[i], "GET " LINK " HTTP/1.1\r\nHost: a\r\n\r\n"));
        UNTIL_TURNED(&rig, http_server_stats(rig.bed.server).requests > i);
    }
    peer_open(&peer, &rig.bed);
    UNTIL_TURNED(&rig, peer.is_closed);
    check_refusal(503, "Out of order for a moment");
    ck_assert(peer_has(&peer, "\r\nRetry-After: 5\r\n"));
    store_memory_hold(rig.store, false);
    store_memory_finish(rig.store);
    for (size_t i = 0; i < 2; i++) {
        UNTIL_TURNED(&rig, peer_status(&others[i]) == 200);
        peer_close(&others[i]);
    }
}
END_TEST

START_TEST(trouble_of_our_own_is_told_and_the_link_still_works)
{
    ck_assert_int_eq(status("GET " LINK, "", ""), 200);
    store_memory_fail_next(rig.store, RC_IO);
    ck_assert_int_eq(status("POST " LINK, COOKIE FORM, "proof=" PROOF), 503);
    ck_assert(peer_has(&peer, "Out of order for a moment") && !peer_has(&peer, "\r\nLocation"));
    rig.clock_ms += 1000; /* after which the store is tried again */
    ck_assert_int_eq(status("POST " LINK, COOKIE FORM, "proof=" PROOF), 303);
}
END_TEST

/* Limits */

static int status_of_client(const char *forwarded)
{
    char headers[256];
    (void)snprintf(headers, sizeof headers, "X-Forwarded-For: %s\r\n", forwarded);
    return status("GET /", headers, "");
}

static void open_limited(const struct slice *proxies, size_t count)
{
    reopen_web(&(const struct web_options){.site.login_url = rig.settings.login_url,
                                           .rate = RATE,
                                           .proxies = proxies,
                                           .proxies_count = count});
}

START_TEST(client_that_asks_too_much_is_told_when_to_come_back)
{
    open_limited(NULL, 0);
    for (int i = 0; i < RATE; i++) {
        ck_assert_int_eq(status("GET " LINK, "", ""), 200);
    }
    const char *answer = ask("GET " LINK, "", "");
    ck_assert_int_eq(peer_status(&peer), 429);
    ck_assert_ptr_nonnull(strstr(answer, "\r\nRetry-After: 3\r\n"));
    ck_assert_ptr_nonnull(strstr(answer, "in 3 s."));
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        ck_assert_ptr_nonnull(strstr(answer, common[i]));
    }
    rig.clock_ms += 2999;
    ck_assert_int_eq(status("GET /", "", ""), 429);
    rig.clock_ms += 1;
    ck_assert_int_eq(status("GET /", "", ""), 200);
    ck_assert_int_eq(status("GET /", "", ""), 429);
}
END_TEST

START_TEST(clients_behind_a_proxy_are_told_apart)
{
    open_limited(NULL, 0);
    for (int i = 0; i < RATE; i++) {
        ck_assert_int_eq(status_of_client("192.0.2.1"), 200);
    }
    ck_assert_int_eq(status_of_client("192.0.2.1"), 429);
    ck_assert_int_eq(status_of_client("192.0.2.2"), 200);
    ck_assert_int_eq(status_of_client("2001:db8::1"), 200);
    /* what the client has put there itself comes first, or in a header before */
    ck_assert_int_eq(status_of_client("198.51.100.7, 192.0.2.1"), 429);
    ck_assert_int_eq(status_of_client("192.0.2.1, 192.0.2.2"), 200);
    ck_assert_int_eq(status_of_client("198.51.100.7\r\nx-forwarded-for: 192.0.2.1"), 429);
}
END_TEST

START_TEST(who_is_no_proxy_is_not_believed)
{
    static const struct slice proxies[] = {SLICE_INIT("192.0.2.99")};
    open_limited(proxies, 1);
    char address[32];
    for (int i = 0; i < RATE; i++) {
        (void)snprintf(address, sizeof address, "198.51.100.%d", i);
        ck_assert_int_eq(status_of_client(address), 200);
    }
    ck_assert_int_eq(status_of_client("198.51.100.200"), 429);
}
END_TEST

START_TEST(named_proxy_is_believed)
{
    static const struct slice proxies[] = {SLICE_INIT("192.0.2.99"),
                                           SLICE_INIT("::ffff:127.0.0.1")};
    open_limited(proxies, 2);
    for (int i = 0; i < RATE; i++) {
        ck_assert_int_eq(status_of_client("198.51.100.1"), 200);
    }
    ck_assert_int_eq(status_of_client("198.51.100.1"), 429);
    ck_assert_int_eq(status_of_client("198.51.100.2"), 200);
}
END_TEST

START_TEST(nonsense_from_the_proxy_counts_for_the_proxy)
{
    static const char *const nonsense[] = {"unknown", "", ",", "192.0.2.1:80", "192.0.2.1, x"};
    open_limited(NULL, 0);
    for (int i = 0; i < RATE; i++) {
        ck_assert_int_eq(status_of_client(nonsense[i % 5]), 200);
    }
    ck_assert_int_eq(status_of_client("nonsense"), 429);
    ck_assert_int_eq(status("GET /", "", ""), 429);
    ck_assert_int_eq(status_of_client("192.0.2.1"), 200);
}
END_TEST

/* Everybody shares one limit then, which an administrator has to know; once is enough. */
START_TEST(proxy_that_does_not_say_who_asks_is_told_of_once)
{
    char text[4096] = "";
    const int fd = memfd_create("log", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    struct log *log = log_open(fd, LOG_INFO, false);
    reopen_web(&(const struct web_options){
        .site.login_url = SLICE("https://login.example"), .rate = RATE, .log = log});
    ck_assert_int_eq(status_of_client("192.0.2.1"), 200);
    ck_assert_int_eq(pread(fd, text, sizeof text - 1, 0), 0);
    ck_assert_int_eq(status("GET /", "", ""), 200);
    ck_assert_int_eq(status("GET /", "", ""), 200);
    ck_assert_int_gt(pread(fd, text, sizeof text - 1, 0), 0);
    const char *first = strstr(text, "clients_not_told_apart");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "clients_not_told_apart"));
    log_close(log);
    ck_assert_int_eq(close(fd), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("web");
    TCase *tests = tcase_create("web");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, every_answer_has_the_headers);
    tcase_add_test(tests, https_is_to_be_kept_where_it_is);
    tcase_add_test(tests, pages_that_need_no_actor_are_there);
    tcase_add_test(tests, other_methods_are_told_which_ones_there_are);
    tcase_add_test(tests, button_leads_to_gitter);
    tcase_add_test(tests, form_needs_its_content_type_and_its_body);
    tcase_add_test(tests, form_of_another_site_does_nothing);
    tcase_add_test(tests, paths_that_are_not_exactly_ours_lead_nowhere);
    tcase_add_test(tests, links_that_are_not_exactly_ours_do_not_work);
    tcase_add_test(tests, nothing_of_a_request_comes_back);
    tcase_add_test(tests, what_is_too_large_is_refused);
    tcase_add_test(tests, what_the_listener_refuses_has_a_page);
    tcase_add_test(tests, half_a_request_gets_a_page_in_the_end);
    tcase_add_test(tests, crowd_gets_a_page_that_says_when_to_come_back);
    tcase_add_test(tests, trouble_of_our_own_is_told_and_the_link_still_works);
    tcase_add_test(tests, client_that_asks_too_much_is_told_when_to_come_back);
    tcase_add_test(tests, clients_behind_a_proxy_are_told_apart);
    tcase_add_test(tests, who_is_no_proxy_is_not_believed);
    tcase_add_test(tests, named_proxy_is_believed);
    tcase_add_test(tests, nonsense_from_the_proxy_counts_for_the_proxy);
    tcase_add_test(tests, proxy_that_does_not_say_who_asks_is_told_of_once);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
