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
    F(S, FLAG, is_crowded) /* behind because too much waits for Matrix: all of it is read later */ \
    F(S, FLAG, is_polling) /* there is no live channel: read every now and then */                 \
    F(S, FLAG, is_shut)    /* Gitter does not let us read it */                                    \
    F(S, NUM, posts)       /* own messages on their way to Gitter */                               \
    F(S, NUM, ended)       /* how many of them have come to their end */                           \
    F(S, TEXT, life)       /* of this bridging: ends of posts of one before are not minded */      \
    F(S, NUM, refused)     /* own messages refused since one was taken */                          \
    F(S, TEXT, last_refused)                                                                       \
    F(S, NUM, undelivered) /* own messages whose posts failed since one did not */                 \
    F(S, TEXT, last_undelivered)                                                                   \
    F(S, TEXT, avatar)    /* as Gitter named it when it was bridged */                             \
    F(S, FLAG, is_direct) /* one-to-one */                                                         \
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

enum {
    /* The create event of a room whose answer was lost is pushed within this time, if it exists. */
    ROOM_ECHO_WAIT_MS = 30 * 1000,
};

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

/* The same in the private chat. */
void room_tell_owner(struct turn *turn, const struct room *room, enum text text, struct slice why);

void room_call_homeserver(struct turn *turn,
                          const struct room *room,
                          int purpose,
                          const struct matrix_request *request);
void room_report_made(struct turn *turn, const struct room *room, bool is_done);
void room_tell_feed(struct turn *turn, const struct room *room, int kind);
struct actor_ref room_face(const struct room *room);
/* Leaves a Matrix room to which nobody was ever invited. */
void room_leave_empty(struct turn *turn, const struct room *room, struct slice matrix_room);

/* How calls of one Gitter message in room-in are told apart: "<message id>|<Gitter user>|<what>".
 */
struct slice
room_ref(struct arena *arena, struct slice message, struct slice user, const char *what);

/* Values of MESSAGE_MAP. While a message is on its way to Matrix: empty, or "later <record>" if it
 * was changed on Gitter meanwhile and the change is due when it is there; each behind "held <n> "
 * if a post was under way when it came, the next after n that had ended, so that it may be the echo
 * of that. "own <event>": the owner's event, which this message stands for. "part <number>
 * <event>": the same for the second and later parts of a long event, counted from 0. "gone": the
 * owner had it removed. "<event>": a ghost's event, which stands for this message.
 *
 * Under the key of the room, by event of the owner: a change that is due when the event's posts
 * have ended (room_change.c). */
extern const struct slice room_value_gone;
struct slice room_own_value(struct arena *arena, struct slice event_id, int64_t part);
bool room_value_is_own(struct slice value); /* gone or not */
bool room_value_is_pending(struct slice value);
struct slice room_held_value(struct arena *arena, int64_t ended, struct slice value);
/* Held for the post that was under way when so many had ended. */
bool room_value_is_held_behind(struct slice value, int64_t ended);
/* A value that is pending, without the mark that it is held. */
struct slice room_value_when_free(struct slice value);
/* The event of a value that is neither pending nor gone. */
struct slice room_value_event(struct slice value);

/* The message that the Matrix room got last, before the first of those that are still on their way.
 */
struct slice room_last_brought(struct turn *turn, const struct room *room);

/* room_catch_up.c */
fsm_action room_do_take_snapshot, room_do_read, room_do_take_page;
/* So much waits for the homeserver that nothing more of this owner is brought now: Gitter keeps it,
 * and it is read when there is room for it. False if there is. */
bool room_puts_off(struct turn *turn, struct room *room);
/* Something was brought: what was put off may be next. */
void room_goes_on(struct turn *turn, struct room *room);
/* Asks for the message behind which the room begins. */
void room_read_beginning(struct turn *turn, const struct room *room);
bool room_page_is_beginning(const struct call_ended *ended);

/* room_sent.c */

/* A Gitter message on its way into the Matrix room. */
struct room_send {
    struct slice message; /* Gitter message id */
    struct slice user;    /* Gitter id of the sender */
    struct slice what; /* "send", "edit <ms>"; "again", "edited-again" when its ghost was brought in
                          anew */
    int64_t edited_ms; /* 0: not an edit */
    int64_t sends;     /* whose answers were lost */
    int64_t faults;    /* of those, with status 500 */
    int64_t pages;     /* of the room that were looked at for the last of those */
    struct slice from; /* where the next page begins */
    int64_t ts_ms;
    struct slice content; /* in the ref of a call: only if it is a look for the message */
};
struct call
room_send_call(struct turn *turn, const struct room *room, const struct room_send *send);
/* The ghost of a Gitter user. */
struct slice room_ghost(struct turn *turn, struct slice gitter_user);
/* The transaction id of a message, or of its edit at that time, for ever. */
struct slice room_txn_id(struct arena *arena, struct slice message, int64_t edit);
fsm_action room_do_note_sent, room_do_note_joined;

/* room_to_matrix.c */
fsm_action room_do_take_record;
/* Brings a message over that was read and may be older than the bridging, unless it was before. */
void room_relay_read(struct turn *turn, struct room *room, const struct gitter_message *message);
/* Changes or removes what was brought; `message` is the record's. */
void room_relay_change(struct turn *turn,
                       struct room *room,
                       const struct msg_record *record,
                       const struct gitter_message *message);
/* An own message is known to be on Gitter under this id: it is never brought back. */
void room_claim(struct turn *turn, struct room *room, struct slice message, struct slice event_id);

/* room_to_gitter.c */
fsm_action room_do_post, room_do_end_post, room_do_explain;

/* room_look.c */
fsm_action room_do_look, room_do_compare;

/* room_change.c */
fsm_action room_do_edit, room_do_remove, room_do_report_edit;

/* room_leave.c */
fsm_action room_do_leave, room_do_unbridge, room_do_say_gone, room_do_tell_not_invited;
fsm_action room_do_report_unmade, room_do_abandon, room_do_leave_created, room_do_leave_candidate,
    room_do_leave_orphan;

#endif
