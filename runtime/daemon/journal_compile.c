/* gitterd journal compile: inputs written by hand, a JSON object a line, into a log. The actors run
 * on a store in memory; their calls are ended by later lines. */
#include "actors/machine.h"
#include "codecs/json.h"
#include "db/store_memory.h"
#include "runtime/daemon/config.h"
#include "runtime/daemon/journal_file.h"
#include "runtime/daemon/journal_settings.h"
#include "runtime/daemon/journal_tool.h"
#include "runtime/daemon/tables.h"
#include "runtime/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    ARENA_BYTES = 256 * 1024,
    HEADS_MAX = 512
};

struct compile {
    const char *path;
    int64_t line;
    struct arena *arena;
    struct config config;
    struct settings settings;
    struct application application;
    struct store *store;
    struct engine *engine; /* NULL: not begun */
    int64_t now_ms;
    unsigned char random;
};

static bool complain(const struct compile *compile, const char *what, struct slice detail)
{
    (void)fprintf(stderr, "gitterd: %s:%" PRId64 ": %s%s%.*s\n", compile->path, compile->line, what,
                  detail.len > 0 ? ": " : "", SLICE_ARGS(detail));
    return false;
}

/* Effects: nothing leaves, all that matters is in the store. */

static void on_calls(void *context, const struct outbox_call *calls, size_t count)
{
    (void)context;
    (void)calls;
    (void)count;
}

static void on_ended(void *context, const int64_t *ids, const struct slice *lanes, size_t count)
{
    (void)context;
    (void)ids;
    (void)lanes;
    (void)count;
}

static void on_answer(void *context, int64_t request, const struct answer *answer)
{
    (void)context;
    (void)request;
    (void)answer;
}

static void on_link(void *context, const struct link_order *order)
{
    (void)context;
    (void)order;
}

static void on_changed(void *context, struct actor_ref ref)
{
    (void)context;
    (void)ref;
}

static bool on_is_sent(void *context, int64_t call_id)
{
    (void)context;
    (void)call_id;
    return false;
}

static int64_t on_now_ms(void *context)
{
    return ((const struct compile *)context)->now_ms;
}

/* Always the same, so that a log compiled twice is the same. */
static void on_random(void *context, void *out, size_t len)
{
    struct compile *compile = context;
    for (size_t i = 0; i < len; i++) {
        ((unsigned char *)out)[i] = compile->random++;
    }
}

static void begin(struct compile *compile)
{
    const struct journal_options journal = {
        .settings = journal_settings_pack(compile->arena, &compile->settings, &compile->config)};
    const struct engine_options options = {
        .application = &compile->application,
        .store = compile->store,
        .effects = {.context = compile,
                    .calls = on_calls,
                    .ended = on_ended,
                    .answer = on_answer,
                    .link = on_link,
                    .changed = on_changed,
                    .is_sent = on_is_sent},
        .now_ms = on_now_ms,
        .random = on_random,
        .context = compile,
        .epoch = SLICE("hand"),
        .journal = &journal,
    };
    if (compile->engine == NULL && engine_open(&options, &compile->engine) != RC_OK) {
        abort(); /* a store in memory opens */
    }
}

static void run(struct compile *compile)
{
    begin(compile);
    for (;;) {
        const int64_t next_ms = engine_next_ms(compile->engine);
        const bool is_due = next_ms != 0 && next_ms <= compile->now_ms;
        if (!is_due && engine_is_quiet(compile->engine)) {
            return;
        }
        (void)engine_run(compile->engine);
        store_memory_poll(compile->store);
    }
}

/* Lines */

/* A record from an object: values that are no text stand for their JSON, where a text is wanted. */
static void *
record_from(struct arena *arena, const struct record_type *type, const struct json *json)
{
    char *out = arena_alloc(arena, type->size);
    for (size_t i = 0; i < type->fields_count; i++) {
        const struct field *field = &type->fields[i];
        const struct json *member = json_get(json, slice_from_cstr(field->name));
        if (member == NULL) {
            continue;
        }
        if (field->type == FIELD_NUM) {
            const int64_t num = json_int(member, 0);
            memcpy(out + field->offset, &num, sizeof num);
        } else if (field->type == FIELD_FLAG) {
            const bool flag = json_bool(member, false);
            memcpy(out + field->offset, &flag, sizeof flag);
        } else {
            const struct slice text = json_is_text(member) ? json_text(member) : json_raw(member);
            memcpy(out + field->offset, &text, sizeof text);
        }
    }
    return out;
}

static bool take_settings(struct compile *compile, const struct json *settings)
{
    struct settings *to = &compile->settings;
    if (compile->engine != NULL) {
        return complain(compile, "settings stand before all inputs", SLICE_EMPTY);
    }
    const struct {
        struct slice name;
        struct slice *text;
    } texts[] = {{SLICE("domain"), &to->domain},
                 {SLICE("bot"), &to->bot},
                 {SLICE("login_url"), &to->login_url},
                 {SLICE("gitter_url"), &to->gitter_url}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct slice text = json_get_text(settings, texts[i].name);
        *texts[i].text = text.len > 0 ? text : *texts[i].text;
    }
    to->login_invites_max =
        json_get_int(settings, SLICE("login_invites_max"), to->login_invites_max);
    to->room_members_max = json_get_int(settings, SLICE("room_members_max"), to->room_members_max);
    compile->config.matrix_homeserver_domain = to->domain;
    return true;
}

static bool take_event(struct compile *compile, const struct json *event)
{
    const struct msg_event msg = {.raw = json_raw(event)};
    const struct slice id = json_get_text(event, SLICE("event_id"));
    if (id.len == 0) {
        return complain(compile, "an event needs an event_id", SLICE_EMPTY);
    }
    begin(compile);
    engine_post(compile->engine, &(struct input){.msg = {MSG_MATRIX_EVENT, &msg}, .event_id = id});
    run(compile);
    return true;
}

static bool take_input(struct compile *compile, struct slice name, const struct json *body)
{
    const int kind = message_by_name(name);
    if (kind < 0 || message_types[kind].receiver != ACTOR_ROUTER) {
        return complain(compile, "no input of that name", name);
    }
    begin(compile);
    const struct msg msg = {kind, record_from(compile->arena, message_types[kind].record, body)};
    engine_post(compile->engine, &(struct input){.msg = msg});
    run(compile);
    return true;
}

/* The first call of that purpose that a lane would make now; of that actor, if one is named. */
static bool
find_call(struct compile *compile, int purpose, struct slice key, struct outbox_call *out)
{
    struct outbox_call *heads = ARENA_ARRAY(compile->arena, HEADS_MAX, struct outbox_call);
    size_t count = 0;
    bool is_found = false;
    const enum rc rc = compile->store->methods->lane_heads(
        compile->store, SLICE_EMPTY, compile->arena, heads, HEADS_MAX, &count);
    for (size_t i = 0; rc == RC_OK && i < count; i++) {
        const bool is_it = heads[i].call.purpose == purpose &&
                           (key.len == 0 || slice_equal(heads[i].actor_key, key));
        if (is_it && (!is_found || heads[i].id < out->id)) {
            *out = heads[i];
            is_found = true;
        }
    }
    return is_found;
}

static int64_t end_by_name(struct slice name)
{
    return slice_equal(name, SLICE("FAILED"))    ? CALL_END_FAILED
           : slice_equal(name, SLICE("UNKNOWN")) ? CALL_END_UNKNOWN
                                                 : CALL_END_DONE;
}

static bool take_ended(struct compile *compile, struct slice name, const struct json *line)
{
    const int purpose = message_by_name(name);
    struct outbox_call call = {.id = 0};
    begin(compile);
    if (purpose < 0 || !find_call(compile, purpose, json_get_text(line, SLICE("key")), &call)) {
        return complain(compile, "no call of that name waits at the head of its lane", name);
    }
    const struct json *body = json_get(line, SLICE("body"));
    const struct call_ended ended = {
        .end = end_by_name(json_get_text(line, SLICE("end"))),
        .status = json_get_int(line, SLICE("status"), 200),
        .body = json_is_text(body) ? json_text(body) : json_raw(body),
        .detail = json_get_text(line, SLICE("detail")),
        .ref = call.call.ref,
        .request = call.call.body,
    };
    engine_post(compile->engine, &(struct input){.msg = {purpose, &ended}, .ended = &call});
    run(compile);
    return true;
}

static bool take_line(struct compile *compile, const struct json *line)
{
    const struct json *settings = json_get(line, SLICE("settings"));
    const struct json *event = json_get(line, SLICE("event"));
    const struct slice input = json_get_text(line, SLICE("input"));
    const struct slice ended = json_get_text(line, SLICE("ended"));
    const int64_t wait_ms = json_get_int(line, SLICE("wait_ms"), 0);
    compile->now_ms += wait_ms;
    if (settings != NULL) {
        return take_settings(compile, settings);
    }
    if (event != NULL) {
        return take_event(compile, event);
    }
    if (input.len > 0) {
        return take_input(compile, input, json_get(line, SLICE("body")));
    }
    if (ended.len > 0) {
        return take_ended(compile, ended, line);
    }
    if (wait_ms == 0) {
        return complain(compile, "none of settings, event, input, ended, wait_ms", SLICE_EMPTY);
    }
    run(compile);
    return true;
}

static bool take_lines(struct compile *compile, struct slice text)
{
    while (text.len > 0) {
        const struct slice line = slice_trim(slice_cut(&text, '\n'));
        struct json *json = NULL;
        compile->line++;
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        if (json_parse(compile->arena, line, &json) != RC_OK || !json_is_object(json)) {
            return complain(compile, "no JSON object", SLICE_EMPTY);
        }
        if (!take_line(compile, json)) {
            return false;
        }
    }
    return true;
}

static bool read_text(struct compile *compile, struct slice *text)
{
    FILE *file = fopen(compile->path, "rbe");
    struct buf buf;
    char chunk[4096];
    size_t got = 0;
    if (file == NULL) {
        (void)fprintf(stderr, "gitterd: %s: %s\n", compile->path, strerror(errno));
        return false;
    }
    buf_init(&buf, compile->arena);
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) {
        buf_put(&buf, slice_make(chunk, got));
    }
    (void)fclose(file);
    *text = buf_slice(&buf);
    return true;
}

static int write_log(struct compile *compile, const char *to)
{
    struct journal_output output;
    struct buf head;
    if (journal_output_open(&output, to) != RC_OK) {
        return EXIT_FAILED;
    }
    buf_init(&head, compile->arena);
    journal_log_put(&head);
    journal_output_put(&output, buf_slice(&head));
    journal_output_put(&output, store_memory_journal(compile->store, compile->arena));
    return journal_output_close(&output, true) == RC_OK ? EXIT_DONE : EXIT_FAILED;
}

int journal_compile_run(const char *from, const char *to)
{
    struct compile compile = {
        .path = from,
        .arena = arena_open(ARENA_BYTES),
        .config = {.matrix_homeserver_domain = SLICE("hs")},
        .settings = {.domain = SLICE("hs"),
                     .bot = SLICE("@gitter:hs"),
                     .login_url = SLICE("https://login.example"),
                     .gitter_url = SLICE("https://gitter.example"),
                     .oauth_key = SLICE("client"),
                     .owner_outbox_max = 10000,
                     .is_login_https = true,
                     .is_permitted = config_is_permitted,
                     .is_admin = config_is_admin},
        .application = {.machines = machines,
                        .machines_count = ACTOR_KINDS,
                        .messages = message_types,
                        .messages_count = MSG_KINDS,
                        .route = router_route},
        .store = store_memory_open(store_tables(), ACTOR_KINDS),
        .now_ms = INT64_C(1700000000000),
    };
    struct slice text = SLICE_EMPTY;
    int status = EXIT_FAILED;
    compile.settings.permissions = &compile.config;
    compile.application.settings = &compile.settings;
    if (read_text(&compile, &text) && take_lines(&compile, text)) {
        status = write_log(&compile, to);
    }
    engine_close(compile.engine);
    compile.store->methods->close(compile.store);
    arena_close(compile.arena);
    return status;
}
