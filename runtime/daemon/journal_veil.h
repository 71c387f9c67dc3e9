/* runtime/daemon/journal_veil.h: what must not be read in the journal, and what stands there.
 *
 * A secret is replaced by hex digits of the same length, made of it with a key that is derived from
 * unique_secret_key: the same for the same secret, so that what was equal is equal in a replay, and
 * nothing else can be learnt from it. Login states are found in texts by their link, tokens by the
 * name of their field.
 */
#ifndef GITTERD_DAEMON_JOURNAL_VEIL_H
#define GITTERD_DAEMON_JOURNAL_VEIL_H

#include "runtime/engine.h"

struct secrets;

/* Keeps `secrets` by pointer. */
struct journal_veil journal_veil(struct secrets *secrets);

#endif
