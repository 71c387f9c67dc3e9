/* What the user says in the private chat while they are logged in. What takes more than one step is
 * an errand. */
#include "actors/user/user.h"

#include "codecs/nearest.h"

#include <inttypes.h>

static const struct slice verbs[] = {
    SLICE_INIT("list"),  SLICE_INIT("invite"), SLICE_INIT("gjoin"),
    SLICE_INIT("gpart"), SLICE_INIT("logout"), SLICE_INIT("help"),
};

static void say_plain(struct turn *turn, struct user *user, enum text text)
{
    const struct text_pair said = TEXT_PLAIN(turn_arena(turn), text);
    user_say(turn, user, &said);
}

/* A question is about the last thing that was said: anything else answers it with no. */
static void drop_question(struct turn *turn, struct user *user)
{
    if (user->asking.len > 0) {
        turn_send(turn, (struct actor_ref){ACTOR_ERRAND, user->asking}, MSG_ERRAND_CANCELLED,
                  &nothing);
        user->asking = SLICE_EMPTY;
    }
}

/* A question that nobody answered is let go without a word to the user. */
static bool is_asked(struct turn *turn, const struct user *user)
{
    int state = 0;
    return user->asking.len > 0 &&
           turn_exists(turn, (struct actor_ref){ACTOR_ERRAND, user->asking}, &state);
}

void user_do_explain(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    drop_question(turn, next);
    say_plain(turn, next, TEXT_HELP);
}

void user_do_say_unknown(void *next, const struct msg *msg, struct turn *turn)
{
    drop_question(turn, next);
    const struct slice verb = slice_first(((const struct msg_command *)msg->body)->verb, 64);
    const struct slice nearest = nearest_word(verb, verbs, MACHINE_COUNT(verbs));
    if (nearest.len > 0) {
        USER_SAY(turn, next, TEXT_NEAREST_COMMAND, {"verb", verb}, {"nearest", nearest});
    } else {
        USER_SAY(turn, next, TEXT_UNKNOWN_COMMAND, {"verb", verb});
    }
}

/* Errands */

static void
begin_errand(struct turn *turn, const struct user *user, struct slice verb, struct slice argument)
{
    struct arena *arena = turn_arena(turn);
    const struct slice key =
        arena_printf(arena, "%.*s|%.*s", SLICE_ARGS(user->key), SLICE_ARGS(turn_unique_id(turn)));
    const struct msg_errand begin = {
        .user = user->key,
        .verb = verb,
        .argument = argument,
        .numbers = user->listed,
        .gitter_user = user->gitter_id,
        .gitter_name = user->gitter_name,
    };
    turn_send(turn, (struct actor_ref){ACTOR_ERRAND, key}, MSG_ERRAND_BEGIN, &begin);
}

void user_offer_rooms(struct turn *turn, struct user *user)
{
    begin_errand(turn, user, SLICE("offer"), SLICE_EMPTY);
}

static enum text usage_of(struct slice verb)
{
    if (slice_equal_fold(verb, SLICE("gjoin"))) {
        return TEXT_GJOIN_USAGE;
    }
    return slice_equal_fold(verb, SLICE("gpart")) ? TEXT_GPART_USAGE : TEXT_INVITE_USAGE;
}

void user_do_run_errand(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct msg_command *command = msg->body;
    drop_question(turn, user);
    for (size_t i = 0; i < MACHINE_COUNT(verbs); i++) {
        if (!slice_equal_fold(verbs[i], command->verb)) {
            continue;
        }
        if (command->argument.len == 0 && !slice_equal(verbs[i], SLICE("list"))) {
            say_plain(turn, user, usage_of(verbs[i]));
        } else {
            begin_errand(turn, user, verbs[i], command->argument);
        }
    }
}

void user_do_confirm(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    (void)msg;
    if (!is_asked(turn, user)) {
        say_plain(turn, user, TEXT_NOTHING_ASKED);
        return;
    }
    turn_send(turn, (struct actor_ref){ACTOR_ERRAND, user->asking}, MSG_ERRAND_CONFIRMED, &nothing);
    user->asking = SLICE_EMPTY;
}

void user_do_decline(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    (void)msg;
    say_plain(turn, user, is_asked(turn, user) ? TEXT_NOT_DONE : TEXT_NOTHING_ASKED);
    drop_question(turn, user);
}

void user_cancel_errands(struct turn *turn, struct user *user)
{
    struct actor_entry *errands = NULL;
    const size_t count = turn_find(turn, ACTOR_ERRAND, "user", user->key, &errands);
    for (size_t i = 0; i < count; i++) {
        turn_send(turn, (struct actor_ref){ACTOR_ERRAND, errands[i].key}, MSG_ERRAND_CANCELLED,
                  &nothing);
    }
    user->asking = SLICE_EMPTY;
}

/* What errands and rooms report */

void user_do_note_list(void *next, const struct msg *msg, struct turn *turn)
{
    (void)turn;
    ((struct user *)next)->listed = ((const struct msg_text *)msg->body)->text;
}

void user_do_note_question(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    drop_question(turn, user);
    user->asking = ((const struct msg_text *)msg->body)->text;
}

void user_do_note_inviting(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const int64_t more = ((const struct msg_count *)msg->body)->count;
    (void)turn;
    if (user->invited >= user->inviting) { /* those before are done */
        user->inviting = 0;
        user->invited = 0;
    }
    user->inviting += more;
}

/* A word each ten rooms, and at the end, when there are many. */
enum {
    PROGRESS_ROOMS = 10
};

void user_do_note_room(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    struct arena *arena = turn_arena(turn);
    (void)msg;
    if (user->invited >= user->inviting) {
        return; /* asked for by name: no word is needed */
    }
    user->invited++;
    const bool is_end = user->invited == user->inviting;
    if (user->inviting > PROGRESS_ROOMS && (is_end || user->invited % PROGRESS_ROOMS == 0)) {
        USER_SAY(turn, user, TEXT_PROGRESS,
                 {"done", arena_printf(arena, "%" PRId64, user->invited)},
                 {"total", arena_printf(arena, "%" PRId64, user->inviting)});
    }
}

/* Gitter's push tells of a joining by our own command as well: that comes without a label, before
 * the joining, and its errand answers. */
void user_do_offer_seen(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct msg_seen *seen = msg->body;
    const bool is_news = !slice_equal(user->seen, seen->gitter_room);
    user->seen = seen->gitter_room;
    if (is_news && seen->label.len > 0) {
        USER_SAY(turn, user, TEXT_JOINED, {"room", seen->label});
    }
}

void user_do_forget_seen(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    (void)turn;
    if (slice_equal(user->seen, ((const struct msg_room *)msg->body)->gitter_room)) {
        user->seen = SLICE_EMPTY;
    }
}
