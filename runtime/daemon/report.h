/* runtime/daemon/report.h: what a running daemon counts, for `gitterd status` and for /metrics.
 *
 * Thread: loop thread only.
 * Memory: texts live in the given arena.
 */
#ifndef GITTERD_DAEMON_REPORT_H
#define GITTERD_DAEMON_REPORT_H

#include "runtime/daemon/bridge_parts.h"

/* X(group, name, how, help): GAUGE is what there is now, COUNTER what there was since the start. */
#define REPORT_LIST(X)                                                                             \
    X(process, resident_bytes, GAUGE, "Memory in use")                                             \
    X(process, open_descriptors, GAUGE, "Descriptors in use")                                      \
    X(engine, turns, COUNTER, "Inputs carried through the actors")                                 \
    X(engine, steps, COUNTER, "Transitions of actors")                                             \
    X(engine, batches, COUNTER, "Turns that share a commit")                                       \
    X(engine, commits_failed, COUNTER, "Commits that the database refused; repeated")              \
    X(engine, turns_failed, COUNTER, "Turns that left no trace")                                   \
    X(engine, inputs_repeated, COUNTER, "Events passed over: handled before")                      \
    X(engine, messages_refused, COUNTER, "Messages that a state does not take")                    \
    X(engine, messages_absent, COUNTER, "Messages to actors that are not there")                   \
    X(engine, actors_cached, GAUGE, "Actors in memory")                                            \
    X(courier, calls_done, COUNTER, "Calls that ended well")                                       \
    X(courier, calls_failed, COUNTER, "Calls that were refused or given up")                       \
    X(courier, calls_unknown, COUNTER, "Calls whose answer was lost; looked for")                  \
    X(courier, requests, COUNTER, "Requests sent")                                                 \
    X(courier, retries, COUNTER, "Of them, not the first of their call")                           \
    X(courier, lanes, GAUGE, "Lanes with calls")                                                   \
    X(courier, in_flight, GAUGE, "Requests under way")                                             \
    X(links, open, GAUGE, "Connections to Gitter that are up or being made")                       \
    X(homeserver_port, connections, GAUGE, "Connections of the homeserver")                        \
    X(homeserver_port, requests, COUNTER, "Requests of the homeserver")                            \
    X(homeserver_port, refused, COUNTER, "Of them, malformed or without the token")                \
    X(homeserver_port, overloads, COUNTER, "Connections turned away")                              \
    X(login_port, connections, GAUGE, "Connections of browsers")                                   \
    X(login_port, requests, COUNTER, "Requests of browsers")                                       \
    X(login_port, refused, COUNTER, "Of them, malformed")                                          \
    X(login_port, overloads, COUNTER, "Connections turned away")

/* As JSON: version, pid, started_ms, now_ms, an object for each group, and `recent`, the last
 * warnings and errors of the log. */
struct slice report_json(const struct bridge *bridge, struct arena *arena);
/* The same numbers in the text format of Prometheus, each gitterd_<group>_<name>. */
struct slice report_metrics(const struct bridge *bridge, struct arena *arena);
/* True unless turns cannot be committed at present. */
bool report_is_ready(const struct bridge *bridge);

#endif
