/* What errands, rooms and the connection to Gitter report to the user. */
#include "actors/user/user.h"

#include <inttypes.h>

void user_do_note_list(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct msg_listed *listed = msg->body;
    (void)turn;
    user->listed = listed->ids;
    user->more = listed->more;
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

void user_do_note_trouble(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    user->trouble = ((const struct msg_text *)msg->body)->text;
    user->trouble_ms = turn_now_ms(turn);
}
