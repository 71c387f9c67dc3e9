#include "db/journal_forget.h"

#include "runtime/base/buf.h"

#include <inttypes.h>
#include <string.h>

/* A row of `meta`: key "forget <user>", value "<next id> <end id> <room> <room> ...". The next id
 * is -1 until the logout has ended. */
struct forgotten {
    struct slice user;
    int64_t next;
    int64_t end;
    struct slice rooms; /* with blanks between */
};

enum rc journal_prepare_forgetting(sqlite3 *db, struct journal_forgetting *forgetting)
{
    forgetting->db = db;
    return sql_prepare(
        db,
        SLICE("SELECT substr(key, 8), value FROM meta WHERE key > 'forget ' AND key < 'forget!' "
              "AND value NOT LIKE '-%' ORDER BY key LIMIT 1"),
        &forgetting->first);
}

/* The others are wanted seldom: when somebody logs out. */
static enum rc prepare_others(struct journal_forgetting *forgetting)
{
    const struct {
        sqlite3_stmt **statement;
        struct slice text;
    } wanted[] = {
        {&forgetting->find, SLICE("SELECT value FROM meta WHERE key = 'forget ' || ?1")},
        {&forgetting->rooms,
         SLICE("SELECT matrix_room FROM rooms WHERE owner = ?1 AND matrix_room IS NOT NULL "
               "UNION SELECT key FROM chats WHERE user = ?1 ORDER BY 1")},
        {&forgetting->put, SLICE("INSERT INTO meta (key, value) VALUES ('forget ' || ?1, ?2) "
                                 "ON CONFLICT (key) DO UPDATE SET value = excluded.value")},
        {&forgetting->drop, SLICE("DELETE FROM meta WHERE key = 'forget ' || ?1")},
        {&forgetting->end,
         SLICE("SELECT id + length(entry) FROM journal ORDER BY id DESC LIMIT 1")},
        {&forgetting->row, SLICE("SELECT id, entry FROM journal WHERE id >= ?1 AND id < ?2 "
                                 "ORDER BY id LIMIT 1")},
        {&forgetting->write, SLICE("UPDATE journal SET entry = ?2 WHERE id = ?1")},
    };
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < sizeof wanted / sizeof wanted[0]; i++) {
        if (*wanted[i].statement == NULL) {
            rc = sql_prepare(forgetting->db, wanted[i].text, wanted[i].statement);
        }
    }
    return rc;
}

static bool parse(struct slice value, struct forgotten *out)
{
    const struct slice next = slice_cut(&value, ' ');
    const struct slice end = slice_cut(&value, ' ');
    out->rooms = value;
    return slice_to_int(next, &out->next) == RC_OK && slice_to_int(end, &out->end) == RC_OK;
}

static enum rc put(const struct journal_forgetting *forgetting,
                   struct arena *scratch,
                   const struct forgotten *forgotten)
{
    struct query query = query_begin(forgetting->put);
    query_text(&query, forgotten->user);
    query_text(&query, arena_printf(scratch, "%" PRId64 " %" PRId64 " %.*s", forgotten->next,
                                    forgotten->end, SLICE_ARGS(forgotten->rooms)));
    return query_run(&query);
}

static enum rc find_rooms(const struct journal_forgetting *forgetting,
                          struct arena *scratch,
                          struct forgotten *forgotten)
{
    struct buf rooms;
    struct query query = query_begin(forgetting->rooms);
    buf_init(&rooms, scratch);
    query_text(&query, forgotten->user);
    while (query_row(&query)) {
        buf_put(&rooms, rooms.len > 0 ? SLICE(" ") : SLICE(""));
        buf_put(&rooms, query_peek_text(&query, 0));
    }
    forgotten->rooms = buf_slice(&rooms);
    return query_end(&query);
}

static enum rc find_end(const struct journal_forgetting *forgetting, int64_t *end)
{
    struct query query = query_begin(forgetting->end);
    *end = query_row(&query) ? query_get_int(&query, 0) : 0;
    return query_end(&query);
}

static enum rc
note(const struct journal_forgetting *forgetting, struct arena *scratch, struct slice user)
{
    struct forgotten forgotten = {.user = user, .next = -1};
    struct query query = query_begin(forgetting->find);
    query_text(&query, user);
    const bool is_known =
        query_row(&query) && parse(query_get_text(&query, 0, scratch), &forgotten);
    enum rc rc = query_end(&query);
    if (rc == RC_OK && is_known) { /* the logout has ended */
        forgotten.next = 0;
        rc = find_end(forgetting, &forgotten.end);
    } else if (rc == RC_OK) {
        rc = find_rooms(forgetting, scratch, &forgotten);
    }
    return rc == RC_OK ? put(forgetting, scratch, &forgotten) : rc;
}

enum rc journal_forget_note(struct journal_forgetting *forgetting,
                            struct arena *scratch,
                            const struct store_batch *batch)
{
    const size_t count = forgetting->empty == NULL ? 0 : batch->forgotten_count;
    enum rc rc = count > 0 ? prepare_others(forgetting) : RC_OK;
    for (size_t i = 0; rc == RC_OK && i < count; i++) {
        rc = note(forgetting, scratch, batch->forgotten[i]);
    }
    return rc;
}

/* One row: RC_ABSENT when there is none left. */
static enum rc forget_row(const struct journal_forgetting *forgetting,
                          struct forgotten *forgotten,
                          struct arena *row_arena)
{
    struct slice entries = SLICE_EMPTY;
    struct query query = query_begin(forgetting->row);
    int64_t id = 0;
    query_int(&query, forgotten->next);
    query_int(&query, forgotten->end);
    const bool is_there = query_row(&query);
    if (is_there) {
        id = query_get_int(&query, 0);
        entries = query_get_text(&query, 1, row_arena);
    }
    const enum rc rc = query_end(&query);
    if (rc != RC_OK || !is_there) {
        return rc == RC_OK ? RC_ABSENT : rc;
    }
    char *bytes = arena_alloc(row_arena, entries.len);
    memcpy(bytes, entries.ptr, entries.len);
    forgotten->next = id + 1;
    if (forgetting->empty(row_arena, bytes, entries.len, forgotten->user, forgotten->rooms) == 0) {
        return RC_OK;
    }
    struct query write = query_begin(forgetting->write);
    query_int(&write, id);
    query_blob(&write, slice_make(bytes, entries.len));
    return query_run(&write);
}

static enum rc drop(const struct journal_forgetting *forgetting, struct slice user)
{
    struct query query = query_begin(forgetting->drop);
    query_text(&query, user);
    return query_run(&query);
}

static enum rc forget_some(const struct journal_forgetting *forgetting,
                           struct arena *scratch,
                           struct forgotten *forgotten)
{
    const int64_t stop = forgotten->next + JOURNAL_FORGET_BYTES;
    struct arena *row_arena = arena_open(64 * 1024);
    enum rc rc = RC_OK;
    while (rc == RC_OK && forgotten->next < stop) { /* ids count bytes */
        arena_reset(row_arena);
        rc = forget_row(forgetting, forgotten, row_arena);
    }
    arena_close(row_arena);
    if (rc == RC_ABSENT) {
        return drop(forgetting, forgotten->user);
    }
    return rc == RC_OK ? put(forgetting, scratch, forgotten) : rc;
}

enum rc journal_forget_step(struct journal_forgetting *forgetting, struct arena *scratch)
{
    struct forgotten forgotten = {.next = 0};
    struct slice value = SLICE_EMPTY;
    if (forgetting->empty == NULL) {
        return RC_OK;
    }
    struct query query = query_begin(forgetting->first);
    const bool is_there = query_row(&query);
    if (is_there) {
        forgotten.user = query_get_text(&query, 0, scratch);
        value = query_get_text(&query, 1, scratch);
    }
    enum rc rc = query_end(&query);
    forgetting->has_more = is_there || rc != RC_OK;
    if (rc == RC_OK && is_there) {
        rc = prepare_others(forgetting);
    }
    if (rc != RC_OK || !is_there) {
        return rc;
    }
    return parse(value, &forgotten) ? forget_some(forgetting, scratch, &forgotten)
                                    : drop(forgetting, forgotten.user);
}
