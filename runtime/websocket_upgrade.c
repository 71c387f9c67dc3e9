#include "runtime/websocket_upgrade.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/base/limits.h"

#include <http_parser.h>
#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/hash.h>

#include <stdlib.h>
#include <sys/random.h>

enum {
    UPGRADE_NONCE_BYTES = 16,
    UPGRADE_SHA1_BYTES = 20,
    UPGRADE_BASE64_BYTES_MAX = 32, /* 28 of a SHA-1, 24 of the nonce, and a NUL */
    UPGRADE_ARENA_BYTES = 1024,
    UPGRADE_FIRST_BYTES = 2048,
    UPGRADE_STATUS_SWITCHING = 101,
};

/* What of the answer's header we look at. */
enum upgrade_field {
    FIELD_OTHER,
    FIELD_UPGRADE,
    FIELD_CONNECTION,
    FIELD_ACCEPT,
    FIELD_UNASKED, /* extensions and subprotocols: we offer none */
};

struct upgrade {
    struct arena *arena;
    struct slice request;
    struct slice accept; /* the value expected of Sec-WebSocket-Accept */
    char *bytes;         /* the answer so far, and what came behind it */
    size_t len;
    size_t cap;
    size_t head_len;
    struct slice detail;
    enum upgrade_field field;
    bool has_upgrade;
    bool has_connection;
    bool has_accept;
    bool has_unasked;
};

static struct slice upgrade_base64(struct arena *arena, const unsigned char *bytes, size_t len)
{
    unsigned char text[UPGRADE_BASE64_BYTES_MAX];
    word32 text_len = sizeof(text);
    CHECK(Base64_Encode_NoNl(bytes, (word32)len, text, &text_len) == 0);
    return arena_copy(arena, slice_make(text, text_len));
}

/* RFC 6455 4.2.2: SHA-1 over the key and this fixed GUID. */
static struct slice upgrade_expect(struct arena *arena, struct slice key)
{
    unsigned char hash[UPGRADE_SHA1_BYTES];
    const struct slice text =
        arena_printf(arena, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", SLICE_ARGS(key));
    CHECK(wc_ShaHash((const unsigned char *)text.ptr, (word32)text.len, hash) == 0);
    return upgrade_base64(arena, hash, sizeof(hash));
}

struct upgrade *upgrade_open(struct slice target, struct slice host)
{
    unsigned char nonce[UPGRADE_NONCE_BYTES];
    struct upgrade *upgrade = calloc(1, sizeof(*upgrade));
    CHECK(upgrade != NULL);
    CHECK(getrandom(nonce, sizeof(nonce), 0) == (ssize_t)sizeof(nonce));
    upgrade->arena = arena_open(UPGRADE_ARENA_BYTES);
    const struct slice key = upgrade_base64(upgrade->arena, nonce, sizeof(nonce));
    upgrade->accept = upgrade_expect(upgrade->arena, key);
    /* Gitter reads any "Token/word" in the agent string as an access token: no version here */
    upgrade->request = arena_printf(upgrade->arena,
                                    "GET %.*s HTTP/1.1\r\n"
                                    "Host: %.*s\r\n"
                                    "User-Agent: gitterd\r\n"
                                    "Upgrade: websocket\r\n"
                                    "Connection: Upgrade\r\n"
                                    "Sec-WebSocket-Version: 13\r\n"
                                    "Sec-WebSocket-Key: %.*s\r\n\r\n",
                                    SLICE_ARGS(target), SLICE_ARGS(host), SLICE_ARGS(key));
    upgrade->cap = UPGRADE_FIRST_BYTES;
    upgrade->bytes = malloc(upgrade->cap);
    CHECK(upgrade->bytes != NULL);
    return upgrade;
}

void upgrade_close(struct upgrade *upgrade)
{
    if (upgrade == NULL) {
        return;
    }
    arena_close(upgrade->arena);
    free(upgrade->bytes);
    free(upgrade);
}

struct slice upgrade_request(const struct upgrade *upgrade)
{
    return upgrade->request;
}

struct slice upgrade_detail(const struct upgrade *upgrade)
{
    return upgrade->detail;
}

struct slice upgrade_rest(const struct upgrade *upgrade)
{
    return slice_make(upgrade->bytes + upgrade->head_len, upgrade->len - upgrade->head_len);
}

char *upgrade_space(struct upgrade *upgrade, size_t *len)
{
    if (upgrade->len == upgrade->cap) {
        upgrade->cap *= 2;
        upgrade->bytes = realloc(upgrade->bytes, upgrade->cap);
        CHECK(upgrade->bytes != NULL);
    }
    *len = upgrade->cap - upgrade->len;
    return upgrade->bytes + upgrade->len;
}

static int upgrade_on_field(http_parser *parser, const char *at, size_t len)
{
    static const struct {
        struct slice name;
        enum upgrade_field field;
    } fields[] = {
        {SLICE_INIT("upgrade"), FIELD_UPGRADE},
        {SLICE_INIT("connection"), FIELD_CONNECTION},
        {SLICE_INIT("sec-websocket-accept"), FIELD_ACCEPT},
        {SLICE_INIT("sec-websocket-extensions"), FIELD_UNASKED},
        {SLICE_INIT("sec-websocket-protocol"), FIELD_UNASKED},
    };
    struct upgrade *upgrade = parser->data;
    upgrade->field = FIELD_OTHER;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (slice_equal_fold(slice_make(at, len), fields[i].name)) {
            upgrade->field = fields[i].field;
        }
    }
    return 0;
}

static bool upgrade_list_has(struct slice list, struct slice word)
{
    bool has = false;
    while (list.ptr != NULL) {
        has |= slice_equal_fold(slice_trim(slice_cut(&list, ',')), word);
    }
    return has;
}

/* The whole head is parsed at once, so that each field and each value comes in one piece. */
static int upgrade_on_value(http_parser *parser, const char *at, size_t len)
{
    struct upgrade *upgrade = parser->data;
    const struct slice value = slice_trim(slice_make(at, len));
    switch (upgrade->field) {
    case FIELD_OTHER:
        break;
    case FIELD_UPGRADE:
        upgrade->has_upgrade |= slice_equal_fold(value, SLICE("websocket"));
        break;
    case FIELD_CONNECTION:
        upgrade->has_connection |= upgrade_list_has(value, SLICE("upgrade"));
        break;
    case FIELD_ACCEPT:
        upgrade->has_accept |= slice_equal(value, upgrade->accept);
        break;
    case FIELD_UNASKED:
        upgrade->has_unasked |= value.len > 0;
        break;
    }
    return 0;
}

static enum rc upgrade_fail(struct upgrade *upgrade, enum rc rc, struct slice detail)
{
    upgrade->detail = detail;
    return rc;
}

static enum rc upgrade_judge(struct upgrade *upgrade, unsigned int status)
{
    if (status != UPGRADE_STATUS_SWITCHING) {
        return upgrade_fail(upgrade, RC_REFUSED, arena_printf(upgrade->arena, "HTTP %u", status));
    }
    if (!upgrade->has_upgrade || !upgrade->has_connection) {
        return upgrade_fail(upgrade, RC_BAD_INPUT, SLICE("upgraded to something else"));
    }
    if (!upgrade->has_accept) {
        return upgrade_fail(upgrade, RC_BAD_INPUT, SLICE("wrong Sec-WebSocket-Accept"));
    }
    if (upgrade->has_unasked) {
        return upgrade_fail(upgrade, RC_BAD_INPUT, SLICE("an extension nobody asked for"));
    }
    return RC_OK;
}

static enum rc upgrade_parse(struct upgrade *upgrade)
{
    http_parser parser;
    http_parser_settings settings;
    http_parser_init(&parser, HTTP_RESPONSE);
    http_parser_settings_init(&settings);
    settings.on_header_field = upgrade_on_field;
    settings.on_header_value = upgrade_on_value;
    parser.data = upgrade;
    (void)http_parser_execute(&parser, &settings, upgrade->bytes, upgrade->head_len);
    if (HTTP_PARSER_ERRNO(&parser) != HPE_OK) {
        return upgrade_fail(upgrade, RC_BAD_INPUT,
                            slice_from_cstr(http_errno_description(HTTP_PARSER_ERRNO(&parser))));
    }
    return upgrade_judge(upgrade, parser.status_code);
}

enum rc upgrade_read(struct upgrade *upgrade, size_t len)
{
    CHECK(len <= upgrade->cap - upgrade->len);
    upgrade->len += len;
    const struct slice all = slice_make(upgrade->bytes, upgrade->len);
    const size_t end = slice_find(all, SLICE("\r\n\r\n"));
    if (end < all.len) {
        upgrade->head_len = end + SLICE("\r\n\r\n").len;
        return upgrade_parse(upgrade);
    }
    if (upgrade->len >= LINK_UPGRADE_BYTES_MAX) {
        return upgrade_fail(upgrade, RC_TOO_BIG, SLICE("endless answer to the upgrade"));
    }
    return RC_AGAIN;
}
