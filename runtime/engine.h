/* runtime/engine.h: runs turns in batches: step on copies, commit, then act.
 *
 * Inputs are posted and wait. engine_run takes what is ready (at most BATCH_TURNS_MAX turns or
 * BATCH_MS_MAX, more when the store is slow), steps the actors on copies and begins one commit.
 * Only when that is durable are the copies the truth and the effects handed to `effects`. A failed
 * commit discards the batch; its inputs are run again from the committed state after a pause.
 *
 * While a commit is under way the loop goes on: inputs wait, all else sees the state before it.
 *
 * Thread: loop thread only. Never calls back from inside engine_post.
 * Memory: inputs are copied. Actors are loaded on their first message and put away when quiet.
 * Units:  ms since the epoch.
 */
#ifndef GITTERD_RUNTIME_ENGINE_H
#define GITTERD_RUNTIME_ENGINE_H

#include "runtime/turn.h"

struct engine;

/* What is bridged: the machines, their messages, and the router. */
struct application {
    const struct fsm *const *machines; /* by actor kind */
    size_t machines_count;
    const struct msg_type *messages; /* by message kind */
    size_t messages_count;
    /* From an outside input to the actors it concerns, by turn_send. Pure. */
    void (*route)(const struct msg *input, struct turn *turn);
    const void *settings;
};

/* An outside input. */
struct input {
    struct msg msg;                  /* for the router, or for the actor of an ended call */
    struct slice event_id;           /* of a homeserver event: handled once, ever; else empty */
    const struct outbox_call *ended; /* the call whose end this is; else NULL */
    /* Called once from the loop: RC_OK when durable; RC_BUSY, RC_IO, RC_FULL when it was given up
     * because the store fails (only inputs that are `is_repeatable`). NULL: nobody asks. */
    void (*done)(void *context, enum rc rc);
    void *context;
    bool is_repeatable; /* the other side says it again: homeserver events, web requests */
};

/* Where effects go, after the commit, each kind in the order in which they were declared; `calls`
 * before `ended`. */
struct engine_effects {
    void *context;
    void (*calls)(void *context, const struct outbox_call *calls, size_t count);
    /* Ids of calls that ended or were cancelled, with their lanes: the next of the lane may go. */
    void (*ended)(void *context, const int64_t *ids, const struct slice *lanes, size_t count);
    void (*answer)(void *context, int64_t request, const struct answer *answer);
    void (*link)(void *context, const struct link_order *order);
    void (*order)(void *context, const struct order *order); /* NULL: nobody obeys */
    /* An actor is something else now: wakes what waits for a login. */
    void (*changed)(void *context, struct actor_ref ref);
    /* One line a turn for the log; texts are borrowed. */
    void (*turn)(void *context, int64_t turn, struct slice trace);
    /* The store fails, and why, or RC_OK: it works again. Said when it changes; may be NULL. */
    void (*store)(void *context, enum rc rc);
    /* A turn failed by itself: the message it was for, whose it was (an actor's key or an event's
     * id), and why. May be NULL. */
    void (*failed)(void *context, const char *message, struct slice whose, enum rc rc);
    /* True if the call may have been sent, so that it cannot be cancelled any more. */
    bool (*is_sent)(void *context, int64_t call_id);
};

/* What may be read in the journal in the place of what may not. */
struct journal_veil {
    /* The body of an input, its secrets replaced; in the arena or as it is. */
    const void *(*input)(void *context, struct arena *arena, const struct msg *msg);
    /* A stand-in of the same length, the same for the same secret. */
    struct slice (*secret)(void *context, struct arena *arena, struct slice secret);
    /* A text that is no secret, but may have one in it. */
    struct slice (*text)(void *context, struct arena *arena, struct slice text);
    void *context;
};

struct journal_options {
    const struct journal_veil *veil; /* NULL: everything may be read */
    struct slice settings;           /* a msgpack map: what the application's settings say */
    /* A replay can begin at the first entry of each section: there all is said anew. A section ends
     * after so many bytes or ms; 0: never. */
    int64_t section_bytes;
    int64_t section_ms;
};

struct engine_options {
    const struct application *application;
    struct store *store; /* keeps it open; the caller closes it after the engine */
    struct engine_effects effects;
    int64_t (*now_ms)(void *context);
    void (*random)(void *context, void *out, size_t len);
    void *context;                         /* of now_ms and random */
    struct slice epoch;                    /* short, [A-Za-z0-9]; new at each start */
    const struct journal_options *journal; /* copied; NULL: none is kept */
};

NODISCARD enum rc engine_open(const struct engine_options *options, struct engine **engine);
/* Waits for a commit under way, whose effects are then left to the next start. */
void engine_close(struct engine *engine);

void engine_post(struct engine *engine, const struct input *input);

/* Runs one batch if one may run now. True if there is more to do at once. */
bool engine_run(struct engine *engine);
/* Nothing waits and no commit is under way. */
bool engine_is_quiet(const struct engine *engine);
/* The store failed a moment ago, and turns wait for it. */
bool engine_is_paused(const struct engine *engine);
/* When engine_run should be called though nothing is posted: the earliest deadline of an actor, or
 * the end of a pause after a failed commit; 0: never. */
int64_t engine_next_ms(const struct engine *engine);

/* True if the batch at hand declares, ends or cancels this call: whether it is there is not known
 * before the commit. */
bool engine_is_undecided(const struct engine *engine, int64_t call_id);

/* The committed state of an actor, valid until the next engine call; NULL if it does not exist. */
const void *engine_peek(struct engine *engine, struct actor_ref ref, int *state);

/* Counters since the start. */
struct engine_counts {
    int64_t turns;
    int64_t steps;
    int64_t batches;
    int64_t commits_failed;
    int64_t turns_failed;
    int64_t inputs_repeated; /* passed over: the event was seen before */
    int64_t refused;         /* messages in a state that refuses them */
    int64_t absent;          /* messages to actors that do not exist and do not begin by them */
    int64_t actors_cached;
};
struct engine_counts engine_counts(const struct engine *engine);

#endif
