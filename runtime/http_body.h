/* runtime/http_body.h: where the body of a request ends (RFC 9112, sections 6 and 7).
 *
 * Pure: no socket, no memory of its own. Chunked framing is read to the letter (CRLF and nothing
 * else, no white space around sizes): http-parser as Debian builds it takes any two bytes for the
 * line end behind a chunk, which lets a proxy in front see other requests than we do.
 */
#ifndef GITTERD_HTTP_BODY_H
#define GITTERD_HTTP_BODY_H

#include "runtime/base/slice.h"

enum body_state {
    BODY_LENGTH, /* `left` bytes of a Content-Length body */
    BODY_SIZE,
    BODY_EXTENSION,
    BODY_SIZE_LF,
    BODY_DATA,
    BODY_DATA_CR,
    BODY_DATA_LF,
    BODY_TRAILER_START,
    BODY_TRAILER,
    BODY_TRAILER_LF,
    BODY_END_LF,
    BODY_DONE,
};

struct body_reader {
    enum body_state state;
    uint64_t left;
    uint32_t digits;
    size_t overhead; /* extension and trailer bytes, which a peer may not send without end */
};

void body_reader_init_length(struct body_reader *reader, uint64_t length);
void body_reader_init_chunked(struct body_reader *reader);

/* Takes the next piece of body from the front of *bytes, which moves on, and gives it in *piece
 * (borrowed, may be empty). Call until *bytes is empty or state is BODY_DONE. RC_BAD_INPUT: broken
 * framing; RC_TOO_BIG: extensions or trailers without end. */
NODISCARD enum rc
body_reader_next(struct body_reader *reader, struct slice *bytes, struct slice *piece);

#endif
