/* The control socket: asked well, asked badly, left behind by a process that was killed. */
#include "runtime/daemon/control.h"
#include "tests/unit/slice_check.h"

#include <check.h>
#include <ev.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ARENA_BYTES = 4096,
    LARGE = 2 * 1024 * 1024, /* more than a socket takes at once */
};

static struct ev_loop *loop;
static struct arena *arena;
static struct control *control;
static const char folder_shape[] = "/tmp/control-XXXXXX";
static char folder[sizeof folder_shape];
static struct slice path;
static size_t answer_bytes;

static struct slice report(void *context, struct arena *out)
{
    char *bytes = arena_alloc(out, answer_bytes);
    ck_assert_ptr_eq(context, &answer_bytes);
    memset(bytes, 'a', answer_bytes);
    return slice_make(bytes, answer_bytes);
}

static enum rc open_control(struct control **out)
{
    const struct control_options options = {
        .loop = loop, .path = path, .report = report, .context = &answer_bytes};
    return control_open(&options, out);
}

static void set_up(void)
{
    memcpy(folder, folder_shape, sizeof folder);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    loop = ev_loop_new(EVFLAG_AUTO);
    arena = arena_open(ARENA_BYTES);
    path = arena_printf(arena, "%s/socket", folder);
    answer_bytes = 5;
}

static void tear_down(void)
{
    control_close(control);
    control = NULL;
    (void)unlink(path.ptr);
    (void)rmdir(folder);
    ev_loop_destroy(loop);
    arena_close(arena);
}

/* The daemon's loop runs beside the one who asks. */

static ev_async stop;

static void on_stop(struct ev_loop *its, ev_async *watcher, int events)
{
    (void)watcher;
    (void)events;
    ev_break(its, EVBREAK_ALL);
}

static void *run_loop(void *unused)
{
    (void)unused;
    ev_run(loop, 0);
    return NULL;
}

static pthread_t start_loop(void)
{
    pthread_t thread;
    ev_async_init(&stop, on_stop);
    ev_async_start(loop, &stop);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
    return thread;
}

static void stop_loop(pthread_t thread)
{
    ev_async_send(loop, &stop);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ev_async_stop(loop, &stop);
}

static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path.ptr, path.len);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void check_raw(const char *request, const char *expected)
{
    char got[128] = "";
    size_t len = 0;
    ssize_t n = 0;
    const int fd = connect_raw();
    ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    while ((n = recv(fd, got + len, sizeof got - 1 - len, 0)) > 0) {
        len += (size_t)n;
    }
    (void)close(fd);
    ck_assert_str_eq(got, expected);
}

START_TEST(answers_are_whole_however_large)
{
    struct slice answer = SLICE_EMPTY;
    ck_assert_int_eq(open_control(&control), RC_OK);
    const pthread_t thread = start_loop();
    ck_assert_int_eq(control_ask(path, arena, &answer), RC_OK);
    ck_assert(slice_equal(answer, SLICE("aaaaa")));
    answer_bytes = LARGE;
    for (int i = 0; i < 10; i++) { /* places of clients are used again */
        ck_assert_int_eq(control_ask(path, arena, &answer), RC_OK);
        ck_assert_uint_eq(answer.len, LARGE);
    }
    stop_loop(thread);
}
END_TEST

START_TEST(other_requests_are_refused)
{
    static const char no_such[] = "{\"error\":\"no such command\"}";
    ck_assert_int_eq(open_control(&control), RC_OK);
    const pthread_t thread = start_loop();
    check_raw("delete\n", no_such);
    check_raw("\n", no_such);
    check_raw("statusstatusstatusstatusstatusstatusstatusstatusstatusstatusstat", no_such);
    check_raw("status\r\n", "aaaaa");
    stop_loop(thread);
}
END_TEST

START_TEST(idle_clients_keep_nobody_out_for_good)
{
    struct slice answer = SLICE_EMPTY;
    int idle[4];
    ck_assert_int_eq(open_control(&control), RC_OK);
    const pthread_t thread = start_loop();
    for (size_t i = 0; i < 4; i++) {
        idle[i] = connect_raw();
    }
    ck_assert_int_ne(control_ask(path, arena, &answer), RC_OK);
    for (size_t i = 0; i < 4; i++) {
        (void)close(idle[i]);
    }
    enum rc rc = RC_BUSY;
    for (int i = 0; i < 1000 && rc != RC_OK; i++) {
        rc = control_ask(path, arena, &answer);
    }
    ck_assert_int_eq(rc, RC_OK);
    stop_loop(thread);
}
END_TEST

START_TEST(socket_is_for_its_owner_alone_and_goes)
{
    struct stat found;
    struct slice answer = SLICE_EMPTY;
    ck_assert_int_eq(control_ask(path, arena, &answer), RC_ABSENT);
    ck_assert_int_eq(open_control(&control), RC_OK);
    ck_assert_int_eq(stat(path.ptr, &found), 0);
    ck_assert_uint_eq(found.st_mode & 07777U, 0600);
    control_close(control);
    control = NULL;
    ck_assert_int_ne(stat(path.ptr, &found), 0);
}
END_TEST

START_TEST(only_a_dead_socket_is_taken_over)
{
    struct control *second = NULL;
    ck_assert_int_eq(open_control(&control), RC_OK);
    ck_assert_int_eq(open_control(&second), RC_BUSY);
    control_close(control);
    control = NULL;
    /* as after a kill: the file is there, nobody listens */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path.ptr, path.len);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
    ck_assert_int_eq(open_control(&control), RC_OK);
}
END_TEST

START_TEST(other_files_are_left_alone)
{
    struct stat found;
    ck_assert_int_eq(mkdir(path.ptr, 0700), 0);
    ck_assert_int_eq(open_control(&control), RC_REFUSED);
    ck_assert_int_eq(stat(path.ptr, &found), 0);
    ck_assert_int_eq(rmdir(path.ptr), 0);
    path = arena_printf(arena, "/tmp/%0200d", 0);
    ck_assert_int_eq(open_control(&control), RC_TOO_BIG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control");
    TCase *tcase = tcase_create("control");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, answers_are_whole_however_large);
    tcase_add_test(tcase, other_requests_are_refused);
    tcase_add_test(tcase, idle_clients_keep_nobody_out_for_good);
    tcase_add_test(tcase, socket_is_for_its_owner_alone_and_goes);
    tcase_add_test(tcase, only_a_dead_socket_is_taken_over);
    tcase_add_test(tcase, other_files_are_left_alone);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
