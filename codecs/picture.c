#include "codecs/picture.h"

#include <stddef.h>

struct slice picture_type(struct slice bytes)
{
    static const struct {
        struct slice first;
        struct slice type;
    } kinds[] = {
        {SLICE_INIT("\x89PNG\r\n\x1a\n"), SLICE_INIT("image/png")},
        {SLICE_INIT("\xff\xd8\xff"), SLICE_INIT("image/jpeg")},
        {SLICE_INIT("GIF87a"), SLICE_INIT("image/gif")},
        {SLICE_INIT("GIF89a"), SLICE_INIT("image/gif")},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (slice_starts_with(bytes, kinds[i].first)) {
            return kinds[i].type;
        }
    }
    const bool is_webp = slice_starts_with(bytes, SLICE("RIFF")) &&
                         slice_starts_with(slice_from(bytes, 8), SLICE("WEBP"));
    return is_webp ? SLICE("image/webp") : SLICE_EMPTY;
}

static bool is_uri_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':' || c == '[' || c == ']' || c == '/';
}

struct slice picture_content_uri(struct slice answer)
{
    const struct slice scheme = SLICE("\"mxc://");
    const size_t at = slice_find(answer, scheme);
    const struct slice uri = slice_from(answer, at + 1);
    size_t len = 0;
    if (at >= answer.len) {
        return SLICE_EMPTY;
    }
    while (len < uri.len && is_uri_byte(uri.ptr[len])) {
        len++;
    }
    const struct slice place = slice_from(slice_first(uri, len), scheme.len - 1);
    const size_t slash = slice_find_byte(place, '/');
    const bool is_whole =
        len < uri.len && uri.ptr[len] == '"' && slash > 0 && slash + 1 < place.len;
    return is_whole ? slice_first(uri, len) : SLICE_EMPTY;
}
