#include "codecs/ghostid.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/base/limits.h"

enum {
    DOMAIN_BYTES_MAX = 200,
    HASH_DIGITS = 32,
};

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* One byte of a Gitter id in its escaped form. */
static void put_escaped(struct buf *buf, char c)
{
    if (is_lower_or_digit(c) || c == '.' || c == '-') {
        buf_put_byte(buf, c);
    } else if (c >= 'A' && c <= 'Z') {
        buf_put_byte(buf, '_');
        buf_put_byte(buf, (char)(c | 0x20));
    } else if (c == '_') {
        BUF_PUT(buf, "__");
    } else {
        buf_printf(buf, "=%02x", (unsigned int)(unsigned char)c);
    }
}

static struct slice escape(struct arena *arena, struct slice id)
{
    struct buf buf;
    buf_init(&buf, arena);
    for (size_t i = 0; i < id.len; i++) {
        put_escaped(&buf, id.ptr[i]);
    }
    return buf_slice(&buf);
}

/* FNV-1a of 128 bits; the offset basis and the prime 2^88 + 0x13b are those of its authors. */
static void hash_id(struct slice id, uint64_t *high, uint64_t *low)
{
    __extension__ unsigned __int128 hash = 0x6c62272e07bb0142U;
    __extension__ const unsigned __int128 prime = ((unsigned __int128)1 << 88U) + 0x13bU;
    hash = hash << 64U | 0x62b821756295c58dU;
    for (size_t i = 0; i < id.len; i++) {
        hash = (hash ^ (unsigned char)id.ptr[i]) * prime;
    }
    *high = (uint64_t)(hash >> 64U);
    *low = (uint64_t)hash;
}

/* Length of the escape (or plain character) at the start of escaped text of our own. */
static size_t escape_length(char first)
{
    return first == '=' ? 3 : first == '_' ? 2 : 1;
}

static size_t escapes_that_fit(struct slice escaped, size_t room)
{
    size_t len = 0;
    while (len < escaped.len && len + escape_length(escaped.ptr[len]) <= room) {
        len += escape_length(escaped.ptr[len]);
    }
    return len;
}

struct slice ghostid_localpart(struct arena *arena, struct slice gitter_id, struct slice domain)
{
    CHECK(gitter_id.len > 0 && domain.len <= DOMAIN_BYTES_MAX);
    const size_t room = MATRIX_ID_BYTES_MAX - (sizeof "@:" - 1) - domain.len;
    const struct slice escaped = escape(arena, gitter_id);
    struct buf buf;
    buf_init(&buf, arena);
    BUF_PUT(&buf, GHOSTID_PREFIX);
    if (buf.len + escaped.len <= room) {
        buf_put(&buf, escaped);
        return buf_slice(&buf);
    }
    uint64_t high = 0;
    uint64_t low = 0;
    hash_id(gitter_id, &high, &low);
    const size_t suffix_len = (sizeof "=-" - 1) + HASH_DIGITS;
    buf_put(&buf, slice_first(escaped, escapes_that_fit(escaped, room - buf.len - suffix_len)));
    buf_printf(&buf, "=-%016llx%016llx", (unsigned long long)high, (unsigned long long)low);
    return buf_slice(&buf);
}

struct slice ghostid_mxid(struct arena *arena, struct slice gitter_id, struct slice domain)
{
    const struct slice localpart = ghostid_localpart(arena, gitter_id, domain);
    struct buf buf;
    buf_init(&buf, arena);
    buf_put_byte(&buf, '@');
    buf_put(&buf, localpart);
    buf_put_byte(&buf, ':');
    buf_put(&buf, domain);
    return buf_slice(&buf);
}

/* Cuts the prefix and the domain off a ghost's id. */
static bool cut_escaped(struct slice mxid, struct slice domain, struct slice *escaped)
{
    struct slice localpart = SLICE_EMPTY;
    struct slice server = SLICE_EMPTY;
    if (mxid_split(mxid, &localpart, &server) != RC_OK || !slice_equal(server, domain) ||
        !slice_starts_with(localpart, SLICE(GHOSTID_PREFIX))) {
        return false;
    }
    *escaped = slice_from(localpart, sizeof GHOSTID_PREFIX - 1);
    return true;
}

bool ghostid_is_ghost(struct slice mxid, struct slice domain)
{
    struct slice escaped = SLICE_EMPTY;
    return cut_escaped(mxid, domain, &escaped);
}

static bool is_cut_form(struct slice escaped)
{
    if (escaped.len < HASH_DIGITS + 2) {
        return false;
    }
    const struct slice suffix = slice_from(escaped, escaped.len - HASH_DIGITS - 2);
    for (size_t i = 2; i < suffix.len; i++) {
        if (slice_hex_value(suffix.ptr[i]) > 15) {
            return false;
        }
    }
    return slice_starts_with(suffix, SLICE("=-"));
}

/* Undoes whatever might be an escape; whether it was one is seen by escaping the result again. */
static struct slice unescape(struct arena *arena, struct slice escaped)
{
    struct buf buf;
    buf_init(&buf, arena);
    for (size_t i = 0; i < escaped.len; i++) {
        const char c = escaped.ptr[i];
        const size_t left = escaped.len - i;
        if (c == '_' && left > 1) {
            const char next = escaped.ptr[i + 1];
            buf_put_byte(&buf, next >= 'a' && next <= 'z' ? (char)(next - 0x20) : next);
            i++;
        } else if (c == '=' && left > 2) {
            const unsigned int high = slice_hex_value(escaped.ptr[i + 1]) & 15U;
            const unsigned int low = slice_hex_value(escaped.ptr[i + 2]) & 15U;
            buf_put_byte(&buf, (char)(high << 4U | low));
            i += 2;
        } else {
            buf_put_byte(&buf, c);
        }
    }
    return buf_slice(&buf);
}

enum rc
ghostid_parse(struct arena *arena, struct slice mxid, struct slice domain, struct slice *gitter_id)
{
    struct slice escaped = SLICE_EMPTY;
    if (!cut_escaped(mxid, domain, &escaped) || escaped.len == 0) {
        return RC_BAD_INPUT;
    }
    if (is_cut_form(escaped)) {
        return RC_ABSENT;
    }
    const struct slice id = unescape(arena, escaped);
    if (!slice_equal(escape(arena, id), escaped) || !slice_is_utf8(id)) {
        return RC_BAD_INPUT;
    }
    *gitter_id = id;
    return RC_OK;
}

enum rc mxid_split(struct slice mxid, struct slice *localpart, struct slice *domain)
{
    const size_t colon = slice_find_byte(mxid, ':');
    if (mxid.len > MATRIX_ID_BYTES_MAX || !slice_starts_with(mxid, SLICE("@")) ||
        colon + 1 >= mxid.len) {
        return RC_BAD_INPUT;
    }
    *localpart = slice_from(slice_first(mxid, colon), 1);
    *domain = slice_from(mxid, colon + 1);
    return RC_OK;
}

bool mxid_is_valid_localpart(struct slice localpart)
{
    for (size_t i = 0; i < localpart.len; i++) {
        const char c = localpart.ptr[i];
        if (!is_lower_or_digit(c) && slice_find_byte(SLICE("._=-/+"), c) == sizeof "._=-/+" - 1) {
            return false;
        }
    }
    return localpart.len > 0;
}

bool mxid_is_valid_domain(struct slice domain)
{
    for (size_t i = 0; i < domain.len; i++) {
        const char c = domain.ptr[i];
        const bool is_upper = c >= 'A' && c <= 'Z';
        if (!is_lower_or_digit(c) && !is_upper &&
            slice_find_byte(SLICE(".-:[]"), c) == sizeof ".-:[]" - 1) {
            return false;
        }
    }
    return domain.len > 0;
}

bool mxid_is_valid(struct slice mxid)
{
    struct slice localpart = SLICE_EMPTY;
    struct slice domain = SLICE_EMPTY;
    return mxid_split(mxid, &localpart, &domain) == RC_OK && mxid_is_valid_localpart(localpart) &&
           mxid_is_valid_domain(domain);
}
