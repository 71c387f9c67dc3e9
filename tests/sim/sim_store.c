/* The store of the simulated process: in memory or SQLite, behind a front that holds commits back,
 * lets them fail, and looks at all that is written. */
#include "tests/sim/sim.h"

#include "actors/room/room_post.h"
#include "db/store_sqlite.h"
#include "runtime/base/limits.h"
#include "runtime/daemon/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ROWS_MAX = 4096,
    STATE_BYTES_MAX = 16 * 1024,
    PATH_BYTES = 128,
};

/* A call in the outbox. */
struct sim_row {
    int64_t id;
    int kind;
    struct slice key;
    int purpose;
    struct slice life; /* of a post or a look: the bridging that declared it */
    bool is_counted;   /* among those that wait for their owner */
};

struct sim_store {
    struct store store; /* first, so that the methods find it */
    struct sim *sim;
    struct store *inner;
    /* the commit that is held */
    const struct store_batch *batch;
    void (*done)(void *context, enum rc rc);
    void *context;
    enum rc rc;
    bool is_pending;
    enum rc fail_next;
    struct sim_row rows[ROWS_MAX];
    size_t rows_count;
    char folder[PATH_BYTES]; /* of the SQLite file; empty: in memory */
};

static struct sim_store *front_of(struct store *store)
{
    return (struct sim_store *)store;
}

static struct store *inner_of(struct store *store)
{
    return front_of(store)->inner;
}

/* What is written */

static void expect_no_token(struct slice text, const char *what)
{
    ck_assert_msg(slice_find(text, SLICE("token-")) == text.len, "a token is stored in %s", what);
}

static void look_at_actor(const struct store_actor *actor)
{
    ck_assert_msg(actor->body.len <= STATE_BYTES_MAX, "%.*s has grown to %zu bytes",
                  SLICE_ARGS(actor->key), actor->body.len);
    expect_no_token(actor->key, "a key");
    expect_no_token(actor->body, "a state");
    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++) {
        expect_no_token(actor->columns[i], "a column");
    }
}

static void look_at_call(const struct outbox_call *row)
{
    const struct slice texts[] = {row->actor_key,   row->call.lane,      row->call.owner,
                                  row->call.method, row->call.path,      row->call.body,
                                  row->call.ref,    row->call.after_lane};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect_no_token(texts[i], "a call");
    }
    ck_assert_uint_le(row->call.body.len, CALL_BODY_BYTES_MAX);
}

static void look_at(const struct store_batch *batch)
{
    for (size_t i = 0; i < batch->actors_count; i++) {
        look_at_actor(&batch->actors[i]);
    }
    for (size_t i = 0; i < batch->relations_count; i++) {
        expect_no_token(batch->relations[i].right, "a relation");
        expect_no_token(batch->relations[i].value, "a relation");
    }
    for (size_t i = 0; i < batch->calls_count; i++) {
        look_at_call(&batch->calls[i]);
    }
}

static bool is_post(int purpose)
{
    return purpose == MSG_ROOM_POST_ENDED || purpose == MSG_ROOM_LOOK_ENDED;
}

static struct slice life_of(const struct outbox_call *row)
{
    return is_post(row->call.purpose) ? room_post_read(row->call.ref).life : SLICE_EMPTY;
}

static void keep_rows(struct sim_store *front, const struct store_batch *batch)
{
    struct arena *arena = front->sim->world.arena;
    for (size_t i = 0; i < batch->relations_count; i++) {
        const struct store_relation *relation = &batch->relations[i];
        if (relation->relation == RELATION_MESSAGE_MAP && !relation->is_gone) {
            sim_note_claim(front->sim, relation->right, relation->value);
        }
    }
    for (size_t i = 0; i < batch->calls_count; i++) {
        const struct outbox_call *row = &batch->calls[i];
        sim_note_look(front->sim, row);
        ck_assert_uint_lt(front->rows_count, ROWS_MAX);
        front->rows[front->rows_count++] = (struct sim_row){
            row->id,
            row->actor_kind,
            arena_copy(arena, row->actor_key),
            row->call.purpose,
            arena_copy(arena, life_of(row)),
            row->call.auth == CALL_AUTH_OWNER || row->call.auth == CALL_AUTH_APPSERVICE};
    }
    for (size_t i = 0; i < batch->ended_count; i++) {
        for (size_t k = 0; k < front->rows_count; k++) {
            if (front->rows[k].id == batch->ended[i]) {
                front->rows[k] = front->rows[--front->rows_count];
                break;
            }
        }
    }
}

size_t sim_store_calls(const struct sim *sim, const struct actor_ref *ref)
{
    const struct sim_store *front = sim->store;
    size_t count = 0;
    for (size_t i = 0; i < front->rows_count; i++) {
        const struct sim_row *row = &front->rows[i];
        const bool is_of =
            ref == NULL || (row->kind == ref->kind && slice_equal(row->key, ref->key));
        count += is_of ? 1 : 0;
    }
    return count;
}

size_t sim_store_counted(const struct sim *sim)
{
    size_t count = 0;
    for (size_t i = 0; i < sim->store->rows_count; i++) {
        count += sim->store->rows[i].is_counted ? 1 : 0;
    }
    return count;
}

size_t sim_store_posts(const struct sim *sim, struct slice room, struct slice life)
{
    const struct sim_store *front = sim->store;
    size_t count = 0;
    for (size_t i = 0; i < front->rows_count; i++) {
        const struct sim_row *row = &front->rows[i];
        count += row->kind == ACTOR_ROOM && is_post(row->purpose) && slice_equal(row->key, room) &&
                         slice_equal(row->life, life)
                     ? 1
                     : 0;
    }
    return count;
}

/* Commits */

static void front_commit(struct store *store,
                         const struct store_batch *batch,
                         void (*done)(void *context, enum rc rc),
                         void *context)
{
    struct sim_store *front = front_of(store);
    ck_assert_ptr_null(front->batch);
    look_at(batch);
    front->batch = batch;
    front->done = done;
    front->context = context;
}

static void inner_is_done(void *context, enum rc rc)
{
    struct sim_store *front = context;
    front->rc = rc;
    front->is_pending = true;
}

static void poll_inner(const struct sim_store *front)
{
    if (front->folder[0] != '\0') {
        store_sqlite_wait(front->inner);
        store_sqlite_poll(front->inner);
    } else {
        store_memory_poll(front->inner);
    }
}

static void hold(struct store *store, bool is_held)
{
    (void)store; /* always, until finish */
    (void)is_held;
}

static void finish(struct store *store)
{
    struct sim_store *front = front_of(store);
    const struct store_batch *batch = front->batch;
    if (batch == NULL) {
        return;
    }
    front->batch = NULL;
    if (front->fail_next != RC_OK) {
        inner_is_done(front, front->fail_next);
        front->fail_next = RC_OK;
        return;
    }
    front->inner->methods->commit(front->inner, batch, inner_is_done, front);
    poll_inner(front);
    ck_assert(front->is_pending);
    ck_assert_int_eq(front->rc, RC_OK);
    keep_rows(front, batch);
}

static void front_hold(struct store *store, bool is_held)
{
    struct store *inner = inner_of(store);
    if (inner->methods->hold != NULL) {
        inner->methods->hold(inner, is_held);
    }
}

static void front_abandon(struct store *store)
{
    front_of(store)->batch = NULL;
    front_of(store)->is_pending = false;
}

static void report(struct store *store)
{
    struct sim_store *front = front_of(store);
    if (front->is_pending) {
        front->is_pending = false;
        front->done(front->context, front->rc);
    }
}

void sim_fail_commit(struct sim *sim, enum rc rc)
{
    sim->store->fail_next = rc;
}

/* Reads */

static enum rc front_next_turn(struct store *store, int64_t *turn)
{
    return inner_of(store)->methods->next_turn(inner_of(store), turn);
}

static enum rc front_last_ms(struct store *store, int64_t *ms)
{
    return inner_of(store)->methods->last_ms(inner_of(store), ms);
}

static enum rc front_load(
    struct store *store, int kind, struct slice key, struct arena *arena, struct store_actor *out)
{
    return inner_of(store)->methods->load(inner_of(store), kind, key, arena, out);
}

static enum rc front_find(struct store *store,
                          int kind,
                          int column,
                          struct slice value,
                          struct arena *arena,
                          struct store_found *out,
                          size_t max,
                          size_t *count)
{
    return inner_of(store)->methods->find(inner_of(store), kind, column, value, arena, out, max,
                                          count);
}

static enum rc front_list(struct store *store,
                          int kind,
                          struct slice after,
                          struct arena *arena,
                          struct store_found *out,
                          size_t max,
                          size_t *count)
{
    return inner_of(store)->methods->list(inner_of(store), kind, after, arena, out, max, count);
}

static enum rc front_related(struct store *store,
                             enum relation relation,
                             struct slice left,
                             struct slice right,
                             struct arena *arena,
                             struct slice *value)
{
    return inner_of(store)->methods->related(inner_of(store), relation, left, right, arena, value);
}

static enum rc front_related_by_value(struct store *store,
                                      enum relation relation,
                                      struct slice left,
                                      struct slice value,
                                      struct arena *arena,
                                      struct slice *right)
{
    return inner_of(store)->methods->related_by_value(inner_of(store), relation, left, value, arena,
                                                      right);
}

static enum rc front_relations(struct store *store,
                               enum relation relation,
                               struct slice left,
                               struct slice after,
                               struct arena *arena,
                               struct slice *out,
                               size_t max,
                               size_t *count)
{
    return inner_of(store)->methods->relations(inner_of(store), relation, left, after, arena, out,
                                               max, count);
}

static enum rc front_seen(struct store *store, struct slice event_id)
{
    return inner_of(store)->methods->seen(inner_of(store), event_id);
}

static enum rc front_due(struct store *store,
                         int64_t now_ms,
                         struct arena *arena,
                         struct store_actor *out,
                         size_t max,
                         size_t *count)
{
    return inner_of(store)->methods->due(inner_of(store), now_ms, arena, out, max, count);
}

static enum rc front_next_deadline(struct store *store, int64_t after_ms, int64_t *deadline_ms)
{
    return inner_of(store)->methods->next_deadline(inner_of(store), after_ms, deadline_ms);
}

static enum rc front_lane_heads(struct store *store,
                                struct slice after,
                                struct arena *arena,
                                struct outbox_call *out,
                                size_t max,
                                size_t *count)
{
    return inner_of(store)->methods->lane_heads(inner_of(store), after, arena, out, max, count);
}

static enum rc front_lane_head(struct store *store,
                               struct slice lane,
                               struct arena *arena,
                               struct outbox_call *out)
{
    return inner_of(store)->methods->lane_head(inner_of(store), lane, arena, out);
}

static enum rc front_lane_find(struct store *store,
                               struct slice lane,
                               struct slice ref,
                               struct arena *arena,
                               int64_t *out,
                               size_t max,
                               size_t *count)
{
    return inner_of(store)->methods->lane_find(inner_of(store), lane, ref, arena, out, max, count);
}

static enum rc
front_waiting(struct store *store, struct slice owner, enum call_auth auth, int64_t *calls)
{
    return inner_of(store)->methods->waiting(inner_of(store), owner, auth, calls);
}

static enum rc front_all_waiting(struct store *store, int64_t *calls)
{
    return inner_of(store)->methods->all_waiting(inner_of(store), calls);
}

static enum rc front_mark_clean(struct store *store)
{
    return inner_of(store)->methods->mark_clean(inner_of(store));
}

static enum rc front_take_clean_mark(struct store *store, bool *was_clean)
{
    return inner_of(store)->methods->take_clean_mark(inner_of(store), was_clean);
}

/* Opening */

static struct store *open_inner(const struct sim_store *front)
{
    struct store *inner = NULL;
    struct slice error = SLICE_EMPTY;
    if (front->folder[0] == '\0') {
        return store_memory_open(store_tables(), ACTOR_KINDS);
    }
    const struct store_sqlite_options options = {
        .path = arena_printf(front->sim->scratch, "%s/database.sqlite", front->folder),
        .tables = store_tables(),
        .tables_count = ACTOR_KINDS,
        .purposes = message_names(),
        .purposes_count = MSG_KINDS,
        .secret_key = SLICE("a key for the simulator"),
    };
    const enum rc rc = store_sqlite_open(&options, front->sim->scratch, &inner, &error);
    ck_assert_msg(rc == RC_OK, "%s: %.*s", rc_name(rc), SLICE_ARGS(error));
    return inner;
}

static void front_close(struct store *store)
{
    inner_of(store)->methods->close(inner_of(store));
    free(store);
}

static const struct store_methods front_methods = {
    .close = front_close,
    .next_turn = front_next_turn,
    .last_ms = front_last_ms,
    .load = front_load,
    .find = front_find,
    .list = front_list,
    .related = front_related,
    .related_by_value = front_related_by_value,
    .relations = front_relations,
    .seen = front_seen,
    .due = front_due,
    .next_deadline = front_next_deadline,
    .lane_heads = front_lane_heads,
    .lane_head = front_lane_head,
    .lane_find = front_lane_find,
    .waiting = front_waiting,
    .all_waiting = front_all_waiting,
    .commit = front_commit,
    .mark_clean = front_mark_clean,
    .take_clean_mark = front_take_clean_mark,
    .hold = front_hold,
    .abandon = front_abandon,
};
_Static_assert(sizeof front_methods == 23 * sizeof(void (*)(void)), "a new method goes here too");

static struct store *crash(struct store *store)
{
    struct sim_store *front = front_of(store);
    front->batch = NULL;
    front->is_pending = false;
    if (front->folder[0] == '\0') {
        store_memory_crash(front->inner);
    } else {
        front->inner->methods->close(front->inner);
        front->inner = open_inner(front);
    }
    return store;
}

static const struct world_store hands = {
    .hold = hold,
    .finish = finish,
    .poll = report,
    .crash = crash,
};

void sim_store_open(struct sim *sim)
{
    struct sim_store *front = calloc(1, sizeof *front);
    ck_assert_ptr_nonnull(front);
    front->store.methods = &front_methods;
    front->sim = sim;
    if (sim->is_on_disk) {
        const char *parent = getenv("TMPDIR");
        (void)snprintf(front->folder, sizeof front->folder, "%s/gitterd-sim-XXXXXX",
                       parent == NULL ? "/tmp" : parent);
        ck_assert_ptr_nonnull(mkdtemp(front->folder));
    }
    front->inner = open_inner(front);
    sim->store = front;
    world_open_on(&sim->world, &front->store, &hands);
}

/* Whatever SQLite has written anywhere in the file. */
static void look_at_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL) {
        return;
    }
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    const size_t len = (size_t)status.st_size;
    const char *bytes = len == 0 ? NULL : mmap(NULL, len, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    ck_assert(bytes != MAP_FAILED);
    ck_assert_msg(len == 0 || memmem(bytes, len, "token-", 6) == NULL, "a token is in %s", path);
    (void)fclose(file);
}

void sim_store_close(struct sim *sim)
{
    static const char *const files[] = {"database.sqlite-wal", "database.sqlite-shm",
                                        "database.sqlite.lock", "database.sqlite"};
    char folder[PATH_BYTES];
    char path[2 * PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "%s", sim->store->folder);
    world_close(&sim->world);
    sim->store = NULL;
    for (size_t i = 0; folder[0] != '\0' && i < sizeof files / sizeof *files; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        look_at_file(path);
        (void)unlink(path);
    }
    if (folder[0] != '\0') {
        (void)rmdir(folder);
    }
}
