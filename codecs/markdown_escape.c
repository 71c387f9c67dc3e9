#include "codecs/markdown_escape.h"

#include <string.h>

struct escape {
    struct buf *out;
    struct slice text;
    size_t at;
    unsigned places;
    size_t heading_end; /* from here on # needs a reference */
    bool keep_underscores;
    bool is_table_line;  /* the line could be the second one of a table */
    bool is_block_start; /* the line before is blank or there is none */
};

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char byte_at(struct slice text, size_t at)
{
    return at < text.len ? text.ptr[at] : '\0';
}

static bool has_place(const struct escape *escape, enum markdown_place place)
{
    return (escape->places & (unsigned)place) != 0;
}

size_t markdown_blank_length(struct slice text)
{
    static const struct slice blanks[] = {
        SLICE_INIT(" "),      SLICE_INIT("\n"),
        SLICE_INIT("\t"),     SLICE_INIT("\u00a0"),
        SLICE_INIT("\u1680"), SLICE_INIT("\u2028"),
        SLICE_INIT("\u2029"), SLICE_INIT("\u202f"),
        SLICE_INIT("\u205f"), SLICE_INIT("\u3000"),
        SLICE_INIT("\ufeff"), SLICE_INIT("\u2424"), /* the renderer's own newline */
    };
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
        if (slice_starts_with(text, blanks[i])) {
            return blanks[i].len;
        }
    }
    /* U+2000 to U+200A */
    const bool is_wide = slice_starts_with(text, SLICE("\xe2\x80")) && text.len > 2 &&
                         (unsigned char)text.ptr[2] <= 0x8a;
    return is_wide ? 3 : 0;
}

/* True if the renderer would take the ampersand at the start of the text for a reference's. */
static bool is_reference(struct slice text)
{
    size_t at = byte_at(text, 1) == '#' ? 2 : 1;
    const size_t first = at;
    while (is_alnum(byte_at(text, at)) || byte_at(text, at) == '_') {
        at++;
    }
    return at > first && byte_at(text, at) == ';';
}

void markdown_put_address(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        buf_put_byte(out, text.ptr[i]);
        if (text.ptr[i] == '&' && is_reference(slice_from(text, i))) {
            BUF_PUT(out, "amp;");
        }
    }
}

/* Underscores within words need no escape as long as no other is there to pair with. */
static bool underscores_are_harmless(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const bool is_within = i > 0 && is_alnum(text.ptr[i - 1]) && is_alnum(byte_at(text, i + 1));
        if (text.ptr[i] == '_' && !is_within) {
            return false;
        }
    }
    return true;
}

static struct slice line_at(struct slice text, size_t at)
{
    const struct slice rest = slice_from(text, at);
    return slice_first(rest, slice_find_byte(rest, '\n'));
}

static bool consists_of(struct slice text, const char *set)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_one_of(text.ptr[i], set)) {
            return false;
        }
    }
    return true;
}

/* Columns of the blanks in front of a line; *bytes is how many bytes they are. */
static size_t indent_of(struct slice line, size_t *bytes)
{
    size_t width = 0;
    size_t at = 0;
    for (;;) {
        if (slice_starts_with(slice_from(line, at), SLICE("\u00a0"))) {
            at += SLICE("\u00a0").len;
        } else if (byte_at(line, at) == ' ' || byte_at(line, at) == '\t') {
            width += byte_at(line, at) == '\t' ? 3 : 0;
            at++;
        } else {
            *bytes = at;
            return width;
        }
        width++;
    }
}

/* Four blanks at the start of a block make it code. */
static void put_indent(struct escape *escape, struct slice line)
{
    size_t bytes = 0;
    const size_t width = indent_of(line, &bytes);
    escape->at += bytes;
    const bool is_blank = bytes == line.len;
    const bool would_be_code = width >= 4 && escape->is_block_start;
    escape->is_block_start = is_blank;
    if (is_blank) {
        return;
    }
    if (would_be_code) {
        BUF_PUT(escape->out, "&nbsp;");
    }
    for (size_t i = would_be_code ? 1 : 0; i < width; i++) {
        BUF_PUT(escape->out, " ");
    }
}

/* "12. " would begin a list: puts the digits; the dot comes with a backslash. */
static void put_number(struct escape *escape, struct slice line)
{
    size_t digits = 0;
    while (is_digit(byte_at(line, digits))) {
        digits++;
    }
    const char next = byte_at(line, digits + 1);
    if (byte_at(line, digits) == '.' && is_one_of(next == '\0' ? ' ' : next, " \t\xc2")) {
        buf_put(escape->out, slice_first(line, digits));
        BUF_PUT(escape->out, "\\.");
        escape->at += digits + 1;
    }
}

static void begin_line(struct escape *escape)
{
    put_indent(escape, line_at(escape->text, escape->at));
    const struct slice line = line_at(escape->text, escape->at);
    const char first = byte_at(line, 0);

    escape->is_table_line =
        consists_of(line, "-:| \t\xc2\xa0") && slice_find_byte(line, '|') < line.len;
    if (first == '>' || first == '#' || (is_one_of(first, "+-") && !is_alnum(byte_at(line, 1)))) {
        buf_put_byte(escape->out, '\\');
        buf_put_byte(escape->out, first);
        escape->at++;
    } else if (first == '=' && consists_of(line, "=- \t\xc2\xa0")) {
        BUF_PUT(escape->out, "&equals;");
        escape->at++;
    } else if (is_digit(first)) {
        put_number(escape, line);
    }
}

/* The renderer takes a URL up to a blank or <, whatever it contains, but not the last marks. */
static size_t url_length(struct slice text)
{
    size_t len = 0;
    while (len < text.len && markdown_blank_length(slice_from(text, len)) == 0 &&
           !is_one_of(text.ptr[len], "<>")) {
        len++;
    }
    return len;
}

static bool put_url(struct escape *escape)
{
    const struct slice rest = slice_from(escape->text, escape->at);
    const bool is_url =
        slice_starts_with(rest, SLICE("http://")) || slice_starts_with(rest, SLICE("https://"));
    if (!is_url || has_place(escape, MARKDOWN_IN_LINK)) {
        return false;
    }
    const size_t scheme = slice_find_byte(rest, ':') + 3;
    const size_t run = url_length(rest);
    struct slice url = slice_first(rest, run);
    while (url.len > scheme && is_one_of(url.ptr[url.len - 1], ".,:;\"']")) {
        url.len--;
    }
    const bool ends_well = !is_one_of(byte_at(rest, run), "<>");
    if (url.len < scheme + 2 || (!ends_well && slice_find_byte(url, '@') < url.len)) {
        /* no link then: the renderer would see another end than we */
        buf_put(escape->out, slice_first(rest, scheme - 3));
        BUF_PUT(escape->out, "&colon;//");
        escape->at += scheme;
        return true;
    }
    buf_put(escape->out, ends_well ? SLICE_EMPTY : SLICE("<"));
    markdown_put_address(escape->out, url);
    buf_put(escape->out, ends_well ? SLICE_EMPTY : SLICE(">"));
    escape->at += url.len;
    return true;
}

/* Length of the mail address at the start of the text, 0 if there is none. */
static size_t mail_length(struct slice text)
{
    size_t at = 0;
    while (is_alnum(byte_at(text, at)) || (at > 0 && is_one_of(byte_at(text, at), "._+-"))) {
        at++;
    }
    if (at == 0 || byte_at(text, at) != '@' || !is_alnum(byte_at(text, at + 1))) {
        return 0;
    }
    at++;
    while (is_alnum(byte_at(text, at)) ||
           (is_one_of(byte_at(text, at), ".-") && is_alnum(byte_at(text, at + 1)))) {
        at++;
    }
    return at;
}

/* True if what stands before could belong to the name of a mail address. */
static bool is_behind_mail_byte(const struct escape *escape)
{
    const char before = escape->at == 0 ? ' ' : escape->text.ptr[escape->at - 1];
    return is_alnum(before) || is_one_of(before, ".!#$%&'*+/=?^_`{|}~-@");
}

static bool put_mail(struct escape *escape)
{
    if (is_behind_mail_byte(escape)) {
        return false;
    }
    const struct slice rest = slice_from(escape->text, escape->at);
    const size_t len = mail_length(rest);
    buf_put(escape->out, slice_first(rest, len));
    escape->at += len;
    return len > 0;
}

static bool is_name_byte(char c)
{
    return is_alnum(c) || is_one_of(c, "_.-");
}

/* owner/repo@ before seven hexadecimal digits: a commit, of which only seven would be shown. */
static bool is_commit(const struct escape *escape)
{
    const struct slice text = escape->text;
    size_t name = escape->at;
    while (name > 0 && is_name_byte(text.ptr[name - 1])) {
        name--;
    }
    size_t digits = 0;
    while (is_one_of(byte_at(text, escape->at + 1 + digits), "0123456789abcdef")) {
        digits++;
    }
    return digits >= 7 && name < escape->at && name > 1 && text.ptr[name - 1] == '/' &&
           is_name_byte(text.ptr[name - 2]);
}

/* The name behind an @ is taken as it is, underscores too, unless a mail address comes first. */
static void put_mention(struct escape *escape)
{
    const struct slice rest = slice_from(escape->text, escape->at);
    size_t len = 1;
    if (is_commit(escape)) {
        BUF_PUT(escape->out, "&commat;");
        escape->at++;
        return;
    }
    while (!is_behind_mail_byte(escape) &&
           (is_name_byte(byte_at(rest, len)) || byte_at(rest, len) == ':')) {
        len++;
    }
    while (len > 1 && !is_alnum(rest.ptr[len - 1])) {
        len--;
    }
    buf_put(escape->out, slice_first(rest, len));
    escape->at += len;
    if (byte_at(rest, len) == ']' && !has_place(escape, MARKDOWN_IN_LINK)) {
        BUF_PUT(escape->out, "\\]");
        escape->at++;
    }
}

/* Where the number signs start that the renderer would take for the end mark of a heading. */
static size_t heading_end(struct slice text)
{
    size_t at = text.len;
    while (at > 0 && is_one_of(text.ptr[at - 1], "# ")) {
        at--;
    }
    return at;
}

static bool needs_backslash(const struct escape *escape, char c, char before, char next)
{
    const bool is_run = has_place(escape, MARKDOWN_RUN);
    switch (c) {
    case '*':
    case '`':
    case '[':
        return true;
    case '_':
        return !escape->keep_underscores;
    case '\\':
        return is_one_of(next, "\\`*{}[]()#+-.!_>~|") || (is_run && next == '\0');
    case '~':
        return before == '~' || next == '~' || (is_run && (before == '\0' || next == '\0'));
    case '!':
        return is_run && next == '\0';
    case '#':
        return is_digit(next) || (is_run && next == '\0');
    case '|':
        return escape->is_table_line;
    default:
        return false;
    }
}

/* The reference a bracket needs, within the text of a link or before an address. */
static struct slice bracket_reference(const struct escape *escape, char c, char next)
{
    const bool in_link = has_place(escape, MARKDOWN_IN_LINK);
    if (c == '[') {
        return in_link ? SLICE("&lbrack;") : SLICE_EMPTY;
    }
    const bool before_address = has_place(escape, MARKDOWN_RUN) && next == '(';
    return in_link || before_address ? SLICE("&rbrack;") : SLICE_EMPTY;
}

/* The reference a byte needs where no backslash helps; empty if none. */
static struct slice reference_for(const struct escape *escape, char c, char before, char next)
{
    const bool at_end = next == '\0' && has_place(escape, MARKDOWN_RUN);
    switch (c) {
    case '<':
        return is_one_of(next, " \t") ? SLICE_EMPTY : SLICE("&lt;");
    case '&':
        return is_reference(slice_from(escape->text, escape->at)) ? SLICE("&amp;") : SLICE_EMPTY;
    case '$':
        return before == '$' || at_end ? SLICE("&dollar;") : SLICE_EMPTY;
    case '#':
        return escape->at >= escape->heading_end ? SLICE("&num;") : SLICE_EMPTY;
    case '[':
    case ']':
        return bracket_reference(escape, c, next);
    case '|':
        return has_place(escape, MARKDOWN_IN_CELL) ? SLICE("&vert;") : SLICE_EMPTY;
    default:
        return SLICE_EMPTY;
    }
}

static void put_byte(struct escape *escape)
{
    const char c = escape->text.ptr[escape->at];
    const char before = escape->at == 0 ? '\0' : escape->text.ptr[escape->at - 1];
    const char next = byte_at(escape->text, escape->at + 1);
    const struct slice reference = reference_for(escape, c, before, next);

    if (reference.len > 0) {
        buf_put(escape->out, reference);
    } else {
        buf_put(escape->out, needs_backslash(escape, c, before, next) ? SLICE("\\") : SLICE_EMPTY);
        buf_put_byte(escape->out, c);
    }
    escape->at++;
}

/* The rest of a word that has begun, up to what could be a URL; letters beyond ASCII anywhere. */
static bool put_word(struct escape *escape)
{
    const struct slice rest = slice_from(escape->text, escape->at);
    const bool is_within = escape->at > 0 && is_alnum(escape->text.ptr[escape->at - 1]);
    size_t len = 0;
    while (len < rest.len && ((unsigned char)rest.ptr[len] >= 0x80 ||
                              (is_alnum(rest.ptr[len]) && rest.ptr[len] != 'h' &&
                               (len == 0 ? is_within : (unsigned char)rest.ptr[len - 1] < 0x80)))) {
        len++;
    }
    buf_put(escape->out, slice_first(rest, len));
    escape->at += len;
    return len > 0;
}

void markdown_put_escaped(struct buf *out, struct slice text, unsigned places)
{
    struct escape escape = {
        .out = out,
        .text = text,
        .places = places,
        .is_block_start = true,
    };
    escape.keep_underscores = !has_place(&escape, MARKDOWN_RUN) && underscores_are_harmless(text);
    escape.heading_end = has_place(&escape, MARKDOWN_IN_HEADING) ? heading_end(text) : text.len;
    bool is_line_start = has_place(&escape, MARKDOWN_LINE_START);
    while (escape.at < text.len) {
        if (is_line_start) {
            begin_line(&escape);
            is_line_start = false;
        } else if (text.ptr[escape.at] == '@') {
            put_mention(&escape);
        } else if (!put_word(&escape) && !put_url(&escape) && !put_mail(&escape)) {
            is_line_start = text.ptr[escape.at] == '\n';
            put_byte(&escape);
        }
    }
}
