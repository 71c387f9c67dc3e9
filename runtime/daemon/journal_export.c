/* gitterd journal export. */
#include "db/journal_reader.h"
#include "runtime/base/buf.h"
#include "runtime/daemon/bridge_parts.h"
#include "runtime/daemon/journal_file.h"
#include "runtime/daemon/journal_pick.h"

#include <inttypes.h>
#include <unistd.h>

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    ROW_BYTES = 256 * 1024,
    PROGRESS_MS = 500
};

struct export
{
    const struct journal_export *options;
    struct journal_reader *reader;
    struct journal_output output;
    struct journal_pick pick;
    struct arena *arena; /* of one row */
    int64_t told_ms;     /* progress, at a terminal */
};

static int complain(const struct export *export, struct slice what)
{
    (void)fprintf(stderr, "gitterd: %.*s: %.*s\n", SLICE_ARGS(export->options->database),
                  SLICE_ARGS(what));
    return EXIT_FAILED;
}

static void show_progress(struct export *export)
{
    const int64_t now_ms = bridge_now_ms(NULL);
    if (export->told_ms == 0) {
        export->told_ms = now_ms;
    }
    if (isatty(STDERR_FILENO) != 0 && now_ms - export->told_ms >= PROGRESS_MS) {
        export->told_ms = now_ms;
        (void)fprintf(stderr, "\r%3d %%", journal_reader_percent(export->reader));
    }
}

static enum rc export_row(struct export *export, struct slice entries)
{
    while (entries.len > 0) {
        struct journal_entry entry;
        struct slice out = SLICE_EMPTY;
        size_t len = 0;
        enum rc rc = journal_entry_read(entries, &entry, &len);
        if (rc == RC_OK) {
            rc = journal_pick_take(&export->pick, &entry, &out);
        }
        if (rc != RC_OK) {
            return RC_CORRUPT;
        }
        journal_output_put(&export->output, out);
        entries = slice_from(entries, len);
    }
    return RC_OK;
}

static enum rc export_all(struct export *export)
{
    struct buf head;
    struct slice entries = SLICE_EMPTY;
    enum rc rc = RC_OK;
    buf_init(&head, export->arena);
    journal_log_put(&head);
    journal_output_put(&export->output, buf_slice(&head));
    while (rc == RC_OK) {
        arena_reset(export->arena);
        rc = journal_reader_next(export->reader, export->arena, &entries);
        if (rc == RC_OK) {
            rc = export_row(export, entries);
        }
        show_progress(export);
    }
    if (isatty(STDERR_FILENO) != 0) {
        (void)fputs("\r", stderr);
    }
    return rc == RC_ABSENT ? RC_OK : rc;
}

int journal_export_run(const struct journal_export *options)
{
    struct export export = {.options = options, .arena = arena_open(ROW_BYTES)};
    struct slice error = SLICE_EMPTY;
    int status = EXIT_FAILED;
    if (journal_reader_open(export.arena, options->database, &export.reader, &error) != RC_OK) {
        status = complain(&export, error);
    } else if (journal_output_open(&export.output, options->file) == RC_OK) {
        journal_pick_open(&export.pick, options);
        const enum rc rc = export_all(&export);
        if (rc != RC_OK) {
            (void)complain(&export, slice_from_cstr(rc_text(rc)));
        }
        if (journal_output_close(&export.output, rc == RC_OK) == RC_OK && rc == RC_OK) {
            (void)printf("%s: %" PRId64 " turns\n", options->file, export.pick.turns);
            status = EXIT_DONE;
        }
        journal_pick_close(&export.pick);
    }
    journal_reader_close(export.reader);
    arena_close(export.arena);
    return status;
}
