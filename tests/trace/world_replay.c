/* What a world has journalled is run again, and must come out as it was. */
#include "runtime/replay.h"
#include "tests/trace/world_parts.h"

/* The entry that the bytes begin with. */
static struct journal_entry take_entry(struct slice *bytes)
{
    struct journal_entry entry = {0};
    size_t len = 0;
    ck_assert_int_eq(journal_entry_read(*bytes, &entry, &len), RC_OK);
    *bytes = slice_from(*bytes, len);
    return entry;
}

static void replay_one(struct replay *replay, const struct journal_entry *entry)
{
    struct journal_turn turn;
    struct replay_outcome outcome;
    ck_assert_int_eq(journal_turn_read(entry, &turn), RC_OK);
    ck_assert_int_eq(replay_turn(replay, &turn, &outcome), RC_OK);
    ck_assert_int_eq(outcome.rc, RC_OK);
    ck_assert(!outcome.has_strayed);
    ck_assert_msg(slice_equal(outcome.decisions, turn.decisions), "turn %lld is replayed otherwise",
                  (long long)turn.number);
}

size_t world_replay(struct world *world)
{
    struct replay *replay = replay_open(&world->application);
    struct slice rest = store_memory_journal(world->store, world->arena);
    size_t turns = 0;
    bool has_begun = false; /* what was left of a section is passed over */
    while (rest.len > 0) {
        const struct journal_entry entry = take_entry(&rest);
        struct journal_process process;
        if (entry.kind == JOURNAL_PROCESS) {
            ck_assert_int_eq(journal_process_read(&entry, &process), RC_OK);
            replay_section(replay, process.epoch);
            has_begun = true;
        } else if (has_begun) {
            replay_one(replay, &entry);
            turns++;
        }
    }
    replay_close(replay);
    return turns;
}
