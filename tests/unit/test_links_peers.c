/* Links against Bayeux servers that nobody here wrote: that of npm faye, plain and behind TLS, and
 * the simulated Gitter, which stands on Gitter's own fork of it. */
#include "runtime/links.h"

#include "codecs/json.h"
#include "runtime/base/limits.h"
#include "tests/unit/links_peer.h"
#include "tests/unit/slice_check.h"
#include "tests/unit/websocket_fake.h"

#include <signal.h>
#include <string.h>

enum {
    BURST = 500,
    BIG_BYTES = 90 * 1000,
    BIG_COUNT = 30,
    MANY = 2 * LINK_STARTS_MAX,
};

static struct ev_loop *loop;
static struct arena *arena;
static struct peer server; /* the one with the side for tests */
static struct peer tls;
static struct links *links;
static struct links_options options;
static struct buf told; /* events but records, one a line */
static struct slice wanted;
static struct slice token;

static int64_t records;    /* received */
static int64_t last_n;     /* of the last record: see record_number */
static int64_t disordered; /* records whose number was not the next */
static size_t last_len;

#define ALICE SLICE("@alice:example.org")

static void note_up(void *context, struct link_id id, struct slice user_id)
{
    (void)context;
    buf_printf(&told, "%lld up %.*s\n", (long long)id.session, SLICE_ARGS(user_id));
}

static void note_down(
    void *context, struct link_id id, enum link_end why, struct slice detail, int64_t retry_ms)
{
    (void)context;
    buf_printf(&told, "%lld down %s %lld\n", (long long)id.session, link_end_name(why),
               (long long)retry_ms);
    ck_assert_uint_eq(slice_find(detail, token), detail.len);
}

static void note_subscribed(void *context,
                            struct link_id id,
                            struct slice channel,
                            struct slice snapshot,
                            struct slice error)
{
    (void)context;
    (void)channel;
    buf_printf(&told, "%lld subscribed %.*s %.*s\n", (long long)id.session, SLICE_ARGS(snapshot),
               SLICE_ARGS(error));
}

/* The number in {"n":5} or in the text of {"operation":"create","model":{"text":"5"}}; -1: none. */
static int64_t record_number(struct slice data)
{
    struct json *root = NULL;
    int64_t number = -1;
    ck_rc_eq(json_parse(arena, data, &root), RC_OK);
    const struct json *model = json_get(root, SLICE("model"));
    if (model == NULL) {
        return json_get_int(root, SLICE("n"), -1);
    }
    return slice_to_int(json_get_text(model, SLICE("text")), &number) == RC_OK ? number : -1;
}

static void note_record(void *context, struct link_id id, struct slice channel, struct slice data)
{
    (void)context;
    (void)id;
    const int64_t number = record_number(data);
    ck_assert_uint_gt(channel.len, 0);
    records++;
    disordered += number == last_n + 1 ? 0 : 1;
    last_n = number;
    last_len = data.len;
}

static void note_gap(void *context, struct link_id id)
{
    (void)context;
    buf_printf(&told, "%lld gap\n", (long long)id.session);
}

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    loop = ev_loop_new(EVFLAG_AUTO);
    arena = arena_open(65536);
    buf_init(&told, arena);
    links = NULL;
    server.pid = 0;
    tls.pid = 0;
    records = 0;
    last_n = 0;
    disordered = 0;
    options = (struct links_options){
        .loop = loop,
        .events = {.on_up = note_up,
                   .on_down = note_down,
                   .on_subscribed = note_subscribed,
                   .on_record = note_record,
                   .on_gap = note_gap},
    };
}

static void teardown(void)
{
    links_close(links);
    peer_stop(&server);
    peer_stop(&tls);
    arena_close(arena);
    ev_loop_destroy(loop);
}

static void open_links(const char *scheme, int port)
{
    options.faye_url = arena_printf(arena, "%s://127.0.0.1:%d/bayeux", scheme, port);
    ck_rc_eq(links_open(&options, &links), RC_OK);
}

static void setup_faye(void)
{
    static const char *const argv[] = {
        "tests/gitter/faye-server.js", "--token", "tok-1", "--user-id", "u1", NULL};
    setup();
    token = SLICE("tok-1");
    peer_start(&server, arena, argv);
    open_links("ws", server.port);
}

static void setup_tls(void)
{
    setup_faye();
    links_close(links);
    const struct slice port = arena_printf(arena, "%d", server.port);
    const char *const argv[] = {"tests/faye/tls.js", port.ptr, NULL};
    peer_start(&tls, arena, argv);
    options.ca_file = SLICE("tests/faye/cert.pem");
    open_links("wss", tls.port);
}

static struct slice post(const char *path, struct slice json)
{
    return peer_post(&server, path, json);
}

static const struct json *parsed(struct slice text)
{
    struct json *root = NULL;
    ck_rc_eq(json_parse(arena, text, &root), RC_OK);
    return root;
}

static void setup_gitter(void)
{
    static const char *const argv[] = {"tests/gitter/main.js",   "--port", "0", "--seed-file",
                                       "tests/gitter/demo.json", NULL};
    setup();
    peer_start(&server, arena, argv);
    token = json_get_text(parsed(post("token", SLICE("{\"user\":\"alice\"}"))), SLICE("token"));
    ck_assert_uint_gt(token.len, 0);
    open_links("ws", server.port);
}

static bool is_told(void *context)
{
    const struct slice all = buf_slice(&told);
    (void)context;
    return slice_find(all, wanted) < all.len;
}

static void await_told(struct slice text)
{
    wanted = text;
    fake_run_until(loop, is_told, NULL);
}

#define AWAIT(literal) await_told(SLICE(literal))
#define ck_told(literal) ck_text_eq(buf_slice(&told), literal)

static bool has_records(void *context)
{
    return records >= *(const int64_t *)context;
}

static void await_records(int64_t count)
{
    fake_run_until(loop, has_records, &count);
    ck_assert_int_eq(records, count);
    ck_assert_int_eq(disordered, 0);
}

static void subscribe(struct slice channel, struct slice snapshot)
{
    links_subscribe(links, ALICE, channel, snapshot);
    AWAIT("subscribed");
}

static void publish(int from, int count)
{
    for (int i = from; i < from + count; i++) {
        (void)post("publish",
                   arena_printf(arena, "{\"channel\":\"/api/v1/x\",\"data\":{\"n\":%d}}", i));
    }
}

START_TEST(links_faye_burst_arrives_whole_and_in_order_after_the_snapshot)
{
    (void)post("snapshot", SLICE("{\"channel\":\"/api/v1/x\",\"snapshot\":[{\"id\":\"m1\"}]}"));
    ck_assert_int_eq(links_start(links, ALICE, token), 1);
    subscribe(SLICE("/api/v1/x"), SLICE("true"));
    publish(1, BURST);
    await_records(BURST);
    ck_told("1 up u1\n1 subscribed [{\"id\":\"m1\"}] \n");
}
END_TEST

START_TEST(links_faye_cut_is_told_and_the_next_link_works)
{
    (void)links_start(links, ALICE, token);
    subscribe(SLICE("/api/v1/x"), SLICE_EMPTY);
    (void)post("cut", SLICE("{}"));
    AWAIT("1 down");
    (void)links_start(links, ALICE, token);
    links_subscribe(links, ALICE, SLICE("/api/v1/x"), SLICE_EMPTY);
    AWAIT("2 subscribed");
    publish(1, 3);
    await_records(3);
    ck_told("1 up u1\n1 subscribed  \n1 down CLOSED 0\n2 up u1\n2 subscribed  \n");
}
END_TEST

START_TEST(links_faye_wrong_token_is_refused)
{
    (void)links_start(links, ALICE, SLICE("tok-2"));
    AWAIT("down");
    ck_told("1 down REFUSED 0\n");
}
END_TEST

START_TEST(links_faye_server_that_dies_is_told_and_then_unreachable)
{
    (void)links_start(links, ALICE, token);
    AWAIT("up");
    peer_stop(&server);
    AWAIT("down");
    (void)links_start(links, ALICE, token);
    AWAIT("2 down");
    ck_told("1 up u1\n1 down CLOSED 0\n2 down UNREACHABLE 0\n");
}
END_TEST

START_TEST(links_faye_unsubscribed_channel_is_quiet)
{
    (void)links_start(links, ALICE, token);
    subscribe(SLICE("/api/v1/x"), SLICE_EMPTY);
    links_unsubscribe(links, ALICE, SLICE("/api/v1/x"));
    buf_init(&told, arena);
    subscribe(SLICE("/api/v1/y"), SLICE_EMPTY);
    publish(7, 1);
    (void)post("publish", SLICE("{\"channel\":\"/api/v1/y\",\"data\":{\"n\":1}}"));
    await_records(1);
}
END_TEST

static bool are_all_up(void *context)
{
    (void)context;
    return links_count_up(links) == MANY;
}

START_TEST(links_faye_many_links_come_up_and_all_hear)
{
    for (int i = 0; i < MANY; i++) {
        const struct slice owner = arena_printf(arena, "@owner%d:example.org", i);
        (void)links_start(links, owner, token);
        links_subscribe(links, owner, SLICE("/api/v1/x"), SLICE_EMPTY);
    }
    fake_run_until(loop, are_all_up, NULL);
    await_told(arena_printf(arena, "%d subscribed", MANY));
    publish(1, 1);
    int64_t count = MANY;
    fake_run_until(loop, has_records, &count);
    ck_assert_int_eq(records, MANY);
    for (int i = 0; i < MANY; i++) {
        links_stop(links, arena_printf(arena, "@owner%d:example.org", i));
    }
    await_told(arena_printf(arena, "%d down STOPPED", MANY));
    ck_assert_uint_eq(links_count(links), 0);
}
END_TEST

START_TEST(links_tls_burst_arrives_whole_and_in_order)
{
    (void)links_start(links, ALICE, token);
    subscribe(SLICE("/api/v1/x"), SLICE_EMPTY);
    publish(1, BURST);
    await_records(BURST);
    ck_told("1 up u1\n1 subscribed  \n");
}
END_TEST

/* The control side takes 100 kB at most; nothing is read before all of them are there. */
START_TEST(links_tls_big_messages_are_read_to_their_end)
{
    char *text = arena_alloc(arena, BIG_BYTES);
    memset(text, 'x', BIG_BYTES);
    (void)links_start(links, ALICE, token);
    subscribe(SLICE("/api/v1/x"), SLICE_EMPTY);
    for (int i = 1; i <= BIG_COUNT; i++) {
        (void)post("publish",
                   arena_printf(arena,
                                "{\"channel\":\"/api/v1/x\",\"data\":{\"n\":%d,\"x\":\"%.*s\"}}", i,
                                BIG_BYTES, text));
    }
    await_records(BIG_COUNT);
    ck_assert_uint_gt(last_len, BIG_BYTES);
}
END_TEST

START_TEST(links_tls_unknown_authority_is_unreachable)
{
    links_close(links);
    options.ca_file = SLICE_EMPTY;
    open_links("wss", tls.port);
    (void)links_start(links, ALICE, token);
    AWAIT("down");
    ck_told("1 down UNREACHABLE 0\n");
}
END_TEST

/* The id of a room by its URI, as the side for tests tells it. */
static struct slice room_id(const char *uri)
{
    const struct slice path = arena_printf(arena, "room?room=%s", uri);
    const struct slice id = json_get_text(parsed(peer_get(&server, path.ptr)), SLICE("id"));
    ck_assert_uint_gt(id.len, 0);
    return id;
}

static struct slice chat_channel(const char *uri)
{
    return arena_printf(arena, "/api/v1/rooms/%.*s/chatMessages", SLICE_ARGS(room_id(uri)));
}

static void post_many(int count)
{
    struct buf text;
    buf_init(&text, arena);
    BUF_PUT(&text, "{\"room\":\"gitterHQ/gitter\",\"user\":\"bob\",\"texts\":[");
    for (int i = 1; i <= count; i++) {
        buf_printf(&text, "%s\"%d\"", i == 1 ? "" : ",", i);
    }
    BUF_PUT(&text, "]}");
    (void)post("post-many", buf_slice(&text));
}

static void gitter_up(void)
{
    (void)links_start(links, ALICE, token);
    AWAIT("up ");
    /* the id behind it is another one each time */
    buf_init(&told, arena);
}

START_TEST(links_gitter_burst_arrives_whole_and_in_order)
{
    gitter_up();
    subscribe(chat_channel("gitterHQ/gitter"), SLICE_EMPTY);
    post_many(BURST);
    await_records(BURST);
    ck_told("1 subscribed  \n");
}
END_TEST

START_TEST(links_gitter_snapshot_has_the_last_messages)
{
    gitter_up();
    subscribe(chat_channel("gitterHQ/gitter"), SLICE("{\"limit\":2}"));
    const struct slice all = buf_slice(&told);
    ck_assert(slice_starts_with(all, SLICE("1 subscribed [{")));
    ck_assert_uint_lt(slice_find(all, SLICE("hello :smile:")), all.len);
    ck_assert_uint_eq(slice_find(all, SLICE("Good morning")), all.len);
}
END_TEST

START_TEST(links_gitter_up_says_who_this_is)
{
    (void)links_start(links, ALICE, token);
    AWAIT("up ");
    struct slice line = buf_slice(&told);
    line = slice_trim(slice_from(line, SLICE("1 up ").len));
    ck_assert_uint_eq(line.len, 24);
    buf_init(&told, arena);
    subscribe(arena_printf(arena, "/api/v1/user/%.*s/rooms", SLICE_ARGS(line)), SLICE("true"));
    const struct slice all = buf_slice(&told);
    ck_assert(slice_starts_with(all, SLICE("1 subscribed [{")));
    ck_assert_uint_lt(slice_find(all, SLICE("gitterHQ/gitter")), all.len);
}
END_TEST

START_TEST(links_gitter_room_without_access_is_an_error)
{
    (void)post("room",
               SLICE("{\"uri\":\"walkers/closed\",\"public\":false,\"members\":[\"bob\"]}"));
    gitter_up();
    subscribe(chat_channel("walkers/closed"), SLICE_EMPTY);
    ck_told("1 subscribed  403 Authorisation denied.\n");
}
END_TEST

START_TEST(links_gitter_lost_delivery_is_a_gap)
{
    gitter_up();
    subscribe(chat_channel("gitterHQ/gitter"), SLICE_EMPTY);
    post_many(3);
    await_records(3);
    (void)post("faye/lose", SLICE("{\"count\":2}"));
    post_many(5);
    AWAIT("gap");
    ck_told("1 subscribed  \n1 gap\n");
}
END_TEST

START_TEST(links_gitter_forgotten_client_is_closed_with_a_delay)
{
    gitter_up();
    (void)post("faye/forget", SLICE("{}"));
    links_subscribe(links, ALICE, chat_channel("gitterHQ/gitter"), SLICE_EMPTY);
    AWAIT("down CLOSED");
    gitter_up();
}
END_TEST

START_TEST(links_gitter_revoked_token_is_closed_and_then_refused)
{
    gitter_up();
    (void)post("revoke", SLICE("{\"user\":\"alice\"}"));
    AWAIT("1 down CLOSED 0\n");
    (void)links_start(links, ALICE, token);
    AWAIT("2 down");
    ck_told("1 down CLOSED 0\n2 down REFUSED 864000000\n");
}
END_TEST

START_TEST(links_gitter_that_refuses_connections_is_unreachable)
{
    (void)post("faye/refuse", SLICE("{\"ms\":60000}"));
    (void)links_start(links, ALICE, token);
    AWAIT("down");
    ck_told("1 down UNREACHABLE 0\n");
    (void)post("faye/refuse", SLICE("{\"ms\":0}"));
    gitter_up();
}
END_TEST

static TCase *with_peer(Suite *suite, const char *name, void (*begin)(void))
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, begin, teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *peers_suite(void)
{
    Suite *suite = suite_create("links_peers");
    TCase *faye = with_peer(suite, "npm faye", setup_faye);
    tcase_add_test(faye, links_faye_burst_arrives_whole_and_in_order_after_the_snapshot);
    tcase_add_test(faye, links_faye_cut_is_told_and_the_next_link_works);
    tcase_add_test(faye, links_faye_wrong_token_is_refused);
    tcase_add_test(faye, links_faye_server_that_dies_is_told_and_then_unreachable);
    tcase_add_test(faye, links_faye_unsubscribed_channel_is_quiet);
    tcase_add_test(faye, links_faye_many_links_come_up_and_all_hear);
    TCase *secure = with_peer(suite, "npm faye over TLS", setup_tls);
    tcase_add_test(secure, links_tls_burst_arrives_whole_and_in_order);
    tcase_add_test(secure, links_tls_big_messages_are_read_to_their_end);
    tcase_add_test(secure, links_tls_unknown_authority_is_unreachable);
    TCase *gitter = with_peer(suite, "simulated Gitter", setup_gitter);
    tcase_add_test(gitter, links_gitter_burst_arrives_whole_and_in_order);
    tcase_add_test(gitter, links_gitter_snapshot_has_the_last_messages);
    tcase_add_test(gitter, links_gitter_up_says_who_this_is);
    tcase_add_test(gitter, links_gitter_room_without_access_is_an_error);
    tcase_add_test(gitter, links_gitter_lost_delivery_is_a_gap);
    tcase_add_test(gitter, links_gitter_forgotten_client_is_closed_with_a_delay);
    tcase_add_test(gitter, links_gitter_revoked_token_is_closed_and_then_refused);
    tcase_add_test(gitter, links_gitter_that_refuses_connections_is_unreachable);
    return suite;
}

int main(void)
{
    return run_suite(peers_suite());
}
