/* actors/fields.h: structs and their field tables from one list of fields.
 *
 * A list is a macro of two arguments, FIELDS(F, S), with one F(S, TYPE, name) for each field, where
 * S is the struct's tag and TYPE one of TEXT, COLUMN (a text with an indexed column of its own),
 * SECRET, NUM and FLAG.
 */
#ifndef GITTERD_ACTORS_FIELDS_H
#define GITTERD_ACTORS_FIELDS_H

#include "codecs/record.h"

#include <stddef.h>

#define FIELD_C_TEXT struct slice
#define FIELD_C_COLUMN struct slice
#define FIELD_C_SECRET struct slice
#define FIELD_C_NUM int64_t
#define FIELD_C_FLAG bool

#define FIELD_KIND_TEXT FIELD_TEXT, .is_column = false
#define FIELD_KIND_COLUMN FIELD_TEXT, .is_column = true
#define FIELD_KIND_SECRET FIELD_SECRET, .is_column = false
#define FIELD_KIND_NUM FIELD_NUM, .is_column = false
#define FIELD_KIND_FLAG FIELD_FLAG, .is_column = false

#define FIELD_MEMBER(S, TYPE, NAME) FIELD_C_##TYPE NAME;
#define FIELD_ENTRY(S, TYPE, NAME)                                                                 \
    {.name = #NAME, .offset = offsetof(struct S, NAME), .type = FIELD_KIND_##TYPE},

/* The table of a struct S and its record type, named S##_record. */
#define FIELD_RECORD(S, FIELDS)                                                                    \
    static const struct field S##_fields[] = {FIELDS(FIELD_ENTRY, S)};                             \
    const struct record_type S##_record = {                                                        \
        .name = #S,                                                                                \
        .fields = S##_fields,                                                                      \
        .fields_count = sizeof S##_fields / sizeof S##_fields[0],                                  \
        .size = sizeof(struct S),                                                                  \
    }

#endif
