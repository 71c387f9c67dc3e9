/* codecs/bayeux.h: messages of the Bayeux protocol as Gitter's Faye server speaks it.
 *
 * Memory: built texts and parsed messages live in the arena; parsed texts borrow the input too.
 * Errors: RC_BAD_INPUT if the text is no JSON array (or single object), RC_TOO_BIG from json.h.
 * Parsing is lenient: what is missing or of the wrong type is empty or absent.
 */
#ifndef GITTERD_CODECS_BAYEUX_H
#define GITTERD_CODECS_BAYEUX_H

#include "runtime/base/arena.h"

#define BAYEUX_HANDSHAKE "/meta/handshake"
#define BAYEUX_CONNECT "/meta/connect"
#define BAYEUX_SUBSCRIBE "/meta/subscribe"
#define BAYEUX_UNSUBSCRIBE "/meta/unsubscribe"
#define BAYEUX_DISCONNECT "/meta/disconnect"

enum bayeux_reconnect {
    BAYEUX_RECONNECT_ABSENT, /* no advice: the one given before still holds */
    BAYEUX_RECONNECT_RETRY,
    BAYEUX_RECONNECT_HANDSHAKE,
    BAYEUX_RECONNECT_NONE,
};

/* How a meta message was answered. */
enum bayeux_success {
    BAYEUX_SUCCESS_ABSENT, /* not an answer: a delivery */
    BAYEUX_SUCCESS_YES,
    BAYEUX_SUCCESS_NO,
};

struct bayeux_message {
    struct slice channel;
    struct slice id; /* of the request this answers, as text even if it came as a number */
    enum bayeux_success successful;
    struct slice client_id;
    struct slice subscription;
    /* error "401:args:text" split: 0 if there is no leading number, then text is the whole */
    int64_t error_code;
    struct slice error_text;
    enum bayeux_reconnect reconnect;
    int64_t interval_ms; /* of the advice; -1 if absent */
    int64_t timeout_ms;
    struct slice data;     /* the value as it came; empty if absent */
    int64_t count;         /* ext.c, deliveries to this client so far: a gap means loss */
    bool has_count;        /* ext.c was there */
    struct slice user_id;  /* ext.userId of the handshake's answer */
    struct slice snapshot; /* ext.snapshot as it came; empty if absent */
};

/* Members that are no objects are passed over. `[]` gives none: it is a keep-alive. */
NODISCARD enum rc bayeux_parse(struct arena *arena,
                               struct slice text,
                               struct bayeux_message **messages,
                               size_t *count);

/* Whole frames: an array of one message. id is any number of the caller's, echoed in the answer. */
struct slice
bayeux_handshake(struct arena *arena, int64_t id, struct slice token, struct slice client_name);
struct slice bayeux_connect(struct arena *arena, int64_t id, struct slice client_id);
/* snapshot is JSON, as "false" (none wanted) or {"limit":50,"includeThreads":true}; empty asks for
 * what the server sends by default. */
struct slice bayeux_subscribe(struct arena *arena,
                              int64_t id,
                              struct slice client_id,
                              struct slice channel,
                              struct slice snapshot);
struct slice
bayeux_unsubscribe(struct arena *arena, int64_t id, struct slice client_id, struct slice channel);
struct slice bayeux_disconnect(struct arena *arena, int64_t id, struct slice client_id);

/* Gitter's channels; all begin with /api/v1/ whatever the REST base is. */
struct slice bayeux_room_messages_channel(struct arena *arena, struct slice room_id);
struct slice bayeux_room_people_channel(struct arena *arena, struct slice room_id);
struct slice bayeux_user_rooms_channel(struct arena *arena, struct slice user_id);
/* The room id of /api/v1/rooms/ID/chatMessages, that of /api/v1/rooms/ID/users, and the user id of
 * /api/v1/user/ID/rooms; empty if the channel is another one. */
struct slice bayeux_channel_room_id(struct slice channel);
struct slice bayeux_channel_people_room_id(struct slice channel);
struct slice bayeux_channel_user_id(struct slice channel);

#endif
