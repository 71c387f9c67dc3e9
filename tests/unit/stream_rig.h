/* tests/unit/stream_rig.h: streams and a scripted HTTP server in one loop, and what was told.
 *
 * The server answers what a test says and nothing by itself. Bytes are written in the pieces
 * given, each in a round of the loop of its own.
 */
#ifndef GITTERD_TESTS_STREAM_RIG_H
#define GITTERD_TESTS_STREAM_RIG_H

#include "runtime/base/buf.h"
#include "runtime/streams.h"

#include <ev.h>
#include <sys/queue.h>

#define ALICE SLICE("@alice:example.org")
#define BOB SLICE("@bob:example.org")
#define ROOM_A SLICE("/api/v1/rooms/a/chatMessages")
#define ROOM_B SLICE("/api/v1/rooms/b/chatMessages")
#define TOKEN "secret-tok-1"

#define HEAD_PLAIN "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
#define HEAD_CHUNKED                                                                               \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"

/* One connection of the server. */
struct stream_peer {
    TAILQ_ENTRY(stream_peer) entry;
    int fd; /* -1: gone */
    ev_io io;
    ev_timer next_piece;
    struct buf in;
    struct buf out;
    size_t out_from;
    size_t piece;      /* bytes written in one round; 0 = all there is */
    bool is_last;      /* close when all is written */
    struct slice head; /* of the request; empty before it is whole */
    struct slice path;
};

TAILQ_HEAD(stream_peers, stream_peer);

struct stream_rig {
    struct ev_loop *loop;
    struct arena *arena;
    struct streams *streams;
    struct streams_options options;
    struct buf told; /* all events, one a line, without the channels' fixed parts */
    bool is_in_call; /* an event now would come from within a call of ours */
    unsigned char random_byte;
    int log_fd;
    struct log *log;
    /* What an event does beside being noted. */
    void (*in_up)(void);
    void (*in_down)(void);
    void (*in_subscribed)(void);
    void (*in_record)(void);

    int listen_fd;
    int port;
    ev_io accept_io;
    struct stream_peers peers; /* in the order they came, the gone ones too */
    size_t accepted;
    size_t requests;
    /* What a request is answered; NULL: nothing. */
    const char *answer;
    void (*on_request)(struct stream_peer *peer); /* instead of the answer */
};

extern struct stream_rig flow;

void flow_setup(void);
void flow_teardown(void);
/* Opens the streams anew with flow.options. */
void flow_open(void);

/* Calls, seen to give no event from within. */
int64_t flow_start(struct slice owner);
void flow_stop(struct slice owner);
void flow_subscribe(struct slice owner, struct slice channel);
void flow_unsubscribe(struct slice owner, struct slice channel);
/* Starts Alice, subscribes room a, waits for it and forgets what was told. */
void flow_go(void);

/* Runs the loop until it was told or logged. */
void flow_await(const char *text);
void flow_await_log(const char *text);
void flow_await_requests(size_t count);
void flow_await_accepted(size_t count);
/* Until the client has closed this connection. */
void flow_await_gone(const struct stream_peer *peer);
/* A few rounds, for "nothing more comes". */
void flow_rounds(void);
bool flow_has(struct slice text, const char *part);
/* How often a text is in another. */
size_t flow_count(struct slice text, const char *part);
struct slice flow_log_text(void);

/* The last connection that asked for a room, gone or not; NULL if there is none. */
struct stream_peer *flow_peer(const char *room);
void stream_peer_say(struct stream_peer *peer, struct slice bytes);
/* The same as chunks of so many bytes. */
void stream_peer_say_chunks(struct stream_peer *peer, struct slice bytes, size_t size);
/* Ends the connection at once, in order or with a reset. */
void stream_peer_cut(struct stream_peer *peer);
void stream_peer_reset(struct stream_peer *peer);

#define ck_told(literal) ck_text_eq(buf_slice(&flow.told), literal)

#endif
