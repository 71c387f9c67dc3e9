/* Where others reach the daemon: the homeserver, browsers, what watches it, `gitterd status`. */
#include "runtime/daemon/appservice.h"
#include "runtime/daemon/bridge_parts.h"
#include "runtime/daemon/control.h"
#include "runtime/daemon/metrics.h"
#include "runtime/daemon/report.h"
#include "runtime/daemon/status.h"
#include "runtime/log.h"

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
    return bridge_tell(rc, "cannot listen",
                       arena_printf(bridge->arena, "%s, %.*s port %d", what,
                                    SLICE_ARGS(options->bind), options->port));
}

static enum rc open_appservice(struct bridge *bridge)
{
    const struct config *config = bridge->config;
    const struct appservice_options options = {
        .engine = bridge->engine,
        .log = bridge->log,
        .hs_token = config->matrix_homeserver_token,
        .domain = config->matrix_homeserver_domain,
        .bot = config->bot,
        .is_legacy = config->matrix_legacy_api != 0,
    };
    bridge->appservice = appservice_open(&options);
    const struct http_server_options server = {
        .loop = bridge->loop,
        .log = bridge->log,
        .bind = config->matrix_appservice_bind,
        .port = (int)config->matrix_appservice_port,
        .tls_certificate = config->tls_certificate.ptr,
        .tls_key = config->tls_key.ptr,
        .handler = appservice_handler(bridge->appservice),
    };
    const enum rc rc = listen_for(bridge, "homeserver", &server, &bridge->appservice_server);
    if (rc == RC_OK) {
        appservice_serve(bridge->appservice, bridge->appservice_server);
    }
    return rc;
}

static enum rc open_web(struct bridge *bridge)
{
    const struct config *config = bridge->config;
    /* ids of one process: fewer than 2^20 requests a millisecond */
    const struct web_options options = {
        .engine = bridge->engine,
        .log = bridge->log,
        .first_request = bridge_now_ms(NULL) << 20,
        .site = {config->bot, config->gitter_login_url, config->gitter_url},
        .rate = config->gitter_login_rate,
        .proxies = config->gitter_login_proxies.items,
        .proxies_count = config->gitter_login_proxies.count,
        .now_ms = bridge_now_ms,
    };
    bridge->web = web_open(&options);
    const struct http_server_options server = {
        .loop = bridge->loop,
        .log = bridge->log,
        .bind = config->gitter_login_bind,
        .port = (int)config->gitter_login_port,
        .tls_certificate = config->tls_certificate.ptr,
        .tls_key = config->tls_key.ptr,
        .handler = web_handler(bridge->web),
    };
    const enum rc rc = listen_for(bridge, "browsers", &server, &bridge->web_server);
    if (rc == RC_OK) {
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

enum rc bridge_open_ports(struct bridge *bridge)
{
    enum rc rc = open_appservice(bridge);
    rc = rc == RC_OK ? open_web(bridge) : rc;
    rc = rc == RC_OK ? open_metrics(bridge) : rc;
    return rc == RC_OK ? open_control(bridge) : rc;
}
