/* Preloaded into gitterd: a disk that is not done with a sync as long as the file named by
 * SLOW_SYNC is locked by somebody (flock). Beside it <name>.waits appears when a sync waits. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

static void say_waiting(const char *path)
{
    char name[4096];
    (void)snprintf(name, sizeof name, "%s.waits", path);
    const int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void wait_for_disk(void)
{
    const char *path = getenv("SLOW_SYNC");
    const int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        say_waiting(path);
        (void)flock(fd, LOCK_SH);
    }
    (void)close(fd);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    int (*real)(int) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    wait_for_disk();
    return real(fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    int (*real)(int) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    wait_for_disk();
    return real(fd);
}
