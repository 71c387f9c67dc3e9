/* db/key_check.h: whether unique_secret_key is the one that sealed what is in the database.
 *
 * A sealed word in `meta`, written on the first run, opens under that key alone. With another one
 * every login would be lost, and for good with the next commit of each user: that must be wanted.
 *
 * Thread: as the connection.
 */
#ifndef GITTERD_DB_KEY_CHECK_H
#define GITTERD_DB_KEY_CHECK_H

#include "db/secrets.h"
#include "db/sql.h"

/* RC_REFUSED: sealed under another key, and that is not to be taken from now on. A file without the
 * word, of an earlier version, is judged by a login in it. */
NODISCARD enum rc key_check(sqlite3 *db, struct secrets *secrets, bool takes_new_key);

#endif
