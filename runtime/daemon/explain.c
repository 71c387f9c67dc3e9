#include "runtime/daemon/explain.h"

#include "actors/messages.h"
#include "codecs/url.h"
#include "db/journal_reader.h"
#include "runtime/base/buf.h"
#include "runtime/daemon/config.h"
#include "runtime/daemon/journal_print.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    EXIT_FOUND = 0,
    EXIT_NOTHING = 1,
    EXIT_USAGE = 2,
    ARENA_BYTES = 64 * 1024,
    WORDS_MAX = 16,
    ID_BYTES_MIN = 4 /* a shorter text is a part of nearly every id */
};

/* A call that was declared for what is looked for. */
struct traced_call {
    int64_t id;
    int64_t declared_ms;
    struct slice what;
    struct slice end; /* how it ended; empty: it has not */
};

struct explain {
    struct arena *arena; /* of what lasts */
    struct arena *turn;  /* of the turn at hand */
    struct slice
        words[WORDS_MAX]; /* the id, others that stand for the same, as they are and encoded */
    size_t words_count;
    struct traced_call *calls;
    size_t calls_count;
    size_t calls_cap;
    int64_t turns;
    bool is_learning; /* the first time through: under which ids is it known? */
};

static void add_word(struct explain *explain, struct slice word)
{
    const struct slice forms[] = {word, url_encode(explain->arena, word)};
    for (size_t f = 0; f < 2 && word.len > 3; f++) {
        bool is_known = explain->words_count == WORDS_MAX;
        for (size_t i = 0; i < explain->words_count; i++) {
            is_known = is_known || slice_equal(explain->words[i], forms[f]);
        }
        if (!is_known) {
            explain->words[explain->words_count++] = arena_copy(explain->arena, forms[f]);
        }
    }
}

static bool has_word(const struct explain *explain, struct slice bytes)
{
    for (size_t i = 0; i < explain->words_count; i++) {
        if (slice_find(bytes, explain->words[i]) < bytes.len) {
            return true;
        }
    }
    return false;
}

static bool is_word(const struct explain *explain, struct slice text)
{
    for (size_t i = 0; i < explain->words_count; i++) {
        if (slice_equal(explain->words[i], text)) {
            return true;
        }
    }
    return false;
}

/* ["relate", relation, room, Gitter id, "own $event"]: two names of one message. */
static void learn(struct explain *explain, const struct journal_item *item)
{
    struct slice rest = item->rest;
    struct slice texts[4] = {{.ptr = NULL}};
    if (!slice_equal(item->name, SLICE("relate"))) {
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        if (pack_take_text(&rest, &texts[i]) != RC_OK) {
            return;
        }
    }
    const size_t sigil = slice_find_byte(texts[3], '$');
    const struct slice event_id = slice_from(texts[3], sigil);
    if (sigil < texts[3].len && (is_word(explain, texts[2]) || is_word(explain, event_id))) {
        add_word(explain, texts[2]);
        add_word(explain, event_id);
    }
}

static void learn_all(struct explain *explain, struct slice decisions)
{
    struct journal_item item;
    uint64_t count = 0;
    if (pack_take_array(&decisions, &count) != RC_OK) {
        return;
    }
    while (decisions.len > 0 && journal_item_read(&decisions, &item) == RC_OK) {
        learn(explain, &item);
    }
}

static struct traced_call *find_call(struct explain *explain, int64_t id)
{
    for (size_t i = 0; i < explain->calls_count; i++) {
        if (explain->calls[i].id == id) {
            return &explain->calls[i];
        }
    }
    return NULL;
}

static void add_call(struct explain *explain, const struct journal_turn *turn, struct slice rest)
{
    int64_t number = 0;
    struct slice texts[4] = {{.ptr = NULL}}; /* purpose, lane, method, path */
    bool is_read = pack_take_int(&rest, &number) == RC_OK;
    for (size_t i = 0; is_read && i < 4; i++) {
        is_read = pack_take_text(&rest, &texts[i]) == RC_OK;
    }
    if (!is_read) {
        return;
    }
    if (explain->calls_count == explain->calls_cap) {
        const size_t cap = explain->calls_cap == 0 ? 16 : explain->calls_cap * 2;
        explain->calls =
            arena_grow(explain->arena, explain->calls, explain->calls_cap * sizeof *explain->calls,
                       cap * sizeof *explain->calls);
        explain->calls_cap = cap;
    }
    explain->calls[explain->calls_count++] = (struct traced_call){
        .id = turn->number * JOURNAL_CALLS_PER_TURN + number,
        .declared_ms = turn->now_ms,
        .what = arena_printf(explain->arena, "%.*s %.*s %.*s", SLICE_ARGS(texts[0]),
                             SLICE_ARGS(texts[2]), SLICE_ARGS(texts[3])),
    };
}

/* ["cancel", [id, ...]] */
static void note_cancelled(struct explain *explain, struct slice rest)
{
    uint64_t count = 0;
    int64_t id = 0;
    if (pack_take_array(&rest, &count) != RC_OK) {
        return;
    }
    for (uint64_t i = 0; i < count && pack_take_int(&rest, &id) == RC_OK; i++) {
        struct traced_call *call = find_call(explain, id);
        if (call != NULL) {
            call->end = SLICE("cancelled");
        }
    }
}

static struct slice end_of(struct explain *explain, const struct journal_input *input)
{
    static const char *const ends[] = {"done", "failed", "unknown"};
    struct call_ended ended = {.end = 0};
    if (record_unpack(&call_ended_record, input->body, &ended) != RC_OK || ended.end < 0 ||
        ended.end > CALL_END_UNKNOWN) {
        return SLICE("ended");
    }
    return arena_printf(explain->arena, "%s %" PRId64 " %.*s", ends[ended.end], ended.status,
                        SLICE_ARGS(ended.detail));
}

/* Steps, and the effects that are about it: of a page of a hundred messages those of one. */
static void
print_turn(struct explain *explain, const struct journal_turn *turn, bool is_whole, struct buf *out)
{
    struct slice decisions = turn->decisions;
    struct journal_item item;
    uint64_t count = 0;
    journal_print_time(out, turn->now_ms);
    buf_printf(out, " turn %" PRId64 ": ", turn->number);
    journal_print_input(out, turn);
    BUF_PUT(out, "\n");
    if (pack_take_array(&decisions, &count) != RC_OK) {
        return;
    }
    while (decisions.len > 0 && journal_item_read(&decisions, &item) == RC_OK) {
        const bool is_step = slice_equal(item.name, SLICE("step"));
        if (slice_equal(item.name, SLICE("cancel"))) {
            note_cancelled(explain, item.rest);
        }
        if (slice_equal(item.name, SLICE("became")) ||
            !(is_step || is_whole || has_word(explain, item.whole))) {
            continue;
        }
        if (slice_equal(item.name, SLICE("call"))) {
            add_call(explain, turn, item.rest);
        }
        BUF_PUT(out, "    ");
        journal_print_item(out, &item);
        BUF_PUT(out, "\n");
    }
}

static void take_turn(struct explain *explain, const struct journal_turn *turn)
{
    struct journal_input input;
    struct buf out;
    if (journal_input_read(turn->input, &input) != RC_OK) {
        return;
    }
    struct traced_call *call =
        input.how == JOURNAL_ENDED ? find_call(explain, input.call_id) : NULL;
    const bool is_input = has_word(explain, turn->input);
    if (call == NULL && !is_input && !has_word(explain, turn->decisions)) {
        return;
    }
    if (explain->is_learning) {
        learn_all(explain, turn->decisions);
        return;
    }
    /* what was read may be many messages; what was said is one */
    const bool is_one = slice_equal(input.message, SLICE("MATRIX_EVENT")) ||
                        slice_equal(input.message, SLICE("LINK_RECORD"));
    const bool is_whole = call != NULL || (is_input && is_one);
    if (!is_whole && !has_word(explain, turn->decisions)) {
        return;
    }
    buf_init(&out, explain->turn);
    explain->turns++;
    print_turn(explain, turn, is_whole, &out);
    if (call != NULL) {
        call->end = end_of(explain, &input);
        buf_printf(&out, "    after %" PRId64 " ms\n", turn->now_ms - call->declared_ms);
    }
    (void)fwrite(out.ptr, 1, out.len, stdout);
}

static enum rc take_entries(struct explain *explain, struct slice entries)
{
    while (entries.len > 0) {
        struct journal_entry entry;
        struct journal_turn turn;
        size_t len = 0;
        enum rc rc = journal_entry_read(entries, &entry, &len);
        if (rc == RC_OK && entry.kind == JOURNAL_TURN) {
            rc = journal_turn_read(&entry, &turn);
        }
        if (rc != RC_OK) {
            return RC_CORRUPT;
        }
        if (entry.kind == JOURNAL_TURN) {
            take_turn(explain, &turn);
        }
        entries = slice_from(entries, len);
    }
    return RC_OK;
}

static enum rc go_through(struct explain *explain, struct slice database)
{
    struct arena *row = arena_open(ARENA_BYTES);
    struct journal_reader *reader = NULL;
    struct slice text = SLICE_EMPTY;
    enum rc rc = journal_reader_open(row, database, &reader, &text);
    if (rc != RC_OK) {
        (void)fprintf(stderr, "gitterd: %.*s: %.*s\n", SLICE_ARGS(database), SLICE_ARGS(text));
    }
    while (rc == RC_OK) {
        arena_reset(row);
        arena_reset(explain->turn);
        rc = journal_reader_next(reader, row, &text);
        if (rc == RC_OK) {
            rc = take_entries(explain, text);
        }
        if (rc != RC_OK && rc != RC_ABSENT) {
            (void)fprintf(stderr, "gitterd: %.*s: %s\n", SLICE_ARGS(database), rc_text(rc));
        }
    }
    journal_reader_close(reader);
    arena_close(row);
    return rc == RC_ABSENT && reader != NULL ? RC_OK : RC_IO;
}

static int conclude(const struct explain *explain, const char *id)
{
    if (explain->turns == 0) {
        (void)printf("The journal has nothing of %s.\n", id);
        return EXIT_NOTHING;
    }
    for (size_t i = 0; i < explain->calls_count; i++) {
        const struct traced_call *call = &explain->calls[i];
        const struct slice end = call->end.len > 0 ? slice_trim(call->end) : SLICE("not ended");
        (void)printf("call %" PRId64 ".%" PRId64 " %.*s: %.*s\n", call->id / JOURNAL_CALLS_PER_TURN,
                     call->id % JOURNAL_CALLS_PER_TURN, SLICE_ARGS(call->what), SLICE_ARGS(end));
    }
    (void)printf("%" PRId64 " turns, %zu calls\n", explain->turns, explain->calls_count);
    return EXIT_FOUND;
}

static int explain_id(struct slice database, const char *id)
{
    struct explain explain = {
        .arena = arena_open(ARENA_BYTES), .turn = arena_open(ARENA_BYTES), .is_learning = true};
    int status = EXIT_NOTHING;
    add_word(&explain, slice_from_cstr(id));
    if (go_through(&explain, database) == RC_OK) {
        explain.is_learning = false;
        if (go_through(&explain, database) == RC_OK) {
            status = conclude(&explain, id);
        }
    }
    arena_close(explain.arena);
    arena_close(explain.turn);
    return status;
}

static const char usage[] =
    "Usage: gitterd explain [-c FILE] EVENT_ID|GITTER_ID|ROOM\n\n"
    "Follows a message, by its Matrix event id or its id on Gitter, or a room through the "
    "journal:\n"
    "when it came, what was decided, each call and how it ended, or that it has not.\n\n"
    "  -c, --config FILE  the configuration file (gitterd.yaml)\n\n"
    "Exit status: 0, 1 when the journal has nothing of it, 2 for wrong usage or configuration.\n";

int explain_main(int argc, char **argv)
{
    static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct config config;
    const char *path = "gitterd.yaml";
    int option = 0;
    while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(usage, stdout);
            return EXIT_FOUND;
        }
        if (option != 'c') {
            (void)fputs(usage, stderr);
            return EXIT_USAGE;
        }
        path = optarg;
    }
    if (optind + 1 == argc && strlen(argv[optind]) < ID_BYTES_MIN) {
        (void)fprintf(stderr, "gitterd: %s: too short for an id; give it as a whole\n",
                      argv[optind]);
        return EXIT_USAGE;
    }
    if (optind + 1 != argc) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    struct arena *arena = arena_open(ARENA_BYTES);
    int status = EXIT_USAGE;
    if (config_read_or_say(arena, path, CONFIG_TO_PRINT, &config) == RC_OK) {
        status = explain_id(config.database, argv[optind]);
    }
    arena_close(arena);
    return status;
}
