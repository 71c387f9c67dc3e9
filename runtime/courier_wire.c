#include "runtime/courier_wire.h"

#include "codecs/url.h"
#include "runtime/address.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/base/limits.h"
#include "runtime/curl_loop.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum {
    TRANSFER_CHUNK_BYTES = 2048,
    ANSWER_FIRST_BYTES = 4096
};

struct transfer {
    CURL *easy;
    struct wire *wire;
    struct arena *arena;
    struct curl_slist *headers;
    void *tag;
    struct slice body;
    char *answer;
    size_t answer_len;
    size_t answer_cap;
    size_t answer_max;
    bool is_too_big;
    bool may_repeat;
    bool is_elsewhere; /* its handle has options that others must not have */
    char error[CURL_ERROR_SIZE];
    TAILQ_ENTRY(transfer) link;
};

TAILQ_HEAD(transfer_list, transfer);

struct wire {
    const struct courier_options *options;
    struct curl_loop *curl_loop;
    wire_done *done;
    void *context;
    struct transfer_list busy;
    struct transfer_list idle;
};

#define SET(transfer, option, value)                                                               \
    CHECK(curl_easy_setopt((transfer)->easy, option, value) == CURLE_OK)

/* What libcurl asks for. */

/* Before each attempt. libcurl makes another one by itself when a kept-alive connection turns out
 * to be dead, even if the request had left. */
static int
allow_attempt(void *context, char *to_address, char *from_address, int to_port, int from_port)
{
    const struct transfer *transfer = context;
    long sent = 0;
    (void)to_address;
    (void)from_address;
    (void)to_port;
    (void)from_port;
    CHECK(curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK);
    return transfer->may_repeat || sent == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static void answer_reserve(struct transfer *transfer, size_t len)
{
    size_t cap = transfer->answer_cap == 0 ? ANSWER_FIRST_BYTES : transfer->answer_cap;
    while (cap < len) {
        cap *= 2;
    }
    if (cap != transfer->answer_cap) {
        transfer->answer = realloc(transfer->answer, cap);
        CHECK(transfer->answer != NULL);
        transfer->answer_cap = cap;
    }
}

static size_t write_answer(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    const size_t len = size * count;
    if (len > transfer->answer_max - transfer->answer_len) {
        transfer->is_too_big = true;
        return 0;
    }
    answer_reserve(transfer, transfer->answer_len + len);
    memcpy(transfer->answer + transfer->answer_len, data, len);
    transfer->answer_len += len;
    return len;
}

/* Transfers: their handles are used again and again, with the options that all calls have. */

static void set_connection(struct transfer *transfer)
{
    const struct courier_options *options = transfer->wire->options;
    SET(transfer, CURLOPT_PRIVATE, transfer);
    SET(transfer, CURLOPT_ERRORBUFFER, transfer->error);
    SET(transfer, CURLOPT_NOSIGNAL, 1L);
    /* else dropping a handle waits for the resolver's thread, and all else with it */
    SET(transfer, CURLOPT_QUICK_EXIT, 1L);
    SET(transfer, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(transfer, CURLOPT_FOLLOWLOCATION, 0L);
    SET(transfer, CURLOPT_PROXY, ""); /* not from the environment: nothing else is */
    SET(transfer, CURLOPT_PATH_AS_IS, 1L);
    SET(transfer, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(transfer, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_ms);
    SET(transfer, CURLOPT_TIMEOUT_MS, (long)options->answer_ms);
    SET(transfer, CURLOPT_PREREQFUNCTION, allow_attempt);
    SET(transfer, CURLOPT_PREREQDATA, transfer);
    SET(transfer, CURLOPT_WRITEFUNCTION, write_answer);
    SET(transfer, CURLOPT_WRITEDATA, transfer);
    SET(transfer, CURLOPT_USERAGENT, arena_cstr(transfer->arena, options->user_agent));
    curl_loop_trust(transfer->easy, options->ca_file.len == 0
                                        ? NULL
                                        : arena_cstr(transfer->arena, options->ca_file));
}

static struct transfer *transfer_open(struct wire *wire)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    CHECK(transfer != NULL);
    transfer->wire = wire;
    transfer->easy = curl_easy_init();
    CHECK(transfer->easy != NULL);
    transfer->arena = arena_open(TRANSFER_CHUNK_BYTES);
    set_connection(transfer);
    return transfer;
}

static void transfer_reset(struct transfer *transfer)
{
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    free(transfer->answer);
    transfer->answer = NULL;
    transfer->answer_len = 0;
    transfer->answer_cap = 0;
    transfer->is_too_big = false;
    transfer->error[0] = '\0';
    arena_reset(transfer->arena);
    if (transfer->is_elsewhere) {
        curl_easy_reset(transfer->easy);
        set_connection(transfer);
        transfer->is_elsewhere = false;
    }
}

static void transfer_close(struct transfer *transfer)
{
    transfer_reset(transfer);
    curl_easy_cleanup(transfer->easy);
    arena_close(transfer->arena);
    free(transfer);
}

/* The answer. */

static struct slice find_header(CURL *easy, const char *name)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
        return SLICE_EMPTY;
    }
    return slice_from_cstr(header->value);
}

static enum wire_outcome judge_outcome(const struct transfer *transfer, CURLcode code)
{
    long sent = 0;
    if (code == CURLE_OK) {
        return WIRE_ANSWERED;
    }
    if (transfer->is_too_big || code == CURLE_FILESIZE_EXCEEDED) {
        return WIRE_TOO_BIG;
    }
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
        return WIRE_MALFORMED;
    }
    /* counts the bytes of all attempts, those that libcurl made by itself too */
    CHECK(curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK);
    return sent == 0 ? WIRE_UNREACHABLE : WIRE_LOST;
}

static void on_done(void *context, CURL *easy, CURLcode code)
{
    struct wire *wire = context;
    char *private = NULL;
    long status = 0;
    CHECK(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private) == CURLE_OK);
    CHECK(curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK);
    struct transfer *transfer = (struct transfer *)(void *)private;
    const struct wire_answer answer = {
        .outcome = judge_outcome(transfer, code),
        .status = (int)status,
        .body = slice_make(transfer->answer, transfer->answer_len),
        .headers =
            {
                [WIRE_RETRY_AFTER] = find_header(easy, "Retry-After"),
                [WIRE_RATE_REMAINING] = find_header(easy, "X-RateLimit-Remaining"),
                [WIRE_RATE_RESET] = find_header(easy, "X-RateLimit-Reset"),
                [WIRE_DATE] = find_header(easy, "Date"),
            },
        .error = transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code),
    };
    wire->done(wire->context, transfer->tag, &answer);
    TAILQ_REMOVE(&wire->busy, transfer, link);
    transfer_reset(transfer);
    TAILQ_INSERT_HEAD(&wire->idle, transfer, link);
}

/* The request. */

static void add_header(struct transfer *transfer, const char *line)
{
    struct curl_slist *headers = curl_slist_append(transfer->headers, line);
    CHECK(headers != NULL);
    transfer->headers = headers;
}

bool wire_is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_content_type(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < ' ' || text.ptr[i] >= 0x7f) {
            return false;
        }
    }
    return true;
}

/* Below a base URL of ours, where the administrator decides what there is. */
static bool is_at_gitter(const struct wire *wire, struct slice url)
{
    const struct slice base = wire->options->bases[CALL_GITTER_WEB];
    return base.len > 0 && slice_starts_with(url, base) &&
           slice_starts_with(slice_from(url, base.len), SLICE("/"));
}

static bool may_go_elsewhere(const struct wire *wire, const struct call *call)
{
    return call->api != CALL_ELSEWHERE || slice_starts_with(call->path, SLICE("https://")) ||
           is_at_gitter(wire, call->path);
}

static bool is_well_formed(const struct call *call, struct slice token)
{
    return call->method.len > 0 && wire_is_token(call->method) && wire_is_token(call->path) &&
           wire_is_token(token) && is_content_type(call->content_type) &&
           call->body.len <= CALL_BODY_BYTES_MAX;
}

static struct slice form_with_client(struct transfer *transfer, struct slice form)
{
    struct buf buf;
    buf_init(&buf, transfer->arena);
    buf_put(&buf, form);
    url_form_put(&buf, SLICE("client_id"), transfer->wire->options->oauth_key);
    url_form_put(&buf, SLICE("client_secret"), transfer->wire->options->oauth_secret);
    return buf_slice(&buf);
}

/* Names are resolved by libcurl: what counts is where the connection goes. */
static curl_socket_t
open_public_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)context;
    if (purpose != CURLSOCKTYPE_IPCXN || !address_is_public(&address->addr)) {
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype, address->protocol);
}

/* A connection that is open already may be one of ours to an address that is not public. */
static void set_elsewhere(struct transfer *transfer, const struct call *call)
{
    if (call->api == CALL_ELSEWHERE && !is_at_gitter(transfer->wire, call->path)) {
        transfer->is_elsewhere = true;
        SET(transfer, CURLOPT_OPENSOCKETFUNCTION, open_public_socket);
        SET(transfer, CURLOPT_PROTOCOLS_STR, "https");
        SET(transfer, CURLOPT_FRESH_CONNECT, 1L);
        SET(transfer, CURLOPT_FORBID_REUSE, 1L);
    }
}

static void set_headers(struct transfer *transfer, const struct call *call, struct slice token)
{
    const struct slice as_token = transfer->wire->options->as_token;
    const struct slice bearer = call->auth == CALL_AUTH_APPSERVICE ? as_token : token;
    const struct slice type =
        call->content_type.len > 0 ? call->content_type : SLICE("application/json");
    add_header(transfer,
               call->api == CALL_ELSEWHERE ? "Accept: image/*" : "Accept: application/json");
    add_header(transfer, "Expect:");
    if (transfer->body.len > 0) {
        add_header(transfer,
                   arena_printf(transfer->arena, "Content-Type: %.*s", SLICE_ARGS(type)).ptr);
    } else {
        add_header(transfer, "Content-Type:");
    }
    if (call->auth == CALL_AUTH_APPSERVICE || call->auth == CALL_AUTH_OWNER) {
        add_header(
            transfer,
            arena_printf(transfer->arena, "Authorization: Bearer %.*s", SLICE_ARGS(bearer)).ptr);
    }
    SET(transfer, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_request(struct transfer *transfer, const struct call *call)
{
    const struct slice base = transfer->wire->options->bases[call->api];
    const bool is_post = slice_equal(call->method, SLICE("POST"));
    const bool has_body = transfer->body.len > 0 || is_post ||
                          slice_equal(call->method, SLICE("PUT")) ||
                          slice_equal(call->method, SLICE("PATCH"));
    const struct slice url =
        arena_printf(transfer->arena, "%.*s%.*s", SLICE_ARGS(base), SLICE_ARGS(call->path));
    transfer->may_repeat = call->repeat == CALL_REPEAT_FREELY;
    SET(transfer, CURLOPT_URL, url.ptr);
    SET(transfer, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->answer_max);
    if (!has_body) {
        SET(transfer, CURLOPT_HTTPGET, 1L);
    } else {
        SET(transfer, CURLOPT_POST, 1L);
        SET(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body.len);
        SET(transfer, CURLOPT_POSTFIELDS, transfer->body.len > 0 ? transfer->body.ptr : "");
    }
    SET(transfer, CURLOPT_CUSTOMREQUEST,
        is_post ? NULL : arena_cstr(transfer->arena, call->method));
}

enum rc wire_begin(struct wire *wire, const struct call *call, struct slice token, void *tag)
{
    if (!is_well_formed(call, token) || !may_go_elsewhere(wire, call)) {
        return RC_BAD_INPUT;
    }
    struct transfer *transfer = TAILQ_FIRST(&wire->idle);
    if (transfer != NULL) {
        TAILQ_REMOVE(&wire->idle, transfer, link);
    } else {
        transfer = transfer_open(wire);
    }
    transfer->tag = tag;
    transfer->answer_max =
        call->api == CALL_ELSEWHERE ? CALL_BODY_BYTES_MAX : CALL_ANSWER_BYTES_MAX;
    transfer->body =
        call->auth == CALL_AUTH_OAUTH ? form_with_client(transfer, call->body) : call->body;
    set_headers(transfer, call, token);
    set_request(transfer, call);
    set_elsewhere(transfer, call);
    const enum rc rc = curl_loop_add(wire->curl_loop, transfer->easy);
    if (rc != RC_OK) {
        transfer_close(transfer);
        return rc;
    }
    TAILQ_INSERT_TAIL(&wire->busy, transfer, link);
    return RC_OK;
}

enum rc
wire_open(const struct courier_options *options, wire_done *done, void *context, struct wire **out)
{
    struct wire *wire = calloc(1, sizeof *wire);
    CHECK(wire != NULL);
    *wire = (struct wire){.options = options, .done = done, .context = context};
    TAILQ_INIT(&wire->busy);
    TAILQ_INIT(&wire->idle);
    const struct curl_loop_options loop_options = {
        .loop = options->loop,
        .done = on_done,
        .context = wire,
        .idle_connections_max = 3L * options->host_calls_max,
    };
    const enum rc rc = curl_loop_open(&loop_options, &wire->curl_loop);
    if (rc != RC_OK) {
        free(wire);
        return rc;
    }
    *out = wire;
    return RC_OK;
}

void wire_close(struct wire *wire)
{
    struct transfer *transfer = NULL;
    if (wire == NULL) {
        return;
    }
    while ((transfer = TAILQ_FIRST(&wire->busy)) != NULL) {
        TAILQ_REMOVE(&wire->busy, transfer, link);
        curl_loop_remove(wire->curl_loop, transfer->easy);
        transfer_close(transfer);
    }
    while ((transfer = TAILQ_FIRST(&wire->idle)) != NULL) {
        TAILQ_REMOVE(&wire->idle, transfer, link);
        transfer_close(transfer);
    }
    curl_loop_close(wire->curl_loop);
    free(wire);
}
