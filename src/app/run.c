/* `ketsweep run`: the campaign. Reads as the order in which data flows: configuration, work, file, farm, summary. */
#include "app/app_impl.h"
#include "base/agree.h"
#include "base/build_info.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One run of the command, on one rank. */
struct run {
    const struct ks_arguments *arguments;
    MPI_Comm comm;
    int rank, size;
    struct ks_campaign campaign;
    struct ks_work work;
    struct ks_verification verification;
    struct ks_stop stop;
    struct ks_suspects suspects;
    char *host_names;                        /* of all ranks, on rank 0: [size][MPI_MAX_PROCESSOR_NAME] */
    char first_host[MPI_MAX_PROCESSOR_NAME]; /* of rank 0 */
    struct ks_lock lock;                     /* on rank 0 */
    MPI_Info hints;
    ks_store *store;
    const char *path;
    struct ks_share share;     /* all 0 without --shard */
    char shard_path[PATH_MAX]; /* then: `path` */
    struct ks_run_record record;
    struct ks_progress progress;
    struct ks_preview preview;
    struct ks_resume_rounds rounds; /* that earlier runs have committed */
    uint64_t before[KS_N_STATUSES]; /* how their points ended, on rank 0 */
    uint64_t next;                  /* the first row that is not committed */
    uint64_t checksum;              /* of the round that is run again */
    bool is_complete;               /* the file was, before this run */
    bool is_repairing, is_stopped;
    struct ks_tally total; /* of all runs and ranks, on rank 0; its bounds only at the end */
    double begin, start;   /* MPI_Wtime() of the command, of this stage of it */
};

/* A bug is the fault of the point in hand, if there is one. */
static void abort_all(void) {
    ks_signals_record_crash(SIGABRT);
    MPI_Abort(MPI_COMM_WORLD, KS_EXIT_FAILED);
}

/* ---- the farm's work ---------------------------------------------------------------------------------------- */

static int simulate(void *self, uint64_t first, uint64_t *count) {
    struct run *run = self;
    const struct ks_rows *rows = &run->work.rows;
    size_t row = rows->n_rows;
    KS_TRY(ks_work_simulate(&run->work, first, count));
    if (run->is_repairing) return KS_OK;
    return ks_verification_check(&run->verification, first, *count, &rows->status[row],
                                 &rows->endpoints[row * (size_t)run->work.schema.n_endpoints]);
}

/* So far, of all runs. */
static int count_points(struct run *run) {
    uint64_t *total = run->total.n_by_status;
    KS_MPI(
        MPI_Reduce(run->work.tally.n_by_status, total, KS_N_STATUSES, MPI_UINT64_T, MPI_SUM, 0, run->comm));
    for (int i = 0; i < KS_N_STATUSES; i++) total[i] += run->before[i];
    return KS_OK;
}

static int update_record(struct run *run, uint64_t count) {
    run->record.seconds = MPI_Wtime() - run->start;
    run->record.n_points += count;
    run->record.points_per_second = (double)run->record.n_points / run->record.seconds;
    return ks_store_update_run(run->store, &run->record);
}

static int write_rows(struct run *run, uint64_t first, uint64_t count) {
    double start = MPI_Wtime();
    ks_work_cut(&run->work, first + count);
    int err = run->is_repairing ? KS_OK : ks_preview_add(&run->preview, &run->work);
    KS_TRY(ks_agree(run->comm, err));
    if (run->is_repairing)
        KS_TRY(ks_store_rewrite_rows(run->store, first, count, &run->work.rows, &run->checksum));
    else
        KS_TRY(ks_store_write_round(run->store, first, count, &run->work.rows));
    ks_work_clear(&run->work);
    KS_TRY(count_points(run));
    KS_TRY(ks_preview_gather(&run->preview, run->comm, run->rank, run->size));
    KS_TRY(update_record(run, count));
    ks_stop_learn_commit(&run->stop, MPI_Wtime() - start);
    return KS_OK;
}

/* Within a commit nobody can ask who hangs: rank 0 ends the job, or, where it does not, the others know that it is the
 * one. */
static int commit(void *self, uint64_t first, uint64_t count) {
    enum { REST = 2 }; /* s for rank 0 to end the job */
    struct run *run = self;
    double watchdog = run->campaign.run.watchdog_seconds;
    char sentence[512];
    if (run->rank == 0)
        snprintf(sentence, sizeof sentence,
                 "a commit takes more than %.0f s (run.watchdog_seconds): a rank or the disk of "
                 "%.200s hangs",
                 watchdog, run->path);
    else
        snprintf(sentence, sizeof sentence,
                 "rank 0 on %.200s has done nothing for %.0f s (run.watchdog_seconds)", run->first_host,
                 watchdog);
    ks_signals_guard(watchdog > 0 && run->rank > 0 ? watchdog + REST : watchdog, sentence);
    int err = write_rows(run, first, count);
    ks_signals_end_guard();
    return err;
}

static uint64_t rounds_left(void *self) {
    const struct run *run = self;
    return ks_store_rounds_left(run->store);
}

static void report(void *self, const struct ks_farm_progress *state) {
    struct run *run = self;
    ks_progress_show(&run->progress, state, ks_tally_count_failed(run->total.n_by_status));
}

static enum ks_farm_urgency find_urgency(void *self) {
    struct run *run = self;
    return ks_stop_urgency(&run->stop);
}

static void end_hung(void *self, int rank, uint64_t first, uint64_t count, double seconds) {
    const struct run *run = self;
    const char *host = rank == 0 ? run->first_host : &run->host_names[(size_t)rank * MPI_MAX_PROCESSOR_NAME];
    char where[96] = "";
    if (count > 0)
        snprintf(where, sizeof where, "; it was on points %" PRIu64 " to %" PRIu64,
                 run->work.first_point + first, run->work.first_point + first + count - 1);
    fprintf(stderr, "\nketsweep: error: rank %d on %s has done nothing for %.0f s (run.watchdog_seconds)%s\n",
            rank, host, seconds, where);
    MPI_Abort(MPI_COMM_WORLD, KS_EXIT_FAILED);
}

/* Points first to first + count - 1; *next is where it was stopped. */
static int run_farm(struct run *run, uint64_t first, uint64_t count, uint64_t *next) {
    const struct ks_farm_work work = {.self = run,
                                      .simulate = simulate,
                                      .commit = commit,
                                      .rounds_left = rounds_left,
                                      .report = run->progress.stream ? report : NULL,
                                      .urgency = find_urgency,
                                      .hung = end_hung,
                                      .watchdog_seconds = run->campaign.run.watchdog_seconds,
                                      .commit_seconds = run->campaign.run.commit_seconds,
                                      .capacity = run->work.capacity,
                                      .slice = run->work.slice};
    return ks_farm_run(run->comm, first, count, &work, next);
}

/* ---- provenance --------------------------------------------------------------------------------------------- */

/* The ranks' host names on rank 0, each once. */
static int collect_hosts(struct run *run) {
    char own[MPI_MAX_PROCESSOR_NAME] = "";
    int length;
    KS_MPI(MPI_Get_processor_name(own, &length));
    KS_MPI(MPI_Gather(own, sizeof own, MPI_CHAR, run->host_names, sizeof own, MPI_CHAR, 0, run->comm));
    memcpy(run->first_host, own, sizeof own);
    KS_MPI(MPI_Bcast(run->first_host, sizeof own, MPI_CHAR, 0, run->comm));
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

/* ---- before the file ---------------------------------------------------------------------------------------- */

static int check_switches(const struct ks_arguments *a) {
    KS_CHECK(!a->overwrites || !(a->extends || a->repairs || a->verifies), KS_ERR_USAGE,
             "--overwrite starts anew; --extend, --verify and --repair keep what is there");
    KS_CHECK(a->shard == NULL || !a->extends, KS_ERR_USAGE,
             "--extend is for whole campaigns, not for a --shard");
    KS_CHECK(
        a->shard == NULL || !(a->verify_fraction > 0), KS_ERR_USAGE,
        "--verify-fraction is for whole campaigns, not for a --shard; `run` verifies the merged file, too");
    return KS_OK;
}

/* -o and output.file name the file of the whole campaign. */
static int name_shard(struct run *run) {
    const char *shard = run->arguments->shard;
    if (shard == NULL) return KS_OK;
    KS_CHECK(!run->campaign.precision.is_wanted, KS_ERR_USAGE,
             "%s: design.stop looks at all points of a study; it cannot be run in shards",
             run->campaign.path);
    KS_TRY(ks_shard_parse(shard, &run->share));
    KS_TRY(ks_shard_name(run->path, &run->share, run->shard_path, sizeof run->shard_path));
    run->path = run->shard_path;
    return KS_OK;
}

static int load_campaign(struct run *run) {
    FILE *silence = NULL, *messages = stderr;
    const struct ks_arguments *a = run->arguments;
    KS_TRY(check_switches(a));
    if (run->rank != 0) messages = silence = fopen("/dev/null", "w");
    KS_CHECK(messages != NULL, KS_ERR_IO, "cannot open /dev/null");
    int err =
        ks_config_load(a->operand, a->n_overrides, a->overrides, !a->is_quiet, messages, &run->campaign);
    if (silence != NULL) fclose(silence);
    KS_TRY(err);
    KS_CHECK(run->campaign.study == NULL || run->campaign.design.n_variables > 0, KS_ERR_USAGE,
             "%s describes a cohort or trial; use `ketsweep cohort` or `ketsweep trial`", run->campaign.path);
    run->path = a->output ? a->output : run->campaign.output_file;
    KS_TRY(name_shard(run));
    run->campaign.solver.is_dropped = ks_stop_is_dropped;
    run->campaign.solver.self = &run->stop;
    ks_stop_limit(&run->stop, run->begin, run->campaign.run.time_limit);
    return KS_OK;
}

/* All memory of the run, before the first collective call that a rank without memory would miss. */
static int allocate(struct run *run) {
    KS_TRY(ks_work_create(&run->work, &run->campaign, run->arguments->lanes, 0));
    KS_TRY(ks_shard_take(&run->work, run->share));
    KS_TRY(ks_verification_create(&run->verification, &run->campaign, run->arguments->verify_fraction));
    KS_TRY(ks_work_create_tally(&run->total, run->campaign.design.n_variables));
    KS_TRY(ks_preview_create(&run->preview, &run->campaign, run->size));
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
    const struct ks_arguments *a = run->arguments;
    double own[6] = {a->verify_fraction,
                     a->verifies,
                     a->repairs,
                     run->campaign.run.watchdog_seconds,
                     (double)run->share.number,
                     (double)run->share.count},
           first[6];
    memcpy(first, own, sizeof first);
    KS_MPI(MPI_Bcast(first, 6, MPI_DOUBLE, 0, run->comm));
    KS_CHECK(own[0] == first[0], KS_ERR_USAGE, "rank %d of %d has another --verify-fraction than rank 0",
             run->rank, run->size);
    KS_CHECK(memcmp(own, first, sizeof own) == 0, KS_ERR_USAGE,
             "rank %d of %d has another --verify, --repair, --shard or run.watchdog_seconds than rank 0",
             run->rank, run->size);
    return KS_OK;
}

/* ---- the file ----------------------------------------------------------------------------------------------- */

/* Rank 0: nobody else writes it, and it belongs to this campaign. */
static int claim_file(struct run *run) {
    KS_TRY(ks_store_lock(&run->lock, run->path));
    if (run->lock.is_missing)
        fprintf(stderr,
                "ketsweep: warning: the file system of %s has no locks; nothing keeps a second run from "
                "writing to it\n",
                run->path);
    return ks_resume_prepare(run->path, run->arguments, &run->campaign, &run->work.schema, run->hints,
                             &run->is_complete);
}

static int prepare_file(struct run *run) {
    KS_TRY(ks_agree(run->comm, run->rank == 0 ? claim_file(run) : KS_OK));
    KS_MPI(MPI_Bcast(&run->is_complete, 1, MPI_C_BOOL, 0, run->comm));
    return KS_OK;
}

/* On rank 0. */
static int look_back(struct run *run) {
    run->next = run->work.schema.n_points;
    if (run->rank != 0) return KS_OK;
    KS_TRY(ks_store_open(&run->store, run->path));
    KS_TRY(ks_tally_count_rows(run->store, run->next, run->total.n_by_status));
    if (ks_tally_count_failed(run->total.n_by_status) >= 10)
        KS_TRY(ks_tally_widen_by_rows(&run->total, run->store, run->next, 0, 1));
    return KS_OK;
}

static int open_file(struct run *run) {
    KS_TRY(ks_store_open_parallel(&run->store, run->path, run->comm, run->hints));
    KS_TRY(ks_resume_read_rounds(run->store, run->comm, run->arguments->verifies || run->arguments->repairs,
                                 &run->rounds));
    run->next = run->rounds.next;
    if (run->rounds.n_bad > 0 && !run->arguments->repairs)
        return run->rank == 0 ? ks_resume_raise_bad(run->path, &run->rounds) : KS_ERR_REMOTE;
    KS_TRY(begin_record(run));
    KS_TRY(ks_store_add_run(run->store, &run->record));
    FILE *messages = run->rank == 0 && !run->arguments->is_quiet ? stderr : NULL;
    if (messages != NULL && run->next > 0)
        fprintf(messages, "%s: %" PRIu64 " of %" PRIu64 " points are there\n", run->path, run->next,
                run->work.schema.n_points);
    return ks_suspects_create(&run->suspects, run->path, run->arguments->repairs ? 0 : run->next, &run->work,
                              run->comm, messages);
}

/* Rank 0, before a campaign's first point. */
static int advise(const struct run *run) {
    struct ks_advice advice = {NULL, run->campaign.path, 0};
    if (run->rank != 0 || run->arguments->is_quiet || run->next > 0) return KS_OK;
    KS_TRY(ks_advice_give(&advice, &run->campaign));
    if (advice.n > 0)
        fprintf(
            stderr,
            "%s: %d warning%s; `ketsweep check %s`, with the same --set, says what looks like a mistake\n",
            run->campaign.path, advice.n, advice.n == 1 ? "" : "s", run->campaign.path);
    if ((uint64_t)run->size > run->work.schema.n_points)
        fprintf(stderr, "%s: %d ranks for %" PRIu64 " point%s: the others have nothing to do; start fewer\n",
                run->campaign.path, run->size, run->work.schema.n_points,
                run->work.schema.n_points == 1 ? "" : "s");
    return KS_OK;
}

/* ---- the points --------------------------------------------------------------------------------------------- */

static int repair_round(struct run *run, size_t i) {
    struct ks_round *round = &run->rounds.rounds[i];
    uint64_t next;
    run->checksum = 0;
    KS_TRY(run_farm(run, round->first_row, round->n_rows, &next));
    run->is_stopped = next < round->first_row + round->n_rows;
    if (run->is_stopped) return KS_OK;
    round->checksum = run->checksum; /* as it was, unless the log or the solver's library has changed */
    run->rounds.is_bad[i] = false;
    return ks_store_rewrite_round(run->store, i, round);
}

static int repair(struct run *run) {
    uint64_t n_rows = 0;
    run->is_repairing = true;
    for (size_t i = 0; i < run->rounds.n && !run->is_stopped; i++) {
        if (!run->rounds.is_bad[i]) continue;
        KS_TRY(repair_round(run, i));
        n_rows += run->rounds.rounds[i].n_rows;
    }
    run->is_repairing = false;
    ks_work_clear_tally(&run->work);
    if (run->rank == 0 && !run->arguments->is_quiet && !run->is_stopped)
        fprintf(stderr, "%s: %zu of %zu rounds had changed; their %" PRIu64 " points were run again\n",
                run->path, run->rounds.n_bad, run->rounds.n, n_rows);
    return KS_OK;
}

static int run_points(struct run *run) {
    uint64_t n = run->work.schema.n_points;
    run->stop.is_on = true;
    if (run->arguments->repairs) KS_TRY(repair(run));
    if (run->is_stopped) return KS_OK;
    int err = run->rank == 0 ? ks_tally_count_rows(run->store, run->next, run->before) : KS_OK;
    KS_TRY(ks_agree(run->comm, err));
    uint64_t first = run->next;
    KS_TRY(run_farm(run, first, n - first, &run->next));
    run->is_stopped = run->next < n;
    if (run->rank == 0) ks_suspects_clear(&run->suspects, run->next);
    return run->is_stopped || run->is_complete ? KS_OK : ks_store_complete(run->store);
}

/* After the campaign is marked complete: its rows are good whatever becomes of their verification. */
static int write_verification(struct run *run) {
    if (!(run->verification.fraction > 0) || run->is_stopped) return KS_OK;
    int err =
        ks_verification_check_stored(&run->verification, run->store, run->rounds.next, run->rank, run->size);
    KS_TRY(ks_agree(run->comm, err));
    int is_dropped = run->verification.is_dropped;
    KS_MPI(MPI_Allreduce(MPI_IN_PLACE, &is_dropped, 1, MPI_INT, MPI_MAX, run->comm));
    run->is_stopped = is_dropped;
    if (is_dropped) return KS_OK;
    KS_TRY(ks_verification_gather(&run->verification, run->comm));
    return ks_store_write_verification(run->store, run->verification.rows);
}

/* The points of all runs on rank 0; where many failed, also where they lie. */
static int finish_tally(struct run *run) {
    int n_failed = 0, n_variables = run->campaign.design.n_variables;
    KS_TRY(count_points(run));
    if (run->rank == 0) n_failed = ks_tally_count_failed(run->total.n_by_status) >= 10;
    KS_MPI(MPI_Bcast(&n_failed, 1, MPI_INT, 0, run->comm));
    int err = n_failed ? ks_tally_widen_by_rows(&run->work.tally, run->store, run->rounds.next, run->rank,
                                                run->size)
                       : KS_OK;
    KS_TRY(ks_agree(run->comm, err));
    KS_TRY(ks_tally_reduce(&run->work.tally, &run->total, n_variables, run->comm));
    return count_points(run);
}

/* ---- the summary -------------------------------------------------------------------------------------------- */

static void print_work(const struct run *run) {
    double seconds = MPI_Wtime() - run->start, write_seconds;
    uint64_t n_new = run->next - run->rounds.next, written;
    char duration[32], size[32];
    ks_store_write_cost(run->store, &write_seconds, &written);
    fprintf(stderr, "%s: %" PRIu64 " point%s in %s on %d rank%s, %.4g points/s; ", run->path, n_new,
            n_new == 1 ? "" : "s", ks_progress_duration(seconds, duration), run->size,
            run->size == 1 ? "" : "s", (double)n_new / seconds);
    fprintf(stderr, "%s written in %.2f s\n", ks_progress_bytes((double)written, size), write_seconds);
    if (run->rounds.next > 0)
        fprintf(stderr, "  with those of earlier runs %" PRIu64 " of %" PRIu64 "\n", run->next,
                run->work.schema.n_points);
}

static void print_summary(const struct run *run) {
    if (ks_resume_is_idle(run->arguments, run->is_complete))
        fprintf(stderr, "%s: complete already, all %" PRIu64 " points are there\n", run->path, run->next);
    else
        print_work(run);
    ks_tally_print(stderr, &run->total, &run->work.schema);
    ks_preview_print(stderr, &run->preview);
    if (run->verification.fraction > 0 && !run->is_stopped)
        ks_verification_print(stderr, run->work.schema.n_points, (size_t)run->work.schema.n_endpoints,
                              run->verification.rows);
}

/* How to go on. */
static void print_stop(const struct run *run) {
    const char *reason = run->stop.signal != 0 ? ks_signals_name(run->stop.signal) : "the time limit";
    fprintf(stderr,
            "ketsweep: stopped by %s; %" PRIu64 " of %" PRIu64
            " points are in %s and safe: the same command goes on "
            "from there\n",
            reason, run->next, run->work.schema.n_points, run->path);
}

/* The file is complete; too many failed points still make the command fail. */
static int judge(const struct run *run) {
    double fraction =
        (double)ks_tally_count_failed(run->total.n_by_status) / (double)run->work.schema.n_points;
    if (run->rank != 0 || fraction <= run->arguments->max_failed_fraction) return 0;
    fprintf(
        stderr,
        "ketsweep: %.3g %% of the points failed, more than --max-failed-fraction allows (%.3g %%); the file "
        "is complete\n",
        100 * fraction, 100 * run->arguments->max_failed_fraction);
    return KS_EXIT_FAILED;
}

static int conclude(const struct run *run) {
    if (run->rank == 0 && !run->arguments->is_quiet) print_summary(run);
    if (!run->is_stopped) return judge(run);
    if (run->rank == 0) print_stop(run);
    return KS_EXIT_STOPPED;
}

/* ---- the stages --------------------------------------------------------------------------------------------- */

static int run_stages(struct run *run) {
    KS_TRY(ks_agree(run->comm, load_campaign(run)));
    KS_TRY(ks_agree(run->comm, compare_campaigns(run)));
    KS_TRY(ks_agree(run->comm, compare_arguments(run)));
    KS_TRY(ks_agree(run->comm, allocate(run)));
    KS_TRY(ks_agree(run->comm, ks_hints_create(&run->campaign, &run->hints)));
    KS_TRY(prepare_file(run));
    if (ks_resume_is_idle(run->arguments, run->is_complete)) {
        KS_TRY(ks_agree(run->comm, look_back(run)));
        return conclude(run);
    }
    KS_TRY(open_file(run));
    KS_TRY(ks_agree(run->comm, advise(run)));
    ks_progress_begin(&run->progress, run->rank == 0 && !run->arguments->is_quiet ? stderr : NULL, run->next);
    run->progress.preview = run->preview.text;
    int err = run_points(run);
    ks_progress_end(&run->progress);
    KS_TRY(err);
    KS_TRY(write_verification(run));
    KS_TRY(finish_tally(run));
    return conclude(run);
}

static void release(struct run *run) {
    ks_preview_release(&run->preview);
    ks_verification_release(&run->verification);
    ks_hints_release(&run->hints);
    ks_suspects_release(&run->suspects);
    ks_resume_release_rounds(&run->rounds);
    ks_work_release(&run->work);
    ks_config_release(&run->campaign);
    ks_work_release_tally(&run->total);
    free(run->host_names);
}

/* The exit status of the job: the worst of any rank; that it was stopped counts where nothing else went wrong. */
static int agree_on_exit(MPI_Comm comm, int status) {
    int own[2] = {status == KS_ERR_USAGE ? KS_EXIT_USAGE : status < 0 ? KS_EXIT_FAILED : status, 0}, all[2];
    if (status == KS_ERR_REMOTE) own[0] = 0; /* the rank that failed knows the exit status */
    if (status == KS_EXIT_STOPPED) {
        own[0] = 0;
        own[1] = KS_EXIT_STOPPED;
    }
    KS_MPI(MPI_Allreduce(own, all, 2, MPI_INT, MPI_MAX, comm));
    return all[0] != 0 ? all[0] : all[1];
}

/* HDF5 crashes at MPI's end over a file that it could not close. The file itself needs no closing. */
static void leave(const struct run *run) {
    if (run->rank == 0) ks_error_print(stderr);
    _exit(KS_EXIT_FAILED);
}

static int run_on_ranks(const struct ks_arguments *arguments, MPI_Comm comm, double begin) {
    struct run run = {
        .arguments = arguments, .comm = comm, .begin = begin, .start = MPI_Wtime(), .hints = MPI_INFO_NULL};
    KS_MPI(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN));
    KS_MPI(MPI_Comm_rank(comm, &run.rank));
    KS_MPI(MPI_Comm_size(comm, &run.size));
    KS_TRY(ks_stop_create(&run.stop, comm));
    int status = run_stages(&run);
    int err = ks_store_close(&run.store);
    if (status >= 0 && err < 0) status = err;
    ks_store_unlock(&run.lock);
    if (err < 0) leave(&run);
    ks_stop_release(&run.stop);
    release(&run);
    /* through ks_agree the rank that failed has spoken */
    if (status < 0 && status != KS_ERR_REMOTE && run.rank == 0) ks_error_print(stderr);
    return agree_on_exit(comm, status);
}

int ks_run_command(const struct ks_arguments *arguments) {
    KS_CHECK(MPI_Init(NULL, NULL) == MPI_SUCCESS, KS_ERR_MPI, "MPI does not start");
    ks_error_set_abort(abort_all);
    ks_signals_install();
    int status = ks_doubling_run(arguments, MPI_COMM_WORLD, run_on_ranks);
    MPI_Finalize();
    return status;
}
