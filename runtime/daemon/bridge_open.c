/* Opens the parts of the daemon, in the order of need, and closes them. */
#include "codecs/journal_redact.h"
#include "db/secrets.h"
#include "db/store_sqlite.h"
#include "runtime/daemon/appservice.h"
#include "runtime/daemon/bridge_parts.h"
#include "runtime/daemon/control.h"
#include "runtime/daemon/hello.h"
#include "runtime/daemon/journal_settings.h"
#include "runtime/daemon/metrics.h"
#include "runtime/daemon/receipts.h"
#include "runtime/daemon/tables.h"
#include "runtime/daemon/version.h"
#include "runtime/log.h"
#include "runtime/streams.h"

#include <stdio.h>

enum {
    SCRATCH_BYTES = 16 * 1024,
    FEEDS_PAGE = 256,
    DAY_MS = 24 * 3600 * 1000,
    MEGABYTE = 1000 * 1000,
    JOURNAL_SECTIONS = 32, /* as one goes, so much of it is of no use to a replay */
};

static void wake_loop(void *context)
{
    struct bridge *bridge = context;
    ev_async_send(bridge->loop, &bridge->committed);
}

enum rc bridge_tell(enum rc rc, const char *what, struct slice detail)
{
    if (rc != RC_OK) {
        (void)fprintf(stderr, "gitterd: %s: %s%s%.*s\n", what, rc_text(rc),
                      detail.len > 0 ? ": " : "", SLICE_ARGS(detail));
    }
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
    if (rc == RC_OK) {
        rc = bridge_begin_clock(bridge);
    }
    return bridge_tell(rc, "cannot open the database", error);
}

static void set_application(struct bridge *bridge)
{
    const struct config *config = bridge->config;
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
}

static enum rc open_engine(struct bridge *bridge)
{
    const struct config *config = bridge->config;
    unsigned char random[6];
    set_application(bridge);
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
    return bridge_tell(engine_open(&options, &bridge->engine), "cannot read the database",
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
    return bridge_tell(courier_open(&options, &bridge->courier), "cannot set up outgoing calls",
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
    return bridge_tell(rc, "gitter_faye_url", bridge->config->gitter_faye_url);
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
    return bridge_tell(rc, "gitter_stream_url", bridge->config->gitter_stream_url);
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
            return bridge_tell(rc, "cannot read the feeds", SLICE_EMPTY);
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
    return bridge_tell(hello_open(&options, &bridge->hello), "cannot set up outgoing calls",
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
    return bridge_tell(receipts_open(&options, &bridge->receipts), "cannot set up outgoing calls",
                       SLICE_EMPTY);
}

static enum rc start_courier(struct bridge *bridge)
{
    bool was_clean = false;
    const enum rc rc = bridge->store->methods->take_clean_mark(bridge->store, &was_clean);
    if (rc != RC_OK) {
        return bridge_tell(rc, "cannot write to the database", SLICE_EMPTY);
    }
    return bridge_tell(courier_start(bridge->courier, was_clean), "cannot read the outbox",
                       SLICE_EMPTY);
}

enum rc bridge_open(struct bridge *bridge)
{
    typedef enum rc step(struct bridge * bridge);
    static step *const steps[] = {open_store, open_engine,       open_courier,
                                  open_links, bridge_open_ports, open_receipts,
                                  resume,     open_hello,        start_courier};
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < sizeof steps / sizeof steps[0]; i++) {
        rc = steps[i](bridge);
    }
    return rc;
}

void bridge_close(struct bridge *bridge)
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
