#include "runtime/faye.h"

#include "runtime/base/buf.h"
#include "runtime/base/limits.h"
#include "tests/unit/slice_check.h"

enum {
    SUBSCRIBE_MS = 1000,
    GRACE_MS = 3000,
};

static struct arena *arena;
static struct faye *faye;
static struct buf sent; /* all that was sent, with '!' before a secret */
static struct buf told; /* all events, one a line */
static int64_t now_ms;
static bool stops_in_record;

static void on_send(void *context, struct slice text, bool is_secret)
{
    (void)context;
    buf_printf(&sent, "%s%.*s\n", is_secret ? "!" : "", SLICE_ARGS(text));
}

static void on_up(void *context, struct slice user_id)
{
    (void)context;
    buf_printf(&told, "up %.*s\n", SLICE_ARGS(user_id));
}

static void
on_subscribed(void *context, struct slice channel, struct slice snapshot, struct slice error)
{
    (void)context;
    buf_printf(&told, "subscribed %.*s snapshot=%.*s error=%.*s\n", SLICE_ARGS(channel),
               SLICE_ARGS(snapshot), SLICE_ARGS(error));
}

static void on_record(void *context, struct slice channel, struct slice data)
{
    (void)context;
    buf_printf(&told, "record %.*s %.*s\n", SLICE_ARGS(channel), SLICE_ARGS(data));
    if (stops_in_record) {
        faye_stop(faye);
    }
}

static void on_gap(void *context)
{
    (void)context;
    BUF_PUT(&told, "gap\n");
}

static void on_end(void *context, enum faye_end why, struct slice detail, int64_t retry_ms)
{
    static const char *const names[] = {"lost", "refused", "silent", "protocol"};
    (void)context;
    buf_printf(&told, "end %s %lld %.*s\n", names[why], (long long)retry_ms, SLICE_ARGS(detail));
}

static void setup(void)
{
    static const struct faye_events events = {
        .send = on_send,
        .on_up = on_up,
        .on_subscribed = on_subscribed,
        .on_record = on_record,
        .on_gap = on_gap,
        .on_end = on_end,
    };
    const struct faye_options options = {
        .subscribe_ms = SUBSCRIBE_MS, .grace_ms = GRACE_MS, .events = &events};
    arena = arena_open(4096);
    faye = faye_open(&options);
    buf_init(&sent, arena);
    buf_init(&told, arena);
    now_ms = 5000;
    stops_in_record = false;
}

static void teardown(void)
{
    faye_close(faye);
    arena_close(arena);
}

static struct slice take(struct buf *buf)
{
    const struct slice text = buf_slice(buf);
    buf_init(buf, arena);
    return text;
}

#define ck_sent(literal) ck_text_eq(take(&sent), literal)
#define ck_told(literal) ck_text_eq(take(&told), literal)

static bool has_sent(const char *what)
{
    const struct slice text = buf_slice(&sent);
    return slice_find(text, slice_from_cstr(what)) < text.len;
}

static size_t count_sent(const char *what)
{
    struct slice text = buf_slice(&sent);
    const struct slice wanted = slice_from_cstr(what);
    size_t count = 0;
    for (size_t at = slice_find(text, wanted); at < text.len; at = slice_find(text, wanted)) {
        text = slice_from(text, at + wanted.len);
        count++;
    }
    return count;
}

static void feed(const char *text)
{
    faye_feed(faye, slice_from_cstr(text), now_ms);
}

#define SHAKEN                                                                                     \
    "[{\"channel\":\"/meta/handshake\",\"id\":\"1\",\"successful\":true,\"clientId\":\"C\","       \
    "\"ext\":{\"userId\":\"u1\"},"                                                                 \
    "\"advice\":{\"reconnect\":\"retry\",\"interval\":500,\"timeout\":10000}}]"
#define CONNECTED "[{\"channel\":\"/meta/connect\",\"successful\":true,\"clientId\":\"C\"}]"

static void go_up(void)
{
    faye_begin(faye, SLICE("tok"));
    feed(SHAKEN);
    (void)take(&sent);
    (void)take(&told);
}

START_TEST(faye_handshake_carries_the_token_as_a_secret)
{
    ck_assert(!faye_is_up(faye));
    faye_begin(faye, SLICE("tok\"en"));
    ck_assert(has_sent("![{"));
    ck_assert(has_sent("\"channel\":\"/meta/handshake\""));
    ck_assert(has_sent("\"token\":\"tok\\\"en\""));
    ck_assert(has_sent("\"client\":\"gitterd\""));
    ck_assert_int_eq(faye_deadline(faye), INT64_MAX);
    ck_assert(!faye_is_up(faye));
}
END_TEST

START_TEST(faye_handshake_accepted_connects_at_once_and_is_up)
{
    faye_begin(faye, SLICE("tok"));
    (void)take(&sent);
    feed(SHAKEN);
    ck_told("up u1\n");
    ck_assert(faye_is_up(faye));
    ck_assert_uint_eq(count_sent("/meta/connect"), 1);
    ck_assert(has_sent("\"clientId\":\"C\""));
    ck_assert(has_sent("\"connectionType\":\"websocket\""));
    ck_assert(!has_sent("tok"));
}
END_TEST

#define REFUSAL(channel, error, advice)                                                            \
    "[{\"channel\":\"" channel "\",\"successful\":false,\"error\":\"" error "\"" advice "}]"
#define ADVICE(reconnect, interval)                                                                \
    ",\"advice\":{\"reconnect\":\"" reconnect "\",\"interval\":" interval "}"

static const struct {
    const char *answer;
    const char *event;
} bad_handshakes[] = {
    {REFUSAL("/meta/handshake", "401::Invalid access token", ADVICE("none", "864000000")),
     "end refused 864000000 401 Invalid access token\n"},
    {REFUSAL("/meta/handshake", "401::Access token required", ""),
     "end refused 0 401 Access token required\n"},
    {REFUSAL("/meta/handshake", "401::later", ADVICE("retry", "700")), "end lost 700 401 later\n"},
    {REFUSAL("/meta/handshake", "500::oops", ADVICE("none", "1")), "end lost 1 500 oops\n"},
    {REFUSAL("/meta/handshake", "no colons", ""), "end lost 0 no colons\n"},
    {"[{\"channel\":\"/meta/handshake\"}]", "end lost 0 refused without a reason\n"},
    {"[{\"channel\":\"/meta/handshake\",\"successful\":true}]",
     "end protocol 0 handshake without a client id\n"},
};

START_TEST(faye_handshake_refused_ends_with_its_reason)
{
    faye_begin(faye, SLICE("tok"));
    (void)take(&sent);
    feed(bad_handshakes[_i].answer);
    ck_slice_eq(take(&told), slice_from_cstr(bad_handshakes[_i].event));
    ck_sent("");
    feed(SHAKEN);
    ck_told("");
    ck_assert_int_eq(faye_deadline(faye), INT64_MAX);
}
END_TEST

START_TEST(faye_connect_is_repeated_after_the_interval_for_ever)
{
    go_up();
    for (int round = 0; round < 3; round++) {
        now_ms += 9000;
        feed(CONNECTED);
        ck_sent("");
        ck_assert_int_eq(faye_deadline(faye), now_ms + 500);
        faye_tick(faye, now_ms + 499);
        ck_sent("");
        now_ms += 500;
        faye_tick(faye, now_ms);
        ck_assert_uint_eq(count_sent("/meta/connect"), 1);
        (void)take(&sent);
        faye_tick(faye, now_ms);
        ck_sent("");
    }
    ck_told("");
}
END_TEST

START_TEST(faye_advice_of_a_connect_answer_holds_from_then_on)
{
    go_up();
    feed("[{\"channel\":\"/meta/connect\",\"successful\":true,"
         "\"advice\":{\"reconnect\":\"retry\",\"interval\":0,\"timeout\":2000}}]");
    ck_assert_int_eq(faye_deadline(faye), now_ms);
    faye_tick(faye, now_ms);
    ck_assert_uint_eq(count_sent("/meta/connect"), 1);
    ck_assert_int_eq(faye_deadline(faye), now_ms + 2000 + GRACE_MS);
}
END_TEST

START_TEST(faye_advice_out_of_reason_is_bounded)
{
    go_up();
    feed("[{\"channel\":\"/meta/connect\",\"successful\":true,"
         "\"advice\":{\"interval\":9007199254740993,\"timeout\":9007199254740993}}]");
    ck_assert_int_le(faye_deadline(faye), now_ms + 30 * 1000);
    faye_tick(faye, now_ms + 30 * 1000);
    ck_assert_uint_eq(count_sent("/meta/connect"), 1);
    ck_assert_int_le(faye_deadline(faye), now_ms + 600 * 1000 + GRACE_MS);
}
END_TEST

START_TEST(faye_unknown_client_is_lost_with_the_wish_for_a_delay)
{
    go_up();
    feed(REFUSAL("/meta/connect", "401:C:Unknown client", ADVICE("handshake", "2000")));
    ck_told("end lost 2000 401 Unknown client\n");
    faye_subscribe(faye, SLICE("/a"), SLICE_EMPTY, now_ms);
    faye_unsubscribe(faye, SLICE("/a"));
    faye_stop(faye);
    ck_sent("");
}
END_TEST

START_TEST(faye_silence_over_timeout_and_grace_ends)
{
    go_up();
    ck_assert_int_eq(faye_deadline(faye), now_ms + 10000 + GRACE_MS);
    faye_tick(faye, now_ms + 10000 + GRACE_MS - 1);
    ck_told("");
    faye_tick(faye, now_ms + 10000 + GRACE_MS);
    ck_told("end silent 0 no answer to /meta/connect\n");
}
END_TEST

START_TEST(faye_any_message_puts_silence_off)
{
    go_up();
    now_ms += 9000;
    feed("[]");
    now_ms += 9000;
    feed("[{\"channel\":\"/a\",\"data\":1}]");
    now_ms += 9000;
    faye_tick(faye, now_ms);
    ck_told("record /a 1\n");
}
END_TEST

START_TEST(faye_subscriptions_wait_until_up)
{
    faye_subscribe(faye, SLICE("/a"), SLICE("{\"limit\":5}"), now_ms);
    faye_subscribe(faye, SLICE("/b"), SLICE_EMPTY, now_ms);
    faye_subscribe(faye, SLICE("/c"), SLICE_EMPTY, now_ms);
    faye_unsubscribe(faye, SLICE("/b"));
    faye_begin(faye, SLICE("tok"));
    ck_assert_uint_eq(count_sent("/meta/subscribe"), 0);
    feed(SHAKEN);
    ck_assert_uint_eq(count_sent("/meta/subscribe"), 2);
    ck_assert(has_sent("\"subscription\":\"/a\""));
    ck_assert(has_sent("\"ext\":{\"snapshot\":{\"limit\":5}}"));
    ck_assert(has_sent("\"ext\":{\"snapshot\":false}"));
    ck_assert(!has_sent("/b"));
    ck_assert(!has_sent("/meta/unsubscribe"));
}
END_TEST

START_TEST(faye_subscribe_answers_are_told_with_snapshot_or_error)
{
    go_up();
    faye_subscribe(faye, SLICE("/a"), SLICE("true"), now_ms);
    faye_subscribe(faye, SLICE("/b"), SLICE_EMPTY, now_ms);
    faye_subscribe(faye, SLICE("/c"), SLICE_EMPTY, now_ms);
    feed("[{\"channel\":\"/meta/subscribe\",\"id\":\"4\",\"successful\":false,"
         "\"subscription\":\"/b\",\"error\":\"403::Authorisation denied.\"},"
         "{\"channel\":\"/meta/subscribe\",\"successful\":true,\"subscription\":\"/c\"},"
         "{\"channel\":\"/meta/subscribe\",\"id\":\"3\",\"successful\":true,"
         "\"subscription\":\"/a\",\"ext\":{\"snapshot\":[{\"id\":\"x\"}, 1]}},"
         "{\"channel\":\"/meta/subscribe\",\"id\":\"3\",\"successful\":true,"
         "\"subscription\":\"/a\"}]");
    ck_told("subscribed /b snapshot= error=403 Authorisation denied.\n"
            "subscribed /c snapshot= error=\n"
            "subscribed /a snapshot=[{\"id\":\"x\"}, 1] error=\n");
}
END_TEST

START_TEST(faye_subscribe_answered_with_new_handshake_is_told_and_lost)
{
    go_up();
    faye_subscribe(faye, SLICE("/a"), SLICE_EMPTY, now_ms);
    feed("[{\"channel\":\"/meta/subscribe\",\"id\":\"3\",\"successful\":false,"
         "\"subscription\":\"/a\",\"error\":\"401::Client C not authenticated\","
         "\"advice\":{\"reconnect\":\"handshake\",\"interval\":0}}]");
    ck_told("subscribed /a snapshot= error=401 Client C not authenticated\n"
            "end lost 0 401 Client C not authenticated\n");
}
END_TEST

START_TEST(faye_subscribe_refused_for_ever_leaves_the_client_alone)
{
    go_up();
    faye_subscribe(faye, SLICE("/a"), SLICE_EMPTY, now_ms);
    feed("[{\"channel\":\"/meta/subscribe\",\"id\":\"3\",\"successful\":false,"
         "\"subscription\":\"/a\",\"error\":\"404::Unknown subscription /a\","
         "\"advice\":{\"reconnect\":\"none\",\"interval\":864000000,\"timeout\":1}}]");
    ck_told("subscribed /a snapshot= error=404 Unknown subscription /a\n");
    ck_assert(faye_is_up(faye));
    ck_assert_int_eq(faye_deadline(faye), now_ms + 10000 + GRACE_MS);
}
END_TEST

START_TEST(faye_subscriptions_under_way_are_bounded_and_all_are_sent_in_order)
{
    go_up();
    for (int i = 0; i < 3 * LINK_SUBSCRIBES_MAX; i++) {
        faye_subscribe(faye, arena_printf(arena, "/n%d", i), SLICE_EMPTY, now_ms);
    }
    ck_assert_uint_eq(count_sent("/meta/subscribe"), LINK_SUBSCRIBES_MAX);
    for (int i = 0; i < 3 * LINK_SUBSCRIBES_MAX; i++) {
        const struct slice answer = arena_printf(
            arena, "[{\"channel\":\"/meta/subscribe\",\"id\":\"%d\",\"successful\":true}]", 3 + i);
        faye_feed(faye, answer, now_ms);
        ck_slice_eq(take(&told), arena_printf(arena, "subscribed /n%d snapshot= error=\n", i));
    }
    ck_assert_uint_eq(count_sent("/meta/subscribe"), 3 * LINK_SUBSCRIBES_MAX);
}
END_TEST

START_TEST(faye_subscribe_without_answer_is_told_and_makes_room)
{
    go_up();
    for (int i = 0; i <= LINK_SUBSCRIBES_MAX; i++) {
        faye_subscribe(faye, arena_printf(arena, "/n%d", i), SLICE_EMPTY, now_ms);
    }
    (void)take(&sent);
    ck_assert_int_eq(faye_deadline(faye), now_ms + SUBSCRIBE_MS);
    faye_tick(faye, now_ms + SUBSCRIBE_MS - 1);
    ck_told("");
    faye_tick(faye, now_ms + SUBSCRIBE_MS);
    ck_assert(slice_starts_with(take(&told), SLICE("subscribed /n0 snapshot= error=no answer\n")));
    ck_assert_uint_eq(count_sent("/meta/subscribe"), 1);
    feed("[{\"channel\":\"/meta/subscribe\",\"id\":\"3\",\"successful\":true}]");
    ck_told("");
}
END_TEST

START_TEST(faye_unsubscribe_is_sent_when_up)
{
    go_up();
    faye_unsubscribe(faye, SLICE("/a"));
    ck_assert_uint_eq(count_sent("/meta/unsubscribe"), 1);
    ck_assert(has_sent("\"subscription\":\"/a\""));
}
END_TEST

#define DELIVERY(channel, data, count)                                                             \
    "{\"channel\":\"" channel "\",\"data\":" data ",\"ext\":{\"c\":" count "}}"

START_TEST(faye_messages_of_one_text_are_handled_in_order)
{
    go_up();
    feed("[" DELIVERY("/a", "{\"n\":1}", "7") "," DELIVERY(
        "/b", "\"two\"",
        "8") ",17,"
             "{\"channel\":\"/meta/connect\",\"successful\":true}," DELIVERY("/a", "3", "9") "]");
    ck_told("record /a {\"n\":1}\nrecord /b \"two\"\nrecord /a 3\n");
    ck_assert_int_eq(faye_deadline(faye), now_ms + 500);
}
END_TEST

START_TEST(faye_hole_in_the_count_is_told_once_and_before_its_record)
{
    go_up();
    feed("[" DELIVERY("/a", "1", "40") "," DELIVERY("/a", "2", "43") "]");
    ck_told("record /a 1\ngap\nrecord /a 2\n");
    feed("[" DELIVERY("/a", "3", "44") "]");
    ck_told("record /a 3\n");
    feed("[" DELIVERY("/b", "4", "46") "]");
    ck_told("gap\nrecord /b 4\n");
    feed("[" DELIVERY("/b", "4", "46") "," DELIVERY("/b", "5", "47") "]");
    ck_told("record /b 4\nrecord /b 5\n");
}
END_TEST

START_TEST(faye_records_without_a_count_show_no_hole)
{
    go_up();
    feed("[" DELIVERY(
        "/a", "1", "1") ",{\"channel\":\"/a\",\"data\":2},"
                        "{\"channel\":\"/a\",\"data\":3,\"ext\":{\"c\":\"9\"}}," DELIVERY("/a", "4",
                                                                                          "2") "]");
    ck_told("record /a 1\nrecord /a 2\nrecord /a 3\nrecord /a 4\n");
}
END_TEST

START_TEST(faye_deliveries_before_the_handshake_are_dropped)
{
    faye_begin(faye, SLICE("tok"));
    feed("[" DELIVERY("/a", "1", "1") "]");
    ck_told("");
}
END_TEST

START_TEST(faye_stop_within_an_event_ends_the_rest_of_the_text)
{
    go_up();
    stops_in_record = true;
    feed("[" DELIVERY("/a", "1", "1") "," DELIVERY("/a", "2", "5") "]");
    ck_told("record /a 1\n");
    ck_assert_uint_eq(count_sent("/meta/disconnect"), 1);
    feed("[" DELIVERY("/a", "3", "9") "]");
    ck_told("");
}
END_TEST

static const char *const bad_texts[] = {"", "nonsense", "[{\"channel\":", "\"text\"", "[1] [2]"};

START_TEST(faye_text_that_is_no_bayeux_ends)
{
    go_up();
    feed(bad_texts[_i]);
    ck_assert(slice_starts_with(take(&told), SLICE("end protocol 0 ")));
}
END_TEST

static const char *const odd_texts[] = {
    "[]",
    "[1,\"x\",null,[]]",
    "[{}]",
    "[{\"channel\":5,\"data\":1}]",
    "[{\"channel\":\"/meta/unknown\",\"successful\":true}]",
    "[{\"channel\":\"/a\"}]",
    "[{\"channel\":\"/meta/subscribe\",\"id\":\"99\",\"successful\":true}]",
    "[{\"channel\":\"/meta/unsubscribe\",\"id\":\"3\",\"successful\":false}]",
    "[{\"channel\":\"/meta/handshake\",\"successful\":true,\"clientId\":\"D\"}]",
};

START_TEST(faye_text_with_nothing_to_do_is_passed_over)
{
    go_up();
    feed(odd_texts[_i]);
    ck_told("");
    ck_sent("");
    ck_assert(faye_is_up(faye));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *with_fixture(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *faye_suite(void)
{
    Suite *suite = suite_create("faye");
    TCase *life = with_fixture(suite, "life");
    tcase_add_test(life, faye_handshake_carries_the_token_as_a_secret);
    tcase_add_test(life, faye_handshake_accepted_connects_at_once_and_is_up);
    tcase_add_loop_test(life, faye_handshake_refused_ends_with_its_reason, 0,
                        COUNT(bad_handshakes));
    tcase_add_test(life, faye_connect_is_repeated_after_the_interval_for_ever);
    tcase_add_test(life, faye_advice_of_a_connect_answer_holds_from_then_on);
    tcase_add_test(life, faye_advice_out_of_reason_is_bounded);
    tcase_add_test(life, faye_unknown_client_is_lost_with_the_wish_for_a_delay);
    tcase_add_test(life, faye_silence_over_timeout_and_grace_ends);
    tcase_add_test(life, faye_any_message_puts_silence_off);
    tcase_add_test(life, faye_stop_within_an_event_ends_the_rest_of_the_text);
    TCase *subs = with_fixture(suite, "subscriptions");
    tcase_add_test(subs, faye_subscriptions_wait_until_up);
    tcase_add_test(subs, faye_subscribe_answers_are_told_with_snapshot_or_error);
    tcase_add_test(subs, faye_subscribe_answered_with_new_handshake_is_told_and_lost);
    tcase_add_test(subs, faye_subscribe_refused_for_ever_leaves_the_client_alone);
    tcase_add_test(subs, faye_subscriptions_under_way_are_bounded_and_all_are_sent_in_order);
    tcase_add_test(subs, faye_subscribe_without_answer_is_told_and_makes_room);
    tcase_add_test(subs, faye_unsubscribe_is_sent_when_up);
    TCase *records = with_fixture(suite, "records");
    tcase_add_test(records, faye_messages_of_one_text_are_handled_in_order);
    tcase_add_test(records, faye_hole_in_the_count_is_told_once_and_before_its_record);
    tcase_add_test(records, faye_records_without_a_count_show_no_hole);
    tcase_add_test(records, faye_deliveries_before_the_handshake_are_dropped);
    tcase_add_loop_test(records, faye_text_that_is_no_bayeux_ends, 0, COUNT(bad_texts));
    tcase_add_loop_test(records, faye_text_with_nothing_to_do_is_passed_over, 0, COUNT(odd_texts));
    return suite;
}

int main(void)
{
    return run_suite(faye_suite());
}
