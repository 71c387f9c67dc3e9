/* tests/trace/flow.h: the ways to where most tests begin.
 *
 * Alice is @alice:hs, on Gitter "ann"; her private chat is !chat. Gitter room "r1" is acme/ops and
 * becomes !made1.
 */
#ifndef GITTERD_TESTS_FLOW_H
#define GITTERD_TESTS_FLOW_H

#include "tests/trace/world.h"

#define ALICE "@alice:hs"
#define BOT "@bot:hs"
#define CHAT "!chat"
#define ROOM_KEY "@alice:hs|r1"

extern const char flow_rooms[];

/* The user invites the bot to a room of two; it has greeted. */
void flow_chat(struct world *world, const char *room, const char *user);
/* The login link that was said last, "/auth_gitter/..." and its state alone. */
struct slice flow_link(struct world *world);
struct slice flow_state(struct world *world);
/* Opens the link in a new browser and gives the cookie "__Host-gitterd_...=...". */
struct slice flow_open(struct world *world);
/* Presses the button of the link's page in the browser that holds this cookie. */
struct world_page *flow_press(struct world *world, struct slice cookie);
/* Opens the link and presses its button, up to Gitter; gives the cookie. */
struct slice flow_begin(struct world *world);
/* The callback of that link; gives the page. */
struct world_page *flow_callback(struct world *world, struct slice state, struct slice cookie);
/* All of it by the link that was said last, as this account of Gitter. */
void flow_follow_link(struct world *world, const char *account);
/* Alice says it to the bot. */
void flow_command(struct world *world, const char *text);
/* Alice, or anybody, says it to the bot, and this is the whole of its one answer. */
void flow_ask(struct world *world, const char *text, const char *answer);
void flow_ask_as(
    struct world *world, const char *room, const char *user, const char *text, const char *answer);
const struct peer_event *flow_last_event(const struct world *world);
/* "invite acme/ops", and Alice joins. */
void flow_invite(struct world *world);
/* Chat and login as `account`. */
void flow_login(struct world *world);
/* And Gitter room r1 bridged, with Alice in it. */
void flow_bridge(struct world *world);

/* The process dies and begins anew, up to the end of the muster. */
void flow_restart(struct world *world);
/* The muster is over: one that has nothing to remember is no row. */
void flow_assert_mustered(struct world *world);
/* "<what> <room> <rest>", as the peers know facts. */
struct slice flow_fact(struct world *world, const char *what, const char *room, const char *rest);

/* A record on any channel of the newest link, which is Alice's. */
void flow_record(struct world *world,
                 const char *channel,
                 const char *operation,
                 const char *model);
/* Gitter accepts Alice's token no more. */
void flow_refuse_token(struct world *world);
/* Alice replaces !made1 by another room. */
void flow_put_tombstone(struct world *world);
/* Six messages of zoe, bob and eve on Gitter, of an hour ago. */
void flow_say_before(struct world *world);
/* Posts of Alice's room that are under way or wait. */
int64_t flow_posts(struct world *world);

#endif
