/* tests/unit/websocket_fake.h: a WebSocket server for tests, in the loop of what it tests.
 *
 * It does what a test tells it and nothing by itself but accept, the upgrade (unless on_head does
 * it) and pongs. Bytes are written exactly in the pieces given, each in a round of the loop of its
 * own, so that the client sees every piece by itself.
 */
#ifndef GITTERD_TESTS_WEBSOCKET_FAKE_H
#define GITTERD_TESTS_WEBSOCKET_FAKE_H

#include "runtime/base/buf.h"

#include <ev.h>

struct fake_server;

enum fake_opcode {
    FAKE_CONTINUATION = 0,
    FAKE_TEXT = 1,
    FAKE_BINARY = 2,
    FAKE_CLOSE = 8,
    FAKE_PING = 9,
    FAKE_PONG = 10,
};

/* The connection accepted last; a new one takes its place. */
struct fake_peer {
    struct fake_server *server;
    int fd; /* -1: none */
    ev_io io;
    ev_timer next_piece;
    struct buf in;  /* what came and was not understood yet */
    struct buf out; /* what waits to be written */
    size_t out_from;
    size_t piece;      /* bytes written in one round; 0 = all there is */
    size_t pieces_cut; /* if not 0, only the first piece is cut off: so many bytes */
    bool is_upgraded;
    bool is_deaf; /* reads nothing */
};

struct fake_server {
    struct ev_loop *loop;
    struct arena *arena;
    int fd;
    int port;
    ev_io io;
    struct fake_peer peer;
    size_t accepted;
    struct slice head; /* of the last upgrade request */
    bool has_no_pong;
    void *context;
    /* Instead of the normal answer to an upgrade. */
    void (*on_head)(struct fake_peer *peer, struct slice head);
    /* Any frame of the client, unmasked. */
    void (*on_frame)(struct fake_peer *peer, enum fake_opcode opcode, struct slice payload);
};

/* Listens on a free port of 127.0.0.1. */
void fake_open(struct fake_server *server, struct ev_loop *loop);
void fake_close(struct fake_server *server);

/* The value of a header of a request; empty if it is not there. */
struct slice fake_header(struct slice head, struct slice name);
/* What Sec-WebSocket-Accept has to be for a key. */
struct slice fake_accept(struct arena *arena, struct slice key);
/* The whole answer that accepts an upgrade. */
struct slice fake_answer(struct fake_peer *peer, struct slice head);

/* One unmasked frame as bytes. */
struct slice
fake_frame(struct arena *arena, bool is_last, enum fake_opcode opcode, struct slice payload);
void fake_send(struct fake_peer *peer, struct slice bytes);
void fake_send_text(struct fake_peer *peer, struct slice text);
/* Ends the connection at once. */
void fake_cut(struct fake_peer *peer);

/* Runs the loop until the condition holds; fails the test after some seconds. */
void fake_run_until(struct ev_loop *loop, bool (*is_done)(void *context), void *context);
/* A few rounds, for "nothing more comes". */
void fake_run_rounds(struct ev_loop *loop, int rounds);

#endif
