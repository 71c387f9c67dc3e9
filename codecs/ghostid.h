/* codecs/ghostid.h: Matrix user ids, and those of the ghosts that stand for Gitter users.
 *
 * The ghost of Gitter user ID is @gitter_<escaped ID>:<domain>. Gitter ids are 24 hex digits, or
 * "matrix-name:server" for users of Gitter's own Matrix bridge. They are case-sensitive, so the
 * escaping is the reversible one of the Matrix specification (appendices 4.2.3.2, mapping from
 * other character sets): a-z 0-9 . - stay, A-Z become _a to _z, _ becomes __, every other byte
 * (= and / and + too) becomes =xx in lower-case hex.
 * If that makes more than 255 bytes with the domain, the escaped form is cut between two escapes
 * and ends in "=-" and 32 hex digits: the 128-bit FNV-1a hash of the whole id. No escape produces
 * "=-", so a cut form never equals a full one. FNV resists no attacker, but it is only reached by
 * ids of some 200 bytes, which Gitter gives out through approved bridges alone.
 *
 * Memory: results live in the arena or borrow their input where there is no arena argument.
 */
#ifndef GITTERD_CODECS_GHOSTID_H
#define GITTERD_CODECS_GHOSTID_H

#include "runtime/base/arena.h"

/* What every ghost's localpart begins with; the registration's namespace says the same. */
#define GHOSTID_PREFIX "gitter_"

/* The localpart and the full id; the localpart depends on the domain through the 255 bytes only.
 * An empty id, or a domain of more than 200 bytes, is a CHECK. */
struct slice ghostid_localpart(struct arena *arena, struct slice gitter_id, struct slice domain);
struct slice ghostid_mxid(struct arena *arena, struct slice gitter_id, struct slice domain);

/* The Gitter id of a ghost: RC_BAD_INPUT if mxid is no such ghost of this domain or was not made by
 * ghostid_mxid, RC_ABSENT if it is a cut form, from which the id cannot be told. */
NODISCARD enum rc
ghostid_parse(struct arena *arena, struct slice mxid, struct slice domain, struct slice *gitter_id);

/* True for every id in the namespace @gitter_.*:domain, whether ghostid_mxid could make it or not:
 * what the homeserver lets nobody but us use. The domain is compared exactly. */
bool ghostid_is_ghost(struct slice mxid, struct slice domain);

/* Splits @localpart:domain at the first ':' (a domain may contain more). RC_BAD_INPUT without '@',
 * without ':', with an empty domain, or over 255 bytes. Any bytes are accepted in a localpart, and
 * none at all: such ids of other users exist. */
NODISCARD enum rc mxid_split(struct slice mxid, struct slice *localpart, struct slice *domain);

/* True for a user id that we may give out: localpart of a-z 0-9 . _ = - / +, not empty, domain of
 * the characters of a server name, at most 255 bytes in all. */
bool mxid_is_valid(struct slice mxid);
/* The same for a localpart or a server name alone. */
bool mxid_is_valid_localpart(struct slice localpart);
bool mxid_is_valid_domain(struct slice domain);

#endif
