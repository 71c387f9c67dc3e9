/* runtime/call.h: a call over HTTP, as actors declare it, the outbox keeps it and the courier makes
 * it.
 *
 * A call is data. It is stored in the commit of the turn that declared it and made only after that
 * commit. It ends once: DONE, FAILED or UNKNOWN, and its end is a message to the actor that
 * declared it. Tokens are never in a call: `auth` says whose token the courier puts in.
 *
 * Memory: all texts are borrowed.
 */
#ifndef GITTERD_RUNTIME_CALL_H
#define GITTERD_RUNTIME_CALL_H

#include "runtime/base/slice.h"

/* Which base URL the path is appended to. */
#define CALL_API_LIST(X)                                                                           \
    X(MATRIX)     /* matrix_homeserver_url */                                                      \
    X(GITTER)     /* gitter_api_url, which includes /v1 */                                         \
    X(GITTER_WEB) /* gitter_url: OAuth and logout */                                               \
    X(ELSEWHERE)  /* none: the path is a whole URL, which strangers may have chosen */

/* Whose token goes along. */
#define CALL_AUTH_LIST(X)                                                                          \
    X(NONE)                                                                                        \
    X(APPSERVICE) /* the as_token */                                                               \
    X(OWNER)      /* the Gitter token of `owner`; without one the call waits in its lane */        \
    X(OAUTH)      /* client_id and client_secret are appended to the form body */

/* What may be done when nobody knows whether a call took effect. */
#define CALL_REPEAT_LIST(X)                                                                        \
    X(FREELY) /* idempotent, or made so by its transaction id: simply made again */                \
    X(NEVER)  /* ends UNKNOWN; the actor looks first and decides */

#define CALL_END_LIST(X)                                                                           \
    X(DONE)    /* the other side answered 2xx */                                                   \
    X(FAILED)  /* refused for good, or attempts and age used up without any effect */              \
    X(UNKNOWN) /* it may or may not have taken effect: crash in mid-call, or a lost answer */

enum call_api {
#define CALL_API_ENUM(name) CALL_##name,
    CALL_API_LIST(CALL_API_ENUM)
#undef CALL_API_ENUM
};

enum call_auth {
#define CALL_AUTH_ENUM(name) CALL_AUTH_##name,
    CALL_AUTH_LIST(CALL_AUTH_ENUM)
#undef CALL_AUTH_ENUM
};

enum call_repeat {
#define CALL_REPEAT_ENUM(name) CALL_REPEAT_##name,
    CALL_REPEAT_LIST(CALL_REPEAT_ENUM)
#undef CALL_REPEAT_ENUM
};

enum call_end {
#define CALL_END_ENUM(name) CALL_END_##name,
    CALL_END_LIST(CALL_END_ENUM)
#undef CALL_END_ENUM
};

struct call {
    int purpose; /* kind of the message that reports the end */
    enum call_api api;
    enum call_auth auth;
    enum call_repeat repeat;
    /* Calls of one lane are made one at a time, in the order in which they were declared. */
    struct slice lane;
    /* The Matrix user this call counts against; lanes are served round-robin between owners. */
    struct slice owner;
    /* A barrier: the call waits while that lane holds a call declared up to the same turn. */
    struct slice after_lane;
    struct slice method;
    struct slice path; /* below the base URL, with query, percent-encoded; of ELSEWHERE all of it */
    struct slice body;
    struct slice content_type; /* empty: application/json when there is a body */
    struct slice ref;          /* comes back with the end; what the actor must remember of it */
    int64_t not_before_ms;     /* 0: at once; the lane waits with it */
    int64_t patience_ms;       /* when older than this it ends FAILED; 0: the courier's own limit */
    bool is_catch_up;          /* gives way to live traffic of other lanes */
    bool takes_401; /* a 401 ends it FAILED instead of making the lane wait for a login */
};

/* A call as the outbox holds it. */
struct outbox_call {
    int64_t id;    /* never repeats in one database; grows with each declared call */
    int64_t place; /* order in its lane; its id, or that of the call it succeeds */
    int64_t turn;  /* the turn that declared it */
    int64_t created_ms;
    int actor_kind;
    struct slice actor_key;
    struct call call;
};

/* How a call ended: what the message to the actor carries. */
struct call_ended {
    int64_t end;          /* enum call_end */
    int64_t status;       /* of the HTTP answer; 0 without one */
    struct slice body;    /* of the answer, at most CALL_ANSWER_BYTES_MAX */
    struct slice ref;     /* as declared */
    struct slice request; /* body of the request, for looking and for saying it again */
    struct slice detail;  /* for people: why it failed, when there is no answer */
};

#endif
