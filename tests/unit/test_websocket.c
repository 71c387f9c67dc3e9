#include "runtime/links_dial.h"
#include "runtime/websocket.h"
#include "tests/unit/slice_check.h"
#include "tests/unit/websocket_fake.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* One client on a connection to the fake server, and all it told. */
struct client {
    struct dialer *dialer;
    struct dial *dial;
    struct websocket *socket;
    int64_t ping_ms;
    int64_t pong_ms;
    size_t message_bytes_max;
    bool is_open;
    bool is_ended;
    enum websocket_end end;
    struct slice detail;
    struct buf texts; /* each in brackets */
    size_t text_count;
    size_t last_len;
};

static struct ev_loop *loop;
static struct arena *arena;
static struct fake_server server;
static struct client client;
static size_t frames_bytes;
static struct slice frame_wanted;
static struct buf frames; /* what the server read: opcode and payload of each frame */

static void client_on_open(void *context)
{
    ck_assert_ptr_eq(context, &client);
    ck_assert(!client.is_open);
    client.is_open = true;
}

static void client_on_text(void *context, struct slice text)
{
    ck_assert_ptr_eq(context, &client);
    ck_assert(client.is_open && !client.is_ended);
    buf_printf(&client.texts, "[%.*s]", SLICE_ARGS(slice_first(text, 100)));
    client.text_count++;
    client.last_len = text.len;
}

static void client_on_end(void *context, enum websocket_end why, struct slice detail)
{
    ck_assert_ptr_eq(context, &client);
    ck_assert(!client.is_ended);
    client.is_ended = true;
    client.end = why;
    client.detail = arena_copy(arena, detail);
}

static void client_on_dialled(void *context, CURL *curl, struct slice detail)
{
    static const struct websocket_events events = {
        .on_open = client_on_open, .on_text = client_on_text, .on_end = client_on_end};
    (void)context;
    ck_assert_msg(curl != NULL, "%.*s", SLICE_ARGS(detail));
    const struct websocket_options options = {
        .loop = loop,
        .curl = curl,
        .target = SLICE("/bayeux?a=b"),
        .host = SLICE("gitter.test:81"),
        .message_bytes_max = client.message_bytes_max,
        .ping_ms = client.ping_ms,
        .pong_ms = client.pong_ms,
        .events = &events,
        .context = &client,
    };
    client.socket = websocket_open(&options);
}

static void note_frame(struct fake_peer *peer, enum fake_opcode opcode, struct slice payload)
{
    (void)peer;
    frames_bytes += payload.len;
    buf_printf(&frames, "%d:%.*s;", (int)opcode, SLICE_ARGS(slice_first(payload, 100)));
}

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    loop = ev_loop_new(EVFLAG_AUTO);
    arena = arena_open(4096);
    fake_open(&server, loop);
    server.on_frame = note_frame;
    buf_init(&frames, arena);
    frames_bytes = 0;
    memset(&client, 0, sizeof(client));
    client.ping_ms = 3600 * 1000;
    client.pong_ms = 3600 * 1000;
    client.message_bytes_max = 1000 * 1000;
    buf_init(&client.texts, arena);
    const struct dialer_options options = {
        .loop = loop,
        .url = arena_printf(arena, "http://127.0.0.1:%d/", server.port),
        .connect_ms = 20 * 1000,
        .on_done = client_on_dialled,
    };
    ck_rc_eq(dialer_open(&options, &client.dialer), RC_OK);
}

static void client_close(void)
{
    websocket_close(client.socket);
    dial_close(client.dial);
    client.socket = NULL;
    client.dial = NULL;
}

static void teardown(void)
{
    client_close();
    dialer_close(client.dialer);
    fake_close(&server);
    arena_close(arena);
    ev_loop_destroy(loop);
}

static bool is_open(void *context)
{
    (void)context;
    return client.is_open || client.is_ended;
}

static bool is_ended(void *context)
{
    (void)context;
    return client.is_ended;
}

static bool has_texts(void *context)
{
    return client.text_count >= *(const size_t *)context || client.is_ended;
}

static bool has_frame(void *context)
{
    const struct slice all = buf_slice(&frames);
    (void)context;
    return slice_find(all, frame_wanted) < all.len;
}

static bool is_cut(void *context)
{
    (void)context;
    return server.peer.fd < 0;
}

static void client_dial(void)
{
    client.dial = dial_open(client.dialer, &client);
}

static void client_open(void)
{
    client_dial();
    fake_run_until(loop, is_open, NULL);
    ck_assert_msg(client.is_open, "%.*s", SLICE_ARGS(client.detail));
}

static void await_texts(size_t count)
{
    fake_run_until(loop, has_texts, &count);
    ck_assert_uint_eq(client.text_count, count);
}

static void await_frame(const char *wanted)
{
    frame_wanted = slice_from_cstr(wanted);
    fake_run_until(loop, has_frame, NULL);
}

static void await_end(enum websocket_end why)
{
    fake_run_until(loop, is_ended, NULL);
    ck_assert_msg(client.end == why, "%d: %.*s", (int)client.end, SLICE_ARGS(client.detail));
}

static void answer_with_frames(struct fake_peer *peer, struct slice head)
{
    struct buf all;
    buf_init(&all, arena);
    buf_put(&all, fake_answer(peer, head));
    buf_put(&all, fake_frame(arena, true, FAKE_TEXT, SLICE("early")));
    buf_put(&all, fake_frame(arena, true, FAKE_TEXT, SLICE("bird")));
    fake_send(peer, buf_slice(&all));
}

START_TEST(websocket_answer_cut_at_each_position_opens_and_keeps_early_frames)
{
    server.on_head = answer_with_frames;
    size_t len = 2;
    for (size_t cut = 1; cut < len; cut++) {
        client.is_open = false;
        client.text_count = 0;
        buf_init(&client.texts, arena);
        server.peer.pieces_cut = cut;
        client_open();
        await_texts(2);
        ck_text_eq(buf_slice(&client.texts), "[early][bird]");
        len = server.peer.out.len;
        client_close();
    }
    ck_assert_uint_gt(len, 100);
}
END_TEST

START_TEST(websocket_bytes_that_come_one_by_one_make_whole_texts)
{
    server.on_head = answer_with_frames;
    server.peer.piece = 1;
    client_open();
    await_texts(2);
    fake_send(&server.peer, fake_frame(arena, false, FAKE_TEXT, SLICE("three ")));
    fake_send(&server.peer, fake_frame(arena, true, FAKE_PING, SLICE("between")));
    fake_send(&server.peer, fake_frame(arena, false, FAKE_CONTINUATION, SLICE("pieces ")));
    fake_send(&server.peer, fake_frame(arena, true, FAKE_CONTINUATION, SLICE("\xc3\xa4")));
    await_texts(3);
    ck_text_eq(buf_slice(&client.texts), "[early][bird][three pieces \xc3\xa4]");
    await_frame("10:between;");
}
END_TEST

START_TEST(websocket_many_frames_in_one_read_come_in_order)
{
    struct buf all;
    buf_init(&all, arena);
    client_open();
    for (int i = 0; i < 200; i++) {
        buf_put(&all, fake_frame(arena, true, FAKE_TEXT, arena_printf(arena, "%d", i % 10)));
    }
    fake_send(&server.peer, buf_slice(&all));
    await_texts(200);
    ck_assert(slice_starts_with(buf_slice(&client.texts), SLICE("[0][1][2][3]")));
    ck_assert(slice_ends_with(buf_slice(&client.texts), SLICE("[6][7][8][9]")));
}
END_TEST

START_TEST(websocket_reads_on_when_more_came_than_it_reads_in_one_turn)
{
    const size_t len = 900 * 1000;
    char *text = arena_alloc(arena, len);
    memset(text, 'x', len);
    client_open();
    fake_send_text(&server.peer, slice_make(text, len));
    fake_send_text(&server.peer, SLICE("end"));
    await_texts(2);
    ck_assert(slice_ends_with(buf_slice(&client.texts), SLICE("x][end]")));
}
END_TEST

START_TEST(websocket_binary_and_pong_are_passed_over)
{
    client_open();
    fake_send(&server.peer, fake_frame(arena, true, FAKE_BINARY, SLICE("\x00\xff")));
    fake_send(&server.peer, fake_frame(arena, true, FAKE_PONG, SLICE("unasked")));
    fake_send_text(&server.peer, SLICE("text"));
    await_texts(1);
    ck_text_eq(buf_slice(&client.texts), "[text]");
}
END_TEST

START_TEST(websocket_sent_texts_arrive_whole_and_in_order)
{
    const size_t len = 300 * 1000;
    char *text = arena_alloc(arena, len);
    memset(text, 'y', len);
    client_open();
    websocket_send(client.socket, SLICE("one"));
    websocket_send(client.socket, slice_make(text, len));
    websocket_send(client.socket, SLICE("three"));
    await_frame("1:three;");
    ck_assert(slice_starts_with(buf_slice(&frames), SLICE("1:one;1:yyy")));
}
END_TEST

START_TEST(websocket_secret_of_any_length_arrives_first)
{
    static const size_t lens[] = {1, 125, 126, 127, 300, 65535};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        char *text = arena_alloc(arena, lens[i]);
        memset(text, 's', lens[i]);
        client.is_open = false;
        client_open();
        websocket_send_secret(client.socket, slice_make(text, lens[i]));
        websocket_send(client.socket, SLICE("next"));
        await_frame("1:next;");
        ck_assert_uint_eq(frames_bytes, lens[i] + SLICE("next").len);
        ck_assert(slice_starts_with(buf_slice(&frames), SLICE("1:s")));
        client_close();
        fake_run_until(loop, is_cut, NULL);
        buf_init(&frames, arena);
        frames_bytes = 0;
    }
}
END_TEST

START_TEST(websocket_peer_that_does_not_read_gets_all_once_it_does)
{
    const size_t len = 100 * 1000;
    char *text = arena_alloc(arena, len);
    memset(text, 'z', len);
    client_open();
    server.peer.is_deaf = true;
    for (int i = 0; i < 9; i++) {
        websocket_send(client.socket, slice_make(text, len));
    }
    websocket_send(client.socket, SLICE("last"));
    fake_run_rounds(loop, 10);
    server.peer.is_deaf = false;
    ev_io_start(loop, &server.peer.io);
    await_frame("1:last;");
    ck_assert(!client.is_ended);
}
END_TEST

START_TEST(websocket_peer_that_never_reads_is_left_at_the_limit)
{
    const size_t len = 100 * 1000;
    char *text = arena_alloc(arena, len);
    client_open();
    server.peer.is_deaf = true;
    for (int i = 0; i < 100; i++) {
        websocket_send(client.socket, slice_make(text, len));
    }
    await_end(WEBSOCKET_END_PROTOCOL);
    ck_text_eq(client.detail, "the peer does not read");
}
END_TEST

START_TEST(websocket_close_of_the_peer_is_answered_and_told)
{
    client_open();
    fake_send_text(&server.peer, SLICE("last"));
    fake_send(&server.peer, fake_frame(arena, true, FAKE_CLOSE,
                                       SLICE("\x03\xe8"
                                             "bye")));
    await_end(WEBSOCKET_END_CLOSED);
    ck_text_eq(client.detail, "closed by the peer, code 1000");
    ck_text_eq(buf_slice(&client.texts), "[last]");
    await_frame("8:\x03\xe8");
}
END_TEST

START_TEST(websocket_cut_connection_is_told)
{
    client_open();
    fake_cut(&server.peer);
    await_end(WEBSOCKET_END_CLOSED);
}
END_TEST

START_TEST(websocket_texts_before_a_cut_arrive)
{
    client_open();
    fake_send_text(&server.peer, SLICE("a"));
    fake_send_text(&server.peer, SLICE("b"));
    ev_run(loop, EVRUN_ONCE);
    fake_cut(&server.peer);
    await_end(WEBSOCKET_END_CLOSED);
    ck_text_eq(buf_slice(&client.texts), "[a][b]");
}
END_TEST

START_TEST(websocket_message_over_the_limit_ends_with_1009)
{
    const size_t len = client.message_bytes_max + 1;
    char *text = arena_alloc(arena, len);
    memset(text, 'x', len);
    client_open();
    fake_send_text(&server.peer, slice_make(text, len));
    await_end(WEBSOCKET_END_PROTOCOL);
    ck_text_eq(client.detail, "closed over a bad frame, code 1009");
    await_frame("8:\x03\xf1");
}
END_TEST

START_TEST(websocket_fragments_over_the_limit_end_with_1009)
{
    const size_t len = client.message_bytes_max / 2;
    char *text = arena_alloc(arena, len);
    memset(text, 'x', len);
    client_open();
    fake_send(&server.peer, fake_frame(arena, false, FAKE_TEXT, slice_make(text, len)));
    fake_send(&server.peer, fake_frame(arena, false, FAKE_CONTINUATION, slice_make(text, len)));
    fake_send(&server.peer, fake_frame(arena, true, FAKE_CONTINUATION, SLICE("x")));
    await_end(WEBSOCKET_END_PROTOCOL);
    ck_text_eq(client.detail, "closed over a bad frame, code 1009");
}
END_TEST

START_TEST(websocket_message_at_the_limit_arrives)
{
    const size_t len = client.message_bytes_max;
    char *text = arena_alloc(arena, len);
    memset(text, 'x', len);
    client_open();
    fake_send_text(&server.peer, slice_make(text, len));
    await_texts(1);
    ck_assert_uint_eq(client.last_len, len);
}
END_TEST

/* Bytes that break the rules of frames, and the code that tells the peer. */
static const struct {
    struct slice bytes;
    const char *detail;
} bad_frames[] = {
    {SLICE_INIT("\x81\x82\x01\x02\x03\x04hi"), "closed over a bad frame, code 1002"}, /* masked */
    {SLICE_INIT("\x83\x00"), "closed over a bad frame, code 1002"},  /* reserved opcode */
    {SLICE_INIT("\xc1\x01x"), "closed over a bad frame, code 1002"}, /* extension bit */
    {SLICE_INIT("\x80\x01x"), "closed over a bad frame, code 1002"}, /* continues nothing */
    {SLICE_INIT("\x09\x00"),
     "closed over a bad frame, code 1005"}, /* ping in fragments; wslay names no code */
    {SLICE_INIT("\x81\x02\xc3\x28"), "closed over a bad frame, code 1007"}, /* no UTF-8 */
};

START_TEST(websocket_frame_against_the_rules_ends_with_its_code)
{
    client_open();
    fake_send(&server.peer, bad_frames[_i].bytes);
    await_end(WEBSOCKET_END_PROTOCOL);
    ck_slice_eq(client.detail, slice_from_cstr(bad_frames[_i].detail));
    ck_assert_uint_eq(client.text_count, 0);
}
END_TEST

static struct slice answer;

static void answer_as_told(struct fake_peer *peer, struct slice head)
{
    (void)head;
    fake_send(peer, answer);
}

START_TEST(websocket_answer_that_does_not_upgrade_is_refused)
{
    answer = SLICE("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    server.on_head = answer_as_told;
    client_dial();
    await_end(WEBSOCKET_END_REFUSED);
    ck_text_eq(client.detail, "HTTP 404");
    ck_assert(!client.is_open);
}
END_TEST

static void cut_at_head(struct fake_peer *peer, struct slice head)
{
    (void)head;
    fake_cut(peer);
}

START_TEST(websocket_connection_cut_before_the_answer_is_refused)
{
    server.on_head = cut_at_head;
    client_dial();
    await_end(WEBSOCKET_END_REFUSED);
}
END_TEST

static void tick(struct ev_loop *of, ev_timer *timer, int events)
{
    (void)of;
    (void)timer;
    (void)events;
    if (client.socket != NULL) {
        websocket_tick(client.socket);
    }
}

/* Calls websocket_tick every few ms while the condition does not hold. */
static void run_ticking(bool (*is_done)(void *context), void *context)
{
    ev_timer timer;
    ev_timer_init(&timer, tick, 0.001, 0.001);
    ev_timer_start(loop, &timer);
    fake_run_until(loop, is_done, context);
    ev_timer_stop(loop, &timer);
}

START_TEST(websocket_peer_without_pong_is_silent)
{
    client.ping_ms = 20;
    client.pong_ms = 20;
    server.has_no_pong = true;
    client_open();
    run_ticking(is_ended, NULL);
    ck_assert_int_eq(client.end, WEBSOCKET_END_SILENT);
    ck_text_eq(client.detail, "no answer to a ping");
    ck_text_eq(buf_slice(&frames), "9:;");
}
END_TEST

START_TEST(websocket_peer_with_pongs_stays)
{
    client.ping_ms = 5;
    client.pong_ms = 10 * 1000;
    client_open();
    frame_wanted = SLICE("9:;9:;9:;9:;9:;");
    run_ticking(has_frame, NULL);
    ck_assert(!client.is_ended);
}
END_TEST

START_TEST(websocket_deadline_is_set_only_while_open)
{
    client_dial();
    server.on_head = cut_at_head;
    await_end(WEBSOCKET_END_REFUSED);
    ck_assert_int_eq(websocket_deadline(client.socket), INT64_MAX);
}
END_TEST

START_TEST(websocket_goodbye_writes_what_is_queued_and_a_close_frame)
{
    client_open();
    websocket_send(client.socket, SLICE("bye"));
    websocket_end_quietly(client.socket, true);
    websocket_send(client.socket, SLICE("too late"));
    client_close();
    fake_run_until(loop, is_cut, NULL);
    ck_text_eq(buf_slice(&frames), "1:bye;8:\x03\xe8;");
    ck_assert(!client.is_ended);
}
END_TEST

START_TEST(websocket_after_a_quiet_end_nothing_is_told)
{
    client_open();
    fake_send_text(&server.peer, SLICE("unread"));
    websocket_end_quietly(client.socket, false);
    fake_run_rounds(loop, 10);
    ck_assert_uint_eq(client.text_count, 0);
    ck_assert(!client.is_ended);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket");
    TCase *upgrade = tcase_create("upgrade");
    tcase_add_checked_fixture(upgrade, setup, teardown);
    tcase_set_timeout(upgrade, 60);
    tcase_add_test(upgrade, websocket_answer_cut_at_each_position_opens_and_keeps_early_frames);
    tcase_add_test(upgrade, websocket_answer_that_does_not_upgrade_is_refused);
    tcase_add_test(upgrade, websocket_connection_cut_before_the_answer_is_refused);
    suite_add_tcase(suite, upgrade);

    TCase *traffic = tcase_create("traffic");
    tcase_add_checked_fixture(traffic, setup, teardown);
    tcase_set_timeout(traffic, 60);
    tcase_add_test(traffic, websocket_bytes_that_come_one_by_one_make_whole_texts);
    tcase_add_test(traffic, websocket_many_frames_in_one_read_come_in_order);
    tcase_add_test(traffic, websocket_reads_on_when_more_came_than_it_reads_in_one_turn);
    tcase_add_test(traffic, websocket_binary_and_pong_are_passed_over);
    tcase_add_test(traffic, websocket_sent_texts_arrive_whole_and_in_order);
    tcase_add_test(traffic, websocket_secret_of_any_length_arrives_first);
    tcase_add_test(traffic, websocket_peer_that_does_not_read_gets_all_once_it_does);
    tcase_add_test(traffic, websocket_peer_that_never_reads_is_left_at_the_limit);
    tcase_add_test(traffic, websocket_message_at_the_limit_arrives);
    tcase_add_test(traffic, websocket_message_over_the_limit_ends_with_1009);
    tcase_add_test(traffic, websocket_fragments_over_the_limit_end_with_1009);
    tcase_add_loop_test(traffic, websocket_frame_against_the_rules_ends_with_its_code, 0,
                        COUNT(bad_frames));
    suite_add_tcase(suite, traffic);

    TCase *ends = tcase_create("ends");
    tcase_add_checked_fixture(ends, setup, teardown);
    tcase_set_timeout(ends, 60);
    tcase_add_test(ends, websocket_close_of_the_peer_is_answered_and_told);
    tcase_add_test(ends, websocket_cut_connection_is_told);
    tcase_add_test(ends, websocket_texts_before_a_cut_arrive);
    tcase_add_test(ends, websocket_peer_without_pong_is_silent);
    tcase_add_test(ends, websocket_peer_with_pongs_stays);
    tcase_add_test(ends, websocket_deadline_is_set_only_while_open);
    tcase_add_test(ends, websocket_goodbye_writes_what_is_queued_and_a_close_frame);
    tcase_add_test(ends, websocket_after_a_quiet_end_nothing_is_told);
    suite_add_tcase(suite, ends);
    return suite;
}

int main(void)
{
    return run_suite(websocket_suite());
}
