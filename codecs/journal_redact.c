#include "codecs/journal_redact.h"

#include <string.h>

enum {
    COMMAND_BYTES_MAX = 128
};

static bool is_body_name(struct slice name)
{
    static const struct slice names[] = {SLICE_INIT("body"), SLICE_INIT("formatted_body"),
                                         SLICE_INIT("text"), SLICE_INIT("html"), SLICE_INIT("url")};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_equal(names[i], name)) {
            return true;
        }
    }
    return false;
}

static bool is_command(struct slice text)
{
    static const struct slice verbs[] = {
        SLICE_INIT("list"),   SLICE_INIT("invite"),   SLICE_INIT("gjoin"), SLICE_INIT("gpart"),
        SLICE_INIT("logout"), SLICE_INIT("help"),     SLICE_INIT("yes"),   SLICE_INIT("no"),
        SLICE_INIT("status"), SLICE_INIT("unbridge"), SLICE_INIT("admin"), SLICE_INIT("search"),
        SLICE_INIT("more"),   SLICE_INIT("login"),    SLICE_INIT("hello"),
    };
    const struct slice verb = slice_cut(&text, ' ');
    for (size_t i = 0; text.len < COMMAND_BYTES_MAX && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (slice_equal_fold(verbs[i], verb)) {
            return true;
        }
    }
    return false;
}

/* Is it said to the bot? */
static bool is_private(struct slice decisions)
{
    struct journal_item item;
    uint64_t count = 0;
    if (pack_take_array(&decisions, &count) != RC_OK) {
        return false;
    }
    while (decisions.len > 0 && journal_item_read(&decisions, &item) == RC_OK) {
        struct slice machine = SLICE_EMPTY;
        if (slice_equal(item.name, SLICE("step")) &&
            pack_take_text(&item.rest, &machine) == RC_OK && slice_equal(machine, SLICE("chat"))) {
            return true;
        }
    }
    return false;
}

static size_t pass_blanks(struct slice text, size_t at)
{
    while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\n' || text.ptr[at] == '\t' ||
                             text.ptr[at] == '\r')) {
        at++;
    }
    return at;
}

/* The end of the string whose inside begins at `at`: its closing quote. */
static size_t pass_string(struct slice text, size_t at)
{
    while (at < text.len && text.ptr[at] != '"') {
        at += text.ptr[at] == '\\' ? 2 : 1;
    }
    return at < text.len ? at : text.len;
}

struct slice journal_redact_input(struct arena *arena, const struct journal_turn *turn)
{
    const struct slice text = turn->input;
    const bool keeps_commands = is_private(turn->decisions);
    char *out = arena_alloc(arena, text.len);
    memcpy(out, text.ptr, text.len);
    size_t at = 0;
    while ((at += slice_find_byte(slice_from(text, at), '"')) < text.len) {
        const size_t end = pass_string(text, at + 1);
        const struct slice name = slice_make(text.ptr + at + 1, end - at - 1);
        const size_t colon = pass_blanks(text, end + 1);
        if (!is_body_name(name) || colon >= text.len || text.ptr[colon] != ':') {
            at++; /* what looked like a string may have been the end of one */
            continue;
        }
        const size_t quote = pass_blanks(text, colon + 1);
        at = quote + 1;
        if (quote >= text.len || text.ptr[quote] != '"') {
            continue;
        }
        const size_t close = pass_string(text, at);
        if (!keeps_commands || !is_command(slice_make(text.ptr + at, close - at))) {
            memset(out + at, 'x', close - at);
        }
        at = close + 1;
    }
    return slice_make(out, text.len);
}
