/* codecs/emoji.h: names like :smile: as the characters they stand for.
 *
 * Gitter keeps the names as typed, each of its clients draws them; they are those of GitHub.
 * Names for pictures that Unicode does not have (:octocat:, :shipit:) stay as they are.
 *
 * Memory: the result lives in the arena, or is the text itself if nothing in it is a name.
 */
#ifndef GITTERD_CODECS_EMOJI_H
#define GITTERD_CODECS_EMOJI_H

#include "runtime/base/arena.h"
#include "runtime/base/slice.h"

/* The text with each known name, between two colons, replaced, unless a letter, digit or slash
 * stands before it. It must not be code. */
struct slice emoji_expand(struct arena *arena, struct slice text);

#endif
