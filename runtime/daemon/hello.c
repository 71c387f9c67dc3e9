#include "runtime/daemon/hello.h"

#include "codecs/matrix.h"
#include "codecs/url.h"
#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/curl_loop.h"
#include "runtime/log.h"

#include <ev.h>
#include <stdlib.h>

enum step {
    STEP_WHOAMI,
    STEP_REGISTER,
    STEP_NAME,
    STEP_PING,
    STEP_END
};

enum {
    ARENA_BYTES = 8 * 1024,
    ANSWER_BYTES_MAX = 64 * 1024,
    RETRY_FIRST_MS = 1000,
    RETRY_LAST_MS = 60 * 1000,
    /* A ping may fail because the homeserver has another idea of where we are: then go on without.
     */
    PINGS_MAX = 5,
};

struct hello {
    struct hello_options options;
    struct arena *arena; /* of one step */
    struct curl_loop *calls;
    CURL *easy;
    struct curl_slist *headers;
    struct buf answer;
    enum step step;
    int tries; /* of this step */
    bool is_under_way;
    ev_timer timer;
};

static void begin(struct hello *hello);

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct hello *hello = context;
    if (hello->answer.len + size * count > ANSWER_BYTES_MAX) {
        return 0;
    }
    buf_put(&hello->answer, slice_make(bytes, size * count));
    return size * count;
}

static struct matrix_request request_of(const struct hello *hello)
{
    switch (hello->step) {
    case STEP_WHOAMI:
        return matrix_whoami_request(hello->arena);
    case STEP_REGISTER:
        return matrix_register_request(hello->arena, hello->options.bot_localpart);
    case STEP_NAME:
        return matrix_displayname_request(hello->arena, hello->options.bot, SLICE("Gitter bridge"));
    case STEP_PING:
    case STEP_END:
        break;
    }
    return matrix_ping_request(hello->arena, SLICE("gitterd"));
}

static void again_later(struct hello *hello)
{
    int64_t wait_ms = RETRY_FIRST_MS;
    for (int i = 0; i < hello->tries && wait_ms < RETRY_LAST_MS; i++) {
        wait_ms *= 2;
    }
    hello->tries++;
    ev_timer_set(&hello->timer,
                 (double)(wait_ms < RETRY_LAST_MS ? wait_ms : RETRY_LAST_MS) / 1000.0, 0.0);
    ev_timer_start(hello->options.loop, &hello->timer);
}

static void next_step(struct hello *hello)
{
    hello->step++;
    hello->tries = 0;
    if (hello->step == STEP_END) {
        log_event(hello->options.log, LOG_INFO, "homeserver_ready",
                  LOG_TEXT("bot", hello->options.bot));
        return;
    }
    begin(hello);
}

/* Is the bot that the registration names the one in our configuration? */
static bool is_expected_bot(struct hello *hello)
{
    struct slice user_id = SLICE_EMPTY;
    if (matrix_user_id_parse(hello->arena, buf_slice(&hello->answer), &user_id) != RC_OK ||
        slice_equal(user_id, hello->options.bot)) {
        return true;
    }
    log_event(hello->options.log, LOG_ERROR, "bot_differs", LOG_TEXT("registered", user_id),
              LOG_TEXT("configured", hello->options.bot),
              LOG_CSTR("hint", "print the registration again and restart the homeserver"));
    return false;
}

static void judge(struct hello *hello, long status)
{
    const bool is_2xx = status >= 200 && status < 300;
    const bool is_final = status >= 400 && status < 500 && status != 429;
    if (hello->step == STEP_WHOAMI && status == 401) {
        log_event(
            hello->options.log, LOG_ERROR, "as_token_refused",
            LOG_CSTR("hint",
                     "the homeserver does not know this registration: is its file listed, and "
                     "was it restarted?"));
        again_later(hello);
    } else if (is_2xx || (is_final && hello->step != STEP_WHOAMI)) {
        if (hello->step != STEP_WHOAMI || is_expected_bot(hello)) {
            next_step(hello);
        }
    } else if (hello->step == STEP_PING && hello->tries >= PINGS_MAX) {
        log_event(hello->options.log, LOG_WARN, "ping_failed", LOG_INT("status", status),
                  LOG_CSTR("hint", "the homeserver cannot reach the url of our registration"));
        next_step(hello);
    } else {
        again_later(hello);
    }
}

static void on_done(void *context, CURL *easy, CURLcode code)
{
    struct hello *hello = context;
    long status = 0;
    hello->is_under_way = false;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK) {
        log_event(hello->options.log, LOG_WARN, "homeserver_unreachable",
                  LOG_CSTR("detail", curl_easy_strerror(code)));
        again_later(hello);
        return;
    }
    judge(hello, status);
}

static void set_headers(struct hello *hello)
{
    const struct slice token = hello->options.as_token;
    struct curl_slist *headers = NULL;
    headers = curl_slist_append(
        headers, arena_printf(hello->arena, "Authorization: Bearer %.*s", SLICE_ARGS(token)).ptr);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    CHECK(headers != NULL);
    curl_slist_free_all(hello->headers);
    hello->headers = headers;
    (void)curl_easy_setopt(hello->easy, CURLOPT_HTTPHEADER, headers);
}

static void begin(struct hello *hello)
{
    arena_reset(hello->arena);
    buf_init(&hello->answer, hello->arena);
    const struct matrix_request request = request_of(hello);
    const struct slice url = url_join(hello->arena, hello->options.homeserver_url, request.path);
    CURL *easy = hello->easy;
    curl_easy_reset(easy);
    set_headers(hello);
    (void)curl_easy_setopt(easy, CURLOPT_URL, url.ptr);
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, arena_cstr(hello->arena, request.method));
    if (request.body.len > 0) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request.body.len);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.ptr);
    }
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, hello);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* else dropping a handle waits for the resolver's thread, and all else with it */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
    const struct slice ca_file = hello->options.ca_file;
    curl_loop_trust(easy, ca_file.len == 0 ? NULL : arena_cstr(hello->arena, ca_file));
    hello->is_under_way = curl_loop_add(hello->calls, easy) == RC_OK;
    if (!hello->is_under_way) {
        again_later(hello);
    }
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    begin(watcher->data);
}

enum rc hello_open(const struct hello_options *options, struct hello **out)
{
    struct hello *hello = calloc(1, sizeof *hello);
    CHECK(hello != NULL);
    hello->options = *options;
    hello->arena = arena_open(ARENA_BYTES);
    hello->easy = curl_easy_init();
    ev_timer_init(&hello->timer, on_timer, 0.0, 0.0);
    hello->timer.data = hello;
    const struct curl_loop_options calls = {
        .loop = options->loop, .done = on_done, .context = hello};
    *out = hello;
    if (hello->easy == NULL || curl_loop_open(&calls, &hello->calls) != RC_OK) {
        return RC_FULL;
    }
    begin(hello);
    return RC_OK;
}

void hello_close(struct hello *hello)
{
    if (hello == NULL) {
        return;
    }
    ev_timer_stop(hello->options.loop, &hello->timer);
    if (hello->is_under_way) {
        curl_loop_remove(hello->calls, hello->easy);
    }
    curl_loop_close(hello->calls);
    curl_easy_cleanup(hello->easy);
    curl_slist_free_all(hello->headers);
    arena_close(hello->arena);
    free(hello);
}
