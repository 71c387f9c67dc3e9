/* What the values of a configuration mean, and whom they let in. */
#include "codecs/ghostid.h"
#include "codecs/url.h"
#include "runtime/daemon/config_parts.h"
#include "runtime/log.h"
#include "runtime/rate.h"

#include <ctype.h>
#include <string.h>

static bool is_sample(struct slice value)
{
    return slice_starts_with(value, SLICE("CHANGE")) || slice_starts_with(value, SLICE("change"));
}

static void check_secret(struct config_reading *reading, const char *key, struct slice value)
{
    if (value.ptr == NULL) {
        return; /* missing: said already */
    }
    if (value.len == 0) {
        config_complain(reading, key, "is empty");
    } else if (is_sample(value)) {
        config_complain(
            reading, key,
            "is still the sample value: run `gitterd init` or make up a long random one");
    } else if (value.len < 16) {
        config_complain(reading, key, "is too short: at least 16 characters");
    }
}

/* Homeservers put tokens into headers and URLs as they are. */
static void check_token(struct config_reading *reading, const char *key, struct slice value)
{
    check_secret(reading, key, value);
    for (size_t i = 0; i < value.len; i++) {
        const unsigned char c = (unsigned char)value.ptr[i];
        if (!isalnum(c) && c != '-' && c != '_' && c != '.' && c != '~') {
            config_complain(reading, key, "may only have letters, digits, '-', '_', '.' and '~'");
            return;
        }
    }
}

static void check_url(struct config_reading *reading, const char *key, struct slice *value)
{
    struct url url;
    struct slice plain = *value;
    if (value->len == 0) {
        return;
    }
    while (slice_ends_with(*value, SLICE("/"))) {
        value->len--;
    }
    /* ws and wss say the same as http and https, where a WebSocket is meant */
    if (strcmp(key, "gitter_faye_url") == 0 && slice_starts_with(plain, SLICE("ws"))) {
        plain = arena_printf(reading->arena, "http%.*s", SLICE_ARGS(slice_from(plain, 2)));
    }
    if (url_split(plain, &url) != RC_OK) {
        config_complain(reading, key, "is not a URL like https://host/path");
    }
}

static void check_names(struct config_reading *reading, struct config *config)
{
    struct slice name = config->matrix_botname;
    struct slice domain = config->matrix_homeserver_domain;
    if (domain.len > 0 && (!mxid_is_valid_domain(domain) || domain.len > 200)) {
        config_complain(reading, "matrix_homeserver_domain", "is not a server name");
        return;
    }
    if (slice_starts_with(name, SLICE("@"))) {
        name = slice_from(name, 1);
    }
    struct slice own = name;
    name = slice_cut(&own, ':');
    if (own.ptr != NULL && !slice_equal(own, domain)) {
        config_complain(reading, "matrix_botname",
                        "is of another domain than matrix_homeserver_domain");
    }
    config->matrix_botname = name;
    config->bot = arena_printf(reading->arena, "@%.*s:%.*s", SLICE_ARGS(name), SLICE_ARGS(domain));
    if (!mxid_is_valid_localpart(name)) {
        config_complain(reading, "matrix_botname", "may only have a-z, 0-9 and . _ = - / +");
    } else if (ghostid_is_ghost(config->bot, domain)) {
        config_complain(reading, "matrix_botname",
                        "must not begin with gitter_: those are the users of Gitter");
    }
}

static void check_choices(struct config_reading *reading, struct config *config)
{
    enum log_level level = LOG_INFO;
    if (log_level_parse(config->log_level, &level) != RC_OK) {
        config_complain(reading, "log_level", "must be error, warn, info or debug");
    }
    config->is_log_json = slice_equal(config->log_format, SLICE("json"));
    if (!config->is_log_json && !slice_equal(config->log_format, SLICE("text"))) {
        config_complain(reading, "log_format", "must be text or json");
    }
    if ((config->tls_certificate.len > 0) != (config->tls_key.len > 0)) {
        config_complain(reading, "tls_certificate", "needs tls_key, and the other way round");
    }
    for (size_t i = 0; i < config->gitter_login_proxies.count; i++) {
        if (!rate_is_address(config->gitter_login_proxies.items[i])) {
            config_complain(reading, "gitter_login_proxies", "may only have numeric addresses");
        }
    }
}

static void check_ports(struct config_reading *reading, const struct config *config)
{
    const struct {
        const char *key;
        int64_t port;
        struct slice bind;
    } ports[] = {
        {"matrix_appservice_port", config->matrix_appservice_port, config->matrix_appservice_bind},
        {"gitter_login_port", config->gitter_login_port, config->gitter_login_bind},
        {"metrics_port", config->metrics_port, config->metrics_bind},
    };
    for (size_t i = 1; i < sizeof ports / sizeof ports[0]; i++) {
        for (size_t j = 0; j < i; j++) {
            if (ports[i].port == ports[j].port && slice_equal(ports[i].bind, ports[j].bind)) {
                config_complain(
                    reading, ports[i].key,
                    arena_printf(reading->arena, "is the same as %s", ports[j].key).ptr);
            }
        }
    }
}

/* One that cannot be anybody would let nobody in, without a word. */
static void
check_people(struct config_reading *reading, const char *key, const struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct slice entry = list->items[i];
        struct slice localpart = SLICE_EMPTY;
        struct slice domain = entry;
        const bool is_anybody = slice_equal(entry, SLICE("*"));
        if (slice_starts_with(entry, SLICE("@")) &&
            mxid_split(entry, &localpart, &domain) != RC_OK) {
            domain = SLICE_EMPTY;
        }
        if (!is_anybody && !mxid_is_valid_domain(domain)) {
            config_complain(reading, key, "may only have @user:domain, domain and *");
            return;
        }
    }
}

/* What only a running bridge needs: the registration can be printed before the application is known
 * to Gitter. */
static void check_oauth(struct config_reading *reading, const struct config *config)
{
    if (is_sample(config->gitter_oauth_key) || config->gitter_oauth_key.len == 0) {
        config_complain(reading, "gitter_oauth_key",
                        "is still the sample value: register an application on Gitter");
    }
    if (is_sample(config->gitter_oauth_secret) || config->gitter_oauth_secret.len == 0) {
        config_complain(reading, "gitter_oauth_secret",
                        "is still the sample value: Gitter gives it with the key");
    }
}

void config_check(struct config_reading *reading, struct config *config, enum config_use use)
{
    check_secret(reading, "unique_secret_key", config->unique_secret_key);
    check_token(reading, "matrix_appservice_token", config->matrix_appservice_token);
    check_token(reading, "matrix_homeserver_token", config->matrix_homeserver_token);
    if (config->matrix_appservice_token.len > 0 &&
        slice_equal(config->matrix_appservice_token, config->matrix_homeserver_token)) {
        config_complain(reading, "matrix_homeserver_token",
                        "is the same as matrix_appservice_token");
    }
    check_url(reading, "matrix_homeserver_url", &config->matrix_homeserver_url);
    check_url(reading, "matrix_appservice_url", &config->matrix_appservice_url);
    check_url(reading, "gitter_login_url", &config->gitter_login_url);
    check_url(reading, "gitter_url", &config->gitter_url);
    check_url(reading, "gitter_api_url", &config->gitter_api_url);
    check_url(reading, "gitter_faye_url", &config->gitter_faye_url);
    check_url(reading, "gitter_stream_url", &config->gitter_stream_url);
    check_names(reading, config);
    check_choices(reading, config);
    check_ports(reading, config);
    check_people(reading, "permissions", &config->permissions);
    check_people(reading, "admins", &config->admins);
    if (use == CONFIG_TO_RUN) {
        check_oauth(reading, config);
    }
    if (config->matrix_appservice_url.len == 0) {
        config->matrix_appservice_url = arena_printf(reading->arena, "http%s://127.0.0.1:%lld",
                                                     config->tls_key.len > 0 ? "s" : "",
                                                     (long long)config->matrix_appservice_port);
    }
}

static bool is_named(const struct config_list *names, struct slice user, struct slice domain)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct slice entry = names->items[i];
        if (slice_equal(entry, SLICE("*")) || slice_equal(entry, user) ||
            slice_equal(entry, domain)) {
            return true;
        }
    }
    return false;
}

bool config_is_permitted(const void *context, struct slice user)
{
    const struct config *config = context;
    struct slice localpart = SLICE_EMPTY;
    struct slice domain = SLICE_EMPTY;
    if (mxid_split(user, &localpart, &domain) != RC_OK) {
        return false;
    }
    return config->permissions.count == 0 ? slice_equal(domain, config->matrix_homeserver_domain)
                                          : is_named(&config->permissions, user, domain);
}

bool config_is_admin(const void *context, struct slice user)
{
    const struct config *config = context;
    struct slice localpart = SLICE_EMPTY;
    struct slice domain = SLICE_EMPTY;
    return mxid_split(user, &localpart, &domain) == RC_OK &&
           is_named(&config->admins, user, domain);
}
