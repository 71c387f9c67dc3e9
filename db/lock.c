#include "db/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct lock {
    int fd;
};

enum {
    HOLDER_BYTES_MAX = 32
};

static enum rc
lock_fail(struct slice path, const char *what, struct arena *arena, struct slice *error)
{
    *error = arena_printf(arena, "%.*s: %s: %s", SLICE_ARGS(path), what, strerror(errno));
    return RC_IO;
}

static enum rc lock_busy(struct slice path, int fd, struct arena *arena, struct slice *error)
{
    char bytes[HOLDER_BYTES_MAX];
    const ssize_t len = pread(fd, bytes, sizeof bytes, 0);
    int64_t holder = 0;
    const struct slice text = slice_trim(slice_make(bytes, len < 0 ? 0 : (size_t)len));
    if (slice_to_int(text, &holder) == RC_OK) {
        *error =
            arena_printf(arena, "%.*s: held by process %lld", SLICE_ARGS(path), (long long)holder);
    } else {
        /* it has the lock and has not written its id yet */
        *error = arena_printf(arena, "%.*s: held by another process", SLICE_ARGS(path));
    }
    return RC_BUSY;
}

static bool lock_note_holder(int fd)
{
    char bytes[HOLDER_BYTES_MAX];
    const int len = snprintf(bytes, sizeof bytes, "%lld\n", (long long)getpid());
    return ftruncate(fd, 0) == 0 && pwrite(fd, bytes, (size_t)len, 0) == len;
}

enum rc lock_open(struct slice path, struct arena *arena, struct lock **lock, struct slice *error)
{
    const char *name = arena_cstr(arena, path);
    const int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return lock_fail(path, "cannot open", arena, error);
    }
    enum rc rc = RC_OK;
    struct lock *made = NULL;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        rc = errno == EWOULDBLOCK ? lock_busy(path, fd, arena, error)
                                  : lock_fail(path, "cannot lock", arena, error);
    } else if (!lock_note_holder(fd)) {
        rc = lock_fail(path, "cannot write", arena, error);
    } else {
        made = calloc(1, sizeof *made);
        rc = made == NULL ? lock_fail(path, "cannot keep", arena, error) : RC_OK;
    }
    if (rc != RC_OK) {
        (void)close(fd);
        return rc;
    }
    made->fd = fd;
    *lock = made;
    return RC_OK;
}

void lock_close(struct lock *lock)
{
    if (lock == NULL) {
        return;
    }
    /* before letting go, or it could be the id of the next holder that vanishes */
    (void)!ftruncate(lock->fd, 0);
    (void)close(lock->fd);
    free(lock);
}
