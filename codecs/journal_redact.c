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

static struct slice redact(struct arena *arena, struct slice text, bool keeps_commands)
{
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

struct slice journal_redact_input(struct arena *arena, const struct journal_turn *turn)
{
    return redact(arena, turn->input, is_private(turn->decisions));
}

/* Somebody's entries */

struct journal_owner {
    struct slice user;
    struct slice *rooms;
    size_t rooms_count;
};

static struct journal_owner owner_of(struct arena *arena, struct slice user, struct slice rooms)
{
    struct journal_owner owner = {.user = user,
                                  .rooms = ARENA_ARRAY(arena, rooms.len + 1, struct slice)};
    while (rooms.len > 0) {
        owner.rooms[owner.rooms_count++] = slice_cut(&rooms, ' ');
    }
    return owner;
}

static bool is_their_key(struct slice key, const struct journal_owner *owner)
{
    const bool is_user = slice_starts_with(key, owner->user) &&
                         (key.len == owner->user.len || key.ptr[owner->user.len] == '|');
    for (size_t i = 0; !is_user && i < owner->rooms_count; i++) {
        if (slice_equal(owner->rooms[i], key)) {
            return true;
        }
    }
    return is_user;
}

/* [name, machine, key, ...] of an actor of theirs, among reads or decisions. */
static bool has_their_actor(struct slice items, const struct journal_owner *owner)
{
    static const char *const names[] = {"actor", "met", "step", "became"};
    struct journal_item item;
    uint64_t count = 0;
    if (pack_take_array(&items, &count) != RC_OK) {
        return false;
    }
    while (items.len > 0 && journal_item_read(&items, &item) == RC_OK) {
        struct slice machine = SLICE_EMPTY;
        struct slice key = SLICE_EMPTY;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            struct slice rest = item.rest;
            if (slice_equal_cstr(item.name, names[i]) && pack_take_text(&rest, &machine) == RC_OK &&
                pack_take_text(&rest, &key) == RC_OK && is_their_key(key, owner)) {
                return true;
            }
        }
    }
    return false;
}

/* What nobody took up names a room, or the owner of a link. */
static bool
is_their_input(struct arena *arena, struct slice input, const struct journal_owner *owner)
{
    struct buf field;
    buf_init(&field, arena);
    pack_put_text(&field, SLICE("owner"));
    pack_put_text(&field, owner->user);
    if (slice_find(input, buf_slice(&field)) < input.len) {
        return true;
    }
    for (size_t i = 0; i < owner->rooms_count; i++) {
        if (slice_find(input, owner->rooms[i]) < input.len) {
            return true;
        }
    }
    return false;
}

/* Where the form of a turn stands: behind its number and its time. */
static char *form_of(char *entry, const struct journal_entry *read)
{
    struct slice members = read->members;
    int64_t number = 0;
    int64_t now_ms = 0;
    const bool is_read = pack_take_int(&members, &number) == RC_OK &&
                         pack_take_int(&members, &now_ms) == RC_OK && members.len > 0;
    return is_read ? entry + (members.ptr - read->whole.ptr) : NULL;
}

static bool empty_one(struct arena *arena,
                      char *entry,
                      const struct journal_entry *read,
                      const struct journal_owner *owner)
{
    struct journal_turn turn;
    char *form = form_of(entry, read);
    if (form == NULL || journal_turn_read(read, &turn) != RC_OK ||
        !(has_their_actor(turn.reads, owner) || has_their_actor(turn.decisions, owner) ||
          is_their_input(arena, turn.input, owner))) {
        return false;
    }
    const struct slice input = redact(arena, turn.input, false);
    memcpy(entry + (turn.input.ptr - read->whole.ptr), input.ptr, input.len);
    *form = 1; /* a msgpack number of one byte, as the 0 before */
    journal_entry_reseal(entry, read->whole.len);
    return true;
}

size_t
journal_empty(struct arena *arena, char *entries, size_t len, struct slice user, struct slice rooms)
{
    const struct journal_owner owner = owner_of(arena, user, rooms);
    size_t emptied = 0;
    size_t at = 0;
    while (at < len) {
        struct journal_entry read;
        size_t whole = 0;
        if (journal_entry_read(slice_make(entries + at, len - at), &read, &whole) != RC_OK) {
            break;
        }
        emptied +=
            read.kind == JOURNAL_TURN && empty_one(arena, entries + at, &read, &owner) ? 1 : 0;
        at += whole;
    }
    return emptied;
}
