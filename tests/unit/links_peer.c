#include "tests/unit/links_peer.h"

#include "codecs/json.h"
#include "runtime/base/buf.h"

#include <check.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PEER_ARGS_MAX = 16,
    PEER_LINE_BYTES_MAX = 200,
    PEER_CALL_S = 20,
};

_Noreturn static void run_node(const char *const *argv, int out)
{
    const char *args[PEER_ARGS_MAX + 2] = {"node"};
    for (size_t i = 0; argv[i] != NULL && i < PEER_ARGS_MAX; i++) {
        args[i + 1] = argv[i];
    }
    /* also when the test is killed */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(out, STDOUT_FILENO);
    (void)execvp(args[0], (char *const *)(uintptr_t)args);
    _exit(127);
}

static int64_t read_port(int fd, struct arena *arena)
{
    char line[PEER_LINE_BYTES_MAX];
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len < sizeof(line) && memchr(line, '\n', len) == NULL) {
        got = read(fd, line + len, sizeof(line) - len);
        len += got > 0 ? (size_t)got : 0;
    }
    struct json *root = NULL;
    if (json_parse(arena, slice_make(line, len), &root) != RC_OK) {
        return -1;
    }
    return json_get_int(root, SLICE("port"), -1);
}

void peer_start(struct peer *peer, struct arena *arena, const char *const *argv)
{
    int ends[2];
    ck_assert_msg(access("tests/gitter/node_modules", R_OK) == 0,
                  "tests/gitter/node_modules is missing: run etc/setup");
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    *peer = (struct peer){.arena = arena};
    peer->pid = fork();
    ck_assert_int_ge(peer->pid, 0);
    if (peer->pid == 0) {
        run_node(argv, ends[1]);
    }
    close(ends[1]);
    peer->port = (int)read_port(ends[0], arena);
    close(ends[0]);
    ck_assert_msg(peer->port > 0, "node %s did not start: run etc/setup", argv[0]);
}

void peer_stop(struct peer *peer)
{
    if (peer->pid > 0) {
        (void)kill(peer->pid, SIGKILL);
        (void)waitpid(peer->pid, NULL, 0);
        peer->pid = 0;
    }
}

static size_t keep_body(char *bytes, size_t size, size_t count, void *context)
{
    buf_put(context, slice_make(bytes, size * count));
    return size * count;
}

static struct slice peer_call(const struct peer *peer, const char *path, struct slice json)
{
    struct buf body;
    char reason[CURL_ERROR_SIZE] = "";
    const struct slice url =
        arena_printf(peer->arena, "http://127.0.0.1:%d/_test/%s", peer->port, path);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    buf_init(&body, peer->arena);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url.ptr);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)PEER_CALL_S);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    if (json.len > 0) {
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)json.len);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json.ptr);
    }
    const CURLcode code = curl_easy_perform(curl);
    ck_assert_msg(code == CURLE_OK, "%s: %s", path, reason);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return buf_slice(&body);
}

struct slice peer_post(const struct peer *peer, const char *path, struct slice json)
{
    return peer_call(peer, path, json);
}

struct slice peer_get(const struct peer *peer, const char *path)
{
    return peer_call(peer, path, SLICE_EMPTY);
}
