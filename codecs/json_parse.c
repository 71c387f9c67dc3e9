/* The reading half of codecs/json.h: yajl finds the tokens, the tree is built here. yajl tells
 * where a token ends but not where it begins; nothing but white space, commas and colons can lie
 * between two values, so the beginning is found from the end of the one before. */
#include "codecs/json.h"

#include "runtime/base/check.h"

#include <string.h>
#include <yajl/yajl_parse.h>

struct reader {
    struct arena *arena;
    struct slice text;
    yajl_handle handle;
    size_t levels;   /* nodes are made down to here */
    bool is_outline; /* deeper ones are passed over instead of refused */
    bool is_at_end;  /* yajl has had all the text */
    size_t at;       /* end of the token before */
    size_t depth;    /* containers open */
    size_t nodes;
    struct slice key;
    struct json *root;
    struct json *open[JSON_DEPTH_MAX];
    enum rc rc; /* why a callback stopped the parsing */
};

/* yajl's stack grows by 128 bytes at a time; rounding up to powers of two keeps deep nesting from
 * copying it for each step. */
struct block {
    size_t cap;
    max_align_t data[];
};

static void *reader_malloc(void *arena, size_t size)
{
    struct block *block = arena_alloc_raw(arena, sizeof *block + size);
    block->cap = size;
    return block->data;
}

static void *reader_realloc(void *arena, void *old, size_t size)
{
    if (old == NULL) {
        return reader_malloc(arena, size);
    }
    const struct block *block = (const void *)((const char *)old - offsetof(struct block, data));
    if (size <= block->cap) {
        return old;
    }
    void *grown = reader_malloc(arena, size < 2 * block->cap ? 2 * block->cap : size);
    memcpy(grown, old, block->cap);
    return grown;
}

static void reader_free(void *arena, void *old)
{
    (void)arena;
    (void)old;
}

/* Takes the token that yajl has just read. */
static struct slice reader_take_token(struct reader *reader)
{
    const size_t end =
        reader->is_at_end ? reader->text.len : yajl_get_bytes_consumed(reader->handle);
    size_t start = reader->at;
    while (start < end && memchr(" \t\r\n,:", reader->text.ptr[start], 6) != NULL) {
        start++;
    }
    reader->at = end;
    return slice_first(slice_from(reader->text, start), end - start);
}

static uint32_t unescape_hex(const char *digits)
{
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        const unsigned char c = (unsigned char)digits[i];
        const unsigned int digit = c <= '9' ? c - 0x30U : (c | 0x20U) - 0x57U;
        value = value << 4U | digit;
    }
    return value;
}

/* Reads the escape at the start of text, which the lexer has found well-formed; gives its length.
 * A surrogate pair is one escape; half of one comes out as a surrogate, which buf replaces. */
static size_t unescape_one(struct slice text, uint32_t *character)
{
    static const char names[] = "bfnrt";
    static const char values[] = "\b\f\n\r\t";
    const char name = text.ptr[1];

    if (name != 'u') {
        const char *found = memchr(names, name, sizeof names - 1);
        *character = (unsigned char)(found == NULL ? name : values[found - names]);
        return 2;
    }
    *character = unescape_hex(text.ptr + 2);
    if (*character >= 0xd800U && *character < 0xdc00U && text.len >= 12 && text.ptr[6] == '\\' &&
        text.ptr[7] == 'u') {
        const uint32_t low = unescape_hex(text.ptr + 8);
        if (low >= 0xdc00U && low < 0xe000U) {
            *character = 0x10000U + ((*character - 0xd800U) << 10U) + (low - 0xdc00U);
            return 12;
        }
    }
    return 6;
}

static struct slice unescape(struct arena *arena, struct slice quoted)
{
    struct slice rest = slice_first(slice_from(quoted, 1), quoted.len - 2);
    size_t plain = slice_find_byte(rest, '\\');
    if (plain == rest.len) {
        return rest;
    }
    struct buf out;
    buf_init(&out, arena);
    while (rest.len > 0) {
        buf_put(&out, slice_first(rest, plain));
        rest = slice_from(rest, plain);
        if (rest.len > 0) {
            uint32_t character = 0;
            rest = slice_from(rest, unescape_one(rest, &character));
            buf_put_char(&out, character);
        }
        plain = slice_find_byte(rest, '\\');
    }
    return buf_slice(&out);
}

static int reader_stop(struct reader *reader, enum rc rc)
{
    reader->rc = rc;
    return 0;
}

/* Makes the node of a value that has just begun or been read; *out stays NULL for one that lies
 * below the outline. Gives 0 to stop the parsing. */
static int reader_add(struct reader *reader, enum json_type type, struct json **out)
{
    const struct slice raw = reader_take_token(reader);
    if (reader->depth >= reader->levels) {
        return reader->is_outline ? 1 : reader_stop(reader, RC_TOO_BIG);
    }
    if (reader->nodes == JSON_NODES_MAX) {
        return reader_stop(reader, RC_TOO_BIG);
    }
    struct json *node = ARENA_NEW(reader->arena, struct json);
    reader->nodes++;
    node->type = type;
    node->raw = raw;
    *out = node;
    if (reader->depth == 0) {
        reader->root = node;
        return 1;
    }
    struct json *parent = reader->open[reader->depth - 1];
    *(parent->last == NULL ? &parent->first : &parent->last->next) = node;
    parent->last = node;
    parent->count++;
    node->key = reader->key;
    reader->key = SLICE_EMPTY;
    return 1;
}

static int reader_on_null(void *ctx)
{
    struct json *node = NULL;
    return reader_add(ctx, JSON_NULL, &node);
}

static int reader_on_boolean(void *ctx, int value)
{
    struct json *node = NULL;
    const int goes_on = reader_add(ctx, JSON_BOOL, &node);
    if (node != NULL) {
        node->flag = value != 0;
    }
    return goes_on;
}

static int reader_on_number(void *ctx, const char *digits, size_t len)
{
    struct json *node = NULL;
    const int goes_on = reader_add(ctx, JSON_REAL, &node);
    if (node != NULL && slice_to_int(slice_make(digits, len), &node->num) == RC_OK) {
        node->type = JSON_INT;
    }
    return goes_on;
}

static int reader_on_text(void *ctx, const unsigned char *text, size_t len)
{
    /* what yajl decoded is of no use: it makes a lone surrogate a question mark */
    (void)text;
    (void)len;
    struct reader *reader = ctx;
    struct json *node = NULL;
    const int goes_on = reader_add(reader, JSON_TEXT, &node);
    if (node != NULL) {
        node->text = unescape(reader->arena, node->raw);
    }
    return goes_on;
}

static int reader_on_key(void *ctx, const unsigned char *text, size_t len)
{
    (void)text;
    (void)len;
    struct reader *reader = ctx;
    const struct slice raw = reader_take_token(reader);
    if (reader->depth < reader->levels) {
        reader->key = unescape(reader->arena, raw);
    }
    return 1;
}

static int reader_open(struct reader *reader, enum json_type type)
{
    struct json *node = NULL;
    const int goes_on = reader_add(reader, type, &node);
    if (node != NULL) {
        reader->open[reader->depth] = node;
    }
    reader->depth++;
    return goes_on;
}

static int reader_on_object(void *ctx)
{
    return reader_open(ctx, JSON_OBJECT);
}

static int reader_on_array(void *ctx)
{
    return reader_open(ctx, JSON_ARRAY);
}

static int reader_on_close(void *ctx)
{
    struct reader *reader = ctx;
    (void)reader_take_token(reader);
    reader->depth--;
    if (reader->depth < reader->levels) {
        struct json *node = reader->open[reader->depth];
        node->raw.len = (size_t)(reader->text.ptr + reader->at - node->raw.ptr);
    }
    return 1;
}

static const yajl_callbacks reader_callbacks = {
    .yajl_null = reader_on_null,
    .yajl_boolean = reader_on_boolean,
    .yajl_number = reader_on_number,
    .yajl_string = reader_on_text,
    .yajl_start_map = reader_on_object,
    .yajl_map_key = reader_on_key,
    .yajl_end_map = reader_on_close,
    .yajl_start_array = reader_on_array,
    .yajl_end_array = reader_on_close,
};

/* yajl takes a token that is cut short behind the value ("{}tru") for nothing at all. */
static bool reader_has_rest(const struct reader *reader)
{
    for (size_t i = reader->at; i < reader->text.len; i++) {
        if (memchr(" \t\r\n", reader->text.ptr[i], 4) == NULL) {
            return true;
        }
    }
    return false;
}

static enum rc reader_run(struct reader *reader, struct json **out)
{
    yajl_alloc_funcs memory = {
        .malloc = reader_malloc,
        .realloc = reader_realloc,
        .free = reader_free,
        .ctx = reader->arena,
    };
    reader->handle = yajl_alloc(&reader_callbacks, &memory, reader);
    CHECK(reader->handle != NULL);
    yajl_config(reader->handle, yajl_dont_validate_strings, 1);

    const unsigned char *bytes = (const unsigned char *)reader->text.ptr;
    yajl_status status = yajl_parse(reader->handle, bytes, reader->text.len);
    reader->is_at_end = true;
    if (status == yajl_status_ok) {
        status = yajl_complete_parse(reader->handle);
    }
    yajl_free(reader->handle);
    if (status == yajl_status_client_canceled) {
        return reader->rc;
    }
    if (status != yajl_status_ok || reader->root == NULL || reader_has_rest(reader)) {
        return RC_BAD_INPUT;
    }
    *out = reader->root;
    return RC_OK;
}

enum rc json_parse(struct arena *arena, struct slice text, struct json **out)
{
    if (text.len == 0 || !slice_is_utf8(text)) {
        return RC_BAD_INPUT;
    }
    struct reader reader = {.arena = arena, .text = text, .levels = JSON_DEPTH_MAX};
    return reader_run(&reader, out);
}

enum rc json_parse_outline(struct arena *arena, struct slice text, size_t levels, struct json **out)
{
    CHECK(levels > 0 && levels <= JSON_DEPTH_MAX);
    if (text.len == 0) {
        return RC_BAD_INPUT;
    }
    struct reader reader = {.arena = arena, .text = text, .levels = levels, .is_outline = true};
    return reader_run(&reader, out);
}
