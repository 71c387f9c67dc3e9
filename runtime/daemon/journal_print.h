/* runtime/daemon/journal_print.h: entries for people and for tools.
 *
 * Bodies of messages are not shown on lines, as in the log; in JSON all of an entry is there.
 */
#ifndef GITTERD_DAEMON_JOURNAL_PRINT_H
#define GITTERD_DAEMON_JOURNAL_PRINT_H

#include "codecs/journal.h"

/* "2026-11-23T22:10:11.123Z" */
void journal_print_time(struct buf *out, int64_t now_ms);
/* What came in: "MATRIX_EVENT $id m.room.message in !room by @user". */
void journal_print_input(struct buf *out, const struct journal_turn *turn);
/* One of the decisions: "room @a:x|r: JOINED on ROOM_RECORD -> JOINED", "call ROOM_SEND_ENDED PUT
 * /rooms/... (12 bytes)". */
void journal_print_item(struct buf *out, const struct journal_item *item);
/* A turn on one line: number, time, input, steps and effects; decisions as given. */
void journal_print_turn(struct buf *out, const struct journal_turn *turn, struct slice decisions);
/* A turn as one JSON object; `is_same`: it came out as recorded. */
void journal_print_json(struct buf *out,
                        const struct journal_turn *turn,
                        struct slice decisions,
                        bool is_same);

#endif
