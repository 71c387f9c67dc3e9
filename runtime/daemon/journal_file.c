#include "runtime/daemon/journal_file.h"

#include "runtime/base/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BYTES = 128 * 1024
};

static enum rc complain(const struct journal_file *file, enum rc rc, const char *what)
{
    (void)fprintf(stderr, "gitterd: %s: entry %" PRId64 " at byte %" PRId64 ": %s\n", file->path,
                  file->number, file->offset, what);
    return rc;
}

/* Reads on, so that more than there is now is there; false at the end of the file. */
static bool read_more(struct journal_file *file, size_t wanted)
{
    if (file->start > 0) {
        memmove(file->bytes, file->bytes + file->start, file->len - file->start);
        file->len -= file->start;
        file->start = 0;
    }
    const size_t room = wanted > file->len + READ_BYTES ? wanted : file->len + READ_BYTES;
    if (room > file->cap) {
        file->bytes = realloc(file->bytes, room);
        CHECK(file->bytes != NULL);
        file->cap = room;
    }
    const size_t got = fread(file->bytes + file->len, 1, room - file->len, file->file);
    file->len += got;
    return got > 0;
}

/* The file may promise an entry of gigabytes: what is not there is not made room for. */
static size_t left_in_file(const struct journal_file *file)
{
    struct stat info;
    const long at = ftell(file->file);
    if (fstat(fileno(file->file), &info) != 0 || at < 0 || info.st_size < at) {
        return 0;
    }
    return (size_t)(info.st_size - at);
}

static void step(struct journal_file *file, size_t bytes)
{
    file->start += bytes;
    file->offset += (int64_t)bytes;
    file->last_len = 0;
}

/* The entry that begins where the file stands. RC_ABSENT at its end, RC_AGAIN where it is cut off,
 * RC_CORRUPT where no whole entry begins. */
static enum rc read_here(struct journal_file *file, struct journal_entry *entry)
{
    for (;;) {
        const struct slice bytes = slice_make(file->bytes + file->start, file->len - file->start);
        size_t whole = 0;
        const enum rc rc = bytes.len == 0 ? RC_AGAIN : journal_entry_read(bytes, entry, &whole);
        if (rc != RC_AGAIN) {
            file->last_len = rc == RC_OK ? whole : 0;
            return rc;
        }
        if (whole > bytes.len + left_in_file(file) || !read_more(file, whole)) {
            return bytes.len == 0 ? RC_ABSENT : RC_AGAIN;
        }
    }
}

enum rc journal_file_next(struct journal_file *file, struct journal_entry *entry)
{
    step(file, file->last_len);
    const enum rc rc = read_here(file, entry);
    file->number++;
    if (rc == RC_OK || rc == RC_ABSENT) {
        return rc;
    }
    return complain(file, rc, rc == RC_AGAIN ? "cut off in the middle" : "damaged");
}

/* Byte by byte: the length of what is damaged may be what is wrong with it. Nothing that people
 * wrote is taken for an entry, since the first byte of one cannot begin a character of UTF-8. */
enum rc journal_file_next_section(struct journal_file *file, struct journal_entry *entry)
{
    const int64_t from = file->offset;
    enum rc rc = RC_CORRUPT;
    do {
        step(file, file->last_len > 0 ? file->last_len : 1);
        rc = read_here(file, entry);
    } while (rc != RC_ABSENT && (rc != RC_OK || entry->kind != JOURNAL_PROCESS));
    (void)fprintf(stderr, "gitterd: %s: %" PRId64 " bytes left out, from byte %" PRId64 " to %s\n",
                  file->path, file->offset - from, from,
                  rc == RC_OK ? "the next section" : "the end");
    file->number++;
    return rc;
}

void journal_file_refuse(const struct journal_file *file)
{
    (void)complain(file, RC_CORRUPT, "not a turn that can be read");
}

enum rc journal_file_open(struct journal_file *file, const char *path)
{
    struct journal_entry entry;
    *file = (struct journal_file){.path = path, .file = fopen(path, "rbe"), .number = -1};
    if (file->file == NULL) {
        (void)fprintf(stderr, "gitterd: %s: %s\n", path, strerror(errno));
        return RC_IO;
    }
    enum rc rc = journal_file_next(file, &entry);
    if (rc == RC_ABSENT) {
        return complain(file, RC_CORRUPT, "empty");
    }
    if (rc != RC_OK) {
        return rc;
    }
    rc = journal_log_read(&entry);
    if (rc == RC_NEWER) {
        return complain(file, rc, "written by a newer version of gitterd");
    }
    return rc == RC_OK ? RC_OK : complain(file, rc, "not the beginning of a log");
}

void journal_file_close(struct journal_file *file)
{
    if (file->file != NULL) {
        (void)fclose(file->file);
    }
    free(file->bytes);
    *file = (struct journal_file){.path = file->path};
}

enum rc journal_output_open(struct journal_output *output, const char *path)
{
    *output = (struct journal_output){.path = path};
    const size_t size = strlen(path) + sizeof ".part";
    output->part = malloc(size);
    CHECK(output->part != NULL);
    (void)snprintf(output->part, size, "%s.part", path);
    output->file = fopen(output->part, "wbe");
    if (output->file == NULL) {
        (void)fprintf(stderr, "gitterd: %s: %s\n", output->part, strerror(errno));
        free(output->part);
        output->part = NULL;
        return RC_IO;
    }
    (void)fchmod(fileno(output->file), S_IRUSR | S_IWUSR); /* people's messages are in it */
    return RC_OK;
}

void journal_output_put(struct journal_output *output, struct slice bytes)
{
    if (bytes.len > 0) {
        (void)fwrite(bytes.ptr, 1, bytes.len, output->file); /* ferror tells at the end */
    }
}

enum rc journal_output_close(struct journal_output *output, bool is_whole)
{
    enum rc rc = RC_OK;
    if (output->file == NULL) {
        return RC_IO;
    }
    const bool is_bad = ferror(output->file) != 0;
    const bool is_closed = fclose(output->file) == 0;
    if (is_whole && (is_bad || !is_closed || rename(output->part, output->path) != 0)) {
        (void)fprintf(stderr, "gitterd: %s: %s\n", output->path, strerror(errno));
        rc = RC_IO;
    }
    if (!is_whole || rc != RC_OK) {
        (void)unlink(output->part);
    }
    free(output->part);
    *output = (struct journal_output){.path = output->path};
    return rc;
}
