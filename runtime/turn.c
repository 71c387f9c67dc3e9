#include "runtime/turn.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/engine_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Call ids are turn * CALLS_PER_TURN + position, so that they grow with the turns. */
    CALLS_PER_TURN = 16384,
    LIST_FIRST_ITEMS = 8,
    CANCEL_PAGE = 64,
};
_Static_assert(TURN_STEPS_MAX < CALLS_PER_TURN, "each step can declare a call");

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
    options->random(options->context, out, len);
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
    if (turn->trace != NULL) {
        buf_printf(turn->trace, " call:%s", app->messages[call->purpose].name);
    }
}

void turn_call(struct turn *turn, const struct call *call)
{
    declare_call(turn, call, NULL);
}

void turn_call_instead(struct turn *turn, const struct call *call)
{
    CHECK(turn->ended != NULL && slice_equal(turn->ended->call.lane, call->lane));
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
    turn->self->turn->calls--;
    CHECK(turn->self->turn->calls >= 0);
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

size_t turn_cancel(struct turn *turn, struct slice lane, struct slice ref)
{
    const struct engine_effects *effects = &turn->engine->options.effects;
    size_t declared = 0;
    size_t cancelled = 0;
    CHECK(turn->self != NULL && turn->self->turn != NULL);
    const struct list calls = find_calls(turn, lane, ref, &declared);
    for (size_t i = 0; i < calls.count; i++) {
        const int64_t id = *LIST_AT(&calls, int64_t, i);
        if (i >= declared || !effects->is_sent(effects->context, id)) {
            end_call(turn, id, lane);
            cancelled++;
        }
    }
    return cancelled;
}

size_t turn_count_calls(struct turn *turn, struct slice lane, struct slice ref)
{
    size_t declared = 0;
    return find_calls(turn, lane, ref, &declared).count;
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
}

void turn_order(struct turn *turn, const struct order *order)
{
    struct arena *arena = turn_arena(turn);
    struct order *row = LIST_ADD(&turn->batch->orders, arena, struct order);
    row->verb = order->verb;
    row->who = arena_copy(arena, order->who);
    row->what = arena_copy(arena, order->what);
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
