#include "codecs/journal.h"

#include "runtime/base/check.h"

#include <endian.h>
#include <string.h>

enum {
    FIXED_BYTES = 5, /* of pack_put_fixed */
    PROCESS_MEMBERS = 4,
    TURN_MEMBERS = 6,
    INPUT_MEMBERS = 4,
    ENDED_MEMBERS = 6,
    DEADLINE_MEMBERS = 2,
};

static const struct slice kind_names[] = {
#define KIND_NAME(name, text) SLICE_INIT(text),
    JOURNAL_KIND_LIST(KIND_NAME)
#undef KIND_NAME
};

static const struct slice how_names[] = {
#define HOW_NAME(name, text) SLICE_INIT(text),
    JOURNAL_HOW_LIST(HOW_NAME)
#undef HOW_NAME
};

static const size_t kinds_count = sizeof kind_names / sizeof kind_names[0];
static const size_t hows_count = sizeof how_names / sizeof how_names[0];

/* The place of a name among names; their count if it is none of them. */
static size_t find_name(const struct slice *names, size_t count, struct slice name)
{
    size_t i = 0;
    while (i < count && !slice_equal(names[i], name)) {
        i++;
    }
    return i;
}

/* Up to eight bytes as a number, the same on every machine. */
static uint64_t read_word(const char *bytes, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, bytes, len);
    return le64toh(word);
}

/* Eight bytes at once: a multiplication adds up what stands in its four lanes, weighted, in the
 * uppermost of them. */
uint32_t journal_adler(struct slice bytes)
{
    const uint64_t lanes = UINT64_C(0x00ff00ff00ff00ff);
    enum {
        BASE = 65521,
        RUN = 5552 /* so many sums fit into 32 bits */
    };
    uint32_t low = 1;
    uint32_t high = 0;
    for (size_t at = 0; at < bytes.len;) {
        const size_t end = bytes.len - at < RUN ? bytes.len : at + RUN;
        for (; at + 8 <= end; at += 8) {
            const uint64_t eight = read_word(bytes.ptr + at, 8);
            const uint64_t even = eight & lanes; /* bytes 0, 2, 4, 6, each in 16 bits */
            const uint64_t odd = eight >> 8U & lanes;
            high += 8 * low + (uint32_t)(even * UINT64_C(0x0008000600040002) >> 48U) +
                    (uint32_t)(odd * UINT64_C(0x0007000500030001) >> 48U);
            low += (uint32_t)((even + odd) * UINT64_C(0x0001000100010001) >> 48U);
        }
        for (; at < end; at++) {
            low += (unsigned char)bytes.ptr[at];
            high += low;
        }
        low %= BASE;
        high %= BASE;
    }
    return high << 16U | low;
}

uint32_t journal_hash(uint32_t seed, struct slice text)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = (seed ^ text.len) * factor;
    size_t at = 0;
    for (; at < text.len; at += sizeof(uint64_t)) {
        const size_t len = text.len - at < sizeof hash ? text.len - at : sizeof hash;
        hash = (hash ^ read_word(text.ptr + at, len)) * factor;
        hash ^= hash >> 32U;
    }
    const uint32_t folded = (uint32_t)(hash ^ hash >> 32U);
    return folded == 0 ? 1 : folded;
}

static void put_in_place(char *at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++) {
        at[1 + i] = (char)(number >> (24U - 8U * i));
    }
}

size_t journal_entry_open(struct buf *buf, enum journal_kind kind, size_t members)
{
    const size_t start = buf->len;
    pack_put_array(buf, members + 3);
    pack_put_text(buf, kind_names[kind]);
    pack_put_fixed(buf, 0);
    return start;
}

size_t journal_entry_close(struct buf *buf, size_t start)
{
    struct slice head = slice_make(buf->ptr + start, buf->len - start);
    const size_t len = head.len + FIXED_BYTES;
    struct slice kind = SLICE_EMPTY;
    uint64_t count = 0;
    CHECK(len <= UINT32_MAX);
    CHECK(pack_take_array(&head, &count) == RC_OK && pack_take_text(&head, &kind) == RC_OK);
    put_in_place(buf->ptr + buf->len - head.len, (uint32_t)len);
    pack_put_fixed(buf, journal_adler(slice_make(buf->ptr + start, buf->len - start)));
    return len;
}

void journal_entry_reseal(char *entry, size_t len)
{
    put_in_place(entry + len - FIXED_BYTES, journal_adler(slice_make(entry, len - FIXED_BYTES)));
}

static enum rc check_entry(struct slice whole)
{
    struct slice last = slice_from(whole, whole.len - FIXED_BYTES);
    int64_t check = 0;
    if ((unsigned char)last.ptr[0] != 0xce || pack_take_int(&last, &check) != RC_OK) {
        return RC_CORRUPT;
    }
    const uint32_t sum = journal_adler(slice_first(whole, whole.len - FIXED_BYTES));
    return check == (int64_t)sum ? RC_OK : RC_CORRUPT;
}

enum rc journal_entry_read(struct slice bytes, struct journal_entry *out, size_t *whole_len)
{
    struct slice rest = bytes;
    struct slice name = SLICE_EMPTY;
    uint64_t count = 0;
    int64_t len = 0;
    *whole_len = 0;
    /* the count of an array is compared with what is there: not yet while the head is cut off */
    if (pack_take_array(&rest, &count) != RC_OK || pack_take_text(&rest, &name) != RC_OK ||
        pack_take_int(&rest, &len) != RC_OK) {
        return bytes.len < JOURNAL_HEAD_BYTES ? RC_AGAIN : RC_CORRUPT;
    }
    const size_t kind = find_name(kind_names, kinds_count, name);
    const size_t head = bytes.len - rest.len;
    if (kind == kinds_count || len < (int64_t)head + FIXED_BYTES) {
        return RC_CORRUPT;
    }
    *whole_len = (size_t)len;
    if (bytes.len < (size_t)len) {
        return RC_AGAIN;
    }
    out->kind = (enum journal_kind)kind;
    out->whole = slice_first(bytes, (size_t)len);
    out->members = slice_make(bytes.ptr + head, (size_t)len - head - FIXED_BYTES);
    return check_entry(out->whole);
}

enum rc journal_log_read(const struct journal_entry *entry)
{
    struct slice members = entry->members;
    int64_t version = 0;
    if (entry->kind != JOURNAL_LOG || pack_take_int(&members, &version) != RC_OK || version < 1) {
        return RC_CORRUPT;
    }
    return version > JOURNAL_VERSION ? RC_NEWER : RC_OK;
}

enum rc journal_process_read(const struct journal_entry *entry, struct journal_process *out)
{
    struct slice members = entry->members;
    const bool is_whole = entry->kind == JOURNAL_PROCESS &&
                          pack_take_int(&members, &out->turn) == RC_OK &&
                          pack_take_int(&members, &out->now_ms) == RC_OK &&
                          pack_take_text(&members, &out->epoch) == RC_OK &&
                          pack_take_whole(&members, &out->settings) == RC_OK && members.len == 0;
    return is_whole ? RC_OK : RC_CORRUPT;
}

enum rc journal_turn_read(const struct journal_entry *entry, struct journal_turn *out)
{
    struct slice members = entry->members;
    int64_t form = 0;
    const bool is_whole =
        entry->kind == JOURNAL_TURN && pack_take_int(&members, &out->number) == RC_OK &&
        pack_take_int(&members, &out->now_ms) == RC_OK && pack_take_int(&members, &form) == RC_OK &&
        pack_take_whole(&members, &out->input) == RC_OK &&
        pack_take_whole(&members, &out->reads) == RC_OK && members.len > 0;
    out->decisions = members; /* the last; taken apart when it is looked at */
    out->is_emptied = form == 1;
    return is_whole && (form == 0 || form == 1) && out->number > 0 ? RC_OK : RC_CORRUPT;
}

static enum rc read_about(struct slice *rest, struct journal_input *out)
{
    uint64_t count = 0;
    if (out->how == JOURNAL_EVENT) {
        return pack_take_text(rest, &out->event_id);
    }
    if (out->how == JOURNAL_INPUT) {
        return pack_skip(rest);
    }
    if (pack_take_array(rest, &count) != RC_OK ||
        count != (out->how == JOURNAL_ENDED ? ENDED_MEMBERS : DEADLINE_MEMBERS)) {
        return RC_CORRUPT;
    }
    if (out->how == JOURNAL_ENDED && (pack_take_int(rest, &out->call_id) != RC_OK ||
                                      pack_take_int(rest, &out->call_place) != RC_OK ||
                                      pack_take_int(rest, &out->call_turn) != RC_OK ||
                                      pack_take_text(rest, &out->lane) != RC_OK)) {
        return RC_CORRUPT;
    }
    return pack_take_text(rest, &out->machine) == RC_OK && pack_take_text(rest, &out->key) == RC_OK
               ? RC_OK
               : RC_CORRUPT;
}

enum rc journal_input_read(struct slice input, struct journal_input *out)
{
    struct slice how = SLICE_EMPTY;
    uint64_t count = 0;
    *out = (struct journal_input){.how = JOURNAL_INPUT};
    if (pack_take_array(&input, &count) != RC_OK || count != INPUT_MEMBERS ||
        pack_take_text(&input, &how) != RC_OK || pack_take_text(&input, &out->message) != RC_OK ||
        pack_take_whole(&input, &out->body) != RC_OK) {
        return RC_CORRUPT;
    }
    const size_t found = find_name(how_names, hows_count, how);
    if (found == hows_count) {
        return RC_CORRUPT;
    }
    out->how = (enum journal_how)found;
    return read_about(&input, out);
}

void journal_log_put(struct buf *buf)
{
    const size_t start = journal_entry_open(buf, JOURNAL_LOG, 1);
    pack_put_int(buf, JOURNAL_VERSION);
    (void)journal_entry_close(buf, start);
}

void journal_process_put(struct buf *buf, const struct journal_process *process)
{
    const size_t start = journal_entry_open(buf, JOURNAL_PROCESS, PROCESS_MEMBERS);
    pack_put_int(buf, process->turn);
    pack_put_int(buf, process->now_ms);
    pack_put_text(buf, process->epoch);
    if (process->settings.len == 0) {
        pack_put_map(buf, 0);
    }
    buf_put(buf, process->settings);
    (void)journal_entry_close(buf, start);
}

void journal_turn_put(struct buf *buf, const struct journal_turn *turn)
{
    const size_t start = journal_entry_open(buf, JOURNAL_TURN, TURN_MEMBERS);
    pack_put_int(buf, turn->number);
    pack_put_int(buf, turn->now_ms);
    pack_put_int(buf, turn->is_emptied ? 1 : 0);
    buf_put(buf, turn->input);
    buf_put(buf, turn->reads);
    buf_put(buf, turn->decisions);
    (void)journal_entry_close(buf, start);
}

void journal_input_put(struct buf *buf, const struct journal_input *input)
{
    pack_put_array(buf, INPUT_MEMBERS);
    pack_put_text(buf, how_names[input->how]);
    pack_put_text(buf, input->message);
    buf_put(buf, input->body);
    switch (input->how) {
    case JOURNAL_EVENT:
        pack_put_text(buf, input->event_id);
        return;
    case JOURNAL_INPUT:
        pack_put_nil(buf);
        return;
    case JOURNAL_ENDED:
        pack_put_array(buf, ENDED_MEMBERS);
        pack_put_int(buf, input->call_id);
        pack_put_int(buf, input->call_place);
        pack_put_int(buf, input->call_turn);
        pack_put_text(buf, input->lane);
        break;
    case JOURNAL_DEADLINE:
        pack_put_array(buf, DEADLINE_MEMBERS);
        break;
    }
    pack_put_text(buf, input->machine);
    pack_put_text(buf, input->key);
}

enum rc journal_item_read(struct slice *items, struct journal_item *out)
{
    struct slice rest = SLICE_EMPTY;
    uint64_t count = 0;
    if (pack_take_whole(items, &out->whole) != RC_OK) {
        return RC_CORRUPT;
    }
    rest = out->whole;
    if (pack_take_array(&rest, &count) != RC_OK || count == 0 ||
        pack_take_text(&rest, &out->name) != RC_OK) {
        return RC_CORRUPT;
    }
    out->rest = rest;
    out->count = count - 1;
    return RC_OK;
}
