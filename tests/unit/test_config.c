/* The configuration file: what is taken from it, and what is said against it. */
#include "runtime/base/buf.h"
#include "runtime/daemon/config.h"
#include "tests/unit/slice_check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct arena *arena;
static char path[] = "/tmp/gitterd-config-XXXXXX";
static struct config config;
static struct slice error;

/* A file that is complete. */
#define GOOD                                                                                       \
    "unique_secret_key: abcdefghijklmnop\n"                                                        \
    "matrix_homeserver_url: http://127.0.0.1:8008/\n"                                              \
    "matrix_homeserver_domain: example.org\n"                                                      \
    "matrix_botname: gitter\n"                                                                     \
    "matrix_appservice_token: as-token-0123456789\n"                                               \
    "matrix_homeserver_token: hs-token-0123456789\n"                                               \
    "matrix_appservice_port: 9898\n"                                                               \
    "gitter_login_port: 9899\n"                                                                    \
    "gitter_login_url: https://login.example.org\n"                                                \
    "gitter_oauth_key: key\n"                                                                      \
    "gitter_oauth_secret: secret\n"
enum {
    GOOD_LINES = 11
};

static void setup(void)
{
    arena = arena_open(64 * 1024);
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    error = SLICE_EMPTY;
}

static void teardown(void)
{
    (void)unlink(path);
    arena_close(arena);
}

static void write_file(const char *where, struct slice text)
{
    FILE *file = fopen(where, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text.ptr, 1, text.len, file), text.len);
    ck_assert_int_eq(fclose(file), 0);
}

static enum rc read_text(const char *text)
{
    write_file(path, slice_from_cstr(text));
    return config_read(arena, path, CONFIG_TO_RUN, &config, &error);
}

/* GOOD, with its line of that key replaced, or with the line behind it if there was none. */
static const char *good_but(const char *line)
{
    struct slice rest = SLICE(GOOD);
    struct buf out;
    bool is_put = false;
    const struct slice key =
        slice_first(slice_from_cstr(line), slice_find_byte(slice_from_cstr(line), ':') + 1);
    buf_init(&out, arena);
    while (rest.len > 0) {
        const struct slice old = slice_cut(&rest, '\n');
        const bool is_it = slice_starts_with(old, key);
        is_put = is_put || is_it;
        buf_put(&out, is_it ? slice_from_cstr(line) : old);
        BUF_PUT(&out, "\n");
    }
    if (!is_put) {
        buf_printf(&out, "%s\n", line);
    }
    return buf_slice(&out).ptr;
}

static bool error_has(const char *text)
{
    return slice_find(error, slice_from_cstr(text)) < error.len;
}

START_TEST(complete_file_is_taken_with_its_defaults)
{
    ck_rc_eq(read_text(GOOD), RC_OK);
    ck_text_empty(error);
    ck_text_eq(config.bot, "@gitter:example.org");
    ck_text_eq(config.matrix_homeserver_url, "http://127.0.0.1:8008");
    ck_text_eq(config.matrix_appservice_bind, "127.0.0.1");
    ck_text_eq(config.matrix_appservice_url, "http://127.0.0.1:9898");
    ck_text_eq(config.gitter_api_url, "https://api.gitter.im/v1");
    ck_text_eq(config.database, "database.sqlite");
    ck_assert_int_eq(config.login_invites_max, 20);
    ck_assert_int_eq(config.message_age_max, 86400);
    ck_assert_int_eq(config.owner_outbox_max, 10000);
    ck_assert_int_eq(config.owner_rooms_max, 0);
    ck_assert_int_eq(config.catch_up_messages, 2000);
    ck_assert_uint_eq(config.permissions.count, 0);
    ck_assert(!config.is_log_json);
}
END_TEST

START_TEST(file_that_is_not_there_is_named)
{
    ck_rc_eq(config_read(arena, "/nonexistent/gitterd.yaml", CONFIG_TO_RUN, &config, &error),
             RC_ABSENT);
    ck_assert(error_has("/nonexistent/gitterd.yaml: no such file; `gitterd init` makes one"));
}
END_TEST

/* What a line is replaced by, and what is said of it. */
static const struct {
    const char *line;
    const char *what;
} mistakes[] = {
    {"unique_secret_key: CHANGE_ME_PLEASE_NOW", "is still the sample value"},
    {"unique_secret_key: changeme", "is still the sample value"},
    {"unique_secret_key: short", "is too short: at least 16 characters"},
    {"unique_secret_key: ''", "is empty"},
    {"matrix_appservice_token: 'with blanks in between'", "may only have letters"},
    {"matrix_homeserver_token: as-token-0123456789", "is the same as matrix_appservice_token"},
    {"matrix_homeserver_url: localhost:8008", "is not a URL"},
    {"gitter_login_url: '/login'", "is not a URL"},
    {"permissions: ['@bob']", "permissions: may only have @user:domain, domain and *"},
    {"permissions: ['@bob:']", "may only have @user:domain, domain and *"},
    {"permissions: ['@bob:b.org', 'not a domain']", "may only have @user:domain, domain and *"},
    {"admins: ['*@b.org']", "admins: may only have @user:domain, domain and *"},
    {"metrics_port: 9898", "metrics_port: is the same as matrix_appservice_port"},
    {"metrics_port: 9899", "metrics_port: is the same as gitter_login_port"},
    {"gitter_faye_url: 'ftp://x'", "is not a URL"},
    {"matrix_homeserver_domain: 'not a name'", "is not a server name"},
    {"matrix_botname: Gitter", "may only have a-z"},
    {"matrix_botname: '@gitter:other.org'", "is of another domain"},
    {"matrix_botname: gitter_bot", "must not begin with gitter_"},
    {"matrix_appservice_port: none", "is not a whole number"},
    {"matrix_appservice_port: 65536", "must lie between 1 and 65535"},
    {"gitter_login_port: 0", "must lie between 1 and 65535"},
    {"gitter_login_port: 9898", "is the same as matrix_appservice_port"},
    {"gitter_login_rate: -1", "must lie between 0 and 1000000"},
    {"gitter_login_proxies: ['192.0.2.1', 'proxy.example']", "may only have numeric addresses"},
    {"gitter_login_proxies: ['192.0.2.1:80']", "may only have numeric addresses"},
    {"login_invites_max: -1", "must lie between 0 and 1000"},
    {"message_age_max: 1", "must lie between 60 and 2592000"},
    {"log_level: loud", "must be error, warn, info or debug"},
    {"log_format: xml", "must be text or json"},
    {"tls_certificate: cert.pem", "needs tls_key"},
    {"gitter_oauth_key: CHANGE_ME", "is still the sample value"},
    {"gitter_oauth_secret: ''", "is still the sample value"},
    {"no_such_key: 1", "unknown key"},
};

START_TEST(mistake_is_said_with_file_line_and_key)
{
    const char *line = mistakes[_i].line;
    const char *text = good_but(line);
    int number = 1;
    for (const char *at = text; strncmp(at, line, strlen(line)) != 0; at = strchr(at, '\n') + 1) {
        number++;
    }
    ck_rc_eq(read_text(text), RC_BAD_INPUT);
    const struct slice key =
        slice_first(slice_from_cstr(line), slice_find_byte(slice_from_cstr(line), ':'));
    const struct slice begin = arena_printf(arena, "%s:%d: %.*s: ", path, number, SLICE_ARGS(key));
    ck_assert_msg(error_has(begin.ptr) && error_has(mistakes[_i].what), "%s gave:\n%.*s", line,
                  SLICE_ARGS(error));
}
END_TEST

START_TEST(each_missing_key_is_named)
{
    ck_rc_eq(read_text("log_level: info\n"), RC_BAD_INPUT);
    static const char *const keys[] = {"unique_secret_key",        "matrix_homeserver_url",
                                       "matrix_homeserver_domain", "matrix_appservice_token",
                                       "matrix_homeserver_token",  "matrix_appservice_port",
                                       "gitter_login_port",        "gitter_login_url",
                                       "gitter_oauth_key",         "gitter_oauth_secret"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        ck_assert_msg(error_has(arena_printf(arena, "%s: %s: is missing", path, keys[i]).ptr),
                      "%s in:\n%.*s", keys[i], SLICE_ARGS(error));
    }
}
END_TEST

START_TEST(files_that_are_no_mapping_are_refused)
{
    static const char *const texts[] = {"",
                                        "- a\n- b\n",
                                        "just text\n",
                                        "a: [\n",
                                        "\tunique: x\n",
                                        "a: {b: c}\n",
                                        "log_level:\n  deeper: 1\n",
                                        "permissions: one\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_rc_eq(read_text(texts[i]), RC_BAD_INPUT);
        ck_assert_msg(error_has(path), "%s gave:\n%.*s", texts[i], SLICE_ARGS(error));
        ck_assert(slice_ends_with(error, SLICE("\n")));
    }
}
END_TEST

START_TEST(values_of_other_types_are_said_with_their_line)
{
    ck_rc_eq(read_text(GOOD "permissions: one\n"), RC_BAD_INPUT);
    ck_assert_msg(error_has(arena_printf(arena, "%s:%d:", path, GOOD_LINES + 1).ptr), "%.*s",
                  SLICE_ARGS(error));
}
END_TEST

START_TEST(several_mistakes_are_said_at_once)
{
    ck_rc_eq(read_text(good_but("log_level: loud\nlog_format: xml")), RC_BAD_INPUT);
    ck_assert(error_has("log_level: must be") && error_has("log_format: must be"));
}
END_TEST

START_TEST(environment_goes_before_the_file)
{
    const struct slice secret = arena_printf(arena, "%s.secret", path);
    ck_assert_int_eq(setenv("GITTERD_LOG_LEVEL", "debug", 1), 0);
    ck_assert_int_eq(setenv("GITTERD_LOGIN_INVITES_MAX", "3", 1), 0);
    ck_assert_int_eq(setenv("GITTERD_PERMISSIONS", "@a:b.org, c.org,,", 1), 0);
    ck_assert_int_eq(setenv("GITTERD_GITTER_OAUTH_SECRET_FILE", secret.ptr, 1), 0);
    write_file(secret.ptr, SLICE("from the file \nsecond line\n"));
    ck_rc_eq(read_text(GOOD "log_level: warn\n"), RC_OK);
    ck_text_eq(config.log_level, "debug");
    ck_assert_int_eq(config.login_invites_max, 3);
    ck_assert_uint_eq(config.permissions.count, 2);
    ck_text_eq(config.permissions.items[1], "c.org");
    ck_text_eq(config.gitter_oauth_secret, "from the file");
    (void)unlink(secret.ptr);
    ck_rc_eq(read_text(GOOD), RC_BAD_INPUT);
    ck_assert(error_has("GITTERD_GITTER_OAUTH_SECRET_FILE: cannot read"));
}
END_TEST

START_TEST(admins_are_those_who_are_named)
{
    ck_rc_eq(read_text(GOOD), RC_OK);
    ck_assert(!config_is_admin(&config, SLICE("@a:example.org")));
    ck_rc_eq(read_text(GOOD "admins:\n  - \"@a:example.org\"\n  - b.example\n"), RC_OK);
    ck_assert(config_is_admin(&config, SLICE("@a:example.org")));
    ck_assert(!config_is_admin(&config, SLICE("@aa:example.org")));
    ck_assert(config_is_admin(&config, SLICE("@any:b.example")));
    ck_assert(!config_is_admin(&config, SLICE("b.example")));
}
END_TEST

START_TEST(environment_alone_can_hold_a_key_the_file_lacks)
{
    ck_assert_int_eq(setenv("GITTERD_MATRIX_APPSERVICE_PORT", "7777", 1), 0);
    ck_rc_eq(read_text(good_but("matrix_appservice_port:")), RC_OK);
    ck_assert_int_eq(config.matrix_appservice_port, 7777);
}
END_TEST

/* Permissions */

static bool permits(const char *user)
{
    return config_is_permitted(&config, slice_from_cstr(user));
}

START_TEST(without_permissions_the_own_users_may)
{
    ck_rc_eq(read_text(GOOD), RC_OK);
    ck_assert(permits("@alice:example.org") && permits("@a/\xc3\xa9:example.org"));
    ck_assert(!permits("@alice:other.org") && !permits("@alice:example.org.evil"));
    ck_assert(!permits("alice") && !permits("") && !permits("@alice"));
}
END_TEST

START_TEST(permissions_name_users_domains_or_everybody)
{
    ck_rc_eq(read_text(GOOD "permissions: ['@bob:b.org', c.org]\n"), RC_OK);
    ck_assert(permits("@bob:b.org") && permits("@any:c.org"));
    ck_assert(!permits("@eve:b.org") && !permits("@alice:example.org"));
    ck_rc_eq(read_text(GOOD "permissions: ['*']\n"), RC_OK);
    ck_assert(permits("@eve:anywhere") && !permits("nobody"));
}
END_TEST

/* Printing */

static const struct config_secrets secrets = {
    .unique_secret_key = SLICE_INIT("0123456789abcdef0123456789abcdef"),
    .matrix_appservice_token = SLICE_INIT("fedcba9876543210fedcba9876543210"),
    .matrix_homeserver_token = SLICE_INIT("00112233445566778899aabbccddeeff"),
};

START_TEST(example_is_refused_until_it_is_filled_in)
{
    const struct slice text = config_example(arena, &secrets);
    ck_rc_eq(read_text(arena_cstr(arena, text)), RC_BAD_INPUT);
    ck_assert(!error_has("unique_secret_key") && !error_has("_token"));
    ck_assert(error_has("gitter_oauth_key") && error_has("gitter_oauth_secret"));
    ck_assert(!error_has("unknown key"));
    ck_rc_eq(config_read(arena, path, CONFIG_TO_PRINT, &config, &error), RC_OK);
    ck_slice_eq(config.unique_secret_key, secrets.unique_secret_key);
}
END_TEST

START_TEST(example_filled_in_is_taken)
{
    struct slice rest = config_example(arena, &secrets);
    struct buf out;
    buf_init(&out, arena);
    while (rest.ptr != NULL) { /* what still has a sample gets a value */
        const struct slice line = slice_cut(&rest, '\n');
        if (slice_starts_with(line, SLICE("gitter_oauth_key:"))) {
            BUF_PUT(&out, "gitter_oauth_key: k");
        } else if (slice_starts_with(line, SLICE("gitter_oauth_secret:"))) {
            BUF_PUT(&out, "gitter_oauth_secret: s");
        } else {
            buf_put(&out, line);
        }
        BUF_PUT(&out, "\n");
    }
    ck_rc_eq(read_text(buf_slice(&out).ptr), RC_OK);
    ck_slice_eq(config.matrix_homeserver_token, secrets.matrix_homeserver_token);
}
END_TEST

START_TEST(example_names_every_key)
{
    const struct slice text = config_example(arena, &secrets);
    static const char *const keys[] = {
#define KEY_TEXT(name, fallback, what) #name ":",
#define KEY_NUMBER(name, fallback, min, max, what) #name ":",
#define KEY_TEXTS(name, what) #name ":",
        CONFIG_LIST(KEY_TEXT, KEY_NUMBER, KEY_TEXTS)};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        ck_assert_msg(slice_find(text, slice_from_cstr(keys[i])) < text.len, "%s", keys[i]);
    }
}
END_TEST

START_TEST(registration_says_what_the_homeserver_must_know)
{
    ck_rc_eq(read_text(GOOD), RC_OK);
    const struct slice text = config_registration(arena, &config);
    static const char *const lines[] = {"id: gitterd\n",
                                        "url: \"http://127.0.0.1:9898\"\n",
                                        "as_token: \"as-token-0123456789\"\n",
                                        "hs_token: \"hs-token-0123456789\"\n",
                                        "sender_localpart: \"gitter\"\n",
                                        "rate_limited: false\n",
                                        "    - regex: '@gitter_.*:example\\.org'\n",
                                        "      exclusive: true\n",
                                        "    - regex: '@gitter:example\\.org'\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ck_assert_msg(slice_find(text, slice_from_cstr(lines[i])) < text.len, "no %s in\n%.*s",
                      lines[i], SLICE_ARGS(text));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, complete_file_is_taken_with_its_defaults);
    tcase_add_test(tests, file_that_is_not_there_is_named);
    tcase_add_loop_test(tests, mistake_is_said_with_file_line_and_key, 0,
                        (int)(sizeof mistakes / sizeof mistakes[0]));
    tcase_add_test(tests, each_missing_key_is_named);
    tcase_add_test(tests, files_that_are_no_mapping_are_refused);
    tcase_add_test(tests, values_of_other_types_are_said_with_their_line);
    tcase_add_test(tests, several_mistakes_are_said_at_once);
    tcase_add_test(tests, environment_goes_before_the_file);
    tcase_add_test(tests, admins_are_those_who_are_named);
    tcase_add_test(tests, environment_alone_can_hold_a_key_the_file_lacks);
    tcase_add_test(tests, without_permissions_the_own_users_may);
    tcase_add_test(tests, permissions_name_users_domains_or_everybody);
    tcase_add_test(tests, example_is_refused_until_it_is_filled_in);
    tcase_add_test(tests, example_filled_in_is_taken);
    tcase_add_test(tests, example_names_every_key);
    tcase_add_test(tests, registration_says_what_the_homeserver_must_know);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
