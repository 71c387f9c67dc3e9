/* actors/machine.h: how a machine's table is written down.
 *
 * A machine's .c file defines ROW for its own prefix, so that in room.c
 * ROW(JOINED, MATRIX_TEXT, from_owner, JOINED, post) stands for the state ROOM_JOINED, the message
 * MSG_ROOM_MATRIX_TEXT, the guard room_if_from_owner and the action room_do_post. ANY and SAME are
 * states of every machine's enum, `always` and `nothing` guard and action of every machine.
 */
#ifndef GITTERD_ACTORS_MACHINE_H
#define GITTERD_ACTORS_MACHINE_H

#include "actors/messages.h"
#include "actors/settings.h"
#include "runtime/fsm.h"

/* States in lists of pairs are bits. */
#define STATE_BIT(state) (1U << (unsigned)(state))
#define MACHINE_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The machines, by enum actor_kind; ACTOR_KINDS of them. */
extern const struct fsm *const machines[];

/* From an outside input to the actors it concerns. */
void router_route(const struct msg *input, struct turn *turn);

/* Guards' view of a membership: they have left, or were put out. */
static inline bool member_is_out(const struct msg_member *member)
{
    return slice_equal(member->membership, SLICE("leave")) ||
           slice_equal(member->membership, SLICE("ban"));
}

/* Guards' views of a call's end. */
static inline const struct call_ended *ended_of(const struct msg *msg)
{
    return msg->body;
}

static inline bool ended_is_done(const struct msg *msg)
{
    return ended_of(msg)->end == CALL_END_DONE;
}

static inline bool ended_is_unknown(const struct msg *msg)
{
    return ended_of(msg)->end == CALL_END_UNKNOWN;
}

#endif
