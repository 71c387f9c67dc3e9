#include "tests/unit/courier_rig_parts.h"

#include "runtime/base/check.h"

#include <check.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEST_SECONDS_MAX = 20
};

/* The store. */

static enum rc
fake_lane_head(struct store *store, struct slice lane, struct arena *arena, struct outbox_call *out)
{
    struct rig_parts *parts = (struct rig_parts *)(void *)store;
    const struct outbox_call *found = NULL;
    (void)arena;
    if (parts->rig->store_errors > 0) {
        parts->rig->store_errors--;
        return RC_IO;
    }
    for (size_t i = 0; i < parts->rows_count; i++) {
        const struct outbox_call *row = &parts->rows[i];
        if (parts->is_row[i] && slice_equal(row->call.lane, lane) &&
            (found == NULL || row->place < found->place)) {
            found = row;
        }
    }
    if (found == NULL) {
        return RC_ABSENT;
    }
    *out = *found;
    return RC_OK;
}

static enum rc fake_lane_heads(struct store *store,
                               struct slice after,
                               struct arena *arena,
                               struct outbox_call *out,
                               size_t max,
                               size_t *count)
{
    struct rig_parts *parts = (struct rig_parts *)(void *)store;
    for (*count = 0; *count < max; (*count)++) {
        struct slice lane = SLICE_EMPTY;
        for (size_t i = 0; i < parts->rows_count; i++) {
            const struct slice name = parts->rows[i].call.lane;
            if (parts->is_row[i] && slice_compare(name, after) > 0 &&
                (lane.len == 0 || slice_compare(name, lane) < 0)) {
                lane = name;
            }
        }
        if (lane.len == 0) {
            return RC_OK;
        }
        CHECK(fake_lane_head(store, lane, arena, &out[*count]) == RC_OK);
        after = lane;
    }
    return RC_OK;
}

static const struct store_methods fake_methods = {
    .lane_heads = fake_lane_heads,
    .lane_head = fake_lane_head,
};

static int64_t rig_now_ms(void *context)
{
    const struct rig *rig = context;
    return rig->clock_ms != 0 ? rig->clock_ms : (int64_t)(ev_time() * 1000.0);
}

static int64_t add_row(struct rig *rig, struct call call, int64_t place)
{
    struct rig_parts *parts = rig->parts;
    CHECK(parts->rows_count < RIG_ROWS_MAX);
    struct outbox_call *row = &parts->rows[parts->rows_count];
    struct slice *texts[] = {&call.lane, &call.owner, &call.after_lane,   &call.method,
                             &call.path, &call.body,  &call.content_type, &call.ref};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = arena_copy(parts->arena, *texts[i]);
    }
    parts->is_row[parts->rows_count] = true;
    parts->rows_count++;
    *row = (struct outbox_call){
        .id = (int64_t)parts->rows_count,
        .place = place == 0 ? (int64_t)parts->rows_count : place,
        .turn = parts->turn,
        .created_ms = rig_now_ms(rig),
        .actor_key = SLICE("actor"),
        .call = call,
    };
    return row->id;
}

static const struct outbox_call *row_of(const struct rig *rig, int64_t id)
{
    return &rig->parts->rows[id - 1];
}

/* The engine. */

static char *copy_text(struct slice text)
{
    char *copy = strndup(text.len > 0 ? text.ptr : "", text.len);
    CHECK(copy != NULL);
    return copy;
}

static void post_end(void *context, const struct outbox_call *call, const struct call_ended *ended)
{
    struct rig *rig = context;
    rig->ends = reallocarray(rig->ends, rig->ends_count + 1, sizeof(struct rig_end));
    CHECK(rig->ends != NULL);
    rig->ends[rig->ends_count++] = (struct rig_end){
        .id = call->id,
        .place = call->place,
        .end = (enum call_end)ended->end,
        .status = (int)ended->status,
        .body = copy_text(ended->body),
        .detail = copy_text(ended->detail),
        .ref = copy_text(ended->ref),
        .request = copy_text(ended->request),
        .lane = copy_text(call->call.lane),
    };
    if (!rig->holds_ends) {
        ev_timer_set(&rig->parts->commit, 0.0, 0.0);
        ev_timer_start(rig->loop, &rig->parts->commit);
    }
}

void rig_commit(struct rig *rig)
{
    struct rig_parts *parts = rig->parts;
    while (parts->committed < rig->ends_count) {
        const struct rig_end *end = &rig->ends[parts->committed];
        const struct slice lane = row_of(rig, end->id)->call.lane;
        parts->is_row[end->id - 1] = false;
        parts->committed++;
        parts->turn++;
        if (rig->on_end != NULL) {
            rig->on_end(rig, end);
        }
        courier_ended(rig->courier, &end->id, &lane, 1);
    }
}

static void on_commit(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    rig_commit(timer->data);
}

static void on_watchdog(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)timer;
    (void)revents;
    ck_abort_msg("the loop ran too long");
}

static struct slice get_token(void *context, struct slice owner)
{
    struct rig *rig = context;
    (void)owner;
    return slice_from_cstr(rig->token);
}

static void count_refused(void *context, struct slice owner)
{
    struct rig *rig = context;
    (void)owner;
    rig->tokens_refused++;
}

static void get_random(void *context, void *out, size_t len)
{
    (void)context;
    memset(out, 0, len);
}

void rig_script(struct rig *rig, const char *path, struct rig_reply reply)
{
    struct rig_parts *parts = rig->parts;
    CHECK(parts->scripts_count < RIG_SCRIPTS_MAX);
    parts->scripts[parts->scripts_count++] = (struct script){strdup(path), reply, false};
}

struct call rig_call(const char *lane, const char *path)
{
    return (struct call){
        .api = CALL_MATRIX,
        .auth = CALL_AUTH_APPSERVICE,
        .repeat = CALL_REPEAT_FREELY,
        .lane = slice_from_cstr(lane),
        .owner = SLICE("@owner:h"),
        .method = SLICE("POST"),
        .path = slice_from_cstr(path),
        .body = SLICE("{}"),
    };
}

int64_t rig_store(struct rig *rig, struct call call)
{
    rig->parts->turn++;
    return add_row(rig, call, 0);
}

int64_t rig_declare(struct rig *rig, struct call call)
{
    const int64_t id = rig_store(rig, call);
    courier_add(rig->courier, row_of(rig, id), 1);
    return id;
}

void rig_declare_all(struct rig *rig, const struct call *calls, size_t count)
{
    const size_t first = rig->parts->rows_count;
    rig->parts->turn++;
    for (size_t i = 0; i < count; i++) {
        (void)add_row(rig, calls[i], 0);
    }
    courier_add(rig->courier, &rig->parts->rows[first], count);
}

int64_t rig_declare_instead(struct rig *rig, const struct rig_end *end, struct call call)
{
    const int64_t id = add_row(rig, call, end->place);
    courier_add(rig->courier, row_of(rig, id), 1);
    return id;
}

void rig_cancel(struct rig *rig, int64_t id)
{
    const struct slice lane = row_of(rig, id)->call.lane;
    rig->parts->is_row[id - 1] = false;
    courier_ended(rig->courier, &id, &lane, 1);
}

/* Running. */

void rig_run_until(struct rig *rig, bool (*is_done)(const struct rig *rig))
{
    ev_now_update(rig->loop);
    ev_timer_set(&rig->parts->watchdog, TEST_SECONDS_MAX, 0.0);
    ev_timer_start(rig->loop, &rig->parts->watchdog);
    while (!is_done(rig)) {
        ev_run(rig->loop, EVRUN_ONCE);
    }
    ev_timer_stop(rig->loop, &rig->parts->watchdog);
}

void rig_run_ends(struct rig *rig, size_t count)
{
    ev_now_update(rig->loop);
    ev_timer_set(&rig->parts->watchdog, TEST_SECONDS_MAX, 0.0);
    ev_timer_start(rig->loop, &rig->parts->watchdog);
    while (rig->ends_count < count || (!rig->holds_ends && rig->parts->committed < count)) {
        ev_run(rig->loop, EVRUN_ONCE);
    }
    ev_timer_stop(rig->loop, &rig->parts->watchdog);
}

void rig_run_requests(struct rig *rig, size_t count)
{
    ev_now_update(rig->loop);
    ev_timer_set(&rig->parts->watchdog, TEST_SECONDS_MAX, 0.0);
    ev_timer_start(rig->loop, &rig->parts->watchdog);
    while (rig->requests_count < count) {
        ev_run(rig->loop, EVRUN_ONCE);
    }
    ev_timer_stop(rig->loop, &rig->parts->watchdog);
}

void rig_advance(struct rig *rig, int64_t ms)
{
    CHECK(rig->clock_ms != 0);
    rig->clock_ms += ms;
    courier_wake(rig->courier, SLICE("nobody"));
}

static void on_pause_over(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)timer;
    (void)revents;
    ev_break(loop, EVBREAK_ALL);
}

void rig_run_ms(struct rig *rig, int ms)
{
    struct ev_timer timer;
    ev_now_update(rig->loop);
    ev_timer_init(&timer, on_pause_over, (double)ms / 1000.0, 0.0);
    ev_timer_start(rig->loop, &timer);
    ev_run(rig->loop, 0);
    ev_timer_stop(rig->loop, &timer);
}

size_t rig_requests_of(const struct rig *rig, const char *path)
{
    size_t count = 0;
    for (size_t i = 0; i < rig->requests_count; i++) {
        count += strcmp(rig->requests[i].path, path) == 0;
    }
    return count;
}

const struct rig_end *rig_end_of(const struct rig *rig, int64_t id)
{
    for (size_t i = 0; i < rig->ends_count; i++) {
        if (rig->ends[i].id == id) {
            return &rig->ends[i];
        }
    }
    return NULL;
}

/* Opening and closing. */

void rig_open(struct rig *rig)
{
    *rig = (struct rig){.loop = ev_loop_new(EVFLAG_AUTO), .token = "secret", .seed = 1};
    rig->parts = calloc(1, sizeof *rig->parts);
    CHECK(rig->loop != NULL && rig->parts != NULL);
    rig->parts->store.methods = &fake_methods;
    rig->parts->rig = rig;
    rig->parts->arena = arena_open(65536);
    rig->parts->turn = 1;
    ev_timer_init(&rig->parts->commit, on_commit, 0.0, 0.0);
    ev_timer_init(&rig->parts->watchdog, on_watchdog, 0.0, 0.0);
    rig->parts->commit.data = rig;
    rig_server_bind(rig);
    const struct slice base = arena_printf(rig->parts->arena, "http://127.0.0.1:%d",
                                           (int)ntohs(rig->parts->address.sin_port));
    rig->options = (struct courier_options){
        .loop = rig->loop,
        .store = &rig->parts->store,
        .post = post_end,
        .bases = {base, base, base},
        .as_token = SLICE("as-secret"),
        .oauth_key = SLICE("key"),
        .oauth_secret = SLICE("a&b"),
        .user_agent = SLICE("gitterd-test"),
        .owner_token = get_token,
        .token_refused = count_refused,
        .random = get_random,
        .now_ms = rig_now_ms,
        .context = rig,
        .retry_first_ms = 5,
        .retry_last_ms = 20,
    };
}

void rig_start(struct rig *rig)
{
    ck_assert_int_eq(courier_open(&rig->options, &rig->courier), RC_OK);
    ck_assert_int_eq(courier_start(rig->courier, rig->was_clean), RC_OK);
}

void rig_stop(struct rig *rig)
{
    courier_close(rig->courier);
    rig->courier = NULL;
    ev_timer_stop(rig->loop, &rig->parts->commit);
    rig->parts->committed = rig->ends_count;
}

static void free_notes(struct rig *rig)
{
    for (size_t i = 0; i < rig->requests_count; i++) {
        free(rig->requests[i].head);
        free(rig->requests[i].path);
        free(rig->requests[i].body);
    }
    for (size_t i = 0; i < rig->ends_count; i++) {
        free(rig->ends[i].body);
        free(rig->ends[i].detail);
        free(rig->ends[i].ref);
        free(rig->ends[i].request);
        free(rig->ends[i].lane);
    }
    free(rig->requests);
    free(rig->ends);
}

void rig_close(struct rig *rig)
{
    struct rig_parts *parts = rig->parts;
    rig_stop(rig);
    rig_server_close(rig);
    for (size_t i = 0; i < parts->scripts_count; i++) {
        free(parts->scripts[i].path);
    }
    arena_close(parts->arena);
    free_notes(rig);
    free(parts);
    ev_loop_destroy(rig->loop);
}
