#include "db/reader.h"

#include "runtime/base/check.h"

#include <stdlib.h>

struct relation_sql {
    struct slice related;
    struct slice by_value;
    struct slice relations;
};

static const struct relation_sql relation_sql[RELATIONS_COUNT] = {
    [RELATION_GHOST_ROOM] =
        {
            SLICE_INIT("SELECT value FROM ghost_rooms WHERE matrix_room = ?1 AND ghost = ?2"),
            SLICE_INIT("SELECT ghost FROM ghost_rooms WHERE matrix_room = ?1 AND value = ?2 "
                       "ORDER BY ghost LIMIT 1"),
            SLICE_INIT("SELECT ghost FROM ghost_rooms WHERE matrix_room = ?1 AND ghost > ?2 "
                       "ORDER BY ghost LIMIT ?3"),
        },
    [RELATION_MESSAGE_MAP] =
        {
            SLICE_INIT("SELECT event_id FROM message_map "
                       "WHERE matrix_room = ?1 AND gitter_id = ?2"),
            SLICE_INIT("SELECT gitter_id FROM message_map "
                       "WHERE matrix_room = ?1 AND event_id = ?2 AND event_id <> '' "
                       "ORDER BY gitter_id LIMIT 1"),
            SLICE_INIT("SELECT gitter_id FROM message_map "
                       "WHERE matrix_room = ?1 AND gitter_id > ?2 ORDER BY gitter_id LIMIT ?3"),
        },
};

static enum rc reader_prepare_fixed(struct reader *reader)
{
    const struct sql_wanted wanted[] = {
        {&reader->begin, SLICE("BEGIN")},
        {&reader->commit, SLICE("COMMIT")},
        {&reader->next_turn, SLICE("SELECT value FROM meta WHERE key = 'next_turn'")},
        {&reader->last_ms, SLICE("SELECT value FROM meta WHERE key = 'last_ms'")},
        {&reader->seen, SLICE("SELECT 1 FROM seen_events WHERE event_id = ?1")},
        {&reader->lane_next,
         SLICE("SELECT " OUTBOX_COLUMNS
               " FROM outbox WHERE lane > ?1 ORDER BY lane, place, id LIMIT 1")},
        {&reader->lane_head,
         SLICE("SELECT " OUTBOX_COLUMNS " FROM outbox WHERE lane = ?1 ORDER BY place, id LIMIT 1")},
        {&reader->lane_all,
         SLICE("SELECT id FROM outbox WHERE lane = ?1 ORDER BY place, id LIMIT ?2")},
        {&reader->lane_by_ref, SLICE("SELECT id FROM outbox WHERE lane = ?1 AND "
                                     "(ref = ?2 OR substr(ref, 1, length(?2) + 1) = ?2 || '|') "
                                     "ORDER BY place, id LIMIT ?3")},
    };
    return sql_prepare_all(reader->db, wanted, sizeof wanted / sizeof wanted[0]);
}

static enum rc reader_prepare_relations(struct reader *reader)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < RELATIONS_COUNT; i++) {
        const struct sql_wanted wanted[] = {
            {&reader->related[i], relation_sql[i].related},
            {&reader->by_value[i], relation_sql[i].by_value},
            {&reader->relations[i], relation_sql[i].relations},
        };
        rc = sql_prepare_all(reader->db, wanted, sizeof wanted / sizeof wanted[0]);
    }
    return rc;
}

static enum rc reader_prepare_actors(struct reader *reader, struct arena *scratch)
{
    const struct store_table *tables = reader->names.tables;
    const size_t count = reader->names.tables_count;
    enum rc rc = actors_prepare_due(reader->db, tables, count, scratch, &reader->due);
    if (rc == RC_OK) {
        rc = actors_prepare_next(reader->db, tables, count, scratch, &reader->next_deadline);
    }
    for (size_t kind = 0; rc == RC_OK && kind < count; kind++) {
        rc = actors_prepare_reading(reader->db, &tables[kind], scratch, &reader->actors[kind]);
    }
    return rc;
}

enum rc reader_init(struct reader *reader,
                    sqlite3 *db,
                    struct secrets *secrets,
                    const struct outbox_names *names,
                    struct arena *scratch)
{
    reader->through = reader;
    reader->db = db;
    reader->secrets = secrets;
    reader->names = *names;
    reader->actors = calloc(names->tables_count, sizeof *reader->actors);
    if (reader->actors == NULL) {
        return RC_FULL;
    }
    enum rc rc = reader_prepare_fixed(reader);
    if (rc == RC_OK) {
        rc = reader_prepare_relations(reader);
    }
    if (rc == RC_OK) {
        rc = reader_prepare_actors(reader, scratch);
    }
    return rc;
}

void reader_clear(struct reader *reader)
{
    free(reader->actors);
    secrets_close(reader->secrets);
    if (reader->db != NULL) {
        sql_close(reader->db);
    }
    *reader = (struct reader){.db = NULL};
}

static const struct reader *reader_of(struct store *store)
{
    return ((struct reader *)store)->through;
}

static const struct reader *reader_of_kind(struct store *store, int kind)
{
    const struct reader *reader = reader_of(store);
    CHECK(kind >= 0 && (size_t)kind < reader->names.tables_count);
    return reader;
}

/* Ends a query that gives one number or none. */
static enum rc number_end(struct query *query, int64_t *number)
{
    const bool is_there = query_row(query);
    if (is_there) {
        *number = query_get_int(query, 0);
    }
    const enum rc rc = query_end(query);
    return rc == RC_OK && !is_there ? RC_ABSENT : rc;
}

/* Ends a query that gives one text or none. */
static enum rc text_end(struct query *query, struct arena *arena, struct slice *text)
{
    const bool is_there = query_row(query);
    if (is_there) {
        *text = query_get_text(query, 0, arena);
    }
    const enum rc rc = query_end(query);
    return rc == RC_OK && !is_there ? RC_ABSENT : rc;
}

/* Without a transaction each read takes and drops the locks of the file by itself. One that cannot
 * be begun, or was ended by a read that failed, is no loss. */
void reader_hold(struct store *store, bool is_held)
{
    const struct reader *reader = reader_of(store);
    const bool was_held = sqlite3_get_autocommit(reader->db) == 0;
    if (is_held != was_held) {
        struct query query = query_begin(is_held ? reader->begin : reader->commit);
        const enum rc rc = query_run(&query);
        CHECK(rc == RC_OK || sqlite3_get_autocommit(reader->db) != 0);
    }
}

enum rc reader_next_turn(struct store *store, int64_t *turn)
{
    struct query query = query_begin(reader_of(store)->next_turn);
    const enum rc rc = number_end(&query, turn);
    return rc == RC_ABSENT ? RC_CORRUPT : rc;
}

enum rc reader_last_ms(struct store *store, int64_t *ms)
{
    struct query query = query_begin(reader_of(store)->last_ms);
    const enum rc rc = number_end(&query, ms);
    return rc == RC_ABSENT ? RC_CORRUPT : rc;
}

enum rc reader_load(
    struct store *store, int kind, struct slice key, struct arena *arena, struct store_actor *out)
{
    const struct reader *reader = reader_of_kind(store, kind);
    *out = (struct store_actor){.kind = kind, .key = arena_copy(arena, key)};
    return actors_load(&reader->actors[kind], &reader->names.tables[kind], reader->secrets, arena,
                       out);
}

enum rc reader_find(struct store *store,
                    int kind,
                    int column,
                    struct slice value,
                    struct arena *arena,
                    struct store_found *out,
                    size_t max,
                    size_t *count)
{
    const struct reader *reader = reader_of_kind(store, kind);
    CHECK(column >= 0 && (size_t)column < reader->names.tables[kind].columns_count);
    return actors_find(reader->actors[kind].find[column], value, arena, out, max, count);
}

enum rc reader_list(struct store *store,
                    int kind,
                    struct slice after,
                    struct arena *arena,
                    struct store_found *out,
                    size_t max,
                    size_t *count)
{
    const struct reader *reader = reader_of_kind(store, kind);
    return actors_find(reader->actors[kind].list, after, arena, out, max, count);
}

enum rc reader_related(struct store *store,
                       enum relation relation,
                       struct slice left,
                       struct slice right,
                       struct arena *arena,
                       struct slice *value)
{
    struct query query = query_begin(reader_of(store)->related[relation]);
    query_text(&query, left);
    query_text(&query, right);
    return text_end(&query, arena, value);
}

enum rc reader_related_by_value(struct store *store,
                                enum relation relation,
                                struct slice left,
                                struct slice value,
                                struct arena *arena,
                                struct slice *right)
{
    if (value.len == 0) {
        return RC_ABSENT;
    }
    struct query query = query_begin(reader_of(store)->by_value[relation]);
    query_text(&query, left);
    query_text(&query, value);
    return text_end(&query, arena, right);
}

enum rc reader_relations(struct store *store,
                         enum relation relation,
                         struct slice left,
                         struct slice after,
                         struct arena *arena,
                         struct slice *out,
                         size_t max,
                         size_t *count)
{
    struct query query = query_begin(reader_of(store)->relations[relation]);
    query_text(&query, left);
    query_text(&query, after);
    query_size(&query, max);
    *count = 0;
    while (query_row(&query)) {
        CHECK(*count < max);
        out[(*count)++] = query_get_text(&query, 0, arena);
    }
    return query_end(&query);
}

enum rc reader_seen(struct store *store, struct slice event_id)
{
    struct query query = query_begin(reader_of(store)->seen);
    query_text(&query, event_id);
    int64_t one = 0;
    return number_end(&query, &one);
}

enum rc reader_due(struct store *store,
                   int64_t now_ms,
                   struct arena *arena,
                   struct store_actor *out,
                   size_t max,
                   size_t *count)
{
    struct query query = query_begin(reader_of(store)->due);
    query_int(&query, now_ms);
    query_size(&query, max);
    *count = 0;
    enum rc rc = RC_OK;
    /* the rows are loaded while the query is open, so all of it reads the same moment */
    while (rc == RC_OK && query_row(&query)) {
        CHECK(*count < max);
        const int kind = (int)query_get_int(&query, 1);
        rc = reader_load(store, kind, query_peek_text(&query, 2), arena, &out[*count]);
        (*count)++;
    }
    const enum rc end = query_end(&query);
    if (rc == RC_ABSENT) {
        return RC_CORRUPT; /* the index knows a row that the table does not */
    }
    return rc == RC_OK ? end : rc;
}

enum rc reader_next_deadline(struct store *store, int64_t after_ms, int64_t *deadline_ms)
{
    struct query query = query_begin(reader_of(store)->next_deadline);
    query_int(&query, after_ms);
    return number_end(&query, deadline_ms);
}

/* Ends a query that gives one row of the outbox or none. */
static enum rc call_end_query(const struct reader *reader,
                              struct query *query,
                              struct arena *arena,
                              struct outbox_call *out)
{
    enum rc rc = RC_ABSENT;
    if (query_row(query)) {
        rc = outbox_read(query, &reader->names, arena, out);
    }
    const enum rc end = query_end(query);
    return end == RC_OK ? rc : end;
}

enum rc reader_lane_heads(struct store *store,
                          struct slice after,
                          struct arena *arena,
                          struct outbox_call *out,
                          size_t max,
                          size_t *count)
{
    const struct reader *reader = reader_of(store);
    struct slice lane = after;
    *count = 0;
    while (*count < max) {
        /* one seek for each lane: a lane may be as long as it likes */
        struct query query = query_begin(reader->lane_next);
        query_text(&query, lane);
        const enum rc rc = call_end_query(reader, &query, arena, &out[*count]);
        if (rc != RC_OK) {
            return rc == RC_ABSENT ? RC_OK : rc;
        }
        lane = out[*count].call.lane;
        (*count)++;
    }
    return RC_OK;
}

enum rc reader_lane_head(struct store *store,
                         struct slice lane,
                         struct arena *arena,
                         struct outbox_call *out)
{
    const struct reader *reader = reader_of(store);
    struct query query = query_begin(reader->lane_head);
    query_text(&query, lane);
    return call_end_query(reader, &query, arena, out);
}

enum rc reader_lane_find(struct store *store,
                         struct slice lane,
                         struct slice ref,
                         struct arena *arena,
                         int64_t *out,
                         size_t max,
                         size_t *count)
{
    (void)arena;
    const struct reader *reader = reader_of(store);
    struct query query = query_begin(ref.len == 0 ? reader->lane_all : reader->lane_by_ref);
    query_text(&query, lane);
    if (ref.len > 0) {
        query_text(&query, ref);
    }
    query_size(&query, max);
    *count = 0;
    while (query_row(&query)) {
        CHECK(*count < max);
        out[(*count)++] = query_get_int(&query, 0);
    }
    return query_end(&query);
}
