/* tests/unit/engine_toy.h: an application with one kind of actor that does as it is told, on an
 * engine with a store in memory.
 *
 * An input is a script, "<actor> <what> <argument>; ...", of which each part is a message:
 *   add N            adds to its sum            tag TEXT        sets its indexed tag
 *   call LANE REF    declares a call            cancel LANE REF drops calls (REF may be missing)
 *   again            when a call ends, declares another in its place
 *   find TAG         notes who bears the tag    exists ACTOR    notes its state
 *   relate L R V     unrelate L R               related L R     notes the value, or "-"
 *   by-value L V     notes the right side       relations L     notes the right sides
 *   wake MS          wants a deadline then (0: none); its coming adds 1000
 *   tell ACTOR       sends `add 1` to another   spin            sends to itself for ever
 *   answer N         answers a request          link            gives an order
 *   close            goes to its last state     boom            declares a call that is too big
 * One whose tag is "broken" fails by that at its deadlines and at the ends of its calls.
 */
#ifndef GITTERD_TESTS_ENGINE_TOY_H
#define GITTERD_TESTS_ENGINE_TOY_H

#include "actors/fields.h"
#include "db/store_memory.h"
#include "runtime/base/buf.h"
#include "runtime/engine.h"

#include <check.h>

enum {
    TOY_SCRIPT, /* kinds of messages */
    TOY_DO,
    TOY_ENDED,
    TOY_DEADLINE,
    TOY_KINDS,
};

enum {
    TOY_DONE_MAX = 64
};

#define TOY_FIELDS(F, S)                                                                           \
    F(S, COLUMN, tag)                                                                              \
    F(S, SECRET, secret)                                                                           \
    F(S, TEXT, noted)                                                                              \
    F(S, NUM, sum)                                                                                 \
    F(S, NUM, ends)                                                                                \
    F(S, FLAG, again)                                                                              \
    F(S, NUM, wake_ms)

struct toy {
    struct slice key;
    TOY_FIELDS(FIELD_MEMBER, toy)
};

extern const struct fsm toy_fsm;
extern const struct store_table toy_table;

struct bench {
    struct arena *arena;
    struct store *store;
    struct engine *engine;
    int64_t now_ms;
    int64_t tick_ms; /* how far the clock goes with each look at it */
    struct buf log;  /* effects, a line each */
    int64_t sent;    /* the call that may have been sent */
    size_t done;     /* inputs of which was said what became of them */
    enum rc done_rc[TOY_DONE_MAX];
    enum rc store_rc; /* what was said last of the store, and how often */
    size_t store_said;
};

void bench_open(struct bench *bench);
void bench_close(struct bench *bench);
/* The process dies and begins anew. */
void bench_crash(struct bench *bench);

void bench_post(struct bench *bench, const char *script);
/* As an event that the homeserver repeats. */
void bench_post_event(struct bench *bench, const char *script, const char *event_id);
/* Runs batches until there is nothing to do at this time. */
void bench_run(struct bench *bench);
/* Both. */
void bench_do(struct bench *bench, const char *script);
void bench_wait(struct bench *bench, int64_t ms);
/* The head of a lane ends DONE. */
void bench_end(struct bench *bench, const char *lane);

/* "sum", with "(state)" behind it unless OPEN; "-" if there is no such actor. */
const char *bench_actor(struct bench *bench, const char *key);
const struct toy *bench_peek(struct bench *bench, const char *key);
/* Refs of a lane's calls in order, with blanks between. */
const char *bench_lane(struct bench *bench, const char *lane);
/* The effects since the last look. */
void bench_expect(struct bench *bench, const char *expected);

#endif
