#include "tests/unit/port_rig.h"

#include "tests/unit/slice_check.h"

#include <string.h>

static void on_calls(void *context, const struct outbox_call *rows, size_t count)
{
    struct port_rig *rig = context;
    (void)rows;
    rig->calls += count;
}

static void on_ended(void *context, const int64_t *ids, const struct slice *lanes, size_t count)
{
    (void)context;
    (void)ids;
    (void)lanes;
    (void)count;
}

static void on_changed(void *context, struct actor_ref ref)
{
    (void)context;
    (void)ref;
}

static void on_answer(void *context, int64_t request, const struct answer *answer)
{
    (void)context;
    (void)request;
    (void)answer;
}

static int64_t on_now_ms(void *context)
{
    const struct port_rig *rig = context;
    return rig->clock_ms;
}

static void on_random(void *context, void *out, size_t len)
{
    (void)context;
    memset(out, 1, len);
}

void port_open(struct port_rig *rig)
{
    *rig = (struct port_rig){.clock_ms = 1000, .route = router_route, .answer = on_answer};
    bed_open_loop(&rig->bed);
}

void port_open_engine(struct port_rig *rig)
{
    rig->application = (struct application){
        .machines = machines,
        .machines_count = ACTOR_KINDS,
        .messages = message_types,
        .messages_count = MSG_KINDS,
        .route = rig->route,
        .settings = &rig->settings,
    };
    const struct engine_options options = {
        .application = &rig->application,
        .store = rig->store,
        .effects = {.context = rig,
                    .calls = on_calls,
                    .ended = on_ended,
                    .changed = on_changed,
                    .answer = rig->answer},
        .now_ms = on_now_ms,
        .random = on_random,
        .context = rig,
        .epoch = SLICE("e"),
    };
    ck_rc_eq(engine_open(&options, &rig->engine), RC_OK);
}

void port_listen(struct port_rig *rig, struct http_handler handler)
{
    const struct http_server_options options = {
        .loop = rig->bed.loop, .handler = handler, .limits = rig->limits};
    ck_rc_eq(http_server_open(&options, &rig->bed.server), RC_OK);
}

void port_turn(struct port_rig *rig)
{
    bed_turn(&rig->bed);
    (void)engine_run(rig->engine);
    rig->poll(rig->store);
}
