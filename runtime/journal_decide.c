/* What a turn decides, as it stands in its entry. */
#include "runtime/journal_parts.h"

enum {
    OPTION_CATCH_UP = 1,
    OPTION_TAKES_401 = 2,
    ANSWER_REDIRECTS = 1,
    ANSWER_SETS_COOKIE = 2,
};

/* Opens one of the decisions; NULL without a journal. */
static struct buf *decide(struct turn *turn, const char *name, size_t members)
{
    struct journal *journal = turn->engine->journal;
    if (journal == NULL) {
        return NULL;
    }
    journal->decisions_count++;
    pack_put_array(&journal->decisions, members + 1);
    journal_put_cstr(&journal->decisions, name);
    return &journal->decisions;
}

void journal_note_step(struct turn *turn,
                       struct actor_ref ref,
                       const struct msg *msg,
                       const char *from,
                       const char *to)
{
    struct buf *buf = decide(turn, "step", 5);
    if (buf != NULL) {
        journal_put_cstr(buf, journal_machine_name(turn, ref.kind));
        pack_put_text(buf, ref.key);
        journal_put_cstr(buf, journal_application(turn)->messages[msg->kind].name);
        journal_put_cstr(buf, from);
        journal_put_or_nil(buf, to != NULL, slice_from_cstr(to));
    }
}

/* A body that goes with our own secrets holds another's: Gitter's code for a token. */
static uint32_t digest_of(const struct call *call, struct slice body)
{
    if (call->auth == CALL_AUTH_OAUTH) {
        return 0;
    }
    const struct slice texts[] = {call->owner, call->after_lane, call->content_type, call->ref,
                                  body};
    const int64_t numbers[] = {
        (int64_t)call->api,
        (int64_t)call->auth,
        (int64_t)call->repeat,
        call->not_before_ms,
        call->patience_ms,
        (call->is_catch_up ? OPTION_CATCH_UP : 0) | (call->takes_401 ? OPTION_TAKES_401 : 0),
    };
    uint32_t hash = 1;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        hash = hash * 31 + (uint32_t)numbers[i];
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        hash = journal_hash(hash, texts[i]);
    }
    return hash;
}

void journal_note_call(struct turn *turn, const struct outbox_call *call)
{
    struct buf *buf = decide(turn, "call", 7);
    if (buf != NULL) {
        const struct slice body = journal_veiled_text(turn, call->call.body);
        pack_put_int(buf, call->id % JOURNAL_CALLS_PER_TURN);
        journal_put_cstr(buf, journal_application(turn)->messages[call->call.purpose].name);
        pack_put_text(buf, call->call.lane);
        pack_put_text(buf, call->call.method);
        pack_put_text(buf, journal_veiled_text(turn, call->call.path));
        pack_put_int(buf, (int64_t)body.len);
        pack_put_fixed(buf, digest_of(&call->call, body));
    }
}

void journal_note_cancel(struct turn *turn, const int64_t *ids, size_t count)
{
    struct buf *buf = count == 0 ? NULL : decide(turn, "cancel", 1);
    if (buf != NULL) {
        journal_put_ids(buf, ids, count);
    }
}

void journal_note_answer(struct turn *turn, const struct answer *answer)
{
    struct buf *buf = decide(turn, "answer", 2);
    if (buf != NULL) {
        pack_put_int(buf, answer->status);
        pack_put_int(buf, (answer->location.len > 0 ? ANSWER_REDIRECTS : 0) |
                              (answer->set_cookie.len > 0 ? ANSWER_SETS_COOKIE : 0));
    }
}

void journal_note_link(struct turn *turn, const struct link_order *order)
{
    static const char *const verbs[] = {
        [LINK_OPEN] = "open",
        [LINK_CLOSE] = "close",
        [LINK_SUBSCRIBE] = "subscribe",
        [LINK_UNSUBSCRIBE] = "unsubscribe",
    };
    struct buf *buf = decide(turn, "link", 3);
    if (buf != NULL) {
        journal_put_cstr(buf, verbs[order->verb]);
        pack_put_text(buf, order->owner);
        pack_put_text(buf, order->channel);
    }
}

void journal_note_order(struct turn *turn, const struct order *order)
{
    static const char *const verbs[] = {
        [ORDER_RETRY] = "retry", [ORDER_AUDIT] = "audit", [ORDER_READ] = "read"};
    struct buf *buf = decide(turn, "order", 3);
    if (buf != NULL) {
        journal_put_cstr(buf, verbs[order->verb]);
        pack_put_text(buf, order->who);
        pack_put_text(buf, order->what);
    }
}

static const char *relation_name(enum relation relation)
{
    static const char *const names[] = {
#define RELATION_NAME(name) #name,
        RELATION_LIST(RELATION_NAME)
#undef RELATION_NAME
    };
    return names[relation];
}

void journal_note_relation(struct turn *turn, const struct store_relation *relation)
{
    struct buf *buf = relation->is_gone ? decide(turn, "unrelate", 3) : decide(turn, "relate", 4);
    if (buf == NULL) {
        return;
    }
    journal_put_cstr(buf, relation_name(relation->relation));
    pack_put_text(buf, relation->left);
    journal_put_or_nil(buf, !relation->is_gone || relation->right.len > 0, relation->right);
    if (!relation->is_gone) {
        pack_put_text(buf, relation->value);
    }
}

void journal_note_forget(struct turn *turn, struct slice user)
{
    struct buf *buf = decide(turn, "forget", 1);
    if (buf != NULL) {
        pack_put_text(buf, user);
    }
}

static void note_became(struct turn *turn, const struct actor *actor)
{
    const struct actor_form *was = actor->batch != NULL ? actor->batch : &actor->committed;
    const struct actor_form *is = actor->turn;
    const struct fsm *fsm = journal_application(turn)->machines[actor->ref.kind];
    const bool is_kept = roster_is_kept(turn->engine->roster, actor);
    const bool was_kept = roster_form_is_kept(turn->engine->roster, actor->ref.kind, was);
    if (!is_kept && !was_kept) {
        return;
    }
    if (is_kept && was_kept && was->state == is->state && was->calls == is->calls &&
        record_equal(fsm->record, was->value, is->value)) {
        return;
    }
    struct buf *buf = decide(turn, "became", 5);
    journal_put_cstr(buf, fsm->name);
    pack_put_text(buf, actor->ref.key);
    journal_put_or_nil(buf, is_kept, slice_from_cstr(fsm->states[is->state]));
    pack_put_int(buf, is_kept ? is->calls : 0);
    if (is_kept) {
        journal_put_fields(turn, buf, actor->ref.kind, was_kept ? was->value : NULL, is->value);
    } else {
        pack_put_map(buf, 0);
    }
}

void journal_note_outcome(struct turn *turn)
{
    if (turn->engine->journal != NULL) {
        for (size_t i = 0; i < turn->touched.count; i++) {
            note_became(turn, *LIST_AT(&turn->touched, struct actor *, i));
        }
    }
}
