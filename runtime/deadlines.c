/* Deadlines of actors: those that have come, and those whose turn fails, which would be due again
 * at once: each such actor waits longer each time, and nobody else with it. */
#include "runtime/base/check.h"
#include "runtime/engine_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    DUE_AT_ONCE = 64,
    SNOOZE_FIRST_MS = 1000,
    SNOOZE_DOUBLINGS_MAX = 12, /* a little over an hour */
    SNOOZES_FIRST = 8
};

struct snooze {
    struct actor_ref ref; /* the key is the snooze's own */
    int failures;
    int64_t until_ms;
};

static struct snooze *find_snooze(const struct snoozes *snoozes, struct actor_ref ref)
{
    for (size_t i = 0; i < snoozes->count; i++) {
        struct snooze *snooze = &snoozes->items[i];
        if (snooze->ref.kind == ref.kind && slice_equal(snooze->ref.key, ref.key)) {
            return snooze;
        }
    }
    return NULL;
}

static struct snooze *add_snooze(struct snoozes *snoozes, struct actor_ref ref)
{
    if (snoozes->count == snoozes->cap) {
        snoozes->cap = snoozes->cap == 0 ? SNOOZES_FIRST : 2 * snoozes->cap;
        snoozes->items = reallocarray(snoozes->items, snoozes->cap, sizeof *snoozes->items);
        CHECK(snoozes->items != NULL);
    }
    char *key = malloc(ref.key.len);
    CHECK(key != NULL);
    memcpy(key, ref.key.ptr, ref.key.len);
    struct snooze *snooze = &snoozes->items[snoozes->count++];
    *snooze = (struct snooze){.ref = {ref.kind, slice_make(key, ref.key.len)}};
    return snooze;
}

static void drop_snooze(struct snoozes *snoozes, struct snooze *snooze)
{
    free((void *)(uintptr_t)snooze->ref.key.ptr);
    *snooze = snoozes->items[--snoozes->count];
}

static void let_snooze(struct engine *engine, struct actor_ref ref, int64_t now_ms)
{
    struct snooze *found = find_snooze(&engine->snoozes, ref);
    struct snooze *snooze = found != NULL ? found : add_snooze(&engine->snoozes, ref);
    snooze->until_ms = now_ms + (INT64_C(1) << snooze->failures) * SNOOZE_FIRST_MS;
    snooze->failures += snooze->failures < SNOOZE_DOUBLINGS_MAX ? 1 : 0;
}

static bool is_snoozing(const struct engine *engine, struct actor_ref ref, int64_t now_ms)
{
    const struct snooze *snooze = find_snooze(&engine->snoozes, ref);
    return snooze != NULL && snooze->until_ms > now_ms;
}

static enum rc run_one(struct engine *engine, struct actor_ref ref, int64_t now_ms)
{
    if (is_snoozing(engine, ref, now_ms)) {
        return RC_OK;
    }
    const enum rc rc = turn_run_deadline(engine, ref);
    if (engine_is_store_trouble(rc)) {
        return rc;
    }
    struct snooze *snooze = find_snooze(&engine->snoozes, ref);
    if (rc != RC_OK) {
        let_snooze(engine, ref, now_ms);
    } else if (snooze != NULL) {
        drop_snooze(&engine->snoozes, snooze);
    }
    return RC_OK;
}

enum rc deadlines_run(struct engine *engine, int64_t now_ms)
{
    struct store *store = engine->options.store;
    if (engine->next_deadline_ms == 0 || engine->next_deadline_ms > now_ms) {
        return RC_OK;
    }
    /* those that snooze are due as well, and may stand before all others */
    const size_t max = DUE_AT_ONCE + engine->snoozes.count;
    struct store_actor *due = ARENA_ARRAY(engine->batch.arena, max, struct store_actor);
    size_t count = 0;
    enum rc rc = store->methods->due(store, now_ms, engine->batch.arena, due, max, &count);
    for (size_t i = 0; rc == RC_OK && i < count; i++) {
        rc = run_one(engine, (struct actor_ref){due[i].kind, due[i].key}, now_ms);
    }
    if (rc != RC_OK || engine->batch.actors.count > 0 || count == max) {
        return rc; /* there may be more that are due */
    }
    rc = store->methods->next_deadline(store, now_ms, &engine->next_deadline_ms);
    for (size_t i = 0; rc == RC_OK && i < engine->snoozes.count; i++) {
        deadlines_note(engine, engine->snoozes.items[i].until_ms);
    }
    return rc;
}

void deadlines_note(struct engine *engine, int64_t deadline_ms)
{
    if (deadline_ms != 0 &&
        (engine->next_deadline_ms == 0 || deadline_ms < engine->next_deadline_ms)) {
        engine->next_deadline_ms = deadline_ms;
    }
}

void deadlines_clear(struct engine *engine)
{
    while (engine->snoozes.count > 0) {
        drop_snooze(&engine->snoozes, &engine->snoozes.items[0]);
    }
    free(engine->snoozes.items);
}
