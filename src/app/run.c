/* `ketsweep run`: the campaign. Reads as the order in which data flows: configuration, work, file, farm, summary. */
#include "app/app_impl.h"
#include "base/agree.h"
#include "base/build_info.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One run of the command, on one rank. */
struct run {
    const struct ks_arguments *arguments;
    MPI_Comm comm;
    int rank, size;
    struct ks_campaign campaign;
    struct ks_work work;
    struct ks_verification verification;
    char *host_names; /* of all ranks, on rank 0: [size][MPI_MAX_PROCESSOR_NAME] */
    ks_store *store;
    const char *path;
    struct ks_run_record record;
    struct ks_progress progress;
    struct ks_tally total; /* of all ranks, on rank 0; its bounds only at the end */
    double start;
};

static void abort_all(void) {
    MPI_Abort(MPI_COMM_WORLD, KS_EXIT_FAILED);
}

/* ---- the farm's work ---------------------------------------------------------------------------------------- */

static int simulate(void *self, uint64_t first, uint64_t count) {
    struct run *run = self;
    const struct ks_rows *rows = &run->work.rows;
    size_t row = rows->n_rows;
    KS_TRY(ks_work_simulate(&run->work, first, count));
    return ks_verification_check(&run->verification, first, count, &rows->status[row],
                                 &rows->endpoints[row * (size_t)run->work.schema.n_endpoints]);
}

static uint64_t count_failed(const struct ks_tally *tally) {
    uint64_t n = 0;
    for (int status = 0; status < KS_N_STATUSES; status++)
        if (ks_status_is_failure(status)) n += tally->n_by_status[status];
    return n;
}

static int commit(void *self, uint64_t first, uint64_t count) {
    struct run *run = self;
    KS_TRY(ks_store_write_round(run->store, first, count, &run->work.rows));
    ks_work_clear(&run->work);
    KS_MPI(MPI_Reduce(run->work.tally.n_by_status, run->total.n_by_status, KS_N_STATUSES, MPI_UINT64_T,
                      MPI_SUM, 0, run->comm));
    run->record.seconds = MPI_Wtime() - run->start;
    run->record.n_points += count;
    run->record.points_per_second = (double)run->record.n_points / run->record.seconds;
    return ks_store_update_run(run->store, &run->record);
}

static uint64_t rounds_left(void *self) {
    const struct run *run = self;
    return ks_store_rounds_left(run->store);
}

static void report(void *self, const struct ks_farm_progress *state) {
    struct run *run = self;
    ks_progress_show(&run->progress, state, count_failed(&run->total));
}

/* ---- provenance --------------------------------------------------------------------------------------------- */

/* The ranks' host names on rank 0, each once. */
static int collect_hosts(struct run *run) {
    char own[MPI_MAX_PROCESSOR_NAME] = "";
    int length;
    KS_MPI(MPI_Get_processor_name(own, &length));
    KS_MPI(MPI_Gather(own, sizeof own, MPI_CHAR, run->host_names, sizeof own, MPI_CHAR, 0, run->comm));
    char *list = run->record.hosts;
    size_t used = 0, room = sizeof run->record.hosts;
    for (int i = 0; run->rank == 0 && i < run->size; i++) {
        const char *name = &run->host_names[(size_t)i * sizeof own];
        bool is_known = i > 0 && strcmp(name, name - sizeof own) == 0; /* ranks of a host are neighbours */
        if (!is_known && used + strlen(name) + 2 < room)
            used += (size_t)snprintf(list + used, room - used, "%s%s", used > 0 ? "," : "", name);
    }
    return KS_OK;
}

static int begin_record(struct run *run) {
    struct ks_run_record *record = &run->record;
    time_t now = time(NULL);
    struct tm utc;
    strftime(record->start, sizeof record->start, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    record->n_ranks = (uint32_t)run->size;
    snprintf(record->version, sizeof record->version, "%s %s", KS_VERSION, ks_build_commit);
    snprintf(record->settings, sizeof record->settings, "commit_seconds = %g; built by %s",
             run->campaign.run.commit_seconds, ks_build_compiler);
    return collect_hosts(run);
}

/* ---- the stages --------------------------------------------------------------------------------------------- */

static int load_campaign(struct run *run) {
    FILE *silence = NULL, *messages = stderr;
    if (run->rank != 0) messages = silence = fopen("/dev/null", "w");
    KS_CHECK(messages != NULL, KS_ERR_IO, "cannot open /dev/null");
    const struct ks_arguments *a = run->arguments;
    int err =
        ks_config_load(a->operand, a->n_overrides, a->overrides, !a->is_quiet, messages, &run->campaign);
    if (silence != NULL) fclose(silence);
    KS_TRY(err);
    run->path = a->output ? a->output : run->campaign.output_file;
    return KS_OK;
}

/* All memory of the run, before the first collective call that a rank without memory would miss. */
static int allocate(struct run *run) {
    KS_TRY(ks_work_create(&run->work, &run->campaign, run->arguments->lanes, 0));
    KS_TRY(ks_verification_create(&run->verification, &run->campaign, run->arguments->verify_fraction));
    KS_TRY(ks_work_create_tally(&run->total, run->campaign.design.n_variables));
    if (run->rank == 0) KS_ALLOCATE(run->host_names, (size_t)run->size * MPI_MAX_PROCESSOR_NAME);
    return KS_OK;
}

/* Each rank reads the configuration for itself: one that finds another text, such as a stale copy on its node, must not
 * add rows. */
static int compare_campaigns(const struct run *run) {
    uint64_t own = 0xcbf29ce484222325u, first; /* FNV-1a */
    for (const char *c = run->campaign.canonical; *c != '\0'; c++)
        own = (own ^ (unsigned char)*c) * 0x100000001b3u;
    first = own;
    KS_MPI(MPI_Bcast(&first, 1, MPI_UINT64_T, 0, run->comm));
    KS_CHECK(own == first, KS_ERR_USAGE, "%s: rank %d of %d reads another campaign there than rank 0",
             run->campaign.path, run->rank, run->size);
    return KS_OK;
}

/* Ranks that are started with command lines of their own must take part in the same collective calls. */
static int compare_arguments(const struct run *run) {
    double own = run->arguments->verify_fraction, first = own;
    KS_MPI(MPI_Bcast(&first, 1, MPI_DOUBLE, 0, run->comm));
    KS_CHECK(own == first, KS_ERR_USAGE, "rank %d of %d has another --verify-fraction than rank 0", run->rank,
             run->size);
    return KS_OK;
}

static int open_file(struct run *run) {
    int err = KS_OK;
    if (run->rank == 0) err = ks_store_create(run->path, &run->work.schema, run->arguments->overwrites);
    KS_TRY(ks_agree(run->comm, err));
    KS_TRY(ks_store_open_parallel(&run->store, run->path, run->comm));
    KS_TRY(begin_record(run));
    return ks_store_add_run(run->store, &run->record);
}

/* Who is alone has no requests to answer in between. */
static uint64_t choose_slice(const struct run *run) {
    uint64_t slice = run->work.slice, batch = (uint64_t)run->work.batch;
    return run->size == 1 && batch > slice ? batch : slice;
}

static int run_farm(struct run *run) {
    const struct ks_farm_work work = {.self = run,
                                      .simulate = simulate,
                                      .commit = commit,
                                      .rounds_left = rounds_left,
                                      .report = run->progress.stream ? report : NULL,
                                      .commit_seconds = run->campaign.run.commit_seconds,
                                      .capacity = run->work.capacity,
                                      .slice = choose_slice(run)};
    KS_TRY(ks_farm_run(run->comm, 0, run->work.schema.n_points, &work));
    return ks_store_complete(run->store);
}

/* After the campaign is marked complete: its rows are good whatever becomes of their verification. */
static int write_verification(struct run *run) {
    if (!(run->verification.fraction > 0)) return KS_OK;
    KS_TRY(ks_verification_gather(&run->verification, run->comm));
    return ks_store_write_verification(run->store, run->verification.rows);
}

/* The tallies of all ranks, on rank 0. */
static int reduce_tally(struct run *run) {
    const struct ks_tally *own = &run->work.tally;
    struct ks_tally *total = &run->total;
    int n = run->campaign.design.n_variables;
    KS_MPI(
        MPI_Reduce(own->n_by_status, total->n_by_status, KS_N_STATUSES, MPI_UINT64_T, MPI_SUM, 0, run->comm));
    KS_MPI(MPI_Reduce(own->low, total->low, n, MPI_DOUBLE, MPI_MIN, 0, run->comm));
    KS_MPI(MPI_Reduce(own->high, total->high, n, MPI_DOUBLE, MPI_MAX, 0, run->comm));
    KS_MPI(MPI_Reduce(own->failed_low, total->failed_low, n, MPI_DOUBLE, MPI_MIN, 0, run->comm));
    KS_MPI(MPI_Reduce(own->failed_high, total->failed_high, n, MPI_DOUBLE, MPI_MAX, 0, run->comm));
    return KS_OK;
}

/* ---- the summary -------------------------------------------------------------------------------------------- */

/* Names the parameters in which the failed points fill less than half of the range of all points. Ten points drawn
 * from the whole range would do so by chance once in a hundred times. */
static void print_where_failed(const struct run *run) {
    const struct ks_tally *t = &run->total;
    for (int i = 0; i < run->campaign.design.n_variables; i++)
        if (t->failed_high[i] - t->failed_low[i] < 0.5 * (t->high[i] - t->low[i]))
            fprintf(stderr, "    all at %s %.4g to %.4g (the design spans %.4g to %.4g)\n",
                    run->work.schema.parameters[i].name, t->failed_low[i], t->failed_high[i], t->low[i],
                    t->high[i]);
}

static void print_summary(const struct run *run) {
    uint64_t n = run->work.schema.n_points, n_failed = count_failed(&run->total);
    double seconds = MPI_Wtime() - run->start, write_seconds;
    uint64_t written;
    char duration[32], size[32];
    ks_store_write_cost(run->store, &write_seconds, &written);
    fprintf(stderr, "%s: %" PRIu64 " points in %s on %d rank%s, %.4g points/s; ", run->path, n,
            ks_progress_duration(seconds, duration), run->size, run->size == 1 ? "" : "s",
            (double)n / seconds);
    fprintf(stderr, "%s written in %.2f s\n", ks_progress_bytes((double)written, size), write_seconds);
    for (int status = 0; status < KS_N_STATUSES; status++)
        if (run->total.n_by_status[status] > 0)
            fprintf(stderr, "  %" PRIu64 " %s: %s\n", run->total.n_by_status[status], ks_status_names[status],
                    ks_status_meanings[status]);
    if (n_failed >= 10) print_where_failed(run);
    if (run->verification.fraction > 0)
        ks_verification_print(stderr, n, (size_t)run->work.schema.n_endpoints, run->verification.rows);
}

/* The file is complete; too many failed points still make the command fail. */
static int judge(const struct run *run) {
    double fraction = (double)count_failed(&run->total) / (double)run->work.schema.n_points;
    if (run->rank != 0 || fraction <= run->arguments->max_failed_fraction) return 0;
    fprintf(
        stderr,
        "ketsweep: %.3g %% of the points failed, more than --max-failed-fraction allows (%.3g %%); the file "
        "is complete\n",
        100 * fraction, 100 * run->arguments->max_failed_fraction);
    return KS_EXIT_FAILED;
}

static int run_stages(struct run *run) {
    KS_TRY(ks_agree(run->comm, load_campaign(run)));
    KS_TRY(ks_agree(run->comm, compare_campaigns(run)));
    KS_TRY(ks_agree(run->comm, compare_arguments(run)));
    KS_TRY(ks_agree(run->comm, allocate(run)));
    KS_TRY(open_file(run));
    ks_progress_begin(&run->progress, run->rank == 0 && !run->arguments->is_quiet ? stderr : NULL);
    int err = run_farm(run);
    ks_progress_end(&run->progress);
    KS_TRY(err);
    KS_TRY(write_verification(run));
    KS_TRY(reduce_tally(run));
    if (run->rank == 0 && !run->arguments->is_quiet) print_summary(run);
    return judge(run);
}

static void release(struct run *run) {
    ks_verification_release(&run->verification);
    ks_work_release(&run->work);
    ks_config_release(&run->campaign);
    ks_work_release_tally(&run->total);
    free(run->host_names);
}

static int run_on_ranks(const struct ks_arguments *arguments, MPI_Comm comm) {
    struct run run = {.arguments = arguments, .comm = comm, .start = MPI_Wtime()};
    KS_MPI(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN));
    KS_MPI(MPI_Comm_rank(comm, &run.rank));
    KS_MPI(MPI_Comm_size(comm, &run.size));
    int status = run_stages(&run);
    int err = ks_store_close(&run.store);
    if (status >= 0 && err < 0) status = err;
    release(&run);
    /* through ks_agree the rank that failed has spoken */
    if (status < 0 && status != KS_ERR_REMOTE && run.rank == 0) ks_error_print(stderr);
    int own = status == KS_ERR_USAGE ? KS_EXIT_USAGE : status < 0 ? KS_EXIT_FAILED : status, all;
    if (status == KS_ERR_REMOTE) own = 0; /* the rank that failed knows the exit status */
    KS_MPI(MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MAX, comm));
    return all;
}

static int run_command(const struct ks_arguments *arguments) {
    KS_CHECK(MPI_Init(NULL, NULL) == MPI_SUCCESS, KS_ERR_MPI, "MPI does not start");
    ks_error_set_abort(abort_all);
    int status = run_on_ranks(arguments, MPI_COMM_WORLD);
    MPI_Finalize();
    return status;
}

const struct ks_command ks_command_run = {
    .name = "run",
    .operand = "CONFIG",
    .summary = "simulate every point of the campaign into one HDF5 file (under mpirun or srun)",
    .options = "output set overwrite quiet lanes max-failed-fraction verify-fraction",
    .help =
        "  -o, --output FILE         the file; default: output.file of CONFIG\n"
        "  --set KEY=VALUE           override an entry of CONFIG, e.g. --set design.points=65536\n"
        "  --overwrite               replace an existing file\n"
        "  --lanes N                 patients solved at once: 1, 2, 4 or 8 (default: the most possible)\n"
        "  --max-failed-fraction F   exit with 1 if more points than this share fail (default 0.01)\n"
        "  --verify-fraction F       solve this share of the points again, by cvode at a hundredth of "
        "solver.rtol,\n"
        "                            and say how far their endpoints differ\n"
        "  -q, --quiet               no progress, no summary\n\n"
        "Failed points are rows with a status and NaN endpoints; the campaign goes on. No result depends\n"
        "on --lanes, nor on the number of ranks. Without --lanes the variable KETSWEEP_LANES counts; cvode\n"
        "takes one patient at a time whatever they say.\n\n"
        "Examples:\n"
        "  ketsweep run configs/demo.cfg                              one process\n"
        "  mpirun -n 2 ketsweep run configs/sweep.cfg -o sweep.h5     two; on a cluster as many as there "
        "are cores\n",
    .run = run_command,
};
