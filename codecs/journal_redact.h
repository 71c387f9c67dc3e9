/* codecs/journal_redact.h: bodies of messages become as many x.
 *
 * Bodies are the values of members named body, formatted_body, text, html and url, in whatever JSON
 * stands in a turn, and the words of a search. What somebody says to the bot that is one of its
 * commands stays otherwise: without it nothing of what follows could be understood.
 */
#ifndef GITTERD_CODECS_JOURNAL_REDACT_H
#define GITTERD_CODECS_JOURNAL_REDACT_H

#include "codecs/journal.h"

/* Input, reads and decisions become copies in the arena, each as long as it was, without bodies. */
void journal_redact(struct arena *arena, struct journal_turn *turn);

/* Takes all bodies out of the entries that have to do with a Matrix user or the Matrix rooms that
 * were theirs (ids with blanks between), in place, and marks these entries as emptied; gives how
 * many. What cannot be read is left as it is. */
size_t journal_empty(
    struct arena *arena, char *entries, size_t len, struct slice user, struct slice rooms);

#endif
