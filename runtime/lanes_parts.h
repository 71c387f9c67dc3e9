/* runtime/lanes_parts.h: what the files of the lanes share: lanes, owners and their queues.
 *
 * Private to runtime/lanes*.c.
 */
#ifndef GITTERD_RUNTIME_LANES_PARTS_H
#define GITTERD_RUNTIME_LANES_PARTS_H

#include "runtime/lanes.h"
#include "runtime/lanes_heap.h"

#include <sys/queue.h>

enum {
    LIVE,
    CATCH_UP,
    CLASSES
};

struct owner;

TAILQ_HEAD(lane_list, lane);

/* What one owner has to do at one host. */
struct account {
    struct lane_list ready[CLASSES];
    TAILQ_ENTRY(account) ring[CLASSES];
    bool is_in_ring[CLASSES];
    struct owner *owner;
    struct heap_node pause; /* in `pauses` while it is paused */
};

TAILQ_HEAD(account_list, account);

struct owner {
    struct slice name; /* first, as the tree's key */
    struct account accounts[LANES_HOSTS];
    struct lane_list locked;
    bool is_locked;
    int64_t wakes;
    size_t lanes;
};

struct host {
    struct account_list ring[CLASSES];
    int in_flight;
    int live_in_a_row; /* taken while catch-up waited */
    int64_t paused_until_ms;
    bool is_doubtful;
};

struct lane {
    struct slice name; /* first, as the tree's key */
    enum lane_state state;
    struct lanes_head head;
    void *tail;
    struct owner *owner;
    int64_t wakes; /* of the owner when it was given out */
    TAILQ_ENTRY(lane) all;
    TAILQ_ENTRY(lane) link; /* ready list of the account, or locked list of the owner */
    struct heap_node timer; /* TIMED: its start; LOCKED: its expiry */
    struct heap_node bar;   /* BARRED: in the heap of the other lane, by place */
    struct lane *barrier;
    bool was_barred;
    struct heap barred;
};

struct lanes {
    struct host hosts[LANES_HOSTS];
    struct lane_list all;
    void *by_name;
    void *owners;
    struct heap times;
    struct heap pauses;
    int64_t sequence; /* ties in the heaps: first come first served */
    size_t count;
    int host_calls_max;
};

/* The struct that a heap node is part of. */
#define CONTAINER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Zeroed but for the slice at its start, a copy of the name in the same block: what trees with
 * slice_compare_items are keyed by. */
void *lanes_open_named(size_t size, struct slice name);

/* The owner a lane counts against while it has a head, and after that until it has another. */
void owner_join(struct lanes *lanes, struct lane *lane);
void owner_leave(struct lanes *lanes, struct lane *lane);
struct owner *owner_find(const struct lanes *lanes, struct slice name);
void owner_close(struct lanes *lanes, struct owner *owner);

/* Where a lane with a head waits. An account is in the ring of its host while it has ready lanes
 * and is not paused. */
struct account *lane_account(const struct lane *lane);
void account_update(struct lanes *lanes, struct account *account, int class);
void account_pause(struct lanes *lanes, struct account *account, int64_t until_ms);
void accounts_end_pauses(struct lanes *lanes, int64_t now_ms);
void lane_make_ready(struct lanes *lanes, struct lane *lane);
/* Ready at that time; 0: now. */
void lane_make_timed(struct lanes *lanes, struct lane *lane, int64_t at_ms);
void lane_make_locked(struct lanes *lanes, struct lane *lane);
void lane_make_barred(struct lanes *lanes, struct lane *lane, struct lane *barrier);
/* Takes a lane out of whatever it waits in. */
void lane_take_out(struct lanes *lanes, struct lane *lane);
/* Takes the lane whose turn it is out of its queue, and sends its owner to the end of the ring;
 * NULL if none is ready. */
struct lane *host_take(struct lanes *lanes, struct host *host);

#endif
