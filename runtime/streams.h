/* runtime/streams.h: Gitter's HTTP streams behind the interface of runtime/links.h.
 *
 * For servers without Faye. The stream service gives one room for each connection:
 * GET URL/rooms/:roomId/chatMessages. Links, sessions and events mean what they mean in
 * runtime/links.h, with these differences:
 *
 * - A link has no connection of its own. on_up comes from the next round of the loop; the user's id
 *   is empty, since nobody told it. The token is kept until the link ends.
 * - A subscription of /api/v1/rooms/:roomId/chatMessages is a stream. on_subscribed comes when 200
 *   has come, without a snapshot: what was said before, the room reads by REST. A lost stream is
 *   opened again after a pause, however often it takes, and on_subscribed comes once more each
 *   time: there is no backlog, so the room reads again.
 *   After the second loss in a row there is one with the error "lost", so that the room reads on
 *   without a stream until then.
 * - 403 and 404 are an on_subscribed with an error ("403 Forbidden.") and end the subscription;
 *   401 ends the link with LINK_END_REFUSED; any other status is a loss. So on_down comes with
 *   LINK_END_REFUSED or LINK_END_STOPPED alone.
 * - Subscribing again to a room whose stream is open makes a new stream: after being removed from
 *   a room and joining again the old one stays open and silent. Before that it is the same
 *   request, with one on_subscribed.
 * - Other channels have no stream; subscribing to them does nothing, not even an event.
 * - A record is given as on Faye, {"operation":"create","model":RECORD}. Whether an edit comes as
 *   a second record with the same id was never documented. If it does, it is a "create" again:
 *   whoever knows the id, and with it `v` and `editedAt`, can tell. Deletions do not come at all.
 *   What is no JSON object is dropped with a line in the log.
 * - on_gap never comes: records are not counted.
 *
 * Thread: loop thread only; nothing blocks.
 * Memory: arguments are borrowed until return; slices in events until the event returns. The
 *         token is copied, and the copy wiped when the link ends.
 * Errors: only streams_open can fail.
 * Units:  times in ms, sizes in bytes.
 */
#ifndef GITTERD_RUNTIME_STREAMS_H
#define GITTERD_RUNTIME_STREAMS_H

#include "runtime/links.h"

struct log;
struct streams;

/* Times and sizes of 0 mean the default in brackets. */
struct streams_options {
    struct ev_loop *loop;
    /* Says when a stream is lost and why; NULL: nothing is said. */
    struct log *log;
    /* http or https, e.g. https://stream.gitter.im/v1 */
    struct slice stream_url;
    struct slice user_agent;
    /* A PEM file of the authorities that may vouch for the server; empty = the system's. */
    struct slice ca_file;
    /* The first session number (1). */
    int64_t session_first;
    /* From leaving the start queue to a connected socket, TLS included (15,000). */
    int64_t connect_ms;
    /* How long nothing at all may come (120,000). Gitter's keep-alives come within 40 s. */
    int64_t silence_ms;
    /* The pause after a loss (1,000), doubling to the longest (300,000); of each, a random part
     * between half and all is waited. It begins anew when a stream was open so long (60,000). */
    int64_t retry_first_ms;
    int64_t retry_last_ms;
    int64_t steady_ms;
    /* Largest record (LINK_MESSAGE_BYTES_MAX); a larger one is a loss. */
    size_t record_bytes_max;
    /* Fills with random bytes; needed. */
    void (*random)(void *context, void *out, size_t len);
    void *random_context;
    struct link_events events;
};

/* RC_BAD_INPUT: no http or https URL, or one with a query. RC_IO: libcurl did not start. Gives
 * *out to the caller. SIGPIPE must be ignored by the process. */
NODISCARD enum rc streams_open(const struct streams_options *options, struct streams **out);
/* Ends all without an event and frees everything; not from within an event. NULL is fine. */
void streams_close(struct streams *streams);

/* As links_start. A token that cannot be a header is refused like one that the server refuses. */
int64_t streams_start(struct streams *streams, struct slice owner, struct slice token);
void streams_stop(struct streams *streams, struct slice owner);
/* The snapshot is ignored. */
void streams_subscribe(struct streams *streams,
                       struct slice owner,
                       struct slice channel,
                       struct slice snapshot);
/* Nothing of the channel comes any more. */
void streams_unsubscribe(struct streams *streams, struct slice owner, struct slice channel);

/* Owners whose link has not ended. */
size_t streams_count(const struct streams *streams);

/* These as a transport. */
struct transport streams_transport(struct streams *streams);

#endif
