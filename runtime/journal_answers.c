/* What a log knows of the questions that turns ask. */
#include "runtime/journal.h"

#include <string.h>

uint32_t journal_question(const char *what, int kind, struct slice a, struct slice b)
{
    const uint32_t seed = journal_hash((uint32_t)kind + 1, slice_from_cstr(what));
    return journal_hash(journal_hash(seed, a), b);
}

/* The first answer to that question from `from` on, where 0 is what has no question; *behind is
 * where the reads go on. */
static bool find_from(struct slice from,
                      const char *what,
                      uint32_t question,
                      struct slice *answer,
                      struct slice *behind)
{
    struct journal_item item;
    while (from.len > 0 && journal_item_read(&from, &item) == RC_OK) {
        int64_t asked = 0;
        const bool is_asked = question == 0 || (pack_take_int(&item.rest, &asked) == RC_OK &&
                                                asked == (int64_t)question);
        if (is_asked && slice_equal_cstr(item.name, what)) {
            *answer = item.rest;
            *behind = from;
            return true;
        }
    }
    return false;
}

/* What the log does not know is written down as not being there, for a log that is blessed. */
static void note_stray(struct journal *journal, const char *what, uint32_t question)
{
    struct buf *buf = &journal->reads;
    const struct slice name = slice_from_cstr(what);
    journal->has_strayed = true;
    journal->reads_count++;
    pack_put_array(buf, question == 0 ? 2 : 3);
    pack_put_text(buf, name);
    if (question != 0) {
        pack_put_int(buf, question);
    }
    if (slice_equal(name, SLICE("value")) || slice_equal(name, SLICE("right"))) {
        pack_put_nil(buf);
    } else if (slice_equal(name, SLICE("count"))) {
        pack_put_int(buf, 0);
    } else if (question != 0) {
        pack_put_array(buf, 0);
    } else {
        pack_put_bytes(buf, SLICE_EMPTY);
    }
}

/* The same is asked again in the same turn after an answer changed: so what comes next in the log
 * goes first. False and a mark when the log does not know. */
static bool
find_answer(struct journal *journal, const char *what, uint32_t question, struct slice *answer)
{
    const bool is_found = find_from(journal->next, what, question, answer, &journal->next) ||
                          find_from(journal->answers, what, question, answer, &journal->next);
    if (!is_found) {
        *answer = SLICE_EMPTY;
        note_stray(journal, what, question);
    }
    return is_found;
}

static bool is_replay(const struct turn *turn)
{
    return turn->engine->journal != NULL && turn->engine->journal->is_replay;
}

bool journal_answer_value(
    struct turn *turn, const char *what, uint32_t question, bool *is_there, struct slice *value)
{
    struct slice answer = SLICE_EMPTY;
    struct pack_value found;
    if (!is_replay(turn)) {
        return false;
    }
    *is_there = find_answer(turn->engine->journal, what, question, &answer) &&
                pack_take(&answer, &found) == RC_OK && found.kind == PACK_TEXT;
    *value = *is_there ? found.text : SLICE_EMPTY;
    return true;
}

/* The members of a recorded list; false when this is no replay. */
static bool answer_list(
    struct turn *turn, const char *what, uint32_t question, struct slice *answer, uint64_t *count)
{
    *count = 0;
    if (!is_replay(turn)) {
        return false;
    }
    if (find_answer(turn->engine->journal, what, question, answer) &&
        pack_take_array(answer, count) != RC_OK) {
        *count = 0;
    }
    return true;
}

bool journal_answer_entries(struct turn *turn,
                            uint32_t question,
                            struct actor_entry **entries,
                            size_t *count)
{
    struct slice answer = SLICE_EMPTY;
    uint64_t recorded = 0;
    uint64_t members = 0;
    const bool is_answered = answer_list(turn, "find", question, &answer, &recorded);
    *count = 0;
    *entries = ARENA_ARRAY(turn->batch->arena, recorded, struct actor_entry);
    for (uint64_t i = 0; i < recorded; i++) {
        struct actor_entry *entry = &(*entries)[*count];
        int64_t state = 0;
        if (pack_take_array(&answer, &members) != RC_OK ||
            pack_take_text(&answer, &entry->key) != RC_OK ||
            pack_take_int(&answer, &state) != RC_OK ||
            (members > 2 && pack_take_text(&answer, &entry->value) != RC_OK)) {
            break;
        }
        entry->state = (int)state;
        (*count)++;
    }
    return is_answered;
}

bool journal_answer_texts(struct turn *turn, uint32_t question, struct slice **texts, size_t *count)
{
    struct slice answer = SLICE_EMPTY;
    uint64_t recorded = 0;
    const bool is_answered = answer_list(turn, "rights", question, &answer, &recorded);
    *count = 0;
    *texts = ARENA_ARRAY(turn->batch->arena, recorded, struct slice);
    while (*count < recorded && pack_take_text(&answer, &(*texts)[*count]) == RC_OK) {
        (*count)++;
    }
    return is_answered;
}

bool journal_answer_ids(struct turn *turn, uint32_t question, int64_t **ids, size_t *count)
{
    struct slice answer = SLICE_EMPTY;
    uint64_t recorded = 0;
    const bool is_answered = answer_list(turn, "lane", question, &answer, &recorded);
    *count = 0;
    *ids = ARENA_ARRAY(turn->batch->arena, recorded, int64_t);
    while (*count < recorded && pack_take_int(&answer, &(*ids)[*count]) == RC_OK) {
        (*count)++;
    }
    return is_answered;
}

bool journal_answer_count(struct turn *turn, uint32_t question, int64_t *count)
{
    struct slice answer = SLICE_EMPTY;
    *count = 0;
    if (!is_replay(turn)) {
        return false;
    }
    if (find_answer(turn->engine->journal, "count", question, &answer) &&
        pack_take_int(&answer, count) != RC_OK) {
        *count = 0;
    }
    return true;
}

bool journal_answer_yes(struct turn *turn, uint32_t question, bool *is_so)
{
    struct slice answer = SLICE_EMPTY;
    if (!is_replay(turn)) {
        return false;
    }
    struct journal *journal = turn->engine->journal;
    *is_so = find_from(journal->answers, "count", question, &answer, &(struct slice){0});
    return true;
}

bool journal_answer_random(struct turn *turn, void *out, size_t len)
{
    struct slice answer = SLICE_EMPTY;
    struct slice bytes = SLICE_EMPTY;
    if (!is_replay(turn)) {
        return false;
    }
    memset(out, 0, len);
    if (find_answer(turn->engine->journal, "random", 0, &answer) &&
        pack_take_text(&answer, &bytes) == RC_OK && bytes.len == len) {
        memcpy(out, bytes.ptr, len);
    }
    return true;
}

bool journal_answer_secret(struct turn *turn, struct slice *secret)
{
    struct slice answer = SLICE_EMPTY;
    *secret = SLICE_EMPTY;
    if (!is_replay(turn)) {
        return false;
    }
    if (find_answer(turn->engine->journal, "secret", 0, &answer) &&
        pack_take_text(&answer, secret) != RC_OK) {
        *secret = SLICE_EMPTY;
    }
    return true;
}
