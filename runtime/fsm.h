/* runtime/fsm.h: state machines and messages as data.
 *
 * A machine is a table of rows, first match wins. The engine looks up (state, message), asks the
 * guard, runs the action on a copy of the state and sets the row's target; an action never sets
 * the state. Every pair of state and message is a row, or listed as ignored (it may come, nothing
 * is to be done), or listed as refused (it should not come: counted and logged).
 *
 * The runtime knows messages and states only as (kind, pointer) and the record types that describe
 * them; what they mean is known to actors/.
 *
 * Memory: all tables are static and constant.
 */
#ifndef GITTERD_RUNTIME_FSM_H
#define GITTERD_RUNTIME_FSM_H

#include "codecs/record.h"
#include "runtime/base/slice.h"

struct turn;

/* A message as guards and actions see it: `body` points to the struct of its kind. */
struct msg {
    int kind;
    const void *body;
};

struct msg_type {
    const char *name; /* "MATRIX_TEXT" */
    int receiver;     /* kind of the actors it is for; -1: for the router */
    const struct record_type *record;
};

/* Guards read only the state and the message. */
typedef bool fsm_guard(const void *state, const struct msg *msg);
/* Actions change the copy `next` and declare effects on the turn. */
typedef void fsm_action(void *next, const struct msg *msg, struct turn *turn);

enum {
    FSM_ANY = -1,
    FSM_SAME = -1,
    FSM_STATE_NONE = -1
};

struct fsm_row {
    int from; /* FSM_ANY: whatever the state */
    int on;
    fsm_guard *guard;   /* NULL: always */
    int to;             /* FSM_SAME: stays where it is */
    fsm_action *action; /* NULL: nothing but the change of state */
    const char *guard_name;
    const char *action_name;
};

/* States a message is ignored or refused in, as a set of bits (1 << state). */
struct fsm_pairs {
    int on;
    unsigned states;
};

enum {
    FSM_STATES_MAX = 10,
    FSM_ROWS_MAX = 40
};

struct fsm {
    int kind;          /* of its actors: its place among the machines */
    const char *name;  /* "room" */
    const char *table; /* "rooms": where the store keeps these actors */
    const char *const *states;
    size_t states_count;
    int first; /* a message to an absent actor finds it in this state */
    int last;  /* entered with no call pending, it removes the actor; FSM_STATE_NONE: none does */
    const struct fsm_row *rows;
    size_t rows_count;
    const struct fsm_pairs *ignored;
    size_t ignored_count;
    const struct fsm_pairs *refused;
    size_t refused_count;
    const struct record_type *record; /* of the state struct */
    size_t key_offset;      /* of a struct slice in it that the engine sets to the actor's key */
    size_t deadline_offset; /* of an int64_t in it: when it wants a DEADLINE; 0: never */
    int deadline_message;   /* the kind sent then */
};

/* What became of a pair. */
enum fsm_verdict {
    FSM_ROW,
    FSM_IGNORED,
    FSM_REFUSED,
    FSM_HOLE
};

/* The row for a message in a state, or NULL with *verdict saying why there is none. */
const struct fsm_row *fsm_find(const struct fsm *fsm,
                               int state,
                               const void *value,
                               const struct msg *msg,
                               enum fsm_verdict *verdict);

/* The name of a state, or of the target FSM_SAME. */
const char *fsm_state_name(const struct fsm *fsm, int state);

/* The state of that name; FSM_STATE_NONE if there is none. */
int fsm_state_by_name(const struct fsm *fsm, struct slice name);

/* What can be said against the table without running it: bounds, rows behind an unguarded one of
 * the same pair, pairs named twice, pairs whose rows are all guarded with nothing behind them,
 * holes. Appends a line for each to `out`; returns how many. */
struct buf;
size_t fsm_examine(const struct fsm *fsm,
                   const struct msg_type *messages,
                   size_t messages_count,
                   struct buf *out);

/* The machine as an aligned text table, and as DOT. */
void fsm_print(const struct fsm *fsm, const struct msg_type *messages, struct buf *out);
void fsm_print_dot(const struct fsm *fsm, const struct msg_type *messages, struct buf *out);

#endif
