/* db/census.h: how much of what is in a database; for people who look at a running bridge.
 *
 * Reads through a connection of its own, each question a short read, so that it holds up neither
 * the daemon nor its WAL. The answers may be of slightly different moments.
 *
 * Thread: any.
 * Memory: what is counted lives in the given arena.
 * Errors: as store_sqlite_open of a store that is read only.
 * Units:  times in ms since the epoch.
 */
#ifndef GITTERD_DB_CENSUS_H
#define GITTERD_DB_CENSUS_H

#include "runtime/store.h"

enum {
    CENSUS_LANES_MAX = 20
};

struct census_state {
    struct slice state;
    int64_t count;
};

/* Actors of one kind, by the state they are in, most first. */
struct census_kind {
    struct slice table; /* "rooms" */
    int64_t count;
    struct census_state *states;
    size_t states_count;
};

/* Calls that wait in one lane. */
struct census_lane {
    struct slice lane;
    struct slice owner; /* Matrix user id; empty: nobody's */
    int64_t calls;
    int64_t oldest_ms;
};

struct census {
    struct census_kind *kinds;
    size_t kinds_count;
    int64_t calls;                              /* in the outbox */
    int64_t lanes_count;                        /* with calls */
    struct census_lane lanes[CENSUS_LANES_MAX]; /* the longest ones, longest first */
    size_t lanes_shown;
};

NODISCARD enum rc census_take(struct slice path,
                              const struct store_table *tables,
                              size_t tables_count,
                              struct arena *arena,
                              struct census *census,
                              struct slice *error);

#endif
