#include "runtime/http.h"

#include "runtime/base/check.h"
#include "runtime/base/limits.h"
#include "runtime/http_conn.h"
#include "runtime/log.h"
#include "runtime/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Accepted in one go before the connections get their turn. */
#define ACCEPTS_MAX 64
#define BACKLOG 511
/* Slot numbers are the low 16 bits of a request id. */
#define SLOT_BITS 16
#define SLOT_MASK ((1U << SLOT_BITS) - 1)

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void set_defaults(struct http_limits *limits)
{
    const struct {
        int64_t *place;
        int64_t value;
    } times[] = {
        {&limits->header_ms, HTTP_HEADER_MS}, {&limits->body_ms, HTTP_BODY_MS},
        {&limits->idle_ms, HTTP_IDLE_MS},     {&limits->write_ms, HTTP_BODY_MS},
        {&limits->linger_ms, 2000},           {&limits->accept_pause_ms, 100},
    };

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (*times[i].place == 0) {
            *times[i].place = times[i].value;
        }
    }
    if (limits->header_bytes_max == 0) {
        limits->header_bytes_max = HTTP_HEADER_BYTES_MAX;
    }
    if (limits->body_bytes_max == 0) {
        limits->body_bytes_max = HTTP_BODY_BYTES_MAX;
    }
    if (limits->connections_max == 0) {
        limits->connections_max = HTTP_CONNECTIONS_MAX;
    }
    CHECK(limits->connections_max <= SLOT_MASK);
}

static enum rc resolve(struct slice bind_text, int port, struct addrinfo **out)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
    };
    char address[64];
    char service[8];

    if (bind_text.len == 0 || slice_equal_fold(bind_text, SLICE("localhost"))) {
        bind_text = SLICE("127.0.0.1");
    }
    if (slice_starts_with(bind_text, SLICE("[")) && slice_ends_with(bind_text, SLICE("]"))) {
        bind_text = slice_first(slice_from(bind_text, 1), bind_text.len - 2);
    }
    if (bind_text.len >= sizeof(address) || port < 0 || port > 65535) {
        return RC_BAD_INPUT;
    }
    (void)snprintf(address, sizeof(address), "%.*s", SLICE_ARGS(bind_text));
    (void)snprintf(service, sizeof(service), "%d", port);
    return getaddrinfo(address, service, &hints, out) == 0 ? RC_OK : RC_BAD_INPUT;
}

static enum rc rc_from_bind(int error)
{
    if (error == EADDRINUSE) {
        return RC_BUSY;
    }
    if (error == EACCES || error == EPERM) {
        return RC_REFUSED;
    }
    return error == EADDRNOTAVAIL ? RC_BAD_INPUT : RC_IO;
}

static enum rc bind_and_listen(int fd, const struct addrinfo *address)
{
    const int on = 1;
    const int off = 0;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) {
        return RC_IO;
    }
    if (address->ai_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0) {
        return RC_IO;
    }
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        return rc_from_bind(errno);
    }
    return RC_OK;
}

static void address_text(const struct sockaddr_storage *address, char *text, size_t size, int *port)
{
    static const char mapped[] = "::ffff:";

    text[0] = '\0';
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address;

        *port = ntohs(in6->sin6_port);
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, text, (socklen_t)size);
        if (strncmp(text, mapped, sizeof(mapped) - 1) == 0 && strchr(text, '.') != NULL) {
            memmove(text, text + sizeof(mapped) - 1, strlen(text) - sizeof(mapped) + 2);
        }
    } else if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in4 = (const void *)address;

        *port = ntohs(in4->sin_port);
        (void)inet_ntop(AF_INET, &in4->sin_addr, text, (socklen_t)size);
    }
}

static enum rc listen_on(struct http_server *server, struct slice bind_text, int port)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof(bound);
    struct addrinfo *address = NULL;
    char text[INET6_ADDRSTRLEN];
    enum rc rc = resolve(bind_text, port, &address);

    if (rc != RC_OK) {
        return rc;
    }
    server->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    rc = server->fd < 0 ? RC_IO : bind_and_listen(server->fd, address);
    freeaddrinfo(address);
    if (rc == RC_OK && getsockname(server->fd, (struct sockaddr *)&bound, &size) != 0) {
        rc = RC_IO;
    }
    if (rc == RC_OK) {
        address_text(&bound, text, sizeof(text), &server->port);
    }
    return rc;
}

/* Over the limit somebody goes: the new one only if all others are being answered. */
static bool make_room(struct http_server *server, int fd)
{
    struct http_conn *oldest = NULL;

    if (server->free_count > 0) {
        return true;
    }
    server->stats.overloads++;
    oldest = conn_find_expendable(server);
    if (oldest != NULL) {
        conn_end(oldest);
        conn_settle(oldest);
        return true;
    }
    if (server->tls == NULL) {
        http_refuse_overload(server, fd);
    }
    (void)close(fd);
    return false;
}

static void take(struct http_server *server, int fd, const struct sockaddr_storage *address)
{
    const int on = 1;
    char remote[INET6_ADDRSTRLEN];
    int port = 0;

    server->stats.accepted++;
    if (!make_room(server, fd)) {
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    address_text(address, remote, sizeof(remote), &port);
    conn_open(server, fd, remote);
}

/* The waiting peer is let in and closed, so that it need not hang, and the rest waits a moment. */
static void pause_accepting(struct http_server *server)
{
    if (!server->is_starved) {
        log_event(server->log, LOG_WARN, "http_accept_paused", LOG_INT("port", server->port));
    }
    server->is_starved = true;
    server->stats.overloads++;
    if (server->spare_fd >= 0) {
        int fd;

        (void)close(server->spare_fd);
        fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            (void)close(fd);
        }
        server->spare_fd = open_spare();
    }
    ev_io_stop(server->loop, &server->io);
    ev_timer_again(server->loop, &server->accept_timer);
}

static bool error_is_passing(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
           error == EHOSTDOWN || error == ENETUNREACH || error == EHOSTUNREACH ||
           error == ENOPROTOOPT || error == EPERM;
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct http_server *server = io->data;

    (void)loop;
    (void)events;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage address = {0};
        socklen_t size = sizeof(address);
        int fd =
            accept4(server->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            server->is_starved = false;
            take(server, fd, &address);
        } else if (errno == EAGAIN) {
            return;
        } else if (!error_is_passing(errno)) {
            pause_accepting(server); /* EMFILE, ENFILE, ENOBUFS, ENOMEM */
            return;
        }
    }
}

static void on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct http_server *server = timer->data;

    (void)events;
    ev_timer_stop(loop, timer);
    if (server->spare_fd < 0) {
        server->spare_fd = open_spare();
    }
    ev_io_start(loop, &server->io);
}

static void start_accepting(struct http_server *server)
{
    ev_io_init(&server->io, on_accept, server->fd, EV_READ);
    server->io.data = server;
    ev_timer_init(&server->accept_timer, on_accept_again, 0., 0.);
    server->accept_timer.repeat = (ev_tstamp)server->limits.accept_pause_ms / 1000.;
    server->accept_timer.data = server;
    ev_io_start(server->loop, &server->io);
}

static void fill_slots(struct http_server *server)
{
    size_t count = server->limits.connections_max;

    server->slots = calloc(count, sizeof(struct http_conn *));
    server->free_slots = calloc(count, sizeof(*server->free_slots));
    server->scratch = malloc(HTTP_READ_BYTES);
    CHECK(server->slots != NULL && server->free_slots != NULL && server->scratch != NULL);
    while (server->free_count < count) {
        server->free_slots[server->free_count] = (uint32_t)(count - 1 - server->free_count);
        server->free_count++;
    }
}

static bool path_is_set(const char *path)
{
    return path != NULL && path[0] != '\0';
}

static enum rc open_tls(struct http_server *server, const struct http_server_options *options)
{
    if (!path_is_set(options->tls_certificate) && !path_is_set(options->tls_key)) {
        return RC_OK;
    }
    if (!path_is_set(options->tls_certificate) || !path_is_set(options->tls_key)) {
        return RC_BAD_INPUT;
    }
    return tls_context_open(options->tls_certificate, options->tls_key, &server->tls);
}

enum rc http_server_open(const struct http_server_options *options, struct http_server **out)
{
    struct http_server *server = calloc(1, sizeof(*server));
    enum rc rc;

    CHECK(server != NULL && options->loop != NULL && options->handler.on_request != NULL);
    server->loop = options->loop;
    server->log = options->log;
    server->handler = options->handler;
    server->limits = options->limits;
    server->fd = -1;
    server->spare_fd = open_spare();
    set_defaults(&server->limits);
    fill_slots(server);
    rc = open_tls(server, options);
    if (rc == RC_OK) {
        rc = listen_on(server, options->bind, options->port);
    }
    if (rc != RC_OK) {
        http_server_close(server);
        return rc;
    }
    start_accepting(server);
    *out = server;
    return RC_OK;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_answer(struct http_server *server,
                        uint64_t request_id,
                        const struct http_answer *answer)
{
    size_t slot = (size_t)(request_id & SLOT_MASK);
    struct http_conn *conn = slot < server->limits.connections_max ? server->slots[slot] : NULL;

    CHECK(answer->status >= 200 && answer->status <= 999);
    if (conn == NULL || conn->state != CONN_WAITING || conn->request_id != request_id) {
        return;
    }
    conn_answer(conn, answer);
    if (!conn->is_busy) {
        conn_settle(conn);
    }
}

static void stop_accepting(struct http_server *server)
{
    if (server->fd >= 0) {
        ev_io_stop(server->loop, &server->io);
        ev_timer_stop(server->loop, &server->accept_timer);
        (void)close(server->fd);
        server->fd = -1;
    }
}

void http_server_drain(struct http_server *server)
{
    server->is_draining = true;
    stop_accepting(server);
    for (size_t i = 0; i < server->limits.connections_max; i++) {
        struct http_conn *conn = server->slots[i];

        if (conn != NULL && conn->state == CONN_REST && !conn->is_busy) {
            conn_settle(conn);
        }
    }
}

bool http_server_is_idle(const struct http_server *server)
{
    return server->stats.connections == 0;
}

void http_server_close(struct http_server *server)
{
    if (server == NULL) {
        return;
    }
    stop_accepting(server);
    for (size_t i = 0; i < server->limits.connections_max; i++) {
        struct http_conn *conn = server->slots[i];

        if (conn != NULL) {
            CHECK(!conn->is_busy);
            conn_end(conn);
            conn_settle(conn);
        }
    }
    if (server->spare_fd >= 0) {
        (void)close(server->spare_fd);
    }
    tls_context_close(server->tls);
    free(server->slots);
    free(server->free_slots);
    free(server->scratch);
    free(server);
}

struct http_stats http_server_stats(const struct http_server *server)
{
    return server->stats;
}
