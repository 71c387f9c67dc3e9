/* Reading the stored form of codecs/record.h. */
#include "codecs/pack.h"
#include "codecs/record.h"

#include <string.h>

static const struct field *find_field(const struct record_type *type, struct slice name)
{
    for (size_t i = 0; i < type->fields_count; i++) {
        if (slice_equal_cstr(name, type->fields[i].name)) {
            return &type->fields[i];
        }
    }
    return NULL;
}

static enum rc set_field(const struct field *field, const struct pack_value *value, void *out)
{
    void *place = (char *)out + field->offset;
    const bool flag = value->num != 0;
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_SECRET:
        if (value->kind != PACK_TEXT) {
            return RC_CORRUPT;
        }
        memcpy(place, &value->text, sizeof value->text);
        return RC_OK;
    case FIELD_NUM:
        if (value->kind != PACK_NUM || value->is_too_large) {
            return RC_CORRUPT;
        }
        memcpy(place, &value->num, sizeof value->num);
        return RC_OK;
    case FIELD_FLAG:
        if (value->kind != PACK_FLAG) {
            return RC_CORRUPT;
        }
        memcpy(place, &flag, sizeof flag);
        return RC_OK;
    }
    return RC_CORRUPT;
}

static enum rc take_pair(const struct record_type *type, struct slice *bytes, void *out)
{
    struct pack_value name;
    struct pack_value value;
    enum rc rc = pack_take(bytes, &name);
    if (rc != RC_OK || name.kind != PACK_TEXT) {
        return RC_CORRUPT;
    }
    rc = pack_take(bytes, &value);
    if (rc != RC_OK) {
        return rc;
    }
    const struct field *field = find_field(type, name.text);
    if (field != NULL) {
        return set_field(field, &value, out);
    }
    return value.kind == PACK_ARRAY || value.kind == PACK_MAP ? pack_skip_members(bytes, &value)
                                                              : RC_OK;
}

enum rc record_unpack(const struct record_type *type, struct slice bytes, void *out)
{
    if (bytes.len == 0) {
        return RC_OK;
    }
    struct pack_value map;
    enum rc rc = pack_take(&bytes, &map);
    if (rc != RC_OK || map.kind != PACK_MAP) {
        return RC_CORRUPT;
    }
    for (uint64_t i = 0; i < map.count; i++) {
        rc = take_pair(type, &bytes, out);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return bytes.len == 0 ? RC_OK : RC_CORRUPT;
}
