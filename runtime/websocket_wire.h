/* runtime/websocket_wire.h: the bytes under a WebSocket, on a connection that libcurl has made.
 *
 * TLS wants a repeated write to come from the very same address, so what the socket did not take
 * stays where it is. What was written may have been a secret, and is wiped.
 *
 * Thread: loop thread only.
 * Memory: what was not sent yet, until websocket_wire_drop. The handle is borrowed.
 */
#ifndef GITTERD_RUNTIME_WEBSOCKET_WIRE_H
#define GITTERD_RUNTIME_WEBSOCKET_WIRE_H

#include "runtime/base/slice.h"

#include <curl/curl.h>

struct websocket_wire {
    CURL *curl;
    char *unsent; /* bytes the socket did not take yet; NULL: none */
    size_t unsent_len;
    size_t unsent_from;
    bool is_heard; /* anything came since somebody set it to false */
    bool is_eof;
    CURLcode error;
};

/* RC_AGAIN when there is nothing, RC_IO at the end: is_eof or error says which. */
NODISCARD enum rc
websocket_wire_read(struct websocket_wire *wire, char *buf, size_t len, size_t *got);

/* Takes a copy of bytes to write, when all before them are out. */
void websocket_wire_hold(struct websocket_wire *wire, const void *bytes, size_t len);
/* Writes on: RC_AGAIN when something is left. */
NODISCARD enum rc websocket_wire_write(struct websocket_wire *wire);
void websocket_wire_drop(struct websocket_wire *wire);

/* The connection is of no use any more. */
bool websocket_wire_is_broken(const struct websocket_wire *wire);

#endif
