/* codecs/journal_redact.h: bodies of messages become as many x.
 *
 * Bodies are the values of members named body, formatted_body, text, html and url, in whatever JSON
 * stands in an input. What somebody says to the bot that is one of its commands stays: without it
 * nothing of what follows could be understood.
 */
#ifndef GITTERD_CODECS_JOURNAL_REDACT_H
#define GITTERD_CODECS_JOURNAL_REDACT_H

#include "codecs/journal.h"

/* The input of a turn with its bodies gone, in the arena; as long as it was. */
struct slice journal_redact_input(struct arena *arena, const struct journal_turn *turn);

#endif
