#include "runtime/engine.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/engine_parts.h"
#include "runtime/journal.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    INBOX_CHUNK_BYTES = 64 * 1024,
    BATCH_CHUNK_BYTES = 256 * 1024,
    PAUSE_AFTER_FAILURE_MS = 1000,
    CHORES_PAUSE_MS = 100,
};

struct engine_counts engine_counts(const struct engine *engine)
{
    struct engine_counts counts = engine->counts;
    counts.actors_cached = (int64_t)roster_count(engine->roster);
    return counts;
}

void batch_reset(struct batch *batch)
{
    struct arena *arena = batch->arena;
    arena_reset(arena);
    *batch = (struct batch){.arena = arena, .all_waiting = -1};
    buf_init(&batch->journal, arena);
}

enum rc engine_open(const struct engine_options *options, struct engine **out)
{
    struct store *store = options->store;
    int64_t next_turn = 0;
    int64_t next_deadline_ms = 0;
    enum rc rc = store->methods->next_turn(store, &next_turn);
    if (rc == RC_OK) {
        rc = store->methods->next_deadline(store, 0, &next_deadline_ms);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct engine *engine = calloc(1, sizeof *engine);
    CHECK(engine != NULL);
    engine->options = *options;
    engine->next_turn = next_turn;
    engine->next_deadline_ms = next_deadline_ms;
    for (size_t i = 0; i < 2; i++) {
        engine->inboxes[i].arena = arena_open(INBOX_CHUNK_BYTES);
    }
    engine->filling = &engine->inboxes[0];
    engine->working = &engine->inboxes[1];
    engine->batch.arena = arena_open(BATCH_CHUNK_BYTES);
    batch_reset(&engine->batch);
    if (options->journal != NULL) {
        engine->journal = journal_open(options->journal, options->epoch);
    }
    const struct application *app = options->application;
    engine->chores_ms = options->now_ms(options->context) + CHORES_PAUSE_MS;
    engine->roster = roster_open(app->machines, app->machines_count, store);
    *out = engine;
    return RC_OK;
}

void engine_close(struct engine *engine)
{
    if (engine == NULL) {
        return;
    }
    engine->options.store->methods->abandon(engine->options.store);
    roster_close(engine->roster);
    journal_close(engine->journal);
    deadlines_clear(engine);
    arena_close(engine->batch.arena);
    for (size_t i = 0; i < 2; i++) {
        arena_close(engine->inboxes[i].arena);
    }
    free(engine);
}

static struct outbox_call *copy_ended(struct arena *arena, const struct outbox_call *ended)
{
    struct outbox_call *copy = ARENA_NEW(arena, struct outbox_call);
    *copy = *ended;
    copy->actor_key = arena_copy(arena, ended->actor_key);
    copy->call = (struct call){
        .purpose = ended->call.purpose,
        .auth = ended->call.auth,
        .lane = arena_copy(arena, ended->call.lane),
        .owner = arena_copy(arena, ended->call.owner),
    };
    return copy;
}

void engine_post(struct engine *engine, const struct input *input)
{
    struct arena *arena = engine->filling->arena;
    const struct application *app = engine->options.application;
    CHECK(input->msg.kind >= 0 && (size_t)input->msg.kind < app->messages_count);
    struct queued_input *queued = LIST_ADD(&engine->filling->inputs, arena, struct queued_input);
    *queued = (struct queued_input){
        .msg = {input->msg.kind,
                record_copy(arena, app->messages[input->msg.kind].record, input->msg.body)},
        .event_id = arena_copy(arena, input->event_id),
        .ended = input->ended == NULL ? NULL : copy_ended(arena, input->ended),
        .done = input->done,
        .context = input->context,
        .is_repeatable = input->is_repeatable,
    };
}

/* A batch: turns until there is no more, or enough; then one commit. */

bool engine_is_store_trouble(enum rc rc)
{
    return rc == RC_IO || rc == RC_FULL || rc == RC_BUSY || rc == RC_CORRUPT;
}

static void note_store(struct engine *engine, enum rc rc)
{
    const struct engine_effects *effects = &engine->options.effects;
    if (rc != engine->store_rc && effects->store != NULL) {
        effects->store(effects->context, rc);
    }
    engine->store_rc = rc;
}

static int64_t now(const struct engine *engine)
{
    return engine->options.now_ms(engine->options.context);
}

static bool has_room(const struct engine *engine)
{
    return engine->batch_end < engine->working->inputs.count &&
           engine->batch_turns < BATCH_TURNS_MAX;
}

static enum rc run_inputs(struct engine *engine, int64_t started_ms)
{
    const struct list *inputs = &engine->working->inputs;
    while (has_room(engine)) {
        const struct queued_input *input = LIST_AT(inputs, struct queued_input, engine->batch_end);
        if (!input->is_given_up) {
            const enum rc rc = turn_run_input(engine, input);
            if (engine_is_store_trouble(rc)) {
                return rc;
            }
            engine->batch_turns++;
        }
        engine->batch_end++;
        if (now(engine) - started_ms >= BATCH_MS_MAX) {
            break;
        }
    }
    return RC_OK;
}

/* A store that takes long gets batches that take as long, so that it is not the number of commits
 * that bounds what goes through; the loop has its turn in between. */
static bool goes_on(const struct engine *engine)
{
    const int64_t grown_ms =
        engine->commit_ms < BATCH_GROWN_MS_MAX ? engine->commit_ms : BATCH_GROWN_MS_MAX;
    return has_room(engine) && now(engine) - engine->batch_began_ms < grown_ms;
}

static bool is_of_batch(const struct engine *engine, int64_t call_id)
{
    return call_id >= engine->batch.first_turn * CALLS_PER_TURN;
}

/* Calls that were declared and cancelled in one batch never existed. There are few, while calls and
 * ends may both be many. */
static void drop_cancelled_calls(struct engine *engine)
{
    struct batch *batch = &engine->batch;
    for (size_t i = 0; i < batch->ended.count; i++) {
        const int64_t id = *LIST_AT(&batch->ended, int64_t, i);
        size_t kept = 0;
        for (size_t at = 0; is_of_batch(engine, id) && at < batch->calls.count; at++) {
            const struct outbox_call row = *LIST_AT(&batch->calls, struct outbox_call, at);
            if (row.id != id) {
                *LIST_AT(&batch->calls, struct outbox_call, kept) = row;
                kept++;
            }
        }
        batch->calls.count = is_of_batch(engine, id) ? kept : batch->calls.count;
    }
}

/* Actors whose draft differs from what is committed; the others are let go. */
static size_t describe_actors(struct engine *engine)
{
    struct batch *batch = &engine->batch;
    const struct application *app = engine->options.application;
    size_t changed = 0;
    engine->described = ARENA_ARRAY(batch->arena, batch->actors.count, struct store_actor);
    for (size_t i = 0; i < batch->actors.count; i++) {
        struct actor *actor = *LIST_AT(&batch->actors, struct actor *, i);
        const struct actor_form *was = &actor->committed;
        const struct actor_form *is = actor->batch;
        const bool is_kept = roster_is_kept(engine->roster, actor);
        const bool is_same =
            (was->value == NULL && !is_kept) ||
            (was->value != NULL && is_kept && was->state == is->state && was->calls == is->calls &&
             record_equal(app->machines[actor->ref.kind]->record, was->value, is->value));
        if (is_same) {
            actor->batch = NULL;
            continue;
        }
        roster_describe(engine->roster, actor, batch->arena, &engine->described[changed]);
        *LIST_AT(&batch->actors, struct actor *, changed) = actor;
        changed++;
    }
    batch->actors.count = changed;
    return changed;
}

static void act(struct engine *engine)
{
    const struct engine_effects *effects = &engine->options.effects;
    const struct batch *batch = &engine->batch;
    if (batch->calls.count > 0) {
        effects->calls(effects->context, batch->calls.items, batch->calls.count);
    }
    if (batch->ended.count > 0) {
        effects->ended(effects->context, batch->ended.items, batch->ended_lanes.items,
                       batch->ended.count);
    }
    for (size_t i = 0; i < batch->actors.count; i++) {
        effects->changed(effects->context, (*LIST_AT(&batch->actors, struct actor *, i))->ref);
    }
    for (size_t i = 0; i < batch->links.count; i++) {
        effects->link(effects->context, LIST_AT(&batch->links, struct link_order, i));
    }
    for (size_t i = 0; effects->order != NULL && i < batch->orders.count; i++) {
        effects->order(effects->context, LIST_AT(&batch->orders, struct order, i));
    }
    for (size_t i = 0; i < batch->answers.count; i++) {
        const struct batch_answer *answer = LIST_AT(&batch->answers, struct batch_answer, i);
        effects->answer(effects->context, answer->request, &answer->answer);
    }
    for (size_t i = 0; i < batch->traces.count; i++) {
        const int64_t turn = engine->next_turn - (int64_t)(batch->traces.count - i);
        effects->turn(effects->context, turn, *LIST_AT(&batch->traces, struct slice, i));
    }
}

static void empty(struct inbox *inbox)
{
    arena_reset(inbox->arena);
    inbox->inputs = (struct list){0};
}

static void inputs_are_durable(struct engine *engine)
{
    const struct list *inputs = &engine->working->inputs;
    for (size_t i = engine->working_next; i < engine->batch_end; i++) {
        const struct queued_input *input = LIST_AT(inputs, struct queued_input, i);
        if (input->done != NULL && !input->is_given_up) {
            input->done(input->context, RC_OK);
        }
    }
    engine->working_next = engine->batch_end;
    if (engine->working_next == inputs->count) {
        empty(engine->working);
        engine->working_next = 0;
    }
}

/* From the input at `first` on. True if nobody waits in it any more. */
static bool give_up_repeatable(const struct inbox *inbox, size_t first, enum rc rc)
{
    bool is_idle = true;
    for (size_t i = first; i < inbox->inputs.count; i++) {
        struct queued_input *input = LIST_AT(&inbox->inputs, struct queued_input, i);
        if (input->is_repeatable && !input->is_given_up) {
            input->is_given_up = true;
            if (input->done != NULL) {
                input->done(input->context, rc);
            }
        }
        is_idle = is_idle && input->is_given_up;
    }
    return is_idle;
}

/* The batch never happened. Who can say it again is told so, those as well that came meanwhile; the
 * rest is run again after a pause. */
static void discard(struct engine *engine, enum rc rc)
{
    for (size_t i = 0; i < engine->batch.actors.count; i++) {
        (*LIST_AT(&engine->batch.actors, struct actor *, i))->batch = NULL;
    }
    if (engine->journal != NULL) {
        journal_drop(engine->journal, &engine->batch.noted, 0);
        engine->journal->section_turn = 0;
    }
    (void)give_up_repeatable(engine->working, engine->working_next, rc);
    if (give_up_repeatable(engine->filling, 0, rc)) {
        empty(engine->filling);
    }
    note_store(engine, rc);
    engine->counts.commits_failed++;
    engine->pause_until_ms = now(engine) + PAUSE_AFTER_FAILURE_MS;
    engine->is_stepping = false;
    batch_reset(&engine->batch);
}

static void committed(void *context, enum rc rc)
{
    struct engine *engine = context;
    const int64_t now_ms = now(engine);
    engine->is_committing = false;
    engine->commit_ms = now_ms - engine->commit_began_ms;
    engine->chores_ms = now_ms + CHORES_PAUSE_MS;
    if (rc != RC_OK) {
        discard(engine, rc);
        return;
    }
    for (size_t i = 0; i < engine->batch.actors.count; i++) {
        roster_publish(engine->roster, *LIST_AT(&engine->batch.actors, struct actor *, i),
                       &engine->described[i]);
        deadlines_note(engine, engine->described[i].deadline_ms);
    }
    act(engine);
    inputs_are_durable(engine);
    roster_trim(engine->roster, ACTORS_CACHED_MAX);
    batch_reset(&engine->batch);
}

static void stored(void *context, enum rc rc)
{
    note_store(context, rc);
    committed(context, rc);
}

static void commit(struct engine *engine)
{
    struct batch *batch = &engine->batch;
    struct store *store = engine->options.store;
    engine->is_stepping = false;
    engine->commit_began_ms = now(engine);
    drop_cancelled_calls(engine);
    const size_t actors = describe_actors(engine);
    engine->counts.batches++;
    engine->is_committing = true;
    if (actors + batch->calls.count + batch->ended.count + batch->relations.count +
            batch->seen.count + batch->journal.len + batch->forgotten.count ==
        0) {
        committed(engine, RC_OK);
        return;
    }
    const struct store_batch rows = {
        .now_ms = engine->commit_began_ms,
        .next_turn = engine->next_turn,
        .actors = engine->described,
        .actors_count = actors,
        .relations = batch->relations.items,
        .relations_count = batch->relations.count,
        .seen = batch->seen.items,
        .seen_count = batch->seen.count,
        .calls = batch->calls.items,
        .calls_count = batch->calls.count,
        .ended = batch->ended.items,
        .ended_count = batch->ended.count,
        .journal = buf_slice(&batch->journal),
        .journal_turn = batch->first_turn,
        .forgotten = batch->forgotten.items,
        .forgotten_count = batch->forgotten.count,
    };
    struct store_batch *kept = ARENA_NEW(batch->arena, struct store_batch);
    *kept = rows;
    store->methods->commit(store, kept, stored, engine);
}

static bool has_work(const struct engine *engine, int64_t now_ms)
{
    return engine->working->inputs.count > 0 || engine->filling->inputs.count > 0 ||
           (engine->next_deadline_ms != 0 && engine->next_deadline_ms <= now_ms);
}

static enum rc begin_batch(struct engine *engine, int64_t now_ms)
{
    if (engine->working->inputs.count == 0) {
        struct inbox *filled = engine->filling;
        engine->filling = engine->working;
        engine->working = filled;
    }
    engine->is_stepping = true;
    engine->batch_end = engine->working_next;
    engine->batch_turns = 0;
    engine->batch.first_turn = engine->next_turn;
    engine->batch_began_ms = now_ms;
    return deadlines_run(engine, now_ms);
}

static void hold_store(const struct engine *engine, bool is_held)
{
    struct store *store = engine->options.store;
    if (store->methods->hold != NULL) {
        store->methods->hold(store, is_held);
    }
}

static bool has_chores(const struct engine *engine)
{
    struct store *store = engine->options.store;
    return store->methods->has_chores != NULL && store->methods->has_chores(store);
}

/* While nothing happens: a commit without anything in it. */
static void do_chores(struct engine *engine, int64_t now_ms)
{
    struct store *store = engine->options.store;
    struct store_batch *batch = ARENA_NEW(engine->batch.arena, struct store_batch);
    *batch = (struct store_batch){.now_ms = now_ms, .next_turn = engine->next_turn};
    engine->batch.first_turn = engine->next_turn;
    engine->batch_end = engine->working_next;
    engine->commit_began_ms = now_ms;
    engine->is_committing = true;
    store->methods->commit(store, batch, stored, engine);
}

bool engine_run(struct engine *engine)
{
    const int64_t now_ms = now(engine);
    if (engine->is_committing || now_ms < engine->pause_until_ms) {
        return false;
    }
    if (!has_work(engine, now_ms)) {
        if (now_ms >= engine->chores_ms && has_chores(engine)) {
            do_chores(engine, now_ms);
        }
        return false;
    }
    hold_store(engine, true);
    enum rc rc = engine->is_stepping ? RC_OK : begin_batch(engine, now_ms);
    if (rc == RC_OK) {
        rc = run_inputs(engine, now_ms);
    }
    hold_store(engine, false);
    if (rc != RC_OK) {
        discard(engine, rc);
        return false;
    }
    if (goes_on(engine)) {
        return true;
    }
    commit(engine);
    return !engine->is_committing && has_work(engine, now_ms);
}

static bool is_ended(const struct batch *batch, int64_t id)
{
    for (size_t i = 0; i < batch->ended.count; i++) {
        if (*LIST_AT(&batch->ended, int64_t, i) == id) {
            return true;
        }
    }
    return false;
}

bool engine_is_undecided(const struct engine *engine, int64_t call_id)
{
    /* rows of a commit under way may be seen in the store before it is known how it went */
    return is_ended(&engine->batch, call_id) ||
           (engine->is_committing && is_of_batch(engine, call_id));
}

bool engine_is_quiet(const struct engine *engine)
{
    return !engine->is_committing && engine->working->inputs.count == 0 &&
           engine->filling->inputs.count == 0;
}

bool engine_is_paused(const struct engine *engine)
{
    return engine->options.now_ms(engine->options.context) < engine->pause_until_ms;
}

static int64_t later_of(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

int64_t engine_next_ms(const struct engine *engine)
{
    const int64_t pause_ms = engine->pause_until_ms;
    if (engine->is_committing) {
        return 0; /* its end wakes the loop */
    }
    if (!engine_is_quiet(engine)) {
        return pause_ms;
    }
    const int64_t deadline_ms =
        engine->next_deadline_ms == 0 ? 0 : later_of(engine->next_deadline_ms, pause_ms);
    return has_chores(engine) ? clock_earlier(deadline_ms, later_of(engine->chores_ms, pause_ms))
                              : deadline_ms;
}

const void *engine_peek(struct engine *engine, struct actor_ref ref, int *state)
{
    struct arena *scratch = arena_open(BATCH_CHUNK_BYTES / 16);
    struct actor *actor = NULL;
    const enum rc rc = roster_find(engine->roster, ref, scratch, &actor);
    arena_close(scratch);
    if (rc != RC_OK || actor->committed.value == NULL) {
        return NULL;
    }
    *state = actor->committed.state;
    return actor->committed.value;
}
