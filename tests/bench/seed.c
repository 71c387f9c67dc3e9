/* Writes a database in which owners are logged in and their rooms are bridged, so that a benchmark
 * need not log in people one by one.
 *
 * Usage: seed DATABASE SECRET_KEY OWNERS ROOMS [feeds]
 *
 * Room n of ROOMS belongs to owner n modulo OWNERS: Matrix room !bench<n>:bench.test, owner
 * @owner<n>:bench.test, Gitter room 5f<n as 22 hex digits>, token token<n>. With `feeds` each owner
 * has a feed, so that gitterd opens a link for them, and each room has the ghost of the Gitter user
 * that faye_end.c lets speak there: GUESTS of them, 5c<n as 22 hex digits>.
 */
#include "actors/feed/feed.h"
#include "actors/ghost/ghost.h"
#include "actors/machine.h"
#include "actors/room/room.h"
#include "actors/user/user.h"
#include "codecs/ghostid.h"
#include "db/store_sqlite.h"
#include "runtime/base/check.h"
#include "runtime/daemon/tables.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ACTORS_AT_ONCE = 1000,
    ARENA_BYTES = 256 * 1024,
    GUESTS = 100, /* as faye_end.c has it */
};

struct seed {
    struct store *store;
    struct arena *arena; /* of the batch at hand */
    struct store_actor actors[ACTORS_AT_ONCE];
    size_t count;
    struct store_relation relations[ACTORS_AT_ONCE];
    size_t relations_count;
    int64_t now_ms;
};

static void on_committed(void *context, enum rc rc)
{
    bool *is_done = context;
    CHECK(rc == RC_OK);
    *is_done = true;
}

static void commit(struct seed *seed)
{
    bool is_done = false;
    const struct store_batch batch = {.now_ms = seed->now_ms,
                                      .next_turn = 1,
                                      .actors = seed->actors,
                                      .actors_count = seed->count,
                                      .relations = seed->relations,
                                      .relations_count = seed->relations_count};
    seed->store->methods->commit(seed->store, &batch, on_committed, &is_done);
    while (!is_done) {
        store_sqlite_poll(seed->store);
        (void)poll(NULL, 0, 1);
    }
    seed->count = 0;
    seed->relations_count = 0;
    arena_reset(seed->arena);
}

static void put(struct seed *seed, int kind, int state, const void *value)
{
    const struct fsm *fsm = machines[kind];
    struct store_actor *actor = &seed->actors[seed->count++];
    struct slice key;
    size_t column = 0;
    memcpy(&key, value, sizeof key); /* every actor begins with its key */
    *actor = (struct store_actor){
        .kind = kind,
        .key = key,
        .state = slice_from_cstr(fsm->states[state]),
        .body = record_pack(seed->arena, fsm->record, value, RECORD_OPEN),
        .secrets = record_pack(seed->arena, fsm->record, value, RECORD_SECRETS),
    };
    for (size_t i = 0; i < fsm->record->fields_count; i++) {
        if (fsm->record->fields[i].is_column) {
            memcpy(&actor->columns[column++], (const char *)value + fsm->record->fields[i].offset,
                   sizeof(struct slice));
        }
    }
    if (seed->count == ACTORS_AT_ONCE) {
        commit(seed);
    }
}

static void put_owner(struct seed *seed, int number, bool has_feed)
{
    struct arena *arena = seed->arena;
    const struct slice mxid = arena_printf(arena, "@owner%d:bench.test", number);
    const struct user user = {
        .key = mxid,
        .private_room = arena_printf(arena, "!chat%d:bench.test", number),
        .gitter_id = arena_printf(arena, "5e%022x", (unsigned)number),
        .gitter_name = arena_printf(arena, "owner%d", number),
        .token = arena_printf(arena, "token%d", number),
    };
    put(seed, ACTOR_USER, USER_AUTHED, &user);
    if (has_feed) {
        const struct feed feed = {.key = arena_copy(seed->arena, mxid)};
        put(seed, ACTOR_FEED, FEED_LIVE, &feed); /* as a killed process leaves it */
    }
}

static void put_room(struct seed *seed, int number, int owner)
{
    struct arena *arena = seed->arena;
    const struct slice mxid = arena_printf(arena, "@owner%d:bench.test", owner);
    const struct slice gitter_room = arena_printf(arena, "5f%022x", (unsigned)number);
    const struct room room = {
        .key = arena_printf(arena, "%.*s|%.*s", SLICE_ARGS(mxid), SLICE_ARGS(gitter_room)),
        .owner = mxid,
        .matrix_room = arena_printf(arena, "!bench%d:bench.test", number),
        .gitter_room = gitter_room,
        .label = arena_printf(arena, "bench/room%d", number),
        .name = arena_printf(arena, "bench/room%d", number),
        .gitter_user = arena_printf(arena, "5e%022x", (unsigned)owner),
        .gitter_name = arena_printf(arena, "owner%d", owner),
        .since = SLICE("500000000000000000000000"),
        .cursor = SLICE("500000000000000000000000"),
        .session = 1, /* of a link before: who spoke there last is known */
    };
    put(seed, ACTOR_ROOM, ROOM_JOINED, &room);
}

static struct slice guest_id(struct arena *arena, int number)
{
    return arena_printf(arena, "5c%022x", (unsigned)number);
}

static void put_guest(struct seed *seed, int number)
{
    const struct ghost ghost = {
        .key = guest_id(seed->arena, number),
        .name = arena_printf(seed->arena, "Guest %d", number),
        .avatar = arena_printf(seed->arena, "https://avatars.bench.test/g/u/guest%d", number)};
    put(seed, ACTOR_GHOST, GHOST_READY, &ghost);
}

/* The guest of a room is in it. */
static void put_guest_in_room(struct seed *seed, int room)
{
    struct arena *arena = seed->arena;
    seed->relations[seed->relations_count++] = (struct store_relation){
        .relation = RELATION_GHOST_ROOM,
        .left = arena_printf(arena, "!bench%d:bench.test", room),
        .right = ghostid_mxid(arena, guest_id(arena, room % GUESTS), SLICE("bench.test")),
    };
    if (seed->relations_count == ACTORS_AT_ONCE) {
        commit(seed);
    }
}

static void put_guests(struct seed *seed, int rooms)
{
    for (int i = 0; i < GUESTS; i++) {
        put_guest(seed, i);
    }
    for (int i = 0; i < rooms; i++) {
        put_guest_in_room(seed, i);
    }
}

static int number_of(const char *text)
{
    int64_t number = 0;
    CHECK(slice_to_int(slice_from_cstr(text), &number) == RC_OK);
    CHECK(number > 0 && number <= 10 * 1000 * 1000);
    return (int)number;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        (void)fprintf(stderr, "usage: seed DATABASE SECRET_KEY OWNERS ROOMS [feeds]\n");
        return 2;
    }
    struct slice error = SLICE_EMPTY;
    struct arena *arena = arena_open(ARENA_BYTES);
    static struct seed seed;
    const struct store_sqlite_options options = {
        .path = slice_from_cstr(argv[1]),
        .tables = store_tables(),
        .tables_count = ACTOR_KINDS,
        .purposes = message_names(),
        .purposes_count = MSG_KINDS,
        .secret_key = slice_from_cstr(argv[2]),
    };
    if (store_sqlite_open(&options, arena, &seed.store, &error) != RC_OK) {
        (void)fprintf(stderr, "seed: %.*s\n", SLICE_ARGS(error));
        return 1;
    }
    const int owners = number_of(argv[3]);
    const int rooms = number_of(argv[4]);
    const bool has_feeds = argc > 5 && strcmp(argv[5], "feeds") == 0;
    seed.arena = arena_open(ARENA_BYTES);
    seed.now_ms = (int64_t)time(NULL) * 1000;
    for (int i = 0; i < owners; i++) {
        put_owner(&seed, i, has_feeds);
    }
    for (int i = 0; i < rooms; i++) {
        put_room(&seed, i, i % owners);
    }
    if (has_feeds) {
        put_guests(&seed, rooms);
    }
    commit(&seed);
    seed.store->methods->close(seed.store);
    arena_close(seed.arena);
    arena_close(arena);
    return 0;
}
