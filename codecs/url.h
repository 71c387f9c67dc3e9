/* codecs/url.h: percent encoding, form and query strings, http URLs.
 *
 * Memory: results live in the arena; what has no arena argument borrows its input.
 * Errors: RC_BAD_INPUT for a bad escape, for text that is not UTF-8 after decoding, and for what
 *         is no URL; outputs are written only on RC_OK.
 */
#ifndef GITTERD_CODECS_URL_H
#define GITTERD_CODECS_URL_H

#include "runtime/base/buf.h"

/* Text as one path segment or one query value: everything but the unreserved characters of
 * RFC 3986 (A-Z a-z 0-9 - . _ ~) becomes %XX. The segments "." and ".." become %2E and %2E%2E,
 * since HTTP clients resolve them otherwise. */
struct slice url_encode(struct arena *arena, struct slice text);
void url_put_encoded(struct buf *buf, struct slice text);

/* Undoes percent encoding, once; '+' stays. %00 gives NUL. */
NODISCARD enum rc url_decode(struct arena *arena, struct slice text, struct slice *out);

/* Adds name=value, with '&' before it if the buf is not empty: a query string or the body of an
 * application/x-www-form-urlencoded request. */
void url_form_put(struct buf *buf, struct slice name, struct slice value);

/* The decoded value of the first field of that name ('+' is a space); RC_ABSENT if there is none.
 * A field without '=' has an empty value. *count, if not NULL, becomes the number of fields of that
 * name, so that a doubled one can be refused. A bad escape in another field does no harm. */
NODISCARD enum rc url_form_find(
    struct arena *arena, struct slice form, struct slice name, struct slice *value, size_t *count);

/* Cuts a request target at the first '?': path as it is, query without '?', empty if none. */
void url_cut_query(struct slice target, struct slice *path, struct slice *query);

struct url {
    bool is_https;
    struct slice host;  /* as written; an IPv6 address with its brackets */
    uint16_t port;      /* given or the scheme's default */
    bool has_port;      /* given */
    struct slice path;  /* "" or "/..." */
    struct slice query; /* behind '?', "" if none */
};

/* Splits an absolute http or https URL. User info, fragments, white space, control characters and
 * an empty host are RC_BAD_INPUT. */
NODISCARD enum rc url_split(struct slice text, struct url *out);

/* Base and path with exactly one slash between, whether or not the base ends and the path begins
 * with one. An empty path gives the base without slash at its end. */
struct slice url_join(struct arena *arena, struct slice base, struct slice path);

#endif
