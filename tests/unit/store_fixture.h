/* tests/unit/store_fixture.h: a store to test, of either kind, with short ways to change it. */
#ifndef GITTERD_TESTS_STORE_FIXTURE_H
#define GITTERD_TESTS_STORE_FIXTURE_H

#include "db/store_memory.h"
#include "db/store_sqlite.h"
#include "tests/unit/slice_check.h"

enum fixture_kind {
    FIXTURE_SQLITE,
    FIXTURE_MEMORY,
    FIXTURE_KINDS
};

/* Kinds of actors, as the tables number them. */
enum {
    USER,
    ROOM,
    CHAT,
    GHOST,
    FEED,
    LOGIN,
    TABLES_COUNT
};

enum {
    USER_PRIVATE_ROOM,
    USER_GITTER_ID
};

enum {
    ROOM_OWNER,
    ROOM_MATRIX_ROOM,
    ROOM_GITTER_ROOM
};

extern const struct store_table fixture_tables[TABLES_COUNT];

struct fixture {
    enum fixture_kind kind;
    struct arena *arena;
    struct store *store;
    char folder[64]; /* of the SQLite file */
    struct slice path;
    int64_t turn; /* next_turn of the next commit */
};

void fixture_init(struct fixture *fixture, enum fixture_kind kind);
/* A folder for a SQLite file, and no store yet. */
void fixture_init_closed(struct fixture *fixture);
void fixture_clear(struct fixture *fixture);
/* Ends and starts again, as the daemon would; with another unique_secret_key if is_other_key. */
void fixture_reopen(struct fixture *fixture, bool is_other_key);

struct store_sqlite_options fixture_options(const struct fixture *fixture);

/* Waits for the end of a commit, and lets the store report it. */
void fixture_poll(const struct fixture *fixture);
/* Commits, waits for the report and gives it; now_ms and next_turn are filled in if they are 0. */
enum rc fixture_commit(struct fixture *fixture, struct store_batch batch);
enum rc fixture_put(struct fixture *fixture, struct store_actor actor);
enum rc fixture_relate(struct fixture *fixture, struct store_relation relation);
enum rc fixture_call(struct fixture *fixture, struct outbox_call call);

/* A call with defaults: id and place as given, lane and ref as given. */
struct outbox_call fixture_make_call(int64_t id, int64_t place, const char *lane, const char *ref);

/* The one number that SQL gives on the file. */
int64_t fixture_ask(const struct fixture *fixture, const char *sql);

/* The ids of a lane in order, as "1 2 3". */
const char *fixture_lane(struct fixture *fixture, struct slice lane, struct slice ref, size_t max);
/* Keys of a listing or search in order, as "a b c". */
const char *fixture_keys(struct fixture *fixture, const struct store_found *found, size_t count);

void fixture_remove_folder(const char *folder);

/* A test of both stores, for a file with a `static struct fixture fixture`: Check runs it once for
 * each kind, _i. */
#define STORE_TEST(name)                                                                           \
    static void name##_body(struct store *store, const struct store_methods *is);                  \
    START_TEST(name)                                                                               \
    {                                                                                              \
        fixture_init(&fixture, (enum fixture_kind)_i);                                             \
        name##_body(fixture.store, fixture.store->methods);                                        \
        fixture_clear(&fixture);                                                                   \
    }                                                                                              \
    END_TEST                                                                                       \
    static void name##_body(struct store *store, const struct store_methods *is)

#endif
