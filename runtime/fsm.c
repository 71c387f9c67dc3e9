#include "runtime/fsm.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"

static bool row_is_from(const struct fsm_row *row, int state)
{
    return row->from == FSM_ANY || row->from == state;
}

static bool pairs_contain(const struct fsm_pairs *pairs, size_t count, int on, int state)
{
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].on == on && (pairs[i].states & (1U << (unsigned)state)) != 0) {
            return true;
        }
    }
    return false;
}

const struct fsm_row *fsm_find(const struct fsm *fsm,
                               int state,
                               const void *value,
                               const struct msg *msg,
                               enum fsm_verdict *verdict)
{
    for (size_t i = 0; i < fsm->rows_count; i++) {
        const struct fsm_row *row = &fsm->rows[i];
        if (row_is_from(row, state) && row->on == msg->kind &&
            (row->guard == NULL || row->guard(value, msg))) {
            *verdict = FSM_ROW;
            return row;
        }
    }
    if (pairs_contain(fsm->ignored, fsm->ignored_count, msg->kind, state)) {
        *verdict = FSM_IGNORED;
    } else if (pairs_contain(fsm->refused, fsm->refused_count, msg->kind, state)) {
        *verdict = FSM_REFUSED;
    } else {
        *verdict = FSM_HOLE;
    }
    return NULL;
}

const char *fsm_state_name(const struct fsm *fsm, int state)
{
    return state == FSM_SAME ? "(same)" : fsm->states[state];
}

int fsm_state_by_name(const struct fsm *fsm, struct slice name)
{
    for (size_t i = 0; i < fsm->states_count; i++) {
        if (slice_equal_cstr(name, fsm->states[i])) {
            return (int)i;
        }
    }
    return FSM_STATE_NONE;
}

static size_t
complain(struct buf *out, const char *what, const struct fsm *fsm, int state, const char *message)
{
    buf_printf(out, "%s: %s in %s: %s\n", fsm->name, message, fsm->states[state], what);
    return 1;
}

/* One pair: what stands behind its rows when all their guards say no. */
static size_t
examine_pair(const struct fsm *fsm, int state, int on, const char *message, struct buf *out)
{
    size_t complaints = 0;
    bool has_rows = false;
    bool is_closed = false;
    for (size_t i = 0; i < fsm->rows_count; i++) {
        const struct fsm_row *row = &fsm->rows[i];
        if (row_is_from(row, state) && row->on == on) {
            has_rows = true;
            is_closed = is_closed || row->guard == NULL;
        }
    }
    const bool ignored = pairs_contain(fsm->ignored, fsm->ignored_count, on, state);
    const bool refused = pairs_contain(fsm->refused, fsm->refused_count, on, state);
    if (!is_closed && !ignored && !refused) {
        complaints +=
            complain(out, has_rows ? "nothing behind the guards" : "a hole", fsm, state, message);
    }
    if ((is_closed && (ignored || refused)) || (ignored && refused)) {
        complaints += complain(out, "named twice", fsm, state, message);
    }
    return complaints;
}

/* A row is dead if in each state it is for, an earlier row without a guard takes the message. */
static bool row_is_dead(const struct fsm *fsm, size_t at)
{
    const struct fsm_row *row = &fsm->rows[at];
    for (size_t state = 0; state < fsm->states_count; state++) {
        bool is_taken = !row_is_from(row, (int)state);
        for (size_t i = 0; i < at && !is_taken; i++) {
            const struct fsm_row *earlier = &fsm->rows[i];
            is_taken = earlier->on == row->on && earlier->guard == NULL &&
                       row_is_from(earlier, (int)state);
        }
        if (!is_taken) {
            return false;
        }
    }
    return true;
}

static size_t examine_bounds(const struct fsm *fsm, struct buf *out)
{
    size_t complaints = 0;
    if (fsm->states_count > FSM_STATES_MAX || fsm->rows_count > FSM_ROWS_MAX) {
        buf_printf(out, "%s: %zu states, %zu rows: too many\n", fsm->name, fsm->states_count,
                   fsm->rows_count);
        complaints++;
    }
    for (size_t state = 0; state < fsm->states_count; state++) {
        bool is_reached = (int)state == fsm->first;
        for (size_t i = 0; i < fsm->rows_count; i++) {
            is_reached = is_reached || fsm->rows[i].to == (int)state;
        }
        if (!is_reached) {
            buf_printf(out, "%s: no way into %s\n", fsm->name, fsm->states[state]);
            complaints++;
        }
    }
    return complaints;
}

size_t fsm_examine(const struct fsm *fsm,
                   const struct msg_type *messages,
                   size_t messages_count,
                   struct buf *out)
{
    size_t complaints = examine_bounds(fsm, out);
    for (size_t kind = 0; kind < messages_count; kind++) {
        for (size_t state = 0; state < fsm->states_count; state++) {
            if (messages[kind].receiver == fsm->kind) {
                complaints += examine_pair(fsm, (int)state, (int)kind, messages[kind].name, out);
            }
        }
    }
    for (size_t i = 0; i < fsm->rows_count; i++) {
        const struct msg_type *type = &messages[fsm->rows[i].on];
        if (type->receiver != fsm->kind) {
            buf_printf(out, "%s: a row for %s, which is not sent to it\n", fsm->name, type->name);
            complaints++;
        }
        if (row_is_dead(fsm, i)) {
            buf_printf(out, "%s: row %zu, for %s, can never be reached\n", fsm->name, i + 1,
                       type->name);
            complaints++;
        }
    }
    return complaints;
}
