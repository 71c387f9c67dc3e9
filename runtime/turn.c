#include "runtime/turn.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/engine_parts.h"
#include "runtime/journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECRET_BYTES_MAX = 32,
    LIST_FIRST_ITEMS = 8,
    CANCEL_PAGE = 64,
};

void *list_add(struct list *list, struct arena *arena, size_t item_size)
{
    if (list->count == list->cap) {
        const size_t cap = list->cap == 0 ? LIST_FIRST_ITEMS : list->cap * 2;
        list->items = arena_grow(arena, list->items, list->cap * item_size, cap * item_size);
        list->cap = cap;
    }
    char *item = (char *)list->items + list->count * item_size;
    list->count++;
    memset(item, 0, item_size);
    return item;
}

struct arena *turn_arena(struct turn *turn)
{
    return turn->batch->arena;
}

int64_t turn_now_ms(const struct turn *turn)
{
    return turn->now_ms;
}

const void *turn_settings(const struct turn *turn)
{
    return turn->engine->options.application->settings;
}

void turn_random(struct turn *turn, void *out, size_t len)
{
    const struct engine_options *options = &turn->engine->options;
    if (!journal_answer_random(turn, out, len)) {
        options->random(options->context, out, len);
        journal_note_random(turn, slice_make(out, len));
    }
}

struct slice turn_secret(struct turn *turn, size_t bytes)
{
    const struct engine_options *options = &turn->engine->options;
    unsigned char random[SECRET_BYTES_MAX];
    struct slice secret = SLICE_EMPTY;
    if (journal_answer_secret(turn, &secret)) {
        return secret;
    }
    struct buf hex;
    CHECK(bytes <= sizeof random);
    buf_init(&hex, turn_arena(turn));
    options->random(options->context, random, bytes);
    for (size_t i = 0; i < bytes; i++) {
        buf_printf(&hex, "%02x", random[i]);
    }
    journal_note_secret(turn, buf_slice(&hex));
    return buf_slice(&hex);
}

struct slice turn_unique_id(struct turn *turn)
{
    const struct slice epoch = turn->engine->options.epoch;
    turn->positions++;
    return arena_printf(turn_arena(turn), "%.*s.%" PRId64 ".%" PRId64, SLICE_ARGS(epoch),
                        turn->number, turn->positions);
}

struct actor *turn_actor(struct turn *turn, struct actor_ref ref)
{
    struct actor *actor = NULL;
    if (turn->failed != RC_OK) {
        return NULL;
    }
    const enum rc rc = roster_find(turn->engine->roster, ref, turn_arena(turn), &actor);
    if (rc != RC_OK) {
        turn->failed = rc;
        return NULL;
    }
    journal_note_actor(turn, actor);
    return actor;
}

struct actor_form *turn_draft(struct turn *turn, struct actor *actor)
{
    if (actor->turn == NULL) {
        *LIST_ADD(&turn->touched, turn_arena(turn), struct actor *) = actor;
    }
    return roster_draft(turn->engine->roster, actor, turn_arena(turn));
}

void turn_send(struct turn *turn, struct actor_ref to, int kind, const void *body)
{
    const struct application *app = turn->engine->options.application;
    CHECK(kind >= 0 && (size_t)kind < app->messages_count);
    CHECK(app->messages[kind].receiver == to.kind);
    if (turn->queue.count >= TURN_STEPS_MAX) {
        turn->failed = turn->failed == RC_OK ? RC_TOO_BIG : turn->failed;
        return;
    }
    struct queued_msg *queued = LIST_ADD(&turn->queue, turn_arena(turn), struct queued_msg);
    queued->to = (struct actor_ref){to.kind, arena_copy(turn_arena(turn), to.key)};
    queued->msg.kind = kind;
    queued->msg.body = record_copy(turn_arena(turn), app->messages[kind].record, body);
}

static struct call call_copy(struct arena *arena, const struct call *call)
{
    struct call copy = *call;
    copy.lane = arena_copy(arena, call->lane);
    copy.owner = arena_copy(arena, call->owner);
    copy.after_lane = arena_copy(arena, call->after_lane);
    copy.method = arena_copy(arena, call->method);
    copy.path = arena_copy(arena, call->path);
    copy.body = arena_copy(arena, call->body);
    copy.content_type = arena_copy(arena, call->content_type);
    copy.ref = arena_copy(arena, call->ref);
    return copy;
}

static void declare_call(struct turn *turn, const struct call *call, const int64_t *place)
{
    const struct application *app = turn->engine->options.application;
    CHECK(turn->self != NULL && turn->self->turn != NULL);
    CHECK(app->messages[call->purpose].receiver == turn->self->ref.kind);
    CHECK(call->lane.len > 0 && call->path.len > 0 && call->method.len > 0);
    if (turn->calls >= CALLS_PER_TURN || call->body.len > CALL_BODY_BYTES_MAX) {
        turn->failed = RC_TOO_BIG;
        return;
    }
    struct outbox_call *row = LIST_ADD(&turn->batch->calls, turn_arena(turn), struct outbox_call);
    row->id = turn->number * CALLS_PER_TURN + turn->calls++;
    row->place = place == NULL ? row->id : *place;
    /* a successor waits for what the call it succeeds would have waited for, and holds up the same
     */
    row->turn = place == NULL ? turn->number : turn->ended->turn;
    row->created_ms = turn->now_ms;
    row->actor_kind = turn->self->ref.kind;
    row->actor_key = turn->self->ref.key;
    row->call = call_copy(turn_arena(turn), call);
    turn->self->turn->calls++;
    journal_note_call(turn, row);
    if (turn->trace != NULL) {
        buf_printf(turn->trace, " call:%s", app->messages[call->purpose].name);
    }
}

void turn_call(struct turn *turn, const struct call *call)
{
    declare_call(turn, call, NULL);
}

/* What never happens here may come about in the replay of a log that other code has recorded: the
 * turn fails then. */
static void turn_fail_replay(struct turn *turn)
{
    CHECK(turn->engine->journal != NULL && turn->engine->journal->is_replay);
    turn->failed = turn->failed == RC_OK ? RC_REFUSED : turn->failed;
}

void turn_call_instead(struct turn *turn, const struct call *call)
{
    const bool is_successor =
        turn->ended != NULL && slice_equal(turn->ended->call.lane, call->lane);
    if (!is_successor) {
        turn_fail_replay(turn); /* lanes were named otherwise when the log was recorded */
        return;
    }
    declare_call(turn, call, &turn->ended->place);
}

static int compare_ids(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The calls of a lane that have ended or were cancelled in this batch, sorted: a lane may hold
 * 100,000. */
static struct list ended_in(struct turn *turn, struct slice lane)
{
    const struct batch *batch = turn->batch;
    struct list ids = {0};
    for (size_t i = 0; i < batch->ended.count; i++) {
        if (slice_equal(*LIST_AT(&batch->ended_lanes, struct slice, i), lane)) {
            *LIST_ADD(&ids, turn_arena(turn), int64_t) = *LIST_AT(&batch->ended, int64_t, i);
        }
    }
    if (ids.count > 1) {
        qsort(ids.items, ids.count, sizeof(int64_t), compare_ids);
    }
    return ids;
}

static bool contains(const struct list *ids, int64_t id)
{
    return ids->count > 0 && bsearch(&id, ids->items, ids->count, sizeof id, compare_ids) != NULL;
}

static void end_call(struct turn *turn, int64_t id, struct slice lane)
{
    struct batch *batch = turn->batch;
    *LIST_ADD(&batch->ended, batch->arena, int64_t) = id;
    *LIST_ADD(&batch->ended_lanes, batch->arena, struct slice) = arena_copy(batch->arena, lane);
    if (turn->self->turn->calls == 0) {
        turn_fail_replay(turn);
        return;
    }
    turn->self->turn->calls--;
}

/* Calls of this lane and ref that have not ended: those of the store, then, from *declared on,
 * those of this batch, which are not in the store yet. Cancelling one of these leaves the list's
 * copy to the commit, which stores and deletes it in one transaction. */
static struct list
find_calls(struct turn *turn, struct slice lane, struct slice ref, size_t *declared)
{
    struct store *store = turn->engine->options.store;
    struct list found = {0};
    size_t count = 0;
    size_t max = CANCEL_PAGE;
    int64_t *ids = NULL;
    do { /* a full page may not be all: ask again with room for more */
        max *= 2;
        ids = ARENA_ARRAY(turn_arena(turn), max, int64_t);
        const enum rc rc =
            store->methods->lane_find(store, lane, ref, turn_arena(turn), ids, max, &count);
        if (rc != RC_OK) {
            turn->failed = rc;
            return found;
        }
    } while (count == max);
    const struct list ended = ended_in(turn, lane);
    for (size_t i = 0; i < count; i++) {
        if (!contains(&ended, ids[i])) {
            *LIST_ADD(&found, turn_arena(turn), int64_t) = ids[i];
        }
    }
    *declared = found.count;
    for (size_t i = 0; i < turn->batch->calls.count; i++) {
        const struct outbox_call *row = LIST_AT(&turn->batch->calls, struct outbox_call, i);
        if (slice_equal(row->call.lane, lane) && store_ref_matches(row->call.ref, ref) &&
            !contains(&ended, row->id)) {
            *LIST_ADD(&found, turn_arena(turn), int64_t) = row->id;
        }
    }
    return found;
}

/* Those of them that have not been sent. */
static int64_t *
find_cancellable(struct turn *turn, struct slice lane, struct slice ref, size_t *count)
{
    const struct engine_effects *effects = &turn->engine->options.effects;
    size_t declared = 0;
    size_t cancelled = 0;
    const struct list calls = find_calls(turn, lane, ref, &declared);
    int64_t *ids = ARENA_ARRAY(turn_arena(turn), calls.count, int64_t);
    for (size_t i = 0; i < calls.count; i++) {
        const int64_t id = *LIST_AT(&calls, int64_t, i);
        if (i >= declared || !effects->is_sent(effects->context, id)) {
            ids[cancelled++] = id;
        }
    }
    *count = cancelled;
    return ids;
}

size_t turn_cancel(struct turn *turn, struct slice lane, struct slice ref)
{
    const uint32_t question = journal_question("lane", 0, lane, ref);
    int64_t *ids = NULL;
    size_t count = 0;
    CHECK(turn->self != NULL && turn->self->turn != NULL);
    if (!journal_answer_ids(turn, question, &ids, &count)) {
        ids = find_cancellable(turn, lane, ref, &count);
        journal_note_ids(turn, question, ids, count);
    }
    for (size_t i = 0; turn->failed == RC_OK && i < count; i++) {
        end_call(turn, ids[i], lane);
    }
    journal_note_cancel(turn, ids, count);
    return count;
}

size_t turn_count_calls(struct turn *turn, struct slice lane, struct slice ref)
{
    const uint32_t question = journal_question("calls", 0, lane, ref);
    size_t declared = 0;
    int64_t count = 0;
    if (!journal_answer_count(turn, question, &count)) {
        count = (int64_t)find_calls(turn, lane, ref, &declared).count;
        journal_note_count(turn, question, count);
    }
    return (size_t)count;
}

void turn_answer(struct turn *turn, int64_t request, const struct answer *answer)
{
    struct arena *arena = turn_arena(turn);
    struct batch_answer *row = LIST_ADD(&turn->batch->answers, arena, struct batch_answer);
    row->request = request;
    row->answer = (struct answer){
        .status = answer->status,
        .content_type = arena_copy(arena, answer->content_type),
        .body = arena_copy(arena, answer->body),
        .location = arena_copy(arena, answer->location),
        .set_cookie = arena_copy(arena, answer->set_cookie),
    };
    journal_note_answer(turn, answer);
    if (turn->trace != NULL) {
        buf_printf(turn->trace, " answer:%d", answer->status);
    }
}

void turn_link(struct turn *turn, const struct link_order *order)
{
    struct arena *arena = turn_arena(turn);
    struct link_order *row = LIST_ADD(&turn->batch->links, arena, struct link_order);
    row->verb = order->verb;
    row->owner = arena_copy(arena, order->owner);
    row->channel = arena_copy(arena, order->channel);
    row->snapshot = arena_copy(arena, order->snapshot);
    journal_note_link(turn, order);
}

void turn_order(struct turn *turn, const struct order *order)
{
    struct arena *arena = turn_arena(turn);
    struct order *row = LIST_ADD(&turn->batch->orders, arena, struct order);
    row->verb = order->verb;
    row->who = arena_copy(arena, order->who);
    row->what = arena_copy(arena, order->what);
    journal_note_order(turn, order);
}

static void relate(struct turn *turn, const struct store_relation *relation)
{
    struct arena *arena = turn_arena(turn);
    struct store_relation *row = LIST_ADD(&turn->batch->relations, arena, struct store_relation);
    row->relation = relation->relation;
    row->left = arena_copy(arena, relation->left);
    row->right = arena_copy(arena, relation->right);
    row->value = arena_copy(arena, relation->value);
    row->is_gone = relation->is_gone;
    journal_note_relation(turn, relation);
}

void turn_relate(struct turn *turn,
                 enum relation relation,
                 struct slice left,
                 struct slice right,
                 struct slice value)
{
    relate(turn, &(struct store_relation){
                     .relation = relation, .left = left, .right = right, .value = value});
}

void turn_unrelate(struct turn *turn, enum relation relation, struct slice left, struct slice right)
{
    relate(turn, &(struct store_relation){
                     .relation = relation, .left = left, .right = right, .is_gone = true});
}

void turn_forget(struct turn *turn, struct slice user)
{
    struct arena *arena = turn_arena(turn);
    *LIST_ADD(&turn->batch->forgotten, arena, struct slice) = arena_copy(arena, user);
    journal_note_forget(turn, user);
}
