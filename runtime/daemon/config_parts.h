/* runtime/daemon/config_parts.h: what the files that read a configuration share: config.c (from the
 * file and the environment to values) and config_check.c (whether they can be).
 *
 * Memory: everything lives in the arena of the reading.
 */
#ifndef GITTERD_DAEMON_CONFIG_PARTS_H
#define GITTERD_DAEMON_CONFIG_PARTS_H

#include "runtime/base/buf.h"
#include "runtime/daemon/config.h"

struct config_reading {
    struct arena *arena;
    const char *path;
    struct slice text;    /* of the file */
    struct buf errors;    /* a line each */
    struct slice pending; /* an error of libcyaml whose line comes next, if it comes */
};

/* Notes a mistake, with the line on which the key stands. */
void config_complain(struct config_reading *reading, const char *key, const char *what);

/* Notes what is wrong with the values, and sets those that follow from others. */
void config_check(struct config_reading *reading, struct config *config, enum config_use use);

#endif
