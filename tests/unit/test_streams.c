#include "tests/unit/stream_rig.h"

#include "tests/unit/slice_check.h"
#include "tests/unit/websocket_fake.h"

enum {
    BURST = 1000,
};

START_TEST(streams_start_reports_up_without_a_connection)
{
    ck_assert_int_eq(flow_start(ALICE), 1);
    ck_assert_int_eq(flow_start(ALICE), 1);
    ck_assert_uint_eq(streams_count(flow.streams), 1);
    ck_told("");
    flow_await("up");
    flow_rounds();
    ck_told("@ali 1 up\n");
    ck_assert_uint_eq(flow.accepted, 0);
}
END_TEST

START_TEST(streams_sessions_begin_where_told_and_grow)
{
    flow.options.session_first = 70;
    flow_open();
    ck_assert_int_eq(flow_start(ALICE), 70);
    ck_assert_int_eq(flow_start(BOB), 71);
    flow_stop(ALICE);
    ck_assert_int_eq(flow_start(ALICE), 72);
    ck_assert_uint_eq(streams_count(flow.streams), 2);
    flow_await("@ali 72 up");
    ck_told("@ali 70 down STOPPED stopped\n@bob 71 up\n@ali 72 up\n");
}
END_TEST

START_TEST(streams_url_must_be_http_without_query)
{
    static const char *const bad[] = {
        "", "ftp://h/v1", "wss://h/v1", "/v1", "http://h?a=b", "http://u:p@h/v1", "http://"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct streams *none = NULL;
        flow.options.stream_url = slice_from_cstr(bad[i]);
        ck_rc_eq(streams_open(&flow.options, &none), RC_BAD_INPUT);
    }
}
END_TEST

START_TEST(streams_request_is_what_gitter_expects)
{
    flow.options.user_agent = SLICE("gitterd/test");
    flow_open();
    flow_go();
    const struct stream_peer *peer = flow_peer("a");
    ck_assert(slice_starts_with(peer->head, SLICE("GET /v1/rooms/a/chatMessages HTTP/1.1\r\n")));
    ck_text_eq(fake_header(peer->head, SLICE("authorization")), "Bearer " TOKEN);
    ck_text_eq(fake_header(peer->head, SLICE("accept")), "application/json");
    ck_text_eq(fake_header(peer->head, SLICE("user-agent")), "gitterd/test");
}
END_TEST

START_TEST(streams_room_id_cannot_leave_its_place_in_the_path)
{
    flow_start(ALICE);
    flow_subscribe(ALICE, SLICE("/api/v1/rooms/..?a#b c/chatMessages"));
    flow_await("subscribed");
    ck_assert_ptr_nonnull(flow_peer("..%3Fa%23b%20c"));
}
END_TEST

START_TEST(streams_other_channels_do_nothing)
{
    flow_start(ALICE);
    flow_subscribe(ALICE, SLICE("/api/v1/user/u1/rooms"));
    flow_subscribe(ALICE, SLICE("/api/v1/rooms//chatMessages"));
    flow_subscribe(ALICE, SLICE("/api/v1/rooms/chatMessages"));
    flow_subscribe(ALICE, SLICE("/api/v1/rooms/a/b/chatMessages"));
    flow_subscribe(ALICE, SLICE("/api/v1/rooms/a/events"));
    flow_unsubscribe(ALICE, SLICE("/api/v1/user/u1/rooms"));
    flow_await("up");
    flow_rounds();
    ck_told("@ali 1 up\n");
    ck_assert_uint_eq(flow.accepted, 0);
}
END_TEST

START_TEST(streams_calls_for_an_owner_without_link_do_nothing)
{
    flow_stop(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_unsubscribe(ALICE, ROOM_A);
    flow_rounds();
    ck_told("");
    ck_assert_uint_eq(flow.accepted, 0);
}
END_TEST

START_TEST(streams_subscribed_comes_with_the_head_alone)
{
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await("subscribed");
    ck_told("@ali 1 up\n@ali 1 subscribed a \n");
    ck_assert_uint_eq(flow.accepted, 1);
}
END_TEST

START_TEST(streams_head_in_single_bytes_behind_a_continue_is_read)
{
    flow.answer = NULL;
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await_requests(1);
    struct stream_peer *peer = flow_peer("a");
    peer->piece = 1;
    stream_peer_say(peer, SLICE("HTTP/1.1 100 Continue\r\n\r\n" HEAD_PLAIN "{\"n\":1}\n"));
    flow_await("record");
    ck_told("@ali 1 up\n@ali 1 subscribed a \n@ali 1 record a {\"n\":1}\n");
}
END_TEST

START_TEST(streams_records_in_the_read_of_the_head_come_behind_it)
{
    flow.answer = HEAD_PLAIN "{\"n\":1}\r\n \n{\"n\":2}\n";
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await("2}");
    ck_told("@ali 1 up\n@ali 1 subscribed a \n@ali 1 record a {\"n\":1}\n"
            "@ali 1 record a {\"n\":2}\n");
}
END_TEST

START_TEST(streams_record_cut_at_every_byte_is_whole)
{
    static const struct slice record =
        SLICE_INIT("{\"id\":\"5\",\"text\":\"\xc3\xa4 \\n \\u20ac\",\"v\":1}");
    static const struct slice line =
        SLICE_INIT("{\"id\":\"5\",\"text\":\"\xc3\xa4 \\n \\u20ac\",\"v\":1}\r\n");
    flow_go();
    struct stream_peer *peer = flow_peer("a");
    for (size_t cut = 0; cut <= line.len; cut++) {
        buf_init(&flow.told, flow.arena);
        stream_peer_say(peer, slice_first(line, cut));
        flow_rounds();
        stream_peer_say(peer, slice_from(line, cut));
        flow_await("record");
        ck_slice_eq(buf_slice(&flow.told),
                    arena_printf(flow.arena, "@ali 1 record a %.*s\n", SLICE_ARGS(record)));
    }
}
END_TEST

START_TEST(streams_chunks_of_any_size_give_the_same_records)
{
    static const struct slice text =
        SLICE_INIT("{\"n\":1}\r\n \n{\"n\":2}\n\r\n{\"n\":3}\n{\"n\":4}\n");
    flow.answer = HEAD_CHUNKED;
    flow_go();
    struct stream_peer *peer = flow_peer("a");
    for (size_t size = 1; size <= text.len; size++) {
        buf_init(&flow.told, flow.arena);
        peer->piece = size % 11;
        stream_peer_say_chunks(peer, text, size);
        flow_await("4}");
        ck_told("@ali 1 record a {\"n\":1}\n@ali 1 record a {\"n\":2}\n"
                "@ali 1 record a {\"n\":3}\n@ali 1 record a {\"n\":4}\n");
    }
}
END_TEST

START_TEST(streams_keep_alives_are_no_records_and_no_losses)
{
    flow_go();
    struct stream_peer *peer = flow_peer("a");
    peer->piece = 1;
    stream_peer_say(peer, SLICE(" \n \n\n\r\n\r\n \r\n\r \r\n\t\n \n"));
    stream_peer_say(peer, SLICE("{}\n"));
    flow_await("record");
    ck_told("@ali 1 record a {}\n");
    ck_assert_uint_eq(flow.accepted, 1);
    ck_text_empty(flow_log_text());
}
END_TEST

START_TEST(streams_what_is_no_object_is_dropped_and_logged)
{
    flow_go();
    stream_peer_say(flow_peer("a"), SLICE("secret words\n[1]\n\"text\"\n{\"half\":\n"
                                          "{},\"operation\":\"remove\"\n{} {}\n{\"n\":1}\n"));
    flow_await("1}");
    ck_told("@ali 1 record a {\"n\":1}\n");
    ck_assert_uint_eq(flow_count(flow_log_text(), "stream_record_dropped"), 6);
}
END_TEST

START_TEST(streams_edit_is_passed_on_as_another_create)
{
    flow_go();
    stream_peer_say(flow_peer("a"),
                    SLICE("{\"id\":\"1\",\"v\":1}\n{\"id\":\"1\",\"v\":2,\"editedAt\":\"x\"}\n"));
    flow_await("editedAt");
    ck_told("@ali 1 record a {\"id\":\"1\",\"v\":1}\n"
            "@ali 1 record a {\"id\":\"1\",\"v\":2,\"editedAt\":\"x\"}\n");
}
END_TEST

START_TEST(streams_burst_comes_whole_and_in_order)
{
    struct buf text;
    struct buf expected;
    buf_init(&text, flow.arena);
    buf_init(&expected, flow.arena);
    for (int i = 0; i < BURST; i++) {
        buf_printf(&text, "{\"n\":%d,\"text\":\"%0*d\"}\n", i, i % 300 + 1, 0);
        buf_printf(&expected, "@ali 1 record a {\"n\":%d,\"text\":\"%0*d\"}\n", i, i % 300 + 1, 0);
    }
    flow_go();
    flow_peer("a")->piece = 5001;
    stream_peer_say(flow_peer("a"), buf_slice(&text));
    flow_await("{\"n\":999,");
    ck_slice_eq(buf_slice(&flow.told), buf_slice(&expected));
}
END_TEST

START_TEST(streams_of_two_owners_in_one_room_have_their_own_tokens)
{
    flow_start(ALICE);
    ck_assert_int_eq(streams_start(flow.streams, BOB, SLICE("secret-tok-2")), 2);
    flow_subscribe(ALICE, ROOM_A);
    flow_await("@ali 1 subscribed a");
    struct stream_peer *first = flow_peer("a");
    flow_subscribe(BOB, ROOM_A);
    flow_subscribe(BOB, ROOM_B);
    flow_await("@bob 2 subscribed a");
    flow_await("@bob 2 subscribed b");
    ck_text_eq(fake_header(first->head, SLICE("authorization")), "Bearer " TOKEN);
    ck_text_eq(fake_header(flow_peer("a")->head, SLICE("authorization")), "Bearer secret-tok-2");
    buf_init(&flow.told, flow.arena);
    flow_stop(ALICE);
    flow_await("down");
    flow_await_gone(first);
    stream_peer_say(flow_peer("a"), SLICE("{\"n\":1}\n"));
    flow_await("record");
    ck_told("@ali 1 down STOPPED stopped\n@bob 2 record a {\"n\":1}\n");
}
END_TEST

START_TEST(streams_subscribe_twice_before_it_is_open_is_one_request)
{
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_subscribe(ALICE, ROOM_A);
    flow_await("subscribed");
    flow_rounds();
    ck_told("@ali 1 up\n@ali 1 subscribed a \n");
    ck_assert_uint_eq(flow.accepted, 1);
}
END_TEST

START_TEST(streams_subscribe_again_when_open_makes_a_new_stream)
{
    flow_go();
    struct stream_peer *old = flow_peer("a");
    flow_subscribe(ALICE, ROOM_A);
    flow_await("subscribed");
    flow_await_gone(old);
    stream_peer_say(flow_peer("a"), SLICE("{\"n\":2}\n"));
    flow_await("record");
    ck_told("@ali 1 subscribed a \n@ali 1 record a {\"n\":2}\n");
}
END_TEST

START_TEST(streams_unsubscribe_closes_the_stream_quietly)
{
    flow_go();
    flow_unsubscribe(ALICE, ROOM_A);
    stream_peer_say(flow_peer("a"), SLICE("{\"n\":2}\n"));
    flow_await_gone(flow_peer("a"));
    flow_rounds();
    ck_told("");
    ck_assert_uint_eq(flow.accepted, 1);
}
END_TEST

START_TEST(streams_unsubscribe_before_the_start_asks_nothing)
{
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_unsubscribe(ALICE, ROOM_A);
    flow_await("up");
    flow_rounds();
    ck_told("@ali 1 up\n");
    ck_assert_uint_eq(flow.requests, 0);
}
END_TEST

START_TEST(streams_unsubscribe_while_connecting_closes)
{
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await_accepted(1);
    flow_unsubscribe(ALICE, ROOM_A);
    flow_await_gone(TAILQ_FIRST(&flow.peers));
    flow_rounds();
    ck_told("@ali 1 up\n");
}
END_TEST

START_TEST(streams_unsubscribe_while_asking_closes)
{
    flow.answer = NULL;
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await_requests(1);
    flow_unsubscribe(ALICE, ROOM_A);
    stream_peer_say(flow_peer("a"), SLICE(HEAD_PLAIN));
    flow_await_gone(flow_peer("a"));
    flow_rounds();
    ck_told("@ali 1 up\n");
}
END_TEST

static void stop_alice(void)
{
    flow.in_record = NULL;
    flow.in_subscribed = NULL;
    flow.in_up = NULL;
    streams_stop(flow.streams, ALICE);
}

static void leave_a(void)
{
    flow.in_record = NULL;
    streams_unsubscribe(flow.streams, ALICE, ROOM_A);
}

static void enter_a(void)
{
    flow.in_record = NULL;
    streams_subscribe(flow.streams, ALICE, ROOM_A, SLICE_EMPTY);
}

START_TEST(streams_stop_within_an_up_is_a_down)
{
    flow.in_up = stop_alice;
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await("down");
    flow_rounds();
    ck_told("@ali 1 up\n@ali 1 down STOPPED stopped\n");
    ck_assert_uint_eq(flow.requests, 0);
}
END_TEST

START_TEST(streams_stop_within_a_subscribed_keeps_back_what_follows)
{
    flow.answer = HEAD_PLAIN "{\"n\":1}\n";
    flow.in_subscribed = stop_alice;
    flow_start(ALICE);
    flow_subscribe(ALICE, ROOM_A);
    flow_await("down");
    flow_rounds();
    ck_told("@ali 1 up\n@ali 1 subscribed a \n@ali 1 down STOPPED stopped\n");
}
END_TEST

START_TEST(streams_stop_within_a_record_keeps_back_what_follows)
{
    flow_go();
    flow.in_record = stop_alice;
    stream_peer_say(flow_peer("a"), SLICE("{\"n\":1}\n{\"n\":2}\n"));
    flow_await("down");
    flow_rounds();
    ck_told("@ali 1 record a {\"n\":1}\n@ali 1 down STOPPED stopped\n");
}
END_TEST

START_TEST(streams_unsubscribe_within_a_record_keeps_back_what_follows)
{
    flow_go();
    flow.in_record = leave_a;
    stream_peer_say(flow_peer("a"), SLICE("{\"n\":1}\n{\"n\":2}\n"));
    flow_await_gone(flow_peer("a"));
    flow_rounds();
    ck_told("@ali 1 record a {\"n\":1}\n");
}
END_TEST

START_TEST(streams_subscribe_within_a_record_makes_a_new_stream)
{
    flow_go();
    flow.in_record = enter_a;
    stream_peer_say(flow_peer("a"), SLICE("{\"n\":1}\n{\"n\":2}\n"));
    flow_await("subscribed");
    ck_told("@ali 1 record a {\"n\":1}\n@ali 1 subscribed a \n");
    ck_assert_uint_eq(flow.accepted, 2);
}
END_TEST

START_TEST(streams_as_transport_do_the_same)
{
    const struct transport transport = streams_transport(flow.streams);
    ck_assert_int_eq(transport.start(transport.context, ALICE, SLICE(TOKEN)), 1);
    ck_assert_uint_eq(transport.count(transport.context), 1);
    transport.subscribe(transport.context, ALICE, ROOM_A, SLICE_EMPTY);
    flow_await("subscribed");
    transport.unsubscribe(transport.context, ALICE, ROOM_A);
    flow_await_gone(flow_peer("a"));
    transport.stop(transport.context, ALICE);
    ck_assert_uint_eq(transport.count(transport.context), 0);
    flow_await("down");
    transport.close(transport.context);
    flow.streams = NULL;
}
END_TEST

static TCase *case_calls(void)
{
    TCase *tcase = tcase_create("calls");
    tcase_add_checked_fixture(tcase, flow_setup, flow_teardown);
    tcase_add_test(tcase, streams_start_reports_up_without_a_connection);
    tcase_add_test(tcase, streams_sessions_begin_where_told_and_grow);
    tcase_add_test(tcase, streams_url_must_be_http_without_query);
    tcase_add_test(tcase, streams_request_is_what_gitter_expects);
    tcase_add_test(tcase, streams_room_id_cannot_leave_its_place_in_the_path);
    tcase_add_test(tcase, streams_other_channels_do_nothing);
    tcase_add_test(tcase, streams_calls_for_an_owner_without_link_do_nothing);
    tcase_add_test(tcase, streams_of_two_owners_in_one_room_have_their_own_tokens);
    tcase_add_test(tcase, streams_subscribe_twice_before_it_is_open_is_one_request);
    tcase_add_test(tcase, streams_subscribe_again_when_open_makes_a_new_stream);
    tcase_add_test(tcase, streams_unsubscribe_closes_the_stream_quietly);
    tcase_add_test(tcase, streams_unsubscribe_before_the_start_asks_nothing);
    tcase_add_test(tcase, streams_unsubscribe_while_connecting_closes);
    tcase_add_test(tcase, streams_unsubscribe_while_asking_closes);
    tcase_add_test(tcase, streams_stop_within_an_up_is_a_down);
    tcase_add_test(tcase, streams_stop_within_a_subscribed_keeps_back_what_follows);
    tcase_add_test(tcase, streams_stop_within_a_record_keeps_back_what_follows);
    tcase_add_test(tcase, streams_unsubscribe_within_a_record_keeps_back_what_follows);
    tcase_add_test(tcase, streams_subscribe_within_a_record_makes_a_new_stream);
    tcase_add_test(tcase, streams_as_transport_do_the_same);
    return tcase;
}

static TCase *case_records(void)
{
    TCase *tcase = tcase_create("records");
    tcase_add_checked_fixture(tcase, flow_setup, flow_teardown);
    tcase_add_test(tcase, streams_subscribed_comes_with_the_head_alone);
    tcase_add_test(tcase, streams_head_in_single_bytes_behind_a_continue_is_read);
    tcase_add_test(tcase, streams_records_in_the_read_of_the_head_come_behind_it);
    tcase_add_test(tcase, streams_record_cut_at_every_byte_is_whole);
    tcase_add_test(tcase, streams_chunks_of_any_size_give_the_same_records);
    tcase_add_test(tcase, streams_keep_alives_are_no_records_and_no_losses);
    tcase_add_test(tcase, streams_what_is_no_object_is_dropped_and_logged);
    tcase_add_test(tcase, streams_edit_is_passed_on_as_another_create);
    tcase_add_test(tcase, streams_burst_comes_whole_and_in_order);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("streams");
    suite_add_tcase(suite, case_calls());
    suite_add_tcase(suite, case_records());
    return run_suite(suite);
}
