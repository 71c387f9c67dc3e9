/* The directory of a turn: what is committed, overlaid with what the batch has changed so far. */
#include "runtime/base/check.h"
#include "runtime/engine_parts.h"
#include "runtime/journal.h"

#include <stdlib.h>
#include <string.h>

enum {
    DIRECTORY_PAGE = 256,
    FOUND_FIRST = 8, /* by a value there is nearly always one */
    AUTHS_MAX = 16
};

static struct actor *meet(struct turn *turn, struct actor_ref ref)
{
    struct actor *actor = turn_actor(turn, ref);
    if (actor != NULL) {
        journal_note_meeting(turn, actor);
    }
    return actor;
}

bool turn_exists(struct turn *turn, struct actor_ref ref, int *state)
{
    struct actor *actor = meet(turn, ref);
    if (actor == NULL || !roster_is_kept(turn->engine->roster, actor)) {
        return false;
    }
    *state = actor_newest(actor)->state;
    return true;
}

const void *turn_peek(struct turn *turn, struct actor_ref ref, int *state)
{
    struct actor *actor = meet(turn, ref);
    if (actor == NULL || !roster_is_kept(turn->engine->roster, actor)) {
        return NULL;
    }
    *state = actor_newest(actor)->state;
    return actor_newest(actor)->value;
}

/* The place of a column among the columns of a machine, and its offset in the state struct. */
static int find_column(const struct fsm *fsm, const char *column, size_t *offset)
{
    int place = 0;
    for (size_t i = 0; i < fsm->record->fields_count; i++) {
        const struct field *field = &fsm->record->fields[i];
        if (!field->is_column) {
            continue;
        }
        if (strcmp(field->name, column) == 0) {
            *offset = field->offset;
            return place;
        }
        place++;
    }
    CHECK(column == NULL); /* the machine has no such column */
    return -1;
}

struct search {
    struct turn *turn;
    int kind;
    int place; /* of the column, and where the state has it; no matter where any value will do */
    size_t offset;
    struct slice value; /* empty: any */
    struct list found;  /* struct actor_entry */
};

static void consider(struct search *search, const struct actor *actor)
{
    const struct roster *roster = search->turn->engine->roster;
    const struct actor_form *form = actor_newest(actor);
    struct slice value = SLICE_EMPTY;
    if (!roster_is_kept(roster, actor)) {
        return;
    }
    memcpy(&value, (const char *)form->value + search->offset, sizeof value);
    if (search->value.len == 0 || slice_equal(value, search->value)) {
        struct actor_entry *entry =
            LIST_ADD(&search->found, turn_arena(search->turn), struct actor_entry);
        *entry = (struct actor_entry){actor->ref.key, form->state, SLICE_EMPTY};
    }
}

static void consider_stored(struct search *search, const struct store_found *found)
{
    const struct engine *engine = search->turn->engine;
    struct actor *actor = NULL;
    const struct fsm *fsm = engine->options.application->machines[search->kind];
    if (!roster_is_loaded(engine->roster, (struct actor_ref){search->kind, found->key}, &actor)) {
        struct actor_entry *entry =
            LIST_ADD(&search->found, turn_arena(search->turn), struct actor_entry);
        *entry =
            (struct actor_entry){found->key, fsm_state_by_name(fsm, found->state), SLICE_EMPTY};
    } else if (actor->turn == NULL && actor->batch == NULL) {
        consider(search, actor);
    }
}

static void consider_drafts(struct search *search, const struct list *actors, bool of_turn)
{
    for (size_t i = 0; i < actors->count; i++) {
        const struct actor *actor = *LIST_AT(actors, struct actor *, i);
        const bool is_newer_elsewhere = !of_turn && actor->turn != NULL;
        if (actor->ref.kind == search->kind && !is_newer_elsewhere) {
            consider(search, actor);
        }
    }
}

static int compare_entries(const void *a, const void *b)
{
    return slice_compare(((const struct actor_entry *)a)->key,
                         ((const struct actor_entry *)b)->key);
}

static size_t find_end(struct search *search,
                       const struct store_found *stored,
                       size_t count,
                       struct actor_entry **entries)
{
    struct turn *turn = search->turn;
    for (size_t i = 0; i < count; i++) {
        consider_stored(search, &stored[i]);
    }
    consider_drafts(search, &turn->batch->actors, false);
    consider_drafts(search, &turn->touched, true);
    if (search->found.count > 1) {
        qsort(search->found.items, search->found.count, sizeof(struct actor_entry),
              compare_entries);
    }
    *entries = search->found.items;
    return search->found.count;
}

static enum rc
read_stored(const struct search *search, struct store_found *stored, size_t max, size_t *count)
{
    struct store *store = search->turn->engine->options.store;
    struct arena *arena = turn_arena(search->turn);
    return search->value.len == 0
               ? store->methods->list(store, search->kind, SLICE_EMPTY, arena, stored, max, count)
               : store->methods->find(store, search->kind, search->place, search->value, arena,
                                      stored, max, count);
}

static size_t search_run(struct search *search, struct actor_entry **entries)
{
    struct turn *turn = search->turn;
    struct store_found *stored = NULL;
    size_t count = 0;
    size_t max = DIRECTORY_PAGE / 2;
    *entries = NULL;
    if (search->value.len > 0) {
        max = FOUND_FIRST / 2;
    }
    do { /* a full page may not be all: ask again with room for more */
        max *= 2;
        stored = ARENA_ARRAY(turn_arena(turn), max, struct store_found);
        turn->failed =
            turn->failed != RC_OK ? turn->failed : read_stored(search, stored, max, &count);
        if (turn->failed != RC_OK) {
            return 0;
        }
    } while (count == max);
    return find_end(search, stored, count, entries);
}

size_t turn_list(struct turn *turn, int kind, struct actor_entry **entries)
{
    const uint32_t question = journal_question("list", kind, SLICE_EMPTY, SLICE_EMPTY);
    size_t count = 0;
    if (!journal_answer_entries(turn, question, entries, &count)) {
        count = search_run(&(struct search){.turn = turn, .kind = kind}, entries);
        journal_note_entries(turn, question, *entries, count);
    }
    return count;
}

size_t turn_find(struct turn *turn,
                 int kind,
                 const char *column,
                 struct slice value,
                 struct actor_entry **entries)
{
    const uint32_t question = journal_question("find", kind, slice_from_cstr(column), value);
    size_t count = 0;
    *entries = NULL;
    if (value.len == 0 || turn->failed != RC_OK) {
        return 0;
    }
    if (!journal_answer_entries(turn, question, entries, &count)) {
        struct search search = {.turn = turn, .kind = kind, .value = value};
        search.place =
            find_column(turn->engine->options.application->machines[kind], column, &search.offset);
        count = search_run(&search, entries);
        journal_note_entries(turn, question, *entries, count);
    }
    return count;
}

static size_t read_page(struct turn *turn,
                        int kind,
                        const char *column,
                        struct slice after,
                        struct actor_entry **entries)
{
    struct store *store = turn->engine->options.store;
    struct store_found *stored = ARENA_ARRAY(turn_arena(turn), DIRECTORY_PAGE, struct store_found);
    size_t offset = 0;
    size_t count = 0;
    (void)find_column(turn->engine->options.application->machines[kind], column, &offset);
    if (turn->failed == RC_OK) {
        turn->failed = store->methods->list(store, kind, after, turn_arena(turn), stored,
                                            DIRECTORY_PAGE, &count);
    }
    *entries = ARENA_ARRAY(turn_arena(turn), DIRECTORY_PAGE, struct actor_entry);
    for (size_t i = 0; turn->failed == RC_OK && i < count; i++) {
        const struct actor *actor = turn_actor(turn, (struct actor_ref){kind, stored[i].key});
        struct actor_entry *entry = &(*entries)[i];
        *entry = (struct actor_entry){stored[i].key, FSM_STATE_NONE, SLICE_EMPTY};
        if (actor != NULL && roster_is_kept(turn->engine->roster, actor)) {
            const struct actor_form *form = actor_newest(actor);
            entry->state = form->state;
            memcpy(&entry->value, (const char *)form->value + offset, sizeof entry->value);
        }
    }
    return turn->failed == RC_OK ? count : 0;
}

size_t turn_page(struct turn *turn,
                 int kind,
                 const char *column,
                 struct slice after,
                 struct actor_entry **entries)
{
    const uint32_t question = journal_question("page", kind, slice_from_cstr(column), after);
    size_t count = 0;
    if (!journal_answer_entries(turn, question, entries, &count)) {
        count = read_page(turn, kind, column, after, entries);
        journal_note_entries(turn, question, *entries, count);
    }
    return count;
}

/* The newest word of the batch on a pair; NULL: nothing was said. */
static const struct store_relation *
said(const struct turn *turn, enum relation relation, struct slice left, struct slice right)
{
    for (size_t i = turn->batch->relations.count; i-- > 0;) {
        const struct store_relation *row =
            LIST_AT(&turn->batch->relations, struct store_relation, i);
        if (row->relation == relation && slice_equal(row->left, left) &&
            (slice_equal(row->right, right) || (row->is_gone && row->right.len == 0))) {
            return row;
        }
    }
    return NULL;
}

static bool look_up(struct turn *turn,
                    enum relation relation,
                    struct slice left,
                    struct slice right,
                    struct slice *value)
{
    struct store *store = turn->engine->options.store;
    const struct store_relation *row = said(turn, relation, left, right);
    if (row != NULL) {
        *value = row->value;
        return !row->is_gone;
    }
    const enum rc rc =
        store->methods->related(store, relation, left, right, turn_arena(turn), value);
    if (rc != RC_OK && rc != RC_ABSENT) {
        turn->failed = rc;
    }
    return rc == RC_OK;
}

bool turn_related(struct turn *turn,
                  enum relation relation,
                  struct slice left,
                  struct slice right,
                  struct slice *value)
{
    const uint32_t question = journal_question("value", (int)relation, left, right);
    bool is_there = false;
    if (turn->failed != RC_OK) {
        return false;
    }
    if (!journal_answer_value(turn, "value", question, &is_there, value)) {
        is_there = look_up(turn, relation, left, right, value);
        journal_note_value(turn, "value", question, is_there, *value);
    }
    return is_there;
}

static bool look_up_right(struct turn *turn,
                          enum relation relation,
                          struct slice left,
                          struct slice value,
                          struct slice *right)
{
    struct store *store = turn->engine->options.store;
    for (size_t i = turn->batch->relations.count; value.len > 0 && i-- > 0;) {
        const struct store_relation *row =
            LIST_AT(&turn->batch->relations, struct store_relation, i);
        if (row->relation == relation && !row->is_gone && slice_equal(row->left, left) &&
            slice_equal(row->value, value) && said(turn, relation, left, row->right) == row) {
            *right = row->right;
            return true;
        }
    }
    const enum rc rc =
        store->methods->related_by_value(store, relation, left, value, turn_arena(turn), right);
    if (rc != RC_OK && rc != RC_ABSENT) {
        turn->failed = rc;
    }
    return rc == RC_OK && said(turn, relation, left, *right) == NULL;
}

bool turn_related_by_value(struct turn *turn,
                           enum relation relation,
                           struct slice left,
                           struct slice value,
                           struct slice *right)
{
    const uint32_t question = journal_question("right", (int)relation, left, value);
    bool is_there = false;
    if (turn->failed != RC_OK || value.len == 0) {
        return false;
    }
    if (!journal_answer_value(turn, "right", question, &is_there, right)) {
        is_there = look_up_right(turn, relation, left, value, right);
        journal_note_value(turn, "right", question, is_there, *right);
    }
    return is_there;
}

bool turn_take_event(struct turn *turn, struct slice event_id)
{
    const uint32_t question = journal_question("event", 0, event_id, SLICE_EMPTY);
    struct slice value = SLICE_EMPTY;
    bool is_seen = false;
    if (turn->failed != RC_OK) {
        return false;
    }
    if (!journal_answer_value(turn, "value", question, &is_seen, &value)) {
        is_seen = engine_has_seen(turn->engine, event_id, &turn->failed);
        journal_note_value(turn, "value", question, is_seen, SLICE_EMPTY);
    }
    if (!is_seen && turn->failed == RC_OK) {
        batch_add_seen(turn->batch, arena_copy(turn_arena(turn), event_id));
    }
    return !is_seen && turn->failed == RC_OK;
}

static bool contains(const struct list *list, struct slice text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (slice_equal(*LIST_AT(list, struct slice, i), text)) {
            return true;
        }
    }
    return false;
}

/* What the batch has that the store does not have yet. */
static void add_relations_of_batch(struct turn *turn,
                                   enum relation relation,
                                   struct slice left,
                                   struct list *found)
{
    for (size_t i = 0; i < turn->batch->relations.count; i++) {
        const struct store_relation *row =
            LIST_AT(&turn->batch->relations, struct store_relation, i);
        if (row->relation == relation && !row->is_gone && slice_equal(row->left, left) &&
            !said(turn, relation, left, row->right)->is_gone && !contains(found, row->right)) {
            *LIST_ADD(found, turn_arena(turn), struct slice) = row->right;
        }
    }
}

static size_t
list_rights(struct turn *turn, enum relation relation, struct slice left, struct slice **rights)
{
    struct store *store = turn->engine->options.store;
    struct list found = {0};
    struct slice after = SLICE_EMPTY;
    struct slice page[DIRECTORY_PAGE];
    size_t count = 0;
    *rights = NULL;
    do {
        const enum rc rc =
            turn->failed != RC_OK
                ? turn->failed
                : store->methods->relations(store, relation, left, after, turn_arena(turn), page,
                                            DIRECTORY_PAGE, &count);
        if (rc != RC_OK) {
            turn->failed = rc;
            return 0;
        }
        for (size_t i = 0; i < count; i++) {
            if (said(turn, relation, left, page[i]) == NULL) {
                *LIST_ADD(&found, turn_arena(turn), struct slice) = page[i];
            }
        }
        after = count > 0 ? page[count - 1] : SLICE_EMPTY;
    } while (count == DIRECTORY_PAGE);
    add_relations_of_batch(turn, relation, left, &found);
    if (found.count > 1) {
        qsort(found.items, found.count, sizeof(struct slice), slice_compare_items);
    }
    *rights = found.items;
    return found.count;
}

size_t
turn_relations(struct turn *turn, enum relation relation, struct slice left, struct slice **rights)
{
    const uint32_t question = journal_question("rights", (int)relation, left, SLICE_EMPTY);
    size_t count = 0;
    if (!journal_answer_texts(turn, question, rights, &count)) {
        count = list_rights(turn, relation, left, rights);
        journal_note_texts(turn, question, *rights, count);
    }
    return count;
}

static int64_t count_waiting(struct turn *turn, struct slice owner, enum call_auth auth)
{
    struct store *store = turn->engine->options.store;
    int64_t waiting = 0;
    const enum rc rc = turn->failed != RC_OK
                           ? turn->failed
                           : store->methods->waiting(store, owner, auth, &waiting);
    if (rc != RC_OK) {
        turn->failed = rc;
        return 0;
    }
    for (size_t i = 0; i < turn->batch->calls.count; i++) {
        const struct call *call = &LIST_AT(&turn->batch->calls, struct outbox_call, i)->call;
        waiting += call->auth == auth && slice_equal(call->owner, owner) ? 1 : 0;
    }
    if (turn->ended != NULL && turn->ended->call.auth == auth &&
        slice_equal(turn->ended->call.owner, owner)) {
        waiting--;
    }
    return waiting;
}

int64_t turn_waiting(struct turn *turn, struct slice owner, enum call_auth auth)
{
    const int kind = auth == CALL_AUTH_OWNER ? 0 : (int)auth;
    const uint32_t question = journal_question("waiting", kind, owner, SLICE_EMPTY);
    int64_t waiting = 0;
    if (!journal_answer_count(turn, question, &waiting)) {
        waiting = count_waiting(turn, owner, auth);
        journal_note_count(turn, question, waiting);
    }
    return waiting;
}

/* Not more than this. */
static int64_t bound_waiting(struct turn *turn)
{
    struct store *store = turn->engine->options.store;
    struct batch *batch = turn->batch;
    if (batch->all_waiting < 0 && turn->failed == RC_OK) {
        turn->failed = store->methods->all_waiting(store, &batch->all_waiting);
    }
    return batch->all_waiting + (int64_t)batch->calls.count;
}

bool turn_has_waiting(struct turn *turn, struct slice owner, enum call_auth auth, int64_t at_least)
{
    /* asked again when the turn has declared more, it may have another answer */
    const int kind = (int)auth + AUTHS_MAX * (int)turn->calls;
    const uint32_t question = journal_question("crowd", kind, owner, SLICE_EMPTY);
    bool has = false;
    if (!journal_answer_yes(turn, question, &has)) {
        has = bound_waiting(turn) >= at_least && count_waiting(turn, owner, auth) >= at_least;
        if (has) {
            journal_note_count(turn, question, 1);
        }
    }
    return has && turn->failed == RC_OK;
}
