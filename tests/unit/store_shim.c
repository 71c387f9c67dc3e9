#include "tests/unit/store_shim.h"

#include "runtime/base/check.h"

#include <check.h>
#include <pthread.h>
#include <sqlite3.h>

struct faults {
    enum fault_kind kind;
    int countdown; /* 0: off; 1: the next one fails */
    bool is_sticky;
    bool is_hit;
};

struct gate {
    bool is_shut;
    int waiting;
    int passes; /* so many may go on though it is shut */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of both */
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static struct faults faults;
static struct gate gate;

/* By CHECK: libcheck writes a file at each of its assertions, and memory is asked for all the time.
 */
static void lock(void)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
}

static void unlock(void)
{
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

void shim_arm(enum fault_kind kind, int at, bool is_sticky)
{
    lock();
    faults = (struct faults){.kind = kind, .countdown = at, .is_sticky = is_sticky};
    unlock();
}

bool shim_disarm(void)
{
    lock();
    faults.countdown = 0;
    const bool is_clean = !faults.is_hit;
    unlock();
    return is_clean;
}

void shim_hold_syncs(void)
{
    lock();
    gate = (struct gate){.is_shut = true};
    unlock();
}

int shim_syncs_waiting(void)
{
    lock();
    const int waiting = gate.waiting;
    unlock();
    return waiting;
}

void shim_release_one_sync(void)
{
    lock();
    gate.passes = 1;
    CHECK(pthread_cond_broadcast(&opened) == 0);
    while (gate.passes > 0) {
        CHECK(pthread_cond_wait(&opened, &mutex) == 0);
    }
    unlock();
}

void shim_release_syncs(void)
{
    lock();
    gate.is_shut = false;
    CHECK(pthread_cond_broadcast(&opened) == 0);
    unlock();
}

static void pass_gate(void)
{
    lock();
    gate.waiting++;
    while (gate.is_shut && gate.passes == 0) {
        CHECK(pthread_cond_wait(&opened, &mutex) == 0);
    }
    gate.waiting--;
    gate.passes = 0;
    CHECK(pthread_cond_broadcast(&opened) == 0);
    unlock();
}

static bool strike(enum fault_kind kind)
{
    if (faults.countdown == 0 || faults.kind != kind) {
        return false;
    }
    if (faults.countdown > 1) {
        faults.countdown--;
        return false;
    }
    faults.is_hit = true;
    if (!faults.is_sticky) {
        faults.countdown = 0;
    }
    return true;
}

static bool faults_strike(enum fault_kind kind)
{
    lock();
    const bool is_hit = strike(kind);
    unlock();
    return is_hit;
}

/* Memory. */

static sqlite3_mem_methods real_mem;

static void *mem_malloc(int size)
{
    return faults_strike(FAULT_ALLOC) ? NULL : real_mem.xMalloc(size);
}

static void *mem_realloc(void *old, int size)
{
    return faults_strike(FAULT_ALLOC) ? NULL : real_mem.xRealloc(old, size);
}

/* Files: a VFS that stands before the real one. */

struct shim_file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct shim_file *)file)->real;
}

static int shim_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int shim_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    if (faults_strike(FAULT_READ)) {
        return SQLITE_IOERR_READ;
    }
    return real_of(file)->pMethods->xRead(real_of(file), out, len, at);
}

static int shim_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    if (faults_strike(FAULT_WRITE)) {
        return SQLITE_IOERR_WRITE;
    }
    if (faults_strike(FAULT_FULL)) {
        /* half of it still found room */
        (void)real_of(file)->pMethods->xWrite(real_of(file), bytes, len / 2, at);
        return SQLITE_FULL;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, len, at);
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return faults_strike(FAULT_WRITE) ? SQLITE_IOERR_TRUNCATE
                                      : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

/* Nothing here pulls the plug, and thousands of passes have no time to wait for the disk. */
static int shim_sync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    pass_gate();
    return faults_strike(FAULT_SYNC) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int shim_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int shim_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int shim_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int shim_check_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int shim_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int shim_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int shim_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int shim_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    if (extend != 0 && (faults_strike(FAULT_WRITE) || faults_strike(FAULT_FULL))) {
        return SQLITE_IOERR_SHMSIZE;
    }
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int shim_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void shim_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int shim_shm_unmap(sqlite3_file *file, int is_delete)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), is_delete);
}

static const sqlite3_io_methods shim_methods = {
    .iVersion = 2,
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_check_lock,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_device,
    .xShmMap = shim_shm_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier,
    .xShmUnmap = shim_shm_unmap,
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs shim_vfs;

static int
shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs;
    struct shim_file *shim = (struct shim_file *)file;
    shim->base.pMethods = NULL;
    shim->real = (sqlite3_file *)(shim + 1);
    const int code = real_vfs->xOpen(real_vfs, name, shim->real, flags, out_flags);
    if (code == SQLITE_OK) {
        shim->base.pMethods = &shim_methods;
    }
    return code;
}

static int shim_delete(sqlite3_vfs *vfs, const char *name, int is_synced)
{
    (void)vfs;
    (void)is_synced;
    return real_vfs->xDelete(real_vfs, name, 0);
}

void shim_install(void)
{
    sqlite3_mem_methods mem;
    ck_assert_int_eq(sqlite3_shutdown(), SQLITE_OK);
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_mem), SQLITE_OK);
    mem = real_mem;
    mem.xMalloc = mem_malloc;
    mem.xRealloc = mem_realloc;
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &mem), SQLITE_OK);
    /* without the pool of small blocks more requests come to us */
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
    ck_assert_int_eq(sqlite3_initialize(), SQLITE_OK);
    real_vfs = sqlite3_vfs_find(NULL);
    shim_vfs = *real_vfs;
    shim_vfs.pNext = NULL;
    shim_vfs.zName = "shim";
    shim_vfs.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
    shim_vfs.xOpen = shim_open;
    shim_vfs.xDelete = shim_delete;
    ck_assert_int_eq(sqlite3_vfs_register(&shim_vfs, 1), SQLITE_OK);
}
