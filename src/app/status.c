/* `ketsweep status`: how far a campaign is, from its file alone, also while a job writes it; and how a job of Slurm is. */
#include "app/app_impl.h"
#include "base/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_run(const struct ks_run_record *run, uint64_t n_left) {
    char duration[32];
    printf("last run: started %s, %" PRIu32 " rank%s on %s, version %s\n", run->start, run->n_ranks,
           run->n_ranks == 1 ? "" : "s", run->hosts, run->version);
    if (run->n_points == 0) {
        printf("  nothing committed yet\n");
        return;
    }
    printf("  %" PRIu64 " points in %s, %.4g points/s; last commit %.0f s after the start\n", run->n_points,
           ks_progress_duration(run->seconds, duration), run->points_per_second, run->seconds);
    if (n_left > 0)
        printf("  about %s left at this rate, if it still runs\n",
               ks_progress_duration((double)n_left / run->points_per_second, duration));
}

static void print_writer(const char *path, uint64_t n_left) {
    struct ks_lock_holder writer;
    enum ks_writer found = ks_store_find_writer(path, &writer);
    if (found == KS_WRITER_FOUND)
        printf("being written by process %ld on %s, started %s\n", writer.process, writer.host, writer.start);
    else if (found == KS_WRITER_UNKNOWN)
        printf("whether a run writes it now is not known: its lock %s.lock cannot be read\n", path);
    else if (n_left > 0)
        printf("no run writes it now; the `ketsweep run` that began it goes on with it\n");
}

static int print_verification(ks_store *store) {
    size_t n_rows;
    struct ks_verified_endpoint *rows;
    KS_TRY(ks_store_read_verification(store, &n_rows, &rows));
    ks_verification_print(stdout, ks_store_schema(store)->n_points, n_rows, rows);
    free(rows);
    return 0;
}

static void print_share(const struct ks_schema *schema) {
    const struct ks_share *share = &schema->share;
    uint64_t first = ks_store_first_point(share);
    if (share->count > 0)
        printf("shard %" PRIu64 " of %" PRIu64 ": points %" PRIu64 " to %" PRIu64 " of %" PRIu64 "\n",
               share->number, share->count, first, first + schema->n_points - 1, share->n_points);
}

static int print_status(ks_store *store, const char *path) {
    const struct ks_schema *schema = ks_store_schema(store);
    uint64_t counts[KS_N_STATUSES] = {0}, n_done = 0;
    struct ks_round *rounds;
    struct ks_run_record *runs;
    size_t n_rounds, n_runs;
    KS_TRY(ks_store_read_rounds(store, &n_rounds, &rounds));
    for (size_t i = 0; i < n_rounds; i++)
        n_done += rounds[i].n_rows; /* they follow each other from row 0 on */
    free(rounds);
    KS_TRY(ks_tally_count_rows(store, n_done, counts));
    printf("%s: %s\n", path, schema->title);
    print_share(schema);
    printf("%" PRIu64 " of %" PRIu64 " points (%.4g %%) in %zu round%s; %s\n", n_done, schema->n_points,
           100.0 * (double)n_done / (double)schema->n_points, n_rounds, n_rounds == 1 ? "" : "s",
           ks_store_is_complete(store) ? "complete" : "not complete");
    for (int i = 1; i < KS_N_STATUSES; i++)
        if (counts[i] > 0)
            printf("  %" PRIu64 " %s: %s\n", counts[i], ks_status_names[i], ks_status_meanings[i]);
    KS_TRY(ks_store_read_runs(store, &n_runs, &runs));
    if (n_runs > 0) print_run(&runs[n_runs - 1], schema->n_points - n_done);
    free(runs);
    print_writer(path, schema->n_points - n_done);
    return print_verification(store);
}

static int print_file(const char *path) {
    ks_store *store;
    KS_TRY(ks_store_open(&store, path));
    int status = print_status(store, path), err = ks_store_close(&store);
    return status < 0 ? status : err < 0 ? err : status;
}

/* ---- a job of Slurm ----------------------------------------------------------------------------------------- */

static void print_time(const struct ks_slurm_job *job) {
    char left[32];
    double limit = ks_slurm_parse_duration(job->time_limit), run = ks_slurm_parse_duration(job->run_time);
    printf("  ran %s of %s", job->run_time, job->time_limit);
    if (strcmp(job->state, "RUNNING") == 0 && limit > run)
        printf(", %s left; before that it stops and queues again", ks_progress_duration(limit - run, left));
    printf("\n");
}

static int print_job(const char *id) {
    struct ks_slurm_job job;
    KS_TRY(ks_slurm_find_job(id, &job));
    printf("job %s: %s", id, job.state);
    if (strcmp(job.reason, "None") != 0) printf(" (%s)", job.reason);
    printf(", %s tasks%s%s, queued again %s times, exit code %s\n", job.tasks,
           job.nodes[0] != '\0' ? " on " : "", job.nodes, job.restarts, job.exit_code);
    print_time(&job);
    printf("  log %s\n", job.log);
    if (job.file[0] == '\0') {
        printf("  which file it writes is not known: it is not a job of ketsweep, or has not begun\n");
        return 0;
    }
    if (access(job.file, F_OK) == 0) return print_file(job.file);
    printf("  %s is not there yet\n", job.file);
    return 0;
}

/* A number is a job, unless there is a file of this name. */
int ks_status_command(const struct ks_arguments *arguments) {
    const char *operand = arguments->operand;
    bool is_number = operand[0] != '\0' && operand[strspn(operand, "0123456789")] == '\0';
    return is_number && access(operand, F_OK) != 0 ? print_job(operand) : print_file(operand);
}
