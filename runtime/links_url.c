#include "runtime/links_url.h"

#include "runtime/base/arena.h"
#include "runtime/base/check.h"

#include <curl/curl.h>

#include <stdlib.h>
#include <string.h>

enum {
    LINKS_URL_ARENA_BYTES = 1024
};

/* libcurl's parser without WebSocket knows neither ws nor wss, nor their ports. */
static struct slice url_to_http(struct arena *arena, struct slice url)
{
    static const struct slice schemes[][2] = {
        {SLICE_INIT("ws://"), SLICE_INIT("http://")},
        {SLICE_INIT("wss://"), SLICE_INIT("https://")},
        {SLICE_INIT("http://"), SLICE_INIT("http://")},
        {SLICE_INIT("https://"), SLICE_INIT("https://")},
    };
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        const struct slice scheme = schemes[i][0];
        if (slice_equal_fold(slice_first(url, scheme.len), scheme)) {
            return arena_printf(arena, "%.*s%.*s", SLICE_ARGS(schemes[i][1]),
                                SLICE_ARGS(slice_from(url, scheme.len)));
        }
    }
    return SLICE_EMPTY;
}

static char *copy_cstr(const char *text)
{
    char *copy = strdup(text);
    CHECK(copy != NULL);
    return copy;
}

/* A part of the URL in the arena; NULL if it has none. */
static const char *url_part(struct arena *arena, CURLU *handle, CURLUPart part, unsigned int flags)
{
    char *text = NULL;
    if (curl_url_get(handle, part, &text, flags) != CURLUE_OK) {
        return NULL;
    }
    const char *copy = arena_cstr(arena, slice_from_cstr(text));
    curl_free(text);
    return copy;
}

static enum rc url_split(struct arena *arena, CURLU *handle, struct links_url *out)
{
    const char *host = url_part(arena, handle, CURLUPART_HOST, 0);
    const char *port = url_part(arena, handle, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    const char *path = url_part(arena, handle, CURLUPART_PATH, 0);
    const char *query = url_part(arena, handle, CURLUPART_QUERY, 0);
    const char *base = url_part(arena, handle, CURLUPART_URL, 0);
    if (host == NULL || path == NULL || base == NULL ||
        url_part(arena, handle, CURLUPART_USER, 0) != NULL) {
        return RC_BAD_INPUT;
    }
    out->base = copy_cstr(base);
    out->host = copy_cstr(
        arena_printf(arena, "%s%s%s", host, port == NULL ? "" : ":", port == NULL ? "" : port).ptr);
    out->target = copy_cstr(
        arena_printf(arena, "%s%s%s", path, query == NULL ? "" : "?", query == NULL ? "" : query)
            .ptr);
    return RC_OK;
}

enum rc links_url_parse(struct slice url, struct links_url *out)
{
    struct arena *arena = arena_open(LINKS_URL_ARENA_BYTES);
    const struct slice http = url_to_http(arena, url);
    enum rc rc = RC_BAD_INPUT;
    CURLU *handle = curl_url();
    CHECK(handle != NULL);
    if (http.len > 0 && slice_find_byte(http, '\0') == http.len &&
        curl_url_set(handle, CURLUPART_URL, http.ptr, 0) == CURLUE_OK) {
        rc = url_split(arena, handle, out);
    }
    curl_url_cleanup(handle);
    arena_close(arena);
    return rc;
}

void links_url_clear(struct links_url *url)
{
    free(url->base);
    free(url->host);
    free(url->target);
    *url = (struct links_url){0};
}
