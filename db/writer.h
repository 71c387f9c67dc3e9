/* db/writer.h: the connection that commits, with its statements and the transaction of a batch.
 *
 * It shares nothing with the reading side: it runs in a thread of its own (db/committer.h).
 *
 * Errors: what fails is rolled back as a whole; the writer is then as before.
 */
#ifndef GITTERD_DB_WRITER_H
#define GITTERD_DB_WRITER_H

#include "db/actors.h"
#include "db/journal.h"
#include "db/journal_forget.h"
#include "db/outbox.h"
#include "db/prune.h"
#include "db/reader.h"
#include "db/waiting.h"

struct writer {
    sqlite3 *db;
    struct secrets *secrets;
    struct arena *scratch; /* of one transaction */
    struct outbox_names names;
    int64_t last_ms;               /* as it was written last */
    struct actors_writing *actors; /* by kind */
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *rollback;
    sqlite3_stmt *set_next_turn;
    sqlite3_stmt *set_last_ms;
    sqlite3_stmt *relate[RELATIONS_COUNT];
    sqlite3_stmt *unrelate[RELATIONS_COUNT];
    sqlite3_stmt *unrelate_all[RELATIONS_COUNT];
    sqlite3_stmt *see;
    struct prune prune;
    sqlite3_stmt *add_call;
    sqlite3_stmt *find_call;
    sqlite3_stmt *end_call;
    /* Calls that the last commit took out of the outbox. */
    struct arena *ends_arena;
    struct waiting_end *ends;
    size_t ends_count;
    struct journal_writing journal;
    struct journal_forgetting forgetting;
};

/* Keeps db and secrets from the call on, whatever it gives: writer_clear closes them. */
NODISCARD enum rc writer_init(struct writer *writer,
                              sqlite3 *db,
                              struct secrets *secrets,
                              const struct outbox_names *names);
/* Fine on a writer that is all zero. */
void writer_clear(struct writer *writer);

/* The mark of an orderly stop. Durable on return; RC_FULL, RC_IO or RC_CORRUPT. */
NODISCARD enum rc writer_mark_clean(struct writer *writer);
NODISCARD enum rc writer_take_clean_mark(struct writer *writer, bool *was_clean);

/* RC_OK: durable. Else nothing is changed; RC_FULL, RC_IO or RC_CORRUPT, or RC_ABSENT when
 * the file is not at its path any more. */
NODISCARD enum rc writer_commit(struct writer *writer, const struct store_batch *batch);

#endif
