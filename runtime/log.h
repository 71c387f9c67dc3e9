/* runtime/log.h: log lines for people and collectors, on stderr.
 *
 * Thread: any; each line is one write(2).
 * Memory: nothing is allocated after log_open; a line lives in LOG_LINE_BYTES_MAX bytes on the
 *         stack, a longer value is cut and ends in "...", fields that do not fit are left out. The
 *         last LOG_KEPT_MAX warnings and errors are kept, each cut to LOG_KEPT_BYTES_MAX.
 * Errors: a line that cannot be written is dropped.
 * Units:  time stamps are UTC with milliseconds.
 *
 * Never log message bodies, tokens, cookies, query strings or anything else a user would not show
 * around. Ids of users, rooms and events, counts, states and results are what belongs here.
 *
 *     log_event(log, LOG_INFO, "room_joined", LOG_TEXT("room", room->id), LOG_INT("tries", 2));
 *
 * gives, as text or as JSON,
 *
 *     2026-11-23T20:15:00.123Z info room_joined room=!abc:example.org tries=2
 *     {"time":"2026-11-23T20:15:00.123Z","level":"info","event":"room_joined","room":...}
 */
#ifndef GITTERD_LOG_H
#define GITTERD_LOG_H

#include "runtime/base/arena.h"

#define LOG_LINE_BYTES_MAX 4096
#define LOG_VALUE_BYTES_MAX 512
#define LOG_KEPT_MAX 16
#define LOG_KEPT_BYTES_MAX 512

enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_INFO,
    LOG_DEBUG,
};

enum log_kind {
    LOG_KIND_END,
    LOG_KIND_TEXT,
    LOG_KIND_INT,
    LOG_KIND_BOOL,
};

struct log_field {
    const char *name;
    enum log_kind kind;
    struct slice text;
    int64_t number;
};

struct log;

/* A log of lines up to `level` on the file descriptor `fd`, which stays the caller's; gives it. */
struct log *log_open(int fd, enum log_level level, bool is_json);
void log_close(struct log *log);

/* "error", "warn", "info" or "debug"; anything else is RC_BAD_INPUT. */
NODISCARD enum rc log_level_parse(struct slice text, enum log_level *out);

/* True if a line of that level would be written; for fields that are dear to compute. */
bool log_is_on(const struct log *log, enum log_level level);

/* Names and events are literals of [a-z0-9_]; values may be anything. A NULL log writes nothing. */
#define LOG_TEXT(name, slice) ((struct log_field){"" name, LOG_KIND_TEXT, (slice), 0})
#define LOG_CSTR(name, cstr) ((struct log_field){"" name, LOG_KIND_TEXT, slice_from_cstr(cstr), 0})
#define LOG_INT(name, value)                                                                       \
    ((struct log_field){"" name, LOG_KIND_INT, {NULL, 0}, (int64_t)(value)})
#define LOG_BOOL(name, value)                                                                      \
    ((struct log_field){"" name, LOG_KIND_BOOL, {NULL, 0}, (value) ? 1 : 0})
#define LOG_RC(name, rc)                                                                           \
    ((struct log_field){"" name, LOG_KIND_TEXT, slice_from_cstr(rc_name(rc)), 0})

/* log_event(log, level, "event", fields...) */
#define log_event(log, level, ...)                                                                 \
    log_write((log), (level), __VA_ARGS__, ((struct log_field){NULL, LOG_KIND_END, {NULL, 0}, 0}))

/* The warnings and errors that were written last, oldest first, without the line end: copies in the
 * arena, at most LOG_KEPT_MAX. Gives how many. */
size_t log_recent(struct log *log, struct arena *arena, struct slice out[LOG_KEPT_MAX]);

/* Use through log_event, which ends the list of fields. */
void log_write(struct log *log, enum log_level level, const char *event, ...);

#endif
