/* runtime/daemon/journal_tool.h: gitterd journal: writes logs for gitterd replay. */
#ifndef GITTERD_DAEMON_JOURNAL_TOOL_H
#define GITTERD_DAEMON_JOURNAL_TOOL_H

#include "runtime/base/slice.h"

/* argv[0] is the subcommand. Gives the exit status: 0, 1 when something failed, 2 for wrong usage.
 */
int journal_main(int argc, char **argv);

/* Which turns are exported, from which database and how. */
struct journal_export {
    struct slice database;
    const char *file;
    int64_t since_ms;  /* 0: from the beginning */
    int64_t until_ms;  /* 0: to the end */
    struct slice user; /* empty: everybody */
    struct slice room; /* a Matrix or Gitter room; empty: all */
    bool is_redacted;
};

/* journal_export.c; gives the exit status. */
int journal_export_run(const struct journal_export *options);
/* journal_compile.c: JSON lines into a log. */
int journal_compile_run(const char *from, const char *to);

#endif
