/* tests/sim/sim.h: a seeded run of the world of tests/trace: what people say on both sides, which
 * faults there are and when they strike all follow from one number.
 *
 * First everybody logs in and bridges their rooms; then things are said while faults strike; then
 * the faults stop and all must come to rest within SIM_DRAIN_MS. Calls take time here: a call is in
 * flight from its start to its answer, it takes effect somewhere between or, when its answer is
 * lost, even behind its end.
 *
 * Memory: all texts live in the world's arena.
 * Units:  ms since the epoch.
 */
#ifndef GITTERD_TESTS_SIM_H
#define GITTERD_TESTS_SIM_H

#include "tests/trace/world_parts.h"

enum {
    SIM_USERS_MAX = 3,
    SIM_ROOMS_MAX = 4,
    SIM_BRIDGES_MAX = SIM_USERS_MAX * SIM_ROOMS_MAX,
    SIM_REBRIDGED_MAX = 16,
    SIM_SAID_MAX = 512,
    SIM_EVENTS_MAX = 4096,
    SIM_RECORDS_MAX = 4096,
    SIM_FLIGHTS_MAX = 256,
    SIM_PAUSES_MAX = 256,
    SIM_DRAIN_MS = 40 * 60 * 1000,
};

#define SIM_FAULT_LIST(X)                                                                          \
    X(REFUSED)      /* no connection to be had */                                                  \
    X(SLOW)         /* answers take their time */                                                  \
    X(LOST_REQUEST) /* nothing was done, and nobody knows */                                       \
    X(LOST_ANSWER)  /* it was done, and nobody knows */                                            \
    X(SERVER_ERROR) /* 502, done or not */                                                         \
    X(TOO_MANY)     /* 429 */                                                                      \
    X(DUPLICATED)   /* a request that may be repeated arrives twice */                             \
    X(CUT)          /* a link ends */                                                              \
    X(GAP)          /* a link loses records */                                                     \
    X(DOWN)         /* Gitter takes no links for a while */                                        \
    X(REPEATED)     /* a transaction comes again under another id */                               \
    X(FORGOTTEN)    /* the homeserver forgets which transaction ids it has seen */                 \
    X(REVOKED)      /* a token is taken back; the user logs in again */                            \
    X(LEFT)         /* the owner leaves a room and has it bridged again */                         \
    X(COMMIT)       /* a commit fails */                                                           \
    X(CRASH)        /* the process dies */

enum sim_fault {
#define SIM_FAULT_ENUM(name) SIM_##name,
    SIM_FAULT_LIST(SIM_FAULT_ENUM) SIM_FAULTS
#undef SIM_FAULT_ENUM
};

struct sim_user {
    struct slice mxid;
    struct slice account; /* on Gitter */
    struct slice chat;
    bool is_revoked;
    int64_t login_at_ms; /* when they mind that they are logged out; 0: they are not */
};

struct sim_bridge {
    size_t user;
    size_t room;
    struct slice key;
    struct slice matrix_room;              /* the present one */
    struct slice rooms[SIM_REBRIDGED_MAX]; /* all there were */
    size_t rooms_count;
    bool is_free;        /* between two Matrix rooms: nothing is promised */
    int64_t again_at_ms; /* when the owner asks for it again */
    int64_t open_at_ms;  /* from when on the new room is held to account */
};

/* What an owner has said on Matrix. */
struct sim_said {
    struct slice event_id;
    size_t bridge;
    struct slice text;
    bool is_excused; /* may be missing: an edit, or the room was left meanwhile */
    bool was_unknown;
    bool is_left; /* the room it was said in has been left */
};

/* What is known of a message on Gitter beyond what peers keep; in the same order. */
struct sim_message {
    struct slice event_id; /* what it stands for; empty: it was written on Gitter */
    size_t user;           /* who had it posted, if it stands for something */
    unsigned excused;      /* bit by bridge: may be missing there */
    bool is_first;         /* of the parts of an event */
    struct slice text;     /* as it was first */
    struct slice shown;    /* its text as last told on the links */
    bool was_removed;
};

struct sim_event {
    struct slice id;
    struct slice raw;
    bool is_done;
    bool is_failed;
};

struct sim_record {
    size_t link;
    int64_t session;
    struct slice channel; /* empty: a gap is noticed */
    struct slice data;
    bool is_gone;
};

struct sim_flight {
    struct outbox_call row;
    struct slice token;
    int64_t effect_ms; /* 0: none, or over */
    int64_t end_ms;    /* 0: nobody waits for it any more */
    bool is_lost;      /* nobody will know */
    bool is_twice;
    bool is_refused;  /* 401 */
    int64_t pause_ms; /* positive: it is made again after that */
    struct peer_answer answer;
};

/* A lane whose head is made again at a time. */
struct sim_pause {
    struct slice lane;
    int64_t until_ms;
};

struct sim {
    struct world world;
    uint64_t seed;
    uint64_t random;
    bool is_calm;     /* no faults */
    unsigned faults;  /* bit by fault: exists in this run */
    uint64_t percent; /* of calls and moments that are struck */
    int64_t struck[SIM_FAULTS];
    struct sim_user users[SIM_USERS_MAX];
    size_t users_count;
    size_t rooms_count;
    struct sim_bridge bridges[SIM_BRIDGES_MAX];
    size_t bridges_count;
    struct sim_said said[SIM_SAID_MAX];
    size_t said_count;
    struct sim_message messages[PEERS_ITEMS_MAX];
    size_t messages_count;
    size_t matrix_events_count; /* those of peers that were pushed back */
    size_t forgotten_at;        /* events of peers that were there when all was forgotten last */
    struct sim_event events[SIM_EVENTS_MAX];
    size_t events_count;
    size_t events_next; /* the first that is not acknowledged */
    size_t events_sent; /* behind the last that is under way */
    struct sim_record records[SIM_RECORDS_MAX];
    size_t records_count;
    size_t records_next;
    struct sim_flight flights[SIM_FLIGHTS_MAX];
    size_t flights_count;
    int64_t posted[SIM_FLIGHTS_MAX]; /* calls whose end is not durable yet */
    size_t posted_count;
    struct sim_pause pauses[SIM_PAUSES_MAX];
    size_t pauses_count;
    size_t joins_seen; /* facts of peers looked at for invitations */
    struct arena *scratch;
    bool is_told; /* everything is printed as it happens */
    size_t told_turns;
    size_t told_seen;
};

/* What came of a run. */
struct sim_result {
    int64_t turns;
    int64_t faults;
    int64_t messages;
    int64_t lost;
    int64_t doubled;
    int64_t disordered;
    int64_t echoed;
    int64_t stuck; /* calls and events left over */
    int64_t adopted;
    int64_t resent;
    int64_t excused;
    uint64_t hash; /* of all that was seen and of all turns */
};

/* Random numbers: below n, and true in that many of a hundred cases. */
uint64_t sim_random(struct sim *sim, uint64_t below);
bool sim_chance(struct sim *sim, uint64_t percent);
/* True if this fault strikes now; counted. */
bool sim_strikes(struct sim *sim, enum sim_fault fault);

/* sim.c */
void sim_run(struct sim *sim, uint64_t seed, struct sim_result *result);
/* The clock goes on by this, and everything with it. */
void sim_step(struct sim *sim, int64_t ms);
/* The process dies now. */
void sim_crash(struct sim *sim);

/* sim_calls.c */
void sim_calls_go(struct sim *sim);
void sim_calls_crash(struct sim *sim);
bool sim_calls_are_over(const struct sim *sim);

/* sim_wires.c: the homeserver's transactions and Gitter's links. */
void sim_push(struct sim *sim, struct slice id, struct slice raw);
struct slice
sim_push_content(struct sim *sim, struct slice room, struct slice sender, struct slice content);
void sim_push_member(struct sim *sim, struct slice room, struct slice user, const char *change);
void sim_deliver_events(struct sim *sim);
void sim_deliver_records(struct sim *sim);
/* What has happened on both sides since the last look becomes events and records. */
void sim_notice(struct sim *sim);

/* sim_people.c: who says what, and what befalls them. */
void sim_people_begin(struct sim *sim);
void sim_people_act(struct sim *sim);
/* What people do of necessity: log in again, accept invitations, ask for a room again. */
void sim_people_mind(struct sim *sim);
bool sim_people_are_well(const struct sim *sim);

/* sim_check.c */
void sim_check_now(struct sim *sim);
void sim_check_end(struct sim *sim, struct sim_result *result);
/* All that is promised is there already. */
bool sim_is_level(struct sim *sim);

#endif
