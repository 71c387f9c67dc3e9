/* tests/trace/peers_rooms.h: what the homeserver knows of its rooms, and tells of them.
 *
 * Private to tests/trace/peers*.c.
 */
#ifndef GITTERD_TESTS_PEERS_ROOMS_H
#define GITTERD_TESTS_PEERS_ROOMS_H

#include "tests/trace/peers.h"

struct slice peers_fact_joined(struct peers *peers, struct slice room, struct slice user);
/* The bot has made the latest room with this marker, and is in it. */
void peers_note_made(struct peers *peers, struct slice marker);

struct peer_answer peers_forbid(void);
/* Answers to the user who asks: the rooms they are in, what a room was made for, who is there. */
struct peer_answer peers_tell_rooms(struct peers *peers, struct slice user);
struct peer_answer peers_tell_create(struct peers *peers, struct slice room, struct slice user);
struct peer_answer peers_tell_members(struct peers *peers, struct slice room, struct slice user);
/* What the bot was to be told of; the second page from its token on. */
struct peer_answer peers_tell_notices(struct peers *peers, struct slice from);
/* Messages of a room, newest first, from a token or the end. */
struct peer_answer
peers_tell_messages(struct peers *peers, struct slice room, struct slice from, size_t limit);

#endif
