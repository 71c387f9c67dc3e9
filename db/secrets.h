/* db/secrets.h: seals what must not be readable in the database file, and makes random bytes.
 *
 * A sealed text is AES-256-GCM under a key derived by HKDF-SHA-256 (RFC 5869) from the operator's
 * unique_secret_key. Table name and key of the row are authenticated along with it, so that a
 * sealed text does not open in the row of another actor. Its form: one byte of version (1), a nonce
 * of 12 random bytes, a tag of 16 bytes, then as many bytes as were sealed.
 *
 * Thread: one thread for each struct secrets.
 * Memory: results live in the given arena, opened secrets too: keep that arena short-lived.
 */
#ifndef GITTERD_DB_SECRETS_H
#define GITTERD_DB_SECRETS_H

#include "runtime/base/arena.h"

struct secrets;

/* Gives *secrets. `key` may have any length; it is not kept. RC_IO: no random bytes to be had. */
NODISCARD enum rc secrets_open(struct slice key, struct secrets **secrets);
/* Wipes the derived key; NULL is fine. */
void secrets_close(struct secrets *secrets);

/* RC_IO: no random bytes to be had. */
NODISCARD enum rc secrets_seal(struct secrets *secrets,
                               struct slice owner,
                               struct slice plain,
                               struct arena *arena,
                               struct slice *sealed);
/* RC_CORRUPT: another key, another owner, or damaged. */
NODISCARD enum rc secrets_unseal(struct secrets *secrets,
                                 struct slice owner,
                                 struct slice sealed,
                                 struct arena *arena,
                                 struct slice *plain);
/* The owner of what is sealed in a row: table name and key. */
struct slice secrets_owner(struct arena *arena, const char *table, struct slice key);

/* Bytes fit for keys and tokens. RC_IO: none to be had, *out is then not to be used. */
NODISCARD enum rc secrets_random(struct secrets *secrets, void *out, size_t len);
/* Hex digits, as many as the text has bytes: the same for the same text and unique_secret_key, and
 * of no use to somebody who does not have that key. An empty text gives an empty one. */
struct slice secrets_stand_in(struct secrets *secrets, struct arena *arena, struct slice text);

#endif
