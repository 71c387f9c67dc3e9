#include "runtime/roster.h"

#include "runtime/base/check.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

TAILQ_HEAD(actor_queue, actor);

struct roster {
    const struct fsm *const *machines;
    size_t machines_count;
    struct store *store;
    void *tree;                /* tsearch(3), by kind and key */
    struct actor_queue by_use; /* least recently used first */
    size_t count;
};

static int compare_actors(const void *a, const void *b)
{
    const struct actor_ref *left = &((const struct actor *)a)->ref;
    const struct actor_ref *right = &((const struct actor *)b)->ref;
    if (left->kind != right->kind) {
        return left->kind < right->kind ? -1 : 1;
    }
    return slice_compare(left->key, right->key);
}

struct roster *
roster_open(const struct fsm *const *machines, size_t machines_count, struct store *store)
{
    struct roster *roster = malloc(sizeof *roster);
    CHECK(roster != NULL);
    *roster =
        (struct roster){.machines = machines, .machines_count = machines_count, .store = store};
    TAILQ_INIT(&roster->by_use);
    return roster;
}

void roster_forget(struct roster *roster, struct actor *actor)
{
    (void)tdelete(actor, &roster->tree, compare_actors);
    TAILQ_REMOVE(&roster->by_use, actor, by_use);
    roster->count--;
    free(actor->committed.value);
    free(actor);
}

void roster_close(struct roster *roster)
{
    if (roster == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&roster->by_use)) {
        roster_forget(roster, TAILQ_FIRST(&roster->by_use));
    }
    free(roster);
}

static const struct fsm *machine_of(const struct roster *roster, int kind)
{
    CHECK(kind >= 0 && (size_t)kind < roster->machines_count);
    return roster->machines[kind];
}

static struct slice *key_in(const struct fsm *fsm, void *value)
{
    return (struct slice *)(void *)((char *)value + fsm->key_offset);
}

int64_t roster_deadline_ms(const struct roster *roster, int kind, const void *value)
{
    const size_t offset = machine_of(roster, kind)->deadline_offset;
    int64_t deadline_ms = 0;
    if (offset != 0) {
        memcpy(&deadline_ms, (const char *)value + offset, sizeof deadline_ms);
    }
    return deadline_ms;
}

void roster_clear_deadline(const struct roster *roster, int kind, void *value)
{
    const size_t offset = machine_of(roster, kind)->deadline_offset;
    if (offset != 0) {
        memset((char *)value + offset, 0, sizeof(int64_t));
    }
}

/* One block: the struct, and behind it the bytes its slices point into. An actor keeps its block
 * while that is large enough; on an error it has none. */
static enum rc
form_load(const struct fsm *fsm, struct actor *actor, const struct store_actor *stored)
{
    const size_t size = fsm->record->size;
    const size_t bytes = size + stored->body.len + stored->secrets.len;
    char *block = actor->committed.value;
    if (block == NULL || actor->block_bytes < bytes) {
        free(block);
        block = malloc(bytes);
        CHECK(block != NULL);
        actor->block_bytes = bytes;
    }
    memset(block, 0, size);
    char *body = block + size;
    char *secrets = body + stored->body.len;
    if (stored->body.len > 0) {
        memcpy(body, stored->body.ptr, stored->body.len);
    }
    if (stored->secrets.len > 0) {
        memcpy(secrets, stored->secrets.ptr, stored->secrets.len);
    }
    const int state = fsm_state_by_name(fsm, stored->state);
    if (state == FSM_STATE_NONE ||
        record_unpack(fsm->record, slice_make(body, stored->body.len), block) != RC_OK ||
        record_unpack(fsm->record, slice_make(secrets, stored->secrets.len), block) != RC_OK) {
        free(block);
        actor->committed = (struct actor_form){0};
        return RC_BAD_INPUT;
    }
    *key_in(fsm, block) = actor->ref.key;
    actor->committed = (struct actor_form){.state = state, .calls = stored->calls, .value = block};
    return RC_OK;
}

static struct actor *actor_open(struct actor_ref ref)
{
    struct actor *actor = malloc(sizeof *actor + ref.key.len);
    CHECK(actor != NULL);
    *actor = (struct actor){.ref = ref};
    char *key = (char *)(actor + 1);
    if (ref.key.len > 0) {
        memcpy(key, ref.key.ptr, ref.key.len);
    }
    actor->ref.key.ptr = key;
    return actor;
}

/* The column is what wakes the actor: it is the truth. */
static void set_deadline(const struct fsm *fsm, void *value, int64_t deadline_ms)
{
    if (value != NULL && fsm->deadline_offset != 0) {
        memcpy((char *)value + fsm->deadline_offset, &deadline_ms, sizeof deadline_ms);
    }
}

static enum rc
roster_load(struct roster *roster, struct actor_ref ref, struct arena *scratch, struct actor **out)
{
    struct store_actor stored = {0};
    const enum rc rc =
        roster->store->methods->load(roster->store, ref.kind, ref.key, scratch, &stored);
    if (rc != RC_OK && rc != RC_ABSENT) {
        return rc;
    }
    struct actor *actor = actor_open(ref);
    if (rc == RC_OK) {
        const enum rc loaded = form_load(machine_of(roster, ref.kind), actor, &stored);
        if (loaded != RC_OK) {
            free(actor);
            return loaded;
        }
        set_deadline(machine_of(roster, ref.kind), actor->committed.value, stored.deadline_ms);
    }
    CHECK(tsearch(actor, &roster->tree, compare_actors) != NULL);
    TAILQ_INSERT_TAIL(&roster->by_use, actor, by_use);
    roster->count++;
    *out = actor;
    return RC_OK;
}

enum rc roster_find(struct roster *roster,
                    struct actor_ref ref,
                    struct arena *scratch,
                    struct actor **actor)
{
    const struct actor wanted = {.ref = ref};
    struct actor *const *found = tfind(&wanted, &roster->tree, compare_actors);
    if (found == NULL) {
        return roster_load(roster, ref, scratch, actor);
    }
    *actor = *found;
    TAILQ_REMOVE(&roster->by_use, *actor, by_use);
    TAILQ_INSERT_TAIL(&roster->by_use, *actor, by_use);
    return RC_OK;
}

bool roster_is_loaded(struct roster *roster, struct actor_ref ref, struct actor **actor)
{
    const struct actor wanted = {.ref = ref};
    struct actor *const *found = tfind(&wanted, &roster->tree, compare_actors);
    if (found != NULL) {
        *actor = *found;
    }
    return found != NULL;
}

const struct actor_form *actor_newest(const struct actor *actor)
{
    if (actor->turn != NULL) {
        return actor->turn;
    }
    return actor->batch != NULL ? actor->batch : &actor->committed;
}

struct actor_form *roster_draft(struct roster *roster, struct actor *actor, struct arena *arena)
{
    if (actor->turn != NULL) {
        return actor->turn;
    }
    const struct fsm *fsm = machine_of(roster, actor->ref.kind);
    const struct actor_form *before = actor_newest(actor);
    struct actor_form *draft = ARENA_NEW(arena, struct actor_form);
    draft->value = arena_alloc(arena, fsm->record->size);
    /* what is gone begins anew, in a later turn of the same batch too */
    if (!roster_is_kept(roster, actor)) {
        draft->state = fsm->first;
        *key_in(fsm, draft->value) = actor->ref.key;
    } else {
        draft->state = before->state;
        draft->calls = before->calls;
        memcpy(draft->value, before->value, fsm->record->size);
    }
    actor->turn = draft;
    return draft;
}

static bool is_blank(const struct fsm *fsm, const void *value)
{
    for (size_t i = 0; i < fsm->record->fields_count; i++) {
        const struct field *field = &fsm->record->fields[i];
        const char *at = (const char *)value + field->offset;
        const bool is_set = field->type == FIELD_NUM ? *(const int64_t *)(const void *)at != 0
                            : field->type == FIELD_FLAG
                                ? *(const bool *)(const void *)at
                                : ((const struct slice *)(const void *)at)->len != 0;
        if (is_set) {
            return false;
        }
    }
    return true;
}

bool roster_form_is_kept(const struct roster *roster, int kind, const struct actor_form *form)
{
    const struct fsm *fsm = machine_of(roster, kind);
    if (form->value == NULL) {
        return false;
    }
    if (form->calls > 0) {
        return true;
    }
    return form->state != fsm->last && (form->state != fsm->first || !is_blank(fsm, form->value));
}

bool roster_is_kept(const struct roster *roster, const struct actor *actor)
{
    return roster_form_is_kept(roster, actor->ref.kind, actor_newest(actor));
}

void roster_describe(const struct roster *roster,
                     const struct actor *actor,
                     struct arena *arena,
                     struct store_actor *out)
{
    const struct fsm *fsm = machine_of(roster, actor->ref.kind);
    const struct actor_form *form = actor_newest(actor);
    *out = (struct store_actor){.kind = actor->ref.kind, .key = actor->ref.key};
    if (!roster_is_kept(roster, actor)) {
        out->is_gone = true;
        return;
    }
    out->state = slice_from_cstr(fsm->states[form->state]);
    out->calls = form->calls;
    out->deadline_ms = roster_deadline_ms(roster, actor->ref.kind, form->value);
    out->body = record_pack(arena, fsm->record, form->value, RECORD_OPEN);
    out->secrets = record_pack(arena, fsm->record, form->value, RECORD_SECRETS);
    size_t column = 0;
    for (size_t i = 0; i < fsm->record->fields_count; i++) {
        const struct field *field = &fsm->record->fields[i];
        if (field->is_column) {
            CHECK(column < STORE_COLUMNS_MAX);
            memcpy(&out->columns[column++], (const char *)form->value + field->offset,
                   sizeof(struct slice));
        }
    }
}

void roster_publish(struct roster *roster, struct actor *actor, const struct store_actor *stored)
{
    if (stored->is_gone) {
        free(actor->committed.value);
        actor->committed = (struct actor_form){0};
    } else {
        /* what was packed a moment ago unpacks, or the codec is at fault */
        CHECK(form_load(machine_of(roster, actor->ref.kind), actor, stored) == RC_OK);
    }
    actor->batch = NULL;
}

static size_t texts_len(const struct record_type *record, const void *value)
{
    size_t len = 0;
    for (size_t i = 0; i < record->fields_count; i++) {
        const struct field *field = &record->fields[i];
        if (field->type == FIELD_TEXT || field->type == FIELD_SECRET) {
            struct slice text;
            memcpy(&text, (const char *)value + field->offset, sizeof text);
            len += text.len;
        }
    }
    return len;
}

/* One block, as form_load makes it. */
static void *form_copy(const struct fsm *fsm, const struct actor *actor, const void *value)
{
    const struct record_type *record = fsm->record;
    char *block = malloc(record->size + texts_len(record, value));
    CHECK(block != NULL);
    char *texts = block + record->size;
    memcpy(block, value, record->size);
    for (size_t i = 0; i < record->fields_count; i++) {
        const struct field *field = &record->fields[i];
        struct slice text;
        if (field->type != FIELD_TEXT && field->type != FIELD_SECRET) {
            continue;
        }
        memcpy(&text, block + field->offset, sizeof text);
        if (text.len > 0) {
            memcpy(texts, text.ptr, text.len);
            text.ptr = texts;
            texts += text.len;
            memcpy(block + field->offset, &text, sizeof text);
        }
    }
    *key_in(fsm, block) = actor->ref.key;
    return block;
}

void roster_set(struct roster *roster, struct actor_ref ref, const struct actor_form *form)
{
    struct actor *actor = NULL;
    struct actor_form own = *form;
    if (!roster_is_loaded(roster, ref, &actor)) {
        if (form->value == NULL) {
            return;
        }
        actor = actor_open(ref);
        CHECK(tsearch(actor, &roster->tree, compare_actors) != NULL);
        TAILQ_INSERT_TAIL(&roster->by_use, actor, by_use);
        roster->count++;
    }
    if (form->value != NULL) {
        own.value = form_copy(machine_of(roster, ref.kind), actor, form->value);
    }
    free(actor->committed.value);
    actor->committed = own;
    actor->batch = NULL;
}

void roster_trim(struct roster *roster, size_t keep)
{
    while (roster->count > keep) {
        struct actor *oldest = TAILQ_FIRST(&roster->by_use);
        if (oldest->batch != NULL || oldest->turn != NULL) {
            return;
        }
        roster_forget(roster, oldest);
    }
}

size_t roster_count(const struct roster *roster)
{
    return roster->count;
}
