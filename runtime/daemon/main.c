/* gitterd: the command line. */
#include "actors/machine.h"
#include "db/secrets.h"
#include "runtime/base/buf.h"
#include "runtime/daemon/bridge.h"
#include "runtime/daemon/config.h"
#include "runtime/daemon/doctor.h"
#include "runtime/daemon/explain.h"
#include "runtime/daemon/journal_tool.h"
#include "runtime/daemon/replay.h"
#include "runtime/daemon/status.h"
#include "runtime/daemon/version.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    ARENA_BYTES = 16 * 1024,
    SECRET_BYTES = 32
};

struct command_line {
    const char *config;       /* path */
    const char *registration; /* path; NULL: none */
    bool is_dot;
    bool is_json;
    bool takes_new_key;
    const char *argument; /* the first behind the subcommand; NULL: none */
};

struct subcommand {
    const char *name;
    int (*run)(struct arena *arena, const struct command_line *line);
    const char *usage;
    const char *what;
    bool takes_argument;
    int (*run_itself)(int argc, char **argv); /* has options of its own; the others are NULL */
};

static void print(struct slice text)
{
    (void)fwrite(text.ptr, 1, text.len, stdout);
}

static enum rc read_config(struct arena *arena,
                           const struct command_line *line,
                           enum config_use use,
                           struct config *config)
{
    struct slice error = SLICE_EMPTY;
    const enum rc rc = config_read(arena, line->config, use, config, &error);
    if (rc != RC_OK) {
        (void)fprintf(stderr, "%.*s", SLICE_ARGS(error));
    }
    return rc;
}

static int run_daemon(struct arena *arena, const struct command_line *line)
{
    struct config config;
    return read_config(arena, line, CONFIG_TO_RUN, &config) == RC_OK
               ? bridge_run(&config, line->takes_new_key)
               : EXIT_USAGE;
}

static int run_registration(struct arena *arena, const struct command_line *line)
{
    struct config config;
    if (read_config(arena, line, CONFIG_TO_PRINT, &config) != RC_OK) {
        return EXIT_USAGE;
    }
    print(config_registration(arena, &config));
    return EXIT_DONE;
}

/* init: a configuration with fresh secrets */

static struct slice random_token(struct arena *arena, struct secrets *secrets)
{
    unsigned char random[SECRET_BYTES];
    struct buf hex;
    buf_init(&hex, arena);
    if (secrets_random(secrets, random, sizeof random) != RC_OK) {
        return SLICE_EMPTY;
    }
    for (size_t i = 0; i < sizeof random; i++) {
        buf_printf(&hex, "%02x", random[i]);
    }
    return buf_slice(&hex);
}

/* Never over a file that exists: it holds secrets that others depend on. */
static int write_new_file(const char *path, struct slice text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        (void)fprintf(stderr, "gitterd: %s: %s\n", path, strerror(errno));
        return EXIT_FAILED;
    }
    const ssize_t written = write(fd, text.ptr, text.len);
    if (close(fd) != 0 || written < 0 || (size_t)written != text.len) {
        (void)fprintf(stderr, "gitterd: %s: cannot be written\n", path);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

/* The registration beside the configuration, as the samples in it have it. */
static int write_registration(struct arena *arena, const struct command_line *line)
{
    struct config config;
    if (read_config(arena, line, CONFIG_TO_PRINT, &config) != RC_OK) {
        return EXIT_FAILED;
    }
    const char *slash = strrchr(line->config, '/');
    const int folder = slash == NULL ? 0 : (int)(slash - line->config) + 1;
    const char *path = arena_printf(arena, "%.*sregistration.yaml", folder, line->config).ptr;
    const int status = write_new_file(path, config_registration(arena, &config));
    if (status == EXIT_DONE) {
        (void)printf(
            "Wrote %s and %s.\n"
            "Put your own domain, addresses and OAuth application into the first; if you change\n"
            "anything about Matrix there, make the second anew:\n"
            "  gitterd registration -c %s > %s\n"
            "and list it under app_service_config_files of your homeserver.\n",
            line->config, path, line->config, path);
    }
    return status;
}

static int run_init(struct arena *arena, const struct command_line *line)
{
    struct secrets *secrets = NULL;
    if (secrets_open(SLICE("init"), &secrets) != RC_OK) {
        (void)fprintf(stderr, "gitterd: no random bytes to be had\n");
        return EXIT_FAILED;
    }
    const struct config_secrets fresh = {
        .unique_secret_key = random_token(arena, secrets),
        .matrix_appservice_token = random_token(arena, secrets),
        .matrix_homeserver_token = random_token(arena, secrets),
    };
    secrets_close(secrets);
    if (fresh.matrix_homeserver_token.len == 0) {
        (void)fprintf(stderr, "gitterd: no random bytes to be had\n");
        return EXIT_FAILED;
    }
    int status = write_new_file(line->config, config_example(arena, &fresh));
    if (status == EXIT_DONE) {
        status = write_registration(arena, line);
    }
    return status;
}

static int run_check(struct arena *arena, const struct command_line *line)
{
    struct config config;
    const struct doctor_options options = {
        .config = &config, .config_path = line->config, .registration = line->registration};
    return read_config(arena, line, CONFIG_TO_RUN, &config) == RC_OK ? doctor_run(arena, &options)
                                                                     : EXIT_USAGE;
}

/* machines: the state machines as tables or DOT */

static int run_machines(struct arena *arena, const struct command_line *line)
{
    struct buf out;
    bool is_found = false;
    buf_init(&out, arena);
    for (int kind = 0; kind < ACTOR_KINDS; kind++) {
        if (line->argument != NULL && strcmp(line->argument, machines[kind]->name) != 0) {
            continue;
        }
        if (line->is_dot) {
            fsm_print_dot(machines[kind], message_types, &out);
        } else {
            buf_put(&out, is_found ? SLICE("\n") : SLICE(""));
            fsm_print(machines[kind], message_types, &out);
        }
        is_found = true;
    }
    if (!is_found) {
        (void)fprintf(stderr, "gitterd: there is no machine called %s\n", line->argument);
        return EXIT_USAGE;
    }
    print(buf_slice(&out));
    return EXIT_DONE;
}

static int run_status(struct arena *arena, const struct command_line *line)
{
    struct config config;
    return read_config(arena, line, CONFIG_TO_PRINT, &config) == RC_OK
               ? status_run(arena, &config, line->is_json)
               : EXIT_USAGE;
}

static const struct subcommand subcommands[] = {
    {"run", run_daemon, "run [-c FILE]", "the daemon", false, NULL},
    {"init", run_init, "init [-c FILE]", "writes a commented configuration with fresh secrets",
     false, NULL},
    {"registration", run_registration, "registration [-c FILE]",
     "prints the registration for the homeserver", false, NULL},
    {"check", run_check, "check [-c FILE]", "says what is wrong, and how to mend it", false, NULL},
    {"status", run_status, "status [-c FILE] [--json]", "what a running daemon is doing", false,
     NULL},
    {"machines", run_machines, "machines [NAME] [--dot]", "prints the state machines", true, NULL},
    {"replay", NULL, "replay [--check] LOG", "runs a recorded log again; see replay --help", true,
     replay_main},
    {"explain", NULL, "explain [-c FILE] ID", "what became of one message or room", true,
     explain_main},
    {"journal", NULL, "journal export|compile ...", "writes such logs; see journal --help", true,
     journal_main},
};

/* Those that read their own command line. */
static const struct subcommand *find_tool(const char *name)
{
    for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++) {
        if (subcommands[i].run_itself != NULL && strcmp(name, subcommands[i].name) == 0) {
            return &subcommands[i];
        }
    }
    return NULL;
}

static void print_help(FILE *out)
{
    (void)fprintf(out, "gitterd: a bridge between Matrix and Gitter\n\nUsage:\n");
    for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++) {
        (void)fprintf(out, "  gitterd %-26s %s\n", subcommands[i].usage, subcommands[i].what);
    }
    (void)fprintf(
        out, "\nOptions:\n"
             "  -c, --config FILE     the configuration file (gitterd.yaml)\n"
             "  --registration FILE   for check: the homeserver's (registration.yaml beside that)\n"
             "  --json                for status: one JSON object\n"
             "  --new-secret-key      for run: give up what was sealed under another key\n"
             "  -h, --help            this text\n"
             "  -V, --version         the version\n"
             "\nExit status: 0, 1 when something failed, 2 for wrong usage or configuration.\n");
}

static int usage_error(const char *what, const char *name)
{
    (void)fprintf(stderr, "gitterd: %s%s; see gitterd --help\n", what, name);
    return EXIT_USAGE;
}

static int run_subcommand(const char *name, int argc, char **argv, struct command_line *line)
{
    for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++) {
        if (strcmp(name, subcommands[i].name) != 0) {
            continue;
        }
        if (argc > (subcommands[i].takes_argument ? 1 : 0)) {
            return usage_error("too many arguments for ", name);
        }
        line->argument = argc > 0 ? argv[0] : NULL;
        struct arena *arena = arena_open(ARENA_BYTES);
        const int status = subcommands[i].run(arena, line);
        arena_close(arena);
        return status;
    }
    return usage_error("no such command: ", name);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},   {"dot", no_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},           {"json", no_argument, NULL, 'j'},
        {"new-secret-key", no_argument, NULL, 'n'}, {"registration", required_argument, NULL, 'r'},
        {"version", no_argument, NULL, 'V'},        {NULL, 0, NULL, 0},
    };
    struct command_line line = {.config = "gitterd.yaml"};
    const struct subcommand *tool = argc > 1 ? find_tool(argv[1]) : NULL;
    int option = 0;
    if (tool != NULL) {
        return tool->run_itself(argc - 1, argv + 1);
    }
    while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            line.config = optarg;
            break;
        case 'd':
            line.is_dot = true;
            break;
        case 'h':
            print_help(stdout);
            return EXIT_DONE;
        case 'j':
            line.is_json = true;
            break;
        case 'n':
            line.takes_new_key = true;
            break;
        case 'r':
            line.registration = optarg;
            break;
        case 'V':
            (void)printf("gitterd %s\n", GITTERD_VERSION);
            return EXIT_DONE;
        default: /* getopt has said what is wrong */
            return EXIT_USAGE;
        }
    }
    if (optind >= argc) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    return run_subcommand(argv[optind], argc - optind - 1, argv + optind + 1, &line);
}
