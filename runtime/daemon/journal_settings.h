/* runtime/daemon/journal_settings.h: the actors' settings as they stand in the journal. */
#ifndef GITTERD_DAEMON_JOURNAL_SETTINGS_H
#define GITTERD_DAEMON_JOURNAL_SETTINGS_H

#include "actors/settings.h"

struct config;

/* A msgpack map of everything in struct settings, with the list of those who may use the bridge as
 * one text with blanks between. */
struct slice journal_settings_pack(struct arena *arena,
                                   const struct settings *settings,
                                   const struct config *config);
/* RC_CORRUPT if it is no such map. Texts are borrowed, the rest lives in the arena. */
NODISCARD enum rc
journal_settings_unpack(struct arena *arena, struct slice map, struct settings *out);

#endif
