/* The least that can pass a message on without losing it: takes a request, writes its body to a
 * file, waits until the disk has it, answers, and sends the body on as one POST. What a bridge
 * takes longer than this is its own doing.
 *
 * Usage: proxy PORT SINK_PORT FILE        port 0: any free one; its first line is the port
 */
#include "runtime/base/arena.h"
#include "runtime/base/check.h"
#include "runtime/curl_loop.h"
#include "runtime/http.h"

#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    URL_BYTES = 64,
    HANDLES_MAX = 64,
};

struct proxy {
    struct http_server *server;
    struct curl_loop *curl_loop;
    CURL *idle[HANDLES_MAX];
    size_t idle_count;
    char url[URL_BYTES];
    int fd;
    off_t end;
};

static void on_sent(void *context, CURL *easy, CURLcode code)
{
    struct proxy *proxy = context;
    CHECK(code == CURLE_OK);
    if (proxy->idle_count == HANDLES_MAX) {
        curl_easy_cleanup(easy);
        return;
    }
    proxy->idle[proxy->idle_count++] = easy;
}

static size_t drop_answer(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static CURL *take_handle(struct proxy *proxy)
{
    if (proxy->idle_count > 0) {
        return proxy->idle[--proxy->idle_count];
    }
    CURL *easy = curl_easy_init();
    CHECK(easy != NULL);
    CHECK(curl_easy_setopt(easy, CURLOPT_URL, proxy->url) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_answer) == CURLE_OK);
    return easy;
}

static void pass_on(struct proxy *proxy, struct slice body)
{
    CURL *easy = take_handle(proxy);
    CHECK(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)body.len) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body.ptr) == CURLE_OK);
    CHECK(curl_loop_add(proxy->curl_loop, easy) == RC_OK);
}

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    struct proxy *proxy = context;
    const struct http_answer answer = {
        .status = 200, .content_type = SLICE("application/json"), .body = SLICE("{}")};
    CHECK(pwrite(proxy->fd, body.ptr, body.len, proxy->end) == (ssize_t)body.len);
    CHECK(fdatasync(proxy->fd) == 0);
    proxy->end += (off_t)body.len;
    http_server_answer(proxy->server, head->request_id, &answer);
    pass_on(proxy, body);
}

int main(int argc, char **argv)
{
    static struct proxy proxy;
    int64_t port = 0;
    int64_t sink_port = 0;
    if (argc != 4 || slice_to_int(slice_from_cstr(argv[1]), &port) != RC_OK ||
        slice_to_int(slice_from_cstr(argv[2]), &sink_port) != RC_OK) {
        (void)fprintf(stderr, "usage: proxy PORT SINK_PORT FILE\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(proxy.url, sizeof proxy.url, "http://127.0.0.1:%d/forward", (int)sink_port);
    proxy.fd = open(argv[3], O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(proxy.fd >= 0 && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    const struct curl_loop_options curl_options = {
        .loop = loop, .done = on_sent, .context = &proxy, .idle_connections_max = HANDLES_MAX};
    const struct http_server_options options = {
        .loop = loop,
        .port = (int)port,
        .handler = {.context = &proxy, .on_request = on_request},
    };
    CHECK(curl_loop_open(&curl_options, &proxy.curl_loop) == RC_OK);
    CHECK(http_server_open(&options, &proxy.server) == RC_OK);
    (void)printf("%d\n", http_server_port(proxy.server));
    (void)fflush(stdout);
    ev_run(loop, 0);
    return 0;
}
