#include "runtime/daemon/replay.h"

#include "runtime/base/buf.h"
#include "runtime/daemon/journal_file.h"
#include "runtime/daemon/journal_print.h"
#include "runtime/daemon/replay_run.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_SAME = 0,
    EXIT_OTHERWISE = 1,
    EXIT_USAGE = 2,
    LINE_BYTES = 64 * 1024
};

struct options {
    const char *path;
    const char *actor; /* shows those turns alone */
    int64_t until;     /* 0: to the end */
    bool is_check;
    bool is_step;
    bool is_json;
    bool is_bless;
    bool is_lenient;
};

struct session {
    struct options options;
    struct journal_file file;
    struct journal_output output; /* of --bless */
    struct replay_run run;
    struct arena *arena; /* of one turn */
    int64_t turns;
    int64_t differences;
    bool has_left_out; /* some of the log, which could not be read */
};

static void print(const struct buf *out)
{
    (void)fwrite(out->ptr, 1, out->len, stdout);
}

/* Does a step or an input of the turn have to do with the actor of that key? */
static bool is_about(const struct journal_turn *turn, struct slice decisions, struct slice key)
{
    struct journal_input input;
    struct journal_item item;
    uint64_t count = 0;
    if (journal_input_read(turn->input, &input) == RC_OK && slice_equal(input.key, key)) {
        return true;
    }
    if (pack_take_array(&decisions, &count) != RC_OK) {
        return false;
    }
    while (decisions.len > 0 && journal_item_read(&decisions, &item) == RC_OK) {
        struct slice machine = SLICE_EMPTY;
        struct slice found = SLICE_EMPTY;
        if (slice_equal(item.name, SLICE("step")) &&
            pack_take_text(&item.rest, &machine) == RC_OK &&
            pack_take_text(&item.rest, &found) == RC_OK && slice_equal(found, key)) {
            return true;
        }
    }
    return false;
}

static void print_items(struct buf *out, const char *indent, struct slice items)
{
    struct journal_item item;
    uint64_t count = 0;
    if (pack_take_array(&items, &count) != RC_OK) {
        return;
    }
    while (items.len > 0 && journal_item_read(&items, &item) == RC_OK) {
        buf_printf(out, "%s", indent);
        journal_print_item(out, &item);
        BUF_PUT(out, "\n");
    }
}

/* All of a turn, and at a terminal not the next before Enter was pressed. */
static void show_closely(struct session *session,
                         const struct journal_turn *turn,
                         struct slice decisions,
                         struct buf *out)
{
    buf_printf(out, "%" PRId64 " ", turn->number);
    journal_print_time(out, turn->now_ms);
    BUF_PUT(out, " ");
    journal_print_input(out, turn);
    BUF_PUT(out, "\n  reads\n");
    print_items(out, "    ", turn->reads);
    BUF_PUT(out, "  decides\n");
    print_items(out, "    ", decisions);
    BUF_PUT(out, "  is then\n");
    replay_print_actors(&session->run, decisions, out);
    print(out);
    out->len = 0;
    if (isatty(STDIN_FILENO) != 0) {
        int c = 0;
        (void)fflush(stdout);
        do {
            c = getchar();
        } while (c != '\n' && c != EOF);
    }
}

static void show(struct session *session,
                 const struct journal_turn *turn,
                 const struct replay_outcome *outcome,
                 struct buf *out)
{
    const struct options *options = &session->options;
    const bool is_quiet = (options->is_check || options->is_bless) && !options->is_json;
    const bool is_wanted = options->actor == NULL ||
                           is_about(turn, outcome->decisions, slice_from_cstr(options->actor));
    if (is_quiet || !is_wanted) {
        return;
    }
    if (options->is_step) {
        show_closely(session, turn, outcome->decisions, out);
        return;
    }
    if (options->is_json) {
        journal_print_json(out, turn, outcome->decisions, replay_is_same(turn, outcome));
    } else {
        journal_print_turn(out, turn, outcome->decisions);
    }
    BUF_PUT(out, "\n");
    print(out);
    out->len = 0;
}

static void tell_difference(struct session *session,
                            const struct journal_turn *turn,
                            const struct replay_outcome *outcome,
                            struct buf *out)
{
    session->differences++;
    if (!session->options.is_check || session->options.is_json) {
        return;
    }
    buf_printf(out,
               "%s: turn %" PRId64 " (entry %" PRId64 " at byte %" PRId64 ") comes out otherwise\n",
               session->file.path, turn->number, session->file.number, session->file.offset);
    replay_explain(&session->run, turn, outcome, out);
    print(out);
    out->len = 0;
}

static void bless(struct session *session,
                  const struct journal_turn *turn,
                  const struct replay_outcome *outcome)
{
    struct buf entry;
    struct journal_turn blessed = *turn;
    blessed.decisions = outcome->decisions;
    blessed.reads = outcome->reads;
    buf_init(&entry, session->arena);
    journal_turn_put(&entry, &blessed);
    journal_output_put(&session->output, buf_slice(&entry));
}

/* RC_ABSENT: what was wanted has been seen. RC_CORRUPT: it cannot be read, which is said. */
static enum rc take_turn(struct session *session, const struct journal_entry *entry)
{
    struct journal_turn turn;
    struct replay_outcome outcome;
    struct buf out;
    arena_reset(session->arena);
    buf_init(&out, session->arena);
    if (journal_turn_read(entry, &turn) != RC_OK) {
        journal_file_refuse(&session->file);
        return RC_CORRUPT;
    }
    const enum rc rc = replay_turn(session->run.replay, &turn, &outcome);
    if (rc != RC_OK) { /* a message or a state that is not known any more */
        outcome =
            (struct replay_outcome){.rc = rc, .decisions = turn.decisions, .reads = turn.reads};
    }
    session->turns++;
    show(session, &turn, &outcome, &out);
    if (session->options.is_bless) {
        bless(session, &turn, &outcome);
    }
    if (!replay_is_same(&turn, &outcome)) {
        tell_difference(session, &turn, &outcome, &out);
        if (session->options.is_check) {
            return RC_ABSENT;
        }
    }
    return session->options.until == 0 || turn.number < session->options.until ? RC_OK : RC_ABSENT;
}

static enum rc take_entry(struct session *session, const struct journal_entry *entry)
{
    if (entry->kind == JOURNAL_TURN && session->run.has_begun) {
        return take_turn(session, entry);
    }
    if (session->options.is_bless) {
        journal_output_put(&session->output, entry->whole);
    }
    if (entry->kind == JOURNAL_PROCESS && replay_run_process(&session->run, entry) != RC_OK) {
        (void)fprintf(stderr, "gitterd: %s: entry %" PRId64 " has settings that cannot be read\n",
                      session->file.path, session->file.number);
    }
    return RC_OK;
}

static int finish(struct session *session, enum rc rc)
{
    const bool is_read = rc == RC_ABSENT;
    if (session->options.is_bless && journal_output_close(&session->output, is_read) != RC_OK) {
        return EXIT_USAGE;
    }
    if (!is_read) {
        return EXIT_USAGE;
    }
    if (session->options.is_check && session->differences > 0) {
        return EXIT_OTHERWISE;
    }
    if ((session->options.is_check || session->options.is_bless) && !session->options.is_json) {
        (void)printf("%s: %" PRId64 " turns, %" PRId64 " %s\n", session->file.path, session->turns,
                     session->differences, session->options.is_bless ? "blessed" : "differences");
    }
    return session->has_left_out ? EXIT_USAGE : EXIT_SAME;
}

static enum rc run(struct session *session)
{
    struct journal_entry entry;
    enum rc rc = RC_OK;
    if (session->options.is_bless) {
        struct buf head;
        buf_init(&head, session->arena);
        journal_log_put(&head);
        journal_output_put(&session->output, buf_slice(&head));
    }
    while (rc == RC_OK) {
        rc = journal_file_next(&session->file, &entry);
        rc = rc == RC_OK ? take_entry(session, &entry) : rc;
        while ((rc == RC_CORRUPT || rc == RC_AGAIN) && session->options.is_lenient) {
            session->has_left_out = true;
            rc = journal_file_next_section(&session->file, &entry);
            rc = rc == RC_OK ? take_entry(session, &entry) : rc;
        }
    }
    return rc;
}

static int replay_log(const struct options *options)
{
    struct session session = {.options = *options, .arena = arena_open(LINE_BYTES)};
    int status = EXIT_USAGE;
    if (journal_file_open(&session.file, options->path) == RC_OK &&
        (!options->is_bless || journal_output_open(&session.output, options->path) == RC_OK)) {
        replay_run_open(&session.run);
        status = finish(&session, run(&session));
        replay_run_close(&session.run);
    }
    journal_file_close(&session.file);
    arena_close(session.arena);
    return status;
}

static const char usage[] =
    "Usage: gitterd replay [OPTION ...] LOG\n\n"
    "Runs the turns of a log again and shows each on a line: input, actor, from -> to, effects.\n\n"
    "  --check       compares with what was recorded; the first difference ends it, status 1\n"
    "  --until TURN  as far as this turn\n"
    "  --actor KEY   shows only turns that this actor has a part in\n"
    "  --step        shows all of each turn; at a terminal Enter goes on\n"
    "  --json        one JSON object a turn, with all there is\n"
    "  --bless       writes the decisions made now into the log, never inputs\n"
    "  --lenient     where the log is damaged or cut off, goes on with the next whole section\n"
    "                (they begin with a process, and now and then) and says what it left out\n\n"
    "Exit status: 0, 1 for a difference, 2 for wrong usage or a log that cannot be read, or not\n"
    "all of it.\n";

static bool read_option(int option, struct options *options)
{
    switch (option) {
    case 'c':
        options->is_check = true;
        return true;
    case 'u':
        return slice_to_int(slice_from_cstr(optarg), &options->until) == RC_OK &&
               options->until > 0;
    case 'a':
        options->actor = optarg;
        return true;
    case 's':
        options->is_step = true;
        return true;
    case 'j':
        options->is_json = true;
        return true;
    case 'b':
        options->is_bless = true;
        return true;
    case 'l':
        options->is_lenient = true;
        return true;
    default: /* getopt has said what is wrong */
        return false;
    }
}

int replay_main(int argc, char **argv)
{
    static const struct option known[] = {
        {"check", no_argument, NULL, 'c'},
        {"until", required_argument, NULL, 'u'},
        {"actor", required_argument, NULL, 'a'},
        {"step", no_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"bless", no_argument, NULL, 'b'},
        {"lenient", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.path = NULL};
    int option = 0;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(usage, stdout);
            return EXIT_SAME;
        }
        if (!read_option(option, &options)) {
            (void)fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind + 1 != argc || (options.is_bless && (options.until != 0 || options.is_check))) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    options.path = argv[optind];
    return replay_log(&options);
}
