#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/engine_parts.h"
#include "runtime/journal.h"

/* A step: one message to one actor, on its draft. */

static void count_missing_row(struct engine *engine, enum fsm_verdict verdict)
{
    CHECK(verdict != FSM_HOLE);
    engine->counts.refused += verdict == FSM_REFUSED ? 1 : 0;
}

static void trace_step(struct turn *turn,
                       const struct fsm *fsm,
                       const struct fsm_row *row,
                       const struct msg *msg)
{
    const struct application *app = turn->engine->options.application;
    const struct actor *actor = turn->self;
    if (turn->trace == NULL) {
        return;
    }
    buf_printf(turn->trace, "; %s %.*s: %s on %s -> %s", fsm->name, SLICE_ARGS(actor->ref.key),
               fsm->states[actor_newest(actor)->state], app->messages[msg->kind].name,
               row == NULL ? "(passed over)" : fsm_state_name(fsm, row->to));
    if (row != NULL && row->action != NULL) {
        buf_printf(turn->trace, " %s", row->action_name);
    }
}

static void step(struct turn *turn, const struct queued_msg *queued)
{
    const struct application *app = turn->engine->options.application;
    const struct fsm *fsm = app->machines[queued->to.kind];
    enum fsm_verdict verdict = FSM_ROW;
    struct actor *actor = turn_actor(turn, queued->to);
    if (actor == NULL) {
        return;
    }
    struct actor_form *draft = turn_draft(turn, actor);
    const struct fsm_row *row = fsm_find(fsm, draft->state, draft->value, &queued->msg, &verdict);
    turn->self = actor;
    turn->steps++;
    trace_step(turn, fsm, row, &queued->msg);
    journal_note_step(
        turn, actor->ref, &queued->msg, fsm->states[draft->state],
        row == NULL ? NULL : fsm_state_name(fsm, row->to == FSM_SAME ? draft->state : row->to));
    if (row == NULL) {
        count_missing_row(turn->engine, verdict);
    } else {
        if (row->action != NULL) {
            row->action(draft->value, &queued->msg, turn);
        }
        draft->state = row->to == FSM_SAME ? draft->state : row->to;
    }
    turn->self = NULL;
}

static void run_queue(struct turn *turn)
{
    while (turn->failed == RC_OK && turn->queue_next < turn->queue.count) {
        /* a copy: the list may move while the step adds to it */
        const struct queued_msg queued =
            *LIST_AT(&turn->queue, struct queued_msg, turn->queue_next);
        turn->queue_next++;
        step(turn, &queued);
    }
}

/* A turn: all or nothing. */

static struct batch_mark batch_mark(const struct batch *batch)
{
    return (struct batch_mark){batch->actors.count,    batch->calls.count,  batch->ended.count,
                               batch->relations.count, batch->seen.count,   batch->answers.count,
                               batch->links.count,     batch->orders.count, batch->traces.count,
                               batch->forgotten.count, batch->noted.count};
}

static void batch_cut(struct batch *batch, const struct batch_mark *mark)
{
    batch->actors.count = mark->actors;
    batch->calls.count = mark->calls;
    batch->ended.count = mark->ended;
    batch->ended_lanes.count = mark->ended;
    batch->relations.count = mark->relations;
    batch->seen.count = mark->seen;
    batch->answers.count = mark->answers;
    batch->links.count = mark->links;
    batch->orders.count = mark->orders;
    batch->traces.count = mark->traces;
    batch->forgotten.count = mark->forgotten;
}

static void keep_drafts(struct turn *turn)
{
    for (size_t i = 0; i < turn->touched.count; i++) {
        struct actor *actor = *LIST_AT(&turn->touched, struct actor *, i);
        if (actor->batch == NULL) {
            *LIST_ADD(&turn->batch->actors, turn->batch->arena, struct actor *) = actor;
        }
        actor->batch = actor->turn;
        actor->turn = NULL;
    }
}

static void drop_drafts(struct turn *turn)
{
    for (size_t i = 0; i < turn->touched.count; i++) {
        (*LIST_AT(&turn->touched, struct actor *, i))->turn = NULL;
    }
}

static struct turn turn_begin(struct engine *engine, struct buf *trace)
{
    struct turn turn = {
        .engine = engine,
        .batch = &engine->batch,
        .number = engine->next_turn,
        .now_ms = engine->options.now_ms(engine->options.context),
    };
    if (engine->options.effects.turn != NULL) {
        buf_init(trace, engine->batch.arena);
        turn.trace = trace;
    }
    journal_begin(&turn);
    return turn;
}

static void
note_failure(const struct turn *turn, const struct queued_input *input, struct actor_ref due)
{
    struct engine *engine = turn->engine;
    const struct application *app = engine->options.application;
    const struct engine_effects *effects = &engine->options.effects;
    engine->counts.turns_failed++;
    if (effects->failed == NULL || engine_is_store_trouble(turn->failed)) {
        return;
    }
    const int kind = input != NULL ? input->msg.kind : app->machines[due.kind]->deadline_message;
    const struct slice whose = input == NULL          ? due.key
                               : input->ended == NULL ? input->event_id
                                                      : input->ended->actor_key;
    effects->failed(effects->context, app->messages[kind].name, whose, turn->failed);
}

/* `input` is NULL when the time of the actor `due` has come. */
static enum rc turn_finish(struct turn *turn,
                           const struct batch_mark *mark,
                           const struct queued_input *input,
                           struct actor_ref due)
{
    struct engine *engine = turn->engine;
    if (turn->failed != RC_OK) {
        drop_drafts(turn);
        batch_cut(turn->batch, mark);
        journal_drop(engine->journal, &turn->batch->noted, mark->noted);
        note_failure(turn, input, due);
        return turn->failed;
    }
    journal_note_outcome(turn);
    journal_put_turn(turn, input, due);
    keep_drafts(turn);
    engine->next_turn++;
    engine->counts.turns++;
    engine->counts.steps += (int64_t)turn->steps;
    if (turn->trace != NULL) {
        *LIST_ADD(&turn->batch->traces, turn->batch->arena, struct slice) = buf_slice(turn->trace);
    }
    return RC_OK;
}

/* Its row goes with the commit, also when the turn fails: the lane must not stand still behind it.
 */
static void drop_ended(struct batch *batch, const struct outbox_call *ended)
{
    if (ended != NULL) {
        *LIST_ADD(&batch->ended, batch->arena, int64_t) = ended->id;
        *LIST_ADD(&batch->ended_lanes, batch->arena, struct slice) = ended->call.lane;
    }
}

/* The turn for this end failed: its actor never hears of it, and yet has one call less. One whose
 * row cannot be read is left as it is. */
static void consume_ended(struct engine *engine, const struct outbox_call *ended)
{
    struct turn turn = {.engine = engine, .batch = &engine->batch, .number = engine->next_turn};
    const struct actor_ref ref = {ended->actor_kind, ended->actor_key};
    struct actor *actor = NULL;
    const enum rc rc = roster_find(engine->roster, ref, engine->batch.arena, &actor);
    if (rc == RC_OK && roster_is_kept(engine->roster, actor) && actor_newest(actor)->calls > 0) {
        turn_draft(&turn, actor)->calls--;
        keep_drafts(&turn);
        actor->journalled_turn = 0; /* no entry says so: it stands in full in its next one */
    }
    drop_ended(&engine->batch, ended);
}

/* The end of a call goes to the actor that declared it, and the call leaves the outbox. */
static void begin_ended(struct turn *turn, const struct queued_input *input)
{
    const struct outbox_call *ended = input->ended;
    const struct actor_ref ref = {ended->actor_kind, ended->actor_key};
    struct actor *actor = turn_actor(turn, ref);
    if (actor == NULL) {
        return;
    }
    drop_ended(turn->batch, ended);
    if (!roster_is_kept(turn->engine->roster, actor) || actor_newest(actor)->calls == 0) {
        turn->engine->counts.absent++;
        return;
    }
    turn_draft(turn, actor)->calls--;
    turn->ended = ended;
    turn_send(turn, ref, input->msg.kind, input->msg.body);
}

enum {
    SEEN_SLOTS_FIRST = 64
};

/* FNV-1a */
static uint64_t hash(struct slice text)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.len; i++) {
        sum = (sum ^ (unsigned char)text.ptr[i]) * UINT64_C(1099511628211);
    }
    return sum;
}

static bool is_in_batch(const struct batch *batch, struct slice event_id)
{
    const struct seen_places *places = &batch->seen_places;
    if (places->cap == 0) {
        return false;
    }
    size_t slot = hash(event_id) & (places->cap - 1);
    while (places->slots[slot] != 0) {
        const size_t place = places->slots[slot] - 1;
        if (place < batch->seen.count &&
            slice_equal(*LIST_AT(&batch->seen, struct slice, place), event_id)) {
            return true;
        }
        slot = (slot + 1) & (places->cap - 1);
    }
    return false;
}

static void put_place(struct batch *batch, size_t place)
{
    struct seen_places *places = &batch->seen_places;
    size_t slot = hash(*LIST_AT(&batch->seen, struct slice, place)) & (places->cap - 1);
    while (places->slots[slot] != 0) {
        slot = (slot + 1) & (places->cap - 1);
    }
    places->slots[slot] = place + 1;
    places->count++;
}

void batch_add_seen(struct batch *batch, struct slice event_id)
{
    struct seen_places *places = &batch->seen_places;
    *LIST_ADD(&batch->seen, batch->arena, struct slice) = event_id;
    if (2 * (places->count + 1) > places->cap) {
        const size_t cap = places->cap == 0 ? SEEN_SLOTS_FIRST : 2 * places->cap;
        *places = (struct seen_places){ARENA_ARRAY(batch->arena, cap, size_t), cap, 0};
        for (size_t place = 0; place + 1 < batch->seen.count; place++) {
            put_place(batch, place);
        }
    }
    put_place(batch, batch->seen.count - 1);
}

bool engine_has_seen(struct engine *engine, struct slice event_id, enum rc *rc)
{
    struct store *store = engine->options.store;
    *rc = RC_OK;
    if (is_in_batch(&engine->batch, event_id)) {
        return true;
    }
    const enum rc seen = store->methods->seen(store, event_id);
    *rc = seen == RC_OK || seen == RC_ABSENT ? RC_OK : seen;
    return seen == RC_OK;
}

enum rc turn_run_input(struct engine *engine, const struct queued_input *input)
{
    struct buf trace;
    const struct batch_mark mark = batch_mark(&engine->batch);
    struct turn turn = turn_begin(engine, &trace);
    if (input->event_id.len > 0) {
        if (engine_has_seen(engine, input->event_id, &turn.failed)) {
            engine->counts.inputs_repeated++;
            return RC_OK;
        }
        batch_add_seen(&engine->batch, input->event_id);
    }
    if (turn.trace != NULL) {
        buf_printf(turn.trace, "%s", engine->options.application->messages[input->msg.kind].name);
    }
    if (turn.failed == RC_OK && input->ended != NULL) {
        begin_ended(&turn, input);
    } else if (turn.failed == RC_OK) {
        engine->options.application->route(&input->msg, &turn);
    }
    run_queue(&turn);
    const enum rc rc = turn_finish(&turn, &mark, input, (struct actor_ref){0});
    if (rc != RC_OK && !engine_is_store_trouble(rc) && input->ended != NULL) {
        consume_ended(engine, input->ended);
    }
    return rc;
}

/* A deadline that has come is an input of its own. */
enum rc turn_run_deadline(struct engine *engine, struct actor_ref ref)
{
    struct buf trace;
    const struct batch_mark mark = batch_mark(&engine->batch);
    struct turn turn = turn_begin(engine, &trace);
    const struct fsm *fsm = engine->options.application->machines[ref.kind];
    struct actor *actor = turn_actor(&turn, ref);
    if (actor != NULL && roster_is_kept(engine->roster, actor)) {
        const int64_t deadline_ms =
            roster_deadline_ms(engine->roster, ref.kind, actor_newest(actor)->value);
        if (deadline_ms == 0 || deadline_ms > turn.now_ms) {
            journal_drop(engine->journal, &turn.batch->noted, mark.noted);
            return RC_OK;
        }
        if (turn.trace != NULL) {
            buf_printf(turn.trace, "deadline");
        }
        roster_clear_deadline(engine->roster, ref.kind, turn_draft(&turn, actor)->value);
        turn_send(&turn, ref, fsm->deadline_message, &(struct slice){0});
        run_queue(&turn);
    }
    return turn_finish(&turn, &mark, NULL, ref);
}
