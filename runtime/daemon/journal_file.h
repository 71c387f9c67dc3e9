/* runtime/daemon/journal_file.h: logs as files, read entry by entry.
 *
 * Memory: a reader holds the entry at hand and what was read ahead; an entry is valid until the
 *         next is asked for.
 * Errors: said on standard error, with the offset and the number of the entry.
 */
#ifndef GITTERD_DAEMON_JOURNAL_FILE_H
#define GITTERD_DAEMON_JOURNAL_FILE_H

#include "codecs/journal.h"

#include <stdio.h>

struct journal_file {
    const char *path;
    FILE *file;
    char *bytes; /* malloc */
    size_t cap;
    size_t start; /* of the next entry in `bytes` */
    size_t len;
    int64_t offset; /* of the entry at hand in the file */
    int64_t number; /* of that entry, from 0; what was left out counts as one */
    size_t last_len;
};

/* RC_OK: the file is a log of ours. */
NODISCARD enum rc journal_file_open(struct journal_file *file, const char *path);
void journal_file_close(struct journal_file *file);

/* RC_ABSENT at the end; RC_CORRUPT when what follows is damaged, RC_AGAIN when it is cut off: both
 * are said. */
NODISCARD enum rc journal_file_next(struct journal_file *file, struct journal_entry *entry);
/* After such an end: the first entry of the next section, wherever it begins. What was left out is
 * said. RC_ABSENT: there is none. */
NODISCARD enum rc journal_file_next_section(struct journal_file *file, struct journal_entry *entry);
/* Says that the entry at hand is whole, and yet cannot be read. */
void journal_file_refuse(const struct journal_file *file);

/* Writing: a new file beside, which takes the place of the old one when all is written. */
struct journal_output {
    const char *path;
    char *part; /* malloc: the path while it is written */
    FILE *file;
};

NODISCARD enum rc journal_output_open(struct journal_output *output, const char *path);
void journal_output_put(struct journal_output *output, struct slice bytes);
/* Takes its place if all went well, else removes it. */
NODISCARD enum rc journal_output_close(struct journal_output *output, bool is_whole);

#endif
