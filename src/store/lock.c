/* One writer: a file NAME.lock beside the result, locked by fcntl() for as long as the run lives.
 *
 * The kernel lets go of the lock when the process ends, however it ends, so none is ever stale; the file itself says who
 * holds it, and is only removed by a holder that ends in order. fcntl() works across the nodes of NFS, Lustre (mounted
 * with flock) and GPFS. The result itself is not locked: HDF5 and MPI-IO open and close it at will, and the first close
 * of any descriptor of a file would drop the lock. Whoever has locked a file that somebody has removed meanwhile tries
 * again with the one that is there. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "base/memory.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct flock whole_file = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

/* The lock of a result, also under another name of it. The caller frees it. */
static char *copy_name(const char *path) {
    char real[PATH_MAX];
    const char *name = realpath(path, real) != NULL ? real : path;
    size_t size = strlen(name) + sizeof ".lock";
    char *copy = malloc(size);
    if (copy != NULL) snprintf(copy, size, "%s.lock", name);
    return copy;
}

static void read_holder(int descriptor, struct ks_lock_holder *holder) {
    char text[sizeof *holder + 32] = "";
    *holder = (struct ks_lock_holder){0};
    if (pread(descriptor, text, sizeof text - 1, 0) <= 0) return;
    if (sscanf(text, "%255s %ld %31s", holder->host, &holder->process, holder->start) != 3)
        *holder = (struct ks_lock_holder){0};
}

/* What is read from the lock has no meaning without it: a full disk costs only the name. */
static void write_holder(int descriptor) {
    char host[256] = "", text[320];
    gethostname(host, sizeof host - 1);
    time_t now = time(NULL);
    struct tm utc;
    char start[32];
    strftime(start, sizeof start, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    int n = snprintf(text, sizeof text, "%s %ld %s\n", host, (long)getpid(), start);
    if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, text, (size_t)n, 0) != n) return;
}

static int refuse(const char *path, int descriptor) {
    struct ks_lock_holder holder;
    read_holder(descriptor, &holder);
    KS_CHECK(holder.process > 0, KS_ERR_IO, "another run writes %s", path);
    return ks_error_raise(KS_ERR_IO, __FILE__, __LINE__,
                          "another run writes %s: process %ld on %s, started %s", path, holder.process,
                          holder.host, holder.start);
}

static bool is_still(const char *name, int descriptor) {
    struct stat own, named;
    return fstat(descriptor, &own) == 0 && stat(name, &named) == 0 && own.st_dev == named.st_dev &&
           own.st_ino == named.st_ino;
}

/* Takes the lock of an open lock file; *is_missing where the file system has none. */
static int take(const char *path, int descriptor, bool *is_missing) {
    struct flock lock = whole_file;
    *is_missing = false;
    if (fcntl(descriptor, F_SETLK, &lock) == 0) return KS_OK;
    if (errno == EACCES || errno == EAGAIN) return refuse(path, descriptor);
    *is_missing = errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL;
    KS_CHECK(*is_missing, KS_ERR_IO, "cannot lock %s: %s", path, strerror(errno));
    return KS_OK;
}

static int open_lock(const char *path, const char *name, int *descriptor) {
    *descriptor = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (*descriptor >= 0) return KS_OK;
    int reason = errno;
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    bool is_place = reason == ENOENT || reason == ENOTDIR || reason == EACCES || reason == EROFS;
    return ks_error_raise(is_place ? KS_ERR_USAGE : KS_ERR_IO, __FILE__, __LINE__,
                          "cannot create a file in %.*s: %s", length, slash == NULL ? "." : path,
                          strerror(reason));
}

static int take_named(struct ks_lock *lock, const char *path) {
    for (;;) {
        KS_TRY(open_lock(path, lock->name, &lock->descriptor));
        KS_TRY(take(path, lock->descriptor, &lock->is_missing));
        if (lock->is_missing || is_still(lock->name, lock->descriptor)) break;
        close(lock->descriptor);
    }
    write_holder(lock->descriptor);
    return KS_OK;
}

int ks_store_lock(struct ks_lock *lock, const char *path) {
    *lock = (struct ks_lock){.descriptor = -1};
    KS_CHECK((lock->name = copy_name(path)) != NULL, KS_ERR_MEMORY, "no memory for a name");
    int err = take_named(lock, path);
    if (err == KS_OK) return KS_OK;
    if (lock->descriptor >= 0) close(lock->descriptor);
    free(lock->name);
    lock->name = NULL;
    return err;
}

void ks_store_unlock(struct ks_lock *lock) {
    if (lock->name == NULL) return;
    unlink(lock->name);
    close(lock->descriptor);
    free(lock->name);
    lock->name = NULL;
}

/* To ask for a lock takes no right to write, so that everybody may. */
enum ks_writer ks_store_find_writer(const char *path, struct ks_lock_holder *holder) {
    char *name = copy_name(path);
    int descriptor = name != NULL ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool is_absent = name != NULL && descriptor < 0 && errno == ENOENT;
    free(name);
    if (descriptor < 0) return is_absent ? KS_WRITER_NONE : KS_WRITER_UNKNOWN;
    struct flock lock = whole_file;
    bool is_told = fcntl(descriptor, F_GETLK, &lock) == 0;
    read_holder(descriptor, holder);
    close(descriptor);
    return !is_told ? KS_WRITER_UNKNOWN : lock.l_type != F_UNLCK ? KS_WRITER_FOUND : KS_WRITER_NONE;
}
