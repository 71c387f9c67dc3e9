#include "runtime/replay.h"

#include "runtime/base/check.h"
#include "runtime/journal.h"

#include <stdlib.h>
#include <string.h>

struct replay {
    struct store store; /* without anything in it */
    struct engine *engine;
    const struct application *application;
    struct arena *arena; /* of the epoch */
    struct arena *scratch;
    int64_t now_ms;
    struct buf decisions;
    int last_message; /* found by name; the next is often the same */
};

enum {
    SCRATCH_BYTES = 64 * 1024
};

/* A store in which nothing is: what the turns read of it stands in the log. */

static enum rc empty_next_turn(struct store *store, int64_t *turn)
{
    (void)store;
    *turn = 1;
    return RC_OK;
}

static enum rc empty_next_deadline(struct store *store, int64_t after_ms, int64_t *deadline_ms)
{
    (void)store;
    (void)after_ms;
    *deadline_ms = 0;
    return RC_OK;
}

static enum rc empty_load(
    struct store *store, int kind, struct slice key, struct arena *arena, struct store_actor *out)
{
    (void)store;
    (void)kind;
    (void)key;
    (void)arena;
    (void)out;
    return RC_ABSENT;
}

static void empty_abandon(struct store *store)
{
    (void)store;
}

static const struct store_methods empty_methods = {
    .next_turn = empty_next_turn,
    .next_deadline = empty_next_deadline,
    .load = empty_load,
    .abandon = empty_abandon,
};

static int64_t recorded_now_ms(void *context)
{
    return ((const struct replay *)context)->now_ms;
}

struct replay *replay_open(const struct application *application)
{
    struct replay *replay = calloc(1, sizeof *replay);
    const struct journal_options journal = {.veil = NULL};
    CHECK(replay != NULL);
    replay->store.methods = &empty_methods;
    replay->application = application;
    replay->arena = arena_open(SCRATCH_BYTES);
    replay->scratch = arena_open(SCRATCH_BYTES);
    buf_init(&replay->decisions, replay->arena);
    const struct engine_options options = {
        .application = application,
        .store = &replay->store,
        .now_ms = recorded_now_ms,
        .context = replay,
        .journal = &journal,
    };
    CHECK(engine_open(&options, &replay->engine) == RC_OK);
    replay->engine->journal->is_replay = true;
    return replay;
}

void replay_close(struct replay *replay)
{
    if (replay != NULL) {
        engine_close(replay->engine);
        arena_close(replay->arena);
        arena_close(replay->scratch);
        free(replay);
    }
}

void replay_section(struct replay *replay, struct slice epoch)
{
    roster_trim(replay->engine->roster, 0);
    if (!slice_equal(replay->engine->options.epoch, epoch)) {
        replay->engine->options.epoch = arena_copy(replay->arena, epoch);
    }
}

int replay_machine(const struct application *application, struct slice name)
{
    for (size_t kind = 0; kind < application->machines_count; kind++) {
        if (slice_equal_cstr(name, application->machines[kind]->name)) {
            return (int)kind;
        }
    }
    return -1;
}

int replay_message(const struct application *application, struct slice name)
{
    for (size_t kind = 0; kind < application->messages_count; kind++) {
        if (slice_equal_cstr(name, application->messages[kind].name)) {
            return (int)kind;
        }
    }
    return -1;
}

/* Recorded states: ["actor" or "became", machine, key, state, calls, fields]. */

static enum rc restore(struct replay *replay, const struct journal_item *item, bool is_change)
{
    struct roster *roster = replay->engine->roster;
    struct slice rest = item->rest;
    struct slice machine = SLICE_EMPTY;
    struct slice key = SLICE_EMPTY;
    struct slice state = SLICE_EMPTY;
    struct actor_form form = {0};
    struct actor *actor = NULL;
    if (pack_take_text(&rest, &machine) != RC_OK || pack_take_text(&rest, &key) != RC_OK ||
        pack_take_text(&rest, &state) != RC_OK || pack_take_int(&rest, &form.calls) != RC_OK) {
        return RC_CORRUPT;
    }
    const struct actor_ref ref = {replay_machine(replay->application, machine), key};
    if (ref.kind < 0 || key.len == 0 || form.calls < 0) {
        return RC_CORRUPT;
    }
    if (state.len > 0) {
        const struct fsm *fsm = replay->application->machines[ref.kind];
        form.state = fsm_state_by_name(fsm, state);
        form.value = arena_alloc(replay->scratch, fsm->record->size);
        if (is_change && roster_is_loaded(roster, ref, &actor) && actor->committed.value != NULL) {
            memcpy(form.value, actor->committed.value, fsm->record->size);
        }
        if (form.state == FSM_STATE_NONE || record_unpack(fsm->record, rest, form.value) != RC_OK) {
            return RC_CORRUPT;
        }
    }
    roster_set(roster, ref, &form);
    if (roster_is_loaded(roster, ref, &actor)) {
        actor->journalled_turn = 0;
    }
    return RC_OK;
}

static enum rc restore_all(struct replay *replay, struct slice items, struct slice name)
{
    uint64_t count = 0;
    struct journal_item item;
    enum rc rc = pack_take_array(&items, &count);
    while (rc == RC_OK && items.len > 0) {
        rc = journal_item_read(&items, &item);
        if (rc == RC_OK && slice_equal(item.name, name)) {
            rc = restore(replay, &item, slice_equal(name, SLICE("became")));
        }
    }
    return rc;
}

/* Inputs */

/* A call that has ended, as far as the turn looks at it. */
static enum rc read_ended(struct replay *replay,
                          const struct journal_input *input,
                          int message,
                          struct outbox_call *out)
{
    const int kind = replay_machine(replay->application, input->machine);
    if (kind < 0 || input->key.len == 0 ||
        replay->application->messages[message].receiver != kind) {
        return RC_CORRUPT;
    }
    *out = (struct outbox_call){
        .id = input->call_id,
        .place = input->call_place,
        .turn = input->call_turn,
        .actor_kind = kind,
        .actor_key = input->key,
        .call = {.purpose = message, .lane = input->lane},
    };
    return RC_OK;
}

static int find_message(struct replay *replay, struct slice name)
{
    const struct application *app = replay->application;
    if (!slice_equal_cstr(name, app->messages[replay->last_message].name)) {
        const int found = replay_message(app, name);
        if (found < 0) {
            return -1;
        }
        replay->last_message = found;
    }
    return replay->last_message;
}

static enum rc run_input(struct replay *replay, const struct journal_input *input, enum rc *turn_rc)
{
    const int message = find_message(replay, input->message);
    struct outbox_call ended;
    struct queued_input queued = {.msg = {.kind = message}};
    if (message < 0) {
        return RC_CORRUPT;
    }
    const struct msg_type *type = &replay->application->messages[message];
    void *body = arena_alloc(replay->scratch, type->record->size);
    queued.msg.body = body;
    if (record_unpack(type->record, input->body, body) != RC_OK) {
        return RC_CORRUPT;
    }
    if (input->how == JOURNAL_ENDED) {
        if (read_ended(replay, input, message, &ended) != RC_OK) {
            return RC_CORRUPT;
        }
        queued.ended = &ended;
    } else if (type->receiver >= 0) {
        return RC_CORRUPT;
    }
    *turn_rc = turn_run_input(replay->engine, &queued);
    return RC_OK;
}

static enum rc run(struct replay *replay, const struct journal_turn *turn, enum rc *turn_rc)
{
    struct journal_input input;
    if (journal_input_read(turn->input, &input) != RC_OK) {
        return RC_CORRUPT;
    }
    if (input.how != JOURNAL_DEADLINE) {
        return run_input(replay, &input, turn_rc);
    }
    const struct actor_ref ref = {replay_machine(replay->application, input.machine), input.key};
    if (ref.kind < 0 || ref.key.len == 0) {
        return RC_CORRUPT;
    }
    *turn_rc = turn_run_deadline(replay->engine, ref);
    return RC_OK;
}

/* The drafts are what the actors are now; those that are not there take no room. */
static void publish(struct replay *replay)
{
    struct engine *engine = replay->engine;
    const struct batch *batch = &engine->batch;
    for (size_t i = 0; i < batch->actors.count; i++) {
        struct actor *actor = *LIST_AT(&batch->actors, struct actor *, i);
        struct actor_form form = *actor->batch;
        if (!roster_is_kept(engine->roster, actor)) {
            form = (struct actor_form){0};
        }
        roster_set(engine->roster, actor->ref, &form);
    }
    for (size_t i = 0; i < batch->noted.count; i++) {
        struct actor *actor = *LIST_AT(&batch->noted, struct actor *, i);
        if (actor->committed.value == NULL) {
            roster_forget(engine->roster, actor);
        }
    }
    batch_reset(&engine->batch);
}

static void take_decisions(struct replay *replay, struct slice *out)
{
    const struct journal *journal = replay->engine->journal;
    replay->decisions.len = 0;
    pack_put_array(&replay->decisions, journal->decisions_count);
    buf_put(&replay->decisions, buf_slice(&journal->decisions));
    *out = buf_slice(&replay->decisions);
}

static void take_reads(struct replay *replay, const struct journal_turn *turn, struct slice *out)
{
    const struct journal *journal = replay->engine->journal;
    struct slice items = turn->reads;
    struct buf buf;
    uint64_t count = 0;
    *out = turn->reads;
    if (journal->reads_count == 0 || pack_take_array(&items, &count) != RC_OK) {
        return;
    }
    buf_init(&buf, replay->scratch);
    pack_put_array(&buf, count + journal->reads_count);
    buf_put(&buf, items);
    buf_put(&buf, buf_slice(&journal->reads));
    *out = buf_slice(&buf);
}

enum rc
replay_turn(struct replay *replay, const struct journal_turn *turn, struct replay_outcome *outcome)
{
    struct engine *engine = replay->engine;
    struct journal *journal = engine->journal;
    uint64_t count = 0;
    *outcome = (struct replay_outcome){.rc = RC_OK};
    arena_reset(replay->scratch);
    enum rc rc = restore_all(replay, turn->reads, SLICE("actor"));
    if (rc == RC_OK && turn->is_emptied) {
        outcome->is_empty = true;
        outcome->decisions = turn->decisions;
        outcome->reads = turn->reads;
        return restore_all(replay, turn->decisions, SLICE("became"));
    }
    journal->answers = turn->reads;
    if (rc == RC_OK) {
        rc = pack_take_array(&journal->answers, &count);
        journal->next = journal->answers;
    }
    if (rc != RC_OK) {
        return rc;
    }
    replay->now_ms = turn->now_ms;
    engine->next_turn = turn->number;
    rc = run(replay, turn, &outcome->rc);
    outcome->is_empty = rc == RC_OK && engine->next_turn == turn->number;
    outcome->has_strayed = journal->has_strayed;
    take_decisions(replay, &outcome->decisions);
    take_reads(replay, turn, &outcome->reads);
    publish(replay);
    return rc;
}

const void *replay_peek(struct replay *replay, struct actor_ref ref, int *state)
{
    struct actor *actor = NULL;
    if (!roster_is_loaded(replay->engine->roster, ref, &actor) || actor->committed.value == NULL) {
        return NULL;
    }
    *state = actor->committed.state;
    return actor->committed.value;
}

size_t replay_actors(const struct replay *replay)
{
    return roster_count(replay->engine->roster);
}

enum rc replay_take_reads(struct replay *replay, const struct journal_turn *turn)
{
    arena_reset(replay->scratch);
    return restore_all(replay, turn->reads, SLICE("actor"));
}

enum rc replay_take_outcome(struct replay *replay, const struct journal_turn *turn)
{
    arena_reset(replay->scratch);
    return restore_all(replay, turn->decisions, SLICE("became"));
}

bool replay_is_marked(const struct replay *replay, struct actor_ref ref)
{
    struct actor *actor = NULL;
    return !roster_is_loaded(replay->engine->roster, ref, &actor) || actor->journalled_turn > 0;
}

void replay_mark(struct replay *replay, struct actor_ref ref)
{
    struct actor *actor = NULL;
    if (roster_is_loaded(replay->engine->roster, ref, &actor)) {
        actor->journalled_turn = 1;
    }
}

void replay_put_actor(const struct replay *replay, struct actor_ref ref, struct buf *out)
{
    const struct fsm *fsm = replay->application->machines[ref.kind];
    struct actor *actor = NULL;
    const bool is_there =
        roster_is_loaded(replay->engine->roster, ref, &actor) && actor->committed.value != NULL;
    pack_put_array(out, 6);
    pack_put_text(out, SLICE("actor"));
    pack_put_text(out, slice_from_cstr(fsm->name));
    pack_put_text(out, ref.key);
    if (!is_there) {
        pack_put_nil(out);
        pack_put_int(out, 0);
        pack_put_map(out, 0);
        return;
    }
    pack_put_text(out, slice_from_cstr(fsm->states[actor->committed.state]));
    pack_put_int(out, actor->committed.calls);
    (void)record_put_changes(out, fsm->record, NULL, actor->committed.value, NULL);
}
