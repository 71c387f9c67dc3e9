#include "runtime/tls.h"

#include "runtime/base/check.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

/* A handshake with ourselves takes three. */
#define HANDSHAKE_ROUNDS_MAX 16

struct tls_context {
    WOLFSSL_CTX *wolf;
};

struct tls {
    WOLFSSL *wolf;
    bool wants_write;
};

static enum rc load(WOLFSSL_CTX *wolf, const char *certificate_path, const char *key_path)
{
    if (wolfSSL_CTX_SetMinVersion(wolf, WOLFSSL_TLSV1_2) != WOLFSSL_SUCCESS) {
        return RC_IO;
    }
    if (wolfSSL_CTX_use_certificate_chain_file(wolf, certificate_path) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_use_PrivateKey_file(wolf, key_path, WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_check_private_key(wolf) != WOLFSSL_SUCCESS) {
        return RC_BAD_INPUT;
    }
    return RC_OK;
}

void tls_context_close(struct tls_context *context)
{
    if (context != NULL) {
        wolfSSL_CTX_free(context->wolf);
        (void)wolfSSL_Cleanup();
        free(context);
    }
}

struct tls *tls_open(struct tls_context *context, int fd)
{
    WOLFSSL *wolf = wolfSSL_new(context->wolf);
    struct tls *tls;

    if (wolf == NULL || wolfSSL_set_fd(wolf, fd) != WOLFSSL_SUCCESS) {
        wolfSSL_free(wolf);
        return NULL;
    }
    wolfSSL_SetIOWriteFlags(wolf, MSG_NOSIGNAL);
    tls = malloc(sizeof(*tls));
    CHECK(tls != NULL);
    *tls = (struct tls){wolf, false};
    return tls;
}

void tls_close(struct tls *tls)
{
    if (tls != NULL) {
        wolfSSL_free(tls->wolf);
        free(tls);
    }
}

static enum rc tls_result(struct tls *tls, int returned)
{
    int error = wolfSSL_get_error(tls->wolf, returned);

    tls->wants_write = error == WOLFSSL_ERROR_WANT_WRITE;
    if (error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE) {
        return RC_AGAIN;
    }
    return error == WOLFSSL_ERROR_ZERO_RETURN || returned == 0 ? RC_ABSENT : RC_IO;
}

enum rc tls_handshake(struct tls *tls)
{
    int returned = wolfSSL_accept(tls->wolf);

    if (returned == WOLFSSL_SUCCESS) {
        tls->wants_write = false;
        return RC_OK;
    }
    return tls_result(tls, returned);
}

enum rc tls_read(struct tls *tls, char *bytes, size_t len, size_t *got)
{
    int returned = wolfSSL_read(tls->wolf, bytes, len < INT_MAX ? (int)len : INT_MAX);

    if (returned <= 0) {
        return tls_result(tls, returned);
    }
    *got = (size_t)returned;
    return RC_OK;
}

enum rc tls_write(struct tls *tls, struct slice bytes, size_t *sent)
{
    int returned =
        wolfSSL_write(tls->wolf, bytes.ptr, bytes.len < INT_MAX ? (int)bytes.len : INT_MAX);

    if (returned <= 0) {
        return tls_result(tls, returned);
    }
    tls->wants_write = false;
    *sent = (size_t)returned;
    return RC_OK;
}

bool tls_wants_write(const struct tls *tls)
{
    return tls->wants_write;
}

bool tls_is_pending(const struct tls *tls)
{
    return wolfSSL_pending(tls->wolf) > 0;
}

void tls_end(struct tls *tls)
{
    (void)wolfSSL_shutdown(tls->wolf);
}

static bool shake_hands(struct tls *server, WOLFSSL *client)
{
    bool server_done = false;
    bool client_done = false;

    for (int round = 0; round < HANDSHAKE_ROUNDS_MAX && !(server_done && client_done); round++) {
        int returned = wolfSSL_connect(client);
        int error = wolfSSL_get_error(client, returned);
        enum rc rc = server_done ? RC_OK : tls_handshake(server);

        client_done = returned == WOLFSSL_SUCCESS;
        server_done = rc == RC_OK;
        if ((!client_done && error != WOLFSSL_ERROR_WANT_READ) || (rc != RC_OK && rc != RC_AGAIN)) {
            return false;
        }
    }
    return server_done && client_done;
}

/* wolfSSL 5.5.4 lets an elliptic key pass that belongs to another certificate; what it then signs
 * is refused by every client. So one of our own has to come through first. */
static enum rc try_out(struct tls_context *context)
{
    WOLFSSL_CTX *client_wolf = wolfSSL_CTX_new(wolfTLS_client_method());
    WOLFSSL *client = NULL;
    struct tls *server = NULL;
    int ends[2] = {-1, -1};
    bool is_good = false;

    if (client_wolf != NULL &&
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0) {
        wolfSSL_CTX_set_verify(client_wolf, WOLFSSL_VERIFY_NONE, NULL);
        client = wolfSSL_new(client_wolf);
        server = tls_open(context, ends[0]);
    }
    if (client != NULL && server != NULL && wolfSSL_set_fd(client, ends[1]) == WOLFSSL_SUCCESS) {
        is_good = shake_hands(server, client);
    }
    tls_close(server);
    wolfSSL_free(client);
    wolfSSL_CTX_free(client_wolf);
    for (int i = 0; i < 2 && ends[i] >= 0; i++) {
        (void)close(ends[i]);
    }
    return is_good ? RC_OK : RC_BAD_INPUT;
}

enum rc
tls_context_open(const char *certificate_path, const char *key_path, struct tls_context **out)
{
    struct tls_context *context;
    WOLFSSL_CTX *wolf;
    enum rc rc;

    if (wolfSSL_Init() != WOLFSSL_SUCCESS) {
        return RC_IO;
    }
    wolf = wolfSSL_CTX_new(wolfTLS_server_method());
    rc = wolf == NULL ? RC_IO : load(wolf, certificate_path, key_path);
    if (rc != RC_OK) {
        wolfSSL_CTX_free(wolf);
        (void)wolfSSL_Cleanup();
        return rc;
    }
    context = malloc(sizeof(*context));
    CHECK(context != NULL);
    context->wolf = wolf;
    rc = try_out(context);
    if (rc != RC_OK) {
        tls_context_close(context);
        return rc;
    }
    *out = context;
    return RC_OK;
}
