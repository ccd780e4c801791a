/* A command that works on many ranks and leaves its result to rank 0: the frame of `cohort` and `trial`. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "app/study_impl.h"
#include "base/agree.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t round_rows = 20000; /* that a rank keeps between two commits */

static void abort_all(void) {
    MPI_Abort(MPI_COMM_WORLD, KS_EXIT_FAILED);
}

/* ---- the frame ------------------------------------------------------------------------------------------------ */

static int load(struct ks_session *s) {
    const struct ks_arguments *a = s->arguments;
    FILE *silence = s->rank == 0 ? NULL : fopen("/dev/null", "w"),
         *messages = silence == NULL ? stderr : silence;
    KS_CHECK(s->rank == 0 || silence != NULL, KS_ERR_IO, "cannot open /dev/null");
    int err = ks_config_load(a->operand, a->n_overrides, a->overrides, !a->is_quiet, messages, &s->campaign);
    if (silence != NULL) fclose(silence);
    KS_TRY(err);
    KS_CHECK(s->campaign.study != NULL, KS_ERR_USAGE,
             "%s: no population, arms or trial; configs/population-trd.cfg shows how", s->campaign.path);
    ks_stop_limit(&s->stop, s->start, s->campaign.run.time_limit);
    return KS_OK;
}

/* A rank that reads another text than rank 0, such as a stale copy on its node, must not take part. */
static int compare(const struct ks_session *s) {
    uint64_t own = ks_session_hash(s->campaign.canonical), first = own;
    KS_MPI(MPI_Bcast(&first, 1, MPI_UINT64_T, 0, s->comm));
    KS_CHECK(own == first, KS_ERR_USAGE, "%s: rank %d of %d reads another study there than rank 0",
             s->campaign.path, s->rank, s->size);
    return KS_OK;
}

uint64_t ks_session_hash(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (const char *c = text; *c != '\0'; c++) hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    return hash;
}

/* Rank 0: nobody else writes the file, and what a killed run has left beside it goes. */
static int claim_file(struct ks_lock *lock, const char *path) {
    KS_TRY(ks_store_lock(lock, path));
    if (lock->is_missing)
        fprintf(stderr,
                "ketsweep: warning: the file system of %s has no locks; nothing keeps a second run from "
                "writing to it\n",
                path);
    char *target = realpath(path, NULL); /* of a link, beside what it leads to */
    ks_store_remove_leftovers(target != NULL ? target : path);
    free(target);
    return KS_OK;
}

static int run_stages(struct ks_session *s, int (*stages)(struct ks_session *)) {
    ks_model_version(s->model_version);
    KS_TRY(ks_agree(s->comm, load(s)));
    KS_TRY(ks_agree(s->comm, compare(s)));
    struct ks_lock lock = {0};
    const char *path = s->arguments->output ? s->arguments->output : s->campaign.output_file;
    KS_TRY(ks_agree(s->comm, s->rank == 0 ? claim_file(&lock, path) : KS_OK));
    int status = stages(s);
    if (s->rank == 0) ks_store_unlock(&lock);
    return status;
}

static int run_on_ranks(const struct ks_arguments *arguments, int (*stages)(struct ks_session *)) {
    struct ks_session s = {.arguments = arguments, .comm = MPI_COMM_WORLD, .start = MPI_Wtime()};
    KS_MPI(MPI_Comm_set_errhandler(s.comm, MPI_ERRORS_RETURN));
    KS_MPI(MPI_Comm_rank(s.comm, &s.rank));
    KS_MPI(MPI_Comm_size(s.comm, &s.size));
    KS_TRY(ks_stop_create(&s.stop, s.comm));
    int status = run_stages(&s, stages);
    ks_stop_release(&s.stop);
    ks_config_release(&s.campaign);
    if (status < 0 && status != KS_ERR_REMOTE && s.rank == 0) ks_error_print(stderr);
    int own = status == KS_ERR_USAGE ? KS_EXIT_USAGE : status < 0 ? KS_EXIT_FAILED : status, all;
    if (status == KS_ERR_REMOTE) own = 0; /* the rank that failed knows the exit status */
    KS_MPI(MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MAX, s.comm));
    return all;
}

int ks_session_run(const struct ks_arguments *arguments, int (*stages)(struct ks_session *session)) {
    KS_CHECK(MPI_Init(NULL, NULL) == MPI_SUCCESS, KS_ERR_MPI, "MPI does not start");
    ks_error_set_abort(abort_all);
    ks_signals_install();
    int status = run_on_ranks(arguments, stages);
    MPI_Finalize();
    return status;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static int make_room(struct ks_gathered *all, size_t n_more) {
    if (all->n + n_more <= all->capacity) return KS_OK;
    size_t capacity = 2 * all->capacity + n_more;
    double *larger = realloc(all->rows, capacity * all->stride * sizeof *larger);
    KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for %zu rows of %zu numbers", capacity, all->stride);
    all->rows = larger;
    all->capacity = capacity;
    return KS_OK;
}

static int gather_with(const struct ks_session *s, size_t n_rows, const double *rows, struct ks_gathered *all,
                       int *counts, int *places) {
    int own = (int)n_rows;
    size_t total = 0;
    MPI_Datatype row;
    KS_MPI(MPI_Gather(&own, 1, MPI_INT, counts, 1, MPI_INT, 0, s->comm));
    for (int r = 0; s->rank == 0 && r < s->size; r++) {
        places[r] = (int)total;
        total += (size_t)counts[r];
    }
    KS_TRY(ks_agree(s->comm, s->rank == 0 ? make_room(all, total) : KS_OK));
    KS_MPI(MPI_Type_contiguous((int)all->stride, MPI_DOUBLE, &row));
    KS_MPI(MPI_Type_commit(&row));
    double *to = s->rank == 0 ? &all->rows[all->n * all->stride] : NULL;
    KS_MPI(MPI_Gatherv(rows, own, row, to, counts, places, row, 0, s->comm));
    KS_MPI(MPI_Type_free(&row));
    all->n += total;
    return KS_OK;
}

int ks_session_gather(const struct ks_session *s, size_t n_rows, const double *rows,
                      struct ks_gathered *all) {
    int *counts = ks_memory_allocate(2 * (size_t)s->size, sizeof *counts);
    int err = counts != NULL ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory");
    err = ks_agree(s->comm, err);
    if (err == KS_OK) err = gather_with(s, n_rows, rows, all, counts, counts + s->size);
    free(counts);
    return err;
}

static int compare_rows(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void ks_session_sort(struct ks_gathered *all) {
    if (all->n > 1) qsort(all->rows, all->n, all->stride * sizeof(double), compare_rows);
}

/* ---- the farm --------------------------------------------------------------------------------------------------- */

static uint64_t rounds_left(void *self) {
    (void)self;
    return UINT64_MAX;
}

struct worker {
    struct ks_session *session;
    void *self;
    int (*simulate)(void *, uint64_t, uint64_t);
    int (*commit)(void *, uint64_t, uint64_t);
};

static int simulate(void *self, uint64_t first, uint64_t *count) {
    struct worker *w = self;
    return w->simulate(w->self, first, *count);
}

static int commit(void *self, uint64_t first, uint64_t count) {
    struct worker *w = self;
    double start = MPI_Wtime();
    KS_TRY(w->commit(w->self, first, count));
    ks_stop_learn_commit(&w->session->stop, MPI_Wtime() - start);
    return KS_OK;
}

static enum ks_farm_urgency find_urgency(void *self) {
    struct worker *w = self;
    return ks_stop_urgency(&w->session->stop);
}

static void end_hung(void *self, int rank, uint64_t first, uint64_t count, double seconds) {
    char where[96] = "";
    (void)self;
    if (count > 0)
        snprintf(where, sizeof where, "; it was on patients %" PRIu64 " to %" PRIu64, first,
                 first + count - 1);
    fprintf(stderr, "\nketsweep: error: rank %d has done nothing for %.0f s (run.watchdog_seconds)%s\n", rank,
            seconds, where);
    MPI_Abort(MPI_COMM_WORLD, KS_EXIT_FAILED);
}

const char *ks_session_stop_reason(const struct ks_session *session) {
    return session->stop.signal != 0 ? ks_signals_name(session->stop.signal) : "the time limit";
}

static void report(void *self, const struct ks_farm_progress *state) {
    struct worker *w = self;
    ks_progress_show(&w->session->progress, state, 0);
}

int ks_session_farm(struct ks_session *session, uint64_t first, uint64_t count, void *self,
                    int (*simulate_points)(void *, uint64_t, uint64_t),
                    int (*commit_points)(void *, uint64_t, uint64_t), uint64_t *next) {
    struct worker worker = {session, self, simulate_points, commit_points};
    const struct ks_farm_work work = {
        .self = &worker,
        .simulate = simulate,
        .commit = commit,
        .rounds_left = rounds_left,
        .report = session->progress.stream ? report : NULL,
        .urgency = find_urgency,
        .hung = end_hung,
        .watchdog_seconds = session->campaign.run.watchdog_seconds,
        .commit_seconds = session->campaign.run.commit_seconds,
        .capacity = round_rows,
        .slice = session->campaign.solver.kind == KS_SOLVER_cvode ? 1 : KS_THERAPY_BATCH};
    session->stop.is_on = true;
    return ks_farm_run(session->comm, first, count, &work, next);
}
