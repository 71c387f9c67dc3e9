/* tests/unit/http_peer.h: a listener, its handler and raw peers in one loop.
 *
 * The handler notes what it got and answers 200 with the body "<method> <path> <body length>",
 * at once or when told to (is_late). Paths below /refuse are refused by on_head with 403, and
 * /small lowers the limit of the body to 10 bytes.
 */
#ifndef GITTERD_TESTS_HTTP_PEER_H
#define GITTERD_TESTS_HTTP_PEER_H

#include "runtime/http.h"

#include <check.h>
#include <ev.h>

#define BED_IDS_MAX 256

struct bed {
    struct ev_loop *loop;
    ev_timer tick; /* so that a turn of the loop takes 2 ms at the most */
    size_t ticks;
    struct http_server *server;
    struct http_server_options options;
    bool is_late;
    struct slice answer_body; /* instead of the usual one, if not empty */
    int heads;
    int requests;
    int gone;
    uint64_t ids[BED_IDS_MAX];
    char method[32];
    char path[256];
    char query[256];
    char authorization[256];
    char remote[64];
    char *body;
    size_t body_len;
};

struct peer {
    struct bed *bed;
    ev_io io;
    int fd;
    bool is_deaf; /* does not read */
    bool is_closed;
    char *got;
    size_t got_len;
    size_t got_cap;
};

/* Options hold limits a test wants; loop, handler, address and port are filled in. */
void bed_open(struct bed *bed, const struct http_server_options *options);
/* The loop alone: the listener and its handler are the test's, in bed->server. */
void bed_open_loop(struct bed *bed);
void bed_close(struct bed *bed);
void bed_turn(struct bed *bed);
/* Answers a request that was kept (is_late). */
void bed_answer(struct bed *bed, uint64_t id);

void peer_open(struct peer *peer, struct bed *bed);
void peer_open_ipv6(struct peer *peer, struct bed *bed);
void peer_close(struct peer *peer);
/* True if the listener can be connected to. */
bool peer_try(const struct bed *bed);
/* Sends as much as the listener takes before it closes; true if that was all. */
bool peer_send_bytes(struct peer *peer, const char *bytes, size_t len);
bool peer_send(struct peer *peer, const char *text);
void peer_deaf(struct peer *peer, bool is_deaf);
/* How often the text occurs in what came. */
int peer_count(const struct peer *peer, const char *text);
bool peer_has(const struct peer *peer, const char *text);
/* The status of the first answer, 0 if there is none. */
int peer_status(const struct peer *peer);

/* Runs the loop until the condition holds; ten seconds without it are a failure. */
#define UNTIL(bed, condition)                                                                      \
    do {                                                                                           \
        double until_end = ev_time() + 10;                                                         \
        while (!(condition)) {                                                                     \
            ck_assert_msg(ev_time() < until_end, "never: %s", #condition);                         \
            bed_turn(bed);                                                                         \
        }                                                                                          \
    } while (0)

#endif
