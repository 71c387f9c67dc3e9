/* tests/trace/peers.h: a homeserver and a Gitter that answer calls as the real ones do, as far as
 * gitterd can tell: transaction ids are remembered, ghosts must be registered and joined before
 * they speak, messages on Gitter have growing ids and are paged by them.
 *
 * Memory: texts live in the arena given to peers_init.
 */
#ifndef GITTERD_TESTS_PEERS_H
#define GITTERD_TESTS_PEERS_H

#include "runtime/base/buf.h"
#include "runtime/call.h"

enum {
    PEERS_ITEMS_MAX = 4096
};

struct peer_event {
    struct slice id;
    struct slice room;
    struct slice txn;
    struct slice sender;
    struct slice body; /* of what it says now, if it edits */
    struct slice content;
    struct slice replaces; /* the event that it edits */
    bool is_redaction;     /* an event of its own, which removes another */
    bool is_redacted;
};

struct peer_message {
    struct slice id;
    struct slice room;
    struct slice user;
    struct slice text;
    struct slice html; /* empty: as the text */
    bool is_status;
    bool is_removed;
    int64_t sent_ms;
    int64_t edited_ms;
};

/* What is set, and can be set anew: the name of a person, of a room. */
struct peer_setting {
    struct slice of;
    struct slice value;
};

struct peers {
    struct arena *arena;
    struct buf log;
    struct slice bot;
    struct peer_event events[PEERS_ITEMS_MAX];
    size_t events_count;
    struct slice facts[PEERS_ITEMS_MAX]; /* "registered x", "joined room user", ... */
    size_t facts_count;
    struct peer_message messages[PEERS_ITEMS_MAX];
    size_t messages_count;
    struct peer_setting settings[PEERS_ITEMS_MAX];
    size_t settings_count;
    int rooms_made;
    int64_t message_ids;
    const char *members;      /* of joined_members: JSON of its `joined` */
    int notices_read;         /* how often */
    bool has_endless_notices; /* the second page is followed by itself */
    const char *notices[2];   /* of GET /notifications, by page: JSON; NULL: there is none */
    const char *rooms;        /* of GET /rooms: JSON */
    const char *people;       /* of GET /rooms/<id>/users: JSON; NULL: nobody */
    const char *person;       /* of GET /users/<name>: JSON; NULL: 404 */
    const char *resolved;     /* of POST /rooms: JSON; NULL: 404 */
    const char *found;        /* of GET /rooms?q=: JSON; NULL: there is no search */
    bool is_owner_out;        /* the owner is no member of any room */
    const char *account;      /* id of who logs in next; "ann" or "ben" */
    bool is_shadow_banned;
    const char *avatar;   /* URL of everybody's picture; NULL: none */
    struct slice picture; /* what is there; empty: 404 */
    int pictures_fetched;
    int pictures_uploaded;
    int receipts;         /* of the bot */
    struct slice read_to; /* the event of the last */
};

struct peer_answer {
    int status;
    struct slice body;
};

void peers_init(struct peers *peers, struct arena *arena, struct slice bot);

/* Makes the call, at this time, with the owner's Gitter token. */
struct peer_answer peers_answer(struct peers *peers,
                                const struct outbox_call *row,
                                struct slice token,
                                int64_t now_ms);

/* A message on Gitter, said by somebody. */
struct peer_message *peers_say(
    struct peers *peers, const char *room, const char *user, const char *text, int64_t now_ms);
/* It is edited now, or as soon after its last edit as times can be told apart. */
void peers_stamp_edit(struct peer_message *message, int64_t now_ms);
struct peer_message *peers_find(struct peers *peers, struct slice id);
struct slice peers_message_json(struct peers *peers, const struct peer_message *message);
/* The last `limit` messages of a room, or the first behind an id, as JSON. */
struct slice peers_page(struct peers *peers, struct slice room, struct slice after, size_t limit);

/* How often a text is in a Matrix room or a Gitter room. */
size_t peers_count_matrix(const struct peers *peers, const char *room, const char *body);
size_t peers_count_gitter(const struct peers *peers, const char *room, const char *text);

/* Whose token it is. */
struct slice peers_account(struct slice token);
/* Facts on Gitter: "revoked ann" (her token), "banned r1 ann", "out r1 ann" (no member any more).
 */
bool peers_have_revoked(const struct peers *peers, struct slice account);
bool peers_have_barred(struct peers *peers, const char *how, struct slice room, struct slice user);

/* A person's name on Gitter. */
struct slice peers_name(struct peers *peers, struct slice user);

/* "name ann" on Gitter, "profile @gitter_ann:hs", "m.room.name !made1"; empty: never set. */
struct slice peers_setting(const struct peers *peers, struct slice of);
void peers_set(struct peers *peers, struct slice of, struct slice value);

bool peers_know(const struct peers *peers, struct slice fact);
void peers_note(struct peers *peers, struct slice fact);
void peers_unlearn(struct peers *peers, struct slice fact);

#endif
