#include "runtime/daemon/metrics.h"

#include "runtime/base/check.h"
#include "runtime/daemon/report.h"

#include <stdlib.h>

enum {
    REPORT_BYTES = 8 * 1024
};

struct metrics {
    const struct bridge *bridge;
    struct http_server *server;
    struct arena *arena;
};

struct metrics *metrics_open(const struct bridge *bridge)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    CHECK(metrics != NULL);
    metrics->bridge = bridge;
    metrics->arena = arena_open(REPORT_BYTES);
    return metrics;
}

void metrics_close(struct metrics *metrics)
{
    if (metrics != NULL) {
        arena_close(metrics->arena);
        free(metrics);
    }
}

void metrics_serve(struct metrics *metrics, struct http_server *server)
{
    metrics->server = server;
}

static struct http_answer plain(int status, struct slice body)
{
    return (struct http_answer){
        .status = status, .content_type = SLICE("text/plain; charset=utf-8"), .body = body};
}

static struct http_answer answer_to(struct metrics *metrics, const struct http_head *head)
{
    if (!slice_equal(head->method, SLICE("GET")) && !slice_equal(head->method, SLICE("HEAD"))) {
        return plain(405, SLICE("only GET\n"));
    }
    if (slice_equal(head->path, SLICE("/metrics"))) {
        struct http_answer answer = plain(200, report_metrics(metrics->bridge, metrics->arena));
        answer.content_type = SLICE("text/plain; version=0.0.4; charset=utf-8");
        return answer;
    }
    if (slice_equal(head->path, SLICE("/health/live"))) {
        return plain(200, SLICE("ok\n"));
    }
    if (slice_equal(head->path, SLICE("/health/ready"))) {
        return report_is_ready(metrics->bridge)
                   ? plain(200, SLICE("ok\n"))
                   : plain(503, SLICE("the database takes nothing at present\n"));
    }
    return plain(404, SLICE("there are /metrics, /health/live and /health/ready\n"));
}

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    struct metrics *metrics = context;
    (void)body;
    arena_reset(metrics->arena);
    const struct http_answer answer = answer_to(metrics, head);
    http_server_answer(metrics->server, head->request_id, &answer);
}

struct http_handler metrics_handler(struct metrics *metrics)
{
    return (struct http_handler){.context = metrics, .on_request = on_request};
}
