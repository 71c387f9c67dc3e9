#include "db/prune.h"

#include "db/store_rules.h"

enum {
    /* Events looked at together, so that the statements are run seldom. */
    EVENTS_AT_ONCE = 256,
    /* For each one put in: a table that grows steadily keeps its rows for at most half as long
     * again as it must. */
    EVENTS_FOR_EACH = 3,
    /* A room is looked at each time so many messages were put in, */
    MESSAGES_BETWEEN = 16,
    /* and loses at most so many. */
    MESSAGES_AT_ONCE = 64
};

static const int64_t day_ms = 24 * INT64_C(3600) * 1000;

/* Rows of `meta`: the last event and the last room that were looked at; empty: begin anew. */
static const struct slice event_place = SLICE_INIT("pruned_event");
static const struct slice room_place = SLICE_INIT("pruned_room");

enum rc prune_prepare(sqlite3 *db, struct prune *prune)
{
    const struct sql_wanted wanted[] = {
        {&prune->load, SLICE("SELECT value FROM meta WHERE key = ?1")},
        {&prune->keep, SLICE("INSERT INTO meta (key, value) VALUES (?1, ?2) "
                             "ON CONFLICT (key) DO UPDATE SET value = excluded.value")},
        {&prune->find_event, SLICE("SELECT event_id FROM seen_events WHERE event_id > ?1 "
                                   "ORDER BY event_id LIMIT 1 OFFSET ?2")},
        {&prune->remove_events, SLICE("DELETE FROM seen_events WHERE event_id > ?1 "
                                      "AND event_id <= ?2 AND seen_ms < ?3")},
        {&prune->next_room, SLICE("SELECT matrix_room FROM message_map WHERE matrix_room > ?1 "
                                  "ORDER BY matrix_room LIMIT 1")},
        {&prune->first_messages, SLICE("SELECT gitter_id, created_day FROM message_map "
                                       "WHERE matrix_room = ?1 ORDER BY gitter_id LIMIT ?2")},
        {&prune->remove_messages, SLICE("DELETE FROM message_map WHERE matrix_room = ?1 "
                                        "AND gitter_id <= ?2 AND created_day < ?3")},
    };
    /* at once after a start, for the sake of processes that never live long */
    prune->events_owed = EVENTS_AT_ONCE;
    prune->messages = MESSAGES_BETWEEN;
    return sql_prepare_all(db, wanted, sizeof wanted / sizeof wanted[0]);
}

/* The text that a query with these parameters gives; empty without a row. */
static enum rc ask(struct query *query, struct arena *scratch, struct slice *text)
{
    *text = query_row(query) ? query_get_text(query, 0, scratch) : SLICE_EMPTY;
    return query_end(query);
}

static enum rc
load(const struct prune *prune, struct arena *scratch, struct slice name, struct slice *place)
{
    struct query query = query_begin(prune->load);
    query_text(&query, name);
    return ask(&query, scratch, place);
}

static enum rc keep(const struct prune *prune, struct slice name, struct slice place)
{
    struct query query = query_begin(prune->keep);
    query_text(&query, name);
    query_text(&query, place);
    return query_run(&query);
}

static enum rc
remove_events(const struct prune *prune, struct slice after, struct slice last, int64_t oldest_ms)
{
    struct query query = query_begin(prune->remove_events);
    query_text(&query, after);
    if (last.len > 0) {
        query_text(&query, last);
    } else {
        query_blob(&query, SLICE_EMPTY); /* SQLite orders it behind all texts */
    }
    query_int(&query, oldest_ms);
    return query_run(&query);
}

static enum rc look_at_events(const struct prune *prune, struct arena *scratch, int64_t oldest_ms)
{
    struct slice after = SLICE_EMPTY;
    struct slice last = SLICE_EMPTY;
    enum rc rc = load(prune, scratch, event_place, &after);
    if (rc == RC_OK) {
        struct query query = query_begin(prune->find_event);
        query_text(&query, after);
        query_int(&query, EVENTS_AT_ONCE - 1);
        rc = ask(&query, scratch, &last);
    }
    if (rc == RC_OK) {
        rc = remove_events(prune, after, last, oldest_ms);
    }
    return rc == RC_OK ? keep(prune, event_place, last) : rc;
}

static enum rc find_old_messages(const struct prune *prune,
                                 struct arena *scratch,
                                 struct slice room,
                                 int64_t first_day,
                                 struct slice *last)
{
    struct query query = query_begin(prune->first_messages);
    query_text(&query, room);
    query_int(&query, MESSAGES_AT_ONCE);
    *last = SLICE_EMPTY;
    while (query_row(&query) && query_get_int(&query, 1) < first_day) {
        *last = query_get_text(&query, 0, scratch);
    }
    return query_end(&query);
}

static enum rc
look_at_room(const struct prune *prune, struct arena *scratch, struct slice room, int64_t first_day)
{
    struct slice last = SLICE_EMPTY;
    const enum rc rc = find_old_messages(prune, scratch, room, first_day, &last);
    if (rc != RC_OK || last.len == 0) {
        return rc;
    }
    struct query query = query_begin(prune->remove_messages);
    query_text(&query, room);
    query_text(&query, last);
    query_int(&query, first_day);
    return query_run(&query);
}

static enum rc
look_at_next_room(const struct prune *prune, struct arena *scratch, int64_t first_day)
{
    struct slice after = SLICE_EMPTY;
    struct slice room = SLICE_EMPTY;
    enum rc rc = load(prune, scratch, room_place, &after);
    if (rc == RC_OK) {
        struct query query = query_begin(prune->next_room);
        query_text(&query, after);
        rc = ask(&query, scratch, &room);
    }
    if (rc == RC_OK && room.len > 0) {
        rc = look_at_room(prune, scratch, room, first_day);
    }
    return rc == RC_OK ? keep(prune, room_place, room) : rc;
}

static enum rc
prune_messages(struct prune *prune, struct arena *scratch, const struct store_batch *batch)
{
    const int64_t first_day = batch->now_ms / day_ms - STORE_MAP_DAYS;
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < batch->relations_count; i++) {
        const struct store_relation *relation = &batch->relations[i];
        prune->messages += relation->relation == RELATION_MESSAGE_MAP ? 1 : 0;
        if (prune->messages >= MESSAGES_BETWEEN) {
            prune->messages = 0;
            rc = look_at_room(prune, scratch, relation->left, first_day);
            rc = rc == RC_OK ? look_at_next_room(prune, scratch, first_day) : rc;
        }
    }
    return rc;
}

enum rc prune_go_on(struct prune *prune, struct arena *scratch, const struct store_batch *batch)
{
    const int64_t oldest_ms = batch->now_ms - STORE_SEEN_DAYS * day_ms;
    enum rc rc = prune_messages(prune, scratch, batch);
    prune->events_owed += (int64_t)batch->seen_count * EVENTS_FOR_EACH;
    while (rc == RC_OK && batch->seen_count > 0 && prune->events_owed >= EVENTS_AT_ONCE) {
        prune->events_owed -= EVENTS_AT_ONCE;
        rc = look_at_events(prune, scratch, oldest_ms);
    }
    return rc;
}
