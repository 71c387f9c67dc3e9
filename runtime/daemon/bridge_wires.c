/* What goes from one part of the daemon to another. */
#include "actors/user/user.h"
#include "db/secrets.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/daemon/bridge_parts.h"
#include "runtime/daemon/receipts.h"
#include "runtime/log.h"

static struct clock process_clock; /* of the process, as the clocks it reads */

int64_t bridge_now_ms(void *context)
{
    (void)context;
    return clock_tell(&process_clock, clock_read_ms(CLOCK_REALTIME), clock_read_ms(CLOCK_BOOTTIME));
}

static int64_t steady_ms(void *context)
{
    (void)context;
    return clock_read_ms(CLOCK_BOOTTIME);
}

enum rc bridge_begin_clock(const struct bridge *bridge)
{
    struct store *store = bridge->store;
    int64_t last_ms = 0;
    const enum rc rc = store->methods->last_ms(store, &last_ms);
    const int64_t behind_ms = last_ms - bridge_now_ms(NULL);
    if (rc == RC_OK && behind_ms > 0) {
        log_event(bridge->log, LOG_WARN, "clock_was_set_back", LOG_INT("by_ms", behind_ms));
        clock_raise(&process_clock, last_ms, clock_read_ms(CLOCK_BOOTTIME));
    }
    return rc;
}

void bridge_random(void *context, void *out, size_t len)
{
    struct bridge *bridge = context;
    CHECK(secrets_random(bridge->secrets, out, len) == RC_OK);
}

void bridge_post(struct bridge *bridge, int kind, const void *body)
{
    engine_post(bridge->engine, &(struct input){.msg = {kind, body}});
}

/* Tokens */

static struct slice owner_token(void *context, struct slice owner)
{
    struct bridge *bridge = context;
    int state = 0;
    const struct user *user =
        engine_peek(bridge->engine, (struct actor_ref){ACTOR_USER, user_of_owner(owner)}, &state);
    return user == NULL ? SLICE_EMPTY : user_token(user, owner);
}

static void token_refused(void *context, struct slice owner)
{
    const struct msg_owner refused = {.owner = owner};
    bridge_post(context, MSG_TOKEN_REFUSED, &refused);
}

/* Effects of turns */

static void act_calls(void *context, const struct outbox_call *calls, size_t count)
{
    struct bridge *bridge = context;
    courier_add(bridge->courier, calls, count);
}

static void act_ended(void *context, const int64_t *ids, const struct slice *lanes, size_t count)
{
    struct bridge *bridge = context;
    courier_ended(bridge->courier, ids, lanes, count);
}

static void act_answer(void *context, int64_t request, const struct answer *answer)
{
    struct bridge *bridge = context;
    web_answer(bridge->web, request, answer);
}

/* Without a token (sealed under another key, or lost) it is as if Gitter had refused it; without a
 * transport as if it could not be reached. */
static void open_link(struct bridge *bridge, struct slice owner)
{
    const struct transport *transport = &bridge->transport;
    const struct slice token = owner_token(bridge, owner);
    if (token.len > 0 && transport->start != NULL) {
        (void)transport->start(transport->context, owner, token);
        return;
    }
    const struct msg_link_down down = {
        .owner = owner,
        .why = token.len == 0 ? SLICE("REFUSED") : SLICE("UNREACHABLE"),
        .detail = token.len == 0 ? SLICE("no token") : SLICE("no live channel is configured"),
    };
    bridge_post(bridge, MSG_LINK_DOWN, &down);
}

static void act_link(void *context, const struct link_order *order)
{
    struct bridge *bridge = context;
    const struct transport *transport = &bridge->transport;
    if (order->verb == LINK_OPEN) {
        open_link(bridge, order->owner);
    } else if (transport->start == NULL) {
        return;
    } else if (order->verb == LINK_CLOSE) {
        transport->stop(transport->context, order->owner);
    } else if (order->verb == LINK_SUBSCRIBE) {
        transport->subscribe(transport->context, order->owner, order->channel, order->snapshot);
    } else {
        transport->unsubscribe(transport->context, order->owner, order->channel);
    }
}

static void act_order(void *context, const struct order *order)
{
    struct bridge *bridge = context;
    switch (order->verb) {
    case ORDER_RETRY:
        courier_hurry(bridge->courier);
        break;
    case ORDER_AUDIT:
        log_event(bridge->log, LOG_INFO, "admin", LOG_TEXT("by", order->who),
                  LOG_TEXT("command", order->what));
        break;
    case ORDER_READ:
        receipts_move(bridge->receipts, order->who, order->what);
        break;
    }
}

static void act_changed(void *context, struct actor_ref ref)
{
    struct bridge *bridge = context;
    if (ref.kind == ACTOR_USER) {
        courier_wake(bridge->courier, ref.key);
    }
}

static void act_turn(void *context, int64_t turn, struct slice trace)
{
    struct bridge *bridge = context;
    log_event(bridge->log, LOG_DEBUG, "turn", LOG_INT("turn", turn), LOG_TEXT("steps", trace));
}

static bool call_is_sent(void *context, int64_t call_id)
{
    struct bridge *bridge = context;
    return courier_is_sent(bridge->courier, call_id);
}

static bool call_is_undecided(void *context, int64_t call_id)
{
    const struct bridge *bridge = context;
    return engine_is_undecided(bridge->engine, call_id);
}

/* Inputs */

static void
post_ended(void *context, const struct outbox_call *call, const struct call_ended *ended)
{
    struct bridge *bridge = context;
    if (ended->end != CALL_END_DONE) {
        log_event(bridge->log, LOG_WARN, "call_failed",
                  LOG_CSTR("purpose", message_types[call->call.purpose].name),
                  LOG_TEXT("lane", call->call.lane),
                  LOG_BOOL("unknown", ended->end == CALL_END_UNKNOWN),
                  LOG_INT("status", ended->status), LOG_TEXT("detail", ended->detail));
    }
    engine_post(bridge->engine, &(struct input){.msg = {call->call.purpose, ended}, .ended = call});
}

static void link_up(void *context, struct link_id link, struct slice gitter_user)
{
    struct bridge *bridge = context;
    const struct msg_link_up up = {
        .owner = link.owner, .session = link.session, .gitter_user = gitter_user};
    log_event(bridge->log, LOG_INFO, "link_up", LOG_TEXT("owner", link.owner),
              LOG_INT("session", link.session));
    bridge_post(bridge, MSG_LINK_UP, &up);
}

static void link_down(
    void *context, struct link_id link, enum link_end why, struct slice detail, int64_t retry_ms)
{
    struct bridge *bridge = context;
    const struct msg_link_down down = {
        .owner = link.owner,
        .session = link.session,
        .why = slice_from_cstr(link_end_name(why)),
        .detail = detail,
        .retry_ms = retry_ms,
    };
    log_event(bridge->log, why == LINK_END_STOPPED ? LOG_INFO : LOG_WARN, "link_down",
              LOG_TEXT("owner", link.owner), LOG_INT("session", link.session),
              LOG_TEXT("why", down.why), LOG_TEXT("detail", detail));
    bridge_post(bridge, MSG_LINK_DOWN, &down);
}

static void link_subscribed(void *context,
                            struct link_id link,
                            struct slice channel,
                            struct slice snapshot,
                            struct slice error)
{
    const struct msg_link_subscribed subscribed = {
        .owner = link.owner,
        .session = link.session,
        .channel = channel,
        .snapshot = snapshot,
        .error = error,
    };
    bridge_post(context, MSG_LINK_SUBSCRIBED, &subscribed);
}

static void link_record(void *context, struct link_id link, struct slice channel, struct slice data)
{
    const struct msg_link_record record = {
        .owner = link.owner, .session = link.session, .channel = channel, .data = data};
    bridge_post(context, MSG_LINK_RECORD, &record);
}

static void link_gap(void *context, struct link_id link)
{
    struct bridge *bridge = context;
    const struct msg_link gap = {.owner = link.owner, .session = link.session};
    log_event(bridge->log, LOG_WARN, "link_gap", LOG_TEXT("owner", link.owner),
              LOG_INT("session", link.session));
    bridge_post(bridge, MSG_LINK_GAP, &gap);
}

static void act_store(void *context, enum rc rc)
{
    struct bridge *bridge = context;
    if (rc == RC_OK) {
        log_event(bridge->log, LOG_INFO, "database_works");
    } else {
        log_event(bridge->log, LOG_ERROR, "database_fails", LOG_RC("rc", rc),
                  LOG_TEXT("path", bridge->config->database),
                  LOG_CSTR("hint", "nothing is accepted until it works again"));
    }
}

static void act_failed(void *context, const char *message, struct slice whose, enum rc rc)
{
    struct bridge *bridge = context;
    log_event(bridge->log, LOG_ERROR, "turn_failed", LOG_CSTR("message", message),
              LOG_TEXT("whose", whose), LOG_RC("rc", rc));
}

struct engine_effects bridge_effects(struct bridge *bridge)
{
    return (struct engine_effects){
        .context = bridge,
        .calls = act_calls,
        .ended = act_ended,
        .answer = act_answer,
        .link = act_link,
        .order = act_order,
        .changed = act_changed,
        .turn = log_is_on(bridge->log, LOG_DEBUG) ? act_turn : NULL,
        .store = act_store,
        .failed = act_failed,
        .is_sent = call_is_sent,
    };
}

struct link_events bridge_link_events(struct bridge *bridge)
{
    return (struct link_events){
        .context = bridge,
        .on_up = link_up,
        .on_down = link_down,
        .on_subscribed = link_subscribed,
        .on_record = link_record,
        .on_gap = link_gap,
    };
}

void bridge_wire_courier(struct bridge *bridge, struct courier_options *options)
{
    options->post = post_ended;
    options->owner_token = owner_token;
    options->token_refused = token_refused;
    options->is_undecided = call_is_undecided;
    options->random = bridge_random;
    options->now_ms = bridge_now_ms;
    options->steady_ms = steady_ms;
    options->context = bridge;
}
