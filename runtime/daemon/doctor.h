/* runtime/daemon/doctor.h: `gitterd check`: looks at everything a bridge needs and says what is
 * wrong and how to mend it.
 *
 * One line for each check on standard output: "ok   what", "warn what: why; how to mend it" or
 * "FAIL what: why; how to mend it". The configuration's secrets never stand in one of them.
 * Nothing is changed anywhere: a database is opened for reading only, and Gitter is asked for a
 * token with a code that it never gave.
 *
 * Works beside a running gitterd. While none runs, the two ports are listened on as long as the
 * checks take, so that the homeserver's ping and the login URL can be seen to lead here.
 */
#ifndef GITTERD_DAEMON_DOCTOR_H
#define GITTERD_DAEMON_DOCTOR_H

#include "runtime/daemon/config.h"

struct doctor_options {
    const struct config *config; /* read with CONFIG_TO_RUN */
    const char *config_path;
    const char *registration; /* path; NULL: registration.yaml beside the configuration, if any */
};

/* The exit status: 0 if nothing failed, else 1. */
int doctor_run(struct arena *arena, const struct doctor_options *options);

#endif
