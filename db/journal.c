#include "db/journal.h"

enum rc journal_prepare_writing(sqlite3 *db, struct journal_writing *writing)
{
    const struct {
        sqlite3_stmt **statement;
        struct slice text;
    } wanted[] = {
        {&writing->add,
         SLICE("INSERT INTO journal (id, turn, time_ms, entry) VALUES (coalesce((SELECT "
               "id + length(entry) FROM journal ORDER BY id DESC LIMIT 1), 0), ?1, ?2, ?3)")},
        {&writing->end, SLICE("SELECT id + length(entry) FROM journal ORDER BY id DESC LIMIT 1")},
        {&writing->oldest, SLICE("SELECT id, time_ms FROM journal ORDER BY id LIMIT ?1")},
        {&writing->prune, SLICE("DELETE FROM journal WHERE id < ?1")},
    };
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < sizeof wanted / sizeof wanted[0]; i++) {
        rc = sql_prepare(db, wanted[i].text, wanted[i].statement);
    }
    return rc;
}

/* The id from which on rows are kept; 0: all of them. */
static enum rc find_kept(const struct journal_writing *writing, int64_t now_ms, int64_t *kept)
{
    struct query last = query_begin(writing->end);
    const int64_t end = query_row(&last) ? query_get_int(&last, 0) : 0;
    const enum rc rc = query_end(&last);
    *kept = 0;
    if (rc != RC_OK) {
        return rc;
    }
    struct query query = query_begin(writing->oldest);
    query_int(&query, JOURNAL_PRUNED_MAX + 1);
    while (query_row(&query)) {
        *kept = query_get_int(&query, 0);
        if (end - *kept <= writing->limits.bytes_max &&
            now_ms - query_get_int(&query, 1) <= writing->limits.age_ms) {
            break;
        }
    }
    return query_end(&query);
}

static enum rc add(const struct journal_writing *writing, const struct store_batch *batch)
{
    struct query query = query_begin(writing->add);
    query_int(&query, batch->journal_turn);
    query_int(&query, batch->now_ms);
    query_blob(&query, batch->journal);
    return query_run(&query);
}

enum rc journal_write(const struct journal_writing *writing, const struct store_batch *batch)
{
    int64_t kept = 0;
    enum rc rc = batch->journal.len > 0 ? add(writing, batch) : RC_OK;
    if (rc == RC_OK) {
        rc = find_kept(writing, batch->now_ms, &kept);
    }
    if (rc == RC_OK && kept > 0) {
        struct query query = query_begin(writing->prune);
        query_int(&query, kept);
        rc = query_run(&query);
    }
    return rc;
}
