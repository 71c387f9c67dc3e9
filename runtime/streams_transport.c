#include "runtime/streams.h"

static int64_t transport_start(void *context, struct slice owner, struct slice token)
{
    return streams_start(context, owner, token);
}

static void transport_stop(void *context, struct slice owner)
{
    streams_stop(context, owner);
}

static void
transport_subscribe(void *context, struct slice owner, struct slice channel, struct slice snapshot)
{
    streams_subscribe(context, owner, channel, snapshot);
}

static void transport_unsubscribe(void *context, struct slice owner, struct slice channel)
{
    streams_unsubscribe(context, owner, channel);
}

static size_t transport_count(const void *context)
{
    return streams_count(context);
}

static void transport_close(void *context)
{
    streams_close(context);
}

struct transport streams_transport(struct streams *streams)
{
    return (struct transport){
        .context = streams,
        .start = transport_start,
        .stop = transport_stop,
        .subscribe = transport_subscribe,
        .unsubscribe = transport_unsubscribe,
        .count = transport_count,
        .close = transport_close,
    };
}
