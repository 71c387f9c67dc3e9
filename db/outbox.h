/* db/outbox.h: rows of the outbox as struct outbox_call.
 *
 * What is an enum or a number of ours in memory is a name in the row, so that a file stays right
 * when a later version numbers them otherwise.
 */
#ifndef GITTERD_DB_OUTBOX_H
#define GITTERD_DB_OUTBOX_H

#include "db/sql.h"
#include "runtime/store.h"

/* The names behind actor kinds and purposes. */
struct outbox_names {
    const struct store_table *tables;
    size_t tables_count;
    const char *const *purposes; /* by number; NULL: stored as numbers */
    size_t purposes_count;
};

/* The columns in the order of outbox_read and outbox_write. */
#define OUTBOX_COLUMNS                                                                             \
    "id, place, turn, created_ms, actor, actor_key, purpose, api, auth, repeat, lane, owner, "     \
    "after_lane, method, path, content_type, ref, not_before_ms, patience_ms, is_catch_up, "       \
    "takes_401, body"

enum {
    OUTBOX_COLUMNS_COUNT = 22
};

/* What the column auth says; CALL_AUTH_NONE for a name that nobody knows. */
enum call_auth outbox_auth(struct slice name);

/* The row at hand; RC_CORRUPT for a name that nobody knows. */
NODISCARD enum rc outbox_read(struct query *query,
                              const struct outbox_names *names,
                              struct arena *arena,
                              struct outbox_call *out);
/* Runs the INSERT. `scratch` is used until return. */
NODISCARD enum rc outbox_write(sqlite3_stmt *insert,
                               const struct outbox_names *names,
                               struct arena *scratch,
                               const struct outbox_call *call);

#endif
