/* runtime/lanes.h: which call may go next. The order of the outbox, without any I/O.
 *
 * A lane holds the head of a queue whose rest lies in the store. lanes_next gives the lane whose
 * head may be made now and counts it as in flight until lanes_done, lanes_again or lanes_refuse.
 *
 * Among lanes that may go: live ones before catch-up, though of each host's calls every eighth is
 * catch-up if there is any, round-robin between owners, first come first served between the lanes
 * of one owner, and at most a cap of calls in flight for each host.
 *
 * A head does not go
 * - before its time, or while its owner or its host is paused;
 * - while its owner's token is known to be missing or refused, if it needs one. Such a lane is
 *   given out nevertheless when the head has expired, so that it can end;
 * - while the lane it names as barrier holds a call declared up to the same turn. Rows are ordered
 *   by `place`: the id of a call, or for one that was declared instead of another the place of that
 *   one, in whose stead it stands here as well. Ids grow with turns, so the head of the other lane
 *   decides alone: the barrier holds while that head has a smaller place, or the same turn. For
 *   calls that stand in their own place this is exact. It is exact for successors too if they bear
 *   the turn of the call they succeed; with a turn of their own, a successor that was declared in
 *   the same turn as the waiting call but behind it does not hold it up. Since all edges but those
 *   inside one turn go to a smaller place, lanes of different turns cannot wait in a circle.
 *
 * Costs: each operation takes a time logarithmic in the number of lanes, whatever waits.
 * Thread: one.
 * Memory: the slices of a head are borrowed until lanes_clear_head or lanes_remove; names are
 *         copied.
 * Units:  ms on any clock that does not go backwards.
 */
#ifndef GITTERD_RUNTIME_LANES_H
#define GITTERD_RUNTIME_LANES_H

#include "runtime/base/slice.h"

enum {
    LANES_HOSTS = 4,
    LANES_LIVE_IN_A_ROW_MAX = 7
};

struct lanes;
struct lane;

/* What decides about a call at the head of a lane. */
struct lanes_head {
    int64_t place;
    int64_t turn;
    int host; /* 0 to LANES_HOSTS - 1 */
    struct slice owner;
    struct slice after_lane; /* empty, or its own lane: no barrier */
    bool is_catch_up;
    bool needs_token;
    int64_t start_ms;   /* not before */
    int64_t expires_ms; /* from then on it is given out even without a token */
    void *data;         /* the caller's */
};

enum lane_state {
    LANE_EMPTY,   /* without a head; still holds back who waits for it */
    LANE_READY,   /* in the queue of its owner */
    LANE_TIMED,   /* waits for a time */
    LANE_BARRED,  /* waits for another lane */
    LANE_LOCKED,  /* waits for its owner's token */
    LANE_RUNNING, /* given out */
};

struct lanes *lanes_open(int host_calls_max);
void lanes_close(struct lanes *lanes);

struct lane *lanes_find(const struct lanes *lanes, struct slice name);
/* A new lane, empty; a CHECK if there is one of that name. */
struct lane *lanes_add(struct lanes *lanes, struct slice name);
/* Forgets an empty lane: the store holds no call of it. Lanes that wait for it go on. */
void lanes_remove(struct lanes *lanes, struct lane *lane);

struct slice lane_name(const struct lane *lane);
enum lane_state lane_state(const struct lane *lane);
/* What its head was given; NULL if the lane is empty. */
void *lane_data(const struct lane *lane);
/* A block from malloc that stays with the lane and is freed with it; NULL at first. */
void *lane_tail(const struct lane *lane);
void lane_set_tail(struct lane *lane, void *tail);
/* True if its head was once held back by a barrier. */
bool lane_was_barred(const struct lane *lane);
/* True if a barrier holds its head back now, whether or not it was tried yet. */
bool lane_is_held_back(const struct lanes *lanes, const struct lane *lane);

/* Gives an empty lane its head. */
void lanes_set_head(struct lanes *lanes, struct lane *lane, const struct lanes_head *head);
/* Takes the head from a lane that is not running, wherever it waits. */
void lanes_clear_head(struct lanes *lanes, struct lane *lane);

/* The next lane that may go, now running; NULL if none may. */
struct lane *lanes_next(struct lanes *lanes, int64_t now_ms);
/* When lanes_next may have something though nothing else happens; 0: never. */
int64_t lanes_next_ms(const struct lanes *lanes);

/* A running lane: its call has ended, the lane becomes empty. */
void lanes_done(struct lanes *lanes, struct lane *lane);
/* A running lane: its call is to be made again at that time. */
void lanes_again(struct lanes *lanes, struct lane *lane, int64_t at_ms);
/* A running lane: there is no token, or it was refused. The lanes of the owner that need one wait
 * for lanes_wake. True if they did not do so before. If the owner was woken since this call was
 * given out, the call had an older token: it just goes again. */
bool lanes_refuse(struct lanes *lanes, struct lane *lane);
/* What waits for the owner's token goes on. */
void lanes_wake(struct lanes *lanes, struct slice owner);

/* Nothing of this owner goes to the host of the lane before that time; never shortens a pause. */
void lanes_pause_owner(struct lanes *lanes, const struct lane *lane, int64_t until_ms);
/* Nothing goes to the host before that time; never shortens a pause. */
void lanes_pause_host(struct lanes *lanes, int host, int64_t until_ms);
/* A host that could not be reached is tried with one call at a time. */
void lanes_doubt_host(struct lanes *lanes, int host, bool is_doubtful);

/* All pauses end, and what is to be made again goes now; heads whose own time has not come wait on.
 */
void lanes_hurry(struct lanes *lanes, int64_t now_ms);

size_t lanes_count(const struct lanes *lanes);
int lanes_in_flight(const struct lanes *lanes);

#endif
