#include "db/writer.h"

#include "db/store_rules.h"
#include <stdlib.h>

static const int64_t day_ms = 24 * INT64_C(3600) * 1000;

struct relation_sql {
    struct slice relate;
    struct slice unrelate;
    struct slice unrelate_all;
};

static const struct relation_sql relation_sql[RELATIONS_COUNT] = {
    [RELATION_GHOST_ROOM] =
        {
            SLICE_INIT("INSERT INTO ghost_rooms (matrix_room, ghost, value) VALUES (?1, ?2, ?3) "
                       "ON CONFLICT (matrix_room, ghost) DO UPDATE SET value = excluded.value"),
            SLICE_INIT("DELETE FROM ghost_rooms WHERE matrix_room = ?1 AND ghost = ?2"),
            SLICE_INIT("DELETE FROM ghost_rooms WHERE matrix_room = ?1"),
        },
    [RELATION_MESSAGE_MAP] =
        {
            SLICE_INIT("INSERT INTO message_map (matrix_room, gitter_id, event_id, created_day) "
                       "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (matrix_room, gitter_id) "
                       "DO UPDATE SET event_id = excluded.event_id"),
            SLICE_INIT("DELETE FROM message_map WHERE matrix_room = ?1 AND gitter_id = ?2"),
            SLICE_INIT("DELETE FROM message_map WHERE matrix_room = ?1"),
        },
};

static enum rc writer_prepare_fixed(struct writer *writer)
{
    const struct sql_wanted wanted[] = {
        {&writer->begin, SLICE("BEGIN IMMEDIATE")},
        {&writer->commit, SLICE("COMMIT")},
        {&writer->rollback, SLICE("ROLLBACK")},
        {&writer->set_next_turn, SLICE("UPDATE meta SET value = ?1 WHERE key = 'next_turn'")},
        {&writer->set_last_ms, SLICE("UPDATE meta SET value = ?1 WHERE key = 'last_ms'")},
        {&writer->see, SLICE("INSERT INTO seen_events (event_id, seen_ms) VALUES (?1, ?2) "
                             "ON CONFLICT (event_id) DO NOTHING")},
        {&writer->add_call,
         SLICE("INSERT INTO outbox (" OUTBOX_COLUMNS ") VALUES "
               "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")},
        {&writer->find_call, SLICE("SELECT owner, auth FROM outbox WHERE id = ?1")},
        {&writer->end_call, SLICE("DELETE FROM outbox WHERE id = ?1")},
    };
    return sql_prepare_all(writer->db, wanted, sizeof wanted / sizeof wanted[0]);
}

static enum rc writer_prepare_relations(struct writer *writer)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < RELATIONS_COUNT; i++) {
        const struct sql_wanted wanted[] = {
            {&writer->relate[i], relation_sql[i].relate},
            {&writer->unrelate[i], relation_sql[i].unrelate},
            {&writer->unrelate_all[i], relation_sql[i].unrelate_all},
        };
        rc = sql_prepare_all(writer->db, wanted, sizeof wanted / sizeof wanted[0]);
    }
    return rc;
}

enum rc writer_init(struct writer *writer,
                    sqlite3 *db,
                    struct secrets *secrets,
                    const struct outbox_names *names)
{
    writer->db = db;
    writer->secrets = secrets;
    writer->names = *names;
    writer->scratch = arena_open(STORE_SCRATCH_BYTES);
    writer->ends_arena = arena_open(STORE_SCRATCH_BYTES);
    writer->actors = calloc(names->tables_count, sizeof *writer->actors);
    if (writer->actors == NULL) {
        return RC_FULL;
    }
    enum rc rc = writer_prepare_fixed(writer);
    if (rc == RC_OK) {
        rc = sql_number(db, "SELECT value FROM meta WHERE key = 'last_ms'", &writer->last_ms);
    }
    if (rc == RC_OK) {
        rc = prune_prepare(db, &writer->prune);
    }
    if (rc == RC_OK) {
        rc = writer_prepare_relations(writer);
    }
    if (rc == RC_OK) {
        rc = journal_prepare_writing(db, &writer->journal);
    }
    if (rc == RC_OK) {
        rc = journal_prepare_forgetting(db, &writer->forgetting);
    }
    for (size_t kind = 0; rc == RC_OK && kind < names->tables_count; kind++) {
        rc = actors_prepare_writing(db, &names->tables[kind], writer->scratch,
                                    &writer->actors[kind]);
    }
    return rc;
}

void writer_clear(struct writer *writer)
{
    free(writer->actors);
    arena_close(writer->scratch);
    arena_close(writer->ends_arena);
    secrets_close(writer->secrets);
    if (writer->db != NULL) {
        sql_close(writer->db);
    }
    *writer = (struct writer){.db = NULL};
}

static enum rc writer_run(sqlite3_stmt *statement)
{
    struct query query = query_begin(statement);
    return query_run(&query);
}

static enum rc writer_put_actors(struct writer *writer, const struct store_batch *batch)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < batch->actors_count; i++) {
        const struct store_actor *actor = &batch->actors[i];
        rc = actors_put(&writer->actors[actor->kind], &writer->names.tables[actor->kind],
                        writer->secrets, writer->scratch, actor);
    }
    return rc;
}

static enum rc
writer_relate(struct writer *writer, const struct store_relation *relation, int64_t now_ms)
{
    const bool is_all = relation->is_gone && relation->right.len == 0;
    sqlite3_stmt *const *statements = is_all              ? writer->unrelate_all
                                      : relation->is_gone ? writer->unrelate
                                                          : writer->relate;
    struct query query = query_begin(statements[relation->relation]);
    query_text(&query, relation->left);
    if (!is_all) {
        query_text(&query, relation->right);
    }
    if (!relation->is_gone) {
        query_text(&query, relation->value);
        if (relation->relation == RELATION_MESSAGE_MAP) {
            query_int(&query, now_ms / day_ms);
        }
    }
    return query_run(&query);
}

static enum rc writer_put_relations(struct writer *writer, const struct store_batch *batch)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < batch->relations_count; i++) {
        rc = writer_relate(writer, &batch->relations[i], batch->now_ms);
    }
    return rc;
}

static enum rc writer_put_seen(struct writer *writer, const struct store_batch *batch)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < batch->seen_count; i++) {
        struct query query = query_begin(writer->see);
        query_text(&query, batch->seen[i]);
        query_int(&query, batch->now_ms);
        rc = query_run(&query);
    }
    return rc;
}

static enum rc writer_note_end(struct writer *writer, int64_t id)
{
    struct query query = query_begin(writer->find_call);
    query_int(&query, id);
    if (query_row(&query)) {
        writer->ends[writer->ends_count] = (struct waiting_end){
            .owner = query_get_text(&query, 0, writer->ends_arena),
            .auth = outbox_auth(query_peek_text(&query, 1)),
        };
        writer->ends_count++;
    }
    return query_end(&query);
}

static enum rc writer_end_call(struct writer *writer, int64_t id)
{
    const enum rc rc = writer_note_end(writer, id);
    struct query query = query_begin(writer->end_call);
    query_int(&query, id);
    return rc == RC_OK ? query_run(&query) : rc;
}

/* A call may be declared and cancelled in one batch: so the new rows first. */
static enum rc writer_put_calls(struct writer *writer, const struct store_batch *batch)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < batch->calls_count; i++) {
        rc = outbox_write(writer->add_call, &writer->names, writer->scratch, &batch->calls[i]);
    }
    arena_reset(writer->ends_arena);
    writer->ends = ARENA_ARRAY(writer->ends_arena, batch->ended_count, struct waiting_end);
    writer->ends_count = 0;
    for (size_t i = 0; rc == RC_OK && i < batch->ended_count; i++) {
        rc = writer_end_call(writer, batch->ended[i]);
    }
    return rc;
}

static enum rc writer_put_time(struct writer *writer, int64_t now_ms)
{
    if (now_ms - writer->last_ms < STORE_LAST_MS_STEP) {
        return RC_OK;
    }
    writer->last_ms = now_ms;
    struct query query = query_begin(writer->set_last_ms);
    query_int(&query, now_ms);
    return query_run(&query);
}

static enum rc writer_put(struct writer *writer, const struct store_batch *batch)
{
    struct query query = query_begin(writer->set_next_turn);
    query_int(&query, batch->next_turn);
    enum rc rc = query_run(&query);
    if (rc == RC_OK) {
        rc = writer_put_time(writer, batch->now_ms);
    }
    if (rc == RC_OK) {
        rc = journal_forget_note(&writer->forgetting, writer->scratch, batch);
    }
    if (rc == RC_OK) {
        rc = prune_go_on(&writer->prune, writer->scratch, batch);
    }
    if (rc == RC_OK) {
        rc = writer_put_actors(writer, batch);
    }
    if (rc == RC_OK) {
        rc = writer_put_relations(writer, batch);
    }
    if (rc == RC_OK) {
        rc = writer_put_seen(writer, batch);
    }
    if (rc == RC_OK) {
        rc = writer_put_calls(writer, batch);
    }
    if (rc == RC_OK) {
        rc = journal_write(&writer->journal, batch);
    }
    if (rc == RC_OK) {
        rc = journal_forget_step(&writer->forgetting, writer->scratch);
    }
    return rc;
}

/* What is written to a file that was moved or deleted is lost with the process. */
static enum rc writer_check_file(struct writer *writer)
{
    int is_moved = 0;
    const int code = sqlite3_file_control(writer->db, "main", SQLITE_FCNTL_HAS_MOVED, &is_moved);
    return code == SQLITE_OK && is_moved != 0 ? RC_ABSENT : RC_OK;
}

enum rc writer_commit(struct writer *writer, const struct store_batch *batch)
{
    store_check_batch(batch, writer->names.tables, writer->names.tables_count);
    const int64_t last_ms = writer->last_ms;
    enum rc rc = writer_check_file(writer);
    if (rc == RC_OK) {
        rc = writer_run(writer->begin);
    }
    if (rc == RC_OK) {
        rc = writer_put(writer, batch);
    }
    if (rc == RC_OK) {
        rc = writer_run(writer->commit);
    }
    if (rc != RC_OK && sqlite3_get_autocommit(writer->db) == 0) {
        /* SQLite ends the transaction by itself on some failures only */
        (void)writer_run(writer->rollback);
    }
    writer->last_ms = rc == RC_OK ? writer->last_ms : last_ms;
    arena_reset(writer->scratch);
    return rc;
}

enum rc writer_mark_clean(struct writer *writer)
{
    return sql_run(writer->db, "INSERT INTO meta (key, value) VALUES ('stopped_clean', 1) "
                               "ON CONFLICT (key) DO NOTHING");
}

enum rc writer_take_clean_mark(struct writer *writer, bool *was_clean)
{
    const enum rc rc = sql_run(writer->db, "DELETE FROM meta WHERE key = 'stopped_clean'");
    *was_clean = rc == RC_OK && sqlite3_changes(writer->db) > 0;
    return rc;
}
