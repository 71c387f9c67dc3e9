/* db/schema.h: makes the tables, brings those of older versions up to date, refuses what is not
 * ours.
 *
 * The file says whose it is (`PRAGMA application_id`) and which steps it has seen (`user_version`).
 *
 * Memory: `error` lives in the given arena.
 */
#ifndef GITTERD_DB_SCHEMA_H
#define GITTERD_DB_SCHEMA_H

#include "runtime/store.h"

#include <sqlite3.h>

/* Steps this program knows; what it writes to user_version. */
int64_t schema_version(void);
/* The SQL of a step, from 0 on: a file of version N has taken those before N. */
const char *schema_step(int64_t step);

/* RC_OK if the file has the newest schema, RC_ABSENT if it is empty or older and schema_migrate is
 * called for, RC_NEWER, RC_REFUSED (another program's), RC_CORRUPT (no SQLite file), RC_IO. */
NODISCARD enum rc schema_examine(sqlite3 *db, struct arena *arena, struct slice *error);

/* Takes the missing steps in one transaction: all or none. */
NODISCARD enum rc schema_migrate(sqlite3 *db, struct arena *arena, struct slice *error);

/* RC_CORRUPT unless the file has all these tables and columns. */
NODISCARD enum rc schema_check_tables(sqlite3 *db,
                                      const struct store_table *tables,
                                      size_t count,
                                      struct arena *arena,
                                      struct slice *error);

#endif
