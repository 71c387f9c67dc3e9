/* runtime/daemon/tables.h: what the store must know of actors and messages, from their own tables.
 */
#ifndef GITTERD_DAEMON_TABLES_H
#define GITTERD_DAEMON_TABLES_H

#include "runtime/store.h"

/* By actor kind: table and columns as the machines' records say. Lives as long as the process. */
const struct store_table *store_tables(void);
/* By message kind. */
const char *const *message_names(void);

#endif
