#include "tests/unit/courier_rig_parts.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"

#include <check.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BYTES = 65536
};

struct connection {
    struct ev_io io;
    struct ev_timer timer;
    struct rig *rig;
    struct arena *arena;
    struct buf in;
    struct slice out;
    int number;
    bool closes;
    bool is_busy;
};

static void connection_close(struct connection *connection)
{
    struct rig *rig = connection->rig;
    if (connection->is_busy) {
        rig->in_flight--;
    }
    ev_io_stop(rig->loop, &connection->io);
    ev_timer_stop(rig->loop, &connection->timer);
    close(connection->io.fd);
    rig->parts->connections[connection->number] = NULL;
    arena_close(connection->arena);
    free(connection);
}

static void put_chunks(struct buf *out, const char *body)
{
    for (const char *at = body; *at != '\0'; at++) {
        buf_printf(out, "1\r\n%c\r\n", *at);
    }
    BUF_PUT(out, "0\r\n\r\n");
}

static struct slice reply_text(struct connection *connection, const struct rig_reply *reply)
{
    struct buf out;
    const char *body = reply->body != NULL ? reply->body : "{}";
    const size_t len = reply->filler > 0 ? reply->filler : strlen(body);
    buf_init(&out, connection->arena);
    buf_printf(&out, "HTTP/1.1 %d X\r\n%s", reply->status != 0 ? reply->status : 200,
               reply->headers != NULL ? reply->headers : "");
    if (reply->manner == RIG_ANSWER_CHUNKED) {
        BUF_PUT(&out, "Transfer-Encoding: chunked\r\n\r\n");
        put_chunks(&out, body);
        return buf_slice(&out);
    }
    buf_printf(&out, "Content-Length: %zu\r\n\r\n", reply->manner == RIG_CUT ? 2 * len : len);
    for (size_t i = 0; i < reply->filler; i++) {
        buf_put_byte(&out, 'x');
    }
    if (reply->filler == 0) {
        buf_put(&out, slice_from_cstr(body));
    }
    return buf_slice(&out);
}

static void on_connection(struct ev_loop *loop, struct ev_io *io, int revents);

static void send_rest(struct connection *connection)
{
    struct rig *rig = connection->rig;
    const ssize_t sent =
        send(connection->io.fd, connection->out.ptr, connection->out.len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        connection_close(connection);
        return;
    }
    connection->out = slice_from(connection->out, sent < 0 ? 0 : (size_t)sent);
    if (connection->out.len == 0 && connection->closes) {
        connection_close(connection);
        return;
    }
    if (connection->out.len == 0) {
        connection->is_busy = false;
        rig->in_flight--;
        arena_reset(connection->arena);
        buf_init(&connection->in, connection->arena);
    }
    ev_io_stop(rig->loop, &connection->io);
    ev_io_set(&connection->io, connection->io.fd, connection->out.len > 0 ? EV_WRITE : EV_READ);
    ev_io_start(rig->loop, &connection->io);
}

static void on_delay(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    send_rest(timer->data);
}

static struct rig_reply pop_reply(struct rig *rig, const char *path)
{
    for (size_t i = 0; i < rig->parts->scripts_count; i++) {
        struct script *script = &rig->parts->scripts[i];
        if (!script->is_used && strcmp(script->path, path) == 0) {
            script->is_used = true;
            return script->reply;
        }
    }
    rig->seed = rig->seed * 6364136223846793005U + 1442695040888963407U;
    return (struct rig_reply){.delay_ms = rig->is_slow ? (int)(rig->seed >> 60) : 0};
}

static void reply_to(struct connection *connection, const char *path)
{
    struct rig *rig = connection->rig;
    const struct rig_reply reply = pop_reply(rig, path);
    if (reply.manner == RIG_CLOSE) {
        connection_close(connection);
        return;
    }
    if (reply.manner == RIG_HANG) {
        return;
    }
    connection->closes = reply.manner == RIG_CUT || reply.manner == RIG_ANSWER_AND_CLOSE;
    connection->out = reply_text(connection, &reply);
    if (reply.delay_ms == 0) {
        send_rest(connection);
        return;
    }
    ev_timer_set(&connection->timer, (double)reply.delay_ms / 1000.0, 0.0);
    ev_timer_start(rig->loop, &connection->timer);
}

static void handle_request(struct connection *connection, struct slice head, struct slice body)
{
    struct rig *rig = connection->rig;
    struct slice line = head;
    (void)slice_cut(&line, ' ');
    const struct slice path = slice_cut(&line, ' ');
    rig->requests =
        reallocarray(rig->requests, rig->requests_count + 1, sizeof(struct rig_request));
    CHECK(rig->requests != NULL);
    struct rig_request *request = &rig->requests[rig->requests_count++];
    *request = (struct rig_request){
        .head = strndup(head.ptr, head.len),
        .path = strndup(path.ptr, path.len),
        .body = strndup(body.len > 0 ? body.ptr : "", body.len),
        .connection = connection->number,
    };
    connection->is_busy = true;
    rig->in_flight++;
    rig->in_flight_max = rig->in_flight > rig->in_flight_max ? rig->in_flight : rig->in_flight_max;
    if (rig->on_request != NULL) {
        rig->on_request(rig, request);
    }
    reply_to(connection, request->path);
}

static size_t content_length(struct slice head)
{
    const size_t at = slice_find(head, SLICE("\r\nContent-Length: "));
    struct slice rest = slice_from(head, at + 18);
    int64_t len = 0;
    if (at < head.len) {
        ck_assert_int_eq(slice_to_int(slice_trim(slice_cut(&rest, '\r')), &len), RC_OK);
    }
    return (size_t)len;
}

static void on_connection(struct ev_loop *loop, struct ev_io *io, int revents)
{
    struct connection *connection = io->data;
    char bytes[READ_BYTES];
    (void)loop;
    if ((revents & EV_WRITE) != 0) {
        send_rest(connection);
        return;
    }
    const ssize_t len = recv(io->fd, bytes, sizeof bytes, 0);
    if (len <= 0) {
        connection_close(connection);
        return;
    }
    buf_put(&connection->in, slice_make(bytes, (size_t)len));
    const struct slice in = buf_slice(&connection->in);
    const size_t end = slice_find(in, SLICE("\r\n\r\n"));
    if (end == in.len) {
        return;
    }
    const struct slice head = slice_first(in, end);
    const struct slice body = slice_from(in, end + 4);
    if (body.len == content_length(head)) {
        handle_request(connection, head, body);
    }
}

static void on_listener(struct ev_loop *loop, struct ev_io *io, int revents)
{
    struct rig *rig = io->data;
    (void)revents;
    const int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(fd >= 0 && rig->connections < RIG_CONNECTIONS_MAX);
    struct connection *connection = calloc(1, sizeof *connection);
    CHECK(connection != NULL);
    connection->rig = rig;
    connection->number = rig->connections++;
    connection->arena = arena_open(4096);
    buf_init(&connection->in, connection->arena);
    rig->parts->connections[connection->number] = connection;
    ev_io_init(&connection->io, on_connection, fd, EV_READ);
    ev_timer_init(&connection->timer, on_delay, 0.0, 0.0);
    connection->io.data = connection;
    connection->timer.data = connection;
    ev_io_start(loop, &connection->io);
}

void rig_listen(struct rig *rig)
{
    struct rig_parts *parts = rig->parts;
    const int fd = parts->listener.fd;
    CHECK(listen(fd, 128) == 0);
    ev_io_start(rig->loop, &parts->listener);
}

void rig_server_bind(struct rig *rig)
{
    struct rig_parts *parts = rig->parts;
    socklen_t len = sizeof parts->address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    parts->address.sin_family = AF_INET;
    parts->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&parts->address, len) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&parts->address, &len) == 0);
    ev_io_init(&parts->listener, on_listener, fd, EV_READ);
    parts->listener.data = rig;
}

void rig_server_close(struct rig *rig)
{
    for (int i = 0; i < rig->connections; i++) {
        if (rig->parts->connections[i] != NULL) {
            connection_close(rig->parts->connections[i]);
        }
    }
    ev_io_stop(rig->loop, &rig->parts->listener);
    close(rig->parts->listener.fd);
}
