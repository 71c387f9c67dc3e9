/* What comes in from outside, and looking at what came of it. */
#include "codecs/json.h"
#include "tests/trace/world_parts.h"

#include <inttypes.h>

/* Inputs */

void world_post(struct world *world, int kind, const void *body)
{
    world_queue(world, kind, body);
    world_run(world);
}

static void event_is_done(void *context, enum rc rc)
{
    struct world_event *event = context;
    event->is_done = rc == RC_OK;
    event->rc = rc;
}

static void post_event(struct world *world, struct world_event *event)
{
    const struct msg_event msg = {.raw = event->raw};
    engine_post(world->engine, &(struct input){
                                   .msg = {MSG_MATRIX_EVENT, &msg},
                                   .event_id = event->id,
                                   .done = event_is_done,
                                   .context = event,
                                   .is_repeatable = true,
                               });
}

void world_repeat_events(struct world *world)
{
    for (size_t i = 0; i < world->events_count; i++) {
        if (!world->events[i].is_done) {
            post_event(world, &world->events[i]);
        }
    }
}

struct slice world_event(struct world *world, struct slice raw)
{
    struct json *json = NULL;
    ck_assert_uint_lt(world->events_count, WORLD_EVENTS_MAX);
    struct world_event *event = &world->events[world->events_count++];
    *event = (struct world_event){.world = world, .raw = raw};
    if (json_parse(world->arena, raw, &json) == RC_OK) {
        event->id = json_get_text(json, SLICE("event_id"));
    }
    post_event(world, event);
    world_run(world);
    return event->id;
}

struct slice
world_content(struct world *world, const char *room, const char *sender, const char *content)
{
    world->ids++;
    return world_event(world,
                       arena_printf(world->arena,
                                    "{\"event_id\":\"$in%" PRId64 "\",\"type\":\"m.room.message\","
                                    "\"room_id\":\"%s\",\"sender\":\"%s\",\"content\":%s}",
                                    world->ids, room, sender, content));
}

struct slice world_text(struct world *world, const char *room, const char *sender, const char *body)
{
    struct json_writer writer;
    json_writer_init(&writer, world->arena);
    json_open_object(&writer);
    json_put_member(&writer, SLICE("msgtype"), SLICE("m.text"));
    json_put_member(&writer, SLICE("body"), slice_from_cstr(body));
    json_close_object(&writer);
    return world_content(world, room, sender, json_writer_end(&writer).ptr);
}

struct slice world_edit(struct world *world,
                        const char *room,
                        const char *sender,
                        struct slice event_id,
                        const char *body)
{
    return world_content(world, room, sender,
                         arena_printf(world->arena,
                                      "{\"msgtype\":\"m.text\",\"body\":\"* %s\",\"m.new_content\":"
                                      "{\"msgtype\":\"m.text\",\"body\":\"%s\"},\"m.relates_to\":"
                                      "{\"rel_type\":\"m.replace\",\"event_id\":\"%.*s\"}}",
                                      body, body, SLICE_ARGS(event_id))
                             .ptr);
}

/* "{}", or with the membership before. */
static struct slice unsigned_of(struct world *world, struct slice before)
{
    return before.len == 0
               ? SLICE("{}")
               : arena_printf(world->arena, "{\"prev_content\":{\"membership\":\"%.*s\"}}",
                              SLICE_ARGS(before));
}

void world_member(
    struct world *world, const char *room, const char *sender, const char *user, const char *change)
{
    struct slice after = slice_from_cstr(change);
    const bool has_before = slice_find_byte(after, '>') < after.len;
    const struct slice before = has_before ? slice_cut(&after, '>') : SLICE_EMPTY;
    world->ids++;
    (void)world_event(world,
                      arena_printf(world->arena,
                                   "{\"event_id\":\"$in%" PRId64 "\",\"type\":\"m.room.member\","
                                   "\"room_id\":\"%s\",\"sender\":\"%s\",\"state_key\":\"%s\","
                                   "\"content\":{\"membership\":\"%.*s\"},\"unsigned\":%.*s}",
                                   world->ids, room, sender, user, SLICE_ARGS(after),
                                   SLICE_ARGS(unsigned_of(world, before))));
}

void world_redact(struct world *world, const char *room, const char *sender, struct slice event_id)
{
    world->ids++;
    (void)world_event(world,
                      arena_printf(world->arena,
                                   "{\"event_id\":\"$in%" PRId64 "\",\"type\":\"m.room.redaction\","
                                   "\"room_id\":\"%s\",\"sender\":\"%s\",\"redacts\":\"%.*s\","
                                   "\"content\":{}}",
                                   world->ids, room, sender, SLICE_ARGS(event_id)));
}

void world_created(struct world *world, const char *room, const char *sender, const char *marker)
{
    world->ids++;
    (void)world_event(world,
                      arena_printf(world->arena,
                                   "{\"event_id\":\"$in%" PRId64 "\",\"type\":\"m.room.create\","
                                   "\"room_id\":\"%s\",\"sender\":\"%s\",\"state_key\":\"\","
                                   "\"content\":{\"gitterd.room\":\"%s\"}}",
                                   world->ids, room, sender, marker));
}

static struct world_page *ask(struct world *world, struct msg_web *web, struct slice path_query)
{
    struct slice query = path_query;
    world->ids++;
    web->request = world->ids;
    web->path = slice_cut(&query, '?');
    web->query = query;
    world->page = (struct world_page){0};
    engine_post(world->engine,
                &(struct input){.msg = {MSG_WEB_REQUEST, web}, .is_repeatable = true});
    world_settle(world);
    return &world->page;
}

struct world_page *
world_web(struct world *world, const char *method, struct slice path_query, struct slice cookie)
{
    struct msg_web web = {.method = slice_from_cstr(method), .cookie = cookie};
    return ask(world, &web, path_query);
}

struct world_page *
world_submit(struct world *world, struct slice path_query, struct slice cookie, struct slice form)
{
    struct msg_web web = {.method = SLICE("POST"), .cookie = cookie, .body = form};
    return ask(world, &web, path_query);
}

/* Looking */

static void compare(struct buf *buf, const char *what, const char *expected)
{
    const struct slice seen = buf_slice(buf);
    ck_assert_msg(slice_equal(seen, slice_from_cstr(expected)), "%s:\n%.*sexpected:\n%s", what,
                  SLICE_ARGS(seen), expected);
    buf->len = 0;
}

void world_expect(struct world *world, const char *expected)
{
    compare(&world->peers.log, "seen outside", expected);
    world->trace.len = 0;
}

void world_expect_trace(struct world *world, const char *expected)
{
    compare(&world->trace, "turns", expected);
}

void world_forget(struct world *world)
{
    world->peers.log.len = 0;
    world->trace.len = 0;
}

bool world_said(struct world *world, const char *needle)
{
    const struct slice log = buf_slice(&world->peers.log);
    return slice_find(log, slice_from_cstr(needle)) < log.len;
}

const void *world_peek(struct world *world, int kind, struct slice key)
{
    int state = 0;
    return engine_peek(world->engine, (struct actor_ref){kind, key}, &state);
}

const char *world_state(struct world *world, int kind, struct slice key)
{
    int state = 0;
    return engine_peek(world->engine, (struct actor_ref){kind, key}, &state) == NULL
               ? "-"
               : machines[kind]->states[state];
}
