#include "runtime/links.h"

#include "tests/unit/slice_check.h"
#include "tests/unit/websocket_fake.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct ev_loop *loop;
static struct arena *arena;
static struct fake_server server;
static struct links *links;
static struct links_options options;
static struct buf told;  /* all events, one a line */
static struct buf heard; /* the texts the server read, one a line */
static bool is_in_call;  /* an event now would come from within a call of ours */
static struct slice wanted;

/* What the server answers; NULL: nothing. "#" in it stands for the id of the request. */
static const char *handshake_answer;
static const char *subscribe_answer;

/* What an event does beside being noted. */
static void (*in_up)(void);
static void (*in_down)(void);
static void (*in_record)(void);

#define ALICE SLICE("@alice:example.org")
#define BOB SLICE("@bob:example.org")

#define SHAKEN                                                                                     \
    "[{\"channel\":\"/meta/handshake\",\"id\":\"#\",\"successful\":true,\"clientId\":\"C1\","      \
    "\"ext\":{\"userId\":\"u1\"},\"advice\":{\"reconnect\":\"retry\",\"interval\":0,"              \
    "\"timeout\":60000}}]"

static void note(struct link_id id, struct slice text)
{
    ck_assert(!is_in_call);
    buf_printf(&told, "%.*s %lld %.*s\n", SLICE_ARGS(slice_first(id.owner, 4)),
               (long long)id.session, SLICE_ARGS(text));
}

static void note_up(void *context, struct link_id id, struct slice user_id)
{
    ck_assert_ptr_eq(context, &told);
    note(id, arena_printf(arena, "up %.*s", SLICE_ARGS(user_id)));
    if (in_up != NULL) {
        in_up();
    }
}

static void note_down(
    void *context, struct link_id id, enum link_end why, struct slice detail, int64_t retry_ms)
{
    ck_assert_ptr_eq(context, &told);
    ck_assert_uint_gt(detail.len, 0);
    note(id, arena_printf(arena, "down %s %lld", link_end_name(why), (long long)retry_ms));
    if (in_down != NULL) {
        in_down();
    }
}

static void note_subscribed(void *context,
                            struct link_id id,
                            struct slice channel,
                            struct slice snapshot,
                            struct slice error)
{
    ck_assert_ptr_eq(context, &told);
    note(id, arena_printf(arena, "subscribed %.*s %.*s %.*s", SLICE_ARGS(channel),
                          SLICE_ARGS(snapshot), SLICE_ARGS(error)));
}

static void note_record(void *context, struct link_id id, struct slice channel, struct slice data)
{
    ck_assert_ptr_eq(context, &told);
    note(id, arena_printf(arena, "record %.*s %.*s", SLICE_ARGS(channel), SLICE_ARGS(data)));
    if (in_record != NULL) {
        in_record();
    }
}

static void note_gap(void *context, struct link_id id)
{
    ck_assert_ptr_eq(context, &told);
    note(id, SLICE("gap"));
}

static bool has(struct slice text, const char *part)
{
    return slice_find(text, slice_from_cstr(part)) < text.len;
}

static struct slice request_id(struct slice text)
{
    static const struct slice name = SLICE_INIT("\"id\":\"");
    struct slice rest = slice_from(text, slice_find(text, name));
    ck_assert_uint_gt(rest.len, name.len);
    rest = slice_from(rest, name.len);
    return slice_cut(&rest, '"');
}

static void reply(struct fake_peer *peer, struct slice request, const char *answer)
{
    struct buf text;
    buf_init(&text, arena);
    struct slice rest = slice_from_cstr(answer);
    buf_put(&text, slice_cut(&rest, '#'));
    if (rest.ptr != NULL) {
        buf_put(&text, request_id(request));
        buf_put(&text, rest);
    }
    fake_send_text(peer, buf_slice(&text));
}

/* A Bayeux server that never answers a connect: the client is quiet then. */
static void serve(struct fake_peer *peer, enum fake_opcode opcode, struct slice text)
{
    if (opcode == FAKE_CLOSE) {
        BUF_PUT(&heard, "close\n");
    }
    if (opcode != FAKE_TEXT) {
        return;
    }
    buf_printf(&heard, "%.*s\n", SLICE_ARGS(text));
    if (has(text, "/meta/handshake") && handshake_answer != NULL) {
        reply(peer, text, handshake_answer);
    } else if (has(text, "/meta/subscribe") && subscribe_answer != NULL) {
        reply(peer, text, subscribe_answer);
    }
}

static void open_links(void)
{
    links_close(links);
    ck_rc_eq(links_open(&options, &links), RC_OK);
}

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    loop = ev_loop_new(EVFLAG_AUTO);
    arena = arena_open(4096);
    fake_open(&server, loop);
    server.on_frame = serve;
    buf_init(&told, arena);
    buf_init(&heard, arena);
    handshake_answer = SHAKEN;
    subscribe_answer = NULL;
    in_up = NULL;
    in_down = NULL;
    in_record = NULL;
    is_in_call = false;
    links = NULL;
    options = (struct links_options){
        .loop = loop,
        .faye_url = arena_printf(arena, "ws://127.0.0.1:%d/bayeux", server.port),
        .events = {.context = &told,
                   .on_up = note_up,
                   .on_down = note_down,
                   .on_subscribed = note_subscribed,
                   .on_record = note_record,
                   .on_gap = note_gap},
    };
    open_links();
}

static void teardown(void)
{
    links_close(links);
    fake_close(&server);
    arena_close(arena);
    ev_loop_destroy(loop);
}

static bool is_told(void *context)
{
    (void)context;
    return has(buf_slice(&told), wanted.ptr);
}

static bool is_heard(void *context)
{
    (void)context;
    return has(buf_slice(&heard), wanted.ptr);
}

static void await_told(const char *text)
{
    wanted = slice_from_cstr(text);
    fake_run_until(loop, is_told, NULL);
}

static void await_heard(const char *text)
{
    wanted = slice_from_cstr(text);
    fake_run_until(loop, is_heard, NULL);
}

#define ck_told(literal) ck_text_eq(buf_slice(&told), literal)

static int64_t start(struct slice owner)
{
    is_in_call = true;
    const int64_t session = links_start(links, owner, SLICE("tok-1"));
    is_in_call = false;
    return session;
}

static void stop(struct slice owner)
{
    is_in_call = true;
    links_stop(links, owner);
    is_in_call = false;
}

static void go_up(void)
{
    ck_assert_int_gt(start(ALICE), 0);
    await_told("up u1\n");
    buf_init(&told, arena);
}

static void say(const char *text)
{
    fake_send_text(&server.peer, slice_from_cstr(text));
}

START_TEST(links_start_shakes_hands_and_reports_up)
{
    ck_assert_int_eq(start(ALICE), 1);
    ck_assert_uint_eq(links_count(links), 1);
    ck_assert_uint_eq(links_count_up(links), 0);
    await_told("up");
    await_heard("/meta/connect");
    ck_told("@ali 1 up u1\n");
    ck_assert_uint_eq(links_count_up(links), 1);
    ck_assert(slice_starts_with(server.head, SLICE("GET /bayeux HTTP/1.1\r\n")));
    ck_slice_eq(fake_header(server.head, SLICE("host")),
                arena_printf(arena, "127.0.0.1:%d", server.port));
    ck_assert(has(buf_slice(&heard), "\"token\":\"tok-1\""));
    ck_assert_int_eq(start(ALICE), 1);
    ck_assert_uint_eq(links_count(links), 1);
}
END_TEST

START_TEST(links_sessions_begin_where_told_and_grow)
{
    options.session_first = 70;
    open_links();
    ck_assert_int_eq(start(ALICE), 70);
    ck_assert_int_eq(start(BOB), 71);
    stop(ALICE);
    ck_assert_int_eq(start(ALICE), 72);
    ck_assert_uint_eq(links_count(links), 2);
}
END_TEST

START_TEST(links_calls_for_an_owner_without_link_do_nothing)
{
    links_stop(links, ALICE);
    links_subscribe(links, ALICE, SLICE("/a"), SLICE_EMPTY);
    links_unsubscribe(links, ALICE, SLICE("/a"));
    fake_run_rounds(loop, 3);
    ck_told("");
    ck_assert_uint_eq(server.accepted, 0);
}
END_TEST

START_TEST(links_stop_says_goodbye_and_reports_once_from_the_loop)
{
    go_up();
    stop(ALICE);
    stop(ALICE);
    ck_assert_uint_eq(links_count(links), 0);
    ck_told("");
    await_told("down");
    await_heard("close");
    ck_assert(has(buf_slice(&heard), "/meta/disconnect"));
    fake_run_rounds(loop, 3);
    ck_told("@ali 1 down STOPPED 0\n");
}
END_TEST

START_TEST(links_start_after_stop_is_a_new_session_beside_the_late_event)
{
    go_up();
    stop(ALICE);
    ck_assert_int_eq(start(ALICE), 2);
    await_told("up");
    ck_told("@ali 1 down STOPPED 0\n@ali 2 up u1\n");
}
END_TEST

START_TEST(links_stop_before_the_link_is_up_ends_it)
{
    (void)start(ALICE);
    stop(ALICE);
    await_told("down");
    ck_told("@ali 1 down STOPPED 0\n");
}
END_TEST

START_TEST(links_closed_port_is_unreachable)
{
    options.faye_url = arena_printf(arena, "ws://127.0.0.1:%d/bayeux", server.port);
    close(server.fd);
    ev_io_stop(loop, &server.io);
    server.fd = dup(STDERR_FILENO);
    (void)start(ALICE);
    await_told("down");
    ck_told("@ali 1 down UNREACHABLE 0\n");
    ck_assert_uint_eq(links_count(links), 0);
}
END_TEST

static void answer_502(struct fake_peer *peer, struct slice head)
{
    (void)head;
    fake_send(peer, SLICE("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
}

static void answer_never(struct fake_peer *peer, struct slice head)
{
    (void)peer;
    (void)head;
}

START_TEST(links_refused_upgrade_is_unreachable)
{
    server.on_head = answer_502;
    (void)start(ALICE);
    await_told("down");
    ck_told("@ali 1 down UNREACHABLE 0\n");
}
END_TEST

START_TEST(links_upgrade_without_answer_is_unreachable)
{
    options.handshake_ms = 30;
    open_links();
    server.on_head = answer_never;
    (void)start(ALICE);
    await_told("down");
    ck_told("@ali 1 down UNREACHABLE 0\n");
}
END_TEST

START_TEST(links_handshake_without_answer_is_silent)
{
    options.handshake_ms = 30;
    open_links();
    handshake_answer = NULL;
    (void)start(ALICE);
    await_told("down");
    ck_told("@ali 1 down SILENT 0\n");
}
END_TEST

START_TEST(links_refused_token_is_refused)
{
    handshake_answer = "[{\"channel\":\"/meta/handshake\",\"id\":\"#\",\"successful\":false,"
                       "\"error\":\"401::Invalid access token\","
                       "\"advice\":{\"reconnect\":\"none\",\"interval\":864000000}}]";
    (void)start(ALICE);
    await_told("down");
    ck_told("@ali 1 down REFUSED 864000000\n");
}
END_TEST

START_TEST(links_silent_server_that_answers_pings_is_left)
{
    handshake_answer = "[{\"channel\":\"/meta/handshake\",\"id\":\"#\",\"successful\":true,"
                       "\"clientId\":\"C1\",\"advice\":{\"timeout\":20}}]";
    options.grace_ms = 20;
    options.ping_ms = 2;
    open_links();
    (void)start(ALICE);
    await_told("down");
    ck_told("@ali 1 up \n@ali 1 down SILENT 0\n");
}
END_TEST

START_TEST(links_server_without_pong_is_left)
{
    options.ping_ms = 10;
    options.pong_ms = 10;
    open_links();
    server.has_no_pong = true;
    (void)start(ALICE);
    await_told("down");
    ck_told("@ali 1 up u1\n@ali 1 down SILENT 0\n");
}
END_TEST

START_TEST(links_unknown_client_is_closed_with_the_wish_for_a_delay)
{
    go_up();
    say("[{\"channel\":\"/meta/connect\",\"successful\":false,\"error\":\"401:C1:Unknown "
        "client\",\"advice\":{\"reconnect\":\"handshake\",\"interval\":2000}}]");
    await_told("down");
    ck_told("@ali 1 down CLOSED 2000\n");
}
END_TEST

START_TEST(links_close_of_the_server_is_closed)
{
    go_up();
    fake_send(&server.peer, fake_frame(arena, true, FAKE_CLOSE, SLICE("\x03\xe8")));
    await_told("down");
    ck_told("@ali 1 down CLOSED 0\n");
}
END_TEST

START_TEST(links_cut_connection_is_closed)
{
    go_up();
    fake_cut(&server.peer);
    await_told("down");
    ck_told("@ali 1 down CLOSED 0\n");
}
END_TEST

START_TEST(links_text_that_is_no_bayeux_is_protocol)
{
    go_up();
    say("[{\"channel\":");
    await_told("down");
    ck_told("@ali 1 down PROTOCOL 0\n");
}
END_TEST

START_TEST(links_message_over_the_limit_is_protocol)
{
    options.message_bytes_max = 300;
    open_links();
    go_up();
    char *text = arena_alloc(arena, 301);
    memset(text, ' ', 301);
    fake_send_text(&server.peer, slice_make(text, 301));
    await_told("down");
    ck_told("@ali 1 down PROTOCOL 0\n");
}
END_TEST

START_TEST(links_subscription_is_sent_when_up_and_answered)
{
    subscribe_answer = "[{\"channel\":\"/meta/subscribe\",\"id\":\"#\",\"successful\":true,"
                       "\"subscription\":\"/a\",\"ext\":{\"snapshot\":[1,2]}}]";
    (void)start(ALICE);
    links_subscribe(links, ALICE, SLICE("/a"), SLICE("{\"limit\":2}"));
    await_told("subscribed");
    ck_told("@ali 1 up u1\n@ali 1 subscribed /a [1,2] \n");
    ck_assert(has(buf_slice(&heard), "\"snapshot\":{\"limit\":2}"));
    links_unsubscribe(links, ALICE, SLICE("/a"));
    await_heard("/meta/unsubscribe");
}
END_TEST

START_TEST(links_subscription_without_answer_is_told)
{
    options.subscribe_ms = 10;
    open_links();
    go_up();
    links_subscribe(links, ALICE, SLICE("/a"), SLICE_EMPTY);
    await_told("subscribed");
    ck_told("@ali 1 subscribed /a  no answer\n");
}
END_TEST

START_TEST(links_records_and_gaps_come_in_order)
{
    go_up();
    say("[{\"channel\":\"/a\",\"data\":{\"n\":1},\"ext\":{\"c\":1}},"
        "{\"channel\":\"/b\",\"data\":2,\"ext\":{\"c\":2}}]");
    say("[{\"channel\":\"/a\",\"data\":\"three\",\"ext\":{\"c\":4}}]");
    await_told("three");
    ck_told("@ali 1 record /a {\"n\":1}\n@ali 1 record /b 2\n@ali 1 gap\n"
            "@ali 1 record /a \"three\"\n");
}
END_TEST

static void stop_alice(void)
{
    in_record = NULL;
    links_stop(links, ALICE);
}

START_TEST(links_stop_within_a_record_keeps_back_what_follows)
{
    go_up();
    in_record = stop_alice;
    say("[{\"channel\":\"/a\",\"data\":1},{\"channel\":\"/a\",\"data\":2}]");
    say("[{\"channel\":\"/a\",\"data\":3}]");
    await_told("down");
    await_heard("close");
    ck_told("@ali 1 record /a 1\n@ali 1 down STOPPED 0\n");
}
END_TEST

static void start_alice(void)
{
    in_down = NULL;
    ck_assert_int_eq(links_start(links, ALICE, SLICE("tok-2")), 2);
}

START_TEST(links_start_within_a_down_makes_the_next_link)
{
    go_up();
    in_down = start_alice;
    fake_cut(&server.peer);
    await_told("up");
    ck_told("@ali 1 down CLOSED 0\n@ali 2 up u1\n");
    ck_assert(has(buf_slice(&heard), "tok-2"));
}
END_TEST

static void restart_alice(void)
{
    in_up = NULL;
    links_stop(links, ALICE);
    ck_assert_int_eq(links_start(links, ALICE, SLICE("tok-2")), 2);
    links_subscribe(links, ALICE, SLICE("/a"), SLICE_EMPTY);
}

START_TEST(links_restart_within_an_up_makes_the_next_link)
{
    in_up = restart_alice;
    (void)start(ALICE);
    await_told("2 up");
    await_heard("/meta/subscribe");
    ck_told("@ali 1 up u1\n@ali 1 down STOPPED 0\n@ali 2 up u1\n");
}
END_TEST

START_TEST(links_close_tells_nothing)
{
    go_up();
    (void)start(BOB);
    stop(ALICE);
    links_close(links);
    links = NULL;
    fake_run_rounds(loop, 3);
    ck_told("");
}
END_TEST

static TCase *with_fixture(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *links_suite(void)
{
    Suite *suite = suite_create("links");
    TCase *life = with_fixture(suite, "life");
    tcase_add_test(life, links_start_shakes_hands_and_reports_up);
    tcase_add_test(life, links_sessions_begin_where_told_and_grow);
    tcase_add_test(life, links_calls_for_an_owner_without_link_do_nothing);
    tcase_add_test(life, links_stop_says_goodbye_and_reports_once_from_the_loop);
    tcase_add_test(life, links_start_after_stop_is_a_new_session_beside_the_late_event);
    tcase_add_test(life, links_stop_before_the_link_is_up_ends_it);
    tcase_add_test(life, links_stop_within_a_record_keeps_back_what_follows);
    tcase_add_test(life, links_start_within_a_down_makes_the_next_link);
    tcase_add_test(life, links_restart_within_an_up_makes_the_next_link);
    tcase_add_test(life, links_close_tells_nothing);
    TCase *ends = with_fixture(suite, "ends");
    tcase_add_test(ends, links_closed_port_is_unreachable);
    tcase_add_test(ends, links_refused_upgrade_is_unreachable);
    tcase_add_test(ends, links_upgrade_without_answer_is_unreachable);
    tcase_add_test(ends, links_handshake_without_answer_is_silent);
    tcase_add_test(ends, links_refused_token_is_refused);
    tcase_add_test(ends, links_silent_server_that_answers_pings_is_left);
    tcase_add_test(ends, links_server_without_pong_is_left);
    tcase_add_test(ends, links_unknown_client_is_closed_with_the_wish_for_a_delay);
    tcase_add_test(ends, links_close_of_the_server_is_closed);
    tcase_add_test(ends, links_cut_connection_is_closed);
    tcase_add_test(ends, links_text_that_is_no_bayeux_is_protocol);
    tcase_add_test(ends, links_message_over_the_limit_is_protocol);
    TCase *traffic = with_fixture(suite, "traffic");
    tcase_add_test(traffic, links_subscription_is_sent_when_up_and_answered);
    tcase_add_test(traffic, links_subscription_without_answer_is_told);
    tcase_add_test(traffic, links_records_and_gaps_come_in_order);
    return suite;
}

int main(void)
{
    return run_suite(links_suite());
}
