#include "runtime/daemon/journal_veil.h"

#include "actors/messages.h"
#include "codecs/journal.h"
#include "codecs/matrix.h"
#include "codecs/picture.h"
#include "codecs/url.h"
#include "db/secrets.h"
#include "runtime/base/buf.h"

#include <string.h>

static struct slice veil_secret(void *context, struct arena *arena, struct slice secret)
{
    return secrets_stand_in(context, arena, secret);
}

/* Texts: "auth_gitter/<handle>.<secret>", with slash and dot in the clear, escaped or
 * percent-encoded, and "..._token": "<secret>", as JSON or as a form. */

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_token_char(char c)
{
    return is_word(c) || (c != '\0' && strchr("-._~+/=%\\", c) != NULL);
}

static size_t pass_word(struct slice text, size_t at)
{
    while (at < text.len && is_word(text.ptr[at])) {
        at++;
    }
    return at;
}

static size_t pass_any(struct slice text, size_t at, const char *chars)
{
    while (at < text.len && text.ptr[at] != '\0' && strchr(chars, text.ptr[at]) != NULL) {
        at++;
    }
    return at;
}

static bool is_at(struct slice text, size_t at, struct slice what)
{
    return slice_equal_fold(slice_first(slice_from(text, at), what.len), what);
}

/* Where the secret of a login link begins; 0 if `at` is not behind "auth_gitter". */
static size_t find_state(struct slice text, size_t at)
{
    const size_t slash = pass_any(text, at, "\\/");
    const size_t handle = is_at(text, slash, SLICE("%2f")) ? slash + 3 : slash;
    const size_t dot = pass_word(text, handle);
    if (handle == at || dot == handle) {
        return 0;
    }
    return is_at(text, dot, SLICE(".")) ? dot + 1 : is_at(text, dot, SLICE("%2e")) ? dot + 3 : 0;
}

static size_t find_token(struct slice text, size_t at)
{
    const size_t colon = pass_any(text, at, "\\\" \t\r\n");
    const size_t value = pass_any(text, colon, ":=\\\" \t\r\n");
    return value > colon ? value : 0;
}

/* The secret whose mark has its '_' at that place; 0 if it is no mark. */
static size_t find_secret(struct slice text, size_t underscore, size_t *end)
{
    const struct slice before = slice_first(text, underscore);
    size_t start = 0;
    if (is_at(text, underscore, SLICE("_gitter")) && slice_ends_with(before, SLICE("auth"))) {
        start = find_state(text, underscore + 7);
        *end = pass_word(text, start);
    } else if (is_at(text, underscore, SLICE("_token"))) {
        start = find_token(text, underscore + 6);
        *end = start;
        while (*end < text.len && is_token_char(text.ptr[*end])) {
            (*end)++;
        }
    }
    return start > 0 && *end > start ? start : 0;
}

/* Pictures: how they begin, which tells what they are, how long they are and a hash. */

enum {
    PICTURE_HEAD_BYTES = 12,
    PICTURE_KEPT_BYTES = 64 /* the stand-in is no longer, and stands for itself */
};

static struct slice veil_picture(struct arena *arena, struct slice picture)
{
    if (picture.len <= PICTURE_KEPT_BYTES) {
        return picture;
    }
    struct buf out;
    buf_init(&out, arena);
    buf_put(&out, slice_first(picture, PICTURE_HEAD_BYTES));
    buf_printf(&out, ": %zu bytes, hash %08x", picture.len, journal_hash(0, picture));
    return buf_slice(&out);
}

static struct slice veil_text(void *context, struct arena *arena, struct slice text)
{
    if (picture_type(text).len > 0) {
        return veil_picture(arena, text);
    }
    struct slice out = text;
    char *copy = NULL;
    size_t at = 0;
    while ((at += slice_find_byte(slice_from(text, at), '_')) < text.len) {
        size_t end = 0;
        const size_t start = find_secret(text, at, &end);
        at++;
        if (start == 0) {
            continue;
        }
        if (copy == NULL) {
            copy = arena_alloc(arena, text.len);
            memcpy(copy, text.ptr, text.len);
            out = slice_make(copy, text.len);
        }
        const struct slice secret = slice_first(slice_from(text, start), end - start);
        memcpy(copy + start, secrets_stand_in(context, arena, secret).ptr, secret.len);
        at = end;
    }
    return out;
}

/* Web requests */

static struct slice blank(struct arena *arena, struct slice text)
{
    char *bytes = arena_alloc(arena, text.len);
    memset(bytes, 'x', text.len);
    return slice_make(bytes, text.len);
}

/* "<handle>.<secret>" */
static struct slice veil_state(void *context, struct arena *arena, struct slice state)
{
    const size_t dot = slice_find_byte(state, '.');
    const struct slice secret = slice_from(state, dot + 1);
    return arena_printf(arena, "%.*s%s%.*s", SLICE_ARGS(slice_first(state, dot)),
                        dot < state.len ? "." : "",
                        SLICE_ARGS(secrets_stand_in(context, arena, secret)));
}

static struct slice
veil_form_value(void *context, struct arena *arena, struct slice name, struct slice value)
{
    struct slice plain = SLICE_EMPTY;
    if (slice_equal(name, SLICE("error"))) {
        return value;
    }
    if (url_decode(arena, value, &plain) != RC_OK) {
        return SLICE("%");
    }
    if (slice_equal(name, SLICE("state"))) {
        return url_encode(arena, veil_state(context, arena, plain));
    }
    const bool is_secret = slice_equal(name, SLICE("code")) || slice_equal(name, SLICE("proof"));
    return is_secret ? secrets_stand_in(context, arena, plain) : blank(arena, value);
}

static bool is_known_field(struct slice name)
{
    return slice_equal(name, SLICE("state")) || slice_equal(name, SLICE("code")) ||
           slice_equal(name, SLICE("proof")) || slice_equal(name, SLICE("error"));
}

/* A query string, or the body of a form. */
static struct slice veil_form(void *context, struct arena *arena, struct slice form)
{
    struct buf out;
    buf_init(&out, arena);
    while (form.len > 0) {
        struct slice value = slice_cut(&form, '&');
        const bool has_value = slice_find_byte(value, '=') < value.len;
        const struct slice written = slice_cut(&value, '=');
        struct slice name = SLICE_EMPTY;
        const bool is_known = url_decode(arena, written, &name) == RC_OK && is_known_field(name);
        buf_put(&out, out.len > 0 ? SLICE("&") : SLICE(""));
        buf_put(&out, is_known ? name : blank(arena, written));
        buf_put(&out, has_value ? SLICE("=") : SLICE(""));
        buf_put(&out, veil_form_value(context, arena, name, value));
    }
    return buf_slice(&out);
}

/* Those of other programs on the same host are none of our business. */
static struct slice veil_cookies(void *context, struct arena *arena, struct slice cookies)
{
    struct buf out;
    buf_init(&out, arena);
    while (cookies.ptr != NULL) {
        struct slice value = slice_trim(slice_cut(&cookies, ';'));
        const struct slice name = slice_cut(&value, '=');
        if (slice_starts_with(name, SLICE("gitterd_")) ||
            slice_starts_with(name, SLICE("__Host-gitterd_"))) {
            buf_put(&out, out.len > 0 ? SLICE("; ") : SLICE(""));
            buf_put(&out, name);
            buf_put_byte(&out, '=');
            buf_put(&out, secrets_stand_in(context, arena, value));
        }
    }
    return buf_slice(&out);
}

static const void *veil_web(void *context, struct arena *arena, const struct msg_web *web)
{
    struct msg_web *out = ARENA_NEW(arena, struct msg_web);
    *out = *web;
    out->query = veil_form(context, arena, web->query);
    out->body = veil_form(context, arena, web->body);
    out->cookie = veil_cookies(context, arena, web->cookie);
    return out;
}

/* The body of the request has Gitter's code in it, and nobody reads it again. */
static const void *veil_exchange(struct arena *arena, const struct call_ended *ended)
{
    struct call_ended *out = ARENA_NEW(arena, struct call_ended);
    *out = *ended;
    out->request = blank(arena, ended->request);
    return out;
}

/* Whatever was fetched: it may be no picture. */
static const void *veil_fetched(struct arena *arena, const struct call_ended *ended)
{
    struct call_ended *out = ARENA_NEW(arena, struct call_ended);
    *out = *ended;
    out->body = veil_picture(arena, ended->body);
    return out;
}

/* What the bot was notified of: others' words are in other entries, if anywhere. */
static const void *veil_notifications(struct arena *arena, const struct call_ended *ended)
{
    struct call_ended *out = ARENA_NEW(arena, struct call_ended);
    *out = *ended;
    out->body = matrix_notifications_reduce(arena, ended->body);
    return out;
}

static const void *veil_input(void *context, struct arena *arena, const struct msg *msg)
{
    if (msg->kind == MSG_WEB_REQUEST) {
        return veil_web(context, arena, msg->body);
    }
    if (msg->kind == MSG_MUSTER_INVITES_ENDED) {
        return veil_notifications(arena, msg->body);
    }
    if (msg->kind == MSG_AVATAR_FETCH_ENDED) {
        return veil_fetched(arena, msg->body);
    }
    return msg->kind == MSG_LOGIN_TOKEN_ENDED ? veil_exchange(arena, msg->body) : msg->body;
}

struct journal_veil journal_veil(struct secrets *secrets)
{
    return (struct journal_veil){
        .input = veil_input, .secret = veil_secret, .text = veil_text, .context = secrets};
}
