/* The ports of gitterd as `gitterd check` sees them, and the way to them from outside. */
#include "codecs/url.h"
#include "runtime/daemon/doctor_parts.h"
#include "runtime/http.h"

/* What our stand-in says to browsers; nobody else would. */
static const struct slice stand_in_page = SLICE_INIT("gitterd check: the bridge is not running\n");

/* The homeserver takes a ping that succeeds as a sign to repeat what it could not deliver: anything
 * but 2xx makes it keep that for the bridge. */
static enum rc on_homeserver_head(void *context,
                                  const struct http_head *head,
                                  size_t *body_bytes_max,
                                  struct http_answer *refusal)
{
    const struct door *door = context;
    const struct slice scheme = SLICE("Bearer ");
    (void)body_bytes_max;
    if (!slice_equal(head->path, SLICE("/_matrix/app/v1/ping"))) {
        *refusal = http_answer_json(
            503, SLICE("{\"errcode\":\"M_UNKNOWN\",\"error\":\"The bridge is not running\"}"));
        return RC_REFUSED;
    }
    if (!slice_equal_fold(slice_first(head->authorization, scheme.len), scheme) ||
        !slice_equal_secret(slice_from(head->authorization, scheme.len), door->hs_token)) {
        *refusal =
            http_answer_json(403, SLICE("{\"errcode\":\"M_FORBIDDEN\",\"error\":\"Wrong token\"}"));
        return RC_REFUSED;
    }
    return RC_OK;
}

static void on_homeserver_request(void *context, const struct http_head *head, struct slice body)
{
    const struct door *door = context;
    const struct http_answer answer = http_answer_json(200, SLICE("{}"));
    (void)body;
    http_server_answer(door->server, head->request_id, &answer);
}

static void on_browser_request(void *context, const struct http_head *head, struct slice body)
{
    const struct door *door = context;
    const struct http_answer answer = {
        .status = 503, .content_type = SLICE("text/plain"), .body = stand_in_page};
    (void)body;
    http_server_answer(door->server, head->request_id, &answer);
}

/* One of the two ports, as the configuration names it. */
struct port {
    const char *key;
    const char *bind_key;
    struct slice bind;
    int64_t number;
};

static void judge_port(struct doctor *doctor, const struct port *port, enum rc rc)
{
    const char *why = "cannot be listened on";
    const char *how = "see that this system is sound";
    if (rc == RC_OK) {
        doctor_say(doctor, FINDING_OK, "%s: port %lld of %.*s is free", port->key,
                   (long long)port->number, SLICE_ARGS(port->bind));
        return;
    }
    if (rc == RC_BUSY) {
        why = "another program listens there";
        how = "end that or choose another port";
    } else if (rc == RC_REFUSED) {
        why = "this user may not listen there";
        how = "choose a port above 1023";
    } else if (rc == RC_BAD_INPUT) {
        why = "that is no address of this machine";
        how = "set it to 127.0.0.1 or to an address that the machine has";
    }
    doctor_say(doctor, FINDING_FAIL, "%s: port %lld of %.*s: %s; %s",
               rc == RC_BAD_INPUT ? port->bind_key : port->key, (long long)port->number,
               SLICE_ARGS(port->bind), why, how);
}

static void open_door(struct doctor *doctor, const struct port *port, struct door *door)
{
    const struct config *config = doctor->config;
    const bool is_for_homeserver = door->hs_token.len > 0;
    struct http_server_options options = {
        .loop = doctor->loop,
        .bind = port->bind,
        .port = (int)port->number,
        .tls_certificate = config->tls_certificate.ptr,
        .tls_key = config->tls_key.ptr,
        .handler = {.context = door,
                    .on_head = is_for_homeserver ? on_homeserver_head : NULL,
                    .on_request = is_for_homeserver ? on_homeserver_request : on_browser_request},
    };
    enum rc rc = http_server_open(&options, &door->server);
    if (rc == RC_BAD_INPUT && config->tls_certificate.len > 0) {
        /* the certificate may be the bad one, which has been said: what of the address alone? */
        options.tls_certificate = "";
        options.tls_key = "";
        rc = http_server_open(&options, &door->server);
    }
    if (rc != RC_OK) {
        door->server = NULL;
    }
    judge_port(doctor, port, rc);
}

/* An address that stands for all addresses can be listened on but not called. */
static struct slice address_to_call(struct doctor *doctor, struct slice bind)
{
    if (bind.len == 0 || slice_equal(bind, SLICE("0.0.0.0"))) {
        return SLICE("127.0.0.1");
    }
    if (slice_find_byte(bind, ':') == bind.len) {
        return bind;
    }
    return arena_printf(doctor->arena, "[%.*s]",
                        SLICE_ARGS(slice_equal(bind, SLICE("::")) ? SLICE("::1") : bind));
}

static void find_daemon_at(struct doctor *doctor, const struct port *port)
{
    const struct slice address = address_to_call(doctor, port->bind);
    const struct doctor_call call = {
        .url = arena_printf(doctor->arena, "http://%.*s:%lld/", SLICE_ARGS(address),
                            (long long)port->number),
        .is_connect_only = true,
    };
    const struct doctor_answer answer = doctor_ask(doctor, &call);
    if (answer.is_reached) {
        doctor_say(doctor, FINDING_OK, "%s: port %lld of %.*s is held by the running gitterd",
                   port->key, (long long)port->number, SLICE_ARGS(port->bind));
    } else {
        doctor_say(doctor, FINDING_FAIL,
                   "%s: the running gitterd does not listen there: %.*s; restart it, if the "
                   "configuration has changed since its start",
                   port->key, SLICE_ARGS(answer.error));
    }
}

void doctor_check_ports(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    const struct port homeserver = {"matrix_appservice_port", "matrix_appservice_bind",
                                    config->matrix_appservice_bind, config->matrix_appservice_port};
    const struct port browsers = {"gitter_login_port", "gitter_login_bind",
                                  config->gitter_login_bind, config->gitter_login_port};
    if (doctor->is_running) {
        find_daemon_at(doctor, &homeserver);
        find_daemon_at(doctor, &browsers);
        return;
    }
    doctor->homeserver_door.hs_token = config->matrix_homeserver_token;
    open_door(doctor, &homeserver, &doctor->homeserver_door);
    open_door(doctor, &browsers, &doctor->browser_door);
}

void doctor_close_ports(struct doctor *doctor)
{
    http_server_close(doctor->homeserver_door.server);
    http_server_close(doctor->browser_door.server);
}

/* The login pages */

static bool is_loopback(struct slice host)
{
    return slice_starts_with(host, SLICE("127.")) || slice_equal(host, SLICE("[::1]")) ||
           slice_equal_fold(host, SLICE("localhost"));
}

/* A page of the running gitterd, or what our stand-in says. */
static bool is_our_page(const struct doctor *doctor, const struct doctor_answer *answer)
{
    return doctor->is_running ? answer->status == 200
                              : answer->status == 503 && slice_equal(answer->body, stand_in_page);
}

static void fetch_login_page(struct doctor *doctor)
{
    const struct slice url = doctor->config->gitter_login_url;
    const struct doctor_call call = {.url = arena_printf(doctor->arena, "%.*s/", SLICE_ARGS(url))};
    const struct doctor_answer answer = doctor_ask(doctor, &call);
    if (!answer.is_reached) {
        doctor_say(doctor, FINDING_WARN,
                   "gitter_login_url %.*s: cannot be reached from here: %.*s; see that it can be "
                   "reached from outside, and that the proxy leads to gitter_login_port",
                   SLICE_ARGS(url), SLICE_ARGS(answer.error));
    } else if (!is_our_page(doctor, &answer)) {
        doctor_say(doctor, FINDING_WARN,
                   "gitter_login_url %.*s: another server than gitterd answers, with status %d; "
                   "let the proxy lead to gitter_login_port",
                   SLICE_ARGS(url), answer.status);
    } else {
        doctor_say(doctor, FINDING_OK, "gitter_login_url %.*s: leads here", SLICE_ARGS(url));
    }
}

void doctor_check_login_url(struct doctor *doctor)
{
    const struct slice text = doctor->config->gitter_login_url;
    struct url url;
    if (url_split(text, &url) == RC_OK && !url.is_https && !is_loopback(url.host)) {
        doctor_say(doctor, FINDING_WARN,
                   "gitter_login_url %.*s: people's logins cross the network in the clear; use "
                   "https, by a reverse proxy or by tls_certificate and tls_key",
                   SLICE_ARGS(text));
    }
    if (doctor->is_running || doctor->browser_door.server != NULL) {
        fetch_login_page(doctor);
    }
}
