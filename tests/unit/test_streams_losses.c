#include "tests/unit/stream_rig.h"

#include "runtime/base/limits.h"
#include "tests/unit/slice_check.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ROOMS_MANY = 3 * LINK_STARTS_MAX,
};

#define LOST(why, status, again)                                                                   \
    "stream_lost owner=@alice:example.org gitter_room=a why=" why " status=" status                \
    " again_ms=" again "\n"

START_TEST(streams_reset_is_followed_by_a_new_stream)
{
    flow_go();
    stream_peer_reset(flow_peer("a"));
    flow_await("subscribed");
    stream_peer_say(flow_peer("a"), SLICE("{\"n\":1}\n"));
    flow_await("record");
    ck_told("@ali 1 subscribed a \n@ali 1 record a {\"n\":1}\n");
    ck_assert_uint_eq(streams_count(flow.streams), 1);
}
END_TEST

START_TEST(streams_end_is_followed_by_a_new_stream_without_the_half_record)
{
    flow_go();
    stream_peer_say(flow_peer("a"), SLICE("{\"n\":1}\n{\"half\":"));
    flow_peer("a")->is_last = true;
    flow_await("subscribed");
    stream_peer_say(flow_peer("a"), SLICE("{\"n\":2}\n"));
    flow_await("2}");
    ck_told("@ali 1 record a {\"n\":1}\n@ali 1 subscribed a \n@ali 1 record a {\"n\":2}\n");
    ck_assert(flow_has(flow_log_text(), LOST("\"ended by the server\"", "200", "1")));
}
END_TEST

START_TEST(streams_last_chunk_ends_the_stream_and_another_follows)
{
    flow.answer = HEAD_CHUNKED;
    flow_go();
    stream_peer_say(flow_peer("a"), SLICE("0\r\nX-Trailer: 1\r\n\r\n"));
    flow_await("subscribed");
    ck_told("@ali 1 subscribed a \n");
    ck_assert(flow_has(flow_log_text(), LOST("\"ended by the server\"", "200", "1")));
}
END_TEST

START_TEST(streams_broken_chunk_is_a_loss)
{
    flow.answer = HEAD_CHUNKED;
    flow_go();
    stream_peer_say(flow_peer("a"), SLICE("zz\r\n"));
    flow_await("subscribed");
    ck_assert_uint_eq(flow_count(flow_log_text(), "stream_lost"), 1);
}
END_TEST

START_TEST(streams_loss_of_one_room_leaves_the_others)
{
    flow_go();
    flow_subscribe(ALICE, ROOM_B);
    flow_await("subscribed b");
    buf_init(&flow.told, flow.arena);
    struct stream_peer *other = flow_peer("b");
    stream_peer_reset(flow_peer("a"));
    flow_await("subscribed a");
    stream_peer_say(other, SLICE("{\"n\":1}\n"));
    flow_await("record");
    ck_told("@ali 1 subscribed a \n@ali 1 record b {\"n\":1}\n");
}
END_TEST

START_TEST(streams_silent_server_is_left_for_a_new_stream)
{
    flow.options.silence_ms = 20;
    flow_open();
    flow_go();
    const struct stream_peer *old = flow_peer("a");
    flow_await("subscribed");
    flow_await_gone(old);
    ck_assert(flow_has(flow_log_text(), LOST("silent", "200", "1")));
}
END_TEST

START_TEST(streams_server_without_answer_is_left_for_a_new_stream)
{
    flow.options.silence_ms = 20;
    flow_open();
    flow.answer = NULL;
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await_requests(2);
    ck_told("@ali 1 up\n");
    ck_assert(flow_has(flow_log_text(), LOST("silent", "0", "1")));
}
END_TEST

/* The record is there when the loop goes on, and the time is over as well. */
START_TEST(streams_stalled_loop_does_not_take_the_server_for_silent)
{
    static const struct slice record = SLICE_INIT("{\"n\":1}\n");
    flow.options.silence_ms = 50;
    flow_open();
    flow_go();
    ck_assert_int_gt(send(flow_peer("a")->fd, record.ptr, record.len, MSG_NOSIGNAL), 0);
    for (double end = ev_time() + 0.06; ev_time() < end;) {
        /* the loop is held up for longer than the server may be silent */
    }
    flow_await("record");
    ck_told("@ali 1 record a {\"n\":1}\n");
    ck_text_empty(flow_log_text());
}
END_TEST

START_TEST(streams_record_over_the_limit_is_a_loss)
{
    flow.options.record_bytes_max = 10;
    flow_open();
    flow_go();
    stream_peer_say(flow_peer("a"), SLICE("{\"n\":1234}\n{\"n\":12345}\n{}\n"));
    flow_await("subscribed");
    ck_told("@ali 1 record a {\"n\":1234}\n@ali 1 subscribed a \n");
    ck_assert(flow_has(flow_log_text(), LOST("\"record over the limit\"", "200", "1")));
}
END_TEST

START_TEST(streams_record_without_end_is_a_loss)
{
    char *text = arena_alloc(flow.arena, LINK_MESSAGE_BYTES_MAX + 1);
    memset(text, ' ', LINK_MESSAGE_BYTES_MAX + 1);
    flow_go();
    struct stream_peer *peer = flow_peer("a");
    stream_peer_say(peer, slice_make(text, LINK_MESSAGE_BYTES_MAX));
    flow_rounds();
    ck_told("");
    stream_peer_say(peer, slice_make(text, 1));
    flow_await("subscribed");
    ck_told("@ali 1 subscribed a \n");
    ck_assert(flow_has(flow_log_text(), LOST("\"record over the limit\"", "200", "1")));
}
END_TEST

START_TEST(streams_record_of_the_limit_is_taken)
{
    char *text = arena_alloc(flow.arena, LINK_MESSAGE_BYTES_MAX + 1);
    memset(text, ' ', LINK_MESSAGE_BYTES_MAX);
    memcpy(text, "{}", 2);
    text[LINK_MESSAGE_BYTES_MAX] = '\n';
    flow_go();
    stream_peer_say(flow_peer("a"), slice_make(text, LINK_MESSAGE_BYTES_MAX + 1));
    flow_await("record");
    ck_told("@ali 1 record a {}\n");
}
END_TEST

/* Statuses */

START_TEST(streams_401_ends_the_whole_owner)
{
    flow_go();
    flow_start(BOB);
    flow_subscribe(BOB, ROOM_B);
    flow_await("@bob 2 subscribed b");
    buf_init(&flow.told, flow.arena);
    const struct stream_peer *first = flow_peer("a");
    const struct stream_peer *other = flow_peer("b");
    flow.answer =
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 24\r\n\r\n{\"error\":\"Unauthorized\"}";
    flow_subscribe(ALICE, ROOM_B);
    flow_subscribe(ALICE, SLICE("/api/v1/rooms/c/chatMessages"));
    flow_await("down");
    flow_await_gone(first);
    flow_rounds();
    ck_told("@ali 1 down REFUSED 401 Unauthorized.\n");
    ck_assert_uint_eq(streams_count(flow.streams), 1);
    ck_assert_int_ge(other->fd, 0);
    flow.answer = HEAD_PLAIN;
    ck_assert_int_eq(flow_start(ALICE), 3);
    flow_await("@ali 3 up");
}
END_TEST

static const struct {
    const char *answer;
    const char *told;
} refusals[] = {
    {"HTTP/1.1 403 Forbidden\r\n\r\n", "@ali 1 subscribed a 403 Forbidden.\n"},
    {"HTTP/1.1 404 Nothing secret\r\n\r\n", "@ali 1 subscribed a 404 Not Found.\n"},
};

START_TEST(streams_refused_room_is_told_and_not_asked_again)
{
    flow.answer = refusals[_i].answer;
    flow_start(ALICE);
    flow_await("up");
    buf_init(&flow.told, flow.arena);
    flow_subscribe(ALICE, ROOM_A);
    flow_await("subscribed");
    flow_rounds();
    ck_slice_eq(buf_slice(&flow.told), slice_from_cstr(refusals[_i].told));
    ck_assert_uint_eq(flow.accepted, 1);
    flow.answer = HEAD_PLAIN;
    flow_subscribe(ALICE, ROOM_A);
    flow_await("subscribed a \n");
}
END_TEST

static void enter_again(void)
{
    flow.in_subscribed = NULL;
    flow.answer = HEAD_PLAIN;
    streams_subscribe(flow.streams, ALICE, ROOM_A, SLICE_EMPTY);
}

START_TEST(streams_subscribe_within_a_refusal_asks_again)
{
    flow.answer = refusals[0].answer;
    flow.in_subscribed = enter_again;
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await("subscribed a \n");
    ck_told("@ali 1 up\n@ali 1 subscribed a 403 Forbidden.\n@ali 1 subscribed a \n");
}
END_TEST

static const struct {
    const char *answer;
    const char *logged;
} losses[] = {
    {"HTTP/1.1 204 No Content\r\n\r\n", LOST("status", "204", "1")},
    {"HTTP/1.1 301 Moved\r\nLocation: /v1/rooms/b/chatMessages\r\n\r\n",
     LOST("status", "301", "1")},
    {"HTTP/1.1 400 Bad\r\n\r\n", LOST("status", "400", "1")},
    {"HTTP/1.1 429 Many\r\nRetry-After: 7\r\n\r\n", LOST("status", "429", "1")},
    {"HTTP/1.1 500 Broken\r\nContent-Length: 9\r\n\r\n{\"a\":1}\r\n", LOST("status", "500", "1")},
    {"HTTP/1.1 502 Bad Gateway\r\n\r\n{\"a\":1}\n", LOST("status", "502", "1")},
    {"HTTP/1.1 503 Off\r\nTransfer-Encoding: chunked\r\n\r\n", LOST("status", "503", "1")},
    {"{\"a\":1}\n", "stream_lost"},
};

START_TEST(streams_any_other_status_is_a_loss)
{
    flow.answer = losses[_i].answer;
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await_log(losses[_i].logged);
    flow.answer = HEAD_PLAIN;
    flow_await("subscribed");
    flow_rounds();
    ck_told("@ali 1 up\n@ali 1 subscribed a \n");
    ck_assert_ptr_null(flow_peer("b"));
}
END_TEST

START_TEST(streams_closed_port_is_tried_again)
{
    ev_io_stop(flow.loop, &flow.accept_io);
    close(flow.listen_fd);
    flow.listen_fd = dup(STDERR_FILENO);
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await_log("again_ms=2\n");
    flow_stop(ALICE);
    flow_await("down");
    ck_told("@ali 1 up\n@ali 1 subscribed a lost\n@ali 1 down STOPPED stopped\n");
}
END_TEST

/* Pauses */

START_TEST(streams_pauses_double_up_to_the_longest)
{
    flow.answer = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await_requests(6);
    const struct slice log = flow_log_text();
    ck_assert_uint_eq(flow_count(log, "again_ms=1\n"), 1);
    ck_assert_uint_eq(flow_count(log, "again_ms=2\n"), 1);
    ck_assert_uint_eq(flow_count(log, "again_ms=4\n"), 1);
    ck_assert_uint_ge(flow_count(log, "again_ms=8\n"), 2);
    ck_assert_uint_eq(flow_count(log, "again_ms="), flow_count(log, "\n"));
}
END_TEST

START_TEST(streams_pause_is_between_half_and_all)
{
    flow.options.retry_first_ms = 20;
    flow.options.retry_last_ms = 20;
    flow_open();
    flow.answer = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await_log("again_ms=10\n");
    /* 0x03030303 % 11 is 10, 0xffffffff % 11 is 3 */
    flow.random_byte = 0x03;
    flow_await_log("again_ms=20\n");
    flow.random_byte = 0xff;
    flow_await_log("again_ms=13\n");
}
END_TEST

START_TEST(streams_that_open_and_end_at_once_pause_longer_each_time)
{
    flow_go();
    stream_peer_cut(flow_peer("a"));
    flow_await_log("again_ms=1\n");
    flow_await("subscribed");
    buf_init(&flow.told, flow.arena);
    stream_peer_cut(flow_peer("a"));
    flow_await_log("again_ms=2\n");
    flow_await("subscribed");
}
END_TEST

START_TEST(streams_that_lasted_pause_shortly)
{
    flow.options.steady_ms = 1;
    flow_open();
    flow_go();
    for (int i = 0; i < 3; i++) {
        flow_rounds();
        buf_init(&flow.told, flow.arena);
        stream_peer_cut(flow_peer("a"));
        flow_await("subscribed");
    }
    ck_assert_uint_eq(flow_count(flow_log_text(), "again_ms=1\n"), 3);
}
END_TEST

START_TEST(streams_subscribe_within_a_pause_does_not_shorten_it)
{
    flow.options.retry_first_ms = 3600 * 1000;
    flow.options.retry_last_ms = 3600 * 1000;
    flow_open();
    flow_go();
    stream_peer_cut(flow_peer("a"));
    flow_await_log("again_ms=1800000\n");
    flow_subscribe(ALICE, ROOM_A);
    flow_rounds();
    ck_told("");
    ck_assert_uint_eq(flow.accepted, 1);
    flow_unsubscribe(ALICE, ROOM_A);
    flow_subscribe(ALICE, ROOM_A);
    flow_await("subscribed");
}
END_TEST

/* Many */

static struct slice room_channel(int number)
{
    return arena_printf(flow.arena, "/api/v1/rooms/r%03d/chatMessages", number);
}

static void subscribe_many(void)
{
    for (int i = 0; i < ROOMS_MANY; i++) {
        flow_subscribe(ALICE, room_channel(i));
    }
}

START_TEST(streams_of_many_rooms_all_open_and_all_close)
{
    flow_start(ALICE);
    subscribe_many();
    flow_await_requests(ROOMS_MANY);
    for (int i = 0; i < ROOMS_MANY; i++) {
        flow_await(arena_printf(flow.arena, "subscribed r%03d \n", i).ptr);
    }
    buf_init(&flow.told, flow.arena);
    flow_stop(ALICE);
    flow_await("down");
    const struct stream_peer *peer = NULL;
    TAILQ_FOREACH(peer, &flow.peers, entry)
    {
        flow_await_gone(peer);
    }
    ck_told("@ali 1 down STOPPED stopped\n");
}
END_TEST

START_TEST(streams_stop_while_many_connect_leaves_nothing)
{
    flow_start(ALICE);
    subscribe_many();
    flow_await_accepted(1);
    flow_stop(ALICE);
    flow_await("down");
    flow_rounds();
    ck_assert_uint_le(flow.accepted, LINK_STARTS_MAX);
    ck_told("@ali 1 up\n@ali 1 down STOPPED stopped\n");
    ck_assert_uint_eq(streams_count(flow.streams), 0);
}
END_TEST

START_TEST(streams_close_while_many_are_in_every_state_is_quiet)
{
    flow_start(ALICE);
    subscribe_many();
    flow_await("subscribed r000");
    stream_peer_cut(flow_peer("r000"));
    flow_await_log("stream_lost");
    flow_start(BOB);
    flow_stop(ALICE);
    buf_init(&flow.told, flow.arena);
    flow.is_in_call = true;
    streams_close(flow.streams);
    flow.streams = NULL;
    flow_rounds();
    ck_told("");
}
END_TEST

/* Tokens */

static const char *const bad_tokens[] = {"", "secret 1", "secret\r\nX: 1", "secret\t",
                                         "secr\xc3\xa4t"};

START_TEST(streams_token_that_is_no_header_is_refused)
{
    flow.is_in_call = true;
    ck_assert_int_eq(streams_start(flow.streams, ALICE, slice_from_cstr(bad_tokens[_i])), 1);
    flow.is_in_call = false;
    flow_subscribe(ALICE, ROOM_A);
    flow_await("down");
    flow_rounds();
    ck_told("@ali 1 down REFUSED the token cannot be a header\n");
    ck_assert_uint_eq(flow.accepted, 0);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *case_losses(void)
{
    TCase *tcase = tcase_create("losses");
    tcase_add_checked_fixture(tcase, flow_setup, flow_teardown);
    tcase_add_test(tcase, streams_reset_is_followed_by_a_new_stream);
    tcase_add_test(tcase, streams_end_is_followed_by_a_new_stream_without_the_half_record);
    tcase_add_test(tcase, streams_last_chunk_ends_the_stream_and_another_follows);
    tcase_add_test(tcase, streams_broken_chunk_is_a_loss);
    tcase_add_test(tcase, streams_loss_of_one_room_leaves_the_others);
    tcase_add_test(tcase, streams_silent_server_is_left_for_a_new_stream);
    tcase_add_test(tcase, streams_server_without_answer_is_left_for_a_new_stream);
    tcase_add_test(tcase, streams_stalled_loop_does_not_take_the_server_for_silent);
    tcase_add_test(tcase, streams_record_over_the_limit_is_a_loss);
    tcase_add_test(tcase, streams_record_without_end_is_a_loss);
    tcase_add_test(tcase, streams_record_of_the_limit_is_taken);
    return tcase;
}

static TCase *case_statuses(void)
{
    TCase *tcase = tcase_create("statuses");
    tcase_add_checked_fixture(tcase, flow_setup, flow_teardown);
    tcase_add_test(tcase, streams_401_ends_the_whole_owner);
    tcase_add_loop_test(tcase, streams_refused_room_is_told_and_not_asked_again, 0,
                        COUNT(refusals));
    tcase_add_test(tcase, streams_subscribe_within_a_refusal_asks_again);
    tcase_add_loop_test(tcase, streams_any_other_status_is_a_loss, 0, COUNT(losses));
    tcase_add_test(tcase, streams_closed_port_is_tried_again);
    tcase_add_loop_test(tcase, streams_token_that_is_no_header_is_refused, 0, COUNT(bad_tokens));
    return tcase;
}

static TCase *case_pauses(void)
{
    TCase *tcase = tcase_create("pauses");
    tcase_add_checked_fixture(tcase, flow_setup, flow_teardown);
    tcase_add_test(tcase, streams_pauses_double_up_to_the_longest);
    tcase_add_test(tcase, streams_pause_is_between_half_and_all);
    tcase_add_test(tcase, streams_that_open_and_end_at_once_pause_longer_each_time);
    tcase_add_test(tcase, streams_that_lasted_pause_shortly);
    tcase_add_test(tcase, streams_subscribe_within_a_pause_does_not_shorten_it);
    tcase_add_test(tcase, streams_of_many_rooms_all_open_and_all_close);
    tcase_add_test(tcase, streams_stop_while_many_connect_leaves_nothing);
    tcase_add_test(tcase, streams_close_while_many_are_in_every_state_is_quiet);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("streams_losses");
    suite_add_tcase(suite, case_losses());
    suite_add_tcase(suite, case_statuses());
    suite_add_tcase(suite, case_pauses());
    return run_suite(suite);
}
