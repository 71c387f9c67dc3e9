#include "tests/unit/http_peer.h"
#include "tests/unit/slice_check.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CERTIFICATE TEST_DATA "/tls_certificate.pem"
#define KEY TEST_DATA "/tls_key.pem"

static struct bed bed;

static void setup(void)
{
    struct http_server_options options = {
        .tls_certificate = CERTIFICATE,
        .tls_key = KEY,
    };

    ck_assert_int_eq(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    bed_open(&bed, &options);
}

static void teardown(void)
{
    bed_close(&bed);
    curl_global_cleanup();
}

static void open_again(struct http_limits limits)
{
    http_server_close(bed.server);
    bed.options.limits = limits;
    ck_assert_int_eq(http_server_open(&bed.options, &bed.server), RC_OK);
}

/* One blocking client of somebody else's making, in a thread of its own. */
struct client {
    int port;
    long version;
    const char *body;
    size_t body_len;
    int repeats;
    CURLcode result;
    long status;
    long connects;
    size_t got;
    int is_done; /* atomic */
};

static size_t on_client_data(char *bytes, size_t size, size_t count, void *context)
{
    struct client *client = context;

    (void)bytes;
    client->got += size * count;
    return size * count;
}

static void client_set(CURL *curl, struct client *client)
{
    (void)curl_easy_setopt(curl, CURLOPT_URL, "https://localhost/x?y");
    (void)curl_easy_setopt(curl, CURLOPT_PORT, (long)client->port);
    (void)curl_easy_setopt(curl, CURLOPT_CAINFO, CERTIFICATE);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, client->version);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_client_data);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    if (client->body != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)client->body_len);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, client->body);
    }
}

static void *client_run(void *context)
{
    struct client *client = context;
    CURL *curl = curl_easy_init();

    client_set(curl, client);
    for (int i = 0; i < client->repeats; i++) {
        long connects = 0;

        client->result = curl_easy_perform(curl);
        (void)curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
        client->connects += connects;
    }
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &client->status);
    curl_easy_cleanup(curl);
    __atomic_store_n(&client->is_done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void client_ask(struct client *client)
{
    pthread_t thread;

    client->port = http_server_port(bed.server);
    client->repeats = client->repeats == 0 ? 1 : client->repeats;
    ck_assert_int_eq(pthread_create(&thread, NULL, client_run, client), 0);
    UNTIL(&bed, __atomic_load_n(&client->is_done, __ATOMIC_ACQUIRE) == 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

START_TEST(request_over_tls_is_answered_on_one_connection)
{
    struct client client = {.version = _i == 0 ? (long)CURL_SSLVERSION_TLSv1_2 |
                                                     (long)CURL_SSLVERSION_MAX_TLSv1_2
                                               : (long)CURL_SSLVERSION_TLSv1_3,
                            .repeats = 5};

    client_ask(&client);
    ck_assert_int_eq(client.result, CURLE_OK);
    ck_assert_int_eq(client.status, 200);
    ck_assert_int_eq(client.connects, 1);
    ck_assert_int_eq(bed.requests, 5);
    ck_assert_str_eq(bed.path, "/x");
}
END_TEST

START_TEST(old_tls_is_refused)
{
    struct client client = {.version =
                                (long)CURL_SSLVERSION_TLSv1_1 | (long)CURL_SSLVERSION_MAX_TLSv1_1};

    client_ask(&client);
    ck_assert_int_eq(client.result, CURLE_SSL_CONNECT_ERROR);
    ck_assert_int_eq(bed.heads, 0);
    UNTIL(&bed, http_server_is_idle(bed.server));
}
END_TEST

START_TEST(large_body_and_large_answer_pass)
{
    size_t len = 8U * 1024 * 1024;
    char *body = malloc(len);
    struct client client = {.body = body, .body_len = len, .version = CURL_SSLVERSION_DEFAULT};

    ck_assert_ptr_nonnull(body);
    for (size_t i = 0; i < len; i++) {
        body[i] = (char)(i * 7 + i / 4096);
    }
    bed.answer_body = slice_make(body, len);
    client_ask(&client);
    ck_assert_int_eq(client.result, CURLE_OK);
    ck_assert_uint_eq(client.got, len);
    ck_assert_uint_eq(bed.body_len, len);
    ck_assert_mem_eq(bed.body, body, len);
    free(body);
}
END_TEST

START_TEST(refusal_reaches_the_peer)
{
    size_t len = 100000;
    char *body = calloc(1, len);
    struct client client = {.body = body, .body_len = len, .version = CURL_SSLVERSION_DEFAULT};

    open_again((struct http_limits){.body_bytes_max = 1000});
    client_ask(&client);
    ck_assert_int_eq(client.status, 413);
    ck_assert_int_eq(bed.requests, 0);
    free(body);
}
END_TEST

START_TEST(plain_request_to_a_tls_port_ends_the_connection)
{
    struct peer peer;

    peer_open(&peer, &bed);
    (void)peer_send(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(&bed, peer.is_closed);
    ck_assert_int_eq(bed.heads, 0);
    peer_close(&peer);
}
END_TEST

START_TEST(slow_handshake_ends_the_connection)
{
    struct peer peer;

    open_again((struct http_limits){.header_ms = 50});
    peer_open(&peer, &bed);
    (void)peer_send_bytes(&peer, "\x16\x03\x01", 3);
    UNTIL(&bed, peer.is_closed);
    ck_assert_uint_eq(peer.got_len, 0);
    peer_close(&peer);
}
END_TEST

START_TEST(peer_lost_in_the_handshake_is_forgotten)
{
    struct peer peer;

    peer_open(&peer, &bed);
    (void)peer_send_bytes(&peer, "\x16\x03\x01", 3);
    UNTIL(&bed, http_server_stats(bed.server).connections == 1);
    peer_close(&peer);
    UNTIL(&bed, http_server_is_idle(bed.server));
}
END_TEST

START_TEST(certificate_and_key_have_to_fit)
{
    static const char *const pairs[][2] = {
        {CERTIFICATE, TEST_DATA "/tls_other_key.pem"},
        {CERTIFICATE, CERTIFICATE},
        {KEY, KEY},
        {CERTIFICATE, ""},
        {"", KEY},
    };
    struct http_server_options options = bed.options;

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct http_server *server = NULL;

        options.tls_certificate = pairs[i][0];
        options.tls_key = pairs[i][1];
        ck_assert_int_eq(http_server_open(&options, &server), RC_BAD_INPUT);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("http_tls");
    TCase *tcase = tcase_create("tls");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, request_over_tls_is_answered_on_one_connection, 0, 2);
    tcase_add_test(tcase, old_tls_is_refused);
    tcase_add_test(tcase, large_body_and_large_answer_pass);
    tcase_add_test(tcase, refusal_reaches_the_peer);
    tcase_add_test(tcase, plain_request_to_a_tls_port_ends_the_connection);
    tcase_add_test(tcase, slow_handshake_ends_the_connection);
    tcase_add_test(tcase, peer_lost_in_the_handshake_is_forgotten);
    tcase_add_test(tcase, certificate_and_key_have_to_fit);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
