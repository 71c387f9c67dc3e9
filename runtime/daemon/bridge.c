#include "runtime/daemon/bridge.h"

#include "db/store_sqlite.h"
#include "runtime/base/check.h"
#include "runtime/daemon/bridge_parts.h"
#include "runtime/log.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SCRATCH_BYTES = 16 * 1024,
    /* What is under way after a SIGTERM may take this long; what is not done then is in the outbox.
     */
    DRAIN_MS = 10 * 1000,
    DRAIN_LOOK_MS = 50,
};

/* The loop: turns run from its prepare phase, never inside a library's callback. */

static void set_timer(struct bridge *bridge)
{
    const int64_t next_ms = engine_next_ms(bridge->engine);
    ev_timer_stop(bridge->loop, &bridge->timer);
    if (next_ms != 0) {
        const int64_t wait_ms = next_ms - bridge_now_ms(NULL);
        ev_timer_set(&bridge->timer, wait_ms > 0 ? (double)wait_ms / 1000.0 : 0.001, 0.0);
        ev_timer_start(bridge->loop, &bridge->timer);
    }
}

static void on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    struct bridge *bridge = watcher->data;
    (void)events;
    bool is_busy = engine_run(bridge->engine);
    if (store_sqlite_is_pending(bridge->store)) {
        store_sqlite_poll(bridge->store);
        is_busy = true;
    }
    if (is_busy) {
        ev_idle_start(loop, &bridge->idle);
    } else {
        ev_idle_stop(loop, &bridge->idle);
        set_timer(bridge);
    }
}

static void on_idle(struct ev_loop *loop, ev_idle *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events; /* it is enough that the loop woke: on_prepare does the rest */
}

static void on_committed(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events; /* likewise */
}

static bool is_drained(const struct bridge *bridge)
{
    return engine_is_quiet(bridge->engine) && courier_is_idle(bridge->courier) &&
           http_server_is_idle(bridge->appservice_server) &&
           http_server_is_idle(bridge->web_server);
}

static void on_drain(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct bridge *bridge = watcher->data;
    (void)events;
    if (is_drained(bridge) || bridge_now_ms(NULL) >= bridge->drain_until_ms) {
        ev_break(loop, EVBREAK_ALL);
    }
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct bridge *bridge = watcher->data;
    (void)events;
    if (ev_is_active(&bridge->drain)) { /* asked twice: at once */
        ev_break(loop, EVBREAK_ALL);
        return;
    }
    log_event(bridge->log, LOG_INFO, "stopping", LOG_INT("signal", watcher->signum));
    http_server_drain(bridge->appservice_server);
    http_server_drain(bridge->web_server);
    courier_drain(bridge->courier);
    bridge->drain_until_ms = bridge_now_ms(NULL) + DRAIN_MS;
    ev_timer_set(&bridge->drain, 0.0, (double)DRAIN_LOOK_MS / 1000.0);
    ev_timer_start(loop, &bridge->drain);
}

/* Nothing can begin any more: the loop does not run. */
static void say_stopped(const struct bridge *bridge)
{
    const bool is_clean = engine_is_quiet(bridge->engine) && courier_is_clean(bridge->courier) &&
                          bridge->store->methods->mark_clean(bridge->store) == RC_OK;
    log_event(bridge->log, LOG_INFO, "stopped", LOG_BOOL("drained", is_drained(bridge)),
              LOG_BOOL("clean", is_clean));
}

static void start_watchers(struct bridge *bridge)
{
    ev_prepare_init(&bridge->prepare, on_prepare);
    ev_idle_init(&bridge->idle, on_idle);
    ev_timer_init(&bridge->timer, on_timer, 0.0, 0.0);
    ev_timer_init(&bridge->drain, on_drain, 0.0, 0.0);
    ev_async_init(&bridge->committed, on_committed);
    ev_signal_init(&bridge->terminate, on_signal, SIGTERM);
    ev_signal_init(&bridge->interrupt, on_signal, SIGINT);
    bridge->prepare.data = bridge;
    bridge->drain.data = bridge;
    bridge->terminate.data = bridge;
    bridge->interrupt.data = bridge;
    ev_prepare_start(bridge->loop, &bridge->prepare);
    ev_async_start(bridge->loop, &bridge->committed);
    ev_signal_start(bridge->loop, &bridge->terminate);
    ev_signal_start(bridge->loop, &bridge->interrupt);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* more is better, what there is will do */
    }
}

int bridge_run(const struct config *config, bool takes_new_key)
{
    struct bridge bridge = {
        .config = config,
        .takes_new_key = takes_new_key,
        .arena = arena_open(SCRATCH_BYTES),
        .started_ms = bridge_now_ms(NULL),
    };
    enum log_level level = LOG_INFO;
    CHECK(log_level_parse(config->log_level, &level) == RC_OK);
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    (void)signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    bridge.log = log_open(STDERR_FILENO, level, config->is_log_json);
    bridge.loop = ev_default_loop(EVFLAG_AUTO);
    const enum rc rc = bridge_open(&bridge);
    if (rc == RC_OK) {
        start_watchers(&bridge);
        log_event(bridge.log, LOG_INFO, "running", LOG_TEXT("bot", config->bot));
        ev_run(bridge.loop, 0);
        say_stopped(&bridge);
    }
    bridge_close(&bridge);
    log_close(bridge.log);
    arena_close(bridge.arena);
    curl_global_cleanup();
    return rc == RC_OK ? 0 : 1;
}
