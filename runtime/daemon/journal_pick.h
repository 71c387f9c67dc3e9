/* runtime/daemon/journal_pick.h: takes turns out of a journal so that they can be replayed without
 * the others.
 *
 * It follows all turns, so as to know every actor, and writes those that are wanted. Where an actor
 * has been changed by a turn that is not wanted, or stands in the journal before the first that is,
 * it is told anew in the reads of the next that meets it.
 */
#ifndef GITTERD_DAEMON_JOURNAL_PICK_H
#define GITTERD_DAEMON_JOURNAL_PICK_H

#include "runtime/daemon/journal_tool.h"
#include "runtime/daemon/replay_run.h"

struct journal_pick {
    const struct journal_export *wanted;
    struct replay_run known; /* the actors, by what was recorded */
    struct replay_run anew;  /* the same by what was written, to decide after redacting */
    struct arena *arena;     /* of one turn */
    struct arena *kept;      /* of `process` */
    struct slice process;    /* the last of these entries */
    bool is_process_written;
    int64_t turns; /* written */
};

void journal_pick_open(struct journal_pick *pick, const struct journal_export *wanted);
void journal_pick_close(struct journal_pick *pick);

/* What is to be written for the next entry of the journal, borrowed until the next call; may be
 * nothing. RC_CORRUPT: the entry cannot be read. */
NODISCARD enum rc
journal_pick_take(struct journal_pick *pick, const struct journal_entry *entry, struct slice *out);

/* Is it an actor of that user, by its key or by what it knows? And of that room? */
bool journal_is_of_user(const struct replay_run *run, struct actor_ref ref, struct slice user);
bool journal_is_of_room(const struct replay_run *run, struct actor_ref ref, struct slice room);

/* The actors that a turn meets, in the arena, each perhaps several times. */
struct actor_ref *
journal_met_actors(struct arena *arena, const struct journal_turn *turn, size_t *count);

#endif
