/* Points that were in hand when a process crashed, from the record that signals.c keeps beside the result.
 *
 * A point that crashes must not end every run that comes to it. The next run tries each suspect alone, in a child
 * process of rank 0: one that crashes twice is given up and gets the status `crashed`; the others are simulated as
 * ever, but alone, so that a crash for another reason names one point. A process that was killed from outside leaves no
 * record, as no point is to blame. */
#include "app/app_impl.h"
#include "base/agree.h"
#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CRASHES = 2, MOST_SUSPECTS = 4096 };

/* ---- the record --------------------------------------------------------------------------------------------- */

/* The place of a point among the suspects, which it joins. */
static struct ks_suspect *find_place(struct ks_suspects *s, uint64_t point) {
    size_t i = 0;
    while (i < s->n && s->suspects[i].point < point) i++;
    if (i < s->n && s->suspects[i].point == point) return &s->suspects[i];
    if (s->n == MOST_SUSPECTS) return NULL;
    memmove(&s->suspects[i + 1], &s->suspects[i], (s->n - i) * sizeof *s->suspects);
    s->n++;
    s->suspects[i] = (struct ks_suspect){.point = point};
    return &s->suspects[i];
}

static void read_record(struct ks_suspects *s, FILE *stream, uint64_t first, uint64_t n_points) {
    char line[128];
    while (fgets(line, sizeof line, stream) != NULL) {
        uint64_t from, count;
        if (sscanf(line, "%" SCNu64 " %" SCNu64, &from, &count) != 2 || from >= n_points ||
            count > n_points - from)
            continue;
        for (uint64_t point = from < first ? first : from; point < from + count; point++) {
            struct ks_suspect *suspect = find_place(s, point);
            if (suspect == NULL) return;
            suspect->n_crashes += count == 1;
        }
    }
}

static int load_record(struct ks_suspects *s, uint64_t first, uint64_t n_points) {
    FILE *stream = fopen(s->file, "r");
    KS_CHECK(stream != NULL || errno == ENOENT, KS_ERR_IO, "cannot read %s: %s", s->file, strerror(errno));
    if (stream == NULL) return KS_OK;
    read_record(s, stream, first, n_points);
    fclose(stream);
    return KS_OK;
}

/* ---- tries -------------------------------------------------------------------------------------------------- */

static _Noreturn void try_alone(struct ks_work *work, uint64_t point) {
    double seconds = work->campaign->run.watchdog_seconds;
    ks_signals_isolate();
    ks_error_set_abort(NULL);
    if (seconds > 0) alarm((unsigned)(seconds < 1e9 ? ceil(seconds) : 1e9));
    _exit(ks_work_try(work, point) == KS_OK ? 0 : 1);
}

/* Until the child ends, or this process is asked to stop; then the child says nothing of its point. */
static int wait_for(pid_t child) {
    static const struct timespec moment = {.tv_nsec = 1000000};
    int status = 0;
    for (;;) {
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child || (ended < 0 && errno != EINTR)) break;
        if (ks_signals_stop() != 0) kill(child, SIGKILL);
        nanosleep(&moment, NULL);
    }
    return ks_signals_stop() != 0 ? 0 : status;
}

/* Whether the point crashes a child, or keeps it longer than the watchdog would let it; *err where there is no child. The
 * child records the crash itself. */
static bool crashes_child(struct ks_work *work, uint64_t point, int *err) {
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        *err = ks_error_raise(KS_ERR_IO, __FILE__, __LINE__, "cannot try point %" PRIu64 ": %s", point,
                              strerror(errno));
        return false;
    }
    if (child == 0) try_alone(work, point);
    return WIFSIGNALED(wait_for(child));
}

static int try_all(struct ks_suspects *s, struct ks_work *work, FILE *messages) {
    int err = KS_OK;
    if (s->n > 0 && messages != NULL)
        fprintf(messages, "ketsweep: %zu point%s in hand when a process crashed; each is tried alone\n", s->n,
                s->n == 1 ? " was" : "s were");
    for (size_t i = 0; i < s->n && err == KS_OK && ks_signals_stop() == 0; i++) {
        struct ks_suspect *suspect = &s->suspects[i];
        while (suspect->n_crashes < MOST_CRASHES && crashes_child(work, suspect->point, &err))
            suspect->n_crashes++;
        suspect->is_given_up = suspect->n_crashes >= MOST_CRASHES;
        if (suspect->is_given_up && messages != NULL)
            fprintf(messages,
                    "ketsweep: point %" PRIu64
                    " crashes or hangs whenever it is tried; it gets the status %s\n",
                    work->first_point + suspect->point, ks_status_names[KS_STATUS_crashed]);
    }
    return err;
}

/* ---- all ranks ---------------------------------------------------------------------------------------------- */

static int allocate(struct ks_suspects *s, const char *path) {
    size_t size = strlen(path) + sizeof ".crash";
    KS_ALLOCATE(s->file, size);
    KS_ALLOCATE(s->suspects, MOST_SUSPECTS);
    snprintf(s->file, size, "%s.crash", path);
    return KS_OK;
}

static int find(struct ks_suspects *s, uint64_t first, struct ks_work *work, FILE *messages) {
    ks_signals_set_crash_file(s->file);
    KS_TRY(load_record(s, first, work->schema.n_points));
    return try_all(s, work, messages);
}

int ks_suspects_create(struct ks_suspects *s, const char *path, uint64_t first, struct ks_work *work,
                       MPI_Comm comm, FILE *messages) {
    int rank;
    *s = (struct ks_suspects){0};
    KS_MPI(MPI_Comm_rank(comm, &rank));
    KS_TRY(ks_agree(comm, allocate(s, path)));
    KS_TRY(ks_agree(comm, rank == 0 ? find(s, first, work, messages) : KS_OK));
    KS_MPI(MPI_Bcast(&s->n, sizeof s->n, MPI_BYTE, 0, comm));
    KS_MPI(MPI_Bcast(s->suspects, (int)(s->n * sizeof *s->suspects), MPI_BYTE, 0, comm));
    ks_signals_set_crash_file(s->file);
    work->n_suspects = s->n;
    work->suspects = s->suspects;
    return KS_OK;
}

void ks_suspects_release(struct ks_suspects *s) {
    free(s->file);
    free(s->suspects);
    *s = (struct ks_suspects){0};
}

void ks_suspects_clear(const struct ks_suspects *s, uint64_t next) {
    if (s->n == 0 || s->suspects[s->n - 1].point < next) unlink(s->file);
}
