#include "runtime/daemon/bridge.h"

#include "codecs/journal_redact.h"
#include "db/secrets.h"
#include "db/store_sqlite.h"
#include "runtime/base/check.h"
#include "runtime/base/limits.h"
#include "runtime/daemon/appservice.h"
#include "runtime/daemon/bridge_parts.h"
#include "runtime/daemon/control.h"
#include "runtime/daemon/hello.h"
#include "runtime/daemon/journal_settings.h"
#include "runtime/daemon/metrics.h"
#include "runtime/daemon/receipts.h"
#include "runtime/daemon/report.h"
#include "runtime/daemon/status.h"
#include "runtime/daemon/tables.h"
#include "runtime/daemon/version.h"
#include "runtime/log.h"
#include "runtime/streams.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SCRATCH_BYTES = 16 * 1024,
    FEEDS_PAGE = 256,
    /* What is under way after a SIGTERM may take this long; what is not done then is in the outbox.
     */
    DRAIN_MS = 10 * 1000,
    DRAIN_LOOK_MS = 50,
    DAY_MS = 24 * 3600 * 1000,
    MEGABYTE = 1000 * 1000,
    JOURNAL_SECTIONS = 32, /* as one goes, so much of it is of no use to a replay */
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
    (void)events; /* it is enough that the loop woke: prepare does the rest */
}

static void on_committed(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events; /* as above */
}

static void wake_loop(void *context)
{
    struct bridge *bridge = context;
    ev_async_send(bridge->loop, &bridge->committed);
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

/* Opening, in the order of need */

static enum rc fail(const struct bridge *bridge, enum rc rc, const char *what, struct slice detail)
{
    if (rc != RC_OK) {
        (void)fprintf(stderr, "gitterd: %s: %s%s%.*s\n", what, rc_text(rc),
                      detail.len > 0 ? ": " : "", SLICE_ARGS(detail));
    }
    (void)bridge;
    return rc;
}

static enum rc open_store(struct bridge *bridge)
{
    struct slice error = SLICE_EMPTY;
    const struct store_sqlite_options options = {
        .path = bridge->config->database,
        .tables = store_tables(),
        .tables_count = ACTOR_KINDS,
        .purposes = message_names(),
        .purposes_count = MSG_KINDS,
        .secret_key = bridge->config->unique_secret_key,
        .takes_new_key = bridge->takes_new_key,
        .journal = {.age_ms = bridge->config->journal_days * DAY_MS,
                    .bytes_max = bridge->config->journal_megabytes * MEGABYTE,
                    .empty = journal_empty},
        .wake = wake_loop,
        .wake_context = bridge,
    };
    enum rc rc = secrets_open(bridge->config->unique_secret_key, &bridge->secrets);
    if (rc == RC_OK) {
        rc = store_sqlite_open(&options, bridge->arena, &bridge->store, &error);
    }
    return fail(bridge, rc, "cannot open the database", error);
}

static enum rc open_engine(struct bridge *bridge)
{
    const struct config *config = bridge->config;
    unsigned char random[6];
    bridge->settings = (struct settings){
        .domain = config->matrix_homeserver_domain,
        .bot = config->bot,
        .login_url = config->gitter_login_url,
        .gitter_url = config->gitter_url,
        .oauth_key = config->gitter_oauth_key,
        .login_invites_max = config->login_invites_max,
        .room_members_max = config->room_members_max,
        .owner_outbox_max = config->owner_outbox_max,
        .owner_incoming_max = config->owner_outbox_max,
        .owner_rooms_max = config->owner_rooms_max,
        .catch_up_messages = config->catch_up_messages,
        .is_login_https = slice_starts_with(config->gitter_login_url, SLICE("https:")),
        .is_permitted = config_is_permitted,
        .is_admin = config_is_admin,
        .makes_spaces = config->spaces != 0,
        .shows_avatars = config->avatars != 0,
        .permissions = config,
        .version = SLICE(GITTERD_VERSION),
    };
    bridge->application = (struct application){
        .machines = machines,
        .machines_count = ACTOR_KINDS,
        .messages = message_types,
        .messages_count = MSG_KINDS,
        .route = router_route,
        .settings = &bridge->settings,
    };
    bridge_random(bridge, random, sizeof random);
    bridge->veil = journal_veil(bridge->secrets);
    const struct journal_options journal = {
        .veil = &bridge->veil,
        .settings = journal_settings_pack(bridge->arena, &bridge->settings, config),
        .section_bytes = config->journal_megabytes * MEGABYTE / JOURNAL_SECTIONS,
        .section_ms = config->journal_days * DAY_MS / JOURNAL_SECTIONS,
    };
    const struct engine_options options = {
        .application = &bridge->application,
        .store = bridge->store,
        .effects = bridge_effects(bridge),
        .now_ms = bridge_now_ms,
        .random = bridge_random,
        .context = bridge,
        .epoch = arena_printf(bridge->arena, "%02x%02x%02x%02x%02x%02x", random[0], random[1],
                              random[2], random[3], random[4], random[5]),
        .journal = config->journal_days > 0 ? &journal : NULL,
    };
    return fail(bridge, engine_open(&options, &bridge->engine), "cannot read the database",
                SLICE_EMPTY);
}

static const struct slice user_agent = SLICE_INIT("gitterd");

static enum rc open_courier(struct bridge *bridge)
{
    const struct config *config = bridge->config;
    struct courier_options options = {
        .loop = bridge->loop,
        .log = bridge->log,
        .store = bridge->store,
        .bases = {[CALL_MATRIX] = config->matrix_homeserver_url,
                  [CALL_GITTER] = config->gitter_api_url,
                  [CALL_GITTER_WEB] = config->gitter_url},
        .as_token = config->matrix_appservice_token,
        .oauth_key = config->gitter_oauth_key,
        .oauth_secret = config->gitter_oauth_secret,
        .user_agent = user_agent,
        .ca_file = config->ca_file,
        .age_max_ms = config->message_age_max * 1000,
    };
    bridge_wire_courier(bridge, &options);
    return fail(bridge, courier_open(&options, &bridge->courier), "cannot set up outgoing calls",
                SLICE_EMPTY);
}

/* Larger than those of every process before, since rooms remember theirs. */
static int64_t first_session(void)
{
    return bridge_now_ms(NULL);
}

static enum rc open_faye(struct bridge *bridge)
{
    const struct links_options options = {
        .loop = bridge->loop,
        .faye_url = bridge->config->gitter_faye_url,
        .session_first = first_session(),
        .ca_file = bridge->config->ca_file,
        .events = bridge_link_events(bridge),
    };
    struct links *links = NULL;
    const enum rc rc = links_open(&options, &links);
    if (rc == RC_OK) {
        bridge->transport = links_transport(links);
    }
    return fail(bridge, rc, "gitter_faye_url", bridge->config->gitter_faye_url);
}

static enum rc open_streams(struct bridge *bridge)
{
    const struct streams_options options = {
        .loop = bridge->loop,
        .log = bridge->log,
        .stream_url = bridge->config->gitter_stream_url,
        .user_agent = user_agent,
        .ca_file = bridge->config->ca_file,
        .session_first = first_session(),
        .random = bridge_random,
        .random_context = bridge,
        .events = bridge_link_events(bridge),
    };
    struct streams *streams = NULL;
    const enum rc rc = streams_open(&options, &streams);
    if (rc == RC_OK) {
        bridge->transport = streams_transport(streams);
    }
    return fail(bridge, rc, "gitter_stream_url", bridge->config->gitter_stream_url);
}

static enum rc open_links(struct bridge *bridge)
{
    if (bridge->config->gitter_faye_url.len > 0) {
        return open_faye(bridge);
    }
    if (bridge->config->gitter_stream_url.len > 0) {
        return open_streams(bridge);
    }
    log_event(
        bridge->log, LOG_WARN, "no_live_channel",
        LOG_CSTR("hint",
                 "gitter_faye_url and gitter_stream_url are empty: rooms are read twice a minute"));
    return RC_OK;
}

static enum rc listen_for(struct bridge *bridge,
                          const char *what,
                          const struct http_server_options *options,
                          struct http_server **server)
{
    const enum rc rc = http_server_open(options, server);
    if (rc == RC_OK) {
        log_event(bridge->log, LOG_INFO, "listening", LOG_CSTR("for", what),
                  LOG_TEXT("bind", options->bind), LOG_INT("port", http_server_port(*server)));
    }
    return fail(bridge, rc, "cannot listen",
                arena_printf(bridge->arena, "%s, %.*s port %d", what, SLICE_ARGS(options->bind),
                             options->port));
}

static enum rc open_servers(struct bridge *bridge)
{
    const struct config *config = bridge->config;
    const struct appservice_options appservice = {
        .engine = bridge->engine,
        .log = bridge->log,
        .hs_token = config->matrix_homeserver_token,
        .domain = config->matrix_homeserver_domain,
        .bot = config->bot,
        .is_legacy = config->matrix_legacy_api != 0,
    };
    /* ids of one process: fewer than 2^20 requests a millisecond */
    const struct web_options web = {
        .engine = bridge->engine,
        .log = bridge->log,
        .first_request = bridge_now_ms(NULL) << 20,
        .site = {config->bot, config->gitter_login_url, config->gitter_url},
        .rate = config->gitter_login_rate,
        .proxies = config->gitter_login_proxies.items,
        .proxies_count = config->gitter_login_proxies.count,
        .now_ms = bridge_now_ms,
    };
    bridge->appservice = appservice_open(&appservice);
    bridge->web = web_open(&web);
    struct http_server_options options = {
        .loop = bridge->loop,
        .log = bridge->log,
        .bind = config->matrix_appservice_bind,
        .port = (int)config->matrix_appservice_port,
        .tls_certificate = config->tls_certificate.ptr,
        .tls_key = config->tls_key.ptr,
        .handler = appservice_handler(bridge->appservice),
    };
    enum rc rc = listen_for(bridge, "homeserver", &options, &bridge->appservice_server);
    if (rc != RC_OK) {
        return rc;
    }
    options.bind = config->gitter_login_bind;
    options.port = (int)config->gitter_login_port;
    options.handler = web_handler(bridge->web);
    rc = listen_for(bridge, "browsers", &options, &bridge->web_server);
    if (rc == RC_OK) {
        appservice_serve(bridge->appservice, bridge->appservice_server);
        web_serve(bridge->web, bridge->web_server);
    }
    return rc;
}

static enum rc open_metrics(struct bridge *bridge)
{
    const struct config *config = bridge->config;
    if (config->metrics_port == 0) {
        return RC_OK;
    }
    bridge->metrics = metrics_open(bridge);
    const struct http_server_options options = {
        .loop = bridge->loop,
        .log = bridge->log,
        .bind = config->metrics_bind,
        .port = (int)config->metrics_port,
        .handler = metrics_handler(bridge->metrics),
    };
    const enum rc rc = listen_for(bridge, "metrics", &options, &bridge->metrics_server);
    if (rc == RC_OK) {
        metrics_serve(bridge->metrics, bridge->metrics_server);
    }
    return rc;
}

static struct slice report(void *context, struct arena *arena)
{
    return report_json(context, arena);
}

/* People can do without it: no reason not to run. */
static enum rc open_control(struct bridge *bridge)
{
    const struct control_options options = {
        .loop = bridge->loop,
        .path = status_socket(bridge->arena, bridge->config),
        .report = report,
        .context = bridge,
    };
    const enum rc rc = control_open(&options, &bridge->control);
    if (rc != RC_OK) {
        log_event(bridge->log, LOG_WARN, "no_control_socket", LOG_TEXT("path", options.path),
                  LOG_RC("rc", rc));
    }
    return RC_OK;
}

/* Rooms are compared, and every feed that had a link wants it again. */
static enum rc resume(struct bridge *bridge)
{
    struct store_found page[FEEDS_PAGE];
    struct slice after = SLICE_EMPTY;
    size_t count = 0;
    bridge_post(bridge, MSG_STARTED, &nothing);
    do {
        struct arena *arena = arena_open(SCRATCH_BYTES);
        const enum rc rc = bridge->store->methods->list(bridge->store, ACTOR_FEED, after, arena,
                                                        page, FEEDS_PAGE, &count);
        if (rc != RC_OK) {
            arena_close(arena);
            return fail(bridge, rc, "cannot read the feeds", SLICE_EMPTY);
        }
        for (size_t i = 0; i < count; i++) {
            const struct msg_owner owner = {.owner = page[i].key};
            bridge_post(bridge, MSG_FEED_RESTARTED, &owner);
        }
        after = count > 0 ? arena_copy(bridge->arena, page[count - 1].key) : SLICE_EMPTY;
        arena_close(arena);
    } while (count == FEEDS_PAGE);
    return RC_OK;
}

static enum rc open_hello(struct bridge *bridge)
{
    const struct hello_options options = {
        .loop = bridge->loop,
        .log = bridge->log,
        .homeserver_url = bridge->config->matrix_homeserver_url,
        .as_token = bridge->config->matrix_appservice_token,
        .bot = bridge->config->bot,
        .bot_localpart = bridge->config->matrix_botname,
        .ca_file = bridge->config->ca_file,
    };
    return fail(bridge, hello_open(&options, &bridge->hello), "cannot set up outgoing calls",
                SLICE_EMPTY);
}

static enum rc open_receipts(struct bridge *bridge)
{
    const struct receipts_options options = {
        .loop = bridge->loop,
        .homeserver_url = bridge->config->matrix_homeserver_url,
        .as_token = bridge->config->matrix_appservice_token,
        .ca_file = bridge->config->ca_file,
    };
    return fail(bridge, receipts_open(&options, &bridge->receipts), "cannot set up outgoing calls",
                SLICE_EMPTY);
}

static enum rc bridge_open(struct bridge *bridge)
{
    enum rc (*const steps[])(struct bridge * bridge) = {
        open_store,   open_engine,  open_courier,  open_links, open_servers,
        open_metrics, open_control, open_receipts, resume,     open_hello};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const enum rc rc = steps[i](bridge);
        if (rc != RC_OK) {
            return rc;
        }
    }
    bool was_clean = false;
    const enum rc rc = bridge->store->methods->take_clean_mark(bridge->store, &was_clean);
    if (rc != RC_OK) {
        return fail(bridge, rc, "cannot write to the database", SLICE_EMPTY);
    }
    return fail(bridge, courier_start(bridge->courier, was_clean), "cannot read the outbox",
                SLICE_EMPTY);
}

/* Nothing can begin any more: the loop does not run. */
static void say_stopped(const struct bridge *bridge)
{
    const bool is_clean = engine_is_quiet(bridge->engine) && courier_is_clean(bridge->courier) &&
                          bridge->store->methods->mark_clean(bridge->store) == RC_OK;
    log_event(bridge->log, LOG_INFO, "stopped", LOG_BOOL("drained", is_drained(bridge)),
              LOG_BOOL("clean", is_clean));
}

static void bridge_close(struct bridge *bridge)
{
    hello_close(bridge->hello);
    receipts_close(bridge->receipts);
    if (bridge->transport.close != NULL) {
        bridge->transport.close(bridge->transport.context);
    }
    courier_close(bridge->courier);
    http_server_close(bridge->appservice_server);
    http_server_close(bridge->web_server);
    http_server_close(bridge->metrics_server);
    metrics_close(bridge->metrics);
    control_close(bridge->control);
    engine_close(bridge->engine);
    appservice_close(bridge->appservice);
    web_close(bridge->web);
    if (bridge->store != NULL) {
        bridge->store->methods->close(bridge->store);
    }
    secrets_close(bridge->secrets);
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
