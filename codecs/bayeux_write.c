/* Building Bayeux messages: each frame is an array of one. */
#include "codecs/bayeux.h"
#include "codecs/json.h"

static struct json_writer frame_open(struct arena *arena, struct slice channel, int64_t id)
{
    struct json_writer writer;
    json_writer_init(&writer, arena);
    json_open_array(&writer);
    json_open_object(&writer);
    json_put_member(&writer, SLICE("channel"), channel);
    /* text: the protocol wants it so, and servers echo it unchanged */
    const struct slice text = arena_printf(arena, "%lld", (long long)id);
    json_put_member(&writer, SLICE("id"), text);
    return writer;
}

static struct slice frame_close(struct json_writer *writer)
{
    json_close_object(writer);
    json_close_array(writer);
    return json_writer_end(writer);
}

struct slice
bayeux_handshake(struct arena *arena, int64_t id, struct slice token, struct slice client_name)
{
    struct json_writer writer = frame_open(arena, SLICE(BAYEUX_HANDSHAKE), id);
    json_put_member(&writer, SLICE("version"), SLICE("1.0"));
    json_put_key(&writer, SLICE("supportedConnectionTypes"));
    json_open_array(&writer);
    json_put_text(&writer, SLICE("websocket"));
    json_close_array(&writer);
    json_put_key(&writer, SLICE("ext"));
    json_open_object(&writer);
    json_put_member(&writer, SLICE("token"), token);
    json_put_member(&writer, SLICE("client"), client_name);
    json_close_object(&writer);
    return frame_close(&writer);
}

struct slice bayeux_connect(struct arena *arena, int64_t id, struct slice client_id)
{
    struct json_writer writer = frame_open(arena, SLICE(BAYEUX_CONNECT), id);
    json_put_member(&writer, SLICE("clientId"), client_id);
    json_put_member(&writer, SLICE("connectionType"), SLICE("websocket"));
    return frame_close(&writer);
}

struct slice bayeux_subscribe(struct arena *arena,
                              int64_t id,
                              struct slice client_id,
                              struct slice channel,
                              struct slice snapshot)
{
    struct json_writer writer = frame_open(arena, SLICE(BAYEUX_SUBSCRIBE), id);
    json_put_member(&writer, SLICE("clientId"), client_id);
    json_put_member(&writer, SLICE("subscription"), channel);
    if (snapshot.len > 0) {
        json_put_key(&writer, SLICE("ext"));
        json_open_object(&writer);
        json_put_key(&writer, SLICE("snapshot"));
        json_put_raw(&writer, snapshot);
        json_close_object(&writer);
    }
    return frame_close(&writer);
}

struct slice
bayeux_unsubscribe(struct arena *arena, int64_t id, struct slice client_id, struct slice channel)
{
    struct json_writer writer = frame_open(arena, SLICE(BAYEUX_UNSUBSCRIBE), id);
    json_put_member(&writer, SLICE("clientId"), client_id);
    json_put_member(&writer, SLICE("subscription"), channel);
    return frame_close(&writer);
}

struct slice bayeux_disconnect(struct arena *arena, int64_t id, struct slice client_id)
{
    struct json_writer writer = frame_open(arena, SLICE(BAYEUX_DISCONNECT), id);
    json_put_member(&writer, SLICE("clientId"), client_id);
    return frame_close(&writer);
}
