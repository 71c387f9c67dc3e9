/* runtime/daemon/explain.h: gitterd explain: what became of one message or room, from the journal.
 */
#ifndef GITTERD_DAEMON_EXPLAIN_H
#define GITTERD_DAEMON_EXPLAIN_H

/* argv[0] is the subcommand. Gives the exit status: 0, 1 when the journal has nothing of it or
 * cannot be read, 2 for wrong usage. */
int explain_main(int argc, char **argv);

#endif
