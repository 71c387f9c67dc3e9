/* codecs/json.h: JSON read into a tree of values, and JSON written.
 *
 * Thread: any; one arena each.
 * Memory: the tree lives in the arena and borrows the text it was read from, which must live as
 *         long. The writer's text lives in its arena.
 * Errors: RC_BAD_INPUT if the text is no JSON, RC_TOO_BIG over JSON_DEPTH_MAX or JSON_NODES_MAX.
 *
 * Reading is strict about the grammar (RFC 8259: one value, nothing but white space behind it, no
 * comments, no byte order mark) and about UTF-8. Accessors are lenient: they take any node, NULL as
 * well, and give NULL, an empty text or the fallback where the value is of another type, so that a
 * chain of them over hostile input needs no test in between.
 */
#ifndef GITTERD_CODECS_JSON_H
#define GITTERD_CODECS_JSON_H

#include "runtime/base/buf.h"
#include "runtime/base/limits.h"

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,  /* a number without fraction and exponent that fits int64_t, kept exactly */
    JSON_REAL, /* any other number: only its `raw` text is kept, since no codec needs its value */
    JSON_TEXT,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* One value. Read it through the accessors below; iterate with json_first and `next`. */
struct json {
    enum json_type type;
    bool flag;          /* JSON_BOOL */
    int64_t num;        /* JSON_INT */
    struct slice text;  /* JSON_TEXT, unescaped; may contain NUL (from \u0000) */
    struct slice key;   /* in an object: the name of this member, unescaped */
    struct slice raw;   /* the bytes of this value in the input, quotes or braces included */
    struct json *first; /* JSON_ARRAY and JSON_OBJECT: members in the order of the source */
    struct json *last;
    struct json *next; /* the next member of the container this value is in */
    size_t count;      /* members, doubled keys counted twice */
};

/* Reads one value. A lone surrogate escape becomes U+FFFD in `text` and stays as it is in `raw`. */
NODISCARD enum rc json_parse(struct arena *arena, struct slice text, struct json **out);

/* Reads the outer `levels` levels only (1: the value itself; at most JSON_DEPTH_MAX). What lies
 * deeper is checked for syntax and may be nested to any depth; the innermost nodes have type and
 * `raw`, but no members. UTF-8 is not checked. So one bad event cannot spoil the transaction it
 * came in. */
NODISCARD enum rc
json_parse_outline(struct arena *arena, struct slice text, size_t levels, struct json **out);

/* The member of an object, NULL if there is none. Of members with the same name the last counts,
 * as in Python and JavaScript. The name may be given without escapes only. */
const struct json *json_get(const struct json *object, struct slice name);
/* json_get(json_get(object, outer), inner) */
const struct json *json_get2(const struct json *object, struct slice outer, struct slice inner);

/* First member of an array or object, NULL if it is empty or something else. */
const struct json *json_first(const struct json *container);
size_t json_count(const struct json *container);

bool json_is_text(const struct json *node);
bool json_is_object(const struct json *node);
bool json_is_array(const struct json *node);
bool json_is_int(const struct json *node);
bool json_is_true(const struct json *node);
/* The text; empty if it is something else. */
struct slice json_text(const struct json *node);
int64_t json_int(const struct json *node, int64_t fallback);
bool json_bool(const struct json *node, bool fallback);
/* The bytes of the value; empty for NULL. */
struct slice json_raw(const struct json *node);
/* json_text(json_get(object, name)), and the same for the others: what parsers need most. */
struct slice json_get_text(const struct json *object, struct slice name);
int64_t json_get_int(const struct json *object, struct slice name, int64_t fallback);
bool json_get_bool(const struct json *object, struct slice name, bool fallback);

/* A writer of compact JSON. It stands on buf directly and not on yajl_gen, because yajl_gen stops
 * at text that is not UTF-8 where we replace, and so every text would be walked through twice.
 * Misuse (a value without a key in an object, two keys in a row, unbalanced ends) is a CHECK.
 */
struct json_writer {
    struct buf buf;
    bool replace_nul; /* set it after init: U+0000 is written as U+FFFD, for PostgreSQL's sake */
    bool needs_comma;
    bool has_key;
    size_t depth;
    uint64_t objects; /* bit n: level n is an object; JSON_DEPTH_MAX levels */
};

void json_writer_init(struct json_writer *writer, struct arena *arena);
/* The whole text; a CHECK unless exactly one value was written and everything is closed. */
struct slice json_writer_end(struct json_writer *writer);

void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);
void json_put_key(struct json_writer *writer, struct slice key);
/* Each malformed UTF-8 sequence is written as U+FFFD: the output is always valid UTF-8. */
void json_put_text(struct json_writer *writer, struct slice text);
void json_put_int(struct json_writer *writer, int64_t num);
void json_put_bool(struct json_writer *writer, bool flag);
void json_put_null(struct json_writer *writer);
/* One value that is JSON already; not checked. */
void json_put_raw(struct json_writer *writer, struct slice raw);

/* Key and value in one. */
void json_put_member(struct json_writer *writer, struct slice key, struct slice text);
void json_put_member_int(struct json_writer *writer, struct slice key, int64_t num);
void json_put_member_bool(struct json_writer *writer, struct slice key, bool flag);

_Static_assert(JSON_DEPTH_MAX <= 64, "one bit of json_writer.objects for each level");

#endif
