#include "runtime/links.h"

static int64_t transport_start(void *context, struct slice owner, struct slice token)
{
    return links_start(context, owner, token);
}

static void transport_stop(void *context, struct slice owner)
{
    links_stop(context, owner);
}

static void
transport_subscribe(void *context, struct slice owner, struct slice channel, struct slice snapshot)
{
    links_subscribe(context, owner, channel, snapshot);
}

static void transport_unsubscribe(void *context, struct slice owner, struct slice channel)
{
    links_unsubscribe(context, owner, channel);
}

static size_t transport_count(const void *context)
{
    return links_count(context);
}

static void transport_close(void *context)
{
    links_close(context);
}

struct transport links_transport(struct links *links)
{
    return (struct transport){
        .context = links,
        .start = transport_start,
        .stop = transport_stop,
        .subscribe = transport_subscribe,
        .unsubscribe = transport_unsubscribe,
        .count = transport_count,
        .close = transport_close,
    };
}
