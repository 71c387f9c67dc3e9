#include "codecs/json.h"

const struct json *json_get(const struct json *object, struct slice name)
{
    const struct json *found = NULL;
    if (!json_is_object(object)) {
        return NULL;
    }
    for (const struct json *member = object->first; member != NULL; member = member->next) {
        if (slice_equal(member->key, name)) {
            found = member;
        }
    }
    return found;
}

const struct json *json_get2(const struct json *object, struct slice outer, struct slice inner)
{
    return json_get(json_get(object, outer), inner);
}

const struct json *json_first(const struct json *container)
{
    return container == NULL ? NULL : container->first;
}

size_t json_count(const struct json *container)
{
    return container == NULL ? 0 : container->count;
}

bool json_is_text(const struct json *node)
{
    return node != NULL && node->type == JSON_TEXT;
}

bool json_is_object(const struct json *node)
{
    return node != NULL && node->type == JSON_OBJECT;
}

bool json_is_array(const struct json *node)
{
    return node != NULL && node->type == JSON_ARRAY;
}

bool json_is_int(const struct json *node)
{
    return node != NULL && node->type == JSON_INT;
}

bool json_is_true(const struct json *node)
{
    return json_bool(node, false);
}

struct slice json_text(const struct json *node)
{
    return json_is_text(node) ? node->text : SLICE_EMPTY;
}

int64_t json_int(const struct json *node, int64_t fallback)
{
    return json_is_int(node) ? node->num : fallback;
}

bool json_bool(const struct json *node, bool fallback)
{
    return node != NULL && node->type == JSON_BOOL ? node->flag : fallback;
}

struct slice json_raw(const struct json *node)
{
    return node == NULL ? SLICE_EMPTY : node->raw;
}

struct slice json_get_text(const struct json *object, struct slice name)
{
    return json_text(json_get(object, name));
}

int64_t json_get_int(const struct json *object, struct slice name, int64_t fallback)
{
    return json_int(json_get(object, name), fallback);
}

bool json_get_bool(const struct json *object, struct slice name, bool fallback)
{
    return json_bool(json_get(object, name), fallback);
}
