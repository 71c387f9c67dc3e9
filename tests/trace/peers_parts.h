/* tests/trace/peers_parts.h: what the files of the peers share. */
#ifndef GITTERD_TESTS_PEERS_PARTS_H
#define GITTERD_TESTS_PEERS_PARTS_H

#include "tests/trace/peers.h"

struct json;

enum {
    SEGMENTS_MAX = 12,
};

/* A request, taken apart. */
struct asked {
    struct peers *peers;
    const struct outbox_call *row;
    struct slice segments[SEGMENTS_MAX]; /* of the path, decoded */
    size_t count;
    struct slice query;
    struct slice user; /* who acts on Matrix; on Gitter whose token it is */
    struct json *body;
    int64_t now_ms;
};

struct slice asked_query(const struct asked *asked, struct slice name);
struct slice asked_segment(const struct asked *asked, size_t i);
bool asked_is(const struct asked *asked, size_t i, const char *text);
/* The first line, cut where it gets long. */
struct slice asked_shown(struct slice text);
struct peer_answer peer_answer_ok(void);

/* peers_gitter.c */
struct peer_answer peers_answer_gitter(struct asked *asked);

#endif
