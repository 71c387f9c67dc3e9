#include "runtime/daemon/init.h"

#include "db/secrets.h"
#include "runtime/base/buf.h"
#include "runtime/daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    SECRET_BYTES = 32
};

static struct slice random_token(struct arena *arena, struct secrets *secrets)
{
    unsigned char random[SECRET_BYTES];
    struct buf hex;
    buf_init(&hex, arena);
    if (secrets_random(secrets, random, sizeof random) != RC_OK) {
        return SLICE_EMPTY;
    }
    for (size_t i = 0; i < sizeof random; i++) {
        buf_printf(&hex, "%02x", random[i]);
    }
    return buf_slice(&hex);
}

/* Said before anything is written, so that it is both files or none. */
static bool is_there(const char *path)
{
    const bool is_there = access(path, F_OK) == 0;
    if (is_there) {
        (void)fprintf(stderr,
                      "gitterd: %s: is there already, with secrets that others depend on; move it "
                      "away first\n",
                      path);
    }
    return is_there;
}

/* Never over a file that exists, made a moment ago though it may be. */
static int write_new_file(const char *path, struct slice text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        (void)fprintf(stderr, "gitterd: %s: %s\n", path, strerror(errno));
        return EXIT_FAILED;
    }
    const ssize_t written = write(fd, text.ptr, text.len);
    if (close(fd) != 0 || written < 0 || (size_t)written != text.len) {
        (void)fprintf(stderr, "gitterd: %s: cannot be written\n", path);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

/* The registration beside the configuration, as the samples in it have it. */
static int write_registration(struct arena *arena, const char *config_path, const char *path)
{
    struct config config;
    if (config_read_or_say(arena, config_path, CONFIG_TO_PRINT, &config) != RC_OK) {
        return EXIT_FAILED;
    }
    const int status = write_new_file(path, config_registration(arena, &config));
    if (status == EXIT_DONE) {
        (void)printf(
            "Wrote %s and %s.\n"
            "Put your own domain, addresses and OAuth application into the first; if you change\n"
            "anything about Matrix there, make the second anew:\n"
            "  gitterd registration -c %s > %s\n"
            "Then let the homeserver read it, and list it under its app_service_config_files.\n",
            config_path, path, config_path, path);
    }
    return status;
}

int init_run(struct arena *arena, const char *config_path)
{
    struct secrets *secrets = NULL;
    const char *registration = config_registration_path(arena, config_path);
    if (is_there(config_path) || is_there(registration)) {
        return EXIT_FAILED;
    }
    if (secrets_open(SLICE("init"), &secrets) != RC_OK) {
        (void)fprintf(stderr, "gitterd: no random bytes to be had\n");
        return EXIT_FAILED;
    }
    const struct config_secrets fresh = {
        .unique_secret_key = random_token(arena, secrets),
        .matrix_appservice_token = random_token(arena, secrets),
        .matrix_homeserver_token = random_token(arena, secrets),
    };
    secrets_close(secrets);
    if (fresh.matrix_homeserver_token.len == 0) {
        (void)fprintf(stderr, "gitterd: no random bytes to be had\n");
        return EXIT_FAILED;
    }
    int status = write_new_file(config_path, config_example(arena, &fresh));
    if (status == EXIT_DONE) {
        status = write_registration(arena, config_path, registration);
    }
    return status;
}
