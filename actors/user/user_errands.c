/* Commands that are errands, one at a time: what is said while one runs waits behind it, as an
 * errand that has not begun, so that answers come in the order of what they answer. */
#include "actors/errand/errand.h"
#include "actors/user/user.h"

#include <inttypes.h>

enum {
    WAITING_MAX = 20
};

static struct actor_ref errand_of(struct slice key)
{
    return (struct actor_ref){ACTOR_ERRAND, key};
}

static struct slice
send_errand(struct turn *turn, struct user *user, int kind, const struct command_line *line)
{
    const struct slice key =
        arena_printf(turn_arena(turn), "%.*s|%012" PRId64, SLICE_ARGS(user->key), user->errands);
    const struct msg_errand errand = {
        .user = user->key,
        .verb = line->verb,
        .argument = line->argument,
        .numbers = user->listed,
        .gitter_user = user->gitter_id,
        .gitter_name = user->gitter_name,
        .page = line->page,
    };
    user->errands++;
    turn_send(turn, errand_of(key), kind, &errand);
    return key;
}

void user_run_errand(struct turn *turn, struct user *user, const struct command_line *line)
{
    user->running = send_errand(turn, user, MSG_ERRAND_BEGIN, line);
}

/* Nobody said this: nothing waits for it. */
void user_offer_rooms(struct turn *turn, struct user *user)
{
    const struct command_line offer = {.verb = SLICE("offer")};
    (void)send_errand(turn, user, MSG_ERRAND_BEGIN, &offer);
}

/* Once at a time: a process that is begun again and again asks no more for that. */
void user_do_review_rooms(void *next, const struct msg *msg, struct turn *turn)
{
    const struct user *user = next;
    const struct slice key = arena_printf(turn_arena(turn), "%.*s|review", SLICE_ARGS(user->key));
    const struct msg_errand review = {.user = user->key, .verb = SLICE("review")};
    int state = 0;
    (void)msg;
    if (!turn_exists(turn, errand_of(key), &state)) {
        turn_send(turn, errand_of(key), MSG_ERRAND_BEGIN, &review);
    }
}

bool user_is_busy(struct turn *turn, const struct user *user)
{
    int state = 0;
    return user->running.len > 0 && turn_exists(turn, errand_of(user->running), &state);
}

/* Those that have not begun; *first is the oldest. */
static size_t find_waiting(struct turn *turn, const struct user *user, struct slice *first)
{
    struct actor_entry *errands = NULL;
    const size_t count = turn_find(turn, ACTOR_ERRAND, "user", user->key, &errands);
    size_t waiting = 0;
    for (size_t i = count; i-- > 0;) {
        if (errands[i].state == ERRAND_WAITING) {
            *first = errands[i].key;
            waiting++;
        }
    }
    return waiting;
}

void user_queue_command(struct turn *turn, struct user *user, const struct msg_command *command)
{
    struct slice first = SLICE_EMPTY;
    const struct command_line line = {.verb = command->verb, .argument = command->argument};
    if (find_waiting(turn, user, &first) >= WAITING_MAX) {
        USER_SAY(turn, user, TEXT_BUSY, {"verb", line.verb});
    } else {
        (void)send_errand(turn, user, MSG_ERRAND_WAIT, &line);
    }
}

void user_run_next(struct turn *turn, struct user *user)
{
    struct slice first = SLICE_EMPTY;
    if (user->running.len == 0 && find_waiting(turn, user, &first) > 0) {
        turn_send(turn, errand_of(first), MSG_ERRAND_DUE, &nothing);
    }
}

static void stop_waiting_for(struct turn *turn, struct user *user, struct slice errand)
{
    if (slice_equal(user->running, errand)) {
        user->running = SLICE_EMPTY;
        user_run_next(turn, user);
    }
}

void user_do_go_on(void *next, const struct msg *msg, struct turn *turn)
{
    stop_waiting_for(turn, next, ((const struct msg_text *)msg->body)->text);
}

void user_cancel_errands(struct turn *turn, struct user *user)
{
    struct actor_entry *errands = NULL;
    const size_t count = turn_find(turn, ACTOR_ERRAND, "user", user->key, &errands);
    for (size_t i = 0; i < count; i++) {
        turn_send(turn, errand_of(errands[i].key), MSG_ERRAND_CANCELLED, &nothing);
    }
    user->asking = SLICE_EMPTY;
    user->running = SLICE_EMPTY;
}

/* Questions */

void user_drop_question(struct turn *turn, struct user *user)
{
    if (user->asking.len > 0) {
        turn_send(turn, errand_of(user->asking), MSG_ERRAND_CANCELLED, &nothing);
        user->asking = SLICE_EMPTY;
    }
}

/* While it asks, what is said is the answer, or means no. */
void user_do_note_question(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    user_drop_question(turn, user);
    user->asking = ((const struct msg_text *)msg->body)->text;
    stop_waiting_for(turn, user, user->asking);
}

/* A question that nobody answered is let go without a word to the user. */
static bool is_asked(struct turn *turn, const struct user *user)
{
    int state = 0;
    return user->asking.len > 0 && turn_exists(turn, errand_of(user->asking), &state);
}

void user_run_yes(struct turn *turn, struct user *user, const struct command_line *line)
{
    (void)line;
    if (!is_asked(turn, user)) {
        user_say_plain(turn, user, TEXT_NOTHING_ASKED);
        return;
    }
    turn_send(turn, errand_of(user->asking), MSG_ERRAND_CONFIRMED, &nothing);
    user->running = user->asking;
    user->asking = SLICE_EMPTY;
}

void user_run_no(struct turn *turn, struct user *user, const struct command_line *line)
{
    (void)line;
    user_say_plain(turn, user, is_asked(turn, user) ? TEXT_NOT_DONE : TEXT_NOTHING_ASKED);
    user_drop_question(turn, user);
}
