#include "runtime/courier_judge.h"

#include "codecs/json.h"
#include "runtime/base/arena.h"

#include <time.h>

#include <curl/curl.h>

enum {
    HTTP_OK = 200,
    HTTP_REDIRECT = 300,
    HTTP_UNAUTHORIZED = 401,
    HTTP_TOO_MANY = 429,
    HTTP_SERVER_ERROR = 500,
    HTTP_NOT_IMPLEMENTED = 501,
    HTTP_VERSION = 505,
    /* the longest pause a server can ask for, and the longest rest of a window of Gitter's */
    PAUSE_MS_MAX = 60 * 60 * 1000,
    BUDGET_MS_MAX = 5 * 60 * 1000,
    /* an answer of 429 is some hundred bytes */
    TOO_MANY_BODY_BYTES_MAX = 4096
};

static struct judgement end_as(enum call_end end, const char *detail)
{
    return (struct judgement){.action = JUDGE_END, .end = end, .detail = detail};
}

/* The call took effect, or not: nobody knows. */
static struct judgement lose(const struct call *call, const char *detail)
{
    if (call->repeat == CALL_REPEAT_NEVER) {
        return end_as(CALL_END_UNKNOWN, detail);
    }
    return (struct judgement){.action = JUDGE_AGAIN};
}

static int64_t clamp(int64_t value, int64_t max)
{
    return value < 0 ? 0 : value > max ? max : value;
}

/* An HTTP date as ms since the epoch; 0 if it is none. */
static int64_t parse_date(struct slice text)
{
    char date[64];
    if (text.len == 0 || text.len >= sizeof date) {
        return 0;
    }
    for (size_t i = 0; i < text.len; i++) {
        date[i] = text.ptr[i];
    }
    date[text.len] = '\0';
    const time_t seconds = curl_getdate(date, NULL);
    return seconds <= 0 ? 0 : (int64_t)seconds * 1000;
}

/* The server's clock as far as it tells; else ours. */
static int64_t server_now_ms(const struct wire_answer *answer, int64_t now_ms)
{
    const int64_t date_ms = parse_date(answer->headers[WIRE_DATE]);
    return date_ms != 0 ? date_ms : now_ms;
}

static int64_t retry_after_ms(const struct wire_answer *answer, int64_t now_ms)
{
    const struct slice text = slice_trim(answer->headers[WIRE_RETRY_AFTER]);
    int64_t seconds = 0;
    if (slice_to_int(text, &seconds) == RC_OK) {
        return clamp(seconds, PAUSE_MS_MAX / 1000) * 1000;
    }
    const int64_t date_ms = parse_date(text);
    return date_ms == 0 ? 0 : clamp(date_ms - server_now_ms(answer, now_ms), PAUSE_MS_MAX);
}

static int64_t body_retry_after_ms(const struct wire_answer *answer)
{
    struct json *json = NULL;
    int64_t wait_ms = 0;
    if (answer->body.len == 0 || answer->body.len > TOO_MANY_BODY_BYTES_MAX) {
        return 0;
    }
    struct arena *arena = arena_open(TOO_MANY_BODY_BYTES_MAX);
    if (json_parse(arena, answer->body, &json) == RC_OK) {
        wait_ms = json_get_int(json, SLICE("retry_after_ms"), 0);
    }
    arena_close(arena);
    return clamp(wait_ms, PAUSE_MS_MAX);
}

static int64_t reset_ms(const struct wire_answer *answer, int64_t now_ms)
{
    int64_t at_ms = 0;
    if (slice_to_int(slice_trim(answer->headers[WIRE_RATE_RESET]), &at_ms) != RC_OK || at_ms <= 0) {
        return 0;
    }
    return clamp(at_ms - server_now_ms(answer, now_ms), BUDGET_MS_MAX);
}

int64_t judge_budget_ms(const struct wire_answer *answer, int64_t now_ms)
{
    int64_t remaining = 0;
    const struct slice text = slice_trim(answer->headers[WIRE_RATE_REMAINING]);
    if (answer->outcome != WIRE_ANSWERED || slice_to_int(text, &remaining) != RC_OK ||
        remaining > 0) {
        return 0;
    }
    return reset_ms(answer, now_ms);
}

static struct judgement judge_too_many(const struct wire_answer *answer, int64_t now_ms)
{
    int64_t wait_ms = retry_after_ms(answer, now_ms);
    if (wait_ms == 0) {
        wait_ms = body_retry_after_ms(answer);
    }
    if (wait_ms == 0) {
        wait_ms = reset_ms(answer, now_ms);
    }
    return (struct judgement){.action = JUDGE_PAUSE, .wait_ms = wait_ms, .has_no_effect = true};
}

static struct judgement judge_unauthorized(const struct call *call)
{
    if (!call->takes_401 && call->auth == CALL_AUTH_OWNER) {
        return (struct judgement){.action = JUDGE_LOGIN, .has_no_effect = true};
    }
    if (!call->takes_401 && call->auth == CALL_AUTH_APPSERVICE) {
        return (struct judgement){.action = JUDGE_AS_TOKEN, .has_no_effect = true};
    }
    return end_as(CALL_END_FAILED, NULL);
}

static struct judgement judge_server_error(const struct call *call,
                                           const struct wire_answer *answer,
                                           int server_errors,
                                           int64_t now_ms)
{
    const int status = answer->status;
    if (status == HTTP_NOT_IMPLEMENTED || status == HTTP_VERSION) {
        return end_as(CALL_END_FAILED, NULL);
    }
    struct judgement judgement = lose(call, NULL);
    if (judgement.action == JUDGE_END) {
        return judgement;
    }
    if (status == HTTP_SERVER_ERROR && server_errors + 1 >= JUDGE_SERVER_ERRORS_MAX) {
        return end_as(CALL_END_FAILED, NULL);
    }
    judgement.wait_ms = retry_after_ms(answer, now_ms);
    if (judgement.wait_ms > 0) {
        judgement.action = JUDGE_PAUSE;
    }
    return judgement;
}

static struct judgement judge_status(const struct call *call,
                                     const struct wire_answer *answer,
                                     int server_errors,
                                     int64_t now_ms)
{
    const int status = answer->status;
    if (status >= HTTP_OK && status < HTTP_REDIRECT) {
        return end_as(CALL_END_DONE, NULL);
    }
    if (status == HTTP_TOO_MANY) {
        return judge_too_many(answer, now_ms);
    }
    if (status == HTTP_UNAUTHORIZED) {
        return judge_unauthorized(call);
    }
    if (status >= HTTP_SERVER_ERROR) {
        return judge_server_error(call, answer, server_errors, now_ms);
    }
    return end_as(CALL_END_FAILED, NULL);
}

static struct judgement judge_too_big(const struct call *call, const struct wire_answer *answer)
{
    const char *detail = "the answer is larger than the limit";
    const bool had_effect = answer->status >= HTTP_OK && answer->status < HTTP_REDIRECT;
    return end_as(call->repeat == CALL_REPEAT_NEVER && had_effect ? CALL_END_UNKNOWN
                                                                  : CALL_END_FAILED,
                  detail);
}

struct judgement judge_answer(const struct call *call,
                              const struct wire_answer *answer,
                              int server_errors,
                              int64_t now_ms)
{
    switch (answer->outcome) {
    case WIRE_ANSWERED:
        return judge_status(call, answer, server_errors, now_ms);
    case WIRE_UNREACHABLE:
        if (call->api == CALL_ELSEWHERE) { /* its host is nobody's business but this call's */
            return end_as(CALL_END_FAILED, answer->error);
        }
        return (struct judgement){.action = JUDGE_UNREACHABLE, .has_no_effect = true};
    case WIRE_LOST:
        return lose(call, answer->error);
    case WIRE_TOO_BIG:
        return judge_too_big(call, answer);
    case WIRE_MALFORMED:
        break;
    }
    return end_as(CALL_END_FAILED, answer->error);
}
