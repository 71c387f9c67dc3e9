#include "runtime/courier_job.h"

#include "runtime/base/check.h"

#include <stdlib.h>
#include <string.h>

struct job *job_open(const struct outbox_call *row)
{
    struct outbox_call copy = *row;
    struct slice *texts[] = {
        &copy.actor_key,       &copy.call.lane,         &copy.call.owner,
        &copy.call.after_lane, &copy.call.method,       &copy.call.path,
        &copy.call.body,       &copy.call.content_type, &copy.call.ref,
    };
    const size_t count = sizeof texts / sizeof texts[0];
    size_t size = sizeof(struct job);
    for (size_t i = 0; i < count; i++) {
        size += texts[i]->len;
    }
    struct job *job = calloc(1, size);
    CHECK(job != NULL);
    char *end = (char *)(job + 1);
    for (size_t i = 0; i < count; i++) {
        if (texts[i]->len > 0) {
            memcpy(end, texts[i]->ptr, texts[i]->len);
        }
        texts[i]->ptr = end;
        end += texts[i]->len;
    }
    job->id = row->id;
    job->row = copy;
    job->size = size;
    return job;
}

void job_close(struct job *job)
{
    free(job);
}

int job_compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}
