/* MB/s of the codecs beside the libraries they stand on, each pair in one run.
 *
 * Usage: codecs [SECONDS]        for each of the six measurements (1)
 *        codecs CODEC RUNS       only runs one of ours: json, html or msgpack
 *
 * JSON: a transaction of 100 events, split and each event read, beside yajl walking through the
 * same bytes without a callback. HTML: a Gitter message made Matrix HTML, beside gumbo parsing it.
 * msgpack: the stored body of a room read into its struct, beside msgpack-c unpacking it. Prints
 * one JSON object.
 */
#include "actors/room/room.h"
#include "codecs/html.h"
#include "codecs/matrix.h"
#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"

#include <gumbo.h>
#include <inttypes.h>
#include <msgpack.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

enum {
    EVENTS = 100,
    ARENA_BYTES = 1024 * 1024,
    AT_ONCE = 64, /* runs between two looks at the clock */
};

static struct arena *arena;

static int64_t now_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

/* JSON */

static struct slice make_transaction(struct arena *keep)
{
    struct buf out;
    buf_init(&out, keep);
    BUF_PUT(&out, "{\"events\":[");
    for (int i = 0; i < EVENTS; i++) {
        buf_printf(&out,
                   "%s{\"age\":12,\"content\":{\"body\":\"Has anybody seen how %d does it? "
                   "\\u00e4\\n\",\"format\":\"org.matrix.custom.html\",\"formatted_body\":"
                   "\"Has <b>anybody</b> seen how <code>%d</code> does it? \\u00e4<br>\","
                   "\"m.mentions\":{},\"msgtype\":\"m.text\"},\"event_id\":"
                   "\"$AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcde%02d\",\"origin_server_ts\":"
                   "1763935200000,\"room_id\":\"!AbCdEfGhIjKlMnOp:example.org\",\"sender\":"
                   "\"@alice:example.org\",\"type\":\"m.room.message\",\"unsigned\":{\"age\":12,"
                   "\"membership\":\"join\"},\"user_id\":\"@alice:example.org\"}",
                   i > 0 ? "," : "", i, i, i);
    }
    BUF_PUT(&out, "]}");
    return buf_slice(&out);
}

static void read_transaction(struct slice text)
{
    struct matrix_raw_event *events = NULL;
    size_t count = 0;
    CHECK(matrix_transaction_split(arena, text, &events, &count) == RC_OK && count == EVENTS);
    for (size_t i = 0; i < count; i++) {
        struct matrix_event event;
        CHECK(matrix_event_parse(arena, events[i].raw, &event) == RC_OK);
    }
}

static void walk_json(struct slice text)
{
    yajl_handle handle = yajl_alloc(NULL, NULL, NULL);
    CHECK(yajl_parse(handle, (const unsigned char *)text.ptr, text.len) == yajl_status_ok);
    CHECK(yajl_complete_parse(handle) == yajl_status_ok);
    yajl_free(handle);
}

/* HTML */

static const char message_html[] =
    "Hi <span data-link-type=\"mention\" data-screen-name=\"alice\" "
    "class=\"mention\">@alice</span>, "
    "see <a href=\"https://example.org/a?b=c&amp;d=e\" rel=\"nofollow noopener noreferrer\" "
    "target=\"_blank\" class=\"link\">the page</a>:<br><pre><code class=\"c\"><span "
    "class=\"keyword\">int</span> main(<span class=\"keyword\">void</span>)\n{\n    return 0;\n}\n"
    "</code></pre><ul><li><strong>one</strong></li><li><em>two</em></li></ul><blockquote>said "
    "<del>never</del> before &amp; after</blockquote>";

static void read_html(struct slice text)
{
    struct html_text out;
    CHECK(html_gitter_to_matrix(arena, text, &out) == RC_OK && out.plain.len > 0);
}

static void parse_html(struct slice text)
{
    GumboOutput *output = gumbo_parse_with_options(&kGumboDefaultOptions, text.ptr, text.len);
    CHECK(output != NULL);
    gumbo_destroy_output(&kGumboDefaultOptions, output);
}

/* msgpack */

static struct slice make_body(struct arena *keep)
{
    const struct room room = {
        .owner = SLICE("@alice:example.org"),
        .matrix_room = SLICE("!AbCdEfGhIjKlMnOp:example.org"),
        .gitter_room = SLICE("5f0000000000000000000001"),
        .label = SLICE("walks/path"),
        .name = SLICE("walks/path"),
        .topic = SLICE("All about paths that one can walk"),
        .gitter_user = SLICE("5e0000000000000000000001"),
        .gitter_name = SLICE("alice"),
        .since = SLICE("600000000000000000000000"),
        .cursor = SLICE("610000000000000000000000"),
        .session = 1763935200000,
    };
    return record_pack(keep, room_fsm.record, &room, RECORD_OPEN);
}

static void read_body(struct slice bytes)
{
    struct room room = {0};
    CHECK(record_unpack(room_fsm.record, bytes, &room) == RC_OK && room.session != 0);
}

static void unpack_body(struct slice bytes)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    CHECK(msgpack_unpack_next(&unpacked, bytes.ptr, bytes.len, NULL) == MSGPACK_UNPACK_SUCCESS);
    msgpack_unpacked_destroy(&unpacked);
}

/* MB/s of one of them. */
static double speed(void (*work)(struct slice text), struct slice text, int64_t seconds)
{
    const int64_t begin_us = now_us();
    int64_t runs = 0;
    while (now_us() - begin_us < seconds * 1000000) {
        for (int i = 0; i < AT_ONCE; i++) {
            arena_reset(arena);
            work(text);
        }
        runs += AT_ONCE;
    }
    return (double)runs * (double)text.len / (double)(now_us() - begin_us);
}

struct pair {
    const char *name;
    struct slice text;
    void (*ours)(struct slice text);
    void (*library)(struct slice text);
};

static void measure(const struct pair *pair, int64_t seconds, const char *before)
{
    (void)printf("%s\"%s\":{\"ours\":%.1f,\"library\":%.1f}", before, pair->name,
                 speed(pair->ours, pair->text, seconds), speed(pair->library, pair->text, seconds));
}

static void repeat(const struct pair *pair, int64_t runs)
{
    for (int64_t i = 0; i < runs; i++) {
        arena_reset(arena);
        pair->ours(pair->text);
    }
}

int main(int argc, char **argv)
{
    struct arena *keep = arena_open(ARENA_BYTES);
    arena = arena_open(ARENA_BYTES);
    const struct pair pairs[] = {
        {"json", make_transaction(keep), read_transaction, walk_json},
        {"html", slice_from_cstr(message_html), read_html, parse_html},
        {"msgpack", make_body(keep), read_body, unpack_body},
    };
    int64_t number = 1;
    if (argc > 3 || (argc > 1 && slice_to_int(slice_from_cstr(argv[argc - 1]), &number) != RC_OK)) {
        (void)fprintf(stderr, "usage: codecs [SECONDS] or codecs CODEC RUNS\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (argc < 3) {
            measure(&pairs[i], number, i == 0 ? "{" : ",");
        } else if (strcmp(argv[1], pairs[i].name) == 0) {
            repeat(&pairs[i], number);
        }
    }
    (void)printf("%s\n", argc < 3 ? "}" : "");
    arena_close(arena);
    arena_close(keep);
    return 0;
}
