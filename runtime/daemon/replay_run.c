#include "runtime/daemon/replay_run.h"

#include "runtime/base/buf.h"
#include "runtime/daemon/journal_print.h"
#include "runtime/daemon/journal_settings.h"

#include <inttypes.h>

enum {
    SETTINGS_BYTES = 4096
};

void replay_run_open(struct replay_run *run)
{
    *run = (struct replay_run){
        .arena = arena_open(SETTINGS_BYTES),
        .application = {.machines = machines,
                        .machines_count = ACTOR_KINDS,
                        .messages = message_types,
                        .messages_count = MSG_KINDS,
                        .route = router_route},
    };
    run->application.settings = &run->settings;
    run->replay = replay_open(&run->application);
}

void replay_run_close(struct replay_run *run)
{
    replay_close(run->replay);
    arena_close(run->arena);
}

enum rc replay_run_process(struct replay_run *run, const struct journal_entry *entry)
{
    struct journal_process process;
    struct settings settings = {.is_permitted = NULL};
    struct arena *arena = arena_open(SETTINGS_BYTES);
    enum rc rc = journal_process_read(entry, &process);
    if (rc == RC_OK) {
        rc = journal_settings_unpack(arena, arena_copy(arena, process.settings), &settings);
    }
    if (rc != RC_OK) {
        arena_close(arena);
        return rc;
    }
    arena_close(run->arena);
    run->arena = arena;
    run->settings = settings;
    run->has_begun = true;
    replay_section(run->replay, process.epoch);
    return RC_OK;
}

bool replay_is_same(const struct journal_turn *turn, const struct replay_outcome *outcome)
{
    return outcome->rc == RC_OK && !outcome->has_strayed &&
           slice_equal(outcome->decisions, turn->decisions);
}

/* The machine and key that an item begins with. */
static bool item_actor(const struct journal_item *item, struct actor_ref *ref)
{
    struct slice rest = item->rest;
    struct slice machine = SLICE_EMPTY;
    const bool is_about =
        slice_equal(item->name, SLICE("step")) || slice_equal(item->name, SLICE("became"));
    if (!is_about || pack_take_text(&rest, &machine) != RC_OK ||
        pack_take_text(&rest, &ref->key) != RC_OK) {
        return false;
    }
    for (ref->kind = 0; ref->kind < ACTOR_KINDS; ref->kind++) {
        if (slice_equal(slice_from_cstr(machines[ref->kind]->name), machine)) {
            return true;
        }
    }
    return false;
}

static void print_actor(struct replay_run *run, struct actor_ref ref, struct buf *out)
{
    int state = 0;
    const void *value = replay_peek(run->replay, ref, &state);
    const struct fsm *fsm = machines[ref.kind];
    buf_printf(out, "%s %.*s: ", fsm->name, SLICE_ARGS(ref.key));
    if (value == NULL) {
        BUF_PUT(out, "(does not exist)");
    } else {
        buf_printf(out, "%s %.*s", fsm->states[state],
                   SLICE_ARGS(record_print(out->arena, fsm->record, value)));
    }
    BUF_PUT(out, "\n");
}

void replay_print_actors(struct replay_run *run, struct slice decisions, struct buf *out)
{
    struct journal_item item;
    struct actor_ref ref;
    uint64_t count = 0;
    if (pack_take_array(&decisions, &count) != RC_OK) {
        return;
    }
    while (decisions.len > 0 && journal_item_read(&decisions, &item) == RC_OK) {
        if (slice_equal(item.name, SLICE("became")) && item_actor(&item, &ref)) {
            BUF_PUT(out, "    ");
            print_actor(run, ref, out);
        }
    }
}

/* The next of a list, or nothing. */
static bool next_item(struct slice *items, struct journal_item *item)
{
    *item = (struct journal_item){.whole = SLICE_EMPTY};
    return items->len > 0 && journal_item_read(items, item) == RC_OK;
}

static void print_side(struct buf *out, const char *what, const struct journal_item *item)
{
    buf_printf(out, "  %s", what);
    if (item->whole.len == 0) {
        BUF_PUT(out, "nothing more");
    } else {
        journal_print_item(out, item);
    }
    BUF_PUT(out, "\n");
}

static void
print_sides(struct buf *out, const struct journal_item *expected, const struct journal_item *got)
{
    const size_t start = out->len;
    print_side(out, "expected: ", expected);
    const size_t middle = out->len;
    print_side(out, "got:      ", got);
    const struct slice left = slice_make(out->ptr + start, middle - start);
    const struct slice right = slice_make(out->ptr + middle, out->len - middle);
    const size_t label = sizeof "  expected: " - 1;
    if (slice_equal(slice_from(left, label), slice_from(right, label))) {
        BUF_PUT(out, "  (what does not show here differs: the body of the call, or its options)\n");
    }
}

static void explain_decisions(struct replay_run *run,
                              struct slice expected_items,
                              struct slice got_items,
                              struct buf *out)
{
    struct journal_item expected;
    struct journal_item got;
    struct actor_ref ref;
    struct actor_ref about = {.kind = -1};
    uint64_t count = 0;
    if (pack_take_array(&expected_items, &count) != RC_OK ||
        pack_take_array(&got_items, &count) != RC_OK) {
        return;
    }
    for (;;) {
        const bool is_more = next_item(&expected_items, &expected);
        const bool has_more = next_item(&got_items, &got);
        if (item_actor(is_more ? &expected : &got, &ref)) {
            about = ref;
        }
        if ((!is_more && !has_more) || !slice_equal(expected.whole, got.whole)) {
            break;
        }
    }
    print_sides(out, &expected, &got);
    if (about.kind >= 0) {
        BUF_PUT(out, "  actor:    ");
        print_actor(run, about, out);
    }
}

void replay_explain(struct replay_run *run,
                    const struct journal_turn *turn,
                    const struct replay_outcome *outcome,
                    struct buf *out)
{
    BUF_PUT(out, "  input:    ");
    journal_print_input(out, turn);
    BUF_PUT(out, "\n");
    if (outcome->rc != RC_OK) {
        buf_printf(out, "  the turn fails: %s\n", rc_text(outcome->rc));
    }
    if (outcome->has_strayed) {
        BUF_PUT(out, "  the turn asks what the log does not know (taken as not being there)\n");
    }
    if (!slice_equal(outcome->decisions, turn->decisions)) {
        explain_decisions(run, turn->decisions, outcome->decisions, out);
    }
}
