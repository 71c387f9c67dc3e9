#include "runtime/daemon/config.h"

#include "codecs/ghostid.h"
#include "codecs/url.h"
#include "runtime/base/check.h"
#include "runtime/log.h"
#include "runtime/rate.h"

#include <ctype.h>
#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file as libcyaml gives it: every value a text, so that they can come from elsewhere too. */
struct raw {
#define RAW_TEXT(name, fallback, what) char *name;
#define RAW_NUMBER(name, fallback, min, max, what) char *name;
#define RAW_TEXTS(name, what)                                                                      \
    char **name;                                                                                   \
    unsigned name##_count;
    CONFIG_LIST(RAW_TEXT, RAW_NUMBER, RAW_TEXTS)
#undef RAW_TEXT
#undef RAW_NUMBER
#undef RAW_TEXTS
};

static const cyaml_schema_value_t list_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t raw_fields[] = {
#define SCHEMA_TEXT(name, fallback, what)                                                          \
    CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw, name, 0,   \
                           CYAML_UNLIMITED),
#define SCHEMA_NUMBER(name, fallback, min, max, what) SCHEMA_TEXT(name, fallback, what)
#define SCHEMA_TEXTS(name, what)                                                                   \
    CYAML_FIELD_SEQUENCE(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw, name,        \
                         &list_entry, 0, CYAML_UNLIMITED),
    CONFIG_LIST(SCHEMA_TEXT, SCHEMA_NUMBER, SCHEMA_TEXTS)
#undef SCHEMA_TEXT
#undef SCHEMA_NUMBER
#undef SCHEMA_TEXTS
        CYAML_FIELD_END};

static const cyaml_schema_value_t raw_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw, raw_fields),
};

struct reading {
    struct arena *arena;
    const char *path;
    struct slice text; /* of the file */
    struct buf errors;
    struct slice pending; /* an error of libcyaml whose line comes next, if it comes */
};

/* The line a key stands on; the file is one flat mapping, so its line begins with it. 0: nowhere.
 */
static int line_of(struct slice text, const char *key)
{
    const struct slice name = slice_from_cstr(key);
    for (int line = 1; text.ptr != NULL; line++) {
        struct slice here = slice_cut(&text, '\n');
        if (slice_starts_with(here, name) &&
            slice_starts_with(slice_trim(slice_from(here, name.len)), SLICE(":"))) {
            return line;
        }
    }
    return 0;
}

static void complain(struct reading *reading, const char *key, const char *what)
{
    const int line = line_of(reading->text, key);
    if (line > 0) {
        buf_printf(&reading->errors, "%s:%d: %s: %s\n", reading->path, line, key, what);
    } else {
        buf_printf(&reading->errors, "%s: %s: %s\n", reading->path, key, what);
    }
}

/* What libcyaml has said and no line is known for yet. */
static void flush_yaml_error(struct reading *reading, struct slice line)
{
    if (reading->pending.len > 0) {
        buf_printf(&reading->errors, "%s:%.*s %.*s\n", reading->path, SLICE_ARGS(line),
                   SLICE_ARGS(reading->pending));
        reading->pending = SLICE_EMPTY;
    }
}

/* libcyaml says what is wrong, then "Backtrace:", then "in mapping field 'x' (line: 3, column: 9)",
 * innermost first. An unknown key it names without its line. */
static void note_yaml_error(cyaml_log_t level, void *context, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void note_yaml_error(cyaml_log_t level, void *context, const char *format, va_list args)
{
    struct reading *reading = context;
    const struct slice unknown = SLICE("Unexpected key: ");
    const struct slice load = SLICE("Load: ");
    const struct slice where = SLICE("(line: ");
    char line[512];
    (void)level;
    const int len = vsnprintf(line, sizeof line, format, args);
    struct slice text = slice_trim(len > 0 ? slice_from_cstr(line) : SLICE_EMPTY);
    text = slice_starts_with(text, load) ? slice_from(text, load.len) : text;
    if (slice_starts_with(text, unknown)) {
        complain(reading, arena_cstr(reading->arena, slice_from(text, unknown.len)), "unknown key");
    } else if (slice_starts_with(text, SLICE("in "))) {
        struct slice rest = slice_from(text, slice_find(text, where) + where.len);
        const struct slice number = slice_cut(&rest, ',');
        flush_yaml_error(reading, arena_printf(reading->arena, "%.*s:", SLICE_ARGS(number)));
    } else if (!slice_equal(text, SLICE("Backtrace:"))) {
        reading->pending = arena_copy(reading->arena, text);
    }
}

static enum rc read_file(struct arena *arena, const char *path, struct slice *out)
{
    struct buf text;
    char part[4096];
    size_t len = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return errno == ENOENT ? RC_ABSENT : RC_IO;
    }
    buf_init(&text, arena);
    while ((len = fread(part, 1, sizeof part, file)) > 0) {
        buf_put(&text, slice_make(part, len));
    }
    const bool is_whole = ferror(file) == 0;
    (void)fclose(file);
    *out = buf_slice(&text);
    return is_whole ? RC_OK : RC_IO;
}

/* GITTERD_<KEY>, or the first line of the file that GITTERD_<KEY>_FILE names; NULL: neither. */
static const char *from_environment(struct reading *reading, const char *key)
{
    char name[128];
    struct slice text = SLICE_EMPTY;
    int len = snprintf(name, sizeof name, "GITTERD_%s", key);
    CHECK(len > 0 && (size_t)len + sizeof "_FILE" < sizeof name);
    for (int i = 0; i < len; i++) {
        name[i] = (char)toupper((unsigned char)name[i]);
    }
    if (getenv(name) != NULL) {
        return arena_cstr(reading->arena, slice_from_cstr(getenv(name)));
    }
    (void)snprintf(name + len, sizeof name - (size_t)len, "_FILE");
    const char *path = getenv(name);
    if (path == NULL) {
        return NULL;
    }
    if (read_file(reading->arena, path, &text) != RC_OK) {
        buf_printf(&reading->errors, "%s: cannot read %s\n", name, path);
        return "";
    }
    return arena_cstr(reading->arena, slice_trim(slice_cut(&text, '\n')));
}

static struct slice
take_text(struct reading *reading, const char *key, const char *given, const char *fallback)
{
    const char *other = from_environment(reading, key);
    const char *value = other != NULL ? other : given != NULL ? given : fallback;
    if (value == NULL) {
        complain(reading, key, "is missing");
        return SLICE_EMPTY;
    }
    return arena_copy(reading->arena, slice_trim(slice_from_cstr(value)));
}

struct range {
    int64_t fallback;
    int64_t min;
    int64_t max;
};

static int64_t
take_number(struct reading *reading, const char *key, const char *given, struct range range)
{
    const struct slice text = take_text(reading, key, given, "");
    int64_t value = range.fallback;
    if (text.len == 0 && range.fallback < range.min) {
        complain(reading, key, "is missing");
        return range.fallback;
    }
    if (text.len > 0 && slice_to_int(text, &value) != RC_OK) {
        complain(reading, key, "is not a whole number");
        return range.fallback;
    }
    if (value < range.min || value > range.max) {
        const struct slice what = arena_printf(reading->arena, "must lie between %lld and %lld",
                                               (long long)range.min, (long long)range.max);
        complain(reading, key, what.ptr);
    }
    return value;
}

static struct config_list
take_list(struct reading *reading, const char *key, char **given, unsigned count)
{
    struct config_list list = {0};
    const char *other = from_environment(reading, key);
    if (other == NULL) {
        list.items = ARENA_ARRAY(reading->arena, count, struct slice);
        for (; list.count < count; list.count++) {
            list.items[list.count] = arena_copy(reading->arena, slice_from_cstr(given[list.count]));
        }
        return list;
    }
    struct slice rest = slice_from_cstr(other); /* separated by commas */
    list.items = ARENA_ARRAY(reading->arena, rest.len + 1, struct slice);
    while (rest.ptr != NULL) {
        const struct slice item = slice_trim(slice_cut(&rest, ','));
        if (item.len > 0) {
            list.items[list.count++] = item;
        }
    }
    return list;
}

/* What the values mean */

static bool is_sample(struct slice value)
{
    return slice_starts_with(value, SLICE("CHANGE")) || slice_starts_with(value, SLICE("change"));
}

static void check_secret(struct reading *reading, const char *key, struct slice value)
{
    if (value.ptr == NULL) {
        return; /* missing: said already */
    }
    if (value.len == 0) {
        complain(reading, key, "is empty");
    } else if (is_sample(value)) {
        complain(reading, key,
                 "is still the sample value: run `gitterd init` or make up a long random one");
    } else if (value.len < 16) {
        complain(reading, key, "is too short: at least 16 characters");
    }
}

/* Homeservers put tokens into headers and URLs as they are. */
static void check_token(struct reading *reading, const char *key, struct slice value)
{
    check_secret(reading, key, value);
    for (size_t i = 0; i < value.len; i++) {
        const unsigned char c = (unsigned char)value.ptr[i];
        if (!isalnum(c) && c != '-' && c != '_' && c != '.' && c != '~') {
            complain(reading, key, "may only have letters, digits, '-', '_', '.' and '~'");
            return;
        }
    }
}

static void check_url(struct reading *reading, const char *key, struct slice *value)
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
        complain(reading, key, "is not a URL like https://host/path");
    }
}

static void check_names(struct reading *reading, struct config *config)
{
    struct slice name = config->matrix_botname;
    struct slice domain = config->matrix_homeserver_domain;
    if (domain.len > 0 && (!mxid_is_valid_domain(domain) || domain.len > 200)) {
        complain(reading, "matrix_homeserver_domain", "is not a server name");
        return;
    }
    if (slice_starts_with(name, SLICE("@"))) {
        name = slice_from(name, 1);
    }
    struct slice own = name;
    name = slice_cut(&own, ':');
    if (own.ptr != NULL && !slice_equal(own, domain)) {
        complain(reading, "matrix_botname", "is of another domain than matrix_homeserver_domain");
    }
    config->matrix_botname = name;
    config->bot = arena_printf(reading->arena, "@%.*s:%.*s", SLICE_ARGS(name), SLICE_ARGS(domain));
    if (!mxid_is_valid_localpart(name)) {
        complain(reading, "matrix_botname", "may only have a-z, 0-9 and . _ = - / +");
    } else if (ghostid_is_ghost(config->bot, domain)) {
        complain(reading, "matrix_botname",
                 "must not begin with gitter_: those are the users of Gitter");
    }
}

static void check_choices(struct reading *reading, struct config *config)
{
    enum log_level level = LOG_INFO;
    if (log_level_parse(config->log_level, &level) != RC_OK) {
        complain(reading, "log_level", "must be error, warn, info or debug");
    }
    config->is_log_json = slice_equal(config->log_format, SLICE("json"));
    if (!config->is_log_json && !slice_equal(config->log_format, SLICE("text"))) {
        complain(reading, "log_format", "must be text or json");
    }
    if ((config->tls_certificate.len > 0) != (config->tls_key.len > 0)) {
        complain(reading, "tls_certificate", "needs tls_key, and the other way round");
    }
    if (config->matrix_appservice_port == config->gitter_login_port &&
        slice_equal(config->matrix_appservice_bind, config->gitter_login_bind)) {
        complain(reading, "gitter_login_port", "is the same as matrix_appservice_port");
    }
    for (size_t i = 0; i < config->gitter_login_proxies.count; i++) {
        if (!rate_is_address(config->gitter_login_proxies.items[i])) {
            complain(reading, "gitter_login_proxies", "may only have numeric addresses");
        }
    }
}

/* What only a running bridge needs: the registration can be printed before the application is known
 * to Gitter. */
static void check_oauth(struct reading *reading, const struct config *config)
{
    if (is_sample(config->gitter_oauth_key) || config->gitter_oauth_key.len == 0) {
        complain(reading, "gitter_oauth_key",
                 "is still the sample value: register an application on Gitter");
    }
    if (is_sample(config->gitter_oauth_secret) || config->gitter_oauth_secret.len == 0) {
        complain(reading, "gitter_oauth_secret",
                 "is still the sample value: Gitter gives it with the key");
    }
}

static void check_values(struct reading *reading, struct config *config)
{
    check_secret(reading, "unique_secret_key", config->unique_secret_key);
    check_token(reading, "matrix_appservice_token", config->matrix_appservice_token);
    check_token(reading, "matrix_homeserver_token", config->matrix_homeserver_token);
    if (config->matrix_appservice_token.len > 0 &&
        slice_equal(config->matrix_appservice_token, config->matrix_homeserver_token)) {
        complain(reading, "matrix_homeserver_token", "is the same as matrix_appservice_token");
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
    if (config->matrix_appservice_url.len == 0) {
        config->matrix_appservice_url = arena_printf(reading->arena, "http%s://127.0.0.1:%lld",
                                                     config->tls_key.len > 0 ? "s" : "",
                                                     (long long)config->matrix_appservice_port);
    }
}

static enum rc load(struct reading *reading, struct raw **raw)
{
    const cyaml_config_t yaml = {
        .log_fn = note_yaml_error,
        .log_ctx = reading,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    const cyaml_err_t err = cyaml_load_data((const uint8_t *)reading->text.ptr, reading->text.len,
                                            &yaml, &raw_schema, (cyaml_data_t **)raw, NULL);
    flush_yaml_error(reading, SLICE_EMPTY);
    if (err != CYAML_OK && reading->errors.len == 0) {
        buf_printf(&reading->errors, "%s: %s\n", reading->path, cyaml_strerror(err));
    }
    return err == CYAML_OK ? RC_OK : RC_BAD_INPUT;
}

enum rc config_read(struct arena *arena,
                    const char *path,
                    enum config_use use,
                    struct config *config,
                    struct slice *error)
{
    struct reading reading = {.arena = arena, .path = path};
    struct raw *raw = NULL;
    buf_init(&reading.errors, arena);
    enum rc rc = read_file(arena, path, &reading.text);
    if (rc != RC_OK) {
        *error = arena_printf(arena, "%s: %s\n", path,
                              rc == RC_ABSENT ? "no such file; `gitterd init` makes one"
                                              : "cannot be read");
        return rc;
    }
    rc = load(&reading, &raw);
    if (rc == RC_OK && raw == NULL) {
        buf_printf(&reading.errors, "%s: is empty; `gitterd init` makes a new one\n", path);
    } else if (rc == RC_OK) {
        *config = (struct config){0};
#define TAKE_TEXT(name, fallback, what)                                                            \
    config->name = take_text(&reading, #name, raw->name, fallback);
#define TAKE_NUMBER(name, fallback, min, max, what)                                                \
    config->name = take_number(&reading, #name, raw->name, (struct range){fallback, min, max});
#define TAKE_TEXTS(name, what)                                                                     \
    config->name = take_list(&reading, #name, raw->name, raw->name##_count);
        CONFIG_LIST(TAKE_TEXT, TAKE_NUMBER, TAKE_TEXTS)
        check_values(&reading, config);
        if (use == CONFIG_TO_RUN) {
            check_oauth(&reading, config);
        }
        const cyaml_config_t yaml = {.mem_fn = cyaml_mem};
        (void)cyaml_free(&yaml, &raw_schema, raw, 0);
    }
    *error = buf_slice(&reading.errors);
    return error->len > 0 ? RC_BAD_INPUT : rc;
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
