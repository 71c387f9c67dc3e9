#include "runtime/curl_loop.h"

#include "runtime/base/check.h"

#include <ev.h>

#include <stdbool.h>
#include <stdlib.h>

struct curl_loop {
    struct curl_loop_options options;
    CURLM *multi;
    struct ev_timer timer;
};

struct socket_watcher {
    struct ev_io io;
    struct curl_loop *curl_loop;
};

static void report_done(struct curl_loop *curl_loop)
{
    int left = 0;
    for (CURLMsg *msg = curl_multi_info_read(curl_loop->multi, &left); msg != NULL;
         msg = curl_multi_info_read(curl_loop->multi, &left)) {
        if (msg->msg != CURLMSG_DONE) {
            continue;
        }
        CURL *easy = msg->easy_handle;
        const CURLcode code = msg->data.result; /* the message dies with the removal */
        CHECK(curl_multi_remove_handle(curl_loop->multi, easy) == CURLM_OK);
        curl_loop->options.done(curl_loop->options.context, easy, code);
    }
}

static void drive(struct curl_loop *curl_loop, curl_socket_t fd, int events)
{
    int running = 0;
    CHECK(curl_multi_socket_action(curl_loop->multi, fd, events, &running) == CURLM_OK);
    report_done(curl_loop);
}

static void on_socket(struct ev_loop *loop, struct ev_io *io, int revents)
{
    struct socket_watcher *watcher = io->data;
    (void)loop;
    const int events = ((revents & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
                       ((revents & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
    drive(watcher->curl_loop, io->fd, events);
}

static void on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    struct curl_loop *curl_loop = timer->data;
    (void)loop;
    (void)revents;
    drive(curl_loop, CURL_SOCKET_TIMEOUT, 0);
}

static struct socket_watcher *watcher_open(struct curl_loop *curl_loop, curl_socket_t fd)
{
    struct socket_watcher *watcher = calloc(1, sizeof *watcher);
    CHECK(watcher != NULL);
    watcher->curl_loop = curl_loop;
    ev_io_init(&watcher->io, on_socket, fd, 0);
    watcher->io.data = watcher;
    CHECK(curl_multi_assign(curl_loop->multi, fd, watcher) == CURLM_OK);
    return watcher;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct curl_loop *curl_loop = context;
    struct socket_watcher *watcher = socket_context;
    (void)easy;
    if (watcher != NULL) {
        ev_io_stop(curl_loop->options.loop, &watcher->io);
    }
    if (what == CURL_POLL_REMOVE) {
        free(watcher);
        return 0;
    }
    if (watcher == NULL) {
        watcher = watcher_open(curl_loop, fd);
    }
    ev_io_set(&watcher->io, fd,
              ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                  ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));
    ev_io_start(curl_loop->options.loop, &watcher->io);
    return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct curl_loop *curl_loop = context;
    (void)multi;
    ev_timer_stop(curl_loop->options.loop, &curl_loop->timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&curl_loop->timer, (double)timeout_ms / 1000.0, 0.0);
        ev_timer_start(curl_loop->options.loop, &curl_loop->timer);
    }
    return 0;
}

static bool set_up(struct curl_loop *curl_loop)
{
    CURLM *multi = curl_loop->multi;
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, curl_loop) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERDATA, curl_loop) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                             curl_loop->options.idle_connections_max) == CURLM_OK;
}

enum rc curl_loop_open(const struct curl_loop_options *options, struct curl_loop **out)
{
    struct curl_loop *curl_loop = calloc(1, sizeof *curl_loop);
    CHECK(curl_loop != NULL);
    curl_loop->options = *options;
    curl_loop->multi = curl_multi_init();
    ev_timer_init(&curl_loop->timer, on_timer, 0.0, 0.0);
    curl_loop->timer.data = curl_loop;
    if (curl_loop->multi == NULL || !set_up(curl_loop)) {
        curl_loop_close(curl_loop);
        return RC_FULL;
    }
    *out = curl_loop;
    return RC_OK;
}

void curl_loop_close(struct curl_loop *curl_loop)
{
    if (curl_loop == NULL) {
        return;
    }
    if (curl_loop->multi != NULL) {
        CHECK(curl_multi_cleanup(curl_loop->multi) == CURLM_OK);
    }
    ev_timer_stop(curl_loop->options.loop, &curl_loop->timer);
    free(curl_loop);
}

enum rc curl_loop_add(struct curl_loop *curl_loop, CURL *easy)
{
    return curl_multi_add_handle(curl_loop->multi, easy) == CURLM_OK ? RC_OK : RC_FULL;
}

void curl_loop_remove(struct curl_loop *curl_loop, CURL *easy)
{
    CHECK(curl_multi_remove_handle(curl_loop->multi, easy) == CURLM_OK);
}

/* libcurl can share one parsed store of authorities among the connections of a multi, but not with
 * the folder that Debian sets beside the file: every connection would then parse and hold the
 * system's authorities once more, about 800 KiB. A file of our own must be alone for another
 * reason: it says who may vouch, and the folder would add to that. */
void curl_loop_trust(CURL *easy, const char *ca_file)
{
    if (ca_file != NULL) {
        CHECK(curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) == CURLE_OK);
    }
    if (ca_file != NULL || curl_version_info(CURLVERSION_NOW)->cainfo != NULL) {
        CHECK(curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK);
    }
}
