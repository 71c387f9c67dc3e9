#include "runtime/websocket_wire.h"

#include "runtime/base/check.h"

#include <stdlib.h>
#include <string.h>

enum rc websocket_wire_read(struct websocket_wire *wire, char *buf, size_t len, size_t *got)
{
    *got = 0;
    const CURLcode code = curl_easy_recv(wire->curl, buf, len, got);
    if (code == CURLE_AGAIN) {
        return RC_AGAIN;
    }
    if (code != CURLE_OK || *got == 0) {
        wire->error = code;
        wire->is_eof = code == CURLE_OK;
        return RC_IO;
    }
    wire->is_heard = true;
    return RC_OK;
}

void websocket_wire_drop(struct websocket_wire *wire)
{
    if (wire->unsent != NULL) {
        explicit_bzero(wire->unsent, wire->unsent_len);
        free(wire->unsent);
        wire->unsent = NULL;
    }
    wire->unsent_len = 0;
    wire->unsent_from = 0;
}

enum rc websocket_wire_write(struct websocket_wire *wire)
{
    while (wire->unsent_from < wire->unsent_len) {
        size_t sent = 0;
        const CURLcode code = curl_easy_send(wire->curl, wire->unsent + wire->unsent_from,
                                             wire->unsent_len - wire->unsent_from, &sent);
        if (code == CURLE_AGAIN) {
            return RC_AGAIN;
        }
        if (code != CURLE_OK) {
            wire->error = code;
            return RC_IO;
        }
        wire->unsent_from += sent;
    }
    websocket_wire_drop(wire);
    return RC_OK;
}

void websocket_wire_hold(struct websocket_wire *wire, const void *bytes, size_t len)
{
    CHECK(wire->unsent == NULL && len > 0);
    wire->unsent = malloc(len);
    CHECK(wire->unsent != NULL);
    memcpy(wire->unsent, bytes, len);
    wire->unsent_len = len;
    wire->unsent_from = 0;
}

bool websocket_wire_is_broken(const struct websocket_wire *wire)
{
    return wire->is_eof || wire->error != CURLE_OK;
}
