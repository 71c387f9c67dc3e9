/* The homeserver's transactions: one at a time, again until it is acknowledged; an event may come
 * again in a later one, older by then, redacted, or together with new ones. */
#include "tests/sim/sim.h"

#include "codecs/json.h"
#include "codecs/matrix.h"

#include <inttypes.h>

enum {
    TRANSACTION_EVENTS_MAX = 5,
    DOWN_MS = 40 * 1000,
    CLOCK_MOVE_MS = 3600 * 1000,
};

/* Events */

static struct sim_event *keep(struct sim *sim, struct slice id, struct slice raw)
{
    ck_assert_uint_lt(sim->events_count, SIM_EVENTS_MAX);
    struct sim_event *event = &sim->events[sim->events_count++];
    *event = (struct sim_event){.id = id, .raw = raw, .sent_ms = sim->now_ms};
    return event;
}

void sim_push(struct sim *sim, struct slice id, struct slice raw)
{
    (void)keep(sim, id, raw);
}

static struct slice next_id(struct sim *sim, const char *what)
{
    struct world *world = &sim->world;
    world->ids++;
    return arena_printf(world->arena, "$%s%" PRId64, what, world->ids);
}

/* The members that all events have, without the braces around. */
static struct slice
head(struct sim *sim, struct slice id, const char *type, struct slice room, struct slice sender)
{
    return arena_printf(sim->world.arena,
                        "\"event_id\":\"%.*s\",\"type\":\"%s\",\"room_id\":\"%.*s\","
                        "\"sender\":\"%.*s\"",
                        SLICE_ARGS(id), type, SLICE_ARGS(room), SLICE_ARGS(sender));
}

struct slice
sim_push_content(struct sim *sim, struct slice room, struct slice sender, struct slice content)
{
    const struct slice id = next_id(sim, "said");
    const struct slice members = head(sim, id, "m.room.message", room, sender);
    sim_push(sim, id,
             arena_printf(sim->world.arena, "%.*s,\"content\":%.*s", SLICE_ARGS(members),
                          SLICE_ARGS(content)));
    return id;
}

struct slice
sim_push_redaction(struct sim *sim, struct slice room, struct slice sender, struct slice redacts)
{
    const struct slice id = next_id(sim, "removed");
    const struct slice members = head(sim, id, "m.room.redaction", room, sender);
    sim_push(sim, id,
             arena_printf(sim->world.arena, "%.*s,\"redacts\":\"%.*s\",\"content\":{}",
                          SLICE_ARGS(members), SLICE_ARGS(redacts)));
    return id;
}

void sim_push_member(struct sim *sim, struct slice room, struct slice user, const char *change)
{
    struct slice after = slice_from_cstr(change);
    const struct slice before = slice_cut(&after, '>');
    const struct slice id = next_id(sim, "member");
    const struct slice members = head(sim, id, "m.room.member", room, user);
    keep(sim, id,
         arena_printf(sim->world.arena,
                      "%.*s,\"state_key\":\"%.*s\",\"content\":{\"membership\":\"%.*s\"}",
                      SLICE_ARGS(members), SLICE_ARGS(user), SLICE_ARGS(after)))
        ->before = before;
}

void sim_push_created(struct sim *sim, struct slice room, struct slice marker)
{
    const struct slice id = next_id(sim, "created");
    const struct slice members = head(sim, id, "m.room.create", room, sim->world.settings.bot);
    sim_push(sim, id,
             arena_printf(sim->world.arena,
                          "%.*s,\"state_key\":\"\",\"content\":{\"gitterd.room\":\"%.*s\"}",
                          SLICE_ARGS(members), SLICE_ARGS(marker)));
}

/* As it is pushed now: its age grows, and its time is that of the homeserver's clock. */
static void
print_event(struct sim *sim, struct buf *out, const struct sim_event *event, bool is_redacted)
{
    buf_printf(out, "{%.*s", SLICE_ARGS(event->raw));
    buf_printf(out, ",\"origin_server_ts\":%" PRId64 ",\"unsigned\":{\"age\":%" PRId64,
               event->sent_ms + sim->homeserver_clock_ms,
               sim->now_ms + sim->homeserver_clock_ms - event->sent_ms);
    if (event->before.len > 0) {
        buf_printf(out, ",\"prev_content\":{\"membership\":\"%.*s\"}", SLICE_ARGS(event->before));
    }
    if (is_redacted) {
        BUF_PUT(out, ",\"redacted_because\":{\"type\":\"m.room.redaction\"}");
    }
    BUF_PUT(out, "}}");
}

/* Transactions */

static void event_is_done(void *context, enum rc rc)
{
    struct sim_event *event = context;
    ck_assert_msg(event->waiting > 0, "%.*s is answered twice", SLICE_ARGS(event->id));
    event->waiting--;
    if (rc == RC_OK) {
        struct store *store = event->sim->world.store;
        ck_assert_msg(store->methods->seen(store, event->id) == RC_OK,
                      "%.*s is acknowledged before it is stored", SLICE_ARGS(event->id));
    }
    event->is_done = event->is_done || rc == RC_OK;
    event->is_failed = rc != RC_OK;
}

static void post_event(struct sim *sim, struct sim_event *event, struct slice raw)
{
    const struct msg_event msg = {.raw = raw};
    struct json *json = NULL;
    ck_assert_int_eq(json_parse_outline(sim->world.arena, raw, 2, &json), RC_OK);
    ck_assert(slice_equal(json_get_text(json, SLICE("event_id")), event->id));
    event->sim = sim;
    event->is_failed = false;
    event->waiting++;
    engine_post(sim->world.engine, &(struct input){
                                       .msg = {MSG_MATRIX_EVENT, &msg},
                                       .event_id = event->id,
                                       .done = event_is_done,
                                       .context = event,
                                       .is_repeatable = true,
                                   });
}

/* The events from `first` on, as one body; a redacted one is never new to the bridge. */
static void post_transaction(struct sim *sim, size_t first, size_t end, size_t redacted)
{
    struct matrix_raw_event *events = NULL;
    size_t count = 0;
    struct buf body;
    buf_init(&body, sim->world.arena);
    BUF_PUT(&body, "{\"events\":[");
    for (size_t i = first; i < end; i++) {
        buf_printf(&body, "%s", i > first ? "," : "");
        print_event(sim, &body, &sim->events[i], i == redacted);
    }
    BUF_PUT(&body, "]}");
    ck_assert_int_eq(matrix_transaction_split(sim->world.arena, buf_slice(&body), &events, &count),
                     RC_OK);
    ck_assert_uint_eq(count, end - first);
    for (size_t i = 0; i < count; i++) {
        post_event(sim, &sim->events[first + i], events[i].raw);
    }
}

/* Its answer was lost, or the homeserver begins anew with what it has on disk. */
static void repeat(struct sim *sim)
{
    const size_t end = sim->events_sent;
    size_t first = sim->events_next;
    if (sim_chance(sim, 20) && first > 0) { /* from long ago */
        first -= (size_t)sim_random(sim, first < 30 ? first : 30);
    }
    const size_t redacted =
        sim_chance(sim, 20) ? first + (size_t)sim_random(sim, end - first) : SIZE_MAX;
    const size_t waiting = sim->events_count - end;
    const size_t more =
        waiting > 0 && sim_chance(sim, 40)
            ? (size_t)sim_random(sim, waiting < TRANSACTION_EVENTS_MAX ? waiting
                                                                       : TRANSACTION_EVENTS_MAX)
            : 0;
    sim->events_sent += more;
    post_transaction(sim, first, sim->events_sent, redacted);
}

static bool is_acknowledged(const struct sim *sim, bool *is_failed)
{
    bool is_done = true;
    *is_failed = false;
    for (size_t i = sim->events_next; i < sim->events_sent; i++) {
        is_done = is_done && sim->events[i].is_done;
        *is_failed = *is_failed || sim->events[i].is_failed;
    }
    return is_done;
}

void sim_deliver_events(struct sim *sim)
{
    bool is_failed = false;
    if (sim->homeserver_down_until_ms > sim->now_ms) {
        return;
    }
    if (!is_acknowledged(sim, &is_failed)) {
        if (is_failed) {
            post_transaction(sim, sim->events_next, sim->events_sent, SIZE_MAX);
        }
        return;
    }
    if (sim->events_sent > sim->events_next && sim_strikes(sim, SIM_REPEATED)) {
        repeat(sim);
        return;
    }
    const size_t waiting = sim->events_count - sim->events_sent;
    sim->events_next = sim->events_sent;
    if (waiting > 0) {
        const size_t most = waiting < TRANSACTION_EVENTS_MAX ? waiting : TRANSACTION_EVENTS_MAX;
        sim->events_sent += 1 + (size_t)sim_random(sim, most);
        post_transaction(sim, sim->events_next, sim->events_sent, SIZE_MAX);
    }
}

void sim_forget_answers(struct sim *sim)
{
    for (size_t i = 0; i < sim->events_count; i++) {
        sim->events[i].waiting = 0;
        sim->events[i].is_failed = !sim->events[i].is_done;
    }
}

/* What it knew of transaction ids is gone, and what was under way comes again. */
void sim_restart_homeserver(struct sim *sim)
{
    struct peers *peers = &sim->world.peers;
    for (size_t i = 0; i < peers->events_count; i++) {
        peers->events[i].txn = SLICE("(forgotten)");
    }
    sim->forgotten_at = peers->events_count;
    sim_wire_homeserver_ends(sim);
    sim->homeserver_down_until_ms = sim->now_ms + sim_random_ms(sim, DOWN_MS);
    sim->homeserver_clock_ms += sim_random_ms(sim, 2 * CLOCK_MOVE_MS) - CLOCK_MOVE_MS;
    for (size_t i = sim->events_next; i < sim->events_sent; i++) {
        sim->events[i].is_failed = !sim->events[i].is_done;
    }
}
