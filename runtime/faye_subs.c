#include "runtime/faye_subs.h"

#include "runtime/base/check.h"
#include "runtime/base/limits.h"

#include <stdlib.h>
#include <string.h>

void faye_sub_free(struct faye_sub *sub)
{
    free(sub);
}

void faye_subs_init(struct faye_subs *subs)
{
    *subs = (struct faye_subs){.sent_count = 0};
    TAILQ_INIT(&subs->sent);
    TAILQ_INIT(&subs->waiting);
}

static void queue_clear(struct faye_sub_queue *queue)
{
    while (!TAILQ_EMPTY(queue)) {
        struct faye_sub *sub = TAILQ_FIRST(queue);
        TAILQ_REMOVE(queue, sub, entry);
        faye_sub_free(sub);
    }
}

void faye_subs_clear(struct faye_subs *subs)
{
    queue_clear(&subs->sent);
    queue_clear(&subs->waiting);
    subs->sent_count = 0;
}

void faye_subs_add(struct faye_subs *subs, struct slice channel, struct slice snapshot)
{
    const struct slice wish = snapshot.len == 0 ? SLICE("false") : snapshot;
    struct faye_sub *sub = calloc(1, sizeof(*sub) + channel.len + wish.len);
    CHECK(sub != NULL);
    memcpy(sub->texts, channel.len == 0 ? "" : channel.ptr, channel.len);
    memcpy(sub->texts + channel.len, wish.ptr, wish.len);
    sub->channel = slice_make(sub->texts, channel.len);
    sub->snapshot = slice_make(sub->texts + channel.len, wish.len);
    TAILQ_INSERT_TAIL(&subs->waiting, sub, entry);
}

bool faye_subs_drop(struct faye_subs *subs, struct slice channel)
{
    bool has_dropped = false;
    struct faye_sub *next = NULL;
    for (struct faye_sub *sub = TAILQ_FIRST(&subs->waiting); sub != NULL; sub = next) {
        next = TAILQ_NEXT(sub, entry);
        if (slice_equal(sub->channel, channel)) {
            TAILQ_REMOVE(&subs->waiting, sub, entry);
            faye_sub_free(sub);
            has_dropped = true;
        }
    }
    return has_dropped;
}

struct faye_sub *faye_subs_send(struct faye_subs *subs, int64_t id, int64_t deadline_ms)
{
    struct faye_sub *sub = TAILQ_FIRST(&subs->waiting);
    if (sub == NULL || subs->sent_count >= LINK_SUBSCRIBES_MAX) {
        return NULL;
    }
    TAILQ_REMOVE(&subs->waiting, sub, entry);
    TAILQ_INSERT_TAIL(&subs->sent, sub, entry);
    subs->sent_count++;
    sub->id = id;
    sub->deadline_ms = deadline_ms;
    return sub;
}

static struct faye_sub *subs_take_sent(struct faye_subs *subs, struct faye_sub *sub)
{
    if (sub != NULL) {
        CHECK(subs->sent_count > 0);
        subs->sent_count--;
        TAILQ_REMOVE(&subs->sent, sub, entry);
    }
    return sub;
}

struct faye_sub *faye_subs_take(struct faye_subs *subs, struct slice id, struct slice channel)
{
    int64_t number = -1;
    const bool has_number = slice_to_int(id, &number) == RC_OK;
    struct faye_sub *sub = NULL;
    TAILQ_FOREACH(sub, &subs->sent, entry)
    {
        if (has_number ? sub->id == number : slice_equal(sub->channel, channel)) {
            break;
        }
    }
    return subs_take_sent(subs, sub);
}

struct faye_sub *faye_subs_take_late(struct faye_subs *subs, int64_t now_ms)
{
    struct faye_sub *sub = TAILQ_FIRST(&subs->sent);
    return sub == NULL || sub->deadline_ms > now_ms ? NULL : subs_take_sent(subs, sub);
}

int64_t faye_subs_deadline(const struct faye_subs *subs)
{
    const struct faye_sub *sub = TAILQ_FIRST(&subs->sent);
    return sub == NULL ? INT64_MAX : sub->deadline_ms;
}
