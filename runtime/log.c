#include "runtime/log.h"

#include "runtime/base/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct kept_line {
    char text[LOG_KEPT_BYTES_MAX];
    size_t len;
};

struct log {
    int fd;
    enum log_level level;
    bool is_json;
    pthread_mutex_t lock; /* of what follows */
    struct kept_line kept[LOG_KEPT_MAX];
    size_t kept_count; /* ever */
};

struct line {
    char text[LOG_LINE_BYTES_MAX];
    size_t len;
    size_t room; /* what may be used now; the end of the line is kept back */
    bool is_full;
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

struct log *log_open(int fd, enum log_level level, bool is_json)
{
    struct log *log = malloc(sizeof(*log));

    CHECK(log != NULL);
    *log = (struct log){.fd = fd, .level = level, .is_json = is_json};
    CHECK(pthread_mutex_init(&log->lock, NULL) == 0);
    return log;
}

void log_close(struct log *log)
{
    if (log != NULL) {
        CHECK(pthread_mutex_destroy(&log->lock) == 0);
        free(log);
    }
}

enum rc log_level_parse(struct slice text, enum log_level *out)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (slice_equal(text, slice_from_cstr(level_names[i]))) {
            *out = (enum log_level)i;
            return RC_OK;
        }
    }
    return RC_BAD_INPUT;
}

bool log_is_on(const struct log *log, enum log_level level)
{
    return log != NULL && level <= log->level;
}

static void line_put(struct line *line, const char *bytes, size_t len)
{
    if (line->is_full || len > line->room - line->len) {
        line->is_full = true;
        return;
    }
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

static void line_put_cstr(struct line *line, const char *text)
{
    line_put(line, text, strlen(text));
}

/* Bytes of the UTF-8 character at the front; 0 if there is none. */
static size_t character_bytes(struct slice text)
{
    static const unsigned char leads[] = {0x00, 0x00, 0xC0, 0xE0, 0xF0};
    size_t len = 1;

    if ((unsigned char)text.ptr[0] >= 0x80) {
        for (len = 4; len > 1 && (unsigned char)text.ptr[0] < leads[len]; len--) {
        }
    }
    return len <= text.len && slice_is_utf8(slice_first(text, len)) ? len : 0;
}

/* One character, escaped the same way for JSON strings and for quoted text. */
static void line_put_character(struct line *line, struct slice character)
{
    unsigned char byte = (unsigned char)character.ptr[0];
    char escape[8];

    if (byte == '"' || byte == '\\') {
        (void)snprintf(escape, sizeof(escape), "\\%c", byte);
    } else if (byte == '\n') {
        (void)snprintf(escape, sizeof(escape), "\\n");
    } else if (byte < 0x20 || byte == 0x7F) {
        (void)snprintf(escape, sizeof(escape), "\\u%04x", byte);
    } else if (byte == 0xC2 && (unsigned char)character.ptr[1] < 0xA0) {
        /* C1 controls: terminals obey them as they do ESC sequences */
        (void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)character.ptr[1]);
    } else {
        line_put(line, character.ptr, character.len);
        return;
    }
    line_put_cstr(line, escape);
}

static void line_put_quoted(struct line *line, struct slice text)
{
    struct slice left = slice_first(text, LOG_VALUE_BYTES_MAX);

    line_put_cstr(line, "\"");
    while (left.len > 0) {
        size_t len = character_bytes(left);

        if (len == 0 && text.len > LOG_VALUE_BYTES_MAX && left.len < 4) {
            break; /* the cut went through a character */
        }
        if (len == 0) {
            line_put_cstr(line, "\xEF\xBF\xBD");
            len = 1;
        } else {
            line_put_character(line, slice_first(left, len));
        }
        left = slice_from(left, len);
    }
    line_put_cstr(line, text.len > LOG_VALUE_BYTES_MAX ? "...\"" : "\"");
}

static bool text_is_plain(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || text.ptr[i] == '"' || text.ptr[i] == '\\' ||
            text.ptr[i] == '=') {
            return false;
        }
    }
    return text.len > 0 && text.len <= LOG_VALUE_BYTES_MAX;
}

static void line_put_value(struct line *line, const struct log_field *field, bool is_json)
{
    char number[24];

    switch (field->kind) {
    case LOG_KIND_TEXT:
        if (!is_json && text_is_plain(field->text)) {
            line_put(line, field->text.ptr, field->text.len);
        } else {
            line_put_quoted(line, field->text);
        }
        break;
    case LOG_KIND_INT:
        (void)snprintf(number, sizeof(number), "%lld", (long long)field->number);
        line_put_cstr(line, number);
        break;
    case LOG_KIND_BOOL:
        line_put_cstr(line, field->number != 0 ? "true" : "false");
        break;
    case LOG_KIND_END:
        CHECK(false);
    }
}

static void line_put_field(struct line *line, const struct log_field *field, bool is_json)
{
    size_t before = line->len;

    line_put_cstr(line, is_json ? ",\"" : " ");
    line_put_cstr(line, field->name);
    line_put_cstr(line, is_json ? "\":" : "=");
    line_put_value(line, field, is_json);
    if (line->is_full) { /* whole fields only, so that JSON stays JSON */
        line->len = before;
        line->is_full = false;
    }
}

static void line_put_start(struct line *line, enum log_level level, const char *event, bool is_json)
{
    struct timespec now;
    struct tm utc;
    char stamp[32];
    char millis[8];

    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0 && gmtime_r(&now.tv_sec, &utc) != NULL);
    CHECK(strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc) > 0);
    (void)snprintf(millis, sizeof(millis), ".%03dZ", (int)(now.tv_nsec / 1000000));
    line_put_cstr(line, is_json ? "{\"time\":\"" : "");
    line_put_cstr(line, stamp);
    line_put_cstr(line, millis);
    line_put_cstr(line, is_json ? "\",\"level\":\"" : " ");
    line_put_cstr(line, level_names[level]);
    line_put_cstr(line, is_json ? "\",\"event\":\"" : " ");
    line_put_cstr(line, event);
    line_put_cstr(line, is_json ? "\"" : "");
}

static void keep_line(struct log *log, const struct line *line)
{
    CHECK(pthread_mutex_lock(&log->lock) == 0);
    struct kept_line *kept = &log->kept[log->kept_count++ % LOG_KEPT_MAX];
    kept->len = line->len - 1 < LOG_KEPT_BYTES_MAX ? line->len - 1 : LOG_KEPT_BYTES_MAX;
    memcpy(kept->text, line->text, kept->len);
    CHECK(pthread_mutex_unlock(&log->lock) == 0);
}

size_t log_recent(struct log *log, struct arena *arena, struct slice out[LOG_KEPT_MAX])
{
    CHECK(pthread_mutex_lock(&log->lock) == 0);
    const size_t count = log->kept_count < LOG_KEPT_MAX ? log->kept_count : LOG_KEPT_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct kept_line *kept = &log->kept[(log->kept_count - count + i) % LOG_KEPT_MAX];
        out[i] = arena_copy(arena, slice_make(kept->text, kept->len));
    }
    CHECK(pthread_mutex_unlock(&log->lock) == 0);
    return count;
}

void log_write(struct log *log, enum log_level level, const char *event, ...)
{
    struct line line = {.len = 0, .room = LOG_LINE_BYTES_MAX - 2, .is_full = false};
    va_list fields;

    if (!log_is_on(log, level)) {
        return;
    }
    line_put_start(&line, level, event, log->is_json);
    va_start(fields, event);
    for (;;) {
        struct log_field field = va_arg(fields, struct log_field);

        if (field.kind == LOG_KIND_END) {
            break;
        }
        line_put_field(&line, &field, log->is_json);
    }
    va_end(fields);
    line.room = LOG_LINE_BYTES_MAX;
    line_put_cstr(&line, log->is_json ? "}\n" : "\n");
    if (level <= LOG_WARN) {
        keep_line(log, &line);
    }
    while (write(log->fd, line.text, line.len) < 0 && errno == EINTR) {
    }
}
