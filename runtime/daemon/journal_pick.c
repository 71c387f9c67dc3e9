#include "runtime/daemon/journal_pick.h"

#include "codecs/journal_redact.h"
#include "codecs/matrix.h"
#include "runtime/base/buf.h"

#include <string.h>

enum {
    TURN_BYTES = 64 * 1024
};

void journal_pick_open(struct journal_pick *pick, const struct journal_export *wanted)
{
    *pick = (struct journal_pick){
        .wanted = wanted, .arena = arena_open(TURN_BYTES), .kept = arena_open(TURN_BYTES)};
    replay_run_open(&pick->known);
    replay_run_open(&pick->anew);
}

void journal_pick_close(struct journal_pick *pick)
{
    replay_run_close(&pick->known);
    replay_run_close(&pick->anew);
    arena_close(pick->arena);
    arena_close(pick->kept);
}

/* Whom a turn meets */

static void meet(struct actor_ref *refs, size_t *count, struct slice machine, struct slice key)
{
    for (int kind = 0; kind < ACTOR_KINDS && key.len > 0; kind++) {
        if (slice_equal(slice_from_cstr(machines[kind]->name), machine)) {
            refs[(*count)++] = (struct actor_ref){kind, key};
        }
    }
}

static uint64_t items_count(struct slice items)
{
    uint64_t count = 0;
    return pack_take_array(&items, &count) == RC_OK ? count : 0;
}

static void meet_in(struct actor_ref *refs, size_t *count, struct slice items)
{
    static const char *const names[] = {"actor", "met", "step", "became"};
    struct journal_item item;
    uint64_t all = 0;
    if (pack_take_array(&items, &all) != RC_OK) {
        return;
    }
    for (uint64_t i = 0; i < all && journal_item_read(&items, &item) == RC_OK; i++) {
        struct slice machine = SLICE_EMPTY;
        struct slice key = SLICE_EMPTY;
        bool is_about = false;
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            is_about = is_about || slice_equal(item.name, slice_from_cstr(names[n]));
        }
        if (is_about && pack_take_text(&item.rest, &machine) == RC_OK &&
            pack_take_text(&item.rest, &key) == RC_OK) {
            meet(refs, count, machine, key);
        }
    }
}

struct actor_ref *
journal_met_actors(struct arena *arena, const struct journal_turn *turn, size_t *count)
{
    const uint64_t most = items_count(turn->reads) + items_count(turn->decisions) + 1;
    struct actor_ref *refs = ARENA_ARRAY(arena, most, struct actor_ref);
    struct journal_input input;
    *count = 0;
    if (journal_input_read(turn->input, &input) == RC_OK) {
        meet(refs, count, input.machine, input.key);
    }
    meet_in(refs, count, turn->reads);
    meet_in(refs, count, turn->decisions);
    return refs;
}

/* Whose they are */

static struct slice field_of(const struct replay_run *run, struct actor_ref ref, const char *name)
{
    int state = 0;
    const void *value = replay_peek(run->replay, ref, &state);
    const struct record_type *record = machines[ref.kind]->record;
    struct slice text = SLICE_EMPTY;
    for (size_t i = 0; value != NULL && i < record->fields_count; i++) {
        if (record->fields[i].type == FIELD_TEXT && strcmp(record->fields[i].name, name) == 0) {
            memcpy(&text, (const char *)value + record->fields[i].offset, sizeof text);
        }
    }
    return text;
}

static bool key_has_part(struct slice key, struct slice part)
{
    while (key.len > 0) {
        if (slice_equal(slice_cut(&key, '|'), part)) {
            return true;
        }
    }
    return false;
}

bool journal_is_of_user(const struct replay_run *run, struct actor_ref ref, struct slice user)
{
    return key_has_part(ref.key, user) || slice_equal(field_of(run, ref, "user"), user) ||
           slice_equal(field_of(run, ref, "owner"), user);
}

bool journal_is_of_room(const struct replay_run *run, struct actor_ref ref, struct slice room)
{
    return key_has_part(ref.key, room) || slice_equal(field_of(run, ref, "matrix_room"), room);
}

/* An event that nobody took up has no actor: what it says of itself must do. */
static bool
input_is_in_room(struct arena *arena, const struct journal_turn *turn, struct slice room)
{
    struct journal_input input;
    struct msg_event msg = {.raw = SLICE_EMPTY};
    struct matrix_event event;
    return journal_input_read(turn->input, &input) == RC_OK && input.how == JOURNAL_EVENT &&
           record_unpack(&msg_event_record, input.body, &msg) == RC_OK &&
           matrix_event_parse(arena, msg.raw, &event) == RC_OK && slice_equal(event.room_id, room);
}

static bool is_wanted(struct journal_pick *pick,
                      const struct journal_turn *turn,
                      const struct actor_ref *met,
                      size_t count)
{
    const struct journal_export *wanted = pick->wanted;
    if ((wanted->since_ms != 0 && turn->now_ms < wanted->since_ms) ||
        (wanted->until_ms != 0 && turn->now_ms > wanted->until_ms)) {
        return false;
    }
    bool is_users = wanted->user.len == 0;
    bool is_rooms = wanted->room.len == 0 || input_is_in_room(pick->arena, turn, wanted->room);
    for (size_t i = 0; i < count; i++) {
        is_users = is_users || journal_is_of_user(&pick->known, met[i], wanted->user);
        is_rooms = is_rooms || journal_is_of_room(&pick->known, met[i], wanted->room);
    }
    return is_users && is_rooms;
}

/* Reads without the actors, and before them those that have not been told as they are now. */
static struct slice renew_reads(struct journal_pick *pick,
                                const struct journal_turn *turn,
                                const struct actor_ref *met,
                                size_t count)
{
    struct buf items;
    struct buf whole;
    struct slice rest = turn->reads;
    struct journal_item item;
    uint64_t all = 0;
    size_t written = 0;
    buf_init(&items, pick->arena);
    buf_init(&whole, pick->arena);
    for (size_t i = 0; i < count; i++) {
        if (!replay_is_marked(pick->known.replay, met[i])) {
            replay_put_actor(pick->known.replay, met[i], &items);
            replay_mark(pick->known.replay, met[i]);
            written++;
        }
    }
    if (pack_take_array(&rest, &all) == RC_OK) {
        while (rest.len > 0 && journal_item_read(&rest, &item) == RC_OK) {
            if (!slice_equal(item.name, SLICE("actor"))) {
                buf_put(&items, item.whole);
                written++;
            }
        }
    }
    pack_put_array(&whole, written);
    buf_put(&whole, buf_slice(&items));
    return buf_slice(&whole);
}

/* What the turn decides on the redacted input is what the log has to say. */
static enum rc decide_anew(struct journal_pick *pick, struct journal_turn *turn)
{
    struct replay_outcome outcome;
    journal_redact(pick->arena, turn);
    const enum rc rc = replay_turn(pick->anew.replay, turn, &outcome);
    if (rc == RC_OK) {
        turn->decisions = arena_copy(pick->arena, outcome.decisions);
        turn->reads = arena_copy(pick->arena, outcome.reads);
    }
    return rc;
}

static enum rc write_process(struct journal_pick *pick, struct buf *out)
{
    struct journal_entry entry;
    size_t len = 0;
    if (pick->is_process_written) {
        return RC_OK;
    }
    pick->is_process_written = true;
    buf_put(out, pick->process);
    const enum rc rc = journal_entry_read(pick->process, &entry, &len);
    return rc == RC_OK ? replay_run_process(&pick->anew, &entry) : rc;
}

static enum rc write_turn(struct journal_pick *pick,
                          struct journal_turn turn,
                          struct slice reads,
                          struct slice *out)
{
    struct buf entry;
    enum rc rc = RC_OK;
    buf_init(&entry, pick->arena);
    rc = write_process(pick, &entry);
    turn.reads = reads;
    if (rc == RC_OK && pick->wanted->is_redacted) {
        rc = decide_anew(pick, &turn);
    }
    if (rc == RC_OK) {
        journal_turn_put(&entry, &turn);
        *out = buf_slice(&entry);
        pick->turns++;
    }
    return rc;
}

static enum rc
take_turn(struct journal_pick *pick, const struct journal_turn *turn, struct slice *out)
{
    size_t count = 0;
    const struct actor_ref *met = journal_met_actors(pick->arena, turn, &count);
    enum rc rc = replay_take_reads(pick->known.replay, turn);
    if (rc != RC_OK) {
        return rc;
    }
    const bool is_kept = is_wanted(pick, turn, met, count);
    if (is_kept) {
        rc = write_turn(pick, *turn, renew_reads(pick, turn, met, count), out);
    }
    if (rc == RC_OK) {
        rc = replay_take_outcome(pick->known.replay, turn);
    }
    for (size_t i = 0; is_kept && i < count; i++) {
        replay_mark(pick->known.replay, met[i]);
    }
    return rc;
}

enum rc
journal_pick_take(struct journal_pick *pick, const struct journal_entry *entry, struct slice *out)
{
    struct journal_turn turn;
    arena_reset(pick->arena);
    *out = SLICE_EMPTY;
    if (entry->kind == JOURNAL_PROCESS) {
        arena_reset(pick->kept);
        pick->process = arena_copy(pick->kept, entry->whole);
        pick->is_process_written = false;
        return replay_run_process(&pick->known, entry);
    }
    if (!pick->known.has_begun) {
        return RC_OK; /* what is left of a section */
    }
    const enum rc rc = journal_turn_read(entry, &turn);
    return rc == RC_OK ? take_turn(pick, &turn, out) : rc;
}
