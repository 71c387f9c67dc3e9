#include "runtime/journal.h"

#include "runtime/base/check.h"
#include "runtime/journal_parts.h"

#include <stdlib.h>

enum {
    JOURNAL_CHUNK_BYTES = 64 * 1024
};

struct journal *journal_open(const struct journal_options *options, struct slice epoch)
{
    struct journal *journal = calloc(1, sizeof *journal);
    CHECK(journal != NULL);
    journal->options = *options;
    journal->epoch = epoch;
    journal->arena = arena_open(JOURNAL_CHUNK_BYTES);
    buf_init(&journal->reads, journal->arena);
    buf_init(&journal->decisions, journal->arena);
    return journal;
}

void journal_close(struct journal *journal)
{
    if (journal != NULL) {
        arena_close(journal->arena);
        free(journal);
    }
}

/* Opens one of the reads; NULL when they are not to be written down. */
static struct buf *read_note(struct turn *turn, const char *name, size_t members)
{
    struct journal *journal = turn->engine->journal;
    if (journal == NULL || journal->is_replay) {
        return NULL;
    }
    journal->reads_count++;
    pack_put_array(&journal->reads, members + 1);
    journal_put_cstr(&journal->reads, name);
    return &journal->reads;
}

void journal_begin(struct turn *turn)
{
    struct journal *journal = turn->engine->journal;
    if (journal != NULL) {
        journal->reads.len = 0;
        journal->decisions.len = 0;
        journal->reads_count = 0;
        journal->decisions_count = 0;
        journal->has_strayed = false;
    }
}

/* Texts that may be read */

static struct slice
veiled_field(const void *context, struct arena *arena, const struct field *field, struct slice text)
{
    const struct journal_veil *veil = context;
    if (text.len == 0) {
        return text;
    }
    return field->type == FIELD_SECRET ? veil->secret(veil->context, arena, text)
                                       : veil->text(veil->context, arena, text);
}

static struct slice
veiled_input(const void *context, struct arena *arena, const struct field *field, struct slice text)
{
    const struct journal_veil *veil = context;
    return field->type == FIELD_SECRET ? text : veil->text(veil->context, arena, text);
}

struct slice journal_veiled_text(const struct turn *turn, struct slice text)
{
    const struct journal_veil *veil = turn->engine->journal->options.veil;
    return veil == NULL ? text : veil->text(veil->context, turn->batch->arena, text);
}

void journal_put_fields(
    const struct turn *turn, struct buf *buf, int kind, const void *before, const void *after)
{
    const struct journal_veil *veil = turn->engine->journal->options.veil;
    const struct record_type *record = journal_application(turn)->machines[kind]->record;
    const struct record_veil over = {veiled_field, veil};
    (void)record_put_changes(buf, record, before, after, veil == NULL ? NULL : &over);
}

/* What the turn reads */

/* Where all is said anew. It is the first thing a turn finds out, since what it writes down depends
 * on it. */
static void begin_section(struct turn *turn)
{
    struct journal *journal = turn->engine->journal;
    const struct journal_options *options = &journal->options;
    const bool is_long =
        options->section_bytes > 0 && journal->section_bytes >= options->section_bytes;
    const bool is_old =
        options->section_ms > 0 && turn->now_ms - journal->section_ms >= options->section_ms;
    if (!journal->is_replay && (journal->section_turn == 0 || is_long || is_old)) {
        journal->section_turn = turn->number;
        journal->section_ms = turn->now_ms;
        journal->section_bytes = 0;
        journal->is_section_told = false;
    }
}

void journal_note_actor(struct turn *turn, struct actor *actor)
{
    struct journal *journal = turn->engine->journal;
    if (journal == NULL) {
        return;
    }
    begin_section(turn);
    /* in a replay they are only collected, each once */
    if (actor->journalled_turn >= (journal->is_replay ? turn->number : journal->section_turn) &&
        actor->journalled_turn > 0) {
        return;
    }
    actor->journalled_turn = turn->number;
    *LIST_ADD(&turn->batch->noted, turn->batch->arena, struct actor *) = actor;
    if (journal->is_replay) {
        return;
    }
    struct buf *buf = read_note(turn, "actor", 5);
    const struct actor_form *form = actor_newest(actor);
    const bool is_kept = roster_is_kept(turn->engine->roster, actor);
    const int kind = actor->ref.kind;
    journal_put_cstr(buf, journal_machine_name(turn, kind));
    pack_put_text(buf, actor->ref.key);
    if (!is_kept) {
        pack_put_nil(buf);
        pack_put_int(buf, 0);
        pack_put_map(buf, 0);
        return;
    }
    journal_put_cstr(buf, journal_application(turn)->machines[kind]->states[form->state]);
    pack_put_int(buf, form->calls);
    journal_put_fields(turn, buf, kind, NULL, form->value);
}

void journal_note_meeting(struct turn *turn, const struct actor *actor)
{
    const bool is_told = actor->journalled_turn == turn->number;
    struct buf *buf = is_told ? NULL : read_note(turn, "met", 2);
    if (buf != NULL) {
        journal_put_cstr(buf, journal_machine_name(turn, actor->ref.kind));
        pack_put_text(buf, actor->ref.key);
    }
}

void journal_drop(struct journal *journal, struct list *noted, size_t mark)
{
    if (journal == NULL) {
        return;
    }
    for (size_t i = mark; i < noted->count; i++) {
        (*LIST_AT(noted, struct actor *, i))->journalled_turn = 0;
    }
    noted->count = noted->count < mark ? noted->count : mark;
}

void journal_note_value(
    struct turn *turn, const char *what, uint32_t question, bool is_there, struct slice value)
{
    struct buf *buf = read_note(turn, what, 2);
    if (buf != NULL) {
        pack_put_int(buf, question);
        journal_put_or_nil(buf, is_there, value);
    }
}

void journal_note_entries(struct turn *turn,
                          uint32_t question,
                          const struct actor_entry *entries,
                          size_t count)
{
    struct buf *buf = read_note(turn, "find", 2);
    if (buf == NULL) {
        return;
    }
    pack_put_int(buf, question);
    pack_put_array(buf, count);
    for (size_t i = 0; i < count; i++) {
        const bool has_value = entries[i].value.len > 0;
        pack_put_array(buf, has_value ? 3 : 2);
        pack_put_text(buf, entries[i].key);
        pack_put_int(buf, entries[i].state);
        if (has_value) {
            pack_put_text(buf, entries[i].value);
        }
    }
}

void journal_note_texts(struct turn *turn,
                        uint32_t question,
                        const struct slice *texts,
                        size_t count)
{
    struct buf *buf = read_note(turn, "rights", 2);
    if (buf == NULL) {
        return;
    }
    pack_put_int(buf, question);
    pack_put_array(buf, count);
    for (size_t i = 0; i < count; i++) {
        pack_put_text(buf, texts[i]);
    }
}

void journal_note_ids(struct turn *turn, uint32_t question, const int64_t *ids, size_t count)
{
    struct buf *buf = read_note(turn, "lane", 2);
    if (buf != NULL) {
        pack_put_int(buf, question);
        journal_put_ids(buf, ids, count);
    }
}

void journal_note_count(struct turn *turn, uint32_t question, int64_t count)
{
    struct buf *buf = read_note(turn, "count", 2);
    if (buf != NULL) {
        pack_put_int(buf, question);
        pack_put_int(buf, count);
    }
}

void journal_note_random(struct turn *turn, struct slice bytes)
{
    struct buf *buf = read_note(turn, "random", 1);
    if (buf != NULL) {
        pack_put_bytes(buf, bytes);
    }
}

void journal_note_secret(struct turn *turn, struct slice secret)
{
    struct buf *buf = read_note(turn, "secret", 1);
    if (buf != NULL) {
        const struct journal_veil *veil = turn->engine->journal->options.veil;
        pack_put_text(buf, veil == NULL ? secret
                                        : veil->secret(veil->context, turn->batch->arena, secret));
    }
}

/* The entry */

static void put_input_body(struct turn *turn, struct buf *buf, const struct msg *msg)
{
    const struct journal_veil *veil = turn->engine->journal->options.veil;
    const struct record_type *record = journal_application(turn)->messages[msg->kind].record;
    const struct record_veil over = {veiled_input, veil};
    const void *body =
        veil == NULL ? msg->body : veil->input(veil->context, turn->batch->arena, msg);
    (void)record_put_changes(buf, record, NULL, body, veil == NULL ? NULL : &over);
}

static struct slice
pack_input(struct turn *turn, const struct queued_input *input, struct actor_ref ref)
{
    struct buf body;
    struct buf whole;
    struct journal_input out = {.how = JOURNAL_DEADLINE};
    buf_init(&body, turn->batch->arena);
    buf_init(&whole, turn->batch->arena);
    if (input == NULL) {
        const struct fsm *fsm = journal_application(turn)->machines[ref.kind];
        out.message =
            slice_from_cstr(journal_application(turn)->messages[fsm->deadline_message].name);
        pack_put_map(&body, 0);
    } else {
        out.how = input->ended != NULL      ? JOURNAL_ENDED
                  : input->event_id.len > 0 ? JOURNAL_EVENT
                                            : JOURNAL_INPUT;
        out.message = slice_from_cstr(journal_application(turn)->messages[input->msg.kind].name);
        out.event_id = input->event_id;
        put_input_body(turn, &body, &input->msg);
    }
    if (out.how == JOURNAL_ENDED) {
        out.call_id = input->ended->id;
        out.call_place = input->ended->place;
        out.call_turn = input->ended->turn;
        out.lane = input->ended->call.lane;
        ref = (struct actor_ref){input->ended->actor_kind, input->ended->actor_key};
    }
    if (out.how == JOURNAL_ENDED || out.how == JOURNAL_DEADLINE) {
        out.machine = slice_from_cstr(journal_machine_name(turn, ref.kind));
        out.key = ref.key;
    }
    out.body = buf_slice(&body);
    journal_input_put(&whole, &out);
    return buf_slice(&whole);
}

static struct slice pack_items(struct turn *turn, const struct buf *items, size_t count)
{
    struct buf whole;
    buf_init(&whole, turn->batch->arena);
    pack_put_array(&whole, count);
    buf_put(&whole, buf_slice(items));
    return buf_slice(&whole);
}

void journal_put_turn(struct turn *turn, const struct queued_input *input, struct actor_ref ref)
{
    struct journal *journal = turn->engine->journal;
    if (journal == NULL || journal->is_replay) {
        return;
    }
    struct buf *entries = &turn->batch->journal;
    const size_t start = entries->len;
    begin_section(turn);
    if (!journal->is_section_told) {
        const struct journal_process process = {
            .turn = turn->number,
            .now_ms = turn->now_ms,
            .epoch = journal->epoch,
            .settings = journal->options.settings,
        };
        journal->is_section_told = true;
        journal_process_put(entries, &process);
    }
    const struct journal_turn entry = {
        .number = turn->number,
        .now_ms = turn->now_ms,
        .input = pack_input(turn, input, ref),
        .reads = pack_items(turn, &journal->reads, journal->reads_count),
        .decisions = pack_items(turn, &journal->decisions, journal->decisions_count),
    };
    journal_turn_put(entries, &entry);
    journal->section_bytes += (int64_t)(entries->len - start);
}
