#include "runtime/daemon/appservice.h"

#include "actors/ghost/ghost.h"
#include "codecs/ghostid.h"
#include "codecs/json.h"
#include "codecs/url.h"
#include "runtime/base/check.h"
#include "runtime/base/limits.h"
#include "runtime/log.h"

#include <stdlib.h>

enum {
    SMALL_BODY_BYTES_MAX = 64 * 1024,
    ARENA_BYTES = 64 * 1024,
};

struct appservice {
    struct appservice_options options;
    struct http_server *server;
    struct arena *arena; /* of the request at hand */
    struct appservice_counts counts;
};

/* A transaction whose events are on their way into the database. */
struct transaction {
    struct appservice *appservice;
    uint64_t request_id;
    size_t waiting;
    enum rc worst;
};

struct appservice *appservice_open(const struct appservice_options *options)
{
    struct appservice *appservice = calloc(1, sizeof *appservice);
    CHECK(appservice != NULL);
    appservice->options = *options;
    appservice->arena = arena_open(ARENA_BYTES);
    return appservice;
}

void appservice_close(struct appservice *appservice)
{
    if (appservice != NULL) {
        arena_close(appservice->arena);
        free(appservice);
    }
}

void appservice_serve(struct appservice *appservice, struct http_server *server)
{
    appservice->server = server;
}

struct appservice_counts appservice_counts(const struct appservice *appservice)
{
    return appservice->counts;
}

#define ERROR_BODY(errcode, text) SLICE("{\"errcode\":\"" errcode "\",\"error\":\"" text "\"}")

/* The token: Synapse sends it in the header, the Conduit family in the query as well; they must
 * then be equal. A token in the query alone is what homeservers did before 2022. */

static struct slice bearer_token(const struct http_head *head)
{
    const struct slice scheme = SLICE("Bearer ");
    const struct slice value = head->authorization;
    const bool is_bearer =
        value.len > scheme.len && slice_equal_fold(slice_first(value, scheme.len), scheme);
    return is_bearer ? slice_trim(slice_from(value, scheme.len)) : SLICE_EMPTY;
}

static enum rc check_token(struct appservice *appservice,
                           const struct http_head *head,
                           struct http_answer *refusal)
{
    const struct slice wanted = appservice->options.hs_token;
    struct slice token = bearer_token(head);
    struct slice query = SLICE_EMPTY;
    const bool has_query =
        url_form_find(appservice->arena, head->query, SLICE("access_token"), &query, NULL) == RC_OK;
    if (token.len == 0 && has_query && appservice->options.is_legacy) {
        token = query;
    }
    if (token.len == 0) {
        *refusal = http_answer_json(401, ERROR_BODY("M_MISSING_TOKEN", "No bearer token"));
        return RC_REFUSED;
    }
    if (!slice_equal_secret(wanted, token) || (has_query && !slice_equal_secret(wanted, query))) {
        log_event(appservice->options.log, LOG_WARN, "homeserver_token_wrong",
                  LOG_TEXT("remote", head->remote));
        *refusal = http_answer_json(403, ERROR_BODY("M_FORBIDDEN", "Wrong token"));
        return RC_REFUSED;
    }
    return RC_OK;
}

/* Paths below the prefix that came with version 1 of the API; without it for homeservers before
 * that. */
static bool path_below(const struct appservice *appservice,
                       struct slice path,
                       struct slice what,
                       struct slice *rest)
{
    const struct slice prefix = SLICE("/_matrix/app/v1");
    const bool has_prefix = slice_starts_with(path, prefix);
    const struct slice bare = has_prefix ? slice_from(path, prefix.len) : path;
    *rest = slice_from(bare, what.len);
    return (has_prefix || appservice->options.is_legacy) && slice_starts_with(bare, what);
}

static enum rc on_head(void *context,
                       const struct http_head *head,
                       size_t *body_bytes_max,
                       struct http_answer *refusal)
{
    struct appservice *appservice = context;
    struct slice rest = SLICE_EMPTY;
    arena_reset(appservice->arena);
    if (!path_below(appservice, head->path, SLICE("/transactions/"), &rest)) {
        *body_bytes_max = SMALL_BODY_BYTES_MAX;
    }
    return check_token(appservice, head, refusal);
}

static void
answer(struct appservice *appservice, uint64_t request_id, int status, struct slice body)
{
    const struct http_answer reply = http_answer_json(status, body);
    http_server_answer(appservice->server, request_id, &reply);
}

static void finish(struct transaction *transaction)
{
    if (transaction->worst == RC_OK) {
        answer(transaction->appservice, transaction->request_id, 200, SLICE("{}"));
    } else {
        answer(transaction->appservice, transaction->request_id, 503,
               ERROR_BODY("M_UNKNOWN", "The database does not take it; please repeat"));
    }
    free(transaction);
}

static void event_is_done(void *context, enum rc rc)
{
    struct transaction *transaction = context;
    transaction->worst = rc != RC_OK ? rc : transaction->worst;
    transaction->waiting--;
    if (transaction->waiting == 0) {
        finish(transaction);
    }
}

static void post_events(struct appservice *appservice,
                        struct transaction *transaction,
                        const struct matrix_raw_event *events,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct msg_event event = {.raw = events[i].raw};
        appservice->counts.events++;
        if (events[i].event_id.len == 0) {
            appservice->counts.bad_events++;
            log_event(appservice->options.log, LOG_WARN, "event_bad",
                      LOG_INT("bytes", events[i].raw.len));
            continue;
        }
        transaction->waiting++;
        engine_post(appservice->options.engine, &(struct input){
                                                    .msg = {MSG_MATRIX_EVENT, &event},
                                                    .event_id = events[i].event_id,
                                                    .done = event_is_done,
                                                    .context = transaction,
                                                    .is_repeatable = true,
                                                });
    }
}

static void take_transaction(struct appservice *appservice, uint64_t request_id, struct slice body)
{
    struct matrix_raw_event *events = NULL;
    size_t count = 0;
    if (matrix_transaction_split(appservice->arena, body, &events, &count) != RC_OK) {
        log_event(appservice->options.log, LOG_WARN, "transaction_malformed",
                  LOG_INT("bytes", body.len));
        answer(appservice, request_id, 400,
               ERROR_BODY("M_BAD_JSON", "Not an object with an array of events"));
        return;
    }
    struct transaction *transaction = malloc(sizeof *transaction);
    CHECK(transaction != NULL);
    *transaction = (struct transaction){appservice, request_id, 0, RC_OK};
    appservice->counts.transactions++;
    post_events(appservice, transaction, events, count);
    if (transaction->waiting == 0) {
        finish(transaction);
    }
}

static bool ghost_is_known(struct appservice *appservice, struct slice mxid)
{
    struct slice gitter_user = SLICE_EMPTY;
    int state = GHOST_UNKNOWN;
    return ghostid_parse(appservice->arena, mxid, appservice->options.domain, &gitter_user) ==
               RC_OK &&
           engine_peek(appservice->options.engine, (struct actor_ref){ACTOR_GHOST, gitter_user},
                       &state) != NULL &&
           state == GHOST_READY;
}

/* Asked before an invite of an unknown user is pushed: only who is there already is there. */
static void
take_user_query(struct appservice *appservice, uint64_t request_id, struct slice encoded)
{
    struct slice mxid = SLICE_EMPTY;
    if (url_decode(appservice->arena, encoded, &mxid) == RC_OK &&
        (slice_equal(mxid, appservice->options.bot) || ghost_is_known(appservice, mxid))) {
        answer(appservice, request_id, 200, SLICE("{}"));
        return;
    }
    answer(appservice, request_id, 404, ERROR_BODY("M_NOT_FOUND", "No such user"));
}

static void take_ping(struct appservice *appservice, uint64_t request_id, struct slice body)
{
    struct json *ping = NULL;
    if (json_parse(appservice->arena, body, &ping) != RC_OK || !json_is_object(ping)) {
        answer(appservice, request_id, 400, ERROR_BODY("M_NOT_JSON", "Not a JSON object"));
        return;
    }
    log_event(appservice->options.log, LOG_INFO, "homeserver_pinged_us", LOG_BOOL("ours", true));
    answer(appservice, request_id, 200, SLICE("{}"));
}

static void take_room_query(struct appservice *appservice, uint64_t request_id, struct slice alias)
{
    (void)alias;
    answer(appservice, request_id, 404, ERROR_BODY("M_NOT_FOUND", "No such room"));
}

struct route {
    struct slice method;
    struct slice path; /* ends in '/': the rest is an argument, which must not be empty */
    void (*take_rest)(struct appservice *appservice, uint64_t request_id, struct slice rest);
    void (*take_body)(struct appservice *appservice, uint64_t request_id, struct slice body);
};

static const struct route routes[] = {
    {SLICE_INIT("PUT"), SLICE_INIT("/transactions/"), NULL, take_transaction},
    {SLICE_INIT("GET"), SLICE_INIT("/users/"), take_user_query, NULL},
    {SLICE_INIT("GET"), SLICE_INIT("/rooms/"), take_room_query, NULL},
    {SLICE_INIT("POST"), SLICE_INIT("/ping"), NULL, take_ping},
};

static const struct route *
find_route(const struct appservice *appservice, struct slice path, struct slice *rest)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const bool takes_more = slice_ends_with(routes[i].path, SLICE("/"));
        if (path_below(appservice, path, routes[i].path, rest) && (rest->len > 0) == takes_more) {
            return &routes[i];
        }
    }
    return NULL;
}

static void on_request(void *context, const struct http_head *head, struct slice body)
{
    struct appservice *appservice = context;
    struct slice rest = SLICE_EMPTY;
    const struct route *route = find_route(appservice, head->path, &rest);
    arena_reset(appservice->arena);
    if (route == NULL) {
        answer(appservice, head->request_id, 404, ERROR_BODY("M_UNRECOGNIZED", "No such endpoint"));
    } else if (!slice_equal(head->method, route->method)) {
        answer(appservice, head->request_id, 405, ERROR_BODY("M_UNRECOGNIZED", "Wrong method"));
    } else if (route->take_body != NULL) {
        route->take_body(appservice, head->request_id, body);
    } else {
        route->take_rest(appservice, head->request_id, rest);
    }
}

/* What the listener refuses by itself, in Matrix' words. */
static void on_refuse(void *context, struct http_answer *answer)
{
    (void)context;
    answer->content_type = SLICE("application/json");
    answer->body = answer->status == 413
                       ? ERROR_BODY("M_TOO_LARGE", "The body is too large")
                       : ERROR_BODY("M_UNKNOWN", "The request cannot be taken as it came");
}

struct http_handler appservice_handler(struct appservice *appservice)
{
    return (struct http_handler){.context = appservice,
                                 .on_head = on_head,
                                 .on_request = on_request,
                                 .on_refuse = on_refuse};
}
