#include "runtime/links.h"

#include "runtime/base/check.h"
#include "runtime/base/limits.h"
#include "runtime/links_link.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINKS_CONNECT_MS = 15 * 1000,
    LINKS_HANDSHAKE_MS = 30 * 1000,
    LINKS_SUBSCRIBE_MS = 60 * 1000,
    LINKS_PING_MS = 30 * 1000,
    LINKS_PONG_MS = 20 * 1000,
    LINKS_GRACE_MS = 30 * 1000,
    LINKS_FIRST_CAP = 16,
};

TAILQ_HEAD(link_queue, link);

struct links {
    struct link_settings settings;
    struct link **by_owner; /* sorted; without the ended ones */
    size_t count;
    size_t cap;
    int64_t session_next;
    struct link_queue ended; /* in the order they ended */
    ev_timer soon;           /* armed when there are ended ones */
};

const char *link_end_name(enum link_end end)
{
    static const char *const names[] = {
#define LINK_END_NAME(name, text) #name,
        LINK_END_LIST(LINK_END_NAME)
#undef LINK_END_NAME
    };
    CHECK((size_t)end < sizeof(names) / sizeof(names[0]));
    return names[end];
}

/* Where the owner's link is in the table, or would have to be. */
static size_t links_index(const struct links *links, struct slice owner, bool *is_there)
{
    size_t low = 0;
    size_t high = links->count;
    *is_there = false;
    while (low < high && !*is_there) {
        const size_t middle = low + (high - low) / 2;
        const int order = slice_compare(links->by_owner[middle]->id.owner, owner);
        *is_there = order == 0;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return *is_there ? high : low;
}

static struct link *links_find(const struct links *links, struct slice owner)
{
    bool is_there = false;
    const size_t index = links_index(links, owner, &is_there);
    return is_there ? links->by_owner[index] : NULL;
}

static void links_insert(struct links *links, struct link *link)
{
    bool is_there = false;
    const size_t index = links_index(links, link->id.owner, &is_there);
    CHECK(!is_there);
    if (links->count == links->cap) {
        links->cap = links->cap == 0 ? LINKS_FIRST_CAP : links->cap * 2;
        links->by_owner = reallocarray(links->by_owner, links->cap, sizeof(struct link *));
        CHECK(links->by_owner != NULL);
    }
    struct link **place = links->by_owner + index;
    memmove(place + 1, place, (links->count - index) * sizeof(struct link *));
    *place = link;
    links->count++;
}

static void links_remove(struct links *links, const struct link *link)
{
    bool is_there = false;
    const size_t index = links_index(links, link->id.owner, &is_there);
    CHECK(is_there && links->by_owner[index] == link);
    struct link **place = links->by_owner + index;
    links->count--;
    memmove(place, place + 1, (links->count - index) * sizeof(struct link *));
}

/* on_down and the freeing come from the loop: we may be within a call of the link's own parts, or
 * within one of the caller's. */
static void links_on_ended(void *context, struct link *link)
{
    struct links *links = context;
    links_remove(links, link);
    TAILQ_INSERT_TAIL(&links->ended, link, entry);
    if (!ev_is_active(&links->soon)) {
        ev_timer_set(&links->soon, 0., 0.);
        ev_timer_start(links->settings.loop, &links->soon);
    }
}

/* Those that end during an on_down have their turn in the next round of the loop. */
static void links_on_soon(struct ev_loop *loop, ev_timer *timer, int events_seen)
{
    struct links *links = timer->data;
    const struct link_events *events = &links->settings.events;
    struct link_queue ended = TAILQ_HEAD_INITIALIZER(ended);
    (void)loop;
    (void)events_seen;
    TAILQ_CONCAT(&ended, &links->ended, entry);
    while (!TAILQ_EMPTY(&ended)) {
        struct link *link = TAILQ_FIRST(&ended);
        TAILQ_REMOVE(&ended, link, entry);
        events->on_down(events->context, link->id, link->end, slice_from_cstr(link->detail),
                        link->retry_ms);
        link_close(link);
    }
}

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static enum rc links_open_dialer(struct links *links, const struct links_options *options)
{
    const struct dialer_options dialer = {
        .loop = options->loop,
        .url = slice_from_cstr(links->settings.url.base),
        .ca_file = options->ca_file,
        .connect_ms = or_default(options->connect_ms, LINKS_CONNECT_MS),
        .on_done = link_on_dialled,
    };
    return dialer_open(&dialer, &links->settings.dialer);
}

enum rc links_open(const struct links_options *options, struct links **out)
{
    struct links *links = calloc(1, sizeof(*links));
    CHECK(links != NULL);
    struct link_settings *settings = &links->settings;
    settings->loop = options->loop;
    settings->handshake_ms = or_default(options->handshake_ms, LINKS_HANDSHAKE_MS);
    settings->subscribe_ms = or_default(options->subscribe_ms, LINKS_SUBSCRIBE_MS);
    settings->ping_ms = or_default(options->ping_ms, LINKS_PING_MS);
    settings->pong_ms = or_default(options->pong_ms, LINKS_PONG_MS);
    settings->grace_ms = or_default(options->grace_ms, LINKS_GRACE_MS);
    settings->message_bytes_max =
        options->message_bytes_max == 0 ? LINK_MESSAGE_BYTES_MAX : options->message_bytes_max;
    settings->events = options->events;
    settings->on_ended = links_on_ended;
    settings->context = links;
    links->session_next = or_default(options->session_first, 1);
    TAILQ_INIT(&links->ended);
    ev_timer_init(&links->soon, links_on_soon, 0., 0.);
    links->soon.data = links;
    enum rc rc = links_url_parse(options->faye_url, &settings->url);
    if (rc == RC_OK) {
        rc = links_open_dialer(links, options);
    }
    if (rc != RC_OK) {
        links_url_clear(&settings->url);
        free(links);
        return rc;
    }
    *out = links;
    return RC_OK;
}

void links_close(struct links *links)
{
    if (links == NULL) {
        return;
    }
    while (links->count > 0) {
        link_stop(links->by_owner[links->count - 1]);
    }
    while (!TAILQ_EMPTY(&links->ended)) {
        struct link *link = TAILQ_FIRST(&links->ended);
        TAILQ_REMOVE(&links->ended, link, entry);
        link_close(link);
    }
    ev_timer_stop(links->settings.loop, &links->soon);
    dialer_close(links->settings.dialer);
    links_url_clear(&links->settings.url);
    free(links->by_owner);
    free(links);
}

int64_t links_start(struct links *links, struct slice owner, struct slice token)
{
    struct link *link = links_find(links, owner);
    if (link == NULL) {
        link = link_open(&links->settings, owner, links->session_next++, token);
        links_insert(links, link);
        link_dial(link);
    }
    return link->id.session;
}

void links_stop(struct links *links, struct slice owner)
{
    struct link *link = links_find(links, owner);
    if (link != NULL) {
        link_stop(link);
    }
}

void links_subscribe(struct links *links,
                     struct slice owner,
                     struct slice channel,
                     struct slice snapshot)
{
    struct link *link = links_find(links, owner);
    if (link != NULL) {
        link_subscribe(link, channel, snapshot);
    }
}

void links_unsubscribe(struct links *links, struct slice owner, struct slice channel)
{
    struct link *link = links_find(links, owner);
    if (link != NULL) {
        link_unsubscribe(link, channel);
    }
}

size_t links_count(const struct links *links)
{
    return links->count;
}

size_t links_count_up(const struct links *links)
{
    size_t count = 0;
    for (size_t i = 0; i < links->count; i++) {
        count += links->by_owner[i]->is_up ? 1 : 0;
    }
    return count;
}
