/* codecs/record.h: structs as msgpack maps, by a table of their fields.
 *
 * Actor states and messages are plain structs; each has a table of fields (name, type, offset)
 * from which it is stored, journalled, printed and compared. The stored form is a msgpack map
 * from field name to value: str for TEXT and SECRET, int for NUM, bool for FLAG. Fields that have
 * their zero value are left out, unknown names are passed over and missing ones are zero, so that
 * a field can be added without a migration.
 *
 * Memory: record_unpack borrows: the slices of the struct point into the given bytes.
 * Errors: RC_CORRUPT if the bytes are not a map of that shape; *out may then be half filled.
 */
#ifndef GITTERD_CODECS_RECORD_H
#define GITTERD_CODECS_RECORD_H

#include "runtime/base/buf.h"

enum field_type {
    FIELD_TEXT,   /* struct slice */
    FIELD_SECRET, /* struct slice; a token or login state: never journalled, stored sealed */
    FIELD_NUM,    /* int64_t */
    FIELD_FLAG,   /* bool */
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    bool is_column; /* has an indexed column of its own beside the stored body */
};

struct record_type {
    const char *name;
    const struct field *fields;
    size_t fields_count;
    size_t size; /* of the struct */
};

/* Which fields a packing takes. */
enum record_part {
    RECORD_OPEN,    /* all but SECRET: the stored body and the journal */
    RECORD_SECRETS, /* SECRET only: what the store seals; empty slice if all are empty */
    RECORD_ALL,
};

struct slice record_pack(struct arena *arena,
                         const struct record_type *type,
                         const void *value,
                         enum record_part part);

/* What is written in the place of a text: the text itself, or what may be read of it. */
struct record_veil {
    struct slice (*text)(const void *context,
                         struct arena *arena,
                         const struct field *field,
                         struct slice text);
    const void *context;
};

/* Puts a map of the fields, secrets too, that are not as they were `before` (NULL: zero). Gives
 * their number. Without a veil texts are written as they are. */
size_t record_put_changes(struct buf *buf,
                          const struct record_type *type,
                          const void *before,
                          const void *after,
                          const struct record_veil *veil);

/* Fills the fields found in bytes and leaves the others of *out alone. Empty bytes are no fields.
 */
NODISCARD enum rc record_unpack(const struct record_type *type, struct slice bytes, void *out);

/* A copy of the struct whose texts live in the arena too. */
void *record_copy(struct arena *arena, const struct record_type *type, const void *value);

/* "name=value ..." for logs and traces; SECRET shows as "(secret)", zero values are left out. */
struct slice record_print(struct arena *arena, const struct record_type *type, const void *value);
/* One of them by its name; empty if it has its zero value or there is none. */
struct slice record_print_field(struct arena *arena,
                                const struct record_type *type,
                                const void *value,
                                struct slice name);

bool record_equal(const struct record_type *type, const void *a, const void *b);

#endif
