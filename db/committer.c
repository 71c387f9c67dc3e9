#include "db/committer.h"

#include "runtime/base/check.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum committer_state {
    COMMITTER_RESTS,
    COMMITTER_WORKS,
    COMMITTER_ENDED, /* and nobody has asked yet how it went */
};

struct committer {
    struct writer *writer;
    void (*wake)(void *context);
    void *context;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what stands below */
    pthread_cond_t changed;
    enum committer_state state;
    bool is_closing;
    const struct store_batch *batch;
    enum rc rc;
};

static void lock(struct committer *committer)
{
    CHECK(pthread_mutex_lock(&committer->mutex) == 0);
}

static void unlock(struct committer *committer)
{
    CHECK(pthread_mutex_unlock(&committer->mutex) == 0);
}

static void wait_for_change(struct committer *committer)
{
    CHECK(pthread_cond_wait(&committer->changed, &committer->mutex) == 0);
}

/* Both sides wait on one condition, though never at the same time. */
static void enter(struct committer *committer, enum committer_state state)
{
    committer->state = state;
    CHECK(pthread_cond_signal(&committer->changed) == 0);
}

static void *work(void *argument)
{
    struct committer *committer = argument;
    lock(committer);
    while (!committer->is_closing) {
        if (committer->state != COMMITTER_WORKS) {
            wait_for_change(committer);
            continue;
        }
        const struct store_batch *batch = committer->batch;
        unlock(committer);
        const enum rc rc = writer_commit(committer->writer, batch);
        lock(committer);
        committer->rc = rc;
        enter(committer, COMMITTER_ENDED);
        unlock(committer);
        if (committer->wake != NULL) { /* not under the lock, which is what it wakes to ask for */
            committer->wake(committer->context);
        }
        lock(committer);
    }
    unlock(committer);
    return NULL;
}

/* Signals are the loop's: a thread takes over the mask of the one that makes it. */
static int start_thread(struct committer *committer)
{
    sigset_t all;
    sigset_t before;
    CHECK(sigfillset(&all) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    const int code = pthread_create(&committer->thread, NULL, work, committer);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return code;
}

enum rc committer_open(struct writer *writer,
                       void (*wake)(void *context),
                       void *context,
                       struct committer **out)
{
    struct committer *committer = malloc(sizeof *committer);
    if (committer == NULL) {
        return RC_FULL;
    }
    *committer = (struct committer){.writer = writer, .wake = wake, .context = context};
    CHECK(pthread_mutex_init(&committer->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&committer->changed, NULL) == 0);
    if (start_thread(committer) != 0) {
        (void)pthread_cond_destroy(&committer->changed);
        (void)pthread_mutex_destroy(&committer->mutex);
        free(committer);
        return RC_FULL;
    }
    *out = committer;
    return RC_OK;
}

void committer_close(struct committer *committer)
{
    if (committer == NULL) {
        return;
    }
    committer_wait(committer);
    lock(committer);
    committer->is_closing = true;
    enter(committer, COMMITTER_RESTS);
    unlock(committer);
    CHECK(pthread_join(committer->thread, NULL) == 0);
    (void)pthread_cond_destroy(&committer->changed);
    (void)pthread_mutex_destroy(&committer->mutex);
    free(committer);
}

void committer_begin(struct committer *committer, const struct store_batch *batch)
{
    lock(committer);
    CHECK(committer->state == COMMITTER_RESTS);
    committer->batch = batch;
    enter(committer, COMMITTER_WORKS);
    unlock(committer);
}

bool committer_is_ended(struct committer *committer)
{
    lock(committer);
    const bool is_ended = committer->state == COMMITTER_ENDED;
    unlock(committer);
    return is_ended;
}

void committer_wait(struct committer *committer)
{
    lock(committer);
    while (committer->state == COMMITTER_WORKS) {
        wait_for_change(committer);
    }
    unlock(committer);
}

enum rc committer_take(struct committer *committer)
{
    lock(committer);
    CHECK(committer->state == COMMITTER_ENDED);
    const enum rc rc = committer->rc;
    committer->state = COMMITTER_RESTS; /* which concerns nobody who waits */
    unlock(committer);
    return rc;
}
