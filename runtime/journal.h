/* runtime/journal.h: writes down what turns take in, read and decide (codecs/journal.h), and hands
 * a replay what was read.
 *
 * A turn's entry is made as the turn runs and goes with the commit of its batch. An actor stands in
 * it as the turn found it when that was not said yet in the same section; whatever else a turn
 * learns from the store is in its own entry. So a log can be replayed from each section on, and
 * what is older can be deleted.
 *
 * A replay runs the same turns with what was recorded in place of the store, clock and random
 * bytes.
 *
 * Thread: loop thread only.
 */
#ifndef GITTERD_RUNTIME_JOURNAL_H
#define GITTERD_RUNTIME_JOURNAL_H

#include "codecs/journal.h"
#include "runtime/engine_parts.h"

/* Of the engine; NULL without a journal. */
struct journal {
    struct journal_options options;
    struct slice epoch;
    struct arena *arena; /* of the two buffers, which are kept so that they need not grow anew */
    struct buf reads;    /* of the turn at hand, without the head of the array */
    struct buf decisions;
    size_t reads_count;
    size_t decisions_count;
    struct list *noted;   /* struct actor *: those whose state stands in entries of the batch */
    int64_t section_turn; /* the first of the section; 0: there is none */
    int64_t section_ms;   /* its time */
    int64_t section_bytes;
    bool is_section_told; /* it has its process entry */
    bool is_replay;
    bool has_strayed;     /* the turn asked what the log does not know */
    struct slice answers; /* the reads that were recorded for the turn */
    struct slice next;    /* those behind the answer given last */
};

struct journal *journal_open(const struct journal_options *options, struct slice epoch);
void journal_close(struct journal *journal);

/* Of a turn, from its begin to its end; without a journal each does nothing. */
void journal_begin(struct turn *turn);
void journal_note_actor(struct turn *turn, struct actor *actor);
/* The turn looks at it, though it may do nothing to it. */
void journal_note_meeting(struct turn *turn, const struct actor *actor);
void journal_note_step(struct turn *turn,
                       struct actor_ref ref,
                       const struct msg *msg,
                       const char *from,
                       const char *to);
void journal_note_call(struct turn *turn, const struct outbox_call *call);
void journal_note_cancel(struct turn *turn, const int64_t *ids, size_t count);
void journal_note_answer(struct turn *turn, const struct answer *answer);
void journal_note_link(struct turn *turn, const struct link_order *order);
void journal_note_order(struct turn *turn, const struct order *order);
void journal_note_relation(struct turn *turn, const struct store_relation *relation);
void journal_note_forget(struct turn *turn, struct slice user);
/* The drafts of the turn are still its own. */
void journal_note_outcome(struct turn *turn);

/* Its entry, at the end of those of the batch. `input` is NULL for the deadline of that actor. */
void journal_put_turn(struct turn *turn, const struct queued_input *input, struct actor_ref ref);
/* The turn, or the whole batch (mark 0), never was. */
void journal_drop(struct journal *journal, struct list *noted, size_t mark);

/* What is asked of the store: a number for each question. */
uint32_t journal_question(const char *what, int kind, struct slice a, struct slice b);

/* In a replay each gives the recorded answer and true, else false: the store is to be asked. To a
 * question that the log does not know the answer is none. */
bool journal_answer_value(
    struct turn *turn, const char *what, uint32_t question, bool *is_there, struct slice *value);
bool journal_answer_entries(struct turn *turn,
                            uint32_t question,
                            struct actor_entry **entries,
                            size_t *count);
bool journal_answer_texts(struct turn *turn,
                          uint32_t question,
                          struct slice **texts,
                          size_t *count);
bool journal_answer_ids(struct turn *turn, uint32_t question, int64_t **ids, size_t *count);
bool journal_answer_count(struct turn *turn, uint32_t question, int64_t *count);
/* To a question of which the log has the answer only when that is yes, as a count of 1. */
bool journal_answer_yes(struct turn *turn, uint32_t question, bool *is_so);
bool journal_answer_random(struct turn *turn, void *out, size_t len);
bool journal_answer_secret(struct turn *turn, struct slice *secret);

/* What the store has answered. */
void journal_note_value(
    struct turn *turn, const char *what, uint32_t question, bool is_there, struct slice value);
void journal_note_entries(struct turn *turn,
                          uint32_t question,
                          const struct actor_entry *entries,
                          size_t count);
void journal_note_texts(struct turn *turn,
                        uint32_t question,
                        const struct slice *texts,
                        size_t count);
void journal_note_ids(struct turn *turn, uint32_t question, const int64_t *ids, size_t count);
void journal_note_count(struct turn *turn, uint32_t question, int64_t count);
void journal_note_random(struct turn *turn, struct slice bytes);
void journal_note_secret(struct turn *turn, struct slice secret);

#endif
