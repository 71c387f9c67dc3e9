#include "runtime/lanes_parts.h"

#include "runtime/base/check.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

void *lanes_open_named(size_t size, struct slice name)
{
    char *block = calloc(1, size + name.len + 1);
    CHECK(block != NULL);
    if (name.len > 0) {
        memcpy(block + size, name.ptr, name.len);
    }
    *(struct slice *)(void *)block = slice_make(block + size, name.len);
    return block;
}

/* Owners. */

static struct owner *owner_open(struct lanes *lanes, struct slice name)
{
    struct owner *owner = lanes_open_named(sizeof *owner, name);
    TAILQ_INIT(&owner->locked);
    for (int i = 0; i < LANES_HOSTS; i++) {
        owner->accounts[i].owner = owner;
        TAILQ_INIT(&owner->accounts[i].ready[LIVE]);
        TAILQ_INIT(&owner->accounts[i].ready[CATCH_UP]);
    }
    CHECK(tsearch(owner, &lanes->owners, slice_compare_items) != NULL);
    return owner;
}

struct owner *owner_find(const struct lanes *lanes, struct slice name)
{
    struct owner *const *node = tfind(&name, &lanes->owners, slice_compare_items);
    return node == NULL ? NULL : *node;
}

void owner_close(struct lanes *lanes, struct owner *owner)
{
    CHECK(tdelete(owner, &lanes->owners, slice_compare_items) != NULL);
    for (int i = 0; i < LANES_HOSTS; i++) {
        heap_remove(&lanes->pauses, &owner->accounts[i].pause);
    }
    free(owner);
}

/* A paused owner is kept, so that the pause outlives the call that brought it. */
static void owner_close_unused(struct lanes *lanes, struct owner *owner)
{
    bool is_used = owner->lanes > 0;
    for (int i = 0; i < LANES_HOSTS; i++) {
        is_used = is_used || owner->accounts[i].pause.index != 0;
    }
    if (!is_used) {
        owner_close(lanes, owner);
    }
}

void owner_leave(struct lanes *lanes, struct lane *lane)
{
    if (lane->owner != NULL) {
        lane->owner->lanes--;
        owner_close_unused(lanes, lane->owner);
        lane->owner = NULL;
    }
}

void owner_join(struct lanes *lanes, struct lane *lane)
{
    if (lane->owner != NULL && slice_equal(lane->owner->name, lane->head.owner)) {
        return;
    }
    owner_leave(lanes, lane);
    struct owner *owner = owner_find(lanes, lane->head.owner);
    lane->owner = owner != NULL ? owner : owner_open(lanes, lane->head.owner);
    lane->owner->lanes++;
}

/* The rings: accounts with lanes that may go. */

struct account *lane_account(const struct lane *lane)
{
    return &lane->owner->accounts[lane->head.host];
}

static int class_of(const struct lane *lane)
{
    return lane->head.is_catch_up ? CATCH_UP : LIVE;
}

void account_update(struct lanes *lanes, struct account *account, int class)
{
    struct host *host = &lanes->hosts[account - account->owner->accounts];
    const bool belongs = account->pause.index == 0 && !TAILQ_EMPTY(&account->ready[class]);
    if (belongs && !account->is_in_ring[class]) {
        TAILQ_INSERT_TAIL(&host->ring[class], account, ring[class]);
    } else if (!belongs && account->is_in_ring[class]) {
        TAILQ_REMOVE(&host->ring[class], account, ring[class]);
    }
    account->is_in_ring[class] = belongs;
}

void lane_make_ready(struct lanes *lanes, struct lane *lane)
{
    struct account *account = lane_account(lane);
    lane->state = LANE_READY;
    TAILQ_INSERT_TAIL(&account->ready[class_of(lane)], lane, link);
    account_update(lanes, account, class_of(lane));
}

static void lane_wait_until(struct lanes *lanes, struct lane *lane, int64_t at_ms)
{
    lane->timer.key = at_ms;
    lane->timer.order = lanes->sequence++;
    heap_add(&lanes->times, &lane->timer);
}

void lane_make_timed(struct lanes *lanes, struct lane *lane, int64_t at_ms)
{
    if (at_ms == 0) {
        lane_make_ready(lanes, lane);
        return;
    }
    lane->state = LANE_TIMED;
    lane_wait_until(lanes, lane, at_ms);
}

void lane_make_locked(struct lanes *lanes, struct lane *lane)
{
    lane->state = LANE_LOCKED;
    TAILQ_INSERT_TAIL(&lane->owner->locked, lane, link);
    lane_wait_until(lanes, lane, lane->head.expires_ms);
}

void lane_make_barred(struct lanes *lanes, struct lane *lane, struct lane *barrier)
{
    lane->state = LANE_BARRED;
    lane->barrier = barrier;
    lane->was_barred = true;
    lane->bar.key = lane->head.place;
    lane->bar.order = lanes->sequence++;
    heap_add(&barrier->barred, &lane->bar);
}

void lane_take_out(struct lanes *lanes, struct lane *lane)
{
    switch (lane->state) {
    case LANE_READY:
        TAILQ_REMOVE(&lane_account(lane)->ready[class_of(lane)], lane, link);
        account_update(lanes, lane_account(lane), class_of(lane));
        break;
    case LANE_LOCKED:
        TAILQ_REMOVE(&lane->owner->locked, lane, link);
        heap_remove(&lanes->times, &lane->timer);
        break;
    case LANE_TIMED:
        heap_remove(&lanes->times, &lane->timer);
        break;
    case LANE_BARRED:
        heap_remove(&lane->barrier->barred, &lane->bar);
        lane->barrier = NULL;
        break;
    case LANE_EMPTY:
    case LANE_RUNNING:
        break;
    }
}

/* Live traffic goes first, but not always: a host that is never idle would leave the rest behind
 * for ever. */
static int next_class(struct host *host)
{
    const bool has_live = !TAILQ_EMPTY(&host->ring[LIVE]);
    const bool has_catch_up = !TAILQ_EMPTY(&host->ring[CATCH_UP]);
    const bool is_due = host->live_in_a_row >= LANES_LIVE_IN_A_ROW_MAX;
    const int class = has_catch_up && (is_due || !has_live) ? CATCH_UP : LIVE;
    host->live_in_a_row = class == LIVE && has_catch_up ? host->live_in_a_row + 1 : 0;
    return class;
}

struct lane *host_take(struct lanes *lanes, struct host *host)
{
    const int class = next_class(host);
    struct account *account = TAILQ_FIRST(&host->ring[class]);
    if (account == NULL) {
        return NULL;
    }
    struct lane *lane = TAILQ_FIRST(&account->ready[class]);
    TAILQ_REMOVE(&account->ready[class], lane, link);
    TAILQ_REMOVE(&host->ring[class], account, ring[class]);
    account->is_in_ring[class] = false;
    account_update(lanes, account, class);
    return lane;
}

void account_pause(struct lanes *lanes, struct account *account, int64_t until_ms)
{
    if (account->pause.index != 0 && account->pause.key >= until_ms) {
        return;
    }
    heap_remove(&lanes->pauses, &account->pause);
    account->pause.key = until_ms;
    account->pause.order = lanes->sequence++;
    heap_add(&lanes->pauses, &account->pause);
    account_update(lanes, account, LIVE);
    account_update(lanes, account, CATCH_UP);
}

void accounts_end_pauses(struct lanes *lanes, int64_t now_ms)
{
    for (struct heap_node *top = heap_top(&lanes->pauses); top != NULL && top->key <= now_ms;
         top = heap_top(&lanes->pauses)) {
        struct account *account = CONTAINER(top, struct account, pause);
        heap_remove(&lanes->pauses, top);
        account_update(lanes, account, LIVE);
        account_update(lanes, account, CATCH_UP);
        owner_close_unused(lanes, account->owner);
    }
}
