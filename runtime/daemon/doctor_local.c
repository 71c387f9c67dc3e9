/* Checks of `gitterd check` that need this machine alone: files, database, certificate. */
#include "actors/machine.h"
#include "db/store_sqlite.h"
#include "runtime/base/check.h"
#include "runtime/daemon/doctor_parts.h"
#include "runtime/daemon/tables.h"
#include "runtime/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    USERS_PAGE = 256,
    HOLDER_BYTES_MAX = 32,
};

/* Files */

static bool is_open_to_others(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && (found.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

static void warn_of_mode(struct doctor *doctor, const char *path, const char *what)
{
    doctor_say(doctor, FINDING_WARN,
               "%s: every user of this machine can read or change it, and it holds %s; "
               "chmod 600 %s",
               path, what, path);
}

void doctor_check_files(struct doctor *doctor)
{
    const char *path = doctor->options.config_path;
    const struct slice ca_file = doctor->config->ca_file;
    doctor_say(doctor, FINDING_OK, "%s: every key is understood", path);
    if (is_open_to_others(path)) {
        warn_of_mode(doctor, path, "secrets");
    }
    if (ca_file.len > 0 && access(arena_cstr(doctor->arena, ca_file), R_OK) != 0) {
        doctor_say(doctor, FINDING_FAIL,
                   "ca_file: %.*s: %s; no https server will be trusted until it can be read",
                   SLICE_ARGS(ca_file), strerror(errno));
    }
}

/* The database */

/* Whether a running gitterd holds the lock file, and which. Asks for a share of the lock, which
 * it lets go at once. */
static bool find_holder(const struct doctor *doctor, const char *path, int64_t *holder)
{
    char bytes[HOLDER_BYTES_MAX];
    const int fd = open(arena_printf(doctor->arena, "%s.lock", path).ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const bool is_held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    const ssize_t len = pread(fd, bytes, sizeof bytes, 0);
    (void)close(fd);
    *holder = 0;
    (void)!slice_to_int(slice_trim(slice_make(bytes, len < 0 ? 0 : (size_t)len)), holder);
    return is_held;
}

struct sealed {
    size_t users;
    size_t lost; /* of them: with secrets that do not open */
};

static enum rc count_user(struct store *store, struct slice key, struct sealed *sealed)
{
    struct store_actor user = {0};
    struct arena *scratch = arena_open(1024);
    const enum rc rc = store->methods->load(store, ACTOR_USER, key, scratch, &user);
    arena_close(scratch);
    sealed->users += rc == RC_OK;
    sealed->lost += rc == RC_OK && user.secrets_are_lost;
    return rc == RC_ABSENT ? RC_OK : rc; /* gone meanwhile */
}

static enum rc count_users(struct doctor *doctor, struct store *store, struct sealed *sealed)
{
    struct store_found page[USERS_PAGE];
    struct slice after = SLICE_EMPTY;
    size_t count = 0;
    do {
        enum rc rc =
            store->methods->list(store, ACTOR_USER, after, doctor->arena, page, USERS_PAGE, &count);
        for (size_t i = 0; rc == RC_OK && i < count; i++) {
            rc = count_user(store, page[i].key, sealed);
        }
        if (rc != RC_OK) {
            return rc;
        }
        after = count > 0 ? page[count - 1].key : after;
    } while (count == USERS_PAGE);
    return RC_OK;
}

static void judge_users(struct doctor *doctor, const char *path, struct store *store)
{
    struct sealed sealed = {0};
    const enum rc rc = count_users(doctor, store, &sealed);
    if (rc != RC_OK) {
        doctor_say(doctor, FINDING_FAIL,
                   "database %s: its users cannot be read: %s; restore a "
                   "backup",
                   path, rc_text(rc));
    } else if (sealed.lost > 0) {
        doctor_say(doctor, FINDING_FAIL,
                   "database %s: the Gitter tokens of %zu of its %zu users do not open with this "
                   "unique_secret_key; put the former key back, or they all have to log in again",
                   path, sealed.lost, sealed.users);
    } else {
        doctor_say(doctor, FINDING_OK,
                   "database %s: ours, of this version, %zu users, all tokens open with this "
                   "unique_secret_key",
                   path, sealed.users);
    }
}

static void judge_unopened(struct doctor *doctor, const char *path, enum rc rc, struct slice error)
{
    const char *how = "see that this user may read and write it";
    if (rc == RC_ABSENT) {
        doctor_say(doctor, FINDING_OK,
                   "database %s: of an older version; the next start of gitterd brings it up to "
                   "date",
                   path);
        return;
    }
    if (rc == RC_NEWER) {
        how = "run the newer gitterd, or restore a backup from before it";
    } else if (rc == RC_REFUSED) {
        how = "let `database` name another file";
    } else if (rc == RC_CORRUPT) {
        how = "restore a backup";
    }
    doctor_say(doctor, FINDING_FAIL, "database %.*s; %s", SLICE_ARGS(error), how);
}

static void open_database(struct doctor *doctor, const char *path)
{
    struct store *store = NULL;
    struct slice error = SLICE_EMPTY;
    const struct store_sqlite_options options = {
        .path = doctor->config->database,
        .tables = store_tables(),
        .tables_count = ACTOR_KINDS,
        .purposes = message_names(),
        .purposes_count = MSG_KINDS,
        .secret_key = doctor->config->unique_secret_key,
        .is_read_only = true,
    };
    const enum rc rc = store_sqlite_open(&options, doctor->arena, &store, &error);
    if (rc != RC_OK) {
        judge_unopened(doctor, path, rc, error);
        return;
    }
    judge_users(doctor, path, store);
    store->methods->close(store);
}

static void judge_absent(struct doctor *doctor, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *folder =
        slash == NULL ? "."
                      : arena_cstr(doctor->arena, slice_make(path, (size_t)(slash - path) + 1));
    if (access(folder, W_OK | X_OK) == 0) {
        doctor_say(doctor, FINDING_OK, "database %s: not there yet; the first start makes it",
                   path);
    } else {
        doctor_say(doctor, FINDING_FAIL,
                   "database %s: is not there and %s: %s; make that folder and let gitterd's user "
                   "write to it",
                   path, folder, strerror(errno));
    }
}

void doctor_check_database(struct doctor *doctor)
{
    const char *path = arena_cstr(doctor->arena, doctor->config->database);
    int64_t holder = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        judge_absent(doctor, path);
        return;
    }
    doctor->is_running = find_holder(doctor, path, &holder);
    if (doctor->is_running) {
        doctor_say(doctor, FINDING_OK, "a gitterd is running on this database, process %lld",
                   (long long)holder);
    }
    if (is_open_to_others(path)) {
        warn_of_mode(doctor, path, "who uses the bridge and what for");
    }
    if (access(path, R_OK | W_OK) != 0) {
        doctor_say(doctor, FINDING_FAIL,
                   "database %s: %s; give it to the user who runs gitterd, and check as that user",
                   path, strerror(errno));
        return;
    }
    open_database(doctor, path);
}

/* The certificate of our listeners */

static bool is_readable(struct doctor *doctor, const char *key, const char *path)
{
    if (access(path, R_OK) == 0) {
        return true;
    }
    doctor_say(doctor, FINDING_FAIL, "%s: %s: %s; let gitterd's user read it", key, path,
               strerror(errno));
    return false;
}

void doctor_check_tls(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    struct tls_context *context = NULL;
    if (config->tls_certificate.len == 0) {
        return;
    }
    const char *certificate = arena_cstr(doctor->arena, config->tls_certificate);
    const char *key = arena_cstr(doctor->arena, config->tls_key);
    const bool has_certificate = is_readable(doctor, "tls_certificate", certificate);
    if (!is_readable(doctor, "tls_key", key) || !has_certificate) {
        return;
    }
    if (tls_context_open(certificate, key, &context) != RC_OK) {
        doctor_say(doctor, FINDING_FAIL,
                   "tls_certificate and tls_key: are no PEM files, or do not belong together; "
                   "name the certificate with its chain and the key it was made for");
        return;
    }
    tls_context_close(context);
    doctor_say(doctor, FINDING_OK, "tls_certificate and tls_key: belong together");
}
