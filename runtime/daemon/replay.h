/* runtime/daemon/replay.h: gitterd replay: a recorded log, run again.
 *
 * The same log gives the same bytes on standard output, always.
 */
#ifndef GITTERD_DAEMON_REPLAY_H
#define GITTERD_DAEMON_REPLAY_H

/* argv[0] is the subcommand. Gives the exit status: 0, 1 when a turn came out otherwise than it was
 * recorded (with --check), 2 for wrong usage or a log that cannot be read to its end. */
int replay_main(int argc, char **argv);

#endif
