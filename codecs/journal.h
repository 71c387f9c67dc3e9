/* codecs/journal.h: the form of the journal and of exported logs.
 *
 * Both are a row of msgpack values, one behind the other: entries. Each is an array. Its first
 * member is a text that names its kind, its second the entry's own length in bytes (written as a
 * 32 bit number), its last the Adler-32 (RFC 1950) of all its bytes before that last member
 * (likewise: so of all but the last five). Times are ms since the epoch; kinds, states and fields
 * stand with their names. Entries of one process come in the order of their turns.
 *
 *   ["gitterd log", bytes, version, check]
 *     Stands first in a file, and not in the database.
 *
 *   ["process", bytes, turn, ms, epoch, settings, check]
 *     Begins a section, when a process does and every so many bytes. What holds for the turns from
 *     `turn` on: the first part of unique ids, and a map of what the actors know of the
 *     configuration. A replay can begin here and need not know what was before: from here on each
 *     actor stands in the reads of the first turn that meets it.
 *
 *   ["turn", bytes, turn, ms, form, input, reads, decisions, check]
 *     `form` is 0 for an entry as it was written; 1 when the bodies of messages were taken out of
 *     it later, because their owner logged out: a replay then takes the outcome as recorded.
 *
 *     input: [how, message, body, about]. `how` is
 *       "event"    an event of a homeserver transaction; body: {"raw": the event's bytes as they
 *                  came}, about: its id
 *       "input"    something else for the router: a web request, what a link to Gitter brought;
 *                  about: nil
 *       "ended"    the end of a call; body: see struct call_ended (end 0 is DONE, 1 FAILED, 2
 *                  UNKNOWN), about: [id, place, turn, lane, machine, key] of the call
 *       "deadline" the time of an actor has come; body: {}, about: [machine, key]
 *     Fields that are empty, 0 or false are left out of bodies.
 *
 *     reads: what the turn learnt that does not follow from the entries before, in the order in
 *     which it asked. `question` is a hash of what was asked (journal_hash).
 *       ["actor", machine, key, state, calls, fields]  the actor as the turn found it; state nil:
 *                                                      there was none
 *       ["met", machine, key]                          looked at; what it is follows from the log
 *       ["random", bytes]                              random bytes
 *       ["secret", text]                               a stand-in for a secret that was made up
 *       ["find", question, [[key, state, value], ...]] actors by a column, or all, or a page of
 *                                                      them; `value` only if it has one
 *       ["value", question, value or nil]              what two ids were related by
 *       ["right", question, id or nil]                 the second of two ids, by the value
 *       ["rights", question, [id, ...]]                all ids related to one
 *       ["lane", question, [call id, ...]]             calls that were there to be cancelled
 *       ["count", question, number]                    calls that waited
 *
 *     decisions: what the turn did, in order.
 *       ["step", machine, key, message, from, to]      to nil: no row for it, passed over
 *       ["call", n, purpose, lane, method, path, bytes, digest]
 *                                                      declared; its id is turn * 16384 + n.
 *                                                      `bytes` is the length of its body, `digest`
 *                                                      a hash of body and options; 0: not compared
 *       ["cancel", [call id, ...]]
 *       ["answer", status, flags]                      to a web request; flags: 1 redirects, 2 sets
 *                                                      a cookie
 *       ["link", verb, owner, channel]
 *       ["order", verb, who, what]                     to the process around the actors
 *       ["relate", relation, left, right, value]
 *       ["unrelate", relation, left, right]            right nil: all of left
 *       ["forget", user]                               the bodies of their messages are to go
 *       ["became", machine, key, state, calls, fields] an actor as the turn left it: the fields
 *                                                      that changed; state nil: it is gone
 *
 * Secrets are never in it. In the place of a token, a login state or a cookie stands a text of the
 * same length, which is the same for the same secret, so that a replay finds equal what was equal.
 *
 * Memory: readers borrow the bytes they are given.
 * Errors: RC_AGAIN (the bytes end in mid-entry), RC_NEWER (a later version), RC_CORRUPT.
 */
#ifndef GITTERD_CODECS_JOURNAL_H
#define GITTERD_CODECS_JOURNAL_H

#include "codecs/pack.h"

enum {
    JOURNAL_VERSION = 1,
    /* Ids of calls are turn * JOURNAL_CALLS_PER_TURN + their number in it. */
    JOURNAL_CALLS_PER_TURN = 16384,
    /* Enough to see how long an entry is. */
    JOURNAL_HEAD_BYTES = 32,
};

#define JOURNAL_KIND_LIST(X)                                                                       \
    X(LOG, "gitterd log")                                                                          \
    X(PROCESS, "process")                                                                          \
    X(TURN, "turn")

enum journal_kind {
#define JOURNAL_KIND_ENUM(name, text) JOURNAL_##name,
    JOURNAL_KIND_LIST(JOURNAL_KIND_ENUM)
#undef JOURNAL_KIND_ENUM
};

/* Opens an entry at the end of a buffer, and closes it: gives its length. Between the two its
 * `members` are put, those that the frame puts not counted. */
size_t journal_entry_open(struct buf *buf, enum journal_kind kind, size_t members);
size_t journal_entry_close(struct buf *buf, size_t start);

/* The check of an entry that was changed in place. */
void journal_entry_reseal(char *entry, size_t len);

/* An entry: its kind, all its bytes, and its members between length and check. */
struct journal_entry {
    enum journal_kind kind;
    struct slice whole;
    struct slice members;
};

/* The entry that the bytes begin with, checked. RC_AGAIN: *whole_len says how many bytes it takes,
 * 0 if not even that is there. */
NODISCARD enum rc
journal_entry_read(struct slice bytes, struct journal_entry *out, size_t *whole_len);

struct journal_process {
    int64_t turn;
    int64_t now_ms;
    struct slice epoch;
    struct slice settings; /* a map, as bytes */
};

struct journal_turn {
    int64_t number;
    int64_t now_ms;
    bool is_emptied; /* form 1 */
    struct slice input;
    struct slice reads;
    struct slice decisions;
};

#define JOURNAL_HOW_LIST(X)                                                                        \
    X(EVENT, "event")                                                                              \
    X(INPUT, "input")                                                                              \
    X(ENDED, "ended")                                                                              \
    X(DEADLINE, "deadline")

enum journal_how {
#define JOURNAL_HOW_ENUM(name, text) JOURNAL_##name,
    JOURNAL_HOW_LIST(JOURNAL_HOW_ENUM)
#undef JOURNAL_HOW_ENUM
};

struct journal_input {
    enum journal_how how;
    struct slice message;
    struct slice body;     /* a map, as bytes */
    struct slice event_id; /* of JOURNAL_EVENT */
    int64_t call_id;       /* of JOURNAL_ENDED: these and the lane */
    int64_t call_place;
    int64_t call_turn;
    struct slice lane;
    struct slice machine; /* of JOURNAL_ENDED and JOURNAL_DEADLINE */
    struct slice key;
};

NODISCARD enum rc journal_log_read(const struct journal_entry *entry);
NODISCARD enum rc journal_process_read(const struct journal_entry *entry,
                                       struct journal_process *out);
NODISCARD enum rc journal_turn_read(const struct journal_entry *entry, struct journal_turn *out);
NODISCARD enum rc journal_input_read(struct slice input, struct journal_input *out);

void journal_log_put(struct buf *buf);
void journal_process_put(struct buf *buf, const struct journal_process *process);
/* Of the turn's parts, which are put as they are. */
void journal_turn_put(struct buf *buf, const struct journal_turn *turn);
void journal_input_put(struct buf *buf, const struct journal_input *input);

/* One of reads or decisions: an array whose first member names it. */
struct journal_item {
    struct slice name;
    struct slice whole;
    struct slice rest; /* the members behind the name */
    uint64_t count;    /* of those */
};

/* The next of a list whose head was taken. */
NODISCARD enum rc journal_item_read(struct slice *items, struct journal_item *out);

/* Never 0. */
uint32_t journal_hash(uint32_t seed, struct slice text);
/* Adler-32. */
uint32_t journal_adler(struct slice bytes);

#endif
