/* A log that somebody hands to `gitterd replay`: as entries, and past their checks as their parts.
 */
#include "codecs/journal.h"
#include "tests/fuzz/fuzz.h"

static void read_entries(struct slice bytes)
{
    struct journal_entry entry = {0};
    size_t len = 0;
    while (journal_entry_read(bytes, &entry, &len) == RC_OK) {
        CHECK(entry.whole.len > 0 && is_within(entry.whole, bytes));
        CHECK(is_within(entry.members, entry.whole));
        bytes = slice_from(bytes, entry.whole.len);
    }
}

static void read_items(struct slice bytes)
{
    struct journal_item item = {0};
    uint64_t count = 0;
    if (pack_take_array(&bytes, &count) != RC_OK) {
        return;
    }
    while (count > 0 && journal_item_read(&bytes, &item) == RC_OK) {
        CHECK(is_within(item.rest, item.whole) && is_within(item.name, item.whole));
        count--;
    }
}

static void read_members(struct slice members)
{
    struct journal_entry entry = {.whole = members, .members = members};
    struct journal_process process = {0};
    struct journal_turn turn = {0};
    for (int kind = JOURNAL_LOG; kind <= JOURNAL_TURN; kind++) {
        entry.kind = (enum journal_kind)kind;
        const enum rc rc = kind == JOURNAL_LOG       ? journal_log_read(&entry)
                           : kind == JOURNAL_PROCESS ? journal_process_read(&entry, &process)
                                                     : journal_turn_read(&entry, &turn);
        CHECK(rc == RC_OK || rc == RC_CORRUPT || rc == RC_NEWER);
        if (rc == RC_OK && kind == JOURNAL_TURN) {
            CHECK(is_within(turn.input, members) && is_within(turn.reads, members));
            read_items(turn.reads);
            read_items(turn.decisions);
        }
    }
}

static void read_input(struct arena *arena, struct slice bytes)
{
    struct journal_input input = {0};
    struct journal_input again = {0};
    struct buf buf;
    if (journal_input_read(bytes, &input) != RC_OK) {
        return;
    }
    buf_init(&buf, arena);
    journal_input_put(&buf, &input);
    CHECK(journal_input_read(buf_slice(&buf), &again) == RC_OK);
    CHECK(again.how == input.how && slice_equal(again.message, input.message));
    CHECK(slice_equal(again.body, input.body) && slice_equal(again.event_id, input.event_id));
    CHECK(again.call_id == input.call_id && slice_equal(again.lane, input.lane));
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct slice rest = input;
    CHECK(pack_skip(&rest) != RC_OK || rest.len < input.len);
    read_entries(input);
    read_items(input);
    read_members(input);
    read_input(arena, input);
}
