/* tests/unit/courier_rig.h: a courier between a store and an engine that only pretend, and a
 * scripted HTTP server in the same loop.
 *
 * The server answers 200 {} unless a reply was scripted for the path; scripted replies are used up
 * one by one. It notes each complete request. The engine notes each end, and commits it from the
 * loop: the row goes, and what rig->on_end declares comes.
 */
#ifndef GITTERD_TESTS_UNIT_COURIER_RIG_H
#define GITTERD_TESTS_UNIT_COURIER_RIG_H

#include "runtime/courier.h"

#include <ev.h>

enum rig_manner {
    RIG_ANSWER,
    RIG_ANSWER_CHUNKED,
    RIG_ANSWER_AND_CLOSE,
    RIG_CLOSE, /* reads the request and closes without a word */
    RIG_CUT,   /* closes in the middle of the body */
    RIG_HANG,  /* never answers */
};

struct rig_reply {
    enum rig_manner manner;
    int status;          /* 0: 200 */
    const char *headers; /* lines, each ending in CR LF; NULL: none */
    const char *body;    /* NULL: {} */
    size_t filler;       /* so many bytes instead of the body */
    int delay_ms;
};

struct rig_request {
    char *head; /* request line and headers */
    char *path;
    char *body;
    int connection;
};

struct rig_end {
    int64_t id;
    int64_t place;
    enum call_end end;
    int status;
    char *body;
    char *detail;
    char *ref;
    char *request;
    char *lane;
};

struct rig {
    struct ev_loop *loop;
    struct courier *courier;
    struct courier_options options;
    struct rig_request *requests;
    size_t requests_count;
    struct rig_end *ends;
    size_t ends_count;
    int connections;
    int in_flight;     /* requests being answered */
    int in_flight_max; /* the most there ever were */
    int tokens_refused;
    int ends_of_none; /* the store failed that often */
    char token[32];   /* of every owner; empty: none */
    uint64_t seed;
    bool is_slow;     /* each answer takes a random time */
    bool was_clean;   /* what the next start hears of the stop before */
    bool holds_ends;  /* ends wait for rig_commit */
    int store_errors; /* so many reads of a head fail */
    int64_t clock_ms; /* of the courier; 0: the system's. Only rig_advance moves it. */
    void (*on_end)(struct rig *rig, const struct rig_end *end);
    void (*on_request)(struct rig *rig, const struct rig_request *request);
    struct rig_parts *parts;
};

/* Without a server: base URLs on a port where nobody listens, until rig_listen. */
void rig_open(struct rig *rig);
void rig_listen(struct rig *rig);
/* Opens the courier by rig->options and starts it. */
void rig_start(struct rig *rig);
/* Takes the courier down, as a crash would. */
void rig_stop(struct rig *rig);
void rig_close(struct rig *rig);

void rig_script(struct rig *rig, const char *path, struct rig_reply reply);

/* A POST of {} to Matrix, FREELY, with the appservice's token. */
struct call rig_call(const char *lane, const char *path);
/* A row in the store, unknown to the courier until it starts. */
int64_t rig_store(struct rig *rig, struct call call);
/* Declares it in a turn of its own: in the store, then to the courier. */
int64_t rig_declare(struct rig *rig, struct call call);
/* The same for many, in one turn. */
void rig_declare_all(struct rig *rig, const struct call *calls, size_t count);
/* Declares it in place of the call that ended. */
int64_t rig_declare_instead(struct rig *rig, const struct rig_end *end, struct call call);
/* Cancels a call: its row goes, then the courier hears of it. */
void rig_cancel(struct rig *rig, int64_t id);
/* Commits ends that were held. */
void rig_commit(struct rig *rig);

/* Runs the loop until so many calls have ended, or so many requests have come; fails the test when
 * that takes too long. */
void rig_run_ends(struct rig *rig, size_t count);
void rig_run_requests(struct rig *rig, size_t count);
/* Runs the loop until the condition holds. */
void rig_run_until(struct rig *rig, bool (*is_done)(const struct rig *rig));
/* Runs the loop for that long: to see that something does not happen. */
void rig_run_ms(struct rig *rig, int ms);

/* Moves the courier's clock, stopped at rig->clock_ms, and lets it see that. */
void rig_advance(struct rig *rig, int64_t ms);

/* How many requests had this path. */
size_t rig_requests_of(const struct rig *rig, const char *path);
const struct rig_end *rig_end_of(const struct rig *rig, int64_t id);

#endif
