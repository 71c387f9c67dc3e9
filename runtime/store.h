/* runtime/store.h: durable state; SQLite in production (db/), memory in the simulator.
 *
 * Everything a batch of turns changed is one store_batch and one transaction: all of it becomes
 * durable or none. Reads see committed state only.
 *
 * Thread: loop thread only. Reads may block on disk; the commit reports by a callback, which is
 *         called from the loop, never from inside store_commit.
 * Memory: arguments are borrowed until return (a batch: until its callback); results live in the
 *         given arena.
 * Errors: RC_IO and RC_FULL changed nothing and may be retried; RC_CORRUPT is final. In a batch an
 *         empty key, lane, left or event id, or the id of a call that is in the outbox, is a CHECK.
 * Units:  times in ms since the epoch.
 */
#ifndef GITTERD_RUNTIME_STORE_H
#define GITTERD_RUNTIME_STORE_H

#include "runtime/base/arena.h"
#include "runtime/call.h"

/* Where the actors of one kind are kept. Kinds are numbered by their place in the array. */
struct store_table {
    const char *name; /* "rooms" */
    const char *const
        *columns; /* indexed TEXT columns beside the body, at most STORE_COLUMNS_MAX */
    size_t columns_count;
};

enum {
    STORE_COLUMNS_MAX = 8
};

/* One actor. In a batch: what it is now; is_gone deletes the row. */
struct store_actor {
    int kind;
    struct slice key;
    struct slice state;   /* the name of its state */
    int64_t deadline_ms;  /* 0: none */
    int64_t calls;        /* calls of its own in the outbox */
    struct slice body;    /* msgpack, without secrets */
    struct slice secrets; /* msgpack; sealed by the store, bound to kind and key */
    struct slice columns[STORE_COLUMNS_MAX]; /* in the order of the table; empty is NULL */
    bool is_gone;
    bool secrets_are_lost; /* reads only: there were some, but they cannot be opened */
};

/* What is known between two outside ids. `value` may be empty. */
#define RELATION_LIST(X)                                                                           \
    X(GHOST_ROOM)  /* left: Matrix room id, right: ghost's Matrix id: invited and joined, or about \
                      to be */                                                                     \
    X(MESSAGE_MAP) /* left: Matrix room id, right: Gitter message id, value: Matrix event id; or   \
                      left: key of a room, right: Matrix event id, value: a change of it that      \
                      waits */

enum relation {
#define RELATION_ENUM(name) RELATION_##name,
    RELATION_LIST(RELATION_ENUM)
#undef RELATION_ENUM
};

struct store_relation {
    enum relation relation;
    struct slice left;
    struct slice right;
    struct slice value;
    bool is_gone; /* in a batch: delete; an empty `right` deletes all of `left` */
};

struct store_batch {
    int64_t now_ms;    /* the time of what the batch adds; kept in `meta`, roughly */
    int64_t next_turn; /* kept in `meta`: the number of the first turn after this batch */
    const struct store_actor *actors;
    size_t actors_count;
    const struct store_relation *relations; /* in order: a later one wins */
    size_t relations_count;
    const struct slice *seen; /* ids of events handled: never again */
    size_t seen_count;
    const struct outbox_call *calls; /* declared */
    size_t calls_count;
    const int64_t *ended; /* ids of calls that have ended or were cancelled: their rows go */
    size_t ended_count;
    struct slice journal; /* entries of its turns (codecs/journal.h), one behind the other */
    int64_t journal_turn; /* the first of them */
    const struct slice *forgotten; /* users whose messages leave the journal, step by step */
    size_t forgotten_count;
};

struct store_found {
    struct slice key;
    struct slice state;
};

/* A call bears this ref, or one that goes on with `|` behind it; any will do for an empty one. */
static inline bool store_ref_matches(struct slice ref, struct slice wanted)
{
    return wanted.len == 0 || (slice_starts_with(ref, wanted) &&
                               (ref.len == wanted.len || ref.ptr[wanted.len] == '|'));
}

struct store_methods;

struct store {
    const struct store_methods *methods;
};

struct store_methods {
    void (*close)(struct store *store);
    /* The number of the next turn: 1 in a new database. */
    enum rc (*next_turn)(struct store *store, int64_t *turn);
    /* now_ms of the last batch, or of one that was less than a second before it; 0 in a new
     * database. */
    enum rc (*last_ms)(struct store *store, int64_t *ms);
    /* RC_ABSENT when there is no such actor. */
    enum rc (*load)(struct store *store,
                    int kind,
                    struct slice key,
                    struct arena *arena,
                    struct store_actor *out);
    /* Actors whose column has that value, by key; at most `max`, *count says how many. */
    enum rc (*find)(struct store *store,
                    int kind,
                    int column,
                    struct slice value,
                    struct arena *arena,
                    struct store_found *out,
                    size_t max,
                    size_t *count);
    /* All actors of a kind by key, from the key after `after` on; for start-up and status. */
    enum rc (*list)(struct store *store,
                    int kind,
                    struct slice after,
                    struct arena *arena,
                    struct store_found *out,
                    size_t max,
                    size_t *count);
    /* RC_ABSENT when the two are not related. */
    enum rc (*related)(struct store *store,
                       enum relation relation,
                       struct slice left,
                       struct slice right,
                       struct arena *arena,
                       struct slice *value);
    /* By value: which `right` of `left` has it. The empty one is not looked for: RC_ABSENT. */
    enum rc (*related_by_value)(struct store *store,
                                enum relation relation,
                                struct slice left,
                                struct slice value,
                                struct arena *arena,
                                struct slice *right);
    /* All `right` of `left`, in byte order, from the one after `after` on. */
    enum rc (*relations)(struct store *store,
                         enum relation relation,
                         struct slice left,
                         struct slice after,
                         struct arena *arena,
                         struct slice *out,
                         size_t max,
                         size_t *count);
    /* RC_OK if the event was handled before, RC_ABSENT if not. */
    enum rc (*seen)(struct store *store, struct slice event_id);
    /* The actors whose deadline is at or before now_ms, earliest first; ties by kind and key. */
    enum rc (*due)(struct store *store,
                   int64_t now_ms,
                   struct arena *arena,
                   struct store_actor *out,
                   size_t max,
                   size_t *count);
    /* The earliest deadline after that time; 0 if there is none. */
    enum rc (*next_deadline)(struct store *store, int64_t after_ms, int64_t *deadline_ms);
    /* The first call of each lane, by lane, from the lane after `after` on. */
    enum rc (*lane_heads)(struct store *store,
                          struct slice after,
                          struct arena *arena,
                          struct outbox_call *out,
                          size_t max,
                          size_t *count);
    /* The first call of one lane; RC_ABSENT when the lane is empty. */
    enum rc (*lane_head)(struct store *store,
                         struct slice lane,
                         struct arena *arena,
                         struct outbox_call *out);
    /* Ids of the calls of a lane whose ref matches (store_ref_matches), in its order. */
    enum rc (*lane_find)(struct store *store,
                         struct slice lane,
                         struct slice ref,
                         struct arena *arena,
                         int64_t *out,
                         size_t max,
                         size_t *count);
    /* How many calls of this owner are in the outbox, with their Gitter token (CALL_AUTH_OWNER) or
     * to the homeserver (CALL_AUTH_APPSERVICE). It does not take longer for many. */
    enum rc (*waiting)(struct store *store,
                       struct slice owner,
                       enum call_auth auth,
                       int64_t *calls);
    /* And of all owners together. */
    enum rc (*all_waiting)(struct store *store, int64_t *calls);
    /* While held, reads see one moment and cost less. Not beyond the step at hand, and never during
     * a commit: the file grows meanwhile. NULL where it makes no difference. */
    void (*hold)(struct store *store, bool is_held);
    /* There is work of its own left, of which each commit does some more: one without anything in
     * it will do. Not to be asked during a commit. NULL: there is none, ever. */
    bool (*has_chores)(struct store *store);
    /* Begins to commit; `done` is called once, later, from the loop. One commit at a time. */
    void (*commit)(struct store *store,
                   const struct store_batch *batch,
                   void (*done)(void *context, enum rc rc),
                   void *context);
    /* Notes durably that all that was begun has ended; the last thing of an orderly stop. */
    enum rc (*mark_clean)(struct store *store);
    /* Whether the last stop was an orderly one. The mark is gone for good on return: whatever ends
     * the process from now on was none, unless it says so. */
    enum rc (*take_clean_mark)(struct store *store, bool *was_clean);
    /* Returns when no commit is under way; the `done` of one that was is not called any more.
     * Whether it took place, the rows say. */
    void (*abandon)(struct store *store);
};

#endif
