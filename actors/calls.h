/* actors/calls.h: from the codecs' requests to calls, and from failed calls to words.
 *
 * Memory: results borrow their arguments or live in the given arena.
 */
#ifndef GITTERD_ACTORS_CALLS_H
#define GITTERD_ACTORS_CALLS_H

#include "actors/machine.h"
#include "codecs/gitter.h"
#include "codecs/matrix.h"
#include "codecs/texts.h"

/* To the homeserver with the as_token; may be repeated freely. */
struct call call_matrix(int purpose,
                        const struct matrix_request *request,
                        struct slice lane,
                        struct slice owner);
/* To Gitter's REST interface with the owner's token; reading may be repeated freely, anything with
 * a body may not. */
struct call call_gitter(int purpose,
                        const struct gitter_request *request,
                        struct slice lane,
                        struct slice owner);

/* How long somebody waits for an answer in the chat or in the browser. */
enum {
    CALL_PATIENCE_MS = 60 * 1000
};

/* Why a call failed, as the end of a sentence. */
struct slice why_failed(struct arena *arena, const struct call_ended *ended);

/* Keys of actors, and lanes of their calls. */
struct slice key_of_room(struct arena *arena, struct slice owner, struct slice gitter_room);
struct slice lane_of(struct arena *arena, const char *what, struct slice key);

/* Notes for `status` what went wrong for a user, and when. */
void note_trouble(struct turn *turn, struct slice user, const struct text_pair *what);
#define NOTE_TROUBLE(turn, user, text, ...)                                                        \
    do {                                                                                           \
        const struct text_pair trouble_ = TEXT_RENDER(turn_arena(turn), (text), __VA_ARGS__);      \
        note_trouble((turn), (user), &trouble_);                                                   \
    } while (false)

/* How a room or somebody of Gitter is called on Matrix. */
struct slice name_on_matrix(struct arena *arena, struct slice name);

/* So many calls to the homeserver wait that no more messages are brought to this owner now. */
bool is_crowded(struct turn *turn, struct slice owner);
/* A tenth of it is free again. */
bool is_roomy(struct turn *turn, struct slice owner);

/* Is somebody of this homeserver? A room that does not federate keeps others out. */
bool is_local_user(struct turn *turn, struct slice user);

/* Has the bot say something to a user in their private chat. */
void tell_user(struct turn *turn, struct slice user, const struct text_pair *text);

#endif
