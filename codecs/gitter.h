/* codecs/gitter.h: Gitter's REST requests and answers, and the records of its live channels.
 *
 * Memory: results live in the arena; their texts borrow the parsed bytes too.
 * Errors: RC_BAD_INPUT if the text is no JSON of the expected outer shape or lacks the id; outputs
 *         are written only on RC_OK. Anything else missing or of a wrong type is empty, 0 or false:
 *         Gitter leaves absent values out, and its documentation shows other shapes than its
 * server. Units:  times in ms since the epoch.
 */
#ifndef GITTERD_CODECS_GITTER_H
#define GITTERD_CODECS_GITTER_H

#include "runtime/base/arena.h"

/* One user. The id is 24 hex digits, or "matrix-name:server" for Gitter's virtual users. */
struct gitter_user {
    struct slice id;
    struct slice username; /* changes hands and letters: never a key */
    struct slice display_name;
    struct slice avatar_url; /* may be relative to the web base */
};

struct gitter_room {
    struct slice id;   /* stable for life */
    struct slice name; /* display name: "Group/room", or the other user's name */
    struct slice uri;  /* "owner/repo"; empty in one-to-one rooms */
    struct slice url;  /* "/uri", or "/username" in one-to-one rooms */
    struct slice topic;
    struct slice avatar_url;
    bool has_topic; /* the record said it; an empty one was cleared */
    bool is_one_to_one;
    struct gitter_user user; /* one-to-one: the other one */
    bool is_member;          /* false: was only mentioned there */
    bool has_is_member;      /* the answer said whether; updates of the live channels do not */
    bool is_public;
    bool has_activity;      /* only ever set in rooms with notifications muted */
    int64_t last_access_ms; /* 0 if never or hidden */
    int64_t users_count;
};

struct gitter_message {
    struct slice id;
    struct slice text; /* Markdown as typed */
    struct slice html;
    bool is_status; /* /me; text and html then begin with the sender's @name */
    int64_t sent_ms;
    int64_t edited_ms;       /* 0 if never */
    struct slice parent_id;  /* of a reply in a thread */
    int64_t thread_count;    /* replies; 0 if none */
    int64_t version;         /* v: 1 when made, +1 with each save */
    bool has_version;        /* an answer to a send without v: shadow banned, nobody sees it */
    struct gitter_user from; /* id empty if the account is gone */
    bool is_virtual;         /* posted through an approved bridge */
};

/* What a live channel delivers: data {"operation","model"} or {"notification",...}. */
enum gitter_operation {
    GITTER_OPERATION_OTHER, /* a notification, or one we do not know */
    GITTER_OPERATION_CREATE,
    GITTER_OPERATION_UPDATE,
    GITTER_OPERATION_PATCH,
    GITTER_OPERATION_REMOVE,
};

struct gitter_record {
    enum gitter_operation operation;
    struct slice model;        /* raw JSON: for gitter_message_parse or gitter_room_parse */
    struct slice id;           /* of the model; empty if it has none */
    struct slice notification; /* its name; empty if it is an operation */
};

/* Answers. A list's members without an id are passed over. */
NODISCARD enum rc gitter_user_parse(struct arena *arena, /* one object, or an array of one */
                                    struct slice text,
                                    struct gitter_user *out);
NODISCARD enum rc
gitter_room_parse(struct arena *arena, struct slice text, struct gitter_room *out);
NODISCARD enum rc gitter_rooms_parse(struct arena *arena,
                                     struct slice text,
                                     struct gitter_room **rooms,
                                     size_t *count);
NODISCARD enum rc
gitter_message_parse(struct arena *arena, struct slice text, struct gitter_message *out);
/* In the order given: oldest first. */
NODISCARD enum rc gitter_messages_parse(struct arena *arena,
                                        struct slice text,
                                        struct gitter_message **messages,
                                        size_t *count);
NODISCARD enum rc
gitter_record_parse(struct arena *arena, struct slice text, struct gitter_record *out);
/* {"error": text}; only ever the reason phrase of the status. needs_login is set for the other
 * shape, {"success":false,"loginRequired":true}: the token is dead. */
NODISCARD enum rc
gitter_error_parse(struct arena *arena, struct slice text, struct slice *error, bool *needs_login);
/* {"access_token","token_type"}: RC_BAD_INPUT without a token or with another type than Bearer
 * (compared without case). */
NODISCARD enum rc gitter_token_parse(struct arena *arena, struct slice text, struct slice *token);

/* What users call a room and may type back: its uri, or in a one-to-one room the other's username.
 * Falls back to the name, then to the id. Borrows from the room. */
struct slice gitter_room_label(const struct gitter_room *room);

/* Times: "2014-03-25T11:51:32.289Z", fraction optional, only Z or +00:00, from 1970 on;
 * RC_BAD_INPUT otherwise. Printing takes 0 to the end of year 9999 (a CHECK) and always writes
 * three digits of fraction. */
NODISCARD enum rc gitter_time_parse(struct slice text, int64_t *ms);
struct slice gitter_time_print(struct arena *arena, int64_t ms);

/* Object ids: 24 lower-case hex digits, the first 8 the seconds since the epoch. */
bool gitter_is_object_id(struct slice id);
/* The time in an object id, whole seconds; -1 if it is none. */
int64_t gitter_id_time_ms(struct slice id);
/* The smallest id of the second that lies ms (rounded up to seconds) before that of id; for
 * afterId with an overlap, since messages may become visible out of order. A copy of id if it is no
 * object id. */
struct slice gitter_id_before(struct arena *arena, struct slice id, int64_t ms);

/* Requests. The path lies below the REST base (which ends in /v1) and includes the query; the body
 * is JSON, or empty for GET and DELETE. */
struct gitter_request {
    struct slice method;
    struct slice path;
    struct slice body;
};

/* How to page through messages; empty ids, a limit and a skip of 0 are left out. */
struct gitter_page {
    struct slice after_id; /* the oldest with a greater id */
    struct slice before_id;
    int64_t skip;  /* so many newest are passed over; the server refuses more than 5000 with 400 */
    int64_t limit; /* the server caps it at 100 */
    bool with_threads;
};

struct gitter_request gitter_user_request(struct arena *arena);
struct gitter_request gitter_rooms_request(struct arena *arena);
struct gitter_request gitter_room_request(struct arena *arena, struct slice room_id);
/* Finds a room by its uri without joining; a user's name makes the one-to-one room. A slash in
 * front, as in a room's url, is left out. */
struct gitter_request gitter_resolve_request(struct arena *arena, struct slice uri);
struct gitter_request gitter_join_request(struct arena *arena, struct slice room_id);
struct gitter_request
gitter_leave_request(struct arena *arena, struct slice room_id, struct slice user_id);
struct gitter_request
gitter_messages_request(struct arena *arena, struct slice room_id, const struct gitter_page *page);
struct gitter_request
gitter_message_request(struct arena *arena, struct slice room_id, struct slice message_id);
/* parent_id is empty outside of threads. */
struct gitter_request gitter_send_request(struct arena *arena,
                                          struct slice room_id,
                                          struct slice text,
                                          bool is_status,
                                          struct slice parent_id);
struct gitter_request gitter_edit_request(struct arena *arena,
                                          struct slice room_id,
                                          struct slice message_id,
                                          struct slice text);
struct gitter_request
gitter_delete_request(struct arena *arena, struct slice room_id, struct slice message_id);

#endif
