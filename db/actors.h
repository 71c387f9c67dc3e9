/* db/actors.h: the SQL of the tables that hold actors, and their rows as struct store_actor.
 *
 * The statements are made from the names in the tables given at open, which are constants of the
 * program; values are always bound.
 */
#ifndef GITTERD_DB_ACTORS_H
#define GITTERD_DB_ACTORS_H

#include "db/secrets.h"
#include "db/sql.h"
#include "runtime/store.h"

/* What reads one table. */
struct actors_reading {
    sqlite3_stmt *load;
    sqlite3_stmt *list;
    sqlite3_stmt *find[STORE_COLUMNS_MAX];
};

/* What changes one table. */
struct actors_writing {
    sqlite3_stmt *change; /* of a row whose columns stay: their indexes need not be opened */
    sqlite3_stmt *put;
    sqlite3_stmt *remove;
};

NODISCARD enum rc actors_prepare_reading(sqlite3 *db,
                                         const struct store_table *table,
                                         struct arena *scratch,
                                         struct actors_reading *out);
NODISCARD enum rc actors_prepare_writing(sqlite3 *db,
                                         const struct store_table *table,
                                         struct arena *scratch,
                                         struct actors_writing *out);
/* Over all tables: (deadline, kind, key) of what is due, and the earliest deadline. */
NODISCARD enum rc actors_prepare_due(sqlite3 *db,
                                     const struct store_table *tables,
                                     size_t count,
                                     struct arena *scratch,
                                     sqlite3_stmt **due);
NODISCARD enum rc actors_prepare_next(sqlite3 *db,
                                      const struct store_table *tables,
                                      size_t count,
                                      struct arena *scratch,
                                      sqlite3_stmt **next);

/* Reads all but kind and key, which the caller knows; RC_ABSENT without a row. */
enum rc actors_load(const struct actors_reading *reading,
                    const struct store_table *table,
                    struct secrets *secrets,
                    struct arena *arena,
                    struct store_actor *actor);
/* Runs `list` or `find` with its first parameter and a limit. */
enum rc actors_find(sqlite3_stmt *statement,
                    struct slice value,
                    struct arena *arena,
                    struct store_found *out,
                    size_t max,
                    size_t *count);
/* Writes or deletes the row; secrets are sealed into `scratch`. */
enum rc actors_put(const struct actors_writing *writing,
                   const struct store_table *table,
                   struct secrets *secrets,
                   struct arena *scratch,
                   const struct store_actor *actor);

#endif
