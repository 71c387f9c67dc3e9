#include "runtime/daemon/journal_print.h"

#include "actors/messages.h"
#include "codecs/json.h"
#include "codecs/matrix.h"
#include "runtime/base/check.h"

#include <inttypes.h>
#include <time.h>

void journal_print_time(struct buf *out, int64_t now_ms)
{
    const time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char text[32] = "";
    if (gmtime_r(&seconds, &tm) != NULL) {
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    }
    buf_printf(out, "%s.%03dZ", text, (int)(now_ms % 1000));
}

/* Inputs */

static void print_event(struct buf *out, const struct journal_input *input)
{
    struct msg_event msg = {.raw = SLICE_EMPTY};
    struct matrix_event event;
    buf_printf(out, " %.*s", SLICE_ARGS(input->event_id));
    if (record_unpack(&msg_event_record, input->body, &msg) != RC_OK ||
        matrix_event_parse(out->arena, msg.raw, &event) != RC_OK) {
        BUF_PUT(out, " (not an event)");
        return;
    }
    buf_printf(out, " %.*s in %.*s by %.*s", SLICE_ARGS(event.type), SLICE_ARGS(event.room_id),
               SLICE_ARGS(event.sender));
}

static void print_ended(struct buf *out, const struct journal_input *input)
{
    static const char *const ends[] = {
#define END_NAME(name) #name,
        CALL_END_LIST(END_NAME)
#undef END_NAME
    };
    struct call_ended ended = {.end = 0};
    const bool is_read = record_unpack(&call_ended_record, input->body, &ended) == RC_OK &&
                         ended.end >= 0 && ended.end <= CALL_END_UNKNOWN;
    buf_printf(out, " %s", is_read ? ends[ended.end] : "?");
    if (is_read && ended.status != 0) {
        buf_printf(out, " %" PRId64, ended.status);
    }
    if (is_read && ended.detail.len > 0) {
        buf_printf(out, " (%.*s)", SLICE_ARGS(ended.detail));
    }
    buf_printf(out, " call %" PRId64 ".%" PRId64 " of %.*s %.*s",
               input->call_id / JOURNAL_CALLS_PER_TURN, input->call_id % JOURNAL_CALLS_PER_TURN,
               SLICE_ARGS(input->machine), SLICE_ARGS(input->key));
}

/* Fields that tell one input of a kind from another. */
static void print_other(struct buf *out, const struct journal_input *input)
{
    static const char *const shown[] = {"owner",   "session", "method", "path",
                                        "channel", "why",     "error"};
    const int kind = message_by_name(input->message);
    if (kind < 0) {
        return;
    }
    const struct record_type *type = message_types[kind].record;
    void *body = arena_alloc(out->arena, type->size);
    if (record_unpack(type, input->body, body) != RC_OK) {
        return;
    }
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        const struct slice text =
            record_print_field(out->arena, type, body, slice_from_cstr(shown[i]));
        if (text.len > 0) {
            buf_printf(out, " %.*s", SLICE_ARGS(text));
        }
    }
}

void journal_print_input(struct buf *out, const struct journal_turn *turn)
{
    struct journal_input input;
    if (journal_input_read(turn->input, &input) != RC_OK) {
        BUF_PUT(out, "(unreadable)");
        return;
    }
    buf_put(out, input.message);
    switch (input.how) {
    case JOURNAL_EVENT:
        print_event(out, &input);
        break;
    case JOURNAL_INPUT:
        print_other(out, &input);
        break;
    case JOURNAL_ENDED:
        print_ended(out, &input);
        break;
    case JOURNAL_DEADLINE:
        buf_printf(out, " %.*s %.*s", SLICE_ARGS(input.machine), SLICE_ARGS(input.key));
        break;
    }
    if (turn->is_emptied) {
        BUF_PUT(out, " (emptied)");
    }
}

/* Decisions */

struct member {
    struct slice text;  /* of a text or a number */
    struct slice bytes; /* of all, as they are */
    bool is_nil;
};

enum {
    MEMBERS_MAX = 8
};

static size_t read_members(struct arena *arena, struct slice rest, struct member *members)
{
    size_t count = 0;
    while (rest.len > 0 && count < MEMBERS_MAX) {
        struct member *member = &members[count];
        struct pack_value value;
        struct slice bytes = SLICE_EMPTY;
        if (pack_take_whole(&rest, &bytes) != RC_OK) {
            break;
        }
        member->bytes = bytes;
        CHECK(pack_take(&bytes, &value) == RC_OK);
        member->is_nil = value.kind == PACK_NIL;
        member->text =
            value.kind == PACK_NUM ? arena_printf(arena, "%" PRId64, value.num) : value.text;
        count++;
    }
    return count;
}

static void print_as_json(struct buf *out, struct slice bytes)
{
    struct json_writer writer;
    json_writer_init(&writer, out->arena);
    if (pack_put_json(&writer, bytes) == RC_OK) {
        buf_put(out, json_writer_end(&writer));
    } else {
        BUF_PUT(out, "?");
    }
}

static void print_step(struct buf *out, const struct member *m)
{
    buf_printf(out, "%.*s %.*s: %.*s on %.*s -> ", SLICE_ARGS(m[0].text), SLICE_ARGS(m[1].text),
               SLICE_ARGS(m[3].text), SLICE_ARGS(m[2].text));
    buf_put(out, m[4].is_nil ? SLICE("(passed over)") : m[4].text);
}

static void print_call(struct buf *out, const struct member *m)
{
    buf_printf(out, "call %.*s %.*s %.*s %.*s (lane %.*s, %.*s bytes)", SLICE_ARGS(m[0].text),
               SLICE_ARGS(m[1].text), SLICE_ARGS(m[3].text), SLICE_ARGS(m[4].text),
               SLICE_ARGS(m[2].text), SLICE_ARGS(m[5].text));
}

static void print_became(struct buf *out, const struct member *m)
{
    buf_printf(out, "became %.*s %.*s ", SLICE_ARGS(m[0].text), SLICE_ARGS(m[1].text));
    if (m[2].is_nil) {
        BUF_PUT(out, "(gone)");
        return;
    }
    buf_printf(out, "%.*s calls=%.*s ", SLICE_ARGS(m[2].text), SLICE_ARGS(m[3].text));
    print_as_json(out, m[4].bytes);
}

void journal_print_item(struct buf *out, const struct journal_item *item)
{
    struct member members[MEMBERS_MAX] = {{.is_nil = false}};
    const size_t count = read_members(out->arena, item->rest, members);
    if (slice_equal(item->name, SLICE("step")) && count == 5) {
        print_step(out, members);
    } else if (slice_equal(item->name, SLICE("call")) && count == 7) {
        print_call(out, members);
    } else if (slice_equal(item->name, SLICE("became")) && count == 5) {
        print_became(out, members);
    } else {
        buf_put(out, item->name);
        for (size_t i = 0; i < count; i++) {
            BUF_PUT(out, " ");
            print_as_json(out, members[i].bytes);
        }
    }
}

/* What became of the actors is not on the line: the steps say enough. */
void journal_print_turn(struct buf *out, const struct journal_turn *turn, struct slice decisions)
{
    struct journal_item item;
    uint64_t count = 0;
    buf_printf(out, "%" PRId64 " ", turn->number);
    journal_print_time(out, turn->now_ms);
    BUF_PUT(out, " ");
    journal_print_input(out, turn);
    if (pack_take_array(&decisions, &count) != RC_OK) {
        return;
    }
    while (decisions.len > 0 && journal_item_read(&decisions, &item) == RC_OK) {
        if (!slice_equal(item.name, SLICE("became"))) {
            BUF_PUT(out, "; ");
            journal_print_item(out, &item);
        }
    }
}

void journal_print_json(struct buf *out,
                        const struct journal_turn *turn,
                        struct slice decisions,
                        bool is_same)
{
    struct json_writer writer;
    json_writer_init(&writer, out->arena);
    json_open_object(&writer);
    json_put_member_int(&writer, SLICE("turn"), turn->number);
    json_put_member_int(&writer, SLICE("time_ms"), turn->now_ms);
    json_put_member_bool(&writer, SLICE("emptied"), turn->is_emptied);
    json_put_member_bool(&writer, SLICE("same"), is_same);
    const struct {
        struct slice name;
        struct slice bytes;
    } parts[] = {{SLICE("input"), turn->input},
                 {SLICE("reads"), turn->reads},
                 {SLICE("decisions"), decisions}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        json_put_key(&writer, parts[i].name);
        if (pack_put_json(&writer, parts[i].bytes) != RC_OK) {
            return; /* nothing of the line then */
        }
    }
    json_close_object(&writer);
    buf_put(out, json_writer_end(&writer));
}
