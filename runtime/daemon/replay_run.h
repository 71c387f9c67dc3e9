/* runtime/daemon/replay_run.h: the actors as a log found them, fed with its entries. Shared by all
 * that replays.
 *
 * Thread: one thread.
 */
#ifndef GITTERD_DAEMON_REPLAY_RUN_H
#define GITTERD_DAEMON_REPLAY_RUN_H

#include "actors/machine.h"
#include "runtime/replay.h"

struct replay_run {
    struct arena *arena; /* of the settings at hand */
    struct settings settings;
    struct application application;
    struct replay *replay;
    bool has_begun; /* a section has: what came before cannot be replayed */
};

void replay_run_open(struct replay_run *run);
void replay_run_close(struct replay_run *run);

/* RC_CORRUPT: no such entry of ours. */
NODISCARD enum rc replay_run_process(struct replay_run *run, const struct journal_entry *entry);

/* Whether a turn came out as recorded. */
bool replay_is_same(const struct journal_turn *turn, const struct replay_outcome *outcome);
/* Why not, for people: the first difference, and the state of the actor it is about. */
void replay_explain(struct replay_run *run,
                    const struct journal_turn *turn,
                    const struct replay_outcome *outcome,
                    struct buf *out);
/* Each actor the decisions speak of, as it is after the turn, a line each. */
void replay_print_actors(struct replay_run *run, struct slice decisions, struct buf *out);

#endif
