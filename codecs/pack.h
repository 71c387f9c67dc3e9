/* codecs/pack.h: msgpack, value by value.
 *
 * msgpack-c's own unpacker allocates what the counts in the bytes promise before it looks whether
 * they are there, so damaged bytes could ask for gigabytes; this reader allocates nothing and only
 * borrows.
 *
 * Memory: texts point into the given bytes.
 * Errors: RC_CORRUPT when the bytes end too early or are not of the form asked for; *bytes is then
 *         anywhere.
 */
#ifndef GITTERD_CODECS_PACK_H
#define GITTERD_CODECS_PACK_H

#include "runtime/base/buf.h"

enum pack_kind {
    PACK_OTHER, /* float, extension: known, of no use to us */
    PACK_NIL,
    PACK_NUM,
    PACK_FLAG,
    PACK_TEXT,
    PACK_BYTES,
    PACK_ARRAY,
    PACK_MAP,
};

struct pack_value {
    enum pack_kind kind;
    int64_t num;       /* PACK_NUM; PACK_FLAG */
    bool is_too_large; /* a number above INT64_MAX */
    struct slice text; /* PACK_TEXT */
    uint64_t count;    /* PACK_ARRAY, PACK_MAP: members, pairs */
};

/* Takes one value off the front. Of a container that is its head alone: its members follow. */
NODISCARD enum rc pack_take(struct slice *bytes, struct pack_value *out);
/* Passes over the members of a container whose head was taken. */
NODISCARD enum rc pack_skip_members(struct slice *bytes, const struct pack_value *container);
/* Passes over one value, members and all. */
NODISCARD enum rc pack_skip(struct slice *bytes);

/* One value of that kind. Nil is taken for an empty text. */
NODISCARD enum rc pack_take_text(struct slice *bytes, struct slice *out);
NODISCARD enum rc pack_take_int(struct slice *bytes, int64_t *out);
/* The head of an array. */
NODISCARD enum rc pack_take_array(struct slice *bytes, uint64_t *count);
/* One value whole, as bytes. */
NODISCARD enum rc pack_take_whole(struct slice *bytes, struct slice *out);

/* One value as JSON, bytes as hex digits. RC_TOO_BIG: nested deeper than what we write. */
struct json_writer;
NODISCARD enum rc pack_put_json(struct json_writer *writer, struct slice bytes);

/* Writing, at the end of a buffer. */
void pack_put_array(struct buf *buf, size_t count);
void pack_put_map(struct buf *buf, size_t count);
void pack_put_text(struct buf *buf, struct slice text);
void pack_put_bytes(struct buf *buf, struct slice bytes);
void pack_put_int(struct buf *buf, int64_t number);
void pack_put_flag(struct buf *buf, bool flag);
void pack_put_nil(struct buf *buf);
/* In five bytes whatever the number is, so that it can be put in place later. */
void pack_put_fixed(struct buf *buf, uint32_t number);

#endif
