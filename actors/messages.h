/* actors/messages.h: the messages of messages.def as C: kinds, bodies and their field tables. */
#ifndef GITTERD_ACTORS_MESSAGES_H
#define GITTERD_ACTORS_MESSAGES_H

#include "actors/fields.h"
#include "actors/messages.def"
#include "runtime/turn.h"

/* The kinds of actors, in the order of the machines. */
enum actor_kind {
    ACTOR_ROUTER = -1,
    ACTOR_USER,
    ACTOR_LOGIN,
    ACTOR_ERRAND,
    ACTOR_CHAT,
    ACTOR_ROOM,
    ACTOR_FACE,
    ACTOR_GHOST,
    ACTOR_FEED,
    ACTOR_MUSTER,
    ACTOR_AVATAR,
    ACTOR_SPACE,
    ACTOR_KINDS,
};

enum msg_kind {
#define MESSAGE_ENUM(kind, receiver, body) MSG_##kind,
    MESSAGE_LIST(MESSAGE_ENUM)
#undef MESSAGE_ENUM
    MSG_KINDS,
};

#define BODY_STRUCT(tag)                                                                           \
    struct tag {                                                                                   \
        FIELDS_##tag(FIELD_MEMBER, tag)                                                            \
    };
BODY_LIST(BODY_STRUCT)
#undef BODY_STRUCT

#define BODY_RECORD(tag) extern const struct record_type tag##_record;
BODY_LIST(BODY_RECORD)
#undef BODY_RECORD
extern const struct record_type call_ended_record;

/* By kind; MSG_KINDS of them. */
extern const struct msg_type message_types[];

/* The kind of that name; -1 if there is none. */
int message_by_name(struct slice name);

/* For messages that carry nothing. */
extern const struct msg_nothing nothing;

#endif
