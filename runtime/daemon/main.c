/* gitterd: the command line. */
#include "actors/machine.h"
#include "runtime/base/buf.h"
#include "runtime/daemon/bridge.h"
#include "runtime/daemon/config.h"
#include "runtime/daemon/doctor.h"
#include "runtime/daemon/explain.h"
#include "runtime/daemon/init.h"
#include "runtime/daemon/journal_tool.h"
#include "runtime/daemon/replay.h"
#include "runtime/daemon/status.h"
#include "runtime/daemon/version.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
    EXIT_DONE = 0,
    EXIT_USAGE = 2,
    ARENA_BYTES = 16 * 1024,
    LETTERS_MAX = 8
};

struct command_line {
    const char *config;       /* path */
    const char *registration; /* path; NULL: none */
    bool is_dot;
    bool is_json;
    bool takes_new_key;
    bool wants_help;
    char letters[LETTERS_MAX]; /* of the options that were given */
    const char *argument;      /* the first behind the subcommand; NULL: none */
};

struct subcommand {
    const char *name;
    int (*run)(struct arena *arena, const struct command_line *line);
    int (*run_itself)(int argc, char **argv); /* reads its own command line; `run` is NULL then */
    const char *letters;                      /* of the options it takes */
    bool takes_argument;
    const char *usage;
    const char *what; /* on one line, among the others */
    const char *more; /* on lines of its own */
};

static void print(struct slice text)
{
    (void)fwrite(text.ptr, 1, text.len, stdout);
}

static int run_daemon(struct arena *arena, const struct command_line *line)
{
    struct config config;
    return config_read_or_say(arena, line->config, CONFIG_TO_RUN, &config) == RC_OK
               ? bridge_run(&config, line->takes_new_key)
               : EXIT_USAGE;
}

static int run_init(struct arena *arena, const struct command_line *line)
{
    return init_run(arena, line->config);
}

static int run_registration(struct arena *arena, const struct command_line *line)
{
    struct config config;
    if (config_read_or_say(arena, line->config, CONFIG_TO_PRINT, &config) != RC_OK) {
        return EXIT_USAGE;
    }
    print(config_registration(arena, &config));
    return EXIT_DONE;
}

static int run_check(struct arena *arena, const struct command_line *line)
{
    struct config config;
    const struct doctor_options options = {
        .config = &config, .config_path = line->config, .registration = line->registration};
    return config_read_or_say(arena, line->config, CONFIG_TO_RUN, &config) == RC_OK
               ? doctor_run(arena, &options)
               : EXIT_USAGE;
}

static int run_status(struct arena *arena, const struct command_line *line)
{
    struct config config;
    return config_read_or_say(arena, line->config, CONFIG_TO_PRINT, &config) == RC_OK
               ? status_run(arena, &config, line->is_json)
               : EXIT_USAGE;
}

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
        (void)fprintf(stderr, "gitterd: no machine is called %s; see gitterd machines\n",
                      line->argument);
        return EXIT_USAGE;
    }
    print(buf_slice(&out));
    return EXIT_DONE;
}

static const struct subcommand subcommands[] = {
    {
        .name = "run",
        .run = run_daemon,
        .letters = "cn",
        .usage = "run [-c FILE]",
        .what = "the daemon",
        .more = "The daemon: bridges until SIGTERM or SIGINT, and then lets what is under way end, "
                "for\n"
                "10 s at most. Its log goes to standard error.\n",
    },
    {
        .name = "init",
        .run = run_init,
        .letters = "c",
        .usage = "init [-c FILE]",
        .what = "writes a commented configuration with fresh secrets",
        .more = "Writes a commented configuration with fresh secrets, and registration.yaml beside "
                "it.\n"
                "Neither may be there yet.\n",
    },
    {
        .name = "registration",
        .run = run_registration,
        .letters = "c",
        .usage = "registration [-c FILE]",
        .what = "prints the registration for the homeserver",
        .more = "Prints the registration for the homeserver, which reads it when it starts. To be "
                "made\n"
                "anew when anything about Matrix has changed in the configuration.\n",
    },
    {
        .name = "check",
        .run = run_check,
        .letters = "cr",
        .usage = "check [-c FILE]",
        .what = "says what is wrong, and how to mend it",
        .more =
            "Looks at configuration, database, ports and registration, asks the homeserver and\n"
            "Gitter, and says what is wrong and how to mend it. Changes nothing, and may be run\n"
            "beside the daemon.\n",
    },
    {
        .name = "status",
        .run = run_status,
        .letters = "cj",
        .usage = "status [-c FILE] [--json]",
        .what = "what a running daemon is doing",
        .more =
            "Shows users, rooms, connections, the calls that wait and the last warnings; exit\n"
            "status 1 while no daemon runs. What it counts in the database it shows even then.\n",
    },
    {
        .name = "machines",
        .run = run_machines,
        .letters = "d",
        .takes_argument = true,
        .usage = "machines [NAME] [--dot]",
        .what = "prints the state machines",
        .more = "Prints the state machines, or the one of that name: in which state which message "
                "does\n"
                "what.\n",
    },
    {
        .name = "replay",
        .run_itself = replay_main,
        .usage = "replay [--check] LOG",
        .what = "runs a recorded log again; see replay --help",
    },
    {
        .name = "explain",
        .run_itself = explain_main,
        .usage = "explain [-c FILE] ID",
        .what = "what became of one message or room",
    },
    {
        .name = "journal",
        .run_itself = journal_main,
        .usage = "journal export|compile ...",
        .what = "writes such logs; see journal --help",
    },
};

static const size_t subcommands_count = sizeof subcommands / sizeof subcommands[0];

static const struct {
    const char *letter;
    const char *usage;
} option_lines[] = {
    {"c", "-c, --config FILE    the configuration file (gitterd.yaml)"},
    {"r", "--registration FILE  the homeserver's (registration.yaml beside the configuration)"},
    {"j", "--json               one JSON object"},
    {"d", "--dot                for Graphviz, instead of tables"},
    {"n", "--new-secret-key     takes a new unique_secret_key; whatever was sealed under the old\n"
          "                       one is given up, so that everybody has to log in again"},
};

static const struct subcommand *find_subcommand(const char *name)
{
    for (size_t i = 0; i < subcommands_count; i++) {
        if (strcmp(name, subcommands[i].name) == 0) {
            return &subcommands[i];
        }
    }
    return NULL;
}

static void print_help(FILE *out)
{
    (void)fprintf(out, "gitterd: a bridge between Matrix and Gitter\n\nUsage:\n");
    for (size_t i = 0; i < subcommands_count; i++) {
        (void)fprintf(out, "  gitterd %-26s %s\n", subcommands[i].usage, subcommands[i].what);
    }
    (void)fprintf(out, "  gitterd %-26s %s\n", "help COMMAND", "more about one of them");
    (void)fprintf(
        out, "\nOptions:\n"
             "  -c, --config FILE    the configuration file (gitterd.yaml)\n"
             "  -h, --help           this text, or more about a command\n"
             "  -V, --version        the version\n"
             "\nExit status: 0, 1 when something failed, 2 for wrong usage or configuration.\n");
}

static int print_help_of(const struct subcommand *subcommand)
{
    if (subcommand->run_itself != NULL) {
        char name[] = "gitterd";
        char help[] = "--help";
        char *argv[] = {name, help, NULL};
        return subcommand->run_itself(2, argv);
    }
    (void)printf("Usage: gitterd %s\n\n%s\nOptions:\n", subcommand->usage, subcommand->more);
    for (size_t i = 0; i < sizeof option_lines / sizeof option_lines[0]; i++) {
        if (strstr(subcommand->letters, option_lines[i].letter) != NULL) {
            (void)printf("  %s\n", option_lines[i].usage);
        }
    }
    (void)printf(
        "\nExit status: 0, 1 when something failed, 2 for wrong usage or configuration.\n");
    return EXIT_DONE;
}

static int usage_error(const char *what, const char *name)
{
    (void)fprintf(stderr, "gitterd: %s%s; see gitterd --help\n", what, name);
    return EXIT_USAGE;
}

static int run_subcommand(const struct subcommand *subcommand, const struct command_line *line)
{
    const size_t known = strspn(line->letters, subcommand->letters);
    if (line->letters[known] != '\0') {
        (void)fprintf(stderr, "gitterd: %s takes no such option; see gitterd help %s\n",
                      subcommand->name, subcommand->name);
        return EXIT_USAGE;
    }
    struct arena *arena = arena_open(ARENA_BYTES);
    const int status = subcommand->run(arena, line);
    arena_close(arena);
    return status;
}

/* What stands on the command line apart from options. */
static int run_words(int count, char **words, struct command_line *line)
{
    const bool is_help = strcmp(words[0], "help") == 0;
    if (is_help && count == 1) {
        print_help(stdout);
        return EXIT_DONE;
    }
    const char *name = words[is_help ? 1 : 0];
    const struct subcommand *subcommand = find_subcommand(name);
    if (subcommand == NULL) {
        return usage_error("no such command: ", name);
    }
    if (is_help || line->wants_help) {
        return print_help_of(subcommand);
    }
    if (subcommand->run_itself != NULL) {
        return usage_error("options stand behind the command: ", name);
    }
    if (count > (subcommand->takes_argument ? 2 : 1)) {
        return usage_error("too many arguments for ", name);
    }
    line->argument = count > 1 ? words[1] : NULL;
    return run_subcommand(subcommand, line);
}

static bool take_option(int option, struct command_line *line)
{
    const size_t count = strlen(line->letters);
    switch (option) {
    case 'c':
        line->config = optarg;
        break;
    case 'd':
        line->is_dot = true;
        break;
    case 'j':
        line->is_json = true;
        break;
    case 'n':
        line->takes_new_key = true;
        break;
    case 'r':
        line->registration = optarg;
        break;
    case 'h':
        line->wants_help = true;
        return true;
    default: /* getopt has said what is wrong */
        return false;
    }
    if (strchr(line->letters, option) == NULL && count + 1 < sizeof line->letters) {
        line->letters[count] = (char)option;
    }
    return true;
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
    const struct subcommand *first = argc > 1 ? find_subcommand(argv[1]) : NULL;
    int option = 0;
    if (first != NULL && first->run_itself != NULL) {
        return first->run_itself(argc - 1, argv + 1);
    }
    while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        if (option == 'V') {
            (void)printf("gitterd %s\n", GITTERD_VERSION);
            return EXIT_DONE;
        }
        if (!take_option(option, &line)) {
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        return run_words(argc - optind, argv + optind, &line);
    }
    print_help(line.wants_help ? stdout : stderr);
    return line.wants_help ? EXIT_DONE : EXIT_USAGE;
}
