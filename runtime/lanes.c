#include "runtime/lanes.h"

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/lanes_parts.h"

#include <search.h>
#include <stdlib.h>

struct lanes *lanes_open(int host_calls_max)
{
    CHECK(host_calls_max > 0);
    struct lanes *lanes = calloc(1, sizeof *lanes);
    CHECK(lanes != NULL);
    lanes->host_calls_max = host_calls_max;
    TAILQ_INIT(&lanes->all);
    for (int i = 0; i < LANES_HOSTS; i++) {
        TAILQ_INIT(&lanes->hosts[i].ring[LIVE]);
        TAILQ_INIT(&lanes->hosts[i].ring[CATCH_UP]);
    }
    return lanes;
}

/* Those that no longer wait for this lane, whose head now has this place. Who still has to wait
 * because of the turn is found when its turn to go comes. */
static void lane_release_barred(struct lanes *lanes, struct lane *lane, int64_t place)
{
    struct heap_node *top = heap_top(&lane->barred);
    while (top != NULL && top->key < place) {
        struct lane *waiting = CONTAINER(top, struct lane, bar);
        lane_take_out(lanes, waiting);
        lane_make_ready(lanes, waiting);
        top = heap_top(&lane->barred);
    }
}

struct lane *lanes_find(const struct lanes *lanes, struct slice name)
{
    struct lane *const *node = tfind(&name, &lanes->by_name, slice_compare_items);
    return node == NULL ? NULL : *node;
}

struct lane *lanes_add(struct lanes *lanes, struct slice name)
{
    struct lane *lane = lanes_open_named(sizeof *lane, name);
    lane->state = LANE_EMPTY;
    struct lane *const *node = tsearch(lane, &lanes->by_name, slice_compare_items);
    CHECK(node != NULL && *node == lane);
    TAILQ_INSERT_TAIL(&lanes->all, lane, all);
    lanes->count++;
    return lane;
}

void lanes_remove(struct lanes *lanes, struct lane *lane)
{
    CHECK(lane->state == LANE_EMPTY);
    lane_release_barred(lanes, lane, INT64_MAX);
    owner_leave(lanes, lane);
    CHECK(tdelete(lane, &lanes->by_name, slice_compare_items) != NULL);
    TAILQ_REMOVE(&lanes->all, lane, all);
    lanes->count--;
    heap_clear(&lane->barred);
    free(lane->tail);
    free(lane);
}

void lanes_close(struct lanes *lanes)
{
    if (lanes == NULL) {
        return;
    }
    for (struct lane *lane = TAILQ_FIRST(&lanes->all); lane != NULL;
         lane = TAILQ_FIRST(&lanes->all)) {
        lane_take_out(lanes, lane);
        lane->state = LANE_EMPTY;
        lanes_remove(lanes, lane);
    }
    for (struct heap_node *top = heap_top(&lanes->pauses); top != NULL;
         top = heap_top(&lanes->pauses)) {
        owner_close(lanes, CONTAINER(top, struct account, pause)->owner);
    }
    CHECK(lanes->owners == NULL);
    heap_clear(&lanes->times);
    heap_clear(&lanes->pauses);
    free(lanes);
}

struct slice lane_name(const struct lane *lane)
{
    return lane->name;
}

enum lane_state lane_state(const struct lane *lane)
{
    return lane->state;
}

void *lane_data(const struct lane *lane)
{
    return lane->state == LANE_EMPTY ? NULL : lane->head.data;
}

void *lane_tail(const struct lane *lane)
{
    return lane->tail;
}

void lane_set_tail(struct lane *lane, void *tail)
{
    lane->tail = tail;
}

bool lane_was_barred(const struct lane *lane)
{
    return lane->was_barred;
}

void lanes_set_head(struct lanes *lanes, struct lane *lane, const struct lanes_head *head)
{
    CHECK(lane->state == LANE_EMPTY);
    CHECK(head->host >= 0 && head->host < LANES_HOSTS);
    lane->head = *head;
    lane->was_barred = false;
    owner_join(lanes, lane);
    lane_make_timed(lanes, lane, head->start_ms);
    lane_release_barred(lanes, lane, head->place);
}

void lanes_clear_head(struct lanes *lanes, struct lane *lane)
{
    CHECK(lane->state != LANE_RUNNING);
    lane_take_out(lanes, lane);
    lane->state = LANE_EMPTY;
}

/* What goes next. */

static void end_pauses(struct lanes *lanes, int64_t now_ms)
{
    for (int i = 0; i < LANES_HOSTS; i++) {
        if (lanes->hosts[i].paused_until_ms <= now_ms) {
            lanes->hosts[i].paused_until_ms = 0;
        }
    }
    accounts_end_pauses(lanes, now_ms);
}

static void end_waits(struct lanes *lanes, int64_t now_ms)
{
    for (struct heap_node *top = heap_top(&lanes->times); top != NULL && top->key <= now_ms;
         top = heap_top(&lanes->times)) {
        struct lane *lane = CONTAINER(top, struct lane, timer);
        lane_take_out(lanes, lane);
        lane_make_ready(lanes, lane);
    }
}

static int host_calls_max(const struct lanes *lanes, const struct host *host)
{
    return host->is_doubtful ? 1 : lanes->host_calls_max;
}

static bool host_is_open(const struct lanes *lanes, const struct host *host)
{
    return host->paused_until_ms == 0 && host->in_flight < host_calls_max(lanes, host);
}

/* The lane whose head holds this one up; NULL if none does. */
static struct lane *find_barrier(const struct lanes *lanes, const struct lane *lane)
{
    const struct slice after = lane->head.after_lane;
    struct lane *other = after.len == 0 ? NULL : lanes_find(lanes, after);
    if (other == NULL || other == lane) {
        return NULL;
    }
    /* an empty lane is between two heads: what comes is known when it is set or removed */
    const bool holds = other->state == LANE_EMPTY || other->head.place < lane->head.place ||
                       other->head.turn == lane->head.turn;
    return holds ? other : NULL;
}

bool lane_is_held_back(const struct lanes *lanes, const struct lane *lane)
{
    return lane->state == LANE_BARRED ||
           (lane->state == LANE_READY && find_barrier(lanes, lane) != NULL);
}

/* Puts a ready lane, just taken from its queue, where it belongs. True: it runs. */
static bool lane_begin(struct lanes *lanes, struct lane *lane, int64_t now_ms)
{
    struct lane *barrier = find_barrier(lanes, lane);
    if (barrier != NULL) {
        lane_make_barred(lanes, lane, barrier);
        return false;
    }
    const bool is_expired = lane->head.expires_ms <= now_ms;
    if (lane->head.needs_token && lane->owner->is_locked && !is_expired) {
        lane_make_locked(lanes, lane);
        return false;
    }
    lane->state = LANE_RUNNING;
    lane->wakes = lane->owner->wakes;
    lanes->hosts[lane->head.host].in_flight++;
    return true;
}

struct lane *lanes_next(struct lanes *lanes, int64_t now_ms)
{
    end_pauses(lanes, now_ms);
    end_waits(lanes, now_ms);
    for (int i = 0; i < LANES_HOSTS; i++) {
        struct host *host = &lanes->hosts[i];
        while (host_is_open(lanes, host)) {
            struct lane *lane = host_take(lanes, host);
            if (lane == NULL) {
                break;
            }
            if (lane_begin(lanes, lane, now_ms)) {
                return lane;
            }
        }
    }
    return NULL;
}

int64_t lanes_next_ms(const struct lanes *lanes)
{
    const struct heap_node *time = heap_top(&lanes->times);
    const struct heap_node *pause = heap_top(&lanes->pauses);
    int64_t next_ms = clock_earlier(time == NULL ? 0 : time->key, pause == NULL ? 0 : pause->key);
    for (int i = 0; i < LANES_HOSTS; i++) {
        const struct host *host = &lanes->hosts[i];
        const bool has_work =
            !TAILQ_EMPTY(&host->ring[LIVE]) || !TAILQ_EMPTY(&host->ring[CATCH_UP]);
        if (has_work && host->in_flight < host_calls_max(lanes, host)) {
            next_ms = clock_earlier(next_ms, host->paused_until_ms);
        }
    }
    return next_ms;
}

static void lane_stop(struct lanes *lanes, struct lane *lane)
{
    CHECK(lane->state == LANE_RUNNING);
    lanes->hosts[lane->head.host].in_flight--;
    lane->state = LANE_EMPTY;
}

void lanes_done(struct lanes *lanes, struct lane *lane)
{
    lane_stop(lanes, lane);
}

void lanes_again(struct lanes *lanes, struct lane *lane, int64_t at_ms)
{
    lane_stop(lanes, lane);
    lane_make_timed(lanes, lane, at_ms);
}

bool lanes_refuse(struct lanes *lanes, struct lane *lane)
{
    struct owner *owner = lane->owner;
    lane_stop(lanes, lane);
    if (lane->wakes != owner->wakes) {
        lane_make_ready(lanes, lane);
        return false;
    }
    lane_make_locked(lanes, lane);
    const bool is_news = !owner->is_locked;
    owner->is_locked = true;
    return is_news;
}

void lanes_wake(struct lanes *lanes, struct slice name)
{
    struct owner *owner = owner_find(lanes, name);
    if (owner == NULL) {
        return;
    }
    owner->is_locked = false;
    owner->wakes++;
    for (struct lane *lane = TAILQ_FIRST(&owner->locked); lane != NULL;
         lane = TAILQ_FIRST(&owner->locked)) {
        lane_take_out(lanes, lane);
        lane_make_ready(lanes, lane);
    }
}

void lanes_pause_owner(struct lanes *lanes, const struct lane *lane, int64_t until_ms)
{
    account_pause(lanes, lane_account(lane), until_ms);
}

void lanes_pause_host(struct lanes *lanes, int host, int64_t until_ms)
{
    if (lanes->hosts[host].paused_until_ms < until_ms) {
        lanes->hosts[host].paused_until_ms = until_ms;
    }
}

void lanes_doubt_host(struct lanes *lanes, int host, bool is_doubtful)
{
    lanes->hosts[host].is_doubtful = is_doubtful;
}

void lanes_hurry(struct lanes *lanes, int64_t now_ms)
{
    struct lane *lane = NULL;
    end_pauses(lanes, INT64_MAX);
    TAILQ_FOREACH(lane, &lanes->all, all)
    {
        if (lane->state == LANE_TIMED && lane->head.start_ms <= now_ms) {
            lane_take_out(lanes, lane);
            lane_make_ready(lanes, lane);
        }
    }
}

size_t lanes_count(const struct lanes *lanes)
{
    return lanes->count;
}

int lanes_in_flight(const struct lanes *lanes)
{
    int in_flight = 0;
    for (int i = 0; i < LANES_HOSTS; i++) {
        in_flight += lanes->hosts[i].in_flight;
    }
    return in_flight;
}
