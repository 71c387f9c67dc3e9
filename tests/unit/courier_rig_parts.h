/* tests/unit/courier_rig_parts.h: what the two files of the rig share. */
#ifndef GITTERD_TESTS_UNIT_COURIER_RIG_PARTS_H
#define GITTERD_TESTS_UNIT_COURIER_RIG_PARTS_H

#include "runtime/base/arena.h"
#include "tests/unit/courier_rig.h"

#include <netinet/in.h>

enum {
    RIG_CONNECTIONS_MAX = 4096,
    RIG_ROWS_MAX = 4096,
    RIG_SCRIPTS_MAX = 64
};

struct connection;

struct script {
    char *path;
    struct rig_reply reply;
    bool is_used;
};

struct rig_parts {
    struct store store;
    struct rig *rig;
    struct arena *arena;
    struct ev_io listener;
    struct ev_timer commit;
    struct ev_timer watchdog;
    struct sockaddr_in address;
    struct connection *connections[RIG_CONNECTIONS_MAX];
    struct outbox_call rows[RIG_ROWS_MAX];
    bool is_row[RIG_ROWS_MAX];
    size_t rows_count;
    struct script scripts[RIG_SCRIPTS_MAX];
    size_t scripts_count;
    size_t committed; /* ends */
    int64_t turn;
};

void rig_server_bind(struct rig *rig);
void rig_server_close(struct rig *rig);

#endif
