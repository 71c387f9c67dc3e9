#include "codecs/json.h"
#include "codecs/pack.h"

enum {
    DEPTH_MAX = 16
};

/* Containers that are open: how many values are left in each, and whether names alternate. */
struct open_container {
    uint64_t left;
    bool is_map;
};

static void put_hex(struct json_writer *writer, struct slice bytes)
{
    struct buf hex;
    buf_init(&hex, writer->buf.arena);
    for (size_t i = 0; i < bytes.len; i++) {
        buf_printf(&hex, "%02x", (unsigned)(unsigned char)bytes.ptr[i]);
    }
    json_put_text(writer, buf_slice(&hex));
}

static void put_scalar(struct json_writer *writer, const struct pack_value *value)
{
    if (value->kind == PACK_NUM) {
        json_put_int(writer, value->num);
    } else if (value->kind == PACK_FLAG) {
        json_put_bool(writer, value->num != 0);
    } else if (value->kind == PACK_TEXT) {
        json_put_text(writer, value->text);
    } else if (value->kind == PACK_BYTES) {
        put_hex(writer, value->text);
    } else {
        json_put_null(writer);
    }
}

static void close_full(struct json_writer *writer, struct open_container *open, size_t *depth)
{
    while (*depth > 0 && open[*depth - 1].left == 0) {
        if (open[*depth - 1].is_map) {
            json_close_object(writer);
        } else {
            json_close_array(writer);
        }
        (*depth)--;
    }
}

static enum rc open_one(struct json_writer *writer,
                        const struct pack_value *value,
                        struct open_container *open,
                        size_t *depth)
{
    if (*depth == DEPTH_MAX) {
        return RC_TOO_BIG;
    }
    const bool is_map = value->kind == PACK_MAP;
    if (is_map) {
        json_open_object(writer);
    } else {
        json_open_array(writer);
    }
    open[(*depth)++] = (struct open_container){value->count * (is_map ? 2 : 1), is_map};
    return RC_OK;
}

enum rc pack_put_json(struct json_writer *writer, struct slice bytes)
{
    struct open_container open[DEPTH_MAX];
    size_t depth = 0;
    do {
        struct pack_value value;
        enum rc rc = pack_take(&bytes, &value);
        struct open_container *inner = depth == 0 ? NULL : &open[depth - 1];
        const bool is_name = inner != NULL && inner->is_map && inner->left % 2 == 0;
        if (inner != NULL) {
            inner->left--;
        }
        if (rc == RC_OK && is_name) {
            json_put_key(writer, value.text);
        } else if (rc == RC_OK && (value.kind == PACK_ARRAY || value.kind == PACK_MAP)) {
            rc = open_one(writer, &value, open, &depth);
        } else if (rc == RC_OK) {
            put_scalar(writer, &value);
        }
        if (rc != RC_OK) {
            return rc;
        }
        close_full(writer, open, &depth);
    } while (depth > 0);
    return RC_OK;
}
