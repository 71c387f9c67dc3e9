/* runtime/turn.h: what an actor and the router may do in a turn.
 *
 * A turn takes one outside input, runs the router, and then a bounded first-in first-out list of
 * messages until it is empty. Nothing is written before it has succeeded as a whole. Effects are
 * data: a send stays inside the turn, calls, answers and link orders leave after the commit.
 *
 * Thread: loop thread, only while an action or the router runs.
 * Memory: arguments are copied; results live in the turn's arena, which lasts until the commit.
 * Errors: none to handle here: a turn that goes over a limit or meets a failing store fails as a
 *         whole and leaves no trace.
 */
#ifndef GITTERD_RUNTIME_TURN_H
#define GITTERD_RUNTIME_TURN_H

#include "runtime/base/arena.h"
#include "runtime/call.h"
#include "runtime/fsm.h"
#include "runtime/store.h"

struct actor_ref {
    int kind;
    struct slice key;
};

/* The answer to a request that came in over HTTP. Volatile: a lost one is asked for again. */
struct answer {
    int status;
    struct slice content_type;
    struct slice body;
    struct slice location;   /* of a redirect; empty: none */
    struct slice set_cookie; /* empty: none */
};

/* Orders for the connection to Gitter. Volatile: a feed gives them anew on each link. */
enum link_verb {
    LINK_OPEN,
    LINK_CLOSE,
    LINK_SUBSCRIBE,
    LINK_UNSUBSCRIBE
};

struct link_order {
    enum link_verb verb;
    struct slice owner;
    struct slice channel;  /* of SUBSCRIBE and UNSUBSCRIBE: "/api/v1/rooms/<id>/chatMessages" */
    struct slice snapshot; /* of SUBSCRIBE: JSON of what to send at once; empty: nothing */
};

/* Orders for the process around the actors. Volatile. */
enum order_verb {
    ORDER_RETRY, /* what pauses or backs off is tried again now */
    ORDER_AUDIT, /* a line in the log: `who` did `what` */
    ORDER_READ,  /* the bot has read the Matrix room `who` up to the event `what` */
};

struct order {
    enum order_verb verb;
    struct slice who;
    struct slice what;
};

/* Of the turn at hand. */
struct arena *turn_arena(struct turn *turn);
int64_t turn_now_ms(const struct turn *turn);
/* Random bytes; the same again in a replay. */
void turn_random(struct turn *turn, void *out, size_t len);
/* So many random bytes as hex digits, to be kept secret: the journal has something else in their
 * place. At most 32. */
struct slice turn_secret(struct turn *turn, size_t bytes);
/* "<epoch>.<turn>.<position>": never given twice, not even over a restored database. */
struct slice turn_unique_id(struct turn *turn);
/* What the daemon handed to all actors: struct settings (actors/settings.h). */
const void *turn_settings(const struct turn *turn);

/* Effects. */
void turn_send(struct turn *turn, struct actor_ref to, int kind, const void *body);
void turn_call(struct turn *turn, const struct call *call);
/* The call takes the place in the lane of the one whose end is being handled, so that what waits
 * behind it keeps waiting: for looking first, and for saying it again. */
void turn_call_instead(struct turn *turn, const struct call *call);
/* Drops the calls of a lane that bear this ref or one that goes on with `|` behind it, or all of
 * them if ref is empty; says how many. They must be this actor's own: a lane that actors share is
 * cancelled by refs alone. A call that may have been sent is left alone. */
size_t turn_cancel(struct turn *turn, struct slice lane, struct slice ref);
/* How many calls that would mean, sent or not, without those that have ended. */
size_t turn_count_calls(struct turn *turn, struct slice lane, struct slice ref);
void turn_answer(struct turn *turn, int64_t request, const struct answer *answer);
void turn_link(struct turn *turn, const struct link_order *order);
void turn_order(struct turn *turn, const struct order *order);
void turn_relate(struct turn *turn,
                 enum relation relation,
                 struct slice left,
                 struct slice right,
                 struct slice value);
void turn_unrelate(struct turn *turn,
                   enum relation relation,
                   struct slice left,
                   struct slice right);
/* A homeserver event that came to light in another way than by a transaction: true if it was not
 * handled before, and from now on it was, whichever way it comes again. */
bool turn_take_event(struct turn *turn, struct slice event_id);
/* The bodies of what this user has said and was told are to go from the journal. Asked for twice:
 * when their logout begins, and when it has ended. */
void turn_forget(struct turn *turn, struct slice user);

/* The directory: committed state and what this turn and earlier ones of the batch changed. */
struct actor_entry {
    struct slice key;
    int state;
    struct slice value; /* of the column, from turn_page */
};

bool turn_exists(struct turn *turn, struct actor_ref ref, int *state);
/* The state struct of another actor, to find it by a name and to report on it: what it shall do is
 * decided by itself. NULL if it does not exist. */
const void *turn_peek(struct turn *turn, struct actor_ref ref, int *state);
/* All actors of a kind, by key: for reports alone, since it grows with the bridge. */
size_t turn_list(struct turn *turn, int kind, struct actor_entry **entries);
/* Actors whose column has that value, by key. */
size_t turn_find(struct turn *turn,
                 int kind,
                 const char *column,
                 struct slice value,
                 struct actor_entry **entries);
/* Some of the committed actors of a kind, by key from the one after `after` on, as they are now; 0
 * at the end. */
size_t turn_page(struct turn *turn,
                 int kind,
                 const char *column,
                 struct slice after,
                 struct actor_entry **entries);
bool turn_related(struct turn *turn,
                  enum relation relation,
                  struct slice left,
                  struct slice right,
                  struct slice *value);
bool turn_related_by_value(struct turn *turn,
                           enum relation relation,
                           struct slice left,
                           struct slice value,
                           struct slice *right);
/* Calls of this owner that have not ended, and those that other turns of this batch ended: with
 * their Gitter token (CALL_AUTH_OWNER), or to the homeserver (CALL_AUTH_APPSERVICE). */
int64_t turn_waiting(struct turn *turn, struct slice owner, enum call_auth auth);
/* The same, at least so many? For asking often: as long as all owners together have fewer, nobody
 * is looked up. */
bool turn_has_waiting(struct turn *turn, struct slice owner, enum call_auth auth, int64_t at_least);
size_t
turn_relations(struct turn *turn, enum relation relation, struct slice left, struct slice **rights);

#endif
