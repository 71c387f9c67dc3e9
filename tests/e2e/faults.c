/* tests/e2e/faults.c: trouble below gitterd, for tests: preloaded, it makes calls of the C library
 * fail while a file says so.
 *
 * FAULTS_FILE names a file with one word: enospc, erofs (writes to files fail so), eio (syncs
 * fail), dns (no name is found); empty or absent: all is well. Names that end in .invalid are this
 * machine.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WORD_BYTES = 16
};

static bool is_on(const char *fault)
{
    char word[WORD_BYTES] = "";
    const char *path = getenv("FAULTS_FILE");
    const int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const ssize_t len = read(fd, word, sizeof word - 1);
    (void)close(fd);
    return len > 0 && strcmp(word, fault) == 0;
}

/* 0: the write may go on. */
static int write_error(int fd)
{
    struct stat about;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        return 0;
    }
    return is_on("enospc") ? ENOSPC : is_on("erofs") ? EROFS : 0;
}

static ssize_t write_at(const char *name, int fd, const void *bytes, size_t len, off_t offset)
{
    ssize_t (*next)(int, const void *, size_t, off_t) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, name);
    const int error = write_error(fd);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return next(fd, bytes, len, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    return write_at("pwrite", fd, bytes, len, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t offset)
{
    return write_at("pwrite64", fd, bytes, len, offset);
}

static int sync_file(const char *name, int fd)
{
    int (*next)(int) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, name);
    if (is_on("eio")) {
        errno = EIO;
        return -1;
    }
    return next(fd);
}

int fsync(int fd)
{
    return sync_file("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_file("fdatasync", fd);
}

int getaddrinfo(const char *restrict name,
                const char *restrict service,
                const struct addrinfo *restrict hints,
                struct addrinfo **restrict found)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    const char *end = name == NULL ? NULL : strrchr(name, '.');
    if (end == NULL || strcmp(end, ".invalid") != 0) {
        return next(name, service, hints, found);
    }
    return is_on("dns") ? EAI_AGAIN : next("127.0.0.1", service, hints, found);
}
