#include "db/lock.h"
#include "tests/unit/store_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena *arena;
static char folder[64];
static struct slice path;

static void set_up(void)
{
    arena = arena_open(4096);
    (void)snprintf(folder, sizeof folder, "/tmp/gitterd-lock-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = arena_printf(arena, "%s/lock", folder);
}

static void tear_down(void)
{
    fixture_remove_folder(folder);
    arena_close(arena);
}

/* Starts a process that takes the lock, says so, and holds it until it is killed. */
static pid_t start_holder(void)
{
    int ready[2];
    ck_assert_int_eq(pipe(ready), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct lock *lock = NULL;
        struct slice error = SLICE_EMPTY;
        const char byte = lock_open(path, arena, &lock, &error) == RC_OK ? 'y' : 'n';
        if (write(ready[1], &byte, 1) == 1) {
            (void)pause();
        }
        _exit(1);
    }
    char byte = 0;
    (void)close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    (void)close(ready[0]);
    return child;
}

START_TEST(lock_held_by_another_process_says_which)
{
    struct lock *lock = NULL;
    struct slice error = SLICE_EMPTY;
    const pid_t holder = start_holder();
    ck_rc_eq(lock_open(path, arena, &lock, &error), RC_BUSY);
    ck_assert_ptr_null(lock);
    ck_slice_eq(error, arena_printf(arena, "%s/lock: held by process %d", folder, (int)holder));
    ck_assert_int_eq(kill(holder, SIGKILL), 0);
    ck_assert_int_eq(waitpid(holder, NULL, 0), holder);
    ck_rc_eq(lock_open(path, arena, &lock, &error), RC_OK);
    lock_close(lock);
}
END_TEST

START_TEST(lock_in_the_same_process_is_held_too)
{
    struct lock *lock = NULL;
    struct lock *second = NULL;
    struct slice error = SLICE_EMPTY;
    ck_rc_eq(lock_open(path, arena, &lock, &error), RC_OK);
    ck_rc_eq(lock_open(path, arena, &second, &error), RC_BUSY);
    lock_close(lock);
    ck_rc_eq(lock_open(path, arena, &second, &error), RC_OK);
    lock_close(second);
    lock_close(NULL);
}
END_TEST

START_TEST(lock_file_is_private_and_survives)
{
    struct lock *lock = NULL;
    struct slice error = SLICE_EMPTY;
    struct stat info;
    ck_rc_eq(lock_open(path, arena, &lock, &error), RC_OK);
    ck_assert_int_eq(stat(path.ptr, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0600);
    ck_assert_int_gt(info.st_size, 0);
    lock_close(lock);
    ck_assert_int_eq(stat(path.ptr, &info), 0);
    ck_assert_int_eq(info.st_size, 0);
}
END_TEST

START_TEST(lock_without_a_readable_holder_says_another)
{
    struct lock *lock = NULL;
    struct lock *second = NULL;
    struct slice error = SLICE_EMPTY;
    ck_rc_eq(lock_open(path, arena, &lock, &error), RC_OK);
    ck_assert_int_eq(truncate(path.ptr, 0), 0);
    ck_rc_eq(lock_open(path, arena, &second, &error), RC_BUSY);
    ck_slice_eq(error, arena_printf(arena, "%s/lock: held by another process", folder));
    lock_close(lock);
}
END_TEST

START_TEST(lock_in_no_folder_is_an_error)
{
    struct lock *lock = NULL;
    struct slice error = SLICE_EMPTY;
    const struct slice nowhere = arena_printf(arena, "%s/none/lock", folder);
    ck_rc_eq(lock_open(nowhere, arena, &lock, &error), RC_IO);
    ck_assert(slice_starts_with(error, nowhere));
}
END_TEST

START_TEST(lock_through_a_symbolic_link_is_refused)
{
    struct lock *lock = NULL;
    struct slice error = SLICE_EMPTY;
    ck_assert_int_eq(symlink("elsewhere", path.ptr), 0);
    ck_rc_eq(lock_open(path, arena, &lock, &error), RC_IO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lock");
    TCase *tcase = tcase_create("lock");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, lock_held_by_another_process_says_which);
    tcase_add_test(tcase, lock_in_the_same_process_is_held_too);
    tcase_add_test(tcase, lock_file_is_private_and_survives);
    tcase_add_test(tcase, lock_without_a_readable_holder_says_another);
    tcase_add_test(tcase, lock_in_no_folder_is_an_error);
    tcase_add_test(tcase, lock_through_a_symbolic_link_is_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
