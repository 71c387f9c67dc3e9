#include "runtime/links_dial.h"

#include "runtime/base/check.h"
#include "runtime/base/limits.h"
#include "runtime/curl_loop.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    /* libcurl's smallest; nothing but the connecting goes through this buffer */
    DIAL_BUFFER_BYTES = 1024,
    /* libcurl would otherwise close "idle" connections after 118 s when it makes a new one */
    DIAL_AGE_S_MAX = 10 * 365 * 86400,
};

enum dial_state {
    DIAL_WAITING,
    DIAL_CONNECTING,
    DIAL_DONE,
};

struct dial {
    TAILQ_ENTRY(dial) entry; /* while waiting */
    struct dialer *dialer;
    void *context;
    CURL *curl;
    char *error; /* CURL_ERROR_SIZE, while connecting */
    enum dial_state state;
};

TAILQ_HEAD(dial_queue, dial);

struct dialer {
    struct ev_loop *loop;
    CURLM *multi;
    char *url;
    char *ca_file; /* NULL = the system's */
    int64_t connect_ms;
    void (*on_done)(void *context, CURL *curl, struct slice detail);
    ev_timer timer;
    struct dial_queue waiting;
    size_t connecting;
};

/* What the multi wants to know about one socket. */
struct dial_watch {
    struct dialer *dialer;
    ev_io io;
};

static void dialer_pump(struct dialer *dialer);

static char *copy_cstr(struct slice text)
{
    char *copy = strndup(text.ptr == NULL ? "" : text.ptr, text.len);
    CHECK(copy != NULL);
    return copy;
}

static void dial_finish(struct dial *dial, bool is_connected, const char *reason)
{
    dial->state = DIAL_DONE;
    CHECK(dial->dialer->connecting > 0);
    dial->dialer->connecting--;
    const char *text = dial->error != NULL && dial->error[0] != '\0' ? dial->error : reason;
    dial->dialer->on_done(dial->context, is_connected ? dial->curl : NULL,
                          slice_from_cstr(is_connected ? "" : text));
    (void)curl_easy_setopt(dial->curl, CURLOPT_ERRORBUFFER, NULL);
    free(dial->error);
    dial->error = NULL;
}

static void dialer_reap(struct dialer *dialer)
{
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(dialer->multi, &left);
    for (; message != NULL; message = curl_multi_info_read(dialer->multi, &left)) {
        struct dial *dial = NULL;
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        CHECK(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &dial) == CURLE_OK);
        const CURLcode result = message->data.result;
        dial_finish(dial, result == CURLE_OK, curl_easy_strerror(result));
    }
    dialer_pump(dialer);
}

static void dialer_act(struct dialer *dialer, curl_socket_t socket, int what)
{
    int running = 0;
    CHECK(curl_multi_socket_action(dialer->multi, socket, what, &running) == CURLM_OK);
    dialer_reap(dialer);
}

static void dialer_on_io(struct ev_loop *loop, ev_io *io, int events)
{
    const struct dial_watch *watch = io->data;
    (void)loop;
    dialer_act(watch->dialer, io->fd,
               ((events & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
                   ((events & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void dialer_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    dialer_act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int dialer_set_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct dialer *dialer = context;
    (void)multi;
    ev_timer_stop(dialer->loop, &dialer->timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&dialer->timer, (double)timeout_ms / 1000., 0.);
        ev_timer_start(dialer->loop, &dialer->timer);
    }
    return 0;
}

static struct dial_watch *watch_open(struct dialer *dialer, curl_socket_t socket)
{
    struct dial_watch *watch = calloc(1, sizeof(*watch));
    CHECK(watch != NULL);
    watch->dialer = dialer;
    ev_io_init(&watch->io, dialer_on_io, socket, EV_NONE);
    watch->io.data = watch;
    CHECK(curl_multi_assign(dialer->multi, socket, watch) == CURLM_OK);
    return watch;
}

static int
dialer_watch(CURL *curl, curl_socket_t socket, int what, void *context, void *socket_data)
{
    struct dialer *dialer = context;
    struct dial_watch *watch = socket_data;
    (void)curl;
    if (watch != NULL) {
        ev_io_stop(dialer->loop, &watch->io);
    }
    if (what == CURL_POLL_REMOVE) {
        free(watch);
        return 0;
    }
    if (watch == NULL) {
        watch = watch_open(dialer, socket);
    }
    ev_io_set(&watch->io, socket,
              ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                  ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));
    ev_io_start(dialer->loop, &watch->io);
    return 0;
}

static void dial_set_options(struct dial *dial)
{
    const struct dialer *dialer = dial->dialer;
    CURL *curl = dial->curl;
    bool is_set = curl_easy_setopt(curl, CURLOPT_URL, dialer->url) == CURLE_OK;
    is_set &= curl_easy_setopt(curl, CURLOPT_PRIVATE, dial) == CURLE_OK;
    is_set &= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, dial->error) == CURLE_OK;
    is_set &= curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK;
    is_set &= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    is_set &= curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) == CURLE_OK;
    is_set &= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    /* else dropping a handle waits for the resolver's thread, and all else with it */
    is_set &= curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
    is_set &= curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK;
    is_set &= curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK;
    is_set &= curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, (long)DIAL_AGE_S_MAX) == CURLE_OK;
    is_set &= curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)DIAL_BUFFER_BYTES) == CURLE_OK;
    is_set &=
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)dialer->connect_ms) == CURLE_OK;
    curl_loop_trust(curl, dialer->ca_file);
    CHECK(is_set);
}

static void dial_begin(struct dial *dial)
{
    dial->state = DIAL_CONNECTING;
    dial->dialer->connecting++;
    dial->error = calloc(1, CURL_ERROR_SIZE);
    dial->curl = curl_easy_init();
    CHECK(dial->error != NULL && dial->curl != NULL);
    dial_set_options(dial);
    const CURLMcode code = curl_multi_add_handle(dial->dialer->multi, dial->curl);
    if (code != CURLM_OK) {
        dial_finish(dial, false, curl_multi_strerror(code));
    }
}

static void dialer_pump(struct dialer *dialer)
{
    while (dialer->connecting < LINK_STARTS_MAX && !TAILQ_EMPTY(&dialer->waiting)) {
        struct dial *dial = TAILQ_FIRST(&dialer->waiting);
        TAILQ_REMOVE(&dialer->waiting, dial, entry);
        dial_begin(dial);
    }
}

enum rc dialer_open(const struct dialer_options *options, struct dialer **out)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return RC_IO;
    }
    struct dialer *dialer = calloc(1, sizeof(*dialer));
    CHECK(dialer != NULL);
    dialer->loop = options->loop;
    dialer->multi = curl_multi_init();
    CHECK(dialer->multi != NULL);
    dialer->url = copy_cstr(options->url);
    dialer->ca_file = options->ca_file.len == 0 ? NULL : copy_cstr(options->ca_file);
    dialer->connect_ms = options->connect_ms;
    dialer->on_done = options->on_done;
    TAILQ_INIT(&dialer->waiting);
    ev_timer_init(&dialer->timer, dialer_on_timer, 0., 0.);
    dialer->timer.data = dialer;
    CURLM *multi = dialer->multi;
    bool is_set = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, dialer_watch) == CURLM_OK;
    is_set &= curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, dialer) == CURLM_OK;
    is_set &= curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, dialer_set_timer) == CURLM_OK;
    is_set &= curl_multi_setopt(multi, CURLMOPT_TIMERDATA, dialer) == CURLM_OK;
    CHECK(is_set);
    *out = dialer;
    return RC_OK;
}

void dialer_close(struct dialer *dialer)
{
    if (dialer == NULL) {
        return;
    }
    CHECK(TAILQ_EMPTY(&dialer->waiting) && dialer->connecting == 0);
    CHECK(curl_multi_cleanup(dialer->multi) == CURLM_OK);
    ev_timer_stop(dialer->loop, &dialer->timer);
    free(dialer->url);
    free(dialer->ca_file);
    free(dialer);
    curl_global_cleanup();
}

struct dial *dial_open(struct dialer *dialer, void *context)
{
    struct dial *dial = calloc(1, sizeof(*dial));
    CHECK(dial != NULL);
    dial->dialer = dialer;
    dial->context = context;
    dial->state = DIAL_WAITING;
    TAILQ_INSERT_TAIL(&dialer->waiting, dial, entry);
    dialer_pump(dialer);
    return dial;
}

void dial_close(struct dial *dial)
{
    if (dial == NULL) {
        return;
    }
    struct dialer *dialer = dial->dialer;
    if (dial->state == DIAL_WAITING) {
        TAILQ_REMOVE(&dialer->waiting, dial, entry);
    }
    if (dial->curl != NULL) {
        (void)curl_multi_remove_handle(dialer->multi, dial->curl);
        curl_easy_cleanup(dial->curl);
    }
    if (dial->state == DIAL_CONNECTING) {
        dialer->connecting--;
    }
    free(dial->error);
    free(dial);
    dialer_pump(dialer);
}
