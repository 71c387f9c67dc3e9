/* runtime/replay.h: runs recorded turns again.
 *
 * The actors are the real ones, and so are router, codecs and engine; store, clock and random bytes
 * are what the log has. Nothing is stored and nothing leaves: what a turn decides is compared with
 * what was recorded, or shown. Memory grows with the actors that live, not with the turns.
 *
 * Thread: one thread for each struct replay.
 */
#ifndef GITTERD_RUNTIME_REPLAY_H
#define GITTERD_RUNTIME_REPLAY_H

#include "codecs/journal.h"
#include "runtime/engine.h"

struct replay;

/* The application is kept by pointer; its settings may change between turns. */
struct replay *replay_open(const struct application *application);
void replay_close(struct replay *replay);

/* What came of a turn; valid until the next. */
struct replay_outcome {
    enum rc rc;             /* why it left no trace; RC_OK: it did */
    bool has_strayed;       /* it asked what the log does not know; taken as not being there */
    bool is_empty;          /* nothing ran: the deadline was not one, or the entry was emptied */
    struct slice decisions; /* as in an entry */
    struct slice reads;     /* as recorded, and behind it what the log did not know */
};

/* A section begins: unique ids begin with this, and no actor is known, since each is told anew. */
void replay_section(struct replay *replay, struct slice epoch);
/* RC_CORRUPT: the entry is about machines, messages or states that this program does not know;
 * nothing was run then. */
NODISCARD enum rc
replay_turn(struct replay *replay, const struct journal_turn *turn, struct replay_outcome *outcome);

/* The state of an actor after the last turn; NULL if it does not exist. */
const void *replay_peek(struct replay *replay, struct actor_ref ref, int *state);
/* Actors in memory. */
size_t replay_actors(const struct replay *replay);

/* Without running anything: the actors become what the turn found, and what it left. */
NODISCARD enum rc replay_take_reads(struct replay *replay, const struct journal_turn *turn);
NODISCARD enum rc replay_take_outcome(struct replay *replay, const struct journal_turn *turn);
/* A mark that an actor bears until something else is taken for it. One that does not exist and was
 * never heard of bears it. */
bool replay_is_marked(const struct replay *replay, struct actor_ref ref);
void replay_mark(struct replay *replay, struct actor_ref ref);
/* Puts what the actor is now, as one of the reads. */
void replay_put_actor(const struct replay *replay, struct actor_ref ref, struct buf *out);

/* The machine and the message of that name; -1 if there is none. */
int replay_machine(const struct application *application, struct slice name);
int replay_message(const struct application *application, struct slice name);

#endif
