#include "runtime/base/buf.h"
#include "runtime/fsm.h"

#include <string.h>

struct columns {
    size_t from;
    size_t on;
    size_t guard;
    size_t to;
};

static void widen(size_t *width, const char *text)
{
    const size_t len = strlen(text);
    *width = len > *width ? len : *width;
}

static const char *guard_text(const struct fsm_row *row)
{
    return row->guard == NULL ? "always" : row->guard_name;
}

static const char *action_text(const struct fsm_row *row)
{
    return row->action == NULL ? "-" : row->action_name;
}

static const char *from_text(const struct fsm *fsm, const struct fsm_row *row)
{
    return row->from == FSM_ANY ? "(any)" : fsm->states[row->from];
}

static struct columns measure(const struct fsm *fsm, const struct msg_type *messages)
{
    struct columns width = {strlen("from"), strlen("on"), strlen("guard"), strlen("to")};
    for (size_t i = 0; i < fsm->rows_count; i++) {
        const struct fsm_row *row = &fsm->rows[i];
        widen(&width.from, from_text(fsm, row));
        widen(&width.on, messages[row->on].name);
        widen(&width.guard, guard_text(row));
        widen(&width.to, fsm_state_name(fsm, row->to));
    }
    return width;
}

/* The states of a pair, and that nothing is done there. */
static void print_pair(const struct fsm *fsm,
                       const char *what,
                       const struct fsm_pairs *pair,
                       const struct msg_type *messages,
                       struct buf *out)
{
    buf_printf(out, "  %s %s in", what, messages[pair->on].name);
    for (size_t state = 0; state < fsm->states_count; state++) {
        if ((pair->states & (1U << state)) != 0) {
            buf_printf(out, " %s", fsm->states[state]);
        }
    }
    buf_put_byte(out, '\n');
}

void fsm_print(const struct fsm *fsm, const struct msg_type *messages, struct buf *out)
{
    const struct columns w = measure(fsm, messages);
    buf_printf(out, "%s: begins %s", fsm->name, fsm->states[fsm->first]);
    if (fsm->last != FSM_STATE_NONE) {
        buf_printf(out, ", gone in %s", fsm->states[fsm->last]);
    }
    buf_printf(out, "\n  %-*s  %-*s  %-*s  %-*s  action\n", (int)w.from, "from", (int)w.on, "on",
               (int)w.guard, "guard", (int)w.to, "to");
    for (size_t i = 0; i < fsm->rows_count; i++) {
        const struct fsm_row *row = &fsm->rows[i];
        buf_printf(out, "  %-*s  %-*s  %-*s  %-*s  %s\n", (int)w.from, from_text(fsm, row),
                   (int)w.on, messages[row->on].name, (int)w.guard, guard_text(row), (int)w.to,
                   fsm_state_name(fsm, row->to), action_text(row));
    }
    for (size_t i = 0; i < fsm->ignored_count; i++) {
        print_pair(fsm, "ignores", &fsm->ignored[i], messages, out);
    }
    for (size_t i = 0; i < fsm->refused_count; i++) {
        print_pair(fsm, "refuses", &fsm->refused[i], messages, out);
    }
}

static void print_dot_row(const struct fsm *fsm,
                          const struct fsm_row *row,
                          int from,
                          const struct msg_type *messages,
                          struct buf *out)
{
    const int to = row->to == FSM_SAME ? from : row->to;
    buf_printf(out, "  %s -> %s [label=\"%s", fsm->states[from], fsm->states[to],
               messages[row->on].name);
    if (row->guard != NULL) {
        buf_printf(out, " [%s]", row->guard_name);
    }
    if (row->action != NULL) {
        buf_printf(out, "\\n%s", row->action_name);
    }
    buf_printf(out, "\"];\n");
}

/* Rows for any state that change none would only clutter the picture: they are in the table. */
static void print_dot_rows(const struct fsm *fsm,
                           const struct fsm_row *row,
                           const struct msg_type *messages,
                           struct buf *out)
{
    if (row->from != FSM_ANY) {
        print_dot_row(fsm, row, row->from, messages, out);
        return;
    }
    for (size_t state = 0; row->to != FSM_SAME && state < fsm->states_count; state++) {
        print_dot_row(fsm, row, (int)state, messages, out);
    }
}

void fsm_print_dot(const struct fsm *fsm, const struct msg_type *messages, struct buf *out)
{
    buf_printf(out, "digraph %s {\n  rankdir=LR;\n", fsm->name);
    buf_printf(out, "  node [shape=box, style=rounded, fontname=Helvetica];\n");
    buf_printf(out, "  edge [fontname=Helvetica, fontsize=9];\n");
    for (size_t state = 0; state < fsm->states_count; state++) {
        const char *look = (int)state == fsm->first  ? " [penwidth=2]"
                           : (int)state == fsm->last ? " [peripheries=2]"
                                                     : "";
        buf_printf(out, "  %s%s;\n", fsm->states[state], look);
    }
    for (size_t i = 0; i < fsm->rows_count; i++) {
        print_dot_rows(fsm, &fsm->rows[i], messages, out);
    }
    buf_printf(out, "}\n");
}
