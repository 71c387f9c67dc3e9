#include "db/waiting.h"

/* As they stand in the outbox; empty for calls that nobody waits for. */
static struct slice counted_auth(enum call_auth auth)
{
    switch (auth) {
    case CALL_AUTH_OWNER:
        return SLICE("OWNER");
    case CALL_AUTH_APPSERVICE:
        return SLICE("APPSERVICE");
    case CALL_AUTH_NONE:
    case CALL_AUTH_OAUTH:
        break;
    }
    return SLICE_EMPTY;
}

enum rc waiting_prepare(sqlite3 *db, struct waiting_writing *writing)
{
    const struct sql_wanted wanted[] = {
        {&writing->find, SLICE("SELECT owner, auth FROM outbox WHERE id = ?1 "
                               "AND auth IN ('OWNER', 'APPSERVICE')")},
        {&writing->more, SLICE("INSERT INTO waiting (owner, auth, calls) VALUES (?1, ?2, 1) "
                               "ON CONFLICT (owner, auth) DO UPDATE SET calls = calls + 1")},
        {&writing->last,
         SLICE("DELETE FROM waiting WHERE owner = ?1 AND auth = ?2 AND calls <= 1")},
        {&writing->less,
         SLICE("UPDATE waiting SET calls = calls - 1 WHERE owner = ?1 AND auth = ?2")},
    };
    return sql_prepare_all(db, wanted, sizeof wanted / sizeof wanted[0]);
}

static enum rc change(sqlite3_stmt *statement, struct slice owner, struct slice auth)
{
    struct query query = query_begin(statement);
    query_text(&query, owner);
    query_text(&query, auth);
    return query_run(&query);
}

enum rc waiting_add(const struct waiting_writing *writing, const struct call *call)
{
    const struct slice auth = counted_auth(call->auth);
    return auth.len == 0 ? RC_OK : change(writing->more, call->owner, auth);
}

enum rc waiting_remove(const struct waiting_writing *writing, struct arena *scratch, int64_t id)
{
    struct slice owner = SLICE_EMPTY;
    struct slice auth = SLICE_EMPTY;
    struct query query = query_begin(writing->find);
    query_int(&query, id);
    if (query_row(&query)) {
        owner = query_get_text(&query, 0, scratch);
        auth = query_get_text(&query, 1, scratch);
    }
    enum rc rc = query_end(&query);
    if (rc != RC_OK || auth.len == 0) {
        return rc;
    }
    rc = change(writing->last, owner, auth);
    if (rc != RC_OK || sqlite3_changes(sqlite3_db_handle(writing->last)) > 0) {
        return rc;
    }
    return change(writing->less, owner, auth);
}
