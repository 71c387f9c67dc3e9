/* runtime/daemon/config.h: the configuration file, checked.
 *
 * One YAML mapping; keys and defaults stand in config.def. Any value may come from the environment
 * instead, GITTERD_<KEY IN UPPER CASE>, or from a file named by GITTERD_<KEY>_FILE.
 *
 * Memory: everything lives in the given arena.
 * Errors: RC_ABSENT (no such file), RC_BAD_INPUT. *error then has a line for each mistake that was
 *         found: "<file>:<line>: <key>: what is wrong".
 */
#ifndef GITTERD_DAEMON_CONFIG_H
#define GITTERD_DAEMON_CONFIG_H

#include "runtime/base/arena.h"
#include "runtime/daemon/config.def"

struct config_list {
    struct slice *items;
    size_t count;
};

struct config {
#define CONFIG_TEXT(name, fallback, what) struct slice name;
#define CONFIG_NUMBER(name, fallback, min, max, what) int64_t name;
#define CONFIG_TEXTS(name, what) struct config_list name;
    CONFIG_LIST(CONFIG_TEXT, CONFIG_NUMBER, CONFIG_TEXTS)
#undef CONFIG_TEXT
#undef CONFIG_NUMBER
#undef CONFIG_TEXTS
    struct slice bot; /* full Matrix id, from matrix_botname and matrix_homeserver_domain */
    bool is_log_json;
};

/* For what a configuration is read: printing takes one whose OAuth application is not known yet. */
enum config_use {
    CONFIG_TO_PRINT,
    CONFIG_TO_RUN
};

NODISCARD enum rc config_read(struct arena *arena,
                              const char *path,
                              enum config_use use,
                              struct config *config,
                              struct slice *error);
/* The same; what is wrong is said on standard error. */
NODISCARD enum rc config_read_or_say(struct arena *arena,
                                     const char *path,
                                     enum config_use use,
                                     struct config *config);

/* The secrets that `gitterd init` puts into a new file. */
struct config_secrets {
    struct slice unique_secret_key;
    struct slice matrix_appservice_token;
    struct slice matrix_homeserver_token;
};

/* A commented file with every key, with samples where people must say what is right for them. */
struct slice config_example(struct arena *arena, const struct config_secrets *secrets);

/* Where the registration lies if nothing else is said: registration.yaml beside the configuration.
 */
const char *config_registration_path(struct arena *arena, const char *config_path);
/* The registration file for the homeserver. */
struct slice config_registration(struct arena *arena, const struct config *config);

/* May this user use the bridge? `config` is a struct config. */
bool config_is_permitted(const void *config, struct slice user);
/* May this Matrix user say `admin`? Nobody may unless `admins` is given. */
bool config_is_admin(const void *config, struct slice user);

#endif
