#include "runtime/daemon/report.h"

#include "codecs/json.h"
#include "runtime/daemon/version.h"
#include "runtime/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum how {
    GAUGE,
    COUNTER
};

enum number {
#define REPORT_ENUM(group, name, how, help) NUMBER_##group##_##name,
    REPORT_LIST(REPORT_ENUM) NUMBERS
#undef REPORT_ENUM
};

static const struct {
    const char *group;
    const char *name;
    enum how how;
    const char *help;
} descriptions[] = {
#define REPORT_DESCRIPTION(group, name, how, help) {#group, #name, how, help},
    REPORT_LIST(REPORT_DESCRIPTION)
#undef REPORT_DESCRIPTION
};

/* The second number of statm counts pages (proc(5)). */
static int64_t resident_bytes(void)
{
    char bytes[128];
    int64_t pages = 0;
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    const ssize_t len = read(fd, bytes, sizeof bytes);
    (void)close(fd);
    struct slice left = slice_make(bytes, len < 0 ? 0 : (size_t)len);
    (void)slice_cut(&left, ' ');
    return slice_to_int(slice_cut(&left, ' '), &pages) == RC_OK ? pages * sysconf(_SC_PAGESIZE) : 0;
}

static int64_t open_descriptors(void)
{
    int64_t count = -3; /* ".", ".." and the one that reads */
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return 0;
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

static void count_parts(const struct bridge *bridge, int64_t numbers[NUMBERS])
{
    const struct engine_counts engine = engine_counts(bridge->engine);
    const struct courier_counts courier = courier_counts(bridge->courier);
    numbers[NUMBER_engine_turns] = engine.turns;
    numbers[NUMBER_engine_steps] = engine.steps;
    numbers[NUMBER_engine_batches] = engine.batches;
    numbers[NUMBER_engine_commits_failed] = engine.commits_failed;
    numbers[NUMBER_engine_turns_failed] = engine.turns_failed;
    numbers[NUMBER_engine_inputs_repeated] = engine.inputs_repeated;
    numbers[NUMBER_engine_messages_refused] = engine.refused;
    numbers[NUMBER_engine_messages_absent] = engine.absent;
    numbers[NUMBER_engine_actors_cached] = engine.actors_cached;
    numbers[NUMBER_courier_calls_done] = courier.done;
    numbers[NUMBER_courier_calls_failed] = courier.failed;
    numbers[NUMBER_courier_calls_unknown] = courier.unknown;
    numbers[NUMBER_courier_requests] = courier.requests;
    numbers[NUMBER_courier_retries] = courier.retries;
    numbers[NUMBER_courier_lanes] = courier.lanes;
    numbers[NUMBER_courier_in_flight] = courier.in_flight;
    if (bridge->transport.count != NULL) {
        numbers[NUMBER_links_open] = (int64_t)bridge->transport.count(bridge->transport.context);
    }
}

static void count_all(const struct bridge *bridge, int64_t numbers[NUMBERS])
{
    const struct http_stats homeserver = http_server_stats(bridge->appservice_server);
    const struct http_stats browsers = http_server_stats(bridge->web_server);
    memset(numbers, 0, NUMBERS * sizeof numbers[0]);
    numbers[NUMBER_process_resident_bytes] = resident_bytes();
    numbers[NUMBER_process_open_descriptors] = open_descriptors();
    count_parts(bridge, numbers);
    numbers[NUMBER_homeserver_port_connections] = (int64_t)homeserver.connections;
    numbers[NUMBER_homeserver_port_requests] = (int64_t)homeserver.requests;
    numbers[NUMBER_homeserver_port_refused] = (int64_t)homeserver.refused;
    numbers[NUMBER_homeserver_port_overloads] = (int64_t)homeserver.overloads;
    numbers[NUMBER_login_port_connections] = (int64_t)browsers.connections;
    numbers[NUMBER_login_port_requests] = (int64_t)browsers.requests;
    numbers[NUMBER_login_port_refused] = (int64_t)browsers.refused;
    numbers[NUMBER_login_port_overloads] = (int64_t)browsers.overloads;
}

static void put_numbers(struct json_writer *writer, const int64_t numbers[NUMBERS])
{
    for (size_t i = 0; i < NUMBERS; i++) {
        const bool is_first =
            i == 0 || strcmp(descriptions[i].group, descriptions[i - 1].group) != 0;
        if (is_first) {
            if (i > 0) {
                json_close_object(writer);
            }
            json_put_key(writer, slice_from_cstr(descriptions[i].group));
            json_open_object(writer);
        }
        json_put_member_int(writer, slice_from_cstr(descriptions[i].name), numbers[i]);
    }
    json_close_object(writer);
}

struct slice report_json(const struct bridge *bridge, struct arena *arena)
{
    int64_t numbers[NUMBERS];
    struct slice recent[LOG_KEPT_MAX];
    struct json_writer writer;
    const size_t recent_count = log_recent(bridge->log, arena, recent);
    count_all(bridge, numbers);
    json_writer_init(&writer, arena);
    json_open_object(&writer);
    json_put_member(&writer, SLICE("version"), SLICE(GITTERD_VERSION));
    json_put_member_int(&writer, SLICE("pid"), getpid());
    json_put_member_int(&writer, SLICE("started_ms"), bridge->started_ms);
    json_put_member_int(&writer, SLICE("now_ms"), bridge_now_ms(NULL));
    put_numbers(&writer, numbers);
    json_put_key(&writer, SLICE("recent"));
    json_open_array(&writer);
    for (size_t i = 0; i < recent_count; i++) {
        json_put_text(&writer, recent[i]);
    }
    json_close_array(&writer);
    json_close_object(&writer);
    return json_writer_end(&writer);
}

struct slice report_metrics(const struct bridge *bridge, struct arena *arena)
{
    int64_t numbers[NUMBERS];
    struct buf out;
    count_all(bridge, numbers);
    buf_init(&out, arena);
    for (size_t i = 0; i < NUMBERS; i++) {
        const char *end = descriptions[i].how == COUNTER ? "_total" : "";
        const char *group = descriptions[i].group;
        const char *name = descriptions[i].name;
        buf_printf(&out, "# HELP gitterd_%s_%s%s %s\n", group, name, end, descriptions[i].help);
        buf_printf(&out, "# TYPE gitterd_%s_%s%s %s\n", group, name, end,
                   descriptions[i].how == COUNTER ? "counter" : "gauge");
        buf_printf(&out, "gitterd_%s_%s%s %" PRId64 "\n", group, name, end, numbers[i]);
    }
    return buf_slice(&out);
}

bool report_is_ready(const struct bridge *bridge)
{
    return !engine_is_paused(bridge->engine);
}
