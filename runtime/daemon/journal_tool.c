#include "runtime/daemon/journal_tool.h"

#include "runtime/daemon/bridge_parts.h"
#include "runtime/daemon/config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    EXIT_DONE = 0,
    EXIT_USAGE = 2,
    ARENA_BYTES = 16 * 1024
};

static const char usage[] =
    "Usage: gitterd journal export [OPTION ...] FILE\n"
    "       gitterd journal compile JSONL FILE\n\n"
    "export writes what the database has journalled as a log for gitterd replay; the daemon may\n"
    "be running. compile makes a log of hand-written inputs (tests/replay/README.rst).\n\n"
    "  -c, --config FILE  the configuration file (gitterd.yaml)\n"
    "  --since TIME       from then on: 2026-11-23T22:10 (UTC), or 90m, 12h, 7d ago\n"
    "  --until TIME       up to then\n"
    "  --user USER        turns that have to do with this Matrix user\n"
    "  --room ROOM        with this room, by its Matrix or Gitter id\n"
    "  --redact           bodies of messages become as many x\n\n"
    "Exit status: 0, 1 when something failed, 2 for wrong usage or configuration.\n";

static bool parse_ago(const char *text, int64_t *ms)
{
    static const struct {
        char letter;
        int64_t ms;
    } units[] = {{'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    const size_t len = strlen(text);
    int64_t count = 0;
    for (size_t i = 0; len > 1 && i < sizeof units / sizeof units[0]; i++) {
        if (text[len - 1] == units[i].letter &&
            slice_to_int(slice_make(text, len - 1), &count) == RC_OK && count >= 0 &&
            count < 100000) {
            *ms = bridge_now_ms(NULL) - count * units[i].ms;
            return true;
        }
    }
    return false;
}

static bool parse_time(const char *text, int64_t *ms)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm tm = {.tm_sec = 0};
        const char *end = strptime(text, forms[i], &tm);
        if (end != NULL && (*end == '\0' || strcmp(end, "Z") == 0)) {
            *ms = (int64_t)timegm(&tm) * 1000;
            return true;
        }
    }
    return parse_ago(text, ms);
}

static bool read_option(int option, const char **config, struct journal_export *options)
{
    switch (option) {
    case 'c':
        *config = optarg;
        return true;
    case 's':
        return parse_time(optarg, &options->since_ms);
    case 't':
        return parse_time(optarg, &options->until_ms);
    case 'u':
        options->user = slice_from_cstr(optarg);
        return true;
    case 'r':
        options->room = slice_from_cstr(optarg);
        return true;
    case 'x':
        options->is_redacted = true;
        return true;
    default: /* getopt has said what is wrong */
        return false;
    }
}

static int run_export(const char *config_path, struct journal_export *options)
{
    struct arena *arena = arena_open(ARENA_BYTES);
    struct config config;
    int status = EXIT_USAGE;
    if (config_read_or_say(arena, config_path, CONFIG_TO_PRINT, &config) == RC_OK) {
        options->database = config.database;
        status = journal_export_run(options);
    }
    arena_close(arena);
    return status;
}

int journal_main(int argc, char **argv)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'}, {"since", required_argument, NULL, 's'},
        {"until", required_argument, NULL, 't'},  {"user", required_argument, NULL, 'u'},
        {"room", required_argument, NULL, 'r'},   {"redact", no_argument, NULL, 'x'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    struct journal_export options = {.file = NULL};
    const char *config = "gitterd.yaml";
    int option = 0;
    while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(usage, stdout);
            return EXIT_DONE;
        }
        if (!read_option(option, &config, &options)) {
            (void)fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    char **words = argv + optind;
    const int count = argc - optind;
    if (count == 2 && strcmp(words[0], "export") == 0) {
        options.file = words[1];
        return run_export(config, &options);
    }
    if (count == 3 && strcmp(words[0], "compile") == 0) {
        return journal_compile_run(words[1], words[2]);
    }
    (void)fputs(usage, stderr);
    return EXIT_USAGE;
}
