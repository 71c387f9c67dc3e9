/* runtime/courier_judge.h: what an answer means for a call. Pure.
 *
 *   what came                     FREELY                          NEVER
 *   2xx                           DONE                            DONE
 *   401, owner's token            the lane waits for a login, unless takes_401: FAILED
 *   401, appservice's token       again after a long pause of the host (the operator must act)
 *   429                           again after the pause it asks for
 *   500                           again, FAILED at the 5th         UNKNOWN
 *   501, 505                      FAILED                          FAILED
 *   502, 503, 504, other 5xx      again                           UNKNOWN
 *   other statuses                FAILED                          FAILED
 *   nothing was sent              again, after a pause of the host
 *   no whole answer               again                           UNKNOWN
 *   answer too big                FAILED                          UNKNOWN if it was a 2xx
 *   refused by libcurl            FAILED                          FAILED
 *
 * Gitter answers 500 to some malformed requests, so that repeating it for ever would block a lane.
 * A gateway that says 502 to 504 may have passed the request on.
 *
 * Units: ms; `now_ms` since the epoch.
 */
#ifndef GITTERD_RUNTIME_COURIER_JUDGE_H
#define GITTERD_RUNTIME_COURIER_JUDGE_H

#include "runtime/courier_wire.h"

enum {
    JUDGE_SERVER_ERRORS_MAX = 5
};

enum judge_action {
    JUDGE_END,         /* ends as `end` says */
    JUDGE_AGAIN,       /* the lane waits, then the call is made again */
    JUDGE_PAUSE,       /* who shares the limit waits, then the call is made again */
    JUDGE_UNREACHABLE, /* the host waits */
    JUDGE_LOGIN,       /* the lanes of the owner wait for a token */
    JUDGE_AS_TOKEN,    /* the host waits for long */
};

struct judgement {
    enum judge_action action;
    enum call_end end;
    int64_t wait_ms;    /* of AGAIN and PAUSE; 0: by back-off */
    const char *detail; /* for people, when there is no status to show; may be NULL */
    bool has_no_effect; /* certainly none: the call may still be cancelled */
};

/* `server_errors` is how many answers of 500 this call had before. */
struct judgement judge_answer(const struct call *call,
                              const struct wire_answer *answer,
                              int server_errors,
                              int64_t now_ms);

/* How long the owner must pause because this answer used up the budget of Gitter's rate limit (100
 * calls in 60 s for each user); 0: not at all. */
int64_t judge_budget_ms(const struct wire_answer *answer, int64_t now_ms);

#endif
