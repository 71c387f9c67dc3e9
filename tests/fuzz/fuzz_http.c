/* The bytes of a client, through a socket into the listener. Whatever they are: the requests that
 * come out, and the answers that go back, are the same whatever the pieces in which the bytes come;
 * each whole request has one answer, in order; at most one refusal ends it all; no limit is passed;
 * and what was understood, written down plainly, is understood as the same once more.
 *
 * The first line of an input is how it is cut: a byte of flags, then the sizes of the pieces, which
 * are taken in turn. The rest is what the client sends.
 */
#include "runtime/base/buf.h"
#include "runtime/http_conn.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_BYTES_MAX = 4096,
    BODY_BYTES_MAX = 512,
    SMALL_BODY_BYTES_MAX = 16, /* below /small */
    PLAIN_HEADERS_MAX = HTTP_HEADERS_MAX - 2,
    HOUR_MS = 3600 * 1000,
    QUIET_TURNS = 3,
    SETTLE_TURNS_MAX = 100000,
};

enum flag {
    FLAG_LATE = 1,   /* answers are given when there is nothing else to do */
    FLAG_OPEN = 2,   /* the client does not close its side when all is sent */
    FLAG_DEAF = 4,   /* it reads nothing and goes away */
    FLAG_DRAINS = 8, /* the listener shuts down in the middle */
};

struct client {
    struct ev_loop *loop;
    struct http_server *server;
    unsigned int flags;
    int fd;
    struct buf got;      /* by the client */
    struct buf requests; /* what the handler was given, written down */
    bool is_plain;       /* all of it could be written so */
    size_t count;        /* requests */
    size_t heads;
    size_t moves; /* anything that happened */
    size_t body_bytes_max;
    uint64_t waiting; /* the request that has no answer yet; 0: none */
};

static const struct slice answer_head =
    SLICE_INIT("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n");

static void answer(struct client *client)
{
    const struct http_answer answer = {.status = 200, .content_type = SLICE("text/plain")};
    const uint64_t id = client->waiting;
    client->waiting = 0;
    client->moves++;
    http_server_answer(client->server, id, &answer);
}

static enum rc on_head(void *context,
                       const struct http_head *head,
                       size_t *body_bytes_max,
                       struct http_answer *refusal)
{
    struct client *client = context;
    CHECK(client->waiting == 0 && *body_bytes_max == BODY_BYTES_MAX);
    client->heads++;
    client->moves++;
    if (slice_starts_with(head->path, SLICE("/small"))) {
        *body_bytes_max = SMALL_BODY_BYTES_MAX;
    }
    client->body_bytes_max = *body_bytes_max;
    *refusal = (struct http_answer){.status = 403};
    return slice_starts_with(head->path, SLICE("/no")) ? RC_REFUSED : RC_OK;
}

/* http-parser 2.9.4 takes a name that only begins so for the header itself, and refuses a request
 * that has a length as well: what is written down with one is another request then. */
static bool has_odd_encoding(const struct http_head *head)
{
    const struct slice name = SLICE("Transfer-Encoding");
    for (size_t i = 0; i < head->headers_count; i++) {
        const struct slice begin = slice_first(head->headers[i].name, name.len);
        if (slice_equal_fold(begin, name) && head->headers[i].name.len > name.len) {
            return true;
        }
    }
    return false;
}

static bool is_of_the_wire(struct slice name)
{
    static const struct slice names[] = {
        SLICE_INIT("Content-Length"), SLICE_INIT("Transfer-Encoding"),
        SLICE_INIT("Connection"),     SLICE_INIT("Expect"),
        SLICE_INIT("Host"),           SLICE_INIT("Proxy-Connection")};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_equal_fold(name, names[i])) {
            return true;
        }
    }
    return false;
}

static void check_head(const struct http_head *head)
{
    size_t bytes = head->method.len + head->target.len;
    CHECK(head->method.len > 0 && head->path.len > 0 && head->path.ptr[0] == '/');
    CHECK(slice_find_byte(head->path, '?') == head->path.len);
    CHECK(head->headers_count <= HTTP_HEADERS_MAX && head->request_id != 0);
    for (size_t i = 0; i < head->headers_count; i++) {
        const struct http_header *header = &head->headers[i];
        CHECK(header->name.len > 0 && header->value.ptr != NULL);
        CHECK(slice_find_byte(header->value, '\n') == header->value.len);
        CHECK(slice_find_byte(header->value, '\r') == header->value.len);
        CHECK(slice_find_byte(header->value, '\0') == header->value.len);
        bytes += header->name.len + header->value.len;
    }
    CHECK(bytes < HEAD_BYTES_MAX);
}

static void write_down(struct buf *out, const struct http_head *head, struct slice body)
{
    buf_printf(out, "%.*s %.*s HTTP/1.1\r\nHost:%.*s\r\n", SLICE_ARGS(head->method),
               SLICE_ARGS(head->target), SLICE_ARGS(head->host));
    for (size_t i = 0; i < head->headers_count; i++) {
        if (!is_of_the_wire(head->headers[i].name)) {
            buf_put(out, head->headers[i].name);
            BUF_PUT(out, ":");
            buf_put(out, head->headers[i].value);
            BUF_PUT(out, "\r\n");
        }
    }
    buf_printf(out, "Content-Length:%zu\r\n\r\n", body.len);
    buf_put(out, body);
}

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    struct client *client = context;
    CHECK(client->waiting == 0 && body.len <= client->body_bytes_max);
    check_head(head);
    const size_t before = buf_slice(&client->requests).len;
    write_down(&client->requests, head, body);
    const size_t bytes = buf_slice(&client->requests).len - before - body.len;
    if (head->headers_count > PLAIN_HEADERS_MAX || bytes > HEAD_BYTES_MAX ||
        has_odd_encoding(head)) {
        client->is_plain = false;
    }
    client->waiting = head->request_id;
    client->count++;
    client->moves++;
    if ((client->flags & FLAG_LATE) == 0) {
        answer(client);
    }
}

static void on_gone(void *context, uint64_t request_id)
{
    struct client *client = context;
    CHECK(client->waiting == request_id);
    client->moves++;
}

static void open_server(struct client *client)
{
    const struct http_server_options options = {
        .loop = client->loop,
        .handler = {.context = client,
                    .on_head = on_head,
                    .on_request = on_request,
                    .on_gone = on_gone},
        .limits = {.header_bytes_max = HEAD_BYTES_MAX,
                   .body_bytes_max = BODY_BYTES_MAX,
                   .connections_max = 2,
                   .header_ms = HOUR_MS,
                   .body_ms = HOUR_MS,
                   .idle_ms = HOUR_MS,
                   .write_ms = HOUR_MS,
                   .linger_ms = HOUR_MS},
    };
    CHECK(http_server_open(&options, &client->server) == RC_OK);
}

static void receive(struct client *client)
{
    char bytes[4096];
    ssize_t n = 1;
    while (n > 0 && (client->flags & FLAG_DEAF) == 0) {
        n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n > 0) {
            buf_put(&client->got, slice_make(bytes, (size_t)n));
            client->moves++;
        }
    }
}

/* Turns the loop until nothing more happens. */
static void settle(struct client *client)
{
    int quiet = 0;
    for (int i = 0; quiet < QUIET_TURNS; i++) {
        const size_t before = client->moves;
        CHECK(i < SETTLE_TURNS_MAX);
        (void)ev_run(client->loop, EVRUN_NOWAIT);
        receive(client);
        quiet = client->moves == before ? quiet + 1 : 0;
        if (quiet == QUIET_TURNS && client->waiting != 0) {
            answer(client);
            quiet = 0;
        }
    }
}

static void send_pieces(struct client *client, struct slice text, struct slice sizes)
{
    for (size_t i = 0; text.len > 0; i++) {
        const size_t size =
            sizes.len == 0 ? text.len : (unsigned char)sizes.ptr[i % sizes.len] + 1U;
        const struct slice piece = slice_first(text, size);
        text = slice_from(text, piece.len);
        if (send(client->fd, piece.ptr, piece.len, MSG_NOSIGNAL) < 0) {
            return; /* the listener has had enough */
        }
        settle(client);
        if (i == 0 && (client->flags & FLAG_DRAINS) != 0) {
            http_server_drain(client->server);
        }
    }
}

/* One connection from its beginning to its end. */
static void run(struct client *client, struct slice text, struct slice sizes)
{
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    open_server(client);
    client->fd = ends[0];
    conn_open(client->server, ends[1], "192.0.2.1");
    send_pieces(client, text, sizes);
    if ((client->flags & FLAG_OPEN) == 0) {
        (void)shutdown(client->fd, SHUT_WR);
    }
    settle(client);
    CHECK(http_server_stats(client->server).requests == client->count);
    CHECK(client->heads >= client->count);
    (void)close(client->fd);
    client->flags |= FLAG_DEAF;
    settle(client);
    CHECK(http_server_is_idle(client->server));
    http_server_close(client->server);
}

static void client_init(struct client *client, struct arena *arena, unsigned int flags)
{
    *client = (struct client){.loop = ev_default_loop(EVFLAG_AUTO), .flags = flags};
    client->is_plain = true;
    buf_init(&client->got, arena);
    buf_init(&client->requests, arena);
}

/* The answer at the front is this, with or without the word that it is the last. */
static bool take_answer(struct slice *got, bool *is_last)
{
    static const struct slice ends[] = {SLICE_INIT("\r\n"), SLICE_INIT("Connection: close\r\n\r\n"),
                                        SLICE_INIT("Connection: keep-alive\r\n\r\n")};
    if (!slice_starts_with(*got, answer_head)) {
        return false;
    }
    *got = slice_from(*got, answer_head.len);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (slice_starts_with(*got, ends[i])) {
            *got = slice_from(*got, ends[i].len);
            *is_last = i == 1;
            return true;
        }
    }
    CHECK(false);
}

static void check_refusal(struct slice got)
{
    static const char *const statuses[] = {"400", "403", "413", "417", "431", "501", "505"};
    const struct slice status = slice_first(slice_from(got, sizeof "HTTP/1.1 " - 1), 3);
    const size_t head = slice_find(got, SLICE("\r\n\r\n"));
    bool is_known = false;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        is_known = is_known || slice_equal_cstr(status, statuses[i]);
    }
    CHECK(is_known && head < got.len);
    CHECK(slice_ends_with(slice_first(got, head), SLICE("\r\nConnection: close")));
    CHECK(slice_find(slice_from(got, head), SLICE("HTTP/")) == got.len - head);
}

/* An answer for each request, then at most one refusal, and nothing behind the last word. */
static void check_answers(const struct client *client)
{
    const struct slice goes_on = SLICE("HTTP/1.1 100 Continue\r\n\r\n");
    struct slice got = buf_slice(&client->got);
    size_t answers = 0;
    size_t continues = 0;
    bool is_last = false;
    while (got.len > 0) {
        CHECK(!is_last);
        if (slice_starts_with(got, goes_on)) {
            got = slice_from(got, goes_on.len);
            continues++;
        } else if (take_answer(&got, &is_last)) {
            answers++;
        } else {
            check_refusal(got);
            is_last = true;
            got = SLICE_EMPTY;
        }
    }
    CHECK(answers == client->count && continues <= client->heads);
}

static void check_plain(struct arena *arena, const struct client *first)
{
    struct client client;
    client_init(&client, arena, 0);
    run(&client, buf_slice(&first->requests), SLICE_EMPTY);
    check_answers(&client);
    CHECK(slice_equal(buf_slice(&client.requests), buf_slice(&first->requests)));
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct slice text = input;
    struct slice cuts = slice_cut(&text, '\n');
    const unsigned int flags = cuts.len == 0 ? 0 : (unsigned char)cuts.ptr[0];
    struct client whole;
    struct client cut;
    client_init(&cut, arena, flags);
    run(&cut, text, slice_from(cuts, 1));
    if ((flags & (FLAG_DEAF | FLAG_DRAINS)) != 0) {
        return;
    }
    check_answers(&cut);
    client_init(&whole, arena, flags & FLAG_OPEN);
    run(&whole, text, SLICE_EMPTY);
    CHECK(slice_equal(buf_slice(&whole.got), buf_slice(&cut.got)));
    CHECK(slice_equal(buf_slice(&whole.requests), buf_slice(&cut.requests)));
    if (whole.is_plain) {
        check_plain(arena, &whole);
    }
}
