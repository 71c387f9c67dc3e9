#include "db/sweep.h"

enum {
    /* Rows looked at together, so that the statements are run seldom. */
    SWEPT_AT_ONCE = 256,
    /* Rows looked at for each one put in. A table that grows steadily keeps its rows for at most a
     * third longer than it must. */
    SWEPT_FOR_EACH = 4
};

/* Of a row; both empty: before the first. */
struct place {
    struct slice key;
    struct slice key_2;
    bool is_end; /* behind the last */
};

static enum rc prepare(sqlite3 *db, struct slice find, struct slice remove, struct sweep *sweep)
{
    /* at once after a start: processes that never live long sweep as well */
    sweep->owed = SWEPT_AT_ONCE;
    enum rc rc =
        sql_prepare(db, SLICE("SELECT swept, swept_2 FROM sweeps WHERE name = ?1"), &sweep->load);
    if (rc == RC_OK) {
        rc = sql_prepare(db, SLICE("UPDATE sweeps SET swept = ?1, swept_2 = ?2 WHERE name = ?3"),
                         &sweep->keep);
    }
    if (rc == RC_OK) {
        rc = sql_prepare(db, find, &sweep->find);
    }
    return rc == RC_OK ? sql_prepare(db, remove, &sweep->remove) : rc;
}

enum rc sweep_prepare_seen(sqlite3 *db, struct sweep *sweep)
{
    *sweep = (struct sweep){.table = SLICE("seen_events"), .key_columns = 1};
    return prepare(db,
                   SLICE("SELECT event_id FROM seen_events WHERE event_id > ?1 "
                         "ORDER BY event_id LIMIT 1 OFFSET ?2"),
                   SLICE("DELETE FROM seen_events WHERE event_id > ?1 AND event_id <= ?2 "
                         "AND seen_ms < ?3"),
                   sweep);
}

enum rc sweep_prepare_map(sqlite3 *db, struct sweep *sweep)
{
    *sweep = (struct sweep){.table = SLICE("message_map"), .key_columns = 2};
    return prepare(db,
                   SLICE("SELECT matrix_room, gitter_id FROM message_map "
                         "WHERE (matrix_room, gitter_id) > (?1, ?2) "
                         "ORDER BY matrix_room, gitter_id LIMIT 1 OFFSET ?3"),
                   SLICE("DELETE FROM message_map WHERE (matrix_room, gitter_id) > (?1, ?2) "
                         "AND (matrix_room, gitter_id) <= (?3, ?4) AND created_day < ?5"),
                   sweep);
}

static enum rc load(const struct sweep *sweep, struct arena *scratch, struct place *place)
{
    struct query query = query_begin(sweep->load);
    query_text(&query, sweep->table);
    if (query_row(&query)) {
        place->key = query_get_text(&query, 0, scratch);
        place->key_2 = query_get_text(&query, 1, scratch);
    }
    return query_end(&query);
}

static void bind(const struct sweep *sweep, struct query *query, const struct place *place)
{
    if (place->is_end) {
        query_blob(query, SLICE_EMPTY); /* SQLite orders it after all texts */
    } else {
        query_text(query, place->key);
    }
    if (sweep->key_columns == 2) {
        query_text(query, place->key_2);
    }
}

static enum rc
find(const struct sweep *sweep, struct arena *scratch, const struct place *from, struct place *to)
{
    struct query query = query_begin(sweep->find);
    bind(sweep, &query, from);
    query_int(&query, SWEPT_AT_ONCE - 1);
    if (!query_row(&query)) {
        to->is_end = true;
        return query_end(&query);
    }
    to->key = query_get_text(&query, 0, scratch);
    if (sweep->key_columns == 2) {
        to->key_2 = query_get_text(&query, 1, scratch);
    }
    return query_end(&query);
}

static enum rc keep(const struct sweep *sweep, const struct place *place)
{
    struct query query = query_begin(sweep->keep);
    query_text(&query, place->key); /* empty at the end: begins anew */
    query_text(&query, place->key_2);
    query_text(&query, sweep->table);
    return query_run(&query);
}

static enum rc step(const struct sweep *sweep, struct arena *scratch, int64_t first)
{
    struct place from = {.is_end = false};
    struct place to = {.is_end = false};
    enum rc rc = load(sweep, scratch, &from);
    if (rc == RC_OK) {
        rc = find(sweep, scratch, &from, &to);
    }
    if (rc == RC_OK) {
        struct query query = query_begin(sweep->remove);
        bind(sweep, &query, &from);
        bind(sweep, &query, &to);
        query_int(&query, first);
        rc = query_run(&query);
    }
    return rc == RC_OK ? keep(sweep, &to) : rc;
}

enum rc sweep_go_on(struct sweep *sweep, struct arena *scratch, size_t rows, int64_t first)
{
    enum rc rc = RC_OK;
    sweep->owed += (int64_t)rows * SWEPT_FOR_EACH;
    while (rc == RC_OK && rows > 0 && sweep->owed >= SWEPT_AT_ONCE) {
        sweep->owed -= SWEPT_AT_ONCE;
        rc = step(sweep, scratch, first);
    }
    return rc;
}
