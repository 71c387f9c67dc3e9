#include "db/secrets.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/random.h>

#include <stdlib.h>
#include <string.h>

enum {
    KEY_BYTES = 32,
    NONCE_BYTES = 12,
    TAG_BYTES = 16,
    HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES,
    VERSION = 1,
    /* one call of the generator gives at most this (RNG_MAX_BLOCK_LEN) */
    RANDOM_BYTES_MAX = 0x10000
};

/* Another purpose for the same unique_secret_key takes another text. */
static const char key_purpose[] = "gitterd sealed rows 1";
static const char stand_in_purpose[] = "gitterd stand-ins 1";

struct secrets {
    WC_RNG rng;
    unsigned char key[KEY_BYTES];
    unsigned char stand_in_key[KEY_BYTES];
};

static const unsigned char *slice_bytes(struct slice text)
{
    /* wolfCrypt refuses NULL even when the length is 0 */
    return (const unsigned char *)(text.ptr == NULL ? "" : text.ptr);
}

static int derive(struct slice key, struct slice purpose, unsigned char *out)
{
    return wc_HKDF(WC_SHA256, slice_bytes(key), (word32)key.len, NULL, 0, slice_bytes(purpose),
                   (word32)purpose.len, out, KEY_BYTES);
}

enum rc secrets_open(struct slice key, struct secrets **secrets)
{
    struct secrets *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return RC_FULL;
    }
    if (wc_InitRng(&made->rng) != 0) {
        free(made);
        return RC_IO;
    }
    int code = derive(key, slice_from_cstr(key_purpose), made->key);
    if (code == 0) {
        code = derive(key, slice_from_cstr(stand_in_purpose), made->stand_in_key);
    }
    if (code != 0) {
        secrets_close(made);
        return code == MEMORY_E ? RC_FULL : RC_BAD_INPUT;
    }
    *secrets = made;
    return RC_OK;
}

void secrets_close(struct secrets *secrets)
{
    if (secrets == NULL) {
        return;
    }
    (void)wc_FreeRng(&secrets->rng);
    explicit_bzero(secrets, sizeof *secrets);
    free(secrets);
}

/* One block of it for each 32 bytes: HMAC of the block's number and the text. */
static void stand_in_block(const struct secrets *secrets,
                           uint32_t number,
                           struct slice text,
                           unsigned char *out)
{
    const unsigned char head[] = {(unsigned char)(number >> 8U), (unsigned char)number};
    Hmac hmac;
    CHECK(wc_HmacInit(&hmac, NULL, INVALID_DEVID) == 0);
    CHECK(wc_HmacSetKey(&hmac, WC_SHA256, secrets->stand_in_key, KEY_BYTES) == 0);
    CHECK(wc_HmacUpdate(&hmac, head, sizeof head) == 0);
    CHECK(wc_HmacUpdate(&hmac, slice_bytes(text), (word32)text.len) == 0);
    CHECK(wc_HmacFinal(&hmac, out) == 0);
    wc_HmacFree(&hmac);
}

struct slice secrets_stand_in(struct secrets *secrets, struct arena *arena, struct slice text)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char block[WC_SHA256_DIGEST_SIZE];
    char *out = arena_alloc(arena, text.len);
    for (size_t i = 0; i < text.len; i++) {
        const size_t at = i / 2 % sizeof block;
        if (i % (2 * sizeof block) == 0) {
            stand_in_block(secrets, (uint32_t)(i / (2 * sizeof block)), text, block);
        }
        out[i] = digits[i % 2 == 0 ? block[at] >> 4U : block[at] & 0x0fU];
    }
    return slice_make(out, text.len);
}

struct slice secrets_owner(struct arena *arena, const char *table, struct slice key)
{
    struct buf owner;
    buf_init(&owner, arena);
    buf_put(&owner, slice_from_cstr(table));
    buf_put_byte(&owner, '\0');
    buf_put(&owner, key);
    return buf_slice(&owner);
}

static void aes_open(const struct secrets *secrets, Aes *aes)
{
    int code = wc_AesInit(aes, NULL, INVALID_DEVID);
    CHECK(code == 0);
    code = wc_AesGcmSetKey(aes, secrets->key, KEY_BYTES);
    CHECK(code == 0);
}

static void aes_close(Aes *aes)
{
    wc_AesFree(aes);
    explicit_bzero(aes, sizeof *aes);
}

enum rc secrets_seal(struct secrets *secrets,
                     struct slice owner,
                     struct slice plain,
                     struct arena *arena,
                     struct slice *sealed)
{
    unsigned char *out = arena_alloc(arena, HEAD_BYTES + plain.len);
    unsigned char *nonce = out + 1;
    unsigned char *tag = nonce + NONCE_BYTES;
    out[0] = VERSION;
    const enum rc rc = secrets_random(secrets, nonce, NONCE_BYTES);
    if (rc != RC_OK) {
        return rc;
    }
    Aes aes;
    aes_open(secrets, &aes);
    const int code =
        wc_AesGcmEncrypt(&aes, out + HEAD_BYTES, slice_bytes(plain), (word32)plain.len, nonce,
                         NONCE_BYTES, tag, TAG_BYTES, slice_bytes(owner), (word32)owner.len);
    aes_close(&aes);
    CHECK(code == 0);
    *sealed = slice_make(out, HEAD_BYTES + plain.len);
    return RC_OK;
}

enum rc secrets_unseal(struct secrets *secrets,
                       struct slice owner,
                       struct slice sealed,
                       struct arena *arena,
                       struct slice *plain)
{
    const unsigned char *in = slice_bytes(sealed);
    if (sealed.len < HEAD_BYTES || in[0] != VERSION) {
        return RC_CORRUPT;
    }
    const size_t len = sealed.len - HEAD_BYTES;
    unsigned char *out = arena_alloc(arena, len + 1);
    Aes aes;
    aes_open(secrets, &aes);
    const int code =
        wc_AesGcmDecrypt(&aes, out, in + HEAD_BYTES, (word32)len, in + 1, NONCE_BYTES,
                         in + 1 + NONCE_BYTES, TAG_BYTES, slice_bytes(owner), (word32)owner.len);
    aes_close(&aes);
    if (code != 0) {
        explicit_bzero(out, len);
        return RC_CORRUPT;
    }
    *plain = slice_make(out, len);
    return RC_OK;
}

enum rc secrets_random(struct secrets *secrets, void *out, size_t len)
{
    unsigned char *at = out;
    while (len > 0) {
        const word32 part = (word32)(len < RANDOM_BYTES_MAX ? len : RANDOM_BYTES_MAX);
        if (wc_RNG_GenerateBlock(&secrets->rng, at, part) != 0) {
            return RC_IO;
        }
        at += part;
        len -= part;
    }
    return RC_OK;
}
