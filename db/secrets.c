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

struct secrets {
    WC_RNG rng;
    unsigned char key[KEY_BYTES];
};

static const unsigned char *slice_bytes(struct slice text)
{
    /* wolfCrypt refuses NULL even when the length is 0 */
    return (const unsigned char *)(text.ptr == NULL ? "" : text.ptr);
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
    const int code = wc_HKDF(WC_SHA256, slice_bytes(key), (word32)key.len, NULL, 0,
                             (const unsigned char *)key_purpose, sizeof key_purpose - 1, made->key,
                             sizeof made->key);
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
