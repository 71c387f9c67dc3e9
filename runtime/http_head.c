#include "runtime/http_conn.h"

#include "runtime/base/check.h"

#include <http_parser.h>
#include <stdlib.h>
#include <string.h>

/* What http-parser tells while it walks over one head. */
struct head_walk {
    struct http_conn *conn;
    struct http_request *request;
    struct slice host;
    struct slice length;
    struct slice encoding;
    struct slice expect;
    int repeated; /* headers that may come once and came again */
};

struct slice http_head_find(const struct http_head *head, struct slice name)
{
    for (size_t i = 0; i < head->headers_count; i++) {
        if (slice_equal_fold(head->headers[i].name, name)) {
            return head->headers[i].value;
        }
    }
    return SLICE_EMPTY;
}

/* http-parser forgives bare LF, folded lines and stray CR; proxies and servers differ about them,
 * which is what request smuggling lives on, so none passes (RFC 9112, sections 2.2 and 5.2). */
static bool line_is_good(struct slice line, bool is_first)
{
    if (line.len == 0 || line.ptr[line.len - 1] != '\r') {
        return false;
    }
    line.len--;
    if (slice_find_byte(line, '\r') < line.len || slice_find_byte(line, '\0') < line.len) {
        return false;
    }
    return is_first || line.len == 0 || (line.ptr[0] != ' ' && line.ptr[0] != '\t');
}

size_t head_scan(struct http_conn *conn, struct slice bytes, int *status)
{
    size_t header_bytes_max = conn->server->limits.header_bytes_max;

    if (bytes.ptr[0] < 'A' || bytes.ptr[0] > 'Z') {
        *status = 400; /* no method starts so; TLS to a plain port does */
        return 0;
    }
    for (;;) {
        size_t end = conn->scanned + slice_find_byte(slice_from(bytes, conn->scanned), '\n');
        struct slice line = slice_from(slice_first(bytes, end), conn->line_start);

        if (end >= header_bytes_max || conn->lines > HTTP_HEADERS_MAX + 1) {
            *status = 431;
            return 0;
        }
        conn->scanned = end;
        if (end == bytes.len) {
            return 0;
        }
        if (!line_is_good(line, conn->lines == 0)) {
            *status = 400;
            return 0;
        }
        conn->scanned = end + 1;
        conn->line_start = end + 1;
        conn->lines++;
        if (line.len == 1) {
            return end + 1;
        }
    }
}

static int walk_url(http_parser *parser, const char *at, size_t len)
{
    struct head_walk *walk = parser->data;

    walk->request->target = slice_make(at, len);
    return 0;
}

static int walk_field(http_parser *parser, const char *at, size_t len)
{
    struct http_request *request = ((struct head_walk *)parser->data)->request;

    if (request->headers_count == HTTP_HEADERS_MAX) {
        return -1;
    }
    request->headers[request->headers_count].name = slice_make(at, len);
    return 0;
}

/* Sets *place, or counts a second value of what has to be single. */
static void walk_single(struct head_walk *walk, struct slice *place, struct slice value)
{
    if (place->ptr != NULL) {
        walk->repeated++;
    }
    *place = value;
}

static void walk_known(struct head_walk *walk, struct slice name, struct slice value)
{
    struct http_head *head = &walk->request->head;
    const struct {
        struct slice name;
        struct slice *place;
    } singles[] = {
        {SLICE_INIT("Host"), &walk->host},
        {SLICE_INIT("Content-Length"), &walk->length},
        {SLICE_INIT("Transfer-Encoding"), &walk->encoding},
        {SLICE_INIT("Expect"), &walk->expect},
        {SLICE_INIT("Authorization"), &head->authorization},
        {SLICE_INIT("Content-Type"), &head->content_type},
        {SLICE_INIT("User-Agent"), &head->user_agent},
        {SLICE_INIT("Cookie"), &head->cookie},
        {SLICE_INIT("X-Forwarded-For"), &head->forwarded_for},
    };

    for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
        if (slice_equal_fold(name, singles[i].name)) {
            /* the last three change nothing that matters when they come twice */
            if (i < 6 || singles[i].place->ptr == NULL) {
                walk_single(walk, singles[i].place, value);
            }
            return;
        }
    }
}

static int walk_value(http_parser *parser, const char *at, size_t len)
{
    struct head_walk *walk = parser->data;
    struct http_request *request = walk->request;
    struct http_header *header = &request->headers[request->headers_count++];

    header->value = slice_trim(slice_make(at, len));
    if (header->value.ptr == NULL) {
        header->value = slice_make(at, 0); /* present though empty */
    }
    walk_known(walk, header->name, header->value);
    return 0;
}

static int walk_end(http_parser *parser)
{
    struct head_walk *walk = parser->data;

    walk->request->is_complete = true;
    walk->request->content_length = parser->content_length;
    walk->conn->keep_alive = http_should_keep_alive(parser) != 0;
    parser->upgrade = 0; /* offers of other protocols are passed over */
    return 1;            /* bodies are read by http_body.c */
}

static bool name_is_good(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~') {
            return false; /* "Content-Length :" would hide a length from some and not from others */
        }
    }
    return name.len > 0;
}

static bool is_hex(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

static bool path_is_good(struct slice path)
{
    if (path.len == 0 || path.ptr[0] != '/') {
        return false;
    }
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] != '%') {
            continue;
        }
        if (path.len - i < 3 || !is_hex(path.ptr[i + 1]) || !is_hex(path.ptr[i + 2]) ||
            (path.ptr[i + 1] == '0' && path.ptr[i + 2] == '0')) {
            return false;
        }
    }
    return true;
}

/* Takes "/path?query" or "http://host/path?query" (RFC 9112, section 3.2) apart. */
static bool split_target(struct http_request *request)
{
    static const struct slice schemes[] = {SLICE_INIT("http://"), SLICE_INIT("https://")};
    struct slice rest = request->target;

    for (size_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] <= ' ' || rest.ptr[i] > '~' || rest.ptr[i] == '#') {
            return false;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        if (slice_equal_fold(slice_first(rest, schemes[i].len), schemes[i])) {
            rest = slice_from(rest, schemes[i].len);
            rest = slice_from(rest, slice_find_byte(rest, '/'));
            break;
        }
    }
    request->head.target = request->target;
    request->head.path = slice_cut(&rest, '?');
    request->head.query = rest;
    return path_is_good(request->head.path);
}

static bool length_is_good(struct slice length)
{
    for (size_t i = 0; i < length.len; i++) {
        if (length.ptr[i] < '0' || length.ptr[i] > '9') {
            return false;
        }
    }
    return length.len > 0;
}

/* Body framing (RFC 9112, section 6.3): what leaves room for two readings is refused. */
static int check_framing(const struct head_walk *walk)
{
    struct http_request *request = walk->request;

    if (walk->encoding.ptr != NULL) {
        if (walk->length.ptr != NULL || walk->conn->is_http_1_0) {
            return 400;
        }
        request->is_chunked = true;
        return slice_equal_fold(walk->encoding, SLICE("chunked")) ? 0 : 501;
    }
    if (walk->length.ptr == NULL) {
        request->content_length = 0;
        return 0;
    }
    return length_is_good(walk->length) ? 0 : 400;
}

static int check_head(struct head_walk *walk, const http_parser *parser)
{
    struct http_request *request = walk->request;
    int status;

    if (parser->http_major != 1) {
        return 505;
    }
    walk->conn->is_http_1_0 = parser->http_minor == 0;
    if (walk->repeated > 0 || (walk->host.ptr == NULL && !walk->conn->is_http_1_0)) {
        return 400;
    }
    for (size_t i = 0; i < request->headers_count; i++) {
        if (!name_is_good(request->headers[i].name)) {
            return 400;
        }
    }
    status = check_framing(walk);
    if (status != 0) {
        return status;
    }
    if (walk->expect.ptr != NULL && !walk->conn->is_http_1_0) {
        request->expects_continue = slice_equal_fold(walk->expect, SLICE("100-continue"));
        if (!request->expects_continue) {
            return 417;
        }
    }
    return split_target(request) ? 0 : 400;
}

static void fill_head(struct http_request *request, const struct http_conn *conn, struct slice host)
{
    struct http_head *head = &request->head;

    head->method = slice_first(slice_make(request->text, request->text_len),
                               slice_find_byte(slice_make(request->text, request->text_len), ' '));
    head->host = host;
    head->remote = slice_from_cstr(conn->remote);
    head->is_tls = conn->tls != NULL;
    head->headers = request->headers;
    head->headers_count = request->headers_count;
}

static struct http_request *request_copy(struct slice text)
{
    struct http_request *request = malloc(sizeof(*request) + text.len);

    CHECK(request != NULL);
    memset(request, 0, offsetof(struct http_request, headers));
    memset(&request->headers_count, 0,
           sizeof(*request) - offsetof(struct http_request, headers_count));
    memcpy(request->text, text.ptr, text.len);
    request->text_len = text.len;
    return request;
}

int head_parse(struct http_conn *conn, struct slice text, struct http_request **out)
{
    static const http_parser_settings settings = {
        .on_url = walk_url,
        .on_header_field = walk_field,
        .on_header_value = walk_value,
        .on_headers_complete = walk_end,
    };
    struct http_request *request = request_copy(text);
    struct head_walk walk = {.conn = conn, .request = request};
    http_parser parser;
    size_t parsed;

    *out = request;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = &walk;
    parsed = http_parser_execute(&parser, &settings, request->text, request->text_len);
    if (HTTP_PARSER_ERRNO(&parser) == HPE_HEADER_OVERFLOW) {
        return 431;
    }
    if (!request->is_complete || parsed != request->text_len) {
        return parser.http_major > 1 ? 505 : 400;
    }
    conn->is_head = parser.method == HTTP_HEAD;
    fill_head(request, conn, walk.host);
    return check_head(&walk, &parser);
}
