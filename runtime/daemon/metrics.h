/* runtime/daemon/metrics.h: a port for those who watch: GET /metrics (the text format of
 * Prometheus), /health/live (200 while the loop turns) and /health/ready (200, or 503 while turns
 * cannot be committed).
 *
 * It tells numbers only, no ids, and asks for no token: bind it where only friends can reach it.
 *
 * Thread: loop thread only.
 */
#ifndef GITTERD_DAEMON_METRICS_H
#define GITTERD_DAEMON_METRICS_H

#include "runtime/http.h"

struct bridge;
struct metrics;

/* Answers from what the bridge counts; keeps the pointer until metrics_close. */
struct metrics *metrics_open(const struct bridge *bridge);
void metrics_close(struct metrics *metrics);
struct http_handler metrics_handler(struct metrics *metrics);
/* Where its answers go; before the first request. */
void metrics_serve(struct metrics *metrics, struct http_server *server);

#endif
