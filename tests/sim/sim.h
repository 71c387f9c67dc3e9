/* tests/sim/sim.h: a seeded run of the world of tests/trace: what people say on both sides, which
 * faults there are and when they strike all follow from one number.
 *
 * The actors, the router, the engine, the codecs and the courier are those of the daemon. Below the
 * courier the wire is simulated (sim_wire.c), and libev's timer (sim_process.c).
 *
 * First everybody logs in and bridges their rooms; then things are said while faults strike; then
 * the faults stop and all must come to rest within SIM_DRAIN_MS. Calls take time here: a call is in
 * flight from its start to its answer, it takes effect somewhere between or, when its answer is
 * lost, even behind its end.
 *
 * Memory: all texts live in the world's arena.
 * Units:  ms since the epoch, on the clock of everybody but the bridge; its own may be wrong.
 */
#ifndef GITTERD_TESTS_SIM_H
#define GITTERD_TESTS_SIM_H

#include "runtime/base/clock.h"
#include "runtime/courier_wire.h"
#include "tests/trace/world_parts.h"

#include <ev.h>

enum {
    SIM_USERS_MAX = 3,
    SIM_ROOMS_MAX = 4,
    SIM_BRIDGES_MAX = SIM_USERS_MAX * SIM_ROOMS_MAX,
    SIM_REBRIDGED_MAX = 16,
    SIM_SAID_MAX = 512,
    SIM_TEXTS_MAX = 8,
    SIM_CLAIMS_MAX = 4,
    SIM_EVENTS_MAX = 4096,
    SIM_RECORDS_MAX = 4096,
    SIM_FLIGHTS_MAX = 256,
    SIM_DRAIN_MS = 40 * 60 * 1000,
};

#define SIM_FAULT_LIST(X)                                                                          \
    X(REFUSED)      /* no connection to be had */                                                  \
    X(SLOW)         /* answers take their time, or come too late */                                \
    X(LOST_REQUEST) /* nothing was done, and nobody knows */                                       \
    X(LOST_ANSWER)  /* it was done, and nobody knows */                                            \
    X(SERVER_ERROR) /* 500 to 504, done or not */                                                  \
    X(TOO_MANY)     /* 429, with a delay in one of its forms or without */                         \
    X(BUDGET)       /* Gitter allows few requests a minute */                                      \
    X(DUPLICATED)   /* a request that may be repeated arrives twice */                             \
    X(REORDERED)    /* a lost request arrives behind those that were made after it */              \
    X(HTTP_REPEAT)  /* something between repeats a request that must not be */                     \
    X(CUT)          /* a link ends, in the middle of a record */                                   \
    X(GAP)          /* a link loses records */                                                     \
    X(DOWN)         /* Gitter cannot be reached for a while */                                     \
    X(REPEATED)     /* a transaction comes again, older, changed, or with more in it */            \
    X(FORGOTTEN)    /* the homeserver forgets which transaction ids it has seen */                 \
    X(RESTARTED)    /* the homeserver is down for a while, and its clock is another then */        \
    X(REVOKED)      /* a token is taken back; the user logs in again */                            \
    X(LEFT)         /* the owner leaves a room and has it bridged again */                         \
    X(REMOVED)      /* the owner is removed from a Gitter room, and comes back */                  \
    X(BANNED)       /* the same, and Gitter answers 403 meanwhile */                               \
    X(RENAMED)      /* a person or a room has another name */                                      \
    X(CLOCK)        /* our clock jumps, forwards or back */                                        \
    X(COMMIT)       /* a commit fails */                                                           \
    X(CRASH)        /* the process dies between two turns */                                       \
    X(CRASH_STEP)   /* after a step, before its commit */                                          \
    X(CRASH_COMMIT) /* after a commit, before it acts */                                           \
    X(CRASH_CALL)   /* after the k-th call took effect */                                          \
    X(CRASH_END)    /* after the end of a call, before that is stored */

enum sim_fault {
#define SIM_FAULT_ENUM(name) SIM_##name,
    SIM_FAULT_LIST(SIM_FAULT_ENUM) SIM_FAULTS
#undef SIM_FAULT_ENUM
};

struct sim_user {
    struct slice mxid;
    struct slice account; /* on Gitter */
    struct slice chat;
    int64_t login_at_ms; /* when they mind that they are logged out; 0: they are not */
    int64_t window_ms;   /* Gitter's count of requests began then */
    int requests;
};

struct sim_bridge {
    size_t user;
    size_t room;
    struct slice key;
    struct slice matrix_room;              /* the present one */
    struct slice rooms[SIM_REBRIDGED_MAX]; /* all there were */
    size_t rooms_count;
    bool is_free;        /* between two Matrix rooms: nothing is promised */
    bool is_out;         /* Gitter does not have them in the room */
    bool was_banned;     /* posts may have been refused */
    int64_t again_at_ms; /* when the owner asks for it again */
    int64_t open_at_ms;  /* from when on the new room is held to account */
    int64_t kept_at_ms;  /* by then the old room has stayed */
};

/* What an owner has said or done on Matrix. */
struct sim_said {
    struct slice event_id;
    size_t bridge;
    struct slice text;
    size_t edits; /* index of what it changes; its own: nothing */
    bool is_removal;
    bool is_edited;
    bool is_removed; /* taken back: it need not get to Gitter */
    bool is_excused; /* may be missing: the room was left meanwhile */
    bool was_unknown;
    struct slice looked_after; /* Gitter message id: behind it the bridge has looked for its post */
    bool is_left;              /* the room it was said in has been left */
    size_t repeated;           /* posts of it that something between repeated */
};

/* What is known of a message on Gitter beyond what peers keep; in the same order. */
struct sim_message {
    struct slice event_id; /* what it stands for; empty: it was written on Gitter */
    size_t user;           /* who had it posted, if it stands for something */
    unsigned excused;      /* bit by bridge: may be missing there */
    unsigned unsure;       /* bit by bridge: the link did not bring its last change there */
    bool is_first;         /* of the parts of an event */
    bool is_repeat;        /* of the message before it, by something between */
    bool is_touched;       /* changed on Gitter */
    struct slice text;     /* as it was first */
    struct slice shown;    /* its text as last told on the links */
    struct slice texts[SIM_TEXTS_MAX]; /* what it was changed to, so far as there is room */
    bool was_removed;
    int changes;
    /* the events for which the bridge took it to stand */
    struct slice claims[SIM_CLAIMS_MAX];
    size_t claims_count;
};

struct sim_event {
    struct slice id;
    struct slice raw;    /* its members, without age and times */
    struct slice before; /* the membership that was */
    int64_t sent_ms;
    struct sim *sim;
    int waiting; /* times it was handed over and not answered */
    bool is_done;
    bool is_failed;
};

struct sim_record {
    size_t link;
    int64_t session;
    struct slice channel; /* empty: a gap is noticed */
    struct slice data;
    size_t message; /* that it changes */
    size_t bridge;
    int change; /* which of its changes; 0: none */
    bool is_gone;
};

/* A request on its way. */
struct sim_flight {
    struct outbox_call row;
    struct slice token;
    void *tag;         /* of the courier; NULL: nobody waits for the answer */
    int64_t effect_ms; /* 0: none, or over */
    int64_t end_ms;    /* 0: over */
    int times;         /* it arrives */
    bool is_fixed;     /* the answer is decided, whatever the server does */
    struct wire_answer answer;
};

struct sim {
    struct world world;
    uint64_t seed;
    uint64_t random;
    int64_t now_ms;
    int64_t clock_ms;   /* the clock of the bridge's machine is ahead by this */
    struct clock clock; /* of the process: what it makes of that */
    bool is_calm;       /* no faults */
    bool is_on_disk;    /* the store is SQLite */
    struct sim_store *store;
    unsigned allowed; /* bit by fault: may exist */
    unsigned faults;  /* the same: exists in this run */
    uint64_t percent; /* of calls and moments that are struck */
    int64_t struck[SIM_FAULTS];
    /* the process */
    struct world_carrier carrier;
    struct courier *courier;
    struct wire *wire;
    ev_timer *timer; /* of the courier; NULL: not running */
    int64_t timer_ms;
    int calls_to_live; /* effects until the process dies; negative: it does not */
    bool is_at_login;  /* somebody is: the others wait, as nothing else goes on meanwhile */
    bool is_doomed;
    bool is_end_fatal; /* it dies when the next call has ended */
    /* people and what they said */
    struct sim_user users[SIM_USERS_MAX];
    size_t users_count;
    size_t rooms_count;
    struct sim_bridge bridges[SIM_BRIDGES_MAX];
    size_t bridges_count;
    struct sim_said said[SIM_SAID_MAX];
    size_t said_count;
    struct sim_message messages[PEERS_ITEMS_MAX];
    size_t messages_count;
    /* the homeserver */
    size_t matrix_events_count;    /* those of peers that were pushed back */
    size_t forgotten_at;           /* events of peers that were there when all was forgotten last */
    bool is_late[PEERS_ITEMS_MAX]; /* events of peers whose sender had given up waiting */
    int64_t homeserver_down_until_ms;
    int64_t homeserver_clock_ms;
    struct sim_event events[SIM_EVENTS_MAX];
    size_t events_count;
    size_t events_next; /* the first that is not acknowledged */
    size_t events_sent; /* behind the last that is under way */
    /* Gitter */
    bool is_rest_down;
    int budget; /* requests a minute */
    struct sim_record records[SIM_RECORDS_MAX];
    size_t records_count;
    size_t records_next;
    size_t undurable[SIM_RECORDS_MAX]; /* delivered, and not known to be stored */
    size_t undurable_count;
    struct sim_flight flights[SIM_FLIGHTS_MAX];
    size_t flights_count;
    size_t joins_seen; /* facts of peers looked at for invitations */
    struct arena *scratch;
    bool is_told; /* everything is printed as it happens */
    size_t told_turns;
    size_t told_seen;
};

/* What came of a run. */
struct sim_result {
    int64_t turns;
    int64_t struck[SIM_FAULTS];
    int64_t messages;
    int64_t changes;
    int64_t lost;
    int64_t doubled;
    int64_t disordered;
    int64_t echoed;
    int64_t stuck;   /* calls and events left over */
    int64_t stale;   /* edits, removals or names that did not arrive */
    int64_t adopted; /* other messages taken for posts; and what else no wire can tell apart */
    int64_t hidden;  /* posts that were changed before they were found */
    int64_t resent;
    int64_t repeated;
    int64_t excused;
    int64_t gaps;  /* changes that no link brought */
    int64_t told;  /* refused by Gitter, and the user was told */
    uint64_t hash; /* of all that was seen and of all turns */
};

/* Random numbers: below n, and true in that many of a hundred cases. */
uint64_t sim_random(struct sim *sim, uint64_t below);
bool sim_chance(struct sim *sim, uint64_t percent);
int64_t sim_random_ms(struct sim *sim, int64_t most);
/* True if this fault strikes now; counted. */
bool sim_strikes(struct sim *sim, enum sim_fault fault);
const char *sim_fault_name(enum sim_fault fault);

/* sim.c */
void sim_run(struct sim *sim, uint64_t seed, struct sim_result *result);
/* The clock goes on by this, and everything with it. */
void sim_step(struct sim *sim, int64_t ms);

/* sim_process.c: the courier, and libev's timer below it. */
void sim_process_begin(struct sim *sim);
/* The process asks what time it is. */
void sim_clock_tell(struct sim *sim);
/* What is due in the loop happens. */
void sim_loop_run(struct sim *sim);

/* sim_store.c: the store of either kind, and what it must never hold. */
void sim_store_open(struct sim *sim);
void sim_store_close(struct sim *sim);
/* The next commit changes nothing and ends with this. */
void sim_fail_commit(struct sim *sim, enum rc rc);
/* Calls in the outbox, of one actor or of all (NULL). */
size_t sim_store_calls(const struct sim *sim, const struct actor_ref *ref);
/* Calls in the outbox that count against their owner. */
size_t sim_store_counted(const struct sim *sim);
/* Posts in the outbox, and looks for them, that were declared in that life of a room. */
size_t sim_store_posts(const struct sim *sim, struct slice room, struct slice life);

/* sim_wire.c: what befalls requests. */
void sim_wire_go(struct sim *sim);
bool sim_wire_is_idle(const struct sim *sim);
/* Requests that nobody waits for any more end with the homeserver that had them. */
void sim_wire_homeserver_ends(struct sim *sim);

/* sim_homeserver.c: its transactions. */
void sim_push(struct sim *sim, struct slice id, struct slice raw);
struct slice
sim_push_content(struct sim *sim, struct slice room, struct slice sender, struct slice content);
struct slice
sim_push_redaction(struct sim *sim, struct slice room, struct slice sender, struct slice redacts);
void sim_push_member(struct sim *sim, struct slice room, struct slice user, const char *change);
void sim_push_created(struct sim *sim, struct slice room, struct slice marker);
void sim_deliver_events(struct sim *sim);
/* The process died: nobody will answer. */
void sim_forget_answers(struct sim *sim);
void sim_restart_homeserver(struct sim *sim);

/* sim_links.c: Gitter's links. */
void sim_deliver_records(struct sim *sim);
/* What was delivered is stored, or was lost with the process. */
void sim_settle_records(struct sim *sim, bool is_lost);
void sim_cut_link(struct sim *sim, size_t link);
/* A record on the channels of that name of everybody, or of one owner. */
void sim_tell_channel(struct sim *sim, struct slice channel, struct slice data);
/* Gitter ends a subscription by itself. */
void sim_end_subscription(struct sim *sim, const struct sim_bridge *bridge);
/* What has happened on both sides since the last look becomes events and records. */
void sim_notice(struct sim *sim);

/* sim_people.c: who says what. */
void sim_people_begin(struct sim *sim);
void sim_people_act(struct sim *sim);
/* Everybody says a last word, so that their names can be compared. */
void sim_people_say_goodbye(struct sim *sim);
/* Who is in each room on Gitter, under their present names. */
void sim_list_people(struct sim *sim);
const char *sim_room_id(size_t room);
const char *sim_room_name(size_t room);

/* sim_fate.c: what befalls them. */
void sim_befall(struct sim *sim);

/* sim_mind.c: what people do of necessity: log in again, accept invitations, ask for a room again.
 */
void sim_people_mind(struct sim *sim);
bool sim_people_are_well(const struct sim *sim);

/* sim_check.c: what must hold at every moment. */
void sim_check_now(struct sim *sim);

/* sim_look.c: and when all has come to rest. */
void sim_look_at_end(struct sim *sim, struct sim_result *result);
/* All that is promised is there already. */
bool sim_is_level(struct sim *sim);

/* sim_look_changes.c: edits, removals and names. Gives how many are stale; tells them if asked. */
void sim_look_at_changes(struct sim *sim, bool is_told, struct sim_result *result);
size_t sim_said_at(const struct sim *sim, struct slice event_id);
bool sim_is_in_room(const struct sim_bridge *bridge, const struct peer_message *message);

/* sim_mistakes.c: messages that were taken for posts of which nobody knew. */
/* What the bridge stored and asked about them. */
void sim_note_claim(struct sim *sim, struct slice message, struct slice value);
void sim_note_look(struct sim *sim, const struct outbox_call *row);
/* The message that the bridge took for the post of what was said, as nothing tells the two apart;
 * messages_count if it took none, or its own, or could have known better. */
size_t sim_mistaken_for(const struct sim *sim, size_t said);
/* The message was taken so for a post. */
bool sim_is_mistaken(const struct sim *sim, size_t m);
/* Of an own message and its repetition by something between, the room takes one for its own. */
bool sim_was_repeated(const struct sim *sim, size_t m);

#endif
