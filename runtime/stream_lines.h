/* runtime/stream_lines.h: the bytes of a Gitter stream cut into records.
 *
 * Gitter's documentation lets a record end in CR, one published schema in CR LF, and its clients
 * rely on LF; a keep-alive is a space and a newline, or a newline. What suits all: split at LF,
 * strip white space, ignore what is then empty. A record may span reads, and several may share
 * one.
 *
 * Memory: a record that lies within one read is not copied; stream_lines_clear frees the rest.
 * Units:  bytes.
 */
#ifndef GITTERD_RUNTIME_STREAM_LINES_H
#define GITTERD_RUNTIME_STREAM_LINES_H

#include "runtime/base/slice.h"

/* Zeroed with bytes_max set: empty. */
struct stream_lines {
    size_t bytes_max; /* of a line without its LF, white space included */
    char *ptr;        /* what came of a line that has not ended; NULL: nothing */
    size_t len;
    size_t cap;
    bool is_taken; /* what is kept was given out as a record */
};

/* Takes one record from what is kept and the front of *bytes, which moves behind what was used.
 * RC_AGAIN: *bytes is used up without a further record. RC_TOO_BIG: a line over bytes_max; only
 * stream_lines_clear makes sense then. The record is valid until the next call and as long as the
 * bytes are. */
NODISCARD enum rc
stream_lines_take(struct stream_lines *lines, struct slice *bytes, struct slice *record);
/* Forgets what is kept. */
void stream_lines_clear(struct stream_lines *lines);

#endif
