/* Runs seeds, each in a process of its own, and sums up what came of them.
 *
 *   sim [--seed N] [--count N] [--jobs N] [--store sqlite] [--without FAULT] [--first] [--hash]
 * [--tell]
 *
 * One seed alone is told in full when it fails. */
#include "tests/sim/sim.h"

#include "runtime/base/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    COUNT_DEFAULT = 300,
    JOBS_DEFAULT = 2,
    JOBS_MAX = 16,
    TAIL_BYTES = 6000,
    DECIMAL = 10,
};

static struct sim sim;

/* The world's own assertions, without the runner that they were made for. */
void _mark_point(const char *file, int line);
void _mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

static struct slice tail_of(struct slice text)
{
    if (text.len <= TAIL_BYTES) {
        return text;
    }
    text = slice_from(text, text.len - TAIL_BYTES);
    return slice_from(text, slice_find_byte(text, '\n'));
}

static void tell_end(void)
{
    const struct slice turns = buf_slice(&sim.world.trace);
    const struct slice seen = buf_slice(&sim.world.peers.log);
    printf("last turns:\n%.*s\nlast seen outside:\n%.*s\n", SLICE_ARGS(tail_of(turns)),
           SLICE_ARGS(tail_of(seen)));
    printf("faults here:");
    for (int fault = 0; fault < SIM_FAULTS; fault++) {
        if (sim.struck[fault] > 0) {
            printf(" %s %" PRId64, sim_fault_name((enum sim_fault)fault), sim.struck[fault]);
        }
    }
    printf("\nagain: etc/sim --seed %" PRIu64 " --count 1\n", sim.seed);
    (void)fflush(stdout);
}

void _ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
    va_list arguments;
    printf("%s:%d: %s: ", file, line, expr);
    if (msg != NULL) {
        va_start(arguments, msg);
        (void)vprintf(msg, arguments);
        va_end(arguments);
    }
    printf("\n");
    tell_end();
    _exit(EXIT_FAILURE);
}

static bool is_bad(const struct sim_result *result)
{
    return result->lost + result->doubled + result->disordered + result->echoed + result->stuck +
               result->stale >
           0;
}

/* In the child: runs one seed and writes its result. */
static void run_child(uint64_t seed, int fd)
{
    struct sim_result result;
    sim.seed = seed;
    sim_run(&sim, seed, &result);
    if (is_bad(&result)) {
        printf("seed %" PRIu64 ": %" PRId64 " lost, %" PRId64 " doubled, %" PRId64
               " out of order, %" PRId64 " echoed, %" PRId64 " stuck, %" PRId64 " stale\n",
               seed, result.lost, result.doubled, result.disordered, result.echoed, result.stuck,
               result.stale);
        tell_end();
    }
    sim_store_close(&sim);
    const bool is_written = write(fd, &result, sizeof result) == (ssize_t)sizeof result;
    _exit(is_written && !is_bad(&result) ? EXIT_SUCCESS : EXIT_FAILURE);
}

struct job {
    pid_t pid;
    int fd;
    uint64_t seed;
};

static void start(struct job *job, uint64_t seed)
{
    int fds[2];
    (void)fflush(stdout);
    CHECK(pipe(fds) == 0);
    job->seed = seed;
    job->fd = fds[0];
    job->pid = fork();
    CHECK(job->pid >= 0);
    if (job->pid == 0) {
        (void)close(fds[0]);
        run_child(seed, fds[1]);
    }
    (void)close(fds[1]);
}

static void add(struct sim_result *sum, const struct sim_result *result)
{
    sum->turns += result->turns;
    for (int fault = 0; fault < SIM_FAULTS; fault++) {
        sum->struck[fault] += result->struck[fault];
    }
    sum->messages += result->messages;
    sum->changes += result->changes;
    sum->lost += result->lost;
    sum->doubled += result->doubled + result->echoed;
    sum->disordered += result->disordered;
    sum->adopted += result->adopted;
    sum->hidden += result->hidden;
    sum->resent += result->resent;
    sum->repeated += result->repeated;
    sum->excused += result->excused;
    sum->gaps += result->gaps;
    sum->told += result->told;
    sum->stale += result->stale;
    sum->hash = sum->hash * 31 + result->hash;
}

/* True if the seed was good. */
static bool finish(const struct job *job, struct sim_result *sum)
{
    struct sim_result result = {0};
    int status = 0;
    const bool has_result = read(job->fd, &result, sizeof result) == (ssize_t)sizeof result;
    (void)close(job->fd);
    CHECK(waitpid(job->pid, &status, 0) == job->pid);
    const bool is_good = has_result && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
    if (has_result) {
        add(sum, &result);
    }
    if (!is_good) {
        printf("seed %" PRIu64 " failed%s\n", job->seed,
               has_result ? "" : " and did not come to its end");
    }
    return is_good;
}

struct wanted {
    uint64_t seed;
    uint64_t count;
    uint64_t jobs;
    bool has_hash;
    bool is_first; /* only up to the first that fails */
};

static uint64_t run_all(const struct wanted *wanted, struct sim_result *sum)
{
    struct job jobs[JOBS_MAX];
    uint64_t failed = 0;
    uint64_t count = wanted->count;
    for (uint64_t begun = 0, ended = 0; ended < count;) {
        if (begun < count && begun - ended < wanted->jobs) {
            start(&jobs[begun % wanted->jobs], wanted->seed + begun);
            begun++;
        } else {
            failed += finish(&jobs[ended % wanted->jobs], sum) ? 0 : 1;
            ended++;
            count = wanted->is_first && failed > 0 ? begun : count;
        }
    }
    return failed;
}

static void forbid(const char *name)
{
    for (int fault = 0; fault < SIM_FAULTS; fault++) {
        if (strcmp(name, sim_fault_name((enum sim_fault)fault)) == 0) {
            sim.allowed &= ~(1U << fault);
        }
    }
}

static bool read_arguments(int argc, char **argv, struct wanted *wanted)
{
    for (int i = 1; i < argc; i++) {
        uint64_t *const number = strcmp(argv[i], "--seed") == 0    ? &wanted->seed
                                 : strcmp(argv[i], "--count") == 0 ? &wanted->count
                                 : strcmp(argv[i], "--jobs") == 0  ? &wanted->jobs
                                                                   : NULL;
        if (strcmp(argv[i], "--hash") == 0) {
            wanted->has_hash = true;
        } else if (strcmp(argv[i], "--first") == 0) {
            wanted->is_first = true;
        } else if (strcmp(argv[i], "--without") == 0 && i + 1 < argc) {
            i++;
            forbid(argv[i]);
        } else if (strcmp(argv[i], "--store") == 0 && i + 1 < argc) {
            i++;
            sim.is_on_disk = strcmp(argv[i], "sqlite") == 0;
        } else if (strcmp(argv[i], "--tell") == 0) {
            sim.is_told = true;
        } else if (number == NULL || i + 1 == argc) {
            return false;
        } else {
            i++;
            *number = strtoull(argv[i], NULL, DECIMAL);
        }
    }
    return wanted->count > 0 && wanted->jobs > 0 && wanted->jobs <= JOBS_MAX;
}

static void tell_sum(const struct wanted *wanted, const struct sim_result *sum)
{
    int64_t faults = 0;
    printf("what no wire can tell apart: %" PRId64 " adopted, %" PRId64 " changed before they were "
           "found, %" PRId64 " sent again to a homeserver that forgot, %" PRId64
           " repeated on their way; %" PRId64 " changes in gaps, %" PRId64
           " refused by Gitter and told, %" PRId64 " of rooms that were left\n",
           sum->adopted, sum->hidden, sum->resent, sum->repeated, sum->gaps, sum->told,
           sum->excused);
    printf("faults:");
    for (int fault = 0; fault < SIM_FAULTS; fault++) {
        printf(" %s %" PRId64, sim_fault_name((enum sim_fault)fault), sum->struck[fault]);
        faults += sum->struck[fault];
    }
    printf("; %" PRId64 " messages and %" PRId64 " changes compared\n", sum->messages,
           sum->changes);
    printf("%" PRIu64 " seeds, %" PRId64 " turns, %" PRId64 " faults, %" PRId64 " lost, %" PRId64
           " doubled, %" PRId64 " out of order\n",
           wanted->count, sum->turns, faults, sum->lost, sum->doubled, sum->disordered);
}

int main(int argc, char **argv)
{
    struct wanted wanted = {.seed = 1, .count = COUNT_DEFAULT, .jobs = JOBS_DEFAULT};
    struct sim_result sum = {0};
    sim.allowed = UINT32_MAX;
    if (!read_arguments(argc, argv, &wanted)) {
        (void)fprintf(stderr, "usage: sim [--seed N] [--count N] [--jobs N] [--store sqlite] "
                              "[--without FAULT] [--first] [--hash] [--tell]\n");
        return 2;
    }
    const uint64_t failed = run_all(&wanted, &sum);
    if (wanted.has_hash) {
        printf("hash %016" PRIx64 "\n", sum.hash);
    }
    if (failed > 0) {
        printf("%" PRIu64 " seeds failed\n", failed);
    }
    tell_sum(&wanted, &sum);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
