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

/* How much of it is a command to the bot: all, but the words that are searched for. */
static size_t command_len(struct slice text)
{
    static const struct slice verbs[] = {
        SLICE_INIT("list"),   SLICE_INIT("invite"),   SLICE_INIT("gjoin"), SLICE_INIT("gpart"),
        SLICE_INIT("logout"), SLICE_INIT("help"),     SLICE_INIT("yes"),   SLICE_INIT("no"),
        SLICE_INIT("status"), SLICE_INIT("unbridge"), SLICE_INIT("admin"), SLICE_INIT("more"),
        SLICE_INIT("login"),  SLICE_INIT("hello"),
    };
    const size_t len = text.len;
    const struct slice verb = slice_cut(&text, ' ');
    if (slice_equal_fold(verb, SLICE("search"))) {
        return len - text.len;
    }
    for (size_t i = 0; text.len < COMMAND_BYTES_MAX && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (slice_equal_fold(verbs[i], verb)) {
            return len;
        }
    }
    return 0;
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

/* Bytes of `out`, which is a copy of `text`: what is at the same place as that part of it. */
static void blank(char *out, struct slice text, struct slice part)
{
    if (part.len > 0) {
        memset(out + (part.ptr - text.ptr), 'x', part.len);
    }
}

static void blank_json(char *out, struct slice text, bool keeps_commands)
{
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
        const struct slice value = slice_make(text.ptr + at, close - at);
        blank(out, text, slice_from(value, keeps_commands ? command_len(value) : 0));
        at = close + 1;
    }
}

/* The words of a search: in the path of its call ... */
static void blank_query(char *out, struct slice text, struct slice call)
{
    int64_t number = 0;
    struct slice path = SLICE_EMPTY;
    if (pack_take_int(&call, &number) != RC_OK) {
        return;
    }
    for (int i = 0; i < 4; i++) { /* purpose, lane, method, path */
        if (pack_take_text(&call, &path) != RC_OK) {
            return;
        }
    }
    if (slice_starts_with(path, SLICE("/rooms?q="))) {
        struct slice rest = slice_from(path, SLICE("/rooms?q=").len);
        blank(out, text, slice_cut(&rest, '&'));
    }
}

/* ... and in the fields of the errand, and of the user whose `more` goes on with it. */
static void blank_field(char *out, struct slice text, struct slice name, struct slice value)
{
    const struct slice verb = SLICE(" search ");
    if (slice_equal(name, SLICE("more"))) {
        const size_t at = slice_find(value, verb);
        blank(out, text, slice_from(value, at < value.len ? at + verb.len : at));
    } else if (slice_equal(name, SLICE("argument"))) {
        blank(out, text, value);
    }
}

static void blank_actor(char *out, struct slice text, struct slice actor)
{
    struct pack_value map = {0};
    struct slice machine = SLICE_EMPTY;
    bool is_search = false;
    bool is_read = pack_take_text(&actor, &machine) == RC_OK && pack_skip(&actor) == RC_OK &&
                   pack_skip(&actor) == RC_OK && pack_skip(&actor) == RC_OK &&
                   pack_take(&actor, &map) == RC_OK && map.kind == PACK_MAP;
    for (uint64_t i = 0; is_read && i < map.count; i++) {
        struct slice name = SLICE_EMPTY;
        struct slice whole = SLICE_EMPTY;
        struct slice value = SLICE_EMPTY;
        is_read =
            pack_take_text(&actor, &name) == RC_OK && pack_take_whole(&actor, &whole) == RC_OK;
        if (!is_read || pack_take_text(&whole, &value) != RC_OK) {
            continue;
        }
        is_search =
            is_search || (slice_equal(name, SLICE("verb")) && slice_equal(value, SLICE("search")));
        if (is_search || slice_equal(machine, SLICE("user"))) {
            blank_field(out, text, name, value);
        }
    }
}

static void blank_items(char *out, struct slice text)
{
    struct slice items = text;
    struct journal_item item;
    uint64_t count = 0;
    if (pack_take_array(&items, &count) != RC_OK) {
        return;
    }
    while (items.len > 0 && journal_item_read(&items, &item) == RC_OK) {
        if (slice_equal(item.name, SLICE("call"))) {
            blank_query(out, text, item.rest);
        } else if (slice_equal(item.name, SLICE("actor")) ||
                   slice_equal(item.name, SLICE("became"))) {
            blank_actor(out, text, item.rest);
        }
    }
}

/* As long as they were. */
static struct slice redact_input(struct arena *arena, struct slice input, bool keeps_commands)
{
    char *out = arena_alloc(arena, input.len);
    memcpy(out, input.ptr, input.len);
    blank_json(out, input, keeps_commands);
    return slice_make(out, input.len);
}

static struct slice redact_items(struct arena *arena, struct slice items)
{
    char *out = arena_alloc(arena, items.len);
    memcpy(out, items.ptr, items.len);
    blank_json(out, items, false);
    blank_items(out, items);
    return slice_make(out, items.len);
}

void journal_redact(struct arena *arena, struct journal_turn *turn)
{
    turn->input = redact_input(arena, turn->input, is_private(turn->decisions));
    turn->reads = redact_items(arena, turn->reads);
    turn->decisions = redact_items(arena, turn->decisions);
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

static void
put_back(char *entry, const struct journal_entry *read, struct slice part, struct slice redacted)
{
    memcpy(entry + (part.ptr - read->whole.ptr), redacted.ptr, redacted.len);
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
    put_back(entry, read, turn.input, redact_input(arena, turn.input, false));
    put_back(entry, read, turn.reads, redact_items(arena, turn.reads));
    put_back(entry, read, turn.decisions, redact_items(arena, turn.decisions));
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
