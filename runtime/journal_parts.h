/* runtime/journal_parts.h: how parts of an entry are put; shared by the journal_*.c files alone. */
#ifndef GITTERD_RUNTIME_JOURNAL_PARTS_H
#define GITTERD_RUNTIME_JOURNAL_PARTS_H

#include "runtime/journal.h"

static inline const struct application *journal_application(const struct turn *turn)
{
    return turn->engine->options.application;
}

static inline const char *journal_machine_name(const struct turn *turn, int kind)
{
    return journal_application(turn)->machines[kind]->name;
}

static inline void journal_put_cstr(struct buf *buf, const char *text)
{
    pack_put_text(buf, slice_from_cstr(text));
}

static inline void journal_put_or_nil(struct buf *buf, bool is_there, struct slice text)
{
    if (is_there) {
        pack_put_text(buf, text);
    } else {
        pack_put_nil(buf);
    }
}

static inline void journal_put_ids(struct buf *buf, const int64_t *ids, size_t count)
{
    pack_put_array(buf, count);
    for (size_t i = 0; i < count; i++) {
        pack_put_int(buf, ids[i]);
    }
}

/* A text that may be read, with what must not be in a log replaced. Needs a journal. */
struct slice journal_veiled_text(const struct turn *turn, struct slice text);
/* The fields of an actor of that kind that are not as before (NULL: as they begin). */
void journal_put_fields(
    const struct turn *turn, struct buf *buf, int kind, const void *before, const void *after);

#endif
