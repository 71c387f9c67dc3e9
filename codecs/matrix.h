/* codecs/matrix.h: events that the homeserver pushes, requests to it and its answers.
 *
 * Memory: results live in the arena; texts of parsed values borrow the parsed bytes too.
 * Errors: RC_BAD_INPUT if the text is no JSON of the expected outer shape or lacks what the caller
 *         needs, RC_TOO_BIG from json.h; outputs are written only on RC_OK.
 * Units:  times in ms since the epoch.
 *
 * Events come from other people's servers: any key may be missing or of any type, which makes the
 * field empty and never spoils the event, except for its id, type, room and sender. An id of more
 * than 255 bytes is as good as missing.
 */
#ifndef GITTERD_CODECS_MATRIX_H
#define GITTERD_CODECS_MATRIX_H

#include "runtime/base/arena.h"

/* Keys of ours in contents. A create event carries the actor key of the bridged room under the
 * first, a message the id of the Gitter message it stands for under the second. Others can forge
 * them: trust them only in events of our own users. */
#define MATRIX_MARKER_ROOM "gitterd.room"
#define MATRIX_MARKER_MESSAGE "gitterd.gitter_id"

struct matrix_message {
    struct slice msgtype;
    struct slice body;
    struct slice format;
    struct slice html; /* formatted_body; empty unless format is org.matrix.custom.html */
};

struct matrix_event {
    struct slice event_id;
    struct slice type;
    struct slice room_id; /* opaque; has no domain since room version 12 */
    struct slice sender;
    struct slice state_key;
    bool has_state_key; /* the key is there, even if empty: a state event */
    int64_t origin_ts_ms;
    struct slice content; /* the object as it came; "{}" if there is none */

    /* m.room.member; an empty prev_membership means leave */
    struct slice membership;
    struct slice prev_membership; /* from unsigned.prev_content alone: top-level copies are stale */
    struct slice displayname;
    bool is_direct;
    bool is_invite_to_encrypted; /* unsigned.invite_room_state has m.room.encryption */

    /* m.room.message and m.sticker */
    struct matrix_message message;
    struct matrix_message edited; /* m.new_content of an edit */
    struct slice gitter_id;       /* MATRIX_MARKER_MESSAGE */
    /* relations of any event */
    struct slice rel_type;    /* m.replace, m.thread, m.annotation; empty for a plain reply */
    struct slice relates_to;  /* event id */
    struct slice in_reply_to; /* event id; of a thread's fallback too */
    bool is_falling_back;     /* in_reply_to is only there for clients without threads */

    struct slice redacts; /* m.room.redaction: the event id */
    bool is_redacted;     /* redacted before it was pushed: content is gone */
    bool is_encrypted;    /* type m.room.encrypted */

    struct slice room_marker;      /* m.room.create: MATRIX_MARKER_ROOM */
    struct slice replacement_room; /* m.room.tombstone */
};

/* An event of a transaction as it came. The id is empty if it has none that matrix_event_parse
 * would take. */
struct matrix_raw_event {
    struct slice raw;
    struct slice event_id;
};

/* The raw events of a transaction body, in order. RC_BAD_INPUT only if the body is no JSON object
 * with an array `events`. A member that is no object is given like the others, so that it is
 * counted as a bad event when matrix_event_parse refuses it; a member that is nested too deep or
 * not UTF-8 likewise. */
NODISCARD enum rc matrix_transaction_split(struct arena *arena,
                                           struct slice body,
                                           struct matrix_raw_event **events,
                                           size_t *count);

/* RC_BAD_INPUT if event_id, type, room_id or sender is missing, no string, empty or over 255
 * bytes. */
NODISCARD enum rc
matrix_event_parse(struct arena *arena, struct slice raw, struct matrix_event *out);

/* Requests. The path lies below the homeserver's base URL and includes the query; the body is JSON,
 * empty for GET. An empty user_id acts as the bot, anything else as that ghost. */
struct matrix_request {
    struct slice method;
    struct slice path;
    struct slice body;
};

/* Accounts */
struct matrix_request matrix_versions_request(struct arena *arena);
struct matrix_request matrix_whoami_request(struct arena *arena);
struct matrix_request matrix_ping_request(struct arena *arena, struct slice appservice_id);
struct matrix_request matrix_register_request(struct arena *arena, struct slice localpart);
/* A name is cut at 256 characters, since Synapse refuses longer ones. */
struct matrix_request
matrix_displayname_request(struct arena *arena, struct slice user_id, struct slice name);
struct matrix_request
matrix_avatar_request(struct arena *arena, struct slice user_id, struct slice mxc_url);

/* Rooms. createRoom is neither atomic nor idempotent. */

/* A room for one Gitter room: private, without invitees; only the bot may invite; `marker` goes
 * into the create event under MATRIX_MARKER_ROOM. `users` of the power levels stays out, because
 * room version 12 refuses the creator there and older ones want it: left alone, the homeserver puts
 * the bot above everybody in both. */
struct matrix_new_room {
    struct slice name;
    struct slice topic;
    struct slice marker;
    bool federates; /* members of other homeservers may come in: never changes */
};
struct matrix_request matrix_create_bridged_room_request(struct arena *arena,
                                                         const struct matrix_new_room *room);
/* A space, in which clients show rooms together; likewise. */
struct matrix_request matrix_create_space_request(struct arena *arena,
                                                  const struct matrix_new_room *room);
/* A private chat of the bot with one user, who is invited with is_direct. */
struct matrix_request matrix_create_chat_request(struct arena *arena,
                                                 struct slice name,
                                                 struct slice invitee,
                                                 struct slice marker);
struct matrix_request matrix_invite_request(struct arena *arena,
                                            struct slice room_id,
                                            struct slice invitee,
                                            struct slice user_id);
struct matrix_request
matrix_join_request(struct arena *arena, struct slice room_id, struct slice user_id);
struct matrix_request
matrix_leave_request(struct arena *arena, struct slice room_id, struct slice user_id);
struct matrix_request
matrix_forget_request(struct arena *arena, struct slice room_id, struct slice user_id);
/* The bot kicks, or takes an invite back; an empty reason is left out. */
struct matrix_request matrix_kick_request(struct arena *arena,
                                          struct slice room_id,
                                          struct slice target,
                                          struct slice reason);
struct matrix_request
matrix_joined_members_request(struct arena *arena, struct slice room_id, struct slice user_id);
struct matrix_request matrix_joined_rooms_request(struct arena *arena, struct slice user_id);
/* What the bot was to be told of, newest first; from the token of an earlier answer, if it is not
 * empty. */
struct matrix_request
matrix_notifications_request(struct arena *arena, struct slice from, int limit);
/* Newest first, from the token of an earlier answer or, if it is empty, from the end. */
struct matrix_request
matrix_messages_request(struct arena *arena, struct slice room_id, struct slice from, int limit);

/* Events */
struct matrix_send {
    struct slice room_id;
    struct slice type;   /* empty: m.room.message */
    struct slice txn_id; /* unique over the whole appservice: the homeserver does not tell ghosts
                            apart by it */
    struct slice user_id;
    int64_t ts_ms;        /* origin time to claim; 0: the homeserver's */
    struct slice content; /* JSON */
};
struct matrix_request matrix_send_request(struct arena *arena, const struct matrix_send *send);

struct matrix_redact {
    struct slice room_id;
    struct slice event_id;
    struct slice txn_id;
    struct slice user_id;
    struct slice reason; /* empty: none */
};
struct matrix_request matrix_redact_request(struct arena *arena,
                                            const struct matrix_redact *redact);

/* The bot has read everything up to that event. */
struct matrix_request
matrix_receipt_request(struct arena *arena, struct slice room_id, struct slice event_id);

/* As the bot; an empty state_key is fine. */
struct matrix_request matrix_get_state_request(struct arena *arena,
                                               struct slice room_id,
                                               struct slice type,
                                               struct slice state_key);
struct matrix_request matrix_put_state_request(struct arena *arena,
                                               struct slice room_id,
                                               struct slice type,
                                               struct slice state_key,
                                               struct slice content);

/* Contents of state events of bridged rooms. */

enum {
    MATRIX_LEVEL_OWNER = 50, /* name, topic, picture, pinned events, removing what others said */
    MATRIX_LEVEL_BOT = 100   /* anything else: invites, kicks, encryption, levels, upgrades */
};

/* `bot` is empty in rooms from version 12 on, where creators are above all levels and must not be
 * named; before, it must be (Matrix 1.16, room version 12). */
struct matrix_levels {
    struct slice owner;
    struct slice bot;
};
struct slice matrix_power_levels_json(struct arena *arena, const struct matrix_levels *levels);
/* Of m.bridge and uk.half-shot.bridge (MSC2346). */
struct matrix_bridge {
    struct slice bot;
    struct slice owner;
    struct slice gitter_url;  /* the site */
    struct slice gitter_room; /* id */
    struct slice name;
    struct slice url; /* of the room on the site */
};
struct slice matrix_bridge_json(struct arena *arena, const struct matrix_bridge *bridge);
/* Of m.space.child: the room is reached through that homeserver; if it is empty, the room is none
 * of the space's any more. */
struct slice matrix_space_child_json(struct arena *arena, struct slice domain);
/* An m.room.member that invites to a conversation of two: the call `invite` cannot say that. */
struct slice matrix_direct_invite_json(struct arena *arena);

/* The content of an m.room.message. Text is made valid UTF-8 and U+0000 becomes U+FFFD, since
 * homeservers on PostgreSQL cannot store it. `m.mentions` is always there and empty, so that
 * nobody is notified because a name occurs in the text. Empty fields are left out. */
struct matrix_content {
    struct slice msgtype; /* m.text, m.notice or m.emote */
    struct slice body;
    struct slice html;
    struct slice gitter_id;    /* goes under MATRIX_MARKER_MESSAGE */
    struct slice external_url; /* the message on Gitter's site */
    struct slice reply_to;     /* event id */
    struct slice replaces;     /* event id of the original, never of an earlier edit; a reply_to
                                  beside it is left out: edits carry none */
};
struct slice matrix_content_json(struct arena *arena, const struct matrix_content *content);
/* The bot's own words. */
struct slice matrix_notice_json(struct arena *arena, struct slice body, struct slice html);

/* Answers: RC_BAD_INPUT if the key is missing. */
NODISCARD enum rc
matrix_room_id_parse(struct arena *arena, struct slice text, struct slice *room_id);
NODISCARD enum rc
matrix_event_id_parse(struct arena *arena, struct slice text, struct slice *event_id);
NODISCARD enum rc
matrix_user_id_parse(struct arena *arena, struct slice text, struct slice *user_id);
/* User ids in the order given. */
NODISCARD enum rc matrix_joined_members_parse(struct arena *arena,
                                              struct slice text,
                                              struct slice **user_ids,
                                              size_t *count);
NODISCARD enum rc matrix_joined_rooms_parse(struct arena *arena,
                                            struct slice text,
                                            struct slice **room_ids,
                                            size_t *count);
/* The invites of a user among notifications, as they stand there: taken or refused meanwhile, or
 * not. */
struct matrix_invite {
    struct slice room_id;
    struct slice event_id;
    struct slice sender;
    int64_t time_ms;
};
struct matrix_invites {
    struct matrix_invite *invites;
    size_t count;
    struct slice next; /* the token for the next page; empty: there is none */
};
NODISCARD enum rc matrix_invites_parse(struct arena *arena,
                                       struct slice text,
                                       struct slice user_id,
                                       struct matrix_invites *out);
/* The same answer with nothing in it but notifications of memberships: others say what people have
 * said. Empty if it is no such answer. */
struct slice matrix_notifications_reduce(struct arena *arena, struct slice text);
/* Raw events, and the token for the next page: empty at the beginning of the room. */
struct matrix_page {
    struct slice *events;
    size_t count;
    struct slice end;
};
NODISCARD enum rc
matrix_messages_parse(struct arena *arena, struct slice text, struct matrix_page *out);

struct matrix_error {
    struct slice errcode;
    struct slice error;     /* for logs only: homeservers word it as they like */
    int64_t retry_after_ms; /* -1 if absent; the header Retry-After goes first */
};
/* RC_BAD_INPUT if there is no errcode: a proxy answered, not the homeserver. */
NODISCARD enum rc
matrix_error_parse(struct arena *arena, struct slice text, struct matrix_error *out);

#endif
