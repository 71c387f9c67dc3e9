/* actors/room/room_post.h: what the files that post, look for and change messages on Gitter share.
 *
 * Memory: results live in the turn's arena or borrow from their arguments.
 */
#ifndef GITTERD_ACTORS_ROOM_ROOM_POST_H
#define GITTERD_ACTORS_ROOM_ROOM_POST_H

#include "actors/room/room.h"

/* What a post must remember, as the ref of its call. A look for it has the same, and its body. */
struct room_post {
    struct slice event_id; /* what it stands for */
    int64_t part;          /* of that event: 0 is the first */
    struct slice life;     /* of the room that declared it */
    int64_t looks;         /* lists in which it was not */
    int64_t repeats;       /* of the post, when it was in none of them */
    struct slice cursor;   /* where Gitter's list stood when it was declared */
    struct slice read;     /* last message of the page before; empty: this look has read none */
    struct slice body;     /* empty: it is the post itself */
};

struct slice room_post_print(struct arena *arena, const struct room_post *post);
struct room_post room_post_read(struct slice ref);
struct call room_post_call(struct turn *turn,
                           const struct room *room,
                           struct slice body,
                           const struct room_post *post);

/* Text, an emote or a notice, as Gitter's Markdown. */
bool room_is_text(struct slice msgtype);
struct slice
room_markdown_of(struct turn *turn, const struct room *room, const struct msg_matrix_text *text);

/* Declares the post of one part of an event. */
void room_post_part(struct turn *turn,
                    struct room *room,
                    const struct room_post *part,
                    struct slice text,
                    bool is_status);

/* room_losses.c */

/* The owner has as many messages waiting for Gitter as they may have. The first that is refused is
 * answered with the reason; how many there were is said when one is taken again. */
bool room_refuses(struct turn *turn, struct room *room, struct slice event_id);
/* A post has come to its end, and its echo is known or will never be. What the owner changed
 * meanwhile is due when it was the last part of its event. The first of those that fail in a row is
 * answered with the reason; how many there were is said when one does not, or when none is left. */
void room_post_failed(struct turn *turn,
                      struct room *room,
                      struct slice event_id,
                      const struct call_ended *ended);
void room_post_delivered(struct turn *turn, struct room *room, struct slice event_id);
/* Gitter has this event: the bot's read receipt moves to it. */
void room_mark_read(struct turn *turn, const struct room *room, struct slice event_id);

/* room_change.c: changes of an event whose posts have all ended. */
void room_make_kept_change(struct turn *turn, struct room *room, struct slice event_id);
/* It, or all of them, are of no use any more. */
void room_drop_kept_change(struct turn *turn, const struct room *room, struct slice event_id);
void room_drop_kept_changes(struct turn *turn, const struct room *room);

#endif
