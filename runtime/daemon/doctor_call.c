/* Outgoing calls of `gitterd check`: one at a time, with the loop running underneath. */
#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/curl_loop.h"
#include "runtime/daemon/doctor_parts.h"

#include <ev.h>
#include <string.h>

enum {
    CALL_S = 10,
    BODY_BYTES_MAX = 64 * 1024,
};

struct transfer {
    struct buf body;
    bool is_switched; /* 101: what follows is no HTTP */
    char error[CURL_ERROR_SIZE];
};

/* What is beyond the limit is read and dropped: the status is what counts. */
static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    const size_t len = size * count;
    const size_t room = BODY_BYTES_MAX - transfer->body.len;
    buf_put(&transfer->body, slice_make(bytes, len < room ? len : room));
    return len;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    const struct slice line = slice_make(bytes, size * count);
    if (slice_starts_with(line, SLICE("HTTP/1.1 101"))) {
        transfer->is_switched = true;
        return 0; /* ends the transfer: libcurl would wait for a body */
    }
    return line.len;
}

static struct curl_slist *
add_header(struct doctor *doctor, struct curl_slist *headers, const char *name, struct slice value)
{
    if (value.len == 0) {
        return headers;
    }
    const char *line = arena_printf(doctor->arena, "%s: %.*s", name, SLICE_ARGS(value)).ptr;
    struct curl_slist *longer = curl_slist_append(headers, line);
    CHECK(longer != NULL);
    return longer;
}

static struct curl_slist *make_headers(struct doctor *doctor, const struct doctor_call *call)
{
    struct curl_slist *headers = add_header(doctor, NULL, "Accept", SLICE("*/*"));
    headers = add_header(doctor, headers, "Content-Type", call->content_type);
    if (call->bearer.len > 0) {
        headers = add_header(doctor, headers, "Authorization",
                             arena_printf(doctor->arena, "Bearer %.*s", SLICE_ARGS(call->bearer)));
    }
    if (call->is_upgrade) {
        /* any 16 bytes will do for a key: nothing is ever said on this connection */
        headers = add_header(doctor, headers, "Connection", SLICE("Upgrade"));
        headers = add_header(doctor, headers, "Upgrade", SLICE("websocket"));
        headers = add_header(doctor, headers, "Sec-WebSocket-Version", SLICE("13"));
        headers =
            add_header(doctor, headers, "Sec-WebSocket-Key", SLICE("Z2l0dGVyZCBjaGVja3MgYQ=="));
    }
    return headers;
}

static void set_request(struct doctor *doctor, CURL *easy, const struct doctor_call *call)
{
    (void)curl_easy_setopt(easy, CURLOPT_URL, arena_cstr(doctor->arena, call->url));
    if (call->body.len > 0) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)call->body.len);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.ptr);
    }
    if (call->method.len > 0) {
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                               arena_cstr(doctor->arena, call->method));
    }
    (void)curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, call->is_connect_only ? 1L : 0L);
}

/* As the running bridge does it: no proxy from the environment, HTTP/1.1. */
static void set_manners(struct doctor *doctor, CURL *easy, struct transfer *transfer)
{
    const struct slice ca_file = doctor->config->ca_file;
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "gitterd");
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)CALL_S);
    (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_loop_trust(easy, ca_file.len == 0 ? NULL : arena_cstr(doctor->arena, ca_file));
}

static CURLcode run_transfer(struct doctor *doctor, CURL *easy)
{
    doctor->is_call_done = false;
    if (curl_loop_add(doctor->calls, easy) != RC_OK) {
        return CURLE_OUT_OF_MEMORY;
    }
    while (!doctor->is_call_done) {
        ev_run(doctor->loop, 0);
    }
    return doctor->call_code;
}

struct doctor_answer doctor_ask(struct doctor *doctor, const struct doctor_call *call)
{
    struct transfer transfer = {0};
    long status = 0;
    char *location = NULL;
    buf_init(&transfer.body, doctor->arena);
    CURL *easy = curl_easy_init();
    CHECK(easy != NULL);
    struct curl_slist *headers = make_headers(doctor, call);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    set_request(doctor, easy, call);
    set_manners(doctor, easy, &transfer);
    const CURLcode code = run_transfer(doctor, easy);
    const char *error = transfer.error[0] != '\0' ? transfer.error : curl_easy_strerror(code);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &location);
    const struct doctor_answer answer = {
        .is_reached = code == CURLE_OK || transfer.is_switched,
        .error = arena_copy(doctor->arena, slice_from_cstr(error)),
        .status = transfer.is_switched ? 101 : (int)status,
        .location = arena_copy(doctor->arena, slice_from_cstr(location)),
        .body = buf_slice(&transfer.body),
    };
    curl_easy_cleanup(easy); /* location was its own */
    curl_slist_free_all(headers);
    return answer;
}

struct slice doctor_describe(struct doctor *doctor, const struct doctor_answer *answer)
{
    if (!answer->is_reached) {
        return answer->error;
    }
    /* a redirect may carry in its query what was asked */
    struct slice location = answer->location;
    const struct slice plain = slice_cut(&location, '?');
    return arena_printf(doctor->arena, "status %d%s%.*s", answer->status,
                        plain.len > 0 ? " to " : "", SLICE_ARGS(plain));
}
