#include "runtime/daemon/control.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 4,
    REQUEST_BYTES_MAX = 64,
    ANSWER_CHUNK_BYTES = 16 * 1024,
    CLIENT_S = 5,
    ASK_S = 10,
};

struct client {
    struct control *control;
    int fd; /* -1: free */
    ev_io io;
    ev_timer timer;
    char request[REQUEST_BYTES_MAX];
    size_t len;
    struct arena *arena; /* holds the answer; NULL: still being asked */
    struct slice left;   /* of the answer */
};

struct control {
    struct control_options options;
    struct sockaddr_un address;
    int fd;
    ev_io io;
    struct client clients[CLIENTS_MAX];
};

static enum rc make_address(struct slice path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (path.len == 0 || path.len >= sizeof address->sun_path) {
        return RC_TOO_BIG;
    }
    memcpy(address->sun_path, path.ptr, path.len);
    return RC_OK;
}

/* Clients */

static void let_go(struct client *client)
{
    ev_io_stop(client->control->options.loop, &client->io);
    ev_timer_stop(client->control->options.loop, &client->timer);
    (void)close(client->fd);
    arena_close(client->arena);
    client->fd = -1;
    client->arena = NULL;
}

static void write_answer(struct client *client)
{
    const ssize_t sent =
        send(client->fd, client->left.ptr, client->left.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    client->left = sent < 0 ? SLICE_EMPTY : slice_from(client->left, (size_t)sent);
    if (client->left.len == 0) {
        let_go(client);
    }
}

static void answer(struct client *client, struct slice request)
{
    const struct control_options *options = &client->control->options;
    client->arena = arena_open(ANSWER_CHUNK_BYTES);
    client->left = slice_equal(slice_trim(request), SLICE("status"))
                       ? options->report(options->context, client->arena)
                       : SLICE("{\"error\":\"no such command\"}");
    ev_io_stop(options->loop, &client->io);
    ev_io_set(&client->io, client->fd, EV_WRITE);
    ev_io_start(options->loop, &client->io);
}

static void read_request(struct client *client)
{
    const ssize_t got = recv(client->fd, client->request + client->len,
                             sizeof client->request - client->len, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        let_go(client);
        return;
    }
    client->len += (size_t)got;
    struct slice line = slice_make(client->request, client->len);
    const bool is_whole = memchr(line.ptr, '\n', line.len) != NULL;
    if (is_whole || client->len == sizeof client->request) {
        answer(client, slice_cut(&line, '\n'));
    }
}

static void on_client(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct client *client = watcher->data;
    (void)loop;
    (void)events;
    if (client->arena == NULL) {
        read_request(client);
    } else {
        write_answer(client);
    }
}

static void on_late(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    let_go(watcher->data);
}

static struct client *free_client(struct control *control)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (control->clients[i].fd < 0) {
            return &control->clients[i];
        }
    }
    return NULL;
}

static void on_connect(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct control *control = watcher->data;
    struct client *client = free_client(control);
    const int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void)events;
    if (fd < 0 || client == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return;
    }
    *client = (struct client){.control = control, .fd = fd};
    ev_io_init(&client->io, on_client, fd, EV_READ);
    ev_timer_init(&client->timer, on_late, CLIENT_S, 0.0);
    client->io.data = client;
    client->timer.data = client;
    ev_io_start(loop, &client->io);
    ev_timer_start(loop, &client->timer);
}

/* Listening */

static enum rc errno_rc(void)
{
    return errno == EADDRINUSE ? RC_BUSY : errno == EACCES || errno == EPERM ? RC_REFUSED : RC_IO;
}

/* A socket keeps its file when its process is killed: nobody answers there any more. */
static enum rc remove_dead(const struct sockaddr_un *address)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0 || !S_ISSOCK(found.st_mode)) {
        return RC_REFUSED;
    }
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return RC_IO;
    }
    const bool is_dead = connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                         errno == ECONNREFUSED;
    (void)close(fd);
    if (!is_dead) {
        return RC_BUSY;
    }
    return unlink(address->sun_path) == 0 ? RC_OK : errno_rc();
}

static enum rc bind_socket(const struct control *control)
{
    const struct sockaddr *address = (const struct sockaddr *)&control->address;
    if (fchmod(control->fd, 0600) != 0) { /* before bind, so that it never was open to others */
        return RC_IO;
    }
    if (bind(control->fd, address, sizeof control->address) == 0) {
        return RC_OK;
    }
    enum rc rc = errno_rc();
    if (rc == RC_BUSY) {
        rc = remove_dead(&control->address);
        if (rc == RC_OK && bind(control->fd, address, sizeof control->address) != 0) {
            rc = errno_rc();
        }
    }
    return rc;
}

static enum rc listen_on(struct control *control)
{
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->fd < 0) {
        return RC_IO;
    }
    enum rc rc = bind_socket(control);
    if (rc == RC_OK && listen(control->fd, CLIENTS_MAX) != 0) {
        rc = RC_IO;
    }
    if (rc != RC_OK) {
        (void)close(control->fd);
    }
    return rc;
}

enum rc control_open(const struct control_options *options, struct control **out)
{
    struct sockaddr_un address;
    enum rc rc = make_address(options->path, &address);
    if (rc != RC_OK) {
        return rc;
    }
    struct control *control = calloc(1, sizeof *control);
    CHECK(control != NULL);
    control->options = *options;
    control->address = address;
    rc = listen_on(control);
    if (rc != RC_OK) {
        free(control);
        return rc;
    }
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        control->clients[i].fd = -1;
    }
    ev_io_init(&control->io, on_connect, control->fd, EV_READ);
    control->io.data = control;
    ev_io_start(options->loop, &control->io);
    *out = control;
    return RC_OK;
}

void control_close(struct control *control)
{
    if (control == NULL) {
        return;
    }
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (control->clients[i].fd >= 0) {
            let_go(&control->clients[i]);
        }
    }
    ev_io_stop(control->options.loop, &control->io);
    (void)close(control->fd);
    (void)unlink(control->address.sun_path);
    free(control);
}

/* The other end */

static enum rc read_answer(int fd, struct arena *arena, struct slice *answer)
{
    char bytes[4096];
    struct buf out;
    buf_init(&out, arena);
    for (;;) {
        const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        if (got == 0) {
            *answer = buf_slice(&out);
            return answer->len > 0 ? RC_OK : RC_BUSY;
        }
        if (got < 0 && errno != EINTR) {
            return errno == EAGAIN ? RC_TIMEOUT : RC_IO;
        }
        buf_put(&out, slice_make(bytes, got < 0 ? 0 : (size_t)got));
    }
}

enum rc control_ask(struct slice path, struct arena *arena, struct slice *answer)
{
    static const char request[] = "status\n";
    const struct timeval patience = {.tv_sec = ASK_S};
    struct sockaddr_un address;
    enum rc rc = make_address(path, &address);
    if (rc != RC_OK) {
        return rc;
    }
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return RC_IO;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
        rc = RC_IO;
    } else if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        rc = errno == ENOENT || errno == ECONNREFUSED ? RC_ABSENT : errno_rc();
    } else if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) {
        rc = RC_IO;
    } else {
        rc = read_answer(fd, arena, answer);
    }
    (void)close(fd);
    return rc;
}
