/* `ketsweep simulate`: one patient, one protocol, every state over time. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_HOURS = 1000000, DIGITS = 17 /* give back the same bits */ };

/* ---- the one point ------------------------------------------------------------------------------------------ */

static int compare_times(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Every hour and every event edge; *times is the caller's to free. */
static int default_times(const struct ks_campaign *campaign, int *n_times, double **times) {
    double horizon = campaign->parameters[KS_PARAMETER_horizon], *edges;
    char reason[160];
    int n_edges, status, n = 0, n_distinct = 0;
    KS_TRY(ks_therapy_edges(&campaign->treatment, campaign->parameters, 0, &n_edges, &edges, &status, reason,
                            sizeof reason));
    KS_CHECK(status == KS_STATUS_done, KS_ERR_USAGE, "%s: protocol: %s", campaign->path, reason);
    KS_CHECK(horizon <= MOST_HOURS, KS_ERR_USAGE,
             "%s: protocol.horizon: %g h is long for a row every hour; state output.trajectories",
             campaign->path, horizon);
    int n_hours = (int)floor(horizon) + 1;
    *times = ks_memory_allocate((size_t)(n_hours + n_edges), sizeof(double));
    if (*times != NULL) {
        for (int i = 0; i < n_hours; i++) (*times)[n++] = i;
        for (int i = 0; i < n_edges; i++) (*times)[n++] = edges[i];
        qsort(*times, (size_t)n, sizeof(double), compare_times);
        for (int i = 0; i < n; i++)
            if (n_distinct == 0 || (*times)[i] > (*times)[n_distinct - 1])
                (*times)[n_distinct++] = (*times)[i];
    }
    free(edges);
    *n_times = n_distinct;
    KS_CHECK(*times != NULL, KS_ERR_MEMORY, "no memory for %d output times", n_hours + n_edges);
    return KS_OK;
}

/* ---- output ------------------------------------------------------------------------------------------------- */

/* A comment is one line, whatever the title. */
static void write_title(FILE *stream, const char *title) {
    fputs("# ", stream);
    for (; *title != '\0'; title++) fputc(*title == '\n' || *title == '\r' ? ' ' : *title, stream);
    fputc('\n', stream);
}

static void write_csv(FILE *stream, const struct ks_work *work) {
    const struct ks_campaign *campaign = work->campaign;
    const double *row = work->trajectories;
    write_title(stream, campaign->title);
    fprintf(stream, "# status %s, %u steps\n", ks_status_names[work->rows.status[0]], work->rows.steps[0]);
    for (int i = 0; i < campaign->n_endpoints; i++) {
        fprintf(stream, "# %s = ", campaign->endpoints[i].name);
        ks_output_number(stream, work->rows.endpoints[i], DIGITS);
        fprintf(stream, " %s\n", campaign->endpoints[i].unit);
    }
    fprintf(stream, "time_h");
    for (int k = 0; k < KS_N_STATES; k++) fprintf(stream, ",%s", ks_quantities[k].name);
    fputc('\n', stream);
    for (int i = 0; i < campaign->n_times; i++, row += KS_N_STATES) {
        ks_output_number(stream, campaign->times[i], DIGITS);
        for (int k = 0; k < KS_N_STATES; k++) {
            fputc(',', stream);
            ks_output_number(stream, row[k], DIGITS);
        }
        fputc('\n', stream);
    }
}

static int write_csv_file(const struct ks_arguments *arguments, const struct ks_work *work) {
    FILE *stream;
    KS_TRY(ks_output_open(arguments, &stream));
    write_csv(stream, work);
    return ks_output_close(stream, arguments->output);
}

/* The file of a campaign of one point. Only here does this command start MPI. */
static int write_h5(const char *path, const struct ks_work *work) {
    ks_store *store = NULL;
    KS_TRY(ks_store_create(path, &work->schema, false, MPI_INFO_NULL));
    KS_CHECK(MPI_Init(NULL, NULL) == MPI_SUCCESS, KS_ERR_MPI, "MPI does not start");
    int err = ks_store_open_parallel(&store, path, MPI_COMM_SELF, MPI_INFO_NULL);
    if (err == KS_OK) err = ks_store_write_round(store, 0, 1, &work->rows);
    if (err == KS_OK) err = ks_store_complete(store);
    int closed = ks_store_close(&store);
    if (closed < 0) { /* HDF5 would crash at MPI's end over the file that it could not close */
        ks_error_print(stderr);
        _exit(KS_EXIT_FAILED);
    }
    MPI_Finalize();
    return err;
}

/* ---- the command -------------------------------------------------------------------------------------------- */

static int simulate_point(const struct ks_arguments *arguments, const struct ks_campaign *single,
                          bool is_h5) {
    struct ks_work work;
    KS_TRY(ks_work_create(&work, single, arguments->lanes, 1));
    uint64_t count = 1;
    int err = ks_work_simulate(&work, 0, &count),
        status = err == KS_OK ? work.rows.status[0] : KS_STATUS_not_run;
    if (err == KS_OK) err = is_h5 ? write_h5(arguments->output, &work) : write_csv_file(arguments, &work);
    ks_work_release(&work);
    KS_TRY(err);
    if (!ks_status_is_failure(status)) return 0;
    fprintf(stderr, "ketsweep: the patient could not be simulated: %s\n", ks_status_meanings[status]);
    return KS_EXIT_FAILED;
}

/* The campaign's patient without its design, every state at its output times. */
static int simulate_campaign(const struct ks_arguments *arguments, const struct ks_campaign *campaign) {
    int quantities[KS_N_STATES], n_times = campaign->n_times;
    double *times = NULL;
    bool is_h5 = arguments->format != NULL && strcmp(arguments->format, "h5") == 0;
    KS_CHECK(!is_h5 || arguments->output != NULL, KS_ERR_USAGE,
             "--format h5 needs the name of the file: add -o FILE");
    KS_CHECK(campaign->function == NULL, KS_ERR_USAGE, "simulate needs the model \"ketamine\", found \"%s\"",
             campaign->model);
    if (campaign->design.n_variables > 0)
        fprintf(stderr, "ketsweep: the varied parameters are at their base values; `run` varies them\n");
    if (!campaign->has_trajectories) KS_TRY(default_times(campaign, &n_times, &times));
    for (int i = 0; i < KS_N_STATES; i++) quantities[i] = i;
    struct ks_campaign single = *campaign;
    single.design = (struct ks_design){.kind = KS_DESIGN_grid, .n_points = 1, .seed = campaign->design.seed};
    single.n_times = n_times;
    single.times = times != NULL ? times : campaign->times;
    single.n_quantities = KS_N_STATES;
    single.quantities = quantities;
    single.has_trajectories = true;
    int status = simulate_point(arguments, &single, is_h5);
    free(times);
    return status;
}

int ks_simulate_command(const struct ks_arguments *arguments) {
    struct ks_campaign campaign;
    KS_TRY(ks_config_load(arguments->operand, arguments->n_overrides, arguments->overrides, true, stderr,
                          &campaign));
    int status = simulate_campaign(arguments, &campaign);
    ks_config_release(&campaign);
    return status;
}
