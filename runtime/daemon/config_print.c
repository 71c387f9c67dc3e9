/* What people get to see of a configuration: what is wrong with it, a new one, the registration. */
#include "runtime/base/buf.h"
#include "runtime/daemon/config.h"

#include <stdio.h>
#include <string.h>

struct example {
    struct buf out;
    const struct config_secrets *secrets;
};

/* What must be given has no default: a sample shows what it looks like. */
static const struct {
    const char *name;
    struct slice value;
} samples[] = {
    {"matrix_homeserver_url", SLICE_INIT("http://127.0.0.1:8008")},
    {"matrix_homeserver_domain", SLICE_INIT("example.org")},
    {"matrix_botname", SLICE_INIT("gitter")},
    {"matrix_appservice_port", SLICE_INIT("9898")},
    {"gitter_login_port", SLICE_INIT("9899")},
    {"gitter_login_url", SLICE_INIT("http://127.0.0.1:9899")},
    {"gitter_oauth_key", SLICE_INIT("CHANGE_ME")},
    {"gitter_oauth_secret", SLICE_INIT("CHANGE_ME")},
};

static struct slice sample_of(const struct example *example, const char *name)
{
    const struct config_secrets *secrets = example->secrets;
    if (strcmp(name, "unique_secret_key") == 0) {
        return secrets->unique_secret_key;
    }
    if (strcmp(name, "matrix_appservice_token") == 0) {
        return secrets->matrix_appservice_token;
    }
    if (strcmp(name, "matrix_homeserver_token") == 0) {
        return secrets->matrix_homeserver_token;
    }
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        if (strcmp(samples[i].name, name) == 0) {
            return samples[i].value;
        }
    }
    return SLICE_EMPTY;
}

/* What has a default is shown with it, switched off. */
static void
put_text(struct example *example, const char *name, const char *fallback, const char *what)
{
    const struct slice value =
        fallback == NULL ? sample_of(example, name) : slice_from_cstr(fallback);
    buf_printf(&example->out, "# %s.\n%s%s: \"%.*s\"\n\n", what, fallback == NULL ? "" : "#", name,
               SLICE_ARGS(value));
}

static void
put_number(struct example *example, const char *name, int64_t fallback, const char *what)
{
    if (fallback < 0) {
        const struct slice value = sample_of(example, name);
        buf_printf(&example->out, "# %s.\n%s: %.*s\n\n", what, name, SLICE_ARGS(value));
    } else {
        buf_printf(&example->out, "# %s.\n#%s: %lld\n\n", what, name, (long long)fallback);
    }
}

static void put_list(struct example *example, const char *name, const char *what)
{
    buf_printf(&example->out, "# %s.\n#%s: []\n\n", what, name);
}

struct slice config_example(struct arena *arena, const struct config_secrets *secrets)
{
    struct example example = {.secrets = secrets};
    buf_init(&example.out, arena);
    BUF_PUT(&example.out,
            "# Configuration of gitterd. Any value may also come from the environment,\n"
            "# GITTERD_<KEY>, or from the file that GITTERD_<KEY>_FILE names.\n\n");
#define EXAMPLE_TEXT(name, fallback, what) put_text(&example, #name, fallback, what);
#define EXAMPLE_NUMBER(name, fallback, min, max, what) put_number(&example, #name, fallback, what);
#define EXAMPLE_TEXTS(name, what) put_list(&example, #name, what);
    CONFIG_LIST(EXAMPLE_TEXT, EXAMPLE_NUMBER, EXAMPLE_TEXTS)
    return buf_slice(&example.out);
}

/* Homeservers take the expression as it is; a dot would stand for any character. In single quotes
 * YAML leaves a backslash alone. */
static struct slice escape(struct arena *arena, struct slice text)
{
    struct buf out;
    buf_init(&out, arena);
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c == '.' || c == '[' || c == ']' || c == '+') {
            BUF_PUT(&out, "\\");
        }
        buf_put_byte(&out, c);
    }
    return buf_slice(&out);
}

struct slice config_registration(struct arena *arena, const struct config *config)
{
    const struct slice domain = escape(arena, config->matrix_homeserver_domain);
    const struct slice bot = escape(arena, config->matrix_botname);
    return arena_printf(
        arena,
        "# Registration of gitterd; list this file under app_service_config_files of Synapse.\n"
        "id: gitterd\n"
        "url: \"%.*s\"\n"
        "as_token: \"%.*s\"\n"
        "hs_token: \"%.*s\"\n"
        "sender_localpart: \"%.*s\"\n"
        "rate_limited: false\n"
        "namespaces:\n"
        "  users:\n"
        "    - regex: '@gitter_.*:%.*s'\n"
        "      exclusive: true\n"
        "    # The bot: without this the homeserver notes all that is said as unread for it.\n"
        "    - regex: '@%.*s:%.*s'\n"
        "      exclusive: true\n"
        "  aliases: []\n"
        "  rooms: []\n",
        SLICE_ARGS(config->matrix_appservice_url), SLICE_ARGS(config->matrix_appservice_token),
        SLICE_ARGS(config->matrix_homeserver_token), SLICE_ARGS(config->matrix_botname),
        SLICE_ARGS(domain), SLICE_ARGS(bot), SLICE_ARGS(domain));
}

const char *config_registration_path(struct arena *arena, const char *config_path)
{
    const char *slash = strrchr(config_path, '/');
    const int folder = slash == NULL ? 0 : (int)(slash - config_path) + 1;
    return arena_printf(arena, "%.*sregistration.yaml", folder, config_path).ptr;
}

enum rc config_read_or_say(struct arena *arena,
                           const char *path,
                           enum config_use use,
                           struct config *config)
{
    struct slice error = SLICE_EMPTY;
    const enum rc rc = config_read(arena, path, use, config, &error);
    if (rc != RC_OK) {
        (void)fprintf(stderr, "%.*s", SLICE_ARGS(error));
    }
    return rc;
}
