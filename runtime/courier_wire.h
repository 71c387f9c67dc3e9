/* runtime/courier_wire.h: one call as an HTTP/1.1 request over libcurl.
 *
 * Requests always have a Content-Length, since Gitter answers 406 to chunked bodies, and never
 * `Expect: 100-continue`. Redirects are answers like any other: Gitter says 301 without Location
 * for a room that was renamed.
 *
 * libcurl repeats a request by itself when a kept-alive connection dies before the first byte of
 * the answer. A call of CALL_REPEAT_NEVER is stopped before that, unless nothing of it was sent.
 *
 * Thread: loop thread only; `done` is called from the loop.
 * Memory: the call is borrowed until `done` or wire_close.
 */
#ifndef GITTERD_RUNTIME_COURIER_WIRE_H
#define GITTERD_RUNTIME_COURIER_WIRE_H

#include "runtime/courier.h"

struct wire;

enum wire_outcome {
    WIRE_ANSWERED,    /* `status` says how */
    WIRE_UNREACHABLE, /* nothing of the request was sent */
    WIRE_LOST,        /* at least a part was sent, and there is no whole answer */
    WIRE_TOO_BIG,     /* the answer is larger than CALL_ANSWER_BYTES_MAX */
    WIRE_MALFORMED,   /* libcurl refused the URL */
};

/* Headers of the answer that somebody looks at. */
enum wire_header {
    WIRE_RETRY_AFTER,
    WIRE_RATE_REMAINING,
    WIRE_RATE_RESET,
    WIRE_DATE,
    WIRE_HEADERS
};

/* All texts are borrowed until `done` returns. */
struct wire_answer {
    enum wire_outcome outcome;
    int status;
    struct slice body;
    struct slice headers[WIRE_HEADERS]; /* empty: absent */
    const char *error;                  /* for people; never NULL */
};

typedef void wire_done(void *context, void *tag, const struct wire_answer *answer);

/* Of the options, uses loop, bases, tokens, ca_file, user_agent and the times. */
NODISCARD enum rc
wire_open(const struct courier_options *options, wire_done *done, void *context, struct wire **out);
/* Requests under way are dropped. */
void wire_close(struct wire *wire);

/* Begins the request; `token` is that of the owner, if the call needs one. RC_BAD_INPUT if it
 * cannot be put on the wire, RC_FULL if libcurl has no room for it; then `done` is not called. */
NODISCARD enum rc
wire_begin(struct wire *wire, const struct call *call, struct slice token, void *tag);

/* True if the bytes can be part of a header or URL: nothing but visible ASCII. */
bool wire_is_token(struct slice text);

#endif
