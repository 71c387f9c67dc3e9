#include "codecs/pack.h"
#include "runtime/base/check.h"

#include <msgpack/pack.h>

static int pack_write(void *data, const char *bytes, size_t len)
{
    buf_put(data, slice_make(bytes, len));
    return 0;
}

static msgpack_packer packer_on(struct buf *buf)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, buf, pack_write);
    return packer;
}

void pack_put_array(struct buf *buf, size_t count)
{
    msgpack_packer packer = packer_on(buf);
    msgpack_pack_array(&packer, count);
}

void pack_put_map(struct buf *buf, size_t count)
{
    msgpack_packer packer = packer_on(buf);
    msgpack_pack_map(&packer, count);
}

void pack_put_text(struct buf *buf, struct slice text)
{
    msgpack_packer packer = packer_on(buf);
    CHECK(text.len <= UINT32_MAX);
    msgpack_pack_str(&packer, text.len);
    buf_put(buf, text);
}

void pack_put_bytes(struct buf *buf, struct slice bytes)
{
    msgpack_packer packer = packer_on(buf);
    CHECK(bytes.len <= UINT32_MAX);
    msgpack_pack_bin(&packer, bytes.len);
    buf_put(buf, bytes);
}

void pack_put_int(struct buf *buf, int64_t number)
{
    msgpack_packer packer = packer_on(buf);
    msgpack_pack_int64(&packer, number);
}

void pack_put_flag(struct buf *buf, bool flag)
{
    msgpack_packer packer = packer_on(buf);
    if (flag) {
        msgpack_pack_true(&packer);
    } else {
        msgpack_pack_false(&packer);
    }
}

void pack_put_nil(struct buf *buf)
{
    msgpack_packer packer = packer_on(buf);
    msgpack_pack_nil(&packer);
}

void pack_put_fixed(struct buf *buf, uint32_t number)
{
    msgpack_packer packer = packer_on(buf);
    msgpack_pack_fix_uint32(&packer, number);
}
