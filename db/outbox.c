#include "db/outbox.h"

#include "runtime/base/check.h"

#define NAME(name) #name,
static const char *const api_names[] = {CALL_API_LIST(NAME)};
static const char *const auth_names[] = {CALL_AUTH_LIST(NAME)};
static const char *const repeat_names[] = {CALL_REPEAT_LIST(NAME)};
#undef NAME

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum column {
    COLUMN_ID,
    COLUMN_PLACE,
    COLUMN_TURN,
    COLUMN_CREATED,
    COLUMN_ACTOR,
    COLUMN_ACTOR_KEY,
    COLUMN_PURPOSE,
    COLUMN_API,
    COLUMN_AUTH,
    COLUMN_REPEAT,
    COLUMN_LANE,
    COLUMN_OWNER,
    COLUMN_AFTER_LANE,
    COLUMN_METHOD,
    COLUMN_PATH,
    COLUMN_CONTENT_TYPE,
    COLUMN_REF,
    COLUMN_NOT_BEFORE,
    COLUMN_PATIENCE,
    COLUMN_IS_CATCH_UP,
    COLUMN_TAKES_401,
    COLUMN_BODY,
    COLUMNS_COUNT
};

_Static_assert((int)COLUMNS_COUNT == (int)OUTBOX_COLUMNS_COUNT, "columns are named in the header");

static struct slice name_of(const char *const *names, size_t count, size_t number)
{
    CHECK(number < count);
    return slice_from_cstr(names[number]);
}

/* The number behind the name in a column; `count` if there is none. */
static size_t
number_of(struct query *query, enum column column, const char *const *names, size_t count)
{
    const struct slice name = query_peek_text(query, (int)column);
    size_t number = 0;
    while (number < count && !slice_equal(name, slice_from_cstr(names[number]))) {
        number++;
    }
    return number;
}

enum call_auth outbox_auth(struct slice name)
{
    size_t auth = 0;
    while (auth < COUNT(auth_names) && !slice_equal_cstr(name, auth_names[auth])) {
        auth++;
    }
    return auth < COUNT(auth_names) ? (enum call_auth)auth : CALL_AUTH_NONE;
}

static size_t kind_of(struct query *query, const struct outbox_names *names)
{
    const struct slice name = query_peek_text(query, COLUMN_ACTOR);
    size_t kind = 0;
    while (kind < names->tables_count &&
           !slice_equal(name, slice_from_cstr(names->tables[kind].name))) {
        kind++;
    }
    return kind;
}

static enum rc
read_purpose(struct query *query, const struct outbox_names *names, struct call *call)
{
    if (names->purposes == NULL) {
        int64_t number = 0;
        const enum rc rc = slice_to_int(query_peek_text(query, COLUMN_PURPOSE), &number);
        call->purpose = (int)number;
        return rc == RC_OK ? RC_OK : RC_CORRUPT;
    }
    const size_t number = number_of(query, COLUMN_PURPOSE, names->purposes, names->purposes_count);
    call->purpose = (int)number;
    return number < names->purposes_count ? RC_OK : RC_CORRUPT;
}

static enum rc
read_names(struct query *query, const struct outbox_names *names, struct outbox_call *out)
{
    const size_t kind = kind_of(query, names);
    const size_t api = number_of(query, COLUMN_API, api_names, COUNT(api_names));
    const size_t auth = number_of(query, COLUMN_AUTH, auth_names, COUNT(auth_names));
    const size_t repeat = number_of(query, COLUMN_REPEAT, repeat_names, COUNT(repeat_names));
    if (kind == names->tables_count || api == COUNT(api_names) || auth == COUNT(auth_names) ||
        repeat == COUNT(repeat_names)) {
        return RC_CORRUPT;
    }
    out->actor_kind = (int)kind;
    out->call.api = (enum call_api)api;
    out->call.auth = (enum call_auth)auth;
    out->call.repeat = (enum call_repeat)repeat;
    return read_purpose(query, names, &out->call);
}

enum rc outbox_read(struct query *query,
                    const struct outbox_names *names,
                    struct arena *arena,
                    struct outbox_call *out)
{
    *out = (struct outbox_call){
        .id = query_get_int(query, COLUMN_ID),
        .place = query_get_int(query, COLUMN_PLACE),
        .turn = query_get_int(query, COLUMN_TURN),
        .created_ms = query_get_int(query, COLUMN_CREATED),
        .actor_key = query_get_text(query, COLUMN_ACTOR_KEY, arena),
        .call =
            {
                .lane = query_get_text(query, COLUMN_LANE, arena),
                .owner = query_get_text(query, COLUMN_OWNER, arena),
                .after_lane = query_get_text(query, COLUMN_AFTER_LANE, arena),
                .method = query_get_text(query, COLUMN_METHOD, arena),
                .path = query_get_text(query, COLUMN_PATH, arena),
                .content_type = query_get_text(query, COLUMN_CONTENT_TYPE, arena),
                .ref = query_get_text(query, COLUMN_REF, arena),
                .body = query_get_text(query, COLUMN_BODY, arena),
                .not_before_ms = query_get_int(query, COLUMN_NOT_BEFORE),
                .patience_ms = query_get_int(query, COLUMN_PATIENCE),
                .is_catch_up = query_get_int(query, COLUMN_IS_CATCH_UP) != 0,
                .takes_401 = query_get_int(query, COLUMN_TAKES_401) != 0,
            },
    };
    return read_names(query, names, out);
}

static struct slice
purpose_name(const struct outbox_names *names, struct arena *scratch, int purpose)
{
    if (names->purposes == NULL) {
        return arena_printf(scratch, "%d", purpose);
    }
    CHECK(purpose >= 0);
    return name_of(names->purposes, names->purposes_count, (size_t)purpose);
}

enum rc outbox_write(sqlite3_stmt *insert,
                     const struct outbox_names *names,
                     struct arena *scratch,
                     const struct outbox_call *call)
{
    CHECK(call->actor_kind >= 0 && (size_t)call->actor_kind < names->tables_count);
    const struct call *what = &call->call;
    struct query query = query_begin(insert);
    query_int(&query, call->id);
    query_int(&query, call->place);
    query_int(&query, call->turn);
    query_int(&query, call->created_ms);
    query_text(&query, slice_from_cstr(names->tables[call->actor_kind].name));
    query_text(&query, call->actor_key);
    query_text(&query, purpose_name(names, scratch, what->purpose));
    query_text(&query, name_of(api_names, COUNT(api_names), (size_t)what->api));
    query_text(&query, name_of(auth_names, COUNT(auth_names), (size_t)what->auth));
    query_text(&query, name_of(repeat_names, COUNT(repeat_names), (size_t)what->repeat));
    query_text(&query, what->lane);
    query_text(&query, what->owner);
    query_text(&query, what->after_lane);
    query_text(&query, what->method);
    query_text(&query, what->path);
    query_text(&query, what->content_type);
    query_text(&query, what->ref);
    query_int(&query, what->not_before_ms);
    query_int(&query, what->patience_ms);
    query_int(&query, what->is_catch_up);
    query_int(&query, what->takes_401);
    query_blob(&query, what->body);
    CHECK(query.next == OUTBOX_COLUMNS_COUNT + 1);
    return query_run(&query);
}
