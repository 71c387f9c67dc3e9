/* db/reader.h: a connection that the loop reads by, with its statements.
 *
 * Reads see what was committed when they began, whatever a writer does meanwhile. Another
 * connection that commits makes this one forget the pages it knew; so the store reads through the
 * writer's own as long as that is free.
 */
#ifndef GITTERD_DB_READER_H
#define GITTERD_DB_READER_H

#include "db/actors.h"
#include "db/outbox.h"

enum {
    RELATIONS_COUNT = RELATION_MESSAGE_MAP + 1
};

struct reader {
    struct store store; /* first, so that the methods find the reader of their store */
    /* whose connection and statements the methods use; at first its own */
    const struct reader *through;
    sqlite3 *db;
    struct secrets *secrets;
    struct outbox_names names;
    struct actors_reading *actors; /* by kind */
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *next_turn;
    sqlite3_stmt *last_ms;
    sqlite3_stmt *related[RELATIONS_COUNT];
    sqlite3_stmt *by_value[RELATIONS_COUNT];
    sqlite3_stmt *relations[RELATIONS_COUNT];
    sqlite3_stmt *seen;
    sqlite3_stmt *due;
    sqlite3_stmt *next_deadline;
    sqlite3_stmt *lane_next;
    sqlite3_stmt *lane_head;
    sqlite3_stmt *lane_all;
    sqlite3_stmt *lane_by_ref;
};

/* Keeps db and secrets from the call on, whatever it gives: reader_clear closes them. */
NODISCARD enum rc reader_init(struct reader *reader,
                              sqlite3 *db,
                              struct secrets *secrets,
                              const struct outbox_names *names,
                              struct arena *scratch);
/* Fine on a reader that is all zero. */
void reader_clear(struct reader *reader);

/* The reading methods of struct store_methods, for a store that begins with a struct reader. */
void reader_hold(struct store *store, bool is_held);
enum rc reader_next_turn(struct store *store, int64_t *turn);
enum rc reader_last_ms(struct store *store, int64_t *ms);
enum rc reader_load(
    struct store *store, int kind, struct slice key, struct arena *arena, struct store_actor *out);
enum rc reader_find(struct store *store,
                    int kind,
                    int column,
                    struct slice value,
                    struct arena *arena,
                    struct store_found *out,
                    size_t max,
                    size_t *count);
enum rc reader_list(struct store *store,
                    int kind,
                    struct slice after,
                    struct arena *arena,
                    struct store_found *out,
                    size_t max,
                    size_t *count);
enum rc reader_related(struct store *store,
                       enum relation relation,
                       struct slice left,
                       struct slice right,
                       struct arena *arena,
                       struct slice *value);
enum rc reader_related_by_value(struct store *store,
                                enum relation relation,
                                struct slice left,
                                struct slice value,
                                struct arena *arena,
                                struct slice *right);
enum rc reader_relations(struct store *store,
                         enum relation relation,
                         struct slice left,
                         struct slice after,
                         struct arena *arena,
                         struct slice *out,
                         size_t max,
                         size_t *count);
enum rc reader_seen(struct store *store, struct slice event_id);
enum rc reader_due(struct store *store,
                   int64_t now_ms,
                   struct arena *arena,
                   struct store_actor *out,
                   size_t max,
                   size_t *count);
enum rc reader_next_deadline(struct store *store, int64_t after_ms, int64_t *deadline_ms);
enum rc reader_lane_heads(struct store *store,
                          struct slice after,
                          struct arena *arena,
                          struct outbox_call *out,
                          size_t max,
                          size_t *count);
enum rc reader_lane_head(struct store *store,
                         struct slice lane,
                         struct arena *arena,
                         struct outbox_call *out);
enum rc reader_lane_find(struct store *store,
                         struct slice lane,
                         struct slice ref,
                         struct arena *arena,
                         int64_t *out,
                         size_t max,
                         size_t *count);

#endif
