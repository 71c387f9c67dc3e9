/* actors/room/room.h: one Gitter room of one owner, bridged to one private Matrix room.
 *
 * Key: "<owner>|<Gitter room id>". Messages are never in the state: they are calls in the outbox,
 * in three lanes. `room-in` holds everything said and done in the Matrix room, `room-out` what is
 * posted on Gitter, `room-read` the reading of what was missed.
 */
#ifndef GITTERD_ACTORS_ROOM_ROOM_H
#define GITTERD_ACTORS_ROOM_ROOM_H

#include "actors/calls.h"

enum room_state {
    ROOM_ANY = FSM_ANY,
    ROOM_SAME = FSM_SAME,
    ROOM_CREATING = 0,
    ROOM_INVITED, /* the owner is; what is said on Gitter is brought already */
    ROOM_JOINED,
    ROOM_LEAVING,
    ROOM_LEFT,
};

#define ROOM_FIELDS(F, S)                                                                          \
    F(S, COLUMN, owner)                                                                            \
    F(S, COLUMN, matrix_room) /* empty while there is none, and while leaving */                   \
    F(S, COLUMN, gitter_room)                                                                      \
    F(S, TEXT, label) /* what the user calls it */                                                 \
    F(S, TEXT, name)                                                                               \
    F(S, TEXT, topic)                                                                              \
    F(S, TEXT, gitter_user) /* the owner's id on Gitter */                                         \
    F(S, TEXT, gitter_name)                                                                        \
    F(S, TEXT, since)      /* Gitter message id: nothing up to it is brought */                    \
    F(S, TEXT, cursor)     /* the greatest id that is in the outbox or beyond */                   \
    F(S, NUM, session)     /* the link on which the room is level; of others nothing is taken */   \
    F(S, FLAG, is_reading) /* pages of what was missed are being read */                           \
    F(S, FLAG, is_behind)  /* something came that was not taken: read again */                     \
    F(S, FLAG, is_polling) /* there is no live channel: read every now and then */                 \
    F(S, NUM, posts)       /* own messages on their way to Gitter */                               \
    F(S, NUM, refused)     /* own messages refused since one was taken */                          \
    F(S, TEXT, last_refused)                                                                       \
    F(S, NUM, undelivered) /* own messages whose posts failed since one did not */                 \
    F(S, TEXT, last_undelivered)                                                                   \
    F(S, FLAG, is_asked)  /* by name: not one of many, which give way to live traffic */           \
    F(S, NUM, creates)    /* attempts */                                                           \
    F(S, TEXT, candidate) /* a Matrix room with our marker, seen before its answer came */         \
    F(S, FLAG, was_explained)                                                                      \
    F(S, NUM, deadline_ms)

struct room {
    struct slice key;
    ROOM_FIELDS(FIELD_MEMBER, room)
};

extern const struct fsm room_fsm;

/* For those who find rooms in the directory. */
static inline bool room_state_has_feed(int state)
{
    return state == ROOM_INVITED || state == ROOM_JOINED;
}

static inline bool room_state_is_bridged(int state)
{
    return state == ROOM_CREATING || room_state_has_feed(state);
}

struct slice room_key_gitter_room(struct slice key);

/* Shared by the files of this actor. */

struct slice room_lane_in(struct turn *turn, const struct room *room);
struct slice room_lane_out(struct turn *turn, const struct room *room);
struct slice room_lane_read(struct turn *turn, const struct room *room);

/* The bot says something in the Matrix room, as a reply if `reply_to` is not empty. */
void room_notice(struct turn *turn,
                 const struct room *room,
                 const struct text_pair *text,
                 struct slice reply_to);
#define ROOM_NOTICE(turn, room, reply_to, text, ...)                                               \
    do {                                                                                           \
        const struct text_pair said_ = TEXT_RENDER(turn_arena(turn), (text), __VA_ARGS__);         \
        room_notice((turn), (room), &said_, (reply_to));                                           \
    } while (false)

/* How calls of one Gitter message in room-in are told apart: "<message id>|<Gitter user>|<what>".
 */
struct slice
room_ref(struct arena *arena, struct slice message, struct slice user, const char *what);

/* Values of MESSAGE_MAP. While a message is on its way to Matrix: empty, or "later <record>" if it
 * was changed on Gitter meanwhile and the change is due when it is there; each behind "held " if
 * posts were under way when it came, so that it may be the echo of one. "own <event>": the owner's
 * event, which this message stands for. "part <event>": the same for the second and later parts of
 * a long event, so that an event finds one message only. "<event>": a ghost's event, which stands
 * for this message. */
struct slice room_own_value(struct arena *arena, struct slice event_id, bool is_first);
bool room_value_is_own(struct slice value);
bool room_value_is_pending(struct slice value);
bool room_value_is_held(struct slice value);
/* A value that is pending, without the mark that it is held. */
struct slice room_value_when_free(struct slice value);
/* The event of a value that is not pending. */
struct slice room_value_event(struct slice value);

/* The message that the Matrix room got last, before the first of those that are still on their way.
 */
struct slice room_last_brought(struct turn *turn, const struct room *room);

/* room_losses.c */

/* The owner has as many messages waiting for Gitter as they may have. The first that is refused is
 * answered with the reason; how many there were is said when one is taken again. */
bool room_refuses(struct turn *turn, struct room *room, struct slice event_id);
/* A post has ended. The first of those that fail in a row is answered with the reason; how many
 * there were is said when one does not, or when none is left. */
void room_post_failed(struct turn *turn,
                      struct room *room,
                      struct slice event_id,
                      const struct call_ended *ended);
void room_post_delivered(struct turn *turn, struct room *room);

/* room_to_matrix.c */
fsm_action room_do_take_snapshot, room_do_take_record, room_do_read, room_do_take_page;
fsm_action room_do_note_sent, room_do_note_joined;
/* An own message is known to be on Gitter under this id: it is never brought back. */
void room_claim(struct turn *turn, struct room *room, struct slice message, struct slice event_id);

/* room_to_gitter.c */
fsm_action room_do_post, room_do_edit, room_do_remove, room_do_note_post, room_do_look,
    room_do_compare;
fsm_action room_do_report_post, room_do_report_edit, room_do_explain;

#endif
