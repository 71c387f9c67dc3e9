/* runtime/websocket_upgrade.h: the HTTP exchange that opens a WebSocket (RFC 6455, section 4).
 *
 * Pure but for the random key. The answer may come in pieces of any size.
 *
 * Memory: upgrade_open gives, upgrade_close frees; slices given borrow the upgrade.
 */
#ifndef GITTERD_RUNTIME_WEBSOCKET_UPGRADE_H
#define GITTERD_RUNTIME_WEBSOCKET_UPGRADE_H

#include "runtime/base/slice.h"

struct upgrade;

struct upgrade *upgrade_open(struct slice target, struct slice host);
void upgrade_close(struct upgrade *upgrade);

/* The request to send. */
struct slice upgrade_request(const struct upgrade *upgrade);

/* Where the next bytes of the answer go; never empty as long as upgrade_read gives RC_AGAIN. */
char *upgrade_space(struct upgrade *upgrade, size_t *len);

/* Takes note of len bytes written to that space. RC_AGAIN: the answer is not complete. RC_OK:
 * accepted. Else RC_REFUSED (another status than 101), RC_BAD_INPUT (no HTTP, or a header that
 * does not fit the request) or RC_TOO_BIG; upgrade_detail says more. */
NODISCARD enum rc upgrade_read(struct upgrade *upgrade, size_t len);
struct slice upgrade_detail(const struct upgrade *upgrade);

/* After RC_OK: bytes that came behind the answer, the first frames. */
struct slice upgrade_rest(const struct upgrade *upgrade);

#endif
