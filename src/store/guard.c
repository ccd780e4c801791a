/* Looks at a file before it is trusted: what it is, and whether HDF5 can read it at all.
 *
 * HDF5's library (1.10.8) crashes on 47 and loops on 10 of the 1,000 damaged files of tests/crash. So a child process reads everything first that the program will read later,
 * but for the rows. It may die of it; its verdict comes through a pipe. The child makes no MPI call and leaves by
 * _exit(), so that a rank may call this too. */
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the metadata of a file may cost; that of a good one is read in milliseconds. */
enum { MOST_SECONDS_OF_PROCESSOR = 3, MOST_SECONDS = 300, MOST_BYTES = 1 << 30 };

/* ---- before HDF5 sees it ------------------------------------------------------------------------------- */

static const char *kind_of(mode_t mode) {
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

static int check_signature(int descriptor, const char *path) {
    static const unsigned char expected[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char found[8];
    ssize_t n = pread(descriptor, found, sizeof found, 0);
    KS_CHECK(n >= 0, KS_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    KS_CHECK(n > 0, KS_ERR_FORMAT, "%s is empty", path);
    KS_CHECK(n == sizeof found && memcmp(found, expected, sizeof found) == 0, KS_ERR_FORMAT,
             "%s is not an HDF5 file", path);
    return KS_OK;
}

static int check_open_file(int descriptor, const char *path) {
    struct stat file;
    KS_CHECK(fstat(descriptor, &file) == 0, KS_ERR_IO, "cannot use %s: %s", path, strerror(errno));
    KS_CHECK(S_ISREG(file.st_mode), KS_ERR_FORMAT, "%s is %s, not a file", path, kind_of(file.st_mode));
    return check_signature(descriptor, path);
}

/* Opening a pipe that nobody writes to would wait, but for O_NONBLOCK. */
int ks_guard_check_kind(const char *path) {
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    KS_CHECK(descriptor >= 0, errno == ENOENT ? KS_ERR_USAGE : KS_ERR_IO, "cannot open %s: %s", path,
             strerror(errno));
    int err = check_open_file(descriptor, path);
    close(descriptor);
    return err;
}

/* ---- the child ----------------------------------------------------------------------------------------- */

struct verdict {
    int code;
    char sentence[2048]; /* with the code less than PIPE_BUF: written at once or not at all */
};

static void limit(int resource, rlim_t most) {
    struct rlimit limits;
    if (getrlimit(resource, &limits) != 0) return;
    if (limits.rlim_max != RLIM_INFINITY && most > limits.rlim_max) most = limits.rlim_max;
    limits.rlim_cur = most;
    setrlimit(resource, &limits);
}

/* The address space that this process has now. */
static rlim_t bytes_in_use(void) {
    unsigned long long n_pages = 0;
    FILE *stream = fopen("/proc/self/statm", "r");
    if (stream == NULL) return 0;
    if (fscanf(stream, "%llu", &n_pages) != 1) n_pages = 0;
    fclose(stream);
    return (rlim_t)n_pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Dies at once and in silence: no core, no report of Open MPI's or a sanitizer's, no message of malloc's. */
static void prepare_to_die(void) {
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGXCPU};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) signal(deadly[i], SIG_DFL);
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
    /* What is read beyond an array, or was never written, is then no pointer or length that might do: malloc() fills
     * all memory that it gives and takes, and HDF5 keeps none for itself. */
    mallopt(M_PERTURB, 0x5a);
    H5garbage_collect();
    H5set_free_list_limits(0, 0, 0, 0, 0, 0);
    rlim_t in_use = bytes_in_use();
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, MOST_SECONDS_OF_PROCESSOR);
    if (in_use > 0) limit(RLIMIT_AS, in_use + MOST_BYTES);
    alarm(MOST_SECONDS);
}

static _Noreturn void look(const char *path, int (*try)(const char *, const char *), const char *what,
                           int to_parent) {
    struct verdict verdict = {0};
    prepare_to_die();
    verdict.code = try(path, what);
    snprintf(verdict.sentence, sizeof verdict.sentence, "%s", ks_error_message());
    _exit(write(to_parent, &verdict, sizeof verdict) != sizeof verdict);
}

/* ---- the parent ---------------------------------------------------------------------------------------- */

static bool read_verdict(int from_child, struct verdict *verdict) {
    ssize_t n;
    do n = read(from_child, verdict, sizeof *verdict);
    while (n < 0 && errno == EINTR);
    return n == sizeof *verdict;
}

static int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return status;
}

static int judge(const char *path, bool has_verdict, const struct verdict *verdict, int status) {
    if (has_verdict)
        return verdict->code == KS_OK
                   ? KS_OK
                   : ks_error_raise(verdict->code, __FILE__, __LINE__, "%s", verdict->sentence);
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    KS_CHECK(number != SIGXCPU && number != SIGALRM, KS_ERR_FORMAT,
             "%s: damaged: HDF5 does not come to an end of reading it", path);
    return ks_error_raise(KS_ERR_FORMAT, __FILE__, __LINE__,
                          "%s: damaged: HDF5 crashes when it reads it (%s)", path,
                          number > 0 ? strsignal(number) : "no verdict");
}

int ks_guard_check_by(const char *path, int (*try)(const char *, const char *), const char *what) {
    int ends[2];
    KS_TRY(ks_guard_check_kind(path));
    KS_CHECK(pipe(ends) == 0, KS_ERR_IO, "cannot look at %s: %s", path, strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        look(path, try, what, ends[1]);
    }
    int reason = errno;
    close(ends[1]);
    struct verdict verdict = {0};
    bool has_verdict = child > 0 && read_verdict(ends[0], &verdict);
    close(ends[0]);
    KS_CHECK(child > 0, KS_ERR_IO, "cannot start a process to look at %s: %s", path, strerror(reason));
    return judge(path, has_verdict, &verdict, wait_for(child));
}

static int look_at_store(const char *path, const char *what) {
    (void)what;
    return ks_store_look(path);
}

int ks_guard_check(const char *path) {
    return ks_guard_check_by(path, look_at_store, NULL);
}
