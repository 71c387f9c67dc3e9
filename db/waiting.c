#include "db/waiting.h"

#include "runtime/base/check.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct count {
    struct slice owner; /* in the same block */
    enum call_auth auth;
    int64_t calls;
};

struct waiting {
    void *counts; /* tree by owner and auth */
    int64_t all;
};

static int compare(const void *a, const void *b)
{
    const struct count *x = a;
    const struct count *y = b;
    return x->auth != y->auth ? (int)x->auth - (int)y->auth : slice_compare(x->owner, y->owner);
}

static bool is_counted(enum call_auth auth)
{
    return auth == CALL_AUTH_OWNER || auth == CALL_AUTH_APPSERVICE;
}

static struct count *find(const struct waiting *waiting, struct slice owner, enum call_auth auth)
{
    const struct count key = {.owner = owner, .auth = auth};
    struct count *const *node = tfind(&key, &waiting->counts, compare);
    return node == NULL ? NULL : *node;
}

static struct count *add(struct waiting *waiting, struct slice owner, enum call_auth auth)
{
    struct count *count = malloc(sizeof *count + owner.len);
    CHECK(count != NULL);
    *count = (struct count){.owner = {(char *)(count + 1), owner.len}, .auth = auth};
    if (owner.len > 0) {
        memcpy(count + 1, owner.ptr, owner.len);
    }
    CHECK(tsearch(count, &waiting->counts, compare) != NULL);
    return count;
}

void waiting_more(struct waiting *waiting, struct slice owner, enum call_auth auth)
{
    if (is_counted(auth)) {
        struct count *count = find(waiting, owner, auth);
        count = count == NULL ? add(waiting, owner, auth) : count;
        count->calls++;
        waiting->all++;
    }
}

void waiting_less(struct waiting *waiting, struct slice owner, enum call_auth auth)
{
    if (is_counted(auth)) {
        struct count *count = find(waiting, owner, auth);
        if (count == NULL) { /* somebody else has written to the database */
            return;
        }
        count->calls--;
        waiting->all--;
        if (count->calls == 0) {
            CHECK(tdelete(count, &waiting->counts, compare) != NULL);
            free(count);
        }
    }
}

int64_t waiting_of(const struct waiting *waiting, struct slice owner, enum call_auth auth)
{
    const struct count *count = find(waiting, owner, auth);
    return count == NULL ? 0 : count->calls;
}

int64_t waiting_of_all(const struct waiting *waiting)
{
    return waiting->all;
}

enum rc waiting_open(sqlite3 *db, struct waiting **out)
{
    sqlite3_stmt *all = NULL;
    enum rc rc = sql_prepare(db, SLICE("SELECT owner, auth FROM outbox"), &all);
    if (rc != RC_OK) {
        return rc;
    }
    struct waiting *waiting = calloc(1, sizeof *waiting);
    CHECK(waiting != NULL);
    struct query query = query_begin(all);
    while (query_row(&query)) {
        waiting_more(waiting, query_peek_text(&query, 0), outbox_auth(query_peek_text(&query, 1)));
    }
    rc = query_end(&query);
    (void)sqlite3_finalize(all);
    if (rc != RC_OK) {
        waiting_close(waiting);
        return rc;
    }
    *out = waiting;
    return RC_OK;
}

void waiting_close(struct waiting *waiting)
{
    if (waiting != NULL) {
        tdestroy(waiting->counts, free);
        free(waiting);
    }
}
