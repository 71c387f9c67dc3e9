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
    /* For each curl_easy_recv and curl_easy_send libcurl walks through all connections of the multi
     * until it meets the one in question: 10,000 of them in one kept a core busy with nothing else.
     * Fewer in each would cost more memory, as each multi has tables and trusted authorities. */
    DIAL_GROUP_MAX = 128,
};

enum dial_state {
    DIAL_WAITING,
    DIAL_CONNECTING,
    DIAL_DONE,
};

/* Connections that share a multi. Groups are kept until the end, for later ones. */
struct dial_group {
    TAILQ_ENTRY(dial_group) entry;
    struct dialer *dialer;
    CURLM *multi;
    ev_timer timer;
    size_t members;
};

TAILQ_HEAD(dial_groups, dial_group);

struct dial {
    TAILQ_ENTRY(dial) entry; /* while waiting */
    struct dialer *dialer;
    struct dial_group *group; /* NULL while waiting */
    void *context;
    CURL *curl;
    char *error; /* CURL_ERROR_SIZE, while connecting */
    enum dial_state state;
};

TAILQ_HEAD(dial_queue, dial);

struct dialer {
    struct ev_loop *loop;
    struct dial_groups groups;
    char *url;
    char *ca_file; /* NULL = the system's */
    int64_t connect_ms;
    void (*on_done)(void *context, CURL *curl, struct slice detail);
    struct dial_queue waiting;
    size_t connecting;
};

/* What the multi wants to know about one socket. */
struct dial_watch {
    struct dial_group *group;
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

static void group_reap(struct dial_group *group)
{
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(group->multi, &left);
    for (; message != NULL; message = curl_multi_info_read(group->multi, &left)) {
        struct dial *dial = NULL;
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        CHECK(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &dial) == CURLE_OK);
        const CURLcode result = message->data.result;
        dial_finish(dial, result == CURLE_OK, curl_easy_strerror(result));
    }
    dialer_pump(group->dialer);
}

static void group_act(struct dial_group *group, curl_socket_t socket, int what)
{
    int running = 0;
    CHECK(curl_multi_socket_action(group->multi, socket, what, &running) == CURLM_OK);
    group_reap(group);
}

static void group_on_io(struct ev_loop *loop, ev_io *io, int events)
{
    const struct dial_watch *watch = io->data;
    (void)loop;
    group_act(watch->group, io->fd,
              ((events & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
                  ((events & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void group_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    group_act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int group_set_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct dial_group *group = context;
    struct ev_loop *loop = group->dialer->loop;
    (void)multi;
    ev_timer_stop(loop, &group->timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&group->timer, (double)timeout_ms / 1000., 0.);
        ev_timer_start(loop, &group->timer);
    }
    return 0;
}

static struct dial_watch *watch_open(struct dial_group *group, curl_socket_t socket)
{
    struct dial_watch *watch = calloc(1, sizeof(*watch));
    CHECK(watch != NULL);
    watch->group = group;
    ev_io_init(&watch->io, group_on_io, socket, EV_NONE);
    watch->io.data = watch;
    CHECK(curl_multi_assign(group->multi, socket, watch) == CURLM_OK);
    return watch;
}

static int group_watch(CURL *curl, curl_socket_t socket, int what, void *context, void *socket_data)
{
    struct dial_group *group = context;
    struct ev_loop *loop = group->dialer->loop;
    struct dial_watch *watch = socket_data;
    (void)curl;
    if (watch != NULL) {
        ev_io_stop(loop, &watch->io);
    }
    if (what == CURL_POLL_REMOVE) {
        free(watch);
        return 0;
    }
    if (watch == NULL) {
        watch = watch_open(group, socket);
    }
    ev_io_set(&watch->io, socket,
              ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                  ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));
    ev_io_start(loop, &watch->io);
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

static struct dial_group *group_open(struct dialer *dialer)
{
    struct dial_group *group = calloc(1, sizeof(*group));
    CHECK(group != NULL);
    group->dialer = dialer;
    group->multi = curl_multi_init();
    CHECK(group->multi != NULL);
    ev_timer_init(&group->timer, group_on_timer, 0., 0.);
    group->timer.data = group;
    CURLM *multi = group->multi;
    bool is_set = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, group_watch) == CURLM_OK;
    is_set &= curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, group) == CURLM_OK;
    is_set &= curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, group_set_timer) == CURLM_OK;
    is_set &= curl_multi_setopt(multi, CURLMOPT_TIMERDATA, group) == CURLM_OK;
    CHECK(is_set);
    TAILQ_INSERT_TAIL(&dialer->groups, group, entry);
    return group;
}

static void group_close(struct dial_group *group)
{
    CHECK(group->members == 0);
    CHECK(curl_multi_cleanup(group->multi) == CURLM_OK);
    ev_timer_stop(group->dialer->loop, &group->timer);
    TAILQ_REMOVE(&group->dialer->groups, group, entry);
    free(group);
}

/* The first that has room. */
static struct dial_group *dialer_find_group(struct dialer *dialer)
{
    struct dial_group *group = TAILQ_FIRST(&dialer->groups);
    while (group != NULL && group->members >= DIAL_GROUP_MAX) {
        group = TAILQ_NEXT(group, entry);
    }
    return group != NULL ? group : group_open(dialer);
}

static void dial_begin(struct dial *dial)
{
    dial->state = DIAL_CONNECTING;
    dial->dialer->connecting++;
    dial->group = dialer_find_group(dial->dialer);
    dial->group->members++;
    dial->error = calloc(1, CURL_ERROR_SIZE);
    dial->curl = curl_easy_init();
    CHECK(dial->error != NULL && dial->curl != NULL);
    dial_set_options(dial);
    const CURLMcode code = curl_multi_add_handle(dial->group->multi, dial->curl);
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
    TAILQ_INIT(&dialer->groups);
    dialer->url = copy_cstr(options->url);
    dialer->ca_file = options->ca_file.len == 0 ? NULL : copy_cstr(options->ca_file);
    dialer->connect_ms = options->connect_ms;
    dialer->on_done = options->on_done;
    TAILQ_INIT(&dialer->waiting);
    *out = dialer;
    return RC_OK;
}

void dialer_close(struct dialer *dialer)
{
    if (dialer == NULL) {
        return;
    }
    CHECK(TAILQ_EMPTY(&dialer->waiting) && dialer->connecting == 0);
    while (!TAILQ_EMPTY(&dialer->groups)) {
        group_close(TAILQ_FIRST(&dialer->groups));
    }
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
        (void)curl_multi_remove_handle(dial->group->multi, dial->curl);
        curl_easy_cleanup(dial->curl);
        dial->group->members--;
    }
    if (dial->state == DIAL_CONNECTING) {
        dialer->connecting--;
    }
    free(dial->error);
    free(dial);
    dialer_pump(dialer);
}
