/* tests/trace/world.h: the real actors, router and engine on a store in memory, moved by hand, with
 * a homeserver and a Gitter around them that answer as the real ones do.
 *
 * Nothing moves but by world_run (turns) and world_settle (turns and calls, until all is quiet).
 * What the outside sees of it is written to a log, line by line, that tests compare. Calls are
 * taken from the store, as the courier takes them: only the head of a lane, at its time, when no
 * barrier holds it.
 *
 * Memory: all texts live in the world's arena until world_close.
 */
#ifndef GITTERD_TESTS_WORLD_H
#define GITTERD_TESTS_WORLD_H

#include "actors/machine.h"
#include "db/store_memory.h"
#include "runtime/base/buf.h"
#include "runtime/engine.h"
#include "tests/trace/peers.h"

#include <check.h>

enum {
    WORLD_EVENTS_MAX = 256,
    WORLD_LINKS_MAX = 4,
    WORLD_CHANNELS_MAX = 16,
    WORLD_SUSPECTS_MAX = 256,
    WORLD_HEADS_MAX = 256,
    WORLD_LANE_MAX = 1024,
};

#define WORLD_BEGIN_MS INT64_C(1700000000000)

/* An answer to a request to the login pages. */
struct world_page {
    int64_t request;
    int status; /* 0: none came */
    struct slice body;
    struct slice location;
    struct slice set_cookie;
};

/* An event that the homeserver repeats until it is told that it is durable. */
struct world_event {
    struct world *world;
    struct slice id;
    struct slice raw;
    bool is_done;
    enum rc rc; /* why it was given up */
};

struct world_link {
    struct slice owner;
    int64_t session; /* 0: closed */
    struct slice channels[WORLD_CHANNELS_MAX];
    size_t channels_count;
};

/* What a test does with a store beside the engine: as db/store_memory.h says of each. A crash gives
 * the store of the next process. */
struct world_store {
    void (*hold)(struct store *store, bool is_held);
    void (*finish)(struct store *store);
    void (*poll)(struct store *store);
    struct store *(*crash)(struct store *store);
};

/* Who makes the calls instead of the world's own hands: a courier. */
struct world_carrier {
    void *context;
    void (*begin)(void *context); /* a process has begun; its engine is open */
    void (*end)(void *context);
    void (*calls)(void *context, const struct outbox_call *calls, size_t count);
    void (*ended)(void *context, const int64_t *ids, const struct slice *lanes, size_t count);
    void (*changed)(void *context, struct actor_ref ref);
    bool (*is_sent)(void *context, int64_t call_id);
};

struct world {
    struct arena *arena;
    struct store *store;
    const struct world_store *store_hands;
    bool has_other_store;                /* than that of tests: there is no journal in it */
    const struct world_carrier *carrier; /* NULL: nobody */
    struct application application;
    struct settings settings;
    struct engine *engine;
    struct peers peers;
    int64_t now_ms;
    uint64_t random;
    int64_t first_turn; /* of this process */
    int64_t ids;        /* of events and requests */
    int64_t sessions;
    struct world_page page; /* the last */
    struct world_event events[WORLD_EVENTS_MAX];
    size_t events_count;
    struct world_link links[WORLD_LINKS_MAX];
    size_t links_count;
    /* heads of lanes that may have been sent when the process ended */
    int64_t suspects[WORLD_SUSPECTS_MAX];
    size_t suspects_count;
    bool is_held[MSG_KINDS];         /* calls of these purposes are not made */
    bool is_gitter_down;             /* links are not made */
    bool is_hand_linked;             /* the test plays the links */
    bool is_peopled;                 /* links carry people and the lists of rooms too */
    int fuse;                        /* small steps until the process dies; negative: it does not */
    bool is_burnt;                   /* it died */
    struct buf trace;                /* the turn log */
    const struct journal_veil *veil; /* of the next process; NULL: all may be read */
    bool has_other_settings;         /* than when it began: world_close does not replay it */
};

void world_open(struct world *world);
/* The same on another store, which world_close closes; NULL: hands of a store in memory. */
void world_open_on(struct world *world, struct store *store, const struct world_store *hands);
void world_close(struct world *world);

/* The process dies and begins anew on what was durable. Links are gone; the homeserver repeats what
 * was not acknowledged; calls that may have been under way are in doubt. */
void world_crash(struct world *world);

/* Turns until the engine has no more to do now. */
void world_run(struct world *world);
/* Turns and calls until nothing more happens at this time. */
void world_settle(struct world *world);
/* The clock goes on; what is due happens, and what follows from it. */
void world_wait(struct world *world, int64_t ms);

/* Inputs. Each runs the turns that follow, no calls; settle does the rest. */
void world_post(struct world *world, int kind, const void *body);
struct slice world_event(struct world *world, struct slice raw); /* gives the event's id */
struct slice
world_content(struct world *world, const char *room, const char *sender, const char *content);
struct slice
world_text(struct world *world, const char *room, const char *sender, const char *body);
/* An event in place of another; gives its id. */
struct slice world_edit(struct world *world,
                        const char *room,
                        const char *sender,
                        struct slice event_id,
                        const char *body);
/* A state event of membership: "join", or with what was before "invite>join". */
void world_member(struct world *world,
                  const char *room,
                  const char *sender,
                  const char *user,
                  const char *change);
void world_redact(struct world *world, const char *room, const char *sender, struct slice event_id);
/* The create event of a room, with our marker. */
void world_created(struct world *world, const char *room, const char *sender, const char *marker);
/* Settles and gives the page. */
struct world_page *
world_web(struct world *world, const char *method, struct slice path_query, struct slice cookie);
/* The same for a form that is sent. */
struct world_page *
world_submit(struct world *world, struct slice path_query, struct slice cookie, struct slice form);

/* Somebody says something on Gitter; subscribed links carry it at once. Gives its id. */
struct slice world_says(struct world *world, const char *room, const char *user, const char *text);
/* A record on the live channel of a room, of the links that have subscribed to it. */
void world_record(struct world *world, const char *room, const char *operation, struct slice model);
/* The link of an owner ends by itself. */
void world_unlink(struct world *world, const char *owner, const char *why);

/* Calls by hand. The head of that purpose that may go; a failure if there is none. */
struct outbox_call world_head(struct world *world, int purpose);
bool world_has_head(struct world *world, int purpose);
/* It ends with this, and nothing was done. */
void world_end(struct world *world, int purpose, enum call_end end, int status, const char *body);
/* Its answer is lost: it took effect. */
void world_lose_answer(struct world *world, int purpose);
/* It is made as usual, though its purpose may be held. */
void world_make(struct world *world, int purpose);

/* What happened outside since the last look, against the expected block. */
void world_expect(struct world *world, const char *expected);
/* The same, without looking. */
void world_forget(struct world *world);
/* Of the turn log since the last look. */
void world_expect_trace(struct world *world, const char *expected);
bool world_said(struct world *world, const char *needle); /* in what the log has now */

/* Runs what the journal has again and compares; gives the number of turns. world_close does so too.
 */
size_t world_replay(struct world *world);

/* The committed state's name of an actor; "-" if there is none. */
const char *world_state(struct world *world, int kind, struct slice key);
const void *world_peek(struct world *world, int kind, struct slice key);
/* Calls in the outbox. */
size_t world_outbox(struct world *world);

#define world_assert_state(world, kind, key, state)                                                \
    ck_assert_str_eq(world_state((world), (kind), SLICE(key)), (state))

#endif
