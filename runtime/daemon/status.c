#include "runtime/daemon/status.h"

#include "actors/machine.h"
#include "codecs/json.h"
#include "db/census.h"
#include "runtime/base/clock.h"
#include "runtime/daemon/control.h"
#include "runtime/daemon/tables.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    MINUTE_MS = 60 * 1000,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
};

struct status {
    struct arena *arena;
    struct slice raw;          /* the daemon's answer */
    const struct json *daemon; /* NULL: none answered */
    struct census census;
    struct slice error; /* why there is no census */
    int64_t now_ms;
};

struct slice status_socket(struct arena *arena, const struct config *config)
{
    return config->control_socket.len > 0
               ? config->control_socket
               : arena_printf(arena, "%.*s.socket", SLICE_ARGS(config->database));
}

static void ask_daemon(struct status *status, struct slice path)
{
    struct json *answer = NULL;
    const enum rc rc = control_ask(path, status->arena, &status->raw);
    if (rc == RC_OK && json_parse(status->arena, status->raw, &answer) == RC_OK) {
        status->daemon = answer;
    } else if (rc != RC_ABSENT) {
        (void)fprintf(stderr, "gitterd: %.*s: %s\n", SLICE_ARGS(path),
                      rc == RC_OK ? "an answer that makes no sense" : rc_text(rc));
    }
}

/* As JSON */

static void put_kinds(struct json_writer *writer, const struct census *census)
{
    for (size_t i = 0; i < census->kinds_count; i++) {
        const struct census_kind *kind = &census->kinds[i];
        json_put_key(writer, kind->table);
        json_open_object(writer);
        for (size_t j = 0; j < kind->states_count; j++) {
            json_put_member_int(writer, kind->states[j].state, kind->states[j].count);
        }
        json_close_object(writer);
    }
}

static void put_outbox(struct json_writer *writer, const struct census *census)
{
    json_put_key(writer, SLICE("outbox"));
    json_open_object(writer);
    json_put_member_int(writer, SLICE("calls"), census->calls);
    json_put_member_int(writer, SLICE("lanes_count"), census->lanes_count);
    json_put_key(writer, SLICE("lanes"));
    json_open_array(writer);
    for (size_t i = 0; i < census->lanes_shown; i++) {
        const struct census_lane *lane = &census->lanes[i];
        json_open_object(writer);
        json_put_member(writer, SLICE("lane"), lane->lane);
        json_put_member(writer, SLICE("owner"), lane->owner);
        json_put_member_int(writer, SLICE("calls"), lane->calls);
        json_put_member_int(writer, SLICE("oldest_ms"), lane->oldest_ms);
        json_close_object(writer);
    }
    json_close_array(writer);
    json_close_object(writer);
}

static void print_json(const struct status *status)
{
    struct json_writer writer;
    json_writer_init(&writer, status->arena);
    json_open_object(&writer);
    json_put_member_bool(&writer, SLICE("is_running"), status->daemon != NULL);
    if (status->daemon != NULL) {
        json_put_key(&writer, SLICE("daemon"));
        json_put_raw(&writer, status->raw);
    }
    json_put_key(&writer, SLICE("database"));
    json_open_object(&writer);
    if (status->error.len > 0) {
        json_put_member(&writer, SLICE("error"), status->error);
    } else {
        put_kinds(&writer, &status->census);
        put_outbox(&writer, &status->census);
    }
    json_close_object(&writer);
    json_close_object(&writer);
    const struct slice text = json_writer_end(&writer);
    (void)printf("%.*s\n", SLICE_ARGS(text));
}

/* As text */

/* "3 d 4 h", "12 min", "7 s" */
static struct slice length_of_time(struct arena *arena, int64_t ms)
{
    if (ms >= DAY_MS) {
        return arena_printf(arena, "%" PRId64 " d %" PRId64 " h", ms / DAY_MS,
                            ms % DAY_MS / HOUR_MS);
    }
    if (ms >= HOUR_MS) {
        return arena_printf(arena, "%" PRId64 " h %" PRId64 " min", ms / HOUR_MS,
                            ms % HOUR_MS / MINUTE_MS);
    }
    if (ms >= MINUTE_MS) {
        return arena_printf(arena, "%" PRId64 " min", ms / MINUTE_MS);
    }
    return arena_printf(arena, "%" PRId64 " s", ms > 0 ? ms / 1000 : 0);
}

static int64_t number(const struct status *status, const char *group, const char *name)
{
    return json_int(json_get2(status->daemon, slice_from_cstr(group), slice_from_cstr(name)), 0);
}

static void print_daemon(const struct status *status)
{
    if (status->daemon == NULL) {
        (void)printf("gitterd is not running\n");
        return;
    }
    const struct slice version = json_get_text(status->daemon, SLICE("version"));
    const struct slice up = length_of_time(
        status->arena, status->now_ms - json_get_int(status->daemon, SLICE("started_ms"), 0));
    (void)printf("gitterd %.*s, running for %.*s, process %" PRId64 ", %" PRId64 " MiB\n",
                 SLICE_ARGS(version), SLICE_ARGS(up), json_get_int(status->daemon, SLICE("pid"), 0),
                 number(status, "process", "resident_bytes") / (1024 * 1024));
    (void)printf("turns     %" PRId64 ", in %" PRId64 " commits; %" PRId64 " commits and %" PRId64
                 " turns failed\n",
                 number(status, "engine", "turns"), number(status, "engine", "batches"),
                 number(status, "engine", "commits_failed"),
                 number(status, "engine", "turns_failed"));
    (void)printf("calls     %" PRId64 " done, %" PRId64 " failed, %" PRId64
                 " with a lost answer; %" PRId64 " under way\n",
                 number(status, "courier", "calls_done"), number(status, "courier", "calls_failed"),
                 number(status, "courier", "calls_unknown"),
                 number(status, "courier", "in_flight"));
    (void)printf("links     %" PRId64 " to Gitter\n", number(status, "links", "open"));
}

static void print_kinds(const struct census *census)
{
    for (size_t i = 0; i < census->kinds_count; i++) {
        const struct census_kind *kind = &census->kinds[i];
        (void)printf("%-9.*s %" PRId64, SLICE_ARGS(kind->table), kind->count);
        for (size_t j = 0; j < kind->states_count; j++) {
            (void)printf("%s %" PRId64 " %.*s", j == 0 ? ":" : ",", kind->states[j].count,
                         SLICE_ARGS(kind->states[j].state));
        }
        (void)printf("\n");
    }
}

/* Keys of lanes are ids of others: nothing in them may reach the terminal as it is. */
static struct slice printable(struct arena *arena, struct slice text)
{
    const struct slice copy = arena_copy(arena, text);
    char *bytes = arena_alloc(arena, copy.len + 1);
    for (size_t i = 0; i < copy.len; i++) {
        const unsigned char byte = (unsigned char)copy.ptr[i];
        bytes[i] = byte < ' ' || byte == 0x7f ? '?' : copy.ptr[i];
    }
    return slice_make(bytes, copy.len);
}

static void print_outbox(const struct status *status)
{
    const struct census *census = &status->census;
    (void)printf("outbox    %" PRId64 " calls in %" PRId64 " lanes\n", census->calls,
                 census->lanes_count);
    for (size_t i = 0; i < census->lanes_shown; i++) {
        const struct census_lane *lane = &census->lanes[i];
        const struct slice age = length_of_time(status->arena, status->now_ms - lane->oldest_ms);
        const struct slice name = printable(status->arena, lane->lane);
        (void)printf("          %6" PRId64 " since %-12.*s %.*s\n", lane->calls, SLICE_ARGS(age),
                     SLICE_ARGS(name));
    }
    if (census->lanes_count > (int64_t)census->lanes_shown) {
        (void)printf("          and %" PRId64 " more lanes\n",
                     census->lanes_count - (int64_t)census->lanes_shown);
    }
}

static void print_recent(const struct status *status)
{
    const struct json *recent = json_get(status->daemon, SLICE("recent"));
    if (json_count(recent) > 0) {
        (void)printf("last warnings and errors\n");
    }
    for (const struct json *line = json_first(recent); line != NULL; line = line->next) {
        (void)printf("  %.*s\n", SLICE_ARGS(json_text(line)));
    }
}

static void print_text(const struct status *status)
{
    print_daemon(status);
    if (status->error.len > 0) {
        (void)printf("database  %.*s\n", SLICE_ARGS(status->error));
    } else {
        print_kinds(&status->census);
        print_outbox(status);
    }
    print_recent(status);
}

int status_run(struct arena *arena, const struct config *config, bool is_json)
{
    struct status status = {.arena = arena};
    ask_daemon(&status, status_socket(arena, config));
    const enum rc rc = census_take(config->database, store_tables(), ACTOR_KINDS, arena,
                                   &status.census, &status.error);
    status.now_ms = clock_read_ms(CLOCK_REALTIME);
    if (is_json) {
        print_json(&status);
    } else {
        print_text(&status);
    }
    return rc == RC_OK && status.daemon != NULL ? 0 : 1;
}
