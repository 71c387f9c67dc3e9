#include "runtime/daemon/config.h"

#include "runtime/base/check.h"
#include "runtime/daemon/config_parts.h"

#include <ctype.h>
#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file as libcyaml gives it: every value a text, so that they can come from elsewhere too. */
struct raw {
#define RAW_TEXT(name, fallback, what) char *name;
#define RAW_NUMBER(name, fallback, min, max, what) char *name;
#define RAW_TEXTS(name, what)                                                                      \
    char **name;                                                                                   \
    unsigned name##_count;
    CONFIG_LIST(RAW_TEXT, RAW_NUMBER, RAW_TEXTS)
#undef RAW_TEXT
#undef RAW_NUMBER
#undef RAW_TEXTS
};

static const cyaml_schema_value_t list_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t raw_fields[] = {
#define SCHEMA_TEXT(name, fallback, what)                                                          \
    CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw, name, 0,   \
                           CYAML_UNLIMITED),
#define SCHEMA_NUMBER(name, fallback, min, max, what) SCHEMA_TEXT(name, fallback, what)
#define SCHEMA_TEXTS(name, what)                                                                   \
    CYAML_FIELD_SEQUENCE(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw, name,        \
                         &list_entry, 0, CYAML_UNLIMITED),
    CONFIG_LIST(SCHEMA_TEXT, SCHEMA_NUMBER, SCHEMA_TEXTS)
#undef SCHEMA_TEXT
#undef SCHEMA_NUMBER
#undef SCHEMA_TEXTS
        CYAML_FIELD_END};

static const cyaml_schema_value_t raw_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw, raw_fields),
};

/* The line a key stands on; the file is one flat mapping, so its line begins with it. 0: nowhere.
 */
static int line_of(struct slice text, const char *key)
{
    const struct slice name = slice_from_cstr(key);
    for (int line = 1; text.ptr != NULL; line++) {
        struct slice here = slice_cut(&text, '\n');
        if (slice_starts_with(here, name) &&
            slice_starts_with(slice_trim(slice_from(here, name.len)), SLICE(":"))) {
            return line;
        }
    }
    return 0;
}

void config_complain(struct config_reading *reading, const char *key, const char *what)
{
    const int line = line_of(reading->text, key);
    if (line > 0) {
        buf_printf(&reading->errors, "%s:%d: %s: %s\n", reading->path, line, key, what);
    } else {
        buf_printf(&reading->errors, "%s: %s: %s\n", reading->path, key, what);
    }
}

/* What libcyaml has said and no line is known for yet. */
static void flush_yaml_error(struct config_reading *reading, struct slice line)
{
    if (reading->pending.len > 0) {
        buf_printf(&reading->errors, "%s:%.*s %.*s\n", reading->path, SLICE_ARGS(line),
                   SLICE_ARGS(reading->pending));
        reading->pending = SLICE_EMPTY;
    }
}

/* libcyaml says what is wrong, then "Backtrace:", then "in mapping field 'x' (line: 3, column: 9)",
 * innermost first. An unknown key it names without its line. */
static void note_yaml_error(cyaml_log_t level, void *context, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void note_yaml_error(cyaml_log_t level, void *context, const char *format, va_list args)
{
    struct config_reading *reading = context;
    const struct slice unknown = SLICE("Unexpected key: ");
    const struct slice load = SLICE("Load: ");
    const struct slice where = SLICE("(line: ");
    char line[512];
    (void)level;
    const int len = vsnprintf(line, sizeof line, format, args);
    struct slice text = slice_trim(len > 0 ? slice_from_cstr(line) : SLICE_EMPTY);
    text = slice_starts_with(text, load) ? slice_from(text, load.len) : text;
    if (slice_starts_with(text, unknown)) {
        config_complain(reading, arena_cstr(reading->arena, slice_from(text, unknown.len)),
                        "unknown key");
    } else if (slice_starts_with(text, SLICE("in "))) {
        struct slice rest = slice_from(text, slice_find(text, where) + where.len);
        const struct slice number = slice_cut(&rest, ',');
        flush_yaml_error(reading, arena_printf(reading->arena, "%.*s:", SLICE_ARGS(number)));
    } else if (!slice_equal(text, SLICE("Backtrace:"))) {
        reading->pending = arena_copy(reading->arena, text);
    }
}

static enum rc read_file(struct arena *arena, const char *path, struct slice *out)
{
    struct buf text;
    char part[4096];
    size_t len = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return errno == ENOENT ? RC_ABSENT : RC_IO;
    }
    buf_init(&text, arena);
    while ((len = fread(part, 1, sizeof part, file)) > 0) {
        buf_put(&text, slice_make(part, len));
    }
    const bool is_whole = ferror(file) == 0;
    (void)fclose(file);
    *out = buf_slice(&text);
    return is_whole ? RC_OK : RC_IO;
}

/* GITTERD_<KEY>, or the first line of the file that GITTERD_<KEY>_FILE names; NULL: neither. */
static const char *from_environment(struct config_reading *reading, const char *key)
{
    char name[128];
    struct slice text = SLICE_EMPTY;
    int len = snprintf(name, sizeof name, "GITTERD_%s", key);
    CHECK(len > 0 && (size_t)len + sizeof "_FILE" < sizeof name);
    for (int i = 0; i < len; i++) {
        name[i] = (char)toupper((unsigned char)name[i]);
    }
    if (getenv(name) != NULL) {
        return arena_cstr(reading->arena, slice_from_cstr(getenv(name)));
    }
    (void)snprintf(name + len, sizeof name - (size_t)len, "_FILE");
    const char *path = getenv(name);
    if (path == NULL) {
        return NULL;
    }
    if (read_file(reading->arena, path, &text) != RC_OK) {
        buf_printf(&reading->errors, "%s: cannot read %s\n", name, path);
        return "";
    }
    return arena_cstr(reading->arena, slice_trim(slice_cut(&text, '\n')));
}

static struct slice
take_text(struct config_reading *reading, const char *key, const char *given, const char *fallback)
{
    const char *other = from_environment(reading, key);
    const char *value = other != NULL ? other : given != NULL ? given : fallback;
    if (value == NULL) {
        config_complain(reading, key, "is missing");
        return SLICE_EMPTY;
    }
    return arena_copy(reading->arena, slice_trim(slice_from_cstr(value)));
}

struct range {
    int64_t fallback;
    int64_t min;
    int64_t max;
};

static int64_t
take_number(struct config_reading *reading, const char *key, const char *given, struct range range)
{
    const struct slice text = take_text(reading, key, given, "");
    int64_t value = range.fallback;
    if (text.len == 0 && range.fallback < range.min) {
        config_complain(reading, key, "is missing");
        return range.fallback;
    }
    if (text.len > 0 && slice_to_int(text, &value) != RC_OK) {
        config_complain(reading, key, "is not a whole number");
        return range.fallback;
    }
    if (value < range.min || value > range.max) {
        const struct slice what = arena_printf(reading->arena, "must lie between %lld and %lld",
                                               (long long)range.min, (long long)range.max);
        config_complain(reading, key, what.ptr);
    }
    return value;
}

static struct config_list
take_list(struct config_reading *reading, const char *key, char **given, unsigned count)
{
    struct config_list list = {0};
    const char *other = from_environment(reading, key);
    if (other == NULL) {
        list.items = ARENA_ARRAY(reading->arena, count, struct slice);
        for (; list.count < count; list.count++) {
            list.items[list.count] = arena_copy(reading->arena, slice_from_cstr(given[list.count]));
        }
        return list;
    }
    struct slice rest = slice_from_cstr(other); /* separated by commas */
    list.items = ARENA_ARRAY(reading->arena, rest.len + 1, struct slice);
    while (rest.ptr != NULL) {
        const struct slice item = slice_trim(slice_cut(&rest, ','));
        if (item.len > 0) {
            list.items[list.count++] = item;
        }
    }
    return list;
}

static enum rc load(struct config_reading *reading, struct raw **raw)
{
    const cyaml_config_t yaml = {
        .log_fn = note_yaml_error,
        .log_ctx = reading,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    const cyaml_err_t err = cyaml_load_data((const uint8_t *)reading->text.ptr, reading->text.len,
                                            &yaml, &raw_schema, (cyaml_data_t **)raw, NULL);
    flush_yaml_error(reading, SLICE_EMPTY);
    if (err != CYAML_OK && reading->errors.len == 0) {
        buf_printf(&reading->errors, "%s: %s\n", reading->path, cyaml_strerror(err));
    }
    return err == CYAML_OK ? RC_OK : RC_BAD_INPUT;
}

enum rc config_read(struct arena *arena,
                    const char *path,
                    enum config_use use,
                    struct config *config,
                    struct slice *error)
{
    struct config_reading reading = {.arena = arena, .path = path};
    struct raw *raw = NULL;
    buf_init(&reading.errors, arena);
    enum rc rc = read_file(arena, path, &reading.text);
    if (rc != RC_OK) {
        *error = arena_printf(arena, "%s: %s\n", path,
                              rc == RC_ABSENT ? "no such file; `gitterd init` makes one"
                                              : "cannot be read");
        return rc;
    }
    rc = load(&reading, &raw);
    if (rc == RC_OK && raw == NULL) {
        buf_printf(&reading.errors, "%s: is empty; `gitterd init` makes a new one\n", path);
    } else if (rc == RC_OK) {
        *config = (struct config){0};
#define TAKE_TEXT(name, fallback, what)                                                            \
    config->name = take_text(&reading, #name, raw->name, fallback);
#define TAKE_NUMBER(name, fallback, min, max, what)                                                \
    config->name = take_number(&reading, #name, raw->name, (struct range){fallback, min, max});
#define TAKE_TEXTS(name, what)                                                                     \
    config->name = take_list(&reading, #name, raw->name, raw->name##_count);
        CONFIG_LIST(TAKE_TEXT, TAKE_NUMBER, TAKE_TEXTS)
        config_check(&reading, config, use);
        const cyaml_config_t yaml = {.mem_fn = cyaml_mem};
        (void)cyaml_free(&yaml, &raw_schema, raw, 0);
    }
    *error = buf_slice(&reading.errors);
    return error->len > 0 ? RC_BAD_INPUT : rc;
}
