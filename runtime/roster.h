/* runtime/roster.h: the actors in memory: committed state, and drafts of what a batch makes of it.
 *
 * An entry is loaded from the store on the first message to its actor, keeps the committed state in
 * one block of its own, and is put away when it has been quiet for long. During a batch an entry
 * has a draft: a copy that steps change. Publishing a draft makes it the committed state.
 *
 * Thread: loop thread only.
 * Memory: entries and blocks belong to the roster; drafts live in the batch's arena.
 */
#ifndef GITTERD_RUNTIME_ROSTER_H
#define GITTERD_RUNTIME_ROSTER_H

#include "runtime/turn.h"

#include <sys/queue.h>

/* What an actor is: committed (value NULL: it does not exist), or in a draft. */
struct actor_form {
    int state;
    int64_t calls; /* of its own in the outbox */
    void *value;   /* the state struct of its machine */
};

struct actor {
    struct actor_ref ref;
    struct actor_form committed;
    size_t block_bytes;       /* of the memory behind committed.value, kept for its next form */
    struct actor_form *batch; /* as the turns of this batch left it; NULL: untouched */
    struct actor_form *turn;  /* as the turn at hand has it; NULL: untouched */
    int64_t journalled_turn;  /* whose entry in the journal has its state; 0: none */
    TAILQ_ENTRY(actor) by_use;
};

struct roster;

struct roster *
roster_open(const struct fsm *const *machines, size_t machines_count, struct store *store);
void roster_close(struct roster *roster);

/* The entry of an actor, loaded if need be; whether it exists is told by its forms. The scratch
 * arena is for the reading only. RC_IO, RC_FULL, RC_CORRUPT as the store says;
 * RC_BAD_INPUT for a row that this build cannot make sense of. */
NODISCARD enum rc roster_find(struct roster *roster,
                              struct actor_ref ref,
                              struct arena *scratch,
                              struct actor **actor);

/* The same for an actor that is in memory already; false if it is not. */
bool roster_is_loaded(struct roster *roster, struct actor_ref ref, struct actor **actor);

/* What later turns see: the turn's draft, else the batch's, else what is committed. */
const struct actor_form *actor_newest(const struct actor *actor);
/* A draft for the turn at hand, made in the arena if there is none yet; an absent actor gets one in
 * its machine's first state. */
struct actor_form *roster_draft(struct roster *roster, struct actor *actor, struct arena *arena);

/* True if the newest form is worth a row: not gone, and not an untouched beginner. */
bool roster_is_kept(const struct roster *roster, const struct actor *actor);
/* The same of a form; its value may be NULL. */
bool roster_form_is_kept(const struct roster *roster, int kind, const struct actor_form *form);
/* The store's view of the batch's draft; texts live in the arena. */
void roster_describe(const struct roster *roster,
                     const struct actor *actor,
                     struct arena *arena,
                     struct store_actor *out);
/* The batch's draft becomes the committed state. */
void roster_publish(struct roster *roster, struct actor *actor, const struct store_actor *stored);
/* The actor is this now, a form whose value is copied, or absent (value NULL). For a replay. */
void roster_set(struct roster *roster, struct actor_ref ref, const struct actor_form *form);
/* Puts away one entry that has no draft. */
void roster_forget(struct roster *roster, struct actor *actor);
/* Puts away entries that were not used for long. */
void roster_trim(struct roster *roster, size_t keep);
size_t roster_count(const struct roster *roster);

/* The deadline in a state; 0 if it has none. */
int64_t roster_deadline_ms(const struct roster *roster, int kind, const void *value);
void roster_clear_deadline(const struct roster *roster, int kind, void *value);

#endif
