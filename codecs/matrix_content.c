/* Contents of messages. */
#include "codecs/json.h"
#include "codecs/matrix.h"

static struct slice with_prefix(struct arena *arena, struct slice prefix, struct slice text)
{
    struct buf buf;
    buf_init(&buf, arena);
    buf_put(&buf, prefix);
    buf_put(&buf, text);
    return buf_slice(&buf);
}

/* The keys that stand both outside and in m.new_content; an edit has "* " before the outer text. */
static void
put_text_keys(struct json_writer *writer, const struct matrix_content *content, struct slice prefix)
{
    struct arena *arena = writer->buf.arena;
    json_put_member(writer, SLICE("msgtype"), content->msgtype);
    json_put_member(writer, SLICE("body"), with_prefix(arena, prefix, content->body));
    if (content->html.len > 0) {
        json_put_member(writer, SLICE("format"), SLICE("org.matrix.custom.html"));
        json_put_member(writer, SLICE("formatted_body"), with_prefix(arena, prefix, content->html));
    }
    json_put_key(writer, SLICE("m.mentions"));
    json_open_object(writer);
    json_close_object(writer);
}

static void put_edit(struct json_writer *writer, const struct matrix_content *content)
{
    json_put_key(writer, SLICE("m.new_content"));
    json_open_object(writer);
    put_text_keys(writer, content, SLICE_EMPTY);
    json_close_object(writer);
    json_put_key(writer, SLICE("m.relates_to"));
    json_open_object(writer);
    json_put_member(writer, SLICE("rel_type"), SLICE("m.replace"));
    json_put_member(writer, SLICE("event_id"), content->replaces);
    json_close_object(writer);
}

static void put_reply(struct json_writer *writer, const struct matrix_content *content)
{
    json_put_key(writer, SLICE("m.relates_to"));
    json_open_object(writer);
    json_put_key(writer, SLICE("m.in_reply_to"));
    json_open_object(writer);
    json_put_member(writer, SLICE("event_id"), content->reply_to);
    json_close_object(writer);
    json_close_object(writer);
}

struct slice matrix_content_json(struct arena *arena, const struct matrix_content *content)
{
    const bool is_edit = content->replaces.len > 0;
    struct json_writer writer;
    json_writer_init(&writer, arena);
    writer.replace_nul = true;
    json_open_object(&writer);
    put_text_keys(&writer, content, is_edit ? SLICE("* ") : SLICE_EMPTY);
    if (content->gitter_id.len > 0) {
        json_put_member(&writer, SLICE(MATRIX_MARKER_MESSAGE), content->gitter_id);
    }
    if (content->external_url.len > 0) {
        json_put_member(&writer, SLICE("external_url"), content->external_url);
    }
    if (is_edit) {
        put_edit(&writer, content);
    } else if (content->reply_to.len > 0) {
        put_reply(&writer, content);
    }
    json_close_object(&writer);
    return json_writer_end(&writer);
}

struct slice matrix_notice_json(struct arena *arena, struct slice body, struct slice html)
{
    const struct matrix_content content = {
        .msgtype = SLICE("m.notice"),
        .body = body,
        .html = html,
    };
    return matrix_content_json(arena, &content);
}
