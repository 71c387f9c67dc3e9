/* runtime/tls.h: TLS 1.2 and 1.3 of our listeners, on wolfSSL's native API.
 *
 * Thread: one thread for a context and its connections.
 * Memory: both are _open/_close pairs; the descriptor stays the caller's.
 * Errors: RC_AGAIN: wait for the socket, for writing if tls_wants_write, else for reading.
 *         RC_ABSENT: the peer ended the connection. RC_IO: it is broken, close it.
 */
#ifndef GITTERD_TLS_H
#define GITTERD_TLS_H

#include "runtime/base/slice.h"

struct tls;
struct tls_context;

/* Reads certificate chain and key (PEM files) and gives a server's context. RC_BAD_INPUT: one of
 * them cannot be read or they do not belong together. */
NODISCARD enum rc
tls_context_open(const char *certificate_path, const char *key_path, struct tls_context **out);
void tls_context_close(struct tls_context *context);

/* The server's side on a connected, non-blocking socket; NULL if there is no memory for it. */
struct tls *tls_open(struct tls_context *context, int fd);
void tls_close(struct tls *tls);

NODISCARD enum rc tls_handshake(struct tls *tls);
NODISCARD enum rc tls_read(struct tls *tls, char *bytes, size_t len, size_t *got);
/* After RC_AGAIN the next call has to begin with the same bytes. */
NODISCARD enum rc tls_write(struct tls *tls, struct slice bytes, size_t *sent);
bool tls_wants_write(const struct tls *tls);
/* True if bytes lie in the library that the socket no longer shows. */
bool tls_is_pending(const struct tls *tls);
/* Tells the peer that nothing more comes; tried once. */
void tls_end(struct tls *tls);

#endif
