/* runtime/http.h: the HTTP/1.1 listener: requests in, answers out, on libev.
 *
 * Thread: loop thread only. No function here calls the handler; the handler is called from the loop
 *         alone, so an answer may be given from anywhere on that thread, even inside on_request.
 * Memory: arguments are borrowed until return. A head and a body belong to the server and end when
 *         the callback that got them returns. A connection at rest costs well under 2 KiB (plain).
 * Errors: what peers do wrong is answered here (400, 408, 413, 417, 431, 501, 503, 505) and never
 *         reaches the handler. http_server_open says RC_BAD_INPUT (address, certificate, key),
 *         RC_BUSY (address in use), RC_REFUSED (port not allowed to us) or RC_IO.
 * Units:  sizes in bytes, times in ms on the loop's monotonic clock.
 *
 * The requests of one connection are handled in order and one at a time: reading stops while a
 * request is with the handler, so that a pipelining peer costs no more memory than another.
 */
#ifndef GITTERD_HTTP_H
#define GITTERD_HTTP_H

#include "runtime/base/slice.h"

struct ev_loop;
struct http_server;
struct log;

struct http_header {
    struct slice name;
    struct slice value;
};

/* The head of a request. Empty slices stand for what the peer did not send. */
struct http_head {
    struct slice method; /* "GET"; upper case as on the wire */
    struct slice target; /* as it came: "/users/%40a?x=1" or "http://host/users/..." */
    struct slice path;   /* not decoded, without query; starts with '/', escapes are well formed */
    struct slice query;  /* not decoded, without '?'; may hold secrets: keep it out of logs */
    struct slice authorization;
    struct slice cookie;
    struct slice content_type;
    struct slice user_agent;
    struct slice host;
    struct slice forwarded_for; /* X-Forwarded-For: believe it only behind a proxy of one's own */
    struct slice remote;        /* numeric address of the peer, without port */
    bool is_tls;
    uint64_t request_id; /* never 0, never repeats within one server */
    const struct http_header *headers;
    size_t headers_count;
};

/* The value of the first header of that name (case does not matter); no such header: NULL ptr. */
struct slice http_head_find(const struct http_head *head, struct slice name);

/* An answer. Content-Length, Content-Type (unless empty) and Connection are written by the server;
 * `headers` are further ones. Control characters in values leave as spaces. The answer to HEAD goes
 * out without its body, 204 and 304 without body and length. */
struct http_answer {
    int status;
    struct slice content_type;
    struct slice body;
    const struct http_header *headers;
    size_t headers_count;
};

static inline struct http_answer http_answer_json(int status, struct slice body)
{
    return (struct http_answer){
        .status = status, .content_type = SLICE("application/json"), .body = body};
}

struct http_handler {
    void *context;
    /* The head is complete and no byte of the body has been read. RC_OK: go on; the body may have
     * up to *body_bytes_max bytes (preset to the limit of the server, may be lowered), more is
     * answered 413. Anything else: *refusal goes out at once and the connection ends after it; what
     * it points to must live until the next callback. NULL accepts everything. */
    enum rc (*on_head)(void *context,
                       const struct http_head *head,
                       size_t *body_bytes_max,
                       struct http_answer *refusal);
    /* The request is whole. Each one must get its http_server_answer, now or later. */
    void (*on_request)(void *context, const struct http_head *head, struct slice body);
    /* The peer closed before the answer. A peer that only closed its sending side still gets the
     * answer, so one may be given in any case. May be NULL. */
    void (*on_gone)(void *context, uint64_t request_id);
    /* How what the server refuses by itself reads to the peer. *answer has the status and a line of
     * plain text; what is put there must live until the next callback. NULL leaves it so. */
    void (*on_refuse)(void *context, struct http_answer *answer);
};

/* 0 stands for the default, named behind each. */
struct http_limits {
    size_t header_bytes_max; /* HTTP_HEADER_BYTES_MAX; request line included */
    size_t body_bytes_max;   /* HTTP_BODY_BYTES_MAX */
    size_t connections_max;  /* HTTP_CONNECTIONS_MAX; over it one that is not being answered goes */
    int64_t header_ms; /* HTTP_HEADER_MS; from the first byte (or connect) to the last header */
    int64_t body_ms;   /* HTTP_BODY_MS; for each further KiB of a body */
    int64_t idle_ms;   /* HTTP_IDLE_MS; between two requests */
    int64_t write_ms;  /* HTTP_BODY_MS; between two reads of our answer by the peer */
    int64_t linger_ms; /* 2000; for a refused peer to read why, before the connection ends */
    int64_t accept_pause_ms; /* 100; after the process ran out of descriptors */
};

#define HTTP_CONNECTIONS_MAX 1024

struct http_server_options {
    struct ev_loop *loop;
    struct log *log;             /* NULL: silent */
    struct slice bind;           /* numeric IPv4 or IPv6 address or "localhost"; empty: 127.0.0.1 */
    int port;                    /* 0: any free one */
    const char *tls_certificate; /* PEM files, the chain and its key; NULL or "" for both: plain */
    const char *tls_key;
    struct http_handler handler; /* copied */
    struct http_limits limits;
};

/* Binds, listens and gives a server that runs as its loop runs. */
NODISCARD enum rc http_server_open(const struct http_server_options *options,
                                   struct http_server **out);

/* The port it listens on, also after a drain. */
int http_server_port(const struct http_server *server);

/* Sends the answer to a request. An id that is unknown, answered or gone is ignored. */
void http_server_answer(struct http_server *server,
                        uint64_t request_id,
                        const struct http_answer *answer);

/* Stops accepting, ends the connections at rest; requests on their way in or with the handler are
 * still answered, with "Connection: close". May be called again and from inside a callback. */
void http_server_drain(struct http_server *server);

/* True if there is no connection left. */
bool http_server_is_idle(const struct http_server *server);

/* Ends everything at once, without on_gone. NULL is fine; not from inside a callback. */
void http_server_close(struct http_server *server);

/* Counters since the start, and the connections open now; for metrics. */
struct http_stats {
    uint64_t connections;
    uint64_t accepted;
    uint64_t requests;  /* whole requests given to the handler */
    uint64_t refused;   /* answered by the server itself or refused by on_head */
    uint64_t overloads; /* turned away because of connections_max or for want of descriptors */
};

struct http_stats http_server_stats(const struct http_server *server);

#endif
