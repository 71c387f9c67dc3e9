/* The registration file, field by field, against the configuration. */
#include "codecs/ghostid.h"
#include "runtime/daemon/doctor_parts.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As libcyaml gives it; NULL: not there. Every scalar is a text, also null and false. */
struct space {
    char *regex;
    char *exclusive;
};

struct spaces {
    struct space *users;
    unsigned users_count;
};

struct registration {
    char *id;
    char *url;
    char *as_token;
    char *hs_token;
    char *sender_localpart;
    char *rate_limited;
    struct spaces *namespaces;
};

#define FIELD(type, name)                                                                          \
    CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER_NULL | CYAML_FLAG_OPTIONAL, type, name, 0,    \
                           CYAML_UNLIMITED)

static const cyaml_schema_field_t space_fields[] = {
    FIELD(struct space, regex), FIELD(struct space, exclusive), CYAML_FIELD_END};

static const cyaml_schema_value_t space_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct space, space_fields),
};

static const cyaml_schema_field_t spaces_fields[] = {
    CYAML_FIELD_SEQUENCE("users",
                         CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct spaces,
                         users,
                         &space_schema,
                         0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_END};

static const cyaml_schema_field_t registration_fields[] = {
    FIELD(struct registration, id),
    FIELD(struct registration, url),
    FIELD(struct registration, as_token),
    FIELD(struct registration, hs_token),
    FIELD(struct registration, sender_localpart),
    FIELD(struct registration, rate_limited),
    CYAML_FIELD_MAPPING_PTR("namespaces",
                            CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                            struct registration,
                            namespaces,
                            spaces_fields),
    CYAML_FIELD_END};

static const cyaml_schema_value_t registration_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct registration, registration_fields),
};

/* libcyaml's words may hold values, which are secrets here: they are not shown. */
static void keep_silent(cyaml_log_t level, void *context, const char *format, va_list args)
{
    (void)level;
    (void)context;
    (void)format;
    (void)args;
}

static const cyaml_config_t yaml = {
    .log_fn = keep_silent,
    .mem_fn = cyaml_mem,
    .log_level = CYAML_LOG_ERROR,
    .flags = CYAML_CFG_NO_ALIAS | CYAML_CFG_IGNORE_UNKNOWN_KEYS,
};

/* What is said of the file, and whether it fits. */
struct comparison {
    struct doctor *doctor;
    const char *path;
    bool is_equal;
};

static void differ(struct comparison *comparison, const char *field, const char *why)
{
    doctor_say(comparison->doctor, FINDING_FAIL,
               "%s: %s: %s; print it anew (gitterd registration) and restart the homeserver",
               comparison->path, field, why);
    comparison->is_equal = false;
}

static void
compare_shown(struct comparison *comparison, const char *field, const char *is, struct slice wanted)
{
    const char *shown = is == NULL ? "missing" : is;
    if (!slice_equal(slice_from_cstr(is), wanted)) {
        differ(comparison, field,
               arena_printf(comparison->doctor->arena, "is %s, the configuration says %.*s", shown,
                            SLICE_ARGS(wanted))
                   .ptr);
    }
}

static void compare_secret(struct comparison *comparison,
                           const char *field,
                           const char *is,
                           struct slice wanted)
{
    if (is == NULL) {
        differ(comparison, field, "is missing");
    } else if (!slice_equal_secret(slice_from_cstr(is), wanted)) {
        differ(comparison, field, "is another one than in the configuration");
    }
}

static void compare_url(struct comparison *comparison, const char *is)
{
    struct slice url = slice_from_cstr(is);
    while (slice_ends_with(url, SLICE("/"))) {
        url.len--; /* homeservers do the same */
    }
    compare_shown(comparison, "url", is == NULL ? NULL : arena_cstr(comparison->doctor->arena, url),
                  comparison->doctor->config->matrix_appservice_url);
}

/* Homeservers match from the beginning of the id and do not ask for its end. What is no POSIX
 * expression matches nothing. */
static bool covers(struct doctor *doctor, const char *expression, struct slice user_id)
{
    regex_t regex;
    const char *anchored = arena_printf(doctor->arena, "^(%s)", expression).ptr;
    if (regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB) != 0) {
        return false;
    }
    const char *text = arena_cstr(doctor->arena, user_id);
    const bool is_covered = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return is_covered;
}

static bool is_true(const char *text)
{
    return text != NULL && slice_equal_fold(slice_from_cstr(text), SLICE("true"));
}

/* Of a bot that is another one, as was told, nothing more is to be said. */
static void
compare_spaces(struct comparison *comparison, const struct spaces *spaces, bool is_our_bot)
{
    struct doctor *doctor = comparison->doctor;
    const struct slice domain = doctor->config->matrix_homeserver_domain;
    const struct slice ghost =
        ghostid_mxid(doctor->arena, SLICE("53307734c3599d1de448e192"), domain);
    const struct slice virtual_ghost = ghostid_mxid(doctor->arena, SLICE("matrix-a:b"), domain);
    const struct slice person = arena_printf(doctor->arena, "@someone:%.*s", SLICE_ARGS(domain));
    const struct slice bot =
        ARENA_JOIN(doctor->arena, SLICE("@"), doctor->config->matrix_botname, SLICE(":"), domain);
    bool is_covered = false;
    bool is_exclusive = false;
    bool has_bot = !is_our_bot;
    for (unsigned i = 0; spaces != NULL && i < spaces->users_count; i++) {
        const struct space *space = &spaces->users[i];
        if (space->regex == NULL) {
            continue;
        }
        if (covers(doctor, space->regex, person)) {
            differ(comparison, "namespaces.users", "takes in people of the homeserver");
        }
        if (covers(doctor, space->regex, ghost) && covers(doctor, space->regex, virtual_ghost)) {
            is_covered = true;
            is_exclusive = is_exclusive || is_true(space->exclusive);
        }
        has_bot = has_bot || (is_true(space->exclusive) && covers(doctor, space->regex, bot));
    }
    if (!is_covered) {
        differ(comparison, "namespaces.users",
               arena_printf(doctor->arena, "does not take in our ghosts @%s...:%.*s",
                            GHOSTID_PREFIX, SLICE_ARGS(domain))
                   .ptr);
    } else if (!is_exclusive) {
        doctor_say(doctor, FINDING_WARN,
                   "%s: namespaces.users: is not exclusive, so that people may register as "
                   "ghosts; set exclusive to true and restart the homeserver",
                   comparison->path);
    } else if (!has_bot) {
        doctor_say(doctor, FINDING_WARN,
                   "%s: namespaces.users: does not take in the bot, so that the homeserver notes "
                   "all that is said as unread for it; make the file anew (gitterd registration) "
                   "and restart the homeserver",
                   comparison->path);
    }
}

static void compare(struct comparison *comparison, const struct registration *registration)
{
    struct doctor *doctor = comparison->doctor;
    const struct config *config = doctor->config;
    const char *bot = registration->sender_localpart == NULL ? "" : registration->sender_localpart;
    const bool is_our_bot = slice_equal_cstr(config->matrix_botname, bot);
    compare_shown(comparison, "id", registration->id, SLICE("gitterd"));
    compare_url(comparison, registration->url);
    compare_secret(comparison, "as_token", registration->as_token, config->matrix_appservice_token);
    compare_secret(comparison, "hs_token", registration->hs_token, config->matrix_homeserver_token);
    compare_shown(comparison, "sender_localpart", registration->sender_localpart,
                  config->matrix_botname);
    compare_spaces(comparison, registration->namespaces, is_our_bot);
    if (registration->rate_limited == NULL ||
        !slice_equal_fold(slice_from_cstr(registration->rate_limited), SLICE("false"))) {
        doctor_say(doctor, FINDING_WARN,
                   "%s: rate_limited: is not false, so that the homeserver slows the bridge down; "
                   "set it to false and restart the homeserver",
                   comparison->path);
    }
    if (comparison->is_equal) {
        doctor_say(doctor, FINDING_OK, "%s: fits the configuration", comparison->path);
    }
}

void doctor_check_registration(struct doctor *doctor)
{
    const char *given = doctor->options.registration;
    struct comparison comparison = {
        .doctor = doctor,
        .path = given != NULL
                    ? given
                    : config_registration_path(doctor->arena, doctor->options.config_path),
        .is_equal = true};
    struct registration *registration = NULL;
    if (access(comparison.path, R_OK) != 0) {
        doctor_say(doctor, given != NULL ? FINDING_FAIL : FINDING_WARN,
                   "%s: %s, so that it is not compared; name the file that the homeserver has "
                   "with --registration",
                   comparison.path, strerror(errno));
        return;
    }
    const cyaml_err_t error = cyaml_load_file(comparison.path, &yaml, &registration_schema,
                                              (cyaml_data_t **)&registration, NULL);
    if (error != CYAML_OK || registration == NULL) {
        doctor_say(doctor, FINDING_FAIL,
                   "%s: is no registration: %s; print it anew (gitterd registration)",
                   comparison.path, error == CYAML_OK ? "it is empty" : cyaml_strerror(error));
        return;
    }
    compare(&comparison, registration);
    (void)cyaml_free(&yaml, &registration_schema, registration, 0);
}
