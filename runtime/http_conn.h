/* runtime/http_conn.h: one connection of the listener; shared by the http_*.c files alone.
 *
 * Memory: a connection belongs to its server from conn_open until conn_end. conn_end closes the
 *         descriptor and the slot at once, the memory lives until no frame uses it (`is_busy`).
 */
#ifndef GITTERD_HTTP_CONN_H
#define GITTERD_HTTP_CONN_H

#include "runtime/http.h"
#include "runtime/http_body.h"

#include <ev.h>

/* More header lines than this are answered 431. */
#define HTTP_HEADERS_MAX 100
/* One read, and so also the most that is kept for later from a pipelining peer. */
#define HTTP_READ_BYTES 65536
/* What is thrown away of a refused body before its reading stops. */
#define HTTP_LINGER_BYTES_MAX (256 * 1024)
/* A body has to grow by this much for its deadline to start anew. */
#define HTTP_PROGRESS_BYTES 1024

struct tls;
struct tls_context;

enum conn_state {
    CONN_HANDSHAKE,
    CONN_REST,     /* between two requests */
    CONN_HEAD,     /* some of a head has come */
    CONN_BODY,     /* on_head said yes */
    CONN_WAITING,  /* the handler has it */
    CONN_FLUSHING, /* the answer is on its way out */
    CONN_LINGER,   /* our side is closed; waiting for the peer to read and close */
};

/* Who has to go when there are too many connections, first queue first, oldest first. Whoever makes
 * us wait for a handshake or a head holds a place that costs nothing to take; one that the handler
 * has is never taken. */
enum {
    CONN_QUEUE_UNPROVEN, /* no whole head yet, or a part of one, or refused already */
    CONN_QUEUE_REST,
    CONN_QUEUE_BODY,
    CONN_QUEUES,
};

struct conn_queue {
    struct http_conn *first;
    struct http_conn *last;
};

/* Memory of one request from its whole head to the return of on_request. */
struct http_request {
    struct http_head head;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t headers_count;
    struct slice target;
    bool is_complete; /* the parser saw the end of the head */
    bool expects_continue;
    bool is_chunked;
    uint64_t content_length;
    size_t body_bytes_max;
    char *body; /* grown copy; unless the whole body came in one piece */
    size_t body_len;
    size_t body_cap;
    size_t text_len;
    char text[]; /* the head as it came */
};

struct http_conn {
    struct http_server *server;
    ev_io io;
    ev_timer timer;
    int fd;
    uint32_t slot;
    enum conn_state state;
    bool is_busy;
    bool is_dead;
    bool rearm;       /* the deadline of the state starts anew */
    bool is_paused;   /* bytes wait in the socket while a request is answered */
    bool peer_closed; /* its sending side */
    bool gone_told;   /* on_gone was called for this request */
    bool had_request; /* at least one */
    bool keep_alive;  /* what the request at hand allows */
    bool is_http_1_0; /* of the request at hand */
    bool is_head;     /* its method is HEAD */
    uint64_t request_id;
    struct http_request *request;
    struct body_reader reader;
    size_t progress; /* bytes of body since the deadline was set */
    char *in;        /* kept input, unused part in_off..in_len */
    size_t in_off;
    size_t in_len;
    size_t in_cap;
    size_t scanned;    /* bytes of a partial head known to hold no end */
    size_t line_start; /* in that head */
    uint32_t lines;
    char *out;
    size_t out_off;
    size_t out_len;
    size_t linger_left;
    struct tls *tls;
    struct conn_queue *queue; /* the one it stands in, or NULL */
    struct http_conn *previous;
    struct http_conn *next;
    char remote[48];
};

/* A thousand idle connections are to cost next to nothing. */
_Static_assert(sizeof(struct http_conn) <= 1024, "a connection at rest is small");

struct http_server {
    struct ev_loop *loop;
    struct log *log;
    struct http_handler handler;
    struct http_limits limits;
    struct tls_context *tls;
    ev_io io;
    ev_timer accept_timer;
    int fd;
    int spare_fd; /* given up for a moment when descriptors run out */
    int port;
    bool is_draining;
    bool is_starved;
    uint64_t next_sequence;
    struct http_conn **slots;
    uint32_t *free_slots;
    size_t free_count;
    struct conn_queue queues[CONN_QUEUES];
    struct http_stats stats;
    char *scratch; /* HTTP_READ_BYTES, for the read at hand */
};

/* http_conn.c */

/* Takes over the descriptor of an accepted peer. The caller made sure that a slot is free. */
void conn_open(struct http_server *server, int fd, const char *remote);
/* Ends it at once. */
void conn_end(struct http_conn *conn);
void conn_enter(struct http_conn *conn, enum conn_state state);
/* After a change from outside its own callbacks: watchers, deadline, memory. */
void conn_settle(struct http_conn *conn);
/* The one to give up for another; NULL if each is being answered. */
struct http_conn *conn_find_expendable(struct http_server *server);
/* True while bytes from the peer are wanted for a request. */
bool conn_is_reading(const struct http_conn *conn);

/* http_input.c */

/* Eats what can be eaten of the bytes, keeps the rest. */
void conn_feed(struct http_conn *conn, struct slice fresh);
/* The same with what was kept. */
void conn_feed_kept(struct http_conn *conn);
void conn_drop_request(struct http_conn *conn);

/* http_head.c */

/* The length of the head at the front of the bytes; 0: not whole yet. *status is set to the answer
 * if the bytes can be no head. */
size_t head_scan(struct http_conn *conn, struct slice bytes, int *status);
/* Parses a whole head and gives the request in *out. 0 or the status to refuse it with. */
int head_parse(struct http_conn *conn, struct slice text, struct http_request **out);

/* http_answer.c */

/* Sends an answer; the connection ends after it unless keep-alive holds. */
void conn_answer(struct http_conn *conn, const struct http_answer *answer);
/* Refuses what the peer sent and ends the connection. */
void conn_refuse(struct http_conn *conn, int status);
void conn_refuse_with(struct http_conn *conn, const struct http_answer *answer);
void conn_send_continue(struct http_conn *conn);
/* Writes what the socket takes and goes on to the next state when all is out. */
void conn_flush(struct http_conn *conn);
/* Refuses a connection that is not even opened, as far as the socket takes it at once. */
void http_refuse_overload(const struct http_server *server, int fd);

#endif
